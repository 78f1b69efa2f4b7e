//! Before against after: the schema, every table, every row, every value.
//!
//! Takes connections to the two states and the run's steps, gives a [`Comparison`]. Tables are followed by what the statements
//! did; rows are matched by key. A table that no statement wrote and whose definition and root page stayed is counted on both
//! sides, but not merged row by row. What could not be read is listed, never left out.
//!
//! Of two files of which nobody knows how one became the other, tables and columns are the same where they have the same name,
//! and every row is merged.

pub mod broken;
pub mod computed;
mod defaults;
mod distinct;
pub mod integrity;
pub mod lineage;
pub mod queries;
pub mod renames;
pub mod rows;
pub mod samples;
mod sequence;
pub mod stand_ins;
pub mod takeover;
mod translation;
pub mod values;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use rusqlite::Connection;

use crate::error::{Doing, Error};
use crate::execution::{Execution, Step};
use crate::migrations::statement::Action;
use crate::observer::{Observer, Stage};
use crate::profile::{self, TableProfile};
use crate::schema::changes::{self, How, Paired};
use crate::schema::{Schema, Table, TableKind};
use crate::sqlite_file::header::TextEncoding;
use computed::Computed;
use integrity::{BrokenChecks, Complaint, Integrity, OutOfSync, Violations};
use lineage::{Change, Pair};
use rows::{ColumnComparison, Key, RowComparison, Rowids, Side};
use samples::{Samples, Sampling};
use stand_ins::StandIn;
use takeover::Takeover;

/// What differs between the two states.
#[derive(Debug, Clone)]
pub struct Comparison {
    /// The schema before.
    pub before: Schema,
    /// The schema after.
    pub after: Schema,
    /// Every table of the user on either side, in order of name.
    pub tables: Vec<TableComparison>,
    /// What differs in the schema.
    pub schema_changes: Vec<changes::Change>,
    /// The same as a unified diff.
    pub schema_diff: String,
    /// What SQLite says of both states.
    pub integrity: Integrity,
    /// `user_version` and `application_id`.
    pub header: Vec<HeaderNumber>,
    /// Views that have the name of a table that was renamed.
    pub stand_ins: Vec<StandIn>,
    /// Views and triggers that could not be compiled before, with what SQLite says.
    pub broken_before: BTreeMap<String, String>,
    /// Views and triggers that cannot be compiled after.
    pub broken_after: BTreeMap<String, String>,
    /// What could not be compared, and why.
    pub not_compared: Vec<NotCompared>,
}

/// A table before and after.
#[derive(Debug, Clone)]
pub struct TableComparison {
    /// Which is which.
    pub pair: Pair,
    /// What it held.
    pub before: Option<TableProfile>,
    /// What it holds.
    pub after: Option<TableProfile>,
    /// What other tables took over, where it is gone or goes on under the name of one of several copies.
    pub takeover: Option<Takeover>,
    /// Columns that it has no more and whose values another table took over, of a table that is still there.
    pub moved_out: Vec<String>,
    /// Columns that it has no more and that new columns of its rows stand for.
    pub computed: Vec<Computed>,
    /// What other tables took over of the rows that it has no more, where it is the same table.
    pub archived: Option<Takeover>,
    /// What became of its rows; none where the table is on one side only or could not be compared.
    pub rows: Option<RowComparison>,
    /// Some of the rows and values that went with the table or with columns of it, where they are asked for.
    pub gone: Samples,
    /// How far AUTOINCREMENT had counted; none where the table is not AUTOINCREMENT on both sides.
    pub sequence: Option<Sequence>,
}

/// The highest id that AUTOINCREMENT has given out, as far as the database remembers; the next one is one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequence {
    /// Before.
    pub before: i64,
    /// After.
    pub after: i64,
}

/// A number that an app or a tool may keep in the header of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeaderNumber {
    /// The pragma that reads it.
    pub pragma: &'static str,
    /// Before.
    pub before: i64,
    /// After.
    pub after: i64,
}

/// Something that could not be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCompared {
    /// The table, or what else it is about.
    pub what: String,
    /// Why.
    pub why: String,
}

/// Where the two states are read, and how.
#[derive(Clone, Copy)]
pub struct States<'a> {
    /// The state before.
    pub before: &'a Connection,
    /// The state after.
    pub after: &'a Connection,
    /// The tool's own table, which is not the user's data.
    pub ledger: &'a str,
    /// The text encoding of both.
    pub encoding: TextEncoding,
    /// How many of the rows that differ are kept to be shown.
    pub sampling: Sampling,
}

