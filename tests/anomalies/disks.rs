//! Disks that are full, too small or cannot be written.

use std::fs;

use super::*;

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

/// A file system in memory.
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Of this many KiB; none where this machine does not let one be mounted.
    pub fn mount_at(folder: &Path, kib: u32) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={kib}k"), "rehearse-test"]).arg(folder);
        mount.output().is_ok_and(|mounted| mounted.status.success()).then(|| Self(folder.to_path_buf()))
    }

    fn mount(project: &Project, kib: u32) -> Option<Self> {
        fs::create_dir(project.path("disk")).unwrap();
        Self::mount_at(&project.path("disk"), kib)
    }

    fn fill(&self, bytes: usize) {
        fs::write(self.0.join("something else"), vec![1; bytes]).unwrap();
    }

    fn remount(&self, option: &str) {
        let mut mount = Command::new("mount");
        assert!(mount.args(["-o", &format!("remount,{option}")]).arg(&self.0).status().unwrap().success());
    }

    fn names(&self) -> Vec<std::ffi::OsString> {
        fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name()).collect()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_snapshot_on_a_disk_that_cannot_be_written() {
    for mode in ["DELETE", "WAL"] {
        let project =
            Project::new(&format!("PRAGMA journal_mode = {mode}; {TABLE}")).migration("1.sql", "DELETE FROM t;");
        let Some(disk) = SmallDisk::mount(&project, 1024) else {
            return skipped("mounting a tmpfs is not allowed here");
        };
        fs::write(disk.0.join("prod.db"), fs::read(project.path("prod.db")).unwrap()).unwrap();
        disk.remount("ro");
        let ran = project.run(&["--snapshot", "disk/prod.db", "--migrations", "migrations", "--driver", "sqlite"]);
        assert_eq!(ran.code, Some(1), "{mode}: {}", ran.all());
        assert!(ran.stdout.contains("not touched: size, time and content are what they were"), "{}", ran.stdout);
        assert_eq!(disk.names(), ["prod.db"], "{mode}");
    }
}

#[test]
fn a_disk_that_is_too_small_is_refused_before_the_work_and_fails_cleanly_during_it() {
    let big = "CREATE TABLE t (a); INSERT INTO t VALUES (zeroblob(800000));";
    let project = Project::new(big).migration("1.sql", "SELECT 1;");
    let Some(disk) = SmallDisk::mount(&project, 1024) else { return skipped("mounting a tmpfs is not allowed here") };
    let rehearse = |project: &Project| Ran::from(project.command(&MAIN).env("TMPDIR", &disk.0).output().unwrap());
    let ran = rehearse(&project);
    assert_eq!((ran.code, disk.names().len()), (Some(0), 0), "nothing is copied: {}", ran.all());
    // An app has it open: now a copy is needed.
    let app = connect(&project.path("prod.db"));
    app.execute_batch("BEGIN IMMEDIATE").unwrap();
    disk.fill(400_000);
    let ran = rehearse(&project);
    assert_eq!((ran.code, disk.names().len()), (Some(4), 1), "{}", ran.all());
    assert!(ran.stderr.contains("are needed for a copy") && ran.stderr.contains("TMPDIR="), "{}", ran.stderr);

    // More than is kept in memory.
    let grows = Project::new("CREATE TABLE t (id, a);").migration("1.sql", &growth());
    let ran = rehearse(&grows);
    assert_eq!(disk.names().len(), 1);
    ran.refused(
        4,
        "error: keeping what is written to the copy in the temporary folder: No space left on device (os error 28)
hint: put the copy on another disk: `TMPDIR=/other/disk rehearse …`
",
    );
}

/// Writes 30 MB.
fn growth() -> String {
    "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 600) INSERT INTO t SELECT i, hex(zeroblob(25000)) FROM n;"
        .to_owned()
}

/// What must be the same whatever the disk holds.
#[derive(Debug, PartialEq)]
struct Verdict {
    code: Option<i32>,
    document: serde_json::Value,
}

impl Verdict {
    fn of(ran: &Ran) -> Self {
        let mut document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        let document = ["verdict", "tables", "findings", "schema"].map(|part| document[part].take());
        Self { code: ran.code, document: document.into() }
    }
}

/// The right verdict, or none and the reason.
#[track_caller]
fn assert_right_or_refused(ran: &Ran, right: &Verdict, how: &str) -> bool {
    if ran.code == Some(4) && !ran.stderr.is_empty() {
        assert!(ran.stderr.starts_with("error") && ran.stderr.contains(": "), "{how}: {}", ran.stderr);
        assert!(!ran.stderr.contains("bug in rehearse"), "{how}: {}", ran.stderr);
        return false;
    }
    assert_eq!((&Verdict::of(ran), ran.stderr.as_str()), (right, ""), "{how}");
    true
}

