//! Counts of the values of many tables in one pass over the file, in file order.
//!
//! Only the headers of the records are read, except while all values of a column are the same. Blocks in which no table has a page
//! are skipped, so that overflow pages, indexes and free pages cost little.

use std::cell::OnceCell;
use std::io;

use rayon::prelude::*;
use rusqlite::types::ValueRef;

use super::btree::{read_pages, space};
use super::error::{Fault, Malformed, ReadError};
use super::overflow;
use super::page::{BTreePage, PageKind, Payload};
use super::pages::{Layout, Pages};
use super::record::{self, Owned, is_identical};
use super::shape::{Place, Shape};
use super::varint;
use crate::observer::Work;

/// Bytes that are read at once at most; they stay in the processor's cache until they are counted.
const BLOCK: u32 = 1 << 20;

/// Bytes between two pages that are rather read than left out.
const GAP: u32 = 1 << 14;

/// A table whose values are to be counted.
#[derive(Debug, Clone)]
pub struct ScanTable<'a> {
    /// Where its columns are.
    pub shape: &'a Shape,
    /// The pages that hold its rows, in any order: the leaves, and of a table WITHOUT ROWID the interior pages too.
    pub pages: Vec<u32>,
}

/// What was counted in a table.
#[derive(Debug, Clone, PartialEq)]
pub struct TableCounts {
    /// Its rows.
    pub rows: u64,
    /// One for each column of its shape.
    pub columns: Vec<ColumnCounts>,
}

/// What was counted in a column.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ColumnCounts {
    /// Values that are NULL.
    pub nulls: u64,
    /// Integers.
    pub integers: u64,
    /// Reals; integers where the column has REAL affinity.
    pub reals: u64,
    /// Texts.
    pub texts: u64,
    /// Blobs.
    pub blobs: u64,
    /// Rows that do not have the column: they are older than it, or it is computed.
    pub absent: u64,
    /// The rowid of such a row, the lowest that was seen; none without rowids.
    pub absent_from: Option<i64>,
    /// What the values that are there have in common.
    pub variety: Variety,
}

/// Whether the values of a column are all the same, in storage class and bytes.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Variety {
    /// There are none.
    #[default]
    None,
    /// All are this one.
    One(Owned),
    /// There are different ones.
    Various,
}

/// Counts the values of each table, on all processors. A table that cannot be read is an error of that table only. `work` is counted in
/// bytes of pages.
pub fn scan(pages: &dyn Pages, tables: &[ScanTable<'_>], work: &Work) -> Vec<Result<TableCounts, ReadError>> {
    let scan = Scan { pages, layout: pages.layout(), tables, work };
    let mut totals: Vec<Total> = tables.iter().map(|_| Ok(None)).collect();
    let wanted = scan.wanted(&mut totals);
    work.expect(scan.bytes(&wanted));
    let runs = scan.runs(&wanted);
    let share = runs.len().div_ceil(rayon::current_num_threads() * 8).max(1);
    let parts: Vec<Vec<Total>> = runs.par_chunks(share).map(|runs| scan.count(runs)).collect();
    for part in parts {
        for (total, part) in totals.iter_mut().zip(part) {
            merge(total, part);
        }
    }
    tables.iter().zip(totals).map(|(table, total)| Ok(counts(table.shape, total?))).collect()
}

/// What was counted of a table; none where none of its pages was met.
type Total = Result<Option<Tally>, ReadError>;

fn merge(total: &mut Total, part: Total) {
    match (&mut *total, part) {
        (Err(_), _) | (_, Ok(None)) => {}
        (Ok(Some(total)), Ok(Some(part))) => total.merge(part),
        (_, part) => *total = part,
    }
}

struct Scan<'a> {
    pages: &'a dyn Pages,
    layout: Layout,
    tables: &'a [ScanTable<'a>],
    work: &'a Work,
}

/// A page, and which of the tables it belongs to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wanted {
    page: u32,
    table: u32,
}

