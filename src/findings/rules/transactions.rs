//! TX: transactions, drivers and the plan.

mod versions;

use std::collections::BTreeSet;

use crate::compare::lineage::Change;
use crate::execution::driver::{OwnTransaction, Transaction};
use crate::execution::steps::By;
use crate::execution::{Driver, Outcome, Step, Turned};
use crate::findings::catalogue::{
    TX501, TX502, TX503, TX504, TX506, TX507, TX508, TX509, TX510, TX511, TX512, TX513, TX514,
};
use crate::findings::evidence::{file, place};
use crate::findings::rules::{causes, rows};
use crate::findings::wording::{count, list, migration, names, number, share};
use crate::findings::{Evidence, Finding, Level, Place, Trial};
use crate::migrations::plan::State;
use crate::migrations::statement::{Action, Insert, SelectItem};
use crate::migrations::{Migration, Plan};
use crate::profile::Spread;

/// TX501 to TX503: a parent was dropped with foreign keys on, and it is luck that nothing was lost. Where something was, that
/// finding says all this as its cause.
pub(super) fn foreign_keys_on(evidence: &Evidence) -> Vec<Finding> {
    if foreign_keys_did_harm(evidence) || evidence.execution().outcome != Outcome::Completed {
        return Vec::new();
    }
    let rebuilt: Vec<Finding> = evidence.committed().filter_map(|step| parent_rebuilt(evidence, step)).collect();
    if !rebuilt.is_empty() {
        return rebuilt;
    }
    let Some(pragma) = causes::dead_pragma(evidence) else { return Vec::new() };
    let driver = evidence.execution().settings.driver;
    let mut finding = Finding::new(&TX501, format!("`{}` has no effect", pragma.statement.sql))
        .at(Some(place(pragma)), "foreign keys stay on")
        .help("nothing was lost this time; keep foreign keys off around the migrations if they rebuild tables that others refer to");
    finding.cause = Some(format!("{} has already opened a transaction", causes::migrator(driver, evidence)));
    vec![finding]
}

fn foreign_keys_did_harm(evidence: &Evidence) -> bool {
    let refused = evidence.trial.failure().is_some_and(|failure| failure.error.is_foreign_key());
    let acted = |step: &Step| {
        step.changes.iter().any(|change| change.by == By::ForeignKey && change.deleted + change.updated > 0)
            && matches!(step.statement.action, Action::DropTable { .. })
    };
    refused || evidence.committed().any(acted)
}

fn parent_rebuilt(evidence: &Evidence, step: &Step) -> Option<Finding> {
    let Action::DropTable { table } = &step.statement.action else { return None };
    let comparison = evidence.comparison();
    let rebuilt = comparison.table_before(table).is_some_and(|compared| compared.pair.change == Change::Rebuilt);
    let referring = comparison.before.references_to(table).map(|(child, _)| child.name.as_str());
    let children: BTreeSet<&str> = referring.filter(|child| !is_set_aside(evidence, step, child)).collect();
    if !step.foreign_keys || !rebuilt || children.is_empty() {
        return None;
    }
    let deferred = causes::defer_pragma(evidence);
    let rule = if deferred.is_some() { &TX503 } else { &TX502 };
    let children: Vec<&str> = children.into_iter().collect();
    let refer = if children.len() == 1 { "refers" } else { "refer" };
    let mut finding = Finding::new(
        rule,
        format!("`{table}` was rebuilt with foreign keys on, and {} {refer} to it", names(children.iter().copied())),
    )
    .table(table)
    .at(Some(place(step)), format!("deletes every row of `{table}`: ON DELETE actions of its children fire"));
    finding.cause = match deferred {
        Some(pragma) => {
            Some(format!("`{}` delays the check at COMMIT, not ON DELETE CASCADE or SET NULL", pragma.statement.sql))
        }
        None => causes::why_foreign_keys_were_on(evidence, step),
    };
    finding.help = causes::keep_children(evidence, table, children.first().copied().unwrap_or_default());
    Some(finding)
}

/// Whether nothing was left of the table when this step ran, because the migrations had emptied or dropped it themselves: then it is
/// no luck that it lost nothing.
fn is_set_aside(evidence: &Evidence, step: &Step, child: &str) -> bool {
    let is_it = |name: &str| name.eq_ignore_ascii_case(child);
    let before = evidence.execution().steps.iter().take_while(|one| !std::ptr::eq(*one, step)).filter(|one| one.ran);
    before.fold(false, |aside, one| match &one.statement.action {
        Action::Delete { table, has_where: false } | Action::DropTable { table } if is_it(table) => true,
        Action::CreateTable { table, .. } if is_it(table) => false,
        Action::RenameTable { to, .. } if is_it(to) => false,
        _ => aside && !one.changes.iter().any(|write| is_it(&write.table) && write.inserted > 0),
    })
}

