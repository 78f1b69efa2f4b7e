//! Queries of the user, run on both states: is the complete result the same, or the one that is wanted?
//!
//! A row is kept as a fingerprint of its storage classes and bytes, never as values, and a result of any length takes bounded
//! memory. The order of rows counts where the query says ORDER BY.

use std::time::{Duration, Instant};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode};
use xxhash_rust::xxh3::Xxh3;

use crate::execution::error_message;
use crate::schema::lexer::{self, Token, TokenKind};
use crate::snapshot::within_time;
use crate::units::in_words;

/// Fingerprints that are kept of one result, to count how many rows differ: 32 MB.
const MOST_PRINTS: usize = 2_000_000;
/// How long a query may run on one state.
const TIME_LIMIT: Duration = Duration::from_mins(1);

/// A query and what is wanted of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// One statement that reads: SELECT, WITH or VALUES.
    pub sql: String,
    /// Whether it is asked before too, to see whether the result stays.
    pub same: bool,
    /// What the result after shall be.
    pub is: Option<Wanted>,
}

/// What a result shall be.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// One row with this one value.
    Value(Cell),
    /// These rows.
    Rows(Vec<Vec<Cell>>),
    /// One row with one number that is not outside these bounds.
    Within {
        /// The least that is allowed.
        at_least: Option<f64>,
        /// The most that is allowed.
        at_most: Option<f64>,
    },
}

/// A value that a person wrote.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// NULL.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number with a point.
    Real(f64),
    /// A text.
    Text(String),
}

/// What became of a question.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// It is not one statement that reads; this says why.
    Refused(String),
    /// It was asked.
    Asked {
        /// What came out before, where that was asked, or what SQLite said.
        before: Option<Result<Extent, String>>,
        /// What came out after, or what SQLite said.
        after: Result<Extent, String>,
        /// How the results differ, where both are there and do.
        difference: Option<Difference>,
        /// How the result after is not the wanted one.
        miss: Option<Miss>,
    },
}

/// The size of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Rows.
    pub rows: u64,
    /// Columns.
    pub columns: usize,
}

/// How two results differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Difference {
    /// Another number of columns.
    Columns,
    /// The same rows in another order, where the query says ORDER BY.
    Order,
    /// So many rows are only in the result before, so many only in the result after.
    Rows {
        /// Only before.
        lost: u64,
        /// Only after.
        gained: u64,
    },
    /// Too many rows to count those that differ.
    Uncounted,
}

/// How a result is not the wanted one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// It is not one row with one value.
    NotOneValue,
    /// It is one value, and another one.
    AnotherValue,
    /// It is no number.
    NotANumber,
    /// It is less than `at_least`.
    TooLittle,
    /// It is more than `at_most`.
    TooMuch,
    /// It has other rows.
    Rows(Difference),
}

/// Asks every question of both states, within `time` for all of them.
#[must_use]
pub fn ask(questions: &[Question], before: &Connection, after: &Connection, time: Duration) -> Vec<Answer> {
    let begun = Instant::now();
    let left = || time.saturating_sub(begun.elapsed()).min(TIME_LIMIT);
    questions.iter().map(|question| question.ask(before, after, &left)).collect()
}

impl Question {
    fn ask(&self, before: &Connection, after: &Connection, left: &dyn Fn() -> Duration) -> Answer {
        let ordered = match shape(&self.sql) {
            Ok(ordered) => ordered,
            Err(why) => return Answer::Refused(why.to_owned()),
        };
        let was = self.same.then(|| read(before, &self.sql, left()));
        let is = read(after, &self.sql, left());
        for side in was.iter().chain([&is]) {
            if let Err(Failure::Refused(why)) = side {
                return Answer::Refused((*why).to_owned());
            }
        }
        let difference = match (&was, &is) {
            (Some(Ok(was)), Ok(is)) => was.difference(is, ordered),
            _ => None,
        };
        let miss = match (&self.is, &is) {
            (Some(wanted), Ok(is)) => wanted.miss(is, ordered),
            _ => None,
        };
        let told = |side: Result<Reading, Failure>| side.map(|reading| reading.extent).map_err(Failure::message);
        Answer::Asked { before: was.map(told), after: told(is), difference, miss }
    }
}

