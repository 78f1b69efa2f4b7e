//! A Dockerfile, stage by stage: what is copied where, and what the container starts with. Only the last stage is the image.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use parse_dockerfile::{Command, Flag, Instruction, JsonOrStringArray, Source};

use super::answer::At;
use super::ignored::{Ignored, matches};
use super::places::{clean, line_at, text};
use super::{database, shell};
use crate::repository::leads_out;

/// Bytes of a path or a value with variables put in.
const LONGEST: usize = 10_000;

/// A Dockerfile and what its build is given.
#[derive(Debug, Clone)]
pub(super) struct Dockerfile {
    pub(super) file: PathBuf,
    /// The folder that is given to the builder.
    pub(super) context: PathBuf,
    /// Up to the one that becomes the image.
    stages: Vec<Stage>,
    ignored: Ignored,
}

#[derive(Debug, Clone, Default)]
struct Stage {
    name: Option<String>,
    line: u32,
    /// The earlier stage that it goes on from.
    base: Option<usize>,
    folder: PathBuf,
    copies: Vec<Copy>,
    variables: BTreeMap<String, (String, u32)>,
    /// What only the build knows.
    arguments: BTreeMap<String, String>,
    /// Whole lines, for what they may copy.
    runs: Vec<String>,
    command: Option<(Vec<Vec<String>>, u32)>,
    /// Whether the command is one of its own, and not that of its base.
    has_command: bool,
    entrypoint: Option<(Vec<Vec<String>>, u32)>,
    volumes: Vec<(PathBuf, u32)>,
    /// Files whose text stands in the Dockerfile.
    written: Vec<Written>,
}

/// A file of the image whose text stands in the Dockerfile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Written {
    path: PathBuf,
    pub(super) text: String,
    /// The line of the Dockerfile on which the text begins.
    pub(super) line: u32,
}

/// What a file of the image is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    /// A file of the context.
    File(PathBuf),
    Written(Written),
}

#[derive(Debug, Clone)]
struct Copy {
    /// The stage or image that it copies from; none for the context.
    from: Option<String>,
    sources: Vec<String>,
    to: PathBuf,
    line: u32,
}

/// Where something of the context lies in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) path: PathBuf,
    /// The `COPY` of the last stage.
    pub(super) line: u32,
}

impl Dockerfile {
    /// Reads a Dockerfile whose build is given this folder; the image is the stage that is named, else the last one.
    ///
    /// # Errors
    /// Why it cannot be read, as a clause.
    pub(super) fn read(file: &Path, context: &Path, target: Option<&str>) -> Result<Self, String> {
        let (whole, documents) = without_documents(&text(file)?);
        let parsed = parse_dockerfile::parse(&whole)
            .map_err(|error| format!("`{}` cannot be read: {error}", crate::migrations::shown(file)))?;
        // Only the FROM lines know these, and the stages that name them once more.
        let mut outside = Stage::default();
        for argument in parsed.global_args() {
            outside.arguments(&argument.arguments.value);
        }
        let mut stages: Vec<Stage> = Vec::new();
        for stage in parsed.stages() {
            let image = outside.filled(&stage.from.image.value);
            let base = stages.iter().position(|stage| stage.is_called(&image));
            let name = stage.from.as_.as_ref().map(|(_, name)| name.value.to_string());
            let inherited = base.map(|base| &stages[base]);
            let mut own = Stage {
                name,
                line: line_at(&whole, stage.from.from.span.start),
                base,
                folder: inherited.map_or_else(|| PathBuf::from("/"), |base| base.folder.clone()),
                variables: inherited.map(|base| base.variables.clone()).unwrap_or_default(),
                arguments: inherited.map(|base| base.arguments.clone()).unwrap_or_default(),
                command: inherited.and_then(|base| base.command.clone()),
                entrypoint: inherited.and_then(|base| base.entrypoint.clone()),
                volumes: inherited.map(|base| base.volumes.clone()).unwrap_or_default(),
                ..Stage::default()
            };
            for instruction in stage.instructions {
                own.take(instruction, &whole, &outside.arguments, &documents);
            }
            stages.push(own);
        }
        let named = stages.iter().position(|stage| target.is_some_and(|target| stage.is_called(target)));
        stages.truncate(named.map_or(stages.len(), |named| named + 1));
        let beside = |ending: &str| {
            let mut name = file.as_os_str().to_owned();
            name.push(ending);
            PathBuf::from(name)
        };
        // One of the Dockerfile's own counts alone.
        let own = beside(".dockerignore");
        let ignore = if own.is_file() { own } else { context.join(".dockerignore") };
        let ignored = if ignore.is_file() { Ignored::parse(&text(&ignore)?) } else { Ignored::default() };
        Ok(Self { file: file.to_path_buf(), context: context.to_path_buf(), stages, ignored })
    }

