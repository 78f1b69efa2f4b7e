//! Two plans of one query, as EXPLAIN QUERY PLAN tells them: which table was read by an index, and is read whole now?
//!
//! Source: <https://sqlite.org/eqp.html>; the words are those of `sqlite3WhereAddExplainText` and `wherecode.c`.

use std::collections::BTreeMap;

use crate::compare::Comparison;
use crate::schema::Schema;
use crate::schema::lexer::{Token, tokens};

/// A table that is read whole, or sorted, where an index helped before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slower {
    /// The table as it is called after; none where the plan does not tell.
    pub table: Option<String>,
    /// What the query calls it.
    pub label: String,
    /// The line of the plan before.
    pub before: String,
    /// The line of the plan after.
    pub after: String,
    /// What is done now.
    pub how: How,
    /// The index that was used and is not there any more.
    pub index_gone: Option<String>,
    /// Rows of the table after; none where they were not counted.
    pub rows: Option<u64>,
    /// Whether ANALYZE's statistics of it are gone.
    pub statistics_lost: bool,
}

/// What is done where an index was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// Every row is looked at.
    Scan,
    /// An index is made for this one query, of every row.
    AutomaticIndex,
    /// Every row is sorted.
    Sort,
}

/// One line that reads a table.
struct Line<'a> {
    text: &'a str,
    label: &'a str,
    access: Access<'a>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access<'a> {
    /// Rows are found, by this index where it has a name.
    Search(Option<&'a str>),
    /// Rows are found by an index that is made for the query.
    Automatic,
    /// Every row, in the order of this index where there is one.
    Scan(Option<&'a str>),
}

/// Lines that sort.
const SORTS: &str = "USE TEMP B-TREE FOR ";

/// What got slower, and the tables that were read whole and are not any more. What
/// is there of indexes, rows and statistics is not looked at yet.
pub(super) fn differences(
    sql: &str,
    before: &[String],
    after: &[String],
    comparison: &Comparison,
) -> (Vec<Slower>, Vec<String>) {
    if before == after {
        return (Vec::new(), Vec::new());
    }
    let (was, is) = (by_label(before), by_label(after));
    let sorts = |plan: &[String]| plan.iter().filter(|line| line.starts_with(SORTS)).count();
    let sorts_more = sorts(after) > sorts(before);
    let (mut found, mut faster) = (Vec::new(), Vec::new());
    for (label, is) in &is {
        let Some(was) = was.get(label) else { continue };
        if worse(is, was).is_some() {
            faster.extend(table(None, label, sql, &comparison.after));
        }
        let Some((old, new, how)) = worse(was, is).or_else(|| sorts_more.then(|| unordered(was, is)).flatten()) else {
            continue;
        };
        let (Access::Search(index) | Access::Scan(index)) = old.access else { continue };
        let table = table(index, label, sql, &comparison.before);
        let table = table.map(|name| match comparison.table_before(&name) {
            Some(same) => same.pair.after.clone().unwrap_or(name),
            None => name,
        });
        found.push(Slower {
            table,
            label: (*label).to_owned(),
            before: old.text.to_owned(),
            after: new.text.to_owned(),
            how,
            index_gone: index.map(str::to_owned),
            rows: None,
            statistics_lost: false,
        });
    }
    (found, faster)
}

/// More of the reads of this label are scans, and fewer are searches.
fn worse<'a>(was: &[Line<'a>], is: &[Line<'a>]) -> Option<(Line<'a>, Line<'a>, How)> {
    let is_search = |line: &&Line<'a>| matches!(line.access, Access::Search(_));
    let searches = |lines: &[Line<'a>]| lines.iter().filter(is_search).count();
    let scans = |lines: &[Line<'a>]| lines.len() - searches(lines);
    if searches(is) >= searches(was) || scans(is) <= scans(was) {
        return None;
    }
    let old = was.iter().find(is_search)?;
    let new = is.iter().find(|line| !is_search(line))?;
    let how = if new.access == Access::Automatic { How::AutomaticIndex } else { How::Scan };
    Some((old.copy(), new.copy(), how))
}

/// Every row was read in the order of an index, and is read in another order now.
fn unordered<'a>(was: &[Line<'a>], is: &[Line<'a>]) -> Option<(Line<'a>, Line<'a>, How)> {
    let ([old], [new]) = (was, is) else { return None };
    match (old.access, new.access) {
        (Access::Scan(Some(index)), Access::Scan(other)) if other != Some(index) => {
            Some((old.copy(), new.copy(), How::Sort))
        }
        _ => None,
    }
}

impl<'a> Line<'a> {
    /// `SEARCH u USING INDEX users_email (email=?)`, `SCAN u`; none where it reads no table.
    fn of(text: &'a str) -> Option<Self> {
        let (is_search, rest) = match text.strip_prefix("SEARCH ") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix("SCAN ")?),
        };
        let end =
            [" USING ", " VIRTUAL TABLE ", " LEFT-JOIN", " EXISTS"].iter().filter_map(|word| rest.find(word)).min();
        let (label, how) = rest.split_at(end.unwrap_or(rest.len()));
        if how.starts_with(" VIRTUAL TABLE ") {
            return None;
        }
        let how = how.strip_prefix(" USING ");
        let how = how.map(|how| how.strip_prefix("COVERING ").unwrap_or(how));
        let index = how.and_then(|how| how.strip_prefix("INDEX ")).map(|name| {
            let end = name.rfind(" (").or_else(|| name.find(" LEFT-JOIN")).unwrap_or(name.len());
            name[..end].trim_end_matches(" LEFT-JOIN")
        });
        let access = match (is_search, how) {
            (_, Some(how)) if how.starts_with("AUTOMATIC ") => Access::Automatic,
            // `SELECT max(a)` is called a search also without an index.
            (true, None) | (false, _) => Access::Scan(index),
            (true, Some(_)) => Access::Search(index),
        };
        Some(Self { text, label, access })
    }

    fn copy(&self) -> Self {
        Self { ..*self }
    }
}

