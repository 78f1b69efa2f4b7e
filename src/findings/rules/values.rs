//! VL: values of surviving rows that are gone or are no longer what they were. One finding per column and rule; each changed
//! value is counted under one of them.

mod exchanged;
mod identity;
mod kinds;
mod updates;

use crate::compare::TableComparison;
use crate::compare::lineage::Change;
use crate::compare::rows::{ColumnComparison, RowComparison};
use crate::compare::values::Loss;
use crate::execution::Step;
use crate::findings::catalogue::{VL201, VL202, VL203, VL204, VL205, VL206, VL212};
use crate::findings::evidence::place;
use crate::findings::rule::Place;
use crate::findings::rules::{causes, rows};
use crate::findings::wording::{count, names, share};
use crate::findings::{Evidence, Finding, Level, Rule};
use crate::migrations::statement::{Action, Conflict, Insert, Select, SelectItem};
use crate::profile::{ColumnProfile, Spread, TableProfile};
use crate::schema::Table;
use crate::schema::lexer::{Token, TokenKind, quote_identifier, quote_text, tokens};

pub(super) use exchanged::{names_exchanged, tables_exchanged};
pub(super) use identity::{misleads, rowids};

/// VL201.
pub(super) fn columns_dropped(evidence: &Evidence) -> Vec<Finding> {
    let there = both_sides(evidence).flat_map(|(table, before, after)| gone(evidence, table, before, after));
    there.chain(evidence.comparison().tables.iter().flat_map(|table| left_behind(evidence, table))).collect()
}

fn gone(evidence: &Evidence, table: &TableComparison, before: &Table, after: &Table) -> Vec<Finding> {
    let Some(held) = &table.before else { return Vec::new() };
    // Where no row is left, its values went with the rows, and those have a finding of their own.
    if table.after.as_ref().is_some_and(|after| after.rows == 0) {
        return Vec::new();
    }
    let elsewhere = |column: &str| {
        table.takeover.as_ref().is_some_and(|takeover| !takeover.left.iter().any(|(left, _)| left == column))
            || table.moved_out.iter().any(|moved| moved == column)
            || moved_within(evidence, table, column)
            || shifted_away(table, column)
    };
    let lone = before
        .columns
        .iter()
        .filter(|column| !column.generated && !table.pair.keeps(&column.name) && !elsewhere(&column.name));
    let new: Vec<&str> = after
        .columns
        .iter()
        .filter(|column| !table.pair.columns.iter().any(|(_, paired)| *paired == column.name))
        .map(|column| column.name.as_str())
        .collect();
    let left = |column: &str| table.takeover.as_ref()?.left.iter().find(|(left, _)| left == column);
    lone.filter_map(|column| {
        let values = match left(&column.name) {
            Some((_, values)) => *values,
            None => held.column(&column.name)?.values(),
        };
        if values == 0 {
            return None;
        }
        let step = dropping(evidence, table, &column.name);
        let name = table.name();
        let label = match step.map(|step| &step.statement.action) {
            Some(Action::DropColumn { .. }) => format!("dropped {}", count(values, "value")),
            _ => format!("left {} of `{}` behind", count(values, "value"), column.name),
        };
        let finding = Finding::new(&VL201, format!("column `{name}.{}` is gone with {}", column.name, count(values, "value")))
            .table(name)
            .column(&column.name)
            .rows(values)
            .at(step.map(place), label);
        if let Some(computed) = table.computed.iter().find(|computed| computed.column == column.name) {
            let into = names(computed.into.iter().map(String::as_str));
            return Some(finding.at_level(Level::Warning).cause(format!("what was computed from it, {into}, differs wherever it differed")).help(format!("check that {into} says all that `{}` said", column.name)));
        }
        Some(match new.as_slice() {
            [] => finding.help(format!("if nobody needs them, this is fine; else keep them first:\nALTER TABLE {} RENAME COLUMN {} TO {};", quote_identifier(name), quote_identifier(&column.name), quote_identifier(&format!("{}_old", column.name)))),
            [replacement, ..] => finding.help(format!("if `{replacement}` is the new name, rename instead of dropping and adding (in drizzle-kit: choose the rename at the prompt):\nALTER TABLE {} RENAME COLUMN {} TO {};", quote_identifier(name), quote_identifier(&column.name), quote_identifier(replacement))),
        })
    })
    .collect()
}

