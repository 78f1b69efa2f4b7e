//! Report files, opened before the work starts so that a wrong path fails first.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rehearse::error::{Doing as _, Error};
use rehearse::many::Database;
use rehearse::report::Format;
use rehearse::report::document::Document;
use rehearse::report::fleet::Fleet;
use rehearse::report::text::{Detail, Style};
use rehearse::repository::or_dot;
use rehearse::snapshot::Workspace;

/// How text in a file is laid out: complete, without colours.
const IN_A_FILE: Style = Style { colour: false, width: 100, detail: Detail::Full };

/// The open files.
#[derive(Default)]
pub struct Reports(Vec<(Format, PathBuf, File)>);

impl Reports {
    /// Opens and empties every file, but never the snapshot, what stands beside it, or any other SQLite database, nor a file that
    /// something else goes to.
    pub fn open(wanted: &[(Format, PathBuf)], snapshot: &Path, kept_copy: Option<&Path>) -> Result<Self, Error> {
        let mut files = Vec::new();
        for (index, (format, path)) in wanted.iter().enumerate() {
            let doing = || creating(path);
            let is_taken = wanted[..index].iter().any(|(_, other)| is_same(other, path));
            if is_taken && !is_special(path) {
                return Err(Error::usage(doing(), "another report goes to that file")
                    .hint("write each report to a file of its own"));
            }
            if kept_copy.is_some_and(|copy| is_same(copy, path)) {
                return Err(
                    Error::usage(doing(), "the copy is kept there").hint("write the report to a file of its own")
                );
            }
            files.push((*format, path.clone(), open(path, snapshot)?));
        }
        for (_, path, file) in files.iter().filter(|(_, path, _)| !is_special(path)) {
            file.set_len(0).doing(|| format!("emptying the report `{}`", path.display()))?;
        }
        Ok(Self(files))
    }

    /// The same for a report on many databases, which are never written to either, nor what belongs to them.
    pub fn open_for_many(wanted: &[(Format, PathBuf)], databases: &[Database]) -> Result<Self, Error> {
        fleet_format(wanted.iter().map(|(format, _)| *format))?;
        let real: BTreeSet<PathBuf> =
            databases.iter().filter(|_| !wanted.is_empty()).filter_map(|database| place(&database.path)).collect();
        for (_, path) in wanted {
            let name = place(path).unwrap_or_else(|| path.clone()).to_string_lossy().into_owned();
            let mut names = ["", "-wal", "-shm", "-journal"].iter().filter_map(|suffix| name.strip_suffix(suffix));
            if names.any(|name| real.contains(Path::new(name))) {
                return Err(belongs_to_the_snapshot(path));
            }
        }
        // No file has the name of a folder's.
        Self::open(wanted, Path::new("/"), None)
    }

    /// The same for what is made of saved reports, of which none is written to.
    pub fn open_saved(wanted: &[(Format, PathBuf)], saved: &[PathBuf]) -> Result<Self, Error> {
        fleet_format(wanted.iter().map(|(format, _)| *format))?;
        if let Some((_, path)) = wanted.iter().find(|(_, path)| saved.iter().any(|saved| is_same(saved, path))) {
            return Err(Error::usage(creating(path), "that is one of the reports that are merged")
                .hint("write the report to a file of its own"));
        }
        Self::open(wanted, Path::new("/"), None)
    }

    /// Writes the report to every file.
    pub fn write(self, document: &Document) -> Result<(), Error> {
        self.write_each(|format| format.render(document, &IN_A_FILE))
    }

    /// Writes the report on many databases to every file.
    pub fn write_fleet(self, fleet: &Fleet) -> Result<(), Error> {
        self.write_each(|format| fleet.render(format, &IN_A_FILE))
    }

    fn write_each(self, render: impl Fn(Format) -> String) -> Result<(), Error> {
        for (format, path, file) in self.0 {
            let report = render(format);
            write(&path, file, report.as_bytes()).doing(|| format!("writing the report `{}`", path.display()))?;
        }
        Ok(())
    }
}

