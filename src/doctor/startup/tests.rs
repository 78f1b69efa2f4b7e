use std::path::Path;

use super::{Places, Startup, Step};
use crate::doctor::deployment::Deployment;
use crate::doctor::sources::Sources;

/// What is found in a project with these files: `before main.go:3 main.go:4`.
fn found(files: &[(&str, &str)]) -> String {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let places = Places::of(folder.path());
    let deployment = Deployment::find(&places, &Sources::scan(folder.path()));
    let at = |step: &Step| {
        let file = step.at.file.strip_prefix(folder.path()).unwrap_or(Path::new("?"));
        format!("{}:{}", file.display(), step.at.line)
    };
    match Startup::find(&places, &deployment) {
        Startup::Before { migrates, starts } => format!("before {} {}", at(&migrates), at(&starts)),
        Startup::After { migrates, listens } => format!("after {} {}", at(&migrates), at(&listens)),
        Startup::Unawaited { migrates, listens } => format!("unawaited {} {}", at(&migrates), at(&listens)),
        Startup::Unknown { migrates, .. } => format!("unknown {}", at(&migrates)),
        Startup::Unread { runs } => format!("unread {}", at(&runs)),
        Startup::NotFound { .. } => "not found".to_owned(),
    }
}

/// With the migrator of this driver imported as `migrate`.
fn index(driver: &str, code: &str) -> String {
    let text = format!("import {{ migrate }} from 'drizzle-orm/{driver}/migrator'\n{code}");
    found(&[("src/index.ts", &text)])
}

#[test]
fn the_order_in_one_file() {
    for (driver, code, expected) in [
        ("better-sqlite3", "migrate(db, o)\napp.listen(1)", "before src/index.ts:2 src/index.ts:3"),
        ("better-sqlite3", "app.listen(1)\nmigrate(db, o)", "after src/index.ts:3 src/index.ts:2"),
        ("better-sqlite3", "app.listen(1, () => {\nmigrate(db, o) })", "after src/index.ts:3 src/index.ts:2"),
        ("better-sqlite3", "// migrate(db)\nconst s = 'migrate(db)'\napp.listen(1)", "not found"),
        ("better-sqlite3", "app.post('/migrate', () => migrate(db))\napp.listen(1)", "unknown src/index.ts:2"),
        ("better-sqlite3", "if (x) {\nmigrate(db) }\nBun.serve({ fetch: f })", "before src/index.ts:3 src/index.ts:4"),
        (
            "better-sqlite3",
            "migrate(db)\nexport default { port: 1, fetch: app.fetch }",
            "before src/index.ts:2 src/index.ts:3",
        ),
        ("better-sqlite3", "migrate(db)", "unknown src/index.ts:2"),
        (
            "better-sqlite3",
            "async function start() { migrate(db) }\nstart()\napp.listen(1)",
            "before src/index.ts:2 src/index.ts:4",
        ),
        (
            "better-sqlite3",
            "async function start() { await x(); migrate(db) }\nstart()\napp.listen(1)",
            "unawaited src/index.ts:2 src/index.ts:4",
        ),
        ("better-sqlite3", "function never() { migrate(db) }\napp.listen(1)", "not found"),
        ("libsql", "await migrate(db, o)\napp.listen(1)", "before src/index.ts:2 src/index.ts:3"),
        ("libsql", "migrate(db, o)\napp.listen(1)", "unawaited src/index.ts:2 src/index.ts:3"),
        ("libsql", "migrate(db, o).then(() => {\napp.listen(1) })", "before src/index.ts:2 src/index.ts:3"),
        (
            "libsql",
            "const main = async () => {\nawait migrate(db)\napp.listen(1) }\nmain()",
            "before src/index.ts:3 src/index.ts:4",
        ),
        ("libsql", "(async () => {\nawait migrate(db) })()\napp.listen(1)", "unawaited src/index.ts:3 src/index.ts:4"),
        ("libsql", "(async () => {\nawait migrate(db)\napp.listen(1) })()", "before src/index.ts:3 src/index.ts:4"),
        (
            "libsql",
            "class Server { async start() {\nawait this.prepare()\napp.listen(1) }\nasync prepare() { await migrate(db) } }\nfunction f() { start() }",
            "not found",
        ),
        ("libsql", "await Promise.all([migrate(db), warm()])\napp.listen(1)", "before src/index.ts:2 src/index.ts:3"),
        ("libsql", "Promise.all([migrate(db), warm()])\napp.listen(1)", "unawaited src/index.ts:2 src/index.ts:3"),
        (
            "libsql",
            "await Promise.all([1].map(() => { migrate(db) }))\napp.listen(1)",
            "unawaited src/index.ts:2 src/index.ts:3",
        ),
        ("libsql", "execSync('npx prisma migrate deploy')\napp.listen(1)", "before src/index.ts:2 src/index.ts:3"),
    ] {
        assert_eq!(index(driver, code), expected, "{driver}: {code}");
    }
}

