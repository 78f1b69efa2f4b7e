//! A database, migrations and a rehearsal of them, from SQL.

#![allow(dead_code, reason = "no test binary uses all of it")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use rehearse::execution::Step;
use rehearse::findings::{Finding, Level};
use rehearse::migrations::Request;
use rehearse::observer::Silent;
use rehearse::snapshot::{Bounds, Extent};
use rehearse::{Options, Rehearsal};
use rusqlite::{Connection, OpenFlags};

/// A database file with this content.
pub fn database(path: &Path, sql: &str) {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).unwrap();
    connection
        .execute_batch("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY; PRAGMA foreign_keys = OFF")
        .unwrap();
    connection.execute_batch(sql).unwrap_or_else(|error| panic!("{error} in {sql}"));
}

/// Rehearses plain files under a driver of the tool `sql`; foreign keys are off under `sqlite` and on under `rusqlite`.
pub fn plain(before: &str, migrations: &[&str], driver: &str) -> Rehearsal {
    plain_in(tempfile::tempdir().unwrap().path(), before, migrations, driver)
}

/// The same in this folder, where `prod.db` is left as it was before and `after.db` as it is after.
pub fn plain_in(folder: &Path, before: &str, migrations: &[&str], driver: &str) -> Rehearsal {
    let files = folder.join("migrations");
    fs::create_dir(&files).unwrap();
    for (index, sql) in migrations.iter().enumerate() {
        fs::write(files.join(format!("{:04}.sql", index + 1)), sql).unwrap();
    }
    run(folder, before, driver, "sql")
}

/// Rehearses drizzle v0 migrations; each is a list of chunks.
pub fn drizzle(before: &str, migrations: &[&[&str]], driver: &str) -> Rehearsal {
    let folder = tempfile::tempdir().unwrap();
    let files = folder.path().join("migrations");
    fs::create_dir_all(files.join("meta")).unwrap();
    let mut entries = String::new();
    for (index, chunks) in migrations.iter().enumerate() {
        let tag = format!("{index:04}_m");
        fs::write(files.join(format!("{tag}.sql")), chunks.join("--> statement-breakpoint")).unwrap();
        let comma = if index == 0 { "" } else { "," };
        let when = 1_700_000_000_000_u64 + index as u64;
        write!(entries, r#"{comma}{{"idx":{index},"version":"6","when":{when},"tag":"{tag}","breakpoints":true}}"#)
            .unwrap();
    }
    let journal = format!(r#"{{"version":"7","dialect":"sqlite","entries":[{entries}]}}"#);
    fs::write(files.join("meta/_journal.json"), journal).unwrap();
    run(folder.path(), before, driver, "drizzle")
}

fn run(folder: &Path, before: &str, driver: &str, tool: &str) -> Rehearsal {
    let snapshot = folder.join("prod.db");
    database(&snapshot, before);
    let migrations = Request {
        folder: Some(folder.join("migrations")),
        tool: Some(tool.to_owned()),
        table: None,
        project: folder.to_owned(),
    };
    let options = Options {
        driver: Some(driver.to_owned()),
        workspace: Some(folder.to_owned()),
        keep_copy: Some(folder.join("after.db")),
        bounds: Bounds { unsafe_sql: true, ..Bounds::default() },
        ..Options::of(snapshot, migrations)
    };
    let mut rehearsal = rehearse::rehearse(&options, &Silent).unwrap();
    let without = Options { extent: Extent::Changed, keep_copy: None, ..options };
    let without = rehearse::rehearse(&without, &Silent).unwrap();
    assert_eq!(of_the_run(&without), of_the_run(&rehearsal), "without what did not change");
    // What the file system says of a file made a moment ago is not what these tests are about.
    rehearsal.findings.retain(|finding| !finding.rule.code.starts_with("SN9") || finding.rule.code == "SN911");
    rehearsal
}

/// The findings that tell what the run did, and not how the snapshot was.
fn of_the_run(rehearsal: &Rehearsal) -> Vec<String> {
    let findings = rehearsal.findings.iter().filter(|finding| !["IN403", "IN406"].contains(&finding.rule.code));
    findings.map(|finding| format!("{} {} ({:?})", finding.rule.code, finding.message, finding.cause)).collect()
}

/// What a step wrote, one entry per table and actor: `users statement +1 ~2 -3`.
pub fn changes(step: &Step) -> Vec<String> {
    let one = |change: &rehearse::execution::steps::Change| {
        let mut text = format!("{} {}", change.table, change.by.name());
        for (sign, rows) in [('+', change.inserted), ('~', change.updated), ('-', change.deleted)] {
            if rows > 0 {
                write!(text, " {sign}{rows}").unwrap();
            }
        }
        text
    };
    step.changes.iter().map(one).collect()
}

/// A finding on one line: `LS102 error posts rows=100`.
pub fn brief(finding: &Finding) -> String {
    let mut text = format!("{} {}", finding.rule.code, finding.level.name());
    for part in [&finding.table, &finding.column, &finding.object].into_iter().flatten() {
        write!(text, " {part}").unwrap();
    }
    if let Some(rows) = finding.rows {
        write!(text, " rows={rows}").unwrap();
    }
    text
}

/// Every finding above note, on one line each.
pub fn alarms(rehearsal: &Rehearsal) -> Vec<String> {
    rehearsal.findings.iter().filter(|finding| finding.level > Level::Note).map(brief).collect()
}
