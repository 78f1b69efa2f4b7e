//! A scenario: a database as SQL, migrations, options, and what a rehearsal must find. A test and an example in one.
//!
//! The format is described in `scenarios/README.md`; unknown keys are refused.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::demands::{Demands, Query};
use super::quantity::Quantity;
use super::{database, yaml};
use crate::error::{Doing, Error};
use crate::findings::catalogue;
use crate::findings::rule::Level;
use crate::migrations::tools;
use crate::units::{Memory, Size, Span};

/// The journal time of the first migration where the scenario gives none: 2025-01-01T00:00:00Z in milliseconds.
const FIRST_WHEN: i64 = 1_735_689_600_000;
/// Between two migrations without a time of their own: one day in milliseconds.
const WHEN_STEP: i64 = 86_400_000;

/// A scenario file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of the command")]
pub struct Scenario {
    /// What it shows, in a sentence.
    #[serde(default)]
    pub about: Option<String>,
    /// Which migration tool's folder is made.
    #[serde(default)]
    #[schemars(schema_with = "tool_names")]
    pub tool: Tool,
    /// Which of drizzle's two layouts.
    #[serde(default)]
    pub layout: Layout,
    /// The driver that is named to rehearse: better-sqlite3 for drizzle where nothing is said, none for a plain folder; `unknown`
    /// names none, and nothing in the project tells.
    #[serde(default)]
    pub driver: Option<String>,
    /// As `--foreign-keys`.
    #[serde(default)]
    pub foreign_keys: Option<Switch>,
    /// As `--table`: the ledger's name where it is not the tool's own.
    #[serde(default)]
    pub table: Option<String>,
    /// As `--fail-on`.
    #[serde(default = "default_fail_on")]
    pub fail_on: Level,
    /// As `--max-snapshot-age`.
    #[serde(default)]
    pub max_snapshot_age: Option<Span>,
    /// The text of the project's `rehearse.yaml`; there is none where nothing is said.
    #[serde(default)]
    pub config: Option<String>,
    /// SQL that makes the production database. It runs with foreign keys off.
    #[serde(default)]
    pub snapshot: String,
    /// In what state the file was taken.
    #[serde(default)]
    pub snapshot_state: SnapshotState,
    /// The migrations, in the tool's order.
    #[serde(default)]
    pub migrations: Vec<MigrationFile>,
    /// More of the project's files, by their paths; of tools other than drizzle and sql its migrations too.
    #[serde(default)]
    pub files: BTreeMap<String, String>,
    /// As `--queries`: files of the app's queries, by their paths in the project.
    #[serde(default)]
    pub queries: BTreeMap<String, String>,
    /// As `rehearse doctor`: the checklist in the place of a rehearsal.
    #[serde(default)]
    pub doctor: bool,
    /// As `--down`.
    #[serde(default)]
    pub down: bool,
    /// As `--faults`.
    #[serde(default)]
    pub faults: bool,
    /// As `--exec`: the command that runs the migrations.
    #[serde(default)]
    pub exec: Option<String>,
    /// As `--time-limit`.
    #[serde(default)]
    pub time_limit: Option<Span>,
    /// As `--max-growth`.
    #[serde(default)]
    pub max_growth: Option<Memory>,
    /// As `--disk-free`.
    #[serde(default)]
    pub disk_free: Option<Size>,
    /// As `--allow-unsafe-sql`.
    #[serde(default)]
    pub allow_unsafe_sql: bool,
    /// In `quiet/`: the rules that nearly fire here.
    #[serde(default)]
    pub nearly: Vec<RuleCode>,
    /// What must come out.
    pub expect: Expect,
}

/// Which migration tool's folder is made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Tool {
    /// Drizzle ORM.
    #[default]
    Drizzle,
    /// A plain folder of SQL files.
    Sql,
    /// Another tool that rehearse knows: its files stand in `files`, its ledger in `snapshot`.
    Other(&'static str),
}

impl<'de> Deserialize<'de> for Tool {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let unknown = |_| de::Error::custom(format!("`{name}` is no tool; valid: {}", names_of_tools().join(", ")));
        Ok(match tools::named(&name).map_err(unknown)?.name {
            "drizzle" => Self::Drizzle,
            "sql" => Self::Sql,
            other => Self::Other(other),
        })
    }
}

fn names_of_tools() -> Vec<&'static str> {
    tools::TOOLS.iter().map(|tool| tool.name).collect()
}

