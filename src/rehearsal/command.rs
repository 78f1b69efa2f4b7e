//! A rehearsal through the tool's own command.
//!
//! The copy is made a file, the command works on it, and what came out is compared like every other outcome. Where its SQL could be
//! traced, the same statements run once more on another copy: if that leaves the same database, what is known of each statement
//! there is the cause of what happened here.

use std::path::{Path, PathBuf};

use super::{Rehearsed, Theatre};
use crate::compare::rows::RowComparison;
use crate::compare::{Comparison, State, States, queries};
use crate::error::{Doing, Error};
use crate::execution::command::sandbox::{Place, Sandbox, with_sidecars};
use crate::execution::command::trace::{self, Library, Matters, Trace, Tracer};
use crate::execution::command::{self, End, Exec, Ran};
use crate::execution::drivers;
use crate::execution::steps::{Failure, Outcome, StepError};
use crate::execution::{Execution, Settings};
use crate::findings::Trial;
use crate::migrations::migration::Chunk;
use crate::migrations::project::Project;
use crate::migrations::recipes::{self, Known, Recipe, THE_COMMAND};
use crate::migrations::statement::redact;
use crate::migrations::{Decision, Entry, Ledger, Migration, Plan, State as Applied};
use crate::reading;
use crate::report::diff::Verdict;
use crate::report::document::{self, TableChange};
use crate::repository::or_dot;
use crate::schema::is_bookkeeping;
use crate::schema::lexer::{Token, tokens};
use crate::snapshot::{Method, Reading, Snapshot, Source, WorkingCopy};
use crate::sqlite_file::page_set::PageSet;
use crate::sqlite_file::pages::free_bytes;

/// The command on a file, and what it left there.
struct Left {
    ran: Ran,
    after: Snapshot,
    changed: Option<PageSet>,
    before_ledger: Option<Known>,
    after_ledger: Option<Known>,
    trace: Option<Trace>,
}

/// Runs the command on a copy and compares. The plan in it says what the ledger tells.
///
/// # Errors
/// When the command cannot be started, did not work on the copy, or left no database.
pub(super) fn rehearse(stage: &Theatre<'_>, exec: &Exec, project: &Project) -> Result<Rehearsed, Error> {
    let recipe = recipes::of_command(&exec.line);
    let mut decisions = vec![Decision {
        what: "recipe",
        value: if recipe.words.is_empty() { "none".to_owned() } else { recipe.name.to_owned() },
        why: if recipe.words.is_empty() { "the command is not one that is known" } else { "the words of the command" }
            .into(),
    }];
    let left = run(stage, exec, recipe, project, &mut decisions)?;
    let mut plan = planned(&left, recipe, decisions);
    plan.decisions.extend(super::read_otherwise(stage.snapshot.facts(), &plan));
    let settings = Settings::of(&drivers::command::UNKNOWN, None);
    let mut execution = Execution::of_command(settings, left.after.facts().journal_mode, left.ran.clone());
    let comparison = compare(stage, &left, &plan, &execution)?;
    execution.outcome = outcome(&left, &comparison);
    let bytes = [stage.snapshot, &left.after].map(|side| side.facts().pages * u64::from(side.facts().page_size));
    let answers = queries::ask(
        &stage.demands.questions(),
        &stage.snapshot.connect()?,
        &left.after.connect()?,
        stage.options.bounds.time,
    );
    let queries = stage.check_queries(&execution, &comparison, || left.after.connect())?;
    let trial = Trial {
        execution,
        comparison,
        answers,
        queries,
        bytes_before: bytes[0],
        bytes_after: bytes[1],
        bytes_free: free_bytes(left.after.pages()),
    };
    let (trial, why) = match replayed(stage, &left, &plan, &trial)? {
        Ok((known, replay, why)) => {
            plan = known;
            (replay, why.to_owned())
        }
        Err(why) => (trial, why),
    };
    let value = if trial.execution.is_traced() { "each statement is known" } else { "not known" };
    plan.decisions.push(Decision { what: "causes", value: value.into(), why });
    let copy = match stage.options.keep_copy {
        Some(_) => Some(WorkingCopy::of(&left.after, stage.workspace, "left")?),
        None => None,
    };
    let driver = trial.execution.settings.driver.name;
    let decision =
        Decision { what: "driver", value: driver.into(), why: "what the command opened the copy with".into() };
    Ok(Rehearsed { plan, decision, trials: vec![(copy, trial)] })
}

