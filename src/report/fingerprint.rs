//! What a finding is recognised by from one run to the next.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::document::Finding;
use crate::units::hex;

/// One fingerprint per finding, in hexadecimal digits, each once in a report. It is made of the rule, the migration, what the finding
/// is about and the statement: not of its line and not of how many rows it concerns, which change while the finding stays the same.
#[must_use]
pub fn fingerprints(findings: &[Finding]) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let one = |finding| {
        let first = fingerprint(finding, 0);
        let before = seen.entry(first.clone()).or_default();
        *before += 1;
        if *before == 1 { first } else { fingerprint(finding, *before - 1) }
    };
    findings.iter().map(one).collect()
}

/// `before`: how many findings before it in the report are told apart by nothing else.
fn fingerprint(finding: &Finding, before: usize) -> String {
    let statement = finding.statement.as_deref().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "));
    let parts = [
        Some(finding.code.as_str()),
        finding.migration.as_deref(),
        finding.table.as_deref(),
        finding.column.as_deref(),
        finding.object.as_deref(),
        statement.as_deref(),
    ];
    let mut hash = Sha256::new();
    for part in parts {
        // The length keeps `a`, `bc` from being `ab`, `c`; a part that is not there is not an empty one.
        hash.update(part.map_or(0, |part| part.len() as u64 + 1).to_le_bytes());
        hash.update(part.unwrap_or_default());
    }
    if before > 0 {
        hash.update((before as u64).to_le_bytes());
    }
    hex(&hash.finalize())
}
