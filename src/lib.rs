//! Rehearses SQLite migrations on a copy of production data and reports what they would lose.

pub mod error;
pub mod migrations;
pub mod observer;
