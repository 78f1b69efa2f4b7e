//! What a comment of a migration says to rehearse: `-- rehearse: allow …` and `-- rehearse: renamed …`.
//!
//! A directive belongs to the statement that it stands in, before or behind on its line, or else above. Takes chunks, gives
//! directives; nothing that begins with `rehearse:` is passed over: what is not understood is kept as such.

use super::migration::Chunk;
use crate::schema::lexer::{Token, TokenKind, tokens};
use crate::schema::splitter::{Piece, split};

/// A comment that speaks to rehearse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Directive {
    /// Line of the file on which the comment begins, from 1.
    pub line: u32,
    /// The statement that it belongs to.
    pub statement: Spot,
    /// What it says; else why it cannot be understood, as a clause.
    pub says: Result<Says, String>,
}

/// Which statement of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spot {
    /// Line of the statement, from 1.
    pub line: u32,
    /// Its column in characters, from 1.
    pub column: u32,
    /// Whether it is the first statement of its file.
    pub first: bool,
}

/// What a directive says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// `allow RULE [TARGET] [at most N] [until DATE] because REASON`.
    Allow(Allow),
    /// `renamed OLD -> NEW`: a column of the statement's table.
    Renamed(Renamed),
}

/// What is allowed, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allow {
    /// The rule's code or name.
    pub rule: String,
    /// A table's or an object's name; of `table.column` the table.
    pub target: Option<String>,
    /// Of `table.column` the column.
    pub column: Option<String>,
    /// How many rows at most.
    pub at_most: Option<u64>,
    /// The last day, as written.
    pub until: Option<String>,
    /// Why.
    pub because: String,
}

/// A column and what it is called now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Renamed {
    /// Its name before.
    pub old: String,
    /// Its name after.
    pub new: String,
}

const FORM_OF_ALLOW: &str = "write `allow RULE [TABLE[.COLUMN]] [at most N] [until YYYY-MM-DD] because REASON`";
const FORM_OF_RENAMED: &str = "write `renamed OLD -> NEW` with the names of a column before and after";

/// The directives of a migration, in their order. A comment in the text of a string is none.
pub(super) fn directives(chunks: &[Chunk]) -> Vec<Directive> {
    let mut found = Vec::new();
    let first = chunks.iter().find_map(|chunk| chunk.statements.first());
    let first = first.map(|first| (first.line, first.column));
    for (index, chunk) in chunks.iter().enumerate() {
        let later = || chunks[index + 1..].iter().find_map(|chunk| chunk.statements.first());
        let pieces = split(&chunk.sql);
        let (mut line, mut counted) = (chunk.line, 0);
        for token in tokens(&chunk.sql).filter(|token| token.kind == TokenKind::Comment) {
            let Some(text) = spoken(token.text(&chunk.sql), &["allow", "renamed"]) else { continue };
            line = line.saturating_add(line_breaks(&chunk.sql[counted..token.start]));
            counted = token.start;
            let own = belongs_to(&chunk.sql, &pieces, token).and_then(|index| chunk.statements.get(index));
            let (statement, says) = match own.or_else(later) {
                Some(statement) => ((statement.line, statement.column), text.and_then(says)),
                None => {
                    ((line, 1), Err("no statement follows it; write it above the statement that it is about".into()))
                }
            };
            let spot = Spot { line: statement.0, column: statement.1, first: Some(statement) == first };
            found.push(Directive { line, statement: spot, says });
        }
    }
    found
}

/// What a comment says to rehearse: the text behind `rehearse:`. Without the colon it is one too if one of the directives follows: it
/// must not be passed over for a sign.
pub(crate) fn spoken<'a>(comment: &'a str, directives: &[&str]) -> Option<Result<&'a str, String>> {
    let inner = match comment.strip_prefix("--") {
        Some(inner) => inner,
        None => comment.strip_prefix("/*")?.trim_end_matches("*/"),
    };
    let inner = inner.trim();
    let (name, rest) = inner.split_at_checked("rehearse".len())?;
    if !name.eq_ignore_ascii_case("rehearse") {
        return None;
    }
    if let Some(text) = rest.trim_start().strip_prefix(':') {
        return Some(Ok(text.trim()));
    }
    let word = rest.split_whitespace().next().filter(|_| rest.starts_with(char::is_whitespace))?;
    let known = directives.iter().find(|known| known.eq_ignore_ascii_case(word))?;
    Some(Err(format!("write `rehearse: {known} …`, with a colon")))
}

