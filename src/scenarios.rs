//! Runs a scenario: prepares its files, rehearses it, compares the outcome with what it expects.
//!
//! Every scenario is also a null rehearsal (the same with nothing pending must find nothing that the migrations could have
//! done), a run on a plain file, and a rehearsal in which only what changed is looked at; and its files must be the same
//! afterwards, byte for byte.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use rusqlite::{Connection, OpenFlags};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::config::{self, Config};
use crate::doctor::{self, doctor};
use crate::error::{Doing, Error};
use crate::execution::command::Exec;
use crate::execution::{self, Execution};
use crate::expectations::check::{self, Outcome, Seen};
use crate::expectations::database;
use crate::expectations::judge;
use crate::expectations::quantity::{Quantity, Word};
use crate::expectations::scenario::{Ledger, Prepared, Scenario, Switch, Tool};
use crate::findings::{Levels, Thresholds};
use crate::migrations::Request;
use crate::observer::{Observer, Silent, Stage, Work};
use crate::reading;
use crate::rehearsal::{Options, Rehearsal, rehearse};
use crate::report::doctor::{self as doctor_report, Diagnosis};
use crate::report::document::{Document, Migration, Outcome as RunOutcome, TableChange, Verdict};
use crate::report::{diff, document};
use crate::snapshot::{Bounds, Extent, Reading, Session, Snapshot, Source, WorkingCopy, Workspace};

/// What only a look at what did not change can tell; also that it cannot be read.
const ABOUT_THE_SNAPSHOT: [&str; 2] = ["IN403", "IN406"];

/// What a null rehearsal may find: what is so in the snapshot or in the plan, whatever the migrations do.
pub const ALLOWED_WITH_NOTHING_PENDING: &[&str] = &[
    "EX609", "QC807", "IN403", "IN404", "IN406", "SC317", "SC319", "SN901", "SN902", "SN903", "SN906", "SN907",
    "SN911", "SN915", "SN916", "SN925", "TX507", "TX508",
];

/// What became of a scenario.
#[derive(Debug)]
pub struct ScenarioOutcome {
    /// The scenario as it was read.
    pub scenario: Scenario,
    /// The report of its rehearsal, paths below the scenario's project; none where no rehearsal was possible.
    pub document: Option<Document>,
    /// The checklist, where the scenario wants that; paths below the scenario's project.
    pub diagnosis: Option<Diagnosis>,
    /// Why no rehearsal was possible.
    pub error: Option<Error>,
    /// Where the outcome is not what the scenario expects, one sentence each; empty where it passes.
    pub differences: Vec<String>,
}

impl ScenarioOutcome {
    /// Whether everything is as expected.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Runs the scenario in this file.
///
/// # Errors
/// Where the file is not a scenario, or its files cannot be made. That the outcome is not the expected one is no error.
pub fn run(path: &Path) -> Result<ScenarioOutcome, Error> {
    let scenario = Scenario::read(path)?;
    let dir = tempfile::tempdir().doing(|| "creating a folder for the scenario".to_owned())?;
    let stage = Theatre::set(&scenario, dir.path())?;
    if scenario.doctor {
        let (diagnosis, differences) = stage.diagnose()?;
        return Ok(ScenarioOutcome { document: None, diagnosis: Some(diagnosis), error: None, differences, scenario });
    }
    let kept = dir.path().join("kept.db");
    let (rehearsal, mut differences) = stage.rehearse(Some(&kept))?;
    let (document, unmet, error) = match rehearsal {
        Ok(rehearsal) => {
            differences.extend(on_a_file(&stage, &rehearsal, &kept)?);
            (Some(stage.relative(&rehearsal.document())?), stage.unmet(&rehearsal)?, None)
        }
        Err(error) => (None, Vec::new(), Some(error)),
    };
    differences.extend(stage.differences(document.as_ref(), unmet, error.as_ref()));
    if let Some(document) = &document {
        differences.extend(without_the_unchanged(&stage, document)?);
        differences.extend(null_rehearsal(&stage, document, &kept)?);
    }
    Ok(ScenarioOutcome { scenario, document, diagnosis: None, error, differences })
}

/// A scenario's files, ready.
struct Theatre<'a> {
    scenario: &'a Scenario,
    dir: &'a Path,
    prepared: Prepared,
    config: Config,
}