fn tool_names(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "string", "enum": names_of_tools(), "default": "drizzle" })
}

impl Tool {
    /// As `--tool` has it.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Drizzle => "drizzle",
            Self::Sql => "sql",
            Self::Other(name) => name,
        }
    }
}

/// Which of drizzle's two layouts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// `0001_name.sql` and `meta/_journal.json`.
    #[default]
    V0,
    /// `20250101000000_name/migration.sql`.
    V1,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// In what state the snapshot was taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SnapshotState {
    /// The journal mode in the file's header.
    #[serde(default)]
    pub journal_mode: JournalMode,
    /// Whether the write-ahead log lies beside it.
    #[serde(default)]
    pub wal: Wal,
    /// Whether a rollback journal lies beside it.
    #[serde(default)]
    pub journal: Option<Journal>,
    /// The last transaction: in WAL mode it is only in the log; with a hot journal it is the one that has to be undone.
    #[serde(default)]
    pub last_transaction: String,
    /// How long ago the file was last written.
    #[serde(default)]
    pub age: Option<Span>,
    /// What is wrong with the file.
    #[serde(default)]
    pub file: Option<Damage>,
    /// Which ledger the database holds; the layout's own where nothing is said.
    #[serde(default)]
    pub ledger: Option<Ledger>,
    /// SQL that another process runs on the snapshot while the migrations are rehearsed.
    #[serde(default)]
    pub meanwhile: Option<String>,
}

/// The journal mode in the file's header.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum JournalMode {
    /// A rollback journal.
    #[default]
    Delete,
    /// A write-ahead log.
    Wal,
}

/// Whether the write-ahead log lies beside the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Wal {
    /// It does.
    #[default]
    Included,
    /// It was left behind.
    Omitted,
}

/// Whether a rollback journal lies beside the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Journal {
    /// One that undoes `last_transaction`.
    Hot,
    /// One whose transaction is over: `journal_mode = persist` leaves it with a header of zeros.
    Finished,
}

/// What is wrong with the snapshot file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Damage {
    /// It is a text file.
    Text,
    /// It has no bytes.
    Empty,
    /// Its second half is missing.
    Truncated,
    /// No byte of it looks like SQLite.
    Encrypted,
    /// Its second page is overwritten.
    CorruptPage,
    /// There is no such file.
    Missing,
    /// It is a folder.
    Folder,
}

/// Which ledger the database holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ledger {
    /// None.
    None,
    /// Drizzle's table with three columns.
    V0,
    /// Drizzle's table with five columns.
    V1,
    /// `PRAGMA user_version`.
    UserVersion,
}

/// One migration.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MigrationFile {
    /// Its name: drizzle v0's journal tag, the part of v1's folder name after the time, a plain file's name without `.sql`.
    pub name: String,
    /// Whether the ledger holds it.
    #[serde(default)]
    pub applied: bool,
    /// What was applied, where the file was edited since.
    #[serde(default)]
    pub applied_sql: Option<String>,
    /// Journal time in milliseconds; a day after the one before it where nothing is said.
    #[serde(default)]
    pub when: Option<i64>,
    /// Whether the file is there.
    #[serde(default)]
    pub file: Presence,
    /// The file's text.
    #[serde(default)]
    pub sql: String,
}

/// Whether a migration's file is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// It is.
    #[default]
    Present,
    /// It is not, but the journal still names it.
    Missing,
    /// Neither the file nor its journal entry is.
    Removed,
}

/// What must come out.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expect {
    /// `passed`, `findings` or `failed`.
    #[serde(default)]
    pub verdict: Option<Verdict>,
    /// The rule of the error where no rehearsal is possible.
    #[serde(default)]
    pub error: Option<RuleCode>,
    /// The complete list of findings, in any order.
    #[serde(default)]
    pub findings: Vec<ExpectedFinding>,
    /// The complete list of those that a waiver covers; they are not among `findings`.
    #[serde(default)]
    pub waived: Vec<ExpectedFinding>,
    /// Tables after the migrations: a number of rows, `gone`, `unchanged` and so on; tables that are not named are not looked at.
    #[serde(default)]
    pub tables: BTreeMap<String, Quantity>,
    /// Queries whose result must stay the same, or be a given one.
    #[serde(default)]
    pub queries: Vec<Query>,
    /// Migrations that ran; not looked at where nothing is said. So the three below.
    #[serde(default)]
    pub pending: Option<Vec<String>>,
    /// Migrations that never run.
    #[serde(default)]
    pub skipped: Option<Vec<String>>,
    /// Migrations whose file is no longer what was applied.
    #[serde(default)]
    pub edited: Option<Vec<String>>,
    /// Migrations without a file.
    #[serde(default)]
    pub missing: Option<Vec<String>>,
}

