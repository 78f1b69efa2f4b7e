use rusqlite::config::DbConfig;

use super::plan::How;
use super::*;
use crate::compare::samples::Sampling;
use crate::compare::{Scope, State, States};
use crate::observer::Silent;
use crate::sqlite_file::header::TextEncoding;

const STRICT: DoubleQuoted = DoubleQuoted { dml: false, ddl: false };
const LENIENT: DoubleQuoted = DoubleQuoted { dml: true, ddl: true };

fn state(sql: &str) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, true).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false).unwrap();
    connection.execute_batch(sql).unwrap();
    connection
}

fn query(text: &str) -> Query {
    Query {
        text: text.to_owned(),
        name: None,
        file: "q.sql".to_owned(),
        line: 1,
        column: 1,
        times: 1,
        marked: false,
        by_sqlc: false,
        logged: false,
    }
}

/// What becomes of these queries between two databases.
fn checked(before: &str, after: &str, strings: DoubleQuoted, queries: Vec<Query>) -> Vec<Checked> {
    checked_within(Duration::from_mins(1), before, after, Settings { strings, foreign_keys: true }, queries)
}

fn checked_within(time: Duration, before: &str, after: &str, settings: Settings, queries: Vec<Query>) -> Vec<Checked> {
    let (one, other) = (state(before), state(after));
    let side = |connection| State { connection, uri: "", encoding: TextEncoding::Utf8, pages: None };
    let states = States {
        before: side(&one),
        after: side(&other),
        changed: None,
        ledger: "",
        sampling: Sampling::None,
        scope: Scope::Whole,
        memory: 64 << 20,
        time: Duration::from_mins(1),
    };
    let comparison = Comparison::of_files(states, &Silent).unwrap();
    let connect = || Ok((state(before), state(after)));
    let queries = Queries { list: queries, ..Queries::default() };
    check(&queries, connect, &comparison, settings, time, &Silent).unwrap()
}

fn works(before: &str, after: &str, strings: DoubleQuoted, text: &str) -> Works {
    checked(before, after, strings, vec![query(text)]).remove(0).works
}

fn neither(before: &str, after: &str) -> Works {
    Works::Neither { before: before.to_owned(), after: after.to_owned() }
}

fn refused(message: &str) -> Wrong {
    Wrong::Refused(message.to_owned())
}

const BEFORE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b)";
const AFTER: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, b, c)";

#[test]
fn a_query_works_where_sqlite_compiles_it() {
    let works = |text| works(BEFORE, AFTER, STRICT, text);
    assert_eq!(works("SELECT b FROM t WHERE id = ?1 OR id = :x OR id = @y OR id = $z"), Works::Both);
    assert_eq!(works("SELECT a FROM t"), Works::Before(refused("no such column: a")));
    assert_eq!(works("UPDATE t SET c = 1"), Works::After(refused("no such column: c")));
    assert_eq!(works("SELECT x FROM t"), neither("no such column: x", "no such column: x"));
    assert_eq!(works("SELECT a, c FROM t"), neither("no such column: c", "no such column: a"));
    assert_eq!(works("DELETE FROM other"), neither("no such table: other", "no such table: other"));
    assert_eq!(works("SELECT * FRM t"), neither("near \"FRM\": syntax error", "near \"FRM\": syntax error"));
    assert_eq!(works("SELECT '\0'"), works("SELECT '\0'"));
}

#[test]
fn functions_and_collations_of_the_app_do_not_hide_what_is_gone() {
    let works = |text| works(BEFORE, AFTER, STRICT, text);
    assert_eq!(works("SELECT slug(b), total_of(b, 1) FROM t WHERE slug('x') = b"), Works::Both);
    assert_eq!(works("SELECT slug(a) FROM t"), Works::Before(refused("no such column: a")));
    assert_eq!(works("SELECT b COLLATE german FROM t ORDER BY 1"), Works::Both);
    assert_eq!(works("SELECT a COLLATE german FROM t ORDER BY 1"), Works::Before(refused("no such column: a")));
    let wrong = "wrong number of arguments to function abs()";
    assert_eq!(works("SELECT abs(1, 2)"), neither(wrong, wrong));
}

