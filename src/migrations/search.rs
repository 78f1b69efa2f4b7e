//! Decides the tool and its folder: from what was given, what the project's files name, what lies in the folders, and the
//! ledger of the snapshot.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::plan::Decision;
use super::project::Project;
use super::recipes::{self, RECIPES};
use super::tools::{self, Evidence, GIVE_FOLDER, Strength, TOOLS, Tool};
use super::{Request, shown};
use crate::error::Error;
use crate::repository;

/// Folders that are looked at, below the project, when nothing names one.
const USUAL: &[&str] = &[
    "drizzle",
    "migrations",
    "prisma/migrations",
    "drizzle/migrations",
    "migrations/drizzle",
    "db/migrations",
    "db/drizzle",
    "sql/migrations",
    "sql/schema",
    "internal/migrations",
    "ent/migrate/migrations",
    "database/migrations",
    "internal/db/migrations",
    "internal/database/migrations",
    "src-tauri/migrations",
    "src/drizzle",
    "src/drizzle/migrations",
    "src/migrations",
    "src/db/migrations",
    "src/db/drizzle",
    "src/database/migrations",
    "src/lib/db/migrations",
    "src/lib/server/db/migrations",
    "src/server/db/migrations",
    "lib/db/migrations",
    "server/db/migrations",
    "server/database/migrations",
    "app/db/migrations",
    "app/drizzle",
];

/// A tool that may manage the migrations of a folder.
#[derive(Debug, Clone)]
struct Candidate {
    tool: &'static Tool,
    folder: PathBuf,
    /// Why this folder.
    place: String,
    /// Why this tool.
    evidence: Evidence,
}

/// What is known before the snapshot is looked at.
#[derive(Debug, Clone)]
pub struct Search {
    pub(super) request: Request,
    pub(super) project: Project,
    candidates: Vec<Candidate>,
}

/// The tool and its folder.
pub(super) struct Choice {
    pub tool: &'static Tool,
    pub folder: PathBuf,
    pub decisions: [Decision; 2],
}

/// Looks at the project's files.
///
/// # Errors
/// When what was given does not exist, or holds nothing that a tool reads.
pub fn search(request: &Request) -> Result<Search, Error> {
    let asked = request.tool.as_deref().map(tools::named).transpose()?;
    let project = Project::read(&request.project, request.folder.as_deref())?;
    let candidates = match &request.folder {
        Some(folder) => given(folder, asked, &project)?,
        None => found(asked, &project, &request.project)?,
    };
    Ok(Search { request: request.clone(), project, candidates })
}

impl Search {
    /// The tools that the project's files speak for, each with its folder and the evidence; the strongest first.
    #[must_use]
    pub fn likely(&self) -> Vec<(&'static str, &Path, &str)> {
        let mut likely: Vec<&Candidate> =
            self.candidates.iter().filter(|one| one.evidence.strength > Strength::Possible).collect();
        likely.sort_by_key(|one| std::cmp::Reverse(one.evidence.strength));
        likely.into_iter().map(|one| (one.tool.name, one.folder.as_path(), one.evidence.why.as_str())).collect()
    }

    /// The evidence that the project's files give.
    #[must_use]
    pub fn project(&self) -> &Project {
        &self.project
    }

    /// Chooses between the candidates by the ledger of the snapshot.
    pub(super) fn choose(&self, before: &Connection) -> Result<Choice, Error> {
        let recorded = self.recorded(before)?;
        let asked = self.request.tool.is_some();
        let has_ledger = |candidate: &&Candidate| recorded.iter().any(|(tool, _)| *tool == candidate.tool.name);
        let confirmed: Vec<&Candidate> = self.candidates.iter().filter(has_ledger).collect();
        let likely: Vec<&Candidate> =
            self.candidates.iter().filter(|one| asked || one.evidence.strength > Strength::Possible).collect();
        let pool = match (confirmed.is_empty(), likely.is_empty()) {
            _ if asked => likely,
            (false, _) => confirmed,
            (true, true) => return Err(self.with_recipes(self.nothing_found(&recorded), before)?),
            (true, false) => {
                if let Some((tool, ledger)) = recorded.first() {
                    return Err(contradiction(tool, ledger, likely[0]));
                }
                likely
            }
        };
        let strongest = pool.iter().map(|one| one.evidence.strength).max();
        let pool: Vec<&Candidate> = pool.into_iter().filter(|one| Some(one.evidence.strength) == strongest).collect();
        let chosen = one_of(&pool)?;
        let why = match recorded.iter().find(|(tool, _)| *tool == chosen.tool.name) {
            _ if asked => "`--tool`".to_owned(),
            Some((_, ledger)) => format!("{}; the snapshot has its ledger `{ledger}`", chosen.evidence.why),
            None => chosen.evidence.why.clone(),
        };
        Ok(Choice {
            tool: chosen.tool,
            folder: chosen.folder.clone(),
            decisions: [
                Decision { what: "migrations", value: shown(&chosen.folder), why: chosen.place.clone() },
                Decision { what: "tool", value: chosen.tool.name.into(), why },
            ],
        })
    }

