//! QC: the queries of the app against the schema before and after.

use std::collections::{BTreeMap, HashMap};

use super::missing;
use crate::compare::app::plan::{How, Slower};
use crate::compare::app::{Checked, Works, Wrong, only_in, positional_insert};
use crate::compare::queries::{Answer, Difference};
use crate::execution::Step;
use crate::findings::catalogue::{QC801, QC802, QC803, QC804, QC805, QC806, QC807};
use crate::findings::rule::Place;
use crate::findings::wording::{count, difference_of_results, list, names, number};
use crate::findings::{Evidence, Finding, Level, Rule};
use crate::migrations::statement::{Action, redact};
use crate::queries::Query;
use crate::schema::lexer::unquote;

/// Rows of a table below which it does not matter how it is read.
const FEWEST: u64 = 1_000;
/// Lines that are named; more are counted.
const NAMED: usize = 10;

/// A query, or several that differ in values only, and what became of it.
struct Case<'a> {
    query: &'a Query,
    checked: &'a Checked,
    /// How often it stands in the files.
    times: u64,
}

/// QC801 to QC807.
pub(super) fn all(evidence: &Evidence) -> Vec<Finding> {
    let (unreadable, cases): (Vec<_>, Vec<_>) = cases(evidence).into_iter().partition(is_no_statement);
    let mut findings = no_statements(&unreadable);
    for case in cases {
        findings.extend(works(&case, evidence));
        findings.extend(columns(&case));
        findings.extend(shifted(&case));
        findings.extend(case.checked.slower.iter().filter_map(|slower| slowed(&case, slower)));
        findings.extend(result(&case));
    }
    findings
}

/// What there is to tell of, in the order of the files.
fn cases(evidence: &Evidence) -> Vec<Case<'_>> {
    let (Some(queries), Some(checked)) = (&evidence.queries, &evidence.trial.queries) else { return Vec::new() };
    let mut cases: Vec<Case<'_>> = Vec::new();
    let mut known: HashMap<_, Vec<usize>> = HashMap::new();
    for (query, checked) in queries.list.iter().zip(checked).filter(|(_, checked)| !checked.is_fine()) {
        let alike = known.entry((query.name.as_deref(), query.shape())).or_default();
        let same = alike.iter().copied().find(|index| cases.get(*index).is_some_and(|case| case.checked == checked));
        if let Some(case) = same.and_then(|index| cases.get_mut(index)) {
            case.times += query.times;
        } else {
            alike.push(cases.len());
            cases.push(Case { query, checked, times: query.times });
        }
    }
    cases
}

/// Whether it is of a log and SQLite's grammar knows no such statement: it may be anything that the app wrote.
fn is_no_statement(case: &Case<'_>) -> bool {
    let Works::Neither { before, after } = &case.checked.works else { return false };
    let says = |message: &String| {
        message.contains(": syntax error")
            || message.contains("unrecognized token")
            || message.contains("incomplete input")
    };
    case.query.logged && says(before) && says(after)
}

/// QC807, once for each file and without a word of them; a note where all are written as a sentence begins.
fn no_statements(cases: &[Case<'_>]) -> Vec<Finding> {
    let mut of_files: BTreeMap<&str, Vec<&Case<'_>>> = BTreeMap::new();
    for case in cases {
        of_files.entry(&case.query.file).or_default().push(case);
    }
    let told = |(file, cases): (&str, Vec<&Case<'_>>)| {
        let times: u64 = cases.iter().map(|case| case.times).sum();
        let place = |case: &&Case<'_>| {
            let line = number(case.query.line.into());
            if case.times > 1 { format!("{line} ({} times)", number(case.times)) } else { line }
        };
        let mut places: Vec<String> = cases.iter().take(NAMED).map(place).collect();
        places.extend((cases.len() > NAMED).then(|| format!("{} more", number((cases.len() - NAMED) as u64))));
        let (what, lines) = if times == 1 { ("looks", "line") } else { ("look", "lines") };
        let (what, lines) = (what, if cases.len() == 1 { "line" } else { lines });
        let message = format!(
            "{} of `{file}` {what} like a statement and cannot be read as one: {lines} {}",
            count(times, "piece"),
            list(&places)
        );
        let (line, column) = (cases[0].query.line, cases[0].query.column);
        let place = Place { migration: String::new(), file: file.to_owned(), line, column, statement: String::new() };
        let finding = Finding::new(&QC807, message).object(file).at(Some(place), "");
        let finding = finding.help("where one is a query, it is cut off or not SQLite's SQL: look at it by hand");
        let is_prose = cases.iter().all(|case| is_sentence(&case.query.text));
        if is_prose { finding.at_level(Level::Note) } else { finding }
    };
    of_files.into_iter().map(told).collect()
}

