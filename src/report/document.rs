//! The report document: everything that a rehearsal found out, with stable field names. Every format renders this and nothing else.
//!
//! Lines are 1-based, orders are deterministic, names are the user's own. No row's value is in it but in `samples`, where a person asked
//! for them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::findings::rule::{Level, LevelFrom};

mod resources;

pub use resources::{AppWaits, Live, Lock, Machine, Measured, StatementAt, Usage};

/// The version of this shape. It grows when a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// One rehearsal.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Document {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What made this report.
    pub rehearse: Tool,
    /// The outcome in one word.
    pub verdict: Verdict,
    /// The level from which on findings make the verdict; null where none does.
    #[serde(default = "fail_on")]
    pub fail_on: Option<Level>,
    /// When it was rehearsed, by RFC 3339 in UTC; empty in a report of before that was written down.
    #[serde(default)]
    pub rehearsed_at: String,
    /// The configuration that held; null where there was none.
    #[serde(default)]
    pub configuration: Option<Configuration>,
    /// The file that was given.
    pub snapshot: Snapshot,
    /// What is applied, pending, skipped, edited, missing.
    pub plan: Plan,
    /// What ran.
    pub execution: Execution,
    /// The same under every driver of the tool; left out where that was not asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub matrix: Vec<MatrixCell>,
    /// How much was looked at: `whole`, or `changed` where tables none of whose pages changed were neither counted nor checked.
    pub extent: String,
    /// What became of the app's queries; left out where none were given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queries: Option<Queries>,
    /// Every table of the user, before and after; the biggest loss first, then by name.
    pub tables: Vec<Table>,
    /// What became of the schema.
    pub schema: Schema,
    /// What it took.
    pub resources: Resources,
    /// What the rules say; the gravest first, waived ones last.
    pub findings: Vec<Finding>,
    /// What could not be compared, and why.
    pub not_compared: Vec<NotCompared>,
}

#[expect(clippy::unnecessary_wraps, reason = "the field that it fills may be null")]
fn fail_on() -> Option<Level> {
    Some(Level::Error)
}

/// What made the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Tool {
    /// Version of rehearse.
    pub version: String,
    /// Version of the SQLite that ran the migrations.
    pub sqlite_version: String,
}

/// A `rehearse.yaml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Configuration {
    /// Its path.
    pub file: String,
    /// The SHA-256 of its text, in hexadecimal digits.
    pub sha256: String,
}

/// The outcome in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Nothing at or above the level that fails.
    Passed,
    /// Something at or above the level that fails.
    Findings,
    /// A migration failed on the copy.
    Failed,
}

/// The file that was given.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Snapshot {
    /// As it was given; `standard input`, or `snapshot command`.
    pub path: String,
    /// How it was given: `file`, `stdin`, `command`.
    pub channel: String,
    /// What it was: `database`, or `dump` where it was the SQL that makes one.
    pub source: String,
    /// How that was compressed, the outermost first: `gzip`, `zstd`.
    pub compression: Vec<String>,
    /// Size in bytes of what was given, of a database the main file.
    pub bytes: u64,
    /// Page size in bytes.
    pub page_size: u32,
    /// Pages of the state that was rehearsed.
    pub pages: u64,
    /// `wal` or `delete`.
    pub journal_mode: String,
    /// The SHA-256 of the state that was rehearsed, in hexadecimal digits: that of the file itself, unless a write-ahead log adds to it or
    /// a journal takes from it; of a dump or of what is compressed that of its bytes as they were given. Null where not every byte was
    /// read.
    #[serde(default)]
    pub sha256: Option<String>,
    /// When it was last written, by RFC 3339 in UTC; null where that is not known.
    #[serde(default)]
    pub modified: Option<String>,
    /// Size of the write-ahead log beside it in bytes; null where there is none.
    pub wal_bytes: Option<u64>,
    /// How a private copy was taken of it: `backup`, `reflink`, `copy`, or `making` where a database was made of what was
    /// given; null where it was read where it lies.
    pub copied_by: Option<String>,
    /// The file and its sidecars are what they were.
    pub untouched: bool,
    /// How that is known: `bytes` where every byte was read before and after, `metadata` where size, inode and the times of the last
    /// write and change were compared, `nothing` where it came through a pipe, of which nothing stays.
    pub compared_by: String,
    /// What somebody else changed meanwhile.
    pub changed: Vec<String>,
}

