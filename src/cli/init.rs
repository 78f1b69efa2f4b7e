//! `rehearse init`: which command rehearses the project in the working directory, and why; and the files that make it run by itself.

mod snippet;

use std::fmt::Write as _;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use rehearse::config::FILE;
use rehearse::error::{Doing as _, Error};
use rehearse::findings::wording::list;
use rehearse::migrations::{Request, recipes, search};
use rehearse::report::json;
use rehearse::report::visible::visible;
use rehearse::repository::{is_root, or_dot, upwards};

use super::output::{Plain, Terminal, word};
use super::suggest;

pub use snippet::Host;

/// A way to rehearse the project.
#[derive(serde::Serialize)]
struct Proposal {
    tool: String,
    command: String,
    why: String,
    #[serde(skip)]
    means: Means,
}

/// What runs the migrations.
enum Means {
    /// rehearse itself, with this folder.
    InProcess(String),
    /// The tool's own command.
    Command(String),
}

/// What `init` tells.
#[derive(serde::Serialize)]
struct Outcome {
    proposals: Vec<Proposal>,
    /// Files that were written.
    written: Vec<String>,
    /// Files that were there and stay as they are.
    kept: Vec<String>,
}

/// Proposes, and writes `rehearse.yaml` and the file for the CI where one proposal is the one that is meant.
pub fn run(tool: Option<&str>, ci: Option<Host>, terminal: &Terminal) -> Result<u8, Error> {
    let form = terminal.plain("init")?;
    let proposals = proposals()?;
    let chosen = chosen(&proposals, tool)?;
    let root = root();
    let host = ci.or_else(|| Host::of(&root));
    let mut outcome = Outcome { written: Vec::new(), kept: Vec::new(), proposals: Vec::new() };
    if let Some(chosen) = chosen {
        outcome.write(Path::new(FILE), &configuration(chosen))?;
        if let Some(host) = host {
            let within = within(&root)?;
            outcome.write(&host.place(&root), &host.file(&within, &chosen.means))?;
        }
    }
    let next = next(chosen.is_some(), host);
    outcome.proposals = proposals;
    terminal.print(&match form {
        Plain::Json => json::pretty(&outcome),
        Plain::Text => outcome.text(&next),
    })?;
    Ok(0)
}

/// The proposal that is named, else the only one, else the only one that needs no command; none where several fit.
fn chosen<'a>(proposals: &'a [Proposal], tool: Option<&str>) -> Result<Option<&'a Proposal>, Error> {
    if let Some(tool) = tool {
        let names: Vec<&str> = proposals.iter().map(|proposal| proposal.tool.as_str()).collect();
        let unknown = || {
            suggest::unknown_error("reading `--tool`", "proposal", tool, &names)
                .hint(format!("in this folder: {}", names.join(", ")))
        };
        return proposals.iter().find(|proposal| proposal.tool == tool).map(Some).ok_or_else(unknown);
    }
    let mut in_process = proposals.iter().filter(|proposal| matches!(proposal.means, Means::InProcess(_)));
    Ok(match (in_process.next(), in_process.next(), proposals) {
        (Some(only), None, _) | (None, None, [only]) => Some(only),
        _ => None,
    })
}

fn proposals() -> Result<Vec<Proposal>, Error> {
    let request = Request { project: ".".into(), ..Request::default() };
    let search = search(&request)?;
    let likely = search.likely();
    let is_only = likely.len() == 1;
    let in_process = likely.into_iter().map(|(tool, folder, why)| {
        let folder = folder.display().to_string();
        let choice = if is_only { String::new() } else { format!(" --tool {tool} --migrations {}", word(&folder)) };
        Proposal {
            tool: tool.to_owned(),
            command: format!("rehearse --snapshot prod.db{choice}"),
            why: why.to_owned(),
            means: Means::InProcess(folder),
        }
    });
    let by_command = recipes::of_project(search.project()).into_iter().map(|(recipe, why)| Proposal {
        tool: recipe.name.to_owned(),
        command: format!("rehearse --snapshot prod.db --exec {}", word(recipe.command)),
        why,
        means: Means::Command(recipe.command.to_owned()),
    });
    let proposals: Vec<Proposal> = in_process.chain(by_command).collect();
    if proposals.is_empty() {
        return Err(Error::usage("looking for a migration tool in `.`", "no file speaks for one that is known")
            .hint("for a folder of .sql files: rehearse --snapshot prod.db --migrations DIR")
            .hint("for any other tool give the command that migrates: rehearse --snapshot prod.db --exec 'COMMAND'"));
    }
    Ok(proposals)
}

