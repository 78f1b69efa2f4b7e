//! Prisma: the rules of `prisma migrate deploy`.

use super::{deployed, hash, project, rows, snapshot, states, write};
use rehearse::execution::Outcome;
use rehearse::execution::decide;
use rehearse::migrations::{Plan, Request, locate, plan, search};
use rusqlite::Connection;
use tempfile::TempDir;

const LEDGER: &str = r#"CREATE TABLE "_prisma_migrations" (
    "id"                    TEXT PRIMARY KEY NOT NULL,
    "checksum"              TEXT NOT NULL,
    "finished_at"           DATETIME,
    "migration_name"        TEXT NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        DATETIME,
    "started_at"            DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count"   INTEGER UNSIGNED NOT NULL DEFAULT 0
)"#;

fn app(migrations: &[(&str, &str)]) -> TempDir {
    let folder = project(&[("package.json", "{}"), ("prisma/migrations/migration_lock.toml", "provider = \"sqlite\"")]);
    for (name, text) in migrations {
        write(folder.path(), &format!("prisma/migrations/{name}/migration.sql"), text.as_bytes());
    }
    folder
}

fn planned(folder: &TempDir, before: &Connection) -> Plan {
    let request = Request { project: folder.path().into(), ..Request::default() };
    let located = locate(&search(&request).unwrap(), before).unwrap();
    assert_eq!(located.tool.name, "prisma");
    plan(&located, before).unwrap()
}

/// A ledger with rows of name, checksum and the times of the end, the roll-back and the start, as SQL.
fn ledger(rows: &[[&str; 5]]) -> Connection {
    let before = snapshot(LEDGER);
    for (index, [name, checksum, finished, rolled_back, started]) in rows.iter().enumerate() {
        before
            .execute_batch(&format!(
                "INSERT INTO _prisma_migrations (id, migration_name, checksum, finished_at, rolled_back_at, started_at) \
                 VALUES ({index}, '{name}', '{checksum}', {finished}, {rolled_back}, {started})"
            ))
            .unwrap();
    }
    before
}

#[test]
fn ledger_and_rows_as_prisma_writes_them() {
    let folder = app(&[("9_b", "CREATE TABLE b (x);"), ("10_a", ""), ("Bcd", ""), ("abc", "")]);
    let empty = planned(&folder, &snapshot(""));
    assert_eq!(states(&empty), ["10_a: pending", "9_b: pending", "abc: pending", "Bcd: pending"]);
    let (execution, after, _files) = deployed(&empty, &snapshot(""));
    assert_eq!(execution.outcome, Outcome::Completed);
    assert_eq!(rows(&after, "SELECT sql FROM sqlite_schema WHERE name = '_prisma_migrations'"), [LEDGER]);
    let sql = "SELECT migration_name, checksum, typeof(started_at), typeof(finished_at), typeof(logs), applied_steps_count, \
               length(id) FROM _prisma_migrations WHERE migration_name = '9_b'";
    let checksum = hash("CREATE TABLE b (x);");
    assert_eq!(rows(&after, sql), [format!("9_b|{checksum}|integer|integer|null|1|36")]);

    let text = ledger(&[["10_a", &hash(""), "1", "NULL", "'2026-01-01T00:00:00.000+00:00'"]]);
    let (_, after, _files) = deployed(&planned(&folder, &text), &text);
    let sql = "SELECT typeof(started_at), finished_at GLOB '????-??-??T??:??:??.???+00:00' FROM _prisma_migrations WHERE \
               migration_name = '9_b'";
    assert_eq!(rows(&after, sql), ["text|1"]);
}

#[test]
fn edited_missing_and_rolled_back_do_not_stop_it() {
    let folder = app(&[("1_a", "a\r\n"), ("2_b", "b"), ("3_c", "c"), ("4_d", "d")]);
    let before = ledger(&[
        ["1_a", &hash("a\n"), "1", "NULL", "1"],
        ["2_b", "other", "1", "NULL", "2"],
        ["3_c", &hash("c"), "NULL", "3", "3"],
        ["2_x", "gone", "1", "NULL", "4"],
    ]);
    let plan = planned(&folder, &before);
    let expected = ["1_a: applied", "2_b: edited", "2_x: missing", "3_c: pending", "4_d: pending"];
    assert_eq!(states(&plan), expected);
    assert_eq!(plan.refusal, None);
}

