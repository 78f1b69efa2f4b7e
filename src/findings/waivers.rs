//! Waivers: what a person says is intended, where, how much of it, until when and why.
//!
//! They stand in `rehearse.yaml` or beside a statement of a migration. Takes the findings at their final levels; marks those
//! that a waiver covers, and says which waivers were exceeded, have expired or cover nothing. A finding is covered by the
//! first waiver that fits it; those in the migrations come first, for they are the closest.

use std::fmt;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::catalogue::{
    SN907, SN908, SN909, SN913, SN914, SN917, SN918, SN919, SN920, SN921, SN922, SN923, SN924, find,
};
use super::levels::no_such_rule;
use super::rule::{Finding, Level, Place, Rule};
use super::wording::{nearest, number};
use super::{Evidence, catalogue};
use crate::error::Error;
use crate::execution::Outcome;
use crate::migrations::directive::{Allow, Says, Spot};
use crate::migrations::{Migration, Plan, State};
use crate::queries::{Allowed, Queries};
use crate::units::Text;

/// Rules that speak of waivers: nobody waives them.
const OF_WAIVERS: [&Rule; 3] = [&SN907, &SN908, &SN909];

/// Rules that only `rehearse doctor` raises: a rehearsal cannot tell whether their waivers are of use.
const OF_THE_DOCTOR: [&Rule; 10] = [&SN913, &SN914, &SN917, &SN918, &SN919, &SN920, &SN921, &SN922, &SN923, &SN924];

/// An entry under `allow:` in `rehearse.yaml`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The rule, by code or name.
    pub rule: Waivable,
    /// The table; any where none is given, as with the next three.
    #[serde(default)]
    pub table: Option<String>,
    /// The column.
    #[serde(default)]
    pub column: Option<String>,
    /// The index, trigger, view, file or driver.
    #[serde(default)]
    pub object: Option<String>,
    /// The migration, as the tool calls it.
    #[serde(default)]
    pub migration: Option<String>,
    /// How many rows or values at most, of all findings that it covers together.
    #[serde(default)]
    pub at_most: Option<u64>,
    /// The last day on which it holds, in UTC.
    #[serde(default)]
    pub until: Option<Date>,
    /// Why; it is shown in every report.
    pub because: Reason,
}

/// A rule that can be waived.
#[derive(Debug, Clone, Copy)]
pub struct Waivable(pub &'static Rule);

/// Why something is allowed: not blank.
#[derive(Debug, Clone)]
pub struct Reason(pub String);

/// A day of the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(jiff::civil::Date);

/// A waiver, wherever it was written.
#[derive(Debug, Clone, Deserialize)]
#[serde(from = "Entry")]
pub struct Waiver {
    rule: &'static Rule,
    target: Target,
    at_most: Option<u64>,
    until: Option<Date>,
    because: String,
    place: Place,
}

/// Which findings of its rule a waiver means.
#[derive(Debug, Clone)]
enum Target {
    /// Those with these names; any where a name is not given.
    Named { table: Option<String>, column: Option<String>, object: Option<String>, migration: Option<String> },
    /// Those at this statement, about this table or object and column; of the first statement also those of the whole file.
    Statement { spot: Spot, name: Option<String>, column: Option<String> },
}

/// What became of a waiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Use {
    /// It covers something.
    Covers,
    /// It would, if it allowed as many as this.
    Exceeded(u64),
    /// It would, if it still held.
    Expired,
    /// It would, if the rule counted what the waiver limits.
    Uncounted,
    /// It meets no finding that is not covered already.
    Nothing,
}

impl Waiver {
    /// It stands on this line of this file.
    pub fn written_in(&mut self, file: &str, line: u32) {
        file.clone_into(&mut self.place.file);
        self.place.line = line;
    }

    fn of_directive(allow: &Allow, spot: Spot, place: Place) -> Result<Self, String> {
        let rule = Waivable::parse(&allow.rule)?.0;
        let until = allow.until.as_deref().map(Date::parse).transpose()?;
        let target = Target::Statement { spot, name: allow.target.clone(), column: allow.column.clone() };
        Ok(Self { rule, target, at_most: allow.at_most, until, because: allow.because.clone(), place })
    }

    fn means(&self, finding: &Finding) -> bool {
        finding.rule.code == self.rule.code && self.target.means(finding, &self.place.file)
    }

    /// `rehearse.yaml:4`.
    fn written_at(&self) -> String {
        format!("{}:{}", self.place.file, self.place.line)
    }

