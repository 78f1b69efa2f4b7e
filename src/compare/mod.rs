//! Before against after: the schema, every table, every row, every value.
//!
//! Takes the two states and the run's steps, gives a [`Comparison`]. Tables are followed by what the statements did; rows are
//! matched by key. A table none of whose pages differ is the same and is not read again; of one of which some differ, only the
//! rows in those are brought together. What could not be read is listed, never left out.
//!
//! Of two files of which nobody knows how one became the other, tables and columns are the same where they have the same name.

pub mod app;
pub mod broken;
mod checks;
pub mod computed;
mod defaults;
mod differing;
mod distinct;
pub mod integrity;
pub mod lineage;
mod merge;
pub mod queries;
pub mod renames;
pub mod rows;
pub mod samples;
mod sequence;
mod sorted;
pub mod stand_ins;
mod stored;
pub mod takeover;
mod translation;
pub mod values;

use std::collections::{BTreeMap, BTreeSet};

use std::time::Duration;

use rusqlite::Connection;

use crate::error::{Doing, Error};
use crate::execution::steps::only_updated;
use crate::execution::{Execution, Step};
use crate::migrations::statement::{Action, Insert};
use crate::observer::{Observer, Stage, Work};
use crate::profile::{self, TableProfile};
use crate::schema::changes::{self, How, Kind, Paired};
use crate::schema::message::without_value;
use crate::schema::{Schema, Table, TableKind, is_bookkeeping};
use crate::snapshot::Snapshot;
use crate::sqlite_file::header::TextEncoding;
use crate::sqlite_file::page_set::PageSet;
use crate::sqlite_file::pages::Pages;
use computed::Computed;
use differing::Differing;
use integrity::Integrity;
use lineage::{Change, Pair};
use rows::{ColumnComparison, Key, Place, RowComparison, Rowids, Side};
use samples::{Samples, Sampling};
use stand_ins::StandIn;
use stored::Stored;
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
    /// Whether also what did not change was counted and checked.
    pub is_whole: bool,
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

/// The bytes that comparing may take in memory where nobody says otherwise.
pub const MAX_MEMORY: u64 = 256 << 20;

/// Something that could not be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotCompared {
    /// The table, or what else it is about.
    pub what: String,
    /// Why.
    pub why: String,
}

/// One of the two states.
#[derive(Clone, Copy)]
pub struct State<'a> {
    /// A connection to it.
    pub connection: &'a Connection,
    /// The name under which another connection can attach it.
    pub uri: &'a str,
    /// How it stores text.
    pub encoding: TextEncoding,
    /// Its pages, which nobody writes meanwhile; none where only SQLite shall read it.
    pub pages: Option<&'a dyn Pages>,
}

impl<'a> State<'a> {
    /// What a snapshot holds, by a connection to it and its name.
    #[must_use]
    pub fn of(snapshot: &'a Snapshot, connection: &'a Connection, uri: &'a str) -> Self {
        Self { connection, uri, encoding: snapshot.facts().encoding, pages: Some(snapshot.pages()) }
    }
}

/// The two states, and how they are compared.
#[derive(Clone, Copy)]
pub struct States<'a> {
    /// The state before.
    pub before: State<'a>,
    /// The state after.
    pub after: State<'a>,
    /// The pages that differ; none where any page may.
    pub changed: Option<&'a PageSet>,
    /// The tool's own table, which is not the user's data.
    pub ledger: &'a str,
    /// How many of the rows that differ are kept to be shown.
    pub sampling: Sampling,
    /// How far what did not change is looked at.
    pub scope: Scope<'a>,
    /// The bytes that a comparison may take in memory.
    pub memory: u64,
    /// How long one statement that compares may take.
    pub time: Duration,
}

/// How far what did not change is looked at. What changed is read in every case.
#[derive(Clone, Copy)]
pub enum Scope<'a> {
    /// Every table is counted, everything is checked.
    Whole,
    /// Only tables of these names are counted although they did not change, and only what changed is checked.
    Changed(&'a BTreeSet<String>),
}

impl States<'_> {
    fn is_whole(&self) -> bool {
        matches!(self.scope, Scope::Whole)
    }

    /// In which text is compared: that of both sides, UTF-8 where they differ.
    fn encoding(&self) -> TextEncoding {
        if self.before.encoding == self.after.encoding { self.before.encoding } else { TextEncoding::Utf8 }
    }
}

