//! How the app comes to production, as far as files say: compose, a Dockerfile, fly.toml; and which file its database is there.

use std::path::{Path, PathBuf};

use super::answer::At;
use super::compose::{self, Build, Compose, MountKind, Service};
use super::database::{self, Named};
use super::docker::Dockerfile;
use super::places::{Places, clean, real, text};
use super::shell;
use super::sources::Sources;
use crate::migrations::shown;
use crate::repository::leads_out;

/// How the app comes to production.
#[derive(Debug, Default)]
pub(super) struct Deployment {
    /// The compose files that were read.
    pub(super) compose: Vec<PathBuf>,
    pub(super) services: Vec<Service>,
    pub(super) dockerfile: Option<Dockerfile>,
    pub(super) fly: Option<Fly>,
    /// Databases that files beside the services name, the strongest evidence first.
    pub(super) named: Vec<Named>,
    /// The folder below the project's in which relative addresses begin, where it is not the one in which the app starts.
    pub(super) relative_to: Option<PathBuf>,
    /// Why files cannot be read.
    pub(super) unread: Vec<String>,
    /// What compose files name and was not looked at.
    pub(super) open: Vec<String>,
}

/// What fly.toml says.
#[derive(Debug, Default)]
pub(super) struct Fly {
    pub(super) file: PathBuf,
    /// The paths at which it mounts a volume, each with its line.
    pub(super) mounts: Vec<(PathBuf, u32)>,
    /// What runs before a deploy, in a machine of its own that has no volume.
    pub(super) release: Option<(Vec<Vec<String>>, At)>,
    /// What runs in the place of the image's command, in each group of machines.
    pub(super) processes: Vec<(Vec<Vec<String>>, At)>,
}

impl Deployment {
    /// Looks at the project's folder and at those above it.
    pub(super) fn find(places: &Places, sources: &Sources) -> Self {
        let folders = places.0.iter().flat_map(|folder| [folder.clone(), folder.join("docker")]);
        let mut folders = folders.map(|folder| compose::files(&folder));
        let compose = folders.find(|files| !files.is_empty()).unwrap_or_default();
        let Compose { services, unread, open } = compose::read(&compose);
        let mut found = Self { compose, services, unread, open, ..Self::default() };
        found.dockerfile = found.read_dockerfile(places);
        found.fly = found.read_fly(places);
        let in_image: Vec<Named> = found.dockerfile.iter().flat_map(Dockerfile::databases).collect();
        found.named.extend(in_image);
        let is_in_image = |file: &Path| found.dockerfile.as_ref().is_some_and(|image| image.placed(file).is_some());
        let settings = database::in_settings(places, &is_in_image);
        found.named.extend(settings);
        found.named.extend(sources.opened.iter().cloned());
        found
    }

    /// The Dockerfile that a service of the project is built from, else the nearest one.
    fn read_dockerfile(&mut self, places: &Places) -> Option<Dockerfile> {
        let root = real(places.root());
        let built = self.services.iter().filter_map(|service| service.build.as_ref());
        let built = built.filter(|build| build.file.is_file() && root.starts_with(real(&build.context)));
        let is_elsewhere = |path: &Path| leads_out(path, places.root());
        let (elsewhere, mut built): (Vec<&Build>, Vec<&Build>) =
            built.partition(|build| is_elsewhere(&build.file) || is_elsewhere(&build.context));
        let unread = |build: &&Build| {
            let (file, context) = (shown(&build.file), shown(&build.context));
            format!("`{file}`, built in `{context}`, cannot be read: it lies outside of the repository")
        };
        self.unread.extend(elsewhere.iter().map(unread));
        // The one that is given the least beside the project is the project's.
        built.sort_by_key(|build| std::cmp::Reverse(real(&build.context).components().count()));
        let nearest = || {
            let file = places.find(&["Dockerfile", "Containerfile", "Dockerfile.prod", "docker/Dockerfile"])?;
            let folder = file.parent().unwrap_or(Path::new("")).to_path_buf();
            let context = if folder.ends_with("docker") { clean(&folder.join("..")) } else { folder };
            Some(Build { context, file, target: None })
        };
        let build = built.first().copied().cloned().or_else(nearest)?;
        Dockerfile::read(&build.file, &build.context, build.target.as_deref()).map_err(|why| self.unread.push(why)).ok()
    }