/// TX504: a migration ends the transaction that the tool has opened.
pub(super) fn own_transaction(evidence: &Evidence) -> Vec<Finding> {
    let execution = evidence.execution();
    let is_unwrapped = |name: &str| evidence.plan.pending().any(|one| one.unwrapped && one.name == name);
    let has_opened_one =
        |step: &Step| execution.settings.transaction != Transaction::None && !is_unwrapped(&step.migration);
    let ends = |step: &&Step| {
        step.in_transaction
            && has_opened_one(step)
            && step.ran
            && matches!(step.statement.action, Action::Commit | Action::Rollback)
            && step.error.is_none()
            && !causes::begins_before(evidence, step)
    };
    let Some(step) = execution.steps.iter().find(ends) else { return Vec::new() };
    if causes::left_behind(evidence).first().is_some_and(|left| left.migration == step.migration) {
        return Vec::new();
    }
    vec![
        Finding::new(&TX504, format!("`{}` ends the transaction of the migrator", step.migration))
            .at_level(Level::Warning)
            .at(Some(place(step)), "what ran so far is committed, and a later failure cannot take it back")
            .help("keep BEGIN and COMMIT out of migrations; what needs foreign keys off belongs around the whole run"),
    ]
}

/// TX510: names that were read as strings and did not fill a column by that (that is VL206).
pub(super) fn double_quoted_strings(evidence: &Evidence) -> Vec<Finding> {
    let mut findings = Vec::new();
    for step in evidence.committed() {
        for name in step.strings.iter().filter(|name| !fills_a_column(evidence, name)) {
            let driver = evidence.execution().settings.driver;
            let mut finding =
                Finding::new(&TX510, format!("`\"{name}\"` is no column here and was read as the text '{name}'"))
                    .object(name)
                    .at(Some(place(step)), format!("`\"{name}\"` is a string"))
                    .cause(format!(
                        "{} reads a double-quoted name that is no column as a string; other drivers refuse it",
                        driver.name
                    ))
                    .help(format!("write '{name}' if a string is meant, and the right column name if not"));
            finding.proof = causes::string_refused(evidence, step, name);
            findings.push(finding);
        }
    }
    findings
}

fn fills_a_column(evidence: &Evidence, name: &str) -> bool {
    let profiles = evidence.comparison().tables.iter().filter_map(|table| table.after.as_ref());
    profiles
        .flat_map(|profile| &profile.columns)
        .any(|column| column.spread == Spread::OwnName && column.name.eq_ignore_ascii_case(name))
}

/// TX514.
pub(super) fn partly_run(evidence: &Evidence) -> Vec<Finding> {
    let steps = &evidence.execution().steps;
    let driver = evidence.execution().settings.driver;
    let mut findings = Vec::new();
    let mut index = 0;
    while index < steps.len() {
        let left_out =
            steps[index..].iter().take_while(|step| !step.ran && step.migration == steps[index].migration).count();
        if left_out > 0 {
            let step = &steps[index];
            let mut finding = Finding::new(
                &TX514,
                format!("{} of `{}` did not run and never will", count(left_out as u64, "statement"), step.migration),
            )
            .object(&step.migration)
            .rows(left_out as u64)
            .at(Some(place(step)), "left out")
            .cause(format!(
                "{} runs only the first statement of a chunk, and the migration is recorded as applied",
                driver.name
            ))
            .help("put `--> statement-breakpoint` between the statements");
            finding.proof = missed(evidence, &steps[index..index + left_out]);
            findings.push(finding);
        }
        index += left_out.max(1);
    }
    findings
}

