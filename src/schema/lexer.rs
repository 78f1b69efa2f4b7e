//! SQLite's tokens: takes the text of SQL, gives kinds and byte ranges that cover it without gaps.
//!
//! The rules are those of `sqlite3GetToken` in SQLite's `tokenize.c`, also where they are odd: an unterminated comment is
//! a comment, a byte order mark is white space wherever a token may begin, `$a::b(c;d)` is one variable. A NUL ends the
//! text for SQLite; what follows it is one illegal token here, so that it is not lost from sight.

use std::borrow::Cow;
use std::ops::Range;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// White space, or a byte order mark.
    Space,
    /// `-- …` up to the line feed, or `/* … */`.
    Comment,
    /// A keyword or an unquoted identifier; SQLite tells them apart by their place.
    Word,
    /// `"…"`, `` `…` `` or `[…]`.
    Quoted,
    /// `'…'`.
    String,
    /// `x'…'`.
    Blob,
    /// An integer or a decimal, also hexadecimal and with `_` between digits.
    Number,
    /// `?`, `?1`, `:a`, `@a`, `#a` or `$a::b(c)`.
    Variable,
    /// `;`.
    Semicolon,
    /// `(`.
    Open,
    /// `)`.
    Close,
    /// `,`.
    Comma,
    /// `.`.
    Dot,
    /// `=` or `==`.
    Equals,
    /// Any other operator.
    Operator,
    /// What SQLite refuses: an unterminated quote, `12ab`, a stray character.
    Illegal,
}

/// A token: what it is and where it stands, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it begins.
    pub start: usize,
    /// Where the next one begins.
    pub end: usize,
}

impl Token {
    /// The bytes that it covers.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }

    /// The token as written.
    #[must_use]
    pub fn text<'a>(&self, sql: &'a str) -> &'a str {
        sql.get(self.range()).unwrap_or_default()
    }

    /// Whether SQLite's parser never sees it.
    #[must_use]
    pub fn is_trivia(&self) -> bool {
        matches!(self.kind, TokenKind::Space | TokenKind::Comment)
    }

    /// Whether it is this keyword, given in capitals.
    #[must_use]
    pub fn is_word(&self, sql: &str, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text(sql).eq_ignore_ascii_case(keyword)
    }

    /// The name that it spells where SQLite takes a name: an unquoted word that is not reserved, a quoted identifier or
    /// a string.
    #[must_use]
    pub fn name<'a>(&self, sql: &'a str) -> Option<Cow<'a, str>> {
        let text = self.text(sql);
        match self.kind {
            TokenKind::Word if is_reserved(text) => None,
            TokenKind::Word => Some(Cow::Borrowed(text)),
            TokenKind::Quoted | TokenKind::String => Some(unquote(text)),
            _ => None,
        }
    }
}

/// The tokens of a text, in order, each beginning where the one before ends.
#[must_use]
pub fn tokens(sql: &str) -> Tokens<'_> {
    let bytes = sql.as_bytes();
    let readable = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    Tokens { bytes: &bytes[..readable], at: 0, end: bytes.len() }
}

/// The tokens of a text without a NUL, which need not be UTF-8, as SQLite's need not be. Nothing is looked at before its token is taken.
pub(crate) fn tokens_of_bytes(bytes: &[u8]) -> Tokens<'_> {
    Tokens { bytes, at: 0, end: bytes.len() }
}

/// The iterator behind [`tokens`].
#[derive(Debug, Clone)]
pub struct Tokens<'a> {
    /// The text up to the first NUL.
    bytes: &'a [u8],
    at: usize,
    /// The end of the whole text.
    end: usize,
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let start = self.at;
        let (kind, end) = match self.bytes.get(start) {
            Some(&first) => self.token(first),
            None if start < self.end => (TokenKind::Illegal, self.end),
            None => return None,
        };
        self.at = end;
        Some(Token { kind, start, end })
    }
}

