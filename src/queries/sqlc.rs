//! What sqlc makes of a query before SQLite sees it.
//!
//! Source: <https://docs.sqlc.dev/en/stable/reference/macros.html>; `*` is written out when the code is generated
//! (`internal/compiler/expand.go`).

use std::borrow::Cow;

use crate::schema::lexer::{Token, TokenKind, tokens};

/// The text with `?` for `sqlc.arg(…)`, `sqlc.narg(…)` and `sqlc.slice(…)`, and `t.*` for `sqlc.embed(t)`.
#[must_use]
pub fn expanded(text: &str) -> Cow<'_, str> {
    // Hardly any query has one.
    if !text.to_ascii_lowercase().contains("sqlc") {
        return Cow::Borrowed(text);
    }
    let tokens: Vec<Token> = tokens(text).filter(|token| !token.is_trivia()).collect();
    let mut expanded = String::with_capacity(text.len());
    let mut copied = 0;
    for call in tokens.windows(6) {
        let [sqlc, dot, name, open, argument, close] = call else { continue };
        let is_call = sqlc.start >= copied
            && sqlc.is_word(text, "SQLC")
            && (dot.kind, open.kind, close.kind) == (TokenKind::Dot, TokenKind::Open, TokenKind::Close);
        let replacement = match name.text(text).to_ascii_lowercase().as_str() {
            "arg" | "narg" | "slice" => "?".to_owned(),
            "embed" => format!("{}.*", argument.text(text)),
            _ => continue,
        };
        if is_call {
            expanded.push_str(&text[copied..sqlc.start]);
            expanded.push_str(&replacement);
            copied = close.end;
        }
    }
    expanded.push_str(&text[copied..]);
    Cow::Owned(expanded)
}

/// Whether `*` or `t.*` stands among the results, so that sqlc writes out what columns there are.
#[must_use]
pub fn has_star(text: &str) -> bool {
    let sql = expanded(text);
    let tokens: Vec<Token> = tokens(&sql).filter(|token| !token.is_trivia()).collect();
    let is_star = |token: &Token| token.text(&sql) == "*";
    tokens.windows(2).any(|pair| {
        let before = pair[0];
        let begins = before.kind == TokenKind::Dot
            || before.kind == TokenKind::Comma
            || ["SELECT", "DISTINCT", "ALL", "RETURNING"].iter().any(|word| before.is_word(&sql, word));
        begins && is_star(&pair[1])
    })
}
