//! sql-migrate (rubenv): `sql-migrate up` and `migrate.Exec`.
//!
//! Source: sql-migrate 1.8.0, `migrate.go`, `sqlparse/sqlparse.go` and `sql-migrate/config.go`; measured with the version of
//! Debian 12.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::go::{ends_with_semicolon, lines, not_an_integer, note_foreign_keys, quoted};
use super::{Evidence, Tool, columns, entries, identifier, text_literal};
use crate::error::{Doing, Error};
use crate::files::read_text;
use crate::migrations::migration::{Chunk, Migration};
use crate::migrations::plan::{Entry, Ledger, Plan, Refusal, State};
use crate::migrations::project::Project;
use crate::migrations::{Located, Strength, shown};

/// The record of this tool.
pub const TOOL: Tool = Tool {
    name: "sql-migrate",
    looks_for: "*.sql with `-- +migrate Up`",
    folders,
    recognises,
    layout: |_, project, decisions| {
        note_foreign_keys(project, decisions);
        Ok("")
    },
    address: |project| {
        let found = environment(project)?;
        Ok(found.map(|(environment, place)| (environment.datasource, format!("`datasource` of {place}"))))
    },
    ledger: |_| "gorp_migrations",
    records_in,
    config_table: Some(config_table),
    config_columns: &[&["id", "applied_at"]],
    plan,
};

const COMMAND: &str = "-- +migrate ";
const SEE: &str = "\n\t\t\tSee https://github.com/rubenv/sql-migrate for details.";
/// Longer lines are refused; in bytes.
const LONGEST_LINE: usize = 1024 * 1024;
/// How many files are looked at for the marker.
const LOOKED_AT: usize = 3;

// ---- the configuration ----------------------------------------------------------------------------------------------

/// An environment of `dbconfig.yml`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Environment {
    name: String,
    dialect: String,
    datasource: String,
    dir: String,
    table: String,
}

/// The environment that production has: `production`, else the command's default, `development`, else the first. Only those
/// of SQLite count.
fn environment(project: &Project) -> Result<Option<(Environment, String)>, Error> {
    let file = project.root.join("dbconfig.yml");
    if !file.is_file() {
        return Ok(None);
    }
    let text = read_text(&file).doing(|| format!("reading `{}`", shown(&file)))?;
    let mut found = environments(&text);
    if found.is_empty() {
        return Ok(None);
    }
    found.retain(|one| one.dialect == "sqlite3");
    let wanted = ["production", "development"].iter().find_map(|name| found.iter().position(|one| one.name == *name));
    if found.is_empty() {
        return Err(Error::usage(format!("reading `{}`", shown(&file)), "no environment has `dialect: sqlite3`")
            .hint("say which tool and folder it is: `--tool` and `--migrations DIR`"));
    }
    let chosen = found.swap_remove(wanted.unwrap_or(0));
    let place = format!("`{}` in {}", chosen.name, shown(&file));
    Ok(Some((chosen, place)))
}

/// The environments of a configuration: names at the margin, with settings of one line each below them.
fn environments(text: &str) -> Vec<Environment> {
    let mut found: Vec<Environment> = Vec::new();
    for line in text.lines() {
        let Some((key, value)) = line.split_once(':').filter(|_| !line.trim_start().starts_with('#')) else { continue };
        let value = scalar(value);
        match (line.starts_with([' ', '\t']), found.last_mut()) {
            (false, _) => found.push(Environment { name: scalar(key), ..Environment::default() }),
            (true, Some(last)) => match key.trim() {
                "dialect" => last.dialect = value,
                "datasource" => last.datasource = value,
                "dir" => last.dir = value,
                "table" => last.table = value,
                _ => {}
            },
            (true, None) => {}
        }
    }
    found
}

/// Reads a configuration; its environments are of no use without the project.
pub(crate) fn read_environments(text: &str) {
    environments(text);
}

fn scalar(text: &str) -> String {
    let text = text.trim();
    for quote in ['"', '\''] {
        if let Some((inner, _)) = text.strip_prefix(quote).and_then(|rest| rest.split_once(quote)) {
            return inner.to_owned();
        }
    }
    text.split(" #").next().unwrap_or_default().trim().to_owned()
}

