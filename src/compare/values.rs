//! Two values of the same row and column: are they the same, and if not, what happened.

mod numbers;
pub(super) mod texts;

use std::cmp::Ordering;

use rusqlite::types::ValueRef;

use crate::sqlite_file::header::TextEncoding;
pub use crate::sqlite_file::record::is_identical as identical;

/// What became of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// Storage class and bytes are equal.
    Same,
    /// It became NULL.
    Nulled,
    /// It was the empty text and became NULL.
    BlankToNull,
    /// It was NULL.
    Filled,
    /// It was NULL and became the empty text.
    NullToBlank,
    /// The same value in another storage class.
    Converted,
    /// The same value read as another kind of number, and something was lost on the way.
    Lossy(Loss),
    /// Text that is still recognisable as what it was.
    TextAltered(Alteration),
    /// Another value: of the same storage class, or one that reading it into the other class does not give.
    Altered,
}

/// What a conversion to another storage class lost; of several the first of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// Text that is no number became 0.
    BecameZero,
    /// What stood behind the number: `12 Main St` became 12.
    TrailingText,
    /// What looks like an exponent was read as one: `7e2` became 700, or 7.
    Exponent,
    /// Digits of a whole number that has more than fit: 2^53 in a real, 2^63 in an integer.
    BeyondPrecision,
    /// The fraction was cut or rounded.
    Rounding,
    /// Zeros in front: `00123` became 123.
    LeadingZeros,
    /// The way in which the number was written: blanks, a plus sign, zeros behind.
    Notation,
}

impl Loss {
    /// The name in the report document: `leading_zeros`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BecameZero => "became_zero",
            Self::TrailingText => "trailing_text",
            Self::Exponent => "exponent",
            Self::BeyondPrecision => "beyond_2_53",
            Self::Rounding => "rounding",
            Self::LeadingZeros => "leading_zeros",
            Self::Notation => "notation",
        }
    }
}

/// How a text was altered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alteration {
    /// What is there is the beginning of what was there.
    Truncated,
    /// White space at an end is gone.
    Trimmed,
    /// The same letters, capital or small; also where it was trimmed too.
    Case,
    /// Invalid bytes or letters were replaced, UTF-8 was read as Latin-1 or Windows-1252 or the other way round, or letters
    /// with marks are composed in another way.
    Encoding,
    /// Cut at a NUL, or the same without its NULs.
    Nul,
}

impl Alteration {
    /// The name in the report document: `truncated`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Trimmed => "trimmed",
            Self::Case => "case",
            Self::Encoding => "encoding",
            Self::Nul => "nul",
        }
    }
}

