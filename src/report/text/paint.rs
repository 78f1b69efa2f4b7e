//! Colours by what a piece of text is, so that the report reads the same without them.

use anstyle::{AnsiColor, Effects, Style};

use crate::findings::rule::Level;

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Ordinary text.
    Plain,
    /// A heading or the fact of a finding.
    Strong,
    /// What is there for completeness.
    Dim,
    /// An error, or something lost.
    Error,
    /// A warning, or something changed.
    Warning,
    /// A note.
    Note,
    /// All is well, or something gained.
    Good,
    /// The frame of an excerpt.
    Frame,
    /// A line that a diff removes.
    Removed,
    /// A line that a diff adds.
    Added,
}

impl Role {
    /// The role of a finding's level.
    pub fn of(level: Level) -> Self {
        match level {
            Level::Error => Self::Error,
            Level::Warning => Self::Warning,
            Level::Note => Self::Note,
        }
    }

    fn style(self) -> Style {
        let colour = |colour: AnsiColor| colour.on_default();
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new() | Effects::BOLD,
            Self::Dim => Style::new() | Effects::DIMMED,
            Self::Error => colour(AnsiColor::Red) | Effects::BOLD,
            Self::Warning => colour(AnsiColor::Yellow) | Effects::BOLD,
            Self::Note => colour(AnsiColor::Cyan) | Effects::BOLD,
            Self::Good => colour(AnsiColor::Green) | Effects::BOLD,
            Self::Frame => colour(AnsiColor::Blue) | Effects::BOLD,
            Self::Removed => colour(AnsiColor::Red),
            Self::Added => colour(AnsiColor::Green),
        }
    }
}

/// Whether to colour.
#[derive(Debug, Clone, Copy)]
pub struct Paint(pub bool);

impl Paint {
    /// The text in the colour of its role, or as it is.
    pub fn text(self, role: Role, text: &str) -> String {
        if !self.0 || role == Role::Plain || text.is_empty() {
            return text.to_owned();
        }
        let style = role.style();
        format!("{style}{text}{style:#}")
    }
}
