//! `rehearse diff` and `rehearse profile`.

use std::path::Path;

use rehearse::error::Error;
use rehearse::report::{json, text};
use rehearse::snapshot::Source;

use super::arguments::EngineArguments;
use super::output::{Plain, Terminal};

/// In what two databases differ: 0 the same, 1 different, 4 not everything could be compared.
pub fn diff(before: &Path, after: &Path, engine: &EngineArguments, terminal: &Terminal) -> Result<u8, Error> {
    let form = terminal.plain("diff")?;
    engine.start_threads();
    let (before, after) = (Source::of_argument(before.to_owned()), Source::of_argument(after.to_owned()));
    if before == Source::Stdin && after == Source::Stdin {
        return Err(Error::usage("reading the arguments", "standard input can be one of the two only")
            .hint("name a file for the other one"));
    }
    let progress = terminal.progress();
    let diff = rehearse::diff(&before, &after, &engine.reading(), progress.as_ref());
    drop(progress);
    let diff = diff?;
    terminal.print(&match form {
        Plain::Text => text::render_diff(&diff, &terminal.style()),
        Plain::Json => json::pretty(&diff),
    })?;
    Ok(diff.exit_code())
}

/// What a database holds: 0, or 4 where something could not be read.
pub fn profile(file: &Path, engine: &EngineArguments, terminal: &Terminal) -> Result<u8, Error> {
    let form = terminal.plain("profile")?;
    engine.start_threads();
    let progress = terminal.progress();
    let profile = rehearse::profile(&Source::of_argument(file.to_owned()), &engine.reading(), progress.as_ref());
    drop(progress);
    let profile = profile?;
    terminal.print(&match form {
        Plain::Text => text::render_profile(&profile, &terminal.style()),
        Plain::Json => json::pretty(&profile),
    })?;
    Ok(profile.exit_code())
}
