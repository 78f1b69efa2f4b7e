//! GitLab's code quality report: a JSON list of issues, the subset of Code Climate's form that GitLab's documentation names.
//!
//! Every finding is an issue, waived ones of the least severity. A path is demanded, so a finding that is about no file stands at the
//! migrations folder.

use serde::Serialize;

use super::document::{Document, Finding};
use super::fingerprint::fingerprints;
use super::{json, place};
use crate::findings::rule::Level;
use crate::report::visible::visible;

#[derive(Serialize)]
struct Issue {
    description: String,
    check_name: String,
    fingerprint: String,
    severity: &'static str,
    location: Location,
}

#[derive(Serialize)]
struct Location {
    path: String,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u32,
}

/// The issues as JSON.
#[must_use]
pub fn render(document: &Document) -> String {
    let findings = document.findings.iter().zip(fingerprints(&document.findings));
    let issues: Vec<Issue> = findings.map(|(finding, fingerprint)| issue(document, finding, fingerprint)).collect();
    json::pretty(&issues)
}

fn issue(document: &Document, finding: &Finding, fingerprint: String) -> Issue {
    let waived = finding.waived.as_ref().map(|waiver| format!(" (waived: {waiver})")).unwrap_or_default();
    Issue {
        description: visible(&format!("{}: {}{waived}", finding.name, finding.message)).into_owned(),
        check_name: finding.code.clone(),
        fingerprint,
        severity: match finding.level {
            _ if finding.waived.is_some() => "info",
            Level::Error => "critical",
            Level::Warning => "major",
            Level::Note => "minor",
        },
        location: Location {
            path: visible(place::path(document, finding)).into_owned(),
            lines: Lines { begin: finding.line.unwrap_or(1) },
        },
    }
}
