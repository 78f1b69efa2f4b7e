//! Two values of the same row and column: are they the same, and if not, what happened.

use std::borrow::Cow;
use std::cmp::Ordering;

use rusqlite::types::ValueRef;

use crate::sqlite_file::header::TextEncoding;

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Storage class and bytes are equal.
    Same,
    /// It became NULL.
    Nulled,
    /// It was NULL.
    Filled,
    /// The same value in another storage class.
    Converted,
    /// The same value read into another storage class, and something was lost on the way.
    Lossy,
    /// Another value: of the same storage class, or one that reading it into the other class does not give.
    Altered,
}

/// Whether storage class and bytes are equal. `0.0` and `-0.0` differ.
#[must_use]
pub fn identical(one: ValueRef<'_>, other: ValueRef<'_>) -> bool {
    match (one, other) {
        (ValueRef::Real(one), ValueRef::Real(other)) => one.to_bits() == other.to_bits(),
        (one, other) => one == other,
    }
}

/// What became of a value; text is the bytes of this encoding.
#[must_use]
pub fn fate(before: ValueRef<'_>, after: ValueRef<'_>, encoding: TextEncoding) -> Fate {
    use ValueRef::{Blob, Integer, Null, Real, Text};
    if identical(before, after) {
        return Fate::Same;
    }
    let (same, lost) = match (before, after) {
        (_, Null) => return Fate::Nulled,
        (Null, _) => return Fate::Filled,
        (Integer(integer), Real(real)) => (exactly(integer, real), true),
        (Real(real), Integer(integer)) => {
            (exactly(integer, real), exactly(integer, real.trunc()) || exactly(integer, real.round()))
        }
        (Text(text), Integer(integer)) => {
            let text = decoded(text, encoding);
            (text == integer.to_string(), exactly(integer, reading(&text).trunc()))
        }
        (Integer(integer), Text(text)) => (decoded(text, encoding) == integer.to_string(), false),
        (Text(text), Real(real)) | (Real(real), Text(text)) => {
            let text = decoded(text, encoding);
            (is_decimal_of(&text, real), reading(&text).to_bits() == real.to_bits())
        }
        (Text(one), Blob(other)) | (Blob(one), Text(other)) => (one == other, false),
        _ => return Fate::Altered,
    };
    match (same, lost) {
        (true, _) => Fate::Converted,
        (false, true) => Fate::Lossy,
        (false, false) => Fate::Altered,
    }
}

fn decoded(text: &[u8], encoding: TextEncoding) -> Cow<'_, str> {
    let units = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = text.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        Cow::Owned(String::from_utf16_lossy(&units))
    };
    match encoding {
        TextEncoding::Utf8 => String::from_utf8_lossy(text),
        TextEncoding::Utf16Le => units(u16::from_le_bytes),
        TextEncoding::Utf16Be => units(u16::from_be_bytes),
    }
}

/// The number that SQLite reads at the beginning of a text, as CAST does; 0 where there is none.
fn reading(text: &str) -> f64 {
    /// No notation of a number is longer without saying the same again.
    const LONGEST: usize = 64;
    let text = text.trim_start();
    let is_number = |end: &usize| text[..*end].parse::<f64>().is_ok_and(f64::is_finite);
    let numeric =
        text.bytes().take(LONGEST).take_while(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte)).count();
    (1..=numeric).rev().find(is_number).and_then(|end| text[..end].parse().ok()).unwrap_or(0.0)
}

/// Whether the two are the same number. Beyond 2^53 not every integer has a real.
fn exactly(integer: i64, real: f64) -> bool {
    compare_integer_real(integer, real) == Ordering::Equal
}

/// Whether the text is a usual decimal notation of exactly this real: what SQLite, Rust or JavaScript would print.
fn is_decimal_of(text: &str, real: f64) -> bool {
    let plain = text.strip_prefix('-').unwrap_or(text);
    let canonical = plain.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && plain.bytes().filter(|byte| *byte == b'.').count() == 1
        && (plain.starts_with("0.") || !plain.starts_with(['0', '.']));
    // More than 15 digits are more than a real keeps for certain.
    canonical && plain.len() <= 16 && text.parse() == Ok(real)
}

/// SQLite's order of values under the BINARY collation: NULL, numbers, text, blobs; text by its bytes in the database's encoding.
/// Source: <https://sqlite.org/datatype3.html#sort_order>.
#[must_use]
pub fn order(one: ValueRef<'_>, other: ValueRef<'_>) -> Ordering {
    use ValueRef::{Blob, Integer, Real, Text};
    match (one, other) {
        (Integer(one), Integer(other)) => one.cmp(&other),
        (Real(one), Real(other)) => one.partial_cmp(&other).unwrap_or(Ordering::Equal),
        (Integer(integer), Real(real)) => compare_integer_real(integer, real),
        (Real(real), Integer(integer)) => compare_integer_real(integer, real).reverse(),
        (Text(one), Text(other)) | (Blob(one), Blob(other)) => one.cmp(other),
        (one, other) => rank(one).cmp(&rank(other)),
    }
}

