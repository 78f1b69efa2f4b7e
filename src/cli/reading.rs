//! `rehearse diff` and `rehearse profile`.

use std::path::Path;

use rehearse::error::Error;
use rehearse::report::{Format, json, text};

use super::arguments::EngineArguments;
use super::output::Terminal;

/// In what two databases differ: 0 the same, 1 different, 4 not everything could be compared.
pub fn diff(before: &Path, after: &Path, engine: &EngineArguments, terminal: &Terminal) -> Result<u8, Error> {
    engine.start_threads();
    let progress = terminal.progress();
    let diff = rehearse::diff(before, after, &engine.reading(), progress.as_ref());
    drop(progress);
    let diff = diff?;
    terminal.print(&match terminal.format {
        Format::Text => text::render_diff(&diff, &terminal.style()),
        Format::Json => json::pretty(&diff),
    })?;
    Ok(diff.exit_code())
}

/// What a database holds: 0, or 4 where something could not be read.
pub fn profile(file: &Path, engine: &EngineArguments, terminal: &Terminal) -> Result<u8, Error> {
    engine.start_threads();
    let progress = terminal.progress();
    let profile = rehearse::profile(file, &engine.reading(), progress.as_ref());
    drop(progress);
    let profile = profile?;
    terminal.print(&match terminal.format {
        Format::Text => text::render_profile(&profile, &terminal.style()),
        Format::Json => json::pretty(&profile),
    })?;
    Ok(profile.exit_code())
}
