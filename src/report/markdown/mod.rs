//! The report for a comment on a pull request and a step summary: GitHub's Markdown.
//!
//! It never has more than [`LIMIT`] characters. The verdict and the summary have their place first; the findings, the gravest first, take
//! the rest: in full while there is room, then a line each, then a number. Rows that were asked for by `--samples` are not in it: a comment
//! is where others read.

mod escape;
mod finding;
mod fleet;
mod summary;

use super::document::Document;
use super::plain::worst_first;
use super::text::Detail;
use super::verdict::{Headline, headline};
use super::visible::inert;
use crate::findings::rule::Level;
use crate::findings::wording::{count_of, number};
use escape::{code, prose};

/// Characters at most, counted as UTF-16 does, which is never less than another way of counting: GitHub takes 65,536 in a comment, and
/// whoever posts it may want to add a line.
pub const LIMIT: usize = 65_000;
/// Findings of one rule that are shown in full.
const IN_FULL: usize = 3;
/// Characters of the reason in the verdict.
const REASON: usize = 1_000;
/// Characters kept for the line that says how many findings are not shown.
const REST: usize = 1_500;

/// The report. With [`Detail::Brief`] the verdict and a line per finding.
#[must_use]
pub fn render(document: &Document, detail: Detail) -> String {
    let brief = detail == Detail::Brief;
    let mut parts = vec![verdict(&headline(document))];
    let mut sections = Vec::new();
    if !brief {
        parts.push(summary::context(document));
        sections = summary::sections(document);
    }
    let used: usize = parts.iter().chain(&sections).map(|part| length(part) + 2).sum();
    parts.extend(findings(document, brief, LIMIT.saturating_sub(used)));
    parts.extend(sections);
    // It may be printed into a log that is watched for commands; each sign that is exchanged is as long as before.
    let lines: Vec<String> = parts.join("\n\n").lines().map(inert).collect();
    lines.join("\n") + "\n"
}

/// The report on many databases. With [`Detail::Brief`] the verdict and the outcomes.
#[must_use]
pub fn render_fleet(fleet: &super::fleet::Fleet, detail: Detail) -> String {
    fleet::render(fleet, detail)
}

/// What GitHub counts, or more.
fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

fn verdict(headline: &Headline) -> String {
    let sign = match headline.level {
        Some(Level::Error) => "❌",
        Some(Level::Warning) => "⚠️",
        Some(Level::Note) => "ℹ️",
        None => "✅",
    };
    let reason = prose(&super::plain::cut(&headline.reason, REASON));
    format!("### {sign} rehearse: {} {reason}", prose(&headline.lead())).trim_end().to_owned()
}

/// The findings as blocks, in at most `room` characters.
fn findings(document: &Document, brief: bool, room: usize) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines: Vec<String> = Vec::new();
    let mut shown: Vec<(&str, usize)> = Vec::new();
    let mut rest: Vec<(&str, usize)> = Vec::new();
    // A third is for the lines of those that are not shown in full.
    let (mut for_full, mut for_lines) = (room.saturating_sub(REST) / 3 * 2, room.saturating_sub(REST));
    for one in worst_first(&document.findings) {
        let times = times(&mut shown, &one.code);
        *times += 1;
        let in_full = !brief && one.waived.is_none() && one.level > Level::Note && *times <= IN_FULL;
        if in_full {
            let block = finding::in_full(one);
            let size = length(&block) + 2;
            if size <= for_full.min(for_lines) {
                (for_full, for_lines) = (for_full - size, for_lines - size);
                blocks.push(block);
                continue;
            }
        }
        let line = format!("- {}", finding::line(one));
        let size = length(&line) + 1;
        if rest.is_empty() && size + 2 <= for_lines {
            for_lines -= size;
            lines.push(line);
        } else {
            *self::times(&mut rest, &one.code) += 1;
        }
    }
    if !lines.is_empty() {
        if !blocks.is_empty() {
            blocks.push("**Further findings**".to_owned());
        }
        blocks.push(lines.join("\n"));
    }
    let hidden: usize = rest.iter().map(|(_, times)| times).sum();
    if hidden > 0 {
        blocks.push(not_shown(hidden, &rest));
    }
    blocks
}

fn times<'a, 'b>(list: &'b mut Vec<(&'a str, usize)>, code: &'a str) -> &'b mut usize {
    let at = list.iter().position(|(known, _)| *known == code).unwrap_or_else(|| {
        list.push((code, 0));
        list.len() - 1
    });
    &mut list[at].1
}

/// `**9,800 more findings are not shown**: …`.
fn not_shown(hidden: usize, rest: &[(&str, usize)]) -> String {
    const NAMED: usize = 20;
    let mut rules: Vec<String> = rest
        .iter()
        .take(NAMED)
        .map(|(rule, times)| format!("{} of {}", number(*times as u64), code(&super::plain::cut(rule, 20))))
        .collect();
    if rest.len() > NAMED {
        rules.push(format!("the rest of {}", count_of(rest.len() - NAMED, "other rule")));
    }
    format!(
        "**{} more** of {} not shown here: {}. The report as text, HTML or JSON has all of them.",
        number(hidden as u64),
        if hidden == 1 { "the findings is" } else { "the findings are" },
        rules.join(", ")
    )
}
