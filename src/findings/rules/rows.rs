//! LS: rows that are gone, or there more than once. One cause, one finding.

mod nulled;

use std::collections::BTreeSet;

use crate::compare::TableComparison;
use crate::compare::lineage::Change;
use crate::compare::rows::Key;
use crate::compare::stand_ins::StandIn;
use crate::execution::Step;
use crate::execution::steps::{self, By};
use crate::findings::catalogue::{LS101, LS102, LS104, LS105, LS106, LS107, LS108, LS110, VL203};
use crate::findings::evidence::place;
use crate::findings::rules::causes;
use crate::findings::wording::{count, list, names, number, share};
use crate::findings::{Evidence, Finding, Level};
use crate::migrations::statement::{Action, Conflict, Insert};
use crate::schema::lexer::quote_identifier;
use crate::schema::{ForeignKey, TableKind};

pub(super) use nulled::written_by_keys;

/// LS102 and LS103: what foreign keys did to tables that the statement does not name.
pub(super) fn foreign_key_actions(evidence: &Evidence) -> Vec<Finding> {
    evidence
        .comparison()
        .tables
        .iter()
        .flat_map(|table| cascade(evidence, table).into_iter().chain(nulled::findings(evidence, table)))
        .collect()
}

fn cascade(evidence: &Evidence, table: &TableComparison) -> Option<Finding> {
    let deleted = |step: &Step| causes::deleted(step, table, By::ForeignKey);
    let step = worst(evidence, deleted)?;
    // A rebuild of a tree deletes rows of the old and of the new table; what counts is what is no longer there.
    let rows = evidence.committed().map(deleted).sum::<u64>().min(net_lost(evidence, table));
    if rows == 0 {
        return None;
    }
    let before = rows_before(table);
    let name = table.name();
    let parent = causes::parent_of(step).unwrap_or_default();
    let key = acting_key(evidence, table, parent, &["CASCADE"]);
    let through = key.map(|key| format!(" (`{}`)", key.describe(name))).unwrap_or_default();
    let own = own_rows(step, parent);
    let own = if own.is_empty() { "deleted " } else { &own };
    let label =
        format!("{own}{} of `{name}` through ON DELETE CASCADE{through}", count(deleted(step).min(rows), "row"));
    let mut finding = Finding::new(&LS102, format!("`{name}` lost {}", share(rows, before, "row")))
        .table(name)
        .rows(rows)
        .at(Some(place(step)), label);
    finding.cause = causes::why_foreign_keys_were_on(evidence, step);
    finding.proof = causes::proof(evidence, table);
    finding.help = causes::keep_children(evidence, parent, name);
    Some(finding)
}

/// The statement's own part, where it deletes from the parent: `deleted every row of `users`, and `.
fn own_rows(step: &Step, parent: &str) -> String {
    match (&step.statement.action, step.deleted(parent, By::Statement)) {
        (Action::DropTable { .. }, _) => format!("deleted every row of `{parent}`, and "),
        (_, 0) => String::new(),
        (_, rows) => format!("deleted {} of `{parent}`, and ", count(rows, "row")),
    }
}

/// Rows of the table that a foreign key updated in this step.
fn updated_by_key(table: &TableComparison, step: &Step) -> u64 {
    let mine = step.changes.iter().filter(|change| change.by == By::ForeignKey);
    mine.filter(|change| table.pair.is_called(&change.table)).map(|change| change.updated).sum()
}

/// Whether ON UPDATE CASCADE alone wrote the column, so that it says what the parent's key says.
pub(super) fn follows_its_parent(evidence: &Evidence, table: &TableComparison, column: &str) -> bool {
    let Some(compared) = table.column_before(column).filter(|compared| compared.changed > 0) else { return false };
    let written: u64 = evidence.committed().map(|step| followed(table, step)).sum();
    let otherwise = evidence.committed().flat_map(|step| &step.changes).any(|change| {
        change.by != By::ForeignKey && change.updated + change.inserted > 0 && table.pair.is_called(&change.table)
    });
    may_follow_its_parent(evidence, table, column) && !otherwise && compared.changed <= written
}