/// Columns of a table that is gone, all rows of which other tables took over, with values that they did not.
fn left_behind(evidence: &Evidence, table: &TableComparison) -> Vec<Finding> {
    let Some(takeover) = table.takeover.as_ref().filter(|takeover| takeover.missing == 0) else { return Vec::new() };
    if table.after.is_some() {
        return Vec::new();
    }
    let name = table.name();
    let step = causes::dropping(evidence, name);
    takeover
        .left
        .iter()
        .map(|(column, values)| {
            let into = names(takeover.into.iter().map(String::as_str));
            Finding::new(&VL201, format!("column `{name}.{column}` is gone with {}", count(*values, "value")))
                .table(name)
                .column(column)
                .rows(*values)
                .at(step.map(place), format!("dropped {}, which {into} did not take over", count(*values, "value")))
                .help(format!("copy `{column}` too before the table is dropped"))
        })
        .collect()
}

/// Whether an UPDATE of every row had copied the column into another one before it was dropped, and nothing wrote that since.
fn moved_within(evidence: &Evidence, table: &TableComparison, column: &str) -> bool {
    let copied = evidence.committed().find(|step| {
        matches!(&step.statement.action, Action::Update { table: written, columns, has_where: false, .. }
            if table.pair.is_called(written) && columns.len() == 1
                && assigns_column(&step.statement.sql, &columns[0], column))
    });
    let Some(step) = copied else { return false };
    let Action::Update { columns, .. } = &step.statement.action else { return false };
    let later = |other: &&Step| {
        matches!(&other.statement.action, Action::Update { columns: written, .. }
            if written.iter().any(|name| name.eq_ignore_ascii_case(&columns[0])))
    };
    let holds = table.after.as_ref().and_then(|after| after.column(&columns[0]));
    let held = table.before.as_ref().and_then(|before| before.column(column));
    let complete = holds.zip(held).is_some_and(|(holds, held)| holds.values() == held.values());
    complete && evidence.committed().filter(later).count() == 1
}

/// Whether another column holds in every row what the column held; VL207 says so.
fn shifted_away(table: &TableComparison, column: &str) -> bool {
    let holds = |rows: &RowComparison| {
        let mut columns = rows.columns.iter();
        columns.any(|other| other.shifted_from.as_deref() == Some(column) && other.changed == rows.matched)
    };
    table.rows.as_ref().is_some_and(holds)
}

/// `UPDATE t SET new = old`, and nothing else.
fn assigns_column(sql: &str, new: &str, old: &str) -> bool {
    let tokens: Vec<Token> = tokens(sql).filter(|token| !token.is_trivia()).collect();
    let [.., target, equals, source] = tokens.as_slice() else { return false };
    let is = |token: &Token, name: &str| token.name(sql).is_some_and(|text| text.eq_ignore_ascii_case(name));
    equals.kind == TokenKind::Equals && is(target, new) && is(source, old)
}

/// The statement by which a column went: its DROP COLUMN, the copy of the rebuild that leaves it out, else the DROP TABLE.
fn dropping<'a>(evidence: &'a Evidence, table: &'a TableComparison, column: &str) -> Option<&'a Step> {
    let dropped = evidence.committed().find(|step| {
        matches!(&step.statement.action, Action::DropColumn { table: from, column: gone }
            if gone.eq_ignore_ascii_case(column) && table.pair.is_called(from))
    });
    let before = table.pair.before.as_ref();
    dropped.or_else(|| copy(evidence, table)).or_else(|| before.and_then(|name| causes::dropping(evidence, name)))
}

/// VL202 to VL210 and VL213 for every column that is on both sides, VL206 for new ones, and VL214.
pub(super) fn values(evidence: &Evidence) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut filled = Vec::new();
    for (table, before, after) in both_sides(evidence).filter(|(table, _, after)| may_differ(table, after)) {
        for column in &after.columns {
            let old = table.pair.columns.iter().find(|(_, paired)| *paired == column.name).map(|(old, _)| old.as_str());
            let Some(subject) = subject(evidence, table, (before, old), (after, &column.name)) else { continue };
            findings.extend(of_column(&subject, old, after));
            filled.extend(old.and_then(|old| subject.bulk_update(table.column_before(old)?)));
        }
        findings.extend(rows_without_key(evidence, table));
    }
    // What the statement did otherwise says more.
    let stands = |place: &Option<Place>| findings.iter().any(|finding| finding.place == *place);
    filled.retain(|finding| !stands(&finding.place));
    findings.extend(filled);
    findings
}

