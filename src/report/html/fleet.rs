//! The report on many databases as a page: the outcomes, what differs between the databases, and a line for each.

use minijinja::value::Value;
use serde::Serialize;

use super::findings::{Help, help};
use super::grid::{Grid, code, numbers, text, words};
use super::{STYLE, policy};
use crate::findings::rule::Level;
use crate::findings::wording::{bytes, count, count_of, duration, number};
use crate::report::document::Finding;
use crate::report::fleet::wording::{context, differences, headline, level, members, outcome, spread_of, state};
use crate::report::fleet::{Fleet, Group, GroupFinding, SchemaCluster, Totals};

/// Outcomes and schemas that are shown.
const SHOWN: usize = 100;
/// Names of databases of an outcome.
const NAMES: usize = 30;
/// Differences of a schema.
const DIFFERENCES: usize = 30;
/// Databases that have a line: a browser shall show the page at once.
const LINES: usize = 2_000;

/// What the page shows, in the order in which it is read.
#[derive(Serialize)]
pub struct Page {
    style: Value,
    policy: String,
    /// `error`, `warning` or `good`: how it is coloured.
    tone: &'static str,
    given: String,
    head: String,
    reason: String,
    subject: String,
    tiles: Vec<Tile>,
    groups: Vec<Outcome>,
    more: Option<String>,
    norm: String,
    schemas: Vec<Schema>,
    more_schemas: Option<String>,
    plans: Option<Grid>,
    databases: Option<Grid>,
    more_databases: Option<String>,
    version: String,
    sqlite_version: String,
    schema_version: u32,
}

/// A number and what it counts.
#[derive(Serialize)]
struct Tile {
    figure: String,
    what: &'static str,
    tone: &'static str,
}

/// Databases with the same outcome.
#[derive(Serialize)]
struct Outcome {
    id: String,
    tone: &'static str,
    count: String,
    message: String,
    members: String,
    help: Vec<String>,
    /// The rule that explains why it could not be rehearsed.
    explained: Option<String>,
    /// Whose numbers the findings have, where there are several databases.
    of_first: Option<String>,
    findings: Vec<Told>,
}

/// A finding.
#[derive(Serialize)]
struct Told {
    level: &'static str,
    code: String,
    message: String,
    place: Option<String>,
    spread: Option<String>,
    statement: Option<String>,
    label: Option<String>,
    cause: Option<String>,
    proof: Option<String>,
    help: Vec<Help>,
}

/// Databases with another schema than most.
#[derive(Serialize)]
struct Schema {
    count: String,
    first: String,
    lines: Vec<String>,
}

/// What there is to show.
pub fn page(fleet: &Fleet) -> Page {
    let (head, reason) = headline(fleet);
    let shown = fleet.groups.iter().enumerate().take(SHOWN);
    let (norm, others) = fleet.schemas.split_first().map_or((None, &[][..]), |(norm, others)| (Some(norm), others));
    let norm = norm.map_or_else(String::new, |norm| {
        let databases = count(norm.databases, "database");
        if others.is_empty() {
            format!("{databases}, all with the same.")
        } else {
            format!("{databases} with the most common one.")
        }
    });
    let more = |entries: usize, most: usize, noun: &str| {
        let hidden = entries.saturating_sub(most);
        (hidden > 0).then(|| format!("{} not shown here; the report as JSON has all of them.", count_of(hidden, noun)))
    };
    Page {
        style: Value::from_safe_string(STYLE.to_owned()),
        policy: policy(),
        tone: tone(fleet.groups.iter().filter_map(level).max()),
        given: fleet.selection.given.clone(),
        head: head.trim_end_matches(':').to_owned(),
        reason,
        subject: context(fleet).join(" · "),
        tiles: tiles(&fleet.totals),
        groups: shown.map(|(place, group)| of_group(fleet, place, group)).collect(),
        more: more(fleet.groups.len(), SHOWN, "other outcome"),
        norm,
        schemas: others.iter().take(SHOWN).map(of_schema).collect(),
        more_schemas: more(others.len(), SHOWN, "other schema"),
        plans: plans(fleet),
        databases: databases(fleet),
        more_databases: more(fleet.databases.len(), LINES, "other database"),
        version: fleet.rehearse.version.clone(),
        sqlite_version: fleet.rehearse.sqlite_version.clone(),
        schema_version: fleet.schema_version,
    }
}

