//! Cuts a file into statements as atlas does for SQLite: at the delimiter, outside of brackets, quotes, comments and
//! `BEGIN … END`.
//!
//! Source: atlas 1.2.3, `sql/migrate/lex.go`, with the options of `sql/sqlite/driver.go`.

use std::cell::Cell;

use super::directive;

/// A statement of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    /// What atlas sends: without the white space around it, with the semicolon, without another delimiter.
    pub sql: String,
    /// The byte on which the comments before it begin.
    pub from: usize,
    /// The byte behind it.
    pub end: usize,
    /// The line of `from`, from 1.
    pub line: u32,
}

const SEMICOLON: &str = ";";

/// Blocks within blocks that are read as such.
const DEEPEST: usize = 50;

/// How often each byte of a file may be read in search of the ends of blocks, and how many bytes in a small one. atlas reads on and
/// on in a file of nothing but BEGIN.
const READINGS: usize = 8;
const READ_AT_LEAST: usize = 4 << 20;
const COMMAND: &str = "delimiter";

/// The statements of a file, or what atlas says against it: `line:column: …`.
pub(super) fn scan(file: &str) -> Result<Vec<Text>, String> {
    let left = Cell::new((file.len() * READINGS).max(READ_AT_LEAST));
    let mut scanner = Scanner::of(file, 0, &left);
    if let Some(("-- ", delimiter)) = directive(file, COMMAND) {
        scanner.set_delimiter(delimiter)?;
        let Some(line) = file.find('\n') else {
            return Err(scanner.error(0, &format!("no input found after delimiter {}", super::quoted(delimiter))));
        };
        scanner.skip_to(line + 1);
        scanner.cut = line + 1;
    }
    let mut texts = Vec::new();
    let (mut from, mut line) = (0, 1);
    while let Some(sql) = scanner.statement()? {
        let start = scanner.cut.max(from);
        line += line_breaks(&file[from..start]);
        texts.push(Text { sql, from: start, end: scanner.begin, line });
        line += line_breaks(&file[start..scanner.begin]);
        from = scanner.begin;
    }
    Ok(texts)
}

fn line_breaks(text: &str) -> u32 {
    u32::try_from(text.matches('\n').count()).unwrap_or(u32::MAX)
}

/// A text that is being cut.
struct Scanner<'a> {
    input: &'a str,
    /// Where the statement begins.
    begin: usize,
    /// What is read so far.
    position: usize,
    /// Bytes of the character read last.
    width: usize,
    delimiter: String,
    /// Behind the last line that said what the delimiter is.
    cut: usize,
    /// What would end a comment and does not come any more.
    endless: Vec<&'static str>,
    /// Behind the white space that was read last.
    white: usize,
    /// In how many blocks it is.
    depth: usize,
    /// Bytes that may still be read in blocks.
    left: &'a Cell<usize>,
}

impl<'a> Scanner<'a> {
    fn of(input: &'a str, depth: usize, left: &'a Cell<usize>) -> Self {
        Self {
            input,
            begin: 0,
            position: 0,
            width: 0,
            delimiter: SEMICOLON.into(),
            cut: 0,
            endless: Vec::new(),
            white: 0,
            depth,
            left,
        }
    }