impl Comparison {
    /// Compares the two states.
    ///
    /// # Errors
    /// When the schema before cannot be read. A table that cannot be read is listed in `not_compared`.
    pub fn between(states: States<'_>, execution: &Execution, observer: &dyn Observer) -> Result<Self, Error> {
        let before =
            Schema::read(states.before.connection).doing(|| "reading the schema of the snapshot".to_owned())?;
        // Whoever writes the schema by hand may have damaged what no page shows.
        let by_hand =
            |step: &Step| matches!(&step.statement.action, Action::Pragma { name, .. } if name == "writable_schema");
        let scope = if execution.steps.iter().any(by_hand) { Scope::Whole } else { states.scope };
        match Schema::read(states.after.connection) {
            Ok(after) => Ok(Self::of(States { scope, ..states }, (before, after), Some(execution), observer)),
            Err(error) => {
                let messages = integrity::check(states.before.connection, None).unwrap_or_default();
                Ok(Self::unreadable(before, &error, messages))
            }
        }
    }

    /// Whether nothing was found that differs, neither in rows nor in the schema.
    #[must_use]
    pub fn is_without_change(&self) -> bool {
        let keeps = |table: &TableComparison| table.rows.as_ref().is_none_or(|rows| rows.differences() == 0);
        self.schema_changes.is_empty()
            && self.schema_diff.is_empty()
            && self.not_compared.is_empty()
            && self.header.iter().all(|number| number.before == number.after)
            && self.tables.iter().all(keeps)
    }

    /// Compares two files of which nobody knows how one became the other. Where they store text in different encodings, it is
    /// compared as UTF-8.
    ///
    /// # Errors
    /// When a schema cannot be read. A table that cannot be read is listed in `not_compared`.
    pub fn of_files(states: States<'_>, observer: &dyn Observer) -> Result<Self, Error> {
        let schemas = (
            Schema::read(states.before.connection).doing(|| "reading the schema of the first file".to_owned())?,
            Schema::read(states.after.connection).doing(|| "reading the schema of the second file".to_owned())?,
        );
        for file in [states.before, states.after] {
            translation::prepare(file.connection, file.encoding).doing(|| "preparing the comparison".to_owned())?;
        }
        Ok(Self::of(states, schemas, None, observer))
    }

    fn of(
        states: States<'_>,
        (before, after): (Schema, Schema),
        execution: Option<&Execution>,
        observer: &dyn Observer,
    ) -> Self {
        let steps = execution.map(|execution| execution.steps.as_slice()).unwrap_or_default();
        let pairs = lineage::pairs(&before, &after, states.ledger, steps);
        let differing = Differing::between(states, steps);
        let mut comparer = Comparer {
            states,
            before: &before,
            after: &after,
            execution,
            differing: &differing,
            not_compared: Vec::new(),
        };
        // What SQLite says of the states takes as long as the comparison, and needs nothing of it.
        let (tables, checked) = std::thread::scope(|scope| {
            let checking = comparer.check(&pairs).map(|check| {
                let work = Work::begin(observer, Stage::Check, None);
                scope.spawn(move || {
                    let checked = check.run();
                    drop(work);
                    checked
                })
            });
            let tables = comparer.tables(&pairs, observer);
            (tables, checking.and_then(|checking| checking.join().ok()))
        });
        let checking = Work::begin(observer, Stage::Check, None);
        let integrity = comparer.integrity(&pairs, &tables, checked);
        drop(checking);
        let header = comparer.header();
        let stand_ins = stand_ins::of(&pairs, &after, states.after.connection);
        let not_compared = comparer.not_compared;
        Self {
            schema_changes: schema_changes(&before, &after, &pairs, states.ledger),
            schema_diff: changes::diff(&before, &after),
            broken_before: broken::objects(states.before.connection, &before),
            broken_after: broken::objects(states.after.connection, &after),
            header,
            stand_ins,
            tables,
            integrity,
            not_compared,
            is_whole: states.is_whole(),
            before,
            after,
        }
    }

