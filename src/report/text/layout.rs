//! Lines and columns of a terminal: display width, wrapping, and tables without borders.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::paint::{Paint, Role};

/// Columns that the text takes on a terminal.
pub fn width(text: &str) -> usize {
    text.width()
}

/// Breaks text at spaces so that no line is wider than `width`; a word that is wider is broken inside. Leading spaces stay.
#[must_use]
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let words = text.trim_start_matches(' ');
    let mut lines = Vec::new();
    let mut used = (text.len() - words.len()).min(width / 2);
    let mut line = " ".repeat(used);
    let mut begun = false;
    for word in words.split(' ') {
        if begun && used + 1 + word.width() > width {
            lines.push(std::mem::take(&mut line));
            used = 0;
        } else if begun {
            line.push(' ');
            used += 1;
        }
        for character in word.chars() {
            let wide = character.width().unwrap_or(0);
            if used + wide > width {
                // A long name breaks after one of its own separators where that leaves a line that is not too short.
                let end = line
                    .rfind(['_', '-', '/', '.', ','])
                    .map(|at| at + 1)
                    .filter(|&end| end > line.len() / 2)
                    .unwrap_or(line.len());
                let carried = line.split_off(end);
                used = carried.width();
                lines.push(std::mem::replace(&mut line, carried));
            }
            line.push(character);
            used += wide;
        }
        begun = true;
    }
    lines.push(line);
    lines
}

/// Cuts text that is wider than `width` and marks the cut.
#[must_use]
pub fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut used = 1;
    for character in text.chars() {
        used += character.width().unwrap_or(0);
        if used > width {
            break;
        }
        kept.push(character);
    }
    kept.push('…');
    kept
}

/// One cell of a [`Grid`].
#[derive(Debug, Clone)]
pub struct Cell {
    text: String,
    role: Role,
}

impl Cell {
    /// Text painted as `role`.
    pub fn new(text: impl Into<String>, role: Role) -> Self {
        Self { text: text.into(), role }
    }
}

/// Which side a column leans on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// A table without borders: a heading line, then rows, two spaces between columns.
#[derive(Debug)]
pub struct Grid {
    columns: Vec<(&'static str, Side)>,
    rows: Vec<Vec<Cell>>,
}

impl Grid {
    /// A grid with these columns; a grid whose headings are all empty has no heading line.
    pub fn new(columns: &[(&'static str, Side)]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row with one cell per column.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// The lines. Columns without content are left out; where the width does not suffice, the widest column is wrapped.
    pub fn lines(&self, available: usize, paint: Paint) -> Vec<String> {
        let filled: Vec<usize> = (0..self.columns.len())
            .filter(|&column| self.rows.iter().any(|row| !row[column].text.is_empty()))
            .collect();
        let mut widths: Vec<usize> = filled
            .iter()
            .map(|&column| {
                self.rows
                    .iter()
                    .map(|row| row[column].text.width())
                    .max()
                    .unwrap_or(0)
                    .max(self.columns[column].0.width())
            })
            .collect();
        while widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1) > available {
            let Some(widest) = widths.iter_mut().max_by_key(|width| **width).filter(|width| **width > 12) else {
                break;
            };
            *widest -= 1;
        }
        let mut lines = Vec::new();
        if filled.iter().any(|&column| !self.columns[column].0.is_empty()) {
            let heading: Vec<Cell> = self.columns.iter().map(|(heading, _)| Cell::new(*heading, Role::Dim)).collect();
            self.line(&heading, &filled, &widths, paint, &mut lines);
        }
        for row in &self.rows {
            self.line(row, &filled, &widths, paint, &mut lines);
        }
        lines
    }

    fn line(&self, row: &[Cell], filled: &[usize], widths: &[usize], paint: Paint, lines: &mut Vec<String>) {
        let wrapped: Vec<Vec<String>> =
            filled.iter().zip(widths).map(|(&column, &width)| wrap(&row[column].text, width)).collect();
        for level in 0..wrapped.iter().map(Vec::len).max().unwrap_or(0) {
            let mut line = String::new();
            for ((&column, &width), cell) in filled.iter().zip(widths).zip(&wrapped) {
                let text = cell.get(level).map_or("", String::as_str);
                let space = " ".repeat(width.saturating_sub(text.width()));
                let painted = paint.text(row[column].role, text);
                match self.columns[column].1 {
                    Side::Left => line.extend([&painted, &space, "  "]),
                    Side::Right => line.extend([&space, &painted, "  "]),
                }
            }
            line.truncate(line.trim_end_matches(' ').len());
            lines.push(line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{cut, width, wrap};

    #[test]
    fn wraps_at_spaces_and_inside_long_words() {
        assert_eq!(wrap("one two three", 8), ["one two", "three"]);
        assert_eq!(wrap("abcdefghijkl mn", 8), ["abcdefgh", "ijkl mn"]);
        assert_eq!(wrap("", 8), [""]);
        assert!(wrap("用户的电子邮件地址是必填的 字段", 10).iter().all(|line| width(line) <= 10));
    }

    #[test]
    fn cuts_by_display_width() {
        assert_eq!(cut("short", 8), "short");
        assert_eq!(cut("a longer text", 8), "a longe…");
        assert_eq!(cut("用户的电子邮件", 8), "用户的…");
    }
}
