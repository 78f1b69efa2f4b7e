//! The private copies: what is left of them, and for how long.

use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::time::SystemTime;

use super::*;

/// As if they had been left two days ago: private folders in this one, and their marks.
pub fn age(folder: &Path) {
    let then = SystemTime::now() - Duration::from_hours(48);
    for path in workspaces(folder) {
        if let Ok(mark) = File::open(path.join("rehearse.lock")) {
            mark.set_modified(then).unwrap();
        }
        File::open(&path).unwrap().set_modified(then).unwrap();
    }
}

/// The private folders in this one.
pub fn workspaces(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("rehearse-")).collect()
}

#[test]
fn what_a_killed_rehearsal_left_is_removed_by_the_next_one_after_a_day() {
    let project = Project::new(TABLE).migration("1.sql", ENDLESS);
    let killed = Running::rehearsal(&project, &MAIN);
    let left = workspace(project.temporary());
    std::thread::sleep(Duration::from_millis(200));
    drop(killed);
    fs::create_dir(project.temporary().join("rehearse-notes")).unwrap();
    fs::write(project.temporary().join("rehearse-notes/today"), "mine").unwrap();

    let project = project.migration("1.sql", "DELETE FROM t;");
    let rehearse = || assert_eq!(project.command(&MAIN).output().unwrap().status.code(), Some(1));
    rehearse();
    assert!(left.exists(), "it may live still");
    age(project.temporary());
    rehearse();
    assert_eq!(workspaces(project.temporary()), [project.temporary().join("rehearse-notes")]);
}

#[test]
fn a_rehearsal_that_runs_for_days_keeps_its_folder() {
    let project = Project::new(TABLE).migration("1.sql", ENDLESS);
    let _running = Running::rehearsal(&project, &MAIN);
    let folder = workspace(project.temporary());
    std::thread::sleep(Duration::from_millis(200));
    age(project.temporary());
    let project = project.migration("1.sql", "DELETE FROM t;");
    assert_eq!(project.command(&MAIN).output().unwrap().status.code(), Some(1));
    assert_eq!(workspaces(project.temporary()), [folder]);
}

#[test]
fn what_cannot_be_removed_is_told() {
    let project = Project::new(TABLE).migration("1.sql", ENDLESS);
    let killed = Running::rehearsal(&project, &MAIN);
    let left = workspace(project.temporary());
    std::thread::sleep(Duration::from_millis(200));
    drop(killed);
    fs::create_dir(left.join("mounted")).unwrap();
    let Some(disk) = disks::SmallDisk::mount_at(&left.join("mounted"), 1024) else {
        return skipped("mounting a tmpfs is not allowed here");
    };
    age(project.temporary());
    let project = project.migration("1.sql", "DELETE FROM t;");
    let ran = Ran::from(project.command(&MAIN).output().unwrap());
    let stdout = ran.stdout.replace("\n ", " ").split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(stdout.contains("it cannot be removed: Device or resource busy"), "{}", ran.all());
    assert_eq!(ran.code, Some(1));
    drop(disk);
}

/// The files of a rehearsal, open, with what they hold while it runs.
struct Held(Vec<(PathBuf, File)>);

