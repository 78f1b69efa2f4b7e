//! The reader of the file format against SQLite: random databases of a fixed seed, and the same after their bytes were damaged.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::cast_possible_truncation, reason = "numbers that are drawn are small")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use rehearse::observer::{Silent, Stage, Work};
use rehearse::profile::{self, Reader, Spread};
use rehearse::schema::{Schema, Table, storage};
use rehearse::sqlite_file::btree::{self, IndexTree};
use rehearse::sqlite_file::error::{Fault, Malformed, ReadError};
use rehearse::sqlite_file::freelist::freelist;
use rehearse::sqlite_file::header::Header;
use rehearse::sqlite_file::overflow::overflow_chain;
use rehearse::sqlite_file::page::BTreePage;
use rehearse::sqlite_file::pages::{FilePages, Layout, Pages};
use rehearse::sqlite_file::pointer_map::pointer_map_pages;
use rehearse::sqlite_file::record::{Owned, is_identical};
use rehearse::sqlite_file::rows::{IndexRows, TableRows};
use rehearse::sqlite_file::scan::{ScanTable, TableCounts, Variety, scan};
use rehearse::sqlite_file::schema_page::schema_rows;
use rehearse::sqlite_file::shape::{Place, Shape};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, ToSql};

/// `SplitMix64`: small, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let first = self.next();
        (0..length as u64).map(|at| (first.wrapping_add(at.wrapping_mul(7)) >> 3) as u8).collect()
    }

    fn text(&mut self, length: usize) -> String {
        let mut text: String = (0..length).map(|_| self.pick(&['a', 'b', 'Z', ' ', '0', '7'])).collect();
        if self.one_in(4) {
            text.push(self.pick(&['é', '列', '𝄞']));
        }
        text
    }

    /// Around every limit that decides what spills over.
    fn length(&mut self, page_size: usize) -> usize {
        let around = self.below(9);
        match self.below(14) {
            0..=6 => self.below(12),
            7 | 8 => self.below(150),
            9 => page_size / 4 + around,
            10 => (page_size + around).saturating_sub(50),
            11 => page_size + around,
            12 => page_size * 2 + self.below(page_size),
            _ if self.one_in(8) => page_size * 9 / 2,
            _ => 0,
        }
    }

    fn value(&mut self, page_size: usize) -> Box<dyn ToSql> {
        match self.below(10) {
            0 => Box::new(rusqlite::types::Null),
            1 => Box::new(self.pick(&[0_i64, 1, 2, -1])),
            2 => Box::new(self.next().cast_signed() >> self.below(64)),
            3 => Box::new(1_i64 << self.below(63)),
            4 => Box::new(self.pick(&[0.0, -0.0, 1.0, 5.0, 0.1, 1e300, -2.0, 9_007_199_254_740_993.0, f64::INFINITY])),
            5 | 6 => {
                let length = self.length(page_size);
                Box::new(self.text(length))
            }
            7 => Box::new(self.pick(&["12", "1.5", "", "1e3", "c0"])),
            _ => {
                let length = self.length(page_size);
                Box::new(self.bytes(length))
            }
        }
    }
}

/// A database on disk, still open, with what was added to its tables later.
struct Case {
    _folder: tempfile::TempDir,
    path: PathBuf,
    connection: Connection,
}

fn open(path: &Path) -> Connection {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).unwrap();
    connection.execute_batch("PRAGMA synchronous = off; PRAGMA foreign_keys = off").unwrap();
    connection
}

fn log_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    name.into()
}

const DEFAULTS: &[&str] = &[
    "",
    "DEFAULT NULL",
    "DEFAULT 5",
    "DEFAULT 1e3",
    "DEFAULT 2.0",
    "DEFAULT -0.0",
    "DEFAULT 'c0'",
    "DEFAULT '列'",
    "DEFAULT x'00ff'",
    "DEFAULT '12'",
    "DEFAULT ''",
    "NOT NULL DEFAULT 7",
    "DEFAULT true",
    "DEFAULT (-5)",
];

