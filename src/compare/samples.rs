//! A few of the rows that differ, kept only where a person asks to see them. Nothing here is looked at by a rule.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rusqlite::types::ValueRef;

use super::values::{Fate, decoded};
use crate::sqlite_file::header::TextEncoding;

/// How much of the rows that differ may be shown, and how many of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Sampling {
    /// No row.
    #[default]
    None,
    /// The keys of up to so many rows for every kind of difference.
    Keys(usize),
    /// The same with the values that differ; of rows that are on one side only, all of them.
    Values(usize),
}

impl Sampling {
    /// How many rows for every kind of difference.
    #[must_use]
    pub fn limit(self) -> usize {
        match self {
            Self::None => 0,
            Self::Keys(limit) | Self::Values(limit) => limit,
        }
    }
}

/// Rows of one table that differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Samples {
    /// The columns by which rows are matched, as they are called after; `rowid`; empty where only whole rows can be matched.
    pub key: Vec<String>,
    /// Rows that are no longer there.
    pub lost: Vec<Sample>,
    /// Rows that were not there.
    pub gained: Vec<Sample>,
    /// Values that differ, by the column's name after and by what became of them.
    pub changed: BTreeMap<(String, Fate), Vec<Sample>>,
}

/// One row, or one value of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The row's key.
    pub key: Vec<Literal>,
    /// What was there, by column; empty where only keys may be shown.
    pub before: Vec<(String, Literal)>,
    /// What is there, by column.
    pub after: Vec<(String, Literal)>,
}

/// A value as SQL writes it, cut at [`Literal::WIDTH`] characters. It may hold anything that a database can hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Literal(pub String);

impl Literal {
    /// Characters of a text, or digits of a blob, that are shown.
    pub const WIDTH: usize = 60;

    /// The value; text is the bytes of this encoding.
    #[must_use]
    pub fn of(value: ValueRef<'_>, encoding: TextEncoding) -> Self {
        Self(match value {
            ValueRef::Null => "NULL".to_owned(),
            ValueRef::Integer(integer) => integer.to_string(),
            ValueRef::Real(real) => format!("{real:?}"),
            ValueRef::Text(bytes) => text(&decoded(bytes, encoding)),
            ValueRef::Blob(bytes) => blob(bytes),
        })
    }
}

fn text(text: &Cow<'_, str>) -> String {
    let mut characters = text.chars();
    let shown: String = characters.by_ref().take(Literal::WIDTH).collect();
    let rest = if characters.next().is_some() { "…" } else { "" };
    format!("'{}{rest}'", shown.replace('\'', "''"))
}

fn blob(bytes: &[u8]) -> String {
    let shown: String = bytes.iter().take(Literal::WIDTH / 2).map(|byte| format!("{byte:02x}")).collect();
    let rest = if bytes.len() > Literal::WIDTH / 2 { "…" } else { "" };
    format!("x'{shown}{rest}'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_written_as_sql_and_cut() {
        let cases = [
            (ValueRef::Null, "NULL"),
            (ValueRef::Integer(-7), "-7"),
            (ValueRef::Real(1.0), "1.0"),
            (ValueRef::Real(-0.0), "-0.0"),
            (ValueRef::Text(b"it's"), "'it''s'"),
            (ValueRef::Text(b""), "''"),
            (ValueRef::Text(&[b'a', 0xff]), "'a\u{fffd}'"),
            (ValueRef::Blob(&[0, 255]), "x'00ff'"),
        ];
        for (value, expected) in cases {
            assert_eq!(Literal::of(value, TextEncoding::Utf8).0, expected);
        }
        let long = "é".repeat(Literal::WIDTH + 1);
        assert_eq!(Literal::of(ValueRef::Text(long.as_bytes()), TextEncoding::Utf8).0.chars().count(), Literal::WIDTH + 3);
        assert_eq!(Literal::of(ValueRef::Text(&[0x61, 0, 0xac, 0x20]), TextEncoding::Utf16Le).0, "'a€'");
    }
}
