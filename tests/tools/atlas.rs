//! atlas 1.2.3. It cannot be installed here: the cases are made from its sources, `sql/migrate` with its tests,
//! `sql/sqlite/driver.go` and `cmd/atlas/internal/cmdapi/migrate_test.go`.

use super::{
    decision, deployed, failure, located, open, planned_by, project, refusal, rows, session, snapshot, states,
};
use rehearse::execution::decide::of_tool;
use rehearse::execution::{Outcome, Settings, run};
use rehearse::migrations::{Plan, Request};
use rehearse::observer::Silent;
use rusqlite::Connection;
use tempfile::TempDir;

const LEDGER: &str = "CREATE TABLE `atlas_schema_revisions` (`version` text NOT NULL, `description` text NOT NULL, `type` integer NOT \
                      NULL DEFAULT (2), `applied` integer NOT NULL DEFAULT (0), `total` integer NOT NULL DEFAULT (0), `executed_at` \
                      datetime NOT NULL, `execution_time` integer NOT NULL, `error` text NULL, `error_stmt` text NULL, `hash` text NOT \
                      NULL, `partial_hashes` json NULL, `operator_version` text NOT NULL, PRIMARY KEY (`version`))";

/// A folder with these files and the sum that atlas's own tests have for such files, or none.
fn app(files: &[(&str, &str)], sum: &str) -> TempDir {
    let named: Vec<_> = files.iter().map(|(name, text)| (format!("migrations/{name}"), *text)).collect();
    let mut all: Vec<(&str, &str)> = named.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    all.push(("migrations/atlas.sum", sum));
    project(&all)
}

/// The same with a sum that is right.
fn sound(files: &[(&str, &str)]) -> TempDir {
    use sha2::{Digest, Sha256};
    let mut sorted = files.to_vec();
    sorted.sort_unstable();
    let (mut running, mut total, mut lines) = (Sha256::new(), Sha256::new(), String::new());
    for (name, text) in sorted {
        running.update(name);
        running.update(text);
        let hash = base64(&running.clone().finalize());
        total.update(name);
        total.update(&hash);
        lines.extend([name, " h1:", hash.as_str(), "\n"]);
    }
    app(files, &format!("h1:{}\n{lines}", base64(&total.finalize())))
}

fn base64(bytes: &[u8]) -> String {
    let digits: Vec<char> = ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['+', '/']).collect();
    let bits: String = bytes.iter().map(|byte| format!("{byte:08b}")).collect();
    let sixes: Vec<char> = bits.chars().collect();
    let digit = |six: &[char]| {
        let six: String = six.iter().collect();
        digits[usize::from_str_radix(&format!("{six:0<6}"), 2).unwrap()]
    };
    let text: String = sixes.chunks(6).map(digit).collect();
    format!("{text}{}", "=".repeat((4 - text.len() % 4) % 4))
}

/// A ledger with rows of version, statements applied, statements in all, and hashes of those applied.
fn ledger(rows: &[(&str, i64, i64, &str)]) -> Connection {
    let rows: String = rows
        .iter()
        .map(|(version, applied, total, hashes)| {
            format!(
                "INSERT INTO atlas_schema_revisions VALUES ('{version}', 'x', 2, {applied}, {total}, '2026-01-01', 1, '', '', 'hash', \
                 CAST('{hashes}' AS BLOB), 'Atlas CLI v1.2.3');"
            )
        })
        .collect();
    snapshot(&format!("{LEDGER}; {rows}"))
}

fn plan_of(folder: &TempDir, before: &Connection) -> Plan {
    planned_by("atlas", folder, before)
}

