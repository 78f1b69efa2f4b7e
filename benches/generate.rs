//! Makes databases to measure with: `cargo bench --bench generate -- --size 1GB FILE`. README.md says what is in them.
//!
//! The same arguments give the same bytes. Without arguments it makes nothing.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, Statement, params};

const USAGE: &str = "usage: generate [--seed N] --size 100MB|--tables N|--columns N FILE";

/// The rows of all tables are written in so many turns, so that their pages lie between each other's.
const TURNS: i64 = 64;

/// Columns of a database made with `--columns` are spread over so many tables.
const TABLES_OF_COLUMNS: i64 = 5;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo itself adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if arguments.is_empty() {
        return Ok(());
    }
    let wanted = Wanted::read(arguments)?;
    let _ = std::fs::remove_file(&wanted.file);
    let mut connection = create(&wanted.file)?;
    match wanted.shape {
        Shape::Size(bytes) => sized(&mut connection, bytes, wanted.seed),
        Shape::Tables(count) => many_tables(&mut connection, count),
        Shape::Columns(count) => many_columns(&mut connection, count),
    }?;
    Ok(())
}

enum Shape {
    Size(i64),
    Tables(i64),
    Columns(i64),
}

struct Wanted {
    shape: Shape,
    seed: u64,
    file: PathBuf,
}

impl Wanted {
    fn read(arguments: Vec<String>) -> Result<Self, Box<dyn Error>> {
        let (mut shape, mut seed, mut file) = (None, 1, None);
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(USAGE);
            match argument.as_str() {
                "--size" => shape = Some(Shape::Size(bytes(&value()?)?)),
                "--tables" => shape = Some(Shape::Tables(value()?.parse()?)),
                "--columns" => shape = Some(Shape::Columns(value()?.parse()?)),
                "--seed" => seed = value()?.parse()?,
                option if option.starts_with('-') => return Err(USAGE.into()),
                _ => file = Some(PathBuf::from(argument)),
            }
        }
        Ok(Self { shape: shape.ok_or(USAGE)?, seed, file: file.ok_or(USAGE)? })
    }
}

/// `4GB`, `100MB`, `500kB` or a number of bytes.
fn bytes(text: &str) -> Result<i64, Box<dyn Error>> {
    let units = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000), ("", 1)];
    let found = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)));
    let (number, factor) = found.ok_or(USAGE)?;
    Ok(number.parse::<i64>()? * factor)
}

/// An empty database that is written as fast as SQLite can, and left in the journal mode that a new database has.
fn create(file: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let connection = Connection::open_with_flags(file, flags)?;
    connection.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -400000;",
    )?;
    Ok(connection)
}

/// A table and how its rows are made.
struct Table {
    create: &'static str,
    insert: &'static str,
    /// In a database of 1 GB; in others in proportion.
    rows: i64,
    fill: fn(&mut Statement, i64, i64, &mut Random) -> rusqlite::Result<usize>,
}

const TABLES: [Table; 5] = [
    Table {
        create: "CREATE TABLE customers (
            id INTEGER PRIMARY KEY, account INTEGER NOT NULL, kind INTEGER NOT NULL, flags INTEGER NOT NULL DEFAULT 0,
            quantity INTEGER, created INTEGER NOT NULL, updated INTEGER, price REAL NOT NULL, discount REAL, weight REAL,
            score, status TEXT NOT NULL DEFAULT 'new', name TEXT NOT NULL, email TEXT, city TEXT, code TEXT NOT NULL,
            note TEXT, token BLOB NOT NULL, digest BLOB, extra)",
        insert: "INSERT INTO customers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows: 2_140_000,
        fill: customer,
    },
    Table {
        create: "CREATE TABLE readings (id INTEGER PRIMARY KEY, sensor INTEGER NOT NULL, value REAL)",
        insert: "INSERT INTO readings VALUES (?, ?, ?)",
        rows: 10_000_000,
        fill: reading,
    },
    Table {
        create: "CREATE TABLE documents (id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT, attachment BLOB)",
        insert: "INSERT INTO documents VALUES (?, ?, ?, ?)",
        rows: 12_000,
        fill: document,
    },
    Table {
        create: "CREATE TABLE settings (
            owner INTEGER NOT NULL, name TEXT NOT NULL, value, changed INTEGER, PRIMARY KEY (owner, name)) WITHOUT ROWID",
        insert: "INSERT INTO settings VALUES (?, ?, ?, ?)",
        rows: 2_000_000,
        fill: setting,
    },
    Table {
        create: "CREATE TABLE orders (
            id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, amount REAL NOT NULL, currency TEXT NOT NULL, note TEXT,
            reference TEXT NOT NULL, placed INTEGER NOT NULL, shipped INTEGER, address TEXT)",
        insert: "INSERT INTO orders VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        rows: 770_000,
        fill: order,
    },
];

