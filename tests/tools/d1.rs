//! Cloudflare D1: what wrangler applies, how it cuts, and what workerd refuses.

use rehearse::execution::Outcome;
use rehearse::migrations::{Request, locate, search};

use super::{deployed, planned_by, project, rows, snapshot, states};

const LEDGER: &str = "CREATE TABLE d1_migrations(\n\t\tid         INTEGER PRIMARY KEY AUTOINCREMENT,\n\t\tname       TEXT UNIQUE,\n\t\tapplied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL\n);";

#[test]
fn what_the_ledger_does_not_name_runs_in_the_order_of_numbers() {
    let folder = project(&[
        ("migrations/0001_init.sql", "edited"),
        ("migrations/9_nine.sql", "CREATE TABLE nine (x);\n"),
        ("migrations/10_ten.sql", "CREATE TABLE ten (x);\n-- the end\n"),
        ("migrations/abc.sql", ""),
        ("migrations/readme.md", ""),
    ]);
    let before = snapshot(&format!(
        "{LEDGER}INSERT INTO d1_migrations (name) VALUES ('0001_init.sql'), ('0000_gone.sql');CREATE TABLE _cf_KV (key)"
    ));
    let plan = planned_by("d1", &folder, &before);
    assert_eq!(
        states(&plan),
        [
            "0000_gone.sql: missing",
            "0001_init.sql: applied",
            "9_nine.sql: pending",
            "10_ten.sql: pending",
            "abc.sql: pending"
        ]
    );
    let (execution, after, _files) = deployed(&plan, &before);
    assert_eq!(execution.outcome, Outcome::Completed);
    assert_eq!(
        rows(&after, "SELECT id, name FROM d1_migrations WHERE id > 2"),
        ["3|9_nine.sql", "4|10_ten.sql", "5|abc.sql"]
    );
}

#[test]
fn the_ledger_is_wranglers_to_the_last_space() {
    let folder = project(&[("migrations/1_a.sql", "CREATE TABLE a (x /* y */ -- z\n);\nCREATE TABLE b (x);")]);
    let before = snapshot("");
    let (_, after, _files) = deployed(&planned_by("d1", &folder, &before), &before);
    let sql = |table: &str| rows(&after, &format!("SELECT sql FROM sqlite_schema WHERE name = '{table}'"));
    assert_eq!(sql("d1_migrations"), [LEDGER.trim_end_matches(';')]);
    assert_eq!(sql("a"), ["CREATE TABLE a (x  \n)"]);
}

#[test]
fn what_fails_fails_as_there() {
    for (text, message) in [
        ("CREATE TABLE a (x)", "near \"INSERT\": syntax error"),
        ("BEGIN;\nCREATE TABLE a (x);", "To execute a transaction, please use"),
        ("PRAGMA user_version = 3;\nSELECT 1;", "not authorized"),
        ("CREATE TEMP TABLE a (x);\nSELECT 1;", "not authorized"),
        ("SELECT sqlite_version();\nSELECT 1;", "not authorized"),
        ("VACUUM;\nSELECT 1;", "cannot VACUUM from within a transaction"),
    ] {
        let folder = project(&[("migrations/1_a.sql", text)]);
        let before = snapshot(LEDGER);
        let (execution, after, _files) = deployed(&planned_by("d1", &folder, &before), &before);
        let Outcome::Failed(failure) = &execution.outcome else { panic!("{text}: {:?}", execution.outcome) };
        assert!(failure.error.message.starts_with(message), "{text}: {}", failure.error.message);
        assert_eq!(rows(&after, "SELECT count(*) FROM d1_migrations"), ["0"]);
    }
    let text = "BEGIN TRANSACTION;\nSELECT 1;\nCOMMIT;\n";
    let folder = project(&[("migrations/1_a.sql", text), ("migrations/2_b.sql", &text.repeat(2))]);
    let before = snapshot(LEDGER);
    let plan = planned_by("d1", &folder, &before);
    assert_eq!(plan.refusal.as_ref().map(|refusal| refusal.after), Some(1));
    let (execution, after, _files) = deployed(&plan, &before);
    assert_eq!(execution.outcome, Outcome::Refused);
    assert_eq!(rows(&after, "SELECT name FROM d1_migrations"), ["1_a.sql"]);
}

#[test]
fn the_configuration_names_folder_table_and_pattern() {
    for (name, config) in [
        (
            "wrangler.toml",
            "[[d1_databases]]\nbinding = 'DB'\nmigrations_dir = 'db'\nmigrations_table = 't'\nmigrations_pattern = 'db/*/migration.sql'\n",
        ),
        (
            "wrangler.jsonc",
            "{ // c\n \"d1_databases\": [{\"migrations_dir\": \"./db\", \"migrations_table\": \"t\", \"migrations_pattern\": \"db/*/migration.sql\",}] }",
        ),
    ] {
        let folder = project(&[(name, config), ("db/20250101000000_a/migration.sql", "SELECT 1;")]);
        let request = Request { project: folder.path().into(), tool: Some("d1".into()), ..Request::default() };
        let located = locate(&search(&request).unwrap(), &snapshot("")).unwrap();
        assert_eq!(
            (located.tool.name, located.table.as_str(), located.layout),
            ("d1", "t", "a folder for each migration")
        );
        let plan = rehearse::migrations::plan(&located, &snapshot("")).unwrap();
        assert_eq!(states(&plan), ["20250101000000_a/migration.sql: pending"]);
    }
}