fn folders(project: &Project) -> Result<Vec<(PathBuf, String)>, Error> {
    let Some((environment, place)) = environment(project)? else { return Ok(Vec::new()) };
    let (dir, why) = match environment.dir.as_str() {
        "" => ("migrations", format!("default of {place}")),
        dir => (dir, format!("`dir` of {place}")),
    };
    let folder: PathBuf = Path::new(dir).components().filter(|part| *part != std::path::Component::CurDir).collect();
    Ok(vec![(project.root.join(folder), why)])
}

fn config_table(project: &Project) -> Result<Option<(String, String)>, Error> {
    let configured = environment(project)?.filter(|(environment, _)| !environment.table.is_empty());
    Ok(configured.map(|(environment, place)| (environment.table, format!("`table` of {place}"))))
}

fn recognises(folder: &Path, _: &Project) -> Option<Evidence> {
    let is_marked = |path: &&PathBuf| {
        let is_marker = |line: &str| line.starts_with("-- +migrate Up") || line.starts_with("-- +migrate Down");
        read_text(path).is_ok_and(|text| lines(&text).any(|line| is_marker(line.text)))
    };
    let files: Vec<PathBuf> = files(folder).ok()?.into_iter().map(|(_, path)| path).collect();
    let marked = files.iter().take(LOOKED_AT).find(is_marked)?;
    Some(Evidence { strength: Strength::Layout, why: format!("{} has `-- +migrate Up`", shown(marked)) })
}

fn records_in(before: &Connection, table: &str) -> Result<bool, Error> {
    Ok(columns(before, table)? == ["id", "applied_at"])
}

// ---- the plan -------------------------------------------------------------------------------------------------------

fn files(folder: &Path) -> Result<Vec<(String, PathBuf)>, Error> {
    let is_sql = |(name, path): &(String, PathBuf)| name.as_bytes().ends_with(b".sql") && !path.is_dir();
    Ok(entries(folder)?.into_iter().filter(is_sql).collect())
}

/// What comes first: numbers by their value, then names.
type Order = (bool, i64, String);

/// The place of a name; its digits where they are no number of 64 bits.
fn order(name: &str) -> Result<Order, String> {
    let end = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
    if end == 0 {
        return Ok((true, 0, name.to_owned()));
    }
    name[..end].parse().map(|number| (false, number, name.to_owned())).map_err(|_| name[..end].to_owned())
}

fn plan(located: &Located, before: &Connection) -> Result<Plan, Error> {
    let table = &located.table;
    let present = records_in(before, table)?;
    let mut applied = if present { read_ledger(before, table)? } else { BTreeSet::new() };
    let mut plan = Plan {
        tool: TOOL.name,
        layout: located.layout,
        folder: located.folder.clone(),
        ledger: Ledger { name: table.clone(), present, rows: applied.len() as u64 },
        entries: Vec::new(),
        setup: vec![format!(
            "create table if not exists {} (\"id\" varchar(255) not null primary key, \"applied_at\" datetime)",
            identifier(table)
        )],
        refusal: None,
        decisions: located.decisions.clone(),
    };
    let mut entries = Vec::new();
    for (name, path) in files(&located.folder)? {
        let place = ordered(&name, &mut plan);
        let state = if applied.remove(&name) { State::Applied } else { State::Pending };
        entries.push((place, Entry { migration: read(&name, path, table, &mut plan)?, state }));
    }
    let mut unknown = Vec::new();
    for id in applied {
        let place = ordered(&id, &mut plan);
        let migration = Migration::without_file(id, PathBuf::new(), String::new());
        unknown.push(place.clone());
        entries.push((place, Entry { migration, state: State::Missing }));
    }
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    plan.entries = entries.into_iter().map(|(_, entry)| entry).collect();
    if let Some((_, _, id)) = unknown.into_iter().min() {
        plan.refusal.get_or_insert_with(|| Refusal {
            message: format!("Unable to create migration plan because of {id}: unknown migration in database"),
            help: "bring its file back; `-ignore-unknown` lets sql-migrate go on without it".into(),
            after: 0,
        });
    }
    Ok(plan)
}

fn read_ledger(before: &Connection, table: &str) -> Result<BTreeSet<String>, Error> {
    let doing = || format!("reading the ledger `{table}`");
    let mut select = before.prepare(&format!("SELECT CAST(id AS TEXT) FROM {}", identifier(table))).doing(doing)?;
    let rows = select.query_map([], |row| row.get(0));
    rows.and_then(Iterator::collect).doing(doing)
}

