//! What SQLite itself says of a database: `integrity_check`, `foreign_key_check`, and the check of a full-text index against the
//! rows that it indexes.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, ErrorCode, Result};

use crate::schema::bounded::bounded;
use crate::schema::lexer::quote_identifier;
use crate::schema::message::without_value;
use crate::schema::{Table, TableKind};

/// How many messages of `integrity_check` are asked for.
const MESSAGES: usize = 10_000;

/// What SQLite says of both states.
#[derive(Debug, Clone, Default)]
pub struct Integrity {
    /// Messages of `integrity_check` before.
    pub before: Vec<String>,
    /// Messages of `integrity_check` after; of the indexes of full-text tables only those that hold their rows themselves.
    pub after: Vec<String>,
    /// Tables with rows that break a CHECK after, in order of name.
    pub broken_checks: Vec<BrokenChecks>,
    /// Full-text tables whose index does not match the rows of another table that it indexes, in order of name.
    pub out_of_sync: Vec<OutOfSync>,
    /// Rows that violated a foreign key before.
    pub violations_before: Violations,
    /// Rows that violate one after.
    pub violations_after: Violations,
}

/// A table with rows that break one of its CHECKs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokenChecks {
    /// Its name after.
    pub table: String,
    /// Rows after.
    pub rows: u64,
    /// How many of them did not before.
    pub new: u64,
}

/// A full-text table whose index does not match the rows that it indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutOfSync {
    /// Its name after.
    pub table: String,
    /// The table or view with the rows.
    pub content: String,
    /// The module: `fts5`, `fts4`, `fts3`.
    pub module: String,
    /// Whether it was so before.
    pub before: bool,
}

/// Of what `integrity_check` complains.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Complaint<'a> {
    /// A row of this table breaks a CHECK.
    Check(&'a str),
    /// The index of this full-text table.
    FullText(&'a str),
    /// A value that its column's declaration forbids.
    Value,
    /// An index, a page, the file.
    Structure,
}

impl<'a> Complaint<'a> {
    /// Reads a message. The words are those of SQLite's `pragma.c`, `fts3.c` and `fts5_main.c`.
    #[must_use]
    pub fn of(message: &'a str) -> Self {
        if let Some(table) = message.strip_prefix("CHECK constraint failed in ") {
            return Self::Check(table);
        }
        if let Some((_, table)) =
            message.split_once("inverted index for FTS").and_then(|(_, of)| of.split_once("main."))
        {
            return Self::FullText(table.split(": ").next().unwrap_or(table));
        }
        if let Some(table) = message.strip_prefix("fts5: ").and_then(|of| of.rsplit_once("table \"")) {
            return Self::FullText(table.1.trim_end_matches('"'));
        }
        let first = message.split(" value in ").next().filter(|first| first.len() < message.len());
        match first {
            Some(first) if matches!(first, "NULL" | "NUMERIC" | "TEXT") || first.starts_with("non-") => Self::Value,
            _ => Self::Structure,
        }
    }
}

/// Whether there may be more messages than these.
#[must_use]
pub fn is_cut(messages: &[String]) -> bool {
    messages.len() >= MESSAGES
}

/// The messages of `integrity_check` of the whole database, or of `quick_check` of these tables; empty where all is well. They name
/// tables, indexes and pages, no values. Damage that stops the check is one too. `quick_check` does not look up each row in the
/// indexes, which the same SQLite wrote a moment ago.
///
/// # Errors
/// When the check cannot run.
pub fn check(connection: &Connection, tables: Option<&[&str]>) -> Result<Vec<String>> {
    let run = |sql: &str, messages: &mut Vec<String>| -> Result<()> {
        let mut statement = connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            messages.push(row.get(0)?);
        }
        Ok(())
    };
    let mut messages = Vec::new();
    let checked = bounded(connection, || match tables {
        None => run(&format!("PRAGMA integrity_check({MESSAGES})"), &mut messages),
        Some(tables) => tables
            .iter()
            .try_for_each(|table| run(&format!("PRAGMA quick_check({})", quote_identifier(table)), &mut messages)),
    });
    messages.retain(|message| message != "ok");
    for message in &mut messages {
        *message = without_value(message);
    }
    match checked {
        Err(error) if is_damage(&error) => Ok(vec![without_value(&error.to_string())]),
        checked => checked.map(|()| messages),
    }
}

