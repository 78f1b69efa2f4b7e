//! dbmate: `dbmate up` and `dbmate migrate`.
//!
//! Source: dbmate 2.36, `pkg/dbmate/db.go`, `pkg/dbmate/migration.go` and `pkg/driver/sqlite`; measured with 2.36.0.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::go::note_foreign_keys;
use super::{Evidence, Tool, columns, entries, identifier, text_literal};
use crate::error::{Doing, Error};
use crate::files::read_text;
use crate::migrations::migration::{Chunk, Migration};
use crate::migrations::plan::{Entry, Ledger, Plan, Refusal, State};
use crate::migrations::project::Project;
use crate::migrations::{Located, Strength, shown};

/// The record of this tool.
pub const TOOL: Tool = Tool {
    name: "dbmate",
    looks_for: "<number>….sql with `-- migrate:up`",
    folders: |project| Ok(folders(project)),
    recognises,
    layout: |_, project, decisions| {
        note_foreign_keys(project, decisions);
        Ok("")
    },
    address: |project| Ok(project.dotenv("DATABASE_URL")),
    ledger: |_| "schema_migrations",
    records_in,
    config_table: Some(|project| Ok(project.dotenv("DBMATE_MIGRATIONS_TABLE"))),
    config_columns: &[&["version"]],
    plan,
};

const MISSING_UP: &str = "dbmate requires each migration to define an up block with '-- migrate:up'";
const MISSING_DOWN: &str = "dbmate requires each migration to define a down block with '-- migrate:down'";
const WRONG_ORDER: &str = "dbmate requires '-- migrate:up' to appear before '-- migrate:down'";
const STATEMENTS_BEFORE: &str = "dbmate does not support statements preceding the '-- migrate:up' block";
/// How many files are looked at for the marker.
const LOOKED_AT: usize = 3;

/// A file of the folder.
struct File {
    /// The digits that its name begins with.
    version: String,
    path: PathBuf,
}

impl File {
    fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }
}

/// `DBMATE_MIGRATIONS_DIR` in `.env`, which dbmate reads, where it is one folder.
fn folders(project: &Project) -> Vec<(PathBuf, String)> {
    let named = project.dotenv("DBMATE_MIGRATIONS_DIR").filter(|(folder, _)| !folder.contains(','));
    let folder: fn(&str) -> PathBuf = |folder| folder.trim_start_matches("./").into();
    named.map(|(name, why)| (project.root.join(folder(&name)), why)).into_iter().collect()
}

fn recognises(folder: &Path, _: &Project) -> Option<Evidence> {
    let files = files(folder).ok()?;
    let has_marker = |file: &&File| read_text(&file.path).is_ok_and(|text| markers(&text, "up").next().is_some());
    let marked = files.iter().take(LOOKED_AT).find(has_marker)?;
    Some(Evidence { strength: Strength::Layout, why: format!("{} has `-- migrate:up`", shown(&marked.path)) })
}

/// Rails has the same table, of other types, beside `ar_internal_metadata`.
fn records_in(before: &Connection, table: &str) -> Result<bool, Error> {
    Ok(columns(before, table)? == ["version"] && columns(before, "ar_internal_metadata")?.is_empty())
}

/// The files whose name begins with a digit, in the order of the names' bytes.
fn files(folder: &Path) -> Result<Vec<File>, Error> {
    let file = |(name, path): (String, PathBuf)| {
        let end = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
        let is_one = end > 0 && name.as_bytes().ends_with(b".sql") && !path.is_dir();
        is_one.then(|| File { version: name[..end].to_owned(), path })
    };
    Ok(entries(folder)?.into_iter().filter_map(file).collect())
}

