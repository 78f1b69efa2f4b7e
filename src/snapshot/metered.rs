//! SQLite's own file system with a meter: what is written and locked is counted, and done as ever.
//!
//! This module has `unsafe` because SQLite calls a file system through a table of C functions (<https://sqlite.org/vfs.html>). Each
//! file that SQLite's own file system has opened gets a table of methods that counts and then calls the one it had; everything else
//! is SQLite's own. The tables are never freed, because a connection that could not be opened may still point to one; one that is
//! given back serves the next meter.
#![expect(unsafe_code, reason = "SQLite calls a file system through C functions and pointers")]

use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::ffi;

use super::meter::{FileKind, Meter};
use super::overlay::{Level, WAL_WRITE_LOCK};

/// A registered file system: SQLite's own table with two functions that are others, and what they need.
#[repr(C)]
struct Slot {
    /// The first field, so that SQLite's pointer to it is one to the slot.
    vfs: ffi::sqlite3_vfs,
    real: *mut ffi::sqlite3_vfs,
    name: CString,
    meter: Mutex<Arc<Meter>>,
}

// SAFETY: the pointers lead to tables that are never changed once they are registered, and live as long as the process.
unsafe impl Send for Slot {}
// SAFETY: as above.
unsafe impl Sync for Slot {}

