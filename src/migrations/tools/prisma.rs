//! Prisma: `prisma migrate deploy`.
//!
//! Source: prisma-engines' `apply_migrations.rs`, `migration_persistence` and `checksum.rs`; measured with prisma 6.19.3, its engine in
//! JavaScript and the adapter of better-sqlite3.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use super::{Evidence, NO_ADDRESS, Tool, columns, entries, javascript, text_literal};
use crate::error::{Doing, Error};
use crate::migrations::migration::{Chunk, Migration};
use crate::migrations::plan::{Entry, Ledger, Plan, Refusal, State};
use crate::migrations::project::Project;
use crate::migrations::tools::GIVE_FOLDER;
use crate::migrations::{Located, Strength, shown};
use crate::units::hex;

/// The record of this tool.
pub const TOOL: Tool = Tool {
    name: "prisma",
    looks_for: "folders with migration.sql and migration_lock.toml",
    folders,
    recognises,
    layout: |_, _, _| Ok("folders"),
    address: NO_ADDRESS,
    ledger: |_| TABLE,
    records_in,
    config_table: None,
    config_columns: &[],
    plan,
};

const TABLE: &str = "_prisma_migrations";
const FILE: &str = "migration.sql";
const LOCK: &str = "migration_lock.toml";

/// The text is Prisma's to the last space, because SQLite keeps it in the schema.
const CREATE: &str = r#"CREATE TABLE "_prisma_migrations" (
    "id"                    TEXT PRIMARY KEY NOT NULL,
    "checksum"              TEXT NOT NULL,
    "finished_at"           DATETIME,
    "migration_name"        TEXT NOT NULL,
    "logs"                  TEXT,
    "rolled_back_at"        DATETIME,
    "started_at"            DATETIME NOT NULL DEFAULT current_timestamp,
    "applied_steps_count"   INTEGER UNSIGNED NOT NULL DEFAULT 0
);"#;

/// What the ledger says of one run of a migration.
struct Row {
    name: String,
    checksum: String,
    /// As Prisma shows it.
    started: String,
    finished: bool,
    rolled_back: bool,
}

/// How times are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Times {
    /// Milliseconds since 1970: the native engine.
    Integer,
    /// ISO 8601: the adapters.
    Text,
}

impl Times {
    fn now(self) -> &'static str {
        match self {
            Self::Integer => "CAST(unixepoch('now', 'subsec') * 1000 AS INTEGER)",
            Self::Text => "strftime('%Y-%m-%dT%H:%M:%f+00:00', 'now')",
        }
    }
}

fn folders(project: &Project) -> Result<Vec<(PathBuf, String)>, Error> {
    let Some(config) = &project.prisma else { return Ok(Vec::new()) };
    if config.provider.as_ref().is_some_and(|provider| provider != "sqlite") {
        return Ok(Vec::new());
    }
    if let Some((file, line)) = &config.computed {
        let cause =
            format!("`schema` or `migrations.path` in {}:{line} is computed, and no JavaScript is run", shown(file));
        return Err(Error::usage("finding the migrations folder", cause).hint(GIVE_FOLDER));
    }
    let is_there = config.folder.is_dir();
    Ok(is_there.then(|| (config.folder.clone(), config.place.clone())).into_iter().collect())
}

fn recognises(folder: &Path, project: &Project) -> Option<Evidence> {
    if let Some(config) = project.prisma.as_ref().filter(|config| shown(&config.folder) == shown(folder)) {
        if config.provider.as_ref().is_some_and(|provider| provider != "sqlite") {
            return None;
        }
        return Some(Evidence { strength: Strength::Named, why: config.place.clone() });
    }
    let lock = folder.join(LOCK);
    lock.is_file().then(|| Evidence { strength: Strength::Layout, why: format!("{} is there", shown(&lock)) })
}

fn records_in(before: &Connection, table: &str) -> Result<bool, Error> {
    let columns = columns(before, table)?;
    Ok([
        "id",
        "checksum",
        "finished_at",
        "migration_name",
        "logs",
        "rolled_back_at",
        "started_at",
        "applied_steps_count",
    ]
    .iter()
    .all(|name| columns.iter().any(|column| column == name)))
}

