//! What the reports on many databases say alike.

use super::{Fleet, Group, PlanCluster, SchemaCluster, Spread, Verdict};
use crate::findings::rule::Level;
use crate::findings::wording::{bytes, count, count_of, duration, list, number};

/// Outcomes that the first sentence names.
const NAMED: usize = 4;

/// The number of databases with each outcome, the most common first, in one sentence.
#[must_use]
pub fn headline(fleet: &Fleet) -> (String, String) {
    let total = fleet.totals.databases;
    let head = format!("{}:", count(total, "database"));
    let mut groups: Vec<&Group> = fleet.groups.iter().collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.databases));
    let Some((first, rest)) = groups.split_first() else {
        return (head, format!("none of {} is in this part", number(fleet.selection.databases)));
    };
    let most = match (first.databases, total) {
        (1, 1) => String::new(),
        (databases, total) if databases == total => "all the same: ".to_owned(),
        (1, _) => format!("1 of {}: ", number(total)),
        (databases, _) => format!("{} of {} the same: ", number(databases), number(total)),
    };
    let mut parts = vec![format!("{most}{}", outcome(first))];
    parts.extend(rest.iter().take(NAMED).map(|group| format!("{}: {}", number(group.databases), outcome(group))));
    if let Some(others) = rest.get(NAMED..).filter(|others| !others.is_empty()) {
        let databases = others.iter().map(|group| group.databases).sum();
        parts.push(format!("{} with {}", number(databases), count_of(others.len(), "other outcome")));
    }
    (head, parts.join("; "))
}

/// The outcome of a group in a clause: `passed`, `failed: UNIQUE constraint failed: users.email`.
#[must_use]
pub fn outcome(group: &Group) -> String {
    let spread = group.rows_lost.filter(|rows| group.databases > 1 && rows.least != rows.most);
    let spread = spread.map_or_else(String::new, |rows| format!(" ({})", spread_of(rows, "row", " lost")));
    format!("{}{spread}", group.message)
}

/// `14 to 100 rows lost, 312 in all`.
#[must_use]
pub fn spread_of(spread: Spread, noun: &str, what: &str) -> String {
    let (least, most) = (number(spread.least), count(spread.most, noun));
    format!("{least} to {most}{what}, {} in all", number(spread.total))
}

/// How grave an outcome is; none where all is well.
#[must_use]
pub fn level(group: &Group) -> Option<Level> {
    match group.verdict {
        Verdict::Error | Verdict::Failed => Some(Level::Error),
        Verdict::Findings => Some(worst(group).unwrap_or(Level::Error)),
        Verdict::Passed => worst(group).filter(|level| *level > Level::Note).map(|_| Level::Warning),
    }
}

fn worst(group: &Group) -> Option<Level> {
    group.findings.iter().filter(|finding| !finding.waived).map(|finding| finding.level).max()
}

/// What was rehearsed: the databases, their size, the tool, how long it took.
#[must_use]
pub fn context(fleet: &Fleet) -> Vec<String> {
    let selection = &fleet.selection;
    let mut parts = vec![selection.given.clone()];
    if let Some(shard) = fleet.shard {
        parts.push(format!(
            "part {} of {}, {} of {}",
            number(shard.part.into()),
            number(shard.of.into()),
            number(fleet.totals.databases),
            count(selection.databases, "database")
        ));
    }
    parts.push(bytes(fleet.totals.bytes));
    if let Some(plan) = fleet.plans.first() {
        parts.push(format!("{}, {}", plan.tool, plan.driver));
    }
    parts.push(duration(fleet.elapsed_ms));
    if selection.left_aside > 0 {
        parts.push(format!("{} left aside that are no databases", count(selection.left_aside, "file")));
    }
    if selection.duplicates > 0 {
        parts.push(format!("{} to a file that was named before", count(selection.duplicates, "path")));
    }
    parts
}

/// The names of the databases of a group, as many as fit in a sentence.
#[must_use]
pub fn members(fleet: &Fleet, group: usize, most: usize) -> String {
    let mut names: Vec<String> = fleet.names_in(group).take(most).map(|name| format!("`{name}`")).collect();
    let databases = fleet.groups.get(group).map_or(0, |group| group.databases);
    let others = databases.saturating_sub(names.len() as u64);
    if others > 0 {
        names.push(count(others, "other"));
    }
    list(&names)
}

/// How the databases of a schema differ from the most common one, a line each; at most so many.
#[must_use]
pub fn differences(schema: &SchemaCluster, most: usize) -> Vec<String> {
    let (missing, extra) = (schema.missing.iter(), schema.extra.iter());
    let mut lines: Vec<String> =
        missing.map(|line| format!("- {line}")).chain(extra.map(|line| format!("+ {line}"))).collect();
    if lines.len() > most {
        let hidden = lines.len() - most;
        lines.truncate(most);
        lines.push(format!("… {}", count_of(hidden, "other difference")));
    }
    if lines.is_empty() && schema.objects.is_none() {
        lines.push("its differences are not told: there are too many schemas".to_owned());
    }
    lines
}

/// `3 applied, 2 pending (0004_a, 0005_b), by drizzle under better-sqlite3`.
#[must_use]
pub fn state(plan: &PlanCluster) -> String {
    let pending: Vec<&str> = plan.pending.iter().take(4).map(String::as_str).collect();
    let rest = if plan.pending.len() > pending.len() { ", …" } else { "" };
    let names = if pending.is_empty() { String::new() } else { format!(" ({}{rest})", pending.join(", ")) };
    let mut parts = vec![format!("{} applied", number(plan.applied)), format!("{} pending{names}", plan.pending.len())];
    for (amount, word) in [(plan.skipped, "skipped"), (plan.edited, "edited"), (plan.missing, "without a file")] {
        if amount > 0 {
            parts.push(format!("{} {word}", number(amount)));
        }
    }
    parts.push(format!("{} under {}", plan.tool, plan.driver));
    parts.join(", ")
}