/// Whether a value or a column may be another one than before.
fn may_differ(table: &TableComparison, after: &Table) -> bool {
    let is_the_same = |rows: &RowComparison| (rows.lost, rows.gained, rows.changed) == (0, 0, Some(0));
    let has_the_same_columns =
        table.pair.columns.len() == after.columns.len() && table.pair.columns.iter().all(|(before, now)| before == now);
    !(has_the_same_columns && table.rows.as_ref().is_some_and(is_the_same))
}

/// A column after and the statement that wrote it; none where its values are computed, or a foreign key wrote them.
fn subject<'a>(
    evidence: &'a Evidence,
    table: &'a TableComparison,
    (before, old): (&Table, Option<&str>),
    (after, new): (&Table, &'a str),
) -> Option<Subject<'a>> {
    let was_generated = old.and_then(|old| before.column(old)).is_some_and(|column| column.generated);
    // Where more changed than foreign keys wrote, something else wrote too.
    let changed = old.and_then(|old| table.column_before(old)).map_or(0, |compared| compared.changed);
    let by_keys = old.map_or(0, |old| rows::written_by_keys(evidence, table, old));
    let by_foreign_key = by_keys > 0 && changed <= by_keys;
    let follows = old.is_some_and(|old| rows::follows_its_parent(evidence, table, old));
    if by_foreign_key || follows || (was_generated && after.column(new).is_some_and(|column| column.generated)) {
        return None;
    }
    Some(Subject { evidence, table, column: new, step: assignment(evidence, table, old, new) })
}

fn of_column(subject: &Subject<'_>, old: Option<&str>, after: &Table) -> Vec<Finding> {
    let table = subject.table;
    let held = old.and_then(|old| table.before.as_ref()?.column(old));
    let Some(holds) = table.after.as_ref().and_then(|profile| profile.column(subject.column)) else {
        return Vec::new();
    };
    let compared = old.and_then(|old| table.column_before(old));
    if let Some(finding) = subject.filled(held, holds, compared, after) {
        return vec![finding];
    }
    let Some(compared) = compared else { return Vec::new() };
    let gone = subject.gone_with_key(compared);
    if compared.changed == 0 {
        return gone.into_iter().collect();
    }
    if let Some(finding) = subject.shifted(compared) {
        return vec![finding];
    }
    let findings = [
        subject.nulled(compared),
        subject.blanks(compared),
        subject.text_altered(compared),
        subject.defaulted(compared),
        subject.altered(compared),
        subject.converted(compared),
        subject.collapsed(compared, holds),
        gone,
    ];
    findings.into_iter().flatten().collect()
}

/// A column under judgement and the statement that wrote it.
struct Subject<'a> {
    evidence: &'a Evidence,
    table: &'a TableComparison,
    column: &'a str,
    step: Option<Assignment<'a>>,
}

/// The statement that wrote a column.
struct Assignment<'a> {
    step: &'a Step,
    /// Whether it names the column and says what shall be in it, rather than copying what was there.
    explicit: bool,
}

