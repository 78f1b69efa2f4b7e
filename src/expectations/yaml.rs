//! YAML files in. The only module that uses the YAML crate.

use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::{Doing, Error};

/// Reads a YAML file. An error names the file, the line, the column, and what is allowed there.
///
/// # Errors
/// Where the file cannot be read, is not YAML, or does not have the shape of `T`.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = std::fs::read_to_string(path).doing(|| format!("reading `{}`", path.display()))?;
    parse(&text, path)
}

/// Reads YAML text that came from `path`.
///
/// # Errors
/// Where the text is not YAML or does not have the shape of `T`.
pub fn parse<T: DeserializeOwned>(text: &str, path: &Path) -> Result<T, Error> {
    yaml_serde::from_str(text).map_err(|error| {
        let place = match error.location() {
            Some(location) => format!("{}:{}:{}", path.display(), location.line(), location.column()),
            None => path.display().to_string(),
        };
        Error::usage(format!("reading `{place}`"), without_place(&error.to_string()))
    })
}

/// The message without the ` at line 3 column 7` that the crate appends: the place stands at the front already.
fn without_place(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(front, _)| front)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Shape {
        #[expect(dead_code, reason = "only the errors are looked at")]
        rows: u64,
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place_and_what_is_allowed() {
        let error = parse::<Shape>("rows: 1\nrwos: 2\n", Path::new("a.yaml")).unwrap_err();
        assert_eq!(error.to_string(), "reading `a.yaml:2:1`: unknown field `rwos`, expected `rows`");
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_named_with_its_place() {
        let error = parse::<Shape>("rows: many\n", Path::new("a.yaml")).unwrap_err();
        assert_eq!(error.to_string(), "reading `a.yaml:1:7`: rows: invalid type: string \"many\", expected u64");
    }
}
