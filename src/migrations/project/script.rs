//! A tolerant reader of the literals in a JavaScript, TypeScript or JSON file. It evaluates nothing.

use std::cell::Cell;
use std::collections::HashMap;

use super::code::{Kind, Language, Token, tokens};

/// How deep brackets and names may lie in one another. No configuration comes near it.
const DEEPEST: usize = 64;

/// How many values are read of one file: names may lead to the same values again and again.
const MOST_VALUES: u32 = 1000;

/// How many tokens a type in `<…>` may have.
const LONGEST_TYPE: usize = 1000;

/// A value as it is written.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// A string, or a template without `${}`.
    Text(String),
    /// `true`, `false`, `null`, `undefined` or a number.
    Word(String),
    /// `{…}`.
    Object(Object),
    /// Anything else.
    Computed { line: u32 },
}

/// An object literal.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Object {
    entries: Vec<(String, Value)>,
    /// The line of a `...spread`, from which any key may come.
    pub spread: Option<u32>,
}

impl Object {
    /// The value of a key; the last one counts.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }
}

/// What a file exports: `export default`, `module.exports =`, or the object of a JSON file.
pub(super) fn exported(text: &str) -> Value {
    let tokens = tokens(text, Language::JavaScript);
    let constants = constants(&tokens);
    let reader = Reader { tokens: &tokens, constants: &constants, left: &Cell::new(MOST_VALUES), depth: 0 };
    let start = if tokens.first().is_some_and(|token| token.is("{")) { Some(0) } else { reader.export() };
    start.map_or(Value::Computed { line: 1 }, |start| reader.value(start).0)
}

/// Where the value of each `const name = …` begins; none where there are several of the name.
fn constants(tokens: &[Token]) -> HashMap<&str, Option<usize>> {
    let mut equals = None;
    let mut found = HashMap::new();
    for (at, token) in tokens.iter().enumerate().rev() {
        if token.is("=") {
            equals = Some(at);
        }
        let Some(Kind::Word(name)) = tokens.get(at + 1).map(|next| &next.kind).filter(|_| token.is("const")) else {
            continue;
        };
        found.entry(name.as_str()).and_modify(|value| *value = None).or_insert(equals.map(|equals| equals + 1));
    }
    found
}

/// Reads values out of tokens; each method takes a place and gives the place after what it read.
#[derive(Clone, Copy)]
struct Reader<'a> {
    tokens: &'a [Token],
    constants: &'a HashMap<&'a str, Option<usize>>,
    /// How many more values are read.
    left: &'a Cell<u32>,
    /// How many brackets and names led here, so that `a = b; b = a` ends.
    depth: usize,
}

