//! Makes text from a database or a project harmless and visible.
//!
//! Names, SQL and messages that quote them are not to be trusted: an escape sequence in a table's name could repaint the terminal, a
//! bidirectional control could make `posts` read as something else, a newline could forge a line of the report.

use std::borrow::Cow;
use std::fmt::Write as _;

/// One line of text in which nothing acts: control characters, escape sequences, bidirectional controls, invisible characters and line
/// breaks are written as escapes (`\n`, `\x1b`, `\u{202e}`). Everything else stays as it is.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(acts) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if !acts(character) => shown.push(character),
            _ if character.is_ascii() => {
                let _ = write!(shown, "\\x{:02x}", u32::from(character));
            }
            _ => {
                let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
            }
        }
    }
    Cow::Owned(shown)
}

/// Text of several lines, each made [`visible`]; a tab is four spaces, a carriage return before the line break is dropped.
#[must_use]
pub fn visible_lines(text: &str) -> Vec<String> {
    text.lines().map(|line| visible(&line.replace('\t', "    ")).into_owned()).collect()
}

/// What a CI system that watches the log takes for a command wherever it stands in a line: GitHub, Azure Pipelines, `TeamCity`.
const COMMANDS: [&str; 3] = ["##[", "##vso[", "##teamcity["];

/// The text with `sign` for the second `#` of each command.
#[must_use]
pub fn without_commands(text: &str, sign: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("##") {
        let (before, behind) = rest.split_at(at + 1);
        safe.push_str(before);
        let is_command = |command: &&str| {
            behind.get(..command.len() - 1).is_some_and(|beginning| beginning.eq_ignore_ascii_case(&command[1..]))
        };
        rest = if COMMANDS.iter().any(is_command) {
            safe.push_str(sign);
            &behind[1..]
        } else {
            behind
        };
    }
    safe + rest
}

/// Keeps a line from being read as a command by a CI system that watches the log (GitHub's `::…`, and `##[…` and the like), by
/// signs of the same look and width.
#[must_use]
pub fn inert(line: &str) -> String {
    let mut start = 0;
    loop {
        let rest = &line[start..];
        if let Some(colour) = rest.strip_prefix("\u{1b}[") {
            start = line.len() - colour.len() + colour.find('m').map_or(colour.len(), |end| end + 1);
        } else if rest.starts_with(' ') {
            start += 1;
        } else {
            break;
        }
    }
    let (before, body) = line.split_at(start);
    let body = body.strip_prefix("::").map_or_else(|| body.to_owned(), |rest| format!("\u{2236}:{rest}"));
    without_commands(&format!("{before}{body}"), "\u{266f}")
}

/// Whether this character does something instead of being seen.
pub(crate) fn acts(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}'                                            // soft hyphen
            | '\u{61c}' | '\u{200b}'..='\u{200f}'               // Arabic letter mark; zero width; left-to-right and right-to-left marks
            | '\u{2028}'..='\u{202e}'                           // line and paragraph separators, embeddings and overrides
            | '\u{2060}'..='\u{206f}' | '\u{feff}'              // invisible operators, isolates; byte order mark
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}' // Hangul fillers
            | '\u{180e}' | '\u{fff9}'..='\u{fffb}'              // Mongolian vowel separator; interlinear annotation
            | '\u{e0000}'..='\u{e007f}') // tags
}

#[cfg(test)]
mod tests {
    use super::{inert, visible, visible_lines};

    #[test]
    fn what_acts_becomes_visible() {
        assert_eq!(visible("posts"), "posts");
        assert_eq!(visible("文章 café 🦀"), "文章 café 🦀");
        assert_eq!(visible("a\nb\r\tc"), "a\\nb\\r\\tc");
        assert_eq!(visible("\u{1b}[31mred\u{7}\0"), "\\x1b[31mred\\x07\\x00");
        assert_eq!(visible("\u{7f}\u{9b}2J"), "\\x7f\\u{9b}2J");
        assert_eq!(visible("\u{202e}stsop\u{2069}"), "\\u{202e}stsop\\u{2069}");
        assert_eq!(visible("zero\u{200b}width\u{feff}"), "zero\\u{200b}width\\u{feff}");
        assert_eq!(visible("\u{2028}\u{e0041}"), "\\u{2028}\\u{e0041}");
    }

    #[test]
    fn a_line_is_no_command_of_a_ci_system() {
        assert_eq!(inert("  ::error::x"), "  \u{2236}:error::x");
        assert_eq!(inert("\u{1b}[1m ::error::x"), "\u{1b}[1m \u{2236}:error::x");
        assert_eq!(inert("a ##[error]x"), "a #\u{266f}[error]x");
        assert_eq!(inert("###[x]##VSO[task.x]##TeamCity[x"), "##\u{266f}[x]#\u{266f}VSO[task.x]#\u{266f}TeamCity[x");
        assert_eq!(inert("std::fs::copy ## vso[é##"), "std::fs::copy ## vso[é##");
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(visible_lines("a\r\n\tb\u{1b}[2J\nc\rd"), ["a", "    b\\x1b[2J", "c\\rd"]);
    }
}
