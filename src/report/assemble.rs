//! From the evidence and the findings to the report document. Names are the user's own; literals of rows are taken out.

use std::collections::BTreeMap;

use crate::compare::app::Works;
use crate::compare::lineage::Change as Lineage;
use crate::compare::queries::Answer;
use crate::compare::rows::{Key, RowComparison};
use crate::compare::samples::{Literal, Sample};
use crate::compare::{Comparison, TableComparison};
use crate::execution::command::{End, Ran};
use crate::execution::driver::ForeignKeys;
use crate::execution::{self, Execution, Step};
use crate::findings::rule::{Level, Shown};
use crate::findings::{Cell, CodeDrift, Drift, Evidence, Faults, Finding, Trial, faults};
use crate::migrations::{self, State};
use crate::profile::{ColumnProfile, Reader};
use crate::schema::changes;
use crate::snapshot::source::{Channel, Content};
use crate::snapshot::{Checked, Facts, Method, Untouched, Wal};

use super::document as doc;
use crate::units::moment;

mod resources;

/// How much of a statement a step shows.
const STATEMENT_WIDTH: usize = 2_000;

/// Assembles the document.
#[must_use]
pub fn document(
    evidence: &Evidence,
    findings: &[Finding],
    matrix: &[Cell],
    verdict: doc::Verdict,
    fail_on: Option<Level>,
    configuration: Option<doc::Configuration>,
) -> doc::Document {
    doc::Document {
        schema_version: doc::SCHEMA_VERSION,
        rehearse: tool(),
        verdict,
        fail_on,
        configuration,
        rehearsed_at: moment(evidence.limits.now),
        snapshot: snapshot(&evidence.snapshot, &evidence.untouched),
        plan: plan(evidence),
        execution: execution(evidence),
        matrix: matrix.iter().map(cell).collect(),
        extent: extent(evidence.comparison()),
        queries: queries(evidence),
        tables: tables(evidence.comparison()),
        schema: schema(evidence.comparison()),
        resources: resources::resources(evidence),
        findings: findings.iter().map(finding).collect(),
        not_compared: not_compared(evidence.comparison()),
    }
}

/// What makes the report.
pub(crate) fn tool() -> doc::Tool {
    doc::Tool { version: env!("CARGO_PKG_VERSION").to_owned(), sqlite_version: rusqlite::version().to_owned() }
}

/// The file that was given.
pub(super) fn snapshot(facts: &Facts, untouched: &Untouched) -> doc::Snapshot {
    let changed = match untouched {
        Untouched::Yes => Vec::new(),
        Untouched::ChangedByOthers(changes) => changes.clone(),
    };
    doc::Snapshot {
        path: facts.path.display().to_string(),
        channel: match facts.origin.channel {
            Channel::File => "file",
            Channel::Stdin => "stdin",
            Channel::Command => "command",
        }
        .to_owned(),
        source: match facts.origin.content {
            Content::Database => "database",
            Content::Dump { .. } => "dump",
        }
        .to_owned(),
        compression: facts.origin.compression.iter().map(|layer| layer.name().to_owned()).collect(),
        bytes: facts.bytes,
        page_size: facts.page_size,
        pages: facts.pages,
        journal_mode: facts.journal_mode.name().to_owned(),
        sha256: facts.sha256.clone(),
        modified: facts.modified.map(moment),
        wal_bytes: (facts.wal != Wal::Absent).then(|| facts.wal.bytes()),
        copied_by: match facts.method {
            Method::InPlace => None,
            Method::Backup => Some("backup".to_owned()),
            Method::Reflink => Some("reflink".to_owned()),
            Method::Copy => Some("copy".to_owned()),
            Method::Made => Some("making".to_owned()),
        },
        untouched: *untouched == Untouched::Yes,
        compared_by: match facts.checked {
            Checked::Bytes => "bytes",
            Checked::Metadata => "metadata",
            Checked::Nothing => "nothing",
        }
        .to_owned(),
        changed,
    }
}

