//! Which tables may differ, by the pages that do: a b-tree without a differing page is the same, and is not read.

use std::collections::BTreeSet;

use super::States;
use crate::execution::Step;
use crate::sqlite_file::error::ReadError;
use crate::sqlite_file::freelist::{Freelist, freelist};
use crate::sqlite_file::page::{BTreePage, PageKind};
use crate::sqlite_file::page_set::PageSet;
use crate::sqlite_file::pages::Pages;
use crate::sqlite_file::{btree, overflow, pointer_map, schema_page};

/// Which tables may differ.
pub(super) struct Differing<'a> {
    /// None: every table may.
    known: Option<Known<'a>>,
}

struct Known<'a> {
    before: &'a dyn Pages,
    after: &'a dyn Pages,
    pages: &'a PageSet,
    /// The roots of trees with a page that differs.
    trees: BTreeSet<u32>,
    /// The tables, in lower case, of which the tree or that of an index is one of those.
    tables: BTreeSet<String>,
    /// Leaves that are the same, with a row whose overflow pages are not.
    leaves: PageSet,
}

/// A tree of the state after.
struct Tree {
    /// The name of the table, in lower case.
    table: String,
    root: u32,
}

impl<'a> Differing<'a> {
    /// `steps` are what ran between the two: their tables are looked at first.
    pub fn between(states: States<'a>, steps: &[Step]) -> Self {
        let touched: BTreeSet<String> =
            steps.iter().flat_map(|step| &step.changes).map(|change| change.table.to_ascii_lowercase()).collect();
        let known = match (states.before.pages, states.after.pages, states.changed) {
            (Some(before), Some(after), Some(pages)) if states.before.encoding == states.after.encoding => {
                Known::find(before, after, pages, &touched).ok().flatten()
            }
            _ => None,
        };
        Self { known }
    }

    /// Whether the tables with these roots hold the same records under the same keys.
    pub fn is_same(&self, before: u32, after: u32) -> bool {
        let known = self.known.as_ref();
        before != 0 && before == after && known.is_some_and(|known| !known.trees.contains(&after))
    }

    /// Whether the table with this name after, or an index of it, may differ.
    pub fn has(&self, table: &str) -> bool {
        self.known.as_ref().is_none_or(|known| known.tables.contains(&table.to_ascii_lowercase()))
    }

    /// The leaves of a table before and after that may differ; none where any may.
    pub fn leaves(&self, before: u32, after: u32) -> Option<(Vec<u32>, Vec<u32>)> {
        let known = self.known.as_ref().filter(|_| before == after && after != 0)?;
        let old = btree::leaves(known.before, before).ok()?.leaves;
        let new = btree::leaves(known.after, after).ok()?.leaves;
        let is_same = |leaf: &u32| !known.pages.contains(*leaf) && !known.leaves.contains(*leaf);
        let same = |leaves: &[u32]| leaves.iter().copied().filter(is_same).collect::<PageSet>();
        let (same_old, same_new) = (same(&old), same(&new));
        let on_both = |leaf: &u32| same_old.contains(*leaf) && same_new.contains(*leaf);
        let differing = |leaves: Vec<u32>| leaves.into_iter().filter(|leaf| !on_both(leaf)).collect();
        Some((differing(old), differing(new)))
    }
}

impl<'a> Known<'a> {
    /// Finds for each differing page the tree that it belongs to. None where one belongs to none: nothing is concluded from a
    /// file that is not understood.
    fn find(
        before: &'a dyn Pages,
        after: &'a dyn Pages,
        pages: &'a PageSet,
        touched: &BTreeSet<String>,
    ) -> Result<Option<Self>, ReadError> {
        let mut known =
            Self { before, after, pages, trees: BTreeSet::new(), tables: BTreeSet::new(), leaves: PageSet::default() };
        let layout = after.layout();
        // Pages that are behind the end now belonged to a tree whose page that referred to them differs.
        let mut left: PageSet = pages.iter().filter(|page| *page <= layout.pages).collect();
        let schema = Tree { table: String::new(), root: 1 };
        known.take_out(&schema, &mut left)?;
        left.remove(pointer_map::lock_byte_page(&layout));
        for page in pointer_map::pointer_map_pages(&layout) {
            left.remove(page);
        }
        if left.is_empty() {
            return Ok(Some(known));
        }
        let Freelist { trunks, leaves } = freelist(after)?;
        for page in trunks.into_iter().chain(leaves) {
            left.remove(page);
        }
        let trees = known.trees_after(touched)?;
        for tree in &trees {
            if left.is_empty() {
                return Ok(Some(known));
            }
            known.take_out(tree, &mut left)?;
        }
        // What is left are overflow pages that were written in place, below leaves that did not change.
        for tree in &trees {
            if left.is_empty() {
                break;
            }
            known.take_overflow_out(tree, &mut left)?;
        }
        Ok(left.is_empty().then_some(known))
    }

