//! Damage of many kinds, done to tables of every kind by migrations that look innocent: each is found with its rule, table, column
//! and exact number. Which rows and values are hit is drawn from a seed; what really differs is counted here, in Rust, over both
//! files, apart from the code under test.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::panic, reason = "a test fails by panicking")]

mod rehearsed;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::Path;

use rehearse::Rehearsal;
use rehearse::execution::Outcome;
use rehearse::findings::{Finding, Level};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use rehearsed::{alarms, brief, plain, plain_in};

/// Rows of every table that is damaged.
const ROWS: u64 = 1_200;

/// A kind of table. Beside its key each has the columns of [`COLUMNS`], of which `seq` numbers the rows and is never damaged.
struct Kind {
    name: &'static str,
    /// Runs before the table is made.
    setup: &'static str,
    /// Columns of the key with their definitions, each followed by a comma.
    key: &'static str,
    /// What the key columns hold in row `i`.
    values: &'static str,
    /// Names of the key columns; none: by rowid.
    names: &'static [&'static str],
    /// What follows the columns.
    constraints: &'static str,
    /// What follows the parentheses.
    options: &'static str,
}

const COLUMNS: &[&str] = &["seq", "bio", "code", "score", "n", "data", "nick"];
const DEFINITIONS: &str = "seq INT, bio TEXT, code BLOB, score REAL, n INT DEFAULT 7, data BLOB, nick TEXT";
const VALUES: &str = "i, 'Bio of ' || i || ' ' || char(228, 20013), printf('%05d', i), i * 0.1, i % 97,
    CAST('data ' || i AS BLOB), CASE i % 5 WHEN 0 THEN '' WHEN 1 THEN NULL ELSE 'nick ' || i END";

const fn kind(name: &'static str, key: &'static str, values: &'static str, names: &'static [&'static str]) -> Kind {
    Kind { name, setup: "", key, values, names, constraints: "", options: "" }
}

const KINDS: &[Kind] = &[
    kind("integer primary key", "id INTEGER PRIMARY KEY,", "i,", &["id"]),
    kind("autoincrement", "id INTEGER PRIMARY KEY AUTOINCREMENT,", "i * 3,", &["id"]),
    kind("text primary key", "id TEXT NOT NULL PRIMARY KEY,", "printf('%x', i * 7919 % 100003),", &["id"]),
    kind("nocase key", "id TEXT COLLATE NOCASE NOT NULL PRIMARY KEY,", "printf('K%x', i * 7919 % 100003),", &["id"]),
    kind("unique not null key", "id INT NOT NULL UNIQUE,", "-i,", &["id"]),
    kind("no key", "", "", &[]),
    Kind {
        constraints: ", PRIMARY KEY (part DESC, id)",
        ..kind("composite key", "id INT NOT NULL, part TEXT NOT NULL,", "i / 3, 'p' || (i % 3),", &["id", "part"])
    },
    Kind {
        constraints: ", PRIMARY KEY (part, id)",
        options: " WITHOUT ROWID",
        ..kind("without rowid", "id INT, part BLOB,", "i / 3, CAST('p' || (i % 3) AS BLOB),", &["id", "part"])
    },
    Kind { options: " STRICT", ..kind("strict", "id INTEGER PRIMARY KEY,", "i,", &["id"]) },
    Kind {
        setup: "PRAGMA encoding = 'UTF-16le';",
        ..kind("UTF-16le", "id TEXT NOT NULL PRIMARY KEY,", "'k' || char(955) || i,", &["id"])
    },
    Kind { setup: "PRAGMA encoding = 'UTF-16be';", ..kind("UTF-16be", "id INTEGER PRIMARY KEY,", "i,", &["id"]) },
    Kind {
        setup: "PRAGMA page_size = 512;",
        constraints: ", g GENERATED ALWAYS AS (n * 2) VIRTUAL, h TEXT AS ('=' || n) STORED",
        ..kind("generated columns", "id INTEGER PRIMARY KEY,", "i,", &["id"])
    },
];

impl Kind {
    fn is(&self, name: &str) -> bool {
        self.name == name
    }

    /// The definition with something of it said in another way.
    fn definition(&self, table: &str, from: &str, to: &str) -> String {
        // Only in a STRICT table does ANY keep what it is given.
        let columns =
            if self.options.contains("STRICT") { DEFINITIONS.replace("BLOB", "ANY") } else { DEFINITIONS.to_owned() };
        let columns = columns.replace(from, to);
        format!("CREATE TABLE {table} ({}{columns}{}){};", self.key, self.constraints, self.options)
    }

    fn database(&self) -> String {
        let names: Vec<&str> = self.names.iter().chain(COLUMNS).copied().collect();
        format!(
            "{setup} {definition}
            CREATE TABLE series (i INTEGER PRIMARY KEY);
            WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) INSERT INTO series SELECT i FROM n;
            INSERT INTO items ({names}) SELECT {values} {VALUES} FROM series;
            CREATE INDEX items_n ON items (n);",
            setup = self.setup,
            definition = self.definition("items", "", ""),
            names = names.join(", "),
            values = self.values,
        )
    }

    /// The rebuild of `items` into this definition, which copies these expressions in the place of columns; `rest` stands after FROM.
    fn rebuild_as(&self, definition: &str, replaced: &[(&str, &str)], rest: &str) -> String {
        let all: Vec<&str> = self.names.iter().chain(COLUMNS).copied().collect();
        let written: Vec<&str> = all.into_iter().filter(|name| !replaced.contains(&(*name, ""))).collect();
        let expression = |name: &&str| {
            let other = replaced.iter().find(|(other, _)| other == name);
            other.map_or_else(|| format!("items.{name}"), |(_, text)| (*text).to_owned())
        };
        let selected: Vec<String> = written.iter().map(expression).collect();
        format!(
            "{definition} INSERT INTO __new_items ({}) SELECT {} FROM items {rest};
            DROP TABLE items; ALTER TABLE __new_items RENAME TO items; CREATE INDEX items_n ON items (n);",
            written.join(", "),
            selected.join(", ")
        )
    }

    fn rebuild(&self, replaced: &[(&str, &str)], rest: &str) -> String {
        self.rebuild_as(&self.definition("__new_items", "", ""), replaced, rest)
    }
}

