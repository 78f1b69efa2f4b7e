//! Runs the pending migrations on a copy, as production's driver would.
//!
//! Takes a [`WorkingCopy`](crate::snapshot::WorkingCopy), a [`Plan`](crate::migrations::Plan) and [`Settings`]; gives an
//! [`Execution`]: what ran, in which transaction, what it wrote and where it failed. A statement that fails is an outcome, not an
//! error.

pub mod decide;
pub mod driver;
pub mod drivers;
pub mod empty;
mod hooks;
mod message;
mod run;
pub mod steps;

pub use driver::Driver;
pub use message::error_message;
pub use run::run;
pub use steps::{Execution, Outcome, Step};

/// The connection as production would have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// The driver.
    pub driver: &'static Driver,
    /// Whether foreign keys are enforced when the tool gets the connection.
    pub foreign_keys: bool,
}

impl Settings {
    /// The driver's own settings, or with foreign keys as the app sets them.
    #[must_use]
    pub fn of(driver: &'static Driver, foreign_keys: Option<bool>) -> Self {
        Self { driver, foreign_keys: foreign_keys.unwrap_or(driver.foreign_keys.on()) }
    }
}
