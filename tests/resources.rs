//! What a run takes is counted: compared with what the file system says of a plain file on which the same statements run.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rehearse::observer::Silent;
use rehearse::snapshot::meter::Meter;
use rehearse::snapshot::overlay::Overlay;
use rehearse::snapshot::{Bounds, DiskCopy, Extent, Reading, Session, Snapshot, Source, WorkingCopy, Workspace};
use rehearse::sqlite_file::pages::FilePages;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

const FLAGS: OpenFlags = OpenFlags::SQLITE_OPEN_READ_WRITE.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// Some hundred pages.
const ROWS: &str = "
    CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT UNIQUE, v BLOB);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
    INSERT INTO t SELECT i, 'k' || i, zeroblob(500) FROM n;";

/// A small cache, so that pages are written before the commit; statements that use every kind of file.
const STATEMENTS: [&str; 9] = [
    "BEGIN",
    "UPDATE t SET v = zeroblob(600)",
    "CREATE TABLE __new_t (id INTEGER PRIMARY KEY, k TEXT UNIQUE, v BLOB, w TEXT)",
    "INSERT INTO __new_t SELECT id, k, v, 'x' FROM t ORDER BY v, k DESC",
    "DROP TABLE t",
    "ALTER TABLE __new_t RENAME TO t",
    "CREATE INDEX i ON t (w, v)",
    "COMMIT",
    "VACUUM",
];

struct Place(TempDir);

impl Place {
    fn new(mode: &str) -> Self {
        let place = Self(tempfile::tempdir().unwrap());
        let base = create(&place.path("base.db"));
        base.execute_batch(ROWS).unwrap();
        base.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |_| Ok(())).unwrap();
        place
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn overlay(&self) -> Overlay {
        let base = FilePages::new(File::open(self.path("base.db")).unwrap(), None).unwrap();
        Overlay::new("base.db", Arc::new(base), self.0.path()).unwrap()
    }

    /// The session of a copy on the disk, and what keeps it.
    fn on_disk(&self) -> (Session, DiskCopy, Workspace) {
        let workspace = Workspace::create(Some(self.0.path())).unwrap();
        let given = Source::File(self.path("base.db")).fetch(&workspace, Extent::BySize, &Silent).unwrap();
        let snapshot = Snapshot::open(&given, &workspace, Reading::InPlace, Extent::BySize, &Silent).unwrap();
        let copy = WorkingCopy::of(&snapshot, &workspace, "copy").unwrap();
        let copy = DiskCopy::of(copy, 0, Bounds::default(), &workspace, &Silent).unwrap();
        (copy.open(Duration::ZERO).unwrap(), copy, workspace)
    }
}

fn create(path: &Path) -> Connection {
    Connection::open_with_flags(path, FLAGS | OpenFlags::SQLITE_OPEN_CREATE).unwrap()
}

fn tune(connection: &Connection) {
    connection.execute_batch("PRAGMA cache_size = 50; PRAGMA synchronous = FULL").unwrap();
}

/// What the files of a database hold now.
fn held(database: &Path) -> u64 {
    let beside = |suffix: &str| PathBuf::from(format!("{}{suffix}", database.display()));
    let len = |path: PathBuf| path.metadata().map_or(0, |file| file.len());
    ["", "-journal", "-wal", "-shm"].map(beside).map(len).iter().sum()
}

#[test]
fn the_files_are_as_large_as_the_meter_says() {
    for mode in ["delete", "persist", "truncate", "wal"] {
        let place = Place::new(mode);
        let plain = place.path("plain.db");
        std::fs::write(&plain, std::fs::read(place.path("base.db")).unwrap()).unwrap();
        let (plain, path) = (create(&plain), plain);
        let overlay = place.overlay();
        let over = overlay.open(FLAGS).unwrap();
        for connection in [&plain, &over] {
            connection.query_row(&format!("PRAGMA journal_mode = {mode}"), [], |_| Ok(())).unwrap();
            tune(connection);
        }
        overlay.meter().begin();
        let mut peak = overlay.meter().sizes().peak;
        for sql in STATEMENTS {
            for connection in [&plain, &over] {
                connection.execute_batch(sql).unwrap();
            }
            let taken = overlay.meter().take();
            peak = peak.max(taken.peak);
            assert_eq!(overlay.meter().now().0, held(&path), "{mode}: {sql}");
            assert!(taken.peak >= held(&path), "{mode}: {sql}");
        }
        let sizes = overlay.meter().sizes();
        assert_eq!(sizes.peak, peak, "{mode}");
        assert!(sizes.log_peak > 0 && sizes.temporary_peak > 0 && sizes.written > sizes.peak - sizes.begin, "{mode}");
    }
}

