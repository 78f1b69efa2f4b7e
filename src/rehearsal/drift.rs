//! Drift: the applied migrations run once more, on an empty database, and what they make is compared with what the snapshot has. Where
//! that differs, the pending ones run on both schemas, without rows: does one fail on the snapshot's only?

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::error::Error;
use crate::execution::{self, Execution, Outcome, Settings};
use crate::findings::{CodeDrift, Drift, Trip};
use crate::migrations::{self, Entry, Located, Plan, State};
use crate::observer::Silent;
use crate::schema::changes::{self, Change, How, Kind};
use crate::schema::index::Definition;
use crate::schema::storage::affinity;
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

const UNSAFE: &str = "with --allow-unsafe-sql nothing is run again: it may reach other files";

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
        return Err(Why(UNSAFE.to_owned()));
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
    let fails = failed(&ground.run_on(&ground.without_rows().ok()?).ok()?)?;
    match failed(&ground.run_on(expected).ok()?) {
        Some(also) if also.migration == fails.migration => None,
        _ => Some(fails),
    }
}

impl Ground<'_> {
    /// A database with the snapshot's schema and no rows.
    fn without_rows(&self) -> Result<WorkingCopy, Why> {
        let copy = WorkingCopy::empty(self.snapshot, self.workspace, "without-rows")?;
        execution::empty::fill(&copy.open()?.connection, &self.snapshot.connect()?)?;
        Ok(copy)
    }

    fn run_on(&self, copy: &WorkingCopy) -> Result<Execution, Error> {
        execution::run(copy.open()?, self.plan, self.settings, &Silent)
    }
}

/// Compares what the code expects with what it will find; none where no file says what it expects.
pub(super) fn of_code(ground: &Ground<'_>) -> Option<CodeDrift> {
    let code = match migrations::code_schema(ground.located) {
        Ok(code) => code?,
        Err(error) => return Some(CodeDrift { file: PathBuf::new(), changes: Err(error.to_string()) }),
    };
    let changes = found_by(ground, &code.statements).map_err(|why| why.0);
    Some(CodeDrift { file: code.file, changes })
}

fn found_by(ground: &Ground<'_>, statements: &[String]) -> Result<Vec<Change>, Why> {
    if ground.unsafe_sql {
        return Err(Why(UNSAFE.to_owned()));
    }
    let expected = WorkingCopy::empty(ground.snapshot, ground.workspace, "code")?;
    let session = expected.open()?;
    for statement in statements {
        session.connection.execute(statement, [])?;
    }
    drop(session);
    let found = ground.without_rows()?;
    if let Some(Trip { migration, message }) = failed(&ground.run_on(&found)?) {
        return Err(Why(format!("`{migration}` fails: {message}")));
    }
    let (before, after) = (Schema::read(&expected.connect()?)?, Schema::read(&found.connect()?)?);
    let changes = changes::by_name(&before, &after, &|table| !is_of_a_tool(table, &ground.plan.ledger.name));
    Ok(changes.into_iter().filter(|change| matters(change, &before, &after)).collect())
}

/// Whether the code may notice. What the file does not hold, and what the code does not name, it does not.
fn matters(change: &Change, before: &Schema, after: &Schema) -> bool {
    let column = |schema: &Schema| schema.table(&change.table)?.column(&change.name).cloned();
    match (change.kind, change.how) {
        (Kind::Trigger | Kind::Collation | Kind::TableOption | Kind::ColumnOrder, _)
        | (Kind::Table | Kind::Index | Kind::View, How::Added) => false,
        // The code does not fill it.
        (Kind::Column, How::Added) => {
            column(after).is_some_and(|column| column.not_null && column.default.is_none() && !column.generated)
        }
        (Kind::Type, _) => match (column(before), column(after)) {
            (Some(before), Some(after)) => {
                affinity(&before.declared_type, false) != affinity(&after.declared_type, false)
            }
            _ => true,
        },
        (Kind::Index, How::Removed) => {
            let was = before.indexes.get(&change.name.to_ascii_lowercase()).zip(before.table(&change.table));
            let was = was.map(|(index, table)| Definition::of(index, table, &str::to_owned));
            let table = after.table(&change.table);
            !was.zip(table).is_some_and(|(was, table)| was.is_kept_in(table, after))
        }
        _ => true,
    }
}

fn failed(execution: &Execution) -> Option<Trip> {
    let Outcome::Failed(failure) = &execution.outcome else { return None };
    let step = failure.step.and_then(|step| execution.steps.get(step));
    let migration = step.map_or_else(|| failure.doing.to_owned(), |step| step.migration.clone());
    Some(Trip { migration, message: failure.error.message.clone() })
}