/// The outcome in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing at or above the level that fails.
    Passed,
    /// Something at or above the level that fails.
    Findings,
    /// A migration failed on the copy.
    Failed,
}

impl Expect {
    /// What is demanded of tables and queries.
    #[must_use]
    pub fn demands(&self) -> Demands {
        Demands { tables: self.tables.clone(), queries: self.queries.clone() }
    }
}

impl Verdict {
    /// `passed`, `findings` or `failed`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Findings => "findings",
            Self::Failed => "failed",
        }
    }
}

/// The code of a rule; read from its code or its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleCode(pub &'static str);

/// A finding that must be there. What is not said is not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpectedFinding {
    /// The rule's code.
    pub rule: RuleCode,
    /// The short form's target: `users`, `users.email`, an object's or a migration's name.
    pub target: Option<String>,
    /// The table.
    pub table: Option<String>,
    /// The column.
    pub column: Option<String>,
    /// The index, trigger, view, file or driver.
    pub object: Option<String>,
    /// The migration.
    pub migration: Option<String>,
    /// Line of the statement.
    pub line: Option<u32>,
    /// Rows or values.
    pub rows: Option<u64>,
    /// How grave it is.
    pub level: Option<Level>,
}

fn default_fail_on() -> Level {
    Level::Warning
}

/// A scenario as files.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The snapshot file.
    pub snapshot: PathBuf,
    /// The project's folder, with a package.json.
    pub project: PathBuf,
    /// The migrations folder in it; none where it is to be found.
    pub folder: Option<PathBuf>,
    /// What the tool calls each migration (its tag, its folder, its hash), to what the scenario calls it.
    pub names: BTreeMap<String, String>,
}

impl Scenario {
    /// Reads a scenario file.
    ///
    /// # Errors
    /// Names the file, the line, the column and what is allowed there.
    pub fn read(path: &Path) -> Result<Self, Error> {
        Self::valid(yaml::read(path)?, path)
    }

