//! A migration as its tool reads it: a file, cut into the chunks that the driver receives, each holding statements.

use std::path::PathBuf;

use super::statement::Statement;

/// One migration file.
#[derive(Debug, Clone)]
pub struct Migration {
    /// The name that the tool knows it by: drizzle v0's journal tag, v1's folder name, a plain file's name.
    pub name: String,
    /// The file, as found below the migrations folder that was given (not made absolute).
    pub file: PathBuf,
    /// SHA-256 of the file in lower-case hexadecimal digits.
    pub checksum: String,
    /// The whole text.
    pub sql: String,
    /// What the tool hands to the driver in one call each, in order.
    pub chunks: Vec<Chunk>,
    /// What the tool writes into its ledger once the migration has run, in the same transaction; SQL without parameters.
    pub record: Vec<String>,
}

/// A piece of a migration that the driver receives in one call.
#[derive(Debug, Clone)]
pub struct Chunk {
    /// The text exactly as the driver receives it.
    pub sql: String,
    /// Line of the file on which the chunk begins, from 1.
    pub line: u32,
    /// The statements in it; none where it holds only comments and white space.
    pub statements: Vec<Statement>,
}
