//! Makes the snapshot of a scenario: the database, the tool's ledger in it, and the state in which the file was "taken".

use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, params};
use sha2::{Digest, Sha256};

use super::scenario::{Damage, Journal, JournalMode, Ledger, Scenario, Wal};
use crate::error::{Doing, Error};
use crate::units::hex;

/// The name that drizzle gives its ledger.
const DRIZZLE_LEDGER: &str = "__drizzle_migrations";
/// The first eight bytes of a rollback journal. <https://sqlite.org/fileformat2.html#the_rollback_journal>
const JOURNAL_MAGIC: [u8; 8] = [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7];
/// The journal's header takes one sector.
const SECTOR: u32 = 512;

/// SHA-256 in lower-case hexadecimal digits, as drizzle hashes a file.
#[must_use]
pub fn checksum(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// The `YYYYMMDDhhmmss` with which drizzle v1 begins a folder's name.
#[must_use]
pub fn folder_time(millis: i64) -> String {
    let moment = Timestamp::from_millisecond(millis).unwrap_or_default();
    moment.strftime("%Y%m%d%H%M%S").to_string()
}

/// Writes the snapshot of this scenario.
///
/// # Errors
/// Where its SQL fails or a file cannot be written.
pub fn write(scenario: &Scenario, path: &Path) -> Result<(), Error> {
    let making = || format!("making the snapshot `{}`", path.display());
    let state = &scenario.snapshot_state;
    let connection = open(path).doing(making)?;
    if state.journal_mode == JournalMode::Wal {
        connection.pragma_update(None, "journal_mode", "wal").doing(making)?;
    }
    connection.execute_batch(&scenario.snapshot).doing(|| "running the scenario's `snapshot`".to_owned())?;
    write_ledger(scenario, &connection).doing(|| "writing the ledger into the scenario's snapshot".to_owned())?;
    match (state.journal_mode, state.journal) {
        (JournalMode::Wal, _) => leave_in_wal(scenario, connection, path)?,
        (JournalMode::Delete, Some(Journal::Hot)) => leave_hot_journal(scenario, connection, path)?,
        (JournalMode::Delete, Some(Journal::Finished)) => {
            close(connection).doing(making)?;
            fs::write(beside(path, "-journal"), [0; SECTOR as usize]).doing(making)?;
        }
        (JournalMode::Delete, None) => close(connection).doing(making)?,
    }
    if let Some(damage) = state.file {
        do_damage(damage, path).doing(making)?;
    }
    if let Some(age) = state.age {
        let file = fs::File::options().write(true).open(path).doing(making)?;
        file.set_modified(SystemTime::now() - age.0).doing(making)?;
    }
    Ok(())
}

/// Runs SQL on a snapshot that exists, as another process would.
///
/// # Errors
/// Where the SQL fails.
pub fn run_on(path: &Path, sql: &str) -> Result<(), Error> {
    let running = || format!("writing to the snapshot `{}` meanwhile", path.display());
    let connection = open(path).doing(running)?;
    connection.execute_batch(sql).doing(running)?;
    close(connection).doing(running)
}

fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    connection.pragma_update(None, "foreign_keys", false)?;
    Ok(connection)
}

fn close(connection: Connection) -> rusqlite::Result<()> {
    connection.close().map_err(|(_, error)| error)
}

fn write_ledger(scenario: &Scenario, connection: &Connection) -> rusqlite::Result<()> {
    let table = scenario.table.as_deref().unwrap_or(DRIZZLE_LEDGER);
    let columns = match scenario.ledger() {
        Ledger::None => return Ok(()),
        Ledger::UserVersion => return connection.pragma_update(None, "user_version", last_version(scenario)),
        Ledger::V0 => "id SERIAL PRIMARY KEY,\n\t\t\t\thash text NOT NULL,\n\t\t\t\tcreated_at numeric",
        Ledger::V1 => {
            "id INTEGER PRIMARY KEY,\n\t\t\t\thash text NOT NULL,\n\t\t\t\tcreated_at numeric,\n\t\t\t\tname text,\n\t\t\t\tapplied_at TEXT"
        }
    };
    connection.execute_batch(&format!("CREATE TABLE IF NOT EXISTS \"{table}\" (\n\t\t\t\t{columns}\n\t\t\t)"))?;
    let names = scenario.tool_names();
    for ((migration, when), name) in scenario.migrations.iter().zip(scenario.times()).zip(names) {
        let hash = checksum(migration.applied_text());
        if !migration.applied {
            continue;
        }
        match scenario.ledger() {
            Ledger::V1 => connection.execute(
                &format!("INSERT INTO \"{table}\" (hash, created_at, name, applied_at) VALUES (?1, ?2, ?3, '2025-06-01T00:00:00.000Z')"),
                params![hash, when / 1000 * 1000, name],
            )?,
            _ => connection.execute(&format!("INSERT INTO \"{table}\" (hash, created_at) VALUES (?1, ?2)"), params![hash, when])?,
        };
    }
    Ok(())
}

/// The number at the front of the last applied file's name; how many are applied where names have none.
fn last_version(scenario: &Scenario) -> i64 {
    let applied: Vec<_> = scenario.migrations.iter().filter(|migration| migration.applied).collect();
    let number =
        |name: &str| name.split(|letter: char| !letter.is_ascii_digit()).next().and_then(|digits| digits.parse().ok());
    applied
        .last()
        .and_then(|migration| number(&migration.name))
        .unwrap_or_else(|| i64::try_from(applied.len()).unwrap_or_default())
}

