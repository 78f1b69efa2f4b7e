//! What SQLite itself says of a database: `integrity_check` and `foreign_key_check`.

use std::collections::BTreeMap;

use rusqlite::{Connection, Result};

/// How many messages of `integrity_check` are asked for.
const MESSAGES: u32 = 100;

/// The messages of `integrity_check`; empty where all is well. They name tables, indexes and pages, no values.
///
/// # Errors
/// When the check cannot run.
pub fn check(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({MESSAGES})"))?;
    let messages = statement.query_map([], |row| row.get::<_, String>(0))?;
    messages.filter(|message| message.as_ref().map_or(true, |message| message != "ok")).collect()
}

/// Rows that refer to a parent row that does not exist, by (child table, parent table).
pub type Violations = BTreeMap<(String, String), u64>;

/// Counts the rows of this child table that violate a foreign key, by parent table.
///
/// # Errors
/// When the check cannot run, for example because a parent has no unique key that a foreign key can refer to.
pub fn violations(connection: &Connection, child: &str) -> Result<Violations> {
    let mut statement =
        connection.prepare("SELECT \"table\", \"parent\", count(*) FROM pragma_foreign_key_check(?1) GROUP BY 1, 2")?;
    let rows =
        statement.query_map([child], |row| Ok(((row.get(0)?, row.get(1)?), row.get::<_, i64>(2)?.unsigned_abs())))?;
    rows.collect()
}
