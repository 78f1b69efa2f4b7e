//! goose: `goose up`, `goose.Up` and `Provider.Up` over `.sql` files.
//!
//! Source: goose 3.27.3, `migrate.go`, `up.go`, `migration_sql.go`, `internal/sqlparser/parser.go` and
//! `database/dialect/sqlite3.go`; the variables of ENVSUB are those of `mfridman/interpolate`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::go::{ends_with_semicolon, lines, not_an_integer, note_foreign_keys, quoted};
use super::{Evidence, NO_ADDRESS, Tool, columns, entries, identifier};
use crate::error::{Doing, Error};
use crate::files::read_text;
use crate::migrations::migration::{Chunk, Migration};
use crate::migrations::plan::{Decision, Entry, Ledger, Plan, Refusal, State};
use crate::migrations::project::Project;
use crate::migrations::{Located, Strength, shown};

/// The record of this tool.
pub const TOOL: Tool = Tool {
    name: "goose",
    looks_for: "<number>_<name>.sql with `-- +goose Up`",
    folders: |project| {
        let named = project.dotenv("GOOSE_MIGRATION_DIR");
        Ok(named.map(|(folder, why)| (project.root.join(folder.trim_start_matches("./")), why)).into_iter().collect())
    },
    recognises,
    layout: |_, project, decisions| {
        note_foreign_keys(project, decisions);
        Ok("")
    },
    address: NO_ADDRESS,
    ledger: |_| "goose_db_version",
    records_in,
    // The command reads `.env`.
    config_table: Some(|project| Ok(project.dotenv("GOOSE_TABLE"))),
    config_columns: &[&["id", "version_id", "is_applied", "tstamp"]],
    plan,
};

const SEE: &str = "see https://github.com/pressly/goose#sql-migrations";
/// Longer lines are refused; in bytes.
const LONGEST_LINE: usize = 4 * 1024 * 1024;
/// How many files are looked at for the marker.
const LOOKED_AT: usize = 3;

/// A file of the folder.
struct File {
    version: i64,
    path: PathBuf,
}

impl File {
    fn is_go(&self) -> bool {
        self.path.extension().is_some_and(|end| end == "go")
    }

    fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn file_name(&self) -> String {
        self.path.file_name().unwrap_or_default().to_string_lossy().into_owned()
    }
}

fn recognises(folder: &Path, _: &Project) -> Option<Evidence> {
    let files = collect(folder).ok()?.files;
    let marked = files.iter().filter(|file| !file.is_go()).take(LOOKED_AT).find(|file| {
        let is_marker = |line: &str| matches!(annotation(line), Some(Ok(Annotation::Up)));
        read_text(&file.path).is_ok_and(|text| lines(&text).any(|line| is_marker(line.text)))
    })?;
    Some(Evidence { strength: Strength::Layout, why: format!("{} has `-- +goose Up`", shown(&marked.path)) })
}

fn records_in(before: &Connection, table: &str) -> Result<bool, Error> {
    Ok(columns(before, table)? == ["id", "version_id", "is_applied", "tstamp"])
}

/// The files of a folder, and why goose refuses it.
struct Collected {
    /// By version.
    files: Vec<File>,
    refusal: Option<Refusal>,
}

fn collect(folder: &Path) -> Result<Collected, Error> {
    let mut collected = Collected { files: Vec::new(), refusal: None };
    for (name, path) in entries(folder)? {
        match (name.rsplit_once('.').map(|(_, end)| end), version(&name)) {
            (Some("sql"), Err(why)) => {
                let message = format!("could not parse SQL migration file {}: {why}", quoted(&shown(&path)));
                let help =
                    "name it `<number>_<name>.sql`, or move it out of the folder: goose refuses the whole folder";
                collected.refusal.get_or_insert_with(|| refusal(message, help.into(), 0));
            }
            (Some("go"), _) if name.ends_with("_test.go") => {}
            (Some("sql" | "go"), Ok(version)) => collected.files.push(File { version, path }),
            _ => {}
        }
    }
    collected.files.sort_by_key(|file| file.version);
    let same = collected.files.windows(2).find(|pair| pair[0].version == pair[1].version);
    if let (Some([one, other]), None) = (same, &collected.refusal) {
        let (one_path, other_path) = (shown(&one.path), shown(&other.path));
        let message = format!("goose: duplicate version {} detected:\n{one_path}\n{other_path}", one.version);
        collected.refusal = Some(refusal(message, format!("give `{}` a number of its own", other.file_name()), 0));
    }
    if collected.files.is_empty() {
        let help = "say which folder it is: `--migrations DIR`".to_owned();
        collected.refusal.get_or_insert_with(|| refusal("no migration files found".into(), help, 0));
    }
    Ok(collected)
}

