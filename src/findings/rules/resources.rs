//! RS: time, locks and disk.

use std::time::Duration;

use crate::compare::lineage::Change as Lineage;
use crate::execution::steps::By;
use crate::execution::usage::Span;
use crate::execution::{Execution, Outcome, Step, Usage};
use crate::findings::catalogue::{RS701, RS702, RS703, RS704, RS705, RS706, RS707, RS708};
use crate::findings::evidence::place;
use crate::findings::thresholds::Thresholds;
use crate::findings::wording::{bytes, count, duration};
use crate::findings::{Evidence, Finding, Level, Live};
use crate::migrations::statement::{Action, Insert};
use crate::units::in_words;

/// Whether anything ran to its end, so that what it took says something of production.
fn has_run(evidence: &Evidence) -> bool {
    let execution = evidence.execution();
    execution.outcome == Outcome::Completed && (!execution.steps.is_empty() || execution.command.is_some())
}

fn told(time: Duration) -> String {
    duration(time.as_secs_f64() * 1000.0)
}

/// A threshold; `0 s` where there is none.
fn limit(time: Duration) -> String {
    if time.is_zero() { "0 s".to_owned() } else { in_words(time) }
}

/// How the times came about.
fn on_what(evidence: &Evidence) -> &'static str {
    match &evidence.measured {
        _ if evidence.execution().command.is_some() => "timed on this machine, which is not production's",
        Some(measured) if measured.in_memory => "measured on this machine, on a plain file in memory",
        Some(_) => "measured on this machine, on a plain file on its disk",
        None => {
            "timed on this machine, with every row watched and nothing written to a disk; --measure times it on one"
        }
    }
}

/// RS701 and RS708.
pub(super) fn times(evidence: &Evidence) -> Vec<Finding> {
    if !has_run(evidence) {
        return Vec::new();
    }
    let limits = &evidence.limits.thresholds;
    let timed = evidence.timed();
    let (what, elapsed) = match &timed.command {
        Some(ran) => ("the command takes", ran.elapsed),
        None => ("the pending migrations take", timed.elapsed),
    };
    let all = (elapsed > limits.migration_time.0).then(|| {
        let limit = limit(limits.migration_time.0);
        Finding::new(&RS701, format!("{what} {}, more than {limit}", told(elapsed)))
            .object("time")
            .cause(on_what(evidence))
            .help("change data in batches behind the deploy, each in a transaction of its own; let migrations change the schema")
    });
    let is_slow = |step: &&Step| step.elapsed > limits.statement_time.0;
    let slow = timed.steps.iter().filter(is_slow).map(|step| {
        let time = told(step.elapsed);
        let limit = limit(limits.statement_time.0);
        Finding::new(&RS708, format!("a statement of `{}` takes {time}, more than {limit}", step.migration))
            .object(&step.migration)
            .at(Some(place(step)), format!("takes {time}"))
            .cause(on_what(evidence))
            .help("where it changes rows, change them in batches; where it searches them, an index made before it may help")
    });
    all.into_iter().chain(slow).collect()
}

/// RS702 and RS707.
pub(super) fn locks(evidence: &Evidence) -> Vec<Finding> {
    let timed = evidence.timed();
    let Some(usage) = timed.usage.as_ref().filter(|_| has_run(evidence)) else { return Vec::new() };
    let limits = &evidence.limits.thresholds;
    let tuning = timed.settings.driver.tuning();
    let alone = if timed.command.is_some() { ", by its statements alone" } else { "" };
    let write = usage.write_lock.filter(|span| span.longest > limits.lock_time.0).map(|span| {
        let (time, limit) = (told(span.longest), limit(limits.lock_time.0));
        Finding::new(&RS702, format!("the write lock is held for {time}, more than {limit}"))
            .object("write lock")
            .at(
                span.first.and_then(|step| timed.steps.get(step)).map(place),
                label(timed, span, "the write lock is held"),
            )
            .cause(format!(
                "every other writer waits meanwhile, or gives up with SQLITE_BUSY; {}{alone}",
                on_what(evidence)
            ))
            .help("make the transaction shorter: fewer rows, or batches with a COMMIT of their own")
            .help(format!(
                "or let the app wait longer:\nPRAGMA busy_timeout = {};",
                span.longest.as_millis().saturating_mul(2).max(tuning.busy_timeout.as_millis()).max(1)
            ))
    });
    let readers = usage.readers.filter(|span| span.longest > limits.reader_wait.0).map(|span| {
        let (time, limit) = (told(span.longest), limit(limits.reader_wait.0));
        Finding::new(&RS707, format!("readers are shut out for {time}, more than {limit}"))
            .object("readers")
            .at(span.first.and_then(|step| timed.steps.get(step)).map(place), label(timed, span, "readers are shut out"))
            .cause(format!(
                "with a rollback journal readers wait while changes go into the database file: during the commit, and before it once \
                 the page cache is full; {}{alone}",
                on_what(evidence)
            ))
            .help("let readers read on while others write, once and for all:\nPRAGMA journal_mode = WAL;")
    });
    let live = evidence.measured.as_ref().and_then(|measured| measured.live.as_ref());
    let wait = |who| live.and_then(|live| waited(live, who, limits, on_what(evidence)));
    write.or_else(|| wait(Who::Writer)).into_iter().chain(readers.or_else(|| wait(Who::Reader))).collect()
}

