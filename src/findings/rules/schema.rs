//! SC: what the schema lost. Dropped by name is a note; lost on the way is not.

use std::collections::BTreeSet;

use crate::compare::integrity::OutOfSync;
use crate::compare::{HeaderNumber, TableComparison, lineage};
use crate::execution::Step;
use crate::findings::catalogue::{
    SC301, SC302, SC303, SC304, SC305, SC306, SC307, SC308, SC309, SC310, SC311, SC312, SC313, SC314, SC315, SC316,
    SC317, SC318, SC319, SC320, SC322, SC323, SC324,
};
use crate::findings::evidence::place;
use crate::findings::rules::{causes, values};
use crate::findings::wording::{self, count_of};
use crate::findings::{Evidence, Finding, Level, Rule};
use crate::migrations::statement::Action;
use crate::schema::changes::{Change, How, Kind};
use crate::schema::index::Definition;
use crate::schema::lexer::{TokenKind, quote_identifier, tokens};
use crate::schema::storage::affinity;
use crate::schema::{Object, Schema, Table, TableKind};

/// SC301 to SC303: indexes, triggers and views that are gone while what they stood on is still there.
pub(super) fn objects_lost(evidence: &Evidence) -> Vec<Finding> {
    let comparison = evidence.comparison();
    let gone = comparison.schema_changes.iter().filter(|change| change.how == How::Removed);
    gone.filter_map(|change| {
        let (rule, objects): (&'static Rule, _) = match change.kind {
            Kind::Index => (&SC301, &comparison.before.indexes),
            Kind::Trigger => (&SC302, &comparison.before.triggers),
            Kind::View => (&SC303, &comparison.before.views),
            _ => return None,
        };
        let object = objects.get(&change.name.to_ascii_lowercase())?;
        let rule = if change.kind == Kind::Index && is_unique(&object.sql) { &SC310 } else { rule };
        let on_a_table = change.kind != Kind::View;
        let stands = comparison.after.table(&change.table).is_some()
            || comparison.after.views.contains_key(&change.table.to_ascii_lowercase());
        if (on_a_table && !stands) || (change.kind == Kind::Index && lives_on(evidence, change, object)) {
            return None;
        }
        Some(lost(evidence, rule, change, object))
    })
    .collect()
}

/// Whether another index, or a constraint, does what this one did.
fn lives_on(evidence: &Evidence, change: &Change, object: &Object) -> bool {
    let comparison = evidence.comparison();
    let Some(table) = comparison.after.table(&change.table) else { return false };
    let Some(was) = definition_before(evidence, object) else { return false };
    was.is_kept_in(table, &comparison.after)
}

/// An index after.
fn definition(index: &Object, table: &Table) -> Definition {
    Definition::of(index, table, &str::to_owned)
}

/// An index before, with its columns as they are called after.
fn definition_before(evidence: &Evidence, index: &Object) -> Option<Definition> {
    let comparison = evidence.comparison();
    let table = comparison.before.table(&index.table)?;
    let columns = comparison.table_before(&table.name).map(|compared| compared.pair.columns.as_slice());
    let now = |column: &str| {
        let renamed = columns.unwrap_or_default().iter().find(|(before, _)| before.eq_ignore_ascii_case(column));
        renamed.map_or_else(|| column.to_owned(), |(_, after)| after.clone())
    };
    Some(Definition::of(index, table, &now))
}

/// SC301, SC302 and SC310: indexes and triggers that are there under their name, and are not what they were.
pub(super) fn objects_changed(evidence: &Evidence) -> Vec<Finding> {
    let changed = evidence.comparison().schema_changes.iter().filter(|change| change.how == How::Changed);
    changed
        .filter_map(|change| match change.kind {
            Kind::Index => index_changed(evidence, change),
            Kind::Trigger => trigger_changed(evidence, change),
            _ => None,
        })
        .collect()
}

