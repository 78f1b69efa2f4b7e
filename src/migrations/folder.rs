//! Decides the migrations folder and the tool from what was given and what the project holds.

use std::path::{Path, PathBuf};

use super::plan::Decision;
use super::project::{DrizzleConfig, Project, Setting};
use super::tools::{TOOLS, Tool, drizzle};
use super::{Request, shown};
use crate::error::Error;

/// Folders that are looked at, below the project, when nothing names one.
const USUAL: &[&str] = &[
    "drizzle",
    "migrations",
    "drizzle/migrations",
    "migrations/drizzle",
    "db/migrations",
    "db/drizzle",
    "database/migrations",
    "src/drizzle",
    "src/drizzle/migrations",
    "src/migrations",
    "src/db/migrations",
    "src/db/drizzle",
    "src/database/migrations",
    "src/lib/db/migrations",
    "src/lib/server/db/migrations",
    "src/server/db/migrations",
    "lib/db/migrations",
    "server/db/migrations",
    "server/database/migrations",
    "app/db/migrations",
    "app/drizzle",
];

const GIVE_FOLDER: &str = "say which folder it is: `--migrations DIR`";

/// The migrations folder: given, or named by the project, or a usual one.
pub(super) fn decide(
    request: &Request,
    asked: Option<&Tool>,
    project: &mut Project,
    decisions: &mut Vec<Decision>,
) -> Result<PathBuf, Error> {
    let (folder, why) = match &request.folder {
        Some(folder) => {
            project.config = config_with_out(project, folder);
            (folder.clone(), "`--migrations`".into())
        }
        None if asked.is_none_or(|tool| tool.found_unasked) => match configured(project)? {
            Some(found) => found,
            None => usual(project, asked)?,
        },
        None => usual(project, asked)?,
    };
    must_be_folder(&folder)?;
    decisions.push(Decision { what: "migrations", value: shown(&folder), why });
    Ok(folder)
}

/// The tool: asked for, or drizzle where its configuration names the folder, or the one whose layout the folder has.
pub(super) fn tool(
    asked: Option<&'static Tool>,
    folder: &Path,
    project: &Project,
    decisions: &mut Vec<Decision>,
) -> Result<&'static Tool, Error> {
    let (tool, why) = if let Some(tool) = asked {
        (tool, "`--tool`".to_owned())
    } else if let Some(config) = project.config.as_ref().filter(|config| config.names(folder)) {
        (&drizzle::TOOL, format!("{} names the folder", shown(&config.file)))
    } else if let Some(found) = TOOLS.iter().find_map(|tool| Some((*tool, (tool.recognises)(folder)?))) {
        found
    } else {
        let doing = format!("reading the migrations folder `{}`", shown(folder));
        return Err(Error::usage(doing, no_layout(folder)).hint(GIVE_FOLDER));
    };
    decisions.push(Decision { what: "tool", value: tool.name.into(), why });
    Ok(tool)
}

fn no_layout(folder: &Path) -> String {
    if is_empty(folder) {
        return "it is empty".into();
    }
    let looked: Vec<_> = TOOLS.iter().map(|tool| format!("{} ({})", tool.looks_for, tool.name)).collect();
    format!("it holds nothing that a tool looks for: {}", looked.join(", "))
}

/// The configuration that belongs to a folder that was given: the one that names it, else the only one.
fn config_with_out(project: &Project, folder: &Path) -> Option<DrizzleConfig> {
    let named = project.configs.iter().find(|config| config.names(folder));
    named.or(if project.configs.len() == 1 { project.configs.first() } else { None }).cloned()
}

/// What `drizzle.config.*` says, or the `migrationsFolder` of a call of `migrate()`.
fn configured(project: &mut Project) -> Result<Option<(PathBuf, String)>, Error> {
    if let Some(config) = agreed_config(project)? {
        let file = shown(&config.file);
        let found = match &config.out {
            Setting::Text(_) => (config.out_folder(), format!("`out` in {file}")),
            Setting::Absent => (config.out_folder(), format!("default of `out`, which {file} does not set")),
            Setting::Computed { line } => {
                return Err(Error::usage(
                    "finding the migrations folder",
                    format!("`out` in {file}:{line} is computed, and no JavaScript is run"),
                )
                .hint(GIVE_FOLDER));
            }
        };
        project.config = Some(config);
        return Ok(Some(found));
    }
    let called = project.migrate_folders.iter().find(|call| project.root.join(&call.value).is_dir());
    Ok(called.map(|call| {
        (project.root.join(&call.value), format!("`migrationsFolder` in {}:{}", shown(&call.file), call.line))
    }))
}

/// The one configuration, or the first of several that say the same.
fn agreed_config(project: &Project) -> Result<Option<DrizzleConfig>, Error> {
    let Some(first) = project.configs.first() else { return Ok(None) };
    if project.configs.iter().all(|other| other.agrees_with(first)) {
        return Ok(Some(first.clone()));
    }
    let names: Vec<_> = project.configs.iter().map(|config| format!("`{}`", shown(&config.file))).collect();
    Err(Error::usage(
        "finding the migrations folder",
        format!("{} disagree about `out` or `migrations.table`", names.join(" and ")),
    )
    .hint(GIVE_FOLDER))
}

/// The usual folder that holds the layout of a tool.
fn usual(project: &Project, asked: Option<&Tool>) -> Result<(PathBuf, String), Error> {
    let wanted = |tool: &&&Tool| asked.map_or(tool.found_unasked, |asked| asked.name == tool.name);
    let holds = |folder: &PathBuf| TOOLS.iter().filter(wanted).find_map(|tool| (tool.recognises)(folder));
    let folders = USUAL.iter().map(|name| project.root.join(name));
    let mut found: Vec<_> = folders.filter_map(|folder| holds(&folder).map(|why| (folder, why))).collect();
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(nothing_found(project)),
        _ => {
            let names: Vec<_> = found.iter().map(|(folder, _)| format!("`{}`", shown(folder))).collect();
            Err(Error::usage("finding the migrations folder", format!("there are several: {}", names.join(", ")))
                .hint(GIVE_FOLDER))
        }
    }
}

fn nothing_found(project: &Project) -> Error {
    let cause = format!(
        "in `{}` there is no drizzle.config.* for SQLite and no usual folder (`drizzle`, `migrations`, \
         `src/db/migrations`, …) with meta/_journal.json or with folders that hold migration.sql",
        shown(&project.root)
    );
    let hint = "for a plain folder of .sql files give it too: `--migrations DIR`";
    Error::usage("finding the migrations folder", cause).hint(GIVE_FOLDER).hint(hint)
}

fn must_be_folder(folder: &Path) -> Result<(), Error> {
    let doing = || format!("reading the migrations folder `{}`", shown(folder));
    match std::fs::metadata(folder) {
        Ok(found) if !found.is_dir() => Err(Error::usage(doing(), "it is a file, not a folder").hint(GIVE_FOLDER)),
        Ok(_) => std::fs::read_dir(folder).map(|_| ()).map_err(|cause| Error::usage(doing(), cause)),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::usage(doing(), "there is no such folder").hint(GIVE_FOLDER))
        }
        Err(cause) => Err(Error::usage(doing(), cause)),
    }
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none())
}
