//! The migration tools, one file each. A new tool is a file with a [`Tool`] record and a line in [`TOOLS`].

pub mod atlas;
pub mod d1;
pub mod dbmate;
pub mod diesel;
pub mod drizzle;
pub mod geni;
mod go;
pub mod golang_migrate;
pub mod goose;
mod javascript;
pub mod prisma;
pub mod refinery;
pub mod rusqlite_migration;
pub mod sql;
pub mod sql_migrate;
pub mod sqlx;

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension};

use super::Located;
use super::migration::Migration;
use super::plan::{Decision, Plan};
use super::project::Project;
use crate::error::{Doing, Error};
use crate::schema::lexer::{quote_identifier as identifier, quote_text as text_literal};

/// Every tool, in the order in which a folder's layout is tried.
pub const TOOLS: &[&Tool] = &[
    &drizzle::TOOL,
    &prisma::TOOL,
    &d1::TOOL,
    &sqlx::TOOL,
    &diesel::TOOL,
    &refinery::TOOL,
    &rusqlite_migration::TOOL,
    &geni::TOOL,
    &goose::TOOL,
    &dbmate::TOOL,
    &golang_migrate::TOOL,
    &sql_migrate::TOOL,
    &atlas::TOOL,
    &sql::TOOL,
];

/// What a migration tool looks for and how it plans.
pub struct Tool {
    /// Its name, for `--tool` and reports.
    pub name: &'static str,
    /// What it looks for in a migrations folder, as words for a message.
    pub looks_for: &'static str,
    /// The folders that the project's files name, each with its evidence.
    pub folders: FindFolders,
    /// What speaks for the tool in a folder.
    pub recognises: fn(folder: &Path, project: &Project) -> Option<Evidence>,
    /// Which of its layouts holds; refuses a folder that is not for SQLite.
    pub layout: fn(folder: &Path, project: &Project, decisions: &mut Vec<Decision>) -> Result<&'static str, Error>,
    /// The address of the database that the tool itself opens, where a file of the project has it, and where. What it says of foreign
    /// keys holds.
    pub address: ReadSetting,
    /// The ledger where nothing names one, by layout.
    pub ledger: fn(layout: &str) -> &'static str,
    /// Whether a table of this name is there and is the tool's ledger, going by its columns: names collide.
    pub records_in: fn(before: &Connection, table: &str) -> Result<bool, Error>,
    /// The ledger's table that the project names, and where; none for a tool whose ledger has no name to choose.
    pub config_table: Option<ReadSetting>,
    /// The columns of a ledger with a name that was chosen, for each kind of ledger that versions of the tool make, in lower case.
    pub config_columns: &'static [&'static [&'static str]],
    /// Compares the folder with the ledger.
    pub plan: fn(located: &Located, before: &Connection) -> Result<Plan, Error>,
}

/// Finds the folders that a project's files name, each with its evidence.
pub type FindFolders = fn(project: &Project) -> Result<Vec<(PathBuf, String)>, Error>;

/// What to do where the folder is not known.
pub(super) const GIVE_FOLDER: &str = "say which folder it is: `--migrations DIR`";

/// How much speaks for a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    /// The tool could read the folder; only its ledger in the snapshot, or `--tool`, makes it the one.
    Possible,
    /// It is taken where nothing else is found.
    Fallback,
    /// The folder has a layout that no other tool has.
    Layout,
    /// A file of the project names the tool, or its folder.
    Named,
}

/// What speaks for a tool.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// How much it says.
    pub strength: Strength,
    /// The evidence, as a clause.
    pub why: String,
}

/// Reads a setting from a project, with the evidence.
pub type ReadSetting = fn(project: &Project) -> Result<Option<(String, String)>, Error>;

impl fmt::Debug for Tool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tool").field("name", &self.name).finish_non_exhaustive()
    }
}

/// The tool with this name.
///
/// # Errors
/// When there is none; the error lists the names that there are.
pub fn named(name: &str) -> Result<&'static Tool, Error> {
    TOOLS.iter().find(|tool| tool.name == name).copied().ok_or_else(|| {
        let names: Vec<_> = TOOLS.iter().map(|tool| format!("`{}`", tool.name)).collect();
        Error::usage("reading `--tool`", format!("there is no tool `{name}`"))
            .hint(format!("the tools are {}", names.join(", ")))
    })
}

