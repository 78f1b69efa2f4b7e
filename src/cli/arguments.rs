//! What can be written on the command line.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use rehearse::compare::samples::Sampling;
use rehearse::error::Error;
use rehearse::execution::command::Exec;
use rehearse::execution::drivers::DRIVERS;
use rehearse::findings::levels::{Levels, Selector};
use rehearse::findings::rule::Level;
use rehearse::migrations::Request;
use rehearse::migrations::tools::TOOLS;
use rehearse::report::Format;
use rehearse::report::visible::visible;
use rehearse::snapshot::{Extent, Source};
use rehearse::{Config, Options, Reading};

use super::suggest;

/// Runs pending SQLite migrations on a copy of production data and tells what they would lose.
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    override_usage = "rehearse --snapshot FILE [OPTIONS]\n       rehearse COMMAND",
    after_help = "\
Exit codes:
  0    passed
  1    findings at or above --fail-on
  2    wrong arguments or configuration, or no migrations to be found
  3    a migration failed on the copy
  4    could not rehearse
  130  interrupted

Start with `rehearse demo`, then run `rehearse --snapshot FILE` in the folder of your app."
)]
pub struct Arguments {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub run: RunArguments,
    #[command(flatten)]
    pub output: OutputArguments,
}

/// The commands beside the main one.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows what is applied, pending, skipped, edited and missing; runs nothing
    #[command(override_usage = "rehearse plan --snapshot FILE [OPTIONS]")]
    Plan(ProjectArguments),
    /// Compares two databases row by row; runs nothing
    #[command(after_help = "\
Tables and columns are the same where they have the same name: no rename is followed. Rows are matched by primary key, else by a \
unique key, else by rowid or content. Every table is compared, also the migration tool's own; a value is the same where its storage \
class and its bytes are. A table none of whose pages differ is the same and is not read; in files of more than 64 MiB it is neither \
counted nor checked, unless --thorough is given. Not compared are SQLite's own statistics (sqlite_stat1), page size, journal mode \
and text encoding.

Exit codes:
  0    the same
  1    different
  2    wrong arguments
  4    could not compare: a file cannot be read, or some of what is in it, and nothing else differs
  130  interrupted")]
    Diff {
        /// The database as it was, also a dump or compressed; `-` is standard input; it is only ever read
        #[arg(value_name = "BEFORE")]
        before: PathBuf,
        /// The database as it is, in the same forms
        #[arg(value_name = "AFTER")]
        after: PathBuf,
        #[command(flatten)]
        engine: EngineArguments,
    },
    /// Shows rows, NULLs and storage classes of every table and column, never a value
    #[command(after_help = "\
Exit codes:
  0    everything was read
  2    wrong arguments
  4    the file cannot be read, or some of what is in it
  130  interrupted")]
    Profile {
        /// The database, also a dump or compressed; `-` is standard input; it is only ever read
        #[arg(value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        engine: EngineArguments,
    },
    /// Runs scenario files
    Test {
        /// Scenario files, or folders of them
        #[arg(value_name = "PATH", default_value = "scenarios")]
        paths: Vec<PathBuf>,
    },
    /// Lists every rule
    Rules,
    /// Shows the page of one rule
    Explain {
        /// The rule's code or name
        #[arg(value_name = "CODE|NAME")]
        rule: String,
    },
    /// Says which command rehearses the project in the working directory; runs and writes nothing
    Init,
    /// Shows a migration that loses every row of a table, on a database made on the spot
    Demo {
        /// Where to make it and leave it; a temporary folder that is removed again where none is given
        #[arg(value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
}

