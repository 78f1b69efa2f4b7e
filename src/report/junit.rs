//! `JUnit`'s XML, in the form that Jenkins publishes a schema of.
//!
//! A suite is a migration and a case in it a statement; one more suite has a case per table, and the last one what is about neither: that
//! the migrations ran, and one case per rule. A finding is told at its statement and at its table: as the case's failure where it makes the
//! verdict, in its output where it does not. What did not run is skipped.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::document::{Document, Finding, Migration, Outcome, Step, Table};
use super::plain::{self, cut};
use super::visible::{inert, visible};
use crate::findings::wording::{count, number};

/// Characters of a statement in the name of its case, and of a message.
const NAME: usize = 120;
const MESSAGE: usize = 1_000;

struct Suite {
    name: String,
    cases: Vec<Case>,
}

#[derive(Default)]
struct Case {
    name: String,
    class: String,
    /// Milliseconds.
    time: f64,
    /// The error of its statement: its kind and its message.
    error: Option<(String, String)>,
    /// Why it did not run.
    skipped: Option<String>,
    findings: Vec<usize>,
    output: Vec<String>,
}

impl Case {
    fn new(class: &str, name: impl Into<String>) -> Self {
        Self { class: class.to_owned(), name: name.into(), ..Self::default() }
    }
}

/// The suites as XML.
#[must_use]
pub fn render(document: &Document) -> String {
    let mut told = vec![false; document.findings.len()];
    let mut suites = migrations(document, &mut told);
    suites.extend(tables(document, &mut told));
    suites.push(others(document, &told));
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Writing to memory does not fail.
    let _ = write(&mut writer, document, &suites);
    let text = String::from_utf8(writer.into_inner()).unwrap_or_default();
    text.lines().flat_map(|line| [inert(line), "\n".to_owned()]).collect()
}

fn migrations(document: &Document, told: &mut [bool]) -> Vec<Suite> {
    let steps = &document.execution.steps;
    let pending = &document.plan.pending;
    let mut suites: Vec<Suite> = pending
        .iter()
        .map(|migration| {
            let own: Vec<&Step> = steps.iter().filter(|step| step.migration == migration.name).collect();
            let mut suite = suite(document, &migration.name, &own, told);
            suite.cases.extend(unreached(document, migration, &own));
            suite
        })
        .collect();
    // What a command ran is not always in a ledger.
    let mut others: Vec<&str> = Vec::new();
    for step in steps {
        if pending.iter().all(|migration| migration.name != step.migration) && !others.contains(&&*step.migration) {
            others.push(&step.migration);
        }
    }
    for name in others {
        let own: Vec<&Step> = steps.iter().filter(|step| step.migration == name).collect();
        suites.push(suite(document, name, &own, told));
    }
    suites
}

/// The statements that ran, each with the findings at it.
fn suite(document: &Document, migration: &str, steps: &[&Step], told: &mut [bool]) -> Suite {
    let mut cases: Vec<Case> = steps.iter().map(|step| statement(step)).collect();
    for (index, finding) in document.findings.iter().enumerate() {
        if finding.migration.as_deref() != Some(migration) {
            continue;
        }
        let at_line = |step: &&Step| Some(step.line) == finding.line;
        let is_it = |step: &&Step| at_line(step) && Some(&step.sql) == finding.statement.as_ref();
        let position = steps.iter().position(is_it).or_else(|| steps.iter().position(at_line));
        if let Some(case) = position.and_then(|position| cases.get_mut(position)) {
            case.findings.push(index);
            told[index] = true;
        }
    }
    Suite { name: migration.to_owned(), cases }
}

fn statement(step: &Step) -> Case {
    let sql = step.sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let name = format!("statement {}, line {}: {}", number(step.statement as u64), step.line, cut(&sql, NAME));
    Case {
        time: step.elapsed_ms,
        error: step.error.as_ref().map(|error| {
            let kind = error.code.clone().unwrap_or_else(|| "error".to_owned());
            (kind, error.message.clone())
        }),
        skipped: (!step.ran && step.error.is_none()).then(|| "left out by the driver".to_owned()),
        ..Case::new(&step.migration, name)
    }
}