fn plan(evidence: &Evidence) -> doc::Plan {
    let driver = evidence.execution().settings.driver.name;
    let decisions = evidence.plan.decisions.iter().chain([&evidence.driver_decision]);
    planned(&evidence.plan, driver, decisions, (evidence.drift.as_ref(), evidence.code_drift.as_ref()))
}

/// The plan alone, as `rehearse plan` shows it.
#[must_use]
pub fn planned<'a>(
    plan: &migrations::Plan,
    driver: &str,
    decisions: impl Iterator<Item = &'a migrations::Decision>,
    (drift, code_drift): (Option<&Drift>, Option<&CodeDrift>),
) -> doc::Plan {
    let of = |wanted: fn(&State) -> bool| {
        plan.entries.iter().filter(|entry| wanted(&entry.state)).map(|entry| migration(&entry.migration)).collect()
    };
    doc::Plan {
        tool: plan.tool.to_owned(),
        layout: plan.layout.to_owned(),
        driver: driver.to_owned(),
        folder: plan.folder.display().to_string(),
        ledger: plan.ledger.name.clone(),
        applied: of(|state| *state == State::Applied),
        pending: of(|state| *state == State::Pending),
        skipped: of(|state| matches!(state, State::Skipped { .. })),
        edited: of(|state| matches!(state, State::Edited { .. })),
        missing: of(|state| *state == State::Missing),
        decisions: decisions.map(decision).collect(),
        drift: drift.map(drifted),
        code_drift: code_drift.map(code_drifted),
    }
}

fn drifted(drift: &Drift) -> doc::Drift {
    match drift {
        Drift::Known { applied, changes, trips } => doc::Drift {
            applied: *applied,
            changes: changes.iter().map(schema_change).collect(),
            trips: trips
                .iter()
                .flatten()
                .next()
                .map(|trip| doc::Trip { migration: trip.migration.clone(), message: trip.message.clone() }),
            trips_unknown: trips.as_ref().err().cloned(),
            unknown: None,
        },
        Drift::Unknown(why) => {
            doc::Drift { applied: 0, changes: Vec::new(), trips: None, trips_unknown: None, unknown: Some(why.clone()) }
        }
    }
}

fn code_drifted(drift: &CodeDrift) -> doc::CodeDrift {
    doc::CodeDrift {
        file: drift.file.display().to_string(),
        sha256: drift.sha256.clone(),
        changes: drift.changes.iter().flatten().map(schema_change).collect(),
        unknown: drift.changes.as_ref().err().cloned(),
    }
}

fn migration(migration: &migrations::Migration) -> doc::Migration {
    doc::Migration {
        name: migration.name.clone(),
        file: migration.file.display().to_string(),
        checksum: migration.checksum.clone(),
        statements: migration.chunks.iter().map(|chunk| chunk.statements.len()).sum(),
        unwrapped: migration.unwrapped,
        down_checksum: migration.down.as_ref().map(|down| down.checksum.clone()),
    }
}

pub(crate) fn decision(decision: &migrations::Decision) -> doc::Decision {
    doc::Decision { what: decision.what.to_owned(), value: decision.value.clone(), why: decision.why.clone() }
}

fn execution(evidence: &Evidence) -> doc::Execution {
    let execution = evidence.execution();
    doc::Execution {
        outcome: outcome(execution),
        elapsed_ms: milliseconds(execution.elapsed),
        settings: settings(execution),
        driver_version: evidence.locked_driver.clone(),
        command: execution.command.as_ref().map(|ran| command(ran, execution.is_traced())),
        steps: resources::steps(evidence),
        way_back: evidence.way_back.as_ref().map(|back| doc::WayBack {
            outcome: outcome(&back.execution),
            steps: back.execution.steps.iter().map(step).collect(),
            no_further_than: back.no_further_than.clone(),
        }),
        faults: evidence.faults.as_ref().map(under_faults),
        alternatives: evidence.others.iter().map(|other| alternative(other, &evidence.trial)).collect(),
        error: evidence.trial.failure().map(|failure| error(&failure.error)),
    }
}

