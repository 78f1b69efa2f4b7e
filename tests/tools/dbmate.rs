//! dbmate 2.36, measured with its command.

use super::{decision, deployed, failure, located, planned_by, project, refusal, rows, snapshot, states};
use rehearse::execution::Outcome;
use rehearse::migrations::Request;
use rusqlite::Connection;
use tempfile::TempDir;

const LEDGER: &str = "CREATE TABLE \"schema_migrations\" (version varchar(128) primary key)";

/// A file with an up and a down block.
fn file(up: &str) -> String {
    format!("-- migrate:up\n{up}\n\n-- migrate:down\nSELECT 'down';\n")
}

/// A project with `1_init.sql`, which is applied, and other files.
fn app(files: &[(&str, &str)]) -> (TempDir, Connection) {
    let init = file("CREATE TABLE users (id);");
    let named: Vec<_> = files.iter().map(|(name, text)| (format!("migrations/{name}"), *text)).collect();
    let mut all: Vec<(&str, &str)> = named.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    all.push(("migrations/1_init.sql", &init));
    (project(&all), snapshot(&format!("{LEDGER}; INSERT INTO schema_migrations VALUES ('1'); CREATE TABLE users (id)")))
}

#[test]
fn versions_are_texts_in_the_order_of_the_names() {
    let (nine, ten, old) =
        (file("CREATE TABLE nine (x);"), file("CREATE TABLE ten (x);"), file("CREATE TABLE old (x);"));
    let (folder, before) = app(&[
        ("9_nine.sql", &nine),
        ("10_ten.sql", &ten),
        ("0_old.sql", &old),
        ("4x.sql", &file("")),
        ("x5.sql", "not read"),
        ("6_x.SQL", "not read"),
        ("inside/7_x.sql", "not read"),
    ]);
    let plan = planned_by("dbmate", &folder, &before);
    let expected = ["0_old: pending", "10_ten: pending", "1_init: applied", "4x: pending", "9_nine: pending"];
    assert_eq!(states(&plan), expected);
    let migration = &plan.entries[1].migration;
    assert_eq!(migration.chunks[0].sql, "-- migrate:up\nCREATE TABLE ten (x);\n\n");
    assert_eq!(migration.chunks[0].statements[0].line, 2);
    let down = migration.down.as_ref().unwrap();
    assert_eq!(down.chunks[0].statements[0].line, 5);
    assert_eq!(down.record.within, ["delete from \"schema_migrations\" where version = '10'"]);
    let (execution, after, _files) = deployed(&plan, &before);
    assert_eq!(execution.outcome, Outcome::Completed);
    let recorded = rows(&after, "SELECT version, typeof(version) FROM schema_migrations ORDER BY rowid");
    assert_eq!(recorded, ["1|text", "0|text", "10|text", "4|text", "9|text"]);
}

#[test]
fn the_ledger_is_made_also_where_a_file_is_refused() {
    let plan = planned_by("dbmate", &project(&[("migrations/1_a.sql", "-- migrate:up\n")]), &snapshot(""));
    let (execution, after, _files) = deployed(&plan, &snapshot(""));
    assert_eq!(execution.outcome, Outcome::Refused);
    assert_eq!(rows(&after, "SELECT sql FROM sqlite_schema WHERE type = 'table'"), [LEDGER]);
    let nothing = planned_by("dbmate", &project(&[("migrations/README.md", "")]), &snapshot(""));
    assert_eq!(refusal(&nothing), Some(("no migration files found", 0)));
    assert!(nothing.setup.is_empty());
}

#[test]
fn files_are_refused_when_their_turn_comes() {
    for (text, message) in [
        ("", "dbmate requires each migration to define an up block with '-- migrate:up'"),
        (
            "\u{feff}-- migrate:up\n-- migrate:down\n",
            "dbmate requires each migration to define an up block with '-- migrate:up'",
        ),
        ("-- migrate:up\n", "dbmate requires each migration to define a down block with '-- migrate:down'"),
        (
            "SELECT 1;\n-- migrate:up\n-- migrate:down\n",
            "dbmate does not support statements preceding the '-- migrate:up' block",
        ),
    ] {
        let made = file("CREATE TABLE made (x);");
        let (folder, before) = app(&[("2_made.sql", &made), ("3_bad.sql", text), ("4_next.sql", &made)]);
        let plan = planned_by("dbmate", &folder, &before);
        assert_eq!(refusal(&plan), Some((message, 1)));
        let (_, after, _files) = deployed(&plan, &before);
        assert_eq!(rows(&after, "SELECT version FROM schema_migrations"), ["1", "2"], "{text}");
    }
}

