//! `rehearse diff` and `rehearse profile`: what they say of databases, and that plain SQL says the same.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot make its databases has failed")]

#[path = "cmd/support.rs"]
mod support;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rehearse::Reading;
use rehearse::observer::Silent;
use rehearse::report::diff::{Diff, Verdict};
use rehearse::report::document::TableChange;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use support::Project;

const SHOP: &str = "
    PRAGMA user_version = 3;
    CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT, age TEXT);
    CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id), title TEXT);
    CREATE TABLE log (line TEXT);
    CREATE TABLE __drizzle_migrations (id INTEGER PRIMARY KEY, hash TEXT, created_at INTEGER);
    CREATE INDEX posts_user ON posts (user_id);
    CREATE VIEW titles AS SELECT title FROM posts;
    INSERT INTO users VALUES (1, 'a', '007'), (2, NULL, '12'), (3, 'c', '40'), (4, 'd', '4');
    INSERT INTO posts VALUES (1, 1, 'x'), (2, 1, 'y'), (3, 2, 'z');
    INSERT INTO log VALUES ('a'), ('a'), ('b');
    INSERT INTO __drizzle_migrations VALUES (1, 'h', 1);";

/// `before.db`, and `after.db` made of the same SQL and then changed.
fn two(sql: &str, change: &str) -> Project {
    let project = Project::empty();
    project.database("before.db", sql);
    project.database("after.db", sql);
    project.database("after.db", change);
    project
}

const DIFF: [&str; 3] = ["diff", "before.db", "after.db"];

fn document(project: &Project) -> Diff {
    let ran = project.run(&[&DIFF[..], &["--format", "json"]].concat());
    let diff: Diff = serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.all()));
    assert_eq!(ran.code, Some(i32::from(diff.exit_code())));
    diff
}

/// What is said in the first line, with the exit code.
#[track_caller]
fn says(change: &str, code: i32, said: &str) {
    let ran = two(SHOP, change).run(&[&DIFF[..], &["-q"]].concat());
    assert_eq!((ran.code, ran.all().as_str()), (Some(code), format!("{said}\n").as_str()), "{change}");
}

#[test]
fn equal_databases_are_the_same_in_one_line() {
    says("", 0, "the same: 4 tables with 11 rows in both files");
    says("VACUUM", 0, "the same: 4 tables with 11 rows in both files");
    says("PRAGMA page_size = 8192; VACUUM; ANALYZE", 0, "the same: 4 tables with 11 rows in both files");
    let project = Project::empty();
    project.database("before.db", "VACUUM");
    assert_eq!(project.run(&["diff", "before.db", "before.db"]).stdout, "the same: neither file has a table\n");
}

#[test]
fn each_difference_is_said() {
    let one = |what: &str| format!("different: 1 of 4 tables ({what})");
    says("UPDATE users SET age = '7' WHERE id = 1", 1, &one("1 row changed"));
    says("UPDATE users SET age = CAST(age AS BLOB) WHERE id = 1", 1, &one("1 row changed"));
    says("INSERT INTO log VALUES ('a')", 1, &one("1 row gained"));
    says("DELETE FROM log WHERE rowid = 1", 1, &one("1 row lost"));
    says("UPDATE __drizzle_migrations SET hash = 'i'", 1, &one("1 row changed"));
    says("DROP INDEX posts_user", 1, "different: the schema");
    says("DROP TABLE log", 1, "different: 1 of 4 tables (3 rows lost) and the schema");
    says("CREATE TABLE tags (x)", 1, "different: 1 of 5 tables and the schema");
    says("DROP VIEW titles; CREATE VIEW titles AS SELECT id FROM posts", 1, "different: the schema");
    says("UPDATE sqlite_sequence SET seq = 9", 1, "different: where AUTOINCREMENT goes on");
    says("PRAGMA user_version = 4", 1, "different: user_version");
    says("PRAGMA application_id = 4", 1, "different: application_id");
    says("ALTER TABLE log ADD x DEFAULT 1", 1, "different: the schema");
}

#[test]
fn a_table_is_compared_although_nothing_wrote_it() {
    // The root page and the definition are the same: in a rehearsal such a table would have been left alone.
    let diff = document(&two(SHOP, "UPDATE posts SET title = 'X' WHERE id = 2"));
    let posts = diff.tables.iter().find(|table| table.name == "posts").unwrap();
    assert_eq!((posts.rows.changed, posts.rows.lost, posts.rows.gained), (Some(1), Some(0), Some(0)));
    let title = posts.columns.iter().find(|column| column.name == "title").unwrap();
    assert_eq!(title.values.as_ref().unwrap().changed, 1);
}

