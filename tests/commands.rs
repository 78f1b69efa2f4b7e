//! The command as a person or a CI job uses it: what is printed where, and the exit codes.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot make its project has failed")]

#[path = "cmd/doctor.rs"]
mod doctor;
#[path = "cmd/drift.rs"]
mod drift;
#[path = "cmd/exec.rs"]
mod exec;
#[path = "cmd/faults.rs"]
mod faults;
#[path = "cmd/hostile_names.rs"]
mod hostile_names;
#[path = "cmd/measure.rs"]
mod measure;
#[path = "cmd/options.rs"]
mod options;
#[path = "cmd/queries.rs"]
mod queries;
#[path = "cmd/samples.rs"]
mod samples;
#[path = "cmd/support.rs"]
mod support;
#[path = "cmd/verify.rs"]
mod verify;
#[path = "cmd/waivers.rs"]
mod waivers;

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;
use support::{Project, Ran};

const USERS: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, age TEXT);
    CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) ON DELETE CASCADE, title TEXT);
    INSERT INTO users VALUES (1, 'a', '7'), (2, NULL, '12'), (3, 'c', '40');
    INSERT INTO posts VALUES (1, 1, 'x'), (2, 1, 'y'), (3, 2, 'z');";
const DELETES: &str = "DELETE FROM posts WHERE user_id = 1;";
const DEMO: [&str; 2] = ["--snapshot", "prod.db"];

/// Help, wrong arguments, rules and plans, each with its text and exit code. `TRYCMD=overwrite` writes what is printed.
#[test]
fn what_is_printed() {
    let cases = trycmd::TestCases::new();
    cases.env("COLUMNS", "100").env("NO_COLOR", "1");
    cases.case("tests/cmd/*.trycmd");
}

/// What the README shows is what is printed, and what it says to type runs.
mod readme {
    use super::{DEMO, Project};

    const README: &str = include_str!("../README.md");

    /// The blocks of this language.
    fn blocks(language: &str) -> Vec<&'static str> {
        let parts: Vec<&str> = README.split("```").collect();
        let inside = parts.into_iter().skip(1).step_by(2);
        inside.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n')).collect()
    }

    #[test]
    fn the_report_is_that_of_the_demo() {
        let project = Project::empty();
        let mut command = project.command(&["demo"]);
        let ran = super::Ran::from(command.env("COLUMNS", "80").output().unwrap());
        let (_, report) = ran.stdout.split_once("$ rehearse --snapshot prod.db\n\n").unwrap();
        let shown = blocks("text")[0];
        assert!(report.starts_with(shown), "README.md shows\n{shown}\nand the demo prints\n{report}");
        assert!(shown.contains("  users     100    100"), "the report in README.md is cut too early");
    }

    /// The demo, and what its migration makes of `prod.db`.
    fn with_migrated_copy() -> Project {
        let project = Project::demo();
        project.run_making(&[&DEMO[..], &["--keep-copy", "after.db"]].concat(), &["after.db"]);
        project
    }

    #[test]
    fn the_difference_is_what_the_demo_does() {
        let project = with_migrated_copy();
        let mut command = project.command(&["diff", "prod.db", "after.db"]);
        let ran = super::Ran::from(command.env("COLUMNS", "80").output().unwrap());
        let shown = blocks("text")[2];
        assert!(ran.stdout.starts_with(shown), "README.md shows\n{shown}\nand it prints\n{}", ran.stdout);
    }

    #[test]
    fn the_rows_are_those_that_the_demo_shows() {
        let project = Project::demo();
        let asked = ["--samples", "values", "--samples-limit", "2"];
        let ran = project.run(&[&DEMO[..], &asked].concat());
        let shown = blocks("text")[3];
        assert!(ran.stdout.contains(shown), "README.md shows\n{shown}\nand it prints\n{}", ran.stdout);
        assert!(blocks("console").contains(&format!("$ rehearse {} {}\n", DEMO.join(" "), asked.join(" ")).as_str()));
    }

    #[test]
    fn its_commands_run() {
        let commands: Vec<&str> = blocks("console")
            .into_iter()
            .flat_map(str::lines)
            .filter_map(|line| line.strip_prefix("$ "))
            .map(|line| line.split(" #").next().unwrap_or(line).trim())
            .chain(README.split('`').filter(|text| text.starts_with("rehearse ") && !text.contains('\n')))
            .collect();
        assert!(commands.len() > 5, "{commands:?}");
        for command in commands {
            let words: Vec<&str> = command.split_whitespace().collect();
            let arguments = match words.as_slice() {
                ["cargo", "run", "--release", "--", arguments @ ..] | ["rehearse", arguments @ ..] => arguments,
                ["cargo", "test"] | ["cargo", "install", "--path", "."] => continue,
                _ => panic!("README.md says `{command}`, which nothing tests"),
            };
            let project = with_migrated_copy();
            std::fs::create_dir_all(project.path("src/db/queries")).unwrap();
            std::fs::write(project.path("src/db/queries/users.sql"), "SELECT count(*) FROM users;\n").unwrap();
            let ran = project.run_making(arguments, &["rehearsal.json", "report.html", "rehearse.yaml"]);
            let expected = i32::from(arguments.first() == Some(&DEMO[0]) || arguments.contains(&"after.db"));
            assert_eq!(ran.code, Some(expected), "{command}: {}", ran.stderr);
        }
    }

    #[test]
    fn its_expectations_are_judged_as_it_shows() {
        let project = Project::demo();
        std::fs::write(project.path("rehearse.yaml"), blocks("yaml")[0]).unwrap();
        let ran = project.run(&["--snapshot", "prod.db", "--quiet"]);
        assert_eq!(ran.code, Some(1), "{}", ran.stderr);
        assert_eq!(ran.stdout, blocks("text")[1]);
    }

    #[test]
    fn every_family_is_in_its_table() {
        let rules = Project::empty().run(&["rules", "--format", "json"]).stdout;
        let rules: Vec<serde_json::Value> = serde_json::from_str(&rules).unwrap();
        let mut families: Vec<&str> = rules.iter().map(|rule| &rule["code"].as_str().unwrap()[..2]).collect();
        families.dedup();
        let (_, section) = README.split_once("## What it checks\n").unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        let table: Vec<&str> = section.lines().filter_map(|line| line.strip_prefix("| `")?.get(..2)).collect();
        assert_eq!(table, families);
    }

    #[test]
    fn every_exit_code_of_the_help_is_in_its_table() {
        let help = Project::empty().run(&["--help"]).stdout;
        let (_, codes) = help.split_once("Exit codes:\n").unwrap();
        for line in codes.lines().take_while(|line| !line.is_empty()) {
            let code = line.split_whitespace().next().unwrap();
            assert!(README.contains(&format!("\n| {code} | ")), "{code}");
        }
    }
}

