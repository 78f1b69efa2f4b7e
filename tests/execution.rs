//! What each statement is recorded to have written, and how each driver runs the same files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, reason = "a test fails by panicking")]

mod rehearsed;

use rehearse::execution::Outcome;
use rehearsed::{changes, drizzle, plain};

/// Two parents; two children of the first, one of the second; grandchildren of both children of the first.
const FAMILY: &str = "
    CREATE TABLE p (id INTEGER PRIMARY KEY, n TEXT);
    CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p ON DELETE CASCADE ON UPDATE CASCADE);
    CREATE TABLE g (id INTEGER PRIMARY KEY, c INTEGER REFERENCES c ON DELETE CASCADE);
    CREATE TABLE s (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p ON DELETE SET NULL ON UPDATE SET NULL);
    INSERT INTO p VALUES (1, 'a'), (2, 'b');
    INSERT INTO c VALUES (1, 1), (2, 1), (3, 2);
    INSERT INTO g VALUES (1, 1), (2, 1), (3, 2);
    INSERT INTO s VALUES (1, 1), (2, NULL);";

/// Ten rows with a text key.
const TEN: &str = "
    CREATE TABLE t (id INTEGER PRIMARY KEY, k TEXT UNIQUE, v INTEGER);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10)
    INSERT INTO t SELECT i, 'k' || i, i * 10 FROM n;";

/// What the last statement wrote.
#[track_caller]
fn writes(driver: &str, before: &str, migration: &str, expected: &[&str]) {
    let rehearsal = plain(before, &[migration], driver);
    let execution = rehearsal.evidence.execution();
    assert_eq!(execution.outcome, Outcome::Completed, "{migration}");
    assert_eq!(changes(execution.steps.last().unwrap()), expected, "{migration}");
}

#[test]
fn rows_of_the_statement_itself_are_counted_also_where_sqlite_takes_a_short_cut() {
    let t = |migration, expected: &[&str]| writes("sqlite", TEN, migration, expected);
    t("INSERT INTO t VALUES (11, 'k11', 1)", &["t statement +1"]);
    t(
        "CREATE TABLE u (id INTEGER PRIMARY KEY, k TEXT UNIQUE, v INTEGER); INSERT INTO u SELECT * FROM t",
        &["u statement +10"],
    );
    t("DELETE FROM t", &["t statement -10"]);
    t("DELETE FROM t WHERE true", &["t statement -10"]);
    t("DELETE FROM t WHERE id > 7", &["t statement -3"]);
    t("UPDATE t SET v = v", &["t statement ~10"]);
    t("UPDATE t SET id = id + 100", &["t statement ~10"]);
    t("REPLACE INTO t VALUES (1, 'k2', 0)", &["t statement +1 -2"]);
    t("INSERT OR REPLACE INTO t VALUES (11, 'k2', 0)", &["t statement +1 -1"]);
    t("INSERT OR IGNORE INTO t VALUES (11, 'k2', 0), (12, 'k12', 0)", &["t statement +1"]);
    t("UPDATE OR REPLACE t SET k = 'k1' WHERE id = 5", &["t statement ~1 -1"]);
    t(
        "INSERT INTO t VALUES (1, 'x', 5), (11, 'y', 6) ON CONFLICT (id) DO UPDATE SET v = excluded.v",
        &["t statement +1 ~1"],
    );
    t("INSERT INTO t VALUES (1, 'x', 5) ON CONFLICT DO NOTHING", &[]);
    t("DROP TABLE t", &[]);
    t("ALTER TABLE t DROP COLUMN v", &[]);
    t("ALTER TABLE t ADD COLUMN w INTEGER NOT NULL DEFAULT 3", &[]);
    t("CREATE TEMP TABLE x (a); INSERT INTO x SELECT id FROM t", &[]);
    t("SELECT * FROM t", &[]);
}

#[test]
fn tables_without_rowid_and_with_autoincrement_are_counted() {
    let before = "CREATE TABLE w (a TEXT, b INTEGER, v, PRIMARY KEY (a, b)) WITHOUT ROWID;
        INSERT INTO w VALUES ('x', 1, 1), ('x', 2, 2), ('y', 1, 3);
        CREATE TABLE i (id INTEGER PRIMARY KEY AUTOINCREMENT, v);
        INSERT INTO i (v) VALUES (1), (2);";
    let w = |migration, expected: &[&str]| writes("sqlite", before, migration, expected);
    w("DELETE FROM w", &["w statement -3"]);
    w("DELETE FROM w WHERE a = 'x'", &["w statement -2"]);
    w("UPDATE w SET v = 0 WHERE a = 'x'", &["w statement ~2"]);
    w("REPLACE INTO w VALUES ('x', 1, 9)", &["w statement +1 -1"]);
    w("INSERT INTO w SELECT v, id, v FROM i", &["w statement +2"]);
    w("INSERT INTO i (v) SELECT v FROM w", &["i statement +3"]);
}

