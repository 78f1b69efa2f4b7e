//! The production file, and the disposable copies of it.
//!
//! Takes what was given, a [`Source`]; gives [`Snapshot`], the state before the migrations and facts about the original, and [`WorkingCopy`], on which
//! migrations run. Promises that the original is only ever read: no lock is kept that an app would wait for, nothing appears beside
//! it, and [`Snapshot::check_untouched`] proves it.
//!
//! ```text
//! a dump, something compressed, a pipe → a database in the workspace (source)
//! a database → who has it open?
//!     nobody → read where it lies, its WAL in memory over it
//!     nobody, but with a hot journal, or on a file system whose times are not exact → files copied raw, recovered in the workspace
//!     an app → read through SQLite's backup
//! ```
//!
//! Copies are overlays: what is not written is read from the original, or from the one private copy of it.
//!
//! The calling process itself must not have the snapshot open: POSIX locks do not tell a process about its own, and are lost
//! when it closes the file anywhere.

mod backup;
mod confinement;
mod connection;
mod digest;
mod disk_copy;
mod imprint;
mod journal;
mod location;
mod locks;
pub mod meter;
mod metered;
pub mod overlay;
mod patience;
mod raw_copy;
mod recognize;
mod recovery;
pub mod source;
mod space;
mod working_copy;
pub mod workspace;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use rusqlite::Connection;

pub use confinement::{Bounds, Refusal};
pub(crate) use confinement::{Judgement, Reach, judge};
pub(crate) use connection::{be_patient, reader};
pub use disk_copy::{Bystanders, DiskCopy, Wait, Waits, lies_in_memory};
pub(crate) use journal::super_journal_in;
pub use journal::{Journal, SuperJournal, Wal};
pub use patience::when_stuck;
pub(crate) use patience::within_time;
pub use source::{Given, Origin, Source};
pub(crate) use space::readable;
pub use working_copy::{Kept, Session, WorkingCopy, check_keep_target};
pub(crate) use workspace::Group;
pub use workspace::Workspace;

use crate::error::Error;
use crate::observer::{Observer, Stage, Work};
use crate::sqlite_file::header::{Header, TextEncoding};
use crate::sqlite_file::pages::{FilePages, Pages};
use imprint::{Depth, Imprint};
use location::Location;
use locks::Liveness;
use overlay::Overlay;

/// Longer than the file systems of this machine take the same time for: those of Linux round to what the clock's ticks give, 10 ms.
const TICK: Duration = Duration::from_millis(50);

/// How often a copy is tried while an app writes, raw and through SQLite in turn.
const ATTEMPTS: usize = 6;

/// The state of production data before the migrations.
#[derive(Debug)]
pub struct Snapshot {
    location: Location,
    facts: Facts,
    /// What was looked at to know whether it stays as it is: the database file, or what it was made of; nothing of what came through a
    /// pipe.
    watched: Option<(Location, Imprint)>,
    base: Arc<FilePages>,
    before: Overlay,
    bounds: Bounds,
    /// What changed while it was read where it lies, so that it had to be read again.
    changed_before: Vec<String>,
}

/// Whether the snapshot may be read where it lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// Where nobody has it open, and no journal must be rolled back first.
    InPlace,
    /// Never: it has changed while it was read so.
    FromCopy,
}

/// How much is looked at of what did not change.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Extent {
    /// All of a snapshot up to [`SMALL`], nothing of others.
    #[default]
    BySize,
    /// Every table is counted and checked, and the bytes of the snapshot are compared afterwards.
    Whole,
    /// Nothing, whatever the size.
    Changed,
}

/// Bytes of a snapshot of which everything is counted and checked, whatever changed in it.
pub const SMALL: u64 = 64 << 20;

/// What was found out about the file that was given.
#[derive(Debug, Clone)]
pub struct Facts {
    /// As the person wrote it; `standard input` and `snapshot command` are no paths.
    pub path: PathBuf,
    /// In what form it was given.
    pub origin: Origin,
    /// The size in bytes of what was given, of a database the main file without sidecars.
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
    /// When the file or its WAL was written last; not known of what came through a pipe.
    pub modified: Option<SystemTime>,
    /// The SHA-256, in hexadecimal digits, of what a database was made of; see [`Snapshot::sha256`].
    pub sha256: Option<String>,
    /// How it is read.
    pub method: Method,
    /// By what it is known that it is what it was.
    pub checked: Checked,
}

/// By what it is known that a snapshot is what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// Every byte is read.
    Bytes,
    /// What the file system says of it is compared.
    Metadata,
    /// Nothing: it came through a pipe, of which nothing stays.
    Nothing,
}

/// How a database protects its transactions: what its header says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JournalMode {
    /// A write-ahead log.
    Wal,
    /// A rollback journal: `delete`, `truncate`, `persist` or `memory`.
    Rollback,
}

