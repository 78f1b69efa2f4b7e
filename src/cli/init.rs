//! `rehearse init`: which command rehearses the project in the working directory, and why.

use std::fmt::Write as _;

use rehearse::error::Error;
use rehearse::migrations::{Request, recipes, search};
use rehearse::report::visible::visible;
use rehearse::report::{Format, json};

use super::output::{Terminal, word};

/// A way to rehearse the project.
#[derive(serde::Serialize)]
struct Proposal {
    tool: String,
    command: String,
    why: String,
}

/// Proposes; nothing is written.
pub fn run(terminal: &Terminal) -> Result<u8, Error> {
    let request = Request { project: ".".into(), ..Request::default() };
    let search = search(&request)?;
    let likely = search.likely();
    let is_only = likely.len() == 1;
    let in_process = likely.into_iter().map(|(tool, folder, why)| {
        let choice = if is_only {
            String::new()
        } else {
            format!(" --tool {tool} --migrations {}", word(&folder.display().to_string()))
        };
        Proposal { tool: tool.to_owned(), command: format!("rehearse --snapshot prod.db{choice}"), why: why.to_owned() }
    });
    let by_command = recipes::of_project(search.project()).into_iter().map(|(recipe, why)| Proposal {
        tool: recipe.name.to_owned(),
        command: format!("rehearse --snapshot prod.db --exec {}", word(recipe.command)),
        why,
    });
    let proposals: Vec<Proposal> = in_process.chain(by_command).collect();
    if proposals.is_empty() {
        return Err(Error::usage("looking for a migration tool in `.`", "no file speaks for one that is known")
            .hint("for a folder of .sql files: rehearse --snapshot prod.db --migrations DIR")
            .hint("for any other tool give the command that migrates: rehearse --snapshot prod.db --exec 'COMMAND'"));
    }
    terminal.print(&match terminal.format {
        Format::Json => json::pretty(&proposals),
        Format::Text => text(&proposals),
    })?;
    Ok(0)
}

fn text(proposals: &[Proposal]) -> String {
    let mut text = String::new();
    for Proposal { tool, command, why } in proposals {
        let _ = write!(text, "{} ({})\n  {}\n", visible(tool), visible(why), visible(command));
    }
    text.push_str("\nprod.db stands for a copy of the production database: a file, a dump, or what a command gives\n");
    text
}