fn queries(evidence: &Evidence) -> Option<doc::Queries> {
    let queries = evidence.queries.as_ref()?;
    let works = evidence.trial.queries.as_ref().map(|checked| {
        let mut works = doc::QueriesWork::default();
        for checked in checked {
            *match checked.works {
                Works::Both => &mut works.both,
                Works::Before(_) => &mut works.before,
                Works::After(_) => &mut works.after,
                Works::Neither { .. } => &mut works.neither,
                Works::Unknown(_) => &mut works.unknown,
            } += 1;
            let is_compared = matches!(checked.answer, Some(Answer::Asked { before: Some(Ok(_)), after: Ok(_), .. }));
            works.compared += u64::from(is_compared);
        }
        works
    });
    Some(doc::Queries {
        files: queries.files,
        sha256: queries.sha256(),
        queries: queries.list.len() as u64,
        occurrences: queries.list.iter().map(|query| query.times).sum(),
        left_out: queries.left_out.iter().map(|(what, statements)| (what.name().to_owned(), *statements)).collect(),
        works,
    })
}

fn under_faults(faults: &Faults) -> doc::Faults {
    doc::Faults {
        moments: faults.moments,
        left_out: faults.left_out,
        states: doc::FaultStates { old: faults.old, new: faults.new, between: faults.between, partial: faults.partial },
        resumed: faults.resumed,
        second_run: match faults.again.as_ref().map(|again| &again.end) {
            None => "nothing",
            Some(faults::End::Differs(_) | faults::End::Damaged(_)) => "changes",
            Some(faults::End::Failed { .. } | faults::End::Refused { .. }) => "fails",
        }
        .to_owned(),
        differing: faults.differing.iter().map(|difference| difference.rows).sum(),
    }
}

fn outcome(execution: &Execution) -> doc::Outcome {
    match execution.outcome {
        execution::Outcome::Completed => doc::Outcome::Completed,
        execution::Outcome::NothingPending => doc::Outcome::NothingPending,
        execution::Outcome::Failed(_) => doc::Outcome::Failed,
        execution::Outcome::Refused => doc::Outcome::Refused,
    }
}

fn command(ran: &Ran, traced: bool) -> doc::Command {
    doc::Command {
        line: ran.line.clone(),
        exit_code: if let End::Code(code) = ran.end { Some(code) } else { None },
        signal: if let End::Signal(signal) = ran.end { Some(signal) } else { None },
        time_limit: if let End::TimeLimit(limit) = ran.end { Some(limit.as_secs()) } else { None },
        elapsed_ms: milliseconds(ran.elapsed),
        traced,
        output: ran.output.clone(),
        output_dropped: ran.dropped,
    }
}

fn settings(execution: &Execution) -> doc::Settings {
    let driver = execution.settings.driver;
    let strings = execution.settings.double_quoted_strings;
    let fixed = (driver.foreign_keys == ForeignKeys::AlwaysOn).then(|| "PRAGMA foreign_keys has no effect".to_owned());
    // What a command does around its statements is among them.
    let of_the_driver = |text: &str| if execution.command.is_some() { String::new() } else { text.to_owned() };
    let around = driver.before.iter().chain(driver.after).map(|&pragma| pragma.to_owned()).chain(fixed);
    doc::Settings {
        foreign_keys: execution.is_traced().then_some(execution.settings.foreign_keys),
        dqs: execution.is_traced().then_some(strings.dml || strings.ddl),
        transaction: of_the_driver(driver.transaction.describe()),
        several_statements: of_the_driver(driver.several_statements.describe()),
        around: around.collect(),
        journal_mode: execution.journal_mode.clone(),
        driver_sqlite_version: (!driver.sqlite_version.is_empty()).then(|| driver.sqlite_version.to_owned()),
    }
}

