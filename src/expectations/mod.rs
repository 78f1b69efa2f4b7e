//! What a person demands of an outcome, and scenarios: a database as SQL, migrations, and what a rehearsal of them must find.
//!
//! Takes a YAML file; gives a [`scenario::Scenario`], the files it describes ([`scenario::Scenario::prepare`]), and the differences
//! between what it expects and what was found ([`check::differences`]). It runs nothing: `crate::scenarios` does.

pub mod check;
pub mod database;
pub mod scenario;
pub mod yaml;