fn plan(located: &Located, before: &Connection) -> Result<Plan, Error> {
    let table = &located.table;
    let present = records_in(before, table)?;
    let applied = if present { read_ledger(before, table)? } else { BTreeSet::new() };
    let files = files(&located.folder)?;
    let mut plan = Plan {
        tool: TOOL.name,
        layout: located.layout,
        folder: located.folder.clone(),
        ledger: Ledger { name: table.clone(), present, rows: applied.len() as u64 },
        entries: Vec::new(),
        setup: vec![format!("create table if not exists {} (version varchar(128) primary key)", identifier(table))],
        refusal: None,
        decisions: located.decisions.clone(),
    };
    if files.is_empty() {
        plan.setup.clear();
        let help = "say which folder it is: `--migrations DIR`".into();
        plan.refusal = Some(Refusal { message: "no migration files found".into(), help, after: 0 });
    }
    for file in &files {
        let state = if applied.contains(&file.version) { State::Applied } else { State::Pending };
        for migration in read(file, table, &state, &mut plan)? {
            plan.entries.push(Entry { migration, state: state.clone() });
        }
    }
    for version in applied.iter().filter(|version| files.iter().all(|file| file.version != **version)) {
        let place = plan.entries.iter().take_while(|entry| entry.migration.name < *version).count();
        let migration = Migration::without_file(version.clone(), PathBuf::new(), String::new());
        plan.entries.insert(place, Entry { migration, state: State::Missing });
    }
    Ok(plan)
}

fn read_ledger(before: &Connection, table: &str) -> Result<BTreeSet<String>, Error> {
    let doing = || format!("reading the ledger `{table}`");
    let sql = format!("SELECT CAST(version AS TEXT) FROM {} WHERE version IS NOT NULL", identifier(table));
    let mut select = before.prepare(&sql).doing(doing)?;
    let rows = select.query_map([], |row| row.get(0));
    rows.and_then(Iterator::collect).doing(doing)
}

/// Pairs of blocks of a file that are come to: the second runs too and cannot be recorded, so that none behind it runs.
const REACHED: usize = 2;

/// The migrations of a file: one for each pair of an up and a down block.
fn read(file: &File, table: &str, state: &State, plan: &mut Plan) -> Result<Vec<Migration>, Error> {
    let sql = read_text(&file.path).doing(|| format!("reading `{}`", shown(&file.path)))?;
    let blocks = match blocks(&sql) {
        Ok(blocks) => blocks,
        Err(message) => {
            let after = plan.pending().count();
            if *state == State::Pending {
                plan.refusal.get_or_insert_with(|| Refusal { message: message.into(), help: mend(message), after });
            }
            return Ok(vec![Migration::of(file.name(), file.path.clone(), sql, Vec::new())]);
        }
    };
    let of = |block: &Block, number: usize, record: String| {
        let name = if number == 0 { file.name() } else { format!("{} (block {})", file.name(), number + 1) };
        let mut migration = sent(name, file.path.clone(), &sql, *block);
        migration.unwrapped = !is_in_transaction(&sql[block.start..block.end]);
        migration.record.within.push(record);
        migration
    };
    let (table, version) = (identifier(table), text_literal(&file.version));
    let pair = |(number, (up, down)): (usize, &(Block, Block))| {
        let mut migration = of(up, number, format!("insert into {table} (version) values ({version})"));
        let undo = of(down, number, format!("delete from {table} where version = {version}"));
        migration.down = Some(Box::new(undo));
        migration
    };
    Ok(blocks.iter().take(REACHED).enumerate().map(pair).collect())
}

/// One block of a file.
fn sent(name: String, path: PathBuf, sql: &str, block: Block) -> Migration {
    let whole = Chunk::new(&sql[block.from..block.end], line_of(sql, block.from));
    let text = sql[block.start..block.end].to_owned();
    Migration::sent(name, path, sql.to_owned(), vec![(whole, Some(text))])
}

/// The blocks of a text; none where dbmate refuses it.
pub(super) fn cut(sql: &str) -> Vec<Migration> {
    let blocks = blocks(sql).into_iter().flatten().take(REACHED).flat_map(|(up, down)| [up, down]);
    blocks.map(|block| sent(String::new(), PathBuf::new(), sql, block)).collect()
}

fn mend(message: &str) -> String {
    let mend = match message {
        MISSING_UP => "begin what is to run with a line `-- migrate:up`",
        MISSING_DOWN => "end the file with a line `-- migrate:down`, if need be with nothing behind it",
        WRONG_ORDER => "put the up block first",
        _ => "put the statements behind `-- migrate:up`",
    };
    format!("{mend}; dbmate applies what comes before this file and stops there")
}

/// A block of a file: bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Block {
    /// Where the comments before it begin.
    from: usize,
    /// Where its marker begins.
    start: usize,
    end: usize,
}

