//! Checks that the bundled SQLite is compiled with what the hooks need.

fn main() {
    println!("cargo::rerun-if-env-changed=LIBSQLITE3_FLAGS");
    let flags = std::env::var("LIBSQLITE3_FLAGS").unwrap_or_default();
    assert!(
        flags.contains("-DSQLITE_ENABLE_PREUPDATE_HOOK"),
        "build with the LIBSQLITE3_FLAGS of .cargo/config.toml, so that the bundled SQLite reports every row that a statement writes"
    );
}
