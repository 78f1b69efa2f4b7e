//! What SQLite says when something fails, without values of rows: some of its messages quote what they choke on.

/// The SQLite in whose source every message was read.
#[cfg(test)]
const READ: &str = "3.54.1";

/// Beginnings of messages behind which SQLite puts a value that an expression gave. What follows is left out.
/// Source: the texts in `json.c`, `attach.c`, `main.c`, `pragma.c`, `dbstat.c`, `fts3.c`, `fts3_snippet.c`,
/// `fts3_tokenizer.c` and `fts5`.
const QUOTING: [&str; 19] = [
    "bad JSON path",
    "not an array element",
    "unable to open database: ",
    "no such database",
    "cannot detach database",
    "invalid uri authority",
    "no such cache mode",
    "no such access mode",
    "cache mode not allowed",
    "access mode not allowed",
    "no such vfs",
    "unsupported encoding",
    "malformed MATCH expression",
    "unrecognized matchinfo request",
    "unknown tokenizer",
    "fts5: syntax error near",
    "expected integer, got",
    "unknown special query",
    "parse error in rank function",
];

/// The same with a value in the middle: what stands before and what behind it.
const AROUND: [(&str, &str); 5] = [
    ("database ", " is already in use"),
    ("fts5: missing row ", " from content table"),
    ("invalid fts5 file format (found ", ", expected "),
    // `integrity_check`'s.
    ("Rowid ", " out of order"),
    // rusqlite's, of an integer that is none of the wanted width.
    ("Integer ", " out of range"),
];

/// Beginnings behind which there is a name of the SQL's or the schema's, as a rule; FTS5, and the functions that pragmas
/// have, put a value there.
const NAMING: [&str; 4] = ["no such table: ", "no such column: ", "no such function: ", "unknown database "];

/// A message of SQLite's where it may be shown: what it may quote of a value is left out.
#[must_use]
pub fn without_value(message: &str) -> String {
    if let Some(beginning) = QUOTING.into_iter().find(|beginning| message.starts_with(beginning)) {
        return beginning.trim_end_matches([':', ' ']).to_owned();
    }
    let around = AROUND.into_iter().find_map(|(before, behind)| {
        let (beginning, rest) = message.split_once(before)?;
        let (_, end) = rest.rsplit_once(behind)?;
        Some(format!("{beginning}{before}…{behind}{end}"))
    });
    around.unwrap_or_else(|| without_literal(message))
}

/// The same, where the name that it says is missing is known to stand in the statement or the schema, or not: one that
/// stands in neither is a value.
#[must_use]
pub fn without_foreign_name(message: &str, is_known: impl FnOnce(&str) -> bool) -> String {
    match NAMING.into_iter().find_map(|beginning| Some((beginning, message.strip_prefix(beginning)?))) {
        Some((beginning, name)) if !is_known(name) => beginning.trim_end_matches([':', ' ']).to_owned(),
        _ => without_value(message),
    }
}

/// Whether a number has so many digits that it may be somebody's: a telephone number has at least seven.
#[must_use]
pub fn is_private(number: &str) -> bool {
    number.bytes().filter(u8::is_ascii_digit).count() >= 7
}

/// Where the parser stops, it quotes a token of the SQL; one that is a literal is left out.
fn without_literal(message: &str) -> String {
    let near = message.strip_prefix("near \"").and_then(|rest| rest.rsplit_once("\": "));
    if let Some((_, what)) = near.filter(|(token, _)| is_literal(token)) {
        return format!("near a literal: {what}");
    }
    if message.starts_with("unrecognized token: \"'") {
        return "unrecognized token: \"'…\"".to_owned();
    }
    let unread = ["unrecognized token: \"", "oversized integer: ", "hex literal too big: "]
        .into_iter()
        .find(|beginning| message.strip_prefix(beginning).is_some_and(is_literal));
    unread.map_or_else(|| message.to_owned(), |beginning| beginning.trim_end_matches([':', ' ', '"']).to_owned())
}

fn is_literal(token: &str) -> bool {
    token.starts_with('\'') || token.starts_with("x'") || token.starts_with("X'") || is_private(token)
}

#[cfg(test)]
mod tests {
    use super::{READ, without_foreign_name, without_value};

    #[test]
    fn the_messages_of_this_sqlite_were_read() {
        assert_eq!(rusqlite::version(), READ, "read what the new SQLite quotes, then say so here");
    }

    #[test]
    fn names_stay_and_values_go() {
        for (message, shown) in [
            ("bad JSON path: 'secret'", "bad JSON path"),
            ("unable to open database: secret/x", "unable to open database"),
            ("unable to open database file: /prod.db", "unable to open database file: /prod.db"),
            ("database secret is already in use", "database … is already in use"),
            ("database is locked", "database is locked"),
            ("database table is locked: users", "database table is locked: users"),
            ("no such cache mode: secret", "no such cache mode"),
            (
                "fts5: missing row 4711 from content table 'main'.'t'",
                "fts5: missing row … from content table 'main'.'t'",
            ),
            (
                "invalid fts5 file format (found 4711, expected 4 or 5) - run 'rebuild'",
                "invalid fts5 file format (found …, expected 4 or 5) - run 'rebuild'",
            ),
            ("Tree 5 page 6 cell 7: Rowid 4711 out of order", "Tree 5 page 6 cell 7: Rowid … out of order"),
            ("Integer 4711 out of range at index 0", "Integer … out of range at index 0"),
            ("near \"'secret'\": syntax error", "near a literal: syntax error"),
            ("near \"4915112345678\": syntax error", "near a literal: syntax error"),
            ("near \"ORDER\": syntax error", "near \"ORDER\": syntax error"),
            ("near \"5\": syntax error", "near \"5\": syntax error"),
            ("unrecognized token: \"'secret\"", "unrecognized token: \"'…\""),
            ("unrecognized token: \"#\"", "unrecognized token: \"#\""),
            ("hex literal too big: 0x63616e6172792d31", "hex literal too big"),
            ("UNIQUE constraint failed: users.email", "UNIQUE constraint failed: users.email"),
        ] {
            assert_eq!(without_value(message), shown);
        }
    }

    #[test]
    fn a_missing_name_is_told_where_it_is_one() {
        let is_known = |name: &str| name == "users.mail";
        for (message, shown) in [
            ("no such column: users.mail", "no such column: users.mail"),
            ("no such column: secret", "no such column"),
            ("unknown database 'secret'", "unknown database"),
            ("bad JSON path: 'secret'", "bad JSON path"),
        ] {
            assert_eq!(without_foreign_name(message, is_known), shown);
        }
    }
}
