//! What a check has to say.

use std::path::Path;
use std::time::SystemTime;

use crate::config::Config;
use crate::findings::{Finding, Level, Levels, Place, levels, waivers};
use crate::migrations::shown;
use crate::report::doctor::{Check, Fact, Status};

/// What a check has to say.
pub(super) struct Answer {
    name: &'static str,
    /// What is so unless a finding is graver.
    status: Status,
    facts: Vec<Fact>,
    findings: Vec<Finding>,
}

/// What a person set about findings.
pub(super) struct Wishes<'a> {
    pub(super) config: &'a Config,
    pub(super) levels: &'a Levels,
    pub(super) now: SystemTime,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct At {
    pub(super) file: std::path::PathBuf,
    /// From 1.
    pub(super) line: u32,
}

impl At {
    pub(super) fn new(file: &Path, line: u32) -> Self {
        Self { file: file.to_path_buf(), line }
    }

    /// The place of a finding.
    pub(super) fn place(&self) -> Place {
        let (file, line) = (shown(&self.file), self.line);
        Place { migration: String::new(), file, line, column: 1, statement: String::new() }
    }

    /// `src/index.ts:12`.
    pub(super) fn shown(&self) -> String {
        format!("{}:{}", shown(&self.file), self.line)
    }
}

impl Answer {
    /// Nothing to object to.
    pub(super) fn ok(name: &'static str) -> Self {
        Self::of(name, Status::Ok)
    }

    /// No file answers, for this reason.
    pub(super) fn not_found(name: &'static str, why: impl Into<String>) -> Self {
        Self::of(name, Status::NotFound).fact(why)
    }

    /// The question does not arise, for this reason.
    pub(super) fn not_needed(name: &'static str, why: impl Into<String>) -> Self {
        Self::of(name, Status::NotApplicable).fact(why)
    }

    /// What would answer was not given.
    pub(super) fn not_checked(name: &'static str, why: impl Into<String>) -> Self {
        Self::of(name, Status::NotChecked).fact(why)
    }

    /// Only a snapshot answers.
    pub(super) fn without_snapshot(name: &'static str) -> Self {
        Self::not_checked(name, "no snapshot was given")
    }

    pub(super) fn of(name: &'static str, status: Status) -> Self {
        Self { name, status, facts: Vec::new(), findings: Vec::new() }
    }

    /// The same where files that would answer cannot be read.
    pub(super) fn unreadable(mut self, why: &[String]) -> Self {
        if !why.is_empty() {
            self.status = Status::Unreadable;
        }
        self.fact_of_each(why)
    }

    /// Something that was seen, in no one file.
    pub(super) fn fact(mut self, text: impl Into<String>) -> Self {
        self.facts.push(Fact { text: text.into(), file: None, line: None });
        self
    }

    /// The same for several.
    pub(super) fn fact_of_each(self, texts: &[String]) -> Self {
        texts.iter().fold(self, Self::fact)
    }

    /// Something that was seen there.
    pub(super) fn seen(mut self, text: impl Into<String>, at: &At) -> Self {
        self.facts.push(Fact { text: text.into(), file: Some(shown(&at.file)), line: Some(at.line) });
        self
    }

    /// What a rule says; what it says is a fact too.
    pub(super) fn finding(mut self, finding: Finding) -> Self {
        let place = finding.place.as_ref();
        let (file, line) = (place.map(|place| place.file.clone()), place.map(|place| place.line));
        self.facts.push(Fact { text: finding.message.clone(), file, line });
        self.findings.push(finding);
        self
    }

    /// The same for several.
    pub(super) fn findings(self, findings: impl IntoIterator<Item = Finding>) -> Self {
        findings.into_iter().fold(self, Self::finding)
    }

    /// With this status, unless there is a finding.
    pub(super) fn unless_found(mut self, status: Status) -> Self {
        self.status = status;
        self
    }

    pub(super) fn has_findings(&self) -> bool {
        !self.findings.is_empty()
    }

    /// With the levels and waivers of the person.
    pub(super) fn settle(mut self, wishes: &Wishes<'_>) -> Check {
        let file = wishes.config.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
        let sources = [(&wishes.config.rules, file.as_str()), (wishes.levels, "--level")];
        levels::apply(&mut self.findings, &sources);
        let mut about_waivers = waivers::cover(&mut self.findings, &wishes.config.allow, wishes.now);
        levels::apply(&mut about_waivers, &sources);
        self.findings.extend(about_waivers);
        let standing = self.findings.iter().filter(|finding| finding.waived.is_none());
        let status = match standing.map(|finding| finding.level).max() {
            Some(Level::Note) if self.status != Status::Ok => self.status,
            Some(level) => level.into(),
            None => self.status,
        };
        Check::new(self.name, status, self.facts, &self.findings)
    }
}
