//! One finding: the fact, its place, the statement with what it did, why, and what to write instead.

use super::escape::{code, fence, prose};
use crate::findings::wording::count_of;
use crate::report::document::Finding;
use crate::report::facts;
use crate::report::plain::{cut, place, standing};
use crate::report::visible::{visible, visible_lines};

/// Lines of a statement that are shown.
const EXCERPT: usize = 12;
/// Characters of a line of it.
const WIDTH: usize = 400;
/// Characters of the fact in one line.
const FACT: usize = 400;

/// `**error** `LS102` cascade-deleted-rows: `posts` lost 100 of 100 rows`, with the waiver and the place.
pub fn line(finding: &Finding) -> String {
    let waiver = finding.waived.as_deref().map(|waiver| format!("; {}", prose(&cut(waiver, FACT)))).unwrap_or_default();
    let place = place(finding).map(|place| format!(" ({})", code(&cut(&place, FACT)))).unwrap_or_default();
    format!("{}{waiver}{place}", fact(finding, &cut(&finding.message, FACT)))
}

fn fact(finding: &Finding, message: &str) -> String {
    let rule = format!("{} {}: ", code(&cut(&finding.code, 40)), prose(&cut(&finding.name, 80)));
    format!("**{}** {rule}{}", standing(finding), prose(message))
}

/// The finding as a heading and what follows it.
pub fn in_full(finding: &Finding) -> String {
    let mut parts = vec![format!("#### {}", fact(finding, &finding.message))];
    if let Some(by) = &finding.level_from {
        let text = format!("{} by itself, {} by {}", by.level.name(), finding.level.name(), by.by);
        parts.push(format!("Level: {}", prose(&text)));
    }
    parts.extend(place(finding).map(|place| code(&place)));
    if let Some(statement) = finding.statement.as_deref().filter(|text| !text.is_empty()) {
        parts.push(excerpt(statement, finding.label.as_deref()));
    }
    let mut notes = Vec::new();
    notes.extend(finding.cause.iter().map(|cause| format!("- **cause**: {}", prose(cause))));
    notes.extend(finding.proof.iter().map(|proof| format!("- **proof**: {}", prose(proof))));
    notes.extend(finding.help.iter().map(|text| help(text)));
    notes.push(format!("- **more**: {}", code(&format!("rehearse explain {}", finding.code))));
    parts.push(notes.join("\n"));
    parts.join("\n\n")
}

/// The statement, and below it what it did, as a comment of SQL.
fn excerpt(statement: &str, label: Option<&str>) -> String {
    let mut lines: Vec<String> = visible_lines(statement.trim_end()).iter().map(|line| cut(line, WIDTH)).collect();
    if lines.len() > EXCERPT {
        let hidden = lines.len() - (EXCERPT - 1);
        lines.splice(EXCERPT - 2..lines.len() - 1, [format!("-- … {}", count_of(hidden, "line"))]);
    }
    if let Some(last) = lines.last_mut().filter(|last| !last.ends_with([';', '…']) && !last.contains("--")) {
        last.push(';');
    }
    if let Some(label) = label.filter(|label| !label.is_empty()) {
        lines.push(format!("-- ^ {}", visible(label)));
    }
    fence("sql", &lines)
}

/// A sentence, and the code that it introduces in a block that can be copied.
fn help(text: &str) -> String {
    let lines = visible_lines(text);
    let (sentence, block) = facts::help(&lines);
    let sentence = sentence.map(|line| format!(" {}", prose(line))).unwrap_or_default();
    let mut markdown = format!("- **help**:{sentence}");
    if !block.is_empty() {
        for line in fence("", block).lines() {
            markdown.push('\n');
            if !line.is_empty() {
                markdown.push_str("  ");
                markdown.push_str(line);
            }
        }
    }
    markdown
}
