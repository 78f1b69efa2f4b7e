//! drizzle-orm 1.0: a folder for each migration; what runs is the folders whose names the ledger does not have.

use std::cmp::Ordering;
use std::io;
use std::path::Path;

use rusqlite::types::Value;

use super::{BREAKPOINT, Recorded, Row, applied, javascript, missing, v0};
use crate::error::{Doing, Error};
use crate::migrations::migration::Migration;
use crate::migrations::plan::{Decision, Entry, Plan, Refusal, State};
use crate::migrations::shown;
use crate::migrations::tools::{identifier, text_literal};

/// The file of each folder.
pub(super) const FILE: &str = "migration.sql";

/// The names of the folders with a migration, in the order in which drizzle sorts them.
pub(super) fn names(folder: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().join(FILE).exists() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort_by(|a, b| javascript::locale_compare(a, b).then_with(|| a.cmp(b)));
    Ok(names)
}

/// Fills in the entries and what drizzle runs first.
pub(super) fn fill(plan: &mut Plan, ledger: &Recorded) -> Result<(), Error> {
    let local = read(plan)?;
    if v0::journal_path(&plan.folder).exists() {
        plan.refusal = Some(old_layout());
    } else if !ledger.present {
        plan.setup.push(create_ledger(&plan.ledger.name));
    } else if !ledger.has_name && ledger.unreadable.is_none() {
        upgrade(plan, local, ledger);
        return Ok(());
    }
    let names = ledger.rows.iter().map(|row| row.name.clone()).collect::<Vec<_>>();
    plan.entries = decide(local, ledger, &names);
    note_nameless(plan, &names);
    Ok(())
}

fn read(plan: &Plan) -> Result<Vec<Migration>, Error> {
    let doing = || format!("reading the migrations folder `{}`", shown(&plan.folder));
    let mut migrations = Vec::new();
    for name in names(&plan.folder).doing(doing)? {
        let file = plan.folder.join(&name).join(FILE);
        let mut migration =
            Migration::read(name, file.clone(), Some(BREAKPOINT)).doing(|| format!("reading `{}`", shown(&file)))?;
        migration.record.within.push(record(&plan.ledger.name, &migration));
        migrations.push(migration);
    }
    Ok(migrations)
}

fn old_layout() -> Refusal {
    Refusal {
        message: "We detected that you have old drizzle-kit migration folders. You must upgrade drizzle-kit and run \
                  \"drizzle-kit up\""
            .into(),
        help: "drizzle-orm 1.0 refuses while meta/_journal.json is there: run `drizzle-kit up` and commit the folders"
            .into(),
        after: 0,
    }
}

/// Applies the rule: a migration runs when no row has its name. `names` are the rows' names, after an upgrade.
fn decide(local: Vec<Migration>, ledger: &Recorded, names: &[Option<String>]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut known = vec![false; names.len()];
    for migration in local {
        let row = names.iter().position(|name| name.as_ref() == Some(&migration.name));
        for (known, name) in known.iter_mut().zip(names) {
            *known |= name.as_ref() == Some(&migration.name);
        }
        let state = row.map_or(State::Pending, |row| applied(&migration, &ledger.rows[row].hash));
        entries.push(Entry { migration, state });
    }
    for ((row, name), known) in ledger.rows.iter().zip(names).zip(known) {
        if !known {
            let place = name.as_ref().and_then(|name| {
                entries.iter().position(|entry| javascript::locale_compare(&entry.migration.name, name).is_gt())
            });
            entries.insert(place.unwrap_or(0), missing(row));
        }
    }
    entries
}

/// Rows without a name, such as v0's migrator writes them into v1's table, count as nothing: what they record runs again.
fn note_nameless(plan: &mut Plan, names: &[Option<String>]) {
    let nameless = names.iter().filter(|name| name.is_none()).count();
    if nameless > 0 {
        plan.decisions.push(Decision {
            what: "pending",
            value: format!("{nameless} rows of the ledger have no name"),
            why: "drizzle-orm 1.0 goes by the name alone, so what they record runs again".into(),
        });
    }
}

/// v0's ledger under v1's migrator: each row must find its folder, or drizzle refuses; then the names are filled in.
fn upgrade(plan: &mut Plan, mut local: Vec<Migration>, ledger: &Recorded) {
    // Sorted in place, so this is also the order in which the pending ones run.
    local.sort_by(by_time);
    let matches: Vec<_> = ledger.rows.iter().map(|row| find(row, &local)).collect();
    let unmatched: Vec<_> = ledger.rows.iter().zip(&matches).filter(|(_, found)| found.is_none()).collect();
    if !unmatched.is_empty() {
        plan.refusal = Some(not_matched(unmatched.iter().map(|(row, _)| *row)));
    }
    let table = identifier(&plan.ledger.name);
    let mut names = vec![None; ledger.rows.len()];
    plan.setup.push("BEGIN".into());
    plan.setup.push(format!("ALTER TABLE {table} ADD COLUMN \"name\" text"));
    plan.setup.push(format!("ALTER TABLE {table} ADD COLUMN \"applied_at\" TEXT"));
    for (row, found) in ledger.rows.iter().zip(&matches) {
        let Some((name, by)) = found else { continue };
        let condition = by.condition(row);
        plan.setup.push(format!(
            "UPDATE {table} SET \"name\" = {}, \"applied_at\" = NULL WHERE {condition}",
            text_literal(name)
        ));
        for (other, slot) in ledger.rows.iter().zip(&mut names) {
            if by.condition(other) == condition {
                *slot = Some(name.clone());
            }
        }
    }
    plan.setup.push("COMMIT".into());
    plan.decisions.push(Decision {
        what: "ledger",
        value: format!("`{}` is upgraded to the columns of drizzle-orm 1.0", plan.ledger.name),
        why: "it has no column `name`".into(),
    });
    plan.entries = decide(local, ledger, &names);
}

