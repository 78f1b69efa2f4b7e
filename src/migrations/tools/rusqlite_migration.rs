//! `rusqlite_migration`: `Migrations::from_directory` and `to_latest`, with `PRAGMA user_version` for its ledger.
//!
//! Source: `rusqlite_migration` 2.6.0, `loader.rs` and `lib.rs`; measured with it. Migrations that are written in Rust cannot be seen.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{Evidence, NO_ADDRESS, Tool, entries};
use crate::error::{Doing, Error};
use crate::migrations::migration::{Chunk, Migration};
use crate::migrations::plan::{Entry, Ledger, Plan, Refusal, State};
use crate::migrations::project::Project;
use crate::migrations::{Located, Strength, shown};

/// The record of this tool.
pub const TOOL: Tool = Tool {
    name: "rusqlite-migration",
    looks_for: "<number>-<name>/up.sql",
    folders: |_| Ok(Vec::new()),
    recognises,
    layout: |_, _, _| Ok("folders"),
    address: NO_ADDRESS,
    ledger: |_| "PRAGMA user_version",
    records_in: |_, _| Ok(false),
    config_table: None,
    config_columns: &[],
    plan,
};

fn recognises(folder: &Path, project: &Project) -> Option<Evidence> {
    let is_migration = |(_, path): &(String, PathBuf)| path.join("up.sql").is_file();
    let (name, path) = entries(folder).ok()?.into_iter().find(is_migration)?;
    let is_declared = project.crates.contains_key("rusqlite_migration");
    let is_diesel = !is_declared && ["diesel", "diesel_migrations"].iter().any(|one| project.crates.contains_key(*one));
    if is_diesel || !(is_declared || numbers(&name)) {
        return None;
    }
    Some(Evidence { strength: Strength::Layout, why: format!("{} is there", shown(&path.join("up.sql"))) })
}

/// Whether a folder's name begins with a number and a hyphen, and not with a date, as diesel's do.
pub(super) fn numbers(name: &str) -> bool {
    let mut parts = name.split('-');
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.next().is_some_and(is_number) && parts.next().is_some_and(|second| !is_number(second))
}

/// Puts the folders in order, or says why `from_directory` refuses them.
fn resolve(folder: &Path) -> Result<Result<Vec<Migration>, String>, Error> {
    let folders: Vec<_> = entries(folder)?.into_iter().filter(|(_, path)| path.is_dir()).collect();
    let mut places: Vec<Option<Migration>> = vec![None; folders.len()];
    for (name, path) in folders {
        let found = match read(&name, &path)? {
            Ok(migration) => number(&name).map(|number| (number, migration)),
            Err(refused) => Err(refused),
        };
        let (number, migration) = match found {
            Ok(found) => found,
            Err(refused) => return Ok(Err(refused)),
        };
        match places.get_mut(number - 1) {
            None => return Ok(Err("Migration ids must be consecutive numbers".into())),
            Some(Some(_)) => return Ok(Err(format!("Multiple migrations detected for migration id: {number}"))),
            Some(place) => *place = Some(migration),
        }
    }
    Ok(if places.is_empty() {
        Err("Directory does not contain any migration files".into())
    } else {
        Ok(places.into_iter().flatten().collect())
    })
}

fn number(name: &str) -> Result<usize, String> {
    let (digits, _) =
        name.split_once('-').ok_or_else(|| format!("Could not extract migration id from file name {name}"))?;
    match digits.parse() {
        Ok(0) => Err(format!("{name} has an incorrect migration id: migration id cannot be 0")),
        Ok(number) => Ok(number),
        Err(cause) => Err(format!("Could not parse migration id from file name {name} as usize: {cause}")),
    }
}

fn read(name: &str, path: &Path) -> Result<Result<Migration, String>, Error> {
    let Some(up) = script(name, path, "up.sql")? else {
        return Ok(Err(format!("Missing upward migration file for migration {name}")));
    };
    let down = script(name, path, "down.sql")?.transpose();
    Ok(up.and_then(|up| Ok(Migration { down: down?.map(Box::new), ..up })))
}

/// The script, where it is there; what the crate says where it is no text.
fn script(name: &str, path: &Path, file_name: &str) -> Result<Option<Result<Migration, String>>, Error> {
    let file = path.join(file_name);
    if !file.is_file() {
        return Ok(None);
    }
    let bytes = crate::files::read(&file).doing(|| format!("reading `{}`", shown(&file)))?;
    let text = String::from_utf8(bytes).map_err(|_| format!("Could not load contents from {name}/{file_name}"));
    Ok(Some(text.map(|sql| {
        let chunks = vec![Chunk::new(&sql, 1)];
        Migration::of(name.to_owned(), file, sql, chunks)
    })))
}

fn plan(located: &Located, before: &Connection) -> Result<Plan, Error> {
    let version: i64 = before
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .doing(|| "reading `PRAGMA user_version` of the snapshot".into())?;
    let (mut migrations, unresolved) = match resolve(&located.folder)? {
        Ok(migrations) => (migrations, None),
        Err(message) => (Vec::new(), Some(not_loaded(&message))),
    };
    let last = migrations.len();
    for (index, migration) in migrations.iter_mut().enumerate() {
        if let Some(down) = &mut migration.down {
            down.record.within = vec![format!("PRAGMA user_version = {index}")];
        }
        // The number is written once, behind the last script.
        if index + 1 == last {
            migration.record.within = vec![format!("PRAGMA user_version = {last}")];
        }
    }
    let is_applied = |index: usize| usize::try_from(version).is_ok_and(|version| index < version);
    let entry = |(index, migration)| Entry {
        migration,
        state: if is_applied(index) { State::Applied } else { State::Pending },
    };
    let entries: Vec<Entry> = migrations.into_iter().enumerate().map(entry).collect();
    Ok(Plan {
        tool: TOOL.name,
        layout: located.layout,
        folder: located.folder.clone(),
        ledger: Ledger {
            name: located.table.clone(),
            present: version != 0,
            rows: entries.iter().filter(|entry| entry.state == State::Applied).count() as u64,
        },
        entries,
        setup: Vec::new(),
        refusal: unresolved.or_else(|| out_of_range(version, last)),
        decisions: located.decisions.clone(),
    })
}

fn not_loaded(message: &str) -> Refusal {
    Refusal {
        message: format!("rusqlite error while loading migrations from directory: {message}"),
        help: "every folder is `<number>-<name>` with an up.sql, and the numbers go from 1 on without a gap".into(),
        after: 0,
    }
}

fn out_of_range(version: i64, last: usize) -> Option<Refusal> {
    let (message, help) = match usize::try_from(version) {
        Ok(version) if version <= last => return None,
        Ok(_) => (
            "rusqlite_migration error in migrations definition: Attempt to migrate a database with a migration number that \
             is too high",
            format!("`PRAGMA user_version` is {version}, and the folder has {last}: bring the newer migrations back"),
        ),
        Err(_) => (
            "rusqlite_migration error: invalid user version received",
            format!("`PRAGMA user_version` is {version}: something else than rusqlite_migration wrote it"),
        ),
    };
    Some(Refusal { message: message.into(), help, after: 0 })
}
