//! Whether an outcome meets what was demanded: a finding for each demand that it does not.
//!
//! A table is found by its name before or after. Where these are two tables, because a table was dropped and another one took
//! its name, the demand is about the name: the rows of the one are lost, those of the other are gained.

use super::demands::{Demands, Query};
use super::quantity::{Amount, ColumnDemands, ColumnQuantity, Quantity, RowsQuantity, TableDemands, Word};
use crate::compare::queries::{Answer, Difference, Extent, Miss, Wanted};
use crate::compare::rows::{ColumnComparison, Key};
use crate::compare::{Comparison, TableComparison};
use crate::execution::Outcome;
use crate::findings::catalogue::{EP951, EP952};
use crate::findings::wording::{count, difference_of_results, list, nearest, number, share};
use crate::findings::{Evidence, Finding, Trial};
use crate::migrations::statement::redact;
use crate::schema::Schema;

/// A finding for each demand that the outcome does not meet, under whatever driver. Where nothing was pending or a migration
/// failed there is no outcome to speak of.
#[must_use]
pub fn findings(demands: &Demands, evidence: &Evidence) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for trial in [&evidence.trial].into_iter().chain(&evidence.others) {
        if !matches!(trial.execution.outcome, Outcome::Completed) {
            continue;
        }
        let new = unmet(demands, trial)
            .into_iter()
            .filter(|finding| !found.iter().any(|known| is_about_same(known, finding)));
        let new: Vec<Finding> = if evidence.others.is_empty() {
            new.collect()
        } else {
            new.map(|finding| finding.cause(format!("under the driver `{}`", trial.execution.settings.driver.name)))
                .collect()
        };
        found.extend(new);
    }
    found
}

fn is_about_same(one: &Finding, other: &Finding) -> bool {
    (one.rule.code, &one.table, &one.column, &one.object)
        == (other.rule.code, &other.table, &other.column, &other.object)
}

fn unmet(demands: &Demands, trial: &Trial) -> Vec<Finding> {
    let mut found = of_tables(demands, &trial.comparison);
    found.extend(demands.queries.iter().zip(&trial.answers).flat_map(|(query, answer)| of_query(query, answer)));
    found
}

/// A finding for each demand on a table that is not met.
#[must_use]
pub fn of_tables(demands: &Demands, comparison: &Comparison) -> Vec<Finding> {
    let tables = demands.tables.iter();
    tables.flat_map(|(name, quantity)| TableJudge::new(name, comparison).judge(quantity)).collect()
}

/// How many, as far as is known: rows that are matched by their content alone may have been changed, or lost and gained.
#[derive(Clone, Copy)]
struct Span {
    least: u64,
    most: u64,
}

impl Span {
    fn exactly(count: u64) -> Self {
        Self { least: count, most: count }
    }

    fn in_words(self, noun: &str) -> String {
        if self.least == self.most {
            count(self.most, noun)
        } else {
            format!("{} to {}", number(self.least), count(self.most, noun))
        }
    }
}

/// What became of the rows of a table.
struct Rows {
    before: u64,
    lost: u64,
    gained: u64,
    changed: Span,
}

/// One table and what is known of it.
struct TableJudge<'a> {
    /// As the demand calls it.
    name: &'a str,
    before: Option<&'a TableComparison>,
    after: Option<&'a TableComparison>,
    comparison: &'a Comparison,
}

impl<'a> TableJudge<'a> {
    fn new(name: &'a str, comparison: &'a Comparison) -> Self {
        let (before, after) = (comparison.table_before(name), comparison.table_after(name));
        // A table that was renamed is the same one under either name.
        Self { name, before: before.or(after), after: after.or(before), comparison }
    }

    fn judge(&self, quantity: &Quantity) -> Vec<Finding> {
        let (Some(_), Some(after)) = (self.before, self.after) else { return vec![self.nowhere()] };
        let is_gone = after.pair.after.is_none();
        match quantity {
            Quantity::Word(Word::Gone) => self.still_there().into_iter().collect(),
            Quantity::Each(demands) if is_gone && demands.needs_the_table() => vec![self.gone()],
            Quantity::Each(demands) if self.is_another() && demands.follows_rows() => vec![self.another()],
            Quantity::Each(demands) => self.each(demands),
            _ if is_gone => vec![self.gone()],
            Quantity::Word(Word::Unchanged) => self.unchanged().into_iter().collect(),
            Quantity::Rows(wanted) => self.row_count(Amount::Exactly(*wanted)).into_iter().collect(),
        }
    }

