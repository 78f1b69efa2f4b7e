//! `rehearse doctor`.

use rehearse::config::options::FailOn;
use rehearse::doctor::Options;
use rehearse::error::Error;
use rehearse::findings::levels::Selector;
use rehearse::findings::rule::Level;
use rehearse::report::{json, text};

use super::arguments::{ProjectArguments, levels, limit};
use super::layers::Sources;
use super::output::{Plain, Terminal};

/// What the library is asked.
pub fn options(
    project: &ProjectArguments,
    fail_on: FailOn,
    set: &[(Selector, Level)],
    shred: bool,
    sources: &Sources,
) -> Result<Options, Error> {
    Ok(Options {
        snapshot: project.source(),
        migrations: project.request()?,
        driver: project.driver.clone(),
        foreign_keys: project.foreign_keys(),
        workspace: None,
        fail_on: limit(fail_on),
        config: sources.config.clone(),
        levels: levels(set),
        shred,
    })
}

/// Goes through the checklist: 0 passed, 1 findings, 4 a file could not be read.
pub fn run(options: &Options, terminal: &Terminal) -> Result<u8, Error> {
    let form = terminal.plain("doctor")?;
    let progress = terminal.progress();
    let diagnosis = rehearse::doctor(options, progress.as_ref());
    drop(progress);
    let diagnosis = diagnosis?;
    terminal.print(&match form {
        Plain::Text => text::render_diagnosis(&diagnosis, &terminal.style()),
        Plain::Json => json::pretty(&diagnosis),
    })?;
    Ok(diagnosis.exit_code())
}
