//! Holds the rules together: record, page, the scenario in which it fires, the one in `quiet/` in which it nearly does. And the
//! stages of the pipeline: each imports only what stands to its left.
//!
//! `REHEARSE_UPDATE=1 cargo test --test catalogue` writes the SQL and the report on the pages anew.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rehearse::expectations::scenario::Scenario;
use rehearse::findings::Rule;
use rehearse::findings::catalogue::{RULES, find};
use rehearse::report::document::{Document, Finding};
use rehearse::report::text::{Detail, Style, render, render_diagnosis};
use rehearse::scenarios::{ScenarioOutcome, run};

const HEADINGS: [&str; 6] =
    ["## What it checks", "## Why it matters", "## Example", "## What to do", "## When it is fine", "## See also"];
/// The stages in their order.
const STAGES: [&str; 11] = [
    "sqlite_file",
    "schema",
    "snapshot",
    "migrations",
    "queries",
    "execution",
    "profile",
    "compare",
    "findings",
    "expectations",
    "report",
];
/// What every stage may use.
const FREE: [&str; 5] = ["error", "files", "observer", "repository", "units"];
/// How reports are laid out on the pages.
const STYLE: Style = Style { colour: false, width: 100, detail: Detail::Full };

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder with this extension, by path.
fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display())) {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|other| other == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Every scenario, by its path below the project.
fn scenarios() -> Vec<(String, Scenario)> {
    let read = |path: PathBuf| {
        let name = path.strip_prefix(root()).unwrap().display().to_string();
        (name, Scenario::read(&path).unwrap_or_else(|error| panic!("{error}")))
    };
    files(&root().join("scenarios"), "yaml").into_iter().map(read).collect()
}

fn is_quiet(name: &str) -> bool {
    name.starts_with("scenarios/quiet/")
}

#[test]
fn codes_are_sorted_and_unique_and_found_by_both_names() {
    let codes: Vec<_> = RULES.iter().map(|rule| rule.code).collect();
    let mut sorted = codes.clone();
    let family = |code: &str| {
        ["LS", "VL", "SC", "IN", "TX", "EX", "RS", "QC", "SN", "EP"].iter().position(|family| code.starts_with(family))
    };
    sorted.sort_by_key(|code| (family(code), *code));
    sorted.dedup();
    assert_eq!(codes, sorted);
    let names: BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(names.len(), RULES.len(), "a name is used twice");
    for rule in RULES {
        assert_eq!(find(rule.name).map(|found| found.code), Some(rule.code));
        assert_eq!(find(&rule.code.to_lowercase()).map(|found| found.code), Some(rule.code));
    }
}

#[test]
fn every_record_is_worded_as_a_clause() {
    for rule in RULES {
        for clause in [rule.when, rule.effect, rule.fix] {
            assert!(!clause.is_empty() && !clause.ends_with('.'), "{}: `{clause}`", rule.code);
        }
        let kebab = |letter: char| letter.is_ascii_lowercase() || letter == '-';
        assert!(rule.name.chars().all(kebab), "{}", rule.name);
    }
}

#[test]
fn every_rule_has_a_page_with_the_fixed_headings() {
    for rule in RULES {
        let page = rule.page;
        assert_eq!(page.lines().next(), Some(format!("# {} {}", rule.code, rule.name).as_str()));
        let headings: Vec<_> = page.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, HEADINGS, "{}", rule.code);
        for heading in HEADINGS {
            assert!(!section(page, heading).trim().is_empty(), "{}: `{heading}` is empty", rule.code);
        }
    }
    let known: BTreeSet<_> = RULES.iter().map(|rule| format!("{}.md", rule.code)).collect();
    let pages: BTreeSet<_> = files(&root().join("docs/rules"), "md")
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    assert_eq!(pages, known);
}

#[test]
fn pages_refer_only_to_rules_that_exist() {
    for rule in RULES {
        let words = section(rule.page, "## See also");
        let codes = words.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| is_code(word));
        for code in codes {
            assert!(find(code).is_some(), "{} refers to {code}", rule.code);
            assert_ne!(code, rule.code, "{} refers to itself", rule.code);
        }
    }
}

fn is_code(word: &str) -> bool {
    word.len() == 5
        && word[..2].chars().all(|letter| letter.is_ascii_uppercase())
        && word[2..].chars().all(|digit| digit.is_ascii_digit())
}

#[test]
fn every_rule_fires_in_a_scenario_and_nearly_fires_in_a_quiet_one() {
    let scenarios = scenarios();
    let fires: BTreeSet<_> = scenarios
        .iter()
        .flat_map(|(_, scenario)| {
            scenario
                .expect
                .findings
                .iter()
                .map(|finding| finding.rule.0)
                .chain(scenario.expect.error.map(|rule| rule.0))
        })
        .collect();
    let nearly: BTreeSet<_> = scenarios
        .iter()
        .filter(|(name, _)| is_quiet(name))
        .flat_map(|(_, scenario)| scenario.nearly.iter().map(|rule| rule.0))
        .collect();
    let all: BTreeSet<_> = RULES.iter().map(|rule| rule.code).collect();
    assert_eq!(all.difference(&fires).collect::<Vec<_>>(), Vec::<&&str>::new(), "fire nowhere");
    assert_eq!(all.difference(&nearly).collect::<Vec<_>>(), Vec::<&&str>::new(), "nearly fire nowhere");
}