mod configuration {
    use super::{DELETES, Project, USERS};

    #[test]
    fn a_mistake_in_it_is_shown_and_does_nothing_to_the_terminal() {
        let project = Project::new(USERS).migration("1.sql", DELETES);
        std::fs::write(project.path("rehearse.yaml"), "expect:\n\ttables: {}\n").unwrap();
        project.rehearse(&[]).refused(
            2,
            "error: reading `rehearse.yaml:2:1`: found character that cannot start any token\n  \
             |\n2 |     tables: {}\n  | ^^^^\n\
             hint: YAML takes no tab where a line begins; indent with spaces\n",
        );
        std::fs::write(project.path("rehearse.yaml"), "expect:\n  tables: {users: ünchanged}\n").unwrap();
        project.rehearse(&[]).refused(
            2,
            "error: reading `rehearse.yaml:2:19`: unknown word `ünchanged` in `expect.tables.users`\n  \
             |\n2 |   tables: {users: ünchanged}\n  |                   ^^^^^^^^^\n\
             hint: did you mean `unchanged`?\nhint: allowed here: unchanged, gone\n",
        );
        std::fs::write(project.path("rehearse.yaml"), "expect: {\u{202e}: \u{1b}[31m}\n").unwrap();
        let ran = project.rehearse(&[]);
        assert_eq!(ran.code, Some(2));
        assert!(ran.stderr.contains("\n1 | expect: {\\u{202e}: \\x1b[31m}\n"), "{}", ran.stderr);
    }

    #[test]
    fn what_is_not_met_is_told_without_a_value() {
        let project = Project::new(
            "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);
             INSERT INTO notes VALUES (1, 'swordfish'), (2, 'swordfish 2');",
        )
        .migration("1.sql", "UPDATE notes SET body = 'swordfish' || body WHERE body = 'swordfish';");
        std::fs::write(
            project.path("rehearse.yaml"),
            "expect:\n  tables: {notes: unchanged}\n  queries:\n    - {sql: SELECT body FROM notes, same: true}\n    \
             - {name: one, sql: SELECT max(body) FROM notes, is: 7}\n    \
             - {name: json, sql: \"SELECT json_extract('{}', body) FROM notes\", is: 7}\n",
        )
        .unwrap();
        for format in ["text", "json"] {
            let ran = project.rehearse(&["--format", format, "-v"]);
            assert_eq!(ran.code, Some(1), "{}", ran.all());
            assert!(ran.stdout.contains("EP951") && ran.stdout.contains("EP952"), "{}", ran.stdout);
            assert!(!ran.all().contains("swordfish"), "{}", ran.all());
        }
    }
}

mod exit_codes {
    use super::{DELETES, Project, USERS};

    #[test]
    fn _0_passed() {
        let project = Project::new(USERS).migration("1.sql", "ALTER TABLE users ADD COLUMN name TEXT;");
        let ran = project.rehearse(&[]);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        let said = "passed: 1 migration ran on a copy of 2 tables with 6 rows, and no rule objects\n";
        assert!(ran.stdout.starts_with(said), "{}", ran.stdout);
        assert_eq!(ran.stderr, "");
    }

    #[test]
    fn _0_nothing_pending() {
        let project = Project::new(&format!("{USERS} PRAGMA user_version = 1;")).migration("1.sql", DELETES);
        let ran = project.rehearse(&[]);
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        assert!(ran.stdout.contains("no migration is pending on 2 tables with 6 rows\n"), "{}", ran.stdout);
    }

