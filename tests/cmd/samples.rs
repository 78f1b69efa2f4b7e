//! `--samples`: which rows are shown for which finding, and that nothing is shown where nobody asked.

use serde_json::{Value, json};

use crate::support::Project;

/// A table of each kind, five rows in each.
const SNAPSHOT: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, code TEXT, name TEXT, age);
    CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) ON DELETE CASCADE, title TEXT);
    CREATE TABLE likes (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) ON DELETE SET NULL);
    CREATE TABLE words (word TEXT, page INTEGER, note TEXT, PRIMARY KEY (word, page)) WITHOUT ROWID;
    CREATE TABLE log (at, what);
    WITH n (i) AS (VALUES (1), (2), (3), (4), (5)) INSERT INTO users SELECT i, '00' || (i * 7), ' n' || i, '1' || i FROM n;
    WITH n (i) AS (VALUES (1), (2), (3), (4), (5)) INSERT INTO posts SELECT i * 10, i, 't' || i FROM n;
    WITH n (i) AS (VALUES (1), (2), (3), (4), (5)) INSERT INTO likes SELECT i * 100, i FROM n;
    WITH n (i) AS (VALUES (1), (2), (3), (4), (5)) INSERT INTO words SELECT 'w' || i, i, 'x' FROM n;
    WITH n (i) AS (VALUES (1), (2), (3), (4), (5)) INSERT INTO log SELECT i * 7, x'00ff' FROM n;";

/// Migrations, the finding's rule, the names of its key, and its first row: key, before, after.
#[expect(clippy::type_complexity, reason = "a row of a table of cases")]
const CASES: &[(&str, &str, &[&str], &[&str], &[(&str, &str)], &[(&str, &str)])] = &[
    (
        "DELETE FROM posts WHERE id = 30",
        "LS107",
        &["id"],
        &["30"],
        &[("id", "30"), ("user_id", "3"), ("title", "'t3'")],
        &[],
    ),
    (
        "DELETE FROM users WHERE id = 2",
        "LS102",
        &["id"],
        &["20"],
        &[("id", "20"), ("user_id", "2"), ("title", "'t2'")],
        &[],
    ),
    ("DELETE FROM users WHERE id = 2", "LS103", &["id"], &["200"], &[("user_id", "2")], &[("user_id", "NULL")]),
    (
        "DROP TABLE words",
        "LS104",
        &["word", "page"],
        &["'w1'", "1"],
        &[("word", "'w1'"), ("page", "1"), ("note", "'x'")],
        &[],
    ),
    ("DROP TABLE log", "LS104", &["rowid"], &["1"], &[("at", "7"), ("what", "x'00ff'")], &[]),
    (
        "DELETE FROM words WHERE page = 4",
        "LS107",
        &["word", "page"],
        &["'w4'", "4"],
        &[("word", "'w4'"), ("page", "4"), ("note", "'x'")],
        &[],
    ),
    ("DELETE FROM log WHERE at = 14", "LS107", &["rowid"], &["2"], &[("at", "14"), ("what", "x'00ff'")], &[]),
    (
        "CREATE TABLE n (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) ON DELETE CASCADE, title TEXT);
         INSERT INTO n SELECT * FROM posts WHERE id <> 40; DROP TABLE posts; ALTER TABLE n RENAME TO posts;",
        "LS105",
        &["id"],
        &["40"],
        &[("id", "40"), ("user_id", "4"), ("title", "'t4'")],
        &[],
    ),
    (
        "CREATE TABLE n (at, what); INSERT INTO n SELECT * FROM log; INSERT INTO n SELECT * FROM log WHERE at = 21;
         DROP TABLE log; ALTER TABLE n RENAME TO log;",
        "LS108",
        &[],
        &[],
        &[],
        &[("at", "21"), ("what", "x'00ff'")],
    ),
    ("ALTER TABLE users DROP COLUMN code", "VL201", &["id"], &["1"], &[("code", "'007'")], &[]),
    (
        "UPDATE words SET note = NULL WHERE page = 3",
        "VL202",
        &["word", "page"],
        &["'w3'", "3"],
        &[("note", "'x'")],
        &[("note", "NULL")],
    ),
    (
        "UPDATE posts SET title = 'other' WHERE id = 50",
        "VL203",
        &["id"],
        &["50"],
        &[("title", "'t5'")],
        &[("title", "'other'")],
    ),
    ("UPDATE users SET age = CAST(age AS INTEGER)", "VL204", &["id"], &["1"], &[("age", "'11'")], &[("age", "11")]),
    (
        "CREATE TABLE n (id INTEGER PRIMARY KEY, code INTEGER, name TEXT, age); INSERT INTO n SELECT * FROM users;
         DROP TABLE users; ALTER TABLE n RENAME TO users;",
        "VL205",
        &["id"],
        &["1"],
        &[("code", "'007'")],
        &[("code", "7")],
    ),
    ("UPDATE users SET name = trim(name)", "VL208", &["id"], &["1"], &[("name", "' n1'")], &[("name", "'n1'")]),
];

