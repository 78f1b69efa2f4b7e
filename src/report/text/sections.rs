//! What follows the findings: what changed by table and column, the schema, what ran and how, and that the snapshot is as it was.

use super::layout::{Cell, Grid, Side, width, wrap};
use super::paint::Role;
use super::{Detail, Page};
use crate::findings::wording::{count, count_of, duration, list, number};
use crate::report::document::{
    Command, Document, Migration, NotCompared, Outcome, Plan, Schema, Step, Table, TableChange,
};
use crate::report::facts::{
    became, by, column_facts, counts, file, nothing_ran, rehearsed, runs, settings, taken, tool, untouched,
};
use crate::report::takes::{held, machine, takes};
use crate::report::visible::{visible, visible_lines};

/// Lines of a section that are shown without `-v`.
const SHOWN: usize = 30;
/// Columns that the line of a step takes at most, so that its time stays near it.
const STEP: usize = 120;

/// One dim line under the verdict: what was rehearsed on what.
pub fn context(page: &mut Page, document: &Document) {
    let parts = rehearsed(document);
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

/// The tables that changed, and one line about the others.
pub fn tables(page: &mut Page, tables: &[Table]) {
    if tables.is_empty() {
        return;
    }
    let (changed, unchanged): (Vec<&Table>, Vec<&Table>) = tables.iter().partition(|table| table.is_changed());
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
            Cell::new(visible(&became(table)), Role::Dim),
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
                lines.push((
                    visible(&format!("{}.{}", table.name, column.name)).into_owned(),
                    visible(&facts.join("; ")).into_owned(),
                ));
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
    let mut lines: Vec<(String, String)> =
        settings(document).into_iter().map(|(what, text)| (what.to_owned(), visible(&text).into_owned())).collect();
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

fn migrations(page: &mut Page, document: &Document) {
    if let Some(text) = nothing_ran(document) {
        let role = if document.execution.outcome == Outcome::Refused { Role::Error } else { Role::Dim };
        page.prose(2, text, role);
        if document.execution.command.is_some() {
            took(page, document);
        }
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
    for run in runs(document) {
        grid.row(vec![
            Cell::new(visible(run.name), Role::Plain),
            Cell::new(number(run.ran as u64), Role::Plain),
            Cell::new(number(run.written), Role::Plain),
            Cell::new(run.elapsed_ms.map(duration).unwrap_or_default(), Role::Plain),
            Cell::new(run.outcome, if run.failed { Role::Error } else { Role::Warning }),
        ]);
    }
    indented(page, &grid);
    took(page, document);
    if page.style.detail == Detail::Full {
        let resources = &document.resources;
        let lock = resources.usage.as_ref().and_then(|usage| held(usage.write_lock.as_ref()?));
        let lock = lock.map(|held| format!("the write lock is held longest {held}"));
        let on = resources.machine.as_ref().map(|on| format!("this machine: {}", machine(on)));
        for line in lock.into_iter().chain(on) {
            page.prose(2, &visible(&line), Role::Dim);
        }
        all_steps(page, &document.execution.steps);
    }
}

/// How long it took, and what of the disk and of whose time.
fn took(page: &mut Page, document: &Document) {
    for line in takes(&document.execution, &document.resources) {
        page.prose(2, &visible(&line), Role::Dim);
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
        if let Some(taken) = taken(step) {
            page.prose(9, &taken, Role::Dim);
        }
        for change in &step.changes {
            let role = if change.deleted > 0 && change.by != "statement" { Role::Error } else { Role::Dim };
            page.prose(9, &visible(&format!("{}: {}{}", change.table, counts(change), by(change))), role);
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
    page.prose(2, &visible(&format!("{}: {}", snapshot.path, file(snapshot))), Role::Plain);
    let role = if snapshot.untouched { Role::Plain } else { Role::Warning };
    page.prose(2, &visible(&untouched(snapshot)), role);
    page.blank();
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
    let mut lines = vec![
        ("tool".to_owned(), visible(&tool(plan)).into_owned()),
        ("migrations".to_owned(), visible(&plan.folder).into_owned()),
    ];
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