/// Found minus applied.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Plan {
    /// `drizzle`, `sql`, …
    pub tool: String,
    /// Layout or version of the tool, for example `v0 (journal)`.
    pub layout: String,
    /// The driver that the rehearsal ran under.
    pub driver: String,
    /// The migrations folder.
    pub folder: String,
    /// The ledger's table, or `PRAGMA user_version`.
    pub ledger: String,
    /// In the ledger, with the same file.
    pub applied: Vec<Migration>,
    /// Ran in this rehearsal.
    pub pending: Vec<Migration>,
    /// Will never run.
    pub skipped: Vec<Migration>,
    /// Ran once, and the file was changed since.
    pub edited: Vec<Migration>,
    /// Known to the ledger or the journal, without a file.
    pub missing: Vec<Migration>,
    /// What was found out rather than given.
    pub decisions: Vec<Decision>,
    /// How the snapshot's schema differs from what the applied migrations make on an empty database; null where none is applied, and where a
    /// command runs them.
    #[serde(default)]
    pub drift: Option<Drift>,
    /// How the schema that the code expects differs from what it will find once the pending migrations have run; null where no file of the
    /// tool says what it expects.
    #[serde(default)]
    pub code_drift: Option<CodeDrift>,
}

/// The schema that the code expects against the one that it will find.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct CodeDrift {
    /// The file that says what it expects: drizzle-kit's newest snapshot.
    pub file: String,
    /// The SHA-256 of that file, in hexadecimal digits; null where it cannot be read.
    #[serde(default)]
    pub sha256: Option<String>,
    /// From what it expects to what it will find, as far as the code may notice.
    pub changes: Vec<SchemaChange>,
    /// Why it is not known; null where it is.
    pub unknown: Option<String>,
}

/// The snapshot's schema against that of its applied migrations.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Drift {
    /// How many migrations were run on an empty database; 0 where that could not be done.
    pub applied: usize,
    /// From what they make to what the snapshot has.
    pub changes: Vec<SchemaChange>,
    /// The pending migration that fails on the snapshot's schema only; null where none does.
    pub trips: Option<Trip>,
    /// Why it is not known whether one does; null where it is.
    #[serde(default)]
    pub trips_unknown: Option<String>,
    /// Why it is not known; null where it is.
    pub unknown: Option<String>,
}

/// A pending migration that fails because the schema has drifted.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Trip {
    /// Its name.
    pub migration: String,
    /// What SQLite says.
    pub message: String,
}

/// A migration in the plan.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Migration {
    /// The name that the tool knows it by.
    pub name: String,
    /// Its file; empty where there is none.
    pub file: String,
    /// The checksum that the tool keeps, else SHA-256 of the text; in hexadecimal digits.
    pub checksum: String,
    /// How many statements it holds.
    pub statements: usize,
    /// Whether the tool runs it outside of the transaction that it opens around others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unwrapped: bool,
    /// Checksum of what undoes it; left out where nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub down_checksum: Option<String>,
}

/// Something that was found out rather than given.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// `tool`, `migrations`, `driver`, …
    pub what: String,
    /// The outcome.
    pub value: String,
    /// The evidence.
    pub why: String,
}

