//! Whether another process has the snapshot open, found out without taking a lock.
//!
//! SQLite on Unix uses POSIX locks on fixed bytes: of the database file from `PENDING_BYTE` on (`os.h`, "locking byte page"),
//! of the `-shm` file from byte 120 on, where byte 128 is held as long as a connection in WAL mode is open (`os_unix.c`,
//! `UNIX_SHM_BASE` and `UNIX_SHM_DMS`). `F_GETLK` only asks for them. Locks of the calling process itself are not seen.
//!
//! Closing any descriptor of a file drops the POSIX locks of the whole process on it, so nothing here may run while a
//! connection of this process is open on the snapshot.

use std::fs::File;
use std::path::Path;

use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::location::Location;

const PENDING: ByteRange = ByteRange { start: 0x4000_0000, length: 1 };
const RESERVED: ByteRange = ByteRange { start: 0x4000_0001, length: 1 };
const SHARED: ByteRange = ByteRange { start: 0x4000_0002, length: 510 };
const SHM: ByteRange = ByteRange { start: 120, length: 9 };

/// What other processes do with the snapshot at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Liveness {
    /// Nobody holds a lock. A connection in rollback mode that is between two transactions looks the same.
    Idle,
    /// Somebody reads, writes or is connected in WAL mode; reading through SQLite is possible.
    InUse,
    /// Somebody writes in rollback mode: `reserved` locks let readers in.
    Writing,
    /// Somebody keeps readers out.
    Exclusive,
}

#[derive(Clone, Copy)]
struct ByteRange {
    start: u64,
    length: u64,
}

impl Liveness {
    /// Asks for the locks of other processes.
    pub fn of(location: &Location) -> Self {
        let db = |range, wanted| is_refused(&location.db, range, wanted);
        if db(PENDING, FlockType::ReadLock) || db(SHARED, FlockType::ReadLock) {
            Self::Exclusive
        } else if db(RESERVED, FlockType::WriteLock) {
            Self::Writing
        } else if db(SHARED, FlockType::WriteLock) || is_refused(&location.shm, SHM, FlockType::WriteLock) {
            Self::InUse
        } else {
            Self::Idle
        }
    }
}

/// Whether a lock of another process would refuse this one. A file that does not exist and a file system without locks have
/// none to show.
fn is_refused(path: &Path, range: ByteRange, wanted: FlockType) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let mut lock = Flock::from(wanted);
    lock.start = range.start;
    lock.length = range.length;
    matches!(fcntl_getlk(&file, &lock), Ok(Some(_)))
}
