//! A finding in plain lines, for formats that have a field of text and no layout. Rows that were asked for by `--samples` are not in
//! them: these formats go to where others read.

use super::document::{Document, Finding};
use super::visible::{visible, visible_lines};

/// Whether the finding makes the verdict: it is as grave as what fails, and nobody waived it.
#[must_use]
pub fn fails(document: &Document, finding: &Finding) -> bool {
    finding.waived.is_none() && document.fail_on.is_some_and(|level| finding.level >= level)
}

/// `error`, or `waived`.
#[must_use]
pub fn standing(finding: &Finding) -> &'static str {
    if finding.waived.is_some() { "waived" } else { finding.level.name() }
}

/// The findings with the gravest first and the waived ones last, as the document has them: a saved one may have been edited.
#[must_use]
pub fn worst_first(findings: &[Finding]) -> Vec<&Finding> {
    let mut sorted: Vec<&Finding> = findings.iter().collect();
    sorted.sort_by_key(|finding| (finding.waived.is_some(), std::cmp::Reverse(finding.level)));
    sorted
}

/// What the statement did, why, and what to do instead: one line of visible text each, with the code to paste on lines of its own.
#[must_use]
pub fn notes(finding: &Finding) -> Vec<String> {
    let mut lines = Vec::new();
    let mut note = |key: &str, text: &str| {
        let mut rest = visible_lines(text).into_iter();
        lines.push(format!("{key}: {}", rest.next().unwrap_or_default()));
        lines.extend(rest.map(|line| format!("  {line}")));
    };
    if let Some(by) = &finding.level_from {
        note("level", &format!("{} by itself, {} by {}", by.level.name(), finding.level.name(), by.by));
    }
    let texts = [
        ("waived", &finding.waived),
        ("statement", &finding.statement),
        ("effect", &finding.label),
        ("cause", &finding.cause),
        ("proof", &finding.proof),
    ];
    for (key, text) in texts {
        if let Some(text) = text.as_deref().filter(|text| !text.is_empty()) {
            note(key, text);
        }
    }
    for help in &finding.help {
        note("help", help);
    }
    note("more", &format!("rehearse explain {}", finding.code));
    lines
}

/// `drizzle/0001.sql:8:1`; none where no file is known.
#[must_use]
pub fn place(finding: &Finding) -> Option<String> {
    let file = finding.file.as_deref().filter(|file| !file.is_empty())?;
    let mut place = visible(file).into_owned();
    for number in [finding.line, finding.line.and(finding.position)].into_iter().flatten() {
        place.extend([":", &number.to_string()]);
    }
    Some(place)
}

/// `error[LS102] cascade-deleted-rows`.
#[must_use]
pub fn title(finding: &Finding) -> String {
    visible(&format!("{}[{}] {}", standing(finding), finding.code, finding.name)).into_owned()
}

/// Characters of a text at most; the cut is marked.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => text.chars().take(most.saturating_sub(1)).chain(['…']).collect(),
    }
}