/// Measured: the first pair is committed with its row, the second is rolled back.
#[test]
fn a_second_pair_of_blocks_cannot_be_recorded() {
    let two = format!("{}{}", file("CREATE TABLE one (x);"), file("CREATE TABLE two (x);"));
    let (folder, before) = app(&[("3_two.sql", &two)]);
    let plan = planned_by("dbmate", &folder, &before);
    assert_eq!(states(&plan), ["1_init: applied", "3_two: pending", "3_two (block 2): pending"]);
    let (execution, after, _files) = deployed(&plan, &before);
    assert_eq!(failure(&execution), "UNIQUE constraint failed: schema_migrations.version");
    assert_eq!(rows(&after, "SELECT name FROM sqlite_schema WHERE name IN ('one', 'two')"), ["one"]);
    assert_eq!(rows(&after, "SELECT version FROM schema_migrations"), ["1", "3"]);
}

#[test]
fn a_version_that_is_recorded_twice_over() {
    let (folder, before) = app(&[("1_other.sql", &file("")), ("3_a.sql", &file("")), ("3_b.sql", &file(""))]);
    let plan = planned_by("dbmate", &folder, &before);
    assert_eq!(states(&plan), ["1_init: applied", "1_other: applied", "3_a: pending", "3_b: pending"]);
    let (execution, after, _files) = deployed(&plan, &before);
    assert!(matches!(execution.outcome, Outcome::Failed(_)));
    assert_eq!(rows(&after, "SELECT version FROM schema_migrations"), ["1", "3"]);
}

#[test]
fn the_marker_may_keep_a_file_out_of_the_transaction() {
    let text = "--migrate:up  transaction:false  x:y\nCREATE TABLE a (x);\nSELECT * FROM nowhere;\n--migrate:down\n";
    let (folder, before) = app(&[("2_a.sql", text)]);
    let (execution, after, _files) = deployed(&planned_by("dbmate", &folder, &before), &before);
    assert!(matches!(execution.outcome, Outcome::Failed(_)));
    assert_eq!(rows(&after, "SELECT name FROM sqlite_schema WHERE name = 'a'"), ["a"]);
    assert_eq!(rows(&after, "SELECT version FROM schema_migrations"), ["1"]);
}

#[test]
fn its_settings_stand_in_env() {
    let env = "DATABASE_URL=\"sqlite:app.db?_foreign_keys=on\"\nexport DBMATE_MIGRATIONS_DIR=./sql # there\nDBMATE_MIGRATIONS_TABLE='done'\n";
    let folder = project(&[(".env", env), ("go.mod", ""), ("sql/1_init.sql", &file(""))]);
    let located = located(&folder, Request::default()).unwrap();
    assert_eq!((located.tool.name, located.table.as_str()), ("dbmate", "done"));
    assert!(located.folder.ends_with("sql"));
    assert_eq!(decision(&located.decisions, "foreign keys").len(), 1);
    assert!(!format!("{:?}", located.decisions).contains("app.db"));
}

/// Others have a table of that name.
#[test]
fn the_ledger_is_told_by_its_columns() {
    let (folder, _) = app(&[]);
    for (sql, is_it) in [
        (LEDGER, true),
        (
            "CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY); CREATE TABLE ar_internal_metadata (key)",
            false,
        ),
        ("CREATE TABLE schema_migrations (version uint64, dirty bool)", false),
        ("CREATE TABLE schema_migrations (id VARCHAR(255) PRIMARY KEY)", false),
    ] {
        assert_eq!(planned_by("dbmate", &folder, &snapshot(sql)).ledger.present, is_it, "{sql}");
    }
}
