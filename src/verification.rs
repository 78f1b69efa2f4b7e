//! Whether a report still speaks of these files.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Error;
use crate::execution::{Settings, decide};
use crate::findings::wording::{count_of, number};
use crate::migrations::{self, CodeSchema};
use crate::observer::Observer;
use crate::queries;
use crate::rehearsal::{Options, Prepared, locate};
use crate::report::assemble;
use crate::report::document::{self, CodeDrift, Configuration, Document, Migration, Plan};
use crate::report::verification::{Answer, Check, Verification};
use crate::snapshot::{self, Extent, Snapshot, Workspace};

/// Compares what a report says it was made of with the files that are there now; runs nothing.
///
/// # Errors
/// When the snapshot or the migrations cannot be read.
pub fn verify(report: &Document, options: &Options, observer: &dyn Observer) -> Result<Verification, Error> {
    let in_process = report.execution.command.is_none();
    let search = in_process.then(|| migrations::search(&options.migrations)).transpose()?;
    let workspace = Workspace::create_with(options.workspace.as_deref(), options.shred)?;
    let given = options.snapshot.fetch(&workspace, Extent::Changed, observer)?;
    let open = |reading| Snapshot::open(&given, &workspace, reading, Extent::Changed, observer);
    let checks = |snapshot: &Snapshot| {
        let mut checks = vec![content(report, snapshot, observer)?];
        match &search {
            Some(search) => {
                let prepared = locate(snapshot, options, search)?;
                checks.extend(settings(report, &prepared));
                checks.extend(code(report.plan.code_drift.as_ref(), migrations::code_schema(&prepared.located)));
            }
            None => checks.push(Check {
                what: "migrations",
                answer: Answer::Unknown,
                why: "a command ran them, and no report says what it runs".to_owned(),
            }),
        }
        checks.extend(queries(report.queries.as_ref(), options)?);
        checks.push(configuration(report.configuration.as_ref(), options.config.origin().as_ref()));
        Ok(checks)
    };
    let checks = snapshot::unchanged(open, checks, observer)?;
    Ok(Verification::of(report, checks, assemble::tool()))
}

fn content(report: &Document, snapshot: &Snapshot, observer: &dyn Observer) -> Result<Check, Error> {
    let (was, is) = (&report.snapshot, snapshot.facts());
    let check = |answer, why: String| Ok(Check { what: "snapshot", answer, why });
    let sizes = || format!("it had {} bytes, and has {}", number(was.bytes), number(is.bytes));
    let same_size = (was.bytes, was.pages, was.page_size) == (is.bytes, is.pages, is.page_size);
    let Some(hash) = &was.sha256 else {
        let unread = "it has the same size, but its bytes were not read for the report: rehearse with --thorough";
        return if same_size { check(Answer::Unknown, unread.to_owned()) } else { check(Answer::No, sizes()) };
    };
    match snapshot.sha256(observer)? {
        now if now == *hash => check(Answer::Yes, format!("sha256 {now}")),
        _ if was.bytes == is.bytes => check(Answer::No, "it has the same size and another content".to_owned()),
        _ => check(Answer::No, sizes()),
    }
}

/// What runs, and as what.
fn settings(report: &Document, prepared: &Prepared) -> Vec<Check> {
    let Prepared { plan, decided, located } = prepared;
    let (was, is) = (&report.plan, assemble::planned(plan, "", std::iter::empty(), (None, None)));
    let equal = |what, was: &str, is: &str| {
        if was == is {
            Check { what, answer: Answer::Yes, why: was.to_owned() }
        } else {
            Check { what, answer: Answer::No, why: format!("it was {was}, and is {is}") }
        }
    };
    let others = report.execution.alternatives.iter().map(|other| other.driver.as_str());
    let drivers = one_of(others.chain([was.driver.as_str()]));
    let driver = decided.drivers.iter().find(|driver| driver.name == was.driver);
    let is_undone = report.execution.way_back.is_some();
    let mut checks = vec![migrations_are_the_same(was, &is, is_undone), equal("tool", &tool(was), &tool(&is))];
    checks.push(equal("ledger", &was.ledger, &is.ledger));
    checks.push(equal("driver", &drivers, &one_of(decided.drivers.iter().map(|driver| driver.name))));
    if let Some(driver) = driver {
        let version = |version: Option<&str>| version.unwrap_or("not known").to_owned();
        let (was, is) = (report.execution.driver_version.as_deref(), decide::locked(driver, &located.project));
        if was.is_some() || is.is_some() {
            checks.push(equal("driver's version", &version(was), &version(is.as_deref())));
        }
    }
    if let (Some(driver), Some(was)) = (driver, report.execution.settings.foreign_keys) {
        let words = |on| if on { "on" } else { "off" };
        let is = Settings::of(driver, located.foreign_keys).foreign_keys;
        checks.push(equal("foreign keys", words(was), words(is)));
    }
    checks
}

/// Drivers of which production has one; in which order they were tried says nothing.
fn one_of<'a>(drivers: impl Iterator<Item = &'a str>) -> String {
    drivers.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" or ")
}

