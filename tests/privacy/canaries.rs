//! Values that nothing else is spelled like, and the search for them in whatever form they could come through.

use std::cell::RefCell;
use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

/// How many of each kind there are; from 1.
const WORDS: u32 = 22;
const NUMBERS: u32 = 10;
const REALS: u32 = 2;

/// Characters of a canary that are enough to know it by, where it was cut.
const SHORT: usize = 8;
/// Digits that are: fewer would be found in counts and times.
const DIGITS: usize = 10;

/// A word of twelve letters in capitals and small ones.
pub fn word(which: u32) -> String {
    let letters = b"bcdfghjkmnpqrtvwxz";
    let mut word: String = noise(which, 12).map(|noise| char::from(letters[noise % letters.len()])).collect();
    word[..3].make_ascii_uppercase();
    word
}

/// A number of thirteen digits.
pub fn number(which: u32) -> u64 {
    noise(100 + which, 12).fold(4, |number, noise| number * 10 + noise as u64 % 10)
}

/// A number with twelve digits behind its point.
pub fn real(which: u32) -> String {
    let digits = (1_000 + number(50 + which) % 9_000, number(60 + which));
    format!("{}.{}", digits.0, digits.1 / 10)
}

fn noise(seed: u32, count: usize) -> impl Iterator<Item = usize> {
    let mut state = u64::from(seed).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (0..count).map(move |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    })
}

/// Everything by which a canary would be known.
pub struct Canaries {
    /// Parts of words, in small letters.
    words: HashSet<Vec<u8>>,
    /// Parts of numbers, in digits.
    numbers: HashSet<Vec<u8>>,
    /// Parts of words as the hexadecimal digits of their bytes, in UTF-8 and in UTF-16.
    hexadecimal: HashSet<Vec<u8>>,
    /// Parts of words in Base64, from each of three places.
    base64: HashSet<Vec<u8>>,
    /// Lines in which nothing was found: many come again with every report.
    clean: RefCell<HashSet<String>>,
}

impl Canaries {
    pub fn all() -> Self {
        let mut all = Self {
            words: HashSet::new(),
            numbers: HashSet::new(),
            hexadecimal: HashSet::new(),
            base64: HashSet::new(),
            clean: RefCell::default(),
        };
        for word in (1..=WORDS).map(word) {
            all.words.extend(parts(word.to_ascii_lowercase().as_bytes(), SHORT));
            for spelled in [word.clone(), word.to_ascii_lowercase(), word.to_ascii_uppercase()] {
                let utf16: Vec<u8> = spelled.encode_utf16().flat_map(u16::to_le_bytes).collect();
                for bytes in [spelled.as_bytes(), &utf16] {
                    let digits = bytes.iter().fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
                    all.hexadecimal.extend(parts(digits.as_bytes(), 2 * SHORT));
                    for start in 0..3 {
                        all.base64.extend(parts(STANDARD.encode(&bytes[start..]).as_bytes(), SHORT));
                        all.base64.extend(parts(URL_SAFE.encode(&bytes[start..]).as_bytes(), SHORT));
                    }
                }
            }
        }
        let reals = (1..=REALS).map(|which| real(which).replace('.', ""));
        for digits in (1..=NUMBERS).map(|which| number(which).to_string()).chain(reals) {
            all.numbers.extend(parts(digits.as_bytes(), DIGITS));
        }
        all
    }

    /// The lines in which there is something of a canary.
    pub fn lines_of<'a>(&self, text: &'a str) -> Vec<&'a str> {
        text.lines()
            .filter(|line| {
                let is_in = !self.clean.borrow().contains(*line) && self.is_in(line);
                if !is_in {
                    self.clean.borrow_mut().insert((*line).to_owned());
                }
                is_in
            })
            .collect()
    }

    /// Also where the line has escapes or separators between the characters (`%63%61`, `\x63`, `4,711`).
    pub fn is_in(&self, line: &str) -> bool {
        let small = line.to_ascii_lowercase();
        let joined: Vec<u8> =
            small.replace("\\u00", "").replace("&#x", "").bytes().filter(u8::is_ascii_alphanumeric).collect();
        let unescaped: Vec<u8> = small.replace("\\x", "").bytes().filter(u8::is_ascii_hexdigit).collect();
        let digits: Vec<u8> = small.bytes().filter(|byte| !b",._' \xc2\xa0".contains(byte)).collect();
        has(small.as_bytes(), &self.words, SHORT)
            || has(&joined, &self.words, SHORT)
            || has(&joined, &self.hexadecimal, 2 * SHORT)
            || has(&unescaped, &self.hexadecimal, 2 * SHORT)
            || has(&digits, &self.numbers, DIGITS)
            || has(line.as_bytes(), &self.base64, SHORT)
    }
}

fn parts(text: &[u8], length: usize) -> impl Iterator<Item = Vec<u8>> {
    text.windows(length).map(<[u8]>::to_vec)
}

fn has(text: &[u8], parts: &HashSet<Vec<u8>>, length: usize) -> bool {
    text.windows(length).any(|window| parts.contains(window))
}