/// The text as each tool that cuts files in a way of its own cuts it, by the tool's name.
pub(crate) fn cut_by_each(sql: &str) -> Vec<(&'static str, Migration)> {
    let named = |name| move |migration| (name, migration);
    let cut_at = |separator| Migration::cut(String::new(), PathBuf::new(), sql.to_owned(), separator);
    let mut cut = vec![("sql", cut_at(None)), ("drizzle", cut_at(Some(drizzle::BREAKPOINT)))];
    cut.extend(d1::cut(sql).map(named("d1")));
    cut.extend(goose::cut(sql).into_iter().map(named("goose")));
    cut.extend(dbmate::cut(sql).into_iter().map(named("dbmate")));
    cut.extend(sql_migrate::cut(sql).into_iter().map(named("sql-migrate")));
    cut.extend(atlas::cut(sql).map(named("atlas")));
    cut
}

/// Refuses a table whose columns are not those of the tool's ledger: its rows would be told as names of migrations, and what happens to
/// it would be taken for bookkeeping. A table that is not there is made by the tool.
pub(super) fn check_named_ledger(tool: &Tool, table: &str, why: &str, before: &Connection) -> Result<(), Error> {
    let found = columns(before, table)?;
    let is_ledger = |columns: &&[&str]| {
        columns.len() == found.len() && found.iter().all(|column| columns.contains(&column.as_str()))
    };
    if found.is_empty() || tool.config_columns.iter().any(is_ledger) {
        return Ok(());
    }
    let expected: Vec<String> = tool.config_columns.iter().map(|columns| columns.join(", ")).collect();
    let cause = format!("`{table}` has other columns than a ledger of {} ({why})", tool.name);
    let hint = format!("name a table with the columns {}, or one that is not there yet", expected.join(" or "));
    Err(Error::usage("finding the ledger's table", cause).hint(hint))
}

/// For a tool that takes the database from no file of the project.
const NO_ADDRESS: ReadSetting = |_| Ok(None);

/// What the address of a database says of foreign keys, in the words of the drivers of Go.
#[must_use]
pub fn foreign_keys_of(address: &str) -> Option<bool> {
    const OPTIONS: [&str; 5] =
        ["_fk=", "_foreign_keys=", "_pragma=foreign_keys(", "_pragma=foreign_keys%3d", "_pragma=foreign_keys="];
    let lower = address.to_ascii_lowercase();
    let value = OPTIONS.iter().find_map(|option| lower.split_once(option).map(|(_, value)| value))?;
    Some(["1", "on", "true", "yes"].iter().any(|on| value.starts_with(on)))
}

/// The entries of a folder, by name in the order of their bytes.
fn entries(folder: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let doing = || format!("reading the migrations folder `{}`", super::shown(folder));
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder).doing(doing)? {
        let entry = entry.doing(doing)?;
        entries.push((entry.file_name().to_string_lossy().into_owned(), folder.join(entry.file_name())));
    }
    entries.sort();
    Ok(entries)
}

/// Whether the database has a table with this name; SQLite's names do not tell upper case from lower case.
pub(super) fn has_table(before: &Connection, name: &str) -> Result<bool, Error> {
    before
        .query_row("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE", [name], |_| Ok(()))
        .optional()
        .map(|found| found.is_some())
        .doing(|| format!("looking for the table `{name}` in the snapshot"))
}

/// The names of a table's columns in lower case, in their order; none where there is no such table.
pub(crate) fn columns(before: &Connection, table: &str) -> Result<Vec<String>, Error> {
    let doing = || format!("reading the columns of `{table}`");
    let mut select = before.prepare("SELECT lower(name) FROM pragma_table_xinfo(?1) ORDER BY cid").doing(doing)?;
    let names = select.query_map([table], |row| row.get(0)).doing(doing)?;
    names.collect::<rusqlite::Result<_>>().doing(doing)
}
