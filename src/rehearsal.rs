//! The rehearsal: the one function that leads through the stages.

mod command;
mod drift;
mod faults;
mod measure;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rusqlite::Connection;

use crate::compare::app::{self, Checked};
use crate::compare::queries::{self as questions, Answer};
use crate::compare::samples::Sampling;
use crate::compare::{Comparison, MAX_MEMORY, Scope, State, States, renames};
use crate::config::Config;
use crate::error::Error;
use crate::execution::command::Exec;
use crate::execution::decide::{self, Decided};
use crate::execution::driver::Transaction;
use crate::execution::steps::By;
use crate::execution::{self, Driver, Execution, Machine, Outcome, Settings, Turned};
use crate::expectations::demands::Demands;
use crate::expectations::judge;
use crate::findings::catalogue::SN907;
use crate::findings::levels::Selector;
use crate::findings::{
    self, Cell, CodeDrift, Drift, Evidence, Finding, Level, Levels, Limits, Trial, Waiver, WayBack, Wishes, waivers,
};
use crate::migrations::directive::{Renamed, Says};
use crate::migrations::project::Project;
use crate::migrations::statement::Action;
use crate::migrations::{self, Decision, Migration, Plan, Request, Search};
use crate::observer::{Observer, Stage, Underway, Work};
use crate::queries::{self, Queries};
use crate::report::assemble;
use crate::report::document::{self, Document, Verdict};
use crate::snapshot::source::Content;
use crate::snapshot::{
    self, Bounds, Extent, Facts, Kept, Method, Snapshot, Source, WorkingCopy, Workspace, check_keep_target,
};
use crate::sqlite_file::pages::Pages;
use drift::{Drifts, Ground};

/// What a person asks for.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent wish")]
pub struct Options {
    /// The production database, in any form; only ever read.
    pub snapshot: Source,
    /// Which migrations; what is not given is found out.
    pub migrations: Request,
    /// The command that runs the migrations; none where they run in process.
    pub exec: Option<Exec>,
    /// The driver; found out where it is not given.
    pub driver: Option<String>,
    /// Whether the app turns foreign keys on or off before the migrations; the driver's default where it is not given.
    pub foreign_keys: Option<bool>,
    /// Where the private copies are kept; the system's temporary folder where it is not given.
    pub workspace: Option<PathBuf>,
    /// Where the migrated copy shall stay.
    pub keep_copy: Option<PathBuf>,
    /// Whether every driver of the tool is tried, for a table of their outcomes.
    pub matrix: bool,
    /// Whether the migrations are undone again, to compare what is there then with the snapshot.
    pub down: bool,
    /// Whether the process dies at every moment, the tool runs again, and everything once more at another time.
    pub faults: bool,
    /// Files and folders of the app's queries, which are checked against both schemas.
    pub queries: Vec<PathBuf>,
    /// Whether the migrations run once more on a plain file on the disk, to be timed.
    pub measure: bool,
    /// Whether they do so once more beside an app that reads and writes.
    pub live: bool,
    /// How many bytes production has free.
    pub disk_free: Option<u64>,
    /// The level from which on findings fail; none: findings never fail.
    pub fail_on: Option<Level>,
    /// Which of the rows that differ are shown.
    pub sampling: Sampling,
    /// The oldest snapshot that is worth a rehearsal.
    pub max_snapshot_age: Option<Duration>,
    /// What `rehearse.yaml` says.
    pub config: Config,
    /// Where options were said, for the report.
    pub decisions: Vec<Decision>,
    /// Levels set on the command line, over those of the configuration.
    pub levels: Levels,
    /// How much is looked at of what did not change.
    pub extent: Extent,
    /// The bytes that comparing may take in memory.
    pub max_memory: u64,
    /// How much the migrations may take, and what they may do.
    pub bounds: Bounds,
    /// Whether private copies are overwritten before they are removed.
    pub shred: bool,
}

