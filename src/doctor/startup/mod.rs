//! What runs when the app starts, as far as files tell: the commands of compose, Dockerfile and package.json, and the code that they run.

mod calls;
mod module;
mod programs;
mod resolve;
#[cfg(test)]
mod tests;
mod walk;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::answer::At;
use super::deployment::Deployment;
use super::places::{self, Places};
use super::{docker::Dockerfile, shell};
use crate::migrations::shown;
use crate::report::text::cut;
use calls::Seen;
use programs::Meant;
use walk::{Event, Walk};

/// Characters of a command that are told.
const TOLD: usize = 80;
/// Scripts in scripts that are followed.
const DEEPEST: usize = 8;
/// Commands that are followed in one way of starting.
const MOST_COMMANDS: usize = 1_000;
/// Where an app usually begins.
const USUAL: [&str; 34] = [
    "src/index.ts",
    "src/server.ts",
    "src/main.ts",
    "src/app.ts",
    "index.ts",
    "server.ts",
    "main.ts",
    "app.ts",
    "server/index.ts",
    "src/server/index.ts",
    "src/index.js",
    "src/server.js",
    "src/main.js",
    "src/app.js",
    "index.js",
    "server.js",
    "app.js",
    "index.mjs",
    "server.mjs",
    "src/hooks.server.ts",
    "src/instrumentation.ts",
    "instrumentation.ts",
    "src/main.rs",
    "main.go",
    // What a framework's server imports.
    "src/db.ts",
    "src/db/index.ts",
    "src/lib/db.ts",
    "src/lib/db/index.ts",
    "src/lib/server/db.ts",
    "src/lib/server/db/index.ts",
    "src/server/db.ts",
    "src/server/db/index.ts",
    "db.ts",
    "lib/db.ts",
];
/// Words of package managers behind which a package is named.
const OF_A_PACKAGE: [&str; 9] =
    ["--filter", "-F", "--prefix", "-C", "--dir", "--cwd", "-w", "--workspace", "workspace"];
/// The folder of what Nitro runs before it listens.
const PLUGINS: &str = "server/plugins";

/// When the migrations run.
#[derive(Debug)]
pub(super) enum Startup {
    /// Before the server listens, or before the command that starts it.
    Before { migrates: Step, starts: Step },
    /// When the server listens already.
    After { migrates: Step, listens: Step },
    /// Before, but nothing waits for them.
    Unawaited { migrates: Step, listens: Step },
    /// They run, and nothing tells when.
    Unknown { migrates: Step, why: &'static str },
    /// What runs first is in no file that was read, and nothing that migrates was found behind it.
    Unread { runs: Step },
    /// Nothing that migrates was found in these.
    NotFound { looked_at: Vec<String> },
}

/// Something that happens, and where.
#[derive(Debug, Clone)]
pub(super) struct Step {
    pub(super) what: String,
    pub(super) at: At,
}

/// One way in which the app may be started.
struct Way {
    /// The commands, each with its place.
    commands: Vec<(Vec<String>, At)>,
    /// Files, where no command says which.
    files: Vec<PathBuf>,
}

impl Way {
    fn of((commands, at): (Vec<Vec<String>>, At)) -> Self {
        Self { commands: commands.into_iter().map(|words| (words, at.clone())).collect(), files: Vec::new() }
    }
}

/// Where commands run.
struct Place<'a> {
    project: &'a Scripts,
    image: Option<&'a Dockerfile>,
    /// In which the container starts.
    folder: PathBuf,
    /// Whether programs may be made of the project's code.
    is_compiled: bool,
}

impl<'a> Place<'a> {
    fn of(project: &'a Scripts, deployment: &'a Deployment) -> Self {
        let image = deployment.dockerfile.as_ref();
        let has = |name: &str| project.root.join(name).is_file();
        let is_compiled = has("go.mod")
            || has("Cargo.toml")
            || image.is_some_and(Dockerfile::may_compile)
            || project.lines.values().any(|(line, _)| line.contains("compile"));
        Self { project, image, folder: image.map(Dockerfile::folder).unwrap_or_default(), is_compiled }
    }
}

