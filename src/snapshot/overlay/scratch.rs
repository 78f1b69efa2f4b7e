//! Bytes that are written and thrown away: in memory up to a limit, beyond it in a private file.
//!
//! Takes positioned reads and writes; gives back what was written last, zeros in gaps. Promises that all scratches of an
//! [`Arena`] together keep no more in memory than its limit and one chunk each, that its file has no name, so that nothing is
//! left of it whatever happens to the process, and that a write that fails changes nothing that was there before.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::snapshot::space;
use crate::snapshot::workspace::Unnamed;

/// Chunks are smaller only where the limit is, so that it means something.
const LARGEST_CHUNK: u64 = 1 << 20;
const SMALLEST_CHUNK: u64 = 1 << 16;

/// The memory and the file that the scratches of one overlay share.
#[derive(Debug)]
pub(super) struct Arena {
    folder: PathBuf,
    /// A power of two.
    chunk: usize,
    /// Chunks that may be in memory.
    limit: usize,
    /// Bytes that may be in the file now.
    capacity: AtomicU64,
    /// Bytes by which it may grow.
    bound: u64,
    /// Bytes that may be in memory, here or in the first of several that were made of one another.
    memory: u64,
    file: OnceLock<Unnamed>,
    room: Mutex<Room>,
    /// Whether it would have been more.
    over: AtomicBool,
    /// What went wrong with the file first.
    failed: OnceLock<String>,
}

#[derive(Debug, Default)]
struct Room {
    /// Chunks in memory that are in use.
    lent: usize,
    /// Chunks in memory that were given back, with whatever was written to them.
    idle: Vec<Box<[u8]>>,
    /// Where the file ends.
    end: u64,
    /// Places in the file that were given back.
    free: Vec<u64>,
}

/// The bytes of one file.
#[derive(Debug)]
pub(super) struct Scratch {
    arena: Arc<Arena>,
    chunks: Vec<Chunk>,
    /// The chunks in memory, the oldest first.
    resident: VecDeque<usize>,
    /// What chunks hold behind it has no meaning.
    len: u64,
}

#[derive(Debug)]
enum Chunk {
    Memory(Box<[u8]>),
    /// Where in the file of the arena.
    File(u64),
}

impl Arena {
    /// Keeps at most `limit` bytes in memory; the file for the rest, `capacity` bytes at most, is made in `folder` once it is needed.
    pub(super) fn new(folder: &Path, limit: u64, capacity: u64) -> Self {
        let chunk = (limit / 32).next_power_of_two().clamp(SMALLEST_CHUNK, LARGEST_CHUNK);
        Self {
            folder: folder.to_path_buf(),
            chunk: usize::try_from(chunk).unwrap_or(1 << 20),
            limit: usize::try_from(limit / chunk).unwrap_or(usize::MAX),
            capacity: AtomicU64::new(capacity),
            bound: capacity,
            memory: limit,
            file: OnceLock::new(),
            room: Mutex::default(),
            over: AtomicBool::new(false),
            failed: OnceLock::new(),
        }
    }

    /// In chunks that are not much larger than the base, of which most are small: to clear memory takes time.
    pub(super) fn for_a_base_of(self, bytes: u64) -> Self {
        let fitting = bytes.next_power_of_two().clamp(SMALLEST_CHUNK, LARGEST_CHUNK);
        let chunk = self.chunk.min(usize::try_from(fitting).unwrap_or(usize::MAX));
        let limit = usize::try_from(self.memory / chunk as u64).unwrap_or(usize::MAX);
        Self { chunk, limit, ..self }
    }

    /// Another one with the same folder and limits.
    pub(super) fn like(other: &Self) -> Self {
        Self {
            folder: other.folder.clone(),
            chunk: other.chunk,
            limit: other.limit,
            capacity: AtomicU64::new(other.capacity.load(Ordering::Relaxed)),
            bound: other.bound,
            memory: other.memory,
            file: OnceLock::new(),
            room: Mutex::default(),
            over: AtomicBool::new(false),
            failed: OnceLock::new(),
        }
    }

    /// Another one with the same folder that keeps nothing in memory but one chunk of each file; without a limit until
    /// [`Arena::confine`] is called.
    pub(super) fn apart(other: &Self) -> Self {
        Self { memory: other.memory, bound: other.bound, ..Self::new(&other.folder, 0, u64::MAX) }
    }

