//! Numbers in another storage class: did they stay, and if not, what was lost.

use super::{Fate, Loss, exactly};

/// An integer that became a real.
#[expect(clippy::cast_precision_loss, reason = "the loss is what is looked for")]
pub(super) fn integer_to_real(before: i64, after: f64) -> Fate {
    if exactly(before, after) {
        Fate::Converted
    } else if after.to_bits() == (before as f64).to_bits() {
        Fate::Lossy(Loss::BeyondPrecision)
    } else {
        Fate::Altered
    }
}

/// An integer that became another one: by way of a real, which has no room for all of its digits.
#[expect(clippy::cast_precision_loss, reason = "the loss is what is looked for")]
pub(super) fn integer_to_integer(before: i64, after: i64) -> Fate {
    let beyond = before.unsigned_abs() > 1 << 53;
    if beyond && exactly(after, before as f64) { Fate::Lossy(Loss::BeyondPrecision) } else { Fate::Altered }
}

/// A text that became another one: by way of a number, where it was nothing but a number before; none where it was not so.
pub(super) fn text_to_text(before: &str, after: &str) -> Option<Fate> {
    let integer: i64 = after.parse().ok()?;
    let number = Number::at_the_start_of(before);
    let is_number = number.is_number() && !number.indented && number.rest.is_empty() && integer.to_string() == after;
    Some(text_to_integer(before, integer)).filter(|fate| is_number && matches!(fate, Fate::Lossy(_)))
}

/// A real that became an integer. CAST cuts the fraction, and takes the nearest integer that there is.
pub(super) fn real_to_integer(before: f64, after: i64) -> Fate {
    if exactly(after, before) {
        Fate::Converted
    } else if exactly(after, before.trunc()) || exactly(after, before.round()) {
        Fate::Lossy(Loss::Rounding)
    } else if is_limit(after, before) {
        Fate::Lossy(Loss::BeyondPrecision)
    } else {
        Fate::Altered
    }
}

/// A text that became an integer: by affinity, which reads an exponent, or by CAST, which reads digits and leaves the rest.
pub(super) fn text_to_integer(text: &str, after: i64) -> Fate {
    if text == after.to_string() {
        return Fate::Converted;
    }
    let number = Number::at_the_start_of(text);
    let real = number.value();
    let read = number.whole() == Some(after)
        || exactly(after, real.trunc())
        || exactly(after, real.round())
        || is_limit(after, real);
    if !read {
        return Fate::Altered;
    }
    let kept = number.whole() == Some(after) || exactly(after, real);
    Fate::Lossy(number.loss(if !kept && number.fraction.is_empty() {
        Loss::BeyondPrecision
    } else if number.has_fraction() {
        Loss::Rounding
    } else {
        Loss::Notation
    }))
}

/// A text that became a real.
pub(super) fn text_to_real(text: &str, after: f64) -> Fate {
    let number = Number::at_the_start_of(text);
    if number.value().to_bits() != after.to_bits() && (number.value(), after) != (0.0, 0.0) {
        return Fate::Altered;
    }
    if number.is_usual() && number.significant_digits() <= 15 {
        return Fate::Converted;
    }
    let whole = number.whole();
    let usual = number.is_usual() && whole.is_some_and(|whole| exactly(whole, after)) && !number.has_fraction();
    if usual {
        return Fate::Converted;
    }
    let fits = number.significant_digits() <= 15 || whole.is_some_and(|whole| exactly(whole, after));
    Fate::Lossy(number.loss(match (fits, number.has_fraction()) {
        (true, _) => Loss::Notation,
        (false, true) => Loss::Rounding,
        (false, false) => Loss::BeyondPrecision,
    }))
}