/// The sum is that of `sql/migrate/testdata/sub` in shape: a running hash of names and texts.
#[test]
fn the_sum_is_checked_before_anything_else() {
    let file = [("1_a.sql", "CREATE TABLE a (x);\n")];
    for (sum, message) in [
        ("", "checksum mismatch"),
        ("h1:x\n1_a.sql h1:y\n", "checksum mismatch"),
        ("h1:x\n1_a.sql\n", "checksum file format invalid"),
    ] {
        let plan = plan_of(&app(&file, sum), &snapshot(""));
        assert_eq!(refusal(&plan), Some((message, 0)));
        assert!(plan.setup.is_empty());
    }
    let folder = sound(&file);
    assert_eq!(refusal(&plan_of(&folder, &snapshot(""))), None);
    std::fs::write(folder.path().join("migrations/1_a.sql"), "CREATE TABLE b (x);\n").unwrap();
    let plan = plan_of(&folder, &snapshot(""));
    assert!(plan.refusal.unwrap().help.starts_with("`1_a.sql` is the first file that is not as it was"));
    std::fs::remove_file(folder.path().join("migrations/atlas.sum")).unwrap();
    assert_eq!(refusal(&plan_of(&folder, &snapshot(""))), Some(("checksum file not found", 0)));
}

#[test]
fn the_row_is_written_after_every_statement() {
    let folder = sound(&[("1_a.sql", "CREATE TABLE a (x);\nCREATE TABLE b (x);\n"), ("2_it's.sql", "")]);
    let plan = plan_of(&folder, &snapshot(""));
    assert_eq!(states(&plan), ["1_a: pending", "2_it's: pending"]);
    let (execution, after, _files) = deployed(&plan, &snapshot(""));
    assert_eq!(execution.outcome, Outcome::Completed);
    assert_eq!(rows(&after, "SELECT sql FROM sqlite_schema WHERE name = 'atlas_schema_revisions'"), [LEDGER]);
    let recorded = "SELECT version, description, type, applied, total, error, CAST(partial_hashes AS TEXT), typeof(partial_hashes), \
                    length(hash) FROM atlas_schema_revisions";
    assert_eq!(rows(&after, recorded), ["1|a|2|2|2||null|blob|44", "2|it's|2|0|0||null|blob|44"]);
    assert_eq!(states(&plan_of(&folder, &after)), ["1_a: applied", "2_it's: applied"]);
}

/// In a transaction nothing stays; without one atlas goes on where it stopped.
#[test]
fn what_a_failure_leaves() {
    let text = "CREATE TABLE a (x);\nCREATE TABLE b (x);\nINSERT INTO c VALUES (1);\n";
    let (execution, after, _files) = deployed(&plan_of(&sound(&[("1_a.sql", text)]), &snapshot("")), &snapshot(""));
    assert_eq!(failure(&execution), "no such table: c");
    assert_eq!(rows(&after, "SELECT name FROM sqlite_schema WHERE name IN ('a', 'b')"), Vec::<String>::new());
    assert_eq!(rows(&after, "SELECT count(*) FROM atlas_schema_revisions"), ["0"]);

    let folder = sound(&[("1_a.sql", &format!("-- atlas:txmode none\n\n{text}"))]);
    let (execution, after, _files) = deployed(&plan_of(&folder, &snapshot("")), &snapshot(""));
    assert_eq!(failure(&execution), "no such table: c");
    let recorded = "SELECT applied, total, error_stmt, json_array_length(CAST(partial_hashes AS TEXT)) FROM atlas_schema_revisions";
    assert_eq!(rows(&after, recorded), ["2|3|INSERT INTO c VALUES (1);|2"]);
    after.execute_batch("CREATE TABLE c (x)").unwrap();
    let again = plan_of(&folder, &after);
    assert_eq!(states(&again), ["1_a: pending"]);
    assert_eq!(again.entries[0].migration.chunks.len(), 1);
    let (execution, after, _files) = deployed(&again, &after);
    assert_eq!(execution.outcome, Outcome::Completed);
    assert_eq!(rows(&after, recorded), ["3|3||0"]);
}

