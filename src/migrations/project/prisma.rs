//! Reads `prisma.config.*`, `package.json` and the Prisma schema as text, for where the migrations are and what runs them.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use super::config::Setting;
use super::names;
use super::script::{Object, Value, exported};
use crate::files::read_text;
use crate::migrations::shown;
use crate::repository::leads_out;

/// What a project says about its Prisma migrations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrismaConfig {
    /// The migrations folder.
    pub folder: PathBuf,
    /// Why it is that one.
    pub place: String,
    /// `provider` of the datasource, where the schema has it as a literal.
    pub provider: Option<String>,
    /// The packages of driver adapters that the configuration gives to the schema engine, with the file; none where the native
    /// engine migrates.
    pub adapter: Option<(Vec<String>, PathBuf)>,
    /// Where `migrations.path` or `schema` is computed: the file and the line, from 1.
    pub computed: Option<(PathBuf, u32)>,
}

/// The configuration of the project in `root`; none where nothing speaks of Prisma.
pub(super) fn read(root: &Path) -> Option<PrismaConfig> {
    let config = names(root).into_iter().find(|name| is_config(name)).map(|name| root.join(name));
    let text = config.as_ref().and_then(|file| read_text(file).ok()).unwrap_or_default();
    let object = if let Value::Object(object) = exported(&text) { object } else { Object::default() };
    let file = config.clone().unwrap_or_default();
    let path = match object.get("migrations") {
        Some(Value::Object(migrations)) => setting(migrations.get("path")),
        _ => Setting::Absent,
    };
    let named = match setting(object.get("schema")) {
        Setting::Absent => in_package(root),
        named => Named { setting: named, place: format!("`schema` in {}", shown(&file)) },
    };
    let computed = [&path, &named.setting].into_iter().find_map(|setting| match setting {
        Setting::Computed { line } => Some((file.clone(), *line)),
        _ => None,
    });
    let schema = match &named.setting {
        Setting::Text(schema) => Some(root.join(schema)),
        _ => ["prisma/schema.prisma", "schema.prisma", "prisma/schema"]
            .iter()
            .map(|name| root.join(name))
            .find(|path| path.exists()),
    };
    if config.is_none() && schema.is_none() {
        return None;
    }
    let is_read = |schema: &PathBuf| !leads_out(schema, root);
    let schema = schema.map(|schema| clean(&if is_read(&schema) { with_datasource(&schema) } else { schema }));
    let (folder, place) = match (&path, &schema) {
        (Setting::Text(path), _) => (clean(&root.join(path)), format!("`migrations.path` in {}", shown(&file))),
        (_, Some(schema)) if named.place.is_empty() => (beside(schema), format!("beside {}", shown(schema))),
        (_, Some(schema)) => (beside(schema), format!("beside {}, {}", shown(schema), named.place)),
        (_, None) => (clean(&root.join("prisma/migrations")), format!("default of {}", shown(&file))),
    };
    let provider =
        schema.as_ref().filter(|schema| is_read(schema)).and_then(|schema| provider(&read_text(schema).ok()?));
    let has_adapter = object.get("adapter").is_some() || is_js(object.get("engine"));
    let adapter = has_adapter.then(|| (adapters(&text), file));
    Some(PrismaConfig { folder, place, provider, adapter, computed })
}

fn is_config(name: &str) -> bool {
    let end = name.strip_prefix("prisma.config.");
    end.is_some_and(|end| ["ts", "mts", "cts", "js", "mjs", "cjs"].contains(&end))
}

fn setting(value: Option<&Value>) -> Setting {
    match value {
        None => Setting::Absent,
        Some(Value::Text(text) | Value::Word(text)) => Setting::Text(text.clone()),
        Some(Value::Computed { line }) => Setting::Computed { line: *line },
        Some(Value::Object(_)) => Setting::Computed { line: 1 },
    }
}

fn is_js(engine: Option<&Value>) -> bool {
    matches!(engine, Some(Value::Text(engine)) if engine == "js")
}

/// The packages of adapters that a configuration imports.
fn adapters(text: &str) -> Vec<String> {
    let known = ["@prisma/adapter-better-sqlite3", "@prisma/adapter-libsql"];
    known.iter().filter(|name| text.contains(**name)).map(|name| (*name).to_owned()).collect()
}

/// Where the schema is, and who says so.
struct Named {
    setting: Setting,
    place: String,
}

/// `prisma.schema` in `package.json`.
fn in_package(root: &Path) -> Named {
    let file = root.join("package.json");
    let json: Option<Json> = read_text(&file).ok().and_then(|text| serde_json::from_str(&text).ok());
    let schema = json.as_ref().and_then(|json| json.get("prisma")?.get("schema")?.as_str());
    match schema {
        Some(schema) => {
            Named { setting: Setting::Text(schema.into()), place: format!("`prisma.schema` in {}", shown(&file)) }
        }
        None => Named { setting: Setting::Absent, place: String::new() },
    }
}

/// The file itself; of a folder of schema files the one with the datasource, beside which the migrations are.
fn with_datasource(schema: &Path) -> PathBuf {
    let files = names(schema).into_iter().filter(|name| name.ends_with(".prisma")).map(|name| schema.join(name));
    let has_datasource = |file: &PathBuf| read_text(file).is_ok_and(|text| datasource(&text).is_some());
    files.into_iter().find(has_datasource).unwrap_or_else(|| schema.to_path_buf())
}

fn beside(schema: &Path) -> PathBuf {
    clean(&schema.parent().unwrap_or(Path::new("")).join("migrations"))
}

fn clean(path: &Path) -> PathBuf {
    path.components().filter(|part| *part != std::path::Component::CurDir).collect()
}

/// What stands between the braces of `datasource db { … }`.
fn datasource(text: &str) -> Option<Vec<&str>> {
    let mut lines = text.lines().map(|line| line.split("//").next().unwrap_or_default().trim());
    lines.by_ref().find(|line| line.starts_with("datasource ") && line.ends_with('{'))?;
    Some(lines.take_while(|line| !line.starts_with('}')).collect())
}

fn provider(text: &str) -> Option<String> {
    let lines = datasource(text)?;
    let value = lines.into_iter().find_map(|line| line.strip_prefix("provider")?.trim_start().strip_prefix('='))?;
    value.trim().strip_prefix('"')?.split('"').next().map(ToOwned::to_owned)
}
