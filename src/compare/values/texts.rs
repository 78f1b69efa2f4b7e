//! Texts that are still recognisable: truncated, trimmed, in another case, in another encoding, without a NUL.

use std::borrow::Cow;

use super::Alteration;
use crate::sqlite_file::header::TextEncoding;

/// The text; what is no letter of the encoding becomes U+FFFD.
pub(in crate::compare) fn decoded(text: &[u8], encoding: TextEncoding) -> Cow<'_, str> {
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

/// How the text was altered; none where it is another text. Both are bytes of this encoding, and differ.
pub(super) fn alteration(before: &[u8], after: &[u8], encoding: TextEncoding) -> Option<Alteration> {
    let (old, new) = (decoded(before, encoding), decoded(after, encoding));
    let trimmed = old.trim();
    if lost_a_nul(&old, &new) {
        Some(Alteration::Nul)
    } else if new.len() < old.len() && new.trim() == trimmed && old.contains(&*new) {
        Some(Alteration::Trimmed)
    } else if is_same_but_for_case(&old, &new) || (!trimmed.is_empty() && is_same_but_for_case(trimmed, &new)) {
        Some(Alteration::Case)
    } else if !after.is_empty() && before.starts_with(after) {
        Some(Alteration::Truncated)
    } else if is_other_encoding(before, &old, after, &new, encoding) {
        Some(Alteration::Encoding)
    } else {
        None
    }
}

fn lost_a_nul(old: &str, new: &str) -> bool {
    let cut = old.split_once('\0').is_some_and(|(start, _)| start == new);
    cut || (old.contains('\0') && old.replace('\0', "") == *new)
}

fn is_same_but_for_case(one: &str, other: &str) -> bool {
    one != other && (one.to_lowercase() == other.to_lowercase() || one.to_uppercase() == other.to_uppercase())
}

fn is_other_encoding(before: &[u8], old: &str, after: &[u8], new: &str, encoding: TextEncoding) -> bool {
    let valid = |bytes: &[u8], text: &str| encoded(text, encoding) == bytes;
    let (was_valid, is_valid) = (valid(before, old), valid(after, new));
    let replaced = !was_valid && is_valid && (without_replaced(old) == without_replaced(new));
    replaced
        || is_misread(old.as_bytes(), new)
        || is_misread(new.as_bytes(), old)
        || (encoding == TextEncoding::Utf8 && !was_valid && is_misread(before, new))
        || (was_valid && is_asked_for(old, new))
        || (old != new && !old.is_ascii() && !new.is_ascii() && decomposed(old) == decomposed(new))
}

/// The bytes of a text in this encoding.
pub(super) fn encoded(text: &str, encoding: TextEncoding) -> Cow<'_, [u8]> {
    match encoding {
        TextEncoding::Utf8 => Cow::Borrowed(text.as_bytes()),
        TextEncoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        TextEncoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
    }
}

/// What is left of a text without what stands for letters that could not be read.
fn without_replaced(text: &str) -> String {
    text.replace(['\u{fffd}', '?'], "")
}

/// Whether nothing but letters outside ASCII became `?` or U+FFFD.
fn is_asked_for(old: &str, new: &str) -> bool {
    let mut letters = new.chars();
    let each = old.chars().all(|before| {
        letters.next().is_some_and(|after| before == after || (!before.is_ascii() && matches!(after, '?' | '\u{fffd}')))
    });
    each && letters.next().is_none()
}

/// Whether the text is what these bytes are in Latin-1 or Windows-1252, and some byte is not ASCII.
fn is_misread(bytes: &[u8], text: &str) -> bool {
    let mut letters = text.chars();
    let is_read =
        |byte: &u8| letters.next().is_some_and(|letter| char::from(*byte) == letter || windows_1252(*byte) == letter);
    bytes.iter().all(is_read) && letters.next().is_none() && !bytes.is_ascii()
}

/// The letter of this byte in Windows-1252, which differs from Latin-1 from 0x80 to 0x9F.
/// Source: <https://encoding.spec.whatwg.org/index-windows-1252.txt>.
fn windows_1252(byte: u8) -> char {
    const DIFFERENT: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}', '\u{90}', '‘',
        '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => DIFFERENT[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// The text with the letters of Latin-1 and Latin Extended-A taken apart into letter and mark, as in Unicode's normal form D.
