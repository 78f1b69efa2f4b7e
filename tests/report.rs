//! The formats, each over the same saved documents. The text is looked at by people: a changed snapshot is to be read, not accepted.

#![expect(clippy::unwrap_used, reason = "a test that cannot read its fixture has failed")]

use rehearse::report::document::Document;
use rehearse::report::text::{Detail, Style, render, render_diff, render_plan, render_profile};
use rehearse::report::{Format, json};
use unicode_width::UnicodeWidthStr;

const NAMES: [&str; 10] = [
    "cascade",
    "failed",
    "nothing_pending",
    "hostile_names",
    "many_findings",
    "matrix",
    "big_snapshot",
    "measured",
    "wide_names",
    "queries",
];

fn document(name: &str) -> Document {
    let path = format!("{}/tests/fixtures/reports/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn style(width: usize) -> Style {
    Style { colour: false, width, detail: Detail::Normal }
}

#[test]
fn text_at_80_columns() {
    for name in NAMES {
        insta::assert_snapshot!(format!("{name}_80"), render(&document(name), &style(80)));
    }
}

#[test]
fn text_at_200_columns() {
    for name in NAMES {
        insta::assert_snapshot!(format!("{name}_200"), render(&document(name), &style(200)));
    }
}

#[test]
fn text_in_colour() {
    let text = render(&document("cascade"), &Style { colour: true, ..style(80) });
    insta::assert_snapshot!("cascade_colour", text.replace('\u{1b}', "␛"));
}

#[test]
fn text_brief_and_full() {
    insta::assert_snapshot!(
        "many_findings_brief",
        render(&document("many_findings"), &Style { detail: Detail::Brief, ..style(80) })
    );
    for name in ["cascade", "failed", "big_snapshot", "measured"] {
        insta::assert_snapshot!(
            format!("{name}_full"),
            render(&document(name), &Style { detail: Detail::Full, ..style(80) })
        );
    }
}

#[test]
fn plan_as_text() {
    insta::assert_snapshot!("plan", render_plan(&document("failed").plan, &style(80)));
}

/// What `rehearse diff` and `rehearse profile` show of databases with hostile and long names.
fn databases(style: &Style) -> [(&'static str, String); 2] {
    let read = |name: &str| {
        std::fs::read_to_string(format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    let diff = serde_json::from_str(&read("diff")).unwrap();
    let profile = serde_json::from_str(&read("profile")).unwrap();
    [("diff", render_diff(&diff, style)), ("profile", render_profile(&profile, style))]
}

#[test]
fn databases_as_text() {
    for (width, detail) in [(80, Detail::Normal), (200, Detail::Normal), (80, Detail::Brief), (80, Detail::Full)] {
        for (name, text) in databases(&Style { detail, ..style(width) }) {
            insta::assert_snapshot!(format!("{name}_{width}_{detail:?}").to_lowercase(), text);
        }
    }
}

#[test]
fn databases_fit_the_terminal_and_nothing_in_them_acts() {
    for width in [80, 100, 200] {
        for detail in [Detail::Brief, Detail::Normal, Detail::Full] {
            let plain = Style { detail, ..style(width) };
            let coloured = databases(&Style { colour: true, ..plain });
            for ((name, text), (_, coloured)) in databases(&plain).into_iter().zip(coloured) {
                assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), text, "{name}");
                for line in text.lines() {
                    assert!(line.width() <= width, "{name} at {width}: {} columns: {line}", line.width());
                    assert!(!line.trim_start().starts_with("::"), "{name}: {line}");
                }
                let acts = |sign: char| sign.is_control() && sign != '\n' || "\u{202e}\u{2069}\u{200b}".contains(sign);
                assert!(!text.contains(acts), "{name}: {text}");
            }
        }
    }
}

#[test]
fn colours_change_nothing_but_colours() {
    for name in NAMES {
        for detail in [Detail::Brief, Detail::Normal, Detail::Full] {
            let plain = render(&document(name), &Style { detail, ..style(100) });
            let coloured = render(&document(name), &Style { colour: true, detail, ..style(100) });
            assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain, "{name}");
        }
    }
}

#[test]
fn nothing_is_wider_than_the_terminal_except_code_to_paste() {
    for name in NAMES {
        let document = document(name);
        let code: Vec<&str> =
            document.findings.iter().flat_map(|finding| &finding.help).flat_map(|help| help.lines()).collect();
        for width in [80, 100, 200] {
            for detail in [Detail::Brief, Detail::Normal, Detail::Full] {
                for line in render(&document, &Style { detail, ..style(width) }).lines() {
                    assert!(
                        line.width() <= width || code.contains(&line.trim()),
                        "{name} at {width}: {} columns: {line}",
                        line.width()
                    );
                }
            }
        }
    }
}

#[test]
fn nothing_in_a_report_acts() {
    for detail in [Detail::Brief, Detail::Normal, Detail::Full] {
        let text = render(&document("hostile_names"), &Style { detail, ..style(80) });
        let acting: Vec<char> = text
            .chars()
            .filter(|sign| (sign.is_control() && *sign != '\n') || "\u{202e}\u{2069}\u{200b}".contains(*sign))
            .collect();
        assert!(acting.is_empty(), "{acting:?}");
        assert!(
            text.lines().all(|line| !line.trim_start().starts_with("::") && !line.starts_with("error[LS999]")),
            "{text}"
        );
    }
}

#[test]
fn json_is_the_document() {
    for name in NAMES {
        let document = document(name);
        let text = Format::Json.render(&document, &style(80));
        assert!(text.ends_with("}\n") && !text.ends_with("\n\n"));
        assert!(!text.chars().any(|sign| sign.is_control() && sign != '\n'), "{name}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).unwrap(), serde_json::to_value(&document).unwrap());
        assert_eq!(json::render(&serde_json::from_str::<Document>(&text).unwrap()), text);
    }
}

#[test]
fn dotenv_has_numbers_and_fixed_words_only() {
    for name in NAMES {
        let text = Format::Dotenv.render(&document(name), &style(80));
        let lines: Vec<(&str, &str)> = text.lines().map(|line| line.split_once('=').unwrap()).collect();
        let names: Vec<&str> = lines.iter().map(|(name, _)| *name).collect();
        let expected = ["VERDICT", "FINDINGS", "ERRORS", "WARNINGS", "NOTES", "WAIVED", "ROWS_LOST"];
        assert_eq!(names, expected.map(|name| format!("REHEARSAL_{name}")), "{name}");
        assert!(["passed", "findings", "failed"].contains(&lines[0].1), "{name}");
        assert!(lines[1..].iter().all(|(_, value)| value.bytes().all(|sign| sign.is_ascii_digit())), "{name}: {text}");
    }
    insta::assert_snapshot!("many_findings_dotenv", Format::Dotenv.render(&document("many_findings"), &style(80)));
    let mut unmatched = document("cascade");
    unmatched.tables[0].rows.lost = None;
    assert!(Format::Dotenv.render(&unmatched, &style(80)).ends_with("REHEARSAL_ROWS_LOST=\n"));
}

#[test]
fn help_can_be_pasted() {
    let text = render(&document("cascade"), &style(60));
    assert!(
        text.contains(
            "\n      sqlite.pragma('foreign_keys = OFF')\n      migrate(db, { migrationsFolder: 'drizzle' })\n"
        ),
        "{text}"
    );
}
