//! What the snapshot's files were, so that a change can be seen and named.

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use xxhash_rust::xxh3::Xxh3;

use super::location::Location;

/// The state of the database file and of its sidecars at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Imprint {
    files: Vec<FileImprint>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct FileImprint {
    path: PathBuf,
    state: Option<State>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct State {
    stat: Stat,
    content: Content,
}

/// What the file system says about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    inode: u64,
    bytes: u64,
    modified: SystemTime,
}

/// The XXH3-128 hash of a file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content(u128);

impl Imprint {
    /// Reads all the files.
    pub fn of(location: &Location) -> io::Result<Self> {
        Self::of_known(&stats(location)?, |_| None)
    }

    /// The imprint of files whose content may be known already, because it was copied.
    pub fn of_known(seen: &[(PathBuf, Option<Stat>)], known: impl Fn(&Path) -> Option<Content>) -> io::Result<Self> {
        let file = |(path, stat): &(PathBuf, Option<Stat>)| -> io::Result<FileImprint> {
            let content = match known(path) {
                Some(content) => Some(content),
                None => existing(Content::of(path))?,
            };
            let state = stat.zip(content).map(|(stat, content)| State { stat, content });
            Ok(FileImprint { path: path.clone(), state })
        };
        Ok(Self { files: seen.iter().map(file).collect::<io::Result<_>>()? })
    }

    /// Whether a file was written so lately that a second write may have left the same modification time: file systems round
    /// it, the coarsest ones to two seconds.
    pub fn is_fresh(&self, now: SystemTime) -> bool {
        self.newest().is_some_and(|newest| newest + Duration::from_secs(2) >= now)
    }

    /// When a file was written last.
    fn newest(&self) -> Option<SystemTime> {
        self.files.iter().filter_map(|file| Some(file.state?.stat.modified)).max()
    }

    /// What changed since `self`, one clause for each file; `but` is not looked at.
    pub fn changes(&self, now: &Self, but: Option<&Path>) -> Vec<String> {
        let pairs = self.files.iter().zip(&now.files).filter(|(before, _)| Some(before.path.as_path()) != but);
        pairs.filter_map(|(before, now)| change(before, now)).collect()
    }
}

impl Content {
    pub fn of(path: &Path) -> io::Result<Self> {
        Self::pour(&mut File::open(path)?, &mut io::sink(), |_| ())
    }

    /// Copies bytes and hashes them on the way; `advance` is told the bytes so far.
    pub fn pour(from: &mut impl Read, into: &mut impl Write, mut advance: impl FnMut(u64)) -> io::Result<Self> {
        let mut buffer = vec![0; 1 << 20];
        let mut hash = Xxh3::new();
        let mut bytes = 0;
        loop {
            let filled = match from.read(&mut buffer) {
                Ok(0) => return Ok(Self(hash.digest128())),
                Ok(filled) => filled,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            hash.update(&buffer[..filled]);
            into.write_all(&buffer[..filled])?;
            bytes += filled as u64;
            advance(bytes);
        }
    }
}

impl Stat {
    fn from(metadata: &Metadata) -> io::Result<Self> {
        Ok(Self { inode: metadata.ino(), bytes: metadata.len(), modified: metadata.modified()? })
    }
}

/// What the file system says about the database and its sidecars; `None` for a file that is not there.
pub(super) fn stats(location: &Location) -> io::Result<Vec<(PathBuf, Option<Stat>)>> {
    let stat = |path: &Path| -> io::Result<_> {
        let metadata = existing(path.metadata())?;
        Ok((path.to_path_buf(), metadata.as_ref().map(Stat::from).transpose()?))
    };
    location.files().into_iter().map(stat).collect()
}

/// `None` for a file that is not there. An app removes its sidecars at any time, also between looking and reading.
pub(super) fn existing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn change(before: &FileImprint, now: &FileImprint) -> Option<String> {
    let name = before.path.file_name().unwrap_or_default().to_string_lossy();
    let (was, is) = match (before.state, now.state) {
        (None, None) => return None,
        (None, Some(_)) => return Some(format!("`{name}` appeared")),
        (Some(_), None) => return Some(format!("`{name}` was removed")),
        (Some(was), Some(is)) if was == is => return None,
        (Some(was), Some(is)) => (was, is),
    };
    let (from, to) = (was.stat.bytes, is.stat.bytes);
    Some(match from.cmp(&to) {
        std::cmp::Ordering::Less => format!("`{name}` grew from {from} to {to} bytes"),
        std::cmp::Ordering::Greater => format!("`{name}` shrank from {from} to {to} bytes"),
        std::cmp::Ordering::Equal if was.content != is.content => {
            format!("`{name}` has other content of the same size")
        }
        std::cmp::Ordering::Equal => format!("`{name}` was touched: same content, other modification time or inode"),
    })
}
