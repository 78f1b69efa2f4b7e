//! How many: the quantities that a person may demand of tables, columns and query results, as they are written in YAML.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeOwned, MapAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use crate::findings::wording::number;

/// A number, or bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum Amount {
    /// Exactly so many.
    Exactly(u64),
    /// So many at least, so many at most.
    Within(Bounds),
}

/// Bounds; at least one of them is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct Bounds {
    /// The least that is allowed.
    #[serde(default)]
    pub at_least: Option<u64>,
    /// The most that is allowed.
    #[serde(default)]
    pub at_most: Option<u64>,
}

/// What a table shall be: `unchanged` (no row lost, gained or changed, no column gone), `gone`, a number of rows, or several demands.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum Quantity {
    /// A word.
    Word(Word),
    /// So many rows afterwards.
    Rows(u64),
    /// Each of these.
    Each(Box<TableDemands>),
}

/// A word in the place of a quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Word {
    /// As it was.
    Unchanged,
    /// No longer there.
    Gone,
}

/// What is demanded of a table; each that is given must be met.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct TableDemands {
    /// Rows afterwards; `unchanged`: the same rows, none lost and none gained.
    #[serde(default)]
    pub rows: Option<RowsQuantity>,
    /// Rows that are no longer there.
    #[serde(default)]
    pub lost: Option<Amount>,
    /// Rows that were not there.
    #[serde(default)]
    pub gained: Option<Amount>,
    /// Rows that are still there with another value.
    #[serde(default)]
    pub changed: Option<Amount>,
    /// Rows afterwards at least.
    #[serde(default)]
    pub at_least: Option<u64>,
    /// Rows afterwards at most.
    #[serde(default)]
    pub at_most: Option<u64>,
    /// Columns, by their name before or after.
    #[serde(default)]
    pub columns: BTreeMap<String, ColumnQuantity>,
}

/// The rows of a table afterwards: `unchanged`, a number, or bounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum RowsQuantity {
    /// None lost and none gained.
    Word(Unchanged),
    /// Exactly so many.
    Exactly(u64),
    /// So many at least, so many at most.
    Within(Bounds),
}

/// The one word for the rows of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Unchanged {
    /// As they were.
    Unchanged,
}

/// What a column shall be: `unchanged` (no value of a row that is still there differs), `gone`, or several demands.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged)]
pub enum ColumnQuantity {
    /// A word.
    Word(Word),
    /// Each of these.
    Each(Box<ColumnDemands>),
}

/// What is demanded of a column; each that is given must be met. All but the last two count the rows that are on both sides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
pub struct ColumnDemands {
    /// Values that are not identical.
    #[serde(default)]
    pub changed: Option<Amount>,
    /// Values that became NULL.
    #[serde(default)]
    pub nulled: Option<Amount>,
    /// Values that were NULL and are not.
    #[serde(default)]
    pub filled: Option<Amount>,
    /// Values that are the same in another storage class.
    #[serde(default)]
    pub converted: Option<Amount>,
    /// Values of which something was lost in another storage class.
    #[serde(default)]
    pub lossy: Option<Amount>,
    /// NULLs afterwards.
    #[serde(default)]
    pub nulls: Option<Amount>,
    /// Values afterwards that are not NULL.
    #[serde(default)]
    pub values: Option<Amount>,
}

impl Amount {
    /// Whether every number from `least` to `most` is allowed.
    #[must_use]
    pub fn allows(self, least: u64, most: u64) -> bool {
        match self {
            Self::Exactly(wanted) => (least, most) == (wanted, wanted),
            Self::Within(Bounds { at_least, at_most }) => {
                at_least.is_none_or(|bound| least >= bound) && at_most.is_none_or(|bound| most <= bound)
            }
        }
    }
}

/// `3`, `at least 3`, `at most 1,000`, `3 to 5`.
impl fmt::Display for Amount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Exactly(wanted) => formatter.write_str(&number(wanted)),
            Self::Within(Bounds { at_least: Some(least), at_most: Some(most) }) => {
                write!(formatter, "{} to {}", number(least), number(most))
            }
            Self::Within(Bounds { at_least: Some(least), at_most: None }) => {
                write!(formatter, "at least {}", number(least))
            }
            Self::Within(Bounds { at_most: Some(most), .. }) => write!(formatter, "at most {}", number(most)),
            Self::Within(_) => formatter.write_str("any number"),
        }
    }
}

