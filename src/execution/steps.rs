//! What ran: one [`Step`] per statement, with its time, its error and the rows that it wrote.

use std::fmt;
use std::time::Duration;

use super::command::Ran;
use super::usage::Usage;
use crate::migrations::statement::Statement;
use crate::snapshot::meter::Taken;
use crate::snapshot::{Bounds, JournalMode, Refusal, readable};
use crate::units::in_words;

/// A run of the pending migrations on one copy.
#[derive(Debug, Clone)]
pub struct Execution {
    /// The connection as production would have it.
    pub settings: super::Settings,
    /// Journal mode of the copy, as SQLite names it: `wal`, `delete`.
    pub journal_mode: String,
    /// How the run ended.
    pub outcome: Outcome,
    /// Every statement of the migrations that were reached, in order.
    pub steps: Vec<Step>,
    /// Rows that the tool's own statements wrote: in its ledger, and elsewhere where the ledger has a trigger.
    pub bookkeeping: Vec<Change>,
    /// Whether foreign keys are enforced on the connection once the tool and the driver are done with it.
    pub foreign_keys_after: bool,
    /// Wall time of the run.
    pub elapsed: Duration,
    /// What it took; none where that is not counted.
    pub usage: Option<Usage>,
    /// The tool's own command, where that ran the migrations.
    pub command: Option<Ran>,
}

impl Execution {
    /// A run through a command of which no statement is known.
    #[must_use]
    pub fn of_command(settings: super::Settings, journal_mode: JournalMode, ran: Ran) -> Self {
        Self {
            settings,
            journal_mode: journal_mode.name().to_owned(),
            outcome: Outcome::Completed,
            steps: Vec::new(),
            bookkeeping: Vec::new(),
            foreign_keys_after: settings.foreign_keys,
            elapsed: ran.elapsed,
            usage: None,
            command: Some(ran),
        }
    }

    /// Whether the statements are known: not of every command.
    #[must_use]
    pub fn is_traced(&self) -> bool {
        self.settings.driver != &super::drivers::command::UNKNOWN
    }
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Every pending migration ran and is recorded.
    Completed,
    /// Nothing was pending.
    NothingPending,
    /// A statement, or the bookkeeping around it, failed.
    Failed(Failure),
    /// The tool would not have started, or stops by its own rule before a pending migration: see the plan's refusal.
    Refused,
}

/// What was being done where the ledger could not take a migration that had run.
pub const RECORDING: &str = "recording the migration in the ledger";

/// Where and why a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Index into [`Execution::steps`]; none where BEGIN, COMMIT or the ledger failed.
    pub step: Option<usize>,
    /// What was being done, where it was not a statement of a migration.
    pub doing: &'static str,
    /// Why.
    pub error: StepError,
    /// Whether everything that had run was rolled back.
    pub rolled_back: bool,
}

/// A statement that was reached.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact about the step")]
pub struct Step {
    /// Name of the migration.
    pub migration: String,
    /// Its file, as shown to people.
    pub file: String,
    /// Number of the statement in its migration, from 1.
    pub number: usize,
    /// The statement.
    pub statement: Statement,
    /// False where the driver runs only the first statement of a chunk and left this one out.
    pub ran: bool,
    /// Wall time.
    pub elapsed: Duration,
    /// Whether a transaction was open when it began.
    pub in_transaction: bool,
    /// Whether foreign keys were enforced when it began.
    pub foreign_keys: bool,
    /// Rows of the one table that an `INSERT … SELECT` read from, counted before it ran.
    pub source_rows: Option<u64>,
    /// Double-quoted names that were read as strings.
    pub strings: Vec<String>,
    /// Rows that it wrote.
    pub changes: Vec<Change>,
    /// Size of the database after it in bytes; none where it did not run, or SQLite would not say.
    pub bytes_after: Option<u64>,
    /// What was written to files while it ran; none where that is not counted. What stays in the page cache is written by the commit.
    pub taken: Option<Taken>,
    /// Why it failed.
    pub error: Option<StepError>,
    /// Whether what it did is in the database at the end.
    pub committed: bool,
    /// Whether it changed the database in a way that its words do not tell: a statement that could not be read, or one that
    /// writes SQLite's own schema table.
    pub not_understood: bool,
}

/// Rows that a step wrote in one table, by one of the ways in which that can happen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// The table as it was called at that moment.
    pub table: String,
    /// Who wrote.
    pub by: By,
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
}

