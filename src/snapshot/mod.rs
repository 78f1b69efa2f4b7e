//! The production file, and the disposable copies of it.
//!
//! Takes a path; gives [`Snapshot`], a private file with the state before the migrations and facts about the original, and
//! [`WorkingCopy`], on which migrations run. Promises that the original is only ever read: no lock is kept that an app would
//! wait for, nothing appears beside it, and [`Snapshot::check_untouched`] proves it.
//!
//! ```text
//! path → location → is it a database? → who has it open?
//!     nobody → files copied raw, recovered in the workspace
//!     an app → read through SQLite's backup
//! ```
//!
//! The calling process itself must not have the snapshot open: POSIX locks do not tell a process about its own, and are lost
//! when it closes the file anywhere.

mod backup;
mod connection;
mod imprint;
mod journal;
mod location;
mod locks;
pub mod overlay;
mod raw_copy;
mod recognize;
mod recovery;
mod space;
mod working_copy;
pub mod workspace;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rusqlite::Connection;

pub(crate) use connection::reader;
pub use journal::{Journal, SuperJournal, Wal};
pub use working_copy::{WorkingCopy, check_keep_target};
pub use workspace::Workspace;

use crate::error::Error;
use crate::observer::{Observer, Stage};
use crate::sqlite_file::header::{Header, TextEncoding};
use imprint::Imprint;
use location::Location;
use locks::Liveness;

/// How often a copy is tried while an app writes, raw and through SQLite in turn.
const ATTEMPTS: usize = 6;

/// The state of production data before the migrations.
#[derive(Debug)]
pub struct Snapshot {
    location: Location,
    facts: Facts,
    imprint: Imprint,
    before: PathBuf,
}

/// What was found out about the file that was given.
#[derive(Debug, Clone)]
pub struct Facts {
    /// As the person wrote it.
    pub path: PathBuf,
    /// The size of the main file in bytes, without sidecars.
    pub bytes: u64,
    /// In bytes.
    pub page_size: u32,
    /// Pages in the consistent state, with what the WAL adds.
    pub pages: u64,
    /// How the database protects its transactions.
    pub journal_mode: JournalMode,
    /// How the database stores text.
    pub encoding: TextEncoding,
    /// `PRAGMA user_version`.
    pub user_version: i32,
    /// `PRAGMA application_id`.
    pub application_id: u32,
    /// 1 to 4; 0 in a database in which nothing was created yet.
    pub schema_format: u32,
    /// The SQLite version that wrote last, for example 3050004 for 3.50.4; 0 when it is older than 3.7.0.
    pub library_version: u32,
    /// The write-ahead log beside the file.
    pub wal: Wal,
    /// The rollback journal beside the file.
    pub journal: Journal,
    /// Another process held a lock, or wrote while the file was copied. An app in rollback mode that is between two transactions holds none.
    pub in_use: bool,
    /// When the file or its WAL was written last.
    pub modified: Option<SystemTime>,
    /// How the private copy was made.
    pub method: CopyMethod,
}

/// How a database protects its transactions: what its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalMode {
    /// A write-ahead log.
    Wal,
    /// A rollback journal: `delete`, `truncate`, `persist` or `memory`.
    Rollback,
}

/// How the private copy was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyMethod {
    /// Read through SQLite's backup interface, because an app had the database open.
    Backup,
    /// The file system shares the blocks.
    Reflink,
    /// Byte by byte.
    Copy,
}

/// Whether the snapshot is what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Untouched {
    /// Size, modification time and content of the file and its sidecars are the same.
    Yes,
    /// Another process wrote meanwhile: one clause for each file that changed.
    ChangedByOthers(Vec<String>),
}

/// A private copy was taken.
struct Taken {
    imprint: Imprint,
    method: CopyMethod,
}

impl Snapshot {
    /// Takes a consistent private copy of the database at `path` and remembers what its files were.
    ///
    /// # Errors
    /// When there is no readable database (SN904), when it does not fit on the disk, or when it changes faster than it
    /// can be copied (SN905).
    pub fn open(path: &Path, workspace: &Workspace, observer: &dyn Observer) -> Result<Self, Error> {
        let location = Location::find(path)?;
        let header = recognize::header(&location)?;
        let surroundings = Surroundings::look(&location)?;
        if surroundings.file_stands_alone() {
            recognize::refuse_truncated(&location, &header)?;
        }
        let before = workspace.unused("before");
        observer.begin(&Stage::Copy, Some(surroundings.bytes));
        let taken = surroundings.take(&location, &header, &before, observer);
        observer.end(&Stage::Copy);
        let taken = taken?;
        let header = recovery::settle(&location, &before)?;
        let pages = recovery::pages(&location, &before, &header)?;
        let facts = Facts::of(&location, surroundings, &header, pages, taken.method);
        let snapshot = Self { location, facts, imprint: taken.imprint, before };
        snapshot.connect()?;
        Ok(snapshot)
    }

