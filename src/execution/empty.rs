//! A database with the schema of another one and no rows: does a migration fail because of the data?

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Result};

/// Creates at `path` a database with the tables, indexes, triggers and views of `model`, and gives a connection to it.
///
/// # Errors
/// When an object cannot be created, for example a virtual table whose module is missing.
pub fn create(path: &Path, model: &Connection) -> Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    let encoding: String = model.query_row("PRAGMA encoding", [], |row| row.get(0))?;
    connection.execute_batch(&format!("PRAGMA encoding = '{encoding}'; PRAGMA foreign_keys = OFF"))?;
    // Tables first, in the order in which they were created; shadow tables come with their virtual tables.
    let mut statement = model.prepare(
        "SELECT s.sql FROM sqlite_schema s LEFT JOIN pragma_table_list l ON l.name = s.name AND l.schema = 'main' \
         WHERE s.sql IS NOT NULL AND coalesce(l.type, '') <> 'shadow' AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         ORDER BY s.type <> 'table', s.rowid",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        connection.execute_batch(&row.get::<_, String>(0)?)?;
    }
    Ok(connection)
}
