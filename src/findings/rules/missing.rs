//! SN906: what this SQLite lacks and production's app may bring along: a function, a module, a collation.

use crate::findings::catalogue::SN906;
use crate::findings::wording::names;
use crate::findings::{Evidence, Finding, Level};

/// Something that this SQLite lacks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Missing {
    kind: &'static str,
    name: String,
}

/// What SQLite says before the name.
const SAYS: [(&str, &str); 3] =
    [("no such function: ", "function"), ("no such module: ", "module"), ("no such collation sequence: ", "collation")];

/// What is missing by SQLite's message: `no such function: slug in SELECT …`.
pub(super) fn of_message(message: &str) -> Option<Missing> {
    SAYS.into_iter().find_map(|(says, kind)| {
        let (_, rest) = message.split_once(says)?;
        let name = rest.split([' ', ';']).next().unwrap_or_default();
        Some(Missing { kind, name: name.to_owned() })
    })
}

impl Missing {
    pub(super) fn cause(&self) -> String {
        format!("this SQLite has no {} `{}`; the app may register it in production", self.kind, self.name)
    }

    pub(super) fn help(&self) -> String {
        let Self { kind, name } = self;
        format!(
            "if the app registers `{name}`, run what needs it from the app and keep it out of the migrations; if it does not, the {kind} is missing in production too"
        )
    }
}

/// SN906 where something cannot be read; where a migration failed, that finding is SN906 itself.
pub(super) fn unreadable(evidence: &Evidence) -> Vec<Finding> {
    let failed_for = evidence.trial.failure().and_then(|failure| of_message(&failure.error.message));
    let mut lacking: Vec<(Missing, String, bool)> = Vec::new();
    let comparison = evidence.comparison();
    for item in &comparison.not_compared {
        lacking.extend(of_message(&item.why).map(|missing| (missing, item.what.clone(), true)));
    }
    let known =
        |key: &String| comparison.before.views.contains_key(key) || comparison.before.triggers.contains_key(key);
    let new = comparison.broken_after.iter().filter(|(key, _)| !known(key));
    for (key, message) in comparison.broken_before.iter().chain(new) {
        let objects = [&comparison.before, &comparison.after];
        let find =
            |key: &str| objects.iter().find_map(|schema| schema.views.get(key).or_else(|| schema.triggers.get(key)));
        let name = find(key).map_or_else(|| key.clone(), |object| object.name.clone());
        lacking.extend(of_message(message).map(|missing| (missing, name, false)));
    }
    lacking.retain(|(missing, ..)| failed_for.as_ref() != Some(missing));
    lacking.sort();
    lacking.dedup_by(|one, other| (&one.0, &one.1) == (&other.0, &other.1));
    lacking
        .chunk_by(|one, other| one.0 == other.0)
        .filter_map(|group| {
            let (missing, ..) = group.first()?;
            let objects = names(group.iter().map(|(_, object, _)| object.as_str()));
            let message =
                format!("this SQLite has no {} `{}`, so {objects} cannot be read", missing.kind, missing.name);
            let finding = Finding::new(&SN906, message)
                .object(&missing.name)
                .cause("the app may register it in production")
                .help(missing.help());
            let is_table = group.iter().any(|(.., is_table)| *is_table);
            Some(if is_table { finding } else { finding.at_level(Level::Warning) })
        })
        .collect()
}
