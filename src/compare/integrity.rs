//! What SQLite itself says of a database: `integrity_check` and `foreign_key_check`.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Result};

/// How many messages of `integrity_check` are asked for.
const MESSAGES: u32 = 100;

/// The messages of `integrity_check`; empty where all is well. They name tables, indexes and pages, no values.
///
/// # Errors
/// When the check cannot run.
pub fn check(connection: &Connection) -> Result<Vec<String>> {
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({MESSAGES})"))?;
    let messages = statement.query_map([], |row| row.get::<_, String>(0))?;
    messages.filter(|message| message.as_ref().map_or(true, |message| message != "ok")).collect()
}

/// References to a parent row that does not exist, by (child table, parent table).
pub type Violations = BTreeMap<(String, String), Violating>;

/// References of one child table to one parent table that lead nowhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Violating {
    /// How many.
    pub rows: u64,
    /// Rowid of the child and number of its foreign key; those of a table WITHOUT ROWID have none and are only counted.
    pub places: BTreeSet<(i64, i64)>,
}

impl Violating {
    /// How many of these were not among `before`. Where rowids may have moved (`same_rows` is false) only numbers are compared.
    #[must_use]
    pub fn new_since(&self, before: &Self, same_rows: bool) -> u64 {
        let placed = |side: &Self| side.places.len() as u64 == side.rows;
        if same_rows && placed(self) && placed(before) {
            self.places.difference(&before.places).count() as u64
        } else {
            self.rows.saturating_sub(before.rows)
        }
    }
}

/// Finds the rows of this child table that violate a foreign key, by parent table.
///
/// # Errors
/// When the check cannot run, for example because a parent has no unique key that a foreign key can refer to.
pub fn violations(connection: &Connection, child: &str) -> Result<Violations> {
    let mut statement =
        connection.prepare("SELECT \"table\", \"parent\", \"rowid\", fkid FROM pragma_foreign_key_check(?1)")?;
    let mut rows = statement.query([child])?;
    let mut violations = Violations::new();
    while let Some(row) = rows.next()? {
        let violating = violations.entry((row.get(0)?, row.get(1)?)).or_default();
        violating.rows += 1;
        if let Some(rowid) = row.get(2)? {
            violating.places.insert((rowid, row.get(3)?));
        }
    }
    Ok(violations)
}
