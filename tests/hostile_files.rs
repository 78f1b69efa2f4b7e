//! Snapshots and projects that were made to do harm: loops in a tree, absurd words in headers, schemas that no app has, archives that
//! unpack to more than there is. Every command ends soon and in bounded memory, with a verdict or an error and never a panic; nothing
//! is changed, nothing is left, and what is damaged does not pass.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot make its files has failed")]

#[path = "cmd/support.rs"]
mod support;

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use rehearse::sqlite_file::btree;
use rehearse::sqlite_file::freelist::freelist;
use rehearse::sqlite_file::page::BTreePage;
use rehearse::sqlite_file::pages::{FilePages, Pages};
use rehearse::sqlite_file::schema_page::schema_rows;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use support::{Project, Ran};

/// Far more than any of these takes: the longest a few seconds on an idle machine.
const LIMIT: Duration = Duration::from_mins(3);

const MIGRATION: &str = "CREATE TABLE added (a);\nUPDATE users SET name = name || '!' WHERE id % 7 = 0;\n\
                         DELETE FROM places WHERE n = 3;\nALTER TABLE notes ADD COLUMN more;\n";

/// Trees of two and three levels, overflow pages, a table WITHOUT ROWID, an index and free pages.
const DATABASE: &str = "
    PRAGMA page_size = 512;
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);
    CREATE TABLE notes (body TEXT);
    CREATE TABLE places (k TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID;
    CREATE TABLE gone (a);
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
    INSERT INTO users SELECT i, printf('user %040d', i) FROM n;
    INSERT INTO notes SELECT printf('%01500d', id) FROM users WHERE id < 9;
    INSERT INTO places SELECT printf('%030d', id), id FROM users WHERE id < 300;
    INSERT INTO gone SELECT name FROM users;
    CREATE INDEX names ON users (name);
    DROP TABLE gone;";

/// Runs to the end, or is ended and fails. On Linux 2 GiB of memory are all that it gets.
fn run(project: &Project, arguments: &[&str]) -> Ran {
    let command = project.command(arguments);
    let mut shell = Command::new("sh");
    let limit = if cfg!(target_os = "linux") { "ulimit -v 2097152 && " } else { "" };
    shell.arg("-c").arg(format!("{limit}exec \"$0\" \"$@\"")).arg(command.get_program()).args(command.get_args());
    shell.current_dir(command.get_current_dir().unwrap());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let printed = [tempfile::NamedTempFile::new().unwrap(), tempfile::NamedTempFile::new().unwrap()];
    let [stdout, stderr] = printed.each_ref().map(|file| Stdio::from(file.reopen().unwrap()));
    let mut child = shell.stdin(Stdio::null()).stdout(stdout).stderr(stderr).spawn().unwrap();
    let begun = Instant::now();
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status,
            None if begun.elapsed() > LIMIT => {
                child.kill().unwrap();
                panic!("{arguments:?} did not end: {}", fs::read_to_string(printed[1].path()).unwrap());
            }
            None => std::thread::sleep(Duration::from_millis(3)),
        }
    };
    let [stdout, stderr] = printed.map(|file| fs::read(file.path()).unwrap());
    Ran::from(Output { status, stdout, stderr })
}

/// It ended as it should end, whatever that means for it.
#[track_caller]
fn assert_ended(ran: &Ran, context: &str) {
    assert!(matches!(ran.code, Some(0..=4)), "{context}: {:?} {}", ran.code, ran.all());
    assert!(!ran.all().contains("panicked"), "{context}: {}", ran.all());
}

/// What may become of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It is damaged, and that is said.
    Damaged,
    /// It may be as good as any.
    Any,
}

/// Every command on it: rehearse, plan, doctor, profile, and diff on both sides.
#[track_caller]
fn assert_harmless(project: &Project, name: &str, fate: Fate) {
    let before = project.files();
    let rehearse = ["--snapshot", "prod.db", "--migrations", "migrations", "--driver", "sqlite"];
    let ran = run(project, &rehearse);
    assert_ended(&ran, name);
    if fate == Fate::Damaged {
        let said = ran.code != Some(0) || ["IN406", "SN904", "SN911"].iter().any(|code| ran.all().contains(code));
        assert!(said, "{name}: {}", ran.all());
    }
    for arguments in [
        &["plan", "--snapshot", "prod.db", "--migrations", "migrations"][..],
        &["doctor", "--snapshot", "prod.db", "--migrations", "migrations"],
        &["profile", "prod.db"],
        &["diff", "prod.db", "good.db"],
        &["diff", "good.db", "prod.db"],
    ] {
        assert_ended(&run(project, arguments), &format!("{name}, {arguments:?}"));
    }
    assert!(before == project.files(), "{name}: the files are others now");
    project.assert_nothing_left();
}

/// A project with the good database, its snapshot not written yet.
fn project() -> Project {
    let project = Project::empty().with_migration(MIGRATION);
    project.database("good.db", DATABASE);
    project
}

trait WithMigration {
    fn with_migration(self, sql: &str) -> Self;
}

impl WithMigration for Project {
    fn with_migration(self, sql: &str) -> Self {
        fs::create_dir(self.path("migrations")).unwrap();
        self.migration("0001.sql", sql)
    }
}

// ---- bytes ----------------------------------------------------------------------------------------------------------

/// Where in the file a place of a page is.
fn at(page: u32, offset: usize) -> usize {
    (page as usize - 1) * PAGE + offset
}

