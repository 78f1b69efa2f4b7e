//! Copies the snapshot's files as they are, without SQLite, and makes sure that nobody wrote meanwhile.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::imprint::{Content, Depth, Imprint, existing, stats};
use super::journal::{Journal, Wal, detach_super_journal};
use super::location::{Location, beside, folder_of};
use super::locks::Liveness;
use super::{Method, Taken, discard, space};
use crate::error::Error;
use crate::observer::{Observer, Work};

/// Copies the database to `to`, with its WAL and its journal where SQLite would read them. `None` when the files changed while
/// they were copied.
pub(super) fn take(
    location: &Location,
    to: &Path,
    work: &Work,
    observer: &dyn Observer,
) -> Result<Option<Taken>, Error> {
    let started = SystemTime::now();
    let cannot = |error: io::Error| location.error(error);
    discard(to).map_err(cannot)?;
    let before = stats(location).map_err(cannot)?;
    let copies = Copies::make(location, to, work)?;
    if stats(location).map_err(cannot)? != before {
        return Ok(None);
    }
    let imprint = Imprint::of_known(&before, |path| copies.content(path), observer).map_err(cannot)?;
    let again = || Imprint::of(location, Depth::Content, observer).map_err(cannot);
    if imprint.is_fresh(started, COARSEST_TICK) && again()? != imprint {
        return Ok(None);
    }
    Ok(Some(Taken { imprint, method: copies.method }))
}

/// What the coarsest file systems round times to.
const COARSEST_TICK: Duration = Duration::from_secs(2);

struct Copies {
    contents: Vec<(PathBuf, Content)>,
    method: Method,
}

impl Copies {
    /// Copies the files under one base name: SQLite finds a sidecar by its name.
    fn make(location: &Location, to: &Path, work: &Work) -> Result<Self, Error> {
        let cannot = |error: io::Error| location.error(error);
        let liveness = Liveness::of(location);
        let mut copies = Self { contents: Vec::new(), method: Method::Reflink };
        copies.add(location, &location.db, to, |bytes| work.reach(bytes))?;
        let (wal, journal) = (beside(to, "-wal"), beside(to, "-journal"));
        if Wal::of(location).map_err(cannot)?.bytes() > 0 {
            copies.add(location, &location.wal, &wal, |_| ())?;
        }
        if Journal::of(location, liveness).map_err(cannot)?.rolls_back() {
            copies.add(location, &location.journal, &journal, |_| ())?;
            existing(detach_super_journal(&journal)).map_err(cannot)?;
        }
        Ok(copies)
    }

    /// `advance` is told the bytes so far.
    fn add(&mut self, location: &Location, from: &Path, to: &Path, advance: impl FnMut(u64)) -> Result<(), Error> {
        let content = if reflink_copy::reflink(from, to).is_ok() {
            File::open(to).and_then(|mut copy| Content::pour(&mut copy, &mut io::sink(), advance))
        } else {
            self.method = Method::Copy;
            refuse_when_full(location, to)?;
            copy(from, to, advance)
        };
        // A sidecar that is gone again shows in the comparison of the files before and after.
        let content =
            existing(content).map_err(|error| location.error(format!("copying `{}`: {error}", from.display())))?;
        self.contents.extend(content.map(|content| (from.to_path_buf(), content)));
        Ok(())
    }

    fn content(&self, path: &Path) -> Option<Content> {
        self.contents.iter().find(|(copied, _)| copied == path).map(|(_, content)| *content)
    }
}

/// Only where the file system cannot share the blocks.
fn refuse_when_full(location: &Location, to: &Path) -> Result<(), Error> {
    let bytes = location.bytes().map_err(|error| location.error(error))?;
    space::refuse_when_full(&folder_of(to), bytes)
}

fn copy(from: &Path, to: &Path, advance: impl FnMut(u64)) -> io::Result<Content> {
    let mut from = File::open(from)?;
    let mut to = File::create_new(to)?;
    Content::pour(&mut from, &mut to, advance)
}
