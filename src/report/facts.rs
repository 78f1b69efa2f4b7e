//! What the reports for people say alike: how the run is described, what became of a table, how the snapshot was read. Names and paths
//! in these texts are as they came; each format makes them harmless in its own way.

use std::collections::BTreeMap;

use super::document::{
    Change, Column, Command, Document, FaultStates, Faults, Migration, Outcome, Plan, Resources, Snapshot, Step, Table,
    TableChange, Values,
};
use super::queries::queries_of_the_app;
use super::verdict::holdings;
use crate::findings::wording::{bytes, count, count_of, duration, number, share};

/// What became of a table besides its rows; empty where nothing did.
#[must_use]
pub fn became(table: &Table) -> String {
    let from = || format!("renamed from {}", table.before_name.as_deref().unwrap_or_default());
    match table.change {
        TableChange::Same => String::new(),
        TableChange::Renamed => from(),
        TableChange::Rebuilt if table.before_name.as_ref().is_some_and(|before| *before != table.name) => {
            format!("rebuilt, {}", from())
        }
        TableChange::Rebuilt => "rebuilt".to_owned(),
        TableChange::Added => "new".to_owned(),
        TableChange::Dropped => "dropped".to_owned(),
    }
}

/// What happened to texts of this kind.
fn altered(kind: &str) -> &str {
    match kind {
        "case" => "in other case",
        "encoding" => "in another encoding",
        "nul" => "without a NUL",
        kind => kind,
    }
}

/// How the migrations ran: what it is called, and what it was.
#[must_use]
pub fn settings(document: &Document) -> Vec<(&'static str, String)> {
    let (plan, execution, settings) = (&document.plan, &document.execution, &document.execution.settings);
    let mut lines = vec![("tool", tool(plan))];
    match &execution.command {
        Some(command) => lines.push(("command", ended(command))),
        None => lines.push(("migrations", plan.folder.clone())),
    }
    lines.push(("driver", format!("{}{}", plan.driver, versions(document))));
    lines.push((
        "settings",
        format!(
            "foreign keys {}, double-quoted strings {}, journal mode {}",
            settings.foreign_keys.map_or("not known", |on| if on { "on" } else { "off" }),
            settings.dqs.map_or("not known", |allowed| if allowed { "allowed" } else { "refused" }),
            settings.journal_mode
        ),
    ));
    if !settings.transaction.is_empty() {
        lines.push(("transaction", settings.transaction.clone()));
    }
    if !settings.several_statements.is_empty() {
        lines.push(("chunks", format!("several statements in one: {}", settings.several_statements)));
    }
    if !settings.around.is_empty() {
        lines.push(("around it", settings.around.join("; ")));
    }
    if let Some(back) = &execution.way_back {
        let statements = count_of(back.steps.len(), "statement");
        let text = match (back.outcome, &back.no_further_than) {
            (Outcome::Failed, _) => format!("fails after {statements}"),
            (_, Some(name)) => format!("ends before {name}, after {statements}"),
            (_, None) => format!("to the beginning, {statements}"),
        };
        lines.push(("way back", text));
    }
    lines.extend(execution.faults.as_ref().map(|faults| ("deaths", deaths(faults))));
    lines.extend(document.queries.as_ref().map(|queries| ("queries", queries_of_the_app(queries))));
    lines
}

/// How many deaths of the process were rehearsed, what they left, and how the tool went on.
fn deaths(faults: &Faults) -> String {
    let FaultStates { old, new, between, partial } = faults.states;
    let left =
        [(old, "left the old state"), (new, "the new one"), (between, "whole migrations"), (partial, "a part of one")];
    let left: Vec<String> = left
        .iter()
        .filter(|(moments, _)| *moments > 0)
        .map(|(moments, what)| format!("{} {what}", number(*moments)))
        .collect();
    let tried = match faults.left_out {
        0 => count(faults.moments, "moment"),
        left_out => share(faults.moments, faults.moments + left_out, "moment"),
    };
    format!(
        "{tried} at which the process died: {}; the tool goes on after {}",
        left.join(", "),
        if faults.resumed == faults.moments { "all of them".to_owned() } else { number(faults.resumed) },
    )
}