/// Whether the order of its rows counts; else why it is not one statement that reads.
fn shape(sql: &str) -> Result<bool, &'static str> {
    let tokens: Vec<Token> = lexer::tokens(sql).filter(|token| !token.is_trivia()).collect();
    let Some(first) = tokens.first() else { return Err("it is empty") };
    if !["SELECT", "WITH", "VALUES"].iter().any(|keyword| first.is_word(sql, keyword)) {
        return Err("only SELECT, WITH and VALUES are run");
    }
    let end = tokens.iter().position(|token| token.kind == TokenKind::Semicolon).unwrap_or(tokens.len());
    if tokens[end..].iter().any(|token| token.kind != TokenKind::Semicolon) {
        return Err("it is more than one statement");
    }
    Ok(is_ordered(sql, &tokens))
}

/// Whether ORDER BY stands outside of all parentheses.
fn is_ordered(sql: &str, tokens: &[Token]) -> bool {
    let mut depth = 0_usize;
    tokens.windows(2).any(|pair| {
        match pair[0].kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && pair[0].is_word(sql, "ORDER") && pair[1].is_word(sql, "BY")
    })
}

/// Why there is no result.
enum Failure {
    /// It does not only read.
    Refused(&'static str),
    /// What SQLite said.
    Sqlite(String),
}

impl Failure {
    fn message(self) -> String {
        match self {
            Self::Refused(why) => why.to_owned(),
            Self::Sqlite(message) => message,
        }
    }
}

/// A result that was read to its end.
struct Reading {
    extent: Extent,
    /// The fingerprint of every row in order, as long as there are not too many.
    prints: Vec<u128>,
    /// Of all fingerprints, whatever their order.
    sum: u128,
    /// Of all fingerprints in their order.
    chain: Xxh3,
    /// The value, where the result is one number.
    number: Option<f64>,
}

fn read(connection: &Connection, sql: &str, time: Duration) -> Result<Reading, Failure> {
    let (reading, _) = within_time(time, vec![connection.get_interrupt_handle()], || read_rows(connection, sql));
    reading
        .map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) if time < Duration::from_secs(1) => {
                Failure::Sqlite("the time limit of all queries is over".to_owned())
            }
            Some(ErrorCode::OperationInterrupted) => {
                Failure::Sqlite(format!("it ran longer than {}", in_words(Duration::from_secs(time.as_secs()))))
            }
            _ => Failure::Sqlite(error_message(&error, sql, connection)),
        })?
        .map_err(Failure::Refused)
}

fn read_rows(connection: &Connection, sql: &str) -> rusqlite::Result<Result<Reading, &'static str>> {
    let mut statement = connection.prepare(sql)?;
    if !statement.readonly() {
        return Ok(Err("it writes"));
    }
    if statement.parameter_count() > 0 {
        return Ok(Err("it has parameters, and nothing can be bound to them"));
    }
    let columns = statement.column_count();
    let mut reading =
        Reading { extent: Extent { rows: 0, columns }, prints: Vec::new(), sum: 0, chain: Xxh3::new(), number: None };
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let mut print = Print::default();
        for column in 0..columns {
            print.add(row.get_ref(column)?);
        }
        reading.add(print.finish());
        reading.number = match (reading.extent, row.get_ref(0)?) {
            (Extent { rows: 1, columns: 1 }, ValueRef::Real(real)) => Some(real),
            #[expect(clippy::cast_precision_loss, reason = "bounds are compared as numbers, not bit by bit")]
            (Extent { rows: 1, columns: 1 }, ValueRef::Integer(integer)) => Some(integer as f64),
            _ => None,
        };
    }
    Ok(Ok(reading))
}

