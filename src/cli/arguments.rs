//! What can be written on the command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{ArgAction, Args, Parser, Subcommand};
use clap_complete::Shell;
use rehearse::compare::samples::Sampling;
use rehearse::config::options::{self, Colour, FailOn, Samples, Switch};
use rehearse::error::Error;
use rehearse::execution::command::Exec;
use rehearse::findings::levels::{Levels, Selector};
use rehearse::findings::rule::Level;
use rehearse::many::{Selection, Shard};
use rehearse::migrations::Request;
use rehearse::report::Format;
use rehearse::report::visible::visible;
use rehearse::snapshot::{Bounds, Extent, Source};
use rehearse::units::{Memory, Size, Span};
use rehearse::{Options, Reading};

use super::init::Host;
use super::layers::Sources;
use super::suggest;

/// Runs pending SQLite migrations on a copy of production data and tells what they would lose.
#[derive(Debug, Parser)]
#[command(
    name = "rehearse",
    version,
    args_conflicts_with_subcommands = true,
    override_usage = "rehearse --snapshot FILE [OPTIONS]\n       rehearse COMMAND",
    after_help = "\
Every option can also be set in the environment (--fail-on as REHEARSE_FAIL_ON) and in rehearse.yaml (fail_on); the command line \
counts before the environment, and that before the file.

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
    /// What else was asked, and where.
    #[arg(skip)]
    pub sources: Sources,
}

/// The commands beside the main one.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Shows what is applied, pending, skipped, edited and missing, and how the schema has drifted; runs nothing on rows
    #[command(override_usage = "rehearse plan --snapshot FILE [OPTIONS]")]
    Plan {
        #[command(flatten)]
        project: ProjectArguments,
        #[command(flatten)]
        copies: CopyArguments,
    },
    /// Goes through what the project's files and a snapshot say of how migrations come to production; runs nothing
    #[command(
        override_usage = "rehearse doctor [--snapshot FILE] [OPTIONS]",
        after_help = "\
Without a snapshot only files are looked at, and what only it could answer is `not checked`. What no file answers is `not found`: \
nothing is guessed. Code is read as text; a path or an order that is put together while it runs is not found.

Exit codes:
  0    no finding at or above --fail-on
  1    findings at or above --fail-on
  2    wrong arguments or configuration, or no migrations to be found
  4    the snapshot, or a file that a check needs, cannot be read
  130  interrupted"
    )]
    Doctor {
        #[command(flatten)]
        project: ProjectArguments,
        /// The level from which on findings make the exit code 1
        #[arg(long, value_name = "LEVEL", value_enum, default_value_t = FailOn::Error)]
        fail_on: FailOn,
        /// Sets the level of a rule or a family, over the configuration; can be given several times
        #[arg(long = "level", value_name = "RULE=LEVEL", value_parser = level)]
        levels: Vec<(Selector, Level)>,
        #[command(flatten)]
        copies: CopyArguments,
    },
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
    /// Renders a saved report in another form; rehearses nothing
    #[command(after_help = "\
Exit codes:
  0    it was rendered, whatever its verdict is
  2    wrong arguments
  4    the file cannot be read, or is no report")]
    Report {
        /// What a rehearsal wrote with `--report json=FILE`; `-` is standard input
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Also writes it to a file; can be given several times
        #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report)]
        reports: Vec<(Format, PathBuf)>,
    },
    /// Says whether a saved report still speaks of these files: the snapshot's content, every migration, tool, driver, configuration;
    /// rehearses nothing
    #[command(
        override_usage = "rehearse verify REPORT --snapshot FILE [OPTIONS]",
        after_help = "\
Give the options of the rehearsal again. A snapshot whose bytes were not all read for the report (more than 64 MiB, without --thorough) \
is not known again.

