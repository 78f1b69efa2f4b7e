//! `rehearse.yaml`, `--config`, `--level`, and directives in migrations.

use serde_json::Value;

use crate::support::{Project, Ran};

const README: &str = include_str!("../../README.md");
const CARTS: &str = "
    CREATE TABLE carts (id INTEGER PRIMARY KEY);
    INSERT INTO carts VALUES (1), (2), (3);";

/// The first block of this language in the README's section on waivers.
fn block(language: &str) -> &'static str {
    let (_, section) = README.split_once("\n## Allowing what is intended\n").unwrap();
    let (_, block) = section.split_once(&format!("```{language}\n")).unwrap();
    block.split_once("```").unwrap().0
}

fn dropping(config: &str, directive: &str) -> Project {
    let project = Project::new(CARTS).migration("0001.sql", &format!("{directive}\nDROP TABLE carts;\n"));
    if !config.is_empty() {
        std::fs::write(project.path("rehearse.yaml"), config).unwrap();
    }
    project
}

fn refused(ran: &Ran, wanted: &str) {
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    assert!(ran.stdout.is_empty() && ran.stderr.contains(wanted), "{}", ran.all());
}

fn findings(document: &Value) -> Vec<(&str, &str, bool)> {
    let list = document["findings"].as_array().unwrap();
    list.iter()
        .map(|finding| {
            (finding["code"].as_str().unwrap(), finding["level"].as_str().unwrap(), finding["waived"].is_string())
        })
        .collect()
}

#[test]
fn what_the_readme_allows_is_allowed() {
    let project = Project::new(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, closed INTEGER);
         CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) ON DELETE CASCADE);
         CREATE TABLE legacy_carts (id INTEGER PRIMARY KEY);
         INSERT INTO users VALUES (1, 0), (2, 1);
         INSERT INTO posts VALUES (1, 1), (2, 2), (3, 2);
         INSERT INTO legacy_carts VALUES (1), (2);",
    )
    .migration("0001.sql", block("sql"));
    let on = ["--foreign-keys", "on"];
    assert_eq!(project.rehearse(&on).code, Some(1));
    std::fs::write(project.path("rehearse.yaml"), block("yaml")).unwrap();
    let ran = project.rehearse(&on);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(ran.stdout.starts_with("passed, 1 note, 2 waived: "), "{}", ran.stdout);
    let text = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    for told in [
        "allowed by rehearse.yaml:5 (at most 120, until 9999-12-31): moved to cold storage, ticket 812",
        "allowed by migrations/0001.sql:1 (at most 2): posts of closed accounts go with them, ticket 813",
        "(warning by itself, note by rehearse.yaml)",
    ] {
        assert!(text.contains(told), "{text}");
    }
}

#[test]
fn the_command_line_wins_over_the_nearest_file() {
    let project = dropping("rules: {LS: note}\n", "");
    assert_eq!(findings(&project.document(&[])), [("LS104", "note", false)]);
    assert_eq!(project.rehearse(&[]).code, Some(0));
    let told = project.document(&["--level", "nonempty-table-dropped=warning"]);
    assert_eq!(findings(&told), [("LS104", "warning", false)]);
    assert_eq!(told["findings"][0]["level_from"]["level"], "error");
    assert_eq!(told["findings"][0]["level_from"]["by"], "--level");
    assert_eq!(project.rehearse(&["--level", "LS104=error"]).code, Some(1));
    std::fs::write(project.path("strict.yaml"), "rules: {LS104: error}\n").unwrap();
    assert_eq!(project.rehearse(&["--config", "strict.yaml"]).code, Some(1));
}

