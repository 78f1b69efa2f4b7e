//! Rehearses SQLite migrations on a copy of production data and says what they would lose.

pub mod error;
pub mod observer;
pub mod snapshot;
pub mod sqlite_file;