impl<'a> Theatre<'a> {
    fn set(scenario: &'a Scenario, dir: &'a Path) -> Result<Self, Error> {
        fs::create_dir_all(dir.join("work")).doing(|| format!("creating a folder in `{}`", dir.display()))?;
        let prepared = scenario.prepare(dir)?;
        let mut config = match &scenario.config {
            Some(text) => Config::parse(text, Path::new(config::FILE))?,
            None => Config::default(),
        };
        // A machine that is busy changes no outcome.
        if config.thresholds == Thresholds::default() {
            config.thresholds = config.thresholds.without_times();
        }
        Ok(Self { scenario, dir, prepared, config })
    }

    fn options(&self, keep_copy: Option<&Path>) -> Options {
        let migrations = Request {
            folder: self.prepared.folder.clone(),
            tool: Some(self.scenario.tool.name().to_owned()),
            table: self.scenario.table.clone(),
            project: self.prepared.project.clone(),
        };
        Options {
            down: self.scenario.down,
            faults: self.scenario.faults,
            queries: self.scenario.queries.keys().map(|name| self.prepared.project.join(name)).collect(),
            disk_free: self.scenario.disk_free.map(|size| size.0),
            exec: self.scenario.exec.clone().map(|line| Exec { line, copy_at: None }),
            bounds: self.bounds(),
            driver: self.scenario.driver().map(str::to_owned),
            foreign_keys: self.scenario.foreign_keys.map(|switch| switch == Switch::On),
            workspace: Some(self.dir.join("work")),
            keep_copy: keep_copy.map(Path::to_path_buf),
            fail_on: Some(self.scenario.fail_on),
            max_snapshot_age: self.scenario.max_snapshot_age.map(|age| age.0),
            config: self.config.clone(),
            ..Options::of(self.prepared.snapshot.clone(), migrations)
        }
    }

    fn bounds(&self) -> Bounds {
        let Bounds { time, .. } = Bounds::default();
        Bounds {
            time: self.scenario.time_limit.map_or(time, |limit| limit.0),
            growth: self.scenario.max_growth.map(|size| size.0),
            unsafe_sql: self.scenario.allow_unsafe_sql,
        }
    }

    /// Rehearses, and says what is not as it was in the files.
    fn rehearse(&self, keep_copy: Option<&Path>) -> Result<(Result<Rehearsal, Error>, Vec<String>), Error> {
        let before = Files::below(self.dir)?;
        let writer = Writer::of(self.scenario, &self.prepared.snapshot);
        let rehearsal = rehearse(&self.options(keep_copy), &writer);
        writer.outcome()?;
        let differences = if self.scenario.snapshot_state.meanwhile.is_some() {
            Vec::new()
        } else {
            before.differences(&Files::below(self.dir)?, keep_copy)
        };
        Ok((rehearsal, differences))
    }

    /// Goes through the checklist, and says what is not as expected, or not as it was in the files.
    fn diagnose(&self) -> Result<(Diagnosis, Vec<String>), Error> {
        let Options { migrations, driver, foreign_keys, workspace, fail_on, config, .. } = self.options(None);
        let options = doctor::Options {
            snapshot: Some(self.prepared.snapshot.clone().into()),
            migrations,
            driver,
            foreign_keys,
            workspace,
            fail_on,
            config,
            levels: Levels::default(),
            shred: false,
        };
        let before = Files::below(self.dir)?;
        let diagnosis = self.relative(&doctor(&options, &Silent)?)?;
        let mut differences = before.differences(&Files::below(self.dir)?, None);
        let findings = diagnosis.checks.iter().flat_map(|check| &check.findings);
        let (waived, standing): (Vec<_>, Vec<_>) = findings.partition(|finding| finding.waived.is_some());
        let outcome = Outcome {
            verdict: match diagnosis.verdict {
                doctor_report::Verdict::Passed => "passed",
                doctor_report::Verdict::Findings => "findings",
                doctor_report::Verdict::Incomplete => "incomplete",
            }
            .to_owned(),
            findings: standing.into_iter().map(|finding| self.seen(finding)).collect(),
            waived: waived.into_iter().map(|finding| self.seen(finding)).collect(),
            ..Outcome::default()
        };
        differences.extend(check::differences(&self.scenario.expect, &outcome));
        Ok((diagnosis, differences))
    }