    /// Reads text that came from `path`.
    pub(crate) fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        Self::valid(yaml::parse(text, path)?, path)
    }

    fn valid(scenario: Self, path: &Path) -> Result<Self, Error> {
        scenario.validate().map_err(|cause| Error::usage(format!("reading `{}`", path.display()), cause))?;
        Ok(scenario)
    }

    /// What the shape alone does not say.
    fn validate(&self) -> Result<(), &'static str> {
        let state = &self.snapshot_state;
        let wal = state.journal_mode == JournalMode::Wal;
        let last = !state.last_transaction.is_empty();
        match (self.expect.verdict, self.expect.error) {
            (None, None) => {
                Err("`expect` needs `verdict: passed|findings|failed`, or `error: CODE` where no rehearsal is possible")
            }
            (Some(_), Some(_)) => Err("`expect` has `verdict` and `error`; only one of them can be right"),
            _ if self.tool != Tool::Drizzle && self.layout == Layout::V1 => {
                Err("`layout` is drizzle's; other tools have none")
            }
            _ if matches!(self.tool, Tool::Other(_)) && !self.migrations.is_empty() => {
                Err("`migrations` is for `tool: drizzle` and `tool: sql`; those of every other tool stand in `files`")
            }
            _ if !wal && state.wal == Wal::Omitted => Err("`wal: omitted` needs `journal_mode: wal`"),
            _ if state.journal == Some(Journal::Hot) && (wal || !last) => {
                Err("`journal: hot` needs `journal_mode: delete` and a `last_transaction` to undo")
            }
            _ if last && !wal && state.journal != Some(Journal::Hot) => {
                Err("`last_transaction` needs `journal_mode: wal` or `journal: hot`")
            }
            _ => Ok(()),
        }
    }

    /// The same without what is not applied: nothing is pending in it.
    #[must_use]
    pub fn without_pending(&self) -> Self {
        let mut quiet = self.clone();
        quiet.migrations.retain(|migration| migration.applied);
        quiet
    }

    /// The driver to name to rehearse; none where nothing may tell.
    #[must_use]
    pub fn driver(&self) -> Option<&str> {
        let default = match self.tool {
            Tool::Drizzle => "better-sqlite3",
            Tool::Sql | Tool::Other(_) => "unknown",
        };
        Some(self.driver.as_deref().unwrap_or(default)).filter(|driver| *driver != "unknown")
    }

    /// Which ledger the database holds.
    #[must_use]
    pub fn ledger(&self) -> Ledger {
        self.snapshot_state.ledger.unwrap_or(match (&self.tool, self.layout) {
            (Tool::Sql, _) => Ledger::UserVersion,
            (Tool::Other(_), _) => Ledger::None,
            (Tool::Drizzle, Layout::V0) => Ledger::V0,
            (Tool::Drizzle, Layout::V1) => Ledger::V1,
        })
    }

    /// The journal time of every migration in milliseconds.
    #[must_use]
    pub fn times(&self) -> Vec<i64> {
        let mut next = FIRST_WHEN;
        self.migrations
            .iter()
            .map(|migration| {
                let when = migration.when.unwrap_or(next);
                next = when + WHEN_STEP;
                when
            })
            .collect()
    }

    /// What the tool calls every migration.
    #[must_use]
    pub fn tool_names(&self) -> Vec<String> {
        self.migrations.iter().zip(self.times()).map(|(migration, when)| self.tool_name(migration, when)).collect()
    }

    fn tool_name(&self, migration: &MigrationFile, when: i64) -> String {
        match (&self.tool, self.layout) {
            (Tool::Drizzle, Layout::V0) => migration.name.clone(),
            (Tool::Drizzle, Layout::V1) => format!("{}_{}", database::folder_time(when), migration.name),
            (Tool::Sql | Tool::Other(_), _) => format!("{}.sql", migration.name),
        }
    }

    /// Writes the snapshot and the project below `dir`.
    ///
    /// # Errors
    /// Where the SQL of the snapshot fails or a file cannot be written.
    pub fn prepare(&self, dir: &Path) -> Result<Prepared, Error> {
        let project = dir.join("project");
        let folder = match self.tool {
            Tool::Drizzle => Some(project.join("drizzle")),
            Tool::Sql => Some(project.join("migrations")),
            Tool::Other(_) => None,
        };
        let snapshot = dir.join("snapshot").join("prod.db");
        create_folder(&project)?;
        create_folder(&dir.join("snapshot"))?;
        self.write_project(&project)?;
        if let Some(folder) = &folder {
            create_folder(folder)?;
            self.write_migrations(folder)?;
        }
        database::write(self, &snapshot)?;
        Ok(Prepared { snapshot, project, folder, names: self.names() })
    }

    fn names(&self) -> BTreeMap<String, String> {
        let mut names = BTreeMap::new();
        for (migration, called) in self.migrations.iter().zip(self.tool_names()) {
            names.insert(called, migration.name.clone());
            names.insert(database::checksum(migration.applied_text()), migration.name.clone());
        }
        names
    }

    fn write_project(&self, project: &Path) -> Result<(), Error> {
        if let Some(config) = &self.config {
            write_file(&project.join("rehearse.yaml"), config)?;
        }
        for (name, text) in self.files.iter().chain(&self.queries) {
            let file = project.join(name);
            create_folder(file.parent().unwrap_or(project))?;
            write_file(&file, text)?;
        }
        if self.tool != Tool::Drizzle {
            return Ok(());
        }
        let drizzle = match self.layout {
            Layout::V0 => "0.45.4",
            Layout::V1 => "1.0.0-rc.5",
        };
        let mut dependencies = BTreeMap::from([("drizzle-orm", drizzle)]);
        dependencies.extend(self.driver().and_then(npm_package));
        let package = serde_json::json!({ "name": "shop", "private": true, "dependencies": dependencies });
        if !self.files.contains_key("package.json") {
            write_file(&project.join("package.json"), &format!("{package:#}\n"))?;
        }
        write_file(
            &project.join("drizzle.config.ts"),
            "import { defineConfig } from 'drizzle-kit';\n\n\
             export default defineConfig({ dialect: 'sqlite', schema: './schema.ts', out: './drizzle' });\n",
        )
    }

    fn write_migrations(&self, folder: &Path) -> Result<(), Error> {
        for (migration, called) in self.migrations.iter().zip(self.tool_names()) {
            if migration.file != Presence::Present {
                continue;
            }
            match (&self.tool, self.layout) {
                (Tool::Drizzle, Layout::V0) => write_file(&folder.join(format!("{called}.sql")), &migration.sql)?,
                (Tool::Drizzle, Layout::V1) => {
                    let own = folder.join(called);
                    create_folder(&own)?;
                    write_file(&own.join("migration.sql"), &migration.sql)?;
                }
                (Tool::Sql | Tool::Other(_), _) => write_file(&folder.join(called), &migration.sql)?,
            }
        }
        if (&self.tool, self.layout) == (&Tool::Drizzle, Layout::V0) {
            create_folder(&folder.join("meta"))?;
            write_file(&folder.join("meta").join("_journal.json"), &self.journal())?;
        }
        Ok(())
    }

    /// Drizzle's `meta/_journal.json`.
    fn journal(&self) -> String {
        let listed =
            self.migrations.iter().zip(self.times()).filter(|(migration, _)| migration.file != Presence::Removed);
        let entries: Vec<_> = listed
            .enumerate()
            .map(|(idx, (migration, when))| {
                serde_json::json!({ "idx": idx, "version": "6", "when": when, "tag": migration.name, "breakpoints": true })
            })
            .collect();
        let journal = serde_json::json!({ "version": "7", "dialect": "sqlite", "entries": entries });
        format!("{journal:#}\n")
    }
}

