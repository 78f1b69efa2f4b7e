//! goose 3.27.3. It cannot be installed here: the cases are made from its sources, `up.go`, `migrate.go`, `migration_sql.go`,
//! `internal/sqlparser` with its test data, and `database/dialect/sqlite3.go`.

use super::{decision, deployed, failure, located, planned_by, project, refusal, rows, snapshot, states};
use rehearse::execution::{Outcome, decide};
use rehearse::migrations::Request;
use rusqlite::Connection;
use tempfile::TempDir;

const LEDGER: &str = "CREATE TABLE goose_db_version (\n\t\tid INTEGER PRIMARY KEY AUTOINCREMENT,\n\t\tversion_id INTEGER NOT \
                      NULL,\n\t\tis_applied INTEGER NOT NULL,\n\t\ttstamp TIMESTAMP DEFAULT (datetime('now'))\n\t)";
const INIT: (&str, &str) = ("migrations/00001_init.sql", "-- +goose Up\nCREATE TABLE users (id);\n");

/// A project whose versions are these files, and a database in which the named ones are applied.
fn app(files: &[(&str, &str)], applied: &[i64]) -> (TempDir, Connection) {
    let rows: Vec<String> = std::iter::once(&0).chain(applied).map(|version| format!("({version}, 1)")).collect();
    let ledger = format!("{LEDGER}; INSERT INTO goose_db_version (version_id, is_applied) VALUES {}", rows.join(", "));
    (project(files), snapshot(&ledger))
}

#[test]
fn the_ledger_is_made_with_the_rows_of_goose() {
    let next = ("migrations/00002_next.sql", "-- +goose Up\nCREATE TABLE a (x);\nINSERT INTO a VALUES (1);\n");
    let folder = project(&[INIT, next]);
    let plan = planned_by("goose", &folder, &snapshot(""));
    assert_eq!(states(&plan), ["00001_init: pending", "00002_next: pending"]);
    let (execution, after, _files) = deployed(&plan, &snapshot(""));
    assert_eq!(execution.outcome, Outcome::Completed);
    assert_eq!(rows(&after, "SELECT sql FROM sqlite_schema WHERE name = 'goose_db_version'"), [LEDGER]);
    let recorded = "SELECT id, version_id, is_applied, typeof(version_id), typeof(is_applied), typeof(tstamp) FROM goose_db_version";
    let row = |version: i64| format!("{}|{version}|1|integer|integer|text", version + 1);
    assert_eq!(rows(&after, recorded), [row(0), row(1), row(2)]);
    assert_eq!(states(&planned_by("goose", &folder, &after)), ["00001_init: applied", "00002_next: applied"]);
}

/// One call of the driver for each piece, cut by lines; what is behind Down undoes it.
#[test]
fn pieces_keep_their_places_in_the_file() {
    let text = "-- +goose Up\n-- a comment\nCREATE TABLE a (x); CREATE TABLE b (x);\n\n-- +goose StatementBegin\nCREATE TRIGGER t \
                AFTER INSERT ON a BEGIN\n  DELETE FROM b;\nEND;\n-- +goose StatementEnd\n-- +goose Down\nDROP TABLE a;\n";
    let (folder, before) = app(&[INIT, ("migrations/2_next.sql", text)], &[1]);
    let plan = planned_by("goose", &folder, &before);
    let migration = &plan.entries[1].migration;
    let pieces: Vec<_> = migration.chunks.iter().map(|chunk| (chunk.sql.as_str(), chunk.statements.len())).collect();
    let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  DELETE FROM b;\nEND;";
    assert_eq!(pieces, [("CREATE TABLE a (x); CREATE TABLE b (x);", 2), (trigger, 1)]);
    let places: Vec<_> =
        migration.chunks.iter().flat_map(|chunk| &chunk.statements).map(|one| (one.line, one.column)).collect();
    assert_eq!(places, [(3, 1), (3, 21), (6, 1)]);
    let down = migration.down.as_ref().unwrap();
    assert_eq!(down.chunks[0].sql, "DROP TABLE a;");
    assert_eq!(down.record.within, ["DELETE FROM goose_db_version WHERE version_id=2"]);
    let (execution, after, _files) = deployed(&plan, &before);
    assert_eq!(execution.outcome, Outcome::Completed);
    assert_eq!(rows(&after, "SELECT name FROM sqlite_schema WHERE type = 'trigger'"), ["t"]);
}

