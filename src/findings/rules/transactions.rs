//! TX: transactions, drivers and the plan.

use std::collections::BTreeSet;

use crate::compare::lineage::Change;
use crate::execution::Step;
use crate::execution::steps::By;
use crate::findings::catalogue::{TX501, TX502, TX503, TX504, TX507, TX508, TX510, TX511, TX514};
use crate::findings::evidence::{file, place};
use crate::findings::rules::causes;
use crate::findings::wording::{count, names};
use crate::findings::{Evidence, Finding, Level, Trial};
use crate::migrations::plan::State;
use crate::migrations::statement::Action;
use crate::profile::Spread;

/// TX501 to TX503: a parent was dropped with foreign keys on, and it is luck that nothing was lost. Where something was, that
/// finding says all this as its cause.
pub(super) fn foreign_keys_on(evidence: &Evidence) -> Vec<Finding> {
    if foreign_keys_did_harm(evidence) {
        return Vec::new();
    }
    let rebuilt: Vec<Finding> = evidence.committed().filter_map(|step| parent_rebuilt(evidence, step)).collect();
    if !rebuilt.is_empty() {
        return rebuilt;
    }
    let Some(pragma) = causes::dead_pragma(evidence) else { return Vec::new() };
    let driver = evidence.execution().settings.driver;
    let mut finding = Finding::new(&TX501, format!("`{}` has no effect", pragma.statement.sql))
        .at(Some(place(pragma)), "foreign keys stay on")
        .help("nothing was lost this time; keep foreign keys off around the migrations if they rebuild tables that others refer to");
    finding.cause = Some(format!("{} has already opened a transaction", causes::migrator(driver, evidence)));
    vec![finding]
}

fn foreign_keys_did_harm(evidence: &Evidence) -> bool {
    let refused = evidence.trial.failure().is_some_and(|failure| failure.error.is_foreign_key());
    let acted = |step: &Step| {
        step.changes.iter().any(|change| change.by == By::ForeignKey && change.deleted + change.updated > 0)
            && matches!(step.statement.action, Action::DropTable { .. })
    };
    refused || evidence.committed().any(acted)
}

fn parent_rebuilt(evidence: &Evidence, step: &Step) -> Option<Finding> {
    let Action::DropTable { table } = &step.statement.action else { return None };
    let comparison = evidence.comparison();
    let rebuilt = comparison.table_before(table).is_some_and(|compared| compared.pair.change == Change::Rebuilt);
    let children: BTreeSet<&str> =
        comparison.before.references_to(table).map(|(child, _)| child.name.as_str()).collect();
    if !step.foreign_keys || !rebuilt || children.is_empty() {
        return None;
    }
    let deferred = causes::defer_pragma(evidence);
    let rule = if deferred.is_some() { &TX503 } else { &TX502 };
    let children: Vec<&str> = children.into_iter().collect();
    let mut finding = Finding::new(
        rule,
        format!("`{table}` was rebuilt with foreign keys on, and {} refers to it", names(children.iter().copied())),
    )
    .table(table)
    .at(Some(place(step)), format!("deletes every row of `{table}`: ON DELETE actions of its children fire"));
    finding.cause = match deferred {
        Some(pragma) => {
            Some(format!("`{}` delays the check at COMMIT, not ON DELETE CASCADE or SET NULL", pragma.statement.sql))
        }
        None => causes::why_foreign_keys_were_on(evidence, step),
    };
    finding.help = causes::keep_children(evidence, table, children.first().copied().unwrap_or_default());
    Some(finding)
}

/// TX504: a migration ends the transaction that the tool has opened.
pub(super) fn own_transaction(evidence: &Evidence) -> Vec<Finding> {
    let ends = |step: &&Step| {
        step.in_transaction
            && step.ran
            && matches!(step.statement.action, Action::Commit | Action::Rollback)
            && step.error.is_none()
    };
    let Some(step) = evidence.execution().steps.iter().find(ends) else { return Vec::new() };
    vec![
        Finding::new(&TX504, format!("`{}` ends the transaction of the migrator", step.migration))
            .at_level(Level::Warning)
            .at(Some(place(step)), "what ran so far is committed, and a later failure cannot take it back")
            .help("keep BEGIN and COMMIT out of migrations; what needs foreign keys off belongs around the whole run"),
    ]
}

/// TX510: names that were read as strings and did not fill a column by that (that is VL206).
pub(super) fn double_quoted_strings(evidence: &Evidence) -> Vec<Finding> {
    let mut findings = Vec::new();
    for step in evidence.committed() {
        for name in step.strings.iter().filter(|name| !fills_a_column(evidence, name)) {
            let driver = evidence.execution().settings.driver;
            findings.push(
                Finding::new(&TX510, format!("`\"{name}\"` is no column here and was read as the text '{name}'"))
                    .object(name)
                    .at(Some(place(step)), format!("`\"{name}\"` is a string"))
                    .cause(format!(
                        "{} reads a double-quoted name that is no column as a string; other drivers refuse it",
                        driver.name
                    ))
                    .help(format!("write '{name}' if a string is meant, and the right column name if not")),
            );
        }
    }
    findings
}