#[test]
fn on_the_disk_the_same_is_counted() {
    for mode in ["delete", "wal"] {
        let place = Place::new(mode);
        let overlay = place.overlay();
        let over = overlay.open(FLAGS).unwrap();
        let (session, copy, _workspace) = place.on_disk();
        let meter = session.meter().unwrap();
        for (connection, meter) in [(&over, overlay.meter()), (&session.connection, meter)] {
            tune(connection);
            meter.begin();
            for (place, sql) in STATEMENTS.iter().enumerate() {
                meter.at(place);
                connection.execute_batch(sql).unwrap();
            }
        }
        assert_eq!(meter.sizes(), overlay.meter().sizes(), "{mode}");
        for meter in [meter, overlay.meter()] {
            assert_locks(meter, mode);
        }
        drop(session);
        drop(copy);
    }
}

/// The longest lock is that of the transaction or that of the VACUUM behind it.
fn assert_locks(meter: &Meter, mode: &str) {
    let (write, shut) = (meter.write_lock(), meter.shut_out());
    assert!(write.times >= 2 && write.longest > Duration::ZERO && write.total >= write.longest, "{mode}: {write:?}");
    assert!((write.from, write.to) == (1, 7) || (write.from, write.to) == (8, 8), "{mode}: {write:?}");
    if mode == "wal" {
        assert_eq!(shut.times, 0, "readers read on in WAL mode");
    } else {
        assert!(shut.longest > Duration::ZERO && shut.longest <= write.longest, "{shut:?} {write:?}");
    }
}

#[test]
fn in_rollback_mode_readers_are_shut_out_when_the_cache_is_full_and_not_before() {
    let place = Place::new("delete");
    for (cache, from) in [(50, 1), (100_000, 3)] {
        let overlay = place.overlay();
        let connection = overlay.open(FLAGS).unwrap();
        connection.execute_batch(&format!("PRAGMA cache_size = {cache}")).unwrap();
        let reader = overlay.open(FLAGS).unwrap();
        reader.busy_timeout(Duration::ZERO).unwrap();
        overlay.meter().begin();
        for (place, sql) in ["BEGIN", "UPDATE t SET v = zeroblob(600)", "SELECT 1", "COMMIT"].iter().enumerate() {
            overlay.meter().at(place);
            connection.query_row(sql, [], |_| Ok(())).ok();
            let is_shut_out = reader.query_row("PRAGMA schema_version", [], |_| Ok(())).is_err();
            assert_eq!(is_shut_out, (from..3).contains(&place), "{cache}: {sql}");
        }
        let shut = overlay.meter().shut_out();
        assert_eq!((shut.times, shut.from, shut.to), (1, from, 3), "{cache}");
        assert_eq!((overlay.meter().write_lock().from, overlay.meter().write_lock().to), (1, 3), "{cache}");
    }
}

#[test]
fn temporary_files_are_counted_while_they_are_open() {
    let place = Place::new("delete");
    let overlay = place.overlay();
    let connection = overlay.open(FLAGS).unwrap();
    connection.execute_batch("PRAGMA cache_size = 10; PRAGMA temp.cache_size = 10").unwrap();
    overlay.meter().begin();
    connection.execute_batch("CREATE TEMP TABLE s AS SELECT v FROM t; BEGIN").unwrap();
    let sizes = overlay.meter().sizes();
    assert!(sizes.temporary_peak >= 1500 * 500 && sizes.peak - sizes.begin >= sizes.temporary_peak, "{sizes:?}");
    assert!(overlay.meter().now().1 >= 1500 * 500);
    drop(connection);
    assert_eq!(overlay.meter().now(), (sizes.begin, 0));
}

const HOLD: Duration = Duration::from_millis(400);

#[test]
fn an_app_beside_the_migrations_waits_while_the_lock_is_held() {
    for mode in ["delete", "wal"] {
        let place = Place::new(mode);
        let (session, copy, _workspace) = place.on_disk();
        session.connection.busy_timeout(Duration::from_secs(5)).unwrap();
        let app = copy.bystanders().unwrap();
        let meter = session.meter().unwrap();
        meter.begin();
        meter.at(7);
        session.connection.execute_batch("BEGIN EXCLUSIVE; UPDATE t SET v = NULL WHERE id = 1").unwrap();
        // Long enough that both come by on the busiest machine.
        std::thread::sleep(HOLD);
        session.connection.execute_batch("COMMIT").unwrap();
        let [reader, writer] = app.end();
        assert_eq!((&reader.error, &writer.error), (&None, &None));
        assert!(reader.tries >= 1 && writer.waited >= 1, "{mode}: {reader:?} {writer:?}");
        let wait = writer.longest.unwrap();
        assert!(wait.time > Duration::ZERO && wait.place <= 7, "{mode}: {writer:?}");
        // In WAL mode EXCLUSIVE keeps out no reader: one waits for a moment at most, while the log is begun or copied.
        let longest = reader.longest.map_or(Duration::ZERO, |wait| wait.time);
        assert!(if mode == "delete" { reader.waited > 0 } else { longest < HOLD }, "{mode}: {reader:?}");
        assert!(meter.write_lock().longest >= HOLD && (meter.shut_out().longest >= HOLD) == (mode == "delete"));
    }
}
