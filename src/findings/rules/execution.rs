//! EX: how the run ended.

mod add_column;
mod stopped;

use crate::execution::command::{End, Ran};
use crate::execution::driver::SeveralStatements;
use crate::execution::steps::Failure;
use crate::execution::{Outcome, Step, Turned};
use crate::findings::catalogue::{EX601, EX602, EX609, SN906, SN915, TX505};
use crate::findings::evidence::place;
use crate::findings::rules::{causes, missing};
use crate::findings::wording::{count, migration, names, share};
use crate::findings::{Evidence, Finding, Level};
use crate::migrations::Plan;
use crate::migrations::statement::Action;
use crate::schema::lexer::quote_identifier;

/// EX601; EX602 where the same migrations pass without rows. SN915 says it all where tables are there and the ledger is not.
pub(super) fn failed(evidence: &Evidence) -> Vec<Finding> {
    if let Some(refusal) = &evidence.plan.refusal {
        let tool = evidence.plan.tool;
        let stops = match refusal.after {
            0 => format!("{tool} would not start"),
            ran => format!("{tool} stops after {}", count(ran as u64, "migration")),
        };
        return vec![Finding::new(&EX601, format!("{stops}: {}", refusal.message)).help(refusal.help.clone())];
    }
    let Some(failure) = evidence.trial.failure() else { return Vec::new() };
    let step = failure.step.and_then(|index| evidence.execution().steps.get(index));
    if push_managed(evidence).iter().any(|finding| finding.level == Level::Error) {
        return Vec::new();
    }
    if let Some(Ran { end: End::TimeLimit(limit), .. }) = &evidence.execution().command {
        return vec![stopped::command(*limit)];
    }
    if let Some(why) = &failure.error.stopped {
        return vec![stopped::statement(evidence, failure, why)];
    }
    // A command that ends without a statement of its that failed would do so on any database.
    let passes_on_empty = (step.is_some() || evidence.execution().command.is_none())
        && evidence.on_empty.as_ref().is_some_and(|execution| execution.outcome == Outcome::Completed);
    let lacking = missing::of_message(&failure.error.message);
    let rule = match step {
        Some(step) if is_locked_out(step, &failure.error.message) => &TX505,
        _ if lacking.is_some() => &SN906,
        _ if passes_on_empty => &EX602,
        _ => &EX601,
    };
    let where_ = step.map_or_else(|| failure.doing.to_owned(), |step| format!("{} fails", migration(&step.migration)));
    let left = causes::left_behind(evidence);
    let message = match step {
        None if evidence.execution().command.is_some() => {
            format!("{where_} {}", failure.error.message.trim_start_matches("it "))
        }
        _ => format!("{where_}: {}", failure.error.message),
    };
    let mut finding = Finding::new(rule, message);
    if let Some(step) = step {
        finding = finding.at(Some(place(step)), format!("fails; {}", aftermath(failure, left.is_empty())));
        finding.object = Some(step.migration.clone());
        finding.cause = cause(evidence, step, failure);
        finding.help = help(evidence, step, failure);
        finding.help.extend(begun(evidence, step));
        if let Some((why, mend)) = cut_short(evidence.plan.tool, &failure.error.message) {
            finding.cause = Some(why);
            finding.help.push(mend);
        }
    } else if failure.error.message.contains("foreign key mismatch") {
        finding.help.push("delete or change in the same migration the rows that refer to none after it".to_owned());
    }
    if let Some(lacking) = lacking {
        finding.cause = Some(lacking.cause());
        finding.help = vec![lacking.help()];
    }
    finding.proof = passes_without_foreign_keys(evidence);
    if passes_on_empty && finding.cause.is_none() {
        finding.cause = Some("the rows of the snapshot: on an empty database the same migrations pass".to_owned());
    }
    if !failure.rolled_back && step.is_none() && left.is_empty() {
        finding.help.push(
            "what ran before the failure is committed and is not rolled back: restore the database, or finish by hand"
                .to_owned(),
        );
    }
    vec![finding]
}

