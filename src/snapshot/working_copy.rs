//! The disposable database on which migrations run.

use std::fs::{File, OpenOptions};
use std::io::{self, Seek};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use tempfile::TempPath;

use super::confinement::{Bounds, Reach, confine};
use super::location::{SIDECARS, beside, folder_of, is_same_file, is_sidecar_of};
use super::meter::Meter;
use super::overlay::{Overlay, OverlayPages, Watcher};
use super::workspace::Workspace;
use super::{Snapshot, connection};
use crate::error::{Doing, Error};
use crate::observer::{Observer, Stage, Work};
use crate::sqlite_file::page_set::PageSet;
use crate::sqlite_file::pages::{FilePages, Pages, free_bytes};

/// A database that may be written and thrown away: an overlay of the state before.
#[derive(Debug)]
pub struct WorkingCopy {
    overlay: Overlay,
    base: Arc<FilePages>,
    snapshot: PathBuf,
    bounds: Bounds,
    shred: bool,
}

/// A connection on which migrations run, within bounds.
#[derive(Debug)]
pub struct Session {
    /// The connection, which reaches nothing but its database.
    pub connection: Connection,
    /// How long the migrations may run.
    pub time: Duration,
    pub(crate) reach: Reach,
    overlay: Option<Overlay>,
    meter: Option<Arc<Meter>>,
}

impl Session {
    /// On a file of one's own, of any size; SQL may write its definitions where it may do more.
    ///
    /// # Errors
    /// Those of SQLite.
    pub fn on(mut connection: Connection, bounds: Bounds) -> rusqlite::Result<Self> {
        let reach = if bounds.unsafe_sql { Reach::Definitions } else { Reach::Nothing };
        confine(&mut connection, reach.clone())?;
        Ok(Self { connection, time: bounds.time, reach, overlay: None, meter: None })
    }

    /// The same with what counts its writes and locks.
    pub(super) fn metered(self, meter: Arc<Meter>) -> Self {
        Self { meter: Some(meter), ..self }
    }

    /// What counts writes and locks, where something does.
    #[must_use]
    pub fn meter(&self) -> Option<&Arc<Meter>> {
        self.meter.as_ref()
    }

    /// The bytes that the copy may hold, where it would have been more.
    #[must_use]
    pub fn overflow(&self) -> Option<u64> {
        self.overlay.as_ref()?.overflow()
    }
}

impl WorkingCopy {
    /// A copy of the state before the migrations. What is written to it and does not fit in memory goes to the workspace.
    ///
    /// # Errors
    /// When SQLite does not take the overlay.
    pub fn of(snapshot: &Snapshot, workspace: &Workspace, name: &str) -> Result<Self, Error> {
        Self::over(snapshot.base.clone(), snapshot, workspace, name)
    }

    /// A database of the same encoding and page size in which there is nothing.
    ///
    /// # Errors
    /// When it cannot be made in the workspace.
    pub fn empty(snapshot: &Snapshot, workspace: &Workspace, name: &str) -> Result<Self, Error> {
        let doing = || "making a database without rows".to_owned();
        let facts = snapshot.facts();
        let path = workspace.unused(name);
        File::create_new(&path).doing(doing)?;
        // Nobody reads it after the machine has stopped.
        let pragmas = format!(
            "PRAGMA synchronous = OFF; PRAGMA journal_mode = OFF; PRAGMA page_size = {}; PRAGMA encoding = '{}'; VACUUM",
            facts.page_size,
            facts.encoding.name()
        );
        connection::private(&path).and_then(|connection| connection.execute_batch(&pragmas)).doing(doing)?;
        let base = File::open(&path).and_then(|file| FilePages::new(file, None)).doing(doing)?;
        Self::over(Arc::new(base), snapshot, workspace, name)
    }

    fn over(base: Arc<FilePages>, snapshot: &Snapshot, workspace: &Workspace, name: &str) -> Result<Self, Error> {
        let bounds = snapshot.bounds;
        let size = u64::from(base.layout().pages) * u64::from(base.layout().page_size);
        let overlay = Overlay::bounded(name, base.clone(), workspace.path(), bounds.growth_of(size))?;
        let snapshot = snapshot.facts().path.clone();
        if bounds.unsafe_sql {
            overlay.reach_all_but(&snapshot);
        }
        Ok(Self { overlay, base, snapshot, bounds, shred: workspace.shreds() })
    }