/// The statement that a comment stands in; else the one that follows or ends on its line; else the next one.
pub(crate) fn belongs_to(sql: &str, pieces: &[Piece], comment: Token) -> Option<usize> {
    let same_line = |from: usize, to: usize| !sql[from..to].contains('\n');
    let begun = pieces.partition_point(|piece| piece.range.start < comment.start);
    let within = begun.checked_sub(1).filter(|index| comment.end <= pieces[*index].range.end);
    let next = Some(begun).filter(|index| *index < pieces.len());
    let before = pieces.partition_point(|piece| piece.range.end <= comment.start).checked_sub(1);
    within
        .or_else(|| next.filter(|index| same_line(comment.end, pieces[*index].range.start)))
        .or_else(|| before.filter(|index| same_line(pieces[*index].range.end, comment.start)))
        .or(next)
}

fn line_breaks(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

/// What the text of a directive says; else why it cannot be understood, as a clause.
pub(crate) fn says(text: &str) -> Result<Says, String> {
    let mut words = Words { rest: text };
    if words.take("allow") {
        allow(words).map(Says::Allow)
    } else if words.take("renamed") {
        renamed(words).map(Says::Renamed)
    } else {
        let word = words.word();
        Err(format!("`{word}` is no directive; there are `allow RULE … because REASON` and `renamed OLD -> NEW`"))
    }
}

fn allow(mut words: Words<'_>) -> Result<Allow, String> {
    let rule = words.word().to_owned();
    if rule.is_empty() {
        return Err(format!("it names no rule; {FORM_OF_ALLOW}"));
    }
    let mut allow = Allow { rule, ..Allow::default() };
    if !words.is_at("at") && !words.is_at("until") && !words.is_at("because") && !words.rest.is_empty() {
        allow.target = Some(words.name()?);
        if words.dot() {
            allow.column = Some(words.name()?);
        }
    }
    if words.take("at") {
        let most = words.take("most");
        let number = words.word();
        let wrong = || format!("`{number}` is no number of rows such as 1204; {FORM_OF_ALLOW}");
        allow.at_most = Some(number.parse().ok().filter(|_| most).ok_or_else(wrong)?);
        let _ = words.take("rows") || words.take("row") || words.take("values") || words.take("value");
    }
    if words.take("until") {
        allow.until = Some(words.word().to_owned());
    }
    if !words.take("because") {
        let found = words.word();
        let found = if found.is_empty() { "it ends".to_owned() } else { format!("`{found}` stands") };
        return Err(format!("{found} where `because REASON` is missing; {FORM_OF_ALLOW}"));
    }
    if words.rest.is_empty() {
        return Err(format!("it gives no reason; {FORM_OF_ALLOW}"));
    }
    allow.because = words.rest.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(allow)
}

fn renamed(mut words: Words<'_>) -> Result<Renamed, String> {
    let wrong = |why: String| format!("{why}; {FORM_OF_RENAMED}");
    let old = words.name().map_err(wrong)?;
    if !words.take("->") && !words.take("to") {
        return Err(wrong(format!("`->` does not follow `{old}`")));
    }
    let new = words.name().map_err(wrong)?;
    if words.rest.is_empty() { Ok(Renamed { old, new }) } else { Err(wrong(format!("`{}` is too much", words.rest))) }
}

/// The words of a directive that are not read yet; no white space in front.
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    /// The next word up to white space, without it.
    fn peek(&self) -> &'a str {
        self.rest.split_whitespace().next().unwrap_or_default()
    }

    fn word(&mut self) -> &'a str {
        let word = self.peek();
        self.skip(word.len());
        word
    }

    fn is_at(&self, keyword: &str) -> bool {
        self.peek().eq_ignore_ascii_case(keyword)
    }

    /// Whether this word is next; then it is read.
    fn take(&mut self, keyword: &str) -> bool {
        let is_next = self.is_at(keyword);
        if is_next {
            self.skip(keyword.len());
        }
        is_next
    }

    fn dot(&mut self) -> bool {
        let is_next = self.rest.starts_with('.');
        if is_next {
            self.skip(1);
        }
        is_next
    }

    /// A name as SQL writes it, quoted or not, without its quotes.
    fn name(&mut self) -> Result<String, String> {
        let token = tokens(self.rest).next();
        let name = token.and_then(|token| token.name(self.rest).map(std::borrow::Cow::into_owned));
        match (token, name) {
            (Some(token), Some(name)) if !name.is_empty() => {
                self.skip(token.end);
                Ok(name)
            }
            _ => Err(format!("`{}` stands where a name should; quote a name that is not one word", self.peek())),
        }
    }

    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest[bytes..].trim_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::migrations::Migration;

    fn of(sql: &str, separator: Option<&str>) -> Vec<Directive> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("0001.sql");
        std::fs::write(&file, sql).unwrap();
        Migration::read("0001".into(), file, separator).unwrap().directives
    }

    /// Line of the directive, line and column of its statement.
    fn places(sql: &str) -> Vec<(u32, u32, u32)> {
        let found = of(sql, Some("--> statement-breakpoint"));
        found.iter().map(|one| (one.line, one.statement.line, one.statement.column)).collect()
    }

    fn allowed(text: &str) -> Result<Allow, String> {
        match says(text)? {
            Says::Allow(allow) => Ok(allow),
            Says::Renamed(renamed) => Err(format!("{renamed:?}")),
        }
    }

    #[test]
    fn every_clause_is_read() {
        let text =
            "allow LS104 legacy_carts at most 120 until 2026-12-31 because moved to cold storage, until we need it";
        let allow = allowed(text).unwrap();
        assert_eq!((allow.rule.as_str(), allow.target.as_deref(), allow.column), ("LS104", Some("legacy_carts"), None));
        assert_eq!((allow.at_most, allow.until.as_deref()), (Some(120), Some("2026-12-31")));
        assert_eq!(allow.because, "moved to cold storage, until we need it");
        let quoted = allowed("allow rows-lost \"at most\".`because x` because it is so").unwrap();
        assert_eq!((quoted.target.as_deref(), quoted.column.as_deref()), (Some("at most"), Some("because x")));
        assert_eq!(allowed("ALLOW LS107 AT MOST 3 rows BECAUSE x").unwrap().at_most, Some(3));
        assert_eq!(
            says("renamed old -> \"new name\""),
            Ok(Says::Renamed(Renamed { old: "old".into(), new: "new name".into() }))
        );
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (text, wanted) in [
            ("alow LS104 because x", "`alow` is no directive"),
            ("", "`` is no directive"),
            ("allow", "names no rule"),
            ("allow LS104", "`because REASON` is missing"),
            ("allow LS104 carts because", "gives no reason"),
            ("allow LS104 carts at most 1,204 because x", "`1,204` is no number"),
            ("allow LS104 carts at most -1 because x", "`-1` is no number"),
            ("allow LS104 carts at 12 because x", "is no number"),
            ("allow LS104 carts until 2026-12-31 at most 3 because x", "`at` stands where"),
            ("allow LS104 a b because x", "`b` stands where"),
            ("renamed a b", "`->` does not follow `a`"),
            ("renamed a -> b c", "`c` is too much"),
            ("renamed a ->", "where a name should"),
        ] {
            let refused = says(text).unwrap_err();
            assert!(refused.contains(wanted), "{text}: {refused}");
        }
    }

    #[test]
    fn a_directive_belongs_to_the_statement_on_its_line_or_below() {
        assert_eq!(places("-- rehearse: allow LS107 because x\nDELETE FROM a;\nDELETE FROM b;\n"), [(1, 2, 1)]);
        assert_eq!(places("DELETE FROM a; -- rehearse: allow LS107 because x\nDELETE FROM b;\n"), [(1, 1, 1)]);
        assert_eq!(places("DELETE FROM a\n-- rehearse: allow LS107 because x\nWHERE 1;DELETE FROM b"), [(2, 1, 1)]);
        assert_eq!(places("DELETE FROM a; /* rehearse: allow LS107 because x */ DELETE FROM b;"), [(1, 1, 54)]);
        let chunks = "SELECT 1;\n-- rehearse: allow LS107 because x\n--> statement-breakpoint\nDELETE FROM b;";
        assert_eq!(places(chunks), [(2, 4, 1)]);
        assert_eq!(places("INSERT INTO a VALUES ('-- rehearse: allow LS107 because x'); -- rehearsed today\n"), []);
    }

    #[test]
    fn a_comment_that_nearly_speaks_is_not_passed_over() {
        let says = |sql: &str| of(&format!("{sql}\nDELETE FROM a;"), None).into_iter().map(|one| one.says).next();
        for comment in ["-- rehearse allow LS107 because x", "/* REHEARSE renamed a -> b */"] {
            assert!(says(comment).unwrap().unwrap_err().contains("with a colon"), "{comment}");
        }
        for comment in ["--rehearse :allow LS107 because x", "/*Rehearse: allow LS107\n   because\tx */"] {
            assert_eq!(
                says(comment).unwrap(),
                Ok(Says::Allow(Allow { rule: "LS107".into(), because: "x".into(), ..Allow::default() }))
            );
        }
        for comment in ["-- rehearse this before the deploy", "-- rehearsed: allow", "-- rehears", "-- é"] {
            assert_eq!(says(comment), None, "{comment}");
        }
    }

    #[test]
    fn a_directive_without_a_statement_is_not_understood() {
        let found = of("DELETE FROM a;\n\n-- rehearse: allow LS107 because x\n", None);
        assert!(found[0].says.as_ref().unwrap_err().contains("no statement follows"));
    }
}