/// `Delete failed`: a capital, and then none.
fn is_sentence(text: &str) -> bool {
    let mut letters = text.chars().take_while(|letter| letter.is_alphabetic());
    letters.next().is_some_and(char::is_uppercase) && letters.all(char::is_lowercase)
}

impl Case<'_> {
    /// `` `GetUser` ``, `` the query at `app.log:12` (3 times) ``.
    fn subject(&self) -> String {
        let subject = match &self.query.name {
            Some(name) => format!("`{name}`"),
            None => format!("the query at `{}:{}`", self.query.file, self.query.line),
        };
        if self.times > 1 { format!("{subject} ({} times)", number(self.times)) } else { subject }
    }

    fn finding(&self, rule: &'static Rule, what: &str, label: impl Into<String>) -> Finding {
        let place = Place {
            migration: String::new(),
            file: self.query.file.clone(),
            line: self.query.line,
            column: self.query.column,
            statement: redact(&self.query.text),
        };
        Finding::new(rule, format!("{} {what}", self.subject())).object(self.query.called()).at(Some(place), label)
    }
}

/// QC801, QC802, QC807, and QC805 where the number of values is wrong.
fn works(case: &Case<'_>, evidence: &Evidence) -> Option<Finding> {
    match &case.checked.works {
        Works::Both => None,
        Works::Before(wrong) => Some(breaks(case, wrong, evidence)),
        Works::After(wrong) => {
            let what = format!("{} before the migrations: {}", happens(wrong), why(wrong));
            let finding = case.finding(&QC802, &what, "not before the migrations");
            Some(finding.help("let no app with this query start before the migrations have run, on any machine"))
        }
        Works::Neither { before, after } => {
            let what = if before == after {
                format!("fails before and after the migrations: {after}")
            } else {
                format!("fails before the migrations: {before}; and after them: {after}")
            };
            let finding = case.finding(&QC807, &what, "not checked");
            Some(match missing::of_message(before).or_else(|| missing::of_message(after)) {
                Some(missing) => finding.cause(missing.cause()),
                None => finding.help("what it needs may be made by the app itself, such as a temporary or an attached table: look at it by hand"),
            })
        }
        Works::Unknown(why) => {
            let finding = case.finding(&QC807, &format!("was not checked: {why}"), "not checked");
            Some(finding.at_level(Level::Error))
        }
    }
}

/// QC801 and QC805: it works before only.
fn breaks(case: &Case<'_>, wrong: &Wrong, evidence: &Evidence) -> Finding {
    let what = format!("{} after the migrations: {}", happens(wrong), why(wrong));
    if let Wrong::Refused(message) = wrong
        && let Some(table) = positional_insert(&case.query.sql()).filter(|_| is_about_values(message))
    {
        let finding = case.finding(&QC805, &what, "another number of values").table(&table);
        let help = format!("name the columns: INSERT INTO {table} (…) VALUES (…)");
        return finding.help(help).help(FIRST_THE_APP);
    }
    let mut finding = case.finding(&QC801, &what, format!("{} after the migrations", happens(wrong)));
    finding.cause = name_of(wrong).and_then(|name| cause(evidence, name));
    if let Wrong::LacksValue(column) = wrong {
        finding = finding.help(format!("give `{column}` a default in the migration, so that both apps can write"));
    }
    finding.help(FIRST_THE_APP).help(
        "if it belongs to the code that is deployed together with the migrations, that code is wrong: change the query",
    )
}

