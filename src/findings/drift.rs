//! How the snapshot's schema differs from what the applied migrations make, for a rule to judge.

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
        /// The pending migration that fails because of it.
        trips: Option<Trip>,
    },
    /// They could not be run, and why.
    Unknown(String),
}

/// A pending migration that fails on the snapshot's schema, and passes on the one that the applied migrations make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trip {
    /// Its name.
    pub migration: String,
    /// What SQLite says.
    pub message: String,
}
