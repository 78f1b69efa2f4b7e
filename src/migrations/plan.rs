//! What is applied, what will run, and what never will, by the tool's own rule.

use std::path::PathBuf;

use super::migration::Migration;

/// Found minus applied.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// The tool whose rules made this plan, for example `drizzle`.
    pub tool: &'static str,
    /// The tool's layout or version where it matters, for example `v0 (journal)`.
    pub layout: &'static str,
    /// The migrations folder.
    pub folder: PathBuf,
    /// The table or pragma in which the tool records what was applied.
    pub ledger: Ledger,
    /// Every migration that is in the folder or in the ledger, in the tool's order.
    pub entries: Vec<Entry>,
    /// SQL that the tool runs before the first migration, outside of their transaction, even when nothing is pending:
    /// creating or upgrading its ledger. It may hold BEGIN and COMMIT. Empty where the tool refuses.
    pub setup: Vec<String>,
    /// Why the tool would refuse to run, in its own words.
    pub refusal: Option<Refusal>,
    /// What was found out about the project and why, in the order of finding.
    pub decisions: Vec<Decision>,
}

/// Where the tool records what was applied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger {
    /// The table's name, `PRAGMA user_version`, or empty where the tool keeps none.
    pub name: String,
    /// Whether the snapshot has it.
    pub present: bool,
    /// How many migrations it records as applied.
    pub rows: u64,
}

/// A migration and what becomes of it.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The migration; of a missing one only the name (or the recorded hash) and the checksum are known.
    pub migration: Migration,
    /// What the tool will do with it.
    pub state: State,
}

/// What the tool does with a migration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// In the ledger, with this file.
    Applied,
    /// In the ledger, but the file is no longer what ran.
    Edited {
        /// The checksum in the ledger.
        recorded: String,
    },
    /// Will run.
    Pending,
    /// Not in the ledger, and the tool's rule will never run it.
    Skipped {
        /// The rule, with its numbers, as a clause.
        why: String,
    },
    /// In the ledger, but there is no file; or listed by the journal, but there is no file.
    Missing,
}

/// Why the tool would not run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The tool's own message.
    pub message: String,
    /// What to do about it.
    pub help: String,
    /// How many of the pending migrations run before the tool comes to it; the others never do.
    pub after: usize,
}

/// Something that was found out rather than given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// What was decided: `tool`, `migrations`, `ledger`, `driver`, …
    pub what: &'static str,
    /// The outcome.
    pub value: String,
    /// The evidence, as a clause: "`out` in drizzle.config.ts".
    pub why: String,
}

impl Plan {
    /// What undoes the pending migrations, the last one first, up to the first that nothing undoes: its name comes along.
    #[must_use]
    pub fn way_back(&self) -> (Self, Option<String>) {
        let mut back = Self { entries: Vec::new(), setup: Vec::new(), refusal: None, ..self.clone() };
        let pending: Vec<&Migration> = self.pending().collect();
        for migration in pending.into_iter().rev() {
            let Some(down) = &migration.down else { return (back, Some(migration.name.clone())) };
            back.entries.push(Entry { migration: (**down).clone(), state: State::Pending });
        }
        (back, None)
    }

    /// The migrations that are to run, in order. Where the tool refuses, only the first [`Refusal::after`] of them do.
    pub fn pending(&self) -> impl Iterator<Item = &Migration> {
        self.entries.iter().filter(|entry| entry.state == State::Pending).map(|entry| &entry.migration)
    }
}