fn version(name: &str) -> Result<i64, String> {
    let (number, _) = name.split_once('_').ok_or("no filename separator '_' found")?;
    match number.parse() {
        Err(_) => Err(format!("failed to parse version from migration file: {name}: {}", not_an_integer(number))),
        Ok(..1) => Err("migration version must be greater than zero".into()),
        Ok(version) => Ok(version),
    }
}

fn refusal(message: String, help: String, after: usize) -> Refusal {
    Refusal { message, help, after }
}

fn plan(located: &Located, before: &Connection) -> Result<Plan, Error> {
    let table = &located.table;
    let present = records_in(before, table)?;
    let recorded = if present { Some(read_ledger(before, table)?) } else { None };
    let Collected { files, refusal: uncollected } = collect(&located.folder)?;
    let setup = if uncollected.is_none() && !present { create(table) } else { Vec::new() };
    let applied = recorded.clone().unwrap_or_else(|| BTreeSet::from([0]));
    let refused = uncollected.or_else(|| nothing_recorded(&applied, table)).or_else(|| out_of_order(&files, &applied));
    let mut plan = Plan {
        tool: TOOL.name,
        layout: located.layout,
        folder: located.folder.clone(),
        ledger: Ledger {
            name: table.clone(),
            present,
            rows: recorded.iter().flatten().filter(|version| **version > 0).count() as u64,
        },
        entries: Vec::new(),
        setup,
        refusal: refused,
        decisions: located.decisions.clone(),
    };
    for file in &files {
        let is_pending = !applied.contains(&file.version);
        // Where goose would not start, what it would read is no matter.
        let is_reached = is_pending && plan.refusal.is_none();
        let migration =
            if file.is_go() { written_in_go(file, is_reached)? } else { read(file, is_reached, table, &mut plan)? };
        plan.entries.push(Entry { migration, state: if is_pending { State::Pending } else { State::Applied } });
    }
    for version in applied.iter().filter(|version| **version > 0 && files.iter().all(|file| file.version != **version))
    {
        let place = files.iter().take_while(|file| file.version < *version).count();
        let earlier = applied.range(1..*version).filter(|one| files.iter().all(|file| file.version != **one)).count();
        let migration = Migration::without_file(version.to_string(), PathBuf::new(), String::new());
        plan.entries.insert(place + earlier, Entry { migration, state: State::Missing });
    }
    Ok(plan)
}

/// Every version with a row; rolling one back deletes its row.
fn read_ledger(before: &Connection, table: &str) -> Result<BTreeSet<i64>, Error> {
    let doing = || format!("reading the ledger `{table}`");
    let mut select = before.prepare(&format!("SELECT version_id FROM {}", identifier(table))).doing(doing)?;
    let rows = select.query_map([], |row| row.get(0));
    rows.and_then(Iterator::collect).doing(doing)
}

fn nothing_recorded(applied: &BTreeSet<i64>, table: &str) -> Option<Refusal> {
    let help =
        format!("put its first row back: `INSERT INTO {} (version_id, is_applied) VALUES (0, 1)`", identifier(table));
    applied.is_empty().then(|| refusal("no next version found".into(), help, 0))
}

fn out_of_order(files: &[File], applied: &BTreeSet<i64>) -> Option<Refusal> {
    let newest = *applied.last()?;
    let missing: Vec<String> = files
        .iter()
        .filter(|file| file.version < newest && !applied.contains(&file.version))
        .map(|file| format!("version {}: {}", file.version, shown(&file.path)))
        .collect();
    let message = format!(
        "error: found {} missing migrations before current version {newest}:\n\t{}",
        missing.len(),
        missing.join("\n\t")
    );
    let help = format!(
        "give it a number after {newest}; `goose -allow-missing up` or `goose.WithAllowMissing()` applies it as it is"
    );
    (!missing.is_empty()).then(|| refusal(message, help, 0))
}

