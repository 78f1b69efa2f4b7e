//! The queries of the app, from what people have of them: `.sql` files and folders of them (sqlc's too), logs of statements that ran, and
//! the offline data of sqlx.
//!
//! Takes paths, gives every different query once, with the first place where it stands and how often it does. Statements that are no
//! queries, such as definitions and pragmas, are counted and left out. Nothing here asks a database.
//!
//! Drizzle keeps no files of queries: what it sends is in the log that `logger: true` writes.

mod files;
mod log;
mod sql;
pub mod sqlc;
mod sqlx;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::migrations::directive::{Allow, Spot};
use crate::migrations::statement::{Action, Statement};
use crate::schema::lexer::{Token, TokenKind, tokens};
use crate::units::hex;

/// What was read of all paths.
#[derive(Debug, Clone, Default)]
pub struct Queries {
    /// Files that were read.
    pub files: u64,
    /// Every different query, in the order of the files.
    pub list: Vec<Query>,
    /// Statements that are no queries, by what they are.
    pub left_out: BTreeMap<LeftOut, u64>,
    /// What comments allow.
    pub allowed: Vec<Allowed>,
}

impl Queries {
    /// The SHA-256, in hexadecimal digits, of what was read of them: texts, names, marks and what comments allow, in order.
    #[must_use]
    pub fn sha256(&self) -> String {
        let told = format!("{:?} {:?} {:?}", self.list, self.left_out, self.allowed);
        hex(&Sha256::digest(told))
    }
}

/// A comment that allows a finding: `-- rehearse: allow QC801 because …`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// Its file.
    pub file: String,
    /// Its line, from 1.
    pub line: u32,
    /// The query that it is about.
    pub query: Spot,
    /// What it allows.
    pub allow: Allow,
}

/// A query of the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The text as it is written, without the final semicolon.
    pub text: String,
    /// What its comment calls it: `-- name: GetUser :one`.
    pub name: Option<String>,
    /// The file in which it stands first.
    pub file: String,
    /// Its line there, from 1.
    pub line: u32,
    /// Its column there in characters, from 1.
    pub column: u32,
    /// How often it stands in all files.
    pub times: u64,
    /// Whether a comment says that its result shall stay the same.
    pub marked: bool,
    /// Whether sqlc makes code of it, in which `*` is written out.
    pub by_sqlc: bool,
    /// Whether it stands in a log, where other lines can look like a statement.
    pub logged: bool,
}

/// What a statement is that is no query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// CREATE, ALTER and DROP.
    Definition,
    /// BEGIN, COMMIT, ROLLBACK and SAVEPOINT.
    Transaction,
    /// PRAGMA.
    Pragma,
    /// ANALYZE, ATTACH, DETACH, EXPLAIN, REINDEX and VACUUM.
    Upkeep,
    /// A query for another kind of database, by what sqlx notes of it.
    OtherDatabase,
    /// A line of a log that belongs to no statement.
    OtherLine,
}

impl LeftOut {
    /// In one word, for the report document.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Definition => "definition",
            Self::Transaction => "transaction",
            Self::Pragma => "pragma",
            Self::Upkeep => "upkeep",
            Self::OtherDatabase => "other-database",
            Self::OtherLine => "other-line",
        }
    }
}

impl Query {
    /// What it is called by a waiver: its name, else its file.
    #[must_use]
    pub fn called(&self) -> &str {
        self.name.as_ref().unwrap_or(&self.file)
    }

    /// The text as SQLite gets it.
    #[must_use]
    pub fn sql(&self) -> Cow<'_, str> {
        sqlc::expanded(&self.text)
    }

    /// The text with `?` for every literal: the same for queries of a log that differ in values only.
    #[must_use]
    pub fn shape(&self) -> String {
        let mut shape = String::new();
        for token in tokens(&self.text).filter(|token| !token.is_trivia()) {
            let is_value = matches!(token.kind, TokenKind::String | TokenKind::Blob | TokenKind::Number);
            shape.push_str(if is_value { "?" } else { token.text(&self.text) });
            shape.push(' ');
        }
        shape
    }
}

/// Where a statement stands, and what is said of it.
#[derive(Default)]
struct Found<'a> {
    text: &'a str,
    name: Option<String>,
    line: u32,
    column: u32,
    marked: bool,
    by_sqlc: bool,
    logged: bool,
}

