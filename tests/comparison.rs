//! Damage through migrations that look innocent, and migrations that do no harm.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, reason = "a test fails by panicking")]
#![expect(clippy::too_many_lines, reason = "each test is a list of cases")]

mod rehearsed;

use rehearsed::{alarms, plain};
use std::fmt::Write as _;

/// 2000 users with 2000 posts, 500 tags, a log without key, and what usually hangs on such tables.
const SHOP: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT, score REAL, code TEXT,
        at INTEGER DEFAULT 7, data BLOB, CHECK (score >= 0));
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
    INSERT INTO users SELECT i, 'u' || i || '@example.org', iif(i % 10 = 0, NULL, 'name ' || i), i * 0.1,
        printf('%05d', i), i, CAST('data ' || i AS BLOB) FROM n;
    CREATE INDEX users_name ON users (name);
    CREATE UNIQUE INDEX users_code ON users (code);
    CREATE TRIGGER users_touch AFTER UPDATE OF email ON users BEGIN UPDATE users SET at = 0 WHERE id = new.id; END;
    CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        title TEXT NOT NULL CHECK (length(title) > 0));
    INSERT INTO posts SELECT id, 2001 - id, 'title ' || id FROM users;
    CREATE INDEX posts_user ON posts (user_id);
    CREATE TABLE tags (post INTEGER, tag TEXT COLLATE NOCASE, w REAL, PRIMARY KEY (post, tag)) WITHOUT ROWID;
    INSERT INTO tags SELECT id % 250, 'Tag ' || id, id FROM users WHERE id <= 500;
    CREATE TABLE log (line TEXT, level INTEGER);
    INSERT INTO log SELECT 'line ' || id, id % 3 FROM users WHERE id <= 900;
    DELETE FROM log WHERE rowid % 7 = 0;
    CREATE VIEW loud AS SELECT line FROM log WHERE level = 2;
    CREATE TABLE notes (id INTEGER PRIMARY KEY, a TEXT, b TEXT);
    INSERT INTO notes SELECT id, 'a' || id, 'b' || id FROM users WHERE id <= 100;
    CREATE TABLE \"quoted\" (id INTEGER PRIMARY KEY, a TEXT);
    INSERT INTO quoted SELECT id, a FROM notes;
    CREATE TABLE empty (id INTEGER PRIMARY KEY, x TEXT);";

/// The rebuild of `notes` with this copy in it.
fn notes(copy: &str) -> String {
    format!(
        "CREATE TABLE __new_notes (id INTEGER PRIMARY KEY, a TEXT, b TEXT); {copy};
        DROP TABLE notes; ALTER TABLE __new_notes RENAME TO notes;"
    )
}

