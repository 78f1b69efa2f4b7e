//! What can be said of databases without running anything: in what two differ, and what one holds.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use crate::compare::samples::Sampling;
use crate::compare::{Comparison, MAX_MEMORY, Scope, State, States};
use crate::error::{Doing, Error};
use crate::observer::Observer;
use crate::profile::of_tables;
use crate::report::diff::Diff;
use crate::report::file;
use crate::report::profile::Profile;
use crate::schema::Schema;
use crate::schema::message::without_value;
use crate::snapshot::{self, Bounds, Extent, Snapshot, Source, Workspace};
use crate::sqlite_file::page_set::PageSet;

/// How databases are read.
#[derive(Debug, Clone)]
pub struct Reading {
    /// Where private copies are kept, where they are needed; the system's temporary folder where it is not given.
    pub workspace: Option<PathBuf>,
    /// How much is looked at of what does not differ.
    pub extent: Extent,
    /// The bytes that comparing may take in memory.
    pub max_memory: u64,
    /// How long one statement that reads may take.
    pub time: Duration,
    /// Whether private copies are overwritten before they are removed.
    pub shred: bool,
}

impl Default for Reading {
    fn default() -> Self {
        let Bounds { time, .. } = Bounds::default();
        Self { workspace: None, extent: Extent::BySize, max_memory: MAX_MEMORY, time, shred: false }
    }
}

/// Compares two databases: the schema, every table, every row. Tables and columns are the same where they have the same name.
///
/// # Errors
/// When one of them cannot be read. What could not be compared in them is listed in the document.
pub fn diff(before: &Source, after: &Source, reading: &Reading, observer: &dyn Observer) -> Result<Diff, Error> {
    let workspace = Workspace::create_with(reading.workspace.as_deref(), reading.shred)?;
    let fetch = |source: &Source| source.fetch(&workspace, reading.extent, observer);
    let (before, after) = (fetch(before)?, fetch(after)?);
    let open = |given, how| Snapshot::open(given, &workspace, how, reading.extent, observer);
    snapshot::unchanged(
        |how| open(&before, how),
        |before| {
            let compare = |after: &Snapshot| compared(before, after, NO_LEDGER, reading, observer);
            snapshot::unchanged(|how| open(&after, how), compare, observer)
        },
        observer,
    )
}

fn compared(
    before: &Snapshot,
    after: &Snapshot,
    ledger: &str,
    reading: &Reading,
    observer: &dyn Observer,
) -> Result<Diff, Error> {
    let changed =
        PageSet::differing(before.pages(), after.pages(), observer).doing(|| "comparing the files".to_owned())?;
    let connections = (before.connect()?, after.connect()?);
    let uris = (before.uri(), after.uri());
    let none = BTreeSet::new();
    let is_whole = before.is_read_whole(reading.extent) && after.is_read_whole(reading.extent);
    let states = States {
        before: State::of(before, &connections.0, &uris.0),
        after: State::of(after, &connections.1, &uris.1),
        changed: changed.as_ref(),
        ledger,
        sampling: Sampling::None,
        scope: if is_whole { Scope::Whole } else { Scope::Changed(&none) },
        memory: reading.max_memory,
        time: reading.time,
    };
    let comparison = Comparison::of_files(states, observer)?;
    Ok(Diff::of(described(before, observer)?, described(after, observer)?, &comparison))
}

/// How two databases differ but for a ledger.
pub(crate) fn difference(
    one: &Snapshot,
    other: &Snapshot,
    ledger: &str,
    reading: &Reading,
    observer: &dyn Observer,
) -> Result<Diff, Error> {
    let ledger = if ledger.is_empty() { NO_LEDGER } else { ledger };
    compared(one, other, ledger, reading, observer)
}

/// No table of the user can have this name.
const NO_LEDGER: &str = "sqlite_schema";

/// Reads every row of a database and says what each table and column holds, in numbers.
///
/// # Errors
/// When it cannot be read. A table that cannot be read is listed in the document.
pub fn profile(file: &Source, reading: &Reading, observer: &dyn Observer) -> Result<Profile, Error> {
    let workspace = Workspace::create_with(reading.workspace.as_deref(), reading.shred)?;
    let given = file.fetch(&workspace, reading.extent, observer)?;
    let open = |how| Snapshot::open(&given, &workspace, how, reading.extent, observer);
    let read = |snapshot: &Snapshot| {
        let connection = snapshot.connect()?;
        let schema =
            Schema::read(&connection).doing(|| format!("reading the schema of `{}`", file.name().display()))?;
        let tables: Vec<_> = schema.tables.values().filter(|table| table.is_user_table()).collect();
        let profiles = of_tables(&connection, snapshot.pages(), &tables, observer);
        let mut document = Profile::new(described(snapshot, observer)?, &schema);
        for (table, profile) in tables.into_iter().zip(profiles) {
            document.add(table, profile.map_err(|error| without_value(&error.to_string())));
        }
        Ok(document)
    };
    snapshot::unchanged(open, read, observer)
}

fn described(snapshot: &Snapshot, observer: &dyn Observer) -> Result<file::File, Error> {
    Ok(file::File::of(snapshot.facts(), &snapshot.check_untouched(observer)?))
}