impl Case {
    fn new(random: &mut Random) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("case.db");
        let page_size = random.pick(&[512_usize, 512, 1024, 1024, 2048, 4096, 4096, 8192, 16384, 32768, 65536]);
        let connection = begin(random, &path, page_size);
        let mut case = Self { _folder: folder, path, connection };
        let tables = 1 + random.below(4);
        for table in 0..tables {
            case.create(random, &format!("t{table}"), page_size);
        }
        if random.one_in(4) {
            case.connection.execute_batch("PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 0").unwrap();
        }
        for table in 0..tables {
            case.change(random, &format!("t{table}"), page_size);
        }
        case
    }

    fn columns(&self, table: &str) -> usize {
        let sql = format!("SELECT count(*) FROM pragma_table_xinfo('{table}') WHERE hidden = 0");
        self.connection.query_row(&sql, [], |row| row.get::<_, u32>(0)).unwrap() as usize
    }

    fn create(&self, random: &mut Random, name: &str, page_size: usize) {
        let columns = match random.below(20) {
            0 => 65 + random.below(10),
            1 => 200,
            2 if random.one_in(4) => 1900,
            _ => 1 + random.below(8),
        };
        let strict = random.one_in(5);
        let without_rowid = random.one_in(3);
        let types: &[&str] = if strict {
            &["INT", "INTEGER", "REAL", "TEXT", "BLOB", "ANY", "ANY", "ANY"]
        } else {
            &["", "", "INTEGER", "REAL", "DOUBLE PRECISION", "TEXT", "BLOB", "NUMERIC", "FLOATING POINT", "VARCHAR(9)"]
        };
        let mut parts: Vec<String> = Vec::new();
        for column in 0..columns {
            let generated = match random.below(24) {
                0 if column > 0 => " AS (c0) STORED",
                1 if column > 0 => " AS (c0)",
                _ => "",
            };
            parts.push(format!("c{column} {}{generated}", random.pick(types)));
        }
        let plain: Vec<usize> = (0..columns).filter(|column| !parts[*column].contains(" AS ")).collect();
        if without_rowid {
            let mut key: Vec<String> = Vec::new();
            for _ in 0..=random.below(4) {
                let term = random.pick(&["", "", " DESC", " COLLATE NOCASE", " COLLATE RTRIM DESC"]);
                key.push(format!("c{}{term}", random.pick(&plain)));
            }
            parts.push(format!("PRIMARY KEY ({})", key.join(", ")));
        } else if random.one_in(3) {
            let at = random.pick(&plain);
            let order = random.pick(&["", "", " DESC"]);
            parts[at] = format!("c{at} INTEGER PRIMARY KEY{order}");
        }
        let options = match (strict, without_rowid) {
            (true, true) => "STRICT, WITHOUT ROWID",
            (true, false) => "STRICT",
            (false, true) => "WITHOUT ROWID",
            (false, false) => "",
        };
        let sql = format!("CREATE TABLE {name} ({}) {options}", parts.join(", "));
        self.connection.execute_batch(&sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        if random.one_in(3) {
            let column = random.pick(&plain);
            // Partial, so that SQLite does not read the table from it.
            let sql = format!("CREATE INDEX i{name} ON {name} (c{column}) WHERE c{column} IS NOT NULL");
            self.connection.execute_batch(&sql).unwrap();
        }
        self.insert(random, name, page_size);
    }

    fn insert(&self, random: &mut Random, name: &str, page_size: usize) {
        let columns = self.columns(name);
        let rows = match random.below(8) {
            0 => 0,
            1 => 1,
            2 if columns < 9 => random.below(400),
            _ => random.below(30),
        };
        // Most columns of the same value, as in real tables.
        let constant: Vec<bool> = (0..columns).map(|_| random.one_in(3)).collect();
        let fixed: Vec<Box<dyn ToSql>> = (0..columns).map(|_| random.value(64)).collect();
        let marks = vec!["?"; columns].join(", ");
        let names = format!("SELECT group_concat('\"' || name || '\"') FROM pragma_table_info('{name}')");
        let names: String = self.connection.query_row(&names, [], |row| row.get(0)).unwrap();
        let sql = format!("INSERT OR IGNORE INTO {name} ({names}) VALUES ({marks})");
        let mut insert = self.connection.prepare(&sql).unwrap();
        let longest = if columns > 8 || rows > 40 { 64 } else { page_size };
        self.connection.execute_batch("BEGIN").unwrap();
        for _ in 0..rows {
            let row: Vec<Box<dyn ToSql>> = (0..columns).map(|_| random.value(longest)).collect();
            let values = row.iter().zip(&fixed).zip(&constant);
            let values: Vec<&dyn ToSql> =
                values.map(|((own, fixed), same)| if *same { fixed } else { own }.as_ref()).collect();
            // What a STRICT column or a key refuses is left out.
            let _ = insert.execute(values.as_slice());
        }
        self.connection.execute_batch("COMMIT").unwrap();
    }

    /// What happens to a table in its life.
    fn change(&mut self, random: &mut Random, name: &str, page_size: usize) {
        for _ in 0..random.below(5) {
            let sql = match random.below(7) {
                0 | 1 => {
                    let strict: bool = self
                        .connection
                        .query_row("SELECT strict FROM pragma_table_list(?1)", [name], |row| row.get(0))
                        .unwrap();
                    let kind = if strict {
                        random.pick(&["ANY", "REAL", "TEXT", "INTEGER", "BLOB"])
                    } else {
                        random.pick(&["", "REAL", "TEXT", "INTEGER", "NUMERIC"])
                    };
                    let number = random.below(1000);
                    format!("ALTER TABLE {name} ADD COLUMN added{number} {kind} {}", random.pick(DEFAULTS))
                }
                2 => format!("ALTER TABLE {name} DROP COLUMN c{}", 1 + random.below(4)),
                3 => format!("DELETE FROM {name} WHERE c0 IN (SELECT c0 FROM {name} WHERE random() % 3 = 0)"),
                4 => format!("DELETE FROM {name}"),
                5 => format!("ALTER TABLE {name} ADD COLUMN virtual{} AS (c0)", random.below(1000)),
                _ => "PRAGMA incremental_vacuum(3)".to_owned(),
            };
            // A default that a STRICT column refuses, or a column of a key.
            let _ = self.connection.execute_batch(&sql);
            self.insert(random, name, page_size);
        }
    }

    fn pages(&self) -> FilePages {
        let log = File::open(log_of(&self.path)).ok();
        FilePages::new(File::open(&self.path).unwrap(), log).unwrap()
    }
}