#[test]
fn renames_are_not_followed() {
    let diff = document(&two(SHOP, "ALTER TABLE log RENAME TO lines; ALTER TABLE users RENAME COLUMN age TO years"));
    let change = |name: &str| diff.tables.iter().find(|table| table.name == name).map(|table| table.change);
    assert_eq!((change("log"), change("lines")), (Some(TableChange::Dropped), Some(TableChange::Added)));
    let users = diff.tables.iter().find(|table| table.name == "users").unwrap();
    let column = |name: &str| users.columns.iter().find(|column| column.name == name).unwrap();
    assert_eq!((column("years").before_name.as_deref(), column("age").nulls.after), (None, None));
}

#[test]
fn a_table_without_a_name_is_a_table() {
    let diff = document(&two("CREATE TABLE \"\" (x); INSERT INTO \"\" VALUES (1);", "UPDATE \"\" SET x = 2"));
    assert_eq!((diff.verdict, diff.tables.len()), (Verdict::Different, 1));
}

#[test]
fn what_cannot_be_compared_is_not_the_same() {
    let unknown_module = "CREATE TABLE ok (x); PRAGMA writable_schema = ON;
        INSERT INTO sqlite_schema VALUES ('table', 'places', 'places', 0, 'CREATE VIRTUAL TABLE places USING spatial(x)');";
    let ran = two(unknown_module, "").run(&DIFF);
    let said = "unknown: `places` could not be compared; nothing else differs\n\nNot compared\n  \
        places  cannot be read in the first file: no such module: spatial; this SQLite does not have what\n          it needs\n";
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(4), said));
    let ran = two(unknown_module, "INSERT INTO ok VALUES (1)").run(&DIFF);
    let said = "different: 1 of 2 tables (1 row gained); `places` could not be compared\n";
    assert!(ran.code == Some(1) && ran.stdout.starts_with(said), "{}", ran.stdout);
    let ran = two(unknown_module, "").run(&["profile", "before.db"]);
    assert_eq!(ran.code, Some(4));
    assert!(ran.stdout.ends_with("Not read\n  places  no such module: spatial\n"), "{}", ran.stdout);
}

#[test]
fn a_full_text_table_without_content_is_known_by_its_index() {
    let contentless = "CREATE VIRTUAL TABLE d USING fts5(x, content=''); INSERT INTO d (rowid, x) VALUES (1, 'a');";
    assert_eq!(document(&two(contentless, "")).verdict, Verdict::Same);
    let other = "INSERT INTO d (d, rowid, x) VALUES ('delete', 1, 'a'); INSERT INTO d (rowid, x) VALUES (1, 'b')";
    let diff = document(&two(contentless, other));
    assert_eq!((diff.verdict, diff.not_compared.len()), (Verdict::Unknown, 1));
    let content = "CREATE VIRTUAL TABLE d USING fts5(x); INSERT INTO d (rowid, x) VALUES (1, 'a'), (2, 'b');";
    assert_eq!(document(&two(content, "INSERT INTO d (d) VALUES ('rebuild')")).verdict, Verdict::Same);
    assert_eq!(document(&two(content, "UPDATE d SET x = 'c' WHERE rowid = 2")).verdict, Verdict::Different);
}

#[test]
fn files_that_are_no_databases_are_refused() {
    let project = two(SHOP, "");
    std::fs::write(project.path("empty.db"), "").unwrap();
    std::fs::write(project.path("text.db"), "hello\n").unwrap();
    std::fs::create_dir(project.path("folder")).unwrap();
    for (name, said) in [
        (
            "empty.db",
            "error[SN904] not-a-database-or-encrypted: opening the snapshot `empty.db`: it is empty (0 bytes)\n",
        ),
        ("text.db", "error[SN904] not-a-database-or-encrypted: opening the snapshot `text.db`: it is a text file"),
        ("folder", "error: opening the snapshot `folder`: it is a folder\n"),
        ("no.db", "error: opening the snapshot `no.db`: the file does not exist\n"),
    ] {
        for arguments in [&["diff", "before.db", name][..], &["diff", name, "before.db"], &["profile", name]] {
            let ran = project.run(arguments);
            assert_eq!((ran.code, ran.stdout.as_str()), (Some(4), ""), "{arguments:?}");
            assert!(ran.stderr.starts_with(said), "{arguments:?}: {}", ran.stderr);
        }
    }
}

