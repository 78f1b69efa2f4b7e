use std::fs;
use std::path::Path;

use super::*;

/// What is read of one file of this name.
fn of(name: &str, text: &str) -> Result<Queries, Error> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(name);
    fs::write(&file, text).unwrap();
    read(&[file])
}

fn texts(queries: &Queries) -> Vec<&str> {
    queries.list.iter().map(|query| query.text.as_str()).collect()
}

fn lines(queries: &Queries) -> Vec<u32> {
    queries.list.iter().map(|query| query.line).collect()
}

fn left_out(queries: &Queries) -> Vec<(&'static str, u64)> {
    queries.left_out.iter().map(|(what, statements)| (what.name(), *statements)).collect()
}

#[test]
fn a_file_of_sqlc_gives_names_and_sql_that_sqlite_takes() {
    let queries = of(
        "query.sql",
        "/* name: GetAuthor :one */\nSELECT * FROM authors WHERE id = ? LIMIT 1;\n\n\
         -- name: ListByIds :many\nSELECT sqlc.embed(a) FROM authors AS a WHERE id IN (sqlc.slice('ids'));\n\n\
         -- name: Rename :exec\nUPDATE authors SET name = sqlc.arg(name), bio = coalesce(sqlc.narg ( 'bio' ), bio) WHERE id = @id;\n",
    )
    .unwrap();
    let names: Vec<_> = queries.list.iter().map(|query| (query.name.as_deref().unwrap(), query.by_sqlc)).collect();
    assert_eq!(names, [("GetAuthor", true), ("ListByIds", true), ("Rename", true)]);
    let sql: Vec<_> = queries.list.iter().map(|query| query.sql().into_owned()).collect();
    assert_eq!(sql[1], "SELECT a.* FROM authors AS a WHERE id IN (?)");
    assert_eq!(sql[2], "UPDATE authors SET name = ?, bio = coalesce(?, bio) WHERE id = @id");
    assert_eq!(lines(&queries), [2, 5, 8]);
    assert_eq!(queries.list.iter().map(|query| sqlc::has_star(&query.text)).collect::<Vec<_>>(), [true, true, false]);
    assert!(!sqlc::has_star("SELECT a * b, count(*) FROM t"));
}

#[test]
fn names_of_others_and_comments_that_are_none() {
    let queries = of(
        "q.sql",
        "-- name: by_id^\n-- Reads one.\nSELECT 1;\n-- my name: is\nSELECT 2; -- name: third\nSELECT 3;\nSELECT\n-- name: no\n'-- name: no';\nSELECT 5;",
    );
    let names: Vec<_> = queries.unwrap().list.into_iter().map(|query| (query.name, query.by_sqlc)).collect();
    assert_eq!(
        names,
        [(Some("by_id".into()), false), (None, false), (Some("third".into()), false), (None, false), (None, false)]
    );
}

#[test]
fn what_is_no_query_is_counted() {
    let queries = of(
        "all.sql",
        "CREATE TABLE t (a); BEGIN; PRAGMA foreign_keys = on; VACUUM; EXPLAIN SELECT 1; ANALYZE; SELECT 1;\n\
         CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END; END; ROLLBACK TO s; SELECT 1; FROM t SELECT a",
    )
    .unwrap();
    assert_eq!(texts(&queries), ["SELECT 1", "FROM t SELECT a"]);
    assert_eq!(queries.list[0].times, 2);
    assert_eq!(left_out(&queries), [("definition", 2), ("transaction", 3), ("pragma", 1), ("upkeep", 3)]);
}

#[test]
fn a_mark_belongs_to_the_query_below_it() {
    let queries = of("q.sql", "SELECT 1;\n-- rehearse: compare\nSELECT 2;\nSELECT 3; -- Rehearse: Compare\n").unwrap();
    assert_eq!(queries.list.iter().map(|query| query.marked).collect::<Vec<_>>(), [false, true, true]);
    for (text, line, why) in [
        ("SELECT 1;\n\n-- rehearse: comparison\nSELECT 2", 3, "`comparison` is no directive of a query"),
        ("-- rehearse compare\nSELECT 2", 1, "with a colon"),
        ("SELECT 2;\n-- rehearse: compare\n", 2, "no query follows"),
        ("-- rehearse: renamed a -> b\nSELECT 2", 1, "is no directive of a query"),
        ("-- rehearse: allow QC801\nSELECT 2", 1, "`because REASON` is missing"),
    ] {
        let error = of("q.sql", text).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains(&format!("q.sql:{line}")) && error.to_string().contains(why), "{error}");
    }
}

