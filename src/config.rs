//! `rehearse.yaml`: what a project says once for every rehearsal.
//!
//! It is looked for from the working directory upwards, as far as the repository's root. Unknown keys are errors, and so is a
//! file that somebody else has put there: it could allow a loss.

pub mod options;

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use crate::error::Error;
use crate::expectations::demands::Demands;
use crate::expectations::yaml;
use crate::findings::{Levels, Thresholds, Waiver};
use crate::many::Shard;
use crate::report::Format;
use crate::report::document::Configuration;
use crate::repository::upwards;
use crate::units::{Memory, Size, Span, hex};
use options::{Colour, DriverName, FailOn, ReportFiles, Samples, Switch, ToolName};

/// The name of the file.
pub const FILE: &str = "rehearse.yaml";
/// A name that other tools would take for the same.
const MISNAMED: &str = "rehearse.yml";

/// What a project says once for every rehearsal.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The file that it was read from; none where there is none.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// The SHA-256 of its text, in hexadecimal digits.
    #[serde(skip)]
    pub sha256: String,
    /// Levels other than the rules' own.
    #[serde(default)]
    pub rules: Levels,
    /// What is intended.
    #[serde(default)]
    pub allow: Vec<Waiver>,
    /// What must be so after the migrations.
    #[serde(default)]
    pub expect: Demands,
    /// From where on what the migrations take is worth a finding.
    #[serde(default)]
    pub thresholds: Thresholds,
    /// A copy of the production database.
    pub snapshot: Option<PathBuf>,
    /// A command that writes one to its standard output; it runs with `--trust-config` only.
    pub snapshot_command: Option<String>,
    /// A file that names many databases; outside of the repository with `--trust-config` only.
    pub snapshot_list: Option<PathBuf>,
    /// The part of many databases that is rehearsed, for example 3/16.
    pub shard: Option<Shard>,
    /// The folder of the migrations; outside of the repository with `--trust-config` only.
    pub migrations: Option<PathBuf>,
    /// What manages the migrations.
    pub tool: Option<ToolName>,
    /// The library that runs the migrations in production.
    pub driver: Option<DriverName>,
    /// Whether production enforces foreign keys when the migrations begin.
    pub foreign_keys: Option<Switch>,
    /// The table in which the tool records what was applied.
    pub ledger_table: Option<String>,
    /// The command that runs the migrations in production; it runs with `--trust-config` only.
    pub exec: Option<String>,
    /// Where the project's own configuration has the database, as a path in the project.
    pub copy_at: Option<PathBuf>,
    /// How long the migrations may take, or the command; more than an hour with `--trust-config` only.
    pub time_limit: Option<Span>,
    /// How much a copy may hold that the snapshot does not.
    pub max_growth: Option<Memory>,
    /// Whether migrations may reach other files; with `--trust-config` only.
    pub allow_unsafe_sql: Option<bool>,
    /// The files that reports go to; outside of this file's folder, and where tools keep what they run, with `--trust-config` only.
    #[serde(default)]
    pub report: ReportFiles,
    /// Whether every driver of the tool is tried.
    pub matrix: Option<bool>,
    /// Whether the migrations are undone again.
    pub down: Option<bool>,
    /// Whether the process dies at every moment and the tool runs again.
    pub faults: Option<bool>,
    /// The app's queries: files, folders, logs; outside of the repository with `--trust-config` only.
    #[serde(default)]
    pub queries: Vec<PathBuf>,
    /// Whether the migrations run once more on a plain file, to be timed.
    pub measure: Option<bool>,
    /// Whether they do so once more beside an app that reads and writes.
    pub live: Option<bool>,
    /// How much production's disk has free.
    pub disk_free: Option<Size>,
    /// The level from which on findings make the exit code 1.
    pub fail_on: Option<FailOn>,
    /// What is shown of the rows that findings are about; anything with `--trust-config` only.
    pub samples: Option<Samples>,
    /// How many rows are shown of a finding.
    #[serde(default, deserialize_with = "options::between::<_, 1, 1000>")]
    #[schemars(range(min = 1, max = 1000))]
    pub samples_limit: Option<u16>,
    /// Where the migrated copy is kept; with `--trust-config` only.
    pub keep_copy: Option<PathBuf>,
    /// The oldest snapshot that is worth a rehearsal.
    pub max_snapshot_age: Option<Span>,
    /// Whether every table is counted and checked, however big the database is.
    pub thorough: Option<bool>,
    /// How much memory comparing may take.
    pub max_memory: Option<Memory>,
    /// How many threads read.
    #[serde(default, deserialize_with = "options::between::<_, 1, 1024>")]
    #[schemars(range(min = 1, max = 1024))]
    pub threads: Option<u16>,
    /// Whether private copies are overwritten before they are removed.
    pub shred: Option<bool>,
    /// The form of the report on the standard output.
    pub format: Option<Format>,
    /// Whether only the verdict and one line per finding are told.
    pub quiet: Option<bool>,
    /// Whether every statement, table, column and note is told.
    pub verbose: Option<bool>,
    /// When to use colours.
    pub color: Option<Colour>,
}