fn happens(wrong: &Wrong) -> &'static str {
    match wrong {
        Wrong::IsString(_) => "gets a text instead of a column",
        Wrong::Refused(_) | Wrong::LacksValue(_) | Wrong::StarNames(_) => "fails",
    }
}

/// Why, on the side on which it is so.
fn why(wrong: &Wrong) -> String {
    match wrong {
        Wrong::Refused(message) => message.clone(),
        Wrong::IsString(name) => {
            format!("`\"{name}\"` is no column there, and where double-quoted strings are allowed it is a text")
        }
        Wrong::LacksValue(column) => {
            format!("it gives no value for `{column}`, which may not be NULL there and has no default")
        }
        Wrong::StarNames(columns) => format!(
            "`*` names {} in the code that sqlc makes of it, which {} not there",
            names(columns.iter().map(String::as_str)),
            are(columns.len())
        ),
    }
}

const FIRST_THE_APP: &str =
    "the app that runs during the deploy still sends it: deploy an app that does not, and only then the migration";

fn are(count: usize) -> &'static str {
    if count == 1 { "is" } else { "are" }
}

/// `table users has 4 columns but 3 values were supplied`.
fn is_about_values(message: &str) -> bool {
    message.starts_with("table ") && message.contains(" values were supplied")
}

/// The table or the column that is not there.
fn name_of(wrong: &Wrong) -> Option<&str> {
    match wrong {
        Wrong::Refused(message) => {
            ["no such column: ", "no such table: ", " has no column named "].into_iter().find_map(|says| {
                let (_, name) = message.split_once(says)?;
                Some(name.strip_suffix(NO_STRING).unwrap_or(name))
            })
        }
        Wrong::IsString(name) => Some(name),
        Wrong::LacksValue(_) => None,
        Wrong::StarNames(columns) => columns.first().map(String::as_str),
    }
}

const NO_STRING: &str = " - should this be a string literal in single-quotes?";

/// Which statement took it away, where one says so.
fn cause(evidence: &Evidence, name: &str) -> Option<String> {
    let name = unquote(name);
    let bare = name.rsplit('.').next().unwrap_or_default();
    let is_it = |other: &String| other.eq_ignore_ascii_case(&name) || other.eq_ignore_ascii_case(bare);
    let did = |step: &Step| match &step.statement.action {
        Action::DropColumn { column, .. } if is_it(column) => Some("drops it"),
        Action::RenameColumn { column, .. } if is_it(column) => Some("renames it"),
        Action::DropTable { table } if is_it(table) => Some("drops it"),
        Action::RenameTable { table, .. } if is_it(table) => Some("renames it"),
        Action::DropView { name } if is_it(name) => Some("drops it"),
        _ => None,
    };
    let (step, what) = evidence.committed().rev().find_map(|step| Some((step, did(step)?)))?;
    Some(format!("{}:{} {what}", step.file, step.statement.line))
}

/// QC804.
fn columns(case: &Case<'_>) -> Option<Finding> {
    let (before, after) = case.checked.columns.as_ref()?;
    let (gone, new) = (only_in(before, after), only_in(after, before));
    let told = |columns: &[String], what: &str| {
        let told = || format!("{} {} {what}", names(columns.iter().map(String::as_str)), are(columns.len()));
        (!columns.is_empty()).then(told)
    };
    let mut parts: Vec<String> = told(&gone, "gone").into_iter().chain(told(&new, "new")).collect();
    let stay = |columns: &[String], but: &[String]| -> Vec<String> {
        only_in(columns, but).iter().map(|name| name.to_lowercase()).collect()
    };
    if stay(before, &gone) != stay(after, &new) {
        parts.push("they stand in another order".to_owned());
    }
    if parts.is_empty() {
        parts.push("a name is written in another case".to_owned());
    }
    let what = format!("gives other columns after the migrations: {}", list(&parts));
    Some(case.finding(&QC804, &what, "other columns").help("name the columns that the app uses instead of `*`"))
}

