//! Compares what was found with what a scenario expects, in both directions: what is missing fails, and what is surplus.

use super::scenario::{Expect, ExpectedFinding, RuleCode, Verdict};
use crate::findings::catalogue;
use crate::findings::rule::Level;

/// What a rehearsal found, as far as a scenario can speak of it.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// `passed`, `findings` or `failed`.
    pub verdict: String,
    /// Every finding that no waiver covers.
    pub findings: Vec<Seen>,
    /// Every finding that one covers.
    pub waived: Vec<Seen>,
    /// What `tables` and `queries` demand and is not so, one sentence each.
    pub unmet: Vec<String>,
    /// The names of the migrations that ran, as the scenario calls them; so the three below.
    pub pending: Vec<String>,
    /// Will never run.
    pub skipped: Vec<String>,
    /// Were changed since they ran.
    pub edited: Vec<String>,
    /// Have no file.
    pub missing: Vec<String>,
}

/// A finding, as far as a scenario can speak of it.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The rule's code.
    pub code: String,
    /// How grave it is.
    pub level: Level,
    /// The table.
    pub table: Option<String>,
    /// The column.
    pub column: Option<String>,
    /// The index, trigger, view, file or driver.
    pub object: Option<String>,
    /// The migration, as the scenario calls it.
    pub migration: Option<String>,
    /// Line of the statement.
    pub line: Option<u32>,
    /// Rows or values.
    pub rows: Option<u64>,
    /// The fact.
    pub message: String,
}

/// One sentence per difference; empty where everything is as expected.
#[must_use]
pub fn differences(expect: &Expect, outcome: &Outcome) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(verdict) = expect.verdict.map(Verdict::name).filter(|name| *name != outcome.verdict) {
        found.push(format!("expected the verdict `{verdict}`, got `{}`", outcome.verdict));
    }
    found.extend(finding_differences(&expect.findings, &outcome.findings));
    let waived = finding_differences(&expect.waived, &outcome.waived);
    found.extend(waived.into_iter().map(|difference| format!("waived: {difference}")));
    found.extend(outcome.unmet.iter().cloned());
    let lists = [
        ("pending", &expect.pending, &outcome.pending),
        ("skipped", &expect.skipped, &outcome.skipped),
        ("edited", &expect.edited, &outcome.edited),
        ("missing", &expect.missing, &outcome.missing),
    ];
    for (what, expected, seen) in lists {
        if let Some(expected) = expected.as_ref().filter(|expected| *expected != seen) {
            found.push(format!("expected {what} migrations [{}], got [{}]", expected.join(", "), seen.join(", ")));
        }
    }
    found
}

/// Gives every expected finding a finding of its own; the most specific chooses first.
fn finding_differences(expected: &[ExpectedFinding], seen: &[Seen]) -> Vec<String> {
    let mut by_detail: Vec<&ExpectedFinding> = expected.iter().collect();
    by_detail.sort_by_key(|finding| std::cmp::Reverse(detail(finding)));
    let mut left: Vec<&Seen> = seen.iter().collect();
    let mut unmet = Vec::new();
    for finding in by_detail {
        match left.iter().position(|candidate| matches(finding, candidate)) {
            Some(index) => drop(left.remove(index)),
            None => unmet.push(finding),
        }
    }
    let mut found = Vec::new();
    for finding in unmet {
        match left.iter().position(|candidate| candidate.code == finding.rule.0) {
            Some(index) => found.push(format!("expected {finding}, found {}", describe(left.remove(index)))),
            None => found.push(format!("expected {finding}, and it was not found")),
        }
    }
    found.extend(left.into_iter().map(|surplus| format!("found {}, and it was not expected", describe(surplus))));
    found
}

/// How much an expected finding says.
fn detail(finding: &ExpectedFinding) -> usize {
    [
        finding.target.is_some(),
        finding.table.is_some(),
        finding.column.is_some(),
        finding.object.is_some(),
        finding.migration.is_some(),
        finding.line.is_some(),
        finding.rows.is_some(),
        finding.level.is_some(),
    ]
    .into_iter()
    .filter(|said| *said)
    .count()
}

