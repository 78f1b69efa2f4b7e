//! The run itself: settings, BEGIN, statements, ledger, COMMIT, as the driver would issue them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ffi};

use super::Settings;
use super::driver::{EmptyChunk, ForeignKeys, OwnTransaction, SeveralStatements, Transaction};
use super::hooks::{Recorder, add_diesel_function};
use super::message::step_error;
use super::steps::{Change, Execution, Failure, Outcome, RECORDING, Step, StepError, Stopped};
use super::strings::strings;
use super::usage::{Places, Usage};
use super::witness::{Doing, Nobody, Witness};
use crate::error::{Doing as _, Error};
use crate::migrations::migration::{Chunk, Migration};
use crate::migrations::plan::Plan;
use crate::migrations::statement::{Action, Insert, Select, Statement};
use crate::migrations::tools::diesel;
use crate::observer::{Observer, Stage, Work};
use crate::schema::lexer::{Token, quote_identifier, tokens};
use crate::snapshot::meter::{Meter, Taken};
use crate::snapshot::{Refusal, Session, within_time};

/// Runs the plan's pending migrations on the copy to which the session writes.
///
/// # Errors
/// Only where the connection cannot be set up. A migration that fails is an [`Outcome`].
pub fn run(session: Session, plan: &Plan, settings: Settings, observer: &dyn Observer) -> Result<Execution, Error> {
    run_before(&Nobody, session, plan, settings, observer)
}

/// The same before a witness.
///
/// # Errors
/// As [`run`].
pub fn run_before(
    witness: &dyn Witness,
    session: Session,
    plan: &Plan,
    settings: Settings,
    observer: &dyn Observer,
) -> Result<Execution, Error> {
    run_watched(true, witness, session, plan, settings, observer)
}

/// The same without a look at what each statement changes, so that time and size are those of the statements alone.
///
/// # Errors
/// As [`run`].
pub fn run_unobserved(
    session: Session,
    plan: &Plan,
    settings: Settings,
    observer: &dyn Observer,
) -> Result<Execution, Error> {
    run_watched(false, &Nobody, session, plan, settings, observer)
}

fn run_watched(
    observed: bool,
    witness: &dyn Witness,
    session: Session,
    plan: &Plan,
    settings: Settings,
    observer: &dyn Observer,
) -> Result<Execution, Error> {
    let connection = &session.connection;
    let journal_mode = configure(connection, settings).doing(|| "opening the copy".to_owned())?;
    if plan.tool == diesel::TOOL.name {
        add_diesel_function(connection).doing(|| "opening the copy".to_owned())?;
    }
    let time = session.time;
    let interrupt = connection.get_interrupt_handle();
    let meter = session.meter().cloned();
    let recorder = Recorder::attach(session, settings.driver, observed).doing(|| "watching the copy".to_owned())?;
    if let Some(meter) = &meter {
        meter.begin();
    }
    let started = Instant::now();
    let mut run = Run {
        recorder,
        observed,
        meter,
        places: Places::default(),
        witness,
        settings,
        time,
        begun: started,
        steps: Vec::new(),
        bookkeeping: Vec::new(),
        first_open: 0,
        savepoints: Vec::new(),
        undone: BTreeSet::new(),
    };
    let (outcome, _) = within_time(time, vec![interrupt], || run.outcome(plan, observer));
    let elapsed = started.elapsed();
    let foreign_keys_after = run.foreign_keys();
    let locks = run.meter.as_ref().map(|meter| run.places.locks(meter));
    let Run { recorder, meter, places, steps, bookkeeping, .. } = run;
    // The end of the connection may write too.
    drop(recorder);
    let usage = meter.zip(locks).map(|(meter, [write_lock, readers])| Usage {
        sizes: meter.sizes(),
        write_lock,
        readers,
        at_most: observed && steps.iter().any(deletes_all),
        places,
    });
    Ok(Execution {
        settings,
        journal_mode,
        outcome,
        foreign_keys_after,
        steps,
        bookkeeping,
        elapsed,
        usage,
        command: None,
    })
}