#[test]
fn a_name_in_double_quotes_that_becomes_a_string() {
    let works = |strings, text| works(BEFORE, AFTER, strings, text);
    let name = |name: &str| Wrong::IsString(name.to_owned());
    let text = "SELECT \"id\", \"A\" FROM \"t\" WHERE \"b\" = \"nobody\"";
    assert_eq!(works(LENIENT, text), Works::Before(name("A")));
    assert_eq!(works(LENIENT, "SELECT \"c\" FROM t"), Works::After(name("c")));
    assert_eq!(works(LENIENT, "SELECT \"b\" FROM t WHERE b = \"x\""), Works::Both);
    let users = |column: &str| format!("CREATE TABLE users (id, {column}); CREATE TABLE others (id, name)");
    let text = "SELECT \"name\" FROM users WHERE id IN (SELECT id FROM others WHERE name = 1)";
    let works_on = |before: &str, after: &str| self::works(&users(before), &users(after), LENIENT, text);
    assert_eq!(works_on("name", "title"), Works::Before(name("name")), "another table has one of this name");
    assert_eq!(
        works(STRICT, "SELECT \"a\" FROM t"),
        Works::Before(refused("no such column: \"a\" - should this be a string literal in single-quotes?"))
    );
}

#[test]
fn an_insert_must_give_what_may_not_be_null() {
    let before = "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a NOT NULL, b, n); CREATE TABLE k (x PRIMARY KEY) WITHOUT ROWID";
    let after = "CREATE TABLE t (id INTEGER PRIMARY KEY NOT NULL, a, b NOT NULL, d NOT NULL DEFAULT 1, g NOT NULL AS (1), n NOT NULL DEFAULT NULL); \
                 CREATE TABLE k (x, y, PRIMARY KEY (x, y)) WITHOUT ROWID";
    let works = |text| works(before, after, STRICT, text);
    let lacks = |column: &str| Wrong::LacksValue(column.to_owned());
    assert_eq!(works("INSERT INTO t (a) VALUES (1)"), Works::Before(lacks("b")));
    assert_eq!(works("INSERT INTO t (a, b) SELECT 1, 2"), Works::Before(lacks("n")));
    assert_eq!(works("INSERT INTO t (B, N) VALUES (1, 2)"), Works::After(lacks("a")));
    assert_eq!(works("REPLACE INTO t (a, b, n) VALUES (1, 2, 3)"), Works::Both);
    assert_eq!(works("INSERT INTO k (x) VALUES (1)"), Works::Before(lacks("y")));
    assert_eq!(works("INSERT INTO t DEFAULT VALUES"), Works::Both, "it fails on both");
    // What is said is what SQLite does.
    assert!(state(before).execute_batch("INSERT INTO t (a) VALUES (1)").is_ok());
    for text in ["INSERT INTO t (a) VALUES (1)", "INSERT INTO t (a, b) SELECT 1, 2", "INSERT INTO k (x) VALUES (1)"] {
        assert!(state(after).execute_batch(text).is_err(), "{text}");
    }
    assert!(state(after).execute_batch("INSERT INTO t (b, n) VALUES (1, 2)").is_ok());
}

#[test]
fn values_without_columns_go_where_they_went() {
    let shifted = |before: &str, after: &str, text: &str| checked(before, after, STRICT, vec![query(text)]).remove(0);
    let moved =
        shifted("CREATE TABLE t (a, b, g AS (1), c)", "CREATE TABLE t (a, c, b)", "INSERT INTO t VALUES (1, 2, 3)");
    let to = Shifted { table: "t".into(), position: 2, was: "b".into(), is: "c".into() };
    assert_eq!((moved.works, moved.shifted), (Works::Both, Some(to)));
    let stays =
        shifted("CREATE TABLE t (a, b)", "CREATE TABLE t (A, b, g AS (1))", "INSERT OR IGNORE INTO t VALUES (1, 2)");
    assert_eq!((stays.works, stays.shifted), (Works::Both, None));
    let more = shifted("CREATE TABLE t (a, b)", "CREATE TABLE t (a, b, c)", "REPLACE INTO t VALUES (1, 2)");
    assert_eq!(more.works, Works::Before(refused("table t has 3 columns but 2 values were supplied")));
    let named = shifted("CREATE TABLE t (a, b)", "CREATE TABLE t (b, a)", "INSERT INTO t (a, b) VALUES (1, 2)");
    assert_eq!(named.shifted, None);
    let taken =
        |before: &str, after: &str, text: &str| shifted(before, after, text).shifted.map(|one| (one.was, one.is));
    let (one, other) = ("CREATE TABLE t (a, b); CREATE TABLE s (a, b)", "CREATE TABLE t (a, b); CREATE TABLE s (b, a)");
    let all = "INSERT INTO t SELECT * FROM s";
    assert_eq!(taken(one, other, all), Some(("a".into(), "b".into())));
    assert_eq!(taken(one, other, "INSERT INTO t (b, a) SELECT * FROM s"), Some(("b".into(), "a".into())));
    assert_eq!(taken(one, "CREATE TABLE t (b, a); CREATE TABLE s (b, a)", all), None);
    assert_eq!(taken(one, "CREATE TABLE t (b, a); CREATE TABLE s (a, b)", all), Some(("a".into(), "b".into())));
}