/// The new definition says so in so many words, which may well be meant; that the old one goes is not always seen.
fn index_changed(evidence: &Evidence, change: &Change) -> Option<Finding> {
    let comparison = evidence.comparison();
    let key = change.name.to_ascii_lowercase();
    let (old, new) = (comparison.before.indexes.get(&key)?, comparison.after.indexes.get(&key)?);
    if lives_on(evidence, change, old) {
        return None;
    }
    let (table, name) = (&change.table, &change.name);
    let was = definition_before(evidence, old)?;
    let is = definition(new, comparison.after.table(table)?);
    let weaker = was.unique && !is.is_at_least_as_unique_as(&was);
    let (rule, kind): (&'static Rule, _) = if weaker { (&SC310, "unique index") } else { (&SC301, "index") };
    let message = format!("{kind} `{name}` of `{table}` is {} and was {}", is.describe(), was.describe());
    let dropped = dropped_by_name(evidence, Kind::Index, name);
    let made = evidence.committed().rev().find(
        |step| matches!(&step.statement.action, Action::CreateIndex { name: made, .. } if made.eq_ignore_ascii_case(name)),
    );
    Some(
        Finding::new(rule, message)
            .table(table)
            .object(name)
            .at_level(if dropped.is_some() { Level::Note } else { Level::Warning })
            .at(made.map(place), "makes it anew with another definition")
            .help(format!("if that is intended, nothing is to be done; else create it as it was:\n{};", old.sql)),
    )
}

/// A trigger that went with its table and was made anew. Where it was dropped by name, that is what the migration is for.
fn trigger_changed(evidence: &Evidence, change: &Change) -> Option<Finding> {
    let (table, name) = (&change.table, &change.name);
    let made = evidence.committed().rev().find(
        |step| matches!(&step.statement.action, Action::CreateTrigger { name: made, .. } if made.eq_ignore_ascii_case(name)),
    )?;
    if dropped_by_name(evidence, Kind::Trigger, name).is_some() {
        return None;
    }
    Some(
        Finding::new(&SC302, format!("trigger `{name}` of `{table}` was made anew with another text"))
            .table(table)
            .object(name)
            .at_level(Level::Note)
            .at(Some(place(made)), "makes it anew")
            .help(format!("compare it with the one that was there:\n{};", change.before)),
    )
}

/// `CREATE UNIQUE INDEX` is how SQLite stores it, whatever was typed.
fn is_unique(index: &str) -> bool {
    index.get(..19).is_some_and(|start| start.eq_ignore_ascii_case("CREATE UNIQUE INDEX"))
}

/// The statement that drops this index, trigger or view by its name.
fn dropped_by_name<'a>(evidence: &'a Evidence, kind: Kind, object: &str) -> Option<&'a Step> {
    evidence.committed().find(|step| match &step.statement.action {
        Action::DropIndex { name } => kind == Kind::Index && name.eq_ignore_ascii_case(object),
        Action::DropTrigger { name } => kind == Kind::Trigger && name.eq_ignore_ascii_case(object),
        Action::DropView { name } => kind == Kind::View && name.eq_ignore_ascii_case(object),
        _ => false,
    })
}

fn lost(evidence: &Evidence, rule: &'static Rule, change: &Change, object: &Object) -> Finding {
    let by_name = dropped_by_name(evidence, change.kind, &object.name);
    let kind = if rule.code == SC310.code { "unique index" } else { change.kind.name() };
    let of = if change.kind == Kind::View { String::new() } else { format!(" of `{}`", change.table) };
    let finding =
        Finding::new(rule, format!("{kind} `{}`{of} is gone", object.name)).table(&change.table).object(&object.name);
    match by_name {
        Some(step) => finding.at_level(Level::Note).at(Some(place(step)), "drops it by name"),
        None => finding
            .at(causes::dropping(evidence, &object.table).map(place), format!("took {kind} `{}` along", object.name))
            .help(format!("create it again at the end of the migration:\n{};", object.sql)),
    }
}

