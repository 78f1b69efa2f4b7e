//! `rehearse doctor`: the outcome in one sentence, a line for each check, then what was found.

use super::layout::{Cell, Grid, Side};
use super::paint::Role;
use super::{Detail, Page, finding};
use crate::findings::rule::Level;
use crate::findings::wording::{count_of, list};
use crate::report::doctor::{Check, Diagnosis, Fact, Status, Verdict};
use crate::report::document::Finding;
use crate::report::verdict::numbers;
use crate::report::visible::visible;

/// Facts of a check that are shown without `-v`.
const FACTS: usize = 4;

/// The whole output.
pub fn whole(page: &mut Page, diagnosis: &Diagnosis) {
    let mut findings: Vec<Finding> = diagnosis.checks.iter().flat_map(|check| check.findings.clone()).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse((finding.waived.is_none(), finding.level)));
    let standing = findings.iter().filter(|finding| finding.waived.is_none());
    let (head, role) = match diagnosis.verdict {
        Verdict::Incomplete => ("incomplete", Role::Error),
        Verdict::Findings => ("findings", Role::of(standing.map(|finding| finding.level).max().unwrap_or(Level::Note))),
        Verdict::Passed => ("passed", Role::Good),
    };
    let numbers = numbers(&findings);
    let numbers = if numbers.is_empty() { String::new() } else { format!(" with {numbers}") };
    page.hanging(&format!("{head}{numbers}:"), role, &totals(&diagnosis.checks), Role::Strong, 2);
    if page.style.detail == Detail::Brief {
        finding::findings(page, &findings);
        return;
    }
    page.blank();
    let mut grid = Grid::new(&[("", Side::Left), ("", Side::Left), ("", Side::Left)]);
    for check in &diagnosis.checks {
        rows(&mut grid, check, page.style.detail == Detail::Full);
    }
    for line in grid.lines(page.style.width, page.paint) {
        page.push(line);
    }
    page.blank();
    finding::findings(page, &findings);
    if diagnosis.snapshot.is_none() {
        page.prose(0, "what is in production was not looked at: rehearse doctor --snapshot FILE", Role::Dim);
    }
}

/// `9 of 15 checks are ok, 2 found nothing, 3 were not checked`.
fn totals(checks: &[Check]) -> String {
    let of = |wanted: &[Status]| checks.iter().filter(|check| wanted.contains(&check.status)).count();
    let mut parts = vec![format!("{} of {} ok", of(&[Status::Ok]), count_of(checks.len(), "check"))];
    for (wanted, what) in [
        (Status::NotFound, "not found"),
        (Status::NotChecked, "not checked"),
        (Status::Unreadable, "unreadable"),
        (Status::NotApplicable, "not needed"),
    ] {
        if of(&[wanted]) > 0 {
            parts.push(format!("{} {what}", of(&[wanted])));
        }
    }
    list(&parts)
}

fn rows(grid: &mut Grid, check: &Check, everything: bool) {
    let role = match check.status {
        Status::Ok => Role::Good,
        Status::Note => Role::Note,
        Status::Warning => Role::Warning,
        Status::Error | Status::Unreadable => Role::Error,
        Status::NotFound | Status::NotChecked | Status::NotApplicable => Role::Dim,
    };
    let shown = if everything || check.facts.len() <= FACTS + 1 { check.facts.len() } else { FACTS };
    let mut facts: Vec<String> = check.facts[..shown].iter().map(fact).collect();
    if shown < check.facts.len() {
        facts.push(format!("{} more (all with -v)", check.facts.len() - shown));
    }
    if facts.is_empty() {
        facts.push(String::new());
    }
    for (index, text) in facts.into_iter().enumerate() {
        let (status, name) = if index == 0 { (check.status.describe(), check.name.as_str()) } else { ("", "") };
        grid.row(vec![Cell::new(status, role), Cell::new(name, Role::Strong), Cell::new(text, Role::Plain)]);
    }
}

fn fact(fact: &Fact) -> String {
    let text = visible(&fact.text);
    match (&fact.file, fact.line) {
        (Some(file), Some(line)) => format!("{text} ({}:{line})", visible(file)),
        (Some(file), None) => format!("{text} ({})", visible(file)),
        (None, _) => text.into_owned(),
    }
}
