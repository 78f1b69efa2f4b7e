//! sqlx: `sqlx migrate run`, `sqlx::migrate!` and `Migrator`, which share their rules.
//!
//! Source: sqlx 0.8.6 and 0.9.0, `sqlx-core/src/migrate` and `sqlx-sqlite/src/migrate.rs`; measured with both.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sha2::{Digest, Sha384};

use super::{Evidence, NO_ADDRESS, Tool, columns, entries, identifier, text_literal};
use crate::error::{Doing, Error};
use crate::migrations::migration::{Chunk, Migration};
use crate::migrations::plan::{Decision, Entry, Ledger, Plan, Refusal, State};
use crate::migrations::project::{Package, Project};
use crate::migrations::{Located, Strength, shown};
use crate::units::hex;

/// The record of this tool.
pub const TOOL: Tool = Tool {
    name: "sqlx",
    looks_for: "<number>_<name>.sql",
    folders: |_| Ok(Vec::new()),
    recognises,
    layout: |_, project, decisions| Ok(layout(project, decisions)),
    address: NO_ADDRESS,
    ledger: |_| TABLE,
    records_in,
    config_table: Some(config_table),
    config_columns: &[&["version", "description", "installed_on", "success", "checksum", "execution_time"]],
    plan,
};

const TABLE: &str = "_sqlx_migrations";
/// From 0.9 on the marker counts with SQLite.
const MARKER: &str = "-- no-transaction";
const MARKED: &str = "0.9";
const UNMARKED: &str = "0.8";

/// A file of the folder.
struct File {
    version: i64,
    /// What follows the version.
    rest: String,
    path: PathBuf,
}

/// What the ledger says of a version.
struct Row {
    description: String,
    success: bool,
    checksum: Vec<u8>,
}

fn recognises(folder: &Path, project: &Project) -> Option<Evidence> {
    let first = resolve(folder).ok()?.files.into_iter().next()?;
    let there = format!("{} is there", shown(&first.path));
    Some(match project.crates.get("sqlx").and_then(Package::version) {
        Some((version, from)) => {
            Evidence { strength: Strength::Layout, why: format!("{there}, and sqlx {version} in {from}") }
        }
        None => Evidence { strength: Strength::Possible, why: there },
    })
}

/// `migrate.table-name` in `sqlx.toml`.
fn config_table(project: &Project) -> Result<Option<(String, String)>, Error> {
    let file = project.root.join("sqlx.toml");
    if !file.is_file() {
        return Ok(None);
    }
    let doing = || format!("reading `{}`", shown(&file));
    let config: toml::Table = crate::files::read_utf8(&file).doing(doing)?.parse().doing(doing)?;
    let table = config.get("migrate").and_then(|migrate| migrate.get("table-name")?.as_str());
    Ok(table.map(|table| (table.to_owned(), format!("`migrate.table-name` in {}", shown(&file)))))
}

/// By the version: below 0.9 the marker has no effect.
fn layout(project: &Project, decisions: &mut Vec<Decision>) -> &'static str {
    let version = project.crates.get("sqlx").and_then(Package::version);
    let (layout, why) = match version {
        Some((version, from)) if is_below_0_9(version) => (UNMARKED, format!("sqlx {version} in {from}")),
        Some((version, from)) => (MARKED, format!("sqlx {version} in {from}")),
        None => (MARKED, "the version of sqlx is not known".to_owned()),
    };
    decisions.push(Decision { what: "layout", value: layout.into(), why });
    layout
}

fn is_below_0_9(version: &str) -> bool {
    let mut numbers = version.trim_start_matches(['^', '~', '=', '>', ' ']).split('.').map(str::parse::<u32>);
    matches!((numbers.next(), numbers.next()), (Some(Ok(0)), Some(Ok(minor))) if minor < 9)
}

fn records_in(before: &Connection, table: &str) -> Result<bool, Error> {
    let expected = ["version", "description", "installed_on", "success", "checksum", "execution_time"];
    Ok(columns(before, table)? == expected)
}

/// The migrations of a folder, and why sqlx refuses it.
struct Resolved {
    /// By version. What has no `_` or is no `.sql` file is left out.
    files: Vec<File>,
    refusal: Option<Refusal>,
}

fn resolve(folder: &Path) -> Result<Resolved, Error> {
    let mut resolved = Resolved { files: Vec::new(), refusal: None };
    for (name, path) in entries(folder)? {
        let Some((version, rest)) = name.split_once('_').filter(|(_, rest)| is_sql(rest)) else { continue };
        // A link that leads nowhere is an error to sqlx, too.
        if path.exists() && !path.is_file() {
            continue;
        }
        match version.parse() {
            Ok(version) => resolved.files.push(File { version, rest: rest.into(), path }),
            Err(_) => {
                resolved.refusal.get_or_insert_with(|| unnumbered(&name));
            }
        }
    }
    resolved.files.sort_by_key(|file| file.version);
    Ok(resolved)
}

fn is_sql(rest: &str) -> bool {
    rest.as_bytes().ends_with(b".sql")
}

