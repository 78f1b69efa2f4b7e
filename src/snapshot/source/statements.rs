//! The statements of a text that is read piece by piece: not more of it is in memory than the longest statement.

use std::io::{self, Read};

use crate::schema::lexer::{TokenKind, tokens_of_bytes};
use crate::schema::splitter::State;

/// How much is read at once, where no statement is longer.
const CHUNK: usize = 1 << 20;

/// No longer statement is taken, in bytes: SQLite takes four times as much, and several times that of memory with it.
const LONGEST: usize = 256 << 20;

/// Bytes behind a token that may make it another one: `/` is one, `/*` another.
const LOOKAHEAD: usize = 4;

/// Cuts a text into statements.
pub(super) struct Statements<R> {
    from: R,
    buffer: Vec<u8>,
    /// Where in the buffer what was not given yet begins.
    start: usize,
    /// The line of that place.
    line: u64,
    at_end: bool,
}

/// What was cut out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cut<'a> {
    /// From its first word to its last, without the semicolon.
    pub sql: &'a [u8],
    /// The line on which it begins, from 1.
    pub line: u64,
    pub kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A statement.
    Statement,
    /// The text ends before its semicolon.
    Unfinished,
    /// A line for the `sqlite3` shell: `.read other.sql`.
    DotCommand,
}

/// A place in the buffer, until something is cut there.
struct Found {
    sql: std::ops::Range<usize>,
    next: usize,
    kind: Kind,
}

/// How far the search has come.
#[derive(Default)]
struct Search {
    state: State,
    /// Where the tokens begin that were not looked at.
    at: usize,
    open: Option<std::ops::Range<usize>>,
}

impl<R: Read> Statements<R> {
    pub fn of(from: R) -> Self {
        Self { from, buffer: Vec::new(), start: 0, line: 1, at_end: false }
    }

    /// The line of what comes next; behind the last statement that of the end.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The next statement; none behind the last.
    pub fn next(&mut self) -> io::Result<Option<Cut<'_>>> {
        let mut search = Search { at: self.start, ..Search::default() };
        let found = loop {
            if let Some(found) = self.find(&mut search) {
                break found;
            }
            if self.at_end {
                if let Some(sql) = search.open {
                    break Found { sql, next: self.buffer.len(), kind: Kind::Unfinished };
                }
                self.line += lines(&self.buffer[self.start..]);
                self.start = self.buffer.len();
                return Ok(None);
            }
            self.fill(&mut search)?;
        };
        let line = self.line + lines(&self.buffer[self.start..found.sql.start]);
        self.line = line + lines(&self.buffer[found.sql.start..found.next]);
        self.start = found.next;
        Ok(Some(Cut { sql: &self.buffer[found.sql], line, kind: found.kind }))
    }

    /// Looks at the tokens that are complete in the buffer, up to the end of a statement.
    fn find(&self, search: &mut Search) -> Option<Found> {
        let rest = &self.buffer[search.at..];
        let complete = if self.at_end { rest.len() } else { rest.len().saturating_sub(LOOKAHEAD) };
        let from = search.at;
        for token in tokens_of_bytes(rest) {
            if token.end > complete {
                search.at = from + token.start;
                return None;
            }
            if token.is_trivia() {
                continue;
            }
            let (start, end) = (from + token.start, from + token.end);
            if token.kind == TokenKind::Dot && search.state == State::Start {
                let line = rest[token.start..].iter().position(|&byte| byte == b'\n');
                if line.is_none() && !self.at_end {
                    search.at = start;
                    return None;
                }
                let next = line.map_or(self.buffer.len(), |length| start + length);
                return Some(Found { sql: start..next, next, kind: Kind::DotCommand });
            }
            search.state = search.state.after(token, rest);
            if search.state != State::Start {
                let first = search.open.as_ref().map_or(start, |open| open.start);
                search.open = Some(first..end);
            } else if let Some(sql) = search.open.take() {
                return Some(Found { sql, next: end, kind: Kind::Statement });
            }
        }
        search.at = self.buffer.len();
        None
    }

    /// Reads on: at least as much again as the statement has so far, so that a long one is looked at a few times only.
    fn fill(&mut self, search: &mut Search) -> io::Result<()> {
        self.buffer.drain(..self.start);
        search.at -= self.start;
        search.open = search.open.take().map(|open| open.start - self.start..open.end - self.start);
        self.start = 0;
        let known = self.buffer.len();
        if known > LONGEST {
            return Err(io::Error::new(io::ErrorKind::InvalidData, TooLong));
        }
        let wanted = known.max(CHUNK) as u64;
        let read = self.from.by_ref().take(wanted).read_to_end(&mut self.buffer)?;
        self.at_end = (read as u64) < wanted;
        if self.buffer[known..].contains(&0) {
            let before = self.buffer.iter().position(|&byte| byte == 0).unwrap_or(known);
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                Nul { line: self.line + lines(&self.buffer[..before]) },
            ));
        }
        Ok(())
    }
}