    fn finding(&self, message: String) -> Finding {
        let path = format!("expect.tables.{}", self.name);
        Finding::new(&EP951, message)
            .table(self.name)
            .help(format!("where this is meant, change `{path}` in rehearse.yaml"))
    }

    fn nowhere(&self) -> Finding {
        let is_view = |schema: &Schema| schema.views.contains_key(&self.name.to_ascii_lowercase());
        let message = format!("there is no table `{}`, neither before nor after", self.name);
        let finding = Finding::new(&EP951, message).table(self.name);
        if is_view(&self.comparison.before) || is_view(&self.comparison.after) {
            return finding.help("it is a view: demand something of a query, `expect.queries`");
        }
        let names: Vec<&str> = self.comparison.tables.iter().map(TableComparison::name).collect();
        match nearest(self.name, &names) {
            Some(meant) => finding.help(format!("did you mean `{meant}`?")),
            None => finding,
        }
    }

    fn gone(&self) -> Finding {
        let rows = self.before.and_then(|table| table.before.as_ref()).map_or(0, |profile| profile.rows);
        let with = count(rows, "row");
        self.finding(format!("`{}` is gone, with {with}, expected that it stays", self.name)).rows(rows)
    }

    /// Whether the table that has the name now is not the one that had it.
    fn is_another(&self) -> bool {
        matches!((self.before, self.after), (Some(before), Some(after)) if !std::ptr::eq(before, after))
    }

    fn another(&self) -> Finding {
        self.finding(format!("`{}` is another table now, expected the same one", self.name))
    }

    fn still_there(&self) -> Option<Finding> {
        let table = self.comparison.table_after(self.name)?;
        let finding = match &table.after {
            Some(profile) => {
                let rows = count(profile.rows, "row");
                self.finding(format!("`{}` is still there, with {rows}, expected that it is gone", self.name))
                    .rows(profile.rows)
            }
            None => self.finding(format!("`{}` is still there, expected that it is gone", self.name)),
        };
        Some(finding)
    }

    fn not_compared(&self, expected: &str) -> Finding {
        self.finding(format!("`{}` could not be compared, expected {expected}", self.name))
    }

    /// What became of its rows; none where that is not known.
    fn rows(&self) -> Option<Rows> {
        let (before, after) = (self.before?, self.after?);
        let held = before.before.as_ref().map(|profile| profile.rows);
        let holds = after.after.as_ref().map(|profile| profile.rows);
        if self.is_another() || before.pair.before.is_none() || after.pair.after.is_none() {
            let lost = if before.pair.before.is_none() { 0 } else { held? };
            let gained = if after.pair.after.is_none() { 0 } else { holds? };
            return Some(Rows { before: lost, lost, gained, changed: Span::exactly(0) });
        }
        let rows = after.rows.as_ref()?;
        let changed = rows.changed.map_or_else(|| unknown(rows.lost, rows.gained), Span::exactly);
        Some(Rows { before: held?, lost: rows.lost, gained: rows.gained, changed })
    }

    fn unchanged(&self) -> Option<Finding> {
        let Some(rows) = self.rows() else { return Some(self.not_compared("that it is unchanged")) };
        let mut facts = Vec::new();
        if rows.lost > 0 {
            facts.push(format!("{} are lost", share(rows.lost, rows.before, "row")));
        }
        if rows.gained > 0 {
            facts.push(format!("{} are new", count(rows.gained, "row")));
        }
        if rows.changed.least > 0 {
            facts.push(format!("{} are changed", count(rows.changed.least, "row")));
        }
        facts.extend(self.columns_gone().into_iter().map(|column| format!("the column `{column}` is gone")));
        if facts.is_empty() {
            return None;
        }
        let facts = list(&facts).replace("1 row are", "1 row is");
        let rows = rows.lost + rows.gained + rows.changed.least;
        Some(self.finding(format!("`{}` is not unchanged: {facts}", self.name)).rows(rows))
    }

