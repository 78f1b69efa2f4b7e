//! One state of a database as pages, numbered from 1.
//!
//! Source: <https://sqlite.org/fileformat2.html#pages>, §1.2.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use super::header::{HEADER_BYTES, Header, TextEncoding};
use super::wal::Frames;

/// What all pages of a database have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// In bytes: a power of two from 512 to 65536.
    pub page_size: u32,
    /// The bytes of a page that SQLite uses: its size less what is reserved at its end.
    pub usable: u32,
    /// Pages of the database.
    pub pages: u32,
    /// How text is stored.
    pub encoding: TextEncoding,
    /// Whether there are pointer-map pages (`auto_vacuum` full or incremental).
    pub auto_vacuum: bool,
}

/// One state of a database, which does not change while it is read.
pub trait Pages: Sync {
    /// What the pages have in common.
    fn layout(&self) -> Layout;

    /// Reads consecutive pages, the first of which is `first`; `into` is a whole number of pages long. What lies behind the last
    /// page of the file reads as zeros.
    ///
    /// # Errors
    /// When the file cannot be read.
    fn read(&self, first: u32, into: &mut [u8]) -> io::Result<()>;
}

/// Bytes in pages that hold nothing, as the header says; 0 where it cannot be read.
#[must_use]
pub fn free_bytes(pages: &dyn Pages) -> u64 {
    let size = pages.layout().page_size;
    let mut first = vec![0; size as usize];
    let header = pages.read(1, &mut first).ok().and_then(|()| Header::parse(first.first_chunk::<HEADER_BYTES>()?).ok());
    header.map_or(0, |header| u64::from(header.freelist_pages) * u64::from(size))
}

/// A database file with what its write-ahead log adds.
#[derive(Debug)]
pub struct FilePages {
    file: File,
    wal: Option<(File, Frames)>,
    layout: Layout,
}

impl Layout {
    /// What the header says of the pages of a file of `bytes`. A page count that cannot be relied on, or that the file does not
    /// have, is that of the file.
    #[must_use]
    pub fn of(header: &Header, bytes: u64) -> Self {
        let in_file = u32::try_from(bytes.div_ceil(u64::from(header.page_size))).unwrap_or(u32::MAX);
        Self {
            page_size: header.page_size,
            usable: header.page_size - u32::from(header.reserved),
            pages: header.trusted_page_count().unwrap_or(in_file).min(in_file),
            encoding: header.encoding,
            auto_vacuum: header.largest_root_page != 0,
        }
    }

    /// The bytes that SQLite uses of all pages. All records of a tree together are no longer.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        u64::from(self.pages) * u64::from(self.usable)
    }
}

impl FilePages {
    /// The pages of `file`, with the committed frames of the log `wal` over them. Both must not change meanwhile.
    ///
    /// # Errors
    /// When a file cannot be read, or `file` has no header of a database.
    pub fn new(file: File, wal: Option<File>) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        let mut first = [0; HEADER_BYTES];
        file.read_exact_at(&mut first, 0)?;
        let page_size = parsed(&first)?.page_size;
        let wal = match wal {
            Some(log) => Frames::read(&log, page_size)?.map(|frames| (log, frames)),
            None => None,
        };
        if let Some((log, frames)) = &wal
            && let Some(offset) = frames.offset(1)
        {
            log.read_exact_at(&mut first, offset)?;
        }
        let header = parsed(&first)?;
        if header.page_size != page_size {
            let message = format!(
                "the first page in the write-ahead log gives pages of {} bytes, the log has pages of {page_size}",
                header.page_size
            );
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        let mut layout = Layout::of(&header, bytes);
        if let Some((_, frames)) = &wal {
            // SQLite checks the same before it writes the log to the file.
            let there = (bytes + 65536).div_ceil(page_size.into()) + frames.count();
            if u64::from(frames.pages()) > there {
                let message = format!(
                    "the write-ahead log gives the database {} pages, and with it there are no more than {there}",
                    frames.pages()
                );
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
            layout.pages = frames.pages();
        }
        Ok(Self { file, wal, layout })
    }

    /// The database file itself.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The pages that the write-ahead log adds or replaces.
    pub fn in_wal(&self) -> impl Iterator<Item = u32> {
        self.wal.iter().flat_map(|(_, frames)| frames.numbers())
    }

    fn read_file(&self, first: u32, into: &mut [u8]) -> io::Result<()> {
        let mut offset = u64::from(first.saturating_sub(1)) * u64::from(self.layout.page_size);
        let mut filled = 0;
        while filled < into.len() {
            match self.file.read_at(&mut into[filled..], offset) {
                Ok(0) => {
                    into[filled..].fill(0);
                    return Ok(());
                }
                Ok(bytes) => {
                    filled += bytes;
                    offset += bytes as u64;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Pages for FilePages {
    fn layout(&self) -> Layout {
        self.layout
    }

    fn read(&self, first: u32, into: &mut [u8]) -> io::Result<()> {
        self.read_file(first, into)?;
        let Some((log, frames)) = &self.wal else { return Ok(()) };
        for (number, page) in (first..).zip(into.chunks_mut(self.layout.page_size as usize)) {
            if let Some(offset) = frames.offset(number) {
                log.read_exact_at(page, offset)?;
            }
        }
        Ok(())
    }
}

fn parsed(bytes: &[u8]) -> io::Result<Header> {
    Header::parse(bytes).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}