impl Options {
    /// Everything at its default.
    #[must_use]
    pub fn of(snapshot: impl Into<Source>, migrations: Request) -> Self {
        Self {
            snapshot: snapshot.into(),
            migrations,
            exec: None,
            driver: None,
            foreign_keys: None,
            workspace: None,
            keep_copy: None,
            matrix: false,
            down: false,
            faults: false,
            queries: Vec::new(),
            measure: false,
            live: false,
            disk_free: None,
            fail_on: Some(Level::Error),
            sampling: Sampling::None,
            max_snapshot_age: None,
            config: Config::default(),
            decisions: Vec::new(),
            levels: Levels::default(),
            extent: Extent::BySize,
            max_memory: MAX_MEMORY,
            bounds: Bounds::default(),
            shred: false,
        }
    }
}

/// A rehearsal and what the rules say of it.
#[derive(Debug, Clone)]
pub struct Rehearsal {
    /// Everything that was found out.
    pub evidence: Evidence,
    /// What the rules say, the gravest first.
    pub findings: Vec<Finding>,
    /// The same under every driver of the tool; empty where that was not asked for.
    pub matrix: Vec<Cell>,
    fail_on: Option<Level>,
    configuration: Option<document::Configuration>,
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
    /// How the snapshot's schema differs from that of its applied migrations; none where none is applied.
    pub drift: Option<Drift>,
    /// How what the code expects differs from what it will find; none where no file says what it expects.
    pub code_drift: Option<CodeDrift>,
}

/// Rehearses the pending migrations on a copy of the snapshot and reports what they did.
///
/// # Errors
/// When no rehearsal is possible. A migration that fails on the copy is an outcome, not an error.
pub fn rehearse(options: &Options, observer: &dyn Observer) -> Result<Rehearsal, Error> {
    let now = SystemTime::now();
    if let Some(keep) = &options.keep_copy {
        check_keep_target(keep, options.snapshot.name())?;
    }
    let means = Means::of(options)?;
    let workspace = Workspace::create_with(options.workspace.as_deref(), options.shred)?;
    let (rehearsal, kept) = rehearse_in(&workspace, &options.snapshot, options, &means, now, observer)?;
    if let Some(kept) = kept {
        kept.appear()?;
    }
    Ok(rehearsal)
}

/// Rehearses on this snapshot, which is one of many; what is the same for all was found out before.
///
/// # Errors
/// As [`rehearse`].
pub(crate) fn rehearse_one(
    snapshot: &Source,
    options: &Options,
    means: &Means<'_>,
    workspace: &Workspace,
    observer: &dyn Observer,
) -> Result<Rehearsal, Error> {
    rehearse_in(workspace, snapshot, options, means, SystemTime::now(), observer).map(|(rehearsal, _)| rehearsal)
}

fn rehearse_in(
    workspace: &Workspace,
    source: &Source,
    options: &Options,
    means: &Means<'_>,
    now: SystemTime,
    observer: &dyn Observer,
) -> Result<(Rehearsal, Option<Kept>), Error> {
    let given = source.fetch(workspace, options.extent, observer)?;
    let open =
        |reading| Ok(Snapshot::open(&given, workspace, reading, options.extent, observer)?.within(options.bounds));
    let on = |snapshot: &Snapshot| rehearse_on(snapshot, options, means, workspace, now, observer);
    snapshot::unchanged(open, on, observer)
}

/// What is the same whatever the snapshot is.
pub(crate) struct Means<'a> {
    runner: Runner<'a>,
    /// The app's queries, where they were given.
    pub queries: Option<Arc<Queries>>,
    /// What is known of schemas that were looked at before.
    drifts: drift::Memory,
    /// The levels that rules have because the database is one of many.
    levels: Levels,
}

/// Whose word the levels are that [`Means::of_many`] sets.
const OF_MANY: &str = "rehearse, as another database may need it";

/// What runs the migrations.
enum Runner<'a> {
    /// The search of the project's files.
    InProcess(Search),
    /// The command and the project.
    Command(&'a Exec, Project),
}

impl<'a> Means<'a> {
    /// Looks at the project, and at no snapshot.
    ///
    /// # Errors
    /// When what was given does not exist, or holds nothing that a tool reads.
    pub(crate) fn of(options: &'a Options) -> Result<Self, Error> {
        let queries = if options.queries.is_empty() { None } else { Some(Arc::new(queries::read(&options.queries)?)) };
        let runner = match &options.exec {
            Some(exec) => Runner::Command(exec, Project::around(&options.migrations.project)?),
            None => Runner::InProcess(migrations::search(&options.migrations)?),
        };
        Ok(Self { runner, queries, drifts: drift::Memory::default(), levels: Levels::default() })
    }

