//! The verdict in one sentence, which every report for people begins with.

use super::document::{Document, Finding, Outcome, Table, Verdict};
use crate::findings::rule::Level;
use crate::findings::wording::{count, count_of, migration, number};

/// One sentence: the outcome with its numbers, and the reason. Both may quote names, so a format makes them harmless in its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headline {
    /// `1 error, 2 waived`, `passed`, `failed, 1 error`.
    pub head: String,
    /// The gravest finding, what failed, or what ran; empty where the findings that make the verdict are not there.
    pub reason: String,
    /// How grave that is; none where all is well.
    pub level: Option<Level>,
}

impl Headline {
    /// The head as it stands before the reason, with a colon where there is one.
    #[must_use]
    pub fn lead(&self) -> String {
        let colon = if self.reason.is_empty() { "" } else { ":" };
        format!("{}{colon}", self.head)
    }
}

/// The outcome, the numbers, the reason.
#[must_use]
pub fn headline(document: &Document) -> Headline {
    let standing = || document.findings.iter().filter(|finding| finding.waived.is_none());
    let worst = standing().map(|finding| finding.level).max();
    let first = standing().find(|finding| Some(finding.level) == worst);
    let fact = || first.map(|finding| finding.message.clone());
    let numbers = numbers(&document.findings);
    let with_numbers = |word: &str| if numbers.is_empty() { word.to_owned() } else { format!("{word}, {numbers}") };
    match document.verdict {
        Verdict::Failed => Headline {
            head: with_numbers("failed"),
            reason: failure(document).or_else(fact).unwrap_or_default(),
            level: Some(Level::Error),
        },
        Verdict::Findings => Headline {
            head: if numbers.is_empty() { "findings".to_owned() } else { numbers },
            reason: fact().unwrap_or_default(),
            level: Some(worst.unwrap_or(Level::Error)),
        },
        Verdict::Passed => {
            let told = first.filter(|finding| finding.level > Level::Note);
            Headline {
                head: with_numbers("passed"),
                reason: told.map_or_else(|| all_is_well(document), |finding| finding.message.clone()),
                level: told.map(|_| Level::Warning),
            }
        }
    }
}

/// `3 errors, 1 warning, 2 waived`; empty where nothing was found.
#[must_use]
pub fn numbers(findings: &[Finding]) -> String {
    let of =
        |level: Level| findings.iter().filter(|finding| finding.level == level && finding.waived.is_none()).count();
    let waived = findings.iter().filter(|finding| finding.waived.is_some()).count();
    let mut parts = Vec::new();
    for level in [Level::Error, Level::Warning, Level::Note] {
        if of(level) > 0 {
            parts.push(count_of(of(level), level.name()));
        }
    }
    if waived > 0 {
        parts.push(format!("{} waived", number(waived as u64)));
    }
    parts.join(", ")
}

/// What failed, and where it is known at which line; none where the run did not fail.
fn failure(document: &Document) -> Option<String> {
    let error = document.execution.error.as_ref()?;
    let message = &error.message;
    Some(match document.execution.steps.iter().find(|step| step.error.is_some()) {
        Some(step) => {
            let line = number(u64::from(step.line));
            format!("{} failed on the copy at line {line}: {message}", migration(&step.migration))
        }
        None if document.execution.command.is_some() => {
            format!("the command failed on the copy: {message}")
        }
        None => format!("the migrations failed on the copy: {message}"),
    })
}

fn all_is_well(document: &Document) -> String {
    let held = holdings(document);
    if document.execution.outcome == Outcome::NothingPending {
        return format!("no migration is pending on {held}");
    }
    let quiet = if document.findings.is_empty() { ", and no rule objects" } else { "" };
    let what = match document.plan.pending.len() {
        0 if document.execution.command.is_some() => "the command".to_owned(),
        pending => count_of(pending, "migration"),
    };
    format!("{what} ran on a copy of {held}{quiet}")
}

/// `2 tables with 200 rows`: what the snapshot holds.
#[must_use]
pub fn holdings(document: &Document) -> String {
    let rows = document.tables.iter().filter_map(|table| table.rows.before).sum();
    match document.tables.iter().filter(|table| table.before_name.is_some()).count() {
        0 => "an empty database".to_owned(),
        tables if document.tables.iter().any(Table::is_uncounted) => count_of(tables, "table"),
        tables => format!(
            "{} with {}",
            count_of(tables, "table"),
            if rows == 0 { "no rows".to_owned() } else { count(rows, "row") }
        ),
    }
}
