//! The report on many databases that were rehearsed with the same migrations: how many had which outcome, which are the outliers, and one
//! line for each database.
//!
//! As with the report on one database: stable field names, deterministic orders, no row's value.

mod dotenv;
mod github;
mod junit;
pub mod wording;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::{Decision, Document, Tool};
use super::text::{self, Style};
use super::{Format, html, json, markdown};
use crate::findings::rule::Level;

/// Groups whose report is in the document; the others have their findings only.
pub const REPORTS: usize = 50;
/// Schemas whose differences are told.
pub const SCHEMAS: usize = 200;

/// Many databases.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Fleet {
    /// The same as that of the report on one database.
    pub schema_version: u32,
    /// What made this report.
    pub rehearse: Tool,
    /// The gravest outcome.
    pub verdict: Verdict,
    /// What the command ends with: 4 over 3 over 1 over 0; 2 where every database ended with it.
    pub exit_code: u8,
    /// The level from which on findings make the verdict; null where none does.
    pub fail_on: Option<Level>,
    /// Which databases were meant.
    pub selection: Selection,
    /// The part of them that is in this report; null where it is all.
    pub shard: Option<Shard>,
    /// What decides an outcome besides the database: parts are only brought together where it is the same.
    pub inputs: Inputs,
    /// How many there are of each outcome.
    pub totals: Totals,
    /// Wall time in milliseconds, on this machine; of parts the longest.
    pub elapsed_ms: f64,
    /// Databases with the same outcome; the gravest first, then by the name of their first database.
    pub groups: Vec<Group>,
    /// Databases with the same schema before the migrations; the most common first.
    pub schemas: Vec<SchemaCluster>,
    /// Databases of which the same migrations are applied and pending; the most common first.
    pub plans: Vec<PlanCluster>,
    /// The names of those that took longest.
    pub slowest: Vec<String>,
    /// The names of the biggest.
    pub biggest: Vec<String>,
    /// Every database, by name.
    pub databases: Vec<Database>,
    /// What was found out rather than given, and is the same for all.
    pub decisions: Vec<Decision>,
}

/// An outcome in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing at or above the level that fails.
    Passed,
    /// Something at or above the level that fails.
    Findings,
    /// A migration failed on the copy.
    Failed,
    /// No rehearsal was possible.
    Error,
}

/// Which databases were meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Selection {
    /// The pattern, the folder or the list, as it was given.
    pub given: String,
    /// `pattern`, `folder` or `list`.
    pub kind: String,
    /// How many databases there are, of all parts.
    pub databases: u64,
    /// The XXH3-128 hash of all their names, in hexadecimal digits.
    pub checksum: String,
    /// Files of the folder that are no databases.
    pub left_aside: u64,
    /// Paths to a file that another name leads to as well.
    pub duplicates: u64,
}

/// A part of the databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Shard {
    /// Which part it is, from 1.
    pub part: u32,
    /// How many there are.
    pub of: u32,
}

/// What decides an outcome besides the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Inputs {
    /// The XXH3-128 hash of the options and the configuration, in hexadecimal digits.
    pub options: String,
    /// The files of the migrations with their checksums, in the order of their names; empty where no database could be rehearsed.
    pub migrations: Vec<File>,
}

/// A file of a migration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
pub struct File {
    /// Its path.
    pub file: String,
    /// The checksum that the tool keeps, else SHA-256 of the text; in hexadecimal digits.
    pub checksum: String,
}

/// How many databases had which outcome.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Totals {
    /// All in this report.
    pub databases: u64,
    /// Passed.
    pub passed: u64,
    /// With findings that make the verdict.
    pub findings: u64,
    /// On which a migration failed.
    pub failed: u64,
    /// That could not be rehearsed.
    pub errors: u64,
    /// Their sizes in bytes together.
    pub bytes: u64,
    /// Rows lost in all of them; null where the rows of a table could not be matched, or a database was not rehearsed.
    pub rows_lost: Option<u64>,
}

/// Databases with the same outcome: the same verdict, and the same findings at the same tables, columns, objects and statements.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Group {
    /// What the outcome is known by, in reports of the same version.
    pub id: String,
    /// The outcome.
    pub verdict: Verdict,
    /// What a rehearsal of one of them ends with.
    pub exit_code: u8,
    /// How many there are.
    pub databases: u64,
    /// The first by name; texts and report are of this one.
    pub first: String,
    /// The outcome in a clause, with the numbers of the first.
    pub message: String,
    /// The rule whose page explains why it could not be rehearsed; null where there is none.
    pub code: Option<String>,
    /// What to do, where it could not be rehearsed.
    pub help: Vec<String>,
    /// Whether no migration was pending.
    pub nothing_pending: bool,
    /// What the rules say.
    pub findings: Vec<GroupFinding>,
    /// Rows lost in each of them; null where that is not known of one.
    pub rows_lost: Option<Spread>,
    /// The report on the first; null where it could not be rehearsed, and of more than 50 groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<Box<Document>>,
}

