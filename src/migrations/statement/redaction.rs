//! SQL without the values in it: what a report may show of a statement.

use crate::schema::lexer::{Token, TokenKind, tokens};
use crate::schema::message::is_private;
use crate::schema::splitter::split;

use super::Action;
use super::reader::Reader;

/// The text with `…` for what is in its string and blob literals and for long numbers, line by line as before. Literals
/// that describe the schema stay: those of CREATE TABLE (without AS SELECT), CREATE VIRTUAL TABLE, CREATE INDEX and ALTER
/// TABLE. Comments with a quote in them may be statements that were switched off, and lose their text.
#[must_use]
pub fn redact(sql: &str) -> String {
    let mut pieces = split(sql).into_iter().map(|piece| piece.range).peekable();
    let mut describes_schema = false;
    let mut redacted = String::with_capacity(sql.len());
    for token in tokens(sql) {
        if let Some(piece) = pieces.next_if(|piece| piece.start <= token.start) {
            describes_schema = is_schema(&sql[piece]);
        }
        let text = token.text(sql);
        match hidden(token, text) {
            Some((opening, closing)) if !describes_schema || token.kind == TokenKind::Comment => {
                redacted.push_str(opening);
                redacted.push('…');
                redacted.extend(text.chars().filter(|character| matches!(character, '\r' | '\n')));
                redacted.push_str(closing);
            }
            _ => redacted.push_str(text),
        }
    }
    redacted
}

/// One line of at most `width` characters, without comments and without what is in literals.
pub(super) fn excerpt(sql: &str, width: usize) -> String {
    let mut line = String::new();
    let mut length = 0;
    let mut gap = false;
    for token in tokens(sql) {
        if token.is_trivia() {
            gap = !line.is_empty();
            continue;
        }
        if length > width {
            break;
        }
        let text = token.text(sql);
        let shown = match hidden(token, text) {
            Some((opening, closing)) => format!("{opening}…{closing}"),
            // A quoted name may hold line feeds; a long one need not be copied whole.
            None => text.chars().take(width + 1).map(|c| if c.is_control() { ' ' } else { c }).collect(),
        };
        if std::mem::take(&mut gap) {
            line.push(' ');
            length += 1;
        }
        length += shown.chars().count();
        line.push_str(&shown);
    }
    if length > width {
        let kept: String = line.chars().take(width.saturating_sub(1)).collect();
        line = format!("{}{}", kept.trim_end(), if width > 0 { "…" } else { "" });
    }
    line
}

/// What surrounds a token's content where that content must not be shown.
fn hidden(token: Token, text: &str) -> Option<(&'static str, &'static str)> {
    match token.kind {
        TokenKind::String => (text.len() > 2).then_some(("'", "'")),
        TokenKind::Blob => (text.len() > 3).then_some(("x'", "'")),
        TokenKind::Number => is_private(text).then_some(("", "")),
        TokenKind::Comment if !text.contains(['\'', '"']) => None,
        TokenKind::Comment if text.starts_with("--") => Some(("-- ", "")),
        TokenKind::Comment => Some(("/* ", " */")),
        // A literal that was never closed, with whatever follows it.
        TokenKind::Illegal if text.starts_with('\'') => Some(("'", "")),
        TokenKind::Illegal if text.starts_with(['x', 'X']) => Some(("x'", "'")),
        TokenKind::Illegal if text.len() > 1 => Some(("", "")),
        _ => None,
    }
}

fn is_schema(statement: &str) -> bool {
    let mut reader = Reader::new(statement);
    match reader.action() {
        Action::CreateTable { .. } => !reader.reads_rows(),
        Action::CreateVirtualTable { .. }
        | Action::CreateIndex { .. }
        | Action::RenameTable { .. }
        | Action::RenameColumn { .. }
        | Action::AddColumn { .. }
        | Action::DropColumn { .. }
        | Action::AlterOther { .. } => true,
        _ => false,
    }
}
