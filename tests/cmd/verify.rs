//! `rehearse verify`.

use rusqlite::{Connection, OpenFlags};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::drift::generated;
use crate::support::{Project, Ran};

const MAIN: [&str; 3] = ["--snapshot", "prod.db", "--migrations=migrations"];

fn project() -> Project {
    Project::new("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y'); PRAGMA user_version = 1;")
        .migration("1.sql", "SELECT 1;")
        .migration("2.sql", "UPDATE t SET a = a || '!';")
}

fn rehearsed(project: &Project, more: &[&str]) -> Value {
    let _ = std::fs::remove_file(project.path("report.json"));
    let arguments = [&MAIN[..], &["--report", "json=report.json"], more].concat();
    let ran = project.run_making(&arguments, &["report.json"]);
    assert!(matches!(ran.code, Some(0 | 1)), "{}", ran.all());
    serde_json::from_slice(&std::fs::read(project.path("report.json")).unwrap()).unwrap()
}

pub(crate) fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |digits, byte| format!("{digits}{byte:02x}"))
}

fn verified(project: &Project, more: &[&str]) -> Ran {
    project.run(&[&["verify", "report.json"], &MAIN[..], more].concat())
}

/// The exit code, and what is not what it was, each with its reason.
fn differences(project: &Project, more: &[&str]) -> (i32, Vec<(String, String)>) {
    let ran = verified(project, &[&["--format", "json"], more].concat());
    let document: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.all()));
    let checks = document["checks"].as_array().unwrap().iter();
    let text = |check: &Value, field: &str| check[field].as_str().unwrap().to_owned();
    let others = checks.filter(|check| check["answer"] != "yes").map(|check| (text(check, "what"), text(check, "why")));
    (ran.code.unwrap(), others.collect())
}

fn one(what: &str, why: &str) -> (i32, Vec<(String, String)>) {
    (1, vec![(what.to_owned(), why.to_owned())])
}

