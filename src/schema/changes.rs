//! What differs between two schemas, object by object and property by property, and the same as a text diff.

use std::collections::{BTreeMap, BTreeSet};

use similar::TextDiff;

use super::lexer::{Token, TokenKind};
use super::{Column, ForeignKey, Object, Schema, Table, TableKind};

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What differs.
    pub kind: Kind,
    /// How.
    pub how: How,
    /// The table that it belongs to: the name after, or before where the table is gone.
    pub table: String,
    /// Its name, or the expression, or the columns of a constraint.
    pub name: String,
    /// What was.
    pub before: String,
    /// What is.
    pub after: String,
}

/// What differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A table.
    Table,
    /// A column.
    Column,
    /// The order of the columns that are on both sides.
    ColumnOrder,
    /// The declared type of a column.
    Type,
    /// NOT NULL of a column.
    NotNull,
    /// The DEFAULT of a column.
    Default,
    /// The collation of a column.
    Collation,
    /// The expression of a GENERATED column.
    Generated,
    /// The primary key.
    PrimaryKey,
    /// A UNIQUE constraint.
    Unique,
    /// A CHECK constraint.
    Check,
    /// A foreign key.
    ForeignKey,
    /// AUTOINCREMENT.
    Autoincrement,
    /// STRICT or WITHOUT ROWID; by [`by_name`] also STORED columns, and what the module of a virtual table is given.
    TableOption,
    /// What a constraint does where a row breaks it.
    Conflict,
    /// An index.
    Index,
    /// A trigger.
    Trigger,
    /// A view.
    View,
}

/// How something differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum How {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is there under the same name, but not the same.
    Changed,
    /// It is there under another name.
    Renamed,
}

impl Kind {
    /// In the report's words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::Column => "column",
            Self::ColumnOrder => "column-order",
            Self::Type => "type",
            Self::NotNull => "not-null",
            Self::Default => "default",
            Self::Collation => "collation",
            Self::Generated => "generated",
            Self::PrimaryKey => "primary-key",
            Self::Unique => "unique",
            Self::Check => "check",
            Self::ForeignKey => "foreign-key",
            Self::Autoincrement => "autoincrement",
            Self::TableOption => "table-option",
            Self::Conflict => "on-conflict",
            Self::Index => "index",
            Self::Trigger => "trigger",
            Self::View => "view",
        }
    }
}

impl How {
    /// In the report's words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
            Self::Renamed => "renamed",
        }
    }
}

/// A table on both sides, with its columns paired by position in `columns`: (before, after).
#[derive(Debug, Clone)]
pub struct Paired<'a> {
    /// The table before.
    pub before: &'a Table,
    /// The table after.
    pub after: &'a Table,
    /// Names of the same column before and after.
    pub columns: Vec<(String, String)>,
}

/// What a table or a column before is called after; itself where it was not renamed.
pub trait Names {
    /// The name after of this table before.
    fn table(&self, table: &str) -> String;
    /// The name after of this column of a table before.
    fn column(&self, table: &str, column: &str) -> String;
}

/// Differences between the two sides of one table.
#[must_use]
pub fn of_table(pair: &Paired<'_>, names: &dyn Names) -> Vec<Change> {
    let mut changes = Changes { table: pair.after.name.clone(), list: Vec::new() };
    if !pair.before.name.eq_ignore_ascii_case(&pair.after.name) {
        changes.push(Kind::Table, How::Renamed, &pair.after.name, &pair.before.name, &pair.after.name);
    }
    let (old, new) = (pair.before, pair.after);
    let is_written_alike = old.sql == new.sql && pair.columns.len() == new.columns.len();
    if !is_written_alike || pair.columns.iter().any(|(before, after)| before != after) {
        columns(pair, &mut changes);
        column_order(pair, &mut changes);
    }
    keys(pair, &mut changes);
    foreign_keys(pair, names, &mut changes);
    checks(pair, &mut changes);
    conflicts(pair, &mut changes);
    options(pair, &mut changes);
    changes.list
}

