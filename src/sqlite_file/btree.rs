//! The pages of a tree, found by reading its interior pages only.
//!
//! Source: <https://sqlite.org/fileformat2.html#b_tree_pages>, §1.6. All leaves of a tree are equally deep, so that going down once
//! on the left tells which level refers to leaves; the levels above are read one after the other, each in file order.

use super::error::{Fault, ReadError};
use super::page::{BTreePage, PageKind};
use super::pages::Pages;

/// SQLite's own limit, `BTCURSOR_MAX_DEPTH`.
const MAX_DEPTH: usize = 20;

/// Pages that are read at once where they are neighbours.
pub(super) const READ_AHEAD: usize = 64;

/// The pages of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableTree {
    /// The pages that hold its rows, in the order of their rowids.
    pub leaves: Vec<u32>,
    /// The pages above them, in no order that means something.
    pub interior: Vec<u32>,
}

/// The pages of an index, or of a table WITHOUT ROWID.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IndexTree {
    /// The pages at the bottom, in key order.
    pub leaves: Vec<u32>,
    /// The entries in interior pages, each of which follows the leaf at the same place and comes before the next.
    pub separators: Vec<Separator>,
    /// The pages above the leaves, in no order that means something.
    pub interior: Vec<u32>,
}

/// An entry in an interior page of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Separator {
    /// The number of the page.
    pub page: u32,
    /// Which of its cells.
    pub cell: u16,
}

/// Finds the pages of the table whose root this is.
///
/// # Errors
/// When a page cannot be read, or the pages are no tree of a table.
pub fn leaves(pages: &dyn Pages, root: u32) -> Result<TableTree, ReadError> {
    let tree = walk(pages, root, false)?;
    Ok(TableTree { leaves: tree.leaves, interior: tree.interior })
}

/// Finds the pages of the index, or table WITHOUT ROWID, whose root this is.
///
/// # Errors
/// When a page cannot be read, or the pages are no tree of an index.
pub fn index_leaves(pages: &dyn Pages, root: u32) -> Result<IndexTree, ReadError> {
    walk(pages, root, true)
}

fn walk(pages: &dyn Pages, root: u32, is_index: bool) -> Result<IndexTree, ReadError> {
    let mut interior = Vec::new();
    let mut level = Level { pages: vec![root], separators: Vec::new() };
    for _ in 0..levels_above_leaves(pages, root, is_index)? {
        let below = level.below(pages, is_index)?;
        interior.append(&mut level.pages);
        level = below;
    }
    let tree = IndexTree { leaves: level.pages, separators: level.separators, interior };
    let mut all = [tree.leaves.as_slice(), &tree.interior].concat();
    all.sort_unstable();
    let count = pages.layout().pages;
    if let Some(outside) = all.iter().find(|number| !(1..=count).contains(*number)) {
        return Err(Fault::NoSuchPage.of(*outside).into());
    }
    match all.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(twice) => Err(Fault::Twice.of(twice[0]).into()),
        None => Ok(tree),
    }
}

fn levels_above_leaves(pages: &dyn Pages, root: u32, is_index: bool) -> Result<usize, ReadError> {
    let layout = pages.layout();
    let mut bytes = vec![0; layout.page_size as usize];
    let mut number = root;
    for depth in 0..MAX_DEPTH {
        read_pages(pages, number, &mut bytes)?;
        let page = BTreePage::parse(number, &bytes, &layout)?;
        if page.kind().is_index() != is_index {
            return Err(Fault::Kind(page.first_byte()).of(number).into());
        }
        match page.children().next() {
            Some(child) if !page.kind().is_leaf() => number = child?,
            _ => return Ok(depth),
        }
    }
    Err(Fault::Depth.of(root).into())
}

/// The pages of one level in key order, and the entries between them.
struct Level {
    pages: Vec<u32>,
    separators: Vec<Separator>,
}

impl Level {
    fn below(&self, pages: &dyn Pages, is_index: bool) -> Result<Self, ReadError> {
        let kind = if is_index { PageKind::IndexInterior } else { PageKind::TableInterior };
        let layout = pages.layout();
        let mut order: Vec<usize> = (0..self.pages.len()).collect();
        order.sort_unstable_by_key(|&place| self.pages[place]);
        let sorted: Vec<u32> = order.iter().map(|&place| self.pages[place]).collect();
        let mut children = vec![Vec::new(); self.pages.len()];
        let mut left = layout.pages as usize;
        for_each(pages, &sorted, |index, number, bytes| {
            let page = BTreePage::parse_as(kind, number, bytes, &layout)?;
            // More than there are pages: before they take up memory.
            left = left.checked_sub(page.cells()).ok_or(Fault::Twice.of(number))?;
            children[order[index]] = page.children().collect::<Result<Vec<u32>, _>>()?;
            Ok(())
        })?;
        let mut below = Self { pages: Vec::new(), separators: Vec::new() };
        for (place, (children, &page)) in children.iter().zip(&self.pages).enumerate() {
            below.pages.extend(children);
            if is_index {
                below.separators.extend((0..).zip(&children[1..]).map(|(cell, _)| Separator { page, cell }));
                below.separators.extend(self.separators.get(place));
            }
        }
        Ok(below)
    }
}

/// Reads the pages of an ascending list, neighbours at once. `visit` takes the place in the list, the number and the bytes.
///
/// # Errors
/// When a page cannot be read, stands in the list twice, or `visit` fails.
fn for_each(
    pages: &dyn Pages,
    ascending: &[u32],
    mut visit: impl FnMut(usize, u32, &[u8]) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let size = pages.layout().page_size as usize;
    if let Some(twice) = ascending.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Fault::Twice.of(twice[0]).into());
    }
    let mut buffer = Vec::new();
    let mut index = 0;
    for run in ascending.chunk_by(|one, next| one.checked_add(1) == Some(*next)).flat_map(|run| run.chunks(READ_AHEAD))
    {
        let space = space(&mut buffer, run.len() * size);
        read_pages(pages, run[0], space)?;
        for (&number, bytes) in run.iter().zip(space.chunks_exact(size)) {
            visit(index, number, bytes)?;
            index += 1;
        }
    }
    Ok(())
}

/// So many bytes of a buffer to read into, whatever they hold.
pub(super) fn space(buffer: &mut Vec<u8>, bytes: usize) -> &mut [u8] {
    if buffer.len() < bytes {
        *buffer = vec![0; bytes];
    }
    &mut buffer[..bytes]
}

/// Reads consecutive pages, all of which must be in the database.
///
/// # Errors
/// When one is not, or the file cannot be read.
pub fn read_pages(pages: &dyn Pages, first: u32, into: &mut [u8]) -> Result<(), ReadError> {
    let layout = pages.layout();
    let last = u64::from(first) + (into.len() / layout.page_size as usize) as u64 - 1;
    if first == 0 || last > u64::from(layout.pages) {
        let outside = if first == 0 || first > layout.pages { first } else { layout.pages.saturating_add(1) };
        return Err(Fault::NoSuchPage.of(outside).into());
    }
    Ok(pages.read(first, into)?)
}
