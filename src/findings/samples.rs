//! Which of the rows that the comparison kept show what a finding is about.

use super::rule::{Finding, Shown};
use crate::compare::Comparison;
use crate::compare::samples::{Sample, Samples};
use crate::compare::values::Fate;

/// Adds to each finding the rows that show it, where rows were kept.
pub fn attach(findings: &mut [Finding], comparison: &Comparison) {
    for finding in findings {
        finding.samples = of(finding, comparison);
    }
}

fn of(finding: &Finding, comparison: &Comparison) -> Option<Shown> {
    let name = finding.table.as_deref()?;
    let table = comparison.table_after(name).or_else(|| comparison.table_before(name))?;
    let column = finding.column.as_deref().unwrap_or_default();
    let there = table.rows.as_ref().map(|rows| &rows.samples);
    let shown = match finding.rule.code {
        "LS104" => Some(Shown::of(&table.gone, &table.gone.lost)),
        "VL201" => table.gone.dropped.get(column).map(|rows| Shown::of(&table.gone, rows)),
        "LS108" => there.map(|samples| Shown::of(samples, &samples.gained)),
        "LS101" | "LS102" | "LS105" | "LS107" | "LS110" => there.map(|samples| Shown::of(samples, &samples.lost)),
        "LS106" => there.map(|samples| match samples.lost.as_slice() {
            [] => changed(samples, None, |_| true),
            lost => Shown::of(samples, lost),
        }),
        code => there.and_then(|samples| Some(changed(samples, Some(column), wanted(code)?))),
    };
    shown.filter(|shown| !shown.rows.is_empty())
}

/// What a rule about the values of a column is about.
fn wanted(code: &str) -> Option<fn(Fate) -> bool> {
    Some(match code {
        "LS103" | "VL206" | "VL207" => |_| true,
        "VL202" => |fate| fate == Fate::Nulled,
        "VL203" => |fate| matches!(fate, Fate::Altered | Fate::TextAltered(_)),
        "VL204" => |fate| fate == Fate::Converted,
        "VL205" => |fate| matches!(fate, Fate::Lossy(_)),
        "VL208" => |fate| matches!(fate, Fate::TextAltered(_)),
        "VL209" => |fate| matches!(fate, Fate::BlankToNull | Fate::NullToBlank),
        "VL213" => |fate| fate == Fate::Altered,
        _ => return None,
    })
}

/// Values with such a fate, of one column or of all; as many as are kept for one fate.
fn changed(samples: &Samples, column: Option<&str>, wanted: fn(Fate) -> bool) -> Shown {
    let of_column = samples
        .changed
        .iter()
        .filter(|((name, fate), _)| wanted(*fate) && column.is_none_or(|column| column.eq_ignore_ascii_case(name)));
    let kept = of_column.clone().map(|(_, rows)| rows.len()).max().unwrap_or_default();
    let rows: Vec<Sample> = of_column.flat_map(|(_, rows)| rows).take(kept).cloned().collect();
    Shown::of(samples, &rows)
}
