//! Words, strings and marks of a source file, with their lines. Comments are left out, and what stands in a string is no code.

use std::path::Path;

/// Languages that are told apart by how comments and strings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    /// Also TypeScript.
    JavaScript,
    Go,
    Rust,
    /// Python and Ruby: `#` begins a comment.
    Script,
}

impl Language {
    /// The language of a file, by its ending.
    pub(super) fn of(file: &Path) -> Option<Self> {
        Some(match file.extension()?.to_str()? {
            "ts" | "mts" | "cts" | "tsx" | "js" | "mjs" | "cjs" | "jsx" | "svelte" | "vue" | "astro" => {
                Self::JavaScript
            }
            "go" => Self::Go,
            "rs" => Self::Rust,
            "py" | "rb" => Self::Script,
            _ => return None,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier, a keyword or a number.
    Word(String),
    /// A string; in a template `$` stands for what is computed.
    Text(String),
    Mark(char),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) line: u32,
}

impl Token {
    pub(super) fn is(&self, text: &str) -> bool {
        match &self.kind {
            Kind::Word(word) => word == text,
            Kind::Mark(mark) => text.chars().eq([*mark]),
            Kind::Text(_) => false,
        }
    }

    pub(super) fn word(&self) -> Option<&str> {
        if let Kind::Word(word) = &self.kind { Some(word) } else { None }
    }

    pub(super) fn text(&self) -> Option<&str> {
        if let Kind::Text(text) = &self.kind { Some(text) } else { None }
    }
}

/// The tokens of a file.
pub(super) fn tokens(text: &str, language: Language) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens: Vec<Token> = Vec::new();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let (end, kind) = token(&chars, at, language, tokens.last());
        let end = end.clamp(at + 1, chars.len());
        tokens.extend(kind.map(|kind| Token { kind, line }));
        line += u32::try_from(chars[at..end].iter().filter(|c| **c == '\n').count()).unwrap_or(u32::MAX);
        at = end;
    }
    tokens
}

