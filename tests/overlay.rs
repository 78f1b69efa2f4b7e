//! A database that is read from a base and written apart from it: what SQLite does on it is what it does on a copy of the file.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rehearse::snapshot::overlay::{Fault, Overlay};
use rehearse::sqlite_file::pages::{FilePages, Layout, Pages};
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
        overlay.write_to(&mut File::create(place.path("after.db")).unwrap(), |_| ()).unwrap();
        assert_eq!(one(&create(&place.path("after.db")), "SELECT count(*) FROM t"), "500", "{mode}");
        assert_eq!(one(&create(&place.path("after.db")), "PRAGMA integrity_check"), "ok", "{mode}");
        assert!(overlay.meter().sizes().written > 0);
        assert_eq!(std::fs::read(place.base()).unwrap(), before);
    }
}

/// A base on a disk that fails behind its first pages.
struct Failing(Arc<dyn Pages + Send + Sync>);

impl Pages for Failing {
    fn layout(&self) -> Layout {
        self.0.layout()
    }

    fn read(&self, first: u32, into: &mut [u8]) -> std::io::Result<()> {
        if first > 10 { Err(std::io::Error::other("the disk fails")) } else { self.0.read(first, into) }
    }
}

#[test]
fn a_base_that_cannot_be_read_is_told() {
    let place = Place::new(THOUSAND);
    let overlay = Overlay::new("base.db", Arc::new(Failing(pages(&place.base()))), place.folder.path()).unwrap();
    let connection = overlay.open(FLAGS).unwrap();
    assert_eq!(one(&connection, "SELECT count(*) FROM sqlite_schema"), "2");
    overlay.check_storage().unwrap();
    assert_eq!(one(&connection, "SELECT sum(length(v)) FROM t"), "disk I/O error");
    assert_eq!(overlay.check_storage().unwrap_err().to_string(), "reading the snapshot: the disk fails");
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
fn a_connection_that_only_reads_does_so() {
    let place = Place::new(THOUSAND);
    let overlay = place.overlay();
    for mode in ["delete", "wal"] {
        let writer = overlay.open(FLAGS).unwrap();
        assert_eq!(one(&writer, &format!("PRAGMA journal_mode = {mode}")), mode);
        writer.execute_batch("DELETE FROM t WHERE id = (SELECT max(id) FROM t)").unwrap();
        let reader = overlay.open(OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        assert_eq!(one(&reader, "SELECT count(*) FROM t"), one(&writer, "SELECT count(*) FROM t"));
        assert_eq!(answer(&reader, "DELETE FROM t"), "attempt to write a readonly database Some(8)");
    }
}

#[test]
fn time_and_random_numbers_are_those_of_the_system() {
    let place = Place::new(THOUSAND);
    let connection = place.overlay().open(FLAGS).unwrap();
    assert_eq!(one(&connection, "SELECT datetime('now') > '2020-01-01'"), "1");
    assert_eq!(one(&connection, "SELECT count(DISTINCT random()) FROM t"), "1000");
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

// ---- the same as on a file

/// The seeds of a test: one with `SEED=…`, more with `CASES=…`.
fn seeds(cases: u64) -> Range<u64> {
    let set = |name: &str| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    match set("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..set("CASES").unwrap_or(cases),
    }
}

/// Numbers from a fixed seed.
struct Random(u64);

impl Random {
    fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }
}

fn base_sql(random: &mut Random) -> String {
    let page_size = random.pick(&[512, 1024, 4096, 4096, 8192, 65536]);
    let encoding = random.pick(&["UTF-8", "UTF-8", "UTF-16le"]);
    let auto_vacuum = random.pick(&["none", "none", "full", "incremental"]);
    let rows = random.pick(&[0, 20, 400, 1500]);
    let mode = random.pick(&["delete", "delete", "wal"]);
    format!(
        "PRAGMA page_size = {page_size}; PRAGMA encoding = '{encoding}'; PRAGMA auto_vacuum = {auto_vacuum};
        PRAGMA journal_mode = {mode};
        CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b INTEGER, c BLOB);
        CREATE UNIQUE INDEX t_a ON t (a);
        CREATE TABLE w (k TEXT, n INTEGER, v, PRIMARY KEY (k, n)) WITHOUT ROWID;
        CREATE TABLE s (id INTEGER PRIMARY KEY AUTOINCREMENT, t INTEGER REFERENCES t ON DELETE CASCADE, x TEXT);
        CREATE VIRTUAL TABLE f USING fts5 (body);
        CREATE TABLE log (what TEXT, id INTEGER);
        {}
        INSERT INTO w SELECT a, b, c FROM t WHERE id % 3 = 0;
        INSERT INTO s (t, x) SELECT id, a FROM t WHERE id % 5 = 0;
        INSERT INTO f SELECT a || ' word' || (id % 17) FROM t WHERE id % 4 = 0;",
        rows_into_t(1, rows, 90),
    )
}

/// Rows with text, numbers and blobs of up to `bytes` bytes; those with a key that is there already are replaced.
fn rows_into_t(from: u64, count: u64, bytes: u64) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT {from} WHERE {count} > 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {from} + {count})
        REPLACE INTO t (id, a, b, c) SELECT i, 'k' || i, i * 7919 % 1000, zeroblob(i * 37 % ({bytes} + 1)) FROM n;"
    )
}