/// A table that is on one side only.
#[must_use]
pub fn of_lone_table(table: &Table, how: How) -> Change {
    Change {
        kind: Kind::Table,
        how,
        table: table.name.clone(),
        name: table.name.clone(),
        before: String::new(),
        after: String::new(),
    }
}

/// Differences in indexes, triggers and views.
#[must_use]
pub fn of_objects(before: &Schema, after: &Schema, names: &dyn Names) -> Vec<Change> {
    let mut changes = Vec::new();
    for (kind, old, new) in [
        (Kind::Index, &before.indexes, &after.indexes),
        (Kind::Trigger, &before.triggers, &after.triggers),
        (Kind::View, &before.views, &after.views),
    ] {
        for (key, object) in old {
            match new.get(key) {
                None => changes.push(of_object(kind, How::Removed, object, &names.table(&object.table))),
                Some(now) if !same_sql(&object.sql, &now.sql) => changes.push(Change {
                    before: object.sql.clone(),
                    after: now.sql.clone(),
                    ..of_object(kind, How::Changed, now, &now.table)
                }),
                Some(_) => {}
            }
        }
        let added = new.iter().filter(|(key, _)| !old.contains_key(*key));
        changes.extend(added.map(|(_, object)| of_object(kind, How::Added, object, &object.table)));
    }
    changes
}

/// Differences between two schemas whose tables and columns are the same where they have the same name; `counts` says which tables count.
#[must_use]
pub fn by_name(before: &Schema, after: &Schema, counts: &dyn Fn(&str) -> bool) -> Vec<Change> {
    let tables = |schema: &'_ Schema| -> Vec<String> {
        let tables = schema.tables.iter().filter(|(_, table)| table.is_user_table() && counts(&table.name));
        tables.map(|(key, _)| key.clone()).collect()
    };
    let keys: BTreeSet<String> = tables(before).into_iter().chain(tables(after)).collect();
    let mut changes = Vec::new();
    for key in keys {
        match (before.tables.get(&key), after.tables.get(&key)) {
            (Some(before), Some(after)) => {
                let same = |column: &Column| Some((column.name.clone(), after.column(&column.name)?.name.clone()));
                let columns = before.columns.iter().filter_map(same).collect();
                let list = of_table(&Paired { before, after, columns }, &Unchanged);
                let mut told = Changes { table: after.name.clone(), list };
                if told.list.is_empty() || after.kind == TableKind::Ordinary {
                    told.push_lone(Kind::TableOption, untold(before), untold(after));
                }
                changes.extend(told.list);
            }
            (Some(table), None) => changes.push(of_lone_table(table, How::Removed)),
            (None, Some(table)) => changes.push(of_lone_table(table, How::Added)),
            (None, None) => {}
        }
    }
    // An object of a table that is on one side only is told by its table.
    let is_lone = |change: &Change| {
        changes.iter().any(|lone| lone.kind == Kind::Table && lone.table.eq_ignore_ascii_case(&change.table))
    };
    let objects =
        of_objects(before, after, &Unchanged).into_iter().filter(|change| counts(&change.table) && !is_lone(change));
    let objects: Vec<Change> = objects.collect();
    changes.extend(objects);
    changes
}

/// Generated columns that are stored, and of a virtual table what its module is given.
fn untold(table: &Table) -> Vec<String> {
    let sql = table.sql.as_str();
    let tokens: Vec<Token> = super::lexer::tokens(sql).filter(|token| !token.is_trivia()).collect();
    let is = |at: usize, word: &str| tokens.get(at).is_some_and(|token| token.is_word(sql, word));
    if matches!(table.kind, TableKind::Virtual(_)) {
        let using = (0..tokens.len()).find(|at| is(*at, "USING"));
        return using.map(|at| plain_expression(&sql[tokens[at].start..], &str::to_owned)).into_iter().collect();
    }
    let is_stored = |at: &usize| is(*at, "STORED") && *at > 0 && tokens[at - 1].kind == TokenKind::Close;
    (0..tokens.len()).filter(is_stored).map(|_| "STORED".to_owned()).collect()
}

