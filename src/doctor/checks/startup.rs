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

const NAME: &str = "start-up";

/// When the migrations run.
pub(in crate::doctor) fn startup(evidence: &Evidence<'_>) -> Answer {
    if evidence.plan.as_ref().is_ok_and(|plan| plan.tool == "d1") {
        return Answer::not_needed(NAME, "wrangler migrates from outside");
    }
    if let Some(answer) = of_release(evidence) {
        return answer;
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
        Startup::Unread { runs } => {
            Answer::not_found(NAME, "what runs first is in no file of the project that can be read, so that nobody can tell whether it migrates")
                .seen(format!("{} runs", runs.what), &runs.at)
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

/// SN917 where fly.toml migrates in a machine that does not have the database; none where that is not so, or the app migrates too.
fn of_release(evidence: &Evidence<'_>) -> Option<Answer> {
    let (migrates, fly) = (evidence.released.as_ref()?, evidence.deployment.fly.as_ref()?);
    let (_, at) = fly.release.as_ref()?;
    if let Startup::Before { migrates: at_start, starts } = &evidence.startup {
        let answer = Answer::ok(NAME).seen(format!("{} runs first", at_start.what), &at_start.at);
        let also = format!("{} of `release_command` has no volume: it migrates another, empty database", migrates.what);
        return Some(answer.seen(format!("then {}", starts.what), &starts.at).seen(also, at));
    }
    let is_local = !evidence.deployment.named.is_empty();
    let may_be_remote =
        evidence.driver.iter().flat_map(|driver| &driver.drivers).any(|driver| driver.name.contains("libsql"));
    if may_be_remote && !is_local {
        let why = "whether the database is a file on a volume stands in no file; if it is, `release_command` migrates another, empty one";
        return Some(Answer::not_found(NAME, why).seen(format!("{} migrates", migrates.what), &migrates.at));
    }
    let finding = Finding::new(&SN917, format!("{} runs where production's database is not", migrates.what));
    let cause = format!(
        "`release_command` runs in a machine of its own without a volume: there {} migrates an empty database, and production's is not \
         migrated (it stands at {})",
        migrates.what,
        migrates.at.shown()
    );
    Some(
        Answer::ok(NAME).finding(
            finding
                .object("release_command")
                .at(Some(at.place()), "")
                .cause(cause)
                .help("take `release_command` away, and migrate when the container starts, before the server listens"),
        ),
    )
}