fn milliseconds(duration: std::time::Duration) -> f64 {
    (duration.as_secs_f64() * 1_000_000.0).round() / 1_000.0
}

fn step(step: &Step) -> doc::Step {
    let change = |change: &execution::steps::Change| doc::Change {
        table: change.table.clone(),
        by: change.by.name().to_owned(),
        inserted: change.inserted,
        updated: change.updated,
        deleted: change.deleted,
    };
    doc::Step {
        migration: step.migration.clone(),
        file: step.file.clone(),
        statement: step.number,
        line: step.statement.line,
        sql: step.statement.excerpt(STATEMENT_WIDTH),
        elapsed_ms: milliseconds(step.elapsed),
        changes: step.changes.iter().map(change).collect(),
        bytes_after: step.bytes_after,
        bytes_written: step.taken.map(|taken| taken.written),
        peak_bytes: step.taken.map(|taken| taken.peak),
        measured_ms: None,
        error: step.error.as_ref().map(error),
        ran: step.ran,
    }
}

fn error(error: &execution::steps::StepError) -> doc::StepError {
    doc::StepError {
        message: error.message.clone(),
        extended_code: error.extended_code,
        code: error.code_name().map(str::to_owned),
    }
}

fn cell(cell: &Cell) -> doc::MatrixCell {
    let Trial { execution, comparison, .. } = &cell.trial;
    let driver = execution.settings.driver;
    let level = cell.findings.iter().map(|finding| finding.level).max().filter(|level| *level > Level::Note);
    let gravest = cell.findings.iter().filter(|finding| Some(finding.level) == level);
    let mut codes: Vec<String> = gravest.map(|finding| finding.rule.code.to_owned()).collect();
    codes.dedup();
    let columns = comparison.tables.iter().filter_map(|table| table.rows.as_ref()).flat_map(|rows| &rows.columns);
    doc::MatrixCell {
        driver: driver.name.to_owned(),
        decided: cell.decided,
        sqlite_version: (!driver.sqlite_version.is_empty()).then(|| driver.sqlite_version.to_owned()),
        foreign_keys: execution.settings.foreign_keys,
        transaction_around: execution.settings.transaction.around().to_owned(),
        outcome: outcome(execution),
        error: cell.trial.failure().map(|failure| failure.error.message.clone()),
        rows_lost: comparison.rows_lost(),
        values_changed: columns.map(|column| column.changed).sum(),
        level,
        codes,
    }
}

fn alternative(other: &Trial, main: &Trial) -> doc::Alternative {
    let rows = |trial: &Trial, beside: &Trial| -> BTreeMap<String, Option<u64>> {
        let tables = trial.comparison.tables.iter();
        let rows = |table: &TableComparison| table.rows_after(beside.comparison.same_table(table));
        tables.map(|table| (table.name().to_owned(), rows(table))).collect()
    };
    let main_rows = rows(main, other);
    doc::Alternative {
        driver: other.execution.settings.driver.name.to_owned(),
        outcome: outcome(&other.execution),
        error: other.failure().map(|failure| failure.error.message.clone()),
        rows_lost: other.comparison.rows_lost(),
        differs: rows(other, main).into_iter().filter(|(name, rows)| main_rows.get(name) != Some(rows)).collect(),
    }
}

/// How much was looked at.
pub(super) fn extent(comparison: &Comparison) -> String {
    if comparison.is_whole { "whole" } else { "changed" }.to_owned()
}

/// Every table of the user, the biggest loss first, then by name.
pub(super) fn tables(comparison: &Comparison) -> Vec<doc::Table> {
    let mut tables: Vec<doc::Table> = comparison.tables.iter().map(|compared| table(comparison, compared)).collect();
    tables.sort_by(|one, other| {
        let lost = |table: &doc::Table| table.rows.lost.unwrap_or_default();
        lost(other).cmp(&lost(one)).then_with(|| one.name.cmp(&other.name))
    });
    tables
}

