//! What to write instead of an `ALTER TABLE … ADD COLUMN` that SQLite refuses.

use crate::schema::Schema;
use crate::schema::lexer::{Token, TokenKind, quote_identifier, tokens};

/// The statement in parts.
struct Written<'a> {
    sql: &'a str,
    /// Where the name of the column ends.
    name_end: usize,
    /// The declared type; empty where there is none.
    declared_type: &'a str,
    /// The constraints as written, each with the keyword that tells its kind, in capitals.
    constraints: Vec<(String, &'a str)>,
}

/// The keywords with which a constraint begins.
const STARTS: [&str; 11] =
    ["CONSTRAINT", "PRIMARY", "NOT", "NULL", "UNIQUE", "CHECK", "DEFAULT", "COLLATE", "REFERENCES", "GENERATED", "AS"];

impl<'a> Written<'a> {
    fn read(sql: &'a str) -> Option<Self> {
        let all: Vec<Token> = tokens(sql).filter(|token| !token.is_trivia()).collect();
        let add = all.iter().skip(3).position(|token| token.is_word(sql, "ADD"))? + 4;
        let name = add + usize::from(all.get(add)?.is_word(sql, "COLUMN"));
        let name_end = all.get(name)?.end;
        let rest = all.get(name + 1..)?;
        let mut starts: Vec<(usize, String)> = Vec::new();
        let mut depth = 0_usize;
        let mut named = false;
        for (index, token) in rest.iter().enumerate() {
            let before = |word: &str| index > 0 && rest[index - 1].is_word(sql, word);
            match token.kind {
                TokenKind::Open => depth += 1,
                TokenKind::Close => depth = depth.saturating_sub(1),
                TokenKind::Word if depth == 0 => {
                    let word = token.text(sql).to_ascii_uppercase();
                    let is_start = STARTS.contains(&word.as_str())
                        && !(word == "NULL" && (before("NOT") || before("DEFAULT") || before("SET")))
                        && !(word == "DEFAULT" && before("SET"))
                        && !(word == "NOT" && rest.get(index + 1).is_some_and(|next| next.is_word(sql, "DEFERRABLE")))
                        && !(word == "AS" && before("ALWAYS"));
                    match starts.last_mut() {
                        // The kind of a named constraint is that of what follows its name.
                        Some((_, kind)) if is_start && named => *kind = word,
                        _ if is_start => starts.push((index, word)),
                        _ => continue,
                    }
                    named = token.is_word(sql, "CONSTRAINT");
                }
                _ => {}
            }
        }
        let text = |from: usize, to: usize| match (rest.get(from), to.checked_sub(1).and_then(|last| rest.get(last))) {
            (Some(first), Some(last)) if from < to => &sql[first.start..last.end],
            _ => "",
        };
        let ends = starts.iter().skip(1).map(|(start, _)| *start).chain([rest.len()]);
        let constraints =
            starts.iter().zip(ends).map(|((start, kind), end)| (kind.clone(), text(*start, end))).collect();
        let declared_type = text(0, starts.first().map_or(rest.len(), |(start, _)| *start));
        Some(Self { sql, name_end, declared_type, constraints })
    }

    /// The constraint of this kind.
    fn constraint(&self, kind: &str) -> Option<&'a str> {
        self.constraints.iter().find(|(of, _)| of == kind).map(|(_, text)| *text)
    }

    /// The statement without the constraints of these kinds.
    fn without(&self, kinds: &[&str]) -> String {
        let kept = self.constraints.iter().filter(|(kind, _)| !kinds.contains(&kind.as_str())).map(|(_, text)| *text);
        let parts = [&self.sql[..self.name_end], self.declared_type].into_iter().filter(|part| !part.is_empty());
        parts.chain(kept).collect::<Vec<_>>().join(" ")
    }

    /// What its DEFAULT is.
    fn default(&self) -> Option<&'a str> {
        let text = self.constraint("DEFAULT")?;
        let keyword = tokens(text).find(|token| token.is_word(text, "DEFAULT"))?;
        Some(text[keyword.end..].trim())
    }

    /// A value for the rows that are there, and what to know about it.
    fn value(&self, schema: &Schema) -> (String, String) {
        let Some(references) = self.constraint("REFERENCES") else {
            return (constant(self.declared_type).to_owned(), String::new());
        };
        let words: Vec<Token> = tokens(references).filter(|token| !token.is_trivia()).collect();
        let at = words.iter().position(|token| token.is_word(references, "REFERENCES")).unwrap_or_default();
        let name = |index: usize| words.get(index).and_then(|token| token.name(references));
        let parent = name(at + 1).unwrap_or_default();
        let listed = words.get(at + 2).filter(|token| token.kind == TokenKind::Open).and_then(|_| name(at + 3));
        any_row(schema, &parent, listed.as_deref())
    }
}

