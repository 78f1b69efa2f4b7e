//! The disposable database on which migrations run.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::location::{beside, folder_of};
use super::workspace::Workspace;
use super::{Snapshot, connection, imprint::Content, recovery};
use crate::error::{Doing, Error};

const SIDECARS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// A database that may be written and thrown away.
#[derive(Debug)]
pub struct WorkingCopy {
    path: PathBuf,
    snapshot: PathBuf,
}

impl WorkingCopy {
    /// Copies the state before the migrations to `name`, a file name, in the workspace.
    ///
    /// # Errors
    /// When there is such a file already, or the disk is full.
    pub fn of(snapshot: &Snapshot, workspace: &Workspace, name: &str) -> Result<Self, Error> {
        let path = workspace.file(name);
        duplicate(snapshot.before(), &path).doing(|| format!("making a copy to rehearse on, `{}`", path.display()))?;
        Ok(Self { path, snapshot: snapshot.facts().path.clone() })
    }

    /// Where the copy is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A read-only connection, once no other connection writes.
    ///
    /// # Errors
    /// When the copy cannot be opened.
    pub fn connect(&self) -> Result<Connection, Error> {
        let doing = || "reading the migrated copy".to_owned();
        recovery::recover(&self.path).doing(doing)?;
        connection::reader(&self.path).doing(doing)
    }

    /// Removes the copy. No connection to it may be open.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn discard(self) -> Result<(), Error> {
        std::fs::remove_file(&self.path).doing(|| format!("removing the copy `{}`", self.path.display()))
    }

    /// Moves the copy to `to` as one file without sidecars. No connection to it may be open. Nothing is overwritten, `to` appears
    /// only when it is complete, and only its owner may read it.
    ///
    /// # Errors
    /// Those of [`check_keep_target`], and when the file cannot be written.
    pub fn keep(self, to: &Path) -> Result<(), Error> {
        check_keep_target(to, &self.snapshot)?;
        let doing = || keeping(to);
        recovery::recover(&self.path).doing(doing)?;
        let mut complete = tempfile::Builder::new().prefix(".rehearse-").tempfile_in(folder_of(to)).doing(doing)?;
        File::open(&self.path)
            .and_then(|mut copy| Content::pour(&mut copy, complete.as_file_mut(), |_| ()))
            .and_then(|_| complete.as_file().sync_all())
            .doing(doing)?;
        complete.persist_noclobber(to).map_err(|error| error.error).doing(doing)?;
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

/// Shares the blocks where the file system can.
fn duplicate(from: &Path, to: &Path) -> io::Result<()> {
    if reflink_copy::reflink(from, to).is_ok() {
        return Ok(());
    }
    let mut to = File::create_new(to)?;
    io::copy(&mut File::open(from)?, &mut to)?;
    Ok(())
}