/// A few statements, separated so that each can fail alone.
fn batch(random: &mut Random) -> Vec<String> {
    let (n, m) = (random.below(2000), random.below(9) + 2);
    let sql = match random.below(34) {
        0 => rows_into_t(n, random.pick(&[1, 30, 700]), random.pick(&[0, 90, 3000])),
        1 => format!("UPDATE t SET b = b + 1, c = zeroblob(id % 300) WHERE id % {m} = 0; SELECT sum(b), count(*) FROM t"),
        2 => format!("DELETE FROM t WHERE id % {m} = 0; SELECT count(*) FROM s"),
        3 => format!("PRAGMA foreign_keys = {}; DELETE FROM t WHERE id < {n}; SELECT count(*), max(id) FROM s", n % 2),
        4 | 5 => format!(
            "BEGIN; CREATE TABLE t_new (id INTEGER PRIMARY KEY, a TEXT, b INTEGER NOT NULL DEFAULT 0, c BLOB, d);
            INSERT INTO t_new (id, a, b, c) SELECT id, a, b, c FROM t; DROP TABLE t; ALTER TABLE t_new RENAME TO t;
            CREATE UNIQUE INDEX t_a ON t (a); {}; SELECT count(*), total(length(c)) FROM t",
            random.pick(&["COMMIT", "COMMIT", "ROLLBACK"]),
        ),
        6 => format!(
            "BEGIN; SAVEPOINT one; UPDATE t SET a = a || 'x' WHERE id % {m} = 1; SAVEPOINT two; DELETE FROM w WHERE n > 500;
            ROLLBACK TO {}; RELEASE one; SELECT count(*) FROM w; COMMIT",
            random.pick(&["one", "two"]),
        ),
        // Fails half-way.
        7 => format!(
            "{}INSERT {} INTO t (id, a, b, c) SELECT CASE WHEN id = {n} THEN 1 ELSE id + 100000 END, 'z' || id, b, c FROM t ORDER BY id;
            SELECT count(*) FROM t",
            random.pick(&["", "BEGIN; "]),
            random.pick(&["", "OR FAIL", "OR ROLLBACK", "OR IGNORE", "OR REPLACE"]),
        ),
        8 => format!("BEGIN; UPDATE t SET a = 'same'; DELETE FROM t WHERE id % {m} = 0; INSERT INTO nothing VALUES (1); COMMIT"),
        9 | 10 => "VACUUM; PRAGMA page_count".into(),
        11 => format!("PRAGMA page_size = {}; VACUUM; PRAGMA page_size", random.pick(&[512, 1024, 4096, 65536])),
        12 => format!(
            "PRAGMA auto_vacuum = {}; VACUUM; PRAGMA auto_vacuum; PRAGMA page_count",
            random.pick(&["none", "full", "incremental"]),
        ),
        13 => format!("DELETE FROM t WHERE id % {m} = 0; PRAGMA freelist_count; PRAGMA incremental_vacuum({n}); PRAGMA freelist_count"),
        14..=16 => format!("PRAGMA journal_mode = {}", random.pick(&["delete", "truncate", "persist", "memory", "wal", "wal"])),
        17 => format!("PRAGMA journal_size_limit = {}", random.pick(&["-1", "0", "3000"])),
        18 => format!("PRAGMA locking_mode = {}; SELECT count(*) FROM t", random.pick(&["exclusive", "normal"])),
        19 => "CREATE TEMP TABLE IF NOT EXISTS x (v); INSERT INTO x SELECT a || hex(c) FROM t; CREATE INDEX IF NOT EXISTS temp.x_v ON x (v);
            UPDATE x SET v = v || 'y'; SELECT count(*), total(length(v)) FROM x; DELETE FROM x WHERE rowid % 3 = 0".into(),
        20 => "SELECT one.a, other.b FROM t AS one, t AS other WHERE one.id % 11 = other.id % 13 ORDER BY one.c, other.a DESC, one.a LIMIT 50".into(),
        21 => "SELECT group_concat(a) FROM (SELECT DISTINCT a, c FROM t ORDER BY c, b, a)".into(),
        22 => format!("CREATE INDEX IF NOT EXISTS t_b ON t (b, {}); REINDEX; ANALYZE; PRAGMA quick_check", random.pick(&["a", "c"])),
        23 => "DROP INDEX IF EXISTS t_b; DROP TRIGGER IF EXISTS t_d".into(),
        24 => format!("INSERT INTO t (a, c) VALUES ('big' || {n}, zeroblob({})); SELECT max(length(c)) FROM t", n * 100),
        25 => format!("INSERT INTO f SELECT a || ' more' || {n} FROM t; DELETE FROM f WHERE rowid % {m} = 0; SELECT count(*) FROM f WHERE f MATCH 'more{n}'"),
        26 => "INSERT INTO f (f) VALUES ('optimize'); SELECT count(*) FROM f WHERE f MATCH 'word1'; INSERT INTO f (f) VALUES ('rebuild')".into(),
        27 => format!(
            "CREATE TRIGGER IF NOT EXISTS t_d AFTER DELETE ON t BEGIN INSERT INTO log VALUES ('deleted', old.id); END;
            DELETE FROM t WHERE id > {n}; SELECT count(*) FROM log",
        ),
        28 => format!("UPDATE w SET v = n, n = n + {m} WHERE n % {m} = 0; REPLACE INTO w SELECT 'k' || id, b, x FROM s, t USING (id); SELECT count(*) FROM w"),
        29 => format!("ALTER TABLE log ADD COLUMN c{n} DEFAULT 'd'; UPDATE log SET c{n} = id; ALTER TABLE log DROP COLUMN c{n}"),
        30 => format!("PRAGMA wal_checkpoint({}); PRAGMA wal_autocheckpoint = {n}", random.pick(&["passive", "full", "restart", "truncate"])),
        31 => format!("PRAGMA cache_size = {}; PRAGMA secure_delete = {}", random.pick(&[1, 10, 100, -2000]), random.pick(&["on", "off", "fast"])),
        32 => format!(
            "PRAGMA user_version = {n}; PRAGMA synchronous = {}; PRAGMA temp_store = {}; PRAGMA mmap_size = {n}; PRAGMA cache_spill = {m}",
            random.pick(&["off", "normal", "full"]),
            random.pick(&["file", "memory"]),
        ),
        _ => format!(
            "PRAGMA max_page_count = {n}; {} PRAGMA page_count; PRAGMA max_page_count = 1000000000",
            rows_into_t(5000, 300, 2000),
        ),
    };
    let mut statements: Vec<String> = sql.split("; ").flat_map(|part| part.split(";\n")).map(str::to_owned).collect();
    if let Some(at) = statements.iter().position(|statement| statement.contains("CREATE TRIGGER")) {
        let end = statements.remove(at + 1);
        statements[at] += "; ";
        statements[at] += &end;
    }
    statements
}

