//! What a table holds: its rows, and per column the NULLs, the storage classes and whether one value fills it.
//!
//! Takes a connection and a table of its schema, reads every row once, gives a [`TableProfile`]. Values are looked at and
//! dropped; none is kept but the first one of a column, to see whether the others equal it.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

use crate::schema::Table;
use crate::schema::lexer::quote_identifier;
pub use crate::sqlite_file::record::Owned;

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableProfile {
    /// Its rows.
    pub rows: u64,
    /// Its columns, in the table's order.
    pub columns: Vec<ColumnProfile>,
}

/// What a column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnProfile {
    /// Its name.
    pub name: String,
    /// How many of its values are NULL.
    pub nulls: u64,
    /// How many are integers.
    pub integers: u64,
    /// How many are reals.
    pub reals: u64,
    /// How many are texts.
    pub texts: u64,
    /// How many are blobs.
    pub blobs: u64,
    /// What can be said of its values as a whole.
    pub spread: Spread,
}

/// What can be said of a column's values as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spread {
    /// No row, or every value is NULL.
    Empty,
    /// Every value is the column's own name, as text.
    OwnName,
    /// Every value is the same, and not NULL.
    Constant,
    /// There are different values.
    Various,
}

impl ColumnProfile {
    /// Values that are not NULL.
    #[must_use]
    pub fn values(&self) -> u64 {
        self.integers + self.reals + self.texts + self.blobs
    }

    /// The storage classes that occur, with their number of values; NULL excluded.
    pub fn classes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        [("integer", self.integers), ("real", self.reals), ("text", self.texts), ("blob", self.blobs)]
            .into_iter()
            .filter(|(_, values)| *values > 0)
    }
}

impl TableProfile {
    /// The column of this name, in any case.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ColumnProfile> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }
}

/// Reads every row of the table.
///
/// # Errors
/// When SQLite cannot read it: corruption, a missing module or function.
pub fn of_table(connection: &Connection, table: &Table) -> Result<TableProfile> {
    let names: Vec<String> = table.columns.iter().map(|column| quote_identifier(&column.name)).collect();
    // Nothing is known of the columns of a virtual table whose module is missing; SQLite then says so.
    let selected = if names.is_empty() { "NULL".to_owned() } else { names.join(", ") };
    let mut statement = connection.prepare(&format!("SELECT {selected} FROM {}", quote_identifier(&table.name)))?;
    let mut counters: Vec<Counter> = table.columns.iter().map(|column| Counter::new(&column.name)).collect();
    let mut rows = statement.query([])?;
    let mut count = 0;
    while let Some(row) = rows.next()? {
        count += 1;
        for (index, counter) in counters.iter_mut().enumerate() {
            counter.add(row.get_ref(index)?);
        }
    }
    let columns = counters.into_iter().map(Counter::finish).collect();
    Ok(TableProfile { rows: count, columns })
}

/// A column under way.
struct Counter {
    profile: ColumnProfile,
    first: Option<Owned>,
}

impl Counter {
    fn new(name: &str) -> Self {
        let profile = ColumnProfile {
            name: name.to_owned(),
            nulls: 0,
            integers: 0,
            reals: 0,
            texts: 0,
            blobs: 0,
            spread: Spread::Empty,
        };
        Self { profile, first: None }
    }

    fn add(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Null => self.profile.nulls += 1,
            ValueRef::Integer(_) => self.profile.integers += 1,
            ValueRef::Real(_) => self.profile.reals += 1,
            ValueRef::Text(_) => self.profile.texts += 1,
            ValueRef::Blob(_) => self.profile.blobs += 1,
        }
        if self.profile.spread == Spread::Various {
            return;
        }
        match &self.first {
            None => {
                self.first = Some(Owned::of(value));
                self.profile.spread = Spread::Constant;
            }
            Some(first) if first.borrow() == value => {}
            Some(_) => {
                self.profile.spread = Spread::Various;
                self.first = None;
            }
        }
    }

    fn finish(mut self) -> ColumnProfile {
        if self.profile.spread == Spread::Constant {
            self.profile.spread = match self.first {
                Some(Owned::Null) | None => Spread::Empty,
                Some(Owned::Text(text)) if text.eq_ignore_ascii_case(self.profile.name.as_bytes()) => Spread::OwnName,
                Some(_) => Spread::Constant,
            };
        }
        self.profile
    }
}