    /// A copy whose schema SQLite cannot read any more, for example after a write to `sqlite_schema`: nothing in it can be compared.
    fn unreadable(before: Schema, error: &rusqlite::Error, messages_before: Vec<String>) -> Self {
        let after = vec![format!("the schema cannot be read: {}", without_value(&error.to_string()))];
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
            is_whole: false,
        }
    }

    /// The comparison of the table with this name before.
    #[must_use]
    pub fn table_before(&self, name: &str) -> Option<&TableComparison> {
        self.tables
            .iter()
            .find(|table| table.pair.before.as_ref().is_some_and(|before| before.eq_ignore_ascii_case(name)))
    }

    /// What became here of a table that was compared after another run on the same snapshot.
    #[must_use]
    pub fn same_table(&self, table: &TableComparison) -> Option<&TableComparison> {
        self.table_before(table.pair.before.as_ref()?)
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

    /// The rows that it holds after. Where it did not change and was not counted: those that it held before, as far as they were
    /// counted for `other`, what became of it in another run on the same snapshot.
    #[must_use]
    pub fn rows_after(&self, other: Option<&Self>) -> Option<u64> {
        let counted = self.after.as_ref().or_else(|| {
            let did_not_change = self.rows.is_some() && self.before.is_none();
            other.filter(|_| did_not_change)?.before.as_ref()
        });
        counted.map(|profile| profile.rows)
    }

    /// Whether its rows are those that it had and nothing else, but for rowids that SQLite gave out anew.
    #[must_use]
    pub fn only_moved(&self) -> bool {
        let moved = |rows: &RowComparison| rows.rowids_moved.is_some_and(|moved| moved > 0);
        self.keeps_its_rows() && self.rows.as_ref().is_some_and(moved)
    }

    /// Whether every row is there with the values that it had, and no other.
    #[must_use]
    pub fn keeps_its_rows(&self) -> bool {
        self.rows.as_ref().is_some_and(|rows| rows.differences() == 0)
    }

    /// The comparison of the column with this name before.
    #[must_use]
    pub fn column_before(&self, name: &str) -> Option<&ColumnComparison> {
        self.rows.as_ref()?.columns.iter().find(|column| column.before.eq_ignore_ascii_case(name))
    }
}

struct Comparer<'a> {
    states: States<'a>,
    before: &'a Schema,
    after: &'a Schema,
    /// The run between the two; none where nobody knows how one became the other.
    execution: Option<&'a Execution>,
    differing: &'a Differing<'a>,
    not_compared: Vec<NotCompared>,
}

/// One of the two sides.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Before,
    After,
}

impl Pair {
    fn name(&self, when: When) -> Option<&str> {
        match when {
            When::Before => self.before.as_deref(),
            When::After => self.after.as_deref(),
        }
    }
}

