//! The overlay's files as SQLite's virtual file system.
//!
//! This is the only module of the stage with `unsafe`. It is needed because SQLite calls a file system through a table of C
//! functions (<https://sqlite.org/vfs.html>). It translates pointers and nothing else: what a file is stands in `files`. A panic
//! becomes an error code before it reaches SQLite.
//!
//! Each overlay has a file system of its own, so that temporary files, which have no name, are known to be its files too, and
//! `ATTACH` reaches nothing but its database, unless the overlay lets it: then what is not its own goes to SQLite's. The tables are never freed, because a connection that could not be opened may
//! still point to one; an overlay that goes leaves its table to the next one.
#![expect(unsafe_code, reason = "SQLite calls a file system through C functions and pointers")]

use std::ffi::OsStr;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rusqlite::ffi;

use super::files::{Code, Files, Handle};
use super::locks::Level;
use crate::snapshot::location::{is_same_file, is_sidecar_of};

/// Longer names than any that SQLite makes of an overlay's name.
const LONGEST_NAME: usize = 512;

/// `SQLITE_MAX_MMAP_SIZE` where SQLite was not told otherwise.
const LARGEST_MAP: i64 = 0x7fff_0000;

/// What one registered file system serves.
#[derive(Debug)]
struct Slot {
    name: CString,
    files: Mutex<Weak<Files>>,
    /// The database that may not be opened where other files may, as they are on SQLite's own file system; none where they may not.
    reaches_all_but: Mutex<Option<PathBuf>>,
}

/// The registered file systems that serve nothing now, and how many there are in all.
static SLOTS: Mutex<(Vec<&'static Slot>, usize)> = Mutex::new((Vec::new(), 0));

/// A registered file system, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Registration(&'static Slot);

impl Registration {
    /// A file system that serves nothing yet.
    pub(super) fn new() -> Result<Self, Code> {
        let mut slots = lock(&SLOTS);
        if let Some(slot) = slots.0.pop() {
            return Ok(Self(slot));
        }
        let name = CString::new(format!("rehearse-{}", slots.1 + 1)).map_err(|_| ffi::SQLITE_ERROR)?;
        let slot: &'static Slot =
            Box::leak(Box::new(Slot { name, files: Mutex::default(), reaches_all_but: Mutex::default() }));
        register(slot)?;
        slots.1 += 1;
        Ok(Self(slot))
    }

    pub(super) fn name(&self) -> &'static CStr {
        &self.0.name
    }

    /// From now on files that are not the overlay's are opened where they lie, but not this database and what belongs to it.
    pub(super) fn reach_all_but(&self, database: &Path) {
        *lock(&self.0.reaches_all_but) = Some(database.to_path_buf());
    }

    /// From now on the files that SQLite opens are these.
    pub(super) fn serve(&self, files: &Arc<Files>) {
        *lock(&self.0.files) = Arc::downgrade(files);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        *lock(&self.0.files) = Weak::new();
        *lock(&self.0.reaches_all_but) = None;
        lock(&SLOTS).0.push(self.0);
    }
}

