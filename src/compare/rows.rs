//! Two tables row by row: both sides sorted by the same key and merged in one pass. Memory does not grow with the table.

use std::cmp::Ordering;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result, Row, Statement};
// Both cursors are stepped apart, so that each keeps its current row.
use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator;

use super::values::{self, Fate};
use crate::schema::Table;
use crate::schema::lexer::quote_identifier;
use crate::sqlite_file::header::TextEncoding;

/// By what rows before and after are matched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    /// By these columns, which are unique and not NULL on both sides: (before, after).
    Columns(Vec<(String, String)>),
    /// By the rowid, under these names.
    Rowid(&'static str, &'static str),
    /// By nothing: equal rows match, as many as there are on both sides.
    Content,
}

/// What became of the rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowComparison {
    /// How rows were matched.
    pub key: Key,
    /// Rows that are no longer there.
    pub lost: u64,
    /// Rows that were not there.
    pub gained: u64,
    /// Rows that are still there with another value; none where rows are matched by content.
    pub changed: Option<u64>,
    /// The columns that are on both sides.
    pub columns: Vec<ColumnComparison>,
}

/// What became of the values of one column, in the rows that are on both sides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnComparison {
    /// Its name before.
    pub before: String,
    /// Its name after.
    pub after: String,
    /// Values that are not identical.
    pub changed: u64,
    /// Of these: became NULL.
    pub nulled: u64,
    /// Of these: were NULL.
    pub filled: u64,
    /// Of these: the same value in another storage class.
    pub converted: u64,
    /// Of these: another storage class, and something was lost.
    pub lossy: u64,
}

/// One side of a comparison.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// A connection to the state.
    pub connection: &'a Connection,
    /// The table in it.
    pub table: &'a Table,
}

/// Compares two tables, matching by `key`; `columns` are the names of the same column before and after.
///
/// # Errors
/// When SQLite cannot read a side, or when a side is not sorted as its key promises (a corrupt index).
pub fn compare(
    before: Side<'_>,
    after: Side<'_>,
    key: Key,
    columns: &[(String, String)],
    encoding: TextEncoding,
) -> Result<RowComparison> {
    let old_names: Vec<&str> = columns.iter().map(|(before, _)| before.as_str()).collect();
    let new_names: Vec<&str> = columns.iter().map(|(_, after)| after.as_str()).collect();
    let (old_key, new_key) = match &key {
        Key::Columns(pairs) => (
            pairs.iter().map(|(before, _)| quote_identifier(before)).collect(),
            pairs.iter().map(|(_, after)| quote_identifier(after)).collect(),
        ),
        Key::Rowid(before, after) => (vec![(*before).to_owned()], vec![(*after).to_owned()]),
        Key::Content => (
            old_names.iter().map(|name| quote_identifier(name)).collect::<Vec<_>>(),
            new_names.iter().map(|name| quote_identifier(name)).collect(),
        ),
    };
    let mut merge = Merge {
        width: old_key.len(),
        encoding,
        result: RowComparison {
            lost: 0,
            gained: 0,
            changed: (key != Key::Content).then_some(0),
            columns: columns.iter().map(|(before, after)| ColumnComparison::new(before, after)).collect(),
            key,
        },
    };
    let mut old = select(before, &old_key, &old_names)?;
    let mut new = select(after, &new_key, &new_names)?;
    merge.run(&mut old, &mut new)?;
    Ok(merge.result)
}

/// Key columns first, then the values, sorted by the key.
fn select<'c>(side: Side<'c>, key: &[String], columns: &[&str]) -> Result<Statement<'c>> {
    let selected = key.iter().cloned().chain(columns.iter().map(|name| quote_identifier(name)));
    let order = key.iter().map(|column| format!("{column} COLLATE BINARY"));
    let order: Vec<String> = order.collect();
    side.connection.prepare(&format!(
        "SELECT {} FROM {} ORDER BY {}",
        selected.collect::<Vec<_>>().join(", "),
        quote_identifier(&side.table.name),
        order.join(", ")
    ))
}

struct Merge {
    /// Number of key columns at the start of each row.
    width: usize,
    encoding: TextEncoding,
    result: RowComparison,
}

