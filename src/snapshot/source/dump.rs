//! Makes of an SQL dump the database that `sqlite3 new.db < dump.sql` makes of it, and stops where the shell would go on: a
//! database that lacks a part would lead to a wrong verdict.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, ffi};

use super::statements::{Cut, Kind, Statements};
use super::{dialect, unreadable};
use crate::error::{Doing, Error};
use crate::schema::lexer::{Token, TokenKind, tokens_of_bytes};
use crate::schema::message::without_value;
use crate::snapshot::confinement::{Reach, confine};
use crate::snapshot::location::opening;
use crate::snapshot::{connection, space};
use crate::units::in_words;

const LOAD_IT: &str = "load it with the shell itself, and name the database that it makes: `sqlite3 new.db < FILE`";

/// The bytes of SQL after which the free space is looked at again.
const SPACE_IS_CHECKED_EVERY: usize = 4 << 20;

/// The steps of SQLite's machine after which it is looked at within one statement.
const STEPS: i32 = 100_000;

/// How long one statement may run. What `sqlite3` writes into a dump is done at once, but for an index of a large table.
pub(super) const LONGEST: Duration = Duration::from_mins(10);

/// Fills the new database `to`, with no statement that runs longer than `longest`. `given` is what the person calls the dump. Gives whether the dump says where it ends: whether it is
/// in a transaction.
///
/// # Errors
/// What does not run names its line; no value of a row is in it.
pub(super) fn import(
    dump: impl Read,
    to: &Path,
    workspace: &Path,
    given: &Path,
    longest: Duration,
) -> Result<bool, Error> {
    let deadline = Arc::new(Mutex::new(None));
    let connection = empty(to, workspace, &deadline).doing(|| doing(given))?;
    let mut import = Import {
        connection,
        given,
        workspace: workspace.to_path_buf(),
        longest,
        deadline,
        own_transaction: false,
        begun: None,
        ran: 0,
        unchecked: 0,
    };
    let mut statements = Statements::of(dump);
    while let Some(cut) = statements.next().map_err(|error| unreadable(given, &error))? {
        import.run(cut)?;
    }
    import.finish(statements.line())
}

/// When the statement under way is ended; none where it may take its time.
type Deadline = Arc<Mutex<Option<Instant>>>;

struct Import<'a> {
    connection: Connection,
    given: &'a Path,
    workspace: PathBuf,
    longest: Duration,
    deadline: Deadline,
    /// A transaction that is not the dump's is open, because one for all statements is faster than one for each.
    own_transaction: bool,
    /// The line of the dump's BEGIN.
    begun: Option<u64>,
    /// How many statements ran.
    ran: u64,
    /// Bytes of SQL since the free space was looked at.
    unchecked: usize,
}

/// A database as the shell opens it, without what makes it safe from a crash: the file is thrown away then.
fn empty(to: &Path, workspace: &Path, deadline: &Deadline) -> Result<Connection, Box<dyn std::error::Error>> {
    File::create_new(to)?;
    let mut connection = connection::private(to)?;
    connection.execute_batch("PRAGMA journal_mode = off; PRAGMA synchronous = off; PRAGMA cache_size = -65536")?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, true)?;
    confine(&mut connection, Reach::Definitions)?;
    let (workspace, deadline) = (workspace.to_path_buf(), Arc::clone(deadline));
    let is_late = move || {
        let deadline = *deadline.lock().unwrap_or_else(PoisonError::into_inner);
        deadline.is_some_and(|deadline| Instant::now() >= deadline)
    };
    connection.progress_handler(STEPS, Some(move || is_late() || !space::is_left(&workspace)))?;
    Ok(connection)
}