    /// The same for many databases: a waiver that one of them does not need may be there for another.
    ///
    /// # Errors
    /// As [`Means::of`].
    pub(crate) fn of_many(options: &'a Options) -> Result<Self, Error> {
        let mut means = Self::of(options)?;
        means.levels.set(Selector::Rule(&SN907), Level::Note);
        Ok(means)
    }
}

/// What ran, before the rules look at it.
struct Rehearsed {
    plan: Plan,
    /// How the driver was found out.
    decision: Decision,
    /// Under each plausible driver.
    trials: Vec<(Option<WorkingCopy>, Trial)>,
}

fn rehearse_on(
    snapshot: &Snapshot,
    options: &Options,
    means: &Means<'_>,
    workspace: &Workspace,
    now: SystemTime,
    observer: &dyn Observer,
) -> Result<(Rehearsal, Option<Kept>), Error> {
    let queries = means.queries.as_ref();
    let demands = &options.config.expect;
    let asked_for: BTreeSet<String> = demands.tables.keys().cloned().collect();
    let scope = if snapshot.is_read_whole(options.extent) { Scope::Whole } else { Scope::Changed(&asked_for) };
    let nothing = Plan::default();
    let stage = Theatre { workspace, snapshot, plan: &nothing, observer, demands, queries, scope, options };
    let (project, located, rehearsed) = match &means.runner {
        Runner::InProcess(search) => {
            let Prepared { plan, decided, located } = locate(snapshot, options, search)?;
            if options.bounds.unsafe_sql {
                decided.only()?;
            }
            let rehearsed = stage.under_each(plan, &decided, located.foreign_keys)?;
            (located.project.clone(), Some(located), rehearsed)
        }
        Runner::Command(exec, project) => (project.clone(), None, command::rehearse(&stage, exec, project)?),
    };
    let Rehearsed { mut plan, decision, mut trials } = rehearsed;
    plan.decisions.extend(options.config.file.as_deref().map(configured));
    plan.decisions.extend(options.decisions.iter().cloned());
    let renamed: Vec<Decision> = plan.pending().flat_map(renames_told).collect();
    plan.decisions.extend(renamed);
    plan.decisions.extend(workspace.left_behind().iter().map(left_behind));
    let mut waivers: Vec<Waiver> = waivers::in_migrations(&plan)?;
    if let Some(queries) = queries {
        waivers.extend(waivers::in_queries(queries)?);
    }
    waivers.extend(options.config.allow.iter().cloned());
    let stage = Theatre { plan: &plan, ..stage };
    let (copy, mut trial) = take_gravest(&mut trials);
    measure::unobserved(&stage, &mut trial)?;
    renames::check(&trial.comparison, &trial.execution)?;
    let counter_trials = stage.counter_trials(&trial)?;
    let on_empty = stage.on_empty(&trial);
    let way_back = if options.down { stage.there_and_back(&trial)? } else { None };
    let faults = match &located {
        Some(located) if options.faults && trial.execution.outcome == Outcome::Completed => {
            Some(faults::rehearse(&stage, located, &trial)?)
        }
        _ => None,
    };
    let ground = located.as_ref().map(|located| stage.ground(located, trial.execution.settings));
    let drifts = ground.map(|ground| drift::find(&ground, &means.drifts)).unwrap_or_default();
    let measured = if options.measure { measure::on_the_disk(&stage, &trial)? } else { None };
    let kept = options.keep_copy.as_ref().zip(copy).map(|(to, copy)| copy.keep(to, observer)).transpose()?;

    let locked_driver = decide::locked(trial.execution.settings.driver, &project);
    let mut facts = snapshot.facts().clone();
    if snapshot.is_read_whole(options.extent) {
        facts.sha256 = Some(snapshot.sha256(observer)?);
    }
    let mut evidence = Evidence {
        snapshot: facts,
        untouched: snapshot.check_untouched(observer)?,
        plan: plan.clone(),
        driver_decision: decision,
        trial,
        others: trials.into_iter().map(|(_, trial)| trial).collect(),
        counter_trials,
        locked_driver,
        on_empty,
        way_back,
        drift: drifts.drift,
        code_drift: drifts.code,
        faults,
        queries: queries.cloned(),
        measured,
        machine: Machine::here(),
        limits: Limits {
            max_snapshot_age: options.max_snapshot_age,
            now,
            thresholds: options.config.thresholds,
            disk_free: options.disk_free,
        },
    };
    if options.measure && evidence.measured.is_none() {
        evidence.plan.decisions.push(not_measured(&evidence.execution().outcome));
    }
    let file = options.config.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
    let levels = [(&means.levels, OF_MANY), (&options.config.rules, file.as_str()), (&options.levels, "--level")];
    let wishes = Wishes { levels: &levels, waivers: &waivers };
    let mut matrix = Vec::new();
    if options.matrix {
        let foreign_keys = located.and_then(|located| located.foreign_keys);
        matrix = stage.matrix(&evidence, &project, foreign_keys, wishes)?;
        evidence.untouched = snapshot.check_untouched(observer)?;
    }
    let findings = judged(&evidence, demands, wishes);
    let (fail_on, configuration) = (options.fail_on, options.config.origin());
    Ok((Rehearsal { evidence, findings, matrix, fail_on, configuration }, kept))
}

