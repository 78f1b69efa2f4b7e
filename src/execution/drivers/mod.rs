//! The table of drivers: one record each. The order is that of preference where several would do.

pub mod cloudflare;
pub mod command;
pub mod drizzle;
pub mod go;
pub mod prisma;
pub mod rust;
pub mod sql;
pub mod tuning;

use super::driver::{DoubleQuoted, Driver, Feature};

const STRICT: DoubleQuoted = DoubleQuoted { dml: false, ddl: false };
const LENIENT: DoubleQuoted = DoubleQuoted { dml: true, ddl: true };

/// The SQLite that libsqlite3-sys compiles.
const BUNDLED: &[Feature] = &[Feature::Math, Feature::Percentile, Feature::Geopoly];
/// The SQLite of workerd.
const WORKERD: &[Feature] = &[Feature::Percentile, Feature::Geopoly, Feature::Soundex];

/// Every driver.
pub static DRIVERS: &[&Driver] = &[
    &drizzle::BETTER_SQLITE3,
    &drizzle::LIBSQL,
    &drizzle::NODE_SQLITE,
    &drizzle::BUN_SQLITE,
    &drizzle::BUN_SQL,
    &drizzle::SQL_JS,
    &drizzle::D1,
    &drizzle::DURABLE_SQLITE,
    &drizzle::EXPO_SQLITE,
    &drizzle::OP_SQLITE,
    &drizzle::TURSODATABASE,
    &drizzle::SQLITE_PROXY,
    &cloudflare::D1,
    &sql::SQLITE,
    &sql::RUSQLITE,
    &rust::SQLX,
    &go::GOOSE_MODERNC,
    &go::GOOSE_MATTN,
    &go::DBMATE,
    &go::MIGRATE_MATTN,
    &go::MIGRATE_MODERNC,
    &go::SQL_MIGRATE,
    &go::ATLAS,
    &rust::DIESEL,
    &rust::DIESEL_SYSTEM,
    &rust::REFINERY,
    &rust::REFINERY_SYSTEM,
    &rust::RUSQLITE_MIGRATION,
    &rust::RUSQLITE_MIGRATION_SYSTEM,
    &rust::GENI,
    &prisma::NATIVE,
    &prisma::BETTER_SQLITE3,
    &prisma::LIBSQL,
];