    fn image(&self) -> Option<&Stage> {
        self.stages.last()
    }

    /// The line on which the last stage begins.
    pub(super) fn last_stage(&self) -> u32 {
        self.image().map_or(1, |stage| stage.line)
    }

    /// Databases that a `COPY` of the image names, with its line; of the context only.
    pub(super) fn copied_databases(&self) -> Vec<(&str, u32)> {
        let mut copies = Vec::new();
        let mut index = self.stages.len().checked_sub(1);
        while let Some(stage) = index.map(|index| &self.stages[index]) {
            copies.extend(stage.copies.iter().filter(|copy| copy.from.is_none()));
            index = stage.base;
        }
        let named = copies.into_iter().flat_map(|copy| copy.sources.iter().map(|source| (source.as_str(), copy.line)));
        named.filter(|(source, _)| database::is_database(source)).collect()
    }

    /// The folder in which the container starts.
    pub(super) fn folder(&self) -> PathBuf {
        self.image().map(|stage| stage.folder.clone()).unwrap_or_default()
    }

    /// What the container starts with: the entry point with the command behind it, and where that is said.
    pub(super) fn start(&self) -> Option<(Vec<Vec<String>>, At)> {
        let image = self.image()?;
        let (entry, command) = (image.entrypoint.as_ref(), image.command.as_ref());
        let line = command.or(entry)?.1;
        let commands = entry.into_iter().chain(command).flat_map(|(commands, _)| commands.clone()).collect();
        Some((commands, At::new(&self.file, line)))
    }

    /// What stands before every command of the container.
    pub(super) fn entry(&self) -> Option<Vec<Vec<String>>> {
        self.image()?.entrypoint.as_ref().map(|(commands, _)| commands.clone())
    }

    /// Whether a command of the build may make a program of code.
    pub(super) fn may_compile(&self) -> bool {
        self.stages.iter().flat_map(|stage| &stage.runs).any(|run| run.contains("compile"))
    }

    /// The variables of the image that name a database.
    pub(super) fn databases(&self) -> Vec<database::Named> {
        let mut variables: Vec<_> = self.image().into_iter().flat_map(|image| &image.variables).collect();
        variables.sort_by_key(|(name, _)| database::rank(name));
        let named = variables.into_iter().filter_map(|(_, (value, line))| {
            let (path, at) = (database::path(value)?, At::new(&self.file, *line));
            Some(database::Named { path, at, is_default: false })
        });
        named.collect()
    }

    /// The line of a `VOLUME` that this path of the image lies in.
    pub(super) fn volume_of(&self, path: &Path) -> Option<u32> {
        let mut volumes = self.image()?.volumes.iter();
        volumes.find(|(volume, _)| path.starts_with(volume)).map(|(_, line)| *line)
    }

    /// Whether `.dockerignore` keeps this path from the builder.
    pub(super) fn excludes(&self, path: &Path) -> bool {
        self.below_context(path).is_some_and(|path| self.ignored.excludes(&path))
    }

    /// The path as it is below the context; none where it is not.
    pub(super) fn below_context(&self, path: &Path) -> Option<PathBuf> {
        let real = |path: &Path| crate::repository::or_dot(path).canonicalize().ok();
        Some(real(path)?.strip_prefix(real(&self.context)?).ok()?.to_path_buf())
    }

    /// Where a file or folder of the project lies in the image; none where no `COPY` brings it there.
    pub(super) fn placed(&self, path: &Path) -> Option<Placed> {
        let below = self.below_context(path)?;
        let parts: Vec<String> =
            below.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        // Of each stage in turn, since each copies only from earlier ones.
        let mut placed: Vec<Option<Placed>> = Vec::new();
        for stage in &self.stages {
            placed.push(self.placed_in(stage, &placed, &below, &parts));
        }
        placed.pop()?
    }

