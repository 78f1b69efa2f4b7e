//! Records: the values of one row.
//!
//! Source: <https://sqlite.org/fileformat2.html#record_format>, §2.1: a header with its own length and one serial type per value,
//! then the values.

use rusqlite::types::ValueRef;

use super::error::Fault;
use super::varint;

/// SQLite reads no longer header: 32,767 columns of three bytes each.
const LONGEST_HEADER: u64 = 98307;

/// Where a value stands in its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its serial type.
    pub serial: u32,
    /// Where it begins, in bytes from the start of the record.
    pub offset: u32,
}

/// A value that outlives its row; text need not be valid in its encoding.
#[derive(Debug, Clone, PartialEq)]
pub enum Owned {
    /// NULL.
    Null,
    /// An integer.
    Integer(i64),
    /// A real.
    Real(f64),
    /// A text.
    Text(Vec<u8>),
    /// A blob.
    Blob(Vec<u8>),
}

impl Owned {
    /// Copies a value.
    #[must_use]
    pub fn of(value: ValueRef<'_>) -> Self {
        match value {
            ValueRef::Null => Self::Null,
            ValueRef::Integer(value) => Self::Integer(value),
            ValueRef::Real(value) => Self::Real(value),
            ValueRef::Text(bytes) => Self::Text(bytes.to_vec()),
            ValueRef::Blob(bytes) => Self::Blob(bytes.to_vec()),
        }
    }

    /// The value as it was read.
    #[must_use]
    pub fn borrow(&self) -> ValueRef<'_> {
        match self {
            Self::Null => ValueRef::Null,
            Self::Integer(value) => ValueRef::Integer(*value),
            Self::Real(value) => ValueRef::Real(*value),
            Self::Text(bytes) => ValueRef::Text(bytes),
            Self::Blob(bytes) => ValueRef::Blob(bytes),
        }
    }
}

/// Whether two values have the same storage class and the same bytes: 0.0 is not -0.0.
#[must_use]
pub fn is_identical(one: ValueRef<'_>, other: ValueRef<'_>) -> bool {
    match (one, other) {
        (ValueRef::Real(one), ValueRef::Real(other)) => one.to_bits() == other.to_bits(),
        _ => one == other,
    }
}

impl Field {
    /// Bytes of the value.
    #[must_use]
    pub fn length(self) -> usize {
        length(self.serial).unwrap_or(0)
    }
}

/// Bytes of a value of this serial type; none for the two that are not used.
#[inline]
#[must_use]
pub fn length(serial: u32) -> Option<usize> {
    const SHORT: [u8; 10] = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0];
    match serial {
        0..=9 => Some(usize::from(SHORT[serial as usize])),
        10 | 11 => None,
        _ => Some((serial as usize - 12) / 2),
    }
}

/// The value of this serial type that these bytes are. `real` is whether the column has REAL affinity: it keeps whole numbers as
/// integers, to save space, and SQLite reads them as reals. A real that is not a number reads as NULL.
#[must_use]
pub fn value(serial: u32, bytes: &[u8], real: bool) -> ValueRef<'_> {
    match serial {
        1..=6 | 8 | 9 => {
            let integer = if serial < 8 { integer(bytes) } else { i64::from(serial) - 8 };
            if real { ValueRef::Real(to_real(integer)) } else { ValueRef::Integer(integer) }
        }
        7 => {
            let real = f64::from_bits(integer(bytes).cast_unsigned());
            if real.is_nan() { ValueRef::Null } else { ValueRef::Real(real) }
        }
        12.. if serial.is_multiple_of(2) => ValueRef::Blob(bytes),
        12.. => ValueRef::Text(bytes),
        _ => ValueRef::Null,
    }
}

#[expect(clippy::cast_precision_loss, reason = "SQLite does the same")]
fn to_real(integer: i64) -> f64 {
    integer as f64
}

