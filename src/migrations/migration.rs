//! A migration as its tool reads it: a file, cut into the chunks that the driver receives, each holding statements.

use std::io;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use super::directive::{Directive, Says, directives};
use super::splitter::statements;
use super::statement::Statement;
use crate::files;
use crate::units::hex;

/// One migration file.
#[derive(Debug, Clone)]
pub struct Migration {
    /// The name that the tool knows it by: drizzle v0's journal tag, v1's folder name, a plain file's name.
    pub name: String,
    /// The file, as found below the migrations folder that was given (not made absolute). Empty where the ledger knows
    /// the migration and no file does.
    pub file: PathBuf,
    /// The checksum that the tool keeps, or SHA-256 of the text where it keeps none, in lower-case hexadecimal digits; of a missing
    /// migration the one in the ledger.
    pub checksum: String,
    /// The whole text. Bytes that are not UTF-8 are U+FFFD, as Node.js reads them; a byte order mark stays.
    pub sql: String,
    /// What the tool hands to the driver in one call each, in order.
    pub chunks: Vec<Chunk>,
    /// What its comments say to rehearse, in their order.
    pub directives: Vec<Directive>,
    /// Whether the tool runs it outside of the transaction that it opens around others, because the file says so.
    pub unwrapped: bool,
    /// What the tool writes into its ledger on account of it.
    pub record: Record,
    /// What undoes it, where the tool has that: it takes the migration out of the ledger.
    pub down: Option<Box<Migration>>,
}

/// What a tool writes into its ledger for one migration: SQL without parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Before the migration, outside of its transaction.
    pub before: Vec<String>,
    /// Once the migration has run, in its transaction.
    pub within: Vec<String>,
    /// Once the migration is committed.
    pub after: Vec<String>,
    /// Once the migration has failed and was rolled back.
    pub failed: Vec<String>,
}

impl Record {
    /// What is written where everything goes well, in order.
    pub fn of_success(&self) -> impl Iterator<Item = &str> {
        [&self.before, &self.within, &self.after].into_iter().flatten().map(String::as_str)
    }
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
    /// What the tool writes into its ledger once the chunk has run; SQL without parameters.
    pub record: Vec<String>,
}

impl Migration {
    /// Reads a file and cuts it at every occurrence of `separator`; without one the whole file is one chunk.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn read(name: String, file: PathBuf, separator: Option<&str>) -> io::Result<Self> {
        let sql = files::read_text(&file)?;
        Ok(Self::cut(name, file, sql, separator))
    }

    /// A migration whose text is cut at every occurrence of `separator`; without one it is one chunk.
    pub(super) fn cut(name: String, file: PathBuf, sql: String, separator: Option<&str>) -> Self {
        let chunks = separator.map_or_else(|| vec![Chunk::new(&sql, 1)], |separator| cut(&sql, separator));
        Self::of(name, file, sql, chunks)
    }

    /// A migration whose text its tool has cut into chunks.
    pub(crate) fn of(name: String, file: PathBuf, sql: String, mut chunks: Vec<Chunk>) -> Self {
        let checksum = checksum(&sql);
        let directives = directives(&chunks);
        tell_statements(&mut chunks, &directives);
        Self { sql, chunks, directives, ..Self::without_file(name, file, checksum) }
    }

    /// A migration of which its tool sends less than the file holds. Each piece is what the file has there, and the text that is
    /// sent of it, if any is: comments that are left out are still read for their directives, and statements keep their places.
    pub(super) fn sent(name: String, file: PathBuf, sql: String, pieces: Vec<(Chunk, Option<String>)>) -> Self {
        let (whole, sent): (Vec<_>, Vec<_>) = pieces.into_iter().unzip();
        let mut migration = Self::of(name, file, sql, whole);
        let pieces = std::mem::take(&mut migration.chunks).into_iter().zip(sent);
        migration.chunks = pieces.filter_map(|(whole, sent)| Some(whole.sending(sent?))).collect();
        migration
    }

    /// A migration of which only the name, or the recorded checksum, is known.
    pub(crate) fn without_file(name: String, file: PathBuf, checksum: String) -> Self {
        Self {
            name,
            file,
            checksum,
            sql: String::new(),
            chunks: Vec::new(),
            directives: Vec::new(),
            unwrapped: false,
            record: Record::default(),
            down: None,
        }
    }
}

impl Chunk {
    /// A piece of a file that begins on `line`, from 1.
    pub(crate) fn new(sql: &str, line: u32) -> Self {
        Self { sql: sql.into(), line, statements: statements(sql, line), record: Vec::new() }
    }
}

impl Chunk {
    /// The same piece where its tool sends this text of it.
    fn sending(mut self, sql: String) -> Self {
        let mut sent = statements(&sql, self.line);
        if sent.len() == self.statements.len() {
            for (sent, whole) in sent.iter_mut().zip(self.statements) {
                (sent.line, sent.column, sent.renamed) = (whole.line, whole.column, whole.renamed);
            }
        }
        self.sql = sql;
        self.statements = sent;
        self
    }
}

/// Gives every statement the renames that the directives beside it tell.
fn tell_statements(chunks: &mut [Chunk], directives: &[Directive]) {
    for directive in directives {
        let Ok(Says::Renamed(renamed)) = &directive.says else { continue };
        let at = (directive.statement.line, directive.statement.column);
        let mut statements = chunks.iter_mut().flat_map(|chunk| &mut chunk.statements);
        if let Some(statement) = statements.find(|statement| (statement.line, statement.column) == at) {
            statement.renamed.push(renamed.clone());
        }
    }
}

fn checksum(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn cut(sql: &str, separator: &str) -> Vec<Chunk> {
    let mut line = 1;
    let mut chunks = Vec::new();
    for piece in sql.split(separator) {
        chunks.push(Chunk::new(piece, line));
        line += line_breaks(piece);
    }
    chunks
}

fn line_breaks(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}