/// A pending migration that is a function of the app cannot be read here.
fn written_in_go(file: &File, is_reached: bool) -> Result<Migration, Error> {
    if is_reached {
        let cause = "it is written in Go and pending: only the app's own command can run it";
        return Err(Error::cannot(format!("reading `{}`", shown(&file.path)), cause)
            .hint("rehearse with the command that migrates in production: --exec 'COMMAND'"));
    }
    Ok(Migration::without_file(file.name(), file.path.clone(), String::new()))
}

fn read(file: &File, is_reached: bool, table: &str, plan: &mut Plan) -> Result<Migration, Error> {
    let sql = read_text(&file.path).doing(|| format!("reading `{}`", shown(&file.path)))?;
    let up = match parse(&sql, Direction::Up) {
        Err(Fault::Unset { name, line }) if is_reached => return Err(unset(file, line, &name)),
        Err(Fault::Refused(why)) if is_reached => {
            let message = format!("ERROR {}: failed to parse SQL migration file: {why}", file.file_name());
            let help = format!("mend it: goose applies what comes before `{}` and stops there", file.file_name());
            let after = plan.pending().count();
            plan.refusal.get_or_insert_with(|| refusal(message, help, after));
            Parsed::default()
        }
        parsed => parsed.unwrap_or_default(),
    };
    if is_reached {
        plan.decisions.extend(up.variables.iter().map(|(name, line)| Decision {
            what: "variable",
            value: format!("`{name}` as it is set here; production's may be another"),
            why: format!("ENVSUB at {}:{line}", shown(&file.path)),
        }));
    }
    let (version, name) = (file.version, file.name());
    let mut migration = Migration::sent(name.clone(), file.path.clone(), sql.clone(), up.pieces);
    migration.unwrapped = !up.transaction;
    migration.record.within.push(format!("INSERT INTO {table} (version_id, is_applied) VALUES ({version}, 1)"));
    if let Ok(down) = parse(&sql, Direction::Down) {
        let mut undo = Migration::sent(name, file.path.clone(), sql, down.pieces);
        undo.unwrapped = !down.transaction;
        undo.record.within.push(format!("DELETE FROM {table} WHERE version_id={version}"));
        migration.down = Some(Box::new(undo));
    }
    Ok(migration)
}

fn unset(file: &File, line: u32, name: &str) -> Error {
    let cause = format!("`-- +goose ENVSUB ON` puts in the variable `{name}`, which is not set here");
    Error::usage(format!("reading `{}:{line}`", shown(&file.path)), cause)
        .hint(format!("set it to what production has: {name}=… rehearse …"))
}

/// The text is goose's to the last tab, because SQLite keeps it in the schema.
fn create(table: &str) -> Vec<String> {
    vec![
        "BEGIN".into(),
        format!(
            "CREATE TABLE {table} (\n\t\tid INTEGER PRIMARY KEY AUTOINCREMENT,\n\t\tversion_id INTEGER NOT NULL,\n\t\tis_applied \
             INTEGER NOT NULL,\n\t\ttstamp TIMESTAMP DEFAULT (datetime('now'))\n\t)"
        ),
        format!("INSERT INTO {table} (version_id, is_applied) VALUES (0, 1)"),
        "COMMIT".into(),
    ]
}

/// The two halves of a text; none of one that goose refuses.
pub(super) fn cut(sql: &str) -> Vec<Migration> {
    let halves = [Direction::Up, Direction::Down].into_iter().filter_map(|direction| parse(sql, direction).ok());
    halves.map(|half| Migration::sent(String::new(), PathBuf::new(), sql.to_owned(), half.pieces)).collect()
}

// ---- the file -------------------------------------------------------------------------------------------------------

/// Which half of a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Up,
    Down,
}

/// What a file holds for one direction.
#[derive(Debug)]
struct Parsed {
    /// What is sent in one call each; the comments that goose leaves out are in the piece behind them.
    pieces: Vec<(Chunk, Option<String>)>,
    transaction: bool,
    /// The variables that were put in, and where first.
    variables: BTreeMap<String, u32>,
}

impl Default for Parsed {
    fn default() -> Self {
        Self { pieces: Vec::new(), transaction: true, variables: BTreeMap::new() }
    }
}

