//! Tables, columns, indexes, triggers and views as SQLite reports them.
//!
//! Takes a connection, gives a [`Schema`]. Nothing is parsed that SQLite can tell; only CHECK constraints, which it does not
//! list, are read from the CREATE statement.

pub mod bounded;
pub mod changes;
pub mod expansion;
pub mod index;
pub mod lexer;
pub mod message;
mod read;
pub mod splitter;
pub mod storage;

use std::collections::BTreeMap;

/// The schema of one database state (`main` only).
#[derive(Debug, Clone, Default)]
pub struct Schema {
    /// Tables of every kind, by name in lower case.
    pub tables: BTreeMap<String, Table>,
    /// Indexes, by name in lower case; the automatic ones of UNIQUE and PRIMARY KEY are constraints of their tables.
    pub indexes: BTreeMap<String, Object>,
    /// Triggers, by name in lower case.
    pub triggers: BTreeMap<String, Object>,
    /// Views, by name in lower case.
    pub views: BTreeMap<String, Object>,
}

/// A table.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name as it was written.
    pub name: String,
    /// The CREATE statement; empty for shadow tables whose statement SQLite hides.
    pub sql: String,
    /// Ordinary, virtual or shadow.
    pub kind: TableKind,
    /// WITHOUT ROWID.
    pub without_rowid: bool,
    /// STRICT.
    pub strict: bool,
    /// AUTOINCREMENT.
    pub autoincrement: bool,
    /// Columns in order, generated ones too; hidden columns of virtual tables are left out.
    pub columns: Vec<Column>,
    /// Columns of the primary key in key order.
    pub primary_key: Vec<String>,
    /// The column that is the rowid, where there is an INTEGER PRIMARY KEY.
    pub rowid_alias: Option<String>,
    /// UNIQUE constraints and complete unique indexes over plain columns, the primary key excluded.
    pub uniques: Vec<Unique>,
    /// Foreign keys in order of declaration.
    pub foreign_keys: Vec<ForeignKey>,
    /// The expressions of its CHECK constraints, white space folded.
    pub checks: Vec<String>,
    /// What its constraints do where a row breaks them, as far as it is written down.
    pub conflicts: Vec<Conflict>,
    /// Root page of its b-tree; 0 for virtual tables.
    pub root_page: u32,
    /// Of a full-text table that indexes the rows of another table or view and keeps none of its own: that one.
    pub content: Option<String>,
}

/// What a table is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableKind {
    /// A table with rows of its own.
    Ordinary,
    /// A virtual table of this module.
    Virtual(String),
    /// A table in which a virtual table keeps its content.
    Shadow,
    /// `sqlite_sequence`, `sqlite_stat1` and their like.
    Internal,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its name as it was written.
    pub name: String,
    /// The declared type; empty where there is none.
    pub declared_type: String,
    /// NOT NULL.
    pub not_null: bool,
    /// The DEFAULT as it was written.
    pub default: Option<String>,
    /// GENERATED, virtual or stored.
    pub generated: bool,
    /// The expression of a GENERATED column, tokens separated by one space.
    pub expression: Option<String>,
    /// The collation in capitals; none where it is BINARY.
    pub collation: Option<String>,
}

/// A UNIQUE constraint or index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unique {
    /// Name of the index; SQLite makes one up for a constraint.
    pub index: String,
    /// Its columns in order.
    pub columns: Vec<String>,
    /// Whether it is a constraint of the CREATE TABLE.
    pub constraint: bool,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKey {
    /// Columns of this table.
    pub columns: Vec<String>,
    /// The parent table as it was written.
    pub parent: String,
    /// Columns of the parent; empty where its primary key is meant.
    pub parent_columns: Vec<String>,
    /// `CASCADE`, `SET NULL`, `SET DEFAULT`, `RESTRICT`, `NO ACTION`.
    pub on_delete: String,
    /// The same for updates.
    pub on_update: String,
    /// DEFERRABLE INITIALLY DEFERRED: checked when the transaction ends.
    pub deferred: bool,
}

/// The ON CONFLICT clause of a constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// `NOT NULL`, `PRIMARY KEY` or `UNIQUE`.
    pub constraint: &'static str,
    /// Its columns in order.
    pub columns: Vec<String>,
    /// `ABORT`, `FAIL`, `IGNORE`, `REPLACE` or `ROLLBACK`.
    pub action: String,
}