fn by_label(plan: &[String]) -> BTreeMap<&str, Vec<Line<'_>>> {
    let mut lines: BTreeMap<&str, Vec<Line<'_>>> = BTreeMap::new();
    for line in plan.iter().filter_map(|line| Line::of(line)) {
        lines.entry(line.label).or_default().push(line);
    }
    lines
}

/// The table that a label of the plan stands for: that of the index, the one of this name, or the one that the query calls so.
fn table(index: Option<&str>, label: &str, sql: &str, schema: &Schema) -> Option<String> {
    let of_index = index.and_then(|index| {
        let named = schema.indexes.get(&index.to_ascii_lowercase()).map(|index| index.table.clone());
        let automatic = || {
            let rest = index.strip_prefix("sqlite_autoindex_")?;
            rest.rsplit_once('_').map(|(table, _)| table.to_owned())
        };
        named.or_else(automatic)
    });
    of_index.or_else(|| schema.table(label).map(|table| table.name.clone())).or_else(|| alias(label, sql, schema))
}

/// The table of `table [AS] label`.
fn alias(label: &str, sql: &str, schema: &Schema) -> Option<String> {
    let tokens: Vec<Token> = tokens(sql).filter(|token| !token.is_trivia()).collect();
    (1..tokens.len()).find_map(|at| {
        let name = tokens[at].name(sql).filter(|name| name.eq_ignore_ascii_case(label))?;
        let before = if tokens[at - 1].is_word(sql, "AS") { at.checked_sub(2)? } else { at - 1 };
        let table = tokens[before].name(sql).filter(|table| *table != name)?;
        schema.table(&table).map(|table| table.name.clone())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access(text: &str) -> Option<(&str, Access<'_>)> {
        Line::of(text).map(|line| (line.label, line.access))
    }

    impl std::fmt::Debug for Access<'_> {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            match self {
                Self::Search(index) => write!(formatter, "search {index:?}"),
                Self::Automatic => write!(formatter, "automatic"),
                Self::Scan(index) => write!(formatter, "scan {index:?}"),
            }
        }
    }

    #[test]
    fn every_line_that_reads_a_table_is_understood() {
        let searches = [
            ("SEARCH u USING INDEX users_email (email=?)", "u", Some("users_email")),
            ("SEARCH u USING COVERING INDEX by (a, b) (a=? AND b>?)", "u", Some("by (a, b)")),
            ("SEARCH my table USING INTEGER PRIMARY KEY (rowid=?)", "my table", None),
            ("SEARCH t USING PRIMARY KEY (a=?)", "t", None),
            ("SEARCH p USING INDEX i (a=?) LEFT-JOIN", "p", Some("i")),
        ];
        for (text, label, index) in searches {
            assert_eq!(access(text), Some((label, Access::Search(index))), "{text}");
        }
        let scans = [("SCAN t", "t", None), ("SCAN t USING COVERING INDEX i", "t", Some("i")), ("SEARCH t", "t", None)];
        for (text, label, index) in scans {
            assert_eq!(access(text), Some((label, Access::Scan(index))), "{text}");
        }
        assert_eq!(access("SEARCH t USING AUTOMATIC PARTIAL COVERING INDEX (a=?)"), Some(("t", Access::Automatic)));
        for text in ["SCAN f VIRTUAL TABLE INDEX 0:", "USE TEMP B-TREE FOR ORDER BY", "MULTI-INDEX OR"] {
            assert_eq!(access(text), None, "{text}");
        }
    }
}
