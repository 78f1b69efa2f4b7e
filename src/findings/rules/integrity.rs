//! IN and LS109: what SQLite itself says of the database after the migrations.

use crate::compare::TableComparison;
use crate::compare::integrity::{BrokenChecks, Complaint, Violating};
use crate::compare::lineage::Change;
use crate::execution::steps::By;
use crate::findings::catalogue::{IN401, IN402, IN403, IN404, IN405, IN406, LS109};
use crate::findings::evidence::place;
use crate::findings::rules::causes::parent_of;
use crate::findings::wording::count;
use crate::findings::{Evidence, Finding, Level};
use crate::schema::lexer::{quote_identifier, quote_text};

/// IN401, IN405 and IN406.
pub(super) fn damaged(evidence: &Evidence) -> Vec<Finding> {
    let checked = &evidence.comparison().integrity;
    let new = |message: &&String| !checked.before.contains(message);
    let after: Vec<&String> = checked.after.iter().filter(new).collect();
    let mut findings = already_damaged(&checked.before);
    let full_text = after.iter().filter_map(|message| match Complaint::of(message) {
        Complaint::FullText(table) => Some(table),
        _ => None,
    });
    findings.extend(full_text.map(|table| full_text_damaged(evidence, table)));
    let other: Vec<&String> = after
        .into_iter()
        .filter(|message| !matches!(Complaint::of(message), Complaint::Check(_) | Complaint::FullText(_)))
        .collect();
    if let Some(first) = other.first() {
        let messages = other.len() as u64;
        let of = if checked.before.is_empty() { "" } else { "new " };
        findings.push(
            Finding::new(
                &IN401,
                format!("integrity_check has {}: {first}", count(messages, &format!("{of}complaint"))),
            )
            .rows(messages)
            .help("do not deploy: rehearse again on a fresh snapshot, and report this with the migration if it stays"),
        );
    }
    findings
}

/// IN406. Rows that break a CHECK are IN404.
fn already_damaged(messages: &[String]) -> Vec<Finding> {
    let damage = || messages.iter().filter(|message| !matches!(Complaint::of(message), Complaint::Check(_)));
    let Some(first) = damage().next() else { return Vec::new() };
    let structure = damage().find(|message| Complaint::of(message) == Complaint::Structure);
    let number = damage().count() as u64;
    let message = format!(
        "the snapshot is damaged already: integrity_check has {}: {}",
        count(number, "complaint"),
        structure.unwrap_or(first)
    );
    let finding = Finding::new(&IN406, message)
        .rows(number)
        .help("repair production first: REINDEX makes indexes anew, `.recover` of the sqlite3 shell writes what can be read into a new file");
    vec![if structure.is_some() { finding } else { finding.at_level(Level::Warning) }]
}

/// IN405.
fn full_text_damaged(evidence: &Evidence, table: &str) -> Finding {
    let prefix = format!("{}_", table.to_ascii_lowercase());
    let writes = |name: &String| name.to_ascii_lowercase().starts_with(&prefix);
    let step = evidence.committed().find(|step| {
        step.changes.iter().any(|change| change.by == By::Statement && writes(&change.table))
            && parent_of(step).is_some_and(|written| writes(&written.to_owned()))
    });
    let name = quote_identifier(table);
    Finding::new(&IN405, format!("the full-text index of `{table}` does not match its rows"))
        .table(table)
        .at(step.map(place), format!("wrote a table in which `{table}` keeps its index"))
        .help(format!("if the rows of `{table}` are right, build the index anew at the end of the migration:\nINSERT INTO {name} ({name}) VALUES ('rebuild');"))
}

/// IN404.
pub(super) fn checks(evidence: &Evidence) -> Vec<Finding> {
    let mut findings = Vec::new();
    for BrokenChecks { table, rows, new } in &evidence.comparison().integrity.broken_checks {
        let checks = evidence.comparison().after.table(table).map(|table| table.checks.as_slice()).unwrap_or_default();
        let broken: Vec<String> = checks.iter().map(|check| format!("NOT ({check})")).collect();
        let find = format!("find them:\nSELECT * FROM {} WHERE {};", quote_identifier(table), broken.join(" OR "));
        let finding = |rows: u64, message: String| Finding::new(&IN404, message).table(table).rows(rows).help(&find);
        if *new > 0 {
            let verb = if *new == 1 { "breaks" } else { "break" };
            findings.push(
                finding(*new, format!("{} of `{table}` {verb} a CHECK and did not before", count(*new, "row")))
                    .cause("`ignore_check_constraints` was on, or the table's definition was written past SQLite"),
            );
        }
        let known = rows - new;
        if known > 0 {
            let message = format!("{} of `{table}` broke a CHECK before the migrations", count(known, "row"));
            findings.push(finding(known, message).at_level(Level::Note));
        }
    }
    findings
}

/// IN402, IN403 and LS109.
pub(super) fn foreign_keys(evidence: &Evidence) -> Vec<Finding> {
    let checked = &evidence.comparison().integrity;
    let mut findings = Vec::new();
    for ((child, parent), violating) in &checked.violations_after {
        let rows = violating.rows;
        let known = rows - new_since(evidence, child, parent, violating);
        if known > 0 {
            findings.push(
                Finding::new(
                    &IN403,
                    format!(
                        "{} of `{child}` referred to no row of `{parent}` before the migrations",
                        count(known, "row")
                    ),
                )
                .table(child)
                .rows(known)
                .help(format!("find them:\nSELECT * FROM pragma_foreign_key_check({});", quote_text(child))),
            );
        }
        if rows > known {
            findings.push(new_violations(evidence, child, parent, rows - known));
        }
    }
    findings
}

/// How many of these are new, against the same child and parent under the names that they had.
fn new_since(evidence: &Evidence, child: &str, parent: &str, violating: &Violating) -> u64 {
    let comparison = evidence.comparison();
    let pair = |name: &str| comparison.table_after(name).map(|table| &table.pair);
    let was = |name: &str| pair(name).and_then(|pair| pair.before.clone()).unwrap_or_else(|| name.to_owned());
    let none = Violating::default();
    let before = comparison.integrity.violations_before.get(&(was(child), was(parent))).unwrap_or(&none);
    // Where the same rows have other rowids, and the same parents, there are as many as there were.
    let keeps_its_rows = comparison.table_after(parent).is_some_and(TableComparison::keeps_its_rows);
    let same_rows = comparison.table_after(child).is_some_and(|table| {
        matches!(table.pair.change, Change::Same | Change::Renamed) && !(keeps_its_rows && table.only_moved())
    });
    violating.new_since(before, same_rows)
}

fn new_violations(evidence: &Evidence, child: &str, parent: &str, rows: u64) -> Finding {
    let comparison = evidence.comparison();
    let dropped = comparison.table_before(parent).is_some_and(|table| table.pair.change == Change::Dropped);
    let parents_lost = dropped || comparison.table_after(parent).is_some_and(|table| table.lost() > 0);
    let verb = if rows == 1 { "refers" } else { "refer" };
    let message = format!("{} of `{child}` now {verb} to no row of `{parent}`", count(rows, "row"));
    let finding = if parents_lost {
        Finding::new(&LS109, message).cause(format!("rows of `{parent}` are gone, and foreign keys were not enforced"))
    } else {
        Finding::new(&IN402, message)
            .cause("foreign keys are not enforced while the migrations run, or are not checked for rows that exist")
    };
    finding.table(child).object(parent).rows(rows).help(format!("find them, and give them a parent or remove them in the migration:\nSELECT * FROM pragma_foreign_key_check({});", quote_text(child)))
}
