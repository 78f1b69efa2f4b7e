//! What follows the findings: the tables that changed, and what is looked at when it is asked for.

use super::escape::{cell, code, fence, prose};
use super::length;
use crate::findings::wording::{count_of, duration, number};
use crate::report::document::{Document, NotCompared, Outcome, Table, TableChange};
use crate::report::facts::{became, column_facts, file, nothing_ran, rehearsed, runs, settings, untouched};
use crate::report::plain::cut;
use crate::report::takes::takes;
use crate::report::visible::visible_lines;

/// Rows of a table, and entries of a list.
const SHOWN: usize = 30;
/// Characters of a name or a text in a row.
const CELL: usize = 200;
/// Characters of a section; what is beyond is counted.
const SECTION: usize = 8_000;

/// What was rehearsed on what.
pub fn context(document: &Document) -> String {
    let parts = rehearsed(document).map(|part| prose(&cut(&part, 2 * CELL)));
    parts.join(" · ")
}

/// The sections, each of bounded size.
pub fn sections(document: &Document) -> Vec<String> {
    [
        tables(document),
        not_compared(&document.not_compared),
        Some(snapshot(document)),
        columns(document),
        schema(document),
        Some(what_ran(document)),
        drivers(document),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is folded until somebody opens it. The blank lines make Markdown of what is inside.
fn folded(summary: &str, body: &str) -> String {
    format!("<details><summary>{summary}</summary>\n\n{body}\n\n</details>")
}

/// Rows of a Markdown table while there is room, and how many there are beyond.
fn table(head: &str, align: &str, rows: impl Iterator<Item = Vec<String>>) -> (String, usize) {
    let mut lines = vec![head.to_owned(), align.to_owned()];
    let (mut room, mut hidden) = (SECTION, 0);
    for (index, row) in rows.enumerate() {
        let cells: Vec<String> = row.iter().map(|text| cell(text)).collect();
        let line = format!("| {} |", cells.join(" | "));
        let size = length(&line) + 1;
        if hidden > 0 || index >= SHOWN || size > room {
            hidden += 1;
        } else {
            room -= size;
            lines.push(line);
        }
    }
    (lines.join("\n"), hidden)
}

/// Items of a list in the same way.
fn list(items: impl Iterator<Item = String>, noun: &str) -> String {
    let mut lines = Vec::new();
    let (mut room, mut hidden) = (SECTION, 0);
    for (index, item) in items.enumerate() {
        let size = length(&item) + 3;
        if hidden > 0 || index >= SHOWN || size > room {
            hidden += 1;
        } else {
            room -= size;
            lines.push(format!("- {item}"));
        }
    }
    if hidden > 0 {
        lines.push(format!("- {} not shown here", count_of(hidden, noun)));
    }
    lines.join("\n")
}

fn tables(document: &Document) -> Option<String> {
    let (changed, unchanged): (Vec<&Table>, Vec<&Table>) = document.tables.iter().partition(|table| table.is_changed());
    if document.tables.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    if !changed.is_empty() {
        let rows = changed.iter().map(|table| {
            let side = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), number);
            let is_on_both = table.rows.before.is_some() && table.rows.after.is_some();
            let counted = |value: Option<u64>| value.map_or(if is_on_both { "?" } else { "" }.to_owned(), number);
            vec![
                code(&cut(&table.name, CELL)),
                side(table.rows.before),
                side(table.rows.after),
                counted(table.rows.lost),
                counted(table.rows.gained),
                counted(table.rows.changed),
                prose(&cut(&became(table), CELL)),
            ]
        });
        let (text, hidden) =
            table("| table | before | after | lost | gained | changed | |", "|:--|--:|--:|--:|--:|--:|:--|", rows);
        parts.push(text);
        if hidden > 0 {
            parts.push(format!("{} changed too, with fewer rows lost.", count_of(hidden, "other table")));
        }
    }
    let uncounted = unchanged.iter().filter(|table| table.is_uncounted()).count();
    let counted = unchanged.len() - uncounted;
    for (tables, what) in
        [(counted, "unchanged."), (uncounted, "of which no page changed, so neither counted nor checked.")]
    {
        if tables > 0 {
            let noun = if changed.is_empty() { "table" } else { "other table" };
            parts.push(format!("{} {what}", count_of(tables, noun)));
        }
    }
    Some(parts.join("\n\n"))
}

fn columns(document: &Document) -> Option<String> {
    let compared =
        document.tables.iter().filter(|table| !matches!(table.change, TableChange::Added | TableChange::Dropped));
    let facts = compared.flat_map(|table| {
        table.columns.iter().filter_map(move |column| {
            let facts = column_facts(table, column, false);
            let name = code(&cut(&format!("{}.{}", table.name, column.name), CELL));
            (!facts.is_empty()).then(|| format!("{name}: {}", prose(&cut(&facts.join("; "), 2 * CELL))))
        })
    });
    let text = list(facts, "column");
    (!text.is_empty()).then(|| folded("Columns", &text))
}

