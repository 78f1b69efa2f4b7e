//! Where the snapshot is: the file behind the path that was given, and the names of its sidecars.

use std::ffi::OsString;
use std::fs::FileType;
use std::io::ErrorKind;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// What SQLite adds to the name of a database for the files that belong to it.
pub(super) const SIDECARS: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The snapshot's file and the files that SQLite keeps beside it.
#[derive(Debug, Clone)]
pub(super) struct Location {
    /// As the person wrote it.
    pub given: PathBuf,
    /// Absolute and without symbolic links: SQLite looks for sidecars beside this one.
    pub db: PathBuf,
    pub wal: PathBuf,
    pub shm: PathBuf,
    pub journal: PathBuf,
}

impl Location {
    /// Finds the file. A missing file, a folder and a special file are errors.
    pub fn find(given: &Path) -> Result<Self, Error> {
        let db = given.canonicalize().map_err(|error| cannot_reach(given, &error))?;
        let metadata = db.metadata().map_err(|error| cannot_reach(given, &error))?;
        if metadata.is_dir() {
            return Err(is_a_folder(given));
        }
        if !metadata.is_file() {
            let cause = format!("it is {}, not a file", special(metadata.file_type()));
            return Err(opening(given, cause)
                .hint(format!("give it as standard input: `rehearse --snapshot - < {}`", given.display())));
        }
        Ok(Self {
            given: given.to_path_buf(),
            wal: beside(&db, "-wal"),
            shm: beside(&db, "-shm"),
            journal: beside(&db, "-journal"),
            db,
        })
    }

    /// The same file under the name of what it was made of.
    pub fn called(self, given: &Path) -> Self {
        Self { given: given.to_path_buf(), ..self }
    }

    /// The file and its possible sidecars.
    pub fn files(&self) -> [&Path; 4] {
        [&self.db, &self.wal, &self.shm, &self.journal]
    }

    /// Adds to an error about the content that the log may be another database's: whatever opens both, also the shell, writes it
    /// into this one.
    pub fn doubting_the_log(&self, error: Error) -> Error {
        if self.wal.metadata().is_ok_and(|log| log.len() > 0) {
            let log = beside(&self.given, "-wal");
            error.hint(format!(
                "where `{}` belongs to another database, move it away before anything opens both",
                log.display()
            ))
        } else {
            error
        }
    }

    /// The bytes that a private copy takes: the file, its WAL and its journal.
    pub fn bytes(&self) -> std::io::Result<u64> {
        let size = |sidecar: &Path| sidecar.metadata().map_or(0, |metadata| metadata.len());
        Ok(self.db.metadata()?.len() + size(&self.wal) + size(&self.journal))
    }

    /// Whether the times of the file tell every write: not on file systems of other machines, whose word may be old, and on those
    /// that round times to seconds. The numbers are those of `statfs(2)`.
    pub fn has_exact_times(&self) -> bool {
        // NFS, SMB, CIFS, SMB2, FUSE, 9P, Ceph, AFS, Coda, Lustre, VirtualBox; FAT, exFAT, HFS, HFS+.
        const OTHERS: [u32; 15] = [
            0x6969,
            0x517b,
            0xff53_4d42,
            0xfe53_4d42,
            0x6573_5546,
            0x0102_1997,
            0x00c3_6400,
            0x5346_414f,
            0x7375_7245,
            0x0bd0_0bd0,
            0x786f_4256,
            0x4d44,
            0x2011_bab0,
            0x4244,
            0x482b,
        ];
        file_system(&self.db).is_some_and(|number| !OTHERS.contains(&number))
    }

    /// The command that copies a database which an app has open, for hints.
    pub fn backup_command(&self) -> String {
        format!("`sqlite3 {} \".backup copy.db\"`", self.given.display())
    }

    /// An error about this snapshot.
    pub fn error(&self, cause: impl std::fmt::Display) -> Error {
        opening(&self.given, cause)
    }
}

/// The path of a sidecar: SQLite appends to the whole file name.
pub(super) fn beside(db: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(db);
    name.push(suffix);
    name.into()
}

