//! The files of an overlay and what SQLite asks of them.
//!
//! Takes what `vfs` hands over; gives SQLite's result codes. Promises what a file system promises one process, and that a copy
//! of the files ([`Files::fork`]) is their state at one moment.

use std::collections::BTreeMap;
use std::ffi::{c_int, c_void};
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use rusqlite::ffi;

use super::delta::{Base, Delta, Source};
use super::locks::{Level, Locks};
use super::scratch::{self, Arena, Scratch};
use super::shm::{Held, Shm};
use super::vfs::Registration;
use crate::snapshot::meter::{FileKind, Meter};

/// Of the locks in the shared memory, the one that a writer in WAL mode holds.
pub(in crate::snapshot) const WAL_WRITE_LOCK: usize = 0;

/// A result code of SQLite that says what failed.
pub(super) type Code = c_int;

/// What all connections of one overlay share.
pub(super) struct Files {
    pub(super) registration: Registration,
    /// The name of the main file. It begins like an absolute path, so that SQLite leaves it as it is.
    pub(super) name: String,
    pub(super) base: Base,
    pub(super) arena: Arc<Arena>,
    pub(super) main: RwLock<Delta>,
    /// Journal, log, super-journals by name.
    named: Mutex<BTreeMap<String, Arc<Mutex<Scratch>>>>,
    locks: Mutex<Locks>,
    shm: Mutex<Shm>,
    /// Held for reading by whoever changes a file, for writing by whoever needs a moment at which nothing changes.
    changing: RwLock<()>,
    pub(super) meter: Arc<Meter>,
    /// How many changes are left until one fails, that one included; 0 where all fail.
    fault: Mutex<Option<(u64, Fault)>>,
    /// Why the main file, most often its base, could not be read first.
    pub(super) unreadable: OnceLock<String>,
    /// Whether there was a fault, so that a write need not look.
    has_fault: AtomicBool,
    synced: Mutex<Option<State>>,
    keeps_synced: AtomicBool,
    watcher: Mutex<Option<Watcher>>,
    /// Whether there is a watcher, so that a write need not look.
    is_watched: AtomicBool,
    /// By how many milliseconds the clock is ahead of the system's.
    pub(super) ahead: AtomicI64,
}

/// Is told of every change of the main file, a journal or a log before it is made, on the thread that makes it.
pub type Watcher = Arc<dyn Fn() + Send + Sync>;

/// How a change of a file fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The disk is full. Only writes fail with it.
    Full,
    /// The device does not answer once.
    Io,
    /// The device is gone: everything that would change or sync a file fails from now on, so that the files stay as a process
    /// that dies at this change leaves them.
    Gone,
}

/// What is about to be done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Write,
    Truncate,
    Delete,
    /// Is not counted, but fails when the device is gone.
    Sync,
}

/// The content of the files that a crash leaves.
#[derive(Debug)]
pub(super) struct State {
    main: Delta,
    /// By what their names have more than the main file's.
    named: BTreeMap<String, Scratch>,
}

/// A file that SQLite has open.
#[derive(Debug)]
pub(super) struct Handle {
    files: Arc<Files>,
    kind: Kind,
    level: Mutex<Level>,
    shm: Mutex<Held>,
    delete_on_close: Option<String>,
    pub(super) persists_wal: AtomicBool,
    pub(super) overwrites_safely: AtomicBool,
    /// What the connection believes to have mapped.
    pub(super) mapped: AtomicI64,
}

#[derive(Debug)]
enum Kind {
    Main,
    Named(String, Arc<Mutex<Scratch>>),
    /// One that only this handle knows.
    Temporary(Mutex<Scratch>),
}

impl Kind {
    fn counted(&self) -> FileKind {
        match self {
            Self::Main => FileKind::Main,
            Self::Named(..) => FileKind::Beside,
            Self::Temporary(_) => FileKind::Temporary,
        }
    }
}

impl fmt::Debug for Files {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Files").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Files {
    pub(super) fn new(registration: Registration, name: String, base: Base, arena: Arena) -> Self {
        let arena = Arc::new(arena);
        let main = Delta::new(&base, &arena);
        Self::with(registration, name, base, arena, State { main, named: BTreeMap::new() })
    }

