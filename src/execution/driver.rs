//! What a driver is: the record of how a connection library behaves while migrations run.

/// How one connection library runs migrations. The facts are those of the version named in `measured_with`.
#[derive(Debug, PartialEq, Eq)]
pub struct Driver {
    /// Its name, as drizzle-orm's entry point has it: `better-sqlite3`, `libsql`, …
    pub name: &'static str,
    /// The tools that can use it.
    pub tools: &'static [&'static str],
    /// The npm packages or Go modules whose presence speaks for it; empty for what the runtime brings along.
    pub packages: &'static [&'static str],
    /// Names of it in `drizzle-orm/<module>` imports.
    pub modules: &'static [&'static str],
    /// SQLite version that it ships; empty where that depends on the system.
    pub sqlite_version: &'static str,
    /// What it was measured with, or that it was read from its source.
    pub measured_with: &'static str,
    /// `PRAGMA foreign_keys` on a fresh connection.
    pub foreign_keys: ForeignKeys,
    /// Whether a double-quoted name that is no column is a string in queries and in definitions.
    pub double_quoted_strings: DoubleQuoted,
    /// Whether the connection is defensive: SQL cannot write `sqlite_schema` or shadow tables.
    /// Source: <https://sqlite.org/c3ref/c_dbconfig_defensive.html>.
    pub defensive: bool,
    /// Who opens the transaction and how far it reaches.
    pub transaction: Transaction,
    /// What the driver runs before the transaction.
    pub before: &'static [&'static str],
    /// What the driver runs after the transaction, also after a failure.
    pub after: &'static [&'static str],
    /// What happens to a chunk with several statements.
    pub several_statements: SeveralStatements,
    /// What happens to a chunk without a statement.
    pub empty_chunk: EmptyChunk,
    /// What happens when a migration ends or begins a transaction itself.
    pub own_transaction: OwnTransaction,
    /// What its SQLite is compiled without, of what the one of the rehearsal has.
    pub lacks: &'static [Feature],
    /// Code that keeps foreign keys off around the migrations; empty where the driver does not allow it.
    pub foreign_keys_off: &'static str,
}

/// Functions that SQLite has where it is compiled with them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    /// `sqrt`, `pow`, `floor`, … (`SQLITE_ENABLE_MATH_FUNCTIONS`).
    Math,
    /// `median`, `percentile`, … (`SQLITE_ENABLE_PERCENTILE`).
    Percentile,
    /// `geopoly_area`, … (`SQLITE_ENABLE_GEOPOLY`).
    Geopoly,
    /// `soundex` (`SQLITE_SOUNDEX`).
    Soundex,
}

impl Feature {
    /// Source: <https://sqlite.org/lang_mathfunc.html>, <https://sqlite.org/percentile.html>, <https://sqlite.org/geopoly.html>.
    fn has(self, function: &str) -> bool {
        const MATH: [&str; 29] = [
            "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "ceil", "ceiling", "cos", "cosh", "degrees",
            "exp", "floor", "ln", "log", "log10", "log2", "mod", "pi", "pow", "power", "radians", "sin", "sinh",
            "sqrt", "tan", "tanh", "trunc",
        ];
        const PERCENTILE: [&str; 4] = ["median", "percentile", "percentile_cont", "percentile_disc"];
        let is_one_of = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(function));
        match self {
            Self::Math => is_one_of(&MATH),
            Self::Percentile => is_one_of(&PERCENTILE),
            Self::Geopoly => function.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("geopoly_")),
            Self::Soundex => is_one_of(&["soundex"]),
        }
    }
}

/// `PRAGMA foreign_keys` of a fresh connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ForeignKeys {
    /// On.
    On,
    /// Off, unless the app turns them on.
    Off,
    /// On, and the pragma is accepted without effect.
    AlwaysOn,
    /// Off, and the pragma works inside a transaction too.
    OffAndPragmaAlwaysWorks,
}

/// Where `"x"` may be a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DoubleQuoted {
    /// In queries and changes of rows.
    pub dml: bool,
    /// In definitions.
    pub ddl: bool,
}

/// Who opens the transaction and how far it reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transaction {
    /// One around all pending migrations.
    AroundAll,
    /// One around all pending migrations and the creation of the ledger.
    AroundAllAndLedger,
    /// One around each migration and its record.
    AroundEach,
    /// The same, with foreign keys kept off in it where they were on; new violations take it back.
    AroundEachGuarded,
    /// One that is committed after its first statement, because the driver does not wait; the rest runs outside.
    FirstStatementOnly,
    /// None: every statement commits by itself.
    None,
}

/// What happens to a chunk with several statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SeveralStatements {
    /// The driver refuses it with this message.
    Refused(&'static str),
    /// The first one runs, the others are left out in silence.
    FirstOnly,
    /// All run.
    All,
}

/// What happens to a chunk without a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EmptyChunk {
    /// The driver refuses it with this message.
    Refused(&'static str),
    /// Nothing.
    Nothing,
}

/// What happens when a migration ends or begins a transaction itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnTransaction {
    /// It does what it says.
    Allowed,
    /// After a COMMIT the driver refuses the next statement with this message.
    ClosedAfterCommit(&'static str),
    /// BEGIN, COMMIT and SAVEPOINT are refused with this message.
    Refused(&'static str),
}

impl Driver {
    /// Whether its SQLite does not know a function that the one of the rehearsal knows.
    #[must_use]
    pub fn lacks_function(&self, name: &str) -> bool {
        self.lacks.iter().any(|feature| feature.has(name))
    }

    /// Whether it runs in Cloudflare's workerd, which lets SQL do less than SQLite does.
    #[must_use]
    pub fn is_workerd(&self) -> bool {
        matches!(self.own_transaction, OwnTransaction::Refused(_))
    }
}

impl ForeignKeys {
    /// Whether they are enforced on a fresh connection.
    #[must_use]
    pub fn on(self) -> bool {
        matches!(self, Self::On | Self::AlwaysOn)
    }
}

impl Transaction {
    /// In words, for the report.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::AroundAll => "one around all pending migrations",
            Self::AroundAllAndLedger => "one around all pending migrations and the ledger",
            Self::AroundEach => "one around each migration",
            Self::AroundEachGuarded => "one around each migration, with foreign keys off in it and checked at its end",
            Self::FirstStatementOnly => "committed after the first statement",
            Self::None => "none",
        }
    }
}

impl Transaction {
    /// Whether each migration has its own.
    #[must_use]
    pub fn is_around_each(self) -> bool {
        matches!(self, Self::AroundEach | Self::AroundEachGuarded)
    }

    /// In one word, for a table: what one transaction is around.
    #[must_use]
    pub fn around(self) -> &'static str {
        match self {
            Self::AroundAll | Self::AroundAllAndLedger => "all",
            Self::AroundEach | Self::AroundEachGuarded => "each",
            Self::FirstStatementOnly => "first",
            Self::None => "none",
        }
    }
}

impl SeveralStatements {
    /// In words, for the report.
    #[must_use]
    pub fn describe(self) -> &'static str {
        match self {
            Self::Refused(_) => "refused",
            Self::FirstOnly => "only the first runs",
            Self::All => "all run",
        }
    }
}
