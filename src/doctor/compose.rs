//! Compose files: the services, what is mounted into them, and with what they start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use serde_json::{Map, Value};

use super::answer::At;
use super::places::{clean, text};
use super::{database, shell};
use crate::expectations::yaml;
use crate::migrations::shown;
use crate::repository::{leads_out, or_dot};

/// A service of a compose file; of several files what they say together.
#[derive(Debug, Clone)]
pub(super) struct Service {
    pub(super) name: String,
    /// The line of its name.
    pub(super) at: At,
    pub(super) build: Option<Build>,
    pub(super) folder: Option<PathBuf>,
    pub(super) mounts: Vec<Mount>,
    pub(super) databases: Vec<database::Named>,
    /// Whether a variable that may name one has a value that no file has.
    pub(super) is_open: bool,
    /// Whether another service that was not looked at says more of it.
    pub(super) is_part: bool,
    /// Commands with their line; none where the image decides.
    pub(super) start: Option<(Vec<Vec<String>>, At)>,
    /// Whether the entry point of the image does not run.
    pub(super) has_entry: bool,
    /// Services that have to end well before this one starts.
    pub(super) after: Vec<String>,
    /// With which it starts; without any it always does.
    profiles: Vec<String>,
    /// Keys of which nothing counts that an earlier file says.
    replaced: BTreeSet<String>,
}

impl Service {
    /// What is mounted on this path, or nearest above it.
    pub(super) fn mount_of(&self, path: &Path) -> Option<&Mount> {
        let over = self.mounts.iter().filter(|mount| path.starts_with(&mount.target));
        over.max_by_key(|mount| mount.target.components().count())
    }
}

/// How the image of a service is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Build {
    /// The folder that the builder is given.
    pub(super) context: PathBuf,
    pub(super) file: PathBuf,
    /// The stage that is the image; the last one where none is named.
    pub(super) target: Option<String>,
}

/// What is mounted at a path of the container.
#[derive(Debug, Clone)]
pub(super) struct Mount {
    pub(super) kind: MountKind,
    pub(super) target: PathBuf,
    pub(super) at: At,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MountKind {
    /// A volume with a name.
    Named,
    /// A file or folder of the host.
    Bind,
    /// A volume without a name: the next container has another one.
    Anonymous,
    /// In memory.
    Temporary,
}

/// Services, and mounts of each, that are looked at; no file of a person has as many.
const MOST: usize = 500;
/// Files that are read in all.
const MOST_FILES: usize = 100;
/// Files that include each other, and services that extend each other.
const DEEPEST: usize = 16;
const OVERRIDE: &str = "override";
/// Tags by which a later file takes away what an earlier one says.
const TAGS: [&str; 2] = ["reset", OVERRIDE];
/// Names that compose takes by itself, in its order, and those that are added to them.
const NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];
/// Parts of names that speak of another place than production.
const ELSEWHERE: [&str; 7] = ["dev", "test", "local", "ci", "e2e", "debug", "example"];

/// The compose files of a folder that may be production's, the main one first.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(or_dot(folder)).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort_by_key(|name| (NAMES.iter().position(|known| known == name).unwrap_or(NAMES.len()), name.clone()));
    let is_compose = |name: &&String| {
        let stem = name.strip_suffix(".yaml").or(name.strip_suffix(".yml")).unwrap_or_default();
        let rest = stem.strip_prefix("docker-").unwrap_or(stem).strip_prefix("compose");
        rest.is_some_and(|rest| (rest.is_empty() || rest.starts_with(['.', '-', '_'])) && !is_elsewhere(rest))
    };
    let mut main = false;
    let wanted = names.iter().filter(is_compose).filter(|name| {
        let is_main = NAMES.contains(&name.as_str());
        let is_first = !main;
        main |= is_main;
        !is_main || is_first
    });
    wanted.map(|name| folder.join(name)).collect()
}

/// Whether a part of the name speaks of another place than production.
fn is_elsewhere(name: &str) -> bool {
    name.split(['.', '-', '_']).any(|part| ELSEWHERE.contains(&part))
}