/// What the statements that were left out do where a driver runs them.
fn missed(evidence: &Evidence, left_out: &[Step]) -> Option<String> {
    const SHOWN: usize = 4;
    let trial = evidence.turned(Turned::EveryStatement)?;
    let run = |step: &Step| {
        let is_it = |other: &&Step| (&other.file, other.number) == (&step.file, step.number);
        trial.execution.steps.iter().find(is_it)
    };
    if let Some((step, error)) = left_out.iter().find_map(|step| Some((step, run(step)?.error.as_ref()?))) {
        let shown = format!("line {} fails with `{}`", step.statement.line, error.message);
        return Some(causes::again(Turned::EveryStatement, &shown));
    }
    let mut facts: Vec<String> =
        left_out.iter().filter_map(run).filter(|step| step.committed).filter_map(done).collect();
    facts.dedup();
    let more = facts.len().saturating_sub(SHOWN);
    facts.truncate(SHOWN);
    if more > 0 {
        facts.push(format!("{} more", number(more as u64)));
    }
    (!facts.is_empty()).then(|| causes::again(Turned::EveryStatement, &list(&facts)))
}

/// What a statement has done, as a fact: `` `payments` is there ``.
fn done(step: &Step) -> Option<String> {
    let there = |name: &str| Some(format!("`{name}` is there"));
    match &step.statement.action {
        Action::CreateTable { table, .. } | Action::CreateVirtualTable { table, .. } => there(table),
        Action::AddColumn { table, column, .. } => there(&format!("{table}.{column}")),
        Action::RenameColumn { table, to, .. } => there(&format!("{table}.{to}")),
        Action::RenameTable { to, .. } => there(to),
        Action::CreateIndex { name, .. } | Action::CreateTrigger { name, .. } | Action::CreateView { name } => {
            there(name)
        }
        Action::DropTable { table } => Some(format!("`{table}` is gone")),
        Action::DropColumn { table, column } => Some(format!("`{table}.{column}` is gone")),
        _ => {
            let change = step.changes.iter().find(|change| change.by == By::Statement)?;
            let rows = change.inserted + change.updated + change.deleted;
            let verb = if rows == 1 { "is" } else { "are" };
            Some(format!("{} of `{}` {verb} written", count(rows, "row"), change.table))
        }
    }
}

/// TX506: an error where a failed migration left a part of itself behind, else a note where a crash could.
pub(super) fn not_atomic(evidence: &Evidence) -> Vec<Finding> {
    let left = causes::left_behind(evidence);
    match left.first() {
        Some(first) => vec![half_done(evidence, &left, first)],
        None if evidence.execution().outcome == Outcome::Completed => {
            could_be_half_done(evidence).into_iter().collect()
        }
        None => Vec::new(),
    }
}

/// What a tool does when it comes to a migration that is half done: one that has recorded its start does not try again.
fn next_start(evidence: &Evidence, name: &str) -> String {
    let is_recorded = |migration: &Migration| migration.name == name && !migration.record.before.is_empty();
    if evidence.plan.pending().any(is_recorded) {
        format!(
            "{} has recorded that it began, and refuses to run anything until a person has settled it",
            evidence.plan.tool
        )
    } else {
        "the next start runs the migration from its first statement again".to_owned()
    }
}

fn half_done(evidence: &Evidence, left: &[&Step], first: &Step) -> Finding {
    let name = &first.migration;
    let of_it = evidence.plan.pending().filter(|migration| migration.name == *name);
    let statements: usize = of_it.flat_map(|migration| &migration.chunks).map(|chunk| chunk.statements.len()).sum();
    let changes = || left.iter().flat_map(|step| &step.changes);
    let rows: u64 = changes().map(|change| change.inserted + change.updated + change.deleted).sum();
    let tables: BTreeSet<&str> = changes().map(|change| change.table.as_str()).collect();
    let written =
        if rows > 0 { format!(", with {} written in {}", count(rows, "row"), names(tables)) } else { String::new() };
    let done = left.len() as u64;
    let verb = if done == 1 { "stays" } else { "stay" };
    let mut finding = Finding::new(
        &TX506,
        format!(
            "{} failed, and {} of it {verb} committed{written}",
            migration(name),
            share(done, statements as u64, "statement")
        ),
    )
    .object(name)
    .rows(done)
    .at(Some(place(first)), "stays committed")
    .help(format!("{}: restore the database, or undo by hand what stays", next_start(evidence, name)));
    finding.cause = Some(why_not_atomic(evidence, name));
    finding.proof = evidence
        .turned(Turned::OneTransaction)
        .and_then(|trial| trial.failure())
        .filter(|failure| failure.rolled_back)
        .map(|_| causes::again(Turned::OneTransaction, "everything is rolled back"));
    finding.help.extend(make_atomic(evidence));
    finding
}