fn register(slot: &'static Slot) -> Result<(), Code> {
    // SAFETY: SQLite's own file system, or null.
    let of_system = unsafe { ffi::sqlite3_vfs_find(ptr::null()).as_ref() }.map_or(0, |system| system.szOsFile);
    let vfs = Box::into_raw(Box::new(ffi::sqlite3_vfs {
        iVersion: 2,
        // Room for a file of the other file system too.
        szOsFile: of_system.max(size_of::<OpenFile>().try_into().unwrap_or(c_int::MAX)),
        mxPathname: LONGEST_NAME.try_into().unwrap_or(c_int::MAX),
        pNext: ptr::null_mut(),
        zName: slot.name.as_ptr(),
        pAppData: ptr::from_ref(slot).cast_mut().cast(),
        xOpen: Some(open),
        xDelete: Some(delete),
        xAccess: Some(access),
        xFullPathname: Some(full_pathname),
        xDlOpen: Some(dl_open),
        xDlError: Some(dl_error),
        xDlSym: Some(dl_sym),
        xDlClose: Some(dl_close),
        xRandomness: Some(randomness),
        xSleep: Some(sleep),
        xCurrentTime: Some(current_time),
        xGetLastError: Some(last_error),
        xCurrentTimeInt64: Some(current_time_int64),
        xSetSystemCall: None,
        xGetSystemCall: None,
        xNextSystemCall: None,
    }));
    // SAFETY: the table and the name in it live as long as the process, unless this fails.
    let code = unsafe { ffi::sqlite3_vfs_register(vfs, 0) };
    if code == ffi::SQLITE_OK {
        return Ok(());
    }
    // SAFETY: made from a box above; SQLite did not take it.
    drop(unsafe { Box::from_raw(vfs) });
    Err(code)
}

/// What SQLite allocates for each open file. Its first field is the one of `sqlite3_file`.
#[repr(C)]
struct OpenFile {
    methods: *const ffi::sqlite3_io_methods,
    handle: *mut Handle,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    // 3 for `PRAGMA mmap_size`, which then answers what it answers for a file; nothing is mapped.
    iVersion: 3,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock_file),
    xUnlock: Some(unlock_file),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: Some(shm_map),
    xShmLock: Some(shm_lock),
    xShmBarrier: Some(shm_barrier),
    xShmUnmap: Some(shm_unmap),
    xFetch: Some(fetch),
    xUnfetch: Some(unfetch),
};

// ---- helpers

/// Runs what must not unwind into SQLite.
fn guarded(on_panic: Code, call: impl FnOnce() -> Result<(), Code>) -> c_int {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(())) => ffi::SQLITE_OK,
        Ok(Err(code)) => code,
        Err(_) => on_panic,
    }
}

/// The files that a file system serves.
///
/// # Safety
/// `vfs` is a table that [`register`] made.
unsafe fn files(vfs: *mut ffi::sqlite3_vfs) -> Result<Arc<Files>, Code> {
    // SAFETY: the table is alive for ever, and so is the slot to which it points.
    let slot = unsafe { &*(*vfs).pAppData.cast::<Slot>() };
    lock(&slot.files).upgrade().ok_or(ffi::SQLITE_CANTOPEN)
}

/// SQLite's own file system, where the name is of a file that is not the overlay's and may be opened all the same. SQLite opens by the name
/// that it has made absolute before, so that what is looked at here is what is opened.
///
/// # Safety
/// As of [`files`] and [`text`].
unsafe fn elsewhere(vfs: *mut ffi::sqlite3_vfs, name: *const c_char) -> Option<*mut ffi::sqlite3_vfs> {
    // SAFETY: as demanded; the slot is alive for ever.
    unsafe {
        if name.is_null() {
            return None;
        }
        let kept = lock(&(*(*vfs).pAppData.cast::<Slot>()).reaches_all_but).clone()?;
        let files = files(vfs).ok()?;
        let is_own = text(name).ok().flatten().is_some_and(|name| files.is_own(name));
        let path = Path::new(OsStr::from_bytes(CStr::from_ptr(name).to_bytes()));
        let is_kept = is_same_file(path, &kept) || is_sidecar_of(path, &kept);
        (!is_own && !is_kept).then(|| ffi::sqlite3_vfs_find(ptr::null())).filter(|system| !system.is_null())
    }
}

/// The handle behind an open file.
///
/// # Safety
/// `file` was opened by [`open`] and is not closed while the reference lives.
unsafe fn handle<'a>(file: *mut ffi::sqlite3_file) -> &'a Handle {
    // SAFETY: `open` stored a handle from a box, and only `close` takes it back. Only shared references are made of it.
    unsafe { &*(*file.cast::<OpenFile>()).handle }
}

