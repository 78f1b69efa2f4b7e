//! Apps that have the snapshot open while it is rehearsed.

use std::fmt;
use std::io::Read as _;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::ErrorCode;

use super::*;

/// An app in WAL mode that writes while it is rehearsed: whatever moment the copy shows, posts are lost and users are not.
#[test]
fn an_app_that_writes_meanwhile() {
    for mode in ["WAL", "DELETE"] {
        let project = Project::demo();
        let database = project.path("prod.db");
        connect(&database).execute_batch(&format!("PRAGMA journal_mode = {mode}")).unwrap();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let app = scope.spawn(|| {
                let app = connect(&database);
                app.busy_timeout(Duration::from_secs(30)).unwrap();
                let mut posts = 100_u64;
                while !stop.load(Ordering::Relaxed) {
                    app.execute("INSERT INTO posts (user_id, title) VALUES (1, 'meanwhile')", []).unwrap();
                    posts += 1;
                    std::thread::sleep(Duration::from_millis(3));
                }
                posts
            });
            // Also where an assertion fails: the scope waits for the app.
            let stopping = Stopping(&stop);
            let mut before = 100;
            for _ in 0..5 {
                let ran = Ran::from(project.command(&["--snapshot", "prod.db", "--format", "json"]).output().unwrap());
                assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""), "{mode}");
                let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
                let rows = &document["tables"][0]["rows"];
                let posts = rows["before"].as_u64().unwrap();
                assert!(posts >= before, "{mode}: {posts} rows after {before}");
                assert_eq!((&rows["lost"], &rows["after"]), (&posts.into(), &0.into()), "{mode}");
                let codes: Vec<&str> = document["findings"]
                    .as_array()
                    .unwrap()
                    .iter()
                    .filter_map(|finding| finding["code"].as_str())
                    .collect();
                assert!(codes.contains(&"LS102"), "{mode}: {codes:?}");
                assert!(!codes.iter().any(|code| ["IN401", "SN901", "SN902"].contains(code)), "{mode}: {codes:?}");
                before = posts;
                project.assert_nothing_left();
            }
            drop(stopping);
            let written = app.join().unwrap();
            assert!(written >= before && written > 100);
            let app = connect(&database);
            let posts: i64 = app.query_row("SELECT count(*) FROM posts", [], |row| row.get(0)).unwrap();
            assert_eq!(posts.cast_unsigned(), written, "{mode}: the app lost a write");
        });
    }
}

struct Stopping<'a>(&'a AtomicBool);

impl Drop for Stopping<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn an_app_that_holds_its_lock() {
    let project = Project::demo();
    let app = connect(&project.path("prod.db"));
    for lock in ["IMMEDIATE", "EXCLUSIVE"] {
        app.execute_batch(&format!("BEGIN {lock}; UPDATE users SET email = 'half';")).unwrap();
        let ran = Ran::from(project.command(&["--snapshot", "prod.db", "-q"]).output().unwrap());
        assert_eq!(ran.code, Some(1), "{lock}: {}", ran.all());
        assert!(ran.stdout.contains("`posts` lost 100 of 100 rows"), "{lock}: {}", ran.stdout);
        app.execute_batch("ROLLBACK").unwrap();
        project.assert_nothing_left();
    }
}

/// In the middle of one transaction the app writes to the file all the time: the state before it can be read with luck only.
#[test]
#[ignore = "takes as long as a rehearsal waits; `just soak` runs it"]
fn an_app_that_never_lets_go() {
    let project = Project::new(&filled(4000)).migration("1.sql", "SELECT 1;");
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (holds, held) = std::sync::mpsc::channel();
        let (database, stop) = (project.path("prod.db"), &stop);
        scope.spawn(move || {
            let app = connect(&database);
            app.execute_batch("PRAGMA cache_size = 2; BEGIN EXCLUSIVE").unwrap();
            holds.send(()).unwrap();
            while !stop.load(Ordering::Relaxed) {
                app.execute_batch("UPDATE t SET a = hex(randomblob(100))").unwrap();
            }
            app.execute_batch("ROLLBACK").unwrap();
        });
        let stopping = Stopping(stop);
        held.recv().unwrap();
        let begun = Instant::now();
        let ran = Ran::from(project.command(&MAIN).output().unwrap());
        tell(&format!("exit code {:?} after {:.1} s", ran.code, begun.elapsed().as_secs_f64()));
        drop(stopping);
        let is_right = ran.code == Some(0) && ran.stdout.contains("1 table, 4,000 rows: unchanged");
        let is_refused = ran.code == Some(4) && ran.stdout.is_empty() && ran.stderr.contains("SN905");
        assert!(is_right || is_refused, "{:?}: {}", ran.code, ran.all());
    });
    project.assert_nothing_left();
}

/// What a part of an app met in a while.
#[derive(Debug, Clone, Copy)]
struct Met {
    /// What it did: transactions of a writer, queries of a reader.
    done: u64,
    /// How often SQLite said that the database is locked.
    refused: u64,
    /// The longest time from the first try of one of them to its end.
    longest: Duration,
}