    fn placed_in(&self, stage: &Stage, earlier: &[Option<Placed>], path: &Path, parts: &[String]) -> Option<Placed> {
        let copied = stage.copies.iter().rev().find_map(|copy| {
            let at = match &copy.from {
                None if self.ignored.excludes(path) => None,
                None => copy.sources.iter().find_map(|source| lands(source, parts, &copy.to)),
                Some(from) => {
                    let named = self.stages.iter().take(earlier.len()).position(|stage| stage.is_called(from));
                    let other = named.or(from.parse().ok())?;
                    let there = &earlier.get(other)?.as_ref()?.path;
                    copy.sources.iter().find_map(|source| moved(Path::new(source), there, &copy.to))
                }
            };
            at.map(|path| Placed { path, line: copy.line })
        });
        copied.or_else(|| earlier.get(stage.base?)?.clone())
    }

    /// What a file of the image is made of; none where nothing tells.
    pub(super) fn origin(&self, path: &Path) -> Option<Origin> {
        self.origin_in(self.stages.len().checked_sub(1)?, &clean(path))
    }

    fn origin_in(&self, index: usize, path: &Path) -> Option<Origin> {
        let stage = self.stages.get(index)?;
        if let Some(written) = stage.written.iter().rev().find(|written| written.path == path) {
            return Some(Origin::Written(written.clone()));
        }
        let copied = stage.copies.iter().rev().find_map(|copy| {
            let rest = path.strip_prefix(&copy.to).ok()?;
            copy.sources.iter().find_map(|source| {
                let source = clean(Path::new(source.trim_start_matches('/')));
                // A file comes to this path or below it, what a folder holds below it.
                let is_it = rest.as_os_str().is_empty();
                let mut candidates = vec![if is_it { source.clone() } else { source.join(rest) }];
                candidates.extend((source.file_name() == Some(rest.as_os_str())).then(|| source.clone()));
                let is_pattern = source.file_name().is_some_and(|name| name.to_string_lossy().contains(['*', '?']));
                candidates.extend(source.parent().filter(|_| is_pattern).map(|folder| folder.join(rest)));
                candidates.iter().find_map(|candidate| match &copy.from {
                    None => {
                        let file = self.context.join(candidate);
                        let is_there = file.is_file() && !leads_out(&file, &self.context);
                        is_there.then_some(Origin::File(file))
                    }
                    Some(from) => {
                        let named = self.stages[..index].iter().position(|stage| stage.is_called(from));
                        let other = named.or(from.parse().ok()).filter(|other| *other < index)?;
                        self.origin_in(other, &Path::new("/").join(candidate))
                    }
                })
            })
        });
        copied.or_else(|| self.origin_in(stage.base?, path))
    }

    /// Whether a command of the build may put this folder somewhere by itself.
    pub(super) fn may_be_moved(&self, name: &str) -> bool {
        let runs = self.stages.iter().flat_map(|stage| &stage.runs);
        runs.into_iter().any(|run| moves(run, name) || gathers(run))
    }
}

/// A document that stands behind a line with `RUN`.
struct Document {
    /// The line with `RUN`.
    of: u32,
    /// The file that it is written to, where the line says so.
    to: Option<String>,
    text: String,
    /// The line on which it begins.
    line: u32,
}

/// The text with comments in the place of the documents that stand behind a command, as in `RUN cat <<EOF > /start.sh`, and these
/// documents. Bytes stay where they are.
fn without_documents(whole: &str) -> (String, Vec<Document>) {
    let (mut plain, mut documents) = (String::with_capacity(whole.len()), Vec::new());
    let mut lines = whole.split_inclusive('\n').zip(1_u32..);
    let last_of: HashMap<&str, u32> =
        whole.lines().zip(1..).map(|(line, number)| (line.trim_start_matches('\t'), number)).collect();
    let (mut command, mut first) = (String::new(), None);
    while let Some((line, number)) = lines.next() {
        plain.push_str(line);
        let trimmed = line.trim();
        if trimmed.starts_with('#') || trimmed.is_empty() {
            continue;
        }
        let of = *first.get_or_insert(number);
        command.push_str(trimmed.trim_end_matches('\\'));
        command.push(' ');
        if trimmed.ends_with('\\') {
            continue;
        }
        let command = std::mem::take(&mut command);
        first = None;
        let arguments = command.get(..4).filter(|word| word.eq_ignore_ascii_case("run ")).map(|_| command[4..].trim());
        let Some(arguments) = arguments.filter(|arguments| !arguments.starts_with("<<")) else { continue };
        for (delimiter, is_indented) in delimiters(arguments) {
            if last_of.get(delimiter.as_str()).is_none_or(|last| *last <= of) {
                continue;
            }
            let (mut text, mut begins) = (String::new(), None);
            for (line, number) in lines.by_ref() {
                begins.get_or_insert(number);
                let content = if is_indented { line.trim_start_matches('\t') } else { line };
                let break_at = line.trim_end_matches(['\r', '\n']).len();
                plain.push_str(if break_at > 0 { "#" } else { "" });
                plain.extend(std::iter::repeat_n(' ', break_at.saturating_sub(1)));
                plain.push_str(&line[break_at..]);
                if content.trim_end_matches(['\r', '\n']) == delimiter {
                    break;
                }
                text.push_str(content);
            }
            documents.push(Document { of, to: target(arguments), text, line: begins.unwrap_or(of) });
        }
    }
    (plain, documents)
}

