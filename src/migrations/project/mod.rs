//! What a project's files say about its migrations and its driver. Files are read as text; no JavaScript is run.

pub(crate) mod code;
mod config;
mod crates;
mod modules;
mod packages;
mod prisma;
mod script;
pub(crate) mod sources;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

pub(crate) use self::config::read_script;
pub use self::config::{DrizzleConfig, Setting};
pub use self::packages::Package;
pub use self::prisma::PrismaConfig;
pub use self::sources::{ForeignKeys, Found, Import};
use super::plan::Decision;
use super::shown;
use crate::error::Error;

/// The evidence.
#[derive(Debug, Clone, Default)]
pub struct Project {
    /// The folder with the project's `package.json`, `Cargo.toml`, `drizzle.config.*`, … or `.git`; empty for the working directory.
    pub root: PathBuf,
    /// The drizzle configuration that decided; none where there is none or several disagree.
    pub config: Option<DrizzleConfig>,
    /// Every drizzle configuration for SQLite in the root, by name.
    pub configs: Vec<DrizzleConfig>,
    /// The packages that `package.json` declares, by name, with the versions that the lock file holds.
    pub packages: BTreeMap<String, Package>,
    /// The crates that `Cargo.toml` declares, by name, with the versions that `Cargo.lock` holds.
    pub crates: BTreeMap<String, Package>,
    /// The modules that `go.mod` requires, by path, with their versions.
    pub modules: BTreeMap<String, String>,
    /// Whether SQLite is compiled into the app, where `Cargo.lock` tells, and the evidence.
    pub bundled_sqlite: Option<(bool, String)>,
    /// What the project says about its Prisma migrations.
    pub prisma: Option<PrismaConfig>,
    /// Imports of `drizzle-orm/<driver>/migrator`: the strongest evidence for the driver that runs the migrations.
    pub migrator_imports: Vec<Import>,
    /// Imports of `drizzle-orm/<driver>`.
    pub driver_imports: Vec<Import>,
    /// Imports of a SQLite library itself, for example `bun:sqlite` or `@libsql/client`.
    pub library_imports: Vec<Import>,
    /// Places that set `PRAGMA foreign_keys`. A hint only: they need not run on the connection that migrates.
    pub foreign_keys: Vec<ForeignKeys>,
    /// `migrationsFolder: '…'` in a source file.
    pub migrate_folders: Vec<Found>,
    /// `migrationsTable: '…'` in a source file.
    pub migrate_tables: Vec<Found>,
    /// What a person must know about how the evidence was found, for example that the scan was cut short.
    pub notes: Vec<Decision>,
}

impl Project {
    /// Reads the project that holds the migrations folder, where one is given, or else `start`.
    ///
    /// # Errors
    /// When `start` is not a folder, or a `package.json` or `drizzle.config.json` cannot be read.
    pub(super) fn read(start: &Path, folder: Option<&Path>) -> Result<Self, Error> {
        if !or_dot(start).is_dir() {
            return Err(Error::usage(
                format!("looking for the project in `{}`", shown(start)),
                "there is no such folder",
            ));
        }
        let around_folder = folder.and_then(|folder| root_above(&above(folder), &has_project_file));
        let root = around_folder.or_else(|| root_above(start, &has_project_mark)).unwrap_or_else(|| start.into());
        let mut project = Self { root: shorter(&root), ..Self::default() };
        project.configs = config::read_all(&project.root, &mut project.notes)?;
        project.packages = packages::read(&project.root)?;
        let lock = crates::lock(&project.root);
        project.crates = crates::read(&project.root, lock.as_ref())?;
        project.modules = modules::read(&project.root)?;
        project.bundled_sqlite = lock.as_ref().and_then(crates::bundled_sqlite);
        project.prisma = prisma::read(&project.root);
        sources::scan(&mut project);
        Ok(project)
    }

    /// Reads the project that `folder` belongs to.
    ///
    /// # Errors
    /// When it is not a folder, or a file of a package manager cannot be read.
    pub fn around(folder: &Path) -> Result<Self, Error> {
        Self::read(folder, None)
    }

    /// Takes the drizzle configuration that belongs to this folder: the one that names it, else the only one.
    pub(super) fn settle_config(&mut self, folder: &Path) {
        let named = self.configs.iter().find(|config| config.names(folder));
        self.config = named.or(if self.configs.len() == 1 { self.configs.first() } else { None }).cloned();
    }
}

/// The nearest folder, from `start` upwards, for which `mark` holds; the path stays as relative as `start` is.
fn root_above(start: &Path, mark: &dyn Fn(&Path) -> bool) -> Option<PathBuf> {
    let depth = std::path::absolute(or_dot(start)).ok()?.components().count();
    let mut folder = start.to_path_buf();
    for _ in 0..depth {
        if mark(&folder) {
            return Some(folder);
        }
        folder = above(&folder);
    }
    None
}

/// The folder above, without making the path absolute: `a/b`, `a`, the empty path, `..`, `../..`.
fn above(folder: &Path) -> PathBuf {
    let folder = shorter(folder);
    match folder.components().next_back() {
        Some(std::path::Component::Normal(_)) => folder.parent().map(Path::to_path_buf).unwrap_or_default(),
        Some(std::path::Component::RootDir | std::path::Component::Prefix(_)) => folder,
        _ => folder.join(".."),
    }
}

/// `.` as the empty path, so that what is joined to it reads as a person writes it.
fn shorter(folder: &Path) -> PathBuf {
    folder.components().filter(|part| *part != std::path::Component::CurDir).collect()
}

/// The empty path as `.`, which the system understands.
pub(crate) fn or_dot(folder: &Path) -> &Path {
    if folder.as_os_str().is_empty() { Path::new(".") } else { folder }
}

/// Files of package managers and migration tools that lie in a project's own folder.
const MARKS: [&str; 14] = [
    "package.json",
    "Cargo.toml",
    "go.mod",
    "pyproject.toml",
    "manage.py",
    "alembic.ini",
    "Gemfile",
    "composer.json",
    "wrangler.toml",
    "wrangler.json",
    "wrangler.jsonc",
    "dbconfig.yml",
    "atlas.hcl",
    "deno.json",
];

fn has_project_file(folder: &Path) -> bool {
    MARKS.iter().any(|mark| folder.join(mark).is_file()) || !config::files(folder).is_empty()
}

fn has_project_mark(folder: &Path) -> bool {
    has_project_file(folder) || folder.join(".git").exists()
}

/// The names in a folder, in the order of their bytes; none where it cannot be read.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(or_dot(folder)).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
