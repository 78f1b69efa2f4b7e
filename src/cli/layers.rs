//! Where an option's value comes from: the command line, else the environment, else `rehearse.yaml`, else its default.
//!
//! What the two in the middle say becomes the default of the option; what does not go together with something that was said
//! nearer to the person is left out. A file of a repository is written by whoever sends a change to it: what it could do harm
//! with, it may say only with `--trust-config`.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command, CommandFactory as _, FromArgMatches as _};
use rehearse::Config;
use rehearse::config::options::Said;
use rehearse::error::Error;
use rehearse::many::Selection;
use rehearse::migrations::Decision;
use rehearse::repository::{self, is_within, or_dot, real};
use rehearse::units::{Memory, Span};

use super::arguments::Arguments;

/// What every variable begins with.
const PREFIX: &str = "REHEARSE_";
/// What is not said beside the command line: it asks for something else than a rehearsal.
const NEVER: [&str; 2] = ["help", "version"];
/// Letters by which the name of a variable may differ from an option's to be meant for it; others have variables of their own,
/// such as `REHEARSE_VERSION` in a Dockerfile.
const MISTYPED: usize = 2;
/// What a file may ask for that nobody trusts.
const LONGEST: Duration = Duration::from_hours(1);
const MOST_GROWTH: u64 = 64 << 30;
const MOST_MEMORY: u64 = 4 << 30;
/// Of the main command only: other commands print what has no such form, and write no report.
const OF_A_REHEARSAL: [&str; 2] = ["format", "report"];

/// Why the arguments cannot be used.
pub enum Wrong {
    /// clap says why; also where help was asked for.
    Arguments(clap::Error),
    /// What stands in the environment or the configuration.
    Elsewhere(Error),
}

impl From<clap::Error> for Wrong {
    fn from(error: clap::Error) -> Self {
        Self::Arguments(error)
    }
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self::Elsewhere(error)
    }
}

/// Reads the arguments over the environment over the configuration.
pub fn read(arguments: &[OsString], variables: impl Iterator<Item = (OsString, OsString)>) -> Result<Arguments, Wrong> {
    let matches = Arguments::command().try_get_matches_from(arguments)?;
    let (name, own) = match matches.subcommand() {
        Some((name, own)) => (Some(name), own),
        None => (None, &matches),
    };
    let variables: Vec<_> = variables.filter(|(name, _)| name.to_string_lossy().starts_with(PREFIX)).collect();
    let takes_file = matches!(name, None | Some("plan" | "verify" | "doctor"));
    let configuration = |named: Option<&Path>| {
        if takes_file { Config::of(named, Path::new(".")) } else { Ok(Config::default()) }
    };
    let named = if takes_file { own.get_one::<PathBuf>("config").cloned() } else { None };
    let found = if variables.is_empty() { Some(configuration(named.as_deref())?) } else { None };
    // Most often the command line says everything; then it is read once.
    if let Some(config) = found.as_ref().filter(|config| config.options().is_empty()) {
        let mut arguments = Arguments::from_arg_matches(&matches)?;
        arguments.sources.config = config.clone();
        return Ok(arguments);
    }
    let mut known = Arguments::command();
    known.build();
    let chosen = name.and_then(|name| known.find_subcommand(name)).unwrap_or(&known);
    let mut layers = Layers { command: chosen, is_main: name.is_none(), given: given(chosen, own), said: Vec::new() };
    let variables = of_rehearse(variables.into_iter(), &known)?;
    let from_environment = layers.environment(&variables)?;
    let config = match found {
        Some(config) => config,
        None => configuration(named.as_deref().or(layers.value("config").map(Path::new)))?,
    };
    let trusted = own.try_get_one("trust_config").is_ok_and(|trusted| trusted == Some(&true))
        || layers.value("trust-config") == Some("true");
    let from_file = layers.file(&config, trusted)?;
    let defaults = std::mem::take(&mut layers.said);
    let command = defaults.into_iter().fold(Arguments::command(), |command, said| with_default(command, name, &said));
    let mut arguments = Arguments::from_arg_matches(&command.try_get_matches_from(arguments)?)?;
    arguments.sources = Sources { config, from_file, from_environment };
    Ok(arguments)
}

