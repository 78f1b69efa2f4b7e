//! Two tables row by row: both sides sorted by the same key and merged in one pass. Memory does not grow with the table.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result, Row, Statement};
// Both cursors are stepped apart, so that each keeps its current row.
use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator;

use super::samples::{Literal, Sample, Samples, Sampling};
use super::translation::FUNCTION;
use super::values::{self, Alteration, Fate, Loss};
use crate::profile::Owned;
use crate::schema::lexer::quote_identifier;
use crate::schema::{Table, TableKind};
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

impl Key {
    /// The names of what is matched by, as they are after; none where whole rows are matched.
    fn names_after(&self) -> Vec<String> {
        match self {
            Self::Columns(pairs) => pairs.iter().map(|(_, after)| after.clone()).collect(),
            Self::Rowid(_, after) => vec![(*after).to_owned()],
            Self::Content => Vec::new(),
        }
    }
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
    /// Of these, where rows are matched by content: equal to a row that is on both sides, so that it is there once more.
    pub repeated: u64,
    /// Rows that are on both sides.
    pub matched: u64,
    /// Rows that are still there with another value; none where rows are matched by content.
    pub changed: Option<u64>,
    /// Rows on both sides whose rowid is another one; none where the rowid is a column, or there is none on one side.
    pub rowids_moved: Option<u64>,
    /// The columns that are on both sides.
    pub columns: Vec<ColumnComparison>,
    /// Some of the rows that differ, where they are asked for.
    pub samples: Samples,
}

impl RowComparison {
    /// Rows that are not on both sides as they are.
    pub(super) fn differences(&self) -> u64 {
        self.lost + self.gained + self.changed.unwrap_or_default()
    }
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
    /// Of the nulled: were the empty text.
    pub blank_to_null: u64,
    /// Of the changed: were NULL.
    pub filled: u64,
    /// Of the filled: are the empty text.
    pub null_to_blank: u64,
    /// Of the changed: the same value in another storage class.
    pub converted: u64,
    /// Of the changed: another storage class, and something was lost.
    pub lossy: u64,
    /// The lossy ones by what was lost; kinds without values are left out.
    pub lossy_kinds: BTreeMap<Loss, u64>,
    /// Of the changed: text that is still recognisable, by what happened to it; kinds without values are left out.
    pub text_altered: BTreeMap<Alteration, u64>,
    /// Of those that are altered in no such way: are the DEFAULT that the column has after.
    pub defaulted: u64,
    /// The column, by its name before, whose values of the same rows all changed values are; none where they are no column's,
    /// or all the same.
    pub shifted_from: Option<String>,
    /// Rows in which who reads the name after gets another value than before, because a column that is still there had it.
    pub read_otherwise: u64,
    /// How far values that were all different became equal; none where they were not, or nothing collapsed.
    pub collapsed: Option<Collapse>,
}

/// Values that were all different, in the rows that are on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Collapse {
    /// Values that were not NULL and are not.
    pub values: u64,
    /// How many different values there are now.
    pub distinct: u64,
}

/// One side of a comparison.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// A connection to the state.
    pub connection: &'a Connection,
    /// The table in it.
    pub table: &'a Table,
    /// How it stores text.
    pub encoding: TextEncoding,
}

/// What is known of rowids after the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rowids {
    /// Nothing numbered the rows anew.
    Stay,
    /// Something may have numbered the rows anew.
    MayMove,
    /// The table was made anew and filled.
    OfAnotherTable,
}

/// Two tables to compare; `columns` are the names of the same column before and after, at least one.
#[derive(Clone, Copy)]
pub struct Tables<'a> {
    /// The table before.
    pub before: Side<'a>,
    /// The table after.
    pub after: Side<'a>,
    /// Names of the same column before and after.
    pub columns: &'a [(String, String)],
    /// The DEFAULT of each of them after, where it is a literal.
    pub defaults: &'a [Option<Owned>],
    /// In which text is compared: that of both sides, UTF-8 where they differ.
    pub encoding: TextEncoding,
    /// How many of the rows that differ are kept.
    pub sampling: Sampling,
}

