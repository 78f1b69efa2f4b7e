//! One run in which the process dies again and again: what another process would find at each moment.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::ErrorCode;

use crate::error::{Doing as _, Error};
use crate::execution::Execution;
use crate::execution::witness::{Doing, Witness};
use crate::snapshot::{Session, WorkingCopy};

/// How many boundaries at which files change are tried, and how many moments inside of one statement that commits and of all.
const BOUNDARIES: usize = 48;
const WITHIN_ONE: usize = 12;
const WITHIN_ALL: usize = 96;

/// How many boundaries are tried, however much one costs.
const LEAST: usize = 16;

/// Bytes that the tries inside of statements may write together, about: a try costs as much as the run has written.
const BUDGET: u64 = 4 << 30;

/// A statement that ran.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    /// How often it changed a file.
    changes: u64,
    /// Whether no transaction was open behind it.
    committed: bool,
    /// How many migrations had run before it.
    migrated: usize,
}

/// Counts how often each statement changes a file.
#[derive(Debug, Default)]
pub(super) struct Counting {
    counts: Mutex<Vec<Counted>>,
    changes: Arc<Mutex<u64>>,
    migrated: Mutex<usize>,
}

impl Counting {
    /// Begins to count on this copy.
    pub(super) fn on(copy: &WorkingCopy) -> Self {
        let counting = Self::default();
        let changes = Arc::clone(&counting.changes);
        copy.watch(Some(Arc::new(move || *lock(&changes) += 1)));
        counting
    }

