//! The drivers of Prisma. Its engine opens no transaction, so that pragmas in a migration work.

use super::{BUNDLED, LENIENT, STRICT};
use crate::execution::driver::{Driver, EmptyChunk, ForeignKeys, OwnTransaction, SeveralStatements, Transaction};

const RECORD: Driver = Driver {
    name: "prisma",
    tools: &["prisma"],
    packages: &["prisma"],
    modules: &[],
    sqlite_version: "",
    measured_with: "the source of prisma-engines 6.19",
    foreign_keys: ForeignKeys::On,
    double_quoted_strings: LENIENT,
    defensive: false,
    transaction: Transaction::None,
    before: &[],
    after: &[],
    several_statements: SeveralStatements::All,
    empty_chunk: EmptyChunk::Nothing,
    own_transaction: OwnTransaction::Allowed,
    lacks: BUNDLED,
    foreign_keys_off: "-- in migration.sql, around the rebuild\nPRAGMA foreign_keys=OFF;\n-- …\nPRAGMA foreign_keys=ON;",
};

/// The native engine of `prisma migrate deploy`.
pub static NATIVE: Driver = RECORD;

/// The adapter of better-sqlite3, where `prisma.config.*` gives it to the engine.
pub static BETTER_SQLITE3: Driver = Driver {
    name: "better-sqlite3",
    packages: &["@prisma/adapter-better-sqlite3"],
    sqlite_version: "3.53.2",
    measured_with: "prisma 6.19.3 and @prisma/adapter-better-sqlite3 6.19.3",
    double_quoted_strings: STRICT,
    lacks: &[],
    ..RECORD
};

/// The adapter of libsql, where `prisma.config.*` gives it to the engine.
pub static LIBSQL: Driver = Driver {
    name: "libsql",
    packages: &["@prisma/adapter-libsql"],
    sqlite_version: "3.45.1",
    measured_with: "@libsql/client 0.18.0",
    double_quoted_strings: STRICT,
    lacks: &[],
    ..RECORD
};
