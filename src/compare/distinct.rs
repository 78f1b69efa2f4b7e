//! Values that were all different and are not any more.

use rusqlite::{Connection, Result};

use super::rows::{Collapse, ColumnComparison, Key, RowComparison, Side, class};
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
        if !is_key_like
            || distinct(before.connection, &column.before, &quote_identifier(&before.table.name))? < had.values()
        {
            continue;
        }
        let (values, distinct) = match (&both, rows.gained) {
            (_, 0) => (
                holds.column(&column.after).map_or(0, ColumnProfile::values),
                distinct(after.connection, &column.after, &quote_identifier(&after.table.name))?,
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

/// How many different values stand in the column, NULL excluded: by storage class and bytes.
fn distinct(connection: &Connection, column: &str, from: &str) -> Result<u64> {
    let column = quote_identifier(column);
    let sql = format!(
        "SELECT count(*) FROM (SELECT 1 FROM {from} WHERE {column} IS NOT NULL GROUP BY {column} COLLATE BINARY, {})",
        class(&column)
    );
    connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}
