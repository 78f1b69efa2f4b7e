//! SARIF 2.1.0, for code scanning.
//!
//! Every finding is a result. A location is demanded by those who show them, so a finding that is about no file stands at the migrations
//! folder. A waived finding is suppressed and of the level `note`, because GitHub does not read suppressions; its own level is in
//! `properties.level`. What could not be compared is a notification of the invocation.

use std::collections::BTreeMap;

use serde::Serialize;

use super::document::{Document, Finding, Verdict};
use super::fingerprint::fingerprints;
use super::visible::visible;
use super::{json, place, plain};
use crate::findings::catalogue::find;
use crate::findings::rule::{Basis, Level, Rule};

/// The published schema.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: [Invocation; 1],
    artifacts: Vec<Artifact>,
    results: Vec<Outcome>,
    column_kind: &'static str,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    version: String,
    semantic_version: String,
    rules: Vec<Descriptor>,
}

/// A rule; without its texts where this version does not know it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    id: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    short_description: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    full_description: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_configuration: Option<Configuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    properties: Option<RuleProperties>,
}

#[derive(Serialize)]
struct Configuration {
    level: Level,
}

#[derive(Serialize)]
struct RuleProperties {
    tags: [&'static str; 3],
    precision: &'static str,
}

#[derive(Serialize)]
struct Text {
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    markdown: Option<String>,
}

impl Text {
    fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), markdown: None }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    exit_code: u8,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: Level,
    message: Text,
}

#[derive(Serialize)]
struct Artifact {
    location: Uri,
}

#[derive(Serialize)]
struct Uri {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Outcome {
    rule_id: String,
    rule_index: usize,
    level: Level,
    message: Text,
    locations: [Location; 1],
    partial_fingerprints: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    suppressions: Vec<Suppression>,
    properties: Properties,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    physical_location: Physical,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<Logical>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Uri,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_column: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snippet: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical {
    name: String,
    fully_qualified_name: String,
    kind: &'static str,
}

#[derive(Serialize)]
struct Suppression {
    kind: &'static str,
    status: &'static str,
    justification: String,
}

#[derive(Serialize)]
struct Properties {
    level: Level,
    #[serde(skip_serializing_if = "Option::is_none")]
    rows: Option<u64>,
}

/// The log as JSON.
#[must_use]
pub fn render(document: &Document) -> String {
    let mut rules: Vec<&Finding> = Vec::new();
    let mut files: Vec<String> = Vec::new();
    let mut results = Vec::new();
    for (finding, fingerprint) in document.findings.iter().zip(fingerprints(&document.findings)) {
        let rule = index_of(&mut rules, finding, |one| one.code == finding.code);
        let uri = place::uri(place::path(document, finding));
        let file = index_of(&mut files, uri.clone(), |one| *one == uri);
        results.push(result(finding, rule, Uri { uri, index: Some(file) }, fingerprint));
    }
    let version = document.rehearse.version.clone();
    json::pretty(&Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            tool: Tool {
                driver: Driver {
                    name: "rehearse",
                    version: version.clone(),
                    semantic_version: version,
                    rules: rules.into_iter().map(descriptor).collect(),
                },
            },
            invocations: [invocation(document)],
            artifacts: files.into_iter().map(|uri| Artifact { location: Uri { uri, index: None } }).collect(),
            results,
            column_kind: "unicodeCodePoints",
        }],
    })
}

/// Where it is in the list; it is added where it is not.
fn index_of<T>(list: &mut Vec<T>, new: T, is_it: impl Fn(&T) -> bool) -> usize {
    list.iter().position(is_it).unwrap_or_else(|| {
        list.push(new);
        list.len() - 1
    })
}

fn descriptor(finding: &Finding) -> Descriptor {
    let known = find(&finding.code);
    let help = |rule: &Rule| Text {
        text: format!("{}. What to do: {}.", rule.effect, rule.fix),
        markdown: Some(rule.page.to_owned()),
    };
    Descriptor {
        id: finding.code.clone(),
        name: finding.name.clone(),
        short_description: known.map(|rule| Text::of(rule.when)),
        full_description: known.map(|rule| Text::of(format!("{}; {}", rule.when, rule.effect))),
        help: known.map(help),
        default_configuration: known.map(|rule| Configuration { level: rule.level }),
        properties: known.map(|rule| RuleProperties {
            tags: ["sqlite", "migrations", rule.family()],
            precision: match rule.basis {
                Basis::Measured => "very-high",
                Basis::Inferred => "high",
            },
        }),
    }
}

fn invocation(document: &Document) -> Invocation {
    let missing = document.not_compared.iter().map(|missing| Notification {
        level: Level::Warning,
        message: Text::of(inline(&format!("`{}` was not compared: {}", missing.table, missing.why))),
    });
    Invocation {
        // A migration that fails on the copy is an outcome of the rehearsal, not a failure of it.
        execution_successful: true,
        exit_code: match document.verdict {
            Verdict::Passed => 0,
            Verdict::Findings => 1,
            Verdict::Failed => 3,
        },
        tool_execution_notifications: missing.collect(),
    }
}

fn result(finding: &Finding, rule_index: usize, uri: Uri, fingerprint: String) -> Outcome {
    let waiver = finding.waived.as_deref();
    let justification = |waiver: &str| Suppression {
        kind: "external",
        status: "accepted",
        justification: visible(waiver).into_owned(),
    };
    let snippet = finding.statement.as_deref().filter(|text| !text.is_empty());
    let region = finding.line.filter(|_| finding.file.is_some()).map(|start_line| Region {
        start_line: start_line.max(1),
        start_column: finding.position.filter(|column| *column > 0),
        snippet: snippet.map(|text| Text::of(super::visible::visible_lines(text).join("\n"))),
    });
    // The first is what GitHub recognises an alert by, the second what the standard proposes for everybody else.
    let fingerprints = [("primaryLocationLineHash", fingerprint.clone()), ("rehearseFinding/v1", fingerprint)];
    Outcome {
        rule_id: finding.code.clone(),
        rule_index,
        level: if waiver.is_some() { Level::Note } else { finding.level },
        message: Text::of(message(finding)),
        locations: [Location {
            physical_location: Physical { artifact_location: uri, region },
            logical_locations: logical(finding),
        }],
        partial_fingerprints: fingerprints.into(),
        suppressions: waiver.map(justification).into_iter().collect(),
        properties: Properties { level: finding.level, rows: finding.rows },
    }
}

/// The fact, then what explains it, a line each.
fn message(finding: &Finding) -> String {
    let mut lines = vec![inline(&finding.message)];
    lines.extend(plain::notes(finding).iter().map(|line| inline(line)));
    lines.join("\n")
}

/// One line in which no link is read: `[text](target)` is one in a message.
fn inline(text: &str) -> String {
    visible(text).replace("](", "] (")
}

/// The column, else the table, else the index, trigger, view or driver.
fn logical(finding: &Finding) -> Vec<Logical> {
    let name = |name: &str| visible(name).into_owned();
    let logical = match (&finding.table, &finding.column, &finding.object) {
        (Some(table), Some(column), _) => {
            Logical { name: name(column), fully_qualified_name: name(&format!("{table}.{column}")), kind: "column" }
        }
        (Some(table), None, _) => Logical { name: name(table), fully_qualified_name: name(table), kind: "table" },
        (None, _, Some(object)) => Logical { name: name(object), fully_qualified_name: name(object), kind: "object" },
        (None, ..) => return Vec::new(),
    };
    vec![logical]
}