/// One of two files of which nobody knows how one became the other.
#[derive(Clone, Copy)]
pub struct File<'a> {
    /// A connection to it, or to a private copy.
    pub connection: &'a Connection,
    /// How it stores text.
    pub encoding: TextEncoding,
}

/// No table of the user can have this name.
const NO_LEDGER: &str = "sqlite_schema";

impl Comparison {
    /// Compares the two states.
    ///
    /// # Errors
    /// When the schema before cannot be read. A table that cannot be read is listed in `not_compared`.
    pub fn between(states: States<'_>, execution: &Execution, observer: &dyn Observer) -> Result<Self, Error> {
        let before = Schema::read(states.before).doing(|| "reading the schema of the snapshot".to_owned())?;
        let file = states.before.path().filter(|path| !path.is_empty()).map(PathBuf::from);
        std::thread::scope(|scope| {
            // The state before is checked while the tables are compared.
            let checking = file.map(|file| scope.spawn(move || integrity::check_file(&file)));
            let messages = || match checking.map(std::thread::ScopedJoinHandle::join) {
                Some(Ok(messages)) => messages,
                _ => integrity::check(states.before),
            };
            let after = match Schema::read(states.after) {
                Ok(after) => after,
                Err(error) => return Ok(Self::unreadable(before, &error, messages().unwrap_or_default())),
            };
            let encodings = (states.encoding, states.encoding);
            Ok(Self::of(states, encodings, (before, after), Some(execution), observer, messages))
        })
    }

    /// Compares two files of which nobody knows how one became the other: every table of both, row by row. Where they store
    /// text in different encodings, it is compared as UTF-8.
    ///
    /// # Errors
    /// When a schema cannot be read. A table that cannot be read is listed in `not_compared`.
    pub fn of_files(before: File<'_>, after: File<'_>, observer: &dyn Observer) -> Result<Self, Error> {
        let schemas = (
            Schema::read(before.connection).doing(|| "reading the schema of the first file".to_owned())?,
            Schema::read(after.connection).doing(|| "reading the schema of the second file".to_owned())?,
        );
        let encoding = if before.encoding == after.encoding { before.encoding } else { TextEncoding::Utf8 };
        for file in [before, after] {
            translation::prepare(file.connection, file.encoding).doing(|| "preparing the comparison".to_owned())?;
        }
        let states = States {
            before: before.connection,
            after: after.connection,
            ledger: NO_LEDGER,
            encoding,
            sampling: Sampling::None,
        };
        let messages = || integrity::check(states.before);
        Ok(Self::of(states, (before.encoding, after.encoding), schemas, None, observer, messages))
    }

    fn of(
        states: States<'_>,
        encodings: (TextEncoding, TextEncoding),
        (before, after): (Schema, Schema),
        execution: Option<&Execution>,
        observer: &dyn Observer,
        messages_before: impl FnOnce() -> rusqlite::Result<Vec<String>>,
    ) -> Self {
        let steps = execution.map(|execution| execution.steps.as_slice()).unwrap_or_default();
        let pairs = lineage::pairs(&before, &after, states.ledger, steps);
        let (first, second) = (&before, &after);
        let mut comparer =
            Comparer { states, encodings, before: first, after: second, execution, not_compared: Vec::new() };
        let tables = comparer.tables(&pairs, observer);
        let integrity = comparer.integrity(&pairs, messages_before);
        let header = comparer.header();
        let stand_ins = stand_ins::of(&pairs, &after, states.after);
        let not_compared = comparer.not_compared;
        Self {
            schema_changes: schema_changes(&before, &after, &pairs),
            schema_diff: changes::diff(&before, &after),
            broken_before: broken::objects(states.before, &before),
            broken_after: broken::objects(states.after, &after),
            header,
            stand_ins,
            tables,
            integrity,
            not_compared,
            before,
            after,
        }
    }

