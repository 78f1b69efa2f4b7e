//! The JSON schemas of the YAML files, for editors: made from the types into which the files are read, and, where a type reads
//! itself in several forms, from the forms that are written here.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::scenario::{ExpectedFinding, RuleCode, Scenario};
use crate::findings::catalogue::RULES;
use crate::findings::waivers::{Date, Entry, Reason, Waivable};
use crate::findings::{Level, Levels, Waiver};

/// The schema of a scenario.
#[must_use]
pub fn scenario() -> Value {
    of::<Scenario>("a scenario of rehearse")
}

/// The schema of the file that is read into a `T`.
#[must_use]
pub fn of<T: JsonSchema>(title: &str) -> Value {
    let mut schema: Schema = SchemaSettings::draft07().into_generator().into_root_schema_for::<T>();
    schema.insert("title".to_owned(), title.into());
    schema.to_value()
}

impl JsonSchema for RuleCode {
    fn schema_name() -> Cow<'static, str> {
        "Rule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = RULES.iter().flat_map(|rule| [rule.code, rule.name]).collect();
        json_schema!({ "description": "A rule, by its code or its name.", "enum": names })
    }
}

impl JsonSchema for Levels {
    fn schema_name() -> Cow<'static, str> {
        "Levels".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let level = generator.subschema_for::<Level>();
        let named = |description: String| json!({ "description": description, "allOf": [level] });
        let mut properties = Map::new();
        for rule in RULES {
            let every = || named(format!("Every rule of the family {}.", rule.family()));
            properties.entry(rule.family()).or_insert_with(every);
            properties.insert(rule.code.to_owned(), named(format!("{}: {}.", rule.name, rule.when)));
            properties.insert(rule.name.to_owned(), named(format!("{}: {}.", rule.code, rule.when)));
        }
        json_schema!({
            "description": "Levels by rule (its code or its name) or family; a rule's wins over its family's.",
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        })
    }
}

impl JsonSchema for Waiver {
    fn schema_name() -> Cow<'static, str> {
        "Waiver".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Entry::json_schema(generator)
    }
}

impl JsonSchema for Waivable {
    fn schema_name() -> Cow<'static, str> {
        "WaivableRule".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let rules = RULES.iter().filter(|rule| Self::is_waivable(rule));
        let names: Vec<&str> = rules.flat_map(|rule| [rule.code, rule.name]).collect();
        json_schema!({ "description": "A rule, by its code or its name.", "enum": names })
    }
}

impl JsonSchema for Date {
    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pattern = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$";
        json_schema!({ "description": "A day such as 2026-12-31.", "type": "string", "pattern": pattern })
    }
}

impl JsonSchema for Reason {
    fn schema_name() -> Cow<'static, str> {
        "Reason".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "The reason in words.", "type": "string", "pattern": "\\S" })
    }
}

impl JsonSchema for ExpectedFinding {
    fn schema_name() -> Cow<'static, str> {
        "ExpectedFinding".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let rule = generator.subschema_for::<RuleCode>();
        let level = generator.subschema_for::<Level>();
        let rules: Vec<String> = RULES.iter().map(|rule| format!("{}|{}", rule.code, rule.name)).collect();
        let short = format!("^({})( .+)?$", rules.join("|"));
        let text = json!({ "type": ["string", "null"] });
        let number = json!({ "type": ["integer", "null"], "minimum": 0 });
        json_schema!({
            "description": "A finding: `CODE`, `CODE table`, `CODE table.column: rows`, or a map.",
            "anyOf": [
                { "type": "string", "pattern": short },
                {
                    "type": "object",
                    "patternProperties": { (short): number },
                    "additionalProperties": false,
                    "minProperties": 1,
                    "maxProperties": 1,
                },
                {
                    "type": "object",
                    "properties": {
                        "rule": rule,
                        "table": text,
                        "column": text,
                        "object": text,
                        "migration": text,
                        "line": number,
                        "rows": number,
                        "level": { "anyOf": [level, { "type": "null" }] },
                    },
                    "required": ["rule"],
                    "additionalProperties": false,
                },
            ],
        })
    }
}
