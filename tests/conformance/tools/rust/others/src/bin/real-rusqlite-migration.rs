//! usage: real-rusqlite-migration MIGRATIONS DATABASE [--foreign-keys on|off]; an error goes to stderr.
use std::{env, error::Error, fs, path::Path, process::exit};

use include_dir::{Dir, DirEntry, File};
use rusqlite::Connection;
use rusqlite_migration::Migrations;

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Err(error) = migrate(&arguments) {
        eprintln!("{error}");
        exit(1);
    }
}

fn migrate(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let folder: &Dir = Box::leak(Box::new(Dir::new("", entries(Path::new(&arguments[0]), "")?)));
    let mut connection = Connection::open(&arguments[1])?;
    if let Some(at) = arguments.iter().position(|argument| argument == "--foreign-keys") {
        connection.pragma_update(None, "foreign_keys", &arguments[at + 1])?;
    }
    Migrations::from_directory(folder)?.to_latest(&mut connection)?;
    Ok(())
}

/// What `include_dir!` makes at compile time.
fn entries(folder: &Path, inside: &str) -> Result<&'static [DirEntry<'static>], Box<dyn Error>> {
    let mut entries = Vec::new();
    let mut found = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    found.sort_by_key(|entry| entry.file_name());
    for entry in found {
        let name = entry.file_name().into_string().expect("a UTF-8 name");
        let path: &str = if inside.is_empty() { name.leak() } else { format!("{inside}/{name}").leak() };
        entries.push(if entry.file_type()?.is_dir() {
            DirEntry::Dir(Dir::new(path, self::entries(&entry.path(), path)?))
        } else {
            DirEntry::File(File::new(path, fs::read(entry.path())?.leak()))
        });
    }
    Ok(entries.leak())
}
