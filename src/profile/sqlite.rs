//! Profiles of what SQLite reads.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

use super::{ColumnProfile, Owned, Reader, Spread, TableProfile};
use crate::schema::Table;
use crate::schema::bounded::bounded;
use crate::schema::lexer::quote_identifier;
use crate::sqlite_file::header::TextEncoding;
use crate::sqlite_file::record::is_identical;

/// Reads every row of the table.
///
/// # Errors
/// When SQLite cannot read it: corruption, a missing module or function.
pub fn of_table(connection: &Connection, table: &Table) -> Result<TableProfile> {
    let encoding = encoding(connection)?;
    let names: Vec<String> = table.columns.iter().map(|column| selected(&column.name, encoding)).collect();
    // Nothing is known of the columns of a virtual table whose module is missing; SQLite then says so.
    let selected = if names.is_empty() { "NULL".to_owned() } else { names.join(", ") };
    let mut statement = connection.prepare(&format!("SELECT {selected} FROM {}", quote_identifier(&table.name)))?;
    let mut counters: Vec<Counter> = table.columns.iter().map(|_| Counter::default()).collect();
    let mut count = 0;
    bounded(connection, || {
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            count += 1;
            for (index, counter) in counters.iter_mut().enumerate() {
                counter.add(as_stored(row.get_ref(index)?, encoding));
            }
        }
        Ok(())
    })?;
    let columns = counters.into_iter().zip(&table.columns);
    let columns = columns.map(|(counter, column)| counter.finish(&column.name, encoding)).collect();
    Ok(TableProfile { rows: count, columns, read_by: Reader::Sqlite })
}

/// How the database stores text.
fn encoding(connection: &Connection) -> Result<TextEncoding> {
    let all = [TextEncoding::Utf8, TextEncoding::Utf16Le, TextEncoding::Utf16Be];
    let name: String = connection.pragma_query_value(None, "encoding", |row| row.get(0))?;
    Ok(all.into_iter().find(|encoding| encoding.name() == name).unwrap_or(TextEncoding::Utf8))
}

/// What to select so that [`as_stored`] gets the bytes of a text. SQLite gives text as UTF-8 only, in which different UTF-16 that is
/// not valid reads the same. So text is taken as a blob, and blobs, to tell them from it, as text.
fn selected(column: &str, encoding: TextEncoding) -> String {
    let name = quote_identifier(column);
    match encoding {
        TextEncoding::Utf8 => name,
        TextEncoding::Utf16Le | TextEncoding::Utf16Be => {
            format!(
                "CASE typeof({name}) WHEN 'text' THEN CAST({name} AS BLOB) WHEN 'blob' THEN hex({name}) ELSE {name} END"
            )
        }
    }
}

/// The value of what [`selected`] says; a blob of a UTF-16 database as its digits, which are the same only if the blob is.
fn as_stored(value: ValueRef<'_>, encoding: TextEncoding) -> ValueRef<'_> {
    match (value, encoding) {
        (ValueRef::Blob(text), TextEncoding::Utf16Le | TextEncoding::Utf16Be) => ValueRef::Text(text),
        (ValueRef::Text(digits), TextEncoding::Utf16Le | TextEncoding::Utf16Be) => ValueRef::Blob(digits),
        (value, _) => value,
    }
}

/// A column under way.
#[derive(Default)]
struct Counter {
    nulls: u64,
    integers: u64,
    reals: u64,
    texts: u64,
    blobs: u64,
    first: Option<Owned>,
    various: bool,
}

impl Counter {
    fn add(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Null => self.nulls += 1,
            ValueRef::Integer(_) => self.integers += 1,
            ValueRef::Real(_) => self.reals += 1,
            ValueRef::Text(_) => self.texts += 1,
            ValueRef::Blob(_) => self.blobs += 1,
        }
        if self.various {
            return;
        }
        match &self.first {
            None => self.first = Some(Owned::of(value)),
            Some(first) if is_identical(first.borrow(), value) => {}
            Some(_) => {
                self.various = true;
                self.first = None;
            }
        }
    }

    fn finish(self, name: &str, encoding: TextEncoding) -> ColumnProfile {
        let spread = match &self.first {
            Some(value) => Spread::of_one(value, name, encoding),
            None if self.various => Spread::Various,
            None => Spread::Empty,
        };
        let Self { nulls, integers, reals, texts, blobs, .. } = self;
        ColumnProfile { name: name.to_owned(), nulls, integers, reals, texts, blobs, spread }
    }
}
