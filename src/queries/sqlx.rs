//! What `cargo sqlx prepare` writes: since sqlx 0.7 one file `.sqlx/query-HASH.json` per query, before that all in `sqlx-data.json`.
//!
//! Source: `QueryData` in `sqlx-macros-core/src/query/data.rs` (`db_name`, `query`, `describe`, `hash`); of the older form
//! `sqlx-cli/src/prepare.rs` (`db`, and by its hash each `query`).

use std::path::Path;

use serde_json::Value;

use super::{Collected, Found, LeftOut, Wrong};
use crate::schema::splitter::split;

/// What sqlx calls this database.
const SQLITE: &str = "SQLite";

pub(super) fn read(text: &str, file: &Path, into: &mut Collected) -> Result<(), Wrong> {
    let none = || Wrong::File("it is JSON, and not what `cargo sqlx prepare` writes".to_owned());
    let data: Value = serde_json::from_str(text)
        .map_err(|error| Wrong::File(format!("it is no JSON: line {}, column {}", error.line(), error.column())))?;
    let name = |key: &str| data.get(key).and_then(Value::as_str);
    let queries: Vec<&str> = match (name("db_name"), name("db")) {
        (Some(_), _) => vec![name("query").ok_or_else(none)?],
        (None, Some(_)) => {
            let entries = data.as_object().into_iter().flatten();
            entries.filter_map(|(_, entry)| entry.get("query").and_then(Value::as_str)).collect()
        }
        (None, None) => return Err(none()),
    };
    let is_sqlite = name("db_name").or(name("db")) == Some(SQLITE);
    for query in queries {
        if !is_sqlite {
            into.occurrences += 1;
            into.leave_out(LeftOut::OtherDatabase);
            continue;
        }
        let line = line_of(query, text);
        for piece in split(query) {
            into.add(file, Found { text: &query[piece.range], line, column: 1, ..Found::default() });
        }
    }
    Ok(())
}

/// The line of the file on which a query stands, as sqlx writes it; 1 where it was written in another way.
fn line_of(query: &str, text: &str) -> u32 {
    let written = Value::from(query).to_string();
    let before = text.find(&written).map(|at| text[..at].matches('\n').count());
    before.and_then(|lines| u32::try_from(lines + 1).ok()).unwrap_or(1)
}
