//! One SQL statement of a migration: its text, its place, and what it says about tables and columns.

mod reader;
mod redaction;
#[cfg(test)]
mod tests;

pub use redaction::redact;

use super::directive::Renamed;
use reader::Reader;

/// A statement and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The text without the leading comments and white space and without the final semicolon.
    pub sql: String,
    /// Line of the file on which the text begins, from 1.
    pub line: u32,
    /// Column on which it begins, in characters, from 1.
    pub column: u32,
    /// What it does, as far as its words say.
    pub action: Action,
    /// Columns of its table that a directive beside it calls renamed.
    pub renamed: Vec<Renamed>,
}

impl Statement {
    /// Reads a statement whose text begins at this place of its file.
    #[must_use]
    pub fn new(sql: &str, line: u32, column: u32) -> Self {
        Self { sql: sql.to_owned(), line, column, action: Reader::new(sql).action(), renamed: Vec::new() }
    }

    /// Whether the object that it creates, drops, alters or writes is said to be temporary: `CREATE TEMP …` or `temp.name`.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        let mut reader = Reader::new(&self.sql);
        reader.action();
        reader.is_temporary()
    }

    /// The table that it makes, alters or writes, as it is called afterwards; none where it is about no table.
    #[must_use]
    pub fn table(&self) -> Option<&str> {
        match &self.action {
            Action::RenameTable { to, .. } => Some(to),
            Action::Insert(insert) => Some(&insert.table),
            Action::CreateTable { table, .. }
            | Action::DropTable { table }
            | Action::RenameColumn { table, .. }
            | Action::AddColumn { table, .. }
            | Action::DropColumn { table, .. }
            | Action::AlterOther { table }
            | Action::Update { table, .. }
            | Action::Delete { table, .. } => Some(table),
            _ => None,
        }
    }

    /// The statement on one line of at most `width` characters, for a person to recognise it by. No value that it writes
    /// is in it: literals are `'…'` and `x'…'`, comments are left out.
    #[must_use]
    pub fn excerpt(&self, width: usize) -> String {
        redaction::excerpt(&self.sql, width)
    }
}

/// What a statement does, as far as its words say. Names are unquoted; a schema prefix such as `main.` is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `CREATE TABLE`, also `… AS SELECT`.
    CreateTable {
        /// The new table.
        table: String,
        /// The one table that `AS SELECT` reads, where there is one.
        source: Option<String>,
        /// The tables that the arms of a compound `AS SELECT` read.
        united: Vec<Arm>,
    },
    /// `DROP TABLE`.
    DropTable {
        /// The table that goes.
        table: String,
    },
    /// `ALTER TABLE table RENAME TO to`.
    RenameTable {
        /// The old name.
        table: String,
        /// The new name.
        to: String,
    },
    /// `ALTER TABLE table RENAME [COLUMN] column TO to`.
    RenameColumn {
        /// The table.
        table: String,
        /// The column's old name.
        column: String,
        /// The column's new name.
        to: String,
    },
    /// `ALTER TABLE table ADD [COLUMN] column`; `not_null` without `has_default` fails on a table with rows.
    AddColumn {
        /// The table.
        table: String,
        /// The new column.
        column: String,
        /// Has `NOT NULL`.
        not_null: bool,
        /// Has a `DEFAULT` other than NULL.
        has_default: bool,
        /// Is computed: `[GENERATED ALWAYS] AS (…)`.
        generated: bool,
    },
    /// `ALTER TABLE table DROP [COLUMN] column`.
    DropColumn {
        /// The table.
        table: String,
        /// The column that goes.
        column: String,
    },
    /// Any other `ALTER TABLE`, for example libSQL's `ALTER COLUMN`.
    AlterOther {
        /// The table.
        table: String,
    },
    /// `INSERT` or `REPLACE`.
    Insert(Insert),
    /// `UPDATE table SET column = …`.
    Update {
        /// The table that is written.
        table: String,
        /// The columns that are set, in order.
        columns: Vec<String>,
        /// `OR IGNORE`, `OR REPLACE`, ….
        conflict: Option<Conflict>,
        /// Has a WHERE of its own, not only in a subquery.
        has_where: bool,
    },
    /// `DELETE FROM table`.
    Delete {
        /// The table that is written.
        table: String,
        /// Has a WHERE of its own, not only in a subquery.
        has_where: bool,
    },
    /// `CREATE INDEX name ON table`.
    CreateIndex {
        /// The index.
        name: String,
        /// The table that it is on.
        table: String,
        /// Is `UNIQUE`.
        unique: bool,
    },
    /// `DROP INDEX name`.
    DropIndex {
        /// The index.
        name: String,
    },
    /// `CREATE TRIGGER name … ON table`.
    CreateTrigger {
        /// The trigger.
        name: String,
        /// The table or view that it is on.
        table: String,
    },
    /// `DROP TRIGGER name`.
    DropTrigger {
        /// The trigger.
        name: String,
    },
    /// `CREATE VIEW name`.
    CreateView {
        /// The view.
        name: String,
    },
    /// `DROP VIEW name`.
    DropView {
        /// The view.
        name: String,
    },
    /// `CREATE VIRTUAL TABLE table USING module`.
    CreateVirtualTable {
        /// The new table.
        table: String,
        /// The module that makes it.
        module: String,
    },
    /// `PRAGMA name`, with the value of `= value` or `(value)`, both unquoted and in lower case.
    Pragma {
        /// The pragma.
        name: String,
        /// The value, a number with its sign.
        value: Option<String>,
    },
    /// `BEGIN`.
    Begin,
    /// `COMMIT` or `END`.
    Commit,
    /// `ROLLBACK`, not `ROLLBACK TO`.
    Rollback,
    /// `SAVEPOINT`, `RELEASE`, `ROLLBACK TO`.
    Savepoint,
    /// `VACUUM`.
    Vacuum,
    /// `ATTACH` or `DETACH`.
    Attach,
    /// `SELECT`, `VALUES`, `EXPLAIN`, `ANALYZE`, `REINDEX`, `WITH … SELECT`.
    Read,
    /// Words that SQLite's grammar does not begin a statement with, or that lack the name they should have.
    Unknown,
}

