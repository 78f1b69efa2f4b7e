//! The document of `rehearse diff`: in what two databases differ. Field names are as stable as those of the report document, and
//! no row's value is in it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::assemble;
use super::document::{NotCompared, SCHEMA_VERSION, Schema, Table, TableChange, Tool};
use super::file::File;
use crate::compare::Comparison;

/// Two databases, before and after.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Diff {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What made this document.
    pub rehearse: Tool,
    /// The outcome in one word.
    pub verdict: Verdict,
    /// The first file.
    pub before: File,
    /// The second file.
    pub after: File,
    /// How much was looked at: `whole`, or `changed` where tables none of whose pages differ were neither counted nor checked.
    pub extent: String,
    /// Every table of either; the biggest loss first, then by name.
    pub tables: Vec<Table>,
    /// What differs in the schema.
    pub schema: Schema,
    /// AUTOINCREMENT keys that go on at different ids.
    pub counters: Vec<Counter>,
    /// References that lead nowhere.
    pub violations: Vec<Violations>,
    /// What `integrity_check` says.
    pub integrity: Integrity,
    /// Views and triggers that cannot be compiled on either side.
    pub broken: Vec<Broken>,
    /// What could not be compared, and why.
    pub not_compared: Vec<NotCompared>,
}

/// The outcome in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Everything was compared and nothing differs.
    Same,
    /// Something differs.
    Different,
    /// Nothing that was compared differs, but not everything was compared.
    Unknown,
}

/// An AUTOINCREMENT key: the highest id that it has given out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Counter {
    /// The table.
    pub table: String,
    /// Before.
    pub before: i64,
    /// After.
    pub after: i64,
}

/// Rows whose parent does not exist.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Violations {
    /// The table of the rows.
    pub table: String,
    /// The table in which their parent should be.
    pub parent: String,
    /// How many before.
    pub before: u64,
    /// How many after.
    pub after: u64,
}

/// Messages of `integrity_check`; empty where all is well.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Integrity {
    /// Before.
    pub before: Vec<String>,
    /// After.
    pub after: Vec<String>,
}

/// A view or trigger that cannot be compiled: what SQLite says, null on a side where it can or where it is not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Broken {
    /// Its name in lower case.
    pub name: String,
    /// Before.
    pub before: Option<String>,
    /// After.
    pub after: Option<String>,
}

impl Diff {
    /// Assembles the document.
    #[must_use]
    pub fn of(before: File, after: File, comparison: &Comparison) -> Self {
        let mut diff = Self {
            schema_version: SCHEMA_VERSION,
            rehearse: assemble::tool(),
            verdict: Verdict::Same,
            before,
            after,
            extent: assemble::extent(comparison),
            tables: assemble::tables(comparison),
            schema: assemble::schema(comparison),
            counters: counters(comparison),
            violations: violations(comparison),
            integrity: Integrity {
                before: comparison.integrity.before.clone(),
                after: comparison.integrity.after.clone(),
            },
            broken: broken(comparison),
            not_compared: assemble::not_compared(comparison),
        };
        diff.verdict = diff.judge();
        diff
    }

    /// 0 the same, 1 different, 4 not everything could be compared and the rest is the same.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Same => 0,
            Verdict::Different => 1,
            Verdict::Unknown => 4,
        }
    }

    fn judge(&self) -> Verdict {
        let (before, after) = (&self.before, &self.after);
        let differs = self.tables.iter().any(Table::differs)
            || !self.schema.changes.is_empty()
            || !self.schema.diff.is_empty()
            || !self.counters.is_empty()
            || self.violations.iter().any(|rows| rows.before != rows.after)
            || self.integrity.before != self.integrity.after
            || self.broken.iter().any(|object| object.before != object.after)
            || (before.user_version, before.application_id) != (after.user_version, after.application_id);
        match (differs, self.not_compared.is_empty()) {
            (true, _) => Verdict::Different,
            (false, true) => Verdict::Same,
            (false, false) => Verdict::Unknown,
        }
    }
}

impl Table {
    /// Whether anything differs in the table, as far as it could be compared.
    #[must_use]
    pub fn differs(&self) -> bool {
        let some = |rows: Option<u64>| rows.is_some_and(|rows| rows > 0);
        let rows = &self.rows;
        self.change != TableChange::Same
            || rows.before.is_some() && rows.after.is_some() && rows.before != rows.after
            || some(rows.lost)
            || some(rows.gained)
            || some(rows.changed)
    }
}

fn counters(comparison: &Comparison) -> Vec<Counter> {
    let tables = comparison.tables.iter().filter_map(|table| Some((table.name(), table.sequence?)));
    tables
        .filter(|(_, sequence)| sequence.before != sequence.after)
        .map(|(table, sequence)| Counter { table: table.to_owned(), before: sequence.before, after: sequence.after })
        .collect()
}

fn violations(comparison: &Comparison) -> Vec<Violations> {
    let (before, after) = (&comparison.integrity.violations_before, &comparison.integrity.violations_after);
    let places: BTreeSet<&(String, String)> = before.keys().chain(after.keys()).collect();
    let rows = |side: &crate::compare::integrity::Violations, place| side.get(place).map_or(0, |found| found.rows);
    places
        .into_iter()
        .map(|place| Violations {
            table: place.0.clone(),
            parent: place.1.clone(),
            before: rows(before, place),
            after: rows(after, place),
        })
        .collect()
}

fn broken(comparison: &Comparison) -> Vec<Broken> {
    let (before, after) = (&comparison.broken_before, &comparison.broken_after);
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    names
        .into_iter()
        .map(|name| Broken { name: name.clone(), before: before.get(name).cloned(), after: after.get(name).cloned() })
        .collect()
}