/// SC304 and SC305: views and triggers that could be compiled before and cannot be now.
pub(super) fn objects_broken(evidence: &Evidence) -> Vec<Finding> {
    let comparison = evidence.comparison();
    let new = comparison.broken_after.iter().filter(|(name, _)| !comparison.broken_before.contains_key(*name));
    new.filter_map(|(name, message)| {
        let view = comparison.after.views.get(name);
        let object = view.or_else(|| comparison.after.triggers.get(name))?;
        let (rule, kind): (&'static Rule, _) = if view.is_some() { (&SC304, "view") } else { (&SC305, "trigger") };
        let mut finding =
            Finding::new(rule, format!("{kind} `{}` no longer works: {message}", object.name)).object(&object.name);
        if view.is_none() {
            finding = finding.table(&object.table);
        }
        let step = breaking(evidence, message);
        Some(finding.at(step.map(place), format!("broke {kind} `{}`", object.name)).help(format!(
            "drop the {kind} before the change and create it again to fit at the end:\nDROP {} {};",
            kind.to_ascii_uppercase(),
            quote_identifier(&object.name)
        )))
    })
    .collect()
}

/// The statement that took away the name that SQLite misses.
fn breaking<'a>(evidence: &'a Evidence, message: &str) -> Option<&'a Step> {
    evidence.committed().find(|step| match &step.statement.action {
        Action::DropTable { table } | Action::RenameTable { table, .. } => message.ends_with(table.as_str()),
        Action::DropColumn { column, .. } | Action::RenameColumn { column, .. } => message.ends_with(column.as_str()),
        Action::DropView { name } => message.ends_with(name.as_str()),
        _ => false,
    })
}

/// SC306 to SC310: constraints that a table had and no longer has.
pub(super) fn constraints_lost(evidence: &Evidence) -> Vec<Finding> {
    let changes = evidence.comparison().schema_changes.iter();
    changes
        .filter_map(|change| {
            let rule: &'static Rule = match (change.kind, change.how) {
                (Kind::ForeignKey, How::Removed) => &SC306,
                (Kind::ForeignKey, How::Changed) if parent(&change.before) != parent(&change.after) => &SC307,
                (Kind::Check, How::Removed) => &SC308,
                (Kind::NotNull, How::Removed) => &SC309,
                (Kind::Unique, How::Removed) => &SC310,
                _ => return None,
            };
            let still_there = widened(evidence, change) || repaired(evidence, change);
            (!still_there && !gone_with_its_column(evidence, change)).then(|| constraint(evidence, rule, change))
        })
        .collect()
}

/// Whether a foreign key to the same parent has all columns of the one that is gone, and more.
fn widened(evidence: &Evidence, change: &Change) -> bool {
    let Some(table) = evidence.comparison().after.table(&change.table) else { return false };
    let has = |columns: &[String], name: &str| columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    change.kind == Kind::ForeignKey
        && change.how == How::Removed
        && table.foreign_keys.iter().any(|key| {
            key.parent.eq_ignore_ascii_case(parent(&change.before))
                && change.name.split(", ").all(|name| has(&key.columns, name))
        })
}

/// Whether a foreign key referred to a table that was not there, and now refers to one that is.
fn repaired(evidence: &Evidence, change: &Change) -> bool {
    let comparison = evidence.comparison();
    change.kind == Kind::ForeignKey
        && change.how == How::Changed
        && comparison.before.table(parent(&change.before)).is_none()
        && comparison.after.table(parent(&change.after)).is_some()
}

/// `users` in `(user_id) REFERENCES users(id) ON DELETE CASCADE`.
fn parent(key: &str) -> &str {
    key.split_once(" REFERENCES ").map_or("", |(_, parent)| parent.split(['(', ' ']).next().unwrap_or_default())
}

/// `(user_id)` in `(user_id) REFERENCES users(id) ON DELETE CASCADE`, as the table writes it.
fn own_columns(key: &str) -> &str {
    key.split_once(" REFERENCES ").map_or(key, |(columns, _)| columns)
}

