//! `rehearse profile`: the file in two lines, then each table with its columns.

use super::layout::{Cell, Grid, Side};
use super::paint::Role;
use super::{Detail, Page, file, sections};
use crate::findings::wording::{count, count_of, number};
use crate::report::profile::{Column, Profile, Table};
use crate::report::visible::visible;

/// The whole output.
pub fn whole(page: &mut Page, profile: &Profile) {
    head(page, profile);
    if page.style.detail == Detail::Brief {
        tables(page, &profile.tables);
        return;
    }
    file::facts(page, &profile.file, None);
    file::findings(page, [&profile.file]);
    for table in &profile.tables {
        page.blank();
        one(page, table);
    }
    sections::not_read(page, &profile.not_read);
}

fn head(page: &mut Page, profile: &Profile) {
    let rows = profile.tables.iter().filter_map(|table| table.rows).sum();
    let mut parts = vec![file::holdings(profile.tables.len(), Some(rows))];
    let others = [
        (profile.indexes, "index", "indexes"),
        (profile.triggers, "trigger", "triggers"),
        (profile.views, "view", "views"),
    ];
    for (amount, one, many) in others.into_iter().filter(|(amount, ..)| *amount > 0) {
        parts.push(format!("{} {}", number(amount as u64), if amount == 1 { one } else { many }));
    }
    page.prose(0, &format!("{}: {}", visible(&profile.file.snapshot.path), parts.join(", ")), Role::Strong);
}

/// One line for each table.
fn tables(page: &mut Page, tables: &[Table]) {
    let mut grid = Grid::new(&[("table", Side::Left), ("rows", Side::Right), ("", Side::Left)]);
    for table in tables {
        grid.row(vec![
            Cell::new(visible(&table.name), Role::Plain),
            Cell::new(table.rows.map_or_else(|| "?".to_owned(), number), Role::Plain),
            Cell::new(traits(table), Role::Dim),
        ]);
    }
    if !tables.is_empty() {
        sections::indented(page, &grid);
    }
}

/// What sort of table it is, where it is not the usual one.
fn traits(table: &Table) -> String {
    let module = table.module.as_ref().map(|module| format!("virtual table of {}", visible(module)));
    let words = [("WITHOUT ROWID", table.without_rowid && module.is_none()), ("STRICT", table.strict)];
    let words = words.into_iter().filter(|(_, is)| *is).map(|(word, _)| word.to_owned());
    module.into_iter().chain(words).collect::<Vec<_>>().join(", ")
}

fn one(page: &mut Page, table: &Table) {
    let rows = table.rows.map_or_else(|| "could not be read".to_owned(), |rows| count(rows, "row"));
    let mut facts = vec![rows];
    facts.extend(Some(traits(table)).filter(|traits| !traits.is_empty()));
    if table.rows == Some(0) {
        facts.push(count_of(table.columns.len(), "column"));
    }
    page.prose(0, &format!("{}: {}", visible(&table.name), facts.join(", ")), Role::Strong);
    let mut grid = Grid::new(&[
        ("column", Side::Left),
        ("type", Side::Left),
        ("nulls", Side::Right),
        ("integer", Side::Right),
        ("real", Side::Right),
        ("text", Side::Right),
        ("blob", Side::Right),
        ("", Side::Left),
    ]);
    for column in table.columns.iter().filter(|_| table.rows != Some(0)) {
        let amount = |amount: u64| Cell::new(if amount == 0 { String::new() } else { number(amount) }, Role::Plain);
        let (words, role) = words(column);
        grid.row(vec![
            Cell::new(visible(&column.name), Role::Plain),
            Cell::new(visible(&column.declared_type), Role::Dim),
            Cell::new(number(column.nulls), if column.nulls == 0 { Role::Dim } else { Role::Plain }),
            amount(column.integers),
            amount(column.reals),
            amount(column.texts),
            amount(column.blobs),
            Cell::new(words, role),
        ]);
    }
    sections::indented(page, &grid);
}

/// What can be said of the values as a whole.
fn words(column: &Column) -> (String, Role) {
    let values = column.integers + column.reals + column.texts + column.blobs;
    let (spread, role) = match column.spread.as_str() {
        "empty" => ("only NULLs", Role::Dim),
        "own-name" => ("the column's own name", Role::Warning),
        "constant" if values > 1 => ("all the same", Role::Dim),
        _ => ("", Role::Dim),
    };
    let generated = if column.generated { "generated" } else { "" };
    let words: Vec<&str> = [generated, spread].into_iter().filter(|words| !words.is_empty()).collect();
    (words.join(", "), role)
}