/// What compose files say.
#[derive(Debug, Default)]
pub(super) struct Compose {
    /// The services that may be production's, each once.
    pub(super) services: Vec<Service>,
    /// Why a file cannot be read.
    pub(super) unread: Vec<String>,
    /// What the files name and was not looked at.
    pub(super) open: Vec<String>,
}

/// Reads these files, those that they include, and what their services extend.
pub(super) fn read(files: &[PathBuf]) -> Compose {
    let mut reader = Reader::default();
    for file in files {
        reader.file(file, 0);
    }
    let mut compose = reader.compose;
    compose.services.retain(|service| !service.is_elsewhere());
    compose
}

/// Reads files, each once.
#[derive(Default)]
struct Reader {
    compose: Compose,
    read: BTreeMap<PathBuf, Option<Rc<File>>>,
    included: BTreeSet<PathBuf>,
}

struct File {
    path: PathBuf,
    text: String,
    services: Map<String, Value>,
    /// Services of which nothing counts that an earlier file says.
    replaced: BTreeSet<String>,
    /// Of the files that it includes.
    includes: Vec<Vec<String>>,
    /// What `.env` beside the file gives for `${NAME}`.
    variables: BTreeMap<String, String>,
}

impl Reader {
    fn load(&mut self, path: &Path) -> Option<Rc<File>> {
        if let Some(known) = self.read.get(path) {
            return known.clone();
        }
        if self.read.len() >= MOST_FILES {
            self.compose.open.push(format!("`{}` was not looked at: more than {MOST_FILES} files", shown(path)));
            return None;
        }
        let file = text(path).and_then(|text| {
            let parsed = yaml::parse::<Value>(&with_tags_in_keys(&text), path).map_err(|error| error.to_string())?;
            let parsed = merged(parsed);
            let services = parsed.get("services").and_then(Value::as_object).map(without_tags);
            let (services, replaced) = services.unwrap_or_default();
            let includes = parsed.get("include").and_then(Value::as_array).into_iter().flatten().map(included);
            let (includes, variables) = (includes.collect(), variables_beside(path));
            Ok(Rc::new(File { path: path.to_path_buf(), text, services, replaced, includes, variables }))
        });
        let file = file.map_err(|why| self.compose.unread.push(why)).ok();
        self.read.insert(path.to_path_buf(), file.clone());
        file
    }

    /// The file that another one names; none where it is not to be read, which is told.
    fn named(&mut self, by: &File, name: &str, what: &str) -> Option<Rc<File>> {
        let folder = by.path.parent().unwrap_or(Path::new(""));
        let path = clean(&folder.join(filled(name, &by.variables)));
        let why = if name.contains("://") || name.starts_with("oci:") {
            "it is not in the project"
        } else if leads_out(&path, folder) {
            "it lies outside of the repository"
        } else if !path.is_file() {
            "there is no such file"
        } else {
            return self.load(&path);
        };
        self.compose.open.push(format!("`{name}`, which `{}` {what}, was not looked at: {why}", shown(&by.path)));
        None
    }

    fn file(&mut self, path: &Path, depth: usize) {
        if let Some(file) = self.load(path) {
            self.services_of(&file, depth);
        }
    }

    fn services_of(&mut self, file: &Rc<File>, depth: usize) {
        if !self.included.insert(file.path.clone()) {
            return;
        }
        for name in file.includes.iter().flatten().take(MOST_FILES) {
            if depth >= DEEPEST {
                let path = shown(&file.path);
                self.compose.open.push(format!("what `{path}` includes was not looked at: files in files too deep"));
                break;
            }
            if let Some(other) = self.named(file, name, "includes") {
                self.services_of(&other, depth + 1);
            }
        }
        self.compose.services.retain(|service| !file.replaced.contains(&service.name));
        for name in file.services.keys().take(MOST) {
            let Some(service) = self.service(file, name, 0) else { continue };
            match self.compose.services.iter_mut().find(|known| known.name == *name) {
                Some(known) => known.add(service),
                None => self.compose.services.push(service),
            }
        }
    }

