//! Snapshots as people have them: dumps, compressed files, standard input, commands. What is imported is compared with what SQLite
//! itself makes of the same text.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot make its files has failed")]

#[path = "cmd/support.rs"]
mod support;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use rehearse::error::Error;
use rehearse::observer::Silent;
use rehearse::schema::lexer::quote_identifier;
use rehearse::snapshot::{Extent, Reading, Snapshot, Source, Untouched, Workspace};
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags};
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use support::{Project, Ran};
use tempfile::TempDir;

const SHELL: &str = include_str!("fixtures/dumps/shell-3.40.sql");
const NEW_SHELL: &str = include_str!("fixtures/dumps/shell-3.50.sql");
const D1: &str = include_str!("fixtures/dumps/d1-export.sql");

// ---- helpers

/// A folder for what is given, and another for what is made of it.
struct Place {
    folder: TempDir,
    below: TempDir,
}

/// The objects of a database in order, and the rows of each table.
type Content = (Vec<Vec<Value>>, Vec<(String, Vec<Vec<Value>>)>);

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), below: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// What the database holds that is made of these bytes. The given file stays as it is, and nothing is left.
    fn content(&self, name: &str, bytes: impl AsRef<[u8]>) -> Result<Content, Error> {
        let path = self.write(name, &bytes);
        let content = {
            let workspace = Workspace::create(Some(self.below.path())).unwrap();
            open(&path, &workspace).map(|snapshot| {
                assert_eq!(snapshot.check_untouched(&Silent).unwrap(), Untouched::Yes);
                assert_eq!(snapshot.facts().path, path);
                assert_eq!(snapshot.facts().bytes, bytes.as_ref().len() as u64);
                content(&snapshot.connect().unwrap())
            })
        };
        assert_eq!(fs::read(&path).unwrap(), bytes.as_ref());
        assert_eq!(fs::read_dir(self.folder.path()).unwrap().count(), 1);
        assert_eq!(fs::read_dir(self.below.path()).unwrap().count(), 0);
        content
    }

    /// The error, its hints and its rule.
    fn refusal(&self, bytes: impl AsRef<[u8]>) -> String {
        let error = self.content("f", bytes).unwrap_err();
        assert_eq!(error.exit_code(), 4);
        let hints = error.hints().iter().map(|hint| format!("hint: {hint}"));
        let rule = error.code().map(|code| format!("rule: {code}"));
        let lines: Vec<_> = std::iter::once(error.to_string()).chain(hints).chain(rule).collect();
        lines.join("\n").replace(self.folder.path().to_str().unwrap(), "…")
    }
}

fn open(path: &Path, workspace: &Workspace) -> Result<Snapshot, Error> {
    let given = Source::from(path.to_path_buf()).fetch(workspace, Extent::BySize, &Silent)?;
    Snapshot::open(&given, workspace, Reading::InPlace, Extent::BySize, &Silent)
}

fn gzip(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes.as_ref()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    compress_to_vec(bytes.as_ref(), CompressionLevel::Fastest)
}

fn create(path: &Path) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = Connection::open_with_flags(path, flags).unwrap();
    connection.execute_batch("PRAGMA foreign_keys = off").unwrap();
    connection
}

/// What SQLite makes of a dump when it is given all of it.
fn by_sqlite(dump: &str) -> Content {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("db");
    create(&path).execute_batch(dump).unwrap();
    content(&create(&path))
}

fn content(database: &Connection) -> Content {
    let objects = rows(database, "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid");
    let names =
        rows(database, "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type <> 'view' ORDER BY name");
    let tables = names.into_iter().flatten().filter_map(|name| match name {
        Value::Text(name) if !["sqlite_schema", "sqlite_temp_schema"].contains(&name.as_str()) => Some(name),
        _ => None,
    });
    let rows_of = |name: String| {
        let all = rows(database, &format!("SELECT * FROM \"{}\"", name.replace('"', "\"\"")));
        (name, all)
    };
    (objects, tables.map(rows_of).collect())
}

fn rows(database: &Connection, sql: &str) -> Vec<Vec<Value>> {
    let mut statement = database.prepare(sql).unwrap();
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).unwrap();
    rows.map(|row| row.unwrap()).collect()
}