impl Scan<'_> {
    /// The pages of all tables in file order.
    fn wanted(&self, totals: &mut [Total]) -> Vec<Wanted> {
        let mut wanted = Vec::with_capacity(self.tables.iter().map(|table| table.pages.len()).sum());
        for ((number, table), total) in (0..).zip(self.tables).zip(&mut *totals) {
            match table.pages.iter().find(|page| **page == 0 || **page > self.layout.pages) {
                Some(outside) => *total = Err(Fault::NoSuchPage.of(*outside).into()),
                None => wanted.extend(table.pages.iter().map(|&page| Wanted { page, table: number })),
            }
        }
        wanted.sort_unstable();
        for pair in wanted.windows(2).filter(|pair| pair[0].page == pair[1].page) {
            for twice in pair {
                totals[twice.table as usize] = Err(Fault::Twice.of(twice.page).into());
            }
        }
        wanted
    }

    fn bytes(&self, pages: &[Wanted]) -> u64 {
        pages.len() as u64 * u64::from(self.layout.page_size)
    }

    /// Pages that are read at once.
    fn runs<'w>(&self, wanted: &'w [Wanted]) -> Vec<&'w [Wanted]> {
        let (block, gap) = (BLOCK / self.layout.page_size, (GAP / self.layout.page_size).max(1));
        let mut runs = Vec::new();
        let mut rest = wanted;
        while let Some(first) = rest.first() {
            let fits = |pair: &[Wanted]| pair[1].page - pair[0].page <= gap && pair[1].page - first.page < block;
            let length = rest.windows(2).take_while(|pair| fits(pair)).count() + 1;
            let (run, behind) = rest.split_at(length);
            runs.push(run);
            rest = behind;
        }
        runs
    }

    fn count(&self, runs: &[&[Wanted]]) -> Vec<Total> {
        let size = self.layout.page_size as usize;
        let mut totals: Vec<Total> = self.tables.iter().map(|_| Ok(None)).collect();
        let mut buffer = Vec::new();
        for run in runs {
            let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
            self.work.add(self.bytes(run));
            let block = space(&mut buffer, (last.page - first.page + 1) as usize * size);
            if let Err(error) = read_pages(self.pages, first.page, block) {
                for wanted in *run {
                    totals[wanted.table as usize] = Err(same(&error));
                }
                continue;
            }
            for wanted in *run {
                let total = &mut totals[wanted.table as usize];
                let Ok(tally) = total else { continue };
                let shape = self.tables[wanted.table as usize].shape;
                let start = (wanted.page - first.page) as usize * size;
                let tally = tally.get_or_insert_with(|| Tally::new(shape));
                if let Err(error) = self.count_page(wanted.page, &block[start..start + size], shape, tally) {
                    *total = Err(error);
                }
            }
        }
        totals
    }

    fn count_page(&self, number: u32, bytes: &[u8], shape: &Shape, tally: &mut Tally) -> Result<(), ReadError> {
        let page = BTreePage::parse(number, bytes, &self.layout)?;
        if shape.without_rowid != page.kind().is_index() || page.kind() == PageKind::TableInterior {
            return Err(Fault::Kind(page.first_byte()).of(number).into());
        }
        for cell in 0..page.cells() {
            if let Some((rowid, record)) = page.whole(cell) {
                tally.add(record, record.len(), &Whole { page: number, rowid, record })?;
                continue;
            }
            let (rowid, payload) = if shape.without_rowid {
                (0, page.entry(cell)?)
            } else {
                let row = page.row(cell)?;
                (row.rowid, row.payload)
            };
            // Before it is read: a few bytes can refer to long overflow pages.
            if tally.bytes + payload.bytes as u64 > self.layout.bytes() {
                return Err(Fault::Overlap.of(number).into());
            }
            let record = Spilled { pages: self.pages, page: number, rowid, payload, whole: OnceCell::new() };
            tally.add(record.header()?, payload.bytes, &record)?;
        }
        if let Some(last) = page.cells().checked_sub(1)
            && !shape.without_rowid
        {
            tally.rowid = page.row(last)?.rowid;
        }
        Ok(())
    }
}

/// An error for each of the tables that it keeps from being counted.
fn same(error: &ReadError) -> ReadError {
    match error {
        ReadError::Io(error) => io::Error::new(error.kind(), error.to_string()).into(),
        ReadError::Malformed(malformed) => (*malformed).into(),
    }
}

/// A record and its rowid.
trait Record {
    fn rowid(&self) -> i64;

    /// The values there.
    fn bytes(&self, offset: usize, length: usize) -> Result<&[u8], ReadError>;

    /// Whether the value there is `value`.
    fn has(&self, offset: usize, value: &[u8]) -> Result<bool, ReadError> {
        Ok(self.bytes(offset, value.len())? == value)
    }

    fn malformed(&self) -> Malformed;
}

/// A record that lies in its page.
struct Whole<'r> {
    page: u32,
    /// The bytes that begin with it; it is seldom asked for.
    rowid: &'r [u8],
    record: &'r [u8],
}

impl Record for Whole<'_> {
    fn rowid(&self) -> i64 {
        varint::read(self.rowid).map_or(0, |(rowid, _)| rowid.cast_signed())
    }

    #[inline]
    fn bytes(&self, offset: usize, length: usize) -> Result<&[u8], ReadError> {
        Ok(self.record.get(offset..offset + length).ok_or(self.malformed())?)
    }

    fn malformed(&self) -> Malformed {
        Fault::Record.of(self.page)
    }
}

