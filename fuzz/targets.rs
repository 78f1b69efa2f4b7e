//! What each fuzz target does with its bytes. `tests/corpus.rs` does the same with the corpus.
//!
//! Reading must end whatever the bytes are. What else must hold is asserted here: what is read lies where it was read from, is
//! the same read in another way, and takes no more work than there are bytes.

#![expect(clippy::unwrap_used, reason = "a target fails by panicking")]
#![expect(clippy::cast_possible_truncation, reason = "inputs are small")]

use std::fs::File;
use std::io::{self, Cursor};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};

use rehearse::fuzzing;
use rehearse::migrations::Migration;
use rehearse::migrations::statement::{Action, Statement, redact};
use rehearse::observer::{Stage, Work};
use rehearse::schema::lexer::{self, TokenKind, tokens};
use rehearse::schema::splitter::split;
use rehearse::sqlite_file::btree::{self, IndexTree};
use rehearse::sqlite_file::error::ReadError;
use rehearse::sqlite_file::freelist::freelist;
use rehearse::sqlite_file::header::{Header, TextEncoding};
use rehearse::sqlite_file::overflow::overflow_chain;
use rehearse::sqlite_file::page::{BTreePage, PageKind, Payload};
use rehearse::sqlite_file::pages::{FilePages, Layout, Pages};
use rehearse::sqlite_file::pointer_map::{is_pointer_map, pointer_map_pages};
use rehearse::sqlite_file::record::{self, Field, Owned, is_identical};
use rehearse::sqlite_file::rows::{IndexRows, TableRows};
use rehearse::sqlite_file::scan::{ScanTable, scan};
use rehearse::sqlite_file::schema_page::{decode, schema_rows};
use rehearse::sqlite_file::shape::Shape;
use rehearse::sqlite_file::wal::Frames;

// ---- page -----------------------------------------------------------------------------------------------------------

/// One page of a b-tree. The first eight bytes say of which database.
pub fn page(data: &[u8]) {
    let Some((head, data)) = data.split_first_chunk::<8>() else { return };
    let page_size = 512 << (head[0] % 8);
    let usable = page_size - u32::from(head[1]).min(page_size - 480);
    let pages = u32::from_be_bytes([head[2], head[3], head[4], head[5]]).max(1);
    let layout = Layout { page_size, usable, pages, encoding: TextEncoding::Utf8, auto_vacuum: head[6] & 1 == 1 };
    let number = if head[7] & 1 == 1 { 1 } else { pages };
    let mut bytes = data.to_vec();
    bytes.resize(page_size as usize, 0);
    let Ok(page) = BTreePage::parse(number, &bytes, &layout) else { return };
    assert_eq!(page.children().count(), page.cells() + 1);
    for cell in 0..page.cells() {
        let row = page.row(cell).map(|row| row.payload);
        let payload = if page.kind() == PageKind::TableLeaf { row } else { page.entry(cell) };
        if let Ok(payload) = &payload {
            assert_payload(payload, &bytes, &layout);
            let mut fields = Vec::new();
            let _ = record::fields(payload.local, payload.bytes, &mut fields);
        }
        if page.kind() != PageKind::TableInterior {
            let whole = payload.ok().filter(|payload| payload.overflow.is_none()).map(|payload| payload.local);
            assert_eq!(page.whole(cell).map(|(_, record)| record), whole);
        }
    }
    assert!(page.row(page.cells()).is_err() && page.entry(page.cells()).is_err());
}

fn assert_payload(payload: &Payload<'_>, page: &[u8], layout: &Layout) {
    let end = payload.offset + payload.local.len();
    assert!(end <= layout.usable as usize && page[payload.offset..end] == *payload.local);
    assert!(payload.bytes as u64 <= layout.bytes());
    assert_eq!(payload.overflow.is_none(), payload.local.len() == payload.bytes);
}

// ---- record ---------------------------------------------------------------------------------------------------------

/// One record: its values are the same once they are written and read again.
pub fn record(data: &[u8]) {
    for encoding in [TextEncoding::Utf8, TextEncoding::Utf16Le, TextEncoding::Utf16Be] {
        let _ = decode(data, encoding);
    }
    let mut fields = Vec::new();
    // A record that goes on elsewhere.
    let _ = record::fields(data, data.len() + 1000, &mut fields);
    if record::fields(data, data.len(), &mut fields).is_err() {
        return;
    }
    let values = values(data, &fields);
    let written = encoded(&values);
    record::fields(&written, written.len(), &mut fields).unwrap();
    let again = self::values(&written, &fields);
    assert_eq!(values.len(), again.len());
    assert!(values.iter().zip(&again).all(|(one, other)| is_identical(one.borrow(), other.borrow())));
}