#[test]
fn a_trigger_without_its_marks_is_cut_at_its_first_semicolon() {
    let text = "-- +goose Up\nCREATE TRIGGER t AFTER INSERT ON users BEGIN\n  DELETE FROM users;\nEND;\n";
    let (folder, before) = app(&[INIT, ("migrations/2_next.sql", text)], &[1]);
    before.execute_batch("CREATE TABLE users (id)").unwrap();
    let (execution, after, _files) = deployed(&planned_by("goose", &folder, &before), &before);
    assert_eq!(failure(&execution), "incomplete input");
    assert_eq!(rows(&after, "SELECT version_id FROM goose_db_version"), ["0", "1"]);
}

#[test]
fn a_comment_that_is_not_sent_still_speaks_to_rehearse() {
    let text = "-- +goose Up\n-- rehearse: allow LS107 because x\n\nDELETE FROM users;\n-- rehearse: renamed a -> b\n";
    let (folder, before) = app(&[INIT, ("migrations/2_next.sql", text)], &[1]);
    let plan = planned_by("goose", &folder, &before);
    let directives = &plan.entries[1].migration.directives;
    assert_eq!(directives.iter().map(|one| (one.line, one.statement.line)).collect::<Vec<_>>(), [(2, 4), (5, 5)]);
    assert!(directives[1].says.is_err());
}

#[test]
fn no_transaction_leaves_what_ran() {
    let text = "-- +goose NO TRANSACTION\n-- +goose Up\nCREATE TABLE a (x);\nSELECT * FROM nowhere;\n";
    let (folder, before) = app(&[INIT, ("migrations/2_next.sql", text)], &[1]);
    let (execution, after, _files) = deployed(&planned_by("goose", &folder, &before), &before);
    assert!(matches!(execution.outcome, Outcome::Failed(_)));
    assert_eq!(rows(&after, "SELECT name FROM sqlite_schema WHERE name = 'a'"), ["a"]);
    assert_eq!(rows(&after, "SELECT version_id FROM goose_db_version"), ["0", "1"]);
}

#[test]
fn refusals_before_anything_runs() {
    let up = "-- +goose Up\nSELECT 1;\n";
    let three = ("migrations/3_c.sql", up);
    for (files, applied, expected, has_setup) in [
        (
            vec![INIT, ("migrations/2_b.sql", up), three],
            vec![1, 3],
            "error: found 1 missing migrations before current version 3:\n\tversion 2: ",
            false,
        ),
        (vec![INIT, ("migrations/foo.sql", up)], vec![1], "no filename separator '_' found", false),
        (vec![INIT, ("migrations/a_b.sql", up)], vec![1], "parsing \"a\": invalid syntax", false),
        (vec![INIT, ("migrations/0_b.sql", up)], vec![1], "migration version must be greater than zero", false),
        (vec![INIT, ("migrations/1_b.sql", up)], vec![], "goose: duplicate version 1 detected:\n", false),
        (vec![("migrations/README.md", "")], vec![], "no migration files found", false),
    ] {
        let (folder, before) = app(&files, &applied);
        let plan = planned_by("goose", &folder, &before);
        let (message, after) = refusal(&plan).unwrap();
        assert!(message.contains(expected) && after == 0, "{message}");
        assert_eq!(!plan.setup.is_empty(), has_setup, "{message}");
        assert_eq!(deployed(&plan, &before).0.outcome, Outcome::Refused);
    }
    let (folder, before) = app(&[INIT], &[]);
    before.execute_batch("DELETE FROM goose_db_version").unwrap();
    assert_eq!(refusal(&planned_by("goose", &folder, &before)), Some(("no next version found", 0)));
}

