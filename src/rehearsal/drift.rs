//! Drift: the applied migrations run once more, on an empty database, and what they make is compared with what the snapshot has. Where
//! that differs, the pending ones run on both schemas, without rows: does one fail on the snapshot's only?

use std::collections::BTreeSet;

use crate::error::Error;
use crate::execution::{self, Execution, Outcome, Settings};
use crate::findings::{Drift, Trip};
use crate::migrations::{self, Entry, Located, Plan, State};
use crate::observer::Silent;
use crate::schema::changes;
use crate::schema::{Schema, is_bookkeeping};
use crate::snapshot::{Snapshot, WorkingCopy, Workspace};

/// What is compared, and how the migrations run.
#[derive(Clone, Copy)]
pub(super) struct Ground<'a> {
    pub snapshot: &'a Snapshot,
    pub workspace: &'a Workspace,
    pub located: &'a Located,
    pub plan: &'a Plan,
    pub settings: Settings,
    /// Whether migrations may reach other files.
    pub unsafe_sql: bool,
}

/// Compares the snapshot's schema with that of its applied migrations; none where there are none.
pub(super) fn find(ground: &Ground<'_>) -> Option<Drift> {
    let applied: Vec<&Entry> = ground.plan.entries.iter().filter(|entry| is_applied(&entry.state)).collect();
    if applied.is_empty() {
        return None;
    }
    Some(replayed(ground, &applied).unwrap_or_else(|why| Drift::Unknown(why.0)))
}

fn is_applied(state: &State) -> bool {
    matches!(state, State::Applied | State::Edited { .. } | State::Missing)
}

/// Why it is not known.
struct Why(String);

impl From<Error> for Why {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

impl From<rusqlite::Error> for Why {
    fn from(error: rusqlite::Error) -> Self {
        Self(crate::schema::message::without_value(&error.to_string()))
    }
}

fn replayed(ground: &Ground<'_>, applied: &[&Entry]) -> Result<Drift, Why> {
    if ground.unsafe_sql {
        return Err(Why(
            "with --allow-unsafe-sql the applied migrations are not run again: they may reach other files".to_owned(),
        ));
    }
    if let Some(entry) = applied.iter().find(|entry| entry.state == State::Missing) {
        return Err(Why(format!("`{}` is applied, and its file is not there", entry.migration.name)));
    }
    let expected = WorkingCopy::empty(ground.snapshot, ground.workspace, "drift")?;
    let plan = only(migrations::plan(ground.located, &expected.connect()?)?, applied)?;
    let execution = execution::run(expected.open()?, &plan, ground.settings, &Silent)?;
    if let Some(trip) = failed(&execution) {
        return Err(Why(format!("`{}` fails on an empty database: {}", trip.migration, trip.message)));
    }
    let before = Schema::read(&expected.connect()?)?;
    let after = Schema::read(&ground.snapshot.connect()?)?;
    let changes = changes::by_name(&before, &after, &|table| !is_of_a_tool(table, &ground.plan.ledger.name));
    let trips = if changes.is_empty() { None } else { trip(ground, &expected) };
    Ok(Drift::Known { applied: applied.len(), changes, trips })
}

fn is_of_a_tool(table: &str, ledger: &str) -> bool {
    is_bookkeeping(table, ledger) || table.starts_with("_litestream_")
}

/// What runs of an empty database's plan in order to get what is applied.
fn only(plan: Plan, applied: &[&Entry]) -> Result<Plan, Why> {
    if let Some(refusal) = plan.refusal {
        return Err(Why(format!("the tool refuses to run on an empty database: {}", refusal.message)));
    }
    let names: BTreeSet<&str> = applied.iter().map(|entry| entry.migration.name.as_str()).collect();
    let entries: Vec<Entry> = plan
        .entries
        .into_iter()
        .filter(|entry| entry.state == State::Pending && names.contains(entry.migration.name.as_str()))
        .collect();
    if entries.len() == names.len() {
        Ok(Plan { entries, ..plan })
    } else {
        Err(Why("the tool would not run all of the applied migrations on an empty database".to_owned()))
    }
}

/// The first pending migration that fails on the snapshot's schema, and not on the expected one.
fn trip(ground: &Ground<'_>, expected: &WorkingCopy) -> Option<Trip> {
    if ground.plan.pending().next().is_none() || ground.plan.refusal.is_some() {
        return None;
    }
    let run = |copy: &WorkingCopy| execution::run(copy.open().ok()?, ground.plan, ground.settings, &Silent).ok();
    let found = WorkingCopy::empty(ground.snapshot, ground.workspace, "drifted").ok()?;
    execution::empty::fill(&found.open().ok()?.connection, &ground.snapshot.connect().ok()?).ok()?;
    let fails = failed(&run(&found)?)?;
    match failed(&run(expected)?) {
        Some(also) if also.migration == fails.migration => None,
        _ => Some(fails),
    }
}

fn failed(execution: &Execution) -> Option<Trip> {
    let Outcome::Failed(failure) = &execution.outcome else { return None };
    let step = failure.step.and_then(|step| execution.steps.get(step));
    let migration = step.map_or_else(|| failure.doing.to_owned(), |step| step.migration.clone());
    Some(Trip { migration, message: failure.error.message.clone() })
}