    /// From now on the file may take as much more as the first one might.
    pub(super) fn confine(&self) {
        let end = self.room().end;
        let instead_of_memory = if self.limit == 0 { self.memory } else { 0 };
        let capacity = end.saturating_add(self.bound).saturating_add(instead_of_memory);
        self.capacity.store(capacity, Ordering::Relaxed);
    }

    /// From now on the file may be of any size: reading writes too, where it sorts.
    pub(super) fn lift(&self) {
        self.capacity.store(u64::MAX, Ordering::Relaxed);
    }

    /// What went wrong with the file first: the disk is full, for example.
    pub(super) fn failed(&self) -> Option<&str> {
        self.failed.get().map(String::as_str)
    }

    /// The limit, where it would have been more.
    pub(super) fn overflow(&self) -> Option<u64> {
        self.over.load(Ordering::Relaxed).then_some(self.bound)
    }

    fn noting<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.inspect_err(|error| {
            let _ = self.failed.set(error.to_string());
        })
    }

    /// Bytes in memory and in the file.
    pub(super) fn held(&self) -> (u64, u64) {
        let room = self.room();
        (((room.lent + room.idle.len()) * self.chunk) as u64, room.end)
    }

    fn room(&self) -> MutexGuard<'_, Room> {
        self.room.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A chunk of memory with any content; none where the limit is reached, unless it must be.
    fn borrow(&self, must: bool) -> Option<Box<[u8]>> {
        let mut room = self.room();
        let idle = room.idle.pop();
        if idle.is_none() && room.lent >= self.limit && !must {
            return None;
        }
        room.lent += 1;
        drop(room);
        Some(idle.unwrap_or_else(|| vec![0; self.chunk].into()))
    }

    fn give_back(&self, chunk: Chunk) {
        let mut room = self.room();
        match chunk {
            Chunk::File(place) => room.free.push(place),
            Chunk::Memory(memory) => {
                room.lent = room.lent.saturating_sub(1);
                if room.lent + room.idle.len() < self.limit {
                    room.idle.push(memory);
                }
            }
        }
    }

    /// Moves a chunk to the file; gives its place there.
    fn spill(&self, memory: &[u8]) -> io::Result<u64> {
        let file = self.file()?;
        let place = self.place()?;
        let result = if space::is_left(&self.folder) {
            file.write_all_at(memory, place)
        } else {
            Err(io::ErrorKind::StorageFull.into())
        };
        self.noting(result).inspect_err(|_| self.room().free.push(place))?;
        Ok(place)
    }

    fn place(&self) -> io::Result<u64> {
        let mut room = self.room();
        if let Some(place) = room.free.pop() {
            return Ok(place);
        }
        let place = room.end;
        if place + self.chunk as u64 > self.capacity.load(Ordering::Relaxed) {
            self.over.store(true, Ordering::Relaxed);
            return Err(io::ErrorKind::StorageFull.into());
        }
        room.end += self.chunk as u64;
        Ok(place)
    }

    fn file(&self) -> io::Result<&File> {
        if let Some(file) = self.file.get() {
            return Ok(file.file());
        }
        let file = self.noting(Unnamed::create(&self.folder))?;
        // Another thread may have been faster; then this one's file goes.
        Ok(self.file.get_or_init(|| file).file())
    }
}

impl Scratch {
    /// An empty file.
    pub(super) fn new(arena: &Arc<Arena>) -> Self {
        Self { arena: Arc::clone(arena), chunks: Vec::new(), resident: VecDeque::new(), len: 0 }
    }

    /// In bytes.
    pub(super) fn len(&self) -> u64 {
        self.len
    }