/// A record that goes on in overflow pages.
struct Spilled<'r> {
    pages: &'r dyn Pages,
    page: u32,
    rowid: i64,
    payload: Payload<'r>,
    /// With what lies on overflow pages, once it was asked for.
    whole: OnceCell<Vec<u8>>,
}

impl Spilled<'_> {
    /// At least the header.
    fn header(&self) -> Result<&[u8], ReadError> {
        let (end, _) = record::header(self.payload.local, self.payload.bytes).map_err(|_| self.malformed())?;
        if end <= self.payload.local.len() { Ok(self.payload.local) } else { self.whole() }
    }

    fn whole(&self) -> Result<&[u8], ReadError> {
        if let Some(whole) = self.whole.get() {
            return Ok(whole);
        }
        let mut whole = self.payload.local.to_vec();
        if let Some(first) = self.payload.overflow {
            overflow::append(self.pages, first, self.payload.bytes - whole.len(), &mut whole)?;
        }
        Ok(self.whole.get_or_init(|| whole))
    }
}

impl Record for Spilled<'_> {
    fn rowid(&self) -> i64 {
        self.rowid
    }

    fn bytes(&self, offset: usize, length: usize) -> Result<&[u8], ReadError> {
        match self.payload.local.get(offset..offset + length) {
            Some(bytes) => Ok(bytes),
            None => Ok(self.whole()?.get(offset..offset + length).ok_or(self.malformed())?),
        }
    }

    fn has(&self, offset: usize, value: &[u8]) -> Result<bool, ReadError> {
        // Values that differ mostly do so before they spill over.
        let local = self.payload.local.get(offset..).unwrap_or_default();
        let local = &local[..local.len().min(value.len())];
        Ok(value.starts_with(local) && (local.len() == value.len() || self.bytes(offset, value.len())? == value))
    }

    fn malformed(&self) -> Malformed {
        Fault::Record.of(self.page)
    }
}

/// The classes of values, as places in [`Column::counts`].
const NULL: u8 = 0;
const INTEGER: u8 = 1;
const REAL: u8 = 2;
const TEXT: u8 = 3;
const BLOB: u8 = 4;
/// Of a byte: it says less than the class, or something that does not occur.
const NO_CLASS: u8 = 5;

/// The class and the length of the values whose serial type is this one byte.
const KINDS: [(u8, u8); 256] = {
    let mut kinds = [(NO_CLASS, 0); 256];
    let lengths = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];
    let mut serial = 0;
    while serial < 0x80 {
        kinds[serial as usize] = match serial {
            0 => (NULL, 0),
            7 => (REAL, 8),
            1..=9 => (INTEGER, lengths[serial as usize]),
            10 | 11 => (NO_CLASS, 0),
            _ if serial % 2 == 0 => (BLOB, (serial - 12) / 2),
            _ => (TEXT, (serial - 13) / 2),
        };
        serial += 1;
    }
    kinds
};

/// What was counted so far. The columns are those of the record.
struct Tally {
    rows: u64,
    /// Of the records; too many where they lie over one another.
    bytes: u64,
    /// That of the last row of the last page.
    rowid: i64,
    columns: Vec<Column>,
}

#[derive(Clone, Default)]
struct Column {
    /// By class; as many as make the check of the place superfluous.
    counts: [u64; 8],
    /// Whether there were different values.
    various: bool,
    /// REAL affinity.
    real: bool,
    absent: u64,
    absent_from: Option<i64>,
    /// The serial type and the bytes of the first value, until there are others.
    sample: Option<(u32, Vec<u8>)>,
}

impl Tally {
    fn new(shape: &Shape) -> Self {
        let mut columns = Vec::new();
        for place in &shape.columns {
            if let Place::Stored { index, real } = *place {
                if columns.len() <= index {
                    columns.resize(index + 1, Column::default());
                }
                columns[index].real = real;
            }
        }
        Self { rows: 0, bytes: 0, rowid: 0, columns }
    }