fn ordered(name: &str, plan: &mut Plan) -> Order {
    order(name).unwrap_or_else(|digits| {
        plan.refusal.get_or_insert_with(|| Refusal {
            message: format!("Could not parse {} into int64: {}", quoted(&digits), not_an_integer(&digits)),
            help: format!("give `{name}` a smaller number: sql-migrate panics on it"),
            after: 0,
        });
        (false, i64::MAX, name.to_owned())
    })
}

fn read(id: &str, path: PathBuf, table: &str, plan: &mut Plan) -> Result<Migration, Error> {
    let sql = read_text(&path).doing(|| format!("reading `{}`", shown(&path)))?;
    let Parsed { up, down } = match parse(&sql) {
        Ok(parsed) => parsed,
        Err(why) => {
            plan.refusal.get_or_insert_with(|| Refusal {
                message: format!("Error while parsing {id}: Error parsing migration ({id}): {why}"),
                help: format!("mend `{id}`: sql-migrate reads every file before it runs one"),
                after: 0,
            });
            Parsed::default()
        }
    };
    let name = id.strip_suffix(".sql").unwrap_or(id).to_owned();
    let (table, id) = (identifier(table), text_literal(id));
    let mut migration = Migration::sent(name.clone(), path.clone(), sql.clone(), up.pieces);
    migration.unwrapped = up.unwrapped;
    migration.record.within.push(format!(
        "insert into {table} (\"id\",\"applied_at\") values ({id},strftime('%Y-%m-%d %H:%M:%f+00:00', 'now'))"
    ));
    let mut undo = Migration::sent(name, path, sql, down.pieces);
    undo.unwrapped = down.unwrapped;
    undo.record.within.push(format!("delete from {table} where \"id\"={id}"));
    migration.down = Some(Box::new(undo));
    Ok(migration)
}

/// The two halves of a text; none where sql-migrate refuses it.
pub(super) fn cut(sql: &str) -> Vec<Migration> {
    let halves = parse(sql).map(|Parsed { up, down }| [up, down]);
    let sent = |half: Half| Migration::sent(String::new(), PathBuf::new(), sql.to_owned(), half.pieces);
    halves.into_iter().flatten().map(sent).collect()
}

// ---- the file -------------------------------------------------------------------------------------------------------

/// What a file holds.
#[derive(Debug, Default)]
struct Parsed {
    up: Half,
    down: Half,
}

/// One direction.
#[derive(Debug, Default)]
struct Half {
    pieces: Vec<(Chunk, Option<String>)>,
    /// `notransaction`.
    unwrapped: bool,
}

/// Reads a file. The rules are those of lines: one that begins with `-- ` is left out, one that ends with `;` ends a statement.
fn parse(sql: &str) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    let mut is_up = None;
    let mut buffer = String::new();
    let mut ignores_semicolons = false;
    let mut from = (0, 1);
    for line in lines(sql) {
        if line.text.len() >= LONGEST_LINE {
            return Err("bufio.Scanner: token too long".into());
        }
        let text = line.text;
        if text.starts_with("-- ") && !text.starts_with("-- +") {
            continue;
        }
        let mut ended = false;
        if let Some(command) = text.strip_prefix(COMMAND) {
            let mut words = command.split_whitespace();
            match words.next().ok_or("ERROR: incomplete migration command")? {
                direction @ ("Up" | "Down") => {
                    if !buffer.trim().is_empty() {
                        return Err(unended());
                    }
                    if let Some(is_up) = is_up {
                        leave_out(&mut parsed, is_up, &sql[from.0..line.start], from.1);
                        from = (line.start, line.number);
                    }
                    is_up = Some(direction == "Up");
                    if words.any(|option| option == "notransaction") {
                        half(&mut parsed, direction == "Up").unwrapped = true;
                    }
                }
                "StatementBegin" if is_up.is_some() => ignores_semicolons = true,
                "StatementEnd" if is_up.is_some() => {
                    ended = ignores_semicolons;
                    ignores_semicolons = false;
                }
                _ => {}
            }
        }
        let Some(is_up) = is_up else {
            // Comments before the first marker belong to what follows it.
            from = if is_blank_or_comment(text) { from } else { (line.end, line.number + 1) };
            continue;
        };
        if !text.starts_with("-- +") {
            buffer.push_str(text);
            buffer.push('\n');
        }
        if ended || !ignores_semicolons && ends_with_semicolon(text) {
            let whole = Chunk::new(&sql[from.0..line.end], from.1);
            half(&mut parsed, is_up).pieces.push((whole, Some(without_end(&buffer).to_owned())));
            buffer.clear();
            from = (line.end, line.number + 1);
        }
    }
    if ignores_semicolons {
        let message = "ERROR: saw '-- +migrate StatementBegin' with no matching '-- +migrate StatementEnd'";
        return Err(message.into());
    }
    let Some(is_up) = is_up else {
        return Err(format!("ERROR: no Up/Down annotations found, so no statements were executed.{SEE}"));
    };
    if !buffer.trim().is_empty() {
        return Err(unended());
    }
    leave_out(&mut parsed, is_up, &sql[from.0..], from.1);
    Ok(parsed)
}

