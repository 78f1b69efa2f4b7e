//! No value of a row and no literal of a migration reaches anything that is printed or written.

use super::support::Project;

/// One canary per storage class and column: nothing else in the project is spelled so.
const ROWS: &str = "
    CREATE TABLE people (
        id INTEGER PRIMARY KEY, email TEXT, phone INTEGER, score REAL, secret BLOB, note TEXT,
        CHECK (note <> 'forbidden')
    );
    CREATE TABLE orders (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people (id) ON DELETE CASCADE, label TEXT);
    INSERT INTO people VALUES
        (739100017, 'canary-email', 739100027, 7391.00037, x'63616e6172792d626c6f62', 'canary-note'),
        (739100018, 'canary-email', 739100028, 7391.00038, x'63616e6172792d626c6f62', NULL);
    INSERT INTO orders VALUES (739100047, 739100017, 'canary-label'), (739100048, 739100018, 'canary-label');";

/// How the canaries would look, in decimal, in hexadecimal and in Base64.
const CANARIES: [&str; 7] = ["canary", "7391000", "7391.000", "7,391,000", "739,100", "63616e617279", "Y2FuYXJ5"];

/// Migrations that succeed, lose, convert and fail in the ways in which SQLite would quote a value or a literal.
const MIGRATIONS: &[(&str, &str)] = &[
    ("a unique index", "CREATE UNIQUE INDEX people_email ON people (email);"),
    ("a unique constraint", "CREATE TABLE n (email TEXT UNIQUE); INSERT INTO n SELECT email FROM people;"),
    ("a primary key", "UPDATE people SET id = (SELECT min(id) FROM people);"),
    ("a check", "UPDATE people SET note = 'forbidden' WHERE email = 'canary-email';"),
    ("not null", "CREATE TABLE n (note TEXT NOT NULL); INSERT INTO n SELECT note FROM people;"),
    ("a strict table", "CREATE TABLE n (email INTEGER) STRICT; INSERT INTO n SELECT email FROM people;"),
    ("a rowid", "CREATE TABLE n (id INTEGER PRIMARY KEY); INSERT INTO n SELECT email FROM people;"),
    ("literals", "INSERT INTO people VALUES (9, 'canary-new', 9, 9.5, x'63616e617279', 'canary');"),
    ("a foreign key", "PRAGMA foreign_keys = ON; INSERT INTO orders VALUES (9, 9, 'canary');"),
    ("a literal in an error", "INSERT INTO people (id) VALUES ('canary-id');"),
    (
        "lossy conversions",
        "UPDATE people SET email = CAST(email AS INTEGER), score = CAST(score AS TEXT), phone = 'canary' || phone;",
    ),
    ("a constant", "UPDATE people SET email = 'canary-constant', note = 'canary-constant';"),
    ("a cascade", "PRAGMA foreign_keys = ON; DELETE FROM people WHERE email = 'canary-email';"),
    ("everything gone", "DELETE FROM orders WHERE label = 'canary-label'; DROP TABLE people;"),
    ("a limit", "DELETE FROM orders WHERE label IN ('canary-label') OR label LIKE 'canary%';"),
];

/// Failures whose text SQLite makes of values and literals. A RAISE with a literal is not among them: its text is the schema's.
const QUOTED_IN_ERRORS: &[(&str, &str)] = &[
    (
        "RAISE with a value",
        "CREATE TRIGGER r BEFORE UPDATE ON people BEGIN SELECT RAISE(ABORT, 'of ' || old.email); END; UPDATE people SET score = 0;",
    ),
    ("a path in JSON", "CREATE TABLE n AS SELECT json_extract('{}', email) FROM people;"),
    ("an attached file", "ATTACH (SELECT email FROM people LIMIT 1) || '/nowhere/canary' AS other;"),
    (
        "a full-text query",
        "CREATE VIRTUAL TABLE f USING fts5(a); DELETE FROM f WHERE f MATCH (SELECT 'x\"' || email FROM people);",
    ),
    ("a string that does not end", "UPDATE people SET email = 'canary-token"),
    ("a token in an error", "UPDATE people SET email = 'canary' 'canary-token';"),
];

#[test]
fn nothing_of_a_row_and_no_literal_is_told() {
    told_nothing(MIGRATIONS);
}