impl JournalMode {
    /// As SQLite names it: `wal`, or `delete` for every rollback journal.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Wal => "wal",
            Self::Rollback => "delete",
        }
    }
}

/// How the snapshot is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Where it lies.
    InPlace,
    /// From a copy made through SQLite's backup interface, because an app had the database open.
    Backup,
    /// From a copy with which the file system shares the blocks.
    Reflink,
    /// From a copy, made byte by byte.
    Copy,
    /// From a database that was made of it: see [`Facts::origin`].
    Made,
}

/// Whether the snapshot is what it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Untouched {
    /// The file and its sidecars are the same: see [`Facts::checked`].
    Yes,
    /// Another process wrote meanwhile: one clause for each file that changed.
    ChangedByOthers(Vec<String>),
}

impl Extent {
    fn is_whole(self, bytes: u64) -> bool {
        match self {
            Self::BySize => bytes <= SMALL,
            Self::Whole => true,
            Self::Changed => false,
        }
    }
}

/// The snapshot can be read.
struct Taken {
    imprint: Imprint,
    method: Method,
}

impl Snapshot {
    /// Finds the consistent state of the database and remembers what its files were.
    ///
    /// # Errors
    /// When there is no readable database (SN904), when a copy that is needed does not fit on the disk, or when the file changes
    /// faster than it can be copied (SN905).
    pub fn open(
        given: &Given,
        workspace: &Workspace,
        reading: Reading,
        extent: Extent,
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        let location = given.location.clone();
        let header = recognize::header(&location)?;
        let surroundings = Surroundings::look(&location)?;
        if surroundings.file_stands_alone() {
            recognize::refuse_truncated(&location, &header)?;
        }
        let (taken, base) = if reading == Reading::InPlace && surroundings.can_be_read_in_place(&location) {
            let imprint = surroundings.imprint(&location, extent, observer)?;
            (Taken { imprint, method: Method::InPlace }, surroundings.in_place(&location)?)
        } else {
            surroundings.copied(&location, &header, workspace, extent, observer)?
        };
        let base = Arc::new(base);
        let header = recovery::header(&location, base.as_ref())?;
        let facts = Facts::of(given, surroundings, &header, base.layout().pages.into(), &taken);
        let before = Overlay::new("before.db", base.clone(), workspace.path())?;
        let watched = match &given.made_of {
            None => Some((location.clone(), taken.imprint)),
            Some(made_of) => made_of.file.clone(),
        };
        let snapshot =
            Self { location, facts, watched, base, before, bounds: Bounds::default(), changed_before: Vec::new() };
        recovery::check(&snapshot.location, &snapshot.connect()?)?;
        Ok(snapshot)
    }

