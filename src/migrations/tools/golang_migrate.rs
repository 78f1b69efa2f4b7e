//! golang-migrate: `migrate up` and `Migrate.Up`. Its ledger is one row, the current version; what is lower never runs.
//!
//! Source: golang-migrate 4.19.1, `migrate.go`, `source/parse.go`, `source/migration.go`, `source/iofs` and `database/sqlite3`,
//! of which `database/sqlite` differs in the driver alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::go::note_foreign_keys;
use super::{Evidence, NO_ADDRESS, Tool, columns, entries, has_table, identifier};
use crate::error::{Doing, Error};
use crate::migrations::migration::Migration;
use crate::migrations::plan::{Entry, Ledger, Plan, Refusal, State};
use crate::migrations::project::Project;
use crate::migrations::statement::Action;
use crate::migrations::{Located, Strength, shown};

/// The record of this tool.
pub const TOOL: Tool = Tool {
    name: "golang-migrate",
    looks_for: "<number>_<name>.up.sql",
    folders: |_| Ok(Vec::new()),
    recognises,
    layout: |_, project, decisions| {
        note_foreign_keys(project, decisions);
        Ok("")
    },
    address: NO_ADDRESS,
    ledger: |_| "schema_migrations",
    records_in,
    config_table: Some(|_| Ok(None)),
    config_columns: &[&["version", "dirty"]],
    plan,
};

/// Its module, without the major version.
const MODULE: &str = "github.com/golang-migrate/migrate";

/// What there is for a version: a file for each way, or for one of them.
#[derive(Debug, Default)]
struct Step {
    up: Option<PathBuf>,
    down: Option<PathBuf>,
}

impl Step {
    /// The file that names it.
    fn file(&self) -> PathBuf {
        self.up.clone().or_else(|| self.down.clone()).unwrap_or_default()
    }

    /// The name of the file without `.up.sql`.
    fn name(&self) -> String {
        let file = self.file();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let end = name.rfind(".up.").max(name.rfind(".down.")).unwrap_or(name.len());
        name[..end].to_owned()
    }
}

fn recognises(folder: &Path, project: &Project) -> Option<Evidence> {
    let up = collect(folder).ok()?.steps.into_values().find_map(|step| step.up)?;
    let there = format!("{} is there", shown(&up));
    let module = project.modules.iter().find(|(path, _)| path.strip_prefix(MODULE).is_some_and(is_major));
    Some(match module {
        Some((path, version)) => {
            Evidence { strength: Strength::Layout, why: format!("{there}, and go.mod requires {path} {version}") }
        }
        None => Evidence { strength: Strength::Possible, why: there },
    })
}

fn is_major(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with("/v")
}

/// Others have a table of this name, with other columns.
fn records_in(before: &Connection, table: &str) -> Result<bool, Error> {
    Ok(columns(before, table)? == ["version", "dirty"])
}

/// The files of a folder, and why golang-migrate refuses it.
struct Collected {
    steps: BTreeMap<u64, Step>,
    refusal: Option<Refusal>,
}

fn collect(folder: &Path) -> Result<Collected, Error> {
    let mut collected = Collected { steps: BTreeMap::new(), refusal: None };
    for (name, path) in entries(folder)? {
        let Some((version, is_up)) = parse(&name).filter(|_| !path.is_dir()) else { continue };
        let step = collected.steps.entry(version).or_default();
        let place = if is_up { &mut step.up } else { &mut step.down };
        if place.is_some() {
            let message = format!("duplicate migration file: {name}");
            let help = format!("give `{name}` a number of its own");
            collected.refusal.get_or_insert(Refusal { message, help, after: 0 });
        } else {
            *place = Some(path);
        }
    }
    Ok(collected)
}

/// `^([0-9]+)_(.*)\.(down|up)\.(.*)$`: the number, and whether it is the way up. Numbers beyond 64 bits are left out.
fn parse(name: &str) -> Option<(u64, bool)> {
    let end = name.find(|c: char| !c.is_ascii_digit())?;
    let rest = name[end..].strip_prefix('_')?;
    let (up, down) = (rest.rfind(".up."), rest.rfind(".down."));
    up.or(down)?;
    name[..end].parse().ok().map(|version| (version, up > down))
}

