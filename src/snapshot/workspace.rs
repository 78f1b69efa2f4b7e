//! The private folder of one rehearsal, and what else must not outlive it.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitId, WaitIdOptions};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::error::{Doing, Error};

/// What a signal must end and remove.
static LIVE: Mutex<Live> = Mutex::new(Live { folders: Vec::new(), groups: Vec::new() });

struct Live {
    folders: Vec<PathBuf>,
    groups: Vec<Pid>,
}

/// The signals that ask a process to end.
const ENDING: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

const INTERRUPTED: i32 = 130;

/// How long after the first a signal is still the same request.
const TOGETHER: Duration = Duration::from_millis(500);

/// The private folder (0700) of one rehearsal. It holds production data, so it is removed when dropped, when a panic unwinds
/// and, after [`remove_on_signal`], when a signal ends the process.
#[derive(Debug)]
pub struct Workspace {
    path: PathBuf,
}

impl Workspace {
    /// Makes the folder below `below`, or in the system's temporary folder (`TMPDIR`).
    ///
    /// # Errors
    /// When the folder cannot be made there.
    pub fn create(below: Option<&Path>) -> Result<Self, Error> {
        let parent = below.map_or_else(std::env::temp_dir, Path::to_path_buf);
        let doing = || format!("making a private folder in `{}`", parent.display());
        // Held while the folder is made: a signal between making and registering would leave it behind.
        let mut live = live();
        let path = parent
            .canonicalize()
            .and_then(|parent| private_folder(&parent))
            .doing(doing)
            .map_err(|error| error.hint("set `TMPDIR` to a folder that you may write to"))?;
        live.folders.push(path.clone());
        Ok(Self { path })
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
        remove(&self.path);
        live.folders.retain(|path| path != &self.path);
    }
}

/// A command with everything that it starts, in a process group of its own. All of it is ended when this is dropped and, after
/// [`remove_on_signal`], when a signal ends the process.
pub(crate) struct Group {
    /// The command.
    pub child: Child,
}

impl Group {
    /// Starts the command.
    pub(crate) fn start(command: &mut Command) -> std::io::Result<Self> {
        // Held while it starts, as for a folder.
        let mut live = live();
        let child = command.process_group(0).spawn()?;
        live.groups.push(Pid::from_child(&child));
        Ok(Self { child })
    }

    /// Waits for the end of the command; then ends what it left running.
    pub(super) fn wait(mut self) -> std::io::Result<ExitStatus> {
        // Not taken note of yet: its number stays its own until the rest of the group is ended.
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        while let Err(Errno::INTR) = rustix::process::waitid(WaitId::Pid(Pid::from_child(&self.child)), options) {}
        self.end()
    }

    /// Waits for the end of the command, but not longer than this; then ends what is left running. None where the time was over.
    pub(crate) fn wait_for(mut self, limit: Duration) -> std::io::Result<Option<ExitStatus>> {
        let deadline = Instant::now() + limit;
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
        let child = Pid::from_child(&self.child);
        let mut pause = Duration::from_millis(1);
        loop {
            match rustix::process::waitid(WaitId::Pid(child), options) {
                Ok(Some(_)) => return self.end().map(Some),
                Ok(None) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if Instant::now() >= deadline {
                return self.end().map(|_| None);
            }
            std::thread::sleep(pause);
            pause = (2 * pause).min(Duration::from_millis(50));
        }
    }

    fn end(&mut self) -> std::io::Result<ExitStatus> {
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
            // Held until the end: nobody makes another folder or starts another command meanwhile.
            let live = live();
            live.groups.iter().for_each(|group| end(*group));
            live.folders.iter().for_each(|path| remove(path));
            at_last();
            std::process::exit(INTERRUPTED);
        })
        .doing(doing)?;
    Ok(())
}

fn private_folder(parent: &Path) -> std::io::Result<PathBuf> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("rehearse-").permissions(Permissions::from_mode(0o700));
    Ok(builder.tempdir_in(parent)?.keep())
}

/// Removes the folder; again when a thread that still runs made a file in it meanwhile.
fn remove(path: &Path) {
    for _ in 0..10 {
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() == std::io::ErrorKind::DirectoryNotEmpty => {}
            _ => return,
        }
    }
}

/// A group of which nothing is left is no error.
fn end(group: Pid) {
    let _ = rustix::process::kill_process_group(group, Signal::KILL);
}

fn live() -> MutexGuard<'static, Live> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
