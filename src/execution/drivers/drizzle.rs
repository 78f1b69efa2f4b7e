//! The drivers that drizzle-orm runs on.
//!
//! Measured means: the driver's real `migrate()` was run on the same files and what it did was written down here;
//! `tests/conformance` repeats that for better-sqlite3 and libsql.

use super::{LENIENT, STRICT, WORKERD};
use crate::execution::driver::{
    DoubleQuoted, Driver, EmptyChunk, ForeignKeys, OwnTransaction, SeveralStatements, Transaction,
};

const MORE_THAN_ONE: &str = "The supplied SQL string contains more than one statement";
const NO_STATEMENTS: &str = "The supplied SQL string contains no statements";

/// better-sqlite3, the usual one in Node apps.
pub static BETTER_SQLITE3: Driver = Driver {
    name: "better-sqlite3",
    tools: &["drizzle"],
    packages: &["better-sqlite3"],
    modules: &["better-sqlite3"],
    sqlite_version: "3.53.2",
    measured_with: "better-sqlite3 12.11.1",
    foreign_keys: ForeignKeys::On,
    double_quoted_strings: STRICT,
    defensive: true,
    transaction: Transaction::AroundAll,
    before: &[],
    after: &[],
    several_statements: SeveralStatements::Refused(MORE_THAN_ONE),
    empty_chunk: EmptyChunk::Refused(NO_STATEMENTS),
    own_transaction: OwnTransaction::Allowed,
    lacks: &[],
    foreign_keys_off: "sqlite.pragma('foreign_keys = OFF')\nmigrate(db, { migrationsFolder: './drizzle' })\nsqlite.pragma('foreign_keys = ON')",
};

/// `node:sqlite`, which Node brings along.
pub static NODE_SQLITE: Driver = Driver {
    name: "node-sqlite",
    tools: &["drizzle"],
    packages: &[],
    modules: &["node-sqlite"],
    sqlite_version: "3.51.3",
    measured_with: "Node 22.23.3",
    foreign_keys: ForeignKeys::On,
    double_quoted_strings: STRICT,
    defensive: false,
    transaction: Transaction::AroundAll,
    before: &[],
    after: &[],
    several_statements: SeveralStatements::FirstOnly,
    empty_chunk: EmptyChunk::Refused("statement has been finalized"),
    own_transaction: OwnTransaction::Allowed,
    lacks: &[],
    foreign_keys_off: "sqlite.exec('PRAGMA foreign_keys = OFF')\nmigrate(db, { migrationsFolder: './drizzle' })\nsqlite.exec('PRAGMA foreign_keys = ON')",
};

/// `@libsql/client`, file or remote.
pub static LIBSQL: Driver = Driver {
    name: "libsql",
    tools: &["drizzle"],
    packages: &["@libsql/client"],
    modules: &["libsql"],
    sqlite_version: "3.45.1",
    measured_with: "@libsql/client 0.18.0",
    foreign_keys: ForeignKeys::On,
    double_quoted_strings: STRICT,
    defensive: false,
    transaction: Transaction::AroundAll,
    before: &["PRAGMA foreign_keys=off"],
    after: &["PRAGMA foreign_keys=on"],
    several_statements: SeveralStatements::FirstOnly,
    empty_chunk: EmptyChunk::Refused("not an error"),
    own_transaction: OwnTransaction::ClosedAfterCommit("TRANSACTION_CLOSED: The transaction is closed"),
    lacks: &[],
    foreign_keys_off: "",
};

/// `bun:sqlite`.
pub static BUN_SQLITE: Driver = Driver {
    name: "bun-sqlite",
    tools: &["drizzle"],
    packages: &[],
    modules: &["bun-sqlite"],
    sqlite_version: "3.54.1",
    measured_with: "Bun 1.4.5",
    foreign_keys: ForeignKeys::Off,
    double_quoted_strings: LENIENT,
    defensive: false,
    transaction: Transaction::AroundAll,
    before: &[],
    after: &[],
    several_statements: SeveralStatements::FirstOnly,
    empty_chunk: EmptyChunk::Refused("Invalid SQL statement"),
    own_transaction: OwnTransaction::Allowed,
    lacks: &[],
    foreign_keys_off: "sqlite.run('PRAGMA foreign_keys = OFF')\nmigrate(db, { migrationsFolder: './drizzle' })\nsqlite.run('PRAGMA foreign_keys = ON')",
};

/// Bun's SQL client with an SQLite address.
pub static BUN_SQL: Driver = Driver {
    name: "bun-sql",
    tools: &["drizzle"],
    packages: &[],
    modules: &["bun-sql/sqlite"],
    sqlite_version: "3.54.1",
    measured_with: "Bun 1.4.5",
    foreign_keys: ForeignKeys::Off,
    double_quoted_strings: LENIENT,
    defensive: false,
    transaction: Transaction::AroundAll,
    before: &[],
    after: &[],
    several_statements: SeveralStatements::All,
    empty_chunk: EmptyChunk::Refused("Invalid SQL statement"),
    own_transaction: OwnTransaction::Allowed,
    lacks: &[],
    foreign_keys_off: "await client`PRAGMA foreign_keys = OFF`\nawait migrate(db, { migrationsFolder: './drizzle' })\nawait client`PRAGMA foreign_keys = ON`",
};

