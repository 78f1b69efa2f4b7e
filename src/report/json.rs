//! The document as JSON: two spaces of indentation, fields in the document's order, one newline at the end.

use std::fmt::Write as _;

use super::document::Document;
use super::visible::{acts, without_commands};

/// The document as JSON. Characters that would act in a terminal are written as `\uXXXX`, which every reader turns back.
#[must_use]
pub fn render(document: &Document) -> String {
    pretty(document)
}

/// Any part of the document in the same form.
#[must_use]
pub fn pretty(value: &impl serde::Serialize) -> String {
    // Serialising fails only where a key is not a string or a Serialize of ours fails: the document has neither.
    let json = serde_json::to_string_pretty(value).unwrap_or_default();
    let mut safe = String::with_capacity(json.len() + 1);
    for character in json.chars() {
        if character != '\n' && acts(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(safe, "\\u{unit:04x}");
            }
        } else {
            safe.push(character);
        }
    }
    safe.push('\n');
    // A log that is watched for commands would find one in the middle of a line.
    without_commands(&safe, "\\u0023")
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn what_acts_is_escaped_and_comes_back() {
        let name = "##[error]##vso[x]a\u{1b}[2J\u{9b}\u{7f}\u{202e}\u{e0041}文";
        let json = pretty(&[name]);
        assert!(json.is_ascii() || !json.contains(['\u{9b}', '\u{7f}', '\u{202e}', '\u{e0041}']));
        assert_eq!(serde_json::from_str::<Vec<String>>(&json).unwrap(), [name]);
    }
}
