//! How large a text becomes once SQLite has put the views and the names of WITH into it.
//!
//! SQLite writes each out wherever it is named, before it looks at limits, interrupts or its progress handler: forty views that each
//! read the one before twice would keep it busy for years.

use std::collections::HashMap;

use rusqlite::{Connection, Error, Result, ffi};

use super::lexer::{Token, TokenKind, tokens};

/// Selects that a view may become. Written by people, a view of views becomes some hundreds.
const MOST: u64 = 5_000;

/// Views within views: SQLite's own stack must hold them.
const DEEPEST: usize = 500;

/// Refuses a schema with a view that becomes too large.
///
/// # Errors
/// Names the view. Those of SQLite.
pub fn check(connection: &Connection) -> Result<()> {
    let (texts, views) = read(connection)?;
    match texts.too_large() {
        None => Ok(()),
        Some(text) => {
            let message = format!("the view `{}` is made of too many others", views[text]);
            Err(Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_TOOBIG), Some(message)))
        }
    }
}

/// The views of a schema, for the queries that may read them.
pub(crate) struct Views(Texts);

impl Views {
    /// Reads the views.
    ///
    /// # Errors
    /// Those of SQLite.
    pub(crate) fn read(connection: &Connection) -> Result<Self> {
        read(connection).map(|(texts, _)| Self(texts))
    }

    /// Whether a query becomes too large.
    pub(crate) fn make_too_large(&self, query: &str) -> bool {
        let may_grow = |token: Token| {
            let is_view = |name: &str| self.0.views.contains_key(&name.to_ascii_lowercase());
            token.is_word(query, "WITH") || token.name(query).is_some_and(|name| is_view(&name))
        };
        if !tokens(query).any(may_grow) {
            return false;
        }
        let mut texts = self.0.clone();
        // No view has an empty name that could be read.
        texts.add("", query);
        texts.too_large().is_some()
    }
}

/// The views, and their names in the same order.
fn read(connection: &Connection) -> Result<(Texts, Vec<String>)> {
    let mut select =
        connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'view' AND typeof(sql) = 'text'")?;
    let mut rows = select.query([])?;
    let mut texts = Texts::default();
    let mut views = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column| Some(String::from_utf8_lossy(row.get_ref(column).ok()?.as_bytes().ok()?).into_owned());
        let (Some(name), Some(sql)) = (text(0), text(1)) else { continue };
        texts.add(&name, &sql);
        views.push(name);
    }
    Ok((texts, views))
}

/// What is written out: the texts of views, and in them those of WITH.
#[derive(Clone, Default)]
struct Texts {
    parts: Vec<Part>,
    /// The parts that are views, by name in lower case.
    views: HashMap<String, usize>,
    count: usize,
}

/// The text of a view, or of a name that WITH defines in it.
#[derive(Clone)]
struct Part {
    /// Which of the views it belongs to.
    view: usize,
    /// The names in FROM, in lower case; of one that WITH defines its part.
    reads: Vec<std::result::Result<usize, String>>,
}

impl Texts {
    fn add(&mut self, name: &str, sql: &str) {
        let tokens: Vec<Token> = tokens(sql).filter(|token| !token.is_trivia()).collect();
        let (root, view) = (self.parts.len(), self.count);
        let defined = defined(sql, &tokens);
        self.parts.extend((0..=defined.len()).map(|_| Part { view, reads: Vec::new() }));
        for at in (0..tokens.len()).filter(|at| is_read(sql, &tokens, *at)) {
            let Some(name) = tokens[at].name(sql).map(|name| name.to_ascii_lowercase()) else { continue };
            let of = |found: Option<usize>| found.map(|index| root + 1 + index);
            // The innermost that the name stands in.
            let within = of(defined.iter().rposition(|one| one.start < at && at < one.end)).unwrap_or(root);
            let read = of(defined.iter().rposition(|one| one.name == name)).ok_or(name);
            self.parts[within].reads.push(read);
        }
        self.views.insert(name.to_ascii_lowercase(), root);
        self.count += 1;
    }

    /// The first view that becomes too large.
    fn too_large(&self) -> Option<usize> {
        let mut sizes: Vec<Option<Size>> = vec![None; self.parts.len()];
        for start in 0..self.parts.len() {
            // What is being measured, each with its reads that are done. No calls of itself: the depth is what was written.
            let mut open = vec![(start, 0, Size { selects: 1, depth: 1 })];
            while let Some((part, done, size)) = open.last().copied() {
                if size.selects > MOST || size.depth > DEEPEST || open.len() > DEEPEST {
                    return Some(self.parts[part].view);
                }
                let Some(read) = self.parts[part].reads.get(done) else {
                    sizes[part] = Some(size);
                    open.pop();
                    continue;
                };
                let read = read.as_ref().ok().or_else(|| self.views.get(read.as_ref().err()?)).copied();
                let is_open = read.is_some_and(|read| open.iter().any(|(part, ..)| *part == read));
                let Some(read) = read.filter(|_| !is_open) else {
                    // A table; or a name that is defined by itself, which SQLite refuses, or reads once.
                    open.last_mut()?.1 += 1;
                    continue;
                };
                match sizes[read] {
                    Some(inner) => {
                        let depth = size.depth.max(inner.depth + 1);
                        *open.last_mut()? = (part, done + 1, Size { selects: size.selects + inner.selects, depth });
                    }
                    None => open.push((read, 0, Size { selects: 1, depth: 1 })),
                }
            }
        }
        None
    }
}

