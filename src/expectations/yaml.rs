//! YAML files in. The only module that uses the YAML crate.
//!
//! A file is read twice: once to see that it is a tree of a sensible size in which no key is there twice, once into its shape. An
//! error says where it is, shows the line, says what is wrong and what is allowed there.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use serde::Deserializer as _;
use serde::de::{self, DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};

use crate::error::{Doing, Error, Excerpt};
use crate::findings::wording::nearest;

/// No file that a person writes is greater; in bytes.
const GREATEST: usize = 4 * 1024 * 1024;
/// Values in a file once its aliases are written out: more would be a file made to take up memory.
const MOST_VALUES: usize = 1_000_000;

/// Brackets that are open at once: the scanner's time grows with their square. Values may be nested less deeply still.
const MOST_OPEN: usize = 1_000;

/// Reads a YAML file. An error names the file, the line, the column, and what is allowed there.
///
/// # Errors
/// Where the file cannot be read, is not YAML, or does not have the shape of `T`.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let bytes = crate::files::read(path).doing(|| format!("reading `{}`", path.display()))?;
    parse(&decoded(&bytes, path)?, path)
}

/// Reads YAML text that came from `path`.
///
/// # Errors
/// Where the text is not YAML or does not have the shape of `T`.
pub fn parse<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T, Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let source = Source { text, path };
    if text.len() > GREATEST {
        return Err(source.refusal("the file is greater than 4 MB"));
    }
    if opened(text) > MOST_OPEN {
        return Err(source.refusal("it is nested too deeply"));
    }
    let mut left = MOST_VALUES;
    let looked_at = if text.trim().is_empty() {
        Ok(())
    } else {
        yaml_serde::Deserializer::from_str(text).deserialize_any(Tree { left: &mut left })
    };
    looked_at.and_then(|()| yaml_serde::from_str(text)).map_err(|error| source.error(&error))
}

/// How many brackets are open at most, also those in texts.
fn opened(text: &str) -> usize {
    let (mut open, mut most) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        most = most.max(open);
    }
    most
}

/// The text of the file; a byte order mark is left out.
fn decoded<'a>(bytes: &'a [u8], path: &Path) -> Result<std::borrow::Cow<'a, str>, Error> {
    let utf16 = bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]);
    std::str::from_utf8(bytes).map(Into::into).map_err(|error| {
        let before = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
        let (line, column) = place_after(&before);
        let what = if utf16 { "the file is UTF-16" } else { "the file is not UTF-8" };
        Error::usage(format!("reading `{}:{line}:{column}`", path.display()), what).hint("save it as UTF-8")
    })
}

/// Looks at every value: counts them and refuses a key that is there twice.
struct Tree<'a> {
    left: &'a mut usize,
}

impl Tree<'_> {
    fn count<E: de::Error>(self) -> Result<(), E> {
        *self.left =
            self.left.checked_sub(1).ok_or_else(|| E::custom("the file has more values than any sensible one"))?;
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<(), E> {
        self.count()
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        self.count()
    }

    fn visit_i128<E: de::Error>(self, _: i128) -> Result<(), E> {
        self.count()
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        self.count()
    }

    fn visit_u128<E: de::Error>(self, _: u128) -> Result<(), E> {
        self.count()
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        self.count()
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<(), E> {
        self.count()
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.count()
    }

    fn visit_none<E: de::Error>(self) -> Result<(), E> {
        self.count()
    }

    fn visit_enum<A: de::EnumAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(de::Error::custom("a tag (`!name`) has no meaning here"))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        let left = self.left;
        while sequence.next_element_seed(Tree { left: &mut *left })?.is_some() {}
        Tree { left }.count()
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let left = self.left;
        let mut seen = BTreeSet::new();
        while map.next_key_seed(NewKey { seen: &mut seen })?.is_some() {
            map.next_value_seed(Tree { left: &mut *left })?;
        }
        Tree { left }.count()
    }
}

