//! Reads `drizzle.config.*` as text: object literals with strings. What is computed is said to be so, never guessed.

use std::path::{Path, PathBuf};

use super::names;
use super::script::{Object, Value};
use crate::error::{Doing, Error};
use crate::files::read_text;
use crate::migrations::plan::Decision;
use crate::migrations::shown;

/// What a drizzle configuration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrizzleConfig {
    /// The file.
    pub file: PathBuf,
    /// `dialect`: `sqlite` or `turso`; older files have none. None where it is computed.
    pub dialect: Option<String>,
    /// `driver`: `d1-http`, `expo`, `durable-sqlite`, `better-sqlite`, `libsql`, … None where it is computed.
    pub driver: Option<String>,
    /// `out`: the migrations folder, from where the file lies.
    pub out: Setting,
    /// `migrations.table`: the ledger.
    pub table: Setting,
    /// `breakpoints`, where it is a literal: without them each file is one chunk.
    pub breakpoints: Option<bool>,
}

/// A setting of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    /// Not set.
    Absent,
    /// A literal.
    Text(String),
    /// An expression, which only JavaScript could evaluate.
    Computed {
        /// The line on which it stands, from 1.
        line: u32,
    },
}

impl Setting {
    /// The literal value, where it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

impl DrizzleConfig {
    /// The migrations folder; drizzle-kit's default where `out` is not set or not known.
    #[must_use]
    pub fn out_folder(&self) -> PathBuf {
        let out = self.out.text().unwrap_or("drizzle");
        let folder = self.file.parent().unwrap_or(Path::new("")).join(out);
        folder.components().filter(|part| *part != std::path::Component::CurDir).collect()
    }

    /// Whether this is the folder that the configuration means.
    #[must_use]
    pub fn names(&self, folder: &Path) -> bool {
        !matches!(self.out, Setting::Computed { .. }) && shown(&self.out_folder()) == shown(folder)
    }

    /// Whether another configuration means the same migrations.
    #[must_use]
    pub fn agrees_with(&self, other: &Self) -> bool {
        let table = |config: &Self| match &config.table {
            Setting::Absent => Setting::Text("__drizzle_migrations".into()),
            given => given.clone(),
        };
        let is_known = |config: &Self| !matches!(config.out, Setting::Computed { .. });
        is_known(self) == is_known(other) && self.out_folder() == other.out_folder() && table(self) == table(other)
    }

