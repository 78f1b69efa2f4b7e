//! A copy as a plain file on the disk, to measure on; and an app beside the migrations, that reads and writes.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, ffi};

use super::confinement::Bounds;
use super::location::file_system;
use super::meter::Meter;
use super::metered::Metered;
use super::working_copy::{Session, WorkingCopy};
use super::workspace::Workspace;
use super::{connection, discard, space};
use crate::error::{Doing, Error};
use crate::observer::Observer;

/// A copy as a plain file on the disk; removed when it is dropped.
pub struct DiskCopy {
    path: PathBuf,
    meter: Arc<Meter>,
    metered: Metered,
    bounds: Bounds,
}

impl DiskCopy {
    /// Writes the copy to a file in the workspace. `growth` is how many bytes the migrations will need besides.
    ///
    /// # Errors
    /// When it does not fit on the disk.
    pub fn of(
        copy: WorkingCopy,
        growth: u64,
        bounds: Bounds,
        workspace: &Workspace,
        observer: &dyn Observer,
    ) -> Result<Self, Error> {
        let bytes = copy.bytes();
        space::refuse_when_full(workspace.path(), bytes.saturating_add(growth))?;
        let path = workspace.unused("measured.db");
        copy.keep(&path, observer)?.appear()?;
        let meter = Arc::new(Meter::of(bytes, 0));
        let metered = Metered::new(&meter)
            .map_err(|code| rusqlite::Error::SqliteFailure(ffi::Error::new(code), None))
            .doing(|| "opening the copy on the disk".to_owned())?;
        Ok(Self { path, meter, metered, bounds })
    }

    /// A connection on which migrations run, with this patience for locks.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(&self, busy_timeout: Duration) -> Result<Session, Error> {
        let vfs = self.metered.name().to_string_lossy();
        let open = || {
            let connection = connection::private_through(&vfs, &self.path)?;
            connection.busy_timeout(busy_timeout)?;
            Session::on(connection, self.bounds)
        };
        let session = open().doing(|| "opening the copy on the disk".to_owned())?;
        Ok(session.metered(Arc::clone(&self.meter)))
    }

    /// An app that reads and writes when this returns, until it is asked what it met.
    ///
    /// # Errors
    /// When its connections cannot be opened.
    pub fn bystanders(&self) -> Result<Bystanders, Error> {
        let doing = || "opening the copy on the disk".to_owned();
        let stop = Arc::new(AtomicBool::new(false));
        let (begins, begun) = mpsc::channel();
        let start = |begin: &'static str, end: &'static str| {
            let (path, stop, meter) = (self.path.clone(), Arc::clone(&stop), Arc::clone(&self.meter));
            let begins = begins.clone();
            let connection = connection::private(&path).doing(doing)?;
            connection.busy_timeout(Duration::ZERO).doing(doing)?;
            let watch = move || {
                begins.send(()).ok();
                Waits::of(&connection, [begin, end], &stop, &meter)
            };
            thread::Builder::new().name("bystander".into()).spawn(watch).doing(doing)
        };
        // What is read is a page and its lock, whatever the schema is meanwhile. What is written is nothing but a lock.
        let reader = start("BEGIN; PRAGMA schema_version", "COMMIT")?;
        let writer = start("BEGIN IMMEDIATE", "ROLLBACK")?;
        begun.iter().take(2).for_each(drop);
        Ok(Bystanders { stop, reader, writer })
    }
}

impl Drop for DiskCopy {
    fn drop(&mut self) {
        // What stays goes with the workspace.
        discard(&self.path).ok();
    }
}

/// A reader and a writer beside the migrations, each on a connection and a thread of its own.
pub struct Bystanders {
    stop: Arc<AtomicBool>,
    reader: JoinHandle<Waits>,
    writer: JoinHandle<Waits>,
}

/// What one of them met.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Waits {
    /// How often it came.
    pub tries: u64,
    /// How often it had to wait.
    pub waited: u64,
    /// The longest wait; none where it never had to.
    pub longest: Option<Wait>,
    /// Why it could not go on; none where it could.
    pub error: Option<String>,
}

/// A wait for a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wait {
    /// How long.
    pub time: Duration,
    /// Where in the run it began.
    pub place: usize,
}

/// How long each of them rests between two visits.
const REST: Duration = Duration::from_millis(1);
/// How long it waits before it tries again to get a lock.
const AGAIN: Duration = Duration::from_millis(1);

impl Bystanders {
    /// Ends them and tells what the reader and the writer met.
    #[must_use]
    pub fn end(self) -> [Waits; 2] {
        self.stop.store(true, Ordering::Relaxed);
        [self.reader, self.writer].map(|thread| thread.join().unwrap_or_default())
    }
}

impl Waits {
    fn of(connection: &Connection, [begin, end]: [&str; 2], stop: &AtomicBool, meter: &Meter) -> Self {
        let mut waits = Self::default();
        loop {
            waits.tries += 1;
            let (begun, place) = (Instant::now(), meter.place());
            let mut is_refused = false;
            let result = loop {
                let result = connection.execute_batch(begin);
                if !is_busy(&result) {
                    break result;
                }
                is_refused = true;
                roll_back(connection);
                thread::sleep(AGAIN);
            };
            if let Err(error) = result.and_then(|()| connection.execute_batch(end)) {
                // SQLite's own message may quote what stands in the database.
                let code = error.sqlite_error().map(|error| ffi::code_to_str(error.extended_code));
                waits.error = Some(code.unwrap_or("it could not go on").to_owned());
                return waits;
            }
            if is_refused {
                let wait = Wait { time: begun.elapsed(), place };
                waits.waited += 1;
                waits.longest = Some(waits.longest.filter(|longest| longest.time >= wait.time).unwrap_or(wait));
            }
            if stop.load(Ordering::Relaxed) {
                return waits;
            }
            thread::sleep(REST);
        }
    }
}

fn is_busy(result: &rusqlite::Result<()>) -> bool {
    result.as_ref().is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy))
}

fn roll_back(connection: &Connection) {
    if !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK").ok();
    }
}

impl std::fmt::Debug for DiskCopy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("DiskCopy").field("path", &self.path).finish_non_exhaustive()
    }
}

/// Whether a file would lie in memory and not on a disk.
#[must_use]
pub fn lies_in_memory(folder: &Path) -> bool {
    const TMPFS: u32 = 0x0102_1994;
    file_system(folder) == Some(TMPFS)
}
