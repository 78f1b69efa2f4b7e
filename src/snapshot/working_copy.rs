//! The disposable database on which migrations run.

use std::fs::File;
use std::io::{self, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use tempfile::NamedTempFile;

use super::location::{beside, folder_of};
use super::overlay::{Overlay, OverlayPages};
use super::workspace::Workspace;
use super::{Snapshot, connection};
use crate::error::{Doing, Error};
use crate::observer::{Observer, Stage, Work};
use crate::sqlite_file::page_set::PageSet;
use crate::sqlite_file::pages::FilePages;

const SIDECARS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A database that may be written and thrown away: an overlay of the state before.
#[derive(Debug)]
pub struct WorkingCopy {
    overlay: Overlay,
    base: Arc<FilePages>,
    snapshot: PathBuf,
}

impl WorkingCopy {
    /// A copy of the state before the migrations. What is written to it and does not fit in memory goes to the workspace.
    ///
    /// # Errors
    /// When SQLite does not take the overlay.
    pub fn of(snapshot: &Snapshot, workspace: &Workspace, name: &str) -> Result<Self, Error> {
        let overlay = Overlay::new(name, snapshot.base.clone(), workspace.path())?;
        Ok(Self { overlay, base: snapshot.base.clone(), snapshot: snapshot.facts().path.clone() })
    }

    /// A connection that writes, with SQLite's own settings.
    ///
    /// # Errors
    /// When the copy cannot be opened.
    pub fn open(&self) -> Result<Connection, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        self.overlay.open(flags).doing(|| "opening the copy".to_owned())
    }

    /// A read-only connection, once no other connection writes.
    ///
    /// # Errors
    /// When the copy cannot be opened.
    pub fn connect(&self) -> Result<Connection, Error> {
        let doing = || "reading the migrated copy".to_owned();
        self.overlay.settle().doing(doing)?;
        connection::reader(&self.overlay.uri()).doing(doing)
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

    /// Its size in bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.overlay.bytes()
    }

    /// Writes the copy beside `to`, as one file without sidecars that only its owner may read. No connection to it may be open.
    ///
    /// # Errors
    /// Those of [`check_keep_target`], and when the file cannot be written.
    pub fn keep(self, to: &Path, observer: &dyn Observer) -> Result<Kept, Error> {
        check_keep_target(to, &self.snapshot)?;
        let doing = || keeping(to);
        self.overlay.settle().doing(doing)?;
        let mut complete = tempfile::Builder::new().prefix(".rehearse-").tempfile_in(folder_of(to)).doing(doing)?;
        let work = Work::begin(observer, Stage::Keep, Some(self.bytes()));
        self.write_to(complete.as_file_mut(), &work).and_then(|()| complete.as_file().sync_all()).doing(doing)?;
        work.finish();
        Ok(Kept { complete, to: to.to_path_buf() })
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
    complete: NamedTempFile,
    to: PathBuf,
}

impl Kept {
    /// Puts the copy in its place. Nothing is overwritten.
    ///
    /// # Errors
    /// When there is a file meanwhile, or the folder cannot be written.
    pub fn appear(self) -> Result<(), Error> {
        let doing = || keeping(&self.to);
        self.complete.persist_noclobber(&self.to).map_err(|error| error.error).doing(doing)?;
        Ok(())
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

fn is_same_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| path.metadata().map(|metadata| (metadata.dev(), metadata.ino())).ok();
    identity(one).is_some_and(|one| Some(one) == identity(other))
}

fn is_sidecar_of(to: &Path, snapshot: &Path) -> bool {
    let (Ok(folder), Some(name)) = (folder_of(to).canonicalize(), to.file_name()) else { return false };
    // As given too: a person who puts the link's target in its place would have SQLite read the file.
    let given = snapshot.file_name().and_then(|name| Some(folder_of(snapshot).canonicalize().ok()?.join(name)));
    let databases = snapshot.canonicalize().into_iter().chain(given);
    let is_beside = |db: PathBuf| SIDECARS.into_iter().any(|suffix| beside(&db, suffix) == folder.join(name));
    databases.into_iter().any(is_beside)
}
