//! What tells rows apart: VL210 and VL211.

use super::Subject;
use crate::compare::TableComparison;
use crate::compare::rows::ColumnComparison;
use crate::execution::Step;
use crate::findings::catalogue::{VL210, VL211};
use crate::findings::evidence::place;
use crate::findings::rules::rows;
use crate::findings::wording::{count, number, share};
use crate::findings::{Evidence, Finding, Level};
use crate::migrations::statement::Action;
use crate::profile::{ColumnProfile, Spread};
use crate::schema::lexer::{Token, TokenKind, tokens};
use crate::schema::{Table, TableKind};

/// How VL205 says that values became equal.
pub(super) fn also_collapsed(compared: &ColumnComparison) -> String {
    compared.collapsed.map_or(String::new(), |collapse| {
        format!("; {} different values became {}", number(collapse.values), number(collapse.distinct))
    })
}

impl Subject<'_> {
    /// VL210. A lossy conversion says it itself, and so does what wrote one value into every row, or into the rows of an UPDATE.
    pub(super) fn collapsed(&self, compared: &ColumnComparison, holds: &ColumnProfile) -> Option<Finding> {
        let collapse = compared.collapsed?;
        let one = holds.spread == Spread::Constant;
        if one || compared.lossy > 0 || self.is_overwritten(compared.changed) || self.is_set_anew() {
            return None;
        }
        let gone = collapse.values - collapse.distinct;
        Some(
            self.finding(
                &VL210,
                format!(
                    "{} of `{}` were all different, and now there are {} different ones",
                    count(collapse.values, "value"),
                    self.name(),
                    number(collapse.distinct)
                ),
                gone,
                format!("made {} equal to another one", count(gone, "value")),
            )
            .help("find the rows that share a value now, and decide what tells them apart"),
        )
    }

    /// Whether an UPDATE gives the column values that do not come from what it held.
    fn is_set_anew(&self) -> bool {
        let Some(assignment) = self.step.as_ref().filter(|_| self.is_updated()) else { return false };
        let sql = &assignment.step.statement.sql;
        let named = tokens(sql).filter_map(|token| token.name(sql));
        named.filter(|name| name.eq_ignore_ascii_case(self.column)).count() == 1
    }
}

/// VL211.
pub(in crate::findings::rules) fn rowids(evidence: &Evidence) -> Vec<Finding> {
    evidence.comparison().tables.iter().filter_map(|table| renumbered(evidence, table)).collect()
}

/// Whether VL211 says that what refers to this table by rowid finds other rows.
pub(in crate::findings::rules) fn misleads(evidence: &Evidence, table: &TableComparison) -> bool {
    renumbered(evidence, table).is_some_and(|finding| finding.level == Level::Error)
}

fn renumbered(evidence: &Evidence, table: &TableComparison) -> Option<Finding> {
    let compared = table.rows.as_ref()?;
    let moved = compared.rowids_moved?;
    if moved <= rows::rows_overwritten(evidence, table) {
        return None;
    }
    let name = table.name();
    let after = evidence.comparison().after.table(name)?;
    let step = evidence.committed().rev().find(|step| renumbers(table, step));
    let finding =
        Finding::new(&VL211, format!("{} of `{name}` have another rowid", share(moved, compared.matched, "row")))
            .table(name)
            .rows(moved)
            .at(step.map(place), format!("numbered {} anew", count(moved, "row")))
            .help(format!("copy the rowid too, or give `{name}` an INTEGER PRIMARY KEY"));
    if let Some(who) = relying(evidence, after) {
        let cause = format!("{who} refers to the rows of `{name}` by rowid");
        return Some(finding.cause(cause).at_level(Level::Error));
    }
    // Who has a key to look rows up by has little reason to keep rowids.
    let finding = if after.primary_key.is_empty() { finding } else { finding.at_level(Level::Note) };
    // Rows that are gone or there twice move the others along, and have a finding of their own.
    Some(finding).filter(|_| compared.lost + compared.repeated == 0)
}

fn renumbers(table: &TableComparison, step: &Step) -> bool {
    let wrote =
        step.changes.iter().any(|change| change.inserted + change.updated > 0 && table.pair.is_called(&change.table));
    wrote || step.statement.action == Action::Vacuum
}

/// What refers to the rows of the table by rowid: a full-text index over it that was not rebuilt since, a view, a trigger or an
/// index.
fn relying(evidence: &Evidence, table: &Table) -> Option<String> {
    let schema = &evidence.comparison().after;
    let rebuilt = |index: &Table| {
        evidence.committed().any(|step| {
            matches!(&step.statement.action, Action::Insert(insert) if insert.table.eq_ignore_ascii_case(&index.name)
                && insert.columns.iter().any(|column| column.eq_ignore_ascii_case(&index.name)))
        })
    };
    let full_text = schema.tables.values().find(|index| is_external_index(index, &table.name) && !rebuilt(index));
    let objects = schema.views.values().chain(schema.triggers.values()).chain(schema.indexes.values());
    let named = || objects.into_iter().find(|object| names_rowid_of(&object.sql, table)).map(|object| &object.name);
    full_text.map(|index| &index.name).or_else(named).map(|name| format!("`{name}`"))
}

/// Whether it is a full-text index whose content is this table, by rowid.
fn is_external_index(index: &Table, content: &str) -> bool {
    let TableKind::Virtual(module) = &index.kind else { return false };
    if !module.to_ascii_lowercase().starts_with("fts") {
        return false;
    }
    let option = |name: &str| option(&index.sql, name);
    let by_rowid = option("content_rowid").is_none_or(|column| is_rowid(&column));
    by_rowid && option("content").is_some_and(|table| table.eq_ignore_ascii_case(content))
}

/// The value of an option `name = value` of a virtual table.
fn option(sql: &str, name: &str) -> Option<String> {
    let tokens: Vec<Token> = tokens(sql).filter(|token| !token.is_trivia()).collect();
    tokens.windows(3).find_map(|three| {
        let is_it = three[0].text(sql).eq_ignore_ascii_case(name) && three[1].kind == TokenKind::Equals;
        three[2].name(sql).filter(|_| is_it).map(std::borrow::Cow::into_owned)
    })
}

fn is_rowid(name: &str) -> bool {
    ["rowid", "oid", "_rowid_"].iter().any(|rowid| name.eq_ignore_ascii_case(rowid))
}

/// Whether a view, trigger or index names the table and a rowid that is no column of it.
fn names_rowid_of(sql: &str, table: &Table) -> bool {
    let names: Vec<_> = tokens(sql).filter_map(|token| token.name(sql)).collect();
    let of_table = names.iter().any(|name| name.eq_ignore_ascii_case(&table.name));
    of_table && names.iter().any(|name| is_rowid(name) && table.column(name).is_none())
}