/// Says what is applied, pending, skipped, edited and missing, and runs nothing.
///
/// # Errors
/// When the snapshot or the migrations cannot be read.
pub fn plan(options: &Options, observer: &dyn Observer) -> Result<Planned, Error> {
    let search = migrations::search(&options.migrations)?;
    let workspace = Workspace::create_with(options.workspace.as_deref(), options.shred)?;
    let given = options.snapshot.fetch(&workspace, Extent::Changed, observer)?;
    let open = |reading| Snapshot::open(&given, &workspace, reading, Extent::Changed, observer);
    let read = |snapshot: &Snapshot| {
        let Prepared { mut plan, decided, located } = locate(snapshot, options, &search)?;
        plan.decisions.extend(options.decisions.iter().cloned());
        let settings = decided.drivers.first().map(|driver| Settings::of(driver, located.foreign_keys));
        let ground = settings.map(|settings| {
            let (plan, located, workspace) = (&plan, &located, &workspace);
            Ground { snapshot, workspace, plan, located, settings, unsafe_sql: false }
        });
        let Drifts { drift, code } =
            ground.map(|ground| drift::find(&ground, &drift::Memory::default())).unwrap_or_default();
        Ok(Planned { snapshot: snapshot.facts().clone(), plan, driver: decided, drift, code_drift: code })
    };
    snapshot::unchanged(open, read, observer)
}

/// What will run, and how.
pub(crate) struct Prepared {
    pub plan: Plan,
    pub decided: Decided,
    /// Whether foreign keys are on is there as it was given, or as the database's address has it.
    pub located: migrations::Located,
}

pub(crate) fn locate(snapshot: &Snapshot, options: &Options, search: &Search) -> Result<Prepared, Error> {
    let before = snapshot.connect()?;
    let mut located = migrations::locate(search, &before)?;
    let decided = decide::driver(options.driver.as_deref(), located.tool.name, &located.project)?;
    let mut plan = migrations::plan(&located, &before)?;
    plan.decisions.extend(read_otherwise(snapshot.facts(), &plan));
    located.foreign_keys = options.foreign_keys.or(located.foreign_keys);
    Ok(Prepared { plan, decided, located })
}

/// How the snapshot was read, where it is no database file, and what of a database is not in it.
fn read_otherwise(facts: &Facts, plan: &Plan) -> Option<Decision> {
    let origin = &facts.origin;
    if facts.method != Method::Made {
        return None;
    }
    let mut why = vec!["its first bytes say so"];
    if let Content::Dump { says_where_it_ends } = origin.content {
        if !says_where_it_ends {
            why.push("it has no transaction, so nobody can see whether statements are missing at its end");
        }
        if plan.ledger.name == USER_VERSION && facts.user_version == 0 {
            why.push(
                "it does not set `PRAGMA user_version`, which `.dump` leaves out, so every migration counts as pending",
            );
        }
    }
    Some(Decision { what: "snapshot", value: origin.describe(), why: why.join("; ") })
}

/// The ledger of numbered files.
const USER_VERSION: &str = "PRAGMA user_version";