/// Why a file cannot be read.
#[derive(Debug, PartialEq, Eq)]
enum Fault {
    /// In goose's words.
    Refused(String),
    /// A variable is not set where this runs. goose itself would put in nothing.
    Unset { name: String, line: u32 },
}

/// What a line that begins with `-- +goose` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Annotation {
    Up,
    Down,
    StatementBegin,
    StatementEnd,
    NoTransaction,
    EnvsubOn,
    EnvsubOff,
}

/// The annotation of a line; none where it has none, and goose's words where it has one that goose does not take.
fn annotation(line: &str) -> Option<Result<Annotation, String>> {
    if !line.trim().starts_with("--") || !line.contains("+goose") {
        return None;
    }
    Some(read_annotation(line).map_err(|why| format!("failed to parse annotation line {}: {why}", quoted(line))))
}

fn read_annotation(line: &str) -> Result<Annotation, String> {
    if line.starts_with([' ', '\t']) {
        return Err(format!("{} contains leading whitespace: invalid annotation", quoted(line)));
    }
    let command = line.replace("--", "").replacen("+goose", "", 1);
    if command.contains("+goose") {
        return Err(format!("{} contains multiple '+goose' annotations: invalid annotation", quoted(&command)));
    }
    match command.trim().to_lowercase().as_str() {
        "" => Err("empty annotation".into()),
        "up" => Ok(Annotation::Up),
        "down" => Ok(Annotation::Down),
        "statementbegin" => Ok(Annotation::StatementBegin),
        "statementend" => Ok(Annotation::StatementEnd),
        "no transaction" => Ok(Annotation::NoTransaction),
        "envsub on" => Ok(Annotation::EnvsubOn),
        "envsub off" => Ok(Annotation::EnvsubOff),
        _ => Err(format!("{} not supported: invalid annotation", quoted(command.trim()))),
    }
}

/// Where in a file goose is; messages give it by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Start,
    /// Between statements, or in one that ends at a semicolon.
    Open(Direction),
    /// Behind `StatementBegin`.
    Inside(Direction),
    /// Behind `StatementEnd`, until a statement is taken.
    Ended(Direction),
}

impl Place {
    fn number(self) -> u8 {
        let from = |first: u8, direction| if direction == Direction::Up { first } else { first + 3 };
        match self {
            Self::Start => 0,
            Self::Open(direction) => from(1, direction),
            Self::Inside(direction) => from(2, direction),
            Self::Ended(direction) => from(3, direction),
        }
    }

    fn direction(self) -> Option<Direction> {
        match self {
            Self::Start => None,
            Self::Open(direction) | Self::Inside(direction) | Self::Ended(direction) => Some(direction),
        }
    }
}

/// A file that is being read for one direction.
struct Parser<'a> {
    sql: &'a str,
    wanted: Direction,
    place: Place,
    /// The statement as far as it is read.
    buffer: String,
    /// Where the part of the file begins that is not in a piece yet: the byte and the line.
    from: (usize, u32),
    substitutes: bool,
    parsed: Parsed,
}

/// Reads the half of a file; the other half must be well-formed too.
fn parse(sql: &str, wanted: Direction) -> Result<Parsed, Fault> {
    let mut parser = Parser {
        sql,
        wanted,
        place: Place::Start,
        buffer: String::new(),
        from: (0, 1),
        substitutes: false,
        parsed: Parsed::default(),
    };
    for line in lines(sql) {
        if line.text.len() >= LONGEST_LINE {
            return Err(Fault::Refused("failed to scan migration: bufio.Scanner: token too long".into()));
        }
        parser.line(line.text, line.number, line.start, line.end)?;
    }
    parser.end()
}