    /// The tools whose ledger the snapshot has, with its name.
    fn recorded(&self, before: &Connection) -> Result<Vec<(&'static str, String)>, Error> {
        let mut recorded = Vec::new();
        for tool in TOOLS {
            let configured = tool.config_table.and_then(|read| read(&self.project).ok().flatten());
            let usual = (tool.ledger)("").to_owned();
            let names = self.request.table.clone().into_iter().chain(configured.map(|(name, _)| name)).chain([usual]);
            for name in names {
                if (tool.records_in)(before, &name)? {
                    recorded.push((tool.name, name));
                    break;
                }
            }
        }
        Ok(recorded)
    }

    /// Adds the commands of tools that only their own command runs, where the snapshot or the project speaks for one.
    fn with_recipes(&self, error: Error, before: &Connection) -> Result<Error, Error> {
        let known = recipes::ledger_in(before, &recipes::ANY)?;
        let by_ledger = known.iter().filter_map(|known| {
            let recipe = RECIPES.iter().find(|recipe| recipe.name == known.tool)?;
            Some((recipe, format!("the snapshot has the ledger of {}, `{}`", recipe.name, known.table)))
        });
        let found: Vec<_> = by_ledger.chain(recipes::of_project(&self.project)).collect();
        Ok(match found.into_iter().next() {
            Some((recipe, why)) => error.hint(format!("{why}: rehearse its own command, --exec '{}'", recipe.command)),
            None => error,
        })
    }

    fn nothing_found(&self, recorded: &[(&'static str, String)]) -> Error {
        let root = shown(&self.project.root);
        if let Some((tool, ledger)) = recorded.first() {
            let cause =
                format!("the snapshot has the ledger of {tool}, `{ledger}`, but no migrations of it are in `{root}`");
            return Error::usage("finding the migrations folder", cause).hint(GIVE_FOLDER);
        }
        if let Some(folder) = &self.request.folder {
            return no_layout(folder);
        }
        let cause = format!(
            "in `{root}` there is no drizzle.config.* for SQLite and no usual folder (`drizzle`, `migrations`, \
             `src/db/migrations`, …) with the layout of a migration tool"
        );
        let hint = "for a plain folder of .sql files give it too: `--migrations DIR`";
        Error::usage("finding the migrations folder", cause).hint(GIVE_FOLDER).hint(hint)
    }
}

/// The candidates for a folder that was given.
fn given(folder: &Path, asked: Option<&'static Tool>, project: &Project) -> Result<Vec<Candidate>, Error> {
    must_be_folder(folder)?;
    let candidate = |tool: &'static Tool, evidence| Candidate {
        tool,
        folder: folder.to_path_buf(),
        place: "`--migrations`".into(),
        evidence,
    };
    if let Some(tool) = asked {
        let evidence = Evidence { strength: Strength::Named, why: "`--tool`".into() };
        return Ok(vec![candidate(tool, evidence)]);
    }
    let recognise = |tool: &&'static Tool| Some(candidate(tool, (tool.recognises)(folder, project)?));
    let candidates: Vec<_> = TOOLS.iter().filter_map(recognise).collect();
    if candidates.is_empty() { Err(no_layout(folder)) } else { Ok(candidates) }
}

/// The candidates where no folder was given: what the project names, else the usual folders.
fn found(asked: Option<&'static Tool>, project: &Project, start: &Path) -> Result<Vec<Candidate>, Error> {
    let mut candidates = Vec::new();
    for tool in TOOLS.iter().copied().filter(|tool| asked.is_none_or(|asked| asked.name == tool.name)) {
        let named = (tool.folders)(project)?;
        for (folder, place) in &named {
            must_not_lead_out(folder, place, project)?;
            must_be_folder(folder).map_err(|error| error.hint(format!("it is looked at because of: {place}")))?;
            let evidence = (tool.recognises)(folder, project).filter(|found| found.strength == Strength::Named);
            let evidence = evidence.unwrap_or_else(|| Evidence { strength: Strength::Named, why: place.clone() });
            candidates.push(Candidate { tool, folder: folder.clone(), place: place.clone(), evidence });
        }
        if !named.is_empty() {
            continue;
        }
        for folder in usual_folders(&project.root, start) {
            if let Some(evidence) = (tool.recognises)(&folder, project) {
                // A plain folder of SQL files could be anything: it is not taken unless it is named.
                let is_weak = evidence.strength == Strength::Fallback && asked.is_none();
                let place = evidence.why.clone();
                candidates.extend((!is_weak).then_some(Candidate { tool, folder, place, evidence }));
            }
        }
    }
    Ok(candidates)
}

/// The usual folders of the project and of where the search began, each once.
fn usual_folders(root: &Path, start: &Path) -> Vec<PathBuf> {
    let start = repository::shorter(start);
    let places = [root, &start].into_iter().flat_map(|place| USUAL.iter().map(move |name| place.join(name)));
    let mut folders: Vec<PathBuf> = Vec::new();
    for folder in places.filter(|folder| folder.is_dir()) {
        if !folders.iter().any(|known| known.canonicalize().ok() == folder.canonicalize().ok()) {
            folders.push(folder);
        }
    }
    folders
}

/// The one candidate; several are an error that names them.
fn one_of<'a>(pool: &[&'a Candidate]) -> Result<&'a Candidate, Error> {
    let (first, others) =
        pool.split_first().ok_or_else(|| Error::usage("finding the migrations folder", "there is none"))?;
    if let Some(other) = others.iter().find(|other| other.tool.name != first.tool.name) {
        let of = |one: &Candidate| format!("{} in `{}` ({})", one.tool.name, shown(&one.folder), one.evidence.why);
        let cause = format!("there are two: {} and {}", of(first), of(other));
        return Err(
            Error::usage("finding out which tool manages the migrations", cause).hint(which_tool(first, other.tool))
        );
    }
    if others.iter().any(|other| other.folder != first.folder) {
        let named = |one: &&Candidate| format!("`{}` ({})", shown(&one.folder), one.place);
        let names: Vec<_> = pool.iter().map(named).collect();
        let cause = format!("there are several: {}", names.join(", "));
        return Err(Error::usage("finding the migrations folder", cause).hint(GIVE_FOLDER));
    }
    Ok(first)
}