/// What the arguments were not alone to say.
#[derive(Debug, Default)]
pub struct Sources {
    /// The configuration; empty where there is none, and for commands that need none.
    pub config: Config,
    /// The options that it decided.
    pub from_file: Vec<String>,
    /// The variables that decided one.
    pub from_environment: Vec<String>,
}

impl Sources {
    /// Which options they decided, for the report.
    pub fn decisions(&self) -> Vec<Decision> {
        let file = self.config.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
        let keys: Vec<String> = self.from_file.iter().map(|option| key(option)).collect();
        [(self.from_environment.join(", "), "the environment".to_owned()), (keys.join(", "), file)]
            .into_iter()
            .filter(|(options, _)| !options.is_empty())
            .map(|(value, why)| Decision { what: "options", value, why })
            .collect()
    }
}

/// What has been said so far, the nearest to the person first.
struct Layers<'a> {
    command: &'a Command,
    is_main: bool,
    given: Vec<String>,
    said: Vec<Said>,
}

impl Layers<'_> {
    fn value(&self, option: &str) -> Option<&str> {
        self.said.iter().find(|said| said.option == option)?.values.first().map(String::as_str)
    }

    /// The option of this command, where nothing that excludes it was said before.
    fn open(&self, option: &str) -> Option<&Arg> {
        let decided = |name: &str| self.given.iter().any(|given| given == name);
        let argument = named(self.command, option)?;
        let excluded = self.given.iter().any(|given| self.excludes(option, given) || self.excludes(given, option));
        let is_elsewhere = OF_A_REHEARSAL.contains(&option) && !self.is_main;
        (!decided(option) && !excluded && !is_elsewhere).then_some(argument)
    }

    /// Takes what the variables say; gives the names of those that were taken.
    fn environment(&mut self, variables: &[(String, String)]) -> Result<Vec<String>, Error> {
        let mut taken = Vec::new();
        for (option, value) in variables {
            let Some(argument) = self.open(option) else { continue };
            let name = variable(option);
            let values = values(argument, value).map_err(|cause| Error::usage(format!("reading `{name}`"), cause))?;
            check(self.command, argument, &values).map_err(|cause| Error::usage(format!("reading `{name}`"), cause))?;
            taken.push((name, Said { option: option.clone(), values }));
        }
        for (_, said) in &taken {
            if let Some((other, _)) = taken.iter().find(|(_, other)| self.excludes(&said.option, &other.option)) {
                return Err(Error::usage(
                    format!("reading `{}`", variable(&said.option)),
                    format!("it does not go together with `{other}`"),
                )
                .hint("set one of them"));
            }
        }
        let names = taken.iter().map(|(name, _)| name.clone()).collect();
        self.take(taken.into_iter().map(|(_, said)| said));
        Ok(names)
    }

    /// Takes what the file says; gives the options that were taken.
    fn file(&mut self, config: &Config, trusted: bool) -> Result<Vec<String>, Error> {
        let Some(file) = &config.file else { return Ok(Vec::new()) };
        let taken: Vec<Said> = config.options().into_iter().filter(|said| self.open(&said.option).is_some()).collect();
        for said in &taken {
            let doing = || format!("reading the configuration `{}`", file.display());
            if let Some(other) = taken.iter().find(|other| self.excludes(&said.option, &other.option)) {
                return Err(Error::usage(
                    doing(),
                    format!("`{}` and `{}` do not go together", key(&said.option), key(&other.option)),
                )
                .hint("leave one of them out"));
            }
            if let Some(argument) = named(self.command, &said.option) {
                check(self.command, argument, &said.values).map_err(|cause| Error::usage(doing(), cause))?;
            }
            if let Some(harm) = harm(said, file).filter(|_| !trusted) {
                return Err(Error::usage(doing(), format!("`{}` {harm}", key(&said.option)))
                    .hint("whoever can change the file could do harm with it: if you trust it, add --trust-config")
                    .hint(format!("or say it yourself: --{} or {}", said.option, variable(&said.option))));
            }
        }
        let names = taken.iter().map(|said| said.option.clone()).collect();
        self.take(taken.into_iter());
        Ok(names)
    }

    fn excludes(&self, one: &str, other: &str) -> bool {
        let (Some(one), Some(other)) = (named(self.command, one), named(self.command, other)) else { return false };
        self.command.get_arg_conflicts_with(one).iter().any(|conflict| conflict.get_id() == other.get_id())
    }

    fn take(&mut self, said: impl Iterator<Item = Said>) {
        for said in said {
            self.given.push(said.option.clone());
            self.said.push(said);
        }
    }
}