    /// Reads up to the end; gives the number of bytes.
    pub(super) fn read(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let there = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX).min(into.len());
        let mut rest = &mut into[..there];
        let (mut index, mut within) = self.locate(offset);
        while !rest.is_empty() {
            let (part, behind) = rest.split_at_mut((self.arena.chunk - within).min(rest.len()));
            match &self.chunks[index] {
                Chunk::Memory(memory) => part.copy_from_slice(&memory[within..within + part.len()]),
                Chunk::File(place) => {
                    self.arena.noting(self.arena.file()?.read_exact_at(part, place + within as u64))?;
                }
            }
            (rest, index, within) = (behind, index + 1, 0);
        }
        Ok(there)
    }

    /// Writes; a gap between the end and `offset` becomes zeros.
    pub(super) fn write(&mut self, offset: u64, from: &[u8]) -> io::Result<()> {
        if offset > self.len {
            self.set_len(offset)?;
        }
        let end = offset + from.len() as u64;
        self.reserve(end)?;
        self.put(offset, from)?;
        self.len = self.len.max(end);
        Ok(())
    }

    /// Cuts, or grows by zeros.
    pub(super) fn set_len(&mut self, len: u64) -> io::Result<()> {
        if len > self.len {
            self.reserve(len)?;
            let zeros = vec![0; self.arena.chunk];
            while self.len < len {
                let step = (len - self.len).min(zeros.len() as u64);
                self.put(self.len, &zeros[..usize::try_from(step).unwrap_or_default()])?;
                self.len += step;
            }
        } else {
            let keep = usize::try_from(len.div_ceil(self.arena.chunk as u64)).unwrap_or(usize::MAX);
            for chunk in self.chunks.drain(keep.min(self.chunks.len())..) {
                self.arena.give_back(chunk);
            }
            self.resident.retain(|index| *index < keep);
            self.len = len;
        }
        Ok(())
    }

    /// The same bytes in another arena.
    pub(super) fn copy(&self, arena: &Arc<Arena>) -> io::Result<Self> {
        let mut copy = Self::new(arena);
        let mut buffer = vec![0; self.arena.chunk];
        while copy.len < self.len {
            let filled = self.read(copy.len, &mut buffer)?;
            copy.write(copy.len, &buffer[..filled])?;
        }
        Ok(copy)
    }

    fn locate(&self, offset: u64) -> (usize, usize) {
        let chunk = self.arena.chunk as u64;
        (usize::try_from(offset / chunk).unwrap_or(usize::MAX), usize::try_from(offset % chunk).unwrap_or_default())
    }

    /// Makes chunks for everything up to `end`.
    fn reserve(&mut self, end: u64) -> io::Result<()> {
        while ((self.chunks.len() * self.arena.chunk) as u64) < end {
            let memory = match self.arena.borrow(self.resident.is_empty()) {
                Some(memory) => memory,
                None => self.evict()?,
            };
            self.resident.push_back(self.chunks.len());
            self.chunks.push(Chunk::Memory(memory));
        }
        Ok(())
    }

    /// Moves the oldest chunk in memory, of which there is one, to the file and gives its memory.
    fn evict(&mut self) -> io::Result<Box<[u8]>> {
        let oldest = self.resident.front().and_then(|index| self.chunks.get_mut(*index));
        if let Some(chunk) = oldest
            && let Chunk::Memory(memory) = chunk
        {
            let place = self.arena.spill(memory)?;
            self.resident.pop_front();
            if let Chunk::Memory(memory) = std::mem::replace(chunk, Chunk::File(place)) {
                return Ok(memory);
            }
        }
        Err(io::ErrorKind::OutOfMemory.into())
    }

    /// Writes where there are chunks.
    fn put(&mut self, offset: u64, from: &[u8]) -> io::Result<()> {
        let (mut index, mut within) = self.locate(offset);
        let mut rest = from;
        while !rest.is_empty() {
            let (part, behind) = rest.split_at((self.arena.chunk - within).min(rest.len()));
            match &mut self.chunks[index] {
                Chunk::Memory(memory) => memory[within..within + part.len()].copy_from_slice(part),
                Chunk::File(place) => {
                    self.arena.noting(self.arena.file()?.write_all_at(part, *place + within as u64))?;
                }
            }
            (rest, index, within) = (behind, index + 1, 0);
        }
        Ok(())
    }
}

/// Whether an error says that nothing more can be written: no space, a quota, or the largest size of a file.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