/// Big-endian, of up to eight bytes, with the sign in the first bit.
fn integer(bytes: &[u8]) -> i64 {
    let first = bytes.first().map_or(0, |first| i64::from(first.cast_signed()));
    bytes.iter().skip(1).fold(first, |value, byte| value << 8 | i64::from(*byte))
}

/// The length of a record's header, and of that length itself.
///
/// # Errors
/// When the record is shorter than that.
#[inline]
pub fn header(record: &[u8], payload: usize) -> Result<(usize, usize), Fault> {
    let (length, taken) = varint::read(record).ok_or(Fault::Record)?;
    match usize::try_from(length) {
        Ok(bytes) if length <= LONGEST_HEADER && bytes <= payload && bytes >= taken => Ok((bytes, taken)),
        _ => Err(Fault::Record),
    }
}

/// Reads where each value of a record stands. `record` has at least the whole header of the `payload` bytes.
///
/// # Errors
/// When the header is not one of a record of this length.
pub fn fields(record: &[u8], payload: usize, into: &mut Vec<Field>) -> Result<(), Fault> {
    into.clear();
    let (end, taken) = header(record, payload)?;
    let mut serials = record.get(taken..end).ok_or(Fault::Record)?;
    let mut offset = end;
    while !serials.is_empty() {
        let (serial, taken) = varint::read(serials).ok_or(Fault::Record)?;
        let serial = u32::try_from(serial).map_err(|_| Fault::Record)?;
        into.push(Field { serial, offset: u32::try_from(offset).map_err(|_| Fault::Record)? });
        offset += length(serial).ok_or(Fault::Record)?;
        if offset > payload {
            return Err(Fault::Record);
        }
        serials = &serials[taken..];
    }
    if offset == payload { Ok(()) } else { Err(Fault::Record) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_serial_type_is_read() {
        let one = |serial, bytes: &[u8]| Owned::of(value(serial, bytes, false));
        assert_eq!(one(0, &[]), Owned::Null);
        assert_eq!(one(1, &[0x80]), Owned::Integer(-128));
        assert_eq!(one(2, &[0x7f, 0xff]), Owned::Integer(32767));
        assert_eq!(one(3, &[0xff, 0xff, 0xfe]), Owned::Integer(-2));
        assert_eq!(one(4, &[0x80, 0, 0, 0]), Owned::Integer(-2_147_483_648));
        assert_eq!(one(5, &[0, 0x80, 0, 0, 0, 0]), Owned::Integer(1 << 39));
        assert_eq!(one(6, &[0x80, 0, 0, 0, 0, 0, 0, 0]), Owned::Integer(i64::MIN));
        assert_eq!(one(7, &1.5_f64.to_be_bytes()), Owned::Real(1.5));
        assert_eq!(one(7, &f64::NAN.to_be_bytes()), Owned::Null);
        assert_eq!((one(8, &[]), one(9, &[])), (Owned::Integer(0), Owned::Integer(1)));
        assert_eq!((one(12, &[]), one(13, &[])), (Owned::Blob(vec![]), Owned::Text(vec![])));
        assert_eq!((one(14, b"a"), one(15, b"a")), (Owned::Blob(b"a".to_vec()), Owned::Text(b"a".to_vec())));
        assert_eq!(value(9, &[], true), ValueRef::Real(1.0));
    }

    #[test]
    fn a_header_that_does_not_fit_is_an_error() {
        let mut into = Vec::new();
        fields(&[3, 1, 15, 5, b'a'], 5, &mut into).unwrap();
        assert_eq!(into, [Field { serial: 1, offset: 3 }, Field { serial: 15, offset: 4 }]);
        for record in [&[][..], &[0], &[2], &[2, 10], &[2, 1], &[2, 1, 5, 5], &[2, 0x81], &[1, 1]] {
            assert_eq!(fields(record, record.len(), &mut into), Err(Fault::Record), "{record:?}");
        }
    }
}
