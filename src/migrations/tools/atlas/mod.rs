//! atlas, versioned: `atlas migrate apply` over a folder of its own format.
//!
//! Source: atlas 1.2.3, `sql/migrate/{dir,lex,migrate}.go`, `sql/sqlite/driver.go`, `cmd/atlas/internal/migrate` and
//! `cmd/atlas/internal/cmdapi/migrate.go`.

mod scanner;

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use sha2::{Digest, Sha256};

use self::scanner::{Text, scan};
use super::go::{note_foreign_keys, quoted};
use super::{Evidence, Tool, columns, entries, text_literal};
use crate::error::{Doing, Error};
use crate::files::read_text;
use crate::migrations::migration::{Chunk, Migration};
use crate::migrations::plan::{Decision, Entry, Ledger, Plan, Refusal, State};
use crate::migrations::project::Project;
use crate::migrations::{Located, Strength, shown};

/// The record of this tool.
pub const TOOL: Tool = Tool {
    name: "atlas",
    looks_for: "atlas.sum",
    folders: |project| Ok(folders(project)),
    recognises,
    layout: |_, project, decisions| {
        note_foreign_keys(project, decisions);
        Ok("")
    },
    address: |project| {
        let file = project.root.join("atlas.hcl");
        let text = read_text(&file).unwrap_or_default();
        let url = text.lines().find(|line| line.trim_start().starts_with("url"));
        Ok(url.map(|url| (url.to_owned(), format!("`url` in {}", shown(&file)))))
    },
    ledger: |_| TABLE,
    records_in: |before, table| Ok(columns(before, table)? == COLUMNS),
    config_table: None,
    config_columns: &[],
    plan,
};

const TABLE: &str = "atlas_schema_revisions";
const COLUMNS: [&str; 12] = [
    "version",
    "description",
    "type",
    "applied",
    "total",
    "executed_at",
    "execution_time",
    "error",
    "error_stmt",
    "hash",
    "partial_hashes",
    "operator_version",
];
/// The row that names the database rather than a migration.
const IDENTIFIER: &str = ".atlas_cloud_identifier";
const NOW: &str = "strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')";
/// What Go writes for a list that is not there.
const NOTHING: &str = "CAST('null' AS BLOB)";

/// A file of the folder.
struct File {
    name: String,
    path: PathBuf,
    sql: String,
    /// What stands for it in `atlas.sum`; empty where the file says that it shall not.
    hash: String,
}

impl File {
    /// What stands before the first `_`.
    fn version(&self) -> &str {
        let stem = self.name.strip_suffix(".sql").unwrap_or(&self.name);
        stem.split('_').next().unwrap_or_default()
    }

    fn description(&self) -> &str {
        self.name.split_once('_').map_or("", |(_, rest)| rest.strip_suffix(".sql").unwrap_or(rest))
    }

    fn is_checkpoint(&self) -> bool {
        self.directives("checkpoint").next().is_some()
    }

    /// What the comments at the top say under this name. They count only where an empty line follows them.
    fn directives(&self, name: &str) -> impl Iterator<Item = &str> {
        let mut comments = Vec::new();
        let mut rest = self.sql.as_str();
        while rest.starts_with('#') || rest.starts_with("--") {
            let Some((line, below)) = rest.split_once('\n') else { break };
            comments.push(line.trim());
            rest = below;
        }
        if !rest.trim_start_matches([' ', '\t']).starts_with('\n') {
            comments.clear();
        }
        comments.into_iter().filter_map(move |line| directive(line, name).map(|(_, value)| value))
    }
}

/// `…atlas:name value` on the first line of a text: what stands before it, and the value.
fn directive<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let line = text.split(|c: char| !matches!(c, ' '..='~')).next()?;
    line.rmatch_indices("atlas:")
        .find_map(|(at, marker)| {
            let rest = &line[at + marker.len()..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            let value = if rest[end..].starts_with(' ') { rest[end..].trim_start_matches(' ') } else { "" };
            (end > 0).then_some((&line[..at], &rest[..end], value))
        })
        .filter(|(_, found, _)| *found == name)
        .map(|(before, _, value)| (before, value))
}