impl Import<'_> {
    fn run(&mut self, cut: Cut<'_>) -> Result<(), Error> {
        let words = first_words(cut.sql);
        let first = words[0].as_str();
        match cut.kind {
            Kind::DotCommand if is_defensive_off(cut.sql) => return Ok(()),
            Kind::DotCommand => return Err(self.dot_command(cut)),
            Kind::Unfinished => {
                let begun = beginning(cut.sql).map_or("a statement".to_owned(), |begun| format!("`{begun}`"));
                return Err(self.cut_off(format_args!("it ends within {begun}, which begins on line {}", cut.line)));
            }
            Kind::Statement => {}
        }
        if first == "ROLLBACK" {
            return Err(self
                .refused(cut.line, "it takes back what it holds: `sqlite3` writes ROLLBACK under a dump that it met errors in")
                .hint("the database that it was made of is damaged: look at it with `PRAGMA integrity_check`, save what is left with `.recover`"));
        }
        self.check_space(cut.sql.len())?;
        self.ends_at(None);
        self.in_a_transaction(first, cut)?;
        if first == "BEGIN" {
            self.begun = Some(cut.line);
        }
        let sql = text(cut.sql, first, &self.connection).map_err(|cause| self.error(cut.line, cause))?;
        let is_index = first == "CREATE" && ["INDEX", "UNIQUE"].contains(&words[1].as_str());
        self.ends_at(if is_index { None } else { Instant::now().checked_add(self.longest) });
        execute(&self.connection, &sql).map_err(|error| self.failure(&error, cut))?;
        self.ran += 1;
        Ok(())
    }

    /// Begins a transaction where the dump has none, and ends it before what wants none.
    fn in_a_transaction(&mut self, first: &str, cut: Cut<'_>) -> Result<(), Error> {
        let alone = ["BEGIN", "COMMIT", "END", "PRAGMA", "VACUUM", "SAVEPOINT", "RELEASE", "ATTACH", "DETACH"];
        let wanted = !alone.contains(&first);
        let done = match (self.own_transaction, wanted) {
            (true, false) => execute(&self.connection, "COMMIT"),
            (false, true) if self.connection.is_autocommit() => execute(&self.connection, "BEGIN"),
            _ => return Ok(()),
        };
        self.own_transaction = wanted;
        done.map_err(|error| self.failure(&error, cut))
    }

    fn ends_at(&self, deadline: Option<Instant>) {
        *self.deadline.lock().unwrap_or_else(PoisonError::into_inner) = deadline;
    }

    fn check_space(&mut self, bytes: usize) -> Result<(), Error> {
        self.unchecked += bytes;
        if self.unchecked < SPACE_IS_CHECKED_EVERY {
            return Ok(());
        }
        self.unchecked = 0;
        if space::is_left(&self.workspace) { Ok(()) } else { Err(self.full()) }
    }

    /// Ends on this line; refuses what is only a part.
    fn finish(self, last_line: u64) -> Result<bool, Error> {
        if self.ran == 0 {
            return Err(opening(self.given, "it has no statement, only comments").rule("SN904"));
        }
        self.ends_at(None);
        if self.own_transaction {
            execute(&self.connection, "COMMIT").doing(|| doing(self.given))?;
        }
        if !self.connection.is_autocommit() {
            let begin = self.begun.map(|line| format!(" of line {line}")).unwrap_or_default();
            return Err(self.cut_off(format_args!("it ends on line {last_line} without a COMMIT for the BEGIN{begin}")));
        }
        let objects = "SELECT count(*) FROM sqlite_schema";
        let objects: i64 = self.connection.query_row(objects, [], |row| row.get(0)).doing(|| doing(self.given))?;
        if self.begun.is_none() && objects == 0 {
            return Err(self.cut_off(format_args!("it ends on line {last_line}, and creates nothing")));
        }
        let marked = self.begun.is_some();
        self.connection.close().map_err(|(_, error)| error).doing(|| doing(self.given))?;
        Ok(marked)
    }

    fn error(&self, line: u64, cause: impl std::fmt::Display) -> Error {
        opening(self.given, format!("line {line}: {cause}"))
    }

    fn refused(&self, line: u64, cause: impl std::fmt::Display) -> Error {
        self.error(line, cause).rule("SN904")
    }

    fn cut_off(&self, how: std::fmt::Arguments<'_>) -> Error {
        opening(self.given, format!("the dump is cut off: {how}"))
            .rule("SN904")
            .hint("take the dump again; half of one would give a wrong verdict")
    }

    fn full(&self) -> Error {
        space::full(&doing(self.given), &self.workspace)
    }

    fn too_long(&self, cut: Cut<'_>) -> Error {
        let cause = format!("it did not end within {}{}", in_words(self.longest), within(cut.sql));
        self.error(cut.line, cause).hint(LOAD_IT)
    }

    fn dot_command(&self, cut: Cut<'_>) -> Error {
        let command: String = String::from_utf8_lossy(cut.sql)
            .chars()
            .take_while(|character| !character.is_whitespace())
            .take(20)
            .collect();
        self.refused(cut.line, format!("`{command}` is a command of the `sqlite3` shell, not SQL")).hint(LOAD_IT)
    }

    /// What SQLite says of a statement.
    fn failure(&self, error: &rusqlite::Error, cut: Cut<'_>) -> Error {
        let code = match error {
            rusqlite::Error::SqlInputError { error, .. } => Some(error.code),
            other => other.sqlite_error_code(),
        };
        match code {
            Some(ErrorCode::DiskFull) => return self.full(),
            Some(ErrorCode::OperationInterrupted) if !space::is_left(&self.workspace) => return self.full(),
            Some(ErrorCode::OperationInterrupted) => return self.too_long(cut),
            _ => {}
        }
        if let Some(other) = dialect::of_statement(cut.sql).filter(|_| code == Some(ErrorCode::Unknown)) {
            return dialect::refused(self.error(cut.line, dialect::cause(other)));
        }
        self.error(cut.line, format!("{}{}", shown(error, cut.sql), within(cut.sql)))
            .hint("`sqlite3` goes on behind an error; a database without this statement would give a wrong verdict")
    }
}

