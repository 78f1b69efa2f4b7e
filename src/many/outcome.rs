//! What is kept of a rehearsal that is one of many: enough to tell it from others, and its report.

use std::path::Path;

use xxhash_rust::xxh3::Xxh3;

use super::databases::{Database, SIDECARS};
use super::schema;
use crate::error::Error;
use crate::rehearsal::Rehearsal;
use crate::report::document::{self, Document, Outcome as Ended};
use crate::report::fleet::{File, GroupFinding, PlanCluster, SchemaCluster, Spread, Verdict};
use crate::report::verdict::headline;

/// One database with its outcome.
pub(super) struct Outcome {
    pub name: String,
    pub verdict: Verdict,
    pub exit_code: u8,
    /// What it has in common with databases of the same outcome.
    pub id: String,
    pub message: String,
    pub code: Option<String>,
    pub help: Vec<String>,
    pub findings: Vec<GroupFinding>,
    pub bytes: Option<u64>,
    pub rows_lost: Option<u64>,
    pub elapsed_ms: f64,
    /// Where it could be rehearsed.
    pub rehearsed: Option<Box<Rehearsed>>,
}

/// What else is known of one that could be rehearsed.
pub(super) struct Rehearsed {
    pub schema: SchemaCluster,
    pub plan: PlanCluster,
    pub migrations: Vec<File>,
    pub nothing_pending: bool,
    pub report: Document,
}

impl Outcome {
    /// Reduces a rehearsal.
    pub fn of(name: &str, rehearsal: &Rehearsal, elapsed_ms: f64) -> Self {
        let report = rehearsal.document();
        let verdict = match report.verdict {
            document::Verdict::Passed => Verdict::Passed,
            document::Verdict::Findings => Verdict::Findings,
            document::Verdict::Failed => Verdict::Failed,
        };
        let mut findings: Vec<GroupFinding> = report.findings.iter().map(of_finding).collect();
        findings.sort_by(|one, other| key(one).cmp(&key(other)));
        let nothing_pending = report.execution.outcome == Ended::NothingPending;
        let path = &rehearsal.evidence.snapshot.path;
        let mut hash = Hashed::new();
        hash.add(&format!("{verdict:?} {:?}", report.execution.outcome));
        hash.add(report.execution.error.as_ref().map_or("", |error| &error.message));
        for finding in &findings {
            hash.add(&format!("{:?}", key(finding)));
            hash.add(&class(&without_path(&finding.message, path)));
        }
        let had_rows = report.tables.iter().filter(|table| table.before_name.is_some());
        let rows_lost = had_rows.map(|table| table.rows.lost).sum();
        let evidence = &rehearsal.evidence;
        let objects = schema::lines(&evidence.comparison().before, &evidence.plan.ledger.name);
        let schema = SchemaCluster {
            id: schema::id(&objects),
            databases: 1,
            first: name.to_owned(),
            objects: Some(objects),
            missing: Vec::new(),
            extra: Vec::new(),
        };
        Self {
            name: name.to_owned(),
            verdict,
            exit_code: rehearsal.exit_code(),
            id: hash.id(),
            message: message(&report, verdict),
            code: None,
            help: Vec::new(),
            findings,
            bytes: Some(report.snapshot.bytes),
            rows_lost,
            elapsed_ms,
            rehearsed: Some(Box::new(Rehearsed {
                schema,
                plan: of_plan(name, &report),
                migrations: files(&report),
                nothing_pending,
                report,
            })),
        }
    }

    /// Where no rehearsal was possible: errors are the same that differ only in the database's path, in that of the private folder and in
    /// numbers.
    pub fn without(database: &Database, private: &Path, error: &Error, elapsed_ms: f64) -> Self {
        let Database { name, path } = database;
        let message = error.to_string().replace(&format!(" `{}`", path.display()), "");
        let mut hash = Hashed::new();
        hash.add("error");
        hash.add(error.code().unwrap_or_default());
        hash.add(&class(&without_path(&message.replace(&private.display().to_string(), ""), path)));
        Self {
            name: name.clone(),
            verdict: Verdict::Error,
            exit_code: error.exit_code(),
            id: hash.id(),
            message: format!("not rehearsed: {message}"),
            code: error.code().map(str::to_owned),
            help: error.hints().to_vec(),
            findings: Vec::new(),
            bytes: path.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len()),
            rows_lost: None,
            elapsed_ms,
            rehearsed: None,
        }
    }

    /// Whether it may be another one when nothing else runs: SQLite's memory is that of the process.
    pub fn lacked_memory(&self) -> bool {
        const TEXTS: [&str; 2] = ["out of memory", "SQLITE_NOMEM"];
        let says = |text: &str| TEXTS.iter().any(|known| text.contains(known));
        says(&self.message)
            || self.findings.iter().any(|finding| finding.code == "EX612" || says(&finding.message))
            || self
                .rehearsed
                .as_ref()
                .is_some_and(|rehearsed| rehearsed.report.not_compared.iter().any(|missing| says(&missing.why)))
    }
}

/// What is hashed, with its lengths.
struct Hashed(Xxh3);

impl Hashed {
    fn new() -> Self {
        Self(Xxh3::new())
    }

    fn add(&mut self, text: &str) {
        self.0.update(&(text.len() as u64).to_le_bytes());
        self.0.update(text.as_bytes());
    }

    fn id(&self) -> String {
        format!("{:032x}", self.0.digest128())
    }
}

/// Where a finding is; with its class, what makes two of them the same.
fn key(finding: &GroupFinding) -> impl Ord + std::fmt::Debug + '_ {
    let place = (&finding.migration, &finding.file, &finding.line);
    let about = (&finding.table, &finding.column, &finding.object);
    (std::cmp::Reverse(finding.level), finding.waived, &finding.code, about, place)
}