// ---- where it is ----------------------------------------------------------------------------------------------------

/// `dir = "file://…"` in `atlas.hcl`.
fn folders(project: &Project) -> Vec<(PathBuf, String)> {
    let file = project.root.join("atlas.hcl");
    let Ok(text) = read_text(&file) else { return Vec::new() };
    let mut found: Vec<(PathBuf, String)> = Vec::new();
    for line in text.lines() {
        let value = line.trim().strip_prefix("dir").and_then(|rest| rest.trim_start().strip_prefix('='));
        let folder = value.and_then(|value| value.trim().strip_prefix("\"file://")?.split('"').next());
        let Some(folder) = folder.filter(|folder| !folder.contains(['$', '?'])) else { continue };
        let folder = project.root.join(folder);
        if folder.is_dir() && found.iter().all(|(known, _)| *known != folder) {
            found.push((folder, format!("`dir` in {}", shown(&file))));
        }
    }
    found
}

/// A folder with `atlas.sum` may be of another tool's format, which atlas only checks.
fn recognises(folder: &Path, _: &Project) -> Option<Evidence> {
    let sum = folder.join("atlas.sum");
    if !sum.is_file() {
        return None;
    }
    let others = ["-- +goose", "-- migrate:", "-- +migrate"];
    let is_other = |file: &File| {
        let is_pair = file.name.ends_with(".up.sql") || file.name.ends_with(".down.sql");
        is_pair || others.iter().any(|marker| file.sql.lines().any(|line| line.starts_with(marker)))
    };
    let strength = if files(folder).ok()?.iter().any(is_other) { Strength::Possible } else { Strength::Layout };
    Some(Evidence { strength, why: format!("{} is there", shown(&sum)) })
}

/// The files in the order of their names' bytes, with the running hash that `atlas.sum` keeps.
fn files(folder: &Path) -> Result<Vec<File>, Error> {
    let mut running = Sha256::new();
    let mut files = Vec::new();
    for (name, path) in entries(folder)? {
        if !name.as_bytes().ends_with(b".sql") || path.is_dir() {
            continue;
        }
        let bytes = crate::files::read(&path).doing(|| format!("reading `{}`", shown(&path)))?;
        let sql = String::from_utf8_lossy(&bytes).into_owned();
        running.update(name.as_bytes());
        let is_left_out = directive(&sql, "sum").is_some_and(|(_, value)| value == "ignore");
        if !is_left_out {
            running.update(&bytes);
        }
        let hash = if is_left_out { String::new() } else { base64(&running.clone().finalize()) };
        files.push(File { name, path, sql, hash });
    }
    Ok(files)
}

/// What is wrong with `atlas.sum`.
fn check_sum(folder: &Path, files: &[File]) -> Result<Option<Refusal>, Error> {
    let path = folder.join("atlas.sum");
    let refused = |message: &str, help: String| Some(Refusal { message: message.into(), help, after: 0 });
    let hash = "`atlas migrate hash` writes it";
    if !path.is_file() {
        let missing = || refused("checksum file not found", format!("{hash}; nothing is applied without it"));
        return Ok(if files.is_empty() { None } else { missing() });
    }
    let text = read_text(&path).doing(|| format!("reading `{}`", shown(&path)))?;
    let mut lines = text.lines();
    let total = lines.next().unwrap_or_default();
    let mut listed = Vec::new();
    for line in lines {
        let Some((name, hash_of_it)) = line.split_once("h1:") else {
            return Ok(refused("checksum file format invalid", format!("{hash} anew")));
        };
        listed.push((name.trim(), hash_of_it));
    }
    let found: Vec<_> = files
        .iter()
        .filter(|file| !file.hash.is_empty())
        .map(|file| (file.name.as_str(), file.hash.as_str()))
        .collect();
    if total.strip_prefix("h1:").unwrap_or(total) == sum(&listed) && sum(&listed) == sum(&found) {
        return Ok(None);
    }
    let first =
        found.iter().find(|one| !listed.contains(one)).or_else(|| listed.iter().find(|one| !found.contains(one)));
    let which =
        first.map(|(name, _)| format!("`{name}` is the first file that is not as it was; ")).unwrap_or_default();
    Ok(refused("checksum mismatch", format!("{which}if that is intended, {hash} anew")))
}