/// Numbers from a seed: `SplitMix64`.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

/// What is done to the values of one column: in some rows `column` becomes `expression`.
struct ValueDamage {
    name: &'static str,
    /// Runs on the snapshot: values that this damage needs, where `PICK` stands for the rows that are hit.
    prepare: &'static str,
    column: &'static str,
    expression: &'static str,
    rule: &'static str,
    /// The tables that cannot hold such a value.
    not_in: &'static [&'static str],
}

const fn damage(name: &'static str, column: &'static str, expression: &'static str, rule: &'static str) -> ValueDamage {
    ValueDamage { name, prepare: "", column, expression, rule, not_in: &[] }
}

const UTF16: &[&str] = &["UTF-16le", "UTF-16be"];

const VALUE_DAMAGES: &[ValueDamage] = &[
    damage("another text", "bio", "'other'", "VL203"),
    damage("one letter of a text", "bio", "replace(bio, 'B', 'D')", "VL203"),
    damage("another language", "bio", "replace(bio, char(228), 'ae')", "VL203"),
    damage("the sign of a number", "n", "-1 - n", "VL203"),
    damage("one more", "n", "n + 1", "VL203"),
    damage("one ulp", "score", "score * 1.0000000000000002", "VL203"),
    damage("a tenth", "score", "score / 10", "VL203"),
    ValueDamage {
        prepare: "UPDATE items SET data = 0.0 WHERE PICK",
        ..damage("minus zero", "data", "data * -1.0", "VL203")
    },
    damage("one bit of a blob", "data", "CAST('dAta' || substr(CAST(data AS TEXT), 5) AS BLOB)", "VL203"),
    damage("the end of a blob", "data", "substr(data, 1, 3)", "VL203"),
    damage("a trailing blank", "bio", "bio || ' '", "VL203"),
    ValueDamage {
        prepare: "UPDATE items SET bio = '  ' || bio || ' ' WHERE PICK",
        ..damage("trimmed", "bio", "trim(bio)", "VL208")
    },
    damage("lower case", "bio", "lower(bio)", "VL208"),
    damage("upper case", "bio", "upper(bio)", "VL208"),
    damage("cut after four letters", "bio", "substr(bio, 1, 4)", "VL208"),
    ValueDamage {
        prepare: "UPDATE items SET bio = 'before' || char(0) || 'after' WHERE PICK",
        ..damage("cut at a NUL", "bio", "substr(bio, 1, 6)", "VL208")
    },
    ValueDamage {
        prepare: "UPDATE items SET bio = 'a' || char(0) || 'b' WHERE PICK",
        ..damage("a NUL taken out", "bio", "'ab'", "VL208")
    },
    ValueDamage {
        not_in: UTF16,
        prepare: "UPDATE items SET bio = CAST(x'61ff62' AS TEXT) WHERE PICK",
        ..damage("a byte that is no UTF-8 replaced", "bio", "'a' || char(65533) || 'b'", "VL208")
    },
    ValueDamage {
        prepare: "UPDATE items SET bio = 'Stra' || char(223) || 'e ' || n WHERE PICK",
        ..damage("UTF-8 read as Latin-1", "bio", "replace(bio, char(223), char(195, 159))", "VL208")
    },
    damage("leading zeros", "code", "CAST(code AS INTEGER)", "VL205"),
    ValueDamage {
        prepare: "UPDATE items SET code = '7e2' WHERE PICK",
        ..damage("an exponent", "code", "CAST(code AS NUMERIC)", "VL205")
    },
    ValueDamage {
        prepare: "UPDATE items SET code = 'word' WHERE PICK",
        ..damage("a word becomes 0", "code", "CAST(code AS INTEGER)", "VL205")
    },
    ValueDamage {
        prepare: "UPDATE items SET code = 9007199254740993 WHERE PICK",
        ..damage("beyond 2^53", "code", "CAST(code AS REAL)", "VL205")
    },
    ValueDamage {
        prepare: "UPDATE items SET code = '123456789012345678' WHERE PICK",
        ..damage("a long number in a text", "code", "CAST(code AS REAL)", "VL205")
    },
    ValueDamage {
        prepare: "UPDATE items SET code = n + 0.5 WHERE PICK",
        ..damage("a fraction", "code", "CAST(code AS INTEGER)", "VL205")
    },
    ValueDamage {
        prepare: "UPDATE items SET code = '12' WHERE PICK",
        ..damage("a number in a text", "code", "CAST(code AS INTEGER)", "VL204")
    },
    ValueDamage {
        prepare: "UPDATE items SET code = 12 WHERE PICK",
        ..damage("an integer becomes a real", "code", "CAST(code AS REAL)", "VL204")
    },
    ValueDamage {
        prepare: "UPDATE items SET code = 12 WHERE PICK",
        ..damage("a number becomes a text", "code", "CAST(code AS TEXT)", "VL204")
    },
    damage("a text becomes a blob", "code", "CAST(code AS BLOB)", "VL204"),
    damage("a blob becomes a text", "data", "CAST(data AS TEXT)", "VL204"),
    damage("NULL", "bio", "NULL", "VL202"),
    damage("NULL for a number", "n", "NULL", "VL202"),
    ValueDamage {
        prepare: "UPDATE items SET nick = '' WHERE PICK",
        ..damage("NULL for an empty text", "nick", "nullif(nick, '')", "VL209")
    },
    ValueDamage {
        prepare: "UPDATE items SET nick = NULL WHERE PICK",
        ..damage("an empty text for NULL", "nick", "coalesce(nick, '')", "VL209")
    },
];

