//! A database with the schema of another one and no rows: does a migration fail because of the data?

use rusqlite::{Connection, Result};

/// Creates the tables, indexes, triggers and views of `model` in a database in which there is nothing yet. A definition is run as the
/// one statement that it must be: what a hostile database has behind it is refused.
///
/// # Errors
/// When an object cannot be created, for example a virtual table whose module is missing.
pub fn fill(empty: &Connection, model: &Connection) -> Result<()> {
    empty.pragma_update(None, "foreign_keys", false)?;
    // Tables first, in the order in which they were created; shadow tables come with their virtual tables.
    let mut statement = model.prepare(
        "SELECT s.sql FROM sqlite_schema s LEFT JOIN pragma_table_list l ON l.name = s.name AND l.schema = 'main' \
         WHERE s.sql IS NOT NULL AND coalesce(l.type, '') <> 'shadow' AND s.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
         ORDER BY s.type <> 'table', s.rowid",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        empty.execute(&row.get::<_, String>(0)?, [])?;
    }
    Ok(())
}
