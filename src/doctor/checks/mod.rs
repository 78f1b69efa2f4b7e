//! The checks: each looks at the evidence and says what it has to say.

pub(super) mod backup;
pub(super) mod image;
pub(super) mod journal;
pub(super) mod migrations;
pub(super) mod settings;
pub(super) mod startup;
pub(super) mod volume;