/// The good database and where in it what is.
struct Map {
    bytes: Vec<u8>,
    pages: FilePages,
}

const PAGE: usize = 512;

impl Map {
    fn of(path: &Path) -> Self {
        Self { bytes: fs::read(path).unwrap(), pages: FilePages::new(fs::File::open(path).unwrap(), None).unwrap() }
    }

    fn root(&self, name: &str) -> u32 {
        schema_rows(&self.pages).unwrap().into_iter().find(|row| row.name == name).unwrap().root_page
    }

    /// A leaf of a table.
    fn leaf(&self, table: &str) -> u32 {
        btree::leaves(&self.pages, self.root(table)).unwrap().leaves[3]
    }

    /// A page above the leaves, below the root.
    fn middle(&self, table: &str) -> u32 {
        let root = self.root(table);
        btree::leaves(&self.pages, root).unwrap().interior.into_iter().find(|page| *page != root).unwrap()
    }

    fn trunk(&self) -> u32 {
        freelist(&self.pages).unwrap().trunks[0]
    }

    /// The first overflow page of the first row of `notes`.
    fn overflow(&self) -> u32 {
        let number = btree::leaves(&self.pages, self.root("notes")).unwrap().leaves[0];
        let mut bytes = vec![0; PAGE];
        self.pages.read(number, &mut bytes).unwrap();
        BTreePage::parse(number, &bytes, &self.pages.layout()).unwrap().row(0).unwrap().payload.overflow.unwrap()
    }

    /// Where a cell of a page begins.
    fn cell(&self, page: u32, cell: usize, header: usize) -> usize {
        let pointer = at(page, header + 2 * cell);
        at(page, usize::from(u16::from_be_bytes([self.bytes[pointer], self.bytes[pointer + 1]])))
    }

    fn with(&self, changes: &[(usize, &[u8])]) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        for (at, new) in changes {
            bytes[*at..at + new.len()].copy_from_slice(new);
        }
        bytes
    }
}

/// Each of these bytes in the place of the good database.
fn assert_all_harmless(project: &Project, cases: Vec<(&str, Fate, Vec<u8>)>) {
    for (name, fate, bytes) in cases {
        fs::write(project.path("prod.db"), bytes).unwrap();
        assert_harmless(project, name, fate);
    }
}

#[test]
fn loops_in_trees_and_lists() {
    use Fate::{Any, Damaged};
    let project = project();
    let map = Map::of(&project.path("good.db"));
    let number = u32::to_be_bytes;
    let (root, middle, leaf) = (map.root("users"), map.middle("users"), map.leaf("users"));
    let (index, places) = (map.root("names"), map.root("places"));
    let (overflow, trunk) = (map.overflow(), map.trunk());
    let one = |name, at, new: u32| (name, Damaged, map.with(&[(at, &number(new))]));
    let pointers = |page, cells: usize, to: u16| map.with(&[(at(page, 12), &to.to_be_bytes().repeat(cells))]);
    let first = u16::try_from(map.cell(root, 0, 12) - at(root, 0)).unwrap();
    assert_all_harmless(
        &project,
        vec![
            one("the rightmost child of the root is the root", at(root, 8), root),
            one("the first child of the root is the root", map.cell(root, 0, 12), root),
            one("a child is its parent", at(middle, 8), root),
            one("a page of the middle is its own child", map.cell(middle, 1, 12), middle),
            one("the last leaf is the third", at(middle, 8), leaf),
            one("a child is page 0", map.cell(middle, 0, 12), 0),
            one("a child is behind the end", map.cell(middle, 0, 12), u32::MAX),
            one("a child is the schema", map.cell(middle, 0, 12), 1),
            ("all children are one", Damaged, pointers(root, 2, first)),
            one("an index is its own child", at(index, 8), index),
            one("an index has a table below it", at(index, 8), root),
            one("a table without rowids is its own child", map.cell(places, 0, 12), places),
            one("an overflow page follows itself", at(overflow, 0), overflow),
            one("an overflow page leads to a leaf", at(overflow, 0), leaf),
            one("an overflow page leads behind the end", at(overflow, 0), u32::MAX),
            one("an overflow page is the last too soon", at(overflow, 0), 0),
            one("a free page follows itself", at(trunk, 0), trunk),
            one("the freelist leads into a tree", at(trunk, 8), leaf),
            one("the freelist leads behind the end", at(trunk, 8), u32::MAX),
            one("a free page lists more than fit", at(trunk, 4), u32::MAX),
            one("the freelist is longer than the file", 36, u32::MAX),
            one("the freelist begins with the schema", 32, 1),
            (
                "a free block that follows itself",
                Any,
                map.with(&[(at(leaf, 1), &[1, 0]), (at(leaf, 256), &[1, 0, 0, 9])]),
            ),
        ],
    );
}

