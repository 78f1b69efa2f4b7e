//! The options of the command line as `rehearse.yaml` may say them, each under its own name with `_` for `-`.

use std::borrow::Cow;
use std::fmt;
use std::path::{Path, PathBuf};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Config;
use crate::execution::drivers::DRIVERS;
use crate::migrations::tools::TOOLS;
use crate::report::Format;
use crate::units::Text;

/// The level from which on findings count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum FailOn {
    /// Errors.
    Error,
    /// Warnings and errors.
    Warning,
    /// Every finding.
    Note,
    /// No finding.
    Never,
}

/// What may be shown of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Samples {
    /// Nothing.
    None,
    /// Their keys.
    Keys,
    /// Their keys, and what was and is there.
    Values,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// On a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// `on` or `off`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// The enum as words of the command line, without a line of help for each.
macro_rules! words {
    ($words:ident: $($variant:ident $name:literal),+) => {
        impl clap::ValueEnum for $words {
            fn value_variants<'a>() -> &'a [Self] {
                &[$(Self::$variant),+]
            }

            fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
                Some(clap::builder::PossibleValue::new(match self {
                    $(Self::$variant => $name),+
                }))
            }
        }
    };
}

words!(FailOn: Error "error", Warning "warning", Note "note", Never "never");
words!(Samples: None "none", Keys "keys", Values "values");
words!(Colour: Auto "auto", Always "always", Never "never");
words!(Switch: On "on", Off "off");

/// The name of a tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolName(pub String);

/// The name of a driver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DriverName(pub String);

/// The files that reports go to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReportFiles(pub Vec<(Format, PathBuf)>);

/// Every tool, in the order in which they are listed to people.
#[must_use]
pub fn tools() -> Vec<&'static str> {
    TOOLS.iter().map(|tool| tool.name).collect()
}

/// Every driver, each once.
#[must_use]
pub fn drivers() -> Vec<&'static str> {
    let mut names = Vec::new();
    for driver in DRIVERS {
        if !names.contains(&driver.name) {
            names.push(driver.name);
        }
    }
    names
}

fn formats() -> Vec<&'static str> {
    Format::ALL.iter().map(|format| format.name()).collect()
}

/// One option as the command line has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Its name, for example `fail-on`.
    pub option: String,
    /// Its values; of one that has none `true` or `false`.
    pub values: Vec<String>,
}

impl Config {
    /// The options that the file says, with paths as seen from the working directory.
    #[must_use]
    pub fn options(&self) -> Vec<Said> {
        let folder = self.file.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        let path = |path: &PathBuf| {
            let is_stdin = path == Path::new("-");
            if is_stdin { path.clone() } else { folder.join(path) }.to_string_lossy().into_owned()
        };
        let reports = self.report.0.iter().map(|(format, file)| format!("{}={}", format.name(), path(file)));
        let said = [
            ("snapshot", self.snapshot.as_ref().map(path)),
            ("snapshot-command", self.snapshot_command.clone()),
            ("snapshot-list", self.snapshot_list.as_ref().map(path)),
            ("shard", self.shard.map(|shard| shard.to_string())),
            ("migrations", self.migrations.as_ref().map(path)),
            ("tool", self.tool.as_ref().map(|tool| tool.0.clone())),
            ("driver", self.driver.as_ref().map(|driver| driver.0.clone())),
            ("foreign-keys", self.foreign_keys.map(word)),
            ("ledger-table", self.ledger_table.clone()),
            ("exec", self.exec.clone()),
            ("copy-at", self.copy_at.as_ref().map(|place| place.to_string_lossy().into_owned())),
            ("time-limit", self.time_limit.map(|limit| limit.to_string())),
            ("max-growth", self.max_growth.map(|size| size.to_string())),
            ("allow-unsafe-sql", self.allow_unsafe_sql.map(|on| on.to_string())),
            ("matrix", self.matrix.map(|on| on.to_string())),
            ("down", self.down.map(|on| on.to_string())),
            ("faults", self.faults.map(|on| on.to_string())),
            ("measure", self.measure.map(|on| on.to_string())),
            ("live", self.live.map(|on| on.to_string())),
            ("disk-free", self.disk_free.map(|size| size.to_string())),
            ("fail-on", self.fail_on.map(word)),
            ("samples", self.samples.map(word)),
            ("samples-limit", self.samples_limit.map(|rows| rows.to_string())),
            ("keep-copy", self.keep_copy.as_ref().map(path)),
            ("max-snapshot-age", self.max_snapshot_age.map(|age| age.to_string())),
            ("thorough", self.thorough.map(|on| on.to_string())),
            ("max-memory", self.max_memory.map(|memory| memory.to_string())),
            ("shred", self.shred.map(|on| on.to_string())),
            ("threads", self.threads.map(|threads| threads.to_string())),
            ("format", self.format.map(|format| format.name().to_owned())),
            ("quiet", self.quiet.map(|on| on.to_string())),
            ("verbose", self.verbose.map(|on| on.to_string())),
            ("color", self.color.map(word)),
        ];
        let reports = Said { option: "report".to_owned(), values: reports.collect() };
        let queries = Said { option: "queries".to_owned(), values: self.queries.iter().map(path).collect() };
        let single = said
            .into_iter()
            .map(|(option, value)| Said { option: option.to_owned(), values: value.into_iter().collect() });
        single.chain([reports, queries]).filter(|said| !said.values.is_empty()).collect()
    }
}

