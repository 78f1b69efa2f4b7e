//! No value of a row reaches anything that is printed or written, unless it is asked for: a database with a canary in every column of
//! every kind, statements that make SQLite quote what they choke on, every format, and every way in which a run can end.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot make its project has failed")]

#[path = "privacy/canaries.rs"]
mod canaries;
#[path = "cmd/support.rs"]
mod support;

use std::fmt::Write as _;
use std::process::{Command, Stdio};

use canaries::{Canaries, number, real, word};
use rehearse::report::Format;
use rehearse::report::fleet::Fleet;
use serde_json::Value;
use support::{Project, Ran};

/// Formats that are made for others to read: rows are not in them even where they are asked for.
const PUBLIC: [&str; 6] = ["markdown", "junit", "sarif", "github", "gitlab", "dotenv"];

/// What the canaries stand in. `$1` … is a word, `#1` … a number of 13 digits and `%1` … one with a fraction.
const SNAPSHOT: &str = r#"
    CREATE TABLE people (
        id INTEGER PRIMARY KEY, email TEXT, phone INTEGER, score REAL, secret BLOB, profile TEXT, torn TEXT, story TEXT, path TEXT, question TEXT,
        shown TEXT AS (email || '!') STORED, loud TEXT AS (upper(email)) VIRTUAL, note TEXT CHECK (note <> 'forbidden')
    );
    CREATE INDEX people_lower ON people (lower(email));
    CREATE TABLE orders (id INTEGER PRIMARY KEY, person INTEGER REFERENCES people (id) ON DELETE CASCADE, label TEXT);
    CREATE TABLE keyed (code TEXT, number INTEGER, what TEXT, PRIMARY KEY (code, number)) WITHOUT ROWID;
    CREATE TABLE typed (a ANY, b TEXT) STRICT;
    CREATE TABLE loose (a, b);
    CREATE TABLE computed (path TEXT, tag TEXT);
    CREATE VIRTUAL TABLE texts USING fts5(title, body);
    CREATE VIRTUAL TABLE old_texts USING fts4(title);
    CREATE VIRTUAL TABLE outside USING fts5(label, content = 'orders', content_rowid = 'id');
    CREATE VIRTUAL TABLE boxes USING rtree(id, low, high);
    CREATE VIEW everybody AS SELECT email, phone FROM people;
    INSERT INTO people (id, email, phone, score, secret, profile, torn, story, path, question, note) VALUES
        (#1, '$1', #2, %1, CAST('$2' AS BLOB), '{"name": "$3", "é<&>": [#3]}', '$4' || char(0) || '$5',
         replace(hex(zeroblob(2000)), '00', '$6 '), '$7[', '$9:x"', 'free'),
        (#4, '$1', #5, %2, x'00', NULL, NULL, '', '$7[', '$9:x"', NULL);
    INSERT INTO orders VALUES (#6, #1, '$10'), (#7, #4, '$10');
    INSERT INTO keyed VALUES ('$11', #8, '$12'), ('$13', #8, '$12');
    INSERT INTO typed VALUES ('$14', '$15'), (#9, '$15');
    INSERT INTO loose VALUES ('$16', #10), ('$16', '$17'), (-#10, x'00');
    INSERT INTO computed VALUES ('$18[', '$19');
    ALTER TABLE computed ADD found AS (json_extract('{}', path)) VIRTUAL;
    INSERT INTO texts VALUES ('$20', '$20 $21');
    INSERT INTO old_texts VALUES ('$22');
    INSERT INTO outside (outside) VALUES ('rebuild');
    INSERT INTO boxes VALUES (1, 5, 9);
"#;

/// Migrations that succeed, lose, convert and fail, also in the ways in which SQLite quotes what it chokes on.
const MIGRATIONS: &[(&str, &str)] = &[
    ("nothing", "SELECT 1;"),
    (
        "everything gone",
        "DELETE FROM orders; DROP TABLE people; DROP TABLE keyed; DROP TABLE texts; DELETE FROM typed;",
    ),
    (
        "lossy conversions",
        "UPDATE people SET profile = CAST(torn AS INTEGER), score = CAST(score AS TEXT), phone = 'a' || phone, story = substr(story, 2); UPDATE loose SET a = b;",
    ),
    (
        "a column",
        "ALTER TABLE people DROP COLUMN torn; ALTER TABLE people RENAME COLUMN story TO tale; UPDATE people SET note = email;",
    ),
    (
        "a rebuild",
        "CREATE TABLE n (code TEXT PRIMARY KEY, number TEXT, what INTEGER) WITHOUT ROWID; INSERT OR IGNORE INTO n SELECT 'one', number, what FROM keyed; DROP TABLE keyed; ALTER TABLE n RENAME TO keyed;",
    ),
    ("a cascade", "PRAGMA foreign_keys = ON; DELETE FROM people;"),
    (
        "literals",
        "INSERT INTO people (id, email, secret, note) VALUES (#1, '$1', x'0011', '$3'); DELETE FROM people WHERE email = '$1' OR phone = #2;",
    ),
    (
        "literals that lose",
        "DELETE FROM orders WHERE label IN ('$10') OR label LIKE '$10%' OR person = #1; UPDATE loose SET a = '$17', b = #10; UPDATE people SET score = %1, note = 'one' /* '$1' */;",
    ),
    ("a literal that fails", "INSERT INTO orders (id) VALUES ('$10');"),
    ("a unique index", "CREATE UNIQUE INDEX people_email ON people (email);"),
    ("a unique expression", "CREATE UNIQUE INDEX people_twice ON people (email || 'x');"),
    ("a unique constraint", "CREATE TABLE n (email TEXT UNIQUE); INSERT INTO n SELECT email FROM people;"),
    ("a primary key", "UPDATE keyed SET code = '$11';"),
    ("a rowid", "UPDATE people SET id = (SELECT min(id) FROM people);"),
    ("a check", "UPDATE people SET note = 'forbidden';"),
    ("a check that is added", "ALTER TABLE people ADD extra TEXT CHECK (email <> email);"),
    ("not null", "CREATE TABLE n (note TEXT NOT NULL); INSERT INTO n SELECT note FROM people;"),
    ("a foreign key", "PRAGMA foreign_keys = ON; INSERT INTO orders VALUES (9, #2, 'a');"),
    ("a strict table", "CREATE TABLE n (email INTEGER) STRICT; INSERT INTO n SELECT email FROM people;"),
    ("text as a rowid", "CREATE TABLE n (id INTEGER PRIMARY KEY); INSERT INTO n SELECT email FROM people;"),
    (
        "a text as an integer",
        "CREATE TABLE n AS SELECT abs(email), -phone, phone / 0, phone * phone FROM people; CREATE TABLE m AS SELECT abs(-9223372036854775807 - 1) FROM people;",
    ),
    ("a sum that overflows", "CREATE TABLE n AS SELECT sum(9223372036854775807 + 0 * phone) FROM people;"),
    ("malformed JSON", "CREATE TABLE n AS SELECT json(email) FROM people;"),
    ("a name in ATTACH", "ATTACH (SELECT email FROM people LIMIT 1) || '/nowhere' AS other;"),
    (
        "a database in ATTACH",
        "ATTACH ':memory:' AS (SELECT email FROM people LIMIT 1); ATTACH ':memory:' AS (SELECT email FROM people LIMIT 1);",
    ),
    ("a URI in ATTACH", "ATTACH 'file:x?mode=' || (SELECT email FROM people LIMIT 1) AS other;"),
    ("a file system in ATTACH", "ATTACH 'file:x?vfs=' || (SELECT email FROM people LIMIT 1) AS other;"),
    ("a host in ATTACH", "ATTACH 'file://' || (SELECT email FROM people LIMIT 1) || '/x' AS other;"),
    ("a cache in ATTACH", "ATTACH 'file:x?cache=' || (SELECT email FROM people LIMIT 1) AS other;"),
    ("DETACH", "DETACH (SELECT email FROM people LIMIT 1);"),
    ("VACUUM INTO", "VACUUM INTO (SELECT email || '/nowhere' FROM people LIMIT 1);"),
    ("an extension", "SELECT load_extension(email) FROM people;"),
    ("a pragma", "PRAGMA encoding = '$1';"),
    ("columns of a table", "CREATE TABLE n AS SELECT t.name FROM people, pragma_table_info(email) AS t;"),
    (
        "a date",
        "CREATE TABLE n AS SELECT datetime(email), strftime(email, 'now'), julianday(phone, email) FROM people;",
    ),
    ("a format", "CREATE TABLE n AS SELECT printf(email, phone), format('%s %d', email) FROM people;"),
    ("a blob too big", "CREATE TABLE n AS SELECT zeroblob(phone * 1000000) FROM people;"),
    ("an escape", "CREATE TABLE n AS SELECT * FROM people WHERE email LIKE 'a' ESCAPE email;"),
    (
        "a pattern",
        "CREATE TABLE n AS SELECT 'a' LIKE replace(story, ' ', '%_') || replace(hex(zeroblob(50000)), '0', email) FROM people;",
    ),
    ("a regular expression", "CREATE TABLE n AS SELECT email REGEXP email FROM people;"),
    ("a match", "CREATE TABLE n AS SELECT email MATCH email FROM people;"),
    ("unicode", "CREATE TABLE n AS SELECT unistr('\\' || email) FROM people;"),
    ("a window", "CREATE TABLE n AS SELECT ntile(email) OVER () FROM people;"),
    ("a frame", "CREATE TABLE n AS SELECT sum(phone) OVER (ROWS (SELECT email FROM people) PRECEDING) FROM people;"),
    ("a percentile", "CREATE TABLE n AS SELECT percentile(email, phone) FROM people;"),
    ("a limit", "DELETE FROM people WHERE id IN (SELECT id FROM people LIMIT (SELECT email FROM people));"),
    ("a full-text query", "DELETE FROM texts WHERE texts MATCH (SELECT email || '\"' FROM people);"),
    ("a command", "INSERT INTO texts (texts) SELECT email FROM people;"),
    ("a command with a value", "INSERT INTO texts (texts, rank) SELECT 'pgsz', email FROM people;"),
    ("an old command", "INSERT INTO old_texts (old_texts) SELECT email FROM people;"),
    ("a box", "INSERT INTO boxes SELECT phone, 9, 5 FROM people;"),
    ("a box of text", "INSERT INTO boxes SELECT 1, email, email FROM people;"),
    (
        "a text in the schema",
        "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = (SELECT email FROM people) WHERE name = 'loose'; PRAGMA writable_schema = RESET; SELECT * FROM loose;",
    ),
    ("a savepoint", "SAVEPOINT a; UPDATE people SET email = phone; ROLLBACK TO b;"),
    ("a view that breaks", "ALTER TABLE people RENAME TO persons; DROP TABLE persons; SELECT * FROM everybody;"),
    (
        "a trigger on a table that is gone",
        "CREATE TRIGGER r AFTER DELETE ON orders BEGIN INSERT INTO gone VALUES (old.label); END; DELETE FROM orders;",
    ),
];

/// Statements that fail in the ways in which SQLite quotes a value or a literal, and what is told of that.
const QUOTED: &[(&str, &str, &str)] = &[
    ("a string that does not end", "UPDATE people SET email = '$1", "unrecognized token: \"'…\""),
    ("a token", "UPDATE people SET email = '$1' '$2';", "near a literal: syntax error"),
    ("a number that is a token", "UPDATE people SET phone = 5 #2;", "near a literal: syntax error"),
    (
        "RAISE with a value",
        "CREATE TRIGGER r BEFORE UPDATE ON people BEGIN SELECT RAISE(ABORT, 'of ' || old.email); END; UPDATE people SET score = 0;",
        "a trigger refuses it (its text is not shown, because it may hold values of rows)",
    ),
    (
        "RAISE with a number",
        "CREATE TRIGGER r AFTER DELETE ON orders BEGIN SELECT RAISE(FAIL, old.id); END; DELETE FROM orders;",
        "a trigger refuses it (its text is not shown, because it may hold values of rows)",
    ),
    (
        "RAISE with a formatted value",
        "CREATE TRIGGER r AFTER DELETE ON orders BEGIN SELECT RAISE(ROLLBACK, printf('%s', old.label)); END; DELETE FROM orders;",
        "a trigger refuses it (its text is not shown, because it may hold values of rows)",
    ),
    ("a path in JSON", "CREATE TABLE n AS SELECT json_extract('{}', path) FROM people;", "bad JSON path"),
    ("a path behind an arrow", "CREATE TABLE n AS SELECT '{}' -> ('$' || email) FROM people;", "bad JSON path"),
    ("a path that is set", "UPDATE people SET profile = json_set('{}', path, 1);", "bad JSON path"),
    (
        "a path of json_each",
        "CREATE TABLE n AS SELECT each.key FROM people, json_each('{}', people.path) AS each;",
        "bad JSON path",
    ),
    (
        "a place in an array",
        "UPDATE people SET profile = json_array_insert('{}', '$.' || email, 1);",
        "not an array element",
    ),
    ("a generated column", "UPDATE computed SET tag = found;", "bad JSON path"),
    ("an index of a generated column", "CREATE INDEX computed_found ON computed (found);", "bad JSON path"),
    ("a pragma of a database", "PRAGMA '$1'.user_version;", "unknown database"),
    (
        "a check of a table",
        "CREATE TABLE n AS SELECT t.* FROM people, pragma_integrity_check(email) AS t;",
        "no such table",
    ),
    (
        "foreign keys of a table",
        "CREATE TABLE n AS SELECT t.* FROM people, pragma_foreign_key_check(email) AS t;",
        "no such table",
    ),
    (
        "columns of a database",
        "CREATE TABLE n AS SELECT t.* FROM people, pragma_table_info('people', email) AS t;",
        "unknown database",
    ),
    (
        "a token of a query",
        "DELETE FROM texts WHERE texts MATCH (SELECT '\"a\" + ' || email || '^' FROM people);",
        "fts5: syntax error near",
    ),
    ("a column of a query", "DELETE FROM texts WHERE texts MATCH (SELECT question FROM people);", "no such column"),
    (
        "a column with a space",
        "DELETE FROM texts WHERE texts MATCH (SELECT email || ' : x' FROM people);",
        "no such column",
    ),
    (
        "a distance",
        "DELETE FROM texts WHERE texts MATCH (SELECT 'NEAR(a b, ' || email || ')' FROM people);",
        "expected integer, got",
    ),
    (
        "a special query",
        "CREATE TABLE n AS SELECT t.title FROM texts AS t WHERE t.texts MATCH (SELECT '*' || email FROM people);",
        "unknown special query",
    ),
    (
        "a rank",
        "CREATE TABLE n AS SELECT title FROM texts WHERE texts MATCH 'a' AND rank MATCH (SELECT email FROM people);",
        "parse error in rank function",
    ),
    (
        "a rank's function",
        "CREATE TABLE n AS SELECT title FROM texts WHERE texts MATCH 'a' AND rank MATCH (SELECT email || '(1)' FROM people) ORDER BY rank;",
        "no such function",
    ),
    (
        "a rank that is set",
        "INSERT INTO texts (texts, rank) SELECT 'rank', email || '()' FROM people; CREATE TABLE n AS SELECT title FROM texts WHERE texts MATCH 'a' ORDER BY rank;",
        "no such function",
    ),
    (
        "an old full-text query",
        "DELETE FROM old_texts WHERE old_texts MATCH (SELECT '\"' || email || ' NEAR/' FROM people);",
        "malformed MATCH expression",
    ),
    (
        "an old query in parentheses",
        "DELETE FROM old_texts WHERE old_texts MATCH (SELECT '(' || email FROM people);",
        "malformed MATCH expression",
    ),
    (
        "what an old query matched",
        "CREATE TABLE n AS SELECT matchinfo(old_texts, (SELECT email FROM people)) FROM old_texts WHERE old_texts MATCH '$22';",
        "unrecognized matchinfo request",
    ),
    ("a tokenizer", "CREATE TABLE n AS SELECT fts3_tokenizer(email) FROM people;", "unknown tokenizer"),
    (
        "a row that is not outside",
        "DELETE FROM orders; CREATE TABLE n AS SELECT label FROM outside WHERE outside MATCH '$10';",
        "fts5: missing row … from content table 'main'.'orders'",
    ),
    (
        "foreign keys of a table with a known end",
        "CREATE TABLE n AS SELECT t.* FROM people, pragma_foreign_key_check(email || '.a') AS t;",
        "no such table",
    ),
    (
        "foreign keys of a table that looks like a hint",
        "CREATE TABLE n AS SELECT t.* FROM people, pragma_foreign_key_check('a\" - ' || email) AS t;",
        "no such table",
    ),
    (
        "foreign keys of a part of a known name",
        "CREATE TABLE n AS SELECT t.* FROM people, pragma_foreign_key_check(substr(email, 1, 0) || 'peopl') AS t;",
        "no such table",
    ),
    (
        "a column of a query with a known end",
        "DELETE FROM texts WHERE texts MATCH (SELECT '\"' || email || '.title\" : x' FROM people);",
        "no such column",
    ),
    (
        "the format of an index",
        "UPDATE texts_config SET v = (SELECT id % 1000000 FROM people) WHERE k = 'version'; SELECT * FROM texts;",
        "invalid fts5 file format (found …, expected 4 or 5) - run 'rebuild'",
    ),
    ("a name that is known", "UPDATE people SET score = people.\"no such\";", "no such column: people.no such"),
];

/// Demands of every kind, none of which is met.
const DEMANDS: &str = r"
allow: [{rule: LS104, table: people, at_most: 1, because: old}, {rule: VL203, until: 2020-01-01, because: old}]
expect:
  tables: {people: {rows: 7, columns: {email: {changed: 9, values: 9}}}, orders: {lost: 9}}
  queries:
    - {name: a, sql: SELECT * FROM people, is: [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]]}
    - {name: b, sql: SELECT max(email) FROM people, is: 5}
    - {name: c, sql: SELECT max(phone) FROM people, is: {at_least: 5, at_most: 9}}
    - {name: d, sql: 'SELECT json_extract(''{}'', path) FROM people', same: true}
    - {name: e, sql: SELECT label FROM orders, same: true}
    - {sql: 'SELECT count(*) FROM people WHERE email = ''$1'' AND phone = #2', is: 5}
    - {name: f, sql: SELECT secret FROM people WHERE email MATCH note, same: true}
    - {name: g, sql: SELECT found FROM computed, is: 5}
";

fn project(encoding: &str, migration: &str) -> Project {
    let snapshot = format!("PRAGMA encoding = '{encoding}'; {}", filled(SNAPSHOT));
    Project::new(&snapshot).migration("1.sql", &filled(migration))
}

/// The text with its canaries in it.
fn filled(text: &str) -> String {
    let mut filled = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(['$', '#', '%']) {
        let digits = rest[at + 1..].bytes().take_while(u8::is_ascii_digit).count();
        filled.push_str(&rest[..at]);
        let (sign, behind) = rest[at..].split_at(1);
        match (sign, behind[..digits].parse()) {
            ("$", Ok(which)) => filled.push_str(&word(which)),
            ("#", Ok(which)) => write!(filled, "{}", number(which)).unwrap(),
            ("%", Ok(which)) => filled.push_str(&real(which)),
            _ => filled.push_str(&rest[at..=at + digits]),
        }
        rest = &behind[digits..];
    }
    filled + rest
}

/// Rehearses with a report file of every format beside what is printed; what is printed, and the files.
fn rehearse(project: &Project, more: &[&str]) -> (Ran, String) {
    let files: Vec<String> = Format::ALL.iter().map(|format| format!("report.{}", format.name())).collect();
    let mut arguments: Vec<String> = more.iter().map(|&one| one.to_owned()).collect();
    for (format, file) in Format::ALL.iter().zip(&files) {
        arguments.extend(["--report".to_owned(), format!("{}={file}", format.name())]);
    }
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let names: Vec<&str> = files.iter().map(String::as_str).collect();
    let ran = project.run_making(&arguments, &names);
    let mut written = String::new();
    for file in &files {
        written += &std::fs::read_to_string(project.path(file)).unwrap_or_default();
        let _ = std::fs::remove_file(project.path(file));
    }
    (ran, written)
}

const ENCODINGS: [&str; 3] = ["UTF-8", "UTF-16le", "UTF-16be"];
const MAIN: [&str; 6] = ["--snapshot", "prod.db", "--migrations", "migrations", "--driver", "sqlite"];

#[test]
fn no_statement_makes_any_report_tell_a_value() {
    let canaries = Canaries::all();
    let mut leaks = Vec::new();
    for (index, (what, migration)) in MIGRATIONS.iter().enumerate() {
        let project = project(ENCODINGS[index % 3], migration);
        let keys = ["on", "off"][index % 2];
        let (ran, written) = rehearse(&project, &[&MAIN[..], &["-v", "--foreign-keys", keys]].concat());
        assert!(matches!(ran.code, Some(0 | 1 | 3)), "{what}: {:?} {}", ran.code, ran.stderr);
        assert!(written.len() > 10_000, "{what}: there are reports");
        leaks.extend(canaries.lines_of(&(ran.all() + &written)).into_iter().map(|line| format!("{what}: {line}")));
    }
    assert!(leaks.is_empty(), "{}", leaks.join("\n"));
}

#[test]
fn many_databases_tell_a_value_of_none() {
    let canaries = Canaries::all();
    let files: Vec<String> = Fleet::FORMATS.iter().map(|format| format!("report.{}", format.name())).collect();
    let reports = Fleet::FORMATS.iter().zip(&files).map(|(format, file)| format!("--report={}={file}", format.name()));
    let reports: Vec<String> = reports.collect();
    let quoted = QUOTED.iter().map(|(what, migration, _)| (*what, *migration));
    for (what, migration) in MIGRATIONS.iter().copied().chain(quoted).step_by(3) {
        let project = project("UTF-8", migration);
        project.database("same.db", &filled(SNAPSHOT));
        std::fs::write(project.path("broken.db"), filled("$1 #1 $2")).unwrap();
        let given = ["--snapshot", "*.db", "--migrations", "migrations", "--driver", "sqlite", "-v"];
        let reports = reports.iter().map(String::as_str);
        let ran = project.run_making(
            &given.into_iter().chain(reports).collect::<Vec<_>>(),
            &files.iter().map(String::as_str).collect::<Vec<_>>(),
        );
        assert_eq!(ran.code, Some(4), "{what}: {}", ran.stderr);
        let mut told = ran.all();
        for file in &files {
            told += &std::fs::read_to_string(project.path(file)).unwrap();
        }
        assert!(told.len() > 10_000, "{what}: there are reports");
        assert_eq!(canaries.lines_of(&told), Vec::<String>::new(), "{what}");
    }
}

#[test]
fn what_sqlite_quotes_in_an_error_is_left_out() {
    let canaries = Canaries::all();
    let mut wrong = Vec::new();
    for (index, (what, migration, told)) in QUOTED.iter().enumerate() {
        let project = project(ENCODINGS[index % 3], migration);
        let (ran, written) = rehearse(&project, &[&MAIN[..], &["--format", "json"]].concat());
        assert_eq!(ran.code, Some(3), "{what}: {}", ran.stderr);
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        let message = document["execution"]["error"]["message"].as_str().unwrap();
        if message != *told {
            wrong.push(format!("{what}: {message}"));
        }
        wrong.extend(canaries.lines_of(&(ran.all() + &written)).into_iter().map(|line| format!("{what}: {line}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const LOSSES: &str =
    "DROP VIEW everybody; CREATE TABLE people_new (id INTEGER PRIMARY KEY, email TEXT, phone TEXT, score INTEGER, note TEXT);
    INSERT INTO people_new SELECT id, substr(email, 2), phone, CAST(score AS INTEGER), '$1' FROM people WHERE id <> #4;
    DROP TABLE people; ALTER TABLE people_new RENAME TO people; DELETE FROM orders; UPDATE loose SET a = b;
    DELETE FROM keyed WHERE code = '$11';";

#[test]
fn no_option_and_no_other_command_tells_a_value() {
    let canaries = Canaries::all();
    for (migration, code) in [(LOSSES, 1), ("CREATE UNIQUE INDEX people_email ON people (email);", 3)] {
        let project = project("UTF-8", migration);
        std::fs::write(project.path("migrations/1.down.sql"), filled("UPDATE people SET email = '$2';")).unwrap();
        std::fs::write(project.path("rehearse.yaml"), filled(DEMANDS)).unwrap();
        let mut told = String::new();
        for more in
            [&["-q"][..], &["-v", "--matrix"], &["--down"], &["-v", "--live"], &["--thorough", "--samples", "none"]]
        {
            let driver = if more.contains(&"--matrix") { &MAIN[..4] } else { &MAIN[..] };
            let (ran, written) = rehearse(&project, &[driver, more].concat());
            assert_eq!(ran.code, Some(code), "{more:?}: {}{}", ran.stdout, ran.stderr);
            told += &(ran.all() + &written);
        }
        assert!(code == 3 || told.contains("[EP951]") && told.contains("[EP952]"), "{told}");
        for format in Format::ALL {
            told += &project.run(&[&MAIN[..], &["--format", format.name()]].concat()).all();
        }
        project.run_making(&[&MAIN[..], &["--keep-copy", "after.db"]].concat(), &["after.db"]);
        let has_copy = project.path("after.db").exists();
        for arguments in [
            &["plan", "--snapshot", "prod.db", "--migrations", "migrations"][..],
            &["doctor", "--snapshot", "prod.db", "--migrations", "migrations"],
            &["profile", "prod.db"],
            &["diff", "prod.db", "after.db"],
            &["diff", "after.db", "prod.db"],
        ] {
            for more in [&["-v"][..], &["-q"], &["--format", "json"]] {
                if has_copy || !arguments.contains(&"after.db") {
                    let ran = project.run(&[arguments, more].concat());
                    assert!(matches!(ran.code, Some(0 | 1 | 4)), "{arguments:?}: {}", ran.stderr);
                    told += &ran.all();
                }
            }
        }
        assert_eq!(canaries.lines_of(&told), Vec::<&str>::new());
    }
}

/// Queries of the app in a log, which has the values in it, and files in which they fail in every way.
const QUERIES: &str = r#"
SELECT email FROM people WHERE email = '$1' AND phone = #2 AND secret = x'0011';
SELECT torn, '$3', #3 FROM people WHERE torn = '$4';
INSERT INTO orders VALUES (#6, #1, '$10');
INSERT INTO orders (label) VALUES ('$10');
SELECT * FROM orders WHERE label = '$10';
SELECT 'x' '$5', #5 #2;
SELECT json_extract('{}', '$7[') FROM people;
SELECT label FROM "nowhere" WHERE label = '$10';
SELECT unknown('$8', label) FROM orders;
SELECT x'$9';
SELECT label FROM orders WHERE label = '$10
"#;
const MARKED: &str = r"
-- rehearse: compare
SELECT label, '$10' FROM orders WHERE label LIKE '$10%' OR label = #6;
-- rehearse: compare
SELECT json_extract('{}', path) FROM people;
-- rehearse: compare
SELECT abs(-9223372036854775807 - id / id) FROM people;
";

#[test]
fn no_query_of_the_app_makes_any_report_tell_a_value() {
    let canaries = Canaries::all();
    let migration = "ALTER TABLE people DROP COLUMN torn; ALTER TABLE orders ADD extra TEXT NOT NULL DEFAULT 'free'; DELETE FROM orders;";
    let project = project("UTF-8", migration);
    std::fs::write(project.path("app.log"), filled(QUERIES)).unwrap();
    std::fs::write(project.path("marked.sql"), filled(MARKED)).unwrap();
    for detail in ["-v", "-q"] {
        let (ran, written) =
            rehearse(&project, &[&MAIN[..], &["--queries", "app.log", "--queries", "marked.sql", detail]].concat());
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        for code in ["QC801", "QC804", "QC805", "QC806", "QC807"] {
            assert!(ran.stdout.contains(code), "{code}: {}", ran.stdout);
        }
        assert_eq!(canaries.lines_of(&(ran.all() + &written)), Vec::<&str>::new());
    }
}

/// The search finds what is there: rows that were asked for.
#[test]
fn what_is_asked_for_is_shown_and_only_where_it_may_be() {
    let canaries = Canaries::all();
    let project = project("UTF-8", LOSSES);
    for samples in ["keys", "values"] {
        let files: Vec<String> = Format::ALL.iter().map(|format| format!("report.{}", format.name())).collect();
        for (format, file) in Format::ALL.iter().zip(&files) {
            let report = format!("{}={file}", format.name());
            let ran = project.run_making(&[&MAIN[..], &["--samples", samples, "--report", &report]].concat(), &[file]);
            assert_eq!(ran.code, Some(1), "{}", ran.stderr);
            assert!(!canaries.lines_of(&ran.stdout).is_empty(), "{}", ran.stdout);
            let written = std::fs::read_to_string(project.path(file)).unwrap();
            let is_shown = !canaries.lines_of(&written).is_empty();
            assert_eq!(is_shown, !PUBLIC.contains(&format.name()), "{} with {samples}: {written}", format.name());
            std::fs::remove_file(project.path(file)).unwrap();
        }
    }
}

/// What cannot be rehearsed is told without what is in it.
#[test]
fn what_is_no_snapshot_is_told_by_its_place() {
    let canaries = Canaries::all();
    let project = project("UTF-8", LOSSES);
    let insert = |values: &str| {
        filled(&format!("CREATE TABLE t (a UNIQUE, b INTEGER CHECK (b > 0));\nINSERT INTO t VALUES {values};\n"))
    };
    for dump in [
        insert("('$1', 'O'$2')"),
        insert("('$1' '$2', #1)"),
        insert("('$1', $2)"),
        insert("('$1', 1), ('$1', 2)"),
        insert("('$1', -#1)"),
        insert("(#1, 5 #2)"),
        insert("(json_extract('{}', '$1'), 1)"),
        insert("(x'$1', 1)"),
        insert("('$1', 1) -- '$2'\n; $3"),
        filled("CREATE TABLE t (a);\n$1 $2 #1;\n"),
        filled("CREATE TABLE t (a);\nINSERT INTO t VALUES ('$1\n$2"),
        filled(
            "CREATE TABLE t (a);\nCREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT RAISE(ABORT, 'of ' || new.a); END;\nINSERT INTO t VALUES ('$1');\n",
        ),
    ] {
        std::fs::write(project.path("prod.sql"), &dump).unwrap();
        let (ran, written) = rehearse(
            &project,
            &["--snapshot", "prod.sql", "--migrations", "migrations", "--tool", "sql", "--driver", "sqlite"],
        );
        assert_eq!((ran.code, written.as_str()), (Some(4), ""), "{dump}: {}", ran.all());
        assert!(ran.stderr.contains("line "), "{}", ran.stderr);
        assert_eq!(canaries.lines_of(&ran.all()), Vec::<&str>::new(), "{dump}");
    }
    let whole = std::fs::read(project.path("prod.db")).unwrap();
    let pages = whole.len() / 4096;
    for page in 1..pages {
        let mut damaged = whole.clone();
        damaged[page * 4096..page * 4096 + 64].fill(0xa5);
        std::fs::write(project.path("damaged.db"), damaged).unwrap();
        let main = ["--snapshot", "damaged.db", "--migrations", "migrations", "--driver", "sqlite", "-v"];
        let (ran, written) = rehearse(&project, &main);
        assert!(matches!(ran.code, Some(0..=4)), "page {page}: {}", ran.all());
        assert_eq!(canaries.lines_of(&(ran.all() + &written)), Vec::<&str>::new(), "page {page}");
    }
}

/// What another program says is its own. Of a command that gives the snapshot it is told where it fails; of one that runs the migrations
/// it is in the reports that are not made for others.
#[test]
fn what_another_program_says_is_in_no_public_report() {
    let canaries = Canaries::all();
    let project = project("UTF-8", "");
    let fails = filled("echo '$1' >&2; exit 5");
    let (ran, written) = rehearse(&project, &["--snapshot-command", &fails, "--migrations", "migrations"]);
    assert_eq!((ran.code, written.as_str()), (Some(4), ""), "{}", ran.all());
    assert!(canaries.is_in(&ran.stderr) && ran.stdout.is_empty(), "{}", ran.stderr);

    let opens = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('DELETE FROM orders').connection.commit()";
    std::fs::write(project.path("tool"), format!("python3 -c \"{opens}\" $1; echo {}; exit 1", word(1))).unwrap();
    for format in Format::ALL {
        let file = format!("report.{}", format.name());
        let report = format!("{}={file}", format.name());
        let ran =
            project.run_making(&["--snapshot", "prod.db", "--exec", "sh tool {db}", "--report", &report], &[&file]);
        assert_eq!(ran.code, Some(3), "{}", ran.all());
        let written = std::fs::read_to_string(project.path(&file)).unwrap();
        let is_shown = !canaries.lines_of(&written).is_empty();
        assert_eq!(is_shown, !PUBLIC.contains(&format.name()), "{}: {written}", format.name());
        std::fs::remove_file(project.path(&file)).unwrap();
    }
}

/// The statements of a command are traced with the values in them that were bound.
#[test]
fn what_a_command_bound_is_not_told() {
    let canaries = Canaries::all();
    let project = project("UTF-8", "");
    project.database("prod.db", "DROP TABLE computed; DROP TABLE outside");
    let program = "
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
email, phone, secret = database.execute('SELECT email, phone, secret FROM people WHERE length(secret) > 1').fetchone()
database.execute('UPDATE orders SET label = ?', (email,))
database.execute('UPDATE loose SET a = ?, b = ?', (phone, secret))
for bound in [(email,), (secret,)]:
    try:
        database.execute('INSERT INTO orders (id) VALUES (?)', bound)
    except sqlite3.Error:
        pass
database.execute('DELETE FROM typed WHERE a = ?', (email,))
database.execute('DELETE FROM loose WHERE a = ?', (phone,))
sys.exit(int(sys.argv[2]))
";
    std::fs::write(project.path("tool.py"), program).unwrap();
    for (code, wanted) in [(0, 0), (1, 3)] {
        let command = format!("python3 tool.py {{db}} {code}");
        let (ran, written) = rehearse(&project, &["--snapshot", "prod.db", "-v", "--exec", &command]);
        assert_eq!(ran.code, Some(wanted), "{}", ran.all());
        assert!(written.contains("UPDATE orders SET label = '…'"), "it is traced: {}", ran.stdout);
        assert_eq!(code == 1, ran.stdout.contains("the last statement that failed is"), "{}", ran.stdout);
        assert_eq!(canaries.lines_of(&(ran.all() + &written)), Vec::<&str>::new());
    }
}

/// The ledgers of tools have columns for what went wrong, which quote what a database said.
#[test]
fn a_ledger_is_told_by_its_names_only() {
    let canaries = Canaries::all();
    let project = Project::new(PRISMA);
    project.database("prod.db", &filled(
        "INSERT INTO _prisma_migrations VALUES ('$1', '$2', NULL, '1_init', 'UNIQUE constraint failed: $3', NULL, #1, 0);
        CREATE TABLE t (a); INSERT INTO t VALUES ('$4');",
    ));
    std::fs::create_dir(project.path("migrations/1_init")).unwrap();
    std::fs::write(project.path("migrations/1_init/migration.sql"), "DELETE FROM t;").unwrap();
    let main = ["--snapshot", "prod.db", "--migrations", "migrations", "--tool", "prisma"];
    let (ran, written) = rehearse(&project, &main);
    assert!(ran.all().contains("1_init"), "{}", ran.all());
    assert_eq!(canaries.lines_of(&(ran.all() + &written)), Vec::<&str>::new());
    let plan = project.run(&[&["plan"][..], &main].concat());
    assert_eq!(canaries.lines_of(&plan.all()), Vec::<&str>::new());
}

/// A table that is named for the ledger and is none would be told row by row, and what happens to it would not be told at all.
#[test]
fn a_table_that_is_no_ledger_is_not_taken_for_one() {
    let canaries = Canaries::all();
    for tool in ["d1", "drizzle", "sqlx", "refinery", "goose", "dbmate", "golang-migrate", "sql-migrate", "geni"] {
        for (table, columns) in [
            ("people", "id TEXT, name TEXT"),
            ("users", "id INTEGER PRIMARY KEY, name TEXT, email TEXT"),
            ("files", "id INTEGER PRIMARY KEY, hash TEXT, created_at TEXT, owner TEXT"),
            ("Releases", "version INTEGER, description TEXT, success, checksum, name TEXT"),
        ] {
            let project = Project::new(&filled(&format!("CREATE TABLE \"{table}\" ({columns});")))
                .migration("1_a.sql", &format!("DELETE FROM \"{table}\";"));
            let count = u32::try_from(columns.split(',').count()).unwrap();
            let values =
                (1..=count).map(|which| if which == 1 { "1".to_owned() } else { format!("'{}'", word(which)) });
            let values = values.collect::<Vec<_>>().join(", ");
            project.database("prod.db", &format!("INSERT INTO \"{table}\" VALUES ({values})"));
            let config = format!("tool: {tool}\nledger_table: {}\n", table.to_lowercase());
            std::fs::write(project.path("rehearse.yaml"), config).unwrap();
            for command in [&["plan"][..], &[]] {
                let main = ["--snapshot", "prod.db", "--migrations", "migrations", "--format", "json"];
                let ran = project.run(&[command, &main].concat());
                assert_eq!(ran.code, Some(2), "{tool} {table}: {}", ran.all());
                let said = format!("`{}` has other columns than a ledger of {tool}", table.to_lowercase());
                assert!(
                    ran.stderr.contains(&said) && ran.stderr.contains("name a table with the columns "),
                    "{}",
                    ran.stderr
                );
                assert_eq!(canaries.lines_of(&ran.all()), Vec::<&str>::new(), "{tool} {table}");
            }
        }
    }
}

#[test]
fn a_ledger_with_a_name_of_its_own_is_one() {
    for (tool, ledger, row, file) in [
        ("d1", "id INTEGER PRIMARY KEY, name TEXT, applied_at", "1, '1_a.sql', ''", "1_a.sql"),
        ("sql-migrate", "id TEXT, applied_at", "'1_a.sql', ''", "1_a.sql"),
        ("dbmate", "version TEXT", "'1'", "1_a.sql"),
        ("goose", "id INTEGER PRIMARY KEY, version_id, is_applied, tstamp", "1, 1, 1, ''", "1_a.sql"),
        ("golang-migrate", "version, dirty", "1, 0", "1_a.up.sql"),
        ("geni", "id TEXT", "'1'", "1_a.up.sql"),
    ] {
        let project = Project::new(&format!("CREATE TABLE mine ({ledger}); INSERT INTO mine VALUES ({row});"));
        let project = project.migration(file, "-- +goose Up\n-- +migrate Up\n-- migrate:up\nSELECT 1;\n");
        let main = ["plan", "--snapshot", "prod.db", "--migrations", "migrations", "--tool", tool, "--format", "json"];
        let ran = project.run(&[&main[..], &["--ledger-table", "MINE"]].concat());
        assert_eq!(ran.code, Some(0), "{tool}: {}", ran.all());
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(document["applied"].as_array().map(Vec::len), Some(1), "{tool}: {}", ran.stdout);
    }
}

/// A function that runs its argument as SQL.
#[test]
fn what_diesel_makes_a_trigger_of_is_not_told() {
    let canaries = Canaries::all();
    let snapshot = filled(
        "CREATE TABLE people (email TEXT, code TEXT, updated_at); INSERT INTO people VALUES ('$1', 'people AFTER DELETE ON people BEGIN SELECT 1; END; CREATE TABLE $2 (a); --', 1);",
    );
    for (argument, code) in [("email", 3), ("code", 3), ("'people'", 0), ("'People'", 0), ("'$3'", 3), ("x'ff'", 3)] {
        let project = Project::new(&snapshot);
        std::fs::create_dir(project.path("migrations/1_a")).unwrap();
        let up = filled(&format!("SELECT diesel_manage_updated_at({argument}) FROM people;"));
        std::fs::write(project.path("migrations/1_a/up.sql"), up).unwrap();
        let main = ["--snapshot", "prod.db", "--migrations", "migrations", "--tool", "diesel", "-v"];
        let (ran, written) = rehearse(&project, &main);
        assert_eq!(ran.code, Some(code), "{argument}: {}", ran.all());
        assert_eq!(canaries.lines_of(&(ran.all() + &written)), Vec::<&str>::new(), "{argument}");
    }
}

/// What a migration writes into the ledger is in what the tool says when it runs again.
#[test]
fn what_is_written_into_the_ledger_is_not_told_of_a_second_run() {
    let canaries = Canaries::all();
    let (file, up, folder) = ("migrations/1_a.sql", "migrations/1_a.up.sql", "migrations/1_a/migration.sql");
    let trigger = "CREATE TRIGGER r AFTER INSERT ON schema_migrations BEGIN UPDATE schema_migrations SET version =";
    for (tool, file, migration) in [
        ("golang-migrate", up, format!("{trigger} (SELECT phone FROM people), dirty = 1; END;")),
        ("golang-migrate", up, format!("{trigger} (SELECT -phone FROM people), dirty = 1; END;")),
        ("golang-migrate", up, format!("{trigger} (SELECT phone FROM people), dirty = 0; END;")),
        ("sqlx", file, "INSERT INTO _sqlx_migrations SELECT phone, email, 1, 1, email, 1 FROM people;".to_owned()),
        ("sqlx", file, "INSERT INTO _sqlx_migrations SELECT phone, email, 1, 0, email, 1 FROM people;".to_owned()),
        (
            "refinery",
            "migrations/V1__a.sql",
            "INSERT INTO refinery_schema_history SELECT phone % 1000000000, email, '', '1' FROM people;".to_owned(),
        ),
        (
            "refinery",
            "migrations/V1__a.sql",
            "CREATE TRIGGER r AFTER INSERT ON refinery_schema_history BEGIN UPDATE refinery_schema_history SET name = (SELECT email FROM people); END;".to_owned(),
        ),
        ("refinery", "migrations/V1__a.sql", "INSERT INTO refinery_schema_history SELECT phone, email, '', '1' FROM people;".to_owned()),
        (
            "sql-migrate",
            file,
            "-- +migrate Up\nINSERT INTO gorp_migrations SELECT email, '' FROM people;".to_owned(),
        ),
        (
            "sql-migrate",
            file,
            "-- +migrate Up\nINSERT INTO gorp_migrations SELECT phone || '00000000000000', '' FROM people;".to_owned(),
        ),
        (
            "goose",
            file,
            "-- +goose Up\n-- +goose StatementBegin\nCREATE TRIGGER r AFTER INSERT ON goose_db_version BEGIN UPDATE goose_db_version SET version_id = (SELECT phone FROM people) WHERE version_id = 1; END;\n-- +goose StatementEnd".to_owned(),
        ),
        (
            "prisma",
            folder,
            "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at) SELECT 'x', 'x', email, phone FROM people;".to_owned(),
        ),
        (
            "prisma",
            folder,
            "INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at) SELECT 'x', 'x', '1_a', email FROM people;".to_owned(),
        ),
    ] {
        let project = Project::new(&filled("CREATE TABLE people (email TEXT, phone INTEGER); INSERT INTO people VALUES ('$1', #1);"));
        if tool == "prisma" {
            std::fs::create_dir(project.path("migrations/1_a")).unwrap();
            project.database("prod.db", PRISMA);
        }
        std::fs::write(project.path(file), &migration).unwrap();
        let main = ["--snapshot", "prod.db", "--migrations", "migrations", "--tool", tool, "--faults", "-v"];
        let (ran, written) = rehearse(&project, &main);
        assert!(ran.all().contains("EX60"), "{tool} {migration}: {}", ran.all());
        assert_eq!(canaries.lines_of(&(ran.all() + &written)), Vec::<&str>::new(), "{tool} {migration}");
    }
}

/// What the tool says of its own files and of its own entries is told in its words.
#[test]
fn what_a_tool_says_of_a_second_run_is_told() {
    for (tool, file, migration, told) in [
        (
            "golang-migrate",
            "migrations/0012_a.up.sql",
            "CREATE TRIGGER r AFTER INSERT ON schema_migrations BEGIN UPDATE schema_migrations SET dirty = 1; END;",
            "Dirty database version 12",
        ),
        (
            "prisma",
            "migrations/20240101_a/migration.sql",
            "CREATE TRIGGER r AFTER UPDATE OF finished_at ON _prisma_migrations BEGIN UPDATE _prisma_migrations SET finished_at = NULL; END;",
            "P3009: migrate found failed migrations",
        ),
    ] {
        let project = Project::new("CREATE TABLE t (a);");
        std::fs::create_dir_all(project.path(file).parent().unwrap()).unwrap();
        if tool == "prisma" {
            project.database("prod.db", PRISMA);
        }
        std::fs::write(project.path(file), migration).unwrap();
        let main = ["--snapshot", "prod.db", "--migrations", "migrations", "--tool", tool, "--faults"];
        let ran = project.run(&[&main[..], &["--format", "json"]].concat());
        assert!(ran.stdout.contains(told), "{tool}: {}", ran.all());
    }
}

const PRISMA: &str = "CREATE TABLE _prisma_migrations (
    id VARCHAR(36) PRIMARY KEY NOT NULL, checksum VARCHAR(64) NOT NULL, finished_at DATETIME, migration_name VARCHAR(255) NOT NULL,
    logs TEXT, rolled_back_at DATETIME, started_at DATETIME NOT NULL DEFAULT current_timestamp, applied_steps_count INTEGER UNSIGNED NOT NULL DEFAULT 0
);";

#[test]
fn an_interrupted_run_tells_nothing() {
    let endless = filled(
        "UPDATE people SET email = '$1' || email; CREATE TABLE n AS WITH RECURSIVE n (i) AS (SELECT #1 UNION ALL SELECT i + 1 FROM n) SELECT max(i), '$2' FROM n;",
    );
    let project = project("UTF-8", &endless);
    let mut command = project.command(&[&MAIN[..], &["-v", "--report", "json=report.json"]].concat());
    let child = command.env("RUST_BACKTRACE", "1").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    while std::fs::read_dir(project.temporary()).unwrap().next().is_none() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(130), "{}", ran.all());
    assert_eq!(Canaries::all().lines_of(&ran.all()), Vec::<&str>::new());
    assert!(std::fs::read_to_string(project.path("report.json")).unwrap_or_default().is_empty());
    project.assert_nothing_left();
}