/// An index, a trigger or a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its name as it was written.
    pub name: String,
    /// The table it belongs to; of a view its own name.
    pub table: String,
    /// The CREATE statement.
    pub sql: String,
}

/// Tables of Cloudflare's own, which no app can read.
const CLOUDFLARE: [&str; 2] = ["_cf_METADATA", "_cf_KV"];
/// Tables that a tool keeps beside its ledger: the ledger, and the other one.
const BESIDE: [(&str, &str); 7] = [
    ("knex_migrations", "knex_migrations_lock"),
    ("kysely_migration", "kysely_migration_lock"),
    ("schema_migrations", "ar_internal_metadata"),
    ("DATABASECHANGELOG", "DATABASECHANGELOGLOCK"),
    ("_yoyo_migration", "_yoyo_log"),
    ("_yoyo_migration", "_yoyo_version"),
    ("_yoyo_migration", "yoyo_lock"),
];

/// Whether a table is the tool's own: its ledger, or what it keeps beside it.
pub(crate) fn is_bookkeeping(table: &str, ledger: &str) -> bool {
    let is_it = |name: &&str| table.eq_ignore_ascii_case(name);
    let is_beside = |(of, name): &(&str, &str)| of.eq_ignore_ascii_case(ledger) && is_it(name);
    is_it(&ledger) || CLOUDFLARE.iter().any(is_it) || BESIDE.iter().any(is_beside)
}

impl Schema {
    /// Reads the schema.
    ///
    /// # Errors
    /// When SQLite cannot read it: a corrupt database.
    pub fn read(connection: &rusqlite::Connection) -> rusqlite::Result<Self> {
        expansion::check(connection)?;
        read::schema(connection)
    }

    /// The table of this name, in any case.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(&name.to_ascii_lowercase())
    }

    /// The tables that are the user's: ordinary and virtual ones, those of the tool that keeps `ledger` excluded; in order of name.
    pub fn user_tables<'a>(&'a self, ledger: &'a str) -> impl Iterator<Item = &'a Table> {
        self.tables.values().filter(move |table| table.is_user_table() && !is_bookkeeping(&table.name, ledger))
    }

    /// The foreign keys that point to this table, with the table that they belong to.
    pub fn references_to<'a>(&'a self, parent: &'a str) -> impl Iterator<Item = (&'a Table, &'a ForeignKey)> {
        self.tables.values().flat_map(move |table| {
            table
                .foreign_keys
                .iter()
                .filter(move |key| key.parent.eq_ignore_ascii_case(parent))
                .map(move |key| (table, key))
        })
    }
}

impl Table {
    /// Whether its rows are the user's.
    #[must_use]
    pub fn is_user_table(&self) -> bool {
        matches!(self.kind, TableKind::Ordinary | TableKind::Virtual(_))
    }

    /// Whether what it shows is kept by others: the rows that a full-text table indexes, its words, the pages of the file.
    #[must_use]
    pub fn shows_others(&self) -> bool {
        const MODULES: [&str; 4] = ["dbstat", "fts5vocab", "fts4aux", "fts3tokenize"];
        let derived = matches!(&self.kind, TableKind::Virtual(module) if MODULES.contains(&module.as_str()));
        derived || self.content.is_some()
    }

    /// Whether it is a full-text table that keeps no text (`content=''`): its rows read as NULLs, whatever its index holds.
    #[must_use]
    pub fn is_contentless(&self) -> bool {
        matches!(self.kind, TableKind::Virtual(_))
            && read::external_content(&self.sql).is_some_and(|name| name.is_empty())
    }

    /// The column of this name, in any case.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// A name of the rowid that no column hides; none where there is no rowid.
    #[must_use]
    pub fn rowid_name(&self) -> Option<&'static str> {
        let free = |name: &&str| self.column(name).is_none();
        ["rowid", "_rowid_", "oid"].into_iter().find(free).filter(|_| !self.without_rowid)
    }
}

impl ForeignKey {
    /// `posts.user_id` or `posts.(a, b)`.
    #[must_use]
    pub fn describe(&self, table: &str) -> String {
        match self.columns.as_slice() {
            [column] => format!("{table}.{column}"),
            columns => format!("{table}.({})", columns.join(", ")),
        }
    }
}