impl Parser<'_> {
    fn line(&mut self, line: &str, number: u32, start: usize, end: usize) -> Result<(), Fault> {
        if self.place == Place::Start && line.trim().is_empty() {
            return Ok(());
        }
        match annotation(line).transpose().map_err(Fault::Refused)? {
            Some(Annotation::StatementEnd) => self.end_statement()?,
            Some(annotation) => return self.turn(annotation, number, start),
            None => {}
        }
        if self.buffer.is_empty() && (line.trim().starts_with("--") || line.is_empty()) {
            return Ok(());
        }
        let mut line = line.to_owned();
        if !matches!(self.place, Place::Ended(_)) {
            if self.substitutes {
                line = self.substitute(&line, number)?;
            }
            self.buffer.push_str(&line);
            self.buffer.push('\n');
        }
        let Some(direction) = self.place.direction() else {
            let message = format!("failed to parse migration: unexpected state 0 on line {}, {SEE}", quoted(&line));
            return Err(Fault::Refused(message));
        };
        if direction != self.wanted {
            self.buffer.clear();
            return Ok(());
        }
        match self.place {
            Place::Open(_) if ends_with_semicolon(&line) => self.take(end, number),
            Place::Ended(_) => {
                self.take(end, number);
                self.place = Place::Open(direction);
            }
            _ => {}
        }
        Ok(())
    }

    /// An annotation other than `StatementEnd`.
    fn turn(&mut self, annotation: Annotation, number: u32, start: usize) -> Result<(), Fault> {
        match (annotation, self.place) {
            (Annotation::Up, Place::Start) => self.place = Place::Open(Direction::Up),
            (Annotation::Up, place) => {
                let state = place.number();
                let message = format!("duplicate '-- +goose Up' annotations; stateMachine={state}, {SEE}");
                return Err(Fault::Refused(message));
            }
            (Annotation::Down, Place::Open(Direction::Up) | Place::Ended(Direction::Up)) => {
                self.must_be_finished()?;
                if self.wanted == Direction::Up {
                    self.leave_out(start);
                }
                self.place = Place::Open(Direction::Down);
                self.from = (start, number);
            }
            (Annotation::Down, place) => {
                let state = place.number();
                let message = format!("must start with '-- +goose Up' annotation, stateMachine={state}, {SEE}");
                return Err(Fault::Refused(message));
            }
            (Annotation::StatementBegin, Place::Open(direction) | Place::Ended(direction)) => {
                self.place = Place::Inside(direction);
            }
            (Annotation::StatementBegin, place) => {
                let state = place.number();
                let message = format!(
                    "'-- +goose StatementBegin' must be defined after '-- +goose Up' or '-- +goose Down' annotation, \
                     stateMachine={state}, {SEE}"
                );
                return Err(Fault::Refused(message));
            }
            (Annotation::NoTransaction, _) => self.parsed.transaction = false,
            (Annotation::EnvsubOn, _) => self.substitutes = true,
            (Annotation::EnvsubOff, _) => self.substitutes = false,
            (Annotation::StatementEnd, _) => {}
        }
        Ok(())
    }

    fn end_statement(&mut self) -> Result<(), Fault> {
        let Place::Inside(direction) = self.place else {
            let message = format!("'-- +goose StatementEnd' must be defined after '-- +goose StatementBegin', {SEE}");
            return Err(Fault::Refused(message));
        };
        self.place = Place::Ended(direction);
        Ok(())
    }

    /// The statement is whole: it and the comments before it are a piece.
    fn take(&mut self, end: usize, number: u32) {
        let (start, line) = self.from;
        let sent = self.buffer.trim().to_owned();
        self.parsed.pieces.push((Chunk::new(&self.sql[start..end], line), Some(sent)));
        self.buffer.clear();
        self.from = (end, number + 1);
    }

    /// Comments behind the last statement.
    fn leave_out(&mut self, end: usize) {
        let (start, line) = self.from;
        self.parsed.pieces.push((Chunk::new(&self.sql[start..end], line), None));
    }

    fn must_be_finished(&self) -> Result<(), Fault> {
        let rest = self.buffer.trim();
        if rest.is_empty() {
            return Ok(());
        }
        let direction = if self.wanted == Direction::Up { "up" } else { "down" };
        Err(Fault::Refused(format!(
            "failed to parse migration: state {}, direction: {direction}: unexpected unfinished SQL query: {}: missing semicolon?",
            self.place.number(),
            quoted(rest)
        )))
    }

    fn end(mut self) -> Result<Parsed, Fault> {
        match self.place {
            Place::Start => {
                let message = format!("failed to parse migration: must start with '-- +goose Up' annotation, {SEE}");
                return Err(Fault::Refused(message));
            }
            Place::Inside(_) => {
                let message = "failed to parse migration: missing '-- +goose StatementEnd' annotation";
                return Err(Fault::Refused(message.into()));
            }
            Place::Open(_) | Place::Ended(_) => {}
        }
        self.must_be_finished()?;
        if self.place.direction() == Some(self.wanted) {
            self.leave_out(self.sql.len());
        }
        Ok(self.parsed)
    }

    /// `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}` and `${NAME?why}`; `$$` and `\$` are a dollar sign.
    fn substitute(&mut self, line: &str, number: u32) -> Result<String, Fault> {
        let mut text = String::new();
        let mut rest = line;
        while let Some(at) = rest.find(['$', '\\']) {
            text.push_str(&rest[..at]);
            rest = &rest[at..];
            if let Some((literal, length)) = literal_dollar(rest) {
                text.push_str(literal);
                rest = &rest[length..];
                continue;
            }
            let (name, default, length) = variable(rest)
                .map_err(|why| Fault::Refused(format!("variable substitution failed: {why}:\n{line}")))?;
            let value = std::env::var(name).ok();
            let text_of_it = match (value, default) {
                (Some(value), Some((":-", default))) if value.is_empty() => default.to_owned(),
                (Some(value), _) => value,
                (None, Some((":-" | "-", default))) => default.to_owned(),
                (None, _) if self.place.direction() == Some(self.wanted) => {
                    return Err(Fault::Unset { name: name.to_owned(), line: number });
                }
                (None, _) => String::new(),
            };
            self.parsed.variables.entry(name.to_owned()).or_insert(number);
            text.push_str(&text_of_it);
            rest = &rest[length..];
        }
        text.push_str(rest);
        Ok(text)
    }
}

