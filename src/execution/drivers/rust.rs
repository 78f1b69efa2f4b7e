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