    fn with(registration: Registration, name: String, base: Base, arena: Arc<Arena>, state: State) -> Self {
        let beside = state.named.values().map(Scratch::len).sum();
        let meter = Arc::new(Meter::of(state.main.len(), beside));
        let named = |(suffix, scratch)| (format!("{name}{suffix}"), Arc::new(Mutex::new(scratch)));
        Self {
            named: Mutex::new(state.named.into_iter().map(named).collect()),
            registration,
            name,
            base,
            arena,
            main: RwLock::new(state.main),
            locks: Mutex::default(),
            shm: Mutex::default(),
            changing: RwLock::default(),
            meter,
            fault: Mutex::default(),
            unreadable: OnceLock::new(),
            has_fault: AtomicBool::new(false),
            synced: Mutex::default(),
            keeps_synced: AtomicBool::new(false),
            watcher: Mutex::default(),
            is_watched: AtomicBool::new(false),
            ahead: AtomicI64::new(0),
        }
    }

    /// The files as they are now, as another overlay.
    pub(super) fn fork(&self, registration: Registration, name: String) -> io::Result<Self> {
        self.fork_in(Arena::like(&self.arena), registration, name)
    }

    /// The same with little of it in memory, for one of many that are kept.
    pub(super) fn fork_apart(&self, registration: Registration, name: String) -> io::Result<Self> {
        self.fork_in(Arena::apart(&self.arena), registration, name)
    }

    fn fork_in(&self, arena: Arena, registration: Registration, name: String) -> io::Result<Self> {
        let arena = Arc::new(arena);
        let state = {
            let _still = write(&self.changing);
            self.state(&arena)?
        };
        Ok(Self::with(registration, name, Arc::clone(&self.base), arena, state))
    }

    /// What was synced, as another overlay; the files as they are now where that is not kept.
    pub(super) fn fork_synced(&self, registration: Registration, name: String) -> io::Result<Self> {
        let arena = Arc::new(Arena::like(&self.arena));
        let state = {
            let _still = write(&self.changing);
            match &*lock(&self.synced) {
                Some(synced) => synced.copy(&arena)?,
                None => self.state(&arena)?,
            }
        };
        Ok(Self::with(registration, name, Arc::clone(&self.base), arena, state))
    }

    /// From now on what was synced is kept apart; what there is now counts as synced.
    pub(super) fn keep_synced(&self) -> io::Result<()> {
        let _still = write(&self.changing);
        *lock(&self.synced) = Some(self.state(&self.arena)?);
        self.keeps_synced.store(true, Ordering::Relaxed);
        Ok(())
    }

    fn state(&self, arena: &Arc<Arena>) -> io::Result<State> {
        let main = self.main().copy(arena)?;
        let named = lock(&self.named);
        let copy = |(name, scratch): (&String, &Arc<Mutex<Scratch>>)| -> io::Result<_> {
            Ok((self.suffix(name).to_owned(), lock(scratch).copy(arena)?))
        };
        Ok(State { main, named: named.iter().map(copy).collect::<io::Result<_>>()? })
    }

    /// The `n`-th change from now on fails; an earlier demand is forgotten.
    pub(super) fn set_fault(&self, fault: Option<(u64, Fault)>) {
        *lock(&self.fault) = fault;
        self.has_fault.store(fault.is_some(), Ordering::Relaxed);
    }

    /// From now on this one is told of changes; none: nobody.
    pub(super) fn set_watcher(&self, watcher: Option<Watcher>) {
        self.is_watched.store(watcher.is_some(), Ordering::Relaxed);
        *lock(&self.watcher) = watcher;
    }

    /// Tells the watcher that a file is about to change.
    fn announce(&self) {
        if self.is_watched.load(Ordering::Relaxed) {
            let watcher = lock(&self.watcher).clone();
            if let Some(watcher) = watcher {
                watcher();
            }
        }
    }

    /// Whether a change that is to fail is still to come.
    pub(super) fn awaits_fault(&self) -> bool {
        lock(&self.fault).is_some_and(|(left, _)| left > 0)
    }

    pub(super) fn main(&self) -> RwLockReadGuard<'_, Delta> {
        self.main.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a name is that of the main file or of one that SQLite makes for it.
    pub(super) fn is_own(&self, name: &str) -> bool {
        name == self.name || self.is_sidecar(name)
    }

