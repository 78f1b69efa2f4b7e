//! Which databases are meant: those that a pattern matches, those in a folder, or those that a list names.

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

use glob::{MatchOptions, Pattern, PatternError};

use crate::error::{Doing as _, Error};
use crate::files;
use crate::repository::or_dot;
use crate::sqlite_file::header::MAGIC;

/// What SQLite adds to the name of a database for files that are not databases themselves.
pub(super) const SIDECARS: [&str; 3] = ["-wal", "-shm", "-journal"];
/// Names that are meant for databases, whatever is in the file.
const ENDINGS: [&str; 4] = ["db", "db3", "sqlite", "sqlite3"];
/// Signs that make a pattern of a path.
const SIGNS: [char; 3] = ['*', '?', '['];

/// How patterns are read: as a shell does, but that names may begin with a dot.
const MATCHING: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// How several databases are given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// By a pattern: `*`, `?`, `[…]` within a name, `**` for folders in folders.
    Pattern(PathBuf),
    /// As a folder with everything below it.
    Folder(PathBuf),
    /// By a file with a path on each line; `-` is standard input.
    List(PathBuf),
}

/// The databases that are meant.
#[derive(Debug, Clone)]
pub struct Databases {
    /// How they were given.
    pub selection: Selection,
    /// In the order of their names.
    pub found: Vec<Database>,
    /// Files of the folder that are no databases.
    pub left_aside: u64,
    /// Paths to a file that another name leads to as well.
    pub duplicates: u64,
}

/// One of the databases.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Database {
    /// Its path below what the pattern or the folder begins with, or as the list has it. Bytes that are no UTF-8 are written `\xff`,
    /// and `\` is `\\`, but in a list.
    pub name: String,
    /// Its path.
    pub path: PathBuf,
}

impl Selection {
    /// Several databases, where the path is that of a folder, or is no file's and a pattern.
    #[must_use]
    pub fn of_argument(path: &Path) -> Option<Self> {
        if path.is_dir() {
            return Some(Self::Folder(path.to_path_buf()));
        }
        let is_there = path.symlink_metadata().is_ok();
        (!is_there && path.to_string_lossy().contains(SIGNS)).then(|| Self::Pattern(path.to_path_buf()))
    }

    /// As it was given.
    #[must_use]
    pub fn path(&self) -> &Path {
        let (Self::Pattern(path) | Self::Folder(path) | Self::List(path)) = self;
        path
    }

    /// The folder below which all of them are; of a list the one in which it lies.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        let root = match self {
            Self::Pattern(pattern) => root_of(pattern),
            Self::Folder(folder) => folder.clone(),
            Self::List(list) => list.parent().map(Path::to_path_buf).unwrap_or_default(),
        };
        or_dot(&root).to_path_buf()
    }

    /// `pattern`, `folder`, `list`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Pattern(_) => "pattern",
            Self::Folder(_) => "folder",
            Self::List(_) => "list",
        }
    }

    /// Finds the databases. What a list names need not be there.
    ///
    /// # Errors
    /// Where there is none, the pattern is none, or a folder or the list cannot be read.
    pub fn find(self) -> Result<Databases, Error> {
        let (mut found, left_aside) = match &self {
            Self::Pattern(pattern) => (matching(pattern)?, 0),
            Self::Folder(folder) => below(folder)?,
            Self::List(list) => (listed(list)?, 0),
        };
        found.sort();
        let mut files = BTreeSet::new();
        let named = found.len();
        found.retain(|database| {
            let identity = database.path.metadata().map(|file| (file.dev(), file.ino()));
            identity.map_or(true, |identity| files.insert(identity))
        });
        let duplicates = (named - found.len()) as u64;
        Ok(Databases { selection: self, found, left_aside, duplicates })
    }
}

impl Database {
    fn below(root: &Path, path: PathBuf) -> Self {
        Self { name: shown(path.strip_prefix(root).unwrap_or(&path)), path }
    }
}

/// The path as text from which no two paths have the same.
fn shown(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        text.push_str(&chunk.valid().replace('\\', "\\\\"));
        text.extend(chunk.invalid().iter().map(|byte| format!("\\x{byte:02x}")));
    }
    text
}

fn finding(path: &Path) -> String {
    format!("finding the databases of `{}`", path.display())
}

fn matching(given: &Path) -> Result<Vec<Database>, Error> {
    let doing = || finding(given);
    let plain: PathBuf = given.components().collect();
    let text = plain.to_str().ok_or_else(|| Error::usage(doing(), "the pattern is not UTF-8"))?;
    let wrong = |error: PatternError| Error::usage(doing(), format!("at character {}: {}", error.pos + 1, error.msg));
    let pattern = Pattern::new(text).map_err(wrong)?;
    let root = root_of(&plain);
    let parts = plain.components().skip(root.components().count());
    let parts: Vec<Pattern> = parts.map(part_of).collect::<Result<_, _>>().map_err(wrong)?;
    let mut paths = Vec::new();
    if root.as_os_str().is_empty() || root.is_dir() {
        if text.contains("**") {
            match_below(&root, &pattern, &mut Vec::new(), &mut paths)?;
        } else {
            match_parts(&root, &parts, &mut paths)?;
        }
    }
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = paths.into_iter().partition(|path| path.is_dir());
    let files = files.into_iter().filter(|path| !is_sidecar(path));
    let found: Vec<Database> = files.map(|path| Database::below(&root, path)).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let error = Error::usage(doing(), if folders.is_empty() { "no file matches" } else { "only folders match" });
    Err(if folders.is_empty() {
        error.hint("`*`, `?` and `[…]` stand for parts of a name, `**` for folders in folders")
    } else {
        error.hint(format!("name the databases in them: --snapshot '{text}/*.db'"))
    })
}