/// What became of a value; text is the bytes of this encoding.
#[must_use]
pub fn fate(before: ValueRef<'_>, after: ValueRef<'_>, encoding: TextEncoding) -> Fate {
    use ValueRef::{Blob, Integer, Null, Real, Text};
    if identical(before, after) {
        return Fate::Same;
    }
    match (before, after) {
        (Text([]), Null) => Fate::BlankToNull,
        (Null, Text([])) => Fate::NullToBlank,
        (_, Null) => Fate::Nulled,
        (Null, _) => Fate::Filled,
        (Integer(before), Integer(after)) => numbers::integer_to_integer(before, after),
        (Integer(integer), Real(real)) => numbers::integer_to_real(integer, real),
        (Real(real), Integer(integer)) => numbers::real_to_integer(real, integer),
        (Text(text), Integer(integer)) => numbers::text_to_integer(&texts::decoded(text, encoding), integer),
        (Text(text), Real(real)) => numbers::text_to_real(&texts::decoded(text, encoding), real),
        (Integer(integer), Text(text)) if texts::decoded(text, encoding) == integer.to_string() => Fate::Converted,
        (Real(real), Text(text)) => numbers::real_to_text(real, &texts::decoded(text, encoding)),
        (Text(one), Blob(other)) | (Blob(one), Text(other)) if one == other => Fate::Converted,
        (Text(before), Text(after)) => {
            numbers::text_to_text(&texts::decoded(before, encoding), &texts::decoded(after, encoding))
                .unwrap_or_else(|| texts::alteration(before, after, encoding).map_or(Fate::Altered, Fate::TextAltered))
        }
        _ => Fate::Altered,
    }
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

/// The same value, as an integer where it is one: values that are equal in [`order`] are identical so.
#[must_use]
pub fn as_key(value: ValueRef<'_>) -> ValueRef<'_> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a real that is no whole number within the range is not equal after it"
    )]
    let whole = |real: f64| real as i64;
    match value {
        ValueRef::Real(real) if exactly(whole(real), real) => ValueRef::Integer(whole(real)),
        value => value,
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

/// Whether the two are the same number. Beyond 2^53 not every integer has a real.
fn exactly(integer: i64, real: f64) -> bool {
    compare_integer_real(integer, real) == Ordering::Equal
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
            (text("00123"), ValueRef::Integer(123), Fate::Lossy(Loss::LeadingZeros)),
            (text(" 12 "), ValueRef::Integer(12), Fate::Lossy(Loss::Notation)),
            (text("7e2"), ValueRef::Integer(700), Fate::Lossy(Loss::Exponent)),
            (text("1.5"), ValueRef::Real(1.5), Fate::Converted),
            (text("1.50"), ValueRef::Real(1.5), Fate::Converted),
            (text("9007199254740993"), ValueRef::Real(9_007_199_254_740_992.0), Fate::Lossy(Loss::BeyondPrecision)),
            (text("9007199254740993"), ValueRef::Integer(9_007_199_254_740_993), Fate::Converted),
            (
                ValueRef::Integer(9_007_199_254_740_993),
                ValueRef::Real(9_007_199_254_740_992.0),
                Fate::Lossy(Loss::BeyondPrecision),
            ),
            (ValueRef::Integer(1), ValueRef::Real(1.0), Fate::Converted),
            (ValueRef::Real(1.5), ValueRef::Integer(1), Fate::Lossy(Loss::Rounding)),
            (text("abc"), ValueRef::Integer(0), Fate::Lossy(Loss::BecameZero)),
            (text("true"), ValueRef::Integer(1), Fate::Altered),
            (text("2026-11-22"), ValueRef::Integer(1_795_305_600), Fate::Altered),
            (ValueRef::Real(19.99), ValueRef::Integer(1999), Fate::Altered),
            (ValueRef::Real(19.99), ValueRef::Integer(20), Fate::Lossy(Loss::Rounding)),
            (text("x"), ValueRef::Blob(b"y"), Fate::Altered),
            (text("x"), ValueRef::Blob(b"x"), Fate::Converted),
            (text("0009007199254740993"), ValueRef::Integer(9_007_199_254_740_993), Fate::Lossy(Loss::LeadingZeros)),
            (text("99999999999999999999"), ValueRef::Integer(i64::MAX), Fate::Lossy(Loss::BeyondPrecision)),
            (text("-007"), ValueRef::Integer(-7), Fate::Lossy(Loss::LeadingZeros)),
            (text("7e2"), ValueRef::Integer(7), Fate::Lossy(Loss::Exponent)),
            (text("12 Main St"), ValueRef::Integer(12), Fate::Lossy(Loss::TrailingText)),
            (text("12.7"), ValueRef::Integer(12), Fate::Lossy(Loss::Rounding)),
            (text("12.7"), ValueRef::Integer(13), Fate::Lossy(Loss::Rounding)),
            (text("12.0"), ValueRef::Integer(12), Fate::Lossy(Loss::Notation)),
            (text("+12"), ValueRef::Integer(12), Fate::Lossy(Loss::Notation)),
            (text(""), ValueRef::Integer(0), Fate::Lossy(Loss::BecameZero)),
            (text("n/a"), ValueRef::Real(0.0), Fate::Lossy(Loss::BecameZero)),
            (text("12"), ValueRef::Real(12.0), Fate::Converted),
            (text("012"), ValueRef::Real(12.0), Fate::Lossy(Loss::LeadingZeros)),
            (text("1e3"), ValueRef::Real(1000.0), Fate::Lossy(Loss::Exponent)),
            (text("1.41999999999999999999"), ValueRef::Real(1.42), Fate::Lossy(Loss::Rounding)),
            (ValueRef::Integer(5), ValueRef::Real(7.5), Fate::Altered),
            (ValueRef::Real(1.5), text("1.5"), Fate::Converted),
            (ValueRef::Real(1e300), text("1.0e+300"), Fate::Converted),
            (ValueRef::Real(0.1 + 0.2), text("0.3"), Fate::Lossy(Loss::Rounding)),
            (ValueRef::Real(1.5), text("1.6"), Fate::Altered),
            (ValueRef::Real(1e30), ValueRef::Integer(i64::MAX), Fate::Lossy(Loss::BeyondPrecision)),
            (text(""), ValueRef::Null, Fate::BlankToNull),
            (ValueRef::Null, text(""), Fate::NullToBlank),
            (text("x"), ValueRef::Null, Fate::Nulled),
            (ValueRef::Null, text("x"), Fate::Filled),
            (text("x"), text("y"), Fate::Altered),
            (ValueRef::Real(0.0), ValueRef::Real(-0.0), Fate::Altered),
            (text("a"), text("a"), Fate::Same),
            (text("007"), text("7"), Fate::Lossy(Loss::LeadingZeros)),
            (text("12.50"), text("12"), Fate::Lossy(Loss::Rounding)),
            (text("12345"), text("123"), Fate::TextAltered(Alteration::Truncated)),
            (text(" 12"), text("12"), Fate::TextAltered(Alteration::Trimmed)),
            (text("word"), text("0"), Fate::Altered),
            (
                ValueRef::Integer(9_007_199_254_740_993),
                ValueRef::Integer(9_007_199_254_740_992),
                Fate::Lossy(Loss::BeyondPrecision),
            ),
            (ValueRef::Integer(7), ValueRef::Integer(8), Fate::Altered),
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
