//! What became of the app's queries, in one line.

use super::document::Queries;
use crate::findings::wording::{count, number};

/// `214 in 3 files; 211 work on both schemas, 3 only on the old one; left out: 3 pragmas`.
#[must_use]
pub fn queries_of_the_app(queries: &Queries) -> String {
    let mut parts = vec![format!("{} in {}", number(queries.queries), count(queries.files, "file"))];
    match &queries.works {
        None => parts.push("not checked, because the migrations did not run to their end".to_owned()),
        Some(works) => {
            let others = [
                (works.before, "only on the old one"),
                (works.after, "only on the new one"),
                (works.neither, "on neither"),
                (works.unknown, "not checked"),
            ];
            let others = others.iter().filter(|(queries, _)| *queries > 0);
            let others = others.map(|(queries, which)| format!("{} {which}", number(*queries)));
            let work = if works.both == 1 { "works" } else { "work" };
            let both = format!("{} {work} on both schemas", number(works.both));
            parts.push([both].into_iter().chain(others).collect::<Vec<_>>().join(", "));
            parts.extend((works.compared > 0).then(|| format!("{} compared", count(works.compared, "result"))));
        }
    }
    let left_out: Vec<String> = queries.left_out.iter().map(|(what, statements)| left_out(what, *statements)).collect();
    parts.extend((!left_out.is_empty()).then(|| format!("left out: {}", left_out.join(", "))));
    parts.join("; ")
}

/// So many statements that are no queries.
fn left_out(what: &str, statements: u64) -> String {
    match what {
        "transaction" => count(statements, "transaction statement"),
        "upkeep" => count(statements, "upkeep statement"),
        "other-database" => format!("{} for another database", number(statements)),
        "other-line" => count(statements, "other line"),
        what => count(statements, what),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::report::document::QueriesWork;

    #[test]
    fn every_number_that_is_not_nothing_is_told() {
        let works = QueriesWork { both: 1, before: 2, after: 3, neither: 4, unknown: 5, compared: 1 };
        let left_out = [("definition", 1), ("other-database", 2), ("other-line", 3), ("upkeep", 1)];
        let left_out: BTreeMap<String, u64> = left_out.map(|(what, number)| (what.to_owned(), number)).into();
        let queries = Queries {
            files: 1,
            queries: 1_204,
            occurrences: 2_000,
            left_out,
            sha256: String::new(),
            works: Some(works),
        };
        assert_eq!(
            queries_of_the_app(&queries),
            "1,204 in 1 file; 1 works on both schemas, 2 only on the old one, 3 only on the new one, 4 on neither, 5 not checked; \
             1 result compared; left out: 1 definition, 2 for another database, 3 other lines, 1 upkeep statement"
        );
        let unchecked = Queries { left_out: BTreeMap::new(), works: None, ..queries };
        assert_eq!(
            queries_of_the_app(&unchecked),
            "1,204 in 1 file; not checked, because the migrations did not run to their end"
        );
    }
}