impl Subject<'_> {
    fn finding(&self, rule: &'static Rule, message: String, rows: u64, label: String) -> Finding {
        let place = self.step.as_ref().map(|assignment| place(assignment.step));
        let label = match &self.step {
            Some(assignment) => label + &rows::also_in_children(self.evidence, assignment.step),
            None => label,
        };
        Finding::new(rule, message).table(self.table.name()).column(self.column).rows(rows).at(place, label)
    }

    fn name(&self) -> String {
        format!("{}.{}", self.table.name(), self.column)
    }

    fn is_explicit(&self) -> bool {
        self.step.as_ref().is_some_and(|assignment| assignment.explicit)
    }

    /// Whether an UPDATE names the column.
    fn is_updated(&self) -> bool {
        let updates = |step: &Step| matches!(step.statement.action, Action::Update { .. });
        self.step.as_ref().is_some_and(|assignment| assignment.explicit && updates(assignment.step))
    }

    /// Whether so many values are what REPLACE or an upsert wrote, of which LS106 speaks.
    fn is_overwritten(&self, values: u64) -> bool {
        let overwrites = |step: &Step| {
            matches!(&step.statement.action, Action::Insert(insert)
                if insert.upsert || insert.conflict == Some(Conflict::Replace))
        };
        let by_another = self.is_updated() && !self.step.as_ref().is_some_and(|assignment| overwrites(assignment.step));
        !by_another && values <= rows::rows_overwritten(self.evidence, self.table)
    }

    /// The values that the column held.
    fn values_before(&self, compared: &ColumnComparison) -> u64 {
        let held = self.table.before.as_ref().and_then(|before| before.column(&compared.before));
        held.map_or(0, ColumnProfile::values)
    }

    /// Whether the statement converts with CAST, which takes what it can read and drops the rest.
    fn casts(&self) -> bool {
        self.step.as_ref().is_some_and(|assignment| assignment.step.statement.sql.to_ascii_uppercase().contains("CAST"))
    }

    /// VL206.
    fn filled(
        &self,
        held: Option<&ColumnProfile>,
        holds: &ColumnProfile,
        compared: Option<&ColumnComparison>,
        after: &Table,
    ) -> Option<Finding> {
        let total = self.table.after.as_ref()?.rows;
        let default = after.column(self.column).and_then(|column| column.default.as_deref()).unwrap_or_default();
        let is_default = default.trim_matches(['\'', '"']).eq_ignore_ascii_case(self.column);
        let was = held.map(|held| held.spread);
        let rows_before = self.table.before.as_ref().map_or(0, |before| before.rows);
        let read_as_string = self.own_name_cause();
        let suspicious = rows_before > 0 || read_as_string.is_some();
        if holds.spread == Spread::OwnName && suspicious && !is_default && was != Some(Spread::OwnName) {
            let mut finding = self.finding(
                &VL206,
                format!("`{}` holds its own name as text in {}", self.name(), share(holds.texts, total, "row")),
                holds.texts,
                format!("wrote the text '{}' into every row", self.column),
            );
            finding.cause = read_as_string;
            finding.proof = self
                .step
                .as_ref()
                .and_then(|assignment| causes::string_refused(self.evidence, assignment.step, self.column));
            finding.help = vec![format!(
                "name a column that exists in the old table, or leave `{}` out of both lists so that its default is used",
                self.column
            )];
            return Some(finding);
        }
        let changed = compared.map_or(0, |compared| compared.changed);
        let overwritten = compared.is_some_and(|compared| compared.changed > compared.filled);
        let to_one = holds.spread == Spread::Constant && was == Some(Spread::Various) && overwritten && total > 1;
        let updated_where = self.step.as_ref().and_then(|assignment| match assignment.step.statement.action {
            Action::Update { has_where, .. } => Some(has_where),
            _ => None,
        });
        let help = match updated_where {
            Some(_) => {
                "if only some rows were meant, say which: add a WHERE; else keep what the column held first".to_owned()
            }
            None => format!("copy the column: SELECT {} instead of a constant", quote_identifier(self.column)),
        };
        // Which rows an UPDATE with WHERE writes, and what, it says itself.
        (to_one && updated_where != Some(true)).then(|| {
            self.finding(
                &VL206,
                format!(
                    "`{}` held several values and now holds one and the same in {}",
                    self.name(),
                    share(holds.values(), total, "row")
                ),
                changed,
                "wrote one value into every row".to_owned(),
            )
            .help(help)
        })
    }

    fn own_name_cause(&self) -> Option<String> {
        let step = self.step.as_ref()?.step;
        let from = match &step.statement.action {
            Action::Insert(insert) => insert.select.as_ref()?.from.clone()?,
            _ => return None,
        };
        let driver = self.evidence.execution().settings.driver.name;
        step.strings.iter().any(|name| name.eq_ignore_ascii_case(self.column)).then(|| {
            format!(
                "`\"{}\"` is no column of `{from}`; {driver} reads a double-quoted name that is no column as a string",
                self.column
            )
        })
    }

    /// VL202.
    fn nulled(&self, compared: &ColumnComparison) -> Option<Finding> {
        let by_keys = rows::written_by_keys(self.evidence, self.table, &compared.before);
        let nulled = (compared.nulled - compared.blank_to_null).saturating_sub(by_keys);
        if nulled == 0 || self.is_overwritten(compared.nulled) {
            return None;
        }
        let total = self.values_before(compared);
        let finding = self
            .finding(
                &VL202,
                format!("`{}` became NULL in {}", self.name(), share(nulled, total, "value")),
                nulled,
                format!("left NULL in {}", count(nulled, "row")),
            )
            .help(format!("carry the values over: name {} in the SELECT that fills the table, or write the column with an UPDATE before the old one goes", quote_identifier(&compared.before)));
        Some(if self.is_explicit() { finding.at_level(Level::Warning) } else { finding })
    }

    /// VL203: what no other rule says.
    fn altered(&self, compared: &ColumnComparison) -> Option<Finding> {
        let without_zeros = compared.altered() - compared.recognisable() - self.values_defaulted(compared);
        let zeros = if self.computes_zeros(compared) { compared.lossy } else { 0 };
        let altered = without_zeros + zeros;
        if altered == 0 || self.is_overwritten(compared.altered()) {
            return None;
        }
        let total = self.values_before(compared);
        let finding = self
            .finding(
                &VL203,
                format!("`{}` has another value in {}", self.name(), share(altered, total, "row")),
                altered,
                format!("changed {}", count(altered, "value")),
            )
            .help("if that is intended, nothing is to be done; else compare the values: rehearse again with --keep-copy FILE");
        Some(if self.is_explicit() { finding } else { finding.at_level(Level::Error) })
    }

    /// VL203 of rows that have another key too. What an UPDATE of the parent wrote here follows it.
    fn gone_with_key(&self, compared: &ColumnComparison) -> Option<Finding> {
        if compared.gone_with_key == 0 {
            return None;
        }
        let by_keys = rows::written_by_keys(self.evidence, self.table, &compared.before);
        let gone = compared.gone_with_key.saturating_sub(by_keys + self.filled_with_key(compared));
        let follows = !self.is_updated() && rows::may_follow_its_parent(self.evidence, self.table, &compared.before);
        if gone == 0 || follows {
            return None;
        }
        let total = self.values_before(compared);
        let finding = self
            .finding(
                &VL203,
                format!("{} of `{}` are in no row any more", share(gone, total, "value"), self.name()),
                gone,
                format!("changed {}", count(gone, "value")),
            )
            .cause("an UPDATE gave these rows another key too, so that they cannot be compared one by one")
            .help("if that is intended, nothing is to be done; else keep the values: change the key alone");
        Some(if self.is_explicit() { finding } else { finding.at_level(Level::Error) })
    }

    /// NULLs that rows with another key no longer have, where no row was deleted.
    fn filled_with_key(&self, compared: &ColumnComparison) -> u64 {
        let stayed = self.table.rows.as_ref().is_some_and(|rows| rows.lost == rows.gained);
        let nulls = |profile: Option<&TableProfile>, column: &str| {
            profile.and_then(|profile| profile.column(column)).filter(|_| stayed).map_or(0, |column| column.nulls)
        };
        let before = nulls(self.table.before.as_ref(), &compared.before);
        before.saturating_sub(nulls(self.table.after.as_ref(), &compared.after))
    }

    /// Whether the expression that wrote other values too also wrote the zeros, which are then no failed conversions.
    fn computes_zeros(&self, compared: &ColumnComparison) -> bool {
        let only_zeros = compared.lossy_kinds.keys().all(|loss| *loss == Loss::BecameZero);
        only_zeros && self.is_explicit() && !self.casts() && compared.altered() > 0
    }

    /// VL205 where something was lost on the way, else VL204.
    fn converted(&self, compared: &ColumnComparison) -> Option<Finding> {
        let total = self.values_before(compared);
        let (before, after) = (
            classes(self.table.before.as_ref(), &compared.before),
            classes(self.table.after.as_ref(), &compared.after),
        );
        if compared.lossy > 0 && !self.computes_zeros(compared) {
            let computed = self.is_explicit() && !self.casts();
            let way = if before == after { String::new() } else { format!(" on the way from {before} to {after}") };
            let finding = self
                .finding(
                    &VL205,
                    format!(
                        "{} of `{}` lost something{way}: {}{}",
                        share(compared.lossy, total, "value"),
                        self.name(),
                        kinds::losses(compared),
                        identity::also_collapsed(compared)
                    ),
                    compared.lossy,
                    format!("converted {} with a loss: {}", count(compared.lossy, "value"), kinds::losses(compared)),
                )
                .help(format!(
                    "keep {} as text, or convert into a column of its own and compare before the old one goes",
                    quote_identifier(self.column)
                ));
            return Some(if computed { finding.at_level(Level::Warning) } else { finding });
        }
        (compared.converted > 0).then(|| {
            self.finding(
                &VL204,
                format!(
                    "{} of `{}` changed from {before} to {after}",
                    share(compared.converted, total, "value"),
                    self.name()
                ),
                compared.converted,
                format!("stored {} in another storage class", count(compared.converted, "value")),
            )
            .help("check that every reader of the column expects the new storage class")
        })
    }
}

