//! What the migrations take: how large their files become without anybody who watches rows, how long they take on a disk, and how long
//! an app beside them waits.

use super::Theatre;
use crate::error::Error;
use crate::execution::{self, Execution, Outcome};
use crate::findings::{Live, Measured, Trial};
use crate::snapshot::{Bystanders, DiskCopy, Waits, WorkingCopy, lies_in_memory};

/// Counts once more what is written, where watching the rows made it more. Not where the migrations may write other files: they
/// would find what they wrote before.
pub(super) fn unobserved(stage: &Theatre<'_>, trial: &mut Trial) -> Result<(), Error> {
    let is_exact = trial.execution.usage.as_ref().is_none_or(|usage| !usage.at_most);
    if is_exact || trial.execution.outcome != Outcome::Completed || stage.options.bounds.unsafe_sql {
        return Ok(());
    }
    let _under_way = stage.trial("without looking at rows".to_owned());
    let copy = WorkingCopy::of(stage.snapshot, stage.workspace, "unobserved")?;
    let again = execution::run_unobserved(copy.open()?, stage.plan, trial.execution.settings, stage.observer)?;
    copy.check_storage()?;
    if again.outcome == Outcome::Completed && again.steps.len() == trial.execution.steps.len() {
        for (step, again) in trial.execution.steps.iter_mut().zip(&again.steps) {
            step.taken = again.taken;
        }
        trial.execution.usage = again.usage;
    }
    Ok(())
}

/// Runs the migrations on a plain file on the disk, and once more beside an app where that is asked for; none where they do not
/// complete.
pub(super) fn on_the_disk(stage: &Theatre<'_>, trial: &Trial) -> Result<Option<Measured>, Error> {
    if trial.execution.outcome != Outcome::Completed {
        return Ok(None);
    }
    let (execution, _) = run(stage, trial, "on the disk", false)?;
    let live = if stage.options.live {
        let (execution, [reader, writer]) = run(stage, trial, "beside an app", true)?;
        Some(Live { execution, reader, writer })
    } else {
        None
    };
    Ok(Some(Measured { execution, in_memory: lies_in_memory(stage.workspace.path()), live }))
}

const WITHOUT: &str = "or rehearse without --measure";

fn run(stage: &Theatre<'_>, trial: &Trial, how: &str, beside_an_app: bool) -> Result<(Execution, [Waits; 2]), Error> {
    let _under_way = stage.trial(how.to_owned());
    let growth = trial.execution.usage.as_ref().map_or(0, execution::Usage::needed);
    let copy = WorkingCopy::of(stage.snapshot, stage.workspace, "to be measured")?;
    let disk = DiskCopy::of(copy, growth, stage.options.bounds, stage.workspace, stage.observer)
        .map_err(|error| error.hint(WITHOUT))?;
    let settings = trial.execution.settings;
    let session = disk.open(settings.driver.tuning().busy_timeout)?;
    let app = if beside_an_app { Some(disk.bystanders()?) } else { None };
    let execution = execution::run_unobserved(session, stage.plan, settings, stage.observer);
    let waits = app.map(Bystanders::end).unwrap_or_default();
    let execution = execution?;
    match &execution.outcome {
        Outcome::Failed(failure) if failure.error.is_of_the_machine() => {
            let cause = failure.error.message.clone();
            Err(Error::cannot("running the migrations on the disk", cause)
                .hint("put the copy on another disk: `TMPDIR=/other/disk rehearse …`")
                .hint(WITHOUT))
        }
        _ => Ok((execution, waits)),
    }
}
