//! Which driver production uses: given, or found out from the project. Where it cannot be known, every plausible one.

use super::driver::Driver;
use super::drivers::{DRIVERS, prisma, rust::SYSTEM};
use crate::error::Error;
use crate::migrations::plan::Decision;
use crate::migrations::project::{Import, Project};

/// The drivers to rehearse under, and why.
#[derive(Debug, Clone)]
pub struct Decided {
    /// One driver, or the plausible ones where it is not known. Never empty.
    pub drivers: Vec<&'static Driver>,
    /// The evidence.
    pub decision: Decision,
}

impl Decided {
    /// Whether there is but one: what the migrations write elsewhere under one driver the next would find.
    ///
    /// # Errors
    /// Where there are several.
    pub fn only(&self) -> Result<(), Error> {
        if self.drivers.len() == 1 {
            return Ok(());
        }
        let cause = "with `--allow-unsafe-sql` it must be one: what the migrations write to other files under the first, the next \
                     would find";
        Err(Error::usage("choosing the driver", cause)
            .hint(format!("nothing tells which one it is of {}: say it with --driver", self.decision.value)))
    }
}

/// Decides for this tool: the given name first, then the imports of migrators, the configuration, the installed packages.
///
/// # Errors
/// When a name is given that is no driver, or not one of this tool.
pub fn driver(given: Option<&str>, tool: &str, project: &Project) -> Result<Decided, Error> {
    if let Some(name) = given {
        return Ok(decided(vec![named(name, tool)?], "given".to_owned()));
    }
    let found = [by_prisma, by_lock, by_imports, by_config, by_packages, by_modules]
        .into_iter()
        .find_map(|evidence| evidence(tool, project));
    Ok(found.or_else(|| the_only_one(tool)).or_else(|| the_usual_one(tool)).unwrap_or_else(|| {
        let plausible = of_tool(tool).filter(|driver| PLAUSIBLE.contains(&driver.name)).collect();
        decided(
            plausible,
            "nothing in the project tells the driver: rehearsed under the usual ones; `--driver` decides".to_owned(),
        )
    }))
}

fn the_only_one(tool: &str) -> Option<Decided> {
    let mut drivers = of_tool(tool);
    let only = drivers.next().filter(|_| drivers.next().is_none())?;
    Some(decided(vec![only], format!("{tool} has no other")))
}

/// Of a tool whose drivers differ in little the first.
fn the_usual_one(tool: &str) -> Option<Decided> {
    let usual = of_tool(tool).next().filter(|_| !of_tool(tool).any(|driver| PLAUSIBLE.contains(&driver.name)))?;
    Some(decided(vec![usual], format!("the usual one of {tool}; nothing in the project names another")))
}

/// The version of the driver's package in the project's lock file or of its module in `go.mod`, where it is known.
#[must_use]
pub fn locked(driver: &Driver, project: &Project) -> Option<String> {
    let module = |name: &str| project.modules.get(name).map(|version| version.trim_start_matches('v').to_owned());
    let package = |name: &str| project.packages.get(name)?.locked.clone();
    driver.packages.iter().find_map(|name| package(name).or_else(|| module(name)))
}

/// Every driver of this tool.
pub fn of_tool(tool: &str) -> impl Iterator<Item = &'static Driver> {
    DRIVERS.iter().copied().filter(move |driver| driver.tools.contains(&tool))
}

/// What is worth trying where nothing is known: together they show every behaviour that differs.
const PLAUSIBLE: [&str; 11] = [
    "better-sqlite3",
    "libsql",
    "bun-sqlite",
    "sqlite",
    "rusqlite",
    "diesel",
    "diesel-system",
    "refinery",
    "refinery-system",
    "rusqlite-migration",
    "rusqlite-migration-system",
];

fn named(name: &str, tool: &str) -> Result<&'static Driver, Error> {
    of_tool(tool).find(|driver| driver.name == name).ok_or_else(|| {
        let names: Vec<_> = of_tool(tool).map(|driver| driver.name).collect();
        Error::usage(format!("choosing the driver `{name}`"), format!("the tool `{tool}` has no such driver"))
            .hint(format!("the drivers of `{tool}` are {}", names.join(", ")))
    })
}

fn decided(drivers: Vec<&'static Driver>, why: String) -> Decided {
    let names: Vec<_> = drivers.iter().map(|driver| driver.name).collect();
    Decided { decision: Decision { what: "driver", value: names.join(" or "), why }, drivers }
}

