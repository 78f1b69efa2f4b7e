//! Drift: what the applied migrations make, what the code expects, and what is in production. The folders in `tests/fixtures/drizzle` were
//! written by drizzle-kit 0.31.11 and 1.0.0-rc.5 of one schema with everything that they can write.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::Project;
use crate::verify::sha256;

const INIT: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); CREATE INDEX by_email ON users (email);";

/// A plain folder of which the first file is applied.
fn project(snapshot: &str) -> Project {
    Project::new(&format!("{snapshot}; PRAGMA user_version = 1")).migration("1_init.sql", INIT)
}

fn plan(project: &Project) -> Value {
    let ran = project.run(&["plan", "--snapshot", "prod.db", "--migrations", "migrations", "--format", "json"]);
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.all()))
}

fn text(project: &Project) -> String {
    let ran = project.run(&["plan", "--snapshot", "prod.db", "--migrations", "migrations"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    ran.stdout
}

/// `kind change table name` of each change.
fn changes(drift: &Value) -> Vec<String> {
    let list = drift["changes"].as_array().unwrap_or_else(|| panic!("{drift}")).iter();
    list.map(|change| ["kind", "change", "table", "name"].map(|field| change[field].as_str().unwrap()).join(" "))
        .collect()
}

#[test]
fn what_no_migration_made_and_what_is_missing_is_named() {
    let same = project(INIT);
    assert_eq!(
        plan(&same)["drift"],
        json!({"applied": 1, "changes": [], "trips": null, "trips_unknown": null, "unknown": null})
    );
    assert!(text(&same).contains("\n  none: 1 applied migration makes this schema\n"), "{}", text(&same));
    let other =
        project("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL, city TEXT); CREATE TABLE notes (a)");
    let drift = &plan(&other)["drift"];
    let expected = [
        "table added notes notes",
        "column added users city",
        "not-null added users email",
        "index removed users by_email",
    ];
    assert_eq!(changes(drift), expected);
    let levels = |project: &Project| -> Vec<(Value, Value)> {
        let document = project.document(&[]);
        let findings = document["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] == "SN916");
        findings.map(|finding| (finding["table"].clone(), finding["level"].clone())).collect()
    };
    // What stands apart is a note, until a pending migration works on it.
    assert_eq!(levels(&other), [(json!("users"), json!("warning")), (json!("notes"), json!("note"))]);
    let other = other.migration("2_notes.sql", "DELETE FROM notes;");
    assert_eq!(levels(&other), [(json!("notes"), json!("warning")), (json!("users"), json!("warning"))]);
    let text = text(&other);
    for line in ["  notes  table           only in the snapshot", "users  index by_email  missing in the snapshot\n"] {
        assert!(text.contains(line), "{text}");
    }
}

#[test]
fn what_no_pragma_tells_of_a_table_counts() {
    let made = "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a UNIQUE ON CONFLICT IGNORE, \
                b REFERENCES p (id) DEFERRABLE INITIALLY DEFERRED, c AS (a) STORED, d NOT NULL ON CONFLICT ABORT); \
                CREATE VIRTUAL TABLE f USING fts5(x, tokenize = 'porter');";
    let differences = |snapshot: &str| {
        let project = Project::new(&format!("{snapshot}; PRAGMA user_version = 1")).migration("1_init.sql", made);
        changes(&plan(&project)["drift"])
    };
    let spelled = "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a unique on conflict ignore, \
                   b REFERENCES p (id) deferrable initially deferred, c generated always as (a) stored, d NOT NULL); \
                   CREATE VIRTUAL TABLE \"f\" using FTS5(x,tokenize='porter')";
    assert_eq!(differences(spelled), [""; 0]);
    let other = "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a UNIQUE ON CONFLICT REPLACE, \
                 b REFERENCES p (id) NOT DEFERRABLE INITIALLY DEFERRED, c AS (a), d NOT NULL); CREATE VIRTUAL TABLE f USING fts5(x)";
    let expected = [
        "table-option removed f using fts5 ( x , tokenize = 'porter' )",
        "table-option added f using fts5 ( x )",
        "foreign-key changed t b",
        "on-conflict changed t UNIQUE (a)",
        "table-option removed t STORED",
    ];
    assert_eq!(differences(other), expected);
    let wider = spelled.replace("FTS5(x,", "FTS5(x,y,");
    assert_eq!(differences(&wider), ["column added f y"], "its columns say it all");
}

#[test]
fn a_pending_migration_that_trips_over_it_is_named() {
    let city = "ALTER TABLE users ADD COLUMN city TEXT;";
    let drifted = project(&format!("{INIT}{city}")).migration("2_city.sql", city);
    let trips = &plan(&drifted)["drift"]["trips"];
    assert_eq!(*trips, json!({"migration": "2_city.sql", "message": "duplicate column name: city"}));
    let document = drifted.document(&[]);
    let finding = document["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "SN916").unwrap();
    let cause =
        "`2_city.sql` fails because of it (duplicate column name: city): on what the applied migrations make it passes";
    assert_eq!((&finding["table"], &finding["cause"]), (&json!("users"), &json!(cause)));
    // One that fails on both schemas has another reason.
    let wrong = project(&format!("{INIT}{city}")).migration("2_city.sql", "ALTER TABLE nowhere ADD COLUMN city TEXT;");
    assert_eq!(plan(&wrong)["drift"]["trips"], Value::Null);
    // Rows that the applied migrations wrote are on neither.
    let roles = "CREATE TABLE roles (id INTEGER PRIMARY KEY); INSERT INTO roles VALUES (1);";
    let drifted = Project::new(&format!("{roles}{INIT}{city}; PRAGMA user_version = 1"))
        .migration("1_init.sql", &format!("{roles}{INIT}"))
        .migration(
            "2_most.sql",
            "CREATE TABLE most (id INTEGER NOT NULL); INSERT INTO most SELECT max(id) FROM roles;",
        );
    let drift = &plan(&drifted)["drift"];
    assert_eq!((changes(drift), &drift["trips"]), (vec!["column added users city".to_owned()], &Value::Null));
}

#[test]
fn that_a_search_for_what_trips_over_it_fails_is_told() {
    let drifted = project(INIT).migration("2_notes.sql", "CREATE TABLE notes (a);");
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = rusqlite::Connection::open_with_flags(drifted.path("prod.db"), flags).unwrap();
    connection.create_collation("german", str::cmp).unwrap();
    connection.execute_batch("CREATE INDEX by_name ON users (email COLLATE german)").unwrap();
    drop(connection);
    let drift = &plan(&drifted)["drift"];
    assert_eq!(changes(drift), ["index added users by_name"]);
    let why = "making the schema without rows: no such collation sequence: german";
    assert_eq!((&drift["trips"], &drift["trips_unknown"]), (&Value::Null, &json!(why)));
    let told = format!("whether a pending migration fails because of it is not known: {why}");
    let text = text(&drifted).split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains(&told), "{text}");
    let document = drifted.document(&[]);
    let finding = document["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "SN916").unwrap();
    assert_eq!(finding["cause"], json!(told));
}

#[test]
fn where_the_tool_refuses_to_run_nothing_is_said_of_what_the_code_will_find() {
    let project = generated("v0", "0.45.4");
    project.database("prod.db", "VACUUM");
    std::fs::remove_file(project.path("drizzle/0000_init.sql")).unwrap();
    let ran = project.run(&["plan", "--snapshot", "prod.db", "--migrations", "drizzle", "--format", "json"]);
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.all()));
    assert_eq!(plan["drift"], Value::Null, "the ledger knows of no migration");
    let refused = "the tool refuses to run: No file drizzle/0000_init.sql found in drizzle folder";
    assert_eq!((&plan["code_drift"]["unknown"], &plan["code_drift"]["changes"]), (&json!(refused), &json!([])));
}

#[test]
fn what_cannot_be_run_again_is_told() {
    let needs_rows = "CREATE TABLE t (a INTEGER NOT NULL); INSERT INTO t SELECT max(rowid) FROM t;";
    let project =
        Project::new("CREATE TABLE t (a INTEGER NOT NULL); PRAGMA user_version = 1").migration("1.sql", needs_rows);
    let drift = &plan(&project)["drift"];
    assert_eq!(drift["unknown"], "`1.sql` fails on an empty database: NOT NULL constraint failed: t.a");
    assert_eq!(changes(drift), [""; 0]);
    assert!(text(&project).contains("not known: `1.sql` fails"), "{}", text(&project));
    let ledger = "CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER NOT NULL, \
                  is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT (datetime('now'))); \
                  INSERT INTO goose_db_version (version_id, is_applied) VALUES (0, 1), (1, 1)";
    let project = Project::new(ledger).migration("00001_b.go", "package migrations");
    let ran = project.run(&["plan", "--snapshot", "prod.db", "--migrations", "migrations", "--tool", "goose"]);
    assert!(ran.stdout.contains("not known: on an empty database: reading `migrations/00001_b.go`"), "{}", ran.all());
    let reaching = "ATTACH 'other.db' AS other; CREATE TABLE other.t (a);";
    let project = Project::new("PRAGMA user_version = 1").migration("1.sql", reaching);
    assert!(plan(&project)["drift"]["unknown"].as_str().unwrap().starts_with("`1.sql` fails on an empty database"));
    let document = project.document(&["--allow-unsafe-sql"]);
    assert_eq!(
        document["plan"]["drift"]["unknown"],
        "with --allow-unsafe-sql nothing is run again: it may reach other files"
    );
    assert!(!project.path("other.db").exists());
}

pub(crate) fn generated(version: &str, orm: &str) -> Project {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/drizzle").join(version);
    let project = Project::empty();
    let mut folders = vec![from.clone()];
    while let Some(folder) = folders.pop() {
        std::fs::create_dir_all(project.path("drizzle").join(folder.strip_prefix(&from).unwrap())).unwrap();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                std::fs::write(
                    project.path("drizzle").join(path.strip_prefix(&from).unwrap()),
                    std::fs::read(&path).unwrap(),
                )
                .unwrap();
            }
        }
    }
    let package = json!({"dependencies": {"drizzle-orm": orm, "better-sqlite3": "12.11.1"}});
    std::fs::write(project.path("package.json"), package.to_string()).unwrap();
    project
}

