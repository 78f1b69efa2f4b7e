//! Cursors over the rows of a table.

use std::cell::{Cell, OnceCell};
use std::ops::Range;

use rusqlite::types::ValueRef;

use super::btree::{self, READ_AHEAD, Separator, read_pages, space};
use super::error::{Fault, Malformed, ReadError};
use super::overflow;
use super::page::{BTreePage, PageKind, Payload};
use super::pages::{Layout, Pages};
use super::record::{self, Field};
use super::shape::{Place, Shape};

/// The rows of a table with rowids, in the order of given leaves.
pub struct TableRows<'a> {
    leaves: Leaves<'a>,
    shape: &'a Shape,
    row: Row,
    rowid: i64,
    /// The next cell of the leaf.
    cell: usize,
}

/// The rows of a table WITHOUT ROWID, or the entries of an index, in key order.
pub struct IndexRows<'a> {
    leaves: Leaves<'a>,
    shape: &'a Shape,
    row: Row,
    /// Where the row is: in the leaf, or between two leaves.
    in_leaf: bool,
    /// The next cell of the leaf.
    cell: usize,
    separators: Vec<Separator>,
    /// The interior page that was read last, and its number.
    interior: (u32, Vec<u8>),
}

impl<'a> TableRows<'a> {
    /// The rows of these leaves of a table, in this order; see [`btree::leaves`].
    #[must_use]
    pub fn new(pages: &'a dyn Pages, leaves: Vec<u32>, shape: &'a Shape) -> Self {
        Self { leaves: Leaves::new(pages, leaves), shape, row: Row::of(pages), rowid: 0, cell: 0 }
    }

    /// Goes to the next row, the first at first; false behind the last.
    ///
    /// # Errors
    /// When a page cannot be read or is malformed.
    pub fn advance(&mut self) -> Result<bool, ReadError> {
        while self.leaves.load()? {
            let page = self.leaves.page(PageKind::TableLeaf)?;
            if self.cell < page.cells() {
                let cell = page.row(self.cell)?;
                self.row.set(self.leaves.pages, page.number(), &cell.payload)?;
                self.rowid = cell.rowid;
                self.cell += 1;
                return Ok(true);
            }
            self.leaves.place += 1;
            self.cell = 0;
        }
        Ok(false)
    }

    /// The rowid of the row.
    #[must_use]
    pub fn rowid(&self) -> i64 {
        self.rowid
    }

    /// The value that the row has in this column of the table; none where the record is older than the column, or does not store it.
    /// Text is in the encoding of the database.
    ///
    /// # Errors
    /// When the value lies on overflow pages, and they cannot be read or are malformed.
    pub fn value(&self, column: usize) -> Result<Option<ValueRef<'_>>, ReadError> {
        match self.shape.columns.get(column) {
            Some(Place::Rowid) => Ok(Some(ValueRef::Integer(self.rowid))),
            Some(Place::Stored { index, real }) => {
                self.row.value(self.leaves.pages, self.leaves.bytes(), *index, *real)
            }
            Some(Place::Computed) | None => Ok(None),
        }
    }

    /// The record as it is stored; none where it goes on in overflow pages.
    #[must_use]
    pub fn record(&self) -> Option<&[u8]> {
        self.row.record(self.leaves.bytes())
    }

    /// The number of the page that the row is in.
    #[must_use]
    pub fn leaf(&self) -> u32 {
        self.row.page
    }
}

impl<'a> IndexRows<'a> {
    /// The rows of the table WITHOUT ROWID, or the entries of the index, whose root this is.
    ///
    /// # Errors
    /// When the interior pages cannot be read or are malformed.
    pub fn new(pages: &'a dyn Pages, root: u32, shape: &'a Shape) -> Result<Self, ReadError> {
        let tree = btree::index_leaves(pages, root)?;
        Ok(Self {
            leaves: Leaves::new(pages, tree.leaves),
            shape,
            row: Row::of(pages),
            in_leaf: true,
            cell: 0,
            separators: tree.separators,
            interior: (0, Vec::new()),
        })
    }

    /// Goes to the next row, the first at first; false behind the last.
    ///
    /// # Errors
    /// When a page cannot be read or is malformed.
    pub fn advance(&mut self) -> Result<bool, ReadError> {
        while self.leaves.load()? {
            let page = self.leaves.page(PageKind::IndexLeaf)?;
            if self.cell < page.cells() {
                self.row.set(self.leaves.pages, page.number(), &page.entry(self.cell)?)?;
                self.cell += 1;
                return Ok(true);
            }
            if self.in_leaf
                && let Some(&separator) = self.separators.get(self.leaves.place)
            {
                self.in_leaf = false;
                return self.read_separator(separator);
            }
            self.leaves.place += 1;
            self.cell = 0;
            self.in_leaf = true;
        }
        Ok(false)
    }

    fn read_separator(&mut self, separator: Separator) -> Result<bool, ReadError> {
        let layout = self.leaves.layout;
        if self.interior.0 != separator.page {
            let space = space(&mut self.interior.1, layout.page_size as usize);
            read_pages(self.leaves.pages, separator.page, space)?;
            self.interior.0 = separator.page;
        }
        let page = BTreePage::parse_as(PageKind::IndexInterior, separator.page, &self.interior.1, &layout)?;
        self.row.set(self.leaves.pages, page.number(), &page.entry(usize::from(separator.cell))?)?;
        Ok(true)
    }

