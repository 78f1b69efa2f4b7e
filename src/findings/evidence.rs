//! Everything that a rehearsal found out, for the rules to judge.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::compare::Comparison;
use crate::compare::app::{Checked, Works};
use crate::compare::queries::Answer;
use crate::execution::steps::{Failure, Outcome};
use crate::execution::{Execution, Machine, Step, Turned};
use crate::migrations::Migration;
use crate::migrations::plan::{Decision, Plan};
use crate::queries::Queries;
use crate::snapshot::{Facts, Untouched, Waits};

use super::drift::{CodeDrift, Drift};
use super::faults::Faults;
use super::rule::{Finding, Place};
use super::thresholds::Thresholds;

/// Everything that a rehearsal found out.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// What the snapshot is.
    pub snapshot: Facts,
    /// Whether it is still what it was.
    pub untouched: Untouched,
    /// What was applied and pending.
    pub plan: Plan,
    /// How the driver was found out.
    pub driver_decision: Decision,
    /// The rehearsal that counts: under the driver, or under the plausible driver with the worst outcome.
    pub trial: Trial,
    /// The rehearsals under the other plausible drivers, where the driver is not known.
    pub others: Vec<Trial>,
    /// The same with one setting turned, for each setting on which the outcome may hang.
    pub counter_trials: Vec<(Turned, Trial)>,
    /// The version of the driver's package in the project's lock file, where it is known.
    pub locked_driver: Option<String>,
    /// The outcome on a database with the same schema and no rows, where a migration failed.
    pub on_empty: Option<Execution>,
    /// The way back, where that was asked for and the migrations completed.
    pub way_back: Option<WayBack>,
    /// How the snapshot's schema differs from that of its applied migrations; none where none is applied, or a command runs them.
    pub drift: Option<Drift>,
    /// How what the code expects differs from what it will find; none where no file says what it expects.
    pub code_drift: Option<CodeDrift>,
    /// What deaths of the process, a second and another run show, where that was asked for and the migrations completed.
    pub faults: Option<Faults>,
    /// The queries of the app, where they were given.
    pub queries: Option<Arc<Queries>>,
    /// The same on a plain file on the disk, without a look at the rows, where that was asked for and the migrations completed.
    pub measured: Option<Measured>,
    /// What all of it ran on.
    pub machine: Machine,
    /// What the person set.
    pub limits: Limits,
}

/// The migrations on a plain file on the disk, without a look at the rows.
#[derive(Debug, Clone)]
pub struct Measured {
    /// What ran.
    pub execution: Execution,
    /// Whether the file lay in memory and not on a disk.
    pub in_memory: bool,
    /// The same once more beside an app, where that was asked for.
    pub live: Option<Live>,
}

/// The migrations beside an app that reads and writes.
#[derive(Debug, Clone)]
pub struct Live {
    /// What ran.
    pub execution: Execution,
    /// What the app's reader met.
    pub reader: Waits,
    /// What its writer met.
    pub writer: Waits,
}

/// The migrations and then what undoes them, on another copy.
#[derive(Debug, Clone)]
pub struct WayBack {
    /// What undid them.
    pub execution: Execution,
    /// The snapshot against what was there at the end.
    pub comparison: Comparison,
    /// The migration that nothing undoes, and before which the way back ends; none where it leads to the beginning.
    pub no_further_than: Option<String>,
}

/// One run and what it did.
#[derive(Debug, Clone)]
pub struct Trial {
    /// What ran.
    pub execution: Execution,
    /// What differs.
    pub comparison: Comparison,
    /// What became of the person's queries, in their order.
    pub answers: Vec<Answer>,
    /// What became of the app's queries, in their order; none where there are none, or the migrations did not run to their end.
    pub queries: Option<Vec<Checked>>,
    /// Size of the copy before the run in bytes.
    pub bytes_before: u64,
    /// Size of the copy after the run in bytes.
    pub bytes_after: u64,
    /// Of these, in pages that hold nothing.
    pub bytes_free: u64,
}

/// What the same migrations do under one driver of the tool, for a table of all of them.
#[derive(Debug, Clone)]
pub struct Cell {
    /// The run and what it did.
    pub trial: Trial,
    /// What the rules say of it and no waiver covers.
    pub findings: Vec<Finding>,
    /// Whether it is a driver that the project was found to use.
    pub decided: bool,
}

/// What the person set.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// The oldest snapshot that is worth a rehearsal.
    pub max_snapshot_age: Option<Duration>,
    /// When the rehearsal began.
    pub now: SystemTime,
    /// From where on what migrations take is worth a finding.
    pub thresholds: Thresholds,
    /// How many bytes production has free.
    pub disk_free: Option<u64>,
}

impl Evidence {
    /// What ran.
    #[must_use]
    pub fn execution(&self) -> &Execution {
        &self.trial.execution
    }

    /// What differs.
    #[must_use]
    pub fn comparison(&self) -> &Comparison {
        &self.trial.comparison
    }

    /// The same with this setting turned, where that was tried.
    #[must_use]
    pub fn turned(&self, setting: Turned) -> Option<&Trial> {
        self.counter_trials.iter().find(|(turned, _)| *turned == setting).map(|(_, trial)| trial)
    }

    /// The run whose times count: that on the disk, where there is one that completed.
    #[must_use]
    pub fn timed(&self) -> &Execution {
        let measured = self.measured.as_ref().map(|measured| &measured.execution);
        measured.filter(|execution| execution.outcome == Outcome::Completed).unwrap_or(self.execution())
    }

    /// The steps whose effect is in the database, in order.
    #[must_use = "an iterator does nothing by itself"]
    pub fn committed(&self) -> impl DoubleEndedIterator<Item = &Step> {
        self.execution().steps.iter().filter(|step| step.committed)
    }
}

impl Trial {
    /// How grave the outcome is; the gravest of several plausible ones counts.
    #[must_use]
    pub fn gravity(&self) -> (bool, u64, u64, usize) {
        let failed = matches!(self.execution.outcome, Outcome::Failed(_));
        let columns =
            self.comparison.tables.iter().filter_map(|table| table.rows.as_ref()).flat_map(|rows| &rows.columns);
        (
            failed,
            self.comparison.rows_lost(),
            columns.map(|column| column.nulled + column.lossy + column.altered()).sum(),
            self.queries.iter().flatten().filter(|query| matches!(query.works, Works::Before(_))).count(),
        )
    }

    /// Where and why it failed.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        match &self.execution.outcome {
            Outcome::Failed(failure) => Some(failure),
            _ => None,
        }
    }
}

/// The place of a migration's file as a whole.
#[must_use]
pub fn file(migration: &Migration) -> Place {
    Place {
        migration: migration.name.clone(),
        file: migration.file.display().to_string(),
        line: 1,
        column: 1,
        statement: String::new(),
    }
}

/// The place of a step's statement.
#[must_use]
pub fn place(step: &Step) -> Place {
    Place {
        migration: step.migration.clone(),
        file: step.file.clone(),
        line: step.statement.line,
        column: step.statement.column,
        statement: crate::migrations::statement::redact(&step.statement.sql),
    }
}