    fn columns_gone(&self) -> Vec<&'a str> {
        let Some(table) = self.after else { return Vec::new() };
        let profile = table.before.as_ref().map(|profile| profile.columns.as_slice()).unwrap_or_default();
        let stays = |name: &str| table.pair.columns.iter().any(|(before, _)| before.eq_ignore_ascii_case(name));
        profile.iter().map(|column| column.name.as_str()).filter(|name| !stays(name)).collect()
    }

    fn row_count(&self, wanted: Amount) -> Option<Finding> {
        let expected = format!("expected {wanted}");
        let Some(profile) = self.after.and_then(|table| table.after.as_ref()) else {
            return Some(self.not_compared(&format!("{wanted} rows")));
        };
        let rows = profile.rows;
        let message = format!("`{}` has {}, {expected}", self.name, count(rows, "row"));
        (!wanted.allows(rows, rows)).then(|| self.finding(message).object("rows").rows(rows))
    }

    fn each(&self, demands: &TableDemands) -> Vec<Finding> {
        let mut found = Vec::new();
        found.extend(demands.row_count().and_then(|wanted| self.row_count(wanted)));
        let asks_for_rows =
            [demands.lost, demands.gained, demands.changed].iter().any(Option::is_some) || demands.keeps_its_rows();
        if asks_for_rows {
            match self.rows() {
                Some(rows) => found.extend(self.moved(demands, &rows)),
                None => found.push(self.not_compared("a number of rows lost, gained or changed")),
            }
        }
        for (column, quantity) in &demands.columns {
            found.extend(ColumnJudge::new(self, column).judge(quantity));
        }
        found
    }

    fn moved(&self, demands: &TableDemands, rows: &Rows) -> Vec<Finding> {
        let mut found = Vec::new();
        let (name, lost, gained) = (self.name, rows.lost, rows.gained);
        if let Some(wanted) = demands.lost.filter(|wanted| !wanted.allows(lost, lost)) {
            let message = format!("`{name}` lost {}, expected {wanted}", share(lost, rows.before, "row"));
            found.push(self.finding(message).object("lost").rows(lost));
        }
        if let Some(wanted) = demands.gained.filter(|wanted| !wanted.allows(gained, gained)) {
            let message = format!("`{name}` gained {}, expected {wanted}", count(gained, "row"));
            found.push(self.finding(message).object("gained").rows(gained));
        }
        let changed = rows.changed;
        if let Some(wanted) = demands.changed.filter(|wanted| !wanted.allows(changed.least, changed.most)) {
            let message = format!("{} of `{name}` changed, expected {wanted}", changed.in_words("row"));
            found.push(self.finding(message).object("changed").rows(changed.most));
        }
        if demands.keeps_its_rows() && lost + gained > 0 {
            let lost = share(lost, rows.before, "row");
            let message = format!("`{name}` lost {lost} and gained {}, expected the same rows", count(gained, "row"));
            found.push(self.finding(message).object("rows").rows(rows.lost + gained));
        }
        found
    }
}

/// Without a key a row that was changed looks like one that was lost and one that was gained.
fn unknown(lost: u64, gained: u64) -> Span {
    Span { least: 0, most: lost.min(gained) }
}

impl TableDemands {
    /// Whether it can be met only by a table that is there.
    fn needs_the_table(&self) -> bool {
        self.row_count().is_some() || self.rows.is_some() || self.changed.is_some() || !self.columns.is_empty()
    }

    /// Whether it says something of rows that are on both sides.
    fn follows_rows(&self) -> bool {
        self.changed.is_some() || !self.columns.is_empty()
    }

    fn keeps_its_rows(&self) -> bool {
        matches!(self.rows, Some(RowsQuantity::Word(_)))
    }
}

/// One column and what is known of it.
struct ColumnJudge<'a> {
    table: &'a TableJudge<'a>,
    name: &'a str,
}

impl<'a> ColumnJudge<'a> {
    fn new(table: &'a TableJudge<'a>, name: &'a str) -> Self {
        Self { table, name }
    }