/// What a statement answers: its rows, or the error with its extended code.
fn answer(connection: &Connection, sql: &str) -> String {
    let rows = || -> rusqlite::Result<String> {
        let mut statement = connection.prepare(sql)?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut answer = String::new();
        while let Some(row) = rows.next()? {
            for column in 0..columns {
                let value = format!("{:?}|", row.get_ref(column)?);
                answer.push_str(if value.len() < 1000 { &value } else { &value[..1000] });
            }
        }
        Ok(answer)
    };
    rows().unwrap_or_else(|error| format!("{error} {:?}", error.sqlite_error().map(|error| error.extended_code)))
}

/// Everything in the database.
fn content(connection: &Connection) -> Vec<String> {
    let mut tables = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name").unwrap();
    let tables: Vec<String> = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut content = vec![answer(connection, "SELECT * FROM sqlite_schema")];
    content.extend(tables.iter().map(|table| answer(connection, &format!("SELECT * FROM \"{table}\""))));
    content.push(answer(connection, "PRAGMA integrity_check"));
    content.push(answer(connection, "PRAGMA foreign_key_check"));
    content
}

fn main_file(overlay: &Overlay, place: &Place) -> Vec<u8> {
    let path = place.path("main");
    overlay.write_to(&mut File::create(&path).unwrap(), |_| ()).unwrap();
    std::fs::read(path).unwrap()
}