#[test]
fn local_imports_are_followed_and_run_first() {
    let db = "import { migrate as apply } from 'drizzle-orm/better-sqlite3/migrator'\nexport const prepare = () => {\napply(db) }\n";
    let top = "import { migrate } from 'drizzle-orm/better-sqlite3/migrator'\nmigrate(db)\n";
    for (files, expected) in [
        (
            vec![("src/index.ts", "app.listen(1)\nimport './db.js'"), ("src/db.ts", top)],
            "before src/db.ts:2 src/index.ts:1",
        ),
        (
            vec![("src/index.ts", "import('./db.js')\napp.listen(1)"), ("src/db.ts", top)],
            "unawaited src/db.ts:2 src/index.ts:2",
        ),
        (
            vec![("src/index.ts", "await import('./db.js')\napp.listen(1)"), ("src/db.ts", top)],
            "before src/db.ts:2 src/index.ts:2",
        ),
        (
            vec![("src/index.ts", "import { prepare } from '@/db'\nprepare()\napp.listen(1)"), ("src/db.ts", db)],
            "before src/db.ts:3 src/index.ts:3",
        ),
        (
            vec![
                ("src/index.ts", "import * as all from './all'\napp.listen(1)\nall.prepare()"),
                ("src/all/index.ts", "export * from '../db'"),
                ("src/db.ts", db),
            ],
            "after src/db.ts:3 src/index.ts:2",
        ),
        (
            vec![("index.js", "const { prepare } = require('./db')\nrequire('./run')\napp.listen(1)"), ("run.js", top)],
            "before run.js:2 index.js:3",
        ),
        (
            vec![(
                "server.js",
                "const { migrate: up } = await import('drizzle-orm/libsql/migrator')\nawait up(db)\napp.listen(1)",
            )],
            "before server.js:2 server.js:3",
        ),
        (
            vec![
                ("server.js", "const db = require('./db')\ndb.prepare()\napp.listen(1)"),
                (
                    "db.js",
                    "const { migrate } = require('drizzle-orm/better-sqlite3/migrator')\nexports.x = 1\nfunction prepare() { migrate(db) }",
                ),
            ],
            "before db.js:3 server.js:3",
        ),
        (
            vec![
                ("package.json", "{\"scripts\": {\"start\": \"node .output/server/index.mjs\"}}"),
                (
                    "server/plugins/db.ts",
                    "import { prepare } from '../db'\nexport default defineNitroPlugin(() => { prepare() })",
                ),
                ("server/db.ts", db),
            ],
            "unknown server/db.ts:3",
        ),
        (vec![("src/lib/db.ts", top)], "unknown src/lib/db.ts:2"),
        // A circle ends.
        (
            vec![
                ("src/index.ts", "import './a'\napp.listen(1)"),
                ("src/a.ts", "import './b'\nimport './index'"),
                ("src/b.ts", "import './a'"),
            ],
            "not found",
        ),
        (
            vec![
                (
                    "src/hooks.server.ts",
                    "import { prepare } from '$lib/db'\nexport const init = async () => { prepare() }",
                ),
                ("src/lib/db.ts", db),
            ],
            "unknown src/lib/db.ts:3",
        ),
    ] {
        assert_eq!(found(&files), expected, "{files:?}");
    }
}