/// A key of a map that does not have it yet.
struct NewKey<'a> {
    seen: &'a mut BTreeSet<String>,
}

impl NewKey<'_> {
    fn take<E: de::Error>(self, key: &str) -> Result<(), E> {
        if self.seen.insert(key.to_owned()) {
            return Ok(());
        }
        Err(E::custom(format!("the key `{key}` is there twice")))
    }
}

impl<'de> DeserializeSeed<'de> for NewKey<'_> {
    type Value = ();

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Visitor<'_> for NewKey<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name as the key")
    }

    fn visit_str<E: de::Error>(self, key: &str) -> Result<(), E> {
        self.take(key)
    }

    fn visit_bool<E: de::Error>(self, key: bool) -> Result<(), E> {
        self.take(&key.to_string())
    }

    fn visit_i64<E: de::Error>(self, key: i64) -> Result<(), E> {
        self.take(&key.to_string())
    }

    fn visit_u64<E: de::Error>(self, key: u64) -> Result<(), E> {
        self.take(&key.to_string())
    }

    fn visit_f64<E: de::Error>(self, key: f64) -> Result<(), E> {
        self.take(&key.to_string())
    }
}

/// The text and where it came from.
struct Source<'a> {
    text: &'a str,
    path: &'a Path,
}

impl Source<'_> {
    fn refusal(&self, what: &str) -> Error {
        Error::usage(format!("reading `{}`", self.path.display()), what)
    }

    fn error(&self, error: &yaml_serde::Error) -> Error {
        let message = error.to_string();
        if self.text.trim().is_empty() || message.starts_with("EOF while parsing") {
            return self.refusal("the file is empty");
        }
        if message.starts_with("deserializing from YAML containing more than one document") {
            return self
                .refusal("the file holds several documents")
                .hint("a line `---` begins another document; leave it out");
        }
        // What the scanner cannot take at all it places by its byte.
        let by_byte = message.rsplit_once(" at position ").and_then(|(what, byte)| Some((what, byte.parse().ok()?)));
        if let Some((what, byte)) = by_byte {
            return self.at(self.place_of(byte), what);
        }
        match error.location() {
            Some(location) => self.at((location.line(), location.column()), &message),
            None => told(&self.path.display().to_string(), &message),
        }
    }

    /// The error with its line and column, both from 1, and the line itself.
    fn at(&self, (number, column): (usize, usize), message: &str) -> Error {
        let told = told(&format!("{}:{number}:{column}", self.path.display()), message);
        let Some(line) = self.text.split('\n').nth(number - 1) else { return told };
        let line = line.trim_end_matches('\r');
        let told = if indented_by_tab(line, column - 1) {
            told.hint("YAML takes no tab where a line begins; indent with spaces")
        } else {
            told
        };
        told.excerpt(excerpt(line, number, column - 1))
    }

    /// Line and column of a byte, from 1.
    fn place_of(&self, byte: usize) -> (usize, usize) {
        place_after(&String::from_utf8_lossy(&self.text.as_bytes()[..byte.min(self.text.len())]))
    }
}

/// Line and column, from 1, of what stands behind this text.
fn place_after(text: &str) -> (usize, usize) {
    let column = text.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (text.matches('\n').count() + 1, column)
}

/// Whether there is a tab before the first thing on the line, or where the error is.
fn indented_by_tab(line: &str, at: usize) -> bool {
    let front: String = line.chars().take_while(|letter| letter.is_whitespace()).collect();
    front.contains('\t') || line.chars().nth(at) == Some('\t')
}

/// The word at this place of the line.
fn excerpt(text: &str, line: usize, start: usize) -> Excerpt {
    let is_of_word = |letter: &char| letter.is_alphanumeric() || matches!(letter, '_' | '-' | '.');
    let length = text.chars().skip(start).take_while(is_of_word).count().max(1);
    Excerpt { line, text: text.to_owned(), start, length }
}

