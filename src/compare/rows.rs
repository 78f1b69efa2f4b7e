//! Two tables row by row, matched by the best key that there is.
//!
//! The rows come from the file itself where it can be read directly, else from SQLite, sorted by the key.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result};

use super::State;
use super::merge::{Merge, Stop};
use super::samples::{Samples, Sampling};
use super::sorted::{self, SortedRows};
use super::stored::{Stored, StoredRows};
use super::values::{self, Alteration, Fate, Loss};
use crate::observer::Work;
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
    pub(super) fn names_after(&self) -> Vec<String> {
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
    /// Whether SQLite read and sorted the rows, since they could not be read from the file alone.
    pub by_sqlite: bool,
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
    /// Of the changed: read as another kind of number, and something was lost.
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
    /// Values that no row holds any more although none was inserted: an UPDATE gave rows another key, and this column of them
    /// another value.
    pub gone_with_key: u64,
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
    /// How its rows are found in the file; none where only SQLite can read them.
    pub stored: Option<&'a Stored<'a>>,
}

impl<'a> Side<'a> {
    /// The table in a state, to be read by SQLite.
    pub(super) fn of(state: State<'a>, table: &'a Table) -> Self {
        Self { connection: state.connection, table, encoding: state.encoding, stored: None }
    }
}

/// What is read of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Field {
    /// The column of this name.
    Column(String),
    /// The rowid, under a name that no column has.
    Rowid(&'static str),
}

impl Field {
    /// As SQL names it.
    pub fn sql(&self) -> String {
        match self {
            Self::Column(name) => quote_identifier(name),
            Self::Rowid(name) => (*name).to_owned(),
        }
    }
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
    /// Rows of the table before, as they were counted.
    pub rows_before: u64,
    /// The bytes that a comparison may take in memory.
    pub memory: u64,
    /// Where the table stands in the work.
    pub progress: Place<'a>,
}

/// Where a table stands in the work of comparing many.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// The work, counted in rows of both sides.
    pub work: &'a Work,
    /// Those of this table.
    pub rows: u64,
    /// Those of the tables that come after it.
    pub behind: u64,
}

/// The rows of a table brought together once. Whether that must be done again in another way is known only then.
pub(super) struct Pass<'a> {
    place: Place<'a>,
    /// Rows before it.
    base: u64,
    passed: u64,
    /// How many of them the work knows of.
    told: u64,
}

/// Rows of which the work is told at once.
const TOLD: u64 = 1 << 10;

impl<'a> Pass<'a> {
    pub fn begin(place: Place<'a>) -> Self {
        let base = place.work.done();
        place.work.expect(base + place.rows + place.behind);
        Self { place, base, passed: 0, told: 0 }
    }

