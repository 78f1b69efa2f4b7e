//! How private files go away.

use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, Mode, OFlags};
use rustix::io::Errno;

use super::mark;

/// How often a folder is emptied in which somebody still makes files.
const TRIES: usize = 10;

/// Opens a folder, never through a link in the place of its last name.
pub(super) fn open(path: &Path) -> rustix::io::Result<OwnedFd> {
    open_at(CWD, path)
}

/// Removes a folder with everything in it, and nothing that a link in it leads to; `shred` overwrites its files first. Its mark goes last:
/// what is left of a folder when this is interrupted is still known for what it is.
///
/// # Errors
/// When something in it cannot be removed; everything else is gone then.
pub(super) fn remove(folder: &OwnedFd, path: &Path, shred: bool) -> io::Result<()> {
    for _ in 1..TRIES {
        match remove_once(folder, path, shred) {
            Err(Errno::NOTEMPTY | Errno::EXIST) => {}
            outcome => return Ok(outcome?),
        }
    }
    Ok(remove_once(folder, path, shred)?)
}

/// Overwrites a file with zeros, as far as it can be written.
pub(super) fn overwrite(file: &File) {
    let zeros = vec![0; 1 << 20];
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    for offset in (0..length).step_by(zeros.len()) {
        let part = usize::try_from(length - offset).unwrap_or(usize::MAX).min(zeros.len());
        let _ = file.write_all_at(&zeros[..part], offset);
    }
    // What is not on the disk yet when the file is removed never gets there.
    let _ = file.sync_data();
}

/// Overwrites the file of this name. A link is left alone, and so is a file that has another name too: it may be somebody's own.
pub(super) fn overwrite_named(folder: impl AsFd, name: impl rustix::path::Arg) {
    let flags = OFlags::WRONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(file) = rustix::fs::openat(folder, name, flags, Mode::empty()).map(File::from) else { return };
    if file.metadata().is_ok_and(|metadata| metadata.is_file() && metadata.nlink() == 1) {
        overwrite(&file);
    }
}

fn open_at(folder: impl AsFd, name: impl rustix::path::Arg) -> rustix::io::Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(folder, name, flags, Mode::empty())
}

fn remove_once(folder: &OwnedFd, path: &Path, shred: bool) -> rustix::io::Result<()> {
    empty(folder, shred, Some(mark::NAME))?;
    match rustix::fs::unlinkat(folder, mark::NAME, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => rustix::fs::unlinkat(CWD, path, AtFlags::REMOVEDIR),
        Err(error) => Err(error),
    }
}

/// Goes on after an error; gives the first.
fn empty(folder: &OwnedFd, shred: bool, but: Option<&CStr>) -> rustix::io::Result<()> {
    // A command may have closed a folder of its own to writing.
    let _ = rustix::fs::fchmod(folder, Mode::RWXU);
    let mut outcome = Ok(());
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." && Some(name) != but {
            // Another thread may have moved it to its place meanwhile.
            outcome = outcome.and(match remove_entry(folder, name, shred) {
                Err(Errno::NOENT) => Ok(()),
                removed => removed,
            });
        }
    }
    outcome
}

fn remove_entry(folder: &OwnedFd, name: &CStr, shred: bool) -> rustix::io::Result<()> {
    if shred {
        overwrite_named(folder, name);
    }
    match rustix::fs::unlinkat(folder, name, AtFlags::empty()) {
        // Linux says that it is a folder, others that it is not permitted.
        Err(Errno::ISDIR | Errno::PERM) => {
            empty(&open_at(folder, name)?, shred, None)?;
            rustix::fs::unlinkat(folder, name, AtFlags::REMOVEDIR)
        }
        outcome => outcome,
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::PathBuf;

    use super::*;

    fn remove_at(path: &Path, shred: bool) {
        remove(&open(path).unwrap(), path, shred).unwrap();
    }

    /// A folder in which a command has left everything that there is.
    fn messy() -> (tempfile::TempDir, PathBuf) {
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("rehearse-abcdef");
        fs::create_dir_all(folder.join("closed/deeper")).unwrap();
        fs::create_dir(outside.path().join("own")).unwrap();
        fs::write(outside.path().join("own/file"), "own").unwrap();
        fs::write(folder.join("closed/deeper/file"), "rows").unwrap();
        symlink(outside.path().join("own"), folder.join("folder")).unwrap();
        symlink(outside.path().join("own/file"), folder.join("file")).unwrap();
        fs::hard_link(outside.path().join("own/file"), folder.join("twin")).unwrap();
        rustix::fs::mkfifoat(CWD, folder.join("pipe"), Mode::RWXU).unwrap();
        fs::write(folder.join(mark::NAME.to_str().unwrap()), "mark").unwrap();
        fs::set_permissions(folder.join("closed"), Permissions::from_mode(0o500)).unwrap();
        (outside, folder)
    }

    #[test]
    fn everything_in_it_goes_and_nothing_that_it_leads_to() {
        for shred in [false, true] {
            let (outside, folder) = messy();
            remove_at(&folder, shred);
            assert!(!folder.exists());
            assert_eq!(fs::read_to_string(outside.path().join("own/file")).unwrap(), "own", "shred: {shred}");
        }
    }

    #[test]
    fn a_link_in_its_place_is_not_followed() {
        let (outside, folder) = messy();
        let link = outside.path().join("rehearse-link");
        symlink(&folder, &link).unwrap();
        assert!(open(&link).is_err());
    }

    #[test]
    fn what_is_shredded_is_zeros_on_the_disk() {
        for (shred, found) in [(false, 1), (true, 0)] {
            let outside = tempfile::tempdir().unwrap();
            let folder = outside.path().join("rehearse-abcdef");
            fs::create_dir_all(folder.join("exec")).unwrap();
            let rows = vec![1; (1 << 20) + 7];
            let open_file = |name: &str| {
                fs::write(folder.join(name), &rows).unwrap();
                File::open(folder.join(name)).unwrap()
            };
            let files = [open_file("before.db"), open_file("exec/app.db")];
            remove_at(&folder, shred);
            for file in files {
                let mut after = vec![7; rows.len()];
                file.read_exact_at(&mut after, 0).unwrap();
                assert!(after.iter().all(|byte| *byte == found), "shred: {shred}");
            }
        }
    }
}
