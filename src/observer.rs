//! Progress. The library prints nothing; whoever wants to show progress implements [`Observer`].
//!
//! An observer is told which work begins and ends, and meanwhile looks at it as often as it likes: [`Work`] counts where rows and pages
//! are read and written, and calling somebody there would cost more than what is counted.

use std::ops::Deref;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// One part of a rehearsal that may take long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Making a database of a dump, or of what is compressed or comes through a pipe; counted in bytes of what was given.
    Import,
    /// Copying the snapshot; counted in bytes.
    Copy,
    /// Writing a copy as a file: for the tool's own command, or to be kept; counted in bytes.
    Keep,
    /// Reading every byte of the snapshot, to see whether it stays what it is; counted in bytes.
    Verify,
    /// One of several rehearsals, in words that follow `rehearsing`: `with foreign keys off`. Other work takes place in it, nothing is counted.
    Trial(String),
    /// Running one migration, by name; counted in statements, see [`Work::rows`] for what one of them does.
    Migration(String),
    /// Running the tool's own command; counted in lines that it says.
    Command {
        /// As it was given.
        line: String,
        /// When it is ended.
        time_limit: Duration,
    },
    /// Finding the pages in which two files differ; counted in bytes of both.
    Differ,
    /// Counting the rows and values of tables of one state; counted in bytes.
    Count,
    /// Comparing the rows of tables that may differ; counted in rows of both states.
    Compare,
    /// What SQLite says of both states: nothing is counted.
    Check,
    /// Checking the app's queries on both states; counted in queries.
    Queries,
    /// Rehearsing many databases, several at a time; counted in databases, see [`Work::failed`] for how many were not well.
    Databases,
}

/// In what work is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes of a file.
    Bytes,
    /// Statements of a migration.
    Statements,
    /// Rows of tables.
    Rows,
    /// Lines of output.
    Lines,
    /// Queries of the app.
    Queries,
    /// Databases.
    Databases,
}

impl Stage {
    /// In what its work is counted; none where nothing is.
    #[must_use]
    pub fn unit(&self) -> Option<Unit> {
        match self {
            Self::Import | Self::Copy | Self::Keep | Self::Verify | Self::Differ | Self::Count => Some(Unit::Bytes),
            Self::Migration(_) => Some(Unit::Statements),
            Self::Compare => Some(Unit::Rows),
            Self::Command { .. } => Some(Unit::Lines),
            Self::Queries => Some(Unit::Queries),
            Self::Databases => Some(Unit::Databases),
            Self::Trial(_) | Self::Check => None,
        }
    }
}

/// Sees how far a rehearsal has come. What begins ends, also after an error; several stages may be under way, on several threads.
pub trait Observer: Sync {
    /// Work begins.
    fn begin(&self, work: &Arc<Work>) {
        let _ = work;
    }

    /// The work is over. Where it succeeded, what is done is the total.
    fn end(&self, work: &Arc<Work>) {
        let _ = work;
    }
}

/// Says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}

/// How far the work of one stage has come. It may be looked at from any thread at any time.
#[derive(Debug)]
pub struct Work {
    stage: Stage,
    /// [`UNKNOWN`] where it is not known.
    total: AtomicU64,
    done: AtomicU64,
    rows: AtomicU64,
    failed: AtomicU64,
    at: Mutex<String>,
}

const UNKNOWN: u64 = u64::MAX;

impl Work {
    /// Work of which nothing is done; `total` is how much there is to do, in the stage's unit, where that is known.
    #[must_use]
    pub fn new(stage: Stage, total: Option<u64>) -> Self {
        let total = AtomicU64::new(total.unwrap_or(UNKNOWN));
        Self {
            stage,
            total,
            done: AtomicU64::new(0),
            rows: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            at: Mutex::default(),
        }
    }

    /// The same, of which the observer is told; it is told the end when what is returned is dropped.
    #[must_use = "the work ends when this is dropped"]
    pub fn begin(observer: &dyn Observer, stage: Stage, total: Option<u64>) -> Underway<'_> {
        let work = Arc::new(Self::new(stage, total));
        observer.begin(&work);
        Underway { observer, work }
    }

    /// Of which stage it is.
    #[must_use]
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// How much there is to do, where that is known. It grows where something has to be done in another way too.
    #[must_use]
    pub fn total(&self) -> Option<u64> {
        Some(self.total.load(Ordering::Acquire)).filter(|total| *total != UNKNOWN)
    }

    /// How much is done. Look at it before the total, and it is never more.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Acquire)
    }

    /// Rows that the statement under way has written so far, of a migration.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }

    /// Databases done that did not pass.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed.load(Ordering::Relaxed)
    }

    /// The name of the table that is worked on; empty where that is not said.
    #[must_use]
    pub fn at(&self) -> String {
        self.at.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// More is done.
    pub(crate) fn add(&self, units: u64) {
        self.done.fetch_add(units, Ordering::AcqRel);
    }

    /// One more did not pass.
    pub(crate) fn fail(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// So much is done, all in all. Where that is more than there was to do, there was more.
    pub(crate) fn reach(&self, done: u64) {
        self.total.fetch_max(done, Ordering::AcqRel);
        self.done.store(done, Ordering::Release);
    }

    /// So much is to be done, all in all.
    pub(crate) fn expect(&self, total: u64) {
        self.total.store(total, Ordering::Release);
    }

    /// All is done.
    pub(crate) fn finish(&self) {
        if let Some(total) = self.total() {
            self.reach(total);
        }
    }

    /// A table is worked on.
    pub(crate) fn work_on(&self, table: &str) {
        table.clone_into(&mut self.at.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// The statement under way has written so many rows.
    pub(crate) fn write_rows(&self, rows: u64) {
        self.rows.store(rows, Ordering::Relaxed);
    }
}

/// Work that has begun, and ends when this is dropped.
pub struct Underway<'a> {
    observer: &'a dyn Observer,
    work: Arc<Work>,
}

impl Underway<'_> {
    /// The work, to be counted elsewhere.
    pub(crate) fn share(&self) -> Arc<Work> {
        Arc::clone(&self.work)
    }
}

impl Deref for Underway<'_> {
    type Target = Work;

    fn deref(&self) -> &Work {
        &self.work
    }
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        self.observer.end(&self.work);
    }
}