    #[test]
    fn _1_by_the_level_that_is_asked_for() {
        let project = Project::new(USERS).migration("1.sql", DELETES);
        for (level, code) in [("error", 0), ("warning", 1), ("note", 1), ("never", 0)] {
            assert_eq!(project.rehearse(&["--fail-on", level]).code, Some(code), "{level}");
        }
        let project = Project::demo();
        for (level, code) in [("error", 1), ("warning", 1), ("note", 1), ("never", 0)] {
            assert_eq!(project.run(&["--snapshot", "prod.db", "--fail-on", level]).code, Some(code), "{level}");
        }
    }

    #[test]
    fn _3_a_migration_failed_whatever_the_level() {
        let project = Project::new(USERS).migration("1.sql", "SELECT 1;\nDROP TABLE nowhere;");
        for level in ["error", "never"] {
            let ran = project.rehearse(&["--fail-on", level]);
            assert_eq!(ran.code, Some(3), "{}", ran.all());
            let said = "failed, 1 error: `1.sql` failed on the copy at line 2: no such table: nowhere\n";
            assert!(ran.stdout.starts_with(said), "{}", ran.stdout);
            assert_eq!(ran.stderr, "");
        }
    }

    #[test]
    fn _3_the_commit_fails() {
        let deferred =
            "CREATE TABLE t (id INTEGER PRIMARY KEY, up INTEGER REFERENCES t DEFERRABLE INITIALLY DEFERRED);";
        let project = Project::new(deferred).migration("1.sql", "INSERT INTO t VALUES (1, 5);");
        let ran = project.rehearse(&["--foreign-keys", "on"]);
        assert_eq!(ran.code, Some(3), "{}", ran.all());
        assert!(ran.stdout.lines().next().unwrap().ends_with("FOREIGN KEY constraint failed"), "{}", ran.stdout);
    }

    #[test]
    fn _4_wins_over_everything() {
        Project::new(USERS)
            .migration("1.sql", DELETES)
            .run(&["--snapshot", "no.db", "--migrations", "migrations"])
            .refused(
                4,
                &format!(
                    "error: opening the snapshot `no.db`: the file does not exist\nhint: did you mean `{}`?\n",
                    "prod.db"
                ),
            );
    }
}

#[test]
fn the_report_is_on_stdout_and_errors_are_on_stderr() {
    let project = Project::demo();
    let ran = project.run(&DEMO);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    let ran = project.run(&["--snapshot", "nowhere/x.db", "--format", "json"]);
    ran.refused(
        4,
        "error: opening the snapshot `nowhere/x.db`: the file does not exist\nhint: there is no folder `nowhere`\n",
    );
}

#[test]
fn quiet_and_verbose() {
    let project = Project::demo();
    let quiet = project.run(&["--snapshot", "prod.db", "-q"]).stdout;
    let said =
        "1 error: `posts` lost 100 of 100 rows\nerror[LS102] cascade-deleted-rows: `posts` lost 100 of 100 rows\n";
    assert_eq!(quiet, said);
    let normal = project.run(&DEMO).stdout;
    let verbose = project.run(&["--snapshot", "prod.db", "-v"]).stdout;
    assert!(!normal.contains("100 rows deleted by a foreign-key action"), "{normal}");
    assert!(verbose.contains("posts: 100 rows deleted by a foreign-key action"), "{verbose}");
}

#[test]
fn colours_are_for_terminals_and_for_who_asks() {
    let project = Project::demo();
    let escapes = |variable: Option<(&str, &str)>, more: &[&str]| {
        let mut command = project.command(&[&DEMO, more].concat());
        command.envs(variable);
        Ran::from(command.output().unwrap()).stdout.contains('\u{1b}')
    };
    assert!(!escapes(None, &[]));
    assert!(escapes(None, &["--color", "always"]));
    assert!(escapes(Some(("CLICOLOR_FORCE", "1")), &[]));
    assert!(!escapes(Some(("CLICOLOR_FORCE", "1")), &["--color", "never"]));
    assert!(!escapes(Some(("NO_COLOR", "1")), &[]));
    assert!(escapes(Some(("NO_COLOR", "1")), &["--color", "always"]));
    let mut failing = project.command(&["--snapshot", "no.db"]);
    assert!(!Ran::from(failing.output().unwrap()).stderr.contains('\u{1b}'));
}

#[test]
fn a_reader_that_goes_away_changes_nothing() {
    let project = Project::demo();
    for arguments in [&DEMO[..], &["rules"], &["--snapshot", "prod.db", "-v", "--format", "json"]] {
        let mut command = project.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ran = Ran::from(child.wait_with_output().unwrap());
        let code = i32::from(arguments[0] != "rules");
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(code), ""), "{arguments:?}");
        project.assert_nothing_left();
    }
}

#[test]
fn a_reader_that_was_never_there_changes_nothing() {
    let project = Project::demo();
    let mut command = project.command(&DEMO);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    assert_eq!(command.stdout(writer).status().unwrap().code(), Some(1));
    project.assert_nothing_left();
}