/// What stands beside a file, and who has it open.
mod sidecars {
    use super::{DIFF, SHOP, connect, two};

    #[test]
    fn the_log_of_an_app_that_has_it_open_counts() {
        let project = two(SHOP, "PRAGMA journal_mode = wal");
        let app = connect(&project.path("after.db"));
        app.execute_batch("PRAGMA wal_autocheckpoint = 0; INSERT INTO log VALUES ('new'); BEGIN; DELETE FROM log")
            .unwrap();
        let ran = project.run(&DIFF);
        assert!(ran.stdout.starts_with("different: 1 of 4 tables (1 row gained)\n"), "{}", ran.all());
        assert!(ran.stdout.contains("beside it"), "{}", ran.stdout);
        let ran = project.run(&["profile", "after.db"]);
        assert!(ran.stdout.contains("\nlog: 4 rows\n"), "{}", ran.stdout);
        app.execute_batch("ROLLBACK").unwrap();
    }

    #[test]
    fn a_missing_log_is_said_of_the_file_that_misses_it() {
        let project = two(SHOP, "PRAGMA journal_mode = wal");
        for (arguments, code) in [(&DIFF[..], 0), (&["profile", "after.db"], 0)] {
            let ran = project.run(arguments);
            assert_eq!(ran.code, Some(code));
            let said =
                "warning[SN901] wal-not-included: the database is in WAL mode and no `after.db-wal` is beside it\n";
            assert!(ran.stdout.contains(said) && !ran.stdout.contains("before.db-wal"), "{}", ran.stdout);
        }
    }
}

mod journal {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::{Connection, DIFF, SHOP, connect, document, two};

    /// A file as it is when the app dies in a transaction that has been written in part.
    #[test]
    fn a_transaction_that_was_cut_off_is_undone_first() {
        let project = two(SHOP, "");
        let app = connect(&project.path("after.db"));
        app.execute_batch(
            "PRAGMA cache_size = 1; BEGIN; DELETE FROM posts;
             WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
                 INSERT INTO log SELECT hex(zeroblob(200)) FROM n;",
        )
        .unwrap();
        let bytes = |name: &str| std::fs::read(project.path(name)).unwrap();
        let (half, journal) = (bytes("after.db"), bytes("after.db-journal"));
        app.execute_batch("ROLLBACK").unwrap();
        drop(app);
        std::fs::write(project.path("after.db"), &half).unwrap();
        std::fs::write(project.path("after.db-journal"), journal).unwrap();
        assert!(half.len() > 2 * bytes("before.db").len(), "nothing was written before the end");
        let ran = project.run(&DIFF);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        assert!(ran.stdout.starts_with("the same: 4 tables with 11 rows in both files\n"), "{}", ran.stdout);
        assert!(ran.stdout.contains("SN902") && ran.stdout.contains("after.db"), "{}", ran.stdout);
        let ran = project.run(&["profile", "after.db"]);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        assert!(ran.stdout.contains("\nlog: 3 rows\n") && ran.stdout.contains("SN902"), "{}", ran.stdout);
    }

    /// An app that writes two rows at a time: each comparison sees one moment of it.
    #[test]
    fn a_file_that_is_written_meanwhile_is_seen_as_it_was_at_one_moment() {
        for mode in ["wal", "delete"] {
            let project = two(SHOP, &format!("PRAGMA journal_mode = {mode}"));
            let write = |app: &Connection| {
                app.execute_batch(
                    "BEGIN IMMEDIATE; INSERT INTO log VALUES ('new'); INSERT INTO posts (title) VALUES ('new'); COMMIT",
                )
            };
            let stop = AtomicBool::new(false);
            std::thread::scope(|scope| {
                let writer = scope.spawn(|| {
                    let app = connect(&project.path("after.db"));
                    app.busy_timeout(Duration::from_secs(30)).unwrap();
                    while !stop.load(Ordering::Relaxed) {
                        write(&app).unwrap();
                        std::thread::sleep(Duration::from_millis(2));
                    }
                });
                let mut seen = 0;
                for _ in 0..5 {
                    let ran = super::support::Ran::from(
                        project.command(&[&DIFF[..], &["--format", "json"]].concat()).output().unwrap(),
                    );
                    let diff: super::Diff = serde_json::from_str(&ran.stdout).unwrap();
                    let gained = |name: &str| {
                        diff.tables.iter().find(|table| table.name == name).and_then(|table| table.rows.gained)
                    };
                    assert_eq!((ran.code, ran.stderr.as_str()), (Some(i32::from(diff.exit_code())), ""), "{mode}");
                    assert_eq!(gained("log"), gained("posts"), "{mode}");
                    assert!(gained("log") >= Some(seen), "{mode}");
                    seen = gained("log").unwrap_or_default();
                    project.assert_nothing_left();
                }
                stop.store(true, Ordering::Relaxed);
                writer.join().unwrap();
                assert!(seen > 0, "{mode}: nothing was written meanwhile");
            });
            assert!(document(&project).tables.iter().any(|table| table.rows.gained > Some(0)));
        }
    }
}