fn values(record: &[u8], fields: &[Field]) -> Vec<Owned> {
    let value = |field: &Field| {
        let start = field.offset as usize;
        let bytes = &record[start..start + field.length()];
        let _ = record::value(field.serial, bytes, true);
        Owned::of(record::value(field.serial, bytes, false))
    };
    fields.iter().map(value).collect()
}

/// A record of these values, the integers in eight bytes.
fn encoded(values: &[Owned]) -> Vec<u8> {
    let (mut serials, mut content) = (Vec::new(), Vec::new());
    for value in values {
        let (serial, bytes) = match value {
            Owned::Null => (0, Vec::new()),
            Owned::Integer(integer) => (6, integer.to_be_bytes().to_vec()),
            Owned::Real(real) => (7, real.to_be_bytes().to_vec()),
            Owned::Text(bytes) => (bytes.len() * 2 + 13, bytes.clone()),
            Owned::Blob(bytes) => (bytes.len() * 2 + 12, bytes.clone()),
        };
        push_varint(&mut serials, serial);
        content.extend(bytes);
    }
    let mut record = Vec::new();
    // The length of the header counts itself.
    let length = (1..=3).map(|own| serials.len() + own).find(|length| *length < 1 << (7 * (length - serials.len())));
    push_varint(&mut record, length.unwrap());
    [record, serials, content].concat()
}

/// Of no more than 28 bits.
fn push_varint(into: &mut Vec<u8>, value: usize) {
    for shift in [21, 14, 7] {
        if value >> shift > 0 {
            into.push((value >> shift & 0x7f) as u8 | 0x80);
        }
    }
    into.push((value & 0x7f) as u8);
}

// ---- btree ----------------------------------------------------------------------------------------------------------

/// A database in memory that counts the pages that are read of it.
struct Bytes<'a> {
    content: &'a [u8],
    layout: Layout,
    read: AtomicU64,
}

impl Pages for Bytes<'_> {
    fn layout(&self) -> Layout {
        self.layout
    }

    fn read(&self, first: u32, into: &mut [u8]) -> io::Result<()> {
        let size = self.layout.page_size as usize;
        self.read.fetch_add((into.len() / size) as u64, Ordering::Relaxed);
        let start = ((first as usize - 1) * size).min(self.content.len());
        let there = &self.content[start..(start + into.len()).min(self.content.len())];
        into[..there.len()].copy_from_slice(there);
        into[there.len()..].fill(0);
        Ok(())
    }
}

impl Bytes<'_> {
    /// Whatever is done once takes no more than a few readings of each page.
    fn once<T>(&self, work: impl FnOnce(&dyn Pages) -> T) -> T {
        self.read.store(0, Ordering::Relaxed);
        let done = work(self);
        let read = self.read.load(Ordering::Relaxed);
        assert!(read <= 64 * (u64::from(self.layout.pages) + 64), "{read} pages read of {}", self.layout.pages);
        done
    }
}

/// A whole database: everything that is ever read of one.
pub fn btree(data: &[u8]) {
    let Ok(header) = Header::parse(data) else { return };
    let layout = Layout::of(&header, data.len() as u64);
    let pages = Bytes { content: data, layout, read: AtomicU64::new(0) };
    let most = layout.pages as usize;
    if let Ok(free) = pages.once(freelist) {
        assert!(free.trunks.len() <= most && free.leaves.len() <= data.len() / 4);
    }
    assert!(pointer_map_pages(&layout).all(|page| is_pointer_map(&layout, page) && page as usize <= most));
    let schema = pages.once(schema_rows).unwrap_or_default();
    let (table, index) = (Shape::plain(4), Shape { without_rowid: true, ..Shape::plain(4) });
    // A tree may be named many times; each is read once.
    let mut roots: Vec<u32> = schema.iter().map(|row| row.root_page).chain([1, 2, 3]).collect();
    roots.sort_unstable();
    roots.dedup();
    let (mut scanned, mut expected) = (Vec::new(), Vec::new());
    for root in roots.into_iter().take(20) {
        if let Ok(tree) = pages.once(|pages| btree::leaves(pages, root)) {
            let all = [tree.leaves.as_slice(), &tree.interior].concat();
            assert_distinct(all, most);
            let _ = overflow_of(&pages, &tree.leaves, false);
            expected.push(pages.once(|pages| rows_of_table(pages, tree.leaves.clone(), &table)));
            scanned.push(ScanTable { shape: &table, pages: tree.leaves });
        }
        if let Ok(IndexTree { leaves, interior, .. }) = pages.once(|pages| btree::index_leaves(pages, root)) {
            let all = [leaves, interior].concat();
            assert_distinct(all.clone(), most);
            let _ = overflow_of(&pages, &all, true);
            expected.push(pages.once(|pages| rows_of_index(pages, root, &index)));
            scanned.push(ScanTable { shape: &index, pages: all });
        }
    }
    let counts = scan(&pages, &scanned, &Work::new(Stage::Count, None));
    for (counts, rows) in counts.into_iter().zip(expected) {
        // A count does not read every overflow page, and a tree can be a part of another.
        if let (Ok(counts), Ok(rows)) = (counts, rows) {
            assert_eq!(counts.rows, rows);
        }
    }
}

