//! The memory that connections in WAL mode share: the index of the log, and its eight locks.
//!
//! Source: <https://sqlite.org/walformat.html#the_wal_index_file_format>, and `unixShmLock` in SQLite's `os_unix.c`.

use std::ffi::c_void;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// `SQLITE_SHM_NLOCK`.
const LOCKS: usize = 8;

/// What the connections share.
#[derive(Debug, Default)]
pub(super) struct Shm {
    regions: Vec<Region>,
    /// For each lock how many hold it shared, or -1 where one holds it alone.
    locks: [i32; LOCKS],
    /// Connections that have a region.
    users: usize,
}

/// Aligned, and written through pointers that an `Arc`, unlike a `Box`, leaves valid when it is moved: SQLite orders the accesses.
type Region = Arc<[AtomicU64]>;

/// What one connection holds of it.
#[derive(Debug, Default)]
pub(super) struct Held {
    uses: bool,
    /// A bit for each lock.
    shared: u8,
    exclusive: u8,
}

impl Shm {
    /// A region of `bytes`, zeros at first, at an address that stays until the last connection is gone. None where it does not
    /// exist and must not be made.
    pub(super) fn region(&mut self, held: &mut Held, index: usize, bytes: usize, make: bool) -> Option<*mut c_void> {
        if !held.uses {
            held.uses = true;
            self.users += 1;
        }
        while make && self.regions.len() <= index {
            self.regions.push((0..bytes.div_ceil(8)).map(|_| AtomicU64::new(0)).collect());
        }
        let region = self.regions.get(index)?;
        Some(region.as_ptr().cast_mut().cast())
    }

    /// Takes locks, one shared or several alone. False where another connection is in the way.
    #[must_use]
    pub(super) fn lock(&mut self, held: &mut Held, which: Range<usize>, alone: bool) -> bool {
        let Some(locks) = self.locks.get_mut(which.clone()) else { return false };
        let mask = mask(which);
        if alone {
            if locks.iter().any(|lock| *lock != 0) {
                return false;
            }
            locks.fill(-1);
            held.exclusive |= mask;
        } else if held.shared & mask == 0 {
            if locks.iter().any(|lock| *lock < 0) {
                return false;
            }
            for lock in locks {
                *lock += 1;
            }
            held.shared |= mask;
        }
        true
    }

    /// Gives locks back; those that are not held stay.
    pub(super) fn unlock(&mut self, held: &mut Held, which: Range<usize>) {
        for number in which.start..which.end.min(LOCKS) {
            let bit = mask(number..number + 1);
            if held.exclusive & bit != 0 {
                self.locks[number] = 0;
            } else if held.shared & bit != 0 {
                self.locks[number] -= 1;
            }
            held.exclusive &= !bit;
            held.shared &= !bit;
        }
    }

    /// The connection has no more use for the regions. The last one's go, so that the next one makes the index anew; says whether
    /// they are gone.
    pub(super) fn leave(&mut self, held: &mut Held) -> bool {
        self.unlock(held, 0..LOCKS);
        if std::mem::take(&mut held.uses) {
            self.users -= 1;
        }
        if self.users == 0 {
            self.regions.clear();
        }
        self.users == 0
    }
}

fn mask(which: Range<usize>) -> u8 {
    which.filter(|number| *number < LOCKS).fold(0, |mask, number| mask | 1 << number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_shared_or_held_alone() {
        let (mut shm, mut one, mut other) = (Shm::default(), Held::default(), Held::default());
        assert!(shm.lock(&mut one, 3..4, false) && shm.lock(&mut other, 3..4, false));
        assert!(shm.lock(&mut one, 3..4, false), "held already");
        assert!(!shm.lock(&mut one, 2..5, true) && shm.lock(&mut one, 0..3, true));
        assert!(!shm.lock(&mut other, 1..2, false));
        shm.unlock(&mut other, 3..4);
        shm.unlock(&mut other, 0..8);
        assert!(!shm.lock(&mut other, 3..4, true), "one still reads");
        shm.leave(&mut one);
        assert!(shm.lock(&mut other, 0..8, true));
    }

    #[test]
    fn regions_stay_until_the_last_is_gone() {
        let (mut shm, mut one, mut other) = (Shm::default(), Held::default(), Held::default());
        assert_eq!(shm.region(&mut one, 0, 32768, false), None);
        let first = shm.region(&mut one, 1, 32768, true);
        assert!(first.is_some() && shm.region(&mut other, 1, 32768, false) == first);
        shm.leave(&mut one);
        assert_eq!(shm.regions.len(), 2);
        shm.leave(&mut other);
        assert_eq!(shm.regions.len(), 0);
    }
}
