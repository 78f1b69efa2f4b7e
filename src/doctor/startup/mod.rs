//! What runs when the app starts, as far as files tell: the commands of compose, Dockerfile and package.json, and the code that they run.

mod calls;
mod module;
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

impl Startup {
    pub(super) fn find(places: &Places, deployment: &Deployment) -> Self {
        if let Some(found) = by_service(deployment) {
            return found;
        }
        let project = Scripts::read(places.root());
        let folder = deployment.dockerfile.as_ref().map(Dockerfile::folder).unwrap_or_default();
        let mut looked_at = Vec::new();
        for way in ways(places, deployment, &project) {
            let mut walk = Walk::new(places.root());
            for (words, at) in &way.commands {
                looked_at.push(at.shown());
                run(&mut walk, &project, &folder, words, at, 0);
            }
            for file in &way.files {
                looked_at.push(shown(file));
                walk.start(file);
            }
            let last = walk.last.take().map(|(what, at, command)| (Step { what, at }, command));
            if let Some(found) = judge(&walk.events, last) {
                return found;
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
            Self::NotFound { .. } => None,
        }
    }
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
    let of = |(commands, at): (Vec<Vec<String>>, At)| Way {
        commands: commands.into_iter().map(|words| (words, at.clone())).collect(),
        files: Vec::new(),
    };
    let with_database = deployment.with_database();
    let mut ways: Vec<Way> = with_database.iter().filter_map(|(service, _)| service.start.clone()).map(of).collect();
    ways.extend(deployment.dockerfile.as_ref().and_then(Dockerfile::start).map(of));
    ways.extend(procfile(places.root()).map(of));
    if let Some(start) = project.lines.get("start") {
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
        let mut names = rest.iter().filter(|word| !word.starts_with('-')).map(String::as_str);
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
fn run(walk: &mut Walk<'_>, project: &Scripts, folder: &Path, words: &[String], at: &At, depth: usize) {
    if let Some((_, words)) = words.split_last().filter(|(last, _)| *last == shell::BEHIND) {
        return walk.alone(|walk| run(walk, project, folder, words, at, depth));
    }
    walk.steps += 1;
    if depth > DEEPEST || walk.steps > MOST_COMMANDS {
        return;
    }
    if let Some(name) = project.called(words).filter(|_| !shell::migrates(words)) {
        for name in [format!("pre{name}"), name.to_owned()] {
            let Some((line, at)) = project.lines.get(&name) else { continue };
            for words in shell::commands(line) {
                run(walk, project, folder, &words, at, depth + 1);
            }
        }
        return;
    }
    let file = words.iter().find_map(|word| resolve::argument(&project.root, folder, word));
    if let Some(script) = file.as_ref().filter(|file| file.extension().is_some_and(|ending| ending == "sh")) {
        for (line, number) in places::joined_lines(&places::text(script).unwrap_or_default()) {
            for words in shell::commands(&line) {
                run(walk, project, folder, &words, &At::new(script, number), depth + 1);
            }
        }
        return;
    }
    let what = told(words);
    if shell::migrates(words) {
        walk.migrates(what.clone(), at.clone());
    } else if let Some(file) = file {
        walk.start(&file);
    }
    walk.last = Some((what, at.clone(), walk.command));
    walk.command += 1;
}
