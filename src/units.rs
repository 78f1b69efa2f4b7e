//! Spans of time and amounts of memory as people write them, on the command line and in YAML files; and how a text of such a
//! file is read into a value.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads a value from text, so that an error stands at the text's own place.
pub(crate) struct Text<T>(pub &'static str, pub fn(&str) -> Result<T, String>);

impl<T> Visitor<'_> for Text<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        (self.1)(text).map_err(de::Error::custom)
    }
}

/// Comparing needs that much.
const LEAST: u64 = 16 << 20;

/// A span of time: `90s`, `30m`, `24h`, `7d`, `1d12h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Duration);

/// An amount of memory in bytes, at least 16 MiB: `262144K`, `100M`, `1G`, in powers of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory(pub u64);

/// An amount of bytes: `0`, `512K`, `100M`, `10G`, in powers of 1024.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

impl Size {
    /// Reads one.
    ///
    /// # Errors
    /// How to write it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "write a number, or a number and K, M, G or T, for example 10G".to_owned();
        let (digits, power) = match text.char_indices().last().ok_or_else(wrong)? {
            (end, 'K' | 'k') => (&text[..end], 10),
            (end, 'M' | 'm') => (&text[..end], 20),
            (end, 'G' | 'g') => (&text[..end], 30),
            (end, 'T' | 't') => (&text[..end], 40),
            _ => (text, 0),
        };
        let number: u64 = digits.parse().ok().filter(|_| !digits.starts_with('+')).ok_or_else(wrong)?;
        number.checked_mul(1 << power).map(Self).ok_or_else(wrong)
    }
}

impl Span {
    /// Reads one.
    ///
    /// # Errors
    /// How to write it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "write a number and s, m, h or d, for example 24h".to_owned();
        let mut seconds = 0_u64;
        let mut rest = text;
        while !rest.is_empty() {
            let digits = rest.find(|character: char| !character.is_ascii_digit()).ok_or_else(wrong)?;
            let number: u64 = rest[..digits].parse().map_err(|_| wrong())?;
            let unit = match rest.as_bytes()[digits] {
                b's' => 1,
                b'm' => 60,
                b'h' => 60 * 60,
                b'd' => 24 * 60 * 60,
                _ => return Err(wrong()),
            };
            seconds = number.checked_mul(unit).and_then(|more| seconds.checked_add(more)).ok_or_else(wrong)?;
            rest = &rest[digits + 1..];
        }
        if text.is_empty() { Err(wrong()) } else { Ok(Self(Duration::from_secs(seconds))) }
    }
}

impl Memory {
    /// Reads one.
    ///
    /// # Errors
    /// How to write it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = || "write a number and K, M or G, for example 256M".to_owned();
        let power = match text.chars().last().ok_or_else(wrong)? {
            'K' | 'k' => 10,
            'M' | 'm' => 20,
            'G' | 'g' => 30,
            _ => return Err(wrong()),
        };
        let digits = &text[..text.len() - 1];
        let number: u64 = digits.parse().ok().filter(|_| !digits.starts_with('+')).ok_or_else(wrong)?;
        let bytes = number.checked_mul(1 << power).ok_or_else(wrong)?;
        if bytes < LEAST { Err("at least 16M are needed".to_owned()) } else { Ok(Self(bytes)) }
    }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

/// `2026-12-31T23:59:59Z`, by RFC 3339. What is beyond the years that it can write is the last that it can.
pub(crate) fn moment(time: SystemTime) -> String {
    Timestamp::try_from(time).unwrap_or(Timestamp::MAX).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// `10 minutes`, `90 seconds`, `1 hour`: in the largest unit that is exact.
pub(crate) fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    let (number, unit) = match seconds {
        0 => return format!("{} ms", time.as_millis()),
        _ if seconds.is_multiple_of(3600) => (seconds / 3600, "hour"),
        _ if seconds.is_multiple_of(60) => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

impl fmt::Display for Span {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}s", self.0.as_secs())
    }
}

impl fmt::Display for Memory {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}K", self.0 >> 10)
    }
}

impl fmt::Display for Size {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.0)
    }
}

/// A size, also as a number without quotes.
struct Sizes;

impl Visitor<'_> for Sizes {
    type Value = Size;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an amount of bytes, for example 10G")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Size, E> {
        Size::parse(text).map_err(de::Error::custom)
    }

    fn visit_u64<E: de::Error>(self, bytes: u64) -> Result<Size, E> {
        Ok(Size(bytes))
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Sizes)
    }
}

impl JsonSchema for Size {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An amount of bytes in powers of 1024: 10G, 512K or a number.",
            "type": ["string", "integer"],
            "pattern": "^[0-9]+[KMGTkmgt]?$",
            "minimum": 0,
        })
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text("a span of time, for example 24h", Self::parse))
    }
}

impl<'de> Deserialize<'de> for Memory {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text("an amount of memory, for example 256M", Self::parse))
    }
}

impl JsonSchema for Span {
    fn schema_name() -> Cow<'static, str> {
        "Span".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A span of time: 30s, 90m, 24h, 3d or 1d12h.",
            "type": "string",
            "pattern": "^([0-9]+[smhd])+$",
        })
    }
}

impl JsonSchema for Memory {
    fn schema_name() -> Cow<'static, str> {
        "Memory".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An amount of memory in powers of 1024, at least 16M: 100M or 1G.",
            "type": "string",
            "pattern": "^[0-9]+[KMGkmg]$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Memory, Size, Span};

    #[test]
    fn amounts_of_bytes() {
        let size = |text| Size::parse(text).map(|size| size.0);
        assert_eq!((size("0"), size("7"), size("2k"), size("1T")), (Ok(0), Ok(7), Ok(2048), Ok(1 << 40)));
        for wrong in ["", "K", "-1", "+1", "1.5G", "1 G", "99999999999999999T", "1é"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Size::parse(&Size(7 << 30).to_string()), Ok(Size(7 << 30)));
    }

    #[test]
    fn amounts_of_memory() {
        let size = |text| Memory::parse(text).map(|memory| memory.0);
        assert_eq!((size("256M"), size("1g"), size("16384K")), (Ok(256 << 20), Ok(1 << 30), Ok(16 << 20)));
        for wrong in ["", "256", "M", "+16M", "-1G", "1.5G", "15M", "99999999999999999G", "1é"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
        assert_eq!(Memory::parse(&Memory(256 << 20).to_string()), Ok(Memory(256 << 20)));
    }

    #[test]
    fn spans() {
        let seconds = |text| Span::parse(text).map(|span| span.0.as_secs());
        assert_eq!((seconds("24h"), seconds("1d12h")), (Ok(86_400), Ok(129_600)));
        for wrong in ["", "24", "h", "24 h", "-1h", "1.5h", "99999999999999999d", "1é"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
    }
}