    /// Opens a file. `None` asks for a temporary one.
    pub(super) fn open(self: &Arc<Self>, name: Option<&str>, flags: c_int) -> Result<Handle, Code> {
        let kind = match name {
            None => Kind::Temporary(Mutex::new(Scratch::new(&self.arena))),
            Some(name) if flags & ffi::SQLITE_OPEN_MAIN_DB != 0 => self.open_main(name)?,
            Some(name) => self.open_named(name, flags)?,
        };
        let deletes = flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0;
        Ok(Handle {
            files: Arc::clone(self),
            kind,
            level: Mutex::default(),
            shm: Mutex::default(),
            delete_on_close: name.filter(|_| deletes).map(str::to_owned),
            persists_wal: AtomicBool::new(false),
            overwrites_safely: AtomicBool::new(true),
            mapped: AtomicI64::new(0),
        })
    }

    fn open_main(&self, name: &str) -> Result<Kind, Code> {
        if name == self.name { Ok(Kind::Main) } else { Err(ffi::SQLITE_CANTOPEN) }
    }

    fn open_named(&self, name: &str, flags: c_int) -> Result<Kind, Code> {
        if !self.is_sidecar(name) {
            return Err(ffi::SQLITE_CANTOPEN);
        }
        let _changing = self.changing();
        let mut named = lock(&self.named);
        let scratch = match named.get(name) {
            Some(_) if flags & ffi::SQLITE_OPEN_EXCLUSIVE != 0 => return Err(ffi::SQLITE_CANTOPEN),
            Some(scratch) => Arc::clone(scratch),
            None if flags & ffi::SQLITE_OPEN_CREATE == 0 => return Err(ffi::SQLITE_CANTOPEN),
            None => {
                let scratch = Arc::new(Mutex::new(Scratch::new(&self.arena)));
                named.insert(name.to_owned(), Arc::clone(&scratch));
                scratch
            }
        };
        Ok(Kind::Named(name.to_owned(), scratch))
    }

    /// Removes a file; who has it open keeps it. The main file stays.
    pub(super) fn delete(&self, name: &str, durably: bool) -> Result<(), Code> {
        if !self.exists(name, true) {
            return Err(ffi::SQLITE_IOERR_DELETE_NOENT);
        }
        self.announce();
        self.admit(Change::Delete)?;
        let _changing = self.changing();
        if durably && let Some(synced) = &mut *lock(&self.synced) {
            synced.named.remove(self.suffix(name));
        }
        let gone = lock(&self.named).remove(name).ok_or(ffi::SQLITE_IOERR_DELETE_NOENT)?;
        self.meter.resized(FileKind::Beside, lock(&gone).len(), 0, 0);
        Ok(())
    }

    /// Whether there is such a file; like SQLite on Unix, an empty one does not count where it is asked only if it exists.
    pub(super) fn exists(&self, name: &str, empty_too: bool) -> bool {
        if name == self.name {
            return empty_too || self.main().len() > 0;
        }
        lock(&self.named).get(name).is_some_and(|scratch| empty_too || lock(scratch).len() > 0)
    }

    fn is_sidecar(&self, name: &str) -> bool {
        name.strip_prefix(&self.name).is_some_and(|rest| rest.starts_with('-'))
    }

    fn suffix<'a>(&self, name: &'a str) -> &'a str {
        name.strip_prefix(&self.name).unwrap_or(name)
    }

    fn changing(&self) -> RwLockReadGuard<'_, ()> {
        self.changing.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails where a change is to fail.
    fn admit(&self, change: Change) -> Result<(), Code> {
        if !self.has_fault.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut fault = lock(&self.fault);
        let Some((left, with)) = *fault else { return Ok(()) };
        if left > 0 {
            if !with.counts(change) {
                return Ok(());
            }
            let left = left - 1;
            *fault = (left > 0 || with == Fault::Gone).then_some((left, with));
            if left > 0 {
                return Ok(());
            }
        }
        Err(with.code(change))
    }
}

