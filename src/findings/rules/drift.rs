//! SN916 and SN925: the snapshot's schema is not what the applied migrations make, and not what the code expects.

use std::collections::BTreeSet;

use crate::findings::catalogue::{SN916, SN925};
use crate::findings::drift::{CodeDrift, Drift, Trip};
use crate::findings::wording::{count_of, list, names};
use crate::findings::{Evidence, Finding, Level};
use crate::migrations::{Migration, State};
use crate::schema::changes::{Change, How, Kind};
use crate::schema::lexer::identifiers;

/// SN916, once for each table or view; a note where it stands apart and no pending migration works on it, and where nothing is known.
pub(super) fn drifted(evidence: &Evidence) -> Vec<Finding> {
    let (applied, changes, trips) = match &evidence.drift {
        None => return Vec::new(),
        // That the tool does not run is told as its failure, and that it began on what was there by `rehearse plan`.
        Some(Drift::Unknown(_)) if evidence.plan.refusal.is_some() || !lacks_a_file(evidence) => return Vec::new(),
        Some(Drift::Unknown(why)) => {
            let finding = Finding::new(&SN916, format!("whether the schema has drifted is not known: {why}"));
            return vec![finding.at_level(Level::Note).object("drift")];
        }
        Some(Drift::Known { applied, changes, trips }) => (applied, changes, trips),
    };
    let mut told = BTreeSet::new();
    let first = changes.iter().filter(|change| told.insert(change.table.to_ascii_lowercase()));
    first
        .map(|change| {
            let of_it = changes.iter().filter(|other| other.table.eq_ignore_ascii_case(&change.table));
            let finding = Finding::new(&SN916, message(*applied, change, of_it)).table(&change.table);
            let is_apart = matches!((change.kind, change.how), (Kind::Table | Kind::View, How::Added));
            let concern = concern(evidence, &change.table, trips.iter().flatten().next());
            let finding = if concern.is_none() && is_apart { finding.at_level(Level::Note) } else { finding };
            let unknown =
                trips.as_ref().err().map(|why| format!("whether a pending migration fails because of it is not known: {why}"));
            let causes: Vec<String> = concern.into_iter().chain(unknown).collect();
            let finding = if causes.is_empty() { finding } else { finding.cause(causes.join("; ")) };
            finding.help(
                "find out who changed it and whether the app needs it; put what shall stay into a migration that also runs where it is \
                 there already (CREATE … IF NOT EXISTS), and undo the rest by hand before the deploy",
            )
        })
        .collect()
}

/// Whether the file of an applied migration is gone. Of what was there before atlas there never was one.
fn lacks_a_file(evidence: &Evidence) -> bool {
    let is_baseline = |name: &str| evidence.plan.tool == "atlas" && name.ends_with("_baseline");
    let mut missing = evidence.plan.entries.iter().filter(|entry| entry.state == State::Missing);
    missing.any(|entry| !is_baseline(&entry.migration.name))
}

/// SN925, once for each table or view: an error where what the code names is not there, or it does not fill what must be filled.
pub(super) fn unexpected_by_code(evidence: &Evidence) -> Vec<Finding> {
    let Some(CodeDrift { file, changes: Ok(changes), .. }) = &evidence.code_drift else { return Vec::new() };
    let mut told = BTreeSet::new();
    let first = changes.iter().filter(|change| told.insert(change.table.to_ascii_lowercase()));
    first
        .map(|change| {
            let of_it: Vec<&Change> =
                changes.iter().filter(|other| other.table.eq_ignore_ascii_case(&change.table)).collect();
            let breaks = |change: &&Change| {
                let is_named = matches!(change.kind, Kind::Table | Kind::View | Kind::Column);
                is_named && change.how != How::Changed
            };
            let level = if of_it.iter().any(breaks) { Level::Error } else { Level::Warning };
            let table = &change.table;
            let is_gone = matches!((change.kind, change.how), (Kind::Table | Kind::View, How::Removed));
            let message = if is_gone {
                format!("the code expects `{table}`, and will not find it")
            } else {
                let changes: Vec<String> = of_it.into_iter().map(describe).collect();
                format!("the code will not find `{table}` as it expects it: {}", list(&changes))
            };
            Finding::new(&SN925, message)
                .table(table)
                .at_level(level)
                .cause(format!("the code expects what {} says", file.display()))
                .help("put back what was taken out of a migration, or write one that makes it so: npx drizzle-kit generate --custom")
                .help("where the database is right, correct the schema of the code: npx drizzle-kit generate")
        })
        .collect()
}