#[test]
fn absurd_headers() {
    use Fate::{Any, Damaged};
    let project = project();
    let map = Map::of(&project.path("good.db"));
    let with = |name, fate, at, new: &[u8]| (name, fate, map.with(&[(at, new)]));
    let most = u32::MAX.to_be_bytes();
    assert_all_harmless(
        &project,
        vec![
            with("pages of 0 bytes", Damaged, 16, &[0, 0]),
            with("pages of 65536 bytes", Damaged, 16, &[0, 1]),
            with("pages of 3 bytes", Damaged, 16, &[0, 3]),
            with("pages of 256 bytes", Damaged, 16, &[1, 0]),
            with("pages of 1024 bytes", Damaged, 16, &[4, 0]),
            with("pages of 32768 bytes", Damaged, 16, &[0x80, 0]),
            with("255 bytes reserved", Damaged, 20, &[255]),
            with("32 bytes reserved", Damaged, 20, &[32]),
            with("another payload fraction", Damaged, 21, &[65]),
            with("2^32 - 1 pages", Damaged, 28, &most),
            ("2^32 - 1 pages that nobody vouches for", Any, map.with(&[(28, &most), (92, &most)])),
            ("no page count", Any, map.with(&[(28, &[0; 4])])),
            ("fewer pages than there are", Damaged, map.with(&[(28, &[0, 0, 0, 9])])),
            with("encoding 9", Damaged, 56, &[0, 0, 0, 9]),
            with("another encoding", Any, 56, &[0, 0, 0, 2]),
            with("a format of the future", Damaged, 44, &[0, 0, 0, 99]),
            with("written by the future", Any, 18, &[9]),
            with("read by the future", Damaged, 19, &[9]),
            with("a log that is not there", Any, 18, &[2, 2]),
            with("a pointer map that is not there", Damaged, 52, &[0, 0, 0, 3]),
            ("cut in the middle of a page", Damaged, map.bytes[..map.bytes.len() / 2 + 100].to_vec()),
            ("only the header", Damaged, map.bytes[..100].to_vec()),
            ("nothing but ones", Damaged, [&map.bytes[..24], &vec![0xff; 5000]].concat()),
            (
                "nothing but zeros behind the header",
                Damaged,
                [&map.bytes[..100], &vec![0; map.bytes.len() - 100]].concat(),
            ),
        ],
    );
}

#[test]
fn absurd_cells() {
    use Fate::Damaged;
    let project = project();
    let map = Map::of(&project.path("good.db"));
    let (root, middle, leaf) = (map.root("users"), map.middle("users"), map.leaf("users"));
    let with = |name, at, new: &[u8]| (name, Damaged, map.with(&[(at, new)]));
    let cell = map.cell(leaf, 0, 8);
    let cells = |page: u32, count: u16| (at(page, 3), count.to_be_bytes());
    let (below, many) = cells(leaf, u16::MAX);
    let (above, many_above) = cells(middle, u16::MAX);
    assert_all_harmless(
        &project,
        vec![
            with("65,535 cells in a leaf", below, &many),
            with("65,535 cells above", above, &many_above),
            with("cells that begin in the header", at(leaf, 8), &[0; 8]),
            with("cells that begin behind the page", at(leaf, 8), &[0xff; 8]),
            with("a payload of 2^64 - 1 bytes", cell, &[0xff; 9]),
            with("a payload of 2^63 bytes", cell, &[0xc0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]),
            with("a payload as long as the database", cell, &[0x84, 0x80, 0]),
            with("a record whose header is its payload", cell + 3, &[0xff; 9]),
            with("a record of serial types that are not used", cell + 4, &[10, 11]),
            with("a page of no kind", at(leaf, 0), &[7]),
            with("a leaf of an index in a table", at(leaf, 0), &[10]),
            with("a leaf that says that it is above", at(leaf, 0), &[5]),
            with("a root that says that it is a leaf", at(root, 0), &[13]),
            with("a schema that is no leaf", 100, &[5]),
            with("the schema has a table of an index", 100, &[10]),
        ],
    );
}

/// A few bytes of the good database at a time, drawn from a fixed seed.
#[test]
fn any_few_bytes() {
    let project = project();
    let good = fs::read(project.path("good.db")).unwrap();
    let mut drawn = 0x9e37_79b9_7f4a_7c15_u64;
    let mut below = move |bound: usize| {
        drawn ^= drawn << 13;
        drawn ^= drawn >> 7;
        drawn ^= drawn << 17;
        usize::try_from(drawn % bound as u64).unwrap()
    };
    let pages = good.len() / PAGE;
    for case in 0..60 {
        let mut bytes = good.clone();
        for _ in 0..=below(4) {
            let page = if below(2) == 0 { below(8.min(pages)) } else { below(pages) };
            let within = if below(3) == 0 { below(PAGE) } else { below(40) };
            bytes[page * PAGE + within] = [0, 1, 2, 5, 10, 13, 0x7f, 0x80, 0xff, 0x3a][below(10)];
        }
        fs::write(project.path("prod.db"), bytes).unwrap();
        let context = format!("case {case}");
        let rehearse = ["--snapshot", "prod.db", "--migrations", "migrations", "--driver", "sqlite"];
        assert_ended(&run(&project, &rehearse), &context);
        assert_ended(&run(&project, &["diff", "good.db", "prod.db"]), &context);
        project.assert_nothing_left();
    }
}

// ---- schemas --------------------------------------------------------------------------------------------------------

/// A snapshot whose schema was written by hand.
fn with_schema(project: &Project, sql: &str) {
    fs::write(project.path("prod.db"), fs::read(project.path("good.db")).unwrap()).unwrap();
    let database = Connection::open_with_flags(project.path("prod.db"), OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    database.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false).unwrap();
    database.execute_batch("PRAGMA foreign_keys = off; PRAGMA writable_schema = on").unwrap();
    database.execute_batch(sql).unwrap_or_else(|error| panic!("{sql:.200}: {error}"));
}