    /// A copy whose schema SQLite cannot read any more, for example after a write to `sqlite_schema`: nothing in it can be compared.
    fn unreadable(before: Schema, error: &rusqlite::Error, messages_before: Vec<String>) -> Self {
        let after = vec![format!("the schema cannot be read: {error}")];
        Self {
            after: before.clone(),
            before,
            tables: Vec::new(),
            schema_changes: Vec::new(),
            schema_diff: String::new(),
            integrity: Integrity { before: messages_before, after, ..Integrity::default() },
            header: Vec::new(),
            stand_ins: Vec::new(),
            broken_before: BTreeMap::new(),
            broken_after: BTreeMap::new(),
            not_compared: vec![NotCompared {
                what: "every table".to_owned(),
                why: "the schema cannot be read after the migrations".to_owned(),
            }],
        }
    }

    /// The comparison of the table with this name before.
    #[must_use]
    pub fn table_before(&self, name: &str) -> Option<&TableComparison> {
        self.tables
            .iter()
            .find(|table| table.pair.before.as_ref().is_some_and(|before| before.eq_ignore_ascii_case(name)))
    }

    /// The comparison of the table with this name after.
    #[must_use]
    pub fn table_after(&self, name: &str) -> Option<&TableComparison> {
        self.tables.iter().find(|table| table.pair.after.as_ref().is_some_and(|after| after.eq_ignore_ascii_case(name)))
    }

    /// Rows that are gone, over all tables.
    #[must_use]
    pub fn rows_lost(&self) -> u64 {
        self.tables.iter().map(TableComparison::lost).sum()
    }
}

impl TableComparison {
    fn without_rows(pair: &Pair) -> Self {
        Self {
            pair: pair.clone(),
            before: None,
            after: None,
            takeover: None,
            moved_out: Vec::new(),
            computed: Vec::new(),
            archived: None,
            rows: None,
            gone: Samples::default(),
            sequence: None,
        }
    }

    /// Its name after; of a dropped table the name before.
    #[must_use]
    pub fn name(&self) -> &str {
        self.pair.after.as_ref().or(self.pair.before.as_ref()).map_or("", String::as_str)
    }

    /// Rows that are gone.
    #[must_use]
    pub fn lost(&self) -> u64 {
        match (&self.rows, self.pair.change, &self.before) {
            (Some(rows), _, _) => rows.lost,
            (None, Change::Dropped, Some(before)) => before.rows,
            _ => 0,
        }
    }

    /// The comparison of the column with this name before.
    #[must_use]
    pub fn column_before(&self, name: &str) -> Option<&ColumnComparison> {
        self.rows.as_ref()?.columns.iter().find(|column| column.before.eq_ignore_ascii_case(name))
    }
}

struct Comparer<'a> {
    states: States<'a>,
    /// How each side stores text.
    encodings: (TextEncoding, TextEncoding),
    before: &'a Schema,
    after: &'a Schema,
    /// The run between the two; none where nobody knows how one became the other.
    execution: Option<&'a Execution>,
    not_compared: Vec<NotCompared>,
}

/// One of the two sides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Before,
    After,
}

