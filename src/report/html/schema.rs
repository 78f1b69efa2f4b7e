//! The schema before and after, side by side, with the words that changed marked.

use serde::Serialize;
use similar::{ChangeTag, TextDiff};

use super::grid::{Grid, text, words};
use crate::findings::wording::{count_of, number};
use crate::report::document;
use crate::report::visible::visible_lines;

/// Lines of the diff that are shown before the rest is folded.
const SHOWN: usize = 120;
/// Characters of a line up to which its words are compared.
const LINE: usize = 2_000;
/// The share of common words from which on two lines are shown as one line that changed.
const ALIKE: f32 = 0.25;

/// What changed.
#[derive(Serialize)]
pub struct Schema {
    any: bool,
    count: String,
    changes: Option<Grid>,
    rows: Vec<Row>,
    folded: Vec<Row>,
    more: String,
}

/// One line on both sides.
#[derive(Serialize)]
struct Row {
    /// `same`, `changed`, or `hunk` between two parts of the schema.
    kind: &'static str,
    before: Option<Vec<Piece>>,
    after: Option<Vec<Piece>>,
}

/// A part of a line.
#[derive(Serialize)]
struct Piece {
    text: String,
    marked: bool,
}

/// The changes and the diff.
pub fn schema(schema: &document::Schema) -> Schema {
    let mut grid = Grid::new("what changed in the schema", &[words("what"), words("name"), words("before and after")]);
    for change in &schema.changes {
        let of = change.table.as_ref().filter(|table| **table != change.name);
        let of = of.map(|table| format!(" of `{table}`")).unwrap_or_default();
        grid.row(vec![
            text(format!("{} {}", change.kind, change.change)),
            text(format!("`{}`{of}", change.name)),
            text(change.detail.clone()),
        ]);
    }
    let mut rows = rows(&visible_lines(schema.diff.trim_end()));
    let folded = if rows.len() > SHOWN + 10 { rows.split_off(SHOWN) } else { Vec::new() };
    Schema {
        any: !schema.changes.is_empty() || !rows.is_empty(),
        count: number(schema.changes.len() as u64),
        changes: grid.filled(),
        more: count_of(folded.len(), "more line"),
        rows,
        folded,
    }
}

/// The lines of a unified diff, those that were replaced beside those that took their place.
fn rows(lines: &[String]) -> Vec<Row> {
    let mut rows = Vec::new();
    let (mut removed, mut added): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    for line in lines {
        if line.starts_with("--- ") || line.starts_with("+++ ") {
            continue;
        }
        if let Some(text) = line.strip_prefix('-') {
            // Removed lines behind added ones begin another change.
            if !added.is_empty() {
                replaced(&mut rows, &mut removed, &mut added);
            }
            removed.push(text);
        } else if let Some(text) = line.strip_prefix('+') {
            added.push(text);
        } else {
            replaced(&mut rows, &mut removed, &mut added);
            rows.push(if let Some(hunk) = line.strip_prefix("@@") {
                let name = hunk.trim_matches(['@', ' ']);
                Row { kind: "hunk", before: Some(vec![plain(name)]), after: None }
            } else {
                let text = line.strip_prefix(' ').unwrap_or(line);
                Row { kind: "same", before: Some(vec![plain(text)]), after: Some(vec![plain(text)]) }
            });
        }
    }
    replaced(&mut rows, &mut removed, &mut added);
    rows
}

/// Lines that went and lines that came, in pairs where they are alike.
fn replaced(rows: &mut Vec<Row>, removed: &mut Vec<&str>, added: &mut Vec<&str>) {
    let mut came = added.drain(..).collect::<std::collections::VecDeque<&str>>();
    for before in removed.drain(..) {
        // The lines above the one that is like this one are new.
        let partner = came.iter().position(|after| alike(before, after));
        for _ in 0..partner.unwrap_or(0) {
            rows.extend(came.pop_front().map(|after| Row {
                kind: "changed",
                before: None,
                after: Some(vec![plain(after)]),
            }));
        }
        let (before, after) = match partner.and_then(|_| came.pop_front()) {
            Some(after) => {
                let (before, after) = marked(before, after);
                (before, Some(after))
            }
            None => (vec![plain(before)], None),
        };
        rows.push(Row { kind: "changed", before: Some(before), after });
    }
    for after in came {
        rows.push(Row { kind: "changed", before: None, after: Some(vec![plain(after)]) });
    }
}

fn alike(before: &str, after: &str) -> bool {
    if before.len() > LINE || after.len() > LINE {
        return false;
    }
    let (before, after): (Vec<&str>, Vec<&str>) =
        (before.split_whitespace().collect(), after.split_whitespace().collect());
    TextDiff::from_slices(&before, &after).ratio() >= ALIKE
}

fn plain(text: &str) -> Piece {
    Piece { text: text.to_owned(), marked: false }
}

/// Both lines with the words in which they differ.
fn marked(before: &str, after: &str) -> (Vec<Piece>, Vec<Piece>) {
    let (mut left, mut right) = (Vec::new(), Vec::new());
    let diff = TextDiff::from_words(before, after);
    for change in diff.iter_all_changes() {
        let text = change.value();
        match change.tag() {
            ChangeTag::Equal => {
                append(&mut left, text, false);
                append(&mut right, text, false);
            }
            ChangeTag::Delete => append(&mut left, text, true),
            ChangeTag::Insert => append(&mut right, text, true),
        }
    }
    (left, right)
}

fn append(pieces: &mut Vec<Piece>, text: &str, marked: bool) {
    match pieces.last_mut().filter(|piece| piece.marked == marked) {
        Some(piece) => piece.text.push_str(text),
        None => pieces.push(Piece { text: text.to_owned(), marked }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Piece, Row, rows};

    fn shown(pieces: Option<&Vec<Piece>>) -> String {
        let shown = |piece: &Piece| if piece.marked { format!("[{}]", piece.text) } else { piece.text.clone() };
        pieces.map_or_else(|| "∅".to_owned(), |pieces| pieces.iter().map(shown).collect())
    }

    fn sides(diff: &str) -> Vec<String> {
        let lines: Vec<String> = diff.lines().map(str::to_owned).collect();
        let side = |row: &Row| format!("{} | {}", shown(row.before.as_ref()), shown(row.after.as_ref()));
        rows(&lines).iter().map(side).collect()
    }

    #[test]
    fn changed_words_are_marked() {
        let diff =
            "--- before\n+++ after\n@@ -1,3 +1,3 @@\n CREATE TABLE t (\n-  email text,\n+  email text NOT NULL,\n )\n";
        assert_eq!(
            sides(diff),
            [
                "-1,3 +1,3 | ∅",
                "CREATE TABLE t ( | CREATE TABLE t (",
                "  email [text,] |   email [text NOT NULL,]",
                ") | )"
            ]
        );
    }

    #[test]
    fn lines_without_a_partner_stand_alone() {
        assert_eq!(sides("-a b c\n+x y z\n+a b d"), ["∅ | x y z", "a b [c] | a b [d]"]);
        assert_eq!(sides("-a b c\n-p q\n+p r"), ["a b c | ∅", "p [q] | p [r]"]);
        assert_eq!(sides("+a\n-b\n c"), ["∅ | a", "b | ∅", "c | c"]);
    }
}