fn assert_distinct(mut pages: Vec<u32>, most: usize) {
    let all = pages.len();
    pages.sort_unstable();
    pages.dedup();
    assert!(pages.len() == all && all <= most);
}

fn rows_of_table(pages: &dyn Pages, leaves: Vec<u32>, shape: &Shape) -> Result<u64, ReadError> {
    let mut rows = TableRows::new(pages, leaves, shape);
    let mut count = 0;
    while rows.advance()? {
        for column in (0..5).rev() {
            rows.value(column)?;
        }
        assert!(rows.record().is_none_or(|record| record.len() <= pages.layout().usable as usize));
        count += 1;
    }
    Ok(count)
}

fn rows_of_index(pages: &dyn Pages, root: u32, shape: &Shape) -> Result<u64, ReadError> {
    let mut rows = IndexRows::new(pages, root, shape)?;
    let mut count = 0;
    while rows.advance()? {
        for column in (0..5).rev() {
            rows.value(column)?;
        }
        count += 1;
    }
    Ok(count)
}

/// The overflow pages of the first cells; all of them are asked for as values.
fn overflow_of(pages: &Bytes<'_>, numbers: &[u32], is_index: bool) -> Result<(), ReadError> {
    let mut bytes = vec![0; pages.layout.page_size as usize];
    for &number in numbers.iter().take(8) {
        pages.read(number, &mut bytes)?;
        let page = BTreePage::parse(number, &bytes, &pages.layout)?;
        for cell in 0..page.cells().min(8) {
            let payload = if is_index { page.entry(cell)? } else { page.row(cell)?.payload };
            if let Some(first) = payload.overflow {
                let left = payload.bytes - payload.local.len();
                let chain = pages.once(|pages| overflow_chain(pages, first, left))?;
                assert_eq!(chain.len(), left.div_ceil(pages.layout.usable as usize - 4));
            }
        }
    }
    Ok(())
}

// ---- wal ------------------------------------------------------------------------------------------------------------

/// A write-ahead log. The first byte says how much of it is mended before it is read: its checksums, which no chance gets right.
pub fn wal(data: &[u8]) {
    let Some((mend, log)) = data.split_first() else { return };
    let page_size = 512_u32 << (mend >> 1 & 1);
    let mut log = log.to_vec();
    if mend & 1 == 1 {
        mend_log(&mut log, page_size);
    }
    let file = file_of(&log);
    let frame_bytes = 24 + page_size as usize;
    if let Ok(Some(frames)) = Frames::read(&file, page_size) {
        assert!(frames.count() <= (log.len() / frame_bytes) as u64);
        for number in frames.numbers() {
            assert!(number > 0 && number <= frames.pages());
            let offset = usize::try_from(frames.offset(number).unwrap()).unwrap();
            assert!((offset - 32 - 24).is_multiple_of(frame_bytes) && offset + page_size as usize <= log.len());
            // The last of its frames but for those that are not committed.
            assert_eq!(log[offset - 24..offset - 20], number.to_be_bytes());
        }
    }
    let mut database = vec![0; page_size as usize];
    database[..16].copy_from_slice(b"SQLite format 3\0");
    database[16..24].copy_from_slice(&[(page_size >> 8) as u8, 0, 2, 2, 0, 64, 32, 32]);
    if let Ok(pages) = FilePages::new(file_of(&database), Some(file)) {
        let layout = pages.layout();
        assert!(layout.pages as usize <= log.len() / frame_bytes + 2 + 65536 / page_size as usize);
        let mut all = vec![0; layout.pages as usize * page_size as usize];
        pages.read(1, &mut all).unwrap();
        let _ = schema_rows(&pages);
    }
}

