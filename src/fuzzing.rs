//! What the fuzz targets (`fuzz/`) reach and no caller needs: readers of texts that are else read from files. Not a part of the
//! interface.

use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

use crate::config::Config;
use crate::error::Error;
use crate::expectations::scenario::Scenario;
use crate::migrations::{Migration, project, tools};
use crate::queries::{self, Queries};
use crate::snapshot::{self, source};

/// The text as each tool that cuts files in a way of its own cuts it, by the tool's name.
#[must_use]
pub fn migrations(sql: &str) -> Vec<(&'static str, Migration)> {
    tools::cut_by_each(sql)
}

/// The statements of a dump that is read from a stream, and the lines on which they begin.
///
/// # Errors
/// When it cannot be read or holds a NUL.
pub fn dump(from: impl Read) -> io::Result<Vec<(Vec<u8>, u64)>> {
    source::statements_of(from)
}

/// The app's queries in a text that would be in a file of this name.
///
/// # Errors
/// When it is none.
pub fn queries(file: &str, text: &str) -> Result<Queries, Error> {
    queries::of_text(Path::new(file), text)
}

/// The super-journal that a rollback journal names, and where in the journal that stands.
///
/// # Errors
/// When the journal cannot be read.
pub fn super_journal(journal: &mut (impl Read + Seek)) -> io::Result<Option<(u64, PathBuf)>> {
    snapshot::super_journal_in(journal)
}

/// The names and times in drizzle's `_journal.json`.
///
/// # Errors
/// When it is none.
pub fn drizzle_journal(text: &str) -> Result<Vec<(String, f64)>, Error> {
    tools::drizzle::journal(text)
}

/// Reads the texts of a project's configuration that have readers of their own: scripts and `dbconfig.yml`.
pub fn project_files(text: &str) {
    project::read_script(text);
    tools::sql_migrate::read_environments(text);
}

/// Reads `rehearse.yaml`.
///
/// # Errors
/// When the text is none.
pub fn config(text: &str) -> Result<Config, Error> {
    Config::parse(text, Path::new("rehearse.yaml"))
}

/// Reads a scenario.
///
/// # Errors
/// When the text is none.
pub fn scenario(text: &str) -> Result<Scenario, Error> {
    Scenario::parse(text, Path::new("scenario.yaml"))
}
