//! What the migrations took: sizes, locks and times.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Outcome;

/// What was counted where SQLite writes and locks.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Bytes written to files, each as often as it was.
    pub bytes_written: u64,
    /// All files of the database together, at the moment when they were the largest: the database, its log or journal, temporary files.
    pub peak_bytes: u64,
    /// By how much that is more than the database was: the free space that is needed.
    pub needed_bytes: u64,
    /// The write-ahead log or the rollback journal when it was the largest.
    pub log_peak_bytes: u64,
    /// All temporary files when they were the largest together; they may lie on another disk.
    pub temporary_peak_bytes: u64,
    /// Of the database after the migrations, in pages that hold nothing.
    pub free_bytes: u64,
    /// Whether these sizes are those with every row watched, which makes the log of a DELETE of all rows larger than it is.
    pub at_most: bool,
    /// What production has free, where that was said.
    pub disk_free_bytes: Option<u64>,
    /// How other writers were kept out; null where they were not.
    pub write_lock: Option<Lock>,
    /// How readers were kept out too; null where they were not.
    pub readers: Option<Lock>,
}

/// How a lock was held, in milliseconds on this machine.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Lock {
    /// How often.
    pub times: u64,
    /// In all.
    pub total_ms: f64,
    /// The longest time without a break.
    pub longest_ms: f64,
    /// The first statement during that time; null where only the tool itself ran something.
    pub first: Option<StatementAt>,
    /// The last one; the lock is held to the end of its transaction.
    pub last: Option<StatementAt>,
}

/// A statement of a migration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct StatementAt {
    /// The migration's name.
    pub migration: String,
    /// Its file.
    pub file: String,
    /// Number of the statement in the migration, from 1.
    pub statement: usize,
    /// Line of the file.
    pub line: u32,
}

/// The machine, without its name.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// `linux`, `macos`.
    pub system: String,
    /// `x86_64`, `aarch64`.
    pub architecture: String,
    /// How many threads it runs at once; null where it does not say.
    pub cores: Option<u64>,
    /// The processor's own name; null where it is not known.
    pub processor: Option<String>,
}

/// The migrations on a plain file, without a look at the rows, with the driver's settings.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Measured {
    /// How the run ended.
    pub outcome: Outcome,
    /// Why it failed; null where it did not.
    pub error: Option<String>,
    /// Whether the file lay in memory and not on a disk.
    pub in_memory: bool,
    /// Wall time in milliseconds, on this machine.
    pub elapsed_ms: f64,
    /// The journal mode.
    pub journal_mode: String,
    /// `PRAGMA synchronous`.
    pub synchronous: String,
    /// `PRAGMA cache_size`: pages, or KiB where it is negative.
    pub cache_size: i64,
    /// `PRAGMA secure_delete`: whether what is deleted is overwritten.
    pub secure_delete: bool,
    /// Whether there are no temporary files.
    pub temporary_in_memory: bool,
    /// How long the driver waits for a lock, in milliseconds.
    pub busy_timeout_ms: u64,
    /// Whose settings these are: the driver and version, or SQLite itself where nothing else is known.
    pub settings_from: String,
    /// How other writers were kept out; null where they were not.
    pub write_lock: Option<Lock>,
    /// How readers were kept out too; null where they were not.
    pub readers: Option<Lock>,
    /// The same once more beside an app; null where that was not asked for.
    pub live: Option<Live>,
}

/// The migrations beside an app that reads and writes.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Live {
    /// How the migrations ended beside it.
    pub outcome: Outcome,
    /// Why they failed; null where they did not.
    pub error: Option<String>,
    /// What the app's reader met.
    pub reader: AppWaits,
    /// What its writer met.
    pub writer: AppWaits,
}

/// What a part of an app met.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct AppWaits {
    /// How often it came.
    pub tries: u64,
    /// How often it had to wait, so that it had been refused without a busy timeout.
    pub waited: u64,
    /// The longest wait in milliseconds; null where there was none.
    pub longest_ms: Option<f64>,
    /// The statement at which that began; null where that is not known.
    pub during: Option<StatementAt>,
    /// Why it could not go on; null where it could.
    pub error: Option<String>,
}
