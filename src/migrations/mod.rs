//! Migrations as their tools read them.

pub mod splitter;
pub mod statement;
