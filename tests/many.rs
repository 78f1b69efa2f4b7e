//! Many databases: what is found on each is what is found on it alone, parts make the whole, and wrong ones are told.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot make its databases has failed")]

#[path = "cmd/support.rs"]
mod support;

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::{Arc, Mutex};

use rehearse::expectations::yaml;
use rehearse::findings::Level;
use rehearse::many::{Selection, Shard};
use rehearse::migrations::Request;
use rehearse::observer::{Observer, Silent, Stage, Work};
use rehearse::report::fleet::{Database, Fleet, Verdict};
use rehearse::report::verdict;
use rehearse::{Options, rehearse_all};
use scraper::{Html, Selector as Css};
use serde_json::Value;
use support::{Project, Ran};

const TENANT: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
    CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id), title TEXT, body TEXT);
    INSERT INTO users VALUES (1, 'a'), (2, 'b'), (3, 'c');
    INSERT INTO posts (id, user_id, title) VALUES (1, 1, 'x'), (2, 2, 'y');
    CREATE TABLE schema_migrations (version varchar(128) primary key);
    INSERT INTO schema_migrations VALUES ('20240101000000');";

/// A dozen tenants: most are well, and each of the others has something of its own.
fn tenants() -> Project {
    let project = Project::empty();
    for folder in ["db/migrations", "tenants/more"] {
        std::fs::create_dir_all(project.path(folder)).unwrap();
    }
    let migration = |name: &str, up: &str| {
        std::fs::write(project.path("db/migrations").join(name), format!("-- migrate:up\n{up}\n-- migrate:down\n"))
            .unwrap();
    };
    migration("20240101000000_body.sql", "ALTER TABLE posts ADD COLUMN body TEXT;");
    migration(
        "20240102000000_unique.sql",
        "CREATE UNIQUE INDEX users_email ON users (email);\nDELETE FROM posts WHERE title = 'old';",
    );
    for name in ["a", "b", "c", "d", "e", "more/f"] {
        project.database(&format!("tenants/{name}.db"), TENANT);
    }
    let with = |name: &str, more: &str| project.database(&format!("tenants/{name}.db"), &format!("{TENANT}{more}"));
    with("behind", "DELETE FROM schema_migrations; ALTER TABLE posts DROP COLUMN body; PRAGMA user_version = 1;");
    with("drifted", "ALTER TABLE users ADD COLUMN phone TEXT; CREATE INDEX by_phone ON users (phone);");
    with("twice", "INSERT INTO users VALUES (4, 'a');");
    with("twice2", "INSERT INTO users VALUES (4, 'b'), (5, 'b');");
    with("old", "INSERT INTO posts VALUES (3, 1, 'old', ''), (4, 1, 'old', '');");
    with("older", "INSERT INTO posts VALUES (3, 1, 'old', ''), (4, 1, 'old', ''), (5, 1, 'old', '');");
    std::fs::write(project.path("tenants/broken.db"), "this is no database").unwrap();
    std::fs::write(project.path("tenants/empty.db"), "").unwrap();
    std::fs::write(project.path("tenants/notes.txt"), "notes").unwrap();
    project
}

fn options(project: &Project) -> Options {
    let request = Request {
        folder: Some(project.path("db/migrations")),
        tool: Some("dbmate".to_owned()),
        table: None,
        project: project.path(""),
    };
    let driver = Some("go-sqlite3".to_owned());
    let fail_on = Some(Level::Warning);
    Options {
        driver,
        fail_on,
        workspace: Some(project.temporary().to_owned()),
        ..Options::of(project.path("unused"), request)
    }
}

fn rehearsed(project: &Project, selection: Selection, shard: Option<Shard>) -> Fleet {
    let fleet = rehearse_all(&selection.find().unwrap(), shard, &options(project), 2, &Silent).unwrap();
    project.assert_nothing_left();
    fleet
}

fn named<'a>(fleet: &'a Fleet, name: &str) -> &'a Database {
    fleet.databases.iter().find(|database| database.name == name).unwrap_or_else(|| panic!("{name}"))
}

fn names(fleet: &Fleet) -> Vec<&str> {
    fleet.databases.iter().map(|database| database.name.as_str()).collect()
}

/// Without what differs from run to run.
fn without_times(fleet: &Fleet) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                let times = ["elapsed_ms", "total_ms", "longest_ms", "slowest", "rehearsed_at"];
                fields.retain(|name, _| !times.contains(&name.as_str()));
                fields.values_mut().for_each(strip);
            }
            Value::Array(values) => values.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(fleet).unwrap();
    strip(&mut value);
    value
}

const MAIN: [&str; 6] = ["--migrations", "db/migrations", "--tool", "dbmate", "--driver", "go-sqlite3"];

