//! Runs the pending migrations on a copy, as production's driver would.
//!
//! Takes a [`WorkingCopy`](crate::snapshot::WorkingCopy), a [`Plan`](crate::migrations::Plan) and [`Settings`]; gives an
//! [`Execution`]: what ran, in which transaction, what it wrote and where it failed. A statement that fails is an outcome, not an
//! error.

pub mod command;
pub mod decide;
pub mod driver;
pub mod drivers;
pub mod empty;
mod hooks;
pub mod machine;
mod message;
mod run;
pub mod steps;
mod strings;
pub mod usage;
pub mod witness;

use driver::{DoubleQuoted, SeveralStatements, Transaction};

pub use driver::Driver;
pub use machine::Machine;
pub use message::error_message;
pub use run::{run, run_before, run_unobserved};
pub use steps::{Execution, Outcome, Step, Stopped};
pub use strings::strings;
pub use usage::Usage;

/// The connection as production would have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The driver.
    pub driver: &'static Driver,
    /// Whether foreign keys are enforced when the tool gets the connection.
    pub foreign_keys: bool,
    /// Where a double-quoted name that is no column is a string.
    pub double_quoted_strings: DoubleQuoted,
    /// Who opens the transaction and how far it reaches.
    pub transaction: Transaction,
    /// What happens to a chunk with several statements.
    pub several_statements: SeveralStatements,
}

/// One setting turned, to see whether the outcome hangs on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turned {
    /// Foreign keys are off.
    ForeignKeysOff,
    /// A double-quoted name that is no column is an error.
    StringsRefused,
    /// One transaction is around all pending migrations.
    OneTransaction,
    /// Every statement of a chunk runs.
    EveryStatement,
}

impl Turned {
    /// In words, for a proof: `rehearsed again with foreign keys off`.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::ForeignKeysOff => "with foreign keys off",
            Self::StringsRefused => "with double-quoted strings refused",
            Self::OneTransaction => "in one transaction",
            Self::EveryStatement => "with every statement of a chunk run",
        }
    }
}

impl Settings {
    /// The driver's own settings, or with foreign keys as the app sets them.
    #[must_use]
    pub fn of(driver: &'static Driver, foreign_keys: Option<bool>) -> Self {
        Self {
            driver,
            foreign_keys: foreign_keys.unwrap_or(driver.foreign_keys.on()),
            double_quoted_strings: driver.double_quoted_strings,
            transaction: driver.transaction,
            several_statements: driver.several_statements,
        }
    }

    /// The same with this one setting turned.
    #[must_use]
    pub fn turned(mut self, setting: Turned) -> Self {
        match setting {
            Turned::ForeignKeysOff => self.foreign_keys = false,
            Turned::StringsRefused => self.double_quoted_strings = DoubleQuoted { dml: false, ddl: false },
            Turned::OneTransaction => self.transaction = Transaction::AroundAll,
            Turned::EveryStatement => self.several_statements = SeveralStatements::All,
        }
        self
    }
}
