//! EX603, EX606, EX607 and EX608: what a second run, deaths of the process and another run show.

use super::transactions::{make_atomic, why_not_atomic};
use crate::execution::Step;
use crate::findings::catalogue::{EX603, EX606, EX607, EX608};
use crate::findings::evidence::{file, place};
use crate::findings::faults::{Difference, End, Part, Stuck};
use crate::findings::rule::Place;
use crate::findings::wording::{count, list, migration, names, share};
use crate::findings::{Evidence, Faults, Finding, Level};
use crate::schema::Schema;
use crate::schema::lexer::{Token, TokenKind, tokens};

/// How many of several things a sentence names.
const NAMED: usize = 3;

/// EX603: running the tool a second time does something.
pub(super) fn not_a_no_op(evidence: &Evidence) -> Vec<Finding> {
    let Some(again) = evidence.faults.as_ref().and_then(|faults| faults.again.as_ref()) else { return Vec::new() };
    let ran = match again.ran.as_slice() {
        [] => String::new(),
        ran => format!(" runs {} again, and", names(ran.iter().map(String::as_str))),
    };
    let what = match &again.end {
        End::Failed { message, .. } => format!("running the tool a second time{ran} fails: {message}"),
        End::Refused { message, .. } => format!("the tool refuses to run a second time: {}", first_sentence(message)),
        End::Differs(differences) => {
            format!("running the tool a second time{ran} changes {}", differing(differences))
        }
        End::Damaged(message) => format!("running the tool a second time{ran} damages the database: {message}"),
    };
    let mut finding = Finding::new(&EX603, what);
    finding.object = again.ran.first().cloned();
    if let End::Failed { place: Some(place), .. } = &again.end {
        finding = finding.at(Some(place.clone()), "fails when it runs a second time");
    }
    if evidence.plan.ledger.name.is_empty() {
        finding = finding.cause("nothing records what was applied, so that every file runs at every start");
    }
    let help = match &again.end {
        End::Refused { help, .. } => help,
        _ => {
            "write every statement so that it may run twice (IF NOT EXISTS, OR IGNORE), or have the tool record what was applied"
        }
    };
    vec![finding.help(help)]
}

/// EX606: a death of the process leaves a part of a migration.
pub(super) fn partial_state(evidence: &Evidence) -> Vec<Finding> {
    let parts = evidence.faults.iter().flat_map(|faults| &faults.parts);
    parts.map(|part| left(evidence, part)).collect()
}

fn left(evidence: &Evidence, part: &Part) -> Finding {
    let moments = format!("at {}", share(part.moments, part.of, "moment"));
    let whose = part.migration.as_deref().map_or_else(|| "the migrations".to_owned(), migration);
    let message = match &part.damage {
        Some(_) => format!("if the process dies in {whose}, the database is damaged: {moments}"),
        None if part.whole => format!("if the process dies in {whose}, it is there and not recorded: {moments}"),
        None => format!("if the process dies in {whose}, a part of it stays: {moments}"),
    };
    let mut finding = Finding::new(&EX606, message).rows(part.moments);
    finding.object.clone_from(&part.migration);
    if part.first.place.is_none() {
        finding = finding.at(file_of(evidence, part.migration.as_deref()), "");
    }
    if let Some(place) = &part.first.place {
        let label = if part.first.within { "dies in the middle of this" } else { "dies after this" };
        let left = match part.what.as_slice() {
            [] => label.to_owned(),
            what => format!("{label}: {} not as before", is_or_are(what)),
        };
        finding = finding.at(Some(place.clone()), left);
    }
    match (&part.damage, &part.migration) {
        (Some(damage), _) => {
            finding.level = Level::Error;
            finding
                .cause(format!("SQLite cannot take the transaction back: {damage}"))
                .help("leave `PRAGMA journal_mode` as it is: with OFF and MEMORY no journal outlives the process")
        }
        (None, _) if part.whole => {
            finding.level = Level::Note;
            finding.cause(format!("{} records a migration once it is committed", evidence.plan.tool))
        }
        (None, Some(name)) if evidence.plan.pending().any(|pending| pending.name == *name && pending.unwrapped) => finding
            .cause("the file says that it runs outside of a transaction, so that every statement commits by itself")
            .help("begin one in the file, behind `PRAGMA foreign_keys = OFF` and up to `PRAGMA foreign_keys = ON`: BEGIN; … COMMIT;"),
        (None, Some(name)) => {
            finding = finding.cause(why_not_atomic(evidence, name));
            finding.help.extend(make_atomic(evidence));
            finding
        }
        (None, None) => finding,
    }
}

/// EX607: after a death running the tool again does not finish the job.
pub(super) fn cannot_resume(evidence: &Evidence) -> Vec<Finding> {
    let Some(faults) = &evidence.faults else { return Vec::new() };
    // Where nothing is recorded every start runs everything, with and without a death: EX603 says so.
    if evidence.plan.ledger.name.is_empty() && faults.again.is_some() {
        return Vec::new();
    }
    faults.stuck.iter().map(|stuck| ended(evidence, faults, stuck)).collect()
}