/// Whether ON UPDATE CASCADE may write the column.
pub(super) fn may_follow_its_parent(evidence: &Evidence, table: &TableComparison, column: &str) -> bool {
    let mut keys = own_keys(evidence, table).iter().filter(|key| key.on_update == "CASCADE");
    keys.any(|key| key.columns.iter().any(|of_key| of_key.eq_ignore_ascii_case(column)))
}

/// Rows that this UPDATE of a parent wrote in the table through ON UPDATE.
fn followed(table: &TableComparison, step: &Step) -> u64 {
    let updates = matches!(step.statement.action, Action::Update { .. });
    if updates { updated_by_key(table, step) } else { 0 }
}

/// `, and 250 rows of `b` through ON UPDATE CASCADE`: where the references followed the key that the step wrote.
pub(super) fn also_in_children(evidence: &Evidence, step: &Step) -> String {
    let followed = evidence.comparison().tables.iter().filter_map(|table| {
        let rows = followed(table, step);
        let mut columns = table.rows.iter().flat_map(|rows| &rows.columns);
        let follows = columns.any(|column| follows_its_parent(evidence, table, &column.before));
        (rows > 0 && follows).then(|| format!("{} of `{}`", count(rows, "row"), table.name()))
    });
    let followed: Vec<String> = followed.collect();
    if followed.is_empty() { String::new() } else { format!(", and {} through ON UPDATE CASCADE", list(&followed)) }
}

/// The foreign keys that the table had.
fn own_keys<'a>(evidence: &'a Evidence, table: &TableComparison) -> &'a [ForeignKey] {
    let before = table.pair.before.as_ref().and_then(|name| evidence.comparison().before.table(name));
    before.map_or(&[], |table| table.foreign_keys.as_slice())
}

/// The foreign key of `table` to `parent` with one of these actions.
fn acting_key<'a>(
    evidence: &'a Evidence,
    table: &TableComparison,
    parent: &str,
    actions: &[&str],
) -> Option<&'a ForeignKey> {
    let before = &evidence.comparison().before;
    let table = before.table(table.pair.before.as_ref()?)?;
    let acts = |key: &&ForeignKey| actions.contains(&key.on_delete.as_str());
    let of_parent = |key: &&ForeignKey| key.parent.eq_ignore_ascii_case(parent);
    table.foreign_keys.iter().filter(acts).find(of_parent).or_else(|| table.foreign_keys.iter().find(acts))
}

/// LS101, LS105, LS106, LS107, LS110: the other ways in which a table that is still there can lose rows.
pub(super) fn tables(evidence: &Evidence) -> Vec<Finding> {
    let there = evidence.comparison().tables.iter().filter(|table| table.before.is_some() && table.after.is_some());
    there.flat_map(|table| losses(evidence, table)).collect()
}

fn losses(evidence: &Evidence, table: &TableComparison) -> Vec<Finding> {
    let mut findings = Vec::new();
    let overwritten = table.rows.as_ref().and_then(|rows| rows.changed).unwrap_or_default();
    let lost = net_lost(evidence, table);
    let cascaded: u64 = evidence.committed().map(|step| causes::deleted(step, table, By::ForeignKey)).sum();
    let mut unexplained = lost.saturating_sub(cascaded);
    if lost + overwritten > 0 {
        findings.extend(conflicts(evidence, table, &mut unexplained));
    }
    if unexplained > 0 {
        findings.extend(explicit_deletes(evidence, table, &mut unexplained));
    }
    if unexplained > 0 {
        findings.extend(shortfall(evidence, table, &mut unexplained, lost));
    }
    if unexplained > 0 {
        findings.push(unexplained_loss(evidence, table, unexplained));
    }
    findings
}

