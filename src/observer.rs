//! Progress events. The library prints nothing; whoever wants to show progress implements [`Observer`].

/// One part of a rehearsal that may take long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// Copying the snapshot; the work is counted in bytes.
    Copy,
    /// Making a database of a dump, or of what is compressed or comes through a pipe; the work is counted in bytes of what was given.
    Import,
    /// Running one migration, by name; the work is counted in statements.
    Migration(String),
    /// Reading and comparing tables; the work is counted in tables.
    Compare,
}

/// Is told how far a rehearsal has come.
pub trait Observer: Sync {
    /// A stage begins; `total` is its amount of work where that is known.
    fn begin(&self, stage: &Stage, total: Option<u64>) {
        let _ = (stage, total);
    }

    /// `done` units of the stage's work are finished.
    fn advance(&self, stage: &Stage, done: u64) {
        let _ = (stage, done);
    }

    /// The stage is over.
    fn end(&self, stage: &Stage) {
        let _ = stage;
    }
}

/// Says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Observer for Silent {}
