//! Where a table keeps the values of its columns in the file.

use std::collections::BTreeMap;

use rusqlite::{Connection, Result};

use super::{Table, TableKind};
use crate::sqlite_file::shape::{Place, Shape};

/// A row of `pragma_table_xinfo`.
struct Listed {
    number: i64,
    name: String,
    declared_type: String,
    in_key: bool,
    computed: bool,
}

/// Where the values of the table's columns stand; none of a virtual table, which keeps none of its own.
///
/// # Errors
/// When SQLite cannot read the schema.
pub fn shape(connection: &Connection, table: &Table) -> Result<Option<Shape>> {
    if matches!(table.kind, TableKind::Virtual(_)) || table.root_page == 0 {
        return Ok(None);
    }
    let mut statement =
        connection.prepare("SELECT cid, name, type, pk > 0, hidden = 2 FROM pragma_table_xinfo(?1) ORDER BY cid")?;
    let listed = statement.query_map([&table.name], |row| {
        Ok(Listed {
            number: row.get(0)?,
            name: row.get(1)?,
            declared_type: row.get(2)?,
            in_key: row.get(3)?,
            computed: row.get(4)?,
        })
    })?;
    let listed = listed.collect::<Result<Vec<Listed>>>()?;
    let key = key_index(connection, &table.name)?;
    let alias = if table.without_rowid || key.is_some() { None } else { rowid_alias(&listed) };
    let order = match key.filter(|_| table.without_rowid) {
        Some(index) => record_of_index(connection, &index)?,
        None => listed.iter().filter(|column| !column.computed).map(|column| column.number).collect(),
    };
    let mut stored: BTreeMap<i64, usize> = BTreeMap::new();
    for (index, column) in order.into_iter().enumerate() {
        // A column that is in the key with several collations is stored for each of them.
        stored.entry(column).or_insert(index);
    }
    let place = |column: &Listed| match stored.get(&column.number) {
        _ if alias == Some(column.number) => Place::Rowid,
        Some(&index) => Place::Stored { index, real: affinity(&column.declared_type, false) == "REAL" },
        None => Place::Computed,
    };
    // The names as the schema has them: a table can be asked for by any spelling of its name.
    let columns = table.columns.iter().map(|column| listed.iter().find(|listed| listed.name == column.name).map(place));
    Ok(columns.collect::<Option<Vec<Place>>>().map(|columns| Shape { columns, without_rowid: table.without_rowid }))
}

/// Source: <https://sqlite.org/lang_createtable.html#rowid>. Whoever calls has seen that the key has no index.
fn rowid_alias(listed: &[Listed]) -> Option<i64> {
    let mut key = listed.iter().filter(|column| column.in_key);
    match (key.next(), key.next()) {
        (Some(column), None) if column.declared_type.eq_ignore_ascii_case("INTEGER") => Some(column.number),
        _ => None,
    }
}

/// The index that the primary key has; of a table WITHOUT ROWID it is the table.
fn key_index(connection: &Connection, table: &str) -> Result<Option<String>> {
    let mut statement = connection.prepare("SELECT name FROM pragma_index_list(?1) WHERE origin = 'pk'")?;
    let mut names = statement.query_map([table], |row| row.get(0))?;
    names.next().transpose()
}

/// The columns in the order in which the table WITHOUT ROWID stores them: those of the key, each once for a collation, then the others.
fn record_of_index(connection: &Connection, index: &str) -> Result<Vec<i64>> {
    let mut statement = connection.prepare("SELECT cid FROM pragma_index_xinfo(?1) ORDER BY seqno")?;
    statement.query_map([index], |row| row.get(0))?.collect()
}

/// What SQLite converts a value to that is stored in a column of this type; INTEGER is what NUMERIC is.
/// Source: <https://sqlite.org/datatype3.html#determination_of_column_affinity>.
#[must_use]
pub fn affinity(declared: &str, strict: bool) -> &'static str {
    let declared = declared.to_ascii_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    if strict && declared == "ANY" || declared.is_empty() {
        "BLOB"
    } else if has(&["INT"]) {
        "NUMERIC"
    } else if has(&["CHAR", "CLOB", "TEXT"]) {
        "TEXT"
    } else if has(&["BLOB"]) {
        "BLOB"
    } else if has(&["REAL", "FLOA", "DOUB"]) {
        "REAL"
    } else {
        "NUMERIC"
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::OpenFlags;

    use super::*;
    use crate::schema::Schema;

    const fn stored(index: usize) -> Place {
        Place::Stored { index, real: false }
    }

    fn of(sql: &str) -> Shape {
        let connection = Connection::open_in_memory_with_flags(OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
        connection.execute_batch(sql).unwrap();
        let schema = Schema::read(&connection).unwrap();
        shape(&connection, schema.table("t").unwrap()).unwrap().unwrap()
    }

    #[test]
    fn only_an_integer_primary_key_is_the_rowid() {
        assert_eq!(of("CREATE TABLE t (a, id INTEGER PRIMARY KEY, b)").columns, [stored(0), Place::Rowid, stored(2)]);
        assert_eq!(of("CREATE TABLE t (id INTEGER PRIMARY KEY DESC)").columns, [stored(0)]);
        assert_eq!(of("CREATE TABLE t (id INT PRIMARY KEY)").columns, [stored(0)]);
        assert_eq!(of("CREATE TABLE t (id INTEGER, a, PRIMARY KEY (id, a))").columns, [stored(0), stored(1)]);
    }

    #[test]
    fn a_table_without_rowid_begins_with_its_key() {
        let shape =
            of("CREATE TABLE t (a, b, c INTEGER, d AS (a), e AS (b) STORED, PRIMARY KEY (c DESC, a, c)) WITHOUT ROWID");
        assert_eq!(shape.columns, [stored(1), stored(2), stored(0), Place::Computed, stored(3)]);
        assert!(shape.without_rowid);
    }

    #[test]
    fn computed_columns_take_no_place() {
        let shape = of("CREATE TABLE t (a, v AS (a + 1), s REAL AS (a + 2) STORED, b)");
        assert_eq!(shape.columns, [stored(0), Place::Computed, Place::Stored { index: 1, real: true }, stored(2)]);
    }

    #[test]
    fn affinity_is_what_the_words_of_the_type_say() {
        for real in ["REAL", "double precision", "FLOAT", "xFLOATy"] {
            assert_eq!(affinity(real, false), "REAL", "{real}");
        }
        for other in ["", "FLOATING POINT", "CHARREAL", "BLOBREAL", "REALTEXT", "NUMERIC", "ANY", "DOUINT"] {
            assert_ne!(affinity(other, false), "REAL", "{other}");
        }
    }
}
