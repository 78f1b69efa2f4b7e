//! The migrations' own faults: the process dies at every moment at which that can matter, the tool runs again, runs once more
//! where nothing had happened, and runs on another copy at another time.
//!
//! One run is watched. Whenever the files may have changed they are taken as another process would find them; what SQLite makes
//! of them is told from what was found before by its pages, so that only states which differ are compared and continued.

mod deaths;
mod difference;
mod telling;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::Theatre;
use crate::error::Error;
use crate::execution::steps::{Failure, Outcome};
use crate::execution::{self, Execution, Settings};
use crate::findings::Trial;
use crate::findings::evidence::place;
use crate::findings::faults::{Again, Difference, End, Faults, Moment, Part, Stuck};
use crate::findings::wording::migration as named;
use crate::migrations::{self, Plan};
use crate::snapshot::{Session, WorkingCopy};
use deaths::{Choice, Counted, Counting, Death, Deaths, Found, When};
use difference::{Comparer, Differences};
use telling::Known;

/// How far the clock of the other run is ahead: far enough for every part of a date and of a time to be another one. Where the
/// migrations fail at such a time, less.
const AHEAD: [Duration; 3] =
    [Duration::from_secs(400 * 86_400 + 5 * 3600 + 43 * 60 + 21), Duration::from_secs(3600 + 60 + 1), Duration::ZERO];

/// What the faults lead to. The migrations have completed in this trial.
///
/// # Errors
/// When a copy cannot be made or read, for example because the disk is full.
pub(super) fn rehearse(stage: &Theatre<'_>, located: &migrations::Located, trial: &Trial) -> Result<Faults, Error> {
    let runs = Runs { located, settings: trial.execution.settings, time: patience(trial.execution.elapsed) };
    let settings = runs.settings;
    let under_way = stage.trial("at another time".to_owned());
    let mut faults = Faults::default();
    let mut later = run_later(stage, runs, AHEAD[0])?;
    for ahead in AHEAD.into_iter().skip(1) {
        let Some(failure) = failure(&later.execution)? else { break };
        faults.other_failed.get_or_insert_with(|| failure.error.message.clone());
        later = run_later(stage, runs, ahead)?;
    }
    let Later { copy: other, counts, .. } = later;
    drop(under_way);
    let choice = Choice::of(&counts, other.held());

    let under_way = stage.trial("with deaths of the process".to_owned());
    let copy = WorkingCopy::of(stage.snapshot, stage.workspace, "dying")?;
    let deaths = Deaths::on(copy, choice)?;
    let execution = deaths
        .watch(|witness, session| execution::run_before(witness, session, stage.plan, settings, stage.observer))?;
    let Found { states, deaths, landings, left_out } = deaths.found()?;
    drop(under_way);
    if let Some(failure) = failure(&execution)? {
        faults.other_failed.get_or_insert_with(|| failure.error.message.clone());
        return Ok(faults);
    }
    let Some(end) = landings.last().copied().flatten().map(|index| &states[index]) else {
        return Ok(faults);
    };

    let unread = trial.comparison.not_compared.iter().map(|part| part.what.as_str()).collect();
    let comparer = Comparer { stage, unread };
    let expected = comparer.between(&end.copy, &other)?;
    faults.left_out = left_out;
    faults.differing.clone_from(&expected.differences);
    faults.again = again(&comparer, runs, &end.copy)?;
    let judge = Judge {
        comparer: &comparer,
        runs,
        execution: &execution,
        states: &states,
        landings: &landings,
        expected: &expected.differences,
        pending: stage.plan.pending().map(|migration| migration.name.as_str()).collect(),
    };
    let _under_way = stage.trial("after each death".to_owned());
    judge.all(&deaths, &mut faults)?;
    Ok(faults)
}

/// How the tool runs again.
#[derive(Clone, Copy)]
struct Runs<'a> {
    located: &'a migrations::Located,
    settings: Settings,
    /// How long a run may take.
    time: Duration,
}

impl Runs<'_> {
    fn session(self, copy: &WorkingCopy) -> Result<Session, Error> {
        let mut session = copy.open()?;
        session.time = self.time;
        Ok(session)
    }
}

