//! Compiles the SQLite that comes with libsqlite3-sys.
//!
//! libsqlite3-sys compiles it too, but with the pre-update hook only where it finds libclang or an environment variable, and
//! `cargo install` gives it neither. Of two archives a linker takes the first that has what is asked for: this one is part of
//! the library, which stands before the crates it uses, and has everything that the other has. Only this one has the hook.

use std::env;
use std::error::Error;
use std::path::PathBuf;

/// What libsqlite3-sys defines, as far as it is defined for every system.
const AS_LIBSQLITE3_SYS: &[&str] = &[
    "SQLITE_CORE",
    "SQLITE_DEFAULT_FOREIGN_KEYS=1",
    "SQLITE_ENABLE_API_ARMOR",
    "SQLITE_ENABLE_COLUMN_METADATA",
    "SQLITE_ENABLE_DBSTAT_VTAB",
    "SQLITE_ENABLE_FTS3",
    "SQLITE_ENABLE_FTS3_PARENTHESIS",
    "SQLITE_ENABLE_FTS5",
    "SQLITE_ENABLE_JSON1",
    "SQLITE_ENABLE_LOAD_EXTENSION=1",
    "SQLITE_ENABLE_RTREE",
    "SQLITE_ENABLE_STAT4",
    "SQLITE_SOUNDEX",
    "SQLITE_THREADSAFE=1",
    "SQLITE_USE_URI",
    "HAVE_USLEEP=1",
    "HAVE_ISNAN",
    "HAVE_LOCALTIME_R",
    "_POSIX_THREAD_SAFE_FUNCTIONS",
];

const OWN: &[&str] = &[
    // Tells which rows each statement changed: src/execution/hooks.rs.
    "SQLITE_ENABLE_PREUPDATE_HOOK",
    // better-sqlite3 and libsql have these.
    "SQLITE_ENABLE_MATH_FUNCTIONS",
    "SQLITE_ENABLE_PERCENTILE",
    "SQLITE_ENABLE_GEOPOLY",
    // Without a limit the hash tables of the schema grow with the tables in it.
    "SQLITE_MALLOC_SOFT_LIMIT=0",
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::var_os("DEP_SQLITE3_INCLUDE").ok_or("libsqlite3-sys does not say where its SQLite is")?;
    let source = PathBuf::from(folder).join("sqlite3.c");
    println!("cargo::rerun-if-changed={}", source.display());
    let mut sqlite = cc::Build::new();
    for name in AS_LIBSQLITE3_SYS.iter().chain(OWN) {
        sqlite.flag(format!("-D{name}"));
    }
    // As the dependencies are optimised in Cargo.toml: without it every test waits for SQLite.
    if env::var("OPT_LEVEL").is_ok_and(|level| level == "0" || level == "1") {
        sqlite.opt_level(2);
    }
    sqlite.file(source).warnings(false).try_compile("rehearse_sqlite3")?;
    Ok(())
}
