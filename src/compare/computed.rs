//! Columns that are gone and from which others were computed: whether these still tell apart what the column told apart, row by
//! row, not concluded from the statements.

use rusqlite::{Connection, Result};

use super::States;
use super::lineage::{Change, Pair};
use super::takeover::attached;
use crate::execution::Step;
use crate::migrations::statement::{Action, Insert, SelectItem};
use crate::schema::Table;
use crate::schema::lexer::{quote_identifier, tokens};

/// A column that is gone, and the new ones that were computed from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Computed {
    /// Its name before.
    pub column: String,
    /// The new columns: wherever values of the column differed, they differ, and where it held a value, one of them does.
    pub into: Vec<String>,
}

/// Every column of the table that is gone, and that new columns of the same rows stand for.
///
/// # Errors
/// When SQLite cannot read a side.
pub fn of(pair: &Pair, (old, new): (&Table, &Table), steps: &[Step], states: States<'_>) -> Result<Vec<Computed>> {
    let is_gone = |column: &&str| !pair.keeps(column);
    let gone: Vec<&str> = old.columns.iter().map(|column| column.name.as_str()).filter(is_gone).collect();
    let Some(key) = key(pair, old, new).filter(|_| !gone.is_empty()) else { return Ok(Vec::new()) };
    let mut computed = Vec::new();
    let mut both = None;
    for column in gone {
        let into: Vec<String> = targets(pair, new, steps, column);
        if into.is_empty() {
            continue;
        }
        if both.is_none() {
            both = attached(states)?;
        }
        if both.as_ref().map_or(Ok(false), |both| tells_apart(both, (old, new), &key, column, &into))? {
            computed.push(Computed { column: column.to_owned(), into });
        }
    }
    Ok(computed)
}

/// What tells which row is which: (before, after), as SQL names.
fn key(pair: &Pair, old: &Table, new: &Table) -> Option<Vec<(String, String)>> {
    let after = |column: &String| {
        let (before, after) = pair.columns.iter().find(|(before, _)| before.eq_ignore_ascii_case(column))?;
        Some((quote_identifier(before), quote_identifier(after)))
    };
    let declared = old.primary_key.iter().map(after).collect::<Option<Vec<_>>>().filter(|key| !key.is_empty());
    let by_rowid = || Some(vec![(old.rowid_name()?.to_owned(), new.rowid_name()?.to_owned())]);
    declared.or_else(|| by_rowid().filter(|_| pair.change != Change::Rebuilt))
}

/// The new columns of the table that a statement filled with what it made of the column.
fn targets(pair: &Pair, new: &Table, steps: &[Step], column: &str) -> Vec<String> {
    let is_it = |name: &str| name.eq_ignore_ascii_case(column);
    let mut written: Vec<&String> = Vec::new();
    for step in steps.iter().filter(|step| step.committed) {
        let sql = &step.statement.sql;
        match &step.statement.action {
            Action::Update { table, columns, .. }
                if pair.is_called(table)
                    && tokens(sql).filter_map(|token| token.name(sql)).any(|name| is_it(&name)) =>
            {
                written.extend(columns);
            }
            Action::Insert(Insert { table, columns, select: Some(select), .. }) if pair.is_called(table) => {
                let reads = |item: &SelectItem| matches!(item, SelectItem::Expression { columns, .. } if columns.iter().any(|name| is_it(name)));
                written.extend(columns.iter().zip(&select.items).filter(|(_, item)| reads(item)).map(|(to, _)| to));
            }
            _ => {}
        }
    }
    let is_new = |name: &&str| !pair.columns.iter().any(|(_, after)| after == name);
    let own = new.columns.iter().map(|column| column.name.as_str()).filter(is_new);
    own.filter(|name| written.iter().any(|column| column.eq_ignore_ascii_case(name))).map(str::to_owned).collect()
}

/// Whether no two different values of the column became the same in the new ones, and none became nothing.
fn tells_apart(
    both: &Connection,
    (old, new): (&Table, &Table),
    key: &[(String, String)],
    column: &str,
    into: &[String],
) -> Result<bool> {
    let into: Vec<String> = into.iter().map(|column| format!("n.{}", quote_identifier(column))).collect();
    let each = |words: &str, between: &str| {
        into.iter().map(|column| format!("{column} {words}")).collect::<Vec<_>>().join(between)
    };
    let on = key.iter().map(|(before, after)| format!("o.{before} = +n.{after} COLLATE BINARY"));
    let column = format!("o.{}", quote_identifier(column));
    let sql = format!(
        "SELECT count(*) > 0 AND total(merged) = 0 FROM (\
         SELECT count(DISTINCT {column} COLLATE BINARY) > 1 OR ({}) AS merged FROM old.{} AS o JOIN new.{} AS n ON {} \
         WHERE {column} IS NOT NULL GROUP BY {})",
        each("IS NULL", " AND "),
        quote_identifier(&old.name),
        quote_identifier(&new.name),
        on.collect::<Vec<_>>().join(" AND "),
        each("COLLATE BINARY", ", "),
    );
    both.query_row(&sql, [], |row| row.get(0))
}