#[test]
fn what_foreign_keys_do_is_told_apart_from_the_statement() {
    let on = |migration, expected: &[&str]| writes("rusqlite", FAMILY, migration, expected);
    on("DELETE FROM p WHERE id = 1", &["c foreign-key -2", "g foreign-key -3", "p statement -1", "s foreign-key ~1"]);
    on("DELETE FROM p", &["c foreign-key -3", "g foreign-key -3", "p statement -2", "s foreign-key ~1"]);
    on("DROP TABLE p", &["c foreign-key -3", "g foreign-key -3", "p statement -2", "s foreign-key ~1"]);
    on(
        "REPLACE INTO p VALUES (1, 'z')",
        &["c foreign-key -2", "g foreign-key -3", "p statement +1 -1", "s foreign-key ~1"],
    );
    on("UPDATE p SET id = 9 WHERE id = 1", &["c foreign-key ~2", "p statement ~1", "s foreign-key ~1"]);
    let off = |migration, expected: &[&str]| writes("sqlite", FAMILY, migration, expected);
    off("DROP TABLE p", &[]);
    off("DELETE FROM p", &["p statement -2"]);
    off("UPDATE p SET id = 9 WHERE id = 1", &["p statement ~1"]);
    let set_default = "CREATE TABLE p (id INTEGER PRIMARY KEY);
        CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER DEFAULT 1 REFERENCES p ON DELETE SET DEFAULT);
        INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 2), (2, 2), (3, 1);";
    writes("rusqlite", set_default, "DELETE FROM p WHERE id = 2", &["c foreign-key ~2", "p statement -1"]);
    let itself = "CREATE TABLE n (id INTEGER PRIMARY KEY, up INTEGER REFERENCES n ON DELETE CASCADE);
        INSERT INTO n VALUES (1, NULL), (2, 1), (3, 2), (4, NULL);";
    writes("rusqlite", itself, "DELETE FROM n WHERE id = 1", &["n statement -1", "n foreign-key -2"]);
}

#[test]
fn what_triggers_do_is_told_apart_from_foreign_keys() {
    let nested = "CREATE TABLE a (x); CREATE TABLE b (x); CREATE TABLE c (x); CREATE VIEW v AS SELECT x FROM a;
        CREATE TRIGGER ab AFTER INSERT ON a BEGIN INSERT INTO b VALUES (new.x); END;
        CREATE TRIGGER bc AFTER INSERT ON b BEGIN INSERT INTO c VALUES (new.x), (new.x); END;
        CREATE TRIGGER vi INSTEAD OF INSERT ON v BEGIN INSERT INTO a VALUES (new.x); END;
        CREATE TRIGGER vd INSTEAD OF DELETE ON v BEGIN DELETE FROM a WHERE x = old.x; END;
        INSERT INTO a VALUES (1);";
    for driver in ["sqlite", "rusqlite"] {
        writes(driver, nested, "INSERT INTO a VALUES (2)", &["a statement +1", "b trigger +1", "c trigger +2"]);
        writes(driver, nested, "INSERT INTO v VALUES (2)", &["a trigger +1", "b trigger +1", "c trigger +2"]);
        writes(driver, nested, "DELETE FROM v", &["a trigger -1"]);
    }
    // The usual trigger that touches the row that was just written.
    let touch = "CREATE TABLE t (id INTEGER PRIMARY KEY, v, at);
        CREATE TRIGGER tt AFTER UPDATE OF v ON t BEGIN UPDATE t SET at = 1 WHERE id = new.id; END;
        INSERT INTO t VALUES (1, 1, 0), (2, 2, 0);";
    for driver in ["sqlite", "rusqlite"] {
        writes(driver, touch, "UPDATE t SET v = 0", &["t statement ~2", "t trigger ~2"]);
    }
    let own = "CREATE TABLE t (id INTEGER PRIMARY KEY, up INTEGER);
        CREATE TRIGGER td AFTER DELETE ON t BEGIN DELETE FROM t WHERE up = old.id; END;
        INSERT INTO t VALUES (1, NULL), (2, 1);";
    for driver in ["sqlite", "rusqlite"] {
        writes(driver, own, "DELETE FROM t WHERE id = 1", &["t statement -1", "t trigger -1"]);
    }
    // Both write the other table, in different ways.
    let both = "CREATE TABLE p (id INTEGER PRIMARY KEY);
        CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p ON DELETE CASCADE);
        CREATE TRIGGER pd AFTER DELETE ON p BEGIN INSERT INTO c VALUES (old.id + 100, NULL); END;
        INSERT INTO p VALUES (1), (2); INSERT INTO c VALUES (1, 1), (2, 1);";
    writes("rusqlite", both, "DELETE FROM p", &["c foreign-key -2", "c trigger +2", "p statement -2"]);
    writes("sqlite", both, "DELETE FROM p", &["c trigger +2", "p statement -2"]);
    // Both delete from the same table: SQLite does not tell them apart, and the foreign key is the one to name.
    let same = "CREATE TABLE p (id INTEGER PRIMARY KEY);
        CREATE TABLE c (id INTEGER PRIMARY KEY, p INTEGER REFERENCES p ON DELETE CASCADE);
        CREATE TRIGGER pd AFTER DELETE ON p BEGIN DELETE FROM c WHERE p IS NULL; END;
        INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1), (2, NULL);";
    writes("rusqlite", same, "DELETE FROM p", &["c foreign-key -2", "p statement -1"]);
    writes("sqlite", same, "DELETE FROM p", &["c trigger -1", "p statement -1"]);
}