/// `text/integer`: the storage classes that occur in a column.
fn classes(profile: Option<&TableProfile>, column: &str) -> String {
    let classes: Vec<&str> = profile
        .and_then(|profile| profile.column(column))
        .map(|column| column.classes().map(|(class, _)| class).collect())
        .unwrap_or_default();
    classes.join("/")
}

/// Rows that are matched by content only: how many are no longer what they were cannot be said by column.
fn rows_without_key(evidence: &Evidence, table: &TableComparison) -> Option<Finding> {
    let altered = rows::altered_by_content(evidence, table);
    if altered == 0 {
        return None;
    }
    let name = table.name();
    let step = evidence
        .committed()
        .find(|step| step.changes.iter().any(|change| change.updated > 0 && table.pair.is_called(&change.table)));
    let step = step.or_else(|| copy(evidence, table));
    let total = table.before.as_ref()?.rows;
    Some(
        Finding::new(&VL203, format!("{} of `{name}` are no longer there as they were", share(altered, total, "row")))
            .table(name)
            .rows(altered)
            .at(step.map(place), format!("changed {}", count(altered, "row")))
            .cause("the table has no key, so that rows can be matched by their whole content only")
            .at_level(if step.is_some_and(|step| matches!(step.statement.action, Action::Update { .. })) {
                Level::Warning
            } else {
                Level::Error
            }),
    )
}

