//! Projects made on the spot, and the command run in them. Every run has a temporary folder of its own, in which nothing may be left, and
//! nothing may be changed beside the snapshot.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

/// A folder with `prod.db` and `migrations/`.
pub struct Project {
    folder: TempDir,
    temporary: TempDir,
}

/// What a run printed and how it ended.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    /// A snapshot made by this SQL, and no migrations yet.
    pub fn new(snapshot: &str) -> Self {
        let project = Self::empty();
        std::fs::create_dir(project.path("migrations")).unwrap();
        project.database("prod.db", snapshot);
        project
    }

    /// The app of `rehearse demo`.
    pub fn demo() -> Self {
        let project = Self::empty();
        let made = project.output(&["demo", "."]);
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        project
    }

    pub fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), temporary: tempfile::tempdir().unwrap() }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn temporary(&self) -> &Path {
        self.temporary.path()
    }

    /// Makes a database, or changes the one that is there.
    pub fn database(&self, name: &str, sql: &str) {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        let database = Connection::open_with_flags(self.path(name), flags).unwrap();
        database.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA synchronous = OFF").unwrap();
        database.execute_batch(sql).unwrap();
    }

    pub fn migration(self, name: &str, sql: &str) -> Self {
        std::fs::write(self.path("migrations").join(name), sql).unwrap();
        self
    }

    /// The command, not started yet, in a terminal that is none.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rehearse"));
        command.args(arguments).current_dir(self.folder.path()).env("TMPDIR", self.temporary.path());
        command.env("COLUMNS", "100");
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "FORCE_COLOR", "TERM", "RUST_BACKTRACE"] {
            command.env_remove(name);
        }
        command
    }

    fn output(&self, arguments: &[&str]) -> Ran {
        Ran::from(self.command(arguments).output().unwrap())
    }

    /// Runs to the end. The files of the project are what they were, but for those named in `new`; the temporary folder is empty.
    pub fn run_making(&self, arguments: &[&str], new: &[&str]) -> Ran {
        let before = self.files();
        let ran = self.output(arguments);
        let mut after = self.files();
        after.retain(|name, _| before.contains_key(name) || !new.contains(&name.as_str()));
        assert!(before == after, "{arguments:?} left {:?}, had {:?}", after.keys(), before.keys());
        self.assert_nothing_left();
        ran
    }

    /// Runs to the end and makes nothing.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_making(arguments, &[])
    }

    /// Rehearses the plain folder `migrations` under SQLite's own defaults.
    pub fn rehearse(&self, more: &[&str]) -> Ran {
        let main = ["--snapshot", "prod.db", "--migrations", "migrations", "--driver", "sqlite"];
        self.run(&[&main, more].concat())
    }

    /// The report document.
    pub fn document(&self, more: &[&str]) -> serde_json::Value {
        let ran = self.rehearse(&[&["--format", "json"], more].concat());
        serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}{}", ran.stdout, ran.stderr))
    }

    pub fn assert_nothing_left(&self) {
        let left: Vec<_> =
            std::fs::read_dir(self.temporary.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert!(left.is_empty(), "{left:?}");
    }

    /// Every file of the project with its content.
    pub fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.folder.path().to_path_buf()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    let name = path.strip_prefix(self.folder.path()).unwrap().display().to_string();
                    files.insert(name, std::fs::read(&path).unwrap_or_default());
                }
            }
        }
        files
    }
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

impl Ran {
    /// Everything that was printed.
    pub fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Nothing on stdout, this on stderr, this exit code.
    #[track_caller]
    pub fn refused(&self, code: i32, stderr: &str) {
        assert_eq!((self.code, self.stdout.as_str(), self.stderr.as_str()), (Some(code), "", stderr));
    }
}
