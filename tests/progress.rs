//! What an observer sees: every stage that begins ends, and what is counted is true.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot make its files has failed"
)]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use rehearse::Options;
use rehearse::execution::command::Exec;
use rehearse::migrations::Request;
use rehearse::observer::{Observer, Stage, Work};
use rehearse::snapshot::Extent;
use rusqlite::{Connection, OpenFlags};

/// What ended: the stage, what was done and the total.
type Ended = (String, u64, Option<u64>);

/// Keeps what began and what ended.
#[derive(Default)]
struct Recording {
    open: Mutex<Vec<Arc<Work>>>,
    ended: Mutex<Vec<Ended>>,
}

impl Observer for Recording {
    fn begin(&self, work: &Arc<Work>) {
        assert_eq!(work.done(), 0);
        self.open.lock().unwrap().push(Arc::clone(work));
    }

    fn end(&self, work: &Arc<Work>) {
        let mut open = self.open.lock().unwrap();
        let place = open.iter().position(|open| Arc::ptr_eq(open, work)).expect("it began, and did not end before");
        open.remove(place);
        self.ended.lock().unwrap().push((name(work.stage()), work.done(), work.total()));
    }
}

impl Recording {
    /// What ended, where all did.
    fn ended(self) -> Vec<Ended> {
        assert!(self.open.into_inner().unwrap().is_empty());
        self.ended.into_inner().unwrap()
    }

    /// The same; all that has a total is done.
    fn completed(self) -> Vec<Ended> {
        let ended = self.ended();
        for (stage, done, total) in &ended {
            assert!(total.is_none_or(|total| total == *done), "{stage}: {done} of {total:?}");
        }
        ended
    }
}

fn name(stage: &Stage) -> String {
    match stage {
        Stage::Trial(words) => format!("trial {words}"),
        Stage::Migration(name) => format!("migration {name}"),
        other => format!("{other:?}").split([' ', '(']).next().unwrap().to_lowercase(),
    }
}

fn stages(ended: &[Ended]) -> Vec<&str> {
    ended.iter().map(|(stage, ..)| stage.as_str()).collect()
}

fn of<'a>(ended: &'a [Ended], stage: &str) -> &'a Ended {
    ended.iter().find(|(name, ..)| name == stage).unwrap_or_else(|| panic!("no {stage} in {ended:?}"))
}

fn open(path: &Path) -> Connection {
    Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).unwrap()
}

struct Project(tempfile::TempDir);

impl Project {
    /// 3,000 users and 3,000 posts that go with them, and these migrations.
    fn new(migrations: &[(&str, &str)]) -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        let connection = open(&project.path("prod.db"));
        connection
            .execute_batch(
                "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
                 CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users ON DELETE CASCADE);
                 WITH n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
                     INSERT INTO users SELECT i, 'user' || i FROM n;
                 INSERT INTO posts SELECT id, id FROM users;",
            )
            .unwrap();
        std::fs::create_dir(project.path("migrations")).unwrap();
        for (name, sql) in migrations {
            std::fs::write(project.path("migrations").join(name), sql).unwrap();
        }
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn options(&self, snapshot: &Path) -> Options {
        let migrations = Request {
            folder: Some(self.path("migrations")),
            tool: Some("sql".into()),
            table: None,
            project: self.0.path().to_owned(),
        };
        let driver = Some("sqlite".into());
        Options { driver, foreign_keys: Some(true), ..Options::of(snapshot.to_owned(), migrations) }
    }

    fn rehearsed(&self, change: impl FnOnce(&mut Options)) -> Recording {
        let recording = Recording::default();
        let mut options = self.options(&self.path("prod.db"));
        change(&mut options);
        rehearse::rehearse(&options, &recording).unwrap();
        recording
    }
}

const UPDATE: (&str, &str) =
    ("0001_upper.sql", "UPDATE users SET email = upper(email); CREATE INDEX i ON users (email);");

#[test]
fn statements_bytes_and_rows_are_counted() {
    let project = Project::new(&[UPDATE]);
    let ended = project.rehearsed(|_| ()).completed();
    let bytes = project.path("prod.db").metadata().unwrap().len();
    assert_eq!(of(&ended, "migration 0001_upper.sql").1, 2);
    assert_eq!(of(&ended, "compare").1, 6_000, "the users before and after; no page of posts differs");
    assert!(ended.iter().filter(|(stage, ..)| stage == "verify").all(|(_, done, _)| *done == bytes));
    assert_eq!(stages(&ended).iter().filter(|stage| **stage == "count").count(), 2);
    for expected in ["verify", "check"] {
        of(&ended, expected);
    }
}

#[test]
fn rows_that_are_brought_together_twice_count_twice() {
    // Every row lost its key and its place: no key tells which is which, so that the rows themselves are compared too.
    let project = Project::new(&[(
        "0001_move.sql",
        "CREATE TABLE u (email TEXT); INSERT INTO u SELECT email FROM users WHERE id > 1 ORDER BY id DESC;
         DROP TABLE users; ALTER TABLE u RENAME TO users;",
    )]);
    let ended = project.rehearsed(|options| options.foreign_keys = Some(false)).completed();
    assert!(of(&ended, "compare").1 > 5_999, "{ended:?}");
}