fn versions(document: &Document) -> String {
    let ours = &document.rehearse.sqlite_version;
    match &document.execution.settings.driver_sqlite_version {
        Some(version) if version == ours => format!(", which ships SQLite {ours}, as rehearsed with"),
        Some(version) => format!(", which ships SQLite {version}; rehearsed with SQLite {ours}"),
        None => format!("; rehearsed with SQLite {ours}"),
    }
}

/// The tool, its layout, its ledger and how much that holds.
#[must_use]
pub fn tool(plan: &Plan) -> String {
    let mut text = plan.tool.clone();
    if !plan.layout.is_empty() {
        text.extend([", ", &plan.layout]);
    }
    let ledger = if plan.ledger.is_empty() { ", no ledger".to_owned() } else { format!(", ledger {}", plan.ledger) };
    text.push_str(&ledger);
    format!("{text}, {} applied", number((plan.applied.len() + plan.edited.len()) as u64))
}

/// The command and how it ended.
fn ended(command: &Command) -> String {
    let time = duration(command.elapsed_ms);
    let end = match (command.exit_code, command.signal, command.time_limit) {
        (Some(code), ..) => format!("exit code {code} after {time}"),
        (None, Some(signal), _) => format!("ended by signal {signal} after {time}"),
        (None, None, _) => format!("ended by the time limit after {time}"),
    };
    format!("{}, {end}", command.line)
}

/// Why there is no migration to tell of, in one sentence; none where there is one.
#[must_use]
pub fn nothing_ran(document: &Document) -> Option<&'static str> {
    let outcome = document.execution.outcome;
    let nothing_pending = outcome == Outcome::NothingPending || document.plan.pending.is_empty();
    if outcome == Outcome::Refused {
        return Some("the tool would not have started, so nothing ran");
    }
    match (nothing_pending, &document.execution.command, outcome) {
        (false, ..) => None,
        (true, None, _) => Some("nothing was pending, so nothing ran"),
        (true, Some(_), Outcome::NothingPending) => Some("it changed nothing"),
        (true, Some(_), Outcome::Failed) => Some("it failed, and recorded nothing in a ledger"),
        (true, Some(_), _) => Some("what it ran is not recorded in a ledger"),
    }
}

/// What became of a pending migration.
pub struct Run<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its statements that ran or were left out, in order.
    pub steps: Vec<&'a Step>,
    /// How many of them ran.
    pub ran: usize,
    /// Rows that they wrote.
    pub written: u64,
    /// Their time in milliseconds; none where none of them is known.
    pub elapsed_ms: Option<f64>,
    /// Where it did not simply run; empty where it did.
    pub outcome: String,
    /// Whether a statement failed.
    pub failed: bool,
}

/// What was rehearsed on what: the snapshot, the tool and its driver or the command, and what was pending.
#[must_use]
pub fn rehearsed(document: &Document) -> [String; 3] {
    let pending = match (document.execution.outcome, document.plan.pending.len()) {
        (Outcome::Refused, _) => "nothing ran".to_owned(),
        (Outcome::Failed, 0) if document.execution.command.is_some() => "it failed".to_owned(),
        (Outcome::Completed, 0) if document.execution.command.is_some() => "it ran".to_owned(),
        (_, 0) => "nothing pending".to_owned(),
        (_, pending) => count_of(pending, "pending migration"),
    };
    let plan = &document.plan;
    [
        format!("{}: {}, {}", document.snapshot.path, holdings(document), bytes(document.snapshot.bytes)),
        match &document.execution.command {
            Some(command) => format!("`{}`", command.line),
            // A tool with a driver of its own is named once.
            None if plan
                .driver
                .strip_prefix(&plan.tool)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', ' '])) =>
            {
                plan.driver.clone()
            }
            None => format!("{}, {}", plan.tool, plan.driver),
        },
        pending,
    ]
}

/// What became of each pending migration.
#[must_use]
pub fn runs(document: &Document) -> Vec<Run<'_>> {
    document.plan.pending.iter().map(|migration| run(document, migration)).collect()
}

