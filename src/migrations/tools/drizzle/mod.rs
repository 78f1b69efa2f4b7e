//! Drizzle: `migrate()` of drizzle-orm, which `drizzle-kit migrate` calls too.
//!
//! Two generations with different rules: [`v0`] (drizzle-orm below 1.0, a journal and a high-water mark) and [`v1`]
//! (1.0, a folder for each migration and the set of their names). Source: drizzle-orm 0.45.4 and 1.0.0-rc.5.

pub(crate) mod code;
mod v0;
mod v1;

use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, Error as SqliteError};

pub(crate) use self::v0::journal;
use super::{Evidence, NO_ADDRESS, Tool, has_table, javascript};
use crate::error::{Doing, Error};
use crate::migrations::migration::Migration;
use crate::migrations::plan::{Decision, Entry, Ledger, Plan, Refusal, State};
use crate::migrations::project::{DrizzleConfig, Found, Package, Project, Setting};
use crate::migrations::tools::GIVE_FOLDER;
use crate::migrations::{Located, Strength, shown};

/// The record of this tool.
pub const TOOL: Tool = Tool {
    name: "drizzle",
    looks_for: "meta/_journal.json or folders with migration.sql",
    folders,
    recognises,
    layout,
    address: NO_ADDRESS,
    ledger: |_| "__drizzle_migrations",
    records_in,
    config_table: Some(config_table),
    config_columns: &[&["id", "hash", "created_at"], &["id", "hash", "created_at", "name", "applied_at"]],
    plan,
};

/// The token at which drizzle cuts a file. It stands at the end of a statement's line; nothing is trimmed.
pub(super) const BREAKPOINT: &str = "--> statement-breakpoint";
const V0: &str = "v0 (journal)";
const V1: &str = "v1 (folders)";

/// What `drizzle.config.*` says, and the `migrationsFolder` of each call of `migrate()`, each folder once; those of other databases
/// left out.
fn folders(project: &Project) -> Result<Vec<(PathBuf, String)>, Error> {
    let mut folders: Vec<(PathBuf, String)> = configured(project)?.into_iter().collect();
    for Found { value, file, line } in &project.migrate_folders {
        let folder = project.root.join(value);
        let is_it = |(known, _): &(PathBuf, String)| known.canonicalize().ok() == folder.canonicalize().ok();
        let journal = v0::journal_path(&folder);
        let is_of_another = journal.is_file() && !v0::is_for_sqlite(&journal);
        if folder.is_dir() && !is_of_another && !folders.iter().any(is_it) {
            folders.push((folder, format!("`migrationsFolder` in {}:{line}", shown(file))));
        }
    }
    Ok(folders)
}

fn configured(project: &Project) -> Result<Option<(PathBuf, String)>, Error> {
    let Some(config) = agreed_config(project)? else { return Ok(None) };
    let file = shown(&config.file);
    let why = match &config.out {
        Setting::Text(_) => format!("`out` in {file}"),
        Setting::Absent => format!("default of `out`, which {file} does not set"),
        Setting::Computed { line } => {
            let cause = format!("`out` in {file}:{line} is computed, and no JavaScript is run");
            return Err(Error::usage("finding the migrations folder", cause).hint(GIVE_FOLDER));
        }
    };
    Ok(Some((config.out_folder(), why)))
}

/// The one configuration, or the first of several that say the same.
fn agreed_config(project: &Project) -> Result<Option<&DrizzleConfig>, Error> {
    let Some(first) = project.configs.first() else { return Ok(None) };
    if project.configs.iter().all(|other| other.agrees_with(first)) {
        return Ok(Some(first));
    }
    let names: Vec<_> = project.configs.iter().map(|config| format!("`{}`", shown(&config.file))).collect();
    let cause = format!("{} disagree about `out` or `migrations.table`", names.join(" and "));
    Err(Error::usage("finding the migrations folder", cause).hint(GIVE_FOLDER))
}

fn recognises(folder: &Path, project: &Project) -> Option<Evidence> {
    if let Some(config) = project.configs.iter().find(|config| config.names(folder)) {
        return Some(Evidence { strength: Strength::Named, why: format!("{} names the folder", shown(&config.file)) });
    }
    let journal = v0::journal_path(folder);
    let found = if journal.is_file() {
        journal
    } else if folder.join("migration_lock.toml").is_file() {
        return None;
    } else {
        folder.join(v1::names(folder).ok()?.into_iter().next()?).join(v1::FILE)
    };
    Some(Evidence { strength: Strength::Layout, why: format!("{} is there", shown(&found)) })
}

