//! Rows as SQLite gives them, sorted by a key.

use rusqlite::types::ValueRef;
// The cursor is stepped by hand, so that it keeps its current row.
use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator;
use rusqlite::{Error, Result, Rows, Statement};

use super::merge::{Row, Source, Stop};
use super::rows::{Field, Side, Tables, class};
use super::translation::FUNCTION;
use crate::schema::lexer::quote_identifier;
use crate::sqlite_file::header::TextEncoding;

/// Rows of a statement made by [`select`].
pub(super) struct SortedRows<'s> {
    rows: Rows<'s>,
    /// Whether text is read as bytes.
    bytes: bool,
}

impl<'s> SortedRows<'s> {
    pub fn new(statement: &'s mut Statement<'_>, bytes: bool) -> Result<Self> {
        Ok(Self { rows: statement.query([])?, bytes })
    }
}

impl Row for SortedRows<'_> {
    fn value(&self, index: usize) -> std::result::Result<ValueRef<'_>, Stop> {
        let row = self.rows.get().ok_or(Error::QueryReturnedNoRows)?;
        if !self.bytes {
            return Ok(row.get_ref(index)?);
        }
        Ok(match (row.get_ref(2 * index)?, row.get_ref(2 * index + 1)?) {
            (ValueRef::Blob(bytes), ValueRef::Integer(1)) => ValueRef::Text(bytes),
            (value, _) => value,
        })
    }
}

impl Source for SortedRows<'_> {
    fn advance(&mut self) -> std::result::Result<(), Stop> {
        Ok(self.rows.advance()?)
    }

    fn is_at_row(&self) -> bool {
        self.rows.get().is_some()
    }
}

/// Whether text is read as bytes: SQLite would translate that of a UTF-16 database, and cannot translate all of it back.
pub(super) fn reads_bytes(tables: &Tables<'_>) -> bool {
    [tables.before.encoding, tables.after.encoding].iter().any(|encoding| *encoding != TextEncoding::Utf8)
}

/// The fields, the first `width` of which are the key, sorted by it. Where text is read as bytes, behind each value stands whether
/// it is text; what is translated is sorted by its translation.
/// `exact` sorts `1` before `1.0` and `0.0` before `-0.0`, which SQLite takes for equal.
pub(super) fn select<'c>(
    tables: &Tables<'_>,
    side: Side<'c>,
    width: usize,
    fields: &[Field],
    exact: bool,
) -> Result<Statement<'c>> {
    let names: Vec<String> = fields.iter().map(Field::sql).collect();
    let key = &names[..width];
    let translated = side.encoding != tables.encoding;
    let bytes = |column: &String| {
        let function = if translated { FUNCTION } else { "" };
        format!("iif(typeof({column}) = 'text', {function}(CAST({column} AS BLOB)), {column})")
    };
    let with_flag = |column: &String| format!("{}, typeof({column}) = 'text'", bytes(column));
    let selected = names.iter().map(|column| if reads_bytes(tables) { with_flag(column) } else { column.clone() });
    let by_bytes = |column: &String| format!("typeof({column}) = 'blob', {}", bytes(column));
    let stored = |column: &String| format!("{column} COLLATE BINARY");
    let order = key.iter().map(|column| if translated { by_bytes(column) } else { stored(column) });
    let order: Vec<String> = order.chain(key.iter().filter(|_| exact).map(|column| class(column))).collect();
    side.connection.prepare(&format!(
        "SELECT {} FROM {} ORDER BY {}",
        selected.collect::<Vec<_>>().join(", "),
        quote_identifier(&side.table.name),
        order.join(", ")
    ))
}
