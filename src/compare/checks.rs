//! What SQLite itself says of both states, as far as it may have changed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rusqlite::Result;

use super::integrity::{self, BrokenChecks, Complaint, Integrity, OutOfSync, Violations};
use super::lineage::{Change, Pair};
use super::{Comparer, Scope, TableComparison, When, shadows};
use crate::schema::{Column, ForeignKey, Object, Schema, Table, TableKind};
use crate::snapshot;

/// `integrity_check` of both states, on connections of its own.
pub(super) struct Check {
    before: String,
    after: String,
    /// The tables that may have changed; none: everything is checked.
    tables: Option<Vec<Suspect>>,
    /// How long it may take for one state.
    time: Duration,
}

/// A table that may have changed.
struct Suspect {
    before: Option<String>,
    after: String,
}

/// What `integrity_check` says of the states before and after.
pub(super) struct Checked {
    before: Result<Vec<String>>,
    after: Result<Vec<String>>,
}

impl Check {
    /// Where only some tables are checked, they are looked at before only where something is wrong after.
    pub fn run(self) -> Checked {
        let check = |uri: &str, tables: Option<&[&str]>| {
            let reader = snapshot::reader(uri, self.time)?;
            let interrupt = reader.get_interrupt_handle();
            snapshot::within_time(self.time, vec![interrupt], || integrity::check(&reader, tables)).0
        };
        let Some(tables) = self.tables else {
            return std::thread::scope(|scope| {
                let before = scope.spawn(|| check(&self.before, None));
                let after = check(&self.after, None);
                let before = before.join().unwrap_or_else(|_| check(&self.before, None));
                Checked { before, after }
            });
        };
        let named: Vec<_> = tables.iter().map(|suspect| suspect.after.as_str()).collect();
        let after = check(&self.after, Some(&named));
        let is_well = after.as_ref().is_ok_and(Vec::is_empty);
        let named: Vec<_> = tables.iter().filter_map(|suspect| suspect.before.as_deref()).collect();
        let before = if is_well { Ok(Vec::new()) } else { check(&self.before, Some(&named)) };
        Checked { before, after }
    }
}

