//! The outcome of many databases as `NAME=value` lines: numbers and fixed words only, as of one database.

use super::{Fleet, Verdict};

/// The outcome. `REHEARSAL_ROWS_LOST` is empty where rows could not be matched, or a database was not rehearsed.
#[must_use]
pub fn render(fleet: &Fleet) -> String {
    let verdict = match fleet.verdict {
        Verdict::Passed => "passed",
        Verdict::Findings => "findings",
        Verdict::Failed => "failed",
        Verdict::Error => "error",
    };
    let totals = &fleet.totals;
    let number = |number: u64| number.to_string();
    [
        ("VERDICT", verdict.to_owned()),
        ("DATABASES", number(totals.databases)),
        ("DATABASES_PASSED", number(totals.passed)),
        ("DATABASES_WITH_FINDINGS", number(totals.findings)),
        ("DATABASES_FAILED", number(totals.failed)),
        ("DATABASES_NOT_REHEARSED", number(totals.errors)),
        ("ROWS_LOST", totals.rows_lost.map(number).unwrap_or_default()),
    ]
    .map(|(name, value)| format!("REHEARSAL_{name}={value}\n"))
    .concat()
}
