//! What follows the findings: what changed by table and column, the schema, what ran and how, and that the snapshot is as it was.

use std::collections::BTreeMap;

use super::layout::{Cell, Grid, Side, width, wrap};
use super::paint::Role;
use super::{Detail, Page};
use crate::findings::wording::{bytes, count, count_of, duration, list, number};
use crate::report::document::{
    Column, Command, Document, Migration, NotCompared, Outcome, Plan, Schema, Snapshot, Step, Table, TableChange,
};
use crate::report::visible::{visible, visible_lines};

/// Lines of a section that are shown without `-v`.
const SHOWN: usize = 30;
/// Columns that the line of a step takes at most, so that its time stays near it.
const STEP: usize = 120;

/// One dim line under the verdict: what was rehearsed on what.
pub fn context(page: &mut Page, document: &Document) {
    let pending = match (document.execution.outcome, document.plan.pending.len()) {
        (Outcome::Refused, _) => "nothing ran".to_owned(),
        (Outcome::Failed, 0) if document.execution.command.is_some() => "it failed".to_owned(),
        (Outcome::Completed, 0) if document.execution.command.is_some() => "it ran".to_owned(),
        (_, 0) => "nothing pending".to_owned(),
        (_, pending) => count_of(pending, "pending migration"),
    };
    let plan = &document.plan;
    let parts = [
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
    ];
    let mut lines: Vec<String> = Vec::new();
    for part in parts.iter().map(|part| visible(part)) {
        match lines.last_mut().filter(|line| width(line) + width(&part) + 3 <= page.style.width) {
            Some(line) => line.extend([" · ", part.as_ref()]),
            None => lines.push(part.into_owned()),
        }
    }
    let room = page.style.width;
    for line in lines.iter().flat_map(|line| wrap(line, room)) {
        let line = page.paint.text(Role::Dim, &line);
        page.push(line);
    }
}

/// `2 tables with 200 rows`: what the snapshot holds.
pub fn holdings(document: &Document) -> String {
    let rows = document.tables.iter().filter_map(|table| table.rows.before).sum();
    match document.tables.iter().filter(|table| table.before_name.is_some()).count() {
        0 => "an empty database".to_owned(),
        tables if document.tables.iter().any(Table::is_uncounted) => count_of(tables, "table"),
        tables => format!(
            "{} with {}",
            count_of(tables, "table"),
            if rows == 0 { "no rows".to_owned() } else { count(rows, "row") }
        ),
    }
}

/// The tables that changed, and one line about the others.
pub fn tables(page: &mut Page, tables: &[Table]) {
    if tables.is_empty() {
        return;
    }
    let (changed, unchanged): (Vec<&Table>, Vec<&Table>) = tables.iter().partition(|table| table_changed(table));
    page.heading("Tables");
    let shown = if page.style.detail == Detail::Full || changed.len() <= SHOWN { changed.len() } else { SHOWN };
    let mut grid = Grid::new(&[
        ("table", Side::Left),
        ("before", Side::Right),
        ("after", Side::Right),
        ("lost", Side::Right),
        ("gained", Side::Right),
        ("changed", Side::Right),
        ("", Side::Left),
    ]);
    for table in &changed[..shown] {
        let rows = |value: Option<u64>| value.map_or_else(|| "–".to_owned(), number);
        let counted = |value: Option<u64>, role: Role| match value {
            None => Cell::new(
                if table.rows.before.is_some() && table.rows.after.is_some() { "?" } else { "" },
                Role::Warning,
            ),
            Some(0) => Cell::new("0", Role::Dim),
            Some(value) => Cell::new(number(value), role),
        };
        grid.row(vec![
            Cell::new(visible(&table.name), Role::Plain),
            Cell::new(rows(table.rows.before), Role::Plain),
            Cell::new(rows(table.rows.after), Role::Plain),
            counted(table.rows.lost, Role::Error),
            counted(table.rows.gained, Role::Good),
            counted(table.rows.changed, Role::Warning),
            Cell::new(became(table), Role::Dim),
        ]);
    }
    indented(page, &grid);
    if shown < changed.len() {
        page.prose(
            2,
            &format!("{} changed too (all with -v)", count_of(changed.len() - shown, "other table")),
            Role::Dim,
        );
    }
    let (uncounted, counted): (Vec<&Table>, Vec<&Table>) = unchanged.iter().partition(|table| table.is_uncounted());
    let rows = counted.iter().filter_map(|table| table.rows.after).sum();
    let mut noun = if changed.is_empty() { "table" } else { "other table" };
    for (tables, what) in [
        (counted, format!(", {}: unchanged", count(rows, "row"))),
        (uncounted, ": no page changed, so neither counted nor checked (--thorough does both)".to_owned()),
    ] {
        if tables.is_empty() {
            continue;
        }
        page.prose(2, &format!("{}{what}", count_of(tables.len(), noun)), Role::Dim);
        if page.style.detail == Detail::Full {
            let names: Vec<String> = tables.iter().map(|table| visible(&table.name).into_owned()).collect();
            page.prose(4, &names.join(", "), Role::Dim);
        }
        noun = "other table";
    }
    let by_sqlite = tables.iter().filter(|table| table.read_by.as_deref() == Some("sqlite"));
    let names: Vec<String> = by_sqlite.map(|table| visible(&table.name).into_owned()).collect();
    if page.style.detail == Detail::Full && !names.is_empty() {
        page.prose(
            2,
            &format!("read by SQLite, since the file alone does not tell all: {}", names.join(", ")),
            Role::Dim,
        );
    }
}