/// The places behind the statements of a dump.
fn ends_of_statements(dump: &str) -> Vec<usize> {
    rehearse::schema::splitter::split(dump).iter().map(|piece| piece.range.end + 1).collect()
}

// ---- dumps

#[test]
fn dumps_of_the_shell_and_of_d1() {
    let place = Place::new();
    for dump in [SHELL, NEW_SHELL, D1] {
        let imported = place.content("prod.sql", dump).unwrap();
        assert!(imported.1.iter().map(|(_, rows)| rows.len()).sum::<usize>() > 3);
        assert_eq!(imported, by_sqlite(dump));
    }
}

#[test]
fn what_the_new_shell_writes_with_unistr() {
    let (_, tables) = Place::new().content("prod.sql", NEW_SHELL).unwrap();
    let (_, users) = tables.iter().find(|(name, _)| name == "users").unwrap();
    assert_eq!(users[0][2], Value::Text("line 1\nline 2\ttab \\ \u{1b}[0m".into()));
}

#[test]
fn what_it_is_its_bytes_say_and_not_its_name() {
    let place = Place::new();
    let database = place.folder.path().join("x");
    create(&database).execute_batch(SHELL).unwrap();
    let bytes = fs::read(&database).unwrap();
    fs::remove_file(&database).unwrap();
    let wanted = by_sqlite(SHELL);
    let crlf = SHELL.replace('\n', "\r\n");
    let forms: [(&str, Vec<u8>); 11] = [
        ("prod.db", SHELL.into()),
        ("dump.gz", bytes.clone()),
        ("a.db", gzip(SHELL)),
        ("a.sql", gzip(&bytes)),
        ("a", zstd(SHELL)),
        ("a.gz", zstd(&bytes)),
        ("twice", gzip(zstd(SHELL))),
        ("members", [gzip(&SHELL[..500]), gzip(&SHELL[500..])].concat()),
        ("frames", [zstd(&SHELL[..500]), b"\x50\x2a\x4d\x18\x03\0\0\0abc".to_vec(), zstd(&SHELL[500..])].concat()),
        ("bom", format!("\u{feff}{SHELL}").into()),
        ("windows", crlf.into()),
    ];
    for (name, bytes) in forms {
        let found = place.content(name, bytes).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(found == wanted, "{name}");
        fs::remove_file(place.folder.path().join(name)).unwrap();
    }
}

#[test]
fn a_part_of_a_dump_is_refused_wherever_it_ends() {
    let place = Place::new();
    for dump in [SHELL, NEW_SHELL] {
        let ends = ends_of_statements(dump);
        for end in &ends[..ends.len() - 1] {
            for text in [&dump[..*end], &dump[..*end - 1], &dump[..*end - 3]] {
                let refusal = place.refusal(text);
                assert!(refusal.contains(": the dump is cut off: it ends "), "{end}: {refusal}");
                assert!(refusal.contains("line ") && refusal.ends_with("rule: SN904"), "{refusal}");
            }
        }
        assert!(place.content("f", &dump[..*ends.last().unwrap()]).is_ok());
    }
}

#[test]
fn a_part_of_what_is_compressed_is_refused() {
    let place = Place::new();
    for (name, packed) in [("gzip", gzip(SHELL)), ("zstd", zstd(SHELL))] {
        for end in [packed.len() - 1, packed.len() - 5, packed.len() / 2] {
            let refusal = place.refusal(&packed[..end]);
            assert!(refusal.contains(&format!("what {name} compressed is cut off")), "{refusal}");
        }
        let mut damaged = packed.clone();
        let last = damaged.len() - if name == "gzip" { 6 } else { 2 };
        damaged[last] ^= 1;
        let refusal = place.refusal(&damaged);
        assert!(refusal.contains(&format!("what {name} compressed is damaged")), "{refusal}");
    }
}