/// A database of no tables, with the settings that stay with it.
fn begin(random: &mut Random, path: &Path, page_size: usize) -> Connection {
    let connection = open(path);
    let encoding = random.pick(&["UTF-8", "UTF-8", "UTF-16le", "UTF-16be"]);
    let auto_vacuum = random.below(3);
    connection
        .execute_batch(&format!(
            "PRAGMA page_size = {page_size}; PRAGMA encoding = '{encoding}'; PRAGMA auto_vacuum = {auto_vacuum};
             PRAGMA journal_mode = off; PRAGMA user_version = 1"
        ))
        .unwrap();
    drop(connection);
    if random.one_in(3) {
        // No pragma reserves bytes of each page; the free space of the one page that there is ends before them.
        let reserved = random.pick(&[1_u8, 8, 32]);
        let mut bytes = fs::read(path).unwrap();
        bytes[20] = reserved;
        bytes[105..107].copy_from_slice(&((page_size - usize::from(reserved)) as u16).to_be_bytes());
        fs::write(path, bytes).unwrap();
    }
    let connection = open(path);
    let legacy = random.one_in(4);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_LEGACY_FILE_FORMAT, legacy).unwrap();
    connection.execute_batch("PRAGMA journal_mode = memory").unwrap();
    connection
}

/// The rows of a table as SQLite reads them, text as the bytes in the database's encoding.
fn rows_by_sqlite(connection: &Connection, table: &Table) -> rusqlite::Result<Vec<(Option<i64>, Vec<Owned>)>> {
    let mut rows = Vec::new();
    // SQLite gives no more than 2,000 columns.
    let shares: Vec<_> = table.columns.chunks(400).collect();
    for (share, columns) in shares.iter().enumerate() {
        let names: Vec<String> = columns
            .iter()
            .map(|column| format!("typeof({0}), iif(typeof({0}) = 'text', CAST({0} AS BLOB), {0})", column.name))
            .collect();
        let rowid = if table.without_rowid { "NULL" } else { "rowid" };
        let order = if table.without_rowid { "" } else { "ORDER BY rowid" };
        let sql = format!("SELECT {rowid}, {} FROM {} {order}", names.join(", "), table.name);
        let mut statement = connection.prepare(&sql)?;
        let mut read = statement.query([])?;
        let mut number = 0;
        while let Some(row) = read.next()? {
            if share == 0 {
                rows.push((row.get(0)?, Vec::new()));
            }
            for column in 0..columns.len() {
                let is_text = row.get_ref(1 + column * 2)?.as_str().unwrap() == "text";
                let value = Owned::of(row.get_ref(2 + column * 2)?);
                rows[number].1.push(match value {
                    Owned::Blob(bytes) if is_text => Owned::Text(bytes),
                    value => value,
                });
            }
            number += 1;
        }
    }
    Ok(rows)
}

type Row = (Option<i64>, Vec<Option<Owned>>);

/// The rows of a table as our cursors read them, and the pages that hold them.
fn rows_by_reader(pages: &dyn Pages, root: u32, shape: &Shape) -> Result<(Vec<Row>, Vec<u32>), ReadError> {
    let columns = 0..shape.columns.len();
    let owned = |value: Option<rusqlite::types::ValueRef<'_>>| value.map(Owned::of);
    let mut rows = Vec::new();
    if shape.without_rowid {
        let mut cursor = IndexRows::new(pages, root, shape)?;
        while cursor.advance()? {
            let values = columns.clone().map(|column| cursor.value(column).map(owned)).collect::<Result<_, _>>()?;
            rows.push((None, values));
        }
        let IndexTree { leaves, interior, .. } = btree::index_leaves(pages, root)?;
        Ok((rows, [leaves, interior].concat()))
    } else {
        let tree = btree::leaves(pages, root)?;
        let mut cursor = TableRows::new(pages, tree.leaves.clone(), shape);
        while cursor.advance()? {
            // From the last to the first, so that values on overflow pages are asked for before others.
            let mut values =
                columns.clone().rev().map(|column| cursor.value(column).map(owned)).collect::<Result<Vec<_>, _>>()?;
            values.reverse();
            rows.push((Some(cursor.rowid()), values));
        }
        Ok((rows, tree.leaves))
    }
}