impl Tokens<'_> {
    /// The token at the present place, which begins with `first`: its kind and where it ends.
    fn token(&self, first: u8) -> (TokenKind, usize) {
        let at = self.at;
        match first {
            b' ' | b'\t' | b'\n' | b'\x0c' | b'\r' => (TokenKind::Space, self.run(at + 1, is_space)),
            b'-' if self.peek(at + 1) == b'-' => (TokenKind::Comment, self.run(at + 2, |byte| byte != b'\n')),
            b'/' if self.peek(at + 1) == b'*' && at + 2 < self.bytes.len() => {
                (TokenKind::Comment, self.end_of_comment(at + 2))
            }
            b';' => (TokenKind::Semicolon, at + 1),
            b'(' => (TokenKind::Open, at + 1),
            b')' => (TokenKind::Close, at + 1),
            b',' => (TokenKind::Comma, at + 1),
            b'=' => (TokenKind::Equals, if self.peek(at + 1) == b'=' { at + 2 } else { at + 1 }),
            b'-' | b'<' | b'>' | b'|' | b'!' | b'+' | b'*' | b'/' | b'%' | b'&' | b'~' => self.operator(first),
            b'\'' | b'"' | b'`' => self.quoted(first),
            b'[' => match self.find(at + 1, b']') {
                Some(close) => (TokenKind::Quoted, close + 1),
                None => (TokenKind::Illegal, self.bytes.len()),
            },
            b'.' if !self.peek(at + 1).is_ascii_digit() => (TokenKind::Dot, at + 1),
            b'.' | b'0'..=b'9' => self.number(),
            b'?' => (TokenKind::Variable, self.run(at + 1, |byte| byte.is_ascii_digit())),
            b'$' | b'@' | b':' | b'#' => self.variable(),
            b'x' | b'X' if self.peek(at + 1) == b'\'' => self.blob(),
            0xef if self.bytes[at..].starts_with(b"\xef\xbb\xbf") => (TokenKind::Space, at + 3),
            _ if is_identifier(first) => (TokenKind::Word, self.run(at + 1, is_identifier)),
            _ => (TokenKind::Illegal, at + 1),
        }
    }

    /// The byte at a place, 0 behind the end; the text has no other 0.
    fn peek(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// The first place from `at` whose byte is not `of` the run.
    fn run(&self, at: usize, of: impl Fn(u8) -> bool) -> usize {
        let rest = self.bytes.get(at..).unwrap_or_default();
        at + rest.iter().position(|&byte| !of(byte)).unwrap_or(rest.len())
    }

    fn find(&self, at: usize, wanted: u8) -> Option<usize> {
        let found = self.run(at, |byte| byte != wanted);
        (found < self.bytes.len()).then_some(found)
    }

    /// Where a block comment ends whose content begins at `at`; `/*/` does not close itself.
    fn end_of_comment(&self, at: usize) -> usize {
        let content = &self.bytes[at..];
        let close = content.windows(2).position(|pair| pair == b"*/");
        close.map_or(self.bytes.len(), |close| at + close + 2)
    }

    fn operator(&self, first: u8) -> (TokenKind, usize) {
        let at = self.at;
        let length = match (first, self.peek(at + 1), self.peek(at + 2)) {
            (b'-', b'>', b'>') => 3,
            (b'-' | b'>', b'>', _) | (b'<', b'=' | b'>' | b'<', _) | (b'>' | b'!', b'=', _) | (b'|', b'|', _) => 2,
            (b'!', ..) => return (TokenKind::Illegal, at + 1),
            _ => 1,
        };
        (TokenKind::Operator, at + length)
    }

    fn quoted(&self, quote: u8) -> (TokenKind, usize) {
        let mut at = self.at + 1;
        while let Some(close) = self.find(at, quote) {
            if self.peek(close + 1) != quote {
                let kind = if quote == b'\'' { TokenKind::String } else { TokenKind::Quoted };
                return (kind, close + 1);
            }
            at = close + 2;
        }
        (TokenKind::Illegal, self.bytes.len())
    }

    fn blob(&self) -> (TokenKind, usize) {
        let start = self.at + 2;
        let digits_end = self.run(start, |byte| byte.is_ascii_hexdigit());
        if self.peek(digits_end) == b'\'' && (digits_end - start).is_multiple_of(2) {
            return (TokenKind::Blob, digits_end + 1);
        }
        let end = self.find(digits_end, b'\'').map_or(self.bytes.len(), |quote| quote + 1);
        (TokenKind::Illegal, end)
    }

    fn number(&self) -> (TokenKind, usize) {
        let at = self.at;
        let digits = |from| self.run(from, |byte| byte.is_ascii_digit() || byte == b'_');
        let hexadecimal =
            self.peek(at) == b'0' && matches!(self.peek(at + 1), b'x' | b'X') && self.peek(at + 2).is_ascii_hexdigit();
        let mut end =
            if hexadecimal { self.run(at + 3, |byte| byte.is_ascii_hexdigit() || byte == b'_') } else { digits(at) };
        if !hexadecimal {
            if self.peek(end) == b'.' {
                end = digits(end + 1);
            }
            if let Some(exponent) = self.exponent(end) {
                end = digits(exponent);
            }
        }
        match self.run(end, is_identifier) {
            tail if tail > end => (TokenKind::Illegal, tail),
            _ => (TokenKind::Number, end),
        }
    }

    /// Behind the `e`, `e+` or `e-` at a place, where digits follow it.
    fn exponent(&self, at: usize) -> Option<usize> {
        let sign = matches!(self.peek(at + 1), b'+' | b'-');
        let digit = at + 1 + usize::from(sign);
        (matches!(self.peek(at), b'e' | b'E') && self.peek(digit).is_ascii_digit()).then_some(digit)
    }

    fn variable(&self) -> (TokenKind, usize) {
        let mut at = self.at + 1;
        let mut letters = 0_usize;
        loop {
            match self.peek(at) {
                byte if is_identifier(byte) => letters += 1,
                b'(' if letters > 0 => {
                    // Tcl's array element: everything up to the parenthesis, but no white space.
                    let end = self.run(at + 1, |byte| !is_space(byte) && byte != b')');
                    let closed = self.peek(end) == b')';
                    return if closed { (TokenKind::Variable, end + 1) } else { (TokenKind::Illegal, end) };
                }
                b':' if self.peek(at + 1) == b':' => at += 1,
                _ => break,
            }
            at += 1;
        }
        (if letters == 0 { TokenKind::Illegal } else { TokenKind::Variable }, at)
    }
}

