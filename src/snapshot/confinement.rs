//! What SQL that others wrote may do: nothing outside of the database that it runs on.

use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use percent_encoding::percent_decode_str;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, Result, ffi};

use super::location::{is_same_file, is_sidecar_of};
use super::space;

/// How much of the machine a rehearsal may take, and what its SQL may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How long the migrations may run on one copy, and how long it may take to look at what they left.
    pub time: Duration,
    /// How many bytes one copy may hold on the disk that the snapshot does not; none: see [`Bounds::growth_of`].
    pub growth: Option<u64>,
    /// Whether SQL may reach other files and write SQLite's own schema table.
    pub unsafe_sql: bool,
}

/// What SQLite may hold in memory in this process.
const MEMORY: u64 = 2 << 30;

impl Default for Bounds {
    fn default() -> Self {
        Self { time: Duration::from_mins(10), growth: None, unsafe_sql: false }
    }
}

impl Bounds {
    /// How many bytes a copy of a database of `size` bytes may hold that the database does not: what a rebuild of everything, its
    /// journal and a VACUUM take, and one GiB.
    #[must_use]
    pub fn growth_of(&self, size: u64) -> u64 {
        self.growth.unwrap_or_else(|| size.saturating_mul(4).saturating_add(1 << 30))
    }

    /// What SQLite may hold in memory: `2.0 GiB`.
    #[must_use]
    pub fn memory() -> String {
        space::readable(MEMORY)
    }
}

/// Which files SQL may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// None but its own database.
    Nothing,
    /// The same, and definitions may be written past SQLite's parser, as the shell's `.dump` does it for virtual tables.
    Definitions,
    /// Those that it names, as in production, but not this database and what belongs to it.
    AllBut(PathBuf),
}

/// What a statement wanted to do and may not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// ATTACH of another database, or VACUUM INTO, which attaches its target; the name of the file where it is a literal.
    File(Option<String>),
    /// The same with the snapshot itself, or with a file that SQLite would read together with it.
    Snapshot,
    /// A pragma that says where SQLite puts files.
    Folder(&'static str),
    /// `PRAGMA writable_schema`.
    WritableSchema,
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(Some(name)) => write!(formatter, "it reaches the file `{name}`"),
            Self::File(None) => formatter.write_str("it reaches a file whose name it puts together"),
            Self::Snapshot => formatter.write_str("it reaches the snapshot, which is only ever read"),
            Self::Folder(pragma) => write!(formatter, "`PRAGMA {pragma}` says where SQLite puts files"),
            Self::WritableSchema => {
                formatter.write_str("`PRAGMA writable_schema` lets statements write definitions past SQLite's parser")
            }
        }
    }
}

/// What becomes of an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Judgement {
    Allowed,
    /// It does nothing and says nothing: it would change the whole process.
    WithoutEffect,
    Refused(Refusal),
}

/// Pragmas that say where SQLite puts files, for all connections of the process.
const FOLDERS: [&str; 2] = ["temp_store_directory", "data_store_directory"];
/// Pragmas that limit the memory of all connections of the process.
const HEAP: [&str; 2] = ["hard_heap_limit", "soft_heap_limit"];

/// Judges what a statement that is being compiled is about to do. VACUUM attaches a nameless temporary database; that one is
/// SQLite's own. A file's name that is no literal is not known here, so that it is refused whatever it is.
pub(crate) fn judge(action: &AuthAction<'_>, reach: &Reach) -> Judgement {
    match action {
        AuthAction::Pragma { pragma_name, pragma_value: Some(value) } => judge_pragma(pragma_name, value, reach),
        AuthAction::Attach { filename } if filename.is_empty() || *filename == ":memory:" => Judgement::Allowed,
        AuthAction::Attach { filename } => match reach {
            Reach::Nothing | Reach::Definitions => Judgement::Refused(Refusal::File(Some((*filename).to_owned()))),
            Reach::AllBut(snapshot) if may_be(filename, snapshot) => Judgement::Refused(Refusal::Snapshot),
            Reach::AllBut(_) => Judgement::Allowed,
        },
        AuthAction::Unknown { code: ffi::SQLITE_ATTACH, .. } => Judgement::Refused(Refusal::File(None)),
        _ => Judgement::Allowed,
    }
}