fn run(
    stage: &Theatre<'_>,
    exec: &Exec,
    recipe: &'static Recipe,
    project: &Project,
    decisions: &mut Vec<Decision>,
) -> Result<Left, Error> {
    let root = or_dot(&project.root);
    let facts = stage.snapshot.facts();
    let snapshot = facts.path.canonicalize().ok().filter(|_| facts.method != Method::Made);
    let place = place(exec, recipe, root, snapshot.as_deref())?;
    let never: Vec<PathBuf> = snapshot.iter().flat_map(|path| with_sidecars(path)).collect();
    let below = stage.workspace.file("exec");
    let sandbox = Sandbox::of(root, or_dot(&stage.options.migrations.project), &below, &place, &never)?;
    if let Place::InProject(path) = &place {
        let why = if exec.copy_at.is_some() { "`--copy-at`" } else { "the snapshot lies there" };
        decisions.push(Decision {
            what: "copy",
            value: format!("at {} in the project", path.display()),
            why: why.into(),
        });
    }
    for path in &sandbox.left_out {
        let value = format!("{} is not in the copy of the project", path.display());
        decisions.push(Decision { what: "project", value, why: "it is larger than 256 MiB".into() });
    }
    WorkingCopy::of(stage.snapshot, stage.workspace, "given to the command")?
        .keep(&sandbox.database, stage.observer)?
        .appear()?;
    let before_ledger = recipes::ledger_in(&stage.snapshot.connect()?, recipe)?;
    let tracer = Tracer::new(&below.join("trace"), &sandbox.database)?;
    let ran = command::run(exec, stage.options.bounds.time, recipe, &sandbox, &tracer, stage.observer)?;
    if ran.opened == Some(false) && !matches!(ran.end, End::TimeLimit(_)) {
        return Err(not_opened(&ran, recipe));
    }
    let doing = || format!("reading what `{}` left", exec.line);
    let after = open(stage, &sandbox.database).map_err(|error| {
        Error::cannot(doing(), error).hint("the command removed the copy, or left something else in its place")
    })?;
    let changed = PageSet::differing(stage.snapshot.pages(), after.pages(), stage.observer).doing(doing)?;
    let after_ledger = recipes::ledger_in(&after.connect()?, recipe)?;
    let trace = tracer.collect();
    Ok(Left { ran, after, changed, before_ledger, after_ledger, trace })
}

/// A database in the workspace, which nobody else writes.
fn open(stage: &Theatre<'_>, file: &Path) -> Result<Snapshot, Error> {
    let (workspace, extent, observer) = (stage.workspace, stage.options.extent, stage.observer);
    let given = Source::File(file.to_path_buf()).fetch(workspace, extent, observer)?;
    Snapshot::open(&given, workspace, Reading::InPlace, extent, observer)
}

/// Where the project has the database: where it was said, or where the snapshot lies in it, or nowhere.
fn place(exec: &Exec, recipe: &Recipe, root: &Path, snapshot: Option<&Path>) -> Result<Place, Error> {
    if let Some(path) = &exec.copy_at {
        let is_below = path
            .components()
            .all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir));
        if !is_below {
            let cause = format!("`{}` does not lie below the project", path.display());
            return Err(Error::usage("reading `--copy-at`", cause)
                .hint("give a path from the project's folder, for example data/app.db"));
        }
        return Ok(Place::InProject(path.clone()));
    }
    let root = root.canonicalize().ok();
    let inside = snapshot.zip(root).and_then(|(snapshot, root)| Some(snapshot.strip_prefix(root).ok()?.to_path_buf()));
    Ok(inside.map_or(Place::Apart(recipe.file_name), Place::InProject))
}

