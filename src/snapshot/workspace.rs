//! The private folder of one rehearsal.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::error::{Doing, Error};

/// The folders that a signal must remove.
static LIVE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// The signals that ask a process to end.
const ENDING: [i32; 3] = [SIGINT, SIGTERM, SIGHUP];

const INTERRUPTED: i32 = 130;

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
        live.push(path.clone());
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
        live.retain(|path| path != &self.path);
    }
}

/// From now on SIGINT, SIGTERM and SIGHUP remove every live workspace and end the process with exit code 130. A second signal
/// ends it at once.
///
/// # Errors
/// When the system does not let the process handle signals.
pub fn remove_on_signal() -> Result<(), Error> {
    let doing = || "preparing for signals".to_owned();
    let seen = Arc::new(AtomicBool::new(false));
    for signal in ENDING {
        // In this order: the first signal finds the flag unset, the second finds it set.
        signal_hook::flag::register_conditional_shutdown(signal, INTERRUPTED, Arc::clone(&seen)).doing(doing)?;
        signal_hook::flag::register(signal, Arc::clone(&seen)).doing(doing)?;
    }
    let mut signals = Signals::new(ENDING).doing(doing)?;
    std::thread::Builder::new()
        .name("signals".into())
        .spawn(move || {
            if signals.forever().next().is_some() {
                // Held until the end: nobody makes another folder meanwhile.
                let live = live();
                live.iter().for_each(|path| remove(path));
                std::process::exit(INTERRUPTED);
            }
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

fn live() -> MutexGuard<'static, Vec<PathBuf>> {
    LIVE.lock().unwrap_or_else(PoisonError::into_inner)
}