    /// What ran, in order.
    pub(super) fn counts(self) -> Vec<Counted> {
        self.counts.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Witness for Counting {
    fn before(&self, _: Doing<'_>) {
        *lock(&self.changes) = 0;
    }

    fn after(&self, committed: bool) {
        let (changes, migrated) = (*lock(&self.changes), *lock(&self.migrated));
        lock(&self.counts).push(Counted { changes, committed, migrated });
    }

    fn begin(&self) {}

    fn end(&self) {
        *lock(&self.migrated) += 1;
    }
}

/// At which of many moments the process dies.
#[derive(Debug)]
pub(super) struct Choice {
    /// Of the statements behind which the files are others, by their number among all that ran.
    boundaries: BTreeSet<usize>,
    /// Inside of a statement that commits: behind so many changes.
    within: BTreeMap<usize, BTreeSet<u64>>,
    /// The landings that these deaths can be near: before the first migration is 0, behind it 1.
    landings: BTreeSet<usize>,
    /// Moments inside of statements that are not tried.
    left_out: u64,
}

impl Choice {
    /// All of them, or as many as there is room for, evenly spread. `written` are the bytes that one try costs.
    pub(super) fn of(counts: &[Counted], written: u64) -> Self {
        let tries = usize::try_from(BUDGET / written.max(1)).unwrap_or(usize::MAX).max(4);
        let changing: Vec<usize> = (0..counts.len()).filter(|index| counts[*index].changes > 0).collect();
        let commits: Vec<usize> = changing.iter().copied().filter(|index| counts[*index].committed).collect();
        let spread = |of: &[usize], at_most: usize| -> BTreeSet<usize> {
            evenly(of.len(), at_most).into_iter().map(|index| of[index]).collect()
        };
        let boundaries = spread(&changing, BOUNDARIES.min(tries.max(LEAST)));
        let entered = spread(&commits, BOUNDARIES.min(tries / 4).max(2));
        let each = (WITHIN_ALL.min(tries / 2) / entered.len().max(1)).clamp(2, WITHIN_ONE);
        let mut left_out = 0;
        let mut within = BTreeMap::new();
        for index in commits {
            // Before the first change it is the boundary before, behind the last one the boundary behind.
            let inside = usize::try_from(counts[index].changes - 1).unwrap_or(usize::MAX);
            let at_most = if entered.contains(&index) { each } else { 0 };
            let tried: BTreeSet<u64> = evenly(inside, at_most).into_iter().map(|place| place as u64 + 1).collect();
            left_out += (inside - tried.len()) as u64;
            within.insert(index, tried);
        }
        let near = |index: &usize| [counts[*index].migrated, counts[*index].migrated + 1];
        let landings = boundaries.iter().chain(&entered).flat_map(near).collect();
        Self { boundaries, within, landings, left_out }
    }
}

/// At most this many of so many indices, the first and the last among them.
fn evenly(of: usize, at_most: usize) -> BTreeSet<usize> {
    if of <= at_most {
        return (0..of).collect();
    }
    (0..at_most).map(|place| place * (of - 1) / (at_most - 1).max(1)).collect()
}

/// What another process would find, once SQLite has recovered it.
pub(super) struct State {
    pub(super) copy: WorkingCopy,
    /// Why SQLite does not accept it.
    pub(super) damage: Option<String>,
    /// Its pages in a number; none where it is damaged.
    fingerprint: Option<u128>,
}

/// A death of the process.
#[derive(Debug, Clone)]
pub(super) struct Death {
    /// The migration that was under way, by its place among those that were to run.
    pub(super) migration: Option<usize>,
    pub(super) when: When,
    /// Whether it was inside of the statement; else behind it.
    pub(super) within: bool,
    /// What it left, by its place among the states.
    pub(super) state: usize,
}

/// What had run or was running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum When {
    /// Nothing.
    Beginning,
    /// A statement of a migration, by the index of its step.
    Step(usize),
    /// One of the tool or of the driver.
    Own(String),
}

/// What the deaths left.
pub(super) struct Found {
    /// Each state once, in the order of the first death.
    pub(super) states: Vec<State>,
    /// Each death that was tried, in order.
    pub(super) deaths: Vec<Death>,
    /// The states before the first migration, after each of them, and at the end; none where no death was near.
    pub(super) landings: Vec<Option<usize>>,
    /// Moments that were not tried.
    pub(super) left_out: u64,
}

/// Watches a run, and takes what another process would find.
pub(super) struct Deaths {
    copy: WorkingCopy,
    choice: Choice,
    run: Mutex<Run>,
}

/// How far the run is.
struct Run {
    states: Vec<State>,
    deaths: Vec<Death>,
    landings: Vec<Option<usize>>,
    left_out: u64,
    /// The number of the statement among all that ran.
    number: usize,
    when: When,
    /// How many migrations have run.
    migrated: usize,
    /// Whether one is under way.
    in_migration: bool,
    /// Changes of files in the statement under way.
    changes: u64,
    /// What the files hold; none where they have changed and were not looked at.
    now: Option<usize>,
    failure: Option<Error>,
}

impl Deaths {
    /// Deaths of a run on this copy, on which nothing has run.
    pub(super) fn on(copy: WorkingCopy, choice: Choice) -> Result<Arc<Self>, Error> {
        let left_out = choice.left_out;
        let run = Run {
            states: Vec::new(),
            deaths: Vec::new(),
            landings: Vec::new(),
            left_out,
            number: 0,
            when: When::Beginning,
            migrated: 0,
            in_migration: false,
            changes: 0,
            now: None,
            failure: None,
        };
        let deaths = Self { copy, choice, run: Mutex::new(run) };
        {
            let mut run = lock(&deaths.run);
            let start = deaths.look(&mut run)?;
            run.now = Some(start);
            run.landings.push(Some(start));
            run.deaths.push(Death { migration: None, when: When::Beginning, within: false, state: start });
        }
        Ok(Arc::new(deaths))
    }

    /// Runs something on the copy, for as long as it takes, and watches it: looking at a death takes more time than the run does.
    pub(super) fn watch(
        self: &Arc<Self>,
        run: impl FnOnce(&dyn Witness, Session) -> Result<Execution, Error>,
    ) -> Result<Execution, Error> {
        let watcher = Arc::clone(self);
        self.copy.watch(Some(Arc::new(move || watcher.changing())));
        let done = self.copy.open().and_then(|mut session| {
            session.time = Duration::MAX;
            run(&**self, session)
        });
        // It holds what holds the copy.
        self.copy.watch(None);
        done
    }

    /// What was found; the end of the run is the last landing.
    pub(super) fn found(&self) -> Result<Found, Error> {
        let mut run = lock(&self.run);
        if let Some(failure) = run.failure.take() {
            return Err(failure);
        }
        let end = self.look(&mut run)?;
        // What the last migration left is not there before the transaction around all of them is committed.
        if run.landings.len() > 1 {
            run.landings.pop();
        }
        run.landings.push(Some(end));
        Ok(Found {
            states: std::mem::take(&mut run.states),
            deaths: std::mem::take(&mut run.deaths),
            landings: std::mem::take(&mut run.landings),
            left_out: run.left_out,
        })
    }

