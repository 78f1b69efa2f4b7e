//! What SQLite says when something fails, without values of rows: some of its messages quote what they choke on.

/// Beginnings of messages behind which SQLite puts a value that an expression gave. What follows is left out.
/// Source: the texts in SQLite 3.54's `json.c`, `attach.c`, `fts3.c` and `fts5`.
const QUOTING: [&str; 10] = [
    "bad JSON path",
    "JSON path error near",
    "unable to open database",
    "no such database",
    "malformed MATCH expression",
    "fts5: syntax error near",
    "unknown special query",
    "parse error in",
    "unrecognized matchinfo request",
    "unknown tokenizer",
];

/// A message of SQLite's where it may be shown: what follows a beginning that quotes a value is left out.
#[must_use]
pub fn without_value(message: &str) -> String {
    if let Some(beginning) = QUOTING.into_iter().find(|beginning| message.starts_with(beginning)) {
        return beginning.to_owned();
    }
    if message.starts_with("unrecognized token: \"'") {
        return "unrecognized token: \"'…\"".to_owned();
    }
    match message.strip_prefix("near \"'").and_then(|rest| rest.rsplit_once("\": ")) {
        Some((_, what)) => format!("near a string: {what}"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::without_value;

    #[test]
    fn names_stay_and_values_go() {
        for (message, shown) in [
            ("bad JSON path: 'secret'", "bad JSON path"),
            ("unable to open database: secret/x", "unable to open database"),
            ("near \"'secret'\": syntax error", "near a string: syntax error"),
            ("near \"ORDER\": syntax error", "near \"ORDER\": syntax error"),
            ("unrecognized token: \"'secret\"", "unrecognized token: \"'…\""),
            ("unrecognized token: \"#\"", "unrecognized token: \"#\""),
            ("UNIQUE constraint failed: users.email", "UNIQUE constraint failed: users.email"),
        ] {
            assert_eq!(without_value(message), shown);
        }
    }
}