#[test]
fn errors_name_the_line() {
    let place = Place::new();
    let cases = [
        (
            "CREATE TABLE t (a NOT NULL);\n\n-- rows\nINSERT INTO t VALUES (NULL);",
            "line 4: NOT NULL constraint failed: t.a, in `INSERT INTO t`",
        ),
        (
            "BEGIN;\nCREATE TABLE t (a);\nCREATE TABLE t (b);\nCOMMIT;",
            "line 3: table t already exists, in `CREATE TABLE t`",
        ),
        (
            "CREATE TABLE t (a);\nINSERT INTO t VALUES ('\n\n\n'), (1, 2);",
            "line 2: all VALUES must have the same number of terms",
        ),
        ("CREATE TABLE t (a);\nINSERT INTO t VALUES (1 2);", "line 2: syntax error, in `INSERT INTO t`"),
        ("CREATE TABLE t (a);\n\n.read other.sql\n", "line 3: `.read` is a command of the `sqlite3` shell, not SQL"),
        ("BEGIN;\nCREATE TABLE t (a);\nROLLBACK; -- due to errors\n", "line 3: it takes back what it holds"),
        ("CREATE TABLE t (a);\nATTACH 'OUTSIDE' AS x;", "line 2: not authorized, in `ATTACH`"),
        ("CREATE TABLE t (a);\nVACUUM INTO 'OUTSIDE';", "line 2: authorization denied, in `VACUUM INTO`"),
        (
            "CREATE TABLE t (a);\nPRAGMA temp_store_directory = '/tmp';",
            "line 2: not authorized, in `PRAGMA temp_store_directory`",
        ),
        ("CREATE TABLE t (a);\nSELECT load_extension('x');", "line 2: not authorized"),
        ("CREATE VIRTUAL TABLE t USING nowhere(a);", "line 1: no such module: nowhere"),
        ("CREATE TABLE t (a);\nINSERT INTO t VALUES ('a\0b');", "a NUL byte on line 2, which no text of SQL has"),
        ("-- nothing\n\n", "it has no statement, only comments"),
        ("--\n-- MySQL dump 10.13\n--\nSELECT 1;", "it seems to be a dump of MySQL or MariaDB, not of SQLite"),
        (
            "-- mine\nCREATE TABLE `t` (`a` int) ENGINE=InnoDB;",
            "line 2: it seems to be a dump of MySQL or MariaDB, not of SQLite",
        ),
        ("SET statement_timeout = 0;", "line 1: it seems to be a dump of PostgreSQL, not of SQLite"),
        (
            "CREATE TABLE t (a);\nCOPY t FROM stdin;\n1\n\\.\n",
            "line 2: it seems to be a dump of PostgreSQL, not of SQLite",
        ),
    ];
    let folder = tempfile::tempdir().unwrap();
    let outside = folder.path().join("outside.db");
    for (dump, wanted) in cases {
        let dump = dump.replace("OUTSIDE", outside.to_str().unwrap());
        for bytes in [dump.as_bytes().to_vec(), gzip(&dump)] {
            let refusal = place.refusal(bytes);
            assert!(refusal.starts_with(&format!("opening the snapshot `…/f`: {wanted}")), "{refusal}");
        }
    }
    assert!(!outside.exists());
}

#[test]
fn what_recover_begins_with_is_taken() {
    let dump =
        "-- recovered\n.dbconfig defensive off\nBEGIN;\nCREATE TABLE t (a);\nINSERT INTO t VALUES (1);\nCOMMIT;\n";
    assert_eq!(Place::new().content("f", dump).unwrap(), by_sqlite(&dump.replace(".dbconfig defensive off", "")));
}

#[test]
fn what_is_neither_is_named() {
    let place = Place::new();
    let mut tar = vec![b'x'; 512];
    tar[257..262].copy_from_slice(b"ustar");
    let give = "hint: give a database or an SQL dump, as it is or compressed with gzip or zstd";
    let cases: [(Vec<u8>, String); 7] = [
        (tar.clone(), "it is a tar archive, not a database\nhint: unpack it and name the database".into()),
        (
            gzip(&tar),
            "what is compressed in it is a tar archive, not a database\nhint: unpack it and name the database".into(),
        ),
        (zstd(b"\xfd7zXZ\0"), format!("what is compressed in it is compressed with xz, not a database\n{give}")),
        (gzip(b""), format!("what is compressed in it is empty (0 bytes)\n{give}")),
        (gzip("hello\n"), format!("what is compressed in it is a text file, not a database\n{give}")),
        (gzip(b"SQLite"), format!("what is compressed in it is a text file, not a database\n{give}")),
        (
            b"\xff\xfeP\0R\0A\0".to_vec(),
            "it is text in UTF-16, not a database\n\
             hint: convert it with `iconv -f UTF-16 -t UTF-8`; PowerShell's `>` writes UTF-16"
                .into(),
        ),
    ];
    for (bytes, wanted) in cases {
        assert_eq!(place.refusal(bytes), format!("opening the snapshot `…/f`: {wanted}\nrule: SN904"));
    }
}

