//! How files of a project are read. Whoever sends a change can make one of them a link to a file that is not his to read, or to one
//! that never ends: what is read is a regular file of a bounded size, and within the repository.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::repository;

/// SQLite itself takes no statement of more than 10^9 bytes; a migration that long would be held in memory several times.
const LARGEST: u64 = 256 << 20;

/// The bytes of a file.
///
/// # Errors
/// Where it cannot be read, is no regular file, is larger than 256 MiB, or lies outside of the repository to which its path belongs.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let metadata = fs::metadata(path)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::other("it is no regular file"));
    }
    if metadata.len() > LARGEST {
        return Err(io::Error::other(format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    if let Some(repository) = repository_of(path)? {
        let lies_at = path.canonicalize()?;
        if !lies_at.starts_with(repository.canonicalize()?) {
            let place = lies_at.display();
            return Err(io::Error::other(format!(
                "a link leads out of the repository, to `{place}`; put the file itself there"
            )));
        }
    }
    fs::read(path)
}

/// The text of a file, as Node.js' `readFileSync(file).toString()` gives it.
///
/// # Errors
/// Those of [`read`].
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    Ok(String::from_utf8_lossy(&read(path)?).into_owned())
}

/// The text of a file that must be UTF-8.
///
/// # Errors
/// Those of [`read`], and where it is not.
pub(crate) fn read_utf8(path: &Path) -> io::Result<String> {
    String::from_utf8(read(path)?).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

/// The folder of the repository in which the path is written, a link within it not followed into another one; none where it is in
/// none. What a person names with `..` is in the repository to which that leads.
fn repository_of(path: &Path) -> io::Result<Option<PathBuf>> {
    let path = std::path::absolute(path)?;
    let (mut folder, mut repository) = (PathBuf::new(), None);
    for part in path.parent().into_iter().flat_map(Path::components) {
        if part == Component::ParentDir {
            folder = folder.join("..").canonicalize()?;
            repository = repository::around(&folder);
            continue;
        }
        folder.push(part);
        if repository.is_some() && folder.is_symlink() {
            break;
        }
        if repository::is_root(&folder) {
            repository = Some(folder.clone());
        }
    }
    Ok(repository)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_may_not_lead_out_of_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("repository/.git")).unwrap();
        fs::create_dir_all(at("repository/migrations")).unwrap();
        fs::write(at("secret"), "token").unwrap();
        fs::write(at("repository/real.sql"), "SELECT 1").unwrap();
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, at(name)).unwrap();
        link("../real.sql", "repository/migrations/1.sql");
        link("../../secret", "repository/migrations/2.sql");
        link("../..", "repository/migrations/up");
        link("/dev/zero", "repository/migrations/3.sql");
        assert_eq!(read_text(&at("repository/migrations/1.sql")).unwrap(), "SELECT 1");
        fs::create_dir_all(at("another/.git")).unwrap();
        fs::write(at("another/1.sql"), "token").unwrap();
        link("../../another", "repository/migrations/elsewhere");
        for name in ["2.sql", "up/secret", "elsewhere/1.sql"] {
            let error = read_text(&at("repository/migrations").join(name)).unwrap_err().to_string();
            assert!(error.contains("out of the repository"), "{name}: {error}");
        }
        assert_eq!(read(&at("repository/migrations/3.sql")).unwrap_err().to_string(), "it is no regular file");
        // Who works without a repository has the files from somewhere else than a stranger's change.
        link("secret", "link.sql");
        assert_eq!(read_utf8(&at("link.sql")).unwrap(), "token");
    }

    #[test]
    fn what_is_named_from_another_repository_is_in_its_own() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["app/.git", "db/.git", "plain"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        let link = |to: &str, name: &str| std::os::unix::fs::symlink(to, at(name)).unwrap();
        for name in ["db/1.sql", "plain/1.sql", "secret"] {
            fs::write(at(name), name).unwrap();
        }
        link("../secret", "db/2.sql");
        link("../db", "app/migrations");
        for name in ["db/1.sql", "plain/1.sql", "secret"] {
            assert_eq!(read_text(&at("app/..").join(name)).unwrap(), name);
        }
        for name in
            ["app/../db/2.sql", "app/migrations/1.sql", "app/migrations/../secret", "db/../app/migrations/1.sql"]
        {
            let error = read_text(&at(name)).unwrap_err().to_string();
            assert!(error.contains("a link leads out of the repository"), "{name}: {error}");
        }
    }

    #[test]
    fn what_is_too_large_is_not_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(LARGEST + 1).unwrap();
        assert_eq!(read(file.path()).unwrap_err().to_string(), "it is larger than 256 MiB");
    }
}