impl Startup {
    pub(super) fn find(places: &Places, deployment: &Deployment) -> Self {
        if let Some(found) = by_service(deployment) {
            return found;
        }
        let project = Scripts::read(places.root());
        let place = Place::of(&project, deployment);
        let mut looked_at = Vec::new();
        for way in ways(places, deployment, &project) {
            let mut walk = Walk::new(places.root());
            for (words, at) in &way.commands {
                looked_at.push(at.shown());
                run(&mut walk, &place, words, at, 0);
            }
            for file in &way.files {
                looked_at.push(shown(file));
                walk.start(file);
            }
            let last = walk.last.take().map(|(what, at, command)| (Step { what, at }, command));
            if let Some(found) = judge(&walk.events, last) {
                return found;
            }
            if let Some((what, at)) = walk.unread.take() {
                return Self::Unread { runs: Step { what, at } };
            }
            if walk.events.iter().any(|event| event.seen == Seen::Listens) {
                break;
            }
        }
        looked_at.dedup();
        Self::NotFound { looked_at }
    }

    /// The step that migrates, where one was found.
    pub(super) fn migrates(&self) -> Option<&Step> {
        match self {
            Self::Before { migrates, .. }
            | Self::After { migrates, .. }
            | Self::Unawaited { migrates, .. }
            | Self::Unknown { migrates, .. } => Some(migrates),
            Self::Unread { .. } | Self::NotFound { .. } => None,
        }
    }
}

/// What migrates in the command that fly.toml runs before a deploy.
pub(super) fn released(places: &Places, deployment: &Deployment) -> Option<Step> {
    let (commands, at) = deployment.fly.as_ref()?.release.as_ref()?;
    let project = Scripts::read(places.root());
    let place = Place::of(&project, deployment);
    let mut walk = Walk::new(places.root());
    for words in commands {
        run(&mut walk, &place, words, at, 0);
    }
    let migrates = walk.events.into_iter().find(|event| event.seen == Seen::Migrates)?;
    Some(Step { what: migrates.what, at: migrates.at })
}

/// What the order of the events says; none where nothing migrates. `last` is the last command with its number.
fn judge(events: &[Event], last: Option<(Step, usize)>) -> Option<Startup> {
    let step = |event: &Event| Step { what: event.what.clone(), at: event.at.clone() };
    let migrating = || events.iter().enumerate().filter(|(_, event)| event.seen == Seen::Migrates);
    let certain = |(_, event): &(usize, &Event)| event.is_certain;
    let waits = |migrates: &Event, listens: &Event| {
        migrates.command < listens.command || migrates.unawaited.iter().all(|call| listens.unawaited.contains(call))
    };
    let listens = events.iter().enumerate().find(|(_, event)| event.seen == Seen::Listens && event.is_certain);
    let (_, migrates) = migrating().find(certain).or(migrating().next())?;
    if !migrates.is_certain {
        let why = "it is in a function that is passed on, so that nobody can tell when it runs";
        return Some(Startup::Unknown { migrates: step(migrates), why });
    }
    let Some((first, listens)) = listens else {
        if let Some((starts, _)) = last.filter(|(_, command)| migrates.command < *command) {
            return Some(Startup::Before { migrates: step(migrates), starts });
        }
        let why =
            "the place where the server begins to listen was not found, so that nobody can tell which comes first";
        return Some(Startup::Unknown { migrates: step(migrates), why });
    };
    let mut before = migrating().filter(certain).filter(|(index, _)| *index < first);
    if let Some((_, migrates)) = before.clone().find(|(_, migrates)| waits(migrates, listens)) {
        return Some(Startup::Before { migrates: step(migrates), starts: step(listens) });
    }
    Some(match before.next() {
        Some((_, migrates)) => Startup::Unawaited { migrates: step(migrates), listens: step(listens) },
        None => Startup::After { migrates: step(migrates), listens: step(listens) },
    })
}

