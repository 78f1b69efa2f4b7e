//! The files for a CI: those of `ci/`, fitted to the project.

use std::path::{Path, PathBuf};

use super::super::output::word;
use super::{Means, yaml};

const GITHUB: &str = include_str!("../../../ci/github/rehearse.yml");
const GITLAB: &str = include_str!("../../../ci/gitlab/rehearse.gitlab-ci.yml");

/// Who runs the rehearsal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Host {
    Github,
    Gitlab,
}

impl Host {
    /// What the repository's own files speak for.
    pub(super) fn of(root: &Path) -> Option<Self> {
        let remotes = std::fs::read_to_string(root.join(".git/config")).unwrap_or_default();
        if root.join(".gitlab-ci.yml").is_file() {
            Some(Self::Gitlab)
        } else if root.join(".github").is_dir() {
            Some(Self::Github)
        } else if remotes.contains("gitlab") {
            Some(Self::Gitlab)
        } else {
            remotes.contains("github").then_some(Self::Github)
        }
    }

    /// Where its file goes.
    pub(super) fn place(self, root: &Path) -> PathBuf {
        root.join(match self {
            Self::Github => ".github/workflows/rehearse.yml",
            Self::Gitlab => "rehearse.gitlab-ci.yml",
        })
    }

    /// Its file for a project in the folder `within` of the repository.
    pub(super) fn file(self, within: &str, means: &Means) -> String {
        let beside = |path: &str| if within.is_empty() { path.to_owned() } else { format!("{within}/{path}") };
        let mut paths = vec![beside("rehearse.yaml")];
        if let Means::InProcess(folder) = means {
            paths.insert(0, beside(&format!("{}/**", folder.trim_start_matches("./"))));
        }
        let paths = |indent: &str, every: &str| -> String {
            let path = |path: &String| format!("{indent}- {}\n", quoted(&path.replace("/**", every)));
            paths.iter().map(path).collect()
        };
        match self {
            Self::Github => {
                let text = GITHUB.replace("      - \"rehearse.yaml\"\n", &paths("      ", "/**"));
                let mut more = String::new();
                if !within.is_empty() {
                    more = format!("          working-directory: {}\n", yaml(within));
                }
                let text = text.replace("          comment: true\n", &format!("          comment: true\n{more}"));
                match means {
                    Means::InProcess(_) => text,
                    Means::Command(command) => text.replace(
                        "        with:\n          snapshot:",
                        &format!("        # What the command needs has to be installed before.\n        env:\n          REHEARSE_EXEC: {}\n        with:\n          snapshot:", quoted(command)),
                    ),
                }
            }
            Self::Gitlab => {
                let text = GITLAB.replace("        - rehearse.yaml\n", &paths("        ", "/**/*"));
                let text = match means {
                    Means::InProcess(_) => text,
                    Means::Command(command) => text.replace(
                        "  before_script:\n",
                        &format!("  variables:\n    REHEARSE_EXEC: {}\n  # What the command needs has to be installed here, too.\n  before_script:\n", quoted(command)),
                    ),
                };
                if within.is_empty() {
                    return text;
                }
                let text = text.replace(
                    "  script:\n    - thorough=",
                    &format!("  script:\n    - {}\n    - thorough=", quoted(&format!("cd {}", word(within)))),
                );
                let text = text.replace("find . -maxdepth 1", &format!("find {} -maxdepth 1", word(within)));
                let mut lines: Vec<String> = Vec::new();
                for line in text.lines() {
                    lines.push(match line.trim_start().split_once("rehearsal.") {
                        Some(("- ", file)) => format!("      - {}", quoted(&beside(&format!("rehearsal.{file}")))),
                        Some((key @ ("junit: " | "codequality: " | "dotenv: "), file)) => {
                            format!("      {key}{}", quoted(&beside(&format!("rehearsal.{file}"))))
                        }
                        _ => line.to_owned(),
                    });
                }
                lines.join("\n") + "\n"
            }
        }
    }
}

/// The text as a YAML value in double quotes, as JSON writes it.
fn quoted(text: &str) -> String {
    serde_json::json!(text).to_string()
}