impl Merge {
    fn run(&mut self, old: &mut Statement<'_>, new: &mut Statement<'_>) -> Result<()> {
        let (mut old, mut new) = (old.query([])?, new.query([])?);
        old.advance()?;
        new.advance()?;
        loop {
            let order = match (old.get(), new.get()) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(before), Some(after)) => self.order(before, after)?,
            };
            match order {
                Ordering::Less => self.result.lost += 1,
                Ordering::Greater => self.result.gained += 1,
                Ordering::Equal => {
                    if let (Some(before), Some(after)) = (old.get(), new.get()) {
                        self.matched(before, after)?;
                    }
                }
            }
            if order != Ordering::Greater {
                old.advance()?;
            }
            if order != Ordering::Less {
                new.advance()?;
            }
        }
    }

    fn order(&self, before: &Row<'_>, after: &Row<'_>) -> Result<Ordering> {
        for index in 0..self.width {
            let (one, other) = (before.get_ref(index)?, after.get_ref(index)?);
            let order = values::order(one, other, self.encoding);
            if order != Ordering::Equal {
                return Ok(order);
            }
        }
        Ok(Ordering::Equal)
    }

    fn matched(&mut self, before: &Row<'_>, after: &Row<'_>) -> Result<()> {
        let mut differs = false;
        for (index, column) in self.result.columns.iter_mut().enumerate() {
            differs |= column.add(before.get_ref(self.width + index)?, after.get_ref(self.width + index)?);
        }
        if let (true, Some(changed)) = (differs, &mut self.result.changed) {
            *changed += 1;
        }
        Ok(())
    }
}

impl ColumnComparison {
    /// A column in which nothing was found different yet.
    #[must_use]
    pub fn new(before: &str, after: &str) -> Self {
        Self {
            before: before.to_owned(),
            after: after.to_owned(),
            changed: 0,
            nulled: 0,
            filled: 0,
            converted: 0,
            lossy: 0,
        }
    }

    /// Values that are still the same kind of thing, but not the same thing.
    #[must_use]
    pub fn altered(&self) -> u64 {
        self.changed - self.nulled - self.filled - self.converted - self.lossy
    }

    /// True where the values differ.
    fn add(&mut self, before: ValueRef<'_>, after: ValueRef<'_>) -> bool {
        let fate = values::fate(before, after);
        match fate {
            Fate::Same => return false,
            Fate::Nulled => self.nulled += 1,
            Fate::Filled => self.filled += 1,
            Fate::Converted => self.converted += 1,
            Fate::Lossy => self.lossy += 1,
            Fate::Altered => {}
        }
        self.changed += 1;
        true
    }
}

/// The key by which rows of these two tables can be matched. `holds_no_null` says of a column before and after whether it
/// holds no NULL on both sides.
#[must_use]
pub fn choose_key(
    before: &Table,
    after: &Table,
    columns: &[(String, String)],
    rowids_stay: bool,
    holds_no_null: &dyn Fn(&str, &str) -> bool,
) -> Key {
    let paired = |names: &[String]| -> Option<Vec<(String, String)>> {
        let pair = |name: &String| columns.iter().find(|(before, _)| before.eq_ignore_ascii_case(name)).cloned();
        names.iter().map(pair).collect()
    };
    let unique_after = |key: &[(String, String)]| {
        let is_it = |names: &[String]| {
            names.len() == key.len()
                && names.iter().all(|name| key.iter().any(|(_, after)| after.eq_ignore_ascii_case(name)))
        };
        is_it(&after.primary_key) || after.uniques.iter().any(|unique| is_it(&unique.columns))
    };
    std::iter::once(&before.primary_key)
        .chain(before.uniques.iter().map(|unique| &unique.columns))
        .filter(|names| !names.is_empty())
        .filter_map(|names| paired(names))
        .find(|key| unique_after(key) && key.iter().all(|(before, after)| holds_no_null(before, after)))
        .map(Key::Columns)
        .or_else(|| rowids_stay.then_some(Key::Rowid(rowid_name(before)?, rowid_name(after)?)))
        .unwrap_or(Key::Content)
}

/// A name of the rowid that no column hides; none where there is no rowid.
fn rowid_name(table: &Table) -> Option<&'static str> {
    let free = |name: &&str| table.column(name).is_none();
    ["rowid", "_rowid_", "oid"].into_iter().find(free).filter(|_| !table.without_rowid)
}

/// Whether SQLite said that what it needs to read this table is not here: a module, a function, a collation.
#[must_use]
pub fn is_missing_extension(error: &Error) -> bool {
    let message = error.to_string();
    ["no such module", "no such function", "no such collation"].iter().any(|cause| message.contains(cause))
}
