//! How connections to databases are opened: never in a way that creates a file.

use std::cell::Cell;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use rusqlite::{Connection, OpenFlags};

use super::confinement::bound_memory;

/// How often, a millisecond apart, a connection tries to get in while an app writes. SQLite's own busy handler tries ever more
/// rarely, and misses the short gaps that a busy app leaves.
const TRIES: i32 = 10_000;

/// The steps of SQLite's machine after which it is looked at the clock.
const STEPS: i32 = 100_000;

thread_local! {
    /// When the statement began that this thread began last.
    static BEGUN: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// A state that is only read, by its URI; a statement that takes longer than `time` is interrupted. It is opened as if for writing,
/// because SQLite forgets the CHECK constraints of a read-only database, so that `integrity_check` would pass over them; `query_only`
/// refuses every write.
pub(crate) fn reader(uri: &str, time: Duration) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(uri, flags)?;
    be_patient(&mut connection, time)?;
    connection.pragma_update(None, "query_only", true)?;
    // As in production: without it a view of a full-text table is an error. What its functions reach is nothing but the database.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, true)?;
    bound_memory(&connection)?;
    Ok(connection)
}

/// Interrupts every statement that takes longer.
pub(crate) fn be_patient(connection: &mut Connection, time: Duration) -> rusqlite::Result<()> {
    connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(note_begin))?;
    let is_over = move || BEGUN.get().is_some_and(|begun| begun.elapsed() >= time);
    connection.progress_handler(STEPS, Some(is_over))
}

fn note_begin(_: TraceEvent<'_>) {
    BEGUN.set(Some(Instant::now()));
}

/// The snapshot while an app has it open: `-shm`, the app's lock table, is neither created nor written.
pub(super) fn live(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = open(path, "mode=ro&readonly_shm=1", OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_handler(Some(|tries| {
        std::thread::sleep(Duration::from_millis(1));
        tries < TRIES
    }))?;
    Ok(connection)
}

/// A private copy that SQLite may recover, checkpoint or fill.
pub(super) fn private(path: &Path) -> rusqlite::Result<Connection> {
    open(path, "mode=rw", OpenFlags::SQLITE_OPEN_READ_WRITE)
}

/// The same through another file system of SQLite's.
pub(super) fn private_through(vfs: &str, path: &Path) -> rusqlite::Result<Connection> {
    open(path, &format!("mode=rw&vfs={vfs}"), OpenFlags::SQLITE_OPEN_READ_WRITE)
}

fn open(path: &Path, parameters: &str, mode: OpenFlags) -> rusqlite::Result<Connection> {
    let flags = mode | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(format!("{}?{parameters}", uri(path)), flags)
}

/// The path as a `file:` URI (<https://sqlite.org/uri.html>). Every byte but the plainest is escaped, so that `?`, `#`, `%` and
/// names that are not UTF-8 keep their meaning.
pub(super) fn uri(path: &Path) -> String {
    let mut uri = String::from("file:");
    for byte in path.as_os_str().as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(byte) {
            uri.push(char::from(*byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