/// By the folder's time, then by name. Folders without a time come last; drizzle leaves their order undefined.
fn by_time(a: &Migration, b: &Migration) -> Ordering {
    let (a_time, b_time) = (javascript::folder_millis(&a.name), javascript::folder_millis(&b.name));
    a_time.total_cmp(&b_time).then_with(|| javascript::locale_compare(&a.name, &b.name))
}

/// By which column the upgrade finds a row again.
#[derive(Clone, Copy)]
enum By {
    Id,
    CreatedAt,
    Hash,
}

impl By {
    fn condition(self, row: &Row) -> String {
        match self {
            Self::Id => format!("\"id\" = {}", text_literal(&javascript::string(&row.id))),
            Self::CreatedAt => format!("\"created_at\" = {}", text_literal(&javascript::string(&row.created_at))),
            Self::Hash => format!("\"hash\" = {}", text_literal(&row.hash)),
        }
    }
}

/// The folder that stands for a row of v0: of the same second; of several, or where there is none, of the same hash.
fn find(row: &Row, local: &[Migration]) -> Option<(String, By)> {
    let second = in_seconds(&row.created_at);
    let same_second: Vec<_> =
        local.iter().filter(|migration| same(javascript::folder_millis(&migration.name), second)).collect();
    let same_hash = |migration: &&Migration| !row.hash.is_empty() && migration.checksum == row.hash;
    let (found, by) = match same_second.as_slice() {
        [one] => (*one, By::CreatedAt),
        [] => (local.iter().rfind(same_hash)?, By::Hash),
        several => (several.iter().copied().find(same_hash)?, By::Hash),
    };
    Some((found.name.clone(), if truthy(&row.id) { By::Id } else { by }))
}

/// The time with `000` for its last three digits, as text, as drizzle does it.
fn in_seconds(created_at: &Value) -> f64 {
    let text = javascript::string(created_at);
    let kept = text.chars().count().saturating_sub(3);
    javascript::number_of_text(&format!("{}000", text.chars().take(kept).collect::<String>()))
}

/// The equality of a JavaScript Map's keys: NaN is the same as NaN.
fn same(a: f64, b: f64) -> bool {
    a.is_nan() && b.is_nan() || a.total_cmp(&b).is_eq()
}

fn truthy(id: &Value) -> bool {
    match id {
        Value::Null => false,
        Value::Text(text) => !text.is_empty(),
        Value::Blob(_) => true,
        Value::Integer(_) | Value::Real(_) => javascript::number(id).abs() > 0.0,
    }
}

fn not_matched<'a>(rows: impl Iterator<Item = &'a Row>) -> Refusal {
    let rows: Vec<_> = rows
        .map(|row| {
            format!("[id: {}, created_at: {}]", javascript::string(&row.id), javascript::string(&row.created_at))
        })
        .collect();
    Refusal {
        message: format!(
            "While upgrading your database migrations table we found {} ({}) migrations in the database that do not match \
             any local migration. This means that some migrations were applied to the database but are missing from the \
             local environment",
            rows.len(),
            rows.join(", ")
        ),
        help:
            "bring back the folders of these migrations, or delete their rows from the ledger if their effect is known"
                .into(),
        after: 0,
    }
}

/// The text is drizzle's to the last space, because SQLite keeps it in the schema.
fn create_ledger(table: &str) -> String {
    let table = identifier(table);
    format!(
        "CREATE TABLE IF NOT EXISTS {table} (\n\t\t\t\tid INTEGER PRIMARY KEY,\n\t\t\t\thash text NOT NULL,\n\t\t\t\t\
         created_at numeric,\n\t\t\t\tname text,\n\t\t\t\tapplied_at TEXT\n\t\t\t)"
    )
}

fn record(table: &str, migration: &Migration) -> String {
    let (table, hash, name) = (identifier(table), text_literal(&migration.checksum), text_literal(&migration.name));
    let when = javascript::sql_of_number(javascript::folder_millis(&migration.name));
    format!(
        "INSERT INTO {table} (\"hash\", \"created_at\", \"name\", \"applied_at\") values({hash}, {when}, {name}, \
         strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"
    )
}