/// What really differs, counted by `seq`.
#[derive(Debug, Default, PartialEq, Eq)]
struct Truth {
    lost: u64,
    gained: u64,
    /// Changed values by column, of those that changed.
    changed: BTreeMap<String, u64>,
    /// Values that became equal to others, by column, where all were different and none a real.
    collapsed: BTreeMap<String, u64>,
}

/// A value: storage class and bytes.
type Exact = (u8, Vec<u8>);

/// The rows of a table by `seq`, several where it has doubles, and the names of its columns.
struct Rows {
    names: Vec<String>,
    by_seq: BTreeMap<i64, Vec<Vec<Exact>>>,
}

const NULL: u8 = 0;
const REAL: u8 = 2;

impl Truth {
    fn of(before: &Path, after: &Path) -> Self {
        let (before, after) = (Rows::of(before), Rows::of(after));
        let mut truth = Self::default();
        let shared: Vec<(usize, usize)> =
            before.names.iter().enumerate().filter_map(|(old, name)| Some((old, after.place(name)?))).collect();
        let none = Vec::new();
        let new_ones = after.by_seq.keys().filter(|seq| !before.by_seq.contains_key(seq));
        for seq in before.by_seq.keys().chain(new_ones) {
            let (old, new) = (before.by_seq.get(seq).unwrap_or(&none), after.by_seq.get(seq).unwrap_or(&none));
            truth.lost += old.len().saturating_sub(new.len()) as u64;
            truth.gained += new.len().saturating_sub(old.len()) as u64;
            for (old, new) in old.iter().zip(new) {
                for (place, _) in shared.iter().filter(|(place, now)| old[*place] != new[*now]) {
                    *truth.changed.entry(before.names[*place].clone()).or_default() += 1;
                }
            }
        }
        for (old, new) in shared {
            let name = &before.names[old];
            let (old, new) = (before.values(old), after.values(new));
            let distinct = |values: &[&Exact]| values.iter().collect::<BTreeSet<_>>().len();
            let changed = truth.changed.contains_key(name);
            if changed
                && old.iter().all(|value| value.0 != REAL)
                && distinct(&old) == old.len()
                && distinct(&new) < new.len()
            {
                truth.collapsed.insert(name.clone(), (new.len() - distinct(&new)) as u64);
            }
        }
        truth
    }
}

