//! The SQLite file format, read directly from bytes: no SQL, no connection, no writes.

pub mod header;
pub mod pages;
pub mod wal;
