//! What several rules need to know: which step did it, why foreign keys were on, what to write instead.

use crate::compare::TableComparison;
use crate::execution::driver::{Driver, ForeignKeys, Transaction};
use crate::execution::drivers::rust::SYSTEM;
use crate::execution::steps::{By, RECORDING};
use crate::execution::{Outcome, Step, Turned};
use crate::findings::Evidence;
use crate::findings::wording::{names, share};
use crate::migrations::statement::Action;
use crate::schema::is_bookkeeping;
use crate::schema::lexer::quote_identifier;
use crate::schema::{Schema, Table, TableKind};

/// Rows of the table that this step deleted in this way.
pub(super) fn deleted(step: &Step, table: &TableComparison, by: By) -> u64 {
    let mine = step.changes.iter().filter(|change| change.by == by && table.pair.is_called(&change.table));
    mine.map(|change| change.deleted).sum()
}

/// The statement that dropped the table of this name.
pub(super) fn dropping<'a>(evidence: &'a Evidence, name: &str) -> Option<&'a Step> {
    evidence
        .committed()
        .find(|step| matches!(&step.statement.action, Action::DropTable { table } if table.eq_ignore_ascii_case(name)))
}

/// The table that a step drops or deletes from, so that foreign keys act.
pub(super) fn parent_of(step: &Step) -> Option<&str> {
    match &step.statement.action {
        Action::DropTable { table } | Action::Delete { table, .. } | Action::Update { table, .. } => Some(table),
        Action::Insert(insert) => Some(&insert.table),
        _ => None,
    }
}

/// Why foreign keys were on when this step ran.
pub(super) fn why_foreign_keys_were_on(evidence: &Evidence, step: &Step) -> Option<String> {
    let driver = evidence.execution().settings.driver;
    let Some(pragma) = dead_pragma(evidence) else {
        return deferred(evidence).or_else(|| {
            let by_default = driver.foreign_keys.on();
            by_default.then(|| format!("{} enforces foreign keys unless the app turns them off", driver.name))
        });
    };
    let same_file = pragma.file == step.file;
    let place = if same_file {
        format!("line {}", pragma.statement.line)
    } else {
        format!("{}:{}", pragma.file, pragma.statement.line)
    };
    let why = match (driver.foreign_keys, driver.transaction) {
        (ForeignKeys::AlwaysOn, _) => format!("{} accepts it and keeps foreign keys on", driver.name),
        (_, Transaction::AroundAll | Transaction::AroundAllAndLedger) => {
            format!("{} has already opened a transaction", migrator(driver, evidence))
        }
        (_, transaction)
            if transaction.is_around_each() && is_wrapped(evidence, pragma) && !begins_before(evidence, pragma) =>
        {
            format!("{} has already opened a transaction", evidence.plan.tool)
        }
        _ => "a transaction is open".to_owned(),
    };
    Some(format!("`{}` on {place} has no effect: {why}", pragma.statement.sql))
}

/// Whether the migration itself begins a transaction before this step.
pub(super) fn begins_before(evidence: &Evidence, step: &Step) -> bool {
    let mut earlier = evidence.execution().steps.iter().take_while(|other| !std::ptr::eq(*other, step));
    earlier.any(|other| other.migration == step.migration && other.statement.action == Action::Begin)
}

fn deferred(evidence: &Evidence) -> Option<String> {
    let pragma = defer_pragma(evidence)?;
    Some(format!("`{}` on line {} delays the check, not the action", pragma.statement.sql, pragma.statement.line))
}

/// Whether the tool opens a transaction around the migration of this step; of a plain folder nothing is known by name.
fn is_wrapped(evidence: &Evidence, step: &Step) -> bool {
    let mut pending = evidence.plan.pending();
    let migration = pending.find(|migration| migration.name == step.migration);
    evidence.plan.tool != "sql" && migration.is_some_and(|migration| !migration.unwrapped)
}

/// `drizzle's better-sqlite3 migrator`.
pub(super) fn migrator(driver: &Driver, evidence: &Evidence) -> String {
    let tool = evidence.plan.tool;
    if let Some(ran) = &evidence.execution().command {
        return if ran.recipe.words.is_empty() { "the command".to_owned() } else { tool.to_owned() };
    }
    if is_tools_own(driver, evidence) { tool.to_owned() } else { format!("{tool}'s {} migrator", driver.name) }
}

