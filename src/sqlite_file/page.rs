//! One page of a b-tree: its kind, its cells, and what of a payload lies in it.
//!
//! Source: <https://sqlite.org/fileformat2.html#b_tree_pages>, §1.6. Every offset is checked against the page.

use super::error::{Fault, Malformed};
use super::header::HEADER_BYTES;
use super::pages::Layout;
use super::varint;

/// The kinds of b-tree pages, by their first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageKind {
    /// 2.
    IndexInterior,
    /// 5.
    TableInterior,
    /// 10.
    IndexLeaf,
    /// 13.
    TableLeaf,
}

impl PageKind {
    /// Whether pages of this kind refer to no others.
    #[must_use]
    pub fn is_leaf(self) -> bool {
        matches!(self, Self::IndexLeaf | Self::TableLeaf)
    }

    /// Whether it belongs to an index, or to a table WITHOUT ROWID, which is stored as one.
    #[must_use]
    pub fn is_index(self) -> bool {
        matches!(self, Self::IndexInterior | Self::IndexLeaf)
    }

    fn of(byte: u8) -> Option<Self> {
        match byte {
            2 => Some(Self::IndexInterior),
            5 => Some(Self::TableInterior),
            10 => Some(Self::IndexLeaf),
            13 => Some(Self::TableLeaf),
            _ => None,
        }
    }
}

/// A page of a b-tree.
#[derive(Debug, Clone, Copy)]
pub struct BTreePage<'a> {
    number: u32,
    kind: PageKind,
    /// Without the reserved bytes at its end.
    bytes: &'a [u8],
    /// Where each cell begins, two bytes each.
    pointers: &'a [u8],
    /// Where the cells may begin.
    content: usize,
    right_child: u32,
    limits: Limits,
}

/// A cell of a table's leaf.
#[derive(Debug, Clone, Copy)]
pub struct RowCell<'a> {
    /// The rowid.
    pub rowid: i64,
    /// The record.
    pub payload: Payload<'a>,
}

/// A record, as far as it lies in the page.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    /// Bytes of the whole record.
    pub bytes: usize,
    /// Its first bytes; all of them where there is no overflow page.
    pub local: &'a [u8],
    /// Where the first byte of `local` stands in the page.
    pub offset: usize,
    /// The page on which it goes on.
    pub overflow: Option<u32>,
}

/// How much of a payload stays in the page.
#[derive(Debug, Clone, Copy)]
struct Limits {
    usable: usize,
    max_local: usize,
    min_local: usize,
    /// No payload is longer than all pages.
    database: u64,
}

impl Limits {
    /// §1.6: a leaf of a table keeps what fits; an index keeps as little as lets four keys fit into each page.
    fn of(layout: &Layout, is_index: bool) -> Self {
        let usable = layout.usable as usize;
        let share = |fraction: usize| ((usable.saturating_sub(12)) * fraction / 255).saturating_sub(23);
        let max_local = if is_index { share(64) } else { usable.saturating_sub(35) };
        Self { usable, max_local, min_local: share(32), database: layout.bytes() }
    }

    #[inline]
    fn local(&self, bytes: usize) -> usize {
        if bytes <= self.max_local {
            return bytes;
        }
        let filled_up = self.min_local + (bytes - self.min_local) % self.usable.saturating_sub(4).max(1);
        if filled_up <= self.max_local { filled_up } else { self.min_local }
    }
}

impl<'a> BTreePage<'a> {
    /// Reads the header of the page `number`, whose bytes these are.
    ///
    /// # Errors
    /// When it is no page of a b-tree.
    pub fn parse(number: u32, bytes: &'a [u8], layout: &Layout) -> Result<Self, Malformed> {
        let bytes = bytes.get(..layout.usable as usize).ok_or(Fault::CellPointers.of(number))?;
        // The file's header stands before that of page 1.
        let start = if number == 1 { HEADER_BYTES } else { 0 };
        let header: &[u8; 12] =
            bytes.get(start..).and_then(<[u8]>::first_chunk).ok_or(Fault::CellPointers.of(number))?;
        let kind = PageKind::of(header[0]).ok_or(Fault::Kind(header[0]).of(number))?;
        let cells = usize::from(u16::from_be_bytes([header[3], header[4]]));
        let first = start + if kind.is_leaf() { 8 } else { 12 };
        let content = first + cells * 2;
        let pointers = bytes.get(first..content).ok_or(Fault::CellPointers.of(number))?;
        let right_child =
            if kind.is_leaf() { 0 } else { u32::from_be_bytes([header[8], header[9], header[10], header[11]]) };
        Ok(Self { number, kind, bytes, pointers, content, right_child, limits: Limits::of(layout, kind.is_index()) })
    }