fn judge_pragma(name: &str, value: &str, reach: &Reach) -> Judgement {
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    if HEAP.into_iter().any(is) {
        return Judgement::WithoutEffect;
    }
    match FOLDERS.into_iter().find(|folder| is(folder)) {
        Some(folder) if !matches!(reach, Reach::AllBut(_)) => Judgement::Refused(Refusal::Folder(folder)),
        None if *reach == Reach::Nothing && is("writable_schema") && !turns_off(value) => {
            Judgement::Refused(Refusal::WritableSchema)
        }
        _ => Judgement::Allowed,
    }
}

/// Whether a name that SQL gives to a file may lead to the snapshot or to what belongs to it. A URI that names a file system could be
/// any file. Source: <https://sqlite.org/uri.html>.
fn may_be(name: &str, snapshot: &Path) -> bool {
    let path = match name.strip_prefix("file:") {
        None => PathBuf::from(name),
        Some(uri) => {
            let (path, query) = uri.split_once(['?', '#']).unwrap_or((uri, ""));
            if query.contains("vfs") || query.contains('%') {
                return true;
            }
            // `//` begins the name of a machine, of which only this one is known.
            let path = path.strip_prefix("//").map_or(path, |rest| rest.find('/').map_or("", |start| &rest[start..]));
            PathBuf::from(OsString::from_vec(percent_decode_str(path).collect()))
        }
    };
    is_same_file(&path, snapshot) || is_sidecar_of(&path, snapshot)
}

/// Whether a value turns `writable_schema` off. Source: `getSafetyLevel` and `PragTyp_FLAG` in SQLite's `pragma.c`.
fn turns_off(value: &str) -> bool {
    ["0", "off", "no", "false", "reset"].iter().any(|word| value.eq_ignore_ascii_case(word))
}

/// Keeps the SQL of a connection within its reach, and the memory of all connections within bounds.
pub(crate) fn confine(connection: &mut Connection, reach: Reach) -> Result<()> {
    bound_memory(connection)?;
    connection.authorizer(Some(move |context: AuthContext<'_>| match judge(&context.action, &reach) {
        Judgement::Allowed => Authorization::Allow,
        Judgement::WithoutEffect => Authorization::Ignore,
        Judgement::Refused(_) => Authorization::Deny,
    }))
}

