//! refinery: the `Runner` with the defaults of the library, over the `.sql` files of a folder and the folders in it.
//!
//! Source: refinery-core 0.10.1, `runner.rs`, `util.rs` and `traits/`; measured with refinery 0.10.0 and rusqlite.

use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};
use siphasher::sip::SipHasher13;

use super::{Evidence, NO_ADDRESS, Tool, columns, entries, identifier, text_literal};
use crate::error::{Doing, Error};
use crate::migrations::migration::{Chunk, Migration};
use crate::migrations::plan::{Decision, Entry, Ledger, Plan, Refusal, State};
use crate::migrations::project::Project;
use crate::migrations::{Located, Strength, shown};

/// The record of this tool.
pub const TOOL: Tool = Tool {
    name: "refinery",
    looks_for: "V<number>__<name>.sql",
    folders: |_| Ok(Vec::new()),
    recognises,
    layout: |_, _, _| Ok("files"),
    address: NO_ADDRESS,
    ledger: |_| TABLE,
    records_in,
    config_table: Some(|_| Ok(None)),
    config_columns: &[&["version", "name", "applied_on", "checksum"]],
    plan,
};

const TABLE: &str = "refinery_schema_history";

/// How wide a version is: with the feature `int8-versions` twice as wide, and then every checksum is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Versions {
    Int4,
    Int8,
}

/// A file whose name is that of a migration.
struct File {
    /// `V` or `U`: whether it must be newer than what is applied.
    prefix: char,
    version: i64,
    name: String,
    path: PathBuf,
    /// Its text; none of a migration that is written in Rust.
    sql: Option<String>,
    checksum: u64,
}

impl File {
    fn shown(&self) -> String {
        format!("{}{}__{}", self.prefix, self.version, self.name)
    }

    fn is_same(&self, other: &Self) -> bool {
        (self.version, &self.name, self.checksum) == (other.version, &other.name, other.checksum)
    }
}

/// What the ledger says of a version.
struct Row {
    version: i64,
    name: String,
    checksum: String,
}

impl Row {
    /// As refinery shows it: what is applied counts as versioned.
    fn shown(&self) -> String {
        format!("V{}__{}", self.version, self.name)
    }

    /// Of a migration in Rust only the name is known without running it.
    fn is_of(&self, file: &File) -> bool {
        self.name == file.name && (file.sql.is_none() || self.checksum == file.checksum.to_string())
    }
}

fn recognises(folder: &Path, project: &Project) -> Option<Evidence> {
    let mut paths = Vec::new();
    find(folder, &mut paths).ok()?;
    let there = format!("{} is there", shown(paths.first()?));
    let declared = ["refinery", "refinery-core"].iter().find_map(|name| project.crates.get(*name)?.version());
    Some(match declared {
        Some((version, from)) => {
            Evidence { strength: Strength::Layout, why: format!("{there}, and refinery {version} in {from}") }
        }
        // Flyway's files have the same names.
        None => Evidence { strength: Strength::Possible, why: there },
    })
}

fn records_in(before: &Connection, table: &str) -> Result<bool, Error> {
    Ok(columns(before, table)? == ["version", "name", "applied_on", "checksum"])
}

