//! sql-migrate, measured with the version of Debian 12; where that says nothing, 1.8.0's sources.

use super::{decision, deployed, failure, located, planned_by, project, refusal, rows, snapshot, states};
use rehearse::execution::Outcome;
use rehearse::migrations::Request;
use rusqlite::Connection;
use tempfile::TempDir;

const LEDGER: &str =
    "CREATE TABLE \"gorp_migrations\" (\"id\" varchar(255) not null primary key, \"applied_at\" datetime)";

/// A project with `1_init.sql`, which is applied, and other files.
fn app(files: &[(&str, &str)]) -> (TempDir, Connection) {
    let named: Vec<_> = files.iter().map(|(name, text)| (format!("migrations/{name}"), *text)).collect();
    let mut all: Vec<(&str, &str)> = named.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    all.push(("migrations/1_init.sql", "-- +migrate Up\nCREATE TABLE users (id);\n"));
    let row = "INSERT INTO gorp_migrations VALUES ('1_init.sql', '2026-01-01 00:00:00+00:00')";
    (project(&all), snapshot(&format!("{LEDGER}; {row}; CREATE TABLE users (id)")))
}

#[test]
fn numbers_come_first_and_older_files_are_caught_up() {
    let up = |table: &str| format!("-- +migrate Up\nCREATE TABLE {table} (x);\n");
    let (nine, ten, zero, abc) = (up("nine"), up("ten"), up("zero"), up("abc"));
    let (folder, before) = app(&[("10_b.sql", &ten), ("9_b.sql", &nine), ("0_x.sql", &zero), ("abc.sql", &abc)]);
    let plan = planned_by("sql-migrate", &folder, &before);
    let expected = ["0_x: pending", "1_init: applied", "9_b: pending", "10_b: pending", "abc: pending"];
    assert_eq!(states(&plan), expected);
    let (execution, after, _files) = deployed(&plan, &before);
    assert_eq!(execution.outcome, Outcome::Completed);
    let recorded = rows(
        &after,
        "SELECT id, typeof(id), typeof(applied_at), applied_at LIKE '20__-__-__ __:__:__.___+00:00' FROM gorp_migrations WHERE id <> '1_init.sql' ORDER BY rowid",
    );
    let row = |id: &str| format!("{id}|text|text|1");
    assert_eq!(recorded, [row("0_x.sql"), row("9_b.sql"), row("10_b.sql"), row("abc.sql")]);
}

#[test]
fn comments_are_left_out_and_the_last_semicolon_is_not_sent() {
    let text = "-- a comment\n-- +migrate Up\n-- hello\nCREATE TABLE one (\n-- inside\nx -- trailing;\n);\n/* block; */\nCREATE TABLE two \
                (x); CREATE TABLE three (x); -- after\n-- +migrate Down\nDROP TABLE one;\n";
    let (folder, before) = app(&[("3_lines.sql", text)]);
    let plan = planned_by("sql-migrate", &folder, &before);
    let migration = &plan.entries[1].migration;
    let pieces: Vec<_> = migration.chunks.iter().map(|chunk| chunk.sql.as_str()).collect();
    let rest = "/* block; */\nCREATE TABLE two (x); CREATE TABLE three (x); -- after";
    assert_eq!(pieces, ["CREATE TABLE one (\nx -- trailing;\n)", rest]);
    let lines: Vec<_> = migration.chunks.iter().flat_map(|chunk| &chunk.statements).map(|one| one.line).collect();
    assert_eq!(lines, [4, 9, 9]);
    let down = migration.down.as_ref().unwrap();
    assert_eq!((down.chunks[0].sql.as_str(), down.chunks[0].statements[0].line), ("DROP TABLE one", 11));
    let (_, after, _files) = deployed(&plan, &before);
    let schema = "SELECT sql FROM sqlite_schema WHERE name = 'one'";
    assert_eq!(rows(&after, schema), ["CREATE TABLE one (\nx -- trailing;\n)"]);
}

#[test]
fn a_trigger_over_several_lines_is_cut() {
    let text = "-- +migrate Up\nCREATE TRIGGER t AFTER INSERT ON users BEGIN\n  SELECT 1;\nEND;\n";
    let (folder, before) = app(&[("3_t.sql", text)]);
    let (execution, after, _files) = deployed(&planned_by("sql-migrate", &folder, &before), &before);
    assert_eq!(failure(&execution), "incomplete input");
    assert_eq!(rows(&after, "SELECT id FROM gorp_migrations"), ["1_init.sql"]);
}