fn records_in(before: &Connection, table: &str) -> Result<bool, Error> {
    let columns = super::columns(before, table)?;
    Ok(columns.starts_with(&["id", "hash", "created_at"].map(String::from)))
}

/// The generation whose rules hold: by the version of drizzle-orm, or by what lies in the folder where no version is
/// known. A version that contradicts the folder holds all the same: then drizzle-orm itself refuses.
fn layout(folder: &Path, project: &Project, decisions: &mut Vec<Decision>) -> Result<&'static str, Error> {
    let journal = v0::journal_path(folder);
    if journal.is_file() && !v0::is_for_sqlite(&journal) {
        return Err(Error::cannot(format!("reading `{}`", shown(&journal)), "its `dialect` is not SQLite"));
    }
    let version = if is_below(folder, &project.root) { by_version(project) } else { None };
    let (generation, why) = version.unwrap_or_else(|| by_folder(folder, project));
    decisions.push(Decision { what: "layout", value: generation.into(), why });
    Ok(generation)
}

/// Whether the project that was found is the one that the folder belongs to; another project's version says nothing about it.
fn is_below(folder: &Path, root: &Path) -> bool {
    // The empty path is the working directory.
    match (Path::new(".").join(folder).canonicalize(), Path::new(".").join(root).canonicalize()) {
        (Ok(folder), Ok(root)) => folder.starts_with(root),
        _ => false,
    }
}

fn by_version(project: &Project) -> Option<(&'static str, String)> {
    let (version, from) = project.packages.get("drizzle-orm").and_then(Package::version)?;
    let why = format!("drizzle-orm {version} in {from}");
    match Generation::of(version) {
        Generation::V0 => Some((V0, why)),
        Generation::V1 => Some((V1, why)),
        Generation::Unknown => None,
    }
}

fn by_folder(folder: &Path, project: &Project) -> (&'static str, String) {
    let version = project.packages.get("drizzle-orm").and_then(Package::version);
    let unknown = match version {
        Some((version, from)) => format!("the rules of drizzle-orm {version} in {from} are not known exactly"),
        None => "the version of drizzle-orm is not known".to_owned(),
    };
    let folders = v1::names(folder).is_ok_and(|names| !names.is_empty());
    match (v0::journal_path(folder).is_file(), folders) {
        (true, _) => (V0, format!("meta/_journal.json is there; {unknown}")),
        (false, true) => (V1, format!("there are folders with migration.sql; {unknown}")),
        (false, false) => (V0, unknown),
    }
}

/// Which rules a version of drizzle-orm has.
#[derive(Debug, PartialEq, Eq)]
enum Generation {
    V0,
    V1,
    /// A tag such as `latest`, a choice of several ranges, or one of the betas before 16, whose rules changed often.
    Unknown,
}

impl Generation {
    fn of(version: &str) -> Self {
        let version = version.trim_start_matches(['^', '~', '>', '=', 'v', ' ']);
        let (core, suffix) = version.split_once('-').unwrap_or((version, ""));
        let beta =
            suffix.strip_prefix("beta.").and_then(|rest| rest.split(['-', '.', ' ']).next()?.parse::<u32>().ok());
        let major = core.split('.').next().and_then(|major| major.parse::<u32>().ok());
        match (major, beta) {
            _ if version.contains("||") => Self::Unknown,
            (Some(0), _) => Self::V0,
            (Some(1..), None | Some(16..)) => Self::V1,
            _ => Self::Unknown,
        }
    }
}

