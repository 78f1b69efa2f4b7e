//! A database that is read from a base and written apart from it.
//!
//! Takes anything that implements [`Pages`], such as a snapshot file with its log; gives connections to it as a database that may
//! be written. Promises that the base is only read, that opening costs the same at any size, that what SQLite does on it has the
//! outcome it has on a copy of the file, and that nothing has a name on the disk.
//!
//! ```text
//! SQLite → vfs (C functions) → files (main, journal, log, temporary; locks, shm) → delta (blocks written over the base) → scratch
//! ```
//!
//! What is written stays in memory up to a limit and goes to a private file beyond it. The connections must be in this process.

mod delta;
mod files;
mod locks;
mod scratch;
mod shm;
mod vfs;

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::{Connection, OpenFlags};
use xxhash_rust::xxh3::Xxh3;

use super::meter::Meter;
use crate::error::{Doing, Error};
use crate::sqlite_file::header::{HEADER_BYTES, Header};
use crate::sqlite_file::page_set::PageSet;
use crate::sqlite_file::pages::{Layout, Pages};
pub(super) use files::WAL_WRITE_LOCK;
use files::{Code, Files};
pub use files::{Fault, Watcher};
pub(super) use locks::Level;
use scratch::Arena;
use vfs::Registration;

/// What all files of an overlay may hold in memory; one chunk for each of them comes on top.
const MEMORY: u64 = 16 << 20;

/// Bytes that are read at once where a whole file is read.
const RUN: usize = 1 << 20;

/// Numbers the overlays, so that each has a name of its own.
static NUMBER: AtomicU64 = AtomicU64::new(1);

/// A database that is read from a base and written apart from it. Clones are the same database. It is gone with the last of them,
/// of its [`OverlayPages`] and of the connections to it.
#[derive(Debug, Clone)]
pub struct Overlay {
    files: Arc<Files>,
}

/// The main file of an overlay as pages. It must not be written while it is read.
#[derive(Debug, Clone)]
pub struct OverlayPages {
    files: Arc<Files>,
    layout: Layout,
}

impl Overlay {
    /// The database in `base`, called `name` in `PRAGMA database_list`. What does not fit in memory goes to a file without a name
    /// in `folder`.
    ///
    /// # Errors
    /// When SQLite cannot take another file system, or the base has pages that no database has.
    pub fn new(name: &str, base: Arc<dyn Pages + Send + Sync>, folder: &Path) -> Result<Self, Error> {
        Self::with_memory(name, base, folder, MEMORY)
    }

    /// As [`Overlay::new`], and more than `capacity` bytes do not fit.
    ///
    /// # Errors
    /// As [`Overlay::new`].
    pub fn bounded(
        name: &str,
        base: Arc<dyn Pages + Send + Sync>,
        folder: &Path,
        capacity: u64,
    ) -> Result<Self, Error> {
        Self::in_arena(name, base, Arena::new(folder, MEMORY, capacity))
    }

    /// As [`Overlay::new`], with this many bytes in memory at most.
    ///
    /// # Errors
    /// As [`Overlay::new`].
    pub fn with_memory(
        name: &str,
        base: Arc<dyn Pages + Send + Sync>,
        folder: &Path,
        memory: u64,
    ) -> Result<Self, Error> {
        Self::in_arena(name, base, Arena::new(folder, memory, u64::MAX))
    }

    fn in_arena(name: &str, base: Arc<dyn Pages + Send + Sync>, arena: Arena) -> Result<Self, Error> {
        let doing = || format!("laying a database over `{name}`");
        let size = base.layout().page_size;
        if !(512..=65536).contains(&size) || !size.is_power_of_two() {
            return Err(Error::cannot(doing(), format!("it has pages of {size} bytes, which SQLite does not have")));
        }
        let registration = Registration::new().map_err(failure).doing(doing)?;
        let arena = arena.for_a_base_of(u64::from(base.layout().pages) * u64::from(size));
        Ok(Self::serving(Files::new(registration, numbered(name), base, arena)))
    }

    fn serving(files: Files) -> Self {
        let files = Arc::new(files);
        files.registration.serve(&files);
        Self { files }
    }

    /// From now on SQL that attaches another file reaches it where it lies, but not this database and what belongs to it.
    pub fn reach_all_but(&self, database: &Path) {
        self.files.registration.reach_all_but(database);
    }

    /// The bytes that may be kept on the disk, where it would have been more.
    #[must_use]
    pub fn overflow(&self) -> Option<u64> {
        self.files.arena.overflow()
    }