/// What the files of a database hold.
fn held(database: &Path) -> u64 {
    let len = |suffix| Path::new(&format!("{}{suffix}", database.display())).metadata().map_or(0, |file| file.len());
    ["", "-journal", "-wal", "-shm"].map(len).iter().sum()
}

#[test]
fn statements_do_what_they_do_on_a_copy_of_the_file() {
    for seed in seeds(30) {
        let mut random = Random(seed);
        let place = Place::new(&base_sql(&mut random));
        let copy = place.path("copy.db");
        std::fs::write(&copy, std::fs::read(place.base()).unwrap()).unwrap();
        let memory = random.pick(&[0, 1 << 25]);
        let overlay = Overlay::with_memory("base.db", pages(&place.base()), place.folder.path(), memory).unwrap();
        let connect = || (overlay.open(FLAGS).unwrap(), Connection::open_with_flags(&copy, FLAGS).unwrap());
        let (mut over, mut plain) = connect();
        for number in 0..12 {
            for sql in batch(&mut random) {
                assert_eq!(answer(&over, &sql), answer(&plain, &sql), "seed {seed} batch {number}: {sql}");
                // In a transaction SQLite makes a file that it maps larger before it writes it.
                if over.is_autocommit() {
                    assert_eq!(overlay.meter().now().0, held(&copy), "seed {seed} batch {number}: {sql}");
                }
            }
            assert_eq!(over.is_autocommit(), plain.is_autocommit(), "seed {seed} batch {number}");
            answer(&over, "ROLLBACK");
            answer(&plain, "ROLLBACK");
            assert_eq!(content(&over), content(&plain), "seed {seed} batch {number}");
            if random.below(4) == 0 {
                (over, plain) = {
                    over.close().unwrap();
                    plain.close().unwrap();
                    assert!(main_file(&overlay, &place) == std::fs::read(&copy).unwrap(), "seed {seed} batch {number}");
                    connect()
                };
            }
        }
        over.close().unwrap();
        plain.close().unwrap();
        let bytes = std::fs::read(&copy).unwrap();
        assert!(main_file(&overlay, &place) == bytes, "seed {seed}");
        let base = place.path("written over");
        std::fs::write(&base, std::fs::read(place.base()).unwrap()).unwrap();
        let file = File::options().write(true).open(&base).unwrap();
        match overlay.changed().unwrap() {
            Some(_) => overlay.write_over(&file, std::iter::empty()).unwrap(),
            None => assert!(overlay.write_over(&file, std::iter::empty()).is_err(), "seed {seed}"),
        }
        let is_written = overlay.changed().unwrap().is_some();
        assert!(!is_written || std::fs::read(&base).unwrap() == bytes, "seed {seed}: written over");
        compare_pages(&overlay, &std::fs::read(place.base()).unwrap(), &bytes);
    }
}

