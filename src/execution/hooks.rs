//! Which rows a statement writes: SQLite's pre-update hook, with the authorizer to tell triggers from foreign keys.
//!
//! This is the only module of the stage with `unsafe`. It is needed because rusqlite's safe wrapper of the pre-update hook
//! wants libclang at build time; `build.rs` compiles SQLite with the hook. A function that runs SQL on the connection that calls it
//! has no safe interface either.
#![expect(unsafe_code, reason = "the pre-update hook has no safe wrapper that builds without libclang")]

use std::collections::BTreeSet;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::ffi;
use rusqlite::functions::FunctionFlags;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::driver::Driver;
use super::steps::{By, Change};
use crate::observer::Work;
use crate::schema::lexer::{TokenKind, tokens};
use crate::snapshot::{Judgement, Reach, Refusal, Session, judge};

/// A connection on which every row that is written is counted.
pub(super) struct Recorder {
    // Declared before `counts`, so that the hook is gone before what it points to.
    session: Session,
    counts: Box<Mutex<Counts>>,
    permissions: Arc<Mutex<Permissions>>,
}

/// Rows written since the last look, by table; nested writes (depth 1 and more) apart.
#[derive(Default)]
struct Counts {
    tables: Vec<TableCounts>,
    /// Index of the table that was written last: runs of rows go to the same table.
    last: usize,
    /// Rows of all tables.
    written: u64,
    /// Where they are shown while the statement runs.
    work: Option<Arc<Work>>,
}

struct TableCounts {
    table: Box<CStr>,
    nested: bool,
    inserted: u64,
    updated: u64,
    deleted: u64,
}

/// What the statements prepared since the last look may write from within triggers, by operation and table.
#[derive(Default)]
struct Permissions {
    by_trigger: BTreeSet<(Operation, String)>,
    by_no_trigger: BTreeSet<(Operation, String)>,
    /// What the rehearsal refused last.
    refusal: Option<Refusal>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Operation {
    Insert,
    Update,
    Delete,
}

impl Recorder {
    /// Takes the connection over and begins to count, if it shall. What `driver` does not let SQL do is refused, and what the rehearsal
    /// does not.
    pub(super) fn attach(mut session: Session, driver: &'static Driver, counting: bool) -> rusqlite::Result<Self> {
        let permissions = Arc::new(Mutex::new(Permissions::default()));
        let noted = Arc::clone(&permissions);
        let is_workerd = driver.is_workerd();
        // On a defensive connection the pragma has no effect, here as in production.
        let reach = match session.reach.clone() {
            Reach::Nothing if driver.defensive => Reach::Definitions,
            reach => reach,
        };
        session.connection.authorizer(Some(move |context: AuthContext<'_>| {
            let is_lacking = matches!(context.action, AuthAction::Function { function_name } if driver.lacks_function(function_name));
            if is_lacking || is_workerd && workerd_refuses(&context.action) {
                return Authorization::Deny;
            }
            match judge(&context.action, &reach) {
                Judgement::Allowed => note(&noted, &context),
                Judgement::WithoutEffect => return Authorization::Ignore,
                Judgement::Refused(refusal) => {
                    lock(&noted).refusal = Some(refusal);
                    return Authorization::Deny;
                }
            }
            Authorization::Allow
        }))?;
        let counts = Box::new(Mutex::new(Counts::default()));
        if counting {
            let context: *const Mutex<Counts> = &raw const *counts;
            // SAFETY: the handle is that of a connection which this value owns; `counts` is boxed, so its address stays, and it
            // outlives the connection by the order of the fields; the callback only forms a shared reference to the mutex.
            unsafe {
                ffi::sqlite3_preupdate_hook(session.connection.handle(), Some(count_row), context.cast_mut().cast());
            }
        }
        Ok(Self { session, counts, permissions })
    }

    /// The connection.
    pub(super) fn connection(&self) -> &Connection {
        &self.session.connection
    }

    /// The bytes that the copy may hold, where it would have been more.
    pub(super) fn overflow(&self) -> Option<u64> {
        self.session.overflow()
    }

    /// What the rehearsal refused since the last call.
    pub(super) fn take_refusal(&self) -> Option<Refusal> {
        lock(&self.permissions).refusal.take()
    }

    /// Shows from now on in this work how many rows the statement under way has written.
    pub(super) fn show_in(&self, work: Arc<Work>) {
        lock(&self.counts).work = Some(work);
    }