/// Whether a column that the constraint names was dropped: then the constraint went with it, and the column is the finding.
fn gone_with_its_column(evidence: &Evidence, change: &Change) -> bool {
    evidence.comparison().schema_changes.iter().any(|other| {
        other.kind == Kind::Column
            && other.how == How::Removed
            && other.table == change.table
            && change
                .before
                .split(|letter: char| !letter.is_alphanumeric() && letter != '_')
                .any(|word| word.eq_ignore_ascii_case(&other.name))
    })
}

/// SC322: the same key to the same parent, with another action.
pub(super) fn foreign_key_actions(evidence: &Evidence) -> Vec<Finding> {
    let changed = evidence.comparison().schema_changes.iter().filter(|change| {
        change.kind == Kind::ForeignKey
            && change.how == How::Changed
            && parent(&change.before).eq_ignore_ascii_case(parent(&change.after))
    });
    changed
        .filter_map(|change| {
            let (was, is) = (actions(&change.before), actions(&change.after));
            let what = match (was, is) {
                _ if was == is => return None,
                (_, "") => format!("no longer has {was}"),
                ("", _) => format!("has {is}, and had no action before"),
                _ => format!("has {is} instead of {was}"),
            };
            let table = &change.table;
            let message = format!(
                "the foreign key {} of `{table}` to `{}` {what}",
                own_columns(&change.after),
                parent(&change.after)
            );
            Some(
                Finding::new(&SC322, message)
                    .table(table)
                    .object(&change.before)
                    .at(rebuilding(evidence, table).map(place), "defines the table with another action")
                    .help(format!(
                        "if that is intended, nothing is to be done; else declare it as it was:\nFOREIGN KEY {}",
                        change.before
                    )),
            )
        })
        .collect()
}

/// `ON DELETE CASCADE` in `(user_id) REFERENCES users(id) ON DELETE CASCADE`; empty where there is none.
fn actions(key: &str) -> &str {
    let start = [" ON DELETE ", " ON UPDATE ", " DEFERRABLE "].iter().filter_map(|event| key.find(event)).min();
    start.map_or("", |start| &key[start + 1..])
}

/// SC314: one finding per table, for both options.
pub(super) fn table_options(evidence: &Evidence) -> Vec<Finding> {
    let comparison = evidence.comparison();
    comparison
        .tables
        .iter()
        .filter_map(|compared| {
            let table = compared.pair.after.as_ref()?;
            let options = |how: How| -> Vec<&str> {
                let changes = comparison.schema_changes.iter().filter(|change| {
                    change.kind == Kind::TableOption && change.how == how && change.table.eq_ignore_ascii_case(table)
                });
                changes.map(|change| change.name.as_str()).collect()
            };
            let (lost, new) = (options(How::Removed), options(How::Added));
            let (verb, changed, level) = match (lost.is_empty(), new.is_empty()) {
                (false, _) => ("is no longer", lost.join(" and "), SC314.level),
                (_, false) => ("became", new.join(" and "), Level::Note),
                _ => return None,
            };
            let finding = Finding::new(&SC314, format!("`{table}` {verb} {changed}"))
                .table(table)
                .at_level(level)
                .at(rebuilding(evidence, table).map(place), "defines the table with other options");
            Some(if lost.is_empty() {
                finding.help("if that is intended, nothing is to be done")
            } else {
                finding.help(format!(
                    "end the CREATE TABLE of the rebuild with what the table had:\n) {};",
                    lost.join(", ")
                ))
            })
        })
        .collect()
}

/// SC316: the key still gives out numbers of itself, and no longer remembers which.
pub(super) fn autoincrement(evidence: &Evidence) -> Vec<Finding> {
    let comparison = evidence.comparison();
    let lost = comparison
        .schema_changes
        .iter()
        .filter(|change| change.kind == Kind::Autoincrement && change.how == How::Removed);
    lost.filter_map(|change| {
        let table = &change.table;
        let key = comparison.after.table(table)?.rowid_alias.as_ref()?;
        Some(
            Finding::new(&SC316, format!("`{table}.{key}` is no longer AUTOINCREMENT"))
                .table(table)
                .column(key)
                .at(rebuilding(evidence, table).map(place), "defines the table without it")
                .help(format!(
                    "if ids may be used again, nothing is to be done; else declare it in the rebuild:\n{} integer PRIMARY KEY AUTOINCREMENT NOT NULL",
                    quote_identifier(key)
                )),
        )
    })
    .collect()
}

