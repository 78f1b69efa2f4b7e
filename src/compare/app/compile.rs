//! One state of the database, on which queries are compiled.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::Null;
use rusqlite::{Connection, ErrorCode, Result};

use crate::execution::driver::DoubleQuoted;
use crate::execution::error_message;
use crate::schema::expansion::Views;
use crate::snapshot::{Judgement, Reach, judge};

/// Functions of the app that are stood in for.
const MOST_STAND_INS: usize = 1_000;
const NO_FUNCTION: &str = "no such function: ";

/// A state.
pub(super) struct Side {
    pub connection: Connection,
    views: Views,
    /// The columns that the query reads which is being compiled.
    reads: Arc<Mutex<BTreeSet<String>>>,
    /// The functions that have a stand-in.
    stand_ins: RefCell<BTreeSet<String>>,
}

/// What SQLite makes of a query.
pub(super) struct Compiled {
    /// Names of the result columns.
    pub columns: Vec<String>,
    /// Names of the columns that it reads, in lower case.
    pub reads: BTreeSet<String>,
    /// The lines of EXPLAIN QUERY PLAN.
    pub plan: Vec<String>,
}

/// Why there is nothing.
pub(super) enum Failure {
    /// SQLite refuses the query.
    Refused(String),
    /// Something else is wrong.
    Unknown(String),
}

/// As the driver has it.
pub(super) fn configure(connection: &Connection, strings: DoubleQuoted) -> Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, strings.dml)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, strings.ddl)?;
    Ok(())
}

impl Side {
    pub fn on(mut connection: Connection, strings: DoubleQuoted) -> Result<Self> {
        configure(&connection, strings)?;
        let views = Views::read(&connection)?;
        let reads = Arc::new(Mutex::new(BTreeSet::new()));
        let noted = Arc::clone(&reads);
        connection.authorizer(Some(move |context: AuthContext<'_>| {
            if let AuthAction::Read { column_name, .. } = context.action {
                noted.lock().unwrap_or_else(PoisonError::into_inner).insert(column_name.to_ascii_lowercase());
            }
            match judge(&context.action, &Reach::Nothing) {
                Judgement::Allowed => Authorization::Allow,
                Judgement::WithoutEffect => Authorization::Ignore,
                Judgement::Refused(_) => Authorization::Deny,
            }
        }))?;
        Ok(Self { connection, views, reads, stand_ins: RefCell::default() })
    }

    /// Compiles a query, and asks how it would be run.
    pub fn compile(&self, sql: &str) -> std::result::Result<Compiled, Failure> {
        if self.views.make_too_large(sql) {
            return Err(Failure::Unknown(
                "the views and the names of WITH in it are made of too many others".to_owned(),
            ));
        }
        let failure = |error: &rusqlite::Error| {
            let message = error_message(error, sql, &self.connection);
            match error.sqlite_error_code() {
                Some(
                    ErrorCode::OperationInterrupted
                    | ErrorCode::OutOfMemory
                    | ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::SystemIoFailure,
                ) => Failure::Unknown(message),
                _ => Failure::Refused(message),
            }
        };
        let (columns, reads) = self.prepared(sql).map_err(|error| failure(&error))?;
        let plan = self.plan(sql).map_err(|error| failure(&error))?;
        Ok(Compiled { columns, reads, plan })
    }

    fn prepared(&self, sql: &str) -> Result<(Vec<String>, BTreeSet<String>)> {
        loop {
            self.reads.lock().unwrap_or_else(PoisonError::into_inner).clear();
            match self.connection.prepare(sql) {
                Ok(statement) => {
                    let columns = statement.column_names().map(str::to_owned).collect();
                    let reads = std::mem::take(&mut *self.reads.lock().unwrap_or_else(PoisonError::into_inner));
                    return Ok((columns, reads));
                }
                Err(error) => {
                    if !self.stand_in(&error)? {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Adds the function that SQLite lacks; false where it lacks none, or has it already.
    fn stand_in(&self, error: &rusqlite::Error) -> Result<bool> {
        let rusqlite::Error::SqlInputError { msg, .. } = error else { return Ok(false) };
        let Some((_, name)) = msg.split_once(NO_FUNCTION) else { return Ok(false) };
        let mut known = self.stand_ins.borrow_mut();
        if known.len() >= MOST_STAND_INS || !known.insert(name.to_owned()) {
            return Ok(false);
        }
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        self.connection.create_scalar_function(name, -1, flags, |_| Ok(Null))?;
        Ok(true)
    }

    fn plan(&self, sql: &str) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        statement.raw_query().mapped(|row| row.get::<_, String>(3)).collect()
    }

    /// Whether there is an index of this name.
    pub fn has_index(&self, index: &str) -> bool {
        let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND name = ?1 COLLATE NOCASE";
        self.connection.query_row(sql, [index], |row| row.get::<_, i64>(0)).is_ok_and(|indexes| indexes > 0)
    }

    /// Whether ANALYZE has left something of the table.
    pub fn has_statistics(&self, table: &str) -> bool {
        let sql = "SELECT count(*) FROM sqlite_stat1 WHERE tbl = ?1 COLLATE NOCASE";
        self.connection.query_row(sql, [table], |row| row.get::<_, i64>(0)).is_ok_and(|lines| lines > 0)
    }
}
