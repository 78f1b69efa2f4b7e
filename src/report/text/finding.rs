//! One finding: the fact, the statement with what it did, why, and what to write instead.

use super::layout::{width, wrap};
use super::paint::Role;
use super::samples::samples;
use super::{Detail, Page};
use crate::findings::rule::{Level, LevelFrom};
use crate::findings::wording::{count_of, list, number};
use crate::report::document::Finding;
use crate::report::facts::help;
use crate::report::visible::{visible, visible_lines};

/// Findings of one rule that are shown in full before the rest is named in one line.
const IN_FULL: usize = 3;
/// Lines of a statement that are shown.
const EXCERPT: usize = 8;

/// Every finding in the order of the document; without `-v`, waived findings and notes in one line behind the others, long
/// series cut.
pub fn findings(page: &mut Page, findings: &[Finding]) {
    let detail = page.style.detail;
    if detail == Detail::Brief {
        for finding in findings {
            heading(page, finding);
        }
        return;
    }
    let everything = detail == Detail::Full;
    let (waived, standing): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|finding| !everything && finding.waived.is_some());
    let (short, full): (Vec<&Finding>, Vec<&Finding>) =
        standing.into_iter().partition(|finding| !everything && finding.level == Level::Note);
    let mut codes: Vec<&str> = Vec::new();
    for finding in &full {
        if !codes.contains(&finding.code.as_str()) {
            codes.push(&finding.code);
        }
    }
    for code in codes {
        let series: Vec<&&Finding> = full.iter().filter(|finding| finding.code == code).collect();
        let shown = if everything || series.len() <= IN_FULL + 1 { series.len() } else { IN_FULL };
        for (index, finding) in series[..shown].iter().enumerate() {
            one(page, finding, index + 1 == shown);
        }
        if shown < series.len() {
            rest(page, &series[shown..]);
        }
    }
    // Each of them: whoever reviews a migration has to see what it was allowed to do.
    for finding in &waived {
        heading(page, finding);
    }
    page.blank();
    if !short.is_empty() {
        let mut shown: Vec<(&str, usize)> = Vec::new();
        for finding in short {
            match shown.iter_mut().find(|(code, _)| *code == finding.code) {
                Some((_, number)) => *number += 1,
                None => shown.push((&finding.code, 1)),
            }
            if shown.iter().any(|(code, number)| *code == finding.code && *number <= IN_FULL) {
                heading(page, finding);
            }
        }
        for (code, number) in shown.into_iter().filter(|(_, number)| *number > IN_FULL) {
            page.prose(0, &format!("{} more of {} (all with -v)", number - IN_FULL, visible(code)), Role::Dim);
        }
        page.blank();
    }
}

/// `error[LS102] cascade-deleted-rows: `posts` lost 100 of 100 rows`.
fn heading(page: &mut Page, finding: &Finding) {
    let waived = finding.waived.as_ref().map(|waiver| format!("; {waiver}")).unwrap_or_default();
    let head = if finding.waived.is_some() { "waived" } else { finding.level.name() };
    let code = format!("{head}[{}]", visible(&finding.code));
    let by = |from: &LevelFrom| format!(" ({} by itself, {} by {})", from.level.name(), finding.level.name(), from.by);
    let set = finding.level_from.as_ref().map(by).unwrap_or_default();
    let fact = format!("{}: {}{set}{waived}", finding.name, finding.message);
    let role = if finding.waived.is_some() { Role::Warning } else { Role::of(finding.level) };
    page.hanging(&code, role, &visible(&fact), if finding.waived.is_some() { Role::Plain } else { Role::Strong }, 4);
}

fn one(page: &mut Page, finding: &Finding, last_of_its_rule: bool) {
    heading(page, finding);
    let gutter = last_line(finding).map_or(1, |line| line.to_string().len());
    place(page, finding, gutter);
    let excerpt = finding.statement.is_some();
    if excerpt {
        statement(page, finding, gutter);
    }
    let notes = notes(finding, last_of_its_rule, page.style.width.saturating_sub(gutter + 5).max(20));
    if excerpt && !notes.is_empty() {
        page.frame(gutter, " |", "");
    }
    for (key, text) in notes {
        note(page, gutter, key, &text);
    }
    page.blank();
}

/// The greatest number beside the statement.
fn last_line(finding: &Finding) -> Option<u32> {
    let lines = finding.statement.as_deref().map_or(1, |statement| visible_lines(statement.trim_end()).len());
    Some(finding.line?.saturating_add(u32::try_from(lines.saturating_sub(1)).unwrap_or(u32::MAX)))
}

fn place(page: &mut Page, finding: &Finding, gutter: usize) {
    let Some(file) = finding.file.as_deref().filter(|file| !file.is_empty()) else { return };
    let mut place = visible(file).into_owned();
    for number in [finding.line, finding.line.and(finding.position)].into_iter().flatten() {
        place.extend([":", &number.to_string()]);
    }
    page.frame(gutter, "--> ", &place);
}

