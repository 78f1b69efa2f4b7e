//! `rehearse demo`: a small drizzle app whose next migration loses every row of a table, made on the spot and rehearsed by the same code
//! as any other.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rehearse::Options;
use rehearse::error::{Doing as _, Error};
use rehearse::expectations::database::checksum;
use rehearse::migrations::Request;
use rehearse::report::Format;
use rehearse::report::visible::visible;
use rehearse::snapshot::Workspace;
use rusqlite::{Connection, OpenFlags, params};

use super::output::{Terminal, word};
use super::reports::Reports;

/// The app, as drizzle-kit 0.31 leaves it.
const FILES: [(&str, &str); 6] = [
    ("package.json", include_str!("package.json")),
    ("drizzle.config.ts", include_str!("drizzle.config.ts")),
    ("schema.ts", include_str!("schema.ts")),
    ("drizzle/meta/_journal.json", include_str!("_journal.json")),
    ("drizzle/0000_init.sql", INIT),
    ("drizzle/0001_email_required.sql", include_str!("0001_email_required.sql")),
];
/// The migration that production already has.
const INIT: &str = include_str!("0000_init.sql");
/// Its `when` in the journal.
const INIT_WHEN: i64 = 1_760_000_000_000;

/// 100 users with one post each, and the ledger as drizzle-orm 0.45 writes it.
const ROWS: &str = "
    WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100)
        INSERT INTO users (id, email) SELECT i, printf('user%d@example.com', i) FROM n;
    WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 100)
        INSERT INTO posts (id, user_id, title) SELECT i, i, printf('post %d', i) FROM n;
    CREATE TABLE IF NOT EXISTS \"__drizzle_migrations\" ( id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric );";

const BEFORE: &str = "\
An app with drizzle-orm and better-sqlite3. Its production database holds
100 users and 100 posts; posts reference users with ON DELETE CASCADE.
`email` became notNull() in schema.ts, so `drizzle-kit generate` wrote
drizzle/0001_email_required.sql, which copies `users` into a new table.
At the next start migrate() would run it and return normally.

";

/// Makes the app in `folder`, or in a temporary one that is removed again, and rehearses it there.
pub fn run(folder: Option<&Path>, terminal: &Terminal) -> Result<u8, Error> {
    let temporary = Workspace::create(None)?;
    let place = folder.map_or_else(|| temporary.path().to_owned(), Path::to_owned);
    make(&place)?;
    let here = std::env::current_dir().doing(|| "finding the current folder".to_owned())?;
    std::env::set_current_dir(&place).doing(|| format!("entering `{}`", place.display()))?;
    let outcome = show(folder, terminal);
    std::env::set_current_dir(here).doing(|| "leaving the demo's folder".to_owned())?;
    outcome
}

fn show(folder: Option<&Path>, terminal: &Terminal) -> Result<u8, Error> {
    let talkative = terminal.format == Format::Text && !terminal.is_quiet();
    if talkative {
        terminal.print(&format!("{BEFORE}$ rehearse --snapshot prod.db\n\n"))?;
    }
    let migrations = Request { folder: None, tool: None, table: None, project: PathBuf::from(".") };
    let options = Options::of(PathBuf::from("prod.db"), migrations);
    let code = super::run_and_report(&options, Reports::default(), terminal)?;
    if code != 1 {
        return Err(Error::cannot(
            "running the demo",
            format!("the loss was not found: the rehearsal would exit with {code}"),
        )
        .hint("this is a bug in rehearse; please report it with the output above"));
    }
    if talkative {
        terminal.print(&after(folder))?;
    }
    Ok(0)
}

fn after(folder: Option<&Path>) -> String {
    let enter = match folder {
        Some(folder) => format!("cd {}", word(&visible(&folder.display().to_string()))),
        None => "rehearse demo ./demo && cd demo".to_owned(),
    };
    let next = [
        ("rehearse explain LS102", "why this happens and what to do"),
        (enter.as_str(), "look at the app, change it, and rehearse it again"),
        ("rehearse --snapshot prod.db --driver libsql", "the same migration keeps every row under libsql"),
        ("rehearse --snapshot FILE", "in the folder of your own app, with a copy of its database"),
    ];
    let mut text = String::from("\nThe rehearsal alone would exit with 1; the demo worked and exits with 0.\n\nNext\n");
    if !is_installed() {
        text.push_str("  cargo install --path .\n      puts `rehearse` on your PATH, where it is not yet\n");
    }
    for (command, what) in next {
        let _ = writeln!(text, "  {command}\n      {what}");
    }
    text
}

/// Whether a shell would find the command that the text speaks of.
fn is_installed() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join("rehearse").is_file())
}

/// Writes the app and its database; never over files that are there.
fn make(folder: &Path) -> Result<(), Error> {
    let database = folder.join("prod.db");
    if database.exists() {
        return Err(Error::usage(format!("making the demo in `{}`", folder.display()), "there is a `prod.db` already")
            .hint("give a folder that does not exist yet"));
    }
    for (name, text) in FILES {
        let file = folder.join(name);
        let doing = || format!("writing `{}`", file.display());
        if let Some(parent) = file.parent() {
            std::fs::create_dir_all(parent).doing(doing)?;
        }
        if file.exists() {
            return Err(Error::usage(doing(), "the file exists already").hint("give a folder that does not exist yet"));
        }
        std::fs::write(&file, text).doing(doing)?;
    }
    fill(&database).doing(|| format!("making `{}`", database.display()))
}

fn fill(database: &Path) -> rusqlite::Result<()> {
    let connection =
        Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    connection.execute_batch(INIT)?;
    connection.execute_batch(ROWS)?;
    connection.execute(
        "INSERT INTO \"__drizzle_migrations\" (hash, created_at) VALUES (?1, ?2)",
        params![checksum(INIT), INIT_WHEN],
    )?;
    connection.close().map_err(|(_, error)| error)
}

#[cfg(test)]
mod tests {
    use super::{FILES, INIT_WHEN, word};

    #[test]
    fn a_folder_can_be_pasted() {
        assert_eq!(["./demo", "my app", "it's"].map(word), ["./demo", "'my app'", r"'it'\''s'"]);
    }

    #[test]
    fn the_journal_names_the_files_and_the_time() {
        let journal: serde_json::Value = serde_json::from_str(FILES[3].1).unwrap();
        assert_eq!(journal["entries"][0]["when"], INIT_WHEN);
        for (index, (name, _)) in FILES[4..].iter().enumerate() {
            assert_eq!(*name, format!("drizzle/{}.sql", journal["entries"][index]["tag"].as_str().unwrap()));
        }
    }
}