/// What ends each document that a line of the shell announces, and whether it is indented with tabs.
fn delimiters(line: &str) -> Vec<(String, bool)> {
    let announced = line.split("<<").skip(1).filter_map(|behind| {
        let is_indented = behind.starts_with('-');
        let behind = behind.trim_start_matches('-').trim_start();
        let word = behind.trim_start_matches(['"', '\'']);
        let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(word.len());
        let is_name = word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        is_name.then(|| (word[..end].to_owned(), is_indented))
    });
    announced.collect()
}

/// The file that a line of the shell writes to, by `>` or `tee`.
fn target(line: &str) -> Option<String> {
    let words: Vec<String> = shell::commands(&line.replace('>', " > ")).into_iter().flatten().collect();
    let at = words.iter().position(|word| word == ">").or(words.iter().position(|word| word == "tee"))?;
    words[at + 1..].iter().find(|word| !word.starts_with(['-', '>', '<'])).cloned()
}

/// Whether a line copies or fetches something of this name.
pub(super) fn moves(line: &str, name: &str) -> bool {
    let copies = ["cp", "mv", "rsync", "copyfiles", "cpy", "cpx", "ncp", "shx", "git", "install"];
    shell::commands(line).iter().any(|command| {
        command.iter().any(|word| copies.contains(&shell::program(word)))
            && command.iter().any(|word| word.split(['/', '\'', '"']).any(|part| part == name))
    })
}

/// Whether a line gathers a package of a monorepo with all that it needs in another folder.
fn gathers(line: &str) -> bool {
    shell::commands(line).iter().any(|command| {
        let runs = |name: &str, word: &str| {
            let at = command.iter().position(|word| shell::program(word) == name);
            at.is_some_and(|at| command[at + 1..].iter().any(|other| other == word))
        };
        runs("turbo", "prune") || runs("pnpm", "deploy")
    })
}

/// Where what the context has at `parts` comes by a `COPY` of `source` to `to`.
fn lands(source: &str, parts: &[String], to: &Path) -> Option<PathBuf> {
    let wanted: Vec<String> =
        source.split('/').filter(|part| !part.is_empty() && *part != ".").map(str::to_owned).collect();
    if wanted.len() > parts.len() {
        // Files of the folder, one by one or by a pattern.
        return matches(&wanted[..parts.len()], parts).then(|| to.to_path_buf());
    }
    if !matches(&wanted, &parts[..wanted.len()]) {
        return None;
    }
    Some(parts[wanted.len()..].iter().fold(to.to_path_buf(), |path, part| path.join(part)))
}

/// Where what lies at `there` in a stage comes by a copy of `source` to `to`.
fn moved(source: &Path, there: &Path, to: &Path) -> Option<PathBuf> {
    let source = clean(&Path::new("/").join(source));
    match there.strip_prefix(&source) {
        Ok(rest) => Some(clean(&to.join(rest))),
        // A part of it is copied.
        Err(_) => source.starts_with(there).then(|| to.to_path_buf()),
    }
}

impl Stage {
    /// Whether it has this name; case does not count.
    fn is_called(&self, name: &str) -> bool {
        self.name.as_ref().is_some_and(|own| own.eq_ignore_ascii_case(name))
    }

