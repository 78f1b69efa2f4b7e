//! LS103: references that a foreign key set to NULL or to their default.

use super::{own_keys, own_rows, rows_before, updated_by_key};
use crate::compare::TableComparison;
use crate::compare::rows::ColumnComparison;
use crate::execution::steps::{By, Change};
use crate::execution::{Outcome, Step, Turned};
use crate::findings::catalogue::LS103;
use crate::findings::evidence::place;
use crate::findings::rules::causes;
use crate::findings::wording::{count, share};
use crate::findings::{Evidence, Finding};
use crate::migrations::statement::Action;
use crate::schema::ForeignKey;

/// What ON DELETE or ON UPDATE wrote in a table and is still there.
struct Nulling<'a> {
    /// The key through which it wrote.
    key: &'a ForeignKey,
    act: Act<'a>,
    /// The first step that set it off.
    step: &'a Step,
    /// References that are gone.
    rows: u64,
}

/// How a foreign key came to write.
#[derive(Clone, Copy)]
struct Act<'a> {
    /// `ON DELETE` or `ON UPDATE`.
    on: &'static str,
    /// `SET NULL` or `SET DEFAULT`.
    action: &'a str,
    /// What the step did to the parent; none where that goes by another name than the foreign key says.
    parent: Option<&'a Change>,
}

/// LS103.
pub(super) fn findings(evidence: &Evidence, table: &TableComparison) -> Vec<Finding> {
    nullings(evidence, table).iter().map(|nulling| finding(evidence, table, nulling)).collect()
}

fn finding(evidence: &Evidence, table: &TableComparison, nulling: &Nulling<'_>) -> Finding {
    let Nulling { key, act, step, rows } = *nulling;
    let name = table.name();
    let columns: Vec<_> = key.columns.iter().filter_map(|column| table.column_before(column)).collect();
    let to = if act.action == "SET NULL" { "NULL" } else { "the default" };
    let mut finding = Finding::new(
        &LS103,
        format!("`{}` became {to} in {}", key.describe(name), share(rows, rows_before(table), "row")),
    )
    .table(name)
    .column(columns.first().map(|column| column.after.clone()).unwrap_or_default())
    .rows(rows)
    .at(
        Some(place(step)),
        format!(
            "{}set {} of `{name}` to {to} through {} {} (`{}`)",
            parents_part(step, &act),
            count(rows, "reference"),
            act.on,
            act.action,
            key.describe(name)
        ),
    );
    finding.cause = causes::why_foreign_keys_were_on(evidence, step);
    finding.proof = references_stay(evidence, table, key);
    finding.help = keep_references(evidence, name, nulling);
    finding
}

/// What happened to the parent: `deleted 3 rows of `users`, and `.
fn parents_part(step: &Step, act: &Act<'_>) -> String {
    let parent = act.parent.map(|change| change.table.as_str()).or_else(|| causes::parent_of(step)).unwrap_or_default();
    let Some(change) = act.parent.filter(|change| change.by != By::Statement || act.on == "ON UPDATE") else {
        return own_rows(step, parent);
    };
    let through = match change.by {
        By::Statement => "",
        By::ForeignKey => " through a foreign key",
        By::Trigger => " through a trigger",
    };
    let (did, rows) = if act.on == "ON UPDATE" { ("wrote", change.updated) } else { ("deleted", change.deleted) };
    format!("{did} {} of `{parent}`{through}, and ", count(rows, "row"))
}

fn keep_references(evidence: &Evidence, name: &str, nulling: &Nulling<'_>) -> Vec<String> {
    let Nulling { key, act, step, .. } = nulling;
    let named = causes::parent_of(step).unwrap_or_default();
    let parent = act.parent.map_or(named, |change| &change.table);
    let by_itself = act.parent.is_none_or(|change| change.by == By::Statement);
    let give_another = |before: &str| format!("give these rows of `{name}` another `{parent}` before {before}");
    match step.statement.action {
        _ if act.on == "ON UPDATE" => vec![format!(
            "let the references follow: rebuild `{name}` with ON UPDATE CASCADE for `{}` before this statement",
            key.describe(name)
        )],
        Action::DropTable { .. } => causes::keep_children(evidence, named, name),
        Action::Insert(_) if by_itself => vec![format!(
            "write over the rows of `{parent}` without deleting them: INSERT … ON CONFLICT … DO UPDATE instead of REPLACE"
        )],
        Action::Delete { .. } => vec![give_another("the DELETE")],
        Action::Update { .. } => vec![give_another("the UPDATE")],
        _ => vec![give_another("this statement")],
    }
}

/// What the same migrations do to these references with foreign keys off, where they run and leave them alone.
fn references_stay(evidence: &Evidence, table: &TableComparison, key: &ForeignKey) -> Option<String> {
    let without = evidence.turned(Turned::ForeignKeysOff)?;
    let there = without.comparison.table_before(table.pair.before.as_ref()?)?;
    let unchanged =
        key.columns.iter().all(|column| there.column_before(column).is_some_and(|column| column.changed == 0));
    (without.execution.outcome == Outcome::Completed && unchanged)
        .then(|| causes::again(Turned::ForeignKeysOff, "the references stay"))
}

