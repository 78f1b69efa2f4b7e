//! The report on many databases: how many had which outcome, then each outcome that is not well, then what differs between them.

use super::layout::{Cell, Grid, Side};
use super::paint::Role;
use super::{Detail, Page, finding, sections};
use crate::findings::rule::Level;
use crate::findings::wording::{bytes, count, count_of, duration, list, number};
use crate::report::fleet::wording::{context, differences, headline, level, members, outcome, spread_of, state};
use crate::report::fleet::{Database, Fleet, Group, GroupFinding, Verdict};
use crate::report::visible::visible;

/// Names in a line.
const NAMES: usize = 8;
/// Outcomes that are shown with their findings, and other entries of a section.
const SHOWN: usize = 10;
/// Differences of a schema that are shown.
const DIFFERENCES: usize = 8;

/// The whole report.
pub fn whole(page: &mut Page, fleet: &Fleet) {
    verdict(page, fleet);
    let all = page.style.detail == Detail::Full;
    let most = |entries: usize| if all { entries } else { entries.min(SHOWN) };
    if page.style.detail == Detail::Brief {
        for group in &fleet.groups {
            line(page, group);
        }
        return;
    }
    let parts: Vec<String> = context(fleet).iter().map(|part| visible(part).into_owned()).collect();
    page.prose(0, &parts.join(" · "), Role::Dim);
    let unwell: Vec<(usize, &Group)> =
        fleet.groups.iter().enumerate().filter(|(_, group)| all || level(group).is_some()).collect();
    for (place, group) in &unwell[..most(unwell.len())] {
        page.blank();
        one(page, fleet, *place, group);
    }
    more(page, unwell.len(), "outcome");
    schemas(page, fleet);
    plans(page, fleet);
    extremes(page, fleet);
    if all {
        every(page, fleet);
    }
}

fn verdict(page: &mut Page, fleet: &Fleet) {
    let (head, text) = headline(fleet);
    let worst = fleet.groups.iter().filter_map(level).max();
    page.hanging(&head, worst.map_or(Role::Good, Role::of), &visible(&text), Role::Strong, 2);
}

/// `error: 2 databases: failed: …`.
fn line(page: &mut Page, group: &Group) {
    let (word, role) = sign(group);
    let text = format!("{}, first `{}`: {}", count(group.databases, "database"), group.first, outcome(group));
    page.hanging(&format!("{word}:"), role, &visible(&text), Role::Plain, 4);
}

fn sign(group: &Group) -> (&'static str, Role) {
    match level(group) {
        Some(Level::Error) => ("error", Role::Error),
        Some(Level::Warning) => ("warning", Role::Warning),
        _ => ("passed", Role::Good),
    }
}

/// An outcome: which databases, and the findings of the first.
fn one(page: &mut Page, fleet: &Fleet, place: usize, group: &Group) {
    let (_, role) = sign(group);
    let most = if page.style.detail == Detail::Full { usize::MAX } else { NAMES };
    let head = format!("{}:", count(group.databases, "database"));
    page.hanging(&head, role, &visible(&outcome(group)), Role::Strong, 2);
    page.prose(2, &visible(&members(fleet, place, most)), Role::Plain);
    for help in &group.help {
        page.prose(2, &visible(&format!("help: {help}")), Role::Plain);
    }
    if let Some(code) = group.code.as_deref().filter(|_| group.verdict == Verdict::Error) {
        page.prose(2, &visible(&format!("more: rehearse explain {code}")), Role::Dim);
    }
    if group.databases > 1 {
        for found in group.findings.iter().filter(|found| !found.waived) {
            if let Some(rows) = found.rows.filter(|rows| rows.least != rows.most) {
                let text = format!("{} {}: {}", found.code, about(found), spread_of(rows, "row", ""));
                page.prose(2, &visible(&text), Role::Dim);
            }
        }
    }
    match &group.report {
        Some(report) if !report.findings.is_empty() => {
            if group.databases > 1 {
                page.prose(2, &visible(&format!("in `{}`:", group.first)), Role::Dim);
            }
            page.blank();
            finding::findings(page, &report.findings);
        }
        Some(_) => {}
        None => {
            for found in &group.findings {
                let head = format!("{}[{}] {}:", found.level.name(), found.code, found.name);
                page.hanging(&visible(&head), Role::of(found.level), &visible(&found.message), Role::Plain, 4);
            }
        }
    }
}

