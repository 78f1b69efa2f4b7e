//! What was written over a base, block by block.
//!
//! Takes positioned reads and writes of bytes; gives what was written last, and what the base holds elsewhere. A block is a page
//! of the base, but nothing is assumed of the reads and writes, because VACUUM can change the page size.

use std::io;
use std::sync::Arc;

use super::scratch::{Arena, Scratch};
use crate::sqlite_file::pages::Pages;

/// What a database is read from.
pub(super) type Base = Arc<dyn Pages + Send + Sync>;

/// The blocks that were written, and where the file ends.
#[derive(Debug)]
pub(super) struct Delta {
    /// Bytes of a block: the page size of the base, a power of two from 512 to 65536.
    block: usize,
    slots: Slots,
    /// Block `b` is at `slot × block`.
    scratch: Scratch,
    /// Slots that were given back.
    free: Vec<u32>,
    /// Slots that were ever used.
    used: u32,
    /// Blocks of the base that were never cut off. What lies behind was written or is zero.
    visible: u64,
    /// Bytes of the file. In a block behind it only zeros follow.
    len: u64,
}

/// Where the content of a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    Base,
    Zeros,
    Written(u32),
}

impl Delta {
    /// Nothing written over `base`.
    pub(super) fn new(base: &Base, arena: &Arc<Arena>) -> Self {
        let layout = base.layout();
        Self {
            block: layout.page_size as usize,
            slots: Slots::default(),
            scratch: Scratch::new(arena),
            free: Vec::new(),
            used: 0,
            visible: layout.pages.into(),
            len: u64::from(layout.pages) * u64::from(layout.page_size),
        }
    }

    /// The same in another arena.
    pub(super) fn copy(&self, arena: &Arc<Arena>) -> io::Result<Self> {
        Ok(Self {
            block: self.block,
            slots: self.slots.clone(),
            scratch: self.scratch.copy(arena)?,
            free: self.free.clone(),
            used: self.used,
            visible: self.visible,
            len: self.len,
        })
    }

    /// In bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// The first `pages` pages of the base without those that are still read from it, in order.
    pub(super) fn written_pages(&self, pages: u32) -> impl Iterator<Item = u32> {
        let end = u64::from(pages).min(self.len.div_ceil(self.block as u64));
        let cut = self.visible.min(end)..end;
        let written = self.slots.written().take_while(move |block| *block < self.visible.min(end));
        written.chain(cut).map(number)
    }

    /// Where the content of a block is.
    pub(super) fn source(&self, block: u64) -> Source {
        match self.slots.get(block) {
            Some(slot) => Source::Written(slot),
            None if block < self.visible => Source::Base,
            None => Source::Zeros,
        }
    }

    /// The number of the block that these bytes are, where they are one whole block of the file.
    pub(super) fn whole_block(&self, offset: u64, bytes: usize) -> Option<u64> {
        let block = self.block as u64;
        (bytes == self.block && offset.is_multiple_of(block) && offset + block <= self.len).then(|| offset / block)
    }

    /// Reads a written block.
    pub(super) fn read_slot(&self, slot: u32, into: &mut [u8]) -> io::Result<()> {
        self.scratch.read(self.place(slot), into).map(drop)
    }