#[test]
fn scenarios_are_filed_and_named_after_what_they_show() {
    for (name, scenario) in scenarios() {
        let (folder, file) = name.trim_start_matches("scenarios/").split_once('/').expect("a folder per family");
        assert!(scenario.about.is_some(), "{name} has no `about`");
        let (code, fact) = file.trim_end_matches(".yaml").split_once('_').expect("a sentence");
        assert!(!fact.is_empty(), "{name}");
        if is_quiet(&name) {
            assert!(scenario.expect.findings.is_empty() && !scenario.nearly.is_empty(), "{name}");
            continue;
        }
        assert!(code.starts_with(folder) && find(code).is_some(), "{name}");
        let expected = scenario
            .expect
            .findings
            .iter()
            .map(|finding| finding.rule.0)
            .chain(scenario.expect.error.map(|rule| rule.0));
        assert!(expected.into_iter().any(|rule| rule == code), "{name} does not expect {code}");
    }
}

#[test]
fn the_examples_on_the_pages_are_current() {
    let update = std::env::var_os("REHEARSE_UPDATE").is_some();
    let mut wrong = Vec::new();
    for rule in RULES {
        let path = root().join("docs/rules").join(format!("{}.md", rule.code));
        let page = std::fs::read_to_string(&path).unwrap();
        match with_example(rule, &page) {
            Ok(current) if update => std::fs::write(&path, &current).unwrap(),
            Ok(current) if page == current => {}
            Ok(_) => wrong.push(format!("{}: run REHEARSE_UPDATE=1 cargo test --test catalogue", rule.code)),
            Err(why) => wrong.push(format!("{}: {why}", rule.code)),
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// The page with the SQL and the report of the scenario that it names.
fn with_example(rule: &Rule, page: &str) -> Result<String, String> {
    let example = section(page, "## Example");
    let line = example.lines().find_map(|line| line.strip_prefix("Scenario: ")).ok_or("no `Scenario: ` line")?;
    let outcome = run(&root().join(line.trim())).map_err(|error| error.to_string())?;
    let current = match &outcome.scenario.exec {
        _ if outcome.diagnosis.is_some() => {
            let files = files_of(&outcome, &report(rule, &outcome)?);
            with_block(page, "console", &files).ok_or("no ```console block")?
        }
        Some(command) => with_block(page, "sh", &format!("rehearse --exec '{command}'")).ok_or("no ```sh block")?,
        None => with_block(page, "sql", &migrations(&outcome)).ok_or("no ```sql block")?,
    };
    with_block(&current, "text", &report(rule, &outcome)?).ok_or_else(|| "no ```text block".to_owned())
}

/// The migrations that are not applied; where all are, the last one.
fn migrations(outcome: &ScenarioOutcome) -> String {
    let migrations = &outcome.scenario.migrations;
    let files = outcome.scenario.files.iter().filter(|(path, _)| path.as_bytes().ends_with(b".sql"));
    let files: Vec<_> = files.map(|(path, sql)| format!("-- {path}\n{}", sql.trim_end())).collect();
    if !files.is_empty() {
        return files.join("\n\n");
    }
    let wanted: Vec<_> =
        migrations.iter().filter(|migration| !migration.applied && !migration.sql.is_empty()).collect();
    let wanted = if wanted.is_empty() { migrations.last().into_iter().collect() } else { wanted };
    match wanted.as_slice() {
        [one] => one.sql.trim_end().to_owned(),
        several => several
            .iter()
            .map(|one| format!("-- {}\n{}", one.name, one.sql.trim_end()))
            .collect::<Vec<_>>()
            .join("\n\n"),
    }
}

/// The files that the report names, else the migrations, else every file; and the command.
fn files_of(outcome: &ScenarioOutcome, report: &str) -> String {
    let scenario = &outcome.scenario;
    let pending = scenario.migrations.iter().filter(|migration| !migration.applied && !migration.sql.is_empty());
    let migrations = pending.map(|migration| (format!("drizzle/{}.sql", migration.name), &migration.sql));
    let migrations: Vec<_> = migrations.collect();
    let files: Vec<_> = scenario.files.iter().map(|(path, text)| (path.clone(), text)).collect();
    let named = files.iter().filter(|(path, _)| report.contains(path.as_str())).cloned().collect();
    let shown = [named, migrations, files].into_iter().find(|files| !files.is_empty()).unwrap_or_default();
    let shown = shown.iter().map(|(path, text)| format!("$ cat {path}\n{}\n\n", text.trim_end()));
    format!("{}$ rehearse doctor --snapshot prod.db", shown.collect::<String>())
}

/// What the report says of this rule.
fn report(rule: &Rule, outcome: &ScenarioOutcome) -> Result<String, String> {
    if let Some(diagnosis) = &outcome.diagnosis {
        let mut diagnosis = diagnosis.clone();
        for check in &mut diagnosis.checks {
            check.findings.retain(|finding| finding.code == rule.code);
        }
        return excerpt(rule, &render_diagnosis(&diagnosis, &STYLE));
    }
    if let Some(document) = &outcome.document {
        let findings: Vec<Finding> =
            document.findings.iter().filter(|finding| finding.code == rule.code).cloned().map(timeless).collect();
        let document = Document { findings, ..document.clone() };
        return excerpt(rule, &render(&document, &STYLE));
    }
    let error = outcome.error.as_ref().ok_or("its scenario has neither a report nor an error")?;
    let mut lines = vec![format!("error: {error}")];
    lines.extend(error.hints().iter().map(|hint| format!("hint: {hint}")));
    Ok(stable(&lines.join("\n")))
}

/// The finding with one and the same time where it tells one: `< 0.1 ms`, `1.2 ms` and `1.2 s` are `12 ms`.
fn timeless(mut finding: Finding) -> Finding {
    for text in [Some(&mut finding.message), finding.label.as_mut()].into_iter().flatten() {
        let mut words: Vec<&str> = Vec::new();
        for word in text.split(' ') {
            let number = words.last().filter(|last| last.starts_with(|at: char| at.is_ascii_digit()));
            let unit = word.trim_end_matches(',');
            let is_time = |number: &&str| unit == "ms" || unit == "s" && number.contains('.');
            if number.is_some_and(is_time) {
                words.pop();
                words.pop_if(|before| *before == "<");
                words.extend(["12", if word.ends_with(',') { "ms," } else { "ms" }]);
            } else {
                words.push(word);
            }
        }
        *text = words.join(" ");
    }
    finding
}

/// The lines of a report that are about this rule.
fn excerpt(rule: &Rule, report: &str) -> Result<String, String> {
    let mark = format!("[{}] ", rule.code);
    let lines: Vec<_> =
        report.lines().skip_while(|line| !line.contains(&mark)).take_while(|line| !line.is_empty()).collect();
    if lines.is_empty() { Err("its scenario does not make it fire".to_owned()) } else { Ok(stable(&lines.join("\n"))) }
}

/// Without what differs from run to run: the temporary folder.
fn stable(text: &str) -> String {
    let mut text = text.to_owned();
    while let Some(start) = text.find(&*std::env::temp_dir().to_string_lossy()) {
        let end = text[start..]
            .find("prod.db")
            .or_else(|| text[start..].find("kept.db"))
            .map_or(text.len(), |length| start + length);
        text.replace_range(start..end, "");
    }
    text
}

/// The text between a heading and the next one.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let Some((_, rest)) = page.split_once(&format!("\n{heading}\n")) else { return "" };
    rest.split_once("\n## ").map_or(rest, |(section, _)| section)
}

/// The page with this text in the first block of this language below `## Example`.
fn with_block(page: &str, language: &str, text: &str) -> Option<String> {
    let (before, example) = page.split_once("\n## Example\n")?;
    let fence = format!("```{language}\n");
    let start = example.find(&fence)? + fence.len();
    let end = start + example[start..].find("```")?;
    Some(format!("{before}\n## Example\n{}{text}\n{}", &example[..start], &example[end..]))
}

#[test]
fn a_stage_imports_only_what_stands_to_its_left() {
    let mut wrong = BTreeMap::new();
    for (position, stage) in STAGES.iter().enumerate() {
        for path in files(&root().join("src").join(stage), "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            for module in crate_modules(&text) {
                let allowed = FREE.contains(&module.as_str()) || STAGES[..=position].contains(&module.as_str());
                if !allowed {
                    wrong
                        .entry(path.strip_prefix(root()).unwrap().display().to_string())
                        .or_insert_with(Vec::new)
                        .push(module);
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Every module named in `crate::module`, comments left out; `use crate::{a, b::c}` names a and b.
fn crate_modules(text: &str) -> BTreeSet<String> {
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let code = text.lines().filter(is_code).collect::<Vec<_>>().join("\n");
    let mut modules = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            modules.extend(top_names(group));
        } else {
            modules.insert(word(rest));
        }
    }
    modules
}

/// The names at the top level of a group of imports.
fn top_names(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut depth = 1;
    let mut begins = true;
    for (at, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' => begins = depth == 1,
            letter if begins && !letter.is_whitespace() => {
                names.push(word(&group[at..]));
                begins = false;
            }
            _ => {}
        }
        if depth == 0 {
            break;
        }
    }
    names
}

fn word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

#[test]
fn the_reader_of_imports_knows_groups() {
    let text = "use crate::{error::Error, report::{a, b}, cli};\n// crate::scenarios\nlet x = crate::schema::f();";
    assert_eq!(crate_modules(text).into_iter().collect::<Vec<_>>(), ["cli", "error", "report", "schema"]);
}
