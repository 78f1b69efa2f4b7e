//! `rehearse test`: runs scenario files and tells which do not end as they say.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rehearse::error::{Doing as _, Error};
use rehearse::findings::wording::count_of;
use rehearse::report::json;
use rehearse::report::visible::visible;

use super::output::{Plain, Terminal};

/// What became of one scenario file.
#[derive(Debug, serde::Serialize)]
struct Outcome {
    file: String,
    /// One sentence per difference between what was expected and what was found; none where all is as expected.
    differences: Vec<String>,
}

/// Runs every scenario in these files and folders. 0: all end as they say; 1: some do not.
pub fn run(paths: &[PathBuf], terminal: &Terminal) -> Result<u8, Error> {
    let form = terminal.plain("test")?;
    let mut files = Vec::new();
    for path in paths {
        collect(path, &mut files)?;
    }
    if files.is_empty() {
        return Err(Error::usage("looking for scenarios", "there is no `.yaml` file in what was given")
            .hint("give files or folders: rehearse test scenarios"));
    }
    let mut outcomes = Vec::new();
    for file in files {
        let name = file.display().to_string();
        let outcome = rehearse::scenarios::run(&file).map_err(|error| in_scenario(error, &name))?;
        outcomes.push(Outcome { file: name, differences: outcome.differences });
    }
    terminal.print(&match form {
        Plain::Text => text(&outcomes, terminal.is_quiet()),
        Plain::Json => json::pretty(&outcomes),
    })?;
    Ok(u8::from(outcomes.iter().any(|outcome| !outcome.differences.is_empty())))
}

/// The error of a scenario that could not run, with its file where the error does not name it already.
fn in_scenario(error: Error, file: &str) -> Error {
    if error.to_string().contains(file) { error } else { error.hint(format!("in the scenario `{file}`")) }
}

/// Files as given; of folders every `.yaml` and `.yml` file at any depth, by name.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let doing = || format!("looking for scenarios in `{}`", path.display());
    if !path.exists() {
        return Err(Error::usage(doing(), "there is no such file or folder"));
    }
    if !path.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(path).doing(doing)? {
        entries.push(entry.doing(doing)?.path());
    }
    entries.sort();
    for entry in entries {
        let is_scenario = entry.extension().is_some_and(|extension| extension == "yaml" || extension == "yml");
        if entry.is_dir() || is_scenario {
            collect(&entry, files)?;
        }
    }
    Ok(())
}

fn text(outcomes: &[Outcome], only_failures: bool) -> String {
    let mut text = String::new();
    let mut failed = 0;
    for outcome in outcomes {
        let is_ok = outcome.differences.is_empty();
        failed += usize::from(!is_ok);
        if is_ok && only_failures {
            continue;
        }
        let _ = writeln!(text, "{}  {}", if is_ok { "ok    " } else { "failed" }, visible(&outcome.file));
        for difference in &outcome.differences {
            let _ = writeln!(text, "        {}", visible(difference));
        }
    }
    let all = count_of(outcomes.len(), "scenario");
    let _ = match failed {
        0 => writeln!(text, "{all}, as expected"),
        _ => writeln!(text, "{all}, {failed} not as expected"),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::{Outcome, collect, text};

    #[test]
    fn scenarios_are_found_in_order_at_any_depth() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("quiet")).unwrap();
        for name in ["b.yaml", "a.yml", "README.md", "quiet/c.yaml"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let mut files = Vec::new();
        collect(folder.path(), &mut files).unwrap();
        let names: Vec<_> =
            files.iter().map(|file| file.strip_prefix(folder.path()).unwrap().to_str().unwrap()).collect();
        assert_eq!(names, ["a.yml", "b.yaml", "quiet/c.yaml"]);
        assert!(collect(&folder.path().join("missing"), &mut files).is_err());
    }

    #[test]
    fn what_is_not_as_expected_is_told() {
        let outcomes = [
            Outcome { file: "a.yaml".into(), differences: Vec::new() },
            Outcome { file: "b.yaml".into(), differences: vec!["expected LS102, and it was not found".into()] },
        ];
        let told = "ok      a.yaml\nfailed  b.yaml\n        expected LS102, and it was not found\n2 scenarios, 1 not as expected\n";
        assert_eq!(text(&outcomes, false), told);
        assert_eq!(text(&outcomes[..1], true), "1 scenario, as expected\n");
    }
}