    fn judge(&self, quantity: &ColumnQuantity) -> Vec<Finding> {
        let Some(table) = self.table.after else { return Vec::new() };
        let (Some(_), true) = (&table.after, table.before.is_some() || table.pair.before.is_none()) else {
            return vec![self.finding(format!("{} could not be compared", self.called()))];
        };
        let is_there = table.after.as_ref().is_some_and(|profile| profile.column(self.name).is_some());
        let was_there = table.before.as_ref().is_some_and(|profile| profile.column(self.name).is_some());
        let compared = self.compared(table);
        match quantity {
            _ if !is_there && !was_there => {
                vec![self.finding(format!("there is no column {}, neither before nor after", self.called()))]
            }
            ColumnQuantity::Word(Word::Gone) if is_there => {
                vec![self.finding(format!("{} is still there, expected that it is gone", self.called()))]
            }
            ColumnQuantity::Word(Word::Gone) => Vec::new(),
            _ if !is_there && compared.is_none() => {
                vec![self.finding(format!("{} is gone, expected that it stays", self.called()))]
            }
            ColumnQuantity::Word(Word::Unchanged) => self.unchanged(table, compared),
            ColumnQuantity::Each(demands) => self.each(table, compared, demands),
        }
    }

    fn called(&self) -> String {
        format!("`{}.{}`", self.table.name, self.name)
    }

    fn finding(&self, message: String) -> Finding {
        let path = format!("expect.tables.{}.columns.{}", self.table.name, self.name);
        Finding::new(&EP951, message)
            .table(self.table.name)
            .column(self.name)
            .help(format!("where this is meant, change `{path}` in rehearse.yaml"))
    }

