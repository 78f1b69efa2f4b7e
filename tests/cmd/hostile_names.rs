//! Names in a database, of files and of arguments are harmless in a terminal and in a log of CI, in every format, and can be read.

use rehearse::report::Format;
use rehearse::report::visible::{visible, without_commands};

use super::support::Project;

/// Names with everything that acts on a terminal, in a CI log, or on a reader.
const NAMES: [&str; 12] = [
    "\u{1b}[2Jposts",
    "a\n::error::forged",
    "::error::forged",
    "x\r\nerror[LS999] forged",
    "\u{202e}stsop\u{2069}",
    "a\u{9b}31m\u{7}",
    "##[error]forged",
    "##vso[task.complete]forged",
    "##teamcity[message text='forged']",
    "\u{1b}]8;;http://evil.example\u{1b}\\link",
    "</code><script>alert(1)</script><img src=x onerror=alert(1)>",
    "`` | ![x](http://evil.example/x.png) @octocat #123 <!-- ]]>",
];

/// A database in which everything has this name or begins with it.
fn snapshot(name: &str) -> String {
    let quoted = |what: &str| format!("\"{name}{what}\"");
    let (table, view, index, trigger) = (quoted(""), quoted(" view"), quoted(" index"), quoted(" trigger"));
    format!(
        "CREATE TABLE {table} ({table} TEXT, b TEXT); INSERT INTO {table} VALUES ('v', 'w');
         CREATE INDEX {index} ON {table} (b); CREATE VIEW {view} AS SELECT {table} AS {view} FROM {table};
         CREATE TRIGGER {trigger} AFTER DELETE ON {table} BEGIN INSERT INTO {table} VALUES (NULL, 'x'); END;"
    )
}

/// Migrations that lose, break and fail, with every name in what is said of them.
fn migrations(name: &str) -> [String; 6] {
    let quoted = format!("\"{name}\"");
    [
        format!("DELETE FROM {quoted};"),
        format!("UPDATE {quoted} SET {quoted} = NULL; DROP TABLE {quoted};"),
        format!("DROP VIEW \"{name} view\"; ALTER TABLE {quoted} DROP COLUMN {quoted};"),
        format!("CREATE UNIQUE INDEX i ON {quoted} ({quoted}); INSERT INTO {quoted} SELECT * FROM {quoted};"),
        format!("INSERT INTO {quoted} (\"nowhere{name}\") VALUES (1);"),
        format!(
            "DROP VIEW \"{name} view\"; CREATE TABLE n (b TEXT); INSERT INTO n SELECT b FROM {quoted};
             DROP TABLE {quoted}; ALTER TABLE n RENAME TO {quoted};"
        ),
    ]
}

#[test]
fn hostile_names_are_harmless_and_can_be_read() {
    let files: Vec<String> = Format::ALL.iter().map(|format| format!("report.{}", format.name())).collect();
    let made: Vec<&str> = files.iter().map(String::as_str).collect();
    let reports: Vec<String> =
        Format::ALL.iter().map(|format| format!("--report={0}=report.{0}", format.name())).collect();
    for name in NAMES {
        for migration in migrations(name) {
            let file = format!("1{}.sql", name.replace('/', ""));
            let project = Project::new(&snapshot(name)).migration(&file, &migration);
            let mut arguments = vec!["-v", "--samples", "values"];
            arguments.extend(reports.iter().map(String::as_str));
            let main = ["--snapshot", "prod.db", "--migrations", "migrations", "--driver", "sqlite"];
            let ran = project.run_making(&[&main, &arguments[..]].concat(), &made);
            assert!(matches!(ran.code, Some(1 | 3)), "{name:?}: {:?} {}", ran.code, ran.stderr);
            assert_harmless(&ran.all(), false);
            let shown = without_commands(&visible(name), "\u{266f}");
            // A long name is broken where the line ends.
            let told: String = ran.stdout.split_whitespace().collect();
            assert!(told.contains(&shown.split_whitespace().collect::<String>()), "{shown} in {}", ran.stdout);
            for (format, file) in Format::ALL.iter().zip(&files) {
                let written = std::fs::read_to_string(project.path(file)).unwrap();
                is_whole(*format, &written);
                std::fs::remove_file(project.path(file)).unwrap();
            }
        }
    }
}

/// The file is of its format, and the name has put nothing into it.
#[track_caller]
fn is_whole(format: Format, written: &str) {
    let is_for_programs = matches!(format, Format::Json | Format::Sarif | Format::Gitlab);
    if format == Format::Github {
        let plain: Vec<&str> = written.lines().filter(|line| !line.starts_with("::")).collect();
        assert!(matches!(plain[..], [line] if line.starts_with("rehearse: ")), "{written}");
        let is_ours = |line: &&str| ["::error ", "::warning ", "::notice "].iter().any(|one| line.starts_with(one));
        assert!(written.lines().filter(|line| line.starts_with("::")).all(|line| is_ours(&line)), "{written}");
    } else {
        // In a block of code a line is none of the report.
        let lines = if format == Format::Text { written.to_owned() } else { written.replace("error[LS999]", "") };
        assert_harmless(&lines, is_for_programs);
    }
    match format {
        Format::Json | Format::Sarif | Format::Gitlab => {
            serde_json::from_str::<serde_json::Value>(written).unwrap();
        }
        Format::Junit => {
            roxmltree::Document::parse(written).unwrap();
        }
        Format::Html => assert!(!written.contains("<script") && !written.contains("<img"), "{written}"),
        Format::Dotenv => assert!(written.lines().all(|line| line.starts_with("REHEARSAL_")), "{written}"),
        Format::Markdown | Format::Text | Format::Github => {}
    }
}