impl Tables<'_> {
    /// Whether text is read as bytes: SQLite would translate that of a UTF-16 database, and cannot translate all of it back.
    fn reads_bytes(&self) -> bool {
        [self.before.encoding, self.after.encoding].iter().any(|encoding| *encoding != TextEncoding::Utf8)
    }

    /// Compares them by the best key that there is. `holds_no_null` says of a column before and after whether it holds no NULL
    /// on both sides.
    ///
    /// # Errors
    /// When SQLite cannot read a side.
    pub fn compare(&self, rowids: Rowids, holds_no_null: &dyn Fn(&str, &str) -> bool) -> Result<RowComparison> {
        let mut keys = self.keys(rowids, holds_no_null)?.into_iter();
        let Some(key) = keys.next() else { return self.by_rowid(rowids) };
        let by_key = self.by(Key::Columns(key.clone()))?;
        if by_key.lost == 0 || by_key.gained == 0 {
            return Ok(by_key);
        }
        if by_key.matched == 0 && rowids == Rowids::OfAnotherTable {
            // The rebuild gave every row another key: another unique key tells which is which.
            for other in keys.filter(|other| *other != key) {
                let by_other = self.by(Key::Columns(other))?;
                if by_other.matched > 0 {
                    return Ok(by_other);
                }
            }
        }
        let Some(by_rowid) = self.rowid().map(|rowid| self.by(rowid)).transpose()? else { return Ok(by_key) };
        // The rows are the same under another key, or the key itself was converted: its text became a number, for example.
        let same_rows = rowids == Rowids::Stay && by_rowid.differences() < by_key.differences();
        let converted = || {
            let mut of_key = by_rowid.columns.iter().filter(|column| key.iter().any(|(old, _)| *old == column.before));
            of_key.all(|column| column.changed == column.converted + column.lossy)
        };
        let same_keys = by_key.matched == 0 && by_rowid.lost + by_rowid.gained == 0 && converted();
        Ok(if same_rows || same_keys { by_rowid } else { by_key })
    }

    /// The rowid says most where it did not change. Where it may have, whichever leaves less to explain.
    fn by_rowid(&self, rowids: Rowids) -> Result<RowComparison> {
        let Some(rowid) = self.rowid() else { return self.by(Key::Content) };
        let by_rowid = self.by(rowid)?;
        let explained = match rowids {
            Rowids::Stay => by_rowid.lost == 0 || by_rowid.gained == 0,
            Rowids::MayMove | Rowids::OfAnotherTable => by_rowid.differences() == 0,
        };
        if explained {
            return Ok(by_rowid);
        }
        let by_content = self.by(Key::Content)?;
        let better = match rowids {
            // A statement wrote the rowids themselves.
            Rowids::Stay => by_content.differences() == 0,
            // Where rows are there several times, later ones have the rowids of others.
            Rowids::MayMove | Rowids::OfAnotherTable if by_content.repeated > 0 => {
                by_content.differences() <= by_rowid.differences()
            }
            Rowids::MayMove | Rowids::OfAnotherTable => by_content.differences() < by_rowid.differences(),
        };
        if !better {
            return Ok(by_rowid);
        }
        Ok(RowComparison { rowids_moved: self.moved(&by_content)?, ..by_content })
    }

    /// Rows matched by content whose rowid is another one: of equal rows as few as possible.
    fn moved(&self, by_content: &RowComparison) -> Result<Option<u64>> {
        let Some((before, after)) = self.free_rowids() else { return Ok(None) };
        let (mut old_key, mut new_key) = self.key_columns(&Key::Content);
        old_key.push(before.to_owned());
        new_key.push(after.to_owned());
        let stayed = self.merge(Key::Content, &old_key, &new_key)?;
        Ok(Some(by_content.matched - stayed.matched))
    }

    /// The names of the rowid where SQLite gives it out, and no column is it.
    fn free_rowids(&self) -> Option<(&'static str, &'static str)> {
        let free = |table: &Table| table.kind == TableKind::Ordinary && table.rowid_alias.is_none();
        let both = self.before.table.rowid_name().zip(self.after.table.rowid_name());
        both.filter(|_| free(self.before.table) && free(self.after.table))
    }

    fn rowid(&self) -> Option<Key> {
        Some(Key::Rowid(self.before.table.rowid_name()?, self.after.table.rowid_name()?))
    }

    /// Columns that are unique and not NULL on both sides: declared so on both, or, in a table that was made anew, declared
    /// on one side and found so on the other. The best comes first.
    fn keys(&self, rowids: Rowids, holds_no_null: &dyn Fn(&str, &str) -> bool) -> Result<Vec<Vec<(String, String)>>> {
        let paired = |names: &[String], side: fn(&(String, String)) -> &String| -> Option<Vec<(String, String)>> {
            let pair = |name: &String| self.columns.iter().find(|pair| side(pair).eq_ignore_ascii_case(name)).cloned();
            names.iter().map(pair).collect()
        };
        let before = declared(self.before.table).filter_map(|names| paired(names, |pair| &pair.0));
        let after = declared(self.after.table).filter_map(|names| paired(names, |pair| &pair.1));
        let (mut keys, others): (Vec<_>, Vec<_>) = before
            .chain(after)
            .filter(|key| key.iter().all(|(before, after)| holds_no_null(before, after)))
            .partition(|key| self.declared_on_both(key));
        if !keys.is_empty() {
            return Ok(keys);
        }
        for key in others.into_iter().filter(|_| rowids == Rowids::OfAnotherTable) {
            let names = |side: fn(&(String, String)) -> &String| key.iter().map(side).collect::<Vec<_>>();
            if is_unique(self.before, &names(|pair| &pair.0))? && is_unique(self.after, &names(|pair| &pair.1))? {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    fn declared_on_both(&self, key: &[(String, String)]) -> bool {
        let on = |table: &Table, side: fn(&(String, String)) -> &String| {
            declared(table).any(|names| {
                names.len() == key.len()
                    && names.iter().all(|name| key.iter().any(|pair| side(pair).eq_ignore_ascii_case(name)))
            })
        };
        on(self.before.table, |pair| &pair.0) && on(self.after.table, |pair| &pair.1)
    }

    /// Compares them, matching by `key`.
    ///
    /// # Errors
    /// When SQLite cannot read a side.
    pub fn by(&self, key: Key) -> Result<RowComparison> {
        let (old_key, new_key) = self.key_columns(&key);
        self.merge(key, &old_key, &new_key)
    }

    /// What rows are sorted by, before and after.
    fn key_columns(&self, key: &Key) -> (Vec<String>, Vec<String>) {
        let quoted = |pairs: &[(String, String)]| {
            pairs.iter().map(|(before, after)| (quote_identifier(before), quote_identifier(after))).unzip()
        };
        match key {
            Key::Columns(pairs) => quoted(pairs),
            Key::Rowid(before, after) => (vec![(*before).to_owned()], vec![(*after).to_owned()]),
            Key::Content => quoted(self.columns),
        }
    }

    fn merge(&self, key: Key, old_key: &[String], new_key: &[String]) -> Result<RowComparison> {
        let exact = key == Key::Content;
        let rowids = self.free_rowids().filter(|_| matches!(key, Key::Columns(_)));
        let mut merge = Merge::new(self, key, old_key.len(), rowids.is_some());
        let gone = self.before.table.columns.iter().map(|column| &column.name);
        let gone = gone.filter(|name| !exact && !self.columns.iter().any(|(before, _)| before == *name));
        merge.old_names = self.columns.iter().map(|(before, _)| before).chain(gone).cloned().collect();
        let select = |names: &mut dyn Iterator<Item = &String>, rowid: Option<&str>| -> Vec<String> {
            names.map(|name| quote_identifier(name)).chain(rowid.map(str::to_owned)).collect()
        };
        let old_values = select(&mut merge.old_names.iter(), rowids.map(|(before, _)| before));
        let new_values = select(&mut self.columns.iter().map(|(_, after)| after), rowids.map(|(_, after)| after));
        let mut old = self.select(self.before, old_key, &old_values, exact)?;
        let mut new = self.select(self.after, new_key, &new_values, exact)?;
        merge.run(&mut old, &mut new)?;
        Ok(merge.finish())
    }

    /// Key columns first, then the values, sorted by the key. Where text is read as bytes, behind each value stands whether it is
    /// text; what is translated is sorted by its translation.
    /// `exact` sorts `1` before `1.0` and `0.0` before `-0.0`, which SQLite takes for equal.
    fn select<'c>(&self, side: Side<'c>, key: &[String], columns: &[String], exact: bool) -> Result<Statement<'c>> {
        let selected = key.iter().chain(columns).cloned();
        let translated = side.encoding != self.encoding;
        let bytes = |column: &String| {
            let function = if translated { FUNCTION } else { "" };
            format!("iif(typeof({column}) = 'text', {function}(CAST({column} AS BLOB)), {column})")
        };
        let with_flag = |column: String| format!("{}, typeof({column}) = 'text'", bytes(&column));
        let selected = selected.map(|column| if self.reads_bytes() { with_flag(column) } else { column });
        let by_bytes = |column: &String| format!("typeof({column}) = 'blob', {}", bytes(column));
        let stored = |column: &String| format!("{column} COLLATE BINARY");
        let order = key.iter().map(|column| if translated { by_bytes(column) } else { stored(column) });
        let order: Vec<String> = order.chain(key.iter().filter(|_| exact).map(|column| class(column))).collect();
        side.connection.prepare(&format!(
            "SELECT {} FROM {} ORDER BY {}",
            selected.collect::<Vec<_>>().join(", "),
            quote_identifier(&side.table.name),
            order.join(", ")
        ))
    }
}