impl Reader<'_> {
    fn is(self, at: usize, text: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is(text))
    }

    fn line(self, at: usize) -> u32 {
        self.tokens.get(at).or(self.tokens.last()).map_or(1, |token| token.line)
    }

    /// Where the exported value begins.
    fn export(self) -> Option<usize> {
        let starts_with = |at: usize, words: &[&str]| words.iter().zip(at..).all(|(word, at)| self.is(at, word));
        (0..self.tokens.len()).find_map(|at| {
            let patterns: [&[&str]; 2] = [&["export", "default"], &["module", ".", "exports", "="]];
            patterns.iter().find(|words| starts_with(at, words)).map(|words| at + words.len())
        })
    }

    /// The value that begins here, if it ends where a value may end; else it is part of an expression.
    fn value(self, start: usize) -> (Value, usize) {
        let (value, end) = self.operand(start);
        let end = self.after_types(end);
        if self.ends(end) { (value, end) } else { (Value::Computed { line: self.line(start) }, self.skip(end)) }
    }

    fn operand(self, start: usize) -> (Value, usize) {
        let computed = Value::Computed { line: self.line(start) };
        let Some(token) = self.tokens.get(start) else { return (computed, start) };
        let left = self.left.get();
        if left == 0 || self.depth > DEEPEST {
            return (computed, self.skip(start));
        }
        self.left.set(left - 1);
        let within = Self { depth: self.depth + 1, ..self };
        match &token.kind {
            Kind::Text(text) => (Value::Text(text.clone()), start + 1),
            Kind::Mark('{') => within.object(start),
            // `<Config>{…}`
            Kind::Mark('<') => match (start..self.tokens.len()).take(LONGEST_TYPE).find(|&at| self.is(at, ">")) {
                Some(end) => within.operand(end + 1),
                None => (computed, start + 1),
            },
            Kind::Word(word) if word == "defineConfig" && self.is(start + 1, "(") => {
                let (value, end) = within.value(start + 2);
                let end = if self.is(end, ",") { end + 1 } else { end };
                if self.is(end, ")") { (value, end + 1) } else { (computed, end) }
            }
            Kind::Word(word) if is_literal(word) => (Value::Word(word.clone()), start + 1),
            Kind::Word(word) => (within.constant(word).unwrap_or(computed), start + 1),
            _ => (computed, start),
        }
    }

    /// The value of `const name = …` anywhere in the file, if there is exactly one such line.
    fn constant(self, name: &str) -> Option<Value> {
        let start = *self.constants.get(name)?;
        start.map(|start| self.value(start).0)
    }

    fn object(self, start: usize) -> (Value, usize) {
        let mut object = Object::default();
        let mut at = start + 1;
        while at < self.tokens.len() && !self.is(at, "}") {
            at = self.entry(at, &mut object);
            if self.is(at, ",") {
                at += 1;
            }
        }
        (Value::Object(object), at + 1)
    }

    /// `key: value`, `key` alone, `...spread`, or a method, whose value is computed. Always moves on.
    fn entry(self, at: usize, object: &mut Object) -> usize {
        let Some(Kind::Text(key) | Kind::Word(key)) = self.tokens.get(at).map(|token| &token.kind) else {
            // `...spread` or `[computed]: value` may set any key.
            object.spread = Some(self.line(at));
            return self.skip(at).max(at + 1);
        };
        let (value, end) = if self.is(at + 1, ":") {
            self.value(at + 2)
        } else if self.is(at + 1, ",") || self.is(at + 1, "}") {
            (self.operand(at).0, at + 1)
        } else {
            (Value::Computed { line: self.line(at) }, self.skip(at + 1))
        };
        object.entries.push((key.clone(), value));
        end.max(at + 1)
    }

    /// Over `as const`, `as Type`, `satisfies Type` and `!`.
    fn after_types(self, mut at: usize) -> usize {
        while self.is(at, "as") || self.is(at, "satisfies") || (self.is(at, "!") && !self.is(at + 1, "=")) {
            at += if self.is(at, "!") { 1 } else { 2 };
            // `Config["out"]`, `Partial<Config>` and `kit.Config`.
            while self.is(at, ".") || self.is(at, "[") || self.is(at, "<") {
                let close = if self.is(at, "[") { "]" } else { ">" };
                let end = (at..self.tokens.len()).find(|&end| self.is(end, close));
                at = if self.is(at, ".") { at + 2 } else { end.map_or(self.tokens.len(), |end| end + 1) };
            }
        }
        at
    }

    /// Whether a value may end before this token: at a separator, at the end, or where a new line begins a statement.
    fn ends(self, at: usize) -> bool {
        let Some(token) = self.tokens.get(at) else { return true };
        let separator = [",", "}", ")", "]", ";"].iter().any(|mark| token.is(mark));
        let new_line = at > 0 && self.tokens[at - 1].line < token.line && matches!(token.kind, Kind::Word(_));
        separator || new_line
    }

    /// To the `,`, `}` or `)` that ends the expression; brackets within it are passed over.
    fn skip(self, mut at: usize) -> usize {
        let mut depth = 0_u32;
        while let Some(token) = self.tokens.get(at) {
            match token.kind {
                Kind::Mark('{' | '(' | '[') => depth += 1,
                Kind::Mark('}' | ')' | ']' | ',' | ';') if depth == 0 => return at,
                Kind::Mark('}' | ')' | ']') => depth -= 1,
                _ => {}
            }
            at += 1;
        }
        at
    }
}

fn is_literal(word: &str) -> bool {
    matches!(word, "true" | "false" | "null" | "undefined") || word.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::{DEEPEST, Object, Value, exported};

    fn object(text: &str) -> Object {
        match exported(text) {
            Value::Object(object) => object,
            other => panic!("{other:?}"),
        }
    }

    /// How many objects lie in one another.
    fn depth(value: &Value) -> usize {
        match value {
            Value::Object(object) => 1 + object.get("a").map_or(0, depth),
            _ => 0,
        }
    }

    #[test]
    fn what_is_too_deep_is_computed_and_what_follows_is_read() {
        let nested = |depth: usize| format!("{}1{}", "{a:".repeat(depth), "}".repeat(depth));
        assert_eq!(depth(&exported(&nested(20))), 20);
        let templates = format!("{}x{}", "`${".repeat(100_000), "}`".repeat(100_000));
        for deep in [nested(100_000), "defineConfig(".repeat(100_000) + &")".repeat(100_000), "<a>".repeat(100_000)] {
            let object = object(&format!("export default {{ b: {deep}, out: 'o' }}"));
            assert_eq!(object.get("out"), Some(&Value::Text("o".into())));
            assert!(object.get("b").is_some_and(|value| depth(value) <= DEEPEST));
        }
        assert_eq!(exported(&format!("export default {templates}")), Value::Computed { line: 1 });
    }

    #[test]
    fn names_lead_to_their_values() {
        let text = "const b = c\nconst c = 'x'\nconst d = 1; const d = 2\nexport default { a: b, d, e: e, f: g }\nconst g = f\nconst f = g";
        let object = object(text);
        assert_eq!(object.get("a"), Some(&Value::Text("x".into())));
        for name in ["d", "e", "f"] {
            assert!(matches!(object.get(name), Some(Value::Computed { .. })), "{name}");
        }
    }
}