/// The overlay's pages are those of the file `after`, and those that changed are told.
fn compare_pages(overlay: &Overlay, before: &[u8], after: &[u8]) {
    let pages = overlay.pages().unwrap();
    let layout = pages.layout();
    let size = layout.page_size as usize;
    assert_eq!((layout.pages as usize * size, overlay.bytes()), (after.len(), after.len() as u64));
    let mut all = vec![1; after.len() + 3 * size];
    pages.read(1, &mut all).unwrap();
    assert!(all[..after.len()] == *after && all[after.len()..].iter().all(|byte| *byte == 0));
    let changed = overlay.changed().unwrap();
    let size_before = FilePages::new(temporary(before), None).unwrap().layout().page_size as usize;
    assert_eq!(changed.is_some(), size == size_before);
    let Some(changed) = changed else { return };
    let most = before.len().max(after.len()) / size;
    let expected: Vec<u32> = (0..most)
        .filter(|page| before.chunks(size).nth(*page) != after.chunks(size).nth(*page))
        .map(|page| u32::try_from(page + 1).unwrap())
        .collect();
    assert_eq!(changed.iter().collect::<Vec<_>>(), expected);
}

fn temporary(bytes: &[u8]) -> File {
    use std::io::Write;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file
}

// ---- faults and crashes

const MODES: [&str; 5] = ["delete", "truncate", "persist", "memory", "wal"];

/// A rebuild, an index, and deletions; with a small cache it writes long before it commits.
const MIGRATION: [&str; 9] = [
    "BEGIN",
    "CREATE TABLE n (id INTEGER PRIMARY KEY, k TEXT NOT NULL, v BLOB)",
    "INSERT INTO n SELECT id, k, v FROM t ORDER BY v, k DESC",
    "DROP TABLE t",
    "ALTER TABLE n RENAME TO t",
    "CREATE INDEX t_v ON t (v, k)",
    "UPDATE t SET v = id WHERE id % 3 = 0",
    "DELETE FROM t WHERE id % 5 = 0",
    "COMMIT",
];

const SMALL: &str = "
    CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT UNIQUE, v BLOB);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150)
    INSERT INTO t SELECT i, 'k' || i, zeroblob(150) FROM n;";

fn migrate(connection: &Connection) -> rusqlite::Result<()> {
    MIGRATION.iter().try_for_each(|sql| connection.execute_batch(sql))
}

/// A connection with so small a cache that nothing waits for the commit.
fn hasty(overlay: &Overlay, mode: &str, synchronous: &str) -> Connection {
    let connection = overlay.open(FLAGS).unwrap();
    let settings = format!(
        "PRAGMA cache_size = 3; PRAGMA temp_store = file; PRAGMA synchronous = {synchronous}; PRAGMA journal_mode = {mode}"
    );
    connection.execute_batch(&settings).unwrap();
    // Makes the journal, so that what it is before the migration is the same in every mode.
    connection.execute_batch("UPDATE t SET v = zeroblob(151) WHERE id = 1").unwrap();
    connection
}

/// The content before and after the migration.
fn states(place: &Place, mode: &str) -> [Vec<String>; 2] {
    let connection = hasty(&place.overlay(), mode, "off");
    let before = content(&connection);
    migrate(&connection).unwrap();
    [before, content(&connection)]
}