/// How long a run may take that repeats one which took so long and ended in time: so long that it is not the machine that was slow.
fn patience(elapsed: Duration) -> Duration {
    elapsed.saturating_mul(10).max(Duration::from_mins(1))
}

/// A run on another copy at another time.
struct Later {
    copy: WorkingCopy,
    execution: Execution,
    counts: Vec<Counted>,
}

fn run_later(stage: &Theatre<'_>, runs: Runs<'_>, ahead: Duration) -> Result<Later, Error> {
    let copy = WorkingCopy::of(stage.snapshot, stage.workspace, "later")?;
    copy.set_clock_ahead(ahead);
    let counting = Counting::on(&copy);
    let execution = execution::run_before(&counting, runs.session(&copy)?, stage.plan, runs.settings, stage.observer)?;
    copy.watch(None);
    Ok(Later { copy, execution, counts: counting.counts() })
}

/// Why a run failed.
///
/// # Errors
/// Where it is the machine that failed.
fn failure(execution: &Execution) -> Result<Option<&Failure>, Error> {
    match &execution.outcome {
        Outcome::Failed(failure) if failure.error.is_of_the_machine() => {
            let doing = "running the migrations again on a copy".to_owned();
            Err(Error::cannot(doing, failure.error.message.clone()))
        }
        Outcome::Failed(failure) => Ok(Some(failure)),
        _ => Ok(None),
    }
}

/// What the tool does when it runs once more; none where it does nothing.
fn again(comparer: &Comparer<'_>, runs: Runs<'_>, completed: &WorkingCopy) -> Result<Option<Again>, Error> {
    let once_more = completed.as_if_dead()?;
    let (ran, end) = run_again(comparer.stage, runs, &once_more)?;
    let end = match end {
        Some(end) => Some(end),
        None => changed(comparer.between(completed, &once_more)?, &[]),
    };
    Ok(end.map(|end| Again { ran, end }))
}

/// What is told of a refusal that may hold what the migrations wrote into the ledger, and what to do about it.
const UNTOLD: [&str; 2] = [
    "its ledger holds what the migrations wrote there (the tool's words are not shown, because they may hold values of rows)",
    "leave the ledger to the tool: no migration should write it",
];

/// Runs the tool as it would run on this copy; gives what was pending, and how it did not end well.
fn run_again(stage: &Theatre<'_>, runs: Runs<'_>, copy: &WorkingCopy) -> Result<(Vec<String>, Option<End>), Error> {
    let known = Known::of(stage.plan);
    let planned = copy.connect().and_then(|connection| Ok((migrations::plan(runs.located, &connection)?, connection)));
    let (plan, before) = match planned {
        Ok(planned) => planned,
        Err(error) => {
            let message = known.without_numbers(&error.to_string());
            return Ok((Vec::new(), Some(End::Failed { message, place: None })));
        }
    };
    let refused = plan.refusal.as_ref().map(|refusal| {
        let told = [&refusal.message, &refusal.help].map(|text| known.without_numbers(text));
        if known.is_foreign(&told.concat(), &plan, &before) { UNTOLD.map(str::to_owned) } else { told }
    });
    drop(before);
    let ran = plan.pending().map(|migration| migration.name.clone()).collect();
    let execution = execution::run(runs.session(copy)?, &plan, runs.settings, stage.observer)?;
    let end = match (failure(&execution)?, &execution.outcome, refused) {
        (Some(failure), ..) => Some(End::Failed {
            message: failure.error.message.clone(),
            place: failure.step.and_then(|step| execution.steps.get(step)).map(place),
        }),
        (None, Outcome::Refused, Some([message, help])) => Some(End::Refused { message, help }),
        _ => None,
    };
    Ok((ran, end))
}