/// A name that SQLite gives. One that is not UTF-8 is none of an overlay.
///
/// # Safety
/// `name` is null or ends with a NUL, and outlives the reference.
unsafe fn text<'a>(name: *const c_char) -> Result<Option<&'a str>, Code> {
    if name.is_null() {
        return Ok(None);
    }
    // SAFETY: as demanded.
    unsafe { CStr::from_ptr(name) }.to_str().map(Some).map_err(|_| ffi::SQLITE_CANTOPEN)
}

fn offset(number: i64) -> Result<u64, Code> {
    u64::try_from(number).map_err(|_| ffi::SQLITE_IOERR)
}

fn count(number: c_int) -> usize {
    usize::try_from(number).unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

// ---- the file system

unsafe extern "C" fn open(
    vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite calls this as it calls the other file system, whose files fit into `szOsFile` bytes too.
    unsafe {
        if let Some(system) = elsewhere(vfs, name) {
            return (*system).xOpen.map_or(ffi::SQLITE_CANTOPEN, |call| call(system, name, file, flags, out_flags));
        }
    }
    guarded(ffi::SQLITE_CANTOPEN, || {
        let file = file.cast::<OpenFile>();
        // SAFETY: SQLite allocated `szOsFile` bytes for it. Without methods it will not be closed.
        unsafe { file.write(OpenFile { methods: ptr::null(), handle: ptr::null_mut() }) };
        // SAFETY: SQLite passes the table and a name that ends with a NUL, or none for a temporary file.
        let (files, name) = unsafe { (files(vfs)?, text(name)?) };
        let handle = Box::new(files.open(name, flags)?);
        // SAFETY: as above; `out_flags` is null or SQLite's.
        unsafe {
            file.write(OpenFile { methods: &raw const METHODS, handle: Box::into_raw(handle) });
            if !out_flags.is_null() {
                *out_flags = flags;
            }
        }
        Ok(())
    })
}

unsafe extern "C" fn delete(vfs: *mut ffi::sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    // SAFETY: as in `open`.
    unsafe {
        if let Some(system) = elsewhere(vfs, name) {
            return (*system).xDelete.map_or(ffi::SQLITE_IOERR_DELETE, |call| call(system, name, sync_folder));
        }
    }
    guarded(ffi::SQLITE_IOERR_DELETE, || {
        // SAFETY: SQLite passes the table and a name that ends with a NUL.
        let (files, name) = unsafe { (files(vfs)?, text(name)?) };
        files.delete(name.unwrap_or_default(), sync_folder != 0)
    })
}

unsafe extern "C" fn access(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    flags: c_int,
    result: *mut c_int,
) -> c_int {
    // SAFETY: as in `open`.
    unsafe {
        if let Some(system) = elsewhere(vfs, name) {
            return (*system).xAccess.map_or(ffi::SQLITE_IOERR_ACCESS, |call| call(system, name, flags, result));
        }
    }
    guarded(ffi::SQLITE_IOERR_ACCESS, || {
        // SAFETY: SQLite passes the table, a name that ends with a NUL, and where the answer goes.
        unsafe {
            let name = text(name).ok().flatten().unwrap_or_default();
            *result = files(vfs)?.exists(name, flags != ffi::SQLITE_ACCESS_EXISTS).into();
        }
        Ok(())
    })
}

/// Names stay as they are: an overlay's own are absolute, and others are not found.
unsafe extern "C" fn full_pathname(
    vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    bytes: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: as in `open`.
    unsafe {
        if let Some(system) = elsewhere(vfs, name) {
            return (*system).xFullPathname.map_or(ffi::SQLITE_CANTOPEN, |call| call(system, name, bytes, out));
        }
    }
    guarded(ffi::SQLITE_CANTOPEN, || {
        // SAFETY: SQLite passes a name that ends with a NUL, and room for `bytes` bytes apart from it.
        unsafe {
            let name = CStr::from_ptr(name).to_bytes_with_nul();
            if name.len() > count(bytes) {
                return Err(ffi::SQLITE_CANTOPEN);
            }
            ptr::copy_nonoverlapping(name.as_ptr(), out.cast(), name.len());
        }
        Ok(())
    })
}

unsafe extern "C" fn dl_open(_vfs: *mut ffi::sqlite3_vfs, _name: *const c_char) -> *mut c_void {
    ptr::null_mut()
}

unsafe extern "C" fn dl_error(_vfs: *mut ffi::sqlite3_vfs, bytes: c_int, out: *mut c_char) {
    let message = c"extensions cannot be loaded in a rehearsal".to_bytes_with_nul();
    if message.len() <= count(bytes) {
        // SAFETY: SQLite passes room for `bytes` bytes.
        unsafe { ptr::copy_nonoverlapping(message.as_ptr(), out.cast(), message.len()) };
    }
}

unsafe extern "C" fn dl_sym(
    _vfs: *mut ffi::sqlite3_vfs,
    _library: *mut c_void,
    _symbol: *const c_char,
) -> Option<unsafe extern "C" fn(*mut ffi::sqlite3_vfs, *mut c_void, *const c_char)> {
    None
}

unsafe extern "C" fn dl_close(_vfs: *mut ffi::sqlite3_vfs, _library: *mut c_void) {}

unsafe extern "C" fn randomness(_vfs: *mut ffi::sqlite3_vfs, bytes: c_int, out: *mut c_char) -> c_int {
    // SAFETY: SQLite's own file system is called as SQLite called this one.
    unsafe {
        let system = ffi::sqlite3_vfs_find(ptr::null());
        system.as_ref().and_then(|system| system.xRandomness).map_or(0, |call| call(system, bytes, out))
    }
}

unsafe extern "C" fn sleep(_vfs: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    // SAFETY: as in `randomness`.
    unsafe {
        let system = ffi::sqlite3_vfs_find(ptr::null());
        system.as_ref().and_then(|system| system.xSleep).map_or(0, |call| call(system, microseconds))
    }
}

unsafe extern "C" fn current_time(vfs: *mut ffi::sqlite3_vfs, out: *mut f64) -> c_int {
    let mut milliseconds = 0;
    // SAFETY: SQLite calls this one as it calls the other.
    let code = unsafe { current_time_int64(vfs, &raw mut milliseconds) };
    if code == ffi::SQLITE_OK {
        #[expect(clippy::cast_precision_loss, reason = "a time of day in days has this precision everywhere")]
        let days = milliseconds as f64 / 86_400_000.0;
        // SAFETY: SQLite passes where the answer goes.
        unsafe { *out = days };
    }
    code
}

/// The system's time, and how far the overlay's clock is ahead of it.
unsafe extern "C" fn current_time_int64(vfs: *mut ffi::sqlite3_vfs, out: *mut i64) -> c_int {
    // SAFETY: as in `randomness`; the method exists from version 2 of the table on. SQLite passes the table, and where the answer
    // goes.
    unsafe {
        let system = ffi::sqlite3_vfs_find(ptr::null());
        let call = system.as_ref().filter(|system| system.iVersion >= 2).and_then(|system| system.xCurrentTimeInt64);
        let code = call.map_or(ffi::SQLITE_ERROR, |call| call(system, out));
        if code == ffi::SQLITE_OK {
            *out += files(vfs).map_or(0, |files| files.ahead.load(Ordering::Relaxed));
        }
        code
    }
}

/// Errors of an overlay have no number of the system's.
unsafe extern "C" fn last_error(_vfs: *mut ffi::sqlite3_vfs, _bytes: c_int, _out: *mut c_char) -> c_int {
    0
}

// ---- the files

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    guarded(ffi::SQLITE_IOERR_CLOSE, || {
        // SAFETY: `open` made the handle from a box; SQLite closes a file once, and does not use it any more.
        let handle = unsafe {
            let file = &mut *file.cast::<OpenFile>();
            file.methods = ptr::null();
            Box::from_raw(file.handle)
        };
        drop(handle);
        Ok(())
    })
}