/// The sum of the list itself.
fn sum(listed: &[(&str, &str)]) -> String {
    let mut sum = Sha256::new();
    for (name, hash) in listed {
        sum.update(name.as_bytes());
        sum.update(hash.as_bytes());
    }
    base64(&sum.finalize())
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let bits = group.iter().chain([0, 0].iter()).take(3).fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
        for place in 0..4 {
            let digit = char::from(DIGITS[bits >> (18 - 6 * place) & 63]);
            text.push(if place <= group.len() { digit } else { '=' });
        }
    }
    text
}

// ---- the plan -------------------------------------------------------------------------------------------------------

/// A row of the ledger.
#[derive(Debug, Clone)]
struct Revision {
    version: String,
    description: String,
    applied: i64,
    total: i64,
    hash: String,
    partial_hashes: Vec<String>,
}

impl Revision {
    fn is_partial(&self) -> bool {
        self.applied != self.total
    }
}

fn plan(located: &Located, before: &Connection) -> Result<Plan, Error> {
    let present = (TOOL.records_in)(before, TABLE)?;
    let revisions = if present { read_ledger(before)? } else { Vec::new() };
    let files = files(&located.folder)?;
    let unsound = check_sum(&located.folder, &files)?;
    let mut plan = Plan {
        tool: TOOL.name,
        layout: located.layout,
        folder: located.folder.clone(),
        ledger: Ledger { name: TABLE.into(), present, rows: revisions.len() as u64 },
        entries: Vec::new(),
        setup: if unsound.is_some() || present { Vec::new() } else { vec![create()] },
        refusal: unsound,
        decisions: located.decisions.clone(),
    };
    let chosen = choose(&files, &revisions);
    plan.refusal = plan.refusal.or(chosen.refusal);
    if revisions.is_empty() && plan.refusal.is_none() {
        plan.refusal = unclean(before)?;
    }
    for (index, file) in files.iter().enumerate() {
        let revision = revisions.iter().find(|revision| revision.version == file.version());
        let is_pending = chosen.pending.contains(&index);
        if !is_pending && (file.is_checkpoint() && revision.is_none() || index < chosen.from) {
            plan.decisions.push(left_out(file, index < chosen.from));
            continue;
        }
        let state = if is_pending { State::Pending } else { State::Applied };
        let migration = read(file, revision, &mut plan, is_pending);
        plan.entries.push(Entry { migration, state });
    }
    for revision in revisions.iter().filter(|revision| files.iter().all(|file| file.version() != revision.version)) {
        let name = match revision.description.as_str() {
            "" => revision.version.clone(),
            description => format!("{}_{description}", revision.version),
        };
        let place = plan.entries.iter().take_while(|entry| entry.migration.name < name).count();
        let migration = Migration::without_file(name, PathBuf::new(), revision.hash.clone());
        plan.entries.insert(place, Entry { migration, state: State::Missing });
    }
    Ok(plan)
}

fn left_out(file: &File, is_before: bool) -> Decision {
    let why =
        if is_before { "a later checkpoint stands for it" } else { "only an empty database begins at a checkpoint" };
    Decision { what: "migrations", value: format!("{} is left out", file.name), why: why.into() }
}

fn read_ledger(before: &Connection) -> Result<Vec<Revision>, Error> {
    let doing = || format!("reading the ledger `{TABLE}`");
    let sql = format!(
        "SELECT version, description, applied, total, hash, CAST(coalesce(partial_hashes, 'null') AS TEXT) FROM {TABLE} WHERE \
         version <> '{IDENTIFIER}' ORDER BY version"
    );
    let mut select = before.prepare(&sql).doing(doing)?;
    let rows = select.query_map([], |row| {
        let partial: String = row.get(5)?;
        Ok(Revision {
            version: row.get(0)?,
            description: row.get(1)?,
            applied: row.get(2)?,
            total: row.get(3)?,
            hash: row.get(4)?,
            partial_hashes: serde_json::from_str(&partial).unwrap_or_default(),
        })
    });
    rows.and_then(Iterator::collect).doing(doing)
}

