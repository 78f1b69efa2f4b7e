//! Which version of SQLite a statement needs at least.

use crate::schema::lexer::{Token, TokenKind, tokens};

/// A part of SQL and the version of SQLite that brought it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Needed {
    /// The version.
    pub(super) version: (u32, u32, u32),
    /// What needs it, as it may be written in a sentence: `` `RETURNING` ``.
    pub(super) what: String,
}

/// Functions by the version that brought them. Source: SQLite's release history.
const FUNCTIONS: [(&str, (u32, u32, u32)); 21] = [
    ("iif", (3, 32, 0)),
    ("sign", (3, 35, 0)),
    ("format", (3, 38, 0)),
    ("unixepoch", (3, 38, 0)),
    ("unhex", (3, 41, 0)),
    ("timediff", (3, 43, 0)),
    ("octet_length", (3, 43, 0)),
    ("concat", (3, 44, 0)),
    ("concat_ws", (3, 44, 0)),
    ("string_agg", (3, 44, 0)),
    ("jsonb", (3, 45, 0)),
    ("jsonb_array", (3, 45, 0)),
    ("jsonb_extract", (3, 45, 0)),
    ("jsonb_insert", (3, 45, 0)),
    ("jsonb_object", (3, 45, 0)),
    ("jsonb_patch", (3, 45, 0)),
    ("jsonb_remove", (3, 45, 0)),
    ("jsonb_replace", (3, 45, 0)),
    ("jsonb_set", (3, 45, 0)),
    ("unistr", (3, 50, 0)),
    ("json_array_insert", (3, 53, 0)),
];

/// What of the statement needs the latest SQLite.
pub(super) fn newest(sql: &str) -> Option<Needed> {
    let words = Words::of(sql);
    (0..words.tokens.len()).filter_map(|at| words.needed(at)).max_by_key(|needed| needed.version)
}

/// `3.45.1` as numbers; none where it is no version.
pub(super) fn parse(version: &str) -> Option<(u32, u32, u32)> {
    let mut parts = version.split('.').map(|part| {
        let digits = part.find(|letter: char| !letter.is_ascii_digit()).map_or(part, |end| &part[..end]);
        digits.parse().ok()
    });
    Some((parts.next()??, parts.next().unwrap_or(Some(0))?, parts.next().unwrap_or(Some(0))?))
}

/// The tokens of a statement, without comments and white space.
struct Words<'a> {
    sql: &'a str,
    tokens: Vec<Token>,
    /// For each token the parenthesis that it stands in, and how many are open.
    within: Vec<(Option<usize>, usize)>,
    /// The first SET in no parentheses.
    set: Option<usize>,
}

impl<'a> Words<'a> {
    fn of(sql: &'a str) -> Self {
        let tokens: Vec<Token> = tokens(sql).filter(|token| !token.is_trivia()).collect();
        let mut open = Vec::new();
        let mut within = Vec::with_capacity(tokens.len());
        for (at, token) in tokens.iter().enumerate() {
            within.push((open.last().copied(), open.len()));
            match token.kind {
                TokenKind::Open => open.push(at),
                TokenKind::Close => _ = open.pop(),
                _ => {}
            }
        }
        let set = (0..tokens.len()).find(|at| within[*at].1 == 0 && tokens[*at].is_word(sql, "SET"));
        Self { sql, tokens, within, set }
    }

    /// What begins at this token, where it needs a certain version.
    fn needed(&self, at: usize) -> Option<Needed> {
        let (version, what) = self.alteration(at).or_else(|| self.clause(at)).or_else(|| self.operand(at))?;
        let what = if self.tokens[at].kind == TokenKind::Number { what } else { format!("`{what}`") };
        Some(Needed { version, what })
    }

    fn alteration(&self, at: usize) -> Option<((u32, u32, u32), String)> {
        if at > 0 || !self.are(0, &["ALTER", "TABLE"]) {
            return None;
        }
        let qualified = self.tokens.get(3).is_some_and(|token| token.kind == TokenKind::Dot);
        let verb = if qualified { 5 } else { 3 };
        let next = |words: &[&str]| words.iter().any(|word| self.is(verb + 1, word));
        let (version, what) = match () {
            () if self.is(verb, "DROP") && next(&["CONSTRAINT"]) => ((3, 53, 0), "ALTER TABLE … DROP CONSTRAINT"),
            () if self.is(verb, "ADD") && next(&["CONSTRAINT", "CHECK"]) => {
                ((3, 53, 0), "ALTER TABLE … ADD CONSTRAINT")
            }
            () if self.is(verb, "ALTER") => ((3, 53, 0), "ALTER TABLE … ALTER COLUMN"),
            () if self.is(verb, "DROP") => ((3, 35, 0), "ALTER TABLE … DROP COLUMN"),
            () if self.is(verb, "RENAME") && !next(&["TO"]) => ((3, 25, 0), "ALTER TABLE … RENAME COLUMN"),
            () => return None,
        };
        Some((version, what.to_owned()))
    }

