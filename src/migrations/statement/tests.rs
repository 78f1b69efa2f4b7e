//! Tables of statements and what is read of them.

use super::{Action, Arm, Conflict, Insert, SelectItem, Statement, redact};
use crate::schema::lexer::{TokenKind, double_quoted, identifiers, quote_identifier, tokens};

fn action(sql: &str) -> Action {
    Statement::new(sql, 1, 1).action
}

/// An action in one line: its name, then its names and its flags that are set.
fn brief(sql: &str) -> String {
    match action(sql) {
        Action::CreateTable { table, source, .. } => format!("create table {table} from {source:?}"),
        Action::DropTable { table } => format!("drop table {table}"),
        Action::RenameTable { table, to } => format!("rename table {table} {to}"),
        Action::RenameColumn { table, column, to } => format!("rename column {table}.{column} {to}"),
        Action::AddColumn { table, column, not_null, has_default, generated } => {
            let flags = [(not_null, " not-null"), (has_default, " default"), (generated, " generated")];
            let flags: String = flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
            format!("add column {table}.{column}{flags}")
        }
        Action::DropColumn { table, column } => format!("drop column {table}.{column}"),
        Action::AlterOther { table } => format!("alter {table}"),
        Action::Insert(insert) => {
            let upsert = if insert.upsert { " upsert" } else { "" };
            format!("insert {}({}) {:?}{upsert}", insert.table, insert.columns.join(","), insert.conflict)
        }
        Action::Update { table, columns, conflict, has_where } => {
            format!("update {table}({}) {conflict:?} {has_where}", columns.join(","))
        }
        Action::Delete { table, has_where } => format!("delete {table} {has_where}"),
        Action::CreateIndex { name, table, unique } => format!("index {name} {table} {unique}"),
        Action::CreateTrigger { name, table } => format!("trigger {name} {table}"),
        Action::CreateVirtualTable { table, module } => format!("virtual {table} {module}"),
        Action::Pragma { name, value } => format!("pragma {name} {}", value.unwrap_or_else(|| "-".to_owned())),
        other => format!("{other:?}"),
    }
}

