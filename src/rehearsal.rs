//! The rehearsal: the one function that leads through the stages.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::compare::{Comparison, States};
use crate::config::Config;
use crate::error::{Doing, Error};
use crate::execution::decide::{self, Decided};
use crate::execution::steps::By;
use crate::execution::{self, Execution, Settings};
use crate::findings::{self, Evidence, Finding, Level, Levels, Limits, Trial, Wishes};
use crate::migrations::{self, Plan, Request};
use crate::observer::Observer;
use crate::report::assemble;
use crate::report::document::{self, Document, Verdict};
use crate::snapshot::{Facts, Snapshot, WorkingCopy, Workspace, check_keep_target};

/// What a person asks for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The production file; only ever read.
    pub snapshot: PathBuf,
    /// Which migrations; what is not given is found out.
    pub migrations: Request,
    /// The driver; found out where it is not given.
    pub driver: Option<String>,
    /// Whether the app turns foreign keys on or off before the migrations; the driver's default where it is not given.
    pub foreign_keys: Option<bool>,
    /// Where the private copies are kept; the system's temporary folder where it is not given.
    pub workspace: Option<PathBuf>,
    /// Where the migrated copy shall stay.
    pub keep_copy: Option<PathBuf>,
    /// The level from which on findings fail; none: findings never fail.
    pub fail_on: Option<Level>,
    /// The oldest snapshot that is worth a rehearsal.
    pub max_snapshot_age: Option<Duration>,
    /// What `rehearse.yaml` says.
    pub config: Config,
    /// Levels set on the command line, over those of the configuration.
    pub levels: Levels,
}

/// A rehearsal and what the rules say of it.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// Everything that was found out.
    pub evidence: Evidence,
    /// What the rules say, the gravest first.
    pub findings: Vec<Finding>,
    fail_on: Option<Level>,
}

/// A plan without a rehearsal.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What the snapshot is.
    pub snapshot: Facts,
    /// What is applied, pending, skipped, edited, missing.
    pub plan: Plan,
    /// How the driver was found out.
    pub driver: Decided,
}

/// Rehearses the pending migrations on a copy of the snapshot and reports what they did.
///
/// # Errors
/// When no rehearsal is possible. A migration that fails on the copy is an outcome, not an error.
pub fn rehearse(options: &Options, observer: &dyn Observer) -> Result<Rehearsal, Error> {
    let now = SystemTime::now();
    if let Some(keep) = &options.keep_copy {
        check_keep_target(keep, &options.snapshot)?;
    }
    let located = migrations::locate(&options.migrations)?;
    let decided = decide::driver(options.driver.as_deref(), located.tool.name, &located.project)?;
    let workspace = Workspace::create(options.workspace.as_deref())?;
    let snapshot = Snapshot::open(&options.snapshot, &workspace, observer)?;
    let plan = migrations::plan(&located, &snapshot.connect()?)?;

    let keep = options.keep_copy.is_some();
    let stage = Theatre { workspace: &workspace, snapshot: &snapshot, plan: &plan, observer, keep };
    let mut trials = Vec::new();
    for driver in &decided.drivers {
        trials.push(stage.rehearse(Settings::of(driver, options.foreign_keys), driver.name)?);
    }
    let (copy, trial) = take_gravest(&mut trials);
    let without_foreign_keys = stage.without_foreign_keys(&trial)?;
    let on_empty = stage.on_empty(&trial);
    if let (Some(to), Some(copy)) = (&options.keep_copy, copy) {
        copy.keep(to)?;
    }

    let evidence = Evidence {
        snapshot: snapshot.facts().clone(),
        untouched: snapshot.check_untouched()?,
        plan,
        driver_decision: decided.decision,
        trial,
        others: trials.into_iter().map(|(_, trial)| trial).collect(),
        without_foreign_keys,
        on_empty,
        limits: Limits { max_snapshot_age: options.max_snapshot_age, now },
    };
    let file = options.config.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
    let levels = [(&options.config.rules, file.as_str()), (&options.levels, "--level")];
    let findings = findings::evaluate(&evidence, Wishes { levels: &levels });
    Ok(Rehearsal { evidence, findings, fail_on: options.fail_on })
}

/// Says what is applied, pending, skipped, edited and missing, and runs nothing.
///
/// # Errors
/// When the snapshot or the migrations cannot be read.
pub fn plan(options: &Options, observer: &dyn Observer) -> Result<Planned, Error> {
    let located = migrations::locate(&options.migrations)?;
    let driver = decide::driver(options.driver.as_deref(), located.tool.name, &located.project)?;
    let workspace = Workspace::create(options.workspace.as_deref())?;
    let snapshot = Snapshot::open(&options.snapshot, &workspace, observer)?;
    let plan = migrations::plan(&located, &snapshot.connect()?)?;
    Ok(Planned { snapshot: snapshot.facts().clone(), plan, driver })
}