#[test]
fn a_file_that_cannot_be_right_is_refused_with_its_line() {
    for (config, wanted) in [
        ("rules:\n  LS104: warning\n  LS999: note\n", "rehearse.yaml:3:3"),
        ("rules:\n  LS104: loud\n", "rehearse.yaml:2:"),
        ("allow:\n  - rule: LS104\n    table: carts\n", "the key `because` is missing"),
        ("allow:\n  - rule: LS104\n    because: ' '\n", "rehearse.yaml:3:14"),
        ("allow:\n  - rule: LS104\n    until: 2026-02-30\n    because: x\n", "`2026-02-30` is no day"),
        ("allow:\n  - rule: LS104\n    at_most: -1\n    because: x\n", "rehearse.yaml:3:"),
        ("allow:\n  - rule: LS\n    because: x\n", "a waiver names one rule"),
    ] {
        refused(&dropping(config, "").rehearse(&[]), wanted);
    }
    refused(&dropping("", "").rehearse(&["--config", "missing.yaml"]), "missing.yaml");
    refused(&dropping("", "").rehearse(&["--level", "LS1O4=note"]), "there is no rule `LS1O4`");
}

#[test]
fn a_directive_that_cannot_be_read_is_refused_with_its_line() {
    for (directive, wanted) in [
        ("\n-- rehearse: allow LS104 carts", "migrations/0001.sql:2"),
        ("-- rehearse: alow LS104 carts because x", "`alow` is no directive"),
        ("-- rehearse: allow LS1O4 carts because x", "there is no rule `LS1O4`"),
        ("-- rehearse: allow LS104 carts until tomorrow because x", "`tomorrow` is no day"),
        ("-- rehearse: renamed a -> b", "no table had a column `a`"),
        ("-- rehearse: renamed id -> b", "no table has a column `b`"),
    ] {
        refused(&dropping("", directive).rehearse(&[]), wanted);
    }
}

#[test]
fn a_waiver_that_does_not_cover_decides_the_exit_code() {
    let exceeded = dropping("", "-- rehearse: allow LS104 carts at most 2 because x");
    let levels = ["--level", "LS104=note"];
    assert_eq!(findings(&exceeded.document(&levels)), [("SN908", "error", false), ("LS104", "note", false)]);
    assert_eq!(exceeded.rehearse(&levels).code, Some(1));
    let expired = dropping("", "-- rehearse: allow LS104 carts until 2020-01-01 because x");
    assert_eq!(findings(&expired.document(&[])), [("LS104", "error", false), ("SN909", "error", false)]);
    assert_eq!(expired.rehearse(&[]).code, Some(1));
    let other = dropping("", "-- rehearse: allow LS104 cart because x");
    assert_eq!(findings(&other.document(&[])), [("LS104", "error", false), ("SN907", "warning", false)]);
}