/// Whether these updated rows and inserted none, so that a key that is new was written by an UPDATE.
pub fn only_updated<'a>(changes: impl IntoIterator<Item = &'a Change>) -> bool {
    let mut updated = 0;
    let none_inserted = changes.into_iter().all(|change| {
        updated += change.updated;
        change.inserted == 0
    });
    none_inserted && updated > 0
}

/// Who wrote a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// The statement itself.
    Statement,
    /// ON DELETE or ON UPDATE of a foreign key.
    ForeignKey,
    /// A trigger.
    Trigger,
}

impl By {
    /// `statement`, `foreign-key` or `trigger`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Statement => "statement",
            Self::ForeignKey => "foreign-key",
            Self::Trigger => "trigger",
        }
    }
}

/// Why a step failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepError {
    /// SQLite's or the driver's message.
    pub message: String,
    /// SQLite's extended result code; none where the driver refused before SQLite saw the statement.
    pub extended_code: Option<i32>,
    /// Where it is the rehearsal that ended it.
    pub stopped: Option<Stopped>,
}

/// Why the rehearsal ended what would have gone on elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// A statement wanted what it may not.
    Refused(Refusal),
    /// It has taken this long.
    Time(Duration),
    /// The copy would hold more than these bytes that the snapshot does not.
    Growth(u64),
    /// SQLite would hold more in memory than it may.
    Memory,
}

impl Step {
    /// Rows deleted by these actors, over all tables that `table` accepts.
    #[must_use]
    pub fn deleted(&self, table: &str, by: By) -> u64 {
        self.changes
            .iter()
            .filter(|change| change.by == by && change.table.eq_ignore_ascii_case(table))
            .map(|change| change.deleted)
            .sum()
    }
}

impl fmt::Display for Stopped {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => write!(formatter, "the rehearsal does not run it: {refusal}"),
            Self::Time(time) => write!(formatter, "it was interrupted after {}", in_words(*time)),
            Self::Growth(bytes) => {
                write!(formatter, "the copy would hold more than {} that the snapshot does not", readable(*bytes))
            }
            Self::Memory => write!(formatter, "SQLite would hold more than {} in memory", Bounds::memory()),
        }
    }
}

impl StepError {
    /// What was told instead of SQLite by the driver, the tool or the command.
    #[must_use]
    pub fn told(message: impl Into<String>) -> Self {
        Self { message: message.into(), extended_code: None, stopped: None }
    }

    /// Whether a foreign key was violated.
    #[must_use]
    pub fn is_foreign_key(&self) -> bool {
        self.extended_code == Some(787)
    }

    /// Whether the machine failed and not the statement: the disk is full, or does not answer.
    #[must_use]
    pub fn is_of_the_machine(&self) -> bool {
        self.stopped.is_none() && self.extended_code.is_some_and(|code| matches!(code & 0xff, 10 | 13))
    }

    /// Whether it says nothing of the statement: a bound was reached, or the machine failed.
    #[must_use]
    pub fn is_cut_short(&self) -> bool {
        self.stopped.is_some() || self.is_of_the_machine()
    }

    /// The name of the extended code, for example `SQLITE_CONSTRAINT_NOTNULL`.
    #[must_use]
    pub fn code_name(&self) -> Option<&'static str> {
        Some(match self.extended_code? {
            1 => "SQLITE_ERROR",
            5 => "SQLITE_BUSY",
            7 => "SQLITE_NOMEM",
            8 => "SQLITE_READONLY",
            9 => "SQLITE_INTERRUPT",
            11 => "SQLITE_CORRUPT",
            13 => "SQLITE_FULL",
            18 => "SQLITE_TOOBIG",
            20 => "SQLITE_MISMATCH",
            23 => "SQLITE_AUTH",
            275 => "SQLITE_CONSTRAINT_CHECK",
            787 => "SQLITE_CONSTRAINT_FOREIGNKEY",
            1299 => "SQLITE_CONSTRAINT_NOTNULL",
            1555 => "SQLITE_CONSTRAINT_PRIMARYKEY",
            1811 => "SQLITE_CONSTRAINT_TRIGGER",
            2067 => "SQLITE_CONSTRAINT_UNIQUE",
            2579 => "SQLITE_CONSTRAINT_ROWID",
            3091 => "SQLITE_CONSTRAINT_DATATYPE",
            _ => return None,
        })
    }
}