/// A finding that every database of a group has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct GroupFinding {
    /// The rule's code.
    pub code: String,
    /// The rule's name.
    pub name: String,
    /// How grave it is.
    pub level: Level,
    /// Whether a waiver covers it.
    pub waived: bool,
    /// The table.
    pub table: Option<String>,
    /// The column.
    pub column: Option<String>,
    /// The index, trigger, view, file or driver.
    pub object: Option<String>,
    /// The migration's name.
    pub migration: Option<String>,
    /// Its file.
    pub file: Option<String>,
    /// Line of the statement.
    pub line: Option<u32>,
    /// The fact, as it is in the first.
    pub message: String,
    /// Rows or values concerned in each; null where it is not about rows.
    pub rows: Option<Spread>,
}

/// A number in several databases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spread {
    /// In all together.
    pub total: u64,
    /// In the one with the least.
    pub least: u64,
    /// In the one with the most.
    pub most: u64,
}

/// Databases with the same schema.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SchemaCluster {
    /// The XXH3-128 hash of what is in it, in hexadecimal digits.
    pub id: String,
    /// How many there are.
    pub databases: u64,
    /// The first by name.
    pub first: String,
    /// What is in it, a line each, the tool's own tables left out; null where there are more than 200 schemas.
    pub objects: Option<Vec<String>>,
    /// What the most common schema has and this one does not.
    pub missing: Vec<String>,
    /// What this one has and the most common schema does not.
    pub extra: Vec<String>,
}

/// Databases of which the same migrations are applied and pending.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PlanCluster {
    /// What the state is known by, in reports of the same version.
    pub id: String,
    /// How many there are.
    pub databases: u64,
    /// The first by name.
    pub first: String,
    /// `drizzle`, `sql`, …
    pub tool: String,
    /// The driver that the rehearsal ran under.
    pub driver: String,
    /// How many are applied.
    pub applied: u64,
    /// The names of those that ran in this rehearsal.
    pub pending: Vec<String>,
    /// How many will never run.
    pub skipped: u64,
    /// How many ran once, and the file was changed since.
    pub edited: u64,
    /// How many are known to the ledger or the journal, without a file.
    pub missing: u64,
}

/// One database.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Database {
    /// Its path below what the pattern or the folder begins with, or as the list has it.
    pub name: String,
    /// The outcome.
    pub verdict: Verdict,
    /// What a rehearsal of it alone ends with.
    pub exit_code: u8,
    /// The outcome in a clause, with its own numbers.
    pub message: String,
    /// Its place in `groups`, from 0.
    pub group: usize,
    /// Its place in `schemas`; null where it could not be rehearsed.
    pub schema: Option<usize>,
    /// Its place in `plans`; null where it could not be rehearsed.
    pub plan: Option<usize>,
    /// Size in bytes; null where that is not known.
    pub bytes: Option<u64>,
    /// Rows lost in all tables; null where the rows of a table could not be matched.
    pub rows_lost: Option<u64>,
    /// Wall time of the whole rehearsal in milliseconds, on this machine.
    pub elapsed_ms: f64,
}

impl Fleet {
    /// The formats that this report has.
    pub const FORMATS: [Format; 7] =
        [Format::Text, Format::Json, Format::Html, Format::Markdown, Format::Junit, Format::Github, Format::Dotenv];

    /// The report in one of [`Fleet::FORMATS`]; as JSON in any other.
    #[must_use]
    pub fn render(&self, format: Format, style: &Style) -> String {
        match format {
            Format::Text => text::render_fleet(self, style),
            Format::Html => html::render_fleet(self),
            Format::Markdown => markdown::render_fleet(self, style.detail),
            Format::Junit => junit::render(self),
            Format::Github => github::render(self),
            Format::Dotenv => dotenv::render(self),
            _ => json::pretty(self),
        }
    }

    /// The databases of the group at this place, by name.
    pub fn names_in(&self, group: usize) -> impl Iterator<Item = &str> {
        self.databases.iter().filter(move |database| database.group == group).map(|database| database.name.as_str())
    }
}

impl Spread {
    /// The number in one database.
    #[must_use]
    pub fn of(number: u64) -> Self {
        Self { total: number, least: number, most: number }
    }

    /// The numbers in these and in others.
    #[must_use]
    pub fn and(self, others: Self) -> Self {
        Self {
            total: self.total.saturating_add(others.total),
            least: self.least.min(others.least),
            most: self.most.max(others.most),
        }
    }
}

/// What a rehearsal of several ends with.
#[must_use]
pub fn exit_code(databases: &[Database]) -> u8 {
    let has = |code: u8| databases.iter().any(|database| database.exit_code == code);
    if !databases.is_empty() && databases.iter().all(|database| database.exit_code == 2) {
        return 2;
    }
    if has(4) || has(2) {
        4
    } else if has(3) {
        3
    } else {
        u8::from(has(1))
    }
}
