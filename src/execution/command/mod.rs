//! Runs the migrations through the tool's own command, with the copy in the place of the database.
//!
//! What a command does inside is known where its SQL can be traced (see [`trace`]); what it did to the database is compared in every
//! case.

pub mod sandbox;
pub mod trace;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use self::sandbox::Sandbox;
use crate::error::{Doing, Error};
use crate::migrations::recipes::{Adjustment, COMMON, Recipe};
use crate::observer::{Observer, Stage, Work};
use crate::snapshot::Group;
use crate::units::in_words;

/// How much of what a command says is kept, from its end.
const KEPT_LINES: usize = 200;
const KEPT_LINE: usize = 2000;

/// A command and how it is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exec {
    /// The command line, for `sh -c`.
    pub line: String,
    /// Where the project's own configuration has the database, below the project; found out where it is not given.
    pub copy_at: Option<std::path::PathBuf>,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The command line as it was given.
    pub line: String,
    /// How it was run.
    pub recipe: &'static Recipe,
    /// How it ended.
    pub end: End,
    /// Wall time.
    pub elapsed: Duration,
    /// The last lines of what it said, on both channels, in the order in which they came.
    pub output: Vec<String>,
    /// How many lines before those are not kept.
    pub dropped: u64,
    /// Whether it opened the copy; none where the system does not tell.
    pub opened: Option<bool>,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// With this exit code.
    Code(i32),
    /// By this signal.
    Signal(i32),
    /// It was ended after this time.
    TimeLimit(Duration),
}

impl End {
    /// In words that follow a subject.
    #[must_use]
    pub fn describe(self) -> String {
        match self {
            Self::Code(code) => format!("ended with exit code {code}"),
            Self::Signal(signal) => format!("was ended by signal {signal}"),
            Self::TimeLimit(limit) => format!("was ended after {}, the time limit", in_words(limit)),
        }
    }
}

/// Runs the command in the copy of the project and waits for its end. Whatever it leaves running is ended.
///
/// # Errors
/// When it cannot be started.
pub fn run(
    exec: &Exec,
    time_limit: Duration,
    recipe: &'static Recipe,
    sandbox: &Sandbox,
    tracer: &trace::Tracer,
    observer: &dyn Observer,
) -> Result<Ran, Error> {
    let doing = || format!("running `{}`", exec.line);
    adjust(recipe, sandbox)?;
    let watch = Watch::of(&sandbox.database);
    let (reader, writer) = io::pipe().doing(doing)?;
    let mut command = Command::new("sh");
    command.arg("-c").arg(recipe.fill(&exec.line, &sandbox.database)).current_dir(&sandbox.folder);
    command.stdin(Stdio::null()).stdout(writer.try_clone().doing(doing)?).stderr(writer);
    for (name, value) in COMMON.iter().chain(recipe.variables) {
        command.env(name, recipe.fill(value, &sandbox.database));
    }
    for (name, value) in tracer.variables() {
        command.env(name, value);
    }
    if recipe.adjustment == Adjustment::DjangoSettings {
        command.env("DJANGO_SETTINGS_MODULE", SETTINGS);
    }
    let running = Stage::Command { line: exec.line.clone(), time_limit };
    let work = Work::begin(observer, running, None);
    let started = Instant::now();
    let group = Group::start(&mut command).doing(doing)?;
    // The pipe ends when the last process that can write to it has ended.
    drop(command);
    let said = Arc::new(Mutex::new(Said::default()));
    let (ended, end_of_output) = mpsc::channel::<()>();
    let (listening, lines) = (Arc::clone(&said), work.share());
    let listen = move || {
        listening_to(reader, &listening, &lines);
        drop(ended);
    };
    std::thread::Builder::new().name("command".into()).spawn(listen).doing(doing)?;
    let status = group.wait_for(time_limit).doing(doing)?;
    let elapsed = started.elapsed();
    // A process that has left the group may still hold the pipe: then what was said so far is all.
    let _ = end_of_output.recv_timeout(Duration::from_secs(5));
    let said = std::mem::take(&mut *said.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(Ran {
        line: exec.line.clone(),
        recipe,
        end: status.map_or(End::TimeLimit(time_limit), end),
        elapsed,
        output: said.lines.into(),
        dropped: said.dropped,
        opened: watch.map(|watch| watch.saw_it_opened()),
    })
}

fn end(status: ExitStatus) -> End {
    use std::os::unix::process::ExitStatusExt;
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Code(code),
        (None, signal) => End::Signal(signal.unwrap_or_default()),
    }
}

/// The last lines of what a command said.
#[derive(Default)]
struct Said {
    lines: VecDeque<String>,
    /// Lines before those.
    dropped: u64,
}

