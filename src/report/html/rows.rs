//! The picture of the rows: for each table a bar before and a bar after, with what was lost, gained and changed drawn in it.

use serde::Serialize;

use crate::findings::wording::{count, count_of, number};
use crate::report::document::{Rows, Table};
use crate::report::facts;

/// Tables that are drawn before the rest is folded.
const DRAWN: usize = 60;
/// The narrowest part of a bar in percent of the width, so that a single row is seen.
const LEAST: f64 = 0.6;
/// The longer bar of the smallest table, in percent of the width, so that its parts are seen.
const SHORTEST: f64 = 6.0;

/// Every table.
#[derive(Serialize)]
pub struct Picture {
    any: bool,
    /// The biggest loss first.
    drawn: Vec<Drawn>,
    folded: Vec<Drawn>,
    more: String,
    unchanged: Vec<Quiet>,
    unchanged_count: String,
    uncounted: Vec<Quiet>,
    uncounted_count: String,
    /// The biggest number of rows, which the longest bar stands for.
    biggest: String,
}

/// A table that changed.
#[derive(Serialize)]
struct Drawn {
    name: String,
    became: String,
    before: String,
    after: String,
    facts: Vec<Fact>,
    bars: Vec<Bar>,
    /// The picture in words.
    text: String,
}

#[derive(Serialize)]
struct Fact {
    text: String,
    kind: &'static str,
}

/// A bar with its parts, from left to right.
#[derive(Serialize)]
struct Bar {
    y: u32,
    parts: Vec<Part>,
}

/// A part of a bar, in percent of the width.
#[derive(Serialize)]
struct Part {
    kind: &'static str,
    x: String,
    width: String,
}

/// A table in which nothing changed.
#[derive(Serialize)]
struct Quiet {
    name: String,
    rows: String,
}

/// The picture of these tables.
pub fn picture(tables: &[Table]) -> Picture {
    let (changed, others): (Vec<&Table>, Vec<&Table>) = tables.iter().partition(|table| table.is_changed());
    let (uncounted, unchanged): (Vec<&Table>, Vec<&Table>) = others.into_iter().partition(|table| table.is_uncounted());
    let biggest = changed.iter().map(|table| size(&table.rows)).max().unwrap_or(0);
    let mut drawn: Vec<Drawn> = changed.iter().map(|table| draw(table, biggest)).collect();
    let folded = if drawn.len() > DRAWN + 1 { drawn.split_off(DRAWN) } else { Vec::new() };
    let noun = if changed.is_empty() { "table" } else { "other table" };
    let quiet = |table: &&Table| Quiet {
        name: table.name.clone(),
        rows: table.rows.after.map_or_else(|| "not counted".to_owned(), |rows| count(rows, "row")),
    };
    Picture {
        any: !tables.is_empty(),
        more: count_of(folded.len(), "more table"),
        drawn,
        folded,
        unchanged_count: count_of(unchanged.len(), noun),
        unchanged: unchanged.iter().map(quiet).collect(),
        uncounted_count: count_of(uncounted.len(), noun),
        uncounted: uncounted.iter().map(quiet).collect(),
        biggest: count(biggest, "row"),
    }
}

/// The bigger of both sides.
fn size(rows: &Rows) -> u64 {
    rows.before.max(rows.after).unwrap_or(0)
}

fn draw(table: &Table, biggest: u64) -> Drawn {
    let rows = &table.rows;
    let side = |rows: Option<u64>, gone: &str| rows.map_or_else(|| gone.to_owned(), number);
    let (is_new, is_gone) = (table.before_name.is_none(), rows.after.is_none() && rows.before.is_some());
    let before = side(rows.before, if is_new { "not there" } else { "not counted" });
    let after = side(rows.after, if is_gone { "gone" } else { "not counted" });
    let facts = told(rows);
    let words: Vec<&str> = facts.iter().map(|fact| fact.text.as_str()).collect();
    let became = facts::became(table);
    let became_text = if became.is_empty() { String::new() } else { format!(" ({became})") };
    let text = format!("{}{became_text}: rows before {before}, after {after}; {}", table.name, words.join(", "));
    Drawn { name: table.name.clone(), became, before, after, bars: bars(rows, biggest), text, facts }
}

