//! The formats for other programs, each held to its published schema or to a reader of its own, over every saved document, over one
//! whose every text is hostile, and over one with 10,000 findings.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by a panic")]

use std::collections::BTreeSet;
use std::path::PathBuf;

use comrak::nodes::{AstNode, NodeValue};
use rehearse::findings::rule::Level;
use rehearse::report::document::{Document, Finding};
use rehearse::report::markdown::LIMIT;
use rehearse::report::text::{Detail, Style};
use rehearse::report::visible::{visible, without_commands};
use rehearse::report::{Format, fingerprint, sarif};
use serde_json::{Value, json};

const NAMES: [&str; 9] = [
    "cascade",
    "failed",
    "nothing_pending",
    "hostile_names",
    "many_findings",
    "matrix",
    "big_snapshot",
    "measured",
    "queries",
];
const STYLE: Style = Style { colour: false, width: 100, detail: Detail::Normal };

/// What acts somewhere: in a terminal, HTML, Markdown, XML, SQL, a workflow command, on GitHub.
const HOSTILE: &str = "na`me``s|x\\|\u{1b}[31m<script>alert(1)</script>\u{1b}]8;;http://evil.example\u{1b}\\\u{9b}2J\r\n::error::owned\n##[error]owned ##vso[task.setvariable variable=x]owned\n##TeamCity[message text='owned'] ::stop-commands::x\u{202e}\0]]> -- --> \
     <!-- <img src=x onerror=alert(1)> [a](http://evil.example) ![b](http://evil.example/i.png) @octocat #123 octo/repo#1 GH-7 \
     0123456789abcdef0123456789abcdef01234567 https://evil.example www.evil.example me@evil.example :smile: $x$ ~~s~~ **b** __u__ \
     &lt;&#64; {0} </details> </summary> ``` ~~~ %0A::error::owned \u{feff}文文文文 \t- [ ] task\n\n# heading\n\n> quote\n\n| a |\n|---|";

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn value(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path(name)).unwrap()).unwrap()
}

fn document(name: &str) -> Document {
    serde_json::from_value(value(&format!("reports/{name}.json"))).unwrap()
}

/// The document with every text that is not one of a few words replaced by a hostile one; texts stay different where they were, so that
/// findings keep their statements and tables.
fn hostile(name: &str) -> Document {
    const WORDS: [&str; 12] = [
        "verdict",
        "fail_on",
        "level",
        "outcome",
        "change",
        "channel",
        "source",
        "copied_by",
        "compared_by",
        "by",
        "read_by",
        "kind",
    ];
    fn replace(value: &mut Value, hostile: &str) {
        match value {
            Value::String(text) => *text = format!("{text}{hostile}"),
            Value::Array(items) => items.iter_mut().for_each(|item| replace(item, hostile)),
            Value::Object(fields) => {
                for (key, field) in fields.iter_mut() {
                    if !WORDS.contains(&key.as_str()) {
                        replace(field, hostile);
                    }
                }
            }
            _ => {}
        }
    }
    let mut value = value(&format!("reports/{name}.json"));
    replace(&mut value, HOSTILE);
    serde_json::from_value(value).unwrap()
}

/// 10,000 findings about 200 tables, with long names, two in three of them errors.
fn huge() -> Document {
    let mut document = document("cascade");
    let (finding, table) = (document.findings[0].clone(), document.tables[0].clone());
    let name = |number: usize| format!("a_rather_long_name_of_a_table_{}_文書_{number}", "x".repeat(60));
    document.tables = (0..200)
        .map(|number| {
            let mut table = table.clone();
            table.before_name = Some(name(number));
            table.name = name(number);
            table
        })
        .collect();
    document.findings = (0..10_000)
        .map(|number| {
            let table = name(number % 200);
            Finding {
                code: format!("LS{}", 101 + number % 7),
                level: [Level::Error, Level::Error, Level::Warning][number % 3],
                message: format!("`{table}` lost {number} rows"),
                object: Some(format!("object {number}")),
                table: Some(table),
                ..finding.clone()
            }
        })
        .collect();
    document.findings.sort_by_key(|finding| std::cmp::Reverse(finding.level));
    document
}

fn every() -> Vec<(String, Document)> {
    let mut documents: Vec<(String, Document)> =
        NAMES.iter().map(|name| ((*name).to_owned(), document(name))).collect();
    documents.extend(NAMES.iter().map(|name| (format!("hostile {name}"), hostile(name))));
    documents.push(("huge".to_owned(), huge()));
    let mut waived = document("cascade");
    waived.findings[0].waived = Some("moved away (rehearse.yaml, until 2026-12-31)".to_owned());
    documents.push(("waived".to_owned(), waived));
    documents
}