impl fmt::Display for Met {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { done, refused, longest } = self;
        write!(formatter, "{done} done, {refused} tries refused, longest {:.1} ms", longest.as_secs_f64() * 1000.0)
    }
}

/// A writer or a reader in a process of its own, without a busy timeout.
struct App(Running);

const ROLES: [&str; 2] = ["writer", "reader"];

impl App {
    fn start(role: &str, database: &Path) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "apps::an_app", "--nocapture"]);
        command.env("ANOMALIES_ROLE", role).env("ANOMALIES_DATABASE", database);
        Self(Running::start(command.stdin(Stdio::piped())))
    }

    /// Ends it, and gives what it met.
    fn end(self) -> Met {
        // That closes its standard input.
        let said = self.0.end().all();
        let numbers = said.lines().find_map(|line| line.strip_prefix("met: ")).unwrap_or_else(|| panic!("{said}"));
        let numbers: Vec<u64> = numbers.split(' ').map(|number| number.parse().unwrap()).collect();
        Met { done: numbers[0], refused: numbers[1], longest: Duration::from_micros(numbers[2]) }
    }
}

/// Is the other process where it is started as one, and nothing else.
#[test]
fn an_app() {
    let Ok(role) = std::env::var("ANOMALIES_ROLE") else { return };
    let app = connect(Path::new(&std::env::var("ANOMALIES_DATABASE").unwrap()));
    // What the disk takes is not what is measured.
    app.execute_batch("PRAGMA synchronous = OFF").unwrap();
    app.busy_timeout(Duration::ZERO).unwrap();
    let turn = || {
        if role == "writer" {
            app.execute("UPDATE counter SET n = n + 1", []).map(drop)
        } else {
            app.query_row("SELECT n + (SELECT count(*) FROM t WHERE id < 100) FROM counter", [], |_| Ok(()))
        }
    };
    let ended = AtomicBool::new(false);
    let mut met = Met { done: 0, refused: 0, longest: Duration::ZERO };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            // The other side closes it.
            let _ = std::io::stdin().read(&mut [0]);
            ended.store(true, Ordering::Relaxed);
        });
        while !ended.load(Ordering::Relaxed) {
            let begun = Instant::now();
            while let Err(error) = turn() {
                assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy), "{error}");
                assert!(begun.elapsed() < Duration::from_mins(2), "it never gets in");
                met.refused += 1;
                std::thread::sleep(Duration::from_micros(200));
            }
            met.done += 1;
            met.longest = met.longest.max(begun.elapsed());
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    tell(&format!("\nmet: {} {} {}", met.done, met.refused, met.longest.as_micros()));
}

/// Rehearses a database that a writer and a reader work on, and tells what they meet with and without it.
#[test]
fn an_app_is_not_blocked() {
    let megabytes: usize = std::env::var("MEGABYTES").map_or(20, |megabytes| megabytes.parse().unwrap());
    for mode in ["WAL", "DELETE"] {
        let project = Project::new(&format!(
            "PRAGMA journal_mode = {mode}; CREATE TABLE counter (n); INSERT INTO counter VALUES (0); {}",
            filled(u32::try_from(megabytes * 4500).unwrap())
        ))
        .migration("1.sql", "DELETE FROM t WHERE id <= 10;");
        let database = project.path("prod.db");
        let work = |meanwhile: &dyn Fn()| {
            let [writer, reader] = ROLES.map(|role| App::start(role, &database));
            std::thread::sleep(Duration::from_millis(300));
            meanwhile();
            [writer.end(), reader.end()]
        };
        let alone = work(&|| std::thread::sleep(Duration::from_millis(1200)));
        let rehearsed = work(&|| {
            for _ in 0..3 {
                let ran = Ran::from(project.command(&[&MAIN[..], &["--format", "json"]].concat()).output().unwrap());
                // The app goes before the rehearsal.
                if mode == "DELETE" && ran.code == Some(4) && ran.stderr.contains("SN905") {
                    tell("it changed too fast to be copied without keeping the writer waiting");
                    continue;
                }
                assert_eq!(ran.code, Some(0), "{mode}: {}", ran.all());
                let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
                let tables = document["tables"].as_array().unwrap();
                let table = tables.iter().find(|table| table["name"] == "t").unwrap();
                assert_eq!(table["rows"]["lost"], 10, "{mode}: {table}");
            }
        });
        for (role, (alone, rehearsed)) in ROLES.iter().zip(alone.iter().zip(&rehearsed)) {
            tell(&format!("{mode}, {megabytes} MB, {role} alone: {alone}; while it is rehearsed: {rehearsed}"));
            assert!(alone.done > 0 && rehearsed.done > 0);
            match mode {
                "WAL" => assert_eq!((alone.refused, rehearsed.refused), (0, 0), "{role}"),
                // What SQLite and most drivers wait before they give up.
                _ => assert!(rehearsed.longest < Duration::from_secs(5), "{role}: {rehearsed}"),
            }
        }
        project.assert_nothing_left();
    }
}