    /// The next statement; `begin` is behind it then.
    fn statement(&mut self) -> Result<Option<String>, String> {
        let mut brackets = 0_usize;
        let mut opened = 0;
        self.skip_spaces();
        loop {
            if self.depth > 0 && self.left.get() == 0 {
                return Err(self.error(self.position, "too many blocks"));
            }
            let Some(character) = self.next() else {
                if brackets > 0 {
                    return Err(self.error(opened, "unclosed '('"));
                }
                return Ok((self.position > self.begin).then(|| self.take()));
            };
            match character {
                '(' => {
                    if brackets == 0 {
                        opened = self.position;
                    }
                    brackets += 1;
                }
                ')' if brackets == 0 => return Err(self.error(self.position, "unexpected ')'")),
                ')' => brackets -= 1,
                '\'' | '"' | '`' => self.skip_quote(character)?,
                _ if self.is_command() => self.command()?,
                _ if brackets == 0 && self.input[self.position - self.width..].starts_with(&self.delimiter) => {
                    self.position += self.delimiter.len() - self.width;
                    return Ok(Some(self.take()));
                }
                '-' if self.peek() == Some('-') => self.comment("--", "\n"),
                '/' if self.peek() == Some('*') => self.comment("/*", "*/"),
                _ if self.delimiter == SEMICOLON && self.is_at_begin() && self.skip_block() => {
                    return Ok(Some(self.take()));
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.width = character.len_utf8();
        self.position += self.width;
        self.charge(self.width);
        Some(character)
    }

    fn charge(&self, bytes: usize) {
        if self.depth > 0 {
            self.left.set(self.left.get().saturating_sub(bytes));
        }
    }

    fn peek(&self) -> Option<char> {
        self.input[self.position..].chars().next()
    }

    fn skip_to(&mut self, position: usize) {
        (self.begin, self.position) = (position, position);
    }

    fn skip_spaces(&mut self) {
        let rest = &self.input[self.position..];
        self.skip_to(self.input.len() - rest.trim_start().len());
    }

    /// What was read, as it is sent.
    fn take(&mut self) -> String {
        let text = &self.input[self.begin..self.position];
        let text = match text.strip_suffix(self.delimiter.as_str()) {
            Some(text) if self.delimiter != SEMICOLON => text,
            _ => text,
        };
        let sql = text.trim().to_owned();
        self.begin = self.position;
        sql
    }

    fn skip_quote(&mut self, quote: char) -> Result<(), String> {
        let opened = self.position;
        let found = self.input[self.position..].find(quote);
        self.charge(found.unwrap_or(self.input.len() - self.position));
        let Some(length) = found else {
            let shown = if quote == '\'' { "'\\''".to_owned() } else { format!("'{quote}'") };
            return Err(self.error(opened, &format!("unclosed quote {shown}")));
        };
        self.position += length + quote.len_utf8();
        Ok(())
    }

    /// The first of its marks has been read. Where it never ends it is no comment.
    fn comment(&mut self, left: &str, right: &'static str) {
        self.next();
        if self.endless.contains(&right) {
            return;
        }
        let found = self.input[self.position..].find(right);
        self.charge(found.unwrap_or(self.input.len() - self.position));
        let Some(length) = found else {
            self.endless.push(right);
            return;
        };
        let is_before_statement = self.position - self.begin == left.len();
        self.position += length + right.len();
        if is_before_statement {
            self.skip_spaces();
        }
    }

    /// Whether a statement begins with the word with which the client of `MySQL` sets the delimiter.
    fn is_command(&self) -> bool {
        let text = &self.input.as_bytes()[self.begin..];
        let word = text.get(..COMMAND.len());
        self.position - self.begin == 1
            && text.len() > COMMAND.len()
            && word.is_some_and(|word| word.eq_ignore_ascii_case(COMMAND.as_bytes()))
    }

    fn command(&mut self) -> Result<(), String> {
        self.position = self.begin + COMMAND.len();
        if self.peek() == Some(' ') {
            let line = &self.input[self.position..];
            let length = line.find('\n').map_or(line.len(), |at| at + 1);
            let value = line[..length].trim();
            let inner = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\''));
            self.set_delimiter(&inner.map_or_else(|| value.to_owned(), |inner| inner.replace("''", "'")))?;
            self.position += length;
            self.cut = self.position;
            self.skip_to(self.position);
        }
        self.skip_spaces();
        Ok(())
    }

    fn set_delimiter(&mut self, delimiter: &str) -> Result<(), String> {
        if delimiter.is_empty() {
            return Err("empty delimiter".into());
        }
        self.delimiter = delimiter.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t");
        Ok(())
    }

    fn is_at_begin(&mut self) -> bool {
        let read = self.position - self.begin;
        read == 1 && self.begins_block(self.position - 1).is_some()
            || read > 1 && self.begins_block(self.position - 2).is_some()
    }

    /// `^\s*BEGIN\s+` at this place, in whatever case: its length.
    fn begins_block(&mut self, at: usize) -> Option<usize> {
        let bytes = self.input.as_bytes();
        let is_white = |byte: &&u8| matches!(byte, b'\t' | b'\n' | 0x0c | b'\r' | b' ');
        if self.white <= at {
            self.white = at + bytes[at..].iter().take_while(is_white).count();
        }
        let word = bytes.get(self.white..self.white + 5)?;
        let after = bytes.get(self.white + 5).as_ref().is_some_and(is_white);
        if !word.eq_ignore_ascii_case(b"BEGIN") || !after {
            return None;
        }
        let after = bytes[self.white + 5..].iter().take_while(is_white).count();
        Some(self.white + 5 + after - at)
    }

    /// Reads a block up to its END. Where there is none, only BEGIN is read.
    fn skip_block(&mut self) -> bool {
        let Some(length) = self.begins_block(self.position - 1) else { return false };
        self.position += length - 1;
        if self.depth == DEEPEST {
            return false;
        }
        let mut block = Scanner::of(&self.input[self.position..], self.depth + 1, self.left);
        while let Ok(Some(statement)) = block.statement() {
            if is_end(&statement) {
                self.position += block.position;
                return true;
            }
        }
        false
    }

    fn error(&self, position: usize, what: &str) -> String {
        let before = &self.input[..position];
        let line = 1 + line_breaks(before);
        let column = before.rfind('\n').map_or(position, |at| position - at - 1);
        format!("{line}:{column}: {what}")
    }
}

/// Whether this is `END`, with or without the delimiter.
fn is_end(statement: &str) -> bool {
    let word = statement.get(..3).filter(|word| word.eq_ignore_ascii_case("END"));
    word.is_some() && matches!(statement[3..].trim_start(), "" | SEMICOLON)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(file: &str) -> Vec<String> {
        scan(file).unwrap().into_iter().map(|text| text.sql).collect()
    }

    /// The cases are those of atlas's own `lex_test.go`, in short.
    #[test]
    fn statements_end_at_the_delimiter() {
        for (file, expected) in [
            ("A; B;", vec!["A;", "B;"]),
            ("A;\n\nB", vec!["A;", "B"]),
            ("-- a;\nA; /* b; */ B;\n-- c\n", vec!["A;", "B;"]),
            ("A -- b;\n;", vec!["A -- b;\n;"]),
            ("A;\n-- no line feed", vec!["A;", "-- no line feed"]),
            (
                "INSERT INTO t VALUES (';', \";\", `;`, 'it''s');",
                vec!["INSERT INTO t VALUES (';', \";\", `;`, 'it''s');"],
            ),
            ("CREATE TABLE t (a;b);", vec!["CREATE TABLE t (a;b);"]),
            ("CREATE TRIGGER t BEGIN\n A;\n B;\nEND;\nC;", vec!["CREATE TRIGGER t BEGIN\n A;\n B;\nEND;", "C;"]),
            ("BEGIN TRANSACTION; A;", vec!["BEGIN TRANSACTION;", "A;"]),
            ("BEGIN; A; END;", vec!["BEGIN;", "A;", "END;"]),
            ("-- atlas:delimiter \\n--\\n\nA; B\n--\nC", vec!["A; B", "C"]),
            ("DELIMITER //\nA; B //\nDELIMITER ;\nC;", vec!["A; B", "C;"]),
            (";", vec![";"]),
            ("", vec![]),
            ("-- only\n", vec![]),
        ] {
            assert_eq!(sent(file), expected, "{file}");
        }
    }

    #[test]
    fn statements_have_their_places() {
        let file = "-- a\nA;\n\n-- b\nB;\n";
        let places: Vec<_> = scan(file).unwrap().into_iter().map(|text| (text.from, text.end, text.line)).collect();
        assert_eq!(places, [(0, 7, 1), (7, 16, 2)]);
    }

    #[test]
    fn what_does_not_end_is_refused_with_its_place() {
        for (file, expected) in [
            ("A;\nB ('", "2:4: unclosed quote '\\''"),
            ("A (", "1:3: unclosed '('"),
            ("A;\nB)", "2:2: unexpected ')'"),
            ("-- atlas:delimiter ;;", "1:0: no input found after delimiter \";;\""),
        ] {
            assert_eq!(scan(file), Err(expected.into()), "{file}");
        }
    }
}