impl TableDemands {
    /// The demand on the number of rows afterwards: `at_least` and `at_most` stand for `rows` with the same.
    #[must_use]
    pub fn row_count(&self) -> Option<Amount> {
        let bounds = Bounds { at_least: self.at_least, at_most: self.at_most };
        match self.rows {
            Some(RowsQuantity::Exactly(wanted)) => Some(Amount::Exactly(wanted)),
            Some(RowsQuantity::Within(bounds)) => Some(Amount::Within(bounds)),
            _ if bounds.at_least.is_some() || bounds.at_most.is_some() => Some(Amount::Within(bounds)),
            _ => None,
        }
    }

    fn checked(self) -> Result<Self, &'static str> {
        let has_bounds = self.at_least.is_some() || self.at_most.is_some();
        if self == Self::default() {
            Err("nothing is demanded; say for example `unchanged`, or `{lost: 0}`")
        } else if has_bounds && self.rows.is_some() {
            Err("`rows` and `at_least` or `at_most` say the same twice; write `rows: {at_least: …, at_most: …}`")
        } else {
            in_order(self.at_least, self.at_most).map(|()| self)
        }
    }
}

/// Bounds of which the lower is not above the upper.
fn in_order<T: PartialOrd>(at_least: Option<T>, at_most: Option<T>) -> Result<(), &'static str> {
    match (at_least, at_most) {
        (Some(least), Some(most)) if least > most => Err("`at_least` is more than `at_most`"),
        _ => Ok(()),
    }
}

/// What can be written as a word, a number or a map.
pub(super) trait Forms: Sized {
    /// What is allowed, in words.
    const ALLOWED: &'static str;
    /// The words that are allowed.
    const WORDS: &'static [&'static str] = &[];
    /// The form with keys.
    type Map: DeserializeOwned;

    /// From one of the words.
    fn word(_: &str) -> Option<Self> {
        None
    }
    /// From a number, where numbers are allowed.
    fn number(_: u64) -> Option<Self> {
        None
    }
    /// From the form with keys.
    fn map(map: Self::Map) -> Result<Self, &'static str>;
}

/// Reads any of the forms.
pub(super) fn any_form<'de, T: Forms, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    deserializer.deserialize_any(FormVisitor(PhantomData))
}

struct FormVisitor<T>(PhantomData<T>);

impl<'de, T: Forms> Visitor<'de> for FormVisitor<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(T::ALLOWED)
    }

    fn visit_u64<E: de::Error>(self, given: u64) -> Result<T, E> {
        T::number(given).ok_or_else(|| E::invalid_type(Unexpected::Unsigned(given), &self))
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<T, E> {
        match T::word(word) {
            Some(value) => Ok(value),
            None if T::WORDS.is_empty() => Err(E::invalid_type(Unexpected::Str(word), &self)),
            None => Err(E::unknown_variant(word, T::WORDS)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::map(T::Map::deserialize(MapAccessDeserializer::new(map))?).map_err(de::Error::custom)
    }
}

impl Bounds {
    fn checked(self) -> Result<Self, &'static str> {
        if self.at_least.is_none() && self.at_most.is_none() {
            return Err("`at_least` or `at_most` is missing");
        }
        in_order(self.at_least, self.at_most).map(|()| self)
    }
}

impl Word {
    fn named(word: &str) -> Option<Self> {
        match word {
            "unchanged" => Some(Self::Unchanged),
            "gone" => Some(Self::Gone),
            _ => None,
        }
    }
}

impl Forms for Amount {
    const ALLOWED: &'static str = "a number, or `at_least` and `at_most`";
    type Map = Bounds;

    fn number(given: u64) -> Option<Self> {
        Some(Self::Exactly(given))
    }

    fn map(bounds: Bounds) -> Result<Self, &'static str> {
        bounds.checked().map(Self::Within)
    }
}

impl Forms for RowsQuantity {
    const ALLOWED: &'static str = "`unchanged`, a number, or `at_least` and `at_most`";
    const WORDS: &'static [&'static str] = &["unchanged"];
    type Map = Bounds;

    fn word(word: &str) -> Option<Self> {
        (word == "unchanged").then_some(Self::Word(Unchanged::Unchanged))
    }

    fn number(given: u64) -> Option<Self> {
        Some(Self::Exactly(given))
    }

    fn map(bounds: Bounds) -> Result<Self, &'static str> {
        bounds.checked().map(Self::Within)
    }
}

