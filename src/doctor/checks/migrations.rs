//! The migrations and their ledger: what the plan tells without running it.

use crate::doctor::Evidence;
use crate::doctor::answer::{Answer, At};
use crate::execution::decide;
use crate::findings::catalogue::{SN912, SN924, TX507, TX508};
use crate::findings::wording::count;
use crate::findings::{self, Finding, Place, Rule};
use crate::migrations::statement::{Action, Statement, redact};
use crate::migrations::{Migration, Plan, State};

/// Whether the database has a ledger: SN915.
pub(in crate::doctor) fn ledger(evidence: &Evidence<'_>) -> Answer {
    const NAME: &str = "ledger";
    let Some(production) = &evidence.production else { return Answer::without_snapshot(NAME) };
    let plan = match (&evidence.plan, &production.ledger) {
        (Ok(plan), _) => plan,
        (Err(_), Some(known)) => {
            let recorded = count(known.names.len() as u64, "migration");
            return Answer::ok(NAME).fact(format!("`{}` of {} records {recorded}", known.table, known.tool));
        }
        (Err(why), None) => return Answer::not_checked(NAME, why),
    };
    let tables = production.schema.user_tables(&plan.ledger.name).count() as u64;
    let answer = Answer::ok(NAME).findings(findings::unrecorded(plan, tables));
    let ledger = &plan.ledger;
    match () {
        () if answer.has_findings() => answer,
        () if ledger.name.is_empty() => Answer::not_needed(NAME, format!("{} keeps no ledger", plan.tool)),
        () if ledger.present => answer.fact(format!("`{}` records {}", ledger.name, count(ledger.rows, "migration"))),
        () if tables == 0 => answer.fact("the database has no tables yet"),
        () => answer.fact(format!("`{}` is not there; {} makes it", ledger.name, plan.tool)),
    }
}

/// Whether the files of applied migrations are still what ran: TX508.
pub(in crate::doctor) fn applied_files(evidence: &Evidence<'_>) -> Answer {
    let name = "applied-files";
    with_plan(evidence, name, |plan| {
        let of = |wanted: fn(&State) -> bool| {
            let entries = plan.entries.iter().filter(|entry| wanted(&entry.state));
            entries.count() as u64
        };
        let applied = of(|state| *state == State::Applied);
        let answer = Answer::ok(name).findings(of_plan(plan, &[&TX508]));
        let known = if answer.has_findings() { "" } else { ", no file of them known to be another since" };
        let answer = answer.fact(format!("{} applied{known}", count(applied, "migration")));
        match of(|state| *state == State::Missing) {
            0 => answer,
            missing => {
                answer.fact(format!("{} recorded without a file, or listed without one", count(missing, "migration")))
            }
        }
    })
}

/// Whether every file has its turn: TX507.
pub(in crate::doctor) fn order(evidence: &Evidence<'_>) -> Answer {
    let name = "order";
    with_plan(evidence, name, |plan| {
        let answer = Answer::ok(name).findings(of_plan(plan, &[&TX507]));
        let pending = plan.pending().count() as u64;
        answer.fact(format!("{} pending", count(pending, "migration")))
    })
}

/// Whether names say what migrations do: SN912.
pub(in crate::doctor) fn names(evidence: &Evidence<'_>) -> Answer {
    const NAME: &str = "names";
    let plan = match &evidence.plan {
        Err(why) => return Answer::not_checked(NAME, why),
        Ok(plan) if plan.tool != "drizzle" => {
            return Answer::not_needed(NAME, format!("{} invents no names", plan.tool));
        }
        Ok(plan) => plan,
    };
    let answer = Answer::ok(NAME).findings(of_plan(plan, &[&SN912]));
    if answer.has_findings() {
        return answer;
    }
    answer.fact(format!("no random words in the names of {}", looked_at(evidence, plan)))
}

/// Which migrations rebuild a table: SN924.
pub(in crate::doctor) fn rebuilds(evidence: &Evidence<'_>) -> Answer {
    const NAME: &str = "rebuilds";
    let plan = match &evidence.plan {
        Err(why) => return Answer::not_checked(NAME, why),
        Ok(plan) => plan,
    };
    let answer = Answer::ok(NAME).findings(plan.pending().flat_map(rebuilds_in));
    if answer.has_findings() {
        return answer;
    }
    answer.fact(format!("no table is rebuilt by {}", looked_at(evidence, plan)))
}