#[test]
fn columns_of_a_star() {
    let columns =
        |by_sqlc, text: &str| checked(BEFORE, AFTER, STRICT, vec![Query { by_sqlc, ..query(text) }]).remove(0);
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let star = columns(false, "SELECT * FROM t");
    assert_eq!(star.columns, Some((names(&["id", "a", "b"]), names(&["id", "b", "c"]))));
    assert_eq!(columns(true, "SELECT * FROM t").works, Works::Before(Wrong::StarNames(names(&["a"]))));
    assert_eq!(columns(true, "SELECT count(*) FROM t").works, Works::Both);
    assert_eq!(columns(false, "DELETE FROM t RETURNING *").columns, star.columns);
    assert!(columns(false, "SELECT b, id * 2 FROM t").is_fine());
    let one = ["a", "b", "A"].map(str::to_owned);
    assert_eq!(only_in(&one, &["a".to_owned()]), ["b", "A"]);
}

/// 2,000 rows, and indexes that are there on one side only.
fn rows(indexes: &str) -> String {
    format!(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a, b); CREATE TABLE small (id INTEGER PRIMARY KEY, a);
         WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t SELECT i, i, i % 7 FROM n;
         INSERT INTO small SELECT id, a FROM t WHERE id <= 5; {indexes}"
    )
}

#[test]
fn plans_that_got_slower() {
    let with = rows("CREATE INDEX t_a ON t (a); CREATE INDEX small_a ON small (a); ANALYZE;");
    let without = rows("ANALYZE;");
    let slower = |text: &str| {
        let found = checked(&with, &without, STRICT, vec![query(text)]).remove(0).slower;
        found.into_iter().map(|slower| (slower.table, slower.how, slower.rows, slower.index_gone)).collect::<Vec<_>>()
    };
    let lost = |how| vec![(Some("t".to_owned()), how, Some(2000), Some("t_a".to_owned()))];
    assert_eq!(slower("SELECT b FROM t WHERE a = ?"), lost(How::Scan));
    assert_eq!(slower("SELECT x.b FROM t AS x WHERE x.a > ?"), lost(How::Scan));
    assert_eq!(slower("UPDATE t SET b = 1 WHERE a = ? OR a = ?"), lost(How::Scan));
    assert_eq!(slower("SELECT max(a) FROM t"), lost(How::Scan));
    assert_eq!(slower("SELECT id FROM t ORDER BY a LIMIT 10"), lost(How::Sort));
    assert_eq!(slower("SELECT b FROM t WHERE id = ?"), []);
    assert_eq!(slower("SELECT b FROM t WHERE b = ?"), []);
    assert_eq!(slower("WITH t AS (SELECT 1 AS a) SELECT * FROM t WHERE a = 1"), []);
    assert_eq!(slower("SELECT id FROM small WHERE a = 1")[0].2, Some(5));
    // Where the index has another collation, statistics would not bring it back.
    let analyzed = rows("CREATE INDEX t_a ON t (a); ANALYZE;");
    let other = rows("CREATE INDEX t_a ON t (a);").replace(", a, b)", ", a COLLATE NOCASE, b)");
    let text = "SELECT b FROM t WHERE a = ? COLLATE BINARY";
    let found = checked(&analyzed, &other, STRICT, vec![query(text)]).remove(0).slower;
    assert_eq!((found[0].how, found[0].statistics_lost), (How::Scan, false), "{found:?}");
    // The other way round nothing is worse.
    let better = checked(&without, &with, STRICT, vec![query("SELECT b FROM t WHERE a = ?")]).remove(0);
    assert!(better.is_fine());
}

const FAMILY: &str = "CREATE TABLE p (id INTEGER PRIMARY KEY, code TEXT, gone); CREATE TABLE c (id INTEGER PRIMARY KEY, code REFERENCES p (code));
    CREATE INDEX c_code ON c (code);
    WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO c SELECT i, NULL FROM n;";