/// What differs and was not expected to, as an end.
fn changed(found: Differences, expected: &[Difference]) -> Option<End> {
    if let Some(damage) = found.damage {
        return Some(End::Damaged(damage));
    }
    let place = |difference: &Difference| (difference.table.clone(), difference.column.clone());
    let expected: BTreeSet<_> = expected.iter().map(place).collect();
    // Rows that differ bring other columns along.
    let is_expected = |difference: &Difference| {
        expected.contains(&place(difference)) || expected.contains(&(difference.table.clone(), None))
    };
    let left: Vec<Difference> = found.differences.into_iter().filter(|found| !is_expected(found)).collect();
    (!left.is_empty()).then_some(End::Differs(left))
}

/// Says of each death what it left and how the tool goes on.
struct Judge<'a> {
    comparer: &'a Comparer<'a>,
    runs: Runs<'a>,
    execution: &'a Execution,
    states: &'a [deaths::State],
    /// The states before the first migration, after each of them, and at the end; none where no death was near.
    landings: &'a [Option<usize>],
    expected: &'a [Difference],
    /// The names of the migrations that were to run.
    pending: Vec<&'a str>,
}

/// What a state is.
struct Judged {
    kind: Kind,
    /// How running the tool again did not end well.
    end: Option<End>,
}

enum Kind {
    Old,
    New,
    Between,
    Partial(Left),
}

/// What is there and not accounted for.
struct Left {
    what: Vec<String>,
    whole: bool,
    damage: Option<String>,
}