#[test]
fn full_text_tables_write_their_shadow_tables() {
    let before = "CREATE TABLE d (id INTEGER PRIMARY KEY, body TEXT);
        CREATE VIRTUAL TABLE f USING fts5 (body, content = 'd', content_rowid = 'id');
        CREATE TRIGGER di AFTER INSERT ON d BEGIN INSERT INTO f (rowid, body) VALUES (new.id, new.body); END;
        INSERT INTO d VALUES (1, 'one two');";
    let rehearsal = plain(before, &["INSERT INTO d VALUES (2, 'three')"], "sqlite");
    let written = changes(rehearsal.evidence.execution().steps.last().unwrap());
    assert!(written.contains(&"d statement +1".to_owned()), "{written:?}");
    assert!(written.iter().any(|change| change.starts_with("f_docsize ")), "{written:?}");
}

// ---- drivers

const DRIZZLE_DRIVERS: [&str; 12] = [
    "better-sqlite3",
    "libsql",
    "node-sqlite",
    "bun-sqlite",
    "bun-sql",
    "sql-js",
    "d1",
    "durable-sqlite",
    "expo-sqlite",
    "op-sqlite",
    "tursodatabase",
    "sqlite-proxy",
];

/// One line for each driver, by its name.
fn each(outcome: impl Fn(&str) -> String) -> Vec<String> {
    DRIZZLE_DRIVERS.iter().map(|driver| format!("{driver}: {}", outcome(driver))).collect()
}

fn failure(rehearsal: &rehearse::Rehearsal) -> String {
    match &rehearsal.evidence.execution().outcome {
        Outcome::Failed(failure) => {
            let rolled_back = if failure.rolled_back { "rolled back" } else { "partly there" };
            format!("{} ({rolled_back})", failure.error.message)
        }
        outcome => format!("{outcome:?}"),
    }
}

fn rows_after(rehearsal: &rehearse::Rehearsal, table: &str) -> String {
    let compared = rehearsal.evidence.comparison().table_after(table);
    compared.and_then(|table| table.after.as_ref()).map_or("-".to_owned(), |after| after.rows.to_string())
}

#[test]
fn drivers_differ_in_what_a_rebuild_does_to_children() {
    let rebuild: &[&str] = &[
        "PRAGMA foreign_keys=OFF;",
        "CREATE TABLE __new_p (id INTEGER PRIMARY KEY, n TEXT NOT NULL);",
        "INSERT INTO __new_p(\"id\", \"n\") SELECT \"id\", \"n\" FROM p;",
        "DROP TABLE p;",
        "ALTER TABLE __new_p RENAME TO p;",
        "PRAGMA foreign_keys=ON;",
    ];
    let outcomes = each(|driver| {
        let rehearsal = drizzle(FAMILY, &[rebuild], driver);
        assert_eq!(rehearsal.evidence.execution().outcome, Outcome::Completed, "{driver}");
        format!("{} of 3 children, {} of 3 grandchildren", rows_after(&rehearsal, "c"), rows_after(&rehearsal, "g"))
    });
    let kept = "3 of 3 children, 3 of 3 grandchildren";
    let lost = "0 of 3 children, 0 of 3 grandchildren";
    let expected = |driver: &str| {
        if ["better-sqlite3", "node-sqlite", "d1", "durable-sqlite"].contains(&driver) { lost } else { kept }
    };
    assert_eq!(outcomes, each(|driver| expected(driver).to_owned()));
}