fn code_drift(project: &Project) -> Value {
    let ran = project.run(&["plan", "--snapshot", "prod.db", "--migrations", "drizzle", "--format", "json"]);
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.all()));
    plan["code_drift"].clone()
}

#[test]
fn what_drizzle_kit_writes_makes_what_its_snapshot_says() {
    for (version, orm, file) in [
        ("v0", "0.45.4", "drizzle/meta/0000_snapshot.json"),
        ("v1", "1.0.0-rc.5", "drizzle/20261126115202_init/snapshot.json"),
    ] {
        let project = generated(version, orm);
        project.database("prod.db", "VACUUM");
        let digest = sha256(&std::fs::read(project.path(file)).unwrap());
        let expected = json!({"file": file, "sha256": digest, "changes": [], "unknown": null});
        assert_eq!(code_drift(&project), expected, "{version}");
    }
}

#[test]
fn what_the_code_will_miss_is_named() {
    for (version, orm) in [("v0", "0.45.4"), ("v1", "1.0.0-rc.5")] {
        let project = generated(version, orm);
        project.database("prod.db", "VACUUM");
        let sql = project.path("drizzle").join(if version == "v0" {
            "0000_init.sql"
        } else {
            "20261126115202_init/migration.sql"
        });
        let text = std::fs::read_to_string(&sql).unwrap();
        let cases = [
            ("\t`amount` numeric,\n", "", "column removed users amount"),
            ("`data` blob", "`data` text", "type changed users data"),
            ("ON DELETE cascade", "ON DELETE no action", "foreign-key changed memberships user_id"),
            ("ON DELETE CASCADE", "ON DELETE NO ACTION", "foreign-key changed memberships user_id"),
            ("`age`) WHERE", "`name`) WHERE", "index changed users users_kind"),
            ("DEFAULT 18", "DEFAULT 19", "default changed users age"),
            ("> 17", "> 16", "check changed users "),
            ("CREATE VIEW `active_users` AS", "CREATE VIEW `others` AS", "view removed active_users active_users"),
            ("PRIMARY KEY(`user_id`, `group_id`)", "PRIMARY KEY(`user_id`)", "primary-key changed memberships "),
            ("`amount` numeric", "`amount` numeric, `must` text NOT NULL", "column added users must"),
            ("`amount` numeric", "`amount` numeric, `may` text NOT NULL DEFAULT ''", ""),
        ];
        for (from, to, expected) in cases.into_iter().filter(|(from, ..)| text.contains(from)) {
            std::fs::write(&sql, text.replacen(from, to, 1)).unwrap();
            let drift = code_drift(&project);
            assert_eq!(drift["unknown"], Value::Null, "{from}");
            let found = changes(&drift);
            let wanted = found.iter().filter(|change| !expected.is_empty() && change.starts_with(expected)).count();
            assert_eq!(
                (wanted, found.len()),
                (usize::from(!expected.is_empty()), wanted),
                "{version} {from} {found:?}"
            );
        }
    }
}