/// What to rehearse.
#[derive(Debug, Args)]
pub struct ProjectArguments {
    /// A copy of the production database: a file or an SQL dump, also compressed (gzip, zstd); `-` is standard input; it is only ever read
    #[arg(long, value_name = "FILE")]
    pub snapshot: Option<PathBuf>,
    /// A command that writes one to its standard output, for example "ssh prod 'sqlite3 prod.db .dump'"
    #[arg(long, value_name = "COMMAND", conflicts_with = "snapshot")]
    pub snapshot_command: Option<String>,
    /// The folder of the migrations [default: found from the project's configuration]
    #[arg(long, value_name = "DIR")]
    pub migrations: Option<PathBuf>,
    /// What manages the migrations [default: found from the project's files]
    #[arg(long, value_name = "NAME")]
    pub tool: Option<String>,
    /// The library that runs the migrations in production [default: found from the project's files]
    #[arg(long, value_name = "NAME")]
    pub driver: Option<String>,
    /// Whether production enforces foreign keys when the migrations begin [default: as the driver does]
    #[arg(long, value_name = "on|off", value_parser = on_or_off, hide_possible_values = true)]
    pub foreign_keys: Option<bool>,
    /// The table in which the tool records what was applied [default: the tool's own]
    #[arg(long, value_name = "NAME")]
    pub ledger_table: Option<String>,
}

/// The main command.
#[derive(Debug, Args)]
pub struct RunArguments {
    #[command(flatten)]
    pub project: ProjectArguments,
    /// The command that runs the migrations in production.
    #[arg(
        long,
        value_name = "COMMAND",
        help = "The command that runs the migrations in production; it runs in a copy of the project. In it {db} is the path of the \
                copy, {db_url} its URL as the tool writes it, {db_dir} its folder; DATABASE_URL and DATABASE_PATH lead there too",
        conflicts_with_all = ["migrations", "tool", "driver", "foreign_keys", "ledger_table", "matrix", "down"],
        help_heading = "Through the tool's own command"
    )]
    pub exec: Option<String>,
    /// Where the project's own configuration has the database, as a path in the project: the copy is put there
    #[arg(long, value_name = "PATH", requires = "exec", help_heading = "Through the tool's own command")]
    pub copy_at: Option<PathBuf>,
    /// How long the command may take; then it is ended, with all that it started
    #[arg(
        long,
        value_name = "TIME",
        default_value = "10m",
        requires = "exec",
        value_parser = duration,
        help_heading = "Through the tool's own command"
    )]
    pub time_limit: Duration,
    /// Also writes a report to a file; can be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report)]
    pub reports: Vec<(Format, PathBuf)>,
    /// Also rehearses under every other driver of the tool and shows the outcomes side by side
    #[arg(long)]
    pub matrix: bool,
    /// Also undoes the migrations by their down migrations, on another copy, and compares what is there then with the snapshot
    #[arg(long)]
    pub down: bool,
    /// The level from which on findings make the exit code 1
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = FailOn::Error)]
    pub fail_on: FailOn,
    /// Sets the level of a rule or a family, over the configuration; can be given several times
    #[arg(long = "level", value_name = "RULE=LEVEL", value_parser = level)]
    pub levels: Vec<(Selector, Level)>,
    /// The configuration [default: the nearest rehearse.yaml, from here up to the repository's root]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Also shows some of the rows that each finding is about: their keys, or their keys and values (not where others read the log)
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = Samples::None)]
    pub samples: Samples,
    /// How many rows `--samples` shows for a finding
    #[arg(long, value_name = "ROWS", default_value_t = 5, requires = "samples", value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub samples_limit: u16,
    /// Keeps the migrated copy as this file
    #[arg(long, value_name = "FILE")]
    pub keep_copy: Option<PathBuf>,
    /// Objects to a snapshot that is older, for example 24h or 7d
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub max_snapshot_age: Option<Duration>,
    #[command(flatten)]
    pub engine: EngineArguments,
}

/// How databases are read.
#[derive(Debug, Args)]
pub struct EngineArguments {
    /// Counts and checks every table also in databases of more than 64 MiB, not only those of which a page changed
    #[arg(long, help_heading = "Reading")]
    pub thorough: bool,
    /// How much memory comparing may take, for example 100M or 1G; rows beyond it are sorted on the disk
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = size, help_heading = "Reading")]
    pub max_memory: u64,
    /// How many threads read [default: as many as there are cores]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Reading")]
    pub threads: Option<u16>,
}