#[test]
fn a_migration_that_meets_a_failing_write_leaves_what_was_there() {
    let place = Place::new(SMALL);
    for (mode, fault) in MODES.iter().flat_map(|mode| [(mode, Fault::Full), (mode, Fault::Io)]) {
        let [before, after] = states(&place, mode);
        let mut failed = 0;
        for n in 1.. {
            let overlay = place.overlay();
            let connection = hasty(&overlay, mode, "off");
            overlay.fail_write_after(n, fault);
            let result = migrate(&connection);
            let is_over = overlay.awaits_fault();
            if !connection.is_autocommit() {
                connection.execute_batch("ROLLBACK").unwrap();
            }
            overlay.forget_fault();
            if let Err(error) = &result {
                failed += 1;
                let code = error.sqlite_error().unwrap().extended_code & 0xff;
                let expected =
                    if fault == Fault::Full { rusqlite::ffi::SQLITE_FULL } else { rusqlite::ffi::SQLITE_IOERR };
                assert_eq!(code, expected, "{mode} {fault:?} {n}");
            }
            let expected = if result.is_ok() { &after } else { &before };
            assert_eq!(&content(&connection), expected, "{mode} {fault:?} {n}");
            connection.close().unwrap();
            assert_eq!(&content(&overlay.open(FLAGS).unwrap()), expected, "{mode} {fault:?} {n}");
            if is_over {
                break;
            }
        }
        assert!(failed > 20, "{mode} {fault:?}: only {failed} writes");
    }
}

#[test]
fn a_process_that_dies_leaves_the_old_or_the_new_content() {
    let place = Place::new(SMALL);
    for mode in ["delete", "truncate", "persist", "wal"] {
        let [before, after] = states(&place, mode);
        let mut seen = [0, 0];
        for n in 1.. {
            let overlay = place.overlay();
            let connection = hasty(&overlay, mode, "off");
            overlay.fail_write_after(n, Fault::Gone);
            let result = migrate(&connection);
            let is_over = overlay.awaits_fault();
            let fork = overlay.fork().unwrap();
            let found = content(&fork.open(FLAGS).unwrap());
            let is_new = found == after;
            assert!(is_new || found == before, "{mode} {n}");
            // In WAL mode a checkpoint after the commit may fail, and is not told.
            assert_eq!(is_new, result.is_ok(), "{mode} {n}");
            seen[usize::from(is_new)] += 1;
            fork.settle().unwrap();
            let copy = place.path("copy.db");
            fork.write_to(&mut File::create(&copy).unwrap(), |_| ()).unwrap();
            assert_eq!(content(&create(&copy)), found, "{mode} {n}");
            if is_over {
                break;
            }
        }
        assert!(seen[0] > 20 && seen[1] > 0, "{mode} {seen:?}");
    }
}

#[test]
fn a_watcher_is_told_before_each_change_and_may_fork() {
    for mode in ["delete", "wal"] {
        let place = Place::new(THOUSAND);
        let overlay = place.overlay();
        let connection = overlay.open(FLAGS).unwrap();
        assert_eq!(one(&connection, &format!("PRAGMA journal_mode = {mode}")), mode);
        connection.execute_batch("BEGIN; UPDATE t SET v = 'new' WHERE id % 50 = 0").unwrap();
        let (forks, source) = (Arc::new(Mutex::new(Vec::new())), overlay.clone());
        let kept = Arc::clone(&forks);
        overlay.watch(Some(Arc::new(move || kept.lock().unwrap().push(source.fork_apart().unwrap()))));
        connection.execute_batch("COMMIT").unwrap();
        overlay.watch(None);
        connection.execute_batch("DELETE FROM t").unwrap();
        let forks = std::mem::take(&mut *forks.lock().unwrap());
        assert!(forks.len() > 5, "{mode}: {}", forks.len());
        let mut prints = Vec::new();
        for fork in &forks {
            fork.settle().unwrap();
            let reader = fork.open(FLAGS).unwrap();
            assert_eq!(one(&reader, "SELECT count(*) FROM t WHERE v = 'new'"), "0", "{mode}: not committed yet");
            assert_eq!(one(&reader, "PRAGMA integrity_check"), "ok", "{mode}");
            assert!(fork.held().0 <= 3 << 16, "{mode}: {:?}", fork.held());
            prints.push(fork.fingerprint().unwrap());
        }
        prints.dedup();
        assert_eq!(prints.len(), 1, "{mode}: the same content has the same fingerprint");
        drop(connection);
        assert_ne!(overlay.fingerprint().unwrap(), prints[0], "{mode}");
    }
}

