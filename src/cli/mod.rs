//! The command line: arguments in, the library asked, the report out, the exit code back.

mod arguments;
mod catalogue;
mod demo;
mod init;
mod output;
mod progress;
mod reading;
mod reports;
mod suggest;
mod test;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use clap::Parser as _;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use rehearse::Options;
use rehearse::error::Error;
use rehearse::observer::Silent;
use rehearse::report::visible::visible;
use rehearse::report::{Format, json, text};
use rehearse::snapshot::workspace;

use arguments::{Arguments, Command, OutputArguments, RunArguments};
use output::Terminal;
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
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return wrong(&error),
    };
    let terminal = Terminal::new(&arguments.output);
    if std::env::args_os().len() <= 1 {
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
    if let (ErrorKind::InvalidSubcommand, Some(ContextValue::String(given))) =
        (error.kind(), error.get(ContextKind::InvalidSubcommand))
        && Path::new(given).is_file()
    {
        Terminal::new(&OutputArguments::default()).hint("a snapshot is given as an option: rehearse --snapshot FILE");
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
    workspace::remove_on_signal()?;
    match &arguments.command {
        None => rehearse(&arguments.run, terminal),
        Some(Command::Plan(project)) => {
            let plan = rehearse::plan(&project.options()?, &Silent)?.document();
            terminal.print(&match terminal.format {
                Format::Text => text::render_plan(&plan, &terminal.style()),
                Format::Json => json::pretty(&plan),
            })?;
            Ok(0)
        }
        Some(Command::Diff { before, after, engine }) => reading::diff(before, after, engine, terminal),
        Some(Command::Profile { file, engine }) => reading::profile(file, engine, terminal),
        Some(Command::Test { paths }) => test::run(paths, terminal),
        Some(Command::Rules) => catalogue::list(terminal),
        Some(Command::Explain { rule }) => catalogue::explain(rule, terminal),
        Some(Command::Init) => init::run(terminal),
        Some(Command::Demo { folder }) => demo::run(folder.as_deref(), terminal),
    }
}

fn rehearse(arguments: &RunArguments, terminal: &Terminal) -> Result<u8, Error> {
    arguments.engine.start_threads();
    let options = arguments.options()?;
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