impl Rows {
    fn of(file: &Path) -> Self {
        let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
        let mut statement = connection.prepare("SELECT * FROM items").unwrap();
        let names = statement.column_names().map(str::to_owned).collect();
        let mut rows = Self { names, by_seq: BTreeMap::new() };
        let seq = rows.place("seq").unwrap();
        let mut cursor = statement.query([]).unwrap();
        while let Some(row) = cursor.next().unwrap() {
            let values = (0..rows.names.len()).map(|place| exact(row.get_ref(place).unwrap())).collect();
            rows.by_seq.entry(row.get(seq).unwrap()).or_default().push(values);
        }
        rows
    }

    fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|other| other == name)
    }

    /// What is not NULL in a column.
    fn values(&self, place: usize) -> Vec<&Exact> {
        self.by_seq.values().flatten().map(|row| &row[place]).filter(|value| value.0 != NULL).collect()
    }
}

fn exact(value: ValueRef<'_>) -> Exact {
    match value {
        ValueRef::Null => (NULL, Vec::new()),
        ValueRef::Integer(integer) => (1, integer.to_le_bytes().to_vec()),
        ValueRef::Real(real) => (REAL, real.to_bits().to_le_bytes().to_vec()),
        ValueRef::Text(bytes) => (3, bytes.to_vec()),
        ValueRef::Blob(bytes) => (4, bytes.to_vec()),
    }
}

/// One damage done to one kind of table in one way.
struct Case<'a> {
    name: String,
    kind: &'a Kind,
    prepare: String,
    migration: String,
}

/// What is expected where the truth is known: one line per finding above note.
type Expected<'a> = &'a dyn Fn(&Truth) -> Vec<String>;

impl Case<'_> {
    /// What is wrong with the outcome; empty where nothing is.
    fn check(&self, expected: Expected<'_>) -> Option<String> {
        let folder = tempfile::tempdir().unwrap();
        let before = format!("{}{};", self.kind.database(), self.prepare);
        let rehearsal = plain_in(folder.path(), &before, &[&self.migration], "sqlite");
        let truth = Truth::of(&folder.path().join("prod.db"), &folder.path().join("after.db"));
        let mut expected = expected(&truth);
        let counts = |finding: &&Finding| finding.level > Level::Note || expected.contains(&line(finding));
        let found: Vec<String> = rehearsal.findings.iter().filter(counts).map(line).collect();
        expected.sort();
        let completed = rehearsal.evidence.execution().outcome == Outcome::Completed;
        let mut sorted = found.clone();
        sorted.sort();
        let counted = Self::counted(&rehearsal, &truth);
        if sorted == expected && completed && counted.is_none() {
            return None;
        }
        Some(format!(
            "{} in a table with {}: {truth:?}{}\n  expected {expected:?}\n  found    {found:?}\n  {}\n",
            self.name,
            self.kind.name,
            if completed { "" } else { ", and the migration failed" },
            counted.unwrap_or_default(),
        ))
    }

    /// Where the report counts otherwise than the truth is.
    fn counted(rehearsal: &Rehearsal, truth: &Truth) -> Option<String> {
        let document = rehearsal.document();
        let table = document.tables.iter().find(|table| table.name == "items")?;
        let mut wrong = String::new();
        if (table.rows.lost, table.rows.gained) != (Some(truth.lost), Some(truth.gained)) {
            write!(wrong, "rows counted as {:?}; ", table.rows).unwrap();
        }
        for column in &table.columns {
            let changed = column.values.as_ref().map(|values| values.changed);
            let really = truth.changed.get(&column.name).copied().unwrap_or_default();
            // A column that was renamed is compared with itself; that its name was another's is told apart.
            let renamed = column.before_name.as_ref().is_some_and(|before| *before != column.name);
            if !renamed && changed.is_some_and(|changed| changed != really) {
                write!(wrong, "`{}` counted as {changed:?} instead of {really}; ", column.name).unwrap();
            }
        }
        (!wrong.is_empty()).then_some(wrong)
    }
}

/// A finding without its level: `VL203 items bio rows=3`.
fn line(finding: &Finding) -> String {
    let level = format!(" {}", finding.level.name());
    brief(finding).replacen(&level, "", 1)
}

#[track_caller]
fn none_of(wrong: &[String], cases: usize, at_least: usize) {
    assert!(cases >= at_least, "only {cases} cases");
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong.join("\n"));
}

/// A few rows, at most five.
fn pick(numbers: &mut Numbers) -> String {
    let rows: BTreeSet<u64> = (0..=numbers.next() % 5).map(|_| 1 + numbers.next() % ROWS).collect();
    let rows: Vec<String> = rows.into_iter().map(|row| row.to_string()).collect();
    format!("items.seq IN ({})", rows.join(", "))
}

#[test]
fn values_damaged_by_an_update_are_found_in_tables_of_every_kind() {
    damaged_values(20_261_122, |_, damage, pick| {
        format!("UPDATE items SET {} = {} WHERE {pick}", damage.column, damage.expression)
    });
}