fn not_opened(ran: &Ran, recipe: &Recipe) -> Error {
    let last: Vec<&str> = ran.output.iter().map(String::as_str).filter(|line| !line.trim().is_empty()).collect();
    let said = last[last.len().saturating_sub(5)..].join("\n");
    let said = if said.is_empty() { String::new() } else { format!("; it said\n{said}") };
    let cause = format!("it did not open the copy, so nothing was rehearsed (it {}){said}", ran.end.describe());
    let error = Error::cannot(format!("running `{}`", ran.line), cause);
    if ran.end != End::Code(0) {
        return error.hint("it ran in a copy of the project, where installed packages are linked; it must run there as it does in production");
    }
    let who = if recipe.words.is_empty() { "its tool" } else { recipe.name };
    error
        .hint(format!("{who} must take the database from DATABASE_URL, or from {{db}} or {{db_url}} in the command"))
        .hint("where the project's configuration names a file, say which: --copy-at data/app.db")
}

/// What the ledger tells: applied is what it held, pending what was added.
fn planned(left: &Left, recipe: &Recipe, decisions: Vec<Decision>) -> Plan {
    let known = left.after_ledger.as_ref().or(left.before_ledger.as_ref());
    let names = |ledger: &Option<Known>| ledger.as_ref().map(|known| known.names.clone()).unwrap_or_default();
    let (before, after) = (names(&left.before_ledger), names(&left.after_ledger));
    let applied = before.iter().map(|name| entry(name, Applied::Applied));
    let added = after.iter().filter(|name| !before.contains(name)).map(|name| entry(name, Applied::Pending));
    Plan {
        tool: if recipe.words.is_empty() { known.map_or(recipe.name, |known| known.tool) } else { recipe.name },
        layout: "",
        folder: PathBuf::new(),
        ledger: Ledger {
            name: known.map(|known| known.table.clone()).unwrap_or_default(),
            present: left.before_ledger.is_some(),
            rows: before.len() as u64,
        },
        entries: applied.chain(added).collect(),
        setup: Vec::new(),
        refusal: None,
        decisions,
    }
}

fn entry(name: &str, state: Applied) -> Entry {
    Entry { migration: Migration::without_file(name.to_owned(), PathBuf::new(), String::new()), state }
}

fn compare(stage: &Theatre<'_>, left: &Left, plan: &Plan, execution: &Execution) -> Result<Comparison, Error> {
    let connections = (stage.snapshot.connect()?, left.after.connect()?);
    let uris = (stage.snapshot.uri(), left.after.uri());
    let states = States {
        before: State::of(stage.snapshot, &connections.0, &uris.0),
        after: State::of(&left.after, &connections.1, &uris.1),
        changed: left.changed.as_ref(),
        ledger: &plan.ledger.name,
        sampling: stage.options.sampling,
        scope: stage.scope,
        memory: stage.options.max_memory,
        time: stage.options.bounds.time,
    };
    Comparison::between(states, execution, stage.observer)
}

fn outcome(left: &Left, comparison: &Comparison) -> Outcome {
    if left.ran.end != End::Code(0) {
        let error = StepError::told(format!("it {}", left.ran.end.describe()));
        let rolled_back = left.changed.as_ref().is_some_and(PageSet::is_empty);
        return Outcome::Failed(Failure { step: None, doing: "the command", error, rolled_back });
    }
    let recorded_nothing = left.before_ledger == left.after_ledger;
    let is_as_before = left.changed.as_ref().is_some_and(PageSet::is_empty);
    if recorded_nothing && (is_as_before || left.after_ledger.is_some() && comparison.is_without_change()) {
        Outcome::NothingPending
    } else {
        Outcome::Completed
    }
}