/// Both read the same. What a row has in a column that it is older than, the profiles are tested for.
fn assert_same_rows(theirs: &[(Option<i64>, Vec<Owned>)], ours: &[Row], context: &str) {
    assert_eq!(theirs.len(), ours.len(), "{context}");
    for (their, our) in theirs.iter().zip(ours) {
        assert_eq!(their.0, our.0, "{context}");
        for (column, (their, our)) in their.1.iter().zip(&our.1).enumerate() {
            let Some(our) = our else { continue };
            let same = is_identical(their.borrow(), our.borrow());
            assert!(same, "{context}, {column}: {their:.40?}, {our:.40?}");
        }
    }
}

/// The counts are those of the rows.
fn assert_counts(counts: &TableCounts, rows: &[Row], context: &str) {
    assert_eq!(counts.rows, rows.len() as u64, "{context}");
    for (column, counts) in counts.columns.iter().enumerate() {
        let values: Vec<&Option<Owned>> = rows.iter().map(|row| &row.1[column]).collect();
        let number =
            |is: fn(&Owned) -> bool| values.iter().filter(|value| value.as_ref().is_some_and(is)).count() as u64;
        let context = format!("{context}, column {column}");
        assert_eq!(counts.nulls, number(|value| matches!(value, Owned::Null)), "{context}");
        assert_eq!(counts.integers, number(|value| matches!(value, Owned::Integer(_))), "{context}");
        assert_eq!(counts.reals, number(|value| matches!(value, Owned::Real(_))), "{context}");
        assert_eq!(counts.texts, number(|value| matches!(value, Owned::Text(_))), "{context}");
        assert_eq!(counts.blobs, number(|value| matches!(value, Owned::Blob(_))), "{context}");
        assert_eq!(counts.absent, values.iter().filter(|value| value.is_none()).count() as u64, "{context}");
        let mut present = values.iter().copied().flatten();
        match &counts.variety {
            Variety::None => assert_eq!(present.next(), None, "{context}"),
            Variety::One(one) => {
                assert!(present.next().is_some(), "{context}");
                assert!(
                    values.iter().copied().flatten().all(|value| is_identical(value.borrow(), one.borrow())),
                    "{context}"
                );
            }
            Variety::Various => {
                let first = present.next().unwrap();
                assert!(present.any(|value| !is_identical(value.borrow(), first.borrow())), "{context}");
            }
        }
        if let Some(rowid) = counts.absent_from {
            let row = rows.iter().find(|row| row.0 == Some(rowid)).unwrap();
            assert_eq!(row.1[column], None, "{context}");
        }
    }
}

/// The pages of a tree and the overflow pages of its cells.
fn pages_of_tree(pages: &dyn Pages, root: u32, is_index: bool) -> Result<Vec<u32>, ReadError> {
    let layout = pages.layout();
    let mut all = if is_index {
        let tree = btree::index_leaves(pages, root)?;
        [tree.leaves, tree.interior].concat()
    } else {
        let tree = btree::leaves(pages, root)?;
        [tree.leaves, tree.interior].concat()
    };
    let mut bytes = vec![0; layout.page_size as usize];
    for number in all.clone() {
        pages.read(number, &mut bytes)?;
        let page = BTreePage::parse(number, &bytes, &layout)?;
        for cell in 0..page.cells() {
            let payload = match (is_index, page.kind().is_leaf()) {
                (true, _) => page.entry(cell)?,
                (false, true) => page.row(cell)?.payload,
                (false, false) => continue,
            };
            if let Some(first) = payload.overflow {
                all.extend(overflow_chain(pages, first, payload.bytes - payload.local.len())?);
            }
        }
    }
    Ok(all)
}

/// Every page is in exactly one place.
fn assert_all_pages_accounted(pages: &dyn Pages, schema: &Schema, context: &str) {
    let layout = pages.layout();
    let free = freelist(pages).unwrap();
    let mut all = [free.trunks, free.leaves, pages_of_tree(pages, 1, false).unwrap()].concat();
    all.extend(pointer_map_pages(&layout));
    for row in schema_rows(pages).unwrap() {
        if row.root_page > 0 {
            let without_rowid = schema.table(&row.name).is_some_and(|table| table.without_rowid);
            all.extend(pages_of_tree(pages, row.root_page, row.kind == "index" || without_rowid).unwrap());
        }
    }
    all.sort_unstable();
    let expected: Vec<u32> = (1..=layout.pages).collect();
    assert_eq!(all, expected, "{context}");
}