/// An expression that differs for values that SQLite takes for equal: `1` and `1.0`, `0.0` and `-0.0`.
pub(super) fn class(column: &str) -> String {
    format!("typeof({column}) || iif({column} = 0 AND atan2({column}, -1) < 0, '-', '')")
}

/// The columns of the primary key and of every UNIQUE.
fn declared(table: &Table) -> impl Iterator<Item = &Vec<String>> {
    let uniques = table.uniques.iter().map(|unique| &unique.columns);
    std::iter::once(&table.primary_key).chain(uniques).filter(|names| !names.is_empty())
}

/// Whether no two rows have the same bytes in these columns.
fn is_unique(side: Side<'_>, columns: &[&String]) -> Result<bool> {
    let by: Vec<String> = columns.iter().map(|column| format!("{} COLLATE BINARY", quote_identifier(column))).collect();
    let sql = format!(
        "SELECT NOT EXISTS (SELECT 1 FROM {} GROUP BY {} HAVING count(*) > 1)",
        quote_identifier(&side.table.name),
        by.join(", ")
    );
    side.connection.query_row(&sql, [], |row| row.get(0))
}

struct Merge<'a> {
    /// Number of key columns at the start of each row.
    width: usize,
    encoding: TextEncoding,
    /// Whether text is read as bytes.
    bytes: bool,
    sampling: Sampling,
    defaults: &'a [Option<Owned>],
    /// The columns of the rows before, behind the key: those that are on both sides, and those that are gone.
    old_names: Vec<String>,
    /// Whether the rowid stands at the end of each row.
    rowids: bool,
    /// For each column: the place of the column that had its name, where that is another one.
    namesakes: Vec<Option<usize>>,
    shifts: Vec<Shift>,
    /// The last row that matched by content.
    last_matched: Vec<u8>,
    result: RowComparison,
}