/// `users.email`.
fn about(found: &GroupFinding) -> String {
    let parts = [found.table.as_deref(), found.column.as_deref().or(found.object.as_deref())];
    parts.into_iter().flatten().collect::<Vec<_>>().join(".")
}

fn more(page: &mut Page, entries: usize, noun: &str) {
    if page.style.detail != Detail::Full && entries > SHOWN {
        page.prose(2, &format!("{} more (all with -v)", count_of(entries - SHOWN, noun)), Role::Dim);
    }
}

/// The schemas before the migrations, where there is more than one.
fn schemas(page: &mut Page, fleet: &Fleet) {
    let Some((norm, others)) = fleet.schemas.split_first().filter(|(_, others)| !others.is_empty()) else { return };
    page.heading("Schemas before the migrations");
    page.prose(2, &format!("{} with the most common one", count(norm.databases, "database")), Role::Plain);
    let all = page.style.detail == Detail::Full;
    for (place, schema) in others.iter().enumerate().take(if all { others.len() } else { SHOWN }) {
        let names = names_of(fleet, schema.databases, |database| database.schema == Some(place + 1));
        let text = format!("{} with another one: {names}", count(schema.databases, "database"));
        page.prose(2, &visible(&text), Role::Warning);
        for line in differences(schema, if all { usize::MAX } else { DIFFERENCES }) {
            let role = if line.starts_with('+') { Role::Added } else { Role::Removed };
            page.prose(4, &visible(&line), role);
        }
    }
    more(page, others.len(), "schema");
}

/// What is applied and pending, where that is not the same everywhere.
fn plans(page: &mut Page, fleet: &Fleet) {
    if fleet.plans.len() < 2 {
        return;
    }
    page.heading("Applied and pending");
    let all = page.style.detail == Detail::Full;
    for (place, plan) in fleet.plans.iter().enumerate().take(if all { fleet.plans.len() } else { SHOWN }) {
        let names = names_of(fleet, plan.databases, |database| database.plan == Some(place));
        let text = format!("{}: {}: {names}", count(plan.databases, "database"), state(plan));
        page.prose(2, &visible(&text), Role::Plain);
    }
    more(page, fleet.plans.len(), "state");
}

fn names_of(fleet: &Fleet, databases: u64, is_in: impl Fn(&Database) -> bool) -> String {
    let found = fleet.databases.iter().filter(|database| is_in(database));
    let mut names: Vec<String> = found.take(NAMES).map(|database| format!("`{}`", database.name)).collect();
    let others = databases.saturating_sub(names.len() as u64);
    if others > 0 {
        names.push(count(others, "other"));
    }
    list(&names)
}

/// The slowest and the biggest.
fn extremes(page: &mut Page, fleet: &Fleet) {
    if fleet.databases.len() < 2 {
        return;
    }
    let of = |names: &[String], value: &dyn Fn(&Database) -> String| {
        let found = names.iter().filter_map(|name| fleet.databases.iter().find(|database| database.name == *name));
        found.map(|database| format!("{} {}", database.name, value(database))).collect::<Vec<_>>().join(", ")
    };
    let slowest = of(&fleet.slowest, &|database| duration(database.elapsed_ms));
    let biggest = of(&fleet.biggest, &|database| database.bytes.map(bytes).unwrap_or_default());
    page.blank();
    page.prose(0, &visible(&format!("slowest: {slowest}")), Role::Dim);
    page.prose(0, &visible(&format!("biggest: {biggest}")), Role::Dim);
}

/// A line for each database.
fn every(page: &mut Page, fleet: &Fleet) {
    page.heading("Databases");
    let mut grid = Grid::new(&[
        ("database", Side::Left),
        ("size", Side::Right),
        ("time", Side::Right),
        ("lost", Side::Right),
        ("outcome", Side::Left),
    ]);
    let room = page.style.width.saturating_sub(50).max(20);
    for database in &fleet.databases {
        let role = fleet.groups.get(database.group).map_or(Role::Plain, |group| sign(group).1);
        let text = super::cut(&visible(&database.message), room);
        grid.row(vec![
            Cell::new(visible(&database.name), Role::Plain),
            Cell::new(database.bytes.map_or_else(|| "?".to_owned(), bytes), Role::Dim),
            Cell::new(duration(database.elapsed_ms), Role::Dim),
            Cell::new(database.rows_lost.map_or_else(|| "?".to_owned(), number), Role::Plain),
            Cell::new(text, role),
        ]);
    }
    sections::indented(page, &grid);
}