/// SQLite has one limit for the process; a connection can only lower it.
pub(super) fn bound_memory(connection: &Connection) -> Result<()> {
    connection.pragma_update(None, "hard_heap_limit", MEMORY.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(sql: &str) -> Option<Refusal> {
        let mut connection = Connection::open_in_memory().unwrap();
        let seen = std::sync::Arc::new(std::sync::Mutex::new(None));
        let noted = std::sync::Arc::clone(&seen);
        let judged = move |context: AuthContext<'_>| match judge(&context.action, &Reach::Nothing) {
            Judgement::Refused(refusal) => {
                *noted.lock().unwrap() = Some(refusal);
                Authorization::Deny
            }
            Judgement::WithoutEffect => Authorization::Ignore,
            Judgement::Allowed => Authorization::Allow,
        };
        connection.authorizer(Some(judged)).unwrap();
        let outcome = connection.execute_batch(sql);
        let seen = seen.lock().unwrap().clone();
        assert_eq!(outcome.is_err(), seen.is_some(), "{sql}: {outcome:?}");
        seen
    }

    #[test]
    fn a_file_is_refused_however_it_is_named() {
        let named = |name: &str| Some(Refusal::File(Some(name.to_owned())));
        assert_eq!(refused("ATTACH 'other.db' AS o"), named("other.db"));
        assert_eq!(refused("ATTACH \"other.db\" AS o"), named("other.db"));
        assert_eq!(refused("ATTACH other AS o"), named("other"));
        assert_eq!(refused("ATTACH 'file:/tmp/x?vfs=unix&mode=rwc' AS o"), named("file:/tmp/x?vfs=unix&mode=rwc"));
        assert_eq!(refused("ATTACH 'file::memory:?cache=shared' AS o"), named("file::memory:?cache=shared"));
        assert_eq!(refused("ATTACH 'a' || '.db' AS o"), Some(Refusal::File(None)));
        assert_eq!(refused("ATTACH (SELECT 'a.db') AS o"), Some(Refusal::File(None)));
        assert_eq!(refused("ATTACH CAST(x'612e6462' AS TEXT) AS o"), Some(Refusal::File(None)));
        assert_eq!(refused("VACUUM INTO 'a.db'"), named("a.db"));
        assert_eq!(refused("VACUUM INTO 'a' || '.db'"), named("a.db"));
        for own in ["ATTACH ':memory:' AS o", "ATTACH '' AS o; DETACH o", "VACUUM"] {
            assert_eq!(refused(own), None, "{own}");
        }
    }

    #[test]
    fn pragmas_that_reach_out_are_refused_and_others_are_not() {
        assert_eq!(refused("PRAGMA temp_store_directory = '/tmp'"), Some(Refusal::Folder("temp_store_directory")));
        assert_eq!(refused("PRAGMA Data_Store_Directory('/tmp')"), Some(Refusal::Folder("data_store_directory")));
        for on in ["ON", "1", "2", "yes", "'true'"] {
            assert_eq!(refused(&format!("PRAGMA writable_schema = {on}")), Some(Refusal::WritableSchema), "{on}");
        }
        for off in ["OFF", "0", "RESET", "no"] {
            assert_eq!(refused(&format!("PRAGMA writable_schema = {off}")), None, "{off}");
        }
        assert_eq!(refused("PRAGMA writable_schema; PRAGMA temp_store_directory; PRAGMA cache_size = -9000000"), None);
    }

    #[test]
    fn the_memory_of_the_process_is_not_the_sqls_to_set() {
        let mut connection = Connection::open_in_memory().unwrap();
        confine(&mut connection, Reach::Nothing).unwrap();
        connection.execute_batch("PRAGMA hard_heap_limit = 1000000; PRAGMA soft_heap_limit = 1000000").unwrap();
        let limit: i64 = connection.query_row("PRAGMA hard_heap_limit", [], |row| row.get(0)).unwrap();
        assert_eq!(limit, MEMORY.cast_signed());
    }

    #[test]
    fn the_snapshot_is_out_of_reach_whatever_else_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = folder.path().join("prod.db");
        std::fs::write(&snapshot, "").unwrap();
        std::os::unix::fs::symlink(&snapshot, folder.path().join("link.db")).unwrap();
        std::fs::hard_link(&snapshot, folder.path().join("hard.db")).unwrap();
        let folder = folder.path().display();
        for name in ["prod.db", "link.db", "hard.db", "prod.db-wal", "./prod.db-journal", "x/../prod.db"] {
            std::fs::create_dir_all(format!("{folder}/x")).unwrap();
            assert!(may_be(&format!("{folder}/{name}"), &snapshot), "{name}");
        }
        for uri in
            ["file:FOLDER/prod.db?mode=rw", "file://localhostFOLDER/prod%2Edb", "file:a?vfs=unix", "file:a?%76fs=unix"]
        {
            assert!(may_be(&uri.replace("FOLDER", &folder.to_string()), &snapshot), "{uri}");
        }
        for other in ["other.db", "file:other.db?mode=ro", "prod.db.bak"] {
            assert!(!may_be(&format!("{folder}/{other}"), &snapshot), "{other}");
        }
        assert!(!may_be(&format!("file:{folder}/other.db?mode=ro"), &snapshot));
    }
}