    /// Reads; what lies behind the end is zero. Gives the number of bytes before the end.
    pub(super) fn read(&self, base: &Base, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let there = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX).min(into.len());
        into[there..].fill(0);
        let mut rest = &mut into[..there];
        let mut offset = offset;
        while !rest.is_empty() {
            let (part, behind) = rest.split_at_mut(self.run(offset, rest.len()));
            self.read_run(base, offset, part)?;
            offset += part.len() as u64;
            rest = behind;
        }
        Ok(there)
    }

    /// How many of `bytes` from `offset` on can be read at once.
    fn run(&self, offset: u64, bytes: usize) -> usize {
        let (mut block, within) = self.locate(offset);
        let mut run = self.block - within;
        if within > 0 || bytes < self.block {
            return run.min(bytes);
        }
        let mut source = self.source(block);
        while run + self.block <= bytes {
            block += 1;
            let next = self.source(block);
            match (source, next) {
                (Source::Written(slot), Source::Written(next)) if next == slot + 1 => {}
                (Source::Base, Source::Base) | (Source::Zeros, Source::Zeros) => {}
                _ => break,
            }
            source = next;
            run += self.block;
        }
        run
    }

    /// Reads whole blocks of one kind, or a part of one.
    fn read_run(&self, base: &Base, offset: u64, into: &mut [u8]) -> io::Result<()> {
        let (block, within) = self.locate(offset);
        match self.source(block) {
            Source::Zeros => into.fill(0),
            Source::Written(slot) => drop(self.scratch.read(self.place(slot) + within as u64, into)?),
            Source::Base if into.len() >= self.block => base.read(number(block), into)?,
            Source::Base => {
                let mut page = vec![0; self.block];
                base.read(number(block), &mut page)?;
                into.copy_from_slice(&page[within..within + into.len()]);
            }
        }
        Ok(())
    }

    /// Writes. When it fails, some of the blocks may hold what they should and the others what they held.
    pub(super) fn write(&mut self, base: &Base, offset: u64, from: &[u8]) -> io::Result<()> {
        let (mut offset, mut rest) = (offset, from);
        while !rest.is_empty() {
            let (block, within) = self.locate(offset);
            let (part, behind) = rest.split_at((self.block - within).min(rest.len()));
            self.write_block(base, block, within, part)?;
            offset += part.len() as u64;
            self.len = self.len.max(offset);
            rest = behind;
        }
        Ok(())
    }

    fn write_block(&mut self, base: &Base, block: u64, within: usize, part: &[u8]) -> io::Result<()> {
        if let Some(slot) = self.slots.get(block) {
            return self.scratch.write(self.place(slot) + within as u64, part);
        }
        if part.len() == self.block {
            return self.write_new(block, part);
        }
        let mut content = vec![0; self.block];
        if block < self.visible {
            base.read(number(block), &mut content)?;
        }
        content[within..within + part.len()].copy_from_slice(part);
        self.write_new(block, &content)
    }

    fn write_new(&mut self, block: u64, content: &[u8]) -> io::Result<()> {
        let slot = self.free.last().copied().unwrap_or(self.used);
        // The last number stands for no slot.
        if slot == u32::MAX {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.scratch.write(self.place(slot), content)?;
        self.slots.set(block, slot)?;
        if self.free.pop().is_none() {
            self.used += 1;
        }
        Ok(())
    }

    /// Cuts, or grows by zeros.
    pub(super) fn set_len(&mut self, base: &Base, len: u64) -> io::Result<()> {
        if len < self.len {
            let (block, within) = self.locate(len);
            if within > 0 {
                self.write_block(base, block, within, &vec![0; self.block - within])?;
            }
            let keep = len.div_ceil(self.block as u64);
            self.slots.cut(keep, &mut self.free);
            self.visible = self.visible.min(keep);
        }
        self.len = len;
        Ok(())
    }

    fn locate(&self, offset: u64) -> (u64, usize) {
        let block = self.block as u64;
        (offset / block, usize::try_from(offset % block).unwrap_or_default())
    }

    fn place(&self, slot: u32) -> u64 {
        u64::from(slot) * self.block as u64
    }
}

/// The number of the page of the base that a block is.
pub(super) fn number(block: u64) -> u32 {
    u32::try_from(block + 1).unwrap_or(u32::MAX)
}

/// The slots of the blocks that have one, in leaves, so that it costs little where only a few blocks of a large file were written.
#[derive(Debug, Clone, Default)]
struct Slots {
    leaves: Vec<Option<Box<Leaf>>>,
}

const LEAF: usize = 1024;

/// For each block its slot and 1; 0 for none.
type Leaf = [u32; LEAF];

impl Slots {
    fn get(&self, block: u64) -> Option<u32> {
        let (leaf, within) = Self::locate(block)?;
        self.leaves.get(leaf)?.as_ref()?[within].checked_sub(1)
    }

    /// `slot` is less than the largest number.
    fn set(&mut self, block: u64, slot: u32) -> io::Result<()> {
        let (leaf, within) = Self::locate(block).ok_or(io::ErrorKind::StorageFull)?;
        if leaf >= self.leaves.len() {
            self.leaves.resize(leaf + 1, None);
        }
        self.leaves[leaf].get_or_insert_with(|| Box::new([0; LEAF]))[within] = slot + 1;
        Ok(())
    }

