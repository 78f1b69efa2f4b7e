//! What was found out of one of many databases holds for others: those with the same schema, on which the same migrations are applied and
//! pending. No row has a part in it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use xxhash_rust::xxh3::Xxh3;

use super::{Drifts, Ground};
use crate::error::{Doing as _, Error};
use crate::migrations::Located;

/// Different schemas of which it is kept; those that come later are looked at each time.
const KEPT: usize = 200;

/// The drifts of databases that were rehearsed before.
#[derive(Debug, Default)]
pub(in crate::rehearsal) struct Memory(Mutex<HashMap<u128, Drifts>>);

impl Memory {
    pub(super) fn recall(&self, key: u128) -> Option<Drifts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned()
    }

    pub(super) fn keep(&self, key: u128, drifts: &Drifts) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() < KEPT {
            known.insert(key, drifts.clone());
        }
    }
}

/// The hash of everything that decides the drifts and may be another on another database.
///
/// # Errors
/// When the schema cannot be read.
pub(super) fn key(ground: &Ground<'_>) -> Result<u128, Error> {
    // Every part is named, so that none is forgotten.
    let Ground { snapshot, workspace: _, located, plan, settings, unsafe_sql } = *ground;
    let mut hash = Hashed(Xxh3::new());
    let facts = snapshot.facts();
    let how = (settings.driver.name, settings.foreign_keys, settings.double_quoted_strings, settings.transaction);
    hash.add(format!("{how:?} {:?} {unsafe_sql}", settings.several_statements).as_bytes());
    hash.add(format!("{} {:?}", facts.page_size, facts.encoding).as_bytes());
    let Located { tool, layout, folder, table, foreign_keys, project: _, decisions: _ } = located;
    hash.add(format!("{:?}", (tool.name, layout, folder, table, foreign_keys)).as_bytes());
    hash.add(format!("{:?}", (&plan.ledger.name, plan.ledger.present, &plan.setup, &plan.refusal)).as_bytes());
    for entry in &plan.entries {
        hash.add(format!("{:?} {:?}", entry.migration.name, entry.state).as_bytes());
        hash.add(entry.migration.sql.as_bytes());
    }
    of_schema(&snapshot.connect()?, &mut hash).doing(|| "reading the schema".to_owned())?;
    Ok(hash.0.digest128())
}

/// What is hashed, with its lengths.
struct Hashed(Xxh3);

impl Hashed {
    fn add(&mut self, bytes: &[u8]) {
        self.0.update(&(bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }
}

/// The schema as it is written down, in its order: that is the order in which it is made once more.
fn of_schema(connection: &Connection, hash: &mut Hashed) -> Result<(), rusqlite::Error> {
    let mut statement = connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY rowid")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..4 {
            let value = row.get_ref(column)?;
            hash.add(&[value.data_type() as u8]);
            hash.add(value.as_bytes_or_null()?.unwrap_or_default());
        }
    }
    Ok(())
}