/// Runs the last transaction so that it is only in the log, and leaves the log there or takes it away.
fn leave_in_wal(scenario: &Scenario, connection: Connection, path: &Path) -> Result<(), Error> {
    let making = || format!("making the snapshot `{}` in WAL mode", path.display());
    let state = &scenario.snapshot_state;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).doing(making)?;
    if !state.last_transaction.is_empty() || state.wal == Wal::Omitted {
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).doing(making)?;
    }
    connection
        .execute_batch(&state.last_transaction)
        .doing(|| "running the scenario's `last_transaction`".to_owned())?;
    close(connection).doing(making)?;
    remove_if_there(&beside(path, "-shm")).doing(making)?;
    if state.wal == Wal::Omitted {
        remove_if_there(&beside(path, "-wal")).doing(making)?;
    }
    Ok(())
}

/// Leaves the file as it is in the middle of the last transaction: changed, with a journal that holds every page as it was.
fn leave_hot_journal(scenario: &Scenario, connection: Connection, path: &Path) -> Result<(), Error> {
    let making = || format!("making the hot journal of `{}`", path.display());
    let page_size: u32 = connection.query_row("PRAGMA page_size", [], |row| row.get(0)).doing(making)?;
    let before = fs::read(path).doing(making)?;
    connection
        .execute_batch(&scenario.snapshot_state.last_transaction)
        .doing(|| "running the scenario's `last_transaction`".to_owned())?;
    close(connection).doing(making)?;
    fs::write(beside(path, "-journal"), journal_of(&before, page_size)).doing(making)
}

/// A rollback journal that restores these pages.
fn journal_of(database: &[u8], page_size: u32) -> Vec<u8> {
    let nonce: u32 = 0x5eed;
    let pages: Vec<&[u8]> = database.chunks_exact(page_size as usize).collect();
    let count = u32::try_from(pages.len()).unwrap_or(u32::MAX);
    let mut journal = JOURNAL_MAGIC.to_vec();
    for field in [count, nonce, count, SECTOR, page_size] {
        journal.extend(field.to_be_bytes());
    }
    journal.resize(SECTOR as usize, 0);
    for (number, page) in (1_u32..).zip(pages) {
        journal.extend(number.to_be_bytes());
        journal.extend(page);
        journal.extend(page_sum(page, nonce).to_be_bytes());
    }
    journal
}

/// The journal's checksum: every 200th byte counted from the end, as long as its offset is above 0.
fn page_sum(page: &[u8], nonce: u32) -> u32 {
    let mut sum = nonce;
    let mut offset = page.len() - 200;
    while offset > 0 {
        sum = sum.wrapping_add(u32::from(page[offset]));
        offset = offset.saturating_sub(200);
    }
    sum
}

fn do_damage(damage: Damage, path: &Path) -> std::io::Result<()> {
    let mut bytes = fs::read(path)?;
    match damage {
        Damage::Text => bytes = b"id,email\n1,ada@example.com\n2,bo@example.com\n".to_vec(),
        Damage::Empty => bytes.clear(),
        Damage::Truncated => bytes.truncate(bytes.len() / 2),
        Damage::Encrypted => scramble(&mut bytes),
        Damage::CorruptPage => {
            let page_size = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
            bytes.iter_mut().skip(page_size).take(page_size).for_each(|byte| *byte = 0xa5);
        }
        Damage::Missing => return fs::remove_file(path),
        Damage::Folder => {
            fs::remove_file(path)?;
            return fs::create_dir(path);
        }
    }
    fs::write(path, bytes)
}

/// Bytes without a pattern (a linear congruential generator with a fixed seed).
fn scramble(bytes: &mut [u8]) {
    let mut state: u32 = 2_463_534_242;
    for byte in bytes {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        *byte ^= state.to_be_bytes()[0];
    }
}

/// The file beside this one, for example `prod.db-wal`.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn remove_if_there(path: &Path) -> std::io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scenario(text: &str) -> Scenario {
        super::super::yaml::parse(text, Path::new("s.yaml")).unwrap()
    }

    fn rows(path: &Path, table: &str) -> i64 {
        open(path).unwrap().query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_folder_begins_with_its_time() {
        assert_eq!(folder_time(1_735_689_600_123), "20250101000000");
        assert_eq!(folder_time(1_709_210_096_000), "20240229123456");
    }

    #[test]
    fn a_checksum_is_what_drizzle_computes() {
        assert_eq!(checksum("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn sqlite_undoes_the_last_transaction_with_the_hot_journal() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("prod.db");
        let hot = scenario(
            "snapshot: CREATE TABLE t(a); INSERT INTO t VALUES (1),(2);\n\
             snapshot_state: {journal: hot, last_transaction: DELETE FROM t}\nexpect: {verdict: passed}\n",
        );
        write(&hot, &path).unwrap();
        assert!(beside(&path, "-journal").exists());
        assert_eq!(rows(&path, "t"), 2);
        assert!(!beside(&path, "-journal").exists(), "SQLite rolled it back");
    }

    #[test]
    fn the_last_transaction_is_only_in_the_log() {
        for (wal, expected) in [("included", 3), ("omitted", 2)] {
            let dir = tempfile::tempdir().unwrap();
            let path = dir.path().join("prod.db");
            let left = scenario(&format!(
                "snapshot: CREATE TABLE t(a); INSERT INTO t VALUES (1),(2);\n\
                 snapshot_state: {{journal_mode: wal, wal: {wal}, last_transaction: INSERT INTO t VALUES (3)}}\nexpect: {{verdict: passed}}\n"
            ));
            write(&left, &path).unwrap();
            assert_eq!(beside(&path, "-wal").exists(), wal == "included");
            assert_eq!(rows(&path, "t"), expected);
        }
    }
}