/// The statement as it stands in its file, marked, with what it did below or beside the mark.
fn statement(page: &mut Page, finding: &Finding, gutter: usize) {
    let room = page.style.width.saturating_sub(gutter + 5).max(20);
    let text = finding.statement.as_deref().unwrap_or_default().trim_end();
    let text = if text.ends_with(';') || text.lines().last().is_some_and(|line| line.contains("--")) {
        text.to_owned()
    } else {
        format!("{text};")
    };
    let source = visible_lines(&text);
    let mut lines: Vec<(Option<u32>, String)> = Vec::new();
    for (offset, line) in source.iter().enumerate() {
        let number = finding.line.map(|first| first.saturating_add(u32::try_from(offset).unwrap_or(u32::MAX)));
        let indent = line.len() - line.trim_start_matches(' ').len();
        for (piece, wrapped) in wrap(line, room.saturating_sub(indent + 6).max(20)).into_iter().enumerate() {
            let shown = if piece == 0 { wrapped } else { format!("{}{wrapped}", " ".repeat(indent + 4)) };
            lines.push((number.filter(|_| piece == 0), shown));
        }
    }
    if lines.len() > EXCERPT && page.style.detail != Detail::Full {
        let hidden = lines.len() - (EXCERPT - 1);
        lines.splice(EXCERPT - 2..lines.len() - 1, [(None, format!("… {}", count_of(hidden, "line")))]);
    }
    let single = lines.len() == 1;
    page.frame(gutter, " |", "");
    for (index, (number, line)) in lines.iter().enumerate() {
        let number = number.map(|number| number.to_string()).unwrap_or_default();
        let bar = match (single, index) {
            (true, _) => String::new(),
            (false, 0) => page.paint.text(Role::of(finding.level), "/ "),
            (false, _) => page.paint.text(Role::of(finding.level), "| "),
        };
        let gutter_text = page.paint.text(Role::Frame, &format!("{number:>gutter$} |"));
        page.push(format!("{gutter_text} {bar}{line}"));
    }
    let marked = lines.last().map_or(1, |(_, line)| width(line.trim_end_matches(';')).max(1));
    let mark = if single { "^".repeat(marked) } else { format!("|{}^", "_".repeat(marked)) };
    label(page, finding, gutter, &mark, room);
}

fn label(page: &mut Page, finding: &Finding, gutter: usize, mark: &str, room: usize) {
    let role = Role::of(finding.level);
    let label = visible(finding.label.as_deref().unwrap_or_default()).into_owned();
    let beside = room.saturating_sub(width(mark) + 1);
    let (first, rest, indent) = if label.is_empty() || width(&label) <= beside {
        (label, Vec::new(), 0)
    } else if beside >= 36 {
        let mut lines = wrap(&label, beside).into_iter();
        (lines.next().unwrap_or_default(), lines.collect(), width(mark) + 1)
    } else {
        (String::new(), wrap(&label, room), 0)
    };
    let separator = if first.is_empty() { "" } else { " " };
    page.frame_painted(gutter, &format!("{mark}{separator}{first}"), role);
    for line in rest {
        page.frame_painted(gutter, &format!("{}{line}", " ".repeat(indent)), role);
    }
}

/// What follows the excerpt, in the order in which it is read.
fn notes(finding: &Finding, last_of_its_rule: bool, width: usize) -> Vec<(&'static str, String)> {
    let mut notes = Vec::new();
    notes.extend(samples(finding, width).map(|rows| ("rows", rows)));
    notes.extend(finding.cause.clone().map(|cause| ("cause", cause)));
    notes.extend(finding.proof.clone().map(|proof| ("proof", proof)));
    notes.extend(finding.help.iter().map(|help| ("help", help.clone())));
    if last_of_its_rule {
        notes.push(("more", format!("rehearse explain {}", finding.code)));
    }
    notes
}

/// `= key: prose`, wrapped; code is never wrapped, stands on lines of its own and has nothing before it but spaces.
fn note(page: &mut Page, gutter: usize, key: &str, text: &str) {
    let lines = visible_lines(text);
    let (prose, code) = help(&lines);
    let prefix = format!("{} {} ", " ".repeat(gutter), page.paint.text(Role::Frame, "="));
    let key_text = page.paint.text(Role::Strong, &format!("{key}:"));
    let indent = gutter + 3 + key.len() + 2;
    if let Some(prose) = prose {
        let room = page.style.width.saturating_sub(indent).max(20);
        for (index, line) in wrap(prose, room).into_iter().enumerate() {
            let before = if index == 0 { format!("{prefix}{key_text} ") } else { " ".repeat(indent) };
            page.push(format!("{before}{line}"));
        }
    } else {
        page.push(format!("{prefix}{key_text}"));
    }
    for line in code {
        page.push(if line.is_empty() { String::new() } else { format!("{}{line}", " ".repeat(gutter + 5)) });
    }
}

/// The findings of a rule that are not shown in full, in one line.
fn rest(page: &mut Page, series: &[&&Finding]) {
    let Some(first) = series.first() else { return };
    let mut names: Vec<String> = Vec::new();
    for finding in series {
        let name = match (&finding.table, &finding.column, &finding.object) {
            (Some(table), Some(column), _) => format!("`{table}.{column}`"),
            (Some(name), None, _) | (None, _, Some(name)) => format!("`{name}`"),
            _ => continue,
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let more = names.len().saturating_sub(8);
    if more > 0 {
        names.truncate(8);
        names.push(count_of(more, "other"));
    }
    let about = if names.is_empty() { String::new() } else { format!(": {}", list(&names)) };
    let code = format!("{}[{}]", first.level.name(), visible(&first.code));
    let fact = format!("{} more like this{about} (all with -v)", number(series.len() as u64));
    page.hanging(&code, Role::of(first.level), &visible(&fact), Role::Plain, 4);
    page.blank();
}
