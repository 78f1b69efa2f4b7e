//! The document of `rehearse profile`: what a database holds, in numbers. Field names are as stable as those of the report document,
//! and no row's value is in it.

use serde::{Deserialize, Serialize};

use super::assemble;
use super::document::{NotCompared, SCHEMA_VERSION, Tool};
use super::file::File;
use crate::profile::{ColumnProfile, Spread, TableProfile};
use crate::schema::{self, Schema, TableKind};

/// One database.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Profile {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// What made this document.
    pub rehearse: Tool,
    /// The file.
    pub file: File,
    /// Every table of the user, in order of name.
    pub tables: Vec<Table>,
    /// How many indexes there are, those of constraints excluded.
    pub indexes: usize,
    /// How many triggers there are.
    pub triggers: usize,
    /// How many views there are.
    pub views: usize,
    /// What could not be read, and why.
    pub not_read: Vec<NotCompared>,
}

/// One table.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// `table`, or `virtual`.
    pub kind: String,
    /// The module of a virtual table.
    pub module: Option<String>,
    /// WITHOUT ROWID.
    pub without_rowid: bool,
    /// STRICT.
    pub strict: bool,
    /// Its rows; null where it could not be read.
    pub rows: Option<u64>,
    /// Its columns in order; empty where it could not be read.
    pub columns: Vec<Column>,
}

/// One column: its values by storage class.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The declared type; empty where there is none.
    pub declared_type: String,
    /// GENERATED.
    pub generated: bool,
    /// NULLs.
    pub nulls: u64,
    /// Integers.
    pub integers: u64,
    /// Reals.
    pub reals: u64,
    /// Texts.
    pub texts: u64,
    /// Blobs.
    pub blobs: u64,
    /// `empty`: no row, or NULL in each; `own-name`: the column's own name as text in each; `constant`: the same value in each;
    /// `various`.
    pub spread: String,
}

impl Profile {
    /// The document of a database without its tables.
    #[must_use]
    pub fn new(file: File, schema: &Schema) -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            rehearse: assemble::tool(),
            file,
            tables: Vec::new(),
            indexes: schema.indexes.len(),
            triggers: schema.triggers.len(),
            views: schema.views.len(),
            not_read: Vec::new(),
        }
    }

    /// Adds a table with what it holds, or why it could not be read.
    pub fn add(&mut self, table: &schema::Table, profile: Result<TableProfile, String>) {
        let module = match &table.kind {
            TableKind::Virtual(module) => Some(module.clone()),
            TableKind::Ordinary | TableKind::Shadow | TableKind::Internal => None,
        };
        let profile = profile.map_err(|why| self.not_read.push(NotCompared { table: table.name.clone(), why })).ok();
        let columns = profile.iter().flat_map(|profile| &profile.columns).map(|held| column(table, held));
        self.tables.push(Table {
            name: table.name.clone(),
            kind: if module.is_some() { "virtual" } else { "table" }.to_owned(),
            module,
            without_rowid: table.without_rowid,
            strict: table.strict,
            rows: profile.as_ref().map(|profile| profile.rows),
            columns: columns.collect(),
        });
    }

    /// 0, or 4 where something could not be read.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if self.not_read.is_empty() { 0 } else { 4 }
    }
}

fn column(table: &schema::Table, held: &ColumnProfile) -> Column {
    let declared = table.column(&held.name);
    Column {
        name: held.name.clone(),
        declared_type: declared.map(|column| column.declared_type.clone()).unwrap_or_default(),
        generated: declared.is_some_and(|column| column.generated),
        nulls: held.nulls,
        integers: held.integers,
        reals: held.reals,
        texts: held.texts,
        blobs: held.blobs,
        spread: match held.spread {
            Spread::Empty => "empty",
            Spread::OwnName => "own-name",
            Spread::Constant => "constant",
            Spread::Various => "various",
        }
        .to_owned(),
    }
}