#[test]
fn drivers_differ_in_double_quoted_strings() {
    let outcomes = each(|driver| {
        let rehearsal = drizzle(TEN, &[&["UPDATE t SET k = \"w\" || id"]], driver);
        match &rehearsal.evidence.execution().outcome {
            Outcome::Completed => rehearsal.evidence.execution().steps[0].strings.join(","),
            _ => failure(&rehearsal),
        }
    });
    let strict = ["better-sqlite3", "libsql", "node-sqlite", "op-sqlite"];
    let expected = each(|driver| {
        if !strict.contains(&driver) {
            return "w".to_owned();
        }
        "no such column: \"w\" - should this be a string literal in single-quotes? (rolled back)".to_owned()
    });
    assert_eq!(outcomes, expected);
}

#[test]
fn drivers_differ_in_several_statements_and_empty_chunks() {
    let several = each(|driver| {
        let rehearsal = drizzle(TEN, &[&["CREATE TABLE a (x); CREATE TABLE b (x);"]], driver);
        let execution = rehearsal.evidence.execution();
        match &execution.outcome {
            Outcome::Completed => execution.steps.iter().filter(|step| step.ran && step.committed).count().to_string(),
            _ => failure(&rehearsal),
        }
    });
    let expected = each(|driver| match driver {
        "better-sqlite3" => "The supplied SQL string contains more than one statement (rolled back)".to_owned(),
        "bun-sql" | "d1" | "durable-sqlite" | "op-sqlite" | "sqlite-proxy" => "2".to_owned(),
        _ => "1".to_owned(),
    });
    assert_eq!(several, expected);
    let empty = each(|driver| {
        let rehearsal = drizzle(TEN, &[&["CREATE TABLE a (x);", "\n-- nothing\n"]], driver);
        match &rehearsal.evidence.execution().outcome {
            Outcome::Completed => "nothing".to_owned(),
            _ => "refused".to_owned(),
        }
    });
    let nothing = ["d1", "durable-sqlite", "op-sqlite", "sqlite-proxy"];
    assert_eq!(empty, each(|driver| if nothing.contains(&driver) { "nothing" } else { "refused" }.to_owned()));
}

#[test]
fn drivers_differ_in_what_a_failing_second_migration_leaves() {
    let outcomes = each(|driver| {
        let rehearsal = drizzle(
            TEN,
            &[&["UPDATE t SET v = 0;", "DELETE FROM t WHERE id = 1;"], &["DELETE FROM t;", "SELEC 1;"]],
            driver,
        );
        let after = rows_after(&rehearsal, "t");
        let committed = rehearsal.evidence.execution().steps.iter().filter(|step| step.committed).count();
        format!("{after} rows, {committed} committed, {}", failure(&rehearsal))
    });
    let expected = each(|driver| match driver {
        "op-sqlite" | "sqlite-proxy" => "0 rows, 3 committed, near \"SELEC\": syntax error (partly there)".to_owned(),
        _ => "10 rows, 0 committed, near \"SELEC\": syntax error (rolled back)".to_owned(),
    });
    assert_eq!(outcomes, expected);
}

#[test]
fn drivers_differ_in_own_transactions() {
    let own: &[&str] = &[
        "COMMIT;",
        "PRAGMA foreign_keys = OFF;",
        "BEGIN;",
        "DROP TABLE p;",
        "COMMIT;",
        "PRAGMA foreign_keys = ON;",
        "BEGIN;",
    ];
    let outcomes = each(|driver| {
        let rehearsal = drizzle(FAMILY, &[own], driver);
        match &rehearsal.evidence.execution().outcome {
            Outcome::Completed => format!("{} children", rows_after(&rehearsal, "c")),
            _ => failure(&rehearsal).chars().take(30).collect(),
        }
    });
    let expected = each(|driver| match driver {
        "libsql" => "TRANSACTION_CLOSED: The transa".to_owned(),
        "d1" | "durable-sqlite" => "To execute a transaction, plea".to_owned(),
        "op-sqlite" | "sqlite-proxy" => "cannot commit - no transaction".to_owned(),
        _ => "3 children".to_owned(),
    });
    assert_eq!(outcomes, expected);
}