#[test]
fn nothing_that_sqlite_quotes_in_an_error_is_told() {
    told_nothing(QUOTED_IN_ERRORS);
}

#[track_caller]
fn told_nothing(migrations: &[(&str, &str)]) {
    let mut leaks = Vec::new();
    for (what, migration) in migrations {
        let project = Project::new(ROWS).migration("1.sql", migration);
        let before = std::fs::read(project.path("prod.db")).unwrap();
        for foreign_keys in ["on", "off"] {
            for more in [&[][..], &["-v"], &["-q"], &["--format", "json"]] {
                let ran = project.rehearse(&[&["--foreign-keys", foreign_keys], more].concat());
                assert!(matches!(ran.code, Some(0 | 1 | 3)), "{what}: {:?} {}", ran.code, ran.stderr);
                let all = ran.all();
                if let Some(line) = all.lines().find(|line| CANARIES.iter().any(|canary| line.contains(canary))) {
                    leaks.push(format!("{what} {more:?}: {line}"));
                }
            }
        }
        assert_eq!(std::fs::read(project.path("prod.db")).unwrap(), before);
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

/// Names with everything that acts on a terminal, in a CI log, or on a reader.
const NAMES: [&str; 7] = [
    "\u{1b}[2Jposts",
    "a\n::error::forged",
    "::error::forged",
    "x\r\nerror[LS999] forged",
    "\u{202e}stsop\u{2069}",
    "a\u{9b}31m\u{7}",
    "##[error]forged",
];

#[test]
fn hostile_names_are_harmless() {
    for name in NAMES {
        let quoted = format!("\"{name}\"");
        let snapshot =
            format!("CREATE TABLE {quoted} ({quoted} TEXT, b TEXT); INSERT INTO {quoted} VALUES ('v', 'w');");
        let migrations = [
            format!("DELETE FROM {quoted};"),
            format!("UPDATE {quoted} SET {quoted} = NULL; DROP TABLE {quoted};"),
            format!("ALTER TABLE {quoted} DROP COLUMN {quoted};"),
            format!("CREATE UNIQUE INDEX i ON {quoted} ({quoted}); INSERT INTO {quoted} SELECT * FROM {quoted};"),
            format!("INSERT INTO {quoted} (\"nowhere{name}\") VALUES (1);"),
        ];
        for migration in migrations {
            let file = format!("1{}.sql", name.replace('/', ""));
            let project = Project::new(&snapshot).migration(&file, &migration);
            let plan = project.run(&["plan", "--snapshot", "prod.db", "--migrations", "migrations"]);
            assert_harmless(&plan.all(), false);
            for more in [&[][..], &["-v"], &["-q"], &["--format", "json"]] {
                let ran = project.rehearse(more);
                assert!(matches!(ran.code, Some(0 | 1 | 3)), "{name:?}: {:?} {}", ran.code, ran.stderr);
                assert_harmless(&ran.all(), more.contains(&"json"));
            }
        }
    }
}

#[test]
fn hostile_arguments_are_harmless() {
    let project = Project::new("CREATE TABLE t (a);").migration("1.sql", "SELECT 1;");
    for name in NAMES {
        for arguments in [
            ["--snapshot", name, "--migrations", "migrations"],
            ["--snapshot", "prod.db", "--migrations", name],
            ["--snapshot", "prod.db", "--tool", name],
            ["--snapshot", "prod.db", "--driver", name],
            ["--snapshot", "prod.db", "--format", name],
            ["--snapshot", "prod.db", "--report", &format!("{name}=x")],
            ["--snapshot", "prod.db", "--keep-copy", &format!("nowhere/{name}")],
        ] {
            let ran = project.run(&arguments);
            assert!(matches!(ran.code, Some(2 | 4)), "{arguments:?}");
            assert_harmless(&ran.all(), false);
        }
        let ran = project.run(&["explain", name]);
        assert_harmless(&ran.all(), false);
    }
}

#[track_caller]
fn assert_harmless(text: &str, is_json: bool) {
    let acts = |sign: char| (sign.is_control() && sign != '\n') || "\u{202e}\u{2069}\u{9b}".contains(sign);
    assert!(!text.contains(acts), "{text:?}");
    let is_command =
        |line: &str| line.trim_start().starts_with("::") || line.contains("##[") || line.starts_with("error[LS999]");
    assert!(is_json || !text.lines().any(is_command), "{text}");
}
