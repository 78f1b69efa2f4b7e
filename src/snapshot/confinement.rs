//! What SQL that others wrote may not do: reach files other than the database that it runs on.

use rusqlite::hooks::AuthAction;

/// Whether a statement wants to read or write another file: ATTACH, VACUUM INTO (which attaches its target), and the pragmas that
/// say where SQLite puts files. VACUUM attaches a nameless temporary database; that one is SQLite's own.
pub(crate) fn reaches_another_file(action: &AuthAction<'_>) -> bool {
    match action {
        AuthAction::Attach { filename } => !filename.is_empty() && *filename != ":memory:",
        AuthAction::Pragma { pragma_name, pragma_value: Some(_) } => {
            ["temp_store_directory", "data_store_directory"].iter().any(|name| pragma_name.eq_ignore_ascii_case(name))
        }
        _ => false,
    }
}