/// The profiles are those of what SQLite reads; SQLite has read only what needs it.
fn assert_profiles(
    connection: &Connection,
    pages: &dyn Pages,
    schema: &Schema,
    shapes: &BTreeMap<String, Shape>,
    context: &str,
) {
    let tables: Vec<&Table> = schema.tables.values().collect();
    for (table, ours) in tables.iter().zip(profile::of_tables(connection, pages, &tables, &Silent)) {
        let (ours, theirs) = (ours.unwrap(), profile::of_table(connection, table).unwrap());
        assert_eq!((ours.rows, &ours.columns), (theirs.rows, &theirs.columns), "{context}, {}", table.name);
        let needs_sqlite = table.without_rowid || shapes[&table.name].columns.contains(&Place::Computed);
        assert!(ours.read_by == Reader::File || needs_sqlite, "{context}, {}", table.name);
    }
}

fn shapes(connection: &Connection, schema: &Schema) -> BTreeMap<String, Shape> {
    let shape = |table: &Table| storage::shape(connection, table).unwrap().map(|shape| (table.name.clone(), shape));
    schema.tables.values().filter_map(shape).collect()
}

/// The seeds of a test: one with `SEED=…`, more with `CASES=…`.
fn seeds(cases: u64) -> Range<u64> {
    let set = |name: &str| std::env::var(name).ok().and_then(|number| number.parse::<u64>().ok());
    match set("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..set("CASES").unwrap_or(cases),
    }
}

#[test]
fn rows_counts_and_pages_are_those_that_sqlite_has() {
    for seed in seeds(120) {
        let mut random = Random(seed);
        let case = Case::new(&mut random);
        let pages = case.pages();
        let schema = Schema::read(&case.connection).unwrap();
        let shapes = shapes(&case.connection, &schema);
        let mut scanned = Vec::new();
        let mut expected = Vec::new();
        for table in schema.tables.values() {
            let context = format!("seed {seed}, {}", table.sql.get(..200).unwrap_or(&table.sql));
            let shape = &shapes[&table.name];
            let theirs = rows_by_sqlite(&case.connection, table).unwrap();
            let (ours, leaves) =
                rows_by_reader(&pages, table.root_page, shape).unwrap_or_else(|error| panic!("{context}: {error}"));
            assert_same_rows(&theirs, &ours, &context);
            scanned.push(ScanTable { shape, pages: leaves });
            expected.push((ours, context));
        }
        let work = Work::new(Stage::Count, None);
        for (counts, (rows, context)) in scan(&pages, &scanned, &work).into_iter().zip(&expected) {
            assert_counts(&counts.unwrap(), rows, context);
        }
        let bytes =
            scanned.iter().map(|table| table.pages.len() as u64).sum::<u64>() * u64::from(pages.layout().page_size);
        assert_eq!((work.done(), work.total()), (bytes, Some(bytes)), "seed {seed}");
        assert_profiles(&case.connection, &pages, &schema, &shapes, &format!("seed {seed}"));
        assert_all_pages_accounted(&pages, &schema, &format!("seed {seed}"));
        let integrity: String = case.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).unwrap();
        assert_eq!(integrity, "ok", "seed {seed}");
    }
}

/// The spread of the first column of `t`, which both readers must agree on, and who read it.
fn spread(sql: &str) -> (Spread, Reader) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.db");
    let connection = open(&path);
    connection.execute_batch(sql).unwrap();
    let pages = FilePages::new(File::open(&path).unwrap(), None).unwrap();
    let schema = Schema::read(&connection).unwrap();
    let table = schema.table("t").unwrap();
    let ours = profile::of_tables(&connection, &pages, &[table], &Silent).remove(0).unwrap();
    let theirs = profile::of_table(&connection, table).unwrap();
    assert_eq!(ours.columns, theirs.columns, "{sql}");
    (ours.columns[0].spread, ours.read_by)
}

/// A table `t` of which SQLite and we read the same, with nothing absent; its profile is from the file.
fn assert_read_alike(connection: &Connection, path: &Path) {
    let pages = FilePages::new(File::open(path).unwrap(), None).unwrap();
    let schema = Schema::read(connection).unwrap();
    let table = schema.table("t").unwrap();
    let shape = storage::shape(connection, table).unwrap().unwrap();
    let theirs = rows_by_sqlite(connection, table).unwrap();
    let (ours, _) = rows_by_reader(&pages, table.root_page, &shape).unwrap();
    assert!(!ours.is_empty() && ours.iter().flat_map(|row| &row.1).all(Option::is_some));
    assert_same_rows(&theirs, &ours, "t");
    let profile = profile::of_tables(connection, &pages, &[table], &Silent).remove(0).unwrap();
    assert_eq!(profile.read_by, Reader::File);
    assert_eq!(profile.columns, profile::of_table(connection, table).unwrap().columns);
    assert_all_pages_accounted(&pages, &schema, "t");
}