#[test]
fn each_has_the_outcome_that_it_has_alone() {
    let project = tenants();
    // Rows that are in the log only.
    let writer = rusqlite::Connection::open_with_flags(
        project.path("tenants/a.db"),
        rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE,
    )
    .unwrap();
    let sql = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; INSERT INTO users VALUES (9, 'a');";
    writer.execute_batch(sql).unwrap();
    for sidecar in ["", "-wal"] {
        let bytes = std::fs::read(project.path(&format!("tenants/a.db{sidecar}"))).unwrap();
        std::fs::write(project.path(&format!("tenants/log.db{sidecar}")), bytes).unwrap();
    }
    drop(writer);
    let before = project.files();
    let fleet = rehearsed(&project, Selection::Folder(project.path("tenants")), None);
    assert!(before == project.files(), "a database was touched");
    assert_eq!(fleet.databases.len(), 15);
    assert_eq!(named(&fleet, "log.db").verdict, Verdict::Failed);
    let mut verdicts = BTreeSet::new();
    for database in &fleet.databases {
        let snapshot = project.path("tenants").join(&database.name);
        let alone = rehearse::rehearse(&Options { snapshot: snapshot.clone().into(), ..options(&project) }, &Silent);
        let group = &fleet.groups[database.group];
        verdicts.insert(database.verdict);
        match alone {
            Ok(alone) => {
                let document = alone.document();
                assert_eq!(database.exit_code, alone.exit_code(), "{}", database.name);
                let mut codes: Vec<_> =
                    document.findings.iter().map(|one| (one.code.clone(), one.table.clone())).collect();
                let mut told: Vec<_> = group.findings.iter().map(|one| (one.code.clone(), one.table.clone())).collect();
                codes.sort();
                told.sort();
                assert_eq!(codes, told, "{}", database.name);
                let lost: Option<u64> = document
                    .tables
                    .iter()
                    .filter(|table| table.before_name.is_some())
                    .map(|table| table.rows.lost)
                    .sum();
                assert_eq!(database.rows_lost, lost, "{}", database.name);
                assert_eq!(database.bytes, Some(document.snapshot.bytes));
                let reason = verdict::headline(&document).reason;
                assert!(database.exit_code == 0 || database.message.ends_with(&reason), "{}", database.message);
            }
            Err(error) => {
                assert_eq!(
                    (database.verdict, database.exit_code),
                    (Verdict::Error, error.exit_code()),
                    "{}",
                    database.name
                );
                assert_eq!(group.code.as_deref(), error.code());
            }
        }
    }
    assert_eq!(verdicts, [Verdict::Passed, Verdict::Findings, Verdict::Failed, Verdict::Error].into());
}

#[test]
fn equal_outcomes_are_one_group_and_the_outliers_are_named() {
    let project = tenants();
    let fleet = rehearsed(&project, Selection::Folder(project.path("tenants")), None);
    let groups: Vec<(Verdict, Vec<&str>)> = fleet
        .groups
        .iter()
        .enumerate()
        .map(|(place, group)| (group.verdict, fleet.names_in(place).collect()))
        .collect();
    let expected = [
        (Verdict::Error, vec!["broken.db"]),
        (Verdict::Error, vec!["empty.db"]),
        (Verdict::Failed, vec!["twice.db", "twice2.db"]),
        (Verdict::Findings, vec!["old.db", "older.db"]),
        (Verdict::Passed, vec!["a.db", "b.db", "behind.db", "c.db", "d.db", "drifted.db", "e.db", "more/f.db"]),
    ];
    assert_eq!(groups, expected);
    assert_eq!((fleet.exit_code, fleet.verdict), (4, Verdict::Error));
    assert_eq!(fleet.selection.left_aside, 1);
    let lost = fleet.groups[3].rows_lost.unwrap();
    assert_eq!((lost.total, lost.least, lost.most), (5, 2, 3));
    assert_eq!(fleet.groups[3].findings[0].rows.unwrap().total, 5);
    assert_eq!(
        fleet.groups[3].report.as_ref().unwrap().snapshot.path,
        project.path("tenants/old.db").to_str().unwrap()
    );
    let totals = &fleet.totals;
    assert_eq!((totals.passed, totals.findings, totals.failed, totals.errors), (8, 2, 2, 2));
    let schemas: Vec<(u64, &str)> = fleet.schemas.iter().map(|one| (one.databases, one.first.as_str())).collect();
    assert_eq!(schemas, [(10, "a.db"), (1, "behind.db"), (1, "drifted.db")]);
    assert_eq!(fleet.schemas[1].missing, ["column posts.body TEXT"]);
    let extra = ["column users.phone TEXT", "index by_phone: CREATE INDEX by_phone ON users (phone)"];
    assert_eq!((&fleet.schemas[2].extra[..], fleet.schemas[2].missing.len()), (&extra.map(str::to_owned)[..], 0));
    let plans: Vec<(u64, u64, usize)> =
        fleet.plans.iter().map(|plan| (plan.databases, plan.applied, plan.pending.len())).collect();
    assert_eq!(plans, [(11, 1, 1), (1, 0, 2)]);
}

