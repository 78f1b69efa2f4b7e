//! refinery: the rules of its library's `Runner`.

use super::{deployed, planned_by, project, rows, snapshot, states};
use rehearse::execution::Outcome;
use rehearse::migrations::Plan;
use rusqlite::Connection;
use tempfile::TempDir;

const TOML: (&str, &str) = ("Cargo.toml", "[dependencies]\nrefinery = \"0.10\"");

/// A project with these files in `migrations/`.
fn app(files: &[(&str, &str)]) -> TempDir {
    let named: Vec<_> = files.iter().map(|(name, text)| (format!("migrations/{name}"), *text)).collect();
    let mut all: Vec<(&str, &str)> = named.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    all.push(TOML);
    project(&all)
}

/// What the tool makes of these files in an empty database.
fn migrated(files: &[(&str, &str)]) -> (Connection, TempDir) {
    let plan = planned_by("refinery", &app(files), &snapshot(""));
    let (_, after, files) = deployed(&plan, &snapshot(""));
    (after, files)
}

fn refusal(plan: &Plan) -> Option<&str> {
    plan.refusal.as_ref().map(|refusal| refusal.message.as_str())
}

const A: (&str, &str) = ("V1__a.sql", "CREATE TABLE a (x);");
const C: (&str, &str) = ("V3__c.sql", "CREATE TABLE c (x);");

#[test]
fn ledger_and_rows_as_refinery_writes_them() {
    let (after, _files) = migrated(&[C, A, ("inside/V20__last.sql", ""), ("v2__x.sql", ""), ("V2__a-b.sql", "")]);
    assert_eq!(
        rows(&after, "SELECT sql FROM sqlite_schema WHERE name = 'refinery_schema_history'"),
        ["CREATE TABLE refinery_schema_history(\n             version int4 PRIMARY KEY,\n             name \
          VARCHAR(255),\n             applied_on VARCHAR(255),\n             checksum VARCHAR(255))"]
    );
    let sql = "SELECT version, typeof(version), name, typeof(checksum), applied_on GLOB '????-??-??T??:??:??*Z' \
               FROM refinery_schema_history ORDER BY rowid";
    assert_eq!(rows(&after, sql), ["1|integer|a|text|1", "3|integer|c|text|1", "20|integer|last|text|1"]);
}

#[test]
fn what_is_older_or_does_not_fit_stops_everything() {
    let (before, _files) = migrated(&[A, C]);
    let again = |files: &[(&str, &str)]| planned_by("refinery", &app(files), &before);
    for (files, expected) in [
        (vec![A, C, ("V4__d.sql", "")], None),
        (vec![A, C, ("U2__b.sql", "")], None),
        (vec![A, ("U3__c.sql", C.1)], None),
        (vec![A, C, ("V2__b.sql", "")], Some("migration V2__b is missing from the filesystem")),
        (vec![C], Some("migration V1__a is missing from the filesystem")),
        (vec![A, ("V3__c.sql", "-- edited")], Some("applied migration V3__c is different than filesystem one V3__c")),
        (vec![A, ("U3__d.sql", C.1)], Some("applied migration V3__c is different than filesystem one U3__d")),
        (vec![A, C, ("V4.1__d.sql", "")], Some("migration version must be a valid integer")),
        (
            vec![A, C, ("V4__d.sql", ""), ("V04__d.sql", "")],
            Some("migration V4__d is repeated, migration versions must be unique"),
        ),
    ] {
        let plan = again(&files);
        assert_eq!(refusal(&plan), expected, "{files:?}");
        assert_eq!(plan.setup.is_empty(), expected.is_some_and(|message| message.contains("integer")));
    }
    assert_eq!(states(&again(&[C])), ["V1__a: missing", "V3__c: applied"]);
    assert_eq!(states(&again(&[A, ("V3__c.sql", "x")])), ["V1__a: applied", "V3__c: edited"]);
    assert_eq!(states(&again(&[A, C, ("V1__b.sql", "x")])), ["V1__a: applied", "V1__b: skipped", "V3__c: applied"]);
}

#[test]
fn body_and_row_are_two_transactions() {
    let plan = planned_by(
        "refinery",
        &app(&[("V1__a.sql", "CREATE TABLE a (x);"), ("V1__b.sql", "CREATE TABLE b (x);")]),
        &snapshot(""),
    );
    let (execution, after, _files) = deployed(&plan, &snapshot(""));
    assert!(matches!(execution.outcome, Outcome::Failed(_)));
    assert_eq!(rows(&after, "SELECT name FROM sqlite_schema WHERE name IN ('a', 'b')"), ["a", "b"]);
    assert_eq!(rows(&after, "SELECT name FROM refinery_schema_history"), ["a"]);
}

#[test]
fn wide_versions_have_other_checksums() {
    let big = ("V20260101120000__a.sql", "CREATE TABLE a (x);");
    assert_eq!(
        refusal(&planned_by("refinery", &app(&[big]), &snapshot(""))),
        Some("migration version must be a valid integer")
    );
    let folder = app(&[big]);
    let feature = "[dependencies]\nrefinery = { version = \"0.10\", features = [\"int8-versions\"] }";
    std::fs::write(folder.path().join("Cargo.toml"), feature).unwrap();
    let plan = planned_by("refinery", &folder, &snapshot(""));
    assert!(plan.setup[0].contains("version int8 PRIMARY KEY"));
    let (_, after, _files) = deployed(&plan, &snapshot(""));
    assert_eq!(states(&planned_by("refinery", &folder, &after)), ["V20260101120000__a: applied"]);
}

#[test]
fn migrations_in_rust_need_the_app() {
    let request = |folder: &TempDir| rehearse::migrations::Request {
        tool: Some("refinery".into()),
        folder: Some(folder.path().join("migrations")),
        project: folder.path().into(),
        ..Default::default()
    };
    let folder = app(&[A, ("V2__b.rs", "pub fn migration() -> String { String::new() }")]);
    let located =
        rehearse::migrations::locate(&rehearse::migrations::search(&request(&folder)).unwrap(), &snapshot("")).unwrap();
    let error = rehearse::migrations::plan(&located, &snapshot("")).unwrap_err();
    assert!(error.to_string().contains("is written in Rust and not applied yet"), "{error}");
    assert!(error.hints()[0].contains("--exec"));
}