#[test]
fn the_log_of_the_shell() {
    // What `.trace FILE`, `.trace FILE --profile` and a trigger leave.
    let queries = of(
        "trace.txt",
        "SELECT * FROM users WHERE email = 'a;b''c';\nINSERT INTO users\nSELECT 1,\n  'two\nSELECT lines';\n\
         -- TRIGGER users_log;\nSELECT count(*) FROM users; -- 12345 ns\n-- closing database connection\n",
    )
    .unwrap();
    assert_eq!(
        texts(&queries),
        [
            "SELECT * FROM users WHERE email = 'a;b''c'",
            "INSERT INTO users\nSELECT 1,\n  'two\nSELECT lines'",
            "SELECT count(*) FROM users"
        ]
    );
    assert_eq!(lines(&queries), [1, 2, 7]);
    assert!(queries.left_out.is_empty());
}

#[test]
fn a_log_without_semicolons_and_with_other_lines() {
    let queries = of(
        "app.log",
        "Server listens on 3000\nBEGIN\nselect id\n  from users\n where id = 1.0\nGET /users 200\nINSERT INTO t (a)\nVALUES (1)\n\
         WITH x AS (\nSELECT 1\n)\nSELECT * FROM x\nUNION ALL\nSELECT 2\nUPDATE t SET a = 1\nWHERE a = 2\nCOMMIT\nSelected 3 rows.\n",
    )
    .unwrap();
    assert_eq!(
        texts(&queries),
        [
            "select id\n  from users\n where id = 1.0",
            "INSERT INTO t (a)\nVALUES (1)",
            "WITH x AS (\nSELECT 1\n)\nSELECT * FROM x\nUNION ALL\nSELECT 2",
            "UPDATE t SET a = 1\nWHERE a = 2"
        ]
    );
    assert_eq!(lines(&queries), [3, 7, 9, 15]);
    assert_eq!(left_out(&queries), [("transaction", 2), ("other-line", 3)]);
}

/// What better-sqlite3 12.11.1 wrote.
#[test]
fn the_log_of_better_sqlite3() {
    let queries = of(
        "better.log",
        "PRAGMA journal_mode\nSELECT id, email FROM users WHERE id = 1.0\n\n  SELECT count(*)\n  FROM users\n  WHERE email = 'it''s; b'\n\n\
         BEGIN\nINSERT INTO users VALUES (77.0, 'ä')\nCOMMIT\n",
    )
    .unwrap();
    assert_eq!(
        texts(&queries),
        [
            "SELECT id, email FROM users WHERE id = 1.0",
            "SELECT count(*)\n  FROM users\n  WHERE email = 'it''s; b'",
            "INSERT INTO users VALUES (77.0, 'ä')"
        ]
    );
    assert_eq!(left_out(&queries), [("transaction", 2), ("pragma", 1)]);
}

#[test]
fn the_log_of_drizzle() {
    let queries = of(
        "app.log",
        "> shop@1.0.0 start\nQuery: select \"id\" from \"users\" where \"id\" = ? -- params: [1]\n\
         Query: select \"id\" from \"users\" where \"id\" = ? -- params: [2]\nQuery: select count(*) from \"users\"\nGET / 200\n\
         Query: select 1\n  from users\n  where a = ? -- params: [\"-- params: [\"]\nQuery: begin\n\
         Query: select 4\n  from users\nGET / 200\n",
    )
    .unwrap();
    assert_eq!(
        texts(&queries),
        [
            "select \"id\" from \"users\" where \"id\" = ?",
            "select count(*) from \"users\"",
            "select 1\n  from users\n  where a = ?",
            "select 4\n  from users"
        ]
    );
    assert_eq!(queries.list.iter().map(|query| query.times).collect::<Vec<_>>(), [2, 1, 1, 1]);
    assert_eq!(lines(&queries), [2, 4, 6, 10]);
    assert_eq!(left_out(&queries), [("transaction", 1), ("other-line", 3)]);
}