#[test]
fn commands_are_followed_to_what_they_run() {
    let migrate = ("migrate.js", "import { migrate } from 'drizzle-orm/libsql/migrator'\nmigrate(db)\n");
    let server = ("server.js", "app.listen(1)\n");
    let scripts = |lines: &str| format!("{{\n\"scripts\": {{\n{lines}\n}}\n}}");
    let docker = |cmd: &str| format!("FROM node\nWORKDIR /app\n{cmd}\n");
    for (files, expected) in [
        (vec![("package.json", scripts("\"start\": \"node migrate.js && node server.js\""))], "before migrate.js:2 server.js:1"),
        (vec![("package.json", scripts("\"prestart\": \"npx drizzle-kit migrate\",\n\"start\": \"next start\""))], "before package.json:3 package.json:4"),
        (vec![("package.json", scripts("\"start\": \"next start\",\n\"db\": \"npx drizzle-kit migrate\""))], "not found"),
        (vec![("Dockerfile", docker("CMD npx prisma migrate deploy && node server.js"))], "before Dockerfile:3 server.js:1"),
        (vec![("Dockerfile", docker("CMD [\"node\", \"/app/server.js\"]"))], "not found"),
        (
            vec![
                ("Dockerfile", docker("ENTRYPOINT [\"/app/entrypoint.sh\"]\nCMD [\"node\", \"server.js\"]")),
                ("entrypoint.sh", "#!/bin/sh\nset -e\n# comment\nnpx drizzle-kit \\\n  migrate\nexec \"$@\"\n".to_owned()),
            ],
            "before entrypoint.sh:4 server.js:1",
        ),
        (
            vec![("compose.yaml", "services:\n  app:\n    build: .\n    depends_on:\n      migrate: {condition: service_completed_successfully}\n  migrate:\n    image: x\n    command: alembic upgrade head\n".to_owned())],
            "before compose.yaml:8 compose.yaml:2",
        ),
        (
            vec![("compose.yaml", "services:\n  app:\n    build: .\n    depends_on: [migrate]\n  migrate:\n    command: alembic upgrade head\n".to_owned())],
            "unknown compose.yaml:6",
        ),
        (vec![("Procfile", "web: bin/rails db:migrate && bin/rails server\n".to_owned())], "before Procfile:1 Procfile:1"),
        (
            vec![("Procfile", "web: sh run.sh\n".to_owned()), ("run.sh", "npx drizzle-kit migrate &\nnode server.js\n".to_owned())],
            "unawaited run.sh:1 server.js:1",
        ),
        (
            vec![("Procfile", "web: sh run.sh\n".to_owned()), ("run.sh", "node server.js &\nnpx drizzle-kit migrate\nwait\n".to_owned())],
            "after run.sh:2 server.js:1",
        ),
        // A script that calls itself ends.
        (vec![("package.json", scripts("\"start\": \"npm start\""))], "not found"),
    ] {
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).chain([migrate, server]).collect();
        assert_eq!(found(&files), expected, "{files:?}");
    }
}

#[test]
fn a_script_is_known_by_its_first_line_and_found_where_the_image_has_it() {
    let start = ("package.json", "{\"scripts\": {\n\"start\": \"npx drizzle-kit migrate && node server.js\"}}");
    let server = ("server.js", "app.listen(1)\n");
    let docker = |lines: &str| format!("FROM node\nWORKDIR /app\nCOPY . .\n{lines}\nCMD [\"node\", \"server.js\"]\n");
    let migrates = "#!/bin/sh\nset -e\nnpx drizzle-kit migrate\nexec \"$@\"\n";
    for (dockerfile, script, expected) in [
        ("ENTRYPOINT [\"bin/entry\"]", Some(("bin/entry", migrates)), "before bin/entry:3 server.js:1"),
        ("ENTRYPOINT [\"/app/bin/entry\"]", Some(("bin/entry", migrates)), "before bin/entry:3 server.js:1"),
        (
            "COPY docker/entry.sh /entry.sh\nENTRYPOINT [\"/entry.sh\"]",
            Some(("docker/entry.sh", migrates)),
            "before docker/entry.sh:3 server.js:1",
        ),
        (
            "COPY docker/entry /usr/local/bin/\nENTRYPOINT [\"tini\", \"--\", \"entry\"]",
            Some(("docker/entry", migrates)),
            "before docker/entry:3 server.js:1",
        ),
        (
            "COPY <<EOF /entry\n#!/bin/sh\nnpx drizzle-kit migrate\nEOF\nENTRYPOINT [\"/entry\"]",
            None,
            "before Dockerfile:6 server.js:1",
        ),
        (
            "RUN cat <<'EOF' > /entry && chmod +x /entry\n#!/bin/sh\nnpx drizzle-kit migrate\nEOF\nENTRYPOINT [\"/entry\"]",
            None,
            "before Dockerfile:6 server.js:1",
        ),
        ("ENTRYPOINT [\"bin/entry\"]", Some(("bin/entry", "#!/usr/bin/env bash\nexec \"$@\"\n")), "not found"),
        (
            "ENTRYPOINT [\"bin/entry\"]",
            Some((
                "bin/entry",
                "#!/usr/bin/env node\nimport { migrate } from 'drizzle-orm/better-sqlite3/migrator'\nmigrate(db)\n",
            )),
            "before bin/entry:3 server.js:1",
        ),
        ("ENTRYPOINT [\"/srv/entry\"]", None, "unread Dockerfile:5"),
        ("ENTRYPOINT [\"bin/entry\"]", Some(("bin/entry", "\u{7f}ELF\0")), "unread Dockerfile:5"),
        ("", None, "not found"),
    ] {
        let text = docker(dockerfile);
        let files: Vec<(&str, &str)> = [("Dockerfile", &*text), start, server].into_iter().chain(script).collect();
        assert_eq!(found(&files), expected, "{dockerfile} {script:?}");
    }
}