#[test]
fn actions() {
    for (sql, expected) in [
        ("CREATE TABLE t(a)", "create table t from None"),
        ("create temp table if not exists `t x`(a)", "create table t x from None"),
        ("CREATE TABLE main.\"a\"\"b\"(a)", "create table a\"b from None"),
        ("CREATE TABLE if(a)", "create table if from None"),
        ("CREATE TABLE t AS SELECT * FROM u", "create table t from Some(\"u\")"),
        ("CREATE TABLE t AS WITH x AS (SELECT 1) SELECT * FROM x", "create table t from None"),
        ("CREATE TABLE t AS SELECT * FROM u, w", "create table t from None"),
        ("DROP TABLE IF EXISTS [t]", "drop table t"),
        ("DROP TABLE main . 't'", "drop table t"),
        ("DROP INDEX i", "DropIndex { name: \"i\" }"),
        ("DROP TRIGGER IF EXISTS temp.g", "DropTrigger { name: \"g\" }"),
        ("DROP VIEW v", "DropView { name: \"v\" }"),
        ("ALTER TABLE `__new_u` RENAME TO `u`", "rename table __new_u u"),
        ("ALTER TABLE t RENAME COLUMN a TO b", "rename column t.a b"),
        ("ALTER TABLE main.t RENAME \"a\" TO 'b'", "rename column t.a b"),
        ("ALTER TABLE t RENAME key TO action", "rename column t.key action"),
        ("ALTER TABLE t ADD a", "add column t.a"),
        ("ALTER TABLE t ADD COLUMN a text NOT NULL", "add column t.a not-null"),
        ("ALTER TABLE t ADD `m` integer DEFAULT 0 NOT NULL", "add column t.m not-null default"),
        ("ALTER TABLE t ADD a DEFAULT (unixepoch()) NOT NULL", "add column t.a not-null default"),
        ("ALTER TABLE t ADD a DEFAULT NULL NOT NULL", "add column t.a not-null"),
        ("ALTER TABLE t ADD a DEFAULT ((NULL))", "add column t.a"),
        ("ALTER TABLE t ADD a DEFAULT (NULL OR 1)", "add column t.a default"),
        ("ALTER TABLE t ADD a REFERENCES u(id) ON DELETE SET DEFAULT", "add column t.a"),
        ("ALTER TABLE t ADD a CHECK (a NOT NULL) NOT DEFERRABLE", "add column t.a"),
        (
            "ALTER TABLE t ADD a text GENERATED ALWAYS AS (lower(b)) VIRTUAL NOT NULL",
            "add column t.a not-null generated",
        ),
        ("ALTER TABLE t ADD a AS (b)", "add column t.a generated"),
        ("ALTER TABLE t DROP COLUMN a", "drop column t.a"),
        ("ALTER TABLE t DROP a", "drop column t.a"),
        ("ALTER TABLE t DROP CONSTRAINT c", "alter t"),
        ("ALTER TABLE t ADD CONSTRAINT c CHECK (a > 1)", "alter t"),
        ("ALTER TABLE `a` ALTER COLUMN \"n\" TO \"n\" text NOT NULL DEFAULT 'y'", "alter a"),
        ("INSERT INTO t VALUES (1)", "insert t() None"),
        ("INSERT OR IGNORE INTO t(a, \"b\") VALUES (1, 2)", "insert t(a,b) Some(Ignore)"),
        ("INSERT OR FAIL INTO main.t AS x (a) DEFAULT VALUES", "insert t(a) Some(Stop)"),
        ("REPLACE INTO t(a) SELECT 1", "insert t(a) Some(Replace)"),
        ("INSERT INTO t(a) VALUES (1) ON CONFLICT DO NOTHING", "insert t(a) None upsert"),
        (
            "WITH x AS (SELECT 1) INSERT INTO t(a) SELECT * FROM x WHERE 1 ON CONFLICT(a) DO UPDATE SET a = 1 RETURNING a",
            "insert t(a) None upsert",
        ),
        ("UPDATE t SET a = 1", "update t(a) None false"),
        (
            "UPDATE OR REPLACE t AS x SET a = f(b, c), (\"b\", c) = (1, 2), d = 3 WHERE a",
            "update t(a,b,c,d) Some(Replace) true",
        ),
        ("UPDATE t SET a = (SELECT b FROM u WHERE u.id = t.id), b = 2", "update t(a,b) None false"),
        ("UPDATE t SET a = u.b, c = 1 FROM u, w WHERE u.id = t.id", "update t(a,c) None true"),
        ("UPDATE t SET a = b IS DISTINCT FROM c, d = 1", "update t(a,d) None false"),
        ("DELETE FROM t", "delete t false"),
        ("DELETE FROM \"t\" where true", "delete t true"),
        ("WITH x AS (SELECT 1 WHERE 1) DELETE FROM t RETURNING *", "delete t false"),
        ("CREATE UNIQUE INDEX IF NOT EXISTS main.i ON `t` (`a`) WHERE a", "index i t true"),
        ("CREATE INDEX i ON t(a)", "index i t false"),
        ("CREATE TRIGGER g AFTER UPDATE OF a, b ON t BEGIN SELECT 1; END", "trigger g t"),
        ("CREATE TEMP TRIGGER before BEFORE INSERT ON main.t BEGIN SELECT 1; END", "trigger before t"),
        ("CREATE TEMP VIEW v AS SELECT 1", "CreateView { name: \"v\" }"),
        ("CREATE VIRTUAL TABLE f USING fts5(a)", "virtual f fts5"),
        ("PRAGMA foreign_keys=OFF", "pragma foreign_keys off"),
        ("PRAGMA main.User_Version(-3)", "pragma user_version -3"),
        ("PRAGMA table_info('T')", "pragma table_info t"),
        ("PRAGMA journal_mode", "pragma journal_mode -"),
        ("BEGIN IMMEDIATE", "Begin"),
        ("END TRANSACTION", "Commit"),
        ("COMMIT", "Commit"),
        ("ROLLBACK", "Rollback"),
        ("ROLLBACK TRANSACTION TO SAVEPOINT s", "Savepoint"),
        ("SAVEPOINT s", "Savepoint"),
        ("RELEASE s", "Savepoint"),
        ("VACUUM", "Vacuum"),
        ("DETACH x", "Attach"),
        ("EXPLAIN DELETE FROM t", "Read"),
        ("WITH x AS (VALUES (1)) SELECT * FROM x", "Read"),
        ("VALUES (1)", "Read"),
        ("CREATE SEQUENCE s", "Unknown"),
        ("INSERT t VALUES (1)", "Unknown"),
        ("GRANT ALL ON t", "Unknown"),
        ("", "Unknown"),
    ] {
        assert_eq!(brief(sql), expected, "{sql}");
    }
}

