//! Many databases with the same migrations: one for each tenant.
//!
//! Takes [`Databases`], gives one report, a [`Fleet`]. Each is rehearsed as it would be alone; one that fails does not stop the rest. What is
//! the same for all is found out once. As many are rehearsed at a time as there are threads, each in a private folder that is gone before
//! the next one begins, and of each only what the report needs is kept.

mod databases;
mod merge;
mod outcome;
mod schema;
mod shard;
mod tally;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use xxhash_rust::xxh3::Xxh3;

pub use databases::{Database, Databases, Selection};
pub use merge::merge;
pub use shard::Shard;

use crate::error::{Doing as _, Error};
use crate::observer::{Observer, Silent, Stage, Work};
use crate::rehearsal::{Means, Options, configured, left_behind, rehearse_one};
use crate::report::assemble;
use crate::report::document::SCHEMA_VERSION;
use crate::report::fleet::{self, Fleet, Inputs, Verdict, exit_code};
use crate::snapshot::{Source, Workspace};
use outcome::Outcome;
use tally::Tally;

/// As much as the main thread of a process usually has.
const STACK: usize = 8 << 20;

/// Rehearses on every database, or on those of a part, as many at a time as there are threads. [`Options::snapshot`] is not looked at.
///
/// # Errors
/// When nothing can be rehearsed, whatever the database is. What goes wrong with one of them is its outcome.
pub fn rehearse_all(
    databases: &Databases,
    shard: Option<Shard>,
    options: &Options,
    threads: usize,
    observer: &dyn Observer,
) -> Result<Fleet, Error> {
    let started = Instant::now();
    let means = Means::of_many(options)?;
    let workspace = Workspace::create_with(options.workspace.as_deref(), options.shred)?;
    let chosen: Vec<&Database> =
        databases.found.iter().filter(|database| shard.is_none_or(|shard| shard.takes(&database.name))).collect();
    let at_a_time = threads.clamp(1, chosen.len().max(1));
    let each = Options { max_memory: options.max_memory / at_a_time as u64, ..options.clone() };
    let run = Run { chosen, means: &means, options: &each, workspace: &workspace };
    let counted = run.all(at_a_time, threads / at_a_time, observer)?.count();
    let file = options.config.file.as_deref().map(configured);
    let decisions = file.into_iter().chain(options.decisions.iter().cloned());
    let decisions = decisions.chain(workspace.left_behind().iter().map(left_behind));
    Ok(Fleet {
        schema_version: SCHEMA_VERSION,
        rehearse: assemble::tool(),
        verdict: counted.verdict,
        exit_code: exit_code(&counted.databases),
        fail_on: options.fail_on,
        selection: selection(databases),
        shard: shard.map(|shard| fleet::Shard { part: shard.part, of: shard.of }),
        inputs: Inputs { options: fingerprint(options, &means), migrations: counted.migrations },
        totals: counted.totals,
        elapsed_ms: milliseconds(started),
        groups: counted.groups,
        schemas: counted.schemas,
        plans: counted.plans,
        slowest: counted.slowest,
        biggest: counted.biggest,
        databases: counted.databases,
        decisions: decisions.map(|decision| assemble::decision(&decision)).collect(),
    })
}

struct Run<'a> {
    chosen: Vec<&'a Database>,
    means: &'a Means<'a>,
    options: &'a Options,
    workspace: &'a Workspace,
}

impl Run<'_> {
    /// Every database, so many at a time with so many threads for each.
    fn all(&self, at_a_time: usize, threads: usize, observer: &dyn Observer) -> Result<Tally, Error> {
        let work = Work::begin(observer, Stage::Databases, Some(self.chosen.len() as u64));
        let (next, tally, again) = (AtomicUsize::new(0), Mutex::new(Tally::default()), Mutex::new(Vec::new()));
        let take = |outcome: Outcome| {
            if outcome.verdict != Verdict::Passed {
                work.fail();
            }
            tally.lock().unwrap_or_else(PoisonError::into_inner).add(outcome);
            work.add(1);
        };
        let worker = || {
            while let Some(database) = self.chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                let outcome = self.one(database);
                if at_a_time > 1 && outcome.lacked_memory() {
                    again.lock().unwrap_or_else(PoisonError::into_inner).push(*database);
                } else {
                    take(outcome);
                }
            }
        };
        // What reads with several threads shall take those of its own worker, and not wait for another's.
        let pool = || {
            rayon::ThreadPoolBuilder::new()
                .num_threads(threads.max(1))
                .stack_size(STACK)
                .build()
                .doing(|| "starting threads".to_owned())
        };
        let pools = (0..at_a_time).map(|_| pool()).collect::<Result<Vec<_>, Error>>()?;
        std::thread::scope(|scope| {
            for pool in &pools {
                scope.spawn(|| pool.install(worker));
            }
        });
        let again = again.into_inner().unwrap_or_else(PoisonError::into_inner);
        if let Some(pool) = pools.first() {
            for database in again {
                take(pool.install(|| self.one(database)));
            }
        }
        drop(work);
        Ok(tally.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    fn one(&self, database: &Database) -> Outcome {
        let started = Instant::now();
        let source = Source::File(database.path.clone());
        let rehearsal = catch_unwind(AssertUnwindSafe(|| {
            let workspace = self.workspace.part()?;
            rehearse_one(&source, self.options, self.means, &workspace, &Silent)
        }))
        .unwrap_or_else(|_| {
            Err(Error::cannot("rehearsing", "rehearse itself failed")
                .hint("this is a bug in rehearse; please report it"))
        });
        match rehearsal {
            Ok(rehearsal) => Outcome::of(&database.name, &rehearsal, milliseconds(started)),
            Err(error) => Outcome::without(database, self.workspace.path(), &error, milliseconds(started)),
        }
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn selection(databases: &Databases) -> fleet::Selection {
    fleet::Selection {
        given: databases.selection.path().display().to_string(),
        kind: databases.selection.kind().to_owned(),
        databases: databases.found.len() as u64,
        checksum: checksum(databases.found.iter().map(|database| database.name.as_str())),
        left_aside: databases.left_aside,
        duplicates: databases.duplicates,
    }
}

/// What names are known by, in their order.
fn checksum<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut hash = Xxh3::new();
    for name in names {
        hash.update(&(name.len() as u64).to_le_bytes());
        hash.update(name.as_bytes());
    }
    format!("{:032x}", hash.digest128())
}

/// What decides an outcome besides the database and the files of the migrations. Every option is named, so that none is forgotten.
fn fingerprint(options: &Options, means: &Means<'_>) -> String {
    let Options {
        snapshot: _,
        migrations,
        exec,
        driver,
        foreign_keys,
        workspace: _,
        keep_copy: _,
        matrix,
        down,
        faults,
        queries: _,
        measure,
        live,
        disk_free,
        fail_on,
        sampling,
        max_snapshot_age,
        config,
        decisions: _,
        levels,
        extent,
        max_memory,
        bounds,
        shred: _,
    } = options;
    let how = (&migrations.folder, &migrations.tool, &migrations.table, exec, driver, foreign_keys);
    let what = (matrix, down, faults, fail_on, sampling, max_snapshot_age, levels, extent, max_memory, bounds);
    let said = (&config.rules, &config.allow, &config.expect, &config.thresholds);
    let more = (&means.queries, measure, live, disk_free);
    let mut hash = Xxh3::new();
    hash.update(format!("{how:?} {what:?} {said:?} {more:?}").as_bytes());
    format!("{:032x}", hash.digest128())
}
