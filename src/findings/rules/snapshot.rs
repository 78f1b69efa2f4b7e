//! SN: the snapshot and upkeep.

use std::time::Duration;

use super::random_names::{ADJECTIVES, HEROES};
use crate::findings::catalogue::{SN901, SN902, SN903, SN905, SN910, SN911, SN912};
use crate::findings::evidence::{file, place};
use crate::findings::rules::missing;
use crate::findings::wording::count;
use crate::findings::{Evidence, Finding, Level};
use crate::migrations::Plan;
use crate::migrations::statement::Action;
use crate::snapshot::{Facts, Journal, JournalMode, Method, Untouched, Wal};

/// SN901, SN902, SN903 and SN905.
pub(super) fn files(evidence: &Evidence) -> Vec<Finding> {
    let mut findings = of_file(&evidence.snapshot, &evidence.untouched);
    findings.extend(stale(evidence));
    findings
}

/// SN901, SN902 and SN905: what can be said of any file that is read.
pub(in crate::findings) fn of_file(facts: &Facts, untouched: &Untouched) -> Vec<Finding> {
    let path = facts.path.display();
    let mut findings = Vec::new();
    if facts.journal_mode == JournalMode::Wal && facts.wal == Wal::Absent {
        let (what, to) = match facts.method {
            Method::Made => {
                ("the database is in WAL mode and came without its write-ahead log".to_owned(), "snapshot.db".into())
            }
            _ => (format!("the database is in WAL mode and no `{path}-wal` is beside it"), path.to_string()),
        };
        findings.push(
            Finding::new(&SN901, what)
                .object("wal")
                .cause("what the app had committed but not yet checkpointed when the file was copied is in the -wal, and so is missing here")
                .help(format!("take the snapshot with SQLite itself, which takes everything:\nsqlite3 prod.db \".backup '{to}'\"")),
        );
    }
    if let Journal::Hot { .. } = facts.journal {
        findings.push(
            Finding::new(
                &SN902,
                format!("`{path}-journal` is hot: the file was copied in the middle of a transaction"),
            )
            .object("journal")
            .cause("the transaction was rolled back on the copy, as the app would at its next start")
            .help("take the snapshot with SQLite itself: sqlite3 prod.db \".backup 'snapshot.db'\""),
        );
    }
    if let Untouched::ChangedByOthers(changes) = untouched {
        findings.push(
            Finding::new(&SN905, format!("somebody else wrote to the snapshot meanwhile: {}", changes.join(", ")))
                .at_level(Level::Note)
                .object("snapshot")
                .cause("what is told here is a state that was copied whole"),
        );
    }
    findings
}

/// What the clocks of two machines may differ by, and what is written while it is rehearsed.
const SKEW: Duration = Duration::from_hours(1);

fn stale(evidence: &Evidence) -> Option<Finding> {
    let limit = evidence.limits.max_snapshot_age?;
    let Some(modified) = evidence.snapshot.modified else {
        let what = format!("nobody knows how old the snapshot is; it may be {} at most", span(limit));
        let help = "give it as a file, or as the output of --snapshot-command";
        return Some(Finding::new(&SN903, what).object("age").cause("it came through standard input").help(help));
    };
    let age = match evidence.limits.now.duration_since(modified) {
        Ok(age) => age,
        Err(ahead) if ahead.duration() > SKEW => {
            let ahead = span(ahead.duration());
            let what = format!("the snapshot was last written {ahead} from now, so nobody knows how old it is");
            let help = "set the clock right, or take a fresh snapshot";
            return Some(Finding::new(&SN903, what).object("age").cause("a clock is or was wrong").help(help));
        }
        Err(_) => return None,
    };
    (age > limit).then(|| {
        Finding::new(
            &SN903,
            format!("the snapshot was last written {} ago; at most {} are allowed", span(age), span(limit)),
        )
        .object("age")
        .help("take a fresh snapshot")
    })
}

/// `3 days`, `26 hours`, `5 minutes`: in the greatest unit of which there are at least two.
fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        172_800.. => count(seconds / 86_400, "day"),
        7_200.. => count(seconds / 3_600, "hour"),
        120.. => count(seconds / 60, "minute"),
        _ => count(seconds, "second"),
    }
}

/// SN911.
pub(super) fn not_compared(evidence: &Evidence) -> Vec<Finding> {
    let items = evidence.comparison().not_compared.iter();
    items
        .map(|item| {
            Finding::new(&SN911, format!("`{}` was not compared: {}", item.what, item.why)).table(&item.what).help(
                match missing::of_message(&item.why) {
                    Some(_) => "SN906 says what is missing; what happened to it is not known",
                    None => "look at it by hand before you deploy: nothing is known about what happened to it",
                },
            )
        })
        .collect()
}

/// SN910.
pub(super) fn not_understood(evidence: &Evidence) -> Vec<Finding> {
    let steps = evidence.committed().filter(|step| step.not_understood);
    steps
        .map(|step| {
            let what = if step.statement.action == Action::Unknown {
                "its words are not known to rehearse"
            } else {
                "it writes SQLite's own schema table"
            };
            Finding::new(&SN910, format!("a statement of `{}` changed the database, and {what}", step.migration))
                .object(&step.migration)
                .at(Some(place(step)), "not followed")
                .help("what it did is compared, but findings may name another statement as their cause: read them with this one in mind")
        })
        .collect()
}

/// SN912.
pub(super) fn names(evidence: &Evidence) -> Vec<Finding> {
    names_in(&evidence.plan)
}

/// The same without a rehearsal.
pub(in crate::findings) fn names_in(plan: &Plan) -> Vec<Finding> {
    if plan.tool != "drizzle" {
        return Vec::new();
    }
    let random = plan.pending().filter(|migration| is_random(&migration.name));
    random
        .map(|migration| {
            Finding::new(&SN912, format!("`{}` has a random name", migration.name))
                .object(&migration.name)
                .at(Some(file(migration)), "")
                .help("name it after what it does: drizzle-kit generate --name users_email_not_null")
        })
        .collect()
}

/// `0001_fluffy_doorman`, `20261122183544_fluffy_doorman`: a prefix, one of drizzle-kit's adjectives and one of its heroes.
fn is_random(name: &str) -> bool {
    let words = name.trim_start_matches(|letter: char| letter.is_ascii_digit()).trim_start_matches('_');
    words
        .split_once('_')
        .is_some_and(|(first, rest)| ADJECTIVES.binary_search(&first).is_ok() && HEROES.binary_search(&rest).is_ok())
}
