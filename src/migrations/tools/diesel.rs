//! diesel: `diesel migration run` and the `MigrationHarness` of `diesel_migrations`, which share their rules.
//!
//! Source: diesel 2.3.14, `diesel_migrations` 2.3.2 and `migrations_internals` 2.3.0; measured with them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use toml::{Table, Value};

use super::{Evidence, NO_ADDRESS, Tool, columns, entries, rusqlite_migration, text_literal};
use crate::error::{Doing, Error};
use crate::migrations::migration::{Chunk, Migration};
use crate::migrations::plan::{Entry, Ledger, Plan, Refusal, State};
use crate::migrations::project::Project;
use crate::migrations::{Located, Strength, shown};

/// The record of this tool.
pub const TOOL: Tool = Tool {
    name: "diesel",
    looks_for: "<version>_<name>/up.sql",
    folders,
    recognises,
    layout: |_, _, _| Ok("folders"),
    address: NO_ADDRESS,
    ledger: |_| TABLE,
    records_in,
    config_table: None,
    config_columns: &[],
    plan,
};

const TABLE: &str = "__diesel_schema_migrations";

/// The text is diesel's to the last space, because SQLite keeps it in the schema.
const CREATE: &str = "CREATE TABLE IF NOT EXISTS __diesel_schema_migrations (\n       version VARCHAR(50) PRIMARY KEY NOT NULL,\n       \
                      run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP\n)";

/// A folder that holds a migration.
struct Folder {
    /// What the ledger knows it by: the name up to its first `_`, without hyphens.
    version: String,
    name: String,
    path: PathBuf,
}

