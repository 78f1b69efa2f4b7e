//! Two tables row by row: both sides sorted by the same key and merged in one pass. Memory does not grow with the table.

use std::cmp::Ordering;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, Result, Row, Statement};
// Both cursors are stepped apart, so that each keeps its current row.
use rusqlite::fallible_streaming_iterator::FallibleStreamingIterator;

use super::translation::FUNCTION;
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
    /// Rows that are on both sides.
    pub matched: u64,
    /// Rows that are still there with another value; none where rows are matched by content.
    pub changed: Option<u64>,
    /// The columns that are on both sides.
    pub columns: Vec<ColumnComparison>,
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
    /// In which text is compared: that of both sides, UTF-8 where they differ.
    pub encoding: TextEncoding,
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
        let Some(key) = self.key(rowids, holds_no_null)? else { return self.by_rowid(rowids) };
        let by_key = self.by(Key::Columns(key.clone()))?;
        if by_key.lost == 0 || by_key.gained == 0 {
            return Ok(by_key);
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
            Rowids::MayMove | Rowids::OfAnotherTable => by_content.differences() < by_rowid.differences(),
        };
        Ok(if better { by_content } else { by_rowid })
    }

    fn rowid(&self) -> Option<Key> {
        Some(Key::Rowid(rowid_name(self.before.table)?, rowid_name(self.after.table)?))
    }

    /// Columns that are unique and not NULL on both sides: declared so on both, or, in a table that was made anew, declared
    /// on one side and found so on the other.
    fn key(&self, rowids: Rowids, holds_no_null: &dyn Fn(&str, &str) -> bool) -> Result<Option<Vec<(String, String)>>> {
        let paired = |names: &[String], side: fn(&(String, String)) -> &String| -> Option<Vec<(String, String)>> {
            let pair = |name: &String| self.columns.iter().find(|pair| side(pair).eq_ignore_ascii_case(name)).cloned();
            names.iter().map(pair).collect()
        };
        let before = declared(self.before.table).filter_map(|names| paired(names, |pair| &pair.0));
        let after = declared(self.after.table).filter_map(|names| paired(names, |pair| &pair.1));
        let keys: Vec<_> = before
            .chain(after)
            .filter(|key| key.iter().all(|(before, after)| holds_no_null(before, after)))
            .map(|key| (self.declared_on_both(&key), key))
            .collect();
        if let Some((_, key)) = keys.iter().find(|(on_both, _)| *on_both) {
            return Ok(Some(key.clone()));
        }
        for (_, key) in keys.into_iter().filter(|_| rowids == Rowids::OfAnotherTable) {
            let names = |side: fn(&(String, String)) -> &String| key.iter().map(side).collect::<Vec<_>>();
            if is_unique(self.before, &names(|pair| &pair.0))? && is_unique(self.after, &names(|pair| &pair.1))? {
                return Ok(Some(key));
            }
        }
        Ok(None)
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
        let old_names: Vec<&str> = self.columns.iter().map(|(before, _)| before.as_str()).collect();
        let new_names: Vec<&str> = self.columns.iter().map(|(_, after)| after.as_str()).collect();
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
            encoding: self.encoding,
            bytes: self.reads_bytes(),
            result: RowComparison {
                lost: 0,
                gained: 0,
                matched: 0,
                changed: (key != Key::Content).then_some(0),
                columns: self.columns.iter().map(|(before, after)| ColumnComparison::new(before, after)).collect(),
                key,
            },
        };
        let mut old = self.select(self.before, &old_key, &old_names, merge.exact())?;
        let mut new = self.select(self.after, &new_key, &new_names, merge.exact())?;
        merge.run(&mut old, &mut new)?;
        Ok(merge.result)
    }

    /// Key columns first, then the values, sorted by the key. Where text is read as bytes, behind each value stands whether it is
    /// text; what is translated is sorted by its translation.
    /// `exact` sorts `1` before `1.0` and `0.0` before `-0.0`, which SQLite takes for equal.
    fn select<'c>(&self, side: Side<'c>, key: &[String], columns: &[&str], exact: bool) -> Result<Statement<'c>> {
        let selected = key.iter().cloned().chain(columns.iter().map(|name| quote_identifier(name)));
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
        let class =
            |column: &String| format!("typeof({column}) || iif({column} = 0 AND atan2({column}, -1) < 0, '-', '')");
        let order: Vec<String> = order.chain(key.iter().filter(|_| exact).map(class)).collect();
        side.connection.prepare(&format!(
            "SELECT {} FROM {} ORDER BY {}",
            selected.collect::<Vec<_>>().join(", "),
            quote_identifier(&side.table.name),
            order.join(", ")
        ))
    }
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

struct Merge {
    /// Number of key columns at the start of each row.
    width: usize,
    encoding: TextEncoding,
    /// Whether text is read as bytes.
    bytes: bool,
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
        let mut differs = false;
        for (index, column) in self.result.columns.iter_mut().enumerate() {
            let place = self.width + index;
            let (before, after) = (value(self.bytes, before, place)?, value(self.bytes, after, place)?);
            differs |= column.add(before, after, self.encoding);
        }
        if let (true, Some(changed)) = (differs, &mut self.result.changed) {
            *changed += 1;
        }
        Ok(())
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
    fn add(&mut self, before: ValueRef<'_>, after: ValueRef<'_>, encoding: TextEncoding) -> bool {
        let fate = values::fate(before, after, encoding);
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
