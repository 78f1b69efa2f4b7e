//! What something is by its first bytes; refuses, in words, what cannot be read: rule SN904.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::location::{Location, opening};
use super::source::Compression;
use crate::error::Error;
use crate::sqlite_file::header::{Header, HeaderError, MAGIC};

/// How much of the file is looked at.
pub(super) const SAMPLE_BYTES: u64 = 8192;

/// Reads the header, or says what the file is instead of a database.
pub(super) fn header(location: &Location) -> Result<Header, Error> {
    let sample = sample(location)?;
    match Header::parse(&sample) {
        Ok(header) if header.read_version <= 2 => Ok(header),
        Ok(header) => Err(refused(location, format!("it needs a newer SQLite (read version {})", header.read_version))),
        Err(HeaderError::Magic | HeaderError::Short(_)) => Err(not_a_database(location, &sample)),
        Err(error) => Err(refused(location, format!("it is damaged: {error}"))
            .hint("if it is encrypted with a readable header, decrypt it first")),
    }
}

/// Refuses a file that is shorter than it says. Only for a file that nobody writes and whose sidecars hold nothing: the pages
/// that are missing may be in the WAL, or be made again by the journal.
pub(super) fn refuse_truncated(location: &Location, header: &Header) -> Result<(), Error> {
    let bytes = location.db.metadata().map_err(|error| location.error(error))?.len();
    let page_size = u64::from(header.page_size);
    let cause = match header.trusted_bytes() {
        Some(expected) if bytes < expected => {
            format!("it is truncated: {bytes} bytes where its header says {expected}")
        }
        _ if bytes % page_size != 0 => {
            format!("it is truncated: {bytes} bytes are not a whole number of pages of {page_size}")
        }
        _ => return Ok(()),
    };
    let again = format!("copy it again, with {} where an app has it open", location.backup_command());
    Err(refused(location, cause).hint(again))
}

/// The error for a file that SQLite itself does not accept.
pub(super) fn refused(location: &Location, cause: impl std::fmt::Display) -> Error {
    location.error(cause).rule("SN904")
}

/// The first bytes of a file.
pub(super) fn sample(location: &Location) -> Result<Vec<u8>, Error> {
    let mut sample = Vec::new();
    let read = File::open(&location.db).and_then(|file| file.take(SAMPLE_BYTES).read_to_end(&mut sample));
    match read {
        Ok(_) => Ok(sample),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Err(location.error("no permission to read it"))
        }
        Err(error) => Err(location.error(error)),
    }
}

/// What something is, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// A database.
    Database,
    /// SQL.
    Dump,
    /// Something compressed in a way that can be read.
    Compressed(Compression),
    /// Nothing that can be read.
    Other,
}

impl Form {
    /// Whether it is no database and one can be made of it.
    pub fn becomes_a_database(self) -> bool {
        matches!(self, Self::Dump | Self::Compressed(_))
    }
}

/// What something is that begins so.
pub(super) fn form(sample: &[u8]) -> Form {
    if sample.starts_with(MAGIC) {
        Form::Database
    } else if sample.starts_with(b"\x1f\x8b") {
        Form::Compressed(Compression::Gzip)
    } else if sample.starts_with(b"\x28\xb5\x2f\xfd") {
        Form::Compressed(Compression::Zstd)
    } else if signature(sample).is_none() && is_sql(sample) {
        Form::Dump
    } else {
        Form::Other
    }
}

fn not_a_database(location: &Location, sample: &[u8]) -> Error {
    if sample.starts_with(MAGIC) {
        return refused(location, format!("it is truncated: it ends after {} bytes", sample.len()));
    }
    let path = location.given.display();
    let bytes = location.db.metadata().map_or(0, |metadata| metadata.len());
    let (cause, hint) = described(sample, bytes, "it");
    let hint = hint.map(|hint| hint.replace("FILE", &path.to_string()));
    hint.into_iter().fold(refused(location, cause), Error::hint)
}

/// The error for what came through a pipe or was compressed, and is neither a database nor a dump.
pub(super) fn refused_content(given: &Path, sample: &[u8], is_compressed: bool) -> Error {
    let subject = if is_compressed { "what is compressed in it" } else { "it" };
    let (cause, hint) = described(sample, sample.len() as u64, subject);
    // There is no file that a command could name.
    let hint = hint
        .filter(|hint| !hint.contains("FILE") && !sample.is_empty())
        .or(Some("give a database or an SQL dump, as it is or compressed with gzip or zstd"));
    hint.into_iter().fold(opening(given, cause).rule("SN904"), Error::hint)
}