#[test]
fn hostile_names_are_harmless_with_every_option_and_in_other_commands() {
    for name in NAMES {
        let quoted = format!("\"{name}\"");
        let [deletes, _, _, _, fails, _] = migrations(name);
        for migration in [deletes, fails] {
            let file = format!("1{}.sql", name.replace('/', ""));
            let project = Project::new(&snapshot(name)).migration(&file, &migration);
            project.database("empty.db", &format!("CREATE TABLE {quoted} (a);"));
            for arguments in [
                &["diff", "prod.db", "empty.db"][..],
                &["profile", "prod.db"],
                &["plan", "--snapshot", "prod.db", "--migrations", "migrations"],
            ] {
                for more in [&["-v"][..], &["-q"], &["--format", "json"]] {
                    assert_harmless(&project.run(&[arguments, more].concat()).all(), more.contains(&"json"));
                }
            }
            let config = serde_json::json!({
                "allow": [{"rule": "LS107", "table": name, "because": name}],
                "expect": {
                    "tables": {name: {"lost": 0, "columns": {name: {"changed": 0}}}},
                    "queries": [{"name": name, "sql": format!("SELECT * FROM {quoted}"), "same": true}],
                },
            });
            for more in [&["-v"][..], &["-q"], &["--format", "json"], &["--samples", "values", "--matrix"]] {
                for config in ["", &config.to_string().replace('\u{9b}', "\\u009b")] {
                    std::fs::write(project.path("rehearse.yaml"), config).unwrap();
                    let ran = project.rehearse(more);
                    assert!(matches!(ran.code, Some(0 | 1 | 3)), "{name:?}: {:?} {}", ran.code, ran.stderr);
                    assert_harmless(&ran.all(), more.contains(&"json"));
                }
            }
        }
    }
}

/// The file of the database and what cannot be read in it, a scenario and a configuration, under hostile names.
#[test]
fn hostile_file_names_are_harmless() {
    for name in NAMES.map(|name| name.replace('/', "")) {
        let project =
            Project::new("CREATE TABLE t (a); INSERT INTO t VALUES (1);").migration("1.sql", "DELETE FROM t;");
        project.database(&name, "CREATE TABLE t (a); INSERT INTO t VALUES (1);");
        let scenario = format!("{name}.yaml");
        std::fs::write(project.path(&scenario), "nowhere: 1").unwrap();
        let no_database = format!("{name}.db");
        std::fs::write(project.path(&no_database), "no database").unwrap();
        let given = format!("./{name}");
        for (arguments, code) in [
            (&["--snapshot", given.as_str(), "--migrations", "migrations", "--driver", "sqlite", "-v"][..], 1),
            (&["--snapshot", &given, "--migrations", "migrations", "--driver", "sqlite", "--format", "json"], 1),
            (&["--snapshot", &format!("{given}.db"), "--migrations", "migrations"], 4),
            (&["diff", "prod.db", &given], 0),
            (&["profile", &given], 0),
            (&["test", &format!("{given}.yaml")], 2),
            (&["--snapshot", "prod.db", "--config", &format!("{given}.yaml")], 2),
        ] {
            let ran = project.run(arguments);
            assert_eq!(ran.code, Some(code), "{arguments:?}: {}", ran.all());
            assert_harmless(&ran.all(), arguments.contains(&"json"));
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
            ["--snapshot", "prod.db", "--config", name],
            ["--snapshot", "prod.db", "--level", &format!("{name}=note")],
            ["--snapshot", "prod.db", "--samples", name],
        ] {
            let ran = project.run(&arguments);
            assert!(matches!(ran.code, Some(2 | 4)), "{arguments:?}");
            assert_harmless(&ran.all(), false);
        }
        for arguments in [&["explain", name][..], &["diff", name, "prod.db"], &["profile", name]] {
            assert_harmless(&project.run(arguments).all(), false);
        }
    }
}

#[track_caller]
fn assert_harmless(text: &str, is_json: bool) {
    let acts = |sign: char| (sign.is_control() && sign != '\n') || "\u{202e}\u{2069}\u{9b}".contains(sign);
    assert!(!text.contains(acts), "{text:?}");
    let is_command = |line: &str| {
        line.trim_start().starts_with("::") || without_commands(line, "") != line || line.starts_with("error[LS999]")
    };
    assert!(is_json || !text.lines().any(is_command), "{text}");
}
