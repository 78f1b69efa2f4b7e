//! Why pages could not be read.

use std::io;

/// What went wrong while pages were read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The file is not what the format says.
    #[error(transparent)]
    Malformed(#[from] Malformed),
}

/// A page that is not what the format says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("page {page}: {fault}")]
pub struct Malformed {
    /// The number of the page; of a record that spills over, that of the page in which it begins.
    pub page: u32,
    /// What is wrong with it.
    pub fault: Fault,
}

/// What is wrong with a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A page number that is 0 or behind the end.
    #[error("it is referred to, but not a page of the database")]
    NoSuchPage,
    /// The first byte is none of the four kinds, or not the kind that belongs there.
    #[error("a page of kind {0} does not belong here")]
    Kind(u8),
    /// The array of cell pointers leaves the page.
    #[error("its cell pointers do not fit into it")]
    CellPointers,
    /// A cell begins or ends outside of the page.
    #[error("a cell lies outside of the page")]
    Cell,
    /// A payload that is longer than the whole database.
    #[error("a payload of {0} bytes is longer than the database")]
    PayloadLength(u64),
    /// Records that are longer together than the whole database: some lie over one another.
    #[error("the records up to here are longer than the database")]
    Overlap,
    /// A record whose header does not fit its payload, or which has a serial type that is not used.
    #[error("the header of a record does not fit its payload")]
    Record,
    /// A list of overflow pages that is shorter or longer than the payload.
    #[error("its overflow pages do not fit the payload")]
    Overflow,
    /// A page that is reached twice.
    #[error("it is reached on two ways")]
    Twice,
    /// More levels than any tree has.
    #[error("the tree below it is too deep")]
    Depth,
    /// The freelist is not as long as the header says, or a trunk page has more entries than fit.
    #[error("the freelist is not as long as it says")]
    Freelist,
    /// A row of the schema has a value of a class that does not belong there.
    #[error("a row of the schema is not readable")]
    Schema,
}

impl Fault {
    /// The fault of this page.
    #[must_use]
    pub fn of(self, page: u32) -> Malformed {
        Malformed { page, fault: self }
    }
}