/// Rows of the table that this step overwrote or discarded because they broke a unique key.
fn overwritten(table: &TableComparison, step: &Step) -> u64 {
    match &step.statement.action {
        Action::Insert(Insert { conflict: Some(Conflict::Replace), .. })
        | Action::Update { conflict: Some(Conflict::Replace), .. } => causes::deleted(step, table, By::Statement),
        Action::Insert(Insert { table: into, conflict: Some(Conflict::Ignore), .. }) if table.pair.is_called(into) => {
            not_copied(step).filter(|_| table.pair.change == Change::Rebuilt).unwrap_or_default()
        }
        Action::Insert(Insert { upsert: true, .. }) => {
            let mine =
                step.changes.iter().filter(|change| change.by == By::Statement && table.pair.is_called(&change.table));
            let written: u64 = mine.map(|change| change.updated).sum();
            // What it wrote as it was is not overwritten.
            written.min(table.rows.as_ref().map_or(0, |rows| rows.lost + rows.changed.unwrap_or_default()))
        }
        _ => 0,
    }
}

/// Rows of the table that REPLACE or an upsert overwrote or discarded: their new values are what the statement asked for.
pub(super) fn rows_overwritten(evidence: &Evidence, table: &TableComparison) -> u64 {
    evidence.committed().map(|step| overwritten(table, step)).sum()
}

/// LS106.
fn conflicts(evidence: &Evidence, table: &TableComparison, unexplained: &mut u64) -> Option<Finding> {
    let removed = |step: &Step| overwritten(table, step);
    let rows: u64 = evidence.committed().map(removed).sum();
    let step = worst(evidence, removed)?;
    *unexplained = unexplained.saturating_sub(rows);
    let name = table.name();
    let (what, clause) = match &step.statement.action {
        Action::Insert(Insert { conflict: Some(Conflict::Ignore), .. }) => ("discarded", "OR IGNORE"),
        Action::Insert(Insert { upsert: true, .. }) => ("overwrote", "ON CONFLICT"),
        _ => ("overwrote", "OR REPLACE"),
    };
    Some(
        Finding::new(
            &LS106,
            format!("{clause} {what} {} of `{name}`", share(rows, rows_before(table).max(rows), "row")),
        )
        .table(name)
        .rows(rows)
        .at(
            Some(place(step)),
            format!("{what} {} that broke a unique key{}", count(removed(step), "row"), left_out(table, step)),
        )
        .help(match table.pair.change {
            Change::Rebuilt => format!(
                "find the rows that collide, and decide which of them stays before you write{}",
                collisions(evidence, table)
            ),
            _ => "write only rows that are not there yet (ON CONFLICT DO NOTHING), or name in DO UPDATE SET what shall change"
                .to_owned(),
        }),
    )
}

/// `; `m`, which it does not name, became NULL in 10 rows`: what REPLACE does to the columns that are not in its list.
fn left_out(table: &TableComparison, step: &Step) -> String {
    let Action::Insert(Insert { conflict: Some(Conflict::Replace), columns: written, .. }) = &step.statement.action
    else {
        return String::new();
    };
    let is_named = |name: &str| written.is_empty() || written.iter().any(|column| column.eq_ignore_ascii_case(name));
    let compared = table.rows.iter().flat_map(|rows| &rows.columns);
    let nulled = compared.filter(|column| column.nulled > 0 && !is_named(&column.after));
    let each = nulled.map(|column| {
        format!("; `{}`, which it does not name, became NULL in {}", column.after, count(column.nulled, "row"))
    });
    each.collect::<Vec<_>>().concat()
}

