//! What a rule is, what a finding is, and how grave it can be.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::compare::samples::{Sample, Samples};

/// How grave a finding is. Ordered: an error is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Worth knowing.
    Note,
    /// Look before you deploy.
    Warning,
    /// Do not deploy.
    Error,
}

impl Level {
    /// `error`, `warning` or `note`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// On what a rule rests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Basis {
    /// Counted on the copy.
    Measured,
    /// Read from the statements or the project.
    Inferred,
}

/// One rule of the catalogue. The page is `docs/rules/CODE.md`.
#[derive(Debug)]
pub struct Rule {
    /// Two letters for the family and three digits; never used again for something else.
    pub code: &'static str,
    /// The same in words, kebab-case.
    pub name: &'static str,
    /// The level where nothing else is said.
    pub level: Level,
    /// On what it rests.
    pub basis: Basis,
    /// The version of rehearse that brought it.
    pub since: &'static str,
    /// When it fires, as one clause.
    pub when: &'static str,
    /// What that does to the data or the app, as one clause.
    pub effect: &'static str,
    /// What to do, as one clause.
    pub fix: &'static str,
    /// The page, compiled in.
    pub page: &'static str,
}

impl Rule {
    /// The family: the two letters of the code.
    #[must_use]
    pub fn family(&self) -> &'static str {
        &self.code[..2]
    }
}

/// Why a finding has not the level that its rule gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LevelFrom {
    /// The level that the rule gave it.
    pub level: Level,
    /// Who set another: `--level`, or the configuration file.
    pub by: String,
}

/// A fact that a rule raises.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The rule.
    pub rule: &'static Rule,
    /// How grave it is here.
    pub level: Level,
    /// Whose word that level is, where it is not the rule's.
    pub level_from: Option<LevelFrom>,
    /// The table that it is about.
    pub table: Option<String>,
    /// The column that it is about.
    pub column: Option<String>,
    /// The index, trigger, view, file or driver that it is about.
    pub object: Option<String>,
    /// The statement that did it.
    pub place: Option<Place>,
    /// Rows or values concerned, counted.
    pub rows: Option<u64>,
    /// The fact in one clause: lower case, names in backticks, no final period.
    pub message: String,
    /// What the marked statement did, written under it.
    pub label: Option<String>,
    /// Why it happened.
    pub cause: Option<String>,
    /// What another rehearsal with one setting turned has shown.
    pub proof: Option<String>,
    /// What to do instead: sentences and code that can be pasted, one entry each.
    pub help: Vec<String>,
    /// The waiver that covers it: why, whose word it is, what it allows.
    pub waived: Option<String>,
    /// Some of the rows that it is about, where they are asked for.
    pub samples: Option<Shown>,
}

/// Some of the rows that a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The columns of their key.
    pub key: Vec<String>,
    /// The rows, in the order of the key.
    pub rows: Vec<Sample>,
}

impl Shown {
    /// These rows of the samples of a table.
    #[must_use]
    pub fn of(samples: &Samples, rows: &[Sample]) -> Self {
        Self { key: samples.key.clone(), rows: rows.to_vec() }
    }
}

/// A statement of a migration.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The migration's name.
    pub migration: String,
    /// Its file.
    pub file: String,
    /// Line of the statement, from 1.
    pub line: u32,
    /// Column of the statement in characters, from 1.
    pub column: u32,
    /// Its text, literals of rows removed; empty where the file as a whole is meant.
    pub statement: String,
}

impl Finding {
    /// A finding of this rule at its own level.
    #[must_use]
    pub fn new(rule: &'static Rule, message: impl Into<String>) -> Self {
        Self {
            rule,
            level: rule.level,
            level_from: None,
            table: None,
            column: None,
            object: None,
            place: None,
            rows: None,
            message: message.into(),
            label: None,
            cause: None,
            proof: None,
            help: Vec::new(),
            waived: None,
            samples: None,
        }
    }

    /// At another level than the rule's own.
    #[must_use]
    pub fn at_level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// About this table.
    #[must_use]
    pub fn table(mut self, table: impl Into<String>) -> Self {
        self.table = Some(table.into());
        self
    }

    /// About this column.
    #[must_use]
    pub fn column(mut self, column: impl Into<String>) -> Self {
        self.column = Some(column.into());
        self
    }

    /// About this index, trigger, view, file or driver.
    #[must_use]
    pub fn object(mut self, object: impl Into<String>) -> Self {
        self.object = Some(object.into());
        self
    }

    /// Done by this statement, which did what `label` says.
    #[must_use]
    pub fn at(mut self, place: Option<Place>, label: impl Into<String>) -> Self {
        self.place = place;
        self.label = Some(label.into());
        self
    }

    /// So many rows or values.
    #[must_use]
    pub fn rows(mut self, rows: u64) -> Self {
        self.rows = Some(rows);
        self
    }

    /// Because of this.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Do this instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}