#[test]
fn the_clock_can_be_set_ahead() {
    let place = Place::new(THOUSAND);
    let overlay = place.overlay();
    overlay.set_clock_ahead(10 * 366 * 86_400_000);
    let ahead = one(&overlay.open(FLAGS).unwrap(), "SELECT strftime('%Y', 'now') - 0");
    let now = one(&place.overlay().open(FLAGS).unwrap(), "SELECT strftime('%Y', CURRENT_TIMESTAMP) - 0");
    let difference = ahead.parse::<i32>().unwrap() - now.parse::<i32>().unwrap();
    assert!((10..=11).contains(&difference), "{ahead} {now}");
}

#[test]
fn a_fork_in_a_transaction_has_the_old_content_and_goes_its_own_way() {
    let place = Place::new(SMALL);
    for mode in ["delete", "truncate", "persist", "wal"] {
        let [before, after] = states(&place, mode);
        let overlay = place.overlay();
        let connection = hasty(&overlay, mode, "normal");
        for sql in MIGRATION {
            let fork = overlay.fork().unwrap();
            let other = fork.open(FLAGS).unwrap();
            assert_eq!(content(&other), before, "{mode} before {sql}");
            other.execute_batch("DROP TABLE t").unwrap();
            connection.execute_batch(sql).unwrap();
        }
        assert_eq!(content(&overlay.fork().unwrap().open(FLAGS).unwrap()), after, "{mode}");
        assert_eq!(content(&connection), after, "{mode}");
    }
}

#[test]
fn a_power_cut_leaves_the_old_or_the_new_content() {
    let place = Place::new(SMALL);
    for mode in ["delete", "truncate", "persist", "wal"] {
        let [before, after] = states(&place, mode);
        let mut seen = [0, 0];
        for n in 1.. {
            let overlay = place.overlay();
            let connection = hasty(&overlay, mode, "extra");
            overlay.keep_synced().unwrap();
            overlay.fail_write_after(n, Fault::Gone);
            let result = migrate(&connection);
            let is_over = overlay.awaits_fault();
            let found = content(&overlay.fork_synced().unwrap().open(FLAGS).unwrap());
            let is_new = found == after;
            assert!(is_new || found == before, "{mode} {n}");
            assert!(is_new || result.is_err(), "{mode} {n}: what was committed is lost");
            seen[usize::from(is_new)] += 1;
            if is_over {
                break;
            }
        }
        assert!(seen[0] > 20 && seen[1] > 0, "{mode} {seen:?}");
    }
    // What was never synced is lost.
    let overlay = place.overlay();
    let connection = hasty(&overlay, "delete", "off");
    overlay.keep_synced().unwrap();
    migrate(&connection).unwrap();
    assert_eq!(one(&overlay.fork_synced().unwrap().open(FLAGS).unwrap(), "SELECT count(*) FROM t"), "150");
}

// ---- several connections

#[test]
fn one_writes_while_others_read_a_log_and_wait_without() {
    let place = Place::new(THOUSAND);
    let overlay = place.overlay();
    let writer = overlay.open(FLAGS).unwrap();
    let reader = overlay.open(FLAGS).unwrap();
    for connection in [&writer, &reader] {
        connection.busy_timeout(std::time::Duration::ZERO).unwrap();
    }
    writer.execute_batch("PRAGMA cache_size = 3; BEGIN; UPDATE t SET v = 1").unwrap();
    // It had to write the main file, so that nobody may read it.
    assert_eq!(one(&reader, "SELECT count(*) FROM t"), "database is locked");
    writer.execute_batch("ROLLBACK").unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM t").unwrap();
    writer.execute_batch("BEGIN; UPDATE t SET k = 'a' WHERE id = 1").unwrap();
    assert_eq!(one(&reader, "DELETE FROM t RETURNING 1"), "database is locked");
    assert_eq!(answer(&writer, "COMMIT"), "database is locked Some(5)");
    reader.execute_batch("COMMIT").unwrap();
    writer.execute_batch("COMMIT").unwrap();
    assert_eq!(one(&reader, "SELECT k FROM t WHERE id = 1"), "a");

    assert_eq!(one(&writer, "PRAGMA journal_mode = wal"), "wal");
    reader.execute_batch("BEGIN; SELECT count(*) FROM t").unwrap();
    assert_eq!(one(&reader, "SELECT count(*) FROM t"), "1000");
    writer.execute_batch("DELETE FROM t WHERE id > 10").unwrap();
    assert_eq!(one(&reader, "SELECT count(*) FROM t"), "1000");
    assert_eq!(one(&writer, "SELECT count(*) FROM t"), "10");
    assert_eq!(answer(&reader, "DELETE FROM t"), "database is locked Some(517)");
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(one(&reader, "SELECT count(*) FROM t"), "10");
    assert_eq!(one(&reader, "PRAGMA wal_checkpoint(TRUNCATE)"), "0");
    assert_eq!(answer(&writer, "PRAGMA journal_mode = delete"), "database is locked Some(5)");
    reader.close().unwrap();
    assert_eq!(one(&writer, "PRAGMA journal_mode = delete"), "delete");
}