#[test]
fn a_dump_is_read_to_its_end() {
    let project = Project::new(&[UPDATE]);
    let dump = project.path("dump.sql");
    std::fs::write(
        &dump,
        "BEGIN; CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT); INSERT INTO users VALUES (1, 'a'); COMMIT;\n",
    )
    .unwrap();
    let ended = project.rehearsed(|options| options.snapshot = dump.clone().into()).completed();
    assert_eq!(of(&ended, "import").1, dump.metadata().unwrap().len());
}

#[test]
fn a_proof_is_a_trial_of_its_own() {
    let project = Project::new(&[("0001_delete.sql", "DELETE FROM users WHERE id <= 10;")]);
    let ended = project.rehearsed(|_| ()).completed();
    let stages = stages(&ended);
    let trial = stages.iter().position(|stage| *stage == "trial with foreign keys off").unwrap();
    assert_eq!(stages.iter().filter(|stage| **stage == "migration 0001_delete.sql").count(), 2);
    assert!(stages[..trial].iter().rev().take(6).any(|stage| *stage == "migration 0001_delete.sql"));
}

#[test]
fn all_drivers_and_the_way_back_are_trials() {
    let project = Project::new(&[
        ("0001_add.up.sql", "ALTER TABLE users ADD x;"),
        ("0001_add.down.sql", "ALTER TABLE users DROP x;"),
    ]);
    let ended = project
        .rehearsed(|options| {
            options.migrations.tool = Some("golang-migrate".into());
            options.driver = None;
            (options.matrix, options.down) = (true, true);
        })
        .completed();
    let stages = stages(&ended);
    assert!(stages.contains(&"trial there and back"), "{stages:?}");
    assert!(stages.iter().any(|stage| stage.starts_with("trial as ")), "{stages:?}");
}

#[test]
fn deaths_and_what_follows_them_are_trials() {
    let project = Project::new(&[("0001_add.sql", "ALTER TABLE users ADD x;")]);
    let ended = project.rehearsed(|options| options.faults = true).completed();
    let stages = stages(&ended);
    for trial in ["trial at another time", "trial with deaths of the process", "trial after each death"] {
        assert!(stages.contains(&trial), "{stages:?}");
    }
}

#[test]
fn what_fails_ends_too() {
    let project =
        Project::new(&[("0001_fail.sql", "UPDATE users SET email = NULL; INSERT INTO nowhere VALUES (1); SELECT 1;")]);
    let ended = project.rehearsed(|_| ()).ended();
    let (_, done, total) = of(&ended, "migration 0001_fail.sql");
    assert_eq!((*done, *total), (1, Some(3)));
    assert!(stages(&ended).contains(&"trial on a database without rows"), "{ended:?}");
    for (stage, done, total) in &ended {
        assert!(total.is_none_or(|total| *done <= total), "{stage}: {done} of {total:?}");
    }
}

#[test]
fn an_error_ends_what_began() {
    let project = Project::new(&[UPDATE]);
    std::fs::write(project.path("prod.db"), "BEGIN; CREATE TABLE t (x); no SQL at all;\n").unwrap();
    let recording = Recording::default();
    rehearse::rehearse(&project.options(&project.path("prod.db")), &recording).unwrap_err();
    assert_eq!(stages(&recording.ended()).last(), Some(&"import"));
}

#[test]
fn lines_of_the_command_are_counted() {
    let project = Project::new(&[]);
    let ended = project
        .rehearsed(|options| {
            let line = "echo one; echo two; : < {db}".into();
            options.exec = Some(Exec { line, copy_at: Some("prod.db".into()) });
            options.driver = None;
            options.foreign_keys = None;
        })
        .completed();
    let (_, lines, total) = of(&ended, "command");
    assert_eq!((*lines, *total), (2, None));
    let bytes = project.path("prod.db").metadata().unwrap().len();
    assert_eq!((of(&ended, "keep").1, of(&ended, "differ").1), (bytes, 2 * bytes));
}

#[test]
fn a_difference_and_a_profile_are_read_to_their_end() {
    let (one, other) = (Project::new(&[]), Project::new(&[]));
    open(&other.path("prod.db")).execute_batch("UPDATE users SET email = 'x' WHERE id % 7 = 0").unwrap();
    let reading = rehearse::Reading { extent: Extent::Whole, ..Default::default() };
    let (diff, profile) = (Recording::default(), Recording::default());
    let paths = [one, other].map(|project| (project.path("prod.db").into(), project));
    rehearse::diff(&paths[0].0, &paths[1].0, &reading, &diff).unwrap();
    rehearse::profile(&paths[0].0, &reading, &profile).unwrap();
    let ended = diff.completed();
    assert_eq!(of(&ended, "compare").1, 6_000);
    of(&ended, "differ");
    assert!(of(&profile.completed(), "count").1 > 0);
}