impl MigrationFile {
    /// What ran when it was applied.
    #[must_use]
    pub fn applied_text(&self) -> &str {
        self.applied_sql.as_deref().unwrap_or(&self.sql)
    }
}

/// The npm package that a project with this driver depends on, and its version.
fn npm_package(driver: &str) -> Option<(&'static str, &'static str)> {
    match driver {
        "better-sqlite3" => Some(("better-sqlite3", "12.11.1")),
        "libsql" => Some(("@libsql/client", "0.18.0")),
        "sql-js" => Some(("sql.js", "1.16.0")),
        "expo-sqlite" => Some(("expo-sqlite", "57.0.3")),
        "op-sqlite" => Some(("@op-engineering/op-sqlite", "18.2.5")),
        "tursodatabase" => Some(("@tursodatabase/database", "0.7.2")),
        _ => None,
    }
}

fn create_folder(path: &Path) -> Result<(), Error> {
    std::fs::create_dir_all(path).doing(|| format!("creating the folder `{}`", path.display()))
}

fn write_file(path: &Path, text: &str) -> Result<(), Error> {
    std::fs::write(path, text).doing(|| format!("writing `{}`", path.display()))
}

impl RuleCode {
    fn of<E: de::Error>(text: &str) -> Result<Self, E> {
        let refusal = || {
            E::custom(format!(
                "`{text}` is no rule; valid: a code such as LS102 or a name such as cascade-deleted-rows"
            ))
        };
        catalogue::find(text).map(|rule| Self(rule.code)).ok_or_else(refusal)
    }
}

impl<'de> Deserialize<'de> for RuleCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::of(&String::deserialize(deserializer)?)
    }
}

impl<'de> Deserialize<'de> for ExpectedFinding {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FindingForm)
    }
}

/// `LS105`, `LS105 users`, `LS105 users: 3`, or a map with the key `rule`.
struct FindingForm;

