//! The private folder of one rehearsal, and what else must not outlive it.

mod mark;
mod removal;

use std::fs::{DirBuilder, File, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::CWD;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::iterator::Signals;

use super::location::beside;
use crate::error::{Doing, Error};

/// What a signal must end and remove.
static LIVE: Mutex<Live> = Mutex::new(Live { folders: Vec::new(), unnamed: Vec::new(), groups: Vec::new() });

struct Live {
    folders: Vec<Folder>,
    /// Files without a name that must be overwritten.
    unnamed: Vec<Arc<File>>,
    groups: Vec<Pid>,
}

struct Folder {
    path: PathBuf,
    shred: bool,
}

/// What the names of private folders begin with; six random letters and digits follow.
const PREFIX: &str = "rehearse-";

/// The signals that ask a process to end.
const ENDING: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

const INTERRUPTED: i32 = 130;

/// How long after the first a signal is still the same request.
const TOGETHER: Duration = Duration::from_millis(500);

/// The private folder (0700) of one rehearsal. It holds production data, so it is removed when dropped, when a panic unwinds
/// and, after [`remove_on_signal`], when a signal ends the process. What a killed process leaves the next one removes that makes a folder
/// in the same place, once it is a day old.
#[derive(Debug)]
pub struct Workspace {
    path: PathBuf,
    shred: bool,
    left_behind: Vec<(PathBuf, io::Error)>,
    /// Says that this process lives, as long as it is open; a part has that of the whole.
    _mark: Option<File>,
}

impl Workspace {
    /// Makes the folder below `below`, or in the system's temporary folder (`TMPDIR`).
    ///
    /// # Errors
    /// When the folder cannot be made there.
    pub fn create(below: Option<&Path>) -> Result<Self, Error> {
        Self::create_with(below, false)
    }

    /// As [`Workspace::create`]; with `shred` the files in it are overwritten before they are removed.
    ///
    /// # Errors
    /// As [`Workspace::create`].
    pub fn create_with(below: Option<&Path>, shred: bool) -> Result<Self, Error> {
        let parent = below.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let cannot = |error: io::Error| {
            Error::cannot(format!("making a private folder in `{}`", parent.display()), error)
                .hint("set `TMPDIR` to a folder that you may write to")
        };
        let parent = parent.canonicalize().map_err(cannot)?;
        let left_behind = mark::sweep(&parent, shred);
        // Held while the folder is made: a signal between making and registering would leave it behind.
        let mut live = live();
        let path = private_folder(&parent).map_err(cannot)?;
        live.folders.push(Folder { path: path.clone(), shred });
        let mark = mark::set(&path).map_err(|error| {
            live.forget(&path);
            remove(&path, false);
            cannot(error)
        })?;
        Ok(Self { path, shred, left_behind, _mark: Some(mark) })
    }

    /// A private folder in this one, for one of many databases. It is removed when it is dropped, which must be before this one is.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub fn part(&self) -> Result<Self, Error> {
        static NUMBER: AtomicU64 = AtomicU64::new(1);
        let path = self.file(&format!("part-{}", NUMBER.fetch_add(1, Ordering::Relaxed)));
        // Held as for a folder.
        let _live = live();
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .doing(|| format!("making a private folder in `{}`", self.path.display()))?;
        Ok(Self { path, shred: self.shred, left_behind: Vec::new(), _mark: None })
    }

    /// Whether the files in it are overwritten before they are removed.
    #[must_use]
    pub fn shreds(&self) -> bool {
        self.shred
    }

    /// What killed rehearsals of this user left in the same place and could not be removed, and why.
    #[must_use]
    pub fn left_behind(&self) -> &[(PathBuf, io::Error)] {
        &self.left_behind
    }

    /// The folder, as an absolute path without symbolic links.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The path of a file in the folder; nothing is created.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// A path `stem.db`, or `stem-2.db` and so on, at which there is no file yet.
    pub(crate) fn unused(&self, stem: &str) -> PathBuf {
        let numbered = (2..).map(|number| self.file(&format!("{stem}-{number}.db")));
        let mut names = std::iter::once(self.file(&format!("{stem}.db"))).chain(numbered);
        names.find(|name| !name.exists()).unwrap_or_else(|| self.file(stem))
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let mut live = live();
        remove(&self.path, self.shred);
        live.forget(&self.path);
    }
}

impl Live {
    fn forget(&mut self, path: &Path) {
        self.folders.retain(|folder| folder.path != path);
    }

    /// Whether what lies there is overwritten before it is removed.
    fn shreds(&self, path: &Path) -> bool {
        self.folders.iter().any(|folder| folder.shred && path.starts_with(&folder.path))
    }
}

/// A private file without a name, so that nothing is left of it whatever happens to the process.
#[derive(Debug)]
pub(super) struct Unnamed {
    file: Arc<File>,
    shred: bool,
}

