//! Rehearses SQLite migrations on a copy of production data and says what they would lose.
//!
//! The pipeline, each stage a module that uses only what stands to its left:
//!
//! ```text
//! sqlite_file → schema → snapshot → migrations → queries → execution → profile → compare → findings → expectations → report
//! ```
//!
//! [`rehearse`] is the whole of it: it opens the snapshot read-only, plans by the tool's own rules, runs the pending
//! migrations on a copy as the driver would, compares every row, and lets the rules judge; [`rehearse_all`] does so on many
//! databases. [`diff()`] compares two files and [`profile()`] reads one, without running anything. Nothing here prints.

pub mod compare;
pub mod config;
pub mod doctor;
pub mod error;
pub mod execution;
pub mod expectations;
mod files;
pub mod findings;
#[doc(hidden)]
pub mod fuzzing;
pub mod many;
pub mod migrations;
pub mod observer;
pub mod profile;
pub mod queries;
mod reading;
mod rehearsal;
pub mod report;
pub mod repository;
pub mod scenarios;
pub mod schema;
pub mod snapshot;
pub mod sqlite_file;
pub mod units;
mod verification;

pub use config::Config;
pub use doctor::doctor;
pub use error::Error;
pub use many::rehearse_all;
pub use reading::{Reading, diff, profile};
pub use rehearsal::{Options, Planned, Rehearsal, plan, rehearse};
pub use verification::verify;
