//! Tools whose migrations only their own command can run: how it is told where the database is, and where it records what it did.
//!
//! A recipe is found by the words of the command. `rehearse init` proposes the one that the project's files speak for.

use std::path::Path;

use rusqlite::Connection;

use super::project::Project;
use super::tools::{self, TOOLS};
use crate::error::{Doing, Error};
use crate::schema::lexer::quote_identifier;

/// How the command of one tool is run on a copy.
#[derive(Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The tool, for reports.
    pub name: &'static str,
    /// Words that a command line of it holds, all of them.
    pub words: &'static [&'static str],
    /// The command that production usually runs.
    pub command: &'static str,
    /// What `DATABASE_URL` and `{db_url}` are; `{db}` is the absolute path of the copy.
    pub url: &'static str,
    /// Variables that say where the database is, besides [`COMMON`].
    pub variables: &'static [(&'static str, &'static str)],
    /// The name that the copy must have, where the tool does not let it be chosen.
    pub file_name: &'static str,
    /// What has to be changed in the copy of the project, where no variable says where the database is.
    pub adjustment: Adjustment,
    /// Where the tool records what it did.
    pub ledger: RecordedIn,
    /// Files that speak for it, the first that exists.
    pub files: &'static [&'static str],
    /// Code that keeps foreign keys off around the migrations; empty where none is known.
    pub foreign_keys_off: &'static str,
    /// A package that speaks for it: of npm, or of Python where the name stands in a requirements file.
    pub package: &'static str,
}

/// What has to be changed in the copy of the project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adjustment {
    /// Nothing.
    None,
    /// A settings module that takes the project's own and names the copy; `DJANGO_SETTINGS_MODULE` names it.
    DjangoSettings,
    /// `sqlalchemy.url` in `alembic.ini`.
    AlembicIni,
}

/// A ledger: its table, the columns that it has at least, and the SQL that names a migration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordedIn {
    /// The table.
    pub table: &'static str,
    /// Names in lower case.
    pub columns: &'static [&'static str],
    /// An expression over a row.
    pub name: &'static str,
}

const NOWHERE: RecordedIn = RecordedIn { table: "", columns: &[], name: "" };

/// What holds for a command that no recipe knows.
pub static ANY: Recipe = Recipe { name: "command", ..USUAL };

/// What stands for the name of a migration that no ledger tells.
pub const THE_COMMAND: &str = "the command";

/// Variables by which configuration files usually find a database, of every command.
pub const COMMON: [(&str, &str); 5] = [
    ("DATABASE_URL", "{db_url}"),
    ("DATABASE_PATH", "{db}"),
    ("DATABASE_FILE", "{db}"),
    ("DB_PATH", "{db}"),
    ("SQLITE_PATH", "{db}"),
];

