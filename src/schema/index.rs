//! What an index keeps, read from its CREATE statement, so that two of them can be compared.

use super::lexer::{Token, TokenKind, tokens};
use super::{Object, Schema, Table};

/// What an index keeps. Names are in lower case and without quotes, tokens separated by one space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// Whether it is UNIQUE.
    pub unique: bool,
    /// Its columns and expressions, with COLLATE where it is not the column's own, and DESC.
    pub terms: Vec<String>,
    /// The condition behind WHERE.
    pub condition: Option<String>,
}

impl Definition {
    /// Reads the index of `table`; `name` says what its columns are to be called.
    #[must_use]
    pub fn of(index: &Object, table: &Table, name: &dyn Fn(&str) -> String) -> Self {
        let sql = &index.sql;
        let tokens: Vec<Token> = tokens(sql).filter(|token| !token.is_trivia()).collect();
        let unique = tokens.get(1).is_some_and(|token| token.is_word(sql, "UNIQUE"));
        let mut rest = tokens.iter().skip_while(|token| token.kind != TokenKind::Open).skip(1);
        let mut terms: Vec<Vec<Token>> = vec![Vec::new()];
        let mut depth = 0_usize;
        for token in rest.by_ref() {
            match token.kind {
                TokenKind::Close if depth == 0 => break,
                TokenKind::Comma if depth == 0 => {
                    terms.push(Vec::new());
                    continue;
                }
                TokenKind::Open => depth += 1,
                TokenKind::Close => depth -= 1,
                _ => {}
            }
            if let Some(term) = terms.last_mut() {
                term.push(*token);
            }
        }
        let condition: Vec<String> = rest.skip(1).map(|token| plain(sql, *token, name)).collect();
        Self {
            unique,
            terms: terms.iter().map(|term| plain_term(sql, term, table, name)).collect(),
            condition: (!condition.is_empty()).then(|| condition.join(" ")),
        }
    }

    /// Whether this one can be used wherever `other` could: it begins with the same columns, and keeps unique what `other` did.
    #[must_use]
    pub fn stands_for(&self, other: &Self) -> bool {
        let covers = self.condition.is_none() || self.condition == other.condition;
        let keeps_unique = !other.unique || self.is_at_least_as_unique_as(other);
        covers && keeps_unique && (self.terms.starts_with(&other.terms) || (other.unique && self.unique))
    }

    /// Whether rows that this one lets in are ones that `other` let in too, as far as they had to be unique.
    #[must_use]
    pub fn is_at_least_as_unique_as(&self, other: &Self) -> bool {
        let column = |term: &String| term.strip_suffix(" desc").unwrap_or(term).to_owned();
        let others: Vec<String> = other.terms.iter().map(column).collect();
        let covers = self.condition.is_none() || self.condition == other.condition;
        self.unique && covers && self.terms.iter().all(|term| others.contains(&column(term)))
    }

    /// Whether another index, or a constraint, of this table does what this one did.
    #[must_use]
    pub fn is_kept_in(&self, table: &Table, schema: &Schema) -> bool {
        let keys = table.uniques.iter().filter(|unique| unique.constraint).map(|unique| &unique.columns);
        let keys = keys.chain([&table.primary_key]).filter(|columns| !columns.is_empty()).map(|columns| Self {
            unique: true,
            terms: columns.iter().map(|column| column.to_ascii_lowercase()).collect(),
            condition: None,
        });
        let indexes = schema.indexes.values().filter(|index| index.table.eq_ignore_ascii_case(&table.name));
        let indexes = indexes.map(|index| Self::of(index, table, &str::to_owned));
        keys.chain(indexes).any(|one| one.stands_for(self))
    }

    /// `UNIQUE (a, b desc) WHERE c > 0`.
    #[must_use]
    pub fn describe(&self) -> String {
        let unique = if self.unique { "UNIQUE " } else { "" };
        let condition = self.condition.as_ref().map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
        format!("{unique}({}){condition}", self.terms.join(", "))
    }
}

fn plain(sql: &str, token: Token, name: &dyn Fn(&str) -> String) -> String {
    match token.name(sql) {
        Some(word) if token.kind != TokenKind::String => name(&word).to_ascii_lowercase(),
        None => token.text(sql).to_ascii_lowercase(),
        Some(_) => token.text(sql).to_owned(),
    }
}