fn matches(expected: &ExpectedFinding, seen: &Seen) -> bool {
    fn same<T: PartialEq>(expected: Option<&T>, seen: Option<&T>) -> bool {
        expected.is_none_or(|expected| seen == Some(expected))
    }
    expected.rule.0 == seen.code
        && expected.target.as_deref().is_none_or(|target| is_about(seen, target))
        && same(expected.table.as_ref(), seen.table.as_ref())
        && same(expected.column.as_ref(), seen.column.as_ref())
        && same(expected.object.as_ref(), seen.object.as_ref())
        && same(expected.migration.as_ref(), seen.migration.as_ref())
        && same(expected.line.as_ref(), seen.line.as_ref())
        && same(expected.rows.as_ref(), seen.rows.as_ref())
        && expected.level.is_none_or(|level| level == seen.level)
}

/// The short form's target is a table, an object, a migration, `table.column` or `table.object`.
fn is_about(seen: &Seen, target: &str) -> bool {
    let names = [&seen.table, &seen.object, &seen.migration];
    let dotted = |part: Option<&String>| match (&seen.table, part) {
        (Some(table), Some(part)) => target == format!("{table}.{part}"),
        _ => false,
    };
    names.iter().any(|name| name.as_deref() == Some(target))
        || dotted(seen.column.as_ref())
        || dotted(seen.object.as_ref())
}

fn describe(seen: &Seen) -> String {
    let about = ExpectedFinding {
        rule: RuleCode(catalogue::find(&seen.code).map_or("an unknown rule", |rule| rule.code)),
        target: None,
        table: seen.table.clone(),
        column: seen.column.clone(),
        object: seen.object.clone(),
        migration: seen.migration.clone(),
        line: seen.line,
        rows: seen.rows,
        level: Some(seen.level),
    };
    format!("{about} ({})", seen.message)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn expect(text: &str) -> Expect {
        super::super::yaml::parse(text, Path::new("e.yaml")).unwrap()
    }

    fn seen(code: &str, table: &str, column: Option<&str>, rows: u64) -> Seen {
        Seen {
            code: code.into(),
            level: Level::Error,
            table: Some(table.into()),
            column: column.map(Into::into),
            object: None,
            migration: None,
            line: None,
            rows: Some(rows),
            message: "said so".into(),
        }
    }

    fn outcome(findings: Vec<Seen>) -> Outcome {
        Outcome { verdict: "findings".into(), findings, ..Outcome::default() }
    }

    #[test]
    fn what_is_expected_and_found_is_no_difference() {
        let expect = expect("{verdict: findings, findings: [LS102 posts: 6, VL202 users.name]}");
        let outcome = outcome(vec![seen("VL202", "users", Some("name"), 2), seen("LS102", "posts", None, 6)]);
        assert_eq!(differences(&expect, &outcome), Vec::<String>::new());
    }

    #[test]
    fn missing_and_surplus_findings_are_differences() {
        let expect = expect("{verdict: passed, findings: [LS102 posts: 6], skipped: [a]}");
        let outcome = Outcome {
            unmet: vec!["`posts` has 0 rows, expected 1".into()],
            ..outcome(vec![seen("LS105", "users", None, 1)])
        };
        assert_eq!(
            differences(&expect, &outcome),
            [
                "expected the verdict `passed`, got `findings`",
                "expected LS102 posts: 6, and it was not found",
                "found LS105 users: 1, level error (said so), and it was not expected",
                "`posts` has 0 rows, expected 1",
                "expected skipped migrations [a], got []",
            ]
        );
    }

    #[test]
    fn the_most_specific_expectation_chooses_first() {
        let expect = expect("{verdict: findings, findings: [LS102, LS102 posts: 6]}");
        let outcome = outcome(vec![seen("LS102", "posts", None, 6), seen("LS102", "tags", None, 1)]);
        assert_eq!(differences(&expect, &outcome), Vec::<String>::new());
    }

    #[test]
    fn another_number_of_rows_is_told_in_one_sentence() {
        let expect = expect("{verdict: findings, findings: [LS102 posts: 6]}");
        let outcome = outcome(vec![seen("LS102", "posts", None, 5)]);
        assert_eq!(
            differences(&expect, &outcome),
            ["expected LS102 posts: 6, found LS102 posts: 5, level error (said so)"]
        );
    }
}
