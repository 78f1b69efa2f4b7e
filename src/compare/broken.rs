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
    let triggers = schema.triggers.iter().map(|(key, trigger)| (key, write(schema, trigger)));
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
fn write(schema: &Schema, trigger: &Object) -> String {
    let table = quote_identifier(&trigger.table);
    let column = schema
        .table(&trigger.table)
        .and_then(|table| table.columns.iter().find(|column| !column.generated))
        .map_or_else(|| "rowid".to_owned(), |column| quote_identifier(&column.name));
    match event(&trigger.sql).as_str() {
        "DELETE" => format!("DELETE FROM {table}"),
        "INSERT" => format!("INSERT INTO {table} SELECT * FROM {table} WHERE false"),
        "" => format!("UPDATE {table} SET {column} = {column}"),
        first => format!("UPDATE {table} SET {0} = {0}", quote_identifier(first)),
    }
}

/// `DELETE`, `INSERT`, or for an update the first column of `UPDATE OF`, empty where there is none.
fn event(sql: &str) -> String {
    let tokens: Vec<Token> = tokens(sql).filter(|token| !token.is_trivia()).collect();
    // CREATE TRIGGER name comes first; the name itself may be any word.
    let words = tokens.iter().enumerate().skip(2);
    for (index, token) in words {
        if token.is_word(sql, "DELETE") || token.is_word(sql, "INSERT") {
            return token.text(sql).to_ascii_uppercase();
        }
        if token.is_word(sql, "UPDATE") {
            let of = tokens.get(index + 1).is_some_and(|next| next.is_word(sql, "OF"));
            let column = tokens.get(index + 2).filter(|_| of).and_then(|column| column.name(sql));
            return column.map(std::borrow::Cow::into_owned).unwrap_or_default();
        }
    }
    String::new()
}