impl<'de> Visitor<'de> for FindingForm {
    type Value = ExpectedFinding;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("`CODE`, `CODE table`, `CODE table.column: rows`, or a map with `rule`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ExpectedFinding, E> {
        short_form(text, None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ExpectedFinding, A::Error> {
        let Some(first) = map.next_key::<String>()? else { return Err(de::Error::invalid_length(0, &self)) };
        if !first.starts_with(|letter: char| letter.is_ascii_uppercase()) {
            return long_form(first, map);
        }
        let rows = map.next_value()?;
        match map.next_key::<String>()? {
            None => short_form(&first, Some(rows)),
            Some(next) => Err(de::Error::custom(format!(
                "`{next}` after `{first}`: every finding begins with `- ` on its own line"
            ))),
        }
    }
}

fn short_form<E: de::Error>(text: &str, rows: Option<u64>) -> Result<ExpectedFinding, E> {
    let (code, target) = match text.split_once(' ') {
        Some((code, target)) => (code, Some(target.trim().to_owned())),
        None => (text, None),
    };
    Ok(ExpectedFinding { target, rows, ..ExpectedFinding::any(RuleCode::of(code)?) })
}

const FINDING_KEYS: &[&str] = &["rule", "table", "column", "object", "migration", "line", "rows", "level"];

fn long_form<'de, A: MapAccess<'de>>(first: String, mut map: A) -> Result<ExpectedFinding, A::Error> {
    let mut rule = None;
    let mut finding = ExpectedFinding::any(RuleCode(""));
    let mut key = Some(first);
    while let Some(name) = key {
        match name.as_str() {
            "rule" => rule = Some(map.next_value()?),
            "table" => finding.table = map.next_value()?,
            "column" => finding.column = map.next_value()?,
            "object" => finding.object = map.next_value()?,
            "migration" => finding.migration = map.next_value()?,
            "line" => finding.line = map.next_value()?,
            "rows" => finding.rows = map.next_value()?,
            "level" => finding.level = map.next_value()?,
            other => return Err(de::Error::unknown_field(other, FINDING_KEYS)),
        }
        key = map.next_key()?;
    }
    finding.rule = rule.ok_or_else(|| de::Error::missing_field("rule"))?;
    Ok(finding)
}

impl ExpectedFinding {
    /// Any finding of this rule.
    #[must_use]
    pub fn any(rule: RuleCode) -> Self {
        Self {
            rule,
            target: None,
            table: None,
            column: None,
            object: None,
            migration: None,
            line: None,
            rows: None,
            level: None,
        }
    }
}

impl fmt::Display for ExpectedFinding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.rule.0)?;
        match (&self.target, &self.table, &self.column) {
            (Some(target), ..) => write!(formatter, " {target}")?,
            (None, Some(table), Some(column)) => write!(formatter, " {table}.{column}")?,
            (None, Some(table), None) => write!(formatter, " {table}")?,
            (None, None, Some(column)) => write!(formatter, " column {column}")?,
            (None, None, None) => {}
        }
        if let Some(object) = &self.object {
            write!(formatter, " {object}")?;
        }
        if let Some(rows) = self.rows {
            write!(formatter, ": {rows}")?;
        }
        if let Some(level) = self.level {
            write!(formatter, ", level {}", level.name())?;
        }
        if let Some(migration) = &self.migration {
            write!(formatter, ", in {migration}")?;
        }
        if let Some(line) = self.line {
            write!(formatter, ", line {line}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Scenario, Error> {
        yaml::parse(text, Path::new("s.yaml"))
    }

    fn findings(text: &str) -> Vec<ExpectedFinding> {
        parse(&format!("expect:\n  verdict: findings\n  findings:\n{text}")).unwrap().expect.findings
    }

    #[test]
    fn a_finding_has_a_short_and_a_long_form() {
        let short = findings("    - LS102 posts: 100\n    - VL202 users.name\n    - EX609\n");
        assert_eq!(
            short.iter().map(ToString::to_string).collect::<Vec<_>>(),
            ["LS102 posts: 100", "VL202 users.name", "EX609"]
        );
        let long = findings(
            "    - {rule: cascade-deleted-rows, table: posts, rows: 100, level: error, line: 10, migration: m}\n",
        );
        assert_eq!(long[0].to_string(), "LS102 posts: 100, level error, in m, line 10");
    }

    #[test]
    fn an_unknown_rule_is_refused_with_its_place() {
        let error = parse("expect:\n  verdict: findings\n  findings:\n    - LS999 posts\n").unwrap_err();
        assert!(error.to_string().starts_with("reading `s.yaml:"), "{error}");
        assert!(error.to_string().contains("`LS999` is no rule"), "{error}");
    }

    #[test]
    fn an_unknown_key_is_refused_and_the_valid_ones_are_named() {
        let error = parse("snapshots: x\nexpect: {verdict: passed}\n").unwrap_err();
        assert!(error.to_string().ends_with("unknown key `snapshots`"), "{error}");
        assert_eq!(error.hints()[0], "did you mean `snapshot`?");
        let error = parse("expect: {verdict: passed, findings: [{rule: LS102, tabel: t}]}\n").unwrap_err();
        assert!(error.to_string().ends_with("unknown key `tabel` in `expect.findings[0]`"), "{error}");
        let allowed = "allowed here: rule, table, column, object, migration, line, rows, level";
        assert_eq!(error.hints(), ["did you mean `table`?", allowed]);
    }

    #[test]
    fn times_rise_by_a_day_and_follow_a_given_one() {
        let scenario =
            parse("migrations: [{name: a}, {name: b, when: 5}, {name: c}]\nexpect: {verdict: passed}\n").unwrap();
        assert_eq!(scenario.times(), [FIRST_WHEN, 5, 5 + WHEN_STEP]);
    }
}