#[test]
fn values_damaged_in_a_rebuild_are_found_in_tables_of_every_kind() {
    damaged_values(19_700_101, |kind, damage, pick| {
        let ValueDamage { column, expression, .. } = damage;
        kind.rebuild(&[(column, &format!("CASE WHEN {pick} THEN {expression} ELSE items.{column} END"))], "")
    });
}

#[track_caller]
fn damaged_values(seed: u64, migration: fn(&Kind, &ValueDamage, &str) -> String) {
    let mut numbers = Numbers(seed);
    let mut wrong = Vec::new();
    let mut cases = 0;
    for damage in VALUE_DAMAGES {
        for kind in KINDS.iter().filter(|kind| !damage.not_in.contains(&kind.name)) {
            let (pick, column) = (pick(&mut numbers), damage.column);
            let migration = migration(kind, damage, &pick);
            // What an UPDATE makes of a column's own values may be equal to others, and so may what a rebuild copies; VL205 says
            // so itself.
            let may_collapse =
                damage.rule != "VL205" && (damage.expression.contains(column) || !migration.starts_with("UPDATE"));
            let expected = |truth: &Truth| {
                let mut expected = vec![format!("{} items {column} rows={}", damage.rule, truth.changed[column])];
                let equal = truth.collapsed.get(column).filter(|_| may_collapse);
                expected.extend(equal.map(|values| format!("VL210 items {column} rows={values}")));
                expected
            };
            let (name, prepare) = (damage.name.to_owned(), damage.prepare.replace("PICK", &pick));
            wrong.extend(Case { name, kind, prepare, migration }.check(&expected));
            cases += 1;
        }
    }
    none_of(&wrong, cases, 400);
}

/// Damage that is not done to single values: rows, whole columns, and what belongs to the table.
struct TableDamage {
    name: &'static str,
    /// Runs on the snapshot; `PICK` stands for the rows that are hit.
    prepare: &'static str,
    /// The migration, where this kind of table can be damaged so; the second argument stands for the rows that are hit.
    migration: fn(&Kind, &str) -> Option<String>,
    /// Every finding above note, with `LOST` and `GAINED` for the rows that really were.
    expected: &'static [&'static str],
}

/// Lets a table through whose rowid is no key of its own.
fn has_hidden_rowid(kind: &Kind) -> bool {
    !kind.definition("t", "", "").contains("id INTEGER PRIMARY KEY") && !kind.options.contains("WITHOUT ROWID")
}