/// Every name is the same on both sides.
struct Unchanged;

impl Names for Unchanged {
    fn table(&self, table: &str) -> String {
        table.to_owned()
    }

    fn column(&self, _: &str, column: &str) -> String {
        column.to_owned()
    }
}

/// A unified diff of all CREATE statements, in order of name; empty where nothing differs.
#[must_use]
pub fn diff(before: &Schema, after: &Schema) -> String {
    let (before, after) = (listing(before), listing(after));
    if before == after {
        return String::new();
    }
    TextDiff::from_lines(&before, &after).unified_diff().context_radius(3).header("before", "after").to_string()
}

fn of_object(kind: Kind, how: How, object: &Object, table: &str) -> Change {
    Change {
        kind,
        how,
        table: table.to_owned(),
        name: object.name.clone(),
        before: String::new(),
        after: String::new(),
    }
}

struct Changes {
    table: String,
    list: Vec<Change>,
}

impl Changes {
    fn push(&mut self, kind: Kind, how: How, name: &str, before: &str, after: &str) {
        let table = self.table.clone();
        self.list.push(Change { kind, how, table, name: name.into(), before: before.into(), after: after.into() });
    }

    fn push_if_different(&mut self, kind: Kind, name: &str, before: &str, after: &str) {
        if before != after {
            let how = match (before.is_empty(), after.is_empty()) {
                (true, _) => How::Added,
                (_, true) => How::Removed,
                _ => How::Changed,
            };
            self.push(kind, how, name, before, after);
        }
    }

    /// Entries of two lists that have no equal partner in the other one.
    fn push_lone(&mut self, kind: Kind, before: Vec<String>, mut after: Vec<String>) {
        for entry in before {
            match after.iter().position(|other| other.eq_ignore_ascii_case(&entry)) {
                Some(partner) => drop(after.remove(partner)),
                None => self.push(kind, How::Removed, &entry, &entry, ""),
            }
        }
        for entry in after {
            self.push(kind, How::Added, &entry, "", &entry);
        }
    }
}

fn columns(pair: &Paired<'_>, changes: &mut Changes) {
    for column in &pair.before.columns {
        if !pair.columns.iter().any(|(before, _)| *before == column.name) {
            changes.push(Kind::Column, How::Removed, &column.name, &column.declared_type, "");
        }
    }
    for column in &pair.after.columns {
        if !pair.columns.iter().any(|(_, after)| *after == column.name) {
            changes.push(Kind::Column, How::Added, &column.name, "", &column.declared_type);
        }
    }
    for (old, new) in &pair.columns {
        let (Some(before), Some(after)) = (pair.before.column(old), pair.after.column(new)) else { continue };
        if !old.eq_ignore_ascii_case(new) {
            changes.push(Kind::Column, How::Renamed, new, old, new);
        }
        if !before.declared_type.eq_ignore_ascii_case(&after.declared_type) {
            changes.push(Kind::Type, How::Changed, new, &before.declared_type, &after.declared_type);
        }
        let not_null = |table: &Table, column: &Column| {
            if column.not_null || is_never_null(table, &column.name) { "NOT NULL" } else { "" }
        };
        if before.not_null != after.not_null {
            changes.push_if_different(Kind::NotNull, new, not_null(pair.before, before), not_null(pair.after, after));
        }
        let default = |value: &Option<String>| value.clone().unwrap_or_default();
        changes.push_if_different(Kind::Default, new, &default(&before.default), &default(&after.default));
        changes.push_if_different(Kind::Collation, new, &default(&before.collation), &default(&after.collation));
        let expression = |column: &Column, name: &dyn Fn(&str) -> String| {
            column.expression.as_ref().map(|text| plain_expression(text, name)).unwrap_or_default()
        };
        let was = expression(before, &|column| now(pair, column));
        changes.push_if_different(Kind::Generated, new, &was, &expression(after, &str::to_owned));
    }
}

