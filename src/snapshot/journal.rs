//! The sidecars: the write-ahead log and the rollback journal, and what the journal means.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use super::imprint::existing;
use super::location::Location;
use super::locks::Liveness;

/// The first bytes of a rollback journal, and the last ones of one that names a super-journal
/// (<https://sqlite.org/fileformat2.html#the_rollback_journal>).
pub(super) const MAGIC: &[u8; 8] = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";

/// The write-ahead log beside the snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wal {
    /// There is none.
    Absent,
    /// It has no bytes.
    Empty,
    /// It has this many bytes, and may hold committed transactions that the main file lacks.
    Bytes(u64),
}

/// The rollback journal beside the snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Journal {
    /// There is none.
    Absent,
    /// It is there and means nothing: empty, or with its header erased (`journal_mode` truncate or persist).
    Spent,
    /// Another process is in the middle of a transaction.
    InTransaction,
    /// A transaction was interrupted: the main file may hold half of it, and the next connection rolls it back.
    Hot {
        /// The size of the journal.
        bytes: u64,
        /// The journal is one of several in a transaction over attached databases.
        super_journal: Option<SuperJournal>,
    },
}

/// The file that holds several databases' journals together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuperJournal {
    /// As the journal names it, or the file of that name beside the snapshot.
    pub path: PathBuf,
    /// Whether it exists. SQLite takes the transaction as committed once it is gone
    /// (<https://sqlite.org/atomiccommit.html#_deleting_the_super_journal>).
    pub exists: bool,
}

impl Wal {
    /// Looks at the file.
    pub(super) fn of(location: &Location) -> io::Result<Self> {
        Ok(match existing(location.wal.metadata())?.map(|wal| wal.len()) {
            None => Self::Absent,
            Some(0) => Self::Empty,
            Some(bytes) => Self::Bytes(bytes),
        })
    }

    /// The size, 0 when there is none.
    #[must_use]
    pub fn bytes(self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Absent | Self::Empty => 0,
        }
    }
}

impl Journal {
    /// Looks at the file, by the rules of SQLite's `hasHotJournal`.
    pub(super) fn of(location: &Location, liveness: Liveness) -> io::Result<Self> {
        let Some(mut journal) = existing(File::open(&location.journal))? else { return Ok(Self::Absent) };
        if matches!(liveness, Liveness::Writing | Liveness::Exclusive) {
            return Ok(Self::InTransaction);
        }
        let mut first = [0];
        let filled = journal.read(&mut first)?;
        if filled == 0 || first == [0] {
            return Ok(Self::Spent);
        }
        let super_journal = SuperJournal::named_in(&mut journal, location)?;
        Ok(Self::Hot { bytes: journal.metadata()?.len(), super_journal })
    }

    /// Whether SQLite would look into it, to roll back, if nobody else had the database open.
    pub(super) fn rolls_back(&self) -> bool {
        match self {
            Self::Absent | Self::Spent => false,
            Self::InTransaction => true,
            Self::Hot { super_journal, .. } => super_journal.as_ref().is_none_or(|name| name.exists),
        }
    }
}

impl SuperJournal {
    fn named_in(journal: &mut File, location: &Location) -> io::Result<Option<Self>> {
        let Some(trailer) = Trailer::of(journal)? else { return Ok(None) };
        let beside = trailer.super_journal.file_name().map(|name| location.db.with_file_name(name));
        let candidates = std::iter::once(trailer.super_journal.clone()).chain(beside);
        let existing = candidates.into_iter().find(|path| path.exists());
        Ok(Some(Self { exists: existing.is_some(), path: existing.unwrap_or(trailer.super_journal) }))
    }
}

/// Cuts the name of the super-journal off a private copy of a journal: SQLite would otherwise look for that file, outside of
/// the workspace, and delete it after the rollback.
pub(super) fn detach_super_journal(copy: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(copy)?;
    while let Some(trailer) = Trailer::of(&mut file)? {
        file.set_len(trailer.start)?;
    }
    Ok(())
}

/// The super-journal that a journal names, and where that stands in it.
pub(crate) fn super_journal_in(journal: &mut (impl Read + Seek)) -> io::Result<Option<(u64, PathBuf)>> {
    Ok(Trailer::of(journal)?.map(|trailer| (trailer.start, trailer.super_journal)))
}

/// The end of a journal that names a super-journal: page number (4 bytes), name, length of the name (4), checksum (4), magic
/// (8); `writeSuperJournal` in `pager.c`.
struct Trailer {
    start: u64,
    super_journal: PathBuf,
}

impl Trailer {
    /// SQLite's own limit is far below.
    const LONGEST_NAME: u32 = 64 * 1024;

    fn of(journal: &mut (impl Read + Seek)) -> io::Result<Option<Self>> {
        let Some(fixed_at) = journal.seek(SeekFrom::End(0))?.checked_sub(16) else { return Ok(None) };
        let mut fixed = [0; 16];
        journal.seek(SeekFrom::Start(fixed_at))?;
        journal.read_exact(&mut fixed)?;
        let length = u32::from_be_bytes([fixed[0], fixed[1], fixed[2], fixed[3]]);
        let start = fixed_at.checked_sub(u64::from(length) + 4);
        let (Some(start), true, 1..=Self::LONGEST_NAME) = (start, fixed.ends_with(MAGIC), length) else {
            return Ok(None);
        };
        let mut name = Vec::new();
        journal.seek(SeekFrom::Start(start + 4))?;
        journal.take(u64::from(length)).read_to_end(&mut name)?;
        if !has_checksum(&name, u32::from_be_bytes([fixed[4], fixed[5], fixed[6], fixed[7]])) {
            return Ok(None);
        }
        Ok(Some(Self { start, super_journal: OsString::from_vec(name).into() }))
    }
}

/// SQLite adds up the `char`s of the name, which are signed on some machines.
fn has_checksum(name: &[u8], checksum: u32) -> bool {
    let signed = name.iter().fold(0_u32, |sum, byte| sum.wrapping_add_signed(byte.cast_signed().into()));
    let unsigned = name.iter().fold(0_u32, |sum, byte| sum.wrapping_add((*byte).into()));
    [signed, unsigned].contains(&checksum)
}
