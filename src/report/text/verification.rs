//! `rehearse verify`: the answer in one sentence, then what it rests on.

use std::fmt::Write as _;

use super::layout::{Cell, Grid, Side};
use super::paint::Role;
use super::{Detail, Page, sections};
use crate::report::document::Verdict;
use crate::report::verification::{Answer, Verification};
use crate::report::visible::visible;

/// The whole output.
pub fn whole(page: &mut Page, verification: &Verification) {
    let (head, role, reason) = match verification.answer {
        Answer::Yes => ("verified", Role::Good, "the report speaks of these files"),
        Answer::No => ("outdated", Role::Error, "the report does not speak of these files: rehearse again"),
        Answer::Unknown => ("unknown", Role::Warning, "nobody can tell whether the report speaks of these files"),
    };
    page.hanging(&format!("{head}:"), role, reason, Role::Strong, 2);
    let report = &verification.report;
    let verdict = match report.verdict {
        Verdict::Passed => "passed",
        Verdict::Findings => "findings",
        Verdict::Failed => "failed",
    };
    let at = if report.rehearsed_at.is_empty() { "at an unknown time" } else { &report.rehearsed_at };
    let mut said = format!("its verdict is: {verdict}; rehearsed {at} by rehearse {}", report.rehearse.version);
    let now = &verification.rehearse;
    if report.rehearse != *now {
        let _ = write!(
            said,
            " with SQLite {}; this is {} with SQLite {}",
            report.rehearse.sqlite_version, now.version, now.sqlite_version
        );
    }
    page.prose(0, &visible(&said), Role::Dim);
    if page.style.detail == Detail::Brief {
        let others = verification.checks.iter().filter(|check| check.answer != Answer::Yes);
        let others: Vec<String> = others.map(|check| format!("{}: {}", check.what, check.why)).collect();
        return page.prose(0, &visible(&others.join("; ")), Role::Plain);
    }
    page.blank();
    let mut grid = Grid::new(&[("what", Side::Left), ("same", Side::Left), ("", Side::Left)]);
    for check in &verification.checks {
        let role = match check.answer {
            Answer::Yes => Role::Good,
            Answer::Unknown => Role::Warning,
            Answer::No => Role::Error,
        };
        grid.row(vec![
            Cell::new(check.what, Role::Plain),
            Cell::new(check.answer.name(), role),
            Cell::new(visible(&check.why), Role::Plain),
        ]);
    }
    sections::indented(page, &grid);
}
