//! The comparison against an independent oracle: plain SQL over both databases attached, storage class and bytes, on random
//! pairs of databases.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, reason = "a test fails by panicking")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rehearse::compare::rows::{Key, RowComparison};
use rehearse::compare::samples::Sampling;
use rehearse::compare::{Comparison, Scope, State, States, TableComparison};
use rehearse::execution::steps::{By, Change};
use rehearse::execution::{Execution, Outcome, Settings, Step, drivers};
use rehearse::migrations::statement::Statement;
use rehearse::observer::Silent;
use rehearse::sqlite_file::header::TextEncoding;
use rehearse::sqlite_file::page_set::PageSet;
use rehearse::sqlite_file::pages::{FilePages, Pages};
use rusqlite::{Connection, OpenFlags};

/// A kind of table: its columns before and after, and the key by which its rows must be matched.
#[derive(Debug, Clone, Copy)]
struct Shape {
    before: &'static str,
    after: &'static str,
    /// Columns that take a value, before and after.
    writable: [&'static str; 2],
    columns: usize,
    key: Expected,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Columns(usize),
    Rowid,
    Content,
    /// Depends on whether the key holds NULL.
    Any,
}

const fn same(definition: &'static str, columns: usize, key: Expected) -> Shape {
    Shape { before: definition, after: definition, writable: ["", ""], columns, key }
}

const SHAPES: &[Shape] = &[
    same("(id INTEGER PRIMARY KEY, a, b)", 3, Expected::Columns(1)),
    same("(a, b, c)", 3, Expected::Rowid),
    same("(k TEXT PRIMARY KEY COLLATE NOCASE, a, b)", 3, Expected::Any),
    same("(k TEXT PRIMARY KEY COLLATE RTRIM, a, b)", 3, Expected::Any),
    same("(k NOT NULL PRIMARY KEY, a, b)", 3, Expected::Columns(1)),
    same("(k, l, a, PRIMARY KEY (l DESC, k))", 3, Expected::Any),
    same("(id INTEGER PRIMARY KEY DESC, a, b)", 3, Expected::Any),
    same("(k, l, a, PRIMARY KEY (k, l)) WITHOUT ROWID", 3, Expected::Columns(2)),
    same("(k TEXT COLLATE NOCASE PRIMARY KEY, a, b) WITHOUT ROWID", 3, Expected::Columns(1)),
    same("(a, u UNIQUE NOT NULL, b)", 3, Expected::Columns(1)),
    same("(a, u UNIQUE, b)", 3, Expected::Any),
    same("(a REAL, b TEXT, c BLOB, d NUMERIC)", 4, Expected::Rowid),
    same("(id INTEGER PRIMARY KEY, a ANY, b TEXT) STRICT", 3, Expected::Columns(1)),
    same("(\"rowid\" TEXT, \"select\" , \"a \"\"b`c\")", 3, Expected::Rowid),
    same("(\"rowid\", \"oid\", \"_rowid_\", 列)", 4, Expected::Content),
    same("(\"列 名\" PRIMARY KEY NOT NULL, [from], `a.b`)", 3, Expected::Columns(1)),
    Shape {
        before: "(id INTEGER PRIMARY KEY, a, g AS (typeof(a)), h AS (coalesce(a, 0) || 'x') STORED)",
        after: "(id INTEGER PRIMARY KEY, a, g AS (typeof(a)), h AS (coalesce(a, 0) || 'x') STORED)",
        writable: ["(id, a)", "(id, a)"],
        columns: 2,
        key: Expected::Columns(1),
    },
    Shape {
        before: "(id INTEGER PRIMARY KEY, a TEXT, b INTEGER)",
        after: "(id INTEGER PRIMARY KEY, a BLOB, b TEXT)",
        writable: ["", ""],
        columns: 3,
        key: Expected::Columns(1),
    },
];

const VALUES: &[&str] = &[
    "NULL",
    "0",
    "1",
    "2",
    "-1",
    "12",
    "9007199254740992",
    "9007199254740993",
    "9223372036854775807",
    "-9223372036854775808",
    "0.0",
    "-0.0",
    "1.0",
    "1.5",
    "9007199254740992.0",
    "1e308",
    "5e-324",
    "9e999",
    "''",
    "'a'",
    "'A'",
    "'a '",
    "'b'",
    "'1'",
    "'12'",
    "'012'",
    "'1.5'",
    "'é'",
    "'𝄞'",
    "CAST(x'610062' AS TEXT)",
    "CAST(x'ff' AS TEXT)",
    "CAST(x'00d8' AS TEXT)",
    "CAST(x'00d800d8' AS TEXT)",
    "CAST(x'd800' AS TEXT)",
    "x''",
    "x'61'",
    "x'ff00'",
    "x'610062'",
];

/// The rows of both sides, as places in `VALUES`: after is before with some rows lost, some cells replaced and some rows new.
#[derive(Debug, Clone)]
struct Case {
    shape: usize,
    encoding: usize,
    before: Vec<Vec<usize>>,
    /// For each row before: whether it stays, and a column and a value to replace.
    fates: Vec<(bool, Option<(usize, usize)>)>,
    new: Vec<Vec<usize>>,
    added_column: bool,
}

fn cases() -> impl Strategy<Value = Case> {
    let row = || prop::collection::vec(0..VALUES.len(), 4);
    let fate = (prop::bool::weighted(0.9), prop::option::weighted(0.3, (0..4_usize, 0..VALUES.len())));
    let rows = prop_oneof![1 => Just(0..1_usize), 9 => Just(1..14_usize)];
    (
        0..SHAPES.len(),
        prop_oneof![3 => Just(0_usize), 1 => Just(1), 1 => Just(2)],
        rows.prop_flat_map(move |count| {
            (prop::collection::vec(row(), count.clone()), prop::collection::vec(fate.clone(), 14))
        }),
        prop::collection::vec(prop::collection::vec(0..VALUES.len(), 4), 0..3),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(shape, encoding, (before, fates), new, added_column)| Case {
            shape,
            encoding,
            before,
            fates,
            new,
            added_column,
        })
}

/// An in-memory database that several connections see.
fn memory() -> (String, Connection) {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let address = format!("file:/properties-{}?vfs=memdb", NUMBER.fetch_add(1, Ordering::Relaxed));
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(&address, flags).unwrap();
    (address, connection)
}

const TABLE: &str = "\"t \"\"x`y\"";
const ENCODINGS: [(&str, TextEncoding); 3] =
    [("UTF-8", TextEncoding::Utf8), ("UTF-16le", TextEncoding::Utf16Le), ("UTF-16be", TextEncoding::Utf16Be)];

/// SQL that inserts what fits; `rowid` keeps rows at their numbers, where the table has such a name.
fn insert(shape: &Shape, writable: &str, number: usize, values: &[usize]) -> String {
    let values: Vec<&str> = values[..shape.columns].iter().map(|value| VALUES[*value]).collect();
    let names = match (writable, shape.key) {
        ("", Expected::Rowid) => {
            let columns: Vec<String> = columns_of(shape.before);
            let rowid = if columns.iter().any(|column| column == "\"rowid\"") { "_rowid_" } else { "rowid" };
            return format!(
                "INSERT OR IGNORE INTO {TABLE} ({rowid}, {}) VALUES ({number}, {});",
                columns.join(", "),
                values.join(", ")
            );
        }
        (names, _) => names,
    };
    format!("INSERT OR IGNORE INTO {TABLE} {names} VALUES ({});", values.join(", "))
}

/// Inserts where the table accepts it.
fn put(connection: &Connection, sql: &str) {
    if let Err(error) = connection.execute_batch(sql) {
        let refused = error.to_string();
        assert!(refused.contains("datatype mismatch") || refused.contains("cannot store"), "{refused}: {sql}");
    }
}

/// The quoted names of the columns of a definition without table constraints.
fn columns_of(definition: &str) -> Vec<String> {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(&format!("CREATE TABLE t {definition}")).unwrap();
    let mut statement =
        connection.prepare("SELECT '\"' || replace(name, '\"', '\"\"') || '\"' FROM pragma_table_info('t')").unwrap();
    let names = statement.query_map([], |row| row.get(0)).unwrap();
    names.map(Result::unwrap).collect()
}

/// Both databases of a case; `oracle` has the one before as `main` and the one after as `after`.
struct Pair {
    before: Connection,
    after: Connection,
    oracle: Connection,
}

impl Pair {
    fn of(case: &Case) -> Self {
        let shape = &SHAPES[case.shape];
        let (before_at, before) = memory();
        let (after_at, after) = memory();
        let encoding = format!("PRAGMA encoding = '{}';", ENCODINGS[case.encoding].0);
        before.execute_batch(&format!("{encoding} CREATE TABLE {TABLE} {}", shape.before)).unwrap();
        after.execute_batch(&format!("{encoding} CREATE TABLE {TABLE} {}", shape.after)).unwrap();
        for (number, row) in case.before.iter().enumerate() {
            put(&before, &insert(shape, shape.writable[0], number + 1, row));
        }
        let rows = case.before.iter().enumerate().zip(&case.fates).filter(|(_, (stays, _))| *stays);
        for ((number, row), (_, replaced)) in rows {
            let mut row = row.clone();
            if let Some((column, value)) = replaced {
                row[*column] = *value;
            }
            put(&after, &insert(shape, shape.writable[1], number + 1, &row));
        }
        for (number, row) in case.new.iter().enumerate() {
            put(&after, &insert(shape, shape.writable[1], number + 100, row));
        }
        if case.added_column {
            after.execute_batch(&format!("ALTER TABLE {TABLE} ADD COLUMN added TEXT DEFAULT 'x'")).unwrap();
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI;
        let oracle = Connection::open_with_flags(&before_at, flags).unwrap();
        oracle.execute_batch(&format!("ATTACH '{after_at}' AS after")).unwrap();
        Self { before, after, oracle }
    }

    /// Reads the files where `pages` are given, else asks SQLite alone.
    fn compare(&self, case: &Case, pages: Option<&[FilePages; 2]>) -> TableComparison {
        let table = "t \"x`y".to_owned();
        // Rows that were deleted and inserted again may have other rowids.
        let again = u64::from(SHAPES[case.shape].key != Expected::Rowid);
        let change = Change { table, by: By::Statement, inserted: again, updated: 1, deleted: again };
        let step = Step {
            migration: String::new(),
            file: String::new(),
            number: 1,
            statement: Statement::new("SELECT 1", 1, 1),
            ran: true,
            elapsed: Duration::ZERO,
            bytes_after: None,
            in_transaction: true,
            foreign_keys: false,
            source_rows: None,
            strings: Vec::new(),
            changes: vec![change],
            taken: None,
            error: None,
            committed: true,
            not_understood: false,
        };
        let execution = Execution {
            settings: Settings::of(&drivers::sql::SQLITE, None),
            journal_mode: "memory".to_owned(),
            outcome: Outcome::Completed,
            steps: vec![step],
            bookkeeping: Vec::new(),
            foreign_keys_after: false,
            elapsed: Duration::ZERO,
            usage: None,
            command: None,
        };
        let encoding = ENCODINGS[case.encoding].1;
        let changed = pages.and_then(|[before, after]| PageSet::differing(before, after, &Silent).unwrap());
        let state = |connection, side: usize| State {
            connection,
            uri: "",
            encoding,
            pages: pages.map(|pages| &pages[side] as &dyn Pages),
        };
        let states = States {
            before: state(&self.before, 0),
            after: state(&self.after, 1),
            changed: changed.as_ref(),
            ledger: "",
            sampling: Sampling::None,
            scope: Scope::Whole,
            memory: 1 << 20,
            time: Duration::from_mins(1),
        };
        let comparison = Comparison::between(states, &execution, &Silent).unwrap();
        assert_eq!(comparison.not_compared, []);
        comparison.tables.into_iter().next().unwrap()
    }

    /// The same as files.
    fn files(&self) -> [FilePages; 2] {
        [&self.before, &self.after].map(|connection| {
            let file = tempfile::NamedTempFile::new().unwrap();
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
            let mut copy = Connection::open_with_flags(file.path(), flags).unwrap();
            copy.execute_batch("PRAGMA synchronous = off; PRAGMA journal_mode = off").unwrap();
            let all = Duration::ZERO;
            rusqlite::backup::Backup::new(connection, &mut copy).unwrap().run_to_completion(1000, all, None).unwrap();
            FilePages::new(file.reopen().unwrap(), None).unwrap()
        })
    }

    fn count(&self, sql: &str) -> u64 {
        let counted = self.oracle.query_row(sql, [], |row| row.get::<_, i64>(0));
        counted.map_or_else(|error| panic!("{error}: {sql}"), i64::unsigned_abs)
    }
}

/// Storage class and bytes of a value as one text. Of a real every bit counts, also the sign of zero.
fn exact(value: &str) -> String {
    format!(
        "(typeof({value}) || ' ' || CASE typeof({value}) WHEN 'text' THEN hex(CAST({value} AS BLOB)) WHEN 'blob' THEN hex({value}) \
         WHEN 'real' THEN printf('%!.26g', {value}) || iif({value} = 0 AND atan2({value}, -1) < 0, '-', '') \
         WHEN 'integer' THEN {value} ELSE '' END)"
    )
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Lost, gained and changed rows, as plain SQL sees them.
fn oracle(pair: &Pair, rows: &RowComparison) -> (u64, u64, Option<u64>) {
    let names: Vec<(String, String)> =
        rows.columns.iter().map(|column| (quoted(&column.before), quoted(&column.after))).collect();
    let all = |side: &str, second: bool| {
        let values = names.iter().map(|(one, other)| exact(&format!("{side}.{}", if second { other } else { one })));
        values.collect::<Vec<_>>().join(" || '/' || ")
    };
    let on = match &rows.key {
        Key::Content => {
            let side = |database: &str, second| {
                format!("SELECT {} AS row, count(*) AS n FROM {database}.{TABLE} x GROUP BY 1", all("x", second))
            };
            let missing = |one: &str, other: &str| {
                format!(
                    "SELECT coalesce(sum(max(0, b.n - coalesce(a.n, 0))), 0) FROM ({one}) b LEFT JOIN ({other}) a ON a.row = b.row"
                )
            };
            let (before, after) = (side("main", false), side("after", true));
            return (pair.count(&missing(&before, &after)), pair.count(&missing(&after, &before)), None);
        }
        Key::Rowid(one, other) => format!("b.{one} = a.{other}"),
        Key::Columns(columns) => {
            let equal = |(one, other): &(String, String)| {
                format!("(+b.{}) = (+a.{}) COLLATE BINARY", quoted(one), quoted(other))
            };
            columns.iter().map(equal).collect::<Vec<_>>().join(" AND ")
        }
    };
    let missing = |one: &str, one_name: &str, other: &str, other_name: &str| {
        format!(
            "SELECT count(*) FROM {one}.{TABLE} {one_name} WHERE NOT EXISTS (SELECT 1 FROM {other}.{TABLE} {other_name} WHERE {on})"
        )
    };
    let differ = format!(
        "SELECT count(*) FROM main.{TABLE} b JOIN after.{TABLE} a ON {on} WHERE {} <> {}",
        all("b", false),
        all("a", true)
    );
    for column in &rows.columns {
        let (one, other) = (format!("b.{}", quoted(&column.before)), format!("a.{}", quoted(&column.after)));
        let select = format!("SELECT count(*) FROM main.{TABLE} b JOIN after.{TABLE} a ON {on} WHERE");
        let differs = format!("{} <> {}", exact(&one), exact(&other));
        let counted = [
            pair.count(&format!("{select} {differs}")),
            pair.count(&format!("{select} {other} IS NULL AND {one} IS NOT NULL")),
            pair.count(&format!("{select} {one} IS NULL AND {other} IS NOT NULL")),
            pair.count(&format!(
                "{select} {differs} AND {one} IS NOT NULL AND {other} IS NOT NULL AND typeof({one}) = typeof({other})"
            )),
        ];
        let same_class = column.altered() + column.lossy;
        assert_eq!([column.changed, column.nulled, column.filled], counted[..3], "column {}", column.before);
        assert!(same_class >= counted[3], "column {}", column.before);
        let blank = |value: &str| format!("typeof({value}) = 'text' AND hex(CAST({value} AS BLOB)) = ''");
        let texts = format!("typeof({one}) = 'text' AND typeof({other}) = 'text'");
        let kinds = [
            pair.count(&format!("{select} {} AND {other} IS NULL", blank(&one))),
            pair.count(&format!("{select} {one} IS NULL AND {}", blank(&other))),
        ];
        assert_eq!([column.blank_to_null, column.null_to_blank], kinds, "column {}", column.before);
        assert_eq!(column.lossy_kinds.values().sum::<u64>(), column.lossy, "column {}", column.before);
        assert!(column.recognisable() <= pair.count(&format!("{select} {differs} AND {texts}")));
    }
    if let (Key::Columns(_), Some(moved)) = (&rows.key, rows.rowids_moved) {
        let other =
            format!("SELECT count(*) FROM main.{TABLE} b JOIN after.{TABLE} a ON {on} WHERE b.rowid <> a.rowid");
        assert_eq!(moved, pair.count(&other));
    }
    (
        pair.count(&missing("main", "b", "after", "a")),
        pair.count(&missing("after", "a", "main", "b")),
        Some(pair.count(&differ)),
    )
}

/// Rows, NULLs and storage classes of both sides, as plain SQL sees them.
fn check_profiles(pair: &Pair, table: &TableComparison) {
    for (database, profile) in [("main", &table.before), ("after", &table.after)] {
        let profile = profile.as_ref().unwrap();
        assert_eq!(profile.rows, pair.count(&format!("SELECT count(*) FROM {database}.{TABLE}")));
        for column in &profile.columns {
            let counts = ["null", "integer", "real", "text", "blob"].map(|class| {
                let name = quoted(&column.name);
                pair.count(&format!("SELECT count(*) FROM {database}.{TABLE} WHERE typeof({name}) = '{class}'"))
            });
            let counted = [column.nulls, column.integers, column.reals, column.texts, column.blobs];
            assert_eq!(counted, counts, "column {}", column.name);
        }
    }
}

/// Comparisons for which SQLite was not asked.
static READ_FROM_FILES: AtomicU64 = AtomicU64::new(0);

fn agrees(case: &Case) {
    let pair = Pair::of(case);
    let files = pair.files();
    let table = pair.compare(case, Some(&files));
    let by_sqlite = pair.compare(case, None);
    for (by_file, by_sqlite) in [(&table.before, &by_sqlite.before), (&table.after, &by_sqlite.after)] {
        let (by_file, by_sqlite) = (by_file.as_ref().unwrap(), by_sqlite.as_ref().unwrap());
        assert_eq!((by_file.rows, &by_file.columns), (by_sqlite.rows, &by_sqlite.columns));
    }
    // Where no page differs, no row was read.
    let is_same = |table: &TableComparison| {
        let rows = table.rows.as_ref().unwrap();
        (rows.lost, rows.gained, rows.changed.unwrap_or(0)) == (0, 0, 0)
    };
    if !is_same(&table) || !is_same(&by_sqlite) {
        let counted = |table: &TableComparison| RowComparison { by_sqlite: false, ..table.rows.clone().unwrap() };
        assert_eq!(counted(&table), counted(&by_sqlite));
        READ_FROM_FILES.fetch_add(u64::from(!table.rows.as_ref().unwrap().by_sqlite), Ordering::Relaxed);
    }
    let rows = table.rows.as_ref().unwrap();
    match (SHAPES[case.shape].key, &rows.key) {
        (Expected::Any, _) | (Expected::Rowid, Key::Rowid(..)) | (Expected::Content, Key::Content) => {}
        (Expected::Columns(width), Key::Columns(columns)) if columns.len() == width => {}
        (_, Key::Content) if is_same(&table) => {}
        (expected, key) => {
            assert!(case.before.is_empty() || table.after.as_ref().unwrap().rows == 0, "{expected:?}: {key:?}");
        }
    }
    let counted = (rows.lost, rows.gained, rows.changed.unwrap_or(0));
    let (lost, gained, changed) = oracle(&pair, rows);
    assert_eq!(counted, (lost, gained, changed.unwrap_or(0)), "matched by {:?}", rows.key);
    let (before, after) = (table.before.as_ref().unwrap().rows, table.after.as_ref().unwrap().rows);
    assert_eq!((rows.matched + rows.lost, rows.matched + rows.gained), (before, after));
    check_profiles(&pair, &table);
}

#[test]
fn the_comparison_agrees_with_plain_sql() {
    let config = Config { cases: 1000, failure_persistence: None, max_shrink_iters: 400, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    runner
        .run(&cases(), |case| {
            agrees(&case);
            Ok(())
        })
        .unwrap();
    let read_from_files = READ_FROM_FILES.load(Ordering::Relaxed);
    assert!(read_from_files > 500, "only {read_from_files} comparisons were made from the files alone");
}