/// Snapshots of which something must be written, each in its form.
fn written() -> Vec<(&'static str, Project)> {
    let form = |name| {
        let project = Project::empty();
        fs::create_dir(project.path("migrations")).unwrap();
        (name, project.migration("1.sql", "DELETE FROM t WHERE id <= 10;"))
    };
    let [dump, packed, hot, plain] = ["dump", "compressed", "hot journal", "plain"].map(form);
    fs::write(dump.1.path("prod.db"), format!("BEGIN;{}COMMIT;", filled(200))).unwrap();
    packed.1.database("whole.db", &filled(200));
    kills::compress(&packed.1.path("whole.db"), &packed.1.path("prod.db"));
    left_by_an_app(&hot.1, &half_a_transaction(200));
    plain.1.database("prod.db", &filled(200));
    vec![dump, packed, hot, plain]
}

/// A file may not get longer than so many blocks of 512 bytes: writes fail as on a full disk, each at another place.
#[test]
fn a_write_that_fails_gives_the_right_verdict_or_none() {
    for (form, project) in written() {
        let arguments = [&MAIN[..], &["--format", "json"]].concat();
        // Where the snapshot is read where it lies, the report is the first that is written.
        let outputs = ["--report", "json=report.json", "--keep-copy", "kept.db"];
        let outputs = if form == "plain" { &outputs[..2] } else { &outputs };
        let right = Verdict::of(&project.run(&arguments));
        let arguments = [&arguments[..], outputs].concat();
        let before = project.files();
        let (mut refused, mut passed) = (0, 0);
        for blocks in (0..220).step_by(220_usize.div_ceil(cases(44))) {
            let command = project.command(&arguments);
            let mut limited = Command::new("sh");
            limited.args(["-c", &format!("ulimit -f {blocks}; exec \"$@\""), "sh"]).arg(command.get_program());
            limited.args(command.get_args()).current_dir(command.get_current_dir().unwrap());
            limited.env("TMPDIR", project.temporary());
            let ran = Ran::from(limited.output().unwrap());
            let how = format!("{form}, {blocks} blocks");
            // The verdict may stand on the standard output, and what could not be written beside it.
            if ran.code == Some(4) && !ran.stdout.is_empty() {
                assert_eq!(Verdict::of(&ran).document, right.document, "{how}");
                assert!(ran.stderr.contains("writing the report"), "{how}: {}", ran.stderr);
                refused += 1;
            } else if assert_right_or_refused(&ran, &right, &how) {
                passed += 1;
            } else {
                refused += 1;
            }
            project.assert_nothing_left();
            let (kept, report) = (project.path("kept.db"), project.path("report.json"));
            if kept.exists() {
                let rows = connect(&kept).query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0));
                assert_eq!(rows.unwrap(), 190, "{how}");
                fs::remove_file(kept).unwrap();
            }
            if fs::metadata(&report).is_ok_and(|report| report.len() > 0) {
                let written: serde_json::Value = serde_json::from_slice(&fs::read(&report).unwrap()).unwrap();
                assert_eq!(written["verdict"], right.document[0], "{how}");
            }
            let _ = fs::remove_file(report);
            assert!(project.files() == before, "{how}: {:?}", project.files().keys());
        }
        assert!(refused > 1 && passed > 2, "{form}: {refused} refused, {passed} right");
    }
}

#[test]
fn a_temporary_folder_of_any_size_gives_the_right_verdict_or_none() {
    let grows = |sql: &str| Project::new(sql).migration("1.sql", &growth());
    let mut forms = written();
    forms.push(("much is written", grows("CREATE TABLE t (id, a);")));
    for (form, project) in forms {
        let arguments = [&MAIN[..], &["--format", "json"]].concat();
        let right = Verdict::of(&project.run(&arguments));
        let sizes: &[u32] =
            if form == "much is written" { &[4, 1024, 8192, 40_960] } else { &[4, 8, 16, 32, 48, 64, 128, 80_000] };
        fs::create_dir(project.path("disk")).unwrap();
        for kib in sizes {
            let Some(disk) = SmallDisk::mount_at(&project.path("disk"), *kib) else {
                return skipped("mounting a tmpfs is not allowed here");
            };
            let ran = Ran::from(project.command(&arguments).env("TMPDIR", &disk.0).output().unwrap());
            let passed = assert_right_or_refused(&ran, &right, &format!("{form}, {kib} KiB"));
            assert!(passed || *kib < 40_000, "{form}, {kib} KiB: {}", ran.stderr);
            assert!(disk.names().is_empty(), "{form}, {kib} KiB: {:?}", disk.names());
        }
    }
}
