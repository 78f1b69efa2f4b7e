//! Turns the private copy of the files into one file with one consistent state, as the next connection in production would.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, ffi};

use super::connection;
use super::location::{Location, beside};
use super::recognize::refused;
use super::workspace;
use crate::error::Error;
use crate::schema::expansion;
use crate::sqlite_file::header::Header;
use crate::sqlite_file::pages::Pages;

/// What SQLite may add to a file where a write fills a sector of the disk up; in bytes.
const SECTOR: u64 = 65536;

/// Brings the WAL into the copy, or rolls back with the hot journal. The journal mode stays what it was.
pub(super) fn settle(location: &Location, copy: &Path) -> Result<(), Error> {
    let sidecars = ["-wal", "-journal"].map(|suffix| beside(copy, suffix));
    if !sidecars.iter().any(|sidecar| sidecar.exists()) {
        return Ok(());
    }
    // SQLite removes them.
    for sidecar in &sidecars {
        workspace::keep_to_shred(sidecar).map_err(|error| location.error(error))?;
    }
    let bytes = |path: &Path| path.metadata().map_or(0, |metadata| metadata.len());
    let before: u64 = bytes(copy) + sidecars.iter().map(|sidecar| bytes(sidecar)).sum::<u64>();
    connection::private(copy).and_then(into_one_file).map_err(|error| unreadable(location, &error))?;
    // A journal also says how many pages there were.
    let after = bytes(copy);
    if after == 0 {
        let cause = "it is empty once its journal is rolled back: it was copied while it was filled for the first time";
        return Err(refused(location, cause).hint(format!("copy it again, with {}", location.backup_command())));
    }
    if after > before.saturating_add(SECTOR) {
        let cause = format!("it is damaged: its journal makes a database of {after} bytes of files of {before} bytes");
        return Err(refused(location, cause));
    }
    Ok(())
}

/// The header of the consistent state.
pub(super) fn header(location: &Location, pages: &dyn Pages) -> Result<Header, Error> {
    let damaged = |error: &dyn std::fmt::Display| refused(location, format!("it is damaged: {error}"));
    let mut first = vec![0; pages.layout().page_size as usize];
    pages.read(1, &mut first).map_err(|error| damaged(&error))?;
    Header::parse(&first).map_err(|error| damaged(&error))
}

/// Reads the schema too, so that a damaged one is found here.
pub(super) fn connect(location: &Location, uri: &str, time: Duration) -> Result<Connection, Error> {
    let readable = |connection: Connection| {
        connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
        Ok(connection)
    };
    connection::reader(uri, time).and_then(readable).map_err(|error| unreadable(location, &error))
}

/// Refuses a schema that SQLite would never be done with.
pub(super) fn check(location: &Location, connection: &Connection) -> Result<(), Error> {
    expansion::check(connection).map_err(|error| unreadable(location, &error))
}

/// Brings everything into one file. Reading the header is enough for SQLite to recover; the schema may be damaged. Closing the
/// only connection, which this is, removes the sidecars.
pub(super) fn into_one_file(connection: Connection) -> rusqlite::Result<()> {
    connection.query_row("PRAGMA schema_version", [], |_| Ok(()))?;
    // The log is not cut off: what it holds may have to be overwritten.
    let is_busy: bool = match connection.query_row("PRAGMA wal_checkpoint(FULL)", [], |row| row.get(0)) {
        // It wants to read the schema; closing the connection does the same without.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => false,
        is_busy => is_busy?,
    };
    if is_busy {
        let busy = ffi::Error::new(ffi::SQLITE_BUSY);
        return Err(rusqlite::Error::SqliteFailure(busy, Some("another connection is open on the copy".into())));
    }
    connection.close().map_err(|(_, error)| error)
}

fn unreadable(location: &Location, error: &rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => {
            refused(location, format!("SQLite does not accept it: {error}; it may be encrypted or damaged"))
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            let recover = format!("save what is left with `sqlite3 {} .recover`", location.given.display());
            location.doubting_the_log(location.error(format!("it is damaged: {error}"))).hint(recover)
        }
        _ => location.error(error),
    }
}