/// A query for the rows of the old table that collide on the first unique key of the new one.
fn collisions(evidence: &Evidence, table: &TableComparison) -> String {
    let after = evidence.comparison().after.table(table.name());
    let unique = |before: &&[String]| !before.is_empty();
    let mut keys = after.into_iter().flat_map(|after| {
        let uniques = after.uniques.iter().map(|unique| unique.columns.as_slice());
        uniques.chain([after.primary_key.as_slice()]).filter(unique)
    });
    let was = |column: &String| table.pair.columns.iter().find(|(_, after)| after == column).map(|(before, _)| before);
    let key = keys.find_map(|key| key.iter().map(was).collect::<Option<Vec<_>>>());
    let Some((key, name)) = key.zip(table.pair.before.as_ref()) else { return String::new() };
    let columns = key.into_iter().map(|column| quote_identifier(column)).collect::<Vec<_>>().join(", ");
    let name = quote_identifier(name);
    format!(":\nSELECT {columns}, count(*) FROM {name} GROUP BY {columns} HAVING count(*) > 1;")
}

/// Rows that an `INSERT … SELECT` read and did not write.
fn not_copied(step: &Step) -> Option<u64> {
    let inserted: u64 =
        step.changes.iter().filter(|change| change.by == By::Statement).map(|change| change.inserted).sum();
    step.source_rows.map(|source| source.saturating_sub(inserted))
}

/// LS105.
/// What other findings tell of the `lost` rows is not what the copy had before it.
fn shortfall(evidence: &Evidence, table: &TableComparison, unexplained: &mut u64, lost: u64) -> Option<Finding> {
    if table.pair.change != Change::Rebuilt {
        return None;
    }
    let name = table.name();
    let (before, rows) = (rows_before(table) - (lost - *unexplained), *unexplained);
    let copy = copies(evidence, table).next();
    // Where several tables took its rows over, what is in none of them is missing.
    let split = table.takeover.as_ref().filter(|takeover| takeover.into.len() > 1);
    let rows = split.map_or(rows, |takeover| rows.min(takeover.missing));
    let copied = before.saturating_sub(rows);
    let message = match split {
        Some(takeover) => {
            let into = names(takeover.into.iter().map(String::as_str));
            format!("only {} had been copied into {into}", share(copied, before, "row"))
        }
        None => format!("the rebuild of `{name}` copied {}", share(copied, before, "row")),
    };
    let finding = Finding::new(&LS105, message).table(name).rows(rows);
    *unexplained = 0;
    if was_split(table) {
        return None;
    }
    let Some(step) = copy else {
        if let Some((step, archive)) = kept_as(evidence, table) {
            return Some(
                finding
                    .at(
                        Some(place(step)),
                        format!("keeps {} as `{archive}`; `{name}` begins anew", count(before, "row")),
                    )
                    .help(copy_statement(table, Some((table.name(), archive)))),
            );
        }
        let dropped = table.pair.before.as_ref().and_then(|name| causes::dropping(evidence, name));
        return Some(
            finding
                .at(
                    dropped.map(place),
                    format!("dropped `{name}` with {}, and no statement had copied them", count(before, "row")),
                )
                .help(copy_statement(table, None)),
        );
    };
    let filtered = matches!(&step.statement.action, Action::Insert(Insert { select: Some(select), .. }) if select.filtered || select.joined);
    let label = if filtered { "its WHERE, JOIN, DISTINCT, GROUP BY or LIMIT left out" } else { "left out" };
    Some(
        finding
            .at(Some(place(step)), format!("{label} {}", count(rows, "row")))
            .help(copy_statement(table, copied_tables(step))),
    )
}

/// Whether its rows went into several new tables, all of them.
fn was_split(table: &TableComparison) -> bool {
    table.takeover.as_ref().is_some_and(|takeover| takeover.missing == 0)
}

/// The statement that renamed the old table out of the way, and the name under which it is still there with its rows.
fn kept_as<'a>(evidence: &'a Evidence, table: &TableComparison) -> Option<(&'a Step, &'a str)> {
    let before = table.pair.before.as_ref()?;
    evidence.committed().find_map(|step| match &step.statement.action {
        Action::RenameTable { table: from, to } if from.eq_ignore_ascii_case(before) => {
            let kept = evidence.comparison().table_after(to)?.after.as_ref()?;
            (kept.rows >= rows_before(table)).then_some((step, to.as_str()))
        }
        _ => None,
    })
}

