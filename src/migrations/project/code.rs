//! Words, strings and marks of a source file, with their lines. Comments are left out, and what stands in a string is no code.

use std::path::Path;

/// Languages that are told apart by how comments and strings are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// Also TypeScript.
    JavaScript,
    Go,
    Rust,
    /// Python and Ruby: `#` begins a comment.
    Script,
}

impl Language {
    /// The language of a file, by its ending.
    pub(crate) fn of(file: &Path) -> Option<Self> {
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
pub(crate) enum Kind {
    /// An identifier, a keyword or a number.
    Word(String),
    /// A string, or a template without `${}`.
    Text(String),
    /// A template in which `$` stands for what is computed; a regular expression, without its text.
    Computed(String),
    Mark(char),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) kind: Kind,
    pub(crate) line: u32,
}

impl Token {
    pub(crate) fn is(&self, text: &str) -> bool {
        match &self.kind {
            Kind::Word(word) => word == text,
            Kind::Mark(mark) => text.chars().eq([*mark]),
            Kind::Text(_) | Kind::Computed(_) => false,
        }
    }

    pub(crate) fn word(&self) -> Option<&str> {
        if let Kind::Word(word) = &self.kind { Some(word) } else { None }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Kind::Text(text) | Kind::Computed(text) = &self.kind { Some(text) } else { None }
    }
}

/// The tokens of a file.
pub(crate) fn tokens(text: &str, language: Language) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens: Vec<Token> = Vec::new();
    let mut unended = Unended::default();
    let (mut at, mut line) = (0, 1);
    while at < chars.len() {
        let (end, kind) = token(&chars, at, language, tokens.last(), &mut unended);
        let end = end.clamp(at + 1, chars.len());
        tokens.extend(kind.map(|kind| Token { kind, line }));
        line += u32::try_from(chars[at..end].iter().filter(|c| **c == '\n').count()).unwrap_or(u32::MAX);
        at = end;
    }
    tokens
}

/// Up to where there is no end for what such a sign would begin, so that nothing is looked through again for each of many.
#[derive(Default)]
struct Unended {
    single: usize,
    double: usize,
    slash: usize,
}

impl Unended {
    fn of(&mut self, sign: char) -> &mut usize {
        match sign {
            '\'' => &mut self.single,
            '"' => &mut self.double,
            _ => &mut self.slash,
        }
    }
}