    /// What a covered finding is marked with: "allowed by rehearse.yaml:4 (at most 120, until 2026-12-31): moved to cold storage".
    /// The reason stands last, so that no reason can be read as the place.
    fn mark(&self) -> String {
        let most = self.at_most.map(|most| format!("at most {}", number(most)));
        let limits: Vec<String> = most.into_iter().chain(self.until.map(|until| format!("until {until}"))).collect();
        let limits = if limits.is_empty() { String::new() } else { format!(" ({})", limits.join(", ")) };
        format!("allowed by {}{limits}: {}", self.written_at(), self.because)
    }

    /// "LS104 on `carts`".
    fn subject(&self) -> String {
        let (name, column) = match &self.target {
            Target::Named { table, column, object, migration } => {
                if let (None, None, None, Some(migration)) = (table, column, object, migration) {
                    return format!("{} in `{migration}`", self.rule.code);
                }
                (table.as_ref().or(object.as_ref()), column.as_ref())
            }
            Target::Statement { name, column, .. } => (name.as_ref(), column.as_ref()),
        };
        let code = self.rule.code;
        match (name, column) {
            (Some(name), Some(column)) => format!("{code} on `{name}.{column}`"),
            (Some(name), None) | (None, Some(name)) => format!("{code} on `{name}`"),
            (None, None) => code.to_owned(),
        }
    }

    /// A finding about the waiver itself, at its own place.
    fn finding(&self, rule: &'static Rule, message: String) -> Finding {
        let (table, column) = match &self.target {
            Target::Named { table, column, .. } => (table.clone(), column.clone()),
            Target::Statement { name, column, .. } => (name.clone(), column.clone()),
        };
        let mut finding = Finding::new(rule, message);
        finding.table = table;
        finding.column = column;
        finding.place = Some(self.place.clone());
        finding
    }
}

impl From<Entry> for Waiver {
    fn from(entry: Entry) -> Self {
        let Entry { rule, table, column, object, migration, at_most, until, because } = entry;
        let place =
            Place { migration: String::new(), file: String::new(), line: 1, column: 1, statement: String::new() };
        let target = Target::Named { table, column, object, migration };
        Self { rule: rule.0, target, at_most, until, because: because.0, place }
    }
}

impl Target {
    fn means(&self, finding: &Finding, file: &str) -> bool {
        let is = |wanted: &Option<String>, given: Option<&str>| {
            wanted.as_ref().is_none_or(|wanted| given.is_some_and(|given| given.eq_ignore_ascii_case(wanted)))
        };
        let (table, column, object) = (finding.table.as_deref(), finding.column.as_deref(), finding.object.as_deref());
        match self {
            Self::Named { table: wanted, column: of, object: thing, migration } => {
                let run = finding.place.as_ref().map(|place| place.migration.as_str());
                let ran = migration.as_ref().is_none_or(|name| run.is_some_and(|run| is_called(run, name)));
                is(wanted, table) && is(of, column) && is(thing, object) && ran
            }
            Self::Statement { spot, name, column: of } => {
                let here = finding.place.as_ref().is_some_and(|place| {
                    let whole_file = place.statement.is_empty() && spot.first;
                    place.file == file && (whole_file || (place.line, place.column) == (spot.line, spot.column))
                });
                here && (is(name, table) || (of.is_none() && is(name, object))) && is(of, column)
            }
        }
    }
}

/// The waivers in the pending migrations; those in applied ones no longer matter.
///
/// # Errors
/// Where a directive is not understood: exit code 2.
pub fn in_migrations(plan: &Plan) -> Result<Vec<Waiver>, Error> {
    let mut waivers = Vec::new();
    for migration in plan.pending() {
        for directive in &migration.directives {
            let place = place(migration, directive.line);
            let wrong = |why: &str| {
                let doing = format!("reading the directive at `{}:{}`", place.file, place.line);
                Error::usage(doing, why).hint("how directives are written: rehearse explain SN907")
            };
            match &directive.says {
                Err(why) => return Err(wrong(why)),
                Ok(Says::Renamed(_)) => {}
                Ok(Says::Allow(allow)) => {
                    let waiver = Waiver::of_directive(allow, directive.statement, place.clone());
                    waivers.push(waiver.map_err(|why| wrong(&why))?);
                }
            }
        }
    }
    Ok(waivers)
}

