//! Which file is meant by an import, or by a word of a command.

use std::path::{Path, PathBuf};

use crate::doctor::places::clean;
use crate::repository::leads_out;

const ENDINGS: [&str; 8] = ["ts", "tsx", "mts", "cts", "js", "mjs", "cjs", "jsx"];
/// Folders with what a build makes.
const BUILT: [&str; 6] = ["dist", "build", "out", "lib", ".output", "output"];

/// The file that a file of JavaScript imports by this name; none where it is a package.
pub(super) fn import(root: &Path, from: &Path, name: &str) -> Option<PathBuf> {
    let folder = from.parent().unwrap_or(Path::new(""));
    let aliased = |rest: &str, below: &str| clean(&root.join(below).join(rest));
    let bases = if name.starts_with('.') {
        vec![clean(&folder.join(name))]
    } else if let Some(rest) = name.strip_prefix("$lib/") {
        vec![aliased(rest, "src/lib")]
    } else {
        let rest = name.strip_prefix("@/").or(name.strip_prefix("~/")).or(name.strip_prefix("#"))?;
        vec![aliased(rest, "src"), aliased(rest, "")]
    };
    bases.iter().find_map(|base| file(root, base))
}

/// The file of the repository at a path without its ending, or with the ending that it has once it is built.
fn file(root: &Path, base: &Path) -> Option<PathBuf> {
    let with = |ending: &str| {
        let mut name = base.as_os_str().to_owned();
        name.extend([".", ending].map(std::ffi::OsStr::new));
        PathBuf::from(name)
    };
    let written = base.extension().and_then(|ending| match ending.to_str()? {
        "js" => Some(vec!["ts", "tsx"]),
        "mjs" => Some(vec!["mts"]),
        "cjs" => Some(vec!["cts"]),
        _ => None,
    });
    let sources = written.into_iter().flatten().map(|ending| base.with_extension(ending));
    let candidates = sources
        .chain([base.to_path_buf()])
        .chain(ENDINGS.iter().map(|ending| with(ending)))
        .chain(ENDINGS.iter().map(|ending| base.join("index").with_extension(ending)));
    candidates.into_iter().find(|path| path.is_file() && !leads_out(path, root))
}

/// The source file that a word of a command means; `folder` is where the container starts.
pub(super) fn argument(root: &Path, folder: &Path, word: &str) -> Option<PathBuf> {
    let path = Path::new(word);
    let below = path.strip_prefix(folder).or(path.strip_prefix("/")).unwrap_or(path);
    let has_ending = below
        .extension()
        .is_some_and(|ending| ENDINGS.iter().chain(&["sh", "py"]).any(|known| ending.to_str() == Some(known)));
    // `node .` and `node dist` have no ending; a program has none either.
    let may_be_code = has_ending
        || below.components().next().is_some_and(|first| BUILT.iter().any(|name| first.as_os_str() == *name));
    if !may_be_code {
        return None;
    }
    let below = &clean(below);
    let mut parts = below.components();
    let first = parts.next()?;
    let mut bases = Vec::new();
    if BUILT.iter().any(|name| first.as_os_str() == *name) {
        let rest = parts.as_path();
        bases.extend([root.join("src").join(rest), root.join(rest)]);
    }
    bases.push(root.join(below));
    bases.iter().find_map(|base| file(root, &clean(base)))
}