/// Files are read when their turn comes: those before have run by then.
#[test]
fn a_file_that_cannot_be_read_stops_it_where_it_stands() {
    let (folder, before) = app(
        &[
            INIT,
            ("migrations/2_good.sql", "-- +goose Up\nCREATE TABLE a (x);\n"),
            ("migrations/3_bad.sql", "-- +goose Up\nCREATE TABLE b (x)\n"),
            ("migrations/4_next.sql", "-- +goose Up\nCREATE TABLE c (x);\n"),
        ],
        &[1],
    );
    let plan = planned_by("goose", &folder, &before);
    let message = "ERROR 3_bad.sql: failed to parse SQL migration file: failed to parse migration: state 1, direction: up: unexpected \
                   unfinished SQL query: \"CREATE TABLE b (x)\": missing semicolon?";
    assert_eq!(refusal(&plan), Some((message, 1)));
    let (execution, after, _files) = deployed(&plan, &before);
    assert_eq!(execution.outcome, Outcome::Refused);
    assert_eq!(rows(&after, "SELECT version_id FROM goose_db_version"), ["0", "1", "2"]);
}

#[test]
fn missing_files_are_passed_over() {
    let (folder, before) = app(&[("migrations/3_c.sql", "-- +goose Up\n")], &[1, 2]);
    let plan = planned_by("goose", &folder, &before);
    assert_eq!(states(&plan), ["1: missing", "2: missing", "3_c: pending"]);
    assert_eq!(plan.refusal, None);
}

#[test]
fn what_is_written_in_go_needs_the_app() {
    let (folder, before) =
        app(&[INIT, ("migrations/00002_fill.go", "package m"), ("migrations/2_fill_test.go", "")], &[1]);
    let request = || Request { tool: Some("goose".into()), ..Request::default() };
    let error = rehearse::migrations::plan(&located(&folder, request()).unwrap(), &before).unwrap_err();
    assert!(error.to_string().contains("written in Go"), "{error}");
    assert!(error.hints()[0].contains("--exec"));
    before.execute_batch("INSERT INTO goose_db_version (version_id, is_applied) VALUES (3, 1)").unwrap();
    assert!(refusal(&planned_by("goose", &folder, &before)).is_some());
    before.execute_batch("UPDATE goose_db_version SET version_id = 2 WHERE version_id = 3").unwrap();
    assert_eq!(states(&planned_by("goose", &folder, &before)), ["00001_init: applied", "00002_fill: applied"]);
}

#[test]
fn a_variable_that_is_not_set_is_asked_for() {
    let text = "-- +goose Up\n-- +goose ENVSUB ON\nINSERT INTO users VALUES ('${REHEARSE_TEST_NOT_SET}');\n";
    let (folder, before) = app(&[INIT, ("migrations/2_next.sql", text)], &[1]);
    let request = Request { tool: Some("goose".into()), ..Request::default() };
    let error = rehearse::migrations::plan(&located(&folder, request).unwrap(), &before).unwrap_err();
    assert!(
        error.to_string().contains("2_next.sql:3") && error.to_string().contains("`REHEARSE_TEST_NOT_SET`"),
        "{error}"
    );
    assert_eq!(error.exit_code(), 2);
    before.execute_batch("INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, 1)").unwrap();
    assert_eq!(states(&planned_by("goose", &folder, &before))[1], "2_next: applied");
}

#[test]
fn found_by_its_marker_and_its_driver_by_go_mod() {
    let driver = |go_mod: &str| {
        let folder =
            project(&[INIT, ("go.mod", go_mod), ("main.go", "sql.Open(\"sqlite3\", \"file:app.db?_fk=1\")\n")]);
        let located = located(&folder, Request::default()).unwrap();
        assert_eq!(located.tool.name, "goose");
        assert_eq!(decision(&located.decisions, "foreign keys").len(), 1);
        decide::driver(None, "goose", &located.project).unwrap().drivers[0].name
    };
    assert_eq!(driver("module shop\n"), "modernc");
    assert_eq!(driver("require github.com/mattn/go-sqlite3 v1.14.32\n"), "go-sqlite3");
    assert_eq!(driver("require (\n\tmodernc.org/sqlite v1.40.1 // indirect\n)\n"), "modernc");
}
