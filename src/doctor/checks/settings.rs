//! SN913, SN921 and SN922: what the app's connections and the database file are set to.

use crate::doctor::Evidence;
use crate::doctor::answer::{Answer, At};
use crate::execution::Driver;
use crate::execution::driver::ForeignKeys;
use crate::findings::Finding;
use crate::findings::catalogue::{SN913, SN921, SN922};
use crate::migrations::statement::Action;
use crate::snapshot::JournalMode;
use crate::snapshot::source::Content;

/// Tools whose driver is also the one that the app opens the database with.
const SAME_DRIVER: [&str; 7] =
    ["drizzle", "sqlx", "diesel", "refinery", "rusqlite-migration", "goose", "golang-migrate"];

/// The driver that the app opens the database with, where that is known.
fn driver<'a>(evidence: &'a Evidence<'_>) -> Option<&'a Driver> {
    match evidence.driver.as_ref()?.drivers.as_slice() {
        [driver] if evidence.plan.as_ref().is_ok_and(|plan| SAME_DRIVER.contains(&plan.tool)) => Some(driver),
        _ => None,
    }
}

/// Whether foreign keys are enforced.
pub(in crate::doctor) fn foreign_keys(evidence: &Evidence<'_>) -> Answer {
    const NAME: &str = "foreign-keys";
    if !has_foreign_keys(evidence) {
        return Answer::not_needed(NAME, "the schema has none");
    }
    let places = evidence.sources.pragma("foreign_keys");
    let on = places.iter().find(|(value, _)| is_on(value));
    let off = places.iter().find(|(value, _)| is_off(value));
    let driver = driver(evidence);
    let help = "turn them on for every connection, after the migrations: PRAGMA foreign_keys = ON";
    match (on, off, driver) {
        (_, _, Some(driver)) if driver.foreign_keys == ForeignKeys::AlwaysOn => {
            Answer::ok(NAME).fact(format!("{} has them on always", driver.name))
        }
        (Some((_, at)), ..) => Answer::ok(NAME).seen("turned on", at),
        (None, Some((_, at)), _) => Answer::ok(NAME).finding(
            Finding::new(&SN921, "foreign keys are turned off and nowhere on again")
                .object("foreign_keys")
                .at(Some(at.place()), "")
                .help(help),
        ),
        (None, None, _) if evidence.foreign_keys == Some(true) => {
            Answer::ok(NAME).fact("on by `--foreign-keys` or the address of the database")
        }
        (None, None, _) if evidence.foreign_keys == Some(false) => Answer::ok(NAME).finding(
            Finding::new(
                &SN921,
                "foreign keys are off by `--foreign-keys` or the address of the database, and no file turns them on",
            )
            .object("foreign_keys")
            .help(help),
        ),
        (None, None, Some(driver)) if driver.foreign_keys.on() => {
            Answer::ok(NAME).fact(format!("{} turns them on by itself", driver.name))
        }
        (None, None, Some(driver)) => Answer::ok(NAME).finding(
            Finding::new(&SN921, format!("{} leaves foreign keys off, and no file turns them on", driver.name))
                .object("foreign_keys")
                .help(help),
        ),
        (None, None, None) => Answer::not_found(NAME, "no file sets them, and nothing tells the app's driver"),
    }
}