#[derive(Clone, Copy)]
struct Size {
    selects: u64,
    depth: usize,
}

/// `name [(…)] AS [[NOT] MATERIALIZED] (…)` behind WITH or a comma: the name in lower case, and its text by tokens.
struct Defined {
    name: String,
    start: usize,
    end: usize,
}

fn defined(sql: &str, tokens: &[Token]) -> Vec<Defined> {
    let closing = closing(tokens);
    let is_kind = |at: usize, kind| tokens.get(at).is_some_and(|token: &Token| token.kind == kind);
    let is_word = |at: usize, word| tokens.get(at).is_some_and(|token: &Token| token.is_word(sql, word));
    let mut found = Vec::new();
    for at in 1..tokens.len() {
        if !(is_word(at - 1, "WITH") || is_word(at - 1, "RECURSIVE") || is_kind(at - 1, TokenKind::Comma)) {
            continue;
        }
        let Some(name) = tokens[at].name(sql) else { continue };
        let mut next = if is_kind(at + 1, TokenKind::Open) { closing[at + 1] + 1 } else { at + 1 };
        if !is_word(next, "AS") {
            continue;
        }
        next += 1;
        next += usize::from(is_word(next, "NOT"));
        next += usize::from(is_word(next, "MATERIALIZED"));
        if is_kind(next, TokenKind::Open) {
            found.push(Defined { name: name.to_ascii_lowercase(), start: next, end: closing[next] });
        }
    }
    found
}

/// For each opening bracket where it is closed, else behind the end.
fn closing(tokens: &[Token]) -> Vec<usize> {
    let mut closing = vec![tokens.len(); tokens.len()];
    let mut open = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open => open.push(at),
            TokenKind::Close => {
                if let Some(opened) = open.pop() {
                    closing[opened] = at;
                }
            }
            _ => {}
        }
    }
    closing
}

/// Whether a name may be that of a table which is read: it stands behind FROM, JOIN, IN, a comma, a bracket or its schema's name, and
/// no column follows it.
fn is_read(sql: &str, tokens: &[Token], at: usize) -> bool {
    let Some(before) = at.checked_sub(1).map(|before| tokens[before]) else { return false };
    let follows = ["FROM", "JOIN", "IN"].iter().any(|word| before.is_word(sql, word))
        || matches!(before.kind, TokenKind::Comma | TokenKind::Open | TokenKind::Dot);
    follows && tokens.get(at + 1).is_none_or(|next| next.kind != TokenKind::Dot)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(views: &[&str]) -> bool {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE t (a)").unwrap();
        for view in views {
            connection.execute_batch(view).unwrap();
        }
        check(&connection).is_err()
    }

    fn chain(count: usize, first: &str, select: impl Fn(usize) -> String) -> Vec<String> {
        let later = (1..count).map(|at| format!("CREATE VIEW v{at} AS {}", select(at - 1)));
        std::iter::once(format!("CREATE VIEW v0 AS {first}")).chain(later).collect()
    }

    #[test]
    fn what_doubles_is_refused_and_what_adds_is_not() {
        let refused = |views: Vec<String>| is_refused(&views.iter().map(String::as_str).collect::<Vec<_>>());
        let twice = |last: usize| format!("SELECT one.a FROM v{last} AS one, v{last} AS other");
        assert!(refused(chain(40, "SELECT a FROM t", twice)));
        assert!(!refused(chain(8, "SELECT a FROM t", twice)));
        assert!(!refused(chain(300, "SELECT a FROM t", |last| format!(
            "SELECT v{last}.a, v{last}.a AS b FROM main.\"V{last}\""
        ))));
        assert!(refused(chain(700, "SELECT a FROM t", |last| format!("SELECT a FROM v{last}"))));
        assert!(refused(chain(40, "SELECT a FROM t", |last| format!("SELECT a IN v{last} AS a FROM t JOIN v{last}"))));
    }

    #[test]
    fn names_of_with_are_written_out_too() {
        let with = |count: usize| {
            let names = (1..count).map(|at| format!("n{at} (a) AS (SELECT o.a FROM n{0} AS o, n{0})", at - 1));
            let names: Vec<String> =
                std::iter::once("n0 AS MATERIALIZED (SELECT a FROM t)".to_owned()).chain(names).collect();
            format!("CREATE VIEW v AS WITH {} SELECT a FROM n{}", names.join(", "), count - 1)
        };
        assert!(is_refused(&[&with(40)]) && !is_refused(&[&with(6)]));
    }

    #[test]
    fn circles_are_left_to_sqlite() {
        assert!(!is_refused(&[
            "CREATE VIEW a AS SELECT * FROM b",
            "CREATE VIEW b AS SELECT * FROM a",
            "CREATE VIEW c AS SELECT * FROM c"
        ]));
        let recursive = "CREATE VIEW r AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT i FROM n";
        assert!(!is_refused(&[recursive]));
    }
}