/// Prisma migrates through its own engine, unless the configuration gives it an adapter.
fn by_prisma(tool: &str, project: &Project) -> Option<Decided> {
    let native = || decided(vec![&prisma::NATIVE], "`prisma migrate deploy` uses its own engine".to_owned());
    if tool != "prisma" {
        return None;
    }
    let Some((imported, file)) = project.prisma.as_ref().and_then(|config| config.adapter.as_ref()) else {
        return Some(native());
    };
    let adapter = |driver: &&'static Driver| {
        let is_there = |name: &&str| imported.iter().any(|one| one == name) || project.packages.contains_key(*name);
        driver.packages.iter().find(|name| name.starts_with("@prisma/") && is_there(name)).is_some()
    };
    let found: Vec<_> = of_tool(tool).filter(adapter).collect();
    let why = format!("{} gives its engine an adapter", file.display());
    Some(if found.is_empty() { native() } else { decided(found, why) })
}

/// Crates that compile SQLite turn foreign keys on; the system's has them off.
fn by_lock(tool: &str, project: &Project) -> Option<Decided> {
    let system = of_tool(tool).find(|driver| driver.name.strip_suffix(SYSTEM) == Some(tool))?;
    let own = of_tool(tool).find(|driver| driver.name == tool)?;
    let (compiled, why) = project.bundled_sqlite.clone()?;
    Some(decided(vec![if compiled { own } else { system }], why))
}

/// Imports of `drizzle-orm/<driver>/migrator` decide; without one, those of `drizzle-orm/<driver>`. Those in tests count only where
/// there are no others.
fn by_imports(tool: &str, project: &Project) -> Option<Decided> {
    [&project.migrator_imports, &project.driver_imports].into_iter().find_map(|imports| {
        let in_app: Vec<&Import> = imports.iter().filter(|import| !import.in_test).collect();
        imported(tool, &in_app).or_else(|| imported(tool, &imports.iter().collect::<Vec<_>>()))
    })
}

fn imported(tool: &str, imports: &[&Import]) -> Option<Decided> {
    let mut drivers: Vec<&'static Driver> = Vec::new();
    let mut places = Vec::new();
    for import in imports {
        let Some(driver) = of_tool(tool).find(|driver| driver.modules.contains(&import.driver_module.as_str())) else {
            continue;
        };
        if !drivers.contains(&driver) {
            drivers.push(driver);
            places.push(format!(
                "{}:{} imports drizzle-orm/{}",
                import.file.display(),
                import.line,
                import.driver_module
            ));
        }
    }
    (!drivers.is_empty()).then(|| decided(drivers, places.join(", ")))
}

fn by_config(tool: &str, project: &Project) -> Option<Decided> {
    let config = project.config.as_ref()?;
    let name = match (config.driver.as_deref(), config.dialect.as_deref()) {
        (Some("expo"), _) => "expo-sqlite",
        (Some("durable-sqlite"), _) => "durable-sqlite",
        (Some("d1-http" | "d1"), _) => "d1",
        (_, Some("turso")) => "libsql",
        _ => return None,
    };
    let driver = of_tool(tool).find(|driver| driver.name == name)?;
    Some(decided(vec![driver], format!("{} says so", config.file.display())))
}

fn by_packages(tool: &str, project: &Project) -> Option<Decided> {
    let mut drivers = Vec::new();
    let mut evidence = Vec::new();
    for driver in of_tool(tool) {
        for name in driver.packages {
            if let Some(package) = project.packages.get(*name) {
                let version = package.locked.as_ref().unwrap_or(&package.declared);
                drivers.push(driver);
                evidence.push(format!("{name} {version}"));
            }
        }
    }
    (!drivers.is_empty()).then(|| decided(drivers, format!("package.json depends on {}", evidence.join(" and "))))
}

/// One module that `go.mod` requires. Where it requires several, nothing tells which of them migrates.
fn by_modules(tool: &str, project: &Project) -> Option<Decided> {
    let required =
        |driver: &&'static Driver| driver.packages.iter().find_map(|name| Some((*name, project.modules.get(*name)?)));
    let mut found = of_tool(tool).filter_map(|driver| Some((driver, required(&driver)?)));
    let (driver, (module, version)) = found.next().filter(|_| found.next().is_none())?;
    Some(decided(vec![driver], format!("go.mod requires {module} {version}")))
}
