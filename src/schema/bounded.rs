//! Expressions of a schema, such as CHECKs and generated columns, are evaluated for every row, and can ask for values of a gigabyte.

use rusqlite::limits::Limit;
use rusqlite::{Connection, Result};

/// Bytes that a value may have in however small a database.
const LEAST: i64 = 1 << 20;

/// How much longer than the whole database a value may be that is computed from what is in it.
const TIMES: i64 = 8;

/// Does `work` while nothing on the connection makes a value that is far longer than its database: it fails instead, as too big.
///
/// # Errors
/// Those of `work`.
pub fn bounded<T>(connection: &Connection, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let bytes = pragma("page_count")?.saturating_mul(pragma("page_size")?);
    let most = connection.limit(Limit::SQLITE_LIMIT_LENGTH)?;
    let longest = i32::try_from(bytes.saturating_mul(TIMES).max(LEAST)).unwrap_or(i32::MAX).min(most);
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, longest)?;
    let done = work();
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, most)?;
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_is_longer_than_the_database_is_refused_only_meanwhile() {
        let connection = Connection::open_in_memory().unwrap();
        let bytes =
            |count: u32| connection.query_row("SELECT length(zeroblob(?1))", [count], |row| row.get::<_, u32>(0));
        assert_eq!(bounded(&connection, || bytes(1_000_000)), Ok(1_000_000));
        assert!(bounded(&connection, || bytes(2_000_000)).is_err());
        assert_eq!(bytes(2_000_000), Ok(2_000_000));
    }
}
