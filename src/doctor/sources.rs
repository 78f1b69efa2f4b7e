//! What source files say of the database: pragmas that they set, files that they open, migrations that they compile in. Tests, and
//! what lies beside the app, are left out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::answer::At;
use super::{database, places};
use crate::migrations::project::code::{Kind, Language, Token, tokens};
use crate::migrations::project::sources::{Walked, is_test, walk};

/// The pragmas that are looked for, with other names that drivers of Go have for them in an address.
const PRAGMAS: [(&str, &[&str]); 3] = [
    ("foreign_keys", &["_foreign_keys", "_fk"]),
    ("journal_mode", &["_journal_mode", "_journal"]),
    ("synchronous", &["_synchronous", "_sync"]),
];

/// Constructors and functions that open the file that they are given.
const OPENERS: [&str; 6] =
    ["Database", "DatabaseSync", "createClient", "drizzle", "PrismaBetterSqlite3", "PrismaLibSql"];

/// Tokens of an expression that are looked at.
const MOST_TOKENS: usize = 64;

/// Folders of what lies beside an app.
const ASIDE: [&str; 9] =
    ["scripts", "tools", "bench", "benches", "benchmark", "benchmarks", "examples", "fixtures", "seeds"];

/// What compiles migrations into a program.
const EMBEDDING: [&str; 5] = ["migrate", "embed_migrations", "include_dir", "include_str", "refinery"];

/// A file is looked at only where one of these is in it.
const TELLING: [&str; 9] = [
    "foreign_keys",
    "journal",
    "synchronous",
    "_fk",
    "_sync",
    "Database",
    "createClient",
    "drizzle(",
    "PrismaBetterSqlite3",
];

/// What source files say of the database.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// In the order of the files, the nearest first.
    pragmas: Vec<(&'static str, String, At)>,
    /// Files that are opened, as literals in the code.
    pub(super) opened: Vec<database::Named>,
    /// Where migrations are compiled in.
    pub(super) embedded: Option<At>,
    /// What a person must know about the search.
    pub(super) notes: Vec<String>,
}

impl Sources {
    /// Reads the source files below a folder.
    pub(super) fn scan(root: &Path) -> Self {
        let Walked { files, cut_short, too_large } =
            walk(root, &|name| Language::of(Path::new(name)).is_some() && !name.ends_with(".d.ts"));
        let mut found = Self::default();
        let of_the_app = |file: &&PathBuf| {
            let below = file.strip_prefix(root).unwrap_or(file);
            !is_test(below) && !is_aside(below)
        };
        for file in files.iter().filter(of_the_app) {
            found.read(file);
        }
        if cut_short {
            found.notes.push(format!("the search ended after {} source files", files.len()));
        }
        if too_large > 0 {
            found.notes.push(format!("{too_large} source files of more than 1 MiB were not searched"));
        }
        found
    }

    fn read(&mut self, file: &Path) {
        let (Some(language), Ok(text)) = (Language::of(file), places::text(file)) else { return };
        let embeds = matches!(language, Language::Rust | Language::Go);
        let is_telling = TELLING.iter().any(|word| text.contains(word))
            || embeds && (text.contains("embed") || EMBEDDING.iter().any(|word| text.contains(word)));
        if !is_telling {
            return;
        }
        if language == Language::Go {
            // A directive of the compiler is a comment.
            let directive = text.lines().zip(1..).find(|(line, _)| line.starts_with("//go:embed "));
            self.embedded = self.embedded.take().or(directive.map(|(_, line)| At::new(file, line)));
        }
        let tokens = tokens(&text, language);
        let assigned = assignments(&tokens);
        for (index, token) in tokens.iter().enumerate() {
            let at = || At::new(file, token.line);
            for (name, others) in PRAGMAS {
                if let Some(value) = set_here(&tokens[index..], name, others) {
                    self.pragmas.push((name, value, at()));
                }
            }
            if let Some((path, is_default)) = opened_here(&tokens, index, &assigned) {
                self.opened.push(database::Named { path, at: at(), is_default });
            }
            let is_macro = language == Language::Rust && tokens.get(index + 1).is_some_and(|next| next.is("!"));
            if is_macro && self.embedded.is_none() && token.word().is_some_and(|word| EMBEDDING[..3].contains(&word)) {
                self.embedded = Some(at());
            }
        }
    }

