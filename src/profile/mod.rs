//! What a table holds: its rows, and per column the NULLs, the storage classes and whether one value fills it.
//!
//! Takes the pages of a database, a connection to the same state and tables of its schema, reads every row once, gives a
//! [`TableProfile`] of each. Values are looked at and dropped; none is kept but the first one of a column, to see whether the others
//! equal it. The file is read directly where its format says all; SQLite reads what needs it, and all that is malformed: it decides
//! what can still be read, and words the error.

mod file;
mod sqlite;

use crate::sqlite_file::header::TextEncoding;
pub use crate::sqlite_file::record::Owned;
use crate::sqlite_file::schema_page::decode;

pub use file::{absent_value, of_tables};
pub use sqlite::of_table;

/// What a table holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableProfile {
    /// Its rows.
    pub rows: u64,
    /// Its columns, in the table's order.
    pub columns: Vec<ColumnProfile>,
    /// Who read its rows.
    pub read_by: Reader,
}

/// Who read the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// We did, from the pages of the file.
    File,
    /// SQLite did.
    Sqlite,
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

impl Spread {
    /// What can be said of a column of this name where all values are this one.
    fn of_one(value: &Owned, column: &str, encoding: TextEncoding) -> Self {
        match value {
            Owned::Null => Self::Empty,
            Owned::Text(text) if decode(text, encoding).eq_ignore_ascii_case(column) => Self::OwnName,
            _ => Self::Constant,
        }
    }
}
