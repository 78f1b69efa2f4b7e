//! The schema that the code expects: the newest of the snapshots that drizzle-kit keeps beside its migrations, as the statements that make
//! it; the order of columns is not kept. Triggers, collations, STRICT, WITHOUT ROWID and virtual tables are not in them.
//!
//! Measured with drizzle-kit 0.31.11 (`meta/0000_snapshot.json`, versions 5 and 6) and 1.0.0-rc.5 (`snapshot.json` in each folder, version 7).

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value as Json;
use sha2::{Digest as _, Sha256};

use super::{V1, v0, v1};
use crate::error::{Doing, Error};
use crate::files::read_text;
use crate::migrations::{Located, shown};
use crate::schema::lexer::quote_identifier as quoted;
use crate::units::hex;

/// What the code expects.
#[derive(Debug)]
pub struct CodeSchema {
    /// The file that says so.
    pub file: PathBuf,
    /// The SHA-256 of its text, in hexadecimal digits.
    pub sha256: String,
    /// The statements that make it on an empty database, in order; an error where the file is none of the versions that are known.
    pub statements: Result<Vec<String>, Error>,
}

/// Reads the newest snapshot; none where there is none, or several branches each have one.
///
/// # Errors
/// When a snapshot cannot be read.
pub fn schema(located: &Located) -> Result<Option<CodeSchema>, Error> {
    let found =
        if located.layout == V1 { newest_folder(&located.folder)? } else { newest_of_journal(&located.folder)? };
    let Some(file) = found else { return Ok(None) };
    let text = read_text(&file).doing(|| format!("reading `{}`", shown(&file)))?;
    Ok(Some(CodeSchema { sha256: hex(&Sha256::digest(&text)), statements: parsed(&text, &file), file }))
}

fn parsed(text: &str, file: &Path) -> Result<Vec<String>, Error> {
    let doing = || format!("reading `{}`", shown(file));
    let json: Json = serde_json::from_str(text).doing(doing)?;
    let tables = match json.get("version").and_then(Json::as_str) {
        Some("5" | "6") => Snapshot6::deserialize(&json).doing(doing)?.into(),
        Some("7") => Snapshot7::deserialize(&json).doing(doing)?.into(),
        version => {
            let version = version.unwrap_or("none");
            return Err(Error::cannot(doing(), format!("its version is {version}; 5, 6 and 7 are known")));
        }
    };
    Ok(statements(tables))
}

/// `meta/0003_snapshot.json` of the journal's last entry `0003_name`.
fn newest_of_journal(folder: &Path) -> Result<Option<PathBuf>, Error> {
    let journal = v0::journal_path(folder);
    let Some(tag) = v0::last_tag(&journal)? else { return Ok(None) };
    let prefix = tag.split('_').next().unwrap_or_default();
    let file = folder.join("meta").join(format!("{prefix}_snapshot.json"));
    Ok(file.is_file().then_some(file))
}