/// What happened to the rows, in words; what could not be told is said too.
fn told(rows: &Rows) -> Vec<Fact> {
    let both = rows.before.is_some() && rows.after.is_some();
    let counts =
        [(rows.lost, "lost"), (rows.gained, "gained"), (rows.changed, "changed")].map(|(rows, kind)| match rows {
            Some(0) => None,
            Some(rows) => Some(Fact { text: format!("{} {kind}", number(rows)), kind }),
            None => both.then(|| Fact { text: format!("{kind}: not known"), kind: "unknown" }),
        });
    let mut facts: Vec<Fact> = counts.into_iter().flatten().collect();
    if facts.is_empty() {
        facts.push(Fact { text: "no row lost, gained or changed".to_owned(), kind: "same" });
    }
    facts
}

/// Both bars. The length of the longer one grows with the square root of its rows, so that small tables are seen beside big ones; within
/// a table everything is in proportion.
fn bars(rows: &Rows, biggest: u64) -> Vec<Bar> {
    let size = size(rows);
    if size == 0 {
        return Vec::new();
    }
    let length = (100.0 * share(size, biggest).sqrt()).max(SHORTEST);
    let scale = |rows: u64| if rows == 0 { 0.0 } else { (length * share(rows, size)).max(LEAST) };
    let side = |y: u32, total: Option<u64>, special: Option<u64>, kind: &'static str| {
        let total = total.unwrap_or(0);
        let special = special.unwrap_or(0).min(total);
        let changed = rows.changed.unwrap_or(0).min(total - special);
        let kept = total - special - changed;
        let whole = scale(total);
        // Small parts get their least width from what is kept.
        let (special, changed) = (scale(special), scale(changed));
        let kept = if kept == 0 { 0.0 } else { (whole - special - changed).max(LEAST) };
        let mut x = 0.0;
        let mut parts = Vec::new();
        for (kind, width) in [("kept", kept), ("changed", changed), (kind, special)] {
            if width > 0.0 {
                parts.push(Part { kind, x: format!("{x:.2}%"), width: format!("{width:.2}%") });
                x += width;
            }
        }
        Bar { y, parts }
    };
    vec![side(1, rows.before, rows.lost, "lost"), side(18, rows.after, rows.gained, "gained")]
}

/// A share of the whole, from 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "the width of a bar needs no more than the precision of a float")]
pub fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests {
    use super::{bars, told};
    use crate::report::document::Rows;

    fn rows(before: u64, after: u64, lost: u64, gained: u64, changed: u64) -> Rows {
        let [before, after, lost, gained, changed] = [before, after, lost, gained, changed].map(Some);
        Rows { before, after, lost, gained, changed }
    }

    /// Kind, start and width of the parts of both bars.
    fn drawn(rows: &Rows, biggest: u64) -> Vec<Vec<(&'static str, f64, f64)>> {
        let number = |text: &str| text.trim_end_matches('%').parse::<f64>().unwrap();
        bars(rows, biggest)
            .iter()
            .map(|bar| bar.parts.iter().map(|part| (part.kind, number(&part.x), number(&part.width))).collect())
            .collect()
    }

    #[test]
    fn parts_of_a_bar_are_in_proportion() {
        let bars = drawn(&rows(100, 60, 50, 10, 20), 100);
        assert_eq!(bars[0], [("kept", 0.0, 30.0), ("changed", 30.0, 20.0), ("lost", 50.0, 50.0)]);
        assert_eq!(bars[1], [("kept", 0.0, 30.0), ("changed", 30.0, 20.0), ("gained", 50.0, 10.0)]);
    }

    #[test]
    fn small_tables_and_single_rows_are_seen() {
        let bars = drawn(&rows(10_000, 9_999, 1, 0, 0), 1_000_000);
        assert_eq!(bars[0], [("kept", 0.0, 9.4), ("lost", 9.4, 0.6)]);
        assert_eq!(drawn(&rows(1, 1, 0, 0, 0), 1_000_000)[0], [("kept", 0.0, 6.0)]);
    }

    #[test]
    fn an_emptied_table_has_no_bar_after() {
        assert!(drawn(&rows(5, 0, 5, 0, 0), 5)[1].is_empty());
        assert!(bars(&rows(0, 0, 0, 0, 0), 5).is_empty());
    }

    #[test]
    fn what_was_not_counted_is_not_zero() {
        let unmatched = Rows { lost: None, gained: None, changed: None, ..rows(5, 4, 0, 0, 0) };
        let texts: Vec<String> = told(&unmatched).into_iter().map(|fact| fact.text).collect();
        assert_eq!(texts, ["lost: not known", "gained: not known", "changed: not known"]);
    }
}