    /// So many rows more are behind.
    pub fn add(&mut self, rows: u64) {
        self.passed += rows;
        if self.passed - self.told >= TOLD {
            self.told = self.passed;
            self.place.work.reach(self.base + self.passed.min(self.place.rows));
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.place.work.reach(self.base + self.place.rows);
    }
}

impl Tables<'_> {
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
        // The columns of the key hold each other's values, each row where it was.
        let exchanged = || {
            let mut of_key = by_rowid.columns.iter().filter(|column| key.iter().any(|(old, _)| *old == column.before));
            of_key.all(|column| column.shifted_from.as_ref().is_some_and(|from| key.iter().any(|(old, _)| old == from)))
        };
        let same_rowids = by_rowid.lost + by_rowid.gained == 0;
        let same_keys = same_rowids && (by_key.matched == 0 && converted() || exchanged());
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
        let (mut old_key, mut new_key) = self.key_fields(&Key::Content);
        old_key.push(Field::Rowid(before));
        new_key.push(Field::Rowid(after));
        let stayed = self.bring_together(Key::Content, old_key, new_key)?;
        Ok(Some(by_content.matched.saturating_sub(stayed.matched)))
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
        let (old_key, new_key) = self.key_fields(&key);
        self.bring_together(key, old_key, new_key)
    }

    /// What an UPDATE that gave rows another key did to their other columns: it cannot be seen row by row.
    ///
    /// # Errors
    /// When SQLite cannot read a side.
    pub fn with_gone_values(&self, mut compared: RowComparison) -> Result<RowComparison> {
        let key = compared.key.names_after();
        let deleted = compared.lost.saturating_sub(compared.gained);
        for column in compared.columns.iter_mut().filter(|column| !key.contains(&column.after)) {
            let (old, new) = (Field::Column(column.before.clone()), Field::Column(column.after.clone()));
            let by_value = self.bring_together(Key::Content, vec![old], vec![new])?;
            column.gone_with_key = by_value.lost.saturating_sub(column.changed + deleted);
        }
        Ok(compared)
    }

    /// By what rows are matched, before and after.
    fn key_fields(&self, key: &Key) -> (Vec<Field>, Vec<Field>) {
        let columns = |pairs: &[(String, String)]| {
            pairs.iter().map(|(before, after)| (Field::Column(before.clone()), Field::Column(after.clone()))).unzip()
        };
        match key {
            Key::Columns(pairs) => columns(pairs),
            Key::Rowid(before, after) => (vec![Field::Rowid(before)], vec![Field::Rowid(after)]),
            Key::Content => columns(self.columns),
        }
    }

    /// Reads the file where that is possible and tells all, else asks SQLite.
    fn bring_together(&self, key: Key, old_key: Vec<Field>, new_key: Vec<Field>) -> Result<RowComparison> {
        let wanted = Wanted::new(self, key, old_key, new_key);
        if let Some(compared) = self.in_files(&wanted) {
            return Ok(compared);
        }
        let mut old = sorted::select(self, self.before, wanted.old_width, &wanted.old, wanted.is_exact())?;
        let mut new = sorted::select(self, self.after, wanted.new_width, &wanted.new, wanted.is_exact())?;
        let mut merge = wanted.merge(self);
        let bytes = sorted::reads_bytes(self);
        merge.by_sqlite();
        match merge.merge(&mut SortedRows::new(&mut old, bytes)?, &mut SortedRows::new(&mut new, bytes)?) {
            Ok(()) => Ok(merge.finish()),
            Err(Stop::Sqlite(error)) => Err(error),
            Err(stop) => Err(Error::UserFunctionError(Box::new(stop))),
        }
    }

    /// None where the file cannot be read so, holds what this reader does not understand, or does not tell all.
    fn in_files(&self, wanted: &Wanted) -> Option<RowComparison> {
        let (before, after) = (self.before.stored?, self.after.stored?);
        if self.before.encoding != self.after.encoding {
            return None;
        }
        let by_rowid = before.is_in_order_of(&wanted.old[..wanted.old_width])
            && after.is_in_order_of(&wanted.new[..wanted.new_width]);
        // What is shown of the rows is shown in the order of the key.
        if !by_rowid && self.sampling != Sampling::None {
            return None;
        }
        // Of whole rows, which are not told apart by a key, one that is left out may be equal to one that is read.
        let only_changed = !wanted.is_exact();
        let mut old = StoredRows::new(before, &wanted.old, only_changed)?;
        let mut new = StoredRows::new(after, &wanted.new, only_changed)?;
        let mut merge = wanted.merge(self);
        // The rowid is not in the record: equal records tell of it only where rows are matched by it.
        if old.lie_as(&new, wanted.old_width + self.columns.len()) && (by_rowid || !old.shows_rowid()) {
            merge.records_are_alike();
        }
        let done = if by_rowid {
            merge.merge(&mut old, &mut new)
        } else {
            merge.join(&mut old, &mut new, usize::try_from(self.memory).unwrap_or(usize::MAX))
        };
        done.ok()?;
        let mut compared = merge.finish();
        // Those that were left out are on both sides. More rows than there were: somebody writes the file meanwhile.
        compared.matched = self.rows_before.checked_sub(compared.lost)?;
        (!wanted.is_exact() || compared.gained == 0).then_some(compared)
    }
}

/// What is read of the rows of both sides: the columns of the key first, then the values, and the rowid where it may move.
struct Wanted {
    key: Key,
    old_width: usize,
    new_width: usize,
    old: Vec<Field>,
    new: Vec<Field>,
    /// The columns before: those that are on both sides, and those that are gone.
    old_names: Vec<String>,
    rowids: bool,
}

impl Wanted {
    fn new(tables: &Tables<'_>, key: Key, old_key: Vec<Field>, new_key: Vec<Field>) -> Self {
        let exact = key == Key::Content;
        let rowids = tables.free_rowids().filter(|_| matches!(key, Key::Columns(_)));
        let gone = tables.before.table.columns.iter().map(|column| &column.name);
        let stay: BTreeSet<&String> = tables.columns.iter().map(|(before, _)| before).collect();
        let gone = gone.filter(|name| !exact && !stay.contains(name));
        let old_names: Vec<String> = tables.columns.iter().map(|(before, _)| before).chain(gone).cloned().collect();
        let (old_width, new_width) = (old_key.len(), new_key.len());
        let (mut old, mut new) = (old_key, new_key);
        old.extend(old_names.iter().cloned().map(Field::Column));
        new.extend(tables.columns.iter().map(|(_, after)| Field::Column(after.clone())));
        if let Some((before, after)) = rowids {
            old.push(Field::Rowid(before));
            new.push(Field::Rowid(after));
        }
        Self { key, old_width, new_width, old, new, old_names, rowids: rowids.is_some() }
    }

    /// Whether only identical rows match.
    fn is_exact(&self) -> bool {
        self.key == Key::Content
    }

    fn merge<'a>(&self, tables: &Tables<'a>) -> Merge<'a> {
        Merge::new(tables, self.key.clone(), self.old_width, self.old_names.clone(), self.rowids)
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
            gone_with_key: 0,
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
    pub(super) fn add(
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