    /// A service with what it extends.
    fn service(&mut self, file: &Rc<File>, name: &str, depth: usize) -> Option<Service> {
        let value = file.services.get(name)?.as_object()?;
        let mut own = Source { file: &file.path, text: &file.text, variables: &file.variables }.service(name, value);
        let Some(extends) = value.get("extends") else { return Some(own) };
        let of = |key: &str| extends.get(key).and_then(Value::as_str);
        let base = match of("file") {
            _ if depth >= DEEPEST => None,
            Some(other) => self.named(file, other, "extends"),
            None => Some(file.clone()),
        };
        let base = base.zip(extends.as_str().or(of("service")));
        let Some(mut base) = base.and_then(|(file, name)| self.service(&file, name, depth + 1)) else {
            own.is_part = true;
            return Some(own);
        };
        (base.name, base.at) = (own.name.clone(), own.at.clone());
        // Whom it starts for, its base does not say.
        base.profiles.clear();
        base.add(own);
        Some(base)
    }
}

/// The files that an entry of `include` names.
fn included(entry: &Value) -> Vec<String> {
    match entry.get("path").unwrap_or(entry) {
        Value::String(path) => vec![path.clone()],
        several => strings(Some(several)),
    }
}

/// The text with the tags `!reset` and `!override` in the keys of their values, `"volumes!reset":`, on the same lines.
fn with_tags_in_keys(text: &str) -> String {
    let tagged = |line: &str| {
        let (key, value) = line.split_once(": !")?;
        let end = value.find(char::is_whitespace).unwrap_or(value.len());
        let (tag, value) = value.split_at(end);
        let name = key.trim_start_matches([' ', '-']).trim_matches(['"', '\'']);
        let is_plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_.-".contains(c));
        let indent = &key[..key.len() - key.trim_start_matches([' ', '-']).len()];
        (is_plain && TAGS.contains(&tag)).then(|| format!("{indent}\"{name}!{tag}\":{value}"))
    };
    text.split('\n').map(|line| tagged(line).unwrap_or_else(|| line.to_owned())).collect::<Vec<_>>().join("\n")
}

struct Source<'a> {
    file: &'a Path,
    text: &'a str,
    /// What `.env` beside the file gives for `${NAME}`.
    variables: &'a BTreeMap<String, String>,
}

