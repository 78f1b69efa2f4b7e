//! What the migrations took.

use super::{doc, milliseconds, outcome, step};
use crate::execution::usage::Span;
use crate::execution::{self, Execution, Machine, Step};
use crate::findings::{Evidence, Live, Measured};
use crate::snapshot::Waits;

/// Sizes, locks and times.
pub(super) fn resources(evidence: &Evidence) -> doc::Resources {
    let trial = &evidence.trial;
    let changes = trial.execution.steps.iter().flat_map(|step| &step.changes);
    doc::Resources {
        bytes_before: trial.bytes_before,
        bytes_after: trial.bytes_after,
        rows_written: changes.map(|change| change.inserted + change.updated + change.deleted).sum(),
        usage: trial.execution.usage.as_ref().map(|usage| doc::Usage {
            bytes_written: usage.sizes.written,
            peak_bytes: usage.sizes.peak,
            needed_bytes: usage.needed(),
            log_peak_bytes: usage.sizes.log_peak,
            temporary_peak_bytes: usage.sizes.temporary_peak,
            free_bytes: trial.bytes_free,
            at_most: usage.at_most,
            disk_free_bytes: evidence.limits.disk_free,
            write_lock: lock(&trial.execution, usage.write_lock),
            readers: lock(&trial.execution, usage.readers),
        }),
        machine: Some(machine(&evidence.machine)),
        measured: evidence.measured.as_ref().map(measured),
    }
}

/// Every step, with its time on the disk where that was measured.
pub(super) fn steps(evidence: &Evidence) -> Vec<doc::Step> {
    let on_disk = evidence.measured.as_ref().map_or(&[][..], |measured| &measured.execution.steps);
    let mut steps: Vec<doc::Step> = evidence.execution().steps.iter().map(step).collect();
    for (step, measured) in steps.iter_mut().zip(on_disk) {
        step.measured_ms = measured.ran.then(|| milliseconds(measured.elapsed));
    }
    steps
}

fn machine(machine: &Machine) -> doc::Machine {
    doc::Machine {
        system: machine.system.to_owned(),
        architecture: machine.architecture.to_owned(),
        cores: machine.cores.map(|cores| cores as u64),
        processor: machine.processor.clone(),
    }
}

fn measured(measured: &Measured) -> doc::Measured {
    let execution = &measured.execution;
    let tuning = execution.settings.driver.tuning();
    let usage = execution.usage.as_ref();
    doc::Measured {
        outcome: outcome(execution),
        error: error(execution),
        in_memory: measured.in_memory,
        elapsed_ms: milliseconds(execution.elapsed),
        journal_mode: execution.journal_mode.clone(),
        synchronous: tuning.synchronous(&execution.journal_mode).to_owned(),
        cache_size: tuning.cache_size,
        secure_delete: tuning.secure_delete,
        temporary_in_memory: tuning.temporary_in_memory,
        busy_timeout_ms: u64::try_from(tuning.busy_timeout.as_millis()).unwrap_or(u64::MAX),
        settings_from: tuning.source.to_owned(),
        write_lock: usage.and_then(|usage| lock(execution, usage.write_lock)),
        readers: usage.and_then(|usage| lock(execution, usage.readers)),
        live: measured.live.as_ref().map(live),
    }
}

fn live(live: &Live) -> doc::Live {
    doc::Live {
        outcome: outcome(&live.execution),
        error: error(&live.execution),
        reader: waits(&live.execution, &live.reader),
        writer: waits(&live.execution, &live.writer),
    }
}

fn waits(execution: &Execution, waits: &Waits) -> doc::AppWaits {
    let step = waits.longest.and_then(|wait| execution.usage.as_ref()?.places.step(wait.place));
    doc::AppWaits {
        tries: waits.tries,
        waited: waits.waited,
        longest_ms: waits.longest.map(|wait| milliseconds(wait.time)),
        during: at(execution, step),
        error: waits.error.clone(),
    }
}

fn error(execution: &Execution) -> Option<String> {
    match &execution.outcome {
        execution::Outcome::Failed(failure) => Some(failure.error.message.clone()),
        _ => None,
    }
}

fn lock(execution: &Execution, span: Option<Span>) -> Option<doc::Lock> {
    span.map(|span| doc::Lock {
        times: span.times,
        total_ms: milliseconds(span.total),
        longest_ms: milliseconds(span.longest),
        first: at(execution, span.first),
        last: at(execution, span.last),
    })
}

fn at(execution: &Execution, step: Option<usize>) -> Option<doc::StatementAt> {
    step.and_then(|step| execution.steps.get(step)).map(|step: &Step| doc::StatementAt {
        migration: step.migration.clone(),
        file: step.file.clone(),
        statement: step.number,
        line: step.statement.line,
    })
}
