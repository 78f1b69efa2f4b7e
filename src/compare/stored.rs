//! Rows as they lie in the file.

use std::cell::OnceCell;
use std::collections::HashMap;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::State;
use super::merge::{Row, Source, Stop};
use super::rows::Field;
use crate::profile::{self, Owned};
use crate::schema::{Table, storage};
use crate::sqlite_file::btree;
use crate::sqlite_file::pages::Pages;
use crate::sqlite_file::rows::{IndexRows, TableRows};
use crate::sqlite_file::shape::{Place, Shape};

/// How the rows of a table are found in the file.
pub struct Stored<'a> {
    pages: &'a dyn Pages,
    connection: &'a Connection,
    table: &'a Table,
    shape: Shape,
    /// The place of each column, by its name.
    places: HashMap<&'a str, usize>,
    /// The leaves whose rows may differ from those of the other side, where that is known.
    differing: Option<Vec<u32>>,
}

/// The rows of a table, in the order in which they lie.
pub(super) struct StoredRows<'a> {
    stored: &'a Stored<'a>,
    cursor: Cursor<'a>,
    fields: Vec<Place>,
    /// The columns of the fields, of those that are none.
    columns: Vec<Option<usize>>,
    /// What columns hold in records that are older than the column.
    absent: Vec<OnceCell<Owned>>,
    is_at_row: bool,
}

enum Cursor<'a> {
    Table(Box<TableRows<'a>>),
    Index(Box<IndexRows<'a>>),
}

impl<'a> Stored<'a> {
    /// None where only SQLite can read the table.
    pub(super) fn of(state: State<'a>, table: &'a Table, differing: Option<Vec<u32>>) -> Option<Self> {
        let pages = state.pages?;
        let shape = storage::shape(state.connection, table).ok().flatten()?;
        let places = table.columns.iter().zip(0..).map(|(column, place)| (column.name.as_str(), place)).collect();
        Some(Self { pages, connection: state.connection, table, shape, places, differing })
    }

    /// Whether the rows lie in the order of these fields.
    pub(super) fn is_in_order_of(&self, key: &[Field]) -> bool {
        match key {
            [Field::Rowid(_)] => true,
            [Field::Column(name)] => self.table.rowid_alias.as_ref() == Some(name),
            _ => false,
        }
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }
}

impl<'a> StoredRows<'a> {
    /// None where a field is not stored, or the tree cannot be read. `only_differing` leaves out the rows of which it is known
    /// that they are on both sides.
    pub fn new(stored: &'a Stored<'a>, fields: &[Field], only_differing: bool) -> Option<Self> {
        let columns: Vec<Option<usize>> = fields
            .iter()
            .map(|field| match field {
                Field::Rowid(_) => Some(None),
                Field::Column(name) => stored.column(name).map(Some),
            })
            .collect::<Option<_>>()?;
        let place = |column: &Option<usize>| match column {
            None if stored.table.without_rowid => None,
            None => Some(Place::Rowid),
            Some(column) => stored.shape.columns.get(*column).copied().filter(|place| *place != Place::Computed),
        };
        let places = columns.iter().map(place).collect::<Option<_>>()?;
        let cursor = if stored.table.without_rowid {
            let rows = IndexRows::new(stored.pages, stored.table.root_page, &stored.shape).ok()?;
            Cursor::Index(Box::new(rows))
        } else {
            let leaves = match stored.differing.as_ref().filter(|_| only_differing) {
                Some(leaves) => leaves.clone(),
                None => btree::leaves(stored.pages, stored.table.root_page).ok()?.leaves,
            };
            Cursor::Table(Box::new(TableRows::new(stored.pages, leaves, &stored.shape)))
        };
        let absent = columns.iter().map(|_| OnceCell::new()).collect();
        Some(Self { stored, cursor, fields: places, columns, absent, is_at_row: false })
    }

    /// Whether equal records of both hold equal values in the first `fields` fields, also in columns that are younger than the
    /// record.
    pub fn lie_as(&self, other: &Self, fields: usize) -> bool {
        let default = |rows: &Self, field: usize| {
            rows.columns[field].and_then(|column| rows.stored.table.columns[column].default.clone())
        };
        let alike =
            |field: usize| self.fields[field] == other.fields[field] && default(self, field) == default(other, field);
        self.stored.table.without_rowid == other.stored.table.without_rowid && (0..fields).all(alike)
    }

    /// Whether a field is a column that is the rowid.
    pub fn shows_rowid(&self) -> bool {
        self.fields.iter().zip(&self.columns).any(|(place, column)| *place == Place::Rowid && column.is_some())
    }

    fn absent(&self, field: usize) -> Result<ValueRef<'_>, Stop> {
        if let Some(value) = self.absent[field].get() {
            return Ok(value.borrow());
        }
        let (Some(column), Cursor::Table(rows)) = (self.columns[field], &self.cursor) else {
            return Err(Stop::Unknown);
        };
        let Stored { connection, table, .. } = self.stored;
        let value = profile::absent_value(connection, table, &table.columns[column].name, rows.rowid());
        let value = value.ok_or(Stop::Unknown)?;
        Ok(self.absent[field].get_or_init(|| value).borrow())
    }
}

impl Row for StoredRows<'_> {
    fn value(&self, index: usize) -> Result<ValueRef<'_>, Stop> {
        let value = match (&self.cursor, self.columns[index]) {
            (Cursor::Table(rows), None) => Some(ValueRef::Integer(rows.rowid())),
            (Cursor::Table(rows), Some(column)) => rows.value(column)?,
            (Cursor::Index(rows), Some(column)) => rows.value(column)?,
            (Cursor::Index(_), None) => return Err(Stop::Unknown),
        };
        value.map_or_else(|| self.absent(index), Ok)
    }

    fn stored(&self) -> Option<&[u8]> {
        match &self.cursor {
            Cursor::Table(rows) => rows.record(),
            Cursor::Index(rows) => rows.record(),
        }
    }
}

impl Source for StoredRows<'_> {
    fn advance(&mut self) -> Result<(), Stop> {
        self.is_at_row = match &mut self.cursor {
            Cursor::Table(rows) => rows.advance()?,
            Cursor::Index(rows) => rows.advance()?,
        };
        Ok(())
    }

    fn is_at_row(&self) -> bool {
        self.is_at_row
    }
}
