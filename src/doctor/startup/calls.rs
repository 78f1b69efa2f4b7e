//! Which calls migrate, which listen, and which run what they are given.

use std::ops::Range;
use std::path::{Path, PathBuf};

use super::TOLD;
use super::module::{Import, Module};
use crate::doctor::shell;
use crate::migrations::project::code::{Language, Token};
use crate::report::text::cut;

/// What a call does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    Migrates,
    Listens,
}

/// A call.
#[derive(Debug)]
pub(super) struct Call<'a> {
    /// The function.
    pub(super) name: &'a str,
    /// What it is called on; empty where that is not a name.
    pub(super) receiver: Option<&'a str>,
    pub(super) line: u32,
    /// Whether what follows waits for it.
    pub(super) is_awaited: bool,
    /// The file that `require()` or `import()` loads.
    pub(super) loads: Option<&'a str>,
    at: usize,
    /// What stands between the parentheses.
    arguments: Range<usize>,
}

/// Functions that run what they are given, at once or when what they are called on is done.
const CALLING_BACK: [&str; 13] = [
    "then",
    "finally",
    "listen",
    "serve",
    "whenReady",
    "transaction",
    "nextTick",
    "defineNitroPlugin",
    "definePlugin",
    "run",
    "forEach",
    "map",
    "tap",
];
/// Migrators of drizzle-orm that return when everything is done.
const SYNCHRONOUS: [&str; 4] = ["better-sqlite3", "bun-sqlite", "node-sqlite", "sql-js"];
/// Tokens before a call that are looked at for what waits for it.
const MOST_TOKENS: usize = 200;
/// Files that a file of Go may take functions from; more are not looked at.
const MOST_NEIGHBOURS: usize = 200;
const EXECUTING: [&str; 9] =
    ["exec", "execSync", "execFile", "execFileSync", "spawn", "spawnSync", "execa", "execaSync", "Command"];

impl<'a> Call<'a> {
    /// The call whose name stands here.
    pub(super) fn at(module: &'a Module, at: usize) -> Option<Self> {
        let name = module.word(at)?;
        let is_macro = module.language == Language::Rust && module.is(at + 1, "!");
        let open = at + 1 + usize::from(is_macro);
        if !module.is(open, "(") {
            return None;
        }
        let close = module.close(open);
        let (receiver, begins) = receiver(module, at);
        let before = begins.checked_sub(1);
        let waits = before.is_some_and(|before| {
            ["await", "return", "yield"].iter().any(|word| module.is(before, word))
                || before > 0 && module.are(before - 1, &["=", ">"])
        });
        let waits = waits || is_awaited_with_others(module, begins);
        let goes_on = ["then", "finally", "catch"].iter().any(|word| module.are(close + 1, &[".", word]));
        let is_awaited = module.language != Language::JavaScript
            && !before.is_some_and(|before| module.is(before, "go"))
            || waits
            || goes_on;
        let loads = ["require", "import"].contains(&name) && receiver.is_none();
        let loads = if loads { module.tokens.get(open + 1).and_then(Token::text) } else { None };
        let line = module.tokens[at].line;
        Some(Self { name, receiver, line, is_awaited, loads, at, arguments: open + 1..close })
    }

    /// The import that names the function, or what it is called on.
    pub(super) fn import<'m>(&self, module: &'m Module) -> Option<&'m Import> {
        module.imported(self.receiver.unwrap_or(self.name))
    }
}

/// Whether it stands in `await Promise.all([…])`.
fn is_awaited_with_others(module: &Module, at: usize) -> bool {
    let all = (at.saturating_sub(MOST_TOKENS)..at).rev().find(|&before| {
        let is_all = ["all", "allSettled"].iter().any(|name| module.are(before, &["await", "Promise", ".", name, "("]));
        is_all && module.close(before + 4) > at
    });
    let is_nested = |all: usize| {
        (all + 5..at).any(|inner| module.are(inner, &["=", ">"]) && module.arrow_body(inner).contains(&at))
    };
    all.is_some_and(|all| !is_nested(all))
}

