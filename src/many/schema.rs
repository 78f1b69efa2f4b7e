//! What is in a schema, a line each, so that two of them can be compared wherever they were read.

use std::collections::BTreeSet;

use xxhash_rust::xxh3::Xxh3;

use crate::schema::{Column, ForeignKey, Object, Schema, Table, TableKind};

/// Begins the line that tells the order of a table's columns.
const ORDER: &str = "order of columns ";

/// The lines of everything that is the user's, in order; what the tool keeps beside `ledger` is left out. Of what SQL says the white space
/// is folded.
pub(super) fn lines(schema: &Schema, ledger: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut tables = BTreeSet::new();
    for table in schema.user_tables(ledger) {
        tables.insert(table.name.to_ascii_lowercase());
        lines.push(head(table));
        lines.extend(table.columns.iter().map(|column| of_column(&table.name, column)));
        let order: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        lines.push(format!("{ORDER}{}: {}", table.name, order.join(", ")));
        if !table.primary_key.is_empty() {
            lines.push(format!("primary key {} ({})", table.name, table.primary_key.join(", ")));
        }
        let constraints = table.uniques.iter().filter(|unique| unique.constraint);
        lines.extend(constraints.map(|unique| format!("unique {} ({})", table.name, unique.columns.join(", "))));
        lines.extend(table.foreign_keys.iter().map(|key| of_foreign_key(&table.name, key)));
        lines.extend(table.checks.iter().map(|check| format!("check {} ({})", table.name, folded(check))));
    }
    let is_shown = |object: &&Object| {
        let table = object.table.to_ascii_lowercase();
        tables.contains(&table) || schema.views.contains_key(&table)
    };
    for (kind, objects) in [("index", &schema.indexes), ("trigger", &schema.triggers)] {
        lines.extend(objects.values().filter(is_shown).map(|object| of_object(kind, object)));
    }
    lines.extend(schema.views.values().map(|view| of_object("view", view)));
    lines.sort();
    lines
}

/// What the lines are known by.
pub(super) fn id(lines: &[String]) -> String {
    let mut hash = Xxh3::new();
    for line in lines {
        hash.update(&(line.len() as u64).to_le_bytes());
        hash.update(line.as_bytes());
    }
    format!("{:032x}", hash.digest128())
}

/// What one schema has and the other has not. Of tables that have other columns the order is not told: it cannot be the same.
pub(super) fn differences(one: &[String], other: &[String]) -> (Vec<String>, Vec<String>) {
    let without = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|line| those.binary_search(line).is_err()).cloned().collect()
    };
    let (mut missing, mut extra) = (without(one, other), without(other, one));
    let columns: Vec<String> =
        missing.iter().chain(&extra).filter(|line| line.starts_with("column ")).cloned().collect();
    let is_told = |line: &String| {
        let table = line.strip_prefix(ORDER).and_then(|rest| rest.split_once(": "));
        table.is_none_or(|(table, _)| {
            let column = format!("column {table}.");
            !columns.iter().any(|line| line.starts_with(&column))
        })
    };
    missing.retain(is_told);
    extra.retain(is_told);
    (missing, extra)
}

fn head(table: &Table) -> String {
    let module = match &table.kind {
        TableKind::Virtual(module) => format!(" using {module}: {}", folded(&table.sql)),
        _ => String::new(),
    };
    let options =
        [("WITHOUT ROWID", table.without_rowid), ("STRICT", table.strict), ("AUTOINCREMENT", table.autoincrement)];
    let name = format!("table {}", table.name);
    let words: Vec<&str> = options.iter().filter(|(_, is)| *is).map(|(word, _)| *word).collect();
    format!("{}{module}", [&[name.as_str()][..], &words].concat().join(" "))
}

fn of_column(table: &str, column: &Column) -> String {
    let mut line = format!("column {table}.{} {}", column.name, column.declared_type);
    line.push_str(if column.not_null { " NOT NULL" } else { "" });
    for (word, text) in
        [("DEFAULT", &column.default), ("COLLATE", &column.collation), ("GENERATED AS", &column.expression)]
    {
        line.extend(text.as_deref().map(|text| format!(" {word} {}", folded(text))));
    }
    line.trim_end().to_owned()
}

fn of_foreign_key(table: &str, key: &ForeignKey) -> String {
    let parent = if key.parent_columns.is_empty() {
        key.parent.clone()
    } else {
        format!("{} ({})", key.parent, key.parent_columns.join(", "))
    };
    let columns = key.columns.join(", ");
    format!("foreign key {table} ({columns}) to {parent} ON DELETE {} ON UPDATE {}", key.on_delete, key.on_update)
}

fn of_object(kind: &str, object: &Object) -> String {
    format!("{kind} {}: {}", object.name, folded(&object.sql))
}

fn folded(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{differences, id, lines};
    use crate::schema::Schema;

    fn of(sql: &str) -> Vec<String> {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(sql).unwrap();
        lines(&Schema::read(&connection).unwrap(), "ledger")
    }

    const TABLE: &str = "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL DEFAULT 'x', c REFERENCES t (a), UNIQUE (b), CHECK (c > 0));
        CREATE INDEX i ON t (c); CREATE VIEW v AS SELECT a FROM t; CREATE TABLE ledger (version TEXT);";

    #[test]
    fn every_part_of_a_schema_makes_another_one() {
        let other = |from: &str, to: &str| {
            assert!(TABLE.contains(from));
            let (missing, extra) = differences(&of(TABLE), &of(&TABLE.replacen(from, to, 1)));
            (missing.len(), extra.len())
        };
        for (from, to, told) in [
            ("b TEXT NOT NULL", "b TEXT", (1, 1)),
            ("'x'", "'y'", (1, 1)),
            (", UNIQUE (b)", "", (1, 0)),
            (", CHECK (c > 0)", "", (1, 0)),
            (" REFERENCES t (a)", "", (1, 0)),
            ("REFERENCES t (a)", "REFERENCES t (a) ON DELETE CASCADE", (1, 1)),
            ("ON t (c)", "ON t (b)", (1, 1)),
            ("VIEW v AS SELECT a", "VIEW v AS SELECT b", (1, 1)),
            ("c > 0));", "c > 0)) STRICT;", (1, 1)),
            ("c REFERENCES", "d TEXT, c REFERENCES", (0, 1)),
        ] {
            // STRICT wants a type for each column.
            let typed = |sql: &str| sql.replace("c REFERENCES", "c TEXT REFERENCES");
            if to.contains("STRICT") {
                let (missing, extra) = differences(&of(&typed(TABLE)), &of(&typed(&TABLE.replacen(from, to, 1))));
                assert_eq!((missing.len(), extra.len()), told);
            } else {
                assert_eq!(other(from, to), told, "{from}");
            }
        }
        let (one, two) = (of("CREATE TABLE t (a, b)"), of("CREATE TABLE t (b, a)"));
        assert_eq!(
            differences(&one, &two),
            (vec!["order of columns t: a, b".into()], vec!["order of columns t: b, a".into()])
        );
        assert_ne!(id(&one), id(&two));
        let spaced = TABLE.replace("SELECT a", "SELECT  a\n");
        assert_eq!(id(&of(TABLE)), id(&of(&spaced.replace("(version TEXT)", "(id INTEGER)"))));
    }
}
