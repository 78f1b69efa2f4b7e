//! The report on many databases for a comment on a pull request.

use super::escape::{cell, code, prose};
use super::{Detail, LIMIT, length};
use crate::findings::rule::Level;
use crate::findings::wording::{count, count_of, number};
use crate::report::fleet::wording::{context, differences, headline, level, outcome};
use crate::report::fleet::{Fleet, Group};
use crate::report::plain::cut;
use crate::report::visible::inert;

/// Names in a cell.
const NAMES: usize = 5;
/// Characters of a text.
const CELL: usize = 400;
/// Schemas that are told.
const SCHEMAS: usize = 10;
/// Characters kept for the line that says what is not shown.
const REST: usize = 500;

/// The report; of the outcomes as many as there is room for.
pub fn render(fleet: &Fleet, detail: Detail) -> String {
    let (head, text) = headline(fleet);
    let worst = fleet.groups.iter().filter_map(level).max();
    let mut parts = vec![
        format!("### {} rehearse: {} {}", sign(worst), prose(&head), prose(&cut(&text, 1_000))).trim_end().to_owned(),
    ];
    let mut sections = Vec::new();
    if detail != Detail::Brief {
        let context: Vec<String> = context(fleet).iter().map(|part| prose(&cut(part, CELL))).collect();
        parts.push(context.join(" · "));
        sections.extend(schemas(fleet));
    }
    let used: usize = parts.iter().chain(&sections).map(|part| length(part) + 2).sum();
    parts.extend(outcomes(fleet, LIMIT.saturating_sub(used + REST)));
    parts.extend(sections);
    let lines: Vec<String> = parts.join("\n\n").lines().map(inert).collect();
    lines.join("\n") + "\n"
}

fn sign(level: Option<Level>) -> &'static str {
    match level {
        Some(Level::Error) => "❌",
        Some(Level::Warning) => "⚠️",
        Some(Level::Note) => "ℹ️",
        None => "✅",
    }
}

fn outcomes(fleet: &Fleet, mut room: usize) -> Option<String> {
    let mut lines = vec!["| databases | outcome | |".to_owned(), "|--:|:--|:--|".to_owned()];
    let mut hidden = 0_usize;
    for (place, group) in fleet.groups.iter().enumerate() {
        let line = row(fleet, place, group);
        let size = length(&line) + 1;
        if size > room {
            hidden = fleet.groups.len() - place;
            break;
        }
        room -= size;
        lines.push(line);
    }
    let more = if hidden > 0 { format!("\n\n{} not shown here.", count_of(hidden, "outcome")) } else { String::new() };
    (!fleet.groups.is_empty()).then(|| format!("{}{more}", lines.join("\n")))
}

fn row(fleet: &Fleet, place: usize, group: &Group) -> String {
    let mut names: Vec<String> = fleet.names_in(place).take(NAMES).map(|name| code(&cut(name, CELL))).collect();
    let others = group.databases.saturating_sub(names.len() as u64);
    if others > 0 {
        names.push(count(others, "other"));
    }
    let (amount, text) = (number(group.databases), prose(&cut(&outcome(group), CELL)));
    format!("| {amount} | {} {} | {} |", sign(level(group)), cell(&text), cell(&names.join(", ")))
}

fn schemas(fleet: &Fleet) -> Option<String> {
    let (norm, others) = fleet.schemas.split_first().filter(|(_, others)| !others.is_empty())?;
    let mut lines = vec![format!("{} with the most common schema.", count(norm.databases, "database"))];
    for schema in others.iter().take(SCHEMAS) {
        let differences: Vec<String> = differences(schema, 8).iter().map(|line| code(&cut(line, CELL))).collect();
        let databases = count(schema.databases, "database");
        lines.push(format!("- {databases}, first {}: {}", code(&cut(&schema.first, CELL)), differences.join(", ")));
    }
    if others.len() > SCHEMAS {
        lines.push(format!("- {} not shown here", count_of(others.len() - SCHEMAS, "schema")));
    }
    let (first, rest) = lines.split_first()?;
    Some(format!("<details><summary>Schemas</summary>\n\n{first}\n\n{}\n\n</details>", rest.join("\n")))
}