fn copy_statement(table: &TableComparison, names: Option<(&str, &str)>) -> String {
    format!("copy every row before the old table is dropped:\n{}", copy_sql(table, names))
}

/// The tables that a copy writes and reads, as they are called there.
pub(super) fn copied_tables(step: &Step) -> Option<(&str, &str)> {
    match &step.statement.action {
        Action::Insert(insert) => Some((&insert.table, insert.select.as_ref()?.from.as_deref()?)),
        _ => None,
    }
}

/// The copy of every row, into the table that the migration makes for the rebuild; `names` are what is written and what is
/// read, where a statement tells.
pub(super) fn copy_sql(table: &TableComparison, names: Option<(&str, &str)>) -> String {
    let columns = |side: fn(&(String, String)) -> &str| {
        table.pair.columns.iter().map(|pair| quote_identifier(side(pair))).collect::<Vec<_>>().join(", ")
    };
    let before = table.pair.before.as_deref().unwrap_or_default();
    let is_before = |name: &&String| name.eq_ignore_ascii_case(before);
    let into = table.pair.interim.iter().find(|name| !is_before(name)).map_or(table.name(), String::as_str);
    let (into, from) = names.unwrap_or((into, before));
    // Where an earlier statement gave the old table the name that the new one has in the end, its columns may have theirs too.
    let renamed = before != table.name() && from.eq_ignore_ascii_case(table.name());
    format!(
        "INSERT INTO {} ({}) SELECT {} FROM {};",
        quote_identifier(into),
        columns(|(_, after)| after),
        if renamed { columns(|(_, after)| after) } else { columns(|(before, _)| before) },
        quote_identifier(from)
    )
}

/// The names, in lower case, to which the old table was renamed, out of the way of the new one.
fn set_aside_as(evidence: &Evidence, table: &TableComparison) -> BTreeSet<String> {
    let is_old = |name: &str| table.pair.before.as_ref().is_some_and(|old| old.eq_ignore_ascii_case(name));
    let names = evidence.committed().filter_map(|step| match &step.statement.action {
        Action::RenameTable { table: from, to } if is_old(from) => Some(to.to_ascii_lowercase()),
        _ => None,
    });
    names.collect()
}

/// The steps that filled a rebuilt table from the old one.
pub(super) fn copies<'a>(evidence: &'a Evidence, table: &'a TableComparison) -> impl Iterator<Item = &'a Step> {
    let set_aside = set_aside_as(evidence, table);
    let was_called = move |name: &String| table.pair.is_called(name) || set_aside.contains(&name.to_ascii_lowercase());
    evidence.committed().filter(move |step| match &step.statement.action {
        Action::Insert(insert) => insert
            .select
            .as_ref()
            .is_some_and(|select| table.pair.is_called(&insert.table) && select.tables.iter().any(&was_called)),
        _ => false,
    })
}

