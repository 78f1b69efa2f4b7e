//! The findings: the first of each rule in full, with the statement marked in its file; the rest of a long series in a few lines each.

use serde::Serialize;

use super::grid::{Grid, code, words};
use crate::findings::catalogue::find;
use crate::findings::wording::{count_of, number};
use crate::report::document::{Document, Finding, Sample, SampleValue, Step};
use crate::report::facts;
use crate::report::visible::visible_lines;

/// Findings of one rule that are shown in full before the rest is folded.
const IN_FULL: usize = 5;
/// Lines of a statement that are shown, and how many of them are its last.
const EXCERPT: usize = 40;
const TAIL: usize = 8;
/// Statements before and behind that are shown with one.
const AROUND: usize = 2;

/// Every finding.
#[derive(Serialize)]
pub struct Findings {
    count: String,
    any: bool,
    series: Vec<Series>,
    waived: Vec<Series>,
}

/// The findings of one rule.
#[derive(Serialize)]
struct Series {
    code: String,
    name: String,
    /// The rule's own words; none where this version does not know it.
    rule: Option<RuleText>,
    full: Vec<Full>,
    brief: Vec<Brief>,
    more: String,
}

#[derive(Serialize)]
struct RuleText {
    when: &'static str,
    effect: &'static str,
    fix: &'static str,
    level: &'static str,
}

/// A finding with all that is known of it.
#[derive(Serialize)]
struct Full {
    #[serde(flatten)]
    brief: Brief,
    excerpt: Vec<Line>,
}

/// A finding in a few lines: what is as in the one before it is left out.
#[derive(Serialize)]
struct Brief {
    id: String,
    code: String,
    name: String,
    level: &'static str,
    waived: Option<String>,
    set_by: Option<String>,
    message: String,
    place: String,
    statement: String,
    label: String,
    cause: Option<String>,
    proof: Option<String>,
    help: Vec<Help>,
    samples: Option<Grid>,
}

/// What to do, and code that can be pasted.
#[derive(Serialize)]
pub struct Help {
    prose: Option<String>,
    code: Vec<String>,
}

/// A line of an excerpt.
#[derive(Serialize)]
struct Line {
    number: String,
    text: String,
    /// `hit` in the marked statement, `near` beside it, `gap` where lines are left out.
    kind: &'static str,
}

/// The findings of a document, by rule, in its order; those that a waiver covers behind the others.
pub fn findings(document: &Document) -> Findings {
    let all: Vec<(usize, &Finding)> = document.findings.iter().enumerate().collect();
    let (waived, standing) = all.into_iter().partition(|(_, finding)| finding.waived.is_some());
    Findings {
        count: number(document.findings.len() as u64),
        any: !document.findings.is_empty(),
        series: series(standing, &document.execution.steps),
        waived: series(waived, &document.execution.steps),
    }
}

/// The anchor of the finding at this index of the document.
pub fn anchor(index: usize) -> String {
    format!("finding-{}", index + 1)
}

fn series(findings: Vec<(usize, &Finding)>, steps: &[Step]) -> Vec<Series> {
    let mut by_rule: Vec<(&str, Vec<(usize, &Finding)>)> = Vec::new();
    for (index, finding) in findings {
        match by_rule.iter_mut().find(|(code, _)| *code == finding.code) {
            Some((_, series)) => series.push((index, finding)),
            None => by_rule.push((&finding.code, vec![(index, finding)])),
        }
    }
    by_rule.into_iter().map(|(_, findings)| one_rule(&findings, steps)).collect()
}

fn one_rule(findings: &[(usize, &Finding)], steps: &[Step]) -> Series {
    let first = findings.first().map(|(_, finding)| *finding);
    let code = first.map(|finding| finding.code.clone()).unwrap_or_default();
    // One more or less is not worth a fold.
    let shown = if findings.len() <= IN_FULL + 1 { findings.len() } else { IN_FULL };
    let (full, rest) = findings.split_at(shown);
    let mut before = full.last().map(|(_, finding)| *finding);
    let mut brief = Vec::with_capacity(rest.len());
    for (index, finding) in rest {
        brief.push(told(*index, finding, before));
        before = Some(finding);
    }
    Series {
        rule: find(&code).map(|rule| RuleText {
            when: rule.when,
            effect: rule.effect,
            fix: rule.fix,
            level: rule.level.name(),
        }),
        name: first.map(|finding| finding.name.clone()).unwrap_or_default(),
        more: count_of(rest.len(), "more finding"),
        full: full.iter().map(|(index, finding)| in_full(*index, finding, steps)).collect(),
        brief,
        code,
    }
}

fn in_full(index: usize, finding: &Finding, steps: &[Step]) -> Full {
    Full { excerpt: excerpt(finding, steps), brief: told(index, finding, None) }
}

