//! Options in `rehearse.yaml` and in the environment: which one counts, what is wrong with one, and what a file may not say unasked.

use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use serde_json::Value;

use crate::support::{Project, Ran};

const CARTS: &str =
    "CREATE TABLE carts (id INTEGER PRIMARY KEY, owner TEXT); INSERT INTO carts VALUES (1, 'secret'), (2, 'b');";

/// A project that loses a table, with this `rehearse.yaml`.
fn project(config: &str) -> Project {
    let project = Project::new(CARTS).migration("0001.sql", "DROP TABLE carts;\n");
    std::fs::write(project.path("rehearse.yaml"), config).unwrap();
    project
}

const PLAIN: &str = "snapshot: prod.db\nmigrations: migrations\ndriver: sqlite\n";

fn run(command: &mut Command) -> Ran {
    Ran::from(command.output().unwrap())
}

#[track_caller]
fn refused(ran: &Ran, wanted: &str) {
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    assert!(ran.stdout.is_empty() && ran.stderr.contains(wanted), "{}", ran.all());
}

#[test]
fn the_command_line_counts_before_the_environment_and_that_before_the_file() {
    let project = project(&format!("{PLAIN}fail_on: never\n"));
    assert_eq!(project.run(&[]).code, Some(0), "the file alone");
    assert_eq!(run(project.command(&[]).env("REHEARSE_FAIL_ON", "error")).code, Some(1), "the environment");
    let line = ["--fail-on", "never"];
    assert_eq!(run(project.command(&line).env("REHEARSE_FAIL_ON", "error")).code, Some(0), "the command line");
    assert_eq!(run(project.command(&[]).env("REHEARSE_FAIL_ON", "")).code, Some(0), "an empty variable says nothing");
}

#[test]
fn the_report_says_where_options_were_said() {
    let project = project(PLAIN);
    let ran = run(project.command(&[]).env("REHEARSE_FORMAT", "json").env("REHEARSE_DRIVER", "rusqlite"));
    let document: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(document["plan"]["driver"], "rusqlite");
    let decisions = document["plan"]["decisions"].as_array().unwrap();
    let options: Vec<(&str, &str)> = decisions
        .iter()
        .filter(|decision| decision["what"] == "options")
        .map(|decision| (decision["value"].as_str().unwrap(), decision["why"].as_str().unwrap()))
        .collect();
    assert_eq!(
        options,
        [("REHEARSE_DRIVER, REHEARSE_FORMAT", "the environment"), ("snapshot, migrations", "rehearse.yaml")]
    );
    let planned = project.run(&["plan"]).stdout;
    assert!(planned.contains("options snapshot, migrations, driver: rehearse.yaml\n"), "{planned}");
}

#[test]
fn flags_and_lists_stand_in_the_environment_too() {
    let project = project(&format!("{PLAIN}quiet: true\n"));
    assert!(!project.run(&[]).stdout.contains("Tables"));
    assert!(run(project.command(&[]).env("REHEARSE_QUIET", "0")).stdout.contains("Tables"));
    assert!(project.run(&["-v"]).stdout.contains("Tables"), "what the command line excludes is left out");
    let levels = run(project.command(&[]).env("REHEARSE_LEVEL", "LS104=note, LS=warning"));
    assert_eq!(levels.code, Some(0), "{}", levels.all());
    let files = run(project.command(&[]).env("REHEARSE_REPORT", "json=a.json,text=b.txt"));
    assert_eq!(files.code, Some(1));
    assert!(project.path("a.json").is_file() && project.path("b.txt").is_file());
}

#[test]
fn a_wrong_variable_is_an_error() {
    let project = project(PLAIN);
    let with = |name: &str, value: &str| run(project.command(&[]).env(name, value));
    refused(
        &with("REHEARSE_FAILON", "never"),
        "`REHEARSE_FAILON` says no option\nhint: did you mean `REHEARSE_FAIL_ON`?",
    );
    refused(&with("REHEARSE_FAIL_ON", "nevr"), "reading `REHEARSE_FAIL_ON`: invalid value 'nevr'");
    refused(&with("REHEARSE_DRIVER", "sqlit"), "reading `--driver`: there is no driver `sqlit`");
    refused(&with("REHEARSE_THOROUGH", "maybe"), "it is `maybe`, which is neither `true` nor `false`");
    refused(&with("REHEARSE_MAX_MEMORY", "1M"), "at least 16M");
    for name in ["REHEARSE_VERSION", "REHEARSE_IMAGE", "REHEARSE", "REHEARSE_BIN", "REHEARSE_REF"] {
        assert_eq!(with(name, "1").code, Some(1), "{name} is somebody else's");
    }
}

#[test]
fn a_wrong_value_in_the_file_is_told_with_its_place() {
    for (line, wanted) in [
        ("fail_on: nevr", ":4:10`: unknown word `nevr` in `fail_on`"),
        ("failon: never", "hint: did you mean `fail_on`?"),
        ("tool: drizle", "did you mean `drizzle`?"),
        ("report: {jsn: a.json}", "did you mean `json`?"),
        ("samples_limit: 0", "0 is not between 1 and 1000"),
        ("max_memory: 1M", "at least 16M are needed"),
        ("time_limit: 10", "4:13`: `time_limit`: write a number and s, m, h or d"),
        ("matrix: maybe", "expected `true` or `false` in `matrix`"),
    ] {
        refused(&project(&format!("{PLAIN}{line}\n")).run(&[]), wanted);
    }
    let empty = project("snapshot: prod.db\nmigrations: ''\n").run(&[]);
    refused(&empty, "reading the configuration `rehearse.yaml`: a value is required for '--migrations");
}