impl Comparer<'_> {
    fn words(&self, when: When) -> &'static str {
        match (when, self.execution) {
            (When::Before, Some(_)) => "before the migrations",
            (When::After, Some(_)) => "after the migrations",
            (When::Before, None) => "in the first file",
            (When::After, None) => "in the second file",
        }
    }

    fn tables(&mut self, pairs: &[Pair], observer: &dyn Observer) -> Vec<TableComparison> {
        observer.begin(&Stage::Compare, Some(pairs.len() as u64));
        let mut tables = Vec::with_capacity(pairs.len());
        for (done, pair) in pairs.iter().enumerate() {
            tables.push(self.table(pair));
            observer.advance(&Stage::Compare, done as u64 + 1);
        }
        observer.end(&Stage::Compare);
        tables
    }

    fn table(&mut self, pair: &Pair) -> TableComparison {
        let side =
            |name: &Option<String>, schema: &'_ Schema| name.as_ref().and_then(|name| schema.table(name)).cloned();
        let (old, new) = (side(&pair.before, self.before), side(&pair.after, self.after));
        if [&old, &new].into_iter().flatten().any(Table::shows_others) {
            // Those are compared themselves.
            return TableComparison::without_rows(pair);
        }
        let before = old.as_ref().map(|table| self.profile(self.states.before, table, When::Before));
        // What could not be read before is said once.
        let after = match before {
            Some(None) => None,
            _ => new.as_ref().and_then(|table| self.profile(self.states.after, table, When::After)),
        };
        let before = before.flatten();
        let rows = match (&old, &new, &before, &after) {
            (Some(old), Some(new), Some(held), Some(holds)) => self.rows(pair, (old, held), (new, holds)),
            _ => None,
        };
        let sequence = old.as_ref().zip(new.as_ref()).and_then(|(old, new)| self.sequence(old, new));
        let takeover = old.as_ref().and_then(|table| self.takeover(pair, table));
        let gone = old.as_ref().map(|table| self.gone(pair, table)).unwrap_or_default();
        let moved_out =
            old.as_ref().filter(|_| new.is_some()).map(|table| self.moved_out(pair, table)).unwrap_or_default();
        let computed =
            old.as_ref().zip(new.as_ref()).map(|(old, new)| self.computed(pair, old, new)).unwrap_or_default();
        let lost = rows.as_ref().is_some_and(|rows| rows.lost > 0);
        let archived = old.as_ref().filter(|_| lost).and_then(|table| self.archived(pair, table));
        TableComparison {
            pair: pair.clone(),
            before,
            after,
            takeover,
            moved_out,
            computed,
            archived,
            rows,
            gone,
            sequence,
        }
    }

    /// What cannot be read here is told where the table is compared.
    fn gone(&self, pair: &Pair, table: &Table) -> Samples {
        let dropped = pair.change == Change::Dropped;
        samples::gone(self.states, table, dropped, &pair.columns).unwrap_or_default()
    }

    fn takeover(&mut self, pair: &Pair, table: &Table) -> Option<Takeover> {
        if pair.change != Change::Dropped && (pair.change != Change::Rebuilt || pair.before == pair.after) {
            return None;
        }
        let takeover = takeover::of(pair, table, self.states);
        self.searched(table, takeover)
    }

    fn moved_out(&mut self, pair: &Pair, table: &Table) -> Vec<String> {
        let columns = takeover::of_columns(pair, table, self.states);
        self.searched(table, columns)
    }

    fn computed(&mut self, pair: &Pair, old: &Table, new: &Table) -> Vec<Computed> {
        let steps = self.execution.map_or(&[][..], |execution| execution.steps.as_slice());
        let computed = computed::of(pair, (old, new), steps, self.states);
        self.searched(old, computed)
    }

    fn archived(&mut self, pair: &Pair, table: &Table) -> Option<Takeover> {
        if !matches!(pair.change, Change::Same | Change::Renamed) {
            return None;
        }
        let rows = takeover::of_lost_rows(pair, table, self.states);
        self.searched(table, rows)
    }

    /// What a search of a table's copies found; nothing where SQLite cannot read them.
    fn searched<T: Default>(&mut self, table: &Table, found: rusqlite::Result<T>) -> T {
        found
            .map_err(|error| self.not_compared(&table.name, "its copies cannot be searched", &error))
            .unwrap_or_default()
    }

    fn profile(&mut self, connection: &Connection, table: &Table, when: When) -> Option<TableProfile> {
        let profile = profile::of_table(connection, table);
        let why = format!("cannot be read {}", self.words(when));
        profile.map_err(|error| self.not_compared(&table.name, &why, &error)).ok()
    }

    fn sequence(&mut self, old: &Table, new: &Table) -> Option<Sequence> {
        let last = |connection, table: &Table| {
            let key = table.rowid_alias.as_ref().filter(|_| table.autoincrement)?;
            Some(sequence::last_id(connection, &table.name, key))
        };
        let both = last(self.states.before, old).zip(last(self.states.after, new))?;
        match both {
            (Ok(before), Ok(after)) => Some(Sequence { before, after }),
            (Err(error), _) | (_, Err(error)) => {
                self.not_compared(&new.name, "its AUTOINCREMENT cannot be compared", &error);
                None
            }
        }
    }

    fn not_compared(&mut self, what: &str, why: &str, error: &rusqlite::Error) {
        let hint = if rows::is_missing_extension(error) { "; this SQLite does not have what it needs" } else { "" };
        self.not_compared.push(NotCompared { what: what.to_owned(), why: format!("{why}: {error}{hint}") });
    }

    fn rows(
        &mut self,
        pair: &Pair,
        (old, held): (&Table, &TableProfile),
        (new, holds): (&Table, &TableProfile),
    ) -> Option<RowComparison> {
        if self.is_untouched(pair, old, new) && held == holds {
            return Some(unchanged(pair, held.rows));
        }
        if pair.columns.is_empty() {
            return self.without_common_column(new, held.rows, holds.rows);
        }
        let no_null = |before: &str, after: &str| {
            [held.column(before), holds.column(after)]
                .iter()
                .all(|column| column.is_some_and(|column| column.nulls == 0))
        };
        let before = Side { connection: self.states.before, table: old, encoding: self.encodings.0 };
        let after = Side { connection: self.states.after, table: new, encoding: self.encodings.1 };
        let defaults = defaults::literals(new, &pair.columns, self.states.encoding);
        let table = rows::Tables {
            before,
            after,
            columns: &pair.columns,
            defaults: &defaults,
            encoding: self.states.encoding,
            sampling: self.states.sampling,
        };
        if self.execution.is_none() && (old.is_contentless() || new.is_contentless()) {
            self.index_without_content(old, new);
        }
        table
            .compare(self.rowids(pair), &no_null)
            .and_then(|rows| match self.encodings {
                (one, other) if one == other => {
                    distinct::find_collapsed(self.states, (before, held), (after, holds), rows)
                }
                _ => Ok(rows),
            })
            .map_err(|error| self.not_compared(&new.name, "its rows cannot be compared", &error))
            .ok()
    }

    /// Of a full-text table that keeps no text only the index tells what it holds, and one index can be stored in many ways.
    fn index_without_content(&mut self, old: &Table, new: &Table) {
        match self.is_stored_alike(&old.name, &new.name) {
            Ok(true) => {}
            Ok(false) => self.not_compared.push(NotCompared {
                what: new.name.clone(),
                why: "it keeps no text, and its index is stored in another way: whether it finds the same is not known"
                    .to_owned(),
            }),
            Err(error) => self.not_compared(&new.name, "its index cannot be compared", &error),
        }
    }

    /// Whether two virtual tables keep their content in equal tables.
    fn is_stored_alike(&self, old: &str, new: &str) -> rusqlite::Result<bool> {
        let (before, after) = (shadows(self.before, old), shadows(self.after, new));
        let mut alike = before.keys().eq(after.keys());
        for (before, after) in before.into_values().zip(after.into_values()) {
            let columns: Vec<_> =
                before.columns.iter().map(|column| (column.name.clone(), column.name.clone())).collect();
            let tables = rows::Tables {
                before: Side { connection: self.states.before, table: before, encoding: self.encodings.0 },
                after: Side { connection: self.states.after, table: after, encoding: self.encodings.1 },
                columns: &columns,
                defaults: &[],
                sampling: Sampling::None,
                encoding: self.states.encoding,
            };
            alike = alike && before.columns == after.columns && tables.by(Key::Content)?.differences() == 0;
        }
        Ok(alike)
    }

    /// Rows that have nothing in common can be counted only where there are none on one side.
    fn without_common_column(&mut self, new: &Table, before: u64, after: u64) -> Option<RowComparison> {
        if before > 0 && after > 0 {
            self.not_compared.push(NotCompared {
                what: new.name.clone(),
                why: "no column is on both sides, so that no row can be matched".to_owned(),
            });
            return None;
        }
        Some(RowComparison {
            key: Key::Content,
            lost: before,
            gained: after,
            repeated: 0,
            matched: 0,
            changed: None,
            rowids_moved: None,
            columns: Vec::new(),
            samples: Samples::default(),
        })
    }

    /// VACUUM may number rows anew, and so do rows that are deleted and inserted again.
    fn rowids(&self, pair: &Pair) -> Rowids {
        let Some(execution) = self.execution else { return Rowids::OfAnotherTable };
        let (mut inserted, mut deleted, mut vacuumed) = (false, false, false);
        for step in &execution.steps {
            vacuumed |= step.statement.action == Action::Vacuum;
            for change in step.changes.iter().filter(|change| pair.is_called(&change.table)) {
                inserted |= change.inserted > 0;
                deleted |= change.deleted > 0;
            }
        }
        match pair.change {
            Change::Rebuilt => Rowids::OfAnotherTable,
            Change::Same if !(vacuumed || inserted && deleted) => Rowids::Stay,
            _ => Rowids::MayMove,
        }
    }

    /// No statement wrote it, and it lies where it lay. The pre-update hook reports every row that is written, under the name
    /// that the table has at that moment.
    fn is_untouched(&self, pair: &Pair, old: &Table, new: &Table) -> bool {
        let Some(execution) = self.execution else { return false };
        let is_it = |name: &str| name.eq_ignore_ascii_case(&old.name);
        let touched = |step: &Step| {
            step.changes.iter().any(|change| is_it(&change.table))
                || matches!(&step.statement.action, Action::RenameTable { to, .. } if is_it(to))
        };
        pair.change == Change::Same
            && old.root_page != 0
            && old.root_page == new.root_page
            && old.sql == new.sql
            && !execution.steps.iter().any(touched)
            && !execution.bookkeeping.iter().any(|change| is_it(&change.table))
    }

    fn header(&mut self) -> Vec<HeaderNumber> {
        let states = self.states;
        let read =
            |connection: &Connection, pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
        let mut numbers = Vec::new();
        for pragma in ["user_version", "application_id"] {
            match read(states.before, pragma).and_then(|before| Ok((before, read(states.after, pragma)?))) {
                Ok((before, after)) => numbers.push(HeaderNumber { pragma, before, after }),
                Err(error) => self.not_compared(pragma, "it cannot be read", &error),
            }
        }
        numbers
    }

    fn integrity(
        &mut self,
        pairs: &[Pair],
        messages_before: impl FnOnce() -> rusqlite::Result<Vec<String>>,
    ) -> Integrity {
        let after = self.messages(integrity::check(self.states.after), When::After);
        let before = self.messages(messages_before(), When::Before);
        Integrity {
            broken_checks: self.broken_checks(pairs, &after),
            out_of_sync: self.out_of_sync(pairs),
            violations_before: self.violations(self.states.before, self.before, When::Before),
            violations_after: self.violations(self.states.after, self.after, When::After),
            before: without_external_content(before, self.before),
            after: without_external_content(after, self.after),
        }
    }

    fn messages(&mut self, checked: rusqlite::Result<Vec<String>>, when: When) -> Vec<String> {
        let why = format!("cannot run {}", self.words(when));
        checked.map_err(|error| self.not_compared("integrity_check", &why, &error)).unwrap_or_default()
    }

    /// The rows behind the messages of `integrity_check` about CHECKs, counted. Where there may be more messages than were asked
    /// for, those of every table.
    fn broken_checks(&mut self, pairs: &[Pair], messages: &[String]) -> Vec<BrokenChecks> {
        let named: BTreeSet<&str> = messages
            .iter()
            .filter_map(|message| match Complaint::of(message) {
                Complaint::Check(table) => Some(table),
                _ => None,
            })
            .collect();
        let all = integrity::is_cut(messages);
        let tables = self.after.tables.values().filter(|table| all || named.contains(table.name.as_str()));
        let mut broken = Vec::new();
        for table in tables {
            let pair = pairs.iter().find(|pair| pair.after.as_ref() == Some(&table.name));
            let old = pair.and_then(|pair| pair.before.as_ref()).and_then(|name| self.before.table(name));
            let counted = integrity::breaking_check(self.states.after, table).and_then(|after| {
                let before = old.map(|old| integrity::breaking_check(self.states.before, old)).transpose()?;
                Ok((after, before.unwrap_or_default()))
            });
            match counted {
                Ok((after, before)) => {
                    let same_rows = pair.is_some_and(|pair| matches!(pair.change, Change::Same | Change::Renamed));
                    let new = after.new_since(&before, same_rows);
                    broken.push(BrokenChecks { table: table.name.clone(), rows: after.rows, new });
                }
                Err(error) => self.not_compared(&table.name, "its CHECKs cannot be evaluated", &error),
            }
        }
        broken.retain(|broken| broken.rows > 0);
        broken
    }

    /// The full-text tables that index another table, and do not match it after a run. What was so before is told apart.
    fn out_of_sync(&mut self, pairs: &[Pair]) -> Vec<OutOfSync> {
        let mut found = Vec::new();
        let after_a_run = self.execution.is_some();
        for table in self.after.tables.values().filter(|_| after_a_run) {
            let (Some(content), TableKind::Virtual(module)) = (&table.content, &table.kind) else { continue };
            let pair = pairs.iter().find(|pair| pair.after.as_ref() == Some(&table.name));
            let old = pair.and_then(|pair| pair.before.as_ref()).and_then(|name| self.before.table(name));
            let after = integrity::is_in_sync(self.states.after, table);
            if matches!(after, Ok(true)) {
                continue;
            }
            let before = old.map(|old| integrity::is_in_sync(self.states.before, old));
            match (after, before) {
                // That it cannot be checked any more, because the table with the rows is gone, is no match either.
                (Err(error), Some(Err(_)) | None) => {
                    self.not_compared(&table.name, "its full-text index cannot be checked", &error);
                }
                (_, before) => found.push(OutOfSync {
                    table: table.name.clone(),
                    content: content.clone(),
                    module: module.clone(),
                    before: matches!(before, Some(Ok(false) | Err(_))),
                }),
            }
        }
        found
    }

    /// Of each table that has foreign keys. What could not be checked before is not complained of again after.
    fn violations(&mut self, connection: &Connection, schema: &Schema, when: When) -> Violations {
        let mut violations = Violations::new();
        for table in schema.tables.values().filter(|table| !table.foreign_keys.is_empty()) {
            match integrity::violations(connection, &table.name) {
                Ok(found) => violations.extend(found),
                Err(error) => {
                    let what = format!("{}: foreign_key_check", table.name);
                    if !self.not_compared.iter().any(|missing| missing.what == what) {
                        self.not_compared(&what, &format!("cannot run {}", self.words(when)), &error);
                    }
                }
            }
        }
        violations
    }
}