/// A row of the parent, for want of knowing which, and the comment that says so.
pub(super) fn any_row(schema: &Schema, parent: &str, key: Option<&str>) -> (String, String) {
    let primary = schema.table(parent).and_then(|table| table.primary_key.first()).map(String::as_str);
    let key = key.or(primary).map_or("rowid".to_owned(), quote_identifier);
    let parent = quote_identifier(parent);
    let comment = format!(" -- a row of {parent} that exists").replace(['\r', '\n'], " ");
    (format!("(SELECT min({key}) FROM {parent})"), comment)
}

/// A constant that a column of this type takes as it is.
pub(super) fn constant(declared_type: &str) -> &'static str {
    let declared = declared_type.to_ascii_uppercase();
    let has = |parts: &[&str]| parts.iter().any(|part| declared.contains(part));
    // The order of https://sqlite.org/datatype3.html#determination_of_column_affinity.
    let is_text = !has(&["INT"]) && has(&["CHAR", "CLOB", "TEXT"]);
    if is_text {
        "''"
    } else if declared.contains("BLOB") && !has(&["INT"]) {
        "x''"
    } else {
        "0"
    }
}

/// Without a default, NOT NULL: with a default in one step, or without one in two deploys.
pub(super) fn not_null(schema: &Schema, sql: &str, table: &str, column: &str) -> Vec<String> {
    let Some(written) = Written::read(sql) else { return Vec::new() };
    let (value, comment) = written.value(schema);
    let nullable = written.without(&["NOT", "DEFAULT"]);
    let (table, column) = (quote_identifier(table), quote_identifier(column));
    let two_deploys = format!(
        "add it without NOT NULL and fill it, and make it NOT NULL in the next migration:\n\
         {nullable};\nUPDATE {table} SET {column} = {value} WHERE {column} IS NULL;{comment}"
    );
    if written.constraint("REFERENCES").is_some() {
        return vec![format!("go in two deploys: {two_deploys}")];
    }
    vec![
        format!("give it a default:\n{} DEFAULT {value};", written.without(&["DEFAULT"])),
        format!("or go in two deploys: {two_deploys}"),
    ]
}

/// With UNIQUE or PRIMARY KEY.
pub(super) fn unique(sql: &str, table: &str, column: &str) -> Vec<String> {
    let Some(written) = Written::read(sql) else { return Vec::new() };
    let plain = written.without(&["UNIQUE", "PRIMARY", "NOT", "DEFAULT"]);
    let fill = if written.constraint("NOT").is_some() || written.default().is_some() {
        ", and give each row a value of its own between the two"
    } else {
        ""
    };
    vec![format!(
        "add the column plain and the uniqueness as an index{fill}:\n{plain};\nCREATE UNIQUE INDEX {} ON {} ({});",
        quote_identifier(&format!("{table}_{column}_unique")),
        quote_identifier(table),
        quote_identifier(column)
    )]
}

/// With a default that SQLite does not take here: one that is no constant, or any on a column that refers to another table.
pub(super) fn default(schema: &Schema, sql: &str, table: &str, column: &str) -> Vec<String> {
    let Some(written) = Written::read(sql) else { return Vec::new() };
    let Some(default) = written.default() else { return Vec::new() };
    let (value, comment) = match written.constraint("REFERENCES") {
        Some(_) => written.value(schema),
        None => (default.to_owned(), String::new()),
    };
    let plain = written.without(&["DEFAULT", "NOT"]);
    let not_null = if written.constraint("NOT").is_some() { " and NOT NULL" } else { "" };
    let (table, column) = (quote_identifier(table), quote_identifier(column));
    vec![format!(
        "add it without the default and fill it; new rows get theirs from the app, or declare the default{not_null} in a rebuild of the table:\n\
         {plain};\nUPDATE {table} SET {column} = {value} WHERE {column} IS NULL;{comment}"
    )]
}

#[cfg(test)]
mod tests {
    use super::Written;

    #[test]
    fn a_statement_is_taken_apart() {
        let sql = "ALTER TABLE main.\"t\" ADD COLUMN `text id` VARCHAR(3) CONSTRAINT n NOT NULL ON CONFLICT FAIL DEFAULT (unixepoch()) \
                   UNIQUE REFERENCES \"o\" (id) ON DELETE SET NULL NOT DEFERRABLE CHECK (x NOT NULL) -- end";
        let written = Written::read(sql).unwrap();
        let kinds: Vec<&str> = written.constraints.iter().map(|(kind, _)| kind.as_str()).collect();
        assert_eq!(kinds, ["NOT", "DEFAULT", "UNIQUE", "REFERENCES", "CHECK"]);
        assert_eq!((written.declared_type, written.default()), ("VARCHAR(3)", Some("(unixepoch())")));
        assert_eq!(
            written.without(&["NOT", "DEFAULT", "UNIQUE", "CHECK"]),
            "ALTER TABLE main.\"t\" ADD COLUMN `text id` VARCHAR(3) REFERENCES \"o\" (id) ON DELETE SET NULL NOT DEFERRABLE"
        );
        assert_eq!(Written::read("ALTER TABLE t ADD c").unwrap().without(&[]), "ALTER TABLE t ADD c");
    }
}
