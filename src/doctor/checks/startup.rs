//! SN917: whether the migrations run before the server listens.

use crate::doctor::Evidence;
use crate::doctor::answer::Answer;
use crate::doctor::startup::Startup;
use crate::findings::catalogue::SN917;
use crate::findings::wording::list;
use crate::findings::{Finding, Level};
use crate::report::doctor::Status;

/// Files that are named where nothing was found; more are counted.
const NAMED: usize = 4;

/// When the migrations run.
pub(in crate::doctor) fn startup(evidence: &Evidence<'_>) -> Answer {
    const NAME: &str = "start-up";
    if evidence.plan.as_ref().is_ok_and(|plan| plan.tool == "d1") {
        return Answer::not_needed(NAME, "wrangler migrates from outside");
    }
    match &evidence.startup {
        Startup::Before { migrates, starts } => Answer::ok(NAME)
            .seen(format!("{} runs first", migrates.what), &migrates.at)
            .seen(format!("then {}", starts.what), &starts.at),
        Startup::After { migrates, listens } => Answer::ok(NAME).finding(
            Finding::new(&SN917, format!("the server listens before {} runs", migrates.what))
                .object(&migrates.what)
                .at(Some(migrates.at.place()), "")
                .cause(format!("{} stands before it, at {}", listens.what, listens.at.shown()))
                .help("migrate first, and listen when that is done"),
        ),
        Startup::Unawaited { migrates, listens } => Answer::ok(NAME).finding(
            Finding::new(&SN917, format!("nothing waits for {} before the server listens", migrates.what))
                .object(&migrates.what)
                .at(Some(migrates.at.place()), "")
                .cause(format!("it is asynchronous; {} follows at {}", listens.what, listens.at.shown()))
                .help("wait for it: put `await` before the call, and before the calls of the functions around it; take away the `&` behind a command"),
        ),
        Startup::Unknown { migrates, why } => {
            Answer::not_found(NAME, *why).seen(format!("{} migrates", migrates.what), &migrates.at)
        }
        Startup::NotFound { looked_at } if looked_at.is_empty() => {
            Answer::not_found(NAME, "no file in which the app begins was found")
        }
        Startup::NotFound { looked_at } => {
            let mut named: Vec<String> = looked_at.iter().take(NAMED).cloned().collect();
            if looked_at.len() > NAMED {
                named.push(format!("{} more", looked_at.len() - NAMED));
            }
            let finding = Finding::new(&SN917, format!("nothing that migrates was found in {}", list(&named)));
            let help = "where something else migrates, such as a step of the deploy, see that it is done before the app starts";
            Answer::of(NAME, Status::NotFound).finding(finding.at_level(Level::Note).object("start-up").help(help))
        }
    }
}
