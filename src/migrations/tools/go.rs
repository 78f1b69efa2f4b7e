//! What the tools written in Go share: how Go's standard library cuts a text into lines and words, and how it quotes.

use std::fmt::Write as _;

use crate::migrations::plan::Decision;
use crate::migrations::project::Project;
use crate::migrations::shown;

/// A line of a file.
pub(super) struct Line<'a> {
    /// Its number, from 1.
    pub number: u32,
    /// The byte on which it begins.
    pub start: usize,
    /// The byte behind its line feed.
    pub end: usize,
    /// The line without its line feed and the carriage return before that, as `bufio.ScanLines` gives it.
    pub text: &'a str,
}

/// The lines of a text, as `bufio.ScanLines` finds them.
pub(super) fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut end = 0;
    text.split_inclusive('\n').zip(1..).map(move |(line, number)| {
        let start = end;
        end += line.len();
        let text = line.strip_suffix('\n').unwrap_or(line);
        Line { number, start, end, text: text.strip_suffix('\r').unwrap_or(text) }
    })
}

/// Whether the last word of a line, before one that begins with `--`, ends with a semicolon: the rule by which goose and
/// sql-migrate end a statement.
pub(super) fn ends_with_semicolon(line: &str) -> bool {
    line.split_whitespace().take_while(|word| !word.starts_with("--")).last().is_some_and(|word| word.ends_with(';'))
}

/// A text as `%q` prints it.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{feff}' => quoted.push_str("\\ufeff"),
            control if control.is_ascii_control() => drop(write!(quoted, "\\x{:02x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Why `strconv.ParseInt` refuses what is to be a number of 64 bits.
pub(super) fn not_an_integer(text: &str) -> String {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let why = if is_number { "value out of range" } else { "invalid syntax" };
    format!("strconv.ParseInt: parsing {}: {why}", quoted(text))
}

/// Says where the project's sources turn foreign keys on: a hint only, because that need not be the connection that migrates.
pub(super) fn note_foreign_keys(project: &Project, decisions: &mut Vec<Decision>) {
    if let Some(found) = project.foreign_keys.iter().find(|found| found.on && !found.in_test) {
        decisions.push(Decision {
            what: "foreign keys",
            value: "the app turns them on; `--foreign-keys on` rehearses so".into(),
            why: format!("{}:{} does; it need not be the connection that migrates", shown(&found.file), found.line),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_ends_where_the_last_word_ends_with_a_semicolon() {
        for line in ["SELECT 1;", "SELECT 1; -- why", "a; b;", "  ;  ", "SELECT ';", "END;\u{a0}"] {
            assert!(ends_with_semicolon(line), "{line}");
        }
        for line in ["", "-- a;", "SELECT 1 -- a;", "SELECT 1;--", "SELECT 1; /* why */", "'a; b'"] {
            assert!(!ends_with_semicolon(line), "{line}");
        }
    }

    #[test]
    fn lines_are_those_of_bufio() {
        let found: Vec<_> = lines("a\r\n\nb\r").map(|line| (line.number, line.start, line.end, line.text)).collect();
        assert_eq!(found, [(1, 0, 3, "a"), (2, 3, 4, ""), (3, 4, 6, "b")]);
        assert_eq!(lines("a\n").count(), 1);
    }

    #[test]
    fn texts_are_quoted_as_go_does() {
        assert_eq!(quoted("a \"b\"\n\u{1}é"), "\"a \\\"b\\\"\\n\\x01é\"");
        assert_eq!(not_an_integer("foo"), "strconv.ParseInt: parsing \"foo\": invalid syntax");
        assert_eq!(
            not_an_integer("99999999999999999999"),
            "strconv.ParseInt: parsing \"99999999999999999999\": value out of range"
        );
    }
}