/// The files with a migration's name, in this folder and those in it, by name.
fn find(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<(), Error> {
    for (name, path) in entries(folder)? {
        // As refinery's search does, a link to a folder is not followed.
        if path.is_dir() && !path.is_symlink() {
            find(&path, paths)?;
        } else if path.is_file() && parts(&name).is_some() {
            paths.push(path);
        }
    }
    Ok(())
}

/// Prefix, version and name of `V1__name.sql` or `U1.2__name.rs`, and whether it is written in Rust.
fn parts(file_name: &str) -> Option<(char, &str, &str, bool)> {
    let (stem, is_rust) = match file_name.strip_suffix(".sql") {
        Some(stem) => (stem, false),
        None => (file_name.strip_suffix(".rs")?, true),
    };
    let prefix = stem.chars().next().filter(|prefix| matches!(prefix, 'V' | 'U'))?;
    let (version, name) = stem[1..].split_once("__")?;
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_version = version.split_once('.').map_or_else(|| is_number(version), |(a, b)| is_number(a) && is_number(b));
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    (is_version && is_name).then_some((prefix, version, name, is_rust))
}

/// Reads the folder by version, or says why refinery refuses it.
fn resolve(folder: &Path, versions: Versions) -> Result<Result<Vec<File>, Refusal>, Error> {
    let mut paths = Vec::new();
    find(folder, &mut paths)?;
    let mut files = Vec::new();
    for path in paths {
        match read(path, versions)? {
            Ok(file) => files.push(file),
            Err(refusal) => return Ok(Err(refusal)),
        }
    }
    files.sort_by_key(|file| file.version);
    Ok(Ok(files))
}

fn read(path: PathBuf, versions: Versions) -> Result<Result<File, Refusal>, Error> {
    let file_name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some((prefix, digits, name, is_rust)) = parts(&file_name) else {
        return Err(Error::cannot(format!("reading `{}`", shown(&path)), "its name is not that of a migration"));
    };
    let sql = if is_rust {
        None
    } else {
        match String::from_utf8(crate::files::read(&path).doing(|| format!("reading `{}`", shown(&path)))?) {
            Ok(sql) => Some(sql),
            Err(_) => return Ok(Err(not_text(&path))),
        }
    };
    let version = match versions {
        Versions::Int4 => digits.parse::<i32>().map(i64::from),
        Versions::Int8 => digits.parse::<i64>(),
    };
    let Ok(version) = version else { return Ok(Err(no_version(&file_name))) };
    let checksum = checksum(name, version, versions, sql.as_deref().unwrap_or_default());
    Ok(Ok(File { prefix, version, name: name.to_owned(), path, sql, checksum }))
}

/// `SipHash` 1-3 over name, version and text, as Rust hashes them.
fn checksum(name: &str, version: i64, versions: Versions, sql: &str) -> u64 {
    let mut hasher = SipHasher13::new();
    name.hash(&mut hasher);
    match (versions, i32::try_from(version)) {
        (Versions::Int4, Ok(version)) => version.hash(&mut hasher),
        _ => version.hash(&mut hasher),
    }
    sql.hash(&mut hasher);
    hasher.finish()
}

fn plan(located: &Located, before: &Connection) -> Result<Plan, Error> {
    let table = &located.table;
    let mut decisions = located.decisions.clone();
    let versions = versions(located, before, &mut decisions)?;
    let rows = read_ledger(before, table)?;
    let (files, unresolved) = match resolve(&located.folder, versions)? {
        Ok(files) => (files, None),
        Err(refusal) => (Vec::new(), Some(refusal)),
    };
    let is_applied = |file: &&File| rows.iter().any(|row| row.version == file.version);
    let (applied, unapplied): (Vec<_>, Vec<_>) = files.iter().partition(is_applied);
    if let Some(file) = unapplied.iter().find(|file| file.sql.is_none()) {
        return Err(in_rust(file));
    }
    let mut plan = Plan {
        tool: TOOL.name,
        layout: located.layout,
        folder: located.folder.clone(),
        ledger: Ledger { name: table.clone(), present: records_in(before, table)?, rows: rows.len() as u64 },
        entries: Vec::new(),
        // Also where it refuses what it finds in the ledger, but not before it has read the folder.
        setup: if unresolved.is_some() { Vec::new() } else { vec![create(table, versions)] },
        refusal: unresolved.or_else(|| recorded(&rows, &applied)).or_else(|| too_old_or_twice(&rows, &unapplied)),
        decisions,
    };
    for file in &files {
        let state = state(file, &rows, &applied);
        plan.entries.push(Entry { migration: migration(file, table), state });
    }
    for row in rows.iter().filter(|row| files.iter().all(|file| file.version != row.version)) {
        let migration = Migration::without_file(row.shown(), PathBuf::new(), row.checksum.clone());
        let place = files.iter().take_while(|file| file.version < row.version).count();
        plan.entries.insert(place.min(plan.entries.len()), Entry { migration, state: State::Missing });
    }
    Ok(plan)
}

/// The feature decides; it is told by the project, or by the ledger that the app made with it.
fn versions(located: &Located, before: &Connection, decisions: &mut Vec<Decision>) -> Result<Versions, Error> {
    let wide = |name: &str| name == "int8-versions";
    let crates = &located.project.crates;
    let declared = ["refinery", "refinery-core"].iter().find_map(|name| crates.get(*name));
    if let Some(package) = declared.filter(|package| package.features.iter().any(|name| wide(name))) {
        decisions.push(Decision {
            what: "versions",
            value: "int8".into(),
            why: format!("`int8-versions` in {}", package.from),
        });
        return Ok(Versions::Int8);
    }
    let sql = "SELECT lower(type) FROM pragma_table_info(?1) WHERE name = 'version'";
    let column = before.query_row(sql, [&located.table], |row| row.get::<_, String>(0)).optional();
    let column = column.doing(|| format!("reading the columns of `{}`", located.table))?;
    Ok(if column.as_deref() == Some("int8") { Versions::Int8 } else { Versions::Int4 })
}

fn read_ledger(before: &Connection, table: &str) -> Result<Vec<Row>, Error> {
    if !records_in(before, table)? {
        return Ok(Vec::new());
    }
    let doing = || format!("reading the ledger `{table}`");
    let sql = format!("SELECT version, name, checksum FROM {} ORDER BY version ASC", identifier(table));
    let mut select = before.prepare(&sql).doing(doing)?;
    let rows = select.query_map([], |row| Ok(Row { version: row.get(0)?, name: row.get(1)?, checksum: row.get(2)? }));
    rows.and_then(Iterator::collect).doing(doing)
}

fn state(file: &File, rows: &[Row], applied: &[&File]) -> State {
    let Some(row) = rows.iter().find(|row| row.version == file.version) else { return State::Pending };
    let is_first = applied.iter().find(|one| one.version == file.version).is_none_or(|one| one.path == file.path);
    if !is_first {
        return State::Skipped { why: format!("another file has version {}, which is recorded", file.version) };
    }
    if row.is_of(file) { State::Applied } else { State::Edited { recorded: row.checksum.clone() } }
}

/// Body and row are two transactions. refinery puts the table's name in as it is.
fn migration(file: &File, table: &str) -> Migration {
    let sql = file.sql.clone().unwrap_or_default();
    let chunks = vec![Chunk::new(&sql, 1)];
    let checksum = file.checksum.to_string();
    let mut migration = Migration::of(file.shown(), file.path.clone(), sql, chunks);
    migration.record.after = vec![format!(
        "INSERT INTO {table} (version, name, applied_on, checksum) VALUES ({}, {}, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), '{checksum}')",
        file.version,
        text_literal(&file.name),
    )];
    migration.checksum = checksum;
    migration
}

/// The text is refinery's to the last space, because SQLite keeps it in the schema.
fn create(table: &str, versions: Versions) -> String {
    let version = if versions == Versions::Int8 { "int8" } else { "int4" };
    let indent = " ".repeat(13);
    format!(
        "CREATE TABLE IF NOT EXISTS {table}(\n{indent}version {version} PRIMARY KEY,\n{indent}name VARCHAR(255),\n\
         {indent}applied_on VARCHAR(255),\n{indent}checksum VARCHAR(255));"
    )
}

fn not_text(path: &Path) -> Refusal {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    Refusal {
        message: format!("invalid migration file at path {}, stream did not contain valid UTF-8", path.display()),
        help: "write it as UTF-8".into(),
        after: 0,
    }
}

fn no_version(file_name: &str) -> Refusal {
    Refusal {
        message: "migration version must be a valid integer".into(),
        help: format!("`{file_name}` has none that fits: use 1, 2, 3, … or turn the feature `int8-versions` on"),
        after: 0,
    }
}

fn in_rust(file: &File) -> Error {
    let cause = format!("`{}` is written in Rust and not applied yet: only the app can run it", shown(&file.path));
    Error::cannot("planning the migrations", cause)
        .hint("rehearse with the app's own command: `--exec`, with the app's migrations run by it")
}

/// What refinery says of the first version in the ledger that does not fit the folder.
fn recorded(rows: &[Row], applied: &[&File]) -> Option<Refusal> {
    rows.iter().find_map(|row| match applied.iter().find(|file| file.version == row.version) {
        None => Some(Refusal {
            message: format!("migration {} is missing from the filesystem", row.shown()),
            help: "bring its file back; `set_abort_missing(false)` lets refinery go on without it".into(),
            after: 0,
        }),
        Some(file) if row.is_of(file) => None,
        Some(file) => Some(Refusal {
            message: format!("applied migration {} is different than filesystem one {}", row.shown(), file.shown()),
            help: "bring its name and its text back, and make the change in a new migration; \
                   `set_abort_divergent(false)` lets refinery go on"
                .into(),
            after: 0,
        }),
    })
}

/// What refinery says of the first file that it cannot put behind the ledger.
fn too_old_or_twice(rows: &[Row], unapplied: &[&File]) -> Option<Refusal> {
    let newest = rows.last().map_or(-1, |row| row.version);
    unapplied.iter().enumerate().find_map(|(index, file)| {
        let (message, help) = if unapplied[..index].iter().any(|other| other.is_same(file)) {
            (
                format!("migration {} is repeated, migration versions must be unique", file.shown()),
                "take one of the two files away".into(),
            )
        } else if file.prefix == 'V' && file.version <= newest {
            (
                format!("migration {} is missing from the filesystem", file.shown()),
                format!(
                    "it is older than {newest}, which is applied: give it a higher number, or call it U{}__{}.sql if it may \
                     run out of order",
                    file.version, file.name
                ),
            )
        } else {
            return None;
        };
        Some(Refusal { message, help, after: 0 })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_as_refinery_wrote_them() {
        let text = "CREATE TABLE a(x);\n";
        assert_eq!(checksum("a", 1, Versions::Int4, text), 10_403_087_405_757_583_992);
        assert_ne!(checksum("a", 1, Versions::Int8, text), 10_403_087_405_757_583_992);
    }

    #[test]
    fn names() {
        for (name, expected) in [
            ("V1__init.sql", Some(('V', "1", "init", false))),
            ("U01.2__a_b__c.rs", Some(('U', "01.2", "a_b__c", true))),
            ("V1__a-b.sql", None),
            ("v1__a.sql", None),
            ("V1_a.sql", None),
            ("V1__.sql", None),
            ("V1.__a.sql", None),
            ("V1__a.sql.bak", None),
        ] {
            assert_eq!(parts(name), expected, "{name}");
        }
    }
}