impl Action {
    /// Whether its words do not tell what becomes of the tables: they could not be read, or they write SQLite's own schema
    /// table.
    #[must_use]
    pub fn is_opaque(&self) -> bool {
        let table = match self {
            Self::Unknown => return true,
            Self::Insert(Insert { table, .. }) | Self::Update { table, .. } | Self::Delete { table, .. } => table,
            _ => return false,
        };
        ["sqlite_schema", "sqlite_master"].iter().any(|name| table.eq_ignore_ascii_case(name))
    }

    /// The table of which it writes rows, where it does nothing else.
    #[must_use]
    pub fn written_rows(&self) -> Option<&str> {
        match self {
            Self::Insert(insert) => Some(&insert.table),
            Self::Update { table, .. } | Self::Delete { table, .. } => Some(table),
            _ => None,
        }
    }

    /// Whether it writes rows or the schema.
    #[must_use]
    pub fn writes(&self) -> bool {
        !matches!(
            self,
            Self::Pragma { .. }
                | Self::Begin
                | Self::Commit
                | Self::Rollback
                | Self::Savepoint
                | Self::Vacuum
                | Self::Attach
                | Self::Read
                | Self::Unknown
        )
    }
}

/// `INSERT [OR conflict] INTO table [(columns)] source`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insert {
    /// The table that is written.
    pub table: String,
    /// The column list; empty where there is none.
    pub columns: Vec<String>,
    /// `OR IGNORE`, `OR REPLACE`, …; `REPLACE INTO` is `Conflict::Replace`.
    pub conflict: Option<Conflict>,
    /// Has an `ON CONFLICT` clause.
    pub upsert: bool,
    /// The `SELECT` that feeds it, where it is one.
    pub select: Option<Select>,
}

/// The `SELECT` of an `INSERT … SELECT`, as far as it is simple.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Select {
    /// The one table in FROM; none where there are several, a subquery, a compound or a name that WITH defines.
    pub from: Option<String>,
    /// Every table named in a FROM or JOIN of it, its subqueries and its WITH, in order; not the names that WITH defines.
    pub tables: Vec<String>,
    /// The result columns, in order.
    pub items: Vec<SelectItem>,
    /// Whether there is a WHERE, LIMIT, GROUP BY, HAVING, DISTINCT, UNION (without ALL), EXCEPT or INTERSECT, so that
    /// fewer rows may come out.
    pub filtered: bool,
    /// Whether there is a join or a comma in FROM.
    pub joined: bool,
    /// Where `from` is none: the parts of a UNION that each read one table, in order, and what reads one table through a WITH.
    pub arms: Vec<Arm>,
}

/// One part of a compound `SELECT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arm {
    /// The one table that it reads.
    pub from: String,
    /// Its result columns, in order.
    pub items: Vec<SelectItem>,
}

/// One result column of a `SELECT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectItem {
    /// `*` or `t.*`.
    Star,
    /// A bare or quoted column name, without its table.
    Column {
        /// The name.
        name: String,
        /// Written `"so"` and without a table, so that SQLite may take it as a string where there is no such column.
        double_quoted: bool,
    },
    /// Any other expression.
    Expression {
        /// The expression as written, without its alias.
        sql: String,
        /// The names in it that may be columns, each once, in order.
        columns: Vec<String>,
    },
}

/// The conflict clause of a writing statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conflict {
    /// `OR IGNORE`.
    Ignore,
    /// `OR REPLACE` or `REPLACE INTO`.
    Replace,
    /// `OR ABORT`, `OR FAIL`, `OR ROLLBACK`.
    Stop,
}