#[test]
fn the_names_of_databases_and_how_much_they_need_make_no_other_outcome() {
    let project = tenants();
    std::fs::remove_dir_all(project.path("tenants")).unwrap();
    std::fs::create_dir(project.path("tenants")).unwrap();
    for (name, rows) in [("log1", 20), ("log2", 20_000)] {
        let numbers = format!(
            "WITH RECURSIVE n (value) AS (VALUES (10) UNION ALL SELECT value + 1 FROM n WHERE value < {rows}) SELECT value, value || hex(zeroblob(100)) FROM n"
        );
        project.database(
            &format!("tenants/{name}.db"),
            &format!("{TENANT} PRAGMA journal_mode = WAL; INSERT INTO users {numbers};"),
        );
    }
    for name in ["hot1", "hot2"] {
        project.database("writing.db", TENANT);
        let path = project.path("writing.db");
        let writer = rusqlite::Connection::open_with_flags(&path, rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        writer.execute_batch("PRAGMA cache_size = 1; BEGIN; UPDATE posts SET title = hex(zeroblob(20000));").unwrap();
        for sidecar in ["", "-journal"] {
            let bytes = std::fs::read(project.path(&format!("writing.db{sidecar}"))).unwrap();
            std::fs::write(project.path(&format!("tenants/{name}.db{sidecar}")), bytes).unwrap();
        }
        drop(writer);
        std::fs::remove_file(path).unwrap();
    }
    let needs = Options { disk_free: Some(1), ..options(&project) };
    let folder = Selection::Folder(project.path("tenants")).find().unwrap();
    let fleet = rehearse_all(&folder, None, &needs, 2, &Silent).unwrap();
    let groups: Vec<(Vec<&str>, Vec<&str>)> = fleet
        .groups
        .iter()
        .enumerate()
        .map(|(place, group)| {
            let codes = group.findings.iter().map(|finding| finding.code.as_str()).collect();
            (fleet.names_in(place).collect(), codes)
        })
        .collect();
    let expected =
        [(vec!["hot1.db", "hot2.db"], vec!["RS704", "SN902"]), (vec!["log1.db", "log2.db"], vec!["RS704", "SN901"])];
    assert_eq!(groups, expected);
    let needed = fleet.databases.iter().map(|database| database.message.as_str()).collect::<Vec<_>>();
    assert!(needed[2].contains("kB") && needed[3].contains("MB"), "{needed:?}");
}

#[test]
fn a_waiver_that_only_another_database_needs_is_no_fault() {
    let project = tenants();
    for broken in ["broken", "empty", "twice", "twice2"] {
        std::fs::remove_file(project.path(&format!("tenants/{broken}.db"))).unwrap();
    }
    let text = "allow: [{ rule: LS107, table: posts, because: they are old }]";
    let path = project.path("rehearse.yaml");
    std::fs::write(&path, text).unwrap();
    let run = |more: &[&str]| {
        let own = ["--snapshot", "tenants", "--fail-on", "warning", "--format", "json"];
        let ran = Ran::from(project.command(&[&own[..], &MAIN, more].concat()).output().unwrap());
        serde_json::from_str::<Fleet>(&ran.stdout).unwrap()
    };
    let fleet = run(&[]);
    let levels = |fleet: &Fleet| -> BTreeSet<(bool, String, Level)> {
        let findings = fleet.groups.iter().flat_map(|group| &group.findings);
        findings.map(|one| (one.waived, one.code.clone(), one.level)).collect()
    };
    assert_eq!((fleet.exit_code, fleet.totals.passed), (0, 10));
    let both = [(true, "LS107".to_owned(), Level::Warning), (false, "SN907".to_owned(), Level::Note)];
    assert_eq!(levels(&fleet), both.clone().into());
    // What somebody says of the rule holds all the same, and so does what it is on one database.
    let told = run(&["--level", "SN907=error"]);
    assert_eq!((told.exit_code, told.totals.findings), (1, 8));
    let alone = ["--snapshot", "tenants/a.db", "--fail-on", "warning"];
    assert_eq!(Ran::from(project.command(&[&alone[..], &MAIN].concat()).output().unwrap()).code, Some(1));
}

#[test]
fn drift_is_told_of_each_as_it_is_alone() {
    let project = tenants();
    std::fs::remove_dir_all(project.path("tenants")).unwrap();
    std::fs::create_dir(project.path("tenants")).unwrap();
    let first = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);";
    let second = "CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id), title TEXT);";
    let up = |name: &str, sql: &str| {
        let text = format!("-- migrate:up\n{sql}\n-- migrate:down\n");
        std::fs::write(project.path("db/migrations").join(name), text).unwrap();
    };
    up("20230101000000_users.sql", first);
    up("20230102000000_posts.sql", second);
    let ledger = "CREATE TABLE schema_migrations (version varchar(128) primary key);";
    let applied = |version: u8| format!("INSERT INTO schema_migrations VALUES ('2023010{version}000000');");
    let (one, two) = (applied(1), format!("{}{}", applied(1), applied(2)));
    let databases = [
        ("as", format!("{first}{second}{ledger}{two}")),
        ("early", format!("{first}{ledger}{one}")),
        // The same schema as others, at another place in the ledger.
        ("behind", format!("{first}{second}{ledger}{one}")),
        ("ahead", format!("{first}{ledger}{two}")),
        ("index", format!("{first}{second}{ledger}{two} CREATE INDEX by_email ON users (email);")),
        ("column", format!("{first}{second}{ledger}{two} ALTER TABLE posts ADD COLUMN body TEXT;")),
        ("fresh", "CREATE TABLE own (a);".to_owned()),
    ];
    for (name, sql) in &databases {
        for copy in 1..=3 {
            project.database(&format!("tenants/{name}{copy}.db"), sql);
        }
    }
    let fleet = rehearsed(&project, Selection::Folder(project.path("tenants")), None);
    let mut drifted = BTreeSet::new();
    for database in &fleet.databases {
        let snapshot = project.path("tenants").join(&database.name);
        let alone = rehearse::rehearse(&Options { snapshot: snapshot.into(), ..options(&project) }, &Silent).unwrap();
        let document = alone.document();
        let group = &fleet.groups[database.group];
        let told: BTreeSet<_> = group.findings.iter().map(|one| (&one.code, &one.level, &one.message)).collect();
        let expected: BTreeSet<_> = document.findings.iter().map(|one| (&one.code, &one.level, &one.message)).collect();
        assert_eq!(told, expected, "{}", database.name);
        if group.first == database.name {
            let report = group.report.as_ref().unwrap();
            let drift = |plan: &rehearse::report::document::Plan| serde_json::to_value(&plan.drift).unwrap();
            assert_eq!(drift(&report.plan), drift(&document.plan), "{}", database.name);
        }
        drifted.extend(told.iter().filter(|one| *one.0 == "SN916").map(|_| database.name.clone()));
    }
    let expected = ["ahead", "behind", "column", "index"];
    let expected = expected.iter().flat_map(|name| (1..=3).map(move |copy| format!("{name}{copy}.db")));
    assert_eq!(drifted, expected.collect());
}