fn which_tool(one: &Candidate, other: &Tool) -> String {
    format!("say which it is: `--tool {}` or `--tool {}`", one.tool.name, other.name)
}

fn contradiction(tool: &str, ledger: &str, candidate: &Candidate) -> Error {
    let cause = format!(
        "the snapshot has the ledger of {tool}, `{ledger}`, and `{}` is a folder of {} ({})",
        shown(&candidate.folder),
        candidate.tool.name,
        candidate.evidence.why
    );
    let hint = format!("say which it is: `--tool {tool}` or `--tool {}`", candidate.tool.name);
    Error::usage("finding out which tool manages the migrations", cause).hint(hint)
}

fn no_layout(folder: &Path) -> Error {
    let doing = format!("reading the migrations folder `{}`", shown(folder));
    if std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none()) {
        return Error::usage(doing, "it is empty").hint(GIVE_FOLDER);
    }
    let looked: Vec<_> = TOOLS.iter().map(|tool| format!("{} ({})", tool.looks_for, tool.name)).collect();
    Error::usage(doing, format!("it holds nothing that a tool looks for: {}", looked.join(", "))).hint(GIVE_FOLDER)
}

/// A file of the project is written by whoever sends a change to it.
fn must_not_lead_out(folder: &Path, place: &str, project: &Project) -> Result<(), Error> {
    if !repository::leads_out(folder, &project.root) {
        return Ok(());
    }
    let lies_at = repository::real(folder).map_or_else(|| shown(folder), |real| shown(&real));
    let cause = format!(
        "`{}` leads out of the repository, to `{lies_at}`, and it is not you who names it, but a file ({place})",
        shown(folder)
    );
    Err(Error::usage("finding the migrations folder", cause)
        .hint(format!("if it is meant, say it yourself: `--migrations {lies_at}`")))
}

fn must_be_folder(folder: &Path) -> Result<(), Error> {
    let doing = || format!("reading the migrations folder `{}`", shown(folder));
    match std::fs::metadata(folder) {
        Ok(found) if !found.is_dir() => Err(Error::usage(doing(), "it is a file, not a folder").hint(GIVE_FOLDER)),
        Ok(_) => std::fs::read_dir(folder).map(|_| ()).map_err(|cause| Error::usage(doing(), cause)),
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            Err(Error::usage(doing(), "there is no such folder").hint(GIVE_FOLDER))
        }
        Err(cause) => Err(Error::usage(doing(), cause)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folders_of_the_working_directory_count_too() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["migrations", "src/migrations", "services/a/migrations"] {
            std::fs::create_dir_all(at(name)).unwrap();
        }
        let own = [at("migrations"), at("src/migrations")];
        assert_eq!(usual_folders(folder.path(), folder.path()), own);
        assert_eq!(usual_folders(folder.path(), &at("src")), own, "the same one in two ways");
        let [first, second] = own;
        let three = [first, second, at("services/a/migrations")];
        assert_eq!(usual_folders(folder.path(), &at("services/a")), three);
    }
}
