//! Some of the rows that a finding is about: their keys on one line, or one line for each with its values.

use super::layout::cut;
use crate::findings::wording::number;
use crate::report::document::{Finding, Sample, SampleValue, Samples};
use crate::report::visible::visible;

/// A first line, and lines of their own for rows whose values are shown, each at most `width` columns wide; none where no row
/// is shown.
pub fn samples(finding: &Finding, width: usize) -> Option<String> {
    let samples = finding.samples.as_ref()?;
    let shown = samples.rows.len() as u64;
    let many = match finding.rows {
        Some(rows) if rows > shown => format!("{} of {}", number(shown), number(rows)),
        _ => number(shown),
    };
    let by = if samples.key.is_empty() { String::new() } else { format!(" by {}", key_names(samples)) };
    let with_values = samples.rows.iter().any(|row| !(row.before.is_empty() && row.after.is_empty()));
    if !with_values {
        let keys: Vec<String> = samples.rows.iter().map(|row| key(&row.key)).collect();
        return Some(format!("{many}{by}: {}", keys.join(", ")));
    }
    let lines = samples.rows.iter().map(|row| cut(&visible(&line(&samples.key, row)), width));
    Some(std::iter::once(format!("{many}{by}:")).chain(lines).collect::<Vec<_>>().join("\n"))
}

fn key_names(samples: &Samples) -> String {
    samples.key.iter().map(|name| format!("`{}`", visible(name))).collect::<Vec<_>>().join(", ")
}

/// `17`, or `(17, 'a')`.
fn key(values: &[String]) -> String {
    let shown: Vec<_> = values.iter().map(|value| visible(value)).collect();
    if shown.len() == 1 { shown[0].to_string() } else { format!("({})", shown.join(", ")) }
}

/// `17: code '00123' → 123`; of a row that is on one side only its other columns, `17: code '00123', name NULL`.
fn line(names: &[String], row: &Sample) -> String {
    let values = match (row.before.as_slice(), row.after.as_slice()) {
        ([before], [after]) => format!("{} {} → {}", after.column, before.value, after.value),
        (before, after) => {
            let told = before.iter().chain(after).filter(|value| !is_of_key(names, &row.key, value));
            told.map(|value| format!("{} {}", value.column, value.value)).collect::<Vec<_>>().join(", ")
        }
    };
    let parts = [(!row.key.is_empty()).then(|| key(&row.key)), (!values.is_empty()).then_some(values)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
}

/// Whether the key says the same already.
fn is_of_key(names: &[String], key: &[String], value: &SampleValue) -> bool {
    names.iter().zip(key).any(|(name, literal)| *name == value.column && *literal == value.value)
}