/// The findings of a document with this code.
fn findings<'a>(document: &'a Value, code: &'a str) -> impl Iterator<Item = &'a Value> {
    document["findings"].as_array().unwrap().iter().filter(move |finding| finding["code"] == code)
}

fn samples<'a>(document: &'a Value, code: &'a str) -> &'a Value {
    findings(document, code)
        .map(|finding| &finding["samples"])
        .find(|samples| samples.is_object())
        .unwrap_or(&Value::Null)
}

fn values(values: &[(&str, &str)]) -> Vec<Value> {
    values.iter().map(|(column, value)| json!({"column": column, "value": value})).collect()
}

fn document(project: &Project, what: &str, foreign_keys: &str) -> Value {
    project.document(&["--foreign-keys", foreign_keys, "--samples", what])
}

#[test]
fn the_rows_of_every_kind_of_finding() {
    for encoding in ["UTF-8", "UTF-16le", "UTF-16be"] {
        for (migration, code, names, key, before, after) in CASES {
            let project =
                Project::new(&format!("PRAGMA encoding = '{encoding}'; {SNAPSHOT}")).migration("1.sql", migration);
            let foreign_keys = if code.starts_with("LS10") && !migration.contains("RENAME") { "on" } else { "off" };
            let with_values = document(&project, "values", foreign_keys);
            let shown = samples(&with_values, code);
            assert_eq!(shown["key"], json!(names), "{code} {encoding}: {with_values:#}");
            let mut row = json!({"key": key});
            for (side, of) in [("before", before), ("after", after)] {
                if !of.is_empty() {
                    row[side] = json!(values(of));
                }
            }
            assert_eq!(shown["rows"][0], row, "{code} {encoding}");
            let with_keys = document(&project, "keys", foreign_keys);
            let wanted = if key.is_empty() { Value::Null } else { json!({"key": key}) };
            assert_eq!(samples(&with_keys, code)["rows"][0], wanted, "{code} {encoding}");
        }
    }
}

#[test]
fn none_are_shown_or_written_where_nobody_asked() {
    for (migration, code, ..) in CASES {
        let project = Project::new(SNAPSHOT).migration("1.sql", migration);
        for foreign_keys in ["on", "off"] {
            for more in [&[][..], &["--samples", "none"], &["-v"]] {
                let json = project.document(&[&["--foreign-keys", foreign_keys], more].concat());
                assert!(!json.to_string().contains("\"samples\""), "{code} {more:?}");
                let ran = project.rehearse(&[&["--foreign-keys", foreign_keys], more].concat());
                assert!(!ran.stdout.contains("= rows:"), "{code} {more:?}: {}", ran.stdout);
            }
        }
    }
}