Exit codes:
  0    it still speaks of these files, whatever its verdict is
  1    something is not what it was
  2    wrong arguments
  4    nobody can tell, or a file cannot be read
  130  interrupted"
    )]
    Verify {
        /// What a rehearsal wrote with `--report json=FILE`; `-` is standard input
        #[arg(value_name = "REPORT")]
        file: PathBuf,
        #[command(flatten)]
        project: ProjectArguments,
        /// The app's queries, where the rehearsal was given them
        #[arg(long, value_name = "PATH")]
        queries: Vec<PathBuf>,
        #[command(flatten)]
        copies: CopyArguments,
    },
    /// Brings the reports on all parts of many databases together to one; rehearses nothing
    #[command(after_help = "\
Exit codes:
  0    every database passed
  1    findings at or above --fail-on in one
  2    wrong arguments
  3    a migration failed on a copy
  4    a database could not be rehearsed, or the reports do not make a whole
  130  interrupted")]
    Merge {
        /// What `rehearse --shard PART/PARTS --report json=FILE` wrote, of each part one
        #[arg(value_name = "REPORT", required = true)]
        files: Vec<PathBuf>,
        /// Also writes the report to a file; can be given several times
        #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report)]
        reports: Vec<(Format, PathBuf)>,
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
    /// Says which command rehearses the project in the working directory, and writes rehearse.yaml and the file for its CI
    #[command(after_help = "\
No file that is there is changed, and nothing of the project is run. Where more than one tool fits, nothing is written until --tool says \
which one is meant.

Exit codes:
  0    a way to rehearse is proposed
  2    wrong arguments, or nothing speaks for a tool
  4    a file cannot be written")]
    Init {
        /// Which of the proposals is meant
        #[arg(long, value_name = "NAME")]
        tool: Option<String>,
        /// Whose CI runs it [default: found from the repository's files]
        #[arg(long, value_name = "HOST", value_enum)]
        ci: Option<Host>,
    },
    /// Shows a migration that loses every row of a table, on a database made on the spot
    Demo {
        /// Where to make it and leave it; a temporary folder that is removed again where none is given
        #[arg(value_name = "FOLDER")]
        folder: Option<PathBuf>,
    },
    /// Prints the script that completes commands and options in a shell
    #[command(after_help = "\
Where it goes:
  bash        rehearse completions bash > ~/.local/share/bash-completion/completions/rehearse
  zsh         rehearse completions zsh > _rehearse, in a folder of $fpath
  fish        rehearse completions fish > ~/.config/fish/completions/rehearse.fish
  elvish      rehearse completions elvish >> ~/.config/elvish/rc.elv
  powershell  rehearse completions powershell >> $PROFILE")]
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: Shell,
    },
    /// Prints the manual page, or writes one page for each command into a folder
    #[command(after_help = "To read it: rehearse man | man -l -")]
    Man {
        /// Where to write the pages
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
    #[arg(long, value_name = "on|off", value_enum, hide_possible_values = true)]
    pub foreign_keys: Option<Switch>,
    /// The table in which the tool records what was applied [default: the tool's own]
    #[arg(long, value_name = "NAME")]
    pub ledger_table: Option<String>,
    /// The configuration [default: the nearest rehearse.yaml, from here up to the repository's root]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Lets the configuration run commands, show rows and write outside of its folder
    #[arg(long)]
    pub trust_config: bool,
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
        conflicts_with_all = ["migrations", "tool", "driver", "foreign_keys", "ledger_table", "matrix", "down", "faults"],
        help_heading = "Through the tool's own command"
    )]
    pub exec: Option<String>,
    /// Where the project's own configuration has the database, as a path in the project: the copy is put there
    #[arg(long, value_name = "PATH", requires = "exec", help_heading = "Through the tool's own command")]
    pub copy_at: Option<PathBuf>,
    /// Also writes a report to a file; can be given several times
    #[arg(long = "report", value_name = "FORMAT=FILE", value_parser = report)]
    pub reports: Vec<(Format, PathBuf)>,
    /// Also rehearses under every other driver of the tool and shows the outcomes side by side
    #[arg(long)]
    pub matrix: bool,
    /// Also undoes the migrations by their down migrations, on another copy, and compares what is there then with the snapshot
    #[arg(long)]
    pub down: bool,
    /// Also lets the process die after every statement and inside of every commit, runs the tool again each time, runs it a second
    /// time where nothing happened, and compares two runs
    #[arg(long)]
    pub faults: bool,
    /// Also checks the app's queries on the schema before and after: a .sql file, a folder of them, a log of statements, sqlx's .sqlx; can
    /// be given several times
    #[arg(long, value_name = "PATH")]
    pub queries: Vec<PathBuf>,
    /// The level from which on findings make the exit code 1
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t = FailOn::Error)]
    pub fail_on: FailOn,
    /// Sets the level of a rule or a family, over the configuration; can be given several times
    #[arg(long = "level", value_name = "RULE=LEVEL", value_parser = level)]
    pub levels: Vec<(Selector, Level)>,
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
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub max_snapshot_age: Option<Duration>,
    #[command(flatten)]
    pub takes: TimeArguments,
    #[command(flatten)]
    pub many: ManyArguments,
    #[command(flatten)]
    pub limits: LimitArguments,
    #[command(flatten)]
    pub engine: EngineArguments,
}