impl Forms for Quantity {
    const ALLOWED: &'static str = "`unchanged`, `gone`, a number of rows, or a map such as `{lost: 0}`";
    const WORDS: &'static [&'static str] = &["unchanged", "gone"];
    type Map = TableDemands;

    fn word(word: &str) -> Option<Self> {
        Word::named(word).map(Self::Word)
    }

    fn number(given: u64) -> Option<Self> {
        Some(Self::Rows(given))
    }

    fn map(demands: TableDemands) -> Result<Self, &'static str> {
        demands.checked().map(|demands| Self::Each(Box::new(demands)))
    }
}

impl Forms for ColumnQuantity {
    const ALLOWED: &'static str = "`unchanged`, `gone`, or a map such as `{nulls: 0}`";
    const WORDS: &'static [&'static str] = &["unchanged", "gone"];
    type Map = ColumnDemands;

    fn word(word: &str) -> Option<Self> {
        Word::named(word).map(Self::Word)
    }

    fn map(demands: ColumnDemands) -> Result<Self, &'static str> {
        if demands == ColumnDemands::default() {
            return Err("nothing is demanded; say for example `unchanged`, or `{nulls: 0}`");
        }
        Ok(Self::Each(Box::new(demands)))
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any_form(deserializer)
    }
}

impl<'de> Deserialize<'de> for RowsQuantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any_form(deserializer)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any_form(deserializer)
    }
}

impl<'de> Deserialize<'de> for ColumnQuantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any_form(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::expectations::yaml;

    fn read(text: &str) -> Result<Quantity, String> {
        yaml::parse(text, Path::new("e.yaml")).map_err(|error| {
            let hints = error.hints().iter().fold(String::new(), |hints, hint| hints + "; " + hint);
            format!("{error}{hints}")
        })
    }

    #[test]
    fn a_quantity_is_a_word_a_number_or_a_map() {
        assert_eq!(read("unchanged"), Ok(Quantity::Word(Word::Unchanged)));
        assert_eq!(read("gone"), Ok(Quantity::Word(Word::Gone)));
        assert_eq!(read("0"), Ok(Quantity::Rows(0)));
        let Ok(Quantity::Each(demands)) =
            read("{rows: unchanged, lost: 0, changed: {at_most: 5}, columns: {slug: unchanged, title: {nulls: 0}}}")
        else {
            panic!("a map")
        };
        assert_eq!(demands.rows, Some(RowsQuantity::Word(Unchanged::Unchanged)));
        assert_eq!(demands.changed.unwrap().to_string(), "at most 5");
        assert_eq!(demands.columns["slug"], ColumnQuantity::Word(Word::Unchanged));
        let Ok(Quantity::Each(demands)) = read("{at_least: 1, at_most: 1000}") else { panic!("a map") };
        assert_eq!(demands.row_count().unwrap().to_string(), "1 to 1,000");
    }

    #[test]
    fn what_is_no_quantity_is_refused_with_what_is_allowed() {
        for (text, wrong) in [
            (
                "unchangd",
                "reading `e.yaml:1:1`: unknown word `unchangd`; did you mean `unchanged`?; allowed here: unchanged, gone",
            ),
            (
                "-1",
                "expected `unchanged`, `gone`, a number of rows, or a map such as `{lost: 0}`, found the number `-1`",
            ),
            ("1.5", "found the number `1.5`"),
            ("[1]", "found a list"),
            ("true", "found the word `true`"),
            ("{}", "nothing is demanded"),
            (
                "{losst: 0}",
                "unknown key `losst`; did you mean `lost`?; allowed here: rows, lost, gained, changed, at_least, at_most, columns",
            ),
            ("{lost: {at_least: 5, at_most: 3}}", "`at_least` is more than `at_most`"),
            ("{lost: {}}", "`at_least` or `at_most` is missing"),
            ("{lost: many}", "expected a number, or `at_least` and `at_most` in `lost`, found the text `many`"),
            ("{rows: 5, at_most: 6}", "say the same twice"),
            (
                "{columns: {a: 5}}",
                "expected `unchanged`, `gone`, or a map such as `{nulls: 0}` in `columns.a`, found the number `5`",
            ),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(wrong), "{text}: {error}");
        }
    }

    #[test]
    fn an_amount_allows_what_is_within() {
        let within = |at_least, at_most| Amount::Within(Bounds { at_least, at_most });
        assert!(Amount::Exactly(3).allows(3, 3) && !Amount::Exactly(3).allows(0, 3));
        assert!(within(Some(2), Some(4)).allows(2, 4) && !within(Some(2), Some(4)).allows(1, 4));
        assert!(!within(None, Some(4)).allows(0, 5) && within(None, Some(4)).allows(0, 4));
    }
}