    /// The trees after, those first that were probably written.
    fn trees_after(&self, touched: &BTreeSet<String>) -> Result<Vec<Tree>, ReadError> {
        let rows = schema_page::schema_rows(self.after)?.into_iter().filter(|row| row.root_page != 0);
        let mut trees: Vec<Tree> =
            rows.map(|row| Tree { table: row.table.to_ascii_lowercase(), root: row.root_page }).collect();
        trees.sort_by_key(|tree| !(touched.contains(&tree.table) || self.pages.contains(tree.root)));
        Ok(trees)
    }

    /// Takes the pages of a tree out of those of which it is not known to whom they belong, and notes whether one differs.
    fn take_out(&mut self, tree: &Tree, left: &mut PageSet) -> Result<(), ReadError> {
        let Nodes { leaves, interior } = Nodes::of(self.after, tree.root)?;
        let differing: Vec<u32> =
            leaves.into_iter().chain(interior).filter(|page| self.pages.contains(*page)).collect();
        if differing.is_empty() {
            return Ok(());
        }
        self.note(tree);
        for page in differing {
            left.remove(page);
            overflow_pages(self.after, page, |overflow| {
                left.remove(overflow);
            })?;
        }
        Ok(())
    }

    /// The same for the overflow pages below leaves that do not differ themselves.
    fn take_overflow_out(&mut self, tree: &Tree, left: &mut PageSet) -> Result<(), ReadError> {
        let Nodes { leaves, interior } = Nodes::of(self.after, tree.root)?;
        for page in leaves.into_iter().chain(interior).filter(|page| !self.pages.contains(*page)) {
            let mut differs = false;
            overflow_pages(self.after, page, |overflow| differs |= left.remove(overflow))?;
            if differs {
                self.leaves.insert(page);
                self.note(tree);
            }
            if left.is_empty() {
                break;
            }
        }
        Ok(())
    }

    fn note(&mut self, tree: &Tree) {
        self.trees.insert(tree.root);
        self.tables.insert(tree.table.clone());
    }
}

/// The pages of a tree of either kind.
struct Nodes {
    leaves: Vec<u32>,
    interior: Vec<u32>,
}

impl Nodes {
    fn of(pages: &dyn Pages, root: u32) -> Result<Self, ReadError> {
        let mut bytes = vec![0; pages.layout().page_size as usize];
        btree::read_pages(pages, root, &mut bytes)?;
        Ok(if BTreePage::parse(root, &bytes, &pages.layout())?.kind().is_index() {
            let tree = btree::index_leaves(pages, root)?;
            Self { leaves: tree.leaves, interior: tree.interior }
        } else {
            let tree = btree::leaves(pages, root)?;
            Self { leaves: tree.leaves, interior: tree.interior }
        })
    }
}

/// Names the overflow pages of what begins in a page of a tree.
fn overflow_pages(pages: &dyn Pages, number: u32, mut visit: impl FnMut(u32)) -> Result<(), ReadError> {
    let layout = pages.layout();
    let mut bytes = vec![0; layout.page_size as usize];
    btree::read_pages(pages, number, &mut bytes)?;
    let page = BTreePage::parse(number, &bytes, &layout)?;
    for cell in 0..page.cells() {
        let payload = match page.kind() {
            PageKind::TableInterior => break,
            PageKind::TableLeaf => page.row(cell)?.payload,
            PageKind::IndexLeaf | PageKind::IndexInterior => page.entry(cell)?,
        };
        if let Some(first) = payload.overflow {
            let behind = payload.bytes - payload.local.len();
            overflow::overflow_chain(pages, first, behind)?.into_iter().for_each(&mut visit);
        }
    }
    Ok(())
}
