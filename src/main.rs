//! Arguments in, exit code out.

use std::process::ExitCode;

mod cli;

fn main() -> ExitCode {
    rehearse::snapshot::workspace::remove_on_signal();
    ExitCode::from(cli::main())
}