impl Source<'_> {
    fn service(&self, name: &str, service: &Map<String, Value>) -> Service {
        let (service, replaced) = &without_tags(service);
        let block = self.block_of(name);
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let text = |key: &str| service.get(key).and_then(Value::as_str);
        let build = service.get("build").map(|build| {
            let of = |key: &str| build.get(key).and_then(Value::as_str);
            let context = clean(&folder.join(build.as_str().or(of("context")).unwrap_or(".")));
            let file = clean(&context.join(of("dockerfile").unwrap_or("Dockerfile")));
            Build { context, file, target: of("target").map(str::to_owned) }
        });
        let (databases, is_open) = self.databases(service, block);
        let start = ["entrypoint", "command"].iter().filter_map(|key| Some((*key, service.get(*key)?)));
        let start: Vec<_> = start.collect();
        let commands: Vec<Vec<String>> = start.iter().flat_map(|(_, value)| commands(value)).collect();
        let line = start.last().map(|(key, _)| self.line_of(block, &format!("{key}:")));
        Service {
            name: name.to_owned(),
            at: At::new(self.file, block.first),
            build,
            folder: text("working_dir").map(PathBuf::from),
            mounts: self.mounts(service, block),
            databases,
            is_open,
            is_part: false,
            start: line.filter(|_| !commands.is_empty()).map(|line| (commands, At::new(self.file, line))),
            has_entry: service.contains_key("entrypoint"),
            after: after(service),
            replaced: replaced.clone(),
            profiles: strings(service.get("profiles")),
        }
    }

    fn mounts(&self, service: &Map<String, Value>, block: Lines) -> Vec<Mount> {
        let mut mounts = Vec::new();
        let section = self.section(service, "volumes", block);
        for volume in service.get("volumes").and_then(Value::as_array).into_iter().flatten().take(MOST) {
            let (kind, target, written) = match volume {
                Value::String(short) => {
                    let Some((kind, target)) = short_form(&filled(short, self.variables)) else { continue };
                    (kind, target, short.as_str())
                }
                Value::Object(long) => {
                    let Some(target) = long.get("target").and_then(Value::as_str) else { continue };
                    let has_source = long.get("source").is_some();
                    let kind = match long.get("type").and_then(Value::as_str) {
                        Some("bind") => MountKind::Bind,
                        Some("tmpfs") => MountKind::Temporary,
                        _ if has_source => MountKind::Named,
                        _ => MountKind::Anonymous,
                    };
                    (kind, target.to_owned(), target)
                }
                _ => continue,
            };
            let at = At::new(self.file, self.line_of(section, written));
            mounts.push(Mount { kind, target: clean(Path::new(&target)), at });
        }
        let temporary = match service.get("tmpfs") {
            Some(Value::Array(paths)) => paths.iter().filter_map(Value::as_str).collect(),
            Some(Value::String(path)) => vec![path.as_str()],
            _ => Vec::new(),
        };
        let section = self.section(service, "tmpfs", block);
        for path in temporary {
            let target = clean(Path::new(path.split(':').next().unwrap_or_default()));
            let at = At::new(self.file, self.line_of(section, path));
            mounts.push(Mount { kind: MountKind::Temporary, target, at });
        }
        mounts
    }

    /// The databases that the variables of a service name, and whether one may be named by a value that no file has.
    fn databases(&self, service: &Map<String, Value>, block: Lines) -> (Vec<database::Named>, bool) {
        // A variable without a value has that of the shell in which compose runs.
        let from_outside = |name: &str| (name.to_owned(), format!("${{{name}}}"));
        let pairs: Vec<(String, String)> = match service.get("environment") {
            Some(Value::Object(map)) => map
                .iter()
                .filter_map(|(name, value)| match value {
                    Value::Null => Some(from_outside(name)),
                    value => Some((name.clone(), value.as_str()?.to_owned())),
                })
                .collect(),
            Some(Value::Array(lines)) => lines
                .iter()
                .filter_map(Value::as_str)
                .map(|line| match line.split_once('=') {
                    Some((name, value)) => (name.to_owned(), value.to_owned()),
                    None => from_outside(line),
                })
                .collect(),
            _ => Vec::new(),
        };
        let section = self.section(service, "environment", block);
        let mut pairs: Vec<_> = pairs.into_iter().map(|(name, value)| (name, filled(&value, self.variables))).collect();
        pairs.sort_by_key(|(name, _)| database::rank(name));
        let is_open = pairs.iter().any(|(name, value)| value.contains('$') && is_of_a_database(name));
        let named = pairs.into_iter().filter_map(|(name, value)| {
            let path = database::path(&value)?;
            let at = At::new(self.file, self.line_of(section, &name));
            Some(database::Named { path, at, is_default: false })
        });
        let mut named: Vec<_> = named.collect();
        let files: Vec<&str> = match service.get("env_file") {
            Some(Value::String(file)) => vec![file],
            Some(Value::Array(files)) => files
                .iter()
                .filter_map(|file| file.as_str().or_else(|| file.get("path").and_then(Value::as_str)))
                .collect(),
            _ => Vec::new(),
        };
        let folder = self.file.parent().unwrap_or(Path::new(""));
        let files = files.into_iter().map(|file| clean(&folder.join(file)));
        for file in files.filter(|file| !leads_out(file, folder)) {
            named.extend(text(&file).iter().flat_map(|text| database::in_variables(&file, text)));
        }
        (named, is_open)
    }

    /// The lines of a service from this key on; all of them where it has no such key.
    fn section(&self, service: &Map<String, Value>, key: &str, block: Lines) -> Lines {
        let first = service.get(key).map(|_| self.line_of(block, &format!("{key}:")));
        Lines { first: first.unwrap_or(block.first), ..block }
    }

    /// The lines of a service: up to the next one that stands no deeper.
    fn block_of(&self, service: &str) -> Lines {
        let all = Lines { first: 1, last: u32::MAX };
        let services = Lines { first: self.line_of(all, "services:"), ..all };
        let depth = |line: &str| line.len() - line.trim_start().len();
        let of_names = self.lines(services).nth(1).map_or(0, |(line, _)| depth(line));
        let name = format!("{service}:");
        let is_it =
            |line: &str| depth(line) == of_names && line.trim_start_matches([' ', '"', '\'']).starts_with(&name);
        let first = self.lines(services).find(|(line, _)| is_it(line)).map(|(_, number)| number);
        let first = first.unwrap_or_else(|| self.line_of(services, &name));
        let behind = self.lines(Lines { first, ..all }).skip(1);
        let last = behind.take_while(|(line, _)| depth(line) > of_names).last().map_or(first, |(_, number)| number);
        Lines { first, last }
    }

    /// The first of these lines that begins with the text, else the first that holds it; the first of all where there is none. What is merged
    /// in stands elsewhere.
    fn line_of(&self, lines: Lines, wanted: &str) -> u32 {
        let begins = |line: &str| line.trim_start_matches([' ', '-', '"', '\'']).starts_with(wanted);
        let first = self.lines(lines).find(|(line, _)| begins(line));
        let first = first.or_else(|| self.lines(lines).find(|(line, _)| line.contains(wanted)));
        first.map_or(lines.first, |(_, number)| number)
    }

    /// Lines with something else than a comment, each with its number.
    fn lines(&self, lines: Lines) -> impl Iterator<Item = (&str, u32)> {
        let numbered =
            self.text.lines().zip(1..).filter(|(line, _)| !line.trim().is_empty() && !line.trim().starts_with('#'));
        numbered.filter(move |(_, number)| (lines.first..=lines.last).contains(number))
    }
}

