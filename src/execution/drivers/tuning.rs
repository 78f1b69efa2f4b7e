//! How the drivers set a connection up, or compile their SQLite, as far as it decides how long it takes, how much it writes and how
//! long it waits for a lock.

use std::time::Duration;

use crate::execution::Driver;

/// What a fresh connection of a driver is set to.
#[derive(Debug, PartialEq, Eq)]
pub struct Tuning {
    /// The names of the drivers.
    drivers: &'static [&'static str],
    /// `PRAGMA cache_size`: pages, or KiB where it is negative.
    pub cache_size: i64,
    /// `PRAGMA synchronous` with a rollback journal.
    pub synchronous: &'static str,
    /// The same in WAL mode.
    pub synchronous_in_wal: &'static str,
    /// Whether what is deleted is overwritten, so that it is written too.
    pub secure_delete: bool,
    /// Whether there are no temporary files.
    pub temporary_in_memory: bool,
    /// How long it waits for a lock before it gives up.
    pub busy_timeout: Duration,
    /// Whose settings these are: the driver and version that they were measured with, or whose source has them.
    pub source: &'static str,
}

/// SQLite's own settings.
const SQLITE: Tuning = Tuning {
    drivers: &[],
    cache_size: -2000,
    synchronous: "FULL",
    synchronous_in_wal: "FULL",
    secure_delete: false,
    temporary_in_memory: false,
    busy_timeout: Duration::ZERO,
    source: "SQLite itself",
};

const FIVE_SECONDS: Duration = Duration::from_secs(5);

/// Those that were measured, which `tests/conformance` repeats for better-sqlite3 and libsql, or looked up.
static TUNINGS: [Tuning; 7] = [
    Tuning {
        drivers: &["better-sqlite3"],
        cache_size: -16000,
        synchronous_in_wal: "NORMAL",
        busy_timeout: FIVE_SECONDS,
        source: "better-sqlite3 12.11.1",
        ..SQLITE
    },
    Tuning { drivers: &["node-sqlite", "node:sqlite"], source: "Node 22.23.3", ..SQLITE },
    Tuning { drivers: &["libsql"], temporary_in_memory: true, source: "@libsql/client 0.18.0", ..SQLITE },
    Tuning {
        drivers: &["Python's sqlite3"],
        // As Debian and its container images compile it.
        secure_delete: true,
        busy_timeout: FIVE_SECONDS,
        source: "Python 3.11 on Debian",
        ..SQLITE
    },
    // From the source of rusqlite, `inner_connection.rs`; refinery and rusqlite_migration are given such a connection.
    Tuning {
        drivers: &["rusqlite", "rusqlite-migration", "rusqlite-migration-system", "refinery", "refinery-system"],
        busy_timeout: FIVE_SECONDS,
        source: "rusqlite 0.42",
        ..SQLITE
    },
    Tuning { drivers: &["sqlx"], busy_timeout: FIVE_SECONDS, source: "sqlx 0.8", ..SQLITE },
    // From the source of go-sqlite3, `sqlite3.go`: `busyTimeout := 5000`, and `-DSQLITE_DEFAULT_WAL_SYNCHRONOUS=1`.
    Tuning {
        drivers: &["go-sqlite3"],
        synchronous_in_wal: "NORMAL",
        busy_timeout: FIVE_SECONDS,
        source: "go-sqlite3 1.14",
        ..SQLITE
    },
];

static OTHERS: Tuning = SQLITE;

impl Driver {
    /// How it sets a connection up; SQLite's own settings where that is not known.
    #[must_use]
    pub fn tuning(&self) -> &'static Tuning {
        TUNINGS.iter().find(|tuning| tuning.drivers.contains(&self.name)).unwrap_or(&OTHERS)
    }
}

impl Tuning {
    /// `PRAGMA synchronous` in this journal mode.
    #[must_use]
    pub fn synchronous(&self, journal_mode: &str) -> &'static str {
        if journal_mode == "wal" { self.synchronous_in_wal } else { self.synchronous }
    }
}

#[cfg(test)]
mod tests {
    use super::TUNINGS;
    use crate::execution::drivers::{DRIVERS, command};

    #[test]
    fn every_driver_with_a_tuning_exists() {
        let traced = [command::NODE_SQLITE.name, command::PYTHON.name];
        let names: Vec<&str> = DRIVERS.iter().map(|driver| driver.name).chain(traced).collect();
        for name in TUNINGS.iter().flat_map(|tuning| tuning.drivers) {
            assert!(names.contains(name), "{name}");
        }
    }
}