/// Whether the column takes no NULL although nothing says so: the rowid, and the key of a table without one.
fn is_never_null(table: &Table, column: &str) -> bool {
    let is_it = |name: &String| name.eq_ignore_ascii_case(column);
    table.rowid_alias.as_ref().is_some_and(is_it) || table.without_rowid && table.primary_key.iter().any(is_it)
}

/// Columns are listed by their names after. New and lost ones do not count.
fn column_order(pair: &Paired<'_>, changes: &mut Changes) {
    let list = |table: &Table, name: &dyn Fn(&str) -> Option<String>| {
        let paired = table.columns.iter().filter_map(|column| name(&column.name));
        paired.collect::<Vec<_>>().join(", ")
    };
    let was = list(pair.before, &|column| {
        pair.columns.iter().find(|(before, _)| before == column).map(|(_, after)| after.clone())
    });
    let is = list(pair.after, &|column| {
        pair.columns.iter().find(|(_, after)| after == column).map(|(_, after)| after.clone())
    });
    let table = pair.after.name.clone();
    changes.push_if_different(Kind::ColumnOrder, &table, &was, &is);
}

/// An expression with other names of columns, without quotes around names and in lower case but for strings.
fn plain_expression(text: &str, name: &dyn Fn(&str) -> String) -> String {
    super::lexer::tokens(text)
        .filter(|token| !token.is_trivia())
        .map(|token| match token.name(text) {
            Some(word) if token.kind != TokenKind::String => name(&word).to_ascii_lowercase(),
            None => token.text(text).to_ascii_lowercase(),
            Some(_) => token.text(text).to_owned(),
        })
        .collect::<Vec<_>>()
        .join(" ")
}

/// A name of the table before, as it is called after.
fn now(pair: &Paired<'_>, column: &str) -> String {
    let renamed = pair.columns.iter().find(|(before, _)| before.eq_ignore_ascii_case(column));
    renamed.map_or_else(|| column.to_owned(), |(_, after)| after.clone())
}

fn keys(pair: &Paired<'_>, changes: &mut Changes) {
    let list = |columns: &[String]| columns.join(", ");
    let before: Vec<String> = pair.before.primary_key.iter().map(|column| now(pair, column)).collect();
    let (before, after) = (list(&before), list(&pair.after.primary_key));
    if !before.eq_ignore_ascii_case(&after) {
        changes.push_if_different(Kind::PrimaryKey, if after.is_empty() { &before } else { &after }, &before, &after);
    }
    let uniques = |table: &Table, name: &dyn Fn(&str) -> String| -> Vec<String> {
        let constraints = table.uniques.iter().filter(|unique| unique.constraint);
        constraints
            .map(|unique| unique.columns.iter().map(|column| name(column)).collect::<Vec<_>>().join(", "))
            .collect()
    };
    let before = uniques(pair.before, &|column| now(pair, column));
    // A constraint that became a unique index or the key over the same columns, or the other way round, enforces the same.
    let held = unique_sets(pair.before, &|column| now(pair, column));
    let holds = unique_sets(pair.after, &str::to_owned);
    let after = uniques(pair.after, &str::to_owned);
    // Fewer columns that are unique keep more of them unique.
    let is_kept = |columns: &str, sets: &[BTreeSet<String>]| {
        sets.iter().any(|kept| !kept.is_empty() && kept.is_subset(&set(columns.split(", "))))
    };
    let lost = before.into_iter().filter(|columns| !is_kept(columns, &holds)).collect();
    let new = after.into_iter().filter(|columns| !is_kept(columns, &held)).collect();
    changes.push_lone(Kind::Unique, lost, new);
}