/// A log that SQLite would take: the fixed words of its header, salts and checksums of all frames.
fn mend_log(log: &mut [u8], page_size: u32) {
    if log.len() < 32 {
        return;
    }
    let big_endian = log[3] & 1 == 1;
    log[..4].copy_from_slice(&(0x377f_0682_u32 | u32::from(big_endian)).to_be_bytes());
    log[4..8].copy_from_slice(&3_007_000_u32.to_be_bytes());
    log[8..12].copy_from_slice(&page_size.to_be_bytes());
    let mut sums = [0, 0];
    add(&mut sums, big_endian, &log[..24]);
    put(&mut log[24..32], sums);
    let (header, frames) = log.split_at_mut(32);
    for frame in frames.chunks_exact_mut(24 + page_size as usize) {
        // One in sixteen is what it was, so that logs also end early.
        if frame[15] & 15 == 15 {
            return;
        }
        frame[8..16].copy_from_slice(&header[16..24]);
        add(&mut sums, big_endian, &frame[..8]);
        add(&mut sums, big_endian, &frame[24..]);
        put(&mut frame[16..24], sums);
    }
}

fn add(sums: &mut [u32; 2], big_endian: bool, bytes: &[u8]) {
    for pair in bytes.chunks_exact(8) {
        for (place, word) in pair.chunks_exact(4).enumerate() {
            let word = [word[0], word[1], word[2], word[3]];
            let word = if big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) };
            sums[place] = sums[place].wrapping_add(word).wrapping_add(sums[1 - place]);
        }
    }
}

fn put(into: &mut [u8], sums: [u32; 2]) {
    into[..4].copy_from_slice(&sums[0].to_be_bytes());
    into[4..].copy_from_slice(&sums[1].to_be_bytes());
}

fn file_of(bytes: &[u8]) -> File {
    let file = tempfile::tempfile().unwrap();
    file.write_all_at(bytes, 0).unwrap();
    file
}

// ---- splitter -------------------------------------------------------------------------------------------------------

/// What stands for a value in a seed.
const CANARY: &str = "CANARY";

/// The text of a migration: tokens, statements, what each tool sends of it, directives, and what is shown of it.
pub fn splitter(data: &[u8]) {
    let text = &String::from_utf8_lossy(data);
    let mut end = 0;
    for token in tokens(text) {
        assert!(token.start == end && token.end > end && text.is_char_boundary(token.start));
        end = token.end;
    }
    assert_eq!(end, text.len());
    let pieces = split(text);
    assert_in_order(pieces.iter().map(|piece| piece.range.clone()), text);
    for piece in &pieces {
        let before = &text[..piece.range.start];
        assert_eq!(piece.line as usize, 1 + before.matches('\n').count());
    }
    for (tool, migration) in fuzzing::migrations(text) {
        assert_migration(tool, &migration, text);
    }
    assert_dump(text, &pieces.iter().map(|piece| &text[piece.range.clone()]).collect::<Vec<_>>());
    assert_redacted(text);
    for name in lexer::identifiers(text).iter().chain(&lexer::double_quoted(text)) {
        assert_eq!(lexer::unquote(&lexer::quote_identifier(name)), *name);
    }
}

fn assert_in_order(ranges: impl Iterator<Item = Range<usize>>, text: &str) {
    let mut end = 0;
    for range in ranges {
        assert!(range.start >= end && range.end > range.start && text.get(range.clone()).is_some());
        end = range.end;
    }
}

fn assert_migration(tool: &str, migration: &Migration, text: &str) {
    let lines = text.matches('\n').count() + 1;
    let mut last = 0;
    for chunk in &migration.chunks {
        assert!(chunk.line >= last && chunk.line as usize <= lines, "{tool}: {} {last} {lines}", chunk.line);
        last = chunk.line;
        for statement in &chunk.statements {
            assert!(statement.line >= chunk.line && statement.line as usize <= lines, "{tool}");
            // wrangler sends none of the comments.
            assert!(tool == "d1" || chunk.sql.contains(&statement.sql), "{tool}");
            assert_excerpt(statement);
        }
    }
    for directive in &migration.directives {
        assert!(directive.line >= 1 && directive.line as usize <= lines, "{tool}");
    }
}

fn assert_excerpt(statement: &Statement) {
    let _ = (statement.is_temporary(), statement.table().map(str::len), statement.action.written_rows());
    let excerpt = statement.excerpt(60);
    assert!(excerpt.chars().count() <= 60 && !excerpt.contains(char::is_control), "{excerpt}");
    for token in tokens(&excerpt).filter(|token| token.kind == TokenKind::String) {
        assert!(["''", "'…'"].contains(&token.text(&excerpt)), "{excerpt}");
    }
}