/// Where trials take place.
struct Theatre<'a> {
    workspace: &'a Workspace,
    snapshot: &'a Snapshot,
    plan: &'a Plan,
    observer: &'a dyn Observer,
    /// Whether a migrated copy is wanted; else each goes as soon as it is compared, so that the disk holds one at a time.
    keep: bool,
}

impl Theatre<'_> {
    fn rehearse(&self, settings: Settings, name: &str) -> Result<(Option<WorkingCopy>, Trial), Error> {
        let copy = WorkingCopy::of(self.snapshot, self.workspace, name)?;
        let bytes_before = size(&copy)?;
        let execution = execution::run(copy.path(), self.plan, settings, self.observer)?;
        let states = States {
            before: &self.snapshot.connect()?,
            after: &copy.connect()?,
            ledger: &self.plan.ledger.name,
            encoding: self.snapshot.facts().encoding,
        };
        let comparison = Comparison::between(states, &execution, self.observer)?;
        let bytes_after = size(&copy)?;
        let copy = if self.keep { Some(copy) } else { copy.discard().map(|()| None)? };
        Ok((copy, Trial { execution, comparison, bytes_before, bytes_after }))
    }

    /// The same with foreign keys off: shows whether what foreign keys did hangs on that one setting.
    fn without_foreign_keys(&self, trial: &Trial) -> Result<Option<Trial>, Error> {
        let settings = trial.execution.settings;
        let acted =
            trial.execution.steps.iter().flat_map(|step| &step.changes).any(|change| change.by == By::ForeignKey);
        let refused = trial.failure().is_some_and(|failure| failure.error.is_foreign_key());
        if !settings.foreign_keys || !(acted || refused) {
            return Ok(None);
        }
        let off = Settings { foreign_keys: false, ..settings };
        let (_, trial) = self.rehearse(off, "without-foreign-keys")?;
        Ok(Some(trial))
    }

    /// The same on a database without rows, where the migrations fail with them. A schema that cannot be created anew tells
    /// nothing.
    fn on_empty(&self, trial: &Trial) -> Option<Execution> {
        trial.failure()?;
        let path = self.workspace.file("empty.db");
        execution::empty::create(&path, &self.snapshot.connect().ok()?).ok()?;
        execution::run(&path, self.plan, trial.execution.settings, self.observer).ok()
    }
}

fn size(copy: &WorkingCopy) -> Result<u64, Error> {
    let metadata = std::fs::metadata(copy.path()).doing(|| "measuring the copy".to_owned())?;
    Ok(metadata.len())
}

/// Takes out the trial with the gravest outcome; of equal ones the first.
fn take_gravest(trials: &mut Vec<(Option<WorkingCopy>, Trial)>) -> (Option<WorkingCopy>, Trial) {
    let gravest = trials.iter().enumerate().rev().max_by_key(|(_, (_, trial))| trial.gravity());
    let index = gravest.map_or(0, |(index, _)| index);
    trials.remove(index)
}

impl Rehearsal {
    /// The outcome in one word.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        use execution::Outcome::{Failed, Refused};
        let limit = self.fail_on.unwrap_or(Level::Error);
        if matches!(self.evidence.execution().outcome, Failed(_) | Refused) {
            Verdict::Failed
        } else if self.findings.iter().any(|finding| finding.level >= limit) {
            Verdict::Findings
        } else {
            Verdict::Passed
        }
    }

    /// 0 passed, 1 findings at or above the level that fails, 3 a migration failed.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.verdict() {
            Verdict::Failed => 3,
            Verdict::Findings if self.fail_on.is_some() => 1,
            Verdict::Findings | Verdict::Passed => 0,
        }
    }

    /// The report document.
    #[must_use]
    pub fn document(&self) -> Document {
        assemble::document(&self.evidence, &self.findings, self.verdict())
    }
}

impl Planned {
    /// The plan as the report document has it.
    #[must_use]
    pub fn document(&self) -> document::Plan {
        let drivers: Vec<&str> = self.driver.drivers.iter().map(|driver| driver.name).collect();
        let decisions = self.plan.decisions.iter().chain([&self.driver.decision]);
        assemble::planned(&self.plan, &drivers.join(" or "), decisions)
    }
}
