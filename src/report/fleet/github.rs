//! Annotations of GitHub Actions on many databases: one for each outcome that is not well, then the verdict.

use super::wording::{headline, level, members, outcome};
use super::{Fleet, Group};
use crate::findings::rule::Level;
use crate::findings::wording::{count, count_of};
use crate::report::github::command;
use crate::report::visible::{inert, visible};

/// Annotations of a kind that GitHub shows of a step.
const SHOWN: usize = 10;
/// Names in an annotation.
const NAMES: usize = 10;

/// The commands and the verdict, a line each.
#[must_use]
pub fn render(fleet: &Fleet) -> String {
    let mut lines = Vec::new();
    for wanted in [Level::Error, Level::Warning] {
        let groups: Vec<(usize, &Group)> =
            fleet.groups.iter().enumerate().filter(|(_, group)| level(group) == Some(wanted)).collect();
        let shown = if groups.len() <= SHOWN { groups.len() } else { SHOWN - 1 };
        lines.extend(groups[..shown].iter().map(|(place, group)| annotation(fleet, *place, group, wanted)));
        if shown < groups.len() {
            let title = format!("{} more", count_of(groups.len() - shown, "outcome"));
            let message = "the report as text or JSON has all of them";
            lines.push(command(wanted, &[("title", title)], message));
        }
    }
    let (head, text) = headline(fleet);
    lines.push(inert(&visible(&format!("rehearse: {head} {text}"))));
    lines.push(String::new());
    lines.join("\n")
}

fn annotation(fleet: &Fleet, place: usize, group: &Group, level: Level) -> String {
    let at = group.findings.iter().find(|finding| !finding.waived && finding.file.is_some());
    let mut properties = Vec::new();
    if let Some(file) = at.and_then(|finding| finding.file.as_deref()) {
        properties.push(("file", visible(file.strip_prefix("./").unwrap_or(file)).into_owned()));
        properties.extend(at.and_then(|finding| finding.line).map(|line| ("line", line.to_string())));
    }
    properties.push(("title", count(group.databases, "database")));
    let message = visible(&format!("{}: {}", outcome(group), members(fleet, place, NAMES))).into_owned();
    command(level, &properties, &message)
}
