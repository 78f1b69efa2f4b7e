//! `rehearse merge`: the reports on the parts of many databases become one.

use std::path::PathBuf;

use rehearse::error::Error;
use rehearse::many::merge;
use rehearse::report::Format;

use super::many;
use super::output::Terminal;
use super::report::{Saved, read};
use super::reports::{Reports, fleet_format};

/// Merges the reports in these files; the exit code is that of the worst database.
pub fn run(files: &[PathBuf], reports: &[(Format, PathBuf)], terminal: &Terminal) -> Result<u8, Error> {
    fleet_format([terminal.format])?;
    let mut parts = Vec::new();
    for file in files {
        match read(file)? {
            Saved::Fleet(fleet) => parts.push((file.display().to_string(), *fleet)),
            Saved::Document(_) => {
                let cause = format!("`{}` is the report on one database", file.display());
                return Err(Error::cannot("merging the reports", cause)
                    .hint("parts are what `rehearse --shard 1/2 --report json=1.json` writes"));
            }
        }
    }
    let merged = merge(parts)?;
    many::print(&merged, Reports::open_saved(reports, files)?, terminal)
}