/// What the migrations take.
#[derive(Debug, Args)]
pub struct TimeArguments {
    /// Also runs the migrations on a plain file on the disk, without looking at rows, and with the driver's `synchronous` and page cache,
    /// to time them; not with --shred
    #[arg(long, conflicts_with = "exec", help_heading = "Time and disk")]
    pub measure: bool,
    /// The same, and once more beside a reader and a writer: says how long they wait
    #[arg(long, conflicts_with = "exec", help_heading = "Time and disk")]
    pub live: bool,
    /// How much production's disk has free, for example 10G: objects where the migrations need more
    #[arg(long, value_name = "SIZE", value_parser = size, help_heading = "Time and disk")]
    pub disk_free: Option<u64>,
}

/// Many databases.
#[derive(Debug, Args)]
pub struct ManyArguments {
    /// Rehearses on every database that a file names, one path on each line as seen from the file's folder; `-` is standard input. A
    /// folder, or a pattern in quotes ('tenants/*.db'), is given as --snapshot
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with_all = ["snapshot", "snapshot_command", "keep_copy"],
        help_heading = "Many databases"
    )]
    pub snapshot_list: Option<PathBuf>,
    /// Rehearses on one part of many databases, which their names decide, for example 3/16; `rehearse merge` brings the reports together
    #[arg(long, value_name = "PART/PARTS", conflicts_with_all = ["snapshot_command", "keep_copy"], help_heading = "Many databases")]
    pub shard: Option<Shard>,
}

/// What the migrations may take and do.
#[derive(Debug, Args)]
pub struct LimitArguments {
    /// How long the migrations may take on one copy, or the command with all that it starts; then they are ended
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = span, help_heading = "Limits")]
    pub time_limit: Duration,
    /// How much a copy may hold that the snapshot does not, for example 20G [default: 4 times the snapshot and 1G]
    #[arg(long, value_name = "SIZE", value_parser = memory, conflicts_with = "exec", help_heading = "Limits")]
    pub max_growth: Option<u64>,
    /// Lets migrations reach other files (ATTACH, VACUUM INTO) and write SQLite's own schema table, as in production; what they write
    /// elsewhere stays. Not with --matrix, --down, --faults and --measure, which run them again
    #[arg(long, conflicts_with = "exec", help_heading = "Limits")]
    pub allow_unsafe_sql: bool,
}

/// How databases are read.
#[derive(Debug, Args)]
pub struct EngineArguments {
    /// Counts and checks every table also in databases of more than 64 MiB, not only those of which a page changed
    #[arg(long, help_heading = "Reading")]
    pub thorough: bool,
    /// How much memory comparing may take, for example 100M or 1G; rows beyond it are sorted on the disk
    #[arg(long, value_name = "SIZE", default_value = "256M", value_parser = memory, help_heading = "Reading")]
    pub max_memory: u64,
    /// How many threads read [default: as many as there are cores]
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Reading")]
    pub threads: Option<u16>,
    #[command(flatten)]
    pub copies: CopyArguments,
}

