//! Clocks that are or were wrong.

use std::fs::File;
use std::time::SystemTime;

use super::*;

const DAY: Duration = Duration::from_hours(24);

/// Rehearses a snapshot that was written last at this time, and gives what is said of its age.
fn age(time: SystemTime) -> String {
    let project = Project::new(TABLE).migration("1.sql", "DELETE FROM t WHERE id = 1;");
    File::open(project.path("prod.db")).unwrap().set_modified(time).unwrap();
    let plain = project.document(&[]);
    assert_eq!(plain["tables"][0]["rows"]["lost"], 1);
    assert_eq!(plain["snapshot"]["untouched"], true);
    let aged = project.document(&["--max-snapshot-age", "1d"]);
    assert_eq!(aged["tables"], plain["tables"]);
    let findings = aged["findings"].as_array().unwrap();
    let stale = findings.iter().find(|finding| finding["code"] == "SN903");
    stale.map(|finding| finding["message"].as_str().unwrap().to_owned()).unwrap_or_default()
}

#[test]
fn the_verdict_does_not_hang_on_the_time_of_the_snapshot() {
    let now = SystemTime::now();
    let from_now = "from now, so nobody knows how old it is";
    for (time, said) in [
        (SystemTime::UNIX_EPOCH, "at most 24 hours are allowed"),
        (SystemTime::UNIX_EPOCH - 100 * DAY, "at most 24 hours are allowed"),
        (now - 2 * DAY, "at most 24 hours are allowed"),
        (now - DAY / 2, ""),
        (now + Duration::from_mins(5), ""),
        (now + DAY / 2, from_now),
        (now + 30 * 365 * DAY, from_now),
    ] {
        let age = age(time);
        assert!(age.ends_with(said) && age.is_empty() == said.is_empty(), "{time:?}: {age}");
    }
}

/// Wall clocks that jump back by fifty minutes at each third look, and forth again: those of the process and of SQLite.
const JUMPING: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/time.h>
#include <time.h>

static long jump(void) {
    static int looks;
    return __atomic_fetch_add(&looks, 1, __ATOMIC_RELAXED) % 3 == 2 ? -3000 : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int code = real(clock, now);
    if (code == 0 && clock == CLOCK_REALTIME) now->tv_sec += jump();
    return code;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int (*real)(struct timeval *, void *) = dlsym(RTLD_NEXT, "gettimeofday");
    int code = real(now, zone);
    if (code == 0) now->tv_sec += jump();
    return code;
}
"#;

#[cfg(target_os = "linux")]
#[test]
fn a_clock_that_jumps_back_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (source, library) = (folder.path().join("jumping.c"), folder.path().join("jumping.so"));
    std::fs::write(&source, JUMPING).unwrap();
    let made = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source).status().unwrap();
    assert!(made.success());
    let migration = "DELETE FROM t WHERE id = 1; CREATE TABLE log (at TEXT DEFAULT CURRENT_TIMESTAMP, a); INSERT INTO log (a) SELECT a FROM t;";
    let project = Project::new(TABLE).migration("1.sql", migration);
    let arguments = [&MAIN[..], &["--faults", "--max-snapshot-age", "1d", "--format", "json"]].concat();
    let run = |jumps: bool| {
        let mut command = project.command(&arguments);
        if jumps {
            command.env("LD_PRELOAD", &library);
        }
        let ran = Ran::from(command.output().unwrap());
        project.assert_nothing_left();
        let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{}", ran.all()));
        (ran.code, document["verdict"].clone(), document["findings"].clone(), document["tables"].clone())
    };
    assert_eq!(run(true), run(false));
}