/// What a person reads where this text is shown.
fn read_as(text: &str) -> String {
    without_commands(&visible(text), "\u{266f}")
}

fn fails(document: &Document, finding: &Finding) -> bool {
    finding.waived.is_none() && document.fail_on.is_some_and(|level| finding.level >= level)
}

#[test]
fn each_format_of_one_report() {
    for format in Format::ALL.iter().filter(|format| !matches!(format, Format::Text | Format::Json | Format::Html)) {
        insta::assert_snapshot!(format!("cascade_{}", format.name()), format.render(&document("cascade"), &STYLE));
    }
    insta::assert_snapshot!("failed_junit", Format::Junit.render(&document("failed"), &STYLE));
    insta::assert_snapshot!("hostile_names_github", Format::Github.render(&document("hostile_names"), &STYLE));
    insta::assert_snapshot!("many_findings_markdown", Format::Markdown.render(&document("many_findings"), &STYLE));
}

/// No format lets a text act, and every format shows it so that it can be read.
#[test]
fn nothing_acts_in_any_format() {
    for format in Format::ALL {
        for name in NAMES {
            let text = format.render(&hostile(name), &STYLE);
            let acts = |sign: char| {
                sign.is_control() && sign != '\n' || "\u{202e}\u{2069}\u{200b}\u{feff}\u{2028}".contains(sign)
            };
            assert!(!text.contains(acts), "{} of {name}: {:?}", format.name(), text.chars().find(|sign| acts(*sign)));
            for line in text.lines() {
                let is_ours = *format == Format::Github
                    && ["::error ", "::warning ", "::notice "].iter().any(|command| line.starts_with(command));
                assert!(is_ours || !line.trim_start().starts_with("::"), "{} of {name}: {line}", format.name());
            }
            // The runner reads a line that is a command as nothing else.
            let is_command = |line: &&str| *format == Format::Github && line.starts_with("::");
            for line in text.lines().filter(|line| !is_command(line)) {
                assert_eq!(without_commands(line, ""), line, "{} of {name}", format.name());
            }
            let is_named = text.contains("alert(1)") && text.contains("文文");
            assert!(
                // Numbers and fixed words only.
                is_named || *format == Format::Dotenv,
                "{} of {name}: the name is not to be read",
                format.name()
            );
        }
    }
}

/// Rows are in a report only where they were asked for, and then only in those that are not made for others to read.
#[test]
fn rows_are_only_in_text_and_json() {
    let mut document = document("cascade");
    document.findings[0].samples = serde_json::from_value(json!({
        "key": ["id"],
        "rows": [{ "key": ["'canary-4711'"], "before": [{ "column": "email", "value": "'canary-4711'" }] }],
    }))
    .unwrap();
    for format in Format::ALL {
        let shows = matches!(format.name(), "text" | "json" | "html");
        assert_eq!(format.render(&document, &STYLE).contains("canary-4711"), shows, "{}", format.name());
    }
}

// Markdown, read by a reader of GitHub's dialect.

fn read<'a>(arena: &'a comrak::Arena<'a>, text: &str) -> &'a AstNode<'a> {
    let mut options = comrak::Options::default();
    options.extension.table = true;
    options.extension.strikethrough = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    options.extension.alerts = true;
    options.extension.math_dollars = true;
    options.extension.math_code = true;
    comrak::parse_document(arena, text, &options)
}