/// A part of the app beside the migrations.
#[derive(Clone, Copy)]
enum Who {
    Reader,
    Writer,
}

/// A wait that is longer than any lock, where transactions follow one another.
fn waited(live: &Live, who: Who, limits: &Thresholds, on_what: &str) -> Option<Finding> {
    let (rule, object, name, waits, limit) = match who {
        Who::Reader => (&RS707, "readers", "reader", &live.reader, limits.reader_wait.0),
        Who::Writer => (&RS702, "write lock", "writer", &live.writer, limits.lock_time.0),
    };
    let wait = waits.longest.filter(|wait| wait.time > limit)?;
    let steps = &live.execution.steps;
    let step = live.execution.usage.as_ref().and_then(|usage| steps.get(usage.places.step(wait.place)?));
    let (time, limit) = (told(wait.time), self::limit(limit));
    let finding = Finding::new(rule, format!("a {name} beside the migrations waits for {time}, more than {limit}"))
        .object(object)
        .at(step.map(place), format!("the {name} waits from here on"))
        .cause(format!("one transaction follows another, and it hardly gets its turn between them; {on_what}"))
        .help("let the migrations run one by one, with a pause between them, or while nobody else works");
    Some(finding)
}

/// From where to where.
fn label(execution: &Execution, span: Span, what: &str) -> String {
    let [first, last] = [span.first, span.last].map(|step| step.and_then(|step| execution.steps.get(step)));
    match first.zip(last) {
        Some((first, last)) if first.file != last.file => {
            format!("{what} from here to line {} of {}", last.statement.line, last.file)
        }
        Some((first, last)) if (first.statement.line, first.number) != (last.statement.line, last.number) => {
            format!("{what} from here to line {}", last.statement.line)
        }
        _ => format!("{what} here"),
    }
}

/// RS703, RS704 and RS705.
pub(super) fn sizes(evidence: &Evidence) -> Vec<Finding> {
    if !has_run(evidence) {
        return Vec::new();
    }
    let usage = evidence.execution().usage.as_ref();
    let log = usage.and_then(|usage| log(evidence, usage));
    log.into_iter().chain(space(evidence, usage)).chain(growth(evidence)).collect()
}

fn log(evidence: &Evidence, usage: &Usage) -> Option<Finding> {
    let (peak, limit) = (usage.sizes.log_peak, evidence.limits.thresholds.wal.0);
    let is_wal = evidence.execution().journal_mode == "wal";
    let what = if is_wal { "write-ahead log" } else { "rollback journal" };
    let finding = Finding::new(&RS703, format!("the {what} grows to {}, more than {}", bytes(peak), bytes(limit)))
        .object(if is_wal { "wal" } else { "journal" })
        .cause("it holds what one transaction writes, until that is over")
        .help("write in batches with a COMMIT of their own");
    let finding = if is_wal {
        finding.help("the file keeps its size afterwards; to give it back:\nPRAGMA wal_checkpoint(TRUNCATE);")
    } else {
        finding
    };
    (peak > limit).then_some(finding)
}

fn space(evidence: &Evidence, usage: Option<&Usage>) -> Option<Finding> {
    let free = evidence.limits.disk_free?;
    let Some(usage) = usage else {
        let what = format!("whether {} are enough is not known", bytes(free));
        return Some(
            Finding::new(&RS704, what)
                .at_level(Level::Warning)
                .object("disk")
                .cause("the statements of the command could not be traced, so nobody counted what they write")
                .help("watch the disk while the command runs on a copy of production"),
        );
    };
    let (needed, temporary) = (usage.needed(), usage.sizes.temporary_peak);
    let beside = needed.saturating_sub(temporary);
    let up_to = if usage.at_most { "up to " } else { "" };
    let what = format!("the migrations need {up_to}{} free, and {} are", bytes(needed), bytes(free));
    let finding = Finding::new(&RS704, what)
        .object("disk")
        .help("make room, or write less at once: in batches, with a COMMIT of their own, and without VACUUM");
    let finding = match temporary {
        0 if usage.at_most => finding.at_level(Level::Warning),
        0 => finding,
        _ if beside > free && !usage.at_most => {
            finding.cause(format!("up to {} of it for temporary files", bytes(temporary)))
        }
        _ => finding
            .at_level(Level::Warning)
            .cause(format!("up to {} of it for temporary files, which may lie on another disk", bytes(temporary)))
            .help("put temporary files on another disk: SQLITE_TMPDIR=/other/disk"),
    };
    (needed > free).then_some(finding)
}