/// What there is to say of a finding; `before` is the one above it, whose cause, proof and help need not be said again.
fn told(index: usize, finding: &Finding, before: Option<&Finding>) -> Brief {
    let same = |of: fn(&Finding) -> &Option<String>| before.is_some_and(|before| of(before) == of(finding));
    let is_new = |told: &Option<String>, same: bool| told.clone().filter(|_| !same);
    let helped = before.is_some_and(|before| before.help == finding.help);
    Brief {
        id: anchor(index),
        code: finding.code.clone(),
        name: finding.name.clone(),
        level: finding.level.name(),
        waived: finding.waived.clone(),
        set_by: finding
            .level_from
            .as_ref()
            .map(|from| format!("{} by itself, {} by {}", from.level.name(), finding.level.name(), from.by)),
        message: finding.message.clone(),
        place: place(finding),
        statement: finding.statement.as_deref().map(one_line).unwrap_or_default(),
        label: finding.label.clone().unwrap_or_default(),
        cause: is_new(&finding.cause, same(|finding| &finding.cause)),
        proof: is_new(&finding.proof, same(|finding| &finding.proof)),
        help: if helped { Vec::new() } else { finding.help.iter().map(|text| help(text)).collect() },
        samples: samples(finding),
    }
}

fn one_line(statement: &str) -> String {
    let words: Vec<&str> = statement.split_whitespace().collect();
    words.join(" ")
}

/// `drizzle/0001_a.sql:8:1`, or what else is known.
fn place(finding: &Finding) -> String {
    let Some(file) = finding.file.as_deref().filter(|file| !file.is_empty()) else {
        return finding.migration.clone().unwrap_or_default();
    };
    let numbers = [finding.line, finding.line.and(finding.position)];
    numbers.into_iter().flatten().fold(file.to_owned(), |place, number| format!("{place}:{number}"))
}

pub fn help(text: &str) -> Help {
    let lines = visible_lines(text);
    let (prose, code) = facts::help(&lines);
    Help { prose: prose.map(str::to_owned), code: code.to_vec() }
}

/// The statement as it stands in its file, with the first line of the statements around it.
fn excerpt(finding: &Finding, steps: &[Step]) -> Vec<Line> {
    let Some(statement) = finding.statement.as_deref() else { return Vec::new() };
    let own = finding.line.and_then(|line| {
        steps.iter().position(|step| step.line == line && finding.file.as_ref().is_some_and(|file| *file == step.file))
    });
    let near = |step: &Step| {
        let text = visible_lines(&step.sql).iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        Line { number: step.line.to_string(), text: ended(&text), kind: "near" }
    };
    let in_file = |step: &&Step| finding.file.as_ref() == Some(&step.file);
    let mut lines = Vec::new();
    if let Some(own) = own {
        let from = own.saturating_sub(AROUND);
        lines.extend(steps[from..own].iter().filter(in_file).map(near));
    }
    lines.extend(marked(finding.line, &ended(statement.trim_end())));
    if let Some(own) = own {
        let behind = steps.iter().skip(own + 1).filter(in_file).take(AROUND);
        // A second statement on the same line has been shown with it.
        lines.extend(behind.filter(|step| finding.line < Some(step.line)).map(near));
    }
    lines
}

/// The lines of the statement itself; the middle of a very long one is counted instead.
fn marked(first: Option<u32>, statement: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = visible_lines(statement)
        .into_iter()
        .zip(0..)
        .map(|(text, offset)| Line {
            number: first.map(|first| first.saturating_add(offset).to_string()).unwrap_or_default(),
            text,
            kind: "hit",
        })
        .collect();
    if lines.len() > EXCERPT {
        let hidden = lines.len() - EXCERPT;
        let gap = Line { number: String::new(), text: format!("… {}", count_of(hidden, "line")), kind: "gap" };
        lines.splice(EXCERPT - TAIL..EXCERPT - TAIL + hidden, [gap]);
    }
    lines
}

/// With the semicolon that ends it in its file.
fn ended(statement: &str) -> String {
    let comment = statement.lines().last().is_some_and(|line| line.contains("--"));
    if statement.ends_with([';', '…']) || comment { statement.to_owned() } else { format!("{statement};") }
}

/// The rows that were asked for.
fn samples(finding: &Finding) -> Option<Grid> {
    let samples = finding.samples.as_ref()?;
    let shown = samples.rows.len() as u64;
    let many = match finding.rows {
        Some(rows) if rows > shown => format!("{} of {} rows", number(shown), number(rows)),
        _ => {
            if shown == 1 {
                "1 row".to_owned()
            } else {
                format!("{} rows", number(shown))
            }
        }
    };
    let by = if samples.key.is_empty() { String::new() } else { format!(", by {}", samples.key.join(", ")) };
    let has = |of: fn(&Sample) -> &Vec<SampleValue>| samples.rows.iter().any(|row| !of(row).is_empty());
    let (before, after) = (has(|row| &row.before), has(|row| &row.after));
    let mut heads = Vec::new();
    heads.extend((!samples.key.is_empty()).then_some(words("key")));
    heads.extend(before.then_some(words("before")));
    heads.extend(after.then_some(words("after")));
    let mut grid = Grid::new(format!("{many}{by}"), &heads);
    let values = |values: &[SampleValue]| {
        values.iter().map(|value| format!("{} {}", value.column, value.value)).collect::<Vec<_>>().join(", ")
    };
    for row in &samples.rows {
        let mut cells = Vec::new();
        cells.extend((!samples.key.is_empty()).then(|| code(row.key.join(", "))));
        cells.extend(before.then(|| code(values(&row.before))));
        cells.extend(after.then(|| code(values(&row.after))));
        grid.row(cells);
    }
    grid.filled()
}
