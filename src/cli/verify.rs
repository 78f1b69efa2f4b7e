//! `rehearse verify`: whether a saved report still speaks of these files.

use std::path::Path;

use rehearse::error::Error;
use rehearse::report::{json, text};
use rehearse::{Options, verify};

use super::output::{Plain, Terminal};
use super::report::{self, Saved};

/// 0 it does, 1 it does not, 4 nobody can tell.
pub fn run(file: &Path, options: &Options, terminal: &Terminal) -> Result<u8, Error> {
    let form = terminal.plain("verify")?;
    let Saved::Document(document) = report::read(file)? else {
        let doing = format!("reading the report `{}`", file.display());
        return Err(Error::usage(doing, "it is a report on many databases, which says nothing of the content of each")
            .hint("verify reports of single rehearsals"));
    };
    let progress = terminal.progress();
    let verification = verify(&document, options, progress.as_ref());
    drop(progress);
    let verification = verification?;
    terminal.print(&match form {
        Plain::Text => text::render_verification(&verification, &terminal.style()),
        Plain::Json => json::pretty(&verification),
    })?;
    Ok(verification.exit_code())
}
