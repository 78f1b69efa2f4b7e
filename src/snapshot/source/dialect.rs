//! Dumps of other databases, by what only those write.

use super::dump::first_words;
use crate::error::Error;
use crate::schema::lexer::tokens_of_bytes;

const MYSQL: &str = "MySQL or MariaDB";
const POSTGRES: &str = "PostgreSQL";

/// What is wrong with a dump of this database, as a clause.
pub(super) fn cause(database: &str) -> String {
    format!("it seems to be a dump of {database}, not of SQLite")
}

/// What to do about it.
pub(super) fn refused(error: Error) -> Error {
    error.rule("SN904").hint("rehearse needs the SQLite database, or a dump of it: `sqlite3 prod.db .dump`")
}

/// By the comments that a dump begins with.
pub(super) fn of_beginning(sample: &[u8]) -> Option<&'static str> {
    let end = tokens_of_bytes(sample).find(|token| !token.is_trivia()).map_or(sample.len(), |token| token.start);
    let comments = String::from_utf8_lossy(&sample[..end]);
    [
        ("-- MySQL dump", MYSQL),
        ("-- MariaDB dump", MYSQL),
        ("-- phpMyAdmin SQL Dump", MYSQL),
        ("/*!40", MYSQL),
        ("-- PostgreSQL database dump", POSTGRES),
    ]
    .into_iter()
    .find_map(|(mark, database)| comments.contains(mark).then_some(database))
}

/// By a statement that SQLite does not take.
pub(super) fn of_statement(sql: &[u8]) -> Option<&'static str> {
    let [first, second] = first_words(sql);
    match (first.as_str(), second.as_str()) {
        ("SET", "NAMES" | "") | ("LOCK" | "UNLOCK", "TABLES") | ("USE", _) | ("CREATE", "DATABASE") => Some(MYSQL),
        ("SET" | "COPY", _) | ("CREATE", "EXTENSION" | "SEQUENCE" | "TYPE" | "FUNCTION" | "SCHEMA") => Some(POSTGRES),
        ("CREATE", "TABLE") if contains(sql, "ENGINE=") || contains(sql, "AUTO_INCREMENT") => Some(MYSQL),
        ("ALTER", "TABLE") if contains(sql, " OWNER TO ") => Some(POSTGRES),
        ("INSERT", _) if contains(sql, "\\'") => Some(MYSQL),
        _ if sql.starts_with(b"\\") => Some(POSTGRES),
        _ => None,
    }
}

fn contains(sql: &[u8], wanted: &str) -> bool {
    sql.windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::{MYSQL, POSTGRES, of_beginning, of_statement};

    #[test]
    fn what_only_others_write() {
        for (sql, database) in [
            ("SET @OLD_CHARACTER_SET_CLIENT=1", Some(MYSQL)),
            ("SET NAMES utf8mb4", Some(MYSQL)),
            ("LOCK TABLES `users` WRITE", Some(MYSQL)),
            ("CREATE TABLE `u` (`id` int NOT NULL) ENGINE=InnoDB", Some(MYSQL)),
            ("INSERT INTO `u` VALUES (1,'O\\'Brien')", Some(MYSQL)),
            ("SET statement_timeout = 0", Some(POSTGRES)),
            ("COPY public.users (id) FROM stdin", Some(POSTGRES)),
            ("ALTER TABLE public.users OWNER TO app", Some(POSTGRES)),
            ("\\restrict abc", Some(POSTGRES)),
            ("INSERT INTO users VALUES (1)", None),
            ("CREATE TABLE engines (id)", None),
        ] {
            assert_eq!(of_statement(sql.as_bytes()), database, "{sql}");
        }
        assert_eq!(of_beginning(b"--\n-- PostgreSQL database dump\n--\nSET x;"), Some(POSTGRES));
        assert_eq!(of_beginning(b"-- of mine\nINSERT INTO t VALUES('-- MySQL dump')"), None);
    }
}