fn decomposed(text: &str) -> String {
    /// A combining mark, letters, and the same letters with the mark.
    const MARKS: [(char, &str, &str); 12] = [
        ('\u{300}', "AEIOUNaeioun", "ÀÈÌÒÙǸàèìòùǹ"),
        ('\u{301}', "AEIOUYCLNRSZaeiouyclnrsz", "ÁÉÍÓÚÝĆĹŃŔŚŹáéíóúýćĺńŕśź"),
        ('\u{302}', "AEIOUCGHJSWYaeioucghjswy", "ÂÊÎÔÛĈĜĤĴŜŴŶâêîôûĉĝĥĵŝŵŷ"),
        ('\u{303}', "ANOIUanoiu", "ÃÑÕĨŨãñõĩũ"),
        ('\u{304}', "AEIOUaeiou", "ĀĒĪŌŪāēīōū"),
        ('\u{306}', "AEGIOUaegiou", "ĂĔĞĬŎŬăĕğĭŏŭ"),
        ('\u{307}', "CEGIZcegz", "ĊĖĠİŻċėġż"),
        ('\u{308}', "AEIOUYaeiouy", "ÄËÏÖÜŸäëïöüÿ"),
        ('\u{30a}', "AUau", "ÅŮåů"),
        ('\u{30b}', "OUou", "ŐŰőű"),
        ('\u{30c}', "CDENRSTZcdenrstz", "ČĎĚŇŘŠŤŽčďěňřšťž"),
        ('\u{327}', "CGKLNRSTcklnrst", "ÇĢĶĻŅŖŞŢçķļņŗşţ"),
    ];
    let mut apart = String::with_capacity(text.len());
    for letter in text.chars() {
        let found = MARKS.iter().find_map(|(mark, bare, marked)| {
            let place = marked.chars().position(|with| with == letter)?;
            Some((bare.chars().nth(place)?, *mark))
        });
        match found.filter(|_| !letter.is_ascii()) {
            Some((bare, mark)) => apart.extend([bare, mark]),
            None => apart.push(letter),
        }
    }
    apart
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENCODINGS: [TextEncoding; 3] = [TextEncoding::Utf8, TextEncoding::Utf16Le, TextEncoding::Utf16Be];

    #[test]
    fn an_altered_text_is_named_for_what_happened_in_every_encoding() {
        use Alteration::{Case, Encoding, Nul, Trimmed, Truncated};
        let cases = [
            ("a long text", "a long", Some(Truncated)),
            ("a long text", "text", None),
            ("a long text", "", None),
            ("  x ", "x", Some(Trimmed)),
            ("  x ", " x", Some(Trimmed)),
            ("   ", "", Some(Trimmed)),
            ("x", "x ", None),
            ("Straße", "STRASSE", Some(Case)),
            ("ÉLAN", "élan", Some(Case)),
            (" Ada@Example.org ", "ada@example.org", Some(Case)),
            ("café – ok", "cafÃ© â€“ ok", Some(Encoding)),
            ("cafÃ©", "café", Some(Encoding)),
            ("café", "caf?", Some(Encoding)),
            ("cafe\u{301}", "café", Some(Encoding)),
            ("čaj", "c\u{30c}aj", Some(Encoding)),
            ("café", "cafe", None),
            ("ab\0cd", "ab", Some(Nul)),
            ("ab\0cd", "abcd", Some(Nul)),
            ("ab", "ab\0", None),
            ("ab", "ba", None),
        ];
        for encoding in ENCODINGS {
            for (before, after, expected) in cases {
                let found = alteration(&encoded(before, encoding), &encoded(after, encoding), encoding);
                assert_eq!(found, expected, "{before:?} -> {after:?} in {encoding:?}");
            }
        }
    }

    #[test]
    fn invalid_bytes_that_are_replaced_are_a_matter_of_encoding() {
        let utf8 = |before: &[u8], after: &str| alteration(before, after.as_bytes(), TextEncoding::Utf8);
        assert_eq!(utf8(b"caf\xe9", "caf\u{fffd}"), Some(Alteration::Encoding));
        assert_eq!(utf8(b"caf\xe9", "caf?"), Some(Alteration::Encoding));
        assert_eq!(utf8(b"caf\xe9", "café"), Some(Alteration::Encoding));
        assert_eq!(utf8(b"caf\xe9", "tea"), None);
        // Cut in the middle of a letter.
        assert_eq!(alteration("café".as_bytes(), b"caf\xc3", TextEncoding::Utf8), Some(Alteration::Truncated));
        // Half a surrogate pair.
        let half = [0x61, 0x00, 0x00, 0xd8];
        let replaced = encoded("a\u{fffd}", TextEncoding::Utf16Le);
        assert_eq!(alteration(&half, &replaced, TextEncoding::Utf16Le), Some(Alteration::Encoding));
        assert_eq!(alteration(&[0x00, 0xd8], &[0x01, 0xd8], TextEncoding::Utf16Le), None);
    }
}