impl Unnamed {
    /// Makes the file on the disk of a folder, which may be a workspace.
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        // Held as for a folder.
        let mut live = live();
        let file = Arc::new(tempfile::tempfile_in(folder)?);
        file.set_permissions(Permissions::from_mode(0o600))?;
        let shred = live.shreds(folder);
        if shred {
            live.unnamed.push(Arc::clone(&file));
        }
        Ok(Self { file, shred })
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        if self.shred {
            removal::overwrite(&self.file);
            live().unnamed.retain(|other| !Arc::ptr_eq(other, &self.file));
        }
    }
}

/// Removes a file, which may lie in a workspace.
pub(super) fn remove_file(path: &Path) -> io::Result<()> {
    if live().shreds(path) {
        removal::overwrite_named(CWD, path);
    }
    std::fs::remove_file(path)
}

/// Gives a file in a workspace that is to be shredded a second name, `.shred` behind its own: whoever removes it under its own name
/// leaves what it holds to be overwritten with the folder.
pub(super) fn keep_to_shred(path: &Path) -> io::Result<()> {
    if path.exists() && live().shreds(path) {
        std::fs::hard_link(path, beside(path, ".shred"))?;
    }
    Ok(())
}

/// A command with everything that it starts, in a process group of its own. All of it is ended when this is dropped and, after
/// [`remove_on_signal`], when a signal ends the process.
pub(crate) struct Group {
    /// The command.
    pub child: Child,
}

impl Group {
    /// Starts the command.
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        // Held while it starts, as for a folder.
        let mut live = live();
        let child = command.process_group(0).spawn()?;
        live.groups.push(Pid::from_child(&child));
        Ok(Self { child })
    }

    /// Waits for the end of the command; then ends what it left running.
    pub(super) fn wait(mut self) -> io::Result<ExitStatus> {
        // Not taken note of yet: its number stays its own until the rest of the group is ended.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(Errno::INTR) = rustix::process::waitid(WaitId::Pid(Pid::from_child(&self.child)), options) {}
        self.end()
    }

    /// Waits for the end of the command, but not longer than this; then ends what is left running. None where the time was over.
    pub(crate) fn wait_for(mut self, limit: Duration) -> io::Result<Option<ExitStatus>> {
        let started = Instant::now();
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        let child = Pid::from_child(&self.child);
        let mut pause = Duration::from_millis(1);
        loop {
            match rustix::process::waitid(WaitId::Pid(child), options) {
                Ok(Some(_)) => return self.end().map(Some),
                Ok(None) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if started.elapsed() >= limit {
                return self.end().map(|_| None);
            }
            std::thread::sleep(pause);
            pause = (2 * pause).min(Duration::from_millis(50));
        }
    }

    fn end(&mut self) -> io::Result<ExitStatus> {
        let mut live = live();
        let group = Pid::from_child(&self.child);
        // Where the child was waited for already the group is gone, and its number may be another's.
        if let Some(place) = live.groups.iter().position(|other| *other == group) {
            live.groups.swap_remove(place);
            end(group);
        }
        self.child.wait()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// From now on SIGINT, SIGTERM and SIGHUP end every live command, remove every live workspace and end the process with exit code 130. A second signal
/// ends it at once, but not one that comes with the first: npm passes on to its children what a terminal has sent them already. What is done
/// `at_last` must not take long.
///
/// # Errors
/// When the system does not let the process handle signals.
pub fn remove_on_signal(at_last: impl Fn() + Send + 'static) -> Result<(), Error> {
    let doing = || "preparing for signals".to_owned();
    // A write beyond the limit on file sizes (`ulimit -f`) shall fail like one on a full disk.
    signal_hook::flag::register(SIGXFSZ, Arc::new(AtomicBool::new(false))).doing(doing)?;
    let mut signals = Signals::new(ENDING).doing(doing)?;
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            if signals.forever().next().is_none() {
                return;
            }
            let first = Instant::now();
            let _ = std::thread::Builder::new().name("second signal".into()).spawn(move || {
                while signals.forever().next().is_some() {
                    if first.elapsed() > TOGETHER {
                        signal_hook::low_level::exit(INTERRUPTED);
                    }
                }
            });
            leave(INTERRUPTED, at_last);
        })
        .doing(doing)?;
    Ok(())
}

/// Ends every live command, removes every live workspace and ends the process with this exit code.
pub fn leave(code: i32, at_last: impl FnOnce()) -> ! {
    // Held until the end: nobody makes another folder or starts another command meanwhile.
    let live = live();
    live.groups.iter().for_each(|group| end(*group));
    live.unnamed.iter().for_each(|file| removal::overwrite(file));
    live.folders.iter().for_each(|folder| remove(&folder.path, folder.shred));
    at_last();
    std::process::exit(code)
}

fn private_folder(parent: &Path) -> io::Result<PathBuf> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(PREFIX).permissions(Permissions::from_mode(0o700));
    Ok(builder.tempdir_in(parent)?.keep())
}

fn remove(path: &Path, shred: bool) {
    let _ = removal::open(path).map(|folder| removal::remove(&folder, path, shred));
}

/// A group of which nothing is left is no error.
fn end(group: Pid) {
    let _ = rustix::process::kill_process_group(group, Signal::KILL);
}

fn live() -> MutexGuard<'static, Live> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
