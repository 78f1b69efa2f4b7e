//! What SQLite says when a statement fails, without values of rows: some of its messages quote what they choke on.

use std::collections::BTreeSet;

use rusqlite::{Connection, ffi};

use super::steps::StepError;
use crate::migrations::statement::redact;
use crate::schema::lexer::{Token, TokenKind, quote_text, tokens, unquote};
use crate::schema::message::without_foreign_name;

/// Turns SQLite's error about this statement into one that may be shown.
pub(super) fn step_error(error: &rusqlite::Error, sql: &str, connection: &Connection) -> StepError {
    let (message, code) = match error {
        rusqlite::Error::SqliteFailure(code, message) => {
            (message.clone().unwrap_or_else(|| code.to_string()), Some(code.extended_code))
        }
        rusqlite::Error::SqlInputError { error, msg, .. } => (msg.clone(), Some(error.extended_code)),
        other @ (rusqlite::Error::NulError(_)
        | rusqlite::Error::ExecuteReturnedResults
        | rusqlite::Error::MultipleStatement) => (other.to_string(), None),
        _ => ("SQLite's answer cannot be read".to_owned(), None),
    };
    let raised = code == Some(ffi::SQLITE_CONSTRAINT_TRIGGER);
    let message = if raised {
        raised_text(&message, connection)
    } else {
        let message = message.split_inclusive(')').next().filter(|_| is_of_schema(&message)).unwrap_or(&message);
        without_foreign_name(message, |name| is_named(name, sql, connection))
    };
    StepError { message, extended_code: code, stopped: None }
}

/// What SQLite says of this statement, where it may be shown.
#[must_use]
pub fn error_message(error: &rusqlite::Error, sql: &str, connection: &Connection) -> String {
    step_error(error, sql, connection).message
}

/// What SQLite puts behind a name in double quotes that is none.
const NO_NAME: &str = "\" - should this be a string literal in single-quotes?";

/// Whether a name, or each part of it (`main.users.email`), stands in the statement, outside of its literals, or in the schema.
fn is_named(name: &str, sql: &str, connection: &Connection) -> bool {
    let name = name.strip_suffix(NO_NAME).and_then(|name| name.strip_prefix('"')).unwrap_or(name);
    let shown = redact(sql);
    let mut known: BTreeSet<String> = tokens(&shown)
        .map(|token| unquote(token.text(&shown)).to_lowercase())
        .chain(["main", "temp"].map(str::to_owned))
        .collect();
    let is_known = |name: &str, known: &BTreeSet<String>| {
        let is_one = |name: &str| known.contains(&unquote(name).to_lowercase());
        is_one(name) || name.split('.').all(is_one)
    };
    // Most often it stands in the statement, and a schema may be long.
    is_known(name, &known) || {
        known.extend(names_of_schema(connection).unwrap_or_default());
        is_known(name, &known)
    }
}

/// Whether it is about a definition in `sqlite_schema`, which a migration may have made of a value.
fn is_of_schema(message: &str) -> bool {
    message.starts_with("malformed database schema (")
}

/// The names in the definitions of the schema, in lower case.
fn names_of_schema(connection: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    let mut select = connection.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL")?;
    let definitions = select.query_map([], |row| row.get::<_, String>(0))?;
    let mut names = BTreeSet::new();
    for definition in definitions {
        let definition = definition?;
        let is_name = |token: &Token| matches!(token.kind, TokenKind::Word | TokenKind::Quoted);
        names.extend(tokens(&definition).filter(is_name).map(|token| unquote(token.text(&definition)).to_lowercase()));
    }
    Ok(names)
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

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::is_named;

    #[test]
    fn names_are_known_as_a_whole() {
        let database = Connection::open_in_memory().unwrap();
        database.execute_batch("CREATE TABLE users (mail, \"a.b c\" DEFAULT 'free')").unwrap();
        let sql = "UPDATE t SET a = \"nowhere\", b = 'secret', c = [d e]";
        for (name, expected) in [
            ("main.USERS.mail", true),
            ("t", true),
            ("a.b c", true),
            ("d e", true),
            ("\"nowhere\" - should this be a string literal in single-quotes?", true),
            ("'users'", true),
            ("user", false),
            ("secret", false),
            ("free", false),
            ("secret.a", false),
            ("a.secret", false),
            ("a\" - secret", false),
            ("\"secret\" - should this be a string literal in single-quotes?", false),
            ("", false),
        ] {
            assert_eq!(is_named(name, sql, &database), expected, "{name}");
        }
    }
}
