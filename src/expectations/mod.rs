//! What a person demands of an outcome, and scenarios: a database as SQL, migrations, and what a rehearsal of them must find.
//!
//! Takes YAML; gives [`demands::Demands`], the findings where an outcome does not meet them ([`judge::findings`]), a
//! [`scenario::Scenario`], the files it describes ([`scenario::Scenario::prepare`]), and the differences between what it expects
//! and what was found ([`check::differences`]). It runs nothing: `crate::rehearse` and `crate::scenarios` do.

pub mod check;
pub mod database;
pub mod demands;
pub mod judge;
pub mod quantity;
pub mod scenario;
pub mod schema;
pub mod yaml;