impl Drop for Scratch {
    fn drop(&mut self) {
        for chunk in self.chunks.drain(..) {
            self.arena.give_back(chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const KIB: u64 = 1 << 10;

    fn arena(limit: u64) -> Arc<Arena> {
        Arc::new(Arena::new(&std::env::temp_dir(), limit, u64::MAX))
    }

    fn content(scratch: &Scratch) -> Vec<u8> {
        let mut bytes = vec![0xff; usize::try_from(scratch.len()).unwrap() + 10];
        let read = scratch.read(0, &mut bytes).unwrap();
        bytes.truncate(read);
        bytes
    }

    #[test]
    fn bytes_are_those_of_a_vector_in_memory_and_spilled() {
        for limit in [0, 128 * KIB, 64 * KIB * KIB] {
            let arena = arena(limit);
            let (mut scratch, mut expected) = (Scratch::new(&arena), Vec::new());
            let mut state = 7_u64;
            let mut random = |below: u64| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 33) % below
            };
            for round in 0..400 {
                if random(10) == 0 {
                    let len = random(expected.len() as u64 + 70_000);
                    scratch.set_len(len).unwrap();
                    expected.resize(usize::try_from(len).unwrap(), 0);
                } else {
                    let offset = usize::try_from(random(600_000)).unwrap();
                    let bytes = vec![u8::try_from(round % 251).unwrap() + 1; usize::try_from(random(80_000)).unwrap()];
                    scratch.write(offset as u64, &bytes).unwrap();
                    expected.resize(expected.len().max(offset + bytes.len()), 0);
                    expected[offset..offset + bytes.len()].copy_from_slice(&bytes);
                }
            }
            assert!(content(&scratch) == expected, "limit {limit}");
            assert!(content(&scratch.copy(&Arc::new(Arena::like(&arena))).unwrap()) == expected);
            assert!(arena.held().0 <= limit.max(64 * KIB), "{:?}", arena.held());
        }
    }

    #[test]
    fn what_was_given_back_is_used_again() {
        let arena = arena(128 * KIB);
        for _ in 0..20 {
            let mut scratch = Scratch::new(&arena);
            scratch.write(0, &vec![1; 1 << 20]).unwrap();
        }
        let (memory, file) = arena.held();
        assert_eq!((memory, file), (128 * KIB, (1 << 20) - 128 * KIB));
    }

    #[test]
    fn the_file_is_private_and_has_no_name() {
        let folder = tempfile::tempdir().unwrap();
        let arena = Arc::new(Arena::new(folder.path(), 0, u64::MAX));
        Scratch::new(&arena).write(0, &vec![1; 1 << 20]).unwrap();
        assert_eq!(arena.file().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_write_that_fails_leaves_what_was_there() {
        let arena = Arc::new(Arena::new(Path::new("/nowhere"), 0, u64::MAX));
        let mut scratch = Scratch::new(&arena);
        scratch.write(0, &[1; 1000]).unwrap();
        assert_eq!(arena.failed(), None);
        scratch.write(500, &vec![2; 1 << 20]).unwrap_err();
        assert!(arena.failed().unwrap().contains("No such file"), "{:?}", arena.failed());
        assert_eq!(content(&scratch), [1; 1000]);
        scratch.write(1000, &[3]).unwrap();
        assert_eq!(scratch.len(), 1001);
    }

    #[test]
    fn no_more_is_written_than_is_allowed() {
        let arena = Arc::new(Arena::new(&std::env::temp_dir(), 0, 1 << 20));
        let mut scratch = Scratch::new(&arena);
        scratch.write(0, &vec![1; 1 << 20]).unwrap();
        assert_eq!(arena.overflow(), None);
        assert!(is_full(&scratch.write(1 << 20, &vec![2; 1 << 20]).unwrap_err()));
        assert_eq!(arena.overflow(), Some(1 << 20));
        assert_eq!(content(&scratch), vec![1; 1 << 20]);
    }

    #[test]
    fn what_is_copied_apart_fits_and_can_be_written_once_more() {
        const MIB: u64 = 1 << 20;
        let mib = |number| vec![number; 1 << 20];
        let first = Arc::new(Arena::new(&std::env::temp_dir(), MIB, MIB));
        let mut scratch = Scratch::new(&first);
        scratch.write(0, &mib(1)).unwrap();
        scratch.write(MIB, &mib(2)).unwrap();
        let apart = Arc::new(Arena::apart(&first));
        let mut copy = scratch.copy(&apart).unwrap();
        Scratch::new(&apart).write(7 * MIB, &mib(3)).unwrap();
        let again = Arc::new(Arena::apart(&apart));
        copy = copy.copy(&again).unwrap();
        again.confine();
        copy.write(2 * MIB, &mib(4)).unwrap();
        copy.write(3 * MIB, &mib(5)).unwrap();
        assert_eq!((apart.overflow(), again.overflow()), (None, None));
        assert!(is_full(&copy.write(4 * MIB, &mib(6)).unwrap_err()));
        assert_eq!(again.overflow(), Some(MIB));
        again.lift();
        copy.write(4 * MIB, &mib(6)).unwrap();
    }
}