/// Whether the driver is what the tool brings along: `diesel`, `diesel-system`.
fn is_tools_own(driver: &Driver, evidence: &Evidence) -> bool {
    driver.name.strip_suffix(SYSTEM).unwrap_or(driver.name) == evidence.plan.tool
}

/// The first `PRAGMA foreign_keys=OFF` that ran inside a transaction while foreign keys were on: dead text.
pub(super) fn dead_pragma(evidence: &Evidence) -> Option<&Step> {
    let works = evidence.execution().settings.driver.foreign_keys == ForeignKeys::OffAndPragmaAlwaysWorks;
    evidence.execution().steps.iter().filter(|_| !works).find(|step| {
        let turns_off = matches!(&step.statement.action, Action::Pragma { name, value: Some(value) }
            if name == "foreign_keys" && matches!(value.as_str(), "off" | "0" | "false" | "no"));
        turns_off && step.in_transaction && step.foreign_keys && step.error.is_none()
    })
}

/// The first `PRAGMA defer_foreign_keys=ON`.
pub(super) fn defer_pragma(evidence: &Evidence) -> Option<&Step> {
    evidence.execution().steps.iter().find(|step| {
        matches!(&step.statement.action, Action::Pragma { name, value: Some(value) }
            if name == "defer_foreign_keys" && matches!(value.as_str(), "on" | "1" | "true" | "yes"))
    })
}

/// What the same migrations do to this table with foreign keys off.
pub(super) fn proof(evidence: &Evidence, table: &TableComparison) -> Option<String> {
    let without = evidence.turned(Turned::ForeignKeysOff)?;
    let name = table.pair.before.as_ref()?;
    let there = without.comparison.table_before(name)?;
    let rows = |table: &TableComparison| table.before.as_ref().map(|before| before.rows);
    // What no trial changed is counted in none.
    let before = rows(there).or_else(|| rows(table))?;
    let kept = before.saturating_sub(there.lost());
    let now = rows(table)?.saturating_sub(table.lost());
    (without.execution.outcome == Outcome::Completed && kept > now)
        .then(|| again(Turned::ForeignKeysOff, &format!("`{name}` keeps {}", share(kept, before, "row"))))
}

/// `rehearsed again with foreign keys off: …`.
pub(super) fn again(turned: Turned, shown: &str) -> String {
    format!("rehearsed again {}: {shown}", turned.describe())
}

/// Where the same migrations fail on the string that this step has read, once such strings are refused.
pub(super) fn string_refused(evidence: &Evidence, step: &Step, name: &str) -> Option<String> {
    let refused = evidence.turned(Turned::StringsRefused)?;
    let failure = refused.failure()?;
    let failed = refused.execution.steps.get(failure.step?)?;
    let is_it = (&failed.file, failed.number) == (&step.file, step.number);
    let message = failure.error.message.split(" - should this be").next().unwrap_or_default();
    (is_it && message.contains(name))
        .then(|| again(Turned::StringsRefused, &format!("line {} fails with `{message}`", step.statement.line)))
}

/// Whether a step of a command writes only what the tool keeps for itself: nobody can put that into a transaction.
pub(super) fn is_of_a_tool(evidence: &Evidence, step: &Step) -> bool {
    let written = match &step.statement.action {
        Action::CreateTable { table, .. } => Some(table.as_str()),
        action => action.written_rows(),
    };
    evidence.execution().command.is_some()
        && written.is_some_and(|table| is_bookkeeping(table, &evidence.plan.ledger.name))
}

/// The steps of the failed migration that wrote something and stay committed.
pub(super) fn left_behind(evidence: &Evidence) -> Vec<&Step> {
    let Some(failure) = evidence.trial.failure() else { return Vec::new() };
    let steps = &evidence.execution().steps;
    let failed = failure.step.and_then(|index| steps.get(index));
    let recorded = failure.doing == RECORDING;
    let Some(last) = failed.or_else(|| steps.last().filter(|_| recorded)) else { return Vec::new() };
    let is_of_it = |step: &&Step| step.migration == last.migration && step.statement.action.writes();
    evidence.committed().filter(is_of_it).filter(|step| !is_of_a_tool(evidence, step)).collect()
}

