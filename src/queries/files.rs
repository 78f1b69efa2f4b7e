//! Which files of a folder hold queries, and how much of them is read.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::files;

/// Files of queries in all.
const MOST_FILES: usize = 10_000;
/// Bytes in all of them.
const MOST_BYTES: usize = 256 << 20;
/// Folders within folders.
const DEEPEST: usize = 32;
/// What tools put beside the app's own files.
const NOT_THE_APPS: [&str; 3] = ["node_modules", "target", "vendor"];

/// How much has been read.
#[derive(Default)]
pub(super) struct Budget {
    files: usize,
    bytes: usize,
}

impl Budget {
    /// The text of a file, without a byte order mark.
    pub(super) fn read(&mut self, file: &Path) -> io::Result<String> {
        let text = files::read_text(file)?;
        self.bytes = self.bytes.saturating_add(text.len());
        if self.bytes > MOST_BYTES {
            return Err(io::Error::other(format!("with it there are more than {} MiB of queries", MOST_BYTES >> 20)));
        }
        Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
    }

    fn count(&mut self) -> io::Result<()> {
        self.files += 1;
        if self.files > MOST_FILES {
            return Err(io::Error::other(format!("there are more than {MOST_FILES} files of queries")));
        }
        Ok(())
    }
}

/// The file itself; of a folder the `.sql` files and sqlx's data below it, in the order of their names. Hidden folders but `.sqlx`, and
/// those of package managers, are passed over, and so are links to folders.
pub(super) fn below(path: &Path, budget: &mut Budget) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    if fs::metadata(path)?.is_dir() {
        collect(path, 0, &mut found, budget)?;
    } else {
        budget.count()?;
        found.push(path.to_path_buf());
    }
    Ok(found)
}

fn collect(folder: &Path, depth: usize, found: &mut Vec<PathBuf>, budget: &mut Budget) -> io::Result<()> {
    if depth > DEEPEST {
        return Err(io::Error::other(format!("there are more than {DEEPEST} folders within folders")));
    }
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if folder == Path::new(".") { PathBuf::from(entry.file_name()) } else { entry.path() };
        if entry.file_type()?.is_dir() {
            let is_hidden = name.starts_with('.') && name != ".sqlx";
            if !is_hidden && !NOT_THE_APPS.contains(&name.as_str()) {
                collect(&path, depth + 1, found, budget)?;
            }
        } else if has_ending(&path, "sql") || is_of_sqlx(&name) {
            budget.count()?;
            found.push(path);
        }
    }
    Ok(())
}

fn is_of_sqlx(name: &str) -> bool {
    name == "sqlx-data.json" || name.starts_with("query-") && has_ending(Path::new(name), "json")
}

/// Whether the name has this ending, in any case.
pub(super) fn has_ending(path: &Path, ending: &str) -> bool {
    path.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending))
}
