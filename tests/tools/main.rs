//! The migration tools and the detection of the project: every rule, over temporary folders.

#![expect(clippy::unwrap_used, clippy::format_collect, reason = "helpers of tests: a failure is the test's")]

mod atlas;
mod d1;
mod dbmate;
mod diesel;
mod geni;
mod golang_migrate;
mod goose;
mod prisma;
mod refinery;
mod rusqlite_migration;
mod sql_migrate;
mod sqlx;

use std::path::{Path, PathBuf};

use rehearse::error::Error;
use rehearse::execution::decide::of_tool;
use rehearse::execution::{Execution, Outcome, Settings, run};
use rehearse::migrations::tools::TOOLS;
use rehearse::migrations::{Located, Plan, Request, State, locate, plan, search};
use rehearse::observer::Silent;
use rehearse::snapshot::{Bounds, Session};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

// ---- helpers -------------------------------------------------------------------------------------------------------

/// A project made of files.
fn project(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        write(folder.path(), name, text.as_bytes());
    }
    folder
}

fn write(folder: &Path, name: &str, bytes: &[u8]) {
    let file = folder.join(name);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, bytes).unwrap();
}

/// A snapshot made by SQL.
fn snapshot(sql: &str) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(sql).unwrap();
    connection
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A journal of tags and times, as JSON writes the times.
fn journal(entries: &[(&str, &str)]) -> String {
    let entries: Vec<_> = entries
        .iter()
        .map(|(tag, when)| format!(r#"{{"idx":0,"version":"6","when":{when},"tag":"{tag}","breakpoints":true}}"#))
        .collect();
    format!(r#"{{"version":"7","dialect":"sqlite","entries":[{}]}}"#, entries.join(","))
}

const V0_TABLE: &str =
    "CREATE TABLE __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric);";
const V1_TABLE: &str = "CREATE TABLE __drizzle_migrations (id INTEGER PRIMARY KEY, hash text NOT NULL, \
                        created_at numeric, name text, applied_at TEXT);";

/// A v0 ledger with rows of hash and time, both as SQL.
fn v0_ledger(rows: &[(&str, &str)]) -> Connection {
    let rows: String = rows
        .iter()
        .map(|(hash, time)| format!("INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('{hash}', {time});"))
        .collect();
    snapshot(&format!("{V0_TABLE}{rows}"))
}

/// A v1 ledger with rows of hash and name.
fn v1_ledger(rows: &[(&str, &str)]) -> Connection {
    let rows: String = rows
        .iter()
        .map(|(hash, name)| format!("INSERT INTO __drizzle_migrations (hash, name) VALUES ('{hash}', '{name}');"))
        .collect();
    snapshot(&format!("{V1_TABLE}{rows}"))
}

fn located(folder: &TempDir, request: Request) -> Result<Located, Error> {
    found(&Request { project: folder.path().into(), ..request })
}

/// Where the snapshot has no ledger.
fn found(request: &Request) -> Result<Located, Error> {
    locate(&search(request)?, &snapshot(""))
}

fn planned(folder: &TempDir, before: &Connection) -> Plan {
    plan(&located(folder, Request::default()).unwrap(), before).unwrap()
}

/// `name: state` of each entry.
/// What `--tool` plans in the folder `migrations` of a project.
fn planned_by(tool: &str, folder: &TempDir, before: &Connection) -> Plan {
    let folder_given = Some(folder.path().join("migrations"));
    let request =
        Request { tool: Some(tool.into()), folder: folder_given, project: folder.path().into(), ..Request::default() };
    plan(&locate(&search(&request).unwrap(), before).unwrap(), before).unwrap()
}

/// Runs a plan on a database as the tool's own driver does: a file, since the run takes its connection with it.
fn deployed(plan: &Plan, before: &Connection) -> (Execution, Connection, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("copy.db");
    before.execute("VACUUM INTO ?1", [file.to_str().unwrap()]).unwrap();
    let driver = of_tool(plan.tool).next().unwrap();
    let execution = run(session(&file), plan, Settings::of(driver, None), &Silent).unwrap();
    (execution, open(&file), folder)
}

fn session(file: &Path) -> Session {
    Session::on(open(file), Bounds::default()).unwrap()
}

fn open(file: &Path) -> Connection {
    Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap()
}

/// Every row of a query, its values as SQL writes them, with `|` between.
fn rows(connection: &Connection, sql: &str) -> Vec<String> {
    let mut select = connection.prepare(sql).unwrap();
    let columns = select.column_count();
    let row = |row: &rusqlite::Row<'_>| {
        let value = |index| match row.get_ref(index).unwrap() {
            ValueRef::Null => "NULL".to_owned(),
            ValueRef::Integer(number) => number.to_string(),
            ValueRef::Real(number) => format!("{number:?}"),
            ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
            ValueRef::Blob(blob) => blob.iter().map(|byte| format!("{byte:02x}")).collect(),
        };
        Ok((0..columns).map(value).collect::<Vec<_>>().join("|"))
    };
    select.query_map([], row).unwrap().map(Result::unwrap).collect()
}

fn states(plan: &Plan) -> Vec<String> {
    let word = |state: &State| match state {
        State::Applied => "applied",
        State::Edited { .. } => "edited",
        State::Pending => "pending",
        State::Skipped { .. } => "skipped",
        State::Missing => "missing",
    };
    plan.entries.iter().map(|entry| format!("{}: {}", entry.migration.name, word(&entry.state))).collect()
}

/// A project of v0 with files `a.sql`, `b.sql`, … whose text is `SELECT 'a'`, …
fn v0_project(entries: &[(&str, &str)]) -> TempDir {
    let folder = project(&[("package.json", r#"{"dependencies":{"drizzle-orm":"0.45.4"}}"#)]);
    write(folder.path(), "drizzle/meta/_journal.json", journal(entries).as_bytes());
    for (tag, _) in entries {
        write(folder.path(), &format!("drizzle/{tag}.sql"), v0_text(tag).as_bytes());
    }
    folder
}

fn v0_text(tag: &str) -> String {
    format!("SELECT '{tag}'")
}

fn v1_project(names: &[&str]) -> TempDir {
    let folder = project(&[("package.json", r#"{"dependencies":{"drizzle-orm":"1.0.0-rc.5"}}"#)]);
    std::fs::create_dir(folder.path().join("drizzle")).unwrap();
    for name in names {
        write(folder.path(), &format!("drizzle/{name}/migration.sql"), v0_text(name).as_bytes());
    }
    folder
}

/// SQLite's or the tool's message where the run failed; else nothing.
fn failure(execution: &Execution) -> &str {
    if let Outcome::Failed(failure) = &execution.outcome { &failure.error.message } else { "" }
}

/// What the tool would say, and after how many migrations.
fn refusal(plan: &Plan) -> Option<(&str, usize)> {
    plan.refusal.as_ref().map(|refusal| (refusal.message.as_str(), refusal.after))
}

fn decision<'a>(plan: &'a [rehearse::migrations::Decision], what: &str) -> Vec<(&'a str, &'a str)> {
    let of = plan.iter().filter(|decision| decision.what == what);
    of.map(|decision| (decision.value.as_str(), decision.why.as_str())).collect()
}

// ---- drizzle v0 ----------------------------------------------------------------------------------------------------

#[test]
fn v0_runs_what_is_newer_than_the_newest_row_in_the_journals_order() {
    let [a, b, c] = ["a", "b", "c"].map(|tag| hash(&v0_text(tag)));
    let (a, b, c) = (a.as_str(), b.as_str(), c.as_str());
    for (journal, ledger, expected) in [
        // No table, and an empty one: everything, in the journal's order.
        (vec![("b", "2"), ("a", "1")], None, vec!["b: pending", "a: pending"]),
        (vec![("b", "2"), ("a", "1")], Some(vec![]), vec!["b: pending", "a: pending"]),
        (vec![("a", "1"), ("b", "2")], Some(vec![(a, "1")]), vec!["a: applied", "b: pending"]),
        // Out of order, and equal times: skipped for ever.
        (vec![("a", "5000"), ("b", "2000")], Some(vec![(a, "5000")]), vec!["a: applied", "b: skipped"]),
        (vec![("a", "1"), ("b", "1")], Some(vec![(a, "1")]), vec!["a: applied", "b: skipped"]),
        (
            vec![("a", "5"), ("b", "2"), ("c", "6")],
            Some(vec![(a, "5")]),
            vec!["a: applied", "b: skipped", "c: pending"],
        ),
        // Edited: the time is there, the hash is another.
        (vec![("a", "1"), ("b", "2")], Some(vec![(c, "1")]), vec!["a: edited", "b: pending"]),
        // Bundled drivers record no hash.
        (vec![("a", "1")], Some(vec![("", "1")]), vec!["a: applied"]),
        // The time was changed after it ran: the hash recognises it.
        (vec![("a", "1"), ("b", "3")], Some(vec![(a, "2")]), vec!["a: applied", "b: pending"]),
        // … and a later time makes it run again.
        (vec![("a", "7")], Some(vec![(a, "2")]), vec!["a: pending"]),
        // Rows without a file.
        (vec![("b", "2")], Some(vec![("gone", "1"), (b, "2")]), vec!["gone: missing", "b: applied"]),
        // Times as real, text and NULL; text that is no number is never earlier than anything.
        (vec![("a", "1.5"), ("b", "2")], Some(vec![(a, "1.5")]), vec!["a: applied", "b: pending"]),
        (vec![("a", "1"), ("b", "2")], Some(vec![(a, "'1'")]), vec!["a: applied", "b: pending"]),
        (vec![("a", "1"), ("b", "2")], Some(vec![(a, "'soon'")]), vec!["a: applied", "b: skipped"]),
        (vec![("a", "0"), ("b", "1")], Some(vec![(a, "NULL")]), vec!["a: applied", "b: pending"]),
        (vec![("a", "1e300"), ("b", "1e299")], Some(vec![(a, "1e300")]), vec!["a: applied", "b: skipped"]),
    ] {
        let before = ledger.as_ref().map_or_else(|| snapshot("CREATE TABLE users(id)"), |rows| v0_ledger(rows));
        let plan = planned(&v0_project(&journal), &before);
        assert_eq!(states(&plan), expected, "{journal:?} {ledger:?}");
        assert_eq!(plan.refusal, None);
        assert_eq!(plan.ledger.present, ledger.is_some());
        assert_eq!(plan.layout, "v0 (journal)");
    }
}

#[test]
fn v0_says_why_a_migration_is_skipped() {
    let plan = planned(&v0_project(&[("a", "5000"), ("b", "2000")]), &v0_ledger(&[(&hash(&v0_text("a")), "5000")]));
    let why = "its `when` 2000 (1970-01-01T00:00:02.000Z) is not later than the newest `created_at` in the ledger, 5000 \
               (1970-01-01T00:00:05.000Z)";
    assert_eq!(plan.entries[1].state, State::Skipped { why: why.into() });
}

#[test]
fn v0_tells_files_with_the_same_text_apart() {
    let folder = v0_project(&[("a", "1"), ("b", "2")]);
    write(folder.path(), "drizzle/b.sql", v0_text("a").as_bytes());
    let plan = planned(&folder, &v0_ledger(&[(&hash(&v0_text("a")), "1")]));
    assert_eq!(states(&plan), ["a: applied", "b: pending"]);
}

#[test]
fn v0_chunks_setup_and_record() {
    let folder = v0_project(&[("a", "1795373790226"), ("b", "1795373790226.5")]);
    let text =
        "CREATE TABLE t (\n a\n);\n--> statement-breakpoint\n\nINSERT INTO t VALUES (1);--> statement-breakpoint\n";
    write(folder.path(), "drizzle/a.sql", text.as_bytes());
    let plan = planned(&folder, &snapshot(""));
    let migration = &plan.entries[0].migration;
    let chunks: Vec<_> = migration.chunks.iter().map(|chunk| (chunk.sql.as_str(), chunk.line)).collect();
    assert_eq!(chunks, [("CREATE TABLE t (\n a\n);\n", 1), ("\n\nINSERT INTO t VALUES (1);", 4), ("\n", 6)]);
    let lines: Vec<_> = migration.chunks.iter().flat_map(|chunk| &chunk.statements).map(|one| one.line).collect();
    assert_eq!(lines, [1, 6]);
    assert!(migration.chunks[2].statements.is_empty());
    assert_eq!(
        migration.record.within,
        [format!(
            "INSERT INTO \"__drizzle_migrations\" (\"hash\", \"created_at\") VALUES('{}', 1795373790226)",
            hash(text)
        )]
    );
    assert!(plan.entries[1].migration.record.within[0].ends_with(", 1795373790226.5)"));
    let after = snapshot(&format!("{};{}", plan.setup[0], migration.record.within[0]));
    let row =
        after.query_row("SELECT typeof(id), created_at, typeof(created_at) FROM __drizzle_migrations", [], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, String>(2)?))
        });
    assert_eq!(row.unwrap(), ("null".into(), 1_795_373_790_226, "integer".into()));
}

#[test]
fn v0_refuses_in_its_own_words() {
    let folder = v0_project(&[("a", "1"), ("b", "2")]);
    std::fs::remove_file(folder.path().join("drizzle/a.sql")).unwrap();
    let plan = planned(&folder, &snapshot(""));
    let drizzle = folder.path().join("drizzle").display().to_string();
    assert_eq!(plan.refusal.as_ref().unwrap().message, format!("No file {drizzle}/a.sql found in {drizzle} folder"));
    assert_eq!(states(&plan), ["a: missing", "b: pending"]);

    std::fs::remove_dir_all(folder.path().join("drizzle/meta")).unwrap();
    write(folder.path(), "drizzle.config.ts", b"export default { dialect: 'sqlite' }");
    let plan = planned(&folder, &snapshot(""));
    assert_eq!(plan.refusal.unwrap().message, "Can't find meta/_journal.json file");
    assert!(plan.entries.is_empty() && plan.setup.is_empty());
}

#[test]
fn v0_reports_a_broken_journal_with_its_line() {
    for (text, expected) in [
        ("{\n\"entries\": [,]}", "line 2"),
        ("{}", "it has no list `entries`"),
        (r#"{"entries":[{"when":1}]}"#, "entry 1 has no `tag`"),
        (r#"{"entries":[{"tag":"a"}]}"#, "the entry `a` has no `when`"),
    ] {
        let folder = v0_project(&[("a", "1")]);
        write(folder.path(), "drizzle/meta/_journal.json", text.as_bytes());
        let error = plan(&located(&folder, Request::default()).unwrap(), &snapshot("")).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.to_string().contains("_journal.json"), "{error}");
        assert_eq!(error.exit_code(), 4);
    }
}

#[test]
fn files_are_read_as_node_reads_them() {
    let folder = v0_project(&[("a", "1"), ("b", "2")]);
    write(folder.path(), "drizzle/a.sql", b"SELECT '\xff\xfe'");
    write(folder.path(), "drizzle/b.sql", "\u{feff}CREATE TABLE t(a)".as_bytes());
    let plan = planned(&folder, &snapshot(""));
    let (a, b) = (&plan.entries[0].migration, &plan.entries[1].migration);
    assert_eq!(a.checksum, hash("SELECT '\u{fffd}\u{fffd}'"));
    assert_eq!(b.chunks[0].sql, "\u{feff}CREATE TABLE t(a)");
    // SQLite takes a byte order mark at the beginning for white space.
    snapshot(&b.chunks[0].sql);
}

#[test]
fn v0_under_a_ledger_that_is_not_drizzles() {
    let plan = planned(&v0_project(&[("a", "1")]), &snapshot("CREATE TABLE __drizzle_migrations (version text)"));
    assert_eq!(plan.refusal.unwrap().message, "no such column: id");
}

#[test]
fn d1_ledger_is_mentioned() {
    let plan = planned(&v0_project(&[("a", "1")]), &snapshot("CREATE TABLE d1_migrations (id, name)"));
    assert!(decision(&plan.decisions, "ledger").iter().any(|(value, _)| value.contains("d1_migrations")));
}

// ---- drizzle v1 ----------------------------------------------------------------------------------------------------

const A: &str = "20250101000000_a";
const B: &str = "20250201000000_b";
const C: &str = "20250301000000_c";

#[test]
fn v1_runs_every_folder_whose_name_is_not_recorded() {
    let hash_of = |name: &str| hash(&v0_text(name));
    for (ledger, expected) in [
        (vec![], [format!("{A}: pending"), format!("{B}: pending"), format!("{C}: pending")].to_vec()),
        // Out of order: runs all the same.
        (
            vec![(hash_of(A), A), (hash_of(C), C)],
            vec![format!("{A}: applied"), format!("{B}: pending"), format!("{C}: applied")],
        ),
        (vec![("other".into(), A)], vec![format!("{A}: edited"), format!("{B}: pending"), format!("{C}: pending")]),
        (
            vec![("x".into(), "20250115000000_gone")],
            vec![
                format!("{A}: pending"),
                "20250115000000_gone: missing".into(),
                format!("{B}: pending"),
                format!("{C}: pending"),
            ],
        ),
    ] {
        let rows: Vec<_> = ledger.iter().map(|(hash, name)| (hash.as_str(), *name)).collect();
        let plan = planned(&v1_project(&[C, A, B]), &v1_ledger(&rows));
        assert_eq!(states(&plan), expected, "{ledger:?}");
        assert!(plan.setup.is_empty());
        assert_eq!(plan.layout, "v1 (folders)");
    }
}

#[test]
fn v1_setup_and_record() {
    let plan = planned(&v1_project(&["20250101000000_it's"]), &snapshot(""));
    let migration = &plan.entries[0].migration;
    assert!(migration.file.ends_with("drizzle/20250101000000_it's/migration.sql"));
    let after = snapshot(&format!("{};{}", plan.setup[0], migration.record.within[0]));
    let row = after.query_row("SELECT id, hash, created_at, name, applied_at FROM __drizzle_migrations", [], |row| {
        Ok((
            row.get::<_, i64>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, i64>(2)?,
            row.get::<_, String>(3)?,
            row.get::<_, String>(4)?,
        ))
    });
    let (id, hash, created_at, name, applied_at) = row.unwrap();
    assert_eq!(
        (id, &hash, created_at, name.as_str()),
        (1, &migration.checksum, 1_735_689_600_000, "20250101000000_it's")
    );
    assert_eq!((applied_at.len(), &applied_at[23..]), (24, "Z"));
}

#[test]
fn v1_sorts_as_locale_compare_does() {
    let plan = planned(&v1_project(&["20250101000000_B", "20250101000000_a", "20250101000000_c"]), &snapshot(""));
    assert_eq!(states(&plan), ["20250101000000_a: pending", "20250101000000_B: pending", "20250101000000_c: pending"]);
}

#[test]
fn v1_upgrades_the_ledger_of_v0() {
    let folder = v1_project(&[A, B, C]);
    // The times have milliseconds that the folders' names do not.
    let rows = [(hash(&v0_text(A)), "1735689600123"), (hash(&v0_text(B)), "1738368000999")];
    let rows: Vec<_> = rows.iter().map(|(hash, time)| (hash.as_str(), *time)).collect();
    let before = v0_ledger(&rows);
    let plan = planned(&folder, &before);
    assert_eq!(plan.refusal, None);
    assert_eq!(states(&plan), [format!("{A}: applied"), format!("{B}: applied"), format!("{C}: pending")]);
    assert_eq!((plan.setup.first().unwrap().as_str(), plan.setup.last().unwrap().as_str()), ("BEGIN", "COMMIT"));
    before.execute_batch(&plan.setup.join(";")).unwrap();
    let mut select = before.prepare("SELECT name FROM __drizzle_migrations ORDER BY created_at").unwrap();
    let names: Vec<String> = select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(names, [A, B]);
}

#[test]
fn v1_upgrade_matches_by_hash_where_the_second_does_not_decide() {
    let (x, y) = ("20250101000000_x", "20250101000000_y");
    for (rows, expected) in [
        // Two folders of one second.
        (vec![(hash(&v0_text(y)), "1735689600001")], vec![format!("{x}: pending"), format!("{y}: applied")]),
        // No folder of that second.
        (vec![(hash(&v0_text(x)), "99000")], vec![format!("{x}: applied"), format!("{y}: pending")]),
        (vec![], vec![format!("{x}: pending"), format!("{y}: pending")]),
    ] {
        let rows: Vec<_> = rows.iter().map(|(hash, time)| (hash.as_str(), *time)).collect();
        let plan = planned(&v1_project(&[x, y]), &v0_ledger(&rows));
        assert_eq!(states(&plan), expected, "{rows:?}");
    }
}

#[test]
fn v1_upgrade_takes_an_edited_file_by_its_second() {
    let plan = planned(&v1_project(&[A]), &v0_ledger(&[("other", "1735689600123")]));
    assert_eq!(plan.entries[0].state, State::Edited { recorded: "other".into() });
}

#[test]
fn v1_refuses_in_its_own_words() {
    let plan = planned(&v1_project(&[A]), &v0_ledger(&[("gone", "5000"), ("lost", "NULL")]));
    assert_eq!(
        plan.refusal.as_ref().unwrap().message,
        "While upgrading your database migrations table we found 2 ([id: null, created_at: 5000], [id: null, created_at: \
         null]) migrations in the database that do not match any local migration. This means that some migrations were \
         applied to the database but are missing from the local environment"
    );
    assert!(plan.setup.is_empty());
    assert_eq!(states(&plan), ["lost: missing", "gone: missing", &format!("{A}: pending")]);

    let folder = v1_project(&[A]);
    write(folder.path(), "drizzle/meta/_journal.json", journal(&[]).as_bytes());
    let plan = planned(&folder, &snapshot(""));
    assert!(plan.refusal.unwrap().message.starts_with("We detected that you have old drizzle-kit migration folders."));
}

// ---- which generation ----------------------------------------------------------------------------------------------

#[test]
fn generation_by_version_then_by_layout() {
    for (package, files, expected, refuses) in [
        (r#"{"dependencies":{"drizzle-orm":"^0.44.0"}}"#, vec!["journal"], "v0 (journal)", false),
        (r#"{"dependencies":{"drizzle-orm":"1.0.0-rc.5"}}"#, vec!["folder"], "v1 (folders)", false),
        (r#"{"dependencies":{"drizzle-orm":"1.0.0-rc.5"}}"#, vec!["journal"], "v1 (folders)", true),
        (r#"{"dependencies":{"drizzle-orm":"0.45.4"}}"#, vec!["folder"], "v0 (journal)", true),
        (r#"{"dependencies":{"drizzle-orm":"latest"}}"#, vec!["folder"], "v1 (folders)", false),
        (r#"{"devDependencies":{"drizzle-orm":"1.0.0-beta.9"}}"#, vec!["journal"], "v0 (journal)", false),
        ("{}", vec!["folder"], "v1 (folders)", false),
        ("{}", vec!["journal", "folder"], "v0 (journal)", false),
    ] {
        let folder = project(&[("package.json", package)]);
        for file in &files {
            match *file {
                "journal" => write(folder.path(), "drizzle/meta/_journal.json", journal(&[]).as_bytes()),
                _ => write(folder.path(), &format!("drizzle/{A}/migration.sql"), b"SELECT 1"),
            }
        }
        let plan = planned(&folder, &snapshot(""));
        assert_eq!((plan.layout, plan.refusal.is_some()), (expected, refuses), "{package} {files:?}");
    }
}

#[test]
fn version_in_the_lock_file_wins() {
    let npm3 = r#"{"lockfileVersion":3,"packages":{"node_modules/drizzle-orm":{"version":"1.0.0-rc.5"}}}"#;
    let npm1 = r#"{"lockfileVersion":1,"dependencies":{"drizzle-orm":{"version":"1.0.0-rc.5"}}}"#;
    let pnpm9 = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      drizzle-orm:\n        specifier: ^0.45.0\n        version: 1.0.0-rc.5(better-sqlite3@12.0.0)\n\npackages:\n\n  drizzle-orm@0.1.0:\n    version: 0.1.0\n";
    let pnpm6 = "lockfileVersion: '6.0'\n\ndependencies:\n  drizzle-orm:\n    specifier: ^0.45.0\n    version: 1.0.0-rc.5(better-sqlite3@12.0.0)\n";
    let pnpm5 = "lockfileVersion: 5.4\n\nspecifiers:\n  drizzle-orm: ^0.45.0\n\ndependencies:\n  drizzle-orm: 1.0.0-rc.5_better-sqlite3@9\n";
    let yarn1 = "# yarn lockfile v1\n\n\ndrizzle-orm@^0.45.0:\n  version \"1.0.0-rc.5\"\n  resolved \"x\"\n\ndrizzle-orm@^0.1.0:\n  version \"0.1.0\"\n";
    let berry = "__metadata:\n  version: 8\n\n\"drizzle-orm@npm:^0.45.0, drizzle-orm@npm:^0.45.1\":\n  version: 1.0.0-rc.5\n  resolution: \"drizzle-orm@npm:1.0.0-rc.5\"\n";
    let bun = "{\n  \"lockfileVersion\": 1,\n  \"packages\": {\n    \"drizzle-orm\": [\"drizzle-orm@1.0.0-rc.5\", \"\", { \"a\": \",}\", }, \"sha\"],\n  },\n}\n";
    let installed = r#"{"name":"drizzle-orm","version":"1.0.0-rc.5"}"#;
    for (name, text) in [
        ("package-lock.json", npm3),
        ("package-lock.json", npm1),
        ("npm-shrinkwrap.json", npm3),
        ("pnpm-lock.yaml", pnpm9),
        ("pnpm-lock.yaml", pnpm6),
        ("pnpm-lock.yaml", pnpm5),
        ("yarn.lock", yarn1),
        ("yarn.lock", berry),
        ("bun.lock", bun),
        ("node_modules/drizzle-orm/package.json", installed),
    ] {
        let folder = project(&[
            (".git/HEAD", ""),
            ("package.json", r#"{"dependencies":{"drizzle-orm":"^0.45.0"}}"#),
            ("drizzle/meta/_journal.json", &journal(&[])),
            (name, text),
        ]);
        let located = located(&folder, Request::default()).unwrap();
        let package = &located.project.packages["drizzle-orm"];
        assert_eq!(package.declared, "^0.45.0");
        assert_eq!(package.locked.as_deref(), Some("1.0.0-rc.5"), "{name}\n{text}");
        assert!(package.locked_from.as_ref().unwrap().ends_with(name), "{name}");
        assert_eq!(located.layout, "v1 (folders)");
    }
}

#[test]
fn lock_file_of_the_workspace() {
    let folder = project(&[
        (".git/HEAD", ""),
        ("package.json", "{}"),
        (
            "pnpm-lock.yaml",
            "importers:\n  .:\n    dependencies:\n      drizzle-orm:\n        version: 1.0.0\n  packages/db:\n    dependencies:\n      drizzle-orm:\n        version: 0.44.0\n",
        ),
        ("packages/db/package.json", r#"{"dependencies":{"drizzle-orm":"catalog:"}}"#),
        ("packages/db/drizzle/meta/_journal.json", &journal(&[])),
    ]);
    let by_folder = Request { folder: Some(folder.path().join("packages/db/drizzle")), ..Request::default() };
    let by_project =
        found(&Request { project: folder.path().join("packages/db/src/..").clone(), ..Request::default() });
    assert!(by_project.is_err(), "packages/db/src does not exist");
    for located in [
        located(&folder, by_folder).unwrap(),
        found(&Request { project: folder.path().join("packages/db/drizzle/meta"), ..Request::default() }).unwrap(),
    ] {
        assert_eq!(located.project.root, folder.path().join("packages/db"));
        assert_eq!(located.project.packages["drizzle-orm"].locked.as_deref(), Some("0.44.0"));
        assert_eq!(located.layout, "v0 (journal)");
    }
}

// ---- detection -----------------------------------------------------------------------------------------------------

#[test]
fn folder_from_the_project() {
    let empty = journal(&[]);
    for (files, expected, why) in [
        (
            vec![
                ("drizzle.config.ts", "export default { out: './db/m', dialect: 'sqlite' }"),
                ("db/m/meta/_journal.json", &*empty),
            ],
            "db/m",
            "`out` in",
        ),
        (
            vec![("drizzle.config.json", "{\"dialect\":\"sqlite\"}"), ("drizzle/meta/_journal.json", &empty)],
            "drizzle",
            "default of `out`",
        ),
        (vec![("src/db/migrations/meta/_journal.json", &empty)], "src/db/migrations", "_journal.json is there"),
        (vec![("migrations/20250101000000_a/migration.sql", "")], "migrations", "migration.sql is there"),
        (
            vec![("src/db.ts", "migrate(db, { migrationsFolder: './here' })"), ("here/meta/_journal.json", &empty)],
            "here",
            "src/db.ts:1",
        ),
        (
            vec![
                ("drizzle.config.ts", "export default { dialect: 'postgresql', out: './pg' }"),
                ("drizzle.sqlite.config.ts", "export default { dialect: 'sqlite', out: './lite' }"),
                ("lite/meta/_journal.json", &empty),
            ],
            "lite",
            "drizzle.sqlite.config.ts",
        ),
    ] {
        let folder = project(&files);
        write(folder.path(), "package.json", b"{}");
        let located = located(&folder, Request::default()).unwrap();
        assert_eq!(located.folder, folder.path().join(expected));
        assert_eq!(located.tool.name, "drizzle");
        assert!(decision(&located.decisions, "migrations")[0].1.contains(why), "{:?}", located.decisions);
    }
}

#[test]
fn what_cannot_be_decided_names_the_option() {
    let empty = journal(&[]);
    for (files, expected, option) in [
        (vec![], "there is no drizzle.config.*", "--migrations"),
        (
            vec![("drizzle.config.ts", "export default { out: process.env.OUT }")],
            "drizzle.config.ts:1 is computed",
            "--migrations",
        ),
        (vec![("drizzle.config.ts", "export default { out: 'none' }")], "there is no such folder", "--migrations"),
        (vec![("drizzle.config.ts", "export default { out: 'file' }"), ("file", "")], "it is a file", "--migrations"),
        (
            vec![
                ("drizzle.config.ts", "export default { out: 'a' }"),
                ("drizzle.config.prod.ts", "export default { out: 'b' }"),
            ],
            "disagree",
            "--migrations",
        ),
        (
            vec![("drizzle/meta/_journal.json", &*empty), ("migrations/meta/_journal.json", &empty)],
            "there are several",
            "--migrations",
        ),
        (
            vec![
                ("drizzle.config.ts", "export default { out: 'a' }"),
                ("app.ts", "migrate(db, { migrationsFolder: './b' })"),
                ("a/meta/_journal.json", &empty),
                ("b/meta/_journal.json", &empty),
            ],
            "b` (`migrationsFolder` in ",
            "--migrations",
        ),
        (
            vec![
                ("a.ts", "migrate(db, { migrationsFolder: './a' })"),
                ("b.ts", "migrate(db, { migrationsFolder: 'b' })"),
                ("a/meta/_journal.json", &empty),
                ("b/meta/_journal.json", &empty),
            ],
            "there are several",
            "--migrations",
        ),
        (
            vec![
                ("drizzle.config.ts", "export default { migrations: { table: t() } }"),
                ("drizzle/meta/_journal.json", &empty),
            ],
            "`migrations.table` in",
            "--ledger-table",
        ),
        (
            vec![
                ("drizzle/meta/_journal.json", &empty),
                ("a.ts", "migrate(db, { migrationsTable: 'a' })"),
                ("b.ts", "migrate(db, { migrationsTable: 'b' })"),
            ],
            "`migrationsTable` is `a` in",
            "--ledger-table",
        ),
    ] {
        let folder = project(&files);
        write(folder.path(), "package.json", b"{}");
        let error = located(&folder, Request::default()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.hints().iter().any(|hint| hint.contains(option)), "{:?}", error.hints());
        assert_eq!(error.exit_code(), 2);
    }
}

#[test]
fn given_folders() {
    let folder = project(&[
        ("package.json", "{}"),
        ("plain/1.sql", ""),
        ("journal/meta/_journal.json", &journal(&[])),
        ("journal/a.sql", ""),
        ("pg/meta/_journal.json", r#"{"dialect":"postgresql","entries":[]}"#),
        ("text/readme.md", ""),
        ("file", ""),
    ]);
    std::fs::create_dir(folder.path().join("empty")).unwrap();
    for (name, expected) in [
        ("plain", Ok("sql")),
        ("journal", Ok("drizzle")),
        ("pg", Err("its `dialect` is not SQLite")),
        ("empty", Err("it is empty")),
        (
            "text",
            Err("it holds nothing that a tool looks for: meta/_journal.json or folders with migration.sql (drizzle), "),
        ),
        ("file", Err("it is a file")),
        ("none", Err("there is no such folder")),
    ] {
        let request = Request { folder: Some(folder.path().join(name)), ..Request::default() };
        match (located(&folder, request), expected) {
            (Ok(located), Ok(tool)) => assert_eq!(located.tool.name, tool),
            (Err(error), Err(text)) => assert!(error.to_string().contains(text), "{name}: {error}"),
            (found, expected) => panic!("{name}: {found:?} instead of {expected:?}"),
        }
    }
}

#[test]
fn ledger_table_by_option_config_and_source() {
    let empty = journal(&[]);
    let config = ("drizzle.config.ts", "export default { migrations: { table: 'from_config' } }");
    let source = ("src/a.ts", "migrate(db, {\n  migrationsFolder: './drizzle',\n  migrationsTable: 'from_source',\n})");
    for (files, given, expected) in [
        (vec![], None, "__drizzle_migrations"),
        (vec![source], None, "from_source"),
        (vec![config, source], None, "from_config"),
        (vec![config, source], Some("given"), "given"),
    ] {
        let folder = project(&files);
        write(folder.path(), "package.json", b"{}");
        write(folder.path(), "drizzle/meta/_journal.json", empty.as_bytes());
        let located = located(&folder, Request { table: given.map(Into::into), ..Request::default() }).unwrap();
        assert_eq!(located.table, expected);
    }
}

#[test]
fn custom_table_is_read_and_written() {
    let folder = v0_project(&[("a", "1"), ("b", "2")]);
    let before = snapshot(
        "CREATE TABLE \"my \"\"table\" (id, hash, created_at); INSERT INTO \"my \"\"table\" VALUES (1, 'x', 1)",
    );
    let located = located(&folder, Request { table: Some("my \"table".into()), ..Request::default() }).unwrap();
    let plan = plan(&located, &before).unwrap();
    assert_eq!(states(&plan), ["a: edited", "b: pending"]);
    before.execute_batch(&plan.setup[0]).unwrap();
    before.execute_batch(&plan.entries[1].migration.record.within[0]).unwrap();
}

#[test]
fn evidence_for_the_driver() {
    let folder = project(&[
        ("package.json", "{}"),
        ("drizzle/meta/_journal.json", &journal(&[])),
        (
            "src/db.ts",
            "import { drizzle } from 'drizzle-orm/better-sqlite3';\nimport { text } from \"drizzle-orm/sqlite-core\";\nimport { migrate } from 'drizzle-orm/better-sqlite3/migrator';\nimport Database from 'better-sqlite3';\nsqlite.pragma('foreign_keys = ON');\n// sqlite.pragma('foreign_keys = OFF');\n",
        ),
        (
            "src/db.test.ts",
            "const { migrate } = await import('drizzle-orm/libsql/migrator')\nawait client.execute('PRAGMA foreign_keys=OFF')",
        ),
        ("src/bun.js", "/* const x = require('drizzle-orm/d1');\n*/ const { Database } = require(\"bun:sqlite\");"),
        ("node_modules/x/index.js", "require('drizzle-orm/d1/migrator')"),
        (".next/x.js", "require('drizzle-orm/d1/migrator')"),
        ("dist/x.js", "require('drizzle-orm/d1/migrator')"),
    ]);
    let found = located(&folder, Request::default()).unwrap().project;
    let imports = |imports: &[rehearse::migrations::project::Import]| {
        imports
            .iter()
            .map(|import| format!("{} {} {}", import.driver_module, import.line, import.in_test))
            .collect::<Vec<_>>()
    };
    assert_eq!(imports(&found.migrator_imports), ["libsql 1 true", "better-sqlite3 3 false"]);
    assert_eq!(imports(&found.driver_imports), ["better-sqlite3 1 false"]);
    assert_eq!(imports(&found.library_imports), ["bun:sqlite 2 false", "better-sqlite3 4 false"]);
    let pragmas: Vec<_> = found.foreign_keys.iter().map(|one| (one.on, one.line, one.in_test)).collect();
    assert_eq!(pragmas, [(false, 2, true), (true, 5, false)]);
}

#[test]
fn the_search_in_sources_has_a_bound_and_says_so() {
    let folder = project(&[("drizzle/meta/_journal.json", &journal(&[])), ("package.json", "{}")]);
    write(folder.path(), "large.ts", &vec![b' '; (1 << 20) + 1]);
    for number in 0..5_001 {
        std::fs::write(folder.path().join(format!("{number}.ts")), "").unwrap();
    }
    let located = located(&folder, Request::default()).unwrap();
    let said: Vec<_> = decision(&located.decisions, "sources").into_iter().map(|(value, _)| value).collect();
    assert_eq!(said, ["the search in source files ended after 5000 files", "1 source files were not searched"]);
}

#[test]
fn paths_stay_as_given() {
    // The working directory of the tests is the crate's folder, which has a .git and no migrations.
    let error = found(&Request { project: PathBuf::from("."), ..Request::default() }).unwrap_err();
    assert!(error.to_string().contains("in `.` there is no"), "{error}");
    let error = found(&Request { folder: Some("./no/such".into()), ..Request::default() }).unwrap_err();
    assert!(error.to_string().contains("`no/such`"), "{error}");
    let error = found(&Request { project: "src/migrations".into(), ..Request::default() }).unwrap_err();
    assert!(error.to_string().contains("in `.` there is no"), "{error}");
}

// ---- plain SQL files -----------------------------------------------------------------------------------------------

fn sql_plan(names: &[&str], before: &Connection) -> Result<Plan, Error> {
    let folder = project(&[]);
    for name in names {
        write(folder.path(), &format!("m/{name}"), b"SELECT 1; SELECT 2;");
    }
    plan(&located(&folder, Request { folder: Some(folder.path().join("m")), ..Request::default() })?, before)
}

#[test]
fn sql_files_in_order_against_user_version() {
    for (names, version, expected, ledger) in [
        (vec!["10_b.sql", "9_a.sql", "x.txt"], 0, vec!["9_a.sql: pending", "10_b.sql: pending"], "PRAGMA user_version"),
        (vec!["10_b.sql", "009_a.SQL"], 9, vec!["009_a.SQL: applied", "10_b.sql: pending"], "PRAGMA user_version"),
        (
            vec!["1.up.sql", "1.down.sql", "2.up.sql"],
            1,
            vec!["1.up.sql: applied", "2.up.sql: pending"],
            "PRAGMA user_version",
        ),
        (vec!["b.sql", "a.sql", ".hidden.sql"], 5, vec!["a.sql: pending", "b.sql: pending"], ""),
        (
            vec!["20250102000000.sql", "20250101000000.sql"],
            5,
            vec!["20250101000000.sql: pending", "20250102000000.sql: pending"],
            "",
        ),
    ] {
        let plan = sql_plan(&names, &snapshot(&format!("PRAGMA user_version = {version}"))).unwrap();
        assert_eq!(states(&plan), expected);
        assert_eq!((plan.tool, plan.ledger.name.as_str()), ("sql", ledger));
        assert_eq!(plan.ledger.present, !ledger.is_empty() && version > 0);
        assert_eq!(plan.entries[0].migration.chunks.len(), 1);
        assert_eq!(plan.entries[0].migration.chunks[0].statements.len(), 2);
    }
}

#[test]
fn sql_records_the_number_unless_the_files_do() {
    let plan_of = |text: &str| {
        let folder = project(&[("m/7.sql", text)]);
        let request = Request { folder: Some(folder.path().join("m")), ..Request::default() };
        plan(&located(&folder, request).unwrap(), &snapshot("")).unwrap()
    };
    assert_eq!(plan_of("SELECT 1").entries[0].migration.record.within, ["PRAGMA user_version = 7"]);
    assert_eq!(plan_of("PRAGMA user_version").entries[0].migration.record.within, ["PRAGMA user_version = 7"]);
    assert!(plan_of("-- x\nPRAGMA main.user_version = 7;").entries[0].migration.record.within.is_empty());
}

#[test]
fn sql_names_what_contradicts() {
    for (names, expected) in [
        (vec!["1_a.sql", "b.sql"], "some files are numbered (`1_a.sql`) and some are not (`b.sql`)"),
        (vec!["1_a.sql", "01_b.sql"], "two files have the same number: `01_b.sql`, `1_a.sql`"),
    ] {
        let error = sql_plan(&names, &snapshot("")).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn options_that_do_not_fit() {
    let folder = project(&[("package.json", "{}"), ("m/1.sql", "")]);
    let m = Some(folder.path().join("m"));
    let error = located(&folder, Request { tool: Some("flyway".into()), ..Request::default() }).unwrap_err();
    assert_eq!(error.to_string(), "reading `--tool`: there is no tool `flyway`");
    for tool in TOOLS {
        assert!(error.hints()[0].contains(&format!("`{}`", tool.name)), "{:?}", error.hints());
    }
    let error = located(&folder, Request { folder: m, table: Some("t".into()), ..Request::default() }).unwrap_err();
    assert_eq!(error.to_string(), "reading `--ledger-table`: the tool `sql` has no such table");
}