fn of_finding(finding: &document::Finding) -> GroupFinding {
    GroupFinding {
        code: finding.code.clone(),
        name: finding.name.clone(),
        level: finding.level,
        waived: finding.waived.is_some(),
        table: finding.table.clone(),
        column: finding.column.clone(),
        object: finding.object.clone(),
        migration: finding.migration.clone(),
        file: finding.file.clone(),
        line: finding.line,
        message: finding.message.clone(),
        rows: finding.rows.map(Spread::of),
    }
}

/// The outcome in a clause: `passed`, `2 errors: …`, `failed: …`.
fn message(report: &Document, verdict: Verdict) -> String {
    let headline = headline(report);
    match verdict {
        Verdict::Passed if headline.level.is_none() && report.execution.outcome == Ended::NothingPending => {
            format!("{}, no migration is pending", headline.head)
        }
        Verdict::Passed if headline.level.is_none() => headline.head,
        _ => format!("{} {}", headline.lead(), headline.reason).trim_end().to_owned(),
    }
}

fn of_plan(name: &str, report: &Document) -> PlanCluster {
    let plan = &report.plan;
    let names = |list: &[document::Migration]| list.iter().map(|one| one.name.clone()).collect::<Vec<_>>();
    let lists = [&plan.applied, &plan.pending, &plan.skipped, &plan.edited, &plan.missing];
    let mut hash = Hashed::new();
    for text in [&plan.tool, &plan.layout, &plan.driver, &plan.folder, &plan.ledger] {
        hash.add(text);
    }
    for list in lists {
        hash.add(&format!("{:?}", names(list)));
    }
    PlanCluster {
        id: hash.id(),
        databases: 1,
        first: name.to_owned(),
        tool: plan.tool.clone(),
        driver: plan.driver.clone(),
        applied: plan.applied.len() as u64,
        pending: names(&plan.pending),
        skipped: plan.skipped.len() as u64,
        edited: plan.edited.len() as u64,
        missing: plan.missing.len() as u64,
    }
}

/// The files of migrations that are there.
fn files(report: &Document) -> Vec<File> {
    let plan = &report.plan;
    let found = [&plan.applied, &plan.pending, &plan.skipped, &plan.edited].into_iter().flatten();
    let file = |one: &document::Migration| File { file: one.file.clone(), checksum: one.checksum.clone() };
    let mut files: Vec<File> = found.filter(|one| !one.file.is_empty()).map(file).collect();
    files.sort();
    files.dedup();
    files
}

/// What a text says whatever database it is about: neither its files' paths nor their names.
fn without_path(text: &str, path: &Path) -> String {
    let mut text = text.to_owned();
    for name in [path.as_os_str(), path.file_name().unwrap_or_default()] {
        for suffix in [""].iter().chain(&SIDECARS) {
            text = text.replace(&format!("`{}{suffix}`", name.display()), &format!("`{suffix}`"));
        }
    }
    text
}

/// Units that a quantity has or has not, by how great it is.
const UNITS: [&str; 21] = [
    "byte", "bytes", "kB", "MB", "GB", "TB", "KiB", "MiB", "GiB", "TiB", "ms", "s", "min", "second", "seconds",
    "minute", "minutes", "hour", "hours", "day", "days",
];

/// What a text says whatever its numbers are: `#` for each of them, also for one with units, and the words behind them in the singular.
fn class(text: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for word in without_numbers(text).split(' ') {
        let counted = words.last().is_some_and(|before| before.ends_with('#'));
        if counted && (word == "#" || UNITS.contains(&word.trim_end_matches([',', ':', ';']))) {
            continue;
        }
        words.push(match word {
            "are" => "is".to_owned(),
            "were" => "was".to_owned(),
            "have" => "has".to_owned(),
            word if counted => word.trim_end_matches(['s', ',', ':']).to_owned(),
            word => word.to_owned(),
        });
    }
    words.join(" ")
}

fn without_numbers(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut signs = text.chars().peekable();
    let mut before = ' ';
    while let Some(sign) = signs.next() {
        let begins = sign.is_ascii_digit() && !before.is_alphanumeric() && before != '_';
        before = sign;
        if !begins {
            plain.push(sign);
            continue;
        }
        plain.push('#');
        let is_of_number = |next: &char| next.is_ascii_digit() || *next == ',' || *next == '.';
        while let Some(next) = signs.next_if(is_of_number) {
            // What ends a clause is not of the number.
            if !next.is_ascii_digit() && !signs.peek().is_some_and(char::is_ascii_digit) {
                plain.push(next);
                break;
            }
            before = next;
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::class;

    #[test]
    fn texts_that_differ_in_numbers_are_of_one_class() {
        let same = |one: &str, other: &str| assert_eq!(class(one), class(other));
        same(
            "it is truncated: 8192 bytes where its header says 16384",
            "it is truncated: 1 byte where its header says 2",
        );
        same("`posts` lost 1,204 of 81,233 rows", "`posts` lost 1 of 1 row");
        same("14 values are gone, 3 stay", "1 value is gone, 12 stay");
        same(
            "the database grows by 900 bytes, from 4.1 kB to 5.0 kB",
            "the database grows by 1.2 GB, from 900.0 MB to 2.1 GB",
        );
        same("the write lock is held for 2 min 5 s, more than 5 s", "the write lock is held for 5.1 s, more than 5 s");
        same("it was last written 3 days ago; at most 1 day", "it was last written 26 hours ago; at most 1 day");
        assert_ne!(class("`t1` lost 1 of 2 rows"), class("`t2` lost 1 of 2 rows"));
        assert_ne!(class("DELETE removed every row of `posts`"), class("DELETE removed 3 of 4 rows of `posts`"));
    }
}
