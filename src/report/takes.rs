//! What the migrations took, in words: free space, locks, time, and an app beside them. Names are as they came.

use std::time::Duration;

use super::document::{AppWaits, Execution, Live, Lock, Machine, Measured, Outcome, Resources, StatementAt, Usage};
use crate::findings::wording::{bytes, count, duration, number, share};
use crate::units::in_words;

/// How long they took and what became of the size, what they need and whom they keep out, and what was measured besides.
#[must_use]
pub fn takes(execution: &Execution, resources: &Resources) -> Vec<String> {
    let growth = super::facts::growth(resources);
    let time = duration(execution.command.as_ref().map_or(execution.elapsed_ms, |command| command.elapsed_ms));
    let untraced = execution.command.as_ref().is_some_and(|command| !command.traced);
    let (whose, more) = match &resources.usage {
        // What did not run to its end says nothing of what it takes.
        Some(usage) if execution.outcome == Outcome::Completed => (
            if execution.command.is_some() { ", not production's" } else { ", not production's and without its disk" },
            Some(format!("{}; {}", needs(usage, resources), of_locks(execution, usage))),
        ),
        None if untraced && resources.machine.is_some() => {
            ("", Some("what it needs free and what it locks was not counted: its statements are not known".to_owned()))
        }
        _ => ("", None),
    };
    let mut lines = vec![format!("{time} in all on this machine{whose}; {growth}")];
    lines.extend(more);
    if let Some(measured) = &resources.measured {
        lines.push(on_the_disk(measured));
        lines.extend(measured.live.iter().map(|live| beside_an_app(live, measured.busy_timeout_ms)));
    }
    lines
}

/// `it needs 3.4 GB free, 2.1 × the database, up to 1.2 GB of it in temporary files`.
#[must_use]
pub fn needs(usage: &Usage, resources: &Resources) -> String {
    let times = match ratio(usage.needed_bytes, resources.bytes_before) {
        Some(times) => format!(", {times} × the database"),
        None => String::new(),
    };
    let temporary = match usage.temporary_peak_bytes {
        0 => String::new(),
        temporary => format!(", up to {} of it in temporary files", bytes(temporary)),
    };
    let at_most = if usage.at_most { " at most" } else { "" };
    format!("it needs {}{at_most} free{times}{temporary}", bytes(usage.needed_bytes))
}

/// `2.1`; none where it would be nothing, or there was no database.
fn ratio(part: u64, whole: u64) -> Option<String> {
    let tenths = (u128::from(part) * 10 + u128::from(whole) / 2).checked_div(u128::from(whole))?;
    (tenths > 0).then(|| format!("{}.{}", number(u64::try_from(tenths / 10).unwrap_or(u64::MAX)), tenths % 10))
}

fn of_locks(execution: &Execution, usage: &Usage) -> String {
    let locks = locks(usage.write_lock.as_ref(), usage.readers.as_ref(), execution.settings.journal_mode == "wal");
    // What a command computes between its statements is not known.
    if execution.command.is_some() { format!("by its statements alone {locks}") } else { locks }
}

fn locks(write: Option<&Lock>, readers: Option<&Lock>, is_wal: bool) -> String {
    let Some(write) = write else { return "nobody is kept waiting".to_owned() };
    let held = duration(write.longest_ms);
    match readers {
        Some(readers) => {
            format!("writers wait up to {held} and readers up to {}", duration(readers.longest_ms))
        }
        None if is_wal => format!("writers wait up to {held}, and readers read on"),
        None => format!("writers wait up to {held}"),
    }
}

fn on_the_disk(measured: &Measured) -> String {
    let place = if measured.in_memory { "on a file in memory" } else { "on a file on the disk" };
    let how = format!(
        "synchronous {}, page cache {}: the settings of {}",
        measured.synchronous,
        match u64::try_from(measured.cache_size) {
            Ok(pages) => count(pages, "page"),
            Err(_) => format!("{} KiB", number(measured.cache_size.unsigned_abs())),
        },
        measured.settings_from
    );
    match &measured.error {
        Some(error) => format!("{place} it fails: {error}"),
        None => format!(
            "measured {place}: {} in all; {} ({how})",
            duration(measured.elapsed_ms),
            locks(measured.write_lock.as_ref(), measured.readers.as_ref(), measured.journal_mode == "wal")
        ),
    }
}

fn beside_an_app(live: &Live, busy_timeout_ms: u64) -> String {
    let patience = match busy_timeout_ms {
        0 => "does not wait for locks".to_owned(),
        time => format!("waits {} for a lock", in_words(Duration::from_millis(time))),
    };
    let fails =
        live.error.as_ref().map(|error| format!("; the migrations fail beside it: {error} (the driver {patience})"));
    format!(
        "beside an app: {}; {}{}",
        waits("its reader", &live.reader),
        waits("its writer", &live.writer),
        fails.unwrap_or_default()
    )
}

fn waits(who: &str, waits: &AppWaits) -> String {
    if let Some(error) = &waits.error {
        return format!("{who} failed: {error}");
    }
    let visits = share(waits.waited, waits.tries, "visit");
    match (waits.longest_ms, &waits.during) {
        (None, _) => format!("{who} never waited ({})", count(waits.tries, "visit")),
        (Some(longest), Some(at)) => {
            format!("{who} waited up to {} ({visits}), from {} on", duration(longest), shown(at))
        }
        (Some(longest), None) => format!("{who} waited up to {} ({visits})", duration(longest)),
    }
}

fn shown(at: &StatementAt) -> String {
    format!("line {} of {}", at.line, at.file)
}

/// `linux x86_64, 2 cores, Intel(R) Xeon(R)`.
#[must_use]
pub fn machine(machine: &Machine) -> String {
    let cores = machine.cores.map(|cores| format!(", {}", count(cores, "core"))).unwrap_or_default();
    let name = machine.processor.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
    format!("{} {}{cores}{name}", machine.system, machine.architecture)
}

/// From where to where the write lock is held; none where it is not known.
#[must_use]
pub fn held(lock: &Lock) -> Option<String> {
    let (first, last) = lock.first.as_ref().zip(lock.last.as_ref())?;
    Some(match (first == last, first.file == last.file) {
        (true, _) => format!("at {}", shown(first)),
        (false, true) => format!("from line {} to {}", first.line, shown(last)),
        (false, false) => format!("from {} to {}", shown(first), shown(last)),
    })
}