impl Config {
    /// Reads the given file, else the nearest `rehearse.yaml` from `folder` upwards; empty where there is none.
    ///
    /// # Errors
    /// Where the given file is not there, or a file does not hold what it should: exit code 2.
    pub fn of(given: Option<&Path>, folder: &Path) -> Result<Self, Error> {
        match given {
            Some(path) => Self::read(path),
            None => find(folder)?.map_or_else(|| Ok(Self::default()), |path| Self::read(&path)),
        }
    }

    /// Reads this file.
    ///
    /// # Errors
    /// Names the file, the line, the column and what is allowed there.
    pub fn read(path: &Path) -> Result<Self, Error> {
        let text = crate::files::read_utf8(path)
            .map_err(|cause| Error::usage(format!("reading the configuration `{}`", path.display()), cause))?;
        Self::parse(&text, path)
    }

    /// From what it was read; none where there is none.
    #[must_use]
    pub fn origin(&self) -> Option<Configuration> {
        let file = self.file.as_ref()?.display().to_string();
        Some(Configuration { file, sha256: self.sha256.clone() })
    }

    /// Reads text that came from `path`.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        // A file of comments only is an empty one.
        let mut config: Self = yaml::parse::<Option<Self>>(text, path)?.unwrap_or_default();
        config.file = Some(path.to_owned());
        config.sha256 = hex(&Sha256::digest(text));
        let lines = entry_lines(text);
        for (index, waiver) in config.allow.iter_mut().enumerate() {
            waiver.written_in(&path.display().to_string(), lines.get(index).or(lines.last()).copied().unwrap_or(1));
        }
        Ok(config)
    }
}

/// The line, from 1, of every entry below `allow:`, by the dashes at one depth; of a list in one line only the key's own.
fn entry_lines(text: &str) -> Vec<u32> {
    let mut lines = Vec::new();
    let mut depth = None;
    let mut inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        let body = line.trim_start();
        let indent = line.len() - body.len();
        let dash = body == "-" || body.starts_with("- ");
        if indent == 0 && !dash && !body.is_empty() && !body.starts_with('#') {
            inside = body.replace(['"', '\''], "").starts_with("allow:");
            if inside && body.contains('[') {
                lines.push(number);
            }
        } else if inside && dash && depth.is_none_or(|depth| depth == indent) {
            depth = Some(indent);
            lines.push(number);
        }
    }
    lines
}

/// The nearest `rehearse.yaml` from `folder` upwards, not above the repository's root or the home folder.
///
/// # Errors
/// Where it is another person's, or there is a `rehearse.yml` instead.
fn find(folder: &Path) -> Result<Option<PathBuf>, Error> {
    let Ok(start) = folder.canonicalize() else { return Ok(None) };
    let home = std::env::var_os("HOME").and_then(|home| Path::new(&home).canonicalize().ok());
    let mut shown = folder.to_owned();
    for place in upwards(&start) {
        let path = |name: &str| {
            let path = shown.join(name);
            path.strip_prefix(".").map(Path::to_owned).unwrap_or(path)
        };
        // A link that leads nowhere is a mistake to be told, as a file that cannot be read is.
        if place.join(FILE).is_file() || place.join(FILE).is_symlink() {
            let found = path(FILE);
            return if is_trusted(&place.join(FILE), &start) { Ok(Some(found)) } else { Err(not_trusted(&found)) };
        }
        if place.join(MISNAMED).is_file() {
            let doing = format!("looking for `{FILE}`");
            let cause = format!("there is `{}`, which is not read", path(MISNAMED).display());
            return Err(Error::usage(doing, cause).hint(format!("name it `{FILE}`")));
        }
        if home.as_ref() == Some(&place) {
            break;
        }
        // `.` and its parent `./..` are shown as `..`; what a person gave stays as it was.
        shown = if shown == Path::new(".") { PathBuf::from("..") } else { shown.join("..") };
    }
    Ok(None)
}

/// Whether the file, and the link that it may be, belongs to whom this process runs as, to root, or to the owner of the folder
/// where the search began, who could have put one there as well. Who else can write to a folder above, such as `/tmp`, has no
/// say.
#[cfg(unix)]
fn is_trusted(file: &Path, start: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;

    let own = rustix::process::geteuid().as_raw();
    let here = std::fs::metadata(start).map(|start| start.uid()).ok();
    let trusted = |owner: u32| owner == own || owner == 0 || Some(owner) == here;
    [std::fs::symlink_metadata(file), std::fs::metadata(file)]
        .into_iter()
        .flatten()
        .all(|metadata| trusted(metadata.uid()))
}

#[cfg(not(unix))]
fn is_trusted(_: &Path, _: &Path) -> bool {
    true
}

