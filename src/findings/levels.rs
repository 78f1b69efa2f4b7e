//! Levels other than the rules' own: `rules:` in `rehearse.yaml`, and `--level` on the command line, which wins.

use std::fmt;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::catalogue::{RULES, family, find};
use super::rule::{Finding, Level, LevelFrom, Rule};
use super::wording::nearest;
use crate::units::Text;

/// One rule, or every rule of a family.
#[derive(Debug, Clone, Copy)]
pub enum Selector {
    /// Every rule whose code begins with these two letters.
    Family(&'static str),
    /// This rule.
    Rule(&'static Rule),
}

/// What to set instead of the rules' own levels, from one source.
#[derive(Debug, Clone, Default)]
pub struct Levels(Vec<(Selector, Level)>);

impl Selector {
    /// Reads a code (`LS104`), a name (`nonempty-table-dropped`) or a family (`LS`); upper and lower case are the same.
    ///
    /// # Errors
    /// Where there is no such rule: a clause with what may have been meant.
    pub fn parse(text: &str) -> Result<Self, String> {
        if let Some(rule) = find(text) {
            return Ok(Self::Rule(rule));
        }
        family(text).map(Self::Family).ok_or_else(|| no_such_rule(text))
    }

    /// Whether it means this rule.
    #[must_use]
    pub fn means(self, rule: &Rule) -> bool {
        match self {
            Self::Family(family) => rule.family() == family,
            Self::Rule(one) => one.code == rule.code,
        }
    }

    /// `LS104` or `LS`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Family(family) => family,
            Self::Rule(rule) => rule.code,
        }
    }
}

/// "there is no rule `LS999`; did you mean `LS109`?"
pub(super) fn no_such_rule(given: &str) -> String {
    let names: Vec<&str> = RULES.iter().flat_map(|rule| [rule.code, rule.name]).collect();
    let meant = nearest(given, &names).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    format!("there is no rule `{given}`{meant} (every rule: rehearse rules)")
}

impl<'de> Deserialize<'de> for Selector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text("a rule's code or name, or a family, for example LS104", Self::parse))
    }
}

impl Levels {
    /// Sets the level of a rule or a family; a later one wins over an earlier one.
    pub fn set(&mut self, selector: Selector, level: Level) {
        self.0.retain(|(known, _)| known.code() != selector.code());
        self.0.push((selector, level));
    }

    /// The level of this rule, where one is set: a rule's wins over its family's.
    #[must_use]
    pub fn of(&self, rule: &Rule) -> Option<Level> {
        let set = |family: bool| {
            let fits = |selector: &Selector| matches!(selector, Selector::Family(_)) == family && selector.means(rule);
            self.0.iter().find(|(selector, _)| fits(selector)).map(|(_, level)| *level)
        };
        set(false).or_else(|| set(true))
    }
}

impl<'de> Deserialize<'de> for Levels {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(LevelsVisitor)
    }
}

struct LevelsVisitor;

impl<'de> Visitor<'de> for LevelsVisitor {
    type Value = Levels;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("rules with their levels, for example `LS104: warning`")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Levels, M::Error> {
        let mut levels = Levels::default();
        while let Some((selector, level)) = map.next_entry::<Selector, Level>()? {
            let code = selector.code();
            if levels.0.iter().any(|(known, _)| known.code() == code) {
                return Err(de::Error::custom(format!("the level of `{code}` is set twice")));
            }
            levels.0.push((selector, level));
        }
        Ok(levels)
    }
}

/// Gives findings the levels that were set, each source over the ones before it, and notes whose word it was.
pub fn apply(findings: &mut [Finding], sources: &[(&Levels, &str)]) {
    for finding in findings {
        let set = sources.iter().rev().find_map(|(levels, by)| Some((levels.of(finding.rule)?, *by)));
        if let Some((level, by)) = set.filter(|(level, _)| *level != finding.level) {
            finding.level_from = Some(LevelFrom { level: finding.level, by: by.to_owned() });
            finding.level = level;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::findings::catalogue::{LS102, LS104, VL201};

    #[test]
    fn a_rule_wins_over_its_family_and_a_later_source_over_an_earlier_one() {
        let (mut file, mut command) = (Levels::default(), Levels::default());
        file.set(Selector::parse("ls").unwrap(), Level::Warning);
        file.set(Selector::parse("nonempty-table-dropped").unwrap(), Level::Note);
        command.set(Selector::parse("LS").unwrap(), Level::Error);
        assert_eq!(
            (file.of(&LS102), file.of(&LS104), file.of(&VL201)),
            (Some(Level::Warning), Some(Level::Note), None)
        );
        let mut findings = [Finding::new(&LS104, "a"), Finding::new(&LS102, "b"), Finding::new(&VL201, "c")];
        apply(&mut findings, &[(&file, "rehearse.yaml")]);
        assert_eq!(findings.each_ref().map(|finding| finding.level), [Level::Note, Level::Warning, Level::Error]);
        let from = findings[0].level_from.clone().unwrap();
        assert_eq!((from.level, from.by.as_str()), (Level::Error, "rehearse.yaml"));
        assert!(findings[2].level_from.is_none());
        let mut findings = [Finding::new(&LS104, "a")];
        apply(&mut findings, &[(&file, "rehearse.yaml"), (&command, "--level")]);
        assert_eq!(findings[0].level, Level::Error);
        assert!(findings[0].level_from.is_none());
    }

    #[test]
    fn an_unknown_rule_is_refused_with_what_was_meant() {
        let refused = Selector::parse("nonempty-table-droped").unwrap_err();
        assert!(refused.contains("did you mean `nonempty-table-dropped`?"), "{refused}");
        assert!(Selector::parse("").is_err());
    }
}