    fn take(
        &mut self,
        instruction: &Instruction<'_>,
        whole: &str,
        outside: &BTreeMap<String, String>,
        documents: &[Document],
    ) {
        let line = |at: usize| line_at(whole, at);
        match instruction {
            Instruction::Workdir(workdir) => {
                self.folder = clean(&self.folder.join(self.filled(&workdir.arguments.value)));
            }
            Instruction::Copy(copy) => {
                let to = clean(&self.folder.join(self.filled(&copy.dest.value)));
                let here = copy.src.iter().filter_map(|source| match source {
                    Source::HereDoc(here) => Some((here.value.to_string(), line(here.span.start))),
                    _ => None,
                });
                self.written.extend(here.map(|(text, line)| Written { path: to.clone(), text, line }));
                self.copy(&copy.options, &copy.src, &copy.dest.value, line(copy.copy.span.start));
            }
            Instruction::Add(add) => self.copy(&add.options, &add.src, &add.dest.value, line(add.add.span.start)),
            Instruction::Arg(argument) => {
                let names = self.arguments(&argument.arguments.value);
                for (name, value) in names.into_iter().filter_map(|name| outside.get_key_value(&name)) {
                    self.arguments.insert(name.clone(), value.clone());
                }
            }
            Instruction::Env(env) => self.variables(&env.arguments.value, line(env.env.span.start)),
            Instruction::Run(run) => {
                let here = run.here_docs.iter().map(|doc| doc.value.to_string());
                let words = commands(&run.arguments).into_iter().map(|words| words.join(" "));
                self.runs.extend(words.chain(here));
                let own = documents.iter().filter(|document| document.of == line(run.run.span.start));
                let written = own.filter_map(|document| {
                    let path = clean(&self.folder.join(self.filled(document.to.as_ref()?)));
                    Some(Written { path, text: document.text.clone(), line: document.line })
                });
                let written: Vec<Written> = written.collect();
                self.written.extend(written);
            }
            Instruction::Cmd(cmd) => {
                self.command = Some((commands(&cmd.arguments), line(cmd.cmd.span.start)));
                self.has_command = true;
            }
            Instruction::Entrypoint(entry) => {
                // The command of a base image does not go with another entry point, and none with a line of the shell.
                if !self.has_command || matches!(entry.arguments, Command::Shell(_)) {
                    self.command = None;
                }
                self.entrypoint = Some((commands(&entry.arguments), line(entry.entrypoint.span.start)));
            }
            Instruction::Volume(volume) => {
                let paths = match &volume.arguments {
                    JsonOrStringArray::Json(paths) => &paths.value,
                    JsonOrStringArray::String(paths) => paths,
                };
                let at = line(volume.volume.span.start);
                let path = |path: &str| (clean(&self.folder.join(self.filled(path))), at);
                let volumes: Vec<_> = paths.iter().map(|one| path(&one.value)).collect();
                self.volumes.extend(volumes);
            }
            _ => {}
        }
    }

    fn copy(&mut self, options: &[Flag<'_>], sources: &[Source<'_>], to: &str, line: u32) {
        let from = options.iter().find(|option| option.name.value == "from");
        let from = from.and_then(|option| option.value.as_ref()).map(|value| self.filled(&value.value));
        let path = |source: &Source<'_>| match source {
            Source::Path(path) => Some(self.filled(&path.value)),
            _ => None,
        };
        let sources = sources.iter().filter_map(path).collect();
        let to = clean(&self.folder.join(self.filled(to)));
        self.copies.push(Copy { from, sources, to, line });
    }

    /// `NAME=value OTHER="value"`, or the old `NAME value`.
    fn variables(&mut self, text: &str, line: u32) {
        let words = shell::commands(text).into_iter().flatten().collect::<Vec<_>>();
        match words.as_slice() {
            [name, value] if !name.contains('=') => {
                let value = self.filled(value);
                self.variables.insert(name.clone(), (value, line));
            }
            words => {
                for (name, value) in words.iter().filter_map(|word| word.split_once('=')) {
                    let value = self.filled(value);
                    self.variables.insert(name.to_owned(), (value, line));
                }
            }
        }
    }

    /// `NAME=value OTHER`; gives the names without a value.
    fn arguments(&mut self, text: &str) -> Vec<String> {
        let mut without = Vec::new();
        for word in shell::commands(text).into_iter().flatten() {
            match word.split_once('=') {
                Some((name, value)) => _ = self.arguments.insert(name.to_owned(), self.filled(value)),
                None => without.push(word),
            }
        }
        without
    }

    /// The text with the variables that are known put in: `$NAME`, `${NAME}`.
    fn filled(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some((before, behind)) = rest.split_once('$') {
            filled.push_str(before);
            let inside = behind.strip_prefix('{').and_then(|inside| inside.split_once('}'));
            let end = behind.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(behind.len());
            let (name, after) = inside.unwrap_or_else(|| behind.split_at(end));
            // Values in values in values would grow without end.
            let (name, default) = name.split_once(":-").map_or((name, None), |(name, default)| (name, Some(default)));
            match self
                .variables
                .get(name)
                .map(|(value, _)| value)
                .or_else(|| self.arguments.get(name))
                .map(String::as_str)
                .or(default)
                .filter(|value| filled.len() + value.len() <= LONGEST)
            {
                Some(value) => filled.push_str(value),
                None => filled.extend(["${", name, "}"]),
            }
            rest = after;
        }
        filled + rest
    }
}