/// What atlas applies.
#[derive(Debug, Default, PartialEq, Eq)]
struct Chosen {
    /// Places in the list of files.
    pending: Vec<usize>,
    /// What stands before it is not looked at: a checkpoint takes its place.
    from: usize,
    refusal: Option<Refusal>,
}

fn choose(files: &[File], revisions: &[Revision]) -> Chosen {
    let plain: Vec<usize> = (0..files.len()).filter(|index| !files[*index].is_checkpoint()).collect();
    let (Some(first), Some(last)) = (revisions.first(), revisions.last()) else {
        let from = files.iter().rposition(File::is_checkpoint).unwrap_or(0);
        return Chosen { pending: (from..files.len()).collect(), from, refusal: None };
    };
    let last_file = files.iter().position(|file| file.version() == last.version);
    if let Some(checkpoint) = last_file.filter(|index| last.is_partial() && files[*index].is_checkpoint()) {
        let after = plain.iter().copied().filter(|index| *index > checkpoint);
        return Chosen { pending: std::iter::once(checkpoint).chain(after).collect(), from: 0, refusal: None };
    }
    if plain.is_empty() {
        return Chosen::default();
    }
    let reached = |index: &usize| {
        let version = files[*index].version();
        version == last.version || !last.is_partial() && version < last.version.as_str()
    };
    let Some(place) = plain.iter().rposition(reached) else {
        let refusal = last.is_partial().then(|| gone(last));
        return Chosen { pending: plain, from: 0, refusal };
    };
    let next = if last.is_partial() { place } else { place + 1 };
    let is_known = |file: &File| revisions.iter().any(|revision| revision.version == file.version());
    let older: Vec<usize> = plain[..next]
        .iter()
        .copied()
        .filter(|index| files[*index].version() >= first.version.as_str() && !is_known(&files[*index]))
        .collect();
    let refusal = (!older.is_empty()).then(|| out_of_order(&older, files));
    Chosen { pending: older.into_iter().chain(plain[next..].iter().copied()).collect(), from: 0, refusal }
}

fn gone(revision: &Revision) -> Refusal {
    let file = format!("{}_{}.sql", revision.version, revision.description);
    Refusal {
        message: format!(
            "sql/migrate: missing migration: revision {} is partially applied but migration file was not found",
            quoted(&file)
        ),
        help: format!("bring `{file}` back, as it was when a part of it was applied"),
        after: 0,
    }
}

fn out_of_order(older: &[usize], files: &[File]) -> Refusal {
    let names: Vec<&str> = older.iter().map(|index| files[*index].name.as_str()).collect();
    let which =
        if names.len() == 1 { format!("file {} was", names[0]) } else { format!("files {} were", names.join(", ")) };
    Refusal {
        message: format!(
            "migration {which} added out of order. See: https://atlasgo.io/versioned/apply#non-linear-error"
        ),
        help: "`atlas migrate rebase` gives it a later version; `--exec-order non-linear` applies it as it is".into(),
        after: 0,
    }
}

/// A database without a history must be empty: the ledger, which atlas has made by then, counts among its tables.
fn unclean(before: &Connection) -> Result<Option<Refusal>, Error> {
    let sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name <> ?1";
    let tables: i64 =
        before.query_row(sql, [TABLE], |row| row.get(0)).doing(|| "counting the tables of the snapshot".to_owned())?;
    Ok((tables > 0).then(|| Refusal {
        message: format!(
            "sql/migrate: connected database is not clean: found multiple tables: {}. baseline version or allow-dirty is required",
            tables + 1
        ),
        help: "`atlas migrate apply --baseline VERSION` says from which version on the files are new".into(),
        after: 0,
    }))
}

