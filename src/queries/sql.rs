//! A file of SQL: every statement is one, and the comments above it say what it is called and what shall stay.

use std::path::Path;

use super::{Allowed, Collected, Found, Wrong};
use crate::migrations::directive::{Says, Spot, belongs_to, says, spoken};
use crate::schema::lexer::{TokenKind, tokens};
use crate::schema::splitter::split;

/// What the comments say of one statement.
#[derive(Default, Clone)]
struct Said {
    name: Option<String>,
    by_sqlc: bool,
    marked: bool,
}

pub(super) fn read(text: &str, file: &Path, into: &mut Collected) -> Result<(), Wrong> {
    let pieces = split(text);
    let mut said = vec![Said::default(); pieces.len()];
    let (mut line, mut counted) = (1, 0);
    for token in tokens(text).filter(|token| token.kind == TokenKind::Comment) {
        let comment = token.text(text);
        if let Some((name, by_sqlc)) = named(comment) {
            // It begins what follows, also on the line of what it follows.
            let next = pieces.partition_point(|piece| piece.range.start < token.start);
            let is_within = next.checked_sub(1).is_some_and(|last| token.start < pieces[last].range.end);
            if let Some(said) = said.get_mut(next).filter(|_| !is_within) {
                (said.name, said.by_sqlc) = (Some(name), by_sqlc);
            }
        } else if let Some(spoken) = spoken(comment, &["allow", "compare"]) {
            line += lines(&text[counted..token.start]);
            counted = token.start;
            let wrong = |why: String| Wrong::Directive(line, why);
            let words = spoken.map_err(wrong)?;
            let owner = belongs_to(text, &pieces, token);
            let owner =
                owner.ok_or_else(|| wrong("no query follows it; write it above the one that it is about".into()))?;
            if words.eq_ignore_ascii_case("compare") {
                said[owner].marked = true;
                continue;
            }
            let Ok(Says::Allow(allow)) = says(words) else {
                let why = says(words).err().filter(|_| words.to_ascii_lowercase().starts_with("allow "));
                return Err(wrong(why.unwrap_or_else(|| {
                    format!("`{words}` is no directive of a query; there are `compare` and `allow RULE because REASON`")
                })));
            };
            let query = Spot { line: pieces[owner].line, column: pieces[owner].column, first: false };
            into.queries.allowed.push(Allowed { file: file.display().to_string(), line, query, allow });
        }
    }
    for (piece, said) in pieces.into_iter().zip(said) {
        let Said { name, by_sqlc, marked } = said;
        let text = &text[piece.range];
        let (line, column) = (piece.line, piece.column);
        into.add(file, Found { text, name, line, column, marked, by_sqlc, ..Found::default() });
    }
    Ok(())
}

fn lines(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

/// The name that a comment gives, and whether it is sqlc's, which says what comes back too: `-- name: GetUser :one`. Others of the same
/// kind have a sign behind the name: `-- name: get_user^`.
/// Source: <https://docs.sqlc.dev/en/stable/reference/query-annotations.html>,
/// <https://nackjicholson.github.io/aiosql/defining-sql-queries.html>.
fn named(comment: &str) -> Option<(String, bool)> {
    let inner = comment.strip_prefix("--").or_else(|| comment.strip_prefix("/*"))?.trim_end_matches("*/").trim();
    let mut words = inner.strip_prefix("name:")?.split_whitespace();
    let name = words.next()?.trim_end_matches(['^', '!', '$', '#', '*', '<']);
    let by_sqlc = words.next().is_some_and(|word| word.starts_with(':'));
    (!name.is_empty()).then(|| (name.to_owned(), by_sqlc))
}
