//! What SQL a command ran on the copy: written down by a module that its runtime loads before anything else.
//!
//! Node.js (better-sqlite3, libsql, sqlite3 and `node:sqlite`), Python (`sqlite3`) and Ruby (`sqlite3`) can be traced. Each statement
//! has the values of its parameters in it. The trace is a hint only: it counts where running it on another copy leaves the same
//! database.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use serde::Deserialize;

use super::Variable;
use crate::error::{Doing, Error};
use crate::execution::Settings;
use crate::execution::message::error_message;
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
    /// libsql, which `@libsql/client` opens files with.
    #[serde(rename = "libsql")]
    Libsql,
    /// Python's own.
    #[serde(rename = "python")]
    Python,
    /// The gem sqlite3.
    #[serde(rename = "ruby")]
    Ruby,
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
        fs::write(folder.join("rehearse_trace.rb"), include_str!("rehearse_trace.rb")).doing(doing)?;
        Ok(Self { folder: folder.to_path_buf(), database: database.to_path_buf() })
    }

    /// What the command's environment must hold.
    pub(super) fn variables(&self) -> [Variable; 6] {
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
        // Ruby splits its own at every blank: then it is not traced, and given its default.
        let ruby = format!("-r{}", self.folder.join("rehearse_trace.rb").display());
        let ruby = if ruby.contains(char::is_whitespace) { "-W1".into() } else { ruby.into() };
        [
            ("REHEARSE_TRACE", self.file().into()),
            ("REHEARSE_TRACE_DATABASE", self.database.clone().into()),
            ("NODE_OPTIONS", with("NODE_OPTIONS", " ", format!("--require \"{quoted}\"").into())),
            ("PYTHONPATH", with("PYTHONPATH", ":", self.folder.clone().into())),
            ("PYTHONDONTWRITEBYTECODE", "1".into()),
            ("RUBYOPT", with("RUBYOPT", " ", ruby)),
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

/// What of a trace has to run once more.
#[derive(Debug, Default)]
pub struct Matters {
    /// The statements that change something, or decide how the next ones do. The one with which the command ended is the last.
    pub statements: Vec<String>,
    /// The last statement that failed, with SQLite's words, where it is not among them: the command went on after it.
    pub failed: Option<(String, String)>,
}

/// Leaves out the statements that only read, and those that failed and that the command went on after. `connection` is to a copy that
/// is thrown away; `own` says which tables are the tool's.
#[must_use]
pub fn that_matter(
    connection: &Connection,
    settings: Settings,
    statements: &[String],
    failed: bool,
    own: &dyn Fn(&str) -> bool,
) -> Matters {
    let mut kept: Vec<(&String, Option<String>)> = Vec::new();
    if configure(connection, settings).is_err() {
        return Matters::default();
    }
    for sql in statements {
        let ran = connection.prepare(sql).and_then(|mut statement| {
            let matters = !statement.readonly() || decides(sql);
            let mut rows = statement.raw_query();
            while rows.next()?.is_some() {}
            Ok(matters)
        });
        match ran {
            Ok(true) => kept.push((sql, None)),
            Ok(false) => {}
            Err(error) => kept.push((sql, Some(error_message(&error, sql, connection)))),
        }
    }
    let last = kept.iter().rposition(|(_, error)| error.is_some()).filter(|_| failed);
    // The command ended with the failure behind which only its transaction is undone and its lock is released.
    let is_the_end = |last: usize| kept[last + 1..].iter().all(|(sql, _)| decides(sql) || is_of_the_tool(sql, own));
    let end = last.filter(|last| is_the_end(*last));
    let failed = match (last, end) {
        (Some(last), None) => kept[last].1.clone().map(|message| (kept[last].0.clone(), message)),
        _ => None,
    };
    kept.truncate(end.map_or(kept.len(), |end| end + 1));
    let ran = |index: usize, error: &Option<String>| error.is_none() || Some(index) == end;
    let statements =
        kept.iter().enumerate().filter(|(index, (_, error))| ran(*index, error)).map(|(_, (sql, _))| (*sql).clone());
    Matters { statements: statements.collect(), failed }
}

/// Whether a statement writes only to the tool's own tables.
fn is_of_the_tool(sql: &str, own: &dyn Fn(&str) -> bool) -> bool {
    statements(sql, 1).iter().all(|statement| statement.action.written_rows().is_some_and(own))
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
