//! What a run takes: bytes, and the locks that others wait for.

use std::time::Duration;

use crate::snapshot::meter::{Held, Meter, Sizes};

/// What a run took, counted where SQLite writes and locks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Bytes, up to the end of the connection.
    pub sizes: Sizes,
    /// How other writers are kept out; none where nobody was.
    pub write_lock: Option<Span>,
    /// How readers are kept out too; none where nobody was.
    pub readers: Option<Span>,
    /// Whether rows were watched, so that a DELETE of all rows wrote more than it does in production.
    pub at_most: bool,
    /// Which places of the run are steps.
    pub places: Places,
}

impl Usage {
    /// The free space in bytes that the migrations need.
    #[must_use]
    pub fn needed(&self) -> u64 {
        self.sizes.peak - self.sizes.begin
    }
}

/// How a lock was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The longest time without a break.
    pub longest: Duration,
    /// The first step during which it was held then; none where only what the tool itself ran held it.
    pub first: Option<usize>,
    /// The last one.
    pub last: Option<usize>,
    /// How often it was taken.
    pub times: u64,
    /// In all.
    pub total: Duration,
}

/// Which places of a run are steps.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places(Vec<Option<usize>>);

impl Places {
    /// The next statement is this step, or one of the tool's own.
    pub(super) fn next(&mut self, step: Option<usize>, meter: Option<&Meter>) {
        if let Some(meter) = meter {
            meter.at(self.0.len());
        }
        self.0.push(step);
    }

    /// The step there, or the next one where the tool itself ran something.
    #[must_use]
    pub fn step(&self, place: usize) -> Option<usize> {
        self.0.iter().skip(place).flatten().next().copied()
    }

    /// The locks up to now.
    pub(super) fn locks(&self, meter: &Meter) -> [Option<Span>; 2] {
        [self.span(meter.write_lock()), self.span(meter.shut_out())]
    }

    fn span(&self, held: Held) -> Option<Span> {
        let places = self.0.get(held.from..=held.to).unwrap_or_default();
        let mut steps = places.iter().flatten().copied();
        let first = steps.next();
        (held.times > 0).then(|| Span {
            longest: held.longest,
            first,
            last: steps.next_back().or(first),
            times: held.times,
            total: held.total,
        })
    }
}
