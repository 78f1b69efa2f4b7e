//! Which migrations there are, and which of them will run: found minus applied, by the rule of the project's own tool.
//!
//! [`search`] looks at the project's files, [`locate`] decides with the ledger of the snapshot what the person did not say: the
//! tool, the folder, the ledger. [`plan`] compares what was found with the ledger. The snapshot is only read, and nothing of the
//! project is run.

pub mod directive;
pub mod migration;
pub mod plan;
pub mod project;
pub mod recipes;
mod search;
pub mod splitter;
pub mod statement;
pub mod tools;

use std::path::{Path, PathBuf};

use rusqlite::Connection;

pub use self::migration::{Chunk, Migration, Record};
pub use self::plan::{Decision, Entry, Ledger, Plan, Refusal, State};
pub use self::project::Project;
use self::search::Choice;
pub use self::search::{Search, search};
use self::tools::drizzle;
pub use self::tools::drizzle::code::CodeSchema;
pub use self::tools::{Strength, Tool};
use crate::error::Error;

/// What the person gave; everything else is found out.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `--migrations`: the migrations folder.
    pub folder: Option<PathBuf>,
    /// `--tool`: the name of one of [`tools::TOOLS`].
    pub tool: Option<String>,
    /// `--ledger-table`: the table in which the tool records what was applied.
    pub table: Option<String>,
    /// Where the search for the project begins; empty or `.` is the working directory.
    pub project: PathBuf,
}

/// The project's migrations, before the snapshot is looked at.
#[derive(Debug, Clone)]
pub struct Located {
    /// The tool whose rules hold.
    pub tool: &'static Tool,
    /// The tool's layout, for example `v0 (journal)`.
    pub layout: &'static str,
    /// The migrations folder, below the path that the person gave.
    pub folder: PathBuf,
    /// The ledger's table; `PRAGMA user_version` or empty where the tool has no table.
    pub table: String,
    /// Whether the address of the database that the tool opens turns foreign keys on or off; none where it says nothing.
    pub foreign_keys: Option<bool>,
    /// The evidence that the project's files give; it also decides the driver.
    pub project: Project,
    /// What was found out and why.
    pub decisions: Vec<Decision>,
}

/// Decides what the search left open, by the ledger of the snapshot. `before` is a read-only connection to its state.
///
/// The project is the nearest folder, from the given migrations folder or from `project` upwards, that holds a file of a package
/// manager or of a migration tool, or a `.git`.
///
/// # Errors
/// Where the folder, the tool or the ledger's table cannot be decided: each error names the option that decides it.
pub fn locate(search: &Search, before: &Connection) -> Result<Located, Error> {
    let Choice { tool, folder, decisions: chosen } = search.choose(before)?;
    let mut project = search.project.clone();
    project.settle_config(&folder);
    let mut decisions = std::mem::take(&mut project.notes);
    decisions.extend(chosen);
    let layout = (tool.layout)(&folder, &project, &mut decisions)?;
    let table = table(&search.request, tool, layout, &project, before, &mut decisions)?;
    let foreign_keys = foreign_keys(tool, &project, &mut decisions)?;
    Ok(Located { tool, layout, folder, table, foreign_keys, project, decisions })
}

/// Plans against the snapshot's ledger. `before` is a read-only connection to the snapshot's state.
///
/// # Errors
/// When a migration, a journal or the ledger cannot be read. A tool that would refuse to run is not an error: see
/// [`Plan::refusal`].
pub fn plan(located: &Located, before: &Connection) -> Result<Plan, Error> {
    (located.tool.plan)(located, before)
}

/// The schema that the project's code expects; none where its tool does not write that down.
///
/// # Errors
/// When what it wrote cannot be read.
pub fn code_schema(located: &Located) -> Result<Option<CodeSchema>, Error> {
    if located.tool.name == drizzle::TOOL.name { drizzle::code::schema(located) } else { Ok(None) }
}

fn foreign_keys(tool: &Tool, project: &Project, decisions: &mut Vec<Decision>) -> Result<Option<bool>, Error> {
    let Some((address, place)) = (tool.address)(project)? else { return Ok(None) };
    let on = tools::foreign_keys_of(&address);
    decisions.extend(on.map(|on| Decision {
        what: "foreign keys",
        value: if on { "on" } else { "off" }.into(),
        why: format!("the address of the database says so: {place}"),
    }));
    Ok(on)
}

/// The ledger's table: given, or in the configuration, or in a call of `migrate()`, or the tool's default.
fn table(
    request: &Request,
    tool: &Tool,
    layout: &str,
    project: &Project,
    before: &Connection,
    decisions: &mut Vec<Decision>,
) -> Result<String, Error> {
    let usual = (tool.ledger)(layout);
    let (table, why) = match &request.table {
        Some(_) if tool.config_table.is_none() => {
            return Err(Error::usage(
                "reading `--ledger-table`",
                format!("the tool `{}` has no such table", tool.name),
            ));
        }
        Some(table) => (table.clone(), "`--ledger-table`".into()),
        None => match tool.config_table.map(|read| read(project)).transpose()?.flatten() {
            Some(found) => found,
            None => (usual.into(), format!("default of {}", tool.name)),
        },
    };
    if !table.eq_ignore_ascii_case(usual) {
        tools::check_named_ledger(tool, &table, &why, before)?;
    }
    let value = if table.is_empty() { "none".into() } else { table.clone() };
    decisions.push(Decision { what: "ledger", value, why });
    Ok(table)
}

/// A path for messages: `./x` is `x`, and the empty path is `.`.
pub(crate) fn shown(path: &Path) -> String {
    let clean: PathBuf = path.components().filter(|part| *part != std::path::Component::CurDir).collect();
    if clean.as_os_str().is_empty() { ".".into() } else { clean.display().to_string() }
}
