//! The outcome as `NAME=value` lines, for the outputs of a GitHub job (`$GITHUB_OUTPUT`) and for GitLab's `artifacts:reports:dotenv`.
//!
//! Values are numbers and fixed words: nothing of a database or a project is in them, so no name can forge another line. The names begin
//! with `REHEARSAL_`, because variables that begin with `REHEARSE_` set options.

use super::document::{Document, Verdict};
use crate::findings::rule::Level;

/// The outcome; findings that are waived are counted apart. `REHEARSAL_ROWS_LOST` is empty where the rows of a table could not be matched.
#[must_use]
pub fn render(document: &Document) -> String {
    let verdict = match document.verdict {
        Verdict::Passed => "passed",
        Verdict::Findings => "findings",
        Verdict::Failed => "failed",
    };
    let (waived, standing): (Vec<_>, Vec<_>) = document.findings.iter().partition(|finding| finding.waived.is_some());
    let at = |level| standing.iter().filter(|finding| finding.level == level).count();
    let had_rows = document.tables.iter().filter(|table| table.before_name.is_some());
    let rows_lost: Option<u64> = had_rows.map(|table| table.rows.lost).sum();
    [
        ("VERDICT", verdict.to_owned()),
        ("FINDINGS", standing.len().to_string()),
        ("ERRORS", at(Level::Error).to_string()),
        ("WARNINGS", at(Level::Warning).to_string()),
        ("NOTES", at(Level::Note).to_string()),
        ("WAIVED", waived.len().to_string()),
        ("ROWS_LOST", rows_lost.map(|rows| rows.to_string()).unwrap_or_default()),
    ]
    .map(|(name, value)| format!("REHEARSAL_{name}={value}\n"))
    .concat()
}