impl State {
    fn copy(&self, arena: &Arc<Arena>) -> io::Result<Self> {
        let copy = |(suffix, scratch): (&String, &Scratch)| Ok((suffix.clone(), scratch.copy(arena)?));
        let named = self.named.iter().map(copy).collect::<io::Result<_>>()?;
        Ok(Self { main: self.main.copy(arena)?, named })
    }
}

impl Fault {
    fn counts(self, change: Change) -> bool {
        match self {
            Self::Full => change == Change::Write,
            Self::Io | Self::Gone => change != Change::Sync,
        }
    }

    fn code(self, change: Change) -> Code {
        match (self, change) {
            (Self::Full, _) => ffi::SQLITE_FULL,
            (_, Change::Write) => ffi::SQLITE_IOERR_WRITE,
            (_, Change::Truncate) => ffi::SQLITE_IOERR_TRUNCATE,
            (_, Change::Delete) => ffi::SQLITE_IOERR_DELETE,
            (_, Change::Sync) => ffi::SQLITE_IOERR_FSYNC,
        }
    }
}

impl Handle {
    pub(super) fn read(&self, offset: u64, into: &mut [u8]) -> Result<(), Code> {
        let there = match &self.kind {
            Kind::Main => self.files.read_main(offset, into).inspect_err(|error| {
                let _ = self.files.unreadable.set(error.to_string());
            }),
            Kind::Named(_, scratch) => lock(scratch).read(offset, into),
            Kind::Temporary(scratch) => lock(scratch).read(offset, into),
        };
        let there = there.map_err(|_| ffi::SQLITE_IOERR_READ)?;
        if there < into.len() {
            into[there..].fill(0);
            return Err(ffi::SQLITE_IOERR_SHORT_READ);
        }
        Ok(())
    }

    pub(super) fn write(&self, offset: u64, from: &[u8]) -> Result<(), Code> {
        let files = &self.files;
        self.announce();
        files.admit(Change::Write)?;
        let before = self.len();
        let done = match &self.kind {
            Kind::Main => {
                let _changing = files.changing();
                write(&files.main).write(&files.base, offset, from)
            }
            Kind::Named(_, scratch) => {
                let _changing = files.changing();
                lock(scratch).write(offset, from)
            }
            Kind::Temporary(scratch) => lock(scratch).write(offset, from),
        };
        files.meter.resized(self.kind.counted(), before, self.len(), from.len());
        done.map_err(|error| code(&error, ffi::SQLITE_IOERR_WRITE))
    }

    pub(super) fn truncate(&self, len: u64) -> Result<(), Code> {
        let files = &self.files;
        self.announce();
        files.admit(Change::Truncate)?;
        let before = self.len();
        let done = match &self.kind {
            Kind::Main => {
                let _changing = files.changing();
                write(&files.main).set_len(&files.base, len)
            }
            Kind::Named(_, scratch) => {
                let _changing = files.changing();
                lock(scratch).set_len(len)
            }
            Kind::Temporary(scratch) => lock(scratch).set_len(len),
        };
        files.meter.resized(self.kind.counted(), before, self.len(), 0);
        done.map_err(|error| code(&error, ffi::SQLITE_IOERR_TRUNCATE))
    }

    fn announce(&self) {
        if !matches!(self.kind, Kind::Temporary(_)) {
            self.files.announce();
        }
    }

    /// Nothing need survive the process, so there is nothing to do, unless what was synced is kept.
    pub(super) fn sync(&self) -> Result<(), Code> {
        let files = &self.files;
        files.admit(Change::Sync)?;
        if !files.keeps_synced.load(Ordering::Relaxed) {
            return Ok(());
        }
        let _changing = files.changing();
        self.keep_synced().map_err(|error| code(&error, ffi::SQLITE_IOERR_FSYNC))
    }

    fn keep_synced(&self) -> io::Result<()> {
        let files = &self.files;
        let mut synced = lock(&files.synced);
        let Some(state) = &mut *synced else { return Ok(()) };
        match &self.kind {
            Kind::Main => state.main = files.main().copy(&files.arena)?,
            Kind::Named(name, scratch) => {
                let copy = lock(scratch).copy(&files.arena)?;
                state.named.insert(files.suffix(name).to_owned(), copy);
            }
            Kind::Temporary(_) => {}
        }
        Ok(())
    }