/// Lines of a file, from 1.
#[derive(Clone, Copy)]
struct Lines {
    first: u32,
    last: u32,
}

impl Service {
    /// What a later file says of it.
    fn add(&mut self, later: Self) {
        let is_replaced = |key: &str| later.replaced.contains(key);
        if is_replaced("build") {
            self.build = None;
        }
        if is_replaced("command") || is_replaced("entrypoint") {
            (self.start, self.has_entry) = (None, false);
        }
        if is_replaced("environment") || is_replaced("env_file") {
            self.databases.clear();
            self.is_open = false;
        }
        if is_replaced("depends_on") {
            self.after.clear();
        }
        if is_replaced("profiles") {
            self.profiles.clear();
        }
        let is_temporary = |mount: &Mount| mount.kind == MountKind::Temporary;
        self.mounts.retain(|mount| !is_replaced(if is_temporary(mount) { "tmpfs" } else { "volumes" }));
        self.build = later.build.or(self.build.take());
        self.folder = later.folder.or(self.folder.take());
        self.start = later.start.or(self.start.take());
        self.mounts.extend(later.mounts);
        // What a later file says counts.
        self.databases.splice(0..0, later.databases);
        self.is_open |= later.is_open;
        self.is_part |= later.is_part;
        self.has_entry |= later.has_entry;
        self.after.extend(later.after);
        self.profiles.extend(later.profiles);
    }

    /// Whether it starts only with profiles that speak of another place than production.
    fn is_elsewhere(&self) -> bool {
        !self.profiles.is_empty() && self.profiles.iter().all(|profile| is_elsewhere(profile))
    }
}