fn run<'a>(document: &'a Document, migration: &'a Migration) -> Run<'a> {
    let steps: Vec<&Step> = document.execution.steps.iter().filter(|step| step.migration == migration.name).collect();
    let untraced = document.execution.command.as_ref().is_some_and(|command| !command.traced);
    let ran = steps.iter().filter(|step| step.ran).count();
    let failed = steps.iter().find(|step| step.error.is_some());
    let outcome = match failed {
        Some(step) => format!("failed at line {}", number(u64::from(step.line))),
        None if untraced => String::new(),
        None if migration.statements == 0 => "holds no statement".to_owned(),
        None if steps.is_empty() => "did not run".to_owned(),
        None if ran < steps.len() => format!("{} left out by the driver", count_of(steps.len() - ran, "statement")),
        None => String::new(),
    };
    Run {
        name: &migration.name,
        ran,
        written: steps.iter().map(|step| written(step)).sum(),
        elapsed_ms: (!steps.is_empty()).then(|| steps.iter().map(|step| step.elapsed_ms).sum()),
        outcome,
        failed: failed.is_some(),
        steps,
    }
}

/// Rows that a statement wrote, and what it set off.
fn written(step: &Step) -> u64 {
    step.changes.iter().map(|change| change.inserted + change.updated + change.deleted).sum()
}

/// What the migrations did to the size of the database.
#[must_use]
pub fn growth(resources: &Resources) -> String {
    if resources.bytes_before == resources.bytes_after {
        format!("the file keeps its {}", bytes(resources.bytes_before))
    } else {
        format!("the file went from {} to {}", bytes(resources.bytes_before), bytes(resources.bytes_after))
    }
}

/// What a statement wrote to files, how large they were, and its time on the disk; none where nothing was written and that is not known.
#[must_use]
pub fn taken(step: &Step) -> Option<String> {
    let written = step.bytes_written.filter(|written| *written > 0);
    let written = written.map(|written| format!("{} written", bytes(written)));
    let peak = step.peak_bytes.filter(|_| written.is_some()).map(|peak| format!("all files {} at most", bytes(peak)));
    let measured = step.measured_ms.map(|time| format!("{} on the disk", duration(time)));
    let facts: Vec<String> = written.into_iter().chain(peak).chain(measured).collect();
    (!facts.is_empty()).then(|| facts.join(", "))
}

/// `12 rows inserted, 1 row deleted`: what a statement did to the rows of one table.
#[must_use]
pub fn counts(change: &Change) -> String {
    [(change.inserted, "inserted"), (change.updated, "updated"), (change.deleted, "deleted")]
        .into_iter()
        .filter(|(amount, _)| *amount > 0)
        .map(|(amount, what)| format!("{} {what}", count(amount, "row")))
        .collect::<Vec<_>>()
        .join(", ")
}

/// ` by a trigger`: who did it where the statement did not do it itself.
#[must_use]
pub fn by(change: &Change) -> &'static str {
    match change.by.as_str() {
        "foreign-key" => " by a foreign-key action",
        "trigger" => " by a trigger",
        _ => "",
    }
}

/// The file that was given: its size, its pages, its journal mode.
#[must_use]
pub fn file(snapshot: &Snapshot) -> String {
    let mode = match snapshot.journal_mode.as_str() {
        "wal" => "WAL mode".to_owned(),
        mode => format!("journal mode {mode}"),
    };
    let log = match snapshot.wal_bytes {
        Some(size) => format!(", write-ahead log of {} beside it", bytes(size)),
        None => String::new(),
    };
    let written = snapshot.modified.as_ref().map(|time| format!(", last written {time}")).unwrap_or_default();
    format!(
        "{}, {} of {}, {mode}{log}{written}",
        bytes(snapshot.bytes),
        count(snapshot.pages, "page"),
        count(u64::from(snapshot.page_size), "byte")
    )
}

/// How the file was read, and that it is as it was, or what changed in it meanwhile.
#[must_use]
pub fn untouched(snapshot: &Snapshot) -> String {
    let taken = match snapshot.copied_by.as_deref() {
        None => "read where it lies".to_owned(),
        Some("backup") => "copied through SQLite's backup interface".to_owned(),
        Some("reflink") => "copied as a reflink".to_owned(),
        Some("copy") => "copied as a file".to_owned(),
        Some("making") => format!("read from {}", form(snapshot).unwrap_or_default()),
        Some(other) => format!("copied by {other}"),
    };
    if snapshot.untouched {
        format!("{taken}; {}", not_touched(snapshot))
    } else {
        format!("{taken}; it changed while the rehearsal ran: {}", snapshot.changed.join(", "))
    }
}