/// Tables of a few rows, and what is made when the rows are there.
const AFTERWARDS: &str = "
    CREATE TABLE countries (code TEXT PRIMARY KEY, name TEXT NOT NULL);
    INSERT INTO countries VALUES ('DE', 'Germany'), ('FR', 'France'), ('JP', 'Japan'), ('PE', 'Peru');
    CREATE TABLE cities (id INTEGER PRIMARY KEY, country TEXT NOT NULL REFERENCES countries (code), name TEXT NOT NULL);
    INSERT INTO cities VALUES (1, 'DE', 'Kiel'), (2, 'FR', 'Nantes'), (3, 'JP', 'Otaru'), (4, 'PE', 'Cusco');
    CREATE TABLE versions (version INTEGER NOT NULL, applied TEXT);
    INSERT INTO versions VALUES (1, '2024-01-01'), (2, NULL);
    CREATE TABLE empty (id INTEGER PRIMARY KEY, value TEXT);
    CREATE INDEX customers_account ON customers (account);
    CREATE INDEX customers_email ON customers (email);
    CREATE INDEX settings_changed ON settings (changed);
    CREATE INDEX orders_customer ON orders (customer);";

/// A database of about `bytes`.
fn sized(connection: &mut Connection, bytes: i64, seed: u64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    let mut writers = Vec::new();
    for table in &TABLES {
        transaction.execute_batch(table.create)?;
        let rows = (bytes.saturating_mul(table.rows) / 1_000_000_000).max(1);
        writers.push((transaction.prepare(table.insert)?, rows, table.fill));
    }
    let mut random = Random(seed);
    for turn in 0..TURNS {
        for (insert, rows, fill) in &mut writers {
            for row in *rows * turn / TURNS..*rows * (turn + 1) / TURNS {
                fill(insert, row, *rows, &mut random)?;
            }
        }
    }
    drop(writers);
    transaction.execute_batch(AFTERWARDS)?;
    transaction.commit()
}

fn customer(insert: &mut Statement, row: i64, rows: i64, random: &mut Random) -> rusqlite::Result<usize> {
    let score: &dyn rusqlite::ToSql = match row % 10 {
        0 => &None::<i64>,
        1..5 => &random.below(1_000),
        5..8 => &random.real(),
        _ => &random.word(),
    };
    let extra: &dyn rusqlite::ToSql = match row % 16 {
        0 => &random.words(3),
        1 => &random.blob(24),
        2 => &random.below(100),
        _ => &None::<i64>,
    };
    insert.execute(params![
        row + 1,
        random.below(rows / 4 + 1),
        random.below(8),
        random.below(256),
        random.most(70).then(|| random.below(500)),
        1_600_000_000 + row,
        random.most(40).then(|| 1_700_000_000 + random.below(100_000_000)),
        random.real(),
        random.most(25).then(|| random.real()),
        random.real(),
        score,
        random.word(),
        random.words(2),
        random.most(95).then(|| format!("user{row}@example.com")),
        random.most(80).then(|| random.word()),
        format!("{:07}", random.below(2_000_000)),
        random.most(30).then(|| random.words(8)),
        random.blob(16),
        random.most(50).then(|| random.blob(32)),
        extra,
    ])
}

fn reading(insert: &mut Statement, row: i64, _: i64, random: &mut Random) -> rusqlite::Result<usize> {
    insert.execute(params![row + 1, random.below(20_000), random.most(98).then(|| random.real())])
}

fn document(insert: &mut Statement, row: i64, _: i64, random: &mut Random) -> rusqlite::Result<usize> {
    let (words, bytes) = (random.below(2_400), random.below(16_000));
    insert.execute(params![
        row + 1,
        random.words(5),
        random.most(95).then(|| random.words(words)),
        random.most(60).then(|| random.blob(bytes)),
    ])
}

