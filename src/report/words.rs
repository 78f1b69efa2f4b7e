//! Numbers as people read them.

/// `81,233`.
#[must_use]
pub fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// `1 row`, `81,233 rows`.
#[must_use]
pub fn count(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// The same for a length.
#[must_use]
pub fn count_of(number: usize, one: &str, many: &str) -> String {
    count(number as u64, one, many)
}

/// `12 bytes`, `4.2 kB`, `1.3 GB`; decimal units.
#[must_use]
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if number < 1000 {
        return count(number, "byte", "bytes");
    }
    let (mut whole, mut unit) = (number, 0);
    while whole >= 1_000_000 && unit + 1 < UNITS.len() {
        whole /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", thousands(whole / 1000), whole % 1000 / 100, UNITS[unit])
}

/// `0.4 ms`, `12 ms`, `3.1 s`, `2 min 5 s`.
#[must_use]
pub fn duration(milliseconds: f64) -> String {
    if milliseconds < 10.0 {
        return format!("{milliseconds:.1} ms");
    }
    if milliseconds < 1000.0 {
        return format!("{milliseconds:.0} ms");
    }
    let seconds = milliseconds / 1000.0;
    if seconds < 60.0 {
        return format!("{seconds:.1} s");
    }
    let minutes = (seconds / 60.0).floor();
    format!("{minutes:.0} min {:.0} s", (seconds - minutes * 60.0).floor())
}

/// `a`, `a and b`, `a, b and c`.
#[must_use]
pub fn list(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., end] => format!("{} {last} {end}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::{bytes, count, duration, list, thousands};

    #[test]
    fn numbers() {
        assert_eq!(
            ["0", "999", "1,000", "81,233", "1,234,567"],
            [0, 999, 1000, 81_233, 1_234_567].map(thousands).each_ref().map(String::as_str)
        );
        assert_eq!(count(1, "row", "rows"), "1 row");
        assert_eq!(count(0, "row", "rows"), "0 rows");
    }

    #[test]
    fn sizes_and_times() {
        assert_eq!(bytes(1), "1 byte");
        assert_eq!(bytes(4096), "4.0 kB");
        assert_eq!(bytes(1_234_567), "1.2 MB");
        assert_eq!(bytes(16_384_000_000), "16.3 GB");
        assert_eq!(duration(0.04), "0.0 ms");
        assert_eq!(duration(12.4), "12 ms");
        assert_eq!(duration(3_100.0), "3.1 s");
        assert_eq!(duration(125_900.0), "2 min 5 s");
    }

    #[test]
    fn lists() {
        assert_eq!(list(&["a".into(), "b".into(), "c".into()], "and"), "a, b and c");
    }
}