unsafe extern "C" fn read(file: *mut ffi::sqlite3_file, into: *mut c_void, bytes: c_int, at: i64) -> c_int {
    guarded(ffi::SQLITE_IOERR_READ, || {
        // SAFETY: the file is open; SQLite passes room for `bytes` bytes that nobody else uses meanwhile.
        let (handle, into) = unsafe { (handle(file), slice::from_raw_parts_mut(into.cast(), count(bytes))) };
        handle.read(offset(at)?, into)
    })
}

unsafe extern "C" fn write(file: *mut ffi::sqlite3_file, from: *const c_void, bytes: c_int, at: i64) -> c_int {
    guarded(ffi::SQLITE_IOERR_WRITE, || {
        // SAFETY: the file is open; SQLite passes `bytes` bytes that nobody changes meanwhile.
        let (handle, from) = unsafe { (handle(file), slice::from_raw_parts(from.cast(), count(bytes))) };
        handle.write(offset(at)?, from)
    })
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, len: i64) -> c_int {
    guarded(ffi::SQLITE_IOERR_TRUNCATE, || {
        // SAFETY: the file is open.
        unsafe { handle(file) }.truncate(offset(len)?)
    })
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    guarded(ffi::SQLITE_IOERR_FSYNC, || {
        // SAFETY: the file is open.
        unsafe { handle(file) }.sync()
    })
}