#[test]
fn a_part_that_was_applied_must_be_as_it_was() {
    let folder = sound(&[("1_a.sql", "CREATE TABLE a (x);\nCREATE TABLE b (x);\n")]);
    let plan = plan_of(&folder, &ledger(&[("1", 1, 2, "[\"h1:other\"]")]));
    let message = "sql/migrate: history changed: statement 1 from file \"1_a.sql\" changed";
    assert_eq!(refusal(&plan), Some((message, 0)));
    let gone = plan_of(&sound(&[("2_b.sql", "")]), &ledger(&[("1", 1, 2, "[]")]));
    let message =
        "sql/migrate: missing migration: revision \"1_x.sql\" is partially applied but migration file was not found";
    assert_eq!(refusal(&gone), Some((message, 0)));
}

/// The cases are those of `TestExecutor_Pending` and of its kin.
#[test]
fn what_is_pending_and_out_of_order() {
    let all: Vec<(&str, &str)> =
        ["1.sql", "2.sql", "2.5.sql", "2.6.sql", "3.sql", "4.sql"].map(|name| (name, "")).to_vec();
    let without = |left_out: &[&str]| {
        sound(&all.iter().copied().filter(|(name, _)| !left_out.contains(name)).collect::<Vec<_>>())
    };
    let three = || ledger(&[("1", 1, 1, "null"), ("2", 1, 1, "null"), ("3", 1, 1, "null")]);
    let plan = plan_of(&without(&["2.5.sql", "2.6.sql"]), &three());
    assert_eq!(states(&plan), ["1: applied", "2: applied", "3: applied", "4: pending"]);
    assert_eq!(plan.refusal, None);
    let see = "added out of order. See: https://atlasgo.io/versioned/apply#non-linear-error";
    let one = plan_of(&without(&["2.6.sql"]), &three());
    assert_eq!(refusal(&one), Some((format!("migration file 2.5.sql was {see}").as_str(), 0)));
    let two = plan_of(&without(&[]), &three());
    assert_eq!(refusal(&two), Some((format!("migration files 2.5.sql, 2.6.sql were {see}").as_str(), 0)));
    // What lies before the first row was there before atlas.
    let baseline = plan_of(&without(&["2.5.sql", "2.6.sql"]), &ledger(&[("3", 0, 0, "null")]));
    assert_eq!(states(&baseline), ["1: applied", "2: applied", "3: applied", "4: pending"]);
    let missing = plan_of(&without(&["2.sql", "2.5.sql", "2.6.sql"]), &three());
    assert_eq!(states(&missing), ["1: applied", "2_x: missing", "3: applied", "4: pending"]);
}

#[test]
fn an_empty_database_begins_at_the_last_checkpoint() {
    let folder = sound(&[
        ("1.sql", ""),
        ("2.sql", ""),
        ("3_all.sql", "-- atlas:checkpoint\n\nCREATE TABLE a (x);"),
        ("4.sql", ""),
    ]);
    let plan = plan_of(&folder, &snapshot(""));
    assert_eq!(states(&plan), ["3_all: pending", "4: pending"]);
    assert_eq!(decision(&plan.decisions, "migrations").len(), 3);
    let later = plan_of(&folder, &ledger(&[("1", 0, 0, "null")]));
    assert_eq!(states(&later), ["1: applied", "2: pending", "4: pending"]);
}

#[test]
fn a_database_without_a_history_must_be_empty() {
    let before = snapshot("CREATE TABLE a (x); CREATE TABLE b (x)");
    let plan = plan_of(&sound(&[("1.sql", "")]), &before);
    let message = "sql/migrate: connected database is not clean: found multiple tables: 3. baseline version or allow-dirty is required";
    assert_eq!(refusal(&plan), Some((message, 0)));
    assert_eq!(plan.setup.len(), 1);
}

