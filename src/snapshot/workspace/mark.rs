//! The mark of a private folder, by which what a killed rehearsal left is told from everything else.
//!
//! It is a file that the rehearsal holds a lock on as long as it lives; the system lets go of it when the process ends, however it ends.

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::{AtFlags, CWD, Dir, DirEntry, Mode, OFlags};

use super::{PREFIX, removal};

pub(super) const NAME: &CStr = c"rehearse.lock";

const CONTENT: &[u8] = b"The private folder of a rehearsal. Once nobody holds a lock on this file it can be removed.\n";

/// What is younger is not looked at: its mark may be about to be locked, and on a network file system the lock may not be seen at once.
const DAY: Duration = Duration::from_hours(24);

/// Marks a new folder. The lock is held until the file is closed; where the file system has no locks there is none, and the folder will
/// never be taken for a dead one.
pub(super) fn set(folder: &Path) -> io::Result<File> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mut mark = File::from(
        rustix::fs::openat(removal::open(folder)?, NAME, flags, Mode::RUSR | Mode::WUSR).map_err(io::Error::from)?,
    );
    let _ = mark.try_lock();
    mark.write_all(CONTENT)?;
    Ok(mark)
}

/// Removes from `parent` what killed rehearsals of this user left there more than a day ago; `shred` overwrites it first. Gives what could
/// not be removed, and why.
pub(super) fn sweep(parent: &Path, shred: bool) -> Vec<(PathBuf, io::Error)> {
    // Where the folder cannot be read, making one in it tells.
    let names = std::fs::read_dir(parent).into_iter().flatten().flatten().map(|entry| entry.file_name());
    let ours = names.filter(|name| name.as_encoded_bytes().starts_with(PREFIX.as_bytes()));
    let paths = ours.map(|name| parent.join(name));
    paths.filter_map(|path| remove_dead(&path, shred).err().map(|error| (path, error))).collect()
}

fn remove_dead(path: &Path, shred: bool) -> io::Result<()> {
    let Some(folder) = own_folder(path) else { return Ok(()) };
    match own_mark(&folder) {
        Some(mark) if is_old(&mark) && is_dead(&mark) => removal::remove(&folder, path, shred),
        Some(_) => Ok(()),
        None => {
            remove_unmarked(&folder, path);
            Ok(())
        }
    }
}

/// The folder, where it is a private one of this user.
fn own_folder(path: &Path) -> Option<OwnedFd> {
    let folder = File::from(removal::open(path).ok()?);
    let metadata = folder.metadata().ok()?;
    (is_own(&metadata) && metadata.mode() & 0o777 == 0o700).then(|| folder.into())
}

fn own_mark(folder: &OwnedFd) -> Option<File> {
    // Locks on network file systems want the file open for writing.
    let flags = OFlags::RDWR | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mark = File::from(rustix::fs::openat(folder, NAME, flags, Mode::empty()).ok()?);
    let metadata = mark.metadata().ok()?;
    let mut content = Vec::new();
    (&mark).take(CONTENT.len() as u64 + 1).read_to_end(&mut content).ok()?;
    (metadata.is_file() && is_own(&metadata) && content == CONTENT).then_some(mark)
}

fn is_own(metadata: &std::fs::Metadata) -> bool {
    metadata.uid() == rustix::process::geteuid().as_raw()
}

/// More than a day away from now: of a time that is yet to come the clock was wrong then or is now, so that it says nothing and the lock
/// alone decides.
fn is_old(file: &File) -> bool {
    let Ok(modified) = file.metadata().and_then(|metadata| metadata.modified()) else { return false };
    let away = SystemTime::now().duration_since(modified).unwrap_or_else(|ahead| ahead.duration());
    away > DAY
}

fn is_dead(mark: &File) -> bool {
    mark.try_lock().is_ok()
}

/// What is left where the process was killed before the mark was complete: a folder with nothing else in it.
fn remove_unmarked(folder: &OwnedFd, path: &Path) {
    let is_random = |name: &str| name.len() == 6 && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let name = path.file_name().and_then(|name| name.to_str()?.strip_prefix(PREFIX));
    let is_old = folder.try_clone().is_ok_and(|folder| is_old(&File::from(folder)));
    if name.is_some_and(is_random) && is_old && holds_only_a_mark(folder) {
        let _ = rustix::fs::unlinkat(folder, NAME, AtFlags::empty());
        let _ = rustix::fs::unlinkat(CWD, path, AtFlags::REMOVEDIR);
    }
}