    /// Forgets what was counted so far.
    pub(super) fn forget(&self) {
        drop(self.take());
    }

    /// What was written since the last call, in order of table and actor.
    ///
    /// Nested writes come from triggers or from foreign keys. The authorizer saw, when the statement was prepared, which tables
    /// a trigger would write; what else writes a table is the statement itself or a foreign key, and only a table with such an
    /// action can be written by one. Where a trigger and a foreign key of one statement write the same table in the same way,
    /// SQLite does not tell them apart, and the rows are counted as the foreign key's.
    pub(super) fn take(&self) -> Vec<Change> {
        let counts = lock(&self.counts).take();
        let permissions = std::mem::take(&mut *lock(&self.permissions));
        let mut changes: Vec<Change> = Vec::new();
        for counted in counts {
            let table = counted.table.to_string_lossy().into_owned();
            for (operation, rows) in [
                (Operation::Insert, counted.inserted),
                (Operation::Update, counted.updated),
                (Operation::Delete, counted.deleted),
            ] {
                if rows > 0 {
                    let by = if counted.nested {
                        permissions.nested_actor(operation, &table, || self.foreign_key_may(operation, &table))
                    } else {
                        By::Statement
                    };
                    add(&mut changes, &table, by, operation, rows);
                }
            }
        }
        changes.sort();
        changes
    }

    /// Whether a foreign key of this table writes it in this way. A table that is no longer there may have had one.
    fn foreign_key_may(&self, operation: Operation, table: &str) -> bool {
        let enforced = self.connection().db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY).unwrap_or(true);
        if operation == Operation::Insert || !enforced {
            return false;
        }
        let acts = match operation {
            Operation::Delete => "on_delete = 'CASCADE'",
            _ => "on_delete IN ('SET NULL', 'SET DEFAULT') OR on_update IN ('CASCADE', 'SET NULL', 'SET DEFAULT')",
        };
        let sql = format!(
            "SELECT NOT EXISTS (SELECT 1 FROM pragma_table_xinfo(?1)) \
             OR EXISTS (SELECT 1 FROM pragma_foreign_key_list(?1) WHERE {acts})"
        );
        self.connection().query_row(&sql, [table], |row| row.get(0)).unwrap_or(true)
    }
}

impl Permissions {
    fn nested_actor(&self, operation: Operation, table: &str, foreign_key_may: impl FnOnce() -> bool) -> By {
        let key = (operation, table.to_ascii_lowercase());
        let by_trigger = self.by_trigger.contains(&key);
        if by_trigger && (!self.by_no_trigger.contains(&key) || !foreign_key_may()) {
            By::Trigger
        } else {
            By::ForeignKey
        }
    }
}

/// Adds `diesel_manage_updated_at(table)`, which migrations of diesel call to make a trigger.
/// Source: diesel 2.3.14, `sqlite/connection/diesel_manage_updated_at.sql`.
pub(super) fn add_diesel_function(connection: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function("diesel_manage_updated_at", 1, flags, |context| {
        let table: String = context.get(0)?;
        // SAFETY: the connection is that of the statement which calls this function; it is used here, on the same thread, and not
        // kept.
        let connection = unsafe { context.get_connection()? };
        // The argument may be a value of a row: it is neither run as SQL nor told unless it names a table.
        if !is_plain_table(&table, &connection)? {
            return Err(rusqlite::Error::UserFunctionError("diesel_manage_updated_at: there is no such table".into()));
        }
        connection.execute(
            &format!(
                "CREATE TRIGGER __diesel_manage_updated_at_{table}\nAFTER UPDATE ON {table}\nFOR EACH ROW WHEN\n  old.updated_at IS \
                 NULL AND\n  new.updated_at IS NULL OR\n  old.updated_at == new.updated_at\nBEGIN\n  UPDATE {table}\n  SET \
                 updated_at = CURRENT_TIMESTAMP\n  WHERE ROWID = new.ROWID;\nEND\n"
            ),
            [],
        )?;
        Ok(0)
    })
}

/// Whether it is a table whose name SQL may hold without quotes; diesel makes no trigger for another one.
fn is_plain_table(name: &str, connection: &Connection) -> rusqlite::Result<bool> {
    let mut tokens = tokens(name);
    let is_word = tokens.next().is_some_and(|token| token.kind == TokenKind::Word) && tokens.next().is_none();
    let is_table = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1 COLLATE NOCASE";
    Ok(is_word && connection.query_row(is_table, [name], |row| row.get::<_, i64>(0))? > 0)
}

