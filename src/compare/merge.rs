//! What became of the rows of a table: rows of both sides are brought together by their key, and every value is looked at once.
//!
//! Where both sides come in the order of the key they are merged, and memory does not grow with the table. Where they do not, as
//! after a copy of a table whose key is a text, they are joined: a copy keeps the order of the rows, so that only those wait that
//! lost their place.

use std::cmp::Ordering;
use std::collections::HashMap;

use rusqlite::types::ValueRef;

use super::rows::{ColumnComparison, Key, Pass, RowComparison, Tables};
use super::samples::{Literal, Sample, Samples, Sampling};
use super::values::{self, Fate};
use crate::profile::Owned;
use crate::sqlite_file::error::ReadError;
use crate::sqlite_file::header::TextEncoding;

/// Why rows could not be brought together.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stop {
    /// SQLite could not read a side.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// The file could not be read directly.
    #[error(transparent)]
    File(#[from] ReadError),
    /// Something is not in the file that only SQLite can tell.
    #[error("only SQLite can tell a value")]
    Unknown,
    /// More rows wait for their partner than memory may hold.
    #[error("too many rows have lost their place")]
    Memory,
}

/// How many rows before are passed in search of the partner of a row after, before that one has to wait.
const MOST_PASSED: u32 = 1_000;

type Result<T> = std::result::Result<T, Stop>;

/// A row: the columns of the key first, then the values.
pub(super) trait Row {
    /// The value at this place, with the bytes that are stored.
    fn value(&self, index: usize) -> Result<ValueRef<'_>>;

    /// The record as it is stored, where that says every value.
    fn stored(&self) -> Option<&[u8]> {
        None
    }
}

/// Rows, one after the other: each is what the source itself is at that moment.
pub(super) trait Source: Row + Sized {
    /// Goes to the next row; to the first one at first.
    fn advance(&mut self) -> Result<()>;

    /// Whether there is a row; not so behind the last one.
    fn is_at_row(&self) -> bool;

    /// The row; none behind the last one.
    fn row(&self) -> Option<&Self> {
        self.is_at_row().then_some(self)
    }
}

/// A comparison under way.
pub(super) struct Merge<'a> {
    /// Number of key columns at the start of each row.
    width: usize,
    encoding: TextEncoding,
    sampling: Sampling,
    defaults: &'a [Option<Owned>],
    /// The columns of the rows before, behind the key: those that are on both sides, and those that are gone.
    old_names: Vec<String>,
    /// Whether the rowid stands at the end of each row.
    rowids: bool,
    /// For each column: the place of the column that had its name, where that is another one.
    namesakes: Vec<Option<usize>>,
    /// Whether equal records say equal values.
    alike: bool,
    shifts: Vec<Shift>,
    /// The last row that matched by content.
    last_matched: Vec<u8>,
    pass: Pass<'a>,
    result: RowComparison,
}

impl<'a> Merge<'a> {
    /// `old_names` are the columns of rows before, behind the key; `rowids` says that the rowid stands behind the values.
    pub fn new(tables: &Tables<'a>, key: Key, width: usize, old_names: Vec<String>, rowids: bool) -> Self {
        let columns = tables.columns;
        let places: HashMap<String, usize> =
            columns.iter().zip(0..).map(|((old, _), place)| (old.to_ascii_lowercase(), place)).collect();
        let namesake = |(before, after): &(String, String)| {
            let place = places.get(&after.to_ascii_lowercase())?;
            (columns[*place].0 != *before).then_some(*place)
        };
        Self {
            width,
            encoding: tables.encoding,
            sampling: tables.sampling,
            defaults: tables.defaults,
            old_names,
            rowids,
            namesakes: columns.iter().map(namesake).collect(),
            alike: false,
            shifts: columns.iter().map(|_| Shift::default()).collect(),
            last_matched: Vec::new(),
            pass: Pass::begin(tables.progress),
            result: RowComparison {
                lost: 0,
                gained: 0,
                repeated: 0,
                matched: 0,
                changed: (key != Key::Content).then_some(0),
                rowids_moved: (rowids || matches!(key, Key::Rowid(..))).then_some(0),
                columns: columns.iter().map(|(before, after)| ColumnComparison::new(before, after)).collect(),
                samples: Samples { key: key.names_after(), ..Samples::default() },
                by_sqlite: false,
                key,
            },
        }
    }

    /// Equal records of both sides say equal values: every column lies at the same place.
    pub fn records_are_alike(&mut self) {
        self.alike = self.namesakes.iter().all(Option::is_none);
    }