fn doing(given: &Path) -> String {
    format!("importing the dump `{}`", given.display())
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

/// `.recover` begins with it, and it is so anyway.
fn is_defensive_off(line: &[u8]) -> bool {
    line.trim_ascii_end() == b".dbconfig defensive off"
}

fn significant(sql: &[u8]) -> impl Iterator<Item = Token> {
    tokens_of_bytes(sql).filter(|token| !token.is_trivia())
}

/// The first two words, in capitals; empty where it is something else.
pub(super) fn first_words(sql: &[u8]) -> [String; 2] {
    let mut words = significant(sql).take(2).map(|token| match token.kind {
        TokenKind::Word => String::from_utf8_lossy(&sql[token.range()]).to_ascii_uppercase(),
        _ => String::new(),
    });
    [words.next().unwrap_or_default(), words.next().unwrap_or_default()]
}

/// The statement as far as it says what it is about and nothing of rows: `INSERT INTO "users"`. None where it begins with no word of
/// SQLite's: that may be the middle of a value.
fn beginning(sql: &[u8]) -> Option<String> {
    const WIDTH: usize = 80;
    const KNOWN: [&str; 14] = [
        "CREATE", "INSERT", "REPLACE", "UPDATE", "DELETE", "DROP", "ALTER", "PRAGMA", "SELECT", "BEGIN", "COMMIT",
        "ANALYZE", "ATTACH", "VACUUM",
    ];
    const ENDS: [&str; 7] = ["VALUES", "SELECT", "AS", "SET", "WHERE", "USING", "BEGIN"];
    let first = first_words(sql)[0].clone();
    if !KNOWN.contains(&first.as_str()) {
        return None;
    }
    let is_query = first == "SELECT";
    let mut shown = first;
    for token in significant(sql).skip(1).take_while(|_| !is_query) {
        let text = String::from_utf8_lossy(&sql[token.range()]);
        let goes_on = match token.kind {
            TokenKind::Quoted | TokenKind::Dot => true,
            TokenKind::Word => !ENDS.iter().any(|word| text.eq_ignore_ascii_case(word)),
            _ => false,
        };
        if !goes_on || shown.chars().count() + text.chars().count() > WIDTH {
            break;
        }
        if token.kind != TokenKind::Dot && !shown.ends_with('.') {
            shown.push(' ');
        }
        shown.push_str(&text);
    }
    Some(shown)
}

/// `, in …`, where that can be said.
fn within(sql: &[u8]) -> String {
    beginning(sql).map(|beginning| format!(", in `{beginning}`")).unwrap_or_default()
}

/// SQLite's message without what it may quote of rows: in a statement that is not about the schema every token may be of one.
fn shown(error: &rusqlite::Error, sql: &[u8]) -> String {
    let (message, code) = match error {
        rusqlite::Error::SqliteFailure(code, message) => {
            (message.clone().unwrap_or_else(|| code.to_string()), code.extended_code)
        }
        rusqlite::Error::SqlInputError { error, msg, .. } => (msg.clone(), error.extended_code),
        other => return without_value(&other.to_string()),
    };
    if code == ffi::SQLITE_CONSTRAINT_TRIGGER {
        return "a trigger refuses it".to_owned();
    }
    if !["CREATE", "ALTER", "DROP"].contains(&first_words(sql)[0].as_str()) {
        let quoting =
            [("near \"", "syntax error"), ("unrecognized token", "syntax error"), ("no such column", "no such column")];
        if let Some((_, shown)) = quoting.iter().find(|(beginning, _)| message.starts_with(beginning)) {
            return (*shown).to_owned();
        }
    }
    without_value(&message)
}

/// The statement as rusqlite takes it. Text that is not UTF-8 is legal in a row, and is written so that its bytes stay what they are.
fn text<'a>(sql: &'a [u8], first: &str, connection: &Connection) -> Result<Cow<'a, str>, String> {
    if let Ok(text) = std::str::from_utf8(sql) {
        return Ok(text.into());
    }
    let is_data = matches!(first, "INSERT" | "REPLACE");
    let encoding = || connection.query_row("PRAGMA encoding", [], |row| row.get::<_, String>(0));
    if !is_data || encoding().map_err(|error| error.to_string())? != "UTF-8" {
        return Err(format!("bytes that are not UTF-8{}", within(sql)));
    }
    let mut rewritten = String::with_capacity(sql.len());
    for token in tokens_of_bytes(sql) {
        let bytes = &sql[token.range()];
        match std::str::from_utf8(bytes) {
            Ok(text) => rewritten.push_str(text),
            Err(_) if token.kind == TokenKind::Comment => rewritten.push(' '),
            Err(_) if token.kind == TokenKind::String => rewritten.push_str(&as_bytes(bytes)),
            Err(_) => return Err(format!("a name that is not UTF-8{}", within(sql))),
        }
    }
    Ok(rewritten.into())
}