/// What the file could do harm with; none where it cannot.
fn harm(said: &Said, file: &Path) -> Option<&'static str> {
    let folder = or_dot(file.parent().unwrap_or(Path::new("")));
    let repository = repository::around(folder).unwrap_or_else(|| folder.to_path_buf());
    let leads_out = |path: &Path| !is_within(path, &repository);
    let leaves = |path: &str| !is_within(Path::new(path), folder);
    let value = said.values.first().map(String::as_str).unwrap_or_default();
    let more_than = |most: u64| Memory::parse(value).is_ok_and(|size| size.0 > most);
    match said.option.as_str() {
        "time-limit" if Span::parse(value).is_ok_and(|limit| limit.0 > LONGEST) => Some("is more than an hour"),
        "max-growth" if more_than(MOST_GROWTH) => Some("is more than 64G"),
        "max-memory" if more_than(MOST_MEMORY) => Some("is more than 4G"),
        "migrations" | "snapshot-list" if leads_out(Path::new(value)) => Some("leads out of the repository"),
        "queries" if said.values.iter().any(|path| leads_out(Path::new(path))) => Some("leads out of the repository"),
        "snapshot" if Selection::of_argument(Path::new(value)).is_some_and(|many| leads_out(&many.root())) => {
            Some("finds databases outside of the repository")
        }
        "keep-copy" => Some("keeps production data"),
        "exec" | "snapshot-command" => Some("runs a command"),
        "allow-unsafe-sql" if said.values != ["false"] => Some("lets migrations reach other files"),
        "samples" if said.values != ["none"] => Some("shows rows of production"),
        "report" => {
            let mut paths = said.values.iter().filter_map(|entry| entry.split_once('=')).map(|(_, path)| path);
            paths.find_map(|path| {
                let path_of_tools =
                    || is_of_tools(Path::new(path), folder).then_some("writes where tools keep what they run");
                if leaves(path) { Some("writes outside of the file's folder") } else { path_of_tools() }
            })
        }
        _ => None,
    }
}

/// Whether a file below the folder is one that a program may run or be led by: hidden, installed, or executable.
fn is_of_tools(path: &Path, folder: &Path) -> bool {
    const INSTALLED: [&str; 4] = ["node_modules", "vendor", "venv", "__pycache__"];
    let (real, folder) = (real(path), folder.canonicalize().unwrap_or_default());
    let Some(below) = real.as_ref().and_then(|real| real.strip_prefix(&folder).ok()) else { return true };
    let is_kept = below.components().any(|part| match part {
        Component::Normal(name) => {
            let name = name.to_string_lossy();
            name.starts_with('.') || INSTALLED.contains(&name.as_ref())
        }
        _ => false,
    });
    is_kept || path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

/// The long names that were given on the command line.
fn given(command: &Command, matches: &ArgMatches) -> Vec<String> {
    let is_given = |argument: &&Arg| {
        let id = argument.get_id().as_str();
        matches.try_contains_id(id).is_ok() && matches.value_source(id) == Some(ValueSource::CommandLine)
    };
    command.get_arguments().filter(is_given).filter_map(|argument| argument.get_long().map(str::to_owned)).collect()
}

/// The variables that say an option, by its name; an empty one says nothing.
fn of_rehearse(
    variables: impl Iterator<Item = (OsString, OsString)>,
    command: &Command,
) -> Result<Vec<(String, String)>, Error> {
    let options = every_option(command);
    let mut said = Vec::new();
    for (name, value) in variables {
        let Some(rest) = name.to_str().and_then(|name| name.strip_prefix(PREFIX)) else { continue };
        let option = rest.to_ascii_lowercase().replace('_', "-");
        let known: Vec<&str> = options.iter().map(String::as_str).collect();
        if known.contains(&option.as_str()) && rest == rest.to_ascii_uppercase() {
            let value = value.into_string().map_err(|_| {
                Error::usage(format!("reading `{PREFIX}{rest}`"), "it is not UTF-8")
                    .hint("give it as an option instead")
            })?;
            if !value.is_empty() {
                said.push((option, value));
            }
        } else if let Some(meant) =
            known.iter().find(|known| strsim::osa_distance(known, &option) <= MISTYPED.min(known.len() / 3))
        {
            return Err(Error::usage("reading the environment", format!("`{PREFIX}{rest}` says no option"))
                .hint(format!("did you mean `{}`?", variable(meant))));
        }
    }
    said.sort();
    Ok(said)
}

/// The long names of the options of every command.
fn every_option(command: &Command) -> Vec<String> {
    let mut names: Vec<String> = std::iter::once(command)
        .chain(command.get_subcommands())
        .flat_map(Command::get_arguments)
        .filter_map(|argument| argument.get_long())
        .filter(|name| !NEVER.contains(name))
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    names
}

/// `fail-on` is said by `REHEARSE_FAIL_ON`.
fn variable(option: &str) -> String {
    format!("{PREFIX}{}", option.to_ascii_uppercase().replace('-', "_"))
}

/// `fail-on` is `fail_on` in the file.
fn key(option: &str) -> String {
    option.replace('-', "_")
}

/// The option of this long name.
fn named<'a>(command: &'a Command, option: &str) -> Option<&'a Arg> {
    command.get_arguments().find(|argument| argument.get_long() == Some(option))
}

