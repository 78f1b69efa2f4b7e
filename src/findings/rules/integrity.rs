//! IN and LS109: what SQLite itself says of the database after the migrations.

use crate::compare::integrity::Violating;
use crate::compare::lineage::Change;
use crate::findings::catalogue::{IN401, IN402, IN403, LS109};
use crate::findings::wording::count;
use crate::findings::{Evidence, Finding, Level};

/// IN401.
pub(super) fn damaged(evidence: &Evidence) -> Vec<Finding> {
    let checked = &evidence.comparison().integrity;
    let Some(first) = checked.after.first() else { return Vec::new() };
    let messages = checked.after.len() as u64;
    let finding =
        Finding::new(&IN401, format!("integrity_check has {}: {first}", count(messages, "complaint"))).rows(messages);
    let same = checked.after.iter().all(|message| checked.before.contains(message));
    vec![if same {
        finding
            .at_level(Level::Warning)
            .cause("the snapshot is damaged already; the migrations did not add to it")
            .help("repair production first: `.recover` of the sqlite3 shell writes what can be read into a new file")
    } else {
        finding
            .help("do not deploy: rehearse again on a fresh snapshot, and report this with the migration if it stays")
    }]
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
                .help(format!("find them:\nSELECT * FROM pragma_foreign_key_check('{child}');")),
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
    let same_rows = pair(child).is_some_and(|pair| matches!(pair.change, Change::Same | Change::Renamed));
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
    finding.table(child).object(parent).rows(rows).help(format!("find them, and give them a parent or remove them in the migration:\nSELECT * FROM pragma_foreign_key_check('{child}');"))
}
