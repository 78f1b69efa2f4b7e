//! The drivers of the migration tools of Rust.

use super::{BUNDLED, LENIENT};
use crate::execution::driver::{Driver, EmptyChunk, ForeignKeys, OwnTransaction, SeveralStatements, Transaction};

/// sqlx's own.
pub static SQLX: Driver = Driver {
    name: "sqlx",
    tools: &["sqlx"],
    packages: &[],
    modules: &[],
    sqlite_version: "3.51.3",
    measured_with: "sqlx 0.9.0 and 0.8.6",
    foreign_keys: ForeignKeys::On,
    double_quoted_strings: LENIENT,
    defensive: false,
    transaction: Transaction::AroundEach,
    before: &[],
    after: &[],
    several_statements: SeveralStatements::All,
    empty_chunk: EmptyChunk::Nothing,
    own_transaction: OwnTransaction::Allowed,
    lacks: BUNDLED,
    foreign_keys_off: "SqliteConnectOptions::new().filename(path).foreign_keys(false) // for the connection that migrates",
};

/// The end of the names of those that use the system's SQLite.
pub const SYSTEM: &str = "-system";

const DIESEL_RECORD: Driver = Driver {
    name: "diesel",
    tools: &["diesel"],
    packages: &[],
    modules: &[],
    sqlite_version: "3.51.3",
    measured_with: "diesel 2.3.14",
    foreign_keys: ForeignKeys::On,
    double_quoted_strings: LENIENT,
    defensive: false,
    transaction: Transaction::AroundEach,
    before: &[],
    after: &[],
    several_statements: SeveralStatements::All,
    empty_chunk: EmptyChunk::Nothing,
    own_transaction: OwnTransaction::Allowed,
    lacks: BUNDLED,
    foreign_keys_off: "conn.batch_execute(\"PRAGMA foreign_keys = OFF\")?;\nconn.run_pending_migrations(MIGRATIONS)?;\n\
                       conn.batch_execute(\"PRAGMA foreign_keys = ON\")?;\n// or, also for diesel's own command, beside up.sql: \
                       metadata.toml with\n// run_in_transaction = false, so that the pragmas in up.sql work",
};

/// diesel with the SQLite that libsqlite3-sys compiles.
pub static DIESEL: Driver = DIESEL_RECORD;

/// diesel with the system's SQLite.
pub static DIESEL_SYSTEM: Driver =
    Driver { name: "diesel-system", sqlite_version: "", lacks: &[], foreign_keys: ForeignKeys::Off, ..DIESEL_RECORD };

const REFINERY_RECORD: Driver = Driver {
    name: "refinery",
    tools: &["refinery"],
    sqlite_version: "3.54.1",
    measured_with: "refinery 0.10.0",
    foreign_keys_off: "conn.pragma_update(None, \"foreign_keys\", false)?;\nmigrations::runner().run(&mut conn)?;\n\
                       conn.pragma_update(None, \"foreign_keys\", true)?;",
    ..DIESEL_RECORD
};

/// refinery with the SQLite that libsqlite3-sys compiles.
pub static REFINERY: Driver = REFINERY_RECORD;

/// refinery with the system's SQLite.
pub static REFINERY_SYSTEM: Driver = Driver {
    name: "refinery-system",
    sqlite_version: "",
    lacks: &[],
    foreign_keys: ForeignKeys::Off,
    ..REFINERY_RECORD
};

const RUSQLITE_MIGRATION_RECORD: Driver = Driver {
    name: "rusqlite-migration",
    tools: &["rusqlite-migration"],
    sqlite_version: "3.54.1",
    measured_with: "rusqlite_migration 2.6.0",
    transaction: Transaction::AroundAll,
    foreign_keys_off: "conn.pragma_update(None, \"foreign_keys\", false)?;\nMIGRATIONS.to_latest(&mut conn)?;\n\
                       conn.pragma_update(None, \"foreign_keys\", true)?;",
    ..DIESEL_RECORD
};

/// `rusqlite_migration` with the SQLite that libsqlite3-sys compiles.
pub static RUSQLITE_MIGRATION: Driver = RUSQLITE_MIGRATION_RECORD;

/// `rusqlite_migration` with the system's SQLite.
pub static RUSQLITE_MIGRATION_SYSTEM: Driver = Driver {
    name: "rusqlite-migration-system",
    lacks: &[],
    sqlite_version: "",
    foreign_keys: ForeignKeys::Off,
    ..RUSQLITE_MIGRATION_RECORD
};

/// geni's own, which is libsql. It turns foreign keys on when it is compiled.
pub static GENI: Driver = Driver {
    name: "geni",
    tools: &["geni"],
    sqlite_version: "3.45.1",
    measured_with: "geni 1.3.3",
    foreign_keys_off: "-- transaction: no\nPRAGMA foreign_keys = OFF;\n-- the rebuild; the first line of the file keeps geni from \
                       opening a transaction\nPRAGMA foreign_keys = ON;",
    ..DIESEL_RECORD
};