/// SC311: another primary key or none. One that is new where there was none held for every row that is there.
pub(super) fn primary_keys(evidence: &Evidence) -> Vec<Finding> {
    let changed = evidence.comparison().schema_changes.iter().filter(|change| {
        change.kind == Kind::PrimaryKey && change.how != How::Added && !gone_with_its_column(evidence, change)
    });
    changed
        .map(|change| {
            let (table, was, is) = (&change.table, &change.before, &change.after);
            let message = if change.how == How::Removed {
                format!("`{table}` no longer has the primary key ({was})")
            } else {
                format!("`{table}` has the primary key ({is}) instead of ({was})")
            };
            let columns = |list: &str| list.split(", ").map(str::to_ascii_lowercase).collect::<BTreeSet<_>>();
            let level = if columns(was) == columns(is) { Level::Note } else { SC311.level };
            Finding::new(&SC311, message)
                .table(table)
                .object(was)
                .at_level(level)
                .at(rebuilding(evidence, table).map(place), "defines the table with another key")
                .help(format!(
                    "if that is intended, nothing is to be done; else declare it in the rebuild:\nPRIMARY KEY ({was})"
                ))
        })
        .collect()
}

/// SC312: one finding per table. A default where there was none changes no row that the app could insert before.
pub(super) fn defaults(evidence: &Evidence) -> Vec<Finding> {
    per_table(evidence, |_, change| {
        let (was, is) = (default_value(&change.before), default_value(&change.after));
        (change.kind == Kind::Default && !was.is_empty() && was != is).then(|| match is.as_str() {
            "" => format!("none instead of {}", change.before),
            _ => format!("{} instead of {}", change.after, change.before),
        })
    })
    .into_iter()
    .map(|(table, columns)| {
        columns_changed(evidence, &SC312, "DEFAULT", table, &columns)
            .help("if that is intended, nothing is to be done; else declare it in the CREATE TABLE of the rebuild")
    })
    .collect()
}

/// A DEFAULT without differences that mean nothing: `"a"` is `'a'`, `TRUE` is `1`, NULL is none.
fn default_value(default: &str) -> String {
    let words: Vec<String> = tokens(default)
        .filter(|token| !token.is_trivia())
        .map(|token| match token.kind {
            TokenKind::String => token.text(default).to_owned(),
            TokenKind::Quoted => {
                format!("'{}'", token.name(default).unwrap_or_default().replace('\'', "''"))
            }
            _ => token.text(default).to_ascii_lowercase(),
        })
        .collect();
    match words.join(" ").as_str() {
        "true" => "1".to_owned(),
        "false" => "0".to_owned(),
        "null" => String::new(),
        other => other.to_owned(),
    }
}

/// Tables with the changes of their columns that `what` has something to say of, in order.
fn per_table(
    evidence: &Evidence,
    what: impl Fn(&TableComparison, &Change) -> Option<String>,
) -> Vec<(&TableComparison, Vec<(&str, String)>)> {
    let comparison = evidence.comparison();
    let tables = comparison.tables.iter().filter_map(|compared| {
        let table = compared.pair.after.as_ref()?;
        let mine = comparison.schema_changes.iter().filter(|change| change.table.eq_ignore_ascii_case(table));
        let columns: Vec<_> = mine.filter_map(|change| Some((change.name.as_str(), what(compared, change)?))).collect();
        (!columns.is_empty()).then_some((compared, columns))
    });
    tables.collect()
}