/// FTS4 checks its index against the table that it indexes here too; [`Integrity::out_of_sync`] tells that.
fn without_external_content(mut messages: Vec<String>, schema: &Schema) -> Vec<String> {
    let is_external = |table: &str| schema.table(table).is_some_and(|table| table.content.is_some());
    messages.retain(|message| !matches!(Complaint::of(message), Complaint::FullText(table) if is_external(table)));
    messages
}

/// The tables in which a virtual table keeps its content, by what stands behind its name.
fn shadows<'a>(schema: &'a Schema, table: &str) -> BTreeMap<&'a str, &'a Table> {
    let prefix = format!("{}_", table.to_ascii_lowercase());
    let shadows = schema.tables.iter().filter(|(_, table)| table.kind == TableKind::Shadow);
    shadows.filter_map(|(name, table)| Some((name.strip_prefix(&prefix)?, table))).collect()
}

fn unchanged(pair: &Pair, rows: u64) -> RowComparison {
    RowComparison {
        key: Key::Content,
        lost: 0,
        gained: 0,
        repeated: 0,
        matched: rows,
        changed: Some(0),
        rowids_moved: Some(0),
        columns: Vec::new(),
        samples: Samples::default(),
    }
    .with_columns(pair)
}

impl RowComparison {
    fn with_columns(mut self, pair: &Pair) -> Self {
        self.columns = pair.columns.iter().map(|(before, after)| ColumnComparison::new(before, after)).collect();
        self
    }
}

