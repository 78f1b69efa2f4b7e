//! Rehearsals that are killed at any moment: no handler runs, no destructor.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;

const OUTPUTS: [&str; 4] = ["--keep-copy", "kept.db", "--report", "json=report.json"];

/// A rehearsal that is to be killed.
pub struct Victim {
    pub form: &'static str,
    pub project: Project,
    pub arguments: Vec<&'static str>,
    /// An app that has the snapshot open.
    _app: Option<Connection>,
}

pub fn compress(from: &Path, to: &Path) {
    let mut packed = flate2::write::GzEncoder::new(File::create(to).unwrap(), flate2::Compression::fast());
    packed.write_all(&fs::read(from).unwrap()).unwrap();
    packed.finish().unwrap();
}

/// One for each way in which a snapshot is read.
pub fn victims() -> Vec<Victim> {
    let victim = |form| {
        let project = Project::empty();
        fs::create_dir(project.path("migrations")).unwrap();
        let project = project.migration("1.sql", "DELETE FROM t WHERE id <= 10; UPDATE t SET a = a || '!';");
        Victim { form, project, arguments: [&MAIN[..], &OUTPUTS].concat(), _app: None }
    };
    let [plain, log, hot, dump, packed, mut exec, open] =
        ["rollback mode", "WAL", "hot journal", "dump", "compressed", "command", "open in an app"].map(victim);
    let logged = format!("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; {}", filled(400));
    plain.project.database("prod.db", &filled(400));
    left_by_an_app(&log.project, &logged);
    left_by_an_app(&hot.project, &half_a_transaction(400));
    fs::write(dump.project.path("prod.db"), format!("BEGIN;{}COMMIT;", filled(400))).unwrap();
    packed.project.database("whole.db", &filled(400));
    compress(&packed.project.path("whole.db"), &packed.project.path("prod.db"));
    exec.project.database("prod.db", &filled(400));
    let program = "import sqlite3, sys\nsqlite3.connect(sys.argv[1]).executescript('DELETE FROM t WHERE id <= 10')";
    fs::write(exec.project.path("migrate.py"), program).unwrap();
    exec.arguments = [&["--snapshot", "prod.db", "--exec", "python3 migrate.py {db}"], &OUTPUTS[..]].concat();
    open.project.database("prod.db", &logged);
    let app = connect(&open.project.path("prod.db"));
    app.execute_batch("UPDATE t SET a = a").unwrap();
    let open = Victim { _app: Some(app), ..open };
    vec![plain, log, hot, dump, packed, exec, open]
}

/// What the project's files are: content, inode, times of the last write and change. Without what a rehearsal makes.
pub fn files(project: &Project) -> BTreeMap<PathBuf, (Vec<u8>, u64, i128, i128)> {
    let nanoseconds = |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    let file = |path: PathBuf| {
        let metadata = path.metadata().unwrap();
        let written = nanoseconds(metadata.mtime(), metadata.mtime_nsec());
        let changed = nanoseconds(metadata.ctime(), metadata.ctime_nsec());
        (path.clone(), (fs::read(path).unwrap(), metadata.ino(), written, changed))
    };
    let folder = project.path("");
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let made = ["kept.db", "report.json"];
    paths.filter(|path| path.is_file() && !made.iter().any(|made| path.ends_with(made))).map(file).collect()
}

impl Victim {
    /// Runs to the end; gives how long it took.
    pub fn whole(&self) -> Duration {
        let begun = Instant::now();
        let ran = Ran::from(self.project.command(&self.arguments).output().unwrap());
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{}: {}", self.form, ran.stdout);
        let took = begun.elapsed();
        self.check_outputs();
        took
    }

    fn kill_after(&self, delay: Duration) {
        let rehearsal = Running::rehearsal(&self.project, &self.arguments);
        std::thread::sleep(delay);
        drop(rehearsal);
    }

    /// What a rehearsal makes is complete or not there; a report may be empty. Removes it.
    pub fn check_outputs(&self) {
        let (kept, report) = (self.project.path("kept.db"), self.project.path("report.json"));
        if kept.exists() {
            let database = connect(&kept);
            let rows: i64 = database.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
            let sound: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
            assert_eq!((rows, sound.as_str()), (390, "ok"), "{}", self.form);
            drop(database);
            fs::remove_file(kept).unwrap();
        }
        let written = fs::read(&report).unwrap_or_default();
        if !written.is_empty() {
            let document: serde_json::Value = serde_json::from_slice(&written).unwrap();
            assert_eq!(document["verdict"], "passed", "{}", self.form);
        }
        let _ = fs::remove_file(report);
    }
}

#[test]
fn a_rehearsal_that_is_killed_harms_nothing_and_the_next_one_removes_what_it_left() {
    let mut random = Random::new();
    let victims = victims();
    let each = cases(200).div_ceil(victims.len());
    let mut left = 0;
    for victim in &victims {
        let took = victim.whole();
        let before = files(&victim.project);
        for _ in 0..each {
            let delay = random.moment(took);
            victim.kill_after(delay);
            assert!(files(&victim.project) == before, "{} after {delay:?}", victim.form);
            victim.check_outputs();
        }
        let places = [victim.project.temporary().to_path_buf(), victim.project.path("")];
        for folder in places.iter().flat_map(|place| copies::workspaces(place)) {
            assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
            left += 1;
        }
        for place in &places {
            copies::age(place);
        }
        victim.whole();
        victim.project.assert_nothing_left();
        assert!(copies::workspaces(&places[1]).is_empty(), "{}", victim.form);
        assert!(files(&victim.project) == before, "{}", victim.form);
    }
    tell(&format!("killed {} times; {left} private folders were left and then removed", each * victims.len()));
    assert!(left > victims.len(), "too few kills came in time: {left}");
}
