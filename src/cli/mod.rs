//! The command line: arguments in, the library asked, the report out, the exit code back.

mod arguments;
mod catalogue;
mod completions;
mod demo;
mod doctor;
mod init;
mod layers;
mod man;
mod many;
mod merge;
mod output;
mod progress;
mod reading;
mod report;
mod reports;
mod suggest;
mod test;
mod verify;

use std::ffi::OsString;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use rehearse::Options;
use rehearse::error::Error;
use rehearse::report::visible::visible;
use rehearse::report::{json, text};
use rehearse::snapshot::{self, workspace};

use arguments::{Arguments, Command, OutputArguments, RunArguments};
use layers::{Sources, Wrong};
use output::{Plain, Terminal};
use reports::Reports;

/// What is printed where nothing was asked for.
const USAGE: &str = "\
rehearse runs your pending migrations on a copy of production data and tells
what they would lose

usage: rehearse --snapshot FILE
next:  rehearse demo      see it find a loss, on a database made on the spot
       rehearse --help    every option and command
";

/// Runs the command that the process was started with and gives its exit code.
pub fn main() -> u8 {
    let given: Vec<OsString> = std::env::args_os().collect();
    let arguments = match layers::read(&given, std::env::vars_os()) {
        Ok(arguments) => arguments,
        Err(Wrong::Arguments(error)) => return wrong(&error),
        Err(Wrong::Elsewhere(error)) => {
            Terminal::new(&OutputArguments::default()).error(&error);
            return error.exit_code();
        }
    };
    let terminal = Terminal::new(&arguments.output);
    let asked = &arguments.run;
    let is_silent = asked.project.snapshot.is_none()
        && asked.project.snapshot_command.is_none()
        && asked.many.snapshot_list.is_none();
    if given.len() <= 1 && is_silent {
        terminal.say_aside(USAGE);
        return 2;
    }
    match guarded(|| run(&arguments, &terminal)) {
        Ok(code) => code,
        Err(error) => {
            terminal.error(&error);
            error.exit_code()
        }
    }
}

/// What clap says of wrong arguments, and what was meant where the name of a file stands in the place of a command.
fn wrong(error: &clap::Error) -> u8 {
    // clap quotes arguments as they are: one that would act on a terminal or in a CI log is made harmless.
    let given: Vec<String> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    if given.iter().all(|argument| output::harmless(argument).trim_end() == argument) {
        let _ = error.print();
    } else {
        let text = given.iter().fold(error.render().to_string(), |text, given| text.replace(given, &visible(given)));
        Terminal::new(&OutputArguments::default()).say_aside(&output::harmless(&text));
    }
    let names_exec = |value: &ContextValue| value.to_string().contains("--exec <COMMAND>");
    if error.kind() == ErrorKind::ArgumentConflict && error.context().any(|(_, value)| names_exec(value)) {
        Terminal::new(&OutputArguments::default()).hint(
            "with --exec the command runs the migrations itself, as in production: what says how they run, or runs them again, \
             has no hold on it",
        );
    }
    if let (ErrorKind::InvalidSubcommand, Some(ContextValue::String(given))) =
        (error.kind(), error.get(ContextKind::InvalidSubcommand))
        && Path::new(given).is_file()
    {
        Terminal::new(&OutputArguments::default()).hint("a snapshot is given as an option: rehearse --snapshot FILE");
    }
    let names_file = |value: &ContextValue| matches!(value, ContextValue::String(text) if Path::new(text).is_file());
    // A shell makes several arguments of a pattern: the second of them stands where a command is expected.
    if error.kind() == ErrorKind::ArgumentConflict && error.context().any(|(_, value)| names_file(value)) {
        Terminal::new(&OutputArguments::default()).hint(
            "many databases are given as a folder, or as a pattern in quotes: rehearse --snapshot 'tenants/*.db'",
        );
    }
    u8::try_from(error.exit_code()).unwrap_or(2)
}

/// A panic has told where it happened, and has removed the workspace; it means that no rehearsal was possible.
fn guarded(run: impl FnOnce() -> Result<u8, Error>) -> Result<u8, Error> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| {
        Err(Error::cannot("rehearsing", "rehearse itself failed")
            .hint("this is a bug in rehearse; please report it with the lines above"))
    })
}

