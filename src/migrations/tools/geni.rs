//! geni: `geni up` with SQLite.
//!
//! Source: geni 1.3.3, `lib/migrate.rs`, `lib/utils.rs`, `lib/database_drivers/sqlite.rs`, and libsql 0.9.30; measured with its command.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{Evidence, NO_ADDRESS, Tool, columns, entries};
use crate::error::{Doing, Error};
use crate::migrations::migration::{Chunk, Migration};
use crate::migrations::plan::{Entry, Ledger, Plan, Refusal, State};
use crate::migrations::project::Project;
use crate::migrations::{Located, Strength, shown};

/// The record of this tool.
pub const TOOL: Tool = Tool {
    name: "geni",
    looks_for: "<number>_<name>.up.sql",
    folders: |_| Ok(Vec::new()),
    recognises,
    layout: |_, _, _| Ok("files"),
    address: NO_ADDRESS,
    ledger: |_| TABLE,
    records_in,
    config_table: Some(|_| Ok(None)),
    config_columns: &[&["id"]],
    plan,
};

const TABLE: &str = "schema_migrations";
const UP: &str = ".up.sql";
const DOWN: &str = ".down.sql";

/// Files whose first line has one of these run outside of a transaction.
const MARKERS: [&str; 2] = ["transaction: no", "transaction:no"];
/// Statements that libsql refuses in a batch of its own transaction, as they are written.
const FORBIDDEN: [&str; 4] = ["BEGIN", "COMMIT", "ROLLBACK", "END"];

/// A file of the folder.
struct File {
    number: i64,
    path: PathBuf,
}

fn recognises(folder: &Path, _: &Project) -> Option<Evidence> {
    let first = resolve(folder, UP).ok()?.ok()?.into_iter().next()?;
    // golang-migrate and sqlx have the same names.
    Some(Evidence { strength: Strength::Possible, why: format!("{} is there", shown(&first.path)) })
}

fn records_in(before: &Connection, table: &str) -> Result<bool, Error> {
    Ok(columns(before, table)? == ["id"])
}

/// The files with this end by number, or how geni panics.
fn resolve(folder: &Path, end: &str) -> Result<Result<Vec<File>, Refusal>, Error> {
    let mut files = Vec::new();
    for (name, path) in entries(folder)?.into_iter().filter(|(name, _)| name.ends_with(end)) {
        let number = name.split_once('_').map(|(number, _)| number.parse::<i64>());
        match number {
            Some(Ok(number)) => files.push(File { number, path }),
            Some(Err(cause)) => {
                let message = format!("called `Result::unwrap()` on an `Err` value: {cause:?}");
                return Ok(Err(no_number(&name, message)));
            }
            None => return Ok(Err(no_number(&name, "called `Option::unwrap()` on a `None` value".into()))),
        }
    }
    files.sort_by_key(|file| file.number);
    Ok(Ok(files))
}

fn plan(located: &Located, before: &Connection) -> Result<Plan, Error> {
    let table = &located.table;
    let applied = read_ledger(before, table)?;
    let (files, unresolved) = match resolve(&located.folder, UP)? {
        Ok(files) if files.is_empty() => (files, Some(nothing(&located.folder))),
        Ok(files) => (files, None),
        Err(refusal) => (Vec::new(), Some(refusal)),
    };
    let down = resolve(&located.folder, DOWN)?.unwrap_or_default();
    let mut plan = Plan {
        tool: TOOL.name,
        layout: located.layout,
        folder: located.folder.clone(),
        ledger: Ledger { name: table.clone(), present: records_in(before, table)?, rows: applied.len() as u64 },
        entries: Vec::new(),
        setup: if unresolved.is_some() { Vec::new() } else { vec![create(table)] },
        refusal: unresolved,
        decisions: located.decisions.clone(),
    };
    for file in &files {
        let id = file.number.to_string();
        let (mut migration, refusal) = read(file, UP)?;
        migration.record.after = vec![format!("INSERT INTO {} (id) VALUES ('{id}')", quoted(table))];
        if let Some(undo) = down.iter().find(|undo| undo.number == file.number) {
            let (mut undo, _) = read(undo, DOWN)?;
            undo.record.after = vec![format!("DELETE FROM {} WHERE id = '{id}'", quoted(table))];
            migration.down = Some(Box::new(undo));
        }
        let state = if applied.contains(&id) { State::Applied } else { State::Pending };
        if let (Some(refusal), State::Pending) = (refusal, &state) {
            let after = plan.pending().count();
            plan.refusal.get_or_insert(Refusal { after, ..refusal });
        }
        plan.entries.push(Entry { migration, state });
    }
    for id in applied.iter().filter(|id| files.iter().all(|file| file.number.to_string() != **id)) {
        let migration = Migration::without_file(id.clone(), PathBuf::new(), String::new());
        let number = id.parse().unwrap_or(i64::MIN);
        let place = files.iter().take_while(|file| file.number < number).count();
        plan.entries.insert(place.min(plan.entries.len()), Entry { migration, state: State::Missing });
    }
    Ok(plan)
}