#[test]
fn a_full_standard_output_is_an_error() {
    let project = Project::demo();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let ran = Ran::from(project.command(&DEMO).stdout(full).output().unwrap());
    ran.refused(4, "error: writing to the standard output: No space left on device (os error 28)\n");
    project.assert_nothing_left();
}

#[test]
fn report_files() {
    let project = Project::demo();
    let to = ["--snapshot", "prod.db", "-q", "--report", "json=rehearsal.json", "--report", "text=rehearsal.txt"];
    std::fs::write(project.path("rehearsal.json"), "x".repeat(100_000)).unwrap();
    let before = std::fs::read(project.path("prod.db")).unwrap();
    assert_eq!(Ran::from(project.command(&to).output().unwrap()).code, Some(1));
    let document: Value = serde_json::from_slice(&std::fs::read(project.path("rehearsal.json")).unwrap()).unwrap();
    assert_eq!(document["verdict"], "findings");
    let text = std::fs::read_to_string(project.path("rehearsal.txt")).unwrap();
    assert!(text.starts_with("1 error: `posts` lost 100 of 100 rows\n") && !text.contains('\u{1b}'), "{text}");
    assert_eq!(std::fs::read(project.path("prod.db")).unwrap(), before);
    let devices = ["--snapshot", "prod.db", "-q", "--report", "json=/dev/stdout", "--report", "text=/dev/null"];
    let ran = project.run(&devices);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    assert!(ran.stdout.starts_with("{\n  \"schema_version\": 1,"), "{}", ran.stdout);
}

#[test]
fn a_kept_copy_is_the_migrated_database() {
    let project = Project::demo();
    let ran = project.run_making(&["--snapshot", "prod.db", "--keep-copy", "after.db"], &["after.db"]);
    assert_eq!(ran.code, Some(1), "{}", ran.stderr);
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let kept = rusqlite::Connection::open_with_flags(project.path("after.db"), flags).unwrap();
    let number = |sql: &str| kept.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(kept.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap(), "ok");
    assert_eq!((number("SELECT count(*) FROM users"), number("SELECT count(*) FROM posts")), (100, 0));
    assert_eq!(number("SELECT count(*) FROM __drizzle_migrations"), 2);
    let again = project.run(&["--snapshot", "prod.db", "--keep-copy", "after.db"]);
    again.refused(2, "error: keeping the copy as `after.db`: it exists already\nhint: name a new file\n");
    let rehearsed = project.run(&["--snapshot", "after.db"]);
    assert_eq!(rehearsed.code, Some(0), "{}", rehearsed.all());
    assert!(rehearsed.stdout.contains("note[EX609] nothing-pending"), "{}", rehearsed.stdout);
}

#[test]
fn a_demo_folder_is_an_app_like_any_other() {
    let project = Project::demo();
    assert_eq!(project.run(&["--snapshot", "prod.db", "--driver", "libsql"]).code, Some(0));
    assert_eq!(project.run(&["--snapshot", "prod.db", "--foreign-keys", "off"]).code, Some(0));
    let again = project.run(&["demo", "."]);
    again.refused(
        2,
        "error: making the demo in `.`: there is a `prod.db` already\nhint: give a folder that does not exist yet\n",
    );
    let made = Ran::from(project.command(&["demo", "my app"]).output().unwrap());
    assert_eq!((made.code, made.stderr.as_str()), (Some(0), ""));
    assert!(made.stdout.contains("\n  cd 'my app'\n"), "{}", made.stdout);
    let of = |name: &str| std::fs::read(project.path(name)).unwrap();
    assert_eq!(of("my app/schema.ts"), of("schema.ts"));
}

mod init {
    use super::{Project, Ran};

    fn init(folder: &std::path::Path, more: &[&str]) -> Ran {
        let project = Project::empty();
        let arguments = [&["init"], more].concat();
        Ran::from(project.command(&arguments).current_dir(folder).output().unwrap())
    }