#[test]
fn schemas_that_no_app_has() {
    use Fate::{Any, Damaged};
    let project = project();
    let root = |to: &str| format!("UPDATE sqlite_schema SET rootpage = {to} WHERE name = 'users'");
    let sql = |to: &str| format!("UPDATE sqlite_schema SET sql = {to} WHERE name = 'users'");
    for (name, fate, statements) in [
        ("a root of 0", Damaged, root("0")),
        ("a root of 1", Damaged, root("1")),
        ("a root of -1", Damaged, root("-1")),
        ("a root behind the end", Damaged, root("4000000000")),
        ("a root beyond all numbers", Damaged, root("1 << 40")),
        ("a root that is a text", Damaged, root("'x'")),
        ("no root", Damaged, root("NULL")),
        ("a root that is another's", Damaged, root("(SELECT rootpage FROM sqlite_schema WHERE name = 'notes')")),
        ("a table whose root is an index", Damaged, root("(SELECT rootpage FROM sqlite_schema WHERE name = 'names')")),
        ("no statement", Damaged, sql("NULL")),
        ("a statement that does not parse", Damaged, sql("'CREATE TABLE users ('")),
        ("a statement that is a blob", Any, sql("CAST(sql AS BLOB)")),
        ("a statement that is another table's", Damaged, sql("'CREATE TABLE other (a)'")),
        ("a statement of 10 MB", Damaged, sql("'CREATE TABLE users (' || printf('%010000000d', 1) || ')'")),
        ("a statement of a comment of 10 MB", Any, sql("replace(sql, '(', printf('(/*%010000000d*/', 1))")),
        ("text that is none", Damaged, sql("CAST(x'435245415445205441424c45207573657273ff28c328' AS TEXT)")),
        ("another type", Any, "UPDATE sqlite_schema SET type = 'tabel' WHERE name = 'users'".into()),
        ("no name", Damaged, "UPDATE sqlite_schema SET name = NULL WHERE name = 'users'".into()),
        ("the name of another", Damaged, "UPDATE sqlite_schema SET name = 'notes' WHERE name = 'users'".into()),
        ("nobody's index", Any, "UPDATE sqlite_schema SET tbl_name = 'none' WHERE name = 'names'".into()),
        ("an internal name", Any, "UPDATE sqlite_schema SET name = 'sqlite_users', tbl_name = 'sqlite_users', sql = replace(sql, 'users', 'sqlite_users') WHERE name = 'users'".into()),
    ] {
        with_schema(&project, &statements);
        assert_harmless(&project, name, fate);
    }
}

#[test]
fn schemas_that_make_work() {
    let project = project();
    let list = |count: usize, one: &dyn Fn(usize) -> String| (0..count).map(one).collect::<Vec<_>>().join(", ");
    let wide = format!("CREATE TABLE wide ({}); INSERT INTO wide DEFAULT VALUES", list(2000, &|at| format!("c{at}")));
    let mut many = "BEGIN; ".to_owned();
    let mut doubling = "CREATE VIEW v0 AS SELECT id AS a FROM users; ".to_owned();
    for at in 1..1500 {
        write!(many, "CREATE TABLE m{at} (a DEFAULT 'x', b REFERENCES m{}); ", at - 1).unwrap();
    }
    for at in 1..40 {
        write!(doubling, "CREATE VIEW v{at} AS SELECT one.a FROM v{0} AS one, v{0} AS other; ", at - 1).unwrap();
    }
    let deep = |count| format!("{}1{}", "(".repeat(count), ")".repeat(count));
    let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
    for (name, statements) in [
        ("2,000 columns", wide),
        ("1,500 tables", many + "COMMIT"),
        ("views that each read the last one twice", doubling),
        ("an endless view", format!("CREATE VIEW endless AS {endless}")),
        ("a view of itself", "CREATE VIEW a AS SELECT * FROM b; CREATE VIEW b AS SELECT * FROM a".into()),
        ("a check of 900 brackets", format!("CREATE TABLE deep (a CHECK ({}))", deep(900))),
        ("a trigger that is its own cause", "CREATE TRIGGER again AFTER UPDATE ON users BEGIN UPDATE users SET name = name || 'x' WHERE id = new.id + 1; END".into()),
        ("a trigger that fills the disk", format!("CREATE TRIGGER fills AFTER UPDATE ON users WHEN new.id = 7 BEGIN INSERT INTO notes SELECT zeroblob(100000) FROM (SELECT i FROM ({endless}) LIMIT 300); END")),
        ("a generated column that is long", "CREATE TABLE g (a, b AS (zeroblob(100000000))); INSERT INTO g (a) SELECT id FROM users".into()),
        ("a check that is long", "PRAGMA ignore_check_constraints = on; CREATE TABLE g (a CHECK (length(hex(zeroblob(400000000))) > a)); INSERT INTO g SELECT id FROM users".into()),
        ("an index on what is computed", "CREATE INDEX computed ON users (printf('%.*c', 2000, 'x'))".into()),
        ("functions that reach files", "CREATE VIEW f AS SELECT load_extension('x'), readfile('/etc/passwd'), writefile('x', 'y'), edit('z')".into()),
        ("a name of 100,000 characters", format!("CREATE TABLE \"{}\" (a)", "n".repeat(100_000))),
    ] {
        with_schema(&project, &statements);
        assert_harmless(&project, name, Fate::Any);
    }
}

