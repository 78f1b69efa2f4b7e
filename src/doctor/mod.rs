//! The production checklist: what a project's files and a snapshot say of how migrations come to production.
//!
//! Takes the project, and the snapshot where one is given; gives a [`Diagnosis`]. Files are read as text, nothing of the project is run, and
//! no migration is executed. What no file answers is `not found`, what only a snapshot could answer is `not checked`. Each check
//! is a function in `checks/`; [`CHECKS`] has them in the order in which they are told.

mod answer;
mod checks;
mod compose;
mod database;
mod deployment;
mod docker;
mod ignored;
mod places;
mod shell;
mod sources;
mod startup;

use std::path::PathBuf;
use std::time::SystemTime;

use rusqlite::Connection;

use crate::config::Config;
use crate::error::{Doing, Error};
use crate::execution::decide::{self, Decided};
use crate::findings::{Level, Levels};
use crate::migrations::recipes::{self, Known};
use crate::migrations::{self, Plan, Project, Request, Search, shown};
use crate::observer::Observer;
use crate::report::doctor::Diagnosis;
use crate::schema::Schema;
use crate::snapshot::{self, Extent, Facts, Snapshot, Source, Untouched, Workspace};
use answer::{Answer, Wishes};
use deployment::Deployment;
use places::Places;
use sources::Sources;
use startup::Startup;

/// What a person asks for.
#[derive(Debug, Clone)]
pub struct Options {
    /// The production database, in any form; only ever read. Without it only files are looked at.
    pub snapshot: Option<Source>,
    /// Which migrations; what is not given is found out.
    pub migrations: Request,
    /// The driver; found out where it is not given.
    pub driver: Option<String>,
    /// Whether the app turns foreign keys on; found out where it is not given.
    pub foreign_keys: Option<bool>,
    /// Where the private copies are kept; the system's temporary folder where it is not given.
    pub workspace: Option<PathBuf>,
    /// The level from which on findings fail; none: findings never fail.
    pub fail_on: Option<Level>,
    /// What `rehearse.yaml` says.
    pub config: Config,
    /// Levels set on the command line, over those of the configuration.
    pub levels: Levels,
    /// Whether private copies are overwritten before they are removed.
    pub shred: bool,
}

/// Everything that the checks look at.
struct Evidence<'a> {
    project: &'a Project,
    /// The plan against the snapshot, or against an empty database where there is none; else why there is no plan.
    plan: Result<Plan, String>,
    /// The drivers that are plausible; empty where there is no plan.
    driver: Option<Decided>,
    /// Whether foreign keys are on by what the person says, or by the address of the database.
    foreign_keys: Option<bool>,
    production: Option<Production>,
    sources: Sources,
    places: Places,
    deployment: Deployment,
    startup: Startup,
    /// What migrates before a deploy, in a machine without a volume.
    released: Option<startup::Step>,
}

/// What the snapshot tells.
struct Production {
    facts: Facts,
    untouched: Untouched,
    schema: Schema,
    /// The ledger of a tool whose migrations only its own command runs.
    ledger: Option<Known>,
}