#[test]
fn markdown_holds_only_what_it_is_made_of() {
    for (name, document) in every() {
        let text = Format::Markdown.render(&document, &STYLE);
        let arena = comrak::Arena::new();
        let mut code = String::new();
        let mut plain = String::new();
        for node in read(&arena, &text).descendants() {
            match &node.data.borrow().value {
                NodeValue::Document
                | NodeValue::Paragraph
                | NodeValue::Heading(_)
                | NodeValue::List(_)
                | NodeValue::Item(_)
                | NodeValue::Strong
                | NodeValue::Table(_)
                | NodeValue::TableRow(_)
                | NodeValue::TableCell
                | NodeValue::SoftBreak => plain.push('\n'),
                NodeValue::Text(text) => plain.push_str(text),
                NodeValue::Code(span) => code.push_str(&span.literal),
                NodeValue::CodeBlock(block) => {
                    assert!(["", "sql", "diff"].contains(&block.info.as_str()), "{name}: a block of {}", block.info);
                    code.push_str(&block.literal);
                }
                NodeValue::HtmlBlock(html) => {
                    let is_ours = |line: &str| {
                        line == "</details>"
                            || ["Columns", "Schema", "What ran, and with which settings", "Other drivers"]
                                .iter()
                                .any(|what| line == format!("<details><summary>{what}</summary>"))
                    };
                    assert!(html.literal.lines().all(is_ours), "{name}: {}", html.literal);
                }
                other => panic!("{name}: {other:?} in\n{text}"),
            }
            code.push('\n');
        }
        // What GitHub itself looks for in text that is not code.
        for sign in ["@", "#", "://", "www.", "GH-", "::"] {
            assert!(!plain.contains(sign), "{name}: {sign} in {plain}");
        }
        if !name.contains("huge") {
            for table in
                document.tables.iter().filter(|table| table.rows.lost > Some(0) && table.name.chars().count() < 150)
            {
                let shown = read_as(&table.name).replace("\\|", "\\ |");
                assert!(code.contains(&shown) || code.contains(&read_as(&table.name)), "{name}: {shown} in\n{code}");
            }
        }
    }
}

#[test]
fn markdown_fits_a_comment_and_says_what_it_leaves_out() {
    for (name, document) in every() {
        for detail in [Detail::Brief, Detail::Normal, Detail::Full] {
            let text = Format::Markdown.render(&document, &Style { detail, ..STYLE });
            assert!(text.encode_utf16().count() <= LIMIT && LIMIT <= 65_000, "{name}: {}", text.encode_utf16().count());
            let shown = text
                .lines()
                .filter(|line| {
                    line.starts_with("#### ")
                        || line.starts_with("- **error** ")
                        || line.starts_with("- **warning** ")
                        || line.starts_with("- **note** ")
                        || line.starts_with("- **waived** ")
                })
                .count();
            let more: usize = text
                .lines()
                .find_map(|line| line.strip_prefix("**")?.split_once(" more** of the findings"))
                .map_or(0, |(number, _)| number.replace(',', "").parse().unwrap());
            assert_eq!(shown + more, document.findings.len(), "{name} {detail:?}");
        }
    }
    let text = Format::Markdown.render(&huge(), &STYLE);
    assert!(text.encode_utf16().count() > LIMIT / 2, "room is left unused: {}", text.len());
    assert!(text.starts_with("### ❌ rehearse: 6,667 errors, 3,333 warnings: "), "{}", &text[..200]);
}

// JUnit, read as XML.

struct Element {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
    children: Vec<Element>,
}