    fn clause(&self, at: usize) -> Option<((u32, u32, u32), String)> {
        let (version, what) = match () {
            () if self.is(at, "RETURNING") => ((3, 35, 0), "RETURNING"),
            () if self.ends_with_option(at, "STRICT") => ((3, 37, 0), "STRICT"),
            () if self.are(at, &["GENERATED", "ALWAYS", "AS"]) => ((3, 31, 0), "GENERATED ALWAYS AS"),
            () if self.is(at, "ON") && self.is(at + 1, "CONFLICT") && self.upserts(at + 2) => {
                ((3, 24, 0), "ON CONFLICT … DO")
            }
            () if self.joins(at, "RIGHT") => ((3, 39, 0), "RIGHT JOIN"),
            () if self.joins(at, "FULL") => ((3, 39, 0), "FULL JOIN"),
            () if self.distinct_from(at) => ((3, 39, 0), "IS DISTINCT FROM"),
            () if self.updates_from(at) => ((3, 33, 0), "UPDATE … FROM"),
            () if self.are(at, &["AS", "MATERIALIZED"]) || self.are(at, &["AS", "NOT", "MATERIALIZED"]) => {
                ((3, 35, 0), "AS MATERIALIZED")
            }
            () => return None,
        };
        Some((version, what.to_owned()))
    }

    fn operand(&self, at: usize) -> Option<((u32, u32, u32), String)> {
        let token = self.tokens[at];
        let text = token.text(self.sql);
        match token.kind {
            TokenKind::Operator if matches!(text, "->" | "->>") => Some(((3, 38, 0), text.to_owned())),
            TokenKind::Number if text.contains('_') => Some(((3, 46, 0), "a number with underscores".to_owned())),
            TokenKind::Word if self.is_open(at + 1) && !self.follows_name_position(at) => {
                let known = FUNCTIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text))?;
                Some((known.1, format!("{}()", known.0)))
            }
            TokenKind::Word if self.is(at, "ORDER") && self.in_aggregate(at) => {
                Some(((3, 44, 0), "ORDER BY inside an aggregate".to_owned()))
            }
            _ => None,
        }
    }

    /// Whether a name stands here that is followed by a list, and not a function: `INTO format (…)`, `TABLE format (…)`.
    fn follows_name_position(&self, at: usize) -> bool {
        let names = ["INTO", "TABLE", "EXISTS", "REFERENCES", "ON", "WITH", "RECURSIVE", "CONSTRAINT"];
        at > 0
            && (names.iter().any(|word| self.is(at - 1, word))
                || self.tokens[at - 1].kind == TokenKind::Dot
                || (self.is(at - 1, "AS") && !self.is(at, "SELECT")))
    }

    /// Whether an ORDER BY stands in the parentheses of a function's arguments, and not in those of a window or a subquery.
    fn in_aggregate(&self, at: usize) -> bool {
        let Some(open) = self.within[at].0 else { return false };
        let function = open > 0 && self.tokens[open - 1].kind == TokenKind::Word;
        let other = ["OVER", "IN", "AS", "EXISTS", "FROM", "WITHIN", "MATERIALIZED"];
        let is_other = open > 0 && other.iter().any(|word| self.is(open - 1, word));
        let selects = ["SELECT", "WITH", "VALUES", "PARTITION"].iter().any(|word| self.is(open + 1, word));
        function && !is_other && !selects && open + 1 < at
    }

    /// A table option behind the closing parenthesis of CREATE TABLE.
    fn ends_with_option(&self, at: usize, option: &str) -> bool {
        let behind = at > 0
            && (matches!(self.tokens[at - 1].kind, TokenKind::Close | TokenKind::Comma) || self.is(at - 1, "ROWID"));
        let ends =
            self.tokens.get(at + 1).is_none_or(|next| matches!(next.kind, TokenKind::Comma | TokenKind::Semicolon));
        self.is(0, "CREATE") && self.is(at, option) && behind && ends && self.within[at].1 == 0
    }

    fn joins(&self, at: usize, kind: &str) -> bool {
        self.is(at, kind) && (self.is(at + 1, "JOIN") || self.are(at + 1, &["OUTER", "JOIN"]))
    }

    fn distinct_from(&self, at: usize) -> bool {
        self.are(at, &["IS", "DISTINCT", "FROM"]) || self.are(at, &["IS", "NOT", "DISTINCT", "FROM"])
    }

    /// `ON CONFLICT (…) DO` or `ON CONFLICT DO`, not the conflict clause of a constraint.
    fn upserts(&self, at: usize) -> bool {
        self.is(at, "DO") || self.is_open(at)
    }

    /// A FROM of the UPDATE itself: behind SET, in no parentheses, before WHERE.
    fn updates_from(&self, at: usize) -> bool {
        let is_from = self.is(at, "FROM") && at > 0 && !self.is(at - 1, "DISTINCT");
        is_from && self.is(0, "UPDATE") && self.within[at].1 == 0 && self.set.is_some_and(|set| set < at)
    }

    fn are(&self, at: usize, words: &[&str]) -> bool {
        words.iter().enumerate().all(|(offset, word)| self.is(at + offset, word))
    }

    fn is(&self, at: usize, word: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_word(self.sql, word))
    }

    fn is_open(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == TokenKind::Open)
    }
}