fn run(arguments: &Arguments, terminal: &Terminal) -> Result<u8, Error> {
    progress::close_on_panic();
    workspace::remove_on_signal(progress::close)?;
    let output = arguments.output.clone();
    snapshot::when_stuck(move || {
        workspace::leave(4, || {
            progress::close();
            Terminal::new(&output).error(&stuck());
        })
    });
    match &arguments.command {
        None => rehearse(&arguments.run, &arguments.sources, terminal),
        Some(Command::Plan { project, copies }) => {
            let form = terminal.plain("plan")?;
            let options = Options { shred: copies.shred, ..project.options(&arguments.sources)? };
            let progress = terminal.progress();
            let plan = rehearse::plan(&options, progress.as_ref());
            drop(progress);
            let plan = plan?.document();
            terminal.print(&match form {
                Plain::Text => text::render_plan(&plan, &terminal.style()),
                Plain::Json => json::pretty(&plan),
            })?;
            Ok(0)
        }
        Some(Command::Doctor { project, fail_on, levels, copies }) => {
            let options = doctor::options(project, *fail_on, levels, copies.shred, &arguments.sources)?;
            doctor::run(&options, terminal)
        }
        Some(Command::Diff { before, after, engine }) => reading::diff(before, after, engine, terminal),
        Some(Command::Profile { file, engine }) => reading::profile(file, engine, terminal),
        Some(Command::Report { file, reports }) => report::run(file, reports, terminal),
        Some(Command::Merge { files, reports }) => merge::run(files, reports, terminal),
        Some(Command::Verify { file, project, queries, copies }) => {
            let (config, queries) = (arguments.sources.config.clone(), queries.clone());
            let options = Options { config, queries, shred: copies.shred, ..project.options(&arguments.sources)? };
            verify::run(file, &options, terminal)
        }
        Some(Command::Test { paths }) => test::run(paths, terminal),
        Some(Command::Rules) => catalogue::list(terminal),
        Some(Command::Explain { rule }) => catalogue::explain(rule, terminal),
        Some(Command::Init { tool, ci }) => init::run(tool.as_deref(), *ci, terminal),
        Some(Command::Demo { folder }) => demo::run(folder.as_deref(), terminal),
        Some(Command::Completions { shell }) => completions::run(*shell, terminal),
        Some(Command::Man { folder }) => man::run(folder.as_deref(), terminal),
    }
}

fn stuck() -> Error {
    Error::cannot("rehearsing", "the time limit is over, and SQLite does not react: it is within one call of a function that takes long")
        .hint("look for `instr`, `replace` or the like of very long values in the migration, and in the CHECKs and generated columns of its tables")
        .hint("give it more time where it does end: --time-limit 30m")
}

fn rehearse(arguments: &RunArguments, sources: &Sources, terminal: &Terminal) -> Result<u8, Error> {
    if let Some(selection) = arguments.selection()? {
        return many::run(selection, arguments, sources, terminal);
    }
    arguments.engine.start_threads();
    let options = arguments.options(sources)?;
    let reports = Reports::open(&arguments.reports, options.snapshot.name(), options.keep_copy.as_deref())?;
    run_and_report(&options, reports, terminal)
}

/// The main command, also for `rehearse demo`: rehearse, print the report, write the report files, give the exit code.
fn run_and_report(options: &Options, reports: Reports, terminal: &Terminal) -> Result<u8, Error> {
    let progress = terminal.progress();
    let rehearsal = rehearse::rehearse(options, progress.as_ref());
    drop(progress);
    let rehearsal = rehearsal?;
    let document = rehearsal.document();
    let written = reports.write(&document);
    terminal.print(&terminal.format.render(&document, &terminal.style()))?;
    written?;
    Ok(rehearsal.exit_code())
}

#[cfg(test)]
mod tests {
    use super::guarded;
    use rehearse::snapshot::Workspace;

    #[test]
    fn a_panic_ends_with_4_and_leaves_nothing() {
        let mut place = std::path::PathBuf::new();
        let outcome = guarded(|| {
            let workspace = Workspace::create(None)?;
            workspace.path().clone_into(&mut place);
            std::fs::write(workspace.file("before.db"), "rows").unwrap();
            panic!("on purpose");
        });
        assert_eq!(outcome.unwrap_err().exit_code(), 4);
        assert!(place.is_absolute() && !place.exists());
    }
}
