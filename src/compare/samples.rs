//! A few of the rows that differ, kept only where a person asks to see them. Nothing here is looked at by a rule.

use std::collections::BTreeMap;

use rusqlite::Result;
use rusqlite::types::ValueRef;

use super::States;
use super::values::Fate;
use super::values::texts::decoded;
use crate::schema::Table;
use crate::schema::lexer::quote_identifier;
use crate::sqlite_file::header::TextEncoding;
use crate::units::hex;

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
    /// Values of columns that are gone, by the column's name before.
    pub dropped: BTreeMap<String, Vec<Sample>>,
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

/// Rows of a table that is gone (`dropped`), and values of columns that have no partner in `paired`.
///
/// # Errors
/// When SQLite cannot read the table.
pub fn gone(states: States<'_>, table: &Table, dropped: bool, paired: &[(String, String)]) -> Result<Samples> {
    if states.sampling == Sampling::None {
        return Ok(Samples::default());
    }
    let key = if table.primary_key.is_empty() {
        table.rowid_name().map(str::to_owned).into_iter().collect()
    } else {
        table.primary_key.clone()
    };
    let mut samples = Samples { key, ..Samples::default() };
    let names: Vec<&String> = table.columns.iter().map(|column| &column.name).collect();
    if dropped {
        samples.lost = lone_rows(states, table, &samples.key, &names, "1")?;
    }
    for name in names {
        if !paired.iter().any(|(before, _)| before == name) {
            let filled = format!("{} IS NOT NULL", quote_identifier(name));
            let values = lone_rows(states, table, &samples.key, &[name], &filled)?;
            samples.dropped.insert(name.clone(), values);
        }
    }
    Ok(samples)
}

/// The first rows before, in the order of the key, that meet the condition.
fn lone_rows(
    states: States<'_>,
    table: &Table,
    key: &[String],
    columns: &[&String],
    condition: &str,
) -> Result<Vec<Sample>> {
    let shown = if matches!(states.sampling, Sampling::Values(_)) { columns } else { &[] };
    if key.is_empty() && shown.is_empty() {
        return Ok(Vec::new());
    }
    let selected: Vec<String> = key.iter().chain(shown.iter().copied()).map(|name| quote_identifier(name)).collect();
    let order: Vec<String> = key.iter().map(|name| quote_identifier(name)).collect();
    let order = if order.is_empty() { String::new() } else { format!(" ORDER BY {}", order.join(", ")) };
    let sql = format!(
        "SELECT {} FROM {} WHERE {condition}{order} LIMIT {}",
        selected.join(", "),
        quote_identifier(&table.name),
        states.sampling.limit()
    );
    let mut statement = states.before.connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut samples = Vec::new();
    while let Some(row) = rows.next()? {
        // SQLite gives text as UTF-8 whatever the database's encoding is.
        let literal = |index: usize| Ok(Literal::of(row.get_ref(index)?, TextEncoding::Utf8));
        let before: Result<Vec<_>> =
            shown.iter().enumerate().map(|(index, name)| Ok(((*name).clone(), literal(key.len() + index)?))).collect();
        samples.push(Sample {
            key: (0..key.len()).map(literal).collect::<Result<_>>()?,
            before: before?,
            after: Vec::new(),
        });
    }
    Ok(samples)
}

fn text(text: &str) -> String {
    let mut characters = text.chars();
    let shown: String = characters.by_ref().take(Literal::WIDTH).collect();
    let rest = if characters.next().is_some() { "…" } else { "" };
    format!("'{}{rest}'", shown.replace('\'', "''"))
}

fn blob(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(Literal::WIDTH / 2)];
    let rest = if shown.len() < bytes.len() { "…" } else { "" };
    format!("x'{}{rest}'", hex(shown))
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
        assert_eq!(
            Literal::of(ValueRef::Text(long.as_bytes()), TextEncoding::Utf8).0.chars().count(),
            Literal::WIDTH + 3
        );
        assert_eq!(Literal::of(ValueRef::Text(&[0x61, 0, 0xac, 0x20]), TextEncoding::Utf16Le).0, "'a€'");
    }
}
