//! Whether other tables took over what a table held: looked up row by row, not concluded from the statements.

use rusqlite::{Connection, OpenFlags, Result};

use super::States;
use super::lineage::{Copied, Pair};
use crate::schema::Table;
use crate::schema::lexer::quote_identifier;
use crate::snapshot::be_patient;

/// What other tables took over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Takeover {
    /// The tables, in order of copying.
    pub into: Vec<String>,
    /// Rows whose copied columns are in none of them.
    pub missing: u64,
    /// Columns with values that are in none of them beside what every copy took, and how many; generated ones excluded.
    pub left: Vec<(String, u64)>,
}

/// Looks the rows of `table` up in the copies that the pair names; none where there are no copies.
///
/// # Errors
/// When SQLite cannot read a side.
pub fn of(pair: &Pair, table: &Table, states: States<'_>) -> Result<Option<Takeover>> {
    let copies: Vec<&Copied> = pair.copies.iter().collect();
    looked_up(&copies, None, table, states)
}

/// Looks the rows of `table` up in its copies; those that are in `rest`, the table itself, need not be there.
fn looked_up(copies: &[&Copied], rest: Option<&Copied>, table: &Table, states: States<'_>) -> Result<Option<Takeover>> {
    let copies: Vec<&Copied> = copies.iter().copied().filter(|copy| !copy.columns.is_empty()).collect();
    if copies.is_empty() {
        return Ok(None);
    }
    let Some(both) = attached(states)? else { return Ok(None) };
    let all: Vec<&Copied> = copies.iter().copied().chain(rest).collect();
    let common: Vec<&str> = table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .filter(|column| all.iter().all(|copy| copy.reads(column)))
        .collect();
    let missing = if common.is_empty() {
        // Each took other columns: what is missing in the fullest of them is missing for certain.
        let each = all.iter().map(|copy| {
            let columns: Vec<&str> = copy.columns.iter().map(|(old, _)| old.as_str()).collect();
            missing(&both, table, &columns, &[copy], None)
        });
        each.collect::<Result<Vec<u64>>>()?.into_iter().min().unwrap_or_default()
    } else {
        missing(&both, table, &common, &all, None)?
    };
    let own = table.columns.iter().filter(|column| !column.generated).map(|column| column.name.as_str());
    let (some, none): (Vec<&str>, Vec<&str>) =
        own.filter(|column| !common.contains(column)).partition(|column| copies.iter().any(|copy| copy.reads(column)));
    let mut left = held(&both, table, &none)?;
    // What the table itself has no more went from rows that are there, too, and is told of the column.
    for column in some.into_iter().filter(|column| rest.is_none_or(|rest| rest.reads(column))) {
        let with_it: Vec<&Copied> = all.iter().copied().filter(|copy| copy.reads(column)).collect();
        let beside: Vec<&str> = common.iter().copied().chain([column]).collect();
        left.push((column.to_owned(), self::missing(&both, table, &beside, &with_it, Some(column))?));
    }
    left.retain(|(_, values)| *values > 0);
    let mut into: Vec<String> = copies.iter().map(|copy| copy.into.clone()).collect();
    into.dedup();
    Ok(Some(Takeover { into, missing, left }))
}

/// Columns of a table that is still there, and has them no more, all values of which another table holds beside the row's key.
///
/// # Errors
/// When SQLite cannot read a side.
pub fn of_columns(pair: &Pair, table: &Table, states: States<'_>) -> Result<Vec<String>> {
    let is_gone = |column: &&String| !pair.keeps(column);
    let key = if table.primary_key.is_empty() {
        table.rowid_alias.iter().cloned().collect()
    } else {
        table.primary_key.clone()
    };
    let with_key = pair.copies.iter().filter(|copy| {
        !key.is_empty() && key.iter().all(|column| copy.reads(column)) && Some(&copy.into) != pair.after.as_ref()
    });
    let mut taken = Vec::new();
    if pair.copies.is_empty() || !table.columns.iter().map(|column| &column.name).any(|name| is_gone(&name)) {
        return Ok(taken);
    }
    let Some(both) = attached(states)? else { return Ok(taken) };
    for copy in with_key {
        for column in copy.columns.iter().map(|(old, _)| old).filter(is_gone) {
            let mut columns: Vec<&str> = key.iter().map(String::as_str).filter(|name| name != column).collect();
            columns.push(column);
            if missing(&both, table, &columns, &[copy], Some(column))? == 0 {
                taken.push(column.clone());
            }
        }
    }
    Ok(taken)
}

