//! By what a snapshot can be known again.

use sha2::{Digest as _, Sha256};

use super::Snapshot;
use crate::error::{Doing as _, Error};
use crate::observer::{Observer, Stage, Work};
use crate::units::hex;

/// Bytes that are read at a time.
const BLOCK: u32 = 1 << 20;

impl Snapshot {
    /// The SHA-256, in hexadecimal digits, of the state that was read: that of the file itself, unless a write-ahead log adds to it or a
    /// journal takes from it. Of what a database was made of it is that of the bytes as they were given.
    ///
    /// # Errors
    /// When a page cannot be read.
    pub fn sha256(&self, observer: &dyn Observer) -> Result<String, Error> {
        if let Some(known) = &self.facts.sha256 {
            return Ok(known.clone());
        }
        let layout = self.pages().layout();
        let total = u64::from(layout.pages) * u64::from(layout.page_size);
        let work = Work::begin(observer, Stage::Verify, Some(total));
        let most = BLOCK / layout.page_size;
        let mut block = vec![0; (most * layout.page_size) as usize];
        let mut hash = Sha256::new();
        let mut first = 1;
        while first <= layout.pages {
            let pages = most.min(layout.pages - first + 1);
            let bytes = &mut block[..(pages * layout.page_size) as usize];
            let doing = || format!("reading the snapshot `{}`", self.facts.path.display());
            self.pages().read(first, bytes).doing(doing)?;
            hash.update(&*bytes);
            work.add(bytes.len() as u64);
            first += pages;
        }
        work.finish();
        Ok(hex(&hash.finalize()))
    }
}