/// What stands at a dollar sign or a backslash and is no variable, and its length.
fn literal_dollar(text: &str) -> Option<(&str, usize)> {
    let pairs = [("\\\\", "\\\\"), ("\\$", "$"), ("$$", "$"), ("$(", "$(")];
    let pair =
        pairs.iter().find(|(written, _)| text.starts_with(written)).map(|(written, meant)| (*meant, written.len()));
    pair.or_else(|| (text.starts_with('\\') || text == "$").then(|| (&text[..1], 1)))
}

/// A variable: its name, its operator with what follows, and the length of it all.
type Variable<'a> = (&'a str, Option<(&'a str, &'a str)>, usize);

fn variable(text: &str) -> Result<Variable<'_>, String> {
    let (inner, in_braces) = text[1..].strip_prefix('{').map_or((&text[1..], false), |inner| (inner, true));
    let is_of_name = |character: char| character.is_alphanumeric() || character == '_';
    let end = inner.find(|character: char| !is_of_name(character)).unwrap_or(inner.len());
    let name = &inner[..end];
    if !name.starts_with(char::is_alphabetic) {
        let got = inner.chars().next().unwrap_or('\u{fffd}');
        return Err(format!("Expected identifier to start with a letter, got {got}"));
    }
    if !in_braces {
        return Ok((name, None, 1 + end));
    }
    let Some(close) = inner[end..].find('}').map(|at| end + at) else {
        return Err("Expected brace expansion to end with }, got \u{fffd}".into());
    };
    let length = 2 + close + 1;
    let operation = &inner[end..close];
    for operator in [":-", "-", "?"] {
        if let Some(rest) = operation.strip_prefix(operator) {
            return Ok((name, Some((operator, rest)), length));
        }
    }
    if operation.is_empty() {
        Ok((name, None, length))
    } else {
        Err(format!("`${{{name}{operation}}}` is not read here"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is sent, piece by piece.
    fn sent(sql: &str, direction: Direction) -> Result<Vec<String>, Fault> {
        parse(sql, direction).map(|parsed| parsed.pieces.into_iter().filter_map(|(_, sent)| sent).collect())
    }

    fn refused(sql: &str) -> String {
        match parse(sql, Direction::Up) {
            Err(Fault::Refused(why)) => why,
            other => format!("{other:?}"),
        }
    }

    /// The cases are those of goose's own `parser_test.go`, in short.
    #[test]
    fn lines_decide_the_pieces() {
        for (sql, expected) in [
            ("-- +goose Up\nSELECT 1;\nSELECT 2;\n", vec!["SELECT 1;", "SELECT 2;"]),
            ("-- +goose Up\nSELECT 1; SELECT 2;\n", vec!["SELECT 1; SELECT 2;"]),
            ("--    +goose   up  \r\nSELECT 1\r\n;\r\n", vec!["SELECT 1\n;"]),
            ("-- first\n\n-- +goose Up\n-- a\n\nSELECT 1 -- b;\n-- c;\n;\n-- d\n", vec!["SELECT 1 -- b;\n-- c;\n;"]),
            ("-- +goose Up\n-- +goose StatementBegin\nA;\n\nB;\n-- +goose StatementEnd\nC;", vec!["A;\n\nB;", "C;"]),
            ("-- +goose Up\nBEGIN\n  A;\nEND;", vec!["BEGIN\n  A;", "END;"]),
            ("-- +goose Up\nA;\n-- +goose Down\nB;\nC;\n", vec!["A;"]),
            ("-- +goose Up\n-- +goose Down\n", vec![]),
            ("-- +goose Up\n", vec![]),
        ] {
            assert_eq!(sent(sql, Direction::Up).unwrap(), expected, "{sql}");
        }
        assert_eq!(sent("-- +goose Up\nA;\n-- +goose Down\nB;\nC;\n", Direction::Down).unwrap(), ["B;", "C;"]);
        assert!(!parse("-- +goose NO TRANSACTION\n-- +goose Up\n", Direction::Up).unwrap().transaction);
    }

    /// A `StatementEnd` behind nothing but comments leaves goose waiting: the next line is lost.
    #[test]
    fn an_empty_statement_swallows_the_next_line() {
        let sql = "-- +goose Up\n-- +goose StatementBegin\n-- nothing\n-- +goose StatementEnd\nA;\nB;\n";
        assert_eq!(sent(sql, Direction::Up).unwrap(), ["", "B;"]);
    }

    #[test]
    fn refusals_in_its_own_words() {
        for (sql, expected) in [
            ("", "failed to parse migration: must start with '-- +goose Up' annotation, see"),
            ("SELECT 1;", "failed to parse migration: unexpected state 0 on line \"SELECT 1;\", see"),
            ("-- +goose Up\n-- +goose Up\n", "duplicate '-- +goose Up' annotations; stateMachine=1, see"),
            ("-- +goose Down\n", "must start with '-- +goose Up' annotation, stateMachine=0, see"),
            ("-- +goose Up\n-- +goose StatementEnd\n", "'-- +goose StatementEnd' must be defined after"),
            ("-- +goose Up\n-- +goose StatementBegin\nA;", "missing '-- +goose StatementEnd' annotation"),
            (
                "-- +goose Up\nSELECT 1\n-- +goose Down\n",
                "state 1, direction: up: unexpected unfinished SQL query: \"SELECT 1\": missing semicolon?",
            ),
            ("-- +goose Up\nSELECT 1", "unexpected unfinished SQL query: \"SELECT 1\": missing semicolon?"),
            (" -- +goose Up\n", "contains leading whitespace: invalid annotation"),
            ("-- +goose\n", "failed to parse annotation line \"-- +goose\": empty annotation"),
            ("-- +goose Upp\n", "\"Upp\" not supported: invalid annotation"),
            ("\u{feff}-- +goose Up\n", "unexpected state 0 on line \"\\ufeff-- +goose Up\""),
        ] {
            assert!(refused(sql).contains(expected), "{sql}: {}", refused(sql));
        }
    }

    #[test]
    fn variables_are_put_in_where_that_is_asked_for() {
        let of = |line: &str| sent(&format!("-- +goose Up\n-- +goose ENVSUB ON\n{line}"), Direction::Up);
        assert_eq!(of("SELECT '${NOT_SET_HERE:-a}', '$$x', '\\$y';").unwrap(), ["SELECT 'a', '$x', '$y';"]);
        assert_eq!(of("SELECT '${NOT_SET_HERE}';"), Err(Fault::Unset { name: "NOT_SET_HERE".into(), line: 3 }));
        assert_eq!(
            sent("-- +goose Up\nSELECT '${NOT_SET_HERE}';", Direction::Up).unwrap(),
            ["SELECT '${NOT_SET_HERE}';"]
        );
        assert!(refused("-- +goose Up\n-- +goose ENVSUB ON\nSELECT '$1';").contains("got 1"));
    }
}
