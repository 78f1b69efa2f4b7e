//! What the rules make of the evidence: takes an [`Evidence`], gives [`Finding`]s, the gravest first.

pub mod catalogue;
pub mod evidence;
pub mod levels;
pub mod rule;
mod rules;
pub mod wording;

pub use evidence::{Evidence, Limits, Trial};
pub use levels::Levels;
pub use rule::{Finding, Level, Rule};

/// What a person set about findings.
#[derive(Debug, Clone, Copy)]
pub struct Wishes<'a> {
    /// Levels other than the rules' own, each with where it was set; a later source wins.
    pub levels: &'a [(&'a Levels, &'a str)],
}

/// Lets every rule look at the evidence. The order is that of gravity, then of rule, table, column and place.
#[must_use]
pub fn evaluate(evidence: &Evidence, wishes: Wishes<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = rules::ALL.iter().flat_map(|rule| rule(evidence)).collect();
    levels::apply(&mut findings, wishes.levels);
    sort(&mut findings);
    findings
}

fn sort(findings: &mut [Finding]) {
    findings.sort_by(|one, other| {
        other.level.cmp(&one.level).then_with(|| one.rule.code.cmp(other.rule.code)).then_with(|| {
            let key = |finding: &Finding| {
                (finding.table.clone(), finding.column.clone(), finding.object.clone(), finding.place.clone())
            };
            key(one).cmp(&key(other))
        })
    });
}
