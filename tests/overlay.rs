//! A database that is read from a base and written apart from it: what SQLite does on it is what it does on a copy of the file.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rehearse::snapshot::overlay::Overlay;
use rehearse::sqlite_file::pages::{FilePages, Pages};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

// ---- helpers

const FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// A folder with a database file in it.
struct Place {
    folder: TempDir,
}

impl Place {
    /// The database is made by `sql`.
    fn new(sql: &str) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        create(&place.base()).execute_batch(sql).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn base(&self) -> PathBuf {
        self.path("base.db")
    }

    fn overlay(&self) -> Overlay {
        Overlay::new("base.db", pages(&self.base()), self.folder.path()).unwrap()
    }
}

fn create(path: &Path) -> Connection {
    Connection::open_with_flags(path, FLAGS | OpenFlags::SQLITE_OPEN_CREATE).unwrap()
}

fn pages(path: &Path) -> Arc<dyn Pages + Send + Sync> {
    Arc::new(FilePages::new(File::open(path).unwrap(), None).unwrap())
}

fn one(connection: &Connection, sql: &str) -> String {
    connection.query_row(sql, [], |row| row.get::<_, rusqlite::types::Value>(0)).map_or_else(
        |error| error.to_string(),
        |value| match value {
            rusqlite::types::Value::Text(text) => text,
            rusqlite::types::Value::Integer(number) => number.to_string(),
            other => format!("{other:?}"),
        },
    )
}

/// A thousand rows with an index.
const THOUSAND: &str = "
    CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT UNIQUE, v BLOB);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
    INSERT INTO t SELECT i, 'k' || i, zeroblob(200) FROM n;";

// ---- what it is

#[test]
fn what_is_written_stays_apart_from_the_base() {
    for mode in ["delete", "truncate", "persist", "memory", "off", "wal"] {
        let place = Place::new(THOUSAND);
        let before = std::fs::read(place.base()).unwrap();
        let overlay = place.overlay();
        let connection = overlay.open(FLAGS).unwrap();
        assert_eq!(one(&connection, &format!("PRAGMA journal_mode = {mode}")), mode);
        connection.execute_batch("DELETE FROM t WHERE id % 2; UPDATE t SET v = id; VACUUM").unwrap();
        assert_eq!(one(&connection, "SELECT count(*) || ' ' || sum(v) FROM t"), "500 250500");
        assert_eq!(one(&overlay.open(FLAGS).unwrap(), "SELECT count(*) FROM t"), "500");
        connection.execute_batch("PRAGMA wal_checkpoint").unwrap();
        overlay.write_to(&mut File::create(place.path("after.db")).unwrap()).unwrap();
        assert_eq!(one(&create(&place.path("after.db")), "SELECT count(*) FROM t"), "500", "{mode}");
        assert_eq!(one(&create(&place.path("after.db")), "PRAGMA integrity_check"), "ok", "{mode}");
        assert!(overlay.written() > 0);
        assert_eq!(std::fs::read(place.base()).unwrap(), before);
    }
}

#[test]
fn the_database_can_be_attached_and_no_other() {
    let place = Place::new(THOUSAND);
    let overlay = place.overlay();
    let connection = Connection::open_in_memory().unwrap();
    connection.execute("ATTACH ?1 AS o", [overlay.uri()]).unwrap();
    connection.execute_batch("DELETE FROM o.t WHERE id > 10").unwrap();
    assert_eq!(one(&overlay.open(FLAGS).unwrap(), "SELECT count(*) FROM t"), "10");

    let inside = overlay.open(FLAGS | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI).unwrap();
    let other = place.path("other.db");
    for name in [place.base(), other.clone(), PathBuf::from("other.db")] {
        let name = name.display().to_string();
        let error = inside.execute("ATTACH ?1 AS x", [&name]).unwrap_err();
        assert_eq!(error.to_string(), format!("unable to open database: {name}"));
    }
    let error = inside.execute("VACUUM INTO ?1", [other.display().to_string()]).unwrap_err();
    assert!(error.to_string().contains("unable to open database"), "{error}");
    assert!(!other.exists());
}

#[test]
fn it_is_gone_with_its_last_handle_and_connection() {
    let place = Place::new(THOUSAND);
    let overlay = place.overlay();
    let uri = overlay.uri();
    let connection = overlay.open(FLAGS).unwrap();
    drop(overlay);
    let other = Connection::open_with_flags(&uri, FLAGS | OpenFlags::SQLITE_OPEN_URI).unwrap();
    drop(connection);
    assert_eq!(one(&other, "SELECT count(*) FROM t"), "1000");
    drop(other);
    assert!(Connection::open_with_flags(&uri, FLAGS | OpenFlags::SQLITE_OPEN_URI).is_err());
    let next = place.overlay();
    assert!(Connection::open_with_flags(&uri, FLAGS | OpenFlags::SQLITE_OPEN_URI).is_err());
    assert_ne!(next.uri(), uri);
}