/// What to do so that a rebuild of `parent` leaves its children alone under this driver.
pub(super) fn keep_children(evidence: &Evidence, parent: &str, child: &str) -> Vec<String> {
    let driver = evidence.execution().settings.driver;
    let around = match &evidence.execution().command {
        Some(ran) => ran.recipe.foreign_keys_off,
        None => driver.foreign_keys_off,
    };
    if !around.is_empty() {
        let lead = "turn foreign keys off before the migrations run and on again after them";
        return vec![format!("{lead}:\n{around}")];
    }
    let schema = &evidence.comparison().before;
    let mut children = vec![child];
    for (other, _) in schema.references_to(parent) {
        let compared = evidence.comparison().table_before(&other.name);
        // What did not change is not always counted.
        let may_hold_rows = compared.is_some_and(|table| table.before.as_ref().is_none_or(|held| held.rows > 0));
        let is_new = !children.contains(&other.name.as_str()) && !other.name.eq_ignore_ascii_case(parent);
        if is_new && may_hold_rows {
            children.push(&other.name);
        }
    }
    vec![set_aside(evidence, parent, &children)]
}

/// The same, without turning foreign keys off: SQL that empties the children before the rebuild and fills them again after it.
pub(super) fn set_aside(evidence: &Evidence, parent: &str, children: &[&str]) -> String {
    let driver = evidence.execution().settings.driver.name;
    let schema = &evidence.comparison().before;
    let mut tables = Vec::new();
    for child in children {
        with_referring(schema, parent, child, &mut tables);
    }
    let who = if evidence.execution().command.is_some() { "where nothing can" } else { &format!("{driver} cannot") };
    let lead = format!("{who} turn foreign keys off: set aside the rows that refer to `{parent}`");
    if tables.is_empty() {
        return format!("{lead} in tables of their own before the rebuild, and put them back after it");
    }
    let also: Vec<&str> =
        tables.iter().map(|table| table.name.as_str()).filter(|name| !children.contains(name)).collect();
    let also = if also.is_empty() {
        String::new()
    } else {
        format!(
            " ({} in turn {} to them)",
            names(also.iter().copied()),
            if also.len() == 1 { "refers" } else { "refer" }
        )
    };
    let keep = |table: &Table| quote_identifier(&format!("__keep_{}", table.name));
    let columns = |table: &Table| {
        let stored = table.columns.iter().filter(|column| !column.generated);
        stored.map(|column| quote_identifier(&column.name)).collect::<Vec<_>>().join(", ")
    };
    let mut sql = Vec::new();
    for table in &tables {
        let (keep, name) = (keep(table), quote_identifier(&table.name));
        sql.push(format!("CREATE TABLE {keep} AS SELECT {} FROM {name};", columns(table)));
    }
    for table in tables.iter().rev() {
        sql.push(format!("DELETE FROM {};", quote_identifier(&table.name)));
    }
    sql.push(format!("-- the rebuild of {}", quote_identifier(parent).replace(['\r', '\n'], " ")));
    for table in &tables {
        let (keep, name, columns) = (keep(table), quote_identifier(&table.name), columns(table));
        sql.push(format!("INSERT INTO {name} ({columns}) SELECT {columns} FROM {keep};"));
    }
    sql.extend(tables.iter().map(|table| format!("DROP TABLE {};", keep(table))));
    format!("{lead} while it is rebuilt{also}:\n{}", sql.join("\n"))
}

/// Puts a table and all that refers to it, directly or not, before those that are there already, but never `parent`: every table
/// comes before those that refer to it.
fn with_referring<'a>(schema: &'a Schema, parent: &str, name: &str, tables: &mut Vec<&'a Table>) {
    fn visit<'a>(schema: &'a Schema, table: &'a Table, seen: &mut Vec<&'a str>, tables: &mut Vec<&'a Table>) {
        if seen.contains(&table.name.as_str()) || table.kind != TableKind::Ordinary {
            return;
        }
        seen.push(&table.name);
        for (referring, _) in schema.references_to(&table.name) {
            visit(schema, referring, seen, tables);
        }
        tables.insert(0, table);
    }
    let Some(table) = schema.table(name) else { return };
    let mut seen: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    seen.extend(schema.table(parent).map(|parent| parent.name.as_str()));
    visit(schema, table, &mut seen, tables);
}