/// References to a parent row that does not exist, by (child table, parent table).
pub type Violations = BTreeMap<(String, String), Violating>;

/// References of one child table to one parent table that lead nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violating {
    /// How many.
    pub rows: u64,
    /// Rowid of the child and number of its foreign key; those of a table WITHOUT ROWID have none and are only counted.
    pub places: BTreeSet<(i64, i64)>,
}

impl Violating {
    /// How many of these were not among `before`. Where rowids may have moved (`same_rows` is false) only numbers are compared.
    #[must_use]
    pub fn new_since(&self, before: &Self, same_rows: bool) -> u64 {
        let placed = |side: &Self| side.places.len() as u64 == side.rows;
        if same_rows && placed(self) && placed(before) {
            self.places.difference(&before.places).count() as u64
        } else {
            self.rows.saturating_sub(before.rows)
        }
    }
}

/// Finds the rows of this child table that violate a foreign key, by parent table.
///
/// # Errors
/// When the check cannot run, for example because a parent has no unique key that a foreign key can refer to.
pub fn violations(connection: &Connection, child: &str) -> Result<Violations> {
    let mut statement =
        connection.prepare("SELECT \"table\", \"parent\", \"rowid\", fkid FROM pragma_foreign_key_check(?1)")?;
    let mut rows = statement.query([child])?;
    let mut violations = Violations::new();
    while let Some(row) = rows.next()? {
        let violating = violations.entry((row.get(0)?, row.get(1)?)).or_default();
        violating.rows += 1;
        if let Some(rowid) = row.get(2)? {
            violating.places.insert((rowid, row.get(3)?));
        }
    }
    Ok(violations)
}

/// The rows of this table that break one of its CHECKs.
///
/// # Errors
/// When SQLite cannot evaluate them: a missing function.
pub fn breaking_check(connection: &Connection, table: &Table) -> Result<Violating> {
    let mut violating = Violating::default();
    if table.checks.is_empty() {
        return Ok(violating);
    }
    let broken: Vec<String> = table.checks.iter().map(|check| format!("NOT ({check})")).collect();
    let rowid = if table.without_rowid || table.column("rowid").is_some() { "NULL" } else { "rowid" };
    let name = quote_identifier(&table.name);
    let mut statement = connection.prepare(&format!("SELECT {rowid} FROM {name} WHERE {}", broken.join(" OR ")))?;
    bounded(connection, || {
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            violating.rows += 1;
            violating.places.extend(row.get::<_, Option<i64>>(0)?.map(|rowid| (rowid, 0)));
        }
        Ok(violating)
    })
}

fn is_damage(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
}

/// Whether the index of a full-text table matches the rows of the table that it indexes. The check is a command in the form of an
/// INSERT, which writes nothing: it runs in a transaction that is rolled back.
///
/// # Errors
/// When the check cannot run, for example because that table is gone.
pub fn is_in_sync(connection: &Connection, table: &Table) -> Result<bool> {
    let name = quote_identifier(&table.name);
    let command = match &table.kind {
        TableKind::Virtual(module) if module == "fts5" => {
            format!("INSERT INTO {name} ({name}, rank) VALUES ('integrity-check', 1)")
        }
        _ => format!("INSERT INTO {name} ({name}) VALUES ('integrity-check')"),
    };
    connection.pragma_update(None, "query_only", false)?;
    let checked = connection.execute_batch("BEGIN").and_then(|()| connection.execute_batch(&command));
    let ended = if connection.is_autocommit() { Ok(()) } else { connection.execute_batch("ROLLBACK") };
    connection.pragma_update(None, "query_only", true)?;
    ended?;
    match checked {
        Ok(()) => Ok(true),
        Err(error) if is_damage(&error) => Ok(false),
        Err(error) => Err(error),
    }
}
