//! Variable-length integers.
//!
//! Source: <https://sqlite.org/fileformat2.html#varint>, §1.6: 1 to 9 bytes, big-endian, seven bits of each but the ninth, which
//! gives eight.

/// The integer at the start of `bytes`, and how many bytes it takes; none where they end before it does.
#[inline]
#[must_use]
pub fn read(bytes: &[u8]) -> Option<(u64, usize)> {
    match *bytes {
        [first @ 0..0x80, ..] => Some((u64::from(first), 1)),
        [first, second @ 0..0x80, ..] => Some((u64::from(first & 0x7f) << 7 | u64::from(second), 2)),
        _ => read_long(bytes),
    }
}

/// How many bytes the integer at the start of `bytes` takes.
#[inline]
#[must_use]
pub fn length(bytes: &[u8]) -> Option<usize> {
    let Some(word) = bytes.first_chunk() else { return read(bytes).map(|(_, taken)| taken) };
    let ends = !u64::from_le_bytes(*word) & 0x8080_8080_8080_8080;
    let taken = if ends == 0 { 9 } else { ends.trailing_zeros() as usize / 8 + 1 };
    (taken <= bytes.len()).then_some(taken)
}

fn read_long(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut value = 0;
    for (index, &byte) in bytes.iter().take(8).enumerate() {
        value = value << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Some((value, index + 1));
        }
    }
    bytes.get(8).map(|&last| (value << 8 | u64::from(last), 9))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_length() {
        assert_eq!(read(&[0]), Some((0, 1)));
        assert_eq!(read(&[0x7f, 0xff]), Some((127, 1)));
        assert_eq!(read(&[0x81, 0x00]), Some((128, 2)));
        assert_eq!(read(&[0x81, 0x80, 0x00]), Some((16384, 3)));
        assert_eq!(read(&[0xff; 9]), Some((u64::MAX, 9)));
        let minimal = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01];
        assert_eq!(read(&minimal), Some((1, 9)));
        for bytes in
            [&[0_u8][..], &[0x7f, 0xff], &[0x81; 8], &[0xff; 9], &minimal, &[0x81, 0x80, 0, 0, 0, 0, 0, 0, 0], &[]]
        {
            assert_eq!(length(bytes), read(bytes).map(|(_, taken)| taken), "{bytes:?}");
        }
    }

    #[test]
    fn an_end_in_the_middle_is_no_integer() {
        assert_eq!(read(&[]), None);
        assert_eq!(read(&[0x80]), None);
        assert_eq!(read(&[0xff; 8]), None);
    }
}