fn word<T: clap::ValueEnum + Copy>(value: T) -> String {
    value.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

/// The name where it is known; else the message that every unknown word gives.
fn known(name: &str, valid: &[&str]) -> Result<String, String> {
    if valid.contains(&name) {
        return Ok(name.to_owned());
    }
    let valid: Vec<String> = valid.iter().map(|name| format!("`{name}`")).collect();
    Err(format!("unknown variant `{name}`, expected one of {}", valid.join(", ")))
}

/// A whole number between two others.
///
/// # Errors
/// Where it is less or more.
pub fn between<'de, D: Deserializer<'de>, const LEAST: u16, const MOST: u16>(
    deserializer: D,
) -> Result<Option<u16>, D::Error> {
    deserializer.deserialize_u16(Between::<LEAST, MOST>).map(Some)
}

struct Between<const LEAST: u16, const MOST: u16>;

impl<const LEAST: u16, const MOST: u16> Visitor<'_> for Between<LEAST, MOST> {
    type Value = u16;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "a whole number between {LEAST} and {MOST}")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<u16, E> {
        let within = u16::try_from(number).ok().filter(|number| (LEAST..=MOST).contains(number));
        within.ok_or_else(|| E::custom(format!("{number} is not between {LEAST} and {MOST}")))
    }
}

impl<'de> Deserialize<'de> for ToolName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text("the name of a tool", |name| known(name, &tools()).map(Self)))
    }
}

impl<'de> Deserialize<'de> for DriverName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Text("the name of a driver", |name| known(name, &drivers()).map(Self)))
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let named = |name: &str| Self::named(name).ok_or_else(|| known(name, &formats()).err().unwrap_or_default());
        deserializer.deserialize_str(Text("the name of a format", named))
    }
}

impl<'de> Deserialize<'de> for ReportFiles {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Files)
    }
}

struct Files;

impl<'de> Visitor<'de> for Files {
    type Value = ReportFiles;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("formats with their files, for example `html: report.html`")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<ReportFiles, M::Error> {
        let mut files = ReportFiles::default();
        while let Some(entry) = map.next_entry()? {
            files.0.push(entry);
        }
        Ok(files)
    }
}

impl JsonSchema for ToolName {
    fn schema_name() -> Cow<'static, str> {
        "Tool".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "What manages the migrations.", "enum": tools() })
    }
}

impl JsonSchema for DriverName {
    fn schema_name() -> Cow<'static, str> {
        "Driver".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "The library that runs the migrations in production.", "enum": drivers() })
    }
}

impl JsonSchema for Format {
    fn schema_name() -> Cow<'static, str> {
        "Format".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "description": "The form of a report.", "enum": formats() })
    }
}

impl JsonSchema for ReportFiles {
    fn schema_name() -> Cow<'static, str> {
        "Reports".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let file = json_schema!({ "type": "string", "minLength": 1 });
        let files: serde_json::Map<_, _> =
            formats().into_iter().map(|name| (name.to_owned(), file.clone().to_value())).collect();
        json_schema!({
            "description": "A file for each format that is wanted.",
            "type": "object",
            "properties": files,
            "additionalProperties": false,
        })
    }
}