/// The error in the words of this project: what is wrong, what was meant, what is allowed.
fn told(place: &str, message: &str) -> Error {
    let (keys, message) = split_path(without_place(message));
    let within = if keys.is_empty() { String::new() } else { format!(" in `{keys}`") };
    let doing = format!("reading `{place}`");
    for (beginning, what) in [("unknown field ", "key"), ("unknown variant ", "word")] {
        let Some((name, allowed)) = message.strip_prefix(beginning).and_then(|rest| rest.split_once(", ")) else {
            continue;
        };
        let name = name.trim_matches('`');
        let allowed = quoted(allowed);
        let wrong = if name.is_empty() { format!("the {what} is missing") } else { format!("unknown {what} `{name}`") };
        let error = Error::usage(doing, format!("{wrong}{within}"));
        let error = match nearest(name, &allowed) {
            Some(meant) => error.hint(format!("did you mean `{meant}`?")),
            None => error,
        };
        return match allowed.as_slice() {
            [] => error,
            allowed => error.hint(format!("allowed here: {}", allowed.join(", "))),
        };
    }
    if let Some(name) = message.strip_prefix("missing field ") {
        return Error::usage(doing, format!("the key {name} is missing{within}"));
    }
    for beginning in ["invalid type: ", "invalid value: ", "invalid length "] {
        if let Some((found, expected)) = message.strip_prefix(beginning).and_then(|rest| rest.split_once(", expected "))
        {
            return Error::usage(
                doing,
                format!("expected {}{within}, found {}", plain(expected), found_in_words(found)),
            );
        }
    }
    let within = if keys.is_empty() { String::new() } else { format!("`{keys}`: ") };
    Error::usage(doing, format!("{within}{}", in_words(message)))
}

/// What the crate's words for limits and aliases mean.
fn in_words(message: &str) -> &str {
    match message {
        "recursion limit exceeded" => "it is nested too deeply",
        "repetition limit exceeded" => "its aliases repeat too much",
        "unknown anchor" => "there is no such anchor",
        other => other,
    }
}

/// What serde calls a type, in words.
fn plain(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number, 0 or more",
        "i8" | "i16" | "i32" | "i64" => "a whole number",
        "f64" => "a number",
        "a string" | "string" => "a text",
        "a boolean" => "`true` or `false`",
        "a sequence" => "a list",
        // What the crate expects of an enum.
        "a YAML tag starting with '!'" => "a word",
        other if other.starts_with("struct ") => "a map of keys and values",
        other => other,
    }
}

/// What serde calls what it found, in words.
fn found_in_words(found: &str) -> String {
    if let Some(text) = found.strip_prefix("string ") {
        return format!("the text {}", text.replace('"', "`"));
    }
    match found {
        "unit value" | "Option value" => "nothing".to_owned(),
        "map" => "a map".to_owned(),
        "sequence" => "a list".to_owned(),
        other => other
            .replace("floating point", "the number")
            .replace("integer", "the number")
            .replace("boolean", "the word"),
    }
}

/// The keys that lead to the place, and the message: the crate writes `expect.tables: invalid type: …`.
fn split_path(message: &str) -> (&str, &str) {
    const BEGINNINGS: [&str; 6] = [
        "unknown field ",
        "unknown variant ",
        "missing field ",
        "invalid type: ",
        "invalid value: ",
        "invalid length ",
    ];
    if BEGINNINGS.iter().any(|beginning| message.starts_with(beginning)) {
        return ("", message);
    }
    let is_path = |front: &str| {
        !front.is_empty() && front.chars().all(|letter| letter.is_alphanumeric() || "_-.[]\\?".contains(letter))
    };
    match message.split_once(": ") {
        Some((front, rest)) if is_path(front) => (front, rest),
        _ => ("", message),
    }
}

/// The message without the ` at line 3 column 7` that the crate writes into it: the place stands at the front already.
fn without_place(message: &str) -> &str {
    message.split_once(" at line ").map_or(message, |(front, _)| front)
}

