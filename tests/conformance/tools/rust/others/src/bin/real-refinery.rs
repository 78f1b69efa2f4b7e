//! usage: real-refinery MIGRATIONS DATABASE [--foreign-keys on|off] [--table NAME]; an error and its causes go to stderr.
use std::{env, error::Error, process::exit};

use refinery::{Runner, load_sql_migrations};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let Err(error) = migrate(&arguments) {
        eprintln!("{error}");
        let mut cause = error.source();
        while let Some(error) = cause {
            eprintln!("{error}");
            cause = error.source();
        }
        exit(1);
    }
}

fn migrate(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let option = |name| arguments.iter().position(|argument| argument == name).map(|at| arguments[at + 1].as_str());
    let mut connection = rusqlite::Connection::open(&arguments[1])?;
    if let Some(state) = option("--foreign-keys") {
        connection.pragma_update(None, "foreign_keys", state)?;
    }
    let mut runner = Runner::new(&load_sql_migrations(&arguments[0])?);
    if let Some(table) = option("--table") {
        runner.set_migration_table_name(table);
    }
    runner.run(&mut connection)?;
    Ok(())
}