/// A service of its own that migrates, for which the app waits.
fn by_service(deployment: &Deployment) -> Option<Startup> {
    if deployment.fly.is_some() {
        return None;
    }
    for service in &deployment.services {
        let Some((commands, at)) = &service.start else { continue };
        let Some(command) = commands.iter().find(|command| shell::migrates(command)).filter(|_| commands.len() == 1)
        else {
            continue;
        };
        let migrates = Step { what: told(command), at: at.clone() };
        let waiting = deployment.services.iter().find(|other| other.after.contains(&service.name));
        return Some(match waiting {
            Some(other) => {
                let what = format!("service `{}`", other.name);
                Startup::Before { migrates, starts: Step { what, at: other.at.clone() } }
            }
            None => Startup::Unknown {
                migrates,
                why: "no service waits for it with `condition: service_completed_successfully`",
            },
        });
    }
    None
}

/// The ways in which the app may be started, the closest to production first.
fn ways(places: &Places, deployment: &Deployment, project: &Scripts) -> Vec<Way> {
    let mut ways = of_deployment(deployment);
    if ways.is_empty() {
        ways.extend(procfile(places.root()).map(Way::of));
    }
    if let Some(start) = project.lines.get("start").filter(|_| ways.is_empty() && deployment.open.is_empty()) {
        let before = project.lines.get("prestart");
        let commands = before.into_iter().chain([start]);
        let commands =
            commands.flat_map(|(line, at)| shell::commands(line).into_iter().map(|words| (words, at.clone())));
        ways.push(Way { commands: commands.collect(), files: Vec::new() });
    }
    let usual = plugins(places.root()).into_iter().chain(USUAL.iter().map(|name| places.root().join(name)));
    let usual =
        usual.chain(project.main.iter().map(|main| places.root().join(main))).chain(commands_of_go(places.root()));
    ways.extend(usual.filter(|file| file.is_file()).map(|file| Way { commands: Vec::new(), files: vec![file] }));
    ways
}

/// The ways that fly.toml, the services with the database, or the image give.
fn of_deployment(deployment: &Deployment) -> Vec<Way> {
    let image = deployment.dockerfile.as_ref();
    let behind_entry = |(commands, at): &(Vec<Vec<String>>, At)| {
        let entry = image.and_then(Dockerfile::entry).unwrap_or_default();
        (entry.into_iter().chain(commands.iter().cloned()).collect(), at.clone())
    };
    let started: Vec<(Vec<Vec<String>>, At)> = if let Some(fly) = &deployment.fly {
        fly.processes.iter().map(behind_entry).collect()
    } else {
        let services = deployment.with_database();
        let own = services.iter().filter_map(|(service, _)| {
            let start = service.start.as_ref()?;
            let is_behind = !service.has_entry && deployment.is_built(service);
            Some(if is_behind { behind_entry(start) } else { start.clone() })
        });
        let by_image = services.iter().any(|(service, _)| service.start.is_none());
        own.chain(image.filter(|_| by_image).and_then(Dockerfile::start)).collect()
    };
    let by_image = image.filter(|_| started.is_empty()).and_then(Dockerfile::start);
    started.into_iter().chain(by_image).map(Way::of).collect()
}

/// The files in Nitro's folder of plugins, in the order of their names.
fn plugins(root: &Path) -> Vec<PathBuf> {
    let folder = root.join(PLUGINS);
    let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten().take(100);
    let mut files: Vec<PathBuf> = entries.map(|entry| folder.join(entry.file_name())).collect();
    files.sort();
    files
}

/// `cmd/NAME/main.go`.
fn commands_of_go(root: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root.join("cmd")).into_iter().flatten().flatten().take(100);
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.path().join("main.go")).collect();
    files.sort();
    files
}

fn procfile(root: &Path) -> Option<(Vec<Vec<String>>, At)> {
    let file = root.join("Procfile");
    let text = places::text(&file).ok()?;
    let (line, number) = text.lines().zip(1..).find(|(line, _)| line.starts_with("web:"))?;
    Some((shell::commands(line.strip_prefix("web:")?), At::new(&file, number)))
}