    /// A folder with these files.
    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        folder
    }

    fn read(folder: &tempfile::TempDir, file: &str) -> String {
        std::fs::read_to_string(folder.path().join(file)).unwrap()
    }

    const DRIZZLE: &str = "export default { dialect: 'sqlite', out: './drizzle', schema: './schema.ts' };";

    #[test]
    fn it_proposes_what_the_folder_speaks_for_and_the_file_is_taken() {
        let project = Project::demo();
        let proposed = project.run_making(&["init"], &["rehearse.yaml"]);
        assert_eq!((proposed.code, proposed.stderr.as_str()), (Some(0), ""));
        let wanted = "drizzle (drizzle.config.ts names the folder)\n  rehearse --snapshot prod.db\n";
        assert!(proposed.stdout.starts_with(wanted), "{}", proposed.stdout);
        assert!(proposed.stdout.contains("\nwrote `rehearse.yaml`\nno CI is found"), "{}", proposed.stdout);
        let written = std::fs::read_to_string(project.path("rehearse.yaml")).unwrap();
        assert!(written.contains("\ntool: drizzle  # drizzle.config.ts names the folder\nmigrations: "), "{written}");
        assert_eq!(project.run(&["--snapshot", "prod.db"]).code, Some(1), "the demo's loss is found with it");
        // Every line that is commented out is taken, too.
        let lines = written.lines().filter(|line| !line.starts_with("# What") && !line.starts_with("# snapshot"));
        let all: Vec<&str> = lines.map(|line| line.strip_prefix("# ").unwrap_or(line)).collect();
        std::fs::write(project.path("rehearse.yaml"), all.join("\n")).unwrap();
        let ran = project.run(&["--snapshot", "prod.db"]);
        assert_eq!(ran.code, Some(1), "{}\n{}", all.join("\n"), ran.all());
        assert!(ran.stdout.contains("SN907"), "the waiver is read, and nothing needs it: {}", ran.stdout);
    }

    #[test]
    fn tools_that_are_code_are_proposed_by_their_command() {
        for (file, text, expected) in [
            ("manage.py", "", "--exec 'python manage.py migrate --noinput'"),
            ("alembic.ini", "", "--exec 'alembic upgrade head'"),
            ("package.json", r#"{"dependencies": {"knex": "3"}}"#, "--exec 'npx knex migrate:latest"),
            ("pb_migrations/1_x.js", "", "--exec 'pocketbase migrate up"),
        ] {
            let folder = folder(&[(file, text), (".gitlab-ci.yml", "")]);
            let proposed = init(folder.path(), &[]);
            assert!(proposed.stdout.contains(expected), "{file}: {}", proposed.all());
            let (_, command) = expected.split_once('\'').unwrap();
            let command = command.trim_end_matches('\'');
            assert!(read(&folder, "rehearse.yaml").contains(&format!("\nexec: \"{command}")), "{file}");
            assert!(read(&folder, "rehearse.gitlab-ci.yml").contains(&format!("    REHEARSE_EXEC: \"{command}")));
        }
        assert_eq!(init(folder(&[]).path(), &[]).code, Some(2));
    }

    #[test]
    fn the_file_for_the_ci_is_that_of_its_host_and_folder() {
        let files =
            [("app/drizzle.config.ts", DRIZZLE), ("app/drizzle/0000_a.sql", ""), (".git/config", "github.example")];
        let folder = folder(&files);
        let app = folder.path().join("app");
        let ran = init(&app, &[]);
        assert!(ran.stdout.contains("`../.github/workflows/rehearse.yml`"), "{}", ran.all());
        let workflow = read(&folder, ".github/workflows/rehearse.yml");
        assert!(workflow.contains("      - \"app/drizzle/**\"\n      - \"app/rehearse.yaml\"\n"), "{workflow}");
        assert!(workflow.contains("          comment: true\n          working-directory: app\n"), "{workflow}");
        init(&app, &["--ci", "gitlab"]);
        let job = read(&folder, "rehearse.gitlab-ci.yml");
        for wanted in [
            "        - \"app/drizzle/**/*\"\n        - \"app/rehearse.yaml\"\n",
            "  script:\n    - \"cd app\"\n",
            "find app -maxdepth 1",
            "      - \"app/rehearsal.html\"\n",
            "      junit: \"app/rehearsal.xml\"\n",
        ] {
            assert!(job.contains(wanted), "{wanted} in\n{job}");
        }
    }

    #[test]
    fn what_is_there_stays() {
        let folder = folder(&[
            ("drizzle.config.ts", DRIZZLE),
            ("drizzle/0000_a.sql", ""),
            ("rehearse.yaml", "fail_on: never\n"),
            (".github/workflows/rehearse.yml", "mine"),
        ]);
        let ran = init(folder.path(), &[]);
        let kept = "kept as it was: `rehearse.yaml` and `.github/workflows/rehearse.yml`";
        assert!(ran.code == Some(0) && ran.stdout.contains(kept), "{}", ran.all());
        assert_eq!(read(&folder, "rehearse.yaml"), "fail_on: never\n");
        assert_eq!(read(&folder, ".github/workflows/rehearse.yml"), "mine");
    }

    #[test]
    fn where_several_fit_nothing_is_written_until_one_is_named() {
        let folder = folder(&[("alembic.ini", ""), ("manage.py", "")]);
        let ran = init(folder.path(), &[]);
        assert!(ran.code == Some(0) && ran.stdout.contains("rehearse init --tool NAME"), "{}", ran.all());
        assert!(!folder.path().join("rehearse.yaml").exists());
        let named = init(folder.path(), &["--tool", "django"]);
        assert!(named.code == Some(0) && read(&folder, "rehearse.yaml").contains("exec: "), "{}", named.all());
        let unknown = init(folder.path(), &["--tool", "dango"]);
        assert!(unknown.code == Some(2) && unknown.stderr.contains("did you mean `django`?"), "{}", unknown.all());
    }
}

/// `--format json` has every field of the documented shape, and nothing that is not documented.
mod json {
    use super::{DELETES, DEMO, Project, USERS, Value};

    fn fields(value: &Value) -> Vec<&str> {
        let mut fields: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
        fields.sort_unstable();
        fields
    }

    fn assert_fields(value: &Value, names: &str) {
        let mut names: Vec<&str> = names.split_whitespace().collect();
        names.sort_unstable();
        assert_eq!(fields(value), names);
    }