fn commands(command: &Command<'_>) -> Vec<Vec<String>> {
    match command {
        Command::Exec(words) => {
            let words: Vec<String> = words.value.iter().map(|word| word.value.to_string()).collect();
            shell::unpacked(words)
        }
        Command::Shell(line) => shell::commands(line.value),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where these paths of the project lie in the image of this Dockerfile.
    fn placed(dockerfile: &str, ignore: &str, paths: &[&str]) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for path in ["drizzle/0000.sql", "apps/web/drizzle/0000.sql", "dev.db"] {
            std::fs::create_dir_all(folder.path().join(path).parent().unwrap()).unwrap();
            std::fs::write(folder.path().join(path), "").unwrap();
        }
        std::fs::write(folder.path().join("Dockerfile"), dockerfile).unwrap();
        std::fs::write(folder.path().join(".dockerignore"), ignore).unwrap();
        let dockerfile = Dockerfile::read(&folder.path().join("Dockerfile"), folder.path(), None).unwrap();
        let shown = |placed: Placed| format!("{}:{}", placed.path.display(), placed.line);
        paths.iter().map(|path| dockerfile.placed(&folder.path().join(path)).map_or("-".to_owned(), shown)).collect()
    }

    #[test]
    fn copies_are_followed_through_the_stages() {
        let build = "FROM node AS build\nWORKDIR /app\nCOPY . .\n";
        for (rest, ignore, expected) in [
            ("", "", ["/app/drizzle:3", "/app/dev.db:3"]),
            ("", "*.db", ["/app/drizzle:3", "-"]),
            ("", "drizzle\n", ["-", "/app/dev.db:3"]),
            ("", "*\n!drizzle", ["/app/drizzle:3", "-"]),
            ("FROM node\nCOPY --from=build /app /srv\n", "", ["/srv/drizzle:5", "/srv/dev.db:5"]),
            ("FROM node\nCOPY --from=build /app/dist /srv\n", "", ["-", "-"]),
            ("FROM node\nWORKDIR /x\nCOPY --from=0 /app/drizzle/ ./m\n", "", ["/x/m:6", "-"]),
            ("FROM build AS run\nWORKDIR /y\n", "", ["/app/drizzle:3", "/app/dev.db:3"]),
            ("FROM node\nWORKDIR /z\nCOPY drizzle/*.sql drizzle/\n", "", ["/z/drizzle:6", "-"]),
            ("FROM node\nCOPY [\"dr*\", \"/m\"]\n", "", ["/m:5", "-"]),
            (
                "FROM node\nENV HOME=/home H=no\nWORKDIR ${HOME}/app\nADD --chown=1:1 \\\n  drizzle \\\n  ./drizzle\n",
                "",
                ["/home/app/drizzle:7", "-"],
            ),
            ("FROM node\nCOPY --from=other/image /app/drizzle /m\n", "", ["-", "-"]),
            ("FROM node\nCOPY --from=BUILD /app /srv\n", "", ["/srv/drizzle:5", "/srv/dev.db:5"]),
            ("FROM Build\nWORKDIR /y\n", "", ["/app/drizzle:3", "/app/dev.db:3"]),
        ] {
            assert_eq!(placed(&format!("{build}{rest}"), ignore, &["drizzle", "dev.db"]), expected, "{rest}{ignore}");
        }
        assert_eq!(
            placed("FROM a\nCOPY apps/web /app/\n", "", &["apps/web/drizzle", "drizzle"]),
            ["/app/drizzle:2", "-"]
        );
    }

    #[test]
    fn the_start_is_entry_point_and_command() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("Dockerfile");
        for (text, expected) in [
            ("ENTRYPOINT [\"a\"]\nCMD [\"b\", \"c\"]", vec!["a", "b c"]),
            ("CMD a && b", vec!["a", "b"]),
            ("CMD [\"sh\", \"-c\", \"a; b\"]", vec!["a", "b"]),
            ("CMD [\"old\"]\nENTRYPOINT a", vec!["a"]),
            ("CMD [\"own\"]\nENTRYPOINT [\"a\"]", vec!["a", "own"]),
            ("CMD [\"old\"]\nFROM x\nENTRYPOINT [\"a\"]", vec!["a"]),
        ] {
            std::fs::write(&file, format!("FROM x\n{text}\n")).unwrap();
            let (commands, _) = Dockerfile::read(&file, folder.path(), None).unwrap().start().unwrap();
            assert_eq!(commands.iter().map(|words| words.join(" ")).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn what_only_the_build_knows_names_no_database() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("Dockerfile");
        for (text, expected) in [
            ("FROM x\nARG DATABASE_URL=file:/tmp/build.db", None),
            ("FROM x\nARG DIR=/data\nENV DB=${DIR}/app.db", Some("/data/app.db")),
            ("ARG DIR=/data\nFROM x\nARG DIR\nENV DB=${DIR}/app.db", Some("/data/app.db")),
            ("ARG DIR=/data\nFROM x\nENV DB=${DIR}/app.db", None),
            ("ARG BASE=one\nFROM x AS one\nENV DB=/data/app.db\nFROM ${BASE}", Some("/data/app.db")),
        ] {
            std::fs::write(&file, format!("{text}\n")).unwrap();
            let named = Dockerfile::read(&file, folder.path(), None).unwrap().databases();
            assert_eq!(named.first().map(|named| named.path.as_str()), expected, "{text}");
        }
    }

    #[test]
    fn a_package_of_a_monorepo_may_be_gathered_elsewhere() {
        for (line, expected) in [
            ("npx turbo prune api --docker", true),
            ("pnpm --filter=api deploy --prod /out", true),
            ("pnpm install && turbo build", false),
            ("echo deploy && pnpm build", false),
        ] {
            assert_eq!(gathers(line), expected, "{line}");
        }
    }

    #[test]
    fn a_named_stage_is_the_image() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("Dockerfile");
        std::fs::write(&file, "FROM a AS one\nCMD b\nFROM c AS two\nCMD d\n").unwrap();
        for (target, line) in [(None, 4), (Some("one"), 2), (Some("neither"), 4)] {
            let (_, at) = Dockerfile::read(&file, folder.path(), target).unwrap().start().unwrap();
            assert_eq!(at.line, line, "{target:?}");
        }
    }

    #[test]
    fn what_is_no_dockerfile_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("Dockerfile");
        for text in ["", "COPY a b", "FROM", "FROM a AS b\nFROM c AS b", "\0\u{1}", "FROM a\nCOPY <<X"] {
            std::fs::write(&file, text).unwrap();
            assert!(Dockerfile::read(&file, folder.path(), None).is_err(), "{text:?}");
        }
        let values: Vec<String> = (0..60).map(|i| format!("ENV A{}=$A{i}$A{i}", i + 1)).collect();
        let values = values.join("\n");
        let copies = "COPY --from=x /app /app\n".repeat(60);
        let stages: Vec<String> =
            (0..200).map(|i| format!("FROM a AS s{}\n{}", i + 1, copies.replace('x', &format!("s{i}")))).collect();
        std::fs::write(&file, format!("FROM a AS s0\nCOPY b /app\n{}", stages.concat())).unwrap();
        assert_eq!(Dockerfile::read(&file, folder.path(), None).unwrap().placed(&file), None);
        std::fs::write(&file, format!("FROM a\nENV A0=aaaaaaaaaa\n{values}\nWORKDIR $A60\n")).unwrap();
        assert!(Dockerfile::read(&file, folder.path(), None).is_ok());
    }
}