fn plan(located: &Located, before: &Connection) -> Result<Plan, Error> {
    let table = &located.table;
    let present = records_in(before, table)?;
    let row = if present { read_ledger(before, table)? } else { None };
    let Collected { steps, refusal: uncollected } = collect(&located.folder)?;
    let setup = if uncollected.is_some() { Vec::new() } else { create(table) };
    let current = row.map(|(version, _)| version);
    let mut plan = Plan {
        tool: TOOL.name,
        layout: located.layout,
        folder: located.folder.clone(),
        ledger: Ledger { name: table.clone(), present, rows: u64::from(row.is_some()) },
        entries: Vec::new(),
        setup,
        refusal: uncollected
            .or_else(|| row.filter(|(_, dirty)| *dirty).map(|(version, _)| dirty(version)))
            .or_else(|| current.filter(|version| is_gone(*version, &steps)).map(gone))
            .or_else(|| steps.is_empty().then(nothing_there))
            .or_else(|| steps.keys().next_back().and_then(|version| too_large(*version))),
        decisions: located.decisions.clone(),
    };
    let mut previous = None;
    for (version, step) in &steps {
        let state = if current.is_some_and(|current| i128::from(*version) <= i128::from(current)) {
            State::Applied
        } else {
            State::Pending
        };
        plan.entries.push(Entry { migration: read(*version, step, previous, table)?, state });
        previous = Some(*version);
    }
    if let Some(current) = current {
        skip_what_never_ran(&mut plan, current, before)?;
        if is_gone(current, &steps) {
            let place = steps.keys().filter(|version| i128::from(**version) < i128::from(current)).count();
            let migration = Migration::without_file(current.to_string(), PathBuf::new(), String::new());
            plan.entries.insert(place, Entry { migration, state: State::Missing });
        }
    }
    Ok(plan)
}

/// The current version and whether it is dirty. Version -1 is none.
fn read_ledger(before: &Connection, table: &str) -> Result<Option<(i64, bool)>, Error> {
    let doing = || format!("reading the ledger `{table}`");
    let sql = format!("SELECT version, CAST(dirty AS INTEGER) FROM {} LIMIT 1", identifier(table));
    let row = before.query_row(&sql, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)? != 0)));
    let row = row.optional().doing(doing)?;
    Ok(row.filter(|(version, dirty)| *version != -1 || *dirty))
}

fn is_gone(current: i64, steps: &BTreeMap<u64, Step>) -> bool {
    u64::try_from(current).is_ok_and(|current| !steps.contains_key(&current))
}

fn read(version: u64, step: &Step, previous: Option<u64>, table: &str) -> Result<Migration, Error> {
    let of = |file: &Path| {
        Migration::read(step.name(), file.to_path_buf(), None).doing(|| format!("reading `{}`", shown(file)))
    };
    let mut migration = match &step.up {
        Some(file) => of(file)?,
        None => Migration::without_file(step.name(), step.file(), String::new()),
    };
    migration.record.before = set_version(table, Some(version), true);
    migration.record.after = set_version(table, Some(version), false);
    if let Some(file) = &step.down {
        let mut undo = of(file)?;
        undo.record.before = set_version(table, previous, true);
        undo.record.after = set_version(table, previous, false);
        migration.down = Some(Box::new(undo));
    }
    Ok(migration)
}

/// Each time in a transaction of its own. Without a version there is a row only while it is dirty.
fn set_version(table: &str, version: Option<u64>, dirty: bool) -> Vec<String> {
    let insert =
        |version: i128| format!("INSERT INTO {table} (version, dirty) VALUES ({version}, {})", u8::from(dirty));
    let mut sql = vec!["BEGIN".to_owned(), format!("DELETE FROM {table}")];
    match version {
        Some(version) => sql.push(insert(version.into())),
        None if dirty => sql.push(insert(-1)),
        None => {}
    }
    sql.push("COMMIT".to_owned());
    sql
}