/// A dump that is read piece by piece has the same statements. What the shell reads as a command and a NUL are left out.
fn assert_dump(text: &str, statements: &[&str]) {
    if text.contains('\0') || statements.iter().any(|statement| statement.starts_with('.')) || text.starts_with('.') {
        let _ = fuzzing::dump(text.as_bytes());
        return;
    }
    let found = fuzzing::dump(text.as_bytes()).unwrap();
    assert_eq!(
        found.iter().map(|(sql, _)| sql.as_slice()).collect::<Vec<_>>(),
        statements.iter().map(|sql| sql.as_bytes()).collect::<Vec<_>>()
    );
}

/// A value that stands in literals only is not in what is shown, but for the literals that describe the schema.
fn assert_redacted(text: &str) {
    let shown = redact(text);
    assert_eq!(shown.matches('\n').count(), text.matches('\n').count());
    let describes_schema = |action: &Action| {
        !matches!(
            action,
            Action::Insert(_) | Action::Update { .. } | Action::Delete { .. } | Action::Read | Action::Unknown
        )
    };
    let only_values = split(text).into_iter().all(|piece| {
        let sql = &text[piece.range];
        !sql.contains(CANARY) || !describes_schema(&Statement::new(sql, 1, 1).action)
    });
    let only_in_literals =
        tokens(text).filter(|token| token.text(text).contains(CANARY)).all(|token| token.kind == TokenKind::String);
    assert!(!only_values || !only_in_literals || !shown.contains(CANARY), "{shown}");
}

// ---- queries --------------------------------------------------------------------------------------------------------

/// A text as each kind of file that the app's queries are in.
pub fn queries(data: &[u8]) {
    let text = &String::from_utf8_lossy(data);
    for file in ["app.sql", "app.log", "query-1.json"] {
        let Ok(queries) = fuzzing::queries(file, text) else { continue };
        let lines = 1 + text.matches('\n').count();
        for query in &queries.list {
            let is_of_the_text = file.ends_with("json") || text.contains(&query.text);
            assert!(is_of_the_text && !query.text.is_empty() && query.times > 0, "{file}: {query:?}");
            assert!((1..=lines).contains(&(query.line as usize)), "{file}: {query:?}");
            assert_eq!(split(&query.text).len(), 1, "{file}: {query:?}");
            let _ = (query.sql(), query.shape(), query.called());
        }
    }
}

// ---- journal --------------------------------------------------------------------------------------------------------

/// Both meanings of the word: drizzle's list of migrations, or a rollback journal that names a super-journal.
pub fn journal(data: &[u8]) {
    let Some((which, data)) = data.split_first() else { return };
    if which & 1 == 0 {
        let text = String::from_utf8_lossy(data);
        if let Ok(lines) = fuzzing::drizzle_journal(&text) {
            let json: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert_eq!(lines.len(), json["entries"].as_array().unwrap().len());
        }
        return;
    }
    if let Some((start, name)) = fuzzing::super_journal(&mut Cursor::new(data)).unwrap() {
        assert_eq!(start as usize + 4 + name.as_os_str().len() + 16, data.len());
    }
    if data.is_empty() {
        return;
    }
    let sum = data.iter().fold(0_u32, |sum, byte| sum.wrapping_add((*byte).into()));
    let length = u32::try_from(data.len()).unwrap();
    let trailer = [&[0; 20], data, &length.to_be_bytes(), &sum.to_be_bytes(), b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"];
    let journal = trailer.concat();
    let (start, name) = fuzzing::super_journal(&mut Cursor::new(journal)).unwrap().unwrap();
    assert_eq!((start, name.as_os_str().as_bytes()), (16, data));
}

// ---- yaml -----------------------------------------------------------------------------------------------------------

/// `rehearse.yaml`, a scenario, or another file of a project. What is said against it can be shown.
pub fn yaml(data: &[u8]) {
    let Some((which, data)) = data.split_first() else { return };
    let text = String::from_utf8_lossy(data);
    let refused = match which % 3 {
        0 => fuzzing::config(&text).err(),
        1 => fuzzing::scenario(&text).err(),
        _ => {
            fuzzing::project_files(&text);
            None
        }
    };
    if let Some(error) = refused {
        assert_eq!(error.exit_code(), 2);
        assert!(!error.to_string().is_empty());
    }
}