impl Folder {
    fn of((name, path): (String, PathBuf)) -> Self {
        let version = name.split('_').next().unwrap_or_default().replace('-', "");
        Self { version, name, path }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

/// `migrations_directory.dir` in `diesel.toml`.
fn folders(project: &Project) -> Result<Vec<(PathBuf, String)>, Error> {
    let file = project.root.join("diesel.toml");
    if !file.is_file() {
        return Ok(Vec::new());
    }
    let doing = || format!("reading `{}`", shown(&file));
    let config: Table = crate::files::read_utf8(&file).doing(doing)?.parse().doing(doing)?;
    let folder = config.get("migrations_directory").and_then(|section| section.get("dir")?.as_str());
    // diesel's own command writes the absolute path of the machine on which it ran.
    let folder = folder.map(|folder| project.root.join(folder)).filter(|folder| folder.is_dir());
    Ok(folder.map(|folder| (folder, format!("`migrations_directory.dir` in {}", shown(&file)))).into_iter().collect())
}

fn recognises(folder: &Path, project: &Project) -> Option<Evidence> {
    let first = migration_folders(folder).ok()?.into_iter().find(|one| one.file("up.sql").is_file())?;
    let is_declared = ["diesel", "diesel_migrations"].iter().any(|name| project.crates.contains_key(*name));
    if !is_declared && rusqlite_migration::numbers(&first.name) {
        return None;
    }
    Some(Evidence { strength: Strength::Layout, why: format!("{} is there", shown(&first.file("up.sql"))) })
}

/// What is no file and not hidden, by name.
fn migration_folders(folder: &Path) -> Result<Vec<Folder>, Error> {
    let is_migration = |(name, path): &(String, PathBuf)| !path.is_file() && !name.starts_with('.');
    Ok(entries(folder)?.into_iter().filter(is_migration).map(Folder::of).collect())
}

fn records_in(before: &Connection, table: &str) -> Result<bool, Error> {
    Ok(columns(before, table)? == ["version", "run_on"])
}

fn plan(located: &Located, before: &Connection) -> Result<Plan, Error> {
    let applied = read_ledger(before)?;
    let mut folders = migration_folders(&located.folder)?;
    // Versions are texts: `10` comes before `9`.
    folders.sort_by(|a, b| a.version.cmp(&b.version).then_with(|| a.name.cmp(&b.name)));
    let incomplete = folders.iter().find(|one| !one.file("up.sql").exists()).map(without_up);
    let mut plan = Plan {
        tool: TOOL.name,
        layout: located.layout,
        folder: located.folder.clone(),
        ledger: Ledger { name: TABLE.into(), present: records_in(before, TABLE)?, rows: applied.len() as u64 },
        entries: Vec::new(),
        // The folder is looked through before the database is opened.
        setup: if incomplete.is_some() { Vec::new() } else { vec![CREATE.into()] },
        refusal: incomplete,
        decisions: located.decisions.clone(),
    };
    for (index, folder) in folders.iter().enumerate() {
        let twin = folders[..index].iter().rfind(|other| other.version == folder.version);
        let (migration, refused) = read(folder)?;
        let state = match twin {
            _ if applied.contains(&folder.version) => State::Applied,
            Some(twin) => State::Skipped { why: one_of_two(folder, twin) },
            None => State::Pending,
        };
        if let (Some(message), State::Pending) = (refused, &state) {
            let after = plan.pending().count();
            plan.refusal.get_or_insert_with(|| unreadable(folder, &message, after));
        }
        plan.entries.push(Entry { migration, state });
    }
    for version in applied.iter().filter(|version| folders.iter().all(|folder| folder.version != **version)) {
        let migration = Migration::without_file(version.clone(), PathBuf::new(), String::new());
        let place = folders.iter().take_while(|folder| folder.version < *version).count();
        plan.entries.insert(place.min(plan.entries.len()), Entry { migration, state: State::Missing });
    }
    Ok(plan)
}

fn read_ledger(before: &Connection) -> Result<BTreeSet<String>, Error> {
    if !records_in(before, TABLE)? {
        return Ok(BTreeSet::new());
    }
    let doing = || format!("reading the ledger `{TABLE}`");
    let mut select = before.prepare(&format!("SELECT version FROM {TABLE}")).doing(doing)?;
    let versions = select.query_map([], |row| row.get(0));
    versions.and_then(Iterator::collect).doing(doing)
}

/// The migration, and what diesel says of a file that it cannot run.
fn read(folder: &Folder) -> Result<(Migration, Option<String>), Error> {
    let unwrapped = !runs_in_transaction(&folder.file("metadata.toml"));
    let version = text_literal(&folder.version);
    let (mut migration, refused) = script(folder, "up.sql")?;
    migration.unwrapped = unwrapped;
    migration.record.within = vec![format!("INSERT INTO `{TABLE}` (`version`) VALUES ({version})")];
    if folder.file("down.sql").is_file() {
        let (mut down, _) = script(folder, "down.sql")?;
        down.unwrapped = unwrapped;
        down.record.within = vec![format!("DELETE FROM `{TABLE}` WHERE (`{TABLE}`.`version` = {version})")];
        migration.down = Some(Box::new(down));
    }
    Ok((migration, refused))
}

fn script(folder: &Folder, name: &str) -> Result<(Migration, Option<String>), Error> {
    let file = folder.file(name);
    if !file.exists() {
        return Ok((Migration::without_file(folder.name.clone(), PathBuf::new(), String::new()), None));
    }
    let bytes = crate::files::read(&file).doing(|| format!("reading `{}`", shown(&file)))?;
    let (sql, refused) = match String::from_utf8(bytes) {
        Ok(sql) if sql.is_empty() => (sql, Some("Attempted to run an empty migration.")),
        Ok(sql) => (sql, None),
        Err(_) => (String::new(), Some("stream did not contain valid UTF-8")),
    };
    let chunks = vec![Chunk::new(&sql, 1)];
    Ok((Migration::of(folder.name.clone(), file, sql, chunks), refused.map(Into::into)))
}

/// `run_in_transaction`: true without the file or with one that cannot be read, false with a file that does not set it.
fn runs_in_transaction(metadata: &Path) -> bool {
    let table = crate::files::read_utf8(metadata).ok().and_then(|text| text.parse::<Table>().ok());
    table.is_none_or(|table| match table.get("run_in_transaction") {
        Some(Value::Boolean(runs)) => *runs,
        other => other.is_some(),
    })
}

fn without_up(folder: &Folder) -> Refusal {
    Refusal {
        message: "Invalid migration directory: the directory's name should be <timestamp>_<name_of_migration>, and it should \
                  contain up.sql and optionally down.sql."
            .into(),
        help: format!("`{}` has no up.sql: write one, or take the folder away", shown(&folder.path)),
        after: 0,
    }
}

fn unreadable(folder: &Folder, message: &str, after: usize) -> Refusal {
    Refusal {
        message: format!("Failed to run {} with: {message}", folder.name),
        help: "write the statements into its up.sql, as UTF-8; a comment alone is enough".into(),
        after,
    }
}

fn one_of_two(folder: &Folder, twin: &Folder) -> String {
    let version = &folder.version;
    format!("`{}` has version `{version}` too; diesel runs one of them, and which one is not defined", twin.name)
}