fn plan(located: &Located, before: &Connection) -> Result<Plan, Error> {
    let present = records_in(before, TABLE)?;
    let (rows, times) = if present { read_ledger(before)? } else { (Vec::new(), None) };
    let has_adapter = located.project.prisma.as_ref().is_some_and(|config| config.adapter.is_some());
    let times = times.unwrap_or(if has_adapter { Times::Text } else { Times::Integer });
    let mut folders: Vec<_> = entries(&located.folder)?.into_iter().filter(|(_, path)| path.is_dir()).collect();
    folders.sort_by(|(a, _), (b, _)| javascript::locale_compare(a, b).then_with(|| a.cmp(b)));
    let refusal = match other_provider(&located.folder)?.or_else(|| without_script(&folders)) {
        None if !present => not_empty(before)?,
        None => failed(&rows),
        refusal => refusal,
    };
    let mut plan = Plan {
        tool: TOOL.name,
        layout: located.layout,
        folder: located.folder.clone(),
        ledger: Ledger {
            name: TABLE.into(),
            present,
            rows: rows.iter().filter(|row| row.finished && !row.rolled_back).count() as u64,
        },
        entries: Vec::new(),
        setup: if present || refusal.is_some() { Vec::new() } else { vec![CREATE.into()] },
        refusal,
        decisions: located.decisions.clone(),
    };
    for (name, path) in &folders {
        let of_it: Vec<&Row> = rows.iter().filter(|row| row.name == *name).collect();
        let migration = read(name, path, of_it.len(), times)?;
        let state = match of_it.iter().rfind(|row| !row.rolled_back) {
            None => State::Pending,
            // It failed: it is as it was while Prisma waits for a person.
            Some(row) if !row.finished || is_of(&row.checksum, &migration.sql) => State::Applied,
            Some(row) => State::Edited { recorded: row.checksum.clone() },
        };
        plan.entries.push(Entry { migration, state });
    }
    for row in rows.iter().filter(|row| !row.rolled_back && folders.iter().all(|(name, _)| *name != row.name)) {
        let migration = Migration::without_file(row.name.clone(), PathBuf::new(), row.checksum.clone());
        let is_later = |entry: &Entry| javascript::locale_compare(&entry.migration.name, &row.name).is_gt();
        let place = plan.entries.iter().position(is_later).unwrap_or(plan.entries.len());
        plan.entries.insert(place, Entry { migration, state: State::Missing });
    }
    Ok(plan)
}

/// The rows in the order in which they started, and how the newest has its time.
fn read_ledger(before: &Connection) -> Result<(Vec<Row>, Option<Times>), Error> {
    let doing = || format!("reading the ledger `{TABLE}`");
    let sql = "SELECT migration_name, checksum, \
               coalesce(CASE typeof(started_at) WHEN 'integer' THEN strftime('%Y-%m-%d %H:%M:%f', started_at / 1000.0, 'unixepoch') \
               ELSE strftime('%Y-%m-%d %H:%M:%f', started_at) END, '?'), \
               finished_at IS NOT NULL, rolled_back_at IS NOT NULL, typeof(started_at) = 'integer' \
               FROM _prisma_migrations ORDER BY started_at, rowid";
    let mut select = before.prepare(sql).doing(doing)?;
    let rows = select.query_map([], |row| {
        let started: String = row.get(2)?;
        let started = started.strip_suffix(".000").unwrap_or(&started).to_owned();
        let found =
            Row { name: row.get(0)?, checksum: row.get(1)?, started, finished: row.get(3)?, rolled_back: row.get(4)? };
        Ok((found, if row.get(5)? { Times::Integer } else { Times::Text }))
    });
    let rows: Vec<(Row, Times)> = rows.and_then(Iterator::collect).doing(doing)?;
    let times = rows.last().map(|(_, times)| *times);
    Ok((rows.into_iter().map(|(row, _)| row).collect(), times))
}

/// `earlier` runs of a migration with this name are in the ledger.
fn read(name: &str, path: &Path, earlier: usize, times: Times) -> Result<Migration, Error> {
    let file = path.join(FILE);
    if !file.is_file() {
        return Ok(Migration::without_file(name.to_owned(), PathBuf::new(), String::new()));
    }
    let sql = crate::files::read_text(&file).doing(|| format!("reading `{}`", shown(&file)))?;
    let chunks = vec![Chunk::new(&sql, 1)];
    let mut migration = Migration::of(name.to_owned(), file, sql, chunks);
    let (id, now) = (text_literal(&id(name, earlier)), times.now());
    migration.record.before = vec![format!(
        "INSERT INTO \"{TABLE}\" (\"id\", \"checksum\", \"started_at\", \"migration_name\") VALUES ({id}, '{}', {now}, {})",
        migration.checksum,
        text_literal(name),
    )];
    migration.record.after = vec![
        format!("UPDATE \"{TABLE}\" SET \"applied_steps_count\" = \"applied_steps_count\" + 1 WHERE \"id\" = {id}"),
        format!("UPDATE \"{TABLE}\" SET \"finished_at\" = {now} WHERE \"id\" = {id}"),
    ];
    // Prisma writes the error there. It may hold values of rows.
    migration.record.failed = vec![format!("UPDATE \"{TABLE}\" SET \"logs\" = '' WHERE \"id\" = {id}")];
    Ok(migration)
}

