//! What goes wrong around a rehearsal: snapshots that are none, signals, full disks, folders that cannot be written, apps that write
//! meanwhile. The snapshot stays what it is, nothing is left, and the exit code says what happened.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot make its project has failed")]

#[path = "cmd/support.rs"]
mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rusqlite::{Connection, OpenFlags};
use support::{Project, Ran};
use tempfile::TempDir;

const TABLE: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO t VALUES (1, 'x'), (2, 'y');";
/// Runs for hours.
const ENDLESS: &str = "
    CREATE TABLE n AS WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 1000000000000) SELECT max(i) FROM n;";
const MAIN: [&str; 6] = ["--snapshot", "prod.db", "--migrations", "migrations", "--driver", "sqlite"];

mod snapshots {
    use super::*;

    /// A file of this content for a snapshot.
    #[track_caller]
    fn refused(content: &[u8], stderr: &str) {
        let project = Project::empty();
        std::fs::create_dir(project.path("migrations")).unwrap();
        let project = project.migration("1.sql", "SELECT 1;");
        std::fs::write(project.path("prod.db"), content).unwrap();
        project.run(&MAIN).refused(4, stderr);
        project.run(&["plan", "--snapshot", "prod.db", "--migrations", "migrations"]).refused(4, stderr);
    }

    #[test]
    fn empty() {
        refused(
            b"",
            "error[SN904] not-a-database-or-encrypted: opening the snapshot `prod.db`: it is empty (0 bytes)
hint: is this the file that the app writes to?
more: rehearse explain SN904
",
        );
    }

    #[test]
    fn text() {
        refused(
            b"id,email\n1,a\n",
            "error[SN904] not-a-database-or-encrypted: opening the snapshot `prod.db`: it is a text file, not a database
more: rehearse explain SN904
",
        );
    }

    #[test]
    fn a_part_of_a_dump() {
        refused(
            b"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n",
            "error[SN904] not-a-database-or-encrypted: opening the snapshot `prod.db`: the dump is cut off: it ends on line 3 without a COMMIT for the BEGIN of line 2
hint: take the dump again; half of one would give a wrong verdict
more: rehearse explain SN904
",
        );
    }

    #[test]
    fn a_part_of_what_is_compressed() {
        refused(
            b"\x1f\x8b\x08\0\0\0\0\0",
            "error[SN904] not-a-database-or-encrypted: opening the snapshot `prod.db`: what gzip compressed is cut off
more: rehearse explain SN904
",
        );
    }