/// The snapshot that no other one follows.
fn newest_folder(folder: &Path) -> Result<Option<PathBuf>, Error> {
    let names = v1::names(folder).doing(|| format!("reading the migrations folder `{}`", shown(folder)))?;
    let (mut files, mut followed) = (Vec::new(), BTreeSet::new());
    for file in names.iter().map(|name| folder.join(name).join("snapshot.json")).filter(|file| file.is_file()) {
        let doing = || format!("reading `{}`", shown(&file));
        let Link { id, prev_ids } = serde_json::from_str(&read_text(&file).doing(doing)?).doing(doing)?;
        followed.extend(prev_ids);
        files.push((id, file));
    }
    files.retain(|(id, _)| !followed.contains(id));
    Ok(if files.len() == 1 { files.pop().map(|(_, file)| file) } else { None })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Link {
    id: String,
    #[serde(default)]
    prev_ids: Vec<String>,
}

/// What both versions hold.
#[derive(Default)]
struct Tables {
    tables: BTreeMap<String, Table>,
    /// What stands on tables: indexes, and views behind them.
    others: Vec<String>,
}

#[derive(Default)]
struct Table {
    columns: Vec<String>,
    constraints: Vec<String>,
}

fn statements(tables: Tables) -> Vec<String> {
    let table = |(name, Table { columns, constraints }): (String, Table)| {
        let parts = columns.into_iter().chain(constraints).collect::<Vec<_>>().join(", ");
        format!("CREATE TABLE {} ({parts})", quoted(&name))
    };
    tables.tables.into_iter().map(table).chain(tables.others).collect()
}

/// Before 1.0.
#[derive(Deserialize)]
struct Snapshot6 {
    tables: BTreeMap<String, Table6>,
    #[serde(default)]
    views: BTreeMap<String, View>,
    #[serde(default)]
    internal: Internal,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Table6 {
    name: String,
    columns: BTreeMap<String, Column>,
    #[serde(default)]
    indexes: BTreeMap<String, Index6>,
    #[serde(default)]
    foreign_keys: BTreeMap<String, ForeignKey6>,
    #[serde(default)]
    composite_primary_keys: BTreeMap<String, Columns>,
    #[serde(default)]
    unique_constraints: BTreeMap<String, Columns>,
    #[serde(default)]
    check_constraints: BTreeMap<String, Check>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Column {
    name: String,
    r#type: String,
    #[serde(default)]
    primary_key: bool,
    #[serde(default)]
    not_null: bool,
    #[serde(default)]
    autoincrement: bool,
    #[serde(default)]
    default: Json,
    generated: Option<Generated>,
}

#[derive(Deserialize)]
struct Generated {
    r#as: String,
    r#type: String,
}

#[derive(Deserialize)]
struct Columns {
    columns: Vec<String>,
}

#[derive(Deserialize)]
struct Check {
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct View {
    name: String,
    definition: Option<String>,
    #[serde(default)]
    is_existing: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index6 {
    name: String,
    columns: Vec<String>,
    #[serde(default)]
    is_unique: bool,
    r#where: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ForeignKey6 {
    table_to: String,
    columns_from: Vec<String>,
    columns_to: Vec<String>,
    on_delete: Option<String>,
    on_update: Option<String>,
}

/// Which columns of indexes are expressions.
#[derive(Deserialize, Default)]
struct Internal {
    #[serde(default)]
    indexes: BTreeMap<String, InternalIndex>,
}

#[derive(Deserialize, Default)]
struct InternalIndex {
    #[serde(default)]
    columns: BTreeMap<String, InternalColumn>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct InternalColumn {
    #[serde(default)]
    is_expression: bool,
}

impl From<Snapshot6> for Tables {
    fn from(snapshot: Snapshot6) -> Self {
        let mut tables = Self::default();
        for table in snapshot.tables.into_values() {
            let keys = table.composite_primary_keys.values().map(|key| format!("PRIMARY KEY ({})", list(&key.columns)));
            let uniques = table.unique_constraints.values().map(|unique| format!("UNIQUE ({})", list(&unique.columns)));
            let checks = table.check_constraints.values().map(|check| format!("CHECK ({})", check.value));
            let references = table.foreign_keys.values().map(|key| {
                let actions = (key.on_delete.as_deref(), key.on_update.as_deref());
                foreign_key(&key.columns_from, &key.table_to, &key.columns_to, actions)
            });
            let made = Table {
                columns: table.columns.values().map(|column| column.definition(column.primary_key)).collect(),
                constraints: keys.chain(uniques).chain(checks).chain(references).collect(),
            };
            for index in table.indexes.values() {
                let expressions = snapshot.internal.indexes.get(&index.name);
                let is_expression = |column: &str| {
                    expressions.and_then(|index| index.columns.get(column)).is_some_and(|column| column.is_expression)
                };
                let terms = index.columns.iter().map(|column| term(column, is_expression(column)));
                tables.others.push(index_statement(
                    index.is_unique,
                    &index.name,
                    &table.name,
                    terms,
                    index.r#where.as_deref(),
                ));
            }
            tables.tables.insert(table.name, made);
        }
        tables.others.extend(snapshot.views.values().filter_map(View::statement));
        tables
    }
}

/// Since 1.0: a list of everything, each with the table that it belongs to.
#[derive(Deserialize)]
struct Snapshot7 {
    ddl: Vec<Entity>,
}

#[derive(Deserialize)]
#[serde(tag = "entityType", rename_all = "camelCase")]
enum Entity {
    Tables { name: String },
    Columns(OfTable<Column>),
    Pks(OfTable<Columns>),
    Uniques(OfTable<Columns>),
    Checks(OfTable<Check>),
    Fks(OfTable<ForeignKey7>),
    Indexes(OfTable<Index7>),
    Views(View),
}

#[derive(Deserialize)]
struct OfTable<T> {
    table: String,
    #[serde(flatten)]
    it: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ForeignKey7 {
    columns: Vec<String>,
    table_to: String,
    columns_to: Vec<String>,
    on_delete: Option<String>,
    on_update: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Index7 {
    name: String,
    columns: Vec<Term7>,
    #[serde(default)]
    is_unique: bool,
    r#where: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Term7 {
    value: String,
    #[serde(default)]
    is_expression: bool,
}

impl From<Snapshot7> for Tables {
    fn from(snapshot: Snapshot7) -> Self {
        let mut tables = Self::default();
        // A key of one column belongs to the column: only so it can be the rowid.
        let single = |entity: &Entity| match entity {
            Entity::Pks(OfTable { table, it: Columns { columns } }) => match columns.as_slice() {
                [column] => Some((table.clone(), column.clone())),
                _ => None,
            },
            _ => None,
        };
        let keys: BTreeSet<(String, String)> = snapshot.ddl.iter().filter_map(single).collect();
        let mut views = Vec::new();
        for entity in snapshot.ddl {
            let (table, constraint) = match entity {
                Entity::Tables { name } => {
                    tables.tables.entry(name).or_default();
                    continue;
                }
                Entity::Columns(OfTable { table, it }) => {
                    let is_key = keys.contains(&(table.clone(), it.name.clone()));
                    tables.tables.entry(table).or_default().columns.push(it.definition(is_key));
                    continue;
                }
                Entity::Indexes(OfTable { table, it }) => {
                    let terms = it.columns.iter().map(|column| term(&column.value, column.is_expression));
                    tables.others.push(index_statement(it.is_unique, &it.name, &table, terms, it.r#where.as_deref()));
                    continue;
                }
                Entity::Views(view) => {
                    views.extend(view.statement());
                    continue;
                }
                Entity::Pks(OfTable { it, .. }) if it.columns.len() == 1 => continue,
                Entity::Pks(OfTable { table, it }) => (table, format!("PRIMARY KEY ({})", list(&it.columns))),
                Entity::Uniques(OfTable { table, it }) => (table, format!("UNIQUE ({})", list(&it.columns))),
                Entity::Checks(OfTable { table, it }) => (table, format!("CHECK ({})", it.value)),
                Entity::Fks(OfTable { table, it }) => {
                    let actions = (it.on_delete.as_deref(), it.on_update.as_deref());
                    (table, foreign_key(&it.columns, &it.table_to, &it.columns_to, actions))
                }
            };
            tables.tables.entry(table).or_default().constraints.push(constraint);
        }
        tables.others.extend(views);
        tables
    }
}

impl Column {
    fn definition(&self, is_key: bool) -> String {
        let mut sql = format!("{} {}", quoted(&self.name), self.r#type);
        if is_key {
            sql.push_str(" PRIMARY KEY");
        }
        if is_key && self.autoincrement {
            sql.push_str(" AUTOINCREMENT");
        }
        match &self.default {
            Json::Null => {}
            Json::String(text) => sql.extend([" DEFAULT ", text]),
            other => sql.extend([" DEFAULT ", &other.to_string()]),
        }
        if self.not_null {
            sql.push_str(" NOT NULL");
        }
        if let Some(generated) = &self.generated {
            let inner = &generated.r#as;
            let expression = if inner.starts_with('(') { inner.clone() } else { format!("({inner})") };
            sql.extend([" GENERATED ALWAYS AS ", &expression, " ", &generated.r#type]);
        }
        sql
    }
}

impl View {
    fn statement(&self) -> Option<String> {
        let definition = self.definition.as_ref().filter(|_| !self.is_existing)?;
        Some(format!("CREATE VIEW {} AS {definition}", quoted(&self.name)))
    }
}

fn list(columns: &[String]) -> String {
    columns.iter().map(|column| quoted(column)).collect::<Vec<_>>().join(", ")
}

fn term(column: &str, is_expression: bool) -> String {
    if is_expression { column.to_owned() } else { quoted(column) }
}

fn index_statement(
    unique: bool,
    name: &str,
    table: &str,
    terms: impl Iterator<Item = String>,
    condition: Option<&str>,
) -> String {
    let unique = if unique { "UNIQUE " } else { "" };
    let terms = terms.collect::<Vec<_>>().join(", ");
    let condition = condition.map(|condition| format!(" WHERE {condition}")).unwrap_or_default();
    format!("CREATE {unique}INDEX {} ON {} ({terms}){condition}", quoted(name), quoted(table))
}

fn foreign_key(from: &[String], table: &str, to: &[String], (delete, update): (Option<&str>, Option<&str>)) -> String {
    let mut sql = format!("FOREIGN KEY ({}) REFERENCES {} ({})", list(from), quoted(table), list(to));
    for (event, action) in [(" ON DELETE ", delete), (" ON UPDATE ", update)] {
        sql.extend(action.into_iter().flat_map(|action| [event, action]));
    }
    sql
}