    /// A connection that writes, with SQLite's own settings.
    ///
    /// # Errors
    /// When the copy cannot be opened.
    pub fn open(&self) -> Result<Session, Error> {
        let doing = || "opening the copy".to_owned();
        // What is attached is opened as the database was.
        let creates = if self.bounds.unsafe_sql { OpenFlags::SQLITE_OPEN_CREATE } else { OpenFlags::empty() };
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | creates;
        let mut connection = self.overlay.open(flags).doing(doing)?;
        let reach = if self.bounds.unsafe_sql { Reach::AllBut(self.snapshot.clone()) } else { Reach::Nothing };
        confine(&mut connection, reach.clone()).doing(doing)?;
        let (overlay, meter) = (Some(self.overlay.clone()), Some(Arc::clone(self.overlay.meter())));
        Ok(Session { connection, time: self.bounds.time, reach, overlay, meter })
    }

    /// A read-only connection, once no other connection writes.
    ///
    /// # Errors
    /// When the copy cannot be opened.
    pub fn connect(&self) -> Result<Connection, Error> {
        let doing = || "reading the migrated copy".to_owned();
        self.overlay.settle().doing(doing)?;
        connection::reader(&self.overlay.uri(), self.bounds.time).doing(doing)
    }

    /// The name under which a connection of this process can open or attach the copy.
    #[must_use]
    pub fn uri(&self) -> String {
        self.overlay.uri()
    }

    /// Its pages, once no connection writes.
    ///
    /// # Errors
    /// When they cannot be read, or are no database any more.
    pub fn pages(&self) -> io::Result<OverlayPages> {
        self.overlay.pages()
    }

    /// The pages that are not those of the snapshot; none where every page counts as another one, since pages have another size.
    ///
    /// # Errors
    /// When a page cannot be read.
    pub fn changed(&self) -> io::Result<Option<PageSet>> {
        self.overlay.changed()
    }

    /// What another process would find if this one died now, as a copy of its own; little of it is in memory.
    ///
    /// # Errors
    /// When it does not fit on the disk.
    pub fn as_if_dead(&self) -> Result<Self, Error> {
        let (base, snapshot) = (Arc::clone(&self.base), self.snapshot.clone());
        let overlay = self.overlay.fork_apart()?;
        if self.bounds.unsafe_sql {
            overlay.reach_all_but(&snapshot);
        }
        Ok(Self { overlay, base, snapshot, bounds: self.bounds, shred: self.shred })
    }

    /// From now on `watcher` is told of every change of a file before it is made; none: nobody is.
    pub fn watch(&self, watcher: Option<Watcher>) {
        self.overlay.watch(watcher);
    }

    /// Sets the clock of its connections ahead of the system's.
    pub fn set_clock_ahead(&self, by: Duration) {
        self.overlay.set_clock_ahead(i64::try_from(by.as_millis()).unwrap_or(i64::MAX));
    }

    /// Brings everything into the main file, as the next connection would: rolls back what a death left half done.
    ///
    /// # Errors
    /// Those of SQLite, where what is left is no database any more.
    pub fn recover(&self) -> rusqlite::Result<()> {
        self.overlay.settle()
    }

    /// A number that is the same for the same content of the main file.
    ///
    /// # Errors
    /// When a page cannot be read.
    pub fn fingerprint(&self) -> io::Result<u128> {
        self.overlay.fingerprint()
    }

    /// The bytes that are kept of what was written to it.
    #[must_use]
    pub fn held(&self) -> u64 {
        let (memory, file) = self.overlay.held();
        memory + file
    }

    /// Whether everything that was written to it could be kept.
    ///
    /// # Errors
    /// When it could not, so that nothing that happened on the copy since says anything of the migrations.
    pub fn check_storage(&self) -> Result<(), Error> {
        self.overlay.check_storage()
    }

