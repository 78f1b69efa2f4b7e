//! Declared packages (`package.json`) and the versions that are really used (lock files, `node_modules`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::error::{Doing, Error};
use crate::files::read_text;
use crate::migrations::shown;
use crate::repository::{or_dot, upwards};

/// A package that the project declares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// The version or range in `package.json`, as written.
    pub declared: String,
    /// Where it is declared: "`dependencies` in package.json".
    pub from: String,
    /// The exact version in the lock file, else the one in `node_modules`.
    pub locked: Option<String>,
    /// Where `locked` was read.
    pub locked_from: Option<String>,
    /// Features of a crate that are turned on where it is declared.
    pub features: Vec<String>,
}

impl Package {
    /// The exact version where it is known, else the range; with its source.
    #[must_use]
    pub fn version(&self) -> Option<(&str, &str)> {
        match (&self.locked, &self.locked_from) {
            (Some(locked), Some(from)) => Some((locked, from)),
            _ => Some((&self.declared, &self.from)),
        }
    }
}

/// The sections of `package.json`, the most telling first.
const SECTIONS: [&str; 4] = ["dependencies", "optionalDependencies", "peerDependencies", "devDependencies"];

/// Reads the packages of the project in `root`.
pub(super) fn read(root: &Path) -> Result<BTreeMap<String, Package>, Error> {
    let file = root.join("package.json");
    if !file.is_file() {
        return Ok(BTreeMap::new());
    }
    let doing = || format!("reading `{}`", shown(&file));
    let text = read_text(&file).doing(doing)?;
    let json: Json = serde_json::from_str(text.trim_start_matches('\u{feff}')).doing(doing)?;
    let mut packages = BTreeMap::new();
    for section in SECTIONS {
        for (name, declared) in json.get(section).and_then(Json::as_object).into_iter().flatten() {
            let declared = declared.as_str().unwrap_or_default().to_owned();
            let from = format!("{section} of {}", shown(&file));
            let features = Vec::new();
            let package = Package { declared, from, locked: None, locked_from: None, features };
            packages.entry(name.clone()).or_insert(package);
        }
    }
    let locks = locks(root, json.get("name").and_then(Json::as_str).unwrap_or_default());
    for (name, package) in &mut packages {
        let locked = locks.iter().find_map(|lock| Some((lock.version(name, &package.declared)?, shown(&lock.file))));
        if let Some((version, from)) = locked.or_else(|| installed(root, name)) {
            (package.locked, package.locked_from) = (Some(version), Some(from));
        }
    }
    Ok(packages)
}

/// The version in the nearest `node_modules`.
fn installed(root: &Path, name: &str) -> Option<(String, String)> {
    upwards(root).into_iter().find_map(|folder| {
        let file = folder.join("node_modules").join(name).join("package.json");
        let json: Json = serde_json::from_str(&read_text(&file).ok()?).ok()?;
        Some((json.get("version")?.as_str()?.to_owned(), shown(&file)))
    })
}

/// A lock file, and who asks it.
struct Lock {
    file: PathBuf,
    kind: Kind,
    /// The project's folder below the lock file's, `.` for the same one.
    importer: String,
    /// The project's name in its `package.json`.
    project: String,
}

enum Kind {
    /// `package-lock.json` and `npm-shrinkwrap.json`, versions 1 to 3.
    Npm(Json),
    /// Keys and values of `pnpm-lock.yaml` by their path.
    Pnpm(Vec<(Vec<String>, String)>),
    /// The same of `yarn.lock`.
    Yarn(Vec<(Vec<String>, String)>),
    /// `bun.lock`.
    Bun(Json),
}

/// The lock files of the nearest folder that has one, up to the repository's root.
fn locks(root: &Path, project: &str) -> Vec<Lock> {
    for folder in upwards(root) {
        let importer = importer(&folder, root);
        let lock = |name: &str| {
            let file = folder.join(name);
            let kind = read_lock(name, &read_text(&file).ok()?)?;
            Some(Lock { file, kind, importer: importer.clone(), project: project.to_owned() })
        };
        let names = ["npm-shrinkwrap.json", "package-lock.json", "pnpm-lock.yaml", "yarn.lock", "bun.lock"];
        let found: Vec<_> = names.into_iter().filter_map(lock).collect();
        if !found.is_empty() {
            return found;
        }
    }
    Vec::new()
}

fn read_lock(name: &str, text: &str) -> Option<Kind> {
    Some(match name {
        "pnpm-lock.yaml" => Kind::Pnpm(indented(text)),
        "yarn.lock" => Kind::Yarn(indented(text)),
        "bun.lock" => Kind::Bun(serde_json::from_str(&without_trailing_commas(text)).ok()?),
        _ => Kind::Npm(serde_json::from_str(text).ok()?),
    })
}

fn importer(folder: &Path, root: &Path) -> String {
    let absolute = |path: &Path| or_dot(path).canonicalize().ok();
    let below = absolute(root).and_then(|root| Some(root.strip_prefix(absolute(folder)?).ok()?.to_path_buf()));
    let below = below.unwrap_or_default().to_string_lossy().replace('\\', "/");
    if below.is_empty() { ".".into() } else { below }
}

