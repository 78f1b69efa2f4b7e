//! SQL that a stranger wrote: whatever a migration, a configuration or the snapshot's own definitions say, nothing is read or written
//! but the copy, and it ends.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot make its project has failed")]

#[path = "cmd/support.rs"]
mod support;

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use support::{Project, Ran};

const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y');";
const MAIN: [&str; 4] = ["--snapshot", "prod.db", "--migrations", "migrations"];

/// Rehearses one migration; nothing appears beside the snapshot, and nothing in it changes.
fn rehearsed(project: &Project, more: &[&str]) -> (Ran, Value) {
    let before = project.files();
    let ran = project.run(&[&MAIN[..], more, &["--format", "json"]].concat());
    assert!(project.files() == before, "files differ: {}", ran.all());
    project.assert_nothing_left();
    let document = serde_json::from_str(&ran.stdout).unwrap_or(Value::Null);
    (ran, document)
}

fn codes(document: &Value) -> Vec<&str> {
    document["findings"].as_array().into_iter().flatten().filter_map(|finding| finding["code"].as_str()).collect()
}

/// Every way to another file, with every driver whose SQL is otherwise free.
#[test]
fn no_statement_reaches_another_file() {
    let outside = tempfile::tempdir().unwrap();
    let other = outside.path().join("other.db");
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    Connection::open_with_flags(&other, flags)
        .unwrap()
        .execute_batch("CREATE TABLE secrets (s); INSERT INTO secrets VALUES (1)")
        .unwrap();
    let before = std::fs::read(&other).unwrap();
    let place = outside.path().display().to_string();
    let ways = [
        "ATTACH 'PLACE/other.db' AS o; INSERT INTO t (a) SELECT s FROM o.secrets;",
        "ATTACH 'file:PLACE/other.db?vfs=unix' AS o; INSERT INTO t (a) SELECT s FROM o.secrets;",
        "ATTACH 'file:PLACE/other.db?vfs=unix' || '' AS o; INSERT INTO t (a) SELECT s FROM o.secrets;",
        "ATTACH (SELECT 'file:PLACE/other.db?vfs=' || 'unix') AS o; DELETE FROM o.secrets;",
        "ATTACH printf('%s', 'file:PLACE/new.db?vfs=unix&mode=rwc') AS o; CREATE TABLE o.x AS SELECT * FROM t;",
        "ATTACH 'file:PLACE/new.db?vfs=unix-none' || substr('&mode=rwc', 1) AS o; CREATE TABLE o.x (a);",
        "COMMIT; VACUUM INTO 'PLACE/new.db';",
        "COMMIT; VACUUM INTO 'file:PLACE/new.db?vfs=unix' || '&mode=rwc';",
        "COMMIT; VACUUM main INTO (SELECT 'file:PLACE/new.db?vfs=unix');",
        "PRAGMA temp_store_directory = 'PLACE'; CREATE TEMP TABLE x AS SELECT * FROM t;",
        "PRAGMA data_store_directory('PLACE');",
        "SELECT load_extension('PLACE/evil.so');",
        "SELECT fts3_tokenizer('evil', x'0000000000000000');",
        "CREATE VIRTUAL TABLE v USING csv(filename='PLACE/other.db');",
        "CREATE VIRTUAL TABLE v USING fsdir;",
        "SELECT readfile('PLACE/other.db');",
        "SELECT writefile('PLACE/new.db', 'x');",
        "SELECT edit('x', 'touch PLACE/new.db');",
    ];
    for way in ways {
        let migration = way.replace("PLACE", &place);
        for more in [&["--driver", "sqlite"][..], &["--driver", "rusqlite"]] {
            let project = Project::new(TABLE).migration("1.sql", &migration);
            let (ran, document) = rehearsed(&project, more);
            assert_eq!(ran.code, Some(3), "{migration}: {}", ran.all());
            let refused = way.starts_with("ATTACH") || way.starts_with("COMMIT") || way.starts_with("PRAGMA");
            assert_eq!(codes(&document).contains(&"EX611"), refused, "{migration}: {:?}", codes(&document));
        }
    }
    assert_eq!(std::fs::read(&other).unwrap(), before);
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1, "nothing new");
}