impl Judge<'_> {
    fn all(&self, deaths: &[Death], faults: &mut Faults) -> Result<(), Error> {
        let mut judged: BTreeMap<usize, Judged> = BTreeMap::new();
        for death in deaths {
            if let Entry::Vacant(place) = judged.entry(death.state) {
                place.insert(self.judge(death)?);
            }
        }
        for death in deaths {
            let Some(Judged { kind, end }) = judged.get(&death.state) else { continue };
            faults.moments += 1;
            match kind {
                Kind::Old => faults.old += 1,
                Kind::New => faults.new += 1,
                Kind::Between => faults.between += 1,
                Kind::Partial(left) => {
                    faults.partial += 1;
                    self.note_part(death, left, &mut faults.parts);
                }
            }
            match end {
                None => faults.resumed += 1,
                Some(end) => match faults.stuck.iter_mut().find(|stuck| stuck.end == *end) {
                    Some(stuck) => stuck.moments += 1,
                    None => faults.stuck.push(Stuck { first: self.moment(death), moments: 1, end: end.clone() }),
                },
            }
        }
        for part in &mut faults.parts {
            let is_in = |death: &&Death| self.name(death.migration) == part.migration;
            part.of = deaths.iter().filter(is_in).count() as u64;
        }
        Ok(())
    }

    fn note_part(&self, death: &Death, left: &Left, parts: &mut Vec<Part>) {
        let migration = self.name(death.migration);
        let is_alike = |part: &&mut Part| part.migration == migration && part.damage.is_some() == left.damage.is_some();
        match parts.iter_mut().find(is_alike) {
            Some(part) => {
                part.moments += 1;
                part.whole &= left.whole;
            }
            None => parts.push(Part {
                migration,
                first: self.moment(death),
                moments: 1,
                of: 0,
                what: left.what.clone(),
                whole: left.whole,
                damage: left.damage.clone(),
            }),
        }
    }

    fn name(&self, migration: Option<usize>) -> Option<String> {
        self.pending.get(migration?).map(|&name| name.to_owned())
    }

    fn judge(&self, death: &Death) -> Result<Judged, Error> {
        let state = &self.states[death.state];
        if let Some(damage) = &state.damage {
            let end = End::Failed { message: damage.clone(), place: None };
            return Ok(Judged {
                kind: Kind::Partial(Left { what: Vec::new(), whole: false, damage: Some(damage.clone()) }),
                end: Some(end),
            });
        }
        let plan = state.copy.connect().and_then(|connection| migrations::plan(self.runs.located, &connection)).ok();
        let kind = self.kind(death, &state.copy, plan.as_ref())?;
        let copy = state.copy.as_if_dead()?;
        let (_, end) = run_again(self.comparer.stage, self.runs, &copy)?;
        let end = match (end, self.landing(self.landings.len() - 1)) {
            (None, Some(end)) => changed(self.comparer.between(end, &copy)?, self.expected),
            (end, _) => end,
        };
        Ok(Judged { kind, end })
    }

    fn kind(&self, death: &Death, copy: &WorkingCopy, plan: Option<&Plan>) -> Result<Kind, Error> {
        let last = self.landings.len() - 1;
        // How many migrations are there by the ledger's word. One that refuses says that it does not know.
        let told = plan.filter(|plan| plan.refusal.is_none() && !plan.ledger.name.is_empty()).map(|plan| {
            let pending: Vec<&str> = plan.pending().map(|migration| migration.name.as_str()).collect();
            self.pending
                .iter()
                .enumerate()
                .find(|(index, _)| self.pending[*index..] == pending)
                .map_or_else(|| if pending.is_empty() { last } else { usize::MAX }, |(index, _)| index)
        });
        let here = death.migration.unwrap_or_default();
        let landings = [0, here, here + 1, last];
        for landing in told.map_or_else(|| landings.to_vec(), |told| vec![told]) {
            if self.is_at(landing, death, copy)? {
                return Ok(match landing {
                    0 => Kind::Old,
                    landing if landing == last => Kind::New,
                    _ => Kind::Between,
                });
            }
        }
        let (what, damage) = match self.landing(here) {
            Some(before) => self.left(before, death, copy)?,
            None => (Vec::new(), None),
        };
        let whole = told.is_some() && (self.is_at(here + 1, death, copy)? || self.is_at(last, death, copy)?);
        Ok(Kind::Partial(Left { what, whole, damage }))
    }

    /// What there is before the first migration, or behind this one.
    fn landing(&self, number: usize) -> Option<&WorkingCopy> {
        let state = self.landings.get(number)?;
        Some(&self.states[(*state)?].copy)
    }

    /// Whether a death left what there is at this landing.
    fn is_at(&self, landing: usize, death: &Death, copy: &WorkingCopy) -> Result<bool, Error> {
        let Some(landing) = self.landing(landing) else { return Ok(false) };
        let (what, damage) = self.left(landing, death, copy)?;
        Ok(what.is_empty() && damage.is_none())
    }

    /// What is not as at a landing, by name, and what is damaged. Only inside of a statement can a database be damaged; else what tells by
    /// its name is enough.
    fn left(
        &self,
        landing: &WorkingCopy,
        death: &Death,
        copy: &WorkingCopy,
    ) -> Result<(Vec<String>, Option<String>), Error> {
        if !death.within {
            let names = self.comparer.by_name(landing, copy)?;
            if !names.is_empty() {
                return Ok((names.into_iter().collect(), None));
            }
        }
        let found = self.comparer.between(landing, copy)?;
        let mut what: Vec<String> = found.differences.into_iter().map(|difference| difference.table).collect();
        what.dedup();
        Ok((what, found.damage))
    }

    fn moment(&self, death: &Death) -> Moment {
        let step = match death.when {
            When::Step(index) => self.execution.steps.get(index),
            _ => None,
        };
        let migration = self.name(death.migration);
        let what = match (&death.when, step) {
            (When::Step(_), Some(step)) => format!("statement {} of {}", step.number, named(&step.migration)),
            (When::Own(sql), _) => {
                let of = migration.as_deref().map(|name| format!(" for {}", named(name))).unwrap_or_default();
                format!("{}{of}", own(sql))
            }
            _ => String::new(),
        };
        Moment {
            migration,
            when: match (what.as_str(), death.within) {
                ("", _) => "before the first statement".to_owned(),
                (what, true) => format!("in the middle of {what}"),
                (what, false) => format!("after {what}"),
            },
            place: step.map(place),
            within: death.within,
        }
    }
}

/// What the tool does in a statement of its own.
fn own(sql: &str) -> &'static str {
    let first = sql.split_whitespace().next().unwrap_or_default().to_ascii_uppercase();
    match first.as_str() {
        "BEGIN" => "the tool's `BEGIN`",
        "COMMIT" | "END" => "the tool's `COMMIT`",
        "PRAGMA" => "a pragma of the tool",
        "CREATE" | "ALTER" => "the preparation of the ledger",
        _ => "an entry in the ledger",
    }
}
