//! VL207: a column or a table holds what another one held.

use super::{Subject, both_sides, computes_from};
use crate::compare::lineage::Change;
use crate::compare::rows::ColumnComparison;
use crate::execution::Step;
use crate::findings::catalogue::VL207;
use crate::findings::evidence::place;
use crate::findings::wording::{count, share};
use crate::findings::{Evidence, Finding};
use crate::migrations::statement::Action;

impl Subject<'_> {
    /// VL207 for a column whose changed values are another column's.
    pub(super) fn shifted(&self, compared: &ColumnComparison) -> Option<Finding> {
        let source = compared.shifted_from.as_ref()?;
        // Where NULLs were filled from another column, nothing is in the wrong place.
        let only_filled = compared.changed == compared.filled;
        let combines = self.step.as_ref().is_some_and(|assignment| {
            computes_from(self.evidence, self.table, assignment.step, self.column, &compared.before)
        });
        // The column's own values in another storage class may equal another column's by chance.
        let only_converted = compared.changed == compared.converted + compared.lossy;
        if only_filled || only_converted || self.is_updated() || combines || self.is_overwritten(compared.changed) {
            return None;
        }
        let rows = self.table.before.as_ref().map_or(0, |before| before.rows);
        Some(
            self.finding(
                &VL207,
                format!("`{}` holds what `{source}` held in {}", self.name(), share(compared.changed, rows, "row")),
                compared.changed,
                format!("wrote {} of `{source}` into `{}`", count(compared.changed, "value"), self.column),
            )
            .help("name the columns on both sides of the copy, each at the same place in both lists"),
        )
    }
}

/// VL207 for columns whose names were exchanged by RENAME COLUMN.
pub(in crate::findings::rules) fn names_exchanged(evidence: &Evidence) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (table, before, _) in both_sides(evidence) {
        let columns = table.rows.iter().flat_map(|rows| &rows.columns).filter(|column| column.read_otherwise > 0);
        for column in columns {
            let name = table.name();
            let step = evidence.committed().rev().find(|step| {
                matches!(&step.statement.action, Action::RenameColumn { table: of, to, .. }
                    if to.eq_ignore_ascii_case(&column.after) && table.pair.is_called(of))
            });
            let Some(step) = step else { continue };
            let rows = table.before.as_ref().map_or(0, |held| held.rows);
            let was = before.column(&column.before).map_or(column.before.as_str(), |column| column.name.as_str());
            findings.push(
                Finding::new(
                    &VL207,
                    format!(
                        "`{name}.{}` is what `{was}` was, and reads otherwise in {}",
                        column.after,
                        share(column.read_otherwise, rows, "row")
                    ),
                )
                .table(name)
                .column(&column.after)
                .rows(column.read_otherwise)
                .at(Some(place(step)), format!("gave `{was}` the name of another column that is still there"))
                .help("deploy the app that reads the new names together with this migration, or give the columns names that neither had"),
            );
        }
    }
    findings
}

/// VL207 for tables whose names were exchanged by RENAME TO.
pub(in crate::findings::rules) fn tables_exchanged(evidence: &Evidence) -> Vec<Finding> {
    let comparison = evidence.comparison();
    let renamed = comparison.tables.iter().filter(|table| table.pair.change == Change::Renamed);
    renamed
        .filter_map(|table| {
            let (was, name) = (table.pair.before.as_ref()?, table.pair.after.as_ref()?);
            let namesake = comparison.table_before(name).filter(|_| !was.eq_ignore_ascii_case(name))?;
            namesake.pair.after.as_ref()?;
            let rows = table.after.as_ref()?.rows;
            if rows == 0 && namesake.before.as_ref()?.rows == 0 {
                return None;
            }
            let takes_name = |step: &&Step| {
                matches!(&step.statement.action, Action::RenameTable { to, .. } if to.eq_ignore_ascii_case(name))
            };
            let step = evidence.committed().rev().find(takes_name);
            Some(
                Finding::new(&VL207, format!("`{name}` is what `{was}` was, with its {}", count(rows, "row")))
                    .table(name)
                    .object(was)
                    .rows(rows)
                    .at(step.map(place), format!("gave `{was}` the name of another table that is still there"))
                    .help("deploy the app that reads the new names together with this migration, or give the tables names that neither had"),
            )
        })
        .collect()
}