impl Lock {
    fn version(&self, name: &str, declared: &str) -> Option<String> {
        let version = match &self.kind {
            Kind::Npm(json) => self.npm(json, name)?,
            Kind::Pnpm(entries) => self.pnpm(entries, name)?,
            Kind::Yarn(entries) => yarn(entries, name, declared)?,
            Kind::Bun(json) => self.bun(json, name)?,
        };
        version.starts_with(|c: char| c.is_ascii_digit()).then_some(version)
    }

    fn npm(&self, json: &Json, name: &str) -> Option<String> {
        let at = |key: String| json.get("packages")?.get(key)?.get("version")?.as_str().map(ToOwned::to_owned);
        let own = at(format!("{}/node_modules/{name}", self.importer));
        let first_version = || json.get("dependencies")?.get(name)?.get("version")?.as_str().map(ToOwned::to_owned);
        own.or_else(|| at(format!("node_modules/{name}"))).or_else(first_version)
    }

    /// `importers.<folder>.<section>.<name>.version`; before version 6 of the file `<section>.<name>`, with a value.
    fn pnpm(&self, entries: &[(Vec<String>, String)], name: &str) -> Option<String> {
        let is_own = |path: &[String]| match path {
            [importers, folder, rest @ ..] if importers == "importers" => {
                (*folder == self.importer).then_some(rest.len())
            }
            path => Some(path.len()),
        };
        let found = entries.iter().find(|(path, value)| {
            let Some(length) = is_own(path) else { return false };
            let rest = &path[path.len() - length..];
            let in_section = rest.first().is_some_and(|section| SECTIONS.contains(&section.as_str()));
            let names = rest.get(1).is_some_and(|key| key == name);
            in_section && names && !value.is_empty() && (length == 2 || rest.get(2).is_some_and(|key| key == "version"))
        })?;
        // 0.44.2(better-sqlite3@12.0.0) and, before version 6, 0.29.0_better-sqlite3@9.0.0
        Some(found.1.split(['(', '_']).next().unwrap_or_default().to_owned())
    }

    /// `packages.<name>[0]` is `<name>@<version>`; a project of a workspace may have its own.
    fn bun(&self, json: &Json, name: &str) -> Option<String> {
        let at = |key: String| {
            let entry = json.get("packages")?.get(key)?.get(0)?.as_str()?;
            entry.rsplit_once('@').map(|(_, version)| version.to_owned())
        };
        at(format!("{}/{name}", self.project)).or_else(|| at(name.to_owned()))
    }
}

/// `"<name>@<range>, <name>@npm:<range>"` and below it `version`; else the only version of that name.
fn yarn(entries: &[(Vec<String>, String)], name: &str, declared: &str) -> Option<String> {
    let descriptors = |path: &[String]| match path {
        [key, version] if version == "version" => {
            key.split(',').map(|part| part.trim().trim_matches('"').to_owned()).collect()
        }
        _ => Vec::new(),
    };
    let wanted = [format!("{name}@{declared}"), format!("{name}@npm:{declared}")];
    let exact = entries.iter().find(|(path, _)| descriptors(path).iter().any(|descriptor| wanted.contains(descriptor)));
    let prefix = format!("{name}@");
    let mut of_name = entries.iter().filter(|(path, _)| descriptors(path).iter().any(|one| one.starts_with(&prefix)));
    let only = || of_name.next().filter(|_| of_name.next().is_none());
    exact.or_else(only).map(|(_, version)| version.clone())
}

/// Reads `key: value` and `key "value"` lines with their indentation: as much of YAML as lock files use.
fn indented(text: &str) -> Vec<(Vec<String>, String)> {
    let mut entries = Vec::new();
    let mut path: Vec<(usize, String)> = Vec::new();
    for line in text.lines() {
        let content = line.trim();
        if content.is_empty() || content.starts_with(['#', '-']) {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        path.retain(|(outer, _)| *outer < indent);
        let (key, value) = key_and_value(content);
        path.push((indent, key));
        if !value.is_empty() {
            entries.push((path.iter().map(|(_, key)| key.clone()).collect(), value));
        }
    }
    entries
}

fn key_and_value(content: &str) -> (String, String) {
    let quote = content.chars().next().filter(|c| matches!(c, '"' | '\''));
    let unquoted = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
    if let Some((key, rest)) = quote.and_then(|quote| content[1..].split_once(quote)) {
        return (key.to_owned(), unquoted(rest.trim_start_matches(':')));
    }
    let colon = content.strip_suffix(':').map(|key| (key, "")).or_else(|| content.split_once(": "));
    let (key, value) = colon.or_else(|| content.split_once(' ')).unwrap_or((content, ""));
    (unquoted(key), unquoted(value))
}

/// JSON as bun writes it has a comma before a closing bracket.
fn without_trailing_commas(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let (mut in_string, mut escaped) = (false, false);
    for (index, c) in text.char_indices() {
        let is_trailing = || text[index + 1..].trim_start().starts_with(['}', ']']);
        if in_string {
            in_string = escaped || c != '"';
            escaped = c == '\\' && !escaped;
        } else if c == '"' {
            in_string = true;
        } else if c == ',' && is_trailing() {
            continue;
        }
        clean.push(c);
    }
    clean
}