fn read_ledger(before: &Connection, table: &str) -> Result<Vec<String>, Error> {
    if !records_in(before, table)? {
        return Ok(Vec::new());
    }
    let doing = || format!("reading the ledger `{table}`");
    let sql = format!("SELECT id FROM {} WHERE typeof(id) = 'text' ORDER BY rowid", quoted(table));
    let mut select = before.prepare(&sql).doing(doing)?;
    let ids = select.query_map([], |row| row.get(0));
    ids.and_then(Iterator::collect).doing(doing)
}

/// The migration, and why geni stops when it comes to it.
fn read(file: &File, end: &str) -> Result<(Migration, Option<Refusal>), Error> {
    let file_name = file.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let bytes = crate::files::read(&file.path).doing(|| format!("reading `{}`", shown(&file.path)))?;
    let (sql, not_text) = match String::from_utf8(bytes) {
        Ok(sql) => (sql, None),
        Err(_) => (String::new(), Some(no_text(&file_name))),
    };
    let first_line = sql.split_once('\n').map_or("", |(line, _)| line);
    let unwrapped = MARKERS.iter().any(|marker| first_line.contains(marker));
    let chunks = vec![Chunk::new(&sql, 1)];
    let name = file_name.strip_suffix(end).unwrap_or(&file_name).to_owned();
    let migration = Migration { unwrapped, ..Migration::of(name, file.path.clone(), sql, chunks) };
    let forbidden = if unwrapped { None } else { own_transaction(&migration) };
    Ok((migration, not_text.or(forbidden)))
}

/// libsql runs the batch up to such a statement and rolls it back.
fn own_transaction(migration: &Migration) -> Option<Refusal> {
    let mut statements = migration.chunks.iter().flat_map(|chunk| &chunk.statements);
    let own = statements.find(|statement| FORBIDDEN.iter().any(|word| statement.sql.starts_with(word)))?;
    Some(Refusal {
        message: "Transactional batch error: Transactions forbidden inside transactional batch".into(),
        help: format!(
            "take the `{}` on line {} of `{}` out, or begin the file with the line `-- transaction: no`",
            own.sql.lines().next().unwrap_or_default(),
            own.line,
            migration.name
        ),
        after: 0,
    })
}

fn create(table: &str) -> String {
    format!("CREATE TABLE IF NOT EXISTS {} (id VARCHAR(255) PRIMARY KEY);", quoted(table))
}

/// As geni quotes it: each part between points.
fn quoted(table: &str) -> String {
    table.split('.').map(|part| format!("\"{part}\"")).collect::<Vec<_>>().join(".")
}

fn no_number(name: &str, message: String) -> Refusal {
    let help = format!("`{name}` must be `<number>_<name>`: geni panics over it, whatever else is in the folder");
    Refusal { message, help, after: 0 }
}

fn no_text(name: &str) -> Refusal {
    let message = "called `Result::unwrap()` on an `Err` value: Error { kind: InvalidData, message: \"stream did not contain \
                   valid UTF-8\" }";
    Refusal { message: message.into(), help: format!("write `{name}` as UTF-8: geni panics over it"), after: 0 }
}

fn nothing(folder: &Path) -> Refusal {
    Refusal {
        message: format!("Didn't find any files ending with .up.sql at {}. Does the path exist?", shown(folder)),
        help: "say which folder it is: `--migrations DIR`".into(),
        after: 0,
    }
}