#[test]
fn a_waiver_of_a_table_that_is_not_there_says_which_was_meant() {
    for (table, why) in [
        ("cart", "there is no table `cart`, neither before nor after; did you mean `carts`?"),
        ("visits", "there is no table `visits`, neither before nor after"),
        ("CARTS", "no finding needs it"),
    ] {
        let config = format!("allow: [{{rule: LS107, table: {table}, because: x}}]\n");
        let document = dropping(&config, "").document(&[]);
        let unused =
            document["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "SN907").unwrap();
        let message = unused["message"].as_str().unwrap();
        assert_eq!(message, format!("the waiver of LS107 on `{table}` covers nothing: {why}"));
    }
}

#[test]
fn a_column_that_is_called_renamed_may_go_on() {
    let first = "-- rehearse: renamed name -> nick
        CREATE TABLE n (id INTEGER PRIMARY KEY, nick TEXT);
        INSERT INTO n SELECT id, trim(name) FROM users;
        DROP TABLE users;
        ALTER TABLE n RENAME TO users;";
    for (then, column) in [
        ("SELECT 1", Some("nick")),
        ("ALTER TABLE users RENAME COLUMN nick TO alias", Some("alias")),
        ("ALTER TABLE users DROP COLUMN nick", None),
    ] {
        let snapshot = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users VALUES (1, ' Ada');";
        let project = Project::new(snapshot).migration("0001.sql", first).migration("0002.sql", then);
        let document = project.document(&[]);
        let columns = document["tables"][0]["columns"].as_array().unwrap();
        let paired = columns.iter().find(|of| of["before_name"] == "name" && of["name"] != "name");
        assert_eq!(paired.and_then(|of| of["name"].as_str()), column, "{then}");
        let gone = findings(&document).contains(&("VL201", "error", false));
        assert_eq!(gone, column.is_none(), "{then}");
    }
}

#[test]
fn a_reason_acts_on_no_terminal() {
    let project = dropping("", "-- rehearse: allow LS104 carts because \u{1b}[2J\u{202e}x");
    let ran = project.rehearse(&[]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    assert!(!ran.stdout.contains('\u{1b}') && !ran.stdout.contains('\u{202e}'), "{}", ran.stdout);
    assert!(ran.stdout.contains("\\x1b[2J\\u{202e}x"), "{}", ran.stdout);
}

#[test]
fn exit_codes_of_waivers_levels_and_expectations_together() {
    const DROP: &str = "DROP TABLE carts;";
    const FAIL: &str = "DROP TABLE carts; DROP TABLE nowhere;";
    const ALLOW: &str = "{rule: LS104, table: carts, because: x}";
    const UNCHANGED: &str = "expect: {tables: {carts: unchanged}}";
    let never_fails = |code: i32| [code, code, code, 0];
    for (migration, config, [error, warning, note, never]) in [
        (DROP, String::new(), never_fails(1)),
        (DROP, format!("allow: [{ALLOW}]"), [0; 4]),
        (DROP, "allow: [{rule: LS104, at_most: 3, because: x}]".to_owned(), [0; 4]),
        (DROP, "allow: [{rule: LS104, at_most: 2, because: x}]".to_owned(), never_fails(1)),
        (DROP, "allow: [{rule: LS104, until: 2020-01-01, because: x}]".to_owned(), never_fails(1)),
        (DROP, format!("allow: [{ALLOW}, {{rule: LS107, because: x}}]"), [0, 1, 1, 0]),
        (DROP, "rules: {LS: warning}".to_owned(), [0, 1, 1, 0]),
        (DROP, "rules: {LS: warning, LS104: note}".to_owned(), [0, 0, 1, 0]),
        (DROP, format!("allow: [{ALLOW}]\n{UNCHANGED}"), never_fails(1)),
        (DROP, format!("allow: [{ALLOW}]\nrules: {{EP: note}}\n{UNCHANGED}"), [0, 0, 1, 0]),
        (DROP, format!("allow: [{ALLOW}, {{rule: EP951, because: x}}]\n{UNCHANGED}"), [0; 4]),
        (FAIL, format!("allow: [{ALLOW}]"), [3; 4]),
        (FAIL, "allow: [{rule: EX601, because: x}]".to_owned(), [3; 4]),
        (FAIL, "rules: {EX: note}".to_owned(), [3; 4]),
        ("SELECT 1;", UNCHANGED.to_owned(), [0; 4]),
    ] {
        let project = Project::new(CARTS).migration("0001.sql", migration);
        std::fs::write(project.path("rehearse.yaml"), &config).unwrap();
        for (level, code) in [("error", error), ("warning", warning), ("note", note), ("never", never)] {
            let ran = project.rehearse(&["--fail-on", level]);
            assert_eq!(ran.code, Some(code), "{migration} {config} --fail-on {level}: {}", ran.all());
        }
    }
}

#[test]
fn what_runs_no_migration_of_the_project_reads_no_configuration() {
    let project = Project::demo();
    std::fs::write(project.path("rehearse.yaml"), "rules: {LS999: note}\n").unwrap();
    for command in [&["--snapshot", "prod.db"][..], &["plan", "--snapshot", "prod.db"]] {
        refused(&project.run(command), "there is no rule `LS999`");
    }
    for arguments in
        [&["diff", "prod.db", "prod.db"][..], &["profile", "prod.db"], &["demo"], &["rules"], &["explain", "LS102"]]
    {
        assert_eq!(project.run(arguments).code, Some(0), "{arguments:?}");
    }
}
