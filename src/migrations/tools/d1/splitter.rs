//! How wrangler cuts a file into statements: by characters, not by SQLite's grammar.
//!
//! A semicolon ends a statement unless a `BEGIN` or `CASE` in it is still open, which is what stands between two blanks; only an
//! `END` in capitals closes one. Comments are taken out.

use std::ops::Range;

/// A statement as it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Piece {
    /// Its text without comments.
    pub sql: String,
    /// The bytes of the file from its first character, comments before it included, to its last.
    pub range: Range<usize>,
    /// The line on which that begins, from 1.
    pub line: u32,
}

/// Takes the first `BEGIN TRANSACTION;` and the first `COMMIT;` out, blanks in their place; none where another one is left.
pub(super) fn without_transaction(sql: &str) -> Option<String> {
    const BEGIN: &str = "BEGIN TRANSACTION";
    if !sql.contains(BEGIN) {
        return Some(sql.to_owned());
    }
    let blank = |sql: &str, word: &str| sql.replacen(word, &" ".repeat(word.len()), 1);
    Some(blank(&blank(sql, "BEGIN TRANSACTION;"), "COMMIT;")).filter(|rest| !rest.contains(BEGIN))
}

/// Cuts a text. One that holds no semicolon but at its very end is one statement as it stands.
pub(super) fn split(sql: &str) -> Vec<Piece> {
    let end = sql.trim_end();
    if end.find(';').is_none_or(|first| first + 1 == end.len()) {
        return vec![Piece { sql: sql.to_owned(), range: 0..sql.len(), line: 1 }];
    }
    let mut cutter = Cutter { sql, at: 0, text: String::new(), begun: 0, line: 1, counted: 0, pieces: Vec::new() };
    cutter.run();
    cutter.pieces
}

struct Cutter<'a> {
    sql: &'a str,
    /// The next character.
    at: usize,
    /// What the open statement holds so far, without comments.
    text: String,
    /// Where it begins.
    begun: usize,
    /// The line of `counted`.
    line: u32,
    counted: usize,
    pieces: Vec<Piece>,
}

impl Cutter<'_> {
    fn run(&mut self) {
        let mut open = 0_u32;
        while let Some(character) = self.next() {
            if open > 0 && ends_compound(&self.text, character) {
                open -= 1;
            }
            match character {
                '\'' | '"' | '`' => self.quoted(character),
                '$' => self.dollar(),
                '-' if self.peek() == Some('-') => {
                    self.skip_past("\n");
                    self.text.push('\n');
                }
                '/' if self.peek() == Some('*') => self.skip_past("*/"),
                ';' if open == 0 => self.cut(),
                other => self.text.push(other),
            }
            if begins_compound(&self.text) {
                open += 1;
            }
        }
        self.cut();
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn peek(&self) -> Option<char> {
        self.sql[self.at..].chars().next()
    }

    /// To the next quote of the same kind; a doubled one ends the first half and begins the second.
    fn quoted(&mut self, quote: char) {
        let rest = &self.sql[self.at..];
        let length = rest.find(quote).map_or(rest.len(), |end| end + quote.len_utf8());
        self.text.push(quote);
        self.text.push_str(&rest[..length]);
        self.at += length;
    }

    /// `$tag$ … $tag$`, which SQLite does not know and wrangler does.
    fn dollar(&mut self) {
        let rest = &self.sql[self.at..];
        let is_part = |character: char| character.is_ascii_digit() || character == '_' || character.is_alphabetic();
        // The character behind the tag belongs to it, whatever it is.
        let end = rest
            .find(|character| !is_part(character))
            .map_or(rest.len(), |end| end + rest[end..].chars().next().map_or(0, char::len_utf8));
        let tag = format!("${}", &rest[..end]);
        self.at += end;
        self.text.push_str(&tag);
        if tag.len() > 1 && tag.ends_with('$') {
            let rest = &self.sql[self.at..];
            let length = rest.find(&tag).map_or(rest.len(), |end| end + tag.len());
            self.text.push_str(&rest[..length]);
            self.at += length;
        }
    }

    /// Leaves out what comes up to and with `end`, from behind the character that was read last.
    fn skip_past(&mut self, end: &str) {
        let begun = self.at + 1;
        let rest = self.sql.get(begun..).unwrap_or_default();
        self.at = begun + rest.find(end).map_or(rest.len(), |found| found + end.len());
    }

    fn cut(&mut self) {
        let text = std::mem::take(&mut self.text);
        let range = self.begun..self.at.min(self.sql.len());
        self.begun = self.at;
        let leading = self.sql[range.clone()].len() - self.sql[range.clone()].trim_start().len();
        let start = range.start + leading;
        self.line += u32::try_from(self.sql[self.counted..start].matches('\n').count()).unwrap_or(0);
        self.counted = start;
        if !text.trim().is_empty() {
            self.pieces.push(Piece { sql: text.trim().to_owned(), range: start..range.end, line: self.line });
        }
    }
}