    fn is_for_sqlite(&self) -> bool {
        let dialect = self.dialect.as_deref().is_none_or(|dialect| matches!(dialect, "sqlite" | "turso"));
        let other = ["pg", "mysql2", "pglite", "aws-data-api"];
        dialect && self.driver.as_deref().is_none_or(|driver| !other.contains(&driver))
    }
}

/// The configurations for SQLite in a folder.
pub(super) fn read_all(folder: &Path, notes: &mut Vec<Decision>) -> Result<Vec<DrizzleConfig>, Error> {
    let mut configs = Vec::new();
    for name in files(folder) {
        let file = folder.join(name);
        let text = read_text(&file).doing(|| format!("reading `{}`", shown(&file)))?;
        let config = read(file, &text);
        if config.is_for_sqlite() {
            configs.push(config);
        } else {
            let value = format!("{} is left out", shown(&config.file));
            notes.push(Decision { what: "config", value, why: "it is for another database".into() });
        }
    }
    Ok(configs)
}

/// The names of the configurations in a folder: `drizzle.config.ts`, `drizzle.config.prod.ts`, `drizzle-d1.config.ts`.
pub(super) fn files(folder: &Path) -> Vec<String> {
    let ends = ["ts", "mts", "cts", "js", "mjs", "cjs", "json"];
    let is_config = |name: &String| {
        let end = name.rsplit_once('.').map(|(_, end)| end);
        name.starts_with("drizzle") && name.contains(".config.") && end.is_some_and(|end| ends.contains(&end))
    };
    names(folder).into_iter().filter(is_config).collect()
}

/// Reads the script of a configuration; none of the values is of use without its file.
pub(crate) fn read_script(text: &str) {
    read(PathBuf::new(), text);
}

fn read(file: PathBuf, text: &str) -> DrizzleConfig {
    let config = super::script::exported(text);
    let computed = match &config {
        Value::Object(_) => None,
        Value::Computed { line } => Some(*line),
        _ => Some(1),
    };
    let empty = Object::default();
    let object = if let Value::Object(object) = &config { object } else { &empty };
    let setting = |value: Option<&Value>, spread: Option<u32>| match (value, computed.or(spread)) {
        (Some(Value::Text(text) | Value::Word(text)), _) => Setting::Text(text.clone()),
        (Some(Value::Computed { line }), _) => Setting::Computed { line: *line },
        (None, Some(line)) => Setting::Computed { line },
        (Some(Value::Object(_)), _) => Setting::Computed { line: 1 },
        (None, None) => Setting::Absent,
    };
    let of = |name| setting(object.get(name), object.spread);
    let table = match object.get("migrations") {
        Some(Value::Object(migrations)) => setting(migrations.get("table"), migrations.spread),
        other => setting(other, object.spread),
    };
    let literal = |name| of(name).text().map(ToOwned::to_owned);
    let breakpoints = literal("breakpoints").and_then(|text| text.parse().ok());
    DrizzleConfig { dialect: literal("dialect"), driver: literal("driver"), out: of("out"), table, breakpoints, file }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(text: &str) -> [String; 3] {
        let config = read("drizzle.config.ts".into(), text);
        let shown = |setting| match setting {
            Setting::Absent => "-".into(),
            Setting::Text(text) => text,
            Setting::Computed { line } => format!("line {line}"),
        };
        [config.dialect.unwrap_or_else(|| "-".into()), shown(config.out), shown(config.table)]
    }

    #[test]
    fn configurations() {
        for (text, expected) in [
            ("export default defineConfig({ dialect: 'sqlite', out: \"./x\" });", ["sqlite", "./x", "-"]),
            (
                "import type { Config } from 'drizzle-kit';\nexport default { out: `./y` } satisfies Config",
                ["-", "./y", "-"],
            ),
            ("export default { \"out\": './y', } as Config;", ["-", "./y", "-"]),
            ("export default <Config>{ out: 'a' }", ["-", "a", "-"]),
            ("module.exports = { migrations: { table: 'm', schema: 's' } }", ["-", "-", "m"]),
            ("{ \"dialect\": \"turso\", \"out\": \"o\" }", ["turso", "o", "-"]),
            ("const config: Config = { out: 'c' }\nexport default config", ["-", "c", "-"]),
            ("const config = defineConfig({ out: 'c' })\nexport default config;", ["-", "c", "-"]),
            ("const out = './z';\nexport default defineConfig({ out, dialect: 'sqlite' })", ["sqlite", "./z", "-"]),
            ("const dir = './z';\nexport default defineConfig({ out: dir })", ["-", "./z", "-"]),
            ("export default defineConfig({\n out: process.env.OUT,\n dialect: 'sqlite' })", ["sqlite", "line 2", "-"]),
            ("export default defineConfig({ out: process.env.OUT ?? './x' })", ["-", "line 1", "-"]),
            ("export default defineConfig({ out: './x' + y })", ["-", "line 1", "-"]),
            ("export default defineConfig({ out: `./${y}` })", ["-", "line 1", "-"]),
            ("export default defineConfig({ out: 'a' as const, dialect: 'sqlite' })", ["sqlite", "a", "-"]),
            ("export default defineConfig({ ...base, dialect: 'sqlite' })", ["sqlite", "line 1", "line 1"]),
            ("export default defineConfig(prod ? { out: 'a' } : { out: 'b' })", ["-", "line 1", "line 1"]),
            ("// out: 'no'\nexport default { /* out: 'no' */ out: 'yes' // out: 'no'\n}", ["-", "yes", "-"]),
            (
                "export default defineConfig({ schema: ['./a', './b'], dbCredentials: { url: process.env.URL!, out: 'no' }, \
                 out: 'yes', verbose: true })",
                ["-", "yes", "-"],
            ),
            ("export default defineConfig({ dbCredentials: { url: get(`x${1}}`) }, out: 'yes' })", ["-", "yes", "-"]),
            ("export default defineConfig({ url() { return { out: 'no' } }, out: 'yes' })", ["-", "yes", "-"]),
            ("if (!process.env.X) { throw new Error('no') }\nexport default { out: 'yes' }", ["-", "yes", "-"]),
            ("const is = /['\"`{]/;\nexport default { out: 'yes' }", ["-", "yes", "-"]),
            ("const note = `${a /* ` */}`;\nexport default { out: `\\x79es` }", ["-", "yes", "-"]),
            ("", ["-", "line 1", "line 1"]),
        ] {
            assert_eq!(settings(text), expected, "{text}");
        }
    }
}
