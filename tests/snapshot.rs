//! The snapshot stage against real files: what is refused and in which words, what a running app leaves beside its database,
//! and that the snapshot is never touched.
//!
//! An app is this test binary run again as a child process: `REHEARSE_TEST_ROLE` says what it does.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "a child process answers its test")]

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use rehearse::error::Error;
use rehearse::observer::Silent;
use rehearse::snapshot::{
    Extent, Journal, JournalMode, Method, Reading, Snapshot, Source, Untouched, Wal, WorkingCopy, Workspace,
    check_keep_target, workspace,
};
use rehearse::sqlite_file::header::TextEncoding;
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

// ---- helpers

/// A folder with databases in it, and a workspace apart from it.
struct Place {
    folder: TempDir,
    workspace: Workspace,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), workspace: Workspace::create(None).unwrap() }
    }

    fn path(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.folder.path().join(name.as_ref())
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// A database in rollback mode with 100 rows.
    fn database(&self, name: impl AsRef<OsStr>) -> PathBuf {
        let path = self.path(name);
        create(&path).close().unwrap();
        path
    }

    fn open(&self, path: &Path) -> Result<Snapshot, Error> {
        open(path, &self.workspace)
    }

    /// The error of opening, its hints and its rule, with the folder written as `…`.
    fn refusal(&self, path: &Path) -> String {
        let error = self.open(path).unwrap_err();
        assert_eq!(error.exit_code(), 4);
        let hints = error.hints().iter().map(|hint| format!("hint: {hint}"));
        let rule = error.code().map(|code| format!("rule: {code}"));
        let lines: Vec<_> = std::iter::once(error.to_string()).chain(hints).chain(rule).collect();
        lines.join("\n").replace(self.folder.path().to_str().unwrap(), "…")
    }

    fn listing(&self) -> Vec<(String, Vec<u8>)> {
        listing(self.folder.path())
    }
}

fn open(path: &Path, workspace: &Workspace) -> Result<Snapshot, Error> {
    let given = Source::from(path.to_path_buf()).fetch(workspace, Extent::BySize, &Silent)?;
    Snapshot::open(&given, workspace, Reading::InPlace, Extent::BySize, &Silent)
}

fn listing(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().to_string_lossy().into_owned(), fs::read(entry.path()).unwrap_or_default()))
        .collect();
    files.sort();
    files
}

fn connect(path: &Path) -> Connection {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    connection
}

fn create(path: &Path) -> Connection {
    let connection = connect(path);
    connection
        .execute_batch(
            "PRAGMA user_version = 7; PRAGMA application_id = 99;
             CREATE TABLE t (id INTEGER PRIMARY KEY, filler TEXT);
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
             INSERT INTO t SELECT i, hex(zeroblob(500)) FROM n;",
        )
        .unwrap();
    connection
}

fn rows(snapshot: &Snapshot) -> i64 {
    snapshot.connect().unwrap().query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
}

