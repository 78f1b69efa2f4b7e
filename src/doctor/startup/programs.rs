//! What a command runs: a script or code of the project, found by where the image has it, or something that no file tells.

use std::path::{Path, PathBuf};

use super::{Place, resolve};
use crate::doctor::answer::At;
use crate::doctor::docker::{Dockerfile, Origin};
use crate::doctor::places::{clean, text};
use crate::doctor::shell;
use crate::migrations::project::code::Language;
use crate::repository::leads_out;

/// Where a program without a folder is looked for.
const SEARCHED: [&str; 4] = ["/usr/local/sbin", "/usr/local/bin", "/usr/bin", "/bin"];
/// Folders of programs that are not the project's.
const OF_OTHERS: [&str; 6] = ["/bin", "/sbin", "/usr", "/opt", "/nodejs", "/nix"];
/// Folders in which package managers put programs.
const INSTALLED: [&str; 4] = ["node_modules", ".venv", "venv", "vendor"];

/// What a command runs.
pub(super) enum Meant {
    /// Lines of the shell, and where they begin.
    Script {
        text: String,
        at: At,
    },
    Code(PathBuf),
    /// A script or program of the project that is in none of its files.
    Unread,
}

/// What these words run; none where it is no file of the project.
pub(super) fn meant(place: &Place<'_>, words: &[String]) -> Option<Meant> {
    let program = words.iter().position(|word| !shell::leads_on(word));
    let of_shell = program.is_some_and(|at| shell::is_shell(&words[at]));
    let own = program.map(|at| at + usize::from(of_shell));
    let found = words.iter().enumerate().find_map(|(at, word)| of_word(place, word, Some(at) == own));
    let own = words.get(own?);
    found.or_else(|| own.filter(|word| is_unread(place, word)).map(|_| Meant::Unread))
}

fn of_word(place: &Place<'_>, word: &str, is_program: bool) -> Option<Meant> {
    let in_image = || place.image.and_then(|image| origin(image, &place.folder, word, is_program));
    let known = resolve::argument(&place.project.root, &place.folder, word);
    if let Some(file) = known.as_ref().filter(|file| Language::of(file).is_some()) {
        return Some(Meant::Code(file.clone()));
    }
    match in_image() {
        Some(Origin::Written(written)) => {
            let at = At::new(&place.image?.file, written.line);
            Some(Meant::Script { text: written.text, at })
        }
        Some(Origin::File(file)) => Some(of_file(&file)),
        None => known.or_else(|| beside(place, word, is_program)).map(|file| of_file(&file)),
    }
}

fn origin(image: &Dockerfile, folder: &Path, word: &str, is_program: bool) -> Option<Origin> {
    if word.contains('/') || is_script(word) {
        let found = image.origin(&folder.join(word));
        if found.is_some() || word.contains('/') {
            return found.filter(|_| is_program || is_script(word));
        }
    }
    let searched = SEARCHED.iter().filter(|_| is_program);
    searched.map(|folder| Path::new(folder).join(word)).find_map(|path| image.origin(&path))
}

/// A file of the project at the path of a program.
fn beside(place: &Place<'_>, word: &str, is_program: bool) -> Option<PathBuf> {
    let path = Path::new(word);
    let below = path.strip_prefix(&place.folder).or(path.strip_prefix("/")).unwrap_or(path);
    let file = place.project.root.join(clean(below));
    let is_it = is_program && word.contains('/') && file.is_file() && !leads_out(&file, &place.project.root);
    is_it.then_some(file)
}

/// Whether its ending is that of a shell script.
fn is_script(file: impl AsRef<Path>) -> bool {
    file.as_ref().extension().is_some_and(|ending| ending == "sh")
}

fn of_file(file: &Path) -> Meant {
    if Language::of(file).is_some() {
        return Meant::Code(file.to_path_buf());
    }
    let Ok(text) = text(file) else { return Meant::Unread };
    match interpreter(&text) {
        Some(name) if shell::is_shell(name) => Meant::Script { text, at: At::new(file, 1) },
        Some(name) if language(name).is_some() => Meant::Code(file.to_path_buf()),
        None if is_script(file) => Meant::Script { text, at: At::new(file, 1) },
        _ => Meant::Unread,
    }
}

/// The program that a file names on its first line: `sh` of `#!/usr/bin/env -S sh -e`.
fn interpreter(text: &str) -> Option<&str> {
    let line = text.lines().next()?.strip_prefix("#!")?;
    let words = line.split_whitespace().filter(|word| !word.starts_with('-'));
    words.map(shell::program).find(|name| *name != "env")
}

fn language(interpreter: &str) -> Option<Language> {
    ["node", "bun", "deno", "tsx", "ts-node"].contains(&interpreter).then_some(Language::JavaScript)
}

/// The language of a file, by its ending or its first line.
pub(super) fn language_of(file: &Path, text: &str) -> Option<Language> {
    Language::of(file).or_else(|| language(interpreter(text)?))
}

/// Whether a program that was not found may be the project's, and no compiled one.
fn is_unread(place: &Place<'_>, word: &str) -> bool {
    let path = Path::new(word.trim_start_matches("./"));
    let is_installed = path.components().any(|part| INSTALLED.iter().any(|name| part.as_os_str() == *name));
    let of_others = is_installed || OF_OTHERS.iter().any(|folder| path.starts_with(folder)) || !word.contains('/');
    is_script(path) && word.contains('/')
        || !of_others && path.extension().is_none() && !place.is_compiled && !word.contains('$')
}