impl Reading {
    fn add(&mut self, print: u128) {
        self.extent.rows += 1;
        self.sum = self.sum.wrapping_add(print);
        self.chain.update(&print.to_le_bytes());
        if self.prints.len() < MOST_PRINTS {
            self.prints.push(print);
        }
    }

    fn is_complete(&self) -> bool {
        self.prints.len() as u64 == self.extent.rows
    }

    fn difference(&self, after: &Self, ordered: bool) -> Option<Difference> {
        let rows_stay = (self.sum, self.extent.rows) == (after.sum, after.extent.rows);
        let order_stays = !ordered || self.chain.digest128() == after.chain.digest128();
        if self.extent.columns != after.extent.columns {
            Some(Difference::Columns)
        } else if rows_stay {
            (!order_stays).then_some(Difference::Order)
        } else if self.is_complete() && after.is_complete() {
            let (lost, gained) = only_on_one_side(self.prints.clone(), after.prints.clone());
            Some(Difference::Rows { lost, gained })
        } else {
            Some(Difference::Uncounted)
        }
    }
}

/// How many are only in the first list, how many only in the second.
fn only_on_one_side(mut one: Vec<u128>, mut other: Vec<u128>) -> (u64, u64) {
    one.sort_unstable();
    other.sort_unstable();
    let (mut left, mut right) = (one.iter().peekable(), other.iter().peekable());
    let (mut only_left, mut only_right) = (0, 0);
    loop {
        match (left.peek(), right.peek()) {
            (None, None) => return (only_left, only_right),
            (Some(a), Some(b)) if a == b => {
                left.next();
                right.next();
            }
            (Some(a), b) if b.is_none_or(|b| a < b) => {
                only_left += 1;
                left.next();
            }
            _ => {
                only_right += 1;
                right.next();
            }
        }
    }
}

impl Wanted {
    fn miss(&self, found: &Reading, ordered: bool) -> Option<Miss> {
        let is_one_value = found.extent == Extent { rows: 1, columns: 1 };
        match self {
            Self::Rows(rows) => {
                let columns = rows.first().map_or(found.extent.columns, Vec::len);
                wanted_reading(columns, rows).difference(found, ordered).map(Miss::Rows)
            }
            _ if !is_one_value => Some(Miss::NotOneValue),
            Self::Value(cell) => {
                let wanted = wanted_reading(1, &[vec![cell.clone()]]);
                (wanted.sum != found.sum).then_some(Miss::AnotherValue)
            }
            Self::Within { at_least, at_most } => match found.number {
                None => Some(Miss::NotANumber),
                Some(number) if at_least.is_some_and(|least| number < least) => Some(Miss::TooLittle),
                Some(number) if at_most.is_some_and(|most| number > most) => Some(Miss::TooMuch),
                Some(_) => None,
            },
        }
    }
}

/// Wanted rows as if they had been read.
fn wanted_reading(columns: usize, rows: &[Vec<Cell>]) -> Reading {
    let extent = Extent { rows: 0, columns };
    let mut reading = Reading { extent, prints: Vec::new(), sum: 0, chain: Xxh3::new(), number: None };
    for row in rows {
        let mut print = Print::default();
        for cell in row {
            print.add(match cell {
                Cell::Null => ValueRef::Null,
                Cell::Integer(integer) => ValueRef::Integer(*integer),
                Cell::Real(real) => ValueRef::Real(*real),
                Cell::Text(text) => ValueRef::Text(text.as_bytes()),
            });
        }
        reading.add(print.finish());
    }
    reading
}

/// A row under way: storage class, length and bytes of each value, so that no two different rows are written alike.
#[derive(Default)]
struct Print {
    hasher: Xxh3,
}

