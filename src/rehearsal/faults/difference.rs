//! In what two copies of one snapshot differ, but for the ledger.

use std::collections::{BTreeMap, BTreeSet};

use super::super::Theatre;
use crate::compare::samples::Sampling;
use crate::compare::{self, Comparison, Scope, State, TableComparison};
use crate::error::{Doing, Error};
use crate::findings::faults::Difference;
use crate::schema::changes::Kind;
use crate::schema::{Schema, is_bookkeeping};
use crate::snapshot::WorkingCopy;
use crate::sqlite_file::page_set::PageSet;
use crate::sqlite_file::pages::Pages;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Differences {
    /// In order of table and column.
    pub(super) differences: Vec<Difference>,
    /// What SQLite says is wrong with the second copy and is not with the first.
    pub(super) damage: Option<String>,
}

/// Compares copies of one snapshot.
pub(super) struct Comparer<'a> {
    pub(super) stage: &'a Theatre<'a>,
    /// What could not be compared in the main rehearsal, which says so.
    pub(super) unread: BTreeSet<&'a str>,
}

impl Comparer<'_> {
    /// Compares two copies. Only what differs from the snapshot in one of them is read.
    ///
    /// # Errors
    /// When one of them cannot be read at all.
    pub(super) fn between(&self, before: &WorkingCopy, after: &WorkingCopy) -> Result<Differences, Error> {
        let stage = self.stage;
        if let (Ok(one), Ok(other)) = (before.fingerprint(), after.fingerprint())
            && one == other
        {
            return Ok(Differences::default());
        }
        let connections = (before.connect()?, after.connect()?);
        let (one, other) = (before.pages().ok(), after.pages().ok());
        let changed = changed_in_either(before, after);
        let uris = (before.uri(), after.uri());
        let encoding = stage.snapshot.facts().encoding;
        let ledger = stage.plan.ledger.name.as_str();
        let none = BTreeSet::new();
        let states = compare::States {
            before: State {
                connection: &connections.0,
                uri: &uris.0,
                encoding,
                pages: one.as_ref().map(|pages| pages as &dyn Pages),
            },
            after: State {
                connection: &connections.1,
                uri: &uris.1,
                encoding,
                pages: other.as_ref().map(|pages| pages as &dyn Pages),
            },
            changed: changed.as_ref(),
            time: stage.options.bounds.time,
            ledger,
            sampling: Sampling::None,
            scope: Scope::Changed(&none),
            memory: stage.options.max_memory,
        };
        Ok(self.told(&Comparison::of_files(states, stage.observer)?, ledger))
    }

    /// The tables that have or lack a column, an index or a trigger which they lack or have in the other copy, and those that are in
    /// one copy only. Reads no rows: where there are some, nothing more is needed to know that the copies differ.
    ///
    /// # Errors
    /// When one of them cannot be read at all.
    pub(super) fn by_name(&self, before: &WorkingCopy, after: &WorkingCopy) -> Result<BTreeSet<String>, Error> {
        let ledger = self.stage.plan.ledger.name.as_str();
        let read =
            |copy: &WorkingCopy| Schema::read(&copy.connect()?).doing(|| "reading the schema of a copy".to_owned());
        let (before, after) = (read(before)?, read(after)?);
        let (before, after) = (parts(&before, ledger), parts(&after, ledger));
        Ok(before.symmetric_difference(&after).map(|(table, _)| (*table).to_owned()).collect())
    }

    fn told(&self, comparison: &Comparison, ledger: &str) -> Differences {
        let mut differences: BTreeSet<Difference> = comparison.tables.iter().flat_map(of_table).collect();
        let lone = |table: &str, column: Option<&str>| Difference {
            table: table.to_owned(),
            column: column.map(str::to_owned),
            rows: 0,
            as_many: true,
        };
        for change in &comparison.schema_changes {
            let table = if change.table.is_empty() { &change.name } else { &change.table };
            let is_known = differences.iter().any(|difference| difference.table.eq_ignore_ascii_case(table));
            if !is_known && change.kind != Kind::ColumnOrder && !is_bookkeeping(table, ledger) {
                differences.insert(lone(table, None));
            }
        }
        let header = comparison.header.iter().filter(|number| number.before != number.after);
        let of_the_user = header.map(|number| number.pragma).filter(|pragma| !ledger.ends_with(pragma));
        differences.extend(of_the_user.map(|pragma| lone(pragma, None)));
        let unread = comparison.not_compared.iter().filter(|part| !self.unread.contains(part.what.as_str()));
        differences.extend(unread.map(|part| lone(&part.what, None)));
        let integrity = &comparison.integrity;
        let damage = integrity.after.iter().find(|message| !integrity.before.contains(message)).cloned();
        Differences { differences: differences.into_iter().collect(), damage }
    }
}

/// Every column, index, trigger and view of the user by name, with the table that it belongs to.
fn parts<'a>(schema: &'a Schema, ledger: &'a str) -> BTreeSet<(&'a str, &'a str)> {
    let columns = schema
        .user_tables(ledger)
        .flat_map(|table| table.columns.iter().map(|column| (table.name.as_str(), column.name.as_str())));
    let objects = [&schema.indexes, &schema.triggers, &schema.views].into_iter().flat_map(BTreeMap::values);
    let objects = objects.map(|object| (object.table.as_str(), object.name.as_str()));
    columns.chain(objects.filter(|(table, _)| !is_bookkeeping(table, ledger))).collect()
}

/// The pages that one of the copies has changed; none where any page may be another one.
fn changed_in_either(one: &WorkingCopy, other: &WorkingCopy) -> Option<PageSet> {
    let (mut pages, more) = (one.changed().ok().flatten()?, other.changed().ok().flatten()?);
    for page in more.iter() {
        pages.insert(page);
    }
    Some(pages)
}

fn of_table(table: &TableComparison) -> Vec<Difference> {
    let of = |column: Option<&String>, rows: u64, as_many: bool| Difference {
        table: table.name().to_owned(),
        column: column.cloned(),
        rows,
        as_many,
    };
    let Some(rows) = &table.rows else {
        let only_one = table.pair.before.is_none() || table.pair.after.is_none();
        let there = table.before.as_ref().or(table.after.as_ref()).map_or(0, |profile| profile.rows);
        return if only_one { vec![of(None, there, false)] } else { Vec::new() };
    };
    let mut found = Vec::new();
    if rows.lost + rows.gained > 0 {
        found.push(of(None, rows.lost.max(rows.gained), rows.lost == rows.gained));
    }
    let columns = rows.columns.iter().filter(|column| column.changed > 0);
    found.extend(columns.map(|column| of(Some(&column.after), column.changed, true)));
    if found.is_empty() && rows.changed.is_some_and(|changed| changed > 0) {
        found.push(of(None, rows.changed.unwrap_or_default(), true));
    }
    found
}