/// Which configuration holds.
pub(crate) fn configured(file: &Path) -> Decision {
    let why = "levels, waivers and expectations".to_owned();
    Decision { what: "configuration", value: file.display().to_string(), why }
}

/// Why nothing was timed on the disk, where that was asked for.
fn not_measured(outcome: &Outcome) -> Decision {
    let why = match outcome {
        Outcome::NothingPending => "no migration is pending",
        _ => "the migrations did not run to their end",
    };
    Decision { what: "measured", value: "no".to_owned(), why: why.to_owned() }
}

/// What an earlier rehearsal left, and why it is still there.
pub(crate) fn left_behind((folder, error): &(PathBuf, io::Error)) -> Decision {
    let why =
        format!("a rehearsal that was killed left it, it holds production data, and it cannot be removed: {error}");
    Decision { what: "left behind", value: folder.display().to_string(), why }
}

/// What the directives of a migration say of renamed columns.
fn renames_told(migration: &Migration) -> impl Iterator<Item = Decision> {
    migration.directives.iter().filter_map(|directive| match &directive.says {
        Ok(Says::Renamed(Renamed { old, new })) => Some(Decision {
            what: "renamed",
            value: format!("{old} -> {new}"),
            why: format!("directive at {}:{}", migration.file.display(), directive.line),
        }),
        _ => None,
    })
}

/// Where trials take place.
#[derive(Clone, Copy)]
struct Theatre<'a> {
    workspace: &'a Workspace,
    snapshot: &'a Snapshot,
    plan: &'a Plan,
    observer: &'a dyn Observer,
    scope: Scope<'a>,
    options: &'a Options,
    /// What must be so after the migrations; its queries are asked in every trial.
    demands: &'a Demands,
    /// What the app asks; it is checked in every trial.
    queries: Option<&'a Arc<Queries>>,
}

