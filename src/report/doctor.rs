//! The document of `rehearse doctor`: what was looked at of a project's way to production, and what speaks against it. Field names
//! are as stable as those of the report document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::assemble;
use super::document::{Finding, SCHEMA_VERSION, Tool};
use crate::findings::rule::Level;
use crate::findings::{self};

/// A project, check by check.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Diagnosis {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What made this document.
    pub rehearse: Tool,
    /// The outcome in one word.
    pub verdict: Verdict,
    /// The level from which on findings fail; null where none do.
    pub fail_on: Option<Level>,
    /// The folder of the project.
    pub project: String,
    /// The snapshot; null where none was given.
    pub snapshot: Option<String>,
    /// What manages the migrations; null where that is not known.
    pub tool: Option<String>,
    /// The driver, or those that are plausible; null where that is not known.
    pub driver: Option<String>,
    /// Every check, always the same ones in the same order.
    pub checks: Vec<Check>,
}

/// The outcome in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No finding at or above the level that fails.
    Passed,
    /// A finding at or above it.
    Findings,
    /// A file that a check needs could not be read.
    Incomplete,
}

/// One question and what the files answer.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// Its name, for example `start-up`.
    pub name: String,
    /// The answer in one word.
    pub status: Status,
    /// What was looked at and what was seen there.
    pub facts: Vec<Fact>,
    /// What the rules say of it.
    pub findings: Vec<Finding>,
}

/// The answer in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// As it should be.
    Ok,
    /// Worth knowing.
    Note,
    /// Look before you deploy.
    Warning,
    /// Do not deploy.
    Error,
    /// No file answers.
    NotFound,
    /// What would answer was not given.
    NotChecked,
    /// A file that would answer cannot be read.
    Unreadable,
    /// The question does not arise.
    NotApplicable,
}

impl Status {
    /// In words.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::NotFound => "not found",
            Self::NotChecked => "not checked",
            Self::Unreadable => "unreadable",
            Self::NotApplicable => "not needed",
        }
    }
}

impl From<Level> for Status {
    fn from(level: Level) -> Self {
        match level {
            Level::Note => Self::Note,
            Level::Warning => Self::Warning,
            Level::Error => Self::Error,
        }
    }
}

/// Something that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fact {
    /// What, as a clause.
    pub text: String,
    /// The file that says so; null where it is no file, or more than one.
    pub file: Option<String>,
    /// The line, from 1; null where it is the file as a whole.
    pub line: Option<u32>,
}

impl Check {
    /// A check with the findings that the rules raised.
    #[must_use]
    pub fn new(name: &str, status: Status, facts: Vec<Fact>, findings: &[findings::Finding]) -> Self {
        Self { name: name.to_owned(), status, facts, findings: findings.iter().map(assemble::finding).collect() }
    }
}

impl Diagnosis {
    /// The document of these checks.
    #[must_use]
    pub fn new(project: String, checks: Vec<Check>, fail_on: Option<Level>) -> Self {
        let standing = checks.iter().flat_map(|check| &check.findings).filter(|finding| finding.waived.is_none());
        let limit = fail_on.unwrap_or(Level::Error);
        let verdict = if checks.iter().any(|check| check.status == Status::Unreadable) {
            Verdict::Incomplete
        } else if standing.map(|finding| finding.level).max().is_some_and(|level| level >= limit) {
            Verdict::Findings
        } else {
            Verdict::Passed
        };
        Self {
            schema_version: SCHEMA_VERSION,
            rehearse: assemble::tool(),
            verdict,
            fail_on,
            project,
            snapshot: None,
            tool: None,
            driver: None,
            checks,
        }
    }

    /// 0 passed, 1 findings at or above the level that fails, 4 a file could not be read.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.verdict {
            Verdict::Incomplete => 4,
            Verdict::Findings if self.fail_on.is_some() => 1,
            Verdict::Findings | Verdict::Passed => 0,
        }
    }
}
