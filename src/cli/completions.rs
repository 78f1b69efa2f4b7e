//! `rehearse completions`: the script with which a shell completes commands and options.

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};
use rehearse::error::Error;

use super::arguments::Arguments;
use super::output::Terminal;

/// Prints the script of this shell.
pub fn run(shell: Shell, terminal: &Terminal) -> Result<u8, Error> {
    let mut script = Vec::new();
    generate(shell, &mut Arguments::command(), env!("CARGO_BIN_NAME"), &mut script);
    terminal.print(&String::from_utf8_lossy(&script))?;
    Ok(0)
}
