//! What SQL a command ran on the copy: written down by a module that its runtime loads before anything else.
//!
//! Node.js (better-sqlite3, sqlite3 and `node:sqlite`) and Python (`sqlite3`) can be traced. Each statement has the values of its
//! parameters in it. The trace is a hint only: it counts where running it on another copy leaves the same database.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde::Deserialize;

use super::Variable;
use crate::error::{Doing, Error};
use crate::execution::Settings;
use crate::execution::run::configure;
use crate::migrations::splitter::statements;
use crate::migrations::statement::Action;
use crate::schema::lexer::tokens;

/// Writes the modules and collects what they say.
#[derive(Debug)]
pub struct Tracer {
    folder: PathBuf,
    database: PathBuf,
}

/// The SQL of a command, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// The library that ran it.
    pub library: Library,
    /// Whether foreign keys were enforced when it opened the copy.
    pub foreign_keys: bool,
    /// The statements.
    pub statements: Vec<String>,
}

/// A library that can be traced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Library {
    /// better-sqlite3.
    #[serde(rename = "better-sqlite3")]
    BetterSqlite3,
    /// sqlite3 of npm.
    #[serde(rename = "sqlite3")]
    Sqlite3,
    /// `node:sqlite`.
    #[serde(rename = "node:sqlite")]
    NodeSqlite,
    /// Python's own.
    #[serde(rename = "python")]
    Python,
}

/// A line of the file: a connection that was opened, or a statement that it ran.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Open { library: Library, foreign_keys: bool },
    Statement { sql: String },
}

impl Tracer {
    /// Writes the modules into `folder`.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn new(folder: &Path, database: &Path) -> Result<Self, Error> {
        let doing = || "preparing the trace".to_owned();
        fs::create_dir_all(folder).doing(doing)?;
        fs::write(folder.join("trace.cjs"), include_str!("trace.cjs")).doing(doing)?;
        fs::write(folder.join("sitecustomize.py"), include_str!("sitecustomize.py")).doing(doing)?;
        Ok(Self { folder: folder.to_path_buf(), database: database.to_path_buf() })
    }

    /// What the command's environment must hold.
    pub(super) fn variables(&self) -> [Variable; 5] {
        let with = |name: &str, separator: &str, own: OsString| match std::env::var_os(name) {
            Some(given) if !given.is_empty() => {
                let mut joined = own;
                joined.push(separator);
                joined.push(given);
                joined
            }
            _ => own,
        };
        // Node.js splits this variable as a shell would.
        let quoted = self.folder.join("trace.cjs").display().to_string().replace('\\', "\\\\").replace('"', "\\\"");
        [
            ("REHEARSE_TRACE", self.file().into()),
            ("REHEARSE_TRACE_DATABASE", self.database.clone().into()),
            ("NODE_OPTIONS", with("NODE_OPTIONS", " ", format!("--require \"{quoted}\"").into())),
            ("PYTHONPATH", with("PYTHONPATH", ":", self.folder.clone().into())),
            ("PYTHONDONTWRITEBYTECODE", "1".into()),
        ]
    }

    fn file(&self) -> PathBuf {
        self.folder.join("trace.jsonl")
    }

    /// What was written down; none where no traced library opened the copy, or several did.
    #[must_use]
    pub fn collect(&self) -> Option<Trace> {
        let text = fs::read_to_string(self.file()).ok()?;
        let mut lines = text.lines().map(|line| serde_json::from_str::<Line>(line).ok());
        let Some(Some(Line::Open { library, foreign_keys })) = lines.next() else { return None };
        let mut statements = Vec::new();
        for line in lines {
            match line? {
                Line::Statement { sql } => statements.push(sql),
                Line::Open { library: other, .. } if other == library => {}
                Line::Open { .. } => return None,
            }
        }
        Some(Trace { library, foreign_keys, statements })
    }
}

/// The statements that change something, or decide how the next ones do: those that only read are left out, and those that failed and
/// that the command went on after. `connection` is to a copy that is thrown away.
#[must_use]
pub fn that_matter(connection: &Connection, settings: Settings, statements: &[String], failed: bool) -> Vec<String> {
    let mut kept: Vec<(&String, bool)> = Vec::new();
    if configure(connection, settings).is_err() {
        return Vec::new();
    }
    for sql in statements {
        let ran = connection.prepare(sql).and_then(|mut statement| {
            let matters = !statement.readonly() || decides(sql);
            let mut rows = statement.raw_query();
            while rows.next()?.is_some() {}
            Ok(matters)
        });
        match ran {
            Ok(true) => kept.push((sql, true)),
            Ok(false) => {}
            Err(_) => kept.push((sql, false)),
        }
    }
    // The command ended with the failure behind which only its transaction is undone.
    let last = kept
        .iter()
        .rposition(|(_, ran)| !ran)
        .filter(|last| failed && kept[last + 1..].iter().all(|(sql, _)| decides(sql)));
    kept.into_iter()
        .enumerate()
        .filter(|(index, (_, ran))| *ran || Some(*index) == last)
        .map(|(_, (sql, _))| sql.clone())
        .collect()
}

/// Whether a statement that writes nothing decides how others do: transactions, and pragmas that set something.
fn decides(sql: &str) -> bool {
    const TRANSACTION: [&str; 6] = ["BEGIN", "COMMIT", "END", "ROLLBACK", "SAVEPOINT", "RELEASE"];
    const PRAGMAS: [&str; 7] = [
        "foreign_keys",
        "defer_foreign_keys",
        "legacy_alter_table",
        "recursive_triggers",
        "ignore_check_constraints",
        "writable_schema",
        "user_version",
    ];
    let first = tokens(sql).find(|token| !token.is_trivia());
    let is_transaction = first.is_some_and(|token| TRANSACTION.iter().any(|word| token.is_word(sql, word)));
    let sets =
        |action: &Action| matches!(action, Action::Pragma { name, value: Some(_) } if PRAGMAS.contains(&name.as_str()));
    is_transaction || statements(sql, 1).iter().any(|statement| sets(&statement.action))
}
