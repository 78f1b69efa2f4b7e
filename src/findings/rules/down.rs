//! EX604 and EX605: what undoing the migrations does.

use crate::execution::Outcome;
use crate::findings::catalogue::{EX604, EX605};
use crate::findings::evidence::{WayBack, place};
use crate::findings::wording::{count, share};
use crate::findings::{Evidence, Finding, Level};

/// EX604: a migration is not undone.
pub(super) fn failed(evidence: &Evidence) -> Vec<Finding> {
    let Some(back) = &evidence.way_back else { return Vec::new() };
    if let Outcome::Failed(failure) = &back.execution.outcome {
        let step = failure.step.and_then(|index| back.execution.steps.get(index));
        let what = step.map_or_else(|| failure.doing.to_owned(), |step| format!("undoing `{}` fails", step.migration));
        let mut finding = Finding::new(&EX604, format!("{what}: {}", failure.error.message));
        if let Some(step) = step {
            finding = finding.at(Some(place(step)), "fails on the way back").object(&step.migration);
        }
        return vec![finding];
    }
    let nothing = |name: &String| {
        Finding::new(&EX604, format!("`{name}` has no down migration"))
            .object(name)
            .help("write one, or say in the runbook that a restore of the database is the way back")
    };
    back.no_further_than.iter().map(nothing).collect()
}

/// EX605: what is there after up and down is not what was there. Where the way back ends too early nothing is said.
pub(super) fn loses_data(evidence: &Evidence) -> Vec<Finding> {
    let is_complete =
        |back: &&WayBack| back.no_further_than.is_none() && !matches!(back.execution.outcome, Outcome::Failed(_));
    let Some(WayBack { comparison, .. }) = evidence.way_back.as_ref().filter(is_complete) else { return Vec::new() };
    let mut findings = Vec::new();
    for table in &comparison.tables {
        let Some(before) = table.before.as_ref().filter(|_| table.pair.before.is_some()) else { continue };
        let lost = table.lost();
        if lost > 0 {
            let message = format!("after up and down `{}` lacks {}", table.name(), share(lost, before.rows, "row"));
            let finding = Finding::new(&EX605, message).table(table.name()).rows(lost);
            findings.push(
                finding.help("keep the rows in a table of their own, from which the down migration brings them back"),
            );
        }
        for column in table.rows.iter().flat_map(|rows| &rows.columns).filter(|column| column.changed > 0) {
            let values = count(column.changed, "value");
            let message = format!("after up and down {values} of `{}` in `{}` are others", column.before, table.name());
            let finding = Finding::new(&EX605, message).table(table.name()).column(&column.before).rows(column.changed);
            findings.push(finding.help("the down migration brings the column back, not what was in it: keep the values in a table of their own until there is no way back"));
        }
    }
    let changes = comparison.schema_changes.len() as u64;
    if changes > 0 && findings.is_empty() {
        let message = format!(
            "after up and down {} of the schema {} another",
            count(changes, "part"),
            if changes == 1 { "is" } else { "are" }
        );
        findings.push(Finding::new(&EX605, message).at_level(Level::Warning));
    }
    findings
}