/// `before` is one sound file.
fn assert_sound(snapshot: &Snapshot) {
    let verdict: String =
        snapshot.connect().unwrap().query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

/// Copies a database with its sidecars, as a person does who takes a snapshot with `cp`.
fn copy_files(from: &Path, to: &Path, suffixes: &[&str]) {
    for suffix in suffixes {
        let bytes = fs::read(format!("{}{suffix}", from.display())).unwrap();
        fs::write(format!("{}{suffix}", to.display()), bytes).unwrap();
    }
}

// ---- an app in another process

/// Another process with the database open. It does one thing per line that it is told, and answers.
struct App {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
}

impl App {
    fn start(database: &Path) -> Self {
        Self::start_as("app", database)
    }

    fn start_as(name: &str, database: &Path) -> Self {
        let mut child = role(name).env("REHEARSE_TEST_PATH", database).spawn().unwrap();
        let (to, from) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        let mut app = Self { child, to, from };
        app.await_line("ready");
        app
    }

    /// Runs SQL in the app and waits for its end.
    fn run(&mut self, sql: &str) {
        writeln!(self.to, "{sql}").unwrap();
        self.await_line("done");
    }

    fn await_line(&mut self, wanted: &str) {
        let mut line = String::new();
        // The test harness of the child prints lines of its own first.
        while !line.trim_end().ends_with(wanted) {
            line.clear();
            assert_ne!(self.from.read_line(&mut line).unwrap(), 0, "the app ended");
            assert!(!line.contains("failed"), "{line}");
        }
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn role(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["child_process", "--exact", "--nocapture", "--test-threads=1"]);
    command.env("REHEARSE_TEST_ROLE", name).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// What opening says in a process that is not root, which may read and write everything. `None` where root's other users may
/// not run this binary.
fn opened_without_privileges(path: &Path) -> Option<String> {
    let mut opener = role("opener");
    opener.env("REHEARSE_TEST_PATH", path);
    if rustix::process::geteuid().is_root() {
        opener.uid(65534);
    }
    Some(String::from_utf8(opener.output().ok()?.stdout).unwrap())
}

/// Not a test: what the children of the other tests do.
#[test]
fn child_process() {
    let path = || PathBuf::from(std::env::var_os("REHEARSE_TEST_PATH").unwrap());
    match std::env::var("REHEARSE_TEST_ROLE").as_deref() {
        Ok("app") => app(&path()),
        Ok("writer") => writer(&path()),
        Ok("workspace") => wait_in_a_workspace(&path()),
        Ok("opener") => match open(&path(), &Workspace::create(None).unwrap()) {
            Ok(_) => println!("opened"),
            Err(error) => println!("{error}"),
        },
        _ => {}
    }
}

fn app(path: &Path) {
    let connection = connect(path);
    println!("ready");
    for line in std::io::stdin().lines() {
        match connection.execute_batch(&line.unwrap()) {
            Ok(()) => println!("done"),
            Err(error) => println!("failed: {error}"),
        }
    }
}

/// Commits as fast as it can, and says how often it did when it is told to stop.
fn writer(path: &Path) {
    let connection = connect(path);
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let told = std::sync::Arc::clone(&stop);
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_line(&mut String::new());
        told.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    println!("ready");
    let mut commits = 0;
    loop {
        // The last commit begins after the word to stop: it may have waited all the time for a lock until then.
        let is_last = stop.load(std::sync::atomic::Ordering::Relaxed);
        connection.execute_batch("UPDATE t SET filler = filler || 'x' WHERE id = 1").unwrap();
        commits += 1;
        if is_last {
            break;
        }
    }
    println!("{commits} commits done");
}

fn wait_in_a_workspace(below: &Path) {
    workspace::remove_on_signal(|| ()).unwrap();
    let workspace = Workspace::create(Some(below)).unwrap();
    fs::write(workspace.file("before.db"), "production data").unwrap();
    println!("ready");
    let _ = std::io::stdin().read_line(&mut String::new());
}

// ---- what is refused

#[test]
fn a_missing_file() {
    let place = Place::new();
    place.database("prod.db");
    let text = place.refusal(&place.path("prud.db"));
    assert_eq!(text, "opening the snapshot `…/prud.db`: the file does not exist\nhint: did you mean `…/prod.db`?");
}

#[test]
fn a_pattern_where_one_file_is_wanted() {
    let place = Place::new();
    let text = place.refusal(&place.path("tenants/*.db"));
    let hint = "a pattern of several databases is taken by a rehearsal only: name one of them here";
    assert_eq!(text, format!("opening the snapshot `…/tenants/*.db`: the file does not exist\nhint: {hint}"));
}

#[test]
fn a_missing_folder() {
    let place = Place::new();
    let text = place.refusal(&place.path("no/prod.db"));
    assert_eq!(text, "opening the snapshot `…/no/prod.db`: the file does not exist\nhint: there is no folder `…/no`");
}

#[test]
fn a_missing_file_with_a_relative_path() {
    let place = Place::new();
    let here = std::env::current_dir().unwrap();
    let text = place.refusal(Path::new("zzzzzzzzzz.sqlite"));
    let hint = format!("hint: the path is relative to `{}`", here.display());
    assert_eq!(text, format!("opening the snapshot `zzzzzzzzzz.sqlite`: the file does not exist\n{hint}"));
}

#[test]
fn a_link_to_nothing() {
    let place = Place::new();
    symlink("gone.db", place.path("current.db")).unwrap();
    assert_eq!(
        place.refusal(&place.path("current.db")),
        "opening the snapshot `…/current.db`: the file does not exist\n\
         hint: it is a symbolic link to `gone.db`, which does not exist"
    );
}

#[test]
fn a_folder() {
    let place = Place::new();
    place.database("prod.db");
    place.write("notes.txt", "");
    let text = place.refusal(&place.path(""));
    assert_eq!(
        text,
        "opening the snapshot `…/`: it is a folder\nhint: name the database file, for example `…/prod.db`"
    );
}

#[test]
fn a_pipe() {
    let place = Place::new();
    let pipe = place.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(
        place.refusal(&pipe),
        "opening the snapshot `…/pipe`: it is a pipe, not a file\n\
         hint: give it as standard input: `rehearse --snapshot - < …/pipe`"
    );
}

#[test]
fn a_device() {
    let place = Place::new();
    assert_eq!(
        place.refusal(Path::new("/dev/null")),
        "opening the snapshot `/dev/null`: it is a device, not a file\n\
         hint: give it as standard input: `rehearse --snapshot - < /dev/null`"
    );
}

#[test]
fn no_permission() {
    let place = Place::new();
    let path = place.database("prod.db");
    fs::set_permissions(place.folder.path(), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
    let Some(output) = opened_without_privileges(&path) else { return };
    let wanted = format!("opening the snapshot `{}`: no permission to read it", path.display());
    assert!(output.contains(&wanted), "{output}");
}

#[test]
fn an_empty_file() {
    let place = Place::new();
    let path = place.write("prod.db", "");
    assert_eq!(
        place.refusal(&path),
        "opening the snapshot `…/prod.db`: it is empty (0 bytes)\n\
         hint: is this the file that the app writes to?\nrule: SN904"
    );
}

#[test]
fn files_that_are_taken_for_a_database_by_mistake() {
    let place = Place::new();
    let mut binary = vec![1_u8; 1000];
    binary[500] = 0;
    let cases: &[(&[u8], &str)] = &[
        (b"hello\n", "it is a text file, not a database"),
        (&binary, "it is not a SQLite database"),
        (b"PK\x03\x04..", "it is a zip archive, not a database\nhint: unpack it and name the database"),
        (
            b"\x37\x7f\x06\x82....",
            "it is a write-ahead log, not a database\n\
             hint: name the database, without `-wal`; the log is read when it lies beside it",
        ),
        (
            b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7....",
            "it is a rollback journal, not a database\nhint: name the database, without `-journal`",
        ),
        (
            b"version https://git-lfs.github.com/spec/v1\n",
            "it is a Git LFS pointer, not a database\nhint: run `git lfs pull`",
        ),
        (b"SQLite format 3\0....", "it is truncated: it ends after 20 bytes"),
    ];
    for (bytes, wanted) in cases {
        let path = place.write("f", bytes);
        assert_eq!(place.refusal(&path), format!("opening the snapshot `…/f`: {wanted}\nrule: SN904"));
    }
}

#[test]
fn an_encrypted_database() {
    let place = Place::new();
    let mut state = 88_172_645_463_325_252_u64;
    let random: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(8192)
    .collect();
    let path = place.write("prod.db", random);
    assert_eq!(
        place.refusal(&path),
        "opening the snapshot `…/prod.db`: it has no SQLite header and looks random: it may be encrypted (SQLCipher or the \
         like)\nhint: decrypt it first, for example with SQLCipher's `sqlcipher_export`\nrule: SN904"
    );
}

#[test]
fn a_truncated_database() {
    let place = Place::new();
    let bytes = fs::read(place.database("whole.db")).unwrap();
    let half = place.write("half.db", &bytes[..bytes.len() / 4096 / 2 * 4096]);
    let wanted = format!(
        "opening the snapshot `…/half.db`: it is truncated: {} bytes where its header says {}\n\
         hint: copy it again, with `sqlite3 …/half.db \".backup copy.db\"` where an app has it open\nrule: SN904",
        bytes.len() / 4096 / 2 * 4096,
        bytes.len()
    );
    assert_eq!(place.refusal(&half), wanted);
}

#[test]
fn half_a_page_at_the_end() {
    let place = Place::new();
    let mut bytes = fs::read(place.database("whole.db")).unwrap();
    bytes.extend([0; 100]);
    let path = place.write("odd.db", &bytes);
    let text = place.refusal(&path);
    assert!(text.contains(&format!("{} bytes are not a whole number of pages of 4096", bytes.len())), "{text}");
}

#[test]
fn a_bad_page_size() {
    let place = Place::new();
    let mut bytes = fs::read(place.database("whole.db")).unwrap();
    bytes[16..18].copy_from_slice(&[0x12, 0x34]);
    let path = place.write("bad.db", &bytes);
    assert_eq!(
        place.refusal(&path),
        "opening the snapshot `…/bad.db`: it is damaged: the header gives a page size of 4660, which SQLite does not have\n\
         hint: if it is encrypted with a readable header, decrypt it first\nrule: SN904"
    );
}

#[test]
fn a_damaged_schema() {
    let place = Place::new();
    let mut bytes = fs::read(place.database("whole.db")).unwrap();
    bytes[100..4096].fill(0xaa);
    let path = place.write("bad.db", &bytes);
    let text = place.refusal(&path);
    assert!(text.starts_with("opening the snapshot `…/bad.db`: it is damaged: "), "{text}");
    assert!(text.ends_with("hint: save what is left with `sqlite3 …/bad.db .recover`"), "{text}");
}

#[test]
fn damage_is_never_a_panic() {
    let place = Place::new();
    let whole = fs::read(place.database("whole.db")).unwrap();
    for at in (0..whole.len()).step_by(997).chain((0..110).step_by(3)) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0xff;
        let _ = place.open(&place.write("bad.db", &bytes)).map(|snapshot| snapshot.check_untouched(&Silent));
    }
}

#[test]
fn a_stale_page_count_is_legal() {
    let place = Place::new();
    let mut bytes = fs::read(place.database("whole.db")).unwrap();
    bytes[28..32].copy_from_slice(&9999_u32.to_be_bytes());
    bytes[92..96].copy_from_slice(&0_u32.to_be_bytes());
    let path = place.write("old.db", &bytes);
    assert_eq!(rows(&place.open(&path).unwrap()), 100);
}

#[test]
fn too_big_for_the_disk() {
    let place = Place::new();
    let path = place.database("prod.db");
    let mut app = App::start(&path);
    app.run("BEGIN IMMEDIATE");
    // Sparse: it takes no space, a copy would.
    fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(1 << 43).unwrap();
    let text = place.refusal(&path);
    assert!(text.contains("8.7 TiB are needed for a copy, "), "{text}");
    assert!(text.ends_with("hint: put the copy on another disk: `TMPDIR=/other/disk rehearse …`"), "{text}");
}

// ---- files that nobody has open

#[test]
fn facts_of_a_database() {
    let place = Place::new();
    let path = place.database("prod.db");
    let before = place.listing();
    let snapshot = place.open(&path).unwrap();
    let facts = snapshot.facts();
    assert_eq!(facts.path, path);
    assert_eq!(facts.bytes, fs::metadata(&path).unwrap().len());
    assert_eq!((facts.page_size, facts.pages), (4096, facts.bytes / 4096));
    assert_eq!((facts.user_version, facts.application_id, facts.schema_format), (7, 99, 4));
    assert_eq!((facts.journal_mode, facts.encoding), (JournalMode::Rollback, TextEncoding::Utf8));
    assert_eq!((facts.wal, &facts.journal, facts.in_use), (Wal::Absent, &Journal::Absent, false));
    assert_ne!(facts.method, Method::Backup);
    assert_eq!(facts.modified, fs::metadata(&path).unwrap().modified().ok());
    assert_eq!(rows(&snapshot), 100);
    assert_sound(&snapshot);
    assert_eq!(snapshot.check_untouched(&Silent).unwrap(), Untouched::Yes);
    assert_eq!(place.listing(), before);
}

#[test]
fn odd_names() {
    let place = Place::new();
    let names: &[&[u8]] = &[
        b"with space.db",
        b"100%25 ?mode=memory#x.db",
        "größe 数据.db".as_bytes(),
        b"not utf-8 \xff\xfe.db",
        b"-leading",
    ];
    for name in names {
        let path = place.database(OsStr::from_bytes(name));
        let mut app = App::start(&path);
        app.run("PRAGMA journal_mode = wal");
        app.run("DELETE FROM t WHERE id = 1");
        let live = place.open(&path).unwrap();
        assert_eq!((rows(&live), live.facts().method), (99, Method::Backup), "{}", path.display());
        drop(app);
        let dead = place.open(&path).unwrap();
        assert_eq!((rows(&dead), dead.facts().in_use), (99, false), "{}", path.display());
    }
}

#[test]
fn the_wal_beside_it_counts() {
    let place = Place::new();
    let app = create(&place.path("app.db"));
    app.execute_batch("PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 0; DELETE FROM t WHERE id > 60").unwrap();
    copy_files(&place.path("app.db"), &place.path("prod.db"), &["", "-wal"]);
    app.close().unwrap();
    let before = place.listing();

    let snapshot = place.open(&place.path("prod.db")).unwrap();
    assert_eq!(rows(&snapshot), 60);
    assert_sound(&snapshot);
    assert_eq!(snapshot.facts().journal_mode, JournalMode::Wal);
    assert!(matches!(snapshot.facts().wal, Wal::Bytes(bytes) if bytes > 0));
    assert_eq!(snapshot.check_untouched(&Silent).unwrap(), Untouched::Yes);
    assert_eq!(place.listing(), before);
}

#[test]
fn the_wal_of_another_database_is_told_before_anything_writes_it_into_this_one() {
    let place = Place::new();
    let path = place.database("prod.db");
    let app = connect(&place.path("app.db"));
    // A schema of several pages, of which the log has the first and the last.
    app.execute_batch("PRAGMA journal_mode = wal").unwrap();
    for number in 0..200 {
        app.execute_batch(&format!("CREATE TABLE a_long_name_of_a_table_{number} (a, b, c)")).unwrap();
    }
    app.execute_batch("PRAGMA wal_checkpoint(TRUNCATE); CREATE TABLE last (a)").unwrap();
    let log = format!("{}-wal", path.display());
    let hint = format!("where `{log}` belongs to another database, move it away before anything opens both");
    let refused = |cause: &str| {
        copy_files(&place.path("app.db"), &path, &["-wal"]);
        let error = place.open(&path).unwrap_err();
        assert!(error.to_string().contains(cause) && error.hints().first() == Some(&hint), "{error}");
        fs::remove_file(&log).unwrap();
    };
    refused("the write-ahead log gives the database");
    let more = "INSERT INTO t (filler) SELECT filler FROM t;".repeat(3);
    connect(&path).execute_batch(&more).unwrap();
    refused("it is damaged: ");
}

#[test]
fn pages_that_are_only_in_the_wal_are_not_missing() {
    let place = Place::new();
    let app = connect(&place.path("app.db"));
    app.execute_batch(
        "PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (id INTEGER PRIMARY KEY)",
    )
    .unwrap();
    copy_files(&place.path("app.db"), &place.path("prod.db"), &["", "-wal"]);
    let snapshot = place.open(&place.path("prod.db")).unwrap();
    assert_eq!((rows(&snapshot), snapshot.facts().pages), (0, 2));
    assert!(snapshot.facts().bytes < 2 * 4096);
}

#[test]
fn a_wal_mode_database_without_its_wal() {
    let place = Place::new();
    let path = place.database("prod.db");
    connect(&path).execute_batch("PRAGMA journal_mode = wal; DELETE FROM t WHERE id = 1").unwrap();
    let snapshot = place.open(&path).unwrap();
    assert_eq!((snapshot.facts().journal_mode, snapshot.facts().wal), (JournalMode::Wal, Wal::Absent));
    assert_eq!(rows(&snapshot), 99);
    assert_sound(&snapshot);
    fs::write(place.path("prod.db-wal"), "").unwrap();
    assert_eq!(place.open(&path).unwrap().facts().wal, Wal::Empty);
}

#[test]
fn a_hot_journal_is_rolled_back_in_the_copy_only() {
    let place = Place::new();
    let path = interrupted_transaction(&place);
    let before = place.listing();
    let snapshot = place.open(&path).unwrap();
    assert!(matches!(snapshot.facts().journal, Journal::Hot { bytes, super_journal: None } if bytes > 0));
    assert_eq!(rows(&snapshot), 100);
    assert_sound(&snapshot);
    assert_eq!(snapshot.check_untouched(&Silent).unwrap(), Untouched::Yes);
    assert_eq!(place.listing(), before);
}

/// An app is killed when half of a transaction is in the file.
fn interrupted_transaction(place: &Place) -> PathBuf {
    let path = place.database("prod.db");
    let mut app = App::start(&path);
    app.run("PRAGMA cache_size = 1; BEGIN; UPDATE t SET filler = hex(zeroblob(400)); DELETE FROM t WHERE id > 10");
    drop(app);
    assert!(place.path("prod.db-journal").exists());
    path
}

#[test]
fn a_database_that_was_copied_while_it_was_filled_for_the_first_time_is_empty() {
    let place = Place::new();
    let path = interrupted_transaction(&place);
    let mut journal = fs::read(place.path("prod.db-journal")).unwrap();
    // How many pages the database had.
    journal[16..20].fill(0);
    fs::write(place.path("prod.db-journal"), journal).unwrap();
    let text = place.refusal(&path);
    let cause = "it is empty once its journal is rolled back: it was copied while it was filled for the first time";
    assert!(
        text.starts_with(&format!("opening the snapshot `…/prod.db`: {cause}\nhint: copy it again, with ")),
        "{text}"
    );
}

#[test]
fn a_journal_with_an_erased_header_means_nothing() {
    let place = Place::new();
    let path = place.database("prod.db");
    connect(&path).execute_batch("PRAGMA journal_mode = persist; DELETE FROM t WHERE id = 1").unwrap();
    assert!(fs::metadata(place.path("prod.db-journal")).unwrap().len() > 0);
    let snapshot = place.open(&path).unwrap();
    assert_eq!((rows(&snapshot), &snapshot.facts().journal), (99, &Journal::Spent));
}

#[test]
fn a_super_journal_decides_whether_the_transaction_was_committed() {
    let place = Place::new();
    let path = place.database("prod.db");
    let mut app = App::start(&path);
    // Without syncing, the journal is complete at any time.
    app.run("PRAGMA synchronous = off; PRAGMA cache_size = 1; BEGIN; DELETE FROM t WHERE id > 10");
    let journal = fs::read(place.path("prod.db-journal")).unwrap();
    app.run("COMMIT");
    drop(app);
    let super_journal = place.path("main.db-mj0A1B2C9D3");
    let name = super_journal.as_os_str().as_bytes();
    let length = u32::try_from(name.len()).unwrap();
    let checksum: u32 = name.iter().map(|byte| u32::from(*byte)).sum();
    let trailer = [
        &0x4000_0001_u32.to_be_bytes(),
        name,
        &length.to_be_bytes(),
        &checksum.to_be_bytes(),
        b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7",
    ];
    place.write("prod.db-journal", [journal, trailer.concat()].concat());

    let committed = place.open(&path).unwrap();
    let Journal::Hot { super_journal: Some(found), .. } = &committed.facts().journal else { panic!() };
    assert_eq!((&found.path, found.exists), (&super_journal, false));
    assert_eq!(rows(&committed), 10);

    fs::write(&super_journal, "").unwrap();
    let before = place.listing();
    let present = place.open(&path).unwrap();
    assert_eq!(rows(&present), 100);
    assert_eq!(place.listing(), before);
}

#[test]
fn through_a_symbolic_link_the_sidecars_of_the_file_count() {
    let place = Place::new();
    fs::create_dir(place.path("data")).unwrap();
    let app = create(&place.path("app.db"));
    app.execute_batch("PRAGMA journal_mode = wal; DELETE FROM t WHERE id > 60").unwrap();
    copy_files(&place.path("app.db"), &place.path("data/real.db"), &["", "-wal"]);
    symlink("data/real.db", place.path("current.db")).unwrap();
    let snapshot = place.open(&place.path("current.db")).unwrap();
    assert_eq!((rows(&snapshot), snapshot.facts().path.clone()), (60, place.path("current.db")));
}

#[test]
fn a_folder_that_may_not_be_written() {
    let place = Place::new();
    let app = create(&place.path("app.db"));
    app.execute_batch("PRAGMA journal_mode = wal; DELETE FROM t WHERE id > 60").unwrap();
    let folder = place.path("read-only");
    fs::create_dir(&folder).unwrap();
    copy_files(&place.path("app.db"), &folder.join("prod.db"), &["", "-wal"]);
    for name in ["prod.db", "prod.db-wal"] {
        fs::set_permissions(folder.join(name), Permissions::from_mode(0o444)).unwrap();
    }
    fs::set_permissions(place.folder.path(), Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&folder, Permissions::from_mode(0o555)).unwrap();
    let output = opened_without_privileges(&folder.join("prod.db"));
    assert!(output.is_none_or(|output| output.contains("opened")));
    assert_eq!(listing(&folder).len(), 2);
    fs::set_permissions(&folder, Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn an_outside_change_is_seen_and_named() {
    let place = Place::new();
    let path = place.database("prod.db");
    let changed_by = |change: &dyn Fn()| {
        let snapshot = place.open(&path).unwrap();
        change();
        match snapshot.check_untouched(&Silent).unwrap() {
            Untouched::Yes => vec![],
            Untouched::ChangedByOthers(changes) => changes,
        }
    };
    let size = fs::metadata(&path).unwrap().len();
    assert_eq!(changed_by(&|| fs::write(place.path("prod.db-wal"), "").unwrap()), ["`prod.db-wal` appeared"]);
    assert_eq!(changed_by(&|| fs::remove_file(place.path("prod.db-wal")).unwrap()), ["`prod.db-wal` was removed"]);
    let grow = || {
        let mut bytes = fs::read(&path).unwrap();
        bytes.resize(bytes.len() + 4096, 0);
        fs::write(&path, bytes).unwrap();
    };
    assert_eq!(changed_by(&grow), [format!("`prod.db` grew from {size} to {} bytes", size + 4096)]);
    let shrink = || fs::OpenOptions::new().write(true).open(&path).unwrap().set_len(size).unwrap();
    assert_eq!(changed_by(&shrink), [format!("`prod.db` shrank from {} to {size} bytes", size + 4096)]);
    let overwrite = || {
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        let mut bytes = fs::read(&path).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&path, bytes).unwrap();
        fs::OpenOptions::new().write(true).open(&path).unwrap().set_modified(modified).unwrap();
    };
    assert_eq!(changed_by(&overwrite), ["`prod.db` has other content of the same size"]);
    let touch = || {
        let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    };
    assert_eq!(changed_by(&touch), ["`prod.db` was touched: same content, other modification time or inode"]);
}

// ---- files that an app has open

#[test]
fn an_app_in_wal_mode() {
    let place = Place::new();
    let path = place.database("prod.db");
    let mut app = App::start(&path);
    app.run("PRAGMA journal_mode = wal");
    app.run("DELETE FROM t WHERE id > 60");
    app.run("BEGIN IMMEDIATE; DELETE FROM t");
    let before = place.listing();
    let snapshot = place.open(&path).unwrap();
    assert_eq!((rows(&snapshot), snapshot.facts().in_use, snapshot.facts().method), (60, true, Method::Backup));
    assert_eq!((snapshot.facts().journal_mode, snapshot.facts().user_version), (JournalMode::Wal, 7));
    assert_sound(&snapshot);
    assert_eq!(snapshot.check_untouched(&Silent).unwrap(), Untouched::Yes);
    assert_eq!(place.listing(), before);
    app.run("COMMIT");
    let Untouched::ChangedByOthers(changes) = snapshot.check_untouched(&Silent).unwrap() else { panic!() };
    assert!(changes[0].starts_with("`prod.db-wal` "), "{changes:?}");
}

#[test]
fn an_app_in_rollback_mode_that_reads() {
    let place = Place::new();
    let path = place.database("prod.db");
    let mut app = App::start(&path);
    app.run("BEGIN; SELECT count(*) FROM t");
    let snapshot = place.open(&path).unwrap();
    assert_eq!((rows(&snapshot), snapshot.facts().in_use, snapshot.facts().method), (100, true, Method::Backup));
    assert_sound(&snapshot);
    assert_eq!(snapshot.check_untouched(&Silent).unwrap(), Untouched::Yes);
}

#[test]
fn an_app_in_rollback_mode_with_an_open_write_transaction() {
    let place = Place::new();
    let path = place.database("prod.db");
    let mut app = App::start(&path);
    app.run("BEGIN IMMEDIATE; DELETE FROM t WHERE id > 10");
    let before = place.listing();
    let snapshot = place.open(&path).unwrap();
    assert_eq!((rows(&snapshot), &snapshot.facts().journal), (100, &Journal::InTransaction));
    assert_eq!(snapshot.facts().method, Method::Backup);
    assert_sound(&snapshot);
    assert_eq!(place.listing(), before);
    app.run("COMMIT");
}

#[test]
fn an_app_in_rollback_mode_that_keeps_readers_out() {
    let place = Place::new();
    let path = place.database("prod.db");
    let mut app = App::start(&path);
    app.run("PRAGMA cache_size = 1; BEGIN; UPDATE t SET filler = hex(zeroblob(400)); DELETE FROM t WHERE id > 10");
    let before = place.listing();
    let snapshot = place.open(&path).unwrap();
    assert_eq!((rows(&snapshot), snapshot.facts().in_use), (100, true));
    assert_ne!(snapshot.facts().method, Method::Backup);
    assert_sound(&snapshot);
    assert_eq!(snapshot.check_untouched(&Silent).unwrap(), Untouched::Yes);
    assert_eq!(place.listing(), before);
    app.run("COMMIT");
}

#[test]
fn a_busy_app_goes_on_writing() {
    for mode in ["delete", "wal"] {
        let place = Place::new();
        let path = place.path("prod.db");
        let connection = create(&path);
        // Some steps of the backup long.
        connection.execute_batch("CREATE TABLE big AS SELECT zeroblob(16000000)").unwrap();
        connection.execute_batch(&format!("PRAGMA journal_mode = {mode}")).unwrap();
        connection.close().unwrap();
        let mut app = App::start_as("writer", &path);
        let snapshot = place.open(&path).unwrap();
        assert_sound(&snapshot);
        assert_eq!(rows(&snapshot), 100);
        writeln!(app.to, "stop").unwrap();
        app.await_line("commits done");
        let outcome = snapshot.check_untouched(&Silent).unwrap();
        assert!(matches!(outcome, Untouched::ChangedByOthers(_)), "{mode} {:?}", snapshot.facts());
    }
}

#[test]
fn an_app_with_exclusive_locking_in_wal_mode() {
    let place = Place::new();
    let path = place.database("prod.db");
    let mut app = App::start(&path);
    app.run("PRAGMA locking_mode = exclusive; PRAGMA journal_mode = wal; DELETE FROM t WHERE id > 60");
    let snapshot = place.open(&path).unwrap();
    assert_eq!((rows(&snapshot), snapshot.facts().in_use), (60, true));
    assert_sound(&snapshot);
    app.run("DELETE FROM t");
}

// ---- the workspace

#[test]
fn the_workspace_is_private_and_removed() {
    let workspace = Workspace::create(None).unwrap();
    let path = workspace.path().to_path_buf();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    fs::write(workspace.file("before.db"), "x").unwrap();
    drop(workspace);
    assert!(!path.exists());
}

#[test]
fn a_panic_removes_the_workspace() {
    let below = tempfile::tempdir().unwrap();
    let path = below.path().to_path_buf();
    let result = std::thread::spawn(move || {
        let _workspace = Workspace::create(Some(&path)).unwrap();
        std::panic::resume_unwind(Box::new(()));
    })
    .join();
    assert!(result.is_err());
    assert!(listing(below.path()).is_empty());
}

#[test]
fn signals_remove_the_workspace() {
    for signal in [rustix::process::Signal::TERM, rustix::process::Signal::INT, rustix::process::Signal::HUP] {
        let below = tempfile::tempdir().unwrap();
        let mut waiting = App::start_as("workspace", below.path());
        assert_eq!(listing(below.path()).len(), 1);
        let id = i32::try_from(waiting.child.id()).unwrap();
        rustix::process::kill_process(rustix::process::Pid::from_raw(id).unwrap(), signal).unwrap();
        assert_eq!(waiting.child.wait().unwrap().code(), Some(130));
        assert!(listing(below.path()).is_empty());
    }
}

#[test]
fn a_signal_that_npm_passes_on_once_more_removes_the_workspace() {
    let below = tempfile::tempdir().unwrap();
    let mut waiting = App::start_as("workspace", below.path());
    let id = rustix::process::Pid::from_raw(i32::try_from(waiting.child.id()).unwrap()).unwrap();
    for _ in 0..2 {
        rustix::process::kill_process(id, rustix::process::Signal::INT).unwrap();
    }
    assert_eq!(waiting.child.wait().unwrap().code(), Some(130));
    assert!(listing(below.path()).is_empty());
}

#[test]
fn a_workspace_below_nothing() {
    let error = Workspace::create(Some(Path::new("/nowhere"))).unwrap_err();
    let text = error.to_string();
    assert!(text.starts_with("making a private folder in `/nowhere`: No such file or directory"), "{text}");
    assert_eq!(error.hints(), ["set `TMPDIR` to a folder that you may write to"]);
}

// ---- the copy

#[test]
fn copies_are_apart_from_before_and_from_each_other() {
    let place = Place::new();
    let snapshot = place.open(&place.database("prod.db")).unwrap();
    let one = WorkingCopy::of(&snapshot, &place.workspace, "one.db").unwrap();
    let two = WorkingCopy::of(&snapshot, &place.workspace, "two.db").unwrap();
    one.open().unwrap().connection.execute_batch("DELETE FROM t").unwrap();
    let count = |copy: &WorkingCopy| {
        copy.connect().unwrap().query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    assert_eq!((count(&one), count(&two), rows(&snapshot)), (0, 100, 100));
    let same_name = WorkingCopy::of(&snapshot, &place.workspace, "one.db").unwrap();
    assert_eq!((count(&same_name), count(&one)), (100, 0));
}

#[test]
fn a_kept_copy_is_one_file_with_everything() {
    let place = Place::new();
    let path = place.database("prod.db");
    connect(&path).execute_batch("PRAGMA journal_mode = wal").unwrap();
    let snapshot = place.open(&path).unwrap();
    let copy = WorkingCopy::of(&snapshot, &place.workspace, "copy.db").unwrap();
    let migrating = copy.open().unwrap();
    migrating.connection.execute_batch("DELETE FROM t WHERE id > 5").unwrap();
    // A connection that does not checkpoint when it closes.
    migrating.connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    migrating.connection.close().unwrap();
    copy.keep(&place.path("kept.db"), &Silent).unwrap().appear().unwrap();
    assert_eq!(place.listing().into_iter().map(|(name, _)| name).collect::<Vec<_>>(), ["kept.db", "prod.db"]);
    let count: i64 = connect(&place.path("kept.db")).query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 5);
}

#[test]
fn a_copy_is_not_kept_while_a_connection_reads_it() {
    let place = Place::new();
    let path = place.database("prod.db");
    connect(&path).execute_batch("PRAGMA journal_mode = wal").unwrap();
    let snapshot = place.open(&path).unwrap();
    let copy = WorkingCopy::of(&snapshot, &place.workspace, "copy.db").unwrap();
    let reader = copy.open().unwrap();
    reader.connection.execute_batch("BEGIN; SELECT * FROM t").unwrap();
    copy.open().unwrap().connection.execute_batch("DELETE FROM t").unwrap();
    let error = copy.keep(&place.path("kept.db"), &Silent).unwrap_err().to_string();
    assert!(error.ends_with("another connection is open on the copy"), "{error}");
    assert!(!place.path("kept.db").exists());
}

#[test]
fn a_transaction_that_was_left_open_is_not_kept() {
    let place = Place::new();
    let snapshot = place.open(&place.database("prod.db")).unwrap();
    let copy = WorkingCopy::of(&snapshot, &place.workspace, "copy.db").unwrap();
    let migrating = copy.open().unwrap();
    migrating
        .connection
        .execute_batch(
            "PRAGMA cache_size = 1; BEGIN; UPDATE t SET filler = hex(zeroblob(400)); DELETE FROM t WHERE id > 10",
        )
        .unwrap();
    drop(migrating);
    copy.keep(&place.path("kept.db"), &Silent).unwrap().appear().unwrap();
    let kept = place.open(&place.path("kept.db")).unwrap();
    assert_eq!(rows(&kept), 100);
    assert_sound(&kept);
}

#[test]
fn nothing_is_overwritten_by_a_kept_copy() {
    let place = Place::new();
    let path = place.database("prod.db");
    fs::hard_link(&path, place.path("hard.db")).unwrap();
    symlink("prod.db", place.path("soft.db")).unwrap();
    symlink("nothing", place.path("dangling.db")).unwrap();
    place.write("other.db", "x");
    place.write("stale.db-wal", "x");
    let refusal = |name: &str| {
        let error = check_keep_target(&place.path(name), &path).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        error.to_string().replace(place.folder.path().to_str().unwrap(), "…")
    };
    assert_eq!(refusal("prod.db"), "keeping the copy as `…/prod.db`: it is the snapshot itself");
    assert_eq!(refusal("hard.db"), "keeping the copy as `…/hard.db`: it is the snapshot itself");
    assert_eq!(refusal("soft.db"), "keeping the copy as `…/soft.db`: it is the snapshot itself");
    assert_eq!(refusal("other.db"), "keeping the copy as `…/other.db`: it exists already");
    assert_eq!(refusal("dangling.db"), "keeping the copy as `…/dangling.db`: it exists already");
    assert_eq!(refusal("no/x.db"), "keeping the copy as `…/no/x.db`: there is no folder `…/no`");
    assert_eq!(
        refusal("prod.db-wal"),
        "keeping the copy as `…/prod.db-wal`: SQLite would read it together with the snapshot"
    );
    assert_eq!(
        refusal("stale.db"),
        "keeping the copy as `…/stale.db`: `…/stale.db-wal` exists, and SQLite would read it together"
    );
    assert!(check_keep_target(&place.path("new.db"), &path).is_ok());
    let snapshot = place.open(&path).unwrap();
    let copy = WorkingCopy::of(&snapshot, &place.workspace, "copy.db").unwrap();
    assert!(copy.keep(&place.path("other.db"), &Silent).is_err());
    assert_eq!(fs::read(place.path("other.db")).unwrap(), b"x");
}