/// Rows come in no order of their keys: 7,919 is a prime, and no number of rows is a multiple of it.
fn setting(insert: &mut Statement, row: i64, rows: i64, random: &mut Random) -> rusqlite::Result<usize> {
    let key = row * 7_919 % (rows + i64::from(rows % 7_919 == 0));
    let value: &dyn rusqlite::ToSql =
        if random.most(50) { &random.below(10_000) } else { &random.most(80).then(|| random.words(2)) };
    insert.execute(params![key / 8, format!("{}.{}", pick(&SETTINGS, key), key % 8), value, 1_600_000_000 + row])
}

fn order(insert: &mut Statement, row: i64, rows: i64, random: &mut Random) -> rusqlite::Result<usize> {
    insert.execute(params![
        row + 1,
        random.below(rows * 2) + 1,
        random.real(),
        pick(&["EUR", "JPY", "PEN"], row),
        random.most(30).then(|| random.words(4)),
        format!("{:010}-{}", random.below(10_000_000_000), row),
        1_600_000_000 + row * 7,
        random.most(80).then(|| 1_600_000_000 + row * 7 + random.below(1_000_000)),
        random.most(90).then(|| random.words(6)),
    ])
}

/// So many tables of three rows, every tenth with an index.
fn many_tables(connection: &mut Connection, count: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for table in 0..count {
        transaction.execute_batch(&format!(
            "CREATE TABLE t{table} (id INTEGER PRIMARY KEY, name TEXT NOT NULL, value REAL);
             INSERT INTO t{table} VALUES (1, 'a', 1.5), (2, 'b', {table}), (3, 'c', NULL);"
        ))?;
        if table % 10 == 0 {
            transaction.execute_batch(&format!("CREATE INDEX t{table}_name ON t{table} (name);"))?;
        }
    }
    transaction.commit()
}

/// So many columns in five tables of ten rows.
fn many_columns(connection: &mut Connection, count: i64) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for table in 0..TABLES_OF_COLUMNS {
        let (mut names, mut values) = ("id INTEGER PRIMARY KEY".to_owned(), "NULL".to_owned());
        for column in 1..count / TABLES_OF_COLUMNS {
            let (kind, value) = pick(&[("INTEGER", "7"), ("TEXT", "'text'"), ("REAL", "0.5"), ("", "NULL")], column);
            let _ = write!(names, ", c{column} {kind}");
            let _ = write!(values, ", {value}");
        }
        let rows = vec![format!("({values})"); 10].join(", ");
        transaction.execute_batch(&format!("CREATE TABLE w{table} ({names}); INSERT INTO w{table} VALUES {rows};"))?;
    }
    transaction.commit()
}

fn pick<T: Copy>(among: &[T], number: i64) -> T {
    let index = number.unsigned_abs() % among.len() as u64;
    among[usize::try_from(index).unwrap_or_default()]
}

/// Splitmix64, from which all values are made.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, but not including, `bound`.
    fn below(&mut self, bound: i64) -> i64 {
        (self.next() >> 1).cast_signed() % bound
    }

    /// True in so many cases of a hundred.
    fn most(&mut self, percent: i64) -> bool {
        self.below(100) < percent
    }

    /// An amount with two decimals; one in a hundred has none, which SQLite stores as an integer.
    fn real(&mut self) -> f64 {
        f64::from(i32::try_from(self.below(10_000_000)).unwrap_or_default()) / 100.0
    }

    fn word(&mut self) -> &'static str {
        pick(&WORDS, self.below(i64::MAX))
    }

    fn words(&mut self, count: i64) -> String {
        let mut text = String::new();
        for index in 0..count {
            if index > 0 {
                text.push(' ');
            }
            text.push_str(self.word());
        }
        text
    }

    fn blob(&mut self, bytes: i64) -> Vec<u8> {
        (0..bytes / 8).flat_map(|_| self.next().to_le_bytes()).collect()
    }
}

const SETTINGS: [&str; 8] =
    ["theme", "language", "timezone", "page.size", "mail.daily", "mail.weekly", "sort", "limit"];

const WORDS: [&str; 32] = [
    "anchor", "beacon", "copper", "drift", "ember", "falcon", "garden", "harbor", "island", "jasper", "kettle",
    "lantern", "meadow", "nickel", "orchard", "pebble", "quarry", "river", "saddle", "timber", "umbra", "velvet",
    "willow", "yonder", "zephyr", "straße", "crème", "naïve", "東京", "дом", "ένα", "señor",
];
