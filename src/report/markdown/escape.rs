//! Text that is not to be trusted, in Markdown.
//!
//! Nothing is escaped with a backslash, since GitHub looks for `@names`, `#1` and the like in the text that comes out of Markdown. What
//! could mean anything stands in a code span, in which nothing does; plain words stay plain.

use crate::report::visible::visible;

/// A code span of one line that shows this text, whatever it is.
pub fn code(text: &str) -> String {
    let text = visible(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    // One space at both ends is taken off again, and keeps a backtick of the text from the fence.
    let pad = text.is_empty() || text.starts_with([' ', '`']) || text.ends_with([' ', '`']);
    let pad = if pad { " " } else { "" };
    if text.trim().is_empty() { format!("{fence}\"{text}\"{fence}") } else { format!("{fence}{pad}{text}{pad}{fence}") }
}

/// Prose that quotes names: words in backticks and words with any sign of another meaning become code spans.
pub fn prose(text: &str) -> String {
    let text = visible(text);
    let mut parts: Vec<String> = Vec::new();
    let mut suspect: Vec<&str> = Vec::new();
    let mut rest = text.as_ref();
    while !rest.is_empty() {
        let (word, after) = next_word(rest);
        rest = after;
        if is_plain(word) {
            flush(&mut suspect, &mut parts);
            parts.push(word.to_owned());
        } else if let Some((before, name, behind)) = quoted(word) {
            flush(&mut suspect, &mut parts);
            parts.push(format!("{before}{}{behind}", code(name)));
        } else {
            suspect.push(word);
        }
    }
    flush(&mut suspect, &mut parts);
    parts.join(" ")
}

/// The next word; a name in backticks is one with what touches it.
fn next_word(text: &str) -> (&str, &str) {
    let mut inside = false;
    for (at, sign) in text.char_indices() {
        match sign {
            // A backtick that is never closed quotes nothing.
            '`' if inside || text[at + 1..].contains('`') => inside = !inside,
            ' ' if !inside => return (&text[..at], &text[at + 1..]),
            _ => {}
        }
    }
    (text, "")
}

fn flush(suspect: &mut Vec<&str>, parts: &mut Vec<String>) {
    if !suspect.is_empty() {
        let text = suspect.join(" ");
        // What ends a clause is not of the name before it.
        let name = text.strip_suffix([',', ';', ':']).filter(|name| !name.ends_with(':')).unwrap_or(&text);
        parts.push(format!("{}{}", code(name), &text[name.len()..]));
        suspect.clear();
    }
}

/// `` (`posts.user_id`): `` in its three parts, where nothing but punctuation touches the name.
fn quoted(word: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = word.split_once('`')?;
    let (name, behind) = rest.split_once('`')?;
    let before_is_plain = before.chars().all(|sign| "(".contains(sign));
    let behind_is_plain = behind.chars().all(|sign| "),.;:?".contains(sign));
    (!name.is_empty() && before_is_plain && behind_is_plain).then_some((before, name, behind))
}

/// A word in which no reader of Markdown and no filter of GitHub's sees more than a word: letters, with a hyphen, an apostrophe or a
/// thousands separator inside and punctuation around.
fn is_plain(word: &str) -> bool {
    if matches!(word, "" | "→" | "–" | "…" | "·") {
        return true;
    }
    let body =
        word.trim_start_matches(['(', '\'', '"']).trim_end_matches([')', ',', '.', ';', ':', '\'', '"', '?', '…']);
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
    let is_number = body.chars().all(|sign| sign.is_ascii_digit() || ",.".contains(sign));
    // `GH-1`, `a1b2c3d`: digits beside letters may name an issue or a commit.
    let is_word = digits(body) == 0 && body.chars().all(|sign| sign.is_alphabetic() || "-'’".contains(sign));
    // A commit may also have letters only, or digits only.
    let is_hash = body.len() >= 7 && body.chars().all(|sign| sign.is_ascii_hexdigit());
    let begins_link = body.eq_ignore_ascii_case("www");
    (is_number || is_word) && !is_hash && !begins_link && !body.is_empty() && !body.starts_with('-')
}

/// A fenced block of code that ends where it is meant to, whatever is in it.
pub fn fence(language: &str, lines: &[String]) -> String {
    let longest = lines.iter().map(|line| longest_run(line)).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{}\n{fence}", lines.join("\n"))
}

/// A cell of a table: a bar would end it, also in a code span. Behind a backslash it cannot be kept from that, but by a space.
pub fn cell(markdown: &str) -> String {
    markdown.replace("\\|", "\\ |").replace('|', "\\|")
}

/// Backticks side by side.
fn longest_run(text: &str) -> usize {
    text.split(|sign| sign != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{code, fence, prose};

    #[test]
    fn words_stay_words_and_names_are_code() {
        assert_eq!(prose("`posts` lost 1,204 of 81,233 rows"), "`posts` lost 1,204 of 81,233 rows");
        assert_eq!(prose("through ON DELETE CASCADE (`posts.user_id`)"), "through ON DELETE CASCADE (`posts.user_id`)");
        assert_eq!(prose("drizzle's driver: `a b` and c"), "drizzle's driver: `a b` and c");
        assert_eq!(prose("prod.db: BEGIN … COMMIT"), "`prod.db`: BEGIN … COMMIT");
    }

    #[test]
    fn what_may_mean_something_is_code() {
        assert_eq!(prose("ask @octocat about #12 now"), "ask `@octocat` about `#12` now");
        assert_eq!(prose("<b>x</b> **y** ![z](http://a)"), "`<b>x</b> **y** ![z](http://a)`");
        assert_eq!(prose("a1b2c3d GH-12 deadbeef 1234567"), "`a1b2c3d GH-12 deadbeef 1234567`");
        assert_eq!(prose("www.example.com and :smile: $x$"), "`www.example.com` and `:smile: $x$`");
        assert_eq!(prose("an `odd"), "an `` `odd ``");
    }

    #[test]
    fn spans_and_fences_end_where_they_are_meant_to() {
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(code(""), "`\"\"`");
        assert_eq!(fence("sql", &["a ``` b".to_owned()]), "````sql\na ``` b\n````");
    }
}
