//! SN914: whether the database outlives the container.

use std::path::Path;

use crate::doctor::Evidence;
use crate::doctor::answer::{Answer, At};
use crate::doctor::compose::{Mount, MountKind, Service};
use crate::doctor::database::Named;
use crate::doctor::deployment::Fly;
use crate::findings::Finding;
use crate::findings::catalogue::SN914;
use crate::findings::wording::list;
use crate::migrations::shown;
use crate::report::doctor::Status;

const NAME: &str = "volume";

/// Whether the database lies on a volume.
pub(in crate::doctor) fn volume(evidence: &Evidence<'_>) -> Answer {
    let deployment = &evidence.deployment;
    if evidence.plan.as_ref().is_ok_and(|plan| plan.tool == "d1") {
        return Answer::not_needed(NAME, "Cloudflare keeps the database");
    }
    // Where there is one, it is production; a compose file beside it is somebody's own machine.
    if let Some(Fly { file, mounts, .. }) = &deployment.fly {
        return of_fly(evidence, file, mounts).unreadable(&deployment.unread);
    }
    if !deployment.compose.is_empty() {
        let services = deployment.with_database();
        let answer = if services.is_empty() {
            let files: Vec<String> = deployment.compose.iter().map(|file| format!("`{}`", shown(file))).collect();
            Answer::not_found(NAME, format!("nothing tells where the services of {} have the database", list(&files)))
        } else {
            services
                .iter()
                .fold(Answer::ok(NAME), |answer, (service, named)| of_service(evidence, answer, service, named))
        };
        let answer = if deployment.open.is_empty() { answer } else { answer.unless_found(Status::NotFound) };
        let answer = answer.fact_of_each(&deployment.open);
        return answer.unreadable(&deployment.unread);
    }
    let answer = match &deployment.dockerfile {
        Some(dockerfile) => {
            let inside = deployment.named.first().and_then(|named| deployment.in_container(None, &named.path));
            let declared = inside.as_ref().and_then(|inside| dockerfile.volume_of(inside));
            let answer =
                Answer::not_found(NAME, "how the container is started stands in no compose file and no fly.toml");
            match (inside, declared.and_then(|line| deployment.image_at(line))) {
                (Some(inside), Some(at)) => answer
                    .seen(format!("`VOLUME` holds `{}`: name it when the container is started", inside.display()), &at),
                _ => answer,
            }
        }
        None => Answer::not_found(NAME, "there is no compose file, no fly.toml and no Dockerfile"),
    };
    answer.unreadable(&deployment.unread)
}

fn of_service(evidence: &Evidence<'_>, answer: Answer, service: &Service, named: &Named) -> Answer {
    let name = &service.name;
    let Some(path) = evidence.deployment.in_container(Some(service), &named.path) else {
        let why = format!("`{name}` has the database at `{}`, and nothing tells in which folder it starts", named.path);
        return answer.unless_found(Status::NotFound).seen(why, &named.at);
    };
    let mount = service.mount_of(&path);
    let (on, folder) = mountable(evidence, &path);
    let place = path.display();
    let volume = format!("{on}:\nservices:\n  {name}:\n    volumes:\n      - data:{folder}\nvolumes:\n  data:");
    let finding = |message: String| Finding::new(&SN914, message).object(name);
    let said = format!("the database is at `{place}` by {}", named.at.shown());
    match mount {
        None if service.is_part || named.is_default => {
            let seen = if named.is_default {
                format!(
                    "`{name}` has the database at `{place}` where no variable names another one; nothing is mounted there"
                )
            } else {
                format!("`{name}` has the database at `{place}`; what it extends was not looked at")
            };
            answer.unless_found(Status::NotFound).seen(seen, &named.at)
        }
        None => answer.finding(
            finding(format!("`{name}` has the database at `{place}`, where nothing is mounted"))
                .at(Some(service.at.place()), "")
                .cause(said)
                .help(volume),
        ),
        Some(mount) if mount.target == path && mount.kind == MountKind::Bind => answer.finding(
            finding(format!("only the file `{place}` is mounted into `{name}`, and not its folder"))
                .at(Some(mount.at.place()), "")
                .cause("the -wal beside it stays in the container, and with it the newest commits")
                .help(volume),
        ),
        Some(Mount { kind: MountKind::Anonymous, at, .. }) => answer.finding(
            finding(format!("the volume of `{name}` that holds `{place}` has no name"))
                .at(Some(at.place()), "")
                .cause("after `docker compose down` the next container has a new and empty one")
                .help(volume),
        ),
        Some(Mount { kind: MountKind::Temporary, at, .. }) => answer.finding(
            finding(format!("`{place}` of `{name}` lies in memory"))
                .at(Some(at.place()), "")
                .cause("what is mounted there as tmpfs goes with the container")
                .help(volume),
        ),
        Some(Mount { at, .. }) => answer
            .seen(format!("`{name}` has the database at `{place}`"), &named.at)
            .seen("a volume is mounted there", at),
    }
}

fn of_fly(evidence: &Evidence<'_>, file: &Path, mounts: &[(std::path::PathBuf, u32)]) -> Answer {
    let deployment = &evidence.deployment;
    let Some((named, path)) =
        deployment.named.iter().find_map(|named| Some((named, deployment.in_container(None, &named.path)?)))
    else {
        return Answer::not_found(NAME, "nothing tells where the container has the database");
    };
    let place = path.display();
    let told = format!("the database is at `{place}`");
    if let Some((_, line)) = mounts.iter().find(|(mount, _)| path.starts_with(mount)) {
        return Answer::ok(NAME).seen(told, &named.at).seen("a volume is mounted there", &At::new(file, *line));
    }
    if named.is_default {
        let seen = format!("{told} where no variable names another one; fly.toml mounts nothing there");
        return Answer::of(NAME, Status::NotFound).seen(seen, &named.at);
    }
    let (on, folder) = mountable(evidence, &path);
    Answer::ok(NAME).finding(
        Finding::new(&SN914, format!("the database is at `{place}`, where fly.toml mounts nothing"))
            .object("fly.toml")
            .at(Some(named.at.place()), "")
            .help(format!("{on}:\n[mounts]\n  source = \"data\"\n  destination = \"{folder}\"")),
    )
}

/// What to do, and the folder that a volume can be mounted on for a database at this path.
fn mountable(evidence: &Evidence<'_>, path: &Path) -> (String, String) {
    let folder = path.parent().unwrap_or(Path::new("/"));
    let migrations = evidence.plan.as_ref().map_or(Path::new(""), |plan| plan.folder.as_path());
    if !evidence.deployment.has_the_app(folder, migrations) {
        return ("mount a volume on the folder".to_owned(), folder.display().to_string());
    }
    let own = Path::new("/data").join(path.file_name().unwrap_or_default());
    let what = format!(
        "put the database into a folder of its own, for example at `{}`, and mount a volume there: on `{}` it would hide what a new \
         image brings",
        own.display(),
        folder.display()
    );
    (what, "/data".to_owned())
}