/// Reads every path: a file, or a folder with all below it.
///
/// # Errors
/// Where one cannot be read, holds no statement, or says to rehearse what cannot be understood: exit code 2.
pub fn read(paths: &[PathBuf]) -> Result<Queries, Error> {
    let mut collected = Collected::default();
    let mut budget = files::Budget::default();
    for path in paths {
        let (before, reading) = (collected.occurrences, format!("reading the queries in `{}`", path.display()));
        for file in files::below(path, &mut budget).map_err(|cause| Error::usage(reading.clone(), cause))? {
            let doing = || format!("reading the queries in `{}`", file.display());
            let text = budget.read(&file).map_err(|cause| Error::usage(doing(), cause))?;
            collected.read(&file, &text).map_err(|wrong| wrong.error(&file))?;
        }
        if collected.occurrences == before {
            return Err(Error::usage(reading, "there is no query in it").hint(FORMS));
        }
    }
    Ok(collected.queries)
}

/// The queries of a text that would be in this file.
///
/// # Errors
/// As [`read`].
pub(crate) fn of_text(file: &Path, text: &str) -> Result<Queries, Error> {
    let mut collected = Collected::default();
    collected.read(file, text).map_err(|wrong| wrong.error(file))?;
    Ok(collected.queries)
}

const FORMS: &str = "it can be a `.sql` file, a folder of them, a log of statements (`.trace FILE` of the sqlite3 shell, \
                     `verbose: console.log` of better-sqlite3, `logger: true` of Drizzle, `log: ['query']` of Prisma), or sqlx's `.sqlx`";

/// Why a file cannot be used.
enum Wrong {
    /// As a clause.
    File(String),
    /// A directive on this line.
    Directive(u32, String),
}

impl Wrong {
    fn error(self, file: &Path) -> Error {
        let file = file.display();
        match self {
            Self::File(why) => Error::usage(format!("reading the queries in `{file}`"), why).hint(FORMS),
            Self::Directive(line, why) => Error::usage(format!("reading the directive at `{file}:{line}`"), why)
                .hint("above a query there can be: -- rehearse: allow RULE because REASON")
                .hint("and above one that reads: -- rehearse: compare"),
        }
    }
}

#[derive(Default)]
struct Collected {
    queries: Queries,
    /// How often queries stand in the files, those for other databases too.
    occurrences: u64,
    /// Where each is in the list, by name, text and mark.
    known: HashMap<(Option<String>, String, bool), usize>,
}

impl Collected {
    fn read(&mut self, file: &Path, text: &str) -> Result<(), Wrong> {
        self.queries.files += 1;
        if files::has_ending(file, "json") {
            sqlx::read(text, file, self)
        } else if files::has_ending(file, "sql") {
            sql::read(text, file, self)
        } else if log::is_of_orm(text) {
            log::read_orm(text, file, self);
            Ok(())
        } else {
            log::read(text, file, self);
            Ok(())
        }
    }

    fn leave_out(&mut self, what: LeftOut) {
        *self.queries.left_out.entry(what).or_default() += 1;
    }

    fn add(&mut self, file: &Path, found: Found<'_>) {
        if let Some(what) = no_query(found.text) {
            return self.leave_out(what);
        }
        self.occurrences += 1;
        let list = &mut self.queries.list;
        let key = (found.name.clone(), found.text.to_owned(), found.marked);
        let index = *self.known.entry(key).or_insert(list.len());
        match list.get_mut(index) {
            Some(known) => known.times += 1,
            None => list.push(Query {
                text: found.text.to_owned(),
                name: found.name,
                file: file.display().to_string(),
                line: found.line,
                column: found.column,
                times: 1,
                marked: found.marked,
                by_sqlc: found.by_sqlc,
                logged: found.logged,
            }),
        }
    }
}

/// What a statement is that is no query; none where it is one, or cannot be understood.
fn no_query(text: &str) -> Option<LeftOut> {
    let first: Token = tokens(text).find(|token| !token.is_trivia())?;
    let is = |word: &str| first.is_word(text, word);
    if ["CREATE", "ALTER", "DROP"].into_iter().any(is) {
        return Some(LeftOut::Definition);
    }
    if ["ANALYZE", "EXPLAIN", "REINDEX", "DETACH"].into_iter().any(is) {
        return Some(LeftOut::Upkeep);
    }
    if ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH", "VALUES", "REPLACE"].into_iter().any(is) {
        return None;
    }
    match Statement::new(text, 1, 1).action {
        Action::Begin | Action::Commit | Action::Rollback | Action::Savepoint => Some(LeftOut::Transaction),
        Action::Pragma { .. } => Some(LeftOut::Pragma),
        Action::Vacuum | Action::Attach => Some(LeftOut::Upkeep),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