/// The migration as far as it is still to run. What makes atlas stop at it becomes the plan's refusal.
fn read(file: &File, revision: Option<&Revision>, plan: &mut Plan, is_pending: bool) -> Migration {
    let name = file.name.strip_suffix(".sql").unwrap_or(&file.name).to_owned();
    let mut stop = |message: String, help: &str| {
        let after = plan.pending().count();
        if is_pending {
            plan.refusal.get_or_insert_with(|| Refusal { message, help: help.into(), after });
        }
    };
    if file.hash.is_empty() {
        let message = format!("sql/migrate: scanning checksum from {}: checksum not found", quoted(&file.name));
        stop(message, "`-- atlas:sum ignore` keeps a file out of `atlas.sum`, and atlas cannot apply it then");
    }
    let unwrapped = transaction_mode(file).unwrap_or_else(|message| {
        stop(message, "`-- atlas:txmode` is `none` or `file`");
        false
    });
    let texts = scan(&file.sql).unwrap_or_else(|why| {
        let message = format!("sql/migrate: scanning statements from {}: {why}", quoted(&file.name));
        stop(message, "mend it, and write `atlas.sum` anew with `atlas migrate hash`");
        Vec::new()
    });
    let sums = sums(&texts);
    let done = revision.map_or(0, |revision| usize::try_from(revision.applied).unwrap_or(0));
    if let Some(revision) = revision.filter(|revision| is_pending && revision.applied > 0) {
        let is_same = |index: &usize| {
            let recorded = revision.partial_hashes.get(*index);
            recorded.is_some_and(|hash| sums.get(*index).is_some_and(|sum| hash.trim_start_matches("h1:") == sum))
        };
        if let Some(changed) = (0..done).find(|index| !is_same(index)) {
            let number = changed + 1;
            let message =
                format!("sql/migrate: history changed: statement {number} from file {} changed", quoted(&file.name));
            stop(message, "bring the statements back that were applied already");
        }
    }
    let skipped = if is_pending { done.min(texts.len()) } else { 0 };
    let mut migration = sent(name, file.path.clone(), &file.sql, &texts[skipped..]);
    migration.unwrapped = unwrapped;
    record(&mut migration, file, &Progress { sums: &sums, skipped, is_known: revision.is_some() });
    migration
}

fn sent(name: String, path: PathBuf, sql: &str, texts: &[Text]) -> Migration {
    let piece = |text: &Text| (Chunk::new(&sql[text.from..text.end], text.line), Some(text.sql.clone()));
    Migration::sent(name, path, sql.to_owned(), texts.iter().map(piece).collect())
}

/// The statements of a text; none where atlas refuses it.
pub(super) fn cut(sql: &str) -> Option<Migration> {
    scan(sql).ok().map(|texts| sent(String::new(), PathBuf::new(), sql, &texts))
}

/// Whether the file asks for no transaction, or why atlas does not take what it asks for.
fn transaction_mode(file: &File) -> Result<bool, String> {
    let modes: Vec<&str> = file.directives("txmode").collect();
    let name = quoted(&file.name);
    match modes[..] {
        [] | ["file"] => Ok(false),
        ["none"] => Ok(true),
        ["all"] => Err(format!("txmode \"all\" is not allowed in file directive {name}. Use \"file\" instead")),
        [mode] => Err(format!("unknown txmode {} found in file directive {name}", quoted(mode))),
        _ => {
            let listed: Vec<String> = modes.iter().map(|mode| quoted(mode)).collect();
            Err(format!("multiple txmode values found in file {name}: [{}]", listed.join(" ")))
        }
    }
}

/// The hash of each statement with all before it.
fn sums(texts: &[Text]) -> Vec<String> {
    let mut running = Sha256::new();
    let sum = |text: &Text| {
        running.update(text.sql.as_bytes());
        base64(&running.clone().finalize())
    };
    texts.iter().map(sum).collect()
}

/// How far a file is.
struct Progress<'a> {
    sums: &'a [String],
    /// Statements that were applied before this run.
    skipped: usize,
    is_known: bool,
}