/// The index has the same name whatever the table is called. Both texts are golang-migrate's, because SQLite keeps them.
fn create(table: &str) -> Vec<String> {
    vec![
        format!("CREATE TABLE IF NOT EXISTS {table} (version uint64,dirty bool)"),
        format!("CREATE UNIQUE INDEX IF NOT EXISTS version_unique ON {table} (version)"),
    ]
}

/// The ledger does not say which of the lower versions ran. One whose table is not there and that no later file took away did not.
fn skip_what_never_ran(plan: &mut Plan, current: i64, before: &Connection) -> Result<(), Error> {
    for index in 0..plan.entries.len() {
        let (earlier, later) = plan.entries.split_at_mut(index + 1);
        let entry = &mut earlier[index];
        if entry.state != State::Applied {
            break;
        }
        for table in tables_made(&entry.migration) {
            let taken_away = std::iter::once(&entry.migration)
                .chain(later.iter().map(|later| &later.migration))
                .any(|migration| takes_away(migration, &table));
            if !taken_away && !has_table(before, &table)? {
                let why = format!(
                    "the current version is {current}, only higher ones run, and `{table}`, which it makes, is not in the snapshot"
                );
                entry.state = State::Skipped { why };
                break;
            }
        }
    }
    Ok(())
}

fn actions(migration: &Migration) -> impl Iterator<Item = &Action> {
    migration.chunks.iter().flat_map(|chunk| &chunk.statements).map(|statement| &statement.action)
}

fn tables_made(migration: &Migration) -> Vec<String> {
    let statements = migration.chunks.iter().flat_map(|chunk| &chunk.statements);
    let lasting = statements.filter(|statement| !statement.is_temporary());
    let made = lasting.filter_map(|statement| match &statement.action {
        Action::CreateTable { table, .. } => Some(table.clone()),
        _ => None,
    });
    made.collect()
}

fn takes_away(migration: &Migration, table: &str) -> bool {
    actions(migration).any(|action| match action {
        Action::DropTable { table: other } | Action::RenameTable { table: other, .. } => {
            other.eq_ignore_ascii_case(table)
        }
        _ => action.is_opaque(),
    })
}

fn dirty(version: i64) -> Refusal {
    Refusal {
        message: format!("Dirty database version {version}. Fix and force version."),
        help: format!(
            "version {version} failed halfway in production: finish or undo it by hand, then `migrate force` the version that \
             the database has"
        ),
        after: 0,
    }
}

fn gone(version: i64) -> Refusal {
    Refusal {
        message: format!(
            "no migration found for version {version}: read down for version {version} .: file does not exist"
        ),
        help: "bring the file of that version back".into(),
        after: 0,
    }
}

fn nothing_there() -> Refusal {
    Refusal {
        message: "first .: file does not exist".into(),
        help: "say which folder it is: `--migrations DIR`".into(),
        after: 0,
    }
}

/// Versions are read as unsigned numbers and kept as signed ones.
fn too_large(version: u64) -> Option<Refusal> {
    let signed = version.cast_signed();
    (signed < 0).then(|| Refusal {
        message: format!("suint({signed}) expects input >= 0"),
        help: format!("give {version} a number below {}: golang-migrate panics on it", i64::MAX),
        after: 0,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn names_are_read_as_its_expression_reads_them() {
        for (name, expected) in [
            ("1_init.up.sql", Some((1, true))),
            ("0002_x.down.sql", Some((2, false))),
            ("3_.up.", Some((3, true))),
            ("4_a.down.b.up.sql", Some((4, true))),
            ("5_a.up.down.sql", Some((5, false))),
            ("18446744073709551615_x.up.sql", Some((u64::MAX, true))),
            ("18446744073709551616_x.up.sql", None),
            ("6.up.sql", None),
            ("a_x.up.sql", None),
            ("7_x.sql", None),
            ("8_x.up", None),
        ] {
            assert_eq!(parse(name), expected, "{name}");
        }
    }
}
