//! IN and LS109: what SQLite itself says of the database after the migrations.

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
    for ((child, parent), &rows) in &checked.violations_after {
        let known = violations_before(evidence, child, parent).min(rows);
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

/// Rows of the same child that violated the same key before, under the names that they had.
fn violations_before(evidence: &Evidence, child: &str, parent: &str) -> u64 {
    let comparison = evidence.comparison();
    let was = |name: &str| {
        comparison.table_after(name).and_then(|table| table.pair.before.clone()).unwrap_or_else(|| name.to_owned())
    };
    comparison.integrity.violations_before.get(&(was(child), was(parent))).copied().unwrap_or_default()
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