#[test]
fn a_header_that_spills_over_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wide.db");
    let connection = open(&path);
    let columns: Vec<String> = (0..1900).map(|column| format!("c{column}")).collect();
    let values: Vec<String> = (0..1900).map(|column| format!("printf('%*d', i * {column} % 90, {column})")).collect();
    connection
        .execute_batch(&format!(
            "PRAGMA page_size = 512; CREATE TABLE t ({}); WITH n(i) AS (VALUES (1), (2), (3)) INSERT INTO t SELECT {} FROM n",
            columns.join(", "),
            values.join(", ")
        ))
        .unwrap();
    assert_read_alike(&connection, &path);
}

#[test]
fn the_entries_between_the_leaves_of_a_deep_tree_are_read() {
    for options in ["WITHOUT ROWID", ""] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep.db");
        let connection = open(&path);
        connection
            .execute_batch(&format!(
                "PRAGMA page_size = 512; CREATE TABLE t (k TEXT, n INTEGER, PRIMARY KEY (n DESC, k)) {options};
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
                 INSERT INTO t SELECT printf('%0*d', i % 300, i), i * 7919 % 2003 FROM n"
            ))
            .unwrap();
        assert_read_alike(&connection, &path);
    }
}

#[test]
fn values_are_the_same_only_in_class_and_bytes() {
    let by_us = |sql: &str| {
        let (spread, reader) = spread(sql);
        assert_eq!(reader, Reader::File, "{sql}");
        spread
    };
    assert_eq!(by_us("CREATE TABLE t (a); INSERT INTO t VALUES (0.0), (-0.0)"), Spread::Various);
    assert_eq!(by_us("CREATE TABLE t (a REAL); INSERT INTO t VALUES (1), (1.0)"), Spread::Constant);
    assert_eq!(by_us("CREATE TABLE t (a); INSERT INTO t VALUES (1), (1.0)"), Spread::Various);
    assert_eq!(by_us("CREATE TABLE t (a); INSERT INTO t VALUES (NULL), (NULL)"), Spread::Empty);
    assert_eq!(by_us("CREATE TABLE t (a); INSERT INTO t VALUES (NULL), (2)"), Spread::Various);
    assert_eq!(by_us("CREATE TABLE t (a); INSERT INTO t VALUES ('x'), (x'78')"), Spread::Various);
    assert_eq!(by_us("CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (4)"), Spread::Constant);
    for encoding in ["UTF-8", "UTF-16le", "UTF-16be"] {
        let wide = |sql: &str| by_us(&format!("PRAGMA encoding = '{encoding}'; {sql}"));
        assert_eq!(wide("CREATE TABLE t (\"Näme\"); INSERT INTO t VALUES ('NäME'), ('NäME')"), Spread::OwnName);
        let column = "CREATE TABLE t (a); INSERT INTO t VALUES (CAST(x'00d8' AS TEXT)), (CAST(x'01d8' AS TEXT))";
        assert_eq!(wide(column), Spread::Various);
        assert_eq!(wide("CREATE TABLE t (a); INSERT INTO t VALUES (x'00ff'), (x'00ff')"), Spread::Constant);
    }
}

#[test]
fn a_row_that_is_older_than_a_column_has_what_sqlite_reads() {
    for default in DEFAULTS {
        for kind in ["TEXT", "REAL", "INTEGER", "NUMERIC", ""] {
            for later in ["", "INSERT INTO t (a) VALUES (3)", "INSERT INTO t (a, b) VALUES (3, 'other')"] {
                let (_, reader) = spread(&format!(
                    "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2); ALTER TABLE t ADD COLUMN b {kind} {default}; {later}"
                ));
                assert_eq!(reader, Reader::File);
            }
        }
    }
}

#[test]
fn sqlite_reads_what_only_it_can() {
    let by_sqlite = |sql: &str| assert_eq!(spread(sql).1, Reader::Sqlite, "{sql}");
    by_sqlite("CREATE TABLE t (a, b AS (a + 1)); INSERT INTO t VALUES (1)");
    by_sqlite(
        "CREATE TABLE t (a PRIMARY KEY) WITHOUT ROWID; INSERT INTO t VALUES (1); ALTER TABLE t ADD COLUMN b DEFAULT 5",
    );
    by_sqlite(
        "CREATE TABLE t (oid, rowid, _rowid_); INSERT INTO t VALUES (1, 2, 3); ALTER TABLE t ADD COLUMN b DEFAULT 5",
    );
    assert_eq!(spread("CREATE TABLE t (a PRIMARY KEY) WITHOUT ROWID; INSERT INTO t VALUES (1)").1, Reader::File);
}