impl Print {
    fn add(&mut self, value: ValueRef<'_>) {
        match value {
            ValueRef::Null => self.write(0, &[]),
            ValueRef::Integer(integer) => self.write(1, &integer.to_le_bytes()),
            ValueRef::Real(real) => self.write(2, &real.to_bits().to_le_bytes()),
            ValueRef::Text(bytes) => self.write(3, bytes),
            ValueRef::Blob(bytes) => self.write(4, bytes),
        }
    }

    fn write(&mut self, class: u8, bytes: &[u8]) {
        self.hasher.update(&[class]);
        self.hasher.update(&(bytes.len() as u64).to_le_bytes());
        self.hasher.update(bytes);
    }

    fn finish(self) -> u128 {
        self.hasher.digest128()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(before: &str, after: &str, question: &Question) -> Answer {
        let state = |sql: &str| {
            let connection = Connection::open_in_memory().unwrap();
            connection.execute_batch(sql).unwrap();
            connection.pragma_update(None, "query_only", true).unwrap();
            connection
        };
        question.ask(&state(before), &state(after), &|| TIME_LIMIT)
    }

    fn same(before: &str, after: &str, sql: &str) -> Option<Difference> {
        let question = Question { sql: sql.to_owned(), same: true, is: None };
        match asked(before, after, &question) {
            Answer::Asked { difference, .. } => difference,
            Answer::Refused(why) => panic!("{why}"),
        }
    }

    fn missed(state: &str, sql: &str, is: Wanted) -> Option<Miss> {
        let question = Question { sql: sql.to_owned(), same: false, is: Some(is) };
        match asked("", state, &question) {
            Answer::Asked { after: Ok(_), miss, .. } => miss,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_order_counts_only_where_it_is_asked_for() {
        let (before, after) =
            ("CREATE TABLE t(a); INSERT INTO t VALUES (1),(2)", "CREATE TABLE t(a); INSERT INTO t VALUES (2),(1)");
        assert_eq!(same(before, after, "SELECT a FROM t"), None);
        assert_eq!(same(before, after, "SELECT a FROM (SELECT a FROM t ORDER BY 1)"), None);
        assert_eq!(same(before, after, "SELECT a FROM t ORDER BY rowid"), Some(Difference::Order));
    }

    #[test]
    fn storage_class_and_bytes_count() {
        let table = |value: &str| format!("CREATE TABLE t(a); INSERT INTO t VALUES ('x'), ({value})");
        for (one, other) in
            [("'1'", "1"), ("1", "1.0"), ("0.0", "-0.0"), ("'a'", "x'61'"), ("NULL", "''"), ("'a'", "'a' || char(0)")]
        {
            let found = same(&table(one), &table(other), "SELECT a FROM t");
            assert_eq!(found, Some(Difference::Rows { lost: 1, gained: 1 }), "{one} and {other}");
        }
        let swapped = same(
            "CREATE TABLE t(a, b); INSERT INTO t VALUES ('a', 'bc')",
            "CREATE TABLE t(a, b); INSERT INTO t VALUES ('ab', 'c')",
            "SELECT a, b FROM t",
        );
        assert_eq!(swapped, Some(Difference::Rows { lost: 1, gained: 1 }));
    }

    #[test]
    fn rows_count_as_often_as_they_are_there() {
        let (once, twice) =
            ("CREATE TABLE t(a); INSERT INTO t VALUES (1)", "CREATE TABLE t(a); INSERT INTO t VALUES (1),(1)");
        assert_eq!(same(once, twice, "SELECT a FROM t"), Some(Difference::Rows { lost: 0, gained: 1 }));
        assert_eq!(same(twice, once, "SELECT a FROM t"), Some(Difference::Rows { lost: 1, gained: 0 }));
        assert_eq!(same(once, once, "SELECT a FROM t"), None);
    }

    #[test]
    fn a_result_of_other_columns_is_another_one() {
        let found = same("CREATE TABLE t(a)", "CREATE TABLE t(a, b)", "SELECT * FROM t");
        assert_eq!(found, Some(Difference::Columns), "even without rows");
    }

    #[test]
    fn only_one_statement_that_reads_is_run() {
        for (sql, why) in [
            ("DELETE FROM t", "only SELECT, WITH and VALUES are run"),
            ("PRAGMA user_version = 3", "only SELECT, WITH and VALUES are run"),
            ("EXPLAIN SELECT 1", "only SELECT, WITH and VALUES are run"),
            ("ATTACH 'x' AS y", "only SELECT, WITH and VALUES are run"),
            ("SELECT 1; SELECT 2", "it is more than one statement"),
            ("SELECT 1; DELETE FROM t", "it is more than one statement"),
            ("WITH x AS (SELECT 1) DELETE FROM t", "it writes"),
            ("SELECT ?1", "it has parameters, and nothing can be bound to them"),
            (" -- nothing\n", "it is empty"),
        ] {
            let question = Question { sql: sql.to_owned(), same: true, is: None };
            let answer = asked("CREATE TABLE t(a)", "CREATE TABLE t(a)", &question);
            assert_eq!(answer, Answer::Refused(why.to_owned()), "{sql}");
        }
        assert_eq!(same("", "", "SELECT 1; -- the end\n"), None);
        assert_eq!(same("", "", "VALUES (1), (2)"), None);
    }

    #[test]
    fn what_fails_on_one_side_says_so() {
        let question = Question { sql: "SELECT b FROM t".to_owned(), same: true, is: None };
        match asked("CREATE TABLE t(a, b)", "CREATE TABLE t(a)", &question) {
            Answer::Asked { before: Some(Ok(_)), after: Err(message), .. } => {
                assert!(message.starts_with("no such column: b"), "{message}");
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_wanted_result_is_met_or_missed() {
        let state = "CREATE TABLE t(a, b); INSERT INTO t VALUES (1, 'x'), (2, NULL)";
        let rows =
            |rows: &[(i64, Cell)]| Wanted::Rows(rows.iter().map(|(a, b)| vec![Cell::Integer(*a), b.clone()]).collect());
        let (x, null) = (Cell::Text("x".into()), Cell::Null);
        assert_eq!(missed(state, "SELECT count(*) FROM t", Wanted::Value(Cell::Integer(2))), None);
        assert_eq!(
            missed(state, "SELECT count(*) FROM t", Wanted::Value(Cell::Text("2".into()))),
            Some(Miss::AnotherValue)
        );
        assert_eq!(missed(state, "SELECT a FROM t", Wanted::Value(Cell::Integer(1))), Some(Miss::NotOneValue));
        assert_eq!(missed(state, "SELECT a, b FROM t", rows(&[(2, null.clone()), (1, x.clone())])), None);
        let in_order = missed(state, "SELECT a, b FROM t ORDER BY a", rows(&[(2, null), (1, x.clone())]));
        assert_eq!(in_order, Some(Miss::Rows(Difference::Order)));
        let short = missed(state, "SELECT a, b FROM t", rows(&[(1, x)]));
        assert_eq!(short, Some(Miss::Rows(Difference::Rows { lost: 0, gained: 1 })));
        assert_eq!(missed(state, "SELECT a FROM t WHERE 0", Wanted::Rows(Vec::new())), None);
        let within = |at_least, at_most| Wanted::Within { at_least, at_most };
        assert_eq!(missed(state, "SELECT sum(a) FROM t", within(Some(3.0), Some(3.0))), None);
        assert_eq!(missed(state, "SELECT sum(a) FROM t", within(Some(4.0), None)), Some(Miss::TooLittle));
        assert_eq!(missed(state, "SELECT sum(a) FROM t", within(None, Some(2.5))), Some(Miss::TooMuch));
        assert_eq!(missed(state, "SELECT max(b) FROM t", within(Some(0.0), None)), Some(Miss::NotANumber));
    }
}
