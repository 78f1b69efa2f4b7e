//! The modules that a Go project requires, from `go.mod`, and what its `.env` sets.

use std::collections::BTreeMap;
use std::path::Path;

use super::Project;
use crate::error::{Doing, Error};
use crate::files::read_text;
use crate::migrations::shown;

/// The paths of the modules that `go.mod` in `root` requires, directly or not, with their versions.
/// Source: <https://go.dev/ref/mod#go-mod-file-require>.
pub(super) fn read(root: &Path) -> Result<BTreeMap<String, String>, Error> {
    let file = root.join("go.mod");
    if !file.is_file() {
        return Ok(BTreeMap::new());
    }
    let text = read_text(&file).doing(|| format!("reading `{}`", shown(&file)))?;
    let mut modules = BTreeMap::new();
    let mut in_block = false;
    for line in text.lines() {
        let words: Vec<&str> = line.split("//").next().unwrap_or_default().split_whitespace().collect();
        match words[..] {
            ["require", "("] => in_block = true,
            [")"] => in_block = false,
            ["require", path, version] => drop(modules.insert(path.to_owned(), version.to_owned())),
            [path, version] if in_block => drop(modules.insert(path.to_owned(), version.to_owned())),
            _ => {}
        }
    }
    Ok(modules)
}

impl Project {
    /// What `.env` in the root sets this variable to, with the evidence; nothing where it is empty or made of other variables.
    pub(in crate::migrations) fn dotenv(&self, name: &str) -> Option<(String, String)> {
        let file = self.root.join(".env");
        let text = read_text(&file).ok()?;
        let value = text.lines().find_map(|line| {
            let (key, value) = line.trim().split_once('=')?;
            let key = key.trim().strip_prefix("export ").unwrap_or(key.trim()).trim();
            (key == name).then(|| unquoted(value.trim()))
        })?;
        (!value.is_empty() && !value.contains('$')).then(|| (value.to_owned(), format!("`{name}` in {}", shown(&file))))
    }
}

/// A value without its quotes, or without the comment behind it.
fn unquoted(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some((inner, _)) = value.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inner;
        }
    }
    value.split(" #").next().unwrap_or_default().trim_end()
}
