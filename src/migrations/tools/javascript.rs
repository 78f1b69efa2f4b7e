//! The rules of JavaScript that the results of its tools depend on: `Number`, `String`, `Date.UTC` and `localeCompare`.

use std::cmp::Ordering;

use rusqlite::types::Value;

/// `Number(value)` for a value as a driver returns it.
pub fn number(value: &Value) -> f64 {
    match value {
        Value::Null => 0.0,
        Value::Integer(integer) => from_integer(*integer),
        Value::Real(real) => *real,
        Value::Text(text) => number_of_text(text),
        // better-sqlite3's Buffer becomes its text first; other drivers' arrays would not, but no tool writes a blob here.
        Value::Blob(bytes) => number_of_text(&String::from_utf8_lossy(bytes)),
    }
}

/// `String(value)` for a value as a driver returns it.
pub fn string(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Integer(integer) => string_of_number(from_integer(*integer)),
        Value::Real(real) => string_of_number(*real),
        Value::Text(text) => text.clone(),
        Value::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// `Number(text)`: white space around it does not count, the empty text is 0, and what is no number is NaN.
pub fn number_of_text(text: &str) -> f64 {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let radix = |digits: &str, radix| u64::from_str_radix(digits, radix).map_or(f64::NAN, from_unsigned);
    match text.get(..2).map(str::to_ascii_lowercase).as_deref() {
        Some("0x") => return radix(&text[2..], 16),
        Some("0o") => return radix(&text[2..], 8),
        Some("0b") => return radix(&text[2..], 2),
        _ => {}
    }
    match text {
        "" => 0.0,
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        // Rust also reads `inf` and `nan`, which JavaScript does not.
        _ if text.chars().any(|c| c.is_alphabetic() && !c.eq_ignore_ascii_case(&'e')) => f64::NAN,
        _ => text.parse().unwrap_or(f64::NAN),
    }
}

/// `String(number)`: decimal digits from 1e-6 up to 1e21, an exponent with its sign outside of that.
pub fn string_of_number(number: f64) -> String {
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    let size = number.abs();
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        return if size == 0.0 { "0".into() } else { number.to_string() };
    }
    let scientific = format!("{number:e}");
    if size < 1.0 { scientific } else { scientific.replace('e', "e+") }
}

/// A number as SQL that stores what binding the JavaScript number stores: NaN becomes NULL.
pub fn sql_of_number(number: f64) -> String {
    if number.is_nan() {
        return "NULL".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "9e999".into() } else { "-9e999".into() };
    }
    string_of_number(number)
}

/// `Date.UTC` of the first 14 digits of a folder's name, read as drizzle-orm's `formatToMillis` reads them; NaN where
/// a part does not begin with a digit.
pub fn folder_millis(name: &str) -> f64 {
    let units: Vec<char> = name.chars().take(14).collect();
    let part = |from: usize, to: usize| parse_int(units.get(from..to.min(units.len())).unwrap_or_default());
    let parts = [part(0, 4), part(4, 6), part(6, 8), part(8, 10), part(10, 12), part(12, 14)];
    let [Some(year), Some(month), Some(day), Some(hour), Some(minute), Some(second)] = parts else { return f64::NAN };
    let year = if (0..=99).contains(&year) { year + 1900 } else { year };
    let months = year * 12 + month - 1;
    let days = days_from_civil(months.div_euclid(12), months.rem_euclid(12) + 1, 1) + day - 1;
    from_integer((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000)
}

/// A time in milliseconds for people: `2025-01-31T12:00:00.000Z`; the number alone where it is no time.
pub fn shown_time(millis: f64) -> String {
    let number = string_of_number(millis);
    // The years 0 to 9999; also keeps the conversion exact.
    if !(-62_167_219_200_000.0..253_402_300_800_000.0).contains(&millis) {
        return number;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    let whole = millis.floor() as i64;
    let (days, in_day) = (whole.div_euclid(86_400_000), whole.rem_euclid(86_400_000));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (in_day / 3_600_000, in_day / 60_000 % 60, in_day / 1000 % 60);
    format!("{number} ({year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z)", in_day % 1000)
}

/// `a.localeCompare(b)` as ICU's root collation orders it: white space, punctuation, digits, letters without regard to
/// case; then lower case before upper case. Letters beyond ASCII come after `z` in the order of their code points, which
/// is not ICU's order, but drizzle-kit does not make such names.
pub fn locale_compare(a: &str, b: &str) -> Ordering {
    let primary = a.chars().filter_map(weight).cmp(b.chars().filter_map(weight));
    primary.then_with(|| a.chars().map(char::is_uppercase).cmp(b.chars().map(char::is_uppercase)))
}

/// Class and place within it. Control characters have no weight.
fn weight(c: char) -> Option<(u8, u32)> {
    const PUNCTUATION: &str = "_-,;:!?.'\"()[]{}@*/\\&#%`^+<=>|~$";
    match c {
        '\t'..='\r' => Some((0, c.into())),
        ' ' => Some((1, 0)),
        _ if c.is_control() => None,
        _ if c.is_ascii_digit() => Some((3, c.into())),
        _ if c.is_ascii_alphabetic() => Some((4, c.to_ascii_lowercase().into())),
        _ => match PUNCTUATION.find(c) {
            Some(place) => Some((2, u32::try_from(place).unwrap_or(u32::MAX))),
            None => Some((5, c.to_lowercase().next().unwrap_or(c).into())),
        },
    }
}

/// `parseInt(text, 10)`: the digits at the beginning, after white space and a sign.
fn parse_int(text: &[char]) -> Option<i64> {
    let text: String = text.iter().collect();
    let text = text.trim_start();
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    digits[..end].parse::<i64>().ok().map(|number| sign * number)
}

/// Days since 1970-01-01 of a day in the proleptic Gregorian calendar (Howard Hinnant, "chrono-compatible low-level
/// date algorithms").
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let month = (shifted_month + 2) % 12 + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted_month + 2) / 5 + 1)
}

#[expect(clippy::cast_precision_loss, reason = "JavaScript's numbers are doubles: the loss is what it does")]
fn from_integer(integer: i64) -> f64 {
    integer as f64
}

#[expect(clippy::cast_precision_loss, reason = "JavaScript's numbers are doubles: the loss is what it does")]
fn from_unsigned(integer: u64) -> f64 {
    integer as f64
}