/// atlas writes the row before the file, after each statement and at the end, in the file's transaction where there is one.
/// Within one the first of these is not to be told from the second.
fn record(migration: &mut Migration, file: &File, progress: &Progress<'_>) {
    let version = text_literal(file.version());
    let total = progress.sums.len();
    let row = |applied: usize, partial: &str| {
        format!(
            "INSERT INTO `{TABLE}` (`version`, `description`, `type`, `applied`, `total`, `executed_at`, `execution_time`, \
             `error`, `error_stmt`, `hash`, `partial_hashes`, `operator_version`) VALUES ({version}, {}, 2, {applied}, {total}, \
             {NOW}, 0, '', '', {}, {partial}, 'Atlas CLI v1.2.3')",
            text_literal(file.description()),
            text_literal(&file.hash)
        )
    };
    let mut is_known = progress.is_known;
    if !is_known && migration.unwrapped {
        migration.record.before.push(row(0, NOTHING));
        is_known = true;
    }
    for (index, chunk) in migration.chunks.iter_mut().enumerate() {
        let applied = progress.skipped + index + 1;
        let hash = text_literal(&format!("h1:{}", progress.sums[applied - 1]));
        let list = format!("CAST(json_array({hash}) AS BLOB)");
        chunk.record.push(if is_known {
            let longer = format!("CAST(json_insert(CAST(`partial_hashes` AS TEXT), '$[#]', {hash}) AS BLOB)");
            let partial = if applied == 1 { list } else { longer };
            format!(
                "UPDATE `{TABLE}` SET `applied` = {applied}, `executed_at` = {NOW}, `error` = '', `error_stmt` = '', \
                 `partial_hashes` = {partial} WHERE `version` = {version}"
            )
        } else {
            row(applied, &list)
        });
        is_known = true;
    }
    migration.record.within.push(if is_known {
        format!("UPDATE `{TABLE}` SET `executed_at` = {NOW}, `partial_hashes` = {NOTHING} WHERE `version` = {version}")
    } else {
        row(0, NOTHING)
    });
    if migration.unwrapped {
        // The message is not known here; that the row is unfinished is what the next run goes by.
        let statements = migration.chunks.iter().enumerate();
        let cases = statements
            .map(|(index, chunk)| format!(" WHEN {} THEN {}", progress.skipped + index, text_literal(&chunk.sql)));
        let statement =
            if total == 0 { "''".to_owned() } else { format!("CASE `applied`{} END", cases.collect::<String>()) };
        migration.record.failed.push(format!(
            "UPDATE `{TABLE}` SET `executed_at` = {NOW}, `error` = 'failed', `error_stmt` = coalesce({statement}, '') WHERE \
             `version` = {version}"
        ));
    }
}

/// As ent writes it; SQLite keeps the text in the schema.
fn create() -> String {
    format!(
        "CREATE TABLE `{TABLE}` (`version` text NOT NULL, `description` text NOT NULL, `type` integer NOT NULL DEFAULT (2), \
         `applied` integer NOT NULL DEFAULT (0), `total` integer NOT NULL DEFAULT (0), `executed_at` datetime NOT NULL, \
         `execution_time` integer NOT NULL, `error` text NULL, `error_stmt` text NULL, `hash` text NOT NULL, `partial_hashes` \
         json NULL, `operator_version` text NOT NULL, PRIMARY KEY (`version`))"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_padded() {
        for (text, expected) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }

    #[test]
    fn directives_stand_on_the_first_line() {
        for (text, name, expected) in [
            ("-- atlas:delimiter \\n\\n", "delimiter", Some(("-- ", "\\n\\n"))),
            ("-- atlas:sum   ignore\nx", "sum", Some(("-- ", "ignore"))),
            ("# atlas:checkpoint", "checkpoint", Some(("# ", ""))),
            ("-- atlas:sum", "delimiter", None),
            ("x\n-- atlas:sum ignore", "sum", None),
            ("-- atlas: sum", "sum", None),
        ] {
            assert_eq!(directive(text, name), expected, "{text}");
        }
    }
}
