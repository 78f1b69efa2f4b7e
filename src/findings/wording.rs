//! Numbers and names in sentences, for the findings and the reports: thousands separators, singular and plural, units, backticks.

use crate::compare::queries::{Difference, Extent};
use crate::migrations::recipes::THE_COMMAND;

/// The name of a migration in a sentence; what stands for it where a command ran it and no ledger tells.
#[must_use]
pub fn migration(name: &str) -> String {
    if name == THE_COMMAND { name.to_owned() } else { format!("`{name}`") }
}

/// `1,204`.
#[must_use]
pub fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `1,204 rows`.
#[must_use]
pub fn count(value: u64, noun: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", number(value))
}

/// The same for a length.
#[must_use]
pub fn count_of(value: usize, noun: &str) -> String {
    count(value as u64, noun)
}

/// `100 of 100 rows`.
#[must_use]
pub fn share(part: u64, whole: u64, noun: &str) -> String {
    format!("{} of {}", number(part), count(whole, noun))
}

/// `12 bytes`, `4.1 kB`, `1.3 GB`; decimal units, rounded to the nearest tenth.
#[must_use]
pub fn bytes(value: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if value < 1000 {
        return count(value, "byte");
    }
    let (mut tenths, mut unit) = (value.saturating_add(50) / 100, 0);
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths = (tenths + 500) / 1000;
        unit += 1;
    }
    format!("{}.{} {}", number(tenths / 10), tenths % 10, UNITS[unit])
}

/// `< 0.1 ms`, `0.4 ms`, `12 ms`, `3.1 s`, `2 min 5 s`.
#[must_use]
pub fn duration(milliseconds: f64) -> String {
    if milliseconds < 0.05 {
        return "< 0.1 ms".to_owned();
    }
    if milliseconds < 9.95 {
        return format!("{milliseconds:.1} ms");
    }
    if milliseconds < 999.5 {
        return format!("{milliseconds:.0} ms");
    }
    let seconds = milliseconds / 1000.0;
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    let seconds = seconds.round();
    let minutes = (seconds / 60.0).floor();
    format!("{minutes:.0} min {:.0} s", seconds - minutes * 60.0)
}

/// `` `a`, `b` and `c` ``.
#[must_use]
pub fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    list(&names.into_iter().map(|name| format!("`{name}`")).collect::<Vec<String>>())
}

/// `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

/// How two results differ: `3 rows before, 2 after; 1 only before, 0 only after`.
#[must_use]
pub fn difference_of_results(difference: Difference, before: Extent, after: Extent) -> String {
    let extent = format!("{} before, {} after", count(before.rows, "row"), number(after.rows));
    match difference {
        Difference::Columns => {
            format!("{} before, {} after", count(before.columns as u64, "column"), number(after.columns as u64))
        }
        Difference::Order => format!("the same {} in another order", count(after.rows, "row")),
        Difference::Rows { lost, gained } => {
            format!("{extent}; {} only before, {} only after", number(lost), number(gained))
        }
        Difference::Uncounted => format!("{extent}; too many to count those that differ"),
    }
}

/// The valid name that is most like the given one, where one is like it.
#[must_use]
pub fn nearest<'a>(given: &str, valid: &[&'a str]) -> Option<&'a str> {
    let given = given.to_lowercase();
    valid
        .iter()
        .map(|name| (strsim::jaro_winkler(&given, &name.to_lowercase()), *name))
        .filter(|(likeness, _)| *likeness > 0.78)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_separators_and_nouns_their_number() {
        assert_eq!(number(0), "0");
        assert_eq!(number(999), "999");
        assert_eq!(number(1000), "1,000");
        assert_eq!(number(1_234_567), "1,234,567");
        assert_eq!(count(1, "row"), "1 row");
        assert_eq!(share(1204, 81233, "row"), "1,204 of 81,233 rows");
        assert_eq!(names(["a", "b", "c"]), "`a`, `b` and `c`");
        assert_eq!(list(&["a".to_owned()]), "a");
    }

    #[test]
    fn sizes_and_times_are_rounded() {
        let sizes = [1, 999, 4096, 1_234_567, 999_949, 999_950, 16_384_000_000, 2_000_000_000_000_000];
        let told = ["1 byte", "999 bytes", "4.1 kB", "1.2 MB", "999.9 kB", "1.0 MB", "16.4 GB", "2,000.0 TB"];
        assert_eq!(sizes.map(bytes), told);
        let times = [0.04, 0.05, 9.96, 12.4, 999.6, 3_100.0, 59_960.0, 125_900.0];
        let told = ["< 0.1 ms", "0.1 ms", "10 ms", "12 ms", "1.0 s", "3.1 s", "1 min 0 s", "2 min 6 s"];
        assert_eq!(times.map(duration), told);
    }

    #[test]
    fn nearest_name() {
        let drivers = ["better-sqlite3", "libsql", "bun-sqlite", "d1"];
        assert_eq!(nearest("better-sqlite", &drivers), Some("better-sqlite3"));
        assert_eq!(nearest("LIBSQL", &drivers), Some("libsql"));
        assert_eq!(nearest("postgres", &drivers), None);
    }
}
