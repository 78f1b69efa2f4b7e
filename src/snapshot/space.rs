//! Refuses to start what cannot fit on the disk.

use std::path::Path;

use crate::error::{Doing, Error};

const ELSEWHERE: &str = "put the copy on another disk: `TMPDIR=/other/disk rehearse …`";

/// Fails unless the workspace has room for a copy of `bytes`, and 10 % more for what the migrations write.
pub(super) fn refuse_when_full(workspace: &Path, bytes: u64) -> Result<(), Error> {
    let doing = || format!("looking for free space in `{}`", workspace.display());
    let disk = rustix::fs::statvfs(workspace).doing(doing)?;
    compare(workspace, needed(bytes), disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// What is left free at least where the size of what is written is not known before; a twentieth of a disk that is small.
const RESERVE: u64 = 64 << 20;

/// Whether the disk of a folder has room for some more.
pub(super) fn is_left(folder: &Path) -> bool {
    rustix::fs::statvfs(folder).is_ok_and(|disk| {
        let bytes = |blocks: u64| blocks.saturating_mul(disk.f_frsize);
        bytes(disk.f_bavail) > RESERVE.min(bytes(disk.f_blocks) / 20)
    })
}

/// The end of what would fill the disk: `doing` is what it was for.
pub(super) fn full(doing: &str, workspace: &Path) -> Error {
    let cause = format!("next to nothing would be left free in `{}`", workspace.display());
    Error::cannot(doing, cause).hint(ELSEWHERE)
}

/// Bytes that belong to a copy could not be written or read.
pub(super) fn failed(cause: &str) -> Error {
    Error::cannot("keeping what is written to the copy in the temporary folder", cause).hint(ELSEWHERE)
}

fn needed(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / 10)
}

fn compare(workspace: &Path, needed: u64, free: u64) -> Result<(), Error> {
    if needed <= free {
        return Ok(());
    }
    let doing = format!("copying the snapshot to `{}`", workspace.display());
    let cause = format!("{} are needed for a copy, {} are free", readable(needed), readable(free));
    Err(Error::cannot(doing, cause).hint(ELSEWHERE))
}

/// `1.5 GiB`, `20 KiB`, `7 bytes`.
pub(crate) fn readable(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB"];
    let Some(power) = bytes.checked_ilog2().map(|bits| (bits / 10).min(4)).filter(|power| *power > 0) else {
        return format!("{bytes} bytes");
    };
    let tenths = u128::from(bytes) * 10 / (1_u128 << (10 * power));
    format!("{}.{} {}", tenths / 10, tenths % 10, units[power as usize - 1])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_needed_what_is_free_and_what_to_do() {
        let error = compare(Path::new("/tmp/x"), needed(3 << 30), 1 << 29).unwrap_err();
        assert_eq!(
            error.to_string(),
            "copying the snapshot to `/tmp/x`: 3.2 GiB are needed for a copy, 512.0 MiB are free"
        );
        assert_eq!(error.hints(), ["put the copy on another disk: `TMPDIR=/other/disk rehearse …`"]);
        assert_eq!(error.exit_code(), 4);
    }

    #[test]
    fn enough_is_enough() {
        assert!(compare(Path::new("/tmp/x"), 7, 7).is_ok());
    }

    #[test]
    fn sizes_are_readable() {
        assert_eq!(
            ["7 bytes", "1.0 KiB", "1023.9 KiB", "2.5 TiB"],
            [7, 1024, (1 << 20) - 1, 5 << 39].map(readable)[..]
        );
    }
}
