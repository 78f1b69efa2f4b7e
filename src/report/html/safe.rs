//! The one way of texts into the page.

use std::borrow::Cow;

use minijinja::value::Value;
use minijinja::{Error, Output, State, escape_formatter};

use crate::report::visible::{visible, without_commands};

/// Writes a value of a template: texts are made visible and escaped, except those that were made from such texts here.
pub fn write(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) if !value.is_safe() => out.write_str(&escaped(text)).map_err(Error::from),
        _ => escape_formatter(out, state, value),
    }
}

/// Text in which nothing acts, neither by itself nor as HTML, in an element or in a quoted attribute.
pub fn escaped(text: &str) -> String {
    let text = visible(text);
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        match character {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(character),
        }
    }
    // The same to a reader, and no command to a CI system in whose log the page is printed.
    without_commands(&escaped.replace("::", "&#58;:"), "&#35;")
}

/// A filter: a sentence with its names, which stand in backticks, set as code.
#[expect(clippy::needless_pass_by_value, reason = "the shape of a filter")]
pub fn prose(text: Cow<'_, str>) -> Value {
    let mut html = String::with_capacity(text.len() + 32);
    let mut rest = text.as_ref();
    while let Some((before, after)) = rest.split_once('`') {
        html.push_str(&escaped(before));
        match after.split_once('`') {
            Some((name, after)) if !name.is_empty() => {
                html.extend(["<code>", &escaped(name), "</code>"]);
                rest = after;
            }
            _ => {
                html.push('`');
                rest = after;
            }
        }
    }
    html.push_str(&escaped(rest));
    Value::from_safe_string(html)
}

#[cfg(test)]
mod tests {
    use super::{escaped, prose};

    #[test]
    fn nothing_acts() {
        assert_eq!(escaped("<b a='x' c=\"y\">&\u{202e}\n"), "&lt;b a=&#39;x&#39; c=&quot;y&quot;&gt;&amp;\\u{202e}\\n");
        assert_eq!(escaped("::error::x ##[error]##vso[x"), "&#58;:error&#58;:x #&#35;[error]#&#35;vso[x");
        assert_eq!(prose("`<script>` is gone".into()).to_string(), "<code>&lt;script&gt;</code> is gone");
    }

    #[test]
    fn names_are_code_and_lone_backticks_stay() {
        assert_eq!(prose("`a` and `b`".into()).to_string(), "<code>a</code> and <code>b</code>");
        assert_eq!(prose("a ` b".into()).to_string(), "a ` b");
        assert_eq!(prose("`a``".into()).to_string(), "<code>a</code>`");
        assert_eq!(prose("``".into()).to_string(), "``");
    }
}