    /// The rows come from SQLite.
    pub fn by_sqlite(&mut self) {
        self.result.by_sqlite = true;
    }

    pub fn finish(mut self) -> RowComparison {
        for (column, shift) in self.result.columns.iter_mut().zip(self.shifts) {
            column.shifted_from = shift.source().map(|place| self.old_names[place].clone());
        }
        self.result
    }

    /// Merges two sources that come in the order of the key.
    pub fn merge(&mut self, old: &mut impl Source, new: &mut impl Source) -> Result<()> {
        old.advance()?;
        new.advance()?;
        loop {
            let order = match (old.row(), new.row()) {
                (None, None) => return Ok(()),
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(before), Some(after)) => self.order(before, after)?,
            };
            match (order, old.row(), new.row()) {
                (Ordering::Less, Some(before), _) => self.lost(before)?,
                (Ordering::Greater, _, Some(after)) => self.gained(after)?,
                (Ordering::Equal, Some(before), Some(after)) => self.matched(before, after)?,
                _ => {}
            }
            self.pass.add(1 + u64::from(order == Ordering::Equal));
            if order != Ordering::Greater {
                old.advance()?;
            }
            if order != Ordering::Less {
                new.advance()?;
            }
        }
    }

    /// Joins two sources that come in any order, with up to `memory` bytes for the rows that wait for their partner. Whole rows
    /// that are there once more than before are not counted as repeated.
    pub fn join(&mut self, old: &mut impl Source, new: &mut impl Source, memory: usize) -> Result<()> {
        let (mut olds, mut news) = (Waiting::default(), Waiting::default());
        // Rows before that were passed since two rows matched: a copy that left rows out goes on behind them.
        let mut passed = 0;
        old.advance()?;
        new.advance()?;
        while old.is_at_row() || new.is_at_row() {
            if let (Some(before), Some(after)) = (old.row(), new.row())
                && self.order(before, after)? == Ordering::Equal
            {
                self.matched(before, after)?;
                self.pass.add(2);
                old.advance()?;
                new.advance()?;
                passed = 0;
            } else if let Some(after) = new.row()
                && let Some(before) = olds.take(|| self.key(after))?
            {
                self.matched(&before, after)?;
                self.pass.add(1);
                new.advance()?;
                passed = 0;
            } else if let Some(before) = old.row()
                && let Some(after) = news.take(|| self.key(before))?
            {
                self.matched(before, &after)?;
                self.pass.add(1);
                old.advance()?;
            } else if let Some(before) = old.row()
                && (passed < MOST_PASSED || !new.is_at_row())
            {
                olds.put(self.key(before)?, Kept::of(before, self.width_before())?);
                self.pass.add(1);
                old.advance()?;
                passed += 1;
            } else if let Some(after) = new.row() {
                news.put(self.key(after)?, Kept::of(after, self.width_after())?);
                self.pass.add(1);
                new.advance()?;
                passed = 0;
            }
            if olds.bytes + news.bytes > memory {
                return Err(Stop::Memory);
            }
        }
        olds.rows().try_for_each(|row| self.lost(row))?;
        news.rows().try_for_each(|row| self.gained(row))
    }

    fn width_before(&self) -> usize {
        self.width + self.old_names.len() + usize::from(self.rowids)
    }

    fn width_after(&self) -> usize {
        self.width + self.result.columns.len() + usize::from(self.rowids)
    }

    fn lost(&mut self, before: &impl Row) -> Result<()> {
        self.result.lost += 1;
        if self.has_room(self.result.samples.lost.len()) {
            let sample = self.lone(before, &self.old_names)?;
            self.result.samples.lost.push(sample);
        }
        Ok(())
    }

    fn gained(&mut self, after: &impl Row) -> Result<()> {
        self.result.gained += 1;
        if self.has_room(self.result.samples.gained.len()) {
            let names: Vec<String> = self.result.columns.iter().map(|column| column.after.clone()).collect();
            let Sample { key, before, after } = self.lone(after, &names)?;
            self.result.samples.gained.push(Sample { key, before: after, after: before });
        }
        if self.exact() {
            let mut content = Vec::new();
            self.write_content(after, &mut content)?;
            self.result.repeated += u64::from(self.result.matched > 0 && content == self.last_matched);
        }
        Ok(())
    }

    /// Whether only identical rows match.
    fn exact(&self) -> bool {
        self.result.key == Key::Content
    }

    fn order(&self, before: &impl Row, after: &impl Row) -> Result<Ordering> {
        for index in 0..self.width {
            let order = values::order(before.value(index)?, after.value(index)?);
            if order != Ordering::Equal {
                return Ok(order);
            }
        }
        for index in 0..self.width {
            let order = values::order_of_equal(before.value(index)?, after.value(index)?);
            if self.exact() && order != Ordering::Equal {
                return Ok(order);
            }
        }
        Ok(Ordering::Equal)
    }

    /// Bytes that are equal only where the keys of two rows match.
    fn key(&self, row: &impl Row) -> Result<Vec<u8>> {
        let mut key = Vec::new();
        if self.exact() {
            self.write_content(row, &mut key)?;
            return Ok(key);
        }
        for index in 0..self.width {
            write_value(values::as_key(row.value(index)?), &mut key);
        }
        Ok(key)
    }

    fn matched(&mut self, before: &impl Row, after: &impl Row) -> Result<()> {
        self.result.matched += 1;
        if self.exact() {
            let mut content = std::mem::take(&mut self.last_matched);
            self.write_content(after, &mut content)?;
            self.last_matched = content;
        }
        if self.alike && before.stored().is_some_and(|stored| after.stored() == Some(stored)) {
            return self.rowid(before, after);
        }
        let mut differs = false;
        for index in 0..self.result.columns.len() {
            let new = after.value(self.width + index)?;
            let old = before.value(self.width + index)?;
            if let Some(namesake) = self.namesakes[index] {
                let read = before.value(self.width + namesake)?;
                self.result.columns[index].read_otherwise += u64::from(!values::identical(read, new));
            }
            let default = self.defaults.get(index).and_then(Option::as_ref);
            let fate = self.result.columns[index].add(old, new, default, self.encoding);
            if fate != Fate::Same {
                differs = true;
                self.shift(index, before, new)?;
                self.sample(index, fate, before, (old, new))?;
            }
        }
        if let (true, Some(changed)) = (differs, &mut self.result.changed) {
            *changed += 1;
        }
        self.rowid(before, after)
    }

    /// Whether there is room for one more sample beside `kept`; where rows have no key, only their values can show them.
    fn has_room(&self, kept: usize) -> bool {
        kept < self.sampling.limit() && !(self.exact() && matches!(self.sampling, Sampling::Keys(_)))
    }

    fn row_key(&self, row: &impl Row) -> Result<Vec<Literal>> {
        let width = if self.exact() { 0 } else { self.width };
        (0..width).map(|index| Ok(Literal::of(row.value(index)?, self.encoding))).collect()
    }

    /// A row that is on one side only, its values as those before.
    fn lone(&self, row: &impl Row, names: &[String]) -> Result<Sample> {
        let mut before = Vec::new();
        if matches!(self.sampling, Sampling::Values(_)) {
            for (index, name) in names.iter().enumerate() {
                before.push((name.clone(), Literal::of(row.value(self.width + index)?, self.encoding)));
            }
        }
        Ok(Sample { key: self.row_key(row)?, before, after: Vec::new() })
    }

    /// Keeps a value that differs, where there is room for it.
    fn sample(&mut self, index: usize, fate: Fate, row: &impl Row, values: (ValueRef<'_>, ValueRef<'_>)) -> Result<()> {
        if self.sampling == Sampling::None {
            return Ok(());
        }
        let column = &self.result.columns[index];
        let place = (column.after.clone(), fate);
        let kept = self.result.samples.changed.get(&place).map_or(0, Vec::len);
        if !self.has_room(kept) {
            return Ok(());
        }
        let shown = |name: &String, value| match self.sampling {
            Sampling::Values(_) => vec![(name.clone(), Literal::of(value, self.encoding))],
            _ => Vec::new(),
        };
        let sample = Sample {
            key: self.row_key(row)?,
            before: shown(&column.before, values.0),
            after: shown(&column.after, values.1),
        };
        self.result.samples.changed.entry(place).or_default().push(sample);
        Ok(())
    }

    /// Notes which columns of the same row held before what a changed value is.
    fn shift(&mut self, index: usize, before: &impl Row, after: ValueRef<'_>) -> Result<()> {
        let shift = &mut self.shifts[index];
        let candidates = shift
            .candidates
            .take()
            .unwrap_or_else(|| (0..self.old_names.len()).filter(|place| *place != index).collect());
        let mut left = Vec::with_capacity(candidates.len());
        for place in candidates {
            if values::identical(before.value(self.width + place)?, after) {
                left.push(place);
            }
        }
        shift.candidates = Some(left);
        shift.note(after);
        Ok(())
    }

    fn rowid(&mut self, before: &impl Row, after: &impl Row) -> Result<()> {
        if !self.rowids {
            return Ok(());
        }
        let old = before.value(self.width + self.old_names.len())?;
        let new = after.value(self.width + self.result.columns.len())?;
        if let (false, Some(moved)) = (values::identical(old, new), &mut self.result.rowids_moved) {
            *moved += 1;
        }
        Ok(())
    }

    /// Writes a row's values as bytes that are equal only where the values are identical.
    fn write_content(&self, row: &impl Row, content: &mut Vec<u8>) -> Result<()> {
        content.clear();
        for index in 0..self.width {
            write_value(row.value(index)?, content);
        }
        Ok(())
    }
}