#[test]
fn a_report_speaks_of_the_files_that_it_was_made_of() {
    let project = project();
    let report = rehearsed(&project, &[]);
    let bytes = std::fs::read(project.path("prod.db")).unwrap();
    let hash = sha256(&bytes);
    assert_eq!(report["snapshot"]["sha256"], hash.as_str());
    let written = project.path("prod.db").metadata().unwrap().modified().unwrap();
    let seconds = jiff::Timestamp::try_from(written).unwrap().as_second();
    let told: jiff::Timestamp = report["snapshot"]["modified"].as_str().unwrap().parse().unwrap();
    assert_eq!(told.as_second(), seconds);
    let rehearsed_at: jiff::Timestamp = report["rehearsed_at"].as_str().unwrap().parse().unwrap();
    assert!((0..3600).contains(&(jiff::Timestamp::now().as_second() - rehearsed_at.as_second())));
    let ran = verified(&project, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(
        ran.stdout.starts_with("verified: the report speaks of these files\nits verdict is: passed; rehearsed 20"),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains(&format!("snapshot       yes   sha256 {hash}")), "{}", ran.stdout);
    assert!(ran.stdout.contains("migrations     yes   1 applied, 1 pending\n"), "{}", ran.stdout);
    assert_eq!(differences(&project, &[]), (0, vec![]));
    project.assert_nothing_left();
}

#[test]
fn what_is_not_what_it_was_is_named() {
    let project = project();
    rehearsed(&project, &[]);
    project.database("prod.db", "UPDATE t SET a = 'z' WHERE id = 1");
    assert_eq!(differences(&project, &[]), one("snapshot", "it has the same size and another content"));
    rehearsed(&project, &[]);
    let project = project.migration("2.sql", "UPDATE t SET a = a || '?';");
    assert_eq!(differences(&project, &[]), one("migrations", "`2.sql` has another content"));
    rehearsed(&project, &[]);
    let project = project.migration("3.sql", "DELETE FROM t;");
    assert_eq!(differences(&project, &[]), one("migrations", "`3.sql` is pending, and was not there"));
    rehearsed(&project, &[]);
    std::fs::remove_file(project.path("migrations/3.sql")).unwrap();
    assert_eq!(differences(&project, &[]), one("migrations", "`3.sql` was pending, and is gone"));
    rehearsed(&project, &[]);
    let report = rehearsed(&project, &[]);
    assert_eq!(report["configuration"], Value::Null);
    std::fs::write(project.path("rehearse.yaml"), "rules: {LS: note}\n").unwrap();
    assert_eq!(differences(&project, &[]), one("configuration", "`rehearse.yaml` holds, and none did"));
    rehearsed(&project, &[]);
    assert_eq!(differences(&project, &[]), (0, vec![]));
    std::fs::write(project.path("rehearse.yaml"), "rules: {LS: warning}\n").unwrap();
    assert_eq!(differences(&project, &[]), one("configuration", "`rehearse.yaml` has another content"));
    std::fs::remove_file(project.path("rehearse.yaml")).unwrap();
    assert_eq!(differences(&project, &[]), one("configuration", "`rehearse.yaml` held, and none does now"));
    rehearsed(&project, &["--driver", "rusqlite"]);
    let other = ["--driver", "sqlite", "--foreign-keys", "on"];
    assert_eq!(differences(&project, &other), one("driver", "it was rusqlite, and is sqlite"));
    let turned = ["--driver", "rusqlite", "--foreign-keys", "off"];
    assert_eq!(differences(&project, &turned), one("foreign keys", "it was on, and is off"));
}

#[test]
fn quietly_it_says_in_one_line_what_differs() {
    let project = project();
    rehearsed(&project, &[]);
    assert_eq!(verified(&project, &["--quiet"]).stdout.lines().count(), 2);
    project.database("prod.db", "UPDATE t SET a = 'z' WHERE id = 1");
    let project = project.migration("2.sql", "UPDATE t SET a = a || '?';");
    let ran = verified(&project, &["--quiet"]);
    let differs = "\nsnapshot: it has the same size and another content; migrations: `2.sql` has another content\n";
    assert!(ran.code == Some(1) && ran.stdout.ends_with(differs), "{}", ran.all());
}

#[test]
fn drivers_of_which_production_may_have_one_are_known_again() {
    let project = project();
    rehearsed(&project, &[]);
    assert_eq!(differences(&project, &[]), (0, vec![]));
    let given = ["--driver", "sqlite"];
    assert_eq!(differences(&project, &given), one("driver", "it was rusqlite or sqlite, and is sqlite"));
    rehearsed(&project, &given);
    assert_eq!(differences(&project, &given), (0, vec![]));
    assert_eq!(differences(&project, &[]), one("driver", "it was sqlite, and is rusqlite or sqlite"));
}

#[test]
fn what_the_code_expects_is_what_it_was() {
    for (version, orm, file) in [
        ("v0", "0.45.4", "drizzle/meta/0000_snapshot.json"),
        ("v1", "1.0.0-rc.5", "drizzle/20261126115202_init/snapshot.json"),
    ] {
        let project = generated(version, orm);
        project.database("prod.db", "VACUUM");
        let snapshot = ["--snapshot", "prod.db", "--migrations", "drizzle"];
        project.run_making(&[&snapshot[..], &["--report", "json=report.json"]].concat(), &["report.json"]);
        let verified = || project.run(&[&["verify", "report.json", "--quiet"], &snapshot[..]].concat());
        let held = verified();
        assert_eq!(held.code, Some(0), "{version} {}", held.all());
        assert!(held.stdout.ends_with(&format!("by rehearse {}\n", env!("CARGO_PKG_VERSION"))), "{}", held.stdout);
        let text = std::fs::read_to_string(project.path(file)).unwrap();
        let tells = |why: &str| {
            let ran = verified();
            assert_eq!(ran.code, Some(1), "{version} {}", ran.all());
            let said = ran.stdout.replace("\n  ", " ");
            assert!(said.ends_with(&format!("\ncode's schema: {why}\n")), "{said}");
        };
        std::fs::write(project.path(file), text.replacen("email", "mail", 1)).unwrap();
        tells(&format!("`{file}` has another content"));
        std::fs::remove_file(project.path(file)).unwrap();
        tells(&format!("`{file}` said what the code expects, and no file does now"));
    }
}

#[test]
fn another_version_of_the_driver_may_ship_another_sqlite() {
    let project =
        Project::new("CREATE TABLE t (id INTEGER PRIMARY KEY)").migration("0000_a.sql", "ALTER TABLE t ADD a");
    let write = |file: &str, text: &str| std::fs::write(project.path(file), text).unwrap();
    let lock = |version: &str| {
        let packages = format!(r#"{{"node_modules/better-sqlite3": {{"version": "{version}"}}}}"#);
        write("package-lock.json", &format!(r#"{{"lockfileVersion": 3, "packages": {packages}}}"#));
    };
    std::fs::create_dir_all(project.path("migrations/meta")).unwrap();
    let entry = r#"{"idx": 0, "version": "6", "when": 1, "tag": "0000_a", "breakpoints": true}"#;
    let journal = format!(r#"{{"version": "7", "dialect": "sqlite", "entries": [{entry}]}}"#);
    write("migrations/meta/_journal.json", &journal);
    write("package.json", r#"{"dependencies": {"better-sqlite3": "*", "drizzle-orm": "0.45.4"}}"#);
    lock("12.11.1");
    rehearsed(&project, &[]);
    assert_eq!(differences(&project, &[]), (0, vec![]));
    lock("7.0.0");
    assert_eq!(differences(&project, &[]), one("driver's version", "it was 12.11.1, and is 7.0.0"));
    std::fs::remove_file(project.path("package-lock.json")).unwrap();
    assert_eq!(differences(&project, &[]), one("driver's version", "it was 12.11.1, and is not known"));
}

#[test]
fn what_undoes_a_migration_counts_where_it_was_rehearsed() {
    let project = project().migration("2.down.sql", "UPDATE t SET a = rtrim(a, '!');");
    rehearsed(&project, &["--down"]);
    assert_eq!(differences(&project, &[]), (0, vec![]));
    let project = project.migration("2.down.sql", "DELETE FROM t;");
    assert_eq!(differences(&project, &[]), one("migrations", "what undoes `2.sql` is not what it was"));
    std::fs::remove_file(project.path("migrations/2.down.sql")).unwrap();
    assert_eq!(differences(&project, &[]), one("migrations", "what undoes `2.sql` is not what it was"));
    rehearsed(&project, &[]);
    let project = project.migration("2.down.sql", "DELETE FROM t;");
    assert_eq!(differences(&project, &[]), (0, vec![]));
}

#[test]
fn a_file_beside_a_migration_that_takes_it_out_of_its_transaction_counts() {
    let project = Project::new("CREATE TABLE t (id INTEGER PRIMARY KEY)");
    let folder = project.path("migrations/2024-01-01-000000_a");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("up.sql"), "ALTER TABLE t ADD COLUMN a;").unwrap();
    rehearsed(&project, &["--tool", "diesel"]);
    let diesel = ["--tool", "diesel"];
    assert_eq!(differences(&project, &diesel), (0, vec![]));
    std::fs::write(folder.join("metadata.toml"), "run_in_transaction = false\n").unwrap();
    let why = "`2024-01-01-000000_a` ran in a transaction, and runs outside of one";
    assert_eq!(differences(&project, &diesel), one("migrations", why));
}

#[test]
fn the_queries_of_the_app_are_known_again() {
    let project = project();
    let (queries, given) = (project.path("queries.sql"), ["--queries", "queries.sql"]);
    std::fs::write(&queries, "SELECT a FROM t;").unwrap();
    rehearsed(&project, &given);
    assert_eq!(differences(&project, &given), (0, vec![]));
    assert_eq!(differences(&project, &[]), one("queries", "they were checked, and none are given now: --queries"));
    std::fs::write(&queries, "SELECT id FROM t;").unwrap();
    assert_eq!(differences(&project, &given), one("queries", "their files have another content"));
    rehearsed(&project, &[]);
    assert_eq!(differences(&project, &given), one("queries", "they were not checked"));
    rehearsed(&project, &given);
    std::fs::write(project.path("rehearse.yaml"), "queries: [queries.sql]\n").unwrap();
    assert_eq!(differences(&project, &[]), one("configuration", "`rehearse.yaml` holds, and none did"));
}

#[test]
fn a_migration_that_was_applied_meanwhile_is_another_plan() {
    let project = project();
    rehearsed(&project, &[]);
    project.database("prod.db", "PRAGMA user_version = 2");
    let (code, other) = differences(&project, &[]);
    assert_eq!((code, other.len()), (1, 2));
    assert_eq!(other[1].1, "`2.sql` was pending, and is applied");
}

#[test]
fn the_state_counts_and_not_the_file_in_which_it_stands() {
    let project = Project::new("PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY)")
        .migration("1.sql", "SELECT 1;");
    let app = Connection::open_with_flags(project.path("prod.db"), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    app.execute_batch("INSERT INTO t VALUES (1)").unwrap();
    for suffix in ["", "-wal"] {
        let bytes = std::fs::read(project.path(&format!("prod.db{suffix}"))).unwrap();
        std::fs::write(project.path(&format!("kept.db{suffix}")), bytes).unwrap();
    }
    drop(app);
    let arguments = ["--snapshot", "kept.db", "--migrations=migrations", "--report", "json=report.json"];
    assert_eq!(project.run_making(&arguments, &["report.json"]).code, Some(0));
    // The last connection has written the log into the file.
    assert!(!project.path("prod.db-wal").exists());
    assert_eq!(differences(&project, &[]), (0, vec![]));
}

#[test]
fn a_dump_is_known_by_its_bytes_wherever_it_comes_from() {
    let project = Project::new("").migration("1.sql", "SELECT 1;");
    let dump = "BEGIN; CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1); COMMIT;";
    std::fs::write(project.path("prod.db"), dump).unwrap();
    let report = rehearsed(&project, &[]);
    let hash = sha256(dump.as_bytes());
    assert_eq!(report["snapshot"]["sha256"], hash.as_str());
    assert_eq!(differences(&project, &[]), (0, vec![]));
    let piped = project.run(&["verify", "report.json", "--snapshot-command", "cat prod.db", "--migrations=migrations"]);
    assert_eq!(piped.code, Some(0), "{}", piped.all());
    std::fs::write(project.path("prod.db"), dump.replace("(1)", "(2)")).unwrap();
    assert_eq!(differences(&project, &[]), one("snapshot", "it has the same size and another content"));
}

#[test]
fn what_nobody_can_tell_is_said() {
    let project = project();
    let mut report = rehearsed(&project, &[]);
    report["snapshot"]["sha256"] = Value::Null;
    std::fs::write(project.path("report.json"), report.to_string()).unwrap();
    let why = "it has the same size, but its bytes were not read for the report: rehearse with --thorough";
    assert_eq!(differences(&project, &[]), (4, vec![("snapshot".to_owned(), why.to_owned())]));
    let ran = verified(&project, &["-q"]);
    assert!(
        ran.stdout.starts_with("unknown: nobody can tell whether the report speaks of these files\n"),
        "{}",
        ran.all()
    );
    std::fs::remove_file(project.path("report.json")).unwrap();
    let exec = [
        "--snapshot",
        "prod.db",
        "--exec",
        "python3 -c 'import sqlite3; sqlite3.connect(\"{db}\").execute(\"SELECT * FROM t\").fetchall()'",
        "--report",
        "json=report.json",
    ];
    let ran = project.run_making(&exec, &["report.json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let (code, other) = differences(&project, &[]);
    assert_eq!((code, other[0].0.as_str()), (4, "migrations"));
}

#[test]
fn what_is_no_report_is_refused() {
    let project = project();
    std::fs::write(project.path("report.json"), "{}").unwrap();
    let ran = verified(&project, &[]);
    assert_eq!(ran.code, Some(4));
    assert!(ran.stderr.contains("it has no schema_version"), "{}", ran.stderr);
    let ran = project.run(&["verify", "missing.json", "--snapshot", "prod.db"]);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    assert_eq!(project.run(&["verify", "report.json"]).code, Some(2));
}