#[test]
fn processes_of_fly_run_in_the_place_of_the_command() {
    let docker = ("Dockerfile", "FROM node\nWORKDIR /app\nCOPY . .\nCMD npx drizzle-kit migrate && node server.js\n");
    let server = ("server.js", "app.listen(1)\n");
    for (fly, expected) in [
        ("", "before Dockerfile:4 server.js:1"),
        ("[processes]\n  app = \"node server.js\"\n", "not found"),
        (
            "[processes]\n  app = \"sh -c 'npx prisma migrate deploy && node server.js'\"\n",
            "before fly.toml:2 server.js:1",
        ),
    ] {
        assert_eq!(found(&[docker, server, ("fly.toml", fly)]), expected, "{fly}");
    }
}

#[test]
fn go_and_rust_begin_in_main() {
    let go = "package main\nimport (\n\"net/http\"\n\"github.com/pressly/goose/v3\"\n)\n";
    for (code, expected) in [
        (
            "func main() {\nprepare()\nhttp.ListenAndServe(a, b) }\nfunc prepare() { goose.Up(db, d) }",
            "before main.go:9 main.go:8",
        ),
        ("func main() {\nhttp.ListenAndServe(a, b)\ngoose.Up(db, d) }", "after main.go:8 main.go:7"),
        ("func main() {\ngo goose.Up(db, d)\nhttp.ListenAndServe(a, b) }", "unawaited main.go:7 main.go:8"),
        (
            "func main() {\ngo func() { goose.Up(db, d) }()\nhttp.ListenAndServe(a, b) }",
            "unawaited main.go:7 main.go:8",
        ),
        (
            "func up() {\ngoose.Up(db, d) }\nfunc main() { go up()\nhttp.ListenAndServe(a, b) }",
            "unawaited main.go:7 main.go:9",
        ),
        ("func main() {\ngo http.ListenAndServe(a, b)\ngoose.Up(db, d) }", "after main.go:8 main.go:7"),
        ("func other() { goose.Up(db, d) }\nfunc main() { http.ListenAndServe(a, b) }", "not found"),
    ] {
        assert_eq!(found(&[("main.go", &format!("{go}{code}"))]), expected, "{code}");
    }
    let main =
        "mod db;\n#[tokio::main]\nasync fn main() {\n    db::prepare().await;\n    axum::serve(l, app).await;\n}\n";
    let db = "pub async fn prepare() {\n    sqlx::migrate!(\"./migrations\").run(&pool).await\n}\n";
    assert_eq!(found(&[("src/main.rs", main), ("src/db.rs", db)]), "before src/db.rs:2 src/main.rs:5");
    let split = [
        ("go.mod", "module example.com/shop\n"),
        (
            "cmd/shop/main.go",
            "package main\nimport \"example.com/shop/internal/db\"\nfunc main() {\ndb.Prepare()\nhttp.ListenAndServe(a, b) }",
        ),
        ("internal/db/db.go", "package db\nimport \"github.com/pressly/goose/v3\"\nfunc Prepare() { goose.Up(d, m) }"),
    ];
    assert_eq!(found(&split), "before internal/db/db.go:3 cmd/shop/main.go:5");
}

#[test]
fn what_is_made_to_take_long_ends() {
    let many: Vec<String> = (0..20_000).map(|i| format!("function f{i}() {{ f{}() }}\n", i + 1)).collect();
    let many = many.concat();
    let nested = format!("{}x{}", "(() => {".repeat(20_000), "})()".repeat(20_000));
    let calls = "f(".repeat(100_000);
    for text in
        [format!("{many}f0()\napp.listen(1)"), nested, calls, "import {".repeat(2_000), "const a = ".repeat(50_000)]
    {
        found(&[("src/index.ts", &text)]);
    }
    let calls_itself = "sh start.sh\n".repeat(1_000);
    found(&[("Procfile", "web: sh start.sh\n"), ("start.sh", &calls_itself)]);
}
