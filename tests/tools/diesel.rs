//! diesel: the rules of `diesel_migrations` 2.3.

use super::{deployed, planned_by, project, rows, snapshot, states};
use rehearse::execution::Outcome;
use rehearse::migrations::Plan;
use rusqlite::Connection;
use tempfile::TempDir;

const LEDGER: &str = "CREATE TABLE __diesel_schema_migrations (version VARCHAR(50) PRIMARY KEY NOT NULL, run_on TIMESTAMP NOT NULL \
                      DEFAULT CURRENT_TIMESTAMP);";

/// A project with these files in `migrations/`, and a ledger with these versions.
fn app(files: &[(&str, &str)], applied: &[&str]) -> (TempDir, Connection) {
    let named: Vec<_> = files.iter().map(|(name, text)| (format!("migrations/{name}"), *text)).collect();
    let mut all: Vec<(&str, &str)> = named.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    all.push(("Cargo.toml", "[dependencies]\ndiesel = \"2.3\""));
    let before = snapshot(LEDGER);
    for version in applied {
        before.execute("INSERT INTO __diesel_schema_migrations (version) VALUES (?1)", [version]).unwrap();
    }
    (project(&all), before)
}

fn refusal(plan: &Plan) -> Option<(&str, usize)> {
    plan.refusal.as_ref().map(|refusal| (refusal.message.as_str(), refusal.after))
}

#[test]
fn versions_are_texts_and_what_is_not_recorded_runs() {
    let (folder, before) = app(
        &[
            ("9_nine/up.sql", "CREATE TABLE nine (x)"),
            ("10_ten/up.sql", "CREATE TABLE ten (x)"),
            ("2024-01-02-030405_dated/up.sql", "CREATE TABLE dated (x)"),
            ("abc/up.sql", "-- only a comment"),
            ("01_init/up.sql", "edited"),
            ("3_a/up.sql", "CREATE TABLE a (x)"),
            ("3_b/up.sql", "CREATE TABLE b (x)"),
            ("10_ten/down.sql", "DROP TABLE ten"),
            (".hidden/x", ""),
            ("README.md", ""),
        ],
        &["01", "02"],
    );
    let plan = planned_by("diesel", &folder, &before);
    let expected = [
        "01_init: applied",
        "02: missing",
        "10_ten: pending",
        "2024-01-02-030405_dated: pending",
        "3_a: pending",
        "3_b: skipped",
        "9_nine: pending",
        "abc: pending",
    ];
    assert_eq!(states(&plan), expected);
    let (execution, after, _files) = deployed(&plan, &before);
    assert_eq!(execution.outcome, Outcome::Completed);
    assert_eq!(
        rows(&after, "SELECT version, typeof(version), typeof(run_on) FROM __diesel_schema_migrations ORDER BY rowid")
            [2..],
        ["10|text|text", "20240102030405|text|text", "3|text|text", "9|text|text", "abc|text|text"]
    );
    let down = plan.entries[2].migration.down.as_ref().unwrap();
    after.execute_batch(&format!("{}; {}", down.sql, down.record.within[0])).unwrap();
    assert_eq!(rows(&after, "SELECT count(*) FROM __diesel_schema_migrations WHERE version = '10'"), ["0"]);
}

#[test]
fn ledger_as_diesel_makes_it() {
    let (folder, _) = app(&[("1_a/up.sql", "CREATE TABLE a (x)")], &[]);
    let (_, after, _files) = deployed(&planned_by("diesel", &folder, &snapshot("")), &snapshot(""));
    assert_eq!(
        rows(&after, "SELECT sql FROM sqlite_schema WHERE name = '__diesel_schema_migrations'"),
        [
            "CREATE TABLE __diesel_schema_migrations (\n       version VARCHAR(50) PRIMARY KEY NOT NULL,\n       run_on TIMESTAMP \
          NOT NULL DEFAULT CURRENT_TIMESTAMP\n)"
        ]
    );
}

#[test]
fn refusals_in_its_own_words() {
    let (folder, before) =
        app(&[("1_a/up.sql", "CREATE TABLE a (x)"), ("2_b/up.sql", ""), ("3_c/up.sql", "SELECT 1")], &[]);
    let plan = planned_by("diesel", &folder, &before);
    assert_eq!(refusal(&plan), Some(("Failed to run 2_b with: Attempted to run an empty migration.", 1)));
    let (execution, after, _files) = deployed(&plan, &before);
    assert_eq!(execution.outcome, Outcome::Refused);
    assert_eq!(rows(&after, "SELECT version FROM __diesel_schema_migrations"), ["1"]);

    std::fs::write(folder.path().join("migrations/2_b/up.sql"), [0xff]).unwrap();
    let plan = planned_by("diesel", &folder, &before);
    assert_eq!(refusal(&plan), Some(("Failed to run 2_b with: stream did not contain valid UTF-8", 1)));

    std::fs::create_dir(folder.path().join("migrations/9_none")).unwrap();
    let plan = planned_by("diesel", &folder, &before);
    assert!(plan.refusal.unwrap().message.starts_with("Invalid migration directory: "));
    assert!(plan.setup.is_empty());
}

#[test]
fn metadata_decides_the_transaction() {
    for (metadata, unwrapped) in [
        (None, false),
        (Some("run_in_transaction = true"), false),
        (Some("run_in_transaction = false"), true),
        (Some(""), true),
        (Some("other = 1"), true),
        (Some("run_in_transaction = 1"), false),
        (Some("= ="), false),
    ] {
        let mut files = vec![("1_a/up.sql", "SELECT 1")];
        files.extend(metadata.map(|text| ("1_a/metadata.toml", text)));
        let (folder, before) = app(&files, &[]);
        assert_eq!(planned_by("diesel", &folder, &before).entries[0].migration.unwrapped, unwrapped, "{metadata:?}");
    }
}

#[test]
fn its_function_makes_its_trigger() {
    let script =
        "CREATE TABLE a (id INTEGER PRIMARY KEY, updated_at TIMESTAMP);\nSELECT diesel_manage_updated_at('a');";
    let (folder, before) = app(&[("1_a/up.sql", script)], &[]);
    let (execution, after, _files) = deployed(&planned_by("diesel", &folder, &before), &before);
    assert_eq!(execution.outcome, Outcome::Completed);
    assert_eq!(
        rows(&after, "SELECT sql FROM sqlite_schema WHERE type = 'trigger'"),
        [
            "CREATE TRIGGER __diesel_manage_updated_at_a\nAFTER UPDATE ON a\nFOR EACH ROW WHEN\n  old.updated_at IS NULL AND\n  \
          new.updated_at IS NULL OR\n  old.updated_at == new.updated_at\nBEGIN\n  UPDATE a\n  SET updated_at = \
          CURRENT_TIMESTAMP\n  WHERE ROWID = new.ROWID;\nEND"
        ]
    );
}
