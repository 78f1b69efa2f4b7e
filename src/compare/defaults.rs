//! What a column's DEFAULT puts into it, where it is a literal.

use rusqlite::{Connection, OpenFlags, Result};

use crate::profile::Owned;
use crate::schema::lexer::{TokenKind, quote_identifier, tokens};
use crate::schema::{Column, Table};
use crate::sqlite_file::header::TextEncoding;

/// The value of each column's DEFAULT after, in the order of `columns`; none where there is none, it is NULL, or it is computed.
pub(super) fn literals(after: &Table, columns: &[(String, String)], encoding: TextEncoding) -> Vec<Option<Owned>> {
    let literal = |(_, name): &(String, String)| {
        let column = after.column(name)?;
        let default = column.default.as_ref().filter(|default| is_literal(default))?;
        evaluate(column, default, after.strict, encoding).ok().filter(|value| *value != Owned::Null)
    };
    columns.iter().map(literal).collect()
}

/// SQLite evaluates it, with the affinity that the column gives it.
fn evaluate(column: &Column, default: &str, strict: bool, encoding: TextEncoding) -> Result<Owned> {
    let scratch = Connection::open_in_memory_with_flags(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    scratch.pragma_update(None, "encoding", encoding.name())?;
    let (name, options) = (quote_identifier(&column.name), if strict { "STRICT" } else { "" });
    scratch.execute_batch(&format!(
        "CREATE TABLE d ({name} {} DEFAULT {default}) {options}; INSERT INTO d DEFAULT VALUES",
        column.declared_type
    ))?;
    let sql =
        format!("SELECT iif(typeof({name}) = 'text', CAST({name} AS BLOB), {name}), typeof({name}) = 'text' FROM d");
    scratch.query_row(&sql, [], |row| {
        Ok(match (Owned::of(row.get_ref(0)?), row.get(1)?) {
            (Owned::Blob(text), true) => Owned::Text(text),
            (value, _) => value,
        })
    })
}

/// Whether it says a value, rather than what gives one.
fn is_literal(default: &str) -> bool {
    let word = |text: &str| ["true", "false", "null"].iter().any(|word| text.eq_ignore_ascii_case(word));
    tokens(default).all(|token| match token.kind {
        TokenKind::Word => word(token.text(default)),
        TokenKind::Operator => matches!(token.text(default), "-" | "+"),
        TokenKind::String | TokenKind::Blob | TokenKind::Number | TokenKind::Open | TokenKind::Close => true,
        _ => token.is_trivia(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_is_evaluated_as_the_column_would_store_it() {
        let column = |declared_type: &str, default: &str| Column {
            name: "c".to_owned(),
            declared_type: declared_type.to_owned(),
            not_null: false,
            default: Some(default.to_owned()),
            generated: false,
            expression: None,
            collation: None,
        };
        let value = |kind: &str, default: &str| {
            evaluate(&column(kind, default), default, false, TextEncoding::Utf8).ok().filter(|_| is_literal(default))
        };
        assert_eq!(value("TEXT", "'free'"), Some(Owned::Text(b"free".to_vec())));
        assert_eq!(value("INTEGER", "'5'"), Some(Owned::Integer(5)));
        assert_eq!(value("REAL", "-5"), Some(Owned::Real(-5.0)));
        assert_eq!(value("INTEGER", "true"), Some(Owned::Integer(1)));
        assert_eq!(value("", "(x'00ff')"), Some(Owned::Blob(vec![0, 255])));
        assert_eq!(value("TEXT", "CURRENT_TIMESTAMP"), None);
        assert_eq!(value("TEXT", "(lower('A'))"), None);
        let wide = evaluate(&column("TEXT", "'a'"), "'a'", false, TextEncoding::Utf16Be).ok();
        assert_eq!(wide, Some(Owned::Text(vec![0, b'a'])));
    }
}
