//! The write-ahead log: which of its frames are committed.
//!
//! Source: <https://sqlite.org/fileformat2.html#the_write_ahead_log>, §4.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// §4.1: the last bit says whether the checksums read their words as big-endian.
const MAGIC: u32 = 0x377f_0682;

/// §4.1: the one version there is.
const VERSION: u32 = 3_007_000;

const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// The committed frames of a write-ahead log.
#[derive(Debug)]
pub struct Frames {
    /// Where the newest committed version of a page begins in the log, in bytes.
    offsets: HashMap<u32, u64>,
    /// Pages of the database after the last commit.
    pages: u32,
    /// The committed frames, also those of pages that were written again.
    count: u64,
}

impl Frames {
    /// Reads the log of a database with this page size; none where it holds no committed transaction.
    ///
    /// # Errors
    /// When the log cannot be read, is of another version or of a database with another page size.
    pub fn read(log: &File, page_size: u32) -> io::Result<Option<Self>> {
        let mut header = [0; HEADER_BYTES];
        if read_up_to(log, &mut header, 0)? < HEADER_BYTES {
            return Ok(None);
        }
        let Some(log_header) = LogHeader::parse(&header) else { return Ok(None) };
        if word(&header, 4) != VERSION {
            let message = format!("the write-ahead log is of version {}", word(&header, 4));
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        if word(&header, 8) != page_size {
            let message =
                format!("the write-ahead log has pages of {} bytes, the database of {page_size}", word(&header, 8));
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        log_header.frames(log, page_size)
    }

    /// Where the newest committed version of the page begins, in bytes.
    #[must_use]
    pub fn offset(&self, page: u32) -> Option<u64> {
        self.offsets.get(&page).copied()
    }

    /// Pages of the database after the last commit.
    #[must_use]
    pub fn pages(&self) -> u32 {
        self.pages
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The pages of which there is a committed version, in no order.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.offsets.keys().copied()
    }
}

/// What the frames of a log must agree with.
struct LogHeader {
    salts: [u8; 8],
    checksum: Checksum,
}

impl LogHeader {
    /// None where the checksum is wrong: SQLite takes such a log for an empty one.
    fn parse(header: &[u8; HEADER_BYTES]) -> Option<Self> {
        let magic = word(header, 0);
        if magic & !1 != MAGIC {
            return None;
        }
        let mut checksum = Checksum { big_endian: magic & 1 == 1, sums: [0, 0] };
        checksum.add(&header[..24]);
        let mut salts = [0; 8];
        salts.copy_from_slice(&header[16..24]);
        (checksum.sums == [word(header, 24), word(header, 28)]).then_some(Self { salts, checksum })
    }

    /// Frames follow one another up to the first that does not continue the checksum: what lies behind was left by an earlier use
    /// of the log, or its writer was interrupted.
    fn frames(mut self, log: &File, page_size: u32) -> io::Result<Option<Frames>> {
        let mut frame = vec![0; FRAME_HEADER_BYTES + page_size as usize];
        let mut offset = HEADER_BYTES as u64;
        let mut committed: Option<Frames> = None;
        let mut pending = Vec::new();
        while read_up_to(log, &mut frame, offset)? == frame.len() {
            let (header, page) = frame.split_at(FRAME_HEADER_BYTES);
            let (number, pages) = (word(header, 0), word(header, 4));
            self.checksum.add(&header[..8]);
            self.checksum.add(page);
            let sums = [word(header, 16), word(header, 20)];
            if number == 0 || header[8..16] != self.salts || self.checksum.sums != sums {
                break;
            }
            pending.push((number, offset + FRAME_HEADER_BYTES as u64));
            offset += frame.len() as u64;
            if pages > 0 {
                let frames = committed.get_or_insert_with(|| Frames { offsets: HashMap::new(), pages, count: 0 });
                frames.count += pending.len() as u64;
                frames.offsets.extend(pending.drain(..));
                frames.pages = pages;
            }
        }
        if let Some(frames) = &mut committed {
            let pages = frames.pages;
            frames.offsets.retain(|number, _| *number <= pages);
        }
        Ok(committed)
    }
}

/// §4.2: over pairs of words, each sum taking in the other.
struct Checksum {
    big_endian: bool,
    sums: [u32; 2],
}

impl Checksum {
    /// `bytes` is a multiple of eight long.
    fn add(&mut self, bytes: &[u8]) {
        let read = if self.big_endian { u32::from_be_bytes } else { u32::from_le_bytes };
        let [mut first, mut second] = self.sums;
        for pair in bytes.chunks_exact(8) {
            first = first.wrapping_add(read([pair[0], pair[1], pair[2], pair[3]])).wrapping_add(second);
            second = second.wrapping_add(read([pair[4], pair[5], pair[6], pair[7]])).wrapping_add(first);
        }
        self.sums = [first, second];
    }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Bytes read; fewer than asked for at the end of the file only.
fn read_up_to(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match file.read_at(&mut into[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(bytes) => filled += bytes,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use rusqlite::{Connection, OpenFlags};

    use super::*;
    use crate::sqlite_file::pages::{FilePages, Pages};

    /// A database in WAL mode whose log is kept: its connection, and where it is.
    fn database() -> (tempfile::TempDir, PathBuf, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("live.db");
        let connection = open(&path);
        connection
            .execute_batch(
                "PRAGMA page_size = 1024; PRAGMA auto_vacuum = full; PRAGMA journal_mode = wal; PRAGMA wal_autocheckpoint = 0;
                 CREATE TABLE t (a, b)",
            )
            .unwrap();
        (folder, path, connection)
    }

    fn open(path: &Path) -> Connection {
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE).unwrap()
    }

    fn fill(connection: &Connection, rows: u32) {
        let sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) \
                   INSERT INTO t SELECT i, printf('%0200d', i) FROM n";
        connection.execute(sql, [rows]).unwrap();
    }

    fn log(path: &Path) -> PathBuf {
        let mut name = path.as_os_str().to_owned();
        name.push("-wal");
        name.into()
    }

    /// Our view of the database and the log, after `change` to the log, equals what SQLite makes of the same two files.
    fn agrees_with_sqlite(path: &Path, change: impl Fn(&mut Vec<u8>)) -> u32 {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("copy.db");
        fs::write(&copy, fs::read(path).unwrap()).unwrap();
        let mut bytes = fs::read(log(path)).unwrap();
        change(&mut bytes);
        fs::write(log(&copy), bytes).unwrap();
        let pages = FilePages::new(File::open(&copy).unwrap(), Some(File::open(log(&copy)).unwrap())).unwrap();
        let layout = pages.layout();
        let mut ours = vec![0; (layout.pages * layout.page_size) as usize];
        pages.read(1, &mut ours).unwrap();
        let checkpointed = open(&copy).query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, u32>(0));
        assert_eq!(checkpointed.unwrap(), 0);
        let theirs = fs::read(&copy).unwrap();
        assert!(ours == theirs, "{} bytes instead of {}", ours.len(), theirs.len());
        layout.pages
    }

    #[test]
    fn several_transactions_the_last_of_which_shrinks_the_database() {
        let (_folder, path, connection) = database();
        fill(&connection, 50);
        fill(&connection, 10);
        let grown = agrees_with_sqlite(&path, |_| {});
        connection.execute("DELETE FROM t", []).unwrap();
        assert!(agrees_with_sqlite(&path, |_| {}) < grown);
        fill(&connection, 5);
        agrees_with_sqlite(&path, |_| {});
    }

    #[test]
    fn frames_that_an_earlier_use_of_the_log_left_are_not_read() {
        let (_folder, path, connection) = database();
        fill(&connection, 100);
        let long = fs::metadata(log(&path)).unwrap().len();
        connection.query_row("PRAGMA wal_checkpoint(FULL)", [], |_| Ok(())).unwrap();
        connection.execute("UPDATE t SET a = 'new' WHERE a = 7", []).unwrap();
        assert_eq!(fs::metadata(log(&path)).unwrap().len(), long);
        agrees_with_sqlite(&path, |_| {});
    }

    #[test]
    fn a_log_counts_up_to_where_it_is_whole() {
        let (_folder, path, connection) = database();
        let mut bytes = fs::read(log(&path)).unwrap();
        let frame = 1024 + FRAME_HEADER_BYTES;
        fill(&connection, 30);
        fill(&connection, 1);
        let whole = fs::read(log(&path)).unwrap().len();
        for cut in (HEADER_BYTES..whole).step_by(frame / 3) {
            agrees_with_sqlite(&path, |bytes| bytes.truncate(cut));
        }
        for torn in (0..whole).step_by(frame / 5) {
            agrees_with_sqlite(&path, |bytes| bytes[torn] ^= 0x10);
        }
        // The salts of the last frame.
        agrees_with_sqlite(&path, |bytes| bytes[whole - frame + 8] ^= 1);
        bytes.truncate(HEADER_BYTES - 1);
        agrees_with_sqlite(&path, |log| log.clone_from(&bytes));
        agrees_with_sqlite(&path, Vec::clear);
    }

    #[test]
    fn a_transaction_that_is_not_committed_is_not_read() {
        let (_folder, path, connection) = database();
        fill(&connection, 10);
        // A cache this small writes to the log before the commit.
        connection.execute_batch("PRAGMA cache_size = 1; BEGIN").unwrap();
        let before = fs::metadata(log(&path)).unwrap().len();
        fill(&connection, 500);
        assert!(fs::metadata(log(&path)).unwrap().len() > before);
        agrees_with_sqlite(&path, |_| {});
    }

    #[test]
    fn both_byte_orders_of_the_checksum_are_read() {
        let (_folder, path, connection) = database();
        fill(&connection, 20);
        let other_order = |bytes: &mut Vec<u8>| {
            bytes[3] ^= 1;
            let mut checksum = Checksum { big_endian: bytes[3] & 1 == 1, sums: [0, 0] };
            checksum.add(&bytes[..24]);
            for (sum, at) in checksum.sums.into_iter().zip([24, 28]) {
                bytes[at..at + 4].copy_from_slice(&sum.to_be_bytes());
            }
            for frame in bytes[HEADER_BYTES..].chunks_exact_mut(1024 + FRAME_HEADER_BYTES) {
                checksum.add(&frame[..8]);
                checksum.add(&frame[FRAME_HEADER_BYTES..]);
                for (sum, at) in checksum.sums.into_iter().zip([16, 20]) {
                    frame[at..at + 4].copy_from_slice(&sum.to_be_bytes());
                }
            }
        };
        let pages = agrees_with_sqlite(&path, other_order);
        assert_eq!(agrees_with_sqlite(&path, |_| {}), pages);
        assert!(pages > 4);
    }

    #[test]
    fn another_version_or_page_size_is_an_error() {
        let (_folder, path, connection) = database();
        fill(&connection, 1);
        let file = File::open(log(&path)).unwrap();
        assert!(Frames::read(&file, 1024).unwrap().is_some());
        assert_eq!(Frames::read(&file, 4096).unwrap_err().kind(), io::ErrorKind::InvalidData);
        let mut bytes = fs::read(log(&path)).unwrap();
        bytes[7] ^= 1;
        let mut checksum = Checksum { big_endian: bytes[3] & 1 == 1, sums: [0, 0] };
        checksum.add(&bytes[..24]);
        bytes[24..28].copy_from_slice(&checksum.sums[0].to_be_bytes());
        bytes[28..32].copy_from_slice(&checksum.sums[1].to_be_bytes());
        let other = path.with_extension("other");
        fs::write(&other, bytes).unwrap();
        assert!(Frames::read(&File::open(other).unwrap(), 1024).is_err());
    }
}