fn token(
    chars: &[char],
    at: usize,
    language: Language,
    before: Option<&Token>,
    unended: &mut Unended,
) -> (usize, Option<Kind>) {
    let c = chars[at];
    let next = chars.get(at + 1).copied().unwrap_or_default();
    let has_slashes = language != Language::Script;
    match c {
        _ if c.is_whitespace() || c == '\u{feff}' => (at + 1, None),
        '/' if has_slashes && next == '/' => (end_of_line(chars, at), None),
        '/' if has_slashes && next == '*' => (end_of_comment(chars, at, language == Language::Rust), None),
        '#' if language == Language::Script => (end_of_line(chars, at), None),
        '/' if language == Language::JavaScript && begins_pattern(before) => match end_of_pattern(chars, at, unended) {
            Some(end) => (end, Some(Kind::Computed(String::new()))),
            None => (at + 1, Some(Kind::Mark(c))),
        },
        '`' if language == Language::JavaScript => template(chars, at, unended),
        '`' if language == Language::Go => until(chars, at + 1, &['`']),
        'r' if language == Language::Rust && matches!(next, '"' | '#') => raw(chars, at),
        '\'' if language == Language::Rust => match chars.get(at + 2) {
            // Else it is a lifetime.
            _ if next == '\\' => quoted(chars, at, false, unended),
            Some('\'') => (at + 3, Some(Kind::Text(next.to_string()))),
            _ => (at + 1, Some(Kind::Mark(c))),
        },
        '"' | '\'' if language == Language::Script && chars[at..].starts_with(&[c, c, c]) => {
            until(chars, at + 3, &[c, c, c])
        }
        '"' | '\'' => quoted(chars, at, language == Language::Rust, unended),
        _ if is_word(c) => {
            // A number may hold a point, a name may not.
            let is_point =
                |i: usize| c.is_ascii_digit() && chars[i] == '.' && chars.get(i + 1).is_some_and(char::is_ascii_digit);
            let end = (at..chars.len()).find(|&i| !is_word(chars[i]) && !is_point(i)).unwrap_or(chars.len());
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
fn quoted(chars: &[char], start: usize, several_lines: bool, unended: &mut Unended) -> (usize, Option<Kind>) {
    let (mut at, mut text) = (start + 1, String::new());
    let known = *unended.of(chars[start]);
    while let Some(&c) = chars.get(at).filter(|_| start >= known) {
        match c {
            '\\' => {
                let (end, escaped) = escape(chars, at);
                text.extend(escaped);
                at = end;
            }
            '\n' if !several_lines => break,
            _ if c == chars[start] => return (at + 1, Some(Kind::Text(text))),
            _ => {
                text.push(c);
                at += 1;
            }
        }
    }
    *unended.of(chars[start]) = at.max(known);
    (start + 1, Some(Kind::Mark(chars[start])))
}

/// What the backslash here and what belongs to it stand for, and where they end; nothing where the line only goes on.
fn escape(chars: &[char], at: usize) -> (usize, Option<char>) {
    let Some(&letter) = chars.get(at + 1) else { return (at + 1, None) };
    let hexadecimal = |from: usize, to: usize| {
        let digits: String = chars.get(from..to)?.iter().collect();
        char::from_u32(u32::from_str_radix(&digits, 16).ok()?)
    };
    let end_of_braces = (at + 3..at + 10).find(|&i| chars.get(i) == Some(&'}'));
    let (end, code) = match (letter, chars.get(at + 2), end_of_braces) {
        ('u', Some('{'), Some(end)) => (end + 1, hexadecimal(at + 3, end)),
        ('x', ..) => (at + 4, hexadecimal(at + 2, at + 4)),
        ('u', ..) => (at + 6, hexadecimal(at + 2, at + 6)),
        _ => (at + 2, None),
    };
    if code.is_some() {
        return (end, code);
    }
    let plain = match letter {
        '\n' => None,
        'n' => Some('\n'),
        'r' => Some('\r'),
        't' => Some('\t'),
        '0' => Some('\0'),
        other => Some(other),
    };
    (at + 2, plain)
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
fn template(chars: &[char], start: usize, unended: &mut Unended) -> (usize, Option<Kind>) {
    let (mut open, mut at, mut text, mut is_computed) = (vec!['`'], start + 1, String::new(), false);
    while let (Some(&c), Some(&innermost)) = (chars.get(at), open.last()) {
        let is_own = open.len() == 1;
        at += 1;
        match (innermost, c) {
            ('`', '\\') => {
                let (end, escaped) = escape(chars, at - 1);
                text.extend(escaped.filter(|_| is_own));
                at = end;
            }
            ('`', '`') | ('{', '}') => _ = open.pop(),
            ('`', '$') if chars.get(at) == Some(&'{') => {
                // What is computed is not nothing: `${folder}/app.db` is no absolute path.
                text.extend(is_own.then_some('$'));
                is_computed = true;
                open.push('{');
                at += 1;
            }
            ('{', '{' | '`') => open.push(c),
            ('{', '"' | '\'') => at = quoted(chars, at - 1, false, unended).0,
            ('{', '/') if chars.get(at) == Some(&'/') => at = end_of_line(chars, at),
            ('{', '/') if chars.get(at) == Some(&'*') => at = end_of_comment(chars, at - 1, false),
            ('`', _) if is_own => text.push(c),
            _ => {}
        }
    }
    let is_known = open.is_empty() && !is_computed;
    (at, Some(if is_known { Kind::Text(text) } else { Kind::Computed(text) }))
}

/// Words behind which a value begins.
const BEFORE_PATTERNS: [&str; 14] = [
    "return",
    "typeof",
    "case",
    "in",
    "of",
    "await",
    "yield",
    "default",
    "else",
    "do",
    "throw",
    "void",
    "delete",
    "instanceof",
];

/// Whether a slash begins a regular expression here and does not divide.
fn begins_pattern(before: Option<&Token>) -> bool {
    match before.map(|token| &token.kind) {
        None => true,
        Some(Kind::Mark(mark)) => !matches!(mark, ')' | ']' | '}' | '<'),
        Some(Kind::Word(word)) => BEFORE_PATTERNS.contains(&word.as_str()),
        Some(Kind::Text(_) | Kind::Computed(_)) => false,
    }
}

fn end_of_pattern(chars: &[char], start: usize, unended: &mut Unended) -> Option<usize> {
    let (mut at, mut in_class) = (start + 1, false);
    let known = *unended.of('/');
    while let Some(&c) = chars.get(at).filter(|_| start >= known) {
        match c {
            '\n' => break,
            '\\' => at += 1,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
    *unended.of('/') = at.max(known);
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str, language: Language) -> Vec<String> {
        let shown = |token: Token| match token.kind {
            Kind::Word(word) => word,
            Kind::Text(text) => format!("<{text}>"),
            Kind::Computed(text) => format!("<{text}?>"),
            Kind::Mark(mark) => mark.to_string(),
        };
        tokens(text, language).into_iter().map(shown).collect()
    }

    #[test]
    fn comments_and_strings_are_no_code() {
        use Language::{Go, JavaScript, Rust, Script};
        for (language, text, expected) in [
            (JavaScript, "a // b\n/* c\n*/ d", vec!["a", "d"]),
            (JavaScript, "x = /['\"`]/g; y('z')", vec!["x", "=", "<?>", "g", ";", "y", "(", "<z>", ")"]),
            (JavaScript, "x = /[/'\\]]/; 'y'", vec!["x", "=", "<?>", ";", "<y>"]),
            (JavaScript, "export default /'/", vec!["export", "default", "<?>"]),
            (JavaScript, "1.5 / a['b'] / 2", vec!["1.5", "/", "a", "[", "<b>", "]", "/", "2"]),
            (JavaScript, "a / b / c", vec!["a", "/", "b", "/", "c"]),
            (JavaScript, "`a${b(`c`, '}')}d` e", vec!["<a$d?>", "e"]),
            (JavaScript, "`a${b /* ` */ // }\n}` e", vec!["<a$?>", "e"]),
            (JavaScript, "`a\\`\\${b}` c", vec!["<a`${b}>", "c"]),
            (
                JavaScript,
                "<p title=\"a\">it's</p>\n{b('c')}",
                vec![
                    "<", "p", "title", "=", "<a>", ">", "it", "'", "s", "<", "/", "p", ">", "{", "b", "(", "<c>", ")",
                    "}",
                ],
            ),
            (JavaScript, "<br /> 'a'", vec!["<", "br", "/", ">", "<a>"]),
            (
                JavaScript,
                r"'\n\t\x41\u0042\u{43}\'\d\",
                vec![
                    "'", "\\", "n", "\\", "t", "\\", "x41", "\\", "u0042", "\\", "u", "{", "43", "}", "\\", "'", "\\",
                    "d", "\\",
                ],
            ),
            (JavaScript, r"'\n\t\x41\u0042\u{43}\'\d\xZ'", vec!["<\n\tABC'dxZ>"]),
            (JavaScript, "'a\\\nb' c", vec!["<ab>", "c"]),
            (JavaScript, "\u{feff}a", vec!["a"]),
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
    fn nothing_is_looked_through_again_and_again() {
        for unit in ["'\\", "\"\\", "/\\", "/[", "`${'\\", "`${", "`"] {
            for language in [Language::JavaScript, Language::Go, Language::Rust, Language::Script] {
                tokens(&unit.repeat(100_000), language);
            }
        }
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