    /// What the scenario demands of tables and queries and is not so. Queries are asked in a rehearsal of their own, so that the
    /// first one is what its configuration says. A table that was never made is `gone` too.
    fn unmet(&self, rehearsal: &Rehearsal) -> Result<Vec<String>, Error> {
        let mut demands = self.scenario.expect.demands();
        let comparison = rehearsal.evidence.comparison();
        demands.tables.retain(|name, quantity| {
            let is_somewhere = comparison.table_before(name).or(comparison.table_after(name)).is_some();
            is_somewhere || *quantity != Quantity::Word(Word::Gone)
        });
        let mut unmet = judge::of_tables(&demands, comparison);
        if !demands.queries.is_empty() {
            demands.tables.clear();
            let config = Config { expect: demands, ..Config::default() };
            let asked = rehearse(&Options { config, ..self.options(None) }, &Silent)?;
            unmet.extend(asked.findings.into_iter().filter(|finding| finding.rule.family() == "EP"));
        }
        Ok(unmet.into_iter().map(|finding| finding.message).collect())
    }

    fn differences(&self, document: Option<&Document>, unmet: Vec<String>, error: Option<&Error>) -> Vec<String> {
        let expected = self.scenario.expect.error.map(|rule| rule.0);
        match (document, error) {
            (Some(document), _) => match expected {
                Some(code) => vec![format!("expected the error {code}, and it was rehearsed")],
                None => check::differences(&self.scenario.expect, &self.outcome(document, unmet)),
            },
            (None, Some(error)) if expected.is_some() && error.code() == expected => Vec::new(),
            (None, Some(error)) => {
                let wanted = expected.map_or("a rehearsal".to_owned(), |code| format!("the error {code}"));
                vec![format!("expected {wanted}, got the error {} ({error})", error.code().unwrap_or("without a rule"))]
            }
            (None, None) => Vec::new(),
        }
    }

    fn outcome(&self, document: &Document, unmet: Vec<String>) -> Outcome {
        let plan = &document.plan;
        let (waived, standing): (Vec<_>, Vec<_>) =
            document.findings.iter().partition(|finding| finding.waived.is_some());
        Outcome {
            verdict: verdict(document.verdict).to_owned(),
            findings: standing.into_iter().map(|finding| self.seen(finding)).collect(),
            waived: waived.into_iter().map(|finding| self.seen(finding)).collect(),
            unmet,
            pending: self.names(&plan.pending),
            skipped: self.names(&plan.skipped),
            edited: self.names(&plan.edited),
            missing: self.names(&plan.missing),
        }
    }

    fn seen(&self, finding: &document::Finding) -> Seen {
        Seen {
            code: finding.code.clone(),
            level: finding.level,
            table: finding.table.clone(),
            column: finding.column.clone(),
            object: finding.object.as_deref().map(|name| self.name(name)),
            migration: finding.migration.as_deref().map(|name| self.name(name)),
            line: finding.line,
            rows: finding.rows,
            message: finding.message.clone(),
        }
    }

    fn names(&self, migrations: &[Migration]) -> Vec<String> {
        migrations.iter().map(|migration| self.name(&migration.name)).collect()
    }

    /// What the scenario calls what the tool calls `name`.
    fn name(&self, name: &str) -> String {
        self.prepared.names.get(name).cloned().unwrap_or_else(|| name.to_owned())
    }

    /// The same report with paths below the project, so that it is the same on every machine.
    fn relative<T: Serialize + DeserializeOwned>(&self, document: &T) -> Result<T, Error> {
        let doing = || "writing the report of the scenario".to_owned();
        let text = serde_json::to_string(document).doing(doing)?;
        let below = |path: &Path| format!("{}/", path.display());
        let text = text.replace(&below(&self.prepared.project), "").replace(&below(&self.dir.join("snapshot")), "");
        serde_json::from_str(&text).doing(doing)
    }
}

