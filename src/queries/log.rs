//! A log of statements that ran.
//!
//! The sqlite3 shell's `.trace FILE` writes each with a semicolon and a line feed (`sql_trace_callback` in SQLite's `shell.c.in`), and
//! better-sqlite3's `verbose: console.log` writes it as it came (`docs/api.md`), both with the values in it. Drizzle's `logger: true`
//! writes `Query: … -- params: […]` (`DefaultLogger` in `drizzle-orm/src/logger.ts`), Prisma's `log: ['query']` writes `prisma:query …`.
//! Statements may go over several lines, and an app's other output stands between them.

use std::path::Path;

use super::{Collected, Found, LeftOut};
use crate::schema::splitter::split;

/// Words that a statement begins with.
const BEGIN: [&str; 22] = [
    "ALTER",
    "ANALYZE",
    "ATTACH",
    "BEGIN",
    "COMMIT",
    "CREATE",
    "DELETE",
    "DETACH",
    "DROP",
    "END",
    "EXPLAIN",
    "INSERT",
    "PRAGMA",
    "REINDEX",
    "RELEASE",
    "REPLACE",
    "ROLLBACK",
    "SAVEPOINT",
    "SELECT",
    "UPDATE",
    "VACUUM",
    "VALUES",
];
/// Words with which a line continues a statement.
const CONTINUE: [&str; 49] = [
    "AND",
    "AS",
    "ASC",
    "BETWEEN",
    "CASE",
    "COLLATE",
    "CROSS",
    "DEFAULT",
    "DESC",
    "DO",
    "ELSE",
    "END",
    "ESCAPE",
    "EXCEPT",
    "FILTER",
    "FROM",
    "FULL",
    "GLOB",
    "GROUP",
    "HAVING",
    "IN",
    "INDEXED",
    "INNER",
    "INTERSECT",
    "INTO",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "NATURAL",
    "NOT",
    "NULLS",
    "OFFSET",
    "ON",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "PARTITION",
    "RETURNING",
    "RIGHT",
    "SET",
    "THEN",
    "UNION",
    "USING",
    "WHEN",
    "WHERE",
    "WINDOW",
];
/// Words behind which a statement is not over.
const OPEN: [&str; 39] = [
    "ALL",
    "AND",
    "AS",
    "BETWEEN",
    "BY",
    "CASE",
    "DELETE",
    "DISTINCT",
    "DO",
    "ELSE",
    "EXCEPT",
    "EXISTS",
    "FROM",
    "HAVING",
    "IN",
    "INDEX",
    "INSERT",
    "INTERSECT",
    "INTO",
    "IS",
    "JOIN",
    "LIKE",
    "LIMIT",
    "NOT",
    "OFFSET",
    "ON",
    "OR",
    "RETURNING",
    "SELECT",
    "SET",
    "TABLE",
    "THEN",
    "UNION",
    "UPDATE",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
    "WITH",
];
/// Statements of which SELECT or VALUES is a part.
const WITH_PARTS: [&str; 5] = ["CREATE", "EXPLAIN", "INSERT", "REPLACE", "WITH"];
/// What Drizzle and Prisma write in front of a query.
const IN_FRONT: [&str; 2] = ["Query: ", "prisma:query "];
const PARAMS: &str = " -- params: [";

/// Whether Drizzle or Prisma wrote it.
pub(super) fn is_of_orm(text: &str) -> bool {
    text.lines().any(|line| query_of(line).is_some())
}

/// What stands on a line behind the word that says it is a query.
fn query_of(line: &str) -> Option<&str> {
    IN_FRONT.iter().find_map(|word| line.strip_prefix(word))
}

/// Each query up to its parameters; where it has none, as far as its lines go on.
pub(super) fn read_orm(text: &str, file: &Path, into: &mut Collected) {
    let mut logged: Option<Logged> = None;
    let mut offset = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        if let Some(query) = query_of(line) {
            if let Some(logged) = logged.take() {
                logged.give(text, file, into);
            }
            let start = offset + line.len() - query.len();
            let mut statement = Under { start: Some((number, start)), ..Under::default() };
            statement.read(query);
            logged = Some(Logged { statement, end: offset + line.len(), others: 0 });
        } else if let Some(logged) = &mut logged {
            logged.read(line, offset + line.len());
        } else if !line.trim().is_empty() {
            into.leave_out(LeftOut::OtherLine);
        }
        if let (Some(params), Some(mut complete)) = (line.find(PARAMS), logged.take_if(|_| line.contains(PARAMS))) {
            // The lines between were the query's.
            (complete.end, complete.others) = (offset + params, 0);
            complete.give(text, file, into);
        }
        offset += line.len();
    }
    if let Some(logged) = logged {
        logged.give(text, file, into);
    }
}

/// A query of such a log whose parameters are not there yet.
struct Logged {
    statement: Under,
    /// Where it ends, if it has none.
    end: usize,
    /// Lines that then are others.
    others: u64,
}

impl Logged {
    fn read(&mut self, line: &str, end: usize) {
        if self.others == 0 && self.statement.takes(line) {
            self.statement.read(line);
            self.end = end;
        } else {
            self.others += u64::from(!line.trim().is_empty());
        }
    }