fn schema_changes(before: &Schema, after: &Schema, pairs: &[Pair]) -> Vec<changes::Change> {
    let names = Renamed(pairs);
    let mut changes = Vec::new();
    for pair in pairs {
        let old = pair.before.as_ref().and_then(|name| before.table(name));
        let new = pair.after.as_ref().and_then(|name| after.table(name));
        match (old, new) {
            (Some(before), Some(after)) => {
                changes.extend(changes::of_table(&Paired { before, after, columns: pair.columns.clone() }, &names));
            }
            (Some(before), None) => changes.push(changes::of_lone_table(before, How::Removed)),
            (None, Some(after)) => changes.push(changes::of_lone_table(after, How::Added)),
            (None, None) => {}
        }
    }
    changes.extend(changes::of_objects(before, after, &names));
    changes
}

/// What tables and columns are called after.
struct Renamed<'a>(&'a [Pair]);

impl Renamed<'_> {
    fn pair(&self, table: &str) -> Option<&Pair> {
        self.0.iter().find(|pair| pair.before.as_ref().is_some_and(|before| before.eq_ignore_ascii_case(table)))
    }
}

impl changes::Names for Renamed<'_> {
    fn table(&self, table: &str) -> String {
        self.pair(table).and_then(|pair| pair.after.clone()).unwrap_or_else(|| table.to_owned())
    }

    fn column(&self, table: &str, column: &str) -> String {
        let columns = self.pair(table).map(|pair| pair.columns.as_slice()).unwrap_or_default();
        let renamed = columns.iter().find(|(before, _)| before.eq_ignore_ascii_case(column));
        renamed.map_or_else(|| column.to_owned(), |(_, after)| after.clone())
    }
}
