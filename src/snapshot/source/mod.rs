//! What people have in place of a database file: a dump, something compressed, standard input, a command.
//!
//! Takes a [`Source`], gives a [`Given`]: a database file. One that was given stays where it is and is not even copied; of anything
//! else the content becomes a database in the workspace. What something is its first bytes say, never its name.
//!
//! ```text
//! file ────────────────┐         ┌─ gzip, zstd → unpacked, and looked at again
//! standard input ──────┼─ bytes ─┼─ a database → a file in the workspace
//! a command's output ──┘         ├─ SQL        → run statement by statement on a new database in the workspace
//!                                └─ else       → refused, in words
//! ```

mod command;
mod compressed;
mod dialect;
mod dump;
mod statements;

use std::fs::File;
use std::io::{self, Cursor, IsTerminal as _, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use super::imprint::{Depth, Imprint};
use super::location::{Location, opening};
use super::recognize::{self, Form, SAMPLE_BYTES};
use super::workspace::Workspace;
use super::{Extent, TICK, space};
use crate::error::Error;
use crate::observer::{Observer, Stage, Underway, Work};
use crate::sqlite_file::header::Header;
use crate::units::hex;
use command::Running;

/// How often something may be compressed.
const LAYERS: usize = 4;

/// How many times larger than what it was read from something may be, beyond the first bytes. No database that people use is packed
/// so well, and what is made to fill the disk is packed better.
const LARGEST: u64 = 250;

/// Bytes that may be unpacked from however few.
const UNPACKED_FREELY: u64 = 64 << 20;

/// What a person gives as the snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A file: a database, a dump, or one of them compressed.
    File(PathBuf),
    /// The same from standard input.
    Stdin,
    /// The same from the output of a command, which `sh` runs.
    Command(String),
}

/// A database file that can be opened, and what it was made of.
#[derive(Debug, Clone)]
pub struct Given {
    pub(super) location: Location,
    pub(super) made_of: Option<MadeOf>,
}

/// What a database in the workspace was made of.
#[derive(Debug, Clone)]
pub(super) struct MadeOf {
    pub origin: Origin,
    /// The file that was given and what it was, where it was a file.
    pub file: Option<(Location, Imprint)>,
    /// The size of what was given.
    pub bytes: u64,
    /// Of its bytes, in hexadecimal digits.
    pub sha256: String,
    pub modified: Option<SystemTime>,
}

/// In what form the snapshot was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// Where its bytes came from.
    pub channel: Channel,
    /// How they were compressed, the outermost first.
    pub compression: Vec<Compression>,
    /// What they were.
    pub content: Content,
}

/// Where the bytes of a snapshot come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// A file.
    File,
    /// Standard input.
    Stdin,
    /// The output of a command.
    Command,
}

/// How something is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

/// What a snapshot is, once unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A database.
    Database,
    /// The SQL that makes it.
    Dump {
        /// Whether it is in a transaction, so that one that is cut off is always known by it.
        says_where_it_ends: bool,
    },
}

impl Compression {
    /// `gzip`, `zstd`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }
}

impl Origin {
    /// A database file that is read as it is.
    pub(super) const FILE: Self = Self { channel: Channel::File, compression: Vec::new(), content: Content::Database };

    /// `an SQL dump, compressed with gzip`, the innermost first.
    #[must_use]
    pub fn describe(&self) -> String {
        let content = match self.content {
            Content::Database => "a database",
            Content::Dump { .. } => "an SQL dump",
        };
        let layers: Vec<&str> = self.compression.iter().rev().map(|layer| layer.name()).collect();
        if layers.is_empty() {
            content.to_owned()
        } else {
            format!("{content}, compressed with {}", layers.join(" and "))
        }
    }
}

impl From<PathBuf> for Source {
    fn from(path: PathBuf) -> Self {
        Self::File(path)
    }
}

impl Source {
    /// What a path of the command line means: `-` is standard input.
    #[must_use]
    pub fn of_argument(path: PathBuf) -> Self {
        if path.as_os_str() == "-" { Self::Stdin } else { Self::File(path) }
    }