/// What ran and how.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Execution {
    /// The outcome of the run.
    pub outcome: Outcome,
    /// Wall time of the migrations in milliseconds, on this machine.
    pub elapsed_ms: f64,
    /// The connection as production would have it.
    pub settings: Settings,
    /// The version of the driver's package in the project's lock file or in `go.mod`; null where that is not known.
    #[serde(default)]
    pub driver_version: Option<String>,
    /// The tool's own command, where that ran the migrations; null where they ran in process.
    #[serde(default)]
    pub command: Option<Command>,
    /// Every statement that ran, in order; empty where a command ran them and they could not be traced.
    pub steps: Vec<Step>,
    /// What undid the migrations on another copy; null where that was not asked for, or they did not complete.
    #[serde(default)]
    pub way_back: Option<WayBack>,
    /// What deaths of the process, a second and another run have shown; null where that was not asked for, or the migrations did not
    /// complete.
    #[serde(default)]
    pub faults: Option<Faults>,
    /// The same under the other drivers that production may use; empty where the driver is known.
    #[serde(default)]
    pub alternatives: Vec<Alternative>,
    /// Why the run failed; null where it did not. Where a statement failed, its step has the same.
    #[serde(default)]
    pub error: Option<StepError>,
}

/// What became of the app's queries. A query that stands in the files several times counts once.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Queries {
    /// Files that were read.
    pub files: u64,
    /// Different queries in them.
    pub queries: u64,
    /// How often they stand there in all.
    pub occurrences: u64,
    /// Statements that are no queries, by what they are: `definition`, `transaction`, `pragma`, `upkeep`, `other-database`, `other-line`.
    pub left_out: BTreeMap<String, u64>,
    /// By what they can be known again: a SHA-256 in hexadecimal digits.
    #[serde(default)]
    pub sha256: String,
    /// On which schema they work; null where they were not checked, because the migrations did not run to their end.
    pub works: Option<QueriesWork>,
}

/// On which schema queries work.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct QueriesWork {
    /// On the one before and on the one after.
    pub both: u64,
    /// Only on the one before.
    pub before: u64,
    /// Only on the one after.
    pub after: u64,
    /// On neither.
    pub neither: u64,
    /// Not known.
    pub unknown: u64,
    /// Marked ones whose results were compared.
    pub compared: u64,
}

/// What undid the migrations.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct WayBack {
    /// The outcome of the run.
    pub outcome: Outcome,
    /// Every statement that ran, in order.
    pub steps: Vec<Step>,
    /// The migration that nothing undoes, and before which the way back ends; null where it leads to the beginning.
    pub no_further_than: Option<String>,
}

/// What deaths of the process, a second run and another run have shown.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Faults {
    /// Moments at which the process died.
    pub moments: u64,
    /// Moments that were not tried, because there were too many.
    pub left_out: u64,
    /// What the database was after them.
    pub states: FaultStates,
    /// Moments after which running the tool again ended as if nothing had happened.
    pub resumed: u64,
    /// What running the tool a second time did where nothing had happened: `nothing`, `changes` or `fails`.
    pub second_run: String,
    /// Values and rows in which two runs differ.
    pub differing: u64,
}

/// How many deaths left what.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct FaultStates {
    /// Everything as before the migrations.
    pub old: u64,
    /// Everything as the migrations leave it.
    pub new: u64,
    /// Some migrations as a whole, and the ledger says which.
    pub between: u64,
    /// Something that the ledger does not account for.
    pub partial: u64,
}

/// How the run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// Every pending migration ran.
    Completed,
    /// Nothing was pending.
    NothingPending,
    /// A statement failed.
    Failed,
    /// The tool would not have started.
    Refused,
}

/// The tool's own command.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Command {
    /// As it was given.
    pub line: String,
    /// Its exit code; null where a signal or the time limit ended it.
    pub exit_code: Option<i32>,
    /// The signal that ended it; null where none did.
    pub signal: Option<i32>,
    /// The time limit in seconds that it did not keep; null where it did.
    pub time_limit: Option<u64>,
    /// Wall time in milliseconds, on this machine.
    pub elapsed_ms: f64,
    /// Whether its statements are known.
    pub traced: bool,
    /// The last lines of what it said: its own words, which may hold what a report does not.
    pub output: Vec<String>,
    /// Lines before those that are not kept.
    pub output_dropped: u64,
}