fn ended(evidence: &Evidence, faults: &Faults, stuck: &Stuck) -> Finding {
    let if_dies = format!("if the process dies {}", stuck.first.when);
    let message = match &stuck.end {
        End::Failed { message, .. } => format!("{if_dies}, running the tool again fails: {message}"),
        End::Refused { message, .. } => {
            format!("{if_dies}, the tool refuses to run again: {}", first_sentence(message))
        }
        End::Differs(differences) => {
            format!("{if_dies}, running the tool again leaves something else in {}", differing(differences))
        }
        End::Damaged(message) => {
            format!("{if_dies}, running the tool again completes on a damaged database: {message}")
        }
    };
    let mut finding = Finding::new(&EX607, message).rows(stuck.moments);
    finding.object.clone_from(&stuck.first.migration);
    finding = match &stuck.end {
        End::Failed { place: Some(place), .. } => finding.at(Some(place.clone()), "fails when it runs again"),
        _ => match &stuck.first.place {
            Some(place) => finding.at(Some(place.clone()), "the process dies here"),
            None => finding.at(file_of(evidence, stuck.first.migration.as_deref()), ""),
        },
    };
    finding = finding
        .cause(format!("{} at which the process died led there", share(stuck.moments, faults.moments, "moment")));
    if let End::Refused { help, .. } = &stuck.end {
        return finding.help(help);
    }
    finding.help.extend(make_atomic(evidence));
    finding.help(
        "write every statement so that it may run twice (IF NOT EXISTS, OR IGNORE), or restore the database before the next start",
    )
}

/// The file of a migration as a whole.
fn file_of(evidence: &Evidence, migration: Option<&str>) -> Option<Place> {
    evidence.plan.pending().find(|pending| Some(pending.name.as_str()) == migration).map(file)
}

/// EX608: two runs do not leave the same.
pub(super) fn nondeterministic(evidence: &Evidence) -> Vec<Finding> {
    let Some(faults) = &evidence.faults else { return Vec::new() };
    let failed = faults.other_failed.iter().map(|message| {
        Finding::new(&EX608, format!("another run, at another time, fails: {message}"))
            .at_level(Level::Warning)
            .help("a migration must not hang on when it runs: write the date as a literal")
    });
    failed.chain(faults.differing.iter().map(|difference| differs(evidence, difference))).collect()
}

fn differs(evidence: &Evidence, difference: &Difference) -> Finding {
    let Difference { table, column, rows, as_many } = difference;
    let message = match (column, rows) {
        (Some(column), rows) => {
            format!("two runs leave {} of `{column}` in `{table}` different", count(*rows, "value"))
        }
        (None, 0) => format!("two runs leave `{table}` different"),
        (None, rows) => format!("two runs leave {} in `{table}`", count_of_others(*rows)),
    };
    let mut finding = Finding::new(&EX608, message).table(table).rows(*rows);
    finding.column.clone_from(column);
    let reason = reason(evidence, difference);
    if reason.is_none() || !as_many {
        finding.level = Level::Warning;
    }
    let help = match &reason {
        Some(Reason { .. }) if *as_many => {
            "fine where each database may have its own values; a value that others refer to belongs into the file as a literal"
        }
        _ => "find out what it hangs on, and write that into the file: a literal, or an ORDER BY with a key",
    };
    match reason {
        Some(Reason { step: Some(step), what }) => {
            finding.at(Some(place(step)), format!("{what} gives another value in every run"))
        }
        Some(Reason { step: None, what }) => finding.cause(what),
        None => finding.cause("no statement names the time or a random number"),
    }
    .help(help)
}

fn count_of_others(rows: u64) -> String {
    if rows == 1 { "1 other row".to_owned() } else { count(rows, "other row") }
}

/// Why two runs differ.
struct Reason<'a> {
    step: Option<&'a Step>,
    what: String,
}

/// The statement that names the table and such an expression; else the column's DEFAULT, a trigger, or any other statement.
fn reason<'a>(evidence: &'a Evidence, difference: &Difference) -> Option<Reason<'a>> {
    let after = &evidence.comparison().after;
    let volatile = |step: &'a Step| volatile(&step.statement.sql).map(|what| (step, what));
    let steps: Vec<(&Step, String)> = evidence.committed().filter_map(volatile).collect();
    let mentions = |name: &str| {
        let found = steps.iter().find(|(step, _)| mentions(&step.statement.sql, name));
        found.map(|(step, what)| Reason { step: Some(step), what: what.clone() })
    };
    difference
        .column
        .as_deref()
        .and_then(mentions)
        .or_else(|| mentions(&difference.table))
        .or_else(|| of_definition(after, difference).map(|what| Reason { step: None, what }))
        .or_else(|| steps.first().map(|(step, what)| Reason { step: Some(step), what: what.clone() }))
}

