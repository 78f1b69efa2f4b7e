//! What `wrangler.toml`, `wrangler.json` or `wrangler.jsonc` says of D1 databases.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::error::{Doing, Error};
use crate::files::read_text;
use crate::migrations::project::Project;
use crate::migrations::shown;

/// The names of the configuration, in the order in which wrangler looks for them.
const NAMES: [&str; 3] = ["wrangler.json", "wrangler.jsonc", "wrangler.toml"];

/// A D1 database of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Database {
    file: PathBuf,
    /// `migrations_dir`.
    dir: Option<String>,
    /// `migrations_table`.
    pub table: Option<String>,
    /// `migrations_pattern`.
    pub pattern: Option<String>,
}

impl Database {
    /// Its migrations folder.
    pub fn folder(&self, project: &Project) -> PathBuf {
        let folder = project.root.join(self.dir.as_deref().unwrap_or("migrations"));
        folder.components().filter(|part| *part != std::path::Component::CurDir).collect()
    }

    /// The place of a setting, or that it has its default.
    pub fn evidence(&self, setting: &str) -> String {
        let is_default = setting == "migrations_dir" && self.dir.is_none();
        let default = if is_default { "default of " } else { "" };
        format!("{default}`{setting}` in {}", shown(&self.file))
    }
}

/// Every D1 database of the project's configuration, those of its environments included.
pub(super) fn databases(project: &Project) -> Result<Vec<Database>, Error> {
    let Some(file) = NAMES.iter().map(|name| project.root.join(name)).find(|file| file.is_file()) else {
        return Ok(Vec::new());
    };
    let config = read(&file)?;
    let environments = config.get("env").and_then(Value::as_object).into_iter().flat_map(|env| env.values());
    let lists = std::iter::once(&config).chain(environments).filter_map(|level| level.get("d1_databases")?.as_array());
    let text = |database: &Value, key: &str| Some(database.get(key)?.as_str()?.to_owned());
    let mut databases: Vec<Database> = Vec::new();
    for database in lists.flatten() {
        let database = Database {
            file: file.clone(),
            dir: text(database, "migrations_dir"),
            table: text(database, "migrations_table"),
            pattern: text(database, "migrations_pattern"),
        };
        if !databases.contains(&database) {
            databases.push(database);
        }
    }
    Ok(databases)
}

fn read(file: &Path) -> Result<Value, Error> {
    let doing = || format!("reading `{}`", shown(file));
    let text = read_text(file).doing(doing)?;
    if file.extension().is_some_and(|end| end == "toml") {
        let table: toml::Table = text.parse().doing(doing)?;
        return serde_json::to_value(table).doing(doing);
    }
    jsonc_parser::parse_to_serde_value(&text, &jsonc_parser::ParseOptions::default()).doing(doing)
}
