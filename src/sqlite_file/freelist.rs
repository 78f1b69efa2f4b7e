//! The pages that are not in use.
//!
//! Source: <https://sqlite.org/fileformat2.html#the_freelist>, §1.5: trunk pages, each with the number of the next trunk, how many
//! leaves it lists, and their numbers. A leaf holds nothing that means something.

use std::collections::HashSet;

use super::btree::read_pages;
use super::error::{Fault, ReadError};
use super::pages::Pages;

/// The pages that are not in use.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Freelist {
    /// The pages that make up the list, in its order.
    pub trunks: Vec<u32>,
    /// The pages that they list.
    pub leaves: Vec<u32>,
}

/// Reads the freelist.
///
/// # Errors
/// When a page cannot be read, or the list is not as long as the header says.
pub fn freelist(pages: &dyn Pages) -> Result<Freelist, ReadError> {
    let layout = pages.layout();
    let mut page = vec![0; layout.page_size as usize];
    read_pages(pages, 1, &mut page)?;
    // §1.3: the header's bytes 32–39.
    let (mut next, length) = (word(&page, 32), word(&page, 36));
    let mut list = Freelist::default();
    let mut seen = HashSet::new();
    while next != 0 {
        let trunk = next;
        if !seen.insert(trunk) {
            return Err(Fault::Twice.of(trunk).into());
        }
        read_pages(pages, trunk, &mut page)?;
        next = word(&page, 0);
        let leaves = word(&page, 4) as usize;
        let listed = page.get(8..layout.usable as usize).unwrap_or_default();
        if leaves > listed.len() / 4 {
            return Err(Fault::Freelist.of(trunk).into());
        }
        list.trunks.push(trunk);
        list.leaves.extend(listed.chunks_exact(4).take(leaves).map(|number| word(number, 0)));
    }
    if list.trunks.len() + list.leaves.len() == length as usize { Ok(list) } else { Err(Fault::Freelist.of(1).into()) }
}

fn word(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |word| u32::from_be_bytes(*word))
}