fn begins_compound(text: &str) -> bool {
    let Some(text) = text.strip_suffix(char::is_whitespace) else { return false };
    ends_with_word(text, &["BEGIN", "CASE"], str::eq_ignore_ascii_case)
}

fn ends_compound(text: &str, next: char) -> bool {
    (next == ';' || next.is_whitespace()) && ends_with_word(text, &["END"], str::eq)
}

/// Whether a text ends with a blank and one of these words.
fn ends_with_word(text: &str, words: &[&str], same: fn(&str, &str) -> bool) -> bool {
    words.iter().any(|word| {
        let Some(split) = text.len().checked_sub(word.len()).filter(|split| text.is_char_boundary(*split)) else {
            return false;
        };
        same(&text[split..], word) && text[..split].ends_with(char::is_whitespace)
    })
}

#[cfg(test)]
mod tests {
    use super::{split, without_transaction};

    fn texts(sql: &str) -> Vec<(String, u32)> {
        split(sql).into_iter().map(|piece| (piece.sql, piece.line)).collect()
    }

    #[test]
    fn statements_as_wrangler_cuts_them() {
        let trigger = "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n UPDATE a SET x = CASE x WHEN 1 THEN 2 END ;\nEND";
        for (sql, expected) in [
            ("SELECT 1;\nSELECT 2;\n", vec![("SELECT 1", 1), ("SELECT 2", 2)]),
            (
                "-- one;\nSELECT ';' /* ; */ ;\n\nSELECT `a;b`, \"c;d\"",
                vec![("SELECT ';'", 1), ("SELECT `a;b`, \"c;d\"", 4)],
            ),
            (&*format!("{trigger};\nSELECT 2;"), vec![(trigger, 1), ("SELECT 2", 4)]),
            (
                "SELECT 'it''s; fine'; SELECT $$;$$; SELECT $x;$",
                vec![("SELECT 'it''s; fine'", 1), ("SELECT $$;$$", 1), ("SELECT $x;$", 1)],
            ),
            ("SELECT 1 - 2; SELECT 1/2;", vec![("SELECT 1 - 2", 1), ("SELECT 1/2", 1)]),
            ("", vec![("", 1)]),
            (" SELECT 1; ", vec![(" SELECT 1; ", 1)]),
        ] {
            let expected: Vec<_> = expected.into_iter().map(|(text, line)| (text.to_owned(), line)).collect();
            assert_eq!(texts(sql), expected, "{sql}");
        }
    }

    #[test]
    fn only_an_end_in_capitals_closes() {
        let sql = "CREATE TRIGGER t AFTER INSERT ON a begin\n SELECT 1;\nend;\nSELECT 2;\n";
        assert_eq!(texts(sql).len(), 1);
    }

    #[test]
    fn one_transaction_is_taken_out() {
        let sql = "BEGIN TRANSACTION;\nSELECT 1;\nCOMMIT;\n";
        assert_eq!(without_transaction(sql).unwrap().trim(), "SELECT 1;");
        assert_eq!(without_transaction(&format!("{sql}{sql}")), None);
        assert_eq!(without_transaction("COMMIT;").unwrap(), "COMMIT;");
    }
}
