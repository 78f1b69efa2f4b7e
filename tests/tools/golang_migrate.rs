//! golang-migrate 4.19.1. It cannot be installed here: the cases are made from its sources, `migrate.go`, `source/parse.go`,
//! `source/migration.go`, `source/iofs` and `database/sqlite3`.

use super::{deployed, failure, located, planned_by, project, refusal, rows, snapshot, states};
use rehearse::execution::Outcome;
use rehearse::migrations::{Request, State};
use rusqlite::Connection;
use tempfile::TempDir;

const LEDGER: &str = "CREATE TABLE schema_migrations (version uint64,dirty bool); CREATE UNIQUE INDEX version_unique ON \
                      schema_migrations (version)";

/// A project of these files below `migrations`, and a database at a version.
fn app(files: &[(&str, &str)], row: Option<(i64, bool)>) -> (TempDir, Connection) {
    let named: Vec<_> = files.iter().map(|(name, text)| (format!("migrations/{name}"), *text)).collect();
    let folder = project(&named.iter().map(|(name, text)| (name.as_str(), *text)).collect::<Vec<_>>());
    let row = row.map(|(version, dirty)| format!("INSERT INTO schema_migrations VALUES ({version}, {dirty})"));
    (folder, snapshot(&format!("{LEDGER}; {}", row.unwrap_or_default())))
}

fn plan_of(folder: &TempDir, before: &Connection) -> rehearse::migrations::Plan {
    planned_by("golang-migrate", folder, before)
}

#[test]
fn one_row_says_how_far_it_is() {
    let files = [
        ("1_users.up.sql", "CREATE TABLE users (id);\nCREATE TABLE posts (id);"),
        ("1_users.down.sql", "DROP TABLE posts; DROP TABLE users;"),
        ("0010_more.up.sql", "CREATE TABLE more (id)"),
        ("3_only.down.sql", "SELECT 1"),
        ("4_notes.txt", ""),
        ("x_y.up.sql", ""),
    ];
    let (folder, _) = app(&files, None);
    let plan = plan_of(&folder, &snapshot(""));
    assert_eq!(states(&plan), ["1_users: pending", "3_only: pending", "0010_more: pending"]);
    let (execution, after, _files) = deployed(&plan, &snapshot(""));
    assert_eq!(execution.outcome, Outcome::Completed);
    let schema = "SELECT sql FROM sqlite_schema WHERE tbl_name = 'schema_migrations' ORDER BY rowid";
    assert_eq!(rows(&after, schema).join("; "), LEDGER);
    let recorded = "SELECT version, dirty, typeof(version), typeof(dirty) FROM schema_migrations";
    assert_eq!(rows(&after, recorded), ["10|0|integer|integer"]);
    assert_eq!(states(&plan_of(&folder, &after)), ["1_users: applied", "3_only: applied", "0010_more: applied"]);
    let down = plan.entries[0].migration.down.as_ref().unwrap();
    assert_eq!(down.record.after, ["BEGIN", "DELETE FROM schema_migrations", "COMMIT"]);
}

/// What fails is rolled back; the row that says so is not.
#[test]
fn a_failure_leaves_the_row_dirty() {
    let files = [
        ("1_a.up.sql", "CREATE TABLE a (x)"),
        ("2_b.up.sql", "CREATE TABLE b (x); SELECT * FROM nowhere"),
        ("3_c.up.sql", ""),
    ];
    let (folder, before) = app(&files, Some((1, false)));
    before.execute_batch("CREATE TABLE a (x)").unwrap();
    let (execution, after, _files) = deployed(&plan_of(&folder, &before), &before);
    assert_eq!(failure(&execution), "no such table: nowhere");
    assert_eq!(rows(&after, "SELECT * FROM schema_migrations"), ["2|1"]);
    assert_eq!(rows(&after, "SELECT name FROM sqlite_schema WHERE name = 'b'"), Vec::<String>::new());
    let again = plan_of(&folder, &after);
    assert_eq!(refusal(&again), Some(("Dirty database version 2. Fix and force version.", 0)));
    assert_eq!(deployed(&again, &after).0.outcome, Outcome::Refused);
}

#[test]
fn a_commit_in_a_file_leaves_the_row_dirty_too() {
    let (folder, before) = app(&[("1_a.up.sql", "CREATE TABLE a (x); COMMIT;")], None);
    let (execution, after, _files) = deployed(&plan_of(&folder, &before), &before);
    assert_eq!(failure(&execution), "cannot commit - no transaction is active");
    assert_eq!(rows(&after, "SELECT * FROM schema_migrations"), ["1|1"]);
}

#[test]
fn refusals_in_its_own_words() {
    for (files, row, message, has_setup) in [
        (
            vec![("1_a.up.sql", "")],
            Some((3, false)),
            "no migration found for version 3: read down for version 3 .: file does not exist",
            true,
        ),
        (vec![("1_a.up.sql", ""), ("01_b.up.sql", "")], None, "duplicate migration file: 1_a.up.sql", false),
        (vec![("README.md", "")], None, "first .: file does not exist", true),
        (vec![("18446744073709551615_a.up.sql", "")], None, "suint(-1) expects input >= 0", true),
    ] {
        let (folder, before) = app(&files, row);
        let plan = plan_of(&folder, &before);
        assert_eq!(refusal(&plan), Some((message, 0)));
        assert_eq!(!plan.setup.is_empty(), has_setup, "{message}");
    }
    let (folder, before) = app(&[("1_a.up.sql", "")], Some((3, false)));
    assert_eq!(states(&plan_of(&folder, &before)), ["1_a: applied", "3: missing"]);
}

/// The ledger does not say what ran below its version; a table that nobody took away and that is not there does.
#[test]
fn a_lower_version_whose_table_is_not_there_never_ran() {
    let files = [
        ("1_a.up.sql", "CREATE TABLE a (x)"),
        ("2_late.up.sql", "CREATE TABLE late (x)"),
        ("3_b.up.sql", "CREATE TABLE b (x); CREATE TABLE gone (x)"),
        ("4_c.up.sql", "DROP TABLE gone; ALTER TABLE b RENAME TO c"),
    ];
    let (folder, before) = app(&files, Some((4, false)));
    before.execute_batch("CREATE TABLE a (x); CREATE TABLE c (x)").unwrap();
    let plan = plan_of(&folder, &before);
    assert_eq!(states(&plan), ["1_a: applied", "2_late: skipped", "3_b: applied", "4_c: applied"]);
    let why = "the current version is 4, only higher ones run, and `late`, which it makes, is not in the snapshot";
    assert_eq!(plan.entries[1].state, State::Skipped { why: why.into() });
}

#[test]
fn found_by_go_mod_or_its_ledger() {
    let (folder, before) = app(&[("1_a.up.sql", "")], Some((1, false)));
    std::fs::write(folder.path().join("go.mod"), "module shop\n").unwrap();
    assert!(located(&folder, Request::default()).is_err());
    let request = Request { project: folder.path().into(), ..Request::default() };
    let search = || rehearse::migrations::search(&request).unwrap();
    assert_eq!(rehearse::migrations::locate(&search(), &before).unwrap().tool.name, "golang-migrate");
    let go_mod = "module shop\nrequire github.com/golang-migrate/migrate/v4 v4.19.1\n";
    std::fs::write(folder.path().join("go.mod"), go_mod).unwrap();
    assert_eq!(located(&folder, Request::default()).unwrap().tool.name, "golang-migrate");
}
