//! The SQLite file format, read directly from bytes: no SQL, no connection, no writes.
//!
//! Whatever the bytes are, reading them ends: in values, or in an error that names the page.

pub mod error;
pub mod header;
pub mod page;
pub mod pages;
pub mod record;
mod varint;
pub mod wal;