/// Without what is understood: ASC, and the COLLATE that the column has itself.
fn plain_term(sql: &str, term: &[Token], table: &Table, name: &dyn Fn(&str) -> String) -> String {
    let mut term = term.to_vec();
    let descending = term.last().is_some_and(|last| last.is_word(sql, "DESC"));
    if descending || term.last().is_some_and(|last| last.is_word(sql, "ASC")) {
        term.pop();
    }
    if let [column, word, collation] = term.as_slice() {
        let own = column.name(sql).and_then(|column| table.column(&column)).map(|column| column.collation.as_deref());
        let same = |own: Option<&str>| {
            collation.name(sql).is_some_and(|name| name.eq_ignore_ascii_case(own.unwrap_or("BINARY")))
        };
        if word.is_word(sql, "COLLATE") && own.is_some_and(same) {
            term.truncate(1);
        }
    }
    let mut words: Vec<String> = term.iter().map(|token| plain(sql, *token, name)).collect();
    if descending {
        words.push("desc".to_owned());
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Schema;

    /// The definitions of two indexes of one table.
    fn both(one: &str, other: &str) -> [Definition; 2] {
        [one, other].map(|sql| {
            let connection = rusqlite::Connection::open_in_memory().unwrap();
            let table = "CREATE TABLE t (a, b, \"c d\", n COLLATE NOCASE);";
            connection.execute_batch(&format!("{table} CREATE {sql};")).unwrap();
            let schema = Schema::read(&connection).unwrap();
            Definition::of(schema.indexes.values().next().unwrap(), schema.table("t").unwrap(), &str::to_owned)
        })
    }

    #[test]
    fn an_index_stands_for_another() {
        for (new, old) in [
            ("INDEX i ON t (a)", "INDEX j ON t ( \"A\" ASC )"),
            ("INDEX i ON t (a, b)", "INDEX i ON t (a)"),
            ("INDEX i ON t (n COLLATE nocase, a COLLATE BINARY)", "INDEX i ON t (n, a)"),
            ("INDEX i ON t (a)", "INDEX i ON t (a) WHERE b > 1"),
            ("INDEX i ON t (a) WHERE b > 'X'", "INDEX i ON t (a) WHERE B > 'X'"),
            ("UNIQUE INDEX i ON t (a)", "UNIQUE INDEX i ON t (b, a)"),
            ("UNIQUE INDEX i ON t (a)", "INDEX i ON t (a)"),
            ("INDEX i ON t (lower(a), [c d])", "INDEX i ON t (LOWER(a), \"c d\")"),
        ] {
            let [new, old] = both(new, old);
            assert!(new.stands_for(&old), "{} for {}", new.describe(), old.describe());
        }
    }

    #[test]
    fn an_index_does_not_stand_for_another() {
        for (new, old) in [
            ("INDEX i ON t (a)", "INDEX i ON t (a, b)"),
            ("INDEX i ON t (b, a)", "INDEX i ON t (a, b)"),
            ("INDEX i ON t (a COLLATE NOCASE)", "INDEX i ON t (a)"),
            ("INDEX i ON t (n COLLATE BINARY)", "INDEX i ON t (n)"),
            ("INDEX i ON t (a DESC)", "INDEX i ON t (a)"),
            ("INDEX i ON t (a) WHERE b > 'x'", "INDEX i ON t (a) WHERE b > 'X'"),
            ("INDEX i ON t (a) WHERE b > 1", "INDEX i ON t (a)"),
            ("INDEX i ON t (upper(a))", "INDEX i ON t (lower(a))"),
            ("INDEX i ON t (a)", "UNIQUE INDEX i ON t (a)"),
            ("UNIQUE INDEX i ON t (a, b)", "UNIQUE INDEX i ON t (a)"),
            ("UNIQUE INDEX i ON t (a COLLATE NOCASE)", "UNIQUE INDEX i ON t (a)"),
        ] {
            let [new, old] = both(new, old);
            assert!(!new.stands_for(&old), "{} for {}", new.describe(), old.describe());
        }
    }
}
