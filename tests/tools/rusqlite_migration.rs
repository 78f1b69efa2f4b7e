//! `rusqlite_migration`: the rules of `from_directory` and `to_latest`.

use super::{deployed, planned_by, project, rows, snapshot, states};
use rehearse::execution::Outcome;
use rehearse::migrations::{Request, locate, search};
use tempfile::TempDir;

/// A project with these folders, each with an up.sql.
fn app(folders: &[&str]) -> TempDir {
    let named: Vec<_> = folders.iter().map(|name| format!("migrations/{name}/up.sql")).collect();
    let mut files: Vec<_> = named.iter().map(|name| (name.as_str(), "CREATE TABLE IF NOT EXISTS a (x);")).collect();
    files.push(("Cargo.toml", "[dependencies]\nrusqlite_migration = \"2.6\""));
    project(&files)
}

#[test]
fn refusals_in_its_own_words() {
    let loading = "rusqlite error while loading migrations from directory: ";
    for (folders, expected) in [
        (vec!["1-a", "2_b"], "Could not extract migration id from file name 2_b"),
        (vec!["x-a"], "Could not parse migration id from file name x-a as usize: invalid digit found in string"),
        (vec!["00-a"], "00-a has an incorrect migration id: migration id cannot be 0"),
        (vec!["1-a", "3-c"], "Migration ids must be consecutive numbers"),
        (vec!["1-a", "01-b"], "Multiple migrations detected for migration id: 1"),
    ] {
        let plan = planned_by("rusqlite-migration", &app(&folders), &snapshot(""));
        assert_eq!(plan.refusal.unwrap().message, format!("{loading}{expected}"));
    }
    let folder = app(&["1-a"]);
    std::fs::create_dir(folder.path().join("migrations/2-b")).unwrap();
    let plan = planned_by("rusqlite-migration", &folder, &snapshot(""));
    assert_eq!(plan.refusal.unwrap().message, format!("{loading}Missing upward migration file for migration 2-b"));
    for (version, expected) in [
        (
            7,
            "rusqlite_migration error in migrations definition: Attempt to migrate a database with a migration number that \
             is too high",
        ),
        (-3, "rusqlite_migration error: invalid user version received"),
    ] {
        let before = snapshot(&format!("PRAGMA user_version = {version}"));
        assert_eq!(planned_by("rusqlite-migration", &app(&["1-a"]), &before).refusal.unwrap().message, expected);
    }
}

#[test]
fn one_transaction_around_all_and_one_number() {
    let folder = app(&["01-a", "2-b", "03-c"]);
    std::fs::write(folder.path().join("migrations/03-c/up.sql"), "PRAGMA user_version = 9; CREATE TABLE c (x);")
        .unwrap();
    let before = snapshot("PRAGMA user_version = 1");
    let plan = planned_by("rusqlite-migration", &folder, &before);
    assert_eq!(states(&plan), ["01-a: applied", "2-b: pending", "03-c: pending"]);
    let (execution, after, _files) = deployed(&plan, &before);
    assert_eq!(execution.outcome, Outcome::Completed);
    assert_eq!(rows(&after, "PRAGMA user_version"), ["3"]);

    std::fs::write(folder.path().join("migrations/03-c/up.sql"), "CREATE TABLE c (x); SELECT * FROM nowhere;").unwrap();
    let (_, after, _files) = deployed(&planned_by("rusqlite-migration", &folder, &before), &before);
    assert_eq!(rows(&after, "SELECT count(*) FROM sqlite_schema"), ["0"]);
    assert_eq!(rows(&after, "PRAGMA user_version"), ["1"]);
}

#[test]
fn told_from_diesel_by_the_crate_or_the_names() {
    for (toml, name, expected) in [
        ("", "01-init", "rusqlite-migration"),
        ("", "2026-01-01-000000_init", "diesel"),
        ("", "001_init", "diesel"),
        ("[dependencies]\ndiesel = \"2\"", "01-init", "diesel"),
        ("[dependencies]\nrusqlite_migration = \"2\"", "01-init", "rusqlite-migration"),
    ] {
        let folder = project(&[("Cargo.toml", toml), (&format!("migrations/{name}/up.sql"), "SELECT 1")]);
        let request = Request { project: folder.path().into(), ..Request::default() };
        let located = locate(&search(&request).unwrap(), &snapshot("")).unwrap();
        assert_eq!(located.tool.name, expected, "{toml} {name}");
    }
}