impl Theatre<'_> {
    /// The plan under every plausible driver.
    fn under_each(&self, plan: Plan, decided: &Decided, foreign_keys: Option<bool>) -> Result<Rehearsed, Error> {
        let stage = Theatre { plan: &plan, ..*self };
        let mut trials = Vec::new();
        for driver in &decided.drivers {
            let _under_way = (decided.drivers.len() > 1).then(|| self.trial(under(driver)));
            trials.push(stage.rehearse(Settings::of(driver, foreign_keys), driver.name)?);
        }
        Ok(Rehearsed { plan, decision: decided.decision.clone(), trials })
    }

    /// What the snapshot's schema is compared on with that of its applied migrations.
    fn ground<'a>(&'a self, located: &'a migrations::Located, settings: Settings) -> Ground<'a> {
        let Self { snapshot, workspace, plan, .. } = *self;
        Ground { snapshot, workspace, plan, located, settings, unsafe_sql: self.options.bounds.unsafe_sql }
    }

    /// Says which of several rehearsals follows: `with foreign keys off`.
    fn trial(&self, how: String) -> Underway<'_> {
        Work::begin(self.observer, Stage::Trial(how), None)
    }

    fn rehearse(&self, settings: Settings, name: &str) -> Result<(Option<WorkingCopy>, Trial), Error> {
        let (copy, trial) = self.rehearse_keeping(settings, name)?;
        // What was written goes as soon as it is compared, so that memory and disk hold one copy at a time.
        Ok((self.options.keep_copy.is_some().then_some(copy), trial))
    }

    fn rehearse_keeping(&self, settings: Settings, name: &str) -> Result<(WorkingCopy, Trial), Error> {
        let copy = WorkingCopy::of(self.snapshot, self.workspace, name)?;
        let bytes_before = copy.bytes();
        let execution = execution::run(copy.open()?, self.plan, settings, self.observer)?;
        let (comparison, answers) = self.compared(&copy, &execution)?;
        let queries = self.check_queries(&execution, &comparison, || copy.connect())?;
        let (bytes_after, bytes_free) = (copy.bytes(), copy.bytes_free());
        Ok((copy, Trial { execution, comparison, answers, queries, bytes_before, bytes_after, bytes_free }))
    }

    /// The snapshot against a copy on which this was run, and what the person asks of both.
    fn compared(&self, copy: &WorkingCopy, execution: &Execution) -> Result<(Comparison, Vec<Answer>), Error> {
        copy.check_storage()?;
        let (before, after) = (self.snapshot.connect()?, copy.connect()?);
        let uri = self.snapshot.uri();
        // A file that is no database any more is SQLite's to complain of.
        let (pages, changed) = (copy.pages().ok(), copy.changed().ok().flatten());
        let states = States {
            before: State::of(self.snapshot, &before, &uri),
            after: State {
                connection: &after,
                uri: &copy.uri(),
                encoding: self.snapshot.facts().encoding,
                pages: pages.as_ref().map(|pages| pages as &dyn Pages),
            },
            changed: changed.as_ref(),
            ledger: &self.plan.ledger.name,
            sampling: self.options.sampling,
            scope: self.scope,
            memory: self.options.max_memory,
            time: self.options.bounds.time,
        };
        let comparison = Comparison::between(states, execution, self.observer);
        let answers = questions::ask(&self.demands.questions(), &before, &after, self.options.bounds.time);
        copy.check_storage()?;
        Ok((comparison?, answers))
    }

    /// The app's queries against the state before and the one that `after` connects to; none where there are none, or a migration
    /// failed, so that no app meets that state.
    fn check_queries(
        &self,
        execution: &Execution,
        comparison: &Comparison,
        after: impl Fn() -> Result<Connection, Error>,
    ) -> Result<Option<Vec<Checked>>, Error> {
        let Some(queries) = self.queries else { return Ok(None) };
        if matches!(execution.outcome, Outcome::Failed(_) | Outcome::Refused) {
            return Ok(None);
        }
        let connect = || Ok((self.snapshot.connect()?, after()?));
        // An app that turns foreign keys off for the migrations turns them on again. Of a command that is not traced nothing is known.
        let settings = execution.settings;
        let foreign_keys = settings.foreign_keys
            || settings.driver.foreign_keys.on()
            || execution.command.is_some() && !execution.is_traced();
        let settings = app::Settings { strings: settings.double_quoted_strings, foreign_keys };
        app::check(queries, connect, comparison, settings, self.options.bounds.time, self.observer).map(Some)
    }

    /// The migrations, and then what undoes them, on another copy; none where they do not complete.
    fn there_and_back(&self, trial: &Trial) -> Result<Option<WayBack>, Error> {
        if trial.execution.outcome != Outcome::Completed {
            return Ok(None);
        }
        let _under_way = self.trial("there and back".to_owned());
        let settings = trial.execution.settings;
        let copy = WorkingCopy::of(self.snapshot, self.workspace, "back")?;
        let there = execution::run(copy.open()?, self.plan, settings, self.observer)?;
        let (plan, no_further_than) = self.plan.way_back();
        let execution = execution::run(copy.open()?, &plan, settings, self.observer)?;
        let mut both = there;
        both.steps.extend(execution.steps.iter().cloned());
        let (comparison, _) = self.compared(&copy, &both)?;
        Ok(Some(WayBack { execution, comparison, no_further_than }))
    }

    /// The same again for each setting on which the outcome may hang, with that one turned.
    fn counter_trials(&self, trial: &Trial) -> Result<Vec<(Turned, Trial)>, Error> {
        let stage = Theatre { queries: None, ..*self };
        let mut trials = Vec::new();
        for setting in worth_turning(trial) {
            let _under_way = self.trial(turned(setting).to_owned());
            let settings = trial.execution.settings.turned(setting);
            let (_, trial) = stage.rehearse(settings, &format!("turned-{}", trials.len()))?;
            trials.push((setting, trial));
        }
        Ok(trials)
    }

    /// The same under every driver of the tool. What was rehearsed already is not rehearsed again.
    fn matrix(
        &self,
        evidence: &Evidence,
        project: &Project,
        foreign_keys: Option<bool>,
        wishes: Wishes<'_>,
    ) -> Result<Vec<Cell>, Error> {
        let mut cells = Vec::new();
        for driver in decide::of_tool(self.plan.tool) {
            let mut done = std::iter::once(&evidence.trial).chain(&evidence.others);
            let known = done.find(|trial| trial.execution.settings.driver == driver);
            let decided = known.is_some();
            let trial = if let Some(trial) = known {
                trial.clone()
            } else {
                let _under_way = self.trial(under(driver));
                self.rehearse(Settings::of(driver, foreign_keys), driver.name)?.1
            };
            let alone = Evidence {
                on_empty: self.on_empty(&trial),
                locked_driver: decide::locked(driver, project),
                others: Vec::new(),
                counter_trials: Vec::new(),
                way_back: None,
                faults: None,
                measured: None,
                trial: trial.clone(),
                ..evidence.clone()
            };
            let mut findings = judged(&alone, self.demands, wishes);
            // A waiver that only another driver needs is no fault under this one.
            findings.retain(|finding| finding.waived.is_none() && finding.rule.code != SN907.code);
            cells.push(Cell { trial, findings, decided });
        }
        Ok(cells)
    }

    /// The same on a database without rows, where the migrations fail with them. A schema that cannot be created anew tells
    /// nothing.
    fn on_empty(&self, trial: &Trial) -> Option<Execution> {
        trial.failure().filter(|failure| trial.execution.is_traced() && failure.error.stopped.is_none())?;
        let _under_way = self.trial("on a database without rows".to_owned());
        let empty = drift::without_rows(self.snapshot, self.workspace, &self.snapshot.connect().ok()?).ok()?;
        execution::run(empty.open().ok()?, self.plan, trial.execution.settings, self.observer).ok()
    }
}

