//! What the rules make of the evidence: takes an [`Evidence`], gives [`Finding`]s, the gravest first.

pub mod catalogue;
pub mod drift;
pub mod evidence;
pub mod faults;
pub mod levels;
pub mod rule;
mod rules;
mod samples;
pub mod thresholds;
pub mod waivers;
pub mod wording;

pub use drift::{CodeDrift, Drift, Trip};
pub use evidence::{Cell, Evidence, Limits, Live, Measured, Trial, WayBack};
pub use faults::Faults;
pub use levels::Levels;
pub use rule::{Finding, Level, Place, Rule};
pub use thresholds::Thresholds;
pub use waivers::Waiver;

use crate::execution::Driver;
use crate::migrations::Plan;
use crate::snapshot::{Facts, Untouched};
use catalogue::EX605;

/// What the rules say of a file that is only read, without a rehearsal: SN901, SN902 and SN905.
#[must_use]
pub fn of_file(facts: &Facts, untouched: &Untouched) -> Vec<Finding> {
    rules::snapshot::of_file(facts, untouched)
}

/// What the rules say of a plan, without a rehearsal: SN912, TX507 and TX508.
#[must_use]
pub fn of_plan(plan: &Plan) -> Vec<Finding> {
    rules::transactions::entries_of(plan).into_iter().chain(rules::snapshot::names_in(plan)).collect()
}

/// SN915 without a rehearsal, for a snapshot with so many tables besides the ledger.
#[must_use]
pub fn unrecorded(plan: &Plan, tables: u64) -> Option<Finding> {
    rules::execution::unrecorded(plan, tables, None)
}

/// TX512 of statements that nobody has run; `locked` is the version of the driver's package in the project's lock file.
#[must_use]
pub fn newer_than_driver<'a>(
    driver: &Driver,
    locked: Option<&str>,
    statements: impl Iterator<Item = (&'a str, Place)>,
) -> Vec<Finding> {
    rules::transactions::newer_than_driver(driver, locked, statements, "")
}

/// What a person set about findings.
#[derive(Debug, Clone, Copy)]
pub struct Wishes<'a> {
    /// Levels other than the rules' own, each with where it was set; a later source wins.
    pub levels: &'a [(&'a Levels, &'a str)],
    /// What is allowed; the first waiver that fits a finding covers it.
    pub waivers: &'a [Waiver],
}

/// Lets every rule look at the evidence. Levels are the rules' own, and nothing is waived yet.
#[must_use]
pub fn evaluate(evidence: &Evidence) -> Vec<Finding> {
    let mut findings: Vec<Finding> = rules::ALL.iter().flat_map(|rule| rule(evidence)).collect();
    samples::attach(&mut findings, evidence.comparison());
    findings
}

/// Levels and waivers, in that order, over all findings. The order of the outcome is that of gravity, waived ones last,
/// then of rule, table, column and place.
#[must_use]
pub fn settle(mut findings: Vec<Finding>, wishes: Wishes<'_>, evidence: &Evidence) -> Vec<Finding> {
    levels::apply(&mut findings, wishes.levels);
    let mut about_waivers = waivers::apply(&mut findings, wishes.waivers, evidence);
    levels::apply(&mut about_waivers, wishes.levels);
    findings.extend(about_waivers);
    sort(&mut findings);
    findings
}

/// A demand that is not met stands behind what explains it, and so does a way back that loses something.
fn sort(findings: &mut [Finding]) {
    findings.sort_by(|one, other| {
        let is_demand = |finding: &Finding| finding.rule.family() == "EP" || finding.rule.code == EX605.code;
        let by_rule = || is_demand(one).cmp(&is_demand(other)).then_with(|| one.rule.code.cmp(other.rule.code));
        let gravity = |finding: &Finding| (finding.waived.is_none(), finding.level);
        gravity(other).cmp(&gravity(one)).then_with(by_rule).then_with(|| {
            // Queries stand in the order of their files.
            let first = |finding: &Finding| finding.place.clone().filter(|_| finding.rule.family() == "QC");
            let key = |finding: &Finding| {
                let Finding { table, column, object, place, .. } = finding.clone();
                (first(finding), table, column, object, place)
            };
            key(one).cmp(&key(other))
        })
    });
}
