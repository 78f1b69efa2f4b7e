//! What a tool says of its ledger after the migrations, without what they wrote into it: that may be values of rows.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::migrations::Plan;
use crate::migrations::tools::columns;
use crate::schema::lexer::quote_identifier;

/// What the tool's files and its ledger said before the migrations.
pub(super) struct Known {
    names: BTreeSet<String>,
    /// Everything that the tool itself writes and names, as [`letters`] has it.
    text: String,
    /// The numbers in it, without leading zeros.
    numbers: BTreeSet<String>,
}

impl Known {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut text = format!("{} {}\n", plan.ledger.name, plan.folder.display());
        let mut add = |part: &str| {
            text += part;
            text.push('\n');
        };
        plan.setup.iter().for_each(|sql| add(sql));
        for migration in plan.entries.iter().map(|entry| &entry.migration) {
            add(&migration.name);
            add(&migration.file.display().to_string());
            add(&migration.checksum);
            let record = &migration.record;
            [&record.before, &record.within, &record.after, &record.failed]
                .into_iter()
                .flatten()
                .for_each(|sql| add(sql));
        }
        Self {
            names: plan.entries.iter().map(|entry| entry.migration.name.clone()).collect(),
            numbers: text.split(|c: char| !c.is_ascii_digit()).map(|digits| without_zeros(digits).to_owned()).collect(),
            text: letters(&text),
        }
    }

    /// The text with `…` for words with numbers that were not known before.
    pub(super) fn without_numbers(&self, text: &str) -> String {
        let is_part = |c: char| c.is_alphanumeric() || "-+_.:/@".contains(c);
        let shown = text.split_inclusive(|c| !is_part(c)).map(|piece| {
            let word = piece.trim_end_matches(|c: char| !c.is_alphanumeric());
            if self.has_numbers_of(word) { piece.to_owned() } else { format!("…{}", &piece[word.len()..]) }
        });
        shown.collect()
    }

    /// Numbers of one digit, and those that belong to a word (`int64`), say nothing of anybody.
    fn has_numbers_of(&self, word: &str) -> bool {
        word.split(|c: char| !c.is_alphanumeric()).all(|part| {
            let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            end < 2 || self.numbers.contains(without_zeros(&part[..end]))
        })
    }

    /// Whether the text may hold something that the migrations wrote into the ledger.
    pub(super) fn is_foreign(&self, text: &str, plan: &Plan, after: &Connection) -> bool {
        let has_new_name = plan.entries.iter().any(|entry| !self.names.contains(&entry.migration.name));
        let text = letters(text);
        let is_told = |value: &String| text.contains(value.as_str()) && !self.text.contains(value.as_str());
        has_new_name || values(&plan.ledger.name, after).is_none_or(|values| values.iter().any(is_told))
    }
}

/// The values in a table, as [`letters`] has them; none where it cannot be read.
fn values(table: &str, after: &Connection) -> Option<BTreeSet<String>> {
    let mut values = BTreeSet::new();
    for column in columns(after, table).ok()? {
        let column = quote_identifier(&column);
        let sql = format!("SELECT DISTINCT CAST({column} AS BLOB) FROM {}", quote_identifier(table));
        let mut select = after.prepare(&sql).ok()?;
        let found = select.query_map([], |row| row.get::<_, Option<Vec<u8>>>(0)).ok()?;
        for value in found {
            values.extend(value.ok()?.map(|value| letters(&String::from_utf8_lossy(&value))));
        }
    }
    Some(values)
}

/// Letters and digits alone: however a tool quotes a value, they stay.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn without_zeros(digits: &str) -> &str {
    digits.trim_start_matches('0')
}
