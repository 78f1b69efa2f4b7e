//! SN918 and SN919: what of the project is in the image.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use crate::doctor::Evidence;
use crate::doctor::answer::{Answer, At};
use crate::doctor::database::is_database;
use crate::doctor::docker::moves;
use crate::doctor::places;
use crate::findings::Finding;
use crate::findings::catalogue::{SN918, SN919};
use crate::migrations::project::sources::{Walked, walk};
use crate::migrations::shown;
use crate::report::doctor::Status;

/// Database files that are looked for in the image.
const MOST: usize = 200;

/// Whether the migrations are in the image, where the app migrates there.
pub(in crate::doctor) fn migrations(evidence: &Evidence<'_>) -> Answer {
    const NAME: &str = "migrations-in-image";
    let plan = match &evidence.plan {
        Err(why) => return Answer::not_checked(NAME, why),
        Ok(plan) if plan.tool == "d1" => return Answer::not_needed(NAME, "wrangler migrates from outside"),
        Ok(plan) => plan,
    };
    let Some(dockerfile) = &evidence.deployment.dockerfile else { return without(evidence, NAME) };
    if let Some(at) = &evidence.sources.embedded {
        return Answer::ok(NAME).seen("they are compiled into the program", at);
    }
    let folder = shown(&plan.folder);
    let Some(below) = dockerfile.below_context(&plan.folder) else {
        return Answer::not_found(NAME, format!("`{folder}` is not in the folder that the build is given"));
    };
    if let Some(placed) = dockerfile.placed(&plan.folder) {
        if let Some((volume, at)) = evidence.deployment.volume_over(&placed.path) {
            let (volume, place) = (volume.display(), placed.path.display());
            let finding =
                Finding::new(&SN918, format!("the volume on `{volume}` hides `{place}`, which the image brings"));
            return Answer::ok(NAME).finding(
                finding
                    .object(folder)
                    .at(Some(at.place()), "")
                    .cause("a volume keeps what it has: the migrations of a new image never come")
                    .help("mount it on a folder in which only the database is"),
            );
        }
        let what = format!("`{folder}` is copied to `{}`", placed.path.display());
        return evidence
            .deployment
            .image_at(placed.line)
            .map_or_else(|| Answer::ok(NAME).fact(&what), |at| Answer::ok(NAME).seen(&what, &at));
    }
    let name = below.file_name().unwrap_or_default().to_string_lossy().into_owned();
    if dockerfile.may_be_moved(&name) || scripts_move(evidence, &name) {
        return Answer::not_found(
            NAME,
            format!("no COPY brings `{folder}`, but a command of the build may put it where the app is"),
        );
    }
    let Some(migrates) = evidence.startup.migrates() else {
        return Answer::not_found(
            NAME,
            format!("no COPY brings `{folder}`, and nothing was found that migrates in the container"),
        );
    };
    let (root, end) = (places::real(evidence.places.root()), places::real(&plan.folder));
    let to = places::clean(&dockerfile.folder().join(places::relative(&root, &end)));
    let finding = Finding::new(&SN918, format!("no COPY of the last stage brings `{folder}` into the image"));
    let excluded = dockerfile.excludes(&plan.folder);
    let at = evidence.deployment.image_at(dockerfile.last_stage());
    let help = if excluded {
        format!("take `{}` out of .dockerignore", below.display())
    } else {
        format!("copy it in the last stage:\nCOPY {} {}", below.display(), to.display())
    };
    let cause = if excluded {
        "`.dockerignore` keeps it from the build".to_owned()
    } else {
        format!("{} at {} needs it when the container starts", migrates.what, migrates.at.shown())
    };
    Answer::ok(NAME).finding(finding.object(folder).at(at.map(|at| at.place()), "").cause(cause).help(help))
}

/// Whether a database file is in the image.
pub(in crate::doctor) fn database(evidence: &Evidence<'_>) -> Answer {
    const NAME: &str = "database-in-image";
    let Some(dockerfile) = &evidence.deployment.dockerfile else { return without(evidence, NAME) };
    let Walked { files, cut_short, .. } = walk(&dockerfile.context, &is_database);
    let mut databases: Vec<PathBuf> = files;
    databases.extend(larger_ones(&dockerfile.context));
    databases.sort();
    databases.dedup();
    let mut answer = Answer::ok(NAME);
    for file in databases.iter().filter(|file| is_sqlite(file)).take(MOST) {
        let Some(placed) = dockerfile.placed(file) else { continue };
        let below = dockerfile.below_context(file).unwrap_or_default();
        answer = answer.finding(
            Finding::new(&SN919, format!("`{}` is copied into the image", shown(file)))
                .object(below.display().to_string())
                .at(evidence.deployment.image_at(placed.line).map(|at| at.place()), "")
                .help(format!(
                    "leave it out of the build, with what SQLite keeps beside it, in .dockerignore:\n{}*",
                    below.display()
                )),
        );
    }
    for (name, line) in dockerfile.copied_databases() {
        if databases.iter().any(|file| dockerfile.below_context(file).is_some_and(|below| below.ends_with(name))) {
            continue;
        }
        answer = answer.finding(
            Finding::new(&SN919, format!("a COPY brings `{name}` into the image"))
                .object(name)
                .at(evidence.deployment.image_at(line).map(|at| at.place()), "")
                .help("let the app make the database on its volume when it starts, and take the COPY out"),
        );
    }
    if answer.has_findings() {
        return answer;
    }
    let answer =
        answer.seen("no COPY of the last stage brings a database", &At::new(&dockerfile.file, dockerfile.last_stage()));
    if cut_short { answer.fact("the folder is larger than what was searched") } else { answer }
}

fn without(evidence: &Evidence<'_>, name: &'static str) -> Answer {
    Answer::of(name, Status::NotFound)
        .fact("there is no Dockerfile that can be read")
        .unreadable(&evidence.deployment.unread)
}

/// Database files right in the folder that are too large for a search in sources.
fn larger_ones(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(crate::repository::or_dot(folder)).into_iter().flatten().flatten();
    let named = entries.filter(|entry| entry.file_name().to_str().is_some_and(is_database));
    named.map(|entry| folder.join(entry.file_name())).collect()
}

/// Whether a file begins as SQLite's do.
fn is_sqlite(file: &Path) -> bool {
    let mut magic = [0; 16];
    let is_file = file.symlink_metadata().is_ok_and(|metadata| metadata.is_file());
    is_file
        && std::fs::File::open(file).and_then(|mut file| file.read_exact(&mut magic)).is_ok()
        && &magic == b"SQLite format 3\0"
}

/// Whether a script of package.json copies something of this name.
fn scripts_move(evidence: &Evidence<'_>, name: &str) -> bool {
    let text = places::text(&evidence.project.root.join("package.json")).unwrap_or_default();
    let package: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    let scripts = package.get("scripts").and_then(serde_json::Value::as_object).into_iter().flatten();
    scripts.filter_map(|(_, line)| line.as_str()).any(|line| moves(line, name))
}
