//! The driver of wrangler's own migrations.

use super::drizzle::D1_TRANSACTION;
use super::{LENIENT, WORKERD};
use crate::execution::driver::{Driver, EmptyChunk, ForeignKeys, OwnTransaction, SeveralStatements, Transaction};

/// `wrangler d1 migrations apply`: each file is one batch.
pub static D1: Driver = Driver {
    name: "d1",
    tools: &["d1"],
    packages: &[],
    modules: &[],
    sqlite_version: "",
    measured_with: "wrangler 4.86.0, local",
    foreign_keys: ForeignKeys::AlwaysOn,
    double_quoted_strings: LENIENT,
    defensive: false,
    transaction: Transaction::AroundEach,
    before: &[],
    after: &[],
    several_statements: SeveralStatements::All,
    empty_chunk: EmptyChunk::Nothing,
    own_transaction: OwnTransaction::Refused(D1_TRANSACTION),
    lacks: WORKERD,
    foreign_keys_off: "",
};