/// A select in one line: its table, its tables, whether it is filtered and joined, and its columns.
fn select(sql: &str) -> String {
    let Action::Insert(insert) = action(&format!("INSERT INTO t {sql}")) else { panic!("{sql}") };
    let select = insert.select.unwrap();
    let items: Vec<_> = select
        .items
        .into_iter()
        .map(|item| match item {
            SelectItem::Star => "*".to_owned(),
            SelectItem::Column { name, double_quoted } => format!("{name}{}", if double_quoted { "?" } else { "" }),
            SelectItem::Expression { sql, columns } => format!("{{{sql}}}[{}]", columns.join(",")),
        })
        .collect();
    let flags = [(select.filtered, " filtered"), (select.joined, " joined")];
    let flags: String = flags.iter().filter(|(set, _)| *set).map(|(_, name)| *name).collect();
    format!("{} of {}{flags}: {}", select.from.unwrap_or_default(), select.tables.join(","), items.join(" "))
}

#[test]
fn selects() {
    for (sql, expected) in [
        ("SELECT \"a\", `b`, [c], d, t.\"e\", main.t.f FROM `u`", "u of u: a? b c d e f"),
        ("SELECT *, u.* FROM main.u AS x", "u of u: * *"),
        ("SELECT a AS b, a b, a 'b', \"a\" \"b\", a AS end, a key FROM u x", "u of u: a a a a? a a"),
        (
            "SELECT 1 end, CASE WHEN a THEN b END, CASE a WHEN 1 THEN 2 END END, (a) b FROM u",
            "u of u: {1}[] {CASE WHEN a THEN b END}[a,b] {CASE a WHEN 1 THEN 2 END}[a] {(a)}[a]",
        ),
        (
            "SELECT coalesce(a, '') x, CAST(b AS big int) AS b, c COLLATE nocase, 'd', NULL FROM u",
            "u of u: {coalesce(a, '')}[a] {CAST(b AS big int)}[b] {c COLLATE nocase}[c] {'d'}[] {NULL}[]",
        ),
        (
            "SELECT a LIKE b, a IS NOT NULL, a || b c, true, sum(a) OVER w, sum(a) OVER (ORDER BY b) s FROM u",
            "u of u: {a LIKE b}[a,b] {a IS NOT NULL}[a] {a || b}[a,b] {true}[] {sum(a) OVER w}[a,w] \
          {sum(a) OVER (ORDER BY b)}[a,b]",
        ),
        ("SELECT DISTINCT a FROM u", "u of u filtered: a"),
        ("SELECT a FROM u WHERE a", "u of u filtered: a"),
        ("SELECT a FROM u ORDER BY a", "u of u: a"),
        ("SELECT a FROM u LIMIT 1", "u of u filtered: a"),
        ("SELECT a FROM u GROUP BY a, b", "u of u filtered: a"),
        ("SELECT a FROM u, w", " of u,w joined: a"),
        ("SELECT a FROM u LEFT JOIN w USING (a, b)", " of u,w joined: a"),
        ("SELECT a FROM (u JOIN w ON 1)", " of u,w joined: a"),
        ("SELECT a FROM (u)", "u of u: a"),
        ("SELECT a FROM (SELECT b AS a FROM u WHERE b)", " of u: a"),
        ("SELECT a FROM json_each('[1]')", " of : a"),
        (
            "SELECT (SELECT x FROM w WHERE w.id = u.id) y FROM u",
            "u of w,u: {(SELECT x FROM w WHERE w.id = u.id)}[x,w,id]",
        ),
        ("SELECT a FROM u UNION ALL SELECT b FROM w", " of u,w: a"),
        ("SELECT a FROM u UNION SELECT b FROM w", " of u,w filtered: a"),
        ("SELECT a IS DISTINCT FROM b, c FROM u", "u of u: {a IS DISTINCT FROM b}[a,b] c"),
        ("WITH x AS (SELECT a FROM u) SELECT a FROM x", " of u: a"),
        ("SELECT a FROM u WHERE b IN (SELECT b FROM w) ON CONFLICT DO NOTHING", "u of u,w filtered: a"),
        ("SELECT 1, 2 RETURNING a", " of : {1}[] {2}[]"),
        ("SELECT a FROM u WINDOW w AS (ORDER BY a)", "u of u: a"),
    ] {
        assert_eq!(select(sql), expected, "{sql}");
    }
}