const TABLE_DAMAGES: &[TableDamage] = &[
    // ---- rows
    TableDamage {
        name: "a DELETE",
        prepare: "",
        migration: |_, pick| Some(format!("DELETE FROM items WHERE {pick}")),
        expected: &["LS107 items rows=LOST"],
    },
    TableDamage {
        name: "a rebuild with a WHERE",
        prepare: "",
        migration: |kind, pick| Some(kind.rebuild(&[], &format!("WHERE NOT ({pick})"))),
        expected: &["LS105 items rows=LOST"],
    },
    TableDamage {
        name: "a rebuild with a LIMIT",
        prepare: "",
        migration: |kind, _| Some(kind.rebuild(&[], "LIMIT 1000")),
        expected: &["LS105 items rows=LOST"],
    },
    TableDamage {
        name: "a rebuild with a join that loses",
        prepare: "DELETE FROM series WHERE i IN (SELECT seq FROM items WHERE PICK)",
        migration: |kind, _| Some(kind.rebuild(&[], "JOIN series ON series.i = items.seq")),
        expected: &["LS105 items rows=LOST"],
    },
    TableDamage {
        name: "a rebuild with a join that doubles",
        prepare: "CREATE TABLE twice (i INT); INSERT INTO twice SELECT i FROM series; INSERT INTO twice SELECT seq FROM items WHERE PICK",
        migration: |kind, _| kind.is("no key").then(|| kind.rebuild(&[], "JOIN twice ON twice.i = items.seq")),
        expected: &["LS108 items rows=GAINED"],
    },
    TableDamage {
        name: "a rebuild that discards what collides",
        prepare: "UPDATE items SET n = -seq; UPDATE items SET n = -600 WHERE PICK",
        migration: |kind, _| {
            let definition = kind.definition("__new_items", "n INT", "n INT UNIQUE");
            Some(kind.rebuild_as(&definition, &[], "").replace("INSERT INTO", "INSERT OR IGNORE INTO"))
        },
        expected: &["LS106 items rows=LOST"],
    },
    TableDamage {
        name: "a trigger that fires",
        prepare: "CREATE TRIGGER tidy AFTER INSERT ON series BEGIN DELETE FROM items WHERE PICK; END",
        migration: |_, _| Some("INSERT INTO series VALUES (100000)".to_owned()),
        expected: &["LS101 items rows=LOST"],
    },
    TableDamage {
        name: "a copy without a copy",
        prepare: "",
        migration: |kind, _| {
            let rebuild = kind.rebuild(&[], "");
            let (before, rest) = rebuild.split_once("INSERT INTO")?;
            Some(format!("{before}{}", rest.split_once(';')?.1))
        },
        expected: &["LS105 items rows=LOST"],
    },
    // ---- whole columns
    TableDamage {
        name: "a column that is left out",
        prepare: "",
        migration: |kind, _| Some(kind.rebuild(&[("bio", "")], "")),
        expected: &["VL202 items bio rows=1200"],
    },
    TableDamage {
        name: "a column that is left out, which has a default",
        prepare: "",
        migration: |kind, _| Some(kind.rebuild(&[("n", "")], "")),
        expected: &["VL206 items n rows=CHANGED"],
    },
    TableDamage {
        name: "a constant",
        prepare: "",
        migration: |kind, _| Some(kind.rebuild(&[("bio", "'x'")], "")),
        expected: &["VL206 items bio rows=1200"],
    },
    TableDamage {
        name: "a neighbour's values",
        prepare: "",
        migration: |kind, _| Some(kind.rebuild(&[("bio", "items.code")], "")),
        expected: &["VL207 items bio rows=1200"],
    },
    TableDamage {
        name: "two columns in each other's place",
        prepare: "",
        migration: |kind, _| Some(kind.rebuild(&[("bio", "items.code"), ("code", "items.bio")], "")),
        expected: &["VL207 items bio rows=1200", "VL207 items code rows=1200"],
    },
    TableDamage {
        name: "two columns in each other's place by renaming",
        prepare: "",
        migration: |_, _| {
            Some(
                "ALTER TABLE items RENAME COLUMN bio TO tmp; ALTER TABLE items RENAME COLUMN code TO bio; \
                 ALTER TABLE items RENAME COLUMN tmp TO code;"
                    .to_owned(),
            )
        },
        expected: &["VL207 items bio rows=1200", "VL207 items code rows=1200"],
    },
    TableDamage {
        name: "a column that is dropped",
        prepare: "",
        migration: |_, _| Some("ALTER TABLE items DROP COLUMN bio".to_owned()),
        expected: &["VL201 items bio rows=1200"],
    },
    TableDamage {
        name: "rowids that move",
        prepare: "DELETE FROM items WHERE seq < 4",
        migration: |kind, _| has_hidden_rowid(kind).then(|| kind.rebuild(&[], "")),
        expected: &["VL211 items rows=1197"],
    },
    // ---- what belongs to the table
    TableDamage {
        name: "an index that goes with the table",
        prepare: "CREATE INDEX items_bio ON items (bio)",
        migration: |kind, _| Some(kind.rebuild(&[], "")),
        expected: &["SC301 items items_bio"],
    },
    TableDamage {
        name: "an index of fewer columns",
        prepare: "DROP INDEX items_n; CREATE INDEX items_n ON items (n, bio)",
        migration: |kind, _| Some(kind.rebuild(&[], "")),
        expected: &["SC301 items items_n"],
    },
    TableDamage {
        name: "an index of other rows",
        prepare: "DROP INDEX items_n; CREATE INDEX items_n ON items (n) WHERE nick = 'A'",
        migration: |kind, _| Some(kind.rebuild(&[], "").replace("ON items (n)", "ON items (n) WHERE nick = 'a'")),
        expected: &["SC301 items items_n"],
    },
    TableDamage {
        name: "a unique index that goes with the table",
        prepare: "CREATE UNIQUE INDEX items_seq ON items (seq)",
        migration: |kind, _| Some(kind.rebuild(&[], "")),
        expected: &["SC310 items items_seq"],
    },
    TableDamage {
        name: "a trigger that goes with the table",
        prepare: "CREATE TRIGGER items_touch AFTER UPDATE ON items BEGIN DELETE FROM series WHERE i = new.seq; END",
        migration: |kind, _| Some(kind.rebuild(&[], "")),
        expected: &["SC302 items items_touch"],
    },
    TableDamage {
        name: "a view that is left behind",
        prepare: "CREATE VIEW bios AS SELECT bio FROM items",
        migration: |kind, _| {
            (!kind.is("")).then(|| {
                "ALTER TABLE items DROP COLUMN nick; DROP VIEW bios; CREATE VIEW bios AS SELECT nick FROM items;"
                    .to_owned()
            })
        },
        expected: &["SC304 bios", "VL201 items nick rows=960"],
    },
    TableDamage {
        name: "a default that is another",
        prepare: "",
        migration: |kind, _| Some(kind.rebuild_as(&kind.definition("__new_items", "DEFAULT 7", "DEFAULT 5"), &[], "")),
        expected: &["SC312 items n"],
    },
    TableDamage {
        name: "a collation that is another",
        prepare: "",
        migration: |kind, _| {
            Some(kind.rebuild_as(&kind.definition("__new_items", "bio TEXT", "bio TEXT COLLATE NOCASE"), &[], ""))
        },
        expected: &["SC313 items bio"],
    },
    TableDamage {
        name: "an affinity that is another",
        prepare: "",
        migration: |kind, _| {
            let definition = kind.definition("__new_items", "n INT", "n TEXT");
            Some(kind.rebuild_as(&definition, &[], ""))
        },
        expected: &["VL204 items n rows=1200"],
    },
    TableDamage {
        name: "STRICT that is gone",
        prepare: "",
        migration: |kind, _| {
            let definition = kind.definition("__new_items", "ANY", "BLOB").replace(" STRICT", "");
            kind.is("strict").then(|| kind.rebuild_as(&definition, &[], ""))
        },
        expected: &["SC314 items"],
    },
    TableDamage {
        name: "AUTOINCREMENT that is gone",
        prepare: "",
        migration: |kind, _| {
            let definition = kind.definition("__new_items", "", "").replace(" AUTOINCREMENT", "");
            kind.is("autoincrement").then(|| kind.rebuild_as(&definition, &[], ""))
        },
        expected: &["SC316 items id"],
    },
    TableDamage {
        name: "AUTOINCREMENT that begins anew",
        prepare: "UPDATE sqlite_sequence SET seq = 5000 WHERE name = 'items'",
        migration: |kind, _| kind.is("autoincrement").then(|| kind.rebuild(&[], "")),
        expected: &["VL212 items rows=1400"],
    },
];