/// The recipes. Where several fit a command line, the first is taken.
pub static RECIPES: &[Recipe] = &[
    Recipe {
        name: "drizzle-kit push",
        words: &["drizzle-kit", "push"],
        command: "npx drizzle-kit push --force",
        files: &["drizzle.config.ts", "drizzle.config.js", "drizzle.config.json"],
        package: "drizzle-kit",
        ..USUAL
    },
    Recipe {
        name: "drizzle-kit migrate",
        words: &["drizzle-kit", "migrate"],
        command: "npx drizzle-kit migrate",
        ledger: RecordedIn { table: "__drizzle_migrations", columns: &["id", "hash", "created_at"], name: "hash" },
        ..USUAL
    },
    Recipe {
        name: "prisma db push",
        words: &["prisma", "push"],
        command: "npx prisma db push --accept-data-loss --skip-generate",
        package: "prisma",
        files: &["prisma/schema.prisma", "schema.prisma"],
        ledger: PRISMA,
        ..USUAL
    },
    Recipe {
        name: "prisma migrate deploy",
        words: &["prisma", "migrate"],
        command: "npx prisma migrate deploy",
        ledger: PRISMA,
        ..USUAL
    },
    Recipe {
        name: "knex",
        words: &["knex"],
        command: "npx knex migrate:latest --client better-sqlite3 --connection {db}",
        foreign_keys_off: "// in the knexfile that the deploy uses\npool: {\n  afterCreate: (connection, done) => {\n    \
                           connection.pragma('foreign_keys = OFF')\n    done(null, connection)\n  },\n},",
        files: &["knexfile.js", "knexfile.cjs", "knexfile.mjs", "knexfile.ts"],
        package: "knex",
        ledger: RecordedIn {
            table: "knex_migrations",
            columns: &["id", "name", "batch", "migration_time"],
            name: "name",
        },
        ..USUAL
    },
    Recipe {
        name: "kysely",
        words: &["kysely"],
        command: "npx kysely migrate:latest",
        foreign_keys_off: "await sql`PRAGMA foreign_keys = OFF`.execute(db)\n// what the migration does\nawait sql`PRAGMA \
                           foreign_keys = ON`.execute(db)",
        files: &["kysely.config.ts", "kysely.config.js", "kysely.config.mjs", ".config/kysely.config.ts"],
        package: "kysely",
        ledger: RecordedIn { table: "kysely_migration", columns: &["name", "timestamp"], name: "name" },
        ..USUAL
    },
    Recipe {
        name: "typeorm",
        words: &["typeorm"],
        command: "npx typeorm migration:run -d data-source.js",
        foreign_keys_off: "npx typeorm migration:run -d data-source.js --transaction each   # TypeORM turns them off before it begins \
                           its own transaction",
        files: &["data-source.ts", "data-source.js", "src/data-source.ts", "ormconfig.json", "ormconfig.js"],
        package: "typeorm",
        ledger: RecordedIn { table: "migrations", columns: &["id", "timestamp", "name"], name: "name" },
        ..USUAL
    },
    Recipe {
        name: "sequelize",
        words: &["sequelize"],
        command: "npx sequelize-cli db:migrate --url {db_url}",
        url: "sqlite:{db}",
        foreign_keys_off: "await queryInterface.sequelize.query('PRAGMA foreign_keys = OFF')\n// what the migration does\nawait \
                           queryInterface.sequelize.query('PRAGMA foreign_keys = ON')",
        files: &[".sequelizerc", "config/config.json"],
        package: "sequelize",
        ledger: RecordedIn { table: "SequelizeMeta", columns: &["name"], name: "name" },
        ..USUAL
    },
    Recipe {
        name: "mikro-orm",
        words: &["mikro-orm"],
        command: "npx mikro-orm migration:up",
        variables: &[("MIKRO_ORM_DB_NAME", "{db}")],
        foreign_keys_off: "// in the configuration of MikroORM; inside a transaction the pragma has no effect\nmigrations: {\n  \
                           disableForeignKeys: true,\n  transactional: false,\n  allOrNothing: false,\n}",
        files: &["mikro-orm.config.ts", "mikro-orm.config.js", "src/mikro-orm.config.ts"],
        package: "@mikro-orm/core",
        ledger: RecordedIn { table: "mikro_orm_migrations", columns: &["id", "name", "executed_at"], name: "name" },
        ..USUAL
    },
    Recipe {
        name: "django",
        words: &["manage.py"],
        command: "python manage.py migrate --noinput",
        url: "sqlite:///{db}",
        adjustment: Adjustment::DjangoSettings,
        files: &["manage.py"],
        package: "django",
        ledger: RecordedIn {
            table: "django_migrations",
            columns: &["id", "app", "name", "applied"],
            name: "app || '.' || name",
        },
        ..USUAL
    },
    Recipe {
        name: "alembic",
        words: &["alembic"],
        command: "alembic upgrade head",
        url: "sqlite:///{db}",
        adjustment: Adjustment::AlembicIni,
        foreign_keys_off: "# in env.py, before context.begin_transaction()\nconnection.exec_driver_sql('PRAGMA foreign_keys = \
                           OFF')\nconnection.commit()",
        files: &["alembic.ini"],
        package: "alembic",
        ledger: RecordedIn { table: "alembic_version", columns: &["version_num"], name: "version_num" },
        ..USUAL
    },
    Recipe {
        name: "rails",
        words: &["rails", "db:"],
        command: "bin/rails db:migrate",
        url: "sqlite3:{db}",
        foreign_keys_off: "disable_ddl_transaction!\n\ndef up\n  execute 'PRAGMA foreign_keys = OFF'\n  # what the migration \
                           does\n  execute 'PRAGMA foreign_keys = ON'\nend",
        files: &["bin/rails", "config/application.rb"],
        ledger: RecordedIn { table: "schema_migrations", columns: &["version"], name: "version" },
        ..USUAL
    },
    Recipe {
        name: "laravel",
        words: &["artisan"],
        command: "php artisan migrate --force",
        variables: &[("DB_CONNECTION", "sqlite"), ("DB_DATABASE", "{db}")],
        foreign_keys_off: "Schema::disableForeignKeyConstraints();\n// what the migration does\nSchema::enableForeignKeyConstraints();",
        files: &["artisan"],
        ledger: RecordedIn { table: "migrations", columns: &["id", "migration", "batch"], name: "migration" },
        ..USUAL
    },
    Recipe {
        name: "pocketbase",
        words: &["pocketbase"],
        command: "pocketbase migrate up --dir {db_dir} --migrationsDir pb_migrations",
        file_name: "data.db",
        files: &["pb_migrations"],
        ledger: RecordedIn { table: "_migrations", columns: &["file", "applied"], name: "file" },
        ..USUAL
    },
    Recipe {
        name: "liquibase",
        words: &["liquibase"],
        command: "liquibase update --url={db_url}",
        url: "jdbc:sqlite:{db}",
        variables: &[("LIQUIBASE_COMMAND_URL", "{db_url}")],
        files: &["liquibase.properties"],
        ledger: RecordedIn {
            table: "DATABASECHANGELOG",
            columns: &["id", "author", "filename", "orderexecuted", "md5sum"],
            name: "FILENAME || '::' || ID || '::' || AUTHOR",
        },
        ..USUAL
    },
    Recipe {
        name: "ecto",
        words: &["ecto.migrate"],
        command: "MIX_ENV=prod mix ecto.migrate",
        files: &["priv/repo/migrations"],
        ledger: RecordedIn { table: "schema_migrations", columns: &["version", "inserted_at"], name: "version" },
        ..USUAL
    },
    Recipe {
        name: "seaorm",
        words: &["-p migration", " up"],
        command: "cargo run -p migration -- up",
        url: "sqlite://{db}",
        ledger: RecordedIn { table: "seaql_migrations", columns: &["version", "applied_at"], name: "version" },
        ..USUAL
    },
    Recipe {
        name: "yoyo",
        words: &["yoyo"],
        command: "yoyo apply --batch --database {db_url} migrations",
        url: "sqlite:///{db}",
        files: &["yoyo.ini"],
        package: "yoyo-migrations",
        ledger: RecordedIn {
            table: "_yoyo_migration",
            columns: &["migration_hash", "migration_id", "applied_at_utc"],
            name: "migration_id",
        },
        ..USUAL
    },
    Recipe {
        name: "flyway",
        words: &["flyway"],
        command: "flyway migrate",
        url: "jdbc:sqlite:{db}",
        variables: &[("FLYWAY_URL", "{db_url}")],
        files: &["flyway.conf", "flyway.toml", "conf/flyway.conf"],
        ledger: RecordedIn {
            table: "flyway_schema_history",
            columns: &["installed_rank", "version", "description", "script", "checksum", "success"],
            name: "script",
        },
        ..USUAL
    },
];

