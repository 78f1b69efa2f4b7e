//! What a rehearsal found out, for people and for programs.
//!
//! Takes: the finished [`document::Document`]. Gives: text. Promises: a format renders the document and nothing else, opens no file,
//! and prints nothing; the same document gives the same text.
//!
//! A new format is one file here and one line in [`Format::ALL`].

pub mod assemble;
pub mod diff;
pub mod doctor;
pub mod document;
pub mod dotenv;
pub mod facts;
pub mod file;
pub mod fingerprint;
pub mod fleet;
pub mod github;
pub mod gitlab;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod place;
pub mod plain;
pub mod profile;
pub mod queries;
pub mod sarif;
pub mod takes;
pub mod text;
pub mod verdict;
pub mod verification;
pub mod visible;

use document::Document;

/// What a report can be rendered as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// The document itself.
    Json,
    /// For people in a browser.
    Html,
    /// For a comment on a pull request or a step summary.
    Markdown,
    /// For the page of tests of a CI server.
    Junit,
    /// For code scanning.
    Sarif,
    /// For annotations on GitHub.
    Github,
    /// For the code quality report of GitLab.
    Gitlab,
    /// The outcome as variables of a CI job.
    Dotenv,
}

impl Format {
    /// Every format, in the order in which they are listed to people.
    pub const ALL: &'static [Self] = &[
        Self::Text,
        Self::Json,
        Self::Html,
        Self::Markdown,
        Self::Junit,
        Self::Sarif,
        Self::Github,
        Self::Gitlab,
        Self::Dotenv,
    ];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Html => "html",
            Self::Markdown => "markdown",
            Self::Junit => "junit",
            Self::Sarif => "sarif",
            Self::Github => "github",
            Self::Gitlab => "gitlab",
            Self::Dotenv => "dotenv",
        }
    }

    /// What it is for, in a few words.
    #[must_use]
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Text => "for people at a terminal",
            Self::Json => "everything that was found out, for programs and for `rehearse report`",
            Self::Html => "a page for people in a browser, one file",
            Self::Markdown => "for a comment on a pull request or a step summary",
            Self::Junit => "XML for the page of tests of a CI server",
            Self::Sarif => "SARIF 2.1.0 for code scanning",
            Self::Github => "annotations of GitHub Actions, for standard output",
            Self::Gitlab => "code quality report of GitLab",
            Self::Dotenv => "the outcome as variables of a CI job",
        }
    }

    /// The format of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|format| format.name() == name)
    }

    /// The report in this format. `style` matters to the formats for people only.
    #[must_use]
    pub fn render(self, document: &Document, style: &text::Style) -> String {
        match self {
            Self::Text => text::render(document, style),
            Self::Json => json::render(document),
            Self::Html => html::render(document),
            Self::Markdown => markdown::render(document, style.detail),
            Self::Junit => junit::render(document),
            Self::Sarif => sarif::render(document),
            Self::Github => github::render(document),
            Self::Gitlab => gitlab::render(document),
            Self::Dotenv => dotenv::render(document),
        }
    }
}
