//! VL214: an UPDATE that did nothing but fill NULLs.

use super::Subject;
use crate::compare::rows::ColumnComparison;
use crate::findings::catalogue::VL214;
use crate::findings::wording::{count, share};
use crate::findings::{Finding, Level};
use crate::migrations::statement::{Action, Conflict};

impl Subject<'_> {
    /// VL214. Whether another finding stands at the statement is not looked at here.
    pub(super) fn bulk_update(&self, compared: &ColumnComparison) -> Option<Finding> {
        let filled = compared.filled - compared.null_to_blank;
        let assignment = self.step.as_ref().filter(|_| filled > 0)?;
        let Action::Update { has_where, conflict, .. } = assignment.step.statement.action else { return None };
        if !assignment.explicit || conflict == Some(Conflict::Replace) {
            return None;
        }
        let nulls = self.table.before.as_ref()?.column(&compared.before)?.nulls;
        let label = if has_where { "" } else { "has no WHERE: " };
        let finding = self.finding(
            &VL214,
            format!("UPDATE filled {} of `{}`", share(filled, nulls, "NULL"), self.name()),
            filled,
            format!("{label}filled {}", count(filled, "NULL")),
        );
        Some(if has_where { finding } else { finding.at_level(Level::Warning) })
    }
}