/// Every set of columns that the table keeps unique.
fn unique_sets(table: &Table, name: &dyn Fn(&str) -> String) -> Vec<BTreeSet<String>> {
    let uniques = table.uniques.iter().map(|unique| &unique.columns).chain([&table.primary_key]);
    uniques.map(|columns| set(columns.iter().map(|column| name(column)))).collect()
}

/// Columns in any order and in any case.
fn set(columns: impl Iterator<Item = impl AsRef<str>>) -> BTreeSet<String> {
    columns.map(|column| column.as_ref().to_ascii_lowercase()).collect()
}

/// A foreign key as it reads after, and the columns by which it is recognised.
struct Described {
    columns: String,
    text: String,
}

fn describe(
    key: &ForeignKey,
    own: &dyn Fn(&str) -> String,
    parent: &str,
    parents: &dyn Fn(&str) -> String,
) -> Described {
    let list = |columns: &[String], name: &dyn Fn(&str) -> String| {
        columns.iter().map(|column| name(column)).collect::<Vec<_>>().join(", ")
    };
    let columns = list(&key.columns, own);
    let parent_columns = match key.parent_columns.as_slice() {
        [] => String::new(),
        columns => format!("({})", list(columns, parents)),
    };
    let mut text = format!("({columns}) REFERENCES {parent}{parent_columns}");
    for (event, action) in [("DELETE", &key.on_delete), ("UPDATE", &key.on_update)] {
        if action != "NO ACTION" {
            text = format!("{text} ON {event} {action}");
        }
    }
    if key.deferred {
        text.push_str(" DEFERRABLE INITIALLY DEFERRED");
    }
    Described { columns: columns.to_ascii_lowercase(), text }
}

fn foreign_keys(pair: &Paired<'_>, names: &dyn Names, changes: &mut Changes) {
    let before = pair.before.foreign_keys.iter().map(|key| {
        let (own, parents) = (|column: &str| now(pair, column), |column: &str| names.column(&key.parent, column));
        describe(key, &own, &names.table(&key.parent), &parents)
    });
    let mut before: Vec<Described> = before.collect();
    let after = pair.after.foreign_keys.iter().map(|key| describe(key, &str::to_owned, &key.parent, &str::to_owned));
    let mut after: Vec<Described> = after.collect();
    before.retain(|key| {
        let same = after.iter().position(|other| other.text.eq_ignore_ascii_case(&key.text));
        same.map(|place| after.remove(place)).is_none()
    });
    for key in before {
        match after.iter().position(|other| other.columns == key.columns) {
            Some(place) => {
                changes.push(Kind::ForeignKey, How::Changed, &key.columns, &key.text, &after.remove(place).text);
            }
            None => changes.push(Kind::ForeignKey, How::Removed, &key.columns, &key.text, ""),
        }
    }
    for key in after {
        changes.push(Kind::ForeignKey, How::Added, &key.columns, "", &key.text);
    }
}

/// SQLite rewrites the table's own name inside CHECKs when a table is renamed. A CHECK is taken for a changed one where it is
/// about the same columns.
fn checks(pair: &Paired<'_>, changes: &mut Changes) {
    let plain =
        |table: &Table| -> Vec<String> { table.checks.iter().map(|check| without_table(check, &table.name)).collect() };
    let (mut before, mut after) = (plain(pair.before), plain(pair.after));
    before.retain(|check| {
        let same = after.iter().position(|other| other.eq_ignore_ascii_case(check));
        same.map(|place| after.remove(place)).is_none()
    });
    for old in before {
        let about = columns_in(&old, pair.before, &|column| now(pair, column));
        let changed = after.iter().position(|new| columns_in(new, pair.after, &str::to_owned) == about);
        match changed.map(|place| after.remove(place)) {
            Some(new) => changes.push(Kind::Check, How::Changed, &new, &old, &new),
            None => changes.push(Kind::Check, How::Removed, &old, &old, ""),
        }
    }
    for check in after {
        changes.push(Kind::Check, How::Added, &check, "", &check);
    }
}

