//! Where files of a deployment may lie: in the project's folder and in those above it, up to the repository's.

use std::path::{Path, PathBuf};

use crate::files::read_text;
use crate::migrations::project::sources::MOST_BYTES;
use crate::migrations::shown;
use crate::repository::{self, or_dot, upwards};

/// Folders above a project that are looked at.
const MOST_FOLDERS: usize = 16;

/// The project's folder and those above it, the nearest first.
#[derive(Debug, Clone)]
pub(super) struct Places(pub(super) Vec<PathBuf>);

impl Places {
    /// From the project's root to the repository's; the root alone where it is in none.
    pub(super) fn of(root: &Path) -> Self {
        let mut folders = upwards(root);
        let is_in_one = folders.last().is_some_and(|last| repository::is_root(last));
        folders.truncate(if is_in_one { MOST_FOLDERS } else { 1 });
        Self(folders)
    }

    /// The project's folder.
    pub(super) fn root(&self) -> &Path {
        &self.0[0]
    }

    /// The nearest file with one of these names; of one folder the first name counts.
    pub(super) fn find(&self, names: &[&str]) -> Option<PathBuf> {
        self.0.iter().flat_map(|folder| names.iter().map(|name| folder.join(name))).find(|path| path.is_file())
    }
}

/// The text of a file of a sensible size, or why there is none, as a clause.
pub(super) fn text(path: &Path) -> Result<String, String> {
    let reason = |why: String| format!("`{}` cannot be read: {why}", shown(path));
    if path.metadata().is_ok_and(|metadata| metadata.len() > MOST_BYTES) {
        return Err(reason(format!("it is larger than {} MiB", MOST_BYTES >> 20)));
    }
    read_text(path).map_err(|error| reason(error.to_string()))
}

/// A path without `.` and, as far as there is something before them, without `..`.
pub(super) fn clean(path: &Path) -> PathBuf {
    use std::path::Component::{CurDir, Normal, ParentDir, RootDir};
    let mut parts = PathBuf::new();
    for part in path.components() {
        match (part, parts.components().next_back()) {
            (CurDir, _) | (ParentDir, Some(RootDir)) => {}
            (ParentDir, Some(Normal(_))) => _ = parts.pop(),
            _ => parts.push(part),
        }
    }
    parts
}

/// The path without symbolic links; as it is where there is nothing.
pub(super) fn real(path: &Path) -> PathBuf {
    or_dot(path).canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// A path as it is seen from a folder; both are absolute.
pub(super) fn relative(folder: &Path, path: &Path) -> PathBuf {
    let shared = folder.components().zip(path.components()).take_while(|(one, other)| one == other).count();
    let up = folder.components().skip(shared).map(|_| std::path::Component::ParentDir);
    up.chain(path.components().skip(shared)).collect()
}

/// The line of a text on which this byte stands, from 1.
pub(super) fn line_at(text: &str, at: usize) -> u32 {
    let before = text.get(..at).unwrap_or(text);
    u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX).saturating_add(1)
}

/// The lines of a text, each with its number, those that end in a backslash with what follows.
pub(super) fn joined_lines(text: &str) -> Vec<(String, u32)> {
    let mut joined: Vec<(String, u32)> = Vec::new();
    let mut goes_on = false;
    for (line, number) in text.lines().zip(1..) {
        let part = line.strip_suffix('\\').unwrap_or(line);
        match joined.last_mut().filter(|_| goes_on) {
            Some((whole, _)) => {
                whole.push(' ');
                whole.push_str(part.trim_start());
            }
            None => joined.push((part.to_owned(), number)),
        }
        goes_on = line.ends_with('\\');
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_end_at_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path().join("repo/apps/web");
        std::fs::create_dir_all(&app).unwrap();
        assert_eq!(Places::of(&app).0, std::slice::from_ref(&app));
        std::fs::create_dir_all(folder.path().join("repo/.git")).unwrap();
        assert_eq!(Places::of(&app).0, [app, folder.path().join("repo/apps"), folder.path().join("repo")]);
    }

    #[test]
    fn paths_are_seen_from_a_folder() {
        for (folder, path, expected) in [
            ("/repo", "/repo/drizzle", "drizzle"),
            ("/repo/apps/api", "/repo/packages/db", "../../packages/db"),
            ("/a", "/a", ""),
        ] {
            assert_eq!(relative(Path::new(folder), Path::new(path)), Path::new(expected), "{folder} {path}");
        }
    }

    #[test]
    fn paths_are_made_plain() {
        for (given, plain) in [("/app/./data/../x.db", "/app/x.db"), ("../a", "../a"), ("/../a", "/a"), ("a/..", "")] {
            assert_eq!(clean(Path::new(given)), Path::new(plain), "{given}");
        }
    }
}
