//! What goes wrong around a rehearsal: snapshots that are none, signals, kills, full disks, folders that cannot be written, clocks that are
//! wrong, apps that write meanwhile. The snapshot stays what it is, nothing is left, and the exit code says what happened.
//!
//! Moments are random with a fixed seed: `CASES=2000 cargo test --test anomalies kills` tries more of them, `SEED=17` others.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot make its project has failed")]

mod apps;
mod clocks;
mod copies;
mod disks;
mod kills;
mod moments;
mod signals;
mod snapshots;
#[path = "../cmd/support.rs"]
mod support;
mod together;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use support::{Project, Ran};

const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y');";
/// Runs for hours.
const ENDLESS: &str = "
    CREATE TABLE n AS WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 1000000000000) SELECT max(i) FROM n;";
const MAIN: [&str; 6] = ["--snapshot", "prod.db", "--migrations", "migrations", "--driver", "sqlite"];

/// A table `t` with this many rows of 200 bytes.
fn filled(rows: u32) -> String {
    format!(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT);
        WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
        INSERT INTO t SELECT i, printf('%.200c', 'r') FROM n;"
    )
}

/// An app's own connection; it creates nothing.
fn connect(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap()
}

/// Puts into the project the files that another process would find if an app died now that has done this and is connected still.
fn left_by_an_app(project: &Project, sql: &str) {
    let elsewhere = tempfile::tempdir().unwrap();
    let database = elsewhere.path().join("prod.db");
    let app = Connection::open_with_flags(&database, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
        .unwrap();
    app.execute_batch(sql).unwrap();
    for name in ["prod.db", "prod.db-wal", "prod.db-journal"] {
        if let Ok(content) = std::fs::read(elsewhere.path().join(name)) {
            std::fs::write(project.path(name), content).unwrap();
        }
    }
}

/// In the middle of a transaction that has been written to the file in part.
fn half_a_transaction(rows: u32) -> String {
    format!("{}; PRAGMA cache_size = 2; BEGIN; UPDATE t SET a = printf('%.200c', 'h');", filled(rows))
}

/// Waits until a rehearsal has its private folder, and gives it.
fn workspace(temporary: &Path) -> PathBuf {
    let begun = Instant::now();
    loop {
        if let Some(entry) = std::fs::read_dir(temporary).unwrap().next() {
            return entry.unwrap().path();
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "no rehearsal began");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A process that is killed when this is dropped, so that none outlives its test.
struct Running(Option<Child>);

impl Running {
    fn start(command: &mut Command) -> Self {
        Self(Some(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()))
    }

    fn rehearsal(project: &Project, arguments: &[&str]) -> Self {
        Self::start(&mut project.command(arguments))
    }

    fn child(&self) -> &Child {
        self.0.as_ref().unwrap()
    }

    fn signal(&self, name: &str) {
        assert!(Command::new("kill").args(["-s", name, &self.child().id().to_string()]).status().unwrap().success());
    }

    /// Waits for its end.
    fn end(mut self) -> Ran {
        Ran::from(self.0.take().unwrap().wait_with_output().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Numbers that are the same in every run.
struct Random(u64);

impl Random {
    fn new() -> Self {
        Self(std::env::var("SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(7))
    }

    /// Below this one.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// A moment in the course of something that takes this long, or soon after it.
    fn moment(&mut self, length: Duration) -> Duration {
        Duration::from_micros(self.below(u64::try_from(length.as_micros()).unwrap() * 11 / 10))
    }
}

/// How many times something is tried that chance decides.
fn cases(else_: usize) -> usize {
    std::env::var("CASES").map_or(else_, |cases| cases.parse().unwrap())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n")
}

/// Says why a test did nothing, past the capturing of `cargo test`, so that it is seen.
fn skipped(why: &str) {
    let line = format!("skipped: {why}\n");
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
}

/// A figure, for `--nocapture`.
#[expect(clippy::print_stdout, reason = "it is what a person asked for")]
fn tell(figure: &str) {
    println!("{figure}");
}