/// An error about the snapshot at `given`.
pub(super) fn opening(given: &Path, cause: impl std::fmt::Display) -> Error {
    Error::cannot(format!("opening the snapshot `{}`", given.display()), cause)
}

fn cannot_reach(given: &Path, error: &std::io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => missing(given),
        ErrorKind::PermissionDenied => opening(given, "no permission to read it"),
        _ => opening(given, error),
    }
}

fn missing(given: &Path) -> Error {
    let error = opening(given, "the file does not exist");
    if given.is_symlink() {
        let target = std::fs::read_link(given).unwrap_or_default();
        return error.hint(format!("it is a symbolic link to `{}`, which does not exist", target.display()));
    }
    if given.to_string_lossy().contains(['*', '?', '[']) {
        return error.hint("a pattern of several databases is taken by a rehearsal only: name one of them here");
    }
    let folder = folder_of(given);
    if !folder.is_dir() {
        return error.hint(format!("there is no folder `{}`", folder.display()));
    }
    let similar = similar_names(given, &folder);
    if !similar.is_empty() {
        return error.hint(format!("did you mean {}?", listed(&similar)));
    }
    match std::env::current_dir() {
        Ok(here) if given.is_relative() => error.hint(format!("the path is relative to `{}`", here.display())),
        _ => error,
    }
}

fn is_a_folder(given: &Path) -> Error {
    let error = opening(given, "it is a folder");
    let databases: Vec<_> = names_in(given).into_iter().filter(|name| looks_like_a_database(name)).take(5).collect();
    if databases.is_empty() {
        return error.hint("name the database file in it");
    }
    let paths: Vec<_> = databases.iter().map(|name| given.join(name).display().to_string()).collect();
    error.hint(format!("name the database file, for example {}", listed(&paths)))
}

fn special(kind: FileType) -> &'static str {
    if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

pub(super) fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Up to three names in `folder` that are spelled much like the one that was given.
fn similar_names(given: &Path, folder: &Path) -> Vec<String> {
    let Some(wanted) = given.file_name().and_then(|name| name.to_str()) else { return Vec::new() };
    let names = names_in(folder);
    let names: Vec<&str> = names.iter().map(String::as_str).filter(|name| !is_sidecar(name)).collect();
    similar::get_close_matches(wanted, &names, 3, 0.6)
        .into_iter()
        .map(|name| given.with_file_name(name).display().to_string())
        .collect()
}

/// The names of the files in a folder, in order; nothing where the folder cannot be read.
fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort();
    names
}

fn looks_like_a_database(name: &str) -> bool {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| ["db", "db3", "sqlite", "sqlite3"].contains(&extension))
}

fn is_sidecar(name: &str) -> bool {
    ["-wal", "-shm", "-journal"].iter().any(|suffix| name.ends_with(suffix))
}

fn listed(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}

/// Whether both paths lead to the same file.
pub(super) fn is_same_file(one: &Path, other: &Path) -> bool {
    let identity = |path: &Path| path.metadata().map(|metadata| (metadata.dev(), metadata.ino())).ok();
    identity(one).is_some_and(|one| Some(one) == identity(other))
}

/// Whether SQLite would read the file together with the snapshot.
pub(super) fn is_sidecar_of(to: &Path, snapshot: &Path) -> bool {
    let (Ok(folder), Some(name)) = (folder_of(to).canonicalize(), to.file_name()) else { return false };
    // As given too: a person who puts the link's target in its place would have SQLite read the file.
    let given = snapshot.file_name().and_then(|name| Some(folder_of(snapshot).canonicalize().ok()?.join(name)));
    let databases = snapshot.canonicalize().into_iter().chain(given);
    let is_beside = |db: PathBuf| SIDECARS.into_iter().any(|suffix| beside(&db, suffix) == folder.join(name));
    databases.into_iter().any(is_beside)
}

/// The number of the file system that a path lies on, as `statfs(2)` has it.
pub(super) fn file_system(path: &Path) -> Option<u32> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "only these bits are defined")]
    rustix::fs::statfs(path).ok().map(|system| system.f_type as u32)
}
