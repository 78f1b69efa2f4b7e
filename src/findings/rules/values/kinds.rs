//! What kind of change it was: VL208, VL209, VL213, and the words of VL205.

use super::Subject;
use crate::compare::rows::ColumnComparison;
use crate::compare::values::{Alteration, Loss};
use crate::execution::steps::By;
use crate::findings::catalogue::{VL208, VL209, VL213};
use crate::findings::wording::{count, list, number, share};
use crate::findings::{Finding, Level};
use crate::schema::lexer::quote_identifier;

/// `1 lost leading zeros and 2 became 0`: what the conversions of a column lost, with the number of values.
pub(super) fn losses(compared: &ColumnComparison) -> String {
    let lost = |(loss, values): (&Loss, &u64)| {
        let what = match loss {
            Loss::BecameZero => "became 0",
            Loss::TrailingText => "lost the text behind the number",
            Loss::Exponent => "read as an exponent",
            Loss::BeyondPrecision => "lost digits beyond 2^53",
            Loss::Rounding => "rounded",
            Loss::LeadingZeros => "lost leading zeros",
            Loss::Notation => "written in another way",
        };
        format!("{} {what}", number(*values))
    };
    list(&compared.lossy_kinds.iter().map(lost).collect::<Vec<_>>())
}

impl Subject<'_> {
    /// VL208.
    pub(super) fn text_altered(&self, compared: &ColumnComparison) -> Option<Finding> {
        let values = compared.recognisable();
        if values == 0 || self.is_overwritten(compared.altered()) {
            return None;
        }
        let share = share(values, self.values_before(compared), "value");
        let kinds: Vec<(Alteration, u64)> =
            compared.text_altered.iter().map(|(kind, values)| (*kind, *values)).collect();
        let message = match kinds.as_slice() {
            [(kind, _)] => format!("`{}` {} in {share}", self.name(), past(*kind)),
            several => {
                let each: Vec<String> =
                    several.iter().map(|(kind, values)| format!("{} {}", number(*values), participle(*kind))).collect();
                format!("`{}` was altered in {share}: {}", self.name(), list(&each))
            }
        };
        let tidied = kinds.iter().all(|(kind, _)| matches!(kind, Alteration::Trimmed | Alteration::Case));
        let finding = self
            .finding(&VL208, message, values, format!("altered {}", count(values, "text")))
            .help("if that is intended, nothing is to be done; else carry the text over as it is");
        Some(if self.is_updated() && tidied { finding.at_level(Level::Warning) } else { finding })
    }

    /// VL209.
    pub(super) fn blanks(&self, compared: &ColumnComparison) -> Option<Finding> {
        let (to_null, to_blank) = (compared.blank_to_null, compared.null_to_blank);
        let rows = to_null + to_blank;
        if rows == 0 || self.is_overwritten(rows) {
            return None;
        }
        let of = |values| share(values, self.table.before.as_ref().map_or(0, |before| before.rows), "row");
        let message = match (to_null, to_blank) {
            (_, 0) => format!("'' became NULL in {} of `{}`", of(to_null), self.name()),
            (0, _) => format!("NULL became '' in {} of `{}`", of(to_blank), self.name()),
            _ => format!(
                "'' became NULL in {}, and NULL became '' in {} of `{}`",
                number(to_null),
                of(to_blank),
                self.name()
            ),
        };
        Some(
            self.finding(&VL209, message, rows, format!("wrote the other of '' and NULL into {}", count(rows, "row")))
                .help("check that every reader of the column takes both for empty"),
        )
    }

    /// Values that became the column's DEFAULT although no statement says so.
    pub(super) fn values_defaulted(&self, compared: &ColumnComparison) -> u64 {
        let by_trigger = || {
            let mut changes = self.evidence.committed().flat_map(|step| &step.changes);
            changes.any(|change| {
                change.by == By::Trigger && change.updated > 0 && self.table.pair.is_called(&change.table)
            })
        };
        if self.is_explicit() || by_trigger() { 0 } else { compared.defaulted }
    }

    /// VL213.
    pub(super) fn defaulted(&self, compared: &ColumnComparison) -> Option<Finding> {
        let values = self.values_defaulted(compared);
        if values == 0 || self.is_overwritten(compared.altered()) {
            return None;
        }
        let share = share(values, self.values_before(compared), "value");
        Some(
            self.finding(
                &VL213,
                format!("{share} of `{}` became the column's DEFAULT", self.name()),
                values,
                format!("left the DEFAULT in {}", count(values, "row")),
            )
            .help(format!(
                "carry the values over: name {} on both sides of the INSERT … SELECT",
                quote_identifier(self.column)
            )),
        )
    }
}

fn past(kind: Alteration) -> &'static str {
    match kind {
        Alteration::Truncated => "was truncated",
        Alteration::Trimmed => "was trimmed",
        Alteration::Case => "changed case",
        Alteration::Encoding => "changed encoding",
        Alteration::Nul => "lost a NUL",
    }
}

fn participle(kind: Alteration) -> &'static str {
    match kind {
        Alteration::Truncated => "truncated",
        Alteration::Trimmed => "trimmed",
        Alteration::Case => "in other case",
        Alteration::Encoding => "in another encoding",
        Alteration::Nul => "without a NUL",
    }
}