pub(super) fn why_not_atomic(evidence: &Evidence, migration: &str) -> String {
    let settings = evidence.execution().settings;
    let who = causes::migrator(settings.driver, evidence);
    let own = evidence.execution().steps.iter().find(|step| {
        step.migration == *migration
            && step.error.is_none()
            && step.statement.action == Action::Commit
            && step.in_transaction
    });
    match (own, settings.transaction) {
        (Some(own), _) => {
            format!("`{}` on line {} ends the transaction of {who}", own.statement.sql, own.statement.line)
        }
        (None, Transaction::FirstStatementOnly) => {
            format!("{who} commits after the first statement; every other one commits by itself")
        }
        _ => format!("{who} opens no transaction: every statement commits by itself"),
    }
}

/// How the migrations become one transaction, where the driver leaves a way that loses nothing.
pub(super) fn make_atomic(evidence: &Evidence) -> Option<String> {
    let settings = evidence.execution().settings;
    let loses_more = evidence
        .turned(Turned::OneTransaction)
        .is_some_and(|trial| trial.comparison.rows_lost() > evidence.comparison().rows_lost());
    let possible = settings.transaction == Transaction::None
        && evidence.execution().command.is_none()
        && settings.driver.own_transaction == OwnTransaction::Allowed
        && !loses_more;
    possible
        .then(|| "make each migration one transaction: BEGIN as its first statement and COMMIT as its last".to_owned())
}

/// Several writing statements of one migration that committed one by one.
fn could_be_half_done(evidence: &Evidence) -> Option<Finding> {
    let writes = |step: &&Step| step.statement.action.writes() && !causes::is_of_a_tool(evidence, step);
    let alone = |step: &&Step| !step.in_transaction && writes(step);
    let first = evidence.committed().find(|step| {
        let of_it = || evidence.committed().filter(|other| other.migration == step.migration);
        alone(step) && of_it().filter(writes).count() > 1
    })?;
    let transaction = evidence.execution().settings.transaction;
    // EX606 says what deaths have shown.
    let is_measured = evidence.faults.iter().flat_map(|faults| &faults.parts).any(|part| part.is_of(&first.migration));
    if is_measured || !matches!(transaction, Transaction::None | Transaction::FirstStatementOnly) {
        return None;
    }
    let of_it = evidence.committed().filter(|step| step.migration == first.migration);
    let statements = of_it.filter(writes).count() as u64;
    let mut finding = Finding::new(
        &TX506,
        format!(
            "{} of {} ran outside of one transaction",
            count(statements, "writing statement"),
            migration(&first.migration)
        ),
    )
    .at_level(Level::Note)
    .object(&first.migration)
    .rows(statements)
    .at(Some(place(first)), "commits by itself")
    .cause(why_not_atomic(evidence, &first.migration));
    finding.help.extend(make_atomic(evidence));
    finding.proof = loses_in_one_transaction(evidence);
    Some(finding)
}

/// Where one transaction would be worse: a pragma that works now would be without effect.
fn loses_in_one_transaction(evidence: &Evidence) -> Option<String> {
    let trial = evidence.turned(Turned::OneTransaction)?;
    let (there, here) = (trial.comparison.rows_lost(), evidence.comparison().rows_lost());
    (there > here).then(|| {
        let shown = format!("{} lost, and {} as it is", count(there, "row"), count(here, "row"));
        causes::again(Turned::OneTransaction, &shown)
    })
}

/// TX509.
pub(super) fn foreign_keys_left_off(evidence: &Evidence) -> Vec<Finding> {
    let execution = evidence.execution();
    // The connection of a command ends with it.
    let is_left_off = execution.command.is_none() && execution.settings.foreign_keys && !execution.foreign_keys_after;
    if execution.outcome != Outcome::Completed || !is_left_off {
        return Vec::new();
    }
    let turns_off = |step: &&Step| {
        matches!(&step.statement.action, Action::Pragma { name, value: Some(value) }
        if name == "foreign_keys" && matches!(value.as_str(), "off" | "0" | "false" | "no"))
    };
    let step = execution.steps.iter().rev().find(turns_off);
    vec![
        Finding::new(&TX509, "foreign keys are off on the connection after the migrations, and were on before them")
            .at(step.map(place), "turns them off, and nothing turns them on again")
            .help(
                "turn them on again at the end of the migration, outside of a transaction:\nPRAGMA foreign_keys = ON;",
            ),
    ]
}

