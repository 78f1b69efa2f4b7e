//! Profiles of what the pages of the file hold.

use rusqlite::{Connection, OptionalExtension, Result};

use super::sqlite::of_table;
use super::{ColumnProfile, Owned, Reader, Spread, TableProfile};
use crate::observer::{Observer, Stage, Work};
use crate::schema::lexer::quote_identifier;
use crate::schema::{Table, storage};
use crate::sqlite_file::btree;
use crate::sqlite_file::error::ReadError;
use crate::sqlite_file::header::TextEncoding;
use crate::sqlite_file::pages::Pages;
use crate::sqlite_file::record::is_identical;
use crate::sqlite_file::scan::{ColumnCounts, ScanTable, TableCounts, Variety, scan};
use crate::sqlite_file::shape::{Place, Shape};

/// Reads every row of the tables, in one pass over the file; `pages` and `connection` must show the same state of it. In the order
/// of the tables.
///
/// # Errors
/// Of each table, when SQLite cannot read it either: corruption, a missing module or function.
pub fn of_tables(
    connection: &Connection,
    pages: &dyn Pages,
    tables: &[&Table],
    observer: &dyn Observer,
) -> Vec<Result<TableProfile>> {
    let work = Work::begin(observer, Stage::Count, None);
    let shapes: Vec<Option<Shape>> = tables.iter().map(|table| readable(connection, table)).collect();
    let mut scanned = Vec::new();
    let mut places = Vec::new();
    for (place, (table, shape)) in tables.iter().zip(&shapes).enumerate() {
        let Some(shape) = shape else { continue };
        if let Ok(pages) = pages_of(pages, table) {
            scanned.push(ScanTable { shape, pages });
            places.push(place);
        }
    }
    let encoding = pages.layout().encoding;
    let mut profiles: Vec<Option<TableProfile>> = tables.iter().map(|_| None).collect();
    for (place, counts) in places.into_iter().zip(scan(pages, &scanned, &work)) {
        profiles[place] = counts.ok().and_then(|counts| profile(connection, tables[place], counts, encoding));
    }
    let read =
        |(table, profile): (&&Table, Option<TableProfile>)| profile.map_or_else(|| of_table(connection, table), Ok);
    tables.iter().zip(profiles).map(read).collect()
}

/// Where the columns of a table are; none where only SQLite can read them all.
fn readable(connection: &Connection, table: &Table) -> Option<Shape> {
    let shape = storage::shape(connection, table).ok().flatten()?;
    (!shape.columns.contains(&Place::Computed)).then_some(shape)
}

fn pages_of(pages: &dyn Pages, table: &Table) -> std::result::Result<Vec<u32>, ReadError> {
    if table.without_rowid {
        let tree = btree::index_leaves(pages, table.root_page)?;
        Ok([tree.leaves, tree.interior].concat())
    } else {
        Ok(btree::leaves(pages, table.root_page)?.leaves)
    }
}

/// None where SQLite does not tell what a column holds that rows do not have.
fn profile(
    connection: &Connection,
    table: &Table,
    counts: TableCounts,
    encoding: TextEncoding,
) -> Option<TableProfile> {
    let mut columns = Vec::with_capacity(counts.columns.len());
    for (column, counts) in table.columns.iter().zip(counts.columns) {
        columns.push(column_profile(connection, table, &column.name, counts, encoding)?);
    }
    Some(TableProfile { rows: counts.rows, columns, read_by: Reader::File })
}

fn column_profile(
    connection: &Connection,
    table: &Table,
    name: &str,
    counts: ColumnCounts,
    encoding: TextEncoding,
) -> Option<ColumnProfile> {
    let ColumnCounts { nulls, integers, reals, texts, blobs, absent, absent_from, variety } = counts;
    let mut column =
        ColumnProfile { name: name.to_owned(), nulls, integers, reals, texts, blobs, spread: Spread::Empty };
    let variety = if absent == 0 {
        variety
    } else {
        let value = absent_value(connection, table, name, absent_from?)?;
        let count = match value {
            Owned::Null => &mut column.nulls,
            Owned::Integer(_) => &mut column.integers,
            Owned::Real(_) => &mut column.reals,
            Owned::Text(_) => &mut column.texts,
            Owned::Blob(_) => &mut column.blobs,
        };
        *count += absent;
        match variety {
            Variety::None => Variety::One(value),
            Variety::One(one) if is_identical(one.borrow(), value.borrow()) => Variety::One(one),
            Variety::One(_) | Variety::Various => Variety::Various,
        }
    };
    column.spread = match variety {
        Variety::None => Spread::Empty,
        Variety::One(value) => Spread::of_one(&value, name, encoding),
        Variety::Various => Spread::Various,
    };
    Some(column)
}

/// The value of a column that the row of this rowid is older than. It is asked of SQLite, which has its own rules for what a DEFAULT
/// gives such rows: `TEXT DEFAULT 1e3` reads as `1e3`, and is inserted as `1000.0`.
pub fn absent_value(connection: &Connection, table: &Table, column: &str, rowid: i64) -> Option<Owned> {
    let (value, row) = (quote_identifier(column), table.rowid_name()?);
    let sql = format!(
        "SELECT typeof({value}) = 'text', iif(typeof({value}) = 'text', CAST({value} AS BLOB), {value}) FROM {} WHERE {row} = ?1",
        quote_identifier(&table.name)
    );
    let read = |row: &rusqlite::Row<'_>| {
        Ok(match (row.get(0)?, Owned::of(row.get_ref(1)?)) {
            (true, Owned::Blob(text)) => Owned::Text(text),
            (_, value) => value,
        })
    };
    connection.query_row(&sql, [rowid], read).optional().ok().flatten()
}