/// Runs the same on a plain file, through SQLite's own file system: every statement must do the same, and leave the same.
fn on_a_file(stage: &Theatre<'_>, rehearsal: &Rehearsal, kept: &Path) -> Result<Vec<String>, Error> {
    // Nothing bounds a plain file.
    let is_stopped = rehearsal.evidence.trial.failure().is_some_and(|failure| failure.error.stopped.is_some());
    if is_stopped || stage.scenario.snapshot_state.meanwhile.is_some() || stage.scenario.exec.is_some() {
        return Ok(Vec::new());
    }
    let workspace = Workspace::create(Some(&stage.dir.join("work")))?;
    let file = workspace.file("plain.db");
    let given = Source::from(stage.prepared.snapshot.clone()).fetch(&workspace, Extent::BySize, &Silent)?;
    let snapshot = Snapshot::open(&given, &workspace, Reading::InPlace, Extent::BySize, &Silent)?;
    WorkingCopy::of(&snapshot, &workspace, "plain.db")?.keep(&file, &Silent)?.appear()?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&file, flags).doing(|| "opening a plain file".to_owned())?;
    let expected = rehearsal.evidence.execution();
    let session = Session::on(connection, stage.bounds()).doing(|| "opening a plain file".to_owned())?;
    let execution = execution::run(session, &rehearsal.evidence.plan, expected.settings, &Silent)?;
    let mut differences = Vec::new();
    if did(&execution) != did(expected) {
        differences.push(format!("on a plain file: {:?}, expected {:?}", did(&execution), did(expected)));
    }
    let bytes = |path: &Path| fs::read(path).doing(|| format!("reading `{}`", path.display()));
    if bytes(&file)? != bytes(kept)? {
        let reading = reading::Reading { workspace: Some(workspace.path().to_path_buf()), ..Default::default() };
        let diff = crate::diff(&file.into(), &kept.to_path_buf().into(), &reading, &Silent)?;
        // A ledger may hold when a migration was applied, and of others the rehearsal may have found that two runs differ.
        let ledger = &rehearsal.evidence.plan.ledger.name;
        let has_a_time = |table: &document::Table| table.name == *ledger && table.rows.lost == table.rows.gained;
        let differing = || rehearsal.evidence.faults.iter().flat_map(|faults| &faults.differing);
        let may_differ = |table: &document::Table| differing().any(|difference| difference.table == table.name);
        let only_a_time =
            diff.tables.iter().filter(|table| table.differs()).all(|table| has_a_time(table) || may_differ(table))
                && diff.schema.diff.is_empty()
                && diff.integrity.before == diff.integrity.after;
        if diff.verdict != diff::Verdict::Same && !only_a_time {
            differences.push(format!("on a plain file: {:?}", diff.tables));
        }
    }
    Ok(differences)
}

/// What each statement wrote, how it failed, and how the run ended.
fn did(execution: &Execution) -> impl PartialEq + std::fmt::Debug {
    let steps = execution.steps.iter().map(|step| (&step.changes, &step.error, step.committed));
    (steps.collect::<Vec<_>>(), &execution.outcome, &execution.journal_mode)
}

/// Rehearses the same as if the snapshot were big, so that nothing is counted and checked that did not change: no finding may be
/// missing but what says how the snapshot was.
fn without_the_unchanged(stage: &Theatre<'_>, first: &Document) -> Result<Vec<String>, Error> {
    if stage.scenario.snapshot_state.meanwhile.is_some() {
        return Ok(Vec::new());
    }
    let options = Options { extent: Extent::Changed, ..stage.options(None) };
    let document = stage.relative(&rehearse(&options, &Silent)?.document())?;
    let is_unread = |table: &Option<String>| {
        document.tables.iter().any(|seen| Some(&seen.name) == table.as_ref() && seen.is_uncounted())
    };
    let told = |document: &Document| -> Vec<String> {
        let of_the_run = document.findings.iter().filter(|finding| {
            let is_of_the_snapshot = ABOUT_THE_SNAPSHOT.contains(&finding.code.as_str());
            !(is_of_the_snapshot || finding.code == "SN911" && is_unread(&finding.table))
        });
        let line = |finding: &document::Finding| {
            let document::Finding { code, message, proof, cause, help, label, .. } = finding;
            // Times differ from run to run.
            if code.starts_with("RS") {
                return code.clone();
            }
            format!("{code} ({message}; {proof:?}, {cause:?}, {help:?}, {label:?})")
        };
        of_the_run.map(line).collect()
    };
    let (with, without) = (told(first), told(&document));
    let missing = with.iter().filter(|finding| !without.contains(finding)).map(|finding| format!("no {finding}"));
    let new = without.iter().filter(|finding| !with.contains(finding)).cloned();
    Ok(missing.chain(new).map(|difference| format!("without what did not change: {difference}")).collect())
}

/// Rehearses the same with nothing pending: on the kept copy where all migrations ran, else without the pending files.
fn null_rehearsal(stage: &Theatre<'_>, first: &Document, kept: &Path) -> Result<Vec<String>, Error> {
    let unrecorded = stage.scenario.tool == Tool::Sql && stage.scenario.ledger() == Ledger::None;
    if unrecorded || stage.scenario.exec.is_some() || first.execution.outcome == RunOutcome::Refused {
        return Ok(Vec::new());
    }
    let found = if first.execution.outcome == RunOutcome::Failed {
        let quiet = stage.scenario.without_pending();
        if quiet.tool != Tool::Drizzle && quiet.migrations.is_empty() {
            return Ok(Vec::new());
        }
        Theatre::set(&quiet, &stage.dir.join("null"))?.rehearse(None)?
    } else {
        let options = Options { snapshot: kept.to_path_buf().into(), ..stage.options(None) };
        (rehearse(&options, &Silent), Vec::new())
    };
    let (rehearsal, mut differences) = found;
    match rehearsal {
        Err(error) => differences.push(error.to_string()),
        Ok(rehearsal) => differences.extend(surprises(&rehearsal.document())),
    }
    Ok(differences.into_iter().map(|difference| format!("with nothing pending: {difference}")).collect())
}