/// The waivers beside the app's queries.
///
/// # Errors
/// Where one names no rule that can be waived.
pub fn in_queries(queries: &Queries) -> Result<Vec<Waiver>, Error> {
    let waiver = |allowed: &Allowed| {
        let Allowed { file, line, query, allow } = allowed;
        let (file, line) = (file.clone(), *line);
        let place = Place { migration: String::new(), file, line, column: 1, statement: String::new() };
        let doing = format!("reading the directive at `{}:{line}`", place.file);
        let hint = "how directives are written: rehearse explain SN907";
        Waiver::of_directive(allow, *query, place).map_err(|why| Error::usage(doing, why).hint(hint))
    };
    queries.allowed.iter().map(waiver).collect()
}

fn place(migration: &Migration, line: u32) -> Place {
    Place { line, ..super::evidence::file(migration) }
}

/// Whether a migration has this name, with or without the ending of its file.
fn is_called(migration: &str, name: &str) -> bool {
    let bare = migration.strip_suffix(".sql").unwrap_or(migration);
    migration.eq_ignore_ascii_case(name) || bare.eq_ignore_ascii_case(name)
}

/// Marks what is covered, and says what is wrong with waivers.
pub fn apply(findings: &mut [Finding], waivers: &[Waiver], evidence: &Evidence) -> Vec<Finding> {
    let today = Date::of(evidence.limits.now);
    let uses: Vec<(Use, Option<Level>)> = waivers.iter().map(|waiver| waiver.cover(findings, today)).collect();
    let about = |(waiver, (used, level)): (&Waiver, &(Use, Option<Level>))| match used {
        Use::Covers => None,
        // What a later waiver covers after all is no fault of this one, but it is of no use.
        Use::Exceeded(_) | Use::Expired if !waiver.is_missed(findings) => unused(waiver, *used, evidence),
        Use::Exceeded(rows) => Some(exceeded(waiver, *rows)),
        Use::Expired => Some(expired(waiver, *level)),
        Use::Uncounted | Use::Nothing => unused(waiver, *used, evidence),
    };
    waivers.iter().zip(&uses).filter_map(about).collect()
}

/// Marks what is covered where no rehearsal tells whether a waiver is of use; gives what is wrong with those that would cover
/// something.
pub fn cover(findings: &mut [Finding], waivers: &[Waiver], now: SystemTime) -> Vec<Finding> {
    let today = Date::of(now);
    let uses: Vec<_> = waivers.iter().map(|waiver| (waiver, waiver.cover(findings, today))).collect();
    let about = |(waiver, (used, level)): (&Waiver, (Use, Option<Level>))| match used {
        Use::Expired if waiver.is_missed(findings) => Some(expired(waiver, level)),
        Use::Exceeded(rows) if waiver.is_missed(findings) => Some(exceeded(waiver, rows)),
        _ => None,
    };
    uses.into_iter().filter_map(about).collect()
}

impl Waiver {
    /// Covers what it may of what is not covered yet. With it the gravest level of what it means.
    fn cover(&self, findings: &mut [Finding], today: Date) -> (Use, Option<Level>) {
        let mut meant: Vec<&mut Finding> =
            findings.iter_mut().filter(|finding| finding.waived.is_none() && self.means(finding)).collect();
        let level = meant.iter().map(|finding| finding.level).max();
        if meant.is_empty() {
            return (Use::Nothing, level);
        }
        if self.until.is_some_and(|until| until < today) {
            return (Use::Expired, level);
        }
        if let Some(most) = self.at_most {
            meant.retain(|finding| finding.rows.is_some());
            let rows = meant.iter().filter_map(|finding| finding.rows).fold(0, u64::saturating_add);
            if meant.is_empty() {
                return (Use::Uncounted, level);
            }
            if rows > most {
                return (Use::Exceeded(rows), level);
            }
        }
        for finding in meant {
            finding.waived = Some(self.mark());
        }
        (Use::Covers, level)
    }

    fn is_missed(&self, findings: &[Finding]) -> bool {
        findings.iter().any(|finding| finding.waived.is_none() && self.means(finding))
    }
}

fn exceeded(waiver: &Waiver, rows: u64) -> Finding {
    let most = number(waiver.at_most.unwrap_or_default());
    let message = format!("at most {most} are allowed of {}, and there are {}", waiver.subject(), number(rows));
    waiver
        .finding(&SN908, message)
        .rows(rows)
        .cause(format!("\"{}\" was said of fewer; what it was said of is not covered", waiver.because))
        .help("look at what there is more of; if that is intended too, raise the number in the waiver")
}