/// `'…'` as an expression of the same text.
fn as_bytes(literal: &[u8]) -> String {
    let mut expression = String::from("CAST(x'");
    let mut content = literal[1..literal.len() - 1].iter().peekable();
    while let Some(byte) = content.next() {
        if *byte == b'\'' {
            content.next_if_eq(&&b'\'');
        }
        let _ = write!(expression, "{byte:02x}");
    }
    expression.push_str("' AS TEXT)");
    expression
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::{LONGEST, as_bytes, beginning, import};
    use crate::error::Error;

    fn import_within(longest: Duration, dump: &str) -> Result<bool, Error> {
        let folder = tempfile::tempdir().unwrap();
        import(dump.as_bytes(), &folder.path().join("new.db"), folder.path(), Path::new("d.sql"), longest)
    }

    #[test]
    fn a_statement_that_takes_too_long_is_ended() {
        let rows = |sql: &str| format!("WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) {sql}");
        let tables = "CREATE TABLE t (a);\nCREATE TABLE a (b);\n";
        let endless = rows("INSERT INTO a SELECT count(*) FROM n;");
        for (limit, told) in [(0, "0 ms"), (1, "1 second")] {
            let error = import_within(Duration::from_secs(limit), &format!("{tables}{endless}")).unwrap_err();
            let wanted = format!("opening the snapshot `d.sql`: line 3: it did not end within {told}");
            assert_eq!(error.to_string(), wanted);
        }
        let many = rows("INSERT INTO t SELECT i FROM n LIMIT 300000;");
        assert!(import_within(LONGEST, &format!("{tables}{many}")).is_ok());
    }

    #[test]
    fn an_index_may_take_its_time() {
        let rows = (0..50_000).map(|row| format!("INSERT INTO t VALUES ({row});\n")).collect::<Vec<_>>().concat();
        for index in ["CREATE INDEX i ON t (a);", "CREATE UNIQUE INDEX i ON t (a);"] {
            assert!(import_within(Duration::ZERO, &format!("CREATE TABLE t (a);\n{rows}{index}")).is_ok());
        }
    }

    #[test]
    fn a_statement_is_named_without_its_values() {
        for (sql, named) in [
            ("INSERT INTO \"users\" VALUES(1,'secret')", Some("INSERT INTO \"users\"")),
            ("INSERT INTO main.users(a) VALUES(7)", Some("INSERT INTO main.users")),
            ("CREATE TABLE IF NOT EXISTS 'ft_data'(id)", Some("CREATE TABLE IF NOT EXISTS")),
            ("UPDATE t SET a = secret", Some("UPDATE t")),
            ("SELECT secret", Some("SELECT")),
            ("secret x", None),
            ("'secret' x", None),
        ] {
            assert_eq!(beginning(sql.as_bytes()).as_deref(), named);
        }
    }

    #[test]
    fn bytes_that_are_no_text() {
        assert_eq!(as_bytes(b"'a\xff''b'"), "CAST(x'61ff2762' AS TEXT)");
    }
}
