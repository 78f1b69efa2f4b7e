//! What deaths of the process, a second run and another run show of the migrations, for the rules to judge.

use super::rule::Place;

/// The migrations under faults of their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    /// Moments at which the process died: between two statements, and inside of those that commit.
    pub moments: u64,
    /// Moments that were not tried, because there were too many.
    pub left_out: u64,
    /// Moments after which everything was as before the migrations.
    pub old: u64,
    /// Moments after which everything was as the migrations leave it.
    pub new: u64,
    /// Moments after which some migrations were there as a whole, and the ledger said which.
    pub between: u64,
    /// Moments after which something was there that the ledger does not account for.
    pub partial: u64,
    /// Moments after which running the tool again ended as if nothing had happened.
    pub resumed: u64,
    /// What was left of migrations, in the order in which they run.
    pub parts: Vec<Part>,
    /// How running the tool again did not end well after a death, each way once, in the order of the first death.
    pub stuck: Vec<Stuck>,
    /// What running the tool again did where nothing had happened; none where it did nothing.
    pub again: Option<Again>,
    /// In what two runs differ, in order of table and column.
    pub differing: Vec<Difference>,
    /// Why another run, at another time, failed.
    pub other_failed: Option<String>,
}

/// When the process died.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// The name of the migration; none where none had begun.
    pub migration: Option<String>,
    /// When, as a clause: `after statement 3 of 0002_x`.
    pub when: String,
    /// The statement that it was in or behind, where that is one of a migration.
    pub place: Option<Place>,
    /// Whether it was inside of the statement.
    pub within: bool,
}

/// A part of a migration that a death left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The migration; none where it was around the migrations.
    pub migration: Option<String>,
    /// The first of the moments.
    pub first: Moment,
    /// How many moments left a part.
    pub moments: u64,
    /// Moments within the migration that were tried.
    pub of: u64,
    /// The tables and other things that were not as before the migration, at the first of the moments.
    pub what: Vec<String>,
    /// Whether the migration was there as a whole each time, and the ledger did not say so.
    pub whole: bool,
    /// What was wrong with the database itself at the first of the moments, in SQLite's words.
    pub damage: Option<String>,
}

/// How running the tool again did not end well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stuck {
    /// The first of the moments.
    pub first: Moment,
    /// How many moments led there.
    pub moments: u64,
    /// What happened.
    pub end: End,
}

/// How a run that follows a death ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It failed.
    Failed {
        /// Why.
        message: String,
        /// The statement of a migration that failed.
        place: Option<Place>,
    },
    /// The tool would not run.
    Refused {
        /// The tool's own message.
        message: String,
        /// What to do about it.
        help: String,
    },
    /// It completed, and something is not as it is without a death.
    Differs(Vec<Difference>),
    /// It completed, and the database is damaged, in SQLite's words.
    Damaged(String),
}

/// What running the tool again did where nothing had happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// The migrations that were pending again.
    pub ran: Vec<String>,
    /// How it did not end well, or in what the content was another one.
    pub end: End,
}

/// In what two states differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Difference {
    /// The table, or another object.
    pub table: String,
    /// The column; none where rows, or the definition, are others.
    pub column: Option<String>,
    /// Rows or values; 0 where the definition is another.
    pub rows: u64,
    /// Whether both states have as many rows of it.
    pub as_many: bool,
}

impl Part {
    /// Whether it is one of this migration.
    #[must_use]
    pub fn is_of(&self, migration: &str) -> bool {
        self.migration.as_deref() == Some(migration)
    }
}