    /// The places that set this pragma, each with the value in lower case.
    pub(super) fn pragma(&self, name: &str) -> Vec<(&str, &At)> {
        let of = self.pragmas.iter().filter(|(known, ..)| *known == name);
        of.map(|(_, value, at)| (value.as_str(), at)).collect()
    }
}

/// Whether a file is one that people run by hand: its connections are not the app's.
fn is_aside(file: &Path) -> bool {
    let is = |part: std::path::Component<'_>| ASIDE.iter().any(|name| part.as_os_str() == *name);
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    file.components().any(is) || name.starts_with("seed")
}

/// The value to which the pragma is set by what begins here.
fn set_here(tokens: &[Token], name: &str, others: &[&str]) -> Option<String> {
    let next = |at: usize| tokens.get(at).map(|token| &token.kind);
    match &tokens.first()?.kind {
        // `pragma_update(None, "journal_mode", "WAL")`
        Kind::Text(text) if text.eq_ignore_ascii_case(name) => match (next(1), next(2)) {
            (Some(Kind::Mark(',')), Some(Kind::Text(value) | Kind::Word(value))) => Some(value.to_lowercase()),
            _ => None,
        },
        Kind::Text(text) | Kind::Computed(text) => in_text(text, name, others),
        // `.journal_mode(SqliteJournalMode::Wal)`
        Kind::Word(word) if word == name && next(1) == Some(&Kind::Mark('(')) => {
            let inside = tokens[2..].iter().take_while(|token| !token.is(")"));
            inside.filter_map(Token::word).last().map(str::to_lowercase)
        }
        _ => None,
    }
}

/// `PRAGMA journal_mode = WAL`, `journal_mode=wal`, `?_pragma=journal_mode(WAL)`, `?_journal_mode=WAL`; the last one counts.
fn in_text(text: &str, name: &str, others: &[&str]) -> Option<String> {
    let lower = text.to_lowercase();
    let value_after = |name: &str| {
        lower
            .match_indices(name)
            .filter_map(|(at, _)| {
                let before = lower[..at].chars().next_back();
                if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
                    return None;
                }
                let rest = lower[at + name.len()..].trim_start().strip_prefix(['=', '('])?;
                let value = rest.trim_start_matches([' ', '\'', '"']);
                let end = value.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(value.len());
                (end > 0).then(|| value[..end].to_owned())
            })
            .last()
    };
    std::iter::once(&name).chain(others).find_map(|name| value_after(name))
}

/// The path in `new Database('data/app.db')`, `createClient({ url: 'file:app.db' })` and the like; also where a name stands there that is
/// given such a value in the same file. None where the path is put together.
fn opened_here(tokens: &[Token], at: usize, assigned: &BTreeMap<&str, usize>) -> Option<(String, bool)> {
    let opener = tokens[at].word()?;
    let open = at + 1;
    if !OPENERS.contains(&opener) || !tokens.get(open)?.is("(") {
        return None;
    }
    let mut depth = 0_u32;
    let mut arguments = tokens[open..].iter().take(MOST_TOKENS).take_while(|token| {
        depth = match token.kind {
            Kind::Mark('(') => depth + 1,
            Kind::Mark(')') => depth - 1,
            _ => depth,
        };
        depth > 0
    });
    if let Some(Kind::Word(name)) = tokens.get(open + 1).map(|token| &token.kind)
        && tokens.get(open + 2).is_some_and(|token| token.is(")") || token.is(","))
    {
        let value = *assigned.get(name.as_str())?;
        let line = tokens[value].line;
        let mut expression = tokens[value + 2..]
            .iter()
            .take(MOST_TOKENS)
            .take_while(|token| !token.is(";") && (token.line <= line + 2 && !token.is("const")));
        return plain_path(&mut expression);
    }
    plain_path(&mut arguments)
}