#[test]
fn files_are_refused_when_their_turn_comes() {
    for (text, message) in [
        (
            "-- atlas:txmode all\n\nA;",
            "txmode \"all\" is not allowed in file directive \"2.sql\". Use \"file\" instead",
        ),
        ("-- atlas:txmode some\n\nA;", "unknown txmode \"some\" found in file directive \"2.sql\""),
        ("SELECT ('a;\n", "sql/migrate: scanning statements from \"2.sql\": 1:9: unclosed quote '\\''"),
    ] {
        let plan = plan_of(&sound(&[("1.sql", "CREATE TABLE a (x);"), ("2.sql", text), ("3.sql", "")]), &snapshot(""));
        assert_eq!(refusal(&plan), Some((message, 1)));
        let (_, after, _files) = deployed(&plan, &snapshot(""));
        assert_eq!(rows(&after, "SELECT version FROM atlas_schema_revisions"), ["1"]);
    }
    // Left out of the sum: of the list, and of the running hash its text but not its name.
    let folder = sound(&[("1.sql", "")]);
    std::fs::write(folder.path().join("migrations/2.sql"), "-- atlas:sum ignore\nSELECT 1;").unwrap();
    let message = "sql/migrate: scanning checksum from \"2.sql\": checksum not found";
    assert_eq!(refusal(&plan_of(&folder, &snapshot(""))), Some((message, 1)));
    let plan = plan_of(&sound(&[("1.sql", "-- atlas:txmode none\nCREATE TABLE a (x);")]), &snapshot(""));
    assert!(!plan.entries[0].migration.unwrapped);
}

/// Foreign keys are off in the transaction, and a row that refers to none takes it back.
#[test]
fn foreign_keys_are_checked_at_the_end() {
    let users = "CREATE TABLE users (id INTEGER PRIMARY KEY); CREATE TABLE posts (user_id REFERENCES users ON DELETE CASCADE); \
                 INSERT INTO users VALUES (1), (2); INSERT INTO posts VALUES (1), (9);";
    let before = ledger(&[("1", 1, 1, "null")]);
    before.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
    before.execute_batch(users).unwrap();
    for (text, message, posts) in [
        (
            "CREATE TABLE new_users (id INTEGER PRIMARY KEY); INSERT INTO new_users SELECT id FROM users; DROP TABLE users; \
          ALTER TABLE new_users RENAME TO users;",
            "",
            "2",
        ),
        ("DELETE FROM users WHERE id = 1;", "sql/sqlite: foreign key mismatch: [{tbl:posts ref:users}]", "2"),
        ("DELETE FROM users WHERE id = 2;", "", "2"),
    ] {
        let plan = plan_of(&sound(&[("1.sql", ""), ("2.sql", text)]), &before);
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("copy.db");
        before.execute("VACUUM INTO ?1", [file.to_str().unwrap()]).unwrap();
        let driver = of_tool("atlas").next().unwrap();
        let execution = run(session(&file), &plan, Settings::of(driver, Some(true)), &Silent).unwrap();
        assert_eq!(failure(&execution), message, "{text}");
        assert!(execution.foreign_keys_after);
        let after = open(&file);
        assert_eq!(rows(&after, "SELECT count(*) FROM posts"), [posts]);
        assert_eq!(rows(&after, "SELECT count(*) FROM users WHERE id = 1"), ["1"]);
    }
}

#[test]
fn found_by_its_sum_and_by_atlas_hcl() {
    let folder = sound(&[("1.sql", "")]);
    std::fs::write(folder.path().join("go.mod"), "").unwrap();
    assert_eq!(located(&folder, Request::default()).unwrap().tool.name, "atlas");
    std::fs::rename(folder.path().join("migrations"), folder.path().join("sql")).unwrap();
    let config = "env \"prod\" {\n  url = \"sqlite://app.db?_fk=1\"\n  migration {\n    dir = \"file://sql\"\n  }\n}\n";
    std::fs::write(folder.path().join("atlas.hcl"), config).unwrap();
    let found = located(&folder, Request::default()).unwrap();
    assert_eq!(found.tool.name, "atlas");
    assert_eq!(decision(&found.decisions, "foreign keys").len(), 1);
    // Of another tool's format: atlas only checks it.
    let other = app(&[("1_a.sql", "-- +goose Up\n")], "");
    std::fs::write(other.path().join("go.mod"), "").unwrap();
    assert_eq!(located(&other, Request::default()).unwrap().tool.name, "goose");
}