/// Half of a report may be read as a whole one: it is written elsewhere first, and takes the file's place at once.
fn write(path: &Path, mut file: File, report: &[u8]) -> io::Result<()> {
    if file.metadata()?.is_file() && replace(path, &file, report).is_ok() {
        return Ok(());
    }
    let written = file.write_all(report).and_then(|()| file.flush());
    if written.is_err() {
        let _ = file.set_len(0);
    }
    written
}

/// Fails where the file must stay the one that it is (a mount, another's, of several names), or its folder cannot be written.
fn replace(path: &Path, file: &File, report: &[u8]) -> io::Result<()> {
    let old = file.metadata()?;
    let real = path.canonicalize()?;
    let folder = real.parent().ok_or(ErrorKind::NotADirectory)?;
    // A rehearsal that is killed here leaves no more than this folder, which the next one removes.
    let workspace = Workspace::create(Some(folder)).map_err(io::Error::other)?;
    let complete = workspace.file("report");
    let mut new = File::create_new(&complete)?;
    let made = new.metadata()?;
    if old.nlink() != 1 || (old.uid(), old.gid()) != (made.uid(), made.gid()) {
        return Err(ErrorKind::Unsupported.into());
    }
    new.write_all(report)?;
    new.set_permissions(old.permissions())?;
    std::fs::rename(&complete, &real)
}

fn belongs_to_the_snapshot(path: &Path) -> Error {
    Error::usage(creating(path), "that is the snapshot or belongs to it").hint("write the report to a file of its own")
}

/// A report on many databases does not have every form.
pub fn fleet_format(wanted: impl IntoIterator<Item = Format>) -> Result<(), Error> {
    match wanted.into_iter().find(|format| !Fleet::FORMATS.contains(format)) {
        None => Ok(()),
        Some(format) => {
            let valid: Vec<&str> = Fleet::FORMATS.iter().map(|format| format.name()).collect();
            let cause = format!("a report on many databases has no form `{}`", format.name());
            Err(Error::usage("reading the arguments", cause)
                .hint(format!("valid: {}", valid.join(", ")))
                .hint("the report on one of them has every form: rehearse --snapshot FILE"))
        }
    }
}

fn creating(path: &Path) -> String {
    format!("creating the report `{}`", path.display())
}

/// The same path, or two paths of one file.
fn is_same(one: &Path, other: &Path) -> bool {
    one == other || one.canonicalize().is_ok_and(|one| other.canonicalize().is_ok_and(|other| one == other))
}

/// The real folder with the file's name in it, whether there is such a file or not.
pub fn place(path: &Path) -> Option<PathBuf> {
    let folder = or_dot(path.parent().unwrap_or(Path::new("")));
    Some(folder.canonicalize().ok()?.join(path.file_name()?))
}

/// The same name in the same folder, whether there is such a file or not.
fn is_same_place(one: &Path, other: &Path) -> bool {
    place(one).is_some_and(|one| place(other) == Some(one))
}

/// A file that is no report by its name: SQL, a database, code, or what a tool keeps beside them. An empty one would be read as such.
fn is_source(path: &Path) -> bool {
    const ENDINGS: [&str; 27] = [
        "sql", "db", "sqlite", "sqlite3", "ts", "mts", "cts", "tsx", "js", "mjs", "cjs", "jsx", "rs", "go", "py", "rb",
        "php", "ex", "exs", "prisma", "hcl", "toml", "yaml", "yml", "lock", "mod", "sum",
    ];
    const NAMES: [&str; 14] = [
        "package.json",
        "package-lock.json",
        "tsconfig.json",
        "deno.json",
        "wrangler.json",
        "_journal.json",
        "snapshot.json",
        "wrangler.jsonc",
        "deno.jsonc",
        "drizzle.config.json",
        "ormconfig.json",
        "composer.json",
        "dockerfile",
        ".env",
    ];
    let lower = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().to_ascii_lowercase());
    let name = lower(path.file_name()).unwrap_or_default();
    lower(path.extension()).is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
        || NAMES.contains(&name.as_str())
        || name.ends_with("_snapshot.json")
}

/// A pipe or a device: it has no length.
fn is_special(path: &Path) -> bool {
    path.exists() && !path.is_file()
}

/// The lock is held until the file is closed. A pipe and a device may have several writers.
fn is_locked_by_another(file: &File) -> bool {
    let is_file = file.metadata().is_ok_and(|metadata| metadata.is_file());
    is_file && matches!(file.try_lock(), Err(TryLockError::WouldBlock))
}