    #[test]
    fn every_field() {
        let document: Value =
            serde_json::from_str(&Project::demo().run(&[&DEMO[..], &["--format", "json"]].concat()).stdout).unwrap();
        assert_fields(
            &document,
            "schema_version rehearse verdict fail_on rehearsed_at configuration snapshot plan execution extent tables schema resources findings \
             not_compared",
        );
        assert_eq!(document["schema_version"], 1);
        assert_fields(&document["rehearse"], "version sqlite_version");
        assert_eq!(document["rehearse"]["version"], env!("CARGO_PKG_VERSION"));
        assert_fields(
            &document["snapshot"],
            "path channel source compression bytes page_size pages journal_mode sha256 modified wal_bytes copied_by untouched compared_by \
             changed",
        );
        assert_eq!(document["snapshot"]["untouched"], true);
        assert_fields(
            &document["plan"],
            "tool layout driver folder ledger applied pending skipped edited missing decisions drift code_drift",
        );
        for list in ["applied", "pending"] {
            assert_fields(&document["plan"][list][0], "name file checksum statements");
        }
        assert_fields(&document["plan"]["decisions"][0], "what value why");
        let execution = &document["execution"];
        assert_fields(
            execution,
            "outcome elapsed_ms settings driver_version command steps way_back faults alternatives error",
        );
        assert_fields(
            &execution["settings"],
            "foreign_keys dqs transaction several_statements around journal_mode driver_sqlite_version",
        );
        let step = &execution["steps"][3];
        assert_fields(
            step,
            "migration file statement line sql elapsed_ms changes bytes_after bytes_written peak_bytes measured_ms error ran",
        );
        assert_eq!(
            (&step["statement"], &step["line"], &step["sql"]),
            (&4.into(), &8.into(), &"DROP TABLE `users`".into())
        );
        assert_fields(&step["changes"][0], "table by inserted updated deleted");
        assert_eq!(step["changes"][0]["by"], "foreign-key");
        let posts = &document["tables"][0];
        assert_fields(posts, "name before_name change rows read_by columns");
        assert_fields(&posts["rows"], "before after lost gained changed");
        assert_eq!(posts["rows"]["lost"], 100);
        assert_fields(&posts["columns"][0], "name before_name nulls classes values");
        assert_fields(&posts["columns"][0]["nulls"], "before after");
        assert_fields(&posts["columns"][0]["classes"], "before after");
        assert_fields(
            &posts["columns"][0]["values"],
            "changed nulled filled converted lossy lossy_kinds text_altered blank_to_null null_to_blank shifted_from",
        );
        assert_eq!(posts["columns"][0]["classes"]["before"]["integer"], 100);
        assert_fields(&document["schema"], "changes diff");
        assert_fields(&document["schema"]["changes"][0], "kind change table name detail");
        let resources = &document["resources"];
        assert_fields(resources, "bytes_before bytes_after rows_written usage machine measured");
        assert_fields(
            &resources["usage"],
            "bytes_written peak_bytes needed_bytes log_peak_bytes temporary_peak_bytes free_bytes at_most disk_free_bytes write_lock readers",
        );
        assert_fields(&resources["usage"]["write_lock"], "times total_ms longest_ms first last");
        assert_fields(
            &document["findings"][0],
            "code name level table column object migration file line position statement label rows message cause proof help waived",
        );
        assert_eq!(document["findings"][0]["code"], "LS102");
        assert_eq!(document["findings"][0]["rows"], 100);
    }

    #[test]
    fn what_is_unchanged_has_its_rows_and_nothing_else() {
        let document = Project::new(USERS).migration("1.sql", DELETES).document(&[]);
        let users = document["tables"].as_array().unwrap().iter().find(|table| table["name"] == "users").unwrap();
        assert_fields(users, "name before_name change rows read_by");
        assert_eq!(users["change"], "same");
    }

    #[test]
    fn a_failure() {
        let document = Project::new(USERS).migration("1.sql", "UPDATE users SET id = 1;").document(&[]);
        assert_eq!((&document["verdict"], &document["execution"]["outcome"]), (&"failed".into(), &"failed".into()));
        let error = &document["execution"]["steps"][0]["error"];
        assert_fields(error, "message extended_code code");
        assert_eq!(error["code"], "SQLITE_CONSTRAINT_PRIMARYKEY");
        assert_eq!(&document["execution"]["error"], error);
    }

    #[test]
    fn what_the_other_drivers_do() {
        let project = Project::new(USERS).migration("1.sql", DELETES);
        let ran = project.run(&["--snapshot", "prod.db", "--migrations", "migrations", "--format", "json"]);
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_fields(&document["execution"]["alternatives"][0], "driver outcome error rows_lost differs");
    }

