//! The SQLite file format, read directly from bytes: no SQL, no connection, no writes.
//!
//! Whatever the bytes are, reading them ends: in values, or in an error that names the page.

pub mod btree;
pub mod error;
pub mod freelist;
pub mod header;
pub mod overflow;
pub mod page;
pub mod page_set;
pub mod pages;
pub mod pointer_map;
pub mod record;
pub mod rows;
pub mod scan;
pub mod schema_page;
pub mod shape;
mod varint;
pub mod wal;