/// How to tell it.
#[derive(Debug, Args)]
pub struct OutputArguments {
    /// The form of the report
    #[arg(long, value_name = "FORMAT", global = true, default_value = "text", value_parser = formats(), help_heading = "Output")]
    pub format: Format,
    /// The verdict and one line per finding only
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = "Output")]
    pub quiet: bool,
    /// Also every statement, table, column and note
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Output")]
    pub verbose: u8,
    /// When to use colours
    #[arg(long, value_name = "WHEN", global = true, value_enum, default_value_t = Colour::Auto, help_heading = "Output")]
    pub color: Colour,
}

/// The level from which on findings count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

/// What may be shown of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Samples {
    None,
    Keys,
    Values,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Colour {
    #[default]
    Auto,
    Always,
    Never,
}

impl Default for OutputArguments {
    fn default() -> Self {
        Self { format: Format::Text, quiet: false, verbose: 0, color: Colour::default() }
    }
}

impl RunArguments {
    /// What the library is asked.
    pub fn options(&self) -> Result<Options, Error> {
        Ok(Options {
            extent: self.engine.extent(),
            max_memory: self.engine.max_memory,
            keep_copy: self.keep_copy.clone(),
            matrix: self.matrix,
            down: self.down,
            sampling: match self.samples {
                Samples::None => Sampling::None,
                Samples::Keys => Sampling::Keys(self.samples_limit.into()),
                Samples::Values => Sampling::Values(self.samples_limit.into()),
            },
            fail_on: match self.fail_on {
                FailOn::Error => Some(Level::Error),
                FailOn::Warning => Some(Level::Warning),
                FailOn::Note => Some(Level::Note),
                FailOn::Never => None,
            },
            max_snapshot_age: self.max_snapshot_age,
            config: Config::of(self.config.as_deref(), Path::new("."))?,
            levels: levels(&self.levels),
            exec: self.exec.clone().map(|line| Exec {
                line,
                time_limit: self.time_limit,
                copy_at: self.copy_at.clone(),
            }),
            ..self.project.options()?
        })
    }
}

impl ProjectArguments {
    /// What the library is asked, with everything else at its default.
    pub fn options(&self) -> Result<Options, Error> {
        let snapshot = match (&self.snapshot, &self.snapshot_command) {
            (Some(file), _) => Source::of_argument(file.clone()),
            (None, Some(command)) => Source::Command(command.clone()),
            (None, None) => {
                return Err(Error::usage("reading the arguments", "no snapshot was given")
                    .hint("give a copy of the production database: --snapshot FILE")
                    .hint("to see what a rehearsal looks like: rehearse demo"));
            }
        };
        let tools: Vec<&str> = TOOLS.iter().map(|tool| tool.name).collect();
        let mut drivers: Vec<&str> = Vec::new();
        for driver in DRIVERS {
            if !drivers.contains(&driver.name) {
                drivers.push(driver.name);
            }
        }
        known("tool", self.tool.as_deref(), &tools)?;
        known("driver", self.driver.as_deref(), &drivers)?;
        let migrations = Request {
            folder: self.migrations.clone(),
            tool: self.tool.clone(),
            table: self.ledger_table.clone(),
            project: PathBuf::from("."),
        };
        Ok(Options {
            driver: self.driver.clone(),
            foreign_keys: self.foreign_keys,
            ..Options::of(snapshot, migrations)
        })
    }
}

impl EngineArguments {
    /// How much is looked at of what did not change.
    fn extent(&self) -> Extent {
        if self.thorough { Extent::Whole } else { Extent::BySize }
    }

    /// Starts as many threads as were asked for.
    pub fn start_threads(&self) {
        if let Some(threads) = self.threads {
            // Only a second call fails, and there is none.
            let _ = rayon::ThreadPoolBuilder::new().num_threads(threads.into()).build_global();
        }
    }

    /// How `diff` and `profile` read.
    pub fn reading(&self) -> Reading {
        Reading { extent: self.extent(), max_memory: self.max_memory, ..Reading::default() }
    }
}

