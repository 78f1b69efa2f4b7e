//! What a person demands of an outcome: quantities of tables, and queries. The key `expect` of `rehearse.yaml` and of scenarios.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, SeqAccess, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

use super::quantity::{Forms, Quantity, any_form};
use crate::compare::queries::{Cell, Question, Wanted};

/// What must be so after the migrations.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Demands {
    /// Tables, by their name before or after. Tables that are not named are not looked at.
    #[serde(default)]
    pub tables: BTreeMap<String, Quantity>,
    /// Queries whose result must stay the same, or be a given one.
    #[serde(default)]
    pub queries: Vec<Query>,
}

/// A query and what is demanded of its result.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(try_from = "WrittenQuery")]
pub struct Query {
    /// What the report calls it.
    pub name: Option<String>,
    /// What is asked.
    pub question: Question,
}

/// A query: `same: true` demands the same result before and after, `is` gives the result after.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = [{ "required": ["same"] }, { "required": ["is"] }]))]
struct WrittenQuery {
    /// What the report calls it; the query itself where nothing is said.
    #[serde(default)]
    name: Option<String>,
    /// One statement: SELECT, WITH or VALUES. With ORDER BY the order of the rows counts, else it does not.
    sql: String,
    /// The complete result must be the same before and after.
    #[serde(default)]
    #[schemars(extend("const" = true))]
    same: bool,
    /// The result after: a value, a list of rows, or `at_least` and `at_most` for one number.
    #[serde(default, deserialize_with = "present")]
    #[schemars(with = "Option<form::Is>")]
    is: Option<Wanted>,
}

/// Bounds of a number.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("minProperties" = 1))]
struct NumberBounds {
    /// The least that is allowed.
    #[serde(default)]
    at_least: Option<f64>,
    /// The most that is allowed.
    #[serde(default)]
    at_most: Option<f64>,
}

impl JsonSchema for Query {
    fn schema_name() -> Cow<'static, str> {
        "Query".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        WrittenQuery::json_schema(generator)
    }
}

impl TryFrom<WrittenQuery> for Query {
    type Error = &'static str;

    fn try_from(written: WrittenQuery) -> Result<Self, &'static str> {
        if !written.same && written.is.is_none() {
            return Err("a query needs `same: true` or `is: …`, or both");
        }
        let question = Question { sql: written.sql, same: written.same, is: written.is };
        Ok(Self { name: written.name, question })
    }
}

impl Demands {
    /// Whether nothing is demanded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty() && self.queries.is_empty()
    }

    /// What is asked of both states.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        self.queries.iter().map(|query| query.question.clone()).collect()
    }
}

/// `is: null` wants a NULL; where `is` is not written, nothing is wanted.
fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Wanted>, D::Error> {
    Written::deserialize(deserializer)?.is().map(Some).map_err(de::Error::custom)
}

impl Forms for NumberBounds {
    const ALLOWED: &'static str = "`at_least` and `at_most`";
    type Map = Self;

    fn map(bounds: Self) -> Result<Self, &'static str> {
        match (bounds.at_least, bounds.at_most) {
            (None, None) => Err("`at_least` or `at_most` is missing"),
            (Some(least), Some(most)) if least > most => Err("`at_least` is more than `at_most`"),
            _ => Ok(bounds),
        }
    }
}

/// The forms of a wanted result, for the schema.
mod form {
    use schemars::JsonSchema;

    use super::NumberBounds;

    /// A result: one value, rows, or bounds of a number.
    #[derive(JsonSchema)]
    #[schemars(untagged)]
    #[expect(dead_code, reason = "only its shape is used")]
    pub(super) enum Is {
        /// One row with one value.
        Value(Value),
        /// Rows; a row of one value needs no brackets.
        Rows(Vec<Row>),
        /// One row with a number within these bounds.
        Within(NumberBounds),
    }

    /// A row: its values in their order, or its one value.
    #[derive(JsonSchema)]
    #[schemars(untagged)]
    #[expect(dead_code, reason = "only its shape is used")]
    pub(super) enum Row {
        /// The one value.
        One(Value),
        /// The values.
        Several(#[schemars(length(min = 1))] Vec<Value>),
    }

    /// A value. A number with a point is another value than one without.
    #[derive(JsonSchema)]
    #[schemars(extend("type" = ["null", "number", "string"]))]
    pub(super) struct Value(());
}

/// What may stand behind `is`, at any depth.
enum Written {
    Cell(Cell),
    List(Vec<Written>),
    Bounds(NumberBounds),
}

impl Written {
    fn is(self) -> Result<Wanted, &'static str> {
        match self {
            Self::Cell(cell) => Ok(Wanted::Value(cell)),
            Self::Bounds(NumberBounds { at_least, at_most }) => Ok(Wanted::Within { at_least, at_most }),
            Self::List(rows) => {
                let rows: Vec<Vec<Cell>> = rows.into_iter().map(Self::row).collect::<Result<_, _>>()?;
                let as_wide = rows.windows(2).all(|pair| pair[0].len() == pair[1].len());
                if as_wide { Ok(Wanted::Rows(rows)) } else { Err("the rows have different numbers of values") }
            }
        }
    }