    #[test]
    fn the_same_again() {
        let project = Project::demo();
        let without_times = || {
            let ran = project.run(&[&DEMO[..], &["--format", "json"]].concat());
            let is_clock = |line: &&str| ["_ms\"", "\"rehearsed_at\""].iter().any(|clock| line.contains(clock));
            ran.stdout.lines().filter(|line| !is_clock(line)).map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(without_times(), without_times());
    }

    #[test]
    fn plan_rules_and_explain() {
        let project = Project::demo();
        let json = |arguments: &[&str]| -> Value { serde_json::from_str(&project.run(arguments).stdout).unwrap() };
        let plan = json(&["plan", "--snapshot", "prod.db", "--format", "json"]);
        assert_eq!(
            (plan["applied"][0]["name"].as_str(), plan["pending"][0]["statements"].as_u64()),
            (Some("0000_init"), Some(6))
        );
        let rules = json(&["rules", "--format", "json"]);
        assert_fields(&rules[0], "code name level basis since when effect fix");
        let rule = json(&["explain", "cascade-deleted-rows", "--format", "json"]);
        assert_eq!(rules.as_array().unwrap().iter().find(|one| one["code"] == "LS102"), Some(&rule));
    }
}

mod matrix {
    use super::{DEMO, Project, Value};

    #[test]
    fn every_driver_is_in_the_table_and_the_verdict_is_that_of_one() {
        let project = Project::demo();
        let alone = project.run(&DEMO);
        let ran = project.run(&[&DEMO[..], &["--matrix", "--format", "json"]].concat());
        assert_eq!(ran.code, alone.code, "{}", ran.stderr);
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        let cells = document["matrix"].as_array().unwrap();
        let of = |driver: &str| cells.iter().find(|cell| cell["driver"] == driver).unwrap();
        let decided: Vec<&Value> = cells.iter().filter(|cell| cell["decided"] == true).collect();
        assert_eq!(decided, [of("better-sqlite3")]);
        assert_eq!(of("better-sqlite3")["rows_lost"], 100);
        assert_eq!(of("better-sqlite3")["codes"][0], "LS102");
        assert_eq!(of("libsql")["rows_lost"], 0);
        assert_eq!(of("libsql")["codes"].as_array().unwrap().len(), 0);
        assert_eq!(of("d1")["rows_lost"], 100);
        assert!(!document["findings"].as_array().unwrap().iter().any(|finding| finding["code"] == "TX511"));
    }

    #[test]
    fn a_waiver_counts_under_every_driver_and_is_missed_under_none() {
        let project = Project::demo();
        std::fs::write(project.path("rehearse.yaml"), "allow: [{rule: LS102, table: posts, because: x}]\n").unwrap();
        let ran = project.run(&[&DEMO[..], &["--matrix", "--format", "json"]].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.all());
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        for cell in document["matrix"].as_array().unwrap() {
            assert_eq!((&cell["level"], &cell["codes"]), (&Value::Null, &Value::Array(Vec::new())), "{cell}");
        }
    }

    #[test]
    fn every_field_of_a_cell_is_documented() {
        let project = Project::demo();
        let ran = project.run(&[&DEMO[..], &["--matrix", "--format", "json"]].concat());
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        let fields: Vec<&String> = document["matrix"][0].as_object().unwrap().keys().collect();
        assert_eq!(
            fields,
            [
                "codes",
                "decided",
                "driver",
                "error",
                "foreign_keys",
                "level",
                "outcome",
                "rows_lost",
                "sqlite_version",
                "transaction_around",
                "values_changed"
            ]
        );
    }

    #[test]
    fn demands_are_judged_under_every_driver() {
        let project = Project::demo();
        let config = "expect:\n  tables: {posts: unchanged}\n  queries: [{name: all, sql: SELECT count(*) FROM posts, is: 100}]\n";
        std::fs::write(project.path("rehearse.yaml"), config).unwrap();
        let run = |more: &[&str]| project.run(&[&DEMO[..], &["--format", "json"], more].concat());
        let document: Value = serde_json::from_str(&run(&["--matrix"]).stdout).unwrap();
        for cell in document["matrix"].as_array().unwrap() {
            let unmet = cell["codes"].as_array().unwrap().contains(&"EP951".into());
            assert_eq!(unmet, cell["rows_lost"] != 0, "{cell}");
        }
        for (driver, code) in [("better-sqlite3", 1), ("libsql", 0), ("d1", 1), ("bun-sqlite", 0)] {
            let ran = run(&["--driver", driver]);
            assert_eq!(ran.code, Some(code), "{driver}");
            assert_eq!(ran.stdout.matches("\"EP951\"").count(), if code == 1 { 2 } else { 0 }, "{driver}");
        }
    }