#[test]
fn threads_add_up_and_readers_see_whole_transactions() {
    for (mode, memory) in [("delete", 1 << 25), ("wal", 1 << 25), ("wal", 0)] {
        let place = Place::new(
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER, pad BLOB);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200)
            INSERT INTO t SELECT i, 0, zeroblob(1500) FROM n;",
        );
        let overlay = Overlay::with_memory("x", pages(&place.base()), place.folder.path(), memory).unwrap();
        assert_eq!(one(&overlay.open(FLAGS).unwrap(), &format!("PRAGMA journal_mode = {mode}")), mode);
        let connect = || {
            let connection = overlay.open(FLAGS).unwrap();
            connection.busy_timeout(std::time::Duration::from_mins(1)).unwrap();
            connection
                .execute_batch("PRAGMA cache_size = 5; PRAGMA synchronous = off; PRAGMA wal_autocheckpoint = 50")
                .unwrap();
            connection
        };
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    let connection = connect();
                    for _ in 0..20 {
                        connection.execute_batch("BEGIN IMMEDIATE; UPDATE t SET n = n + 1; COMMIT").unwrap();
                    }
                });
            }
            scope.spawn(|| {
                let connection = connect();
                for _ in 0..40 {
                    assert_eq!(one(&connection, "SELECT max(n) - min(n) FROM t"), "0", "{mode}");
                    assert_eq!(
                        one(&overlay.fork().unwrap().open(FLAGS).unwrap(), "SELECT max(n) - min(n) FROM t"),
                        "0"
                    );
                }
            });
        });
        let connection = connect();
        assert_eq!(one(&connection, "SELECT min(n) FROM t"), "40", "{mode}");
        assert_eq!(one(&connection, "PRAGMA integrity_check"), "ok", "{mode}");
    }
}

#[test]
fn memory_is_bounded_and_the_rest_is_in_a_file_without_a_name() {
    let place = Place::new(THOUSAND);
    let overlay = Overlay::with_memory("x", pages(&place.base()), place.folder.path(), 1 << 20).unwrap();
    let connection = overlay.open(FLAGS).unwrap();
    connection
        .execute_batch("PRAGMA temp_store = file; UPDATE t SET v = zeroblob(20000); CREATE INDEX i ON t (v)")
        .unwrap();
    let (memory, file) = overlay.held();
    // A chunk of 64 KiB for each file comes on top of the limit.
    assert!(memory <= (1 << 20) + 8 * (1 << 16), "{memory}");
    assert!(file > 20 << 20, "{file}");
    assert_eq!(std::fs::read_dir(place.folder.path()).unwrap().count(), 1);
    assert_eq!(one(&connection, "PRAGMA integrity_check"), "ok");
}

#[test]
fn a_spill_file_that_cannot_be_made_fails_the_statement() {
    let place = Place::new(THOUSAND);
    let overlay = Overlay::with_memory("x", pages(&place.base()), Path::new("/nowhere"), 0).unwrap();
    let connection = overlay.open(FLAGS).unwrap();
    assert_eq!(answer(&connection, "UPDATE t SET v = zeroblob(20000)"), "disk I/O error Some(778)");
    assert_eq!(one(&connection, "SELECT max(length(v)) FROM t"), "200");
    assert_eq!(one(&connection, "PRAGMA integrity_check"), "ok");
}
