//! `rehearse rules` and `rehearse explain`.

use std::fmt::Write as _;

use anstyle::{Effects, Style as Ansi};
use rehearse::error::Error;
use rehearse::findings::catalogue::{RULES, find};
use rehearse::findings::rule::{Basis, Rule};
use rehearse::report::{Format, json, text};

use super::output::Terminal;
use super::suggest;

/// Every rule with its level and when it fires.
pub fn list(terminal: &Terminal) -> Result<u8, Error> {
    let output = match terminal.format {
        Format::Json => json::pretty(&RULES.iter().map(|rule| as_json(rule)).collect::<Vec<_>>()),
        Format::Text => {
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
    let output = match terminal.format {
        Format::Json => json::pretty(&as_json(rule)),
        Format::Text => page(rule.page, terminal.style().colour),
    };
    terminal.print(&output)?;
    Ok(0)
}

fn unknown(given: &str) -> Error {
    let names: Vec<&str> = RULES.iter().flat_map(|rule| [rule.code, rule.name]).collect();
    suggest::unknown_error("explaining a rule", "rule", given, &names).hint("every rule: rehearse rules")
}

/// The page as it is, its headings in bold on a terminal.
fn page(page: &str, colour: bool) -> String {
    let bold: Ansi = Ansi::new() | Effects::BOLD;
    let mut shown = String::new();
    let mut in_code = false;
    for line in page.lines() {
        in_code ^= line.starts_with("```");
        if colour && !in_code && line.starts_with('#') {
            let _ = writeln!(shown, "{bold}{line}{bold:#}");
        } else {
            shown.push_str(line);
            shown.push('\n');
        }
    }
    shown
}
