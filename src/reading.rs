//! What can be said of databases without running anything: in what two differ, and what one holds.

use std::path::Path;

use crate::compare::{Comparison, File};
use crate::error::{Doing, Error};
use crate::observer::{Observer, Stage};
use crate::profile::of_table;
use crate::report::diff::Diff;
use crate::report::file;
use crate::report::profile::Profile;
use crate::schema::Schema;
use crate::snapshot::{Snapshot, Workspace};

/// Compares two databases: the schema, every table, every row. Tables and columns are the same where they have the same name.
/// `workspace` is where the private copies are kept; the system's temporary folder where it is none.
///
/// # Errors
/// When one of them cannot be read. What could not be compared in them is listed in the document.
pub fn diff(before: &Path, after: &Path, workspace: Option<&Path>, observer: &dyn Observer) -> Result<Diff, Error> {
    let workspace = Workspace::create(workspace)?;
    let before = Snapshot::open(before, &workspace, observer)?;
    let after = Snapshot::open(after, &workspace, observer)?;
    let comparison = Comparison::of_files(
        File { connection: &before.connect()?, encoding: before.facts().encoding },
        File { connection: &after.connect()?, encoding: after.facts().encoding },
        observer,
    )?;
    Ok(Diff::of(described(&before)?, described(&after)?, &comparison))
}

/// Reads every row of a database and says what each table and column holds, in numbers.
///
/// # Errors
/// When it cannot be read. A table that cannot be read is listed in the document.
pub fn profile(file: &Path, workspace: Option<&Path>, observer: &dyn Observer) -> Result<Profile, Error> {
    let workspace = Workspace::create(workspace)?;
    let snapshot = Snapshot::open(file, &workspace, observer)?;
    let connection = snapshot.connect()?;
    let schema = Schema::read(&connection).doing(|| format!("reading the schema of `{}`", file.display()))?;
    let tables: Vec<_> = schema.tables.values().filter(|table| table.is_user_table()).collect();
    observer.begin(&Stage::Compare, Some(tables.len() as u64));
    let mut profiles = Vec::with_capacity(tables.len());
    for table in &tables {
        profiles.push(of_table(&connection, table).map_err(|error| error.to_string()));
        observer.advance(&Stage::Compare, profiles.len() as u64);
    }
    observer.end(&Stage::Compare);
    let mut document = Profile::new(described(&snapshot)?, &schema);
    for (table, profile) in tables.into_iter().zip(profiles) {
        document.add(table, profile);
    }
    Ok(document)
}

fn described(snapshot: &Snapshot) -> Result<file::File, Error> {
    Ok(file::File::of(snapshot.facts(), &snapshot.check_untouched()?))
}