    /// Takes what another process would find; gives its place among the states.
    fn look(&self, run: &mut Run) -> Result<usize, Error> {
        if let Some(now) = run.now {
            return Ok(now);
        }
        let state = State::left_by(&self.copy)?;
        let is_it = |known: &State| known.fingerprint == state.fingerprint && known.damage == state.damage;
        let known = run.states.iter().position(is_it);
        Ok(known.unwrap_or_else(|| {
            run.states.push(state);
            run.states.len() - 1
        }))
    }

    /// Dies here.
    fn die(&self, run: &mut Run, within: bool) {
        if run.failure.is_some() {
            return;
        }
        match self.look(run) {
            Ok(state) => {
                // What the tool does behind the last one belongs to it.
                let migration = if run.in_migration { Some(run.migrated) } else { run.migrated.checked_sub(1) };
                run.deaths.push(Death { migration, when: run.when.clone(), within, state });
                run.now = (!within).then_some(state);
            }
            Err(error) => run.failure = Some(error),
        }
    }

    /// A file is about to change.
    fn changing(&self) {
        let mut run = lock(&self.run);
        let inside = self.choice.within.get(&run.number).is_some_and(|places| places.contains(&run.changes));
        run.now = None;
        if inside {
            self.die(&mut run, true);
        }
        run.changes += 1;
        run.now = None;
    }
}

impl Witness for Deaths {
    fn before(&self, what: Doing<'_>) {
        let mut run = lock(&self.run);
        run.when = match what {
            Doing::Step(index) => When::Step(index),
            Doing::Own(sql) => When::Own(sql.to_owned()),
        };
        run.changes = 0;
    }

    fn after(&self, _: bool) {
        let mut run = lock(&self.run);
        let is_chosen = run.changes == 0 && run.now.is_some() || self.choice.boundaries.contains(&run.number);
        if is_chosen {
            self.die(&mut run, false);
        } else {
            run.left_out += 1;
        }
        run.number += 1;
    }

    fn begin(&self) {
        lock(&self.run).in_migration = true;
    }

    fn end(&self) {
        let mut run = lock(&self.run);
        run.migrated += 1;
        run.in_migration = false;
        let mut landing = None;
        if self.choice.landings.contains(&run.migrated) {
            match self.look(&mut run) {
                Ok(state) => {
                    landing = Some(state);
                    run.now = landing;
                }
                Err(error) => run.failure = Some(error),
            }
        }
        run.landings.push(landing);
    }
}

impl State {
    fn left_by(copy: &WorkingCopy) -> Result<Self, Error> {
        let copy = copy.as_if_dead()?;
        let doing = || "recovering what a death left".to_owned();
        let (damage, fingerprint) = match copy.recover() {
            Ok(()) => (None, Some(copy.fingerprint().doing(doing)?)),
            Err(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => (Some(error.to_string()), None),
                _ => return Err(error).doing(doing),
            },
        };
        Ok(Self { copy, damage, fingerprint })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_and_the_last_are_always_among_them() {
        assert_eq!(evenly(3, 5), BTreeSet::from([0, 1, 2]));
        assert_eq!(evenly(9, 3), BTreeSet::from([0, 4, 8]));
        assert_eq!(evenly(1000, 2), BTreeSet::from([0, 999]));
        assert!(evenly(0, 4).is_empty() && evenly(4, 0).is_empty());
    }

    #[test]
    fn what_is_not_tried_is_counted() {
        let counted = |changes| Counted { changes, committed: true, migrated: 0 };
        let choice = Choice::of(&[counted(0), counted(1), counted(5), counted(1000)], 1 << 20);
        assert_eq!(choice.boundaries, BTreeSet::from([1, 2, 3]));
        assert_eq!(choice.within[&2], BTreeSet::from([1, 2, 3, 4]));
        assert_eq!((choice.within[&3].len(), choice.left_out), (WITHIN_ONE, 999 - WITHIN_ONE as u64));
        let dear = Choice::of(&[counted(5), counted(1000)], BUDGET);
        assert_eq!((dear.boundaries.len(), dear.within[&0].len(), dear.within[&1].len()), (2, 2, 2));
    }
}
