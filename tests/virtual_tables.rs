//! Full-text tables, R-trees and other virtual tables: what they show is compared, how they keep it is theirs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, reason = "a test fails by panicking")]

mod rehearsed;

use std::fmt::Write as _;

use rehearsed::{alarms, brief, plain};

/// What is in production, a migration, and the findings above note.
type Case<'a> = (&'a str, &'a str, &'a str, &'a [&'a str]);

#[track_caller]
fn check(cases: &[Case<'_>]) {
    let mut wrong = String::new();
    for (name, before, migration, expected) in cases {
        let rehearsal = plain(before, &[migration], "sqlite");
        let found = alarms(&rehearsal);
        let outcome = &rehearsal.evidence.execution().outcome;
        if found != *expected || *outcome != rehearse::execution::Outcome::Completed {
            let _ = write!(wrong, "\n{name}: {outcome:?}\n  expected {expected:?}\n  found    {found:?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

const DOCS: &str = "CREATE TABLE docs (id INTEGER PRIMARY KEY, title TEXT, body TEXT);
    INSERT INTO docs VALUES (1, 'one', 'red apple'), (2, 'two', 'green pear'), (3, 'three', 'red cherry');";
const OWN: &str = "CREATE VIRTUAL TABLE f USING fts5 (title, body, prefix = '2 3');
    INSERT INTO f VALUES ('one', 'red apple'), ('two', 'green pear'), ('three', 'red cherry');";
const OLD: &str = "CREATE VIRTUAL TABLE o USING fts4 (title, body);
    INSERT INTO o VALUES ('one', 'red apple'), ('two', 'green pear'), ('three', 'red cherry');";
const CONTENTLESS: &str = "CREATE VIRTUAL TABLE c USING fts5 (body, content = '');
    INSERT INTO c (rowid, body) VALUES (1, 'red apple'), (2, 'green pear'), (3, 'red cherry');";
const CONTENTLESS_DELETE: &str = "CREATE VIRTUAL TABLE c USING fts5 (body, content = '', contentless_delete = 1);
    INSERT INTO c (rowid, body) VALUES (1, 'red apple'), (2, 'green pear'), (3, 'red cherry');";
const EXTERNAL: &str = "CREATE VIRTUAL TABLE e USING fts5 (title, body, content = 'docs', content_rowid = 'id');
    INSERT INTO e (e) VALUES ('rebuild');";
const EXTERNAL_OLD: &str = "CREATE VIRTUAL TABLE x USING fts4 (title, body, content=\"docs\");
    INSERT INTO x (x) VALUES ('rebuild');";
const BOXES: &str = "CREATE VIRTUAL TABLE r USING rtree (id, x0, x1, y0, y1, +label TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300)
    INSERT INTO r SELECT i, i, i + 1, i, i + 1, 'box ' || i FROM n;";
const POLYGONS: &str = "CREATE VIRTUAL TABLE g USING geopoly (label);
    INSERT INTO g (_shape, label) VALUES ('[[0,0],[1,0],[0,1],[0,0]]', 'a'), ('[[5,5],[6,5],[5,6],[5,5]]', 'b');";

#[test]
fn upkeep_of_an_index_raises_no_alarm() {
    let (external, both) = (format!("{DOCS}{EXTERNAL}"), format!("{DOCS}{EXTERNAL_OLD}"));
    let upkeep = |table: &str| {
        format!("INSERT INTO {table} ({table}) VALUES ('rebuild'); INSERT INTO {table} ({table}) VALUES ('optimize')")
    };
    check(&[
        ("own rows", OWN, &upkeep("f"), &[]),
        ("own rows of fts4", OLD, &upkeep("o"), &[]),
        ("rows of another table", &external, &upkeep("e"), &[]),
        ("rows of another table, fts4", &both, &upkeep("x"), &[]),
        ("no rows", CONTENTLESS, "INSERT INTO c (c) VALUES ('optimize')", &[]),
        ("a setting", OWN, "INSERT INTO f (f, rank) VALUES ('automerge', 8)", &[]),
        ("a vocabulary", OWN, "CREATE VIRTUAL TABLE v USING fts5vocab (f, row)", &[]),
        ("a row more and less", OWN, "INSERT INTO f VALUES ('x', 'y'); DELETE FROM f WHERE title = 'x'", &[]),
        ("renamed", OWN, "ALTER TABLE f RENAME TO f2", &[]),
        ("boxes", BOXES, "INSERT INTO r VALUES (301, 1, 2, 3, 4, 'new'); DELETE FROM r WHERE id = 301", &[]),
        ("boxes renamed", BOXES, "ALTER TABLE r RENAME TO r2", &[]),
        ("polygons", POLYGONS, "INSERT INTO g (_shape, label) VALUES ('[[8,8],[9,8],[8,9],[8,8]]', 'c')", &[]),
        (
            "what others hold, shown",
            "CREATE TABLE t (a); INSERT INTO t VALUES (1); CREATE VIRTUAL TABLE pages USING dbstat;
            CREATE VIRTUAL TABLE f USING fts5 (a); INSERT INTO f VALUES ('one two');
            CREATE VIRTUAL TABLE words USING fts5vocab (f, row);",
            "CREATE TABLE u (a); INSERT INTO u SELECT zeroblob(9000); DROP TABLE words; INSERT INTO f VALUES ('two');
            CREATE VIRTUAL TABLE words USING fts5vocab (f, col)",
            &[],
        ),
        ("an index dropped, its rows stay", &external, "DROP TABLE e", &[]),
        (
            "an index made anew for other columns",
            &external,
            "DROP TABLE e; CREATE VIRTUAL TABLE e USING fts5 (title, content = 'docs', content_rowid = 'id');
            INSERT INTO e (e) VALUES ('rebuild')",
            &[],
        ),
    ]);
}

#[test]
fn what_a_virtual_table_loses_is_found() {
    let external = format!("{DOCS}{EXTERNAL}");
    let external_old = format!("{DOCS}{EXTERNAL_OLD}");
    check(&[
        ("a row", OWN, "DELETE FROM f WHERE title = 'two'", &["LS107 warning f rows=1"]),
        ("a row of fts4", OLD, "DELETE FROM o WHERE title = 'two'", &["LS107 warning o rows=1"]),
        ("a word", OWN, "UPDATE f SET body = 'pear' WHERE title = 'two'", &["VL203 warning f body rows=1"]),
        ("all of it", OWN, "DROP TABLE f", &["LS104 error f rows=3"]),
        (
            "every row of an index without rows",
            CONTENTLESS,
            "INSERT INTO c (c) VALUES ('delete-all')",
            &["LS110 error c rows=3"],
        ),
        (
            "a row of an index without rows",
            CONTENTLESS_DELETE,
            "DELETE FROM c WHERE rowid = 2",
            &["LS107 warning c rows=1"],
        ),
        ("an index without rows", CONTENTLESS, "DROP TABLE c", &["LS104 error c rows=3"]),
        ("a box", BOXES, "DELETE FROM r WHERE id = 7", &["LS107 warning r rows=1"]),
        ("a side of a box", BOXES, "UPDATE r SET x1 = 1000 WHERE id = 7", &["VL203 warning r x1 rows=1"]),
        ("a label of a box", BOXES, "UPDATE r SET label = 'x' WHERE id = 7", &["VL203 warning r label rows=1"]),
        ("a polygon", POLYGONS, "DELETE FROM g WHERE label = 'a'", &["LS107 warning g rows=1"]),
        (
            "a row behind the index",
            &external,
            "DELETE FROM docs WHERE id = 2",
            &["LS107 warning docs rows=1", "SC319 warning e docs"],
        ),
        (
            "a word behind the index of fts4",
            &external_old,
            "UPDATE docs SET body = 'grey pear' WHERE id = 2",
            &["SC319 warning x docs", "VL203 warning docs body rows=1"],
        ),
        ("the rows of an index", &external, "DROP TABLE docs", &["LS104 error docs rows=3", "SC319 warning e docs"]),
        (
            "an index row past its table",
            &external,
            "INSERT INTO e (rowid, title, body) VALUES (9, 'nine', 'blue plum')",
            &["SC319 warning e docs"],
        ),
        ("a page of an index", OWN, "DELETE FROM f_data WHERE id > 10", &["IN405 error f"]),
        ("a page of an index of fts4", OLD, "DELETE FROM o_segdir", &["IN405 error o"]),
        (
            "a node of boxes",
            BOXES,
            "DELETE FROM r_rowid WHERE rowid = 7",
            &["IN401 error rows=1", "VL202 error r label rows=1"],
        ),
    ]);
}

#[test]
fn a_module_that_is_not_here_is_not_compared() {
    let before = "CREATE TABLE t (id INTEGER PRIMARY KEY);
        PRAGMA writable_schema = ON;
        INSERT INTO sqlite_schema VALUES ('table', 'v', 'v', 0, 'CREATE VIRTUAL TABLE v USING vec0 (e float[3])');
        PRAGMA writable_schema = OFF;";
    check(&[("of another module", before, "INSERT INTO t VALUES (1)", &["SN911 error v"])]);
}

/// The check of a full-text index is written like an INSERT.
#[test]
fn checking_an_index_changes_nothing() {
    let rehearsal =
        plain(&format!("{DOCS}{EXTERNAL}{EXTERNAL_OLD}"), &["UPDATE docs SET title = 'x' WHERE id = 1"], "sqlite");
    let found: Vec<String> = rehearsal.findings.iter().map(brief).collect();
    assert_eq!(found, ["SC319 warning e docs", "SC319 warning x docs", "VL203 warning docs title rows=1"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.db");
    rehearsed::database(&path, &format!("{DOCS}{EXTERNAL}{EXTERNAL_OLD}DELETE FROM docs;"));
    let before = std::fs::read(&path).unwrap();
    let connection = rusqlite::Connection::open_with_flags(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    let schema = rehearse::schema::Schema::read(&connection).unwrap();
    for table in ["e", "x"] {
        assert!(!rehearse::compare::integrity::is_in_sync(&connection, schema.table(table).unwrap()).unwrap());
    }
    assert!(connection.execute("DELETE FROM e", []).is_err(), "the connection is for reading again");
    drop(connection);
    assert_eq!(std::fs::read(&path).unwrap(), before);
}
