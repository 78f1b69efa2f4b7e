//! What the files of a database take and for how long they are locked, counted where SQLite writes and locks.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::overlay::Level;

/// Counts what one database writes, how large its files are together, and for how long others must wait.
#[derive(Debug, Default)]
pub struct Meter(Mutex<State>);

/// A file that SQLite writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// The database.
    Main,
    /// A rollback journal, or a write-ahead log.
    Beside,
    /// The index of the write-ahead log.
    Index,
    /// One without a name.
    Temporary,
}

const KINDS: usize = 4;

/// Sizes in bytes, since [`Meter::begin`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Written to files, each byte as often as it was.
    pub written: u64,
    /// The database at the beginning.
    pub begin: u64,
    /// All files, at the moment when they were the largest together.
    pub peak: u64,
    /// The rollback journal or the write-ahead log when it was the largest.
    pub log_peak: u64,
    /// All temporary files when they were the largest together.
    pub temporary_peak: u64,
}

/// What was written and held since [`Meter::take`] was called last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Taken {
    /// Written to files in bytes, each as often as it was.
    pub written: u64,
    /// All files in bytes, at the moment when they were the largest together.
    pub peak: u64,
}

/// How a lock was held. Places are those that [`Meter::at`] was told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Held {
    /// How often it was taken.
    pub times: u64,
    /// In all.
    pub total: Duration,
    /// The longest time without a break.
    pub longest: Duration,
    /// Where that began.
    pub from: usize,
    /// Where that ended.
    pub to: usize,
}

#[derive(Debug, Default)]
struct State {
    now: [u64; KINDS],
    sizes: Sizes,
    taken: Taken,
    place: usize,
    write: Lock,
    shut: Lock,
}

#[derive(Debug, Default)]
struct Lock {
    held: Held,
    since: Option<(Instant, usize)>,
}

impl Lock {
    fn set(&mut self, is_held: bool, now: Instant, place: usize) {
        match (is_held, self.since) {
            (true, None) => self.since = Some((now, place)),
            (false, Some((since, from))) => {
                let time = now.duration_since(since);
                self.held.times += 1;
                self.held.total += time;
                if time >= self.held.longest {
                    self.held = Held { longest: time, from, to: place, ..self.held };
                }
                self.since = None;
            }
            _ => {}
        }
    }
}

impl Meter {
    /// Of a database of which nothing has been written yet.
    #[must_use]
    pub fn of(main: u64, beside: u64) -> Self {
        Self(Mutex::new(State { now: [main, beside, 0, 0], ..State::default() }))
    }

    /// Forgets what was counted, and begins anew with the sizes as they are.
    pub fn begin(&self) {
        let mut state = self.state();
        let now = state.now;
        *state = State { now, ..State::default() };
        let all = state.all();
        state.sizes = Sizes { begin: now[FileKind::Main as usize], peak: all, ..Sizes::default() };
        state.taken = Taken { written: 0, peak: all };
        state.note_peaks();
    }

    /// From now on locks are held in this place.
    pub fn at(&self, place: usize) {
        self.state().place = place;
    }

    /// Where locks are held now.
    #[must_use]
    pub fn place(&self) -> usize {
        self.state().place
    }

    /// What was written since the last call.
    pub fn take(&self) -> Taken {
        let mut state = self.state();
        let all = state.all();
        std::mem::replace(&mut state.taken, Taken { written: 0, peak: all })
    }

    /// What the files with a name hold now, and the temporary ones, in bytes.
    #[must_use]
    pub fn now(&self) -> (u64, u64) {
        let state = self.state();
        let temporary = state.now[FileKind::Temporary as usize];
        (state.all() - temporary, temporary)
    }

    /// Sizes since the beginning.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        self.state().sizes
    }

    /// The write lock, which other writers wait for. One that is held still counts up to now.
    #[must_use]
    pub fn write_lock(&self) -> Held {
        self.state().held(|state| &mut state.write)
    }

    /// The lock that readers wait for too.
    #[must_use]
    pub fn shut_out(&self) -> Held {
        self.state().held(|state| &mut state.shut)
    }

    /// A file was written or cut.
    pub(super) fn resized(&self, kind: FileKind, before: u64, after: u64, written: usize) {
        let mut state = self.state();
        let size = &mut state.now[kind as usize];
        *size = (*size + after).saturating_sub(before);
        state.sizes.written += written as u64;
        state.taken.written += written as u64;
        if after > before {
            state.note_peaks();
        }
    }

    /// The index of the log has at least this size.
    pub(super) fn indexed(&self, bytes: u64) {
        let mut state = self.state();
        let index = &mut state.now[FileKind::Index as usize];
        if bytes > *index {
            *index = bytes;
            state.note_peaks();
        }
    }

    /// The index of the log is gone.
    pub(super) fn unindexed(&self) {
        self.state().now[FileKind::Index as usize] = 0;
    }

    /// A connection has another lock on the main file.
    pub(super) fn locked(&self, before: Level, after: Level) {
        let crosses = |level| (before >= level) != (after >= level);
        if crosses(Level::Reserved) || crosses(Level::Pending) {
            let mut state = self.state();
            let (now, place) = (Instant::now(), state.place);
            state.write.set(after >= Level::Reserved, now, place);
            state.shut.set(after >= Level::Pending, now, place);
        }
    }

    /// A connection in WAL mode has taken the write lock or given it back.
    pub(super) fn wal_locked(&self, is_held: bool) {
        let mut state = self.state();
        let place = state.place;
        state.write.set(is_held, Instant::now(), place);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn all(&self) -> u64 {
        self.now.iter().sum()
    }

    fn note_peaks(&mut self) {
        let all = self.all();
        self.sizes.peak = self.sizes.peak.max(all);
        self.taken.peak = self.taken.peak.max(all);
        self.sizes.log_peak = self.sizes.log_peak.max(self.now[FileKind::Beside as usize]);
        self.sizes.temporary_peak = self.sizes.temporary_peak.max(self.now[FileKind::Temporary as usize]);
    }

    fn held(&mut self, which: fn(&mut Self) -> &mut Lock) -> Held {
        let place = self.place;
        let lock = which(self);
        if lock.since.is_some() {
            lock.set(false, Instant::now(), place);
        }
        lock.held
    }
}