    /// The same, with these bounds for its copies.
    #[must_use]
    pub fn within(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// What was found out about the file.
    #[must_use]
    pub fn facts(&self) -> &Facts {
        &self.facts
    }

    /// A read-only connection to the state before the migrations; several may be open at once.
    ///
    /// # Errors
    /// When the schema cannot be read.
    pub fn connect(&self) -> Result<Connection, Error> {
        recovery::connect(&self.location, &self.before.uri(), self.bounds.time)
    }

    /// The name under which a connection of this process can open or attach the state before.
    #[must_use]
    pub fn uri(&self) -> String {
        self.before.uri()
    }

    /// The pages of the state before.
    #[must_use]
    pub fn pages(&self) -> &dyn Pages {
        self.base.as_ref()
    }

    /// Whether everything in it is counted and checked, whatever changed.
    #[must_use]
    pub fn is_read_whole(&self, extent: Extent) -> bool {
        extent.is_whole(self.facts.pages * u64::from(self.facts.page_size))
    }

    /// Compares the file and its sidecars with what they were. While an app has the database open, `-shm` is its lock table
    /// and does not count.
    ///
    /// # Errors
    /// When a file cannot be read any more.
    pub fn check_untouched(&self, observer: &dyn Observer) -> Result<Untouched, Error> {
        let Some((location, imprint)) = &self.watched else { return Ok(Untouched::Yes) };
        let in_use = self.facts.in_use || Liveness::of(location) != Liveness::Idle;
        let now = Imprint::of(location, imprint.depth(), observer).map_err(|error| location.error(error))?;
        let changes = imprint.changes(&now, in_use.then_some(&location.shm));
        let changes: Vec<String> = self.changed_before.iter().cloned().chain(changes).collect();
        Ok(if changes.is_empty() { Untouched::Yes } else { Untouched::ChangedByOthers(changes) })
    }

    /// Why what was read may be no state that the database ever had: it was read where it lies, and has changed meanwhile. Nothing
    /// where that is not so.
    fn may_be_torn_by(&self, observer: &dyn Observer) -> Vec<String> {
        match self.check_untouched(observer) {
            // What a database was made of is not read any more.
            _ if self.facts.method != Method::InPlace => Vec::new(),
            Ok(Untouched::Yes) => Vec::new(),
            Ok(Untouched::ChangedByOthers(changes)) => changes,
            Err(error) => vec![error.to_string()],
        }
    }
}

/// Does `work` on the snapshot that `open` gives; again on a private copy where it changed while it was read where it lies.
///
/// # Errors
/// Those of `open` and of `work`.
pub fn unchanged<T>(
    open: impl Fn(Reading) -> Result<Snapshot, Error>,
    work: impl Fn(&Snapshot) -> Result<T, Error>,
    observer: &dyn Observer,
) -> Result<T, Error> {
    let snapshot = open(Reading::InPlace)?;
    let result = work(&snapshot);
    let changed_before = snapshot.may_be_torn_by(observer);
    if changed_before.is_empty() {
        return snapshot.before.check_storage().and(result);
    }
    let snapshot = Snapshot { changed_before, ..open(Reading::FromCopy)? };
    let result = work(&snapshot);
    snapshot.before.check_storage().and(result)
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

    /// Nobody writes the file, what the sidecars hold can be added in memory, and what the file system says of it can be relied on.
    fn can_be_read_in_place(&self, location: &Location) -> bool {
        self.liveness == Liveness::Idle && !self.journal.rolls_back() && location.has_exact_times()
    }

    /// By every byte where everything is looked at, else by what the file system says.
    fn imprint(&self, location: &Location, extent: Extent, observer: &dyn Observer) -> Result<Imprint, Error> {
        Imprint::settled(location, self.depth(extent), TICK, observer).map_err(|error| location.error(error))
    }

    fn depth(&self, extent: Extent) -> Depth {
        if extent.is_whole(self.bytes + self.wal.bytes()) { Depth::Content } else { Depth::Stat }
    }

    fn in_place(&self, location: &Location) -> Result<FilePages, Error> {
        let cannot = |error: std::io::Error| location.error(error);
        let file = File::open(&location.db).map_err(cannot)?;
        let wal = if self.wal.bytes() > 0 { Some(File::open(&location.wal).map_err(cannot)?) } else { None };
        FilePages::new(file, wal).map_err(|error| location.doubting_the_log(cannot(error)))
    }

    fn copied(
        &self,
        location: &Location,
        header: &Header,
        workspace: &Workspace,
        extent: Extent,
        observer: &dyn Observer,
    ) -> Result<(Taken, FilePages), Error> {
        let copy = workspace.unused("before");
        let taken = self.take(location, header, &copy, self.depth(extent), observer)?;
        recovery::settle(location, &copy)?;
        let base = File::open(&copy).and_then(|file| FilePages::new(file, None));
        Ok((taken, base.map_err(|error| recognize::refused(location, format!("it is damaged: {error}")))?))
    }

    /// Takes the private copy: raw where nobody would write meanwhile or readers are kept out, else through SQLite; where one
    /// way does not succeed, the other.
    fn take(
        &self,
        location: &Location,
        header: &Header,
        to: &Path,
        depth: Depth,
        observer: &dyn Observer,
    ) -> Result<Taken, Error> {
        let work = Work::begin(observer, Stage::Copy, Some(self.bytes));
        let mut raw_is_next = matches!(self.liveness, Liveness::Idle | Liveness::Exclusive);
        for _ in 0..ATTEMPTS {
            let taken = if raw_is_next {
                raw_copy::take(location, to, &work, observer)?
            } else {
                backup::take(location, header, to, depth, &work, observer)?
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
    fn of(given: &Given, found: Surroundings, header: &Header, pages: u64, taken: &Taken) -> Self {
        let made_of = given.made_of.as_ref();
        let checked = match made_of {
            None => Some(taken.imprint.depth()),
            Some(made_of) => made_of.file.as_ref().map(|(_, imprint)| imprint.depth()),
        };
        Self {
            path: given.location.given.clone(),
            origin: made_of.map_or(Origin::FILE, |made_of| made_of.origin.clone()),
            bytes: made_of.map_or(found.bytes, |made_of| made_of.bytes),
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
            in_use: found.liveness != Liveness::Idle || taken.method == Method::Backup,
            modified: made_of.map_or(found.modified, |made_of| made_of.modified),
            sha256: made_of.map(|made_of| made_of.sha256.clone()),
            method: if made_of.is_some() { Method::Made } else { taken.method },
            checked: checked.map_or(Checked::Nothing, |depth| match depth {
                Depth::Content => Checked::Bytes,
                Depth::Stat => Checked::Metadata,
            }),
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
        imprint::existing(workspace::remove_file(&location::beside(copy, suffix)))?;
    }
    Ok(())
}