#[test]
fn foreign_keys_count_where_the_app_enforces_them() {
    let before = format!("{FAMILY} CREATE UNIQUE INDEX p_code ON p (code);");
    let works = |foreign_keys, text: &str| {
        let settings = Settings { strings: STRICT, foreign_keys };
        checked_within(Duration::from_mins(1), &before, FAMILY, settings, vec![query(text)]).remove(0).works
    };
    let mismatch = "foreign key mismatch - \"c\" referencing \"p\"";
    for text in ["DELETE FROM p", "INSERT INTO c (code) VALUES (?)", "UPDATE p SET code = ?"] {
        assert_eq!(works(true, text), Works::Before(refused(mismatch)), "{text}");
        assert_eq!(works(false, text), Works::Both, "{text}");
        // What is said is what SQLite does.
        let after = state(FAMILY);
        after.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true).unwrap();
        assert!(after.prepare(text).is_err(), "{text}");
        after.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false).unwrap();
        assert!(after.prepare(text).is_ok(), "{text}");
    }
}

#[test]
fn rows_that_refer_to_a_new_one_are_not_looked_for() {
    let before = format!("{FAMILY} CREATE UNIQUE INDEX p_code ON p (code);");
    let after = before.replace("CREATE INDEX c_code ON c (code);", "");
    let slower = |foreign_keys, text: &str| {
        let settings = Settings { strings: STRICT, foreign_keys };
        let checked = checked_within(Duration::from_mins(1), &before, &after, settings, vec![query(text)]).remove(0);
        checked.slower.into_iter().filter_map(|slower| slower.table).collect::<Vec<_>>()
    };
    for text in ["DELETE FROM p", "REPLACE INTO p VALUES (1, 'a', 2), (2, 'b', 2)", "UPDATE p SET code = ?"] {
        assert_eq!(slower(true, text), ["c"], "{text}");
        assert_eq!(slower(false, text), [""; 0], "{text}");
    }
    for text in ["INSERT INTO p VALUES (1, 'a', 2), (2, 'b', 2)", "INSERT INTO p SELECT id, id, 1 FROM c"] {
        assert_eq!(slower(true, text), [""; 0], "{text}");
    }
}

#[test]
fn tables_of_a_join_that_change_places_for_the_better() {
    let before = rows("CREATE INDEX small_a ON small (a);");
    let after = rows("CREATE INDEX t_a ON t (a);");
    let joined = query("SELECT count(*) FROM t CROSS JOIN small WHERE t.a = small.a");
    let turned = query("SELECT count(*) FROM t JOIN small ON t.a = small.a");
    let found = checked(&before, &after, STRICT, vec![joined, turned]);
    // CROSS JOIN keeps the order, so that the small table is looked through for every row of the big one.
    assert_eq!(found[0].slower.len(), 1, "{found:?}");
    assert_eq!(found[1].slower, [], "{found:?}");
}

#[test]
fn a_marked_query_is_run_and_no_other() {
    let marked = |text: &str| Query { marked: true, ..query(text) };
    let (before, after) =
        ("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2)", "CREATE TABLE t (a); INSERT INTO t VALUES (1), ('2')");
    let texts = [
        "SELECT count(*) FROM t",
        "SELECT a FROM t",
        "SELECT a FROM t WHERE a = ?",
        "DELETE FROM t",
        "SELECT slug(a) FROM t",
    ];
    let checked =
        checked(before, after, STRICT, texts.into_iter().map(marked).chain([query("SELECT a FROM t")]).collect());
    assert!(checked[0].is_fine() && checked[5].is_fine() && checked[5].answer.is_none());
    assert!(!checked[1].is_fine());
    assert!(matches!(checked[2].answer, Some(Answer::Refused(_))));
    assert!(matches!(checked[3].answer, Some(Answer::Refused(_))));
    assert!(matches!(checked[4].answer, Some(Answer::Asked { before: Some(Err(_)), .. })));
}

#[test]
fn what_sqlite_would_never_be_done_with_is_not_asked() {
    let names: Vec<String> = (1..40).map(|at| format!("n{at} AS (SELECT o.a FROM n{0} AS o, n{0})", at - 1)).collect();
    let text = format!("WITH n0 AS (SELECT 1 AS a), {} SELECT a FROM n39", names.join(", "));
    assert!(matches!(works(BEFORE, AFTER, STRICT, &text), Works::Unknown(_)));
}

#[test]
fn what_there_is_no_time_for_is_not_known() {
    let checked = checked_within(
        Duration::ZERO,
        BEFORE,
        AFTER,
        Settings { strings: STRICT, foreign_keys: true },
        vec![query("SELECT a FROM t")],
    );
    assert_eq!(checked[0].works, Works::Unknown("the time limit of all queries is over".to_owned()));
}