/// The connection as production would have it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Settings {
    /// Whether foreign keys were enforced when the migrations began; null where a command could not be traced.
    pub foreign_keys: Option<bool>,
    /// Whether a double-quoted name that is no column is read as a string; null where a command could not be traced.
    pub dqs: Option<bool>,
    /// Who opens the transaction and how far it reaches.
    pub transaction: String,
    /// What happens to several statements in one chunk.
    pub several_statements: String,
    /// What the driver does before and after the run, for example `PRAGMA foreign_keys=off`.
    pub around: Vec<String>,
    /// Journal mode of the copy.
    pub journal_mode: String,
    /// Version of SQLite that the driver ships; null where that is not known.
    pub driver_sqlite_version: Option<String>,
}

/// A statement that ran.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Step {
    /// The migration's name.
    pub migration: String,
    /// Its file.
    pub file: String,
    /// Number of the statement in the migration, from 1.
    pub statement: usize,
    /// Line of the file.
    pub line: u32,
    /// The text, cut and without the literals of rows.
    pub sql: String,
    /// Wall time in milliseconds, on this machine.
    pub elapsed_ms: f64,
    /// Rows that it wrote, by table and by who did it.
    pub changes: Vec<Change>,
    /// Size of the database after it in bytes; null where it did not run.
    #[serde(default)]
    pub bytes_after: Option<u64>,
    /// Bytes written to files while it ran; null where that was not counted. What stays in the page cache is written by the commit.
    #[serde(default)]
    pub bytes_written: Option<u64>,
    /// All files of the database together, at the moment when they were the largest while it ran; null where that was not counted.
    #[serde(default)]
    pub peak_bytes: Option<u64>,
    /// Wall time in milliseconds on a plain file on the disk; null where that was not measured.
    #[serde(default)]
    pub measured_ms: Option<f64>,
    /// Why it failed.
    pub error: Option<StepError>,
    /// False where a driver that runs only the first statement of a chunk left it out.
    pub ran: bool,
}

/// Rows that a step wrote in one table.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The table as it was called at that moment.
    pub table: String,
    /// `statement`, `foreign-key` or `trigger`.
    pub by: String,
    /// Rows inserted.
    pub inserted: u64,
    /// Rows updated.
    pub updated: u64,
    /// Rows deleted.
    pub deleted: u64,
}

/// Why a step failed.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct StepError {
    /// SQLite's or the driver's message.
    pub message: String,
    /// SQLite's extended result code; null where the driver refused before SQLite saw it.
    pub extended_code: Option<i32>,
    /// The code's name, for example `SQLITE_CONSTRAINT_NOTNULL`.
    pub code: Option<String>,
}

/// The outcome under another driver.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Alternative {
    /// The driver.
    pub driver: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The error's message, where it failed.
    pub error: Option<String>,
    /// Rows lost in all tables.
    pub rows_lost: u64,
    /// The tables whose outcome differs from the main rehearsal: name, rows after.
    pub differs: BTreeMap<String, Option<u64>>,
}

/// The same migrations under one driver of the tool.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct MatrixCell {
    /// The driver.
    pub driver: String,
    /// Whether the project was found to use it, or may use it; the verdict is about these.
    pub decided: bool,
    /// Version of SQLite that it ships; null where that is not known.
    pub sqlite_version: Option<String>,
    /// Whether foreign keys were enforced when the migrations began.
    pub foreign_keys: bool,
    /// What one transaction is around: `all` migrations, `each`, the `first` statement only, `none`.
    pub transaction_around: String,
    /// How it ended.
    pub outcome: Outcome,
    /// The error's message, where it failed.
    pub error: Option<String>,
    /// Rows lost in all tables.
    pub rows_lost: u64,
    /// Values of surviving rows that changed in all tables.
    pub values_changed: u64,
    /// The gravest level found that no waiver covers, warning or error; null where there is none.
    pub level: Option<Level>,
    /// The codes of that level, each once.
    pub codes: Vec<String>,
}

