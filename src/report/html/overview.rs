//! The top of the page: the verdict, its reason, and the numbers that go with it.

use serde::Serialize;

use crate::findings::rule::Level;
use crate::findings::wording::{bytes, count_of, duration, number};
use crate::report::document::{Document, Outcome, Table};
use crate::report::verdict::headline;

/// The verdict and its numbers.
#[derive(Serialize)]
pub struct Overview {
    /// `error`, `warning` or `good`: how it is coloured.
    tone: &'static str,
    head: String,
    reason: String,
    /// The levels of findings that fail the run.
    fails: String,
    /// What was rehearsed: the snapshot and the migrations.
    snapshot: String,
    subject: String,
    tiles: Vec<Tile>,
    version: String,
    sqlite_version: String,
    schema_version: u32,
    /// What of the rows is in the page.
    of_rows: &'static str,
}

/// A number and what it counts.
#[derive(Serialize)]
struct Tile {
    figure: String,
    what: String,
    tone: &'static str,
}

/// What is counted of a table.
type Count = fn(&Table) -> Option<u64>;

/// The verdict, the reason, the numbers.
pub fn overview(document: &Document) -> Overview {
    let headline = headline(document);
    Overview {
        tone: headline.level.map_or("good", |level| if level == Level::Error { "error" } else { "warning" }),
        head: headline.head,
        reason: headline.reason,
        fails: fails(document.fail_on),
        snapshot: document.snapshot.path.clone(),
        subject: subject(document),
        tiles: tiles(document),
        version: document.rehearse.version.clone(),
        sqlite_version: document.rehearse.sqlite_version.clone(),
        schema_version: document.schema_version,
        of_rows: of_rows(document),
    }
}

fn fails(level: Option<Level>) -> String {
    match level {
        Some(Level::Error) => "errors fail this run".to_owned(),
        Some(level) => format!("findings from {} on fail this run", level.name()),
        None => "no finding fails this run".to_owned(),
    }
}

fn of_rows(document: &Document) -> &'static str {
    let said = document.execution.command.as_ref().is_some_and(|command| !command.output.is_empty());
    match (document.findings.iter().any(|finding| finding.samples.is_some()), said) {
        (true, _) => "Rows are shown because `--samples` asked for them.",
        (false, true) => "No value of a row is in this report, except what the command may have said.",
        (false, false) => "No value of a row is in this report.",
    }
}

fn subject(document: &Document) -> String {
    let plan = &document.plan;
    let pending = match plan.pending.as_slice() {
        [] => "no pending migration".to_owned(),
        [one] => format!("`{}`", one.name),
        several => count_of(several.len(), "pending migration"),
    };
    match &document.execution.command {
        Some(command) => format!("{pending} by `{}`", command.line),
        None if plan.driver.is_empty() => format!("{pending} under {}", plan.tool),
        None => format!("{pending} under {} with {}", plan.tool, plan.driver),
    }
}

fn tiles(document: &Document) -> Vec<Tile> {
    let mut tiles = Vec::new();
    let some = |amount: u64, tone: &'static str| if amount > 0 { tone } else { "" };
    let counted: [(&str, Count, &str); 3] = [
        ("lost", |table| table.rows.lost, "error"),
        ("changed", |table| table.rows.changed, "warning"),
        ("gained", |table| table.rows.gained, ""),
    ];
    for (what, of, tone) in counted {
        let known: u64 = document.tables.iter().filter_map(of).sum();
        let unmatched = document
            .tables
            .iter()
            .filter(|table| of(table).is_none() && table.rows.before.is_some() && table.rows.after.is_some())
            .count();
        let noun = if known == 1 { "row" } else { "rows" };
        let what = match unmatched {
            0 => format!("{noun} {what}"),
            tables => format!("{noun} {what}; {} not matched", count_of(tables, "table")),
        };
        tiles.push(Tile { figure: number(known), what, tone: some(known, tone) });
    }
    let ran = document.execution.steps.iter().filter(|step| step.ran).count();
    if ran > 0 || document.execution.command.is_some() {
        let what = match &document.execution.command {
            Some(command) if !command.traced => "the command; its statements are not known".to_owned(),
            _ => count_of(ran, "statement"),
        };
        tiles.push(Tile { figure: duration(document.execution.elapsed_ms), what, tone: "" });
    }
    let resources = &document.resources;
    let what = if resources.bytes_after == resources.bytes_before {
        "size of the file, as before".to_owned()
    } else {
        format!("size of the file, before {}", bytes(resources.bytes_before))
    };
    tiles.push(Tile { figure: bytes(resources.bytes_after), what, tone: "" });
    if let Some(usage) = resources.usage.as_ref().filter(|_| document.execution.outcome == Outcome::Completed) {
        tiles.push(Tile {
            figure: bytes(usage.needed_bytes),
            what: "free space needed meanwhile".to_owned(),
            tone: "",
        });
    }
    tiles
}