/// The last statement that wrote this column of the table.
fn assignment<'a>(
    evidence: &'a Evidence,
    table: &'a TableComparison,
    old: Option<&str>,
    new: &str,
) -> Option<Assignment<'a>> {
    let by_trigger = || {
        let wrote =
            |step: &&Step| step.changes.iter().any(|change| change.updated > 0 && table.pair.is_called(&change.table));
        evidence.committed().rev().find(wrote).map(|step| Assignment { step, explicit: false })
    };
    named(evidence, table, old, new)
        .or_else(|| {
            copy(evidence, table).map(|step| Assignment { explicit: computes(evidence, table, step, (old, new)), step })
        })
        .or_else(by_trigger)
}

/// The last statement that names the column as one that it writes or drops, under the name that it had at that moment.
fn named<'a>(
    evidence: &'a Evidence,
    table: &'a TableComparison,
    old: Option<&str>,
    new: &str,
) -> Option<Assignment<'a>> {
    let mut earlier: Option<&str> = None;
    for step in
        evidence.committed().rev().filter(|step| step.statement.table().is_some_and(|name| table.pair.is_called(name)))
    {
        let is_it = |column: &String| match earlier {
            Some(name) => column.eq_ignore_ascii_case(name),
            None => column.eq_ignore_ascii_case(new) || old.is_some_and(|old| column.eq_ignore_ascii_case(old)),
        };
        match &step.statement.action {
            Action::RenameColumn { column, to, .. } if to.eq_ignore_ascii_case(earlier.unwrap_or(new)) => {
                earlier = Some(column);
            }
            Action::Update { columns, .. } if columns.iter().any(is_it) => {
                return Some(Assignment { step, explicit: true });
            }
            Action::DropColumn { column, .. } if is_it(column) => return Some(Assignment { step, explicit: false }),
            _ => {}
        }
    }
    None
}

/// Whether an `INSERT … SELECT` fills the column from an expression over the rows that were there, or from another column of a
/// join: what a new key of the parent asks for.
fn computes(evidence: &Evidence, compared: &TableComparison, step: &Step, (old, new): (Option<&str>, &str)) -> bool {
    match selected(evidence, compared, step, new) {
        Some(SelectItem::Expression { .. }) => true,
        Some(SelectItem::Column { name, double_quoted: false }) => {
            let joined =
                matches!(&step.statement.action, Action::Insert(Insert { select: Some(select), .. }) if select.joined);
            let own = [Some(new), old].into_iter().flatten().any(|own| own.eq_ignore_ascii_case(name));
            joined && !own
        }
        _ => false,
    }
}

