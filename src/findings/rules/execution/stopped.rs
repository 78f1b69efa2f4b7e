//! EX610, EX611 and EX612: what the rehearsal ended.

use std::time::Duration;

use super::aftermath;
use crate::execution::Stopped;
use crate::execution::steps::Failure;
use crate::findings::catalogue::{EX610, EX611, EX612};
use crate::findings::evidence::place;
use crate::findings::rules::causes;
use crate::findings::wording::migration;
use crate::findings::{Evidence, Finding};
use crate::schema::lexer::tokens;
use crate::snapshot::Refusal;
use crate::units::in_words;

/// EX610 of a command.
pub(super) fn command(limit: Duration) -> Finding {
    Finding::new(&EX610, format!("the command did not end within {} and was ended", in_words(limit))).help(
        "give it more time, `--time-limit 30m`, or see in its output what it waits for: nobody answers its questions"
            .to_owned(),
    )
}

/// What was ended in process: the statement, or what the tool does around it.
pub(super) fn statement(evidence: &Evidence, failure: &Failure, why: &Stopped) -> Finding {
    let step = failure.step.and_then(|index| evidence.execution().steps.get(index));
    let what = step.map_or_else(|| failure.doing.to_owned(), |step| migration(&step.migration));
    let driver = evidence.execution().settings.driver.name;
    let mut finding = match why {
        Stopped::Time(time) => Finding::new(&EX610, format!("{what} did not end within {}", in_words(*time)))
            .help("give it more time, `--time-limit 30m`, if it is slow and does end"),
        Stopped::Refused(refusal) => refused(&what, driver, refusal),
        Stopped::Growth(_) | Stopped::Memory => {
            let mut finding = Finding::new(&EX612, format!("{what} takes too much: {why}"));
            if matches!(why, Stopped::Growth(_)) {
                finding = finding.help("let it take more, `--max-growth 20G`, if that is meant");
            }
            finding.help("work on the rows in parts, each in a statement that takes a range of keys")
        }
    };
    if let Some(step) = step {
        let nothing_left = causes::left_behind(evidence).is_empty();
        finding = finding.at(Some(place(step)), format!("is ended; {}", aftermath(failure, nothing_left)));
        finding.object = Some(step.migration.clone());
        let recurs = tokens(&step.statement.sql).any(|token| token.is_word(&step.statement.sql, "RECURSIVE"));
        if recurs && finding.cause.is_none() {
            finding.cause = Some("a recursive query ends only where it finds no more rows, or at its LIMIT".to_owned());
        }
    }
    finding
}

fn refused(what: &str, driver: &str, refusal: &Refusal) -> Finding {
    let finding = Finding::new(&EX611, format!("{what} wants what a rehearsal does not do: {refusal}"))
        .cause(format!("{driver} would run it; what it would do there, and what follows it, is not known"));
    match refusal {
        Refusal::Snapshot => finding.help("take it out of the migration: it is the database that is being migrated"),
        Refusal::File(None) => finding.help("name the file as a literal, so that one sees which it is"),
        Refusal::File(Some(_)) | Refusal::Folder(_) | Refusal::WritableSchema => {
            let way = match refusal {
                Refusal::WritableSchema => "rebuild the table, or use ALTER TABLE",
                _ => "take it out of the migration, and move rows between databases in a script of its own",
            };
            finding.help(way).help(
                "if you trust these migrations: `--allow-unsafe-sql` runs it as production does, and what it writes elsewhere stays",
            )
        }
    }
}