    fn read_fly(&mut self, places: &Places) -> Option<Fly> {
        let file = places.find(&["fly.toml"])?;
        let read = text(&file).and_then(|text| {
            let parsed: toml::Table = text
                .parse()
                .map_err(|error: toml::de::Error| format!("`{}` cannot be read: {}", shown(&file), error.message()))?;
            Ok((text, parsed))
        });
        let (text, parsed) = read.map_err(|why| self.unread.push(why)).ok()?;
        let mounts = match parsed.get("mounts") {
            Some(toml::Value::Array(mounts)) => mounts.iter().collect(),
            Some(mount) => vec![mount],
            None => Vec::new(),
        };
        let destinations = mounts.iter().filter_map(|mount| mount.get("destination")?.as_str());
        let line = |is_it: &dyn Fn(&str) -> bool| {
            text.lines().zip(1..).find(|(line, _)| is_it(line)).map_or(1, |(_, line)| line)
        };
        let line_of_mount = |path: &str| line(&|line| line.contains("destination") && line.contains(path));
        let line_of_variable = |name: &str| line(&|line| line.trim_start_matches([' ', '"']).starts_with(name));
        let mut variables: Vec<(&String, &str)> = parsed
            .get("env")
            .and_then(toml::Value::as_table)
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name, value.as_str()?)))
            .collect();
        variables.sort_by_key(|(name, _)| database::rank(name));
        for (name, value) in variables {
            let path = database::path(value);
            self.named.extend(path.map(|path| Named {
                path,
                at: At::new(&file, line_of_variable(name)),
                is_default: false,
            }));
        }
        let command = |name: &str, value: &toml::Value| {
            let commands = shell::commands(value.as_str()?);
            (!commands.is_empty()).then(|| (commands, At::new(&file, line_of_variable(name))))
        };
        let release = parsed.get("deploy").and_then(|deploy| deploy.get("release_command"));
        let processes = parsed.get("processes").and_then(toml::Value::as_table).into_iter().flatten();
        Some(Fly {
            mounts: destinations.map(|path| (clean(Path::new(path)), line_of_mount(path))).collect(),
            release: release.and_then(|release| command("release_command", release)),
            processes: processes.filter_map(|(name, line)| command(name, line)).collect(),
            file: file.clone(),
        })
    }

    /// The services that have the database, each with what names it; those that name it themselves, else those that are built here.
    pub(super) fn with_database(&self) -> Vec<(&Service, &Named)> {
        let own: Vec<_> =
            self.services.iter().filter_map(|service| Some((service, service.databases.first()?))).collect();
        if !own.is_empty() {
            return own;
        }
        let Some(named) = self.named.first() else { return Vec::new() };
        let built = self.services.iter().filter(|service| self.is_built(service) && !service.is_open);
        built.map(|service| (service, named)).collect()
    }

    pub(super) fn is_built(&self, service: &Service) -> bool {
        let file = self.dockerfile.as_ref().map(|dockerfile| &dockerfile.file);
        service.build.as_ref().is_some_and(|build| Some(&build.file) == file)
    }

    /// The path in the container of what a service calls so; none where nothing tells in which folder it starts.
    pub(super) fn in_container(&self, service: Option<&Service>, path: &str) -> Option<PathBuf> {
        let path = Path::new(path);
        if path.is_absolute() {
            return Some(clean(path));
        }
        let own = service.and_then(|service| service.folder.clone());
        let image = self.dockerfile.as_ref().filter(|_| service.is_none_or(|service| self.is_built(service)));
        let folder = own.or_else(|| image.map(Dockerfile::folder))?;
        Some(clean(&folder.join(self.relative_to.as_deref().unwrap_or(Path::new(""))).join(path)))
    }

    /// Whether the app starts in this folder of the container or below it, or the image has something of the project there: what is
    /// mounted there hides what a new image brings.
    pub(super) fn has_the_app(&self, folder: &Path, of_the_project: &Path) -> bool {
        self.dockerfile.as_ref().is_some_and(|image| {
            let placed = image.placed(of_the_project);
            image.folder().starts_with(folder) || placed.is_some_and(|placed| placed.path.starts_with(folder))
        })
    }

    /// The volume that is mounted on this path of the container, or above it.
    pub(super) fn volume_over(&self, path: &Path) -> Option<(&Path, At)> {
        let built = self.services.iter().filter(|service| self.is_built(service));
        let over = built.filter_map(|service| service.mount_of(path));
        let named = over.filter(|mount| mount.kind == MountKind::Named).map(|mount| (&*mount.target, mount.at.clone()));
        let fly = self.fly.iter().flat_map(|fly| {
            let over = fly.mounts.iter().filter(|(mount, _)| path.starts_with(mount));
            over.map(|(mount, line)| (&**mount, At::new(&fly.file, *line)))
        });
        fly.chain(named).next()
    }

    /// Where the image of the app is made.
    pub(super) fn image_at(&self, line: u32) -> Option<At> {
        self.dockerfile.as_ref().map(|dockerfile| At::new(&dockerfile.file, line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_compose_names_outside_of_the_repository_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(at("repository/.git")).unwrap();
        std::fs::write(at("outside"), "hunter2").unwrap();
        std::fs::write(at("env"), "DATABASE_URL=file:/hunter2/app.db").unwrap();
        for (build, is_read) in [
            ("{context: ., dockerfile: ../outside}".to_owned(), false),
            (format!("{{context: ., dockerfile: {}}}", at("outside").display()), false),
            ("{context: .., dockerfile: repository/Dockerfile}".to_owned(), false),
            ("{context: ., dockerfile: Dockerfile}".to_owned(), true),
        ] {
            let service = format!("services:\n  app:\n    build: {build}\n    env_file: [../env]\n");
            std::fs::write(at("repository/compose.yaml"), service).unwrap();
            std::fs::write(at("repository/Dockerfile"), "FROM node\n").unwrap();
            let places = Places::of(&at("repository"));
            let found = Deployment::find(&places, &Sources::scan(places.root()));
            assert_eq!(found.unread.is_empty(), is_read, "{build}: {:?}", found.unread);
            assert!(!format!("{found:?}").contains("hunter2"), "{build}: {found:?}");
        }
    }
}