/// TX512: an error where the project's lock file has a version of the driver that surely ships too old a SQLite.
pub(super) fn sqlite_version(evidence: &Evidence) -> Vec<Finding> {
    let steps = evidence.execution().steps.iter().filter(|step| step.ran);
    let ran = steps.map(|step| (step.statement.sql.as_str(), place(step)));
    let label = format!("ran here with SQLite {}", rusqlite::version());
    newer_than_driver(evidence.execution().settings.driver, evidence.locked_driver.as_deref(), ran, &label)
}

/// The same of statements that nobody has run.
pub(in crate::findings) fn newer_than_driver<'a>(
    driver: &Driver,
    locked: Option<&str>,
    statements: impl Iterator<Item = (&'a str, Place)>,
    label: &str,
) -> Vec<Finding> {
    let Some(shipped) = versions::parse(driver.sqlite_version) else { return Vec::new() };
    let measured = driver.measured_with.rsplit(' ').next().unwrap_or_default();
    let is_known = locked.is_some_and(|locked| match (versions::parse(locked), versions::parse(measured)) {
        (Some(locked), Some(measured)) => locked <= measured,
        _ => false,
    });
    let mut seen = BTreeSet::new();
    let mut findings = Vec::new();
    for (sql, place) in statements {
        let Some(needed) = versions::newest(sql).filter(|needed| needed.version > shipped) else {
            continue;
        };
        if !seen.insert(needed.clone()) {
            continue;
        }
        let (major, minor, _) = needed.version;
        let finding = Finding::new(
            &TX512,
            format!(
                "{} needs SQLite {major}.{minor}, and {} ships {}",
                needed.what, driver.measured_with, driver.sqlite_version
            ),
        )
        .object(needed.what.trim_matches('`'))
        .at(Some(place), label)
        .help(format!(
            "write it for SQLite {}, or take a version of the driver that ships a newer one",
            driver.sqlite_version
        ));
        findings.push(match locked {
            Some(locked) if is_known => finding
                .at_level(Level::Error)
                .cause(format!("the project has version {locked} of the driver's package")),
            Some(locked) => finding.cause(format!(
                "the project has version {locked} of the driver's package, and which SQLite that ships is not known"
            )),
            None => finding.cause("which version of the driver production has is not known"),
        });
    }
    findings
}

/// TX513: a copy of a rebuild that puts columns where they belong by their order alone.
pub(super) fn implicit_columns(evidence: &Evidence) -> Vec<Finding> {
    evidence.committed().filter_map(|step| implicit_copy(evidence, step)).collect()
}

fn implicit_copy(evidence: &Evidence, step: &Step) -> Option<Finding> {
    let Action::Insert(Insert { table: into, columns, select: Some(select), .. }) = &step.statement.action else {
        return None;
    };
    let from = select.from.as_ref()?;
    let star = select.items == [SelectItem::Star];
    let comparison = evidence.comparison();
    let rebuilt = comparison.tables.iter().find(|table| {
        let is_old = table.pair.before.as_ref().is_some_and(|before| before.eq_ignore_ascii_case(from));
        table.pair.change == Change::Rebuilt && is_old && table.pair.is_called(into)
    })?;
    let (old, new) = (comparison.before.table(from)?, comparison.after.table(rebuilt.name())?);
    let altered = |other: &Step| {
        matches!(&other.statement.action,
        Action::AddColumn { table, .. } | Action::DropColumn { table, .. } | Action::RenameColumn { table, .. }
            if table.eq_ignore_ascii_case(from) || table.eq_ignore_ascii_case(into))
    };
    if !(star || columns.is_empty()) || evidence.committed().any(altered) {
        return None;
    }
    let read: Vec<Option<&str>> = if star {
        old.columns.iter().map(|column| Some(column.name.as_str())).collect()
    } else {
        select.items.iter().map(column_name).collect()
    };
    let written: Vec<&str> = if columns.is_empty() {
        new.columns.iter().filter(|column| !column.generated).map(|column| column.name.as_str()).collect()
    } else {
        columns.iter().map(String::as_str).collect()
    };
    // A name that is on one side only is a column that was renamed by its place.
    let elsewhere = |read: &str, name: &str| {
        written.iter().any(|other| other.eq_ignore_ascii_case(read))
            || old.columns.iter().any(|other| other.name.eq_ignore_ascii_case(name))
    };
    let differs = read.iter().zip(&written).find_map(|(read, written)| {
        let read = read.filter(|read| !read.eq_ignore_ascii_case(written) && elsewhere(read, written))?;
        Some((read, *written))
    });
    let finding = |message: String, label: &str| {
        Finding::new(&TX513, message)
            .table(rebuilt.name())
            .at(Some(place(step)), label)
            .help(format!("name the columns on both sides:\n{}", rows::copy_sql(rebuilt, rows::copied_tables(step))))
    };
    let Some((read, written)) = differs else {
        let message = format!("the copy into `{into}` names its columns by their order alone");
        return star.then(|| finding(message, "matches today").at_level(Level::Note));
    };
    let said = rebuilt.rows.as_ref().is_some_and(|rows| rows.columns.iter().any(|column| column.changed > 0));
    (!said).then(|| {
        finding(format!("the copy into `{into}` writes `{read}` into `{written}`, by their order"), "by order")
    })
}

