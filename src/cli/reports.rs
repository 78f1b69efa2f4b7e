//! Report files, opened before the work starts so that a wrong path fails first.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use rehearse::error::{Doing as _, Error};
use rehearse::report::Format;
use rehearse::report::document::Document;
use rehearse::report::text::{Detail, Style};

/// How text in a file is laid out: complete, without colours.
const IN_A_FILE: Style = Style { colour: false, width: 100, detail: Detail::Full };

/// The open files.
#[derive(Default)]
pub struct Reports(Vec<(Format, PathBuf, File)>);

impl Reports {
    /// Opens and empties every file, but never the snapshot, what stands beside it, or any other SQLite database.
    pub fn open(wanted: &[(Format, PathBuf)], snapshot: &Path) -> Result<Self, Error> {
        let mut files = Vec::new();
        for (format, path) in wanted {
            files.push((*format, path.clone(), open(path, snapshot)?));
        }
        for (_, path, file) in &files {
            file.set_len(0).doing(|| format!("emptying the report `{}`", path.display()))?;
        }
        Ok(Self(files))
    }

    /// Writes the report to every file.
    pub fn write(self, document: &Document) -> Result<(), Error> {
        for (format, path, mut file) in self.0 {
            let doing = || format!("writing the report `{}`", path.display());
            file.write_all(format.render(document, &IN_A_FILE).as_bytes()).and_then(|()| file.flush()).doing(doing)?;
        }
        Ok(())
    }
}

fn open(path: &Path, snapshot: &Path) -> Result<File, Error> {
    let doing = || format!("creating the report `{}`", path.display());
    let beside = ["", "-wal", "-shm", "-journal"].iter().any(|suffix| {
        let mut name = snapshot.as_os_str().to_owned();
        name.push(suffix);
        path == Path::new(&name)
            || path.canonicalize().is_ok_and(|path| Path::new(&name).canonicalize().is_ok_and(|name| name == path))
    });
    if beside {
        return Err(Error::usage(doing(), "that is the snapshot or belongs to it")
            .hint("write the report to a file of its own"));
    }
    let mut file = OpenOptions::new()
        .read(path.is_file())
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|cause| Error::usage(doing(), cause).hint("the folder must exist and be writable"))?;
    let mut magic = [0; 16];
    if path.is_file() && file.read_exact(&mut magic).is_ok() && magic == *b"SQLite format 3\0" {
        return Err(
            Error::usage(doing(), "a report never replaces a database").hint("write the report to a file of its own")
        );
    }
    if path.is_file() {
        file.rewind().doing(doing)?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::Reports;
    use rehearse::report::Format;

    #[test]
    fn a_report_never_replaces_a_database() {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = folder.path().join("prod.db");
        let other = folder.path().join("other.db");
        let log = folder.path().join("prod.db-wal");
        std::fs::write(&snapshot, b"SQLite format 3\0rest").unwrap();
        std::fs::write(&other, b"SQLite format 3\0rest").unwrap();
        for path in [&snapshot, &other, &log] {
            assert!(Reports::open(&[(Format::Json, path.clone())], &snapshot).is_err(), "{}", path.display());
        }
        assert_eq!(std::fs::read(&snapshot).unwrap(), b"SQLite format 3\0rest");
        assert_eq!(std::fs::read(&other).unwrap(), b"SQLite format 3\0rest");
        assert!(!log.exists());
    }

    #[test]
    fn a_wrong_path_fails_before_any_file_is_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("old.json");
        std::fs::write(&old, "old").unwrap();
        let wanted = [(Format::Json, old.clone()), (Format::Text, folder.path().join("missing/report.txt"))];
        assert_eq!(Reports::open(&wanted, folder.path()).err().map(|error| error.exit_code()), Some(2));
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "old");
    }
}