fn connect(path: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    Connection::open_with_flags(path, flags).unwrap()
}

#[test]
fn quiet_and_verbose() {
    let project = two(SHOP, "UPDATE users SET email = NULL WHERE id = 1");
    let normal = project.run(&DIFF).stdout;
    assert!(normal.contains("  3 other tables, 7 rows: unchanged\n") && !normal.contains("log"), "{normal}");
    assert!(normal.contains("  users.email  1 value changed (1 became NULL); NULLs 1 → 2; text 3 → 2\n"), "{normal}");
    let verbose = project.run(&[&DIFF[..], &["-v"]].concat()).stdout;
    assert!(verbose.contains("    __drizzle_migrations, log, posts\n"), "{verbose}");
    assert!(verbose.contains("not touched: size, time and content are what they were"), "{verbose}");
}

#[test]
fn a_profile_counts_and_shows_no_value() {
    let project = two(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, age, flag TEXT, note TEXT, twice AS (id * 2));
         INSERT INTO t VALUES (1, '7', 'flag', NULL), (2, 7, 'flag', NULL), (3, 7.5, 'flag', NULL), (4, x'07', 'flag', NULL);
         CREATE TABLE kv (k TEXT PRIMARY KEY, v ANY) STRICT, WITHOUT ROWID;
         INSERT INTO kv VALUES ('secret-key', 'secret-value'), ('secret-other', 'secret-value');
         CREATE TABLE none (x);",
        "",
    );
    let ran = project.run(&["profile", "before.db"]);
    let shown = "\
kv: 2 rows, WITHOUT ROWID, STRICT
  column  type  nulls  text
  k       TEXT      0     2
  v       ANY       0     2  all the same

none: 0 rows, 1 column

t: 4 rows
  column  type     nulls  integer  real  text  blob
  id      INTEGER      0        4
  age                  0        1     1     1     1
  flag    TEXT         0                    4        the column's own name
  note    TEXT         4                             only NULLs
  twice                0        4                    generated
";
    assert!(ran.code == Some(0) && ran.stdout.ends_with(shown), "{}", ran.stdout);
    assert!(ran.stdout.starts_with("before.db: 3 tables with 6 rows\n"), "{}", ran.stdout);
    let quiet = project.run(&["profile", "before.db", "-q"]).stdout;
    assert_eq!(quiet.lines().count(), 5, "{quiet}");
    for format in ["text", "json"] {
        for arguments in [&["profile", "before.db"][..], &["diff", "before.db", "after.db", "-v"]] {
            let ran = project.run(&[arguments, &["--format", format]].concat());
            assert!(!ran.all().contains("secret"), "{}", ran.all());
        }
    }
}

#[test]
fn json_has_the_documented_fields() {
    let fields = |value: &Value| value.as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>().join(" ");
    let project = two(SHOP, "DELETE FROM users WHERE id = 2; UPDATE sqlite_sequence SET seq = 9");
    let diff: Value = serde_json::from_str(&project.run(&[&DIFF[..], &["--format", "json"]].concat()).stdout).unwrap();
    assert_eq!(
        fields(&diff),
        "schema_version rehearse verdict before after extent tables schema counters violations integrity broken not_compared"
            .split(' ')
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
            .join(" ")
    );
    assert_eq!(diff["verdict"], "different");
    assert_eq!(diff["counters"], serde_json::json!([{"table": "users", "before": 4, "after": 9}]));
    let violations = serde_json::json!([{"table": "posts", "parent": "users", "before": 0, "after": 1}]);
    assert_eq!(diff["violations"], violations);
    assert_eq!((&diff["before"]["untouched"], &diff["before"]["encoding"]), (&true.into(), &"UTF-8".into()));
    let profile: Value =
        serde_json::from_str(&project.run(&["profile", "before.db", "--format", "json"]).stdout).unwrap();
    assert_eq!((&profile["indexes"], &profile["views"], &profile["triggers"]), (&1.into(), &1.into(), &0.into()));
    let users = profile["tables"].as_array().unwrap().iter().find(|table| table["name"] == "users").unwrap();
    let email = serde_json::json!({"name": "email", "declared_type": "TEXT", "generated": false, "nulls": 1, "integers": 0,
        "reals": 0, "texts": 3, "blobs": 0, "spread": "various"});
    assert_eq!((&users["rows"], &users["columns"][1]), (&4.into(), &email));
}

