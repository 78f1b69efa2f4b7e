//! Who watches a run: what is about to run, what has run, and where a migration ends.

/// Sees a run go on, the tool's own statements too.
pub trait Witness {
    /// A statement is about to run.
    fn before(&self, what: Doing<'_>);

    /// It is over. `committed` says whether no transaction is open any more.
    fn after(&self, committed: bool);

    /// A migration begins.
    fn begin(&self);

    /// It has run, and is recorded as far as its tool does that before the next one.
    fn end(&self);
}

/// What runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doing<'a> {
    /// A statement of a migration: the index of its step.
    Step(usize),
    /// What the tool or the driver runs besides: BEGIN, COMMIT, what it writes into its ledger.
    Own(&'a str),
}

/// Looks at nothing.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

impl Witness for Nobody {
    fn before(&self, _: Doing<'_>) {}

    fn after(&self, _: bool) {}

    fn begin(&self) {}

    fn end(&self) {}
}