fn holds_only_a_mark(folder: &OwnedFd) -> bool {
    let is_expected = |entry: DirEntry| [c".", c"..", NAME].contains(&entry.file_name());
    Dir::read_from(folder).is_ok_and(|entries| entries.flatten().all(is_expected))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    const SECONDS: i64 = 1;
    const DAYS: i64 = 24 * 60 * 60;

    /// A folder for folders.
    struct Parent(tempfile::TempDir);

    impl Parent {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        /// A private folder with rows in it, as a rehearsal makes it; its lock is held by the file that is given.
        fn workspace(&self, name: &str) -> (PathBuf, File) {
            let path = self.private(name);
            let mark = set(&path).unwrap();
            fs::write(path.join("before.db"), "rows").unwrap();
            (path, mark)
        }

        fn private(&self, name: &str) -> PathBuf {
            let path = self.0.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o700)).unwrap();
            path
        }

        fn sweep(&self) {
            assert!(sweep(self.0.path(), false).is_empty());
        }
    }

    /// Sets the time of what lies at `path` to this much from now.
    fn date(path: &Path, seconds: i64) {
        let by = Duration::from_secs(seconds.unsigned_abs());
        let time = if seconds < 0 { SystemTime::now() - by } else { SystemTime::now() + by };
        File::open(path).unwrap().set_modified(time).unwrap();
    }

    fn date_mark(folder: &Path, seconds: i64) {
        date(&folder.join(NAME.to_str().unwrap()), seconds);
    }

    #[test]
    fn what_a_dead_rehearsal_left_goes_after_a_day() {
        // A mark from the future is of a clock that was wrong.
        for (seconds, stays) in [
            (-2 * DAYS, false),
            (-DAYS - 60 * SECONDS, false),
            (-DAYS + 60 * SECONDS, true),
            (60 * SECONDS, true),
            (2 * DAYS, false),
            (9000 * DAYS, false),
        ] {
            let parent = Parent::new();
            let (path, mark) = parent.workspace("rehearse-abcdef");
            drop(mark);
            date_mark(&path, seconds);
            parent.sweep();
            assert_eq!(path.exists(), stays, "{seconds} s");
        }
    }

    #[test]
    fn a_rehearsal_that_lives_keeps_its_folder_whatever_its_time_is() {
        let parent = Parent::new();
        let (path, mark) = parent.workspace("rehearse-abcdef");
        for seconds in [-9000 * DAYS, -2 * DAYS, 0, 9000 * DAYS] {
            date_mark(&path, seconds);
            parent.sweep();
            assert!(path.join("before.db").exists(), "{seconds} s");
        }
        drop(mark);
    }

    #[test]
    fn what_is_not_ours_stays() {
        let parent = Parent::new();
        let old = |name: &str| {
            let (path, mark) = parent.workspace(name);
            drop(mark);
            path
        };
        let unmarked = old("rehearse-notes1");
        fs::remove_file(unmarked.join(NAME.to_str().unwrap())).unwrap();
        let other_mark = old("rehearse-others");
        fs::write(other_mark.join(NAME.to_str().unwrap()), "").unwrap();
        let other_name = old("something");
        let open_to_others = old("rehearse-opened");
        fs::set_permissions(&open_to_others, Permissions::from_mode(0o755)).unwrap();
        let file = parent.0.path().join("rehearse-a.txt");
        fs::write(&file, CONTENT).unwrap();
        let link = parent.0.path().join("rehearse-link");
        symlink(&other_name, &link).unwrap();
        let linked_mark = parent.private("rehearse-linking");
        symlink(other_name.join(NAME.to_str().unwrap()), linked_mark.join(NAME.to_str().unwrap())).unwrap();
        let empty = parent.private("rehearse-of-mine");
        let others = old("rehearse-abcdef");
        // Who may not give it away is not root, and finds nothing of others in a folder of its own.
        let is_given = std::os::unix::fs::chown(&others, Some(1), Some(1)).is_ok();
        for path in [&others, &unmarked, &other_mark, &other_name, &open_to_others] {
            let _ = File::open(path.join(NAME.to_str().unwrap()))
                .map(|mark| mark.set_modified(SystemTime::now() - 2 * DAY).unwrap());
            date(path, -2 * DAYS);
        }
        date(&file, -2 * DAYS);
        date(&linked_mark, -2 * DAYS);
        date(&empty, -2 * DAYS);
        parent.sweep();
        assert_eq!(others.exists(), is_given);
        for path in [unmarked, other_mark, other_name, open_to_others, file, link, linked_mark, empty] {
            assert!(path.symlink_metadata().is_ok(), "{}", path.display());
        }
    }

    #[test]
    fn a_folder_without_a_complete_mark_goes_where_nothing_else_is_in_it() {
        let parent = Parent::new();
        let [empty, marked, young, full] =
            ["a1B2c3", "d4E5f6", "g7H8i9", "j1K2l3"].map(|random| parent.private(&format!("rehearse-{random}")));
        fs::write(marked.join(NAME.to_str().unwrap()), "").unwrap();
        fs::write(full.join("notes"), "").unwrap();
        for path in [&empty, &marked, &full] {
            date(path, -2 * DAYS);
        }
        parent.sweep();
        assert_eq!([empty, marked, young, full].map(|path| path.exists()), [false, false, true, true]);
    }
}
