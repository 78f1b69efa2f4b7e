//! What the binary is made of: every crate with its licence, and where there is `unsafe`.
//!
//! `REHEARSE_UPDATE=1 cargo test --test supply_chain` writes `THIRD-PARTY.md` anew.

#![expect(clippy::unwrap_used, reason = "a test fails by a panic")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The target with the most crates: those of macOS are among its own.
const TARGET: &str = "x86_64-unknown-linux-gnu";

const INTRODUCTION: &str = "# What rehearse is made of

The binary holds the crates below, and besides them:

- SQLite, in the public domain (<https://sqlite.org/copyright.html>), as libsqlite3-sys brings it;
- Rust's standard library, MIT OR Apache-2.0;
- the binaries for Linux: the GNU C Library, LGPL-2.1-or-later, linked statically; `cargo build --release` links another one.

The page that `--report html` writes has no script and no font of others in it. The texts of MIT and Apache-2.0 are in `LICENSE-MIT` and
`LICENSE-APACHE`; those of Zlib, BSL-1.0, 0BSD and the Unlicense ask for nothing in a binary. Of a crate under MIT or another
licence MIT is chosen.

| crate | version | licence | copyright |
|---|---|---|---|
";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_crate_in_the_binary_is_listed_with_its_licence() {
    let path = root().join("THIRD-PARTY.md");
    let current = format!("{INTRODUCTION}{}", rows());
    if std::env::var_os("REHEARSE_UPDATE").is_some() {
        std::fs::write(&path, &current).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == current, "THIRD-PARTY.md: run REHEARSE_UPDATE=1 cargo test --test supply_chain");
}

/// A row for each crate, without those that only run while it is compiled.
fn rows() -> String {
    let metadata = metadata();
    let packages: BTreeMap<&str, &Value> = list(&metadata["packages"]).map(|one| (text(&one["id"]), one)).collect();
    let nodes: BTreeMap<&str, &Value> =
        list(&metadata["resolve"]["nodes"]).map(|one| (text(&one["id"]), one)).collect();
    let root = text(&metadata["resolve"]["root"]);
    let (mut reached, mut open) = (BTreeSet::new(), vec![root]);
    while let Some(id) = open.pop() {
        let is_macro = list(&packages[id]["targets"]).any(|one| list(&one["kind"]).any(|kind| kind == "proc-macro"));
        if !is_macro && reached.insert(id) {
            let compiled_in = |one: &&Value| list(&one["dep_kinds"]).any(|kind| kind["kind"].is_null());
            open.extend(list(&nodes[id]["deps"]).filter(compiled_in).map(|one| text(&one["pkg"])));
        }
    }
    reached.remove(root);
    let mut rows: Vec<String> = reached.into_iter().map(|id| row(packages[id])).collect();
    rows.sort();
    rows.concat()
}

fn row(package: &Value) -> String {
    let licence = text(&package["license"]);
    assert!(!licence.is_empty(), "{} has no licence", package["name"]);
    let folder = Path::new(text(&package["manifest_path"])).parent().unwrap();
    let copyright = copyright(folder).into_iter().collect::<Vec<_>>().join("; ");
    let mut row = String::new();
    let _ = writeln!(row, "| {} | {} | {licence} | {copyright} |", text(&package["name"]), text(&package["version"]));
    row
}

/// The lines of its licences that say whose it is.
fn copyright(folder: &Path) -> BTreeSet<String> {
    let is_licence = |path: &PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().to_ascii_uppercase();
        path.is_file() && ["LICENSE", "LICENCE", "COPYING", "NOTICE"].iter().any(|word| name.starts_with(word))
    };
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(is_licence);
    let lines = files.flat_map(|path| {
        let text = String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
        text.lines().map(|line| line.trim().to_owned()).collect::<Vec<_>>()
    });
    lines
        .filter(|line| line.starts_with("Copyright") && !line.contains("yyyy"))
        .map(|line| line.replace('|', ""))
        .collect()
}

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--locked", "--filter-platform", TARGET, "--manifest-path"])
        .arg(root().join("Cargo.toml"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The lint `unsafe_code` is denied; these files expect it, and nothing else may.
#[test]
fn there_is_unsafe_in_three_files() {
    let found: Vec<String> = sources_with(&["unsafe_code"]);
    assert_eq!(found, ["src/execution/hooks.rs", "src/snapshot/metered.rs", "src/snapshot/overlay/vfs.rs"]);
    assert!(std::fs::read_to_string(root().join("Cargo.toml")).unwrap().contains("unsafe_code = \"deny\""));
    let contributing = std::fs::read_to_string(root().join("CONTRIBUTING.md")).unwrap();
    assert!(found.iter().all(|file| contributing.contains(file.as_str())), "CONTRIBUTING.md names them");
}

#[test]
fn there_is_no_network() {
    assert_eq!(sources_with(&["std::net", "net::Tcp", "TcpStream", "UdpSocket", "rustix::net"]), Vec::<String>::new());
}

/// The files of the crate in which one of these stands.
fn sources_with(words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("src")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                if words.iter().any(|word| text.contains(word)) {
                    found.push(path.strip_prefix(root()).unwrap().display().to_string());
                }
            }
        }
    }
    found.sort();
    found
}
