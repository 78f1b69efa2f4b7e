//! `rehearse rules` and `rehearse explain`.

use std::fmt::Write as _;

use anstyle::{Effects, Style as Ansi};
use rehearse::error::Error;
use rehearse::findings::catalogue::{RULES, find};
use rehearse::findings::rule::{Basis, Rule};
use rehearse::report::text::Style;
use rehearse::report::{json, text};

use unicode_width::UnicodeWidthStr as _;

use super::output::{Plain, Terminal};
use super::suggest;

/// Every rule with its level and when it fires.
pub fn list(terminal: &Terminal) -> Result<u8, Error> {
    let output = match terminal.plain("rules")? {
        Plain::Json => json::pretty(&RULES.iter().map(|rule| as_json(rule)).collect::<Vec<_>>()),
        Plain::Text => {
            let rows: Vec<[&str; 4]> =
                RULES.iter().map(|rule| [rule.code, rule.name, rule.level.name(), rule.when]).collect();
            text::render_rules(&rows, &terminal.style())
        }
    };
    terminal.print(&output)?;
    Ok(0)
}

fn as_json(rule: &Rule) -> serde_json::Value {
    serde_json::json!({
        "code": rule.code,
        "name": rule.name,
        "level": rule.level,
        "basis": match rule.basis { Basis::Measured => "measured", Basis::Inferred => "inferred" },
        "since": rule.since,
        "when": rule.when,
        "effect": rule.effect,
        "fix": rule.fix,
    })
}

/// The page of the rule of this code or name.
pub fn explain(given: &str, terminal: &Terminal) -> Result<u8, Error> {
    let rule = find(given).ok_or_else(|| unknown(given))?;
    let output = match terminal.plain("explain")? {
        Plain::Json => json::pretty(&as_json(rule)),
        Plain::Text => page(rule.page, &terminal.style()),
    };
    terminal.print(&output)?;
    Ok(0)
}

fn unknown(given: &str) -> Error {
    let names: Vec<&str> = RULES.iter().flat_map(|rule| [rule.code, rule.name]).collect();
    suggest::unknown_error("explaining a rule", "rule", given, &names).hint("every rule: rehearse rules")
}

/// The page as it is, its headings in bold on a terminal; its paragraphs are broken anew where they are wider.
fn page(page: &str, style: &Style) -> String {
    let bold: Ansi = Ansi::new() | Effects::BOLD;
    let mut shown = String::new();
    let mut paragraph: Vec<&str> = Vec::new();
    let mut in_code = false;
    for line in page.lines() {
        in_code ^= line.starts_with("```");
        let is_text = !line.is_empty() && !line.starts_with(['#', '|', '-', ' ', '>']);
        if is_text && !in_code && !line.starts_with("```") {
            paragraph.push(line);
            continue;
        }
        add_paragraph(&mut shown, &mut paragraph, style.width);
        if style.colour && !in_code && line.starts_with('#') {
            let _ = writeln!(shown, "{bold}{line}{bold:#}");
        } else {
            let _ = writeln!(shown, "{line}");
        }
    }
    add_paragraph(&mut shown, &mut paragraph, style.width);
    shown
}

fn add_paragraph(shown: &mut String, paragraph: &mut Vec<&str>, width: usize) {
    let lines = std::mem::take(paragraph);
    if lines.iter().all(|line| line.width() <= width) {
        for line in &lines {
            let _ = writeln!(shown, "{line}");
        }
    } else {
        for line in text::wrap(&lines.join(" "), width) {
            let _ = writeln!(shown, "{line}");
        }
    }
}

#[cfg(test)]
mod tests {
    use rehearse::findings::catalogue::RULES;
    use rehearse::report::text::{Detail, Style};
    use unicode_width::UnicodeWidthStr as _;

    use super::page;

    #[test]
    fn a_page_fits_the_terminal_but_for_its_code_and_says_the_same() {
        for rule in RULES {
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            let shown = page(rule.page, &Style { colour: false, width: 80, detail: Detail::Normal });
            assert_eq!(words(&shown), words(rule.page), "{}", rule.code);
            let mut in_code = false;
            for line in shown.lines() {
                in_code ^= line.starts_with("```");
                assert!(in_code || line.width() <= 80, "{}: {line}", rule.code);
            }
            assert_eq!(page(rule.page, &Style { colour: false, width: 1_000, detail: Detail::Normal }), rule.page);
        }
    }
}