impl<'a> Comparer<'a> {
    fn words(&self, when: When) -> &'static str {
        match (when, self.execution) {
            (When::Before, Some(_)) => "before the migrations",
            (When::After, Some(_)) => "after the migrations",
            (When::Before, None) => "in the first file",
            (When::After, None) => "in the second file",
        }
    }

    fn tables(&mut self, pairs: &[Pair], observer: &dyn Observer) -> Vec<TableComparison> {
        let mut before = self.profiles(pairs, When::Before, &BTreeSet::new(), observer);
        // What could not be read before is said once.
        let unread = before.iter().filter(|(_, profile)| profile.is_none()).map(|(place, _)| *place).collect();
        let mut after = self.profiles(pairs, When::After, &unread, observer);
        let rows: Vec<u64> = (0..pairs.len())
            .map(|place| self.rows_to_compare(&pairs[place], before.get(&place), after.get(&place)))
            .collect();
        let mut behind = rows.iter().sum();
        let work = Work::begin(observer, Stage::Compare, Some(behind));
        let mut tables = Vec::with_capacity(pairs.len());
        for (place, pair) in pairs.iter().enumerate() {
            let profiles = [before.remove(&place).flatten(), after.remove(&place).flatten()];
            behind -= rows[place];
            if rows[place] > 0 {
                work.work_on(pair.name(When::After).or(pair.name(When::Before)).unwrap_or_default());
            }
            tables.push(self.table(pair, profiles, Place { work: &work, rows: rows[place], behind }));
            work.reach(work.total().unwrap_or_default() - behind);
        }
        tables
    }

    /// The rows of both sides that have to be brought together, each once.
    fn rows_to_compare(
        &self,
        pair: &Pair,
        before: Option<&Option<TableProfile>>,
        after: Option<&Option<TableProfile>>,
    ) -> u64 {
        match (before, after) {
            (Some(Some(before)), Some(Some(after))) if !self.is_same(pair) => before.rows + after.rows,
            _ => 0,
        }
    }

    /// What the tables of one side hold that are counted, by the place of their pair; none where a table cannot be read.
    fn profiles(
        &mut self,
        pairs: &[Pair],
        when: When,
        unread: &BTreeSet<usize>,
        observer: &dyn Observer,
    ) -> BTreeMap<usize, Option<TableProfile>> {
        let (state, schema) = self.side(when);
        let words = self.words(when);
        let counted = pairs.iter().enumerate().filter(|(place, pair)| !unread.contains(place) && self.is_counted(pair));
        let named = counted.filter_map(|(place, pair)| Some((place, schema.table(pair.name(when)?)?)));
        let (places, tables): (Vec<usize>, Vec<&Table>) = named.unzip();
        let read = match state.pages {
            Some(pages) => profile::of_tables(state.connection, pages, &tables, observer),
            None => tables.iter().map(|table| profile::of_table(state.connection, table)).collect(),
        };
        let why = format!("cannot be read {words}");
        let mut profiles = BTreeMap::new();
        for ((place, table), profile) in places.into_iter().zip(tables).zip(read) {
            let profile = profile.map_err(|error| self.not_compared(&table.name, &why, &error)).ok();
            profiles.insert(place, profile);
        }
        profiles
    }

    fn side(&self, when: When) -> (State<'a>, &'a Schema) {
        match when {
            When::Before => (self.states.before, self.before),
            When::After => (self.states.after, self.after),
        }
    }

    /// The table before and after.
    fn pair(&self, pair: &Pair) -> (Option<&'a Table>, Option<&'a Table>) {
        let old = pair.before.as_ref().and_then(|name| self.before.table(name));
        (old, pair.after.as_ref().and_then(|name| self.after.table(name)))
    }

    /// Whether its rows are counted: not those of others that it shows, which are compared themselves, and what did not change
    /// only where that is asked for.
    fn is_counted(&self, pair: &Pair) -> bool {
        let (old, new) = self.pair(pair);
        if [old, new].into_iter().flatten().any(Table::shows_others) {
            return false;
        }
        let is_asked_for = match self.states.scope {
            Scope::Whole => true,
            Scope::Changed(wanted) => wanted.iter().any(|name| pair.is_called(name)),
        };
        // Under its old name there may be another table now.
        is_asked_for || pair.change == Change::Renamed || !self.is_same(pair) || self.is_needed(pair)
    }

    /// Whether the rules ask how many rows it had although it did not change: a copy put it together with other tables, or a copy
    /// of it failed.
    fn is_needed(&self, pair: &Pair) -> bool {
        let reads = |step: &Step| match &step.statement.action {
            Action::Insert(Insert { select: Some(select), .. }) => {
                let is_united = select.from.is_none() && !select.joined;
                (is_united || step.error.is_some()) && select.tables.iter().any(|table| pair.is_called(table))
            }
            _ => false,
        };
        self.execution.is_some_and(|execution| execution.steps.iter().any(reads))
    }

    /// Whether no page of the table differs, and what is in them means the same.
    fn is_same(&self, pair: &Pair) -> bool {
        let (Some(old), Some(new)) = self.pair(pair) else { return false };
        match (&old.kind, &new.kind) {
            (TableKind::Virtual(_), _) | (_, TableKind::Virtual(_)) => {
                let (before, after) = (shadows(self.before, &old.name), shadows(self.after, &new.name));
                let mut kept = before.values().zip(after.values());
                old.sql == new.sql
                    && !before.is_empty()
                    && before.len() == after.len()
                    && kept.all(|(old, new)| old.sql == new.sql && self.differing.is_same(old.root_page, new.root_page))
            }
            _ => self.differing.is_same(old.root_page, new.root_page) && lie_alike(pair, old, new),
        }
    }

    fn table(
        &mut self,
        pair: &Pair,
        [before, after]: [Option<TableProfile>; 2],
        progress: Place<'_>,
    ) -> TableComparison {
        let (old, new) = self.pair(pair);
        if [old, new].into_iter().flatten().any(Table::shows_others) {
            return TableComparison::without_rows(pair);
        }
        let rows = match (old, new, &before, &after) {
            (Some(_), Some(_), None, None) if !self.is_counted(pair) => Some(unchanged(pair, 0)),
            (Some(_), Some(_), Some(held), Some(_)) if self.is_same(pair) => Some(unchanged(pair, held.rows)),
            (Some(old), Some(new), Some(held), Some(holds)) => self.rows(pair, (old, held), (new, holds), progress),
            _ => None,
        };
        let sequence = old.zip(new).and_then(|(old, new)| self.sequence(old, new));
        let takeover = old.and_then(|table| self.takeover(pair, table));
        let gone = old.map(|table| self.gone(pair, table)).unwrap_or_default();
        let moved_out = old.filter(|_| new.is_some()).map(|table| self.moved_out(pair, table)).unwrap_or_default();
        let computed = old.zip(new).map(|(old, new)| self.computed(pair, old, new)).unwrap_or_default();
        let lost = rows.as_ref().is_some_and(|rows| rows.lost > 0);
        let archived = old.filter(|_| lost).and_then(|table| self.archived(pair, table));
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

    fn sequence(&mut self, old: &Table, new: &Table) -> Option<Sequence> {
        let last = |connection, table: &Table| {
            let key = table.rowid_alias.as_ref().filter(|_| table.autoincrement)?;
            Some(sequence::last_id(connection, &table.name, key))
        };
        let both = last(self.states.before.connection, old).zip(last(self.states.after.connection, new))?;
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
        let said = without_value(&error.to_string());
        self.not_compared.push(NotCompared { what: what.to_owned(), why: format!("{why}: {said}{hint}") });
    }

    fn rows(
        &mut self,
        pair: &Pair,
        (old, held): (&Table, &TableProfile),
        (new, holds): (&Table, &TableProfile),
        progress: Place<'_>,
    ) -> Option<RowComparison> {
        if pair.columns.is_empty() {
            return self.without_common_column(new, held.rows, holds.rows);
        }
        let no_null = |before: &str, after: &str| {
            [held.column(before), holds.column(after)]
                .iter()
                .all(|column| column.is_some_and(|column| column.nulls == 0))
        };
        let encoding = self.states.encoding();
        let leaves = Some(self.differing).filter(|_| lie_alike(pair, old, new));
        let leaves = leaves.and_then(|differing| differing.leaves(old.root_page, new.root_page));
        let (only_before, only_after) = leaves.unzip();
        let stored_before = Stored::of(self.states.before, old, only_before);
        let stored_after = Stored::of(self.states.after, new, only_after);
        let before = Side { stored: stored_before.as_ref(), ..Side::of(self.states.before, old) };
        let after = Side { stored: stored_after.as_ref(), ..Side::of(self.states.after, new) };
        let defaults = defaults::literals(new, &pair.columns, encoding);
        let table = rows::Tables {
            before,
            after,
            columns: &pair.columns,
            defaults: &defaults,
            encoding,
            sampling: self.states.sampling,
            rows_before: held.rows,
            memory: self.states.memory,
            progress,
        };
        if self.execution.is_none() && (old.is_contentless() || new.is_contentless()) {
            self.index_without_content(old, new);
        }
        table
            .compare(self.rowids(pair), &no_null)
            .and_then(|rows| if self.only_keys_came(pair, &rows) { table.with_gone_values(rows) } else { Ok(rows) })
            .and_then(|rows| {
                if before.encoding == after.encoding {
                    distinct::find_collapsed(self.states, (before, held), (after, holds), rows)
                } else {
                    Ok(rows)
                }
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
        let unseen = Work::new(Stage::Compare, None);
        for (before, after) in before.into_values().zip(after.into_values()) {
            let columns: Vec<_> =
                before.columns.iter().map(|column| (column.name.clone(), column.name.clone())).collect();
            let tables = rows::Tables {
                before: Side::of(self.states.before, before),
                after: Side::of(self.states.after, after),
                columns: &columns,
                defaults: &[],
                sampling: Sampling::None,
                encoding: self.states.encoding(),
                rows_before: 0,
                memory: 0,
                progress: Place { work: &unseen, rows: 0, behind: 0 },
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
            by_sqlite: false,
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

    /// Whether rows have a key that was not there although none was inserted: an UPDATE wrote it.
    fn only_keys_came(&self, pair: &Pair, rows: &RowComparison) -> bool {
        let steps = self.execution.map(|execution| execution.steps.as_slice()).unwrap_or_default();
        let mine = steps.iter().flat_map(|step| &step.changes).filter(|change| pair.is_called(&change.table));
        matches!(rows.key, Key::Columns(_)) && rows.gained > 0 && only_updated(mine)
    }

    fn header(&mut self) -> Vec<HeaderNumber> {
        let states = self.states;
        let read =
            |connection: &Connection, pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
        let mut numbers = Vec::new();
        for pragma in ["user_version", "application_id"] {
            match read(states.before.connection, pragma)
                .and_then(|before| Ok((before, read(states.after.connection, pragma)?)))
            {
                Ok((before, after)) => numbers.push(HeaderNumber { pragma, before, after }),
                Err(error) => self.not_compared(pragma, "it cannot be read", &error),
            }
        }
        numbers
    }
}

/// Whether equal records of the two mean equal values in every column that is on both sides, for who knows the columns by their
/// names too.
fn lie_alike(pair: &Pair, old: &Table, new: &Table) -> bool {
    let has_kept_names = pair.columns.iter().all(|(before, after)| before == after);
    if has_kept_names && !old.sql.is_empty() && old.sql == new.sql {
        return true;
    }
    let places = |table: &Table| -> BTreeMap<String, usize> {
        table.columns.iter().enumerate().map(|(place, column)| (column.name.clone(), place)).collect()
    };
    let (old_places, new_places) = (places(old), places(new));
    let alike = |(before, after): &(String, String)| {
        let places = old_places.get(before).zip(new_places.get(after));
        places.is_some_and(|(one, other)| {
            let (one_column, other_column) = (&old.columns[*one], &new.columns[*other]);
            one == other
                && one_column.declared_type == other_column.declared_type
                && one_column.default == other_column.default
                && one_column.expression == other_column.expression
        })
    };
    let names: BTreeSet<String> = pair.columns.iter().map(|(before, _)| before.to_ascii_lowercase()).collect();
    let is_namesake = |(before, after): &(String, String)| {
        !before.eq_ignore_ascii_case(after) && names.contains(&after.to_ascii_lowercase())
    };
    let keys = |table: &Table, places: &BTreeMap<String, usize>| -> Vec<Option<usize>> {
        table.primary_key.iter().map(|name| places.get(name).copied()).collect()
    };
    (old.without_rowid, old.strict) == (new.without_rowid, new.strict)
        && keys(old, &old_places) == keys(new, &new_places)
        && old.rowid_alias.is_some() == new.rowid_alias.is_some()
        && pair.columns.iter().all(|columns| alike(columns) && !is_namesake(columns))
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
        by_sqlite: false,
    }
    .with_columns(pair)
}

impl RowComparison {
    fn with_columns(mut self, pair: &Pair) -> Self {
        self.columns = pair.columns.iter().map(|(before, after)| ColumnComparison::new(before, after)).collect();
        self
    }
}

fn schema_changes(before: &Schema, after: &Schema, pairs: &[Pair], ledger: &str) -> Vec<changes::Change> {
    let names = Renamed::of(pairs);
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
    let of_the_tool = |change: &changes::Change| change.kind == Kind::Index && is_bookkeeping(&change.table, ledger);
    changes.extend(changes::of_objects(before, after, &names).into_iter().filter(|change| !of_the_tool(change)));
    changes
}

/// What tables and columns are called after.
struct Renamed<'a>(BTreeMap<String, &'a Pair>);

impl<'a> Renamed<'a> {
    fn of(pairs: &'a [Pair]) -> Self {
        let named = pairs.iter().filter_map(|pair| Some((pair.before.as_ref()?.to_ascii_lowercase(), pair)));
        // Of several the first, as everywhere.
        Self(named.rev().collect())
    }

    fn pair(&self, table: &str) -> Option<&Pair> {
        self.0.get(&table.to_ascii_lowercase()).copied()
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