/// LS107.
fn explicit_deletes(evidence: &Evidence, table: &TableComparison, unexplained: &mut u64) -> Vec<Finding> {
    let before = table.pair.before.as_ref().and_then(|name| evidence.comparison().before.table(name));
    let is_virtual = before.is_some_and(|before| matches!(before.kind, TableKind::Virtual(_)));
    let mut findings = Vec::new();
    for step in evidence.committed() {
        let Action::Delete { table: from, has_where } = &step.statement.action else { continue };
        // What a statement writes in a virtual table is not reported row by row.
        let deleted = if is_virtual { *unexplained } else { causes::deleted(step, table, By::Statement) };
        let rows = deleted.min(*unexplained);
        if rows == 0 || !table.pair.is_called(from) {
            continue;
        }
        *unexplained -= rows;
        let (name, before) = (table.name(), rows_before(table));
        let finding = Finding::new(&LS107, format!("DELETE removed {} of `{name}`", share(rows, before, "row")))
            .table(name)
            .rows(rows)
            .at(
                Some(place(step)),
                if *has_where {
                    format!("removed {}", count(rows, "row"))
                } else {
                    format!("has no WHERE: removed {}", count(rows, "row"))
                },
            )
            .help("if that is intended, keep a copy of the rows until you are sure; else narrow the WHERE");
        let by_where = |finding: Finding| finding.at_level(if *has_where { Level::Warning } else { Level::Error });
        let Some(archived) = table.archived.as_ref().filter(|archived| archived.missing < table.lost()) else {
            findings.push(by_where(finding));
            continue;
        };
        let into = names(archived.into.iter().map(String::as_str));
        findings.push(match (archived.missing, archived.left.as_slice()) {
            (0, []) => finding.cause(format!("{into} had taken over every row that is gone")).at_level(Level::Note),
            (0, left) => {
                let left = names(left.iter().map(|(column, _)| column.as_str()));
                by_where(finding.cause(format!("{into} had taken over the rows that are gone, but not all of {left}")))
            }
            (missing, []) => by_where(
                finding.cause(format!("{into} had taken over all but {} of the rows that are gone", number(missing))),
            ),
            _ => by_where(finding),
        });
    }
    findings
}

/// LS101, or LS110 where nothing is left.
fn unexplained_loss(evidence: &Evidence, table: &TableComparison, rows: u64) -> Finding {
    if let Some(finding) = other_keys(evidence, table, rows) {
        return finding;
    }
    let (name, before) = (table.name(), rows_before(table));
    let emptied = table.after.as_ref().is_some_and(|after| after.rows == 0);
    let any = |step: &Step| causes::deleted(step, table, By::Trigger) + causes::deleted(step, table, By::Statement);
    let step = worst(evidence, any);
    let by_trigger = step.is_some_and(|step| causes::deleted(step, table, By::Trigger) > 0);
    let label = if by_trigger {
        format!("set off a trigger that removed rows of `{name}`")
    } else {
        format!("removed rows of `{name}`")
    };
    let (rule, message) = if emptied {
        (&LS110, format!("`{name}` had {} and has none", count(before, "row")))
    } else {
        (&LS101, format!("`{name}` lost {}", share(rows, before, "row")))
    };
    let finding = Finding::new(rule, message).table(name).rows(rows).at(step.map(place), label);
    if by_trigger {
        finding
            .cause("a trigger fires while the migration writes")
            .help("drop the trigger for the time of the migration and create it again at the end")
    } else {
        finding.help("compare the table before and after: rehearse again with --keep-copy FILE and look at both")
    }
}

/// VL203 where no row was inserted and so many rows came: an UPDATE wrote their key.
fn other_keys(evidence: &Evidence, table: &TableComparison, rows: u64) -> Option<Finding> {
    let compared = table.rows.as_ref()?;
    let Key::Columns(key) = &compared.key else { return None };
    let mine = |change: &&steps::Change| table.pair.is_called(&change.table);
    let changes = evidence.committed().flat_map(|step| &step.changes).filter(mine);
    if !steps::only_updated(changes) || compared.gained != rows {
        return None;
    }
    let name = table.name();
    let step = worst(evidence, |step| step.changes.iter().filter(mine).map(|change| change.updated).sum());
    let written = step.and_then(|step| match &step.statement.action {
        Action::Update { columns, .. } => key.iter().find(|(old, now)| {
            columns.iter().any(|column| column.eq_ignore_ascii_case(old) || column.eq_ignore_ascii_case(now))
        }),
        _ => None,
    });
    let (_, column) = written.or(key.first())?;
    let finding = Finding::new(
        &VL203,
        format!("the key `{name}.{column}` has another value in {}", share(rows, rows_before(table), "row")),
    )
    .table(name)
    .column(column)
    .rows(rows)
    .at(
        step.map(place),
        format!(
            "gave {} another key{}",
            count(rows, "row"),
            step.map(|step| also_in_children(evidence, step)).unwrap_or_default()
        ),
    )
    .help(
        "whatever keeps these keys elsewhere, other tables without a foreign key among them, no longer finds the rows",
    );
    Some(if written.is_some() { finding } else { finding.at_level(Level::Error) })
}

