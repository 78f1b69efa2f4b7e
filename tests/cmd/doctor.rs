//! `rehearse doctor` as a person runs it.

use serde_json::Value;

use super::support::{Project, Ran};

/// The app of `rehearse demo` with these files.
fn app(files: &[(&str, &str)]) -> Project {
    let project = Project::demo();
    for (name, text) in files {
        let path = project.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    project
}

fn document(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|error| panic!("{error}: {}", ran.all()))
}

/// The status of a check, and the codes of its findings.
fn check(project: &Project, name: &str) -> (String, Vec<String>) {
    let document = document(&project.run(&["doctor", "--format", "json"]));
    let check = document["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap();
    let codes =
        check["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap().to_owned());
    (check["status"].as_str().unwrap().to_owned(), codes.collect())
}

fn is(status: &str, codes: &[&str]) -> (String, Vec<String>) {
    (status.to_owned(), codes.iter().map(|code| (*code).to_owned()).collect())
}

#[test]
fn the_same_checks_are_told_with_and_without_a_snapshot() {
    let project = Project::demo();
    let names = |document: &Value| -> Vec<String> {
        let checks = document["checks"].as_array().unwrap().iter();
        checks.map(|check| check["name"].as_str().unwrap().to_owned()).collect()
    };
    let without = document(&project.run(&["doctor", "--format", "json"]));
    let with = document(&project.run(&["doctor", "--snapshot", "prod.db", "--format", "json"]));
    assert_eq!(names(&with), names(&without));
    assert_eq!((&without["snapshot"], &with["snapshot"]), (&Value::Null, &"prod.db".into()));
    let unchecked = |document: &Value| {
        document["checks"].as_array().unwrap().iter().filter(|check| check["status"] == "not-checked").count()
    };
    assert_eq!((unchecked(&without), unchecked(&with)), (3, 0));
    let text = project.run(&["doctor"]);
    assert_eq!(text.code, Some(0));
    for name in names(&with) {
        assert!(text.stdout.contains(&name), "{name}");
    }
}

#[test]
fn levels_limits_and_waivers_are_those_of_every_finding() {
    let project = app(&[("src/db.ts", "new Database('a.db').pragma('synchronous = OFF')")]);
    let run = |more: &[&str]| project.run(&[&["doctor"], more].concat()).code;
    assert_eq!((run(&[]), run(&["--fail-on", "warning"]), run(&["--fail-on", "never"])), (Some(0), Some(1), Some(0)));
    assert_eq!(run(&["--level", "SN922=error"]), Some(1));
    assert_eq!(check(&project, "synchronous"), is("warning", &["SN922"]));
    let allowed = "allow: [{rule: SN922, because: a cache}]\n";
    std::fs::write(project.path("rehearse.yaml"), allowed).unwrap();
    assert_eq!(check(&project, "synchronous"), is("ok", &["SN922"]));
    // A rehearsal cannot tell whether the waiver is of use.
    assert!(!project.run(&["--snapshot", "prod.db"]).stdout.contains("SN907"));
    std::fs::write(project.path("rehearse.yaml"), allowed.replace("because", "until: 2020-01-01, because")).unwrap();
    assert_eq!(check(&project, "synchronous"), is("warning", &["SN922", "SN909"]));
    std::fs::write(project.path("rehearse.yaml"), "rules: {SN922: note}\nfail_on: note\n").unwrap();
    assert_eq!((run(&[]), check(&project, "synchronous")), (Some(1), is("note", &["SN922"])));
}

#[test]
fn volumes_are_told_from_what_goes_with_the_container() {
    let docker = ("Dockerfile", "FROM node\nWORKDIR /app\nCOPY . .\n");
    let source = ("src/db.ts", "const db = new Database('data/app.db')");
    let compose = |rest: &str| format!("services:\n  app:\n    build: .\n{rest}volumes: {{data: }}\n");
    let volume = |to: &str| compose(&format!("    volumes: ['{to}']\n"));
    for (compose, status, codes) in [
        (volume("data:/app/data"), "ok", vec![]),
        (volume("./data:/app/data:rw"), "ok", vec![]),
        (volume("data:/app"), "ok", vec![]),
        (volume("data:/app/data/app.db"), "ok", vec![]),
        (volume("./app.db:/app/data/app.db"), "warning", vec!["SN914"]),
        (volume("data:/data"), "warning", vec!["SN914"]),
        (volume("data:/app/dat"), "warning", vec!["SN914"]),
        (volume("/app/data"), "warning", vec!["SN914"]),
        (compose("    tmpfs: /app/data\n"), "warning", vec!["SN914"]),
        (compose("    environment: {DB: 'sqlite:/data/x.db'}\n    volumes: ['data:/data']\n"), "ok", vec![]),
        (
            compose(
                "    environment: {CACHE_DB: /tmp/c.db, DATABASE_URL: 'file:/data/x.db'}\n    volumes: ['data:/data']\n",
            ),
            "ok",
            vec![],
        ),
        (compose("    environment: {DB: '${DB:-/data/x.db}'}\n    volumes: ['data:/data']\n"), "ok", vec![]),
        (compose("    environment: {DB: '${DB}'}\n    volumes: ['data:/app/data']\n"), "not-found", vec![]),
        (compose("    environment: [DATABASE_PATH]\n    volumes: ['data:/data']\n"), "not-found", vec![]),
        (compose("    environment: {DATABASE_PATH: }\n    volumes: ['data:/data']\n"), "not-found", vec![]),
        (compose("    extends: {file: common.yml, service: app}\n"), "not-found", vec![]),
        ("services: {app: {image: elsewhere/app}}\n".to_owned(), "not-found", vec![]),
        ("services: {app: {image: elsewhere/app, environment: [DB=x.db]}}\n".to_owned(), "not-found", vec![]),
    ] {
        let project = app(&[docker, source, ("compose.yaml", &compose)]);
        assert_eq!(check(&project, "volume"), is(status, &codes), "{compose}");
    }
    let fly = |to: &str| format!("app = 'x'\n[mounts]\nsource = 'data'\ndestination = '{to}'\n");
    for (to, status, codes) in [("/app/data", "ok", vec![]), ("/data", "warning", vec!["SN914"])] {
        assert_eq!(check(&app(&[docker, source, ("fly.toml", &fly(to))]), "volume"), is(status, &codes), "{to}");
    }
    // A default in the code is only that.
    let default = ("src/db.ts", "const db = new Database(process.env.DATABASE_PATH ?? 'data/app.db')");
    for (to, status) in [("/app/data", "ok"), ("/data", "not-found")] {
        assert_eq!(check(&app(&[docker, default, ("fly.toml", &fly(to))]), "volume"), is(status, &[]), "{to}");
        let compose = volume(&format!("data:{to}"));
        assert_eq!(check(&app(&[docker, default, ("compose.yaml", &compose)]), "volume"), is(status, &[]), "{to}");
    }
    // What fly.toml sets counts before the default in the code.
    let named = format!("{}[env]\nDATABASE_PATH = '/data/app.db'\n", fly("/data"));
    assert_eq!(check(&app(&[docker, source, ("fly.toml", &named)]), "volume"), is("ok", &[]));
    // Each is told with its own line.
    let named = format!("[env]\nDATABASE_PATH = '/data/app.db'\n{}", fly("/data"));
    let told = app(&[docker, source, ("fly.toml", &named)]).run(&["doctor"]).stdout;
    assert!(told.contains("(fly.toml:2)") && told.contains("a volume is mounted there (fly.toml:6)"), "{told}");
}

#[test]
fn nobody_is_told_to_mount_a_volume_over_the_app() {
    let docker = "FROM node\nWORKDIR /app\nCOPY . .\n";
    for (path, volume) in [("data/app.db", "- data:/app/data"), ("app.db", "- data:/data"), ("/app.db", "- data:/data")]
    {
        let compose = format!("services:\n  app:\n    build: .\n    environment:\n      DATABASE_URL: file:{path}\n");
        let project = app(&[("Dockerfile", docker), ("compose.yaml", &compose)]);
        let text = project.run(&["doctor"]).stdout;
        assert!(text.contains("warning[SN914]") && text.contains(volume), "{path}: {text}");
    }
}

#[test]
fn what_a_driver_sets_by_itself_is_told() {
    let text = |driver: &str| {
        let package = format!("{{\"dependencies\": {{\"drizzle-orm\": \"0.45.0\", \"{driver}\": \"1.0.0\"}}}}");
        app(&[("package.json", &package)]).run(&["doctor"]).stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let own = "no file sets it; better-sqlite3 by itself takes NORMAL in WAL mode, else FULL";
    assert!(text("better-sqlite3").contains(own), "{}", text("better-sqlite3"));
    let own = "no file sets it; SQLite by itself takes FULL";
    assert!(text("@libsql/client").contains(own), "{}", text("@libsql/client"));
}

#[test]
fn which_sqlite_a_driver_of_go_has_is_not_known() {
    let project = Project::empty();
    let modules =
        "module app\n\nrequire (\n\tgithub.com/mattn/go-sqlite3 v1.14.22\n\tgithub.com/pressly/goose/v3 v3.20.0\n)\n";
    std::fs::write(project.path("go.mod"), modules).unwrap();
    std::fs::create_dir(project.path("migrations")).unwrap();
    let migration = "-- +goose Up\nCREATE TABLE t (id INTEGER PRIMARY KEY) STRICT;\n";
    std::fs::write(project.path("migrations/00001_t.sql"), migration).unwrap();
    assert_eq!(check(&project, "sqlite-version"), is("not-found", &[]));
    let text = project.run(&["doctor"]).stdout;
    assert!(text.contains("which SQLite go-sqlite3 1.14.22 has is not known"), "{text}");
}

#[test]
fn a_database_in_the_build_is_found_by_its_bytes() {
    let project =
        app(&[("Dockerfile", "FROM node\nCOPY . .\n"), ("notes.db", "no database"), (".dockerignore", "prod.db\n")]);
    assert_eq!(check(&project, "database-in-image"), is("ok", &[]));
    std::fs::write(project.path(".dockerignore"), "# prod.db\n").unwrap();
    assert_eq!(check(&project, "database-in-image"), is("warning", &["SN919"]));
}

#[test]
fn a_build_that_may_move_the_migrations_is_no_finding() {
    let server = (
        "src/index.ts",
        "import { migrate } from 'drizzle-orm/better-sqlite3/migrator'\nmigrate(db, o)\napp.listen(1)\n",
    );
    let docker = |run: &str| {
        format!("FROM node AS build\nCOPY . /app\nRUN {run}\nFROM node\nCOPY --from=build /app/dist /app/dist\n")
    };
    for (run, status, codes) in
        [("npm run build", "warning", vec!["SN918"]), ("npm run build && cp -r drizzle dist/", "not-found", vec![])]
    {
        let project = app(&[server, ("Dockerfile", &docker(run))]);
        assert_eq!(check(&project, "migrations-in-image"), is(status, &codes), "{run}");
    }
}

#[test]
fn what_cannot_be_read_is_said_and_is_no_pass() {
    let bomb = format!("a: &a [x]\nservices: {}{}\n", "[".repeat(2000), "]".repeat(2000));
    for (name, text, checks) in [
        ("compose.yaml", "services: [\n", vec!["volume"]),
        ("compose.yaml", bomb.as_str(), vec!["volume"]),
        ("Dockerfile", "COPY a b\n", vec!["volume", "migrations-in-image", "database-in-image"]),
        ("fly.toml", "[mounts\n", vec!["volume"]),
    ] {
        let project = app(&[(name, text)]);
        let ran = project.run(&["doctor"]);
        assert_eq!(ran.code, Some(4), "{}", ran.all());
        assert!(ran.stdout.starts_with("incomplete"), "{}", ran.stdout);
        for check in checks {
            assert_eq!(self::check(&project, check).0, "unreadable", "{name}: {check}");
        }
    }
}

#[test]
fn files_are_read_within_the_repository_only() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret"), "services: {leaked: {}}\nsecret-token\n").unwrap();
    let project = Project::demo();
    std::fs::create_dir(project.path(".git")).unwrap();
    std::fs::create_dir(project.path("src")).unwrap();
    for name in ["compose.yaml", "Dockerfile", "src/index.ts", "backup.sh", ".env", ".dockerignore", "fly.toml"] {
        std::os::unix::fs::symlink(outside.path().join("secret"), project.path(name)).unwrap();
    }
    for more in [&["doctor", "-v"][..], &["doctor", "--format", "json"]] {
        let ran = project.run(more);
        assert_eq!(ran.code, Some(4), "{}", ran.all());
        assert!(!ran.all().contains("leaked") && !ran.all().contains("secret-token"), "{}", ran.all());
    }
}

#[test]
fn names_that_would_act_are_made_visible() {
    let name = "\u{1b}[2J::error::x";
    let compose = "services:\n  \"\\e[2J::error::x\":\n    build: .\n    environment: {DB: /data/a.db}\n";
    let project = app(&[("compose.yaml", compose), ("Dockerfile", "FROM node\n")]);
    let ran = project.run(&["doctor", "-v"]);
    assert!(
        ran.stdout.contains("SN914") && !ran.stdout.contains(name) && !ran.stdout.contains('\u{1b}'),
        "{}",
        ran.stdout
    );
}

#[test]
fn a_tool_whose_own_command_migrates_is_told() {
    let project = Project::empty();
    std::fs::write(project.path("alembic.ini"), "[alembic]\n").unwrap();
    std::fs::write(project.path("Dockerfile"), "FROM python\nCMD alembic upgrade head && uvicorn app:app\n").unwrap();
    project.database(
        "prod.db",
        "CREATE TABLE alembic_version (version_num VARCHAR(32)); INSERT INTO alembic_version VALUES ('a1');",
    );
    let ran = project.run(&["doctor", "--snapshot", "prod.db", "--format", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.all());
    let document = document(&ran);
    let status = |name: &str| {
        document["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap()["status"].clone()
    };
    assert_eq!(
        (status("ledger"), status("order"), status("start-up")),
        ("ok".into(), "not-checked".into(), "ok".into())
    );
    // Where nothing speaks for a tool, there is nothing to look at.
    assert_eq!(Project::empty().run(&["doctor"]).code, Some(2));
}

#[test]
fn the_ledger_and_the_order_are_those_of_the_plan() {
    let project = Project::demo();
    let names = |ran: &Ran| -> Vec<(String, String)> {
        let document = document(ran);
        let checks = document["checks"].as_array().unwrap().iter();
        checks
            .flat_map(|check| check["findings"].as_array().unwrap())
            .map(|finding| {
                (finding["code"].as_str().unwrap().to_owned(), finding["level"].as_str().unwrap().to_owned())
            })
            .collect()
    };
    project.database("prod.db", "DROP TABLE __drizzle_migrations");
    let ran = project.run(&["doctor", "--snapshot", "prod.db", "--format", "json"]);
    assert!(names(&ran).contains(&("SN915".to_owned(), "warning".to_owned())), "{}", ran.stdout);
}