/// What stays of what ran; `nothing_left` where nothing of the migration that failed does.
fn aftermath(failure: &Failure, nothing_left: bool) -> &'static str {
    match (failure.rolled_back, nothing_left) {
        (true, _) => "everything is rolled back",
        (false, true) => "this migration is rolled back, those before it stay applied",
        (false, false) => "what ran before stays",
    }
}

/// Why a statement ends too early, and how to keep it whole, where the tool ends statements by lines.
fn cut_short(tool: &str, message: &str) -> Option<(String, String)> {
    let mark = match tool {
        "goose" => "-- +goose",
        "sql-migrate" => "-- +migrate",
        _ => return None,
    };
    (message == "incomplete input").then(|| {
        (
            format!("{tool} ends a statement at every line that ends with a semicolon, also within a trigger"),
            format!("put a line `{mark} StatementBegin` before the statement and `{mark} StatementEnd` behind it"),
        )
    })
}

/// What stays in the ledger of a migration that failed, where the tool writes down that it began.
fn begun(evidence: &Evidence, step: &Step) -> Option<String> {
    let mut pending = evidence.plan.pending();
    let record = &pending.find(|migration| migration.name == step.migration)?.record;
    let ledger = &evidence.plan.ledger.name;
    (!record.before.is_empty() || !record.failed.is_empty()).then(|| {
        format!(
            "the ledger `{ledger}` keeps `{}` as begun and not finished: mend that too before the next deploy",
            step.migration
        )
    })
}

/// Whether VACUUM or DETACH was refused by an open transaction.
fn is_locked_out(step: &Step, message: &str) -> bool {
    match step.statement.action {
        Action::Vacuum => message.contains("within a transaction"),
        Action::Attach => message.contains("is locked"),
        _ => false,
    }
}

/// SN915: an error where the migrations fail on what is already there, else a warning.
pub(super) fn push_managed(evidence: &Evidence) -> Vec<Finding> {
    let tables = evidence.comparison().before.user_tables(&evidence.plan.ledger.name).count() as u64;
    unrecorded(&evidence.plan, tables, fails_on_existing(evidence)).into_iter().collect()
}

/// The same without a rehearsal: `failing` is where the first migration failed on what is already there.
pub(in crate::findings) fn unrecorded(plan: &Plan, tables: u64, failing: Option<(&Step, &str)>) -> Option<Finding> {
    let ledger = &plan.ledger;
    // A tool that does not start without its ledger says so itself.
    let starts = plan.refusal.as_ref().is_none_or(|refusal| refusal.after > 0);
    let is_table = starts && !ledger.name.is_empty() && !ledger.name.starts_with("PRAGMA");
    let first = plan.pending().next().filter(|_| is_table && !ledger.present && tables > 0)?;
    let tool = plan.tool;
    let fact = format!("the snapshot has {} but no `{}`", count(tables, "table"), ledger.name);
    let record = plan.setup.iter().map(String::as_str).chain(first.record.of_success()).collect::<Vec<_>>().join(";\n");
    let finding = match failing {
        Some((step, message)) => Finding::new(&SN915, format!("{fact}: the first migration fails with {message}"))
            .at(Some(place(step)), message),
        None => Finding::new(&SN915, format!("{fact}: every migration counts as pending")).at_level(Level::Warning),
    };
    Some(
        finding
            .object(&ledger.name)
            .cause(format!("the schema was made by `push` or by hand, so that {tool} believes nothing was applied"))
            .help(format!(
                "record what is already there before the first deploy with migrations, one row for each migration that the schema contains:\n{record};"
            )),
    )
}

/// The statement that failed because what it creates is there already.
fn fails_on_existing(evidence: &Evidence) -> Option<(&Step, &str)> {
    let failure = evidence.trial.failure()?;
    let step = evidence.execution().steps.get(failure.step?)?;
    let message = failure.error.message.as_str();
    (!evidence.plan.ledger.present && message.contains("already exists")).then_some((step, message))
}