    #[test]
    fn it_is_left_out_where_nobody_asked() {
        let ran = Project::demo().run(&[&DEMO[..], &["--format", "json"]].concat());
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert!(document.get("matrix").is_none());
    }
}

#[test]
fn a_scenario_that_cannot_run_is_named() {
    let project = Project::empty();
    for (scenario, code, said) in [
        (
            "snapshot: CREATE TABLE t (a",
            4,
            "error: running the scenario's `snapshot`: incomplete input\nhint: in the scenario `x.yaml`\n",
        ),
        (
            "config: 'rules: {LS1: note}'",
            2,
            "error: reading `rehearse.yaml:1:9`: `rules`: there is no rule `LS1`; did you mean `LS110`? (every rule: rehearse \
             rules)\n  |\n1 | rules: {LS1: note}\n  |         ^^^\nhint: in the scenario `x.yaml`\n",
        ),
        (
            "drivr: d1",
            2,
            "error: reading `x.yaml:1:1`: unknown key `drivr`\n  |\n1 | drivr: d1\n  | ^^^^^\nhint: did you mean `driver`?\n\
             hint: allowed here: about, tool, layout, driver, foreign_keys, table, fail_on, max_snapshot_age, config, \
             snapshot, snapshot_state, migrations, files, queries, doctor, down, faults, exec, time_limit, max_growth, \
             disk_free, allow_unsafe_sql, nearly, expect\n",
        ),
    ] {
        std::fs::write(project.path("x.yaml"), format!("{scenario}\nexpect: {{verdict: passed}}\n")).unwrap();
        project.run(&["test", "x.yaml"]).refused(code, said);
    }
}

/// What is said to do is done, and helps.
mod help {
    use super::{DEMO, Project, Value};

    const REBUILD: &str = "CREATE TABLE `__new_users` (`id` integer PRIMARY KEY NOT NULL, `email` text NOT NULL);
        --> statement-breakpoint
        INSERT INTO `__new_users`(\"id\", \"email\") SELECT \"id\", \"email\" FROM `users`;--> statement-breakpoint
        DROP TABLE `users`;--> statement-breakpoint
        ALTER TABLE `__new_users` RENAME TO `users`;";

    /// Three tables that refer to `users`, one of them with a table that refers to it in turn.
    fn with_children() -> Project {
        let project = Project::demo();
        project.database(
            "prod.db",
            "CREATE TABLE \"like's\" (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE, \"a b\" TEXT);
             CREATE TABLE audit (id INTEGER PRIMARY KEY, who INTEGER REFERENCES users (id) ON DELETE SET NULL);
             CREATE TABLE replies (id INTEGER PRIMARY KEY, post INTEGER REFERENCES posts (id) ON DELETE CASCADE);
             INSERT INTO \"like's\" SELECT id, id, 'x' FROM users;
             INSERT INTO audit SELECT id, id FROM users;
             INSERT INTO replies SELECT id, id FROM posts;",
        );
        std::fs::write(project.path("drizzle/0001_email_required.sql"), REBUILD).unwrap();
        project
    }

    fn findings(project: &Project) -> (Option<i32>, Vec<Value>) {
        let ran = project.run(&[&DEMO[..], &["--driver", "d1", "--format", "json"]].concat());
        let document: Value = serde_json::from_str(&ran.stdout).unwrap();
        // No migration made the tables.
        let findings = document["findings"].as_array().unwrap().iter().filter(|finding| finding["code"] != "SN916");
        (ran.code, findings.cloned().collect())
    }

    #[test]
    fn each_help_for_d1_keeps_the_rows_of_every_child_when_it_is_pasted() {
        let project = with_children();
        let (code, lost) = findings(&project);
        assert_eq!(code, Some(1));
        let tables: Vec<&str> = lost.iter().map(|finding| finding["table"].as_str().unwrap()).collect();
        assert_eq!(tables, ["like's", "posts", "replies", "audit"]);
        for finding in lost {
            let help = finding["help"][0].as_str().unwrap();
            let (_, code) = help.split_once(":\n").unwrap();
            let pasted = code.replace(
                "-- the rebuild of \"users\"",
                &format!("--> statement-breakpoint\n{REBUILD}\n--> statement-breakpoint"),
            );
            assert_ne!(code, pasted);
            std::fs::write(project.path("drizzle/0001_email_required.sql"), pasted).unwrap();
            let (code, left) = findings(&project);
            assert_eq!((code, left), (Some(0), Vec::new()), "{help}");
        }
    }

    #[test]
    fn a_newer_sqlite_is_an_error_where_the_lock_file_says_that_the_driver_has_an_older_one() {
        let project = Project::demo();
        let package = r#"{"dependencies": {"drizzle-orm": "0.45.4", "@libsql/client": "^0.14.0"}}"#;
        std::fs::write(project.path("package.json"), package).unwrap();
        std::fs::write(project.path("drizzle/0001_email_required.sql"), "SELECT unistr('x');").unwrap();
        for (locked, level, code) in
            [(None, "warning", 0), (Some("0.14.0"), "error", 1), (Some("99.0.0"), "warning", 0)]
        {
            if let Some(version) = locked {
                let lock = format!(
                    r#"{{"lockfileVersion": 3, "packages": {{"node_modules/@libsql/client": {{"version": "{version}"}}}}}}"#
                );
                std::fs::write(project.path("package-lock.json"), lock).unwrap();
            }
            let ran = project.run(&[&DEMO[..], &["--format", "json"]].concat());
            let document: Value = serde_json::from_str(&ran.stdout).unwrap();
            let found: Vec<_> =
                document["findings"].as_array().unwrap().iter().map(|one| (&one["code"], &one["level"])).collect();
            assert_eq!(found, [(&"TX512".into(), &level.into())], "{locked:?}");
            assert_eq!(ran.code, Some(code), "{locked:?}");
            assert!(locked.is_none_or(|version| document["findings"][0]["cause"].as_str().unwrap().contains(version)));
        }
    }
}