/// QC805 where a value goes elsewhere.
fn shifted(case: &Case<'_>) -> Option<Finding> {
    let shifted = case.checked.shifted.as_ref()?;
    let what = format!(
        "does not say which value goes where: value {} goes into `{}` of `{}` after the migrations, and into `{}` before",
        number(shifted.position as u64),
        shifted.is,
        shifted.table,
        shifted.was
    );
    let finding = case.finding(&QC805, &what, "values go into other columns").table(&shifted.table);
    let help = format!("name the columns: INSERT INTO {} (…) VALUES (…)", shifted.table);
    Some(finding.help(help).help("or add new columns at the end of the table, and with a default"))
}

/// QC803.
fn slowed(case: &Case<'_>, slower: &Slower) -> Option<Finding> {
    if slower.rows.is_some_and(|rows| rows < FEWEST) {
        return None;
    }
    let table = slower.table.as_deref().unwrap_or(&slower.label);
    let rows = match slower.rows {
        Some(rows) => format!("all {} of `{table}`", count(rows, "row")),
        None => format!("every row of `{table}`"),
    };
    let (what, label) = match slower.how {
        How::Scan => (format!("reads {rows} after the migrations, where an index found them"), "reads every row"),
        How::AutomaticIndex => {
            (format!("makes an index of {rows} each time after the migrations, where there was one"), "makes an index")
        }
        How::Sort => (format!("sorts {rows} after the migrations, where an index had the order"), "sorts every row"),
    };
    let mut finding = case.finding(&QC803, &what, label);
    finding.table.clone_from(&slower.table);
    finding.rows = slower.rows;
    let plans = format!("`{}` became `{}`", slower.before, slower.after);
    let why = match (&slower.index_gone, slower.statistics_lost) {
        (Some(index), _) => format!("{plans}; the index `{index}` is not there any more"),
        (None, true) => format!("{plans}; the statistics of `{table}` went with the old table"),
        (None, false) => plans,
    };
    let help = match (&slower.index_gone, slower.statistics_lost) {
        (Some(_), _) => "create the index again in the same migration",
        (None, true) => "let the migration end with: ANALYZE",
        (None, false) => "look at the query and at what the migrations did to the columns that it asks for",
    };
    Some(finding.cause(why).help(help))
}

/// QC806, and QC807 where a result that should be compared was not.
fn result(case: &Case<'_>) -> Option<Finding> {
    let not_compared = |why: &str| {
        let finding =
            case.finding(&QC807, &format!("is marked, and its result was not compared: {why}"), "not compared");
        let help = "mark queries that read and have no parameters, with values in their places";
        Some(finding.at_level(Level::Error).help(help))
    };
    match case.checked.answer.as_ref()? {
        Answer::Refused(why) => not_compared(why),
        Answer::Asked { before: Some(Ok(before)), after: Ok(after), difference: Some(difference), .. } => {
            let what = difference_of_results(*difference, *before, *after);
            let finding =
                case.finding(&QC806, &format!("gives another result after the migrations: {what}"), "another result");
            let finding = match difference {
                Difference::Rows { lost, gained } => finding.rows((*lost).max(*gained)),
                _ => finding,
            };
            Some(finding.help("correct the migration, or take the mark away where another result is meant"))
        }
        Answer::Asked { before: Some(Ok(_)), after: Err(message), .. } => {
            Some(case.finding(&QC806, &format!("gives no result after the migrations: {message}"), "no result"))
        }
        Answer::Asked { before: Some(Err(message)), .. } => not_compared(message),
        Answer::Asked { .. } => None,
    }
}