#[test]
fn other_damage_is_found_in_tables_of_every_kind() {
    let mut numbers = Numbers(19_700_101);
    let mut wrong = Vec::new();
    let mut cases = 0;
    for damage in TABLE_DAMAGES {
        for kind in KINDS {
            let pick = pick(&mut numbers);
            let Some(migration) = (damage.migration)(kind, &pick) else { continue };
            let (name, prepare) = (damage.name.to_owned(), damage.prepare.replace("PICK", &pick));
            let case = Case { name, kind, prepare, migration };
            let expected = |truth: &Truth| {
                let changed = truth.changed.values().copied().max().unwrap_or_default();
                let numbers = [("LOST", truth.lost), ("GAINED", truth.gained), ("CHANGED", changed)];
                let filled = |line: &&str| {
                    numbers.iter().fold((*line).to_owned(), |line, (name, rows)| line.replace(name, &rows.to_string()))
                };
                let mut expected: Vec<String> = damage.expected.iter().map(filled).collect();
                if kind.is("autoincrement") && truth.lost >= 200 {
                    // Its ids are every third number, and the last ones are not there any more.
                    expected.push(format!("VL212 items rows={}", 3 * truth.lost));
                }
                expected
            };
            wrong.extend(case.check(&expected));
            cases += 1;
        }
    }
    none_of(&wrong, cases, 250);
}

