//! `rehearse report`: a saved report in other forms.

use std::path::{Path, PathBuf};

use rehearse::error::{Doing as _, Error};
use rehearse::report::Format;
use rehearse::report::document::{Document, SCHEMA_VERSION};
use rehearse::report::fleet::Fleet;

use super::many;
use super::output::Terminal;
use super::reports::{Reports, fleet_format};

/// A report that was saved.
pub enum Saved {
    /// On one database.
    Document(Box<Document>),
    /// On many.
    Fleet(Box<Fleet>),
}

/// Renders the report in `file`; the exit code is 0 whatever its verdict is.
pub fn run(file: &Path, reports: &[(Format, PathBuf)], terminal: &Terminal) -> Result<u8, Error> {
    match read(file)? {
        Saved::Document(document) => {
            let written = Reports::open(reports, file, None)?.write(&document);
            terminal.print(&terminal.format.render(&document, &terminal.style()))?;
            written?;
        }
        Saved::Fleet(fleet) => {
            fleet_format(reports.iter().map(|(format, _)| *format).chain([terminal.format]))?;
            many::print(&fleet, Reports::open(reports, file, None)?, terminal)?;
        }
    }
    Ok(0)
}

/// Reads a report that `--report json=FILE` wrote; `-` is standard input.
pub fn read(file: &Path) -> Result<Saved, Error> {
    let doing = || format!("reading the report `{}`", file.display());
    let text = if file == Path::new("-") {
        std::io::read_to_string(std::io::stdin().lock()).doing(doing)?
    } else {
        std::fs::read_to_string(file).doing(doing)?
    };
    let no_report = |cause: String| {
        Error::cannot(doing(), cause).hint("a report is what a rehearsal writes with --report json=FILE")
    };
    let value: serde_json::Value =
        serde_json::from_str(&text).map_err(|cause| no_report(format!("it is no JSON: {cause}")))?;
    match value.get("schema_version").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(SCHEMA_VERSION) => {}
        Some(version) => {
            return Err(Error::cannot(
                doing(),
                format!("its schema_version is {version}, and this version of rehearse reads {SCHEMA_VERSION}"),
            )
            .hint("read it with the version of rehearse that wrote it"));
        }
        None => return Err(no_report("it has no schema_version".to_owned())),
    }
    let saved = if value.get("databases").is_some() {
        serde_json::from_value(value).map(|fleet| Saved::Fleet(Box::new(fleet)))
    } else {
        serde_json::from_value(value).map(|document| Saved::Document(Box::new(document)))
    };
    saved.map_err(|cause| no_report(format!("it is no report of a rehearsal: {cause}")))
}
