//! What `rehearse plan` shows below the migrations: how the schema has drifted.

use super::layout::{Cell, Grid, Side};
use super::paint::Role;
use super::{Page, sections};
use crate::findings::wording::count_of;
use crate::report::document::{CodeDrift, Drift, Plan, SchemaChange};
use crate::report::visible::{visible, visible_lines};

/// Both comparisons, each where it was made.
pub fn whole(page: &mut Page, plan: &Plan) {
    if let Some(drift) = &plan.drift {
        of_migrations(page, drift);
    }
    if let Some(drift) = &plan.code_drift {
        of_code(page, drift);
    }
}

fn of_migrations(page: &mut Page, drift: &Drift) {
    page.heading("Drift: what the applied migrations make, against the snapshot");
    if let Some(why) = &drift.unknown {
        return page.prose(2, &visible(&format!("not known: {why}")), Role::Warning);
    }
    if drift.changes.is_empty() {
        let make = if drift.applied == 1 { "makes" } else { "make" };
        let text = format!("none: {} {make} this schema", count_of(drift.applied, "applied migration"));
        return page.prose(2, &text, Role::Good);
    }
    changes(page, &drift.changes, "only in the snapshot", "missing in the snapshot");
    if let Some(trip) = &drift.trips {
        let text = format!("`{}` fails because of it: {}", trip.migration, trip.message);
        page.prose(2, &visible(&text), Role::Error);
    }
    if let Some(why) = &drift.trips_unknown {
        let text = format!("whether a pending migration fails because of it is not known: {why}");
        page.prose(2, &visible(&text), Role::Warning);
    }
    page.prose(2, "more: rehearse explain SN916", Role::Dim);
}

fn of_code(page: &mut Page, drift: &CodeDrift) {
    page.heading("What the code expects, against what it will find");
    if let Some(why) = &drift.unknown {
        return page.prose(2, &visible(&format!("not known: {why}")), Role::Warning);
    }
    if drift.changes.is_empty() {
        return page.prose(2, &visible(&format!("the same, by {}", drift.file)), Role::Good);
    }
    changes(page, &drift.changes, "not expected", "missing");
    page.prose(2, &visible(&format!("by {}", drift.file)), Role::Dim);
    page.prose(2, "more: rehearse explain SN925", Role::Dim);
}

fn changes(page: &mut Page, changes: &[SchemaChange], added: &str, removed: &str) {
    let mut grid = Grid::new(&[("table", Side::Left), ("what", Side::Left), ("", Side::Left), ("detail", Side::Left)]);
    for change in changes {
        let what =
            if change.kind == "table" { change.kind.clone() } else { format!("{} {}", change.kind, change.name) };
        let how = match change.change.as_str() {
            "added" => added,
            "removed" => removed,
            _ => "another",
        };
        grid.row(vec![
            Cell::new(visible(change.table.as_deref().unwrap_or_default()), Role::Plain),
            Cell::new(visible(&what), Role::Plain),
            Cell::new(how, Role::Warning),
            Cell::new(visible_lines(&change.detail).join(" "), Role::Dim),
        ]);
    }
    sections::indented(page, &grid);
}
