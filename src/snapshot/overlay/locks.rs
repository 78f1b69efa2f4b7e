//! The locks on a database file between the connections of one process.
//!
//! Source: <https://sqlite.org/lockingv3.html>, and `unixLock` and `unixUnlock` in SQLite's `os_unix.c`.

/// How far a connection has locked the file. The order is that of SQLite's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(in crate::snapshot) enum Level {
    #[default]
    None,
    Shared,
    Reserved,
    Pending,
    Exclusive,
}

/// What all connections hold.
#[derive(Debug, Default)]
pub(super) struct Locks {
    /// Connections that hold at least a shared lock.
    readers: usize,
    /// What the one connection holds that holds more than a shared lock.
    writer: Level,
}

impl Level {
    /// From SQLite's number.
    pub(in crate::snapshot) fn from_number(number: i32) -> Self {
        match number {
            ..=0 => Self::None,
            1 => Self::Shared,
            2 => Self::Reserved,
            3 => Self::Pending,
            4.. => Self::Exclusive,
        }
    }
}

impl Locks {
    /// Raises what a connection holds. False where it must wait; `held` may be higher even then, so that no new readers come.
    #[must_use]
    pub(super) fn lock(&mut self, held: &mut Level, wanted: Level) -> bool {
        if *held >= wanted {
            return true;
        }
        let writes = *held > Level::Shared;
        if !writes && (self.writer >= Level::Pending || (self.writer > Level::None && wanted > Level::Shared)) {
            return false;
        }
        if *held == Level::None {
            self.readers += 1;
            *held = Level::Shared;
        }
        if wanted == Level::Shared {
            return true;
        }
        if wanted == Level::Exclusive && self.readers > 1 {
            // From shared at once, as for a hot journal, nothing is taken on the way.
            if writes {
                self.set(held, Level::Pending);
            }
            return false;
        }
        self.set(held, wanted);
        true
    }

    /// Lowers what a connection holds, to shared or none.
    pub(super) fn unlock(&mut self, held: &mut Level, wanted: Level) {
        if *held <= wanted {
            return;
        }
        if *held > Level::Shared {
            self.writer = Level::None;
        }
        if wanted == Level::None {
            self.readers -= 1;
        }
        *held = wanted;
    }

    /// Whether a connection intends to write.
    pub(super) fn is_reserved(&self) -> bool {
        self.writer > Level::None
    }

    fn set(&mut self, held: &mut Level, level: Level) {
        *held = level;
        self.writer = level;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Level::{Exclusive, None, Pending, Reserved, Shared};

    #[test]
    fn one_writes_and_others_read_until_it_commits() {
        let (mut locks, mut writer, mut reader) = (Locks::default(), None, None);
        assert!(locks.lock(&mut writer, Shared) && locks.lock(&mut reader, Shared));
        assert!(locks.lock(&mut writer, Reserved));
        assert!(!locks.lock(&mut reader, Reserved) && !locks.lock(&mut reader, Exclusive));
        assert!(locks.is_reserved());
        assert!(!locks.lock(&mut writer, Exclusive));
        assert_eq!((writer, reader), (Pending, Shared));
        let mut late = None;
        assert!(!locks.lock(&mut late, Shared));
        locks.unlock(&mut reader, None);
        assert!(locks.lock(&mut writer, Exclusive));
        locks.unlock(&mut writer, Shared);
        assert!(locks.lock(&mut late, Shared) && locks.lock(&mut late, Reserved));
        assert!(!locks.lock(&mut writer, Reserved));
    }

    #[test]
    fn a_hot_journal_is_rolled_back_by_one() {
        let (mut locks, mut one, mut other) = (Locks::default(), None, None);
        assert!(locks.lock(&mut one, Shared) && locks.lock(&mut other, Shared));
        assert!(!locks.lock(&mut one, Exclusive));
        assert_eq!(one, Shared);
        locks.unlock(&mut other, None);
        assert!(locks.lock(&mut one, Exclusive));
        assert!(!locks.lock(&mut other, Shared));
        locks.unlock(&mut one, None);
        assert_eq!((locks.readers, locks.writer), (0, None));
    }
}