unsafe extern "C" fn file_size(file: *mut ffi::sqlite3_file, out: *mut i64) -> c_int {
    guarded(ffi::SQLITE_IOERR_FSTAT, || {
        // SAFETY: the file is open; `out` is SQLite's.
        unsafe { *out = i64::try_from(handle(file).len()).map_err(|_| ffi::SQLITE_IOERR_FSTAT)? };
        Ok(())
    })
}

unsafe extern "C" fn lock_file(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    guarded(ffi::SQLITE_IOERR_LOCK, || {
        // SAFETY: the file is open.
        unsafe { handle(file) }.lock(Level::from_number(level))
    })
}

unsafe extern "C" fn unlock_file(file: *mut ffi::sqlite3_file, level: c_int) -> c_int {
    guarded(ffi::SQLITE_IOERR_UNLOCK, || {
        // SAFETY: the file is open.
        unsafe { handle(file) }.unlock(Level::from_number(level));
        Ok(())
    })
}

unsafe extern "C" fn check_reserved_lock(file: *mut ffi::sqlite3_file, out: *mut c_int) -> c_int {
    guarded(ffi::SQLITE_IOERR_CHECKRESERVEDLOCK, || {
        // SAFETY: the file is open; `out` is SQLite's.
        unsafe { *out = handle(file).is_reserved().into() };
        Ok(())
    })
}