fn rank(value: ValueRef<'_>) -> u8 {
    match value {
        ValueRef::Null => 0,
        ValueRef::Integer(_) | ValueRef::Real(_) => 1,
        ValueRef::Text(_) => 2,
        ValueRef::Blob(_) => 3,
    }
}

#[expect(clippy::cast_possible_truncation, reason = "the real is within the range of i64 and is truncated on purpose")]
fn compare_integer_real(integer: i64, real: f64) -> Ordering {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    if real >= BEYOND {
        Ordering::Less
    } else if real < -BEYOND {
        Ordering::Greater
    } else {
        let whole = real.trunc();
        integer.cmp(&(whole as i64)).then(0.0_f64.partial_cmp(&(real - whole)).unwrap_or(Ordering::Equal))
    }
}

/// An order of values that SQLite takes for equal: `0`, `0.0`, `-0.0`.
#[must_use]
pub fn order_of_equal(one: ValueRef<'_>, other: ValueRef<'_>) -> Ordering {
    let place = |value| match value {
        ValueRef::Real(real) => 1 + u8::from(real == 0.0 && real.is_sign_negative()),
        _ => 0,
    };
    place(one).cmp(&place(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> ValueRef<'_> {
        ValueRef::Text(text.as_bytes())
    }

    #[test]
    fn a_conversion_keeps_the_value_or_loses_something() {
        let cases = [
            (text("12"), ValueRef::Integer(12), Fate::Converted),
            (text("00123"), ValueRef::Integer(123), Fate::Lossy),
            (text(" 12 "), ValueRef::Integer(12), Fate::Lossy),
            (text("7e2"), ValueRef::Integer(700), Fate::Lossy),
            (text("1.5"), ValueRef::Real(1.5), Fate::Converted),
            (text("1.50"), ValueRef::Real(1.5), Fate::Converted),
            (text("9007199254740993"), ValueRef::Real(9_007_199_254_740_992.0), Fate::Lossy),
            (text("9007199254740993"), ValueRef::Integer(9_007_199_254_740_993), Fate::Converted),
            (ValueRef::Integer(9_007_199_254_740_993), ValueRef::Real(9_007_199_254_740_992.0), Fate::Lossy),
            (ValueRef::Integer(1), ValueRef::Real(1.0), Fate::Converted),
            (ValueRef::Real(1.5), ValueRef::Integer(1), Fate::Lossy),
            (text("abc"), ValueRef::Integer(0), Fate::Lossy),
            (text("true"), ValueRef::Integer(1), Fate::Altered),
            (text("2026-11-22"), ValueRef::Integer(1_795_305_600), Fate::Altered),
            (ValueRef::Real(19.99), ValueRef::Integer(1999), Fate::Altered),
            (ValueRef::Real(19.99), ValueRef::Integer(20), Fate::Lossy),
            (text("x"), ValueRef::Blob(b"y"), Fate::Altered),
            (text("x"), ValueRef::Blob(b"x"), Fate::Converted),
            (text("x"), ValueRef::Null, Fate::Nulled),
            (ValueRef::Null, text("x"), Fate::Filled),
            (text("x"), text("y"), Fate::Altered),
            (ValueRef::Real(0.0), ValueRef::Real(-0.0), Fate::Altered),
            (text("a"), text("a"), Fate::Same),
        ];
        for (before, after, expected) in cases {
            assert_eq!(fate(before, after, TextEncoding::Utf8), expected, "{before:?} -> {after:?}");
        }
    }

    #[test]
    fn order_is_that_of_sqlite() {
        let ordered = [
            ValueRef::Null,
            ValueRef::Real(f64::NEG_INFINITY),
            ValueRef::Integer(i64::MIN),
            ValueRef::Integer(-1),
            ValueRef::Real(-0.5),
            ValueRef::Integer(0),
            ValueRef::Real(0.5),
            ValueRef::Integer(9_007_199_254_740_992),
            ValueRef::Integer(9_007_199_254_740_993),
            ValueRef::Integer(i64::MAX),
            ValueRef::Real(9_223_372_036_854_775_808.0),
            text(""),
            text("a"),
            ValueRef::Blob(b""),
        ];
        for pair in ordered.windows(2) {
            assert_eq!(order(pair[0], pair[1]), Ordering::Less, "{:?} {:?}", pair[0], pair[1]);
            assert_eq!(order(pair[1], pair[0]), Ordering::Greater, "{:?} {:?}", pair[1], pair[0]);
        }
    }
}
