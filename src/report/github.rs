//! Annotations of GitHub Actions: one workflow command per finding on standard output, then the verdict.
//!
//! GitHub shows ten of each kind per step. Where there are more, the worst nine are given, and the tenth says how many are left. A waived
//! finding is a notice, so that it does not look like an error.

use super::document::{Document, Finding};
use super::plain::{self, worst_first};
use super::verdict::headline;
use super::visible::{inert, visible};
use crate::findings::rule::Level;
use crate::findings::wording::{count_of, number};

/// Annotations of a kind that GitHub shows of a step.
const SHOWN: usize = 10;
/// Characters of a message.
const MESSAGE: usize = 4_000;

/// The commands and the verdict, a line each.
#[must_use]
pub fn render(document: &Document) -> String {
    let mut lines = Vec::new();
    let sorted = worst_first(&document.findings);
    for level in [Level::Error, Level::Warning, Level::Note] {
        let findings: Vec<&Finding> = sorted.iter().copied().filter(|finding| kind(finding) == level).collect();
        let shown = if findings.len() <= SHOWN { findings.len() } else { SHOWN - 1 };
        lines.extend(findings[..shown].iter().map(|finding| annotation(finding)));
        if shown < findings.len() {
            lines.push(rest(level, &findings[shown..]));
        }
    }
    let headline = headline(document);
    lines.push(inert(&visible(&format!("rehearse: {} {}", headline.lead(), headline.reason))).trim_end().to_owned());
    lines.push(String::new());
    lines.join("\n")
}

/// The level at which it is shown.
fn kind(finding: &Finding) -> Level {
    if finding.waived.is_some() { Level::Note } else { finding.level }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "notice",
    }
}

/// `::error file=drizzle/0001.sql,line=8,col=1,title=error[LS102] cascade-deleted-rows::…`.
fn annotation(finding: &Finding) -> String {
    let mut properties = Vec::new();
    if let Some(file) = finding.file.as_deref().filter(|file| !file.is_empty()) {
        properties.push(("file", visible(file.strip_prefix("./").unwrap_or(file)).into_owned()));
        for (key, number) in [("line", finding.line), ("col", finding.line.and(finding.position))] {
            properties.extend(number.map(|number| (key, number.to_string())));
        }
    }
    properties.push(("title", plain::title(finding)));
    let mut message = vec![visible(&finding.message).into_owned()];
    message.extend(plain::notes(finding));
    command(kind(finding), &properties, &plain::cut(&message.join("\n"), MESSAGE))
}

/// What takes the place of the findings that are not shown, by rule.
fn rest(level: Level, findings: &[&Finding]) -> String {
    let mut rules: Vec<(&str, usize)> = Vec::new();
    for finding in findings {
        match rules.iter_mut().find(|(code, _)| *code == finding.code) {
            Some((_, times)) => *times += 1,
            None => rules.push((&finding.code, 1)),
        }
    }
    let rules: Vec<String> =
        rules.iter().map(|(code, times)| format!("{} of {}", number(*times as u64), visible(code))).collect();
    let title = format!("{} more", count_of(findings.len(), word(level)));
    let message =
        format!("{}; GitHub shows {SHOWN} of a kind, the report as text or JSON has all of them", rules.join(", "));
    command(level, &[("title", title)], &plain::cut(&message, MESSAGE))
}

/// A workflow command.
pub(super) fn command(level: Level, properties: &[(&str, String)], message: &str) -> String {
    let properties: Vec<String> = properties.iter().map(|(key, value)| format!("{key}={}", property(value))).collect();
    format!("::{} {}::{}", word(level), properties.join(","), data(message))
}

/// Escapes as the runner's toolkit does: `toCommandValue` and `escapeData` in `packages/core/src/command.ts` of actions/toolkit.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The same for a property: `escapeProperty` there.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
