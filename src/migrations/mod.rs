//! Migrations as their tools read them.

pub mod lexer;
pub mod splitter;
pub mod statement;
