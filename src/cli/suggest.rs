//! What was meant by a name that is not known.

use rehearse::error::Error;

/// "there is no tool `drizle`; did you mean `drizzle`? …" with everything that is valid.
pub fn unknown(what: &str, given: &str, valid: &[&str]) -> String {
    let given_shown = rehearse::report::visible::visible(given);
    let meant = nearest(given, valid).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
    format!("there is no {what} `{given_shown}`{meant}\n  valid: {}", valid.join(", "))
}

/// The same as an error of usage; what is valid is for the caller to hint at.
pub fn unknown_error(doing: &str, what: &str, given: &str, valid: &[&str]) -> Error {
    let error = Error::usage(doing, format!("there is no {what} `{given}`"));
    match nearest(given, valid) {
        Some(name) => error.hint(format!("did you mean `{name}`?")),
        None => error,
    }
}

/// The valid name that is most like the given one, where one is like it.
pub fn nearest<'a>(given: &str, valid: &[&'a str]) -> Option<&'a str> {
    let given = given.to_lowercase();
    valid
        .iter()
        .map(|name| (strsim::jaro_winkler(&given, &name.to_lowercase()), *name))
        .filter(|(likeness, _)| *likeness > 0.78)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn nearest_name() {
        let drivers = ["better-sqlite3", "libsql", "bun-sqlite", "d1"];
        assert_eq!(nearest("better-sqlite", &drivers), Some("better-sqlite3"));
        assert_eq!(nearest("LIBSQL", &drivers), Some("libsql"));
        assert_eq!(nearest("postgres", &drivers), None);
    }
}