impl Held {
    /// Those with a name in its folder that hold something.
    fn named(folder: &Path) -> Self {
        let mut held = Vec::new();
        let mut folders = vec![folder.to_path_buf()];
        while let Some(folder) = folders.pop() {
            for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
                match path.is_dir() {
                    true => folders.push(path),
                    false if path.ends_with("rehearse.lock") => {}
                    false => held.push((path.clone(), File::open(path).unwrap())),
                }
            }
        }
        Self(held)
    }

    /// Those without a name, as Linux shows them.
    fn unnamed(process: &Child, folder: &Path) -> Self {
        let descriptors = fs::read_dir(format!("/proc/{}/fd", process.id())).unwrap();
        let links = descriptors.map(|entry| entry.unwrap().path());
        let in_folder = |link: &PathBuf| fs::read_link(link).is_ok_and(|path| path.starts_with(folder));
        let is_mark = |link: &PathBuf| fs::read_link(link).is_ok_and(|path| path.ends_with("rehearse.lock"));
        let unnamed = links.filter(|link| in_folder(link) && !is_mark(link));
        Self(unnamed.map(|link| (link.clone(), File::open(link).unwrap())).collect())
    }

    fn names(&self) -> Vec<String> {
        let mut names: Vec<_> =
            self.0.iter().map(|(path, _)| path.file_name().unwrap().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// Whether each holds something but zeros.
    #[track_caller]
    fn assert_each(&self, holds: bool) {
        assert!(!self.0.is_empty());
        for (path, file) in &self.0 {
            let mut content = vec![0; usize::try_from(file.metadata().unwrap().len()).unwrap()];
            file.read_exact_at(&mut content, 0).unwrap();
            assert!(!content.is_empty(), "{}", path.display());
            assert_eq!(content.iter().any(|byte| *byte != 0), holds, "{}", path.display());
        }
    }
}

fn interrupt(rehearsal: Running) {
    rehearsal.signal("INT");
    assert_eq!(rehearsal.end().code, Some(130));
}

#[test]
fn shred_overwrites_every_private_file_before_it_is_removed() {
    for (form, names) in [
        ("hot journal", &["before.db", "before.db-journal.shred"][..]),
        ("log of an app that keeps others out", &["before.db", "before.db-wal.shred"]),
        ("dump", &["snapshot.db"]),
        ("compressed", &["snapshot.db"]),
    ] {
        for shred in [true, false] {
            let project = Project::empty();
            fs::create_dir(project.path("migrations")).unwrap();
            let project = project.migration("1.sql", ENDLESS);
            let mut app = None;
            match form {
                "log of an app that keeps others out" => {
                    project.database("prod.db", &filled(200));
                    let alone = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; UPDATE t SET a = a || '!'";
                    app.insert(connect(&project.path("prod.db"))).execute_batch(alone).unwrap();
                }
                "hot journal" => left_by_an_app(&project, &half_a_transaction(200)),
                "dump" => fs::write(project.path("prod.db"), format!("BEGIN;{}COMMIT;", filled(200))).unwrap(),
                _ => {
                    project.database("whole.db", &filled(200));
                    kills::compress(&project.path("whole.db"), &project.path("prod.db"));
                }
            }
            let more: &[&str] = if shred { &["--shred"] } else { &[] };
            let rehearsal = Running::rehearsal(&project, &[&MAIN[..], more].concat());
            let folder = workspace(project.temporary());
            std::thread::sleep(Duration::from_millis(500));
            let held = Held::named(&folder);
            let expected = if shred { names } else { &names[..1] };
            assert_eq!(held.names(), expected, "{form}");
            held.assert_each(true);
            interrupt(rehearsal);
            held.assert_each(!shred);
            project.assert_nothing_left();
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn shred_overwrites_what_was_written_to_the_copy() {
    // More than is kept in memory.
    let grows = "WITH RECURSIVE n (i) AS (VALUES (10) UNION ALL SELECT i + 1 FROM n WHERE i < 600)
        INSERT INTO t SELECT i, printf('%.50000c', 'r') FROM n;";
    for shred in [true, false] {
        let project = Project::new(TABLE).migration("1.sql", &format!("{grows}{ENDLESS}"));
        let more: &[&str] = if shred { &["--shred"] } else { &[] };
        let rehearsal = Running::rehearsal(&project, &[&MAIN[..], more].concat());
        let folder = workspace(project.temporary());
        let begun = Instant::now();
        while Held::unnamed(rehearsal.child(), &folder).0.is_empty() {
            assert!(begun.elapsed() < Duration::from_mins(1), "nothing is spilled");
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(500));
        let held = Held::unnamed(rehearsal.child(), &folder);
        held.assert_each(true);
        interrupt(rehearsal);
        held.assert_each(!shred);
    }
}

#[test]
fn shred_also_overwrites_where_the_rehearsal_ends_by_itself() {
    let project = Project::new(&filled(200)).migration("1.sql", "SELECT 1;");
    let exec = "sqlite3_is_not_needed() { cat \"$1\" >/dev/null; }; sqlite3_is_not_needed {db}; : >started; read line <go; exit 0";
    let made = Command::new("mkfifo").arg(project.path("go")).status().unwrap();
    assert!(made.success());
    let go = project.path("go").display().to_string();
    let exec = exec.replace("<go", &format!("<'{go}'"));
    let rehearsal = Running::rehearsal(&project, &["--snapshot", "prod.db", "--exec", &exec, "--shred"]);
    let folder = workspace(project.temporary());
    let begun = Instant::now();
    while !folder.join("exec/project/started").exists() {
        assert!(begun.elapsed() < Duration::from_mins(1), "the command does not start");
        std::thread::sleep(Duration::from_millis(10));
    }
    let held = Held::named(&folder);
    let databases: Vec<_> =
        held.0.into_iter().filter(|(path, _)| path.extension().is_some_and(|e| e == "db")).collect();
    let held = Held(databases);
    held.assert_each(true);
    fs::write(&go, "\n").unwrap();
    let ran = rehearsal.end();
    assert!(matches!(ran.code, Some(0 | 4)), "{}", ran.all());
    held.assert_each(false);
    project.assert_nothing_left();
    let mut snapshot = [0; 6];
    File::open(project.path("prod.db")).unwrap().read_exact(&mut snapshot).unwrap();
    assert_eq!(&snapshot, b"SQLite");
}