fn table(comparison: &Comparison, compared: &TableComparison) -> doc::Table {
    let rows = doc::Rows {
        before: compared.before.as_ref().map(|before| before.rows),
        after: compared.after.as_ref().map(|after| after.rows),
        lost: lost(compared),
        gained: gained(compared),
        changed: compared.rows.as_ref().and_then(changed),
    };
    let redefined = comparison.schema_changes.iter().any(|change| change.table == compared.name());
    let quiet = !redefined
        && compared.pair.change == Lineage::Same
        && (rows.lost, rows.gained, rows.changed) == (Some(0), Some(0), Some(0));
    doc::Table {
        name: compared.name().to_owned(),
        before_name: compared.pair.before.clone(),
        change: match compared.pair.change {
            Lineage::Same => doc::TableChange::Same,
            Lineage::Renamed => doc::TableChange::Renamed,
            Lineage::Rebuilt => doc::TableChange::Rebuilt,
            Lineage::Added => doc::TableChange::Added,
            Lineage::Dropped => doc::TableChange::Dropped,
        },
        rows,
        read_by: read_by(compared).map(str::to_owned),
        columns: if quiet { Vec::new() } else { columns(compared) },
    }
}

fn read_by(compared: &TableComparison) -> Option<&'static str> {
    let readers: Vec<Reader> =
        [&compared.before, &compared.after].into_iter().flatten().map(|held| held.read_by).collect();
    let sqlite_did = readers.contains(&Reader::Sqlite) || compared.rows.as_ref().is_some_and(|rows| rows.by_sqlite);
    match (readers.is_empty(), sqlite_did) {
        (true, _) => None,
        (_, true) => Some("sqlite"),
        (_, false) => Some("file"),
    }
}

/// Of rows that are matched by content, none changed where each has its equal.
fn changed(rows: &RowComparison) -> Option<u64> {
    rows.changed.or_else(|| (rows.lost == 0 && rows.gained == 0).then_some(0))
}

fn lost(compared: &TableComparison) -> Option<u64> {
    match compared.pair.change {
        Lineage::Dropped => compared.before.as_ref().map(|before| before.rows),
        _ => compared.rows.as_ref().map(|rows| rows.lost),
    }
}

fn gained(compared: &TableComparison) -> Option<u64> {
    match compared.pair.change {
        Lineage::Added => compared.after.as_ref().map(|after| after.rows),
        _ => compared.rows.as_ref().map(|rows| rows.gained),
    }
}

/// Columns after in their order, then those that are gone.
fn columns(compared: &TableComparison) -> Vec<doc::Column> {
    let before = compared.before.as_ref().map(|profile| profile.columns.as_slice()).unwrap_or_default();
    let after = compared.after.as_ref().map(|profile| profile.columns.as_slice()).unwrap_or_default();
    let pairs = &compared.pair.columns;
    let now = after.iter().map(|now| {
        let old = pairs.iter().find(|(_, after)| *after == now.name).map(|(before, _)| before);
        column(compared, old.and_then(|old| before.iter().find(|column| column.name == *old)), Some(now))
    });
    let gone = before.iter().filter(|old| !pairs.iter().any(|(before, _)| *before == old.name));
    now.chain(gone.map(|old| column(compared, Some(old), None))).collect()
}

