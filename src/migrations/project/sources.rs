//! A bounded scan of the project's source files for imports of drivers and for pragmas.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use super::code::{Kind, Language, Token, tokens};
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
    // Most files say nothing: look at the code only where one of the words is.
    if !["sqlite", "SQLite", "sql.js", "drizzle-orm/", "libsql", "tursodatabase", "foreign_keys", "_fk=", "migrations"]
        .iter()
        .any(|word| text.contains(word))
    {
        return;
    }
    let in_test = is_test(file.strip_prefix(&project.root).unwrap_or(file));
    let Some(language) = Language::of(file) else { return };
    let tokens = tokens(&text, language);
    for (at, token) in tokens.iter().enumerate() {
        let place = Place { file, line: token.line, in_test };
        if let Some(module) = imported(&tokens, at) {
            take_import(project, module, &place);
        }
        if let Some((on, below)) = token.text().and_then(foreign_keys) {
            let (file, line) = (file.to_path_buf(), token.line.saturating_add(below));
            project.foreign_keys.push(ForeignKeys { on, file, line, in_test });
        }
        if !in_test {
            project.migrate_folders.extend(option(&tokens[at..], "migrationsFolder").map(|value| place.found(value)));
            project.migrate_tables.extend(option(&tokens[at..], "migrationsTable").map(|value| place.found(value)));
        }
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

fn take_import(project: &mut Project, module: &str, place: &Place) {
    if let Some(driver) = module.strip_prefix("drizzle-orm/") {
        if let Some(driver) = driver.strip_suffix("/migrator") {
            project.migrator_imports.push(place.import(driver));
        } else if !driver.contains("-core") && !NOT_DRIVERS.contains(&driver.split('/').next().unwrap_or_default()) {
            project.driver_imports.push(place.import(driver));
        }
    } else if LIBRARIES.contains(&module.split("/web").next().unwrap_or_default()) {
        project.library_imports.push(place.import(module));
    }
}

/// The module that is imported here: a string after `from`, `import`, `import(` or `require(`.
fn imported(tokens: &[Token], at: usize) -> Option<&str> {
    let Kind::Text(module) = &tokens[at].kind else { return None };
    let before = tokens[..at].iter().rev().find(|token| !token.is("("))?;
    ["from", "import", "require"].iter().any(|word| before.is(word)).then_some(module)
}

/// `foreign_keys = ON`, `foreign_keys(0)`, `?_fk=1` and the like in a string, and on which of its lines, from 0.
fn foreign_keys(text: &str) -> Option<(bool, u32)> {
    let lower = text.to_ascii_lowercase();
    let (before, rest) = lower.split_once("foreign_keys").or_else(|| lower.split_once("_fk"))?;
    let value = rest.trim_start().strip_prefix(['=', '('])?.trim_start_matches([' ', '\'', '"']);
    let end = value.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(value.len());
    let on = match &value[..end] {
        "on" | "1" | "true" | "yes" => true,
        "off" | "0" | "false" | "no" => false,
        _ => return None,
    };
    Some((on, u32::try_from(before.matches('\n').count()).unwrap_or(u32::MAX)))
}

/// `name: 'value'`; nothing where the value is computed.
fn option(tokens: &[Token], name: &str) -> Option<String> {
    let is_it = tokens[0].is(name) || tokens[0].text() == Some(name);
    let Kind::Text(value) = &tokens.get(2).filter(|_| is_it && tokens[1].is(":"))?.kind else { return None };
    let ends = tokens.get(3).is_none_or(|next| [",", "}", ")"].iter().any(|mark| next.is(mark)));
    ends.then(|| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_code_is_evidence() {
        let folder = tempfile::tempdir().unwrap();
        let text = "run() /* 'a'\nimport { migrate } from 'drizzle-orm/d1/migrator'\n*/ // from 'drizzle-orm/d1/migrator'\n\
                    const help = `\nimport { migrate } from 'drizzle-orm/d1/migrator'`\n\
                    import {\n  migrate,\n} from\n  'drizzle-orm/libsql/migrator'\nconst a = await import(`bun:sqlite`)\n\
                    db.exec(`PRAGMA journal_mode = WAL;\nPRAGMA foreign_keys = ON`) // PRAGMA foreign_keys = OFF\n\
                    migrate(db, { migrationsFolder:\n'm', 'migrationsTable': 't' }) // { migrationsFolder: 'n' }\n\
                    migrate(db, { migrationsFolder: 'a' + b, migrationsTable: `${c}` })\n";
        std::fs::write(folder.path().join("db.ts"), text).unwrap();
        let mut project = Project { root: folder.path().into(), ..Project::default() };
        scan(&mut project);
        let of = |imports: &[Import]| -> Vec<(String, u32)> {
            imports.iter().map(|import| (import.driver_module.clone(), import.line)).collect()
        };
        assert_eq!(of(&project.migrator_imports), [("libsql".to_owned(), 9)]);
        assert_eq!(of(&project.library_imports), [("bun:sqlite".to_owned(), 10)]);
        let keys: Vec<_> = project.foreign_keys.iter().map(|found| (found.on, found.line)).collect();
        assert_eq!(keys, [(true, 12)]);
        let values = |found: &[Found]| -> Vec<String> { found.iter().map(|found| found.value.clone()).collect() };
        assert_eq!(
            (values(&project.migrate_folders), values(&project.migrate_tables)),
            (vec!["m".to_owned()], vec!["t".to_owned()])
        );
    }
}
