//! `JUnit`'s XML on many databases: a case for each of them.

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::{Database, Fleet, Group, Verdict};
use crate::report::junit::seconds;
use crate::report::plain::cut;
use crate::report::visible::{inert, visible};

/// Characters of a message.
const MESSAGE: usize = 1_000;

/// One suite as XML.
#[must_use]
pub fn render(fleet: &Fleet) -> String {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    // Writing to memory does not fail.
    let _ = write(&mut writer, fleet);
    let text = String::from_utf8(writer.into_inner()).unwrap_or_default();
    text.lines().flat_map(|line| [inert(line), "\n".to_owned()]).collect()
}

fn write(writer: &mut Writer<Vec<u8>>, fleet: &Fleet) -> std::io::Result<()> {
    let totals = &fleet.totals;
    let failures = if fleet.fail_on.is_some() { totals.findings } else { 0 };
    let counts = [("tests", totals.databases), ("failures", failures), ("errors", totals.failed + totals.errors)];
    let counts = counts.map(|(key, value)| (key, value.to_string()));
    let counts = || counts.iter().map(|(key, value)| (*key, value.as_str()));
    let time = seconds(fleet.elapsed_ms);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites = writer.create_element("testsuites").with_attribute(("name", "rehearse")).with_attributes(counts());
    suites.with_attribute(("time", time.as_str())).write_inner_content(|writer| {
        let suite = writer
            .create_element("testsuite")
            .with_attribute(("name", "databases"))
            .with_attributes(counts())
            .with_attribute(("skipped", "0"))
            .with_attribute(("time", time.as_str()));
        if fleet.databases.is_empty() {
            suite.write_empty()?;
        } else {
            suite.write_inner_content(|writer| {
                fleet.databases.iter().try_for_each(|database| case(writer, fleet, database))
            })?;
        }
        Ok(())
    })?;
    Ok(())
}

fn case(writer: &mut Writer<Vec<u8>>, fleet: &Fleet, database: &Database) -> std::io::Result<()> {
    let element = writer
        .create_element("testcase")
        .with_attribute(("name", &*visible(&database.name)))
        .with_attribute(("classname", "databases"))
        .with_attribute(("time", seconds(database.elapsed_ms).as_str()));
    let tag = match database.verdict {
        Verdict::Error | Verdict::Failed => "error",
        Verdict::Findings if fleet.fail_on.is_some() => "failure",
        Verdict::Findings | Verdict::Passed => "",
    };
    let Some(group) = fleet.groups.get(database.group).filter(|_| !tag.is_empty()) else {
        element.write_empty()?;
        return Ok(());
    };
    element.write_inner_content(|writer| {
        let message = cut(&visible(&database.message), MESSAGE);
        writer
            .create_element(tag)
            .with_attribute(("message", message.as_str()))
            .with_attribute(("type", kind(group).as_str()))
            .write_text_content(BytesText::new(&body(database, group)))?;
        Ok(())
    })?;
    Ok(())
}

/// The codes of the findings, or the rule that explains the error.
fn kind(group: &Group) -> String {
    let standing = group.findings.iter().filter(|finding| !finding.waived);
    let codes: Vec<&str> = standing.map(|finding| finding.code.as_str()).collect();
    let kind = group.code.clone().unwrap_or_else(|| codes.join(", "));
    if kind.is_empty() { "error".to_owned() } else { cut(&visible(&kind), MESSAGE) }
}

/// The findings, whose numbers are those of the first database of the group.
fn body(database: &Database, group: &Group) -> String {
    let mut lines: Vec<String> = group
        .findings
        .iter()
        .filter(|finding| !finding.waived)
        .map(|finding| {
            let place = finding.file.as_deref().map(|file| format!(" at {file}")).unwrap_or_default();
            let line = finding.line.map(|line| format!(":{line}")).unwrap_or_default();
            visible(&format!(
                "{}[{}] {}: {}{place}{line}",
                finding.level.name(),
                finding.code,
                finding.name,
                finding.message
            ))
            .into_owned()
        })
        .collect();
    if database.name != group.first {
        lines
            .push(visible(&format!("numbers are those of `{}`, which has the same outcome", group.first)).into_owned());
    }
    lines.join("\n")
}