/// A service without the tags in its keys, and the keys of which nothing earlier counts: what is reset is not there.
fn without_tags(service: &Map<String, Value>) -> (Map<String, Value>, BTreeSet<String>) {
    let (mut plain, mut replaced) = (Map::new(), BTreeSet::new());
    for (key, value) in service {
        match key.rsplit_once('!') {
            Some((key, tag)) if TAGS.contains(&tag) => {
                replaced.insert(key.to_owned());
                if tag == OVERRIDE {
                    plain.insert(key.to_owned(), value.clone());
                }
            }
            _ => _ = plain.insert(key.clone(), value.clone()),
        }
    }
    (plain, replaced)
}

/// Whether a variable of this name may say where a database is.
fn is_of_a_database(name: &str) -> bool {
    let upper = name.to_uppercase();
    ["DB", "DATABASE", "SQLITE"].iter().any(|part| upper.contains(part))
}

/// The value with the keys that `<<` merges in, at every depth; its own keys count before them, and the first of several maps.
fn merged(value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(merged).collect(),
        Value::Object(map) => {
            let mut own: Map<String, Value> = map.into_iter().map(|(key, value)| (key, merged(value))).collect();
            let several = match own.remove("<<") {
                Some(Value::Array(several)) => several,
                one => one.into_iter().collect(),
            };
            for map in several {
                let Value::Object(map) = map else { continue };
                for (key, value) in map {
                    own.entry(key).or_insert(value);
                }
            }
            Value::Object(own)
        }
        plain => plain,
    }
}

/// `source:target`, `source:target:ro`, `target`; none where the target is put together.
fn short_form(text: &str) -> Option<(MountKind, String)> {
    let mut parts = text.split(':');
    let (first, second) = (parts.next()?, parts.next());
    let kind = match second {
        None => MountKind::Anonymous,
        Some(_) if first.starts_with(['.', '/', '~', '$']) => MountKind::Bind,
        Some(_) => MountKind::Named,
    };
    let target = second.unwrap_or(first);
    target.starts_with('/').then(|| (kind, target.to_owned()))
}

/// The variables in `.env` beside a compose file.
fn variables_beside(file: &Path) -> BTreeMap<String, String> {
    let text = text(&file.with_file_name(".env")).unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.trim().trim_start_matches("export ").split_once('='));
    let plain = |value: &str| value.trim().trim_matches(['"', '\'']).to_owned();
    pairs
        .filter(|(name, _)| !name.starts_with('#'))
        .map(|(name, value)| (name.trim().to_owned(), plain(value)))
        .collect()
}

/// The text with `${NAME}` and `${NAME:-default}` put in where they are known.
fn filled(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("${") {
        plain.push_str(before);
        let Some((inside, behind)) = behind.split_once('}') else { return plain + "${" + behind };
        let name = inside.split([':', '-', '?', '+']).next().unwrap_or_default();
        let default = inside[name.len()..].trim_start_matches(':').strip_prefix('-');
        match variables.get(name).map(String::as_str).filter(|value| !value.is_empty()).or(default) {
            Some(value) => plain.push_str(value),
            None => plain.extend(["${", name, "}"]),
        }
        rest = behind;
    }
    plain + rest
}

fn commands(value: &Value) -> Vec<Vec<String>> {
    match value {
        Value::String(line) => shell::commands(line),
        Value::Array(words) => {
            let words: Vec<String> = words.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            shell::unpacked(words)
        }
        _ => Vec::new(),
    }
}