/// A variable's text as the option's values: of a list the parts between commas, of a flag whether it is set.
fn values(argument: &Arg, text: &str) -> Result<Vec<String>, String> {
    match argument.get_action() {
        ArgAction::SetTrue | ArgAction::Count => match text.to_ascii_lowercase().as_str() {
            "1" | "true" | "yes" | "on" => Ok(vec!["true".to_owned()]),
            "0" | "false" | "no" | "off" => Ok(vec!["false".to_owned()]),
            _ => Err(format!("it is `{text}`, which is neither `true` nor `false`")),
        },
        ArgAction::Append => Ok(text.split(',').map(|part| part.trim().to_owned()).collect()),
        _ => Ok(vec![text.to_owned()]),
    }
}

/// Whether the option takes these values: it is parsed alone.
fn check(command: &Command, argument: &Arg, values: &[String]) -> Result<(), String> {
    let option = argument.get_long().unwrap_or_default();
    if !argument.get_action().takes_values() {
        return Ok(());
    }
    let alone = std::iter::once("rehearse".to_owned()).chain(values.iter().map(|value| format!("--{option}={value}")));
    match command.clone().try_get_matches_from(alone) {
        Err(error) if matches!(error.kind(), ErrorKind::InvalidValue | ErrorKind::ValueValidation) => {
            let text = error.render().to_string();
            let first = text.split("\n\nFor more").next().unwrap_or_default().trim();
            Err(first.strip_prefix("error: ").unwrap_or(first).to_owned())
        }
        _ => Ok(()),
    }
}

/// The command with the option's default set; a global option belongs to the main command.
fn with_default(command: Command, name: Option<&str>, said: &Said) -> Command {
    let is_global = named(&command, &said.option).is_some_and(Arg::is_global_set);
    match name {
        Some(name) if !is_global => command.mut_subcommand(name, |own| set(own, said)),
        _ => set(command, said),
    }
}

