//! The rows of `sqlite_schema`, whose root is page 1.
//!
//! Source: <https://sqlite.org/fileformat2.html#storage_of_the_sql_database_schema>, §2.6.

use rusqlite::types::ValueRef;

use super::btree;
use super::error::{Fault, ReadError};
use super::header::TextEncoding;
use super::pages::Pages;
use super::rows::TableRows;
use super::shape::Shape;

/// A row of `sqlite_schema`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaRow {
    /// `table`, `index`, `view` or `trigger`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The table it belongs to.
    pub table: String,
    /// The root of its tree; 0 where it has none.
    pub root_page: u32,
    /// The statement that created it; none of the indexes that constraints made.
    pub sql: Option<String>,
}

/// Reads the schema, in the order of its rowids. Text that is not valid in its encoding has replacement characters.
///
/// # Errors
/// When a page cannot be read or is malformed.
pub fn schema_rows(pages: &dyn Pages) -> Result<Vec<SchemaRow>, ReadError> {
    let encoding = pages.layout().encoding;
    let shape = Shape::plain(5);
    let mut rows = TableRows::new(pages, btree::leaves(pages, 1)?.leaves, &shape);
    let mut schema = Vec::new();
    while rows.advance()? {
        let text = |column| match rows.value(column)? {
            Some(ValueRef::Text(bytes)) => Ok(Some(decode(bytes, encoding))),
            Some(ValueRef::Null) | None => Ok(None),
            Some(_) => Err(ReadError::from(Fault::Schema.of(rows.leaf()))),
        };
        let root_page = match rows.value(3)? {
            Some(ValueRef::Integer(page)) => u32::try_from(page).map_err(|_| Fault::Schema.of(rows.leaf()))?,
            Some(ValueRef::Null) | None => 0,
            Some(_) => return Err(Fault::Schema.of(rows.leaf()).into()),
        };
        schema.push(SchemaRow {
            kind: text(0)?.unwrap_or_default(),
            name: text(1)?.unwrap_or_default(),
            table: text(2)?.unwrap_or_default(),
            root_page,
            sql: text(4)?,
        });
    }
    Ok(schema)
}

/// Text in the encoding of the database, with replacement characters for what is not valid in it.
#[must_use]
pub fn decode(bytes: &[u8], encoding: TextEncoding) -> String {
    let units = |read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match encoding {
        TextEncoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
        TextEncoding::Utf16Le => units(u16::from_le_bytes),
        TextEncoding::Utf16Be => units(u16::from_be_bytes),
    }
}