/// What in the schema gives another value in every run.
fn of_definition(schema: &Schema, difference: &Difference) -> Option<String> {
    let is_it = |name: &str| difference.column.as_ref().is_none_or(|column| column.eq_ignore_ascii_case(name));
    let columns = schema.table(&difference.table).map(|table| table.columns.as_slice()).unwrap_or_default();
    let default = columns.iter().filter(|column| is_it(&column.name)).find_map(|column| {
        let what = volatile(column.default.as_ref()?)?;
        Some(format!("{what} is the DEFAULT of `{}`", column.name))
    });
    default.or_else(|| {
        schema.triggers.values().find_map(|trigger| {
            let what = volatile(&trigger.sql).filter(|_| mentions(&trigger.sql, &difference.table))?;
            Some(format!("the trigger `{}` writes {what}", trigger.name))
        })
    })
}

/// The expression in this SQL that gives another value in every run, as words: `` `random()` ``.
fn volatile(sql: &str) -> Option<String> {
    const RANDOM: [&str; 2] = ["random", "randomblob"];
    const NOW: [&str; 3] = ["current_timestamp", "current_date", "current_time"];
    const TIMES: [&str; 7] = ["date", "time", "datetime", "julianday", "unixepoch", "strftime", "timediff"];
    let tokens: Vec<Token> = tokens(sql).filter(|token| !token.is_trivia()).collect();
    let is_one_of = |token: &Token, words: &[&str]| words.iter().any(|word| token.is_word(sql, word));
    tokens.iter().enumerate().find_map(|(index, token)| {
        let mut next = tokens[index + 1..].iter().map(|token| token.text(sql));
        let is_call = next.next() == Some("(");
        let word = || token.text(sql).to_ascii_lowercase();
        if is_one_of(token, &NOW) {
            return Some(format!("`{}`", word().to_ascii_uppercase()));
        }
        if !is_call {
            return None;
        }
        if is_one_of(token, &RANDOM) {
            return Some(format!("`{}()`", word()));
        }
        let has_now = |arguments: &mut dyn Iterator<Item = &str>| {
            arguments.take_while(|text| *text != ")").any(|text| text.eq_ignore_ascii_case("'now'"))
        };
        let no_argument = tokens.get(index + 2).is_some_and(|token| token.text(sql) == ")");
        let is_now = is_one_of(token, &TIMES) && (no_argument || has_now(&mut next));
        is_now.then(|| format!("`{}('now')`", word()))
    })
}

fn mentions(sql: &str, name: &str) -> bool {
    tokens(sql)
        .filter(|token| token.kind != TokenKind::String)
        .filter_map(|token| token.name(sql))
        .any(|word| word.eq_ignore_ascii_case(name))
}

/// `` 3 rows of `users`, `plan` in `users` and 2 more ``.
fn differing(differences: &[Difference]) -> String {
    let one = |difference: &Difference| match (&difference.column, difference.rows) {
        (Some(column), rows) => format!("{} of `{column}` in `{}`", count(rows, "value"), difference.table),
        (None, 0) => format!("`{}`", difference.table),
        (None, rows) => format!("{} of `{}`", count(rows, "row"), difference.table),
    };
    let mut parts: Vec<String> = differences.iter().take(NAMED).map(one).collect();
    if differences.len() > NAMED {
        parts.push(format!("{} more", differences.len() - NAMED));
    }
    list(&parts)
}

fn is_or_are(what: &[String]) -> String {
    let verb = if what.len() == 1 { "is" } else { "are" };
    format!("{} {verb}", names(what.iter().map(String::as_str)))
}

/// What a tool says first: the rest may name times and links.
fn first_sentence(message: &str) -> &str {
    message.split(". ").next().unwrap_or(message).trim_end_matches('.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gives_another_value_in_every_run() {
        for (sql, what) in [
            ("UPDATE t SET a = hex(RandomBlob (8))", "`randomblob()`"),
            ("SELECT abs(random()) % 7", "`random()`"),
            ("INSERT INTO t VALUES (current_timestamp)", "`CURRENT_TIMESTAMP`"),
            ("SELECT strftime('%s', 'NOW')", "`strftime('now')`"),
            ("SELECT datetime()", "`datetime('now')`"),
        ] {
            assert_eq!(volatile(sql).as_deref(), Some(what), "{sql}");
        }
        for sql in [
            "SELECT date('2026-01-01', '+1 day')",
            "SELECT random FROM t -- random()",
            "SELECT 'random()', \"current_date\"",
            "SELECT date(a), 'now' FROM t",
        ] {
            assert_eq!(volatile(sql), None, "{sql}");
        }
    }

    #[test]
    fn several_differences_are_named_and_the_others_counted() {
        let one = |column: Option<&str>, rows| Difference {
            table: "t".to_owned(),
            column: column.map(str::to_owned),
            rows,
            as_many: true,
        };
        assert_eq!(differing(&[one(None, 1), one(Some("a"), 2)]), "1 row of `t` and 2 values of `a` in `t`");
        assert_eq!(differing(&[one(None, 0), one(None, 0), one(None, 0), one(None, 0)]), "`t`, `t`, `t` and 1 more");
    }
}