fn set(command: Command, said: &Said) -> Command {
    let Some(argument) = named(&command, &said.option) else { return command };
    let (id, is_count) = (argument.get_id().clone(), matches!(argument.get_action(), ArgAction::Count));
    let values: Vec<String> = match said.values.first().map(String::as_str) {
        Some("true") if is_count => vec!["1".to_owned()],
        Some("false") if is_count => vec!["0".to_owned()],
        _ => said.values.clone(),
    };
    command.mut_arg(id, |argument| argument.default_values(values))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rehearse::expectations::schema;
    use serde_json::Value;

    use super::*;

    /// What says which file is read and how far it is trusted cannot stand in it; levels stand there as `rules`.
    const NOT_IN_FILE: [&str; 3] = ["config", "trust-config", "level"];
    /// What stands in the file alone.
    const NO_OPTIONS: [&str; 4] = ["rules", "allow", "expect", "thresholds"];

    fn schema() -> Value {
        schema::of::<Config>("rehearse.yaml")
    }

    /// The options of the main command that the file may say.
    fn options(command: &Command) -> impl Iterator<Item = &Arg> {
        let is_said = |name: &str| !NEVER.contains(&name) && !NOT_IN_FILE.contains(&name);
        command.get_arguments().filter(move |argument| argument.get_long().is_some_and(is_said))
    }

    #[test]
    fn every_option_stands_in_the_file_and_the_other_way_round() {
        let mut command = Arguments::command();
        command.build();
        let schema = schema();
        let properties = schema["properties"].as_object().unwrap();
        let said: BTreeSet<String> = options(&command).map(|argument| key(argument.get_long().unwrap())).collect();
        let keys: BTreeSet<String> =
            properties.keys().filter(|name| !NO_OPTIONS.contains(&name.as_str())).cloned().collect();
        assert_eq!(said, keys);
    }

    #[test]
    fn a_file_that_says_every_option_is_taken() {
        let text = "
            snapshot: a.db\nmigrations: m\ntool: drizzle\ndriver: libsql\nforeign_keys: off\nledger_table: t
            copy_at: a.db\ntime_limit: 1d12h\nmax_growth: 2G\nallow_unsafe_sql: false\nreport: {json: a.json, text: b.txt}\nmatrix: true\ndown: true\nfaults: true\nmeasure: true\nlive: true\ndisk_free: 3G\nqueries: [a.sql, b]\nfail_on: note
            samples: none\nsamples_limit: 7\nkeep_copy: kept.db\nmax_snapshot_age: 7d\nthorough: true\nmax_memory: 1G
            threads: 2\nshred: true\nformat: json\nverbose: true\ncolor: never";
        let text = text.lines().map(str::trim_start).collect::<Vec<_>>().join("\n");
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rehearse.yaml");
        std::fs::write(&file, text).unwrap();
        let given = ["rehearse".into(), "--trust-config".into(), "--config".into(), file.clone().into_os_string()];
        let Ok(arguments) = read(&given, std::iter::empty()) else { panic!("the file is refused") };
        let in_folder = |name: &str| Some(folder.path().join(name));
        let run = &arguments.run;
        assert_eq!((&run.project.snapshot, &run.project.migrations), (&in_folder("a.db"), &in_folder("m")));
        assert_eq!((run.project.tool.as_deref(), run.project.driver.as_deref()), (Some("drizzle"), Some("libsql")));
        assert_eq!(run.reports.iter().map(|(_, path)| path.clone()).collect::<Vec<_>>().len(), 2);
        assert_eq!((run.limits.time_limit.as_secs(), run.max_snapshot_age.unwrap().as_secs()), (129_600, 604_800));
        assert_eq!((run.limits.max_growth, run.limits.allow_unsafe_sql), (Some(2 << 30), false));
        assert_eq!((run.samples_limit, run.engine.threads, run.engine.max_memory), (7, Some(2), 1 << 30));
        assert!(run.takes.measure && run.takes.live && run.takes.disk_free == Some(3 << 30));
        assert!(run.matrix && run.down && run.faults && run.engine.thorough && run.engine.copies.shred);
        assert_eq!((run.keep_copy.clone(), arguments.output.verbose), (in_folder("kept.db"), 1));
        assert_eq!(run.queries.iter().cloned().map(Some).collect::<Vec<_>>(), [in_folder("a.sql"), in_folder("b")]);
        // Of the options only these two are missing, `quiet` and those of many databases: they exclude others.
        let all = Config::read(&file).unwrap().options().len();
        assert_eq!(all + 5, schema()["properties"].as_object().unwrap().len() - NO_OPTIONS.len());
        assert_eq!(arguments.sources.from_file.len(), all);
    }

    /// Words that the command line takes are those that the schema lists.
    #[test]
    fn words_are_the_same() {
        let mut command = Arguments::command();
        command.build();
        let schema = schema();
        let text = schema.to_string();
        for argument in options(&command).filter(|argument| argument.get_action().takes_values()) {
            for value in argument.get_possible_values() {
                assert!(text.contains(&format!("\"{}\"", value.get_name())), "{argument} {}", value.get_name());
            }
        }
    }
}
