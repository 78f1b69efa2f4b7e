//! `rehearse --snapshot 'tenants/*.db'`: many databases, one report.

use rehearse::error::Error;
use rehearse::many::Selection;
use rehearse::report::fleet::Fleet;
use rehearse::snapshot::Source;

use super::arguments::RunArguments;
use super::layers::Sources;
use super::output::Terminal;
use super::reports::{Reports, fleet_format};

/// Finds the databases, rehearses on each, prints the report, writes the report files, gives the exit code.
pub fn run(
    selection: Selection,
    arguments: &RunArguments,
    sources: &Sources,
    terminal: &Terminal,
) -> Result<u8, Error> {
    fleet_format([terminal.format])?;
    let options = arguments.options_on(Source::File(selection.path().to_path_buf()), sources)?;
    let databases = selection.find()?;
    let reports = Reports::open_for_many(&arguments.reports, &databases.found)?;
    let threads = arguments.engine.number_of_threads();
    let progress = terminal.progress();
    let fleet = rehearse::rehearse_all(&databases, arguments.many.shard, &options, threads, progress.as_ref());
    drop(progress);
    print(&fleet?, reports, terminal)
}

/// Prints the report, writes the report files, gives the exit code.
pub fn print(fleet: &Fleet, reports: Reports, terminal: &Terminal) -> Result<u8, Error> {
    let written = reports.write_fleet(fleet);
    terminal.print(&fleet.render(terminal.format, &terminal.style()))?;
    written?;
    Ok(fleet.exit_code)
}