/// Where names are given a value, by name; the last place counts.
fn assignments(tokens: &[Token]) -> BTreeMap<&str, usize> {
    let is_assignment = |three: &[Token]| three[1].is("=") && !three[2].is("=") && !three[2].is(">");
    let found = tokens.windows(3).enumerate().filter(|(_, three)| is_assignment(three));
    found.filter_map(|(at, three)| Some((three[0].word()?, at))).collect()
}

/// The first path among these tokens, unless something before it joins paths, and whether something before it reads a variable.
fn plain_path(tokens: &mut dyn Iterator<Item = &Token>) -> Option<(String, bool)> {
    let mut is_default = false;
    for token in tokens {
        match &token.kind {
            Kind::Word(word) if word.eq_ignore_ascii_case("env") => is_default = true,
            Kind::Word(word) if ["join", "resolve", "dirname", "URL", "fileURLToPath"].contains(&word.as_str()) => {
                return None;
            }
            Kind::Mark('+') => return None,
            Kind::Text(text) | Kind::Computed(text) => {
                if let Some(path) = database::path(text) {
                    return Some((path, is_default));
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, text: &str) -> Sources {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(name), text).unwrap();
        Sources::scan(folder.path())
    }

    #[test]
    fn pragmas_are_read_however_they_are_set() {
        for (file, text, name, value) in [
            ("db.ts", "db.pragma('journal_mode = WAL')", "journal_mode", Some("wal")),
            ("db.ts", "db.exec(`PRAGMA synchronous=OFF;`)", "synchronous", Some("off")),
            ("db.ts", "// db.pragma('journal_mode = WAL')", "journal_mode", None),
            ("db.ts", "db.pragma('journal_mode')", "journal_mode", None),
            ("db.test.ts", "db.pragma('journal_mode = WAL')", "journal_mode", None),
            ("seed.ts", "db.pragma('synchronous = OFF')", "synchronous", None),
            ("main.go", "sql.Open(\"sqlite\", \"a.db?_pragma=journal_mode(WAL)&_fk=1\")", "journal_mode", Some("wal")),
            ("main.go", "sql.Open(\"sqlite3\", \"a.db?_fk=1\")", "foreign_keys", Some("1")),
            ("main.rs", "o.journal_mode(SqliteJournalMode::Wal)", "journal_mode", Some("wal")),
            ("main.rs", "c.pragma_update(None, \"foreign_keys\", false)", "foreign_keys", Some("false")),
            ("db.py", "c.execute('PRAGMA foreign_keys = ON') # PRAGMA foreign_keys = OFF", "foreign_keys", Some("on")),
        ] {
            let found = found(file, text);
            assert_eq!(found.pragma(name).first().map(|(value, _)| *value), value, "{text}");
        }
    }

    #[test]
    fn files_that_are_opened_are_read_where_they_are_literals() {
        for (text, path) in [
            ("new Database('data/app.db')", Some("data/app.db")),
            ("new Database(process.env.DB ?? 'app.sqlite')", Some("app.sqlite")),
            ("createClient({ url: 'file:./app.db' })", Some("./app.db")),
            ("createClient({ url: process.env.URL }); f('x.db')", None),
            ("new Database(':memory:')", None),
            ("const path = process.env.DB ?? './.data/app.db'\nnew Database(path)", Some("./.data/app.db")),
            ("const path = join(root, 'data/app.db')\nnew Database(path)", None),
            ("new Database(path.join(__dirname, '../app.db'))", None),
            ("new Database(`${folder}/app.db`)", None),
            ("new Database(root + '/app.db')", None),
        ] {
            let opened = found("db.ts", text).opened;
            assert_eq!(opened.first().map(|opened| opened.path.as_str()), path, "{text}");
        }
    }

    #[test]
    fn what_is_compiled_in_is_seen() {
        assert!(found("main.rs", "sqlx::migrate!(\"./migrations\").run(&pool)").embedded.is_some());
        assert!(found("main.go", "package main\n//go:embed migrations/*.sql\nvar fs embed.FS").embedded.is_some());
        assert!(found("main.rs", "// sqlx::migrate!()\nfn migrate() {}").embedded.is_none());
    }
}
