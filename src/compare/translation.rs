//! Text of UTF-16 databases as UTF-8, where it is compared with that of a database of another encoding.

use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, Result};

use crate::sqlite_file::header::TextEncoding;

/// The SQL function: takes the bytes of a text as they are stored, gives them as UTF-8.
pub(super) const FUNCTION: &str = "rehearse_utf8";

/// Defines [`FUNCTION`] for a database of this encoding.
///
/// # Errors
/// When SQLite refuses.
pub(super) fn prepare(connection: &Connection, encoding: TextEncoding) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_DIRECTONLY;
    connection.create_scalar_function(FUNCTION, 1, flags, move |context| {
        let stored = context.get_raw(0).as_blob()?;
        Ok(match encoding {
            TextEncoding::Utf8 => stored.to_vec(),
            TextEncoding::Utf16Le => translated(stored, u16::from_le_bytes),
            TextEncoding::Utf16Be => translated(stored, u16::from_be_bytes),
        })
    })
}

/// No two texts have the same translation: what is no character (half a surrogate pair, half a unit) gets bytes that no UTF-8
/// has. SQLite itself would make U+FFFD of each.
fn translated(stored: &[u8], unit: fn([u8; 2]) -> u16) -> Vec<u8> {
    let units = stored.chunks_exact(2).map(|pair| unit([pair[0], pair[1]]));
    let mut utf8 = Vec::with_capacity(stored.len());
    for character in char::decode_utf16(units) {
        match character {
            Ok(character) => utf8.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Err(half) => {
                utf8.push(0xff);
                utf8.extend_from_slice(&half.unpaired_surrogate().to_be_bytes());
            }
        }
    }
    if let [.., last] = stored
        && stored.len() % 2 == 1
    {
        utf8.extend_from_slice(&[0xff, *last]);
    }
    utf8
}

#[cfg(test)]
mod tests {
    use super::translated;

    fn le(units: &[u16]) -> Vec<u8> {
        let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        translated(&bytes, u16::from_le_bytes)
    }

    #[test]
    fn text_is_the_same_text() {
        for text in ["", "a\0b", "café 文章 🦀", "\u{feff}x\u{fffd}"] {
            assert_eq!(le(&text.encode_utf16().collect::<Vec<_>>()), text.as_bytes());
        }
    }

    #[test]
    fn what_is_no_text_stays_different() {
        let wrong = [le(&[0xd800]), le(&[0xdc00]), le(&[0xfffd]), translated(b"a", u16::from_le_bytes)];
        for (index, one) in wrong.iter().enumerate() {
            assert!(wrong[index + 1..].iter().all(|other| other != one), "{one:?}");
        }
        assert_eq!(le(&[0xfffd]), "\u{fffd}".as_bytes());
    }
}