fn token(chars: &[char], at: usize, language: Language, before: Option<&Token>) -> (usize, Option<Kind>) {
    let c = chars[at];
    let next = chars.get(at + 1).copied().unwrap_or_default();
    let has_slashes = language != Language::Script;
    match c {
        _ if c.is_whitespace() => (at + 1, None),
        '/' if has_slashes && next == '/' => (end_of_line(chars, at), None),
        '/' if has_slashes && next == '*' => (end_of_comment(chars, at, language == Language::Rust), None),
        '#' if language == Language::Script => (end_of_line(chars, at), None),
        '/' if language == Language::JavaScript && begins_pattern(before) => match end_of_pattern(chars, at) {
            Some(end) => (end, Some(Kind::Text(String::new()))),
            None => (at + 1, Some(Kind::Mark(c))),
        },
        '`' if language == Language::JavaScript => template(chars, at),
        '`' if language == Language::Go => until(chars, at + 1, &['`']),
        'r' if language == Language::Rust && matches!(next, '"' | '#') => raw(chars, at),
        '\'' if language == Language::Rust => match chars.get(at + 2) {
            // Else it is a lifetime.
            _ if next == '\\' => quoted(chars, at, false),
            Some('\'') => (at + 3, Some(Kind::Text(next.to_string()))),
            _ => (at + 1, Some(Kind::Mark(c))),
        },
        '"' | '\'' if language == Language::Script && chars[at..].starts_with(&[c, c, c]) => {
            until(chars, at + 3, &[c, c, c])
        }
        '"' | '\'' => quoted(chars, at, language == Language::Rust),
        _ if is_word(c) => {
            let end = (at..chars.len()).find(|&i| !is_word(chars[i])).unwrap_or(chars.len());
            (end, Some(Kind::Word(chars[at..end].iter().collect())))
        }
        _ => (at + 1, Some(Kind::Mark(c))),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

fn end_of_line(chars: &[char], at: usize) -> usize {
    (at..chars.len()).find(|&i| chars[i] == '\n').unwrap_or(chars.len())
}

fn end_of_comment(chars: &[char], start: usize, nests: bool) -> usize {
    let (mut at, mut depth) = (start, 0_u32);
    while at < chars.len() {
        if chars[at..].starts_with(&['/', '*']) && (nests || at == start) {
            depth += 1;
            at += 2;
        } else if chars[at..].starts_with(&['*', '/']) {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

/// A string up to its quote. One that only a line break ends is left there: it is an apostrophe in a text.
fn quoted(chars: &[char], start: usize, several_lines: bool) -> (usize, Option<Kind>) {
    let (mut at, mut text) = (start + 1, String::new());
    while let Some(&c) = chars.get(at) {
        match c {
            '\\' => {
                text.extend(chars.get(at + 1));
                at += 2;
            }
            '\n' if !several_lines => break,
            _ if c == chars[start] => return (at + 1, Some(Kind::Text(text))),
            _ => {
                text.push(c);
                at += 1;
            }
        }
    }
    (start + 1, Some(Kind::Mark(chars[start])))
}

fn until(chars: &[char], start: usize, end: &[char]) -> (usize, Option<Kind>) {
    let at = (start..chars.len()).find(|&i| chars[i..].starts_with(end)).unwrap_or(chars.len());
    (at + end.len(), Some(Kind::Text(chars[start.min(chars.len())..at].iter().collect())))
}

/// `r"…"`, `r#"…"#`; else a word.
fn raw(chars: &[char], at: usize) -> (usize, Option<Kind>) {
    let signs = chars[at + 1..].iter().take_while(|c| **c == '#').count();
    if chars.get(at + 1 + signs) != Some(&'"') {
        return (at + 1, Some(Kind::Word("r".to_owned())));
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', signs)).collect();
    until(chars, at + 2 + signs, &end)
}

/// A template, over the templates and strings in it.
fn template(chars: &[char], start: usize) -> (usize, Option<Kind>) {
    let (mut open, mut at, mut text) = (vec!['`'], start + 1, String::new());
    while let (Some(&c), Some(&innermost)) = (chars.get(at), open.last()) {
        at += 1;
        match (innermost, c) {
            ('`', '\\') => at += 1,
            ('`', '`') | ('{', '}') => _ = open.pop(),
            ('`', '$') if chars.get(at) == Some(&'{') => {
                // What is computed is not nothing: `${folder}/app.db` is no absolute path.
                text.extend((open.len() == 1).then_some('$'));
                open.push('{');
                at += 1;
            }
            ('{', '{' | '`') => open.push(c),
            ('{', '"' | '\'') => at = quoted(chars, at - 1, false).0,
            ('`', _) if open.len() == 1 => text.push(c),
            _ => {}
        }
    }
    (at, Some(Kind::Text(text)))
}

/// Whether a slash begins a regular expression here and does not divide.
fn begins_pattern(before: Option<&Token>) -> bool {
    match before.map(|token| &token.kind) {
        None => true,
        Some(Kind::Mark(mark)) => !matches!(mark, ')' | ']' | '}' | '<'),
        Some(Kind::Word(word)) => ["return", "typeof", "case", "in", "of", "await", "yield"].contains(&word.as_str()),
        Some(Kind::Text(_)) => false,
    }
}

fn end_of_pattern(chars: &[char], start: usize) -> Option<usize> {
    let (mut at, mut in_class) = (start + 1, false);
    while let Some(&c) = chars.get(at) {
        match c {
            '\n' => return None,
            '\\' => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, language: Language) -> Vec<String> {
        let shown = |token: Token| match token.kind {
            Kind::Word(word) => word,
            Kind::Text(text) => format!("<{text}>"),
            Kind::Mark(mark) => mark.to_string(),
        };
        tokens(text, language).into_iter().map(shown).collect()
    }

    #[test]
    fn comments_and_strings_are_no_code() {
        use Language::{Go, JavaScript, Rust, Script};
        for (language, text, expected) in [
            (JavaScript, "a // b\n/* c\n*/ d", vec!["a", "d"]),
            (JavaScript, "x = /['\"`]/g; y('z')", vec!["x", "=", "<>", "g", ";", "y", "(", "<z>", ")"]),
            (JavaScript, "a / b / c", vec!["a", "/", "b", "/", "c"]),
            (JavaScript, "`a${b(`c`, '}')}d` e", vec!["<a$d>", "e"]),
            (JavaScript, "don't\nb", vec!["don", "'", "t", "b"]),
            (
                Rust,
                "&'a str 'b' '\\'' r#\"x\"y\"# /* /* */ c */ d",
                vec!["&", "'", "a", "str", "<b>", "<'>", "<x\"y>", "d"],
            ),
            (Go, "`a\nb` c", vec!["<a\nb>", "c"]),
            (Script, "'''a\n# b''' c # d", vec!["<a\n# b>", "c"]),
        ] {
            assert_eq!(words(text, language), expected, "{text}");
        }
        let lines: Vec<u32> = tokens("a\n`b\nc`\nd", JavaScript).iter().map(|token| token.line).collect();
        assert_eq!(lines, [1, 2, 4]);
    }

    #[test]
    fn what_does_not_end_is_read_to_its_end() {
        for text in ["`${", "/*", "r#\"", "'''", "\"", "'", "`", "/", "\\", "`${`${'"] {
            for language in [Language::JavaScript, Language::Go, Language::Rust, Language::Script] {
                tokens(text, language);
                tokens(&text.repeat(2000), language);
            }
        }
    }
}