/// Bytes as a database.
struct Bytes {
    bytes: Vec<u8>,
    layout: Layout,
}

impl Bytes {
    fn new(bytes: Vec<u8>) -> Option<Self> {
        let header = Header::parse(&bytes).ok()?;
        let layout = Layout::of(&header, bytes.len() as u64);
        Some(Self { bytes, layout })
    }
}

impl Pages for Bytes {
    fn layout(&self) -> Layout {
        self.layout
    }

    fn read(&self, first: u32, into: &mut [u8]) -> io::Result<()> {
        let start = (u64::from(first - 1) * u64::from(self.layout.page_size)).min(self.bytes.len() as u64) as usize;
        let there = &self.bytes[start..(start + into.len()).min(self.bytes.len())];
        into[..there.len()].copy_from_slice(there);
        into[there.len()..].fill(0);
        Ok(())
    }
}

#[test]
fn records_that_lie_over_one_another_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("overlapping.db");
    open(&path)
        .execute_batch(
            "PRAGMA page_size = 512; CREATE TABLE t (a); INSERT INTO t VALUES (printf('%09000d', 1));
             WITH n (i) AS (VALUES (1), (2), (3), (4)) INSERT INTO t SELECT i FROM n",
        )
        .unwrap();
    let mut bytes = fs::read(&path).unwrap();
    // All cells are the first one: a page, and hundreds of times the whole database behind it.
    let (start, cells) = (512 + 8, 5);
    let first = bytes[start..start + 2].repeat(cells);
    bytes[start..start + 2 * cells].copy_from_slice(&first);
    let (pages, shape) = (Bytes::new(bytes).unwrap(), Shape::plain(1));
    let is_overlap =
        |error: &ReadError| matches!(error, ReadError::Malformed(Malformed { fault: Fault::Overlap, page: 2 }));
    let mut rows = TableRows::new(&pages, vec![2], &shape);
    assert!(rows.advance().unwrap());
    assert!(is_overlap(&rows.advance().unwrap_err()));
    let counts = scan(&pages, &[ScanTable { shape: &shape, pages: vec![2] }], &Work::new(Stage::Count, None));
    assert!(is_overlap(counts[0].as_ref().unwrap_err()));
}

/// Changes a few bytes, mostly where the structure is, or cuts the end off.
fn damage(random: &mut Random, bytes: &mut Vec<u8>, page_size: usize) {
    if random.one_in(8) {
        let length = random.below(bytes.len());
        bytes.truncate(length.max(100));
        return;
    }
    for _ in 0..=random.below(3) {
        let page = random.below(bytes.len() / page_size);
        let start = page * page_size + if page == 0 { 100 } else { 0 };
        let at = match random.below(6) {
            0 => random.below(100),
            1 | 2 => start + random.below(12),
            3 => start + 8 + random.below(40),
            _ => page * page_size + random.below(page_size),
        };
        let byte = match random.below(4) {
            0 => bytes[at] ^ (1 << random.below(8)),
            1 => random.pick(&[0, 1, 2, 5, 10, 13, 0x7f, 0x80, 0xff]),
            2 => bytes[at].wrapping_add(1),
            _ => random.next() as u8,
        };
        bytes[at] = byte;
    }
}

/// Everything that can be asked of a file, whatever it is.
fn read_everything(pages: &dyn Pages, roots: &[(u32, Shape)]) {
    let _ = freelist(pages);
    let schema = schema_rows(pages).unwrap_or_default();
    for row in &schema {
        let _ = pages_of_tree(pages, row.root_page, row.kind == "index");
    }
    let mut scanned = Vec::new();
    for (root, shape) in roots {
        if let Ok((_, pages)) = rows_by_reader(pages, *root, shape) {
            scanned.push(ScanTable { shape, pages });
        }
    }
    for (root, shape) in roots {
        let leaves = btree::leaves(pages, *root).unwrap_or_default().leaves;
        scanned.push(ScanTable { shape, pages: leaves });
    }
    scan(pages, &scanned, &Work::new(Stage::Count, None));
}