fn tone(level: Option<Level>) -> &'static str {
    match level {
        Some(Level::Error) => "error",
        Some(_) => "warning",
        None => "good",
    }
}

fn tiles(totals: &Totals) -> Vec<Tile> {
    let tile = |amount: u64, what, tone| {
        let tone = if amount > 0 { tone } else { "" };
        Tile { figure: number(amount), what, tone }
    };
    let mut tiles = vec![
        tile(totals.passed, "passed", ""),
        tile(totals.findings, "with findings that fail", "error"),
        tile(totals.failed, "on which a migration failed", "error"),
        tile(totals.errors, "not rehearsed", "error"),
    ];
    tiles.push(match totals.rows_lost {
        Some(rows) => tile(rows, "rows lost", "error"),
        None => Tile { figure: "?".to_owned(), what: "rows lost: not known of all", tone: "warning" },
    });
    tiles
}

fn of_group(fleet: &Fleet, place: usize, group: &Group) -> Outcome {
    let reported = group.report.as_ref().map_or(&[][..], |report| &report.findings);
    Outcome {
        id: format!("outcome-{}", place + 1),
        tone: level(group).map_or("note", |level| tone(Some(level))),
        count: count(group.databases, "database"),
        message: outcome(group),
        members: members(fleet, place, NAMES),
        help: group.help.clone(),
        explained: group.code.clone(),
        of_first: (group.databases > 1).then(|| format!("in `{}`:", group.first)),
        findings: group.findings.iter().map(|finding| told(finding, reported)).collect(),
    }
}

/// The finding, with what the report on the first database has of it.
fn told(finding: &GroupFinding, reported: &[Finding]) -> Told {
    let is_it =
        |other: &&Finding| other.code == finding.code && other.message == finding.message && other.line == finding.line;
    let whole = reported.iter().find(is_it);
    let spread = finding.rows.filter(|rows| rows.least != rows.most);
    Told {
        level: if finding.waived { "waived" } else { finding.level.name() },
        code: format!("{} {}", finding.code, finding.name),
        message: finding.message.clone(),
        place: finding
            .file
            .as_ref()
            .map(|file| finding.line.map_or_else(|| file.clone(), |line| format!("{file}:{line}"))),
        spread: spread.map(|rows| format!("in all of them {}", spread_of(rows, "row", ""))),
        statement: whole.and_then(|whole| whole.statement.clone()),
        label: whole.and_then(|whole| whole.label.clone()),
        cause: whole.and_then(|whole| whole.cause.clone()),
        proof: whole.and_then(|whole| whole.proof.clone()),
        help: whole.map(|whole| whole.help.iter().map(|text| help(text)).collect()).unwrap_or_default(),
    }
}

fn of_schema(schema: &SchemaCluster) -> Schema {
    Schema {
        count: count(schema.databases, "database"),
        first: schema.first.clone(),
        lines: differences(schema, DIFFERENCES),
    }
}

fn plans(fleet: &Fleet) -> Option<Grid> {
    let mut grid = Grid::new("What the ledgers say", &[numbers("databases"), words("state"), words("first")]);
    for plan in fleet.plans.iter().take(SHOWN) {
        grid.row(vec![text(number(plan.databases)), text(state(plan)), code(plan.first.clone())]);
    }
    grid.filled()
}

fn databases(fleet: &Fleet) -> Option<Grid> {
    let heads = [words("database"), numbers("size"), numbers("time"), numbers("rows lost"), words("outcome")];
    let mut grid = Grid::new("Every database, by name", &heads);
    for database in fleet.databases.iter().take(LINES) {
        let group = fleet.groups.get(database.group);
        let unknown = || "?".to_owned();
        grid.row(vec![
            code(database.name.clone()),
            text(database.bytes.map_or_else(unknown, bytes)),
            text(duration(database.elapsed_ms)),
            text(database.rows_lost.map_or_else(unknown, number)),
            text(database.message.clone()).toned(group.and_then(level).map_or("", |level| tone(Some(level)))),
        ]);
    }
    grid.filled()
}