/// `an SQL dump, compressed with gzip`: the form in which it was given; none of a database that is one already.
#[must_use]
pub fn form(snapshot: &Snapshot) -> Option<String> {
    let content = match snapshot.source.as_str() {
        "dump" => "an SQL dump",
        _ if snapshot.copied_by.as_deref() == Some("making") => "a database",
        _ => return None,
    };
    let layers: Vec<&str> = snapshot.compression.iter().rev().map(String::as_str).collect();
    Some(if layers.is_empty() {
        content.to_owned()
    } else {
        format!("{content}, compressed with {}", layers.join(" and "))
    })
}

/// That the file is as it was, and how that is known.
#[must_use]
pub fn not_touched(snapshot: &Snapshot) -> &'static str {
    match snapshot.compared_by.as_str() {
        "nothing" => "of what came through a pipe nothing stays",
        "metadata" => "not touched: size, inode and times are what they were",
        _ => "not touched: size, time and content are what they were",
    }
}

/// A fix as a person writes it: a sentence that may introduce code, and the lines of that code.
#[must_use]
pub fn help(lines: &[String]) -> (Option<&str>, &[String]) {
    match lines.split_first() {
        Some((first, code)) if !is_code(lines) => (Some(first), code),
        _ => (None, lines),
    }
}

/// Whether help is code from its first line on, rather than a sentence that may introduce code.
fn is_code(lines: &[String]) -> bool {
    let Some(first) = lines.first() else { return false };
    first.ends_with(';')
        || first.starts_with("--")
        || first.starts_with("//")
        || (lines.len() > 1 && !first.ends_with(':'))
}

/// What kinds of changes there were, with how many values each.
#[must_use]
pub fn kinds(values: &Values) -> Vec<String> {
    [
        (values.nulled, "became NULL"),
        (values.filled, "filled"),
        (values.converted, "in another storage class"),
        (values.lossy, "lost digits or text"),
    ]
    .into_iter()
    .chain(values.text_altered.iter().map(|(kind, amount)| (*amount, altered(kind))))
    .filter(|(amount, _)| *amount > 0)
    .map(|(amount, what)| format!("{} {what}", number(amount)))
    .collect()
}

/// What became of a column, by other reasons than that rows came or went; with `full` also by these.
#[must_use]
pub fn column_facts(table: &Table, column: &Column, full: bool) -> Vec<String> {
    let mut facts = Vec::new();
    let total = |classes: &BTreeMap<String, u64>| classes.values().sum::<u64>();
    let (values_before, values_after) = (total(&column.classes.before), total(&column.classes.after));
    match (&column.before_name, column.nulls.after) {
        (None, _) => facts.push("new".to_owned()),
        (Some(_), None) => {
            facts.push(format!("dropped, held {}", count(values_before, "value")));
            return facts;
        }
        (Some(before), _) if *before != column.name => facts.push(format!("renamed from {before}")),
        _ => {}
    }
    if let Some(values) = column.values.as_ref().filter(|values| values.changed > 0) {
        let parts = kinds(values);
        let of = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
        facts.push(format!("{} changed{of}", count(values.changed, "value")));
    }
    let moved = table.rows.before == table.rows.after || full;
    let nulls_grew = column.nulls.after > column.nulls.before;
    if column.nulls.before != column.nulls.after && (moved || nulls_grew) {
        match (column.nulls.before, column.nulls.after) {
            (Some(before), Some(after)) => facts.push(format!("NULLs {} → {}", number(before), number(after))),
            (None, Some(after)) if after > 0 => facts.push(count(after, "NULL")),
            _ => {}
        }
    }
    let new_class = column.classes.after.keys().any(|class| !column.classes.before.contains_key(class));
    if column.classes.before != column.classes.after && (moved || (new_class && values_after > 0)) {
        let mut classes: Vec<&String> = column.classes.before.keys().chain(column.classes.after.keys()).collect();
        classes.sort();
        classes.dedup();
        for class in classes {
            let of = |side: &BTreeMap<String, u64>| side.get(class).copied().unwrap_or(0);
            let (before, after) = (of(&column.classes.before), of(&column.classes.after));
            if column.before_name.is_none() {
                facts.push(format!("{} {class}", number(after)));
            } else if before != after {
                facts.push(format!("{class} {} → {}", number(before), number(after)));
            }
        }
    }
    facts
}
