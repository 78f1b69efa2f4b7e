//! Sets of pages: one bit a page.

use std::io;

use rayon::prelude::*;

use super::pages::Pages;
use crate::observer::{Observer, Stage, Work};

/// Bytes that are read at once.
const BLOCK: usize = 1 << 20;

/// A set of page numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageSet {
    words: Vec<u64>,
    len: usize,
}

impl PageSet {
    /// The pages in which two states differ, those that are on one side only among them; none where their pages have other sizes.
    /// Reads all of both.
    ///
    /// # Errors
    /// When a side cannot be read.
    pub fn differing(before: &dyn Pages, after: &dyn Pages, observer: &dyn Observer) -> io::Result<Option<Self>> {
        let (one, other) = (before.layout(), after.layout());
        if (one.page_size, one.usable) != (other.page_size, other.usable) {
            return Ok(None);
        }
        let size = one.page_size as usize;
        let shared = one.pages.min(other.pages);
        let step = u32::try_from(BLOCK / size).unwrap_or(1);
        let work = Work::begin(observer, Stage::Differ, Some(2 * u64::from(shared) * size as u64));
        let blocks: Vec<u32> = (0..shared.div_ceil(step)).map(|block| 1 + block * step).collect();
        let in_block = |buffers: &mut [Vec<u8>; 2], first: u32| -> io::Result<Vec<u32>> {
            let pages = step.min(shared - first + 1) as usize;
            let [old, new] = buffers;
            before.read(first, &mut old[..pages * size])?;
            after.read(first, &mut new[..pages * size])?;
            work.add(2 * (pages * size) as u64);
            if old[..pages * size] == new[..pages * size] {
                return Ok(Vec::new());
            }
            let both = old.chunks(size).zip(new.chunks(size)).take(pages);
            Ok((first..).zip(both).filter(|(_, (old, new))| old != new).map(|(number, _)| number).collect())
        };
        let buffers = || [vec![0; BLOCK.max(size)], vec![0; BLOCK.max(size)]];
        let differing: Vec<Vec<u32>> = blocks.into_par_iter().map_init(buffers, in_block).collect::<io::Result<_>>()?;
        let only_one = shared + 1..=one.pages.max(other.pages);
        Ok(Some(differing.into_iter().flatten().chain(only_one).collect()))
    }

    /// Puts a page in; false where it was in.
    pub fn insert(&mut self, page: u32) -> bool {
        let (word, bit) = place(page);
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        self.len += usize::from(is_new);
        is_new
    }

    /// Takes a page out; false where it was not in.
    pub fn remove(&mut self, page: u32) -> bool {
        let is_in = self.contains(page);
        if is_in {
            let (word, bit) = place(page);
            self.words[word] &= !bit;
            self.len -= 1;
        }
        is_in
    }

    /// Whether the page is in.
    #[must_use]
    pub fn contains(&self, page: u32) -> bool {
        let (word, bit) = place(page);
        self.words.get(word).is_some_and(|bits| bits & bit != 0)
    }

    /// How many pages are in.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no page is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The pages in order.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        let words = (0_u32..).zip(&self.words).filter(|(_, bits)| **bits != 0);
        words.flat_map(|(word, bits)| (0..64).filter(move |bit| bits >> bit & 1 == 1).map(move |bit| word * 64 + bit))
    }
}

impl FromIterator<u32> for PageSet {
    fn from_iter<I: IntoIterator<Item = u32>>(pages: I) -> Self {
        let mut set = Self::default();
        for page in pages {
            set.insert(page);
        }
        set
    }
}

fn place(page: u32) -> (usize, u64) {
    ((page / 64) as usize, 1 << (page % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds_what_was_put_in_and_not_taken_out() {
        let mut set: PageSet = [3, 64, 1, 700, 64].into_iter().collect();
        assert_eq!((set.len(), set.iter().collect::<Vec<_>>()), (4, vec![1, 3, 64, 700]));
        assert!(set.remove(64) && !set.remove(64) && !set.remove(100_000) && !set.insert(3));
        assert_eq!(set.iter().collect::<Vec<_>>(), [1, 3, 700]);
        assert!(set.contains(700) && !set.contains(64) && !set.contains(u32::MAX));
    }
}
