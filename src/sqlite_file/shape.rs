//! Where the value of each column of a table stands.

/// Where the value of each column of a table stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// One for each column, in the table's order.
    pub columns: Vec<Place>,
    /// WITHOUT ROWID: the rows are the entries of an index.
    pub without_rowid: bool,
}

/// Where the value of a column stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// It is the rowid; the record has NULL for it.
    Rowid,
    /// In the record.
    Stored {
        /// Which of its values, counted from 0. A record that is older than the column is shorter: it has none.
        index: usize,
        /// Whether the column has REAL affinity: integers in the record are reals.
        real: bool,
    },
    /// Nowhere: SQLite computes it whenever it is asked (GENERATED … VIRTUAL).
    Computed,
}

impl Shape {
    /// Columns that are all stored, in the order of the record and without REAL affinity.
    #[must_use]
    pub fn plain(columns: usize) -> Self {
        let columns = (0..columns).map(|index| Place::Stored { index, real: false }).collect();
        Self { columns, without_rowid: false }
    }
}
