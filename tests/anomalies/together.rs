//! Several rehearsals of one snapshot at once.

use super::*;

#[test]
fn two_at_once_do_not_meet() {
    let project = Project::demo();
    let before = project.files();
    let running: Vec<Running> =
        (0..4).map(|_| Running::rehearsal(&project, &["--snapshot", "prod.db", "--format", "json"])).collect();
    for rehearsal in running {
        let ran = rehearsal.end();
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
        let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(document["tables"][0]["rows"]["lost"], 100);
    }
    project.assert_nothing_left();
    assert!(project.files() == before);
}

#[test]
fn a_report_has_one_writer() {
    let project = Project::new(TABLE).migration("1.sql", ENDLESS);
    let arguments = [&MAIN[..], &["--report", "json=report.json"]].concat();
    let first = Running::rehearsal(&project, &arguments);
    workspace(project.temporary());
    std::thread::sleep(Duration::from_millis(200));
    let project = project.migration("1.sql", "DELETE FROM t;");
    let second = Ran::from(project.command(&arguments).output().unwrap());
    second.refused(
        2,
        "error: creating the report `report.json`: another rehearsal is about to write it
hint: write each report to a file of its own
",
    );
    drop(first);
    let third = Ran::from(project.command(&arguments).output().unwrap());
    assert_eq!(third.code, Some(1), "{}", third.all());
    assert!(std::fs::read_to_string(project.path("report.json")).unwrap().ends_with("}\n"));
}

#[test]
fn one_copy_is_kept_and_the_others_are_told() {
    let project = Project::new(&filled(400)).migration("1.sql", "DELETE FROM t WHERE id <= 10;");
    let arguments = [&MAIN[..], &["--keep-copy", "kept.db"]].concat();
    let running: Vec<Running> = (0..4).map(|_| Running::rehearsal(&project, &arguments)).collect();
    let mut kept = 0;
    for rehearsal in running {
        let ran = rehearsal.end();
        match ran.code {
            Some(0) => kept += 1,
            Some(2) => assert!(ran.stderr.contains("it exists already"), "{}", ran.stderr),
            _ => ran.refused(4, "error: keeping the copy as `kept.db`: File exists (os error 17)\n"),
        }
    }
    assert_eq!(kept, 1);
    let rows: i64 =
        connect(&project.path("kept.db")).query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
    assert_eq!(rows, 390);
    project.assert_nothing_left();
    assert_eq!(project.files().into_keys().collect::<Vec<_>>(), ["kept.db", "migrations/1.sql", "prod.db"]);
}
