//! The libraries that commands run their SQL with, as far as they can be traced, and the one of which nothing is known.

use super::{LENIENT, STRICT};
use crate::execution::driver::{Driver, EmptyChunk, ForeignKeys, OwnTransaction, SeveralStatements, Transaction};

/// Nothing is known but what the database was before and after.
pub static UNKNOWN: Driver = Driver { name: "not traced", ..TRACED };

/// better-sqlite3.
pub static BETTER_SQLITE3: Driver = Driver {
    name: "better-sqlite3",
    sqlite_version: "3.53.2",
    foreign_keys: ForeignKeys::On,
    double_quoted_strings: STRICT,
    ..TRACED
};

/// sqlite3 of npm.
pub static SQLITE3: Driver = Driver { name: "sqlite3", sqlite_version: "3.52.0", ..TRACED };

/// `node:sqlite`.
pub static NODE_SQLITE: Driver =
    Driver { name: "node:sqlite", foreign_keys: ForeignKeys::On, double_quoted_strings: STRICT, ..TRACED };

/// libsql.
pub static LIBSQL: Driver = Driver {
    name: "libsql",
    sqlite_version: "3.45.1",
    foreign_keys: ForeignKeys::On,
    double_quoted_strings: STRICT,
    ..TRACED
};

/// Ruby's sqlite3.
pub static RUBY: Driver = Driver { name: "Ruby's sqlite3", ..TRACED };

/// Python's sqlite3.
pub static PYTHON: Driver = Driver { name: "Python's sqlite3", ..TRACED };

/// A command issues BEGIN and COMMIT itself, so that the statements that it ran say everything.
const TRACED: Driver = Driver {
    name: "",
    tools: &[],
    packages: &[],
    modules: &[],
    sqlite_version: "",
    measured_with: "the trace of the command",
    foreign_keys: ForeignKeys::Off,
    double_quoted_strings: LENIENT,
    defensive: false,
    transaction: Transaction::None,
    before: &[],
    after: &[],
    several_statements: SeveralStatements::All,
    empty_chunk: EmptyChunk::Nothing,
    own_transaction: OwnTransaction::Allowed,
    lacks: &[],
    foreign_keys_off: "",
};
