//! The queries of the app against the schema before and after: does each still compile, to the same columns, into the same table columns,
//! with a plan that is as good?
//!
//! A query is compiled and never run, but for one that a comment marks as one whose result shall stay. Where SQLite lacks a function or a
//! collation that the app registers, one that nobody calls stands in for it.

mod compile;
mod insert;
pub mod plan;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rusqlite::Connection;

use super::Comparison;
use super::queries::{Answer, Question, ask};
use crate::error::{Doing as _, Error};
use crate::execution::driver::DoubleQuoted;
use crate::observer::{Observer, Stage, Work};
use crate::queries::{Queries, Query, sqlc};
use crate::schema::changes::{How, Kind};
use crate::schema::lexer::quote_identifier;
use crate::snapshot::within_time;
use compile::{Compiled, Failure, Side};
pub use insert::{Shifted, positional_insert};
use plan::Slower;

/// How the app's connection is set.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    /// Where a double-quoted name that is no column is a string.
    pub strings: DoubleQuoted,
    /// Whether foreign keys are enforced.
    pub foreign_keys: bool,
}

/// What became of one query.
#[derive(Debug, Clone, PartialEq)]
pub struct Checked {
    /// On which side it works.
    pub works: Works,
    /// Its result columns before and after, where they differ.
    pub columns: Option<(Vec<String>, Vec<String>)>,
    /// Where an INSERT puts a value into another column than before.
    pub shifted: Option<Shifted>,
    /// Tables that its plan read by an index, and reads whole after.
    pub slower: Vec<Slower>,
    /// What came out on both sides, where it is marked and compiles on both.
    pub answer: Option<Answer>,
}

/// On which side a query works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Works {
    /// On both.
    Both,
    /// Before only; this is wrong after.
    Before(Wrong),
    /// After only; this is wrong before.
    After(Wrong),
    /// On neither.
    Neither {
        /// What SQLite says before.
        before: String,
        /// What it says after.
        after: String,
    },
    /// Not known; this is why.
    Unknown(String),
}

/// Why a query does not do what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// SQLite refuses it.
    Refused(String),
    /// The name in double quotes is no column there, so that it is read as a string.
    IsString(String),
    /// An INSERT gives no value for this column, which must have one.
    LacksValue(String),
    /// `*`, which is written out in the app's code, names these columns, and they are not there.
    StarNames(Vec<String>),
}

/// Checks every query, within `time` for all of them. `connect` gives a connection to each state.
///
/// # Errors
/// Where the states cannot be opened.
pub fn check(
    queries: &Queries,
    connect: impl Fn() -> Result<(Connection, Connection), Error>,
    comparison: &Comparison,
    settings: Settings,
    time: Duration,
    observer: &dyn Observer,
) -> Result<Vec<Checked>, Error> {
    let doing = || "checking the queries of the app".to_owned();
    let begun = Instant::now();
    let (before, after) = connect()?;
    let (before, after) = (Side::on(before, settings).doing(doing)?, Side::on(after, settings).doing(doing)?);
    let interrupts = vec![before.connection.get_interrupt_handle(), after.connection.get_interrupt_handle()];
    let work = Work::begin(observer, Stage::Queries, Some(queries.list.len() as u64));
    let mut checker = Checker { before, after, comparison, counted: BTreeMap::new(), begun, time };
    let check = |query: &Query| {
        work.add(1);
        checker.check(query)
    };
    let (mut checked, _) = within_time(time, interrupts, || queries.list.iter().map(check).collect::<Vec<_>>());
    ask_marked(queries, &mut checked, &connect, settings, time.saturating_sub(begun.elapsed()))?;
    Ok(checked)
}

/// Runs the marked queries that compile on both sides.
fn ask_marked(
    queries: &Queries,
    checked: &mut [Checked],
    connect: &impl Fn() -> Result<(Connection, Connection), Error>,
    settings: Settings,
    time: Duration,
) -> Result<(), Error> {
    let marked: Vec<(&Query, &mut Checked)> = queries
        .list
        .iter()
        .zip(checked)
        .filter(|(query, checked)| query.marked && checked.works == Works::Both)
        .collect();
    if marked.is_empty() {
        return Ok(());
    }
    let question = |query: &Query| Question { sql: query.sql().into_owned(), same: true, is: None };
    let questions: Vec<Question> = marked.iter().map(|(query, _)| question(query)).collect();
    let (before, after) = connect()?;
    for connection in [&before, &after] {
        compile::configure(connection, settings).doing(|| "comparing results of queries of the app".to_owned())?;
    }
    for ((_, checked), answer) in marked.into_iter().zip(ask(&questions, &before, &after, time)) {
        checked.answer = Some(answer);
    }
    Ok(())
}

struct Checker<'a> {
    before: Side,
    after: Side,
    comparison: &'a Comparison,
    /// Rows of tables that were not counted before.
    counted: BTreeMap<String, Option<u64>>,
    begun: Instant,
    time: Duration,
}

