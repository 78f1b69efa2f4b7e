//! Rehearses the pending migrations of a SQLite database on a copy and reports what they did.

pub mod error;
pub mod migrations;
pub mod observer;