/// What makes the run on a database without rows: the migration fails on the rows, and would write elsewhere where there are none.
#[test]
fn the_run_without_rows_is_confined_too() {
    let outside = tempfile::tempdir().unwrap();
    let place = outside.path().display();
    let project = Project::new(TABLE).migration(
        "1.sql",
        &format!(
            "CREATE TABLE u (a NOT NULL CHECK (a <> 'x'));\nINSERT INTO u SELECT a FROM t;\n\
             ATTACH 'file:{place}/new.db?vfs=unix' || '&mode=rwc' AS o;\nCREATE TABLE o.x (a);"
        ),
    );
    let (ran, document) = rehearsed(&project, &["--driver", "sqlite"]);
    assert_eq!((ran.code, codes(&document)), (Some(3), vec!["EX601"]), "{}", ran.all());
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0, "nothing new");
}

/// SQLite compiles only the first statement of a definition; what stands behind it is nobody's.
#[test]
fn what_stands_behind_a_definition_is_not_run() {
    let outside = tempfile::tempdir().unwrap();
    let place = outside.path().display();
    let project = Project::new(TABLE).migration("1.sql", "ALTER TABLE t ADD COLUMN b NOT NULL;");
    project.database(
        "prod.db",
        &format!(
            "CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END; PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = sql || '; ATTACH ''file:{place}/new.db?vfs=unix&mode=rwc'' AS o; CREATE TABLE o.x (a);' WHERE name = 'r';"
        ),
    );
    let (ran, _) = rehearsed(&project, &["--driver", "sqlite"]);
    assert!(matches!(ran.code, Some(3 | 4)), "{}", ran.all());
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0, "nothing new");
}