/// A real that became a text: SQLite writes 15 digits, a real may have two more.
pub(super) fn real_to_text(before: f64, text: &str) -> Fate {
    /// Half a unit of the 15th digit.
    const PRECISION: f64 = 5e-15;
    match text.parse::<f64>() {
        Ok(read) if read.to_bits() == before.to_bits() => Fate::Converted,
        Ok(read) if before != 0.0 && ((read - before) / before).abs() <= PRECISION => Fate::Lossy(Loss::Rounding),
        _ => Fate::Altered,
    }
}

/// Whether the integer is the greatest or the least one, and the real lies beyond it.
fn is_limit(integer: i64, real: f64) -> bool {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    (integer == i64::MAX && real >= BEYOND) || (integer == i64::MIN && real < -BEYOND)
}

/// What SQLite takes for a number at the beginning of a text.
struct Number<'a> {
    /// Blanks in front.
    indented: bool,
    /// `-`, `+` or nothing.
    sign: &'a str,
    digits: &'a str,
    /// Digits behind the point.
    fraction: &'a str,
    point: bool,
    /// `e2`, `E-05`.
    exponent: &'a str,
    /// What stands behind the number.
    rest: &'a str,
}

impl<'a> Number<'a> {
    fn at_the_start_of(text: &'a str) -> Self {
        let (sign_on, indented) = (text.trim_start(), text.starts_with(char::is_whitespace));
        let (sign, unsigned) = sign_on.split_at(usize::from(sign_on.starts_with(['-', '+'])));
        let (digits, behind) = split_digits(unsigned);
        let point = behind.starts_with('.');
        let (fraction, behind) = split_digits(&behind[usize::from(point)..]);
        let (exponent, rest) = if digits.len() + fraction.len() > 0 { split_exponent(behind) } else { ("", behind) };
        Self { indented, sign, digits, fraction, point, exponent, rest }
    }

    fn is_number(&self) -> bool {
        self.digits.len() + self.fraction.len() > 0
    }

    /// 0 where there is no number.
    fn value(&self) -> f64 {
        let Self { sign, digits, fraction, exponent, .. } = self;
        format!("{sign}{digits}.{fraction}0{exponent}").parse().unwrap_or(0.0)
    }

    /// The digits in front of the point as an integer; none where they are too many.
    fn whole(&self) -> Option<i64> {
        let zero = if self.is_number() { "0" } else { "" };
        format!("{}{zero}{}", self.sign, self.digits).parse().ok()
    }

    fn has_fraction(&self) -> bool {
        self.fraction.bytes().any(|digit| digit != b'0')
    }

    fn has_leading_zeros(&self) -> bool {
        self.digits.len() > 1 && self.digits.starts_with('0')
    }

    fn significant_digits(&self) -> usize {
        let digits = format!("{}{}", self.digits, self.fraction.trim_end_matches('0'));
        digits.trim_start_matches('0').len()
    }

    /// Whether it is written as SQLite, Rust or JavaScript would write it.
    fn is_usual(&self) -> bool {
        let bare = !self.indented && self.sign != "+" && self.exponent.is_empty() && self.rest.is_empty();
        bare && !self.digits.is_empty() && !self.has_leading_zeros() && self.point != self.fraction.is_empty()
    }

    /// What went with it; `digits` where it is the digits themselves, or nothing but the notation.
    fn loss(&self, digits: Loss) -> Loss {
        if !self.is_number() {
            Loss::BecameZero
        } else if !self.rest.trim().is_empty() {
            Loss::TrailingText
        } else if !self.exponent.is_empty() {
            Loss::Exponent
        } else if digits == Loss::Notation && self.has_leading_zeros() {
            Loss::LeadingZeros
        } else {
            digits
        }
    }
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

fn split_exponent(text: &str) -> (&str, &str) {
    let mark = usize::from(text.starts_with(['e', 'E']));
    let sign = usize::from(text[mark..].starts_with(['-', '+']));
    let (digits, _) = split_digits(&text[mark + sign..]);
    if mark == 0 || digits.is_empty() { ("", text) } else { text.split_at(mark + sign + digits.len()) }
}