    /// The value that the row has in this column of the table; none where the record is older than the column, or does not store it.
    /// Text is in the encoding of the database.
    ///
    /// # Errors
    /// When the value lies on overflow pages, and they cannot be read or are malformed.
    pub fn value(&self, column: usize) -> Result<Option<ValueRef<'_>>, ReadError> {
        let Some(Place::Stored { index, real }) = self.shape.columns.get(column) else { return Ok(None) };
        let bytes = if self.in_leaf { self.leaves.bytes() } else { &self.interior.1 };
        self.row.value(self.leaves.pages, bytes, *index, *real)
    }

    /// The record as it is stored; none where it goes on in overflow pages.
    #[must_use]
    pub fn record(&self) -> Option<&[u8]> {
        self.row.record(if self.in_leaf { self.leaves.bytes() } else { &self.interior.1 })
    }

    /// The number of the page that the row is in.
    #[must_use]
    pub fn page(&self) -> u32 {
        self.row.page
    }
}

/// Leaves in a given order, neighbours of which are read at once.
struct Leaves<'a> {
    pages: &'a dyn Pages,
    layout: Layout,
    numbers: Vec<u32>,
    /// Which of them is the current one.
    place: usize,
    /// Which of them are in the buffer.
    read: Range<usize>,
    buffer: Vec<u8>,
}

impl<'a> Leaves<'a> {
    fn new(pages: &'a dyn Pages, numbers: Vec<u32>) -> Self {
        Self { pages, layout: pages.layout(), numbers, place: 0, read: 0..0, buffer: Vec::new() }
    }

    /// Reads the current page if it is not yet; false behind the last.
    fn load(&mut self) -> Result<bool, ReadError> {
        if self.read.contains(&self.place) {
            return Ok(true);
        }
        let rest = self.numbers.get(self.place..).unwrap_or_default();
        let Some(run) = rest.chunk_by(|one, next| one.checked_add(1) == Some(*next)).next() else { return Ok(false) };
        let run = &run[..run.len().min(READ_AHEAD)];
        self.read = 0..0;
        let space = space(&mut self.buffer, run.len() * self.layout.page_size as usize);
        read_pages(self.pages, run[0], space)?;
        self.read = self.place..self.place + run.len();
        Ok(true)
    }

    /// The current page, which was loaded.
    fn page(&self, kind: PageKind) -> Result<BTreePage<'_>, Malformed> {
        BTreePage::parse_as(kind, self.numbers[self.place], self.bytes(), &self.layout)
    }

    fn bytes(&self) -> &[u8] {
        let size = self.layout.page_size as usize;
        let start = self.place.saturating_sub(self.read.start) * size;
        self.buffer.get(start..start + size).unwrap_or_default()
    }
}

/// The record of the current row.
#[derive(Default)]
struct Row {
    page: u32,
    /// Where its first bytes stand in the page.
    local: Range<usize>,
    /// Bytes of the whole record.
    payload: usize,
    /// Bytes that the records behind it may have.
    left: u64,
    overflow: Option<u32>,
    fields: Vec<Field>,
    /// The whole record, once a value that is not in the page was asked for.
    whole: OnceCell<Vec<u8>>,
    /// The memory of the last whole record.
    spare: Cell<Vec<u8>>,
}

impl Row {
    fn of(pages: &dyn Pages) -> Self {
        Self { left: pages.layout().bytes(), ..Self::default() }
    }

    fn set(&mut self, pages: &dyn Pages, page: u32, payload: &Payload<'_>) -> Result<(), ReadError> {
        if let Some(whole) = self.whole.take() {
            self.spare.set(whole);
        }
        self.page = page;
        self.local = payload.offset..payload.offset + payload.local.len();
        self.payload = payload.bytes;
        self.left = self.left.checked_sub(payload.bytes as u64).ok_or(Fault::Overlap.of(page))?;
        self.overflow = payload.overflow;
        let (header, _) = record::header(payload.local, payload.bytes).map_err(|fault| fault.of(page))?;
        if header > payload.local.len() {
            let whole = self.assemble(pages, payload.local)?;
            record::fields(&whole, payload.bytes, &mut self.fields).map_err(|fault| fault.of(page))?;
            self.whole = OnceCell::from(whole);
        } else {
            record::fields(payload.local, payload.bytes, &mut self.fields).map_err(|fault| fault.of(page))?;
        }
        Ok(())
    }

    fn record<'r>(&self, page: &'r [u8]) -> Option<&'r [u8]> {
        page.get(self.local.clone()).filter(|local| local.len() == self.payload)
    }

    fn value<'r>(
        &'r self,
        pages: &dyn Pages,
        page: &'r [u8],
        index: usize,
        real: bool,
    ) -> Result<Option<ValueRef<'r>>, ReadError> {
        let Some(field) = self.fields.get(index) else { return Ok(None) };
        let start = field.offset as usize;
        let range = start..start + field.length();
        let local = page.get(self.local.clone()).unwrap_or_default();
        let bytes = match local.get(range.clone()) {
            Some(bytes) => bytes,
            None => self.whole(pages, local)?.get(range).unwrap_or_default(),
        };
        Ok(Some(record::value(field.serial, bytes, real)))
    }

    fn whole(&self, pages: &dyn Pages, local: &[u8]) -> Result<&[u8], ReadError> {
        if let Some(whole) = self.whole.get() {
            return Ok(whole);
        }
        let whole = self.assemble(pages, local)?;
        Ok(self.whole.get_or_init(|| whole))
    }

    fn assemble(&self, pages: &dyn Pages, local: &[u8]) -> Result<Vec<u8>, ReadError> {
        let mut whole = self.spare.take();
        whole.clear();
        whole.extend_from_slice(local);
        if let Some(first) = self.overflow {
            overflow::append(pages, first, self.payload - local.len(), &mut whole)?;
        }
        Ok(whole)
    }
}