impl Element {
    fn attribute(&self, name: &str) -> &str {
        self.attributes.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    fn number(&self, name: &str) -> usize {
        self.attribute(name).parse().unwrap()
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }
}

fn xml(text: &str) -> Element {
    let tree = roxmltree::Document::parse(text).unwrap_or_else(|error| panic!("{error} in\n{text}"));
    element(tree.root_element())
}

fn element(node: roxmltree::Node<'_, '_>) -> Element {
    Element {
        name: node.tag_name().name().to_owned(),
        attributes: node.attributes().map(|one| (one.name().to_owned(), one.value().to_owned())).collect(),
        text: node.text().unwrap_or_default().to_owned(),
        children: node.children().filter(roxmltree::Node::is_element).map(element).collect(),
    }
}

/// Whether elements and attributes are those of the schema is tested in `tests/formats/run`.
#[test]
fn junit_counts_its_cases() {
    for (name, document) in every() {
        let root = xml(&Format::Junit.render(&document, &STYLE));
        let mut sums = [0; 3];
        for suite in root.all("testsuite") {
            let cases: Vec<&Element> = suite.all("testcase").collect();
            let with = |tag: &str| cases.iter().filter(|case| case.all(tag).count() == 1).count();
            assert_eq!(suite.number("tests"), cases.len(), "{name}");
            for (index, (attribute, tag)) in
                [("failures", "failure"), ("errors", "error"), ("skipped", "skipped")].into_iter().enumerate()
            {
                assert_eq!(suite.number(attribute), with(tag), "{name}: {attribute}");
                sums[index] += with(tag);
            }
            for case in cases {
                assert!(
                    ["failure", "error", "skipped"].iter().map(|tag| case.all(tag).count()).sum::<usize>() <= 1,
                    "{name}"
                );
            }
        }
        assert_eq!(root.number("failures"), sums[0], "{name}");
        assert_eq!(root.number("errors"), sums[1], "{name}");
        assert_eq!(
            root.number("tests"),
            root.all("testsuite").map(|suite| suite.all("testcase").count()).sum::<usize>(),
            "{name}"
        );
        let is_red = sums[0] + sums[1] > 0;
        let fails = document.execution.error.is_some() || document.findings.iter().any(|one| fails(&document, one));
        assert_eq!(is_red, fails, "{name}");
    }
}

#[test]
fn junit_tells_every_finding_and_fails_by_those_that_make_the_verdict() {
    for (name, document) in every() {
        let root = xml(&Format::Junit.render(&document, &STYLE));
        let cases: Vec<&Element> = root.all("testsuite").flat_map(|suite| suite.all("testcase")).collect();
        let texts = |tags: &[&str]| -> String {
            let elements =
                cases.iter().flat_map(|case| case.children.iter()).filter(|child| tags.contains(&&*child.name));
            elements.map(|element| element.text.clone()).collect::<Vec<_>>().join("\n")
        };
        let (red, quiet) = (texts(&["failure", "error"]), texts(&["system-out"]));
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<BTreeSet<_>>();
        let (red, quiet) = (lines(&red), lines(&quiet));
        for finding in &document.findings {
            let standing = if finding.waived.is_some() { "waived" } else { finding.level.name() };
            let fact = read_as(&format!("{standing}[{}] {}: {}", finding.code, finding.name, finding.message));
            let place = if fails(&document, finding) { &red } else { &quiet };
            assert!(place.contains(&fact), "{name}: {fact}");
        }
    }
}

#[test]
fn junit_has_a_case_for_every_statement_and_every_table() {
    let document = document("failed");
    let root = xml(&Format::Junit.render(&document, &STYLE));
    let suites: Vec<&Element> = root.all("testsuite").collect();
    for (suite, migration) in suites.iter().zip(&document.plan.pending) {
        assert_eq!(suite.attribute("name"), migration.name);
        assert_eq!(suite.number("tests"), migration.statements, "{}", migration.name);
    }
    assert!(root.number("errors") == 1, "the statement that failed");
    assert!(suites.iter().map(|suite| suite.number("skipped")).sum::<usize>() > 0, "what did not run is skipped");
}

// SARIF.

#[test]
fn sarif_is_valid_and_complete() {
    let mut schema = value("schemas/sarif-2.1.0.schema.json");
    // Two patterns of it are no regular expressions; they are about languages, which are not written.
    for definition in ["run", "toolComponent"] {
        let language = schema.pointer_mut(&format!("/definitions/{definition}/properties/language")).unwrap();
        assert!(language.as_object_mut().unwrap().remove("pattern").is_some());
    }
    let validator = jsonschema::draft7::new(&schema).unwrap();
    for (name, document) in every() {
        let log: Value = serde_json::from_str(&sarif::render(&document)).unwrap();
        let errors: Vec<String> =
            validator.iter_errors(&log).take(5).map(|error| format!("{error} at {}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
        let run = &log["runs"][0];
        let results = run["results"].as_array().unwrap();
        assert_eq!(results.len(), document.findings.len(), "{name}");
        for (result, finding) in results.iter().zip(&document.findings) {
            let rule = &run["tool"]["driver"]["rules"][usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
            assert_eq!(rule["id"], result["ruleId"]);
            assert_eq!(result["ruleId"], json!(finding.code));
            assert_eq!(result["suppressions"].is_array(), finding.waived.is_some());
            let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].as_str().unwrap();
            assert!(!uri.is_empty() && uri.is_ascii() && !uri.contains([' ', ':', '<']), "{name}: {uri}");
            assert!(!result["message"]["text"].as_str().unwrap().contains("]("), "{name}: a link");
        }
    }
}

#[test]
fn gitlab_is_valid_and_complete() {
    let validator = jsonschema::draft7::new(&value("schemas/gitlab-code-quality.schema.json")).unwrap();
    for (name, document) in every() {
        let issues: Value = serde_json::from_str(&Format::Gitlab.render(&document, &STYLE)).unwrap();
        let errors: Vec<String> = validator.iter_errors(&issues).take(5).map(|error| error.to_string()).collect();
        assert!(errors.is_empty(), "{name}: {errors:#?}");
        let issues = issues.as_array().unwrap();
        assert_eq!(issues.len(), document.findings.len(), "{name}");
        for (issue, finding) in issues.iter().zip(&document.findings) {
            assert_eq!(issue["severity"] == "info", finding.waived.is_some(), "{name}");
        }
    }
}

#[test]
fn fingerprints_are_unique_and_outlive_lines_and_counts() {
    for (name, document) in every() {
        let fingerprints = fingerprint::fingerprints(&document.findings);
        assert_eq!(fingerprints.iter().collect::<BTreeSet<_>>().len(), fingerprints.len(), "{name}");
        let mut later = document.findings.clone();
        for finding in &mut later {
            finding.line = finding.line.map(|line| line + 40);
            finding.position = Some(9);
            finding.rows = Some(123_456);
            finding.message = "another number of rows".to_owned();
            finding.level = Level::Note;
            finding.statement = finding.statement.as_ref().map(|text| text.replace('\n', "\r\n"));
        }
        assert_eq!(fingerprint::fingerprints(&later), fingerprints, "{name}");
        for finding in &mut later {
            finding.table = Some("another".to_owned());
        }
        let others = fingerprint::fingerprints(&later);
        let moved = document.findings.iter().zip(fingerprints.iter().zip(&others));
        assert!(moved.filter(|(one, _)| one.table.is_some()).all(|(_, (before, after))| before != after), "{name}");
    }
}

// GitHub's commands, read as the runner does: `ActionCommand.TryParseV2` and `TryParse` in src/Runner.Common/ActionCommand.cs of
// actions/runner.

struct Command {
    name: String,
    properties: Vec<(String, String)>,
    data: String,
}

fn unescaped(text: &str, tokens: &[(&str, &str)]) -> String {
    tokens.iter().fold(text.to_owned(), |text, (escape, token)| text.replace(escape, token))
}

fn command(line: &str) -> Option<Command> {
    let (info, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (name, properties) = info.split_once(' ').unwrap_or((info, ""));
    let property = [("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")];
    let properties = properties.trim().split(',').filter_map(|pair| pair.split_once('='));
    Some(Command {
        name: name.to_owned(),
        properties: properties.map(|(key, value)| (key.to_owned(), unescaped(value, &property))).collect(),
        data: unescaped(data, &[("%0D", "\r"), ("%0A", "\n"), ("%25", "%")]),
    })
}

#[test]
fn github_shows_the_worst_and_counts_the_rest() {
    for (name, document) in every() {
        let text = Format::Github.render(&document, &STYLE);
        let (commands, plain): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("::"));
        assert_eq!(plain.len(), 1, "{name}: the verdict is the only plain line");
        assert!(
            plain[0].starts_with("rehearse: ") && command(plain[0]).is_none() && !plain[0].contains("##["),
            "{name}"
        );
        assert_eq!(text.lines().last(), Some(plain[0]), "{name}");
        for (word, level) in [("error", Level::Error), ("warning", Level::Warning), ("notice", Level::Note)] {
            let kind = |finding: &&Finding| if finding.waived.is_some() { Level::Note } else { finding.level };
            let mut wanted: Vec<&Finding> = document.findings.iter().filter(|finding| kind(finding) == level).collect();
            wanted.sort_by_key(|finding| finding.waived.is_some());
            let given: Vec<Command> =
                commands.iter().filter_map(|line| command(line)).filter(|one| one.name == word).collect();
            assert!(given.len() <= 10, "{name}");
            let shown = if wanted.len() > 10 { 9 } else { wanted.len() };
            for (one, finding) in given.iter().zip(&wanted[..shown]) {
                assert!(one.data.starts_with(&*visible(&finding.message)), "{name}: {}", one.data);
                let of =
                    |key: &str| one.properties.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_str());
                let file = finding.file.as_deref().map(|file| visible(file).into_owned());
                assert_eq!(of("file"), file.as_deref(), "{name}");
                assert_eq!(of("line").map(str::to_owned), finding.line.map(|line| line.to_string()), "{name}");
                assert!(of("title").is_some_and(|title| title.contains(&*visible(&finding.code))), "{name}");
                let known = ["file", "line", "col", "title"];
                assert!(one.properties.iter().all(|(key, _)| known.contains(&key.as_str())), "{name}");
            }
            if wanted.len() > 10 {
                let title = &given[9].properties[0].1;
                let number: usize = title.split(' ').next().unwrap().replace(',', "").parse().unwrap();
                assert_eq!(number + 9, wanted.len(), "{name}: {title}");
            } else {
                assert_eq!(given.len(), wanted.len(), "{name}");
            }
        }
        assert!(
            commands.iter().all(|line| ["error", "warning", "notice"].contains(&&*command(line).unwrap().name)),
            "{name}"
        );
    }
}
