//! The splitter against SQLite itself: the bundled library is asked where it ends each statement.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may panic, also in its helpers")]

use std::ffi::{CString, c_char, c_int};
use std::ops::Range;
use std::ptr;

use proptest::prelude::*;
use rehearse::migrations::splitter::statements;
use rehearse::migrations::statement::redact;
use rehearse::schema::lexer::tokens;
use rehearse::schema::splitter::split;
use rusqlite::{Connection, ffi};

/// What every script finds when it begins.
const SCHEMA: &str = "
    CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT, c, \"end\", [case] TEXT);
    CREATE TABLE u(id INTEGER PRIMARY KEY, t_id INTEGER REFERENCES t(a), name TEXT UNIQUE, n INTEGER DEFAULT 0);
    CREATE TABLE `users`(`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL, `email` text, `age` text);
    CREATE VIEW v AS SELECT a, b FROM t;
    CREATE INDEX u_n ON u(n);
    INSERT INTO t(a, b) VALUES (1, 'one'), (2, 'two');
    INSERT INTO u(id, t_id, name) VALUES (1, 1, 'x');";

/// Where SQLite's own loop over the tail ends the first statement of a text, and whether there is one.
#[expect(unsafe_code, reason = "the tail of sqlite3_prepare_v2 is the oracle; rusqlite does not give it")]
fn run_first(connection: &Connection, sql: &str) -> Result<(usize, bool), String> {
    let text = CString::new(sql).unwrap();
    let mut statement = ptr::null_mut();
    let mut tail: *const c_char = ptr::null();
    // SAFETY: the connection and the text outlive the calls; the statement is finalized before this returns.
    unsafe {
        let handle = connection.handle();
        if ffi::sqlite3_prepare_v2(handle, text.as_ptr(), -1, &raw mut statement, &raw mut tail) != ffi::SQLITE_OK {
            return Err(std::ffi::CStr::from_ptr(ffi::sqlite3_errmsg(handle)).to_string_lossy().into_owned());
        }
        while ffi::sqlite3_step(statement) == ffi::SQLITE_ROW {}
        ffi::sqlite3_finalize(statement);
        Ok((usize::try_from(tail.offset_from(text.as_ptr())).unwrap(), !statement.is_null()))
    }
}

/// The texts that SQLite takes as statements, each up to and including what ended it.
fn by_sqlite(sql: &str) -> Result<Vec<Range<usize>>, String> {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    let mut found = Vec::new();
    let mut at = 0;
    while at < sql.len() {
        let (length, is_statement) = run_first(&connection, &sql[at..])?;
        if is_statement {
            found.push(at..at + length);
        }
        at += length;
    }
    Ok(found)
}

fn is_empty_to_sqlite(sql: &str) -> bool {
    by_sqlite(sql).is_ok_and(|found| found.is_empty())
}

/// Whether a text ends a statement, as SQLite's shell asks.
#[expect(unsafe_code, reason = "rusqlite has no safe sqlite3_complete")]
fn is_complete(sql: &str) -> bool {
    let text = CString::new(sql).unwrap();
    // SAFETY: the text is terminated and outlives the call.
    let complete: c_int = unsafe { ffi::sqlite3_complete(text.as_ptr()) };
    complete != 0
}

fn texts(sql: &str) -> Vec<&str> {
    split(sql).into_iter().map(|piece| &sql[piece.range]).collect()
}

fn assert_as_sqlite(sql: &str) {
    let theirs = by_sqlite(sql).unwrap_or_else(|error| panic!("SQLite refuses the script: {error}\n{sql}"));
    let ours = split(sql);
    assert_eq!(ours.len(), theirs.len(), "{sql}\nours {:?}\ntheirs {theirs:?}", texts(sql));
    for (piece, theirs) in ours.into_iter().zip(theirs) {
        let ours = piece.range;
        assert!(theirs.start <= ours.start && ours.end <= theirs.end, "{sql}\n{ours:?} is not within {theirs:?}");
        let (before, after) = (&sql[theirs.start..ours.start], &sql[ours.end..theirs.end]);
        assert!(is_empty_to_sqlite(before), "{sql}\nleft out in front: {before:?}");
        assert!(is_empty_to_sqlite(after), "{sql}\nleft out behind: {after:?}");
        assert!(!sql[ours.clone()].starts_with([' ', '\n', ';']) && !sql[ours].ends_with([' ', '\n', ';']), "{sql}");
    }
}

/// Scripts that SQLite accepts, one after each line of `=`.
const SCRIPTS: &str = include_str!("statements.sql");

fn scripts() -> impl Iterator<Item = &'static str> {
    SCRIPTS.split("\n====\n").map(|script| script.strip_suffix("\n====").unwrap_or(script))
}

#[test]
fn every_script_is_cut_as_sqlite_cuts_it() {
    let refused: Vec<_> = scripts().filter_map(|sql| by_sqlite(sql).err().map(|error| (error, sql))).collect();
    assert!(refused.is_empty(), "SQLite refuses {refused:#?}");
    scripts().for_each(assert_as_sqlite);
    assert!(scripts().count() >= 150, "{} scripts", scripts().count());
}

#[test]
fn windows_line_ends_change_nothing() {
    scripts().for_each(|script| assert_as_sqlite(&script.replace('\n', "\r\n")));
}

#[test]
fn odd_characters_are_cut_as_sqlite_cuts_them() {
    for script in [
        "\u{feff}CREATE TRIGGER g AFTER INSERT ON t BEGIN SELECT 1; END; SELECT 1",
        "\u{feff}SELECT 1;\u{feff}SELECT 2",
        "SELECT 1;\u{c}\t\u{feff} SELECT 2 \u{b};",
        "SELECT 'é;', \"ü;\" FROM (SELECT 1 AS \"ü;\"); SELECT 'ж' AS ключ; SELECT 1 AS a\u{feff}b",
        "SELECT 1\r;SELECT 2 --a\r;SELECT 3",
        "SELECT $a::b(c;d); SELECT :a, @b, ?1, ?, $c, #1",
        "",
        ";",
        " ; ;; -- only a comment",
        "/* a; b */",
        "/* never closed; SELECT 1",
        "SELECT 1 /* never closed; SELECT 1",
        "-- a\r-- b",
    ] {
        if script.contains('#') {
            assert_as_sqlite(&script.replace(", #1", ""));
        } else {
            assert_as_sqlite(script);
        }
    }
}

#[test]
fn a_statement_knows_its_line_and_column() {
    let sql = "-- é\n  SELECT 1; /* x\ny */ SELECT 2;\r\n\r\nSELECT\n3";
    let places: Vec<_> = statements(sql, 10).into_iter().map(|s| (s.sql, s.line, s.column)).collect();
    let expected = [("SELECT 1", 11, 3), ("SELECT 2", 12, 6), ("SELECT\n3", 14, 1)];
    assert_eq!(places, expected.map(|(sql, line, column)| (sql.to_owned(), line, column)));
}

#[test]
fn a_column_is_counted_in_characters_and_without_the_byte_order_mark() {
    let places = |sql| split(sql).into_iter().map(|p| (p.line, p.column)).collect::<Vec<_>>();
    assert_eq!(places("\u{feff}SELECT 'é'; SELECT 2"), [(1, 1), (1, 13)]);
    assert_eq!(places("SELECT 1;\r  SELECT 2"), [(1, 1), (1, 13)]);
}

#[test]
fn what_follows_a_nul_is_part_of_the_statement_that_sqlite_stops_at() {
    assert_eq!(texts("SELECT 1\0; SELECT 2"), ["SELECT 1\0; SELECT 2"]);
    assert_eq!(texts("SELECT 1; \0SELECT 2"), ["SELECT 1", "\0SELECT 2"]);
}

#[test]
fn ten_megabytes_of_garbage_take_linear_time() {
    for part in ["(", "a'b;", "SELECT \"a\" + 1,"] {
        read_everything(&part.repeat(10_000_000 / part.len()));
    }
}

#[test]
fn garbage_of_any_kind_takes_linear_time() {
    let starts =
        ["", "INSERT INTO t SELECT ", "UPDATE t SET ", "CREATE TABLE t AS SELECT ", "WITH ", "ALTER TABLE t ADD "];
    let parts = [
        "a,",
        "(",
        ")",
        "a b.c,",
        "(SELECT a FROM b),",
        "a AS (b),",
        "'x'",
        "CASE END,",
        "[",
        "/*",
        "x'",
        "$a(",
        "WITH ",
        "1e",
        "((a),",
        "CREATE TRIGGER;",
        "\"",
    ];
    for (start, part) in starts.iter().flat_map(|start| parts.iter().map(move |part| (start, part))) {
        read_everything(&format!("{start}{}", part.repeat(60_000 / part.len())));
    }
}

fn read_everything(sql: &str) {
    assert!(statements(sql, 1).len() <= sql.len());
    assert!(redact(sql).len() <= 3 * sql.len());
}

/// Statements that may stand anywhere, in any order.
fn any_statement() -> impl Strategy<Value = &'static str> {
    let all: Vec<_> = scripts().flat_map(texts).collect();
    proptest::sample::select(all)
}

/// What may stand between two statements.
fn any_trivia() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just(" "),
        Just("\n"),
        Just("\r\n"),
        Just("\t"),
        Just("-- a; b 'c\n"),
        Just("/* ; ' \" */"),
        Just("/**/"),
        Just(";"),
        Just("\u{feff}"),
    ];
    proptest::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
}

/// A few tokens that decide where statements end, and some that do not. `$a(;)` is left out: `sqlite3_complete` does not
/// know it, the parser does; so is the byte order mark.
fn any_soup() -> impl Strategy<Value = String> {
    let part = proptest::sample::select(vec![
        ";",
        ";",
        ";",
        " ",
        "\n",
        "CREATE",
        "create",
        "TEMP",
        "TEMPORARY",
        "TRIGGER",
        "END",
        "end",
        "EXPLAIN",
        "QUERY",
        "PLAN",
        "BEGIN",
        "SELECT",
        "a",
        "1",
        "x'ab'",
        "'a;b'",
        "'it''s'",
        "\"trigger\"",
        "`end`",
        "[a;b]",
        "/* ; */",
        "-- ;\n",
        "(",
        ")",
        ",",
        ".",
        "-",
        "/",
        "->>",
        "CASE",
        "TABLE",
        "é",
        "?1",
        "!=",
    ]);
    let spaced = (part, prop_oneof![Just(" "), Just(" "), Just("")]).prop_map(|(part, space)| format!("{part}{space}"));
    proptest::collection::vec(spaced, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn joined_statements_are_given_back(
        parts in proptest::collection::vec((any_trivia(), any_statement(), any_trivia()), 0..8)
    ) {
        let texts_of = |(before, statement, after): &(String, &str, String)| [before.as_str(), statement, "\n;", after.as_str()].concat();
        let sql = parts.iter().map(texts_of).collect::<Vec<_>>().concat();
        let expected: Vec<_> = parts.iter().map(|(_, statement, _)| *statement).collect();
        prop_assert_eq!(texts(&sql), expected);
    }

    #[test]
    fn any_text_is_cut_into_pieces_in_order(sql in any::<String>()) {
        check_pieces(&sql)?;
    }

    #[test]
    fn any_soup_of_tokens_is_cut_into_pieces_in_order(sql in any_soup()) {
        check_pieces(&sql)?;
    }

    #[test]
    fn a_text_ends_where_sqlite_says_that_it_is_complete(sql in any_soup()) {
        // A prefix is complete where it ends in a semicolon that ends a statement, even an empty one.
        let sql = sql.trim_end().to_owned();
        let ends_open = split(&sql).last().is_some_and(|last| is_empty_text(&sql[last.range.end..]));
        let is_empty = tokens(&sql).all(|token| token.is_trivia());
        let unfinished_comment = tokens(&sql).last().is_some_and(|token| token.is_trivia());
        prop_assume!(!unfinished_comment);
        prop_assert_eq!(is_complete(&sql), !ends_open && !is_empty, "{:?}", texts(&sql));
    }

    #[test]
    fn redaction_keeps_lines_and_hides_values(value in "[a-z]{6}", other in "[0-9a-f]{8}") {
        let sql = format!("INSERT INTO t VALUES ('{value}\n{value}', x'{other}');\n-- '{value}'\nSELECT '{value}");
        let redacted = redact(&sql);
        prop_assert!(!redacted.contains(&value) && !redacted.contains(&other), "{}", redacted);
        prop_assert_eq!(redacted.lines().count(), sql.lines().count());
        for statement in statements(&sql, 1) {
            let excerpt = statement.excerpt(200);
            prop_assert!(!excerpt.contains(&value) && !excerpt.contains(&other), "{}", excerpt);
        }
    }
}

/// Whether there is nothing in a text that SQLite's parser sees.
fn is_empty_text(sql: &str) -> bool {
    tokens(sql).all(|token| token.is_trivia())
}

fn check_pieces(sql: &str) -> Result<(), TestCaseError> {
    let mut end = 0;
    for piece in split(sql) {
        prop_assert!(end <= piece.range.start && piece.range.start < piece.range.end && piece.range.end <= sql.len());
        end = piece.range.end;
        let text = &sql[piece.range];
        prop_assert_eq!(texts(text), [text]);
    }
    let mut at = 0;
    for token in tokens(sql) {
        prop_assert!(token.start == at && token.end > at && sql.get(token.range()).is_some());
        at = token.end;
    }
    prop_assert_eq!(at, sql.len());
    for statement in statements(sql, 1) {
        let width = statement.sql.len() % 90;
        let excerpt = statement.excerpt(width);
        prop_assert!(excerpt.chars().count() <= width && !excerpt.contains('\n'));
        let _ = statement.is_temporary();
    }
    prop_assert_eq!(redact(sql).matches('\n').count(), sql.matches('\n').count());
    Ok(())
}