#[test]
fn the_parts_together_are_the_whole() {
    let project = tenants();
    let all = || Selection::Folder(project.path("tenants"));
    let whole = rehearsed(&project, all(), None);
    for of in [1, 3, 16] {
        let parts: Vec<Fleet> = (1..=of).map(|part| rehearsed(&project, all(), Some(Shard { part, of }))).collect();
        let mut seen: Vec<&str> = parts.iter().flat_map(names).collect();
        seen.sort_unstable();
        assert_eq!(seen, names(&whole));
        // As files, and in any order.
        let saved = parts.iter().rev().map(|part| serde_json::from_str(&serde_json::to_string(part).unwrap()).unwrap());
        let merged = rehearse::many::merge(saved.map(|part| ("part".to_owned(), part)).collect()).unwrap();
        assert_eq!(without_times(&merged), without_times(&whole), "{of} parts");
    }
}

#[test]
fn a_database_more_moves_no_other_one() {
    let project = tenants();
    let part_of = |fleet: &Fleet, shard: Shard| -> BTreeSet<String> {
        let taken = fleet.databases.iter().filter(|database| shard.takes(&database.name));
        taken.map(|database| database.name.clone()).collect()
    };
    let before = rehearsed(&project, Selection::Folder(project.path("tenants")), None);
    project.database("tenants/0new.db", TENANT);
    let after = rehearsed(&project, Selection::Folder(project.path("tenants")), None);
    for part in 1..=4 {
        let shard = Shard { part, of: 4 };
        let (old, mut new) = (part_of(&before, shard), part_of(&after, shard));
        new.remove("0new.db");
        assert_eq!(old, new);
    }
}

/// Reports of two parts as the command writes them.
fn parts(project: &Project, more: &[&str]) -> [String; 2] {
    ["1/2", "2/2"].map(|shard| {
        let file = format!("{}.json", shard.replace('/', "of"));
        let report = format!("json={file}");
        let own = ["--snapshot", "tenants/**/*.db", "--shard", shard, "--report", &report];
        let ran = Ran::from(project.command(&[&own[..], &MAIN, more].concat()).output().unwrap());
        assert!(project.path(&file).metadata().unwrap().len() > 0, "{}", ran.all());
        file
    })
}

#[test]
fn merge_gives_the_report_and_the_exit_code_of_the_whole() {
    let project = tenants();
    let [one, two] = parts(&project, &[]);
    let whole = project.run(&[&["--snapshot", "tenants/**/*.db", "--format", "junit"][..], &MAIN].concat());
    let merged = project.run(&["merge", &two, &one, "--format", "junit"]);
    let without_times = |text: &str| {
        let lines = text
            .lines()
            .map(|line| line.split("time=\"").map(|part| part.split_once('"').map_or(part, |(_, rest)| rest)));
        lines.map(Iterator::collect::<String>).collect::<Vec<_>>()
    };
    assert_eq!((merged.code, whole.code), (Some(4), Some(4)));
    assert_eq!(without_times(&merged.stdout), without_times(&whole.stdout));
    let rendered = project.run(&["report", &one, "--format", "dotenv"]);
    assert_eq!(rendered.code, Some(0), "{}", rendered.stderr);
    assert!(rendered.stdout.starts_with("REHEARSAL_VERDICT="), "{}", rendered.stdout);
}

