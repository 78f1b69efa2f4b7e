//! The first 100 bytes of a database file.
//!
//! Source: <https://sqlite.org/fileformat2.html#the_database_header>, §1.3. Integers are big-endian.

/// The length of the header in bytes.
pub const HEADER_BYTES: usize = 100;

/// The first 16 bytes of every database that is not encrypted.
pub const MAGIC: &[u8; 16] = b"SQLite format 3\0";

/// The header of a database file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// Bytes 16–17, in bytes: a power of two from 512 to 65536.
    pub page_size: u32,
    /// Byte 18: 1 rollback journal, 2 WAL. More than 2: this SQLite may read but not write the file.
    pub write_version: u8,
    /// Byte 19: 1 rollback journal, 2 WAL. More than 2: this SQLite cannot read the file.
    pub read_version: u8,
    /// Byte 20: bytes at the end of each page that SQLite leaves to extensions, usually 0.
    pub reserved: u8,
    /// Bytes 24–27: incremented by each transaction in rollback mode.
    pub change_counter: u32,
    /// Bytes 28–31: pages in the database; see [`Header::trusted_page_count`].
    pub page_count: u32,
    /// Bytes 32–35: the page number of the first freelist trunk page, 0 for none.
    pub first_freelist_page: u32,
    /// Bytes 36–39: pages on the freelist.
    pub freelist_pages: u32,
    /// Bytes 40–43: incremented by each schema change.
    pub schema_cookie: u32,
    /// Bytes 44–47: 1 to 4; 0 in a database in which nothing was created yet.
    pub schema_format: u32,
    /// Bytes 52–55: the largest root page where there are pointer-map pages (`auto_vacuum` full or incremental), else 0.
    pub largest_root_page: u32,
    /// Bytes 56–59.
    pub encoding: TextEncoding,
    /// Bytes 60–63: free for the application; some migration tools keep their ledger here.
    pub user_version: i32,
    /// Bytes 68–71: free for the application; tells its files from others.
    pub application_id: u32,
    /// Bytes 92–95: the change counter when `page_count` was written.
    pub version_valid_for: u32,
    /// Bytes 96–99: the SQLite version that wrote last, for example 3050004 for 3.50.4.
    pub library_version: u32,
}

/// How the database stores text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextEncoding {
    /// 1, and also 0, which stands in a database in which nothing was created yet.
    Utf8,
    /// 2.
    Utf16Le,
    /// 3.
    Utf16Be,
}

impl TextEncoding {
    /// As `PRAGMA encoding` calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf16Le => "UTF-16le",
            Self::Utf16Be => "UTF-16be",
        }
    }
}

/// Why bytes are not the header of a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Fewer than 100 bytes.
    #[error("the header has only {0} of 100 bytes")]
    Short(usize),
    /// The first 16 bytes are not [`MAGIC`].
    #[error("the file does not begin with the SQLite header")]
    Magic,
    /// Not a power of two from 512 to 65536.
    #[error("the header gives a page size of {0}, which SQLite does not have")]
    PageSize(u32),
    /// Fewer than 480 bytes of a page would be left.
    #[error("the header reserves {reserved} bytes of each page of {page_size}, which SQLite does not allow")]
    Reserved {
        /// Bytes reserved at the end of each page.
        reserved: u8,
        /// Bytes of a page.
        page_size: u32,
    },
    /// The payload fractions of bytes 21–23 are fixed to 64, 32, 32.
    #[error("the header's payload fractions are {0:?} instead of [64, 32, 32]")]
    PayloadFractions([u8; 3]),
    /// Neither UTF-8 nor one of the two UTF-16.
    #[error("the header gives text encoding {0}, which SQLite does not have")]
    Encoding(u32),
}