fn plan(located: &Located, before: &Connection) -> Result<Plan, Error> {
    let table = &located.table;
    let rows = read_ledger(before, table)?;
    let Resolved { files, refusal: unresolved } = resolve(&located.folder)?;
    let (down, up): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| file.rest.ends_with(".down.sql"));
    let mut plan = Plan {
        tool: TOOL.name,
        layout: located.layout,
        folder: located.folder.clone(),
        ledger: Ledger { name: table.clone(), present: records_in(before, table)?, rows: rows.len() as u64 },
        entries: Vec::new(),
        // Also where it refuses what it finds in the ledger.
        setup: if unresolved.is_some() { Vec::new() } else { vec![create(table)] },
        refusal: unresolved.or_else(|| dirty(&rows, table)).or_else(|| missing(&rows, up.iter().chain(&down))),
        decisions: located.decisions.clone(),
    };
    for file in &up {
        let mut migration = read(file, located.layout)?;
        let state = match rows.get(&file.version) {
            None => State::Pending,
            Some(row) if hex(&row.checksum) == migration.checksum => State::Applied,
            Some(row) => {
                let pending = plan.pending().count();
                plan.refusal.get_or_insert_with(|| edited(file.version, pending));
                State::Edited { recorded: hex(&row.checksum) }
            }
        };
        if let Some(undo) = down.iter().find(|undo| undo.version == file.version) {
            let mut undo = read(undo, located.layout)?;
            undo.record.within = vec![format!("DELETE FROM {table} WHERE version = {}", file.version)];
            migration.down = Some(Box::new(undo));
        }
        record(&mut migration, file, table);
        plan.entries.push(Entry { migration, state });
    }
    for (version, row) in rows.iter().filter(|(version, _)| up.iter().all(|file| file.version != **version)) {
        let name = format!("{version}_{}", row.description.replace(' ', "_"));
        let migration = Migration::without_file(name, PathBuf::new(), hex(&row.checksum));
        let place = up.iter().take_while(|file| file.version < *version).count();
        plan.entries.insert(place, Entry { migration, state: State::Missing });
    }
    Ok(plan)
}

fn read_ledger(before: &Connection, table: &str) -> Result<BTreeMap<i64, Row>, Error> {
    if columns(before, table)?.is_empty() {
        return Ok(BTreeMap::new());
    }
    let doing = || format!("reading the ledger `{table}`");
    let table_name = identifier(table);
    let sql = format!("SELECT version, description, success, checksum FROM {table_name} ORDER BY version");
    let mut select = before.prepare(&sql).doing(doing)?;
    let rows = select.query_map([], |row| {
        Ok((row.get(0)?, Row { description: row.get(1)?, success: row.get(2)?, checksum: row.get(3)? }))
    });
    rows.and_then(Iterator::collect).doing(doing)
}

fn read(file: &File, layout: &str) -> Result<Migration, Error> {
    let doing = || format!("reading `{}`", shown(&file.path));
    let sql = crate::files::read_utf8(&file.path).doing(doing)?;
    let checksum = hex(&Sha384::digest(sql.as_bytes()));
    let name = format!("{}_{}", file.version, stem(&file.rest));
    let unwrapped = layout == MARKED && sql.starts_with(MARKER);
    let chunks = vec![Chunk::new(&sql, 1)];
    Ok(Migration { checksum, unwrapped, ..Migration::of(name, file.path.clone(), sql, chunks) })
}

/// The name without what says which kind of file it is.
fn stem(rest: &str) -> &str {
    let suffixes = [".up.sql", ".down.sql", ".sql"];
    suffixes.iter().find_map(|suffix| rest.strip_suffix(suffix)).unwrap_or(rest)
}

/// sqlx puts the table's name in as it is.
fn record(migration: &mut Migration, file: &File, table: &str) {
    let (version, description) = (file.version, text_literal(&stem(&file.rest).replace('_', " ")));
    let checksum = &migration.checksum;
    migration.record.within.push(format!(
        "INSERT INTO {table} ( version, description, success, checksum, execution_time ) \
         VALUES ( {version}, {description}, TRUE, x'{checksum}', -1 )"
    ));
    migration.record.after.push(format!("UPDATE {table} SET execution_time = 0 WHERE version = {version}"));
}

/// The text is sqlx's to the last space, because SQLite keeps it in the schema.
fn create(table: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {table} (\n    version BIGINT PRIMARY KEY,\n    description TEXT NOT NULL,\n    \
         installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,\n    success BOOLEAN NOT NULL,\n    checksum BLOB NOT \
         NULL,\n    execution_time BIGINT NOT NULL\n);"
    )
}

fn unnumbered(name: &str) -> Refusal {
    Refusal {
        message: format!(
            "while resolving migrations: error parsing migration filename \"{name}\"; expected integer version prefix (e.g. \
             `01_foo.sql`)"
        ),
        help: "name it `<number>_<name>.sql`, or move it out of the folder: sqlx refuses the whole folder".into(),
        after: 0,
    }
}

fn dirty(rows: &BTreeMap<i64, Row>, table: &str) -> Option<Refusal> {
    let (version, _) = rows.iter().find(|(_, row)| !row.success)?;
    Some(Refusal {
        message: format!("migration {version} is partially applied; fix and remove row from `{table}` table"),
        help: format!(
            "finish or undo what it did by hand, then `DELETE FROM {} WHERE version = {version}`",
            identifier(TABLE)
        ),
        after: 0,
    })
}

fn missing<'a>(rows: &BTreeMap<i64, Row>, files: impl Iterator<Item = &'a File>) -> Option<Refusal> {
    let versions: Vec<i64> = files.map(|file| file.version).collect();
    let version = rows.keys().find(|version| !versions.contains(version))?;
    Some(Refusal {
        message: format!("migration {version} was previously applied but is missing in the resolved migrations"),
        help: "bring its file back; `set_ignore_missing(true)` or `--ignore-missing` lets sqlx go on without it".into(),
        after: 0,
    })
}

fn edited(version: i64, pending: usize) -> Refusal {
    Refusal {
        message: format!("migration {version} was previously applied but has been modified"),
        help: "bring its text back, and make the change in a new migration".into(),
        after: pending,
    }
}