/// Whether it deleted rows that SQLite would not look at if nobody watched. It looks at those that a DROP TABLE deletes, which it does
/// because of foreign keys.
fn deletes_all(step: &Step) -> bool {
    let deleted = step.changes.iter().any(|change| change.deleted > 0);
    deleted && matches!(step.statement.action, Action::Delete { has_where: false, .. })
}

/// Sets the connection up as the driver does; gives the journal mode.
pub(super) fn configure(connection: &Connection, settings: Settings) -> rusqlite::Result<String> {
    let strings = settings.double_quoted_strings;
    for (option, value) in [
        (DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, settings.foreign_keys),
        (DbConfig::SQLITE_DBCONFIG_DQS_DML, strings.dml),
        (DbConfig::SQLITE_DBCONFIG_DQS_DDL, strings.ddl),
        (DbConfig::SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, false),
        (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, settings.driver.defensive),
    ] {
        connection.set_db_config(option, value)?;
    }
    let journal_mode: String = connection.query_row("PRAGMA journal_mode", [], |row| row.get(0))?;
    let tuning = settings.driver.tuning();
    connection.execute_batch(&format!(
        "PRAGMA recursive_triggers = OFF; PRAGMA synchronous = {}; PRAGMA cache_size = {}; PRAGMA secure_delete = {}; \
         PRAGMA temp_store = {}",
        tuning.synchronous(&journal_mode),
        tuning.cache_size,
        tuning.secure_delete,
        if tuning.temporary_in_memory { "MEMORY" } else { "DEFAULT" },
    ))?;
    Ok(journal_mode)
}

/// A run under way.
struct Run<'a> {
    recorder: Recorder,
    /// Whether it is looked at what each statement changes.
    observed: bool,
    /// What counts writes and locks.
    meter: Option<Arc<Meter>>,
    places: Places,
    witness: &'a dyn Witness,
    settings: Settings,
    /// How long all may take.
    time: Duration,
    begun: Instant,
    steps: Vec<Step>,
    /// Rows that the bookkeeping wrote.
    bookkeeping: Vec<Change>,
    /// The first step whose effect is not committed yet.
    first_open: usize,
    /// Open savepoints: their names, and the first step that each of them takes back.
    savepoints: Vec<(String, usize)>,
    /// Steps that a savepoint took back.
    undone: BTreeSet<usize>,
}

/// Why the run stopped: in a step that is already recorded, or around the statements.
enum Stop {
    InStep(StepError),
    Around(&'static str, StepError),
}

impl Run<'_> {
    fn outcome(&mut self, plan: &Plan, observer: &dyn Observer) -> Outcome {
        let runs = |plan: &Plan| {
            plan.pending().next().is_some() && plan.refusal.as_ref().is_none_or(|refusal| refusal.after > 0)
        };
        if !runs(plan) && plan.setup.is_empty() {
            return if plan.refusal.is_some() { Outcome::Refused } else { Outcome::NothingPending };
        }
        let result = self.all(plan, observer);
        let rolled_back = self.roll_back();
        self.around(self.settings.driver.after).ok();
        match result {
            Ok(()) if plan.refusal.is_some() => Outcome::Refused,
            Ok(()) if plan.pending().next().is_none() => Outcome::NothingPending,
            Ok(()) => Outcome::Completed,
            Err(Stop::InStep(error)) => Outcome::Failed(Failure {
                step: self.steps.iter().rposition(|step| step.ran),
                doing: "",
                error,
                rolled_back,
            }),
            Err(Stop::Around(doing, error)) => Outcome::Failed(Failure { step: None, doing, error, rolled_back }),
        }
    }