impl<'a> Merge<'a> {
    fn new(tables: &Tables<'a>, key: Key, width: usize, rowids: bool) -> Self {
        let columns = tables.columns;
        let namesake = |(before, after): &(String, String)| {
            columns.iter().position(|(old, _)| old.eq_ignore_ascii_case(after) && old != before)
        };
        Self {
            width,
            encoding: tables.encoding,
            bytes: tables.reads_bytes(),
            sampling: tables.sampling,
            defaults: tables.defaults,
            old_names: Vec::new(),
            rowids,
            namesakes: columns.iter().map(namesake).collect(),
            shifts: columns.iter().map(|_| Shift::default()).collect(),
            last_matched: Vec::new(),
            result: RowComparison {
                lost: 0,
                gained: 0,
                repeated: 0,
                matched: 0,
                changed: (key != Key::Content).then_some(0),
                rowids_moved: (rowids || matches!(key, Key::Rowid(..))).then_some(0),
                columns: columns.iter().map(|(before, after)| ColumnComparison::new(before, after)).collect(),
                samples: Samples { key: key.names_after(), ..Samples::default() },
                key,
            },
        }
    }

    fn finish(mut self) -> RowComparison {
        for (column, shift) in self.result.columns.iter_mut().zip(self.shifts) {
            column.shifted_from = shift.source().map(|place| self.old_names[place].clone());
        }
        self.result
    }

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
                Ordering::Less => {
                    self.result.lost += 1;
                    if let Some(before) = old.get().filter(|_| self.has_room(self.result.samples.lost.len())) {
                        let sample = self.lone(before, &self.old_names)?;
                        self.result.samples.lost.push(sample);
                    }
                }
                Ordering::Greater => {
                    self.result.gained += 1;
                    if let Some(after) = new.get().filter(|_| self.has_room(self.result.samples.gained.len())) {
                        let names: Vec<String> =
                            self.result.columns.iter().map(|column| column.after.clone()).collect();
                        let Sample { key, before, after } = self.lone(after, &names)?;
                        self.result.samples.gained.push(Sample { key, before: after, after: before });
                    }
                    if let Some(after) = new.get().filter(|_| self.exact()) {
                        let mut content = Vec::new();
                        self.write_content(after, &mut content)?;
                        self.result.repeated += u64::from(self.result.matched > 0 && content == self.last_matched);
                    }
                }
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

