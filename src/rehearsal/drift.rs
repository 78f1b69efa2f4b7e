//! Drift: the applied migrations run once more, on an empty database, and what they make is compared with what the snapshot has. Where
//! that differs, the pending ones run on both schemas, without rows: does one fail on the snapshot's only?

mod memory;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::path::PathBuf;

use rusqlite::{Connection, ffi};

use crate::error::{Doing as _, Error};
use crate::execution::steps::Failure;
use crate::execution::{self, Execution, Outcome, Settings};
use crate::findings::{CodeDrift, Drift, Trip};
use crate::migrations::{self, CodeSchema, Entry, Located, Plan, State};
use crate::observer::Silent;
use crate::schema::changes::{self, Change, How, Kind};
use crate::schema::index::Definition;
use crate::schema::message::without_value;
use crate::schema::storage::affinity;
use crate::schema::{Schema, is_bookkeeping};
use crate::snapshot::{Snapshot, WorkingCopy, Workspace};
pub(super) use memory::Memory;

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

/// How the snapshot's schema differs from that of its applied migrations, and what the code expects from what it will find.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Drifts {
    /// None where no migration is applied.
    pub drift: Option<Drift>,
    /// None where no file says what the code expects.
    pub code: Option<CodeDrift>,
}

/// Finds both, unless they are known from another database.
pub(super) fn find(ground: &Ground<'_>, memory: &Memory) -> Drifts {
    let key = memory::key(ground).ok();
    if let Some(known) = key.and_then(|key| memory.recall(key)) {
        return known;
    }
    let deploy = Deploy { ground, ran: OnceCell::new() };
    let (drift, code) = (of_applied(&deploy), of_code(&deploy));
    let of_trips = drift.iter().flatten().filter_map(|replayed| replayed.trips.as_ref().err());
    let of_drift = drift.iter().filter_map(|drift| drift.as_ref().err());
    let of_code = code.iter().filter_map(|expected| expected.changes.as_ref().err());
    let holds_for_others = of_trips.chain(of_drift).chain(of_code).all(|why| why.is_of_schema);
    let drifts = Drifts {
        drift: drift.map(|drift| match drift {
            Ok(Replayed { applied, changes, trips }) => {
                Drift::Known { applied, changes, trips: trips.map_err(|why| why.text) }
            }
            Err(why) => Drift::Unknown(why.text),
        }),
        code: code.map(|Expected { file, sha256, changes }| CodeDrift {
            file,
            sha256,
            changes: changes.map_err(|why| why.text),
        }),
    };
    if let Some(key) = key.filter(|_| holds_for_others) {
        memory.keep(key, &drifts);
    }
    drifts
}

/// What the applied migrations make against what the snapshot has.
struct Replayed {
    applied: usize,
    changes: Vec<Change>,
    trips: Result<Option<Trip>, Why>,
}

/// The pending migrations on the snapshot's schema without rows. They run when they are asked for first, and once.
struct Deploy<'a> {
    ground: &'a Ground<'a>,
    ran: OnceCell<Result<(WorkingCopy, Execution), Why>>,
}

impl Deploy<'_> {
    fn ran(&self) -> Result<&(WorkingCopy, Execution), Why> {
        let run = || self.ground.on_schema_of(&self.ground.snapshot.connect()?);
        self.ran.get_or_init(run).as_ref().map_err(Why::clone)
    }
}

/// Compares the snapshot's schema with that of its applied migrations; none where there are none.
fn of_applied(deploy: &Deploy<'_>) -> Option<Result<Replayed, Why>> {
    let applied: Vec<&Entry> = deploy.ground.plan.entries.iter().filter(|entry| is_applied(entry)).collect();
    (!applied.is_empty()).then(|| replayed(deploy, &applied))
}

const UNSAFE: &str = "with --allow-unsafe-sql nothing is run again: it may reach other files";

/// What is missing and has a path is only listed beside the others: the ledger does not know it.
fn is_applied(entry: &Entry) -> bool {
    match entry.state {
        State::Applied | State::Edited { .. } => true,
        State::Missing => entry.migration.file.as_os_str().is_empty(),
        State::Pending | State::Skipped { .. } => false,
    }
}

/// Why it is not known.
#[derive(Clone)]
struct Why {
    text: String,
    /// Whether it would be so on every database with this schema: no disk was full, no time ran out.
    is_of_schema: bool,
}

impl Why {
    fn of_schema(text: impl Into<String>) -> Self {
        Self { text: text.into(), is_of_schema: true }
    }

    fn failed(failure: &Failure, text: String) -> Self {
        let code = failure.error.extended_code.map(|code| code & 0xff);
        let is_of_schema = matches!(code, Some(ffi::SQLITE_ERROR | ffi::SQLITE_CONSTRAINT));
        Self { text, is_of_schema: is_of_schema && failure.error.stopped.is_none() }
    }
}

impl From<Error> for Why {
    fn from(error: Error) -> Self {
        Self { text: error.to_string(), is_of_schema: false }
    }
}

impl From<rusqlite::Error> for Why {
    fn from(error: rusqlite::Error) -> Self {
        Self { text: without_value(&error.to_string()), is_of_schema: false }
    }
}