    fn row(self) -> Result<Vec<Cell>, &'static str> {
        match self {
            Self::List(values) if values.is_empty() => Err("a row has at least one value"),
            Self::List(values) => values.into_iter().map(Self::cell).collect(),
            value => value.cell().map(|cell| vec![cell]),
        }
    }

    fn cell(self) -> Result<Cell, &'static str> {
        match self {
            Self::Cell(cell) => Ok(cell),
            Self::List(_) | Self::Bounds(_) => Err("a row is a list of values: null, numbers and texts"),
        }
    }
}

struct WrittenVisitor;

impl<'de> Visitor<'de> for WrittenVisitor {
    type Value = Written;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "a value (null, a number or a text; SQLite's truth values are 1 and 0), a list of rows, or `at_least` and `at_most`",
        )
    }

    fn visit_unit<E: de::Error>(self) -> Result<Written, E> {
        Ok(Written::Cell(Cell::Null))
    }

    fn visit_i64<E: de::Error>(self, integer: i64) -> Result<Written, E> {
        Ok(Written::Cell(Cell::Integer(integer)))
    }

    fn visit_u64<E: de::Error>(self, integer: u64) -> Result<Written, E> {
        let integer = i64::try_from(integer).map_err(|_| E::invalid_value(Unexpected::Unsigned(integer), &self))?;
        Ok(Written::Cell(Cell::Integer(integer)))
    }

    fn visit_f64<E: de::Error>(self, real: f64) -> Result<Written, E> {
        Ok(Written::Cell(Cell::Real(real)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Written, E> {
        Ok(Written::Cell(Cell::Text(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Written, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element()? {
            values.push(value);
        }
        Ok(Written::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Written, A::Error> {
        any_form(MapAccessDeserializer::new(map)).map(Written::Bounds)
    }
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WrittenVisitor)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::expectations::yaml;

    fn read(text: &str) -> Result<Demands, String> {
        yaml::parse(text, Path::new("e.yaml")).map_err(|error| error.to_string())
    }

    fn is(text: &str) -> Wanted {
        let demands = read(&format!("queries: [{{sql: SELECT 1, is: {text}}}]")).unwrap();
        demands.queries[0].question.is.clone().unwrap()
    }

    #[test]
    fn a_result_is_a_value_rows_or_bounds() {
        let text = |text: &str| Cell::Text(text.to_owned());
        assert_eq!(is("42"), Wanted::Value(Cell::Integer(42)));
        assert_eq!(is("-1.5"), Wanted::Value(Cell::Real(-1.5)));
        assert_eq!(is("null"), Wanted::Value(Cell::Null));
        assert_eq!(is("'42'"), Wanted::Value(text("42")));
        let rows = vec![vec![Cell::Integer(1), text("a")], vec![Cell::Integer(2), Cell::Null]];
        assert_eq!(is("[[1, a], [2, null]]"), Wanted::Rows(rows));
        assert_eq!(is("[1, a]"), Wanted::Rows(vec![vec![Cell::Integer(1)], vec![text("a")]]));
        assert_eq!(is("[]"), Wanted::Rows(Vec::new()));
        assert_eq!(is("{at_least: 1}"), Wanted::Within { at_least: Some(1.0), at_most: None });
    }

    #[test]
    fn what_is_no_query_is_refused() {
        for (query, wrong) in [
            ("{sql: SELECT 1}", "a query needs `same: true` or `is: …`, or both"),
            ("{sql: SELECT 1, same: false}", "a query needs `same: true` or `is: …`, or both"),
            ("{same: true}", "the key `sql` is missing"),
            ("{sql: SELECT 1, is: true}", "SQLite's truth values are 1 and 0"),
            ("{sql: SELECT 1, is: 9223372036854775808}", "found the number `9223372036854775808`"),
            ("{sql: SELECT 1, is: [[1, 2], [3]]}", "the rows have different numbers of values"),
            ("{sql: SELECT 1, is: [[]]}", "a row has at least one value"),
            ("{sql: SELECT 1, is: {least: 1}}", "unknown key `least`"),
            ("{sql: SELECT 1, is: {at_least: 2, at_most: 1}}", "`at_least` is more than `at_most`"),
            ("{sql: SELECT 1, sam: true}", "unknown key `sam`"),
        ] {
            let error = read(&format!("queries: [{query}]")).unwrap_err();
            assert!(error.contains(wrong), "{query}: {error}");
        }
    }
}
