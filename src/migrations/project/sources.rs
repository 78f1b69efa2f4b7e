//! A bounded scan of the project's source files for imports of drivers and for pragmas.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::{Project, names};
use crate::files::read_text;
use crate::migrations::plan::Decision;

/// An import in a source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Import {
    /// `better-sqlite3` of `drizzle-orm/better-sqlite3/migrator`; the whole name of a library.
    pub driver_module: String,
    /// The source file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u32,
    /// Whether the file is a test, which may use another driver than production.
    pub in_test: bool,
}

/// A place that sets `PRAGMA foreign_keys`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKeys {
    /// What it sets.
    pub on: bool,
    /// The source file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u32,
    /// Whether the file is a test.
    pub in_test: bool,
}

/// A literal value of an option in a source file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The value.
    pub value: String,
    /// The source file.
    pub file: PathBuf,
    /// The line, from 1.
    pub line: u32,
}

const MOST_FILES: usize = 5_000;
const MOST_FOLDERS: usize = 20_000;
/// The largest source file that is read, in bytes.
pub(crate) const MOST_BYTES: u64 = 1 << 20;
const SOURCES: &[&str] = &["ts", "mts", "cts", "tsx", "js", "mjs", "cjs", "jsx", "svelte", "vue", "astro", "go"];
/// Folders with code that is made or bought rather than written.
const NOT_WRITTEN: &[&str] =
    &["node_modules", "dist", "build", "out", "output", "coverage", "target", "vendor", "public"];
/// What lies below `drizzle-orm/` and is no driver.
const NOT_DRIVERS: &[&str] = &[
    "relations",
    "sql",
    "utils",
    "zod",
    "valibot",
    "typebox",
    "arktype",
    "casing",
    "cache",
    "entity",
    "table",
    "column",
    "errors",
    "logger",
    "migrator",
    "version",
    "query-builders",
    "prisma",
    "kysely",
    "knex",
    "_relations",
];
/// Libraries that open a SQLite database.
const LIBRARIES: &[&str] = &[
    "better-sqlite3",
    "@libsql/client",
    "libsql",
    "bun:sqlite",
    "node:sqlite",
    "sql.js",
    "expo-sqlite",
    "@op-engineering/op-sqlite",
    "@tursodatabase/database",
    "@tursodatabase/serverless",
    "@tursodatabase/sync",
];

/// The files of a project that are looked at.
#[derive(Debug, Default)]
pub(crate) struct Walked {
    /// The nearest first.
    pub(crate) files: Vec<PathBuf>,
    /// Whether there are more.
    pub(crate) cut_short: bool,
    /// How many are left out because of their size.
    pub(crate) too_large: usize,
}

/// Scans the source files below the project's root, the nearest folders first.
pub(super) fn scan(project: &mut Project) {
    let Walked { files, cut_short, too_large } = walk(&project.root, &|name| is_source(name));
    for path in &files {
        read_source(project, path);
    }
    if cut_short {
        let value = format!("the search in source files ended after {} files", files.len());
        let why = "the project is larger; an import of a driver or a pragma may have been missed".into();
        project.notes.push(Decision { what: "sources", value, why });
    }
    if too_large > 0 {
        let value = format!("{too_large} source files were not searched");
        project.notes.push(Decision { what: "sources", value, why: "they are larger than 1 MiB".into() });
    }
}

/// The files below a folder that are written by people and of a sensible size, by name; links are not followed.
pub(crate) fn walk(root: &Path, is_wanted: &dyn Fn(&str) -> bool) -> Walked {
    let mut folders = VecDeque::from([root.to_path_buf()]);
    let mut walked = Walked::default();
    let mut seen_folders = 0;
    while let Some(folder) = folders.pop_front() {
        seen_folders += 1;
        for name in names(&folder) {
            let path = folder.join(&name);
            let Ok(found) = path.symlink_metadata() else { continue };
            if found.is_dir() && is_written(&name) {
                walked.cut_short |= seen_folders + folders.len() >= MOST_FOLDERS;
                if !walked.cut_short {
                    folders.push_back(path);
                }
            } else if found.is_file() && is_wanted(&name) {
                walked.cut_short |= walked.files.len() >= MOST_FILES;
                if found.len() > MOST_BYTES {
                    walked.too_large += 1;
                } else if walked.files.len() < MOST_FILES {
                    walked.files.push(path);
                }
            }
        }
    }
    walked
}

fn is_written(name: &str) -> bool {
    !name.starts_with('.') && !NOT_WRITTEN.contains(&name)
}

fn is_source(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, end)| SOURCES.contains(&end)) && !name.ends_with(".d.ts")
}

