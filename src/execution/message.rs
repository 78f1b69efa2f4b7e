//! What SQLite says when a statement fails, without values of rows: some of its messages quote what they choke on.

use rusqlite::{Connection, ffi};

use super::steps::StepError;
use crate::schema::lexer::quote_text;
use crate::schema::message::without_value;

/// Turns SQLite's error into one that may be shown.
pub(super) fn step_error(error: &rusqlite::Error, connection: &Connection) -> StepError {
    let (message, code) = match error {
        rusqlite::Error::SqliteFailure(code, message) => {
            (message.clone().unwrap_or_else(|| code.to_string()), Some(code.extended_code))
        }
        rusqlite::Error::SqlInputError { error, msg, .. } => (msg.clone(), Some(error.extended_code)),
        other => (other.to_string(), None),
    };
    let raised = code == Some(ffi::SQLITE_CONSTRAINT_TRIGGER);
    let message = if raised { raised_text(&message, connection) } else { without_value(&message) };
    StepError { message, extended_code: code }
}

/// What SQLite says of a statement, where it may be shown.
#[must_use]
pub fn error_message(error: &rusqlite::Error, connection: &Connection) -> String {
    step_error(error, connection).message
}

/// The text of a RAISE, where a trigger has it as a literal; one that is put together may hold values.
fn raised_text(message: &str, connection: &Connection) -> String {
    let literal = quote_text(message);
    let is_literal = connection
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND instr(sql, ?1) > 0",
            [literal],
            |row| row.get::<_, i64>(0),
        )
        .is_ok_and(|triggers| triggers > 0);
    if is_literal {
        message.to_owned()
    } else {
        "a trigger refuses it (its text is not shown, because it may hold values of rows)".to_owned()
    }
}
