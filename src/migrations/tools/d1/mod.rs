//! Cloudflare D1: `wrangler d1 migrations apply`, also of folders that drizzle-kit or Prisma writes.
//!
//! Source: wrangler 4.86.0 (`d1/migrations`, `d1/splitter.ts`, `d1/trimmer.ts`), measured with `--local`; for `migrations_pattern`
//! workers-sdk of August 2026. The service splits what it is sent by itself; that is not known to differ.

mod config;
mod splitter;

use std::cmp::Ordering;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use self::config::Database;
use super::{Evidence, NO_ADDRESS, Tool, columns, entries, identifier, text_literal};
use crate::error::{Doing, Error};
use crate::files::read_text;
use crate::migrations::migration::{Chunk, Migration};
use crate::migrations::plan::{Decision, Entry, Ledger, Plan, Refusal, State};
use crate::migrations::project::Project;
use crate::migrations::statement::Statement;
use crate::migrations::{Located, Strength, shown};

/// The record of this tool.
pub const TOOL: Tool = Tool {
    name: "d1",
    looks_for: "*.sql files that wrangler.toml or wrangler.jsonc names",
    folders,
    recognises,
    layout: |folder, project, decisions| Ok(layout(folder, project, decisions)),
    address: NO_ADDRESS,
    ledger: |_| "d1_migrations",
    records_in,
    config_table: Some(config_table),
    config_columns: &[&["id", "name", "applied_at"]],
    plan,
};

const FILES: &str = "files";
const FOLDERS: &str = "a folder for each migration";

/// A file and what the ledger calls it: its path in the folder.
struct File {
    name: String,
    path: PathBuf,
}

fn folders(project: &Project) -> Result<Vec<(PathBuf, String)>, Error> {
    let databases = config::databases(project)?;
    let folders = databases.iter().map(|database| (database.folder(project), database.evidence("migrations_dir")));
    let mut folders: Vec<_> = folders.filter(|(folder, _)| folder.is_dir()).collect();
    folders.dedup_by(|one, other| one.0 == other.0);
    Ok(folders)
}

fn recognises(folder: &Path, project: &Project) -> Option<Evidence> {
    let named = |database: &&Database| shown(&database.folder(project)) == shown(folder);
    if let Some(database) = config::databases(project).ok()?.iter().find(named) {
        return Some(Evidence { strength: Strength::Named, why: database.evidence("migrations_dir") });
    }
    let file = in_folder(folder, FILES).ok()?.into_iter().next()?;
    Some(Evidence { strength: Strength::Possible, why: format!("{} is there", shown(&file.path)) })
}

/// By `migrations_pattern`; without one the files of the folder itself.
fn layout(folder: &Path, project: &Project, decisions: &mut Vec<Decision>) -> &'static str {
    let databases = config::databases(project).unwrap_or_default();
    let of_folder = databases.iter().find(|database| shown(&database.folder(project)) == shown(folder));
    let pattern = of_folder.and_then(|database| Some((database.pattern.as_ref()?, database)));
    let (layout, why) = match pattern {
        Some((pattern, database)) if pattern.ends_with("/*/migration.sql") => {
            (FOLDERS, database.evidence("migrations_pattern"))
        }
        Some((_, database)) => (FILES, database.evidence("migrations_pattern")),
        None => (FILES, "no `migrations_pattern` says otherwise".to_owned()),
    };
    decisions.push(Decision { what: "layout", value: layout.into(), why });
    layout
}

fn records_in(before: &Connection, table: &str) -> Result<bool, Error> {
    Ok(columns(before, table)? == ["id", "name", "applied_at"])
}

fn config_table(project: &Project) -> Result<Option<(String, String)>, Error> {
    let databases = config::databases(project)?;
    let named = databases.iter().find_map(|one| Some((one.table.clone()?, one.evidence("migrations_table"))));
    Ok(named)
}

fn in_folder(folder: &Path, layout: &str) -> Result<Vec<File>, Error> {
    let mut files = Vec::new();
    for (name, path) in entries(folder)? {
        if layout == FOLDERS {
            let path = path.join("migration.sql");
            if path.is_file() {
                files.push(File { name: format!("{name}/migration.sql"), path });
            }
        } else if name.as_bytes().ends_with(b".sql") {
            files.push(File { name, path });
        }
    }
    files.sort_by(|one, other| in_order(&one.name, &other.name));
    Ok(files)
}

/// Segment by segment: by the number before the first `_`, what has none after what has one, then by name.
fn in_order(one: &str, other: &str) -> Ordering {
    let number = |segment: &str| {
        let digits = segment.split('_').next().unwrap_or_default();
        let end = digits.find(|character: char| !character.is_ascii_digit()).unwrap_or(digits.len());
        digits[..end].parse::<u128>().ok()
    };
    let segments = one.split('/').zip(other.split('/')).map(|(one, other)| {
        match (number(one), number(other)) {
            (Some(one), Some(other)) => one.cmp(&other),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        }
        .then_with(|| one.cmp(other))
    });
    segments.fold(Ordering::Equal, Ordering::then).then_with(|| one.cmp(other))
}