#[test]
fn the_log_of_prisma_among_other_lines() {
    let queries = of(
        "app.log",
        " GET /login 200 in 675ms\nprisma:query SELECT `main`.`User`.`id` FROM `main`.`User` WHERE `main`.`User`.`id` = ? LIMIT ? OFFSET ?\n\
          GET /login 200 in 5ms\nOrder 7 was paid\nprisma:query BEGIN\nprisma:query UPDATE `main`.`User` SET `name` = ? WHERE 1=1\nprisma:error x\n",
    )
    .unwrap();
    assert_eq!(lines(&queries), [2, 6]);
    assert!(queries.list[0].text.ends_with("LIMIT ? OFFSET ?") && queries.list[1].text.ends_with("1=1"), "{queries:?}");
    assert_eq!(left_out(&queries), [("transaction", 1), ("other-line", 4)]);
}

#[test]
fn both_forms_of_sqlx() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir(at(".sqlx")).unwrap();
    let new = "{\n  \"db_name\": \"SQLite\",\n  \"query\": \"SELECT \\\"id\\\"\\nFROM t WHERE id = ?\",\n  \"describe\": {\"columns\": []},\n  \"hash\": \"1\"\n}\n";
    fs::write(at(".sqlx/query-1.json"), new).unwrap();
    fs::write(at(".sqlx/query-2.json"), new.replace("SQLite", "PostgreSQL")).unwrap();
    fs::write(at(".sqlx/notes.json"), "[]").unwrap();
    let old = "{\n  \"db\": \"SQLite\",\n  \"1f\": {\n    \"describe\": {},\n    \"query\": \"SELECT 1\"\n  }\n}";
    fs::write(at("sqlx-data.json"), old).unwrap();
    let queries = read(&[folder.path().to_owned()]).unwrap();
    assert_eq!(texts(&queries), ["SELECT \"id\"\nFROM t WHERE id = ?", "SELECT 1"]);
    assert_eq!(lines(&queries), [3, 5]);
    assert_eq!((queries.files, left_out(&queries)), (3, vec![("other-database", 1)]));
    for (text, why) in
        [("[]", "not what `cargo sqlx prepare` writes"), ("{\"query\": 1}", "not what"), ("{", "no JSON: line 1")]
    {
        let error = of("query-1.json", text).unwrap_err();
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[test]
fn folders_are_walked_in_order_and_hidden_ones_are_not() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in [
        ("b/two.SQL", "\u{feff}SELECT 2"),
        ("a.sql", "SELECT 1"),
        ("readme.md", "SELECT 3"),
        (".git/x.sql", "SELECT 4"),
        ("node_modules/x.sql", "SELECT 5"),
    ] {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    #[cfg(unix)]
    std::os::unix::fs::symlink("..", folder.path().join("b/loop")).unwrap();
    let queries = read(&[folder.path().to_owned(), folder.path().join("a.sql")]).unwrap();
    assert_eq!(texts(&queries), ["SELECT 1", "SELECT 2"]);
    assert_eq!((queries.files, queries.list[0].times, queries.list[1].column), (3, 2, 1));
}

#[test]
fn what_holds_no_query_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let empty = read(&[folder.path().to_owned()]).unwrap_err();
    assert!(empty.to_string().ends_with("there is no query in it") && !empty.hints().is_empty(), "{empty}");
    assert!(of("app.log", "GET / 200\n").unwrap_err().to_string().ends_with("there is no query in it"));
    assert_eq!(read(&[Path::new("/nowhere/q.sql").to_owned()]).unwrap_err().exit_code(), 2);
}

#[test]
fn the_same_shape_has_other_values() {
    let shape = |text: &str| of("q.sql", text).unwrap().list[0].shape();
    assert_eq!(shape("SELECT a FROM t WHERE b = 'x' -- one"), shape("SELECT a\nFROM t WHERE b = 'y'"));
    assert_ne!(shape("SELECT a FROM t WHERE b = 1"), shape("SELECT a FROM t WHERE c = 1"));
}

/// Every text is read, in time that grows with its length.
#[test]
fn hostile_texts_end() {
    let many = 20_000;
    for text in [
        "SELECT '".to_owned() + &"\nSELECT".repeat(many),
        "SELECT (\n".repeat(many),
        "INSERT INTO t\n".repeat(many),
        "Query: \n".repeat(many),
        "Query: select 1\n-- params: [".repeat(many),
        "-- name:\n-- name: :one\n".repeat(many) + "SELECT 1",
        "sqlc.arg(sqlc.arg(".repeat(many),
        "/*".repeat(many),
        "\0;é'\u{feff}".repeat(many),
    ] {
        for name in ["a.sql", "a.log", "a.json"] {
            if let Ok(queries) = of(name, &text) {
                queries.list.iter().for_each(|query| drop((query.sql(), query.shape())));
            }
        }
    }
}
