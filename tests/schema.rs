//! The JSON schemas of the YAML files and of the report: current, true of every file that is read or written, and false of what is refused.
//!
//! `REHEARSE_UPDATE=1 cargo test --test schema` writes them anew.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

use std::path::{Path, PathBuf};

use jsonschema::Validator;
use rehearse::Config;
use rehearse::expectations::scenario::Scenario;
use rehearse::expectations::{schema, yaml};
use rehearse::findings::catalogue::RULES;
use rehearse::report::doctor::Diagnosis;
use rehearse::report::document::Document;
use rehearse::report::fleet::Fleet;
use serde_json::Value;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn config_schema() -> Value {
    schema::of::<Config>("rehearse.yaml")
}

fn report_schema() -> Value {
    schema::of::<Document>("a report of rehearse")
}

fn fleet_schema() -> Value {
    schema::of::<Fleet>("a report of rehearse on many databases")
}

fn diagnosis_schema() -> Value {
    schema::of::<Diagnosis>("a checklist of rehearse doctor")
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft7::new(schema).unwrap()
}

/// The text as the value that an editor sees.
fn value(text: &str) -> Value {
    yaml::parse(text, Path::new("file.yaml")).unwrap_or_else(|error| panic!("{error} in\n{text}"))
}

fn yaml_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(yaml_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every block of YAML of a Markdown file.
fn yaml_blocks(markdown: &str) -> Vec<&str> {
    let blocks = markdown.split("\n```yaml\n").skip(1);
    blocks.filter_map(|rest| rest.split_once("\n```")).map(|(block, _)| block).collect()
}

#[test]
fn the_committed_schemas_are_current() {
    let update = std::env::var_os("REHEARSE_UPDATE").is_some();
    let schemas = [
        ("rehearse", config_schema()),
        ("scenario", schema::scenario()),
        ("report", report_schema()),
        ("fleet", fleet_schema()),
        ("doctor", diagnosis_schema()),
    ];
    for (name, schema) in schemas {
        let path = root().join(format!("docs/schema/{name}.schema.json"));
        let current = format!("{schema:#}\n");
        if update {
            std::fs::write(&path, &current).unwrap();
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == current, "{}: run REHEARSE_UPDATE=1 cargo test --test schema", path.display());
    }
}

#[test]
fn every_checklist_is_one_by_the_schema() {
    let schema = validator(&diagnosis_schema());
    let files = yaml_files(&root().join("scenarios/SN")).into_iter();
    let mut seen = 0;
    for file in files.filter(|file| std::fs::read_to_string(file).unwrap().contains("\ndoctor: true\n")) {
        let diagnosis = rehearse::scenarios::run(&file).unwrap().diagnosis.unwrap();
        let value = serde_json::to_value(&diagnosis).unwrap();
        assert!(schema.is_valid(&value), "{}: {value:#}", file.display());
        seen += 1;
    }
    assert!(seen > 10);
}

#[test]
fn every_scenario_is_one_by_the_schema() {
    let (scenario, config) = (validator(&schema::scenario()), validator(&config_schema()));
    let files = yaml_files(&root().join("scenarios"));
    assert!(files.len() > 100);
    let mut configs = 0;
    for path in files {
        let whole = value(&std::fs::read_to_string(&path).unwrap());
        let own = whole["config"].as_str().map(value);
        configs += usize::from(own.is_some());
        let errors = scenario.iter_errors(&whole).chain(own.iter().flat_map(|own| config.iter_errors(own)));
        let errors: Vec<String> = errors.map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
    }
    assert!(configs > 5, "scenarios with a configuration");
}

#[test]
fn every_example_in_the_documentation_is_valid_and_is_read() {
    let config = validator(&config_schema());
    let scenario = validator(&schema::scenario());
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let pages = RULES.iter().map(|rule| rule.page);
    let examples: Vec<&str> = pages.chain([readme.as_str()]).flat_map(yaml_blocks).collect();
    assert!(examples.len() > 3);
    for text in examples {
        let errors: Vec<String> = config.iter_errors(&value(text)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?} in\n{text}");
        let read: Result<Config, _> = yaml::parse(text, Path::new("rehearse.yaml"));
        assert!(read.is_ok(), "{}", read.unwrap_err());
    }
    let format = std::fs::read_to_string(root().join("scenarios/README.md")).unwrap();
    for text in yaml_blocks(&format) {
        // It shows every key at once, also those of which only one can be right.
        let errors: Vec<String> = scenario.iter_errors(&value(text)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?} in\n{text}");
        let read: Result<Scenario, _> = yaml::parse(text, Path::new("scenario.yaml"));
        assert!(read.is_ok(), "{}", read.unwrap_err());
    }
}

#[test]
fn what_is_no_configuration_is_refused_by_the_schema_and_by_the_reader() {
    let validator = validator(&config_schema());
    let refused = [
        "ruels: {}",
        "rules: {LS999: note}",
        "rules: {LS104: fatal}",
        "rules: [LS104]",
        "allow: [{rule: LS104}]",
        "allow: [{rule: SN907, because: x}]",
        "allow: [{rule: LS104, because: ' '}]",
        "allow: [{rule: LS104, until: soon, because: x}]",
        "allow: [{rule: LS104, at_moost: 3, because: x}]",
        "expect: {table: {}}",
        "expect: {tables: {users: many}}",
        "expect: {tables: {users: -1}}",
        "expect: {tables: {users: 1.5}}",
        "expect: {tables: {users: {}}}",
        "expect: {tables: {users: {losst: 0}}}",
        "expect: {tables: {users: {lost: {at_last: 0}}}}",
        "expect: {tables: {users: {lost: {}}}}",
        "expect: {tables: {users: {rows: gone}}}",
        "expect: {tables: {users: {columns: {a: 5}}}}",
        "expect: {tables: {users: {columns: {a: {nul: 5}}}}}",
        "expect: {queries: [{sql: SELECT 1}]}",
        "expect: {queries: [{same: true}]}",
        "expect: {queries: [{sql: SELECT 1, same: false}]}",
        "expect: {queries: [{sql: SELECT 1, is: true}]}",
        "expect: {queries: [{sql: SELECT 1, is: {least: 1}}]}",
        "expect: {queries: [{sql: SELECT 1, is: [[]]}]}",
        "expect: {queries: {sql: SELECT 1, same: true}}",
    ];
    for text in refused {
        assert!(!validator.is_valid(&value(text)), "the schema takes {text}");
        assert!(yaml::parse::<Config>(text, Path::new("rehearse.yaml")).is_err(), "the reader takes {text}");
    }
}

#[test]
fn what_is_a_configuration_is_taken_by_the_schema_and_by_the_reader() {
    let validator = validator(&config_schema());
    let taken = [
        "rules: {LS104: warning, LS: note, cascade-deleted-rows: error}",
        "allow: [{rule: LS104, table: carts, at_most: 120, until: 2026-12-31, because: moved away}]",
        "expect: {tables: {users: unchanged, carts: gone, posts: 3}}",
        "expect: {tables: {posts: {rows: unchanged, lost: 0, gained: {at_least: 1}, changed: {at_most: 5}}}}",
        "expect: {tables: {posts: {at_least: 1, at_most: 5}}}",
        "expect: {tables: {posts: {rows: {at_least: 1, at_most: 5}}}}",
        "expect: {tables: {posts: {columns: {slug: unchanged, old: gone, title: {nulls: 0, values: 3, nulled: 0}}}}}",
        "expect: {queries: [{name: total, sql: SELECT 1, same: true}, {sql: SELECT 1, is: 42, same: true}]}",
        "expect: {queries: [{sql: SELECT 1, is: null}, {sql: SELECT 1, is: [[1, a], [2, null]]}, {sql: SELECT 1, is: [1, b]}]}",
        "expect: {queries: [{sql: SELECT 1, is: {at_least: 0.5, at_most: 2}}, {sql: SELECT 1, is: []}]}",
    ];
    for text in taken {
        let errors: Vec<String> = validator.iter_errors(&value(text)).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{errors:#?} in {text}");
        let read = yaml::parse::<Config>(text, Path::new("rehearse.yaml"));
        assert!(read.is_ok(), "{}", read.unwrap_err());
    }
}

#[test]
fn what_is_no_scenario_is_refused_by_the_schema_and_by_the_reader() {
    let validator = validator(&schema::scenario());
    let refused = [
        "snapshot: ''",
        "snapshots: ''\nexpect: {verdict: passed}",
        "expect: {verdict: good}",
        "expect: {verdict: passed, tables: [users]}",
        "expect: {verdict: passed, findings: [LS999 posts]}",
        "expect: {verdict: passed, findings: [{rule: LS102, tabel: posts}]}",
        "expect: {verdict: passed, findings: [{LS102 posts: many}]}",
        "tool: flyway\nexpect: {verdict: passed}",
        "max_snapshot_age: 3\nexpect: {verdict: passed}",
        "max_snapshot_age: 3w\nexpect: {verdict: passed}",
        "migrations: [{sql: ''}]\nexpect: {verdict: passed}",
        "migrations: [{name: a, file: away}]\nexpect: {verdict: passed}",
        "snapshot_state: {journal_mode: memory}\nexpect: {verdict: passed}",
    ];
    for text in refused {
        assert!(!validator.is_valid(&value(text)), "the schema takes {text}");
        assert!(yaml::parse::<Scenario>(text, Path::new("scenario.yaml")).is_err(), "the reader takes {text}");
    }
}

#[test]
fn every_report_is_one_by_the_schema() {
    let validator = validator(&report_schema());
    let folder = root().join("tests/fixtures/reports");
    let mut reports = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let saved: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        // As it was saved by an older version, and as this one writes it.
        let written = serde_json::to_value(serde_json::from_value::<Document>(saved.clone()).unwrap()).unwrap();
        for report in [&saved, &written] {
            let errors: Vec<String> = validator.iter_errors(report).map(|error| error.to_string()).collect();
            assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
        }
        reports += 1;
    }
    assert!(reports > 5);
    assert!(!validator.is_valid(&serde_json::json!({ "schema_version": 1, "verdict": "passed" })));
}
