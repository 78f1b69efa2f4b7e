//! The corpus of the fuzz targets, with what they once found, through what the targets do.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

#[path = "../fuzz/targets.rs"]
mod targets;

fn replay(name: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{name}");
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        let done = std::panic::catch_unwind(|| target(&bytes));
        assert!(done.is_ok(), "{}", file.display());
    }
}

#[test]
fn page() {
    replay("page", targets::page);
}

#[test]
fn record() {
    replay("record", targets::record);
}

#[test]
fn btree() {
    replay("btree", targets::btree);
}

#[test]
fn wal() {
    replay("wal", targets::wal);
}

#[test]
fn splitter() {
    replay("splitter", targets::splitter);
}

#[test]
fn queries() {
    replay("queries", targets::queries);
}

#[test]
fn journal() {
    replay("journal", targets::journal);
}

#[test]
fn yaml() {
    replay("yaml", targets::yaml);
}