/// A migration that does no harm, for every kind of table that it suits.
type Harmless = (&'static str, fn(&Kind) -> Option<String>);

const HARMLESS: &[Harmless] = &[
    ("a rebuild with equal data", |kind| Some(kind.rebuild(&[], ""))),
    ("two rebuilds", |kind| Some(kind.rebuild(&[], "") + &kind.rebuild(&[], ""))),
    ("a rebuild in the order of the rows", |kind| Some(kind.rebuild(&[], "ORDER BY items.seq"))),
    ("a rebuild through a WHERE that all rows meet", |kind| Some(kind.rebuild(&[], "WHERE items.seq > 0"))),
    ("a rebuild through a join that keeps every row once", |kind| {
        Some(kind.rebuild(&[], "LEFT JOIN series ON series.i = items.seq"))
    }),
    ("a rebuild with expressions that change nothing", |kind| {
        Some(kind.rebuild(&[("bio", "coalesce(items.bio, '')"), ("n", "items.n + 0")], ""))
    }),
    ("a rebuild with NOT NULL", |kind| {
        Some(kind.rebuild_as(&kind.definition("__new_items", "bio TEXT", "bio TEXT NOT NULL"), &[], ""))
    }),
    ("a rebuild with a CHECK", |kind| {
        Some(kind.rebuild_as(&kind.definition("__new_items", "bio TEXT", "bio TEXT CHECK (length(bio) > 3)"), &[], ""))
    }),
    ("a rebuild with UNIQUE", |kind| {
        Some(kind.rebuild_as(&kind.definition("__new_items", "seq INT", "seq INT UNIQUE"), &[], ""))
    }),
    ("a rebuild with a new column", |kind| {
        Some(kind.rebuild_as(&kind.definition("__new_items", "bio TEXT", "fresh INT DEFAULT 1, bio TEXT"), &[], ""))
    }),
    ("a rebuild with a type of the same affinity", |kind| {
        let definition = kind.definition("__new_items", "n INT ", "n BIGINT ");
        (!kind.is("strict")).then(|| kind.rebuild_as(&definition, &[], ""))
    }),
    ("a rebuild that keeps what it had under another name", |kind| {
        let definition = kind.definition("items", "", "");
        let names = kind.names.iter().chain(COLUMNS).copied().collect::<Vec<_>>().join(", ");
        Some(format!(
            "ALTER TABLE items RENAME TO items_old; DROP INDEX items_n; {definition} \
             INSERT INTO items ({names}) SELECT {names} FROM items_old; DROP TABLE items_old; CREATE INDEX items_n ON items (n);"
        ))
    }),
    ("a table that is renamed", |_| Some("ALTER TABLE items RENAME TO things".to_owned())),
    ("a table that is renamed and renamed back", |_| {
        Some("ALTER TABLE items RENAME TO things; ALTER TABLE things RENAME TO items".to_owned())
    }),
    ("a column that is renamed", |_| Some("ALTER TABLE items RENAME COLUMN bio TO story".to_owned())),
    ("a column of the key that is renamed", |kind| {
        (!kind.names.is_empty()).then(|| "ALTER TABLE items RENAME COLUMN id TO key".to_owned())
    }),
    ("a column that is added", |_| Some("ALTER TABLE items ADD COLUMN fresh TEXT".to_owned())),
    ("a column that is added and filled", |_| {
        Some("ALTER TABLE items ADD COLUMN fresh TEXT; UPDATE items SET fresh = bio".to_owned())
    }),
    ("a column that is added with a default", |_| {
        Some("ALTER TABLE items ADD COLUMN fresh INT NOT NULL DEFAULT 0".to_owned())
    }),
    ("a column that is added, dropped and added", |_| {
        Some(
            "ALTER TABLE items ADD COLUMN x INT; ALTER TABLE items DROP COLUMN x; ALTER TABLE items ADD COLUMN x INT"
                .to_owned(),
        )
    }),
    ("a generated column that is added", |_| {
        Some("ALTER TABLE items ADD COLUMN twice INT AS (n + n) VIRTUAL".to_owned())
    }),
    ("an index that is added", |_| Some("CREATE INDEX items_bio ON items (bio)".to_owned())),
    ("an index that is made anew", |_| Some("DROP INDEX items_n; CREATE INDEX items_n ON items (n)".to_owned())),
    ("a trigger that is added", |_| {
        Some(
            "CREATE TRIGGER touch AFTER UPDATE ON items BEGIN UPDATE series SET i = i WHERE i = new.seq; END"
                .to_owned(),
        )
    }),
    ("a view that is added", |_| Some("CREATE VIEW bios AS SELECT bio FROM items".to_owned())),
    ("new rows elsewhere", |_| Some("INSERT INTO series SELECT seq + 100000 FROM items".to_owned())),
    ("a table that is made and dropped", |_| {
        Some("CREATE TABLE tmp AS SELECT * FROM items; DROP TABLE tmp".to_owned())
    }),
    ("an archive", |_| Some("CREATE TABLE archive AS SELECT * FROM items".to_owned())),
    ("an UPDATE that writes what is there", |_| Some("UPDATE items SET bio = bio, n = n".to_owned())),
    ("an UPDATE that matches no row", |_| Some("UPDATE items SET bio = 'x' WHERE seq < 0".to_owned())),
    ("a DELETE that matches no row", |_| Some("DELETE FROM items WHERE seq < 0".to_owned())),
    ("ANALYZE and REINDEX", |_| Some("ANALYZE; REINDEX; PRAGMA optimize".to_owned())),
    ("nothing but a comment", |_| Some("-- nothing to do\nSELECT 1".to_owned())),
];

#[test]
fn what_does_no_harm_raises_no_alarm_in_tables_of_every_kind() {
    let mut wrong = Vec::new();
    let mut cases = 0;
    for (name, migration) in HARMLESS {
        for kind in KINDS {
            let Some(migration) = migration(kind) else { continue };
            let rehearsal = plain(&kind.database(), &[&migration], "sqlite");
            let found = alarms(&rehearsal);
            let outcome = &rehearsal.evidence.execution().outcome;
            if !found.is_empty() || *outcome != Outcome::Completed {
                wrong.push(format!("{name} in a table with {}: {outcome:?}, {found:?}", kind.name));
            }
            cases += 1;
        }
    }
    none_of(&wrong, cases, 390);
}