/// The traced statements on another copy, where that leaves the same database; else why the causes are not known.
fn replayed(
    stage: &Theatre<'_>,
    left: &Left,
    plan: &Plan,
    trial: &Trial,
) -> Result<Result<(Plan, Trial, &'static str), String>, Error> {
    let Some(trace) = &left.trace else {
        return Ok(Err("no statement of the command could be traced: that works with SQLite's libraries of Node.js, Python and Ruby".into()));
    };
    let settings = Settings::of(driver(trace.library), Some(trace.foreign_keys));
    let failed = matches!(trial.execution.outcome, Outcome::Failed(_));
    let _under_way = stage.trial("statement by statement".to_owned());
    let probe = WorkingCopy::of(stage.snapshot, stage.workspace, "probe")?;
    let own = |table: &str| is_bookkeeping(table, &plan.ledger.name);
    let Matters { statements, failed: gone_on_after } =
        trace::that_matter(&probe.open()?.connection, settings, &trace.statements, failed, &own);
    let plan = with_statements(plan, &statements, failed);
    let replay = Theatre { plan: &plan, ..*stage };
    let (copy, mut again) = replay.rehearse_keeping(settings, "replay")?;
    let likeness = likeness(stage, left, &plan, copy)?;
    let accepted = likeness == Likeness::Same || {
        let computes = trace.statements.iter().any(|sql| differs_each_time(sql));
        likeness == Likeness::ButForValues && computes && counts(&trial.comparison) == counts(&again.comparison)
    };
    if !accepted {
        return Ok(Err("running the traced statements on another copy leaves another database".into()));
    }
    match (&mut again.execution.outcome, failed) {
        (Outcome::Failed(_), false) => return Ok(Err("a traced statement fails on another copy".into())),
        (Outcome::Failed(failure), true) => failure.rolled_back |= trial.comparison.is_without_change(),
        (outcome, _) => {
            *outcome = trial.execution.outcome.clone();
            if let (Outcome::Failed(failure), Some((sql, message))) = (outcome, gone_on_after) {
                let sql = redact(&sql).split_whitespace().collect::<Vec<_>>().join(" ");
                failure.error.message =
                    format!("{}; the last statement that failed is `{sql}`: {message}", failure.error.message);
            }
        }
    }
    again.execution.command = Some(left.ran.clone());
    // The statements are those of the replay, and what they did is looked at where the command did it.
    again.comparison = compare(stage, left, &plan, &again.execution)?;
    again.answers.clone_from(&trial.answers);
    (again.bytes_after, again.bytes_free) = (trial.bytes_after, trial.bytes_free);
    let why = match likeness {
        Likeness::Same => "the same statements on another copy leave the same database",
        _ => {
            "the same statements on another copy leave the same rows; values that SQLite makes anew each time, such as \
              CURRENT_TIMESTAMP, differ"
        }
    };
    Ok(Ok((plan, again, why)))
}

/// How two copies compare on which the same statements ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Likeness {
    Same,
    /// The same schema and the same rows, in some of which values differ.
    ButForValues,
    Different,
}

/// Whether a statement, or what it makes, asks for a value that is another one each time.
fn differs_each_time(sql: &str) -> bool {
    const WORDS: [&str; 12] = [
        "CURRENT_TIMESTAMP",
        "CURRENT_TIME",
        "CURRENT_DATE",
        "RANDOM",
        "RANDOMBLOB",
        "DATE",
        "TIME",
        "DATETIME",
        "JULIANDAY",
        "STRFTIME",
        "UNIXEPOCH",
        "GEN_RANDOM_UUID",
    ];
    tokens(sql).any(|token| WORDS.iter().any(|word| token.is_word(sql, word)))
}

/// Rows by table: lost, gained and changed.
fn counts(comparison: &Comparison) -> Vec<(&str, Option<[Option<u64>; 3]>)> {
    let of_rows = |rows: &RowComparison| [Some(rows.lost), Some(rows.gained), rows.changed];
    comparison.tables.iter().map(|table| (table.name(), table.rows.as_ref().map(of_rows))).collect()
}

