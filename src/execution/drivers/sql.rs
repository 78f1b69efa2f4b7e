//! The drivers of a plain folder of SQL files.

use super::{BUNDLED, LENIENT};
use crate::execution::driver::{Driver, EmptyChunk, ForeignKeys, OwnTransaction, SeveralStatements, Transaction};

/// A plain folder, run by a library that leaves SQLite's defaults: the sqlite3 shell, Python, Go.
pub static SQLITE: Driver = Driver {
    name: "sqlite",
    tools: &["sql"],
    packages: &[],
    modules: &[],
    sqlite_version: "",
    measured_with: "SQLite's own defaults",
    foreign_keys: ForeignKeys::Off,
    double_quoted_strings: LENIENT,
    defensive: false,
    transaction: Transaction::AroundEach,
    before: &[],
    after: &[],
    several_statements: SeveralStatements::All,
    empty_chunk: EmptyChunk::Nothing,
    own_transaction: OwnTransaction::Allowed,
    lacks: &[],
    foreign_keys_off: "PRAGMA foreign_keys = OFF;\n-- run the migrations\nPRAGMA foreign_keys = ON;",
};

/// A plain folder, run through rusqlite's bundled SQLite, which turns foreign keys on.
pub static RUSQLITE: Driver = Driver {
    name: "rusqlite",
    tools: &["sql"],
    packages: &[],
    modules: &[],
    sqlite_version: "3.54.1",
    measured_with: "rusqlite 0.42, bundled",
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
    foreign_keys_off: "conn.pragma_update(None, \"foreign_keys\", false)?;\n// run the migrations\nconn.pragma_update(None, \"foreign_keys\", true)?;",
};
