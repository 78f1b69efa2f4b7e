//! Declared crates (`Cargo.toml`) and the versions that are really used (`Cargo.lock`).

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};

use super::Package;
use crate::error::{Doing, Error};
use crate::files::read_text;
use crate::migrations::shown;
use crate::repository::upwards;

/// The tables of `Cargo.toml`, the most telling first.
const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Reads the crates of the project in `root`.
pub(super) fn read(root: &Path, lock: Option<&Lock>) -> Result<BTreeMap<String, Package>, Error> {
    let file = root.join("Cargo.toml");
    if !file.is_file() {
        return Ok(BTreeMap::new());
    }
    let doing = || format!("reading `{}`", shown(&file));
    let manifest: Table = read_text(&file).doing(doing)?.parse().doing(doing)?;
    let workspace = manifest.get("workspace").and_then(Value::as_table);
    let tables = SECTIONS.iter().map(|section| (*section, manifest.get(*section)));
    let shared = ("workspace.dependencies", workspace.and_then(|table| table.get("dependencies")));
    let mut crates = BTreeMap::new();
    for (section, table) in tables.chain([shared]) {
        for (name, declared) in table.and_then(Value::as_table).into_iter().flatten() {
            let features = declared.get("features").and_then(Value::as_array).into_iter().flatten();
            let features: Vec<String> = features.filter_map(Value::as_str).map(Into::into).collect();
            let declared =
                declared.as_str().or_else(|| declared.get("version")?.as_str()).unwrap_or_default().to_owned();
            let from = format!("{section} of {}", shown(&file));
            let package = Package { declared, from, locked: None, locked_from: None, features: Vec::new() };
            // A member of a workspace has the features of both places.
            crates.entry(name.clone()).or_insert(package).features.extend(features);
        }
    }
    if let Some(lock) = lock {
        for (name, found) in &mut crates {
            let versions = lock.versions(name);
            let fits = |version: &&str| is_of(version, &found.declared);
            if let Some(version) = versions.clone().find(fits).or_else(|| versions.clone().next_back()) {
                (found.locked, found.locked_from) = (Some(version.to_owned()), Some(lock.file.clone()));
            }
        }
    }
    Ok(crates)
}

/// The packages that the nearest `Cargo.lock` holds.
pub(super) struct Lock {
    packages: Vec<Value>,
    file: String,
}

/// Reads the nearest `Cargo.lock`; none where there is none that can be read.
pub(super) fn lock(root: &Path) -> Option<Lock> {
    let file = upwards(root).into_iter().map(|folder| folder.join("Cargo.lock")).find(|file| file.is_file())?;
    let mut lock: Table = read_text(&file).ok()?.parse().ok()?;
    let Some(Value::Array(packages)) = lock.remove("package") else { return None };
    Some(Lock { packages, file: shown(&file) })
}

impl Lock {
    /// The versions of a crate, in their order.
    fn versions<'a>(&'a self, name: &'a str) -> impl DoubleEndedIterator<Item = &'a str> + Clone {
        let is_it = move |package: &&Value| package.get("name").and_then(Value::as_str) == Some(name);
        self.packages.iter().filter(is_it).filter_map(|package| package.get("version")?.as_str())
    }
}

/// Whether the crate through which Rust uses SQLite compiles it. Its build needs `cc` only for that, and the lock file lists what is
/// needed.
pub(super) fn bundled_sqlite(lock: &Lock) -> Option<(bool, String)> {
    let is_it = |package: &&Value| package.get("name").and_then(Value::as_str) == Some("libsqlite3-sys");
    let package = lock.packages.iter().find(is_it)?;
    let needed = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
    let compiles = needed.filter_map(Value::as_str).any(|name| name.split(' ').next() == Some("cc"));
    let how = if compiles { "compiles SQLite" } else { "takes the system's SQLite" };
    Some((compiles, format!("libsqlite3-sys in {} {how}", lock.file)))
}

/// Whether a version has the beginning of the one that was declared: of several in one lock file it is the one meant.
fn is_of(version: &str, declared: &str) -> bool {
    let wanted = declared.trim_start_matches(['^', '=', '~', '>', ' ']);
    version == wanted || version.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('.'))
}