#[test]
fn refusals_in_its_own_words() {
    let folder = app(&[("1_a", "SELECT 1;"), ("2_b", "SELECT 2;")]);
    let message = |before: &Connection| planned(&folder, before).refusal.unwrap().message;
    let failed = ledger(&[
        ["1_a", "x", "NULL", "NULL", "1764099309270"],
        ["0_x", "x", "NULL", "NULL", "'2026-01-01T00:00:00+00:00'"],
    ]);
    let found = message(&failed);
    assert!(found.starts_with("P3009: migrate found failed migrations in the target database"), "{found}");
    assert!(found.contains("The `1_a` migration started at 2025-11-25 19:35:09.270 UTC failed"), "{found}");
    assert!(found.contains("The `0_x` migration started at 2026-01-01 00:00:00 UTC failed"), "{found}");
    assert!(message(&snapshot("CREATE TABLE a (x)")).starts_with("P3005: The database schema is not empty."));
    std::fs::create_dir(folder.path().join("prisma/migrations/0_none")).unwrap();
    assert!(message(&snapshot(LEDGER)).starts_with("P3015: Could not find the migration file at migration.sql."));
    write(folder.path(), "prisma/migrations/migration_lock.toml", b"provider = \"postgresql\"");
    assert!(message(&snapshot(LEDGER)).starts_with("P3019: The datasource provider `sqlite`"));
    assert!(planned(&folder, &snapshot("")).setup.is_empty());
}

#[test]
fn what_ran_before_the_failure_stays_with_an_unfinished_row() {
    for (script, left, logs) in [
        ("CREATE TABLE half (x); INSERT INTO nowhere VALUES (1);", "1", "text"),
        ("BEGIN; CREATE TABLE half (x); INSERT INTO nowhere VALUES (1); COMMIT;", "0", "null"),
    ] {
        let folder = app(&[("1_a", script), ("2_b", "CREATE TABLE b (x);")]);
        let (execution, after, _files) = deployed(&planned(&folder, &snapshot("")), &snapshot(""));
        assert!(matches!(execution.outcome, Outcome::Failed(_)));
        assert_eq!(rows(&after, "SELECT count(*) FROM sqlite_schema WHERE name = 'half'"), [left]);
        let sql =
            "SELECT migration_name, typeof(finished_at), typeof(logs), applied_steps_count FROM _prisma_migrations";
        assert_eq!(rows(&after, sql), [format!("1_a|null|{logs}|0")]);
    }
}

#[test]
fn folder_and_driver_from_the_project() {
    let schema = "datasource db {\n  provider = \"sqlite\" // x\n  url = env(\"U\")\n}";
    let adapter = "import { PrismaBetterSQLite3 } from '@prisma/adapter-better-sqlite3'\nexport default { engine: 'js', schema: \
                   'p/schema.prisma', adapter: async () => new PrismaBetterSQLite3({}) }";
    for (files, expected, driver) in [
        (vec![("prisma/schema.prisma", schema)], "prisma/migrations", "prisma"),
        (
            vec![("package.json", r#"{"prisma":{"schema":"db/schema.prisma"}}"#), ("db/schema.prisma", schema)],
            "db/migrations",
            "prisma",
        ),
        (
            vec![
                ("prisma.config.ts", "export default defineConfig({ migrations: { path: 'm' }, schema: './p' })"),
                ("p/models.prisma", "model A {\n}"),
                ("p/base.prisma", schema),
                ("package.json", r#"{"dependencies":{"@prisma/adapter-better-sqlite3":"7.0.0"}}"#),
            ],
            "m",
            "prisma",
        ),
        (vec![("prisma.config.ts", adapter), ("p/schema.prisma", schema)], "p/migrations", "better-sqlite3"),
    ] {
        let folder = project(&[("package.json", "{}")]);
        for (name, text) in files {
            write(folder.path(), name, text.as_bytes());
        }
        write(folder.path(), &format!("{expected}/1_a/migration.sql"), b"SELECT 1");
        let request = Request { project: folder.path().into(), ..Request::default() };
        let located = locate(&search(&request).unwrap(), &snapshot("")).unwrap();
        assert_eq!((located.tool.name, &located.folder), ("prisma", &folder.path().join(expected)));
        let decided = decide::driver(None, "prisma", &located.project).unwrap();
        let names: Vec<_> = decided.drivers.iter().map(|driver| driver.name).collect();
        assert_eq!(names, [driver]);
    }
    let postgres = project(&[
        ("package.json", "{}"),
        ("prisma/schema.prisma", "datasource db {\n  provider = \"postgresql\"\n}"),
        ("prisma/migrations/1_a/migration.sql", "SELECT 1"),
    ]);
    let request = Request { project: postgres.path().into(), ..Request::default() };
    let tool = search(&request).and_then(|search| locate(&search, &snapshot(""))).map(|located| located.tool.name);
    assert!(tool.is_err() || tool.is_ok_and(|name| name != "prisma"));
}