/// The statements that nothing is known of: they did not run, or a command ran them unseen.
fn unreached(document: &Document, migration: &Migration, steps: &[&Step]) -> Vec<Case> {
    let execution = &document.execution;
    let unseen = execution.command.as_ref().is_some_and(|command| !command.traced);
    if unseen && execution.outcome == Outcome::Completed {
        let mut case = Case::new(&migration.name, "the migration");
        case.output.push("ran through the command; its statements are not known".to_owned());
        return vec![case];
    }
    (steps.len()..migration.statements)
        .map(|index| Case {
            skipped: Some("did not run".to_owned()),
            ..Case::new(&migration.name, format!("statement {}", number(index as u64 + 1)))
        })
        .collect()
}

fn tables(document: &Document, told: &mut [bool]) -> Option<Suite> {
    let case = |table: &Table| {
        let mut case = Case::new("tables", &table.name);
        let why = document.not_compared.iter().find(|missing| missing.table == table.name);
        case.skipped = why.map(|missing| format!("not compared: {}", missing.why));
        case.output.push(rows(table));
        for (index, finding) in document.findings.iter().enumerate() {
            let name = finding.table.as_ref();
            if name == Some(&table.name) || name.is_some() && name == table.before_name.as_ref() {
                case.findings.push(index);
                told[index] = true;
            }
        }
        case
    };
    let cases: Vec<Case> = document.tables.iter().map(case).collect();
    (!cases.is_empty()).then(|| Suite { name: "tables".to_owned(), cases })
}

/// `100 rows before, 0 after: 100 lost, 0 gained, 0 changed`.
fn rows(table: &Table) -> String {
    if table.is_uncounted() {
        return "no page changed, so neither counted nor checked".to_owned();
    }
    let rows = &table.rows;
    let side = |rows: Option<u64>| rows.map_or_else(|| "none".to_owned(), |rows| count(rows, "row"));
    let counted = |rows: Option<u64>| rows.map_or_else(|| "an unknown number".to_owned(), number);
    format!(
        "{} before, {} after: {} lost, {} gained, {} changed",
        side(rows.before),
        side(rows.after),
        counted(rows.lost),
        counted(rows.gained),
        counted(rows.changed)
    )
}

/// That the migrations ran, and a case per rule of the findings that are at no statement and no table.
fn others(document: &Document, told: &[bool]) -> Suite {
    let execution = &document.execution;
    let mut run = Case::new("rehearsal", "the migrations run on the copy");
    let of_no_step = execution.error.as_ref().filter(|_| execution.steps.iter().all(|step| step.error.is_none()));
    run.error = of_no_step.map(|error| {
        let kind = error.code.clone().unwrap_or_else(|| "error".to_owned());
        (kind, error.message.clone())
    });
    let mut cases = vec![run];
    for missing in &document.not_compared {
        if document.tables.iter().all(|table| table.name != missing.table) {
            let mut case = Case::new("rehearsal", format!("{} is compared", missing.table));
            case.skipped = Some(format!("not compared: {}", missing.why));
            cases.push(case);
        }
    }
    let first = cases.len();
    for (index, finding) in document.findings.iter().enumerate().filter(|(index, _)| !told[*index]) {
        let name = format!("{} {}", finding.code, finding.name);
        let position = cases[first..].iter().position(|case| case.name == name).unwrap_or_else(|| {
            cases.push(Case::new("rehearsal", name));
            cases.len() - 1 - first
        });
        cases[first + position].findings.push(index);
    }
    Suite { name: "rehearsal".to_owned(), cases }
}

/// What came out of a case.
enum Result {
    Passed,
    Failed,
    Broken,
    Skipped,
}

impl Case {
    fn result(&self, document: &Document) -> Result {
        if self.error.is_some() {
            Result::Broken
        } else if self.findings.iter().any(|index| plain::fails(document, &document.findings[*index])) {
            Result::Failed
        } else if self.skipped.is_some() {
            Result::Skipped
        } else {
            Result::Passed
        }
    }
}

/// How many cases, and how many of them came out in which way.
fn counts<'a>(document: &Document, cases: impl Iterator<Item = &'a Case>) -> [usize; 4] {
    let mut counts = [0; 4];
    for case in cases {
        counts[0] += 1;
        match case.result(document) {
            Result::Failed => counts[1] += 1,
            Result::Broken => counts[2] += 1,
            Result::Skipped => counts[3] += 1,
            Result::Passed => {}
        }
    }
    counts
}

/// Seconds.
pub(super) fn seconds(milliseconds: f64) -> String {
    format!("{:.3}", milliseconds / 1000.0)
}