    /// Whether only identical rows match.
    fn exact(&self) -> bool {
        self.result.key == Key::Content
    }

    fn order(&self, before: &Row<'_>, after: &Row<'_>) -> Result<Ordering> {
        for index in 0..self.width {
            let order = values::order(self.value(before, index)?, self.value(after, index)?);
            if order != Ordering::Equal {
                return Ok(order);
            }
        }
        for index in 0..self.width {
            let order = values::order_of_equal(self.value(before, index)?, self.value(after, index)?);
            if self.exact() && order != Ordering::Equal {
                return Ok(order);
            }
        }
        Ok(Ordering::Equal)
    }

    fn value<'r>(&self, row: &'r Row<'_>, index: usize) -> Result<ValueRef<'r>> {
        value(self.bytes, row, index)
    }

    fn matched(&mut self, before: &Row<'_>, after: &Row<'_>) -> Result<()> {
        self.result.matched += 1;
        if self.exact() {
            let mut content = std::mem::take(&mut self.last_matched);
            self.write_content(after, &mut content)?;
            self.last_matched = content;
        }
        let mut differs = false;
        for index in 0..self.result.columns.len() {
            let new = self.value(after, self.width + index)?;
            let old = self.value(before, self.width + index)?;
            if let Some(namesake) = self.namesakes[index] {
                let read = self.value(before, self.width + namesake)?;
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

    fn row_key(&self, row: &Row<'_>) -> Result<Vec<Literal>> {
        let width = if self.exact() { 0 } else { self.width };
        (0..width).map(|index| Ok(Literal::of(self.value(row, index)?, self.encoding))).collect()
    }

    /// A row that is on one side only, its values as those before.
    fn lone(&self, row: &Row<'_>, names: &[String]) -> Result<Sample> {
        let mut before = Vec::new();
        if matches!(self.sampling, Sampling::Values(_)) {
            for (index, name) in names.iter().enumerate() {
                before.push((name.clone(), Literal::of(self.value(row, self.width + index)?, self.encoding)));
            }
        }
        Ok(Sample { key: self.row_key(row)?, before, after: Vec::new() })
    }

    /// Keeps a value that differs, where there is room for it.
    fn sample(&mut self, index: usize, fate: Fate, row: &Row<'_>, values: (ValueRef<'_>, ValueRef<'_>)) -> Result<()> {
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
    fn shift(&mut self, index: usize, before: &Row<'_>, after: ValueRef<'_>) -> Result<()> {
        let shift = &mut self.shifts[index];
        let candidates = shift
            .candidates
            .take()
            .unwrap_or_else(|| (0..self.old_names.len()).filter(|place| *place != index).collect());
        let mut left = Vec::with_capacity(candidates.len());
        for place in candidates {
            if values::identical(value(self.bytes, before, self.width + place)?, after) {
                left.push(place);
            }
        }
        shift.candidates = Some(left);
        shift.note(after);
        Ok(())
    }

    fn rowid(&mut self, before: &Row<'_>, after: &Row<'_>) -> Result<()> {
        if !self.rowids {
            return Ok(());
        }
        let old = self.value(before, self.width + self.old_names.len())?;
        let new = self.value(after, self.width + self.result.columns.len())?;
        if let (false, Some(moved)) = (values::identical(old, new), &mut self.result.rowids_moved) {
            *moved += 1;
        }
        Ok(())
    }

    /// Writes a row's values as bytes that are equal only where the values are identical.
    fn write_content(&self, row: &Row<'_>, content: &mut Vec<u8>) -> Result<()> {
        content.clear();
        for index in 0..self.width {
            let number: [u8; 8];
            let (class, bytes): (u8, &[u8]) = match self.value(row, index)? {
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
        Ok(())
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

/// A value with the bytes that are stored.
fn value<'r>(bytes: bool, row: &'r Row<'_>, index: usize) -> Result<ValueRef<'r>> {
    if !bytes {
        return row.get_ref(index);
    }
    Ok(match (row.get_ref(2 * index)?, row.get_ref(2 * index + 1)?) {
        (ValueRef::Blob(bytes), ValueRef::Integer(1)) => ValueRef::Text(bytes),
        (value, _) => value,
    })
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
            blank_to_null: 0,
            filled: 0,
            null_to_blank: 0,
            converted: 0,
            lossy: 0,
            lossy_kinds: BTreeMap::new(),
            text_altered: BTreeMap::new(),
            defaulted: 0,
            shifted_from: None,
            read_otherwise: 0,
            collapsed: None,
        }
    }

    /// Values that are still the same kind of thing, but not the same thing.
    #[must_use]
    pub fn altered(&self) -> u64 {
        self.changed - self.nulled - self.filled - self.converted - self.lossy
    }

    /// Of these: texts that are still recognisable.
    #[must_use]
    pub fn recognisable(&self) -> u64 {
        self.text_altered.values().sum()
    }

    /// Counts what became of a value.
    fn add(
        &mut self,
        before: ValueRef<'_>,
        after: ValueRef<'_>,
        default: Option<&Owned>,
        encoding: TextEncoding,
    ) -> Fate {
        let fate = values::fate(before, after, encoding);
        match fate {
            Fate::Same => return fate,
            Fate::Nulled => self.nulled += 1,
            Fate::BlankToNull => {
                self.nulled += 1;
                self.blank_to_null += 1;
            }
            Fate::Filled => self.filled += 1,
            Fate::NullToBlank => {
                self.filled += 1;
                self.null_to_blank += 1;
            }
            Fate::Converted => self.converted += 1,
            Fate::Lossy(loss) => {
                self.lossy += 1;
                *self.lossy_kinds.entry(loss).or_default() += 1;
            }
            Fate::TextAltered(alteration) => *self.text_altered.entry(alteration).or_default() += 1,
            Fate::Altered => {
                let is_default = default.is_some_and(|default| values::identical(default.borrow(), after));
                self.defaulted += u64::from(is_default);
            }
        }
        self.changed += 1;
        fate
    }
}

/// Whether SQLite said that what it needs to read this table is not here: a module, a function, a collation.
#[must_use]
pub fn is_missing_extension(error: &Error) -> bool {
    let message = error.to_string();
    ["no such module", "no such function", "no such collation"].iter().any(|cause| message.contains(cause))
}
