//! What was meant by a name that is not known.

use rehearse::error::Error;
use rehearse::findings::wording::nearest;

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