/// Every check, in the order in which they are told.
const CHECKS: &[fn(&Evidence<'_>) -> Answer] = &[
    checks::migrations::ledger,
    checks::migrations::applied_files,
    checks::migrations::order,
    checks::journal::journal,
    checks::migrations::names,
    checks::migrations::rebuilds,
    checks::migrations::sqlite_version,
    checks::startup::startup,
    checks::settings::foreign_keys,
    checks::settings::journal_mode,
    checks::settings::synchronous,
    checks::volume::volume,
    checks::image::migrations,
    checks::image::database,
    checks::backup::backup,
];

/// Goes through the checklist.
///
/// # Errors
/// When the snapshot or the migrations cannot be read, or nothing of the project speaks for a migration tool.
pub fn doctor(options: &Options, observer: &dyn Observer) -> Result<Diagnosis, Error> {
    let search = migrations::search(&options.migrations)?;
    let Some(source) = &options.snapshot else {
        let doing = || "opening an empty database".to_owned();
        return diagnose(options, &search, &Connection::open_in_memory().doing(doing)?, None);
    };
    let workspace = Workspace::create_with(options.workspace.as_deref(), options.shred)?;
    let given = source.fetch(&workspace, Extent::Changed, observer)?;
    let open = |reading| Snapshot::open(&given, &workspace, reading, Extent::Changed, observer);
    let look = |snapshot: &Snapshot| {
        let before = snapshot.connect()?;
        let production = Production {
            facts: snapshot.facts().clone(),
            untouched: snapshot.check_untouched(observer)?,
            schema: Schema::read(&before).doing(|| "reading the schema of the snapshot".to_owned())?,
            ledger: recipes::ledger_in(&before, &recipes::ANY)?,
        };
        diagnose(options, &search, &before, Some(production))
    };
    snapshot::unchanged(open, look, observer)
}

fn diagnose(
    options: &Options,
    search: &Search,
    before: &Connection,
    production: Option<Production>,
) -> Result<Diagnosis, Error> {
    let located = match migrations::locate(search, before) {
        Ok(located) => Ok(located),
        // Whoever names a folder or a tool has to be told what is wrong with it.
        Err(error) if options.migrations.folder.is_some() || options.migrations.tool.is_some() => return Err(error),
        Err(error) => match recipes::of_project(search.project()).into_iter().next() {
            Some((recipe, why)) => Err(format!("only {} itself can tell ({why})", recipe.name)),
            None => return Err(error),
        },
    };
    let project = located.as_ref().map_or(search.project(), |located| &located.project);
    let driver = match &located {
        Ok(located) => Some(decide::driver(options.driver.as_deref(), located.tool.name, project)?),
        Err(_) => None,
    };
    let by_address = located.as_ref().ok().and_then(|located| located.foreign_keys);
    let foreign_keys = options.foreign_keys.or(by_address);
    let plan = match &located {
        Ok(located) => Ok(migrations::plan(located, before)?),
        Err(why) => Err(why.clone()),
    };
    let places = Places::of(&project.root);
    let sources = Sources::scan(&project.root);
    let deployment = Deployment { relative_to: schema_folder(project), ..Deployment::find(&places, &sources) };
    let startup = Startup::find(&places, &deployment);
    let released = startup::released(&places, &deployment);
    let evidence =
        Evidence { project, plan, driver, foreign_keys, production, sources, places, deployment, startup, released };
    let wishes = Wishes { config: &options.config, levels: &options.levels, now: SystemTime::now() };
    let checks = CHECKS.iter().map(|check| check(&evidence).settle(&wishes)).collect();
    Ok(Diagnosis {
        snapshot: options.snapshot.as_ref().map(|source| source.name().display().to_string()),
        tool: evidence.plan.as_ref().ok().map(|plan| plan.tool.to_owned()),
        driver: evidence.driver.as_ref().map(|driver| driver.decision.value.clone()),
        ..Diagnosis::new(shown(&project.root), checks, options.fail_on)
    })
}

/// The folder of Prisma's schema, below the project's: addresses count from there before Prisma 7, unless an adapter opens the file.
fn schema_folder(project: &Project) -> Option<PathBuf> {
    let folder = project.prisma.as_ref()?.folder.parent()?;
    let declared = ["prisma", "@prisma/client"].iter().find_map(|name| project.packages.get(*name))?;
    let (version, _) = declared.version()?;
    let major: u32 = version.trim_start_matches(['^', '~', '=', 'v']).split('.').next()?.parse().ok()?;
    let is_adapted = project.packages.keys().any(|name| name.starts_with("@prisma/adapter-"));
    let counts = major < 7 && !is_adapted && folder.join("schema.prisma").is_file();
    counts.then(|| folder.strip_prefix(&project.root).ok().map(std::path::Path::to_path_buf))?
}