/// The columns of the table that a CHECK names, under their names after.
fn columns_in(check: &str, table: &Table, name: &dyn Fn(&str) -> String) -> BTreeSet<String> {
    let named = super::lexer::tokens(check).filter_map(|token| token.name(check).map(std::borrow::Cow::into_owned));
    set(named.filter_map(|word| table.column(&word)).map(|column| name(&column.name)))
}

/// A CHECK without the table's own name before its columns and without the quotes around names, which mean nothing.
fn without_table(check: &str, table: &str) -> String {
    let plain = check.replace(['"', '`', '[', ']'], "");
    plain.replace(&format!("{table} . "), "")
}

/// Of the constraints that are on both sides.
fn conflicts(pair: &Paired<'_>, changes: &mut Changes) {
    let told = |table: &Table, name: &dyn Fn(&str) -> String| -> BTreeMap<(&'static str, String), String> {
        let told = table.conflicts.iter().filter(|conflict| conflict.action != "ABORT").map(|conflict| {
            let columns: Vec<String> =
                conflict.columns.iter().map(|column| name(column).to_ascii_lowercase()).collect();
            ((conflict.constraint, columns.join(", ")), conflict.action.clone())
        });
        told.collect()
    };
    let (was, is) = (told(pair.before, &|column| now(pair, column)), told(pair.after, &str::to_owned));
    let keys: BTreeSet<_> = was.keys().chain(is.keys()).collect();
    for key in keys {
        let (constraint, columns) = key;
        let columns = set(columns.split(", "));
        let has = |table: &Table, name: &dyn Fn(&str) -> String| match *constraint {
            "NOT NULL" => table.columns.iter().any(|column| {
                columns.contains(&name(&column.name).to_ascii_lowercase())
                    && (column.not_null || is_never_null(table, &column.name))
            }),
            _ => unique_sets(table, name).contains(&columns),
        };
        if has(pair.before, &|column| now(pair, column)) && has(pair.after, &str::to_owned) {
            let action = |of: &BTreeMap<_, String>| of.get(key).cloned().unwrap_or_default();
            changes.push_if_different(
                Kind::Conflict,
                &format!("{constraint} ({})", key.1),
                &action(&was),
                &action(&is),
            );
        }
    }
}

fn options(pair: &Paired<'_>, changes: &mut Changes) {
    let set = |on: bool, word: &'static str| if on { word } else { "" };
    let (before, after) = (pair.before, pair.after);
    let word = "AUTOINCREMENT";
    let table = after.name.clone();
    changes.push_if_different(
        Kind::Autoincrement,
        &table,
        set(before.autoincrement, word),
        set(after.autoincrement, word),
    );
    changes.push_if_different(Kind::TableOption, "STRICT", set(before.strict, "STRICT"), set(after.strict, "STRICT"));
    let word = "WITHOUT ROWID";
    changes.push_if_different(Kind::TableOption, word, set(before.without_rowid, word), set(after.without_rowid, word));
}

/// Every CREATE statement, tables with their indexes and triggers behind them, each followed by an empty line.
fn listing(schema: &Schema) -> String {
    let mut listing = String::new();
    let mut of_tables: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for object in schema.indexes.values().chain(schema.triggers.values()) {
        of_tables.entry(object.table.to_ascii_lowercase()).or_default().push(&object.sql);
    }
    for (key, table) in schema.tables.iter().filter(|(_, table)| table.is_user_table()) {
        listing.push_str(&table.sql);
        listing.push_str(";\n");
        for sql in of_tables.get(key).into_iter().flatten() {
            listing.push_str(sql);
            listing.push_str(";\n");
        }
        listing.push('\n');
    }
    for view in schema.views.values() {
        listing.push_str(&view.sql);
        listing.push_str(";\n\n");
    }
    listing
}

/// Equal but for white space, the case of words and the quotes around names.
fn same_sql(before: &str, after: &str) -> bool {
    let plain = |sql: &str| plain_expression(sql, &str::to_owned);
    before == after || plain(before) == plain(after)
}
