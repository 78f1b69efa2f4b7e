//! What SQLite compiles without a word and does otherwise: an INSERT whose values go into other columns, or that lacks one.

use super::{Works, Wrong};
use crate::compare::Comparison;
use crate::migrations::statement::{Action, Conflict, Insert, SelectItem, Statement};
use crate::schema::lexer::tokens;
use crate::schema::{Column, Schema, Table, TableKind};

/// A value of an INSERT that goes into another column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shifted {
    /// The table.
    pub table: String,
    /// Which value before, from 1.
    pub position: usize,
    /// The column that it went into, as it was called.
    pub was: String,
    /// The column that it goes into.
    pub is: String,
}

/// Where an INSERT gives no value for a column that must have one on one side: it is compiled, and fails for every row.
pub(super) fn value_on_one_side(sql: &str, comparison: &Comparison) -> Option<Works> {
    let Insert { table, columns, .. } = insert(sql)?;
    if columns.is_empty() && !gives_defaults(sql) {
        return None;
    }
    let lacking = |schema: &Schema| {
        let table = schema.table(&table).filter(|table| table.kind == TableKind::Ordinary)?;
        let is_given = |name: &str| columns.iter().any(|given| given.eq_ignore_ascii_case(name));
        let column = table.columns.iter().find(|column| must_be_given(table, column) && !is_given(&column.name))?;
        Some(column.name.clone())
    };
    match (lacking(&comparison.before), lacking(&comparison.after)) {
        (None, Some(column)) => Some(Works::Before(Wrong::LacksValue(column))),
        (Some(column), None) => Some(Works::After(Wrong::LacksValue(column))),
        _ => None,
    }
}

/// Whether a row without a value for this column is refused.
fn must_be_given(table: &Table, column: &Column) -> bool {
    let is_of_key = table.without_rowid && table.primary_key.contains(&column.name);
    let has_default = column.default.as_ref().is_some_and(|default| !default.eq_ignore_ascii_case("NULL"));
    (column.not_null || is_of_key)
        && !has_default
        && !column.generated
        && table.rowid_alias.as_ref() != Some(&column.name)
}

/// The first value that goes into another column than before, because the INSERT names no columns or takes all of another table.
pub(super) fn shifted(sql: &str, comparison: &Comparison) -> Option<Shifted> {
    let insert = insert(sql).filter(|_| !gives_defaults(sql))?;
    let star = insert.select.as_ref().filter(|select| select.items == [SelectItem::Star]);
    let source = star.and_then(|select| select.from.as_deref());
    if !insert.columns.is_empty() && source.is_none() {
        return None;
    }
    let into = Renamed::of(&insert.table, comparison)?;
    let filled = |table: &Table| {
        let own =
            || table.columns.iter().filter(|column| !column.generated).map(|column| column.name.clone()).collect();
        if insert.columns.is_empty() { own() } else { insert.columns.clone() }
    };
    let (was, is): (Vec<String>, Vec<String>) = (filled(into.before), filled(into.after));
    let from = source.and_then(|source| Renamed::of(source, comparison));
    for (index, was) in was.iter().enumerate() {
        // Where the same value stands after.
        let at = match &from {
            Some(from) => {
                let taken = from.before.columns.get(index).and_then(|column| from.now(&column.name));
                from.after.columns.iter().position(|column| Some(&column.name) == taken.as_ref())
            }
            None => Some(index),
        };
        let Some(is) = at.and_then(|at| is.get(at)) else { continue };
        if into.now(was).is_none_or(|now| !now.eq_ignore_ascii_case(is)) {
            return Some(Shifted { table: insert.table, position: index + 1, was: was.clone(), is: is.clone() });
        }
    }
    None
}

/// A table name on both sides, and what its columns are called after.
struct Renamed<'a> {
    before: &'a Table,
    after: &'a Table,
    /// Names before and after; none where another table has taken the name, whose columns are the same by their names only.
    columns: Option<&'a [(String, String)]>,
}

impl<'a> Renamed<'a> {
    fn of(name: &str, comparison: &'a Comparison) -> Option<Self> {
        let (before, after) = (comparison.before.table(name)?, comparison.after.table(name)?);
        let same = comparison.table_before(&before.name).filter(|same| same.pair.after.as_ref() == Some(&after.name));
        Some(Self { before, after, columns: same.map(|same| same.pair.columns.as_slice()) })
    }

    /// What a column is called after; none where it is gone.
    fn now(&self, column: &str) -> Option<String> {
        let Some(columns) = self.columns else { return Some(column.to_owned()) };
        columns.iter().find(|(before, _)| before.eq_ignore_ascii_case(column)).map(|(_, after)| after.clone())
    }
}

/// The table of an INSERT that names no columns.
#[must_use]
pub fn positional_insert(sql: &str) -> Option<String> {
    let insert = insert(sql).filter(|insert| insert.columns.is_empty())?;
    (!gives_defaults(sql)).then_some(insert.table)
}

/// Whether it is an INSERT that takes no row away.
pub(super) fn only_adds(sql: &str) -> bool {
    insert(sql).is_some_and(|insert| insert.conflict != Some(Conflict::Replace))
}

fn insert(sql: &str) -> Option<Insert> {
    match Statement::new(sql, 1, 1).action {
        Action::Insert(insert) => Some(insert),
        _ => None,
    }
}

/// Whether it is `INSERT INTO t DEFAULT VALUES`.
fn gives_defaults(sql: &str) -> bool {
    let tokens: Vec<_> = tokens(sql).filter(|token| !token.is_trivia()).collect();
    tokens.windows(2).any(|pair| pair[0].is_word(sql, "DEFAULT") && pair[1].is_word(sql, "VALUES"))
}