/// The registered file systems that nobody uses now, and how many there are in all.
static SLOTS: Mutex<(Vec<&'static Slot>, usize)> = Mutex::new((Vec::new(), 0));

/// A registered file system, given back when it is dropped.
pub(super) struct Metered(&'static Slot);

impl Metered {
    /// SQLite's own file system, which tells this meter.
    pub(super) fn new(meter: &Arc<Meter>) -> Result<Self, c_int> {
        let mut slots = lock(&SLOTS);
        if let Some(slot) = slots.0.pop() {
            *lock(&slot.meter) = Arc::clone(meter);
            return Ok(Self(slot));
        }
        // SAFETY: the pointer to SQLite's own file system, or null.
        let real = unsafe { ffi::sqlite3_vfs_find(ptr::null()) };
        // SAFETY: a table that lives as long as the process, of plain numbers and pointers.
        let mut vfs = unsafe { real.as_ref().map(|real| ptr::read(real)) }.ok_or(ffi::SQLITE_ERROR)?;
        let name = CString::new(format!("rehearse-metered-{}", slots.1 + 1)).map_err(|_| ffi::SQLITE_ERROR)?;
        (vfs.zName, vfs.pNext) = (name.as_ptr(), ptr::null_mut());
        vfs.xOpen = Some(open);
        vfs.xDelete = Some(delete);
        let slot = Box::leak(Box::new(Slot { vfs, real, name, meter: Mutex::new(Arc::clone(meter)) }));
        // SAFETY: the table and the name in it live as long as the process. Registering writes `pNext` only.
        let code = unsafe { ffi::sqlite3_vfs_register(&raw mut slot.vfs, 0) };
        if code != ffi::SQLITE_OK {
            return Err(code);
        }
        slots.1 += 1;
        Ok(Self(slot))
    }

    pub(super) fn name(&self) -> &'static CStr {
        &self.0.name
    }
}

impl Drop for Metered {
    fn drop(&mut self) {
        *lock(&self.0.meter) = Arc::default();
        lock(&SLOTS).0.push(self.0);
    }
}

/// An open file: the methods that count, those that it had, and what is known of it.
#[repr(C)]
struct Watched {
    /// The first field, so that the file's pointer to it is one to all of this.
    methods: ffi::sqlite3_io_methods,
    real: *const ffi::sqlite3_io_methods,
    meter: Arc<Meter>,
    kind: FileKind,
    len: AtomicU64,
}

/// What is known of an open file.
///
/// # Safety
/// `file` was opened by [`open`] and is not closed while the reference lives.
unsafe fn watched<'a>(file: *mut ffi::sqlite3_file) -> &'a Watched {
    // SAFETY: `open` put the pointer to the first field of a box there; only `close` takes it back.
    unsafe { &*(*file).pMethods.cast::<Watched>() }
}

/// Calls a method of SQLite's own; one that is not there is an error.
macro_rules! real {
    ($watched:expr, $method:ident($($argument:expr),*)) => {
        // SAFETY: the table is SQLite's own, and the arguments are those that SQLite gave.
        unsafe { (*$watched.real).$method.map_or(ffi::SQLITE_ERROR, |call| call($($argument),*)) }
    };
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes the table, which is the first field of a slot.
    let slot = unsafe { &*vfs.cast::<Slot>() };
    // SAFETY: SQLite's own function gets its own table and what SQLite passed. The files are of the same size.
    let code = unsafe {
        (*slot.real).xOpen.map_or(ffi::SQLITE_CANTOPEN, |call| call(slot.real, name, file, flags, out_flags))
    };
    // SAFETY: the file has methods where it is open.
    let Some(real) = (unsafe { (*file).pMethods.as_ref() }).filter(|_| code == ffi::SQLITE_OK) else { return code };
    let kind = match flags {
        _ if name.is_null() || flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0 => FileKind::Temporary,
        _ if flags & ffi::SQLITE_OPEN_MAIN_DB != 0 => FileKind::Main,
        _ => FileKind::Beside,
    };
    let mut len = 0;
    // SAFETY: as above.
    unsafe { real.xFileSize.map(|call| call(file, &raw mut len)) };
    // SAFETY: a table of plain numbers and pointers.
    let mut methods = unsafe { ptr::read(real) };
    methods.xClose = Some(close);
    methods.xWrite = Some(write);
    methods.xTruncate = Some(truncate);
    methods.xLock = Some(lock_file);
    methods.xUnlock = Some(unlock_file);
    methods.xShmMap = real.xShmMap.map(|_| shm_map as _);
    methods.xShmUnmap = real.xShmUnmap.map(|_| shm_unmap as _);
    methods.xShmLock = real.xShmLock.map(|_| shm_lock as _);
    let meter = Arc::clone(&lock(&slot.meter));
    let len = AtomicU64::new(u64::try_from(len).unwrap_or_default());
    let watched = Box::into_raw(Box::new(Watched { methods, real, meter, kind, len }));
    // SAFETY: the first field of the box, which lives until the file is closed.
    unsafe { (*file).pMethods = watched.cast() };
    code
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: as in `open`; the name ends with a NUL.
    let (slot, path) = unsafe { (&*vfs.cast::<Slot>(), Path::new(OsStr::from_bytes(CStr::from_ptr(name).to_bytes()))) };
    let len = path.metadata().map_or(0, |file| file.len());
    // SAFETY: SQLite's own function gets what SQLite passed.
    let code = unsafe { (*slot.real).xDelete.map_or(ffi::SQLITE_ERROR, |call| call(slot.real, name, sync_folder)) };
    if code == ffi::SQLITE_OK {
        lock(&slot.meter).resized(FileKind::Beside, len, 0, 0);
    }
    code
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: the file was opened by `open`, and nobody uses what is known of it any more.
    let watched = unsafe { Box::from_raw((*file).pMethods.cast_mut().cast::<Watched>()) };
    // SAFETY: the file is as SQLite's own file system left it.
    unsafe { (*file).pMethods = watched.real };
    let code = real!(watched, xClose(file));
    if watched.kind == FileKind::Temporary {
        watched.meter.resized(FileKind::Temporary, watched.len.load(Ordering::Relaxed), 0, 0);
    }
    code
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, bytes: c_int, offset: i64) -> c_int {
    // SAFETY: the file is open.
    let watched = unsafe { watched(file) };
    let code = real!(watched, xWrite(file, from, bytes, offset));
    if code == ffi::SQLITE_OK {
        let end = u64::try_from(offset.saturating_add(bytes.into())).unwrap_or_default();
        let before = watched.len.fetch_max(end, Ordering::Relaxed);
        watched.meter.resized(watched.kind, before, before.max(end), usize::try_from(bytes).unwrap_or_default());
    }
    code
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, len: i64) -> c_int {
    // SAFETY: the file is open.
    let watched = unsafe { watched(file) };
    let code = real!(watched, xTruncate(file, len));
    if code == ffi::SQLITE_OK {
        let len = u64::try_from(len).unwrap_or_default();
        watched.meter.resized(watched.kind, watched.len.swap(len, Ordering::Relaxed), len, 0);
    }
    code
}

/// How far a file is locked now, also where more was wanted.
fn level(watched: &Watched, file: *mut ffi::sqlite3_file) -> Level {
    let mut level: c_int = 0;
    let _ = real!(watched, xFileControl(file, ffi::SQLITE_FCNTL_LOCKSTATE, (&raw mut level).cast()));
    Level::from_number(level)
}

unsafe extern "C" fn lock_file(file: *mut ffi::sqlite3_file, wanted: c_int) -> c_int {
    // SAFETY: the file is open.
    let watched = unsafe { watched(file) };
    if watched.kind != FileKind::Main {
        return real!(watched, xLock(file, wanted));
    }
    let before = level(watched, file);
    let code = real!(watched, xLock(file, wanted));
    watched.meter.locked(before, level(watched, file));
    code
}

unsafe extern "C" fn unlock_file(file: *mut ffi::sqlite3_file, wanted: c_int) -> c_int {
    // SAFETY: the file is open.
    let watched = unsafe { watched(file) };
    if watched.kind != FileKind::Main {
        return real!(watched, xUnlock(file, wanted));
    }
    let before = level(watched, file);
    let code = real!(watched, xUnlock(file, wanted));
    watched.meter.locked(before, level(watched, file));
    code
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    index: c_int,
    bytes: c_int,
    make: c_int,
    out: *mut *mut c_void,
) -> c_int {
    // SAFETY: the file is open.
    let watched = unsafe { watched(file) };
    let code = real!(watched, xShmMap(file, index, bytes, make, out));
    // SAFETY: SQLite's, as above.
    if code == ffi::SQLITE_OK && !unsafe { *out }.is_null() {
        let end = (i64::from(index) + 1).saturating_mul(bytes.into());
        watched.meter.indexed(u64::try_from(end).unwrap_or_default());
    }
    code
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, delete: c_int) -> c_int {
    // SAFETY: the file is open.
    let watched = unsafe { watched(file) };
    let code = real!(watched, xShmUnmap(file, delete));
    if code == ffi::SQLITE_OK && delete != 0 {
        watched.meter.unindexed();
    }
    code
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, first: c_int, locks: c_int, flags: c_int) -> c_int {
    // SAFETY: the file is open.
    let watched = unsafe { watched(file) };
    let code = real!(watched, xShmLock(file, first, locks, flags));
    if code == ffi::SQLITE_OK && usize::try_from(first) == Ok(WAL_WRITE_LOCK) {
        watched.meter.wal_locked(flags & ffi::SQLITE_SHM_UNLOCK == 0);
    }
    code
}
