//! A plain folder of `.sql` files. Numbered files have `PRAGMA user_version` for their ledger, others have none.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::{Evidence, NO_ADDRESS, Tool, entries};
use crate::error::{Doing, Error};
use crate::migrations::migration::Migration;
use crate::migrations::plan::{Decision, Entry, Ledger, Plan, State};
use crate::migrations::project::Project;
use crate::migrations::statement::Action;
use crate::migrations::{Located, Strength, shown};

/// The record of this tool.
pub const TOOL: Tool = Tool {
    name: "sql",
    looks_for: "*.sql files",
    folders: |_| Ok(Vec::new()),
    recognises,
    layout,
    address: NO_ADDRESS,
    ledger: |layout| if layout == NUMBERED { "PRAGMA user_version" } else { "" },
    records_in: |_, _| Ok(false),
    config_table: None,
    config_columns: &[],
    plan,
};

const NUMBERED: &str = "numbered files";
/// Numbers that do not fit: `user_version` has 32 bits.
const TIMESTAMPED: &str = "timestamped files";
const NAMED: &str = "named files";

/// A `.sql` file with the number that its name begins with.
struct File {
    number: Option<i64>,
    name: String,
    path: PathBuf,
}

fn recognises(folder: &Path, _: &Project) -> Option<Evidence> {
    let first = up_files(folder).ok()?.into_iter().next()?;
    Some(Evidence { strength: Strength::Fallback, why: format!("{} is there", shown(&first.path)) })
}

fn layout(folder: &Path, _: &Project, decisions: &mut Vec<Decision>) -> Result<&'static str, Error> {
    let files = up_files(folder)?;
    let doing = || format!("reading the migrations folder `{}`", shown(folder));
    if files.is_empty() {
        return Err(Error::usage(doing(), "it holds no *.sql files").hint("say which folder it is: `--migrations DIR`"));
    }
    let (numbered, named): (Vec<_>, Vec<_>) = files.iter().partition(|file| file.number.is_some());
    if !numbered.is_empty() && !named.is_empty() {
        let cause = format!("some files are numbered ({}) and some are not ({})", list(&numbered), list(&named));
        return Err(Error::cannot(doing(), cause).hint("number all of them, or none"));
    }
    if let Some(pair) = numbered.windows(2).find(|pair| pair[0].number == pair[1].number) {
        let cause = format!("two files have the same number: {}", list(pair));
        return Err(Error::cannot(doing(), cause).hint("give each file its own number"));
    }
    let fits = |file: &&File| file.number.is_some_and(|number| i32::try_from(number).is_ok());
    let (layout, why) = if numbered.is_empty() {
        (NAMED, "no name begins with a number, so nothing records what was applied and all of them run")
    } else if numbered.iter().all(fits) {
        (NUMBERED, "every name begins with a number")
    } else {
        (
            TIMESTAMPED,
            "a number is too large for `user_version`, so nothing records what was applied and all of them run",
        )
    };
    decisions.push(Decision { what: "layout", value: layout.into(), why: why.into() });
    Ok(layout)
}

fn list(files: &[&File]) -> String {
    files.iter().map(|file| format!("`{}`", file.name)).collect::<Vec<_>>().join(", ")
}

/// The files in order, by number and then by name, without those that undo a migration.
fn up_files(folder: &Path) -> Result<Vec<File>, Error> {
    let mut files: Vec<_> = sql_files(folder)?.into_iter().filter(|file| !is_down(&file.name)).collect();
    files.sort_by(|a, b| a.number.cmp(&b.number).then_with(|| a.name.cmp(&b.name)));
    Ok(files)
}

/// A link that leads nowhere is one of them: production may have what it leads to.
fn sql_files(folder: &Path) -> Result<Vec<File>, Error> {
    let is_sql = |name: &str| Path::new(name).extension().is_some_and(|end| end.eq_ignore_ascii_case("sql"));
    let is_file = |path: &Path| path.is_file() || !path.exists();
    let files =
        entries(folder)?.into_iter().filter(|(name, path)| is_sql(name) && !name.starts_with('.') && is_file(path));
    Ok(files.map(|(name, path)| File { number: leading_number(&name), name, path }).collect())
}

fn is_down(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".down.sql")
}

/// The number that a name begins with; none where it is beyond 64 bits.
fn leading_number(name: &str) -> Option<i64> {
    let end = name.find(|c: char| !c.is_ascii_digit()).unwrap_or(name.len());
    name[..end].parse().ok()
}

fn plan(located: &Located, before: &Connection) -> Result<Plan, Error> {
    let mut decisions = located.decisions.clone();
    let user_version: i64 = before
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .doing(|| "reading `PRAGMA user_version` of the snapshot".into())?;
    let mut migrations = Vec::new();
    for file in up_files(&located.folder)? {
        let doing = format!("reading `{}`", shown(&file.path));
        migrations.push((file.number, Migration::read(file.name, file.path, None).doing(|| doing)?));
    }
    let numbered = located.layout == NUMBERED;
    if numbered {
        record_numbers(&mut migrations, &mut decisions);
    }
    undo(&located.folder, &mut migrations)?;
    let is_applied = |number: Option<i64>| numbered && number.is_some_and(|number| number <= user_version);
    Ok(Plan {
        tool: TOOL.name,
        layout: located.layout,
        folder: located.folder.clone(),
        ledger: Ledger {
            name: located.table.clone(),
            present: numbered && user_version != 0,
            rows: migrations.iter().filter(|(number, _)| is_applied(*number)).count() as u64,
        },
        entries: migrations
            .into_iter()
            .map(|(number, migration)| Entry {
                migration,
                state: if is_applied(number) { State::Applied } else { State::Pending },
            })
            .collect(),
        setup: Vec::new(),
        refusal: None,
        decisions,
    })
}

/// Records each numbered migration in `user_version`, unless the files do that themselves.
fn record_numbers(migrations: &mut [(Option<i64>, Migration)], decisions: &mut Vec<Decision>) {
    if let Some((_, own)) = migrations.iter().find(|(_, migration)| sets_user_version(migration)) {
        decisions.push(Decision {
            what: "record",
            value: "the files set `PRAGMA user_version` themselves".into(),
            why: format!("`{}` does", own.name),
        });
        return;
    }
    for (number, migration) in migrations {
        migration.record.within.extend(number.map(|number| format!("PRAGMA user_version = {number}")));
    }
}

/// Gives every migration the file that undoes it: `7_x.down.sql` for `7_x.sql` and `7_x.up.sql`.
fn undo(folder: &Path, migrations: &mut [(Option<i64>, Migration)]) -> Result<(), Error> {
    let down: Vec<File> = sql_files(folder)?.into_iter().filter(|file| is_down(&file.name)).collect();
    let stem = |name: &str| name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let mut before = 0;
    for (number, migration) in migrations {
        if let Some(file) = down.iter().find(|file| stem(&file.name) == stem(&migration.name)) {
            let doing = || format!("reading `{}`", shown(&file.path));
            let mut undo = Migration::read(file.name.clone(), file.path.clone(), None).doing(doing)?;
            let is_recorded = !migration.record.within.is_empty();
            undo.record.within.extend(is_recorded.then(|| format!("PRAGMA user_version = {before}")));
            migration.down = Some(Box::new(undo));
        }
        before = number.unwrap_or_default();
    }
    Ok(())
}

fn sets_user_version(migration: &Migration) -> bool {
    let sets = |action: &Action| matches!(action, Action::Pragma { name, value: Some(_) } if name == "user_version");
    migration.chunks.iter().flat_map(|chunk| &chunk.statements).any(|statement| sets(&statement.action))
}