impl Header {
    /// Reads the header from the first bytes of a file; bytes after the first 100 are ignored.
    ///
    /// # Errors
    /// The bytes are too few or no header; see [`HeaderError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, HeaderError> {
        let header: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(HeaderError::Short(bytes.len()))?;
        if !header.starts_with(MAGIC) {
            return Err(HeaderError::Magic);
        }
        let fractions = [header[21], header[22], header[23]];
        if fractions != [64, 32, 32] {
            return Err(HeaderError::PayloadFractions(fractions));
        }
        let page_size = page_size(u16::from_be_bytes([header[16], header[17]]))?;
        let reserved = header[20];
        if page_size - u32::from(reserved) < 480 {
            return Err(HeaderError::Reserved { reserved, page_size });
        }
        let word = |at: usize| u32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
        Ok(Self {
            page_size,
            write_version: header[18],
            read_version: header[19],
            reserved,
            change_counter: word(24),
            page_count: word(28),
            first_freelist_page: word(32),
            freelist_pages: word(36),
            schema_cookie: word(40),
            schema_format: word(44),
            largest_root_page: word(52),
            encoding: TextEncoding::from_number(word(56))?,
            user_version: word(60).cast_signed(),
            application_id: word(68),
            version_valid_for: word(92),
            library_version: word(96),
        })
    }

    /// Whether the database is in WAL mode.
    #[must_use]
    pub fn is_wal(&self) -> bool {
        self.read_version == 2
    }

    /// The page count where it can be relied on: SQLite before 3.7.0 left it stale, and such files are legal (§1.3.8).
    #[must_use]
    pub fn trusted_page_count(&self) -> Option<u32> {
        (self.page_count > 0 && self.change_counter == self.version_valid_for).then_some(self.page_count)
    }

    /// The bytes of the database where its page count can be relied on.
    #[must_use]
    pub fn trusted_bytes(&self) -> Option<u64> {
        self.trusted_page_count().map(|pages| u64::from(pages) * u64::from(self.page_size))
    }
}

impl TextEncoding {
    fn from_number(number: u32) -> Result<Self, HeaderError> {
        match number {
            0 | 1 => Ok(Self::Utf8),
            2 => Ok(Self::Utf16Le),
            3 => Ok(Self::Utf16Be),
            _ => Err(HeaderError::Encoding(number)),
        }
    }
}

/// §1.3.2: 65536 does not fit into two bytes and is written as 1.
fn page_size(stored: u16) -> Result<u32, HeaderError> {
    match u32::from(stored) {
        1 => Ok(65536),
        size if size >= 512 && size.is_power_of_two() => Ok(size),
        size => Err(HeaderError::PageSize(size)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> [u8; HEADER_BYTES] {
        let mut header = [0; HEADER_BYTES];
        header[..16].copy_from_slice(MAGIC);
        header[16..24].copy_from_slice(&[0x10, 0, 2, 2, 0, 64, 32, 32]);
        header[24..32].copy_from_slice(&[0, 0, 0, 7, 0, 0, 0, 3]);
        header[44..48].copy_from_slice(&4_u32.to_be_bytes());
        header[56..60].copy_from_slice(&1_u32.to_be_bytes());
        header[60..64].copy_from_slice(&(-5_i32).to_be_bytes());
        header[92..96].copy_from_slice(&7_u32.to_be_bytes());
        header[96..].copy_from_slice(&3_050_004_u32.to_be_bytes());
        header
    }

    fn changed(at: usize, bytes: &[u8]) -> Result<Header, HeaderError> {
        let mut header = header();
        header[at..at + bytes.len()].copy_from_slice(bytes);
        Header::parse(&header)
    }

    #[test]
    fn reads_every_field() {
        let header = Header::parse(&header()).unwrap();
        assert_eq!((header.page_size, header.change_counter, header.page_count), (4096, 7, 3));
        assert_eq!((header.schema_format, header.user_version, header.library_version), (4, -5, 3_050_004));
        assert_eq!(header.encoding, TextEncoding::Utf8);
        assert!(header.is_wal());
    }

    #[test]
    fn one_stands_for_the_largest_page() {
        assert_eq!(changed(16, &[0, 1]).unwrap().page_size, 65536);
    }

    #[test]
    fn a_stale_page_count_is_not_trusted() {
        assert_eq!(changed(28, &[0, 0, 0, 3]).unwrap().trusted_page_count(), Some(3));
        assert_eq!(changed(92, &[0, 0, 0, 6]).unwrap().trusted_page_count(), None);
        assert_eq!(changed(28, &[0, 0, 0, 0]).unwrap().trusted_page_count(), None);
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(Header::parse(&[0; 10]), Err(HeaderError::Short(10)));
        assert_eq!(changed(0, b"x"), Err(HeaderError::Magic));
        assert_eq!(changed(16, &[0, 3]), Err(HeaderError::PageSize(3)));
        assert_eq!(changed(16, &[1, 0]), Err(HeaderError::PageSize(256)));
        assert_eq!(changed(16, &[2, 0, 1, 1, 33]), Err(HeaderError::Reserved { reserved: 33, page_size: 512 }));
        assert_eq!(changed(21, &[0]), Err(HeaderError::PayloadFractions([0, 32, 32])));
        assert_eq!(changed(59, &[9]), Err(HeaderError::Encoding(9)));
    }
}
