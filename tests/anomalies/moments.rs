//! Snapshots that become another file, or another database, at any moment of a rehearsal.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt;

use super::*;

/// Rows before the event, and after it.
const STATES: [u32; 2] = [2000, 2500];

const MORE: &str = "
    WITH RECURSIVE n (i) AS (VALUES (2001) UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
    INSERT INTO t SELECT i, printf('%.200c', 'r') FROM n;";

/// What happens to the snapshot.
#[derive(Debug, Clone, Copy)]
enum Event {
    Replaced,
    Overwritten,
    Removed,
    Truncated,
    AFolder,
    Forbidden,
    Written,
    WrittenInLog,
    Vacuumed,
}

impl Event {
    const ALL: [Self; 9] = [
        Self::Replaced,
        Self::Overwritten,
        Self::Removed,
        Self::Truncated,
        Self::AFolder,
        Self::Forbidden,
        Self::Written,
        Self::WrittenInLog,
        Self::Vacuumed,
    ];

    fn happen(self, project: &Project) {
        let (snapshot, other) = (project.path("prod.db"), project.path("other.db"));
        let app = |sql: &str| {
            let app = connect(&snapshot);
            app.busy_timeout(Duration::from_mins(1)).unwrap();
            app.execute_batch(sql).unwrap();
        };
        match self {
            Self::Replaced => fs::rename(other, snapshot).unwrap(),
            Self::Overwritten => fs::write(snapshot, fs::read(other).unwrap()).unwrap(),
            Self::Removed => fs::remove_file(snapshot).unwrap(),
            Self::Truncated => {
                let file = File::options().write(true).open(snapshot).unwrap();
                file.set_len(file.metadata().unwrap().len() / 2).unwrap();
            }
            Self::AFolder => {
                fs::remove_file(&snapshot).unwrap();
                fs::create_dir(snapshot).unwrap();
            }
            Self::Forbidden => fs::set_permissions(snapshot, Permissions::from_mode(0o000)).unwrap(),
            Self::Written => app(&format!("BEGIN; UPDATE t SET a = a; {MORE} COMMIT")),
            Self::WrittenInLog => {
                app(&format!(
                    "PRAGMA journal_mode = WAL; {MORE} PRAGMA wal_checkpoint(TRUNCATE); DELETE FROM t WHERE 0"
                ));
            }
            Self::Vacuumed => app("VACUUM"),
        }
    }
}

fn project() -> Project {
    let project = Project::new(&filled(STATES[0])).migration("1.sql", "DELETE FROM t WHERE id <= 10;");
    project.database("other.db", &filled(STATES[1]));
    // So that VACUUM moves pages.
    project.database("prod.db", "CREATE TABLE gone (a); INSERT INTO gone VALUES (zeroblob(200000)); DROP TABLE gone;");
    project
}

/// A verdict on a state that the database had, or none and the reason.
fn judge(ran: &Ran, how: &str) -> Option<u64> {
    // A folder is many databases, and there is none in it.
    let is_a_folder = ran.code == Some(2) && ran.stderr.contains("no file in it is a SQLite database");
    if ran.code == Some(4) || is_a_folder {
        assert!(ran.stdout.is_empty() && ran.stderr.starts_with("error"), "{how}: {}", ran.all());
        assert!(ran.stderr.contains("prod.db") && !ran.stderr.contains("bug in"), "{how}: {}", ran.stderr);
        return None;
    }
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{how}: {}", ran.stdout);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let rows = &document["tables"][0]["rows"];
    let before = rows["before"].as_u64().unwrap();
    assert!(STATES.iter().any(|state| u64::from(*state) == before), "{how}: {rows}");
    assert_eq!(rows["lost"], 10, "{how}");
    for finding in document["findings"].as_array().unwrap() {
        let code = finding["code"].as_str().unwrap();
        // The app that changed to a log has removed it.
        assert!(["LS107", "SN901", "SN905", "SN913"].contains(&code), "{how}: {finding}");
    }
    Some(before)
}

#[test]
fn a_snapshot_that_changes_gives_the_right_verdict_or_none() {
    let mut random = Random::new();
    let arguments = [&MAIN[..], &["--format", "json"]].concat();
    let whole = project();
    let begun = Instant::now();
    assert_eq!(judge(&whole.run(&arguments), "whole"), Some(STATES[0].into()));
    let took = begun.elapsed();
    let (mut old, mut new, mut none) = (0, 0, 0);
    for event in Event::ALL {
        for _ in 0..cases(90).div_ceil(Event::ALL.len()) {
            let project = project();
            let delay = random.moment(took);
            let rehearsal = Running::rehearsal(&project, &arguments);
            std::thread::sleep(delay);
            event.happen(&project);
            let ran = rehearsal.end();
            match judge(&ran, &format!("{event:?} after {delay:?}")) {
                Some(rows) if rows == u64::from(STATES[0]) => old += 1,
                Some(_) => new += 1,
                None => none += 1,
            }
            project.assert_nothing_left();
        }
    }
    tell(&format!("{old} verdicts on the state before, {new} on the one after, {none} refusals"));
    assert!(old > 0 && new > 0 && none > 0, "{old} {new} {none}");
}