fn column_name(item: &SelectItem) -> Option<&str> {
    match item {
        SelectItem::Column { name, .. } => Some(name),
        _ => None,
    }
}

/// TX507 and TX508.
pub(super) fn plan(evidence: &Evidence) -> Vec<Finding> {
    entries_of(&evidence.plan)
}

/// The same without a rehearsal.
pub(in crate::findings) fn entries_of(plan: &Plan) -> Vec<Finding> {
    let entries = plan.entries.iter();
    entries
        .filter_map(|entry| {
            let migration = &entry.migration;
            let path = migration.file.display();
            match &entry.state {
                State::Skipped { why } => Some(
                    Finding::new(&TX507, format!("`{}` is not applied and will never run", migration.name))
                        .object(&migration.name)
                        .at(Some(file(migration)), "")
                        .cause(why.clone())
                        .help(format!("{}; {path} as it is stays without effect", make_it_the_latest(plan.tool))),
                ),
                State::Edited { recorded } => Some(
                    Finding::new(&TX508, format!("`{}` was changed after it was applied", migration.name))
                        .object(&migration.name)
                    .at(Some(file(migration)), "")
                        .cause(format!("the ledger has {}…, the file has {}…", short(recorded), short(&migration.checksum)))
                        .help("put the file back as it was, and write what is missing as a new migration: this one will not run again"),
                ),
                _ => None,
            }
        })
        .collect()
}

/// How a migration that came too late gets its turn.
fn make_it_the_latest(tool: &str) -> &'static str {
    match tool {
        "drizzle" => "generate it anew, so that its time is the latest",
        _ => "give its files the latest number",
    }
}

fn short(checksum: &str) -> &str {
    checksum.get(..12).unwrap_or(checksum)
}

/// TX511.
pub(super) fn drivers(evidence: &Evidence) -> Vec<Finding> {
    let main = &evidence.trial;
    let differing: Vec<&Trial> =
        evidence.others.iter().filter(|other| outcome(other, main) != outcome(main, other)).collect();
    if differing.is_empty() {
        return Vec::new();
    }
    let name = |trial: &Trial| trial.execution.settings.driver.name;
    let others: Vec<String> = differing.iter().map(|trial| format!("{}: {}", name(trial), describe(trial))).collect();
    vec![
        Finding::new(
            &TX511,
            format!(
                "the driver is not known, and the outcome depends on it ({}: {}; {})",
                name(main),
                describe(main),
                others.join("; ")
            ),
        )
        .object(name(main))
        .cause(evidence.driver_decision.why.clone())
        .help(format!(
            "say which one production uses: {}",
            std::iter::once(main)
                .chain(&evidence.others)
                .map(|trial| format!("--driver {}", name(trial)))
                .collect::<Vec<_>>()
                .join(", ")
        )),
    ]
}

/// Name, rows after, rows lost, values changed by column.
type TableOutcome = (String, Option<u64>, u64, Vec<u64>);

/// What makes two outcomes the same: success, and rows, lost rows and changed values of every table.
fn outcome(trial: &Trial, other: &Trial) -> (bool, Vec<TableOutcome>) {
    let tables = trial.comparison.tables.iter().map(|table| {
        let columns = table.rows.iter().flat_map(|rows| &rows.columns).map(|column| column.changed).collect();
        let rows = table.rows_after(other.comparison.same_table(table));
        (table.name().to_owned(), rows, table.lost(), columns)
    });
    (trial.failure().is_some(), tables.collect())
}

fn describe(trial: &Trial) -> String {
    match trial.failure() {
        Some(failure) => format!("fails with {}", failure.error.message),
        None => match trial.comparison.rows_lost() {
            0 => "no row is lost".to_owned(),
            rows => format!("{} lost", count(rows, "row")),
        },
    }
}