fn replayed(deploy: &Deploy<'_>, applied: &[&Entry]) -> Result<Replayed, Why> {
    let ground = deploy.ground;
    if ground.unsafe_sql {
        return Err(Why::of_schema(UNSAFE));
    }
    if let Some(entry) = applied.iter().find(|entry| entry.state == State::Missing) {
        return Err(Why::of_schema(format!("`{}` is applied, and its file is not there", entry.migration.name)));
    }
    let expected = WorkingCopy::empty(ground.snapshot, ground.workspace, "drift")?;
    let planned = migrations::plan(ground.located, &expected.connect()?);
    let refused = |error: Error| Why { text: format!("on an empty database: {error}"), is_of_schema: false };
    let plan = only(planned.map_err(refused)?, applied)?;
    let execution = execution::run(expected.open()?, &plan, ground.settings, &Silent)?;
    if let Some((Trip { migration, message }, failure)) = failed(&execution) {
        return Err(Why::failed(failure, format!("`{migration}` fails on an empty database: {message}")));
    }
    let before = Schema::read(&expected.connect()?)?;
    let after = Schema::read(&ground.snapshot.connect()?)?;
    let changes = changes::by_name(&before, &after, &|table| !is_of_a_tool(table, &ground.plan.ledger.name));
    let trips = if changes.is_empty() { Ok(None) } else { trip(deploy, &expected) };
    Ok(Replayed { applied: applied.len(), changes, trips })
}

fn is_of_a_tool(table: &str, ledger: &str) -> bool {
    is_bookkeeping(table, ledger) || table.starts_with("_litestream_")
}

/// What runs of an empty database's plan in order to get what is applied.
fn only(plan: Plan, applied: &[&Entry]) -> Result<Plan, Why> {
    if let Some(refusal) = plan.refusal {
        return Err(Why::of_schema(format!("the tool refuses to run on an empty database: {}", refusal.message)));
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
        Err(Why::of_schema("the tool would not run all of the applied migrations on an empty database"))
    }
}

/// The first pending migration that fails on the snapshot's schema, and not on the expected one; both without rows.
fn trip(deploy: &Deploy<'_>, expected: &WorkingCopy) -> Result<Option<Trip>, Why> {
    let ground = deploy.ground;
    if ground.plan.pending().next().is_none() || ground.plan.refusal.is_some() {
        return Ok(None);
    }
    let (_, on_snapshot) = deploy.ran()?;
    let Some(fails) = tripped(on_snapshot)? else { return Ok(None) };
    let (_, on_expected) = ground.on_schema_of(&expected.connect()?)?;
    let also = tripped(&on_expected)?;
    Ok(Some(fails).filter(|fails| also.is_none_or(|also| also.migration != fails.migration)))
}

/// What failed because of the schema.
fn tripped(execution: &Execution) -> Result<Option<Trip>, Why> {
    match failed(execution) {
        Some((Trip { migration, message }, failure)) if failure.error.is_cut_short() => {
            Err(Why::failed(failure, format!("`{migration}` fails on tables without rows: {message}")))
        }
        failed => Ok(failed.map(|(trip, _)| trip)),
    }
}

impl Ground<'_> {
    /// The plan on a database with this schema and no rows.
    fn on_schema_of(&self, model: &Connection) -> Result<(WorkingCopy, Execution), Why> {
        let copy = without_rows(self.snapshot, self.workspace, model)?;
        let execution = execution::run(copy.open()?, self.plan, self.settings, &Silent)?;
        Ok((copy, execution))
    }
}

/// A database with this schema and no rows.
///
/// # Errors
/// When the schema cannot be made anew.
pub(super) fn without_rows(
    snapshot: &Snapshot,
    workspace: &Workspace,
    model: &Connection,
) -> Result<WorkingCopy, Error> {
    let copy = WorkingCopy::empty(snapshot, workspace, "without-rows")?;
    let made = execution::empty::fill(&copy.open()?.connection, model);
    made.map_err(|error| without_value(&error.to_string())).doing(|| "making the schema without rows".to_owned())?;
    Ok(copy)
}

/// What the code expects against what it will find.
struct Expected {
    file: PathBuf,
    sha256: Option<String>,
    changes: Result<Vec<Change>, Why>,
}

/// Compares what the code expects with what it will find; none where no file says what it expects.
fn of_code(deploy: &Deploy<'_>) -> Option<Expected> {
    match migrations::code_schema(deploy.ground.located) {
        Ok(code) => code.map(|CodeSchema { file, sha256, statements }| Expected {
            file,
            sha256: Some(sha256),
            changes: statements.map_err(Why::from).and_then(|statements| found_by(deploy, &statements)),
        }),
        Err(error) => Some(Expected { file: PathBuf::new(), sha256: None, changes: Err(error.into()) }),
    }
}

fn found_by(deploy: &Deploy<'_>, statements: &[String]) -> Result<Vec<Change>, Why> {
    let ground = deploy.ground;
    if ground.unsafe_sql {
        return Err(Why::of_schema(UNSAFE));
    }
    if let Some(refusal) = &ground.plan.refusal {
        return Err(Why::of_schema(format!("the tool refuses to run: {}", refusal.message)));
    }
    let expected = WorkingCopy::empty(ground.snapshot, ground.workspace, "code")?;
    let session = expected.open()?;
    for statement in statements {
        session.connection.execute(statement, [])?;
    }
    drop(session);
    let (found, execution) = deploy.ran()?;
    if let Some((Trip { migration, message }, failure)) = failed(execution) {
        return Err(Why::failed(failure, format!("`{migration}` fails on tables without rows: {message}")));
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

fn failed(execution: &Execution) -> Option<(Trip, &Failure)> {
    let Outcome::Failed(failure) = &execution.outcome else { return None };
    let step = failure.step.and_then(|step| execution.steps.get(step));
    let migration = step.map_or_else(|| failure.doing.to_owned(), |step| step.migration.clone());
    Some((Trip { migration, message: failure.error.message.clone() }, failure))
}