/// The up and down blocks of a file, in pairs.
fn blocks(sql: &str) -> Result<Vec<(Block, Block)>, &'static str> {
    let (ups, downs): (Vec<usize>, Vec<usize>) = (markers(sql, "up").collect(), markers(sql, "down").collect());
    let first = *ups.first().ok_or(MISSING_UP)?;
    let first_down = *downs.first().ok_or(MISSING_DOWN)?;
    if sql[..first].split('\n').any(|line| !is_blank_or_comment(line)) {
        return Err(STATEMENTS_BEFORE);
    }
    if first > first_down {
        return Err(WRONG_ORDER);
    }
    let mut blocks = Vec::new();
    let mut from = 0;
    let mut next = Some(first);
    while let Some(up) = next {
        let Some(down) = first_behind(&downs, up) else { return Err(MISSING_DOWN) };
        next = first_behind(&ups, down);
        let end = next.unwrap_or(sql.len());
        blocks.push((Block { from, start: up, end: down }, Block { from: down, start: down, end }));
        from = end;
    }
    Ok(blocks)
}

fn first_behind(ascending: &[usize], place: usize) -> Option<usize> {
    ascending.get(ascending.partition_point(|one| *one <= place)).copied()
}

/// Where the markers `-- migrate:<which>` begin: at the beginning of a line, with white space of any kind, line feeds
/// too, before the word and behind it.
fn markers<'a>(sql: &'a str, which: &'a str) -> impl Iterator<Item = usize> + 'a {
    let starts = std::iter::once(0).chain(sql.match_indices('\n').map(|(at, _)| at + 1));
    starts.filter(move |start| {
        let word = sql[*start..].strip_prefix("--").map(|rest| rest.trim_start_matches(is_white));
        let rest = word.and_then(|word| word.strip_prefix("migrate:")?.strip_prefix(which));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(is_white))
    })
}

/// What `\s` means in Go.
fn is_white(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\u{c}' | '\r' | ' ')
}

fn is_blank_or_comment(line: &str) -> bool {
    let line = line.trim_start_matches(is_white);
    line.is_empty() || line.starts_with("--")
}

/// Whether the options on the marker's line leave the transaction as it is.
fn is_in_transaction(block: &str) -> bool {
    let line = block.split('\n').next().unwrap_or_default();
    let last = line.split_whitespace().filter_map(|word| word.strip_prefix("transaction:")).next_back();
    last != Some("false")
}

fn line_of(sql: &str, at: usize) -> u32 {
    u32::try_from(sql[..at].matches('\n').count()).map_or(u32::MAX, |before| before.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_stand_at_the_beginning_of_a_line() {
        for (sql, expected) in [
            ("-- migrate:up", vec![0]),
            ("--migrate:up\r\n", vec![0]),
            ("-- \n migrate:up transaction:false", vec![0]),
            ("x\n--\tmigrate:up\n-- migrate:up", vec![2, 16]),
            ("-- migrate:upwards", vec![]),
            (" -- migrate:up", vec![]),
            ("-- migrate:UP", vec![]),
            ("\u{feff}-- migrate:up", vec![]),
        ] {
            assert_eq!(markers(sql, "up").collect::<Vec<_>>(), expected, "{sql}");
        }
    }

    #[test]
    fn blocks_come_in_pairs() {
        let of = |sql: &str| blocks(sql).map(|pairs| pairs.len());
        assert_eq!(of("-- a\n\n-- migrate:up\nA;\n-- migrate:down\n"), Ok(1));
        assert_eq!(of("-- migrate:up\n-- migrate:down\n-- migrate:up\n-- migrate:down\n"), Ok(2));
        for (sql, message) in [
            ("", MISSING_UP),
            ("\u{feff}-- migrate:up\n-- migrate:down", MISSING_UP),
            ("-- migrate:down\n", MISSING_UP),
            ("-- migrate:up\n", MISSING_DOWN),
            ("A;\n-- migrate:up\n-- migrate:down", STATEMENTS_BEFORE),
            ("-- migrate:down\nA;\n-- migrate:up\n", STATEMENTS_BEFORE),
            ("-- migrate:down\n-- migrate:up\n", WRONG_ORDER),
        ] {
            assert_eq!(of(sql), Err(message), "{sql}");
        }
    }

    #[test]
    fn options_stand_on_the_markers_line() {
        for (block, expected) in [
            ("-- migrate:up\nA", true),
            ("--migrate:up  transaction:false  x:y\nA", false),
            ("-- migrate:up transaction:true\n", true),
            ("-- migrate:up x\ntransaction:false", true),
        ] {
            assert_eq!(is_in_transaction(block), expected, "{block}");
        }
    }
}