fn expired(waiver: &Waiver, level: Option<Level>) -> Finding {
    let until = waiver.until.map(|until| until.to_string()).unwrap_or_default();
    waiver
        .finding(&SN909, format!("{} was allowed until {until}", waiver.subject()))
        .at_level(level.unwrap_or(SN909.level))
        .cause(format!("\"{}\" no longer holds; what it was said of is not covered", waiver.because))
        .help("if it is still intended, write a later date; else take the waiver out")
}

/// A waiver that covers nothing, unless this run could not tell.
fn unused(waiver: &Waiver, used: Use, evidence: &Evidence) -> Option<Finding> {
    if OF_THE_DOCTOR.iter().any(|rule| rule.code == waiver.rule.code) {
        return None;
    }
    let plan = &evidence.plan;
    let named = match &waiver.target {
        Target::Named { migration: Some(name), .. } => Some(name),
        _ => None,
    };
    let entry = named.map(|name| {
        (name, plan.entries.iter().find(|entry| is_called(&entry.migration.name, name)).map(|entry| &entry.state))
    });
    let ran = matches!(evidence.execution().outcome, Outcome::Completed);
    let why = match entry {
        Some((name, None)) => format!("there is no migration `{name}`"),
        Some((name, Some(State::Applied | State::Edited { .. }))) => format!("`{name}` is already applied"),
        _ if !ran => return None,
        _ if used == Use::Uncounted => {
            format!("it says how many at most, and {} counts nothing here", waiver.rule.code)
        }
        _ => no_such_table(waiver, evidence).unwrap_or_else(|| "no finding needs it".to_owned()),
    };
    let help = if used == Use::Uncounted { "leave the number out" } else { "take the waiver out" };
    Some(waiver.finding(&SN907, format!("the waiver of {} covers nothing: {why}", waiver.subject())).help(help))
}

/// That the table which the waiver names is not there, and which one may have been meant.
fn no_such_table(waiver: &Waiver, evidence: &Evidence) -> Option<String> {
    let Target::Named { table: Some(table), .. } = &waiver.target else { return None };
    let schemas = [&evidence.comparison().before, &evidence.comparison().after];
    if schemas.iter().any(|schema| schema.table(table).is_some()) {
        return None;
    }
    let ledger = &evidence.plan.ledger.name;
    let known = schemas.iter().flat_map(|schema| schema.user_tables(ledger));
    let known: Vec<&str> = known.map(|table| table.name.as_str()).collect();
    let meant = nearest(table, &known).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    Some(format!("there is no table `{table}`, neither before nor after{meant}"))
}

impl Waivable {
    /// Whether findings of this rule can be waived.
    #[must_use]
    pub fn is_waivable(rule: &Rule) -> bool {
        OF_WAIVERS.iter().all(|own| own.code != rule.code)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let rule = find(text).ok_or_else(|| match catalogue::family(text) {
            Some(family) => format!("`{family}` is a family; a waiver names one rule, such as LS104"),
            None => no_such_rule(text),
        })?;
        if !Self::is_waivable(rule) {
            return Err(format!("{} is about waivers themselves and cannot be waived", rule.code));
        }
        Ok(Self(rule))
    }
}

impl Date {
    /// Reads `2026-12-31`.
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is no day such as 2026-12-31");
        let digits = |byte: u8| byte.is_ascii_digit();
        let mut bytes = text.bytes().enumerate();
        let shape =
            text.len() == 10 && bytes.all(|(at, byte)| if at == 4 || at == 7 { byte == b'-' } else { digits(byte) });
        if !shape {
            return Err(wrong());
        }
        text.parse().map(Self).map_err(|_| wrong())
    }

    /// The day of this moment in UTC.
    fn of(moment: SystemTime) -> Self {
        let since = |moment| Timestamp::try_from(moment).unwrap_or(Timestamp::MAX);
        Self(since(moment).to_zoned(TimeZone::UTC).date())
    }
}

impl fmt::Display for Date {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl<'de> Deserialize<'de> for Waivable {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text("a rule's code or name, for example LS104", Self::parse))
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text("a day such as 2026-12-31", Self::parse))
    }
}