#[test]
fn definitions_that_sqlite_would_not_take() {
    let project = project();
    let columns: Vec<String> = (0..20_000).map(|at| format!("c{at}")).collect();
    let brackets = "(".repeat(100_000);
    for (name, table) in [
        ("20,000 columns", format!("CREATE TABLE users ({})", columns.join(", "))),
        ("100,000 brackets", format!("CREATE TABLE users (a CHECK {brackets}")),
        ("100,000 brackets that are not closed in a text", format!("CREATE TABLE users (a DEFAULT '{brackets}")),
    ] {
        with_schema(
            &project,
            &format!("UPDATE sqlite_schema SET sql = '{}' WHERE name = 'users'", table.replace('\'', "''")),
        );
        assert_harmless(&project, name, Fate::Damaged);
    }
}

// ---- logs and journals ----------------------------------------------------------------------------------------------

/// A write-ahead log with right checksums: frames of a page number, the page count of a commit or 0, and the page.
fn log(page_size: u32, frames: &[(u32, u32, Vec<u8>)]) -> Vec<u8> {
    let mut log = Vec::new();
    for word in [0x377f_0682, 3_007_000, page_size, 0, 7, 8] {
        log.extend(u32::to_be_bytes(word));
    }
    let mut sums = summed([0, 0], &log);
    log.extend(sums.map(u32::to_be_bytes).concat());
    for (number, pages, page) in frames {
        let head = [number.to_be_bytes(), pages.to_be_bytes()].concat();
        sums = summed(summed(sums, &head), page);
        let salts = [7, 8].map(u32::to_be_bytes).concat();
        log.extend([head, salts, sums.map(u32::to_be_bytes).concat(), page.clone()].concat());
    }
    log
}

fn summed([mut first, mut second]: [u32; 2], bytes: &[u8]) -> [u32; 2] {
    let word = |bytes: &[u8]| u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    for pair in bytes.chunks_exact(8) {
        first = first.wrapping_add(word(pair)).wrapping_add(second);
        second = second.wrapping_add(word(&pair[4..])).wrapping_add(first);
    }
    [first, second]
}

#[test]
fn logs_that_no_connection_wrote() {
    use Fate::{Any, Damaged};
    let project = project();
    let good = fs::read(project.path("good.db")).unwrap();
    let mut wal = good.clone();
    wal[18..20].copy_from_slice(&[2, 2]);
    fs::write(project.path("prod.db"), &wal).unwrap();
    let first = wal[..PAGE].to_vec();
    let pages = u32::try_from(good.len() / PAGE).unwrap();
    let page = || vec![0xab; PAGE];
    let mut other_size = first.clone();
    other_size[16..18].copy_from_slice(&[16, 0]);
    for (name, fate, log) in [
        ("2^32 - 1 pages", Damaged, log(512, &[(1, u32::MAX, first.clone())])),
        ("page 2^32 - 1", Damaged, log(512, &[(u32::MAX, u32::MAX, page())])),
        ("a page behind the end", Any, log(512, &[(u32::MAX, pages, page())])),
        ("page 0", Any, log(512, &[(0, pages, page())])),
        ("one page", Damaged, log(512, &[(1, 1, first.clone())])),
        ("a first page that is none", Damaged, log(512, &[(1, pages, page())])),
        ("a first page of another size", Damaged, log(512, &[(1, pages, other_size)])),
        ("pages of another size", Damaged, log(1024, &[(1, pages, vec![0; 1024])])),
        ("pages of 0 bytes", Damaged, log(0, &[])),
        ("pages of 2^31 bytes", Damaged, log(1 << 31, &[])),
        ("frames that are not committed", Any, log(512, &vec![(2, 0, page()); 500])),
        ("many versions of a page", Any, log(512, &vec![(1, pages, first.clone()); 3000])),
        ("only a header", Any, log(512, &[])),
        ("nothing but ones", Any, vec![0xff; 5000]),
    ] {
        fs::write(project.path("prod.db-wal"), log).unwrap();
        assert_harmless(&project, name, fate);
    }
}

/// A hot journal: what its header says, and pages.
fn hot_journal(records: u32, pages: u32, sector: u32, page_size: u32, content: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut journal = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7".to_vec();
    for word in [records, 0, pages, sector, page_size] {
        journal.extend(word.to_be_bytes());
    }
    journal.resize(512, 0);
    for (number, page) in content {
        let mut sum = 0_u32;
        let mut at = page.len().saturating_sub(200);
        while at > 0 {
            sum = sum.wrapping_add(page[at].into());
            at = at.saturating_sub(200);
        }
        journal.extend([&number.to_be_bytes()[..], page, &sum.to_be_bytes()].concat());
    }
    journal
}