fn half(parsed: &mut Parsed, is_up: bool) -> &mut Half {
    if is_up { &mut parsed.up } else { &mut parsed.down }
}

/// Comments behind the last statement.
fn leave_out(parsed: &mut Parsed, is_up: bool, text: &str, line: u32) {
    half(parsed, is_up).pieces.push((Chunk::new(text, line), None));
}

fn is_blank_or_comment(line: &str) -> bool {
    line.trim().is_empty() || line.trim_start().starts_with("--")
}

/// What is sent of a statement.
fn without_end(statement: &str) -> &str {
    let mut rest = statement;
    for end in ['\n', ' ', ';'] {
        rest = rest.strip_suffix(end).unwrap_or(rest);
    }
    rest
}

fn unended() -> String {
    format!("ERROR: The last statement must be ended by a semicolon or '-- +migrate StatementEnd' marker.{SEE}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(sql: &str) -> Vec<String> {
        parse(sql).unwrap().up.pieces.into_iter().filter_map(|(_, sent)| sent).collect()
    }

    #[test]
    fn lines_decide_the_pieces() {
        for (sql, expected) in [
            ("-- +migrate Up\nA;\nB; \n", vec!["A", "B"]),
            ("-- +migrate Up\nA; B; -- c\n", vec!["A; B; -- c"]),
            ("-- +migrate Up\nA (\n-- left out\n--kept\n);\r\n", vec!["A (\n--kept\n)"]),
            ("-- +migrate Up\n-- +migrate StatementBegin\nA;\nB;\n-- +migrate StatementEnd\nC;", vec!["A;\nB", "C"]),
            ("A;\n-- +migrate Up\n\nB;\n-- +migrate Down\nC;\n", vec!["\nB"]),
            ("-- +migrate Down\nC;\n", vec![]),
            ("\u{feff}-- +migrate Up\nA;\n-- +migrate Down\n", vec![]),
        ] {
            assert_eq!(sent(sql), expected, "{sql}");
        }
        let parsed = parse("-- +migrate Up notransaction\n-- +migrate Down\n").unwrap();
        assert!(parsed.up.unwrapped && !parsed.down.unwrapped);
    }

    #[test]
    fn refusals_in_its_own_words() {
        for (sql, expected) in [
            ("", "ERROR: no Up/Down annotations found"),
            ("-- +migrate Up\nA\n", "ERROR: The last statement must be ended"),
            ("-- +migrate Up\nA\n-- +migrate Down\n", "ERROR: The last statement must be ended"),
            ("-- +migrate Up\n-- +migrate StatementBegin\nA;\n", "ERROR: saw '-- +migrate StatementBegin' with no"),
            ("-- +migrate \n", "ERROR: incomplete migration command"),
        ] {
            assert!(parse(sql).unwrap_err().starts_with(expected), "{sql}");
        }
    }

    #[test]
    fn environments_of_a_configuration() {
        let text = "# for both\ndevelopment:\n  dialect: sqlite3\n  datasource: dev.db # a file\n\nproduction:\n    dialect: \"sqlite3\"\n    dir: db/sql # there\n    table: 'done'\n";
        let found = environments(text);
        assert_eq!(found.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["development", "production"]);
        assert_eq!((found[1].dir.as_str(), found[1].table.as_str()), ("db/sql", "done"));
    }

    #[test]
    fn numbers_come_before_names() {
        let mut names = ["b", "10_a", "a", "9_b", "9_a"];
        names.sort_by_key(|name| order(name).unwrap());
        assert_eq!(names, ["9_a", "9_b", "10_a", "a", "b"]);
    }
}