    /// What it is called in reports: the path of a file as it was given.
    #[must_use]
    pub fn name(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Stdin => Path::new("standard input"),
            Self::Command(_) => Path::new("snapshot command"),
        }
    }

    /// Makes a database file of it, in the workspace, unless it is one. Standard input and a command's output are read to their end.
    ///
    /// # Errors
    /// When it cannot be read or is none of what can be read (SN904), when a dump does not run to its end, when the command fails,
    /// and when the disk would be full.
    pub fn fetch(&self, workspace: &Workspace, extent: Extent, observer: &dyn Observer) -> Result<Given, Error> {
        let fetching = Fetching { name: self.name(), workspace, observer };
        match self {
            Self::File(path) => fetching.file(path, extent),
            Self::Stdin if io::stdin().is_terminal() => {
                Err(Error::usage("reading the snapshot from standard input", "it is a terminal")
                    .hint("send something there: `ssh prod 'sqlite3 prod.db .dump' | rehearse --snapshot -`"))
            }
            Self::Stdin => fetching.stream(Channel::Stdin, io::stdin(), None),
            Self::Command(command) => fetching.command(command),
        }
    }
}

struct Fetching<'a> {
    name: &'a Path,
    workspace: &'a Workspace,
    observer: &'a dyn Observer,
}

impl Fetching<'_> {
    fn file(&self, path: &Path, extent: Extent) -> Result<Given, Error> {
        let location = Location::find(path)?;
        if !recognize::form(&recognize::sample(&location)?).becomes_a_database() {
            return Ok(Given { location, made_of: None });
        }
        let cannot = |error: io::Error| location.error(error);
        let metadata = location.db.metadata().map_err(cannot)?;
        let depth = if extent.is_whole(metadata.len()) { Depth::Content } else { Depth::Stat };
        let imprint = Imprint::settled(&location, depth, TICK, self.observer).map_err(cannot)?;
        let file = File::open(&location.db).map_err(cannot)?;
        let mut given = self.stream(Channel::File, file, Some(metadata.len()))?;
        let changes = imprint.changes(&Imprint::of(&location, depth, self.observer).map_err(cannot)?, None);
        if !changes.is_empty() {
            return Err(location
                .error(format!("it changed while it was read: {}", changes.join(", ")))
                .rule("SN905")
                .hint("wait until it is written, or rehearse on a copy of it"));
        }
        if let Some(made_of) = &mut given.made_of {
            made_of.modified = metadata.modified().ok();
            made_of.file = Some((location, imprint));
        }
        Ok(given)
    }

    fn command(&self, command: &str) -> Result<Given, Error> {
        let (running, output) = Running::start(command)?;
        let ended = Arc::new(AtomicBool::new(false));
        let output = Watched { inner: output, ended: Arc::clone(&ended) };
        let given = self.stream(Channel::Command, output, None);
        // Where the output ended, the command knows better why it is not what it should be.
        if given.is_ok() || ended.load(Ordering::Relaxed) {
            running.finish()?;
        }
        given
    }

    /// Makes a database of what is read.
    fn stream(&self, channel: Channel, from: impl Read + 'static, total: Option<u64>) -> Result<Given, Error> {
        let work = Work::begin(self.observer, Stage::Import, total);
        let hash = Arc::default();
        let counted = Counted { inner: from, work: work.share(), hash: Arc::clone(&hash) };
        let (origin, db) = self.make(channel, Box::new(counted), &work)?;
        // A command made it on the spot; of what else comes through a pipe nobody knows.
        let modified = (channel == Channel::Command).then(SystemTime::now);
        let location = Location::find(&db)?.called(self.name);
        let bytes = work.done();
        let sha256 = hex(&locked(&hash).clone().finalize());
        Ok(Given { location, made_of: Some(MadeOf { origin, file: None, bytes, sha256, modified }) })
    }

    fn make(&self, channel: Channel, mut from: Box<dyn Read>, work: &Underway<'_>) -> Result<(Origin, PathBuf), Error> {
        let mut compression = Vec::new();
        loop {
            let sample = sample(&mut from).map_err(|error| unreadable(self.name, &error))?;
            let form = recognize::form(&sample);
            from = Box::new(Cursor::new(sample.clone()).chain(from));
            if !compression.is_empty() {
                from = Box::new(Bounded { inner: from, read: 0, work: work.share() });
            }
            match form {
                Form::Compressed(layer) if compression.len() < LAYERS => {
                    compression.push(layer);
                    from = compressed::unpacked(from, layer);
                }
                Form::Database => {
                    if let Some(bytes) = Header::parse(&sample).ok().and_then(|header| header.trusted_bytes()) {
                        space::refuse_when_full(self.workspace.path(), bytes)?;
                    }
                    let db = self.workspace.unused("snapshot");
                    self.write(from, &db)?;
                    return Ok((Origin { channel, compression, content: Content::Database }, db));
                }
                Form::Dump => {
                    if let Some(other) = dialect::of_beginning(&sample) {
                        return Err(dialect::refused(opening(self.name, dialect::cause(other))));
                    }
                    let db = self.workspace.unused("snapshot");
                    let says_where_it_ends = dump::import(from, &db, self.workspace.path(), self.name, dump::LONGEST)?;
                    return Ok((Origin { channel, compression, content: Content::Dump { says_where_it_ends } }, db));
                }
                Form::Compressed(_) | Form::Other => {
                    return Err(recognize::refused_content(self.name, &sample, !compression.is_empty()));
                }
            }
        }
    }

    /// Writes a database to a file.
    fn write(&self, mut from: impl Read, to: &Path) -> Result<(), Error> {
        let mut file = File::create_new(to).map_err(|error| opening(self.name, error))?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            let read = match from.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unreadable(self.name, &error)),
            };
            if !space::is_left(self.workspace.path()) {
                let doing = format!("unpacking the snapshot `{}`", self.name.display());
                return Err(space::full(&doing, self.workspace.path()));
            }
            file.write_all(&buffer[..read]).map_err(|error| opening(self.name, error))?;
        }
    }
}