impl Comparer<'_> {
    /// What is to be asked; none where the states have no name under which they can be opened.
    pub(super) fn check(&self, pairs: &[Pair]) -> Option<Check> {
        let (before, after) = (self.states.before.uri, self.states.after.uri);
        if before.is_empty() || after.is_empty() {
            return None;
        }
        let tables = match self.states.scope {
            Scope::Whole => None,
            Scope::Changed(_) => Some(self.may_be_damaged(pairs)),
        };
        Some(Check { before: before.to_owned(), after: after.to_owned(), tables, time: self.states.time })
    }

    /// The tables of which a page differs, or one of an index, and those whose definition asks for more.
    fn may_be_damaged(&self, pairs: &[Pair]) -> Vec<Suspect> {
        let names: BTreeMap<&String, &String> =
            pairs.iter().filter_map(|pair| pair.after.as_ref().zip(pair.before.as_ref())).collect();
        let old = |table: &Table| names.get(&table.name).and_then(|name| self.before.table(name));
        let differs = |table: &&Table| match table.kind {
            TableKind::Virtual(_) => self.content_differs(table),
            _ => self.differing.has(&table.name) || old(table).is_some_and(|old| asks_more(old, table)),
        };
        let suspect =
            |table: &Table| Suspect { before: old(table).map(|old| old.name.clone()), after: table.name.clone() };
        self.after.tables.values().filter(differs).map(suspect).collect()
    }

    /// Whether one of the tables in which a virtual table after keeps its content may differ.
    fn content_differs(&self, table: &Table) -> bool {
        shadows(self.after, &table.name).into_values().any(|kept| self.differing.has(&kept.name))
    }

    /// `checked` is what [`Self::check`] gave, where it gave something.
    pub(super) fn integrity(
        &mut self,
        pairs: &[Pair],
        tables: &[TableComparison],
        checked: Option<Checked>,
    ) -> Integrity {
        let (before, after) = (self.states.before.connection, self.states.after.connection);
        let checked = checked.unwrap_or_else(|| Checked {
            before: integrity::check(before, None),
            after: integrity::check(after, None),
        });
        let messages_after = self.messages(checked.after, When::After);
        let messages_before = self.messages(checked.before, When::Before);
        let (violations_before, violations_after) = self.violations(tables);
        Integrity {
            broken_checks: self.broken_checks(tables, &messages_after),
            out_of_sync: self.out_of_sync(pairs),
            violations_before,
            violations_after,
            before: without_external_content(messages_before, self.before),
            after: without_external_content(messages_after, self.after),
        }
    }

    fn messages(&mut self, checked: Result<Vec<String>>, when: When) -> Vec<String> {
        let why = format!("cannot run {}", self.words(when));
        checked.map_err(|error| self.not_compared("integrity_check", &why, &error)).unwrap_or_default()
    }

    /// The rows behind the messages of `integrity_check` about CHECKs, counted. Where there may be more messages than were asked
    /// for, those of every table.
    fn broken_checks(&mut self, compared: &[TableComparison], messages: &[String]) -> Vec<BrokenChecks> {
        let named: BTreeSet<&str> = messages
            .iter()
            .filter_map(|message| match Complaint::of(message) {
                Complaint::Check(table) => Some(table),
                _ => None,
            })
            .collect();
        let all = integrity::is_cut(messages);
        let tables = self.after.tables.values().filter(|table| all || named.contains(table.name.as_str()));
        let mut broken = Vec::new();
        for table in tables {
            let compared = compared.iter().find(|compared| compared.pair.after.as_ref() == Some(&table.name));
            let old = compared.and_then(|compared| self.before.table(compared.pair.before.as_ref()?));
            let counted = integrity::breaking_check(self.states.after.connection, table).and_then(|after| {
                let before =
                    old.map(|old| integrity::breaking_check(self.states.before.connection, old)).transpose()?;
                Ok((after, before.unwrap_or_default()))
            });
            match counted {
                Ok((after, before)) => {
                    let same_rows = compared.is_some_and(|compared| {
                        let is_counted_alike = old.is_some_and(|old| old.checks == table.checks);
                        matches!(compared.pair.change, Change::Same | Change::Renamed)
                            && !(is_counted_alike && compared.only_moved())
                    });
                    let new = after.new_since(&before, same_rows);
                    broken.push(BrokenChecks { table: table.name.clone(), rows: after.rows, new });
                }
                Err(error) => self.not_compared(&table.name, "its CHECKs cannot be evaluated", &error),
            }
        }
        broken.retain(|broken| broken.rows > 0);
        broken
    }

    /// The full-text tables that index another table, and do not match it after a run. What was so before is told apart.
    fn out_of_sync(&mut self, pairs: &[Pair]) -> Vec<OutOfSync> {
        let mut found = Vec::new();
        let after_a_run = self.execution.is_some();
        for table in self.after.tables.values().filter(|_| after_a_run) {
            let (Some(content), TableKind::Virtual(module)) = (&table.content, &table.kind) else { continue };
            let pair = pairs.iter().find(|pair| pair.after.as_ref() == Some(&table.name));
            let old = pair.and_then(|pair| pair.before.as_ref()).and_then(|name| self.before.table(name));
            let keeps_content = [self.before, self.after].iter().all(|schema| schema.table(content).is_some());
            let is_concerned = !keeps_content || self.differing.has(content) || self.content_differs(table);
            if !self.states.is_whole() && old.is_some() && !is_concerned {
                continue;
            }
            let after = integrity::is_in_sync(self.states.after.connection, table);
            if matches!(after, Ok(true)) {
                continue;
            }
            let before = old.map(|old| integrity::is_in_sync(self.states.before.connection, old));
            match (after, before) {
                // That it cannot be checked any more, because the table with the rows is gone, is no match either.
                (Err(error), Some(Err(_)) | None) => {
                    self.not_compared(&table.name, "its full-text index cannot be checked", &error);
                }
                (_, before) => found.push(OutOfSync {
                    table: table.name.clone(),
                    content: content.clone(),
                    module: module.clone(),
                    before: matches!(before, Some(Ok(false) | Err(_))),
                }),
            }
        }
        found
    }

    /// Of each table that has foreign keys, before and after; where only what changed is checked, of those in which rows may lead
    /// nowhere that did not before. What could not be checked before is not complained of again after.
    fn violations(&mut self, tables: &[TableComparison]) -> (Violations, Violations) {
        let mut found = [Violations::new(), Violations::new()];
        let known = Known {
            before: tables.iter().filter_map(|table| Some((lower(table.pair.before.as_ref()?), table))).collect(),
            after: tables.iter().filter_map(|table| Some((lower(table.pair.after.as_ref()?), table))).collect(),
            indexes: Indexes::of(self.before),
        };
        let sides = [
            (self.before, self.states.before.connection, When::Before),
            (self.after, self.states.after.connection, When::After),
        ];
        for (violations, (schema, connection, when)) in found.iter_mut().zip(sides) {
            for child in schema.tables.values().filter(|table| !table.foreign_keys.is_empty()) {
                if !self.states.is_whole() && self.keeps_its_parents(child, when, &known) {
                    continue;
                }
                match integrity::violations(connection, &child.name) {
                    Ok(found) => violations.extend(found),
                    Err(error) => {
                        let what = format!("{}: foreign_key_check", child.name);
                        if !self.not_compared.iter().any(|missing| missing.what == what) {
                            self.not_compared(&what, &format!("cannot run {}", self.words(when)), &error);
                        }
                    }
                }
            }
        }
        let [before, after] = found;
        (before, after)
    }

    /// Whether no row of the child can have lost its parent: its references are those that were there, and so are the rows that
    /// they lead to.
    fn keeps_its_parents(&self, child: &Table, when: When, known: &Known<'_>) -> bool {
        let side = if when == When::Before { &known.before } else { &known.after };
        let Some(compared) = side.get(&lower(&child.name)) else { return false };
        let (Some(old), Some(new)) = self.pair(&compared.pair) else { return false };
        let keeps = |key: &ForeignKey| {
            let parent = known.before.get(&lower(&key.parent));
            let Some(parent) = parent.filter(|parent| parent.pair.before == parent.pair.after) else { return false };
            let referred = if key.parent_columns.is_empty() {
                self.before.table(&key.parent).map(|table| table.primary_key.as_slice()).unwrap_or_default()
            } else {
                &key.parent_columns
            };
            let is_complete = parent.rows.as_ref().is_some_and(|rows| rows.lost == 0);
            is_complete
                && !referred.is_empty()
                && stay(parent, referred)
                && self.refers_alike(parent, referred, &known.indexes)
        };
        let has_no_new_rows = compared.rows.as_ref().is_some_and(|rows| rows.gained == 0);
        has_no_new_rows
            && old.foreign_keys == new.foreign_keys
            && new.foreign_keys.iter().all(|key| stay(compared, &key.columns) && keeps(key))
    }

    /// Whether a reference to these columns of the parent finds a row where it found one: they are called and compared as they
    /// were, and every unique key that there was is still there.
    fn refers_alike(&self, parent: &TableComparison, referred: &[String], indexes: &Indexes<'_>) -> bool {
        let (Some(old), Some(new)) = self.pair(&parent.pair) else { return false };
        let is_compared_alike = |name: &String| {
            let keeps_its_name =
                parent.column_before(name).is_some_and(|column| column.before.eq_ignore_ascii_case(&column.after));
            let both = old.column(name).zip(new.column(name));
            keeps_its_name
                && both.is_some_and(|(old, new)| {
                    (&old.declared_type, &old.collation) == (&new.declared_type, &new.collation)
                })
        };
        let keeps_unique = old
            .uniques
            .iter()
            .all(|old| new.uniques.iter().any(|new| (old.constraint, &old.columns) == (new.constraint, &new.columns)));
        let is_kept = |index: &&Object| self.after.indexes.get(&lower(&index.name)) == Some(*index);
        let keeps_indexes = indexes.of_table(&old.name).iter().all(is_kept);
        (old.strict, &old.primary_key) == (new.strict, &new.primary_key)
            && keeps_unique
            && keeps_indexes
            && referred.iter().all(is_compared_alike)
    }
}