/// What a recipe says nothing else about.
const USUAL: Recipe = Recipe {
    name: "",
    words: &[],
    command: "",
    url: "file:{db}",
    variables: &[],
    file_name: "copy.db",
    adjustment: Adjustment::None,
    ledger: NOWHERE,
    files: &[],
    foreign_keys_off: "",
    package: "",
};

const PRISMA: RecordedIn = RecordedIn {
    table: "_prisma_migrations",
    columns: &["id", "checksum", "finished_at", "migration_name"],
    name: "migration_name",
};

/// The recipe for a command line; [`ANY`] where none fits.
#[must_use]
pub fn of_command(line: &str) -> &'static Recipe {
    RECIPES.iter().find(|recipe| recipe.words.iter().all(|word| line.contains(word))).unwrap_or(&ANY)
}

/// The recipes that the files of a project speak for, each with its evidence.
#[must_use]
pub fn of_project(project: &Project) -> Vec<(&'static Recipe, String)> {
    let evidence = |recipe: &'static Recipe| {
        if let Some(package) = project.packages.get(recipe.package) {
            return Some((recipe, format!("`{}` in {}", recipe.package, package.from)));
        }
        let file = recipe.files.iter().find(|file| project.root.join(file).exists())?;
        // Names that several tools use say nothing without the package.
        let is_telling = recipe.package.is_empty() || !is_shared(file);
        is_telling.then(|| (recipe, format!("{file} is there")))
    };
    RECIPES.iter().filter_map(evidence).collect()
}

fn is_shared(file: &str) -> bool {
    ["config/config.json", "data-source.ts", "data-source.js", "src/data-source.ts"].contains(&file)
}

/// A ledger that a snapshot has: whose it is, its table and how its migrations are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The tool.
    pub tool: &'static str,
    /// The table as the tool calls it.
    pub table: String,
    /// The migrations in it, in the order of the rows.
    pub names: Vec<String>,
}