// ---- plain SQL says the same

/// A table of each kind by which rows are matched. The columns of each are `k` and `v`.
const SHAPES: [&str; 5] = [
    "k INTEGER PRIMARY KEY, v",
    "k PRIMARY KEY NOT NULL, v) WITHOUT ROWID",
    "k TEXT COLLATE NOCASE NOT NULL, v, UNIQUE (k COLLATE BINARY)",
    "k, v",
    "k, v, PRIMARY KEY (v, k)",
];
/// In UTF-16 `🦀` sorts before `ﾮ`, in UTF-8 behind it.
const VALUES: [&str; 17] = [
    "NULL",
    "1",
    "1.0",
    "'1'",
    "x'31'",
    "'a'",
    "'A'",
    "'a '",
    "''",
    "0.0",
    "-0.0",
    "9007199254740993",
    "9007199254740992.0",
    "'🦀'",
    "'ﾮ'",
    "'é' || char(0) || 'x'",
    "x'f09fa680'",
];
const ENCODINGS: [&str; 3] = ["UTF-8", "UTF-16le", "UTF-16be"];

#[derive(Debug, Clone)]
struct Case {
    shape: usize,
    /// (k, v) as indexes into [`VALUES`], and of a row before whether it is there after, and its value then.
    rows: Vec<(usize, usize, Option<usize>)>,
    new: Vec<(usize, usize)>,
    encodings: (usize, usize),
}

fn cases() -> impl Strategy<Value = Case> {
    let value = 0..VALUES.len();
    let after = prop_oneof![6 => Just(None), 2 => value.clone().prop_map(Some)];
    let rows = prop::collection::vec((value.clone(), value.clone(), after), 0..12);
    let new = prop::collection::vec((value.clone(), value), 0..3);
    (0..SHAPES.len(), rows, new, (0..3_usize, 0..3_usize)).prop_map(|(shape, rows, new, encodings)| Case {
        shape,
        rows,
        new,
        encodings,
    })
}

/// SQL that makes one side; a row that breaks a constraint is left out.
fn side(case: &Case, encoding: &str, page_size: u32, after: bool) -> String {
    let shape = SHAPES[case.shape];
    let close = if shape.contains(')') && shape.ends_with("ROWID") { "" } else { ")" };
    let mut sql =
        format!("PRAGMA encoding = '{encoding}'; PRAGMA page_size = {page_size}; CREATE TABLE t ({shape}{close};\n");
    let mut insert = |k: usize, v: usize| {
        let _ = writeln!(sql, "INSERT OR IGNORE INTO t (k, v) VALUES ({}, {});", VALUES[k], VALUES[v]);
    };
    for (k, v, changed) in &case.rows {
        insert(*k, if after { changed.unwrap_or(*v) } else { *v });
    }
    if after {
        case.new.iter().for_each(|(k, v)| insert(*k, *v));
    }
    sql
}

struct Files {
    _folder: tempfile::TempDir,
    before: PathBuf,
    after: PathBuf,
}

fn files(case: &Case, encodings: (&str, &str)) -> Files {
    let folder = tempfile::tempdir().unwrap();
    let (before, after) = (folder.path().join("before.db"), folder.path().join("after.db"));
    for (path, encoding, page_size, is_after) in
        [(&before, encodings.0, 4096, false), (&after, encodings.1, 1024, true)]
    {
        let database = connect(path);
        database.execute_batch("PRAGMA synchronous = off").unwrap();
        // An INTEGER PRIMARY KEY refuses what is no integer.
        for statement in side(case, encoding, page_size, is_after).split(";\n") {
            let _ = database.execute_batch(statement);
        }
    }
    Files { _folder: folder, before, after }
}