impl Checker<'_> {
    fn check(&mut self, query: &Query) -> Checked {
        let unknown = |why: String| Checked::of(Works::Unknown(why));
        if self.begun.elapsed() >= self.time {
            return unknown("the time limit of all queries is over".to_owned());
        }
        let sql = query.sql();
        match (self.before.compile(&sql), self.after.compile(&sql)) {
            (Err(Failure::Unknown(why)), _) | (_, Err(Failure::Unknown(why))) => unknown(why),
            (Err(Failure::Refused(before)), Err(Failure::Refused(after))) => {
                Checked::of(Works::Neither { before, after })
            }
            (Ok(_), Err(Failure::Refused(why))) => Checked::of(Works::Before(Wrong::Refused(why))),
            (Err(Failure::Refused(why)), Ok(_)) => Checked::of(Works::After(Wrong::Refused(why))),
            (Ok(before), Ok(after)) => self.compare(query, &sql, before, after),
        }
    }

    fn compare(&mut self, query: &Query, sql: &str, before: Compiled, after: Compiled) -> Checked {
        if let Some(works) = self.string_on_one_side(sql) {
            return Checked::of(works);
        }
        if let Some(works) = insert::value_on_one_side(sql, self.comparison) {
            return Checked::of(works);
        }
        let differ = before.columns != after.columns;
        if differ && query.by_sqlc && sqlc::has_star(&query.text) {
            let (gone, new) = (only_in(&before.columns, &after.columns), only_in(&after.columns, &before.columns));
            if !gone.is_empty() {
                return Checked::of(Works::Before(Wrong::StarNames(gone)));
            }
            if !new.is_empty() {
                return Checked::of(Works::After(Wrong::StarNames(new)));
            }
        }
        let shifted = insert::shifted(sql, self.comparison);
        let slower = self.slower(sql, &before, &after);
        let columns = (differ && !query.by_sqlc).then_some((before.columns, after.columns));
        Checked { columns, shifted, slower, ..Checked::of(Works::Both) }
    }

    /// Where a name in double quotes is a column on one side and a string on the other, of which SQLite says nothing.
    fn string_on_one_side(&self, sql: &str) -> Option<Works> {
        let (before, after) = (self.before.strings(sql), self.after.strings(sql));
        let only_in = |one: &[String], other: &[String]| one.iter().find(|name| !other.contains(name)).cloned();
        let works_before = only_in(&after, &before).map(|name| Works::Before(Wrong::IsString(name)));
        works_before.or_else(|| only_in(&before, &after).map(|name| Works::After(Wrong::IsString(name))))
    }

    /// Where the plan got worse, with the rows that are read now.
    fn slower(&mut self, sql: &str, before: &Compiled, after: &Compiled) -> Vec<Slower> {
        let (mut found, faster) = plan::differences(sql, &before.plan, &after.plan, self.comparison);
        if found.is_empty() {
            return found;
        }
        for slower in &mut found {
            slower.index_gone = slower.index_gone.take().filter(|index| !self.after.has_index(index));
            let Some(table) = &slower.table else { continue };
            slower.rows = self.rows(table);
            let had = self.before.has_statistics(table) && !self.after.has_statistics(table);
            slower.statistics_lost = had && !is_searched_otherwise(table, self.comparison);
        }
        let spared = faster.iter().filter_map(|table| self.rows(table)).max();
        // Two tables of a join changed places, for the better.
        found.retain(|slower| spared.zip(slower.rows).is_none_or(|(spared, rows)| spared < rows));
        found
    }

    /// Rows of a table after.
    fn rows(&mut self, table: &str) -> Option<u64> {
        let profile = self.comparison.table_after(table).and_then(|table| table.after.as_ref());
        let count = || {
            let sql = format!("SELECT count(*) FROM {}", quote_identifier(table));
            self.after.connection.query_row(&sql, [], |row| row.get::<_, i64>(0)).ok().map(i64::unsigned_abs)
        };
        profile.map(|profile| profile.rows).or_else(|| *self.counted.entry(table.to_owned()).or_insert_with(count))
    }
}

impl Checked {
    /// Whether there is nothing to tell of it.
    #[must_use]
    pub fn is_fine(&self) -> bool {
        let stays = |answer: &Answer| {
            matches!(answer, Answer::Asked { before: Some(Ok(_)), after: Ok(_), difference: None, .. })
        };
        self.works == Works::Both
            && self.columns.is_none()
            && self.shifted.is_none()
            && self.slower.is_empty()
            && self.answer.as_ref().is_none_or(stays)
    }

    fn of(works: Works) -> Self {
        Self { works, columns: None, shifted: None, slower: Vec::new(), answer: None }
    }
}

/// Whether a type, a collation or an index of the table is another one, so that an index may not help whatever is known of its rows.
fn is_searched_otherwise(table: &str, comparison: &Comparison) -> bool {
    comparison.schema_changes.iter().any(|change| {
        let is_other = match change.kind {
            Kind::Type | Kind::Collation => true,
            Kind::Index => change.how == How::Changed,
            _ => false,
        };
        is_other && change.table.eq_ignore_ascii_case(table)
    })
}

/// Names of the first list that the second has not, or not as often, in order.
#[must_use]
pub fn only_in(one: &[String], other: &[String]) -> Vec<String> {
    let mut left: Vec<&String> = other.iter().collect();
    let mut missing = Vec::new();
    for name in one {
        match left.iter().position(|other| other.eq_ignore_ascii_case(name)) {
            Some(at) => _ = left.remove(at),
            None => missing.push(name.clone()),
        }
    }
    missing
}

#[cfg(test)]
mod tests;