#[test]
fn the_ledger_is_written_by_every_driver_and_is_no_change_of_the_migration() {
    for driver in DRIZZLE_DRIVERS {
        let rehearsal =
            drizzle(TEN, &[&["UPDATE t SET v = 1 WHERE id = 1;"], &["UPDATE t SET v = 2 WHERE id = 1;"]], driver);
        let after = &rehearsal.evidence.comparison().after;
        assert!(after.table("__drizzle_migrations").is_some(), "{driver}");
        let steps = &rehearsal.evidence.execution().steps;
        assert_eq!(steps.iter().map(changes).collect::<Vec<_>>(), [["t statement ~1"], ["t statement ~1"]], "{driver}");
        assert!(steps.iter().all(|step| step.committed), "{driver}");
        assert_eq!(rehearsal.evidence.comparison().tables.len(), 1, "{driver}");
    }
}

#[test]
fn what_a_savepoint_takes_back_is_not_committed() {
    let migration = "SAVEPOINT a; UPDATE t SET v = 1; SAVEPOINT b; DELETE FROM t; ROLLBACK TO b; RELEASE a;
        UPDATE t SET v = 2";
    let rehearsal = plain(TEN, &[migration], "sqlite");
    let steps = &rehearsal.evidence.execution().steps;
    let committed: Vec<bool> = steps.iter().map(|step| step.committed).collect();
    assert_eq!(committed, [true, true, true, false, true, true, true]);
}

/// The proof of the finding with this code.
fn proof(rehearsal: &rehearse::Rehearsal, code: &str) -> Option<String> {
    rehearsal.findings.iter().find(|finding| finding.rule.code == code).unwrap().proof.clone()
}

#[test]
fn what_hangs_on_one_setting_is_proven_by_turning_it() {
    let strings = plain(TEN, &["CREATE TABLE u (n TEXT);\nINSERT INTO u SELECT \"nn\" FROM t;"], "sqlite");
    let shown = "rehearsed again with double-quoted strings refused: line 2 fails with `no such column: \"nn\"`";
    assert_eq!(proof(&strings, "TX510").as_deref(), Some(shown));

    let chunk = "CREATE TABLE u (n TEXT); ALTER TABLE t ADD c TEXT; INSERT INTO u VALUES ('a'), ('b');";
    let chunks = drizzle(TEN, &[&[chunk]], "libsql");
    let shown = "rehearsed again with every statement of a chunk run: `t.c` is there and 2 rows of `u` are written";
    assert_eq!(proof(&chunks, "TX514").as_deref(), Some(shown));

    let halves: &[&[&str]] =
        &[&["CREATE TABLE u (n TEXT)", "INSERT INTO u VALUES ('a')", "INSERT INTO t VALUES (1, 'x', 1)"]];
    let alone = drizzle(TEN, halves, "sqlite-proxy");
    let shown = "rehearsed again in one transaction: everything is rolled back";
    assert_eq!(proof(&alone, "TX506").as_deref(), Some(shown));
    let together = drizzle(TEN, halves, "better-sqlite3");
    assert!(together.findings.iter().all(|finding| finding.rule.code != "TX506"));
}

#[test]
fn every_foreign_key_that_nulls_is_told() {
    let before = "
        CREATE TABLE p (id INTEGER PRIMARY KEY);
        CREATE TABLE c (id INTEGER PRIMARY KEY, a INTEGER REFERENCES p ON DELETE SET NULL, b INTEGER REFERENCES p ON DELETE SET NULL);
        INSERT INTO p VALUES (1), (2);
        INSERT INTO c VALUES (1, 1, 2), (2, 2, NULL);";
    let rehearsal = plain(before, &["DELETE FROM p WHERE id = 2 OR id = 1"], "rusqlite");
    let told: Vec<_> = rehearsal
        .findings
        .iter()
        .filter(|finding| finding.rule.code == "LS103")
        .map(|finding| (finding.column.clone().unwrap(), finding.rows))
        .collect();
    assert_eq!(told, [("a".to_owned(), Some(2)), ("b".to_owned(), Some(1))]);
}