/// What something is that begins so and has that many bytes, as a clause about `subject`, and what to do. `FILE` stands for its path.
fn described(sample: &[u8], bytes: u64, subject: &str) -> (String, Option<&'static str>) {
    if sample.is_empty() {
        return (format!("{subject} is empty (0 bytes)"), Some("is this the file that the app writes to?"));
    }
    if let Some((_, _, what, hint)) = signature(sample) {
        return (format!("{subject} is {what}, not a database"), Some(hint));
    }
    if text(sample).is_some() {
        return (format!("{subject} is a text file, not a database"), None);
    }
    if may_be_encrypted(bytes, sample) {
        let cause =
            format!("{subject} has no SQLite header and looks random: it may be encrypted (SQLCipher or the like)");
        return (cause, Some("decrypt it first, for example with SQLCipher's `sqlcipher_export`"));
    }
    (format!("{subject} is not a SQLite database"), None)
}

type Signature = (usize, &'static [u8], &'static str, &'static str);

fn signature(sample: &[u8]) -> Option<&'static Signature> {
    SIGNATURES.iter().find(|(at, bytes, ..)| sample.get(*at..).is_some_and(|sample| sample.starts_with(bytes)))
}

/// What is taken for a database by mistake, by the bytes at a place. `FILE` in a hint stands for the path.
const SIGNATURES: &[Signature] = &[
    (0, b"\xfd7zXZ\0", "compressed with xz", "run `xz -dk FILE` and name the result"),
    (0, b"BZh", "compressed with bzip2", "run `bunzip2 -k FILE` and name the result"),
    (0, b"PK\x03\x04", "a zip archive", "unpack it and name the database"),
    (257, b"ustar", "a tar archive", "unpack it and name the database"),
    (0, b"\x37\x7f\x06\x82", WAL, "name the database, without `-wal`; the log is read when it lies beside it"),
    (0, b"\x37\x7f\x06\x83", WAL, "name the database, without `-wal`; the log is read when it lies beside it"),
    (0, super::journal::MAGIC, "a rollback journal", "name the database, without `-journal`"),
    (
        0,
        b"** This file contains an SQLite 2",
        "a database of SQLite 2",
        "convert it with `sqlite FILE .dump | sqlite3 new.db`",
    ),
    (0, b"version https://git-lfs.github.com/", "a Git LFS pointer", "run `git lfs pull`"),
    (0, b"\xff\xfe", UTF16, "convert it with `iconv -f UTF-16 -t UTF-8`; PowerShell's `>` writes UTF-16"),
    (0, b"\xfe\xff", UTF16, "convert it with `iconv -f UTF-16 -t UTF-8`; PowerShell's `>` writes UTF-16"),
    (
        0,
        b"PGDMP",
        "a dump of PostgreSQL",
        "rehearse needs the SQLite database, or a dump of it: `sqlite3 prod.db .dump`",
    ),
];

const WAL: &str = "a write-ahead log";
const UTF16: &str = "text in UTF-16";

/// The sample as text, where it is text; its last character may be cut.
fn text(sample: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(sample) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() => std::str::from_utf8(&sample[..error.valid_up_to()]).ok()?,
        Err(_) => return None,
    };
    let is_plain = |character: char| !character.is_control() || character.is_whitespace();
    text.chars().all(is_plain).then_some(text)
}

/// Whether it begins as SQL does. What begins with a comment is looked at longer: other texts do so too.
fn is_sql(sample: &[u8]) -> bool {
    const WORDS: [&str; 13] = [
        "PRAGMA", "BEGIN", "CREATE", "INSERT", "REPLACE", "DROP", "DELETE", "ALTER", "ANALYZE", "SET", "COPY", "LOCK",
        "USE",
    ];
    let sample = sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample).trim_ascii_start();
    let word = sample.iter().position(|byte| !byte.is_ascii_alphabetic()).unwrap_or(sample.len());
    let begins_with_a_word = WORDS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(&sample[..word]));
    let begins_with_a_comment = sample.starts_with(b"--") || sample.starts_with(b"/*");
    begins_with_a_word || sample.starts_with(b".dbconfig ") || begins_with_a_comment && text(sample).is_some()
}

/// An encrypted database still has whole pages, and its bytes are as good as random.
fn may_be_encrypted(bytes: u64, sample: &[u8]) -> bool {
    bytes.is_multiple_of(512) && bits_per_byte(sample) > 7.0
}

/// The Shannon entropy, from 0 to 8. Random bytes reach 7.5 in a sample of 512, text and databases stay below 6.
fn bits_per_byte(sample: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in sample {
        counts[usize::from(*byte)] += 1;
    }
    let length = f64::from(u32::try_from(sample.len()).unwrap_or(u32::MAX));
    let share = |count: &u32| f64::from(*count) / length;
    counts.iter().filter(|count| **count > 0).map(|count| -share(count) * share(count).log2()).sum()
}