#[test]
fn replaced_and_upserted_rows() {
    let Action::Insert(insert) = action("REPLACE INTO t VALUES (1)") else { panic!() };
    assert_eq!((insert.conflict, insert.select), (Some(Conflict::Replace), None));
}

#[test]
fn temporary_objects() {
    for (sql, temporary) in [
        ("CREATE TEMP TABLE t(a)", true),
        ("CREATE TEMPORARY VIEW v AS SELECT 1", true),
        ("DROP TABLE temp.t", true),
        ("INSERT INTO \"TEMP\".t VALUES (1)", true),
        ("CREATE TABLE main.t(a)", false),
        ("CREATE TABLE temp(a)", false),
    ] {
        assert_eq!(Statement::new(sql, 1, 1).is_temporary(), temporary, "{sql}");
    }
}

#[test]
fn excerpts() {
    for (sql, width, expected) in [
        (
            "INSERT INTO t\n  VALUES ('secret', x'abcd', 12, '') -- secret",
            80,
            "INSERT INTO t VALUES ('…', x'…', 12, '')",
        ),
        ("SELECT /* secret */ a", 80, "SELECT a"),
        ("SELECT 'secret", 80, "SELECT '…"),
        ("SELECT x'12g4'", 80, "SELECT x'…'"),
        ("SELECT \"a\nb\"", 80, "SELECT \"a b\""),
        ("SELECT abcdef", 13, "SELECT abcdef"),
        ("SELECT abcdef", 12, "SELECT abcd…"),
        ("SELECT abcdef", 8, "SELECT…"),
        ("SELECT abcdef", 1, "…"),
        ("SELECT abcdef", 0, ""),
    ] {
        assert_eq!(Statement::new(sql, 1, 1).excerpt(width), expected, "{sql}");
    }
}

#[test]
fn redactions() {
    for (sql, expected) in [
        ("INSERT INTO t VALUES ('a''b', x'ab', '');\n", "INSERT INTO t VALUES ('…', x'…', '');\n"),
        ("SELECT 'a\nb'; SELECT 1 -- it's\n", "SELECT '…\n'; SELECT 1 -- …\n"),
        (
            "CREATE TABLE t(a DEFAULT 'x' CHECK (a IN ('x', 'y')));",
            "CREATE TABLE t(a DEFAULT 'x' CHECK (a IN ('x', 'y')));",
        ),
        (
            "CREATE TABLE t AS SELECT 'x'; ALTER TABLE t ADD b DEFAULT 'y'; SELECT 'z'",
            "CREATE TABLE t AS SELECT '…'; ALTER TABLE t ADD b DEFAULT 'y'; SELECT '…'",
        ),
        (
            "DELETE FROM t WHERE a = 4915112345678 OR b > 123456 OR c = 1.2345678",
            "DELETE FROM t WHERE a = … OR b > 123456 OR c = …",
        ),
        ("ALTER TABLE t ADD b DEFAULT 4915112345678", "ALTER TABLE t ADD b DEFAULT 4915112345678"),
        ("CREATE TABLE t(a); -- plain\n/* INSERT 'x'\n */", "CREATE TABLE t(a); -- plain\n/* …\n */"),
    ] {
        assert_eq!(redact(sql), expected, "{sql}");
    }
}

