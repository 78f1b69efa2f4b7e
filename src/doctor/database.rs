//! Where the database lies in production, as far as a file says so as a literal.

use std::path::Path;

use super::answer::At;
use super::places::{self, Places};

/// A path of a database, and what says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    /// As it is written, without what makes it an address.
    pub(super) path: String,
    pub(super) at: At,
    /// Whether it is what code takes where a variable says nothing else.
    pub(super) is_default: bool,
}

/// What begins the address of a SQLite file, the longest first.
const BEGINNINGS: [&str; 7] = ["jdbc:sqlite:", "sqlite3://", "sqlite3:", "sqlite://", "sqlite:", "file://", "file:"];
const ENDINGS: [&str; 4] = [".db", ".sqlite", ".sqlite3", ".db3"];

/// The path in the value of a variable or a setting; none where it is no SQLite file, in memory, or put together.
pub(super) fn path(value: &str) -> Option<String> {
    let value = value.trim();
    let beginning = BEGINNINGS.iter().find(|beginning| value.starts_with(**beginning));
    let rest = beginning.map_or(value, |beginning| &value[beginning.len()..]);
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let is_named = beginning.is_some() || is_database(rest);
    let is_plain = !rest.is_empty() && !rest.contains(['$', '{', '*', '<', ' ', '\n']) && !rest.contains(":memory:");
    let is_remote = beginning.is_none() && rest.contains("://");
    (is_named && is_plain && !is_remote && rest.len() < 1000).then(|| rest.to_owned())
}

/// How much the name of a variable says that it is the app's own database; the least is the most.
pub(super) fn rank(name: &str) -> usize {
    let upper = name.to_uppercase();
    let beginnings = ["DATABASE_URL", "DATABASE_", "DB_", "DB", "SQLITE"];
    beginnings.iter().position(|beginning| upper.starts_with(beginning)).unwrap_or(beginnings.len())
}

/// Whether a name is one that database files have.
pub(super) fn is_database(name: &str) -> bool {
    let lower = name.to_lowercase();
    ENDINGS.iter().any(|ending| lower.strip_suffix(ending).is_some_and(|stem| !stem.is_empty()))
}

/// What the files with variables beside the project say, where they are in the image: elsewhere nobody reads them there.
pub(super) fn in_settings(places: &Places, is_in_image: &dyn Fn(&Path) -> bool) -> Vec<Named> {
    let mut named = Vec::new();
    for file in [".env.production", ".env"].map(|name| places.root().join(name)) {
        if !is_in_image(&file) {
            continue;
        }
        if let Ok(text) = places::text(&file) {
            named.extend(in_variables(&file, &text));
        }
    }
    named
}

/// The databases in a file of variables.
pub(super) fn in_variables(file: &Path, text: &str) -> Vec<Named> {
    let lines = text.lines().zip(1..).filter_map(|(line, number)| {
        let (name, value) = line.trim().trim_start_matches("export ").split_once('=')?;
        let value = value.trim().trim_matches(['"', '\'']);
        (!name.starts_with('#')).then(|| path(value)).flatten().map(|path| (path, number))
    });
    lines.map(|(path, line)| Named { path, at: At::new(file, line), is_default: false }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_taken_out_of_addresses() {
        for (value, expected) in [
            ("file:./data/app.db?mode=rwc", Some("./data/app.db")),
            ("sqlite:///data/app.db", Some("/data/app.db")),
            ("/data/app.sqlite3", Some("/data/app.sqlite3")),
            ("file:store", Some("store")),
            ("libsql://x.turso.io/app.db", None),
            ("postgres://db/app", None),
            ("production", None),
            (":memory:", None),
            ("file::memory:?cache=shared", None),
            ("${DATA}/app.db", None),
            (".db", None),
        ] {
            assert_eq!(path(value).as_deref(), expected, "{value}");
        }
    }

    #[test]
    fn variables_are_read_line_by_line() {
        let text = "# DB=old.db\nNAME=x\nexport DATABASE_URL=\"file:/data/app.db\"\n";
        let named = in_variables(Path::new(".env"), text);
        assert_eq!(named.len(), 1);
        assert_eq!((named[0].path.as_str(), named[0].at.line), ("/data/app.db", 3));
    }
}
