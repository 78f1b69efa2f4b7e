//! Checks what the migrations' directives say of renamed columns: a wrong one must not be passed over.

use super::Comparison;
use crate::error::Error;
use crate::execution::{Execution, Outcome, Step};
use crate::migrations::directive::Renamed;
use crate::migrations::statement::Action;
use crate::schema::Schema;

/// The new name of a column that was dropped.
const GONE: &str = "";

/// Refuses a directive that led to no pair of columns: a name that is no column, or a statement of another table.
///
/// # Errors
/// Names the directive's statement and what is not there: exit code 2.
pub fn check(comparison: &Comparison, execution: &Execution) -> Result<(), Error> {
    if !matches!(execution.outcome, Outcome::Completed) {
        return Ok(());
    }
    for step in execution.steps.iter().filter(|step| step.committed) {
        for renamed in &step.statement.renamed {
            wrong(renamed, comparison, execution).map_or(Ok(()), |why| Err(refusal(step, renamed, why)))?;
        }
    }
    Ok(())
}

fn refusal(step: &Step, renamed: &Renamed, why: String) -> Error {
    let place = format!("{}:{}", step.file, step.statement.line);
    Error::usage(format!("following `renamed {} -> {}` at `{place}`", renamed.old, renamed.new), why).hint(
        "it stands beside the statement that makes, fills or alters the table in which the column has its new name",
    )
}

fn wrong(renamed: &Renamed, comparison: &Comparison, execution: &Execution) -> Option<String> {
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    let chain = links(execution);
    if !has(&comparison.before, &renamed.old) && !chain.iter().any(|(_, new)| same(new, &renamed.old)) {
        return Some(format!("no table had a column `{}`", renamed.old));
    }
    if !has(&comparison.after, &renamed.new) && !chain.iter().any(|(old, _)| same(old, &renamed.new)) {
        return Some(format!("no table has a column `{}`", renamed.new));
    }
    let mut pairs = comparison.tables.iter().flat_map(|table| &table.pair.columns);
    let linked = chain.iter().filter(|(old, new)| {
        same(new, &renamed.old)
            || same(old, &renamed.new)
            || (same(old, &renamed.old) && !same(new, &renamed.new) && *new != GONE)
    });
    let is_pair = pairs.any(|(old, new)| same(old, &renamed.old) && same(new, &renamed.new));
    (!is_pair && linked.count() == 0)
        .then(|| format!("`{}` and `{}` are not columns of the statement's table", renamed.old, renamed.new))
}

/// Every rename of a column in this run, told or done: old name, new name; [`GONE`] where it was dropped.
fn links(execution: &Execution) -> Vec<(&str, &str)> {
    let mut links = Vec::new();
    for step in &execution.steps {
        links.extend(step.statement.renamed.iter().map(|renamed| (renamed.old.as_str(), renamed.new.as_str())));
        match &step.statement.action {
            Action::RenameColumn { column, to, .. } => links.push((column, to)),
            Action::DropColumn { column, .. } => links.push((column, GONE)),
            _ => {}
        }
    }
    links
}

fn has(schema: &Schema, column: &str) -> bool {
    schema.tables.values().any(|table| table.column(column).is_some())
}
