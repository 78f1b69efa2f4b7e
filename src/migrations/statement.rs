//! One SQL statement of a migration: its text, its place, and what it says about tables and columns.

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
}

/// What a statement does, as far as its words say. Names are unquoted; a schema prefix such as `main.` is dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// `CREATE TABLE`, also `… AS SELECT` (then `source` is the one table that it reads, where there is one).
    CreateTable { table: String, source: Option<String> },
    /// `DROP TABLE`.
    DropTable { table: String },
    /// `ALTER TABLE table RENAME TO to`.
    RenameTable { table: String, to: String },
    /// `ALTER TABLE table RENAME COLUMN column TO to`.
    RenameColumn { table: String, column: String, to: String },
    /// `ALTER TABLE table ADD COLUMN column`; `not_null` without `has_default` fails on a table with rows.
    AddColumn { table: String, column: String, not_null: bool, has_default: bool },
    /// `ALTER TABLE table DROP COLUMN column`.
    DropColumn { table: String, column: String },
    /// Any other `ALTER TABLE`, for example libSQL's `ALTER COLUMN`.
    AlterOther { table: String },
    /// `INSERT` or `REPLACE`.
    Insert(Insert),
    /// `UPDATE table SET column = …`.
    Update { table: String, columns: Vec<String>, conflict: Option<Conflict>, has_where: bool },
    /// `DELETE FROM table`.
    Delete { table: String, has_where: bool },
    /// `CREATE INDEX name ON table`.
    CreateIndex { name: String, table: String, unique: bool },
    /// `DROP INDEX name`.
    DropIndex { name: String },
    /// `CREATE TRIGGER name … ON table`.
    CreateTrigger { name: String, table: String },
    /// `DROP TRIGGER name`.
    DropTrigger { name: String },
    /// `CREATE VIEW name`.
    CreateView { name: String },
    /// `DROP VIEW name`.
    DropView { name: String },
    /// `CREATE VIRTUAL TABLE table USING module`.
    CreateVirtualTable { table: String, module: String },
    /// `PRAGMA name`, with the value of `= value` or `(value)`, both in lower case.
    Pragma { name: String, value: Option<String> },
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
    /// Words that SQLite's grammar does not begin a statement with.
    Unknown,
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
    /// The one table in FROM; none where there are several, a subquery or a compound.
    pub from: Option<String>,
    /// Every table named in a FROM or JOIN of it, in order.
    pub tables: Vec<String>,
    /// The result columns, in order.
    pub items: Vec<SelectItem>,
    /// Whether there is a WHERE, LIMIT, GROUP BY, HAVING or DISTINCT, so that fewer rows may come out.
    pub filtered: bool,
    /// Whether there is a join or a comma in FROM.
    pub joined: bool,
}

/// One result column of a `SELECT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectItem {
    /// `*` or `t.*`.
    Star,
    /// A bare or quoted column name, without its table; `double_quoted` where it was written `"so"`.
    Column { name: String, double_quoted: bool },
    /// Any other expression; `columns` are the identifiers in it that may be columns.
    Expression { sql: String, columns: Vec<String> },
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
