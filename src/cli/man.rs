//! `rehearse man`: the manual pages, made of what `--help` says.

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::{Man, generate_to};
use rehearse::error::{Doing as _, Error};

use super::arguments::Arguments;
use super::output::Terminal;

/// Prints the page of `rehearse` itself, or writes one page for each command into `folder`.
pub fn run(folder: Option<&Path>, terminal: &Terminal) -> Result<u8, Error> {
    let Some(folder) = folder else {
        let mut page = Vec::new();
        Man::new(Arguments::command().disable_help_subcommand(true))
            .render(&mut page)
            .doing(|| "making the manual page".to_owned())?;
        terminal.print(&String::from_utf8_lossy(&page))?;
        return Ok(0);
    };
    let doing = || format!("writing the manual pages into `{}`", folder.display());
    fs::create_dir_all(folder).doing(doing)?;
    generate_to(Arguments::command(), folder).doing(doing)?;
    Ok(0)
}
