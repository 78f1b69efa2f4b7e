//! What ran and how: the plan, the settings, what was decided and why, the other drivers, the way back, and the snapshot.

use serde::Serialize;

use super::grid::{Cell, Grid, code, numbers, text, words};
use crate::findings::rule::Level;
use crate::findings::wording::{count, count_of, number};
use crate::report::document::{Document, Migration, Outcome, Plan};
use crate::report::facts;

/// What ran and on what.
#[derive(Serialize)]
pub struct Run {
    settings: Vec<(&'static str, String)>,
    decisions: Option<Grid>,
    plan: Option<Grid>,
    applied: Option<Grid>,
    applied_count: String,
    output: Vec<String>,
    output_dropped: String,
    way_back: Option<Grid>,
    way_back_told: String,
    alternatives: Option<Grid>,
    matrix: Option<Grid>,
    extent: &'static str,
    not_compared: Option<Grid>,
    snapshot: Snapshot,
}

/// The file that was given.
#[derive(Serialize)]
struct Snapshot {
    path: String,
    given: String,
    file: String,
    untouched: bool,
    told: String,
}

/// What ran and on what.
pub fn run(document: &Document) -> Run {
    let command = document.execution.command.as_ref();
    let dropped = command.map_or(0, |command| command.output_dropped);
    Run {
        settings: facts::settings(document),
        decisions: decisions(&document.plan),
        plan: plan(
            "the migrations besides the applied ones",
            &[
                ("pending", "good", &document.plan.pending),
                ("skipped for ever", "error", &document.plan.skipped),
                ("edited after it ran", "warning", &document.plan.edited),
                ("without a file", "warning", &document.plan.missing),
            ],
        ),
        applied: plan("the applied migrations", &[("applied", "dim", &document.plan.applied)]),
        applied_count: count_of(document.plan.applied.len(), "applied migration"),
        output: command.map(|command| command.output.clone()).unwrap_or_default(),
        output_dropped: if dropped == 0 { String::new() } else { format!("… {} before", count(dropped, "line")) },
        way_back: way_back(document),
        way_back_told: way_back_told(document),
        alternatives: alternatives(document),
        matrix: matrix(document),
        extent: match document.extent.as_str() {
            "changed" => "tables none of whose pages changed were neither counted nor checked; --thorough does both",
            _ => "every table was counted and checked",
        },
        not_compared: not_compared(document),
        snapshot: Snapshot {
            path: document.snapshot.path.clone(),
            given: facts::form(&document.snapshot).unwrap_or_else(|| "a database".to_owned()),
            file: facts::file(&document.snapshot),
            untouched: document.snapshot.untouched,
            told: facts::untouched(&document.snapshot),
        },
    }
}

fn decisions(plan: &Plan) -> Option<Grid> {
    let mut grid = Grid::new("what was found out rather than given", &[words("what"), words("value"), words("why")]);
    for decision in &plan.decisions {
        grid.row(vec![text(decision.what.clone()), text(decision.value.clone()), text(decision.why.clone())]);
    }
    grid.filled()
}

fn plan(caption: &str, states: &[(&str, &'static str, &[Migration])]) -> Option<Grid> {
    let heads = [words("state"), words("migration"), numbers("statements"), words("file"), words("checksum")];
    let mut grid = Grid::new(caption, &heads);
    for (state, tone, migrations) in states {
        for migration in *migrations {
            let has_file = !migration.file.is_empty();
            grid.row(vec![
                text(*state).toned(tone),
                code(migration.name.clone()),
                text(if has_file { number(migration.statements as u64) } else { String::new() }),
                code(migration.file.clone()),
                code(migration.checksum.clone()).toned("dim"),
            ]);
        }
    }
    grid.filled()
}

fn way_back(document: &Document) -> Option<Grid> {
    let back = document.execution.way_back.as_ref()?;
    let heads = [words("migration"), numbers("line"), words("statement"), words("outcome")];
    let mut grid = Grid::new("what undid the migrations", &heads);
    for step in &back.steps {
        let outcome = match (&step.error, step.ran) {
            (Some(error), _) => text(error.message.clone()).toned("error"),
            (None, true) => text("ran").toned("dim"),
            (None, false) => text("left out").toned("warning"),
        };
        grid.row(vec![
            code(step.migration.clone()),
            text(number(u64::from(step.line))),
            code(step.sql.split_whitespace().collect::<Vec<_>>().join(" ")),
            outcome,
        ]);
    }
    grid.filled()
}

fn way_back_told(document: &Document) -> String {
    let settings = facts::settings(document);
    settings.into_iter().find(|(what, _)| *what == "way back").map(|(_, told)| told).unwrap_or_default()
}

fn outcome(outcome: Outcome) -> Cell {
    match outcome {
        Outcome::Completed => text("ran"),
        Outcome::NothingPending => text("nothing pending").toned("dim"),
        Outcome::Failed => text("failed").toned("error"),
        Outcome::Refused => text("refused").toned("error"),
    }
}

fn amount(amount: u64, tone: &'static str) -> Cell {
    text(number(amount)).toned(if amount > 0 { tone } else { "dim" })
}

fn alternatives(document: &Document) -> Option<Grid> {
    let heads = [words("driver"), words("outcome"), numbers("rows lost"), words("tables that differ"), words("error")];
    let mut grid = Grid::new("the same under the other drivers that production may use", &heads);
    for alternative in &document.execution.alternatives {
        let differs: Vec<String> = alternative
            .differs
            .iter()
            .map(|(table, rows)| {
                format!("`{table}`: {}", rows.map_or_else(|| "gone".to_owned(), |rows| count(rows, "row")))
            })
            .collect();
        let same = differs.is_empty() && alternative.outcome == document.execution.outcome;
        grid.row(vec![
            code(alternative.driver.clone()),
            outcome(alternative.outcome),
            amount(alternative.rows_lost, "error"),
            if same { text("the same").toned("dim") } else { text(differs.join(", ")) },
            text(alternative.error.clone().unwrap_or_default()).toned("error"),
        ]);
    }
    grid.filled()
}

fn matrix(document: &Document) -> Option<Grid> {
    let heads = [
        words("driver"),
        words("its SQLite"),
        words("foreign keys"),
        words("transaction around"),
        words("outcome"),
        numbers("rows lost"),
        numbers("values changed"),
        words("findings"),
    ];
    let caption = format!(
        "the same under every driver of the tool, all of it with SQLite {}; the verdict is about what is bold",
        document.rehearse.sqlite_version
    );
    let mut grid = Grid::new(caption, &heads);
    for cell in &document.matrix {
        let error = cell.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        let ran = match cell.outcome {
            Outcome::Failed => text(format!("failed{error}")).toned("error"),
            other => outcome(other),
        };
        let level = match cell.level {
            Some(Level::Error) => "error",
            Some(Level::Warning) => "warning",
            _ => "dim",
        };
        grid.row(vec![
            code(cell.driver.clone()).toned(if cell.decided { "strong" } else { "" }),
            match &cell.sqlite_version {
                Some(version) => text(version.clone()),
                None => text("not known").toned("dim"),
            },
            text(if cell.foreign_keys { "on" } else { "off" }),
            text(cell.transaction_around.clone()),
            ran,
            amount(cell.rows_lost, "error"),
            amount(cell.values_changed, "warning"),
            text(if cell.codes.is_empty() { "none".to_owned() } else { cell.codes.join(", ") }).toned(level),
        ]);
    }
    grid.filled()
}

fn not_compared(document: &Document) -> Option<Grid> {
    let mut grid = Grid::new("what could not be compared", &[words("table"), words("why")]);
    for missing in &document.not_compared {
        grid.row(vec![code(missing.table.clone()), text(missing.why.clone())]);
    }
    grid.filled()
}
