//! What SQLite says when a statement fails, without values of rows: some of its messages quote what they choke on.

use rusqlite::{Connection, ffi};

use super::steps::StepError;

/// Beginnings of messages behind which SQLite puts a value that an expression gave. What follows is left out.
/// Source: the texts in SQLite 3.54's `json.c`, `attach.c`, `fts3.c` and `fts5`.
const QUOTING: [&str; 10] = [
    "bad JSON path",
    "JSON path error near",
    "unable to open database",
    "no such database",
    "malformed MATCH expression",
    "fts5: syntax error near",
    "unknown special query",
    "parse error in",
    "unrecognized matchinfo request",
    "unknown tokenizer",
];

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
    let literal = format!("'{}'", message.replace('\'', "''"));
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

fn without_value(message: &str) -> String {
    if let Some(beginning) = QUOTING.into_iter().find(|beginning| message.starts_with(beginning)) {
        return beginning.to_owned();
    }
    if message.starts_with("unrecognized token: \"'") {
        return "unrecognized token: \"'…\"".to_owned();
    }
    match message.strip_prefix("near \"'").and_then(|rest| rest.rsplit_once("\": ")) {
        Some((_, what)) => format!("near a string: {what}"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_value;

    #[test]
    fn names_stay_and_values_go() {
        for (message, shown) in [
            ("bad JSON path: 'secret'", "bad JSON path"),
            ("unable to open database: secret/x", "unable to open database"),
            ("near \"'secret'\": syntax error", "near a string: syntax error"),
            ("near \"ORDER\": syntax error", "near \"ORDER\": syntax error"),
            ("unrecognized token: \"'secret\"", "unrecognized token: \"'…\""),
            ("unrecognized token: \"#\"", "unrecognized token: \"#\""),
            ("UNIQUE constraint failed: users.email", "UNIQUE constraint failed: users.email"),
        ] {
            assert_eq!(without_value(message), shown);
        }
    }
}