/// Prisma's ids are random; the same migration has the same one here, so that two rehearsals are the same.
fn id(name: &str, earlier: usize) -> String {
    let digest = hex(&Sha256::digest(format!("{earlier} {name}").as_bytes()));
    format!("{}-{}-4{}-a{}-{}", &digest[..8], &digest[8..12], &digest[13..16], &digest[17..20], &digest[20..32])
}

/// Whether a script has this checksum, also with the line ends of another system. Old versions left leading zeros of bytes out.
fn is_of(checksum: &str, sql: &str) -> bool {
    let unix = sql.replace("\r\n", "\n");
    let windows = unix.replace('\n', "\r\n");
    [sql, &unix, &windows].iter().any(|text| {
        let full = hex(&Sha256::digest(text.as_bytes()));
        let bytes = (0..full.len()).step_by(2).map(|at| &full[at..at + 2]);
        let short: String = bytes.map(|byte| byte.strip_prefix('0').unwrap_or(byte)).collect();
        checksum == full || checksum == short
    })
}

fn other_provider(folder: &Path) -> Result<Option<Refusal>, Error> {
    let file = folder.join(LOCK);
    if !file.is_file() {
        return Ok(None);
    }
    let doing = || format!("reading `{}`", shown(&file));
    let lock: toml::Table = crate::files::read_utf8(&file).doing(doing)?.parse().doing(doing)?;
    let provider = lock.get("provider").and_then(|provider| provider.as_str()).unwrap_or("sqlite");
    Ok((provider != "sqlite").then(|| Refusal {
        message: format!(
            "P3019: The datasource provider `sqlite` specified in your schema does not match the one specified in the \
             migration_lock.toml, `{provider}`. Please remove your current migration directory and start a new migration \
             history with prisma migrate dev."
        ),
        help: format!("these are migrations of {provider}: say which folder is SQLite's, `--migrations DIR`"),
        after: 0,
    }))
}

fn without_script(folders: &[(String, PathBuf)]) -> Option<Refusal> {
    let (_, path) = folders.iter().find(|(_, path)| !path.join(FILE).is_file())?;
    Some(Refusal {
        message:
            "P3015: Could not find the migration file at migration.sql. Please delete the directory or restore the \
                  migration file."
                .into(),
        help: format!("`{}` has no {FILE}", shown(path)),
        after: 0,
    })
}

/// Without a ledger Prisma starts only in an empty database.
fn not_empty(before: &Connection) -> Result<Option<Refusal>, Error> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
               AND name NOT LIKE '\\_litestream%' ESCAPE '\\' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\'";
    let tables: i64 =
        before.query_row(sql, [], |row| row.get(0)).doing(|| "reading the schema of the snapshot".into())?;
    Ok((tables > 0).then(|| Refusal {
        message:
            "P3005: The database schema is not empty. Read more about how to baseline an existing production database: \
                  https://pris.ly/d/migrate-baseline"
                .into(),
        help: "record what the database already has: `prisma migrate resolve --applied NAME`".into(),
        after: 0,
    }))
}

fn failed(rows: &[Row]) -> Option<Refusal> {
    let failed: Vec<&Row> = rows.iter().filter(|row| !row.finished && !row.rolled_back).collect();
    let first = failed.first()?;
    let lines = failed.iter().map(|row| format!(" The `{}` migration started at {} UTC failed", row.name, row.started));
    Some(Refusal {
        message: format!(
            "P3009: migrate found failed migrations in the target database, new migrations will not be applied. Read more \
             about how to resolve migration issues in a production database: https://pris.ly/d/migrate-resolve{}",
            lines.collect::<String>()
        ),
        help: format!(
            "finish or undo what it did by hand, then `prisma migrate resolve --applied {name}` or `--rolled-back {name}`",
            name = first.name
        ),
        after: 0,
    })
}