/// One table before and after.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Table {
    /// Name after; of a dropped table the name before.
    pub name: String,
    /// Name before; null where it is new.
    pub before_name: Option<String>,
    /// What became of it.
    pub change: TableChange,
    /// Its rows.
    pub rows: Rows,
    /// Who read its rows: `file` where they were read from the pages of the file, `sqlite` where only SQLite can read them; null where
    /// they were not read.
    #[serde(default)]
    pub read_by: Option<String>,
    /// Its columns; empty where the table is unchanged in every respect, and where it was not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<Column>,
}

impl Table {
    /// Whether it was not counted, because no page of it changed.
    #[must_use]
    pub fn is_uncounted(&self) -> bool {
        self.before_name.is_some() && self.rows.before.is_none() && self.rows.lost == Some(0)
    }

    /// Whether anything differs in it, or nothing is known of it.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        let some = |rows: Option<u64>| rows.is_some_and(|rows| rows > 0);
        self.change != TableChange::Same
            || self.rows.before != self.rows.after
            || self.rows.lost.is_none()
            || some(self.rows.lost)
            || some(self.rows.gained)
            || some(self.rows.changed)
            || !self.columns.is_empty()
    }
}

/// What became of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TableChange {
    /// The same table.
    Same,
    /// Under another name.
    Renamed,
    /// Created anew and filled from the old one.
    Rebuilt,
    /// New.
    Added,
    /// Gone.
    Dropped,
}

/// Rows of a table.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Rows {
    /// Rows before; null where the table is new, and where it was not counted because no page of it changed.
    pub before: Option<u64>,
    /// Rows after; null where the table is gone, and where it was not counted because no page of it changed.
    pub after: Option<u64>,
    /// Rows that are no longer there; null where rows could not be matched.
    pub lost: Option<u64>,
    /// Rows that were not there before.
    pub gained: Option<u64>,
    /// Rows that are still there with another value in at least one column.
    pub changed: Option<u64>,
}

/// A column before and after.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Column {
    /// Name after; of a dropped column the name before.
    pub name: String,
    /// Name before; null where it is new.
    pub before_name: Option<String>,
    /// NULLs before and after; null on a side where the column is not.
    pub nulls: Nulls,
    /// Values by storage class, before and after.
    pub classes: Classes,
    /// Values of rows that are on both sides; null where the column is on one side only or rows could not be matched.
    pub values: Option<Values>,
}

/// NULLs of a column.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Nulls {
    /// Before.
    pub before: Option<u64>,
    /// After.
    pub after: Option<u64>,
}

/// Values by storage class: `integer`, `real`, `text`, `blob`; classes without values are left out.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Classes {
    /// Before.
    pub before: BTreeMap<String, u64>,
    /// After.
    pub after: BTreeMap<String, u64>,
}

/// What became of the values of rows that are on both sides.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
pub struct Values {
    /// Storage class or bytes differ.
    pub changed: u64,
    /// Of these: became NULL.
    pub nulled: u64,
    /// Of these: were NULL.
    pub filled: u64,
    /// Of these: the same value in another storage class.
    pub converted: u64,
    /// Of these: a conversion that lost something.
    pub lossy: u64,
    /// The lossy ones by what was lost: `became_zero`, `trailing_text`, `exponent`, `beyond_2_53`, `rounding`, `leading_zeros`,
    /// `notation`; kinds without values are left out.
    #[serde(default)]
    pub lossy_kinds: BTreeMap<String, u64>,
    /// Of the changed: text that is still recognisable, by what happened to it: `truncated`, `trimmed`, `case`, `encoding`,
    /// `nul`; kinds without values are left out.
    #[serde(default)]
    pub text_altered: BTreeMap<String, u64>,
    /// Of the nulled: were the empty text.
    #[serde(default)]
    pub blank_to_null: u64,
    /// Of the filled: are the empty text.
    #[serde(default)]
    pub null_to_blank: u64,
    /// The column whose values of the same rows all changed values are; null where they are no column's.
    #[serde(default)]
    pub shifted_from: Option<String>,
}