    fn all(&mut self, plan: &Plan, observer: &dyn Observer) -> Result<(), Stop> {
        let transaction = self.settings.transaction;
        if transaction != Transaction::AroundAllAndLedger {
            self.setup(plan)?;
        }
        self.around(self.settings.driver.before).map_err(|error| Stop::Around("preparing the connection", error))?;
        if !transaction.is_around_each() && transaction != Transaction::None {
            self.bookkeeping("BEGIN").map_err(|error| Stop::Around("beginning the transaction", error))?;
        }
        if transaction == Transaction::AroundAllAndLedger {
            self.setup(plan)?;
        }
        let reached = plan.refusal.as_ref().map_or(usize::MAX, |refusal| refusal.after);
        for migration in plan.pending().take(reached) {
            let statements = migration.chunks.iter().map(|chunk| chunk.statements.len() as u64).sum();
            let work = Work::begin(observer, Stage::Migration(migration.name.clone()), Some(statements));
            self.recorder.show_in(work.share());
            self.migration(migration, &work)?;
        }
        let own_commit_is_due = matches!(transaction, Transaction::AroundAll | Transaction::AroundAllAndLedger);
        if own_commit_is_due {
            self.bookkeeping("COMMIT").map_err(|error| Stop::Around("committing the transaction", error))?;
        }
        self.note_commit();
        Ok(())
    }

    fn setup(&mut self, plan: &Plan) -> Result<(), Stop> {
        for sql in &plan.setup {
            self.bookkeeping(sql).map_err(|error| Stop::Around("preparing the ledger", error))?;
        }
        Ok(())
    }

    fn around(&mut self, pragmas: &[&str]) -> Result<(), StepError> {
        pragmas.iter().try_for_each(|pragma| self.bookkeeping(pragma))
    }

    fn migration(&mut self, migration: &Migration, work: &Work) -> Result<(), Stop> {
        self.witness.begin();
        self.write(&migration.record.before)?;
        let result = self.body(migration, work);
        if result.is_err() && !migration.record.failed.is_empty() {
            // A tool without a transaction does not end the one that a migration has left open.
            if self.settings.transaction != Transaction::None {
                self.roll_back();
            }
            self.write(&migration.record.failed)?;
        }
        result?;
        self.write(&migration.record.after)?;
        self.witness.end();
        Ok(())
    }

    /// The migration in its transaction, with foreign keys off where the tool sees to that.
    fn body(&mut self, migration: &Migration, work: &Work) -> Result<(), Stop> {
        let guarded = self.settings.transaction == Transaction::AroundEachGuarded && !migration.unwrapped;
        if !guarded || !self.foreign_keys() {
            return self.in_transaction(migration, work, None);
        }
        self.around(&["PRAGMA foreign_keys = off"]).map_err(|error| Stop::Around("preparing the connection", error))?;
        let violations = self.violations();
        self.in_time()?;
        let result = self.in_transaction(migration, work, Some(&violations));
        self.roll_back();
        self.around(&["PRAGMA foreign_keys = on"]).ok();
        result
    }

    /// `known` are the violations of foreign keys that may be there at its end.
    fn in_transaction(
        &mut self,
        migration: &Migration,
        work: &Work,
        known: Option<&BTreeSet<Violation>>,
    ) -> Result<(), Stop> {
        let each = self.settings.transaction.is_around_each() && !migration.unwrapped;
        if each {
            self.bookkeeping("BEGIN").map_err(|error| Stop::Around("beginning the transaction", error))?;
        }
        let mut number = 0;
        for chunk in &migration.chunks {
            self.chunk(migration, chunk, &mut number, work)?;
            self.write(&chunk.record)?;
        }
        self.write(&migration.record.within)?;
        let mismatched = known.and_then(|known| mismatch(&self.violations(), known));
        self.in_time()?;
        if let Some(error) = mismatched {
            return Err(Stop::Around("committing the transaction", error));
        }
        if each {
            self.bookkeeping("COMMIT").map_err(|error| Stop::Around("committing the transaction", error))?;
        }
        self.note_commit();
        Ok(())
    }

    /// Writes into the ledger.
    fn write(&mut self, record: &[String]) -> Result<(), Stop> {
        record.iter().try_for_each(|sql| self.record(sql)).map_err(|error| Stop::Around(RECORDING, error))
    }

