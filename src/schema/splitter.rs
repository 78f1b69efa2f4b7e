//! Cuts SQL into statements where SQLite's parser ends them: takes a text, gives the pieces and their places; [`State`] does it
//! token by token, for texts that are not in memory as a whole.
//!
//! The rule is the state machine of `sqlite3_complete` over the parser's own tokens: a semicolon ends a statement, but in
//! `CREATE TRIGGER` only one that follows `; END`. For every text that SQLite accepts this is what its parser does.

use std::ops::Range;

use super::lexer::{Token, TokenKind, tokens};

/// A statement's place in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The bytes from its first word to its last, without the semicolon.
    pub range: Range<usize>,
    /// The line on which it begins, from 1; a line ends with a line feed.
    pub line: u32,
    /// The column on which it begins, in characters, from 1.
    pub column: u32,
}

/// Cuts a text into its statements. Empty ones are not pieces.
#[must_use]
pub fn split(sql: &str) -> Vec<Piece> {
    let mut pieces = Vec::new();
    let mut place = Place::at_start_of(sql);
    let mut state = State::Start;
    let mut open: Option<Range<usize>> = None;
    for token in tokens(sql).filter(|token| !token.is_trivia()) {
        state = state.after(token, sql.as_bytes());
        if state == State::Start {
            pieces.extend(open.take().map(|range| place.piece(range)));
        } else {
            let start = open.map_or(token.start, |range| range.start);
            open = Some(start..token.end);
        }
    }
    pieces.extend(open.map(|range| place.piece(range)));
    pieces
}

/// What has been read of a statement, as far as it decides where the statement ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// Nothing, or a semicolon that ended a statement.
    #[default]
    Start,
    /// Words that no trigger begins with.
    Normal,
    /// `EXPLAIN …`, which a `CREATE` may follow.
    Explain,
    /// `CREATE`, `CREATE TEMP`.
    Create,
    /// Somewhere in a trigger.
    Trigger,
    /// In a trigger, behind a semicolon.
    TriggerSemicolon,
    /// In a trigger, behind `; END`.
    TriggerEnd,
}

impl State {
    /// What it is behind the next token of the text that is no white space and no comment.
    pub(crate) fn after(self, token: Token, sql: &[u8]) -> Self {
        let is = |keyword: &str| {
            token.kind == TokenKind::Word && sql[token.range()].eq_ignore_ascii_case(keyword.as_bytes())
        };
        let semicolon = token.kind == TokenKind::Semicolon;
        match self {
            Self::Trigger | Self::TriggerSemicolon if semicolon => Self::TriggerSemicolon,
            Self::TriggerSemicolon if is("END") => Self::TriggerEnd,
            _ if semicolon => Self::Start,
            Self::Trigger | Self::TriggerSemicolon | Self::TriggerEnd => Self::Trigger,
            Self::Start | Self::Explain if is("CREATE") => Self::Create,
            Self::Start if is("EXPLAIN") => Self::Explain,
            Self::Explain if !is("EXPLAIN") => Self::Explain,
            Self::Create if is("TRIGGER") => Self::Trigger,
            Self::Create if is("TEMP") || is("TEMPORARY") => Self::Create,
            _ => Self::Normal,
        }
    }
}

/// Counts lines and columns on the way through a text, so that each character is looked at once.
struct Place<'a> {
    sql: &'a str,
    offset: usize,
    line: u32,
    column: u32,
}

impl<'a> Place<'a> {
    fn at_start_of(sql: &'a str) -> Self {
        // Editors do not count a byte order mark as a column.
        let offset = if sql.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        Self { sql, offset, line: 1, column: 1 }
    }

    fn piece(&mut self, range: Range<usize>) -> Piece {
        for character in self.sql[self.offset..range.start].chars() {
            if character == '\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
        self.offset = range.start;
        Piece { range, line: self.line, column: self.column }
    }
}