/// What stands before the name: `a` of `a.b` and `a::b`, and where the whole begins.
fn receiver(module: &Module, at: usize) -> (Option<&str>, usize) {
    let mut begins = at;
    let mut receiver = None;
    loop {
        let step = match begins {
            2.. if module.is(begins - 1, ".") => 2,
            3.. if module.are(begins - 2, &[":", ":"]) => 3,
            _ => break,
        };
        let before = module.word(begins - step);
        if receiver.is_none() {
            receiver = Some(before.unwrap_or_default());
        }
        if before.is_none() {
            // `f(x).g()`: what is before cannot be followed backwards.
            return (receiver, begins - step);
        }
        begins -= step;
    }
    (receiver, begins)
}

/// What a call does, how it is told, and whether it is done when it returns.
pub(super) fn seen(module: &Module, call: &Call<'_>, import: Option<&Import>) -> Option<(Seen, String, bool)> {
    let named = |seen, is_sync| {
        let receiver = call.receiver.filter(|receiver| !receiver.is_empty());
        let what = receiver.map_or_else(|| format!("`{}()`", call.name), |one| format!("`{one}.{}()`", call.name));
        Some((seen, what, is_sync))
    };
    if EXECUTING.contains(&call.name) {
        let text = module.texts(call.arguments.clone());
        let migrates = shell::commands(&text).iter().any(|command| shell::migrates(command));
        return migrates.then(|| (Seen::Migrates, format!("`{}`", cut(&text, TOLD)), call.name.ends_with("Sync")));
    }
    let receiver = call.receiver;
    match module.language {
        Language::JavaScript => match (receiver, call.name) {
            (None, _)
                if import.is_some_and(|import| import.exported == "migrate" && import.from.ends_with("migrator")) =>
            {
                let from = import.map(|import| import.from.as_str()).unwrap_or_default();
                named(Seen::Migrates, SYNCHRONOUS.iter().any(|name| from == format!("drizzle-orm/{name}/migrator")))
            }
            (Some(_), "runMigrations" | "migrateToLatest") | (Some("migrate"), "latest") | (Some("umzug"), "up") => {
                named(Seen::Migrates, false)
            }
            (Some(""), "up") if is_behind(module, call.at, "getMigrator") => named(Seen::Migrates, false),
            (Some(_), "listen") | (Some("Bun" | "Deno"), "serve") => named(Seen::Listens, false),
            (None, "serve") if import.is_some_and(|import| !import.from.starts_with('.')) => {
                named(Seen::Listens, false)
            }
            _ => None,
        },
        Language::Go => match (receiver, call.name) {
            (Some("goose"), "Up" | "UpContext" | "UpTo" | "RunContext") | (Some("migrate"), "Exec" | "ExecContext") => {
                named(Seen::Migrates, true)
            }
            (Some(_), "Up") if mentions(module, &["golang-migrate", "pressly/goose"]) => named(Seen::Migrates, true),
            (Some(_), "CreateAndMigrate" | "Migrate") if mentions(module, &["amacneil/dbmate"]) => {
                named(Seen::Migrates, true)
            }
            (Some(_), "ListenAndServe" | "ListenAndServeTLS" | "Serve" | "Listen") => named(Seen::Listens, true),
            (Some(_), "Run") if mentions(module, &["gin-gonic/gin"]) => named(Seen::Listens, true),
            (Some(_), "Start") if mentions(module, &["labstack/echo"]) => named(Seen::Listens, true),
            _ => None,
        },
        Language::Rust => match (receiver, call.name) {
            (_, "migrate") if module.is(call.at + 1, "!") => named(Seen::Migrates, true),
            (Some(receiver), "run" | "run_async")
                if receiver.contains("MIGRAT") || is_behind(module, call.at, "runner") =>
            {
                named(Seen::Migrates, true)
            }
            (_, "run_pending_migrations" | "to_latest") => named(Seen::Migrates, true),
            (Some("axum" | "warp"), "serve") | (Some("HttpServer"), "new") | (Some(_), "launch") => {
                named(Seen::Listens, true)
            }
            _ => None,
        },
        Language::Script => None,
    }
}

