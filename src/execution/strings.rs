//! Double-quoted names that are no columns, and so are read as strings.

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::driver::DoubleQuoted;
use crate::schema::lexer::{double_quoted, quote_identifier, quote_text};

/// The double-quoted names of a statement that are read as strings where that is allowed: found out by compiling it with such strings
/// forbidden, one complaint after the other, as long as `goes_on` says so. Compiling leaves the database as it is.
pub fn strings(connection: &Connection, sql: &str, allowed: DoubleQuoted, goes_on: impl Fn() -> bool) -> Vec<String> {
    let mut quoted = if allowed.dml || allowed.ddl { double_quoted(sql) } else { Vec::new() };
    let mut strings = Vec::new();
    if quoted.is_empty() {
        return strings;
    }
    let mut literal = sql.to_owned();
    set(connection, DoubleQuoted { dml: false, ddl: false });
    while goes_on()
        && let Some(name) = complaint(connection, &literal).and_then(|message| take_named(&mut quoted, &message))
    {
        literal = literal.replace(&quote_identifier(&name), &quote_text(&name));
        strings.push(name);
    }
    set(connection, allowed);
    strings
}

fn complaint(connection: &Connection, sql: &str) -> Option<String> {
    let message = connection.prepare(sql).err()?.to_string();
    message.contains("no such column").then_some(message)
}

fn set(connection: &Connection, allowed: DoubleQuoted) {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, allowed.dml).ok();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, allowed.ddl).ok();
}

/// Takes the name out of `quoted` that SQLite's message is about: `no such column: "plan" - should this be a string literal …`.
fn take_named(quoted: &mut Vec<String>, message: &str) -> Option<String> {
    let (_, rest) = message.split_once("no such column: ")?;
    let rest = rest.trim_start_matches('"');
    let position = quoted.iter().position(|name| {
        rest.strip_prefix(name.as_str()).is_some_and(|end| end.is_empty() || end.starts_with(['"', ' ']))
    })?;
    Some(quoted.swap_remove(position))
}