/// What became of the schema.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Schema {
    /// One entry per object that changed.
    pub changes: Vec<SchemaChange>,
    /// Unified diff of the CREATE statements; empty where nothing changed.
    pub diff: String,
}

/// One change of the schema.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SchemaChange {
    /// `table`, `column`, `index`, `trigger`, `view`, `foreign-key`, `check`, `not-null`, `unique`, `primary-key`, …
    pub kind: String,
    /// `added`, `removed`, `changed`, `renamed`.
    pub change: String,
    /// The table it belongs to.
    pub table: Option<String>,
    /// Its name or description.
    pub name: String,
    /// What was and what is, in words.
    pub detail: String,
}

/// What it took.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Resources {
    /// Size of the database before the migrations in bytes.
    pub bytes_before: u64,
    /// Size after them in bytes.
    pub bytes_after: u64,
    /// Rows written by all steps.
    pub rows_written: u64,
    /// What was counted where SQLite writes and locks; null where it was not, as of a command whose statements are not known.
    #[serde(default)]
    pub usage: Option<Usage>,
    /// What the times were taken on.
    #[serde(default)]
    pub machine: Option<Machine>,
    /// The migrations on a plain file on the disk; null where that was not asked for, or they did not complete.
    #[serde(default)]
    pub measured: Option<Measured>,
}

/// What a rule says.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// The rule's code, `LS102`.
    pub code: String,
    /// The rule's name, `cascade-deleted-rows`.
    pub name: String,
    /// How grave it is here.
    pub level: Level,
    /// The level that the rule gave it and who set another; left out where nobody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub level_from: Option<LevelFrom>,
    /// The table.
    pub table: Option<String>,
    /// The column.
    pub column: Option<String>,
    /// The index, trigger, view, file or driver.
    pub object: Option<String>,
    /// The migration's name.
    pub migration: Option<String>,
    /// Its file.
    pub file: Option<String>,
    /// Line of the statement.
    pub line: Option<u32>,
    /// Column of the statement in the file, in characters.
    pub position: Option<u32>,
    /// The statement, without the literals of rows.
    pub statement: Option<String>,
    /// What the statement did.
    pub label: Option<String>,
    /// Rows or values concerned.
    pub rows: Option<u64>,
    /// The fact.
    pub message: String,
    /// Why it happened.
    pub cause: Option<String>,
    /// What another rehearsal with one setting turned has shown.
    pub proof: Option<String>,
    /// What to do instead.
    pub help: Vec<String>,
    /// The waiver that covers it; null where none does.
    pub waived: Option<String>,
    /// Some of the rows that it is about; only where they were asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samples: Option<Samples>,
}

/// Some of the rows that a finding is about.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Samples {
    /// The columns of their key; empty where only whole rows tell them apart.
    pub key: Vec<String>,
    /// The rows.
    pub rows: Vec<Sample>,
}

/// One row. Values are written as SQL literals and cut.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Sample {
    /// The key's values.
    pub key: Vec<String>,
    /// Values that were there; only where values were asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<SampleValue>,
    /// Values that are there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<SampleValue>,
}

/// A value of a row.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct SampleValue {
    /// Its column.
    pub column: String,
    /// The value as an SQL literal, cut.
    pub value: String,
}

/// Something that could not be compared.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct NotCompared {
    /// The table.
    pub table: String,
    /// Why.
    pub why: String,
}