    #[test]
    fn encrypted() {
        let mixed = |i: u64| i.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).to_le_bytes()[4];
        let random: Vec<u8> = (0..8192).map(mixed).collect();
        refused(
            &random,
            "error[SN904] not-a-database-or-encrypted: opening the snapshot `prod.db`: it has no SQLite header and looks random: it may be encrypted (SQLCipher or the like)
hint: decrypt it first, for example with SQLCipher's `sqlcipher_export`
more: rehearse explain SN904
",
        );
    }

    #[test]
    fn truncated() {
        let project = Project::new(TABLE).migration("1.sql", "SELECT 1;");
        let bytes = std::fs::read(project.path("prod.db")).unwrap();
        std::fs::write(project.path("prod.db"), &bytes[..4096]).unwrap();
        project.run(&MAIN).refused(
            4,
            "error[SN904] not-a-database-or-encrypted: opening the snapshot `prod.db`: it is truncated: 4096 bytes where its header says 8192
hint: copy it again, with `sqlite3 prod.db \".backup copy.db\"` where an app has it open
more: rehearse explain SN904
",
        );
    }

    #[test]
    fn a_folder() {
        let project = Project::new(TABLE).migration("1.sql", "SELECT 1;");
        project.run(&["--snapshot", "migrations", "--migrations", "migrations"]).refused(
            4,
            "error: opening the snapshot `migrations`: it is a folder\nhint: name the database file in it\n",
        );
    }

    #[test]
    fn a_dangling_link() {
        let project = Project::new(TABLE).migration("1.sql", "SELECT 1;");
        std::os::unix::fs::symlink("gone.db", project.path("current.db")).unwrap();
        project.run(&["--snapshot", "current.db", "--migrations", "migrations"]).refused(
            4,
            "error: opening the snapshot `current.db`: the file does not exist\nhint: it is a symbolic link to `gone.db`, which does not exist\n",
        );
    }

    #[test]
    fn a_pipe() {
        let project = Project::new(TABLE).migration("1.sql", "SELECT 1;");
        let made = Command::new("mkfifo").arg(project.path("pipe")).status().unwrap();
        assert!(made.success());
        Ran::from(project.command(&["--snapshot", "pipe", "--migrations", "migrations"]).output().unwrap()).refused(
            4,
            "error: opening the snapshot `pipe`: it is a pipe, not a file\nhint: give it as standard input: `rehearse --snapshot - < pipe`\n",
        );
        project.assert_nothing_left();
    }

    #[test]
    fn no_permission() {
        if is_root() {
            return skipped("root may read everything");
        }
        let project = Project::new(TABLE).migration("1.sql", "SELECT 1;");
        std::fs::set_permissions(project.path("prod.db"), PermissionsExt::from_mode(0o000)).unwrap();
        project.run(&MAIN).refused(4, "error: opening the snapshot `prod.db`: no permission to read it\n");
    }

    #[test]
    fn no_permission_for_a_migration() {
        if is_root() {
            return skipped("root may read everything");
        }
        let project = Project::demo();
        let file = project.path("drizzle/0001_email_required.sql");
        std::fs::set_permissions(file, PermissionsExt::from_mode(0o000)).unwrap();
        let said = "error: reading `drizzle/0001_email_required.sql`: Permission denied (os error 13)\n";
        project.run(&["--snapshot", "prod.db"]).refused(4, said);
    }

    #[test]
    fn a_damaged_page_is_no_reason_to_crash() {
        let rows = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT);
            WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO t SELECT i, hex(randomblob(20)) FROM n;";
        let project = Project::new(rows).migration("1.sql", "UPDATE t SET a = a;");
        let sound = std::fs::read(project.path("prod.db")).unwrap();
        for page in 1..sound.len() / 4096 {
            let mut bytes = sound.clone();
            for byte in &mut bytes[page * 4096..(page + 1) * 4096] {
                *byte = byte.rotate_left(3) ^ 0b1010_0101;
            }
            std::fs::write(project.path("prod.db"), &bytes).unwrap();
            let ran = project.run(&MAIN);
            assert!(matches!(ran.code, Some(1 | 3 | 4)), "page {page}: {:?} {}", ran.code, ran.all());
        }
    }

    #[test]
    fn names_with_everything_in_them() {
        let project = Project::new(TABLE).migration("1.sql", "DELETE FROM t;");
        for name in ["my prod.db", "-prod.db", "prod?mode=rw&x#y%20.db", "Größe 文.db", "file:prod.db"] {
            std::fs::write(project.path(name), std::fs::read(project.path("prod.db")).unwrap()).unwrap();
            let snapshot = format!("--snapshot={name}");
            let ran = project.run(&[&snapshot, "--migrations", "migrations", "--driver", "sqlite", "-q"]);
            assert_eq!(ran.code, Some(1), "{name}: {}", ran.all());
        }
    }

    #[test]
    fn in_a_folder_that_cannot_be_written() {
        for mode in ["DELETE", "WAL"] {
            let project =
                Project::new(&format!("PRAGMA journal_mode = {mode}; {TABLE}")).migration("1.sql", "DELETE FROM t;");
            std::fs::create_dir(project.path("mount")).unwrap();
            std::fs::rename(project.path("prod.db"), project.path("mount/prod.db")).unwrap();
            let permissions = |mode| PermissionsExt::from_mode(mode);
            std::fs::set_permissions(project.path("mount/prod.db"), permissions(0o444)).unwrap();
            std::fs::set_permissions(project.path("mount"), permissions(0o555)).unwrap();
            let ran = project.run(&["--snapshot", "mount/prod.db", "--migrations", "migrations", "--driver", "sqlite"]);
            std::fs::set_permissions(project.path("mount"), permissions(0o755)).unwrap();
            assert_eq!(ran.code, Some(1), "{mode}: {}", ran.all());
            assert!(ran.stdout.contains("not touched: size, time and content are what they were"), "{}", ran.stdout);
        }
    }
}

