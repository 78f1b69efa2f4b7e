//! drizzle-orm below 1.0: `meta/_journal.json` lists the migrations; what is newer than the ledger's newest row runs.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::{BREAKPOINT, Recorded, Row, applied, missing};
use crate::error::{Doing, Error};
use crate::files::read_text;
use crate::migrations::migration::Migration;
use crate::migrations::plan::{Decision, Entry, Plan, Refusal, State};
use crate::migrations::shown;
use crate::migrations::tools::{identifier, javascript, text_literal};

/// One line of the journal; the order of the lines is the order of application.
struct Line {
    tag: String,
    when: f64,
}

/// A line with its file.
struct Listed {
    when: f64,
    migration: Migration,
    /// Whether the file could be read.
    readable: bool,
}

pub(super) fn journal_path(folder: &Path) -> PathBuf {
    folder.join("meta").join("_journal.json")
}

/// Whether the journal is SQLite's. One that cannot be read counts, so that reading it says why.
pub(super) fn is_for_sqlite(journal: &Path) -> bool {
    let text = read_text(journal).unwrap_or_default();
    let dialect =
        serde_json::from_str::<Json>(&text).ok().and_then(|json| Some(json.get("dialect")?.as_str()?.to_owned()));
    dialect.is_none_or(|dialect| matches!(dialect.as_str(), "sqlite" | "turso"))
}

/// Fills in the entries and what drizzle runs first.
pub(super) fn fill(plan: &mut Plan, ledger: &Recorded) -> Result<(), Error> {
    let journal = journal_path(&plan.folder);
    if !journal.exists() {
        plan.entries = ledger.rows.iter().map(missing).collect();
        plan.refusal = Some(Refusal {
            message: "Can't find meta/_journal.json file".into(),
            help:
                "drizzle-orm below 1.0 needs the journal: commit it with the migrations, or point to the folder that \
                   holds it"
                    .into(),
            after: 0,
        });
        return Ok(());
    }
    plan.setup.push(create_ledger(&plan.ledger.name));
    let listed = read_journal(&journal)?.into_iter().map(|line| read(plan, line)).collect::<Result<Vec<_>, _>>()?;
    plan.refusal = listed.iter().find(|one| !one.readable).map(|one| no_file(&plan.folder, &one.migration.file));
    plan.entries = decide(listed, ledger, &mut plan.decisions);
    Ok(())
}

/// Reads the file of a line. Whatever keeps drizzle from reading it, it says that there is none; only that this user may not
/// read it tells nothing of production.
fn read(plan: &Plan, line: Line) -> Result<Listed, Error> {
    let Line { tag, when } = line;
    let file = plan.folder.join(format!("{tag}.sql"));
    match Migration::read(tag.clone(), file.clone(), Some(BREAKPOINT)) {
        Ok(mut migration) => {
            migration.record.within.push(record(&plan.ledger.name, &migration.checksum, when));
            Ok(Listed { when, migration, readable: true })
        }
        Err(error) if error.kind() == ErrorKind::PermissionDenied => {
            Err(Error::cannot(format!("reading `{}`", shown(&file)), error))
        }
        Err(_) => Ok(Listed { when, migration: Migration::without_file(tag, file, String::new()), readable: false }),
    }
}

fn read_journal(journal: &Path) -> Result<Vec<Line>, Error> {
    let doing = || format!("reading `{}`", shown(journal));
    let text = read_text(journal).doing(doing)?;
    lines(&text, &doing)
}

fn lines(text: &str, doing: &dyn Fn() -> String) -> Result<Vec<Line>, Error> {
    let json: Json = serde_json::from_str(text).doing(doing)?;
    let entries = json.get("entries").and_then(Json::as_array);
    let entries = entries.ok_or_else(|| Error::cannot(doing(), "it has no list `entries`"))?;
    entries.iter().enumerate().map(|(index, entry)| read_line(entry, index).doing(doing)).collect()
}

/// The tag of the last migration; none where there is no journal, or nothing in it.
pub(super) fn last_tag(journal: &Path) -> Result<Option<String>, Error> {
    let lines = if journal.is_file() { read_journal(journal)? } else { Vec::new() };
    Ok(lines.into_iter().next_back().map(|line| line.tag))
}

/// The tags and times of a journal.
pub(crate) fn journal(text: &str) -> Result<Vec<(String, f64)>, Error> {
    let lines = lines(text, &|| "reading a journal".to_owned())?;
    Ok(lines.into_iter().map(|Line { tag, when }| (tag, when)).collect())
}