fn driver(library: Library) -> &'static crate::execution::Driver {
    match library {
        Library::BetterSqlite3 => &drivers::command::BETTER_SQLITE3,
        Library::Sqlite3 => &drivers::command::SQLITE3,
        Library::NodeSqlite => &drivers::command::NODE_SQLITE,
        Library::Libsql => &drivers::command::LIBSQL,
        Library::Python => &drivers::command::PYTHON,
        Library::Ruby => &drivers::command::RUBY,
    }
}

/// Gives the statements to the migrations: each ends where the ledger gets its row. Where the numbers do not match they are all the
/// command's.
fn with_statements(plan: &Plan, statements: &[String], failed: bool) -> Plan {
    let mut groups: Vec<Vec<Chunk>> = vec![Vec::new()];
    for (index, sql) in statements.iter().enumerate() {
        let line = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let last = groups.len() - 1;
        groups[last].push(Chunk::new(sql, line));
        if records(sql, &plan.ledger.name) {
            groups.push(Vec::new());
        }
    }
    let mut names: Vec<String> = plan.pending().map(|migration| migration.name.clone()).collect();
    if failed && groups.len() == names.len() + 1 {
        // The one that failed is in no ledger.
        names.push(THE_COMMAND.to_owned());
    } else if groups.len() > 1 {
        // What follows the last row, such as COMMIT, belongs to it.
        let rest = groups.pop().unwrap_or_default();
        if let Some(last) = groups.last_mut() {
            last.extend(rest);
        }
    }
    let mut known = plan.clone();
    let (names, groups) = if names.len() == groups.len() {
        (names, groups)
    } else {
        (vec![THE_COMMAND.to_owned()], vec![groups.into_iter().flatten().collect()])
    };
    known.entries.retain(|entry| entry.state != Applied::Pending);
    for (name, chunks) in names.into_iter().zip(groups) {
        let sql = chunks.iter().map(|chunk| chunk.sql.as_str()).collect::<Vec<_>>().join(";\n");
        let migration = Migration::of(name, PathBuf::from(TRACE), sql, chunks);
        known.entries.push(Entry { migration, state: Applied::Pending });
    }
    known
}

/// What stands for a file where the statements of a command are shown.
const TRACE: &str = "SQL of the command";

/// Whether a statement adds a row to the ledger.
fn records(sql: &str, ledger: &str) -> bool {
    let words: Vec<Token> = tokens(sql).filter(|token| !token.is_trivia()).take(3).collect();
    let [insert, into, table] = words.as_slice() else { return false };
    insert.is_word(sql, "INSERT")
        && into.is_word(sql, "INTO")
        && table.name(sql).is_some_and(|name| name.eq_ignore_ascii_case(ledger))
}

fn likeness(stage: &Theatre<'_>, left: &Left, plan: &Plan, copy: WorkingCopy) -> Result<Likeness, Error> {
    let file = stage.workspace.file("exec").join("replayed.db");
    copy.keep(&file, stage.observer)?.appear()?;
    let replayed = open(stage, &file)?;
    let reading = reading::Reading {
        extent: stage.options.extent,
        max_memory: stage.options.max_memory,
        ..reading::Reading::default()
    };
    let diff = reading::difference(&left.after, &replayed, &plan.ledger.name, &reading, stage.observer)?;
    let has_the_same_rows = |table: &document::Table| {
        table.change == TableChange::Same && table.rows.lost == Some(0) && table.rows.gained == Some(0)
    };
    Ok(match diff.verdict {
        Verdict::Same => Likeness::Same,
        Verdict::Different
            if diff.schema.changes.is_empty()
                && diff.counters.is_empty()
                && diff.not_compared.is_empty()
                && diff.tables.iter().all(has_the_same_rows) =>
        {
            Likeness::ButForValues
        }
        Verdict::Different | Verdict::Unknown => Likeness::Different,
    })
}