mod signals {
    use super::*;

    /// Starts, waits until a migration runs, sends the signals, and gives the exit code.
    fn interrupted(signals: &[&str]) -> (Project, Child) {
        let project = Project::new(TABLE).migration("1.sql", ENDLESS);
        let mut command = project.command(&MAIN);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        while !has_a_workspace(project.temporary()) {
            assert!(begun.elapsed() < Duration::from_mins(1), "no rehearsal began");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(200));
        for signal in signals {
            let id = child.id().to_string();
            assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        }
        (project, child)
    }

    fn has_a_workspace(temporary: &Path) -> bool {
        std::fs::read_dir(temporary).unwrap().next().is_some()
    }

    #[test]
    fn one_signal_ends_it_and_leaves_nothing() {
        for signal in ["INT", "TERM", "HUP"] {
            let (project, child) = interrupted(&[signal]);
            let ran = Ran::from(child.wait_with_output().unwrap());
            assert_eq!((ran.code, ran.stdout.as_str()), (Some(130), ""), "{signal}: {}", ran.stderr);
            project.assert_nothing_left();
            assert_eq!(project.files().into_keys().collect::<Vec<_>>(), ["migrations/1.sql", "prod.db"], "{signal}");
        }
    }

    #[test]
    fn a_kept_copy_or_a_report_is_not_half_written() {
        let project = Project::new(TABLE).migration("1.sql", ENDLESS);
        let more = ["--keep-copy", "kept.db"];
        let child = project.command(&[&MAIN[..], &more].concat()).stdout(Stdio::null()).spawn().unwrap();
        let begun = Instant::now();
        while !has_a_workspace(project.temporary()) {
            assert!(begun.elapsed() < Duration::from_mins(1), "no rehearsal began");
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(Duration::from_millis(200));
        assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
        project.assert_nothing_left();
        assert!(!project.path("kept.db").exists());
    }

    #[test]
    fn the_temporary_folder_is_private() {
        let (project, child) = interrupted(&[]);
        let workspace = std::fs::read_dir(project.temporary()).unwrap().next().unwrap().unwrap();
        assert_eq!(workspace.metadata().unwrap().permissions().mode() & 0o777, 0o700);
        assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
        assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
    }
}

#[test]
fn two_at_once_do_not_meet() {
    let project = Project::demo();
    let before = project.files();
    let start = || {
        let mut command = project.command(&["--snapshot", "prod.db", "--format", "json"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<Child> = (0..4).map(|_| start()).collect();
    for child in running {
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
        let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(document["tables"][0]["rows"]["lost"], 100);
    }
    project.assert_nothing_left();
    assert!(project.files() == before);
}

#[test]
fn a_temporary_folder_that_is_none() {
    let project = Project::demo();
    let ran = Ran::from(project.command(&["--snapshot", "prod.db"]).env("TMPDIR", "/nowhere").output().unwrap());
    ran.refused(
        4,
        "error: making a private folder in `/nowhere`: No such file or directory (os error 2)
hint: set `TMPDIR` to a folder that you may write to
",
    );
}

/// A file system of 1 MB; none where this machine does not let one be mounted.
struct SmallDisk(TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", "size=1m", "rehearse-test"]).arg(folder.path());
        mount.output().is_ok_and(|mounted| mounted.status.success()).then_some(Self(folder))
    }

    fn fill(&self, bytes: usize) {
        std::fs::write(self.0.path().join("something else"), vec![1; bytes]).unwrap();
    }

    fn make_read_only(&self) {
        let mut mount = Command::new("mount");
        assert!(mount.args(["-o", "remount,ro"]).arg(self.0.path()).status().unwrap().success());
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

#[test]
fn a_snapshot_on_a_disk_that_cannot_be_written() {
    for mode in ["DELETE", "WAL"] {
        let Some(disk) = SmallDisk::mount() else { return skipped("mounting a tmpfs is not allowed here") };
        let project =
            Project::new(&format!("PRAGMA journal_mode = {mode}; {TABLE}")).migration("1.sql", "DELETE FROM t;");
        let snapshot = disk.0.path().join("prod.db");
        std::fs::write(&snapshot, std::fs::read(project.path("prod.db")).unwrap()).unwrap();
        disk.make_read_only();
        let name = snapshot.to_str().unwrap();
        let ran = project.run(&["--snapshot", name, "--migrations", "migrations", "--driver", "sqlite"]);
        assert_eq!(ran.code, Some(1), "{mode}: {}", ran.all());
        assert!(ran.stdout.contains("not touched: size, time and content are what they were"), "{}", ran.stdout);
        let left: Vec<_> = std::fs::read_dir(disk.0.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["prod.db"], "{mode}");
    }
}

#[test]
fn a_disk_that_is_too_small_is_refused_before_the_work_and_fails_cleanly_during_it() {
    let Some(disk) = SmallDisk::mount() else { return skipped("mounting a tmpfs is not allowed here") };
    let left = || std::fs::read_dir(disk.0.path()).unwrap().count();
    let big = "CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(800000));";
    let project = Project::new(big).migration("1.sql", "SELECT 1;");
    let rehearse = || Ran::from(project.command(&MAIN).env("TMPDIR", disk.0.path()).output().unwrap());
    let ran = rehearse();
    assert_eq!((ran.code, left()), (Some(0), 0), "nothing is copied: {}", ran.all());
    // An app has it open: now a copy is needed.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let app = Connection::open_with_flags(project.path("prod.db"), flags).unwrap();
    app.execute_batch("BEGIN IMMEDIATE").unwrap();
    disk.fill(400_000);
    let ran = rehearse();
    assert_eq!((ran.code, left()), (Some(4), 1), "{}", ran.all());
    assert!(ran.stderr.contains("are needed for a copy") && ran.stderr.contains("TMPDIR="), "{}", ran.stderr);

    // More than is kept in memory.
    let grows = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 600) INSERT INTO t SELECT i, hex(zeroblob(50000)) FROM n;";
    let project = Project::new("CREATE TABLE t (id, a);").migration("1.sql", grows);
    let ran = Ran::from(project.command(&MAIN).env("TMPDIR", disk.0.path()).output().unwrap());
    assert_eq!(left(), 1);
    assert!(matches!(ran.code, Some(3 | 4)) && ran.all().contains("full"), "{:?} {}", ran.code, ran.all());
}

/// An app in WAL mode that writes while it is rehearsed: whatever moment the copy shows, posts are lost and users are not.
#[test]
fn an_app_that_writes_meanwhile() {
    for mode in ["WAL", "DELETE"] {
        let project = Project::demo();
        let database = project.path("prod.db");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
        Connection::open_with_flags(&database, flags)
            .unwrap()
            .execute_batch(&format!("PRAGMA journal_mode = {mode}"))
            .unwrap();
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let app = scope.spawn(|| {
                let app = Connection::open_with_flags(&database, flags).unwrap();
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
            let app = Connection::open_with_flags(&database, flags).unwrap();
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
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let app = Connection::open_with_flags(project.path("prod.db"), flags).unwrap();
    for lock in ["IMMEDIATE", "EXCLUSIVE"] {
        app.execute_batch(&format!("BEGIN {lock}; UPDATE users SET email = 'half';")).unwrap();
        let ran = Ran::from(project.command(&["--snapshot", "prod.db", "-q"]).output().unwrap());
        assert_eq!(ran.code, Some(1), "{lock}: {}", ran.all());
        assert!(ran.stdout.contains("`posts` lost 100 of 100 rows"), "{lock}: {}", ran.stdout);
        app.execute_batch("ROLLBACK").unwrap();
        project.assert_nothing_left();
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout == b"0\n")
}

/// Says why a test did nothing, past the capturing of `cargo test`, so that it is seen.
fn skipped(why: &str) {
    let line = format!("skipped: {why}\n");
    std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes()).unwrap();
}