fn known(what: &str, given: Option<&str>, valid: &[&str]) -> Result<(), Error> {
    match given {
        Some(name) if !valid.contains(&name) => {
            let doing = format!("reading `--{what}`");
            Err(suggest::unknown_error(&doing, what, name, valid).hint(format!("valid: {}", valid.join(", "))))
        }
        _ => Ok(()),
    }
}

fn on_or_off(text: &str) -> Result<bool, String> {
    match text {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err("say `on` or `off`".to_owned()),
    }
}

fn formats() -> impl TypedValueParser<Value = Format> {
    PossibleValuesParser::new(Format::ALL.iter().map(|format| format.name())).try_map(|name| format(&name))
}

fn format(text: &str) -> Result<Format, String> {
    Format::named(text).ok_or_else(|| {
        let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
        suggest::unknown("format", text, &names)
    })
}

/// `LS104=warning`, `nonempty-table-dropped=warning`, `LS=warning`.
fn level(text: &str) -> Result<(Selector, Level), String> {
    let (rule, level) = text.split_once('=').ok_or("write RULE=LEVEL, for example LS104=warning")?;
    let selector = Selector::parse(rule).map_err(|why| visible(&why).into_owned())?;
    let levels = [Level::Error, Level::Warning, Level::Note];
    let level = levels.into_iter().find(|known| known.name().eq_ignore_ascii_case(level.trim()));
    Ok((selector, level.ok_or("the level is `error`, `warning` or `note`")?))
}

fn levels(given: &[(Selector, Level)]) -> Levels {
    let mut levels = Levels::default();
    for (selector, level) in given {
        levels.set(*selector, *level);
    }
    levels
}

fn report(text: &str) -> Result<(Format, PathBuf), String> {
    match text.split_once('=') {
        Some((name, file)) if !file.is_empty() => Ok((format(name)?, PathBuf::from(file))),
        _ => Err("write FORMAT=FILE, for example json=report.json".to_owned()),
    }
}

/// `90s`, `30m`, `24h`, `7d`, `1d12h`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write a number and s, m, h or d, for example 24h".to_owned();
    let mut seconds = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit()).ok_or_else(wrong)?;
        let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit = match rest.as_bytes()[digits] {
            b's' => 1,
            b'm' => 60,
            b'h' => 60 * 60,
            b'd' => 24 * 60 * 60,
            _ => return Err(wrong()),
        };
        seconds = number.checked_mul(unit).and_then(|more| seconds.checked_add(more)).ok_or_else(wrong)?;
        rest = &rest[digits + 1..];
    }
    if text.is_empty() { Err(wrong()) } else { Ok(Duration::from_secs(seconds)) }
}

/// `100M`, `1G`, `262144K`, in powers of 1024; at least 16M.
fn size(text: &str) -> Result<u64, String> {
    const LEAST: u64 = 16 << 20;
    let wrong = || "write a number and K, M or G, for example 256M".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let power = match unit {
        'K' | 'k' => 10,
        'M' | 'm' => 20,
        'G' | 'g' => 30,
        _ => return Err(wrong()),
    };
    let digits = &text[..text.len() - 1];
    let number: u64 = digits.parse().ok().filter(|_| !digits.starts_with('+')).ok_or_else(wrong)?;
    let bytes = number.checked_mul(1 << power).ok_or_else(wrong)?;
    if bytes < LEAST { Err("at least 16M are needed".to_owned()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::{Arguments, duration, size};
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes() {
        assert_eq!((size("256M"), size("1g"), size("16384K")), (Ok(256 << 20), Ok(1 << 30), Ok(16 << 20)));
        for wrong in ["", "256", "M", "+16M", "-1G", "1.5G", "15M", "99999999999999999G", "1é"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn durations() {
        assert_eq!(duration("24h").unwrap().as_secs(), 86_400);
        assert_eq!(duration("1d12h").unwrap().as_secs(), 129_600);
        for wrong in ["", "24", "h", "24 h", "-1h", "1.5h", "99999999999999999d", "1é"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