#[test]
fn what_does_not_go_together() {
    let own = project(&format!("{PLAIN}exec: 'true'\n"));
    refused(&own.run(&["--trust-config"]), "do not go together");
    let both = run(project("").command(&[]).env("REHEARSE_SNAPSHOT", "a").env("REHEARSE_SNAPSHOT_COMMAND", "b"));
    refused(&both, "it does not go together with `REHEARSE_SNAPSHOT");
    let other = project(PLAIN);
    let nearer = other.run(&["--snapshot-command", "cat prod.db"]);
    assert_eq!(nearer.code, Some(1), "{}", nearer.all());
}

#[test]
fn paths_are_those_of_the_file_and_the_file_is_found_from_below() {
    let project = project(&format!("{PLAIN}report: {{json: out.json}}\n"));
    std::fs::create_dir(project.path("src")).unwrap();
    let ran = run(project.command(&["-q"]).current_dir(project.path("src")));
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    assert!(project.path("out.json").is_file() && !project.path("src/out.json").exists());
    let plan = run(project.command(&["plan"]).current_dir(project.path("src")));
    assert_eq!(plan.code, Some(0), "{}", plan.all());
}

#[test]
fn a_file_may_do_no_harm_unasked() {
    let outside = tempfile::tempdir().unwrap();
    let place = outside.path().join("bashrc");
    std::fs::write(&place, "mine").unwrap();
    let shown = place.display();
    let source = "snapshot: prod.db\n";
    for (config, wanted) in [
        (format!("{source}exec: 'touch harm'\n"), "`exec` runs a command"),
        ("snapshot_command: 'touch harm'\n".to_owned(), "`snapshot_command` runs a command"),
        (format!("{PLAIN}samples: values\n"), "`samples` shows rows of production"),
        (format!("{PLAIN}samples: keys\n"), "`samples` shows rows of production"),
        (format!("{PLAIN}report: {{json: '{shown}'}}\n"), "`report` writes outside of the file's folder"),
        (format!("{PLAIN}report: {{json: ../up.json}}\n"), "`report` writes outside of the file's folder"),
        (format!("{PLAIN}report: {{text: link}}\n"), "`report` writes outside of the file's folder"),
        (format!("{PLAIN}report: {{text: dangling}}\n"), "`report` writes outside of the file's folder"),
        (format!("{PLAIN}report: {{text: folder/new}}\n"), "`report` writes outside of the file's folder"),
        (format!("{PLAIN}report: {{text: .git/hooks/pre-commit}}\n"), "`report` writes where tools keep what they run"),
        (format!("{PLAIN}report: {{text: hooks/pre-commit}}\n"), "`report` writes where tools keep what they run"),
        (format!("{PLAIN}report: {{text: run-it}}\n"), "`report` writes where tools keep what they run"),
        (format!("{PLAIN}keep_copy: kept.db\n"), "`keep_copy` keeps production data"),
        (format!("{PLAIN}time_limit: 2h\n"), "`time_limit` is more than an hour"),
        (format!("{PLAIN}max_growth: 65G\n"), "`max_growth` is more than 64G"),
        (format!("{PLAIN}max_memory: 5G\n"), "`max_memory` is more than 4G"),
        (format!("{source}driver: sqlite\nmigrations: /\n"), "`migrations` leads out of the repository"),
        (format!("{source}driver: sqlite\nmigrations: folder\n"), "`migrations` leads out of the repository"),
    ] {
        let project = project(&config);
        std::fs::create_dir_all(project.path(".git/hooks")).unwrap();
        std::os::unix::fs::symlink(".git/hooks", project.path("hooks")).unwrap();
        std::fs::write(project.path("run-it"), "mine").unwrap();
        std::fs::set_permissions(project.path("run-it"), PermissionsExt::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink(&place, project.path("link")).unwrap();
        std::os::unix::fs::symlink(outside.path().join("new"), project.path("dangling")).unwrap();
        std::os::unix::fs::symlink(outside.path(), project.path("folder")).unwrap();
        let ran = project.run(&[]);
        refused(&ran, wanted);
        assert!(ran.stderr.contains("add --trust-config"), "{}", ran.stderr);
        refused(&project.run(&["--config", "rehearse.yaml"]), wanted);
    }
    assert_eq!(std::fs::read_to_string(&place).unwrap(), "mine");
    assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 1);
}

#[test]
fn a_trusted_file_may_say_everything() {
    let own = project(&format!("{PLAIN}samples: values\n"));
    assert!(own.run(&["--trust-config"]).stdout.contains("'secret'"));
    assert!(run(own.command(&[]).env("REHEARSE_TRUST_CONFIG", "1")).stdout.contains("'secret'"));
    refused(&run(own.command(&[]).env("REHEARSE_TRUST_CONFIG", "0")), "shows rows");
    let asked = own.run(&["--samples", "none"]);
    assert!(asked.code == Some(1) && !asked.stdout.contains("secret"), "{}", asked.all());
    let command = project("snapshot_command: cat prod.db\nmigrations: migrations\ndriver: sqlite\n");
    assert_eq!(command.run(&["--trust-config"]).code, Some(1));
}

#[test]
fn other_commands_take_what_is_theirs() {
    let project = project(PLAIN);
    let rules = |name: &str, value: &str| run(project.command(&["rules"]).env(name, value));
    assert_eq!(rules("REHEARSE_FORMAT", "json").stdout, project.run(&["rules"]).stdout);
    assert!(rules("REHEARSE_COLOR", "always").stdout.contains('\u{1b}'));
    let profile = run(project.command(&["profile", "prod.db"]).env("REHEARSE_MAX_MEMORY", "x"));
    refused(&profile, "reading `REHEARSE_MAX_MEMORY`");
}