    /// Counts the values of a record of `payload` bytes that begins with `header`.
    #[inline]
    fn add(&mut self, header: &[u8], payload: usize, record: &impl Record) -> Result<(), ReadError> {
        let (end, taken) = record::header(header, payload).map_err(|_| record.malformed())?;
        let mut serials = header.get(taken..end).ok_or(record.malformed())?;
        let mut offset = end;
        let mut columns = self.columns.iter_mut();
        for column in columns.by_ref() {
            let Some((&first, rest)) = serials.split_first() else {
                column.add_absent(record.rowid());
                break;
            };
            let (class, length) = KINDS[usize::from(first)];
            let (class, length, serial) = if class == NO_CLASS {
                let (serial, length, rest) = long(serials).ok_or(record.malformed())?;
                serials = rest;
                (if serial.is_multiple_of(2) { BLOB } else { TEXT }, length, serial)
            } else {
                serials = rest;
                (class, usize::from(length), u32::from(first))
            };
            let class = if class == REAL { real_or_null(record.bytes(offset, length)?) } else { class };
            column.counts[usize::from(class & 7)] += 1;
            if !column.various {
                column.compare(serial, offset, length, record)?;
            }
            offset += length;
        }
        for column in columns {
            column.add_absent(record.rowid());
        }
        // Values that the table has no column for.
        while !serials.is_empty() {
            let (_, length, rest) = long(serials).ok_or(record.malformed())?;
            offset += length;
            serials = rest;
        }
        if offset != payload {
            return Err(record.malformed().into());
        }
        self.rows += 1;
        self.bytes += payload as u64;
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        self.rows += other.rows;
        if other.rows > 0 {
            self.rowid = other.rowid;
        }
        for (column, other) in self.columns.iter_mut().zip(other.columns) {
            column.merge(other);
        }
    }
}

/// The serial type that stands first, the length of its value, and what follows it.
fn long(serials: &[u8]) -> Option<(u32, usize, &[u8])> {
    let (serial, taken) = varint::read(serials)?;
    let serial = u32::try_from(serial).ok()?;
    Some((serial, record::length(serial)?, &serials[taken..]))
}

impl Column {
    #[cold]
    fn add_absent(&mut self, rowid: i64) {
        self.absent += 1;
        self.absent_from = Some(self.absent_from.map_or(rowid, |lowest| lowest.min(rowid)));
    }

    #[inline(never)]
    fn compare(&mut self, serial: u32, offset: usize, length: usize, record: &impl Record) -> Result<(), ReadError> {
        let Some((first, bytes)) = &self.sample else {
            self.sample = Some((serial, record.bytes(offset, length)?.to_vec()));
            return Ok(());
        };
        let same = if serial < 12 && *first < 12 {
            // A number has more than one serial type.
            let value = record::value(serial, record.bytes(offset, length)?, self.real);
            is_identical(record::value(*first, bytes, self.real), value)
        } else {
            serial == *first && record.has(offset, bytes)?
        };
        if !same {
            self.various = true;
            self.sample = None;
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) {
        for (count, other) in self.counts.iter_mut().zip(other.counts) {
            *count += other;
        }
        self.absent += other.absent;
        self.absent_from = self.absent_from.into_iter().chain(other.absent_from).min();
        self.various |= other.various;
        self.various |= match (self.value(), other.value()) {
            (Some(one), Some(other)) => !is_identical(one, other),
            _ => false,
        };
        self.sample = self.sample.take().or(other.sample).filter(|_| !self.various);
    }

    /// The value that all have in common.
    fn value(&self) -> Option<ValueRef<'_>> {
        self.sample.as_ref().map(|(serial, bytes)| record::value(*serial, bytes, self.real))
    }

    fn counts(&self) -> ColumnCounts {
        let [nulls, integers, reals, texts, blobs, ..] = self.counts;
        let (integers, reals) = if self.real { (0, reals + integers) } else { (integers, reals) };
        let variety = match self.value() {
            Some(value) => Variety::One(Owned::of(value)),
            None if self.various => Variety::Various,
            None => Variety::None,
        };
        let (absent, absent_from) = (self.absent, self.absent_from);
        ColumnCounts { nulls, integers, reals, texts, blobs, absent, absent_from, variety }
    }
}

/// SQLite reads a real that is not a number as NULL.
#[inline]
fn real_or_null(bytes: &[u8]) -> u8 {
    match bytes.first_chunk() {
        Some(bytes) if f64::from_be_bytes(*bytes).is_nan() => NULL,
        _ => REAL,
    }
}

fn counts(shape: &Shape, total: Option<Tally>) -> TableCounts {
    let tally = total.unwrap_or_else(|| Tally::new(shape));
    let column = |place: &Place| match *place {
        Place::Rowid => ColumnCounts {
            integers: tally.rows,
            variety: match tally.rows {
                0 => Variety::None,
                1 => Variety::One(Owned::Integer(tally.rowid)),
                _ => Variety::Various,
            },
            ..ColumnCounts::default()
        },
        Place::Computed => ColumnCounts { absent: tally.rows, ..ColumnCounts::default() },
        Place::Stored { index, .. } => {
            let counts = tally.columns.get(index).map(Column::counts).unwrap_or_default();
            let absent_from = counts.absent_from.filter(|_| !shape.without_rowid);
            ColumnCounts { absent_from, ..counts }
        }
    };
    TableCounts { rows: tally.rows, columns: shape.columns.iter().map(column).collect() }
}
