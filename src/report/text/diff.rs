//! `rehearse diff`: the verdict in one sentence, then each difference.

use super::paint::Role;
use super::{Detail, Page, file, sections};
use crate::findings::wording::{count, list, names, number};
use crate::report::diff::{Diff, Verdict};
use crate::report::document::Table;
use crate::report::visible::visible;

/// Names in the first sentence; more are counted.
const NAMED: usize = 3;

/// The whole output.
pub fn whole(page: &mut Page, diff: &Diff) {
    verdict(page, diff);
    let detail = page.style.detail;
    if detail == Detail::Brief {
        return;
    }
    if diff.before.encoding != diff.after.encoding {
        let text = format!("text is compared as UTF-8: the files store {}", encodings(diff));
        page.prose(0, &text, Role::Dim);
    }
    file::findings(page, [&diff.before, &diff.after]);
    let different = diff.verdict == Verdict::Different;
    if different || detail == Detail::Full {
        sections::tables(page, &diff.tables);
        sections::columns(page, &diff.tables);
        sections::schema(page, &diff.schema);
    }
    database(page, diff);
    sections::not_compared(page, &diff.not_compared);
    if different || detail == Detail::Full {
        page.heading("Files");
        for file in [&diff.before, &diff.after] {
            file::facts(page, file, Some(&file.snapshot.path));
        }
    }
}

fn encodings(diff: &Diff) -> String {
    list(&[diff.before.encoding.clone(), diff.after.encoding.clone()])
}

fn verdict(page: &mut Page, diff: &Diff) {
    let (head, role, reason) = match diff.verdict {
        Verdict::Same => ("the same", Role::Good, same(diff)),
        Verdict::Different => ("different", Role::Warning, different(diff)),
        Verdict::Unknown => ("unknown", Role::Error, format!("{}; nothing else differs", missing(diff))),
    };
    page.hanging(&format!("{head}:"), role, &visible(&reason), Role::Strong, 2);
}

fn same(diff: &Diff) -> String {
    let rows = diff.tables.iter().map(|table| table.rows.after).sum();
    if diff.tables.is_empty() {
        return "neither file has a table".to_owned();
    }
    format!("{} in both files", file::holdings(diff.tables.len(), rows))
}

fn missing(diff: &Diff) -> String {
    let mut whats: Vec<&str> = diff.not_compared.iter().map(|missing| missing.table.as_str()).collect();
    whats.dedup();
    let shown = whats.len().min(NAMED);
    let more = match whats.len() - shown {
        0 => String::new(),
        more => format!(" and {} more", number(more as u64)),
    };
    format!("{}{more} could not be compared", names(whats[..shown].iter().copied()))
}

/// `2 of 3 tables (12 rows lost, 5 changed), the schema and user_version`.
fn different(diff: &Diff) -> String {
    let mut parts = Vec::new();
    let changed = diff.tables.iter().filter(|table| table.differs()).count();
    if changed > 0 {
        let of = |rows: fn(&Table) -> Option<u64>| diff.tables.iter().filter_map(rows).sum::<u64>();
        let rows = [
            (of(|table| table.rows.lost), "lost"),
            (of(|table| table.rows.gained), "gained"),
            (of(|table| table.rows.changed), "changed"),
        ];
        let mut rows = rows.into_iter().filter(|(amount, _)| *amount > 0);
        let first = rows.next().map(|(amount, what)| format!("{} {what}", count(amount, "row")));
        let rest = rows.map(|(amount, what)| format!("{} {what}", number(amount)));
        let counted: Vec<String> = first.into_iter().chain(rest).collect();
        let counted = if counted.is_empty() { String::new() } else { format!(" ({})", counted.join(", ")) };
        let all = diff.tables.len() as u64;
        parts.push(format!("{} of {}{counted}", number(changed as u64), count(all, "table")));
    }
    if !diff.schema.diff.is_empty() || !diff.schema.changes.is_empty() {
        parts.push("the schema".to_owned());
    }
    if !diff.counters.is_empty() {
        parts.push("where AUTOINCREMENT goes on".to_owned());
    }
    if diff.before.user_version != diff.after.user_version {
        parts.push("user_version".to_owned());
    }
    if diff.before.application_id != diff.after.application_id {
        parts.push("application_id".to_owned());
    }
    if diff.integrity.before != diff.integrity.after {
        parts.push("integrity_check".to_owned());
    }
    if parts.is_empty() {
        parts.push("views or triggers that cannot be compiled, or foreign keys".to_owned());
    }
    let missing = if diff.not_compared.is_empty() { String::new() } else { format!("; {}", missing(diff)) };
    format!("{}{missing}", list(&parts))
}

/// What is no row and no CREATE statement.
fn database(page: &mut Page, diff: &Diff) {
    let mut lines: Vec<(String, String)> = Vec::new();
    let (before, after) = (&diff.before, &diff.after);
    if before.user_version != after.user_version {
        lines.push(("user_version".to_owned(), format!("{} → {}", before.user_version, after.user_version)));
    }
    if before.application_id != after.application_id {
        lines.push(("application_id".to_owned(), format!("{} → {}", before.application_id, after.application_id)));
    }
    for counter in &diff.counters {
        let what = format!("AUTOINCREMENT of {}", counter.table);
        lines.push((what, format!("{} → {}", counter.before, counter.after)));
    }
    for violations in &diff.violations {
        let what = format!("{} without {}", violations.table, violations.parent);
        let rows = count(violations.after, "row");
        let text = if violations.before == violations.after {
            format!("{rows} in both files")
        } else {
            format!("{} → {rows}", number(violations.before))
        };
        lines.push((what, text));
    }
    for (side, messages) in [("first", &diff.integrity.before), ("second", &diff.integrity.after)] {
        lines.extend(messages.iter().map(|message| (format!("integrity of the {side} file"), message.clone())));
    }
    for object in &diff.broken {
        for (side, message) in [("first", &object.before), ("second", &object.after)] {
            let text = message.iter().map(|message| format!("cannot be compiled in the {side} file: {message}"));
            lines.extend(text.map(|text| (object.name.clone(), text)));
        }
    }
    if !lines.is_empty() {
        page.heading("Database");
        for (what, text) in &mut lines {
            (*what, *text) = (visible(what).into_owned(), visible(text).into_owned());
        }
        sections::pairs(page, &lines);
    }
}