#[test]
fn names() {
    assert_eq!(quote_identifier("a\"b"), "\"a\"\"b\"");
    assert_eq!(double_quoted("SELECT \"a\", 'b', `c`, \"d\"\"e\", [f]"), ["a", "d\"e"]);
    assert_eq!(identifiers("SELECT a, \"b\", count(*) FROM [c] WHERE 'd' = key"), ["a", "b", "count", "c", "key"]);
}

#[test]
fn kinds_of_tokens() {
    use TokenKind as K;
    for (sql, kinds) in [
        ("a$1_é ж", &[K::Word, K::Space, K::Word][..]),
        (
            "'a''b' \"a\"\"b\" `a``b` [a\"b]",
            &[K::String, K::Space, K::Quoted, K::Space, K::Quoted, K::Space, K::Quoted],
        ),
        ("'a", &[K::Illegal]),
        ("[a", &[K::Illegal]),
        ("x'ab'X'' x'a' x'", &[K::Blob, K::Blob, K::Space, K::Illegal, K::Space, K::Illegal]),
        (
            "1 1.5 .5 1e5 1_000 0x1F",
            &[
                K::Number,
                K::Space,
                K::Number,
                K::Space,
                K::Number,
                K::Space,
                K::Number,
                K::Space,
                K::Number,
                K::Space,
                K::Number,
            ],
        ),
        ("12ab 0x 1e", &[K::Illegal, K::Space, K::Illegal, K::Space, K::Illegal]),
        ("?1:a@b#c$d::e(f)", &[K::Variable; 4]),
        ("? : $d(e f", &[K::Variable, K::Space, K::Illegal, K::Space, K::Illegal, K::Space, K::Word]),
        (
            "->>->||<=<><<>>>=!===-",
            &[
                K::Operator,
                K::Operator,
                K::Operator,
                K::Operator,
                K::Operator,
                K::Operator,
                K::Operator,
                K::Operator,
                K::Operator,
                K::Equals,
                K::Operator,
            ],
        ),
        (
            "a--b\nc/*d*/e/*/*/f/*",
            &[
                K::Word,
                K::Comment,
                K::Space,
                K::Word,
                K::Comment,
                K::Word,
                K::Comment,
                K::Word,
                K::Operator,
                K::Operator,
            ],
        ),
        ("\u{feff}a", &[K::Space, K::Word]),
        ("a\0b", &[K::Word, K::Illegal]),
        ("\u{b}!\\", &[K::Illegal, K::Illegal, K::Illegal]),
    ] {
        assert_eq!(tokens(sql).map(|token| token.kind).collect::<Vec<_>>(), kinds, "{sql}");
    }
}

#[test]
fn the_parts_of_a_union_name_their_tables() {
    for (sql, parts) in [
        ("SELECT a, b FROM u UNION ALL SELECT c, 1 FROM w", "u:2 w:2"),
        ("SELECT DISTINCT a FROM u UNION SELECT ALL * FROM w WHERE x ORDER BY 1", "u:1 w:1"),
        ("SELECT a FROM u UNION ALL SELECT a FROM w JOIN x USING (a) UNION ALL VALUES (1)", "u:1"),
        ("SELECT a FROM u EXCEPT SELECT a FROM w", ""),
        ("SELECT a FROM u, w", ""),
        ("WITH x AS (SELECT * FROM u WHERE y) SELECT a FROM x", "u:1"),
        ("WITH x AS (SELECT a FROM u UNION SELECT a FROM w) SELECT a FROM x", ""),
        ("WITH RECURSIVE x AS (SELECT 1 UNION SELECT a FROM x) SELECT a FROM x UNION ALL SELECT b FROM w", "w:1"),
        ("SELECT a FROM u", ""),
    ] {
        let Action::Insert(Insert { select: Some(select), .. }) = action(&format!("INSERT INTO t {sql}")) else {
            panic!("{sql}")
        };
        let arm = |arm: &Arm| format!("{}:{}", arm.from, arm.items.len());
        assert_eq!(select.arms.iter().map(arm).collect::<Vec<_>>().join(" "), parts, "{sql}");
    }
}
