//! Table by table the columns: NULLs and storage classes before and after, and what became of the values.

use std::collections::BTreeMap;

use serde::Serialize;

use super::grid::{Cell, Grid, code, numbers, text, words};
use crate::findings::wording::{count, count_of, number};
use crate::report::document::{Column, Table, TableChange, Values};
use crate::report::facts::{became, kinds};

/// Tables whose columns are open from the start.
const OPEN: usize = 3;

/// The tables whose columns were looked at.
#[derive(Serialize)]
pub struct Columns {
    tables: Vec<Of>,
    /// How many tables have no columns here, because they are unchanged or were not read.
    others: String,
}

/// The columns of one table.
#[derive(Serialize)]
struct Of {
    name: String,
    became: String,
    summary: String,
    open: bool,
    grid: Option<Grid>,
    /// How its rows were read, where that is not the usual way.
    read_by_sqlite: bool,
}

/// The columns of these tables.
pub fn columns(tables: &[Table]) -> Columns {
    let (told, others): (Vec<&Table>, Vec<&Table>) = tables.iter().partition(|table| !table.columns.is_empty());
    Columns {
        others: if others.is_empty() {
            String::new()
        } else {
            count_of(others.len(), if told.is_empty() { "table" } else { "other table" })
        },
        tables: told.iter().enumerate().map(|(index, table)| of(table, index < OPEN)).collect(),
    }
}

fn of(table: &Table, open: bool) -> Of {
    let mut grid = Grid::new(
        format!("columns of {}", table.name),
        &[
            words("column"),
            numbers("NULLs before"),
            numbers("after"),
            words("storage classes before"),
            words("storage classes after"),
            words("values"),
        ],
    );
    for column in &table.columns {
        grid.row(row(table, column));
    }
    let touched = table.columns.iter().filter(|column| is_touched(column)).count();
    Of {
        name: table.name.clone(),
        became: became(table),
        summary: match touched {
            0 => count_of(table.columns.len(), "column"),
            _ => format!("{}, values changed in {}", count_of(table.columns.len(), "column"), number(touched as u64)),
        },
        open,
        grid: grid.filled(),
        read_by_sqlite: table.read_by.as_deref() == Some("sqlite"),
    }
}

fn is_touched(column: &Column) -> bool {
    column.before_name.is_none()
        || column.nulls.after.is_none()
        || column.values.as_ref().is_some_and(|values| values.changed > 0)
}

fn row(table: &Table, column: &Column) -> Vec<Cell> {
    let moved = column.nulls.before.is_some() && column.nulls.after.is_some();
    let grew = moved && column.nulls.after > column.nulls.before;
    let side = |nulls: Option<u64>| nulls.map_or_else(|| text("–").toned("dim"), |nulls| text(number(nulls)));
    let (before, after) = (classes(&column.classes.before), classes(&column.classes.after));
    // That rows came or went is told elsewhere.
    let differs = moved && table.rows.before == table.rows.after && before != after;
    vec![
        code(column.name.clone()),
        side(column.nulls.before),
        side(column.nulls.after).toned(if grew { "error" } else { "" }),
        text(before),
        text(after).toned(if differs { "warning" } else { "" }),
        became_of(table, column),
    ]
}

/// `integer 5, text 3`.
fn classes(classes: &BTreeMap<String, u64>) -> String {
    let told: Vec<String> = classes.iter().map(|(class, values)| format!("{class} {}", number(*values))).collect();
    if told.is_empty() { "no value".to_owned() } else { told.join(", ") }
}

/// What became of the column and its values.
fn became_of(table: &Table, column: &Column) -> Cell {
    let mut told = Vec::new();
    match (&column.before_name, column.nulls.after) {
        _ if matches!(table.change, TableChange::Added | TableChange::Dropped) => {}
        (None, _) => told.push("new".to_owned()),
        (Some(_), None) => told.push("dropped".to_owned()),
        (Some(before), _) if *before != column.name => told.push(format!("renamed from `{before}`")),
        _ => {}
    }
    let renamed = told.len();
    match &column.values {
        Some(values) if values.changed > 0 => told.push(changed(values)),
        Some(_) if told.is_empty() => {
            let told = match table.rows.lost {
                Some(0) | None => "unchanged",
                lost if lost < table.rows.before => "unchanged in the rows that stayed",
                Some(_) => "no row stayed",
            };
            return text(told).toned("dim");
        }
        None if table.rows.before.is_some() && table.rows.after.is_some() && renamed == 0 => {
            return text("not compared: rows could not be matched").toned("warning");
        }
        _ => {}
    }
    let tone = if column.values.as_ref().is_some_and(|values| values.changed > 0) || column.nulls.after.is_none() {
        "warning"
    } else {
        ""
    };
    text(told.join("; ")).toned(tone)
}

fn changed(values: &Values) -> String {
    let mut parts = kinds(values);
    let lossy: Vec<String> = values
        .lossy_kinds
        .iter()
        .map(|(kind, amount)| format!("{} {}", number(*amount), kind.replace('_', " ")))
        .collect();
    if !lossy.is_empty() {
        parts.push(format!("lossy by {}", lossy.join(", ")));
    }
    for (amount, what) in
        [(values.blank_to_null, "empty texts became NULL"), (values.null_to_blank, "NULLs became the empty text")]
    {
        if amount > 0 {
            parts.push(format!("{} {what}", number(amount)));
        }
    }
    parts.extend(values.shifted_from.as_ref().map(|from| format!("now the values of `{from}`")));
    let of = if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
    format!("{} changed{of}", count(values.changed, "value"))
}
