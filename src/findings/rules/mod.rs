//! The rules: one function each, one file per family. A rule looks at the evidence and returns what it has to say.

mod causes;
mod down;
mod drift;
pub(super) mod execution;
mod faults;
mod integrity;
mod missing;
mod queries;
mod random_names;
mod resources;
mod rows;
mod schema;
pub(super) mod snapshot;
pub(super) mod transactions;
mod values;

use super::{Evidence, Finding};

/// A rule.
pub type Check = fn(&Evidence) -> Vec<Finding>;

/// Every rule, by family.
pub static ALL: &[Check] = &[
    rows::foreign_key_actions,
    rows::tables,
    rows::dropped,
    rows::multiplied,
    rows::hidden_by_views,
    values::columns_dropped,
    values::values,
    values::names_exchanged,
    values::tables_exchanged,
    values::rowids,
    values::sequences,
    schema::objects_lost,
    schema::objects_changed,
    schema::objects_broken,
    schema::constraints_lost,
    schema::foreign_key_actions,
    schema::primary_keys,
    schema::defaults,
    schema::affinities,
    schema::collations,
    schema::table_options,
    schema::generated_columns,
    schema::conflict_clauses,
    schema::autoincrement,
    schema::leftovers,
    schema::column_order,
    schema::full_text,
    schema::header_numbers,
    integrity::damaged,
    integrity::checks,
    integrity::foreign_keys,
    transactions::foreign_keys_on,
    transactions::own_transaction,
    transactions::not_atomic,
    transactions::foreign_keys_left_off,
    transactions::double_quoted_strings,
    transactions::sqlite_version,
    transactions::implicit_columns,
    transactions::partly_run,
    transactions::plan,
    transactions::drivers,
    execution::failed,
    execution::push_managed,
    drift::drifted,
    drift::unexpected_by_code,
    execution::nothing_pending,
    down::failed,
    down::loses_data,
    faults::not_a_no_op,
    faults::partial_state,
    faults::cannot_resume,
    faults::nondeterministic,
    queries::all,
    resources::times,
    resources::locks,
    resources::sizes,
    resources::rewrites,
    snapshot::files,
    missing::unreadable,
    snapshot::not_understood,
    snapshot::not_compared,
    snapshot::names,
];