/// The same where the expression reads what the column was itself, `old`.
fn computes_from(evidence: &Evidence, compared: &TableComparison, step: &Step, column: &str, old: &str) -> bool {
    matches!(selected(evidence, compared, step, column), Some(SelectItem::Expression { columns, .. })
        if columns.iter().any(|read| read.eq_ignore_ascii_case(old)))
}

/// What an `INSERT … SELECT` over the rows that were there puts into the column.
fn selected<'a>(
    evidence: &Evidence,
    compared: &TableComparison,
    step: &'a Step,
    column: &str,
) -> Option<&'a SelectItem> {
    let Action::Insert(insert) = &step.statement.action else { return None };
    let table = evidence.comparison().after.table(compared.name());
    let reads = |select: &&Select| select.tables.iter().any(|from| compared.pair.is_called(from));
    let select = insert.select.as_ref().filter(reads)?;
    let written: Vec<&String> = match (insert.columns.is_empty(), table) {
        (true, Some(table)) => {
            table.columns.iter().filter(|column| !column.generated).map(|column| &column.name).collect()
        }
        _ => insert.columns.iter().collect(),
    };
    let place = written.iter().position(|name| name.eq_ignore_ascii_case(column))?;
    select.items.get(place)
}

/// The `INSERT … SELECT` that filled a rebuilt table: the one that reads the old one, where several tables are filled under one
/// name in turn.
fn copy<'a>(evidence: &'a Evidence, table: &'a TableComparison) -> Option<&'a Step> {
    let writes = |step: &&Step| matches!(&step.statement.action, Action::Insert(insert) if insert.select.is_some() && table.pair.is_called(&insert.table));
    let is_rebuilt = table.pair.change == Change::Rebuilt;
    let any = || evidence.committed().filter(|_| is_rebuilt).find(writes);
    rows::copies(evidence, table).find(|_| is_rebuilt).or_else(any)
}

/// VL212.
pub(super) fn sequences(evidence: &Evidence) -> Vec<Finding> {
    let tables = &evidence.comparison().tables;
    tables.iter().filter_map(|table| sequence(evidence, table)).collect()
}

fn sequence(evidence: &Evidence, table: &TableComparison) -> Option<Finding> {
    let sequence = table.sequence.filter(|sequence| sequence.after < sequence.before)?;
    let ids = sequence.before.abs_diff(sequence.after);
    let name = table.name();
    let finding = Finding::new(
        &VL212,
        format!("AUTOINCREMENT of `{name}` was set back by {}: they are given out again", count(ids, "id")),
    )
    .table(name)
    .rows(ids);
    let by_name = evidence.committed().find(|step| {
        matches!(&step.statement.action, Action::Update { table, .. } | Action::Delete { table, .. }
            if table.eq_ignore_ascii_case("sqlite_sequence"))
    });
    if let Some(step) = by_name {
        return Some(
            finding
                .at(Some(place(step)), "writes what AUTOINCREMENT remembers")
                .help("if no id is kept elsewhere, nothing is to be done; else leave `sqlite_sequence` as it is"),
        );
    }
    let step = copy(evidence, table);
    let finding = finding.at(step.map(place), "copied the rows that are there, and not how far the ids had got");
    if evidence.execution().command.is_some() {
        // Between the statements of a tool nobody can put one.
        return Some(finding.help(format!(
            "set it again after the migration has changed the table:\nUPDATE sqlite_sequence SET seq = max(seq, {}) WHERE name = {};",
            sequence.before,
            quote_text(name)
        )));
    }
    Some(match (step.map(|step| &step.statement.action), &table.pair.before) {
        (Some(Action::Insert(insert)), Some(old)) => finding.help(format!(
            "carry it over before the old table is dropped:\nUPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = {}) WHERE name = {};",
            quote_text(old),
            quote_text(&insert.table)
        )),
        _ => finding,
    })
}

fn both_sides(evidence: &Evidence) -> impl Iterator<Item = (&TableComparison, &Table, &Table)> {
    let comparison = evidence.comparison();
    comparison.tables.iter().filter_map(|table| {
        let before = comparison.before.table(table.pair.before.as_ref()?)?;
        Some((table, before, comparison.after.table(table.pair.after.as_ref()?)?))
    })
}