fn cause(evidence: &Evidence, step: &Step, failure: &Failure) -> Option<String> {
    if failure.error.is_foreign_key() {
        let parent = causes::parent_of(step).unwrap_or_default();
        let children = evidence.comparison().before.references_to(parent);
        let restricting: Vec<&str> = children
            .filter(|(_, key)| ["NO ACTION", "RESTRICT"].contains(&key.on_delete.as_str()))
            .map(|(child, _)| child.name.as_str())
            .collect();
        let why = causes::why_foreign_keys_were_on(evidence, step).map(|why| format!("; {why}")).unwrap_or_default();
        return (!restricting.is_empty())
            .then(|| format!("foreign keys are on, and rows of {} refer to `{parent}`{why}", names(restricting)));
    }
    let driver = evidence.execution().settings.driver;
    let with_limit = ["near \"ORDER\"", "near \"LIMIT\""].iter().any(|start| failure.error.message.starts_with(start));
    if with_limit && matches!(step.statement.action, Action::Update { .. } | Action::Delete { .. }) {
        return Some(format!(
            "the SQLite of this rehearsal does not know UPDATE or DELETE with ORDER BY or LIMIT; {} may know it",
            driver.name
        ));
    }
    if is_locked_out(step, &failure.error.message) {
        return Some(format!("{} has already opened a transaction", causes::migrator(driver, evidence)));
    }
    let several =
        matches!(driver.several_statements, SeveralStatements::Refused(message) if message == failure.error.message);
    several.then(|| format!("{} takes one statement a chunk", driver.name))
}

fn help(evidence: &Evidence, step: &Step, failure: &Failure) -> Vec<String> {
    let message = &failure.error.message;
    if let Some(parent) = causes::parent_of(step).filter(|_| failure.error.is_foreign_key()) {
        let mut children: Vec<&str> =
            evidence.comparison().before.references_to(parent).map(|(child, _)| child.name.as_str()).collect();
        children.dedup();
        if evidence.execution().settings.driver.foreign_keys_off.is_empty() {
            return vec![causes::set_aside(evidence, parent, &children)];
        }
        return causes::keep_children(evidence, parent, children.first().copied().unwrap_or_default());
    }
    if message.contains("more than one statement") {
        return vec!["put `--> statement-breakpoint` between the statements".to_owned()];
    }
    if message.contains("contains no statements") {
        return vec!["remove the empty chunk, or put a statement into it".to_owned()];
    }
    match &step.statement.action {
        Action::Vacuum if is_locked_out(step, message) => {
            vec!["take VACUUM out of the migration and run it by itself, when no transaction is open".to_owned()]
        }
        Action::AddColumn { table, column, .. } if message.contains("UNIQUE") || message.contains("PRIMARY KEY") => {
            add_column::unique(&step.statement.sql, table, column)
        }
        Action::AddColumn { table, column, .. }
            if message.contains("non-constant default") || message.contains("non-NULL default") =>
        {
            add_column::default(&evidence.comparison().before, &step.statement.sql, table, column)
        }
        Action::AddColumn { table, column, not_null: true, has_default: false, .. } => {
            add_column::not_null(&evidence.comparison().before, &step.statement.sql, table, column)
        }
        Action::DropColumn { table, column } => vec![format!("drop what stands on `{table}.{column}` first: its indexes, triggers and views")],
        _ if message.starts_with("NOT NULL constraint failed: ") => not_null_help(evidence, &step.statement.action, message),
        _ if message.starts_with("UNIQUE constraint failed: ") => vec![format!(
            "find the rows that collide ({}) and decide which of them stays before the constraint is made",
            message.trim_start_matches("UNIQUE constraint failed: ")
        )],
        _ if message.contains("within a transaction") => vec![
            "take BEGIN and COMMIT out of the migration: the transaction is already open when it runs".to_owned(),
        ],
        _ if message.starts_with("error in view ") => view_help(evidence, message),
        _ if message.contains("no such column") => vec!["the SELECT names a column that the old table does not have: leave it out of both lists, or name the old column".to_owned()],
        _ => Vec::new(),
    }
}