    fn chunk(&mut self, migration: &Migration, chunk: &Chunk, number: &mut usize, work: &Work) -> Result<(), Stop> {
        let several = self.settings.several_statements;
        let Some((first, rest)) = chunk.statements.split_first() else {
            return self.empty_chunk(migration, chunk, number);
        };
        if !rest.is_empty()
            && let SeveralStatements::Refused(message) = several
        {
            return self.refuse_several(migration, first, number, message);
        }
        self.statement(migration, first, number)?;
        work.add(1);
        for statement in rest {
            if several == SeveralStatements::All {
                self.statement(migration, statement, number)?;
            } else {
                let mut step = self.step(migration, statement, number);
                step.ran = false;
                self.steps.push(step);
            }
            work.add(1);
        }
        Ok(())
    }

    fn empty_chunk(&mut self, migration: &Migration, chunk: &Chunk, number: &mut usize) -> Result<(), Stop> {
        let EmptyChunk::Refused(message) = self.settings.driver.empty_chunk else { return Ok(()) };
        let nothing = Statement::new("", chunk.line, 1);
        self.refuse(migration, &nothing, number, message)
    }

    /// The driver compiles the first statement before it notices the second, so that an error in the first comes first.
    fn refuse_several(
        &mut self,
        migration: &Migration,
        first: &Statement,
        number: &mut usize,
        message: &'static str,
    ) -> Result<(), Stop> {
        let compiled = self.recorder.connection().prepare(&first.sql).map(drop);
        match compiled {
            Ok(()) => self.refuse(migration, first, number, message),
            Err(_) => self.statement(migration, first, number),
        }
    }

    fn refuse(
        &mut self,
        migration: &Migration,
        statement: &Statement,
        number: &mut usize,
        message: &str,
    ) -> Result<(), Stop> {
        let mut step = self.step(migration, statement, number);
        let error = StepError::told(message);
        step.error = Some(error.clone());
        self.steps.push(step);
        Err(Stop::InStep(error))
    }

    fn statement(&mut self, migration: &Migration, statement: &Statement, number: &mut usize) -> Result<(), Stop> {
        if let Some(message) = self.transaction_refusal(&statement.action) {
            return self.refuse(migration, statement, number, message);
        }
        let mut step = self.step(migration, statement, number);
        if self.observed {
            step.source_rows = self.source_rows(&statement.action);
            let allowed = self.settings.double_quoted_strings;
            let goes_on = || self.begun.elapsed() < self.time;
            step.strings = strings(self.recorder.connection(), &statement.sql, allowed, goes_on);
        }
        self.in_time()?;
        let state = (self.observed && statement.action.is_opaque()).then(|| self.state());
        self.recorder.forget();
        self.take();
        let started = Instant::now();
        let result = self.witnessed(Doing::Step(self.steps.len()), &statement.sql);
        step.elapsed = started.elapsed();
        step.taken = self.take();
        step.changes = self.recorder.take();
        step.bytes_after = if self.observed { self.bytes() } else { None };
        step.error = result.as_ref().err().cloned();
        step.not_understood = state.is_some_and(|before| before != self.state());
        let first_of_run = self.steps.is_empty();
        self.steps.push(step);
        result.map_err(Stop::InStep)?;
        self.honour_pragma(&statement.action);
        if first_of_run && self.settings.transaction == Transaction::FirstStatementOnly {
            self.bookkeeping("COMMIT").map_err(|error| Stop::Around("committing the transaction", error))?;
        }
        if statement.action == Action::Savepoint {
            self.note_savepoint(&statement.sql);
        }
        if statement.action == Action::Rollback {
            self.first_open = self.steps.len();
        }
        self.note_commit();
        Ok(())
    }

    fn step(&self, migration: &Migration, statement: &Statement, number: &mut usize) -> Step {
        *number += 1;
        Step {
            migration: migration.name.clone(),
            file: migration.file.display().to_string(),
            number: *number,
            statement: statement.clone(),
            ran: true,
            elapsed: Duration::ZERO,
            in_transaction: !self.recorder.connection().is_autocommit(),
            foreign_keys: self.foreign_keys(),
            source_rows: None,
            strings: Vec::new(),
            changes: Vec::new(),
            bytes_after: None,
            taken: None,
            error: None,
            committed: false,
            not_understood: false,
        }
    }

    /// What was written to files since the last call.
    fn take(&self) -> Option<Taken> {
        self.meter.as_ref().map(|meter| meter.take())
    }