/// The statements of a dump and the lines on which they begin.
pub(crate) fn statements_of(dump: impl Read) -> io::Result<Vec<(Vec<u8>, u64)>> {
    let mut statements = statements::Statements::of(dump);
    let mut found = Vec::new();
    while let Some(cut) = statements.next()? {
        found.push((cut.sql.to_vec(), cut.line));
    }
    Ok(found)
}

/// What was given cannot be read to its end: the device fails, or it is not what its first bytes say.
fn unreadable(given: &Path, error: &io::Error) -> Error {
    let cannot = opening(given, error);
    if error.kind() == io::ErrorKind::InvalidData { cannot.rule("SN904") } else { cannot }
}

/// The first bytes, as many as are looked at.
fn sample(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut sample = Vec::new();
    from.take(SAMPLE_BYTES).read_to_end(&mut sample)?;
    Ok(sample)
}

/// Counts and hashes what is read.
struct Counted<R> {
    inner: R,
    work: Arc<Work>,
    hash: Arc<Mutex<Sha256>>,
}

fn locked(hash: &Mutex<Sha256>) -> MutexGuard<'_, Sha256> {
    hash.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.work.add(read as u64);
        locked(&self.hash).update(&into[..read]);
        Ok(read)
    }
}

/// Refuses to unpack what is far larger than what it was read from.
struct Bounded<R> {
    inner: R,
    read: u64,
    /// Counts what it was read from.
    work: Arc<Work>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.read += read as u64;
        if self.read > UNPACKED_FREELY && self.read / LARGEST > self.work.done() {
            let message =
                format!("it is more than {LARGEST} times larger unpacked: unpack it, and name what comes out");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(read)
    }
}

/// Remembers whether the end was reached.
struct Watched<R> {
    inner: R,
    ended: Arc<AtomicBool>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(into)?;
        self.ended.fetch_or(read == 0 && !into.is_empty(), Ordering::Relaxed);
        Ok(read)
    }
}