fn growth(evidence: &Evidence) -> Option<Finding> {
    let trial = &evidence.trial;
    let (before, after) = (trial.bytes_before, trial.bytes_after);
    let grown = after.saturating_sub(before);
    let free = trial.bytes_free;
    let finding = Finding::new(
        &RS705,
        format!("the database grows by {}, from {} to {}", bytes(grown), bytes(before), bytes(after)),
    )
    .object("size");
    let finding = if free > 0 {
        finding.cause(format!("{} of the file are in free pages, which later writes use again", bytes(free))).help(
            "to give free pages back to the disk, when there is time for it and as much space once more:\nVACUUM;",
        )
    } else {
        finding.help("see that the disk and the backups have room for it")
    };
    (grown > evidence.limits.thresholds.growth.0 && grown > before / 2).then_some(finding)
}

/// RS706.
pub(super) fn rewrites(evidence: &Evidence) -> Vec<Finding> {
    if !has_run(evidence) {
        return Vec::new();
    }
    let least = evidence.limits.thresholds.rewritten_rows;
    let rewritten = evidence.committed().filter_map(|step| {
        let (table, rows, how) = updated(evidence, step).or_else(|| copied(evidence, step))?;
        (rows > least).then(|| {
            Finding::new(&RS706, format!("one statement writes all {} of `{table}` anew", count(rows, "row")))
                .table(&table)
                .rows(rows)
                .at(Some(place(step)), format!("{how} {}", count(rows, "row")))
                .help("expect its time and its space to grow with the table; where the rows need not change at once, change them in batches")
        })
    });
    rewritten.collect()
}

/// The table of which the statement itself updated every row.
fn updated(evidence: &Evidence, step: &Step) -> Option<(String, u64, &'static str)> {
    let Action::Update { table, .. } = &step.statement.action else { return None };
    let is_it = |name: &str| name.eq_ignore_ascii_case(table);
    let change = step.changes.iter().find(|change| change.by == By::Statement && is_it(&change.table))?;
    let tables = &evidence.comparison().tables;
    let before = tables.iter().find(|compared| compared.pair.before.as_deref().is_some_and(is_it))?.before.as_ref()?;
    (change.updated == before.rows).then(|| (table.clone(), change.updated, "updates"))
}

/// The table that is rebuilt from the copy of every row that the statement made.
fn copied(evidence: &Evidence, step: &Step) -> Option<(String, u64, &'static str)> {
    let Action::Insert(Insert { select: Some(select), .. }) = &step.statement.action else { return None };
    let from = select.from.as_ref()?;
    let tables = &evidence.comparison().tables;
    let rebuilt = tables.iter().any(|compared| {
        compared.pair.change == Lineage::Rebuilt
            && compared.pair.before.as_deref().is_some_and(|before| before.eq_ignore_ascii_case(from))
    });
    let inserted = step.changes.iter().filter(|change| change.by == By::Statement).map(|change| change.inserted).sum();
    (rebuilt && step.source_rows == Some(inserted)).then(|| (from.clone(), inserted, "copies"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execution::Settings;
    use crate::execution::drivers::DRIVERS;
    use crate::snapshot::{Wait, Waits};

    #[test]
    fn an_app_may_wait_longer_than_any_lock_is_held() {
        let driver = DRIVERS.iter().find(|driver| driver.name == "sqlite").unwrap();
        let execution = Execution {
            settings: Settings::of(driver, None),
            journal_mode: "delete".to_owned(),
            outcome: Outcome::Completed,
            steps: Vec::new(),
            bookkeeping: Vec::new(),
            foreign_keys_after: false,
            elapsed: Duration::from_secs(20),
            usage: None,
            command: None,
        };
        let waits = |seconds| Waits {
            tries: 2,
            waited: 1,
            longest: Some(Wait { time: Duration::from_secs(seconds), place: 0 }),
            error: None,
        };
        let live = Live { execution, reader: waits(1), writer: waits(12) };
        let found = |who| {
            waited(&live, who, &Thresholds::default(), "measured").map(|finding| (finding.rule.code, finding.message))
        };
        let writer = "a writer beside the migrations waits for 12.0 s, more than 5 seconds".to_owned();
        assert_eq!(found(Who::Writer), Some(("RS702", writer)));
        assert_eq!(found(Who::Reader), None, "no longer than the threshold");
    }
}