/// What becomes of private copies.
#[derive(Debug, Args)]
pub struct CopyArguments {
    /// Overwrites private copies before they are removed, also on Ctrl-C; old blocks may survive on SSDs and where the file system
    /// keeps a journal of data or copies on write
    #[arg(long, help_heading = "Private copies")]
    pub shred: bool,
}

/// How to tell it.
#[derive(Debug, Clone, Args)]
pub struct OutputArguments {
    /// The form of the report: text, json, html (a page in a browser), markdown (a comment on a pull request), junit (a page of tests),
    /// sarif (code scanning), github (annotations), gitlab (code quality), dotenv (variables of a CI job)
    #[arg(long, value_name = "FORMAT", global = true, default_value = "text", value_parser = formats(), hide_possible_values = true, help_heading = "Output")]
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

impl Default for OutputArguments {
    fn default() -> Self {
        Self { format: Format::Text, quiet: false, verbose: 0, color: Colour::default() }
    }
}

impl RunArguments {
    /// Many databases, where the snapshot is more than one.
    pub fn selection(&self) -> Result<Option<Selection>, Error> {
        let list = self.many.snapshot_list.clone().map(Selection::List);
        let selection = list.or_else(|| self.project.snapshot.as_deref().and_then(Selection::of_argument));
        let wrong = |cause: &str| Err(Error::usage("reading the arguments", cause));
        match selection {
            None if self.many.shard.is_some() => wrong("`--shard` is a part of many databases, and one was given")
                .map_err(|error| error.hint("give a folder, a pattern or a list: --snapshot 'tenants/*.db'")),
            Some(_) if self.keep_copy.is_some() => {
                wrong("`--keep-copy` keeps the copy of one database, and many were given")
                    .map_err(|error| error.hint("rehearse on the one whose copy is wanted: --snapshot FILE"))
            }
            selection => Ok(selection),
        }
    }

    /// What the library is asked.
    pub fn options(&self, sources: &Sources) -> Result<Options, Error> {
        self.options_on(self.project.snapshot()?, sources)
    }

    /// What the library is asked of this snapshot.
    pub fn options_on(&self, snapshot: Source, sources: &Sources) -> Result<Options, Error> {
        self.check()?;
        Ok(Options {
            extent: self.engine.extent(),
            max_memory: self.engine.max_memory,
            shred: self.engine.copies.shred,
            keep_copy: self.keep_copy.clone(),
            matrix: self.matrix,
            down: self.down,
            faults: self.faults,
            queries: self.queries.clone(),
            measure: self.takes.measure || self.takes.live,
            live: self.takes.live,
            disk_free: self.takes.disk_free,
            sampling: match self.samples {
                Samples::None => Sampling::None,
                Samples::Keys => Sampling::Keys(self.samples_limit.into()),
                Samples::Values => Sampling::Values(self.samples_limit.into()),
            },
            fail_on: limit(self.fail_on),
            max_snapshot_age: self.max_snapshot_age,
            config: sources.config.clone(),
            levels: levels(&self.levels),
            exec: self.exec.clone().map(|line| Exec { line, copy_at: self.copy_at.clone() }),
            bounds: Bounds {
                time: self.limits.time_limit,
                growth: self.limits.max_growth,
                unsafe_sql: self.limits.allow_unsafe_sql,
            },
            ..self.project.options_on(snapshot, sources)?
        })
    }