fn schema(document: &Document) -> Option<String> {
    let schema = &document.schema;
    if schema.diff.is_empty() {
        let changes = schema.changes.iter().map(|change| {
            let table = change.table.as_ref().map(|table| format!(" of `{table}`")).unwrap_or_default();
            let text = format!("{} {}: `{}`{table}: {}", change.kind, change.change, change.name, change.detail);
            prose(&cut(text.trim_end_matches(": "), 2 * CELL))
        });
        let text = list(changes, "change");
        return (!text.is_empty()).then(|| folded("Schema", &text));
    }
    let (mut lines, mut room, mut hidden) = (Vec::new(), SECTION, 0_usize);
    for line in visible_lines(schema.diff.trim_end()) {
        let line = cut(&line, 2 * CELL);
        let size = length(&line) + 1;
        if hidden > 0 || size > room {
            hidden += 1;
        } else {
            room -= size;
            lines.push(line);
        }
    }
    let more = if hidden > 0 { format!("\n\n{} not shown here.", count_of(hidden, "line")) } else { String::new() };
    Some(folded("Schema", &format!("{}{more}", fence("diff", &lines))))
}

/// How long it took, and what of the disk and of whose time.
fn took(document: &Document) -> String {
    let lines = takes(&document.execution, &document.resources);
    let lines: Vec<String> = lines.iter().map(|line| prose(&cut(line, 4 * CELL)).replace('<', "under")).collect();
    lines.join("\n\n")
}

fn what_ran(document: &Document) -> String {
    let decisions = document.plan.decisions.iter();
    let bounded = |text: &str| prose(&cut(text, 2 * CELL));
    let decisions = decisions.map(|decision| {
        format!("decided: {} {}: {}", bounded(&decision.what), bounded(&decision.value), bounded(&decision.why))
    });
    let lines = settings(document).into_iter().map(|(key, text)| format!("{key}: {}", bounded(&text)));
    let lines = lines.chain(decisions);
    let mut parts = vec![list(lines, "setting")];
    if let Some(none) = nothing_ran(document) {
        parts.push(none.to_owned());
        parts.extend(document.execution.command.is_some().then(|| took(document)));
    } else {
        let rows = runs(document).into_iter().map(|run| {
            vec![
                code(&cut(run.name, CELL)),
                number(run.ran as u64),
                number(run.written),
                run.elapsed_ms.map(duration).unwrap_or_default().replace('<', "under"),
                prose(&run.outcome),
            ]
        });
        let (text, hidden) = table("| migration | statements | rows | time | |", "|:--|--:|--:|--:|:--|", rows);
        parts.push(text);
        if hidden > 0 {
            parts.push(format!("{} not shown here.", count_of(hidden, "migration")));
        }
        parts.push(took(document));
    }
    for (what, migrations) in [
        ("Skipped for ever", &document.plan.skipped),
        ("Edited after they ran", &document.plan.edited),
        ("Without a file", &document.plan.missing),
    ] {
        if !migrations.is_empty() {
            let names = migrations.iter().map(|migration| code(&cut(&migration.name, CELL)));
            parts.push(format!("{what}:\n\n{}", list(names, "migration")));
        }
    }
    folded("What ran, and with which settings", &parts.join("\n\n"))
}

/// The other drivers: all of the tool where the matrix was asked for, else those that production may use.
fn drivers(document: &Document) -> Option<String> {
    let outcome = |outcome: Outcome, error: Option<&str>| match (outcome, error) {
        (Outcome::Completed, _) => "ran".to_owned(),
        (Outcome::NothingPending, _) => "nothing pending".to_owned(),
        (Outcome::Failed, Some(error)) => prose(&cut(&format!("failed: {error}"), 2 * CELL)),
        (Outcome::Failed, None) => "failed".to_owned(),
        (Outcome::Refused, _) => "refused".to_owned(),
    };
    let alternatives = document.execution.alternatives.iter().map(|driver| {
        vec![
            code(&cut(&driver.driver, CELL)),
            outcome(driver.outcome, driver.error.as_deref()),
            number(driver.rows_lost),
        ]
    });
    let cells = document.matrix.iter().map(|cell| {
        vec![
            code(&cut(&cell.driver, CELL)),
            outcome(cell.outcome, cell.error.as_deref()),
            number(cell.rows_lost),
            prose(&cut(&cell.codes.join(" "), CELL)),
        ]
    });
    let (text, hidden) = match (document.matrix.is_empty(), document.execution.alternatives.is_empty()) {
        (true, true) => return None,
        (true, false) => table("| driver | outcome | rows lost |", "|:--|:--|--:|", alternatives),
        (false, _) => table("| driver | outcome | rows lost | findings |", "|:--|:--|--:|:--|", cells),
    };
    let more = if hidden > 0 { format!("\n\n{} not shown here.", count_of(hidden, "driver")) } else { String::new() };
    Some(folded("Other drivers", &format!("{text}{more}")))
}

fn not_compared(missing: &[NotCompared]) -> Option<String> {
    let items =
        missing.iter().map(|item| format!("{}: {}", code(&cut(&item.table, CELL)), prose(&cut(&item.why, CELL))));
    let text = list(items, "table");
    (!text.is_empty()).then(|| format!("**Not compared**\n\n{text}"))
}

fn snapshot(document: &Document) -> String {
    let given = &document.snapshot;
    let lines = [format!("{}: {}", given.path, file(given)), untouched(given)].map(|line| prose(&cut(&line, 2 * CELL)));
    let text = format!("Snapshot {}", lines.join("; "));
    if document.snapshot.untouched { text } else { format!("⚠️ {text}") }
}