/// All files are read before the first one runs; the ledger is there by then.
#[test]
fn refusals_in_its_own_words() {
    let see = "\n\t\t\tSee https://github.com/rubenv/sql-migrate for details.";
    let good = "-- +migrate Up\nCREATE TABLE a (x);\n";
    for (text, why) in [
        ("CREATE TABLE b (x);\n", format!("ERROR: no Up/Down annotations found, so no statements were executed.{see}")),
        (
            "\u{feff}-- +migrate Up\n",
            format!("ERROR: no Up/Down annotations found, so no statements were executed.{see}"),
        ),
        (
            "-- +migrate Up\nCREATE TABLE b (x)\n",
            format!(
                "ERROR: The last statement must be ended by a semicolon or '-- +migrate StatementEnd' marker.{see}"
            ),
        ),
    ] {
        let (folder, before) = app(&[("2_good.sql", good), ("3_bad.sql", text)]);
        let plan = planned_by("sql-migrate", &folder, &before);
        let message = format!("Error while parsing 3_bad.sql: Error parsing migration (3_bad.sql): {why}");
        assert_eq!(refusal(&plan), Some((message.as_str(), 0)));
        assert_eq!(plan.setup.len(), 1);
    }
    let (folder, before) = app(&[("2_good.sql", good)]);
    std::fs::remove_file(folder.path().join("migrations/1_init.sql")).unwrap();
    let plan = planned_by("sql-migrate", &folder, &before);
    let message = "Unable to create migration plan because of 1_init.sql: unknown migration in database";
    assert_eq!(refusal(&plan), Some((message, 0)));
    assert_eq!(states(&plan), ["1_init.sql: missing", "2_good: pending"]);
    let (folder, before) = app(&[("99999999999999999999_x.sql", good)]);
    let panic = "Could not parse \"99999999999999999999\" into int64: strconv.ParseInt: parsing \"99999999999999999999\": value out of range";
    assert_eq!(refusal(&planned_by("sql-migrate", &folder, &before)), Some((panic, 0)));
}

#[test]
fn notransaction_leaves_what_ran() {
    let text = "-- +migrate Up notransaction\nCREATE TABLE a (x);\nSELECT * FROM nowhere;\n";
    let (folder, before) = app(&[("2_a.sql", text)]);
    let (execution, after, _files) = deployed(&planned_by("sql-migrate", &folder, &before), &before);
    assert_eq!(failure(&execution), "no such table: nowhere");
    assert_eq!(rows(&after, "SELECT name FROM sqlite_schema WHERE name = 'a'"), ["a"]);
    assert_eq!(rows(&after, "SELECT id FROM gorp_migrations"), ["1_init.sql"]);
}

#[test]
fn its_configuration_names_the_folder_and_the_ledger() {
    let config = "development:\n  dialect: sqlite3\n  datasource: dev.db\n\nproduction:\n  dialect: sqlite3\n  datasource: \
                  app.db?_foreign_keys=on\n  dir: ./db/sql\n  table: my-migs\n";
    let folder = project(&[("dbconfig.yml", config), ("db/sql/1_a.sql", "-- +migrate Up\nCREATE TABLE a (x);\n")]);
    let found = located(&folder, Request::default()).unwrap();
    assert_eq!((found.tool.name, found.table.as_str()), ("sql-migrate", "my-migs"));
    assert!(found.folder.ends_with("db/sql"));
    assert_eq!(decision(&found.decisions, "foreign keys").len(), 1);
    let plan = rehearse::migrations::plan(&found, &snapshot("")).unwrap();
    let (_, after, _files) = deployed(&plan, &snapshot(""));
    let schema = "SELECT sql FROM sqlite_schema WHERE name = 'my-migs'";
    assert_eq!(rows(&after, schema), [LEDGER.replace("gorp_migrations", "my-migs")]);
    let other = project(&[("dbconfig.yml", "production:\n  dialect: postgres\n")]);
    assert_eq!(located(&other, Request::default()).unwrap_err().exit_code(), 2);
}
