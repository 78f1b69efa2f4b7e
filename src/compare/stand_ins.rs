//! Views that have the name of a table that was renamed: who reads that name gets what the view shows.

use rusqlite::Connection;

use super::lineage::{Change, Pair};
use crate::schema::Schema;
use crate::schema::lexer::quote_identifier;

/// A view in the place of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandIn {
    /// What the table was called, and the view is called.
    pub name: String,
    /// What the table is called after.
    pub table: String,
    /// Rows that the view shows.
    pub rows: u64,
}

/// The views of the state after that have the name of a renamed table. One that cannot be read is left out: it is a broken view.
pub(super) fn of(pairs: &[Pair], after: &Schema, connection: &Connection) -> Vec<StandIn> {
    let renamed = pairs.iter().filter(|pair| pair.change == Change::Renamed);
    let replaced = renamed.filter_map(|pair| {
        let (name, table) = (pair.before.clone()?, pair.after.clone()?);
        after.views.contains_key(&name.to_ascii_lowercase()).then_some((name, table))
    });
    let stand_in = |(name, table): (String, String)| {
        let sql = format!("SELECT count(*) FROM {}", quote_identifier(&name));
        let rows = connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs).ok()?;
        Some(StandIn { name, table, rows })
    };
    replaced.filter_map(stand_in).collect()
}
