//! The drivers of the migration tools of Go: `mattn/go-sqlite3` (cgo) and `modernc.org/sqlite` (no C). Both leave SQLite's
//! defaults; a DSN turns foreign keys on, each in its own words.

use super::LENIENT;
use crate::execution::driver::{
    Driver, EmptyChunk, Feature, ForeignKeys, OwnTransaction, SeveralStatements, Transaction,
};

const MATTN: Driver = Driver {
    name: "go-sqlite3",
    tools: &[],
    packages: &["github.com/mattn/go-sqlite3"],
    modules: &[],
    sqlite_version: "",
    measured_with: "its source",
    foreign_keys: ForeignKeys::Off,
    double_quoted_strings: LENIENT,
    defensive: false,
    transaction: Transaction::AroundEach,
    before: &[],
    after: &[],
    several_statements: SeveralStatements::All,
    empty_chunk: EmptyChunk::Nothing,
    own_transaction: OwnTransaction::Allowed,
    lacks: &[Feature::Math, Feature::Percentile, Feature::Geopoly, Feature::Soundex],
    foreign_keys_off: "",
};

const MODERNC: Driver = Driver { name: "modernc", packages: &["modernc.org/sqlite"], lacks: &[], ..MATTN };

/// goose's command, and what the app opens with `modernc.org/sqlite`.
pub static GOOSE_MODERNC: Driver = Driver {
    tools: &["goose"],
    foreign_keys_off: "db, err := sql.Open(\"sqlite\", \"file:prod.db\") // no _pragma=foreign_keys(1) where goose migrates\n\
                       err = goose.Up(db, \"migrations\")",
    ..MODERNC
};

/// goose with what the app opens with `mattn/go-sqlite3`.
pub static GOOSE_MATTN: Driver = Driver {
    tools: &["goose"],
    foreign_keys_off: "db, err := sql.Open(\"sqlite3\", \"file:prod.db\") // no _fk=1 and no _foreign_keys=on where goose migrates\n\
                       err = goose.Up(db, \"migrations\")",
    ..MATTN
};

/// dbmate's command.
pub static DBMATE: Driver = Driver {
    tools: &["dbmate"],
    packages: &[],
    sqlite_version: "3.51.3",
    measured_with: "dbmate 2.36.0",
    foreign_keys_off: "dbmate --url sqlite:prod.db migrate  # a URL without ?_foreign_keys=on",
    ..MATTN
};

/// golang-migrate with `sqlite3://…`.
pub static MIGRATE_MATTN: Driver = Driver {
    tools: &["golang-migrate"],
    foreign_keys_off: "migrate -path migrations -database sqlite3://prod.db up  # a URL without _foreign_keys=on and _fk=1",
    ..MATTN
};

/// golang-migrate with `sqlite://…`.
pub static MIGRATE_MODERNC: Driver = Driver {
    tools: &["golang-migrate"],
    foreign_keys_off: "migrate -path migrations -database sqlite://prod.db up  # a URL without _pragma=foreign_keys(1)",
    ..MODERNC
};

/// sql-migrate's command, and `migrate.Exec`.
pub static SQL_MIGRATE: Driver = Driver {
    tools: &["sql-migrate"],
    packages: &[],
    measured_with: "sql-migrate of Debian 12",
    lacks: &[Feature::Percentile, Feature::Geopoly],
    foreign_keys_off: "datasource: prod.db  # in dbconfig.yml, without ?_foreign_keys=on",
    ..MATTN
};

/// atlas, which keeps foreign keys off in its transactions by itself.
pub static ATLAS: Driver = Driver {
    tools: &["atlas"],
    packages: &[],
    transaction: Transaction::AroundEachGuarded,
    foreign_keys_off: "atlas migrate apply --url \"sqlite://prod.db\"  # without ?_fk=1",
    ..MATTN
};
