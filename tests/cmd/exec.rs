//! `--exec` with commands that are none of a migration tool: how they find the copy, and what becomes of what they start.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::support::{Project, Ran};

const USERS: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
    CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) ON DELETE CASCADE, title TEXT);
    INSERT INTO users VALUES (1, 'a'), (2, 'b');
    INSERT INTO posts VALUES (1, 1, 'x'), (2, 2, 'y');";

fn project() -> Project {
    let project = Project::empty();
    project.database("prod.db", USERS);
    project
}

/// A program in Python that is given the path of the database.
fn python(project: &Project, program: &str) {
    std::fs::write(project.path("migrate.py"), format!("import os, sqlite3, sys\n{program}\n")).unwrap();
}

fn run(project: &Project, exec: &str, more: &[&str]) -> Ran {
    project.run(&[&["--snapshot", "prod.db", "--exec", exec], more].concat())
}

fn document(project: &Project, exec: &str) -> Value {
    let ran = run(project, exec, &["--format", "json"]);
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.all()))
}

fn codes(document: &Value) -> Vec<&str> {
    document["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

/// Processes whose command line holds this word.
fn running(word: &str) -> bool {
    let listed = Command::new("ps").args(["-eo", "args"]).output().unwrap();
    String::from_utf8_lossy(&listed.stdout).lines().any(|line| line.contains(word))
}

fn wait_until_gone(word: &str) {
    let started = Instant::now();
    while running(word) {
        assert!(started.elapsed() < Duration::from_secs(10), "{word} still runs");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_command_that_is_not_there_rehearses_nothing() {
    let ran = run(&project(), "no-such-tool migrate", &[]);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    assert!(ran.stderr.contains("it ended with exit code 127"), "{}", ran.stderr);
    assert!(ran.stderr.contains("it ran in a copy of the project"), "{}", ran.stderr);
}

#[test]
fn a_command_that_uses_another_database_is_told_how_to_find_the_copy() {
    let project = project();
    project.database("other.db", "CREATE TABLE t (x)");
    let ran = run(&project, "cat other.db >/dev/null", &[]);
    assert_eq!(ran.code, Some(4), "{}", ran.all());
    for hint in ["DATABASE_URL", "{db_url}", "--copy-at"] {
        assert!(ran.stderr.contains(hint), "{hint}: {}", ran.stderr);
    }
}

#[test]
fn every_common_variable_and_every_placeholder_leads_to_the_copy() {
    for name in [
        "\"$DATABASE_PATH\"",
        "\"$DATABASE_FILE\"",
        "\"$DB_PATH\"",
        "\"$SQLITE_PATH\"",
        "\"${DATABASE_URL#file:}\"",
        "{db}",
        "{db_dir}/prod.db",
    ] {
        let project = project();
        python(&project, "sqlite3.connect(sys.argv[1]).executescript('DELETE FROM posts')");
        let document = document(&project, &format!("python3 migrate.py {name}"));
        assert_eq!(document["execution"]["command"]["traced"], true, "{name}");
        assert_eq!(codes(&document), ["LS107"], "{name}");
    }
}

#[test]
fn the_copy_lies_where_the_configuration_has_the_database() {
    let project = project();
    python(&project, "sqlite3.connect('data/app.db').executescript('DELETE FROM posts')");
    let ran = run(&project, "python3 migrate.py", &["--copy-at", "data/app.db"]);
    assert!(ran.stdout.contains("LS107"), "{}", ran.all());
    let outside = run(&project, "python3 migrate.py", &["--copy-at", "../app.db"]);
    assert_eq!(outside.code, Some(2), "{}", outside.all());
}

#[test]
fn what_a_command_writes_beside_the_database_stays_in_the_copy_of_the_project() {
    let project = project();
    // That nothing of it is left is seen by `run`.
    let ran =
        run(&project, "cat {db} >/dev/null; echo dumped >schema.sql; rm prod.db-none 2>/dev/null; mkdir cache", &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
}

#[test]
fn values_that_sqlite_makes_anew_do_not_hide_the_cause() {
    let project = project();
    python(
        &project,
        "c = sqlite3.connect(os.environ['DB_PATH'], isolation_level=None)\n\
         c.execute('PRAGMA foreign_keys = ON')\n\
         c.execute('CREATE TABLE marks (id INTEGER PRIMARY KEY, mark BLOB, made TEXT DEFAULT CURRENT_TIMESTAMP)')\n\
         c.execute('INSERT INTO marks (mark) VALUES (randomblob(16))')\n\
         c.execute('DELETE FROM users WHERE id = 1')",
    );
    let document = document(&project, "python3 migrate.py");
    assert_eq!(document["execution"]["command"]["traced"], true);
    let why = document["plan"]["decisions"].to_string();
    assert!(why.contains("values that SQLite makes anew each time"), "{why}");
    assert!(codes(&document).contains(&"LS102"), "{:?}", codes(&document));
}

#[test]
fn a_command_whose_rows_depend_on_chance_has_no_known_cause() {
    let project = project();
    python(
        &project,
        "c = sqlite3.connect(os.environ['DB_PATH'], isolation_level=None)\n\
         c.execute('CREATE TABLE drawn (id INTEGER PRIMARY KEY)')\n\
         c.execute('INSERT INTO drawn VALUES (random())')",
    );
    let document = document(&project, "python3 migrate.py");
    assert_eq!(document["execution"]["command"]["traced"], false);
}

#[test]
fn the_statement_that_ended_a_command_is_named() {
    let project = project();
    python(
        &project,
        "c = sqlite3.connect(os.environ['DB_PATH'], isolation_level=None)\n\
         c.execute('CREATE TABLE half (id INTEGER PRIMARY KEY)')\n\
         c.execute('INSERT INTO users VALUES (1, NULL)')",
    );
    let document = document(&project, "python3 migrate.py");
    let finding = &document["findings"][0];
    assert_eq!(finding["code"], "EX602");
    assert_eq!(finding["statement"], "INSERT INTO users VALUES (1, NULL)");
    assert_eq!(finding["message"], "the command fails: UNIQUE constraint failed: users.id");
    assert!(codes(&document).contains(&"TX506"), "{:?}", codes(&document));
}

#[test]
fn after_the_time_limit_nothing_of_it_survives() {
    let ran = run(&project(), "cat {db} >/dev/null; sleep 1000.125 & sleep 1000.125", &["--time-limit", "1s"]);
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    assert!(ran.stdout.contains("EX610"), "{}", ran.all());
    wait_until_gone("sleep 1000.125");
}

#[test]
fn a_time_limit_may_be_longer_than_any_clock_runs() {
    let ran = run(&project(), "cat {db} >/dev/null", &["--time-limit", "213503982334601d"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
}

#[test]
fn what_it_leaves_running_ends_with_it() {
    let ran = run(&project(), "cat {db} >/dev/null; sleep 1000.25 &", &[]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    wait_until_gone("sleep 1000.25");
}

#[test]
fn an_interrupted_rehearsal_ends_the_command_and_leaves_nothing() {
    let project = project();
    let pipe = project.path("started");
    let exec = format!("cat {{db}} >/dev/null; echo >{}; sleep 1000.5 & sleep 1000.5", pipe.display());
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let mut command = project.command(&["--snapshot", "prod.db", "--exec", &exec]);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(std::fs::File::open(&pipe).unwrap()).read_line(&mut line).unwrap();
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(130), "{}", ran.all());
    wait_until_gone("sleep 1000.5");
    project.assert_nothing_left();
}

#[test]
fn ids_are_set_again_after_what_the_tool_does_and_not_between_its_statements() {
    let project = Project::empty();
    project.database(
        "prod.db",
        "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT);
         INSERT INTO users VALUES (1, 'a'), (9, 'b');
         DELETE FROM users WHERE id = 9;",
    );
    python(
        &project,
        "c = sqlite3.connect(os.environ['DB_PATH'], isolation_level=None)\n\
         c.execute('CREATE TABLE _temporary7 (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT)')\n\
         c.execute('INSERT INTO _temporary7 SELECT * FROM users')\n\
         c.execute('DROP TABLE users')\n\
         c.execute('ALTER TABLE _temporary7 RENAME TO users')",
    );
    let document = document(&project, "python3 migrate.py");
    let findings = document["findings"].as_array().unwrap();
    let set_back = findings.iter().find(|finding| finding["code"] == "VL212").unwrap();
    let help = set_back["help"].to_string();
    assert!(help.contains("UPDATE sqlite_sequence SET seq = max(seq, 9) WHERE name = 'users';"), "{help}");
    assert!(!help.contains("_temporary7"), "{help}");
}

#[test]
fn packages_of_every_folder_above_are_found() {
    let project = Project::empty();
    let app = project.path("packages/app");
    for (folder, text) in [
        ("node_modules/far", "far"),
        ("node_modules/both", "far"),
        ("node_modules/@scope/far", "far"),
        ("packages/node_modules/both", "near"),
        ("packages/node_modules/@scope/near", "near"),
        ("packages/app", "{}"),
    ] {
        let name = if folder.ends_with("app") { "package.json" } else { "index.js" };
        std::fs::create_dir_all(project.path(folder)).unwrap();
        std::fs::write(project.path(folder).join(name), text).unwrap();
    }
    project.database("packages/app/prod.db", USERS);
    let read = "cd ../node_modules; cat far/index.js both/index.js @scope/far/index.js @scope/near/index.js {db} >/dev/null && \
                cat both/index.js";
    let mut command = project.command(&["--snapshot", "prod.db", "--exec", read]);
    let ran = Ran::from(command.current_dir(app).output().unwrap());
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(ran.stdout.contains("    near\n"), "{}", ran.stdout);
}

/// A command must never get at what a link of the project leads to in the place of the copy.
#[test]
fn the_copy_is_not_put_behind_a_link() {
    let project = project();
    let outside = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path(), project.path("data")).unwrap();
    for place in ["data/app.db", "data/deeper/app.db"] {
        let ran = run(&project, "cat {db}", &["--copy-at", place]);
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        assert!(ran.stderr.contains("it lies behind a link"), "{}", ran.stderr);
    }
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
}