/// Whether readers and writers are in each other's way.
pub(in crate::doctor) fn journal_mode(evidence: &Evidence<'_>) -> Answer {
    const NAME: &str = "journal-mode";
    if is_hosted(evidence) {
        return Answer::not_needed(NAME, "Cloudflare decides");
    }
    let places = evidence.sources.pragma("journal_mode");
    if let Some((_, at)) = places.iter().find(|(value, _)| *value == "wal") {
        return Answer::ok(NAME).seen("WAL is turned on", at);
    }
    let finding = |message: String, at: Option<&At>, cause: &str| {
        Answer::ok(NAME).finding(
            Finding::new(&SN913, message)
                .object("journal_mode")
                .at(at.map(At::place), "")
                .cause(cause)
                .help("turn it on where the app opens the database; the file keeps it: PRAGMA journal_mode = WAL"),
        )
    };
    if let Some((value, at)) = places.first() {
        let cause = "without WAL a migration that commits waits for every reader, and readers wait for it";
        return finding(format!("the journal mode is set to `{value}`"), Some(at), cause);
    }
    match evidence.production.as_ref().map(|production| &production.facts) {
        Some(facts) if facts.origin.content != Content::Database => {
            Answer::not_found(NAME, "no file sets it, and a dump does not keep it")
        }
        Some(facts) if facts.journal_mode == JournalMode::Wal => Answer::ok(NAME).fact("the snapshot is in WAL mode"),
        Some(_) => finding(
            "the snapshot is in rollback mode, and no file sets `journal_mode`".to_owned(),
            None,
            "where the snapshot was taken with VACUUM INTO, the database itself may be in WAL mode: that does not keep it",
        ),
        None => Answer::not_found(NAME, "no file sets it"),
    }
}

/// Whether commits survive a power cut.
pub(in crate::doctor) fn synchronous(evidence: &Evidence<'_>) -> Answer {
    const NAME: &str = "synchronous";
    if is_hosted(evidence) {
        return Answer::not_needed(NAME, "Cloudflare decides");
    }
    let places = evidence.sources.pragma("synchronous");
    if let Some((value, at)) = places.iter().find(|(value, _)| is_off(value)) {
        return Answer::ok(NAME).finding(
            Finding::new(&SN922, format!("`synchronous` is set to `{value}`"))
                .object("synchronous")
                .at(Some(at.place()), "")
                .cause("SQLite does not wait until a commit is on the disk: after a power cut pages of it may be there and others not")
                .help("PRAGMA synchronous = NORMAL is as safe from damage in WAL mode, and nearly as fast"),
        );
    }
    let answer = if let Some((value, at)) = places.first() {
        Answer::ok(NAME).seen(format!("set to `{value}`"), at)
    } else {
        let own = driver(evidence).map(|driver| (driver.name, driver.tuning()));
        let own = own.filter(|(_, tuning)| tuning.synchronous_in_wal != tuning.synchronous);
        let by_itself = own.map_or("SQLite by itself takes FULL".to_owned(), |(name, tuning)| {
            format!("{name} by itself takes {} in WAL mode, else {}", tuning.synchronous_in_wal, tuning.synchronous)
        });
        Answer::not_found(NAME, format!("no file sets it; {by_itself}"))
    };
    answer.fact_of_each(&evidence.sources.notes)
}

fn is_on(value: &str) -> bool {
    ["on", "1", "true", "yes"].contains(&value)
}

fn is_off(value: &str) -> bool {
    ["off", "0", "false", "no"].contains(&value)
}

fn is_hosted(evidence: &Evidence<'_>) -> bool {
    evidence.driver.as_ref().is_some_and(|decided| decided.drivers.iter().all(|driver| driver.is_workerd()))
}

/// Whether the snapshot or a migration declares one.
fn has_foreign_keys(evidence: &Evidence<'_>) -> bool {
    let in_snapshot = evidence
        .production
        .as_ref()
        .is_some_and(|production| production.schema.tables.values().any(|table| !table.foreign_keys.is_empty()));
    let declares = |action: &Action, sql: &str| {
        let is_definition = matches!(action, Action::CreateTable { .. } | Action::AddColumn { .. });
        is_definition && sql.to_ascii_uppercase().contains("REFERENCES")
    };
    let in_migrations = evidence.plan.as_ref().is_ok_and(|plan| {
        let chunks = plan.entries.iter().flat_map(|entry| &entry.migration.chunks);
        chunks.flat_map(|chunk| &chunk.statements).any(|statement| declares(&statement.action, &statement.sql))
    });
    in_snapshot || in_migrations
}
