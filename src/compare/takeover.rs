//! Whether other tables took over what a table held: looked up row by row, not concluded from the statements.

use std::collections::BTreeSet;

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
    /// Columns that no copy read; generated ones excluded.
    pub left: Vec<String>,
}

/// Looks the rows of `table` up in the copies that the pair names; none where there are no copies.
///
/// # Errors
/// When SQLite cannot read a side.
pub fn of(pair: &Pair, table: &Table, states: States<'_>) -> Result<Option<Takeover>> {
    let copies: Vec<&Copied> = pair.copies.iter().filter(|copy| !copy.columns.is_empty()).collect();
    if copies.is_empty() {
        return Ok(None);
    }
    let Some(both) = attached(states)? else { return Ok(None) };
    let common: Vec<&str> = table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .filter(|column| copies.iter().all(|copy| copy.columns.iter().any(|(old, _)| old == column)))
        .collect();
    let missing = if common.is_empty() {
        // Each took other columns: what is missing in the fullest of them is missing for certain.
        let each = copies.iter().map(|copy| {
            let columns: Vec<&str> = copy.columns.iter().map(|(old, _)| old.as_str()).collect();
            missing(&both, table, &columns, &[copy], None)
        });
        each.collect::<Result<Vec<u64>>>()?.into_iter().min().unwrap_or_default()
    } else {
        missing(&both, table, &common, &copies, None)?
    };
    let read: BTreeSet<&str> = copies.iter().flat_map(|copy| &copy.columns).map(|(old, _)| old.as_str()).collect();
    let own = table.columns.iter().filter(|column| !column.generated && !read.contains(column.name.as_str()));
    let mut into: Vec<String> = copies.iter().map(|copy| copy.into.clone()).collect();
    into.dedup();
    Ok(Some(Takeover { into, missing, left: own.map(|column| column.name.clone()).collect() }))
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
        let reads = |column: &String| copy.columns.iter().any(|(old, _)| old == column);
        !key.is_empty() && key.iter().all(reads) && Some(&copy.into) != pair.after.as_ref()
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
    let others = pair.copies.iter().filter(|copy| copy.into != itself.into).cloned();
    let copies = others.chain([itself.clone()]).collect();
    let takeover = of(&Pair { copies, ..pair.clone() }, table, states)?;
    Ok(takeover.map(|mut takeover| {
        takeover.into.retain(|into| *into != itself.into);
        takeover
    }))
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

/// Rows of the table before, those with a value in `held` where it is given, whose values in `columns` stand in no row of the
/// copies; of equal rows as many as are too few.
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
    let groups: Vec<String> = (2..columns.len() + 2).map(|place| place.to_string()).collect();
    let names: Vec<String> = (1..=columns.len()).map(|place| format!("c{place}")).collect();
    let sql = format!(
        "WITH rows (weight, {}) AS ({}), kinds AS (SELECT sum(weight) AS surplus, {} FROM rows GROUP BY {}) \
         SELECT coalesce(sum(surplus), 0) FROM kinds WHERE surplus > 0",
        names.join(", "),
        sides.join(" UNION ALL "),
        names.join(", "),
        groups.join(", "),
    );
    both.query_row(&sql, [], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
}
