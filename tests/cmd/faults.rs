//! `--faults`: what deaths of the process, a second run and another run show, as the report has it.

use serde_json::Value;

use crate::support::Project;

const USERS: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
    INSERT INTO users VALUES (1, 'a@example.com'), (2, 'b@example.com');";

fn faults(document: &Value) -> &Value {
    &document["execution"]["faults"]
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

/// The codes of what was found, but for what is said of the snapshot.
fn codes(document: &Value) -> Vec<&str> {
    let findings = document["findings"].as_array().unwrap().iter();
    findings.map(|finding| finding["code"].as_str().unwrap()).filter(|code| !code.starts_with("SN")).collect()
}

/// Two migrations, each in its own transaction.
fn two(journal_mode: &str) -> Project {
    Project::new(&format!("PRAGMA journal_mode = {journal_mode}; {USERS}"))
        .migration("1_cities.sql", "CREATE TABLE cities (id INTEGER PRIMARY KEY); INSERT INTO cities VALUES (1), (2);")
        .migration("2_city.sql", "ALTER TABLE users ADD COLUMN city INTEGER; CREATE INDEX by_city ON users (city);")
}

#[test]
fn each_death_leaves_a_state_that_the_ledger_knows() {
    for mode in ["delete", "wal"] {
        let project = two(mode);
        let document = project.document(&["--faults"]);
        let found = faults(&document);
        let states = &found["states"];
        let [old, new, between] = ["old", "new", "between"].map(|state| number(&states[state]));
        assert!(codes(&document).is_empty(), "{mode}: {:?}", document["findings"]);
        assert_eq!((number(&states["partial"]), number(&found["left_out"])), (0, 0), "{mode}: {found}");
        assert_eq!(found["second_run"], "nothing", "{mode}");
        assert_eq!(old + new + between, number(&found["moments"]), "{mode}: {found}");
        assert_eq!(found["resumed"], found["moments"], "{mode}");
        // BEGIN, two statements, the ledger and COMMIT of each, the start, and some inside of each COMMIT.
        assert!(number(&found["moments"]) > 11 + 2, "{mode}: {found}");
        // Before the first COMMIT; between the two; only behind the second, which is the last statement.
        assert!(old >= 5 && between >= 5 && new == 1, "{mode}: {found}");
        assert_eq!(faults(&project.document(&["--faults"])), found, "{mode}: twice the same");
    }
}

#[test]
fn the_report_says_how_many_moments_there_were() {
    let ran = two("delete").rehearse(&["--faults"]);
    let line = ran.stdout.lines().find(|line| line.trim_start().starts_with("deaths")).unwrap();
    assert!(line.contains("moments at which the process died: "), "{line}");
}

#[test]
fn of_many_moments_some_are_left_out_and_counted() {
    let project = (0..80).fold(Project::new(USERS), |project, number| {
        project
            .migration(&format!("{}_row.sql", number + 1), &format!("INSERT INTO users VALUES ({}, 'x');", 10 + number))
    });
    let document = project.document(&["--faults"]);
    let found = faults(&document);
    let (moments, left_out) = (number(&found["moments"]), number(&found["left_out"]));
    assert!(left_out > 80 && moments > 64, "{found}");
    assert_eq!(found["resumed"], found["moments"]);
    assert!(codes(&document).is_empty(), "{:?}", document["findings"]);
}

#[test]
fn a_commit_in_the_middle_is_a_part_and_cannot_be_resumed() {
    let project = Project::new(USERS).migration(
        "1_cities.sql",
        "CREATE TABLE cities (id INTEGER);\nCOMMIT;\nBEGIN;\nCREATE TABLE towns (id INTEGER);\n",
    );
    let document = project.document(&["--faults"]);
    assert_eq!(codes(&document).iter().filter(|code| ["EX606", "EX607"].contains(code)).count(), 2, "{document}");
    let stuck = document["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "EX607").unwrap();
    assert!(stuck["message"].as_str().unwrap().ends_with("fails: table cities already exists"), "{stuck}");
    let found = faults(&document);
    assert_eq!(number(&found["states"]["partial"]), number(&found["moments"]) - number(&found["resumed"]));
    assert!(document["findings"].as_array().unwrap().iter().all(|finding| finding["code"] != "TX506"));
}

#[test]
fn a_database_that_is_vacuumed_to_other_pages_is_compared_too() {
    let project = Project::new(USERS).migration(
        "1_vacuum.sql",
        "COMMIT;\nPRAGMA page_size = 8192;\nVACUUM;\nBEGIN;\nUPDATE users SET email = 'c' WHERE id = 2;\n",
    );
    let document = project.document(&["--faults"]);
    let found = faults(&document);
    assert_eq!((number(&found["states"]["partial"]), &found["resumed"]), (0, &found["moments"]), "{found}");
    assert!(number(&found["states"]["old"]) > 5, "{found}");
}

#[test]
fn with_nothing_pending_or_a_failure_nothing_is_tried() {
    let project = Project::new(&format!("{USERS} PRAGMA user_version = 2;"));
    let project = project.migration("1_a.sql", "SELECT 1;").migration("2_b.sql", "SELECT 1;");
    let document = project.document(&["--faults"]);
    assert!(faults(&document).is_null());
    assert_eq!(codes(&document), ["EX609"]);
    let failing = Project::new(USERS).migration("1_a.sql", "DROP TABLE nowhere;");
    assert!(faults(&failing.document(&["--faults"])).is_null());
}

#[test]
fn a_command_is_refused() {
    let ran = Project::new(USERS).run(&["--snapshot", "prod.db", "--exec", "true", "--faults"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("'--exec <COMMAND>' cannot be used with '--faults'"), "{}", ran.stderr);
    assert!(ran.stderr.contains("hint: with --exec the command runs the migrations itself"), "{}", ran.stderr);
}

#[test]
fn a_run_that_ended_in_time_is_given_the_time_to_die() {
    let rows = "INSERT INTO big SELECT zeroblob(1000000) FROM (VALUES (1), (2));\n".repeat(40);
    let project = Project::new(USERS).migration("1_big.sql", &format!("CREATE TABLE big (b);\n{rows}"));
    let document = project.document(&["--time-limit", "1s", "--faults"]);
    // A slow machine may not do it in time even without deaths.
    if codes(&document) != ["EX610"] {
        let found = faults(&document);
        assert!(codes(&document).is_empty() && found["resumed"] == found["moments"], "{}", document["findings"]);
        assert_eq!((number(&found["states"]["new"]), &found["second_run"]), (1, &Value::from("nothing")), "{found}");
    }
}

#[test]
fn a_copy_of_a_copy_has_room_for_what_the_first_one_holds_and_for_another_run() {
    let rows = |rows| "INSERT INTO big VALUES (zeroblob(1000000));\n".repeat(rows);
    let growth = ["--max-growth", "16M", "--faults"];
    let project = Project::new("CREATE TABLE big (b);").migration("1_big.sql", &rows(20));
    let document = project.document(&growth);
    assert_eq!(codes(&document), [""; 0], "{}", document["findings"]);
    let project = Project::new("CREATE TABLE big (b);").migration("seed.sql", &rows(12));
    let document = project.document(&growth);
    assert_eq!(codes(&document), ["EX603"]);
    let said = document["findings"][0]["message"].as_str().unwrap();
    assert!(said.ends_with("changes 12 rows of `big`"), "{said}");
}

#[test]
fn a_second_run_that_takes_too_much_has_failed() {
    let twice = "INSERT INTO big SELECT zeroblob(1000000) FROM (VALUES (1), (2), (3), (4));
        INSERT INTO big SELECT zeroblob(1000000) FROM big, big b, big c WHERE (SELECT count(*) FROM big) > 4;";
    let project = Project::new("CREATE TABLE big (b);").migration("seed.sql", twice);
    let document = project.document(&["--max-growth", "16M", "--faults"]);
    assert_eq!(codes(&document), ["EX603"], "{}", document["findings"]);
    let said = document["findings"][0]["message"].as_str().unwrap();
    assert!(said.ends_with("fails: the copy would hold more than 16.0 MiB that the snapshot does not"), "{said}");
}

#[test]
fn a_tool_that_refuses_a_second_run_says_what_helps() {
    let sql =
        "CREATE TRIGGER dirty AFTER INSERT ON schema_migrations BEGIN UPDATE schema_migrations SET dirty = 1; END;";
    let project = Project::new(USERS).migration("1_dirty.up.sql", sql).migration("1_dirty.down.sql", "SELECT 1;");
    let main = ["--snapshot", "prod.db", "--migrations", "migrations", "--tool", "golang-migrate"];
    let ran = project.run(&[&main[..], &["--driver", "modernc", "--format", "json", "--faults"]].concat());
    let document: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.stderr));
    let findings = document["findings"].as_array().unwrap();
    let refused = findings.iter().find(|finding| finding["code"] == "EX603").unwrap();
    assert!(refused["message"].as_str().unwrap().starts_with("the tool refuses to run a second time: "), "{refused}");
    let help = refused["help"].to_string();
    assert!(help.contains("force") && !help.contains("OR IGNORE"), "{help}");
}

#[test]
fn what_writes_elsewhere_runs_once() {
    let project = Project::new(USERS).migration("1_backup.sql", "COMMIT;\nVACUUM INTO 'backup.db';\nBEGIN;\n");
    for option in ["--faults", "--matrix", "--down"] {
        let ran = project.rehearse(&["--allow-unsafe-sql", option]);
        assert_eq!(ran.code, Some(2));
        let said = format!("`{option}` and `--allow-unsafe-sql` do not go together");
        assert!(ran.stderr.contains(&said), "{}", ran.stderr);
    }
    let ran = project.run(&["--snapshot", "prod.db", "--migrations", "migrations", "--allow-unsafe-sql"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("of sqlite or rusqlite: say it with --driver"), "{}", ran.stderr);
}

#[test]
fn there_must_be_some_time() {
    let ran = two("delete").rehearse(&["--time-limit", "0s"]);
    ran.refused(2, "error: reading `--time-limit`: in no time nothing can run\nhint: the default is 10m\n");
}

#[test]
fn the_document_has_every_field() {
    let document = two("delete").document(&["--faults"]);
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let found = faults(&document);
    assert_eq!(keys(found), ["differing", "left_out", "moments", "resumed", "second_run", "states"]);
    assert_eq!(keys(&found["states"]), ["between", "new", "old", "partial"]);
}