/// Appends a value as bytes that are equal only where storage class and bytes are.
pub(super) fn write_value(value: ValueRef<'_>, content: &mut Vec<u8>) {
    let number: [u8; 8];
    let (class, bytes): (u8, &[u8]) = match value {
        ValueRef::Null => (0, &[]),
        ValueRef::Integer(integer) => {
            number = integer.to_le_bytes();
            (1, &number)
        }
        ValueRef::Real(real) => {
            number = real.to_bits().to_le_bytes();
            (2, &number)
        }
        ValueRef::Text(text) => (3, text),
        ValueRef::Blob(blob) => (4, blob),
    };
    content.push(class);
    content.extend((bytes.len() as u64).to_le_bytes());
    content.extend(bytes);
}

/// Rows that wait for their partner, by key, in the order in which they came.
#[derive(Default)]
struct Waiting {
    by_key: HashMap<Vec<u8>, Vec<(u64, Kept)>>,
    came: u64,
    bytes: usize,
}

impl Waiting {
    fn put(&mut self, key: Vec<u8>, row: Kept) {
        self.bytes += key.len() + row.bytes;
        self.came += 1;
        self.by_key.entry(key).or_default().push((self.came, row));
    }

    /// The key is made only where there are rows.
    fn take(&mut self, key: impl FnOnce() -> Result<Vec<u8>>) -> Result<Option<Kept>> {
        if self.by_key.is_empty() {
            return Ok(None);
        }
        let key = key()?;
        let Some(rows) = self.by_key.get_mut(&key) else { return Ok(None) };
        let Some((_, row)) = rows.pop() else { return Ok(None) };
        if rows.is_empty() {
            self.by_key.remove(&key);
        }
        self.bytes -= key.len() + row.bytes;
        Ok(Some(row))
    }