/// LS101 for a view that has the name of a renamed table and shows fewer rows of it.
pub(super) fn hidden_by_views(evidence: &Evidence) -> Vec<Finding> {
    let comparison = evidence.comparison();
    let hidden = |stand_in: &StandIn| {
        let StandIn { name, table, rows } = stand_in;
        let kept = comparison.table_after(table)?.after.as_ref()?.rows;
        let missing = kept.checked_sub(*rows).filter(|missing| *missing > 0)?;
        let renamed = evidence.committed().find(
            |step| matches!(&step.statement.action, Action::RenameTable { table, .. } if table.eq_ignore_ascii_case(name)),
        );
        let finding = Finding::new(
            &LS101,
            format!("`{name}` is a view now and shows {} that are kept as `{table}`", share(*rows, kept, "row")),
        );
        let finding = finding.table(name).rows(missing).at(renamed.map(place), format!("keeps the rows as `{table}`"));
        Some(finding.at_level(Level::Warning).help(format!(
            "if who reads `{name}` shall not see the others, this is fine; else let the view show every row of {}",
            quote_identifier(table)
        )))
    };
    comparison.stand_ins.iter().filter_map(hidden).collect()
}

/// LS104.
pub(super) fn dropped(evidence: &Evidence) -> Vec<Finding> {
    let gone = evidence.comparison().tables.iter().filter(|table| table.pair.change == Change::Dropped);
    gone.filter_map(|table| {
        let (name, rows) = (table.name(), rows_before(table));
        let missing = table.takeover.as_ref().map_or(rows, |takeover| takeover.missing.min(rows));
        if missing == 0 {
            return None;
        }
        let step = causes::dropping(evidence, name);
        let taken = table.takeover.as_ref().filter(|_| missing < rows).map_or(String::new(), |takeover| {
            let into = names(takeover.into.iter().map(String::as_str));
            format!(", and only {} had been copied into {into}", count(rows - missing, "row"))
        });
        Some(
            Finding::new(&LS104, format!("`{name}` was dropped with its {}{taken}", count(rows, "row")))
                .table(name)
                .rows(missing)
                .at(step.map(place), format!("dropped `{name}` with {}", count(rows, "row")))
                .help(format!(
                    "if nobody needs them any more, this is fine; else keep them:\nALTER TABLE {} RENAME TO {};",
                    quote_identifier(name),
                    quote_identifier(&format!("{name}_archived"))
                )),
        )
    })
    .collect()
}

/// Rows of all tables that a UNION puts together into this one.
fn united(evidence: &Evidence, table: &TableComparison) -> u64 {
    let unions = copies(evidence, table).filter_map(|step| match &step.statement.action {
        Action::Insert(insert) => insert.select.as_ref().filter(|select| select.from.is_none() && !select.joined),
        _ => None,
    });
    let comparison = evidence.comparison();
    let rows = |from: &String| comparison.table_before(from).map_or(0, rows_before);
    unions.map(|select| select.tables.iter().map(rows).sum()).max().unwrap_or_default()
}

/// Rows that other statements than copies of the table's own rows added to it.
fn added(evidence: &Evidence, table: &TableComparison) -> u64 {
    let mine = |step: &Step| -> u64 {
        let changes = step.changes.iter().filter(|change| table.pair.is_called(&change.table));
        changes.map(|change| change.inserted.saturating_sub(change.deleted)).sum()
    };
    let all: u64 = evidence.committed().map(mine).sum();
    all - copies(evidence, table).map(mine).sum::<u64>()
}