    /// The same, where only one kind of page belongs.
    ///
    /// # Errors
    /// When it is another.
    pub fn parse_as(kind: PageKind, number: u32, bytes: &'a [u8], layout: &Layout) -> Result<Self, Malformed> {
        let page = Self::parse(number, bytes, layout)?;
        if page.kind == kind { Ok(page) } else { Err(Fault::Kind(page.first_byte()).of(number)) }
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.number
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> PageKind {
        self.kind
    }

    /// How many cells it has.
    #[must_use]
    pub fn cells(&self) -> usize {
        self.pointers.len() / 2
    }

    /// The first byte, which gives the kind.
    #[must_use]
    pub fn first_byte(&self) -> u8 {
        match self.kind {
            PageKind::IndexInterior => 2,
            PageKind::TableInterior => 5,
            PageKind::IndexLeaf => 10,
            PageKind::TableLeaf => 13,
        }
    }

    /// The pages below an interior page, in key order: one for each cell, and the rightmost.
    ///
    /// # Errors
    /// When a cell lies outside of the page.
    pub fn children(&self) -> impl Iterator<Item = Result<u32, Malformed>> {
        (0..self.cells()).map(|cell| self.child(cell)).chain(std::iter::once(Ok(self.right_child)))
    }

    fn child(&self, cell: usize) -> Result<u32, Malformed> {
        let (_, bytes) = self.cell(cell)?;
        bytes.first_chunk().map(|number| u32::from_be_bytes(*number)).ok_or(self.outside())
    }

    /// A cell of a table's leaf.
    ///
    /// # Errors
    /// When it lies outside of the page.
    #[inline]
    pub fn row(&self, cell: usize) -> Result<RowCell<'a>, Malformed> {
        let (at, bytes) = self.cell(cell)?;
        let (length, taken) = varint::read(bytes).ok_or(self.outside())?;
        let (rowid, more) = varint::read(&bytes[taken..]).ok_or(self.outside())?;
        let payload = self.payload(length, at + taken + more)?;
        Ok(RowCell { rowid: rowid.cast_signed(), payload })
    }

    /// The entry in a cell of an index, of a leaf or an interior page.
    ///
    /// # Errors
    /// When it lies outside of the page.
    #[inline]
    pub fn entry(&self, cell: usize) -> Result<Payload<'a>, Malformed> {
        let (at, bytes) = self.cell(cell)?;
        // The number of the page on the left stands first.
        let left_child = if self.kind.is_leaf() { 0 } else { 4 };
        let (length, taken) = bytes.get(left_child..).and_then(varint::read).ok_or(self.outside())?;
        self.payload(length, at + left_child + taken)
    }

    /// A cell and what stands behind it in the page, where its record lies in the page whole: the bytes that give the rowid (of an
    /// index, none), and the record. None where it does not, or is malformed: [`Self::row`] and [`Self::entry`] tell.
    #[inline]
    #[must_use]
    pub fn whole(&self, cell: usize) -> Option<(&'a [u8], &'a [u8])> {
        let (_, bytes) = self.cell(cell).ok()?;
        let bytes = if self.kind == PageKind::IndexInterior { bytes.get(4..)? } else { bytes };
        let (length, taken) = varint::read(bytes)?;
        let rowid = bytes.get(taken..)?;
        let record = if self.kind == PageKind::TableLeaf { rowid.get(varint::length(rowid)?..)? } else { rowid };
        if length > self.limits.max_local as u64 {
            return None;
        }
        Some((rowid, record.get(..usize::try_from(length).ok()?)?))
    }

    /// Where a cell begins, and the page from there.
    #[inline]
    fn cell(&self, cell: usize) -> Result<(usize, &'a [u8]), Malformed> {
        let pointer = self.pointers.get(cell * 2..cell * 2 + 2).ok_or(self.outside())?;
        let at = usize::from(u16::from_be_bytes([pointer[0], pointer[1]]));
        match self.bytes.get(at..) {
            Some(bytes) if at >= self.content => Ok((at, bytes)),
            _ => Err(self.outside()),
        }
    }

    #[inline]
    fn payload(&self, length: u64, offset: usize) -> Result<Payload<'a>, Malformed> {
        let too_long = Fault::PayloadLength(length);
        if length > self.limits.database {
            return Err(too_long.of(self.number));
        }
        let bytes = usize::try_from(length).map_err(|_| too_long.of(self.number))?;
        let end = offset + self.limits.local(bytes);
        let local = self.bytes.get(offset..end).ok_or(self.outside())?;
        let overflow = if local.len() == bytes {
            None
        } else {
            let number = self.bytes.get(end..).and_then(<[u8]>::first_chunk).ok_or(self.outside())?;
            Some(u32::from_be_bytes(*number))
        };
        Ok(Payload { bytes, local, offset, overflow })
    }

    fn outside(&self) -> Malformed {
        Fault::Cell.of(self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite_file::header::TextEncoding;

    const LAYOUT: Layout =
        Layout { page_size: 512, usable: 512, pages: 9, encoding: TextEncoding::Utf8, auto_vacuum: false };

    #[test]
    fn the_local_part_is_what_the_format_says() {
        let table = Limits::of(&LAYOUT, false);
        assert_eq!((table.max_local, table.min_local), (477, 39));
        assert_eq!(
            (table.local(477), table.local(478), table.local(39 + 508), table.local(477 + 508)),
            (477, 39, 39, 477)
        );
        let index = Limits::of(&LAYOUT, true);
        assert_eq!((index.max_local, index.min_local), (102, 39));
        assert_eq!((index.local(102), index.local(103), index.local(39 + 508 + 63)), (102, 39, 102));
    }

    #[test]
    fn a_cell_outside_of_the_page_is_an_error() {
        let mut bytes = [0; 512];
        bytes[..10].copy_from_slice(&[13, 0, 0, 0, 1, 0, 0, 0, 1, 0xfc]);
        bytes[508..].copy_from_slice(&[2, 7, 2, 0]);
        let row = |bytes: &[u8]| BTreePage::parse(2, bytes, &LAYOUT).and_then(|page| page.row(0).map(|row| row.rowid));
        assert_eq!(row(&bytes), Ok(7));
        for (at, byte) in [(9, 0xff), (8, 2), (508, 3)] {
            let mut bytes = bytes;
            bytes[at] = byte;
            assert_eq!(row(&bytes), Err(Fault::Cell.of(2)), "{at}");
        }
        bytes[3] = 2;
        assert_eq!(row(&bytes), Err(Fault::CellPointers.of(2)));
        bytes[0] = 1;
        assert_eq!(row(&bytes), Err(Fault::Kind(1).of(2)));
    }
}