fn tool(plan: &Plan) -> String {
    if plan.layout.is_empty() { plan.tool.clone() } else { format!("{}, {}", plan.tool, plan.layout) }
}

/// Every migration is what it was, and what became of it is the same; also what undoes it, where that was rehearsed.
fn migrations_are_the_same(was: &Plan, is: &Plan, is_undone: bool) -> Check {
    let what = "migrations";
    let (before, now) = (standing(was), standing(is));
    let mut differences = Vec::new();
    for (name, (state, migration)) in &before {
        let Some((state_now, now)) = now.get(name) else {
            differences.push(format!("`{name}` was {state}, and is gone"));
            continue;
        };
        if now.checksum != migration.checksum {
            differences.push(format!("`{name}` has another content"));
        } else if state_now != state {
            differences.push(format!("`{name}` was {state}, and is {state_now}"));
        } else if now.unwrapped != migration.unwrapped {
            let (was, is) = if now.unwrapped { ("in", "outside of") } else { ("outside of", "in") };
            differences.push(format!("`{name}` ran {was} a transaction, and runs {is} one"));
        } else if is_undone && now.down_checksum != migration.down_checksum {
            differences.push(format!("what undoes `{name}` is not what it was"));
        }
    }
    let new = now.iter().filter(|(name, _)| !before.contains_key(*name));
    differences.extend(new.map(|(name, (state, _))| format!("`{name}` is {state}, and was not there")));
    let order = |plan: &Plan| plan.pending.iter().map(|migration| migration.name.clone()).collect::<Vec<_>>();
    if differences.is_empty() && order(was) != order(is) {
        differences.push("they run in another order".to_owned());
    }
    if differences.is_empty() {
        let numbers = [(is.applied.len(), "applied"), (is.pending.len(), "pending")];
        let why = numbers.map(|(number, state)| format!("{number} {state}")).join(", ");
        return Check { what, answer: Answer::Yes, why };
    }
    Check { what, answer: Answer::No, why: differences.join("; ") }
}

/// Each migration with its state, by its name.
fn standing(plan: &Plan) -> BTreeMap<&str, (&'static str, &Migration)> {
    let states: [(&'static str, &Vec<Migration>); 5] = [
        ("applied", &plan.applied),
        ("pending", &plan.pending),
        ("skipped", &plan.skipped),
        ("edited", &plan.edited),
        ("missing", &plan.missing),
    ];
    let each =
        states.into_iter().flat_map(|(state, migrations)| migrations.iter().map(move |migration| (state, migration)));
    each.map(|(state, migration)| (migration.name.as_str(), (state, migration))).collect()
}

/// The file that says what the code expects; none where there was none and is none.
fn code(was: Option<&CodeDrift>, is: Result<Option<CodeSchema>, Error>) -> Option<Check> {
    let (answer, why) = match (was, is) {
        (None, Ok(None)) => return None,
        (Some(CodeDrift { sha256: None, .. }), _) => {
            (Answer::Unknown, "the report has no checksum of what the code expects: rehearse again".to_owned())
        }
        (_, Err(error)) => (Answer::No, format!("it cannot be read: {error}")),
        (Some(was), Ok(None)) => {
            (Answer::No, format!("`{}` said what the code expects, and no file does now", was.file))
        }
        (None, Ok(Some(is))) => {
            (Answer::No, format!("`{}` says what the code expects, and no file did", is.file.display()))
        }
        (Some(was), Ok(Some(is))) => match is.file.display().to_string() {
            file if file != was.file => (Answer::No, format!("it was `{}`, and is `{file}`", was.file)),
            file if was.sha256.as_ref() != Some(&is.sha256) => (Answer::No, format!("`{file}` has another content")),
            file => (Answer::Yes, file),
        },
    };
    Some(Check { what: "code's schema", answer, why })
}

/// The app's queries; none where there were none and are none.
fn queries(was: Option<&document::Queries>, options: &Options) -> Result<Option<Check>, Error> {
    let is = if options.queries.is_empty() { None } else { Some(queries::read(&options.queries)?) };
    let check = |answer, why: &str| Some(Check { what: "queries", answer, why: why.to_owned() });
    Ok(match (was, is) {
        (None, None) => None,
        (Some(was), Some(is)) if was.sha256 == is.sha256() => check(Answer::Yes, &count_of(is.list.len(), "query")),
        (Some(_), Some(_)) => check(Answer::No, "their files have another content"),
        (Some(_), None) => check(Answer::No, "they were checked, and none are given now: --queries"),
        (None, Some(_)) => check(Answer::No, "they were not checked"),
    })
}

fn configuration(was: Option<&Configuration>, is: Option<&Configuration>) -> Check {
    let (answer, why) = match (was, is) {
        (None, None) => (Answer::Yes, "there is none".to_owned()),
        (Some(was), Some(is)) if was.sha256 == is.sha256 => (Answer::Yes, is.file.clone()),
        (Some(_), Some(is)) => (Answer::No, format!("`{}` has another content", is.file)),
        (Some(was), None) => (Answer::No, format!("`{}` held, and none does now", was.file)),
        (None, Some(is)) => (Answer::No, format!("`{}` holds, and none did", is.file)),
    };
    Check { what: "configuration", answer, why }
}