#[test]
fn keys_are_shown_without_values() {
    let project = Project::new(SNAPSHOT).migration(
        "1.sql",
        "UPDATE users SET code = 'canary' || code; DELETE FROM words WHERE page > 3; DROP TABLE log; DROP TABLE posts;",
    );
    let text = project.rehearse(&["--samples", "keys"]).stdout;
    assert!(text.contains("= rows: 2 by `word`, `page`: ('w4', 4), ('w5', 5)\n"), "{text}");
    assert!(text.contains("= rows: 5 by `rowid`: 1, 2, 3, 4, 5\n"), "{text}");
    assert!(!text.contains("canary") && !text.contains("'t1'") && !text.contains("00ff"), "{text}");
    let document = document(&project, "keys", "off");
    for (code, rows) in [("VL203", 5), ("LS107", 2), ("LS104", 5)] {
        let rows_shown = samples(&document, code)["rows"].as_array().unwrap();
        assert_eq!(rows_shown.len(), rows, "{code}");
        assert!(rows_shown.iter().all(|row| row.as_object().unwrap().keys().eq(["key"])), "{rows_shown:?}");
    }
}

#[test]
fn the_limit_is_that_of_each_finding_and_says_of_how_many() {
    let project = Project::new(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT);
         WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
             INSERT INTO t SELECT i, 'a' || i, 'b' || i FROM n;
         CREATE TABLE gone AS SELECT * FROM t;",
    )
    .migration(
        "1.sql",
        "DELETE FROM t WHERE id > 200; UPDATE t SET a = 'x' || a; ALTER TABLE t DROP COLUMN b; DROP TABLE gone;",
    );
    for (limit, wanted) in [(&[][..], 5), (&["--samples-limit", "1"], 1), (&["--samples-limit", "1000"], 1000)] {
        for what in ["keys", "values"] {
            let document = project.document(&[&["--samples", what], limit].concat());
            for (code, all) in [("LS107", 1300), ("LS104", 1500), ("VL203", 200), ("VL201", 1500)] {
                let shown = samples(&document, code)["rows"].as_array().unwrap().len();
                assert_eq!(shown, wanted.min(all), "{code} {what} {limit:?}");
            }
        }
    }
    let text = project.rehearse(&["--samples", "values", "--samples-limit", "2"]).stdout;
    assert!(
        text.contains("= rows: 2 of 1,300 by `id`:\n      201: a 'a201', b 'b201'\n      202: a 'a202', b 'b202'\n"),
        "{text}"
    );
    for wrong in ["0", "1001", "-1", "x"] {
        assert_eq!(project.rehearse(&["--samples", "keys", "--samples-limit", wrong]).code, Some(2), "{wrong}");
    }
}

#[test]
fn hostile_values_are_cut_and_harmless() {
    let hostile = "'\u{1b}[2J\u{202e}' || char(10) || '::error::forged' || char(13, 0) || '##[error]' || '文章'";
    let project = Project::new(&format!(
        "CREATE TABLE t (k TEXT PRIMARY KEY, v, \"\u{1b}[31m::error::\" TEXT);
         INSERT INTO t VALUES ({hostile}, {hostile}, 'x'), ('::error::x', CAST(x'ff00fe' AS TEXT), 'x'),
             ('long', printf('%.9000c', 'y'), 'x'), ('blob', zeroblob(9000), 'x'), ('inf', 9e999, 'x');"
    ))
    .migration("1.sql", "DELETE FROM t; CREATE TABLE u (a);");
    for width in ["40", "80", "200"] {
        for what in ["keys", "values"] {
            let main = ["--snapshot", "prod.db", "--migrations", "migrations", "--driver", "sqlite"];
            let mut command = project.command(&[&main[..], &["--samples", what]].concat());
            let text = String::from_utf8(command.env("COLUMNS", width).output().unwrap().stdout).unwrap();
            assert!(text.contains("= rows: 5 by `k`"), "{text}");
            assert!(!text.contains(|sign: char| (sign.is_control() && sign != '\n') || sign == '\u{202e}'), "{text:?}");
            assert!(!text.lines().any(|line| line.trim_start().starts_with("::") || line.contains("##[")), "{text}");
            assert!(text.lines().all(|line| line.chars().count() < 210), "{text}");
        }
    }
    let document = document(&project, "values", "off");
    let rows = samples(&document, "LS107")["rows"].as_array().or(samples(&document, "LS110")["rows"].as_array());
    let longest = rows.unwrap().iter().flat_map(|row| row["before"].as_array().unwrap());
    assert_eq!(longest.map(|value| value["value"].as_str().unwrap().chars().count()).max(), Some(64));
}