fn part_of(part: Component<'_>) -> Result<Pattern, PatternError> {
    Pattern::new(&part.as_os_str().to_string_lossy())
}

/// What is below the folder by names that match, one part a folder. Of a name that is not UTF-8 any sign matches what is none.
fn match_parts(folder: &Path, parts: &[Pattern], found: &mut Vec<PathBuf>) -> Result<(), Error> {
    let doing = || format!("reading the folder `{}`", folder.display());
    let Some((first, rest)) = parts.split_first() else { return Ok(()) };
    let names = if first.as_str().contains(SIGNS) {
        let here = or_dot(folder);
        let names = std::fs::read_dir(here).and_then(|entries| entries.map(|entry| Ok(entry?.file_name())).collect());
        let mut names: Vec<OsString> = names.doing(doing)?;
        names.retain(|name| first.matches_with(&name.to_string_lossy(), MATCHING));
        names
    } else {
        vec![first.as_str().into()]
    };
    for path in names.into_iter().map(|name| folder.join(name)) {
        if !rest.is_empty() {
            if path.is_dir() {
                match_parts(&path, rest, found)?;
            }
        } else if path.symlink_metadata().is_ok() {
            found.push(path);
        }
    }
    Ok(())
}

/// What matches below the folder. Links are followed, but not to a folder that one is in: that would not end.
fn match_below(
    folder: &Path,
    pattern: &Pattern,
    above: &mut Vec<(u64, u64)>,
    found: &mut Vec<PathBuf>,
) -> Result<(), Error> {
    let doing = || format!("reading the folder `{}`", folder.display());
    let here = or_dot(folder);
    let metadata = here.metadata().doing(doing)?;
    let identity = (metadata.dev(), metadata.ino());
    if above.contains(&identity) {
        return Ok(());
    }
    above.push(identity);
    for entry in std::fs::read_dir(here).doing(doing)? {
        let path = folder.join(entry.doing(doing)?.file_name());
        if pattern.matches_with(&path.to_string_lossy(), MATCHING) {
            found.push(path.clone());
        }
        if path.is_dir() {
            match_below(&path, pattern, above, found)?;
        }
    }
    above.pop();
    Ok(())
}

fn is_plain(part: &Component<'_>) -> bool {
    !part.as_os_str().to_string_lossy().contains(SIGNS)
}

/// The folders that a pattern begins with.
fn root_of(pattern: &Path) -> PathBuf {
    pattern.components().take_while(is_plain).collect()
}

/// Every file below the folder that begins as a database does or is called like one, and how many others there are. Links are followed;
/// what cannot be read is taken for a database, so that it is told.
fn below(root: &Path) -> Result<(Vec<Database>, u64), Error> {
    let (mut found, mut left_aside) = (Vec::new(), 0);
    let (mut folders, mut seen) = (vec![root.to_path_buf()], BTreeSet::new());
    while let Some(folder) = folders.pop() {
        let doing = || format!("reading the folder `{}`", folder.display());
        let metadata = folder.metadata().doing(doing)?;
        if !seen.insert((metadata.dev(), metadata.ino())) {
            continue;
        }
        for entry in std::fs::read_dir(&folder).doing(doing)? {
            let path = entry.doing(doing)?.path();
            if path.is_dir() {
                folders.push(path);
            } else if is_called_like_one(&path) || begins_like_one(&path) {
                found.push(Database::below(root, path));
            } else if !is_sidecar(&path) {
                left_aside += 1;
            }
        }
    }
    if found.is_empty() {
        return Err(Error::usage(finding(root), "no file in it is a SQLite database")
            .hint("dumps and compressed files are found by a pattern: --snapshot 'folder/*.sql.gz'"));
    }
    Ok((found, left_aside))
}

/// The paths that the file names, as seen from its folder.
fn listed(list: &Path) -> Result<Vec<Database>, Error> {
    let doing = || format!("reading the list of databases `{}`", list.display());
    let text = if list == Path::new("-") { io::read_to_string(io::stdin().lock()) } else { files::read_utf8(list) };
    let text = text
        .map_err(|cause| Error::usage(doing(), cause).hint("a list is a file of UTF-8 text; `-` is standard input"))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let folder = list.parent().unwrap_or(Path::new(""));
    let is_path = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let named = text.lines().map(|line| line.trim_end_matches('\r')).filter(is_path);
    let found: Vec<_> = named.map(|line| Database { name: line.to_owned(), path: folder.join(line) }).collect();
    if found.is_empty() {
        return Err(Error::usage(doing(), "it names no database")
            .hint("write one path on each line, as seen from the list's folder; a line with # is a comment"));
    }
    Ok(found)
}

/// Whether it belongs to a database that is there. A database may be called like one.
fn is_sidecar(path: &Path) -> bool {
    let name = path.as_os_str().as_bytes();
    let is_there = |database: &[u8]| Path::new(OsStr::from_bytes(database)).is_file();
    let ends = |suffix: &&str| name.strip_suffix(suffix.as_bytes()).is_some_and(is_there);
    SIDECARS.iter().any(ends) && !begins_like_one(path)
}

fn is_called_like_one(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// Also where nobody can tell. A pipe is not opened: that waits for somebody to write.
fn begins_like_one(path: &Path) -> bool {
    if !path.is_file() {
        return false;
    }
    let mut first = [0; MAGIC.len()];
    match File::open(path).and_then(|mut file| file.read_exact(&mut first)) {
        Ok(()) => first == *MAGIC,
        Err(error) => error.kind() != io::ErrorKind::UnexpectedEof,
    }
}