/// The ledger that a database has: of the recipe where it has one, else of any recipe or tool.
///
/// # Errors
/// When the database cannot be read.
pub fn ledger_in(database: &Connection, recipe: &'static Recipe) -> Result<Option<Known>, Error> {
    for recipe in std::iter::once(recipe).chain(RECIPES) {
        if is_ledger(database, &recipe.ledger)? {
            return Ok(Some(known(database, recipe.name, recipe.ledger.table, recipe.ledger.name)?));
        }
    }
    for tool in TOOLS {
        let table = (tool.ledger)("");
        if (tool.records_in)(database, table)? {
            let first = tools::columns(database, table)?.into_iter().next().unwrap_or_default();
            return Ok(Some(known(database, tool.name, table, &quote_identifier(&first))?));
        }
    }
    Ok(None)
}

fn is_ledger(database: &Connection, ledger: &RecordedIn) -> Result<bool, Error> {
    if ledger.table.is_empty() {
        return Ok(false);
    }
    let columns = tools::columns(database, ledger.table)?;
    let has_all = ledger.columns.iter().all(|column| columns.iter().any(|found| found == column));
    // Rails and dbmate have the same table; Rails has another one beside it. That of Ecto has a column more.
    let is_rails = ledger.table != "schema_migrations"
        || ledger.columns.contains(&"inserted_at")
        || tools::has_table(database, "ar_internal_metadata")?;
    Ok(has_all && !columns.is_empty() && is_rails)
}

fn known(database: &Connection, tool: &'static str, table: &str, name: &str) -> Result<Known, Error> {
    let doing = || format!("reading the ledger `{table}`");
    let sql = format!("SELECT CAST({name} AS TEXT) FROM {}", quote_identifier(table));
    let mut select = database.prepare(&sql).doing(doing)?;
    let names = select.query_map([], |row| Ok(row.get::<_, Option<String>>(0)?.unwrap_or_default())).doing(doing)?;
    let names = names.collect::<rusqlite::Result<_>>().doing(doing)?;
    Ok(Known { tool, table: table.to_owned(), names })
}

impl Recipe {
    /// A text of the recipe or of the person with the places of the copy put in.
    #[must_use]
    pub fn fill(&self, text: &str, copy: &Path) -> String {
        let path = copy.display().to_string();
        let folder = copy.parent().unwrap_or(Path::new("/")).display().to_string();
        let url = self.url.replace("{db}", &path);
        text.replace("{db_url}", &url).replace("{db_dir}", &folder).replace("{db}", &path)
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::{ANY, RECIPES, ledger_in, of_command};

    #[test]
    fn every_recipe_fits_its_own_command() {
        for recipe in RECIPES {
            assert_eq!(of_command(recipe.command).name, recipe.name);
        }
    }

    #[test]
    fn every_recipe_is_in_the_table_of_the_readme() {
        let readme = include_str!("../../README.md");
        for recipe in RECIPES {
            let row = format!("| {} | `{}` | ", recipe.name, recipe.command);
            assert!(readme.contains(&row), "{row}");
        }
    }

    #[test]
    fn tables_of_the_same_name_are_told_apart() {
        let known = |sql: &str| {
            let database = Connection::open_in_memory().unwrap();
            database.execute_batch(sql).unwrap();
            ledger_in(&database, &ANY).unwrap().map(|known| (known.tool, known.names))
        };
        let rails = "CREATE TABLE schema_migrations (version varchar NOT NULL PRIMARY KEY);
            CREATE TABLE ar_internal_metadata (key varchar PRIMARY KEY);
            INSERT INTO schema_migrations VALUES ('20240101000001');";
        assert_eq!(known(rails), Some(("rails", vec!["20240101000001".to_owned()])));
        let ecto = "CREATE TABLE schema_migrations (version INTEGER PRIMARY KEY, inserted_at TEXT);
            INSERT INTO schema_migrations VALUES (20240101000001, '2024-01-01T00:00:00');";
        assert_eq!(known(ecto), Some(("ecto", vec!["20240101000001".to_owned()])));
        let laravel = "CREATE TABLE migrations (id integer PRIMARY KEY, migration varchar, batch integer)";
        assert_eq!(known(laravel), Some(("laravel", Vec::new())));
        let typeorm = "CREATE TABLE migrations (id integer PRIMARY KEY, timestamp bigint, name varchar)";
        assert_eq!(known(typeorm), Some(("typeorm", Vec::new())));
        assert_eq!(known("CREATE TABLE migrations (x)"), None);
    }
}