/// `wanted(…).name`: whether the call before this one is of that name.
fn is_behind(module: &Module, at: usize, wanted: &str) -> bool {
    let from = at.saturating_sub(12);
    (from..at)
        .any(|before| module.is(before, wanted) && module.is(before + 1, "(") && module.close(before + 1) + 2 == at)
}

/// Whether a file imports one of these.
fn mentions(module: &Module, names: &[&str]) -> bool {
    module.first_texts.iter().any(|text| names.iter().any(|name| text.contains(name)))
}

/// Whether a function that is given to this one, or stands alone, runs when the app starts.
pub(super) fn calls_back(callee: Option<&str>) -> bool {
    callee.is_none_or(|callee| CALLING_BACK.contains(&callee))
}

/// The body of the function without a name that begins here.
pub(super) fn anonymous(module: &Module, at: usize) -> Option<Range<usize>> {
    let after = |open: usize| {
        let close = module.close(open);
        let brace = (close..close + 20).find(|&at| module.is(at, "{"))?;
        Some(brace + 1..module.close(brace))
    };
    match module.language {
        Language::JavaScript if module.are(at, &["=", ">"]) => Some(module.arrow_body(at)),
        Language::JavaScript if module.are(at, &["function", "("]) => after(at + 1),
        Language::Go if module.are(at, &["func", "("]) => after(at + 1),
        _ => None,
    }
}

/// Whether the function without a name is asynchronous, is called at once, and nobody waits for it: `(async () => { … })()`.
pub(super) fn is_left_alone(module: &Module, arrow: usize) -> bool {
    if module.language == Language::Go {
        return arrow > 0 && module.is(arrow - 1, "go");
    }
    let from = arrow.saturating_sub(6);
    let Some(start) = (from..arrow).rev().find(|&at| module.is(at, "async")) else { return false };
    let is_called = start > 0 && module.is(start - 1, "(") && module.is(module.close(start - 1) + 1, "(");
    let waits = start > 1 && ["await", "return"].iter().any(|word| module.is(start - 2, word));
    is_called && !waits
}

/// Whether `export default` exports a server: an object with `fetch`, as Bun and Deno take it.
pub(super) fn is_server(module: &Module, at: usize) -> bool {
    let object = if module.is(at, "{") { Some(at) } else { None };
    object.is_some_and(|open| {
        let keys = (open + 1..module.close(open)).filter(|&at| module.is(at - 1, "{") || module.is(at - 1, ","));
        keys.into_iter().any(|at| module.is(at, "fetch"))
    })
}

/// The files that a file of Go or Rust may take a function from.
pub(super) fn neighbours(root: &Path, module: &Module) -> Vec<PathBuf> {
    let folder = module.file.parent().unwrap_or(Path::new(""));
    if module.language == Language::Rust {
        let modules = (0..module.tokens.len()).filter(|&at| module.is(at, "mod") && module.is(at + 2, ";"));
        let named = modules.filter_map(|at| module.word(at + 1));
        return named
            .flat_map(|name| [folder.join(name).with_extension("rs"), folder.join(name).join("mod.rs")])
            .filter(|path| path.is_file())
            .collect();
    }
    let imported = module.first_texts.iter().filter_map(|path| {
        // The module's own packages are those of which a folder is here.
        let parts: Vec<&str> = path.split('/').collect();
        (1..parts.len()).map(|from| root.join(parts[from..].join("/"))).find(|folder| folder.is_dir())
    });
    let folders = std::iter::once(folder.to_path_buf()).chain(imported);
    let mut files: Vec<PathBuf> = folders
        .flat_map(|folder| {
            std::fs::read_dir(crate::repository::or_dot(&folder)).into_iter().flatten().flatten().take(500)
        })
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.strip_suffix(".go").is_some_and(|stem| !stem.ends_with("_test")) && path != &module.file
        })
        .collect();
    files.sort();
    files.truncate(MOST_NEIGHBOURS);
    files
}
