//! The statements of a migration's text.

use super::statement::Statement;
use crate::schema::splitter::split;

/// The statements of a text whose first line is `first_line` of its file.
#[must_use]
pub fn statements(sql: &str, first_line: u32) -> Vec<Statement> {
    split(sql)
        .into_iter()
        .map(|piece| {
            let line = first_line.saturating_add(piece.line - 1);
            Statement::new(&sql[piece.range], line, piece.column)
        })
        .collect()
}