    fn rows(&self) -> impl Iterator<Item = &Kept> {
        let mut rows: Vec<&(u64, Kept)> = self.by_key.values().flatten().collect();
        rows.sort_by_key(|(came, _)| *came);
        rows.into_iter().map(|(_, row)| row)
    }
}

/// A row that outlives its source.
struct Kept {
    values: Vec<Owned>,
    bytes: usize,
}

impl Kept {
    /// What a value takes beside its bytes.
    const VALUE: usize = size_of::<Owned>();

    fn of(row: &impl Row, width: usize) -> Result<Self> {
        let mut kept = Self { values: Vec::with_capacity(width), bytes: 0 };
        for index in 0..width {
            let value = row.value(index)?;
            kept.bytes += Self::VALUE + value.as_bytes_or_null().ok().flatten().map_or(0, <[u8]>::len);
            kept.values.push(Owned::of(value));
        }
        Ok(kept)
    }
}

impl Row for Kept {
    fn value(&self, index: usize) -> Result<ValueRef<'_>> {
        Ok(self.values[index].borrow())
    }
}

/// Whether the changed values of a column are what another column of the same rows held before.
#[derive(Default)]
struct Shift {
    /// The places of the columns of which that is true so far; none before the first changed value.
    candidates: Option<Vec<usize>>,
    /// The first changed value that is not NULL.
    first: Option<Owned>,
    /// Whether there is another one. A constant proves nothing.
    various: bool,
}

impl Shift {
    fn note(&mut self, after: ValueRef<'_>) {
        let possible = self.candidates.as_ref().is_some_and(|candidates| !candidates.is_empty());
        if !possible || self.various || after == ValueRef::Null {
            return;
        }
        match &self.first {
            None => self.first = Some(Owned::of(after)),
            Some(first) => self.various = !values::identical(first.borrow(), after),
        }
    }

    fn source(&self) -> Option<usize> {
        self.candidates.as_ref().filter(|_| self.various)?.first().copied()
    }
}