    /// Opens a connection; the database exists already, so that nothing is ever created.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn open(&self, flags: OpenFlags) -> rusqlite::Result<Connection> {
        self.files.arena.confine();
        self.opened(flags)
    }

    fn opened(&self, flags: OpenFlags) -> rusqlite::Result<Connection> {
        Connection::open_with_flags_and_vfs(&self.files.name, flags, self.files.registration.name())
    }

    /// The URI with which a connection that knows URIs can attach the database.
    #[must_use]
    pub fn uri(&self) -> String {
        let name = super::connection::uri(Path::new(&self.files.name));
        format!("{name}?vfs={}", self.files.registration.name().to_string_lossy())
    }

    /// Brings everything into the main file: rolls back what a dead connection left, and writes what is in the log. Nobody else may
    /// be in a transaction. From now on, until somebody opens it to write, what sorts in it may take more than its capacity.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn settle(&self) -> rusqlite::Result<()> {
        self.files.arena.lift();
        super::recovery::into_one_file(
            self.opened(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?,
        )
    }

    /// The content of the main file now. What is in a log only is not in it; see [`Overlay::settle`].
    ///
    /// # Errors
    /// When it cannot be read, or does not begin with a header.
    pub fn pages(&self) -> io::Result<OverlayPages> {
        let files = Arc::clone(&self.files);
        let main = files.main();
        let mut first = [0; HEADER_BYTES];
        main.read(&files.base, 0, &mut first)?;
        let header = Header::parse(&first).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
        let layout = Layout::of(&header, main.len());
        drop(main);
        Ok(OverlayPages { files, layout })
    }

    /// The pages whose content differs from the base, also those that only one of them has. A page that was written and is equal is
    /// not among them. `None` where the page size is another one, so that no page is comparable.
    ///
    /// # Errors
    /// When a page cannot be read.
    pub fn changed(&self) -> io::Result<Option<PageSet>> {
        let before = self.files.base.layout();
        let after = self.pages()?.layout;
        if (before.page_size, before.usable) != (after.page_size, after.usable) {
            return Ok(None);
        }
        let size = before.page_size as usize;
        let main = self.files.main();
        let in_file = u32::try_from(main.len().div_ceil(u64::from(before.page_size))).unwrap_or(u32::MAX);
        let mut changed: PageSet = (in_file.min(before.pages) + 1..=in_file.max(before.pages)).collect();
        let mut numbers = main.written_pages(before.pages).peekable();
        let most = RUN.min(before.pages as usize * size).max(size);
        let (mut old, mut new) = (vec![0; most], vec![0; most]);
        while let Some(first) = numbers.next() {
            let mut count = 1;
            while count * size < RUN && numbers.next_if(|next| *next as usize == first as usize + count).is_some() {
                count += 1;
            }
            let (old, new) = (&mut old[..count * size], &mut new[..count * size]);
            self.files.base.read(first, old)?;
            main.read(&self.files.base, u64::from(first - 1) * size as u64, new)?;
            let pairs = (first..).zip(old.chunks(size).zip(new.chunks(size)));
            for (number, _) in pairs.filter(|(_, (old, new))| old != new) {
                changed.insert(number);
            }
        }
        Ok(Some(changed))
    }

    /// A number that is the same where the main file has the same content over the same base. Reads what differs from the base.
    ///
    /// # Errors
    /// When a page cannot be read.
    pub fn fingerprint(&self) -> io::Result<u128> {
        let main = self.pages()?;
        let numbers = self.changed()?.unwrap_or_else(|| (1..=main.layout.pages).collect());
        let mut page = vec![0; main.layout.page_size as usize];
        let mut hash = Xxh3::new();
        hash.update(&self.bytes().to_le_bytes());
        for number in numbers.iter().filter(|number| (1..=main.layout.pages).contains(number)) {
            main.read(number, &mut page)?;
            hash.update(&number.to_le_bytes());
            hash.update(&page);
        }
        Ok(hash.digest128())
    }

    /// The size of the main file in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.files.main().len()
    }

    /// Writes the main file to `file`. What is in a log only is not in it; see [`Overlay::settle`].
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn write_to(&self, file: &mut File, mut advance: impl FnMut(u64)) -> io::Result<()> {
        let mut buffer = vec![0; RUN];
        let mut offset = 0;
        loop {
            let filled = self.files.main().read(&self.files.base, offset, &mut buffer)?;
            if filled == 0 {
                return Ok(());
            }
            file.write_all(&buffer[..filled])?;
            offset += filled as u64;
            advance(offset);
        }
    }

    /// Turns `file`, which holds the base but for these pages, into the main file: writes those and what differs from the base.
    ///
    /// # Errors
    /// When it cannot be read or written, or has another page size than the base.
    pub fn write_over(&self, file: &File, but: impl Iterator<Item = u32>) -> io::Result<()> {
        let mut pages = self.changed()?.ok_or_else(|| io::Error::other("its pages have another size"))?;
        for page in but {
            pages.insert(page);
        }
        let size = u64::from(self.files.base.layout().page_size);
        let mut buffer = vec![0; self.files.base.layout().page_size as usize];
        for page in pages.iter().filter(|page| *page > 0) {
            let offset = u64::from(page - 1) * size;
            let filled = self.files.main().read(&self.files.base, offset, &mut buffer)?;
            file.write_all_at(&buffer[..filled], offset)?;
        }
        file.set_len(self.bytes())
    }

    /// What counts its writes and its locks.
    #[must_use]
    pub fn meter(&self) -> &Arc<Meter> {
        &self.files.meter
    }

    /// Bytes that the overlay holds in memory, and the size of its private file.
    #[must_use]
    pub fn held(&self) -> (u64, u64) {
        self.files.arena.held()
    }

    /// Whether the base could be read, and bytes that do not fit in memory be kept. Where not, SQLite was told of an error that has
    /// nothing to do with what it did.
    ///
    /// # Errors
    /// What went wrong first.
    pub fn check_storage(&self) -> Result<(), Error> {
        if let Some(cause) = self.files.arena.failed() {
            return Err(super::space::failed(cause));
        }
        self.files.unreadable.get().map_or(Ok(()), |cause| {
            Err(Error::cannot("reading the snapshot", cause).hint("copy it to another disk: its own may be failing"))
        })
    }

    /// The `n`-th change (a write, a truncation or a deletion) of any file from now on fails; 0 counts as 1.
    pub fn fail_write_after(&self, n: u64, with: Fault) {
        self.files.set_fault(Some((n.max(1), with)));
    }

    /// Whether the change that is to fail is still to come.
    #[must_use]
    pub fn awaits_fault(&self) -> bool {
        self.files.awaits_fault()
    }

    /// Lets every change succeed again.
    pub fn forget_fault(&self) {
        self.files.set_fault(None);
    }

    /// What another process would find if this one died now: another database with the same files, on which no lock is held.
    ///
    /// # Errors
    /// When it does not fit on the disk, or SQLite cannot take another file system.
    pub fn fork(&self) -> Result<Self, Error> {
        self.forked(Files::fork)
    }

    /// As [`Overlay::fork`], with as little of it in memory as can be, for one of many that are kept.
    ///
    /// # Errors
    /// As [`Overlay::fork`].
    pub fn fork_apart(&self) -> Result<Self, Error> {
        self.forked(Files::fork_apart)
    }

    /// What would be found after a power cut that lost everything that was not synced; for that, [`Overlay::keep_synced`] must have
    /// been called, otherwise it is the same as [`Overlay::fork`].
    ///
    /// # Errors
    /// As [`Overlay::fork`].
    pub fn fork_synced(&self) -> Result<Self, Error> {
        self.forked(Files::fork_synced)
    }

    fn forked(&self, fork: fn(&Files, Registration, String) -> io::Result<Files>) -> Result<Self, Error> {
        let given = self.files.name.rsplit('/').next().unwrap_or_default();
        let doing = || format!("copying the copy `{given}` as it is now");
        let registration = Registration::new().map_err(failure).doing(doing)?;
        fork(&self.files, registration, numbered(given)).map(Self::serving).doing(doing)
    }

    /// From now on `watcher` is told of every change of a file before it is made; none: nobody is. It may fork the overlay. One that
    /// holds the overlay keeps it alive until another one is set.
    pub fn watch(&self, watcher: Option<Watcher>) {
        self.files.set_watcher(watcher);
    }

    /// Sets the clock of the connections ahead of the system's by this many milliseconds.
    pub fn set_clock_ahead(&self, milliseconds: i64) {
        self.files.ahead.store(milliseconds, Ordering::Relaxed);
    }

    /// From now on a copy of each file is kept as it was when it was synced. That costs time and memory for each sync.
    ///
    /// # Errors
    /// When it does not fit on the disk.
    pub fn keep_synced(&self) -> io::Result<()> {
        self.files.keep_synced()
    }
}

impl Pages for OverlayPages {
    fn layout(&self) -> Layout {
        self.layout
    }

    fn read(&self, first: u32, into: &mut [u8]) -> io::Result<()> {
        let offset = u64::from(first.saturating_sub(1)) * u64::from(self.layout.page_size);
        self.files.main().read(&self.files.base, offset, into).map(drop)
    }
}

/// A name that is no file's: there is no folder of this name below the root.
fn numbered(name: &str) -> String {
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let plain = |char: char| if char == '/' || char.is_control() { '_' } else { char };
    format!("/rehearse-overlay/{number}/{}", name.chars().take(64).map(plain).collect::<String>())
}

fn failure(code: Code) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)
}