/// `migrations.table` of the configuration, or `migrationsTable` of a call of `migrate()`.
fn config_table(project: &Project) -> Result<Option<(String, String)>, Error> {
    let doing = "finding the ledger's table";
    let hint = "say which table it is: `--ledger-table NAME`";
    if let Some(config) = &project.config {
        let file = shown(&config.file);
        match &config.table {
            Setting::Text(table) => return Ok(Some((table.clone(), format!("`migrations.table` in {file}")))),
            Setting::Computed { line } => {
                let cause = format!("`migrations.table` in {file}:{line} is computed, and no JavaScript is run");
                return Err(Error::usage(doing, cause).hint(hint));
            }
            Setting::Absent => {}
        }
    }
    let Some(first) = project.migrate_tables.first() else { return Ok(None) };
    if let Some(other) = project.migrate_tables.iter().find(|call| call.value != first.value) {
        let place = |call: &Found| format!("`{}` in {}:{}", call.value, shown(&call.file), call.line);
        return Err(
            Error::usage(doing, format!("`migrationsTable` is {} and {}", place(first), place(other))).hint(hint)
        );
    }
    Ok(Some((first.value.clone(), format!("`migrationsTable` in {}:{}", shown(&first.file), first.line))))
}

fn plan(located: &Located, before: &Connection) -> Result<Plan, Error> {
    let ledger = read_ledger(located, before)?;
    let mut plan = Plan {
        tool: TOOL.name,
        layout: located.layout,
        folder: located.folder.clone(),
        ledger: Ledger { name: located.table.clone(), present: ledger.present, rows: ledger.rows.len() as u64 },
        entries: Vec::new(),
        setup: Vec::new(),
        refusal: None,
        decisions: located.decisions.clone(),
    };
    if !ledger.present && has_table(before, "d1_migrations")? {
        plan.decisions.push(Decision {
            what: "ledger",
            value: "`d1_migrations` is not read".into(),
            why: format!(
                "the snapshot has wrangler's table and no `{}`; drizzle's migrate() does not know it",
                located.table
            ),
        });
    }
    if located.layout == V1 {
        v1::fill(&mut plan, &ledger)?;
    } else {
        v0::fill(&mut plan, &ledger)?;
    }
    if let Some(message) = &ledger.unreadable {
        plan.refusal.get_or_insert_with(|| Refusal {
            message: message.clone(),
            help: format!("`{}` is not a table that drizzle made; `--ledger-table` names another", located.table),
            after: 0,
        });
    }
    if plan.refusal.is_some() {
        plan.setup.clear();
    }
    Ok(plan)
}

/// The ledger of the snapshot.
#[derive(Debug, Default)]
struct Recorded {
    present: bool,
    /// The table has the columns of v1; what decides is `name`.
    has_name: bool,
    /// In the order in which v0's rows are matched by the upgrade: by `id`.
    rows: Vec<Row>,
    /// `created_at` of the row that v0's migrator takes for the newest.
    newest: Option<Value>,
    /// What SQLite says when drizzle reads a table that is not its own.
    unreadable: Option<String>,
}

#[derive(Debug)]
struct Row {
    id: Value,
    hash: String,
    created_at: Value,
    name: Option<String>,
}

fn read_ledger(located: &Located, before: &Connection) -> Result<Recorded, Error> {
    let table = &located.table;
    if !has_table(before, table)? {
        return Ok(Recorded::default());
    }
    let doing = || format!("reading the ledger `{table}`");
    let mut ledger =
        Recorded { present: true, has_name: has_name_column(before, table).doing(doing)?, ..Recorded::default() };
    match read_rows(before, table, ledger.has_name) {
        Ok((rows, newest)) => (ledger.rows, ledger.newest) = (rows, newest),
        Err(SqliteError::SqlInputError { msg, .. }) => ledger.unreadable = Some(msg),
        Err(cause) => return Err(Error::cannot(doing(), cause)),
    }
    Ok(ledger)
}

fn has_name_column(before: &Connection, table: &str) -> rusqlite::Result<bool> {
    before.query_row("SELECT count(*) FROM pragma_table_info(?1) WHERE name = 'name'", [table], |row| row.get(0))
}

fn read_rows(before: &Connection, table: &str, has_name: bool) -> rusqlite::Result<(Vec<Row>, Option<Value>)> {
    let table = super::identifier(table);
    let name = if has_name { "name" } else { "NULL" };
    // The very queries of drizzle, so that ties fall as they do there.
    let mut select = before.prepare(&format!("SELECT id, hash, created_at, {name} FROM {table} ORDER BY id ASC"))?;
    let rows = select.query_map([], |row| {
        let text = |value: Value| if value == Value::Null { None } else { Some(javascript::string(&value)) };
        Ok(Row {
            id: row.get(0)?,
            hash: text(row.get(1)?).unwrap_or_default(),
            created_at: row.get(2)?,
            name: text(row.get(3)?),
        })
    })?;
    let rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut newest =
        before.prepare(&format!("SELECT id, hash, created_at FROM {table} ORDER BY created_at DESC LIMIT 1"))?;
    let newest = newest.query_map([], |row| row.get(2))?.next().transpose()?;
    Ok((rows, newest))
}

