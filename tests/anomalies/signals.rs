//! Signals that ask a rehearsal to end.

use std::os::unix::fs::PermissionsExt;

use super::*;

/// Starts, waits until a migration runs, and sends the signal.
fn interrupted(name: Option<&str>, more: &[&str]) -> (Project, Running) {
    let project = Project::new(TABLE).migration("1.sql", ENDLESS);
    let rehearsal = Running::rehearsal(&project, &[&MAIN[..], more].concat());
    workspace(project.temporary());
    std::thread::sleep(Duration::from_millis(200));
    if let Some(name) = name {
        rehearsal.signal(name);
    }
    (project, rehearsal)
}

#[test]
fn one_signal_ends_it_and_leaves_nothing() {
    for name in ["INT", "TERM", "HUP"] {
        let (project, rehearsal) = interrupted(Some(name), &[]);
        let ran = rehearsal.end();
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(130), ""), "{name}: {}", ran.stderr);
        project.assert_nothing_left();
        assert_eq!(project.files().into_keys().collect::<Vec<_>>(), ["migrations/1.sql", "prod.db"], "{name}");
    }
}

#[test]
fn a_kept_copy_or_a_report_is_not_half_written() {
    let (project, rehearsal) = interrupted(Some("INT"), &["--keep-copy", "kept.db"]);
    assert_eq!(rehearsal.end().code, Some(130));
    project.assert_nothing_left();
    assert!(!project.path("kept.db").exists());
}

#[test]
fn the_temporary_folder_is_private() {
    let (project, rehearsal) = interrupted(None, &[]);
    let metadata = workspace(project.temporary()).metadata().unwrap();
    assert_eq!(metadata.permissions().mode() & 0o777, 0o700);
    rehearsal.signal("TERM");
    assert_eq!(rehearsal.end().code, Some(130));
}

#[test]
fn a_signal_at_any_moment_leaves_nothing() {
    let mut random = Random::new();
    let victims = kills::victims();
    let mut interrupted = 0;
    for victim in &victims {
        let took = victim.whole();
        let before = kills::files(&victim.project);
        for _ in 0..cases(42).div_ceil(victims.len()) {
            let delay = random.moment(took);
            let rehearsal = Running::rehearsal(&victim.project, &victim.arguments);
            std::thread::sleep(delay);
            rehearsal.signal("INT");
            let ran = rehearsal.end();
            // None: before it takes signals, when it has made nothing yet.
            assert!(matches!(ran.code, Some(130 | 0) | None), "{} after {delay:?}: {}", victim.form, ran.all());
            interrupted += usize::from(ran.code == Some(130));
            victim.project.assert_nothing_left();
            assert!(copies::workspaces(&victim.project.path("")).is_empty(), "{} after {delay:?}", victim.form);
            assert!(kills::files(&victim.project) == before, "{} after {delay:?}", victim.form);
            victim.check_outputs();
        }
    }
    assert!(interrupted > victims.len(), "too few signals came in time: {interrupted}");
}