    pub(super) fn len(&self) -> u64 {
        match &self.kind {
            Kind::Main => self.files.main().len(),
            Kind::Named(_, scratch) => lock(scratch).len(),
            Kind::Temporary(scratch) => lock(scratch).len(),
        }
    }

    /// Only the main file is locked: nobody else has the other files while it is.
    pub(super) fn lock(&self, wanted: Level) -> Result<(), Code> {
        if !matches!(self.kind, Kind::Main) {
            return Ok(());
        }
        let mut held = lock(&self.level);
        let before = *held;
        let is_taken = lock(&self.files.locks).lock(&mut held, wanted);
        self.files.meter.locked(before, *held);
        if is_taken { Ok(()) } else { Err(ffi::SQLITE_BUSY) }
    }

    pub(super) fn unlock(&self, wanted: Level) {
        if matches!(self.kind, Kind::Main) {
            let mut held = lock(&self.level);
            let before = *held;
            lock(&self.files.locks).unlock(&mut held, wanted);
            self.files.meter.locked(before, *held);
        }
    }

    pub(super) fn is_reserved(&self) -> bool {
        matches!(self.kind, Kind::Main) && lock(&self.files.locks).is_reserved()
    }

    pub(super) fn level(&self) -> Level {
        *lock(&self.level)
    }

    pub(super) fn shm_region(&self, index: usize, bytes: usize, make: bool) -> Option<*mut c_void> {
        let mut held = lock(&self.shm);
        let region = lock(&self.files.shm).region(&mut held, index, bytes, make);
        if region.is_some() {
            self.files.meter.indexed((index as u64 + 1) * bytes as u64);
        }
        region
    }

    pub(super) fn shm_lock(&self, first: usize, locks: usize, flags: c_int) -> Result<(), Code> {
        let which = first..first.saturating_add(locks);
        let mut held = lock(&self.shm);
        let mut shm = lock(&self.files.shm);
        if flags & ffi::SQLITE_SHM_UNLOCK != 0 {
            shm.unlock(&mut held, which);
        } else if !shm.lock(&mut held, which, flags & ffi::SQLITE_SHM_EXCLUSIVE != 0) {
            return Err(ffi::SQLITE_BUSY);
        }
        if first == WAL_WRITE_LOCK && locks > 0 {
            self.files.meter.wal_locked(flags & ffi::SQLITE_SHM_UNLOCK == 0);
        }
        Ok(())
    }

    /// Orders the accesses before it and those behind it, also between threads.
    pub(super) fn shm_barrier(&self) {
        std::sync::atomic::fence(Ordering::SeqCst);
        drop(lock(&self.files.shm));
    }

    pub(super) fn shm_leave(&self) {
        let mut held = lock(&self.shm);
        if lock(&self.files.shm).leave(&mut held) {
            self.files.meter.unindexed();
        }
    }

    /// The name that SQLite knows the overlay's VFS by.
    pub(super) fn vfs_name(&self) -> &'static std::ffi::CStr {
        self.files.registration.name()
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.shm_leave();
        self.unlock(Level::None);
        if let Kind::Temporary(scratch) = &self.kind {
            self.files.meter.resized(FileKind::Temporary, lock(scratch).len(), 0, 0);
        }
        if let Some(name) = &self.delete_on_close {
            self.files.delete(name, false).ok();
        }
    }
}

impl Files {
    /// Gives the number of bytes before the end.
    fn read_main(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let main = self.main();
        let Some(block) = main.whole_block(offset, into.len()) else {
            return main.read(&self.base, offset, into);
        };
        match main.source(block) {
            Source::Written(slot) => main.read_slot(slot, into)?,
            Source::Zeros => into.fill(0),
            Source::Base => {
                // The base does not change: others may write meanwhile.
                drop(main);
                self.base.read(super::delta::number(block), into)?;
            }
        }
        Ok(into.len())
    }
}

/// A full disk is told as one.
fn code(error: &io::Error, otherwise: Code) -> Code {
    if scratch::is_full(error) { ffi::SQLITE_FULL } else { otherwise }
}

/// What a thread that panicked left behind is whole: every change ends with one assignment.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn write<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().unwrap_or_else(PoisonError::into_inner)
}