/// A statement is longer than any is taken.
#[derive(Debug, thiserror::Error)]
#[error("a statement is longer than 256 MiB: load the dump with `sqlite3`, and name the database that it makes")]
pub(super) struct TooLong;

/// SQLite's text ends at a NUL, so that what follows it would be lost.
#[derive(Debug, thiserror::Error)]
#[error("a NUL byte on line {line}, which no text of SQL has")]
pub(super) struct Nul {
    line: u64,
}

fn lines(text: &[u8]) -> u64 {
    text.iter().map(|&byte| u64::from(byte == b'\n')).sum()
}

#[cfg(test)]
mod tests {
    use super::{Kind, Statements};
    use crate::schema::splitter::split;
    use std::io::Read;

    /// Gives a few bytes at a time.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let length = self.0.len().min(into.len()).min(7);
            into[..length].copy_from_slice(&self.0[..length]);
            self.0 = &self.0[length..];
            Ok(length)
        }
    }

    fn cut(text: &str) -> Vec<(String, u64, Kind)> {
        let mut statements = Statements::of(Drip(text.as_bytes()));
        let mut found = Vec::new();
        while let Some(cut) = statements.next().unwrap() {
            found.push((String::from_utf8(cut.sql.to_vec()).unwrap(), cut.line, cut.kind));
        }
        found
    }

    #[test]
    fn as_the_splitter_of_whole_texts_does() {
        let text = format!(
            "{}\n-- c;\n/* ; */ CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT 1; SELECT ';'; END;\n{}INSERT INTO t VALUES('it''s;\n\
             two');;\nSELECT 1",
            "\u{feff}CREATE TABLE t(a);",
            " ".repeat(super::CHUNK)
        );
        let pieces: Vec<_> =
            split(&text).into_iter().map(|piece| (text[piece.range].to_owned(), u64::from(piece.line))).collect();
        let found = cut(&text);
        assert_eq!(found.iter().map(|(sql, line, _)| (sql.clone(), *line)).collect::<Vec<_>>(), pieces);
        assert_eq!(found.last().unwrap().2, Kind::Unfinished);
    }

    #[test]
    fn a_line_for_the_shell() {
        assert_eq!(
            cut("\n.read x;y\nSELECT 1.\n.5;").iter().map(|(sql, ..)| sql.as_str()).collect::<Vec<_>>(),
            [".read x;y", "SELECT 1.\n.5"]
        );
    }

    #[test]
    fn tokens_across_chunks() {
        for shift in 0..6 {
            let head = "-".repeat(super::CHUNK - 12 + shift);
            let found = cut(&format!("{head}\n/* ; */ SELECT x'00', 'a''b;';\nSELECT 2;"));
            let sql: Vec<_> = found.iter().map(|(sql, line, _)| (sql.as_str(), *line)).collect();
            assert_eq!(sql, [("SELECT x'00', 'a''b;'", 2), ("SELECT 2", 3)], "{shift}");
        }
    }
}