fn write(writer: &mut Writer<Vec<u8>>, document: &Document, suites: &[Suite]) -> std::io::Result<()> {
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let [tests, failures, errors, _] = counts(document, suites.iter().flat_map(|suite| &suite.cases));
    let attributes =
        [("tests", tests), ("failures", failures), ("errors", errors)].map(|(key, value)| (key, value.to_string()));
    writer
        .create_element("testsuites")
        .with_attribute(("name", "rehearse"))
        .with_attributes(attributes.iter().map(|(key, value)| (*key, value.as_str())))
        .with_attribute(("time", seconds(document.execution.elapsed_ms).as_str()))
        .write_inner_content(|writer| suites.iter().try_for_each(|suite| write_suite(writer, document, suite)))?;
    Ok(())
}

fn write_suite(writer: &mut Writer<Vec<u8>>, document: &Document, suite: &Suite) -> std::io::Result<()> {
    let [tests, failures, errors, skipped] = counts(document, suite.cases.iter());
    let counts = [("tests", tests), ("failures", failures), ("errors", errors), ("skipped", skipped)];
    let attributes = counts.map(|(key, value)| (key, value.to_string()));
    let element = writer
        .create_element("testsuite")
        .with_attribute(("name", &*visible(&suite.name)))
        .with_attributes(attributes.iter().map(|(key, value)| (*key, value.as_str())))
        .with_attribute(("time", seconds(suite.cases.iter().map(|case| case.time).sum()).as_str()));
    if suite.cases.is_empty() {
        element.write_empty()?;
    } else {
        element
            .write_inner_content(|writer| suite.cases.iter().try_for_each(|case| write_case(writer, document, case)))?;
    }
    Ok(())
}

fn write_case(writer: &mut Writer<Vec<u8>>, document: &Document, case: &Case) -> std::io::Result<()> {
    let findings = || case.findings.iter().map(|index| &document.findings[*index]);
    let failing: Vec<&Finding> = findings().filter(|finding| plain::fails(document, finding)).collect();
    let mut output: Vec<String> = case.output.iter().map(|line| visible(line).into_owned()).collect();
    output.extend(findings().filter(|finding| !plain::fails(document, finding)).map(in_full));
    let element = writer
        .create_element("testcase")
        .with_attribute(("name", &*visible(&case.name)))
        .with_attribute(("classname", &*visible(&case.class)))
        .with_attribute(("time", seconds(case.time).as_str()));
    let result = case.result(document);
    if matches!(result, Result::Passed) && output.is_empty() {
        element.write_empty()?;
        return Ok(());
    }
    element.write_inner_content(|writer| {
        match (&case.error, &case.skipped) {
            (Some((kind, message)), _) => outcome(writer, "error", kind, message, &failing)?,
            (None, _) if matches!(result, Result::Failed) => {
                let codes: Vec<&str> = failing.iter().map(|finding| finding.code.as_str()).collect();
                let facts: Vec<&str> = failing.iter().map(|finding| finding.message.as_str()).collect();
                outcome(writer, "failure", &codes.join(", "), &facts.join("; "), &failing)?;
            }
            (None, Some(why)) => {
                writer.create_element("skipped").with_attribute(("message", &*visible(why))).write_empty()?;
            }
            (None, None) => {}
        }
        if !output.is_empty() {
            writer.create_element("system-out").write_text_content(BytesText::new(&output.join("\n\n")))?;
        }
        Ok(())
    })?;
    Ok(())
}

fn outcome(
    writer: &mut Writer<Vec<u8>>,
    tag: &str,
    kind: &str,
    message: &str,
    findings: &[&Finding],
) -> std::io::Result<()> {
    let body = findings.iter().map(|finding| in_full(finding)).collect::<Vec<_>>().join("\n\n");
    writer
        .create_element(tag)
        .with_attribute(("message", cut(&visible(message), MESSAGE).as_str()))
        .with_attribute(("type", cut(&visible(kind), MESSAGE).as_str()))
        .write_text_content(BytesText::new(&body))?;
    Ok(())
}

/// `error[LS102] cascade-deleted-rows: …`, its place and what explains it.
fn in_full(finding: &Finding) -> String {
    let mut lines = vec![format!("{}: {}", plain::title(finding), visible(&finding.message))];
    lines.extend(plain::place(finding).map(|place| format!("at {place}")));
    lines.extend(plain::notes(finding));
    lines.join("\n")
}