fn message<'a>(applied: usize, first: &Change, changes: impl Iterator<Item = &'a Change>) -> String {
    let table = &first.table;
    let they = match applied {
        1 => "the applied migration".to_owned(),
        _ => format!("the {}", count_of(applied, "applied migration")),
    };
    let (makes, does) = if applied == 1 { ("makes", "does") } else { ("make", "do") };
    match (first.kind, first.how) {
        (Kind::Table | Kind::View, How::Added) => format!("{they} {does} not make `{table}`"),
        (Kind::Table | Kind::View, How::Removed) => {
            format!("{they} {makes} `{table}`, and the snapshot does not have it")
        }
        _ => {
            let changes: Vec<String> = changes.map(describe).collect();
            format!("`{table}` is not what {they} {makes}: {}", list(&changes))
        }
    }
}

/// "column `city` is new".
fn describe(change: &Change) -> String {
    let name = &change.name;
    let what = match change.kind {
        Kind::Table => format!("table `{name}`"),
        Kind::Column => format!("column `{name}`"),
        Kind::ColumnOrder => return format!("its columns are in another order: {}", change.after),
        Kind::Type => format!("the type of `{name}`"),
        Kind::NotNull => format!("NOT NULL of `{name}`"),
        Kind::Default => format!("the default of `{name}`"),
        Kind::Collation => format!("the collation of `{name}`"),
        Kind::Generated => format!("the expression of `{name}`"),
        Kind::PrimaryKey => "the primary key".to_owned(),
        Kind::Unique => format!("UNIQUE ({name})"),
        Kind::Check => format!("CHECK ({name})"),
        Kind::ForeignKey => format!("the foreign key of {name}"),
        Kind::Autoincrement => "AUTOINCREMENT".to_owned(),
        Kind::TableOption => format!("`{name}`"),
        Kind::Conflict => format!("ON CONFLICT of {name}"),
        Kind::Index => format!("index `{name}`"),
        Kind::Trigger => format!("trigger `{name}`"),
        Kind::View => format!("view `{name}`"),
    };
    let is_short =
        matches!(change.kind, Kind::Type | Kind::Default | Kind::Collation | Kind::PrimaryKey | Kind::ForeignKey);
    match change.how {
        How::Added => format!("{what} is new"),
        How::Removed => format!("{what} is missing"),
        How::Changed | How::Renamed if is_short => {
            format!("{what} is `{}` instead of `{}`", change.after, change.before)
        }
        How::Changed | How::Renamed => format!("{what} is another one"),
    }
}

/// What the pending migrations have to do with it.
fn concern(evidence: &Evidence, table: &str, trip: Option<&Trip>) -> Option<String> {
    let touch = |migration: &&Migration| {
        let mut words = migration
            .chunks
            .iter()
            .flat_map(|chunk| &chunk.statements)
            .flat_map(|statement| identifiers(&statement.sql));
        words.any(|word| word.eq_ignore_ascii_case(table))
    };
    let touching: Vec<&str> = evidence.plan.pending().filter(touch).map(|migration| migration.name.as_str()).collect();
    let trip = trip.filter(|trip| touching.contains(&trip.migration.as_str()));
    if let Some(Trip { migration, message }) = trip {
        return Some(format!(
            "`{migration}` fails because of it ({message}): on what the applied migrations make it passes"
        ));
    }
    let works = if touching.len() == 1 { "works" } else { "work" };
    (!touching.is_empty()).then(|| format!("pending {} {works} on it", names(touching)))
}