#[test]
fn nothing_of_a_row_is_in_an_error() {
    let place = Place::new();
    let table = "CREATE TABLE t (a UNIQUE, b INTEGER CHECK (b > 0)) STRICT;".replace(" UNIQUE", " TEXT UNIQUE");
    for statement in [
        "INSERT INTO t VALUES ('canary', 'canary')",
        "INSERT INTO t VALUES ('canary', 1), ('canary', 1)",
        "INSERT INTO t VALUES ('O\\'canary', 1)",
        "INSERT INTO t VALUES ('a' canary)",
        "INSERT INTO t VALUES (canary, 1)",
        "INSERT INTO t VALUES (\"canary\", -739100017)",
        "INSERT INTO t VALUES ('canary', 739100017, 1)",
        "INSERT INTO t VALUES (json_extract('{}', 'canary'), 1)",
        "INSERT INTO t VALUES (x'canary', 1)",
        "INSERT INTO t VALUES ('canary",
        "UPDATE t SET canary = 'canary'",
        "canary",
        "'canary'",
        "\"canary\" 739100017",
        "SELECT 'canary' FROM",
    ] {
        let refusal = place.refusal(format!("{table}\n{statement};"));
        assert!(refusal.contains("line 2"), "{refusal}");
        assert!(!refusal.contains("canary") && !refusal.contains("7391"), "{statement}: {refusal}");
    }
}

#[test]
fn text_that_is_not_utf8_keeps_its_bytes() {
    let dump = b"BEGIN;\nCREATE TABLE t (a TEXT, b);\nINSERT INTO t VALUES ('caf\xe9 ''x''', 'ok');\nCOMMIT;";
    let place = Place::new();
    let path = place.write("f", dump);
    let workspace = Workspace::create(Some(place.below.path())).unwrap();
    let found = rows(&open(&path, &workspace).unwrap().connect().unwrap(), "SELECT hex(a), typeof(a), b FROM t");
    let text = |text: &str| Value::Text(text.into());
    assert_eq!(found, [[text("636166E9202778 27".replace(' ', "").as_str()), text("text"), text("ok")]]);
    drop(workspace);
    let refusal = place.refusal(b"CREATE TABLE t (a);\nINSERT INTO \"caf\xe9\" VALUES (1);");
    assert!(refusal.contains("line 2: a name that is not UTF-8"), "{refusal}");
}

#[test]
fn a_statement_longer_than_what_is_read_at_once() {
    let values = (0..200_000).map(|number| format!("({number}, 'a;b\n')")).collect::<Vec<_>>().join(",");
    let long = "x".repeat(3 << 20);
    let dump = format!(
        "BEGIN;\nCREATE TABLE t (a, b);\nINSERT INTO t VALUES {values};\nINSERT INTO t VALUES (0, '{long}');\nCOMMIT;"
    );
    let (_, tables) = Place::new().content("f", dump).unwrap();
    assert_eq!(tables[0].1.len(), 200_001);
    assert_eq!(tables[0].1[200_000][1], Value::Text(long));
}

// ---- dumps of random databases

