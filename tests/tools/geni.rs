//! geni: the rules that its source has.

use super::{deployed, planned_by, project, rows, snapshot, states};
use rehearse::execution::Outcome;

const LEDGER: &str =
    "CREATE TABLE \"schema_migrations\" (id VARCHAR(255) PRIMARY KEY); INSERT INTO schema_migrations VALUES ('5');";

#[test]
fn what_is_not_recorded_runs_and_its_row_comes_after_it() {
    let folder = project(&[
        ("migrations/05_init.up.sql", "CREATE TABLE a (x)"),
        ("migrations/10_c.up.sql", "CREATE TABLE c (x)"),
        ("migrations/9_b.up.sql", "CREATE TABLE b (x)"),
        ("migrations/9_b.down.sql", "DROP TABLE b"),
        ("migrations/x.sql", ""),
    ]);
    let before = snapshot(LEDGER);
    let plan = planned_by("geni", &folder, &before);
    assert_eq!(states(&plan), ["05_init: applied", "9_b: pending", "10_c: pending"]);
    assert_eq!(plan.entries[1].migration.down.as_ref().unwrap().sql, "DROP TABLE b");
    let (execution, after, _files) = deployed(&plan, &before);
    assert_eq!(execution.outcome, Outcome::Completed);
    assert_eq!(
        rows(&after, "SELECT id, typeof(id) FROM schema_migrations ORDER BY rowid"),
        ["5|text", "9|text", "10|text"]
    );
    let (_, after, _files) = deployed(&planned_by("geni", &folder, &snapshot("")), &snapshot(""));
    assert_eq!(
        rows(&after, "SELECT sql FROM sqlite_schema WHERE name = 'schema_migrations'"),
        ["CREATE TABLE \"schema_migrations\" (id VARCHAR(255) PRIMARY KEY)"]
    );
}

#[test]
fn the_marker_needs_a_line_of_its_own() {
    for (text, unwrapped) in [
        ("-- transaction: no\nSELECT 1", true),
        ("-- transaction:no", false),
        ("SELECT 1;\n-- transaction: no\n", false),
        ("SELECT 1; -- transaction:no\n", true),
    ] {
        let folder = project(&[("migrations/1_a.up.sql", text)]);
        assert_eq!(planned_by("geni", &folder, &snapshot("")).entries[0].migration.unwrapped, unwrapped, "{text}");
    }
}

#[test]
fn refusals() {
    for (name, text, expected, after) in [
        ("x_a", "", "called `Result::unwrap()` on an `Err` value: ParseIntError { kind: InvalidDigit }", 0),
        ("9", "", "called `Option::unwrap()` on a `None` value", 0),
        ("9_a", "SELECT 1; COMMIT;", "Transactional batch error: Transactions forbidden inside transactional batch", 1),
    ] {
        let folder = project(&[("migrations/1_a.up.sql", "SELECT 1"), (&format!("migrations/{name}.up.sql"), text)]);
        let refusal = planned_by("geni", &folder, &snapshot("")).refusal.unwrap();
        assert_eq!((refusal.message.as_str(), refusal.after), (expected, after));
    }
}