#[test]
fn journals_that_no_connection_wrote() {
    use Fate::{Any, Damaged};
    let project = project();
    let good = fs::read(project.path("good.db")).unwrap();
    fs::write(project.path("prod.db"), &good).unwrap();
    let pages = u32::try_from(good.len() / PAGE).unwrap();
    let page = |byte| vec![byte; PAGE];
    let named = |name: &str| {
        let sum = name.bytes().map(u32::from).sum::<u32>();
        let length = u32::try_from(name.len()).unwrap();
        let end = [&length.to_be_bytes()[..], &sum.to_be_bytes(), b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"].concat();
        [&hot_journal(0, pages, 512, 512, &[])[..], &[0; 4], name.as_bytes(), &end].concat()
    };
    for (name, fate, journal) in [
        ("2^32 - 1 pages before", Damaged, hot_journal(0, u32::MAX, 512, 512, &[])),
        ("2^32 - 1 pages before, and one that is there", Damaged, hot_journal(1, u32::MAX, 512, 512, &[(2, page(0))])),
        ("no page before", Damaged, hot_journal(0, 0, 512, 512, &[])),
        ("one page before", Damaged, hot_journal(0, 1, 512, 512, &[])),
        ("2^32 - 1 records", Any, hot_journal(u32::MAX, pages, 512, 512, &[])),
        ("2^32 - 1 records of which one is there", Damaged, hot_journal(u32::MAX, pages, 512, 512, &[(1, page(1))])),
        ("sectors of 0 bytes", Any, hot_journal(0, pages, 0, 512, &[])),
        ("sectors of 2^31 bytes", Any, hot_journal(0, pages, 1 << 31, 512, &[])),
        ("pages of 3 bytes", Any, hot_journal(0, pages, 512, 3, &[])),
        ("pages of another size", Any, hot_journal(0, pages, 512, 4096, &[])),
        ("a page behind the end", Any, hot_journal(1, pages, 512, 512, &[(u32::MAX, page(3))])),
        ("nothing but ones", Any, vec![0xff; 3000]),
        ("a super-journal elsewhere", Any, named("/etc/hostname")),
        ("a super-journal that is the database", Any, named("prod.db")),
        ("a super-journal above", Any, named("../../../../../etc/hostname")),
    ] {
        fs::write(project.path("prod.db-journal"), journal).unwrap();
        assert_harmless(&project, name, fate);
    }
}

// ---- archives -------------------------------------------------------------------------------------------------------

const MIB: usize = 1 << 20;

fn gzip(parts: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    for part in parts {
        gzip.write_all(&part).unwrap();
    }
    gzip.finish().unwrap()
}

/// Zstandard frames of 8 MiB of one byte each, as blocks of 128 KiB that say no more than the byte.
fn zstd_of(byte: u8, frames: usize) -> Vec<u8> {
    let block = |last: u32| {
        let header = (131_072_u32 << 3 | 1 << 1 | last).to_le_bytes();
        [&header[..3], &[byte]].concat()
    };
    let blocks = [block(0).repeat(63), block(1)].concat();
    [&b"\x28\xb5\x2f\xfd\x00\x38"[..], &blocks].concat().repeat(frames)
}

#[track_caller]
fn assert_refused(project: &Project, name: &str, archive: &[u8], wanted: &str) {
    fs::write(project.path("prod.db"), archive).unwrap();
    let ran = run(project, &["--snapshot", "prod.db", "--migrations", "migrations", "--driver", "sqlite"]);
    assert_ended(&ran, name);
    assert!(ran.code == Some(4) && ran.stderr.contains(wanted), "{name}: {}", ran.all());
    project.assert_nothing_left();
}

#[test]
fn archives_that_unpack_to_more_than_there_is() {
    let project = project();
    let good = fs::read(project.path("good.db")).unwrap();
    let zeros = || std::iter::repeat_n(vec![0; MIB], 80);
    let larger = "250 times larger";
    let mut unvouched = good.clone();
    unvouched[28..32].fill(0);
    assert_refused(&project, "a database of zeros", &gzip(std::iter::once(unvouched.clone()).chain(zeros())), larger);
    let begun = gzip(std::iter::once(good.clone()));
    assert_refused(&project, "a database of members of zeros", &[begun, gzip(zeros())].concat(), larger);
    let twice = gzip(std::iter::once(gzip(std::iter::once(unvouched.clone()).chain(zeros()))));
    assert_refused(&project, "twice", &twice, larger);
    let raw = |bytes: &[u8]| {
        let header = (u32::try_from(bytes.len()).unwrap() << 3 | 1).to_le_bytes();
        [&b"\x28\xb5\x2f\xfd\x00\x38"[..], &header[..3], bytes].concat()
    };
    // Gigabytes of it are a few thousand bytes, and are not waited for.
    let zstd = [raw(&unvouched[..PAGE]), zstd_of(0, 1000)].concat();
    assert_refused(&project, "a database of zeros for zstd", &zstd, larger);
    let dump = [raw(b"INSERT INTO t VALUES ('"), zstd_of(b'a', 1000)].concat();
    assert_refused(&project, "a dump of one value", &dump, larger);
    let comment = [raw(b"CREATE TABLE t (a); /*"), zstd_of(b'*', 1000)].concat();
    assert_refused(&project, "a dump of one comment", &comment, larger);
    let mut vast = good;
    vast[28..32].fill(0xff);
    let vast = gzip(std::iter::once(vast));
    assert_refused(&project, "a database that says that it is vast", &vast, "are needed for a copy");
    let nested = (0..6).fold(b"x".to_vec(), |inner, _| gzip(std::iter::once(inner)));
    assert_refused(&project, "six layers", &nested, "compressed with gzip");
}

// ---- projects -------------------------------------------------------------------------------------------------------

fn repeated(count: usize, part: impl Fn(usize) -> String) -> String {
    (0..count).map(part).collect::<Vec<_>>().concat()
}

/// A rehearsal of this migration on the good database.
#[track_caller]
fn rehearsed(name: &str, sql: &str) -> Ran {
    let project = Project::empty().with_migration(sql);
    project.database("prod.db", DATABASE);
    let ran = run(&project, &["--snapshot", "prod.db", "--migrations", "migrations", "--driver", "sqlite"]);
    assert_ended(&ran, name);
    project.assert_nothing_left();
    ran
}

#[test]
fn migrations_that_make_work() {
    let value = "x".repeat(50 * MIB);
    let lines = |line: &str, count: usize| line.repeat(count);
    for (name, sql) in [
        ("100,000 brackets", format!("SELECT {}1{};", "(".repeat(100_000), ")".repeat(100_000))),
        ("100,000 selects in one another", format!("INSERT INTO users {}", "SELECT * FROM (".repeat(100_000))),
        ("a statement of 50 MB", format!("INSERT INTO notes (body) VALUES ('{value}');")),
        ("5,000 statements", lines("INSERT INTO notes (body) VALUES ('n');\n", 5000)),
        ("200,000 statements that do nothing", lines("SELECT 1;\n", 200_000)),
        (
            "80,000 copies from another table",
            format!("CREATE TABLE none (a);\n{}", lines("INSERT INTO users (name) SELECT a FROM none;\n", 80_000)),
        ),
        ("100,000 semicolons", lines(";\n", 100_000)),
        ("20,000 directives", lines("-- rehearse: allow LS101 because\n", 20_000) + "SELECT 1;"),
        ("quotes that never end", lines("'\"`[", 100_000)),
        ("comments that never end", lines("/* ", 100_000)),
        (
            "names of WITH",
            format!(
                "WITH {} SELECT 1;",
                (0..5000).map(|at| format!("n{at} AS (SELECT * FROM users)")).collect::<Vec<_>>().join(", ")
            ),
        ),
        ("a long UNION", format!("INSERT INTO notes {};", vec!["SELECT name FROM users"; 400].join(" UNION ALL "))),
        ("no text", String::from_utf8_lossy(&[0xff; 1000]).into_owned() + "\0\0;"),
    ] {
        rehearsed(name, &sql);
    }
}

/// The splitters of the tools, each on a text that it would have to look at again and again.
#[test]
fn migrations_of_every_tool_that_make_work() {
    let long = |part: &str| part.repeat(MIB / 4 / part.len());
    for (tool, name, sql) in [
        ("d1", "dollars", format!("SELECT 1; {}", long("$a "))),
        ("d1", "blocks", format!("SELECT 1; {}", long(" BEGIN CASE "))),
        ("d1", "tags", format!("SELECT 1; {}", repeated(100_000, |at| format!("$t{at}$ ")))),
        ("goose", "begins", format!("-- +goose Up\n{}", long("-- +goose StatementBegin\nx\n-- +goose StatementEnd\n"))),
        ("goose", "one line", format!("-- +goose Up\n{};", long("$x"))),
        ("goose", "dollars", format!("-- +goose Up\n-- +goose ENVSUB ON\n{};", "${A".repeat(20_000))),
        ("sql-migrate", "begins", format!("-- +migrate Up\n{}", long("x;\n"))),
        ("dbmate", "markers", long("-- migrate:up\n-- migrate:down\n")),
        ("dbmate", "white space", format!("--{}", long(" \n--\t"))),
        ("atlas", "blocks", long("BEGIN SELECT 1; ")),
        ("atlas", "blocks that end", long("BEGIN ") + &long("END; ")),
        ("atlas", "blocks in brackets", long("(BEGIN ")),
        ("atlas", "white space", format!("x{}", long(" "))),
        ("atlas", "brackets", long("(")),
        ("atlas", "comments that never end", long("/* -- ")),
        ("atlas", "delimiters", long("DELIMITER ;\nDELIMITER //\n")),
        ("sqlx", "text", long("x'\"--\n")),
        ("diesel", "text", long("x;'")),
    ] {
        let project = Project::empty();
        project.database("prod.db", "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)");
        let (file, content) = match tool {
            "diesel" => ("m/2024-01-01-000000_a/up.sql", sql),
            "golang-migrate" => ("m/1_a.up.sql", sql),
            "dbmate" | "goose" | "atlas" => ("m/20240101000000_a.sql", sql),
            _ => ("m/0001_a.sql", sql),
        };
        fs::create_dir_all(project.path(file).parent().unwrap()).unwrap();
        fs::write(project.path(file), content).unwrap();
        let context = format!("{tool}, {name}");
        assert_ended(&run(&project, &["plan", "--snapshot", "prod.db", "--migrations", "m", "--tool", tool]), &context);
        assert_ended(&run(&project, &["--snapshot", "prod.db", "--migrations", "m", "--tool", tool]), &context);
        project.assert_nothing_left();
    }
}

#[test]
fn files_of_a_project_that_make_work() {
    let project = project();
    fs::write(project.path("prod.db"), fs::read(project.path("good.db")).unwrap()).unwrap();
    let mut aliases = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for at in 1..12 {
        let last = at - 1;
        writeln!(aliases, "a{at}: &a{at} [{}]", vec![format!("*a{last}"); 9].join(", ")).unwrap();
    }
    for (name, yaml) in [
        ("aliases", aliases),
        ("itself", "a: &a [*a]\n".into()),
        ("brackets", "[".repeat(MIB)),
        ("braces", "{a: ".repeat(900)),
        ("dashes", "- ".repeat(MIB)),
        ("indentation", repeated(2000, |at| format!("{}a:\n", " ".repeat(at)))),
        ("one long key", format!("{}: 1\n", "k".repeat(3 * MIB))),
        ("keys", repeated(200_000, |at| format!("k{at}: 1\n"))),
    ] {
        fs::write(project.path("rehearse.yaml"), yaml).unwrap();
        let ran = run(&project, &["--snapshot", "prod.db", "--migrations", "migrations", "--driver", "sqlite"]);
        assert_ended(&ran, name);
        assert_eq!(ran.code, Some(2), "{name}: {}", ran.all());
    }
    fs::remove_file(project.path("rehearse.yaml")).unwrap();
    fs::create_dir_all(project.path("drizzle/meta")).unwrap();
    for (name, journal) in [
        ("brackets", "[".repeat(MIB)),
        ("objects", "{\"entries\":".repeat(100_000)),
        (
            "entries",
            format!(
                "{{\"dialect\":\"sqlite\",\"entries\":[{}]}}",
                vec!["{\"tag\":\"../../x\",\"when\":1e999}"; 2000].join(",")
            ),
        ),
        ("numbers", format!("{{\"dialect\":\"sqlite\",\"entries\":[{{\"tag\":\"a\",\"when\":{}}}]}}", "9".repeat(MIB))),
    ] {
        fs::write(project.path("drizzle/meta/_journal.json"), journal).unwrap();
        assert_ended(
            &run(&project, &["plan", "--snapshot", "prod.db", "--migrations", "drizzle", "--tool", "drizzle"]),
            name,
        );
    }
    project.assert_nothing_left();
}

#[test]
fn files_of_a_deployment_that_make_work() {
    let project = project();
    fs::create_dir_all(project.path("src")).unwrap();
    let copies = repeated(100, |at| format!("COPY --from=s{at} /app /app\n"));
    for (name, file, text) in [
        ("stages", "Dockerfile", repeated(100, |at| format!("FROM a AS s{at}\n{copies}"))),
        (
            "variables",
            "Dockerfile",
            format!("FROM a\n{}", repeated(5000, |at| format!("ENV A{at}=$A{}$A{}\n", at + 1, at + 1))),
        ),
        ("a line", "Dockerfile", format!("FROM a\nRUN {}", "a && ".repeat(MIB / 6))),
        ("shells", "Dockerfile", format!("FROM a\nCMD {}", "sh -c ".repeat(MIB / 7))),
        ("patterns", ".dockerignore", "**/*a*b*c*/\n".repeat(50_000)),
        (
            "volumes",
            "compose.yaml",
            format!("services:\n  a:\n    volumes:\n{}", repeated(50_000, |at| format!("    - a{at}:/b{at}\n"))),
        ),
        (
            "services",
            "compose.yaml",
            format!("services:\n{}", repeated(50_000, |at| format!("  a{at}: {{build: .}}\n"))),
        ),
        ("brackets", "compose.yaml", "[".repeat(MIB / 2)),
        (
            "variables of compose",
            "compose.yaml",
            format!("services: {{a: {{volumes: ['{}']}}}}", "${a".repeat(MIB / 4)),
        ),
        ("tables", "fly.toml", "[[mounts]]\n".repeat(80_000)),
        ("a script", "backup.sh", "cp a.db s3://b \\\n".repeat(50_000)),
        ("a script of copies", "backup.sh", "cp a.db s3://b\n".repeat(50_000)),
        ("functions", "src/index.ts", repeated(20_000, |at| format!("function f{at}() {{ f{}() }}\n", at + 1))),
        ("calls", "src/index.ts", "exec(".repeat(MIB / 6)),
        ("opens", "src/index.ts", "new Database(a)\n".repeat(MIB / 17)),
        ("arrows", "src/index.ts", "a => (".repeat(MIB / 7)),
        ("templates", "src/index.ts", "`${Database".repeat(MIB / 12)),
        ("packages", "src/index.ts", "import {a} from './a'\n".repeat(MIB / 23)),
        ("pragmas", "src/index.ts", "'journal_mode = journal_mode = '\n".repeat(MIB / 40)),
        ("lifetimes", "src/main.rs", "fn f<'a>(".repeat(MIB / 10)),
        ("packages of Go", "main.go", "func main() { a.b(\"c/d/e/f\") }\n".repeat(MIB / 40)),
    ] {
        let path = project.path(file);
        fs::write(&path, text).unwrap();
        let before = project.files();
        let ran = run(&project, &["doctor", "--migrations", "migrations", "--tool", "sql"]);
        assert_ended(&ran, name);
        assert!(matches!(ran.code, Some(0 | 4)), "{name}: {}", ran.all());
        assert!(before == project.files(), "{name}");
        fs::remove_file(&path).unwrap();
    }
    project.assert_nothing_left();
}

#[test]
fn scripts_of_a_project_that_make_work() {
    let project = project();
    fs::write(project.path("prod.db"), fs::read(project.path("good.db")).unwrap()).unwrap();
    let doubled = repeated(60, |at| format!("const n{at} = {{ {} }};\n", format!("a: n{}, ", at + 1).repeat(10)));
    for (name, value) in [
        ("brackets of every kind", "{a: [(".repeat(100_000)),
        ("objects", "{a: ".repeat(100_000)),
        ("objects that end", format!("{}1{}", "{a: ".repeat(100_000), "}".repeat(100_000))),
        ("calls", "defineConfig(".repeat(100_000)),
        ("types", "<a>".repeat(100_000)),
        ("types that never end", format!("{{{}}}", "a: <b, ".repeat(100_000))),
        ("templates", "`${".repeat(100_000)),
        ("names that lead to many", format!("n0;\n{doubled}")),
        ("names of the same", format!("{{{}}};\nconst b = 1;", "a: b, ".repeat(100_000))),
        ("a name of names", "a.".repeat(300_000)),
    ] {
        for file in ["drizzle.config.ts", "prisma.config.ts"] {
            fs::write(project.path(file), format!("export default {value}")).unwrap();
            assert_ended(&run(&project, &["plan", "--snapshot", "prod.db"]), name);
            fs::remove_file(project.path(file)).unwrap();
        }
    }
    project.assert_nothing_left();
}