/// Rows of `one` without an equal row in `other`, by storage class and bytes, each as often as it is too few.
fn surplus(files: &Files, one: &str, other: &str) -> u64 {
    let database = connect(&files.before);
    database.execute("ATTACH ?1 AS after", [files.after.to_str().unwrap()]).unwrap();
    let exact = |column: &str| {
        format!(
            "typeof({column}), CASE typeof({column}) WHEN 'text' THEN hex(CAST({column} AS BLOB)) WHEN 'real' THEN \
             printf('%!.26g', {column}) || iif({column} = 0 AND atan2({column}, -1) < 0, '-', '') ELSE quote({column}) END"
        )
    };
    let rows = |side: &str| {
        let columns = format!("{}, {}", exact("k"), exact("v"));
        // Equal rows get different numbers, so that EXCEPT keeps as many as are too few.
        format!("SELECT {columns}, row_number() OVER (PARTITION BY {columns}) FROM {side}.t")
    };
    let sql = format!("SELECT count(*) FROM ({} EXCEPT {})", rows(one), rows(other));
    database.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap().unsigned_abs()
}

/// Rows, classes and what became of the values.
fn told(diff: &Diff) -> Vec<Value> {
    let mut tables: Vec<Value> = diff.tables.iter().map(|table| serde_json::to_value(table).unwrap()).collect();
    for column in tables.iter_mut().filter_map(|table| table["columns"].as_array_mut()).flatten() {
        let values = &column["values"];
        column["values"] = [&values["changed"], &values["nulled"], &values["filled"]].into_iter().cloned().collect();
    }
    // SQLite translates between encodings.
    for table in &mut tables {
        table.as_object_mut().unwrap().remove("read_by");
    }
    tables
}

fn diff(files: &Files) -> Diff {
    rehearse::diff(&files.before.clone().into(), &files.after.clone().into(), &Reading::default(), &Silent).unwrap()
}

fn agrees(case: &Case) {
    let encoding = ENCODINGS[case.encodings.0];
    let same = files(case, (encoding, encoding));
    let compared = diff(&same);
    let (missing, more) = (surplus(&same, "main", "after"), surplus(&same, "after", "main"));
    assert_eq!(compared.verdict == Verdict::Same, missing + more == 0, "{missing} missing, {more} more");
    let rows = &compared.tables[0].rows;
    let [lost, gained, changed] = [rows.lost, rows.gained, rows.changed].map(Option::unwrap_or_default);
    assert_eq!(rows.before.unwrap() + gained, rows.after.unwrap() + lost);
    // Whatever rows are matched by: each row without an equal is lost, gained or changed, and there are no others.
    assert!(lost + changed >= missing && gained + changed >= more, "{lost} {gained} {changed}: {missing} {more}");
    assert!(lost + gained + changed <= missing + more, "{lost} {gained} {changed}: {missing} {more}");
    if case.shape < 3 {
        assert_eq!((lost + changed, gained + changed), (missing, more));
    }
    // In other encodings the two are what they were, but for bytes that are a text in one encoding and not in the other.
    let mixed = diff(&files(case, (ENCODINGS[case.encodings.0], ENCODINGS[case.encodings.1])));
    assert_eq!((mixed.verdict, told(&mixed)), (compared.verdict, told(&compared)));
}

#[test]
fn plain_sql_agrees() {
    let config = Config { cases: 200, failure_persistence: None, max_shrink_iters: 300, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    runner
        .run(&cases(), |case| {
            agrees(&case);
            Ok(())
        })
        .unwrap();
}

#[test]
fn text_that_is_none_stays_different_between_encodings() {
    // Half a surrogate pair is no character; read as UTF-8 it would be U+FFFD.
    let project = Project::empty();
    project.database(
        "before.db",
        "PRAGMA encoding = 'UTF-16le'; CREATE TABLE t (v); INSERT INTO t VALUES (CAST(x'00d8' AS TEXT));",
    );
    project.database("after.db", "CREATE TABLE t (v); INSERT INTO t VALUES (char(65533));");
    let ran = project.run(&DIFF);
    assert!(ran.stdout.starts_with("different: 1 of 1 table (1 row changed)\n"), "{}", ran.stdout);
    assert!(ran.stdout.contains("text is compared as UTF-8: the files store UTF-16le and UTF-8\n"), "{}", ran.stdout);
}