    /// What was found out about the file.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// A read-only connection to the private copy of the state before the migrations; several may be open at once. Functions
    /// and virtual tables in the schema are not trusted (`trusted_schema` off).
    ///
    /// # Errors
    /// When the schema cannot be read.
    pub fn connect(&self) -> Result<Connection, Error> {
        recovery::connect(&self.location, &self.before)
    }

    /// The private copy: one file without sidecars, in the journal mode of the original, that nobody writes.
    #[must_use]
    pub fn before(&self) -> &Path {
        &self.before
    }

    /// Compares the file and its sidecars with what they were. While an app has the database open, `-shm` is its lock table
    /// and does not count.
    ///
    /// # Errors
    /// When a file cannot be read any more.
    pub fn check_untouched(&self) -> Result<Untouched, Error> {
        let in_use = self.facts.in_use || Liveness::of(&self.location) != Liveness::Idle;
        let now = Imprint::of(&self.location).map_err(|error| self.location.error(error))?;
        let changes = self.imprint.changes(&now, in_use.then_some(&self.location.shm));
        Ok(if changes.is_empty() { Untouched::Yes } else { Untouched::ChangedByOthers(changes) })
    }
}

/// What stands beside the file, and who uses it.
struct Surroundings {
    liveness: Liveness,
    wal: Wal,
    journal: Journal,
    bytes: u64,
    modified: Option<SystemTime>,
}

impl Surroundings {
    fn look(location: &Location) -> Result<Self, Error> {
        let cannot = |error: std::io::Error| location.error(error);
        let liveness = Liveness::of(location);
        let db = location.db.metadata().map_err(cannot)?;
        let wal_modified = location.wal.metadata().and_then(|wal| wal.modified()).ok();
        Ok(Self {
            liveness,
            wal: Wal::of(location).map_err(cannot)?,
            journal: Journal::of(location, liveness).map_err(cannot)?,
            bytes: db.len(),
            modified: db.modified().ok().max(wal_modified),
        })
    }

    /// Nobody writes the file, and no sidecar adds to it.
    fn file_stands_alone(&self) -> bool {
        self.liveness == Liveness::Idle && self.wal.bytes() == 0 && !self.journal.rolls_back()
    }

    /// Takes the private copy: raw where nobody would write meanwhile or readers are kept out, else through SQLite; where one
    /// way does not succeed, the other.
    fn take(&self, location: &Location, header: &Header, to: &Path, observer: &dyn Observer) -> Result<Taken, Error> {
        let mut raw_is_next = matches!(self.liveness, Liveness::Idle | Liveness::Exclusive);
        for _ in 0..ATTEMPTS {
            let taken = if raw_is_next {
                raw_copy::take(location, to, observer)?
            } else {
                backup::take(location, header, to, observer)?
            };
            if let Some(taken) = taken {
                return Ok(taken);
            }
            raw_is_next = !raw_is_next;
        }
        Err(changes_too_fast(location))
    }
}

impl Facts {
    /// `header` is that of the consistent state.
    fn of(location: &Location, found: Surroundings, header: &Header, pages: u64, method: CopyMethod) -> Self {
        Self {
            path: location.given.clone(),
            bytes: found.bytes,
            page_size: header.page_size,
            pages,
            journal_mode: if header.is_wal() { JournalMode::Wal } else { JournalMode::Rollback },
            encoding: header.encoding,
            user_version: header.user_version,
            application_id: header.application_id,
            schema_format: header.schema_format,
            library_version: header.library_version,
            wal: found.wal,
            journal: found.journal,
            // SQLite's backup is used on an idle file only when it turned out to be written.
            in_use: found.liveness != Liveness::Idle || method == CopyMethod::Backup,
            modified: found.modified,
            method,
        }
    }
}

fn changes_too_fast(location: &Location) -> Error {
    let backup = location.backup_command();
    location
        .error("it changed each time while it was copied")
        .rule("SN905")
        .hint(format!("rehearse on a copy: {backup}, or `VACUUM INTO` in the app"))
}

/// Removes what an earlier attempt left in the workspace: a WAL of one attempt would be taken for that of the next.
fn discard(copy: &Path) -> std::io::Result<()> {
    for suffix in ["", "-wal", "-journal"] {
        imprint::existing(std::fs::remove_file(location::beside(copy, suffix)))?;
    }
    Ok(())
}