#[test]
fn damaged_files_are_read_to_an_error_or_as_sqlite_reads_them() {
    let (mut damaged, mut whole) = (0, 0);
    for seed in seeds(25) {
        let mut random = Random(seed + 1_000_000);
        let case = Case::new(&mut random);
        let _ = case.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let schema = Schema::read(&case.connection).unwrap();
        let shapes = shapes(&case.connection, &schema);
        let roots: Vec<_> =
            schema.tables.values().map(|table| (table.root_page, shapes[&table.name].clone())).collect();
        let bytes = fs::read(&case.path).unwrap();
        let page_size = Bytes::new(bytes.clone()).unwrap().layout.page_size as usize;
        for change in 0..80 {
            let mut bytes = bytes.clone();
            damage(&mut random, &mut bytes, page_size);
            let Some(pages) = Bytes::new(bytes) else { continue };
            read_everything(&pages, &roots);
            damaged += 1;
            if change % 8 == 0 {
                let copy = case.path.with_extension("damaged");
                fs::write(&copy, &pages.bytes).unwrap();
                whole += u32::from(agree_where_whole(&copy, &format!("seed {seed}, change {change}")));
            }
        }
    }
    assert!(damaged > 1500 && whole > 10 || std::env::var("SEED").is_ok(), "{damaged} {whole}");
}

/// Where SQLite finds nothing wrong, we read the same rows. False where it does.
fn agree_where_whole(path: &Path, context: &str) -> bool {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    let integrity = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0));
    let (Ok("ok"), Ok(schema)) = (integrity.as_deref(), Schema::read(&connection)) else { return false };
    let pages = FilePages::new(File::open(path).unwrap(), None).unwrap();
    let tables: Vec<&Table> = schema.tables.values().collect();
    for (table, ours) in tables.iter().zip(profile::of_tables(&connection, &pages, &tables, &Silent)) {
        // SQLite also reads overflow pages, which a count needs not: one that a file ends in the middle of is an error of its own.
        let Ok(theirs) = profile::of_table(&connection, table) else { continue };
        let ours = ours.unwrap();
        assert_eq!((ours.rows, ours.columns), (theirs.rows, theirs.columns), "{context}, {}", table.sql);
        let Ok(Some(shape)) = storage::shape(&connection, table) else { continue };
        let (Ok(theirs), Ok((ours, _))) =
            (rows_by_sqlite(&connection, table), rows_by_reader(&pages, table.root_page, &shape))
        else {
            continue;
        };
        assert_same_rows(&theirs, &ours, context);
    }
    true
}

/// Rows were added, changed and removed in several transactions, and the log was kept.
fn logged(random: &mut Random) -> Case {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("logged.db");
    let page_size = random.pick(&[512_usize, 1024, 4096]);
    let connection = begin(random, &path, page_size);
    connection
        .execute_batch("PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (a, b)")
        .unwrap();
    for _ in 0..2 + random.below(6) {
        let (first, rows) = (random.below(50), 1 + random.below(40));
        let sql = match random.below(6) {
            0 => format!("DELETE FROM t WHERE a % 3 = {}", first % 3),
            1 => "UPDATE t SET b = b || 'x'".to_owned(),
            2 => "VACUUM".to_owned(),
            3 => "PRAGMA wal_checkpoint(PASSIVE)".to_owned(),
            _ => format!(
                "WITH RECURSIVE n (i) AS (SELECT {first} UNION ALL SELECT i + 1 FROM n LIMIT {rows})
                 INSERT INTO t SELECT i, printf('%0*d', i % 9 * 40, i) FROM n"
            ),
        };
        connection.execute_batch(&sql).unwrap();
    }
    Case { _folder: folder, path, connection }
}

#[test]
fn damaged_logs_are_read_as_sqlite_reads_them() {
    let (mut compared, mut shorter) = (0, 0);
    for seed in seeds(40) {
        let mut random = Random(seed + 2_000_000);
        let case = logged(&mut random);
        let (database, log) = (fs::read(&case.path).unwrap(), fs::read(log_of(&case.path)).unwrap());
        let whole = case.pages().layout().pages;
        let copy = case.path.with_extension("copy");
        for change in 0..8 {
            let mut damaged = log.clone();
            if change > 0 && !damaged.is_empty() {
                if random.one_in(3) {
                    damaged.truncate(random.below(log.len()));
                } else {
                    let at = random.below(damaged.len());
                    damaged[at] ^= 1 << random.below(8);
                }
            }
            fs::write(&copy, &database).unwrap();
            fs::write(log_of(&copy), &damaged).unwrap();
            let Ok(pages) = FilePages::new(File::open(&copy).unwrap(), File::open(log_of(&copy)).ok()) else {
                continue;
            };
            let layout = pages.layout();
            let mut ours = vec![0; layout.pages as usize * layout.page_size as usize];
            pages.read(1, &mut ours).unwrap();
            let connection = Connection::open_with_flags(&copy, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
            let busy = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, u32>(0));
            drop(connection);
            if busy.is_ok_and(|busy| busy == 0) {
                assert!(ours == fs::read(&copy).unwrap(), "seed {seed}, change {change}");
                compared += 1;
                shorter += u32::from(layout.pages != whole);
            }
        }
    }
    assert!(compared > 200 && shorter > 20 || std::env::var("SEED").is_ok(), "{compared} {shorter}");
}
