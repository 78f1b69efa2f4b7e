//! A command whose output is the snapshot.

use std::io::{self, Read};
use std::process::{ChildStderr, ChildStdout, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;

use crate::error::{Doing, Error};
use crate::snapshot::workspace::Group;

/// How much of what the command says aside is kept, from its end, for an error to tell.
const KEPT: usize = 4096;

/// The lines of it that an error tells.
const LINES: usize = 5;

/// A command that runs. When this is dropped the command is ended, with everything that it started.
pub(super) struct Running {
    group: Group,
    said: JoinHandle<Vec<u8>>,
}

impl Running {
    /// Starts it. It reads nothing and is in a process group of its own, so that it cannot ask anything at the terminal.
    pub fn start(command: &str) -> Result<(Self, ChildStdout), Error> {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut group = Group::start(&mut shell).doing(doing)?;
        let (Some(output), Some(aside)) = (group.child.stdout.take(), group.child.stderr.take()) else {
            return Err(Error::cannot(doing(), "it has no output"));
        };
        let said = std::thread::Builder::new().name("command".into()).spawn(move || end_of(aside)).doing(doing)?;
        Ok((Self { group, said }, output))
    }

    /// Waits for its end, once its output has ended, and fails where it did.
    pub fn finish(self) -> Result<(), Error> {
        let status = self.group.wait().doing(doing)?;
        let said = self.said.join().unwrap_or_default();
        if status.success() { Ok(()) } else { Err(failed(status, &said)) }
    }
}

fn doing() -> String {
    "running the snapshot command".to_owned()
}

fn failed(status: ExitStatus, said: &[u8]) -> Error {
    let said = String::from_utf8_lossy(said);
    let lines: Vec<&str> = said.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
    let how = match status.code() {
        Some(code) => format!("it ended with exit code {code}"),
        None => format!("it was ended: {status}"),
    };
    let cause = if last.is_empty() { how } else { format!("{how} and said\n{last}") };
    Error::cannot(doing(), cause)
}

/// Reads to the end and keeps the last of it.
fn end_of(mut aside: ChildStderr) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut buffer = [0; KEPT];
    loop {
        match aside.read(&mut buffer) {
            Ok(0) => return kept,
            Ok(read) => {
                kept.extend_from_slice(&buffer[..read]);
                kept.drain(..kept.len().saturating_sub(KEPT));
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return kept,
        }
    }
}