/// Whether the driver's SQLite knows what the migrations use: TX512.
pub(in crate::doctor) fn sqlite_version(evidence: &Evidence<'_>) -> Answer {
    const NAME: &str = "sqlite-version";
    let (plan, decided) = match (&evidence.plan, &evidence.driver) {
        (Ok(plan), Some(decided)) => (plan, decided),
        (Err(why), _) => return Answer::not_checked(NAME, why),
        (Ok(_), None) => return Answer::not_found(NAME, "nothing tells the driver"),
    };
    let [driver] = decided.drivers.as_slice() else {
        let why = format!("nothing tells which driver it is of {}: --driver decides", decided.decision.value);
        return Answer::not_found(NAME, why);
    };
    let locked = decide::locked(driver, evidence.project);
    if driver.sqlite_version.is_empty() {
        let version = locked.map(|locked| format!(" {locked}")).unwrap_or_default();
        return Answer::not_found(NAME, format!("which SQLite {}{version} has is not known", driver.name));
    }
    let statements = plan.pending().flat_map(|migration| {
        let chunks = migration.chunks.iter().flat_map(|chunk| &chunk.statements);
        chunks.map(|statement| (statement.sql.as_str(), place(migration, statement)))
    });
    let found = findings::newer_than_driver(driver, locked.as_deref(), statements);
    let answer = Answer::ok(NAME).findings(found);
    if answer.has_findings() {
        return answer;
    }
    answer.fact(format!(
        "SQLite {}, which {} ships, knows what stands in {}",
        driver.sqlite_version,
        driver.measured_with,
        looked_at(evidence, plan)
    ))
}

fn with_plan(evidence: &Evidence<'_>, name: &'static str, look: impl Fn(&Plan) -> Answer) -> Answer {
    match (&evidence.production, &evidence.plan) {
        (None, _) => Answer::without_snapshot(name),
        (_, Err(why)) => Answer::not_checked(name, why),
        (Some(_), Ok(plan)) => look(plan),
    }
}

/// `3 pending migrations`; without a snapshot nobody knows which are pending.
fn looked_at(evidence: &Evidence<'_>, plan: &Plan) -> String {
    let pending = plan.pending().count() as u64;
    match &evidence.production {
        Some(_) => count(pending, "pending migration"),
        None => count(pending, "migration"),
    }
}

fn of_plan<'a>(plan: &Plan, rules: &'a [&'a Rule]) -> impl Iterator<Item = Finding> + 'a {
    let is_wanted = |finding: &Finding| rules.iter().any(|rule| rule.code == finding.rule.code);
    findings::of_plan(plan).into_iter().filter(is_wanted)
}

fn place(migration: &Migration, statement: &Statement) -> Place {
    Place {
        migration: migration.name.clone(),
        line: statement.line,
        column: statement.column,
        statement: redact(&statement.sql),
        ..At::new(&migration.file, statement.line).place()
    }
}

/// Tables that a migration copies into a new one and drops.
fn rebuilds_in(migration: &Migration) -> Vec<Finding> {
    let statements: Vec<&Statement> = migration.chunks.iter().flat_map(|chunk| &chunk.statements).collect();
    let is = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    let rebuilt = statements.iter().enumerate().filter_map(|(at, statement)| {
        let Action::DropTable { table: old } = &statement.action else { return None };
        let new = statements[..at].iter().rev().find_map(|statement| match &statement.action {
            Action::Insert(insert) => {
                let select = insert.select.as_ref()?;
                select.tables.iter().any(|from| is(from, old)).then_some(&insert.table)
            }
            Action::CreateTable { table, source: Some(source), .. } if is(source, old) => Some(table),
            _ => None,
        })?;
        let is_made = statements[..at]
            .iter()
            .any(|statement| matches!(&statement.action, Action::CreateTable { table, .. } if is(table, new)));
        // The new one takes the old one's name, now or because that one was renamed away before.
        let name = statements[at..].iter().find_map(|statement| match &statement.action {
            Action::RenameTable { table, to } if is(table, new) => Some(to.clone()),
            _ => None,
        });
        let was_renamed = statements[..at].iter().any(
            |statement| matches!(&statement.action, Action::RenameTable { table, to } if is(table, new) && is(to, old)),
        );
        let name = name.or_else(|| was_renamed.then(|| new.clone())).filter(|_| is_made)?;
        let finding = Finding::new(&SN924, format!("`{}` rebuilds `{name}`", migration.name));
        let finding = finding
            .table(&name)
            .at(Some(place(migration, statement)), "the old table goes with all that the new one lacks");
        Some(finding.help("see what it would lose: rehearse --snapshot prod.db"))
    });
    rebuilt.collect()
}