/// One finding for one or several columns of a table of which a property differs.
fn columns_changed(
    evidence: &Evidence,
    rule: &'static Rule,
    property: &str,
    compared: &TableComparison,
    columns: &[(&str, String)],
) -> Finding {
    let table = compared.name();
    let added = |step: &&Step| {
        matches!(&step.statement.action, Action::AddColumn { table, column, .. }
            if columns.iter().any(|(name, _)| name.eq_ignore_ascii_case(column)) && compared.pair.is_called(table))
    };
    let (step, label) = match evidence.committed().rev().find(added) {
        Some(step) => (Some(step), "adds the column"),
        None => (rebuilding(evidence, table), "defines the table"),
    };
    let finding = if let [(column, change)] = columns {
        Finding::new(rule, format!("`{table}.{column}` has another {property}: {change}")).column(*column)
    } else {
        let list: Vec<String> = columns.iter().map(|(column, change)| format!("`{column}` ({change})")).collect();
        let (number, list) = (count_of(columns.len(), "column"), wording::list(&list));
        Finding::new(rule, format!("{number} of `{table}` have another {property}: {list}"))
    };
    finding.table(table).at(step.map(place), format!("{label} with another {property}"))
}

/// SC323: one finding per table. Where values were converted, VL204 and VL205 say so; where all that is there is as the new type
/// would store it, nothing differs.
pub(super) fn affinities(evidence: &Evidence) -> Vec<Finding> {
    let comparison = evidence.comparison();
    let is_strict = |name: Option<&String>, schema: &Schema| {
        name.and_then(|name| schema.table(name)).is_some_and(|table| table.strict)
    };
    per_table(evidence, |compared, change| {
        let pair = &compared.pair;
        let was = affinity(&change.before, is_strict(pair.before.as_ref(), &comparison.before));
        let is = affinity(&change.after, is_strict(pair.after.as_ref(), &comparison.after));
        let columns = compared.rows.iter().flat_map(|rows| &rows.columns);
        let converted = columns
            .filter(|column| column.after.eq_ignore_ascii_case(&change.name))
            .any(|column| column.converted + column.lossy > 0);
        let holds = compared.after.as_ref()?.column(&change.name)?;
        let differ = match is {
            "TEXT" => holds.integers + holds.reals > 0,
            "NUMERIC" => holds.texts > 0,
            "REAL" => holds.texts + holds.integers > 0,
            _ => holds.values() > 0,
        };
        (change.kind == Kind::Type && was != is && differ && !converted).then(|| format!("{is} instead of {was}"))
    })
    .into_iter()
    .map(|(table, columns)| {
        columns_changed(evidence, &SC323, "affinity", table, &columns)
            .help("if the app writes values of the new type only, nothing is to be done; else keep the declared type")
    })
    .collect()
}

/// SC313: one finding per table.
pub(super) fn collations(evidence: &Evidence) -> Vec<Finding> {
    per_table(evidence, |_, change| {
        let name = |collation: &str| if collation.is_empty() { "BINARY".to_owned() } else { collation.to_owned() };
        (change.kind == Kind::Collation).then(|| format!("{} instead of {}", name(&change.after), name(&change.before)))
    })
    .into_iter()
    .map(|(table, columns)| {
        columns_changed(evidence, &SC313, "COLLATE", table, &columns)
            .help("if that is intended, nothing is to be done; else write the COLLATE behind the column's type in the rebuild")
    })
    .collect()
}

/// SC315: one finding per table. A column that is computed from now on is told by its values.
pub(super) fn generated_columns(evidence: &Evidence) -> Vec<Finding> {
    per_table(evidence, |_, change| {
        let is_it = change.kind == Kind::Generated && change.how != How::Added;
        is_it.then(|| match change.after.as_str() {
            "" => format!("none instead of AS ({})", change.before),
            after => format!("AS ({after}) instead of AS ({})", change.before),
        })
    })
    .into_iter()
    .map(|(table, columns)| {
        columns_changed(evidence, &SC315, "expression", table, &columns)
            .help("if that is intended, nothing is to be done; else declare the column GENERATED as it was")
    })
    .collect()
}