/// Whether anything differs in the table, or nothing is known of it.
fn table_changed(table: &Table) -> bool {
    let some = |rows: Option<u64>| rows.is_some_and(|rows| rows > 0);
    table.change != TableChange::Same
        || table.rows.before != table.rows.after
        || table.rows.lost.is_none()
        || some(table.rows.lost)
        || some(table.rows.gained)
        || some(table.rows.changed)
        || !table.columns.is_empty()
}

fn became(table: &Table) -> String {
    let from = || format!("renamed from {}", visible(table.before_name.as_deref().unwrap_or_default()));
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

/// The columns whose NULLs, storage classes or values changed for another reason than that rows came or went.
pub fn columns(page: &mut Page, tables: &[Table]) {
    let full = page.style.detail == Detail::Full;
    let mut lines: Vec<(String, String)> = Vec::new();
    for table in tables {
        if matches!(table.change, TableChange::Added | TableChange::Dropped) {
            continue;
        }
        for column in &table.columns {
            let facts = column_facts(table, column, full);
            if !facts.is_empty() {
                lines.push((visible(&format!("{}.{}", table.name, column.name)).into_owned(), facts.join("; ")));
            }
        }
    }
    if lines.is_empty() {
        return;
    }
    page.heading("Columns");
    let shown = if full || lines.len() <= SHOWN { lines.len() } else { SHOWN };
    pairs(page, &lines[..shown]);
    if shown < lines.len() {
        page.prose(
            2,
            &format!("{} changed too (all with -v)", count_of(lines.len() - shown, "other column")),
            Role::Dim,
        );
    }
}

fn column_facts(table: &Table, column: &Column, full: bool) -> Vec<String> {
    let mut facts = Vec::new();
    let total = |classes: &BTreeMap<String, u64>| classes.values().sum::<u64>();
    let (values_before, values_after) = (total(&column.classes.before), total(&column.classes.after));
    match (&column.before_name, column.nulls.after) {
        (None, _) => facts.push("new".to_owned()),
        (Some(_), None) => {
            facts.push(format!("dropped, held {}", count(values_before, "value")));
            return facts;
        }
        (Some(before), _) if *before != column.name => facts.push(format!("renamed from {}", visible(before))),
        _ => {}
    }
    if let Some(values) = column.values.as_ref().filter(|values| values.changed > 0) {
        let parts: Vec<String> = [
            (values.nulled, "became NULL"),
            (values.filled, "filled"),
            (values.converted, "in another storage class"),
            (values.lossy, "lost digits or text"),
        ]
        .into_iter()
        .chain(values.text_altered.iter().map(|(kind, amount)| (*amount, altered(kind))))
        .filter(|(amount, _)| *amount > 0)
        .map(|(amount, what)| format!("{} {what}", number(amount)))
        .collect();
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

/// What happened to texts of this kind.
fn altered(kind: &str) -> &str {
    match kind {
        "case" => "in other case",
        "encoding" => "in another encoding",
        "nul" => "without a NUL",
        kind => kind,
    }
}

/// The diff of the CREATE statements.
pub fn schema(page: &mut Page, schema: &Schema) {
    if schema.diff.is_empty() && schema.changes.is_empty() {
        return;
    }
    page.heading("Schema");
    if page.style.detail == Detail::Full || schema.diff.is_empty() {
        let lines: Vec<(String, String)> = schema
            .changes
            .iter()
            .map(|change| {
                let table = change
                    .table
                    .as_ref()
                    .filter(|table| **table != change.name)
                    .map(|table| format!(" of {table}"))
                    .unwrap_or_default();
                let what = format!("{} {}", change.kind, change.change);
                let detail = if change.detail.is_empty() { String::new() } else { format!(": {}", change.detail) };
                (what, visible(&format!("{}{table}{detail}", change.name)).into_owned())
            })
            .collect();
        pairs(page, &lines);
        page.blank();
    }
    let lines = visible_lines(schema.diff.trim_end());
    let shown = if page.style.detail == Detail::Full || lines.len() <= 2 * SHOWN { lines.len() } else { 2 * SHOWN };
    for line in &lines[..shown] {
        let role = match line.as_bytes().first() {
            Some(b'+') => Role::Added,
            Some(b'-') => Role::Removed,
            Some(b'@') => Role::Dim,
            _ => Role::Plain,
        };
        let (sign, body) =
            line.split_at(line.chars().next().filter(|sign| "+- ".contains(*sign)).map_or(0, char::len_utf8));
        for (index, piece) in wrap(body, page.style.width.saturating_sub(7)).into_iter().enumerate() {
            let (sign, indent) = if index == 0 { (sign, "") } else { (sign, "    ") };
            let line = format!("  {}", page.paint.text(role, format!("{sign}{indent}{piece}").trim_end()));
            page.push(line);
        }
    }
    if shown < lines.len() {
        page.prose(2, &format!("{} more (all with -v)", count_of(lines.len() - shown, "line")), Role::Dim);
    }
}

/// What the tool will not run, or ran in another form.
pub fn plan(page: &mut Page, plan: &Plan) {
    let named = |migrations: &[Migration]| {
        let names: Vec<String> = migrations.iter().map(|migration| visible(&migration.name).into_owned()).collect();
        list(&names)
    };
    let lines: Vec<(String, String)> =
        [("skipped for ever", &plan.skipped), ("edited after it ran", &plan.edited), ("without a file", &plan.missing)]
            .into_iter()
            .filter(|(_, migrations)| !migrations.is_empty())
            .map(|(what, migrations)| (what.to_owned(), named(migrations)))
            .collect();
    if !lines.is_empty() {
        page.heading("Not run");
        pairs(page, &lines);
    }
}

/// The tool, the driver, the connection, every migration with its time; with `-v` every statement.
pub fn execution(page: &mut Page, document: &Document) {
    page.heading("What ran");
    let settings = &document.execution.settings;
    let mut lines = vec![("tool".to_owned(), tool(&document.plan))];
    match &document.execution.command {
        Some(command) => lines.push(("command".to_owned(), visible(&ended(command)).into_owned())),
        None => lines.push(("migrations".to_owned(), visible(&document.plan.folder).into_owned())),
    }
    let ours = &document.rehearse.sqlite_version;
    let versions = match &settings.driver_sqlite_version {
        Some(version) if version == ours => format!(", which ships SQLite {ours}, as rehearsed with"),
        Some(version) => format!(", which ships SQLite {version}; rehearsed with SQLite {ours}"),
        None => format!("; rehearsed with SQLite {ours}"),
    };
    lines.push(("driver".to_owned(), visible(&format!("{}{versions}", document.plan.driver)).into_owned()));
    lines.push((
        "settings".to_owned(),
        format!(
            "foreign keys {}, double-quoted strings {}, journal mode {}",
            settings.foreign_keys.map_or("not known", |on| if on { "on" } else { "off" }),
            settings.dqs.map_or("not known", |allowed| if allowed { "allowed" } else { "refused" }),
            visible(&settings.journal_mode)
        ),
    ));
    if !settings.transaction.is_empty() {
        lines.push(("transaction".to_owned(), visible(&settings.transaction).into_owned()));
    }
    if !settings.several_statements.is_empty() {
        lines.push((
            "chunks".to_owned(),
            visible(&format!("several statements in one: {}", settings.several_statements)).into_owned(),
        ));
    }
    if !settings.around.is_empty() {
        lines.push(("around it".to_owned(), visible(&settings.around.join("; ")).into_owned()));
    }
    if let Some(back) = &document.execution.way_back {
        let statements = count_of(back.steps.len(), "statement");
        let text = match (back.outcome, &back.no_further_than) {
            (Outcome::Failed, _) => format!("fails after {statements}"),
            (_, Some(name)) => format!("ends before {name}, after {statements}"),
            (_, None) => format!("to the beginning, {statements}"),
        };
        lines.push(("way back".to_owned(), visible(&text).into_owned()));
    }
    for (index, decision) in document.plan.decisions.iter().enumerate() {
        let what = if index == 0 { "decided" } else { "" };
        lines.push((
            what.to_owned(),
            visible(&format!("{} {}: {}", decision.what, decision.value, decision.why)).into_owned(),
        ));
    }
    pairs(page, &lines);
    migrations(page, document);
    if let Some(command) = &document.execution.command {
        output(page, command);
    }
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

/// What a command said: the end of it, and with `-v` all that is kept.
fn output(page: &mut Page, command: &Command) {
    const SAID: usize = 15;
    let lines: Vec<&String> = command.output.iter().filter(|line| !line.trim().is_empty()).collect();
    let hidden = if page.style.detail == Detail::Full { 0 } else { lines.len().saturating_sub(SAID) };
    let dropped = command.output_dropped + hidden as u64;
    if lines.is_empty() {
        return;
    }
    page.blank();
    page.prose(2, "what the command said:", Role::Plain);
    if dropped > 0 {
        page.prose(4, &format!("… {} before", count(dropped, "line")), Role::Dim);
    }
    for line in &lines[hidden..] {
        page.prose(4, &visible(line), Role::Dim);
    }
}

fn tool(plan: &Plan) -> String {
    let mut text = plan.tool.clone();
    if !plan.layout.is_empty() {
        text.extend([", ", &plan.layout]);
    }
    let ledger = if plan.ledger.is_empty() { ", no ledger".to_owned() } else { format!(", ledger {}", plan.ledger) };
    text.push_str(&ledger);
    visible(&format!("{text}, {} applied", number((plan.applied.len() + plan.edited.len()) as u64))).into_owned()
}

fn migrations(page: &mut Page, document: &Document) {
    let steps = &document.execution.steps;
    let untraced = document.execution.command.as_ref().is_some_and(|command| !command.traced);
    if document.execution.outcome == Outcome::Refused {
        page.prose(2, "the tool would not have started, so nothing ran", Role::Error);
        return;
    }
    let nothing_pending = document.execution.outcome == Outcome::NothingPending;
    if document.execution.command.is_some() && (document.plan.pending.is_empty() || nothing_pending) {
        let text = match document.execution.outcome {
            Outcome::NothingPending => "it changed nothing",
            Outcome::Failed => "it failed, and recorded nothing in a ledger",
            _ => "what it ran is not recorded in a ledger",
        };
        page.prose(2, text, Role::Dim);
        return;
    }
    if nothing_pending || document.plan.pending.is_empty() {
        page.prose(2, "nothing was pending, so nothing ran", Role::Dim);
        return;
    }
    page.blank();
    let mut grid = Grid::new(&[
        ("migration", Side::Left),
        ("statements", Side::Right),
        ("rows", Side::Right),
        ("time", Side::Right),
        ("", Side::Left),
    ]);
    for migration in &document.plan.pending {
        let own: Vec<&Step> = steps.iter().filter(|step| step.migration == migration.name).collect();
        let ran = own.iter().filter(|step| step.ran).count();
        let written: u64 = own
            .iter()
            .flat_map(|step| &step.changes)
            .map(|change| change.inserted + change.updated + change.deleted)
            .sum();
        let time = own.iter().map(|step| step.elapsed_ms).sum();
        let failed = own.iter().find(|step| step.error.is_some());
        let outcome = match failed {
            Some(step) => format!("failed at line {}", number(u64::from(step.line))),
            None if untraced => String::new(),
            None if migration.statements == 0 => "holds no statement".to_owned(),
            None if own.is_empty() => "did not run".to_owned(),
            None if ran < own.len() => {
                format!("{} left out by the driver", count_of(own.len() - ran, "statement"))
            }
            None => String::new(),
        };
        grid.row(vec![
            Cell::new(visible(&migration.name), Role::Plain),
            Cell::new(number(ran as u64), Role::Plain),
            Cell::new(number(written), Role::Plain),
            Cell::new(if own.is_empty() { String::new() } else { duration(time) }, Role::Plain),
            Cell::new(outcome, if failed.is_some() { Role::Error } else { Role::Warning }),
        ]);
    }
    indented(page, &grid);
    let resources = &document.resources;
    page.prose(
        2,
        &format!(
            "{} in all on this machine; {}",
            duration(document.execution.elapsed_ms),
            if resources.bytes_before == resources.bytes_after {
                format!("the file keeps its {}", bytes(resources.bytes_before))
            } else {
                format!("the file went from {} to {}", bytes(resources.bytes_before), bytes(resources.bytes_after))
            }
        ),
        Role::Dim,
    );
    if page.style.detail == Detail::Full {
        all_steps(page, steps);
    }
}

fn all_steps(page: &mut Page, steps: &[Step]) {
    let mut migration = "";
    for step in steps {
        if step.migration != migration {
            migration = &step.migration;
            page.blank();
            page.prose(2, &visible(&format!("{} ({})", step.migration, step.file)), Role::Strong);
        }
        let number = page.paint.text(Role::Dim, &format!("{:>5}", step.statement));
        let time = if step.ran { duration(step.elapsed_ms) } else { "left out".to_owned() };
        let first = visible_lines(&step.sql).iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        let room = page.style.width.min(STEP).saturating_sub(5 + 2 + 2 + width(&time));
        let sql = super::layout::cut(&first, room);
        let space = " ".repeat(room.saturating_sub(width(&sql)));
        let line = format!("{number}  {sql}{space}  {}", page.paint.text(Role::Dim, &time));
        page.push(line);
        for change in &step.changes {
            let counts: Vec<String> =
                [(change.inserted, "inserted"), (change.updated, "updated"), (change.deleted, "deleted")]
                    .into_iter()
                    .filter(|(amount, _)| *amount > 0)
                    .map(|(amount, what)| format!("{} {what}", count(amount, "row")))
                    .collect();
            let by = match change.by.as_str() {
                "foreign-key" => " by a foreign-key action",
                "trigger" => " by a trigger",
                _ => "",
            };
            let role = if change.deleted > 0 && change.by != "statement" { Role::Error } else { Role::Dim };
            page.prose(9, &visible(&format!("{}: {}{by}", change.table, counts.join(", "))), role);
        }
        if let Some(error) = &step.error {
            let code = error.code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
            page.prose(9, &visible(&format!("{}{code}", error.message)), Role::Error);
        }
    }
}

/// The same migrations under the other drivers that production may use.
pub fn alternatives(page: &mut Page, document: &Document) {
    if document.execution.alternatives.is_empty() || !document.matrix.is_empty() {
        return;
    }
    page.heading("Other drivers");
    let mut grid = Grid::new(&[
        ("driver", Side::Left),
        ("outcome", Side::Left),
        ("rows lost", Side::Right),
        ("differs", Side::Left),
    ]);
    for alternative in &document.execution.alternatives {
        let (outcome, role) = match alternative.outcome {
            Outcome::Completed => ("completed".to_owned(), Role::Plain),
            Outcome::NothingPending => ("nothing pending".to_owned(), Role::Plain),
            Outcome::Failed => {
                (format!("failed: {}", alternative.error.as_deref().unwrap_or("no message")), Role::Error)
            }
            Outcome::Refused => ("refused".to_owned(), Role::Error),
        };
        let differs: Vec<String> = alternative
            .differs
            .iter()
            .map(|(table, rows)| {
                format!("{table}: {}", rows.map_or_else(|| "gone".to_owned(), |rows| count(rows, "row")))
            })
            .collect();
        let lost = alternative.rows_lost;
        let differs = match (alternative.outcome == document.execution.outcome, differs.as_slice()) {
            (true, []) => "the same".to_owned(),
            _ => differs.join(", "),
        };
        grid.row(vec![
            Cell::new(visible(&alternative.driver), Role::Plain),
            Cell::new(visible(&outcome), role),
            Cell::new(number(lost), if lost > 0 { Role::Error } else { Role::Dim }),
            Cell::new(visible(&differs), Role::Plain),
        ]);
    }
    indented(page, &grid);
}

/// The same migrations under every driver of the tool, side by side.
pub fn matrix(page: &mut Page, document: &Document) {
    if document.matrix.is_empty() {
        return;
    }
    page.heading("Every driver");
    let mut grid = Grid::new(&[
        ("driver", Side::Left),
        ("SQLite", Side::Left),
        ("fk", Side::Left),
        ("around", Side::Left),
        ("outcome", Side::Left),
        ("lost", Side::Right),
        ("changed", Side::Right),
        ("findings", Side::Left),
    ]);
    for cell in &document.matrix {
        let (outcome, role) = match cell.outcome {
            Outcome::Completed => ("ran", Role::Plain),
            Outcome::NothingPending => ("nothing", Role::Dim),
            Outcome::Failed => ("failed", Role::Error),
            Outcome::Refused => ("refused", Role::Error),
        };
        let rows = |rows: u64, role: Role| Cell::new(number(rows), if rows > 0 { role } else { Role::Dim });
        let mark = if cell.decided { " *" } else { "" };
        let level = cell.level.map_or(Role::Dim, Role::of);
        grid.row(vec![
            Cell::new(visible(&format!("{}{mark}", cell.driver)), Role::Plain),
            Cell::new(visible(cell.sqlite_version.as_deref().unwrap_or("?")), Role::Dim),
            Cell::new(if cell.foreign_keys { "on" } else { "off" }, Role::Plain),
            Cell::new(visible(&cell.transaction_around), Role::Plain),
            Cell::new(outcome, role),
            rows(cell.rows_lost, Role::Error),
            rows(cell.values_changed, Role::Warning),
            Cell::new(visible(&cell.codes.join(" ")), level),
        ]);
    }
    indented(page, &grid);
    let ours = &document.rehearse.sqlite_version;
    let legend = format!(
        "* is what the verdict is about; fk: foreign keys at the start; around: what one transaction spans; \
         all of it ran with SQLite {ours}"
    );
    page.prose(2, &visible(&legend), Role::Dim);
    let failed: Vec<(String, String)> = document
        .matrix
        .iter()
        .filter_map(|cell| Some((visible(&cell.driver).into_owned(), visible(cell.error.as_ref()?).into_owned())))
        .collect();
    pairs(page, &failed);
}

/// What could not be compared.
pub fn not_compared(page: &mut Page, missing: &[NotCompared]) {
    listed(page, "Not compared", missing);
}

/// What could not be read.
pub fn not_read(page: &mut Page, missing: &[NotCompared]) {
    listed(page, "Not read", missing);
}

fn listed(page: &mut Page, heading: &str, missing: &[NotCompared]) {
    if missing.is_empty() {
        return;
    }
    page.heading(heading);
    let lines: Vec<(String, String)> =
        missing.iter().map(|item| (visible(&item.table).into_owned(), visible(&item.why).into_owned())).collect();
    pairs(page, &lines);
}

/// The file that was given, how it was read, and that it is as it was.
pub fn snapshot(page: &mut Page, document: &Document) {
    let snapshot = &document.snapshot;
    page.heading("Snapshot");
    let mode = match snapshot.journal_mode.as_str() {
        "wal" => "WAL mode".to_owned(),
        mode => format!("journal mode {mode}"),
    };
    let log = match snapshot.wal_bytes {
        Some(size) => format!(", write-ahead log of {} beside it", bytes(size)),
        None => String::new(),
    };
    let text = format!(
        "{}: {}, {} of {}, {mode}{log}",
        snapshot.path,
        bytes(snapshot.bytes),
        count(snapshot.pages, "page"),
        count(u64::from(snapshot.page_size), "byte")
    );
    page.prose(2, &visible(&text), Role::Plain);
    let taken = match snapshot.copied_by.as_deref() {
        None => "read where it lies".to_owned(),
        Some("backup") => "copied through SQLite's backup interface".to_owned(),
        Some("reflink") => "copied as a reflink".to_owned(),
        Some("copy") => "copied as a file".to_owned(),
        Some("making") => format!("read from {}", form(snapshot).unwrap_or_default()),
        Some(other) => format!("copied by {other}"),
    };
    if snapshot.untouched {
        page.prose(2, &visible(&format!("{taken}; {}", not_touched(snapshot))), Role::Plain);
    } else {
        page.prose(
            2,
            &visible(&format!("{taken}; it changed while the rehearsal ran: {}", snapshot.changed.join(", "))),
            Role::Warning,
        );
    }
    page.blank();
}

/// `an SQL dump, compressed with gzip`: the form in which it was given; none of a database that is one already.
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
pub fn not_touched(snapshot: &Snapshot) -> &'static str {
    match snapshot.compared_by.as_str() {
        "nothing" => "of what came through a pipe nothing stays",
        "metadata" => "not touched: size, inode and times are what they were",
        _ => "not touched: size, time and content are what they were",
    }
}

/// `rehearse plan`.
pub fn whole_plan(page: &mut Page, plan: &Plan) {
    let pending = plan.pending.len();
    let head = match pending {
        0 => "nothing is pending".to_owned(),
        1 => "1 migration is pending".to_owned(),
        _ => format!("{} are pending", count_of(pending, "migration")),
    };
    let head = page.paint.text(Role::Strong, &head);
    page.push(head);
    page.blank();
    let mut lines =
        vec![("tool".to_owned(), tool(plan)), ("migrations".to_owned(), visible(&plan.folder).into_owned())];
    if !plan.driver.is_empty() {
        lines.push(("driver".to_owned(), visible(&plan.driver).into_owned()));
    }
    for (index, decision) in plan.decisions.iter().enumerate() {
        let what = if index == 0 { "decided" } else { "" };
        lines.push((
            what.to_owned(),
            visible(&format!("{} {}: {}", decision.what, decision.value, decision.why)).into_owned(),
        ));
    }
    pairs(page, &lines);
    page.blank();
    let mut grid = Grid::new(&[
        ("state", Side::Left),
        ("migration", Side::Left),
        ("statements", Side::Right),
        ("file", Side::Left),
    ]);
    for (state, role, migrations) in [
        ("applied", Role::Dim, &plan.applied),
        ("edited", Role::Warning, &plan.edited),
        ("missing", Role::Warning, &plan.missing),
        ("skipped", Role::Error, &plan.skipped),
        ("pending", Role::Good, &plan.pending),
    ] {
        for migration in migrations {
            let statements =
                if migration.file.is_empty() { String::new() } else { number(migration.statements as u64) };
            grid.row(vec![
                Cell::new(state, role),
                Cell::new(visible(&migration.name), Role::Plain),
                Cell::new(statements, Role::Plain),
                Cell::new(visible(&migration.file), Role::Dim),
            ]);
        }
    }
    indented(page, &grid);
}

/// `rehearse rules`.
pub fn rules(page: &mut Page, rules: &[[&str; 4]]) {
    let mut family = "";
    for [code, name, level, when] in rules {
        if !family.is_empty() && code[..2] != *family {
            page.blank();
        }
        family = &code[..2];
        let role = match *level {
            "error" => Role::Error,
            "warning" => Role::Warning,
            _ => Role::Note,
        };
        let line = format!("{code} {} {}", page.paint.text(Role::Strong, name), page.paint.text(role, level));
        page.push(line);
        page.prose(6, when, Role::Plain);
    }
}

/// `key  text` lines, the texts aligned and wrapped.
pub fn pairs(page: &mut Page, lines: &[(String, String)]) {
    let key = lines.iter().map(|(key, _)| width(key)).max().unwrap_or(0).min(page.style.width / 3);
    let room = page.style.width.saturating_sub(key + 4).max(20);
    for (name, text) in lines {
        let names = wrap(name, key);
        let texts = wrap(text, room);
        for level in 0..names.len().max(texts.len()) {
            let name = names.get(level).map_or("", String::as_str);
            let text = texts.get(level).map_or("", String::as_str);
            let space = " ".repeat(key.saturating_sub(width(name)));
            let line = format!("  {}{space}  {text}", page.paint.text(Role::Dim, name));
            page.push(line);
        }
    }
}

pub fn indented(page: &mut Page, grid: &Grid) {
    for line in grid.lines(page.style.width.saturating_sub(2), page.paint) {
        page.push(format!("  {line}"));
    }
}