/// What other tables hold of the rows that are no longer in a table that is still there; none where no copy was made of it.
///
/// # Errors
/// When SQLite cannot read a side.
pub fn of_lost_rows(pair: &Pair, table: &Table, states: States<'_>) -> Result<Option<Takeover>> {
    let elsewhere = pair.copies.iter().any(|copy| Some(&copy.into) != pair.after.as_ref());
    let Some(after) = pair.after.as_ref().filter(|_| elsewhere) else { return Ok(None) };
    let itself = Copied { into: after.clone(), columns: pair.columns.clone() };
    let others: Vec<&Copied> = pair.copies.iter().filter(|copy| copy.into != itself.into).collect();
    looked_up(&others, Some(&itself), table, states)
}

/// The columns of the table before that hold values, and how many.
fn held(both: &Connection, table: &Table, columns: &[&str]) -> Result<Vec<(String, u64)>> {
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let counts: Vec<String> = columns.iter().map(|column| format!("count({})", quote_identifier(column))).collect();
    let sql = format!("SELECT {} FROM old.{}", counts.join(", "), quote_identifier(&table.name));
    both.query_row(&sql, [], |row| {
        let count =
            |(place, column): (usize, &&str)| Ok(((*column).to_owned(), row.get::<_, i64>(place)?.unsigned_abs()));
        columns.iter().enumerate().map(count).collect()
    })
}

/// A connection that sees the state before as `old` and the one after as `new`; none where they have no names.
pub(super) fn attached(states: States<'_>) -> Result<Option<Connection>> {
    let (before, after) = (states.before.uri, states.after.uri);
    if before.is_empty() || after.is_empty() {
        return Ok(None);
    }
    let mut both =
        Connection::open_in_memory_with_flags(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_URI)?;
    be_patient(&mut both, states.time)?;
    // Attached databases must have the encoding of the one that they are attached to.
    both.pragma_update(None, "encoding", states.encoding().name())?;
    both.execute("ATTACH ?1 AS old", [before])?;
    both.execute("ATTACH ?1 AS new", [after])?;
    both.pragma_update(None, "query_only", true)?;
    Ok(Some(both))
}

/// Rows of the table before whose values in `columns` stand in no row of the copies; of equal rows as many as are too few. With
/// `held` only those that have a value there, and one row of a copy stands for all that equal it.
fn missing(both: &Connection, table: &Table, columns: &[&str], copies: &[&Copied], held: Option<&str>) -> Result<u64> {
    let side = |names: Vec<&str>, weight: &str, from: String| {
        let exact = names.into_iter().map(|name| format!("{} COLLATE BINARY", quote_identifier(name)));
        format!("SELECT {weight} AS weight, {} FROM {from}", exact.collect::<Vec<_>>().join(", "))
    };
    let having = held.map(|column| format!(" WHERE {} IS NOT NULL", quote_identifier(column))).unwrap_or_default();
    let mut sides = vec![side(columns.to_vec(), "1", format!("old.{}{having}", quote_identifier(&table.name)))];
    for copy in copies {
        let named = columns.iter().filter_map(|column| copy.columns.iter().find(|(old, _)| old == column));
        let names = named.map(|(_, new)| new.as_str()).collect();
        sides.push(side(names, "-1", format!("new.{}", quote_identifier(&copy.into))));
    }
    let groups: Vec<String> = (3..columns.len() + 3).map(|place| place.to_string()).collect();
    let names: Vec<String> = (1..=columns.len()).map(|place| format!("c{place}")).collect();
    let sql = format!(
        "WITH rows (weight, {}) AS ({}), kinds AS (SELECT sum(weight) AS surplus, min(weight) AS least, {} FROM rows GROUP BY {}) \
         SELECT coalesce(sum(surplus), 0) FROM kinds WHERE {} > 0",
        names.join(", "),
        sides.join(" UNION ALL "),
        names.join(", "),
        groups.join(", "),
        if held.is_some() { "least" } else { "surplus" },
    );
    both.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}
