//! One database file in a line, and what is to be known of it.

use super::paint::Role;
use super::{Detail, Page, finding};
use crate::findings::wording::{bytes, count, count_of, number};
use crate::report::facts::{form, not_touched};
use crate::report::file::File;
use crate::report::visible::visible;

/// `prod.db: 20.5 kB, 5 pages of 4,096 bytes, WAL mode, UTF-8, user_version 3`, with or without the name.
pub fn facts(page: &mut Page, file: &File, name: Option<&str>) {
    let snapshot = &file.snapshot;
    let name = name.map(|name| format!("{name}: ")).unwrap_or_default();
    let mode = match snapshot.journal_mode.as_str() {
        "wal" => "WAL mode".to_owned(),
        mode => format!("journal mode {mode}"),
    };
    let form = form(snapshot).map(|form| format!("{form}, ")).unwrap_or_default();
    let mut facts = vec![
        format!("{name}{form}{}", bytes(snapshot.bytes)),
        format!("{} of {}", count(snapshot.pages, "page"), count(u64::from(snapshot.page_size), "byte")),
        mode,
        file.encoding.clone(),
        format!("user_version {}", file.user_version),
    ];
    if file.application_id != 0 {
        facts.push(format!("application_id {}", number(u64::from(file.application_id))));
    }
    if let Some(size) = snapshot.wal_bytes {
        facts.push(format!("write-ahead log of {} beside it", bytes(size)));
    }
    page.prose(2, &visible(&facts.join(", ")), Role::Dim);
    if page.style.detail == Detail::Full && snapshot.untouched {
        page.prose(4, not_touched(snapshot), Role::Dim);
    }
}

/// What the rules say of these files.
pub fn findings<'a>(page: &mut Page, files: impl IntoIterator<Item = &'a File>) {
    let findings: Vec<_> = files.into_iter().flat_map(|file| file.findings.iter().cloned()).collect();
    if !findings.is_empty() {
        page.blank();
        finding::findings(page, &findings);
    }
}

/// `2 tables with 200 rows`; `2 tables` where not all were counted.
pub fn holdings(tables: usize, rows: Option<u64>) -> String {
    match (tables, rows) {
        (0, _) => "no tables".to_owned(),
        (tables, None) => count_of(tables, "table"),
        (tables, Some(0)) => format!("{} without rows", count_of(tables, "table")),
        (tables, Some(rows)) => format!("{} with {}", count_of(tables, "table"), count(rows, "row")),
    }
}