impl Said {
    fn add(&mut self, line: &mut Vec<u8>) {
        if self.lines.len() == KEPT_LINES {
            self.lines.pop_front();
            self.dropped += 1;
        }
        self.lines.push_back(String::from_utf8_lossy(line).trim_end().to_owned());
        line.clear();
    }
}

/// Reads to the end and keeps the last lines.
fn listening_to(mut reader: impl Read, said: &Mutex<Said>, lines: &Work) {
    let mut line = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        for byte in &buffer[..read] {
            match byte {
                b'\n' => {
                    said.add(&mut line);
                    lines.add(1);
                }
                _ if line.len() < KEPT_LINE => line.push(*byte),
                _ => {}
            }
        }
    }
    if !line.is_empty() {
        said.lock().unwrap_or_else(PoisonError::into_inner).add(&mut line);
    }
}

/// Sees whether a file is opened, where the system tells.
#[cfg(target_os = "linux")]
struct Watch(rustix::fd::OwnedFd);

#[cfg(not(target_os = "linux"))]
struct Watch(std::convert::Infallible);

#[cfg(target_os = "linux")]
impl Watch {
    fn of(file: &Path) -> Option<Self> {
        use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
        let watch = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).ok()?;
        inotify::add_watch(&watch, file, WatchFlags::OPEN).ok()?;
        Some(Self(watch))
    }

    fn saw_it_opened(&self) -> bool {
        let mut buffer = [0; 256];
        rustix::io::read(&self.0, &mut buffer).is_ok_and(|read| read > 0)
    }
}

#[cfg(not(target_os = "linux"))]
impl Watch {
    fn of(_: &Path) -> Option<Self> {
        None
    }

    fn saw_it_opened(&self) -> bool {
        match self.0 {}
    }
}

/// The module that stands before the project's own settings.
const SETTINGS: &str = "rehearse_settings";

/// Says in the copy of the project where the database is, where no variable does.
fn adjust(recipe: &Recipe, sandbox: &Sandbox) -> Result<(), Error> {
    match recipe.adjustment {
        Adjustment::None => Ok(()),
        Adjustment::DjangoSettings => django(sandbox),
        Adjustment::AlembicIni => alembic(recipe, sandbox),
    }
}

fn django(sandbox: &Sandbox) -> Result<(), Error> {
    let manage = sandbox.folder.join("manage.py");
    let doing = || "finding the settings that manage.py names".to_owned();
    let given = std::env::var("DJANGO_SETTINGS_MODULE").ok();
    let text = crate::files::read_utf8(&manage).doing(doing)?;
    let named = text.split_once("DJANGO_SETTINGS_MODULE").and_then(|(_, rest)| {
        let rest = &rest[rest.find(',')? + 1..];
        let quote = rest.trim_start().chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        rest.split(quote).nth(1).map(str::to_owned)
    });
    let settings = given.or(named).ok_or_else(|| {
        Error::cannot(doing(), "it names none").hint("set DJANGO_SETTINGS_MODULE to the settings of production")
    })?;
    let database = python_string(&sandbox.database.display().to_string());
    let module = format!(
        "from {settings} import *\nfrom {settings} import DATABASES\n\nDATABASES = {{**DATABASES, 'default': \
         {{**DATABASES['default'], 'ENGINE': 'django.db.backends.sqlite3', 'NAME': {database}}}}}\n"
    );
    fs::write(sandbox.folder.join(format!("{SETTINGS}.py")), module).doing(doing)
}

fn python_string(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn alembic(recipe: &Recipe, sandbox: &Sandbox) -> Result<(), Error> {
    let ini = sandbox.folder.join("alembic.ini");
    let doing = || "setting `sqlalchemy.url` in the copy of alembic.ini".to_owned();
    if !ini.is_file() {
        return Ok(());
    }
    // A per cent sign begins an interpolation there.
    let url = recipe.fill("{db_url}", &sandbox.database).replace('%', "%%");
    let text = crate::files::read_utf8(&ini).doing(doing)?;
    let is_url = |line: &str| {
        line.trim_start().strip_prefix("sqlalchemy.url").is_some_and(|rest| rest.trim_start().starts_with('='))
    };
    let lines = text.lines().map(|line| if is_url(line) { format!("sqlalchemy.url = {url}") } else { line.to_owned() });
    fs::write(&ini, lines.collect::<Vec<_>>().join("\n") + "\n").doing(doing)
}

/// A variable of the command's environment.
type Variable = (&'static str, OsString);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_limit_is_told_in_words() {
        let told = |seconds| End::TimeLimit(Duration::from_secs(seconds)).describe();
        assert_eq!(told(1), "was ended after 1 second, the time limit");
        assert_eq!(told(600), "was ended after 10 minutes, the time limit");
    }
}
