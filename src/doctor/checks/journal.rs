//! SN923: drizzle's `_journal.json` against the files beside it.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use crate::doctor::Evidence;
use crate::doctor::answer::{Answer, At};
use crate::doctor::places::text;
use crate::findings::catalogue::SN923;
use crate::findings::wording::count;
use crate::findings::{Finding, Level};
use crate::migrations::shown;
use crate::repository::or_dot;

const NAME: &str = "journal";

/// Whether journal and files fit.
pub(in crate::doctor) fn journal(evidence: &Evidence<'_>) -> Answer {
    let plan = match &evidence.plan {
        Err(why) => return Answer::not_checked(NAME, why),
        Ok(plan) if plan.tool != "drizzle" => {
            return Answer::not_needed(NAME, format!("{} keeps none beside the files", plan.tool));
        }
        Ok(plan) => plan,
    };
    let file = plan.folder.join("meta").join("_journal.json");
    if !file.is_file() {
        return if plan.layout.starts_with("v1") {
            Answer::not_needed(NAME, "drizzle's layout of folders has none")
        } else {
            Answer::not_found(NAME, format!("`{}` is not there", shown(&file)))
        };
    }
    let entries = text(&file).and_then(|text| {
        let parsed: Value =
            serde_json::from_str(&text).map_err(|error| format!("`{}` cannot be read: {error}", shown(&file)))?;
        let entries = parsed.get("entries").and_then(Value::as_array).cloned().unwrap_or_default();
        // Each entry has one such key, and no text can hold it without a backslash.
        let lines = text.lines().zip(1..).filter(|(line, _)| line.contains("\"tag\"")).map(|(_, number)| number);
        let lines: Vec<u32> = lines.collect();
        let line = |index: usize| if lines.len() == entries.len() { lines[index] } else { 1 };
        let entries = entries.iter().enumerate();
        Ok(entries.filter_map(|(index, entry)| Entry::of(entry, line(index))).collect::<Vec<_>>())
    });
    match entries {
        Err(why) => Answer::ok(NAME).unreadable(&[why]),
        Ok(entries) => compared(&plan.folder, &file, &entries),
    }
}

struct Entry {
    tag: String,
    idx: Option<i64>,
    when: Option<f64>,
    line: u32,
}

impl Entry {
    fn of(entry: &Value, line: u32) -> Option<Self> {
        Some(Self {
            tag: entry.get("tag")?.as_str()?.to_owned(),
            idx: entry.get("idx").and_then(Value::as_i64),
            when: entry.get("when").and_then(Value::as_f64),
            line,
        })
    }
}

fn compared(folder: &Path, file: &Path, entries: &[Entry]) -> Answer {
    let mut findings = Vec::new();
    let at = |entry: &Entry| Some(At::new(file, entry.line).place());
    let (mut tags, mut numbers) = (BTreeSet::new(), BTreeSet::new());
    let mut latest: Option<&Entry> = None;
    for entry in entries {
        let tag = &entry.tag;
        let about = |message: String| Finding::new(&SN923, message).object(tag).at(at(entry), "");
        if !folder.join(format!("{tag}.sql")).is_file() {
            findings.push(
                about(format!("the journal has `{tag}`, and there is no `{tag}.sql`"))
                    .at_level(Level::Error)
                    .cause("drizzle reads every file that the journal has before it runs one, and stops where one is missing")
                    .help("commit the file, or drop the migration with its entry: drizzle-kit drop"),
            );
        }
        if !tags.insert(tag) {
            let help = "leave one of the entries; generate the other migration anew: drizzle-kit generate";
            findings.push(about(format!("the journal has `{tag}` twice")).help(help));
        }
        if entry.idx.is_some_and(|idx| !numbers.insert(idx)) {
            let idx = entry.idx.unwrap_or_default();
            findings.push(
                about(format!("the journal has the idx {idx} twice, also for `{tag}`"))
                    .cause("two branches that each generated a migration were merged")
                    .help("drop the later one and generate it anew: drizzle-kit drop, drizzle-kit generate"),
            );
        }
        match latest {
            Some(before) if entry.when <= before.when => findings.push(
                about(format!("`{tag}` stands behind `{}` and is not later by its `when`", before.tag))
                    .cause("drizzle runs what is later than the last applied migration: where the other one is applied, it never runs")
                    .help("generate it anew, so that its time is the latest: drizzle-kit drop, drizzle-kit generate"),
            ),
            _ => latest = Some(entry),
        }
    }
    let names = std::fs::read_dir(or_dot(folder)).into_iter().flatten().flatten();
    let mut names: Vec<String> = names.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    for name in &names {
        let Some(tag) = name.strip_suffix(".sql").filter(|tag| !entries.iter().any(|entry| entry.tag == *tag)) else {
            continue;
        };
        findings.push(
            Finding::new(&SN923, format!("`{name}` is not in the journal, so that drizzle never runs it"))
                .object(tag)
                .at(Some(At::new(&folder.join(name), 1).place()), "")
                .help("let drizzle-kit make file and entry, and put the SQL in: drizzle-kit generate --custom --name NAME"),
        );
    }
    let answer = Answer::ok(NAME).findings(findings);
    if answer.has_findings() {
        return answer;
    }
    answer
        .seen(format!("{}, each with its file, in order", count(entries.len() as u64, "migration")), &At::new(file, 1))
}