/// What SQLite's own file system answers, as far as it can be asked from SQL or changes what SQLite does.
unsafe extern "C" fn file_control(file: *mut ffi::sqlite3_file, operation: c_int, argument: *mut c_void) -> c_int {
    guarded(ffi::SQLITE_IOERR, || {
        // SAFETY: the file is open; SQLite passes what its documentation of the operation says, a number that may be read and
        // written unless another type is named.
        let (handle, number) = unsafe { (handle(file), argument.cast::<c_int>()) };
        match operation {
            // SAFETY: as above.
            ffi::SQLITE_FCNTL_LOCKSTATE => unsafe { *number = handle.level() as c_int },
            ffi::SQLITE_FCNTL_LAST_ERRNO | ffi::SQLITE_FCNTL_HAS_MOVED | ffi::SQLITE_FCNTL_EXTERNAL_READER => {
                // SAFETY: as above.
                unsafe { *number = 0 };
            }
            ffi::SQLITE_FCNTL_SIZE_HINT | ffi::SQLITE_FCNTL_CHUNK_SIZE => {}
            // SAFETY: as above.
            ffi::SQLITE_FCNTL_PERSIST_WAL => unsafe { mode(&handle.persists_wal, &mut *number) },
            // SAFETY: as above.
            ffi::SQLITE_FCNTL_POWERSAFE_OVERWRITE => unsafe { mode(&handle.overwrites_safely, &mut *number) },
            // SAFETY: the argument is a pointer to the string that SQLite will free.
            ffi::SQLITE_FCNTL_VFSNAME => unsafe {
                let name = handle.vfs_name().to_bytes_with_nul();
                let copy = ffi::sqlite3_malloc64(name.len() as u64).cast::<u8>();
                if copy.is_null() {
                    return Err(ffi::SQLITE_NOMEM);
                }
                ptr::copy_nonoverlapping(name.as_ptr(), copy, name.len());
                *argument.cast::<*mut u8>() = copy;
            },
            // SAFETY: the argument is a 64-bit number.
            ffi::SQLITE_FCNTL_MMAP_SIZE => unsafe {
                let size = &mut *argument.cast::<i64>();
                let wanted = (*size).min(LARGEST_MAP);
                *size = handle.mapped.load(Ordering::Relaxed);
                if wanted >= 0 {
                    handle.mapped.store(wanted, Ordering::Relaxed);
                }
            },
            _ => return Err(ffi::SQLITE_NOTFOUND),
        }
        Ok(())
    })
}

/// Sets a mode, or tells it where the number is negative.
fn mode(mode: &AtomicBool, number: &mut c_int) {
    if *number < 0 {
        *number = mode.load(Ordering::Relaxed).into();
    } else {
        mode.store(*number != 0, Ordering::Relaxed);
    }
}

unsafe extern "C" fn sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    4096
}

unsafe extern "C" fn device_characteristics(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: the file is open.
    let safe = unsafe { handle(file) }.overwrites_safely.load(Ordering::Relaxed);
    ffi::SQLITE_IOCAP_SUBPAGE_READ | if safe { ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE } else { 0 }
}

unsafe extern "C" fn shm_map(
    file: *mut ffi::sqlite3_file,
    index: c_int,
    bytes: c_int,
    make: c_int,
    out: *mut *mut c_void,
) -> c_int {
    guarded(ffi::SQLITE_IOERR_SHMMAP, || {
        // SAFETY: the file is open; `out` is SQLite's.
        unsafe {
            let region = handle(file).shm_region(count(index), count(bytes), make != 0);
            *out = region.unwrap_or(ptr::null_mut());
        }
        Ok(())
    })
}

unsafe extern "C" fn shm_lock(file: *mut ffi::sqlite3_file, first: c_int, locks: c_int, flags: c_int) -> c_int {
    guarded(ffi::SQLITE_IOERR_SHMLOCK, || {
        // SAFETY: the file is open.
        unsafe { handle(file) }.shm_lock(count(first), count(locks), flags)
    })
}

unsafe extern "C" fn shm_barrier(file: *mut ffi::sqlite3_file) {
    guarded(ffi::SQLITE_IOERR, || {
        // SAFETY: the file is open.
        unsafe { handle(file) }.shm_barrier();
        Ok(())
    });
}

unsafe extern "C" fn shm_unmap(file: *mut ffi::sqlite3_file, _delete: c_int) -> c_int {
    guarded(ffi::SQLITE_IOERR_SHMMAP, || {
        // SAFETY: the file is open.
        unsafe { handle(file) }.shm_leave();
        Ok(())
    })
}

unsafe extern "C" fn fetch(_file: *mut ffi::sqlite3_file, _at: i64, _bytes: c_int, out: *mut *mut c_void) -> c_int {
    // SAFETY: `out` is SQLite's; nothing there means that SQLite reads instead.
    unsafe { *out = ptr::null_mut() };
    ffi::SQLITE_OK
}

unsafe extern "C" fn unfetch(_file: *mut ffi::sqlite3_file, _at: i64, _page: *mut c_void) -> c_int {
    ffi::SQLITE_OK
}