    /// Its size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.overlay.bytes()
    }

    /// Bytes of it in pages that hold nothing; once no connection writes.
    #[must_use]
    pub fn bytes_free(&self) -> u64 {
        self.pages().map_or(0, |pages| free_bytes(&pages))
    }

    /// Writes the copy beside `to`, as one file without sidecars that only its owner may read. No connection to it may be open.
    ///
    /// # Errors
    /// Those of [`check_keep_target`], and when the file cannot be written.
    pub fn keep(self, to: &Path, observer: &dyn Observer) -> Result<Kept, Error> {
        check_keep_target(to, &self.snapshot)?;
        let doing = || keeping(to);
        self.overlay.settle().doing(doing)?;
        // On the disk of its place, and gone whatever happens.
        let workspace = Workspace::create_with(Some(&folder_of(to)), self.shred).doing(doing)?;
        let complete = workspace.file("complete.db");
        let mut file =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&complete).doing(doing)?;
        let work = Work::begin(observer, Stage::Keep, Some(self.bytes()));
        self.write_to(&mut file, &work).and_then(|()| file.sync_all()).doing(doing)?;
        work.finish();
        Ok(Kept { complete, to: to.to_path_buf(), _workspace: workspace })
    }
}

impl WorkingCopy {
    /// Shares the blocks of the snapshot where the file system can, and writes the pages that are others.
    fn write_to(&self, file: &mut File, work: &Work) -> io::Result<()> {
        let shares = shares_blocks(file, self.base.file());
        if shares && self.overlay.write_over(file, self.base.in_wal()).is_ok() {
            return Ok(());
        }
        file.set_len(0)?;
        file.rewind()?;
        self.overlay.write_to(file, |bytes| work.reach(bytes))
    }
}

#[cfg(target_os = "linux")]
fn shares_blocks(file: &File, base: &File) -> bool {
    rustix::fs::ioctl_ficlone(file, base).is_ok()
}

#[cfg(not(target_os = "linux"))]
fn shares_blocks(_: &File, _: &File) -> bool {
    false
}

/// A copy that is complete, and not yet in its place; removed again where it never gets there.
#[derive(Debug)]
pub struct Kept {
    complete: PathBuf,
    to: PathBuf,
    /// The private folder that it lies in.
    _workspace: Workspace,
}

impl Kept {
    /// Puts the copy in its place. Nothing is overwritten.
    ///
    /// # Errors
    /// When there is a file meanwhile, or the folder cannot be written.
    pub fn appear(self) -> Result<(), Error> {
        let doing = || keeping(&self.to);
        let complete = TempPath::try_from_path(&self.complete).doing(doing)?;
        complete.persist_noclobber(&self.to).or_else(|error| {
            // It goes with its folder.
            let _ = error.path.keep();
            Err(error.error).doing(doing)
        })
    }
}

/// Looks, before the work starts, whether a copy can be kept at `to`.
///
/// # Errors
/// When `to` exists, has no folder, cannot be written, or is the snapshot or a file that SQLite would read together with it.
pub fn check_keep_target(to: &Path, snapshot: &Path) -> Result<(), Error> {
    let cannot = |cause: &str| Err(Error::usage(keeping(to), cause).hint("name a new file"));
    if is_same_file(to, snapshot) {
        return cannot("it is the snapshot itself");
    }
    if to.symlink_metadata().is_ok() {
        return cannot("it exists already");
    }
    if to.file_name().is_none() {
        return cannot("it is not a file name");
    }
    let folder = folder_of(to);
    if !folder.is_dir() {
        let cause = format!("there is no folder `{}`", folder.display());
        return Err(Error::usage(keeping(to), cause).hint("make the folder first"));
    }
    if let Err(error) = rustix::fs::access(&folder, rustix::fs::Access::WRITE_OK) {
        let cause = format!("cannot write to `{}`: {}", folder.display(), io::Error::from(error));
        return Err(Error::usage(keeping(to), cause).hint("name a file in a folder that you may write to"));
    }
    if is_sidecar_of(to, snapshot) {
        return cannot("SQLite would read it together with the snapshot");
    }
    match SIDECARS.into_iter().map(|suffix| beside(to, suffix)).find(|sidecar| sidecar.exists()) {
        Some(sidecar) => cannot(&format!("`{}` exists, and SQLite would read it together", sidecar.display())),
        None => Ok(()),
    }
}

fn keeping(to: &Path) -> String {
    format!("keeping the copy as `{}`", to.display())
}
