//! What of a payload did not fit into its page.
//!
//! Source: <https://sqlite.org/fileformat2.html#ovflpgs>, §1.7: a list of pages, each with the number of the next in its first four
//! bytes.

use super::btree::{READ_AHEAD, read_pages, space};
use super::error::{Fault, ReadError};
use super::pages::Pages;

/// The overflow pages that begin with `first` and hold `bytes` of a payload, in order.
///
/// # Errors
/// When a page cannot be read, or the list is shorter or longer than the payload.
pub fn overflow_chain(pages: &dyn Pages, first: u32, bytes: usize) -> Result<Vec<u32>, ReadError> {
    let mut chain = Vec::new();
    follow(pages, first, bytes, |number, _| chain.push(number))?;
    Ok(chain)
}

/// Appends the `bytes` of a payload that the overflow pages from `first` on hold.
///
/// # Errors
/// When a page cannot be read, or the list is shorter or longer than the payload.
pub fn append(pages: &dyn Pages, first: u32, bytes: usize, into: &mut Vec<u8>) -> Result<(), ReadError> {
    follow(pages, first, bytes, |_, content| into.extend_from_slice(content))
}

/// The pages of a list mostly follow one another in the file: as many are read at once as the payload needs, and used as long as
/// each is the next.
fn follow(pages: &dyn Pages, first: u32, bytes: usize, mut visit: impl FnMut(u32, &[u8])) -> Result<(), ReadError> {
    let layout = pages.layout();
    let (size, capacity) = (layout.page_size as usize, layout.usable as usize - 4);
    let mut buffer = Vec::new();
    let mut left = bytes;
    let mut number = first;
    let mut guess = 1;
    while left > 0 {
        let behind = (layout.pages.saturating_sub(number) as usize).saturating_add(1);
        let space = space(&mut buffer, left.div_ceil(capacity).min(guess).min(behind) * size);
        read_pages(pages, number, space)?;
        for page in space.chunks_exact(size) {
            let content = &page[4..4 + left.min(capacity)];
            visit(number, content);
            left -= content.len();
            let next = u32::from_be_bytes([page[0], page[1], page[2], page[3]]);
            if (next == 0) != (left == 0) {
                return Err(Fault::Overflow.of(number).into());
            }
            let follows = number.checked_add(1) == Some(next);
            number = next;
            guess = if follows { (guess * 2).min(READ_AHEAD) } else { 1 };
            if !follows {
                break;
            }
        }
    }
    Ok(())
}