fn strings(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn after(service: &Map<String, Value>) -> Vec<String> {
    let needed = service.get("depends_on").and_then(Value::as_object).into_iter().flatten();
    let ends = needed
        .filter(|(_, how)| how.get("condition").and_then(Value::as_str) == Some("service_completed_successfully"));
    ends.map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Service> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("compose.yaml");
        std::fs::write(&file, text).unwrap();
        let compose = super::read(&[file]);
        assert_eq!(compose.unread, Vec::<String>::new());
        compose.services
    }

    #[test]
    fn mounts_are_read_in_both_forms() {
        use MountKind::{Anonymous, Bind, Named, Temporary};
        let services = read(
            "services:\n  app:\n    volumes:\n      # - old:/old\n      - data:/data\n      - ./db:/db:rw\n      - /cache\n      \
             - type: tmpfs\n        target: /tmp\n      - {type: volume, source: x, target: /x}\n      - ${DIR:-./y}:/y\n    tmpfs: /run\n",
        );
        let mounts: Vec<_> = services[0]
            .mounts
            .iter()
            .map(|mount| (mount.kind, mount.target.to_str().unwrap(), mount.at.line))
            .collect();
        let expected = [
            (Named, "/data", 5),
            (Bind, "/db", 6),
            (Anonymous, "/cache", 7),
            (Temporary, "/tmp", 9),
            (Named, "/x", 10),
            (Bind, "/y", 11),
            (Temporary, "/run", 12),
        ];
        assert_eq!(mounts, expected);
    }

    #[test]
    fn merged_keys_defaults_and_both_kinds_of_environment_count() {
        let services = read(
            "x-app: &app\n  environment:\n    DATABASE_URL: file:${DIR:-/data}/app.db\n  working_dir: /srv\nservices:\n  app:\n    <<: *app\n  \
             other:\n    environment: [A=b, DB=/y.sqlite]\n    depends_on: {app: {condition: service_completed_successfully}}\n    command: sh -c 'a && b'\n",
        );
        assert_eq!(services[0].databases[0].path, "/data/app.db");
        assert_eq!(services[0].folder.as_deref(), Some(Path::new("/srv")));
        assert_eq!((services[1].databases[0].path.as_str(), services[1].databases[0].at.line), ("/y.sqlite", 9));
        assert_eq!(services[1].after, ["app"]);
        assert_eq!(services[1].start.as_ref().unwrap().0, [["a"], ["b"]]);
    }

    #[test]
    fn files_of_other_places_than_production_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["compose.yaml", "docker-compose.yml", "compose.prod.yml", "docker-compose.dev.yml", "composer.yml"]
        {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let found: Vec<_> = files(folder.path()).iter().map(|file| file.file_name().unwrap().to_owned()).collect();
        assert_eq!(found, ["compose.yaml", "compose.prod.yml"]);
    }

    #[test]
    fn a_file_that_is_made_to_do_harm_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("compose.yaml");
        let bomb: Vec<String> =
            (0..40).map(|i| format!("a{}: &a{} [{}]", i + 1, i + 1, vec![format!("*a{i}"); 9].join(","))).collect();
        let bomb = bomb.join("\n");
        for text in [format!("a0: &a0 x\n{bomb}"), "[".repeat(100_000), "services: [".to_owned()] {
            std::fs::write(&file, text).unwrap();
            assert_eq!(super::read(std::slice::from_ref(&file)).unread.len(), 1);
        }
    }

    #[test]
    fn lines_are_those_of_the_service() {
        let services = read(
            "x-app: &app\n  volumes: [data:/data]\nservices:\n  myapp:\n    depends_on:\n      app:\n        condition: x\n\n  app:\n    environment:\n      MY_DB: /a\n      DB: /y.db\n  \
             last:\n    <<: *app\nvolumes:\n  data:\n",
        );
        let (app, last) = (&services[0], &services[1]);
        assert_eq!((app.name.as_str(), app.at.line, app.databases[0].at.line), ("app", 9, 12));
        assert_eq!((last.name.as_str(), last.at.line, last.mounts[0].at.line), ("last", 13, 13));
    }

    #[test]
    fn keys_are_merged_at_every_depth() {
        let services = read(
            "x-env: &env\n  DATABASE_PATH: /data/app.db\n  A: b\nx-a: &a\n  volumes: [data:/data]\n  working_dir: /a\nx-b: &b\n  <<: *a\n  \
             working_dir: /b\nservices:\n  app:\n    <<: *b\n    environment:\n      <<: *env\n      A: c\n",
        );
        let app = &services[0];
        assert_eq!(app.databases[0].path, "/data/app.db");
        assert_eq!((app.mounts.len(), app.folder.as_deref()), (1, Some(Path::new("/b"))));
    }

    #[test]
    fn a_service_of_a_profile_for_development_is_left_out() {
        let services = read(
            "services:\n  app: {image: a}\n  web: {image: b, profiles: [dev]}\n  job: {image: c, profiles: [prod, dev]}\n  \
             mail: {image: d, profiles: [local-mail, test]}\n",
        );
        let names: Vec<&str> = services.iter().map(|service| service.name.as_str()).collect();
        assert_eq!(names, ["app", "job"]);
    }

    #[test]
    fn tags_take_away_what_an_earlier_file_says() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name)
        };
        let first = file(
            "compose.yaml",
            "services:\n  app:\n    command: a\n    environment: {DB: /old.db}\n    volumes: [data:/data]\n    tmpfs: /run\n  mail: {image: m}\n",
        );
        for (later, mounts, command, databases, services) in [
            ("    volumes: !reset []\n", vec!["/run"], 1, vec!["/old.db"], 2),
            ("    volumes: !override\n      - x:/x\n", vec!["/run", "/x"], 1, vec!["/old.db"], 2),
            (
                "    command: !reset null\n    environment: !override {DB: /new.db}\n",
                vec!["/data", "/run"],
                0,
                vec!["/new.db"],
                2,
            ),
            ("    image: b\n  mail: !reset null\n", vec!["/data", "/run"], 1, vec!["/old.db"], 1),
        ] {
            let second = file("compose.prod.yaml", &format!("services:\n  app:\n{later}"));
            let compose = super::read(&[first.clone(), second]);
            assert_eq!(compose.unread, Vec::<String>::new(), "{later}");
            let app = &compose.services[0];
            let targets: Vec<&str> = app.mounts.iter().map(|mount| mount.target.to_str().unwrap()).collect();
            let paths: Vec<&str> = app.databases.iter().map(|named| named.path.as_str()).collect();
            let found = (targets, usize::from(app.start.is_some()), paths, compose.services.len());
            assert_eq!(found, (mounts, command, databases, services), "{later}");
        }
    }

    #[test]
    fn what_is_included_and_extended_is_read_within_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("repository");
        let file = |name: &str, text: &str| {
            std::fs::create_dir_all(root.join(name).parent().unwrap()).unwrap();
            std::fs::write(root.join(name), text).unwrap();
        };
        file(".git/HEAD", "");
        file(
            "deploy/base.yaml",
            "services:\n  base:\n    volumes: [data:/data]\n    extends: deeper\n  deeper:\n    environment: [DB=/data/app.db]\n",
        );
        file("more/compose.yaml", "include: [../compose.yaml]\nservices:\n  worker: {build: .}\n");
        std::fs::write(folder.path().join("outside.yaml"), "services: {hunter2: {image: x}}").unwrap();
        for (text, names, open) in [
            (
                "include: [more/compose.yaml]\nservices:\n  app:\n    extends: {file: deploy/base.yaml, service: base}\n",
                vec!["worker", "app"],
                0,
            ),
            (
                "include: [{path: [../outside.yaml, none.yaml]}, \"oci://x/y\"]\nservices:\n  app: {image: x}\n",
                vec!["app"],
                3,
            ),
            ("services:\n  app:\n    extends: {file: ../outside.yaml, service: hunter2}\n", vec!["app"], 1),
            ("services:\n  app:\n    extends: app\n", vec!["app"], 0),
        ] {
            file("compose.yaml", text);
            let compose = super::read(&[root.join("compose.yaml")]);
            let found: Vec<&str> = compose.services.iter().map(|service| service.name.as_str()).collect();
            assert_eq!(
                (found, compose.open.len(), compose.unread.len()),
                (names, open, 0),
                "{text} {:?}",
                compose.open
            );
            let app = compose.services.iter().find(|service| service.name == "app").unwrap();
            let is_whole = text.contains("base.yaml");
            assert_eq!(
                app.databases.first().map(|named| named.path.as_str()),
                is_whole.then_some("/data/app.db"),
                "{text}"
            );
            assert_eq!((app.mounts.len() == 1, app.at.line > 1), (is_whole, true), "{text}");
        }
    }
}