/// White space that continues white space; a vertical tab does not begin it.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

/// The keywords that are never a name unless quoted: those for which SQLite's grammar has no `%fallback ID`.
const RESERVED: [&str; 58] = [
    "ADD",
    "ALL",
    "ALTER",
    "AND",
    "AS",
    "AUTOINCREMENT",
    "BETWEEN",
    "CASE",
    "CHECK",
    "COLLATE",
    "COMMIT",
    "CONSTRAINT",
    "CREATE",
    "DEFAULT",
    "DEFERRABLE",
    "DELETE",
    "DISTINCT",
    "DROP",
    "ELSE",
    "ESCAPE",
    "EXCEPT",
    "EXISTS",
    "FOREIGN",
    "FROM",
    "GROUP",
    "HAVING",
    "IN",
    "INDEX",
    "INSERT",
    "INTERSECT",
    "INTO",
    "IS",
    "ISNULL",
    "JOIN",
    "LIMIT",
    "NOT",
    "NOTHING",
    "NOTNULL",
    "NULL",
    "ON",
    "OR",
    "ORDER",
    "PRIMARY",
    "REFERENCES",
    "RETURNING",
    "SELECT",
    "SET",
    "TABLE",
    "THEN",
    "TO",
    "TRANSACTION",
    "UNION",
    "UNIQUE",
    "UPDATE",
    "USING",
    "VALUES",
    "WHEN",
    "WHERE",
];

/// Whether SQLite takes an unquoted word as a keyword in every place.
#[must_use]
pub fn is_reserved(word: &str) -> bool {
    RESERVED.iter().any(|reserved| reserved.eq_ignore_ascii_case(word))
}

/// The content of a quoted identifier or string, with doubled quotes undone; anything else as it is.
#[must_use]
pub fn unquote(text: &str) -> Cow<'_, str> {
    let Some(quote) = text.chars().next().filter(|first| matches!(first, '\'' | '"' | '`' | '[')) else {
        return Cow::Borrowed(text);
    };
    let closing = if quote == '[' { ']' } else { quote };
    let content = &text[1..];
    let content = content.strip_suffix(closing).unwrap_or(content);
    let doubled = format!("{quote}{quote}");
    if quote != '[' && content.contains(&doubled) {
        Cow::Owned(content.replace(&doubled, &quote.to_string()))
    } else {
        Cow::Borrowed(content)
    }
}

/// A name as SQL writes it: always in double quotes, with those inside doubled.
#[must_use]
pub fn quote_identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as a string of SQL: `'it''s'`.
#[must_use]
pub fn quote_text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// The names in the `"…"` of a text, in order, unquoted; which of them SQLite takes as strings is for the schema to say.
#[must_use]
pub fn double_quoted(sql: &str) -> Vec<String> {
    tokens(sql)
        .filter(|token| token.kind == TokenKind::Quoted)
        .map(|token| token.text(sql))
        .filter(|text| text.starts_with('"'))
        .map(|text| unquote(text).into_owned())
        .collect()
}

/// Every word of a text that may be a name, in order, unquoted: quoted identifiers and words that are not reserved, so
/// also the names of functions and keywords such as `BEFORE`, which are names in other places.
#[must_use]
pub fn identifiers(sql: &str) -> Vec<String> {
    tokens(sql)
        .filter(|token| token.kind != TokenKind::String)
        .filter_map(|token| token.name(sql))
        .map(Cow::into_owned)
        .collect()
}