    fn give(&self, text: &str, file: &Path, into: &mut Collected) {
        self.statement.give(text, self.end, file, into);
        (0..self.others).for_each(|_| into.leave_out(LeftOut::OtherLine));
    }
}

/// Each statement, with or without a semicolon.
pub(super) fn read(text: &str, file: &Path, into: &mut Collected) {
    let mut statement = Under::default();
    let mut offset = 0;
    for (number, line) in (1..).zip(text.split_inclusive('\n')) {
        let begins = first_word(line).is_some_and(|word| is_one_of(&word, &BEGIN) || word == "WITH");
        if begins && !statement.takes(line) {
            statement.give(text, offset, file, into);
            statement = Under { start: Some((number, offset)), ..Under::default() };
            statement.read(line);
        } else if statement.takes(line) {
            statement.read(line);
        } else {
            statement.give(text, offset, file, into);
            statement = Under::default();
            let trimmed = line.trim();
            if !trimmed.is_empty() && !trimmed.starts_with("--") {
                into.leave_out(LeftOut::OtherLine);
            }
        }
        offset += line.len();
    }
    statement.give(text, offset, file, into);
}

/// A statement of which lines were read.
#[derive(Default)]
struct Under {
    /// Its line and where it begins.
    start: Option<(u32, usize)>,
    /// What closes the string, the quoted name or the comment in which the last line ends.
    quote: Option<&'static str>,
    /// Brackets that are open.
    depth: u32,
    /// Its first word, in capitals.
    first: String,
    /// Its last word, in capitals, or its last sign.
    last: String,
    /// Whether SELECT, VALUES, DEFAULT, UPDATE or DELETE stood in it, outside of all brackets.
    has_part: bool,
}

impl Under {
    fn is_over(&self) -> bool {
        self.start.is_none() || self.quote.is_none() && self.last == ";"
    }

    /// Whether the line belongs to it.
    fn takes(&self, line: &str) -> bool {
        if self.is_over() {
            return false;
        }
        let is_open = self.quote.is_some()
            || self.depth > 0
            || is_one_of(&self.last, &OPEN)
            || [",", "=", "<", ">", "+", "-", "*", "/", "|", "("].contains(&self.last.as_str());
        let lacks_part = is_one_of(&self.first, &WITH_PARTS) && !self.has_part;
        let word = first_word(line).unwrap_or_default();
        // `Order 7 was paid` is the app's.
        let is_prose = line.trim_start().starts_with(char::is_uppercase) && !line.trim_start().starts_with(&word);
        let continues = is_one_of(&word, &CONTINUE) && !is_prose || line.trim_start().starts_with([')', ',', '(']);
        let part = ["SELECT", "VALUES", "UPDATE", "DELETE", "INSERT", "CREATE", "REPLACE"].contains(&word.as_str());
        is_open || continues && word != "END" || lacks_part && (part || word.is_empty() || word == "DEFAULT")
    }

    /// Reads a line, as far as it says where the statement ends.
    fn read(&mut self, line: &str) {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            if let Some(closing) = self.quote {
                match rest.find(closing) {
                    Some(at) => rest = &rest[at + closing.len()..],
                    None => return,
                }
                self.quote = None;
                continue;
            }
            let word =
                rest.len() - rest.trim_start_matches(|letter: char| letter.is_alphanumeric() || letter == '_').len();
            if word > 0 {
                self.word(&rest[..word]);
                rest = &rest[word..];
                continue;
            }
            if rest.starts_with("--") {
                return;
            }
            self.quote = match first {
                '\'' => Some("'"),
                '"' => Some("\""),
                '`' => Some("`"),
                '[' => Some("]"),
                '/' if rest.starts_with("/*") => Some("*/"),
                _ => None,
            };
            match first {
                '(' => self.depth += 1,
                ')' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            if !first.is_whitespace() && !rest.starts_with("/*") {
                self.last = first.to_string();
            }
            rest = &rest[if rest.starts_with("/*") { 2 } else { first.len_utf8() }..];
        }
    }

    fn word(&mut self, word: &str) {
        let word = word.to_ascii_uppercase();
        if self.first.is_empty() {
            self.first.clone_from(&word);
        } else if self.depth == 0 && ["SELECT", "VALUES", "DEFAULT", "UPDATE", "DELETE"].contains(&word.as_str()) {
            self.has_part = true;
        }
        self.last = word;
    }

    /// What was read up to `end`.
    fn give(&self, text: &str, end: usize, file: &Path, into: &mut Collected) {
        if let Some((line, start)) = self.start {
            add(text[start..end].trim(), line, file, into);
        }
    }
}

fn add(text: &str, line: u32, file: &Path, into: &mut Collected) {
    for piece in split(text) {
        let line = line.saturating_add(piece.line - 1);
        into.add(file, Found { text: &text[piece.range], line, column: 1, logged: true, ..Found::default() });
    }
}

/// The first word of a line, in capitals; none where something else stands there.
fn first_word(line: &str) -> Option<String> {
    let line = line.trim_start();
    let end = line.find(|letter: char| !letter.is_ascii_alphabetic()).unwrap_or(line.len());
    let behind = line[end..].chars().next();
    let is_word = end > 0 && behind.is_none_or(|next| next.is_whitespace() || "(;*'\"`[".contains(next));
    is_word.then(|| line[..end].to_ascii_uppercase())
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.contains(&word)
}
