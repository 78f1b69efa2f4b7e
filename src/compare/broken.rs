//! Views and triggers that can no longer be compiled.

use std::collections::BTreeMap;

use rusqlite::Connection;

use crate::schema::lexer::{Token, quote_identifier, tokens};
use crate::schema::message::without_value;
use crate::schema::{Object, Schema};

/// The views and triggers that SQLite cannot compile, by name in lower case, with what it says.
#[must_use]
pub fn objects(connection: &Connection, schema: &Schema) -> BTreeMap<String, String> {
    let views = schema.views.iter().map(|(key, view)| (key, read(&view.name)));
    let triggers = schema.triggers.iter().map(|(key, trigger)| (key, write(connection, trigger)));
    views
        .chain(triggers)
        .filter_map(|(key, sql)| connection.prepare(&sql).err().map(|error| (key.clone(), message(&error))))
        .collect()
}

fn message(error: &rusqlite::Error) -> String {
    match error {
        rusqlite::Error::SqlInputError { msg, .. } => without_value(msg),
        other => without_value(&other.to_string()),
    }
}

fn read(view: &str) -> String {
    format!("SELECT * FROM {}", quote_identifier(view))
}

/// A statement whose compilation compiles the trigger; it is never run.
fn write(connection: &Connection, trigger: &Object) -> String {
    let table = quote_identifier(&trigger.table);
    match event(&trigger.sql) {
        Event::Delete => format!("DELETE FROM {table}"),
        Event::Insert => format!("INSERT INTO {table} DEFAULT VALUES"),
        Event::Update(of) => {
            let settable = settable(connection, &trigger.table).unwrap_or_default();
            let is_settable = |name: &String| settable.iter().any(|column| column.eq_ignore_ascii_case(name));
            let column = of.into_iter().find(is_settable).or(settable.first().cloned());
            let column = quote_identifier(column.as_deref().unwrap_or("rowid"));
            format!("UPDATE {table} SET {column} = {column}")
        }
    }
}

/// The columns of a table or view that a statement can set: not the generated ones.
fn settable(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut select = connection.prepare("SELECT name FROM pragma_table_xinfo(?1) WHERE hidden = 0")?;
    let names = select.query_map([table], |row| row.get(0))?;
    names.collect()
}

/// What fires a trigger.
enum Event {
    Delete,
    Insert,
    /// The columns of `UPDATE OF`; none where it is any.
    Update(Vec<String>),
}

fn event(sql: &str) -> Event {
    let tokens: Vec<Token> = tokens(sql).filter(|token| !token.is_trivia()).collect();
    // CREATE TRIGGER name comes first; the name itself may be any word.
    for (index, token) in tokens.iter().enumerate().skip(3) {
        if token.is_word(sql, "DELETE") {
            return Event::Delete;
        }
        if token.is_word(sql, "INSERT") {
            return Event::Insert;
        }
        if token.is_word(sql, "UPDATE") {
            let mut behind = tokens[index + 1..].iter();
            let of = behind.next().is_some_and(|next| next.is_word(sql, "OF"));
            let columns = behind.take_while(|token| of && !token.is_word(sql, "ON"));
            return Event::Update(columns.filter_map(|column| Some(column.name(sql)?.into_owned())).collect());
        }
    }
    Event::Update(Vec::new())
}
