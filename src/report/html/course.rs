//! The course of the migrations: each statement with its time, the rows that it touched, the size of the file, and where it failed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::findings::anchor;
use super::rows::share;
use crate::findings::wording::{bytes, count, count_of, duration, number};
use crate::report::document::{Change, Document, Outcome, Step};
use crate::report::facts;
use crate::report::takes::{machine, takes};
use crate::report::visible::visible_lines;

/// Statements of one migration that are shown before the rest is folded.
const SHOWN: usize = 40;
/// The narrowest bar, in percent of the width.
const LEAST: f64 = 0.4;
/// The height of the picture of the file's size.
const HEIGHT: f64 = 48.0;

/// What ran, in order.
#[derive(Serialize)]
pub struct Course {
    /// Why there is nothing to show; none where there is.
    nothing: Option<&'static str>,
    summary: Vec<String>,
    chart: Option<Chart>,
    migrations: Vec<Migration>,
}

/// The whole run: time to the right, the size of the file upwards.
#[derive(Serialize)]
struct Chart {
    blocks: Vec<Block>,
    text: String,
    before: String,
    after: String,
    biggest: String,
    total: String,
    failed: bool,
}

/// Statements side by side, in percent of the width and in pixels of the height.
#[derive(Serialize)]
struct Block {
    kind: &'static str,
    x: String,
    width: String,
    y: String,
    height: String,
}

#[derive(Serialize)]
struct Migration {
    name: String,
    file: String,
    facts: Vec<String>,
    failed: bool,
    steps: Vec<Statement>,
    folded: Vec<Statement>,
    more: String,
    /// Statements that never ran.
    left: String,
}

#[derive(Serialize)]
struct Statement {
    line: u32,
    sql: String,
    time: String,
    x: String,
    width: String,
    growth: String,
    taken: Option<String>,
    changes: Vec<Touched>,
    findings: Vec<Link>,
    error: Option<String>,
    ran: bool,
}

/// Rows that a statement touched.
#[derive(Serialize)]
struct Touched {
    table: String,
    text: String,
    /// Whether the statement did not do it itself.
    beside: bool,
    deletes: bool,
}

#[derive(Serialize)]
struct Link {
    code: String,
    level: &'static str,
    anchor: String,
}

/// The course of a run.
pub fn course(document: &Document) -> Course {
    let steps = &document.execution.steps;
    let places = places(document);
    let mut clock = Clock::new(steps);
    let mut size = document.resources.bytes_before;
    let mut migrations = Vec::new();
    let nothing = facts::nothing_ran(document);
    for run in facts::runs(document) {
        let mut told: Vec<Statement> = Vec::new();
        for step in &run.steps {
            told.push(statement(step, &mut clock, &mut size, &places));
        }
        let pending = document.plan.pending.iter().find(|migration| migration.name == run.name);
        let held = pending.map_or(0, |migration| migration.statements);
        let left = if run.failed { held.saturating_sub(run.steps.len()) } else { 0 };
        let folded = if told.len() > SHOWN + 1 { told.split_off(SHOWN) } else { Vec::new() };
        let mut facts = vec![count_of(run.ran, "statement"), format!("{} written", count(run.written, "row"))];
        facts.extend(run.elapsed_ms.map(duration));
        facts.extend((!run.outcome.is_empty()).then(|| run.outcome.clone()));
        migrations.push(Migration {
            name: run.name.to_owned(),
            file: pending.map(|migration| migration.file.clone()).unwrap_or_default(),
            facts,
            failed: run.failed,
            more: more(&folded),
            steps: told,
            folded,
            left: if left == 0 {
                String::new()
            } else {
                format!("{} behind it did not run", count_of(left, "statement"))
            },
        });
    }
    // What a command ran belongs to no migration of the plan.
    let known: Vec<&str> = document.plan.pending.iter().map(|migration| migration.name.as_str()).collect();
    let others: Vec<&Step> = steps.iter().filter(|step| !known.contains(&step.migration.as_str())).collect();
    if let Some(first) = others.first() {
        let mut told: Vec<Statement> =
            others.iter().map(|step| statement(step, &mut clock, &mut size, &places)).collect();
        let folded = if told.len() > SHOWN + 1 { told.split_off(SHOWN) } else { Vec::new() };
        migrations.push(Migration {
            name: first.migration.clone(),
            file: first.file.clone(),
            facts: vec![count_of(others.len(), "statement")],
            failed: others.iter().any(|step| step.error.is_some()),
            more: more(&folded),
            steps: told,
            folded,
            left: String::new(),
        });
    }
    let told = !steps.is_empty() || document.execution.outcome != Outcome::NothingPending;
    Course {
        nothing,
        summary: if told {
            let on = document.resources.machine.as_ref().map(|on| format!("this machine: {}", machine(on)));
            takes(&document.execution, &document.resources).into_iter().chain(on).collect()
        } else {
            Vec::new()
        },
        chart: chart(document),
        migrations,
    }
}

fn more(folded: &[Statement]) -> String {
    let failed = if folded.iter().any(|step| step.error.is_some()) { ", one of which failed" } else { "" };
    format!("{}{failed}", count_of(folded.len(), "more statement"))
}