/// What a rehearsal of nothing must not say.
fn surprises(document: &Document) -> Vec<String> {
    let mut found: Vec<_> = document
        .findings
        .iter()
        .filter(|finding| !ALLOWED_WITH_NOTHING_PENDING.contains(&finding.code.as_str()))
        .map(|finding| format!("found {} ({})", finding.code, finding.message))
        .collect();
    if document.execution.outcome != RunOutcome::NothingPending {
        found.push(format!("the outcome is {:?}", document.execution.outcome));
    }
    found.extend(
        document.schema.changes.iter().map(|change| format!("{} `{}` {}", change.kind, change.name, change.change)),
    );
    for table in &document.tables {
        let rows = &table.rows;
        let moved = [rows.lost, rows.gained, rows.changed].into_iter().flatten().any(|count| count > 0);
        if table.change != TableChange::Same || rows.before != rows.after || moved {
            found.push(format!("`{}` is not as it was: {:?}, {rows:?}", table.name, table.change));
        }
    }
    found
}

fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Passed => "passed",
        Verdict::Findings => "findings",
        Verdict::Failed => "failed",
    }
}

/// Writes to the snapshot once the first migration begins, as another process would, where the scenario says so.
struct Writer<'a> {
    snapshot: &'a Path,
    sql: Mutex<Option<&'a str>>,
    failure: Mutex<Option<Error>>,
}

impl<'a> Writer<'a> {
    fn of(scenario: &'a Scenario, snapshot: &'a Path) -> Self {
        let sql = scenario.snapshot_state.meanwhile.as_deref();
        Self { snapshot, sql: Mutex::new(sql), failure: Mutex::new(None) }
    }

    fn outcome(self) -> Result<(), Error> {
        match self.failure.into_inner() {
            Ok(Some(error)) => Err(error),
            _ => Ok(()),
        }
    }
}

impl Observer for Writer<'_> {
    fn begin(&self, work: &Arc<Work>) {
        if !matches!(work.stage(), Stage::Migration(_)) {
            return;
        }
        let sql = self.sql.lock().ok().and_then(|mut sql| sql.take());
        let failure = sql.and_then(|sql| database::run_on(self.snapshot, sql).err());
        if let (Some(error), Ok(mut slot)) = (failure, self.failure.lock()) {
            *slot = Some(error);
        }
    }
}

/// Every file below a folder: its time of change and its bytes; of a folder only that it is there.
#[derive(Debug, PartialEq, Eq)]
struct Files(BTreeMap<PathBuf, Option<(SystemTime, Vec<u8>)>>);

impl Files {
    fn below(dir: &Path) -> Result<Self, Error> {
        let mut files = BTreeMap::new();
        collect(dir, &mut files).doing(|| format!("reading the folder `{}`", dir.display()))?;
        Ok(Self(files))
    }

    fn differences(&self, after: &Self, but_for: Option<&Path>) -> Vec<String> {
        let mut paths: Vec<_> = self.0.keys().chain(after.0.keys()).collect();
        paths.sort();
        paths.dedup();
        let is_new = |path: &Path| Some(path) == but_for;
        let differs = paths.into_iter().filter(|path| !is_new(path) && self.0.get(*path) != after.0.get(*path));
        differs
            .map(|path| match (self.0.contains_key(path), after.0.contains_key(path)) {
                (true, true) => format!("`{}` was changed by the rehearsal", path.display()),
                (true, false) => format!("`{}` is gone after the rehearsal", path.display()),
                _ => format!("`{}` was left by the rehearsal", path.display()),
            })
            .collect()
    }
}

fn collect(dir: &Path, files: &mut BTreeMap<PathBuf, Option<(SystemTime, Vec<u8>)>>) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        let metadata = fs::symlink_metadata(&path)?;
        if metadata.is_dir() {
            collect(&path, files)?;
            files.insert(path, None);
        } else {
            let bytes = fs::read(&path)?;
            files.insert(path, Some((metadata.modified()?, bytes)));
        }
    }
    Ok(())
}