impl<'de> Deserialize<'de> for Reason {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text("the reason in words", |text| {
            let reason = text.split_whitespace().collect::<Vec<_>>().join(" ");
            if reason.is_empty() {
                return Err("the reason is empty; say why it is intended".to_owned());
            }
            Ok(Self(reason))
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::findings::catalogue::LS104;

    fn waiver(table: &str, at_most: Option<u64>, until: Option<&str>) -> Waiver {
        let entry = Entry {
            rule: Waivable(&LS104),
            table: Some(table.to_owned()),
            column: None,
            object: None,
            migration: None,
            at_most,
            until: until.map(|until| Date::parse(until).unwrap()),
            because: Reason("it is so".to_owned()),
        };
        let mut waiver = Waiver::from(entry);
        waiver.written_in("rehearse.yaml", 4);
        waiver
    }

    fn dropped(table: &str, rows: Option<u64>) -> Finding {
        Finding { rows, ..Finding::new(&LS104, "gone").table(table) }
    }

    const TODAY: Date = Date(jiff::civil::date(2026, 6, 30));

    #[test]
    fn the_rows_of_all_findings_that_it_means_count_together() {
        let mut findings = [dropped("carts", Some(60)), dropped("carts", Some(61)), dropped("users", Some(1))];
        assert_eq!(waiver("carts", Some(120), None).cover(&mut findings, TODAY).0, Use::Exceeded(121));
        assert!(findings.iter().all(|finding| finding.waived.is_none()));
        assert_eq!(waiver("CARTS", Some(121), None).cover(&mut findings, TODAY).0, Use::Covers);
        assert_eq!(findings.each_ref().map(|finding| finding.waived.is_some()), [true, true, false]);
        assert_eq!(findings[0].waived.as_deref(), Some("allowed by rehearse.yaml:4 (at most 121): it is so"));
        assert_eq!(waiver("carts", None, None).cover(&mut findings, TODAY).0, Use::Nothing);
    }

    #[test]
    fn a_migration_is_called_with_or_without_the_ending_of_its_file() {
        for (migration, name, wanted) in
            [("0001_a.sql", "0001_a", true), ("0001_a.sql", "0001_A.sql", true), ("0001_a", "0001", false)]
        {
            assert_eq!(is_called(migration, name), wanted, "{migration} {name}");
        }
    }

    #[test]
    fn a_limit_covers_nothing_that_was_not_counted() {
        let mut findings = [dropped("carts", None)];
        assert_eq!(waiver("carts", Some(9), None).cover(&mut findings, TODAY).0, Use::Uncounted);
        assert!(findings[0].waived.is_none());
        assert_eq!(waiver("carts", None, None).cover(&mut findings, TODAY).0, Use::Covers);
    }

    #[test]
    fn the_last_day_is_part_of_it() {
        for (until, wanted) in [("2026-06-29", Use::Expired), ("2026-06-30", Use::Covers), ("2027-01-01", Use::Covers)]
        {
            let mut findings = [dropped("carts", Some(1))];
            assert_eq!(waiver("carts", None, Some(until)).cover(&mut findings, TODAY).0, wanted, "{until}");
        }
    }

    #[test]
    fn days_are_those_of_the_calendar() {
        for wrong in [
            "2026-02-29",
            "2026-13-01",
            "2026-00-10",
            "2026-04-31",
            "2026-1-1",
            "26-01-01",
            "2026/01/01",
            "",
            "２０26-1-1",
        ] {
            assert!(Date::parse(wrong).is_err(), "{wrong}");
        }
        for right in ["2024-02-29", "2000-02-29", "2026-12-31"] {
            assert_eq!(Date::parse(right).unwrap().to_string(), right);
        }
        assert!(Date::parse("1900-02-29").is_err());
        let at = |seconds: u64| Date::of(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).to_string();
        assert_eq!(at(0), "1970-01-01");
        assert_eq!(at(1_798_761_599), "2026-12-31");
        assert_eq!(at(1_798_761_600), "2027-01-01");
        assert_eq!(at(1_709_164_800), "2024-02-29");
    }

    #[test]
    fn only_a_rule_that_is_not_about_waivers_can_be_waived() {
        assert!(Waivable::parse("LS").unwrap_err().contains("is a family"));
        assert!(Waivable::parse("SN908").unwrap_err().contains("cannot be waived"));
        assert!(Waivable::parse("LS1O4").unwrap_err().contains("there is no rule"));
        assert_eq!(Waivable::parse("nonempty-table-dropped").unwrap().0.code, "LS104");
    }
}
