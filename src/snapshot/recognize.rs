//! Refuses, in words, what is not a database that can be read: rule SN904.

use std::fs::File;
use std::io::Read;

use super::location::Location;
use crate::error::Error;
use crate::sqlite_file::header::{Header, HeaderError};

/// How much of the file is looked at.
const SAMPLE_BYTES: u64 = 8192;

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
    let expected = header.trusted_page_count().map(|pages| u64::from(pages) * page_size);
    let cause = match expected {
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

fn sample(location: &Location) -> Result<Vec<u8>, Error> {
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

fn not_a_database(location: &Location, sample: &[u8]) -> Error {
    let path = location.given.display();
    if sample.is_empty() {
        return refused(location, "it is empty (0 bytes)").hint("is this the file that the app writes to?");
    }
    if let Some((_, what, hint)) = SIGNATURES.iter().find(|(signature, ..)| sample.starts_with(signature)) {
        return refused(location, format!("it is {what}, not a database"))
            .hint(hint.replace("FILE", &path.to_string()));
    }
    if let Some(text) = text(sample) {
        return not_a_database_but_text(location, text);
    }
    if sample.starts_with(crate::sqlite_file::header::MAGIC) {
        return refused(location, format!("it is truncated: it ends after {} bytes", sample.len()));
    }
    if may_be_encrypted(location, sample) {
        return refused(
            location,
            "it has no SQLite header and looks random: it may be encrypted (SQLCipher or the like)",
        )
        .hint("decrypt it first, for example with SQLCipher's `sqlcipher_export`");
    }
    refused(location, "it is not a SQLite database")
}

/// How files begin that are taken for a database by mistake. `FILE` in a hint stands for the path.
const SIGNATURES: &[(&[u8], &str, &str)] = &[
    (b"\x1f\x8b", "compressed with gzip", "run `gunzip -k FILE` and name the result"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "run `zstd -d FILE` and name the result"),
    (b"\xfd7zXZ\0", "compressed with xz", "run `xz -dk FILE` and name the result"),
    (b"BZh", "compressed with bzip2", "run `bunzip2 -k FILE` and name the result"),
    (b"PK\x03\x04", "a zip archive", "unpack it and name the database"),
    (b"\x37\x7f\x06\x82", WAL, "name the database, without `-wal`; the log is read when it lies beside it"),
    (b"\x37\x7f\x06\x83", WAL, "name the database, without `-wal`; the log is read when it lies beside it"),
    (super::journal::MAGIC, "a rollback journal", "name the database, without `-journal`"),
    (
        b"** This file contains an SQLite 2",
        "a database of SQLite 2",
        "convert it with `sqlite FILE .dump | sqlite3 new.db`",
    ),
    (b"version https://git-lfs.github.com/", "a Git LFS pointer", "run `git lfs pull`"),
];

const WAL: &str = "a write-ahead log";

fn not_a_database_but_text(location: &Location, text: &str) -> Error {
    let path = location.given.display();
    if is_sql(text) {
        return refused(location, "it is an SQL dump, not a database")
            .hint(format!("load it with `sqlite3 new.db < {path}` and name the result"));
    }
    refused(location, "it is a text file, not a database")
}

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

fn is_sql(text: &str) -> bool {
    let beginnings = ["--", "/*", "PRAGMA ", "BEGIN", "CREATE ", "INSERT ", "DROP "];
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let begins_with =
        |beginning: &str| text.get(..beginning.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(beginning));
    beginnings.into_iter().any(begins_with)
}

/// An encrypted database still has whole pages, and its bytes are as good as random.
fn may_be_encrypted(location: &Location, sample: &[u8]) -> bool {
    let whole_pages = location.db.metadata().is_ok_and(|metadata| metadata.len() % 512 == 0);
    whole_pages && bits_per_byte(sample) > 7.0
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