/// The settings that may have made a difference: foreign keys where they acted or refused, strings where a name was read as one,
/// the transaction where a part stays committed or a statement works outside of one only, chunks where a part of one was left out.
fn worth_turning(trial: &Trial) -> Vec<Turned> {
    let Execution { settings, steps, .. } = &trial.execution;
    if !trial.execution.is_traced() {
        return Vec::new();
    }
    let acted = steps.iter().flat_map(|step| &step.changes).any(|change| change.by == By::ForeignKey);
    let refused = trial.failure().is_some_and(|failure| failure.error.is_foreign_key());
    let partly_committed = trial.failure().is_some_and(|failure| !failure.rolled_back);
    let never_around_all = matches!(settings.transaction, Transaction::None | Transaction::FirstStatementOnly);
    // Nothing else goes another way in a transaction than outside of one.
    let outside_only = |step: &execution::Step| match &step.statement.action {
        Action::Pragma { name, .. } => name == "foreign_keys",
        action => *action == Action::Vacuum,
    };
    let hangs_on_it = steps.iter().any(|step| !step.in_transaction && outside_only(step));
    [
        (Turned::ForeignKeysOff, settings.foreign_keys && (acted || refused)),
        (Turned::StringsRefused, steps.iter().any(|step| !step.strings.is_empty())),
        (Turned::OneTransaction, never_around_all && (partly_committed || hangs_on_it)),
        (Turned::EveryStatement, steps.iter().any(|step| !step.ran)),
    ]
    .into_iter()
    .filter_map(|(setting, worth)| worth.then_some(setting))
    .collect()
}

/// In words that follow `rehearsing`.
fn under(driver: &Driver) -> String {
    format!("as {} does it", driver.name)
}

/// The same for a setting that is turned.
fn turned(setting: Turned) -> &'static str {
    match setting {
        Turned::ForeignKeysOff => "with foreign keys off",
        Turned::StringsRefused => "with double-quoted strings refused",
        Turned::OneTransaction => "in one transaction",
        Turned::EveryStatement => "with every statement",
    }
}

/// What the rules and the demands say, with levels and waivers.
fn judged(evidence: &Evidence, demands: &Demands, wishes: Wishes<'_>) -> Vec<Finding> {
    let found = findings::evaluate(evidence).into_iter().chain(judge::findings(demands, evidence));
    findings::settle(found.collect(), wishes, evidence)
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
        } else if self.findings.iter().any(|finding| finding.waived.is_none() && finding.level >= limit) {
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
        let configuration = self.configuration.clone();
        assemble::document(&self.evidence, &self.findings, &self.matrix, self.verdict(), self.fail_on, configuration)
    }
}

impl Planned {
    /// The plan as the report document has it.
    #[must_use]
    pub fn document(&self) -> document::Plan {
        let drivers: Vec<&str> = self.driver.drivers.iter().map(|driver| driver.name).collect();
        let decisions = self.plan.decisions.iter().chain([&self.driver.decision]);
        assemble::planned(&self.plan, &drivers.join(" or "), decisions, (self.drift.as_ref(), self.code_drift.as_ref()))
    }
}