/// A dump as a person's own script would write it; text in one of the ways in which shells write it.
fn dumped(database: &Connection) -> String {
    let encoding: String = database.query_row("PRAGMA encoding", [], |row| row.get(0)).unwrap();
    let mut dump = format!("PRAGMA encoding = '{encoding}';\nPRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n");
    let objects = "SELECT type, name, sql, rootpage FROM sqlite_schema WHERE sql IS NOT NULL \
                   ORDER BY type <> 'table', name = 'sqlite_sequence', rowid";
    let mut unlocked = false;
    for object in rows(database, objects) {
        let [Value::Text(kind), Value::Text(name), Value::Text(sql), root] = object.as_slice() else { unreachable!() };
        let is_virtual = kind == "table" && *root == Value::Integer(0);
        match (name.as_str(), is_virtual) {
            ("sqlite_sequence", _) => dump += "DELETE FROM sqlite_sequence;\n",
            (statistics, _) if statistics.starts_with("sqlite_stat") => dump += "ANALYZE sqlite_schema;\n",
            (_, true) => {
                if !std::mem::replace(&mut unlocked, true) {
                    dump += "PRAGMA writable_schema=ON;\n";
                }
                let columns = "INSERT INTO sqlite_schema(type,name,tbl_name,rootpage,sql)";
                let _ = writeln!(dump, "{columns}VALUES('table',{0},{0},0,{1});", quoted(name), quoted(sql));
            }
            _ => {
                let _ = writeln!(dump, "{sql};");
            }
        }
        if kind == "table" && !is_virtual {
            let stored = format!("SELECT name FROM pragma_table_xinfo({}) WHERE hidden = 0", quoted(name));
            let names = rows(database, &stored).into_iter().flatten().filter_map(|value| match value {
                Value::Text(name) => Some(quote_identifier(&name)),
                _ => None,
            });
            let columns = names.collect::<Vec<_>>().join(",");
            for row in rows(database, &format!("SELECT {columns} FROM \"{name}\"")) {
                let values: Vec<_> = row.iter().map(literal).collect();
                let _ = writeln!(dump, "INSERT INTO \"{name}\" ({columns}) VALUES({});", values.join(","));
            }
        }
    }
    if unlocked {
        dump += "PRAGMA writable_schema=OFF;\n";
    }
    dump + "COMMIT;\n"
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".into(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) if number.is_infinite() => if *number > 0.0 { "9e999" } else { "-9e999" }.into(),
        Value::Real(number) => format!("{number:?}").replace("inf", "9e999"),
        Value::Blob(bytes) => bytes.iter().fold("X'".to_owned(), |text, byte| format!("{text}{byte:02x}")) + "'",
        Value::Text(text) if text.contains('\0') => {
            format!("unistr({})", quoted(&text.replace('\\', "\\\\").replace('\0', "\\u0000")))
        }
        Value::Text(text) if text.contains('\n') && text.len() % 2 == 0 && !text.contains('\\') => {
            format!("replace({},'\\n',char(10))", quoted(&text.replace('\n', "\\n")))
        }
        Value::Text(text) => quoted(text),
    }
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Integer),
        any::<f64>().prop_filter("SQLite stores NaN as NULL", |number| !number.is_nan()).prop_map(Value::Real),
        Just(Value::Real(f64::INFINITY)),
        "[ -~\n\r\t';\"\\\\é文🦀-]{0,12}".prop_map(Value::Text),
        "[a;'\u{0}]{1,4}".prop_map(Value::Text),
        prop::collection::vec(any::<u8>(), 0..9).prop_map(Value::Blob),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_dump_of_any_database_becomes_that_database(
        encoding in prop::sample::select(vec!["UTF-8", "UTF-16le", "UTF-16be"]),
        rows in prop::collection::vec((value(), value(), value()), 0..12),
        words in prop::collection::vec("[a-z ]{0,20}", 0..4),
        form in 0..3,
    ) {
        let place = Place::new();
        let path = place.below.path().join("db");
        let database = create(&path);
        database.execute_batch(&format!("PRAGMA encoding = '{encoding}';
            CREATE TABLE a (id INTEGER PRIMARY KEY AUTOINCREMENT, x, y TEXT, z REAL, n INTEGER AS (length(x)) STORED, t AS (typeof(x)));
            CREATE TABLE b (x, y, k INTEGER, PRIMARY KEY (k)) WITHOUT ROWID;
            CREATE TABLE \"odd ; name\" (\"a\"\"b\" BLOB REFERENCES a (id) ON DELETE CASCADE);
            CREATE VIRTUAL TABLE words USING fts5(body);
            CREATE VIEW v AS SELECT x FROM a WHERE y <> \"\";
            CREATE INDEX a_y ON a (y) WHERE x IS NOT NULL;
            CREATE TRIGGER a_b AFTER INSERT ON a BEGIN DELETE FROM b WHERE k = new.id; SELECT CASE 1 WHEN 1 THEN 2 END; END;"))
            .unwrap();
        for (index, (x, y, z)) in rows.iter().enumerate() {
            database.execute("INSERT INTO a (x, y, z) VALUES (?1, ?2, ?3)", (x, y, z)).unwrap();
            database.execute("INSERT INTO b VALUES (?1, ?2, ?3)", (z, x, i64::try_from(index).unwrap())).unwrap();
            database.execute("INSERT INTO \"odd ; name\" VALUES (?1)", [y]).unwrap();
        }
        for words in &words {
            database.execute("INSERT INTO words VALUES (?1)", [words]).unwrap();
        }
        database.execute_batch("ANALYZE; DELETE FROM a WHERE id = 2;").unwrap();
        let dump = dumped(&database);
        let wanted = content(&database);
        database.close().unwrap();
        fs::remove_file(&path).unwrap();
        let bytes = match form { 0 => dump.clone().into_bytes(), 1 => gzip(&dump), _ => zstd(&dump) };
        let (mut objects, mut tables) = place.content("f", bytes).unwrap();
        let (mut wanted_objects, mut wanted_tables) = wanted;
        let name = |object: &Vec<Value>| literal(&object[1]);
        objects.sort_by_key(name);
        wanted_objects.sort_by_key(name);
        prop_assert_eq!(objects, wanted_objects);
        // The order of statistics is that in which tables were looked at.
        for (name, rows) in tables.iter_mut().chain(&mut wanted_tables) {
            if name.starts_with("sqlite_stat") {
                rows.sort_by_key(|row| row.iter().map(literal).collect::<Vec<_>>());
            }
        }
        prop_assert_eq!(tables, wanted_tables, "{}", dump);
    }
}

// ---- the command

const MAIN: [&str; 4] = ["--migrations", "migrations", "--driver", "sqlite"];
const APP: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
    INSERT INTO users VALUES (1, 'a'), (2, NULL);";

/// A project whose snapshot is given as a dump, too.
fn project() -> Project {
    let project = Project::new(APP).migration("1.sql", "DELETE FROM users WHERE email IS NULL;");
    fs::write(project.path("prod.sql"), format!("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n{APP}\nCOMMIT;\n"))
        .unwrap();
    fs::write(project.path("prod.sql.gz"), gzip(fs::read(project.path("prod.sql")).unwrap())).unwrap();
    project
}

fn with_input(project: &Project, arguments: &[&str], input: &str) -> Ran {
    let mut command = project.command(arguments);
    command.stdin(fs::File::open(project.path(input)).unwrap());
    let ran = Ran::from(command.output().unwrap());
    project.assert_nothing_left();
    ran
}

#[test]
fn a_rehearsal_from_a_compressed_dump() {
    let project = project();
    let run = |more: &[&str]| project.run(&[&MAIN, more].concat());
    let plain = run(&["--snapshot", "prod.db"]);
    let dump = run(&["--snapshot", "prod.sql.gz"]);
    assert_eq!((dump.code, dump.stderr.as_str()), (Some(0), ""), "{}", dump.all());
    let line = |ran: &Ran| ran.stdout.lines().next().unwrap().to_owned();
    assert_eq!(line(&dump), line(&plain));
    let document: serde_json::Value =
        serde_json::from_str(&run(&["--snapshot", "prod.sql.gz", "--format", "json"]).stdout).unwrap();
    let snapshot = &document["snapshot"];
    assert_eq!(snapshot["path"], "prod.sql.gz");
    assert_eq!(snapshot["source"], "dump");
    assert_eq!(snapshot["compression"], serde_json::json!(["gzip"]));
    assert_eq!(snapshot["bytes"], fs::metadata(project.path("prod.sql.gz")).unwrap().len());
    assert_eq!((&snapshot["untouched"], &snapshot["compared_by"]), (&true.into(), &"bytes".into()));
    let decisions = document["plan"]["decisions"].to_string();
    assert!(decisions.contains("which `.dump` leaves out, so every migration counts as pending"), "{decisions}");
}

#[test]
fn standard_input() {
    let project = project();
    for input in ["prod.db", "prod.sql", "prod.sql.gz"] {
        let ran = with_input(&project, &[&MAIN[..], &["--snapshot", "-", "--format", "json"]].concat(), input);
        let document: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(document["snapshot"]["path"], "standard input");
        assert_eq!(document["snapshot"]["channel"], "stdin");
        assert_eq!(document["snapshot"]["compared_by"], "nothing");
        assert_eq!(document["tables"][0]["rows"]["before"], 2, "{input}");
        assert_eq!(with_input(&project, &["diff", "-", "prod.db"], input).code, Some(0), "{input}");
        assert_eq!(with_input(&project, &["profile", "-"], input).code, Some(0), "{input}");
        assert_eq!(
            with_input(&project, &[&["plan", "--snapshot", "-"], &MAIN[..]].concat(), input).code,
            Some(0),
            "{input}"
        );
    }
    with_input(&project, &["diff", "-", "-"], "prod.db").refused(
        2,
        "error: reading the arguments: standard input can be one of the two only\nhint: name a file for the other one\n",
    );
    let aged = with_input(&project, &[&MAIN[..], &["--snapshot", "-", "--max-snapshot-age", "1h"]].concat(), "prod.db");
    assert!(aged.stdout.contains("SN903"), "{}", aged.all());
    fs::write(project.path("empty"), "").unwrap();
    let empty = with_input(&project, &["profile", "-"], "empty");
    assert!(empty.stderr.contains("opening the snapshot `standard input`: it is empty (0 bytes)"), "{}", empty.stderr);
    assert_eq!(empty.code, Some(4));
}

#[test]
fn a_command_that_gives_it() {
    let project = project();
    let run = |command: &str, more: &[&str]| project.run(&[&MAIN[..], &["--snapshot-command", command], more].concat());
    for command in
        ["cat prod.db", "cat prod.sql.gz", "echo a note >&2; cat prod.sql", "cat prod.sql; sleep 60 > /dev/null &"]
    {
        let ran = run(command, &["--max-snapshot-age", "1h"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{command}");
        assert!(ran.stdout.contains("snapshot command: 1 table with 2 rows"), "{}", ran.stdout);
    }
    let said = "error: running the snapshot command: it ended with exit code 7 and said\n  ssh: \\x1b[2J no route\n";
    run("printf 'ssh: \\033[2J no route\\n' >&2; exit 7", &[]).refused(4, said);
    for command in ["cat prod.sql; exit 3", "head -c 100 prod.sql; exit 3"] {
        let ran = run(command, &[]);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(4), ""));
        assert_eq!(ran.stderr, "error: running the snapshot command: it ended with exit code 3\n");
    }
    let nothing = run("true", &[]);
    assert!(
        nothing.stderr.contains("opening the snapshot `snapshot command`: it is empty (0 bytes)"),
        "{}",
        nothing.stderr
    );
    let endless = "echo 'CREATE TABLE t (a);\nINSERT INTO t VALUES (wrong);'; yes 'INSERT INTO t VALUES (1);'";
    let wrong = run(endless, &[]);
    assert!(wrong.stderr.contains("line 2: no such column, in `INSERT INTO t`"), "{}", wrong.stderr);
    assert_eq!(run("cat prod.db", &["--snapshot", "prod.db"]).code, Some(2));
}

#[test]
fn an_interrupted_command_is_ended_with_all_that_it_started() {
    let project = project();
    let pids = project.path("pids");
    let command = format!("sleep 60 & echo $! $$ > {}; head -c 60 prod.sql; wait", pids.display());
    let mut child = project
        .command(&[&MAIN[..], &["--snapshot-command", &command]].concat())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let until = |done: &dyn Fn() -> bool| {
        while !done() {
            assert!(begun.elapsed() < Duration::from_secs(30), "it takes too long");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    until(&|| fs::read_to_string(&pids).is_ok_and(|pids| pids.ends_with('\n')));
    assert_eq!(fs::read_dir(project.temporary()).unwrap().count(), 1);
    let interrupt = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(interrupt.success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
    project.assert_nothing_left();
    for pid in fs::read_to_string(&pids).unwrap().split_whitespace() {
        let is_gone = || {
            let state = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            state.is_empty() || state.contains(") Z ")
        };
        until(&is_gone);
    }
}
