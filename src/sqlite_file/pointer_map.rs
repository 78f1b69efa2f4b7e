//! Pages that hold no content: those of the pointer map, and the one that is locked.
//!
//! Source: <https://sqlite.org/fileformat2.html#pointer_map_or_ptrmap_pages>, §1.8, and
//! <https://sqlite.org/fileformat2.html#the_lock_byte_page>, §1.4.

use super::pages::Layout;

/// Where the bytes are by which connections lock the file: SQLite never writes there.
const LOCK_BYTE: u32 = 1 << 30;

/// The number of the page that no content is written to. Only databases of more than 1 GiB have it.
#[must_use]
pub fn lock_byte_page(layout: &Layout) -> u32 {
    LOCK_BYTE / layout.page_size + 1
}

/// Whether this page belongs to the pointer map.
#[must_use]
pub fn is_pointer_map(layout: &Layout, page: u32) -> bool {
    layout.auto_vacuum && page >= 2 && map_of(layout, page) == page
}

/// The pages of the pointer map, in order; none without auto-vacuum.
pub fn pointer_map_pages(layout: &Layout) -> impl Iterator<Item = u32> {
    let layout = *layout;
    let step = entries(&layout) + 1;
    let first = (2..=layout.pages).step_by(step as usize).take_while(move |_| layout.auto_vacuum);
    first.map(move |page| skip_lock_byte(&layout, page)).filter(move |page| *page <= layout.pages)
}

/// The page of the map in which the entry of `page` stands; the page itself where it is one of the map.
fn map_of(layout: &Layout, page: u32) -> u32 {
    let step = entries(layout) + 1;
    skip_lock_byte(layout, (page - 2) / step * step + 2)
}

/// §1.8: an entry takes five bytes.
fn entries(layout: &Layout) -> u32 {
    layout.usable / 5
}

/// A page of the map that would be where the file is locked comes right behind.
fn skip_lock_byte(layout: &Layout, page: u32) -> u32 {
    if page == lock_byte_page(layout) { page + 1 } else { page }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqlite_file::header::TextEncoding;

    fn layout(page_size: u32, pages: u32) -> Layout {
        Layout { page_size, usable: page_size, pages, encoding: TextEncoding::Utf8, auto_vacuum: true }
    }

    #[test]
    fn each_page_of_the_map_is_followed_by_those_that_it_tells_of() {
        let small = layout(512, 400);
        assert_eq!(pointer_map_pages(&small).collect::<Vec<_>>(), [2, 105, 208, 311]);
        assert!((1..=400).all(|page| is_pointer_map(&small, page) == [2, 105, 208, 311].contains(&page)));
        let none = Layout { auto_vacuum: false, ..small };
        assert_eq!((pointer_map_pages(&none).count(), is_pointer_map(&none, 2)), (0, false));
    }

    #[test]
    fn the_locked_page_is_none_of_the_map() {
        assert_eq!((lock_byte_page(&layout(4096, 1)), lock_byte_page(&layout(65536, 1))), (262_145, 16385));
        // With some numbers of reserved bytes a page of the map would fall on it.
        let odd = (480..=512).map(|usable| Layout { usable, ..layout(512, u32::MAX / 2) });
        for layout in odd {
            let locked = lock_byte_page(&layout);
            assert!(!is_pointer_map(&layout, locked));
            if (locked - 2).is_multiple_of(layout.usable / 5 + 1) {
                assert!(is_pointer_map(&layout, locked + 1));
            }
        }
    }
}