/// Every `name` in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fmt::Write as _;

    use proptest::prelude::*;

    use super::*;
    use crate::expectations::scenario::Scenario;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only the errors are looked at")]
    struct Shape {
        rows: u64,
        #[serde(default)]
        tables: BTreeMap<String, u64>,
        #[serde(default)]
        names: Vec<String>,
    }

    /// The error, its line with the mark below, and its hints.
    fn refused(text: &str) -> String {
        let error = parse::<Shape>(text, Path::new("a.yaml")).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let mut told = error.to_string();
        if let Some(shown) = error.shown() {
            let mark = format!("{}{}", " ".repeat(shown.start), "^".repeat(shown.length));
            write!(told, "\n{}| {}\n | {mark}", shown.line, shown.text).unwrap();
        }
        for hint in error.hints() {
            write!(told, "\nhint: {hint}").unwrap();
        }
        told
    }

    #[test]
    fn an_unknown_key_is_shown_with_what_was_meant_and_what_is_allowed() {
        assert_eq!(
            refused("rows: 1\nnmaes: 2\n"),
            "reading `a.yaml:2:1`: unknown key `nmaes`\n2| nmaes: 2\n | ^^^^^\nhint: did you mean `names`?\nhint: allowed here: rows, tables, names"
        );
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_shown() {
        assert_eq!(
            refused("rows: many\n"),
            "reading `a.yaml:1:7`: expected a whole number, 0 or more in `rows`, found the text `many`\n1| rows: many\n |       ^^^^"
        );
        assert_eq!(
            refused("rows: 1\ntables:\n  posts: [1]\n"),
            "reading `a.yaml:3:10`: expected a whole number, 0 or more in `tables.posts`, found a list\n3|   posts: [1]\n |          ^"
        );
    }

    #[test]
    fn a_key_that_is_there_twice_is_an_error_at_any_depth() {
        assert_eq!(
            refused("rows: 1\ntables: {posts: 1, users: 2, posts: 3}\n"),
            "reading `a.yaml:2:30`: `tables`: the key `posts` is there twice\n2| tables: {posts: 1, users: 2, posts: 3}\n |                              ^^^^^"
        );
        assert!(refused("rows: 1\nrows: 2\n").starts_with("reading `a.yaml:2:1`: the key `rows` is there twice\n"));
        assert!(refused("rows: 1\ntables: {1: 1, '1': 2}\n").contains("the key `1` is there twice"));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert!(refused("names: []\n").contains("the key `rows` is missing"));
        assert_eq!(refused(""), "reading `a.yaml`: the file is empty");
        assert_eq!(refused("\u{feff} \n"), "reading `a.yaml`: the file is empty");
    }

    #[test]
    fn tabs_are_named() {
        let told = refused("rows: 1\ntables:\n\tposts: 1\n");
        assert!(told.starts_with("reading `a.yaml:3:1`: "), "{told}");
        assert!(told.ends_with("hint: YAML takes no tab where a line begins; indent with spaces"), "{told}");
    }

    #[test]
    fn a_control_character_is_shown_with_its_place() {
        let told = refused("rows: 1\n\u{1b}[31mnames: []\n");
        assert!(told.starts_with("reading `a.yaml:2:1`: control characters are not allowed\n"), "{told}");
    }

    #[test]
    fn one_document_is_read_and_a_byte_order_mark_is_passed_over() {
        let told = refused("rows: 1\n---\nrows: 2\n");
        assert!(told.starts_with("reading `a.yaml`: the file holds several documents"), "{told}");
        assert!(parse::<Shape>("\u{feff}rows: 1\n", Path::new("a.yaml")).is_ok());
        assert!(parse::<Shape>("---\nrows: 1\n...\n", Path::new("a.yaml")).is_ok());
        assert!(parse::<Option<Shape>>("", Path::new("a.yaml")).unwrap().is_none());
        assert!(parse::<Option<Shape>>("# nothing\n", Path::new("a.yaml")).unwrap().is_none());
    }

    #[test]
    fn a_file_that_is_not_utf_8_is_named_with_the_place() {
        let refused = |bytes: &[u8]| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("a.yaml");
            std::fs::write(&path, bytes).unwrap();
            let error = read::<Shape>(&path).unwrap_err();
            assert_eq!(error.hints(), ["save it as UTF-8"]);
            error.to_string().replace(&folder.path().display().to_string(), "")
        };
        assert_eq!(refused(b"rows: 1\nnames: [\xe9]\n"), "reading `/a.yaml:2:9`: the file is not UTF-8");
        assert_eq!(refused(b"\xff\xfer\0o\0"), "reading `/a.yaml:1:1`: the file is UTF-16");
    }

    #[test]
    fn what_would_take_up_memory_or_the_stack_is_refused() {
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..12 {
            let before = format!("*a{}", level - 1);
            writeln!(bomb, "a{level}: &a{level} [{}]", vec![before; 10].join(", ")).unwrap();
        }
        let long = format!("a: &a [{}]\nb: [{}]\n", vec!["x"; 50_000].join(","), vec!["*a"; 50_000].join(","));
        for text in
            [bomb, long, "[".repeat(100_000), "{a: ".repeat(100_000), "rows: &a [*a]\n".to_owned(), "- ".repeat(50_000)]
        {
            let begun = std::time::Instant::now();
            assert!(parse::<Scenario>(&text, Path::new("a.yaml")).is_err());
            assert!(begun.elapsed().as_secs() < 20, "{} took {:?}", &text[..10], begun.elapsed());
        }
        assert!(refused(&"x".repeat(GREATEST + 1)).contains("greater than 4 MB"));
    }

    #[test]
    fn what_is_broken_is_an_error_and_never_a_panic() {
        for text in [
            "{",
            "}",
            "[",
            "]",
            ":",
            "- -",
            "? a",
            "?",
            "&",
            "*",
            "*a",
            "&a",
            "!",
            "!x",
            "!!int x",
            "!<",
            "%",
            "%YAML 9.9\n---\na",
            "@",
            "`",
            "|",
            ">",
            "|9",
            "'",
            "\"",
            "\"\\u12\"",
            "\"\\UFFFFFFFF\"",
            "a: b: c",
            "a:\n b\n  c:\nd",
            "<<: 1",
            "rows: <<",
            "{<<: *x}",
            "\0",
            "rows: \0",
            "\u{85}",
            "\u{2028}",
            "rows: 1e999",
            "rows: -0",
            "rows: 0x",
            "rows: 99999999999999999999999999999999999999999999",
            "rows: .nan",
            "rows: ~",
            "~: 1",
            "[]: 1",
            "{a: 1}: 2",
            "rows: !x 1",
            "...",
            "---",
            "--- ---",
            "\r",
            "\u{1b}[31m: 1",
        ] {
            let _ = refused(text);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        #[test]
        fn no_text_makes_it_panic(text in "([a-c:\\-\\[\\]{},&*!?|>'\"#%@ \n\t\\\\~<]|rows|tables|---|\\PC){0,40}") {
            let _ = parse::<Scenario>(&text, Path::new("a.yaml"));
            let _ = parse::<Shape>(&text, Path::new("a.yaml"));
        }

        #[test]
        fn no_cut_or_changed_scenario_makes_it_panic(at in 0_usize..400, byte in any::<char>()) {
            let whole = include_str!("../../scenarios/LS/LS102_rebuild_empties_a_cascade_child.yaml");
            let at = whole.char_indices().map(|(index, _)| index).nth(at).unwrap_or(0);
            let _ = parse::<Scenario>(&whole[..at], Path::new("a.yaml"));
            let _ = parse::<Scenario>(&format!("{}{byte}{}", &whole[..at], &whole[at..]), Path::new("a.yaml"));
        }
    }
}