fn not_trusted(found: &Path) -> Error {
    let shown = found.display();
    let error =
        Error::usage(format!("reading the configuration `{shown}`"), "it belongs to another user, and nobody named it")
            .hint(format!("if it is meant, name it: --config {shown}"));
    if found == Path::new(FILE) {
        return error;
    }
    error.hint(format!("if not, put a `{FILE}` into this folder; it may be empty"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_file_counts_as_far_as_the_root_of_the_repository() {
        let folder = tempfile::tempdir().unwrap();
        let (app, deep) = (folder.path().join("repo/app"), folder.path().join("repo/app/src"));
        std::fs::create_dir_all(&deep).unwrap();
        std::fs::write(folder.path().join(FILE), "rules: {}\n").unwrap();
        std::fs::create_dir(folder.path().join("repo/.git")).unwrap();
        let find = |folder: &Path| find(folder).unwrap();
        assert_eq!(find(&deep), None);
        std::fs::write(folder.path().join("repo").join(FILE), "rules: {}\n").unwrap();
        assert_eq!(find(&deep), Some(deep.join("../..").join(FILE)));
        std::fs::write(app.join(FILE), "rules: {}\n").unwrap();
        assert_eq!(find(&app), Some(app.join(FILE)));
    }

    #[test]
    fn a_link_that_leads_nowhere_and_another_ending_are_not_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let app = folder.path().join("app");
        std::fs::create_dir_all(&app).unwrap();
        std::fs::write(folder.path().join("rehearse.yml"), "rules: {}\n").unwrap();
        let error = Config::of(None, &app).unwrap_err();
        assert!(error.to_string().ends_with("rehearse.yml`, which is not read"), "{error}");
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("nowhere.yaml", app.join(FILE)).unwrap();
            let error = Config::of(None, &app).unwrap_err();
            assert!(error.to_string().contains("No such file"), "{error}");
        }
    }

    /// Only root can give a file away, as tests in a container do.
    #[cfg(unix)]
    #[test]
    fn a_file_of_another_user_above_is_refused_by_name() {
        use std::os::unix::fs::chown;
        const STRANGER: Option<u32> = Some(65_533);

        let folder = tempfile::tempdir().unwrap();
        let app = folder.path().join("app");
        std::fs::create_dir(&app).unwrap();
        let file = folder.path().join(FILE);
        std::fs::write(&file, "rules: {LS: note}\n").unwrap();
        assert!(Config::of(None, &app).unwrap().file.is_some());
        if chown(&file, STRANGER, None).is_err() {
            return;
        }
        let error = Config::of(None, &app).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("belongs to another user"), "{error}");
        assert!(error.hints()[0].contains("--config "), "{error:?}");
        assert!(Config::of(Some(&file), &app).unwrap().file.is_some());
        // A checkout of the build's user, in which root works: the whole folder is theirs.
        chown(&app, STRANGER, None).unwrap();
        assert!(Config::of(None, &app).unwrap().file.is_some());
        // A link to a file of one's own that a stranger put there.
        chown(&app, Some(0), None).unwrap();
        std::fs::rename(&file, folder.path().join("own.yaml")).unwrap();
        chown(folder.path().join("own.yaml"), Some(0), None).unwrap();
        std::os::unix::fs::symlink("own.yaml", &file).unwrap();
        assert!(Config::of(None, &app).unwrap().file.is_some());
        std::os::unix::fs::lchown(&file, STRANGER, None).unwrap();
        assert!(Config::of(None, &app).is_err());
    }

    #[test]
    fn an_empty_file_says_nothing_and_a_missing_one_is_an_error() {
        let path = Path::new("rehearse.yaml");
        assert_eq!(Config::parse("# nothing yet\n", path).unwrap().file.as_deref(), Some(path));
        assert!(Config::parse("", path).is_ok());
        let missing = Config::of(Some(Path::new("/nowhere/rehearse.yaml")), Path::new(".")).unwrap_err();
        assert_eq!(missing.exit_code(), 2);
    }

    #[test]
    fn every_entry_is_found_on_its_line() {
        let block = "rules: {}\n# allow: none\nallow:\n# the first\n- rule: LS104\n  because: >-\n    - no\n    entry\n-\n  rule: LS107\n";
        assert_eq!(entry_lines(block), [5, 9]);
        let deep =
            "allow:\r\n  - { rule: LS104, because: x }\r\n\r\n  - { rule: LS107, because: x }\r\nrules:\r\n  - no\r\n";
        assert_eq!(entry_lines(deep), [2, 4]);
        assert_eq!(entry_lines("'allow': [{ rule: LS104, because: x }]\n"), [1]);
    }

    #[test]
    fn an_unknown_key_or_rule_is_an_error_with_its_line() {
        for (text, wanted) in [
            ("rules: {}\nruels: {}\n", ":2:1`: unknown key `ruels`"),
            ("rules:\n  LS104: warning\n  LS999: note\n", ":3:3`"),
            ("rules: {LS104: [note]}\n", ":1:16`: expected a word in `rules.LS104`, found a list"),
            ("rules: {LS104: }\n", ":1:16`: the word is missing in `rules.LS104`"),
        ] {
            let error = Config::parse(text, Path::new("rehearse.yaml")).unwrap_err();
            assert!(error.to_string().contains(&format!("rehearse.yaml{wanted}")), "{error}");
            assert_eq!(error.exit_code(), 2);
        }
    }
}