    /// What does not go together, wherever it was said.
    fn check(&self) -> Result<(), Error> {
        if self.limits.time_limit.is_zero() {
            return Err(Error::usage("reading `--time-limit`", "in no time nothing can run").hint("the default is 10m"));
        }
        if (self.takes.measure || self.takes.live) && self.engine.copies.shred {
            let option = if self.takes.live { "--live" } else { "--measure" };
            return Err(Error::usage("reading the arguments", format!("`{option}` and `--shred` do not go together"))
                .hint("on a disk SQLite removes journals and temporary files itself, and nobody overwrites them"));
        }
        let again = [
            ("--faults", self.faults),
            ("--matrix", self.matrix),
            ("--down", self.down),
            ("--measure", self.takes.measure),
            ("--live", self.takes.live),
        ];
        match again.into_iter().find(|(_, is_asked)| *is_asked) {
            Some((option, _)) if self.limits.allow_unsafe_sql => Err(Error::usage(
                "reading the arguments",
                format!("`{option}` and `--allow-unsafe-sql` do not go together"),
            )
            .hint(format!(
                "with `{option}` the migrations run again, and would find what they wrote to other files before"
            ))
            .hint("rehearse twice, each time with one of them")),
            _ => Ok(()),
        }
    }
}

impl ProjectArguments {
    /// The snapshot, where one is given.
    pub fn source(&self) -> Option<Source> {
        let file = self.snapshot.clone().map(Source::of_argument);
        file.or_else(|| self.snapshot_command.clone().map(Source::Command))
    }

    /// Whether production enforces foreign keys, where that is given.
    pub fn foreign_keys(&self) -> Option<bool> {
        self.foreign_keys.map(|switch| switch == Switch::On)
    }

    /// Which migrations.
    pub fn request(&self) -> Result<Request, Error> {
        known("tool", self.tool.as_deref(), &options::tools())?;
        known("driver", self.driver.as_deref(), &options::drivers())?;
        Ok(Request {
            folder: self.migrations.clone(),
            tool: self.tool.clone(),
            table: self.ledger_table.clone(),
            project: PathBuf::from("."),
        })
    }

    /// What the library is asked, with everything else at its default.
    pub fn options(&self, sources: &Sources) -> Result<Options, Error> {
        self.options_on(self.snapshot()?, sources)
    }

    fn snapshot(&self) -> Result<Source, Error> {
        self.source().ok_or_else(|| {
            Error::usage("reading the arguments", "no snapshot was given")
                .hint("give a copy of the production database: --snapshot FILE")
                .hint("to see what a rehearsal looks like: rehearse demo")
        })
    }

    fn options_on(&self, snapshot: Source, sources: &Sources) -> Result<Options, Error> {
        let migrations = self.request()?;
        Ok(Options {
            driver: self.driver.clone(),
            foreign_keys: self.foreign_keys(),
            decisions: sources.decisions(),
            ..Options::of(snapshot, migrations)
        })
    }
}

impl EngineArguments {
    /// How much is looked at of what did not change.
    fn extent(&self) -> Extent {
        if self.thorough { Extent::Whole } else { Extent::BySize }
    }

    /// How many threads there are to be.
    pub fn number_of_threads(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, usize::from);
        self.threads.map_or_else(cores, usize::from)
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
        let (extent, max_memory, shred) = (self.extent(), self.max_memory, self.copies.shred);
        Reading { extent, max_memory, shred, ..Reading::default() }
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

fn formats() -> impl TypedValueParser<Value = Format> {
    let values = Format::ALL.iter().map(|format| PossibleValue::new(format.name()).help(format.purpose()));
    PossibleValuesParser::new(values).try_map(|name| format(&name))
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

/// The level from which on findings fail.
pub fn limit(fail_on: FailOn) -> Option<Level> {
    match fail_on {
        FailOn::Error => Some(Level::Error),
        FailOn::Warning => Some(Level::Warning),
        FailOn::Note => Some(Level::Note),
        FailOn::Never => None,
    }
}

pub fn levels(given: &[(Selector, Level)]) -> Levels {
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

fn span(text: &str) -> Result<Duration, String> {
    Span::parse(text).map(|span| span.0)
}

fn size(text: &str) -> Result<u64, String> {
    Size::parse(text.trim()).map(|size| size.0)
}

fn memory(text: &str) -> Result<u64, String> {
    Memory::parse(text).map(|memory| memory.0)
}

#[cfg(test)]
mod tests {
    use super::{Arguments, Format};
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn the_help_names_every_format() {
        let command = Arguments::command();
        let format = command.get_arguments().find(|argument| argument.get_long() == Some("format")).unwrap();
        let help = format.get_help().unwrap().to_string();
        for format in Format::ALL {
            assert!(help.contains(format.name()), "{} in {help}", format.name());
        }
    }
}
