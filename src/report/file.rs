//! A database file that was only read, as the documents of `rehearse diff` and `rehearse profile` have it.

use serde::{Deserialize, Serialize};

use super::assemble;
use super::document::{Finding, Snapshot};
use crate::findings;
use crate::snapshot::{Facts, Untouched};

/// The file that was given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct File {
    /// What it is and that it was not touched.
    #[serde(flatten)]
    pub snapshot: Snapshot,
    /// How it stores text: `UTF-8`, `UTF-16le`, `UTF-16be`.
    pub encoding: String,
    /// `PRAGMA user_version`.
    pub user_version: i32,
    /// `PRAGMA application_id`.
    pub application_id: u32,
    /// What is to be known of the file: a write-ahead log that is missing, a hot journal, somebody who wrote meanwhile.
    pub findings: Vec<Finding>,
}

impl File {
    /// The file with what the rules say of it.
    #[must_use]
    pub fn of(facts: &Facts, untouched: &Untouched) -> Self {
        Self {
            snapshot: assemble::snapshot(facts, untouched),
            encoding: facts.encoding.name().to_owned(),
            user_version: facts.user_version,
            application_id: facts.application_id,
            findings: findings::of_file(facts, untouched).iter().map(assemble::finding).collect(),
        }
    }
}
