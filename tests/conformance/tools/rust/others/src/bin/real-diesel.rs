//! usage: real-diesel MIGRATIONS DATABASE [--foreign-keys on|off]; an error goes to stderr.
use std::{env, error::Error, process::exit};

use diesel::{Connection, SqliteConnection, connection::SimpleConnection};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Err(error) = migrate(&arguments) {
        eprintln!("{error}");
        exit(1);
    }
}

fn migrate(arguments: &[String]) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut connection = SqliteConnection::establish(&arguments[1])?;
    if let Some(at) = arguments.iter().position(|argument| argument == "--foreign-keys") {
        connection.batch_execute(&format!("PRAGMA foreign_keys = {}", arguments[at + 1]))?;
    }
    connection.run_pending_migrations(FileBasedMigrations::from_path(&arguments[0])?)?;
    Ok(())
}