fn read_line(entry: &Json, index: usize) -> Result<Line, String> {
    let tag = match entry.get("tag") {
        Some(Json::String(tag)) => tag.clone(),
        _ => return Err(format!("entry {} has no `tag`", index + 1)),
    };
    let when = match entry.get("when") {
        Some(Json::Number(number)) => number.as_f64().unwrap_or(f64::NAN),
        Some(Json::String(text)) => javascript::number_of_text(text),
        _ => return Err(format!("the entry `{tag}` has no `when`")),
    };
    Ok(Line { tag, when })
}

fn no_file(folder: &Path, file: &Path) -> Refusal {
    Refusal {
        message: format!("No file {} found in {} folder", shown(file), shown(folder)),
        help: "commit the file that the journal lists; drizzle reads every file before it runs anything".into(),
        after: 0,
    }
}

/// Applies the high-water rule: a migration runs when the ledger is empty or its newest time is earlier.
fn decide(listed: Vec<Listed>, ledger: &Recorded, decisions: &mut Vec<Decision>) -> Vec<Entry> {
    let newest = ledger.newest.as_ref().map(javascript::number);
    let matches = matching_rows(&listed, &ledger.rows);
    let mut entries = Vec::new();
    for (Listed { when, migration, readable }, row) in listed.into_iter().zip(&matches) {
        let row = row.map(|row| &ledger.rows[row]);
        let runs = newest.is_none_or(|newest| newest < when);
        let state = match (row, newest) {
            _ if !readable => State::Missing,
            _ if runs => State::Pending,
            (Some(row), _) => applied(&migration, &row.hash),
            (None, newest) => State::Skipped { why: skipped(when, newest.unwrap_or(f64::NAN)) },
        };
        if let Some(row) = row.filter(|_| state == State::Pending) {
            decisions.push(runs_again(&migration, row, when));
        }
        entries.push((when, Entry { migration, state }));
    }
    add_missing(&mut entries, &matches, &ledger.rows);
    entries.into_iter().map(|(_, entry)| entry).collect()
}

/// For each migration the ledger's row that stands for it: the same hash and time, else the same hash, else the same
/// time. No row stands for two migrations, so that two files with the same text are told apart.
fn matching_rows(listed: &[Listed], rows: &[Row]) -> Vec<Option<usize>> {
    let same_time = |when: f64, row: &Row| javascript::number(&row.created_at).total_cmp(&when).is_eq();
    let mut matches = vec![None; listed.len()];
    for (hash, time) in [(true, true), (true, false), (false, true)] {
        for (index, one) in listed.iter().enumerate() {
            if matches[index].is_none() {
                matches[index] = (0..rows.len()).find(|&row| {
                    !matches.contains(&Some(row))
                        && (!hash || one.migration.checksum == rows[row].hash)
                        && (!time || same_time(one.when, &rows[row]))
                });
            }
        }
    }
    matches
}

/// Adds the rows that stand for no migration, each before the first migration that is later. A row that only repeats
/// another's hash is not missing anything.
fn add_missing(entries: &mut Vec<(f64, Entry)>, matches: &[Option<usize>], rows: &[Row]) {
    for (index, row) in rows.iter().enumerate() {
        let repeated = entries.iter().any(|(_, entry)| !row.hash.is_empty() && entry.migration.checksum == row.hash);
        if matches.contains(&Some(index)) || repeated {
            continue;
        }
        let time = javascript::number(&row.created_at);
        let place = entries.iter().position(|(when, _)| *when > time).unwrap_or(entries.len());
        entries.insert(place, (time, missing(row)));
    }
}

fn skipped(when: f64, newest: f64) -> String {
    format!(
        "its `when` {} is not later than the newest `created_at` in the ledger, {}",
        javascript::shown_time(when),
        javascript::shown_time(newest)
    )
}

fn runs_again(migration: &Migration, row: &Row, when: f64) -> Decision {
    Decision {
        what: "pending",
        value: format!("`{}` runs again", migration.name),
        why: format!(
            "the ledger has its hash with `created_at` {}, and the journal says {}",
            javascript::string(&row.created_at),
            javascript::string_of_number(when)
        ),
    }
}

/// The text is drizzle's to the last space, because SQLite keeps it in the schema.
fn create_ledger(table: &str) -> String {
    let table = identifier(table);
    format!(
        "CREATE TABLE IF NOT EXISTS {table} (\n\t\t\t\tid SERIAL PRIMARY KEY,\n\t\t\t\thash text NOT NULL,\n\t\t\t\t\
         created_at numeric\n\t\t\t)"
    )
}

fn record(table: &str, hash: &str, when: f64) -> String {
    let (table, hash, when) = (identifier(table), text_literal(hash), javascript::sql_of_number(when));
    format!("INSERT INTO {table} (\"hash\", \"created_at\") VALUES({hash}, {when})")
}