#[test]
fn what_is_no_whole_is_an_error_that_says_what_is_wrong() {
    let project = tenants();
    let [one, two] = parts(&project, &[]);
    let says = |files: &[&str], part: &str| {
        let ran = project.run(&[&["merge"], files].concat());
        assert_eq!(ran.code, Some(4), "{}", ran.all());
        assert!(ran.stdout.is_empty() && ran.stderr.contains(part), "{}", ran.stderr);
    };
    says(&[&one], "part 2 of 2 is missing\nhint: rehearse it: --shard 2/2");
    says(&[&one, &two, &one], "`1of2.json` and `1of2.json` are both part 1 of 2");
    let merged = project.run_making(&["merge", &one, &two, "--report", "json=all.json"], &["all.json"]);
    assert_eq!(merged.code, Some(4));
    says(&["all.json"], "`all.json` is the report on all databases, and no part of one");
    let edit = |name: &str, change: &dyn Fn(&mut Value)| {
        let mut report: Value = serde_json::from_str(&std::fs::read_to_string(project.path(&two)).unwrap()).unwrap();
        change(&mut report);
        std::fs::write(project.path(name), report.to_string()).unwrap();
    };
    edit("version.json", &|report| report["rehearse"]["version"] = "0.0.1".into());
    says(&[&one, "version.json"], "were made by two versions of rehearse");
    edit("names.json", &|report| report["selection"]["checksum"] = "0".into());
    says(&[&one, "names.json"], "are parts of two sets of databases");
    edit("migrations.json", &|report| report["inputs"]["migrations"][0]["checksum"] = "0".into());
    says(&[&one, "migrations.json"], "were rehearsed with other migrations");
    edit("of.json", &|report| report["shard"]["of"] = 3.into());
    says(&[&one, "of.json"], "are parts of 2 and of 3");
    for (part, of, why) in
        [(1, u32::MAX, "there are at most 100000 parts"), (3, 2, "there is no part 3 of 2"), (0, 2, "counted from 1")]
    {
        edit("part.json", &|report| report["shard"] = serde_json::json!({ "part": part, "of": of }));
        says(&["part.json"], why);
    }
    edit("lines.json", &|report| drop(report["databases"].as_array_mut().unwrap().pop()));
    says(&[&one, "lines.json"], "databases together, and");
    for (list, field, value) in [
        ("databases", "group", 99),
        ("databases", "plan", 99),
        ("groups", "databases", u64::MAX),
        ("schemas", "databases", 0),
    ] {
        edit("counts.json", &|report| report[list][0][field] = value.into());
        says(
            &[&one, "counts.json"],
            "`counts.json` is not as it was written: its databases are not those that it counts",
        );
    }
    edit("counts.json", &|report| report["groups"] = Value::Array(Vec::new()));
    says(&[&one, "counts.json"], "its databases are not those that it counts");
    edit("twice.json", &|report| report["databases"][0]["name"] = report["databases"][1]["name"].clone());
    says(&[&one, "twice.json"], "the parts have other databases than those that were meant");
    edit("huge.json", &|report| {
        for database in report["databases"].as_array_mut().unwrap() {
            database["bytes"] = u64::MAX.into();
            database["rows_lost"] = u64::MAX.into();
        }
    });
    let huge = project.run(&["merge", &one, "huge.json", "--format", "json"]);
    let huge: Value = serde_json::from_str(&huge.stdout).unwrap_or_else(|_| panic!("{}", huge.all()));
    assert_eq!(huge["totals"]["bytes"], u64::MAX);
    parts(&project, &["--fail-on", "note"]);
    std::fs::rename(project.path(&two), project.path("options.json")).unwrap();
    let [one, _] = parts(&project, &[]);
    says(&[&one, "options.json"], "were rehearsed with other options");
    std::fs::write(project.path("no.json"), "{\"schema_version\": 1}").unwrap();
    says(&["no.json"], "it is no report of a rehearsal");
    let over = project.run(&["merge", &one, "--report", &format!("json={one}")]);
    assert_eq!(over.code, Some(4), "{}", over.stderr);
}

#[test]
fn what_no_database_can_be_rehearsed_with_is_wrong_usage() {
    let project = Project::empty();
    project.database("a.db", TENANT);
    project.database("b.db", TENANT);
    let ran = project.run(&["--snapshot", "*.db"]);
    assert_eq!(ran.code, Some(2), "{}", ran.all());
    assert!(
        ran.stdout.starts_with("2 databases: all the same: not rehearsed: finding the migrations folder"),
        "{}",
        ran.stdout
    );
    std::fs::write(project.path("c.db"), "no database").unwrap();
    assert_eq!(project.run(&["--snapshot", "*.db"]).code, Some(4));
}