/// SC324: one finding per table.
pub(super) fn conflict_clauses(evidence: &Evidence) -> Vec<Finding> {
    per_table(evidence, |_, change| {
        (change.kind == Kind::Conflict).then(|| match (change.before.as_str(), change.after.as_str()) {
            (was, "") => format!("no longer has ON CONFLICT {was}"),
            ("", is) => format!("has ON CONFLICT {is}, and had none before"),
            (was, is) => format!("has ON CONFLICT {is} instead of {was}"),
        })
    })
    .into_iter()
    .map(|(compared, constraints)| {
        let table = compared.name();
        let finding = if let [(constraint, change)] = constraints.as_slice() {
            Finding::new(&SC324, format!("{constraint} of `{table}` {change}")).object(*constraint)
        } else {
            let list: Vec<String> = constraints.iter().map(|(constraint, change)| format!("{constraint} {change}")).collect();
            let (number, list) = (count_of(list.len(), "constraint"), wording::list(&list));
            Finding::new(&SC324, format!("{number} of `{table}` have another ON CONFLICT: {list}"))
        };
        finding
            .table(table)
            .at(rebuilding(evidence, table).map(place), "defines the table with another ON CONFLICT")
            .help("if that is intended, nothing is to be done; else write the ON CONFLICT behind the constraint in the rebuild")
    })
    .collect()
}

fn constraint(evidence: &Evidence, rule: &'static Rule, change: &Change) -> Finding {
    let table = &change.table;
    let (message, object) = match change.kind {
        Kind::ForeignKey if change.how == How::Changed => (
            format!(
                "a foreign key of `{table}` refers to `{}` instead of `{}`",
                parent(&change.after),
                parent(&change.before)
            ),
            change.before.clone(),
        ),
        Kind::ForeignKey => {
            (format!("`{table}` no longer has the foreign key {}", change.before), change.before.clone())
        }
        Kind::Check => (format!("`{table}` no longer has CHECK ({})", change.before), change.before.clone()),
        Kind::NotNull => (format!("`{table}.{}` is no longer NOT NULL", change.name), change.name.clone()),
        _ => (format!("`{table}` no longer has UNIQUE ({})", change.before), change.before.clone()),
    };
    let finding = Finding::new(rule, message)
        .table(table)
        .at(rebuilding(evidence, table).map(place), "defines the table without it");
    // The new definition says so in so many words, which may well be meant; an index that goes along with its table is not.
    let level = if rule.code == SC307.code { rule.level } else { Level::Warning };
    let finding = finding.at_level(level);
    let finding = if change.kind == Kind::NotNull { finding.column(object) } else { finding.object(object) };
    finding.help("if that is intended, nothing is to be done; else put it into the CREATE TABLE of the rebuild")
}

/// The CREATE TABLE that became this table.
fn rebuilding<'a>(evidence: &'a Evidence, table: &str) -> Option<&'a Step> {
    let compared = evidence.comparison().table_after(table)?;
    evidence.committed().find(
        |step| matches!(&step.statement.action, Action::CreateTable { table, .. } if compared.pair.is_called(table)),
    )
}

/// SC317.
pub(super) fn leftovers(evidence: &Evidence) -> Vec<Finding> {
    let comparison = evidence.comparison();
    let tables = comparison.after.tables.values().filter(|table| table.kind == TableKind::Ordinary);
    tables
        .filter_map(|table| {
            let of = interim(&table.name)?;
            let new = comparison.table_after(&table.name).is_some_and(|compared| compared.pair.change == lineage::Change::Added);
            if !new && !table.name.starts_with("__new_") && !table.name.starts_with("_alembic_tmp_") {
                return None;
            }
            let step = evidence.committed().find(|step| matches!(&step.statement.action, Action::CreateTable { table: created, .. } if created.eq_ignore_ascii_case(&table.name)));
            let rows = comparison.table_after(&table.name).and_then(|compared| compared.after.as_ref()).map(|after| after.rows);
            let message = if new {
                format!("`{}`, made to rebuild `{of}`, is left over", table.name)
            } else {
                format!("`{}` is left over from a rebuild of `{of}` that did not finish", table.name)
            };
            let finding = Finding::new(&SC317, message).table(&table.name);
            let finding = match rows {
                Some(rows) => finding.rows(rows),
                None => finding,
            };
            Some(
                finding
                    .at(step.map(place), "created here, and neither renamed nor dropped")
                    .help(format!("look whether it holds rows that `{of}` lacks before you drop it:\nSELECT count(*) FROM {};", quote_identifier(&table.name))),
            )
        })
        .collect()
}

