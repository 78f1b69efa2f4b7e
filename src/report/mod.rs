//! What a rehearsal found out, for people and for programs.
//!
//! Takes: the finished [`document::Document`]. Gives: text. Promises: a format renders the document and nothing else, opens no file,
//! and prints nothing; the same document gives the same text.
//!
//! A new format is one file here and one line in [`Format::ALL`].

pub mod assemble;
pub mod diff;
pub mod document;
pub mod file;
pub mod json;
pub mod profile;
pub mod text;
pub mod visible;

use document::Document;

/// What a report can be rendered as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// For people at a terminal.
    Text,
    /// The document itself.
    Json,
}

impl Format {
    /// Every format, in the order in which they are listed to people.
    pub const ALL: &'static [Self] = &[Self::Text, Self::Json];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
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
        }
    }
}