    /// By its name before, else by its name after; none where it is new or gone.
    fn compared(&self, table: &'a TableComparison) -> Option<&'a ColumnComparison> {
        let columns = &table.rows.as_ref()?.columns;
        let is_called = |name: &str| name.eq_ignore_ascii_case(self.name);
        let before = columns.iter().find(|column| is_called(&column.before));
        before.or_else(|| columns.iter().find(|column| is_called(&column.after)))
    }

    fn unchanged(&self, table: &TableComparison, compared: Option<&ColumnComparison>) -> Vec<Finding> {
        let Some(column) = compared else {
            return vec![self.finding(format!("{} is new, expected that it is unchanged", self.called()))];
        };
        let changed = span(table, column.changed);
        if changed.most == 0 {
            return Vec::new();
        }
        let message =
            format!("{} of {} changed, expected that it is unchanged", changed.in_words("value"), self.called());
        vec![self.finding(message).rows(changed.most)]
    }

    fn each(
        &self,
        table: &TableComparison,
        compared: Option<&ColumnComparison>,
        demands: &ColumnDemands,
    ) -> Vec<Finding> {
        let name = self.called();
        let moved =
            |of: fn(&ColumnComparison) -> u64| compared.map_or(Span::exactly(0), |column| span(table, of(column)));
        let after = compared.map_or(self.name, |column| column.after.as_str());
        let profile = table.after.as_ref().and_then(|profile| profile.column(after));
        let (nulls, values) = profile.map_or((0, 0), |profile| (profile.nulls, profile.values()));
        let facts = [
            ("changed", demands.changed, moved(|column| column.changed), "value", format!("of {name} changed")),
            ("nulled", demands.nulled, moved(|column| column.nulled), "value", format!("of {name} became NULL")),
            ("filled", demands.filled, moved(|column| column.filled), "NULL", format!("of {name} got a value")),
            (
                "converted",
                demands.converted,
                moved(|column| column.converted),
                "value",
                format!("of {name} changed the storage class"),
            ),
            ("lossy", demands.lossy, moved(|column| column.lossy), "value", format!("of {name} lost something")),
            ("nulls", demands.nulls, Span::exactly(nulls), "NULL", format!("in {name}")),
            ("values", demands.values, Span::exactly(values), "value", format!("in {name}")),
        ];
        let unmet = facts.into_iter().filter_map(|(key, wanted, found, noun, rest)| {
            let wanted = wanted.filter(|wanted| !wanted.allows(found.least, found.most))?;
            let message = format!("{} {rest}, expected {wanted}", found.in_words(noun));
            Some(self.finding(message).object(key).rows(found.most))
        });
        unmet.collect()
    }
}

/// How many values were changed in this way: rows that were matched by their content may hide some.
fn span(table: &TableComparison, counted: u64) -> Span {
    match &table.rows {
        Some(rows) if rows.key == Key::Content => unknown(rows.lost, rows.gained),
        _ => Span::exactly(counted),
    }
}

/// EP951 and EP952 of a query.
fn of_query(query: &Query, answer: &Answer) -> Vec<Finding> {
    let name = query.called();
    let unmet = |message: String| Finding::new(&EP951, message).object(&name);
    let changed = |message: String| Finding::new(&EP952, message).object(&name);
    let (before, after, difference, miss) = match answer {
        Answer::Refused(why) => return vec![unmet(format!("the query `{name}` is not run: {why}"))],
        Answer::Asked { before, after, difference, miss } => (before, after, difference, miss),
    };
    match (before, after) {
        (Some(Err(message)), _) => {
            return vec![unmet(format!("the query `{name}` fails before the migrations: {message}"))];
        }
        (Some(Ok(_)), Err(message)) => {
            let finding = changed(format!("the query `{name}` fails after the migrations: {message}"));
            return vec![finding.help("change the query in the app with the migration, or keep what it reads")];
        }
        (None, Err(message)) => return vec![unmet(format!("the query `{name}` fails: {message}"))],
        _ => {}
    }
    let mut found = Vec::new();
    if let (Some(difference), Some(Ok(before)), Ok(after)) = (difference, before, after) {
        let finding = changed(format!(
            "the query `{name}` gives another result: {}",
            difference_of_results(*difference, *before, *after)
        ));
        found.push(match difference {
            Difference::Rows { lost, gained } => finding.rows((*lost).max(*gained)),
            Difference::Order => finding.help("order by a key, so that rows that are equal otherwise have one order"),
            Difference::Columns | Difference::Uncounted => finding,
        });
    }
    if let (Some(miss), Some(wanted), Ok(after)) = (miss, &query.question.is, after) {
        let message =
            format!("the query `{name}` gives {}, expected {}", missed(*miss, *after), wanted_in_words(wanted));
        found.push(unmet(message).rows(after.rows));
    }
    found
}

fn missed(miss: Miss, found: Extent) -> String {
    match miss {
        Miss::NotOneValue | Miss::Rows(Difference::Columns) => {
            format!("{} of {}", count(found.rows, "row"), count(found.columns as u64, "column"))
        }
        Miss::AnotherValue => "another value".to_owned(),
        Miss::NotANumber => "a value that is no number".to_owned(),
        Miss::TooLittle => "a smaller number".to_owned(),
        Miss::TooMuch => "a greater number".to_owned(),
        Miss::Rows(Difference::Order) => "the same rows in another order".to_owned(),
        Miss::Rows(Difference::Rows { gained, .. }) => {
            format!("{}, {} of them not expected", count(found.rows, "row"), number(gained))
        }
        Miss::Rows(Difference::Uncounted) => format!("{}, among them others", count(found.rows, "row")),
    }
}

/// What the person wrote; the values themselves are in the file.
fn wanted_in_words(wanted: &Wanted) -> String {
    match wanted {
        Wanted::Value(_) => "the one value of `is`".to_owned(),
        Wanted::Rows(rows) => format!("the {} of `is`", count(rows.len() as u64, "row")),
        Wanted::Within { at_least: Some(least), at_most: Some(most) } => format!("{least} to {most}"),
        Wanted::Within { at_least: Some(least), .. } => format!("at least {least}"),
        Wanted::Within { at_most: Some(most), .. } => format!("at most {most}"),
        Wanted::Within { .. } => "a number".to_owned(),
    }
}

/// Characters of a query that has no name in a sentence.
const QUERY_WIDTH: usize = 60;

impl Query {
    /// Its name; else its text without literals, on one line, cut.
    fn called(&self) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let text = redact(&self.question.sql).split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().count() <= QUERY_WIDTH {
            return text;
        }
        format!("{}…", text.chars().take(QUERY_WIDTH - 1).collect::<String>())
    }
}