    /// Forgets the blocks from `keep` on and adds their slots to `free`.
    fn cut(&mut self, keep: u64, free: &mut Vec<u32>) {
        let Some((first, within)) = Self::locate(keep) else { return };
        for (number, leaf) in self.leaves.iter_mut().enumerate().skip(first) {
            let from = if number == first { within } else { 0 };
            for stored in leaf.iter_mut().flat_map(|leaf| &mut leaf[from..]) {
                free.extend(std::mem::take(stored).checked_sub(1));
            }
        }
        self.leaves.truncate(first + 1);
    }

    fn written(&self) -> impl Iterator<Item = u64> {
        let leaves = (0_u64..).zip(&self.leaves).filter_map(|(number, leaf)| Some((number, leaf.as_ref()?)));
        leaves.flat_map(|(number, leaf)| {
            let blocks = (number * LEAF as u64..).zip(leaf.iter());
            blocks.filter(|(_, stored)| **stored != 0).map(|(block, _)| block)
        })
    }

    /// None for blocks that no database has.
    fn locate(block: u64) -> Option<(usize, usize)> {
        let block = usize::try_from(u32::try_from(block).ok()?).ok()?;
        Some((block / LEAF, block % LEAF))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite_file::header::TextEncoding;
    use crate::sqlite_file::pages::Layout;

    /// Pages of 512 bytes.
    #[derive(Debug)]
    struct Bytes(Vec<u8>);

    impl Pages for Bytes {
        fn layout(&self) -> Layout {
            let pages = u32::try_from(self.0.len() / 512).unwrap();
            Layout { page_size: 512, usable: 512, pages, encoding: TextEncoding::Utf8, auto_vacuum: false }
        }

        fn read(&self, first: u32, into: &mut [u8]) -> io::Result<()> {
            let from = (first as usize - 1) * 512;
            into.copy_from_slice(&self.0[from..from + into.len()]);
            Ok(())
        }
    }

    #[test]
    fn bytes_are_those_of_a_vector() {
        let mut expected: Vec<u8> = (0..40 * 512_usize).map(|at| u8::try_from(at % 253).unwrap()).collect();
        let base: Base = Arc::new(Bytes(expected.clone()));
        let arena = Arc::new(Arena::new(&std::env::temp_dir(), 0, u64::MAX));
        let mut delta = Delta::new(&base, &arena);
        let mut state = 11_u64;
        let mut random = |below: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(state >> 33).unwrap() % below
        };
        for round in 0..3000 {
            match random(12) {
                0 => {
                    let len = random(60 * 512);
                    delta.set_len(&base, len as u64).unwrap();
                    expected.resize(len, 0);
                }
                kind => {
                    let (mut offset, mut bytes) = (random(50 * 512), random(3000));
                    if kind < 8 {
                        (offset, bytes) = (offset / 512 * 512, 512);
                    }
                    let bytes = vec![u8::try_from(round % 255).unwrap() + 1; bytes];
                    delta.write(&base, offset as u64, &bytes).unwrap();
                    if !bytes.is_empty() {
                        expected.resize(expected.len().max(offset + bytes.len()), 0);
                    }
                    expected[offset..offset + bytes.len()].copy_from_slice(&bytes);
                }
            }
            assert_eq!(delta.len(), expected.len() as u64);
            let (offset, mut read) = (random(60 * 512), vec![1; random(10_000)]);
            let there = delta.read(&base, offset as u64, &mut read).unwrap();
            let wanted: Vec<u8> = expected.iter().skip(offset).take(read.len()).copied().collect();
            assert_eq!(there, wanted.len());
            assert!(read[..there] == wanted && read[there..].iter().all(|byte| *byte == 0), "round {round}");
        }
        let mut all = vec![0; expected.len()];
        delta.copy(&arena).unwrap().read(&base, 0, &mut all).unwrap();
        assert!(all == expected);
        assert!(u64::from(delta.used) <= 60, "slots are used again");
    }

    #[test]
    fn what_is_cut_off_does_not_come_back() {
        let base: Base = Arc::new(Bytes(vec![7; 4 * 512]));
        let mut delta = Delta::new(&base, &Arc::new(Arena::new(&std::env::temp_dir(), 0, u64::MAX)));
        delta.set_len(&base, 700).unwrap();
        delta.set_len(&base, 2000).unwrap();
        let mut all = vec![1; 2048];
        assert_eq!(delta.read(&base, 0, &mut all).unwrap(), 2000);
        assert!(all[..700].iter().all(|byte| *byte == 7) && all[700..].iter().all(|byte| *byte == 0));
        assert_eq!(delta.written_pages(4).collect::<Vec<_>>(), [2, 3, 4]);
    }
}
