//! A part of the databases that one of several machines takes.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer};
use xxhash_rust::xxh3::xxh3_64;

use crate::units::Text;

/// Parts at most.
const MOST: u32 = 100_000;

/// One of several parts. Which databases are in it only their names decide: not their order, their number or the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    /// Which part it is, from 1.
    pub part: u32,
    /// How many there are.
    pub of: u32,
}

impl Shard {
    /// Whether the database of this name is in it: by the XXH3-64 hash of the name, without a seed, modulo the number of parts.
    #[must_use]
    pub fn takes(self, name: &str) -> bool {
        xxh3_64(name.as_bytes()) % u64::from(self.of) == u64::from(self.part - 1)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.part, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('/').map(|(part, of)| (part.parse::<u32>(), of.parse::<u32>()));
        let Some((Ok(part), Ok(of))) = parts else {
            return Err("write PART/PARTS, for example 3/16".to_owned());
        };
        match (part, of) {
            (_, 0) => Err("there is at least 1 part".to_owned()),
            (_, of) if of > MOST => Err(format!("there are at most {MOST} parts")),
            (0, of) => Err(format!("parts are counted from 1: the first one is 1/{of}")),
            (part, of) if part > of => Err(format!("there is no part {part} of {of}: the last one is {of}/{of}")),
            (part, of) => Ok(Self { part, of }),
        }
    }
}

impl<'de> Deserialize<'de> for Shard {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text("a part such as 3/16", str::parse))
    }
}

impl JsonSchema for Shard {
    fn schema_name() -> Cow<'static, str> {
        "ShardOption".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A part of many databases, from 1.",
            "type": "string",
            "pattern": "^[1-9][0-9]*/[1-9][0-9]*$",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Shard;

    #[test]
    fn a_shard_is_read_as_it_is_written() {
        for text in ["1/1", "3/16", "16/16"] {
            assert_eq!(text.parse::<Shard>().unwrap().to_string(), text);
        }
        for text in ["", "3", "0/16", "17/16", "1/0", "-1/2", "1/2/3", "a/b", "1/100001", " 1/2"] {
            assert!(text.parse::<Shard>().is_err(), "{text}");
        }
    }

    #[test]
    fn every_name_is_in_exactly_one_part_and_stays_there() {
        for of in [1, 2, 7, 16] {
            for number in 0..500 {
                let name = format!("tenants/{number}.db");
                let parts = (1..=of).filter(|part| Shard { part: *part, of }.takes(&name)).count();
                assert_eq!(parts, 1, "{name} of {of}");
            }
        }
        // What python-xxhash gives: another machine or version must find the same.
        let part = |name: &str| (1..=16).find(|part| Shard { part: *part, of: 16 }.takes(name)).unwrap();
        assert_eq!(["acme.db", "a/b.db", "文.db"].map(part), [2, 15, 1]);
    }
}
