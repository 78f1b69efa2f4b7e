//! Copies the snapshot through SQLite while an app has it open, without keeping the app from writing.

use std::fs::File;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

use super::imprint::{Depth, Imprint};
use super::location::{Location, folder_of};
use super::{Method, Taken, connection, discard, space};
use crate::error::Error;
use crate::observer::{Observer, Work};
use crate::sqlite_file::header::Header;

/// In rollback mode writers wait while a step reads; between two steps they get in.
const FIRST_STEP_PAGES: i32 = 1000;

/// The bytes of the longest step: less than a second of a slow disk, where most drivers let a writer wait for five.
const LONGEST_STEP: u64 = 64 << 20;

/// Between two steps: a writer that tries again and again gets in.
const PAUSE: Duration = Duration::from_millis(2);

/// How often steps of that length may be in vain.
const RESTARTS: usize = 3;

/// Copies a consistent state of the database into the new file `to`. `None` when SQLite cannot read it without writing, as on a
/// hot journal, or waited in vain for a writer.
pub(super) fn take(
    location: &Location,
    header: &Header,
    to: &Path,
    depth: Depth,
    work: &Work,
    observer: &dyn Observer,
) -> Result<Option<Taken>, Error> {
    let cannot = |error: std::io::Error| location.error(error);
    space::refuse_when_full(&folder_of(to), location.bytes().map_err(cannot)?)?;
    discard(to).map_err(cannot)?;
    // Before SQLite opens the file: closing a descriptor of it later would drop SQLite's locks.
    let imprint = Imprint::of(location, depth, observer).map_err(cannot)?;
    match copy(&location.db, header, to, work) {
        Ok(()) => Ok(Some(Taken { imprint, method: Method::Backup })),
        Err(_) => Ok(None),
    }
}

fn copy(from: &Path, header: &Header, to: &Path, work: &Work) -> rusqlite::Result<()> {
    let source = connection::live(from)?;
    if header.is_wal() {
        // A reader in WAL mode blocks nobody, and holding one state means that writers cannot make the backup start again.
        source.execute_batch("BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1")?;
    }
    let mut copy = empty(to)?;
    run(&Backup::new(&source, &mut copy)?, u64::from(header.page_size), work)?;
    copy.close().map_err(|(_, error)| error)
}

/// Steps to the end. SQLite starts again when another process wrote between two steps; each time the steps get longer, so that
/// a busy app does not keep the backup from ending, until they would keep the app from writing.
fn run(backup: &Backup, page_size: u64, work: &Work) -> rusqlite::Result<()> {
    let mut pages = FIRST_STEP_PAGES;
    let longest = i32::try_from(LONGEST_STEP / page_size.max(1)).unwrap_or(i32::MAX);
    let (mut copied, mut restarts) = (0, 0);
    loop {
        let step = backup.step(pages)?;
        let progress = backup.progress();
        let bytes = |pages: i32| u64::try_from(pages).unwrap_or(0) * page_size;
        let now = progress.pagecount.saturating_sub(progress.remaining);
        work.expect(bytes(progress.pagecount));
        work.reach(bytes(now));
        match step {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ => return Err(busy()),
        }
        if now <= copied && pages < longest {
            pages = pages.saturating_mul(2).min(longest);
        } else if now <= copied {
            restarts += 1;
        }
        if restarts > RESTARTS {
            return Err(busy());
        }
        std::thread::sleep(PAUSE);
        copied = now;
    }
}

/// A database without content, to be filled. A crash needs no recovery: the workspace is gone then.
fn empty(path: &Path) -> rusqlite::Result<Connection> {
    let created = File::create(path);
    created.map_err(|_| cannot_open())?;
    let connection = connection::private(path)?;
    connection.execute_batch("PRAGMA journal_mode = off; PRAGMA synchronous = off")?;
    Ok(connection)
}

fn busy() -> rusqlite::Error {
    failure(rusqlite::ffi::SQLITE_BUSY)
}

fn cannot_open() -> rusqlite::Error {
    failure(rusqlite::ffi::SQLITE_CANTOPEN)
}

fn failure(code: i32) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)
}