/// What is looked up for each table with foreign keys.
struct Known<'a> {
    /// By the name before, in lower case.
    before: BTreeMap<String, &'a TableComparison>,
    /// By the name after, in lower case.
    after: BTreeMap<String, &'a TableComparison>,
    /// Those before.
    indexes: Indexes<'a>,
}

/// The indexes of each table, by its name in lower case.
struct Indexes<'a>(BTreeMap<String, Vec<&'a Object>>);

impl<'a> Indexes<'a> {
    fn of(schema: &'a Schema) -> Self {
        let mut indexes: BTreeMap<String, Vec<&Object>> = BTreeMap::new();
        for index in schema.indexes.values() {
            indexes.entry(lower(&index.table)).or_default().push(index);
        }
        Self(indexes)
    }

    fn of_table(&self, table: &str) -> &[&'a Object] {
        self.0.get(&lower(table)).map(Vec::as_slice).unwrap_or_default()
    }
}

fn lower(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// Whether rows that were right before may break what the definition says now.
fn asks_more(old: &Table, new: &Table) -> bool {
    let of_column = |column: &Column| {
        old.column(&column.name).is_some_and(|old| {
            column.not_null && !old.not_null || new.strict && column.declared_type != old.declared_type
        })
    };
    new.checks.iter().any(|check| !old.checks.contains(check))
        || new.strict && !old.strict
        || new.columns.iter().any(of_column)
}

/// Whether the values of these columns are what they were, in every row that is on both sides.
fn stay(compared: &TableComparison, columns: &[String]) -> bool {
    columns.iter().all(|column| compared.column_before(column).is_some_and(|column| column.changed == 0))
}

/// FTS4 checks its index against the table that it indexes here too; [`Integrity::out_of_sync`] tells that.
fn without_external_content(mut messages: Vec<String>, schema: &Schema) -> Vec<String> {
    let is_external = |table: &str| schema.table(table).is_some_and(|table| table.content.is_some());
    messages.retain(|message| !matches!(Complaint::of(message), Complaint::FullText(table) if is_external(table)));
    messages
}