    /// Size of the database as the connection sees it, in bytes.
    fn bytes(&self) -> Option<u64> {
        let of = |pragma: &str| -> Option<u64> {
            let value = self.recorder.connection().query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0));
            u64::try_from(value.unwrap_or(-1_i64)).ok()
        };
        of("page_count")?.checked_mul(of("page_size")?)
    }

    /// Rows written so far and the number of the schema: both the same means that a statement did nothing to the database.
    fn state(&self) -> (u64, Option<i64>) {
        let connection = self.recorder.connection();
        let version = connection.query_row("PRAGMA schema_version", [], |row| row.get(0)).ok();
        (connection.total_changes(), version)
    }

    /// Every row that refers to none; none where the check cannot be made.
    fn violations(&self) -> BTreeSet<Violation> {
        let connection = self.recorder.connection();
        let Ok(mut check) = connection.prepare("PRAGMA foreign_key_check") else { return BTreeSet::new() };
        let rows = check.query_map([], |row| Ok((row.get(0)?, row.get(2)?, row.get(1)?, row.get(3)?)));
        rows.map(|rows| rows.filter_map(Result::ok).collect()).unwrap_or_default()
    }

    fn foreign_keys(&self) -> bool {
        self.recorder.connection().db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY).unwrap_or_default()
    }

    fn transaction_refusal(&self, action: &Action) -> Option<&'static str> {
        match self.settings.driver.own_transaction {
            OwnTransaction::Allowed => None,
            OwnTransaction::ClosedAfterCommit(message) => self.recorder.connection().is_autocommit().then_some(message),
            OwnTransaction::Refused(message) => {
                matches!(action, Action::Begin | Action::Commit | Action::Rollback | Action::Savepoint)
                    .then_some(message)
            }
        }
    }

    /// How many rows the one table of an `INSERT … SELECT` holds. The count does not change what the statement will do.
    fn source_rows(&self, action: &Action) -> Option<u64> {
        let Action::Insert(Insert { select: Some(Select { from: Some(from), .. }), .. }) = action else { return None };
        let sql = format!("SELECT count(*) FROM {}", quote_identifier(from));
        self.recorder.connection().query_row(&sql, [], |row| row.get::<_, i64>(0)).ok().map(i64::unsigned_abs)
    }

    fn witnessed(&mut self, doing: Doing<'_>, sql: &str) -> Result<(), StepError> {
        let step = if let Doing::Step(step) = doing { Some(step) } else { None };
        self.places.next(step, self.meter.as_deref());
        self.witness.before(doing);
        let result = self.execute(sql);
        self.witness.after(self.recorder.connection().is_autocommit());
        result
    }

    fn execute(&self, sql: &str) -> Result<(), StepError> {
        self.try_execute(sql).map_err(|error| {
            let said = self.as_the_driver_says(step_error(&error, sql, self.recorder.connection()));
            match self.stopped(&said, sql) {
                Some(stopped) => StepError { message: stopped.to_string(), stopped: Some(stopped), ..said },
                None => said,
            }
        })
    }

    /// What is looked up beside the statements is interrupted too, and then not known.
    fn in_time(&self) -> Result<(), Stop> {
        if self.begun.elapsed() < self.time {
            return Ok(());
        }
        let stopped = Stopped::Time(self.time);
        let error = StepError { stopped: Some(stopped.clone()), ..StepError::told(stopped.to_string()) };
        Err(Stop::Around("running the migrations", error))
    }

    /// Whether the rehearsal is why it failed. The name of a file that is not written in the statement may be a value.
    fn stopped(&self, error: &StepError, sql: &str) -> Option<Stopped> {
        if let Some(refusal) = self.recorder.take_refusal() {
            return Some(Stopped::Refused(match refusal {
                Refusal::File(Some(name)) if !sql.contains(&name) => Refusal::File(None),
                refusal => refusal,
            }));
        }
        match (error.extended_code?, self.recorder.overflow()) {
            (ffi::SQLITE_INTERRUPT, _) => Some(Stopped::Time(self.time)),
            (ffi::SQLITE_FULL, Some(bytes)) => Some(Stopped::Growth(bytes)),
            (ffi::SQLITE_NOMEM, _) => Some(Stopped::Memory),
            _ => None,
        }
    }

    /// A function that is refused because the driver's SQLite does not have it.
    fn as_the_driver_says(&self, error: StepError) -> StepError {
        match error.message.strip_prefix("not authorized to use function: ") {
            Some(name) if self.settings.driver.lacks_function(name) => StepError {
                extended_code: Some(ffi::SQLITE_ERROR),
                ..StepError::told(format!("no such function: {name}"))
            },
            _ => error,
        }
    }

    fn try_execute(&self, sql: &str) -> rusqlite::Result<()> {
        let mut statement = self.recorder.connection().prepare(sql)?;
        let mut rows = statement.raw_query();
        while rows.next()?.is_some() {}
        Ok(())
    }

    fn record(&mut self, sql: &str) -> Result<(), StepError> {
        match self.transaction_refusal(&Action::Unknown) {
            Some(message) => Err(StepError::told(message)),
            None => self.bookkeeping(sql),
        }
    }

    /// What the tool or the driver runs besides the migrations; what it writes is kept apart.
    fn bookkeeping(&mut self, sql: &str) -> Result<(), StepError> {
        let result = self.witnessed(Doing::Own(sql), sql);
        self.bookkeeping.extend(self.recorder.take());
        result
    }

    /// Two engines treat `PRAGMA foreign_keys` in another way than SQLite does; both ways are set past the pragma.
    fn honour_pragma(&self, action: &Action) {
        let Action::Pragma { name, value: Some(value) } = action else { return };
        if name != "foreign_keys" {
            return;
        }
        let on = match self.settings.driver.foreign_keys {
            ForeignKeys::AlwaysOn => self.settings.foreign_keys,
            ForeignKeys::OffAndPragmaAlwaysWorks => matches!(value.as_str(), "on" | "1" | "true" | "yes"),
            ForeignKeys::On | ForeignKeys::Off => return,
        };
        self.recorder.connection().set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, on).ok();
    }

    /// `SAVEPOINT name` or `ROLLBACK TO name`; what is released stays as it is.
    fn note_savepoint(&mut self, sql: &str) {
        let tokens: Vec<Token> = tokens(sql).filter(|token| !token.is_trivia()).collect();
        let Some(name) = tokens.last().and_then(|token| token.name(sql)).map(|name| name.to_ascii_lowercase()) else {
            return;
        };
        if tokens[0].is_word(sql, "SAVEPOINT") {
            self.savepoints.push((name, self.steps.len()));
        } else if tokens[0].is_word(sql, "ROLLBACK")
            && let Some((_, first)) = self.savepoints.iter().rev().find(|(open, _)| *open == name)
        {
            self.undone.extend(*first..self.steps.len() - 1);
        }
    }

    fn note_commit(&mut self) {
        if self.recorder.connection().is_autocommit() {
            for (index, step) in self.steps.iter_mut().enumerate().skip(self.first_open) {
                step.committed = step.ran && step.error.is_none() && !self.undone.contains(&index);
            }
            self.savepoints.clear();
            self.first_open = self.steps.len();
        }
    }

    /// True where nothing of what ran is in the database.
    fn roll_back(&mut self) -> bool {
        if !self.recorder.connection().is_autocommit() {
            self.bookkeeping("ROLLBACK").ok();
        }
        !self.steps.iter().any(|step| step.committed)
    }
}

/// A row that refers to none: its table, the other table, its rowid, the number of the foreign key.
type Violation = (String, String, Option<i64>, i64);

/// What atlas says of violations that were not there before, without the rows.
fn mismatch(found: &BTreeSet<Violation>, known: &BTreeSet<Violation>) -> Option<StepError> {
    let mut new = found.difference(known);
    let (table, parent, ..) = new.next()?;
    let others = match new.count() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let message = format!("sql/sqlite: foreign key mismatch: [{{tbl:{table} ref:{parent}}}{others}]");
    Some(StepError::told(message))
}