/// What the same migrations do with foreign keys off, where a foreign key stopped them.
fn passes_without_foreign_keys(evidence: &Evidence) -> Option<String> {
    let without = evidence.turned(Turned::ForeignKeysOff)?;
    (without.execution.outcome == Outcome::Completed && evidence.trial.failure()?.error.is_foreign_key())
        .then(|| causes::again(Turned::ForeignKeysOff, "every migration runs"))
}

/// `NOT NULL constraint failed: __new_users.email`: the rows come from the table that the statement reads.
fn not_null_help(evidence: &Evidence, action: &Action, message: &str) -> Vec<String> {
    let column = message.trim_start_matches("NOT NULL constraint failed: ");
    let (written, column) = column.split_once('.').unwrap_or((column, ""));
    let read = match action {
        Action::Insert(insert) => insert.select.as_ref().and_then(|select| select.from.as_deref()),
        _ => None,
    };
    let table = read.unwrap_or(written);
    let held = evidence.comparison().table_before(table).and_then(|compared| compared.before.as_ref());
    let nulls = held.and_then(|held| Some((held.column(column)?.nulls, held.rows)));
    let counted = nulls.map(|(nulls, rows)| format!("{} of `{table}` have no `{column}`; ", share(nulls, rows, "row")));
    let counted = counted.unwrap_or_default();
    let before = &evidence.comparison().before;
    let known = before.table(table);
    if known.is_some_and(|known| known.column(column).is_none()) {
        return vec![format!("`{table}` has no `{column}`: give the new column a default, or a value in the SELECT")];
    }
    let declared_type =
        known.and_then(|known| known.column(column)).map_or("TEXT", |column| column.declared_type.as_str());
    let constant = add_column::constant(declared_type);
    let of_one = |columns: &[String]| columns.iter().any(|name| name.eq_ignore_ascii_case(column));
    let is_unique = known
        .is_some_and(|known| known.uniques.iter().any(|unique| of_one(&unique.columns)) || of_one(&known.primary_key));
    let key = known.and_then(|known| known.foreign_keys.iter().find(|key| of_one(&key.columns)));
    let (quoted, name) = (quote_identifier(table), quote_identifier(column));
    if is_unique {
        return vec![format!(
            "{counted}give each its own value in a migration before this one (`{column}` is unique); the rows:\n\
             SELECT * FROM {quoted} WHERE {name} IS NULL;"
        )];
    }
    let (value, comment) = key.map_or((constant.to_owned(), String::new()), |key| {
        add_column::any_row(before, &key.parent, key.parent_columns.first().map(String::as_str))
    });
    vec![format!(
        "{counted}fill them in a migration before this one:\nUPDATE {quoted} SET {name} = {value} WHERE {name} IS NULL;{comment}"
    )]
}

/// `error in view v: no such table: main.users`.
fn view_help(evidence: &Evidence, message: &str) -> Vec<String> {
    let name = message.trim_start_matches("error in view ").split(": ").next().unwrap_or_default();
    let view = evidence.comparison().before.views.get(&name.to_ascii_lowercase());
    view.map(|view| {
        format!(
            "drop the view before the rebuild and create it again after it:\nDROP VIEW {};\n-- the rebuild\n{};",
            quote_identifier(&view.name),
            view.sql
        )
    })
    .into_iter()
    .collect()
}

/// EX609.
pub(super) fn nothing_pending(evidence: &Evidence) -> Vec<Finding> {
    if evidence.execution().outcome != Outcome::NothingPending {
        return Vec::new();
    }
    if evidence.execution().command.is_some() && evidence.plan.ledger.name.is_empty() {
        return vec![Finding::new(&EX609, "the command changed nothing")];
    }
    let applied = evidence.plan.ledger.rows;
    vec![Finding::new(&EX609, format!("nothing is pending: {} applied", count(applied, "migration")))]
}