fn column(compared: &TableComparison, before: Option<&ColumnProfile>, after: Option<&ColumnProfile>) -> doc::Column {
    let classes = |profile: Option<&ColumnProfile>| -> BTreeMap<String, u64> {
        profile.iter().flat_map(|column| column.classes()).map(|(class, values)| (class.to_owned(), values)).collect()
    };
    let values = before.zip(after).and_then(|(before, _)| {
        let rows = compared.rows.as_ref().filter(|rows| rows.key != Key::Content || rows.changed.is_some())?;
        rows.columns.iter().find(|column| column.before == before.name)
    });
    doc::Column {
        name: after.or(before).map(|column| column.name.clone()).unwrap_or_default(),
        before_name: before.map(|column| column.name.clone()),
        nulls: doc::Nulls { before: before.map(|column| column.nulls), after: after.map(|column| column.nulls) },
        classes: doc::Classes { before: classes(before), after: classes(after) },
        values: values.map(|column| doc::Values {
            changed: column.changed,
            nulled: column.nulled,
            filled: column.filled,
            converted: column.converted,
            lossy: column.lossy,
            lossy_kinds: kinds(column.lossy_kinds.iter().map(|(kind, values)| (kind.name(), *values))),
            text_altered: kinds(column.text_altered.iter().map(|(kind, values)| (kind.name(), *values))),
            blank_to_null: column.blank_to_null,
            null_to_blank: column.null_to_blank,
            shifted_from: column.shifted_from.clone(),
        }),
    }
}

fn kinds<'a>(kinds: impl Iterator<Item = (&'a str, u64)>) -> BTreeMap<String, u64> {
    kinds.map(|(kind, values)| (kind.to_owned(), values)).collect()
}

/// What became of the schema.
pub(super) fn schema(comparison: &Comparison) -> doc::Schema {
    let changes = comparison.schema_changes.iter().map(schema_change);
    doc::Schema { changes: changes.collect(), diff: comparison.schema_diff.clone() }
}

fn schema_change(change: &changes::Change) -> doc::SchemaChange {
    doc::SchemaChange {
        kind: change.kind.name().to_owned(),
        change: change.how.name().to_owned(),
        table: Some(change.table.clone()),
        name: change.name.clone(),
        detail: match (change.before.as_str(), change.after.as_str()) {
            ("", after) => after.to_owned(),
            (before, "") => before.to_owned(),
            (before, after) => format!("{before} → {after}"),
        },
    }
}

/// What a rule says.
pub(super) fn finding(finding: &Finding) -> doc::Finding {
    let place = finding.place.as_ref();
    doc::Finding {
        code: finding.rule.code.to_owned(),
        name: finding.rule.name.to_owned(),
        level: finding.level,
        level_from: finding.level_from.clone(),
        table: finding.table.clone(),
        column: finding.column.clone(),
        object: finding.object.clone(),
        migration: place.map(|place| place.migration.clone()).filter(|migration| !migration.is_empty()),
        file: place.map(|place| place.file.clone()),
        line: place.map(|place| place.line),
        position: place.map(|place| place.column),
        statement: place.map(|place| place.statement.clone()).filter(|statement| !statement.is_empty()),
        label: finding.label.clone().filter(|_| place.is_some_and(|place| !place.statement.is_empty())),
        rows: finding.rows,
        message: finding.message.clone(),
        cause: finding.cause.clone(),
        proof: finding.proof.clone(),
        help: finding.help.clone(),
        waived: finding.waived.clone(),
        samples: finding.samples.as_ref().map(samples),
    }
}

fn samples(shown: &Shown) -> doc::Samples {
    let literals = |key: &[Literal]| key.iter().map(|literal| literal.0.clone()).collect();
    let values = |values: &[(String, Literal)]| {
        let value = |(column, literal): &(String, Literal)| doc::SampleValue {
            column: column.clone(),
            value: literal.0.clone(),
        };
        values.iter().map(value).collect()
    };
    let row = |sample: &Sample| doc::Sample {
        key: literals(&sample.key),
        before: values(&sample.before),
        after: values(&sample.after),
    };
    doc::Samples { key: shown.key.clone(), rows: shown.rows.iter().map(row).collect() }
}

/// What could not be compared, and why.
pub(super) fn not_compared(comparison: &Comparison) -> Vec<doc::NotCompared> {
    let missing = comparison.not_compared.iter();
    missing.map(|missing| doc::NotCompared { table: missing.what.clone(), why: missing.why.clone() }).collect()
}
