//! sqlx: the rules of 0.8 and 0.9.

use super::{decision, deployed, planned_by, project, refusal, rows, snapshot, states};
use rehearse::execution::Outcome;
use rusqlite::Connection;
use sha2::{Digest, Sha384};
use tempfile::TempDir;

const INIT: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY);";

/// A project with `1_init.sql`, which is applied, and other files.
fn app(files: &[(&str, &str)]) -> (TempDir, Connection) {
    let named: Vec<_> = files.iter().map(|(name, text)| (format!("migrations/{name}"), *text)).collect();
    let mut all: Vec<(&str, &str)> = named.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    all.extend([("migrations/1_init.sql", INIT), ("Cargo.toml", "[dependencies]\nsqlx = \"0.9\"")]);
    let checksum: String = Sha384::digest(INIT).iter().map(|byte| format!("{byte:02x}")).collect();
    let before = snapshot(&format!(
        "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, installed_on TIMESTAMP NOT NULL \
         DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, checksum BLOB NOT NULL, execution_time BIGINT NOT NULL);\
         INSERT INTO _sqlx_migrations VALUES (1, 'init', '2026-01-01', 1, x'{checksum}', 1); {INIT}"
    ));
    (project(&all), before)
}

#[test]
fn what_is_not_recorded_runs_also_out_of_order() {
    let (folder, before) = app(&[
        ("0_older.sql", "CREATE TABLE a (x)"),
        ("3_more_things.up.sql", "CREATE TABLE b (x);\nCREATE TABLE c (x)"),
        ("3_more_things.down.sql", "DROP TABLE c; DROP TABLE b"),
        ("20_last.sql", ""),
        ("README.md", ""),
        ("notes.sql", "no underscore"),
    ]);
    let plan = planned_by("sqlx", &folder, &before);
    assert_eq!(states(&plan), ["0_older: pending", "1_init: applied", "3_more_things: pending", "20_last: pending"]);
    assert_eq!(decision(&plan.decisions, "layout")[0].0, "0.9");
    assert_eq!(plan.entries[2].migration.down.as_ref().unwrap().sql, "DROP TABLE c; DROP TABLE b");
    let (execution, after, _files) = deployed(&plan, &before);
    assert_eq!(execution.outcome, Outcome::Completed);
    let checksum: String =
        Sha384::digest("CREATE TABLE b (x);\nCREATE TABLE c (x)").iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        rows(
            &after,
            "SELECT version, description, success, lower(hex(checksum)) FROM _sqlx_migrations WHERE version IN (3, 20) ORDER BY 1"
        )[0],
        format!("3|more things|1|{checksum}")
    );
    assert_eq!(rows(&after, "SELECT count(*) FROM _sqlx_migrations"), ["4"]);
}

#[test]
fn refusals_in_its_own_words_and_order() {
    let edited = "migration 1 was previously applied but has been modified";
    let (folder, before) = app(&[("0_older.sql", "CREATE TABLE a (x)"), ("2_next.sql", "CREATE TABLE b (x)")]);
    std::fs::write(folder.path().join("migrations/1_init.sql"), "-- edited").unwrap();
    let plan = planned_by("sqlx", &folder, &before);
    assert_eq!(states(&plan), ["0_older: pending", "1_init: edited", "2_next: pending"]);
    assert_eq!(refusal(&plan), Some((edited, 1)));
    let (execution, after, _files) = deployed(&plan, &before);
    assert_eq!(execution.outcome, Outcome::Refused);
    assert_eq!(rows(&after, "SELECT version FROM _sqlx_migrations ORDER BY 1"), ["0", "1"]);

    std::fs::remove_file(folder.path().join("migrations/1_init.sql")).unwrap();
    let plan = planned_by("sqlx", &folder, &before);
    assert_eq!(states(&plan), ["0_older: pending", "1_init: missing", "2_next: pending"]);
    let missing = "migration 1 was previously applied but is missing in the resolved migrations";
    assert_eq!(refusal(&plan), Some((missing, 0)));

    before.execute_batch("UPDATE _sqlx_migrations SET success = 0").unwrap();
    let dirty = "migration 1 is partially applied; fix and remove row from `_sqlx_migrations` table";
    assert_eq!(refusal(&planned_by("sqlx", &folder, &before)), Some((dirty, 0)));

    std::fs::write(folder.path().join("migrations/two_x.sql"), "").unwrap();
    let plan = planned_by("sqlx", &folder, &before);
    assert!(plan.refusal.unwrap().message.contains("expected integer version prefix"));
    assert!(plan.setup.is_empty());
}

#[test]
fn the_marker_counts_from_0_9_on() {
    let script = "-- no-transaction\nPRAGMA foreign_keys = OFF;\nCREATE TABLE a (x);\nSELECT * FROM nowhere;";
    for (version, left) in [("0.8.6", vec![]), ("0.9.0", vec!["a"])] {
        let (folder, before) = app(&[("2_next.sql", script)]);
        std::fs::write(
            folder.path().join("Cargo.toml"),
            format!("[dependencies]\nsqlx = {{ version = \"{version}\" }}"),
        )
        .unwrap();
        let plan = planned_by("sqlx", &folder, &before);
        let (execution, after, _files) = deployed(&plan, &before);
        assert!(matches!(execution.outcome, Outcome::Failed(_)));
        assert_eq!(rows(&after, "SELECT name FROM sqlite_schema WHERE name = 'a'"), left, "{version}");
        assert_eq!(rows(&after, "SELECT version FROM _sqlx_migrations"), ["1"]);
    }
}

#[test]
fn recognised_by_its_crate_or_its_ledger() {
    let (folder, before) = app(&[]);
    let located = |project: &TempDir, before: &Connection| {
        let request = rehearse::migrations::Request { project: project.path().into(), ..Default::default() };
        rehearse::migrations::search(&request).and_then(|search| rehearse::migrations::locate(&search, before))
    };
    assert_eq!(located(&folder, &snapshot("")).unwrap().tool.name, "sqlx");
    std::fs::remove_file(folder.path().join("Cargo.toml")).unwrap();
    assert_eq!(located(&folder, &before).unwrap().tool.name, "sqlx");
    assert!(located(&folder, &snapshot("")).is_err());
}

#[test]
fn functions_that_its_sqlite_does_not_have() {
    let (folder, before) = app(&[("2_next.sql", "CREATE TABLE a (x);\nINSERT INTO a SELECT sqrt(4);")]);
    let (execution, _, _files) = deployed(&planned_by("sqlx", &folder, &before), &before);
    let Outcome::Failed(failure) = &execution.outcome else { panic!("{:?}", execution.outcome) };
    assert_eq!(
        (failure.error.message.as_str(), failure.error.code_name()),
        ("no such function: sqrt", Some("SQLITE_ERROR"))
    );
}
