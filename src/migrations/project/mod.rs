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
use crate::repository::{self, above, or_dot, shorter, upwards};

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
        let around_folder = folder.and_then(|folder| upwards(&above(folder)).into_iter().find(|one| is_project(one)));
        let is_one = |folder: &PathBuf| is_project(folder) || repository::is_root(folder);
        let root = around_folder.or_else(|| upwards(start).into_iter().find(is_one)).unwrap_or_else(|| shorter(start));
        let mut project = Self { root, ..Self::default() };
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

fn is_project(folder: &Path) -> bool {
    MARKS.iter().any(|mark| folder.join(mark).is_file()) || !config::files(folder).is_empty()
}

/// The names in a folder, in the order of their bytes; none where it cannot be read.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(or_dot(folder)).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_above_the_repository_is_not_the_project() {
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path().join("repository");
        let migrations = repository.join("db/migrations");
        std::fs::create_dir_all(&migrations).unwrap();
        std::fs::write(folder.path().join("package.json"), "{}").unwrap();
        assert_eq!(Project::read(&repository, Some(&migrations)).unwrap().root, folder.path());
        std::fs::create_dir(repository.join(".git")).unwrap();
        assert_eq!(Project::read(&repository, Some(&migrations)).unwrap().root, repository);
        std::fs::write(repository.join("db/go.mod"), "").unwrap();
        assert_eq!(Project::read(&repository, Some(&migrations)).unwrap().root, repository.join("db"));
    }
}