/// The table that one of this name would replace.
fn interim(name: &str) -> Option<&str> {
    ["__new_", "new_", "_alembic_tmp_", "__old_push_"]
        .into_iter()
        .find_map(|prefix| name.strip_prefix(prefix))
        .filter(|rest| !rest.is_empty())
}

/// SC318.
pub(super) fn column_order(evidence: &Evidence) -> Vec<Finding> {
    let changed = evidence.comparison().schema_changes.iter().filter(|change| change.kind == Kind::ColumnOrder);
    changed
        .map(|change| {
            let Change { table, before, after, .. } = change;
            Finding::new(&SC318, format!("`{table}` has its columns in another order: {after} instead of {before}"))
                .table(table)
                .at(rebuilding(evidence, table).map(place), "declares them in another order")
                .help(
                    "look for SELECT * and for INSERT without a list of columns in the app; else nothing is to be done",
                )
        })
        .collect()
}

/// SC319.
pub(super) fn full_text(evidence: &Evidence) -> Vec<Finding> {
    let comparison = evidence.comparison();
    // That rows have other rowids is why the index finds others, and VL211 says so.
    let misled = |found: &&OutOfSync| {
        comparison.table_after(&found.content).is_some_and(|content| values::misleads(evidence, content))
    };
    let found = comparison.integrity.out_of_sync.iter().filter(|found| found.before || !misled(found));
    let found = found.map(|OutOfSync { table, content, before, .. }| {
        let name = quote_identifier(table);
        let message = if *before {
            format!("the full-text index `{table}` did not match the rows of `{content}` before the migrations")
        } else {
            format!("the full-text index `{table}` no longer matches the rows of `{content}`")
        };
        let compared = comparison.table_after(content);
        let writes = |step: &&Step| {
            let is_it = |name: &str| {
                name.eq_ignore_ascii_case(content) || compared.is_some_and(|compared| compared.pair.is_called(name))
            };
            step.changes.iter().any(|change| is_it(&change.table))
        };
        let step = evidence.committed().find(writes).filter(|_| !before);
        Finding::new(&SC319, message)
            .table(table)
            .object(content)
            .at_level(if *before { Level::Note } else { SC319.level })
            .at(step.map(place), format!("wrote `{content}` and not the index"))
            .help(format!(
                "build the index anew at the end of the migration:\nINSERT INTO {name} ({name}) VALUES ('rebuild');"
            ))
    });
    found.collect()
}

/// SC320.
pub(super) fn header_numbers(evidence: &Evidence) -> Vec<Finding> {
    let own = |pragma: &str| evidence.plan.ledger.name.ends_with(pragma);
    let changed = evidence.comparison().header.iter().filter(|number| number.before != number.after);
    changed
        .filter(|number| !own(number.pragma))
        .map(|HeaderNumber { pragma, before, after }| {
            let step = evidence.committed().rev().find(
                |step| matches!(&step.statement.action, Action::Pragma { name, value: Some(_) } if name == pragma),
            );
            Finding::new(&SC320, format!("`{pragma}` is {after} instead of {before}"))
                .object(*pragma)
                .at(step.map(place), "sets it")
                .help("look who reads it: apps and other migration tools keep the version of the schema there")
        })
        .collect()
}
