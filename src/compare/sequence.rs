//! How far AUTOINCREMENT has counted.

use rusqlite::{Connection, Result};

use crate::schema::lexer::quote_identifier;

/// The highest id that SQLite takes for given out: what `sqlite_sequence` says, or the highest one that is there. 0 where
/// there is none. Source: <https://sqlite.org/autoinc.html>.
pub(super) fn last_id(connection: &Connection, table: &str, key: &str) -> Result<i64> {
    let sql = format!(
        "SELECT max(coalesce((SELECT max(CAST(seq AS INTEGER)) FROM main.sqlite_sequence WHERE name = ?1), 0), \
         coalesce((SELECT max({}) FROM main.{}), 0))",
        quote_identifier(key),
        quote_identifier(table)
    );
    connection.query_row(&sql, [table], |row| row.get(0))
}
