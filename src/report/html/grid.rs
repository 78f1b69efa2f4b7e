//! A table of facts: on a phone each row becomes a card, whose cells say what they are.

use serde::Serialize;

/// A table with its caption.
#[derive(Serialize)]
pub struct Grid {
    caption: String,
    heads: Vec<Head>,
    rows: Vec<Vec<Cell>>,
}

/// What a column holds.
#[derive(Clone, Copy, Serialize)]
pub struct Head {
    name: &'static str,
    number: bool,
}

/// One cell.
#[derive(Serialize)]
pub struct Cell {
    text: String,
    tone: &'static str,
    /// Whether it is set as code.
    code: bool,
}

impl Grid {
    /// An empty table.
    pub fn new(caption: impl Into<String>, heads: &[Head]) -> Self {
        Self { caption: caption.into(), heads: heads.to_vec(), rows: Vec::new() }
    }

    /// Adds a row, one cell for each head.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// The table, unless it has no row.
    pub fn filled(self) -> Option<Self> {
        (!self.rows.is_empty()).then_some(self)
    }
}

/// A column of words.
pub const fn words(name: &'static str) -> Head {
    Head { name, number: false }
}

/// A column of numbers.
pub const fn numbers(name: &'static str) -> Head {
    Head { name, number: true }
}

/// Words; names in backticks are set as code.
pub fn text(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), tone: "", code: false }
}

/// A name or a piece of SQL.
pub fn code(text: impl Into<String>) -> Cell {
    Cell { text: text.into(), tone: "", code: true }
}

impl Cell {
    /// The same, marked as `error`, `warning`, `good` or `dim`.
    pub fn toned(self, tone: &'static str) -> Self {
        Self { tone, ..self }
    }
}