/// What package.json runs.
#[derive(Debug, Default)]
struct Scripts {
    root: PathBuf,
    lines: BTreeMap<String, (String, At)>,
    main: Option<String>,
}

impl Scripts {
    fn read(root: &Path) -> Self {
        let file = root.join("package.json");
        let mut found = Self { root: root.to_path_buf(), ..Self::default() };
        let Ok(text) = places::text(&file) else { return found };
        let Ok(package) = serde_json::from_str::<Value>(&text) else { return found };
        for (name, line) in package.get("scripts").and_then(Value::as_object).into_iter().flatten() {
            let Some(line) = line.as_str() else { continue };
            let key = format!("\"{name}\"");
            let number = text
                .lines()
                .zip(1..)
                .skip_while(|(line, _)| !line.contains("\"scripts\""))
                .find(|(line, _)| line.contains(&key));
            let at = At::new(&file, number.map_or(1, |(_, number)| number));
            found.lines.insert(name.clone(), (line.to_owned(), at));
        }
        found.main = package.get("main").and_then(Value::as_str).map(str::to_owned);
        found
    }

    /// The script that `npm start`, `pnpm run x` and the like run.
    fn called<'a>(&self, words: &'a [String]) -> Option<&'a str> {
        let [manager, rest @ ..] = words else { return None };
        if !["npm", "pnpm", "yarn", "bun", "deno"].contains(&shell::program(manager)) {
            return None;
        }
        let takes_value = |at: usize| at.checked_sub(1).is_some_and(|before| OF_A_PACKAGE.contains(&&*rest[before]));
        let names = rest
            .iter()
            .enumerate()
            .filter(|(at, word)| !word.starts_with('-') && *word != "workspace" && !takes_value(*at));
        let mut names = names.map(|(_, word)| word.as_str());
        let first = names.next()?;
        let name = if ["run", "run-script", "task"].contains(&first) { names.next()? } else { first };
        self.lines.contains_key(name).then_some(name)
    }
}

/// A command as it is told: without what it sets before, which may be secret, and cut.
fn told(words: &[String]) -> String {
    let is_setting = |word: &&String| word.split_once('=').is_some_and(|(name, _)| !name.contains(['/', '-']));
    let words: Vec<&str> = words.iter().skip_while(is_setting).map(String::as_str).collect();
    format!("`{}`", cut(&words.join(" "), TOLD))
}

/// Runs a command: a script of package.json, a shell script, a migration tool, or code.
fn run(walk: &mut Walk<'_>, place: &Place<'_>, words: &[String], at: &At, depth: usize) {
    if let Some((_, words)) = words.split_last().filter(|(last, _)| *last == shell::BEHIND) {
        return walk.alone(|walk| run(walk, place, words, at, depth));
    }
    walk.steps += 1;
    if depth > DEEPEST || walk.steps > MOST_COMMANDS {
        return;
    }
    let project = place.project;
    if let Some(name) = project.called(words).filter(|_| !shell::migrates(words)) {
        for name in [format!("pre{name}"), name.to_owned()] {
            let Some((line, at)) = project.lines.get(&name) else { continue };
            for words in shell::commands(line) {
                run(walk, place, &words, at, depth + 1);
            }
        }
        return;
    }
    let what = told(words);
    let meant = if shell::migrates(words) { None } else { programs::meant(place, words) };
    match meant {
        Some(Meant::Script { text, at: begins }) => {
            for (line, number) in places::joined_lines(&text) {
                for words in shell::commands(&line) {
                    let line = begins.line.saturating_add(number - 1);
                    run(walk, place, &words, &At::new(&begins.file, line), depth + 1);
                }
            }
            return;
        }
        Some(Meant::Code(file)) => walk.start(&file),
        Some(Meant::Unread) => _ = walk.unread.get_or_insert((what.clone(), at.clone())),
        None if shell::migrates(words) => walk.migrates(what.clone(), at.clone()),
        None => {}
    }
    walk.last = Some((what, at.clone(), walk.command));
    walk.command += 1;
}