/// The rebuild of `users` with this body and these columns.
fn users(body: &str, columns: &str, select: &str) -> String {
    format!("DROP TRIGGER users_touch;
        CREATE TABLE __new_users ({body});
        INSERT INTO __new_users ({columns}) SELECT {select} FROM users;
        DROP TABLE users; ALTER TABLE __new_users RENAME TO users;
        CREATE INDEX users_name ON users (name); CREATE UNIQUE INDEX users_code ON users (code);
        CREATE TRIGGER users_touch AFTER UPDATE OF email ON users BEGIN UPDATE users SET at = 0 WHERE id = new.id; END;")
}

const BODY: &str = "id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT, score REAL, code TEXT, at INTEGER DEFAULT 7, data BLOB, CHECK (score >= 0)";
const COLUMNS: &str = "id, email, name, score, code, at, data";

fn users_with(select: &str) -> String {
    users(BODY, COLUMNS, select)
}

/// Runs every case and shows all that are not as expected.
#[track_caller]
fn check(cases: &[(&str, String, &[&str])]) {
    let mut wrong = String::new();
    for (name, migration, expected) in cases {
        let rehearsal = plain(SHOP, &[migration], "sqlite");
        let outcome = &rehearsal.evidence.execution().outcome;
        let found = alarms(&rehearsal);
        if found != *expected || *outcome != rehearse::execution::Outcome::Completed {
            let _ = write!(wrong, "\n{name}: {outcome:?}\n  expected {expected:?}\n  found    {found:?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn damage_is_found_with_its_table_column_and_number() {
    let s = str::to_owned;
    check(&[
        // ---- one value
        (
            "one cell of an update",
            s("UPDATE users SET name = 'x' WHERE id = 777"),
            &["VL203 warning users name rows=1"],
        ),
        (
            "one byte of one text in a rebuild",
            users_with("id, email, CASE id WHEN 777 THEN 'nbme 777' ELSE name END, score, code, at, data"),
            &["VL203 warning users name rows=1"],
        ),
        (
            "one ulp",
            s("UPDATE users SET score = 77.700000000000017 WHERE id = 777"),
            &["VL203 warning users score rows=1"],
        ),
        (
            "a trailing blank",
            s("UPDATE users SET name = name || ' ' WHERE id = 5"),
            &["VL203 warning users name rows=1"],
        ),
        (
            "upper case",
            s("UPDATE tags SET tag = upper(tag) WHERE post = 7 AND w = 7"),
            &["VL203 warning tags tag rows=1"],
        ),
        (
            "a NUL at the end",
            s("UPDATE users SET name = name || char(0) WHERE id = 5"),
            &["VL203 warning users name rows=1"],
        ),
        (
            "text to blob",
            s("UPDATE users SET name = CAST(name AS BLOB) WHERE id = 5"),
            &["VL204 warning users name rows=1"],
        ),
        ("one NULL", s("UPDATE users SET name = NULL WHERE id = 5"), &["VL202 warning users name rows=1"]),
        ("one NULL filled", s("UPDATE users SET name = 'x' WHERE id = 10"), &[]),
        (
            "minus zero",
            s("UPDATE users SET data = -0.0 WHERE id = 1; UPDATE users SET data = 0.0 WHERE id = 2"),
            &["VL203 warning users data rows=2"],
        ),
        (
            "leading zeros",
            users_with("id, email, name, score, CAST(code AS INTEGER), at, data").replace("code TEXT", "code INTEGER"),
            &["VL205 error users code rows=2000"],
        ),
        (
            "an affinity",
            users_with("id, email, name, score, code, at, data").replace("at INTEGER", "at TEXT"),
            &["VL204 warning users at rows=2000"],
        ),
        (
            "two values swapped",
            s("UPDATE users SET name = CASE id WHEN 1 THEN 'name 2' ELSE 'name 1' END WHERE id IN (1, 2)"),
            &["VL203 warning users name rows=2"],
        ),
        (
            "two values swapped in a table without key",
            s("UPDATE log SET line = CASE rowid WHEN 1 THEN 'line 2' ELSE 'line 1' END WHERE rowid IN (1, 2)"),
            &["VL203 warning log line rows=2"],
        ),
        (
            "one cell of a table without key",
            s("UPDATE log SET level = 9 WHERE rowid = 800"),
            &["VL203 warning log level rows=1"],
        ),
        (
            "a value under a renamed table",
            s("ALTER TABLE notes RENAME TO n; UPDATE n SET a = 'x' WHERE id = 3; ALTER TABLE n RENAME TO notes"),
            &["VL203 warning notes a rows=1"],
        ),
        (
            "the same where its definition stays",
            s("ALTER TABLE quoted RENAME TO n; UPDATE n SET a = 'x' WHERE id = 3; ALTER TABLE n RENAME TO quoted"),
            &["VL203 warning quoted a rows=1"],
        ),
        (
            "a trigger that touches",
            s("UPDATE users SET email = 'u5@example.com' WHERE id = 5"),
            &["VL203 error users at rows=1", "VL203 warning users email rows=1"],
        ),
        (
            "an upsert",
            s("INSERT INTO notes VALUES (5, 'x', 'y') ON CONFLICT (id) DO UPDATE SET a = 'x'"),
            &["LS106 error notes rows=1"],
        ),
        ("a replace", s("REPLACE INTO notes (id, a) VALUES (5, 'a5')"), &["LS106 error notes rows=1"]),
        // ---- columns
        (
            "columns swapped by *",
            notes("INSERT INTO __new_notes SELECT id, b, a FROM notes"),
            &["VL207 error notes a rows=100", "VL207 error notes b rows=100"],
        ),
        (
            "columns swapped by order",
            s(
                "CREATE TABLE __new_notes (id INTEGER PRIMARY KEY, b TEXT, a TEXT); INSERT INTO __new_notes SELECT * FROM notes; DROP TABLE notes; ALTER TABLE __new_notes RENAME TO notes;",
            ),
            &["VL207 error notes a rows=100", "VL207 error notes b rows=100"],
        ),
        (
            "a column left out",
            notes("INSERT INTO __new_notes (id, a) SELECT id, a FROM notes"),
            &["VL202 error notes b rows=100"],
        ),
        ("a column dropped", s("ALTER TABLE notes DROP COLUMN b"), &["VL201 error notes b rows=100"]),
        (
            "a column dropped and added",
            s("ALTER TABLE notes DROP COLUMN b; ALTER TABLE notes ADD COLUMN b TEXT"),
            &["VL202 error notes b rows=100"],
        ),
        (
            "a string for a column",
            notes("INSERT INTO __new_notes (id, a, b) SELECT id, a, \"bb\" FROM notes"),
            &["VL206 error notes b rows=100", "TX510 warning bb"],
        ),
        (
            "columns swapped by renames",
            s(
                "ALTER TABLE notes RENAME COLUMN a TO t; ALTER TABLE notes RENAME COLUMN b TO a; ALTER TABLE notes RENAME COLUMN t TO b",
            ),
            &["VL207 error notes a rows=100", "VL207 error notes b rows=100"],
        ),
        (
            "tables swapped by renames",
            s(
                "ALTER TABLE notes RENAME TO t; ALTER TABLE quoted RENAME TO notes; ALTER TABLE t RENAME TO quoted; DROP TABLE empty",
            ),
            &["VL207 error notes quoted rows=100", "VL207 error quoted notes rows=100"],
        ),
        (
            "the successor gets the name of the column that goes",
            s("ALTER TABLE notes DROP COLUMN a; ALTER TABLE notes RENAME COLUMN b TO a"),
            &["VL201 error notes a rows=100"],
        ),
        (
            "a column filled from one that goes",
            s(
                "CREATE TABLE n (id INTEGER PRIMARY KEY, b TEXT); INSERT INTO n (id, b) SELECT id, a FROM notes; DROP TABLE notes; ALTER TABLE n RENAME TO notes",
            ),
            &["VL207 error notes b rows=100"],
        ),
        (
            "columns swapped by an update",
            s("UPDATE notes SET a = b, b = a"),
            &["VL203 warning notes a rows=100", "VL203 warning notes b rows=100"],
        ),
        // ---- kinds of changes
        ("capitals", s("UPDATE notes SET a = upper(a) WHERE id < 4"), &["VL208 warning notes a rows=3"]),
        // All nine become the name of number 199.
        (
            "cut",
            s("UPDATE users SET name = substr(name, 1, 8) WHERE id > 1990"),
            &["VL208 error users name rows=9", "VL210 warning users name rows=9"],
        ),
        (
            "a blank for NULL",
            s("UPDATE users SET name = '' WHERE name IS NULL"),
            &["VL209 warning users name rows=200"],
        ),
        (
            "NULLs filled everywhere",
            s("UPDATE users SET name = coalesce(name, 'nobody ' || id)"),
            &["VL214 warning users name rows=200"],
        ),
        (
            "one default where several values were",
            s(
                "CREATE TABLE n (id INTEGER PRIMARY KEY, a TEXT DEFAULT 'a1', b TEXT); INSERT INTO n (id, b) SELECT id, b FROM notes; DROP TABLE notes; ALTER TABLE n RENAME TO notes",
            ),
            &["VL206 error notes a rows=99"],
        ),
        (
            "a default in some of the rows",
            s(
                "CREATE TABLE n (id INTEGER PRIMARY KEY, a TEXT DEFAULT 'none', b TEXT); INSERT INTO n SELECT * FROM notes WHERE id > 3; INSERT INTO n (id, b) SELECT id, b FROM notes WHERE id <= 3; DROP TABLE notes; ALTER TABLE n RENAME TO notes",
            ),
            &["VL210 warning notes a rows=2", "VL213 warning notes a rows=3"],
        ),
        (
            "values that become equal beside rows that are new",
            s("UPDATE notes SET a = 'x' || length(a) WHERE id < 3; INSERT INTO notes VALUES (500, 'a7', 'same')"),
            &["VL203 warning notes a rows=2", "VL210 warning notes a rows=1"],
        ),
        (
            "rows that an update sets to one text",
            s("UPDATE notes SET a = 'same' WHERE id < 3"),
            &["VL203 warning notes a rows=2"],
        ),
        // ---- rows
        (
            "one row lost by a WHERE",
            notes("INSERT INTO __new_notes SELECT * FROM notes WHERE id <> 50"),
            &["LS105 error notes rows=1"],
        ),
        (
            "one row lost by an inner join",
            notes("INSERT INTO __new_notes SELECT n.* FROM notes n JOIN posts p ON p.user_id = n.id + 1901"),
            &["LS105 error notes rows=1"],
        ),
        (
            "one row twice in a table without key",
            s(
                "CREATE TABLE l (line TEXT, level INTEGER); DROP VIEW loud; INSERT INTO l SELECT * FROM log; INSERT INTO l SELECT * FROM log WHERE rowid = 5; DROP TABLE log; ALTER TABLE l RENAME TO log; CREATE VIEW loud AS SELECT line FROM log WHERE level = 2",
            ),
            &["LS108 error log rows=1"],
        ),
        (
            "one cell in a rebuild of a table without key",
            s(
                "CREATE TABLE l (line TEXT, level INTEGER); DROP VIEW loud; INSERT INTO l SELECT line, iif(rowid = 5, 9, level) FROM log; DROP TABLE log; ALTER TABLE l RENAME TO log; CREATE VIEW loud AS SELECT line FROM log WHERE level = 2",
            ),
            &["VL203 error log rows=1"],
        ),
        (
            "rows through a table and back",
            s(
                "CREATE TABLE keep (id, a, b); INSERT INTO keep SELECT * FROM notes WHERE id > 1; DELETE FROM notes; INSERT INTO notes SELECT * FROM keep; DROP TABLE keep",
            ),
            &["LS107 error notes rows=1"],
        ),
        (
            "a value through a table and back",
            s(
                "CREATE TABLE keep (id, a, b); INSERT INTO keep SELECT * FROM notes; DELETE FROM notes; INSERT INTO notes SELECT id, a, upper(b) FROM keep; DROP TABLE keep",
            ),
            &["VL208 error notes b rows=100"],
        ),
        (
            "a delete through a trigger",
            s(
                "CREATE TRIGGER x AFTER INSERT ON empty BEGIN DELETE FROM notes WHERE id = 5; END; INSERT INTO empty VALUES (1, 'y'); DROP TRIGGER x",
            ),
            &["LS101 error notes rows=1"],
        ),
        (
            "or ignore",
            notes(
                "INSERT INTO __new_notes SELECT * FROM notes; INSERT OR IGNORE INTO __new_notes SELECT id, a, b FROM notes",
            ),
            &[],
        ),
        (
            "or ignore with a new unique",
            s(
                "CREATE TABLE __new_notes (id INTEGER PRIMARY KEY, a TEXT, b TEXT, u TEXT UNIQUE); INSERT OR IGNORE INTO __new_notes SELECT id, a, b, max(id, 3) FROM notes; DROP TABLE notes; ALTER TABLE __new_notes RENAME TO notes;",
            ),
            &["LS106 error notes rows=2"],
        ),
        (
            "the same definition, dropped and made again",
            s("DROP TABLE notes; CREATE TABLE notes (id INTEGER PRIMARY KEY, a TEXT, b TEXT)"),
            &["LS105 error notes rows=100"],
        ),
        (
            "the same, filled with others",
            s(
                "DROP TABLE notes; CREATE TABLE notes (id INTEGER PRIMARY KEY, a TEXT, b TEXT); INSERT INTO notes SELECT id, 'x' || id, 'y' || id FROM users WHERE id <= 100",
            ),
            &["VL203 error notes a rows=100", "VL203 error notes b rows=100"],
        ),
        (
            "a table put in place of another",
            s(
                "ALTER TABLE notes RENAME TO old; CREATE TABLE notes (id INTEGER PRIMARY KEY, a TEXT, b TEXT); INSERT INTO notes SELECT * FROM old WHERE id > 2",
            ),
            &["LS105 error notes rows=2"],
        ),
        (
            "the same, and the old one dropped",
            s(
                "ALTER TABLE notes RENAME TO old; CREATE TABLE notes (id INTEGER PRIMARY KEY, a TEXT, b TEXT); INSERT INTO notes SELECT * FROM old WHERE id > 2; DROP TABLE old",
            ),
            &["LS105 error notes rows=2"],
        ),
        (
            "an empty table put in place of another",
            s("ALTER TABLE notes RENAME TO old; CREATE TABLE notes (id INTEGER PRIMARY KEY, a TEXT, b TEXT)"),
            &["LS105 error notes rows=100"],
        ),
        (
            "a savepoint that takes back a part",
            s(
                "SAVEPOINT x; DELETE FROM notes WHERE id > 10; UPDATE notes SET a = 'x'; ROLLBACK TO x; RELEASE x; DELETE FROM notes WHERE id = 1",
            ),
            &["LS107 warning notes rows=1"],
        ),
        (
            "create as, with a WHERE",
            s("CREATE TABLE n AS SELECT * FROM notes WHERE id <> 9; DROP TABLE notes; ALTER TABLE n RENAME TO notes"),
            &["LS105 error notes rows=1", "SC311 warning notes id"],
        ),
        (
            "create as, with a value",
            s(
                "CREATE TABLE n AS SELECT id, a, iif(id = 9, 'x', b) AS b FROM notes; DROP TABLE notes; ALTER TABLE n RENAME TO notes",
            ),
            &["VL203 error notes b rows=1", "SC311 warning notes id"],
        ),
        (
            "a copy of a copy",
            notes(
                "CREATE TABLE i AS SELECT id, a, b FROM notes WHERE id < 100; INSERT INTO __new_notes SELECT * FROM i; DROP TABLE i",
            ),
            &["LS105 error notes rows=1"],
        ),
        (
            "a rebuild of a rebuild",
            notes("INSERT INTO __new_notes SELECT * FROM notes")
                + &notes("INSERT INTO __new_notes SELECT * FROM notes WHERE id <> 1"),
            &["LS105 error notes rows=1"],
        ),
        (
            "a rebuild with its own transaction",
            format!(
                "COMMIT; BEGIN; {} COMMIT; BEGIN;",
                notes("INSERT INTO __new_notes SELECT * FROM notes WHERE id <> 1")
            ),
            &["LS105 error notes rows=1", "TX504 warning"],
        ),
        ("a table dropped", s("DROP TABLE notes"), &["LS104 error notes rows=100"]),
        ("rows deleted", s("DELETE FROM notes WHERE id % 50 = 0"), &["LS107 warning notes rows=2"]),
        (
            "another root page",
            s(
                "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'empty') WHERE name = 'notes'",
            ),
            &["IN401 error rows=1", "LS110 error notes rows=100"],
        ),
        (
            "a schema that cannot be read",
            s(
                "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE notes (oops' WHERE name = 'notes'",
            ),
            &["IN401 error rows=1", "SN911 error every table"],
        ),
        // ---- what hangs on a table
        (
            "an index",
            users_with(COLUMNS).replace("CREATE INDEX users_name ON users (name);", ""),
            &["SC301 error users users_name"],
        ),
        (
            "a unique index",
            users_with(COLUMNS).replace("CREATE UNIQUE INDEX users_code ON users (code);", ""),
            &["SC310 error users users_code"],
        ),
        (
            "a unique index that is no longer unique",
            users_with(COLUMNS).replace("UNIQUE INDEX", "INDEX"),
            &["SC310 warning users users_code"],
        ),
        (
            "a trigger",
            users_with(COLUMNS).split("CREATE TRIGGER").next().unwrap().replace("DROP TRIGGER users_touch;", ""),
            &["SC302 error users users_touch"],
        ),
        (
            "a check",
            users(&BODY.replace(", CHECK (score >= 0)", ""), COLUMNS, COLUMNS),
            &["SC308 warning users score >= 0"],
        ),
        (
            "a check for another check",
            users(&BODY.replace("CHECK (score >= 0)", "CHECK (length(email) > 3)"), COLUMNS, COLUMNS),
            &["SC308 warning users score >= 0"],
        ),
        (
            "a NOT NULL",
            users(&BODY.replace("TEXT NOT NULL UNIQUE", "TEXT UNIQUE"), COLUMNS, COLUMNS),
            &["SC309 warning users email"],
        ),
        (
            "WITHOUT ROWID given up",
            s(
                "CREATE TABLE t (post INTEGER, tag TEXT COLLATE NOCASE, w REAL, PRIMARY KEY (post, tag)); INSERT INTO t SELECT * FROM tags; DROP TABLE tags; ALTER TABLE t RENAME TO tags",
            ),
            &["SC309 warning tags post", "SC309 warning tags tag", "SC314 warning tags"],
        ),
        (
            "a UNIQUE",
            users(&BODY.replace("TEXT NOT NULL UNIQUE", "TEXT NOT NULL"), COLUMNS, COLUMNS),
            &["SC310 warning users email"],
        ),
        (
            "a foreign key",
            s(
                "CREATE TABLE p (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, title TEXT NOT NULL CHECK (length(title) > 0)); INSERT INTO p SELECT * FROM posts; DROP TABLE posts; ALTER TABLE p RENAME TO posts; CREATE INDEX posts_user ON posts (user_id)",
            ),
            &["SC306 warning posts (user_id) REFERENCES users(id) ON DELETE CASCADE"],
        ),
        ("a view", s("DROP VIEW loud"), &[]),
        (
            "a view that breaks",
            s("ALTER TABLE log RENAME TO lines; DROP TABLE lines"),
            &["LS104 error log rows=772", "SC304 error loud"],
        ),
    ]);
}

#[test]
fn what_does_no_harm_raises_no_alarm() {
    let s = str::to_owned;
    let cases: Vec<(&str, String)> = vec![
        ("nothing", s("SELECT 1")),
        ("a rebuild with equal data", users_with(COLUMNS)),
        ("a rebuild with *", notes("INSERT INTO __new_notes SELECT * FROM notes")),
        ("a rebuild in another order", notes("INSERT INTO __new_notes SELECT * FROM notes ORDER BY a DESC")),
        (
            "two rebuilds",
            notes("INSERT INTO __new_notes SELECT * FROM notes")
                + &notes("INSERT INTO __new_notes SELECT * FROM notes"),
        ),
        (
            "two rebuilds that rename a column in turn",
            s(
                "CREATE TABLE n (id INTEGER PRIMARY KEY, c TEXT, b TEXT); INSERT INTO n (id, c, b) SELECT id, a, b FROM notes; DROP TABLE notes; ALTER TABLE n RENAME TO notes; CREATE TABLE n (id INTEGER PRIMARY KEY, d TEXT, b TEXT); INSERT INTO n (id, d, b) SELECT id, c, b FROM notes; DROP TABLE notes; ALTER TABLE n RENAME TO notes;",
            ),
        ),
        (
            "a rebuild that renames a column, renamed again",
            s(
                "CREATE TABLE n (id INTEGER PRIMARY KEY, c TEXT, b TEXT); INSERT INTO n (id, c, b) SELECT id, a, b FROM notes; DROP TABLE notes; ALTER TABLE n RENAME TO notes; ALTER TABLE notes RENAME COLUMN c TO d",
            ),
        ),
        (
            "a rename, then a rebuild with *",
            s(
                "ALTER TABLE notes RENAME COLUMN a TO c; CREATE TABLE n (id INTEGER PRIMARY KEY, c TEXT, b TEXT); INSERT INTO n SELECT * FROM notes; DROP TABLE notes; ALTER TABLE n RENAME TO notes;",
            ),
        ),
        (
            "a column renamed by place",
            s(
                "CREATE TABLE n (id INTEGER PRIMARY KEY, c TEXT, b TEXT); INSERT INTO n SELECT id, a, b FROM notes; DROP TABLE notes; ALTER TABLE n RENAME TO notes;",
            ),
        ),
        (
            "a column renamed by place with *",
            s(
                "CREATE TABLE n (id INTEGER PRIMARY KEY, c TEXT, b TEXT); INSERT INTO n SELECT * FROM notes; DROP TABLE notes; ALTER TABLE n RENAME TO notes;",
            ),
        ),
        (
            "a rename, then a rebuild",
            s(
                "ALTER TABLE notes RENAME COLUMN a TO c; CREATE TABLE n (id INTEGER PRIMARY KEY, d TEXT, b TEXT); INSERT INTO n (id, d, b) SELECT id, c, b FROM notes; DROP TABLE notes; ALTER TABLE n RENAME TO notes;",
            ),
        ),
        (
            "the rebuild the other way round",
            s(
                "ALTER TABLE notes RENAME TO old; CREATE TABLE notes (id INTEGER PRIMARY KEY, a TEXT, b TEXT); INSERT INTO notes SELECT * FROM old; DROP TABLE old",
            ),
        ),
        (
            "a copy kept beside",
            s(
                "ALTER TABLE notes RENAME TO old; CREATE TABLE notes (id INTEGER PRIMARY KEY, a TEXT, b TEXT); INSERT INTO notes SELECT * FROM old",
            ),
        ),
        ("a table renamed", s("ALTER TABLE notes RENAME TO memos")),
        ("a column renamed", s("ALTER TABLE notes RENAME COLUMN a TO c")),
        ("both renamed", s("ALTER TABLE notes RENAME TO memos; ALTER TABLE memos RENAME COLUMN a TO c")),
        ("renamed there and back", s("ALTER TABLE notes RENAME TO memos; ALTER TABLE memos RENAME TO notes")),
        (
            "a table rebuilt under another name",
            s(
                "CREATE TABLE memos (id INTEGER PRIMARY KEY, c TEXT, b TEXT); INSERT INTO memos (id, c, b) SELECT id, a, b FROM notes; DROP TABLE notes",
            ),
        ),
        ("a parent renamed", s("ALTER TABLE users RENAME TO people; ALTER TABLE people RENAME COLUMN id TO uid")),
        (
            "a column added",
            s("ALTER TABLE notes ADD COLUMN c TEXT; ALTER TABLE notes ADD COLUMN d INTEGER NOT NULL DEFAULT 5"),
        ),
        ("a generated column added", s("ALTER TABLE notes ADD COLUMN c TEXT AS (a || b)")),
        ("an index added", s("CREATE INDEX i ON notes (a); CREATE UNIQUE INDEX j ON notes (b)")),
        ("a table added", s("CREATE TABLE x (id INTEGER PRIMARY KEY); INSERT INTO x VALUES (1)")),
        (
            "a view and a trigger added",
            s("CREATE VIEW w AS SELECT a FROM notes; CREATE TRIGGER x AFTER INSERT ON notes BEGIN SELECT 1; END"),
        ),
        ("an empty table dropped", s("DROP TABLE empty")),
        ("an empty table with other columns", s("DROP TABLE empty; CREATE TABLE empty (key TEXT)")),
        ("an empty column dropped", s("ALTER TABLE empty DROP COLUMN x")),
        (
            "columns in another order",
            users(
                "id INTEGER PRIMARY KEY, name TEXT, email TEXT NOT NULL UNIQUE, data BLOB, score REAL, code TEXT, at INTEGER DEFAULT 7, CHECK (score >= 0)",
                COLUMNS,
                COLUMNS,
            ),
        ),
        ("vacuum", s("COMMIT; VACUUM; BEGIN")),
        ("vacuum that moves tables", s("DROP TABLE empty; COMMIT; VACUUM; BEGIN")),
        ("analyze and reindex", s("ANALYZE; REINDEX; REINDEX users_name")),
        (
            "a UNIQUE becomes an index",
            users(&BODY.replace("TEXT NOT NULL UNIQUE", "TEXT NOT NULL"), COLUMNS, COLUMNS)
                + "CREATE UNIQUE INDEX users_email ON users (email)",
        ),
        (
            "a UNIQUE becomes a constraint of the table",
            users(
                &BODY.replace("TEXT NOT NULL UNIQUE", "TEXT NOT NULL").replace("CHECK", "UNIQUE (Email), CHECK"),
                COLUMNS,
                COLUMNS,
            ),
        ),
        (
            "other quotes",
            users(
                "\"id\" INTEGER PRIMARY KEY, `email` TEXT NOT NULL UNIQUE, [name] TEXT, \"score\" REAL, \"code\" TEXT, \"at\" INTEGER DEFAULT 7, data BLOB, CHECK (\"__new_users\".\"score\" >= 0)",
                COLUMNS,
                COLUMNS,
            ),
        ),
        (
            "a NOT NULL where there is no NULL",
            users(&BODY.replace("code TEXT", "code TEXT NOT NULL"), COLUMNS, COLUMNS),
        ),
        ("a CHECK added", users(&BODY.replace("CHECK", "CHECK (id > 0), CHECK"), COLUMNS, COLUMNS)),
        ("a UNIQUE added", users(&BODY.replace("code TEXT", "code TEXT UNIQUE"), COLUMNS, COLUMNS)),
        (
            "a table without key rebuilt",
            s(
                "DROP VIEW loud; CREATE TABLE l (line TEXT, level INTEGER); INSERT INTO l SELECT * FROM log; DROP TABLE log; ALTER TABLE l RENAME TO log; CREATE VIEW loud AS SELECT line FROM log WHERE level = 2",
            ),
        ),
        (
            "a table without key, out and in",
            s(
                "CREATE TABLE keep AS SELECT * FROM log; DELETE FROM log; INSERT INTO log SELECT * FROM keep; DROP TABLE keep",
            ),
        ),
        (
            "a table with key, out and in",
            s(
                "CREATE TABLE keep AS SELECT * FROM notes; DELETE FROM notes; INSERT INTO notes SELECT * FROM keep; DROP TABLE keep",
            ),
        ),
        (
            "out to a temporary table of the same name and in",
            s(
                "CREATE TEMP TABLE notes AS SELECT * FROM main.notes; DELETE FROM main.notes; INSERT INTO main.notes SELECT * FROM temp.notes; DROP TABLE temp.notes; ALTER TABLE notes RENAME TO memos",
            ),
        ),
        ("an update that changes nothing", s("UPDATE users SET name = name; UPDATE log SET level = level")),
        ("rows inserted", s("INSERT INTO log VALUES ('x', 1); INSERT INTO notes VALUES (1000, 'x', 'y')")),
        (
            "rows inserted and deleted",
            s(
                "INSERT INTO notes VALUES (1000, 'x', 'y'); DELETE FROM notes WHERE id = 1000; INSERT INTO log VALUES ('x', 1); DELETE FROM log WHERE rowid = last_insert_rowid()",
            ),
        ),
        ("a backup made", s("CREATE TABLE backup AS SELECT * FROM users")),
        (
            "a table split",
            s("CREATE TABLE n1 (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO n1 SELECT id, a FROM notes"),
        ),
        (
            "a savepoint rolled back",
            s("SAVEPOINT x; DELETE FROM notes; UPDATE users SET name = 'x'; ROLLBACK TO x; RELEASE x"),
        ),
    ];
    let cases: Vec<(&str, String, &[&str])> = cases
        .into_iter()
        .map(|(name, migration)| {
            let own = migration.contains("COMMIT");
            // Rows without a key are numbered anew where the table is filled again; the numbers had gaps.
            let renumbers = name.contains("vacuum") || name.starts_with("a table without key");
            let expected: &[&str] = match (own, renumbers) {
                (true, true) => &["TX504 warning", "VL211 warning log rows=766"],
                (true, false) => &["TX504 warning"],
                (false, true) => &["VL211 warning log rows=766"],
                (false, false) => &[],
            };
            (name, migration, expected)
        })
        .collect();
    check(&cases);
}

/// A snapshot, a migration, the driver and what must be found.
type Own<'a> = (&'a str, &'a str, &'a str, &'a str, &'a [&'a str]);

#[track_caller]
fn check_own(cases: &[Own<'_>]) {
    let mut wrong = String::new();
    for (name, before, migration, driver, expected) in cases {
        let rehearsal = plain(before, &[migration], driver);
        let found = alarms(&rehearsal);
        if found != *expected {
            let outcome = &rehearsal.evidence.execution().outcome;
            let _ = write!(wrong, "\n{name}: {outcome:?}\n  expected {expected:?}\n  found    {found:?}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn tables_of_every_kind_are_compared() {
    let fts = "CREATE VIRTUAL TABLE f USING fts5 (body); INSERT INTO f VALUES ('one'), ('two'), ('three');";
    let content = "CREATE TABLE d_content (id INTEGER PRIMARY KEY, body TEXT);
        CREATE VIRTUAL TABLE d USING fts5 (body, content = 'd_content', content_rowid = 'id');
        INSERT INTO d_content VALUES (1, 'one'), (2, 'two'); INSERT INTO d (d) VALUES ('rebuild');";
    let rtree = "CREATE VIRTUAL TABLE r USING rtree (id, x0, x1); INSERT INTO r VALUES (1, 0, 1), (2, 3, 4);";
    let utf16 = "PRAGMA encoding = 'UTF-16'; CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, k TEXT UNIQUE NOT NULL);
        INSERT INTO t VALUES (1, 'é', 'a'), (2, CAST(x'00d8' AS TEXT), 'b'), (3, '12', '𝄞');";
    let odd = "CREATE TABLE \"a \"\"b`c\" (\"rowid\" TEXT, \"select\", \"列 名\"); INSERT INTO \"a \"\"b`c\" VALUES ('x', 1, 2), ('y', 3, 4);";
    let two = "CREATE TABLE w (k TEXT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO w VALUES ('a', 1), ('b', 2);
        CREATE TABLE k (id TEXT PRIMARY KEY, v TEXT); INSERT INTO k VALUES ('1', 'a'), ('2', 'b'), ('3', 'c');
        CREATE TABLE s (id INTEGER PRIMARY KEY, v INTEGER) STRICT; INSERT INTO s VALUES (1, 1), (2, 2);
        CREATE TABLE g (id INTEGER PRIMARY KEY, v INTEGER, d INTEGER AS (v * 2) STORED); INSERT INTO g (id, v) VALUES (1, 1), (2, 2);
        CREATE VIEW vw AS SELECT k, v FROM w; CREATE TRIGGER vt INSTEAD OF UPDATE ON vw BEGIN UPDATE w SET v = new.v WHERE k = new.k; END;";
    check_own(&[
        ("a row of a full-text table", fts, "DELETE FROM f WHERE body = 'two'", "sqlite", &["LS107 warning f rows=1"]),
        (
            "a full-text table rebuilt",
            fts,
            "INSERT INTO f (f) VALUES ('rebuild'); INSERT INTO f (f) VALUES ('optimize')",
            "sqlite",
            &[],
        ),
        (
            "a row of a table that looks like a shadow",
            content,
            "DELETE FROM d_content WHERE id = 1",
            "sqlite",
            &["LS107 warning d_content rows=1", "SC319 warning d d_content"],
        ),
        ("a box", rtree, "UPDATE r SET x1 = 5 WHERE id = 2", "sqlite", &["VL203 warning r x1 rows=1"]),
        ("UTF-16", utf16, "UPDATE t SET a = 'e' WHERE id = 1", "sqlite", &["VL203 warning t a rows=1"]),
        (
            "half a surrogate",
            utf16,
            "UPDATE t SET a = CAST(x'01d8' AS TEXT) WHERE id = 2",
            "sqlite",
            &["VL203 warning t a rows=1"],
        ),
        (
            "UTF-16 to a number",
            utf16,
            "CREATE TABLE n (id INTEGER PRIMARY KEY, a, k TEXT UNIQUE NOT NULL); INSERT INTO n SELECT id, iif(id = 3, 12, a), k FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
            "sqlite",
            &["VL204 warning t a rows=1"],
        ),
        (
            "odd names",
            odd,
            "UPDATE \"a \"\"b`c\" SET \"列 名\" = 5 WHERE \"select\" = 3",
            "sqlite",
            &["VL203 warning a \"b`c 列 名 rows=1"],
        ),
        (
            "odd names, lost",
            odd,
            "DELETE FROM [a \"b`c] WHERE `rowid` = 'x'",
            "sqlite",
            &["LS107 warning a \"b`c rows=1"],
        ),
        ("WITHOUT ROWID", two, "UPDATE w SET v = 5 WHERE k = 'b'", "sqlite", &["VL203 warning w v rows=1"]),
        ("through a view", two, "UPDATE vw SET v = 5 WHERE k = 'b'", "sqlite", &["VL203 error w v rows=1"]),
        (
            "with WITH",
            two,
            "WITH x AS (SELECT 'b' AS k) UPDATE w SET v = 5 FROM x WHERE x.k = w.k",
            "sqlite",
            &["VL203 warning w v rows=1"],
        ),
        ("STRICT", two, "UPDATE s SET v = 5 WHERE id = 1", "sqlite", &["VL203 warning s v rows=1"]),
        (
            "what a generated column is made of",
            two,
            "UPDATE g SET v = 5 WHERE id = 1",
            "sqlite",
            &["VL203 warning g v rows=1"],
        ),
        (
            "a key that becomes a number",
            two,
            "CREATE TABLE n (id INTEGER PRIMARY KEY, v TEXT); INSERT INTO n SELECT id, v FROM k; DROP TABLE k; ALTER TABLE n RENAME TO k",
            "sqlite",
            &["VL204 warning k id rows=3"],
        ),
        (
            "a text key changed",
            "CREATE TABLE t (k TEXT PRIMARY KEY NOT NULL, v); INSERT INTO t VALUES ('a', 1), ('b', 2);",
            "UPDATE t SET k = 'c' WHERE v = 2",
            "sqlite",
            &["VL203 warning t k rows=1"],
        ),
        (
            "a unique value changed",
            "CREATE TABLE t (u TEXT UNIQUE NOT NULL, v); INSERT INTO t VALUES ('a', 1), ('b', 2);",
            "UPDATE t SET u = u || 'x'",
            "sqlite",
            &["VL203 warning t u rows=2"],
        ),
        (
            "rowids written",
            "CREATE TABLE t (a, b); INSERT INTO t VALUES ('a', 1), ('b', 2);",
            "UPDATE t SET rowid = rowid + 10",
            "sqlite",
            &["VL211 warning t rows=2"],
        ),
        (
            "two values swapped and a row lost",
            "CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3);",
            "UPDATE t SET a = 3 - a WHERE a < 3; DELETE FROM t WHERE a = 3",
            "sqlite",
            &["LS107 warning t rows=1", "VL203 warning t a rows=2"],
        ),
        ("every key changed", two, "UPDATE s SET id = id + 10", "sqlite", &["VL203 warning s id rows=2"]),
        (
            "dropped in capitals",
            two,
            "DROP TABLE W; CREATE TABLE w (k TEXT PRIMARY KEY, v) WITHOUT ROWID; INSERT INTO w VALUES ('a', 1), ('b', 9)",
            "sqlite",
            &["VL203 error w v rows=1"],
        ),
        (
            "written by another name",
            two,
            "UPDATE main.[S] SET v = 5 WHERE id = 1",
            "sqlite",
            &["VL203 warning s v rows=1"],
        ),
        (
            "a name in capitals",
            two,
            "ALTER TABLE s RENAME TO s2; ALTER TABLE s2 RENAME TO S; ALTER TABLE S RENAME COLUMN v TO V",
            "sqlite",
            &[],
        ),
        (
            "a generated column made ordinary",
            two,
            "CREATE TABLE n (id INTEGER PRIMARY KEY, v INTEGER, d INTEGER); INSERT INTO n SELECT id, v, 7 FROM g WHERE true; DROP TABLE g; ALTER TABLE n RENAME TO g",
            "sqlite",
            &["VL206 error g d rows=2", "SC315 warning g d"],
        ),
        (
            "a temporary table in between",
            two,
            "CREATE TEMP TABLE x AS SELECT * FROM s; DROP TABLE s; CREATE TABLE s (id INTEGER PRIMARY KEY, v INTEGER) STRICT; INSERT INTO s SELECT * FROM x WHERE id = 1",
            "sqlite",
            &["LS105 error s rows=1"],
        ),
        (
            "a temporary table in its way",
            two,
            "CREATE TEMP TABLE s AS SELECT * FROM main.s; DROP TABLE s; ALTER TABLE s RENAME TO s2",
            "sqlite",
            &[],
        ),
        (
            "a trigger that touches, by a cascade",
            "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p ON DELETE CASCADE); INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1), (2, 2), (3, 2);",
            "DELETE FROM p WHERE id = 2",
            "rusqlite",
            &["LS102 error c rows=2", "LS107 warning p rows=1"],
        ),
        (
            "a parent that is replaced",
            "CREATE TABLE p (id INTEGER PRIMARY KEY, n); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p ON DELETE CASCADE); INSERT INTO p VALUES (1, 1), (2, 2); INSERT INTO c VALUES (1, 1), (2, 2), (3, 2);",
            "REPLACE INTO p SELECT * FROM p",
            "rusqlite",
            &["LS102 error c rows=3"],
        ),
        (
            "a key cascaded",
            "CREATE TABLE p (id INTEGER PRIMARY KEY, n); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p ON UPDATE CASCADE); INSERT INTO p VALUES (1, 1), (2, 2); INSERT INTO c VALUES (1, 1), (2, 2);",
            "UPDATE p SET id = 9 WHERE id = 2",
            "rusqlite",
            &["VL203 warning p id rows=1"],
        ),
        (
            "a key that cascaded, and a reference that did not follow it",
            "CREATE TABLE p (id INTEGER PRIMARY KEY, n); CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p ON UPDATE CASCADE); INSERT INTO p VALUES (1, 1), (2, 2); INSERT INTO c VALUES (1, 1), (2, 2);",
            "UPDATE p SET id = 9 WHERE id = 2; UPDATE c SET p = 9 WHERE id = 1",
            "rusqlite",
            &["VL203 warning c p rows=2", "VL203 warning p id rows=1"],
        ),
        (
            "a column that gets another type through one beside it",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, at TEXT); INSERT INTO t VALUES (1, '2024-01-01'), (2, '2024-01-02'), (3, NULL);",
            "ALTER TABLE t ADD COLUMN n INTEGER; UPDATE t SET n = unixepoch(at); ALTER TABLE t DROP COLUMN at; ALTER TABLE t RENAME COLUMN n TO at",
            "rusqlite",
            &["VL203 warning t at rows=2"],
        ),
        (
            "flags as words become flags as numbers",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, flag TEXT); INSERT INTO t VALUES (1, 'true'), (2, 'false'), (3, 'true');",
            "CREATE TABLE n (id INTEGER PRIMARY KEY, flag INTEGER); INSERT INTO n SELECT id, flag = 'true' FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
            "rusqlite",
            &["VL203 warning t flag rows=3"],
        ),
        (
            "rows that a rebuild gives another key, found by another unique column",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, mail TEXT NOT NULL UNIQUE, n); INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3);",
            "CREATE TABLE n (id TEXT PRIMARY KEY NOT NULL, mail TEXT NOT NULL UNIQUE, n); INSERT INTO n SELECT 'u-' || id, mail, iif(id = 2, 9, n) FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
            "rusqlite",
            &["VL203 warning t id rows=3", "VL203 warning t n rows=1"],
        ),
        (
            "a key that is kept under another name beside a new one, and a reference that follows it",
            "CREATE TABLE t (id TEXT PRIMARY KEY NOT NULL, n); CREATE TABLE c (id INTEGER PRIMARY KEY, t TEXT NOT NULL); INSERT INTO t VALUES ('x', 1), ('y', 2), ('z', 3); INSERT INTO c VALUES (1, 'y'), (2, 'z');",
            "CREATE TABLE n (id INTEGER PRIMARY KEY, uuid TEXT NOT NULL UNIQUE, n); INSERT INTO n (uuid, n) SELECT id, iif(id = 'y', 9, n) FROM t; CREATE TABLE d (id INTEGER PRIMARY KEY, t INTEGER NOT NULL); INSERT INTO d SELECT c.id, n.id FROM c JOIN n ON n.uuid = c.t; DROP TABLE c; ALTER TABLE d RENAME TO c; DROP TABLE t; ALTER TABLE n RENAME TO t",
            "rusqlite",
            &["SC311 warning t uuid", "VL203 warning c t rows=2", "VL203 warning t n rows=1"],
        ),
        (
            "an UPDATE of more columns than a REPLACE overwrote",
            "CREATE TABLE t (code TEXT PRIMARY KEY NOT NULL, n, m); INSERT INTO t VALUES ('a', 1, 1), ('b', 1, 1), ('c', 1, 1);",
            "REPLACE INTO t VALUES ('a', 1, 1); UPDATE t SET n = 2 WHERE code = 'b'; UPDATE t SET m = NULL WHERE code = 'c'",
            "rusqlite",
            &["LS106 error t rows=1", "VL202 warning t m rows=1", "VL203 warning t n rows=1"],
        ),
        (
            "a key of two columns that a rebuild fills the wrong way round",
            "CREATE TABLE t (a INTEGER NOT NULL, b INTEGER NOT NULL, n, PRIMARY KEY (a, b)); INSERT INTO t VALUES (1, 7, 'x'), (2, 1, 'y'), (2, 2, 'z'), (7, 1, 'w');",
            "CREATE TABLE n (a INTEGER NOT NULL, b INTEGER NOT NULL, n, PRIMARY KEY (a, b)); INSERT INTO n (a, b, n) SELECT b, a, n FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
            "rusqlite",
            &["VL207 error t a rows=3", "VL207 error t b rows=3"],
        ),
        (
            "one of several equal rows deleted, and one of others added",
            "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 1), (1, 1), (2, 2), (2, 2), (3, 3);",
            "DELETE FROM t WHERE rowid = 2; INSERT INTO t SELECT a, b FROM t WHERE rowid = 3",
            "rusqlite",
            &["LS107 warning t rows=1"],
        ),
        (
            "a column from which another was computed that merges two of its values",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, price REAL); INSERT INTO t VALUES (1, 1.25), (2, 1.75), (3, 2.5);",
            "ALTER TABLE t ADD COLUMN whole INTEGER; UPDATE t SET whole = CAST(price AS INTEGER); ALTER TABLE t DROP COLUMN price",
            "rusqlite",
            &["VL201 error t price rows=3"],
        ),
        (
            "a column from which another was computed that leaves one value out",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, price REAL); INSERT INTO t VALUES (1, 1.25), (2, 1.75), (3, 2.5);",
            "ALTER TABLE t ADD COLUMN cents INTEGER; UPDATE t SET cents = price * 100 WHERE id < 3; ALTER TABLE t DROP COLUMN price",
            "rusqlite",
            &["VL201 error t price rows=3"],
        ),
        (
            "a column whose values are all different in the one that a rebuild computes from it",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, price REAL, x); INSERT INTO t VALUES (1, 1.25, 1), (2, 1.75, 1), (3, 2.5, 1);",
            "CREATE TABLE n (id INTEGER PRIMARY KEY, cents INTEGER, x); INSERT INTO n (id, cents, x) SELECT id, CAST(price * 100 AS INTEGER), x FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t",
            "rusqlite",
            &["VL201 warning t price rows=3"],
        ),
        (
            "a row that is added, and a rebuild after it",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 'a'), (2, 'b'); CREATE TABLE l (a, b); INSERT INTO l VALUES (1, 'a'), (2, 'b');",
            "INSERT INTO t VALUES (3, 'c'); CREATE TABLE n (id INTEGER PRIMARY KEY, a); INSERT INTO n (id, a) SELECT id, a FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t; INSERT INTO l VALUES (3, 'c'); CREATE TABLE n (a, b); INSERT INTO n (a, b) SELECT a, b FROM l; DROP TABLE l; ALTER TABLE n RENAME TO l",
            "rusqlite",
            &[],
        ),
        (
            "a row that is added, and a rebuild after it that copies twice",
            "CREATE TABLE l (a, b); INSERT INTO l VALUES (1, 'a'), (2, 'b');",
            "INSERT INTO l VALUES (3, 'c'); CREATE TABLE n (a, b); INSERT INTO n (a, b) SELECT a, b FROM l; INSERT INTO n (a, b) SELECT a, b FROM l; DROP TABLE l; ALTER TABLE n RENAME TO l",
            "rusqlite",
            &["LS108 error l rows=4"],
        ),
        (
            "a row deleted, and another one left out by the rebuild after it",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c');",
            "DELETE FROM t WHERE id = 1; CREATE TABLE n (id INTEGER PRIMARY KEY, a); INSERT INTO n (id, a) SELECT id, a FROM t WHERE id > 2; DROP TABLE t; ALTER TABLE n RENAME TO t",
            "rusqlite",
            &["LS105 error t rows=1", "LS107 warning t rows=1"],
        ),
        (
            "a join that doubles a row where the old table was renamed out of the way",
            "CREATE TABLE l (a, b); INSERT INTO l VALUES (1, 'a'), (2, 'b'); CREATE TABLE m (a, c); INSERT INTO m VALUES (1, 1), (1, 2), (2, 1);",
            "ALTER TABLE l RENAME TO old_l; CREATE TABLE l (a, b); INSERT INTO l (a, b) SELECT o.a, o.b FROM old_l o JOIN m ON m.a = o.a; DROP TABLE old_l",
            "rusqlite",
            &["LS108 error l rows=1"],
        ),
        (
            "two rebuilds through one name, and a copy that changes values in the second",
            "CREATE TABLE a (id INTEGER PRIMARY KEY, v); CREATE TABLE b (id INTEGER PRIMARY KEY, v); INSERT INTO a VALUES (1, 1), (2, 2); INSERT INTO b VALUES (1, 1), (2, 2);",
            "CREATE TABLE n (id INTEGER PRIMARY KEY, v); INSERT INTO n (id, v) SELECT id, v FROM a; DROP TABLE a; ALTER TABLE n RENAME TO a; CREATE TABLE n (id INTEGER PRIMARY KEY, v); INSERT INTO n (id, v) SELECT id, v + 5 FROM b; DROP TABLE b; ALTER TABLE n RENAME TO b",
            "rusqlite",
            &["VL203 warning b v rows=2"],
        ),
        (
            "rows that go to an archive, one of which it lacks",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, n); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3), (4, 4);",
            "CREATE TABLE old AS SELECT * FROM t WHERE id < 3; DELETE FROM t WHERE id <= 3",
            "rusqlite",
            &["LS107 warning t rows=3"],
        ),
        (
            "columns that another table holds for all rows but one",
            "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); INSERT INTO t VALUES (1, 'a', 'b'), (2, 'a', 'b'), (3, NULL, 'c');",
            "CREATE TABLE more (id INTEGER PRIMARY KEY, a, b); INSERT INTO more SELECT id, a, b FROM t WHERE a IS NOT NULL; ALTER TABLE t DROP COLUMN a; ALTER TABLE t DROP COLUMN b",
            "rusqlite",
            &["VL201 error t b rows=3"],
        ),
    ]);
}