fn add(changes: &mut Vec<Change>, table: &str, by: By, operation: Operation, rows: u64) {
    let position = changes.iter().position(|change| change.table == table && change.by == by).unwrap_or_else(|| {
        changes.push(Change { table: table.to_owned(), by, inserted: 0, updated: 0, deleted: 0 });
        changes.len() - 1
    });
    let change = &mut changes[position];
    match operation {
        Operation::Insert => change.inserted += rows,
        Operation::Update => change.updated += rows,
        Operation::Delete => change.deleted += rows,
    }
}

/// Takes note of what a statement may write.
fn note(permissions: &Mutex<Permissions>, context: &AuthContext<'_>) {
    let (operation, table) = match context.action {
        AuthAction::Insert { table_name } => (Operation::Insert, table_name),
        AuthAction::Update { table_name, .. } => (Operation::Update, table_name),
        AuthAction::Delete { table_name } => (Operation::Delete, table_name),
        _ => return,
    };
    let key = (operation, table.to_ascii_lowercase());
    let mut permissions = lock(permissions);
    if context.accessor.is_some() {
        permissions.by_trigger.insert(key);
    } else {
        permissions.by_no_trigger.insert(key);
    }
}

/// What workerd's authorizer refuses: temporary objects, some pragmas that set something, functions that tell of the machine.
/// Measured with workerd 1.20260426.
fn workerd_refuses(action: &AuthAction<'_>) -> bool {
    const PRAGMAS: [&str; 3] = ["user_version", "journal_mode", "writable_schema"];
    const FUNCTIONS: [&str; 2] = ["sqlite_version", "load_extension"];
    let is_one_of = |name: &str, names: &[&str]| names.iter().any(|one| one.eq_ignore_ascii_case(name));
    match action {
        AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. } => true,
        AuthAction::Pragma { pragma_name, pragma_value: Some(_) } => is_one_of(pragma_name, &PRAGMAS),
        AuthAction::CreateVtable { module_name, .. } => module_name.eq_ignore_ascii_case("rtree"),
        AuthAction::Function { function_name } => is_one_of(function_name, &FUNCTIONS),
        _ => false,
    }
}

/// Called by SQLite for every row that is about to be written.
unsafe extern "C" fn count_row(
    context: *mut c_void,
    db: *mut ffi::sqlite3,
    operation: c_int,
    database: *const c_char,
    table: *const c_char,
    _old_rowid: i64,
    _new_rowid: i64,
) {
    // SAFETY: `context` is the mutex that `attach` registered, alive as long as the connection; SQLite gives NUL-terminated
    // names that are valid during the call.
    let (counts, database, table) =
        unsafe { (&*context.cast::<Mutex<Counts>>(), CStr::from_ptr(database), CStr::from_ptr(table)) };
    if database != c"main" {
        return;
    }
    // SAFETY: called from within the pre-update hook of this very connection, as its documentation demands.
    let nested = unsafe { ffi::sqlite3_preupdate_depth(db) } > 0;
    let mut counts = lock(counts);
    counts.note();
    let counted = counts.of(table, nested);
    match operation {
        ffi::SQLITE_INSERT => counted.inserted += 1,
        ffi::SQLITE_UPDATE => counted.updated += 1,
        _ => counted.deleted += 1,
    }
}

impl Counts {
    fn take(&mut self) -> Vec<TableCounts> {
        (self.last, self.written) = (0, 0);
        if let Some(work) = &self.work {
            work.write_rows(0);
        }
        std::mem::take(&mut self.tables)
    }

    /// Another row.
    fn note(&mut self) {
        self.written += 1;
        if let Some(work) = &self.work {
            work.write_rows(self.written);
        }
    }

    fn of(&mut self, table: &CStr, nested: bool) -> &mut TableCounts {
        let is_it = |counted: &TableCounts| counted.nested == nested && *counted.table == *table;
        if !self.tables.get(self.last).is_some_and(is_it) {
            self.last = self.tables.iter().position(is_it).unwrap_or_else(|| {
                self.tables.push(TableCounts { table: table.into(), nested, inserted: 0, updated: 0, deleted: 0 });
                self.tables.len() - 1
            });
        }
        &mut self.tables[self.last]
    }
}

/// A panic while counting cannot leave the counts half-written: take them as they are.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