/// The findings by file and line, each rule once.
fn places(document: &Document) -> BTreeMap<(&str, u32), Vec<Link>> {
    let mut places: BTreeMap<(&str, u32), Vec<Link>> = BTreeMap::new();
    for (index, finding) in document.findings.iter().enumerate() {
        if let (Some(file), Some(line)) = (finding.file.as_deref(), finding.line) {
            let links = places.entry((file, line)).or_default();
            if links.iter().all(|link| link.code != finding.code) {
                let level = if finding.waived.is_some() { "waived" } else { finding.level.name() };
                links.push(Link { code: finding.code.clone(), level, anchor: anchor(index) });
            }
        }
    }
    places
}

/// How far the run has come, in percent of its time.
struct Clock {
    total: f64,
    at: f64,
}

impl Clock {
    fn new(steps: &[Step]) -> Self {
        Self { total: steps.iter().map(|step| step.elapsed_ms).sum(), at: 0.0 }
    }

    /// Where a span of so many milliseconds begins, and how wide it is.
    fn span(&mut self, milliseconds: f64) -> (f64, f64) {
        let width = if self.total > 0.0 { 100.0 * milliseconds / self.total } else { 0.0 };
        let start = self.at;
        self.at += width;
        let shown = width.max(LEAST);
        (start.clamp(0.0, 100.0 - shown.min(100.0)), shown)
    }
}

fn statement(step: &Step, clock: &mut Clock, size: &mut u64, places: &BTreeMap<(&str, u32), Vec<Link>>) -> Statement {
    let (x, width) = clock.span(step.elapsed_ms);
    let growth = step.bytes_after.map(|after| (std::mem::replace(size, after), after));
    let links = places.get(&(step.file.as_str(), step.line));
    Statement {
        line: step.line,
        sql: visible_lines(&step.sql).iter().map(|line| line.trim()).collect::<Vec<_>>().join(" "),
        time: if step.ran { duration(step.elapsed_ms) } else { "left out".to_owned() },
        x: format!("{x:.2}%"),
        width: format!("{width:.2}%"),
        growth: match growth {
            Some((before, after)) if after > before => format!("+{}", bytes(after - before)),
            Some((before, after)) if after < before => format!("−{}", bytes(before - after)),
            _ => String::new(),
        },
        taken: facts::taken(step),
        changes: step.changes.iter().map(touched).collect(),
        findings: links
            .into_iter()
            .flatten()
            .map(|link| Link { code: link.code.clone(), level: link.level, anchor: link.anchor.clone() })
            .collect(),
        error: step.error.as_ref().map(|error| {
            let code = error.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
            format!("{}{code}", error.message)
        }),
        ran: step.ran,
    }
}

fn touched(change: &Change) -> Touched {
    let by = facts::by(change);
    Touched {
        table: change.table.clone(),
        text: format!("{}{by}", facts::counts(change)),
        beside: !by.is_empty(),
        deletes: change.deleted > 0,
    }
}

/// The picture of the whole run; none where no statement is known.
fn chart(document: &Document) -> Option<Chart> {
    let steps = &document.execution.steps;
    if steps.is_empty() {
        return None;
    }
    let before = document.resources.bytes_before;
    let biggest = steps.iter().filter_map(|step| step.bytes_after).chain([before]).max().unwrap_or(before).max(1);
    let mut clock = Clock::new(steps);
    let mut blocks: Vec<Block> = Vec::new();
    let mut size = before;
    // Statements that are too short to be seen share a block.
    let (mut from, mut failed) = (None, false);
    for (index, step) in steps.iter().enumerate() {
        let (x, _) = clock.span(step.elapsed_ms);
        size = step.bytes_after.unwrap_or(size);
        failed |= step.error.is_some();
        let start = *from.get_or_insert(x);
        let width = clock.at.min(100.0) - start;
        let is_last = index + 1 == steps.len();
        if width >= LEAST || is_last {
            let height = (HEIGHT * share(size, biggest)).max(1.0);
            blocks.push(Block {
                kind: if failed {
                    "failed"
                } else if blocks.len().is_multiple_of(2) {
                    "even"
                } else {
                    "odd"
                },
                x: format!("{start:.2}%"),
                width: format!("{:.2}%", width.max(if is_last { LEAST } else { 0.0 })),
                y: format!("{:.1}", HEIGHT - height),
                height: format!("{height:.1}"),
            });
            (from, failed) = (None, false);
        }
    }
    let slowest = steps.iter().max_by(|one, other| one.elapsed_ms.total_cmp(&other.elapsed_ms));
    let slowest = slowest.map(|step| {
        format!("the longest, on line {}, took {}", number(u64::from(step.line)), duration(step.elapsed_ms))
    });
    let end = steps.iter().find(|step| step.error.is_some()).map(|step| format!("it failed on line {}", step.line));
    let told: Vec<String> = [
        Some(format!("{} in {}", count_of(steps.len(), "statement"), duration(clock.total))),
        slowest,
        end,
        Some(format!("size of the file from {} to {}", bytes(before), bytes(size))),
    ]
    .into_iter()
    .flatten()
    .collect();
    Some(Chart {
        blocks,
        text: told.join("; "),
        before: bytes(before),
        after: bytes(size),
        biggest: bytes(biggest),
        total: duration(clock.total),
        failed: steps.iter().any(|step| step.error.is_some()),
    })
}