fn plan(located: &Located, before: &Connection) -> Result<Plan, Error> {
    let table = &located.table;
    let recorded = read_ledger(before, table)?;
    let mut plan = Plan {
        tool: TOOL.name,
        layout: located.layout,
        folder: located.folder.clone(),
        ledger: Ledger { name: table.clone(), present: records_in(before, table)?, rows: recorded.len() as u64 },
        entries: Vec::new(),
        setup: vec![create(table)],
        refusal: None,
        decisions: located.decisions.clone(),
    };
    for file in in_folder(&located.folder, located.layout)? {
        let state = if recorded.contains(&file.name) { State::Applied } else { State::Pending };
        let pending = plan.pending().count();
        let migration = read(&file, table)?;
        if state == State::Pending && migration.is_none() {
            plan.refusal.get_or_insert_with(|| several_transactions(&file.name, pending));
        }
        let migration = migration.unwrap_or_else(|| Migration::without_file(file.name, file.path, String::new()));
        plan.entries.push(Entry { migration, state });
    }
    for name in recorded {
        if plan.entries.iter().all(|entry| entry.migration.name != name) {
            let place = plan.entries.iter().position(|entry| in_order(&entry.migration.name, &name).is_gt());
            let migration = Migration::without_file(name, PathBuf::new(), String::new());
            let place = place.unwrap_or(plan.entries.len());
            plan.entries.insert(place, Entry { migration, state: State::Missing });
        }
    }
    Ok(plan)
}

fn read_ledger(before: &Connection, table: &str) -> Result<Vec<String>, Error> {
    if columns(before, table)?.is_empty() {
        return Ok(Vec::new());
    }
    let doing = || format!("reading the ledger `{table}`");
    let mut select = before.prepare(&format!("SELECT name FROM {} ORDER BY id", identifier(table))).doing(doing)?;
    let names = select.query_map([], |row| row.get(0)).doing(doing)?;
    names.collect::<rusqlite::Result<_>>().doing(doing)
}

/// None where wrangler does not take the file, because it holds several transactions.
fn read(file: &File, table: &str) -> Result<Option<Migration>, Error> {
    let sql = read_text(&file.path).doing(|| format!("reading `{}`", shown(&file.path)))?;
    let record = format!("INSERT INTO {} (name)\nvalues ({});", identifier(table), text_literal(&file.name));
    let Some(mut migration) = sent(file.name.clone(), file.path.clone(), sql, &record) else { return Ok(None) };
    // Where the file's last statement has no semicolon the record is a part of it, and fails with it.
    let bare = record.trim_end_matches(';');
    if migration.chunks.last().is_some_and(|chunk| chunk.sql.trim_end_matches(';') == bare) {
        migration.chunks.pop();
        migration.record.within.push(bare.to_owned());
    }
    Ok(Some(migration))
}

/// A text as it is sent with what is written behind it.
fn sent(name: String, path: PathBuf, sql: String, record: &str) -> Option<Migration> {
    let text = splitter::without_transaction(&format!("{sql}\n{record}"))?;
    let pieces = splitter::split(&text);
    let original = pieces.iter().map(|piece| Chunk::new(&text[piece.range.clone()], piece.line));
    let mut migration = Migration::of(name, path, sql, original.collect());
    for (chunk, piece) in migration.chunks.iter_mut().zip(pieces) {
        chunk.sql = piece.sql;
        // Without its comments, as SQLite will keep it in the schema.
        if let [statement] = chunk.statements.as_mut_slice() {
            let renamed = std::mem::take(&mut statement.renamed);
            let bare = Statement::new(
                chunk.sql.trim_end_matches([';', ' ', '\n', '\r', '\t']),
                statement.line,
                statement.column,
            );
            *statement = Statement { renamed, ..bare };
        }
    }
    Some(migration)
}

/// A text as it is sent; none where wrangler does not take it.
pub(super) fn cut(sql: &str) -> Option<Migration> {
    sent(String::new(), PathBuf::new(), sql.to_owned(), "")
}

/// The text is wrangler's to the last space, because SQLite keeps it in the schema.
fn create(table: &str) -> String {
    format!(
        "CREATE TABLE IF NOT EXISTS {table}(\n\t\tid         INTEGER PRIMARY KEY AUTOINCREMENT,\n\t\tname       TEXT UNIQUE,\n\t\t\
         applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL\n)"
    )
}

fn several_transactions(name: &str, after: usize) -> Refusal {
    Refusal {
        message: "Wrangler could not process the provided SQL file, as it contains several transactions".into(),
        help: format!("take BEGIN TRANSACTION and COMMIT out of `{name}`: D1 runs each file in a transaction"),
        after,
    }
}

#[cfg(test)]
mod tests {
    use super::in_order;

    #[test]
    fn numbers_before_names_and_by_value() {
        let mut names = ["abc.sql", "10_b.sql", "0002_a.sql", "9_b.sql", "9_a.sql", "_x.sql"];
        names.sort_by(|one, other| in_order(one, other));
        assert_eq!(names, ["0002_a.sql", "9_a.sql", "9_b.sql", "10_b.sql", "_x.sql", "abc.sql"]);
    }
}
