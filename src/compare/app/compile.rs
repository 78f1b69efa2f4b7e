//! One state of the database, on which queries are compiled.

use std::cell::RefCell;
use std::collections::BTreeSet;

use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::hooks::{AuthContext, Authorization};
use rusqlite::types::Null;
use rusqlite::{Connection, ErrorCode, Result};

use super::{Settings, insert};
use crate::execution::{error_message, strings};
use crate::schema::expansion::Views;
use crate::snapshot::{Judgement, Reach, judge};

/// Functions and collations of the app that are stood in for.
const MOST_STAND_INS: usize = 1_000;
const NO_FUNCTION: &str = "no such function: ";
const NO_COLLATION: &str = "no such collation sequence: ";

/// A state.
pub(super) struct Side {
    pub connection: Connection,
    views: Views,
    settings: Settings,
    /// The functions and collations that have a stand-in, by what SQLite says without it.
    stand_ins: RefCell<BTreeSet<String>>,
}

/// What SQLite makes of a query.
pub(super) struct Compiled {
    /// Names of the result columns.
    pub columns: Vec<String>,
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
pub(super) fn configure(connection: &Connection, settings: Settings) -> Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, settings.strings.dml)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, settings.strings.ddl)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, settings.foreign_keys)?;
    Ok(())
}

impl Side {
    pub fn on(mut connection: Connection, settings: Settings) -> Result<Self> {
        configure(&connection, settings)?;
        let views = Views::read(&connection)?;
        connection.authorizer(Some(|context: AuthContext<'_>| match judge(&context.action, &Reach::Nothing) {
            Judgement::Allowed => Authorization::Allow,
            Judgement::WithoutEffect => Authorization::Ignore,
            Judgement::Refused(_) => Authorization::Deny,
        }))?;
        Ok(Self { connection, views, settings, stand_ins: RefCell::default() })
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
        let columns = self.prepared(sql).map_err(|error| failure(&error))?;
        let plan = self.plan(sql).map_err(|error| failure(&error))?;
        Ok(Compiled { columns, plan })
    }

    /// The double-quoted names of a query that compiles which are read as strings.
    pub fn strings(&self, sql: &str) -> Vec<String> {
        strings(&self.connection, sql, self.settings.strings, || true)
    }

    /// The names of the result columns.
    fn prepared(&self, sql: &str) -> Result<Vec<String>> {
        loop {
            match self.connection.prepare(sql) {
                Ok(statement) => return Ok(statement.column_names().map(str::to_owned).collect()),
                Err(error) => {
                    if !self.stand_in(&error)? {
                        return Err(error);
                    }
                }
            }
        }
    }

    /// Adds the function or the collation that SQLite lacks; false where it lacks none, or has it already.
    fn stand_in(&self, error: &rusqlite::Error) -> Result<bool> {
        let (rusqlite::Error::SqlInputError { msg, .. } | rusqlite::Error::SqliteFailure(_, Some(msg))) = error else {
            return Ok(false);
        };
        let (function, collation) = (msg.split_once(NO_FUNCTION), msg.split_once(NO_COLLATION));
        if function.or(collation).is_none() {
            return Ok(false);
        }
        let mut known = self.stand_ins.borrow_mut();
        if known.len() >= MOST_STAND_INS || !known.insert(msg.clone()) {
            return Ok(false);
        }
        let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
        if let Some((_, name)) = function {
            self.connection.create_scalar_function(name, -1, flags, |_| Ok(Null))?;
        } else if let Some((_, name)) = collation {
            self.connection.create_collation(name, str::cmp)?;
        }
        Ok(true)
    }

    /// The plan. That an INSERT looks for rows which refer to the new one stands in it, but is passed over when it runs, as long as no
    /// reference is broken (`OP_FkIfZero`); so it is left out.
    fn plan(&self, sql: &str) -> Result<Vec<String>> {
        if !self.settings.foreign_keys || !insert::only_adds(sql) {
            return self.explained(sql);
        }
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, false)?;
        let plan = self.explained(sql);
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
        plan
    }

    fn explained(&self, sql: &str) -> Result<Vec<String>> {
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