/// sql.js, SQLite in WebAssembly.
pub static SQL_JS: Driver = Driver {
    name: "sql-js",
    tools: &["drizzle"],
    packages: &["sql.js"],
    modules: &["sql-js"],
    sqlite_version: "3.54.1",
    measured_with: "sql.js 1.16.0",
    foreign_keys: ForeignKeys::Off,
    double_quoted_strings: LENIENT,
    defensive: false,
    transaction: Transaction::AroundAll,
    before: &[],
    after: &[],
    several_statements: SeveralStatements::FirstOnly,
    empty_chunk: EmptyChunk::Refused("Nothing to prepare"),
    own_transaction: OwnTransaction::Allowed,
    lacks: &[],
    foreign_keys_off: "sqlite.run('PRAGMA foreign_keys = OFF')\nmigrate(db, { migrationsFolder: './drizzle' })\nsqlite.run('PRAGMA foreign_keys = ON')",
};

pub(super) const D1_TRANSACTION: &str = "To execute a transaction, please use the state.storage.transaction() or state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements";

/// Cloudflare D1 through its binding.
pub static D1: Driver = Driver {
    name: "d1",
    tools: &["drizzle"],
    packages: &[],
    modules: &["d1"],
    sqlite_version: "",
    measured_with: "wrangler 4.86.0, local",
    foreign_keys: ForeignKeys::AlwaysOn,
    double_quoted_strings: LENIENT,
    defensive: false,
    transaction: Transaction::AroundAll,
    before: &[],
    after: &[],
    several_statements: SeveralStatements::All,
    empty_chunk: EmptyChunk::Nothing,
    own_transaction: OwnTransaction::Refused(D1_TRANSACTION),
    lacks: WORKERD,
    foreign_keys_off: "",
};

/// SQLite in a Cloudflare Durable Object.
pub static DURABLE_SQLITE: Driver = Driver {
    name: "durable-sqlite",
    tools: &["drizzle"],
    packages: &[],
    modules: &["durable-sqlite"],
    sqlite_version: "",
    measured_with: "workerd 1.20260426, raw storage calls",
    foreign_keys: ForeignKeys::On,
    double_quoted_strings: LENIENT,
    defensive: false,
    transaction: Transaction::AroundAllAndLedger,
    before: &[],
    after: &[],
    several_statements: SeveralStatements::All,
    empty_chunk: EmptyChunk::Nothing,
    own_transaction: OwnTransaction::Refused(D1_TRANSACTION),
    lacks: &[],
    foreign_keys_off: "ctx.storage.sql.exec('PRAGMA foreign_keys = OFF')\nawait migrate(db, migrations)\nctx.storage.sql.exec('PRAGMA foreign_keys = ON')",
};

/// expo-sqlite on a phone.
pub static EXPO_SQLITE: Driver = Driver {
    name: "expo-sqlite",
    tools: &["drizzle"],
    packages: &["expo-sqlite"],
    modules: &["expo-sqlite"],
    sqlite_version: "",
    measured_with: "the source of expo-sqlite 57.0.3",
    foreign_keys: ForeignKeys::Off,
    double_quoted_strings: LENIENT,
    defensive: false,
    transaction: Transaction::AroundAll,
    before: &[],
    after: &[],
    several_statements: SeveralStatements::FirstOnly,
    empty_chunk: EmptyChunk::Refused("not an error"),
    own_transaction: OwnTransaction::Allowed,
    lacks: &[],
    foreign_keys_off: "expo.execSync('PRAGMA foreign_keys = OFF')\nawait migrate(db, migrations)\nexpo.execSync('PRAGMA foreign_keys = ON')",
};

/// op-sqlite on a phone.
pub static OP_SQLITE: Driver = Driver {
    name: "op-sqlite",
    tools: &["drizzle"],
    packages: &["@op-engineering/op-sqlite"],
    modules: &["op-sqlite"],
    sqlite_version: "",
    measured_with: "the source of op-sqlite 18.2.5 and drizzle-orm 0.45.4",
    foreign_keys: ForeignKeys::Off,
    double_quoted_strings: STRICT,
    defensive: false,
    transaction: Transaction::FirstStatementOnly,
    before: &[],
    after: &[],
    several_statements: SeveralStatements::All,
    empty_chunk: EmptyChunk::Nothing,
    own_transaction: OwnTransaction::Allowed,
    lacks: &[],
    foreign_keys_off: "await opsqlite.execute('PRAGMA foreign_keys = OFF')\nawait migrate(db, migrations)\nawait opsqlite.execute('PRAGMA foreign_keys = ON')",
};

/// Turso's own engine.
pub static TURSODATABASE: Driver = Driver {
    name: "tursodatabase",
    tools: &["drizzle"],
    packages: &["@tursodatabase/database"],
    modules: &["tursodatabase/database", "tursodatabase"],
    sqlite_version: "",
    measured_with: "@tursodatabase/database 0.7.2",
    foreign_keys: ForeignKeys::OffAndPragmaAlwaysWorks,
    double_quoted_strings: DoubleQuoted { dml: true, ddl: false },
    defensive: false,
    transaction: Transaction::AroundAll,
    before: &[],
    after: &[],
    several_statements: SeveralStatements::FirstOnly,
    empty_chunk: EmptyChunk::Refused("no statements"),
    own_transaction: OwnTransaction::Allowed,
    lacks: &[],
    foreign_keys_off: "",
};

/// drizzle-orm/sqlite-proxy: the app's own callback runs the statements; rehearsed as a callback without a transaction.
pub static SQLITE_PROXY: Driver = Driver {
    name: "sqlite-proxy",
    tools: &["drizzle"],
    packages: &[],
    modules: &["sqlite-proxy"],
    sqlite_version: "",
    measured_with: "the source of drizzle-orm 0.45.4",
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
    foreign_keys_off: "sqlite.exec('PRAGMA foreign_keys = OFF') // on the connection of your callback\nawait migrate(db, callback, { migrationsFolder: './drizzle' })\nsqlite.exec('PRAGMA foreign_keys = ON')",
};
