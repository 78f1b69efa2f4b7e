//! The one error type: what was being done, what is wrong, what to do next, and the exit code.
//!
//! An [`Error`] means that no rehearsal was possible. A migration that fails on the copy is not an error: it is an outcome,
//! and the report is still written.

use std::fmt::Display;

use crate::schema::message::without_value;

/// Why no rehearsal was possible.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {cause}")]
pub struct Error {
    kind: Kind,
    doing: String,
    cause: String,
    hints: Vec<String>,
    rule: Option<&'static str>,
    excerpt: Option<Box<Excerpt>>,
}

/// The line of a file in which something is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// Its number, from 1.
    pub line: usize,
    /// Its text, as it is in the file.
    pub text: String,
    /// Where in it: characters from its beginning, from 0.
    pub start: usize,
    /// How many characters are meant, at least 1.
    pub length: usize,
}

/// The class of an [`Error`]; it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Wrong arguments or a wrong configuration file: exit code 2.
    Usage,
    /// The snapshot, the migrations or the machine do not allow a rehearsal: exit code 4.
    CannotRehearse,
    /// The person or the system asked to stop: exit code 130.
    Interrupted,
}

impl Error {
    /// Wrong arguments or configuration. `doing` is a clause such as "reading `rehearse.yaml`".
    pub fn usage(doing: impl Into<String>, cause: impl Display) -> Self {
        Self::new(Kind::Usage, doing.into(), cause.to_string())
    }

    /// No rehearsal is possible. `doing` is a clause such as "opening the snapshot `prod.db`". What the cause quotes of a value
    /// is left out.
    pub fn cannot(doing: impl Into<String>, cause: impl Display) -> Self {
        Self::new(Kind::CannotRehearse, doing.into(), without_value(&cause.to_string()))
    }

    /// Ctrl-C or SIGTERM arrived.
    #[must_use]
    pub fn interrupted() -> Self {
        Self::new(Kind::Interrupted, "rehearsing".into(), "interrupted".into())
    }

    fn new(kind: Kind, doing: String, cause: String) -> Self {
        Self { kind, doing, cause, hints: Vec::new(), rule: None, excerpt: None }
    }

    /// Shows the line in which something is wrong.
    #[must_use]
    pub fn excerpt(mut self, excerpt: Excerpt) -> Self {
        self.excerpt = Some(Box::new(excerpt));
        self
    }

    /// The line in which something is wrong, where it is a file that is wrong.
    #[must_use]
    pub fn shown(&self) -> Option<&Excerpt> {
        self.excerpt.as_deref()
    }

    /// Adds a line that says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Names the rule whose page explains this error, for example `SN904`.
    #[must_use]
    pub fn rule(mut self, code: &'static str) -> Self {
        self.rule = Some(code);
        self
    }

    /// What to do next, one line each.
    #[must_use]
    pub fn hints(&self) -> &[String] {
        &self.hints
    }

    /// The code of the rule whose page explains this error.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        self.rule
    }

    /// 2 usage or configuration, 4 could not rehearse, 130 interrupted.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Usage => 2,
            Kind::CannotRehearse => 4,
            Kind::Interrupted => 130,
        }
    }
}

/// What a failed operation was doing, added to the failure.
pub trait Doing<T> {
    /// Turns a failure into [`Error::cannot`] with this clause.
    ///
    /// # Errors
    /// The failure itself, in words.
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T, E: Display> Doing<T> for Result<T, E> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T, Error> {
        self.map_err(|cause| Error::cannot(doing(), cause))
    }
}