#[test]
fn with_leave_other_files_are_reached_and_the_snapshot_is_not() {
    let project = Project::new(TABLE).migration(
        "1.sql",
        "COMMIT; ATTACH 'other.db' AS o; INSERT INTO t (a) SELECT s FROM o.found; DELETE FROM o.found; DETACH o; VACUUM INTO 'backup.db'; ATTACH 'new.db' AS n; CREATE TABLE n.kept AS SELECT * FROM t; DETACH n; BEGIN;",
    );
    project.database("other.db", "CREATE TABLE found (s); INSERT INTO found VALUES ('z');");
    let snapshot = std::fs::read(project.path("prod.db")).unwrap();
    let arguments = [&MAIN[..], &["--driver", "sqlite", "--allow-unsafe-sql", "--format", "json"]].concat();
    let ran = Ran::from(project.command(&arguments).output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["tables"][0]["rows"]["after"], 3);
    let rows = |name: &str, table: &str| -> i64 {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let database = Connection::open_with_flags(project.path(name), flags).unwrap();
        database.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    let written = (rows("other.db", "found"), rows("backup.db", "t"), rows("new.db", "kept"));
    assert_eq!(written, (0, 3, 3), "what is written elsewhere stays");

    for way in [
        "ATTACH 'prod.db' AS o; DELETE FROM o.t;",
        "ATTACH 'file:./prod.db?mode=rw' AS o; DELETE FROM o.t;",
        "ATTACH 'file:prod%2Edb' AS o; DELETE FROM o.t;",
        "ATTACH 'file:prod.db?vfs=unix' AS o; DELETE FROM o.t;",
        "ATTACH 'prod' || '.db' AS o; DELETE FROM o.t;",
        "COMMIT; VACUUM INTO 'prod.db-wal';",
    ] {
        let project = Project::new(TABLE).migration("1.sql", way);
        let (ran, document) = rehearsed(&project, &["--driver", "sqlite", "--allow-unsafe-sql"]);
        assert!(ran.code == Some(3) && codes(&document).contains(&"EX611"), "{way}: {}", ran.all());
    }
    // Names that are the snapshot's only once SQLite has made them absolute.
    for name in [
        "nowhere/../prod.db",
        "HERE/nowhere/../prod.db",
        "file:prod.db%00x",
        "file:/localhost/..HERE/prod.db",
        "file:x/%2e%2e/prod.db",
    ] {
        let project = Project::new(TABLE);
        let name = name.replace("HERE", &project.path("").display().to_string());
        let project =
            project.migration("1.sql", &format!("COMMIT; ATTACH '{name}' AS o; DELETE FROM o.t; DETACH o; BEGIN;"));
        let (ran, _) = rehearsed(&project, &["--driver", "sqlite", "--allow-unsafe-sql"]);
        assert_eq!(ran.code, Some(3), "{name}: {}", ran.all());
        let project = project.migration("1.sql", "COMMIT; VACUUM INTO 'nowhere/../prod.db-wal'; BEGIN;");
        let (ran, _) = rehearsed(&project, &["--driver", "sqlite", "--allow-unsafe-sql"]);
        assert_eq!(ran.code, Some(3), "{}", ran.all());
    }
    assert!(std::fs::read(project.path("prod.db")).unwrap() == snapshot);
}

/// A view of a full-text table works as it does in production, and breaks as it does there.
#[test]
fn views_of_what_sqlite_takes_for_risky_are_judged() {
    let made = "CREATE VIRTUAL TABLE g USING fts5(a); INSERT INTO g VALUES ('x'); CREATE TABLE t (a, b); INSERT INTO t VALUES (1, 2);";
    let view = "CREATE VIEW v AS SELECT rowid, a FROM g WHERE g MATCH 'x';";
    let project = Project::new(made).migration("1.sql", view);
    let (ran, document) = rehearsed(&project, &["--driver", "sqlite"]);
    assert_eq!((ran.code, codes(&document)), (Some(0), vec![]), "{}", ran.all());
    let project = Project::new(&format!("{made}{view}"))
        .migration("1.sql", "DROP VIEW v; CREATE VIEW v AS SELECT rowid, nope FROM g WHERE g MATCH 'x';");
    let (ran, document) = rehearsed(&project, &["--driver", "sqlite"]);
    assert!(ran.code == Some(1) && codes(&document).contains(&"SC304"), "{}", ran.all());
}

#[test]
fn queries_of_a_configuration_have_one_limit_together() {
    let endless = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let project = Project::new(TABLE).migration("1.sql", "CREATE TABLE u (a);");
    let queries = vec![format!("{{sql: '{endless}', is: 1}}"); 20].join(", ");
    std::fs::write(project.path("rehearse.yaml"), format!("expect: {{queries: [{queries}]}}\n")).unwrap();
    let (ran, document) = rehearsed(&project, &["--driver", "sqlite", "--time-limit", "1s"]);
    assert_eq!((ran.code, codes(&document)), (Some(1), vec!["EP951"; 20]), "{}", ran.all());
    let messages = document["findings"].to_string();
    assert!(messages.contains("longer than") || messages.contains("time limit of all queries"), "{messages}");
}

#[test]
fn a_configuration_cannot_give_leave() {
    let project = Project::new(TABLE).migration("1.sql", "ATTACH 'other.db' AS o;");
    std::fs::write(project.path("rehearse.yaml"), "allow_unsafe_sql: true\n").unwrap();
    let ran = project.run(&MAIN);
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    assert!(
        ran.stderr.contains("lets migrations reach other files") && ran.stderr.contains("--trust-config"),
        "{}",
        ran.stderr
    );
}

/// Statements that never end, or want everything: each ends with a finding, and everything is rolled back.
#[test]
fn nothing_runs_away() {
    let ways = [
        (
            "INSERT INTO t (a) WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0;",
            "EX610",
        ),
        ("WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n;", "EX610"),
        (
            "CREATE TABLE u AS WITH RECURSIVE n (i) AS (VALUES (1) UNION SELECT (i + 1) % 5000 FROM n) SELECT count(*) AS c FROM n, n d, n e;",
            "EX610",
        ),
        (
            "CREATE TRIGGER r AFTER UPDATE ON t BEGIN INSERT INTO t (a) WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0; END; UPDATE t SET a = 'b';",
            "EX610",
        ),
        (
            "CREATE TABLE u AS WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i, hex(zeroblob(100000)) FROM n;",
            "EX612",
        ),
        (
            "CREATE TEMP TABLE u AS WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i, hex(zeroblob(100000)) FROM n;",
            "EX612",
        ),
        (
            "INSERT INTO t (a) WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT hex(zeroblob(100000)) FROM n ORDER BY 1;",
            "EX612",
        ),
        (
            "PRAGMA temp_store = memory; PRAGMA cache_size = -100000000; CREATE TEMP TABLE u AS WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i, zeroblob(90000000) FROM n;",
            "EX612",
        ),
        (
            "PRAGMA hard_heap_limit = 0; ATTACH ':memory:' AS m; CREATE TABLE m.u AS WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i, zeroblob(90000000) FROM n;",
            "EX612",
        ),
    ];
    for (way, expected) in ways {
        let project = Project::new(TABLE).migration("1.sql", way);
        let limit = if expected == "EX610" { "1s" } else { "5m" };
        let more = ["--driver", "sqlite", "--time-limit", limit, "--max-growth", "40M"];
        let (ran, document) = rehearsed(&project, &more);
        assert_eq!((ran.code, codes(&document)), (Some(3), vec![expected]), "{way}: {}", ran.all());
        assert_eq!(document["tables"][0]["rows"]["after"], 2, "{way}");
    }
}

/// Within one call of a function SQLite does not notice that it is interrupted.
#[test]
fn what_does_not_react_ends_the_process_and_leaves_nothing() {
    let project = Project::new(TABLE)
        .migration("1.sql", "UPDATE t SET a = instr(zeroblob(400000000) || x'01', zeroblob(200000000) || x'02');");
    let (ran, _) = rehearsed(&project, &["--driver", "sqlite", "--time-limit", "1s"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(4), ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("error: rehearsing: the time limit is over"), "{}", ran.stderr);
}

/// A migration that is a link to what is not the change's: its text would stand in the report.
#[test]
fn a_link_out_of_the_repository_is_not_read() {
    let project = Project::new(TABLE);
    std::fs::create_dir(project.path(".git")).unwrap();
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("token"), "hunter2").unwrap();
    std::os::unix::fs::symlink(outside.path().join("token"), project.path("migrations/1.sql")).unwrap();
    let run = || Ran::from(project.command(&[&MAIN[..], &["--driver", "sqlite"]].concat()).output().unwrap());
    let ran = run();
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    assert!(
        ran.stderr.contains("a link leads out of the repository") && !ran.all().contains("hunter2"),
        "{}",
        ran.all()
    );
    std::fs::remove_file(project.path("migrations/1.sql")).unwrap();
    std::os::unix::fs::symlink("/dev/zero", project.path("migrations/2.sql")).unwrap();
    let ran = run();
    assert_eq!(ran.code, Some(2), "it is no migration: {}", ran.all());
    std::fs::remove_file(project.path("migrations/2.sql")).unwrap();
    std::os::unix::fs::symlink(outside.path().join("token"), project.path("rehearse.yaml")).unwrap();
    let ran = run();
    assert!(ran.code == Some(2) && !ran.all().contains("hunter2"), "{}", ran.all());
}

/// Production may have what it leads to, and would run it.
#[test]
fn a_link_that_leads_nowhere_is_not_left_out() {
    for tool in ["sql", "sqlx"] {
        let project = Project::new(TABLE).migration("1_first.sql", "SELECT 1;");
        std::os::unix::fs::symlink("elsewhere.sql", project.path("migrations/2_second.sql")).unwrap();
        let ran = Ran::from(
            project.command(&["--snapshot", "prod.db", "--migrations", "migrations", "--tool", tool]).output().unwrap(),
        );
        assert!(ran.code == Some(4) && ran.stderr.contains("2_second.sql"), "{tool}: {}", ran.all());
    }
}

/// A person may name what lies elsewhere; a file of the project, which whoever sends a change writes, may not.
#[test]
fn only_a_person_names_what_lies_outside_of_the_repository() {
    let project = Project::new(TABLE);
    std::fs::create_dir(project.path(".git")).unwrap();
    let outside = tempfile::tempdir_in(project.path("..")).unwrap();
    let name = outside.path().file_name().unwrap().to_str().unwrap();
    std::fs::write(outside.path().join("1.sql"), "ALTER TABLE t ADD COLUMN hunter2;").unwrap();
    std::os::unix::fs::symlink(outside.path(), project.path("link")).unwrap();
    let run = |folder: Option<&str>| {
        let named: Vec<&str> = folder.map(|folder| vec!["--migrations", folder, "--tool", "sql"]).unwrap_or_default();
        Ran::from(project.command(&[&["--snapshot", "prod.db"], &named[..]].concat()).output().unwrap())
    };
    let (up, absolute) = (format!("../{name}"), outside.path().canonicalize().unwrap().display().to_string());
    for folder in [&up, &absolute] {
        let ran = run(Some(folder));
        assert_eq!(ran.code, Some(0), "{folder}: {}", ran.all());
    }
    let ran = run(Some("link"));
    assert!(ran.code == Some(4) && ran.stderr.contains("a link leads out of the repository"), "{}", ran.all());
    for folder in [&up, &absolute, "link"] {
        for (file, text) in [
            ("drizzle.config.ts", format!("export default {{ dialect: 'sqlite', out: '{folder}' }}")),
            ("dbconfig.yml", format!("production:\n  dialect: sqlite3\n  dir: {folder}\n")),
            ("atlas.hcl", format!("migration {{\n  dir = \"file://{folder}\"\n}}\n")),
            ("diesel.toml", format!("[migrations_directory]\ndir = \"{folder}\"\n")),
            ("wrangler.toml", format!("[[d1_databases]]\nmigrations_dir = \"{folder}\"\n")),
            (".env", format!("GOOSE_MIGRATION_DIR={folder}\n")),
            (".env", format!("DBMATE_MIGRATIONS_DIR={folder}\n")),
            ("prisma.config.ts", format!("export default {{ migrations: {{ path: '{folder}' }} }}")),
            ("app.ts", format!("migrate(db, {{ migrationsFolder: '{folder}' }})")),
        ] {
            std::fs::write(project.path(file), &text).unwrap();
            let ran = run(None);
            assert!(
                ran.code == Some(2)
                    && ran.stderr.contains(&format!("`{folder}` leads out of the repository, to `"))
                    && !ran.all().contains("hunter2"),
                "{text}: {}",
                ran.all()
            );
            std::fs::remove_file(project.path(file)).unwrap();
        }
    }
}

/// What the snapshot itself makes SQLite compute where it is only looked at.
#[test]
fn definitions_that_never_end_are_told_and_do_no_harm() {
    let endless = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS c FROM n";
    let project =
        Project::new(&format!("{TABLE} CREATE VIEW v AS {endless};")).migration("1.sql", "UPDATE t SET a = a || 'z';");
    std::fs::write(project.path("rehearse.yaml"), "expect: {queries: [{sql: 'SELECT 1', same: true}]}\n").unwrap();
    let (ran, document) = rehearsed(&project, &["--driver", "sqlite", "--time-limit", "1s"]);
    assert_eq!((ran.code, codes(&document)), (Some(0), vec!["VL203"]), "{}", ran.all());

    let heavy = "CREATE TABLE h (a, b AS (length(hex(zeroblob(100000000)))), CHECK (a <> 7 OR length(hex(zeroblob(100000000))) > 0));
        INSERT INTO h (a) WITH RECURSIVE n (i) AS (VALUES (8) UNION ALL SELECT i + 1 FROM n LIMIT 400) SELECT i FROM n;
        PRAGMA ignore_check_constraints = on; UPDATE h SET a = 7;";
    let project = Project::new(heavy).migration("1.sql", "CREATE TABLE u (a);");
    let (ran, document) = rehearsed(&project, &["--driver", "sqlite", "--time-limit", "1s"]);
    assert!(codes(&document).contains(&"SN911") && matches!(ran.code, Some(0 | 1)), "{:?} {}", ran.code, ran.all());
}
