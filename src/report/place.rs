//! Where a finding stands, for formats that demand a file.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::document::{Document, Finding};

/// What stays as it is in a path that is part of a URI; besides letters and digits.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// The file of the finding, else of its migration, else the migrations folder, else the folder that one stands in. A leading `./` is
/// dropped.
#[must_use]
pub fn path<'a>(document: &'a Document, finding: &'a Finding) -> &'a str {
    let plan = &document.plan;
    let own = || finding.file.as_deref().filter(|file| !file.is_empty());
    let migrations = || [&plan.pending, &plan.applied, &plan.skipped, &plan.edited].into_iter().flatten();
    let of_migration = || {
        let name = finding.migration.as_deref()?;
        let found = migrations().find(|migration| migration.name == name)?;
        Some(found.file.as_str()).filter(|file| !file.is_empty())
    };
    let path = own().or_else(of_migration).unwrap_or(&plan.folder);
    let path = path.strip_prefix("./").unwrap_or(path).trim_end_matches('/');
    if path.is_empty() { "." } else { path }
}

/// The path as a URI: relative where the path is, else with the scheme `file`.
#[must_use]
pub fn uri(path: &str) -> String {
    let encoded = utf8_percent_encode(path, PATH);
    if path.starts_with('/') { format!("file://{encoded}") } else { encoded.to_string() }
}

#[cfg(test)]
mod tests {
    use super::uri;

    #[test]
    fn a_path_is_a_uri() {
        assert_eq!(uri("drizzle/0001_email.sql"), "drizzle/0001_email.sql");
        assert_eq!(uri("a b/文:#?%\n.sql"), "a%20b/%E6%96%87%3A%23%3F%25%0A.sql");
        assert_eq!(uri("/srv/app/0001.sql"), "file:///srv/app/0001.sql");
    }
}
