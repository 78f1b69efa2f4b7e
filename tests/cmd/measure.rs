//! `--measure`, `--live` and `--disk-free`: what migrations take, as the report has it.

use serde_json::Value;

use crate::support::Project;

const USERS: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
    INSERT INTO users SELECT i, 'user' || i || '@example.com' FROM n;";

/// A rebuild of the one table.
const REBUILD: &str = "CREATE TABLE new_users (id INTEGER PRIMARY KEY, email TEXT NOT NULL);
    INSERT INTO new_users SELECT id, email FROM users;
    DROP TABLE users;
    ALTER TABLE new_users RENAME TO users;";

fn rebuild(mode: &str) -> Project {
    Project::new(&format!("PRAGMA journal_mode = {mode}; {USERS}")).migration("1_rebuild.sql", REBUILD)
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

#[test]
fn what_is_needed_and_locked_is_counted_in_every_rehearsal() {
    for mode in ["delete", "wal"] {
        let document = rebuild(mode).document(&[]);
        let (resources, usage) = (&document["resources"], &document["resources"]["usage"]);
        let [needed, peak, log] = ["needed_bytes", "peak_bytes", "log_peak_bytes"].map(|name| number(&usage[name]));
        assert_eq!(needed, peak - number(&resources["bytes_before"]), "{mode}");
        assert!(log > 0 && needed >= log, "{mode}: {usage}");
        assert_eq!(usage["at_most"], false, "{mode}");
        assert_eq!(usage["readers"].is_null(), mode == "wal", "{mode}: {usage}");
        assert!(usage["write_lock"]["longest_ms"].as_f64().unwrap() > 0.0, "{mode}");
        assert!(resources["measured"].is_null() && resources["machine"]["system"].is_string());
    }
}

/// SQLite drops the pages of a DELETE without WHERE without looking at them, unless somebody watches its rows.
#[test]
fn what_a_delete_of_all_rows_writes_is_counted_without_watching_them() {
    let project = Project::new(USERS).migration("1.sql", "DELETE FROM users;");
    let document = project.document(&[]);
    let (resources, usage) = (&document["resources"], &document["resources"]["usage"]);
    assert_eq!((&usage["at_most"], &resources["rows_written"]), (&false.into(), &3000.into()));
    assert!(number(&usage["log_peak_bytes"]) * 4 < number(&resources["bytes_before"]), "{usage}");
    let some = Project::new(USERS).migration("1.sql", "DELETE FROM users WHERE id > 0;").document(&[]);
    assert!(number(&some["resources"]["usage"]["log_peak_bytes"]) > number(&some["resources"]["bytes_before"]) / 2);
}

#[test]
fn on_the_disk_each_statement_is_timed_with_the_settings_of_the_driver() {
    for (mode, synchronous) in [("delete", "FULL"), ("wal", "FULL")] {
        let project = rebuild(mode);
        let plain = project.document(&[]);
        let document = project.document(&["--measure"]);
        let measured = &document["resources"]["measured"];
        assert_eq!((&measured["outcome"], &measured["error"]), (&"completed".into(), &Value::Null), "{mode}");
        assert_eq!((&measured["synchronous"], &measured["journal_mode"]), (&synchronous.into(), &mode.into()));
        assert_eq!((&measured["cache_size"], &measured["busy_timeout_ms"]), (&(-2000).into(), &0.into()));
        assert!(measured["elapsed_ms"].as_f64().unwrap() > 0.0 && measured["live"].is_null(), "{mode}");
        for step in document["execution"]["steps"].as_array().unwrap() {
            assert!(step["measured_ms"].as_f64().unwrap() >= 0.0, "{mode}: {step}");
        }
        // What was counted and found does not hang on it.
        let sizes = |document: &Value| {
            ["needed_bytes", "bytes_written", "temporary_peak_bytes"]
                .map(|name| document["resources"]["usage"][name].clone())
        };
        assert_eq!(sizes(&document), sizes(&plain), "{mode}");
        assert_eq!(document["findings"], plain["findings"], "{mode}");
        assert_eq!(document["tables"], plain["tables"], "{mode}");
        project.assert_nothing_left();
    }
}

#[test]
fn an_app_beside_the_migrations_is_told_of() {
    let project = rebuild("wal");
    let document = project.document(&["--live"]);
    let live = &document["resources"]["measured"]["live"];
    // This driver does not wait for locks, and the writer may hold one just then.
    let is_locked = live["error"] == "database is locked";
    assert!(live["outcome"] == "completed" || is_locked, "{live}");
    for who in ["reader", "writer"] {
        assert!(number(&live[who]["tries"]) > 0 && live[who]["error"].is_null(), "{live}");
        assert_eq!(number(&live[who]["waited"]) > 0, live[who]["longest_ms"].is_number(), "{live}");
    }
    let ran = project.rehearse(&["--live"]);
    assert!(ran.stdout.contains("measured on a file"), "{}", ran.stdout);
    assert!(ran.stdout.contains("beside an app: its reader"), "{}", ran.stdout);
}

#[test]
fn migrations_that_do_not_complete_are_not_measured() {
    let project = Project::new(USERS).migration("1.sql", "INSERT INTO users VALUES (1, NULL);");
    let document = project.document(&["--live"]);
    assert_eq!(document["verdict"], "failed");
    assert!(document["resources"]["measured"].is_null());
    let ran = project.rehearse(&["--live"]);
    assert!(ran.stdout.contains("measured no: the migrations did not run to their end"), "{}", ran.stdout);
    let nothing = Project::new(USERS).migration("1.sql", "-- nothing\n").document(&["--measure"]);
    assert_eq!(nothing["resources"]["measured"]["outcome"], nothing["execution"]["outcome"]);
}

#[test]
fn what_production_has_free_is_held_against_what_is_needed() {
    let codes = |free: &str| {
        let document = rebuild("wal").document(&["--disk-free", free]);
        let findings = document["findings"].as_array().unwrap().iter();
        let needed = number(&document["resources"]["usage"]["needed_bytes"]);
        (findings.filter(|finding| finding["code"] == "RS704").count(), needed)
    };
    let (found, needed) = codes("1");
    assert_eq!(found, 1);
    assert_eq!(codes(&needed.to_string()).0, 0, "as much as is needed is enough");
    assert_eq!(codes(&(needed - 1).to_string()).0, 1);
    let ran = rebuild("wal").rehearse(&["--disk-free", "10X"]);
    assert!(
        ran.code == Some(2) && ran.stderr.contains("write a number, or a number and K, M, G or T"),
        "{}",
        ran.stderr
    );
}

/// A rebuild uses the pages that were free before, and leaves as many as the old table had.
#[test]
fn free_pages_are_those_of_the_file_and_not_of_its_growth() {
    let snapshot = "CREATE TABLE junk (data); CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
        INSERT INTO junk VALUES (zeroblob(80000)); DROP TABLE junk;
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
        INSERT INTO users SELECT i, hex(zeroblob(100)) FROM n;
        CREATE TABLE more (data); INSERT INTO more VALUES (zeroblob(100000)); DROP TABLE more;";
    let project = Project::new(snapshot).migration("1_rebuild.sql", REBUILD);
    std::fs::write(project.path("rehearse.yaml"), "thresholds: {growth: 1K}\n").unwrap();
    let document = project.document(&[]);
    let resources = &document["resources"];
    let grown = number(&resources["bytes_after"]) - number(&resources["bytes_before"]);
    assert!(number(&resources["usage"]["free_bytes"]) > grown, "{resources}");
    let finding = document["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "RS705").unwrap();
    assert!(finding["cause"].as_str().unwrap().contains("of the file are in free pages"), "{finding}");
}

#[test]
fn what_does_not_go_together_is_refused() {
    let project = rebuild("wal");
    for option in ["--measure", "--live"] {
        let ran = project.rehearse(&[option, "--allow-unsafe-sql"]);
        let said = format!("`{option}` and `--allow-unsafe-sql` do not go together");
        assert!(ran.code == Some(2) && ran.stderr.contains(&said), "{}", ran.stderr);
        let ran = project.rehearse(&[option, "--shred"]);
        let said = format!("`{option}` and `--shred` do not go together");
        assert!(ran.code == Some(2) && ran.stderr.contains(&said), "{}", ran.stderr);
        let ran = project.run(&["--snapshot", "prod.db", "--exec", "true", option]);
        assert_eq!(ran.code, Some(2), "{}", ran.stderr);
    }
}

#[test]
fn thresholds_stand_in_the_configuration() {
    let project = rebuild("delete");
    std::fs::write(project.path("rehearse.yaml"), "thresholds: {reader_wait: 0s, wal: 1K}\n").unwrap();
    let document = project.document(&[]);
    let codes: Vec<&str> =
        document["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"RS707") && codes.contains(&"RS703") && !codes.contains(&"RS701"), "{codes:?}");
    for (text, said) in [
        ("thresholds: {wall: 1}\n", "unknown key `wall`"),
        ("thresholds: {wal: 1X}\n", "write a number, or a number and K, M, G or T"),
        ("thresholds: {lock_time: 5}\n", "write a number and s, m, h or d"),
        ("disk_free: -1\n", "an amount of bytes"),
    ] {
        std::fs::write(project.path("rehearse.yaml"), text).unwrap();
        let ran = project.rehearse(&[]);
        assert!(ran.code == Some(2) && ran.stderr.contains(said), "{}", ran.stderr);
    }
}
