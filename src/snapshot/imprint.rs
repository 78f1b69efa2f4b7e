//! What the snapshot's files were, so that a change can be seen and named.

use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use xxhash_rust::xxh3::Xxh3;

use super::location::Location;
use crate::observer::{Observer, Stage, Work};

/// Bytes that are read at once at first, and of a file that is larger.
const SMALL_BUFFER: usize = 1 << 16;
const LARGE_BUFFER: usize = 1 << 20;

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
    /// None where only what the file system says is compared.
    content: Option<Content>,
}

/// How closely files are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// What the file system says of them: size, inode, when they were written and changed.
    Stat,
    /// Every byte too.
    Content,
}

/// What the file system says about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stat {
    inode: u64,
    bytes: u64,
    modified: SystemTime,
    /// When anything of the file was changed last, in nanoseconds; nobody can set this one.
    changed: i128,
}

/// The XXH3-128 hash of a file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Content(u128);

impl Imprint {
    /// Looks at all the files.
    pub fn of(location: &Location, depth: Depth, observer: &dyn Observer) -> io::Result<Self> {
        let seen = stats(location)?;
        match depth {
            Depth::Content => {
                let imprint = Self::of_known(&seen, |_| None, observer)?;
                // An app that went away has removed its log after writing it into the file, which may have been read before.
                let is_gone =
                    |(seen, file): (&(PathBuf, Option<Stat>), &FileImprint)| seen.1.is_some() && file.state.is_none();
                if seen.iter().zip(&imprint.files).any(is_gone) {
                    return Self::of_known(&stats(location)?, |_| None, observer);
                }
                Ok(imprint)
            }
            Depth::Stat => {
                let state = |stat| State { stat, content: None };
                let file = |(path, stat): (PathBuf, Option<Stat>)| FileImprint { path, state: stat.map(state) };
                Ok(Self { files: seen.into_iter().map(file).collect() })
            }
        }
    }

    /// Looks at all the files; at ones that were written a moment ago a moment later, so that their time tells a second write.
    pub fn settled(location: &Location, depth: Depth, tick: Duration, observer: &dyn Observer) -> io::Result<Self> {
        let imprint = Self::of(location, depth, observer)?;
        if depth == Depth::Content || !imprint.is_fresh(SystemTime::now(), tick) {
            return Ok(imprint);
        }
        std::thread::sleep(tick);
        Self::of(location, depth, observer)
    }

    /// How closely the files were looked at.
    pub fn depth(&self) -> Depth {
        let by_stat = self.files.iter().filter_map(|file| file.state).any(|state| state.content.is_none());
        if by_stat { Depth::Stat } else { Depth::Content }
    }

    /// The imprint of files whose content may be known already, because it was copied.
    pub fn of_known(
        seen: &[(PathBuf, Option<Stat>)],
        known: impl Fn(&Path) -> Option<Content>,
        observer: &dyn Observer,
    ) -> io::Result<Self> {
        let unknown = seen.iter().filter(|(path, _)| known(path).is_none());
        let total = unknown.filter_map(|(_, stat)| Some(stat.as_ref()?.bytes)).sum();
        let work = (total > 0).then(|| Work::begin(observer, Stage::Verify, Some(total)));
        let mut before = 0;
        let mut file = |(path, stat): &(PathBuf, Option<Stat>)| -> io::Result<FileImprint> {
            let content = match known(path) {
                Some(content) => Some(content),
                None => existing(Content::of(path, |bytes| {
                    if let Some(work) = &work {
                        work.reach(before + bytes);
                    }
                }))?,
            };
            before = work.as_ref().map_or(0, |work| work.done());
            let state = stat.zip(content).map(|(stat, content)| State { stat, content: Some(content) });
            Ok(FileImprint { path: path.clone(), state })
        };
        Ok(Self { files: seen.iter().map(&mut file).collect::<io::Result<_>>()? })
    }

    /// Whether a file was written so lately that a second write may have left the same modification time, which file systems
    /// round to `tick`.
    pub fn is_fresh(&self, now: SystemTime, tick: Duration) -> bool {
        self.newest().is_some_and(|newest| now.duration_since(newest).map_or(true, |age| age <= tick))
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
    /// `advance` is told the bytes so far.
    pub fn of(path: &Path, advance: impl FnMut(u64)) -> io::Result<Self> {
        Self::pour(&mut File::open(path)?, &mut io::sink(), advance)
    }

    /// Copies bytes and hashes them on the way; `advance` is told the bytes so far.
    pub fn pour(from: &mut impl Read, into: &mut impl Write, mut advance: impl FnMut(u64)) -> io::Result<Self> {
        // Most files are small, and to clear what they do not fill takes longer than to read them.
        let mut buffer = vec![0; SMALL_BUFFER];
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
            if filled == SMALL_BUFFER {
                buffer.resize(LARGE_BUFFER, 0);
            }
        }
    }
}

impl State {
    /// Where the bytes are known, it does not matter that a file got another owner or another link.
    fn is_what_it_was(&self, now: &Self) -> bool {
        let changed = if self.content.is_some() { now.stat.changed } else { self.stat.changed };
        self.content == now.content && Stat { changed, ..self.stat } == now.stat
    }
}

impl Stat {
    fn from(metadata: &Metadata) -> io::Result<Self> {
        let changed = i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
        Ok(Self { inode: metadata.ino(), bytes: metadata.len(), modified: metadata.modified()?, changed })
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
        (Some(was), Some(is)) if was.is_what_it_was(&is) => return None,
        (Some(was), Some(is)) => (was, is),
    };
    let (from, to) = (was.stat.bytes, is.stat.bytes);
    Some(match from.cmp(&to) {
        std::cmp::Ordering::Less => format!("`{name}` grew from {from} to {to} bytes"),
        std::cmp::Ordering::Greater => format!("`{name}` shrank from {from} to {to} bytes"),
        std::cmp::Ordering::Equal if was.content != is.content => {
            format!("`{name}` has other content of the same size")
        }
        std::cmp::Ordering::Equal if was.content.is_some() => {
            format!("`{name}` was touched: same content, other modification time or inode")
        }
        std::cmp::Ordering::Equal => format!("`{name}` was written, or touched"),
    })
}