/// The nearest folder upwards that is a repository's, else the working directory; as a path from here.
fn root() -> PathBuf {
    let root = upwards(Path::new(".")).pop().filter(|last| is_root(last)).unwrap_or_default();
    or_dot(&root).to_path_buf()
}

/// The working directory as a path from the repository's root; empty where it is the root.
fn within(root: &Path) -> Result<String, Error> {
    let doing = || "finding the folder in its repository".to_owned();
    let (here, root) = (Path::new(".").canonicalize().doing(doing)?, root.canonicalize().doing(doing)?);
    Ok(here.strip_prefix(root).map(|path| path.display().to_string()).unwrap_or_default())
}

/// The text as one YAML value: in double quotes, as JSON writes it, where it is not a plain word.
fn yaml(text: &str) -> String {
    let is_plain = |sign: char| sign.is_ascii_alphanumeric() || "._-/".contains(sign);
    let begins_plain = text.starts_with(|sign: char| sign.is_ascii_alphabetic() || sign == '.');
    if begins_plain && text.chars().all(is_plain) { text.to_owned() } else { serde_json::json!(text).to_string() }
}

/// The text of `rehearse.yaml`.
fn configuration(chosen: &Proposal) -> String {
    let mut text =
        String::from("# What rehearse reads here and below. Every option of `rehearse --help` can stand in it.\n");
    let why = visible(&chosen.why);
    match &chosen.means {
        Means::InProcess(folder) => {
            let _ = writeln!(text, "tool: {}  # {why}\nmigrations: {}", yaml(&chosen.tool), yaml(folder));
        }
        Means::Command(command) => {
            let _ = writeln!(
                text,
                "# {}: {why}\n# A file runs a command only where it is trusted: --trust-config, or give it as --exec.\nexec: {}",
                visible(&chosen.tool),
                yaml(command)
            );
        }
    }
    text.push_str(
        "
# snapshot: prod.db          # a copy of the production database; never the one that the app has open in CI
# fail_on: warning
# max_snapshot_age: 7d

# What you know of your own data:
# expect:
#   tables:
#     users: unchanged

# What is intended, and until when:
# allow:
#   - {rule: LS104, table: legacy_carts, at_most: 120, until: 2027-12-31, because: moved to cold storage}
",
    );
    text
}

/// What is left to do.
fn next(is_chosen: bool, host: Option<Host>) -> Vec<String> {
    if !is_chosen {
        return vec!["more than one fits, so nothing is written: rehearse init --tool NAME".to_owned()];
    }
    vec![match host {
        Some(Host::Github) => "in the workflow: replace OWNER, and the step that is marked REPLACE".to_owned(),
        Some(Host::Gitlab) => {
            "in the job: replace the step that is marked REPLACE; in .gitlab-ci.yml: include it with `local:`"
                .to_owned()
        }
        None => "no CI is found: rehearse init --ci github, or gitlab".to_owned(),
    }]
}

impl Outcome {
    /// Writes a file that is not there yet.
    fn write(&mut self, path: &Path, text: &str) -> Result<(), Error> {
        let doing = || format!("writing `{}`", path.display());
        let shown = path.strip_prefix(".").unwrap_or(path).display().to_string();
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).doing(doing)?;
        }
        match std::fs::File::create_new(path) {
            Ok(mut file) => {
                file.write_all(text.as_bytes()).doing(doing)?;
                self.written.push(shown);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => self.kept.push(shown),
            Err(error) => return Err(Error::cannot(doing(), error)),
        }
        Ok(())
    }

    fn text(&self, next: &[String]) -> String {
        let mut text = String::new();
        for Proposal { tool, command, why, .. } in &self.proposals {
            let _ = write!(text, "{} ({})\n  {}\n", visible(tool), visible(why), visible(command));
        }
        text.push_str(
            "\nprod.db stands for a copy of the production database: a file, a dump, or what a command gives\n",
        );
        for (what, files) in [("wrote", &self.written), ("kept as it was:", &self.kept)] {
            if !files.is_empty() {
                let files: Vec<String> = files.iter().map(|file| format!("`{}`", visible(file))).collect();
                let _ = writeln!(text, "{what} {}", list(&files));
            }
        }
        for line in next {
            let _ = writeln!(text, "{line}");
        }
        text
    }
}
