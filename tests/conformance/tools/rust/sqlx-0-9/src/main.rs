//! usage: real-sqlx-0-9 MIGRATIONS DATABASE [--foreign-keys on|off] [--table NAME]; an error goes to stderr.
use std::{env, error::Error, path::Path, process::exit};

use sqlx::{ConnectOptions, migrate::Migrator, sqlite::SqliteConnectOptions};

fn main() {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    if let Err(error) = runtime.block_on(migrate(&arguments)) {
        eprintln!("{error}");
        exit(1);
    }
}

async fn migrate(arguments: &[String]) -> Result<(), Box<dyn Error>> {
    let option = |name| arguments.iter().position(|argument| argument == name).map(|at| arguments[at + 1].clone());
    let mut options = SqliteConnectOptions::new().filename(&arguments[1]);
    if let Some(state) = option("--foreign-keys") {
        options = options.foreign_keys(state == "on");
    }
    let mut connection = options.connect().await?;
    let mut migrator = Migrator::new(Path::new(&arguments[0])).await?;
    if let Some(table) = option("--table") {
        migrator.dangerous_set_table_name(table);
    }
    migrator.run(&mut connection).await?;
    Ok(())
}