fn open(path: &Path, snapshot: &Path) -> Result<File, Error> {
    let doing = || creating(path);
    let real = snapshot.canonicalize().unwrap_or_else(|_| snapshot.to_owned());
    let beside = [snapshot, &real].into_iter().any(|snapshot| {
        ["", "-wal", "-shm", "-journal"].iter().any(|suffix| {
            let mut name = snapshot.as_os_str().to_owned();
            name.push(suffix);
            is_same(path, Path::new(&name)) || is_same_place(path, Path::new(&name))
        })
    });
    if beside {
        return Err(belongs_to_the_snapshot(path));
    }
    if path.is_dir() {
        return Err(Error::usage(doing(), "it is a folder").hint("name a file in it"));
    }
    let target = path.canonicalize();
    if !is_special(path) && is_source(target.as_deref().unwrap_or(path)) {
        return Err(Error::usage(doing(), "that is the name of a migration, a database or a file of the project")
            .hint("write the report to a file of its own"));
    }
    let mut file = OpenOptions::new()
        .read(path.is_file())
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|cause| Error::usage(doing(), cause).hint("the folder must exist and be writable"))?;
    if is_locked_by_another(&file) {
        return Err(Error::usage(doing(), "another rehearsal is about to write it")
            .hint("write each report to a file of its own"));
    }
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
            assert!(Reports::open(&[(Format::Json, path.clone())], &snapshot, None).is_err(), "{}", path.display());
        }
        assert_eq!(std::fs::read(&snapshot).unwrap(), b"SQLite format 3\0rest");
        assert_eq!(std::fs::read(&other).unwrap(), b"SQLite format 3\0rest");
        assert!(!log.exists());
    }

    #[test]
    fn a_report_never_replaces_a_file_of_the_project() {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = folder.path().join("prod.db");
        let names = ["0001_a.sql", "schema.TS", "package.json", "_journal.json", "0001_snapshot.json", "snapshot.json"];
        for name in names.into_iter().chain(["rehearse.yaml", "go.mod", "schema.prisma", "Dockerfile", ".env"]) {
            let path = folder.path().join(name);
            let refused = || Reports::open(&[(Format::Json, path.clone())], &snapshot, None).err();
            assert_eq!(refused().map(|error| error.exit_code()), Some(2), "{name}");
            assert!(!path.exists(), "{name}");
            std::fs::write(&path, "{}").unwrap();
            assert_eq!(refused().map(|error| error.exit_code()), Some(2), "{name}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}", "{name}");
        }
        let link = folder.path().join("link.json");
        std::os::unix::fs::symlink(folder.path().join("package.json"), &link).unwrap();
        assert!(Reports::open(&[(Format::Json, link)], &snapshot, None).is_err());
        let report = folder.path().join("report.json");
        std::fs::write(&report, "{}").unwrap();
        assert!(Reports::open(&[(Format::Json, report)], &snapshot, None).is_ok());
    }

    #[test]
    fn sidecars_of_a_link_and_of_what_it_points_to_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let (real, link) = (folder.path().join("real.db"), folder.path().join("link.db"));
        std::fs::write(&real, "").unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        for name in ["real.db-wal", "link.db-wal", "./link.db-journal"] {
            let wanted = [(Format::Json, folder.path().join(name))];
            assert!(Reports::open(&wanted, &link, None).is_err(), "{name}");
            assert!(!folder.path().join(name).exists());
        }
    }

    #[test]
    fn a_wrong_path_fails_before_any_file_is_emptied() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join("old.json");
        std::fs::write(&old, "old").unwrap();
        let wanted = [(Format::Json, old.clone()), (Format::Text, folder.path().join("missing/report.txt"))];
        assert_eq!(Reports::open(&wanted, folder.path(), None).err().map(|error| error.exit_code()), Some(2));
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "old");
        let twice = [(Format::Json, old.clone()), (Format::Text, folder.path().join("./old.json"))];
        assert!(Reports::open(&twice, folder.path(), None).is_err());
        assert!(Reports::open(&twice[..1], folder.path(), Some(&old)).is_err());
        assert_eq!(std::fs::read_to_string(&old).unwrap(), "old");
    }
}
