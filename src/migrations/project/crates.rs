//! Declared crates (`Cargo.toml`) and the versions that are really used (`Cargo.lock`).

use std::collections::BTreeMap;
use std::path::Path;

use toml::{Table, Value};

use super::Package;
use super::packages::folders_upwards;
use crate::error::{Doing, Error};
use crate::migrations::migration::read_text;
use crate::migrations::shown;

/// The tables of `Cargo.toml`, the most telling first.
const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// Reads the crates of the project in `root`.
pub(super) fn read(root: &Path) -> Result<BTreeMap<String, Package>, Error> {
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
    if let Some((versions, from)) = locked(root) {
        for (name, found) in &mut crates {
            let of_it = versions.iter().filter(|(locked, _)| locked == name).map(|(_, version)| version);
            let fits = |version: &&String| is_of(version, &found.declared);
            if let Some(version) = of_it.clone().find(fits).or_else(|| of_it.clone().next_back()) {
                (found.locked, found.locked_from) = (Some(version.clone()), Some(from.clone()));
            }
        }
    }
    Ok(crates)
}

/// The names and versions in the nearest `Cargo.lock`.
fn locked(root: &Path) -> Option<(Vec<(String, String)>, String)> {
    let file = folders_upwards(root).into_iter().map(|folder| folder.join("Cargo.lock")).find(|file| file.is_file())?;
    let lock: Table = read_text(&file).ok()?.parse().ok()?;
    let text = |package: &Value, key: &str| Some(package.get(key)?.as_str()?.to_owned());
    let packages = lock.get("package")?.as_array()?.iter();
    Some((packages.filter_map(|one| Some((text(one, "name")?, text(one, "version")?))).collect(), shown(&file)))
}

/// Whether the crate through which Rust uses SQLite compiles it. Its build needs `cc` only for that, and the lock file lists what is
/// needed.
pub(super) fn bundled_sqlite(root: &Path) -> Option<(bool, String)> {
    let file = folders_upwards(root).into_iter().map(|folder| folder.join("Cargo.lock")).find(|file| file.is_file())?;
    let lock: Table = read_text(&file).ok()?.parse().ok()?;
    let is_it = |package: &&Value| package.get("name").and_then(Value::as_str) == Some("libsqlite3-sys");
    let package = lock.get("package")?.as_array()?.iter().find(is_it)?;
    let needed = package.get("dependencies").and_then(Value::as_array).into_iter().flatten();
    let compiles = needed.filter_map(Value::as_str).any(|name| name.split(' ').next() == Some("cc"));
    let how = if compiles { "compiles SQLite" } else { "takes the system's SQLite" };
    Some((compiles, format!("libsqlite3-sys in {} {how}", shown(&file))))
}

/// Whether a version has the beginning of the one that was declared: of several in one lock file it is the one meant.
fn is_of(version: &str, declared: &str) -> bool {
    let wanted = declared.trim_start_matches(['^', '=', '~', '>', ' ']);
    version == wanted || version.strip_prefix(wanted).is_some_and(|rest| rest.starts_with('.'))
}
