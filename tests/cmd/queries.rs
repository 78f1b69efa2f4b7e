//! `--queries`: where it can be said, what is wrong with one, and what is told of many, hostile and unchecked ones.

use std::fmt::Write as _;

use serde_json::Value;

use crate::support::{Project, Ran};

const USERS: &str =
    "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); INSERT INTO users VALUES (1, 'secret'), (2, 'b');";
const MAIN: [&str; 6] = ["--snapshot", "prod.db", "--migrations", "migrations", "--driver", "sqlite"];

/// A project that renames a column, with a file of queries.
fn project(queries: &str) -> Project {
    let project = Project::new(USERS).migration("1.sql", "ALTER TABLE users RENAME COLUMN email TO mail;\n");
    std::fs::write(project.path("app.sql"), queries).unwrap();
    project
}

fn run(project: &Project, more: &[&str]) -> Ran {
    project.run(&[&MAIN[..], more].concat())
}

fn document(project: &Project, more: &[&str]) -> Value {
    serde_json::from_str(&run(project, &[&["--format", "json"], more].concat()).stdout).unwrap()
}

#[test]
fn a_query_that_breaks_makes_the_exit_code_and_a_waiver_takes_it_back() {
    let project = project("-- name: GetUser :one\nSELECT email FROM users WHERE id = ?;\nSELECT id FROM users;\n");
    let ran = run(&project, &["--queries", "app.sql"]);
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert!(ran.stdout.contains("error[QC801]") && ran.stdout.contains("app.sql:2:1"), "{}", ran.stdout);
    assert!(ran.stdout.contains("2 in 1 file; 1 works on both schemas, 1 only on the old one"), "{}", ran.stdout);
    assert_eq!(run(&project, &[]).code, Some(0), "without it nothing is checked");
    let waiver = "queries: [app.sql]\nallow: [{rule: QC801, object: GetUser, because: the app is stopped}]\n";
    std::fs::write(project.path("rehearse.yaml"), waiver).unwrap();
    let ran = run(&project, &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(ran.stdout.contains("waived[QC801]"), "{}", ran.stdout);
}

#[test]
fn a_comment_beside_the_query_allows_what_becomes_of_it() {
    let project = project(
        "SELECT id FROM users;\n-- rehearse: allow QC801 because it goes with the next deploy\nSELECT email FROM users;\n",
    );
    let ran = run(&project, &["--queries", "app.sql"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(ran.stdout.contains("waived[QC801]") && ran.stdout.contains("allowed by app.sql:2"), "{}", ran.stdout);
    std::fs::write(project.path("app.sql"), "-- rehearse: allow QC803 because x\nSELECT id FROM users;\n").unwrap();
    assert!(run(&project, &["--queries", "app.sql"]).stdout.contains("[SN907]"));
    std::fs::write(project.path("app.sql"), "-- rehearse: allow QC899 because x\nSELECT id FROM users;\n").unwrap();
    let refused = run(&project, &["--queries", "app.sql"]);
    assert!(refused.code == Some(2) && refused.stderr.contains("app.sql:1"), "{}", refused.all());
}

/// Which of both drivers it is nobody knows; one enforces foreign keys, and the query breaks with that one only.
#[test]
fn of_several_plausible_drivers_the_one_that_breaks_queries_is_told() {
    let schema = "CREATE TABLE p (id INTEGER PRIMARY KEY, code TEXT); CREATE UNIQUE INDEX p_code ON p (code);
        CREATE TABLE c (id INTEGER PRIMARY KEY, code TEXT REFERENCES p (code));";
    let project = Project::new(schema).migration("1.sql", "DROP INDEX p_code;\nCREATE INDEX p_code ON p (code);\n");
    std::fs::write(project.path("app.sql"), "DELETE FROM p WHERE id = ?;").unwrap();
    let breaks = |more: &[&str]| {
        let ran = project.run(&[&MAIN[..4], &["--queries", "app.sql"], more].concat());
        ran.stdout.contains("[QC801]")
    };
    assert!(
        breaks(&[]) && breaks(&["--driver", "rusqlite"]) && breaks(&["--driver", "sqlite", "--foreign-keys", "on"])
    );
    assert!(!breaks(&["--driver", "sqlite"]));
}

#[test]
fn a_result_that_could_not_be_compared_fails_and_a_query_that_never_worked_warns() {
    let project = project("SELECT nothing FROM users;");
    let ran = run(&project, &["--queries", "app.sql"]);
    assert!(ran.code == Some(0) && ran.stdout.contains("warning[QC807]"), "{}", ran.all());
    for marked in ["SELECT id FROM users WHERE id = ?", "DELETE FROM users"] {
        std::fs::write(project.path("app.sql"), format!("-- rehearse: compare\n{marked};\n")).unwrap();
        let ran = run(&project, &["--queries", "app.sql"]);
        assert!(ran.code == Some(1) && ran.stdout.contains("error[QC807]"), "{}", ran.all());
    }
}

#[test]
fn the_environment_and_the_file_say_it_too() {
    let project = project("SELECT email FROM users;");
    std::fs::create_dir(project.path("more")).unwrap();
    std::fs::write(project.path("more/b.sql"), "SELECT email FROM users;").unwrap();
    let ran = Ran::from(project.command(&MAIN).env("REHEARSE_QUERIES", "app.sql,more").output().unwrap());
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert!(ran.stdout.contains("the query at `app.sql:1` (2 times)"), "{}", ran.stdout);
    std::fs::write(project.path("rehearse.yaml"), "queries: [/etc]\n").unwrap();
    let refused = run(&project, &[]);
    assert_eq!(refused.code, Some(2), "{}", refused.all());
    assert!(refused.stderr.contains("`queries` leads out of the repository"), "{}", refused.stderr);
}

#[test]
fn what_is_wrong_with_a_path_is_said() {
    let project = project("CREATE TABLE t (a);");
    std::fs::write(project.path("bad.json"), "{\"a\": 1}").unwrap();
    std::fs::write(project.path("mark.sql"), "SELECT 1;\n-- rehearse: comare\nSELECT 2;").unwrap();
    for (path, why) in [
        ("nowhere.sql", "reading the queries in `nowhere.sql`: "),
        ("app.sql", "there is no query in it"),
        ("prod.db", "there is no query in it"),
        ("/dev/zero", "it is no regular file"),
        ("bad.json", "it is JSON, and not what `cargo sqlx prepare` writes"),
        ("mark.sql", "reading the directive at `mark.sql:2`: `comare` is no directive of a query"),
    ] {
        let ran = run(&project, &["--queries", path]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{path}");
        assert!(ran.stderr.contains(why), "{path}: {}", ran.stderr);
    }
}

#[test]
fn nothing_is_checked_where_a_migration_fails() {
    let project = project("SELECT email FROM users;").migration("2.sql", "DROP TABLE nowhere;\n");
    let document = document(&project, &["--queries", "app.sql"]);
    assert_eq!(document["verdict"], "failed");
    assert_eq!(document["queries"]["queries"], 1);
    assert_eq!(document["queries"]["works"], Value::Null);
    let ran = run(&project, &["--queries", "app.sql"]);
    assert!(
        ran.stdout.contains("1 in 1 file; not checked, because the migrations did not run to their end"),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_command_is_checked_with_its_queries_too() {
    let project = project("SELECT email FROM users; SELECT id FROM users;");
    let exec = "sqlite3 {db} 'ALTER TABLE users RENAME COLUMN email TO mail'";
    let ran = project.run(&["--snapshot", "prod.db", "--exec", exec, "--queries", "app.sql", "--format", "json"]);
    let document: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.all()));
    assert_eq!(
        (&document["queries"]["works"]["both"], &document["queries"]["works"]["before"]),
        (&1.into(), &1.into())
    );
}

#[test]
fn every_query_of_ten_thousand_is_counted() {
    let mut queries = String::new();
    for number in 0..10_000 {
        let column = if number % 4 == 0 { "email" } else { "id" };
        writeln!(queries, "SELECT {column} FROM users WHERE id = {number};").unwrap();
    }
    let project = project(&queries);
    let document = document(&project, &["--queries", "app.sql"]);
    let works = &document["queries"]["works"];
    assert_eq!((&works["both"], &works["before"], &works["neither"]), (&7_500.into(), &2_500.into(), &0.into()));
    // They differ in a number only.
    let findings = document["findings"].as_array().unwrap();
    assert_eq!(findings.len(), 1, "{findings:?}");
    assert!(findings[0]["message"].as_str().unwrap().contains("(2,500 times)"), "{}", findings[0]["message"]);
}

/// Names that draw, SQL that would run for ever or reach out if it ran, and more of it than SQLite takes.
#[test]
fn hostile_queries_are_compiled_and_never_run() {
    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n WHERE i < 0";
    let deep = format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000));
    let long = format!("SELECT {}1", "1+".repeat(100_000));
    let names: Vec<String> = (1..60).map(|at| format!("n{at} AS (SELECT o.a FROM n{0} AS o, n{0})", at - 1)).collect();
    let doubling = format!("WITH n0 AS (SELECT 1 AS a), {} SELECT a FROM n59", names.join(", "));
    let queries = format!(
        "-- name: \u{1b}[2J\u{202e}evil :one\nSELECT email FROM users;\nDELETE FROM users;\nINSERT INTO users SELECT 9, 'x';\n{endless};\n\
         SELECT load_extension('x.so');\nSELECT writefile('stolen', email) FROM users;\nATTACH 'other.db' AS o;\nVACUUM INTO 'out.db';\n\
         PRAGMA journal_mode = DELETE;\n{deep};\n{long};\n{doubling};\nSELECT 'no end"
    );
    let project = project(&queries);
    let ran = run(&project, &["--queries", "app.sql", "-v"]);
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert!(!ran.all().contains(['\u{1b}', '\u{202e}']), "{:?}", ran.stdout);
    assert!(ran.stdout.contains("evil"), "{}", ran.stdout);
    for file in ["stolen", "other.db", "out.db"] {
        assert!(!project.path(file).exists(), "{file}");
    }
    let document = document(&project, &["--queries", "app.sql"]);
    assert_eq!(document["tables"][0]["rows"]["after"], 2);
    assert_eq!(document["queries"]["left_out"]["pragma"], 1);
    let works = &document["queries"]["works"];
    assert_eq!(document["queries"]["queries"], 10);
    assert_eq!((&works["before"], &works["unknown"]), (&2.into(), &1.into()), "{works}");
}
