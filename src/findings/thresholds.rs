//! From where on what migrations take is worth a finding.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::units::{Size, Span};

/// From where on what migrations take is worth a finding: more than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Thresholds {
    /// How long all pending migrations take (RS701).
    pub migration_time: Span,
    /// How long the write lock is held without a break (RS702).
    pub lock_time: Span,
    /// How large the write-ahead log or the rollback journal becomes (RS703).
    pub wal: Size,
    /// By how much the database grows (RS705), where that is also more than a half of it.
    pub growth: Size,
    /// How many rows a table has that one statement writes anew (RS706).
    pub rewritten_rows: u64,
    /// How long readers are shut out without a break (RS707).
    pub reader_wait: Span,
    /// How long one statement takes (RS708).
    pub statement_time: Span,
}

impl Thresholds {
    /// The same where no time is worth a finding: times are those of the machine.
    #[must_use]
    pub fn without_times(self) -> Self {
        let never = Span(Duration::MAX);
        Self { migration_time: never, lock_time: never, reader_wait: never, statement_time: never, ..self }
    }
}

impl Default for Thresholds {
    fn default() -> Self {
        let seconds = |seconds| Span(Duration::from_secs(seconds));
        Self {
            migration_time: seconds(30),
            // After that most drivers give up waiting.
            lock_time: seconds(5),
            wal: Size(1 << 30),
            growth: Size(100 << 20),
            rewritten_rows: 1_000_000,
            reader_wait: seconds(1),
            statement_time: seconds(10),
        }
    }
}
