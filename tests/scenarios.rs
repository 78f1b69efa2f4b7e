//! One test per scenario: `cargo test --test scenarios LS102` runs those whose name contains LS102.

#![expect(clippy::expect_used, reason = "without its scenarios this program has nothing to say")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let trials = files(&root).into_iter().map(|file| trial(&root, file)).collect();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// Every YAML file below a folder, in the order of their names.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).expect("the scenarios are there") {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn trial(root: &Path, file: PathBuf) -> Trial {
    let name = file.strip_prefix(root).unwrap_or(&file).with_extension("").display().to_string();
    Trial::test(name, move || {
        let outcome = rehearse::scenarios::run(&file).map_err(|error| Failed::from(error.to_string()))?;
        if outcome.passed() { Ok(()) } else { Err(Failed::from(outcome.differences.join("\n"))) }
    })
}