/// One entry per foreign key of the table that wrote, and way in which it did.
fn nullings<'a>(evidence: &'a Evidence, table: &TableComparison) -> Vec<Nulling<'a>> {
    // `rows` is first what the key may have written, then what of it is still there.
    let mut nullings: Vec<Nulling<'_>> = Vec::new();
    for step in evidence.committed() {
        let written = updated_by_key(table, step);
        if written == 0 {
            continue;
        }
        let keys = own_keys(evidence, table).iter();
        for (key, act) in keys.filter_map(|key| Some((key, acted(evidence, key, step)?))) {
            let is_it = |known: &&mut Nulling<'_>| std::ptr::eq(known.key, key) && known.act.on == act.on;
            match nullings.iter_mut().find(is_it) {
                Some(known) => known.rows += written,
                None => nullings.push(Nulling { key, act, step, rows: written }),
            }
        }
    }
    if nullings.is_empty() {
        nullings.extend(by_another_name(evidence, table));
    }
    for nulling in &mut nullings {
        let columns = nulling.key.columns.iter().filter_map(|column| table.column_before(column));
        let rows = columns.map(|column| nulling.still_there(column)).max().unwrap_or_default();
        nulling.rows = nulling.rows.min(rows);
    }
    nullings.retain(|nulling| nulling.rows > 0);
    nullings
}

/// How this key came to write in this step, if it did.
fn acted<'a>(evidence: &Evidence, key: &'a ForeignKey, step: &'a Step) -> Option<Act<'a>> {
    let sets = |action: &str| matches!(action, "SET NULL" | "SET DEFAULT");
    let parent = evidence.comparison().table_before(&key.parent);
    let is_parent = |change: &&Change| {
        key.parent.eq_ignore_ascii_case(&change.table)
            || parent.is_some_and(|parent| parent.pair.is_called(&change.table))
    };
    let deleted = || step.changes.iter().filter(is_parent).find(|change| change.deleted > 0);
    let updated = || {
        let may_write_key = |change: &&Change| change.by != By::ForeignKey || refers_by_its_key(evidence, key);
        step.changes.iter().filter(is_parent).filter(may_write_key).find(|change| change.updated > 0)
    };
    let by_delete = deleted().filter(|_| sets(&key.on_delete)).map(|change| ("ON DELETE", &key.on_delete, change));
    let by_update = || updated().filter(|_| sets(&key.on_update)).map(|change| ("ON UPDATE", &key.on_update, change));
    let (on, action, change) = by_delete.or_else(by_update)?;
    Some(Act { on, action, parent: Some(change) })
}

/// Whether what the key refers to is itself a reference, so that a foreign key may write it.
fn refers_by_its_key(evidence: &Evidence, key: &ForeignKey) -> bool {
    let Some(parent) = evidence.comparison().before.table(&key.parent) else { return false };
    let referred = if key.parent_columns.is_empty() { &parent.primary_key } else { &key.parent_columns };
    let mut own = parent.foreign_keys.iter().flat_map(|own| &own.columns);
    own.any(|column| referred.iter().any(|other| other.eq_ignore_ascii_case(column)))
}

/// Where what a statement deletes from goes by another name than the foreign key says.
fn by_another_name<'a>(evidence: &'a Evidence, table: &TableComparison) -> Option<Nulling<'a>> {
    let deletes = |step: &&Step| {
        matches!(step.statement.action, Action::DropTable { .. } | Action::Delete { .. } | Action::Insert(_))
    };
    let step = evidence.committed().filter(deletes).find(|step| updated_by_key(table, step) > 0)?;
    let sets = |key: &&ForeignKey| matches!(key.on_delete.as_str(), "SET NULL" | "SET DEFAULT");
    let key = own_keys(evidence, table).iter().find(sets)?;
    let rows = evidence.committed().map(|step| updated_by_key(table, step)).sum();
    Some(Nulling { key, act: Act { on: "ON DELETE", action: &key.on_delete, parent: None }, step, rows })
}

impl Nulling<'_> {
    /// Values of a column of the key that are what the action writes.
    fn still_there(&self, column: &ColumnComparison) -> u64 {
        match self.act.action {
            // What follows its parent's key changes too.
            _ if self.key.on_update == "CASCADE" => column.defaulted + column.nulled,
            "SET NULL" => column.nulled + column.gone_with_key,
            _ => column.changed + column.gone_with_key,
        }
    }
}

/// References in this column that foreign keys set to NULL or to their default, of which LS103 speaks.
pub(in crate::findings::rules) fn written_by_keys(evidence: &Evidence, table: &TableComparison, column: &str) -> u64 {
    let nullings = nullings(evidence, table);
    let of_column =
        nullings.iter().filter(|nulling| nulling.key.columns.iter().any(|of_key| of_key.eq_ignore_ascii_case(column)));
    of_column.map(|nulling| nulling.rows).sum()
}