#[cfg(test)]
mod tests {
    use super::{newest, parse};

    fn needs(sql: &str) -> Option<String> {
        newest(sql).map(|needed| format!("{}.{} {}", needed.version.0, needed.version.1, needed.what))
    }

    #[test]
    fn what_is_new_is_found() {
        for (sql, needed) in [
            ("ALTER TABLE main.t DROP c", "3.35 `ALTER TABLE … DROP COLUMN`"),
            ("ALTER TABLE t DROP CONSTRAINT c", "3.53 `ALTER TABLE … DROP CONSTRAINT`"),
            ("ALTER TABLE t ADD CONSTRAINT c CHECK (x > 0)", "3.53 `ALTER TABLE … ADD CONSTRAINT`"),
            ("ALTER TABLE t ADD CHECK (x > 0)", "3.53 `ALTER TABLE … ADD CONSTRAINT`"),
            ("ALTER TABLE t ALTER COLUMN c SET NOT NULL", "3.53 `ALTER TABLE … ALTER COLUMN`"),
            ("ALTER TABLE t RENAME a TO b", "3.25 `ALTER TABLE … RENAME COLUMN`"),
            ("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT) STRICT, WITHOUT ROWID", "3.37 `STRICT`"),
            ("CREATE TABLE t (a) WITHOUT ROWID, STRICT", "3.37 `STRICT`"),
            ("INSERT INTO t VALUES (1) ON CONFLICT (a) DO NOTHING", "3.24 `ON CONFLICT … DO`"),
            ("INSERT INTO t VALUES (1) RETURNING a", "3.35 `RETURNING`"),
            ("UPDATE t SET a = b.a FROM b WHERE b.id = t.id", "3.33 `UPDATE … FROM`"),
            ("UPDATE t SET a = 1_000", "3.46 a number with underscores"),
            ("UPDATE t SET a = concat(a, b), c = d ->> 'x'", "3.44 `concat()`"),
            ("SELECT group_concat(a ORDER BY b) FROM t", "3.44 `ORDER BY inside an aggregate`"),
            ("SELECT * FROM a FULL OUTER JOIN b ON a.id IS NOT DISTINCT FROM b.id", "3.39 `IS DISTINCT FROM`"),
            ("SELECT json_array_insert(a, '$[0]', 1) FROM t", "3.53 `json_array_insert()`"),
        ] {
            assert_eq!(needs(sql).as_deref(), Some(needed), "{sql}");
        }
    }

    #[test]
    fn what_only_looks_new_is_left_alone() {
        for sql in [
            "ALTER TABLE t RENAME TO u",
            "ALTER TABLE t ADD COLUMN strict TEXT",
            "INSERT INTO t VALUES ('RETURNING', 'a ->> b', '1_000') -- STRICT concat(a)",
            "CREATE TABLE t (strict TEXT, a TEXT UNIQUE ON CONFLICT REPLACE)",
            "CREATE TABLE format (a TEXT)",
            "INSERT INTO format (a) VALUES (1)",
            "UPDATE t SET a = (SELECT x FROM b WHERE b.id = t.id)",
            "SELECT row_number() OVER (PARTITION BY a ORDER BY b) FROM t",
            "SELECT sum(a) OVER (ORDER BY b) FROM t",
            "SELECT (SELECT a FROM t ORDER BY b LIMIT 1)",
            "SELECT a FROM t LEFT JOIN u ON t.id IS u.id",
            "CREATE TABLE t (\"concat\" TEXT, b TEXT DEFAULT 'x')",
        ] {
            assert_eq!(needs(sql), None, "{sql}");
        }
    }

    #[test]
    fn versions() {
        assert_eq!(parse("3.45.1"), Some((3, 45, 1)));
        assert_eq!(parse("12.11"), Some((12, 11, 0)));
        assert_eq!(parse("1.0.0-rc.5"), Some((1, 0, 0)));
        assert_eq!(parse("latest"), None);
    }
}
