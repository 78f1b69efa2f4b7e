//! How the snapshot's schema differs from what the applied migrations make, for a rule to judge.

use std::path::PathBuf;

use crate::schema::changes::Change;

/// The snapshot against the schema of its applied migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Drift {
    /// They were run on an empty database.
    Known {
        /// How many there are.
        applied: usize,
        /// From what they make to what the snapshot has, in order of table.
        changes: Vec<Change>,
        /// The pending migration that fails because of it; or why it is not known whether one does.
        trips: Result<Option<Trip>, String>,
    },
    /// They could not be run, and why.
    Unknown(String),
}

/// The schema that the code expects against the one that it will find once the pending migrations have run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeDrift {
    /// The file that says what the code expects.
    pub file: PathBuf,
    /// The SHA-256 of its text, in hexadecimal digits; none where it cannot be read.
    pub sha256: Option<String>,
    /// From what it expects to what it will find, as far as that is a difference for the code, in order of table; or why it is not known.
    pub changes: Result<Vec<Change>, String>,
}

/// A pending migration that fails on the snapshot's schema, and passes on the one that the applied migrations make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trip {
    /// Its name.
    pub migration: String,
    /// What SQLite says.
    pub message: String,
}