/// An applied migration: edited where the ledger has another checksum. Bundled drivers (expo, op-sqlite, Durable
/// Objects) record none.
fn applied(migration: &Migration, recorded: &str) -> State {
    if recorded.is_empty() || recorded == migration.checksum {
        State::Applied
    } else {
        State::Edited { recorded: recorded.into() }
    }
}

/// What the ledger records and no file holds.
fn missing(row: &Row) -> Entry {
    let name = row.name.clone().unwrap_or_else(|| row.hash.clone());
    Entry { migration: Migration::without_file(name, "".into(), row.hash.clone()), state: State::Missing }
}

#[cfg(test)]
mod tests {
    use super::{Generation, javascript};

    #[test]
    fn generations() {
        for (version, generation) in [
            ("0.45.4", Generation::V0),
            ("^0.29.0", Generation::V0),
            ("0.44.6-c53ab8f", Generation::V0),
            ("1.0.0", Generation::V1),
            ("1.0.0-rc.5", Generation::V1),
            ("1.0.0-beta.16-ea816b6", Generation::V1),
            ("1.0.0-beta.15-859cf75", Generation::Unknown),
            ("1.0.0-beta.9", Generation::Unknown),
            ("latest", Generation::Unknown),
            ("*", Generation::Unknown),
            ("^0.40.0 || ^1.0.0", Generation::Unknown),
        ] {
            assert_eq!(Generation::of(version), generation, "{version}");
        }
    }

    #[test]
    fn numbers_as_javascript_reads_and_writes_them() {
        for (text, number) in [("", 0.0), (" 12 ", 12.0), ("0x10", 16.0), ("1e3", 1000.0), ("-.5", -0.5), ("+7", 7.0)] {
            assert_eq!(javascript::number_of_text(text).to_bits(), f64::to_bits(number), "{text}");
        }
        for text in ["abc", "nan", "inf", "1 2", "1_000", "infinity", "-"] {
            assert!(javascript::number_of_text(text).is_nan(), "{text}");
        }
        for (number, text) in [
            (1_795_373_790_226.0, "1795373790226"),
            (1.5, "1.5"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (1.25e300, "1.25e+300"),
            (1e-7, "1e-7"),
            (0.000_001, "0.000001"),
            (-0.0, "0"),
        ] {
            assert_eq!(javascript::string_of_number(number), text);
        }
    }

    #[test]
    fn times_of_folders() {
        for (name, millis) in [
            ("20261122183544_name", "1795372544000"),
            ("20250101000000_init", "1735689600000"),
            ("20251301000000_thirteenth_month", "1767225600000"),
            ("20240230250000_no_such_day", "1709341200000"),
            ("init", "NaN"),
            ("0000_init", "NaN"),
        ] {
            assert_eq!(javascript::string_of_number(javascript::folder_millis(name)), millis, "{name}");
        }
        assert_eq!(javascript::shown_time(1_795_372_544_000.0), "1795372544000 (2026-11-22T18:35:44.000Z)");
    }

    /// The order is that of Node.js 20 with ICU 78.
    #[test]
    fn names_in_the_order_of_locale_compare() {
        let ordered = [
            "_a",
            "-a",
            "1a",
            "20250101000000_a",
            "20250101000000_A",
            "20250101000000_b",
            "20250101000000_B",
            "a",
            "a b",
            "a_",
            "a__b",
            "a_b",
            "a-b",
            "a.b",
            "a1",
            "a10",
            "a2",
            "ab",
            "aB",
            "e",
            "E",
            "f",
        ];
        for (place, a) in ordered.iter().enumerate() {
            for (other, b) in ordered.iter().enumerate() {
                assert_eq!(javascript::locale_compare(a, b), place.cmp(&other), "{a} {b}");
            }
        }
    }
}