#[test]
fn several_newest_snapshots_and_broken_ones_are_told_or_left_out() {
    let project = generated("v1", "1.0.0-rc.5");
    project.database("prod.db", "VACUUM");
    let branch = project.path("drizzle/20270101000000_branch");
    std::fs::create_dir(&branch).unwrap();
    std::fs::write(branch.join("migration.sql"), "SELECT 1;").unwrap();
    std::fs::write(branch.join("snapshot.json"), r#"{"version": "7", "id": "x", "prevIds": [], "ddl": []}"#).unwrap();
    assert_eq!(code_drift(&project), Value::Null);
    std::fs::write(
        branch.join("snapshot.json"),
        r#"{"version": "9", "id": "x", "prevIds": ["40a44e87-3d0f-43a3-9da9-a9010535d8be"]}"#,
    )
    .unwrap();
    let why = "reading `drizzle/20270101000000_branch/snapshot.json`: its version is 9; 5, 6 and 7 are known";
    assert_eq!(code_drift(&project)["unknown"], why);
    let hostile = r#"{"version": "7", "id": "x", "prevIds": ["40a44e87-3d0f-43a3-9da9-a9010535d8be"], "ddl": [
        {"entityType": "tables", "name": "t"},
        {"entityType": "columns", "table": "t", "name": "a", "type": "text); ATTACH 'out.db' AS o; CREATE TABLE o.t (a text"}]}"#;
    std::fs::write(branch.join("snapshot.json"), hostile).unwrap();
    assert!(code_drift(&project)["unknown"].is_string());
    assert!(!project.path("out.db").exists());
}
