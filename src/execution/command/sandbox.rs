//! A scratch copy of the project in which a command may write what it likes: schema dumps, generated code, caches.
//!
//! Files are copied (blocks are shared where the file system can). Installed packages are linked instead: of `node_modules` each
//! entry, so that what is added lies in the copy; virtual environments and `vendor` as a whole.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, symlink};
use std::path::{Path, PathBuf};

use crate::error::{Doing, Error};
use crate::migrations::shown;

/// A file that is bigger is not copied: it is no source of a migration.
const LARGEST: u64 = 256 << 20;

/// The copy of a project.
#[derive(Debug)]
pub struct Sandbox {
    /// The copied project.
    pub root: PathBuf,
    /// The folder in it in which the command runs.
    pub folder: PathBuf,
    /// Where the database is for the command.
    pub database: PathBuf,
    /// Files that are too big to be copied, as they are called in the project.
    pub left_out: Vec<PathBuf>,
}

/// Where the command finds the database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// At this path below the project.
    InProject(PathBuf),
    /// Outside of the project, under this name.
    Apart(&'static str),
}

impl Sandbox {
    /// Copies the project that has its root in `root` to a new folder below `below`. The command will run in the place of `folder`.
    /// What lies at `place` is not copied, nor are the files in `never`.
    ///
    /// # Errors
    /// When a file cannot be read or copied.
    pub fn of(root: &Path, folder: &Path, below: &Path, place: &Place, never: &[PathBuf]) -> Result<Self, Error> {
        let doing = || format!("copying the project in `{}`", shown(root));
        let (root, folder) = (root.canonicalize().doing(doing)?, folder.canonicalize().doing(doing)?);
        let beneath = folder.strip_prefix(&root).unwrap_or(Path::new(""));
        let copy = below.join("project");
        let database = match place {
            Place::InProject(path) => copy.join(path),
            Place::Apart(name) => below.join("database").join(name),
        };
        let mut copying = Copying { from: root.clone(), to: copy.clone(), never: never.to_vec(), left_out: Vec::new() };
        if let Place::InProject(path) = place {
            copying.never.extend(with_sidecars(&root.join(path)));
        }
        copying.never.extend(below.canonicalize());
        private_folder(below).and_then(|()| copying.folder(Path::new(""))).doing(doing)?;
        link_packages_above(&root, below).doing(doing)?;
        let parent = database.parent().unwrap_or(below);
        let placing = || {
            format!(
                "putting the copy of the database at `{}`",
                shown(database.strip_prefix(below).unwrap_or(&database))
            )
        };
        // Behind a link lies a folder of the person's own: looked at before a folder is made there.
        let there = parent.ancestors().find(|folder| folder.exists()).unwrap_or(below);
        let is_inside = there.canonicalize().doing(placing)?.starts_with(below.canonicalize().doing(placing)?);
        if !is_inside || database.is_symlink() {
            return Err(Error::usage(placing(), "it lies behind a link, which leads out of the copy of the project")
                .hint("name another place in the project: --copy-at data/app.db"));
        }
        private_folder(parent).doing(placing)?;
        Ok(Self { folder: copy.join(beneath), root: copy, database, left_out: copying.left_out })
    }
}

/// A database and the files that SQLite keeps beside it.
pub fn with_sidecars(database: &Path) -> impl Iterator<Item = PathBuf> {
    ["", "-wal", "-shm", "-journal"].into_iter().map(move |suffix| {
        let mut name = database.as_os_str().to_owned();
        name.push(suffix);
        name.into()
    })
}

struct Copying {
    from: PathBuf,
    to: PathBuf,
    /// Absolute paths that are left out.
    never: Vec<PathBuf>,
    left_out: Vec<PathBuf>,
}

impl Copying {
    fn folder(&mut self, path: &Path) -> io::Result<()> {
        private_folder(&self.to.join(path))?;
        for entry in fs::read_dir(self.from.join(path))? {
            let entry = entry?;
            let path = path.join(entry.file_name());
            if !self.never.contains(&self.from.join(&path)) {
                self.entry(&path, entry.file_type()?)?;
            }
        }
        Ok(())
    }

    fn entry(&mut self, path: &Path, kind: fs::FileType) -> io::Result<()> {
        let (from, to) = (self.from.join(path), self.to.join(path));
        match path.file_name().and_then(OsStr::to_str) {
            // The history of the project, and what a compiler made of it: nothing of it is needed to migrate.
            Some(".git" | "target" | "__pycache__") if kind.is_dir() => Ok(()),
            Some("node_modules") if from.is_dir() => link_entries(&from, &to),
            Some(".venv" | "venv" | "vendor") if kind.is_dir() => symlink(from, to),
            _ if kind.is_dir() => self.folder(path),
            _ if kind.is_symlink() => symlink(self.target(&from)?, to),
            _ if kind.is_file() && from.metadata()?.size() > LARGEST => {
                self.left_out.push(path.to_path_buf());
                Ok(())
            }
            _ if kind.is_file() => reflink_copy::reflink_or_copy(&from, &to)
                .and_then(|_| fs::set_permissions(&to, from.metadata()?.permissions())),
            // Sockets and pipes belong to running processes.
            _ => Ok(()),
        }
    }
}

impl Copying {
    /// Where a link of the copy leads: within the project as the link itself does, else to the file outside of it.
    fn target(&self, link: &Path) -> io::Result<PathBuf> {
        let target = fs::read_link(link)?;
        match link.canonicalize() {
            Ok(outside) if target.is_relative() && !outside.starts_with(&self.from) => Ok(outside),
            _ => Ok(target),
        }
    }
}

/// A folder whose entries are links to those of another one, as far as it has none of the name. Caches are left out: they would be
/// written. Folders that hold packages of several names are folders here too.
fn link_entries(from: &Path, to: &Path) -> io::Result<()> {
    private_folder(to)?;
    for entry in fs::read_dir(from)? {
        let name = entry?.file_name();
        let (from, to) = (from.join(&name), to.join(&name));
        let is_of_several = name == ".bin" || name.as_encoded_bytes().starts_with(b"@");
        if name == ".cache" || name == ".vite" {
            continue;
        }
        if is_of_several && from.is_dir() {
            link_entries(&from, &to)?;
        } else if to.symlink_metadata().is_err() {
            symlink(from, to)?;
        }
    }
    Ok(())
}

/// Packages that lie above the project, as in a workspace, are found above the copy too: of each name the nearest.
fn link_packages_above(root: &Path, below: &Path) -> io::Result<()> {
    let above = root.ancestors().skip(1).map(|folder| folder.join("node_modules"));
    above
        .filter(|packages| packages.is_dir())
        .try_for_each(|packages| link_entries(&packages, &below.join("node_modules")))
}

fn private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}
