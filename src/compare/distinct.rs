//! Values that were all different and are not any more.

use std::collections::HashSet;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};
use xxhash_rust::xxh3::xxh3_128;

use super::merge::{self, Row as _, Source as _};
use super::rows::{Collapse, ColumnComparison, Field, Key, RowComparison, Side, class};
use super::stored::StoredRows;
use super::{States, takeover};
use crate::profile::{ColumnProfile, TableProfile};
use crate::schema::lexer::quote_identifier;

/// Counts how many values differ in the rows that are on both sides, for every column that had only different values, none of
/// them a real, and in which some changed.
///
/// # Errors
/// When SQLite cannot read a side.
pub(super) fn find_collapsed(
    states: States<'_>,
    (before, held): (Side<'_>, &TableProfile),
    (after, holds): (Side<'_>, &TableProfile),
    mut rows: RowComparison,
) -> Result<RowComparison> {
    let both =
        if rows.gained > 0 && rows.columns.iter().any(became_something) { takeover::attached(states)? } else { None };
    let key = rows.key.clone();
    for column in rows.columns.iter_mut().filter(|column| became_something(column)) {
        let Some(had) = held.column(&column.before) else { continue };
        let is_key_like = had.values() >= 2 && had.reals == 0;
        if !is_key_like || !all_differ(before, &column.before, had.values(), states.memory)? {
            continue;
        }
        let (values, distinct) = match (&both, rows.gained) {
            (_, 0) => (
                holds.column(&column.after).map_or(0, ColumnProfile::values),
                distinct_in(after, &column.after, states.memory)?,
            ),
            (Some(both), _) => of_survivors(both, before, after, &key, &column.after)?,
            (None, _) => continue,
        };
        let values = values.saturating_sub(column.filled);
        column.collapsed = (distinct < values).then_some(Collapse { values, distinct });
    }
    Ok(rows)
}

/// Whether values became others that are not NULL.
fn became_something(column: &ColumnComparison) -> bool {
    column.changed > column.nulled
}

/// The values that are not NULL in the rows that are on both sides, and how many of them differ.
fn of_survivors(both: &Connection, before: Side<'_>, after: Side<'_>, key: &Key, column: &str) -> Result<(u64, u64)> {
    let pairs: Vec<(String, String)> = match key {
        Key::Columns(pairs) => pairs.iter().map(|(old, new)| (quote_identifier(old), quote_identifier(new))).collect(),
        Key::Rowid(old, new) => vec![((*old).to_owned(), (*new).to_owned())],
        Key::Content => Vec::new(),
    };
    let on: Vec<String> = pairs.iter().map(|(old, new)| format!("b.{old} = +a.{new} COLLATE BINARY")).collect();
    let (old, new) = (quote_identifier(&before.table.name), quote_identifier(&after.table.name));
    let survivors = format!(
        "(SELECT a.* FROM new.{new} AS a WHERE EXISTS (SELECT 1 FROM old.{old} AS b WHERE {}))",
        if on.is_empty() { "true".to_owned() } else { on.join(" AND ") }
    );
    let values = format!("SELECT count({}) FROM {survivors}", quote_identifier(column));
    let count = both.query_row(&values, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)?;
    Ok((count, distinct(both, column, &survivors)?))
}

/// Whether no two of the column's values are the same, of which there are so many. The search ends with the first that are.
fn all_differ(side: Side<'_>, column: &str, values: u64, memory: u64) -> Result<bool> {
    let name = quote_identifier(&side.table.name);
    match prints(side, column, memory, true) {
        Some(Prints { has_twice, .. }) => Ok(!has_twice),
        None => Ok(distinct(side.connection, column, &name)? == values),
    }
}

/// How many different values stand in the column of the table.
fn distinct_in(side: Side<'_>, column: &str, memory: u64) -> Result<u64> {
    match prints(side, column, memory, false) {
        Some(prints) => Ok(prints.seen.len() as u64),
        None => distinct(side.connection, column, &quote_identifier(&side.table.name)),
    }
}

/// Fingerprints of the values of a column that are not NULL.
#[derive(Default)]
struct Prints {
    seen: HashSet<u128>,
    has_twice: bool,
}

/// None where the file does not tell, or memory is not enough.
fn prints(side: Side<'_>, column: &str, memory: u64, until_twice: bool) -> Option<Prints> {
    // A set takes up to this much for each, and twice that while it grows.
    const ENTRY: u64 = 64;
    let mut rows = StoredRows::new(side.stored?, &[Field::Column(column.to_owned())], false)?;
    let mut prints = Prints::default();
    let mut content = Vec::new();
    loop {
        rows.advance().ok()?;
        let Some(row) = rows.row() else { return Some(prints) };
        let value = row.value(0).ok()?;
        if value == ValueRef::Null {
            continue;
        }
        content.clear();
        merge::write_value(value, &mut content);
        if !prints.seen.insert(xxh3_128(&content)) {
            prints.has_twice = true;
            if until_twice {
                return Some(prints);
            }
        }
        if prints.seen.len() as u64 * ENTRY > memory {
            return None;
        }
    }
}

/// How many different values stand in the column, NULL excluded: by storage class and bytes.
fn distinct(connection: &Connection, column: &str, from: &str) -> Result<u64> {
    let column = quote_identifier(column);
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM {from} WHERE {column} IS NOT NULL GROUP BY {column} COLLATE BINARY, {})",
        class(&column)
    );
    connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}