fn fills_a_column(evidence: &Evidence, name: &str) -> bool {
    let profiles = evidence.comparison().tables.iter().filter_map(|table| table.after.as_ref());
    profiles
        .flat_map(|profile| &profile.columns)
        .any(|column| column.spread == Spread::OwnName && column.name.eq_ignore_ascii_case(name))
}

/// TX514.
pub(super) fn partly_run(evidence: &Evidence) -> Vec<Finding> {
    let steps = &evidence.execution().steps;
    let driver = evidence.execution().settings.driver;
    let mut findings = Vec::new();
    let mut index = 0;
    while index < steps.len() {
        let left_out =
            steps[index..].iter().take_while(|step| !step.ran && step.migration == steps[index].migration).count();
        if left_out > 0 {
            let step = &steps[index];
            findings.push(
                Finding::new(
                    &TX514,
                    format!(
                        "{} of `{}` did not run and never will",
                        count(left_out as u64, "statement"),
                        step.migration
                    ),
                )
                .object(&step.migration)
                .rows(left_out as u64)
                .at(Some(place(step)), "left out")
                .cause(format!(
                    "{} runs only the first statement of a chunk, and the migration is recorded as applied",
                    driver.name
                ))
                .help("put `--> statement-breakpoint` between the statements"),
            );
        }
        index += left_out.max(1);
    }
    findings
}

/// TX507 and TX508.
pub(super) fn plan(evidence: &Evidence) -> Vec<Finding> {
    let entries = evidence.plan.entries.iter();
    entries
        .filter_map(|entry| {
            let migration = &entry.migration;
            let path = migration.file.display();
            match &entry.state {
                State::Skipped { why } => Some(
                    Finding::new(&TX507, format!("`{}` is not applied and will never run", migration.name))
                        .object(&migration.name)
                        .at(Some(file(migration)), "")
                        .cause(why.clone())
                        .help(format!("generate it anew, so that its time is the latest; {path} as it is stays without effect")),
                ),
                State::Edited { recorded } => Some(
                    Finding::new(&TX508, format!("`{}` was changed after it was applied", migration.name))
                        .object(&migration.name)
                    .at(Some(file(migration)), "")
                        .cause(format!("the ledger has {}…, the file has {}…", short(recorded), short(&migration.checksum)))
                        .help("put the file back as it was, and write what is missing as a new migration: this one will not run again"),
                ),
                _ => None,
            }
        })
        .collect()
}

fn short(checksum: &str) -> &str {
    checksum.get(..12).unwrap_or(checksum)
}

/// TX511.
pub(super) fn drivers(evidence: &Evidence) -> Vec<Finding> {
    let main = &evidence.trial;
    let differing: Vec<&Trial> = evidence.others.iter().filter(|other| outcome(other) != outcome(main)).collect();
    if differing.is_empty() {
        return Vec::new();
    }
    let name = |trial: &Trial| trial.execution.settings.driver.name;
    let others: Vec<String> = differing.iter().map(|trial| format!("{}: {}", name(trial), describe(trial))).collect();
    vec![
        Finding::new(
            &TX511,
            format!(
                "the driver is not known, and the outcome depends on it ({}: {}; {})",
                name(main),
                describe(main),
                others.join("; ")
            ),
        )
        .object(name(main))
        .cause(evidence.driver_decision.why.clone())
        .help(format!(
            "say which one production uses: {}",
            std::iter::once(main)
                .chain(&evidence.others)
                .map(|trial| format!("--driver {}", name(trial)))
                .collect::<Vec<_>>()
                .join(", ")
        )),
    ]
}

/// Name, rows after, rows lost, values changed by column.
type TableOutcome = (String, Option<u64>, u64, Vec<u64>);

/// What makes two outcomes the same: success, and rows, lost rows and changed values of every table.
fn outcome(trial: &Trial) -> (bool, Vec<TableOutcome>) {
    let tables = trial.comparison.tables.iter().map(|table| {
        let columns = table.rows.iter().flat_map(|rows| &rows.columns).map(|column| column.changed).collect();
        (table.name().to_owned(), table.after.as_ref().map(|after| after.rows), table.lost(), columns)
    });
    (trial.failure().is_some(), tables.collect())
}

fn describe(trial: &Trial) -> String {
    match trial.failure() {
        Some(failure) => format!("fails with {}", failure.error.message),
        None => match trial.comparison.rows_lost() {
            0 => "no row is lost".to_owned(),
            rows => format!("{} lost", count(rows, "row")),
        },
    }
}