/// LS108.
pub(super) fn multiplied(evidence: &Evidence) -> Vec<Finding> {
    let tables = evidence.comparison().tables.iter().filter(|table| table.before.is_some());
    tables
        .filter_map(|table| {
            let (before, after) = (rows_before(table), table.after.as_ref()?.rows);
            // A rebuild copies every row once; a table that stays needs no copy of itself.
            let there = before + added(evidence, table);
            let once = if table.pair.change == Change::Rebuilt { there.max(united(evidence, table)) } else { 0 };
            let inserted = |step: &Step| step.changes.iter().filter(|change| change.by == By::Statement).map(|change| change.inserted).sum::<u64>();
            let copied: u64 = copies(evidence, table).map(inserted).sum();
            let repeated = repeated(evidence, table);
            if repeated == 0 && (after <= before || copied <= once) {
                return None;
            }
            let name = table.name();
            let step = copies(evidence, table).max_by_key(|step| inserted(step))?;
            let more = after.saturating_sub(before);
            let message = if repeated > more {
                format!("{} of `{name}` were written once more than they were there", count(repeated, "row"))
            } else {
                format!("`{name}` had {} and has {}", count(before, "row"), number(after))
            };
            Some(
                Finding::new(&LS108, message)
                    .table(name)
                    .rows(more.max(repeated))
                    .at(Some(place(step)), format!("wrote {} from {}", count(inserted(step), "row"), count(before, "row")))
                    .help("copy each row once: replace the join by a subquery that returns one row, and run the copy once"),
            )
        })
        .collect()
}

/// Rows that are gone.
fn net_lost(evidence: &Evidence, table: &TableComparison) -> u64 {
    table.rows.as_ref().map_or(0, |rows| rows.lost - altered_by_content(evidence, table))
}

/// Rows without a key that are no longer what they were: one that changed looks like one lost and one gained.
pub(super) fn altered_by_content(evidence: &Evidence, table: &TableComparison) -> u64 {
    let by_content = table.rows.as_ref().filter(|rows| rows.key == Key::Content);
    by_content
        .map_or(0, |rows| rows.lost.min(rows.gained - repeated(evidence, table)).min(may_be_altered(evidence, table)))
}

/// How many rows can have changed at most: in a table that was only written by statements, as many as were updated.
fn may_be_altered(evidence: &Evidence, table: &TableComparison) -> u64 {
    if !matches!(table.pair.change, Change::Same | Change::Renamed) {
        return u64::MAX;
    }
    let mine = evidence.committed().flat_map(|step| &step.changes).filter(|change| table.pair.is_called(&change.table));
    let (written, updated) = mine.fold((0, 0), |(written, updated), change| {
        (written + change.inserted + change.deleted, updated + change.updated)
    });
    if written == 0 { u64::MAX } else { updated }
}

/// Rows without a key that are there once more than before, where the copy is such that it may write a row several times.
fn repeated(evidence: &Evidence, table: &TableComparison) -> u64 {
    let joins = |step: &Step| matches!(&step.statement.action, Action::Insert(insert) if insert.select.as_ref().is_some_and(|select| select.joined));
    let may_repeat = copies(evidence, table).any(joins) || copies(evidence, table).count() > 1;
    table.rows.as_ref().filter(|_| may_repeat).map_or(0, |rows| rows.repeated)
}

fn rows_before(table: &TableComparison) -> u64 {
    table.before.as_ref().map_or(0, |before| before.rows)
}

/// The step with the greatest amount, if any has one; of equal ones the first.
fn worst(evidence: &Evidence, amount: impl Fn(&Step) -> u64) -> Option<&Step> {
    evidence.committed().rev().max_by_key(|step| amount(step)).filter(|step| amount(step) > 0)
}