pub(crate) fn is_test(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    let in_folder = file.components().any(|part| {
        let part = part.as_os_str();
        part == "test" || part == "tests" || part == "__tests__" || part == "e2e"
    });
    in_folder || name.contains(".test.") || name.contains(".spec.") || name.ends_with("_test.go")
}

fn read_source(project: &mut Project, file: &Path) {
    let Ok(text) = read_text(file) else { return };
    // Most files say nothing: look at the lines only where one of the words is.
    if !["sqlite", "SQLite", "sql.js", "drizzle-orm/", "libsql", "tursodatabase", "foreign_keys", "_fk=", "migrations"]
        .iter()
        .any(|word| text.contains(word))
    {
        return;
    }
    let in_test = is_test(file.strip_prefix(&project.root).unwrap_or(file));
    let mut in_comment = false;
    for (line, number) in text.lines().zip(1..) {
        let code = without_comment(line, &mut in_comment);
        read_line(project, code, &Place { file, line: number, in_test });
    }
}

struct Place<'a> {
    file: &'a Path,
    line: u32,
    in_test: bool,
}

impl Place<'_> {
    fn import(&self, module: &str) -> Import {
        Import { driver_module: module.into(), file: self.file.into(), line: self.line, in_test: self.in_test }
    }

    fn found(&self, value: String) -> Found {
        Found { value, file: self.file.into(), line: self.line }
    }
}

/// The line without a comment that takes all of it, or its beginning.
fn without_comment<'a>(line: &'a str, in_comment: &mut bool) -> &'a str {
    let mut code = line.trim_start();
    if *in_comment || code.starts_with("/*") {
        *in_comment = !code.contains("*/");
        code = code.split_once("*/").map_or("", |(_, rest)| rest);
    }
    if code.starts_with("//") { "" } else { code }
}

fn read_line(project: &mut Project, code: &str, place: &Place) {
    for module in imported(code) {
        if let Some(driver) = module.strip_prefix("drizzle-orm/") {
            if let Some(driver) = driver.strip_suffix("/migrator") {
                project.migrator_imports.push(place.import(driver));
            } else if !driver.contains("-core") && !NOT_DRIVERS.contains(&driver.split('/').next().unwrap_or_default())
            {
                project.driver_imports.push(place.import(driver));
            }
        } else if LIBRARIES.contains(&module.split("/web").next().unwrap_or_default()) {
            project.library_imports.push(place.import(module));
        }
    }
    if let Some(on) = foreign_keys(code) {
        let (file, line, in_test) = (place.file.into(), place.line, place.in_test);
        project.foreign_keys.push(ForeignKeys { on, file, line, in_test });
    }
    if !place.in_test {
        project.migrate_folders.extend(option(code, "migrationsFolder").map(|value| place.found(value)));
        project.migrate_tables.extend(option(code, "migrationsTable").map(|value| place.found(value)));
    }
}

/// The modules that a line imports: quoted, after `from`, `import`, `import(` or `require(`.
fn imported(code: &str) -> Vec<&str> {
    let mut modules = Vec::new();
    for (index, quote) in code.match_indices(['"', '\'', '`']) {
        let before = code[..index].trim_end_matches(['(', ' ', '\t']);
        let imports = ["from", "import", "require"].iter().any(|word| before.ends_with(word));
        if let Some((module, _)) = code[index + 1..].split_once(quote).filter(|_| imports) {
            modules.push(module);
        }
    }
    modules
}

/// `foreign_keys = ON`, `foreign_keys(0)`, `?_fk=1` and the like in a line.
fn foreign_keys(code: &str) -> Option<bool> {
    let lower = code.to_ascii_lowercase();
    let (_, rest) = lower.split_once("foreign_keys").or_else(|| lower.split_once("_fk"))?;
    let value = rest.trim_start().strip_prefix(['=', '('])?.trim_start_matches([' ', '\'', '"']);
    let end = value.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(value.len());
    match &value[..end] {
        "on" | "1" | "true" | "yes" => Some(true),
        "off" | "0" | "false" | "no" => Some(false),
        _ => None,
    }
}

/// `name: 'value'` in a line; nothing where the value is computed.
fn option(code: &str, name: &str) -> Option<String> {
    let (_, rest) = code.split_once(name)?;
    let value = rest.trim_start_matches(['"', '\'']).trim_start().strip_prefix(':')?.trim_start();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'))?;
    let (value, rest) = value[1..].split_once(quote)?;
    let ends = rest.trim_start().is_empty() || rest.trim_start().starts_with([',', '}', ')']);
    (ends && !value.contains("${")).then(|| value.to_owned())
}
