//! The document of `rehearse verify`: whether a report still speaks of these files. Field names are as stable as those of the report
//! document.

use serde::{Deserialize, Serialize};

use super::document::{Document, SCHEMA_VERSION, Tool, Verdict};

/// Whether a report still speaks of these files.
#[derive(Debug, Clone, Serialize)]
pub struct Verification {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What made this document.
    pub rehearse: Tool,
    /// `no` where one check says so, else `unknown` where one does, else `yes`.
    pub answer: Answer,
    /// What the report says, and when and by which version that was found.
    pub report: Summary,
    /// What was looked at.
    pub checks: Vec<Check>,
}

/// The report in short.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Its outcome.
    pub verdict: Verdict,
    /// When it was rehearsed; empty where it does not say.
    pub rehearsed_at: String,
    /// What made it.
    pub rehearse: Tool,
}

/// Something that a report was made of.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// `snapshot`, `migrations`, `tool`, `ledger`, `driver`, `driver's version`, `foreign keys`, `code's schema`, `queries`,
    /// `configuration`.
    pub what: &'static str,
    /// Whether it is what it was.
    pub answer: Answer,
    /// What it is, or in what it differs, or why that is not known.
    pub why: String,
}

/// Whether something is what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Answer {
    /// It is.
    Yes,
    /// Nobody can tell.
    Unknown,
    /// It is not.
    No,
}

impl Answer {
    /// `yes`, `unknown`, `no`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Unknown => "unknown",
            Self::No => "no",
        }
    }
}

impl Verification {
    /// The checks and what follows of them.
    #[must_use]
    pub fn of(report: &Document, checks: Vec<Check>, rehearse: Tool) -> Self {
        let answer = checks.iter().map(|check| check.answer).max().unwrap_or(Answer::Unknown);
        let report = Summary {
            verdict: report.verdict,
            rehearsed_at: report.rehearsed_at.clone(),
            rehearse: report.rehearse.clone(),
        };
        Self { schema_version: SCHEMA_VERSION, rehearse, answer, report, checks }
    }

    /// 0 it still does, 1 it does not, 4 nobody can tell.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.answer {
            Answer::Yes => 0,
            Answer::No => 1,
            Answer::Unknown => 4,
        }
    }
}