#[test]
fn a_part_without_databases_passes_and_says_so() {
    let project = Project::new(TENANT).migration("1.sql", "SELECT 1;");
    let part = (1..=2).find(|part| !Shard { part: *part, of: 2 }.takes("prod.db")).unwrap();
    let shard = format!("{part}/2");
    let ran = project.run(&[
        "--snapshot",
        "*.db",
        "--migrations",
        "migrations",
        "--tool",
        "sql",
        "--driver",
        "sqlite",
        "--shard",
        &shard,
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(ran.stdout.starts_with("0 databases: none of 1 is in this part\n"), "{}", ran.stdout);
}

#[test]
fn a_list_names_databases_from_its_own_folder() {
    let project = tenants();
    let list = "\u{feff}# tenants\na.db\n\n./a.db\r\nmore/f.db\nmissing.db\n";
    std::fs::write(project.path("tenants/list.txt"), list).unwrap();
    let fleet = rehearsed(&project, Selection::List(project.path("tenants/list.txt")), None);
    assert_eq!(names(&fleet), ["./a.db", "missing.db", "more/f.db"]);
    assert_eq!(fleet.biggest, ["./a.db", "more/f.db"]);
    assert_eq!(fleet.selection.duplicates, 1);
    assert_eq!((named(&fleet, "missing.db").verdict, fleet.exit_code), (Verdict::Error, 4));
    assert!(fleet.groups[0].message.contains("the file does not exist"), "{}", fleet.groups[0].message);
}

#[test]
fn two_names_of_one_file_are_one_database_and_links_are_followed() {
    let project = tenants();
    symlink("a.db", project.path("tenants/again.db")).unwrap();
    std::fs::hard_link(project.path("tenants/b.db"), project.path("tenants/more/b.db")).unwrap();
    symlink("..", project.path("tenants/more/up")).unwrap();
    symlink("gone.db", project.path("tenants/dangling.db")).unwrap();
    let fleet = rehearsed(&project, Selection::Folder(project.path("tenants")), None);
    assert_eq!(fleet.databases.len(), 15);
    assert_eq!(fleet.selection.duplicates, 2);
    assert_eq!(named(&fleet, "dangling.db").verdict, Verdict::Error);
    // A pattern goes the same ways, and ends where a link leads back.
    symlink("..", project.path("tenants/more/back")).unwrap();
    let names_of = |pattern: &str| -> Vec<String> {
        let databases = Selection::Pattern(project.path(pattern)).find().unwrap();
        databases.found.into_iter().map(|database| database.name).collect()
    };
    assert_eq!(names_of("tenants/**/*.db"), names(&fleet));
    assert_eq!(names_of("tenants/m*/[f-g].db"), ["more/f.db"]);
    symlink("more", project.path("tenants/alias")).unwrap();
    assert_eq!(names_of("tenants/**/ali*/*.db"), ["alias/b.db", "alias/f.db"]);
}

#[test]
fn a_configuration_that_nobody_trusts_finds_no_databases_elsewhere() {
    let project = tenants();
    std::fs::create_dir_all(project.path("repository/.git")).unwrap();
    std::fs::create_dir_all(project.path("repository/own")).unwrap();
    std::fs::rename(project.path("db"), project.path("repository/db")).unwrap();
    project.database("repository/own/a.db", TENANT);
    let run = |text: &str, more: &[&str]| {
        std::fs::write(project.path("repository/rehearse.yaml"), text).unwrap();
        let mut command = project.command(&[&MAIN[..], more].concat());
        Ran::from(command.current_dir(project.path("repository")).output().unwrap())
    };
    for text in
        ["snapshot: ../tenants/*.db", "snapshot: ../tenants", "snapshot: '../*/*.db'", "snapshot_list: ../list.txt"]
    {
        let ran = run(text, &[]);
        assert_eq!(ran.code, Some(2), "{text}: {}", ran.all());
        assert!(ran.stderr.contains("--trust-config"), "{text}: {}", ran.stderr);
    }
    let trusted = run("snapshot: ../tenants/[abc].db", &["--trust-config"]);
    assert_eq!(trusted.code, Some(0), "{}", trusted.all());
    for text in ["snapshot: own", "snapshot: '*/*.db'"] {
        let ran = run(text, &[]);
        assert_eq!(ran.code, Some(0), "{text}: {}", ran.all());
    }
}

/// Sees the work on all databases, and no other.
#[derive(Default)]
struct Seen(Mutex<Vec<Arc<Work>>>);

impl Observer for Seen {
    fn begin(&self, work: &Arc<Work>) {
        self.0.lock().unwrap().push(Arc::clone(work));
    }
}

#[test]
fn progress_counts_databases_and_those_that_did_not_pass() {
    let project = tenants();
    let databases = Selection::Folder(project.path("tenants")).find().unwrap();
    let seen = Seen::default();
    rehearse_all(&databases, None, &options(&project), 2, &seen).unwrap();
    let works = seen.0.into_inner().unwrap();
    let told: Vec<_> = works.iter().map(|work| (work.stage(), work.total(), work.done(), work.failed())).collect();
    assert_eq!(told, [(&Stage::Databases, Some(14), 14, 6)]);
}

#[test]
fn a_database_may_be_called_like_a_log_or_have_any_name() {
    let project = tenants();
    std::fs::create_dir_all(project.path("shops/acme")).unwrap();
    for name in ["blog", "blog-journal", "acme-wal", r"\xff"] {
        project.database(&format!("shops/{name}"), TENANT);
    }
    let odd = std::ffi::OsStr::from_bytes(b"\xff");
    std::fs::write(project.path("shops").join(odd), std::fs::read(project.path("shops/blog")).unwrap()).unwrap();
    std::fs::write(project.path("shops/blog-shm"), "no database").unwrap();
    let names_of = |selection: Selection| -> Vec<String> {
        selection.find().unwrap().found.into_iter().map(|database| database.name).collect()
    };
    let all = [r"\\xff", r"\xff", "acme-wal", "blog", "blog-journal"];
    assert_eq!(names_of(Selection::Pattern(project.path("shops/*"))), all);
    assert_eq!(names_of(Selection::Pattern(project.path("sho*/*"))), all.map(|name| format!("shops/{name}")));
    assert_eq!(names_of(Selection::Pattern(project.path("**/shops/*"))), all.map(|name| format!("shops/{name}")));
    assert_eq!(names_of(Selection::Folder(project.path("shops"))), all);
}

#[test]
fn what_is_given_wrong_is_told() {
    let project = tenants();
    std::fs::write(project.path("none.txt"), "# nothing\n").unwrap();
    std::fs::create_dir(project.path("nothing")).unwrap();
    let refused = |arguments: &[&str], part: &str| {
        let ran = project.run(&[arguments, &MAIN].concat());
        assert_eq!(ran.code, Some(2), "{}", ran.all());
        assert!(ran.stdout.is_empty() && ran.stderr.contains(part), "{}", ran.stderr);
    };
    refused(&["--snapshot", "tenants/*.sqlite"], "finding the databases of `tenants/*.sqlite`: no file matches");
    refused(&["--snapshot", "nowhere/**/*.db"], "finding the databases of `nowhere/**/*.db`: no file matches");
    refused(&["--snapshot", "ten*"], "only folders match\nhint: name the databases in them: --snapshot 'ten*/*.db'");
    refused(&["--snapshot", "tenants/[.db"], "at character ");
    refused(&["--snapshot", "nothing"], "no file in it is a SQLite database");
    refused(&["--snapshot-list", "none.txt"], "it names no database");
    refused(&["--snapshot-list", "no.txt"], "reading the list of databases `no.txt`");
    refused(&["--snapshot-list", "/dev/null"], "it is no regular file\nhint: a list is a file of UTF-8 text; `-` is");
    refused(
        &["--snapshot", "tenants/a.db", "--shard", "1/2"],
        "`--shard` is a part of many databases, and one was given",
    );
    refused(&["--snapshot", "tenants", "--keep-copy", "kept.db"], "`--keep-copy` keeps the copy of one database");
    refused(&["--snapshot", "tenants", "--shard", "3/2"], "there is no part 3 of 2");
    refused(
        &["--snapshot", "tenants", "--format", "sarif"],
        "a report on many databases has no form `sarif`\nhint: valid: text, json,",
    );
    refused(&["--snapshot", "tenants", "--report", "gitlab=a.json"], "a report on many databases has no form `gitlab`");
    refused(&["--snapshot", "tenants", "--report", "json=tenants/a.db-wal"], "that is the snapshot or belongs to it");
    refused(&["--snapshot", "tenants/a.db", "tenants/b.db"], "rehearse --snapshot 'tenants/*.db'");
    let plan = project.run(&["plan", "--snapshot", "tenants"]);
    assert_eq!(plan.code, Some(4));
    assert!(plan.stderr.contains("it is a folder"), "{}", plan.stderr);
}

#[test]
fn a_file_of_the_name_of_a_pattern_is_that_file() {
    let project = Project::new(TENANT).migration("1.sql", "SELECT 1;");
    std::fs::rename(project.path("prod.db"), project.path("[a]*.db")).unwrap();
    let ran =
        project.run(&["--snapshot", "[a]*.db", "--migrations", "migrations", "--tool", "sql", "--driver", "sqlite"]);
    assert_eq!(ran.code, Some(0), "{}", ran.stderr);
    assert!(!ran.stdout.contains("databases"), "{}", ran.stdout);
}

#[test]
fn names_do_nothing_to_a_terminal_or_a_log() {
    let project = tenants();
    for name in ["\u{1b}[31mred.db", "::error::x.db", "a\nb.db", "|`*.db", "##[error].db"] {
        std::fs::write(project.path("tenants").join(name), "no database").unwrap();
    }
    std::fs::write(project.path("tenants/list"), "::error::x\n##vso[x]\n").unwrap();
    for format in ["text", "json", "html", "markdown", "junit", "github", "dotenv"] {
        for given in [["--snapshot", "tenants"], ["--snapshot-list", "tenants/list"]] {
            let ran = project.run(&[&given[..], &["-v", "--format", format], &MAIN].concat());
            assert_eq!(ran.code, Some(4), "{}", ran.stderr);
            let is_command = |line: &str| {
                let kinds = ["::error ", "::warning "];
                kinds
                    .iter()
                    .any(|kind| line.starts_with(&format!("{kind}file=")) || line.starts_with(&format!("{kind}title=")))
            };
            let own = |line: &&str| format != "github" || !is_command(line);
            for line in ran.stdout.lines().filter(own) {
                assert!(!line.contains('\u{1b}') && !line.trim_start().starts_with("::"), "{format}: {line}");
                assert!(!line.contains("##["), "{format}: {line}");
            }
        }
    }
}

#[test]
fn the_page_names_every_outcome_and_loads_nothing() {
    let project = tenants();
    let fleet = rehearsed(&project, Selection::Folder(project.path("tenants")), None);
    let text = rehearse::report::html::render_fleet(&fleet);
    assert!(text.starts_with("<!doctype html>"), "{}", &text[..200]);
    let page = Html::parse_document(&text);
    assert!(page.errors.is_empty(), "{:?}", page.errors);
    let all = |selector: &str| page.select(&Css::parse(selector).unwrap()).collect::<Vec<_>>();
    assert_eq!(all("#outcomes article").len(), fleet.groups.len());
    assert_eq!(all("#databases tbody tr").len(), fleet.databases.len());
    assert_eq!(all("#schemas details").len(), 2);
    assert_eq!(all("#plans tbody tr").len(), 2);
    assert!(all("script, link[href^=http], img").is_empty());
    let ids: Vec<&str> = all("[id]").iter().filter_map(|element| element.attr("id")).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{ids:?}");
    for link in all("a[href^='#']") {
        assert!(ids.contains(&&link.attr("href").unwrap()[1..]));
    }
    for said in
        ["UNIQUE constraint failed: users.email", "not rehearsed", "users_email", "column users.phone TEXT", "2 to 3"]
    {
        assert!(text.contains(said), "{said}");
    }
}

#[test]
fn the_report_is_one_by_its_schema() {
    let project = tenants();
    let fleet = rehearsed(&project, Selection::Folder(project.path("tenants")), Some(Shard { part: 1, of: 1 }));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/fleet.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let validator = jsonschema::draft7::new(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&serde_json::to_value(&fleet).unwrap()).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert!(!validator.is_valid(&serde_json::json!({ "schema_version": 1, "verdict": "passed" })));
}

#[test]
fn a_signal_leaves_nothing_behind() {
    let project = tenants();
    let endless = "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) DELETE FROM posts WHERE id IN (SELECT -i FROM n);";
    std::fs::write(project.path("db/migrations/20240103000000_endless.sql"), format!("-- migrate:up\n{endless}\n"))
        .unwrap();
    let before = project.files();
    let mut child = project.command(&[&["--snapshot", "tenants"][..], &MAIN].concat()).spawn().unwrap();
    let is_under_way = || {
        let folders = std::fs::read_dir(project.temporary()).unwrap().flatten();
        folders
            .filter_map(|folder| std::fs::read_dir(folder.path()).ok())
            .flatten()
            .flatten()
            .any(|file| file.path().is_dir())
    };
    while !is_under_way() {
        assert!(child.try_wait().unwrap().is_none(), "it ended");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    project.assert_nothing_left();
    assert!(before == project.files());
}

/// Each part as the manifest runs it, and then the merge.
#[test]
fn the_manifest_for_kubernetes_does_what_it_says() {
    let project = tenants();
    std::fs::create_dir(project.path("reports")).unwrap();
    std::fs::write(project.path("rehearse.yaml"), "tool: dbmate\ndriver: go-sqlite3\n").unwrap();
    let manifest = |name: &str| -> Value {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("ci/kubernetes").join(name);
        yaml::parse(&std::fs::read_to_string(&path).unwrap(), &path).unwrap()
    };
    let script = |manifest: &Value| {
        let container = &manifest["spec"]["template"]["spec"]["containers"][0];
        let text = container["args"][0].as_str().unwrap();
        let here = project.path("").display().to_string();
        text.replace("/reports/", &format!("{here}reports/")).replace("/tenants/", &format!("{here}tenants/"))
    };
    let sh = |script: &str, index: Option<u64>| {
        let binary = Path::new(env!("CARGO_BIN_EXE_rehearse")).parent().unwrap();
        let path = format!("{}:{}", binary.display(), std::env::var("PATH").unwrap());
        let mut command = std::process::Command::new("sh");
        command.args(["-c", script]).current_dir(project.path("")).env("PATH", path).env("PARTS", "16");
        command.env("TMPDIR", project.temporary());
        command.envs(index.map(|index| ("JOB_COMPLETION_INDEX", index.to_string())));
        Ran::from(command.output().unwrap())
    };
    let job = manifest("rehearse.yaml");
    let completions = job["spec"]["completions"].as_u64().unwrap();
    let parts = &job["spec"]["template"]["spec"]["containers"][0]["env"][0];
    assert_eq!(
        (parts["name"].as_str(), parts["value"].as_str()),
        (Some("PARTS"), Some(completions.to_string().as_str()))
    );
    for index in 0..completions {
        let ran = sh(&script(&job), Some(index));
        assert_eq!(ran.code, Some(0), "{}", ran.all());
    }
    let merged = sh(&script(&manifest("merge.yaml")), None);
    assert_eq!(merged.code, Some(4), "{}", merged.all());
    assert!(merged.stdout.starts_with("14 databases: 8 of 14 the same: passed"), "{}", merged.stdout);
    let broken = sh(&script(&job).replace("**/*.db", "none/*.db"), Some(0));
    assert_ne!(broken.code, Some(0), "a part without a report");
}
