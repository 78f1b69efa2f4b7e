//! Where a project's repository begins. Whoever sends a change writes what lies in it: what its files name, and where its links
//! lead, stays in it, unless a person says otherwise.

use std::path::{Component, Path, PathBuf};

/// The folder and those above it, the nearest first, up to the repository's root, or the system's where it is in none. They stay as
/// relative as the folder is: `a/b`, `a`, the empty path, `..`.
#[must_use]
pub fn upwards(folder: &Path) -> Vec<PathBuf> {
    let depth = std::path::absolute(or_dot(folder)).map_or(0, |path| path.components().count());
    let mut folders = vec![shorter(folder)];
    while folders.len() < depth && !is_root(&folders[folders.len() - 1]) {
        folders.push(above(&folders[folders.len() - 1]));
    }
    folders
}

/// Whether a repository begins in this folder.
#[must_use]
pub fn is_root(folder: &Path) -> bool {
    folder.join(".git").exists()
}

/// Whether the path, which need not be there yet, lies outside of the repository that the folder is in, links followed; never where
/// it is in none.
#[must_use]
pub fn leads_out(path: &Path, folder: &Path) -> bool {
    around(folder).is_some_and(|repository| !is_within(path, &repository))
}

/// The root of the repository in which the folder really lies; none where it is in none.
#[must_use]
pub fn around(folder: &Path) -> Option<PathBuf> {
    let real = or_dot(folder).canonicalize().ok()?;
    real.ancestors().find(|folder| is_root(folder)).map(Path::to_path_buf)
}

/// Whether the path, which need not be there yet, lies in the folder, links followed.
#[must_use]
pub fn is_within(path: &Path, folder: &Path) -> bool {
    let Ok(folder) = or_dot(folder).canonicalize() else { return false };
    real(path).is_some_and(|real| real.starts_with(&folder))
}

/// Where a file lies, or would lie, links followed; none where a link leads nowhere, and where `..` follows what is not there.
#[must_use]
pub fn real(path: &Path) -> Option<PathBuf> {
    let path = or_dot(path);
    if path.is_symlink() || path.exists() {
        return path.canonicalize().ok();
    }
    Some(real(path.parent()?)?.join(path.file_name()?))
}

/// The folder above, without making the path absolute: `a/b`, `a`, the empty path, `..`, `../..`.
pub(crate) fn above(folder: &Path) -> PathBuf {
    let folder = shorter(folder);
    match folder.components().next_back() {
        Some(Component::Normal(_)) => folder.parent().map(Path::to_path_buf).unwrap_or_default(),
        Some(Component::RootDir | Component::Prefix(_)) => folder,
        _ => folder.join(".."),
    }
}

/// `.` as the empty path, so that what is joined to it reads as a person writes it.
pub(crate) fn shorter(folder: &Path) -> PathBuf {
    folder.components().filter(|part| *part != Component::CurDir).collect()
}

/// The empty path as `.`, which the system understands.
#[must_use]
pub fn or_dot(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_folders_end_at_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path().join("repo/apps/web");
        fs::create_dir_all(&app).unwrap();
        assert_eq!(upwards(&app).last().unwrap(), Path::new("/"));
        assert_eq!(upwards(Path::new(".")).first().unwrap(), Path::new(""));
        fs::create_dir_all(folder.path().join("repo/.git")).unwrap();
        assert_eq!(upwards(&app), [app, folder.path().join("repo/apps"), folder.path().join("repo")]);
    }

    #[test]
    fn what_lies_elsewhere_leads_out() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("repository/app")).unwrap();
        fs::create_dir_all(at("other")).unwrap();
        assert!(!leads_out(Path::new("/etc"), &at("repository/app")));
        fs::create_dir_all(at("repository/.git")).unwrap();
        std::os::unix::fs::symlink("../other", at("repository/link")).unwrap();
        std::os::unix::fs::symlink("nowhere", at("repository/nowhere-else")).unwrap();
        for (path, expected) in [
            ("../migrations", false),
            ("a/b/c", false),
            ("..", false),
            ("../..", true),
            ("../../other", true),
            ("../../other/not/there", true),
            ("../link", true),
            ("../link/not/there", true),
            ("../nowhere-else", true),
            ("not/there/../../../../other", true),
            ("/etc", true),
        ] {
            assert_eq!(leads_out(&at("repository/app").join(path), &at("repository/app")), expected, "{path}");
        }
    }
}
