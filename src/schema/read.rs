//! Reading a schema through SQLite's pragmas.

use rusqlite::{Connection, Result, Row};

use super::lexer::{Token, TokenKind, tokens};
use super::{Column, Conflict, ForeignKey, Object, Schema, Table, TableKind, Unique};

pub(super) fn schema(connection: &Connection) -> Result<Schema> {
    let mut schema = Schema::default();
    let listed = listed_tables(connection)?;
    let contents: Vec<String> = listed.iter().filter_map(|listed| external_content(&listed.sql)).collect();
    for listed in listed {
        let is_content = contents.iter().any(|name| name.eq_ignore_ascii_case(&listed.name));
        let table = table(connection, listed, is_content)?;
        schema.tables.insert(table.name.to_ascii_lowercase(), table);
    }
    for (kind, object) in objects(connection)? {
        let key = object.name.to_ascii_lowercase();
        match kind.as_str() {
            "index" => schema.indexes.insert(key, object),
            "trigger" => schema.triggers.insert(key, object),
            _ => schema.views.insert(key, object),
        };
    }
    Ok(schema)
}

/// A row of `pragma_table_list` with what `sqlite_schema` adds.
struct Listed {
    name: String,
    kind: String,
    without_rowid: bool,
    strict: bool,
    sql: String,
    root_page: u32,
}

fn listed_tables(connection: &Connection) -> Result<Vec<Listed>> {
    collect(
        connection,
        "SELECT l.name, l.type, l.wr, l.strict, coalesce(s.sql, ''), coalesce(s.rootpage, 0) FROM pragma_table_list l \
         JOIN sqlite_schema s ON s.name = l.name AND s.type = 'table' WHERE l.schema = 'main' AND l.type <> 'view' ORDER BY l.name",
        "",
        |row| {
            Ok(Listed {
                name: row.get(0)?,
                kind: row.get(1)?,
                without_rowid: row.get(2)?,
                strict: row.get(3)?,
                sql: row.get(4)?,
                root_page: row.get(5)?,
            })
        },
    )
}

fn table(connection: &Connection, listed: Listed, is_content: bool) -> Result<Table> {
    let kind = kind(&listed, is_content);
    let (mut columns, primary_key) = match columns(connection, &listed.name) {
        // The module is not in this SQLite; the comparison says that it could not read the table.
        Err(_) if matches!(kind, TableKind::Virtual(_)) => Default::default(),
        read => read?,
    };
    let tokens: Vec<Token> = significant(&listed.sql).collect();
    if kind == TableKind::Ordinary {
        define(&mut columns, &listed.sql, &tokens);
    }
    let rowid_alias = rowid_alias(connection, &listed, &columns, &primary_key)?;
    let autoincrement = tokens.iter().any(|token| token.is_word(&listed.sql, "AUTOINCREMENT"));
    let full_text = matches!(&kind, TableKind::Virtual(module) if module.starts_with("fts"));
    let content = external_content(&listed.sql).filter(|content| full_text && !content.is_empty());
    Ok(Table {
        content,
        autoincrement,
        uniques: uniques(connection, &listed.name)?,
        foreign_keys: foreign_keys(connection, &listed, &tokens)?,
        checks: checks(&listed.sql, &tokens),
        conflicts: if kind == TableKind::Ordinary { conflicts(&columns, &listed.sql, &tokens) } else { Vec::new() },
        name: listed.name,
        sql: listed.sql,
        without_rowid: listed.without_rowid,
        strict: listed.strict,
        root_page: listed.root_page,
        kind,
        columns,
        primary_key,
        rowid_alias,
    })
}

/// SQLite takes a table for a shadow by its name. One that a full-text table names as its `content` is the user's.
fn kind(listed: &Listed, is_content: bool) -> TableKind {
    match listed.kind.as_str() {
        "virtual" => TableKind::Virtual(module(&listed.sql)),
        "shadow" if !is_content => TableKind::Shadow,
        _ if listed.name.to_ascii_lowercase().starts_with("sqlite_") => TableKind::Internal,
        _ => TableKind::Ordinary,
    }
}

fn columns(connection: &Connection, table: &str) -> Result<(Vec<Column>, Vec<String>)> {
    let listed = collect(
        connection,
        "SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1) ORDER BY cid",
        table,
        |row| {
            let hidden: u8 = row.get(5)?;
            let column = Column {
                name: row.get(0)?,
                declared_type: row.get(1)?,
                not_null: row.get(2)?,
                default: row.get(3)?,
                generated: hidden >= 2,
                expression: None,
                collation: None,
            };
            Ok((column, row.get::<_, u32>(4)?, hidden == 1))
        },
    )?;
    let mut key: Vec<_> = listed
        .iter()
        .filter(|(_, place, _)| *place > 0)
        .map(|(column, place, _)| (*place, column.name.clone()))
        .collect();
    key.sort();
    let columns = listed.into_iter().filter(|(_, _, hidden)| !hidden).map(|(column, _, _)| column).collect();
    Ok((columns, key.into_iter().map(|(_, name)| name).collect()))
}

/// Source: <https://sqlite.org/lang_createtable.html#rowid>. A key that is the rowid is the one key that needs no index
/// (`INTEGER PRIMARY KEY DESC` is not the rowid, and has one).
fn rowid_alias(connection: &Connection, listed: &Listed, columns: &[Column], key: &[String]) -> Result<Option<String>> {
    let [key] = key else { return Ok(None) };
    let integer =
        columns.iter().any(|column| column.name == *key && column.declared_type.eq_ignore_ascii_case("INTEGER"));
    if listed.without_rowid || listed.kind != "table" || !integer {
        return Ok(None);
    }
    let indexed = "SELECT name FROM pragma_index_list(?1) WHERE origin = 'pk'";
    let indexes = collect(connection, indexed, &listed.name, |row| row.get::<_, String>(0))?;
    Ok(indexes.is_empty().then(|| key.clone()))
}

fn uniques(connection: &Connection, table: &str) -> Result<Vec<Unique>> {
    let listed = collect(
        connection,
        "SELECT name, origin FROM pragma_index_list(?1) WHERE \"unique\" AND NOT partial AND origin <> 'pk' ORDER BY name",
        table,
        |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
    )?;
    let mut uniques = Vec::new();
    for (index, origin) in listed {
        let columns =
            collect(connection, "SELECT name FROM pragma_index_xinfo(?1) WHERE key ORDER BY seqno", &index, |row| {
                row.get::<_, Option<String>>(0)
            })?;
        // An expression has no name; such an index is no key.
        if let Some(columns) = columns.into_iter().collect::<Option<Vec<_>>>() {
            uniques.push(Unique { index, columns, constraint: origin == "u" });
        }
    }
    Ok(uniques)
}

fn foreign_keys(connection: &Connection, listed: &Listed, tokens: &[Token]) -> Result<Vec<ForeignKey>> {
    let rows = collect(
        connection,
        "SELECT id, \"from\", \"table\", \"to\", on_delete, on_update FROM pragma_foreign_key_list(?1) ORDER BY id DESC, seq",
        &listed.name,
        |row| {
            Ok((
                row.get::<_, i64>(0)?,
                row.get::<_, String>(1)?,
                row.get::<_, String>(2)?,
                row.get::<_, Option<String>>(3)?,
                row.get::<_, String>(4)?,
                row.get::<_, String>(5)?,
            ))
        },
    )?;
    let mut deferred = deferred(&listed.sql, tokens).into_iter();
    let mut keys: Vec<(i64, ForeignKey)> = Vec::new();
    for (id, from, parent, to, on_delete, on_update) in rows {
        if keys.last().is_none_or(|(last, _)| *last != id) {
            let (columns, parent_columns) = (Vec::new(), Vec::new());
            let deferred = deferred.next().unwrap_or_default();
            keys.push((id, ForeignKey { columns, parent, parent_columns, on_delete, on_update, deferred }));
        }
        if let Some((_, key)) = keys.last_mut() {
            key.columns.push(from);
            key.parent_columns.extend(to);
        }
    }
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}

fn objects(connection: &Connection) -> Result<Vec<(String, Object)>> {
    collect(
        connection,
        "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE type <> 'table' AND sql IS NOT NULL ORDER BY name",
        "",
        |row| Ok((row.get(0)?, Object { name: row.get(1)?, table: row.get(2)?, sql: row.get(3)? })),
    )
}

fn collect<T>(
    connection: &Connection,
    sql: &str,
    argument: &str,
    read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let mut statement = connection.prepare(sql)?;
    let rows = if statement.parameter_count() == 0 {
        statement.query_map([], read)?
    } else {
        statement.query_map([argument], read)?
    };
    rows.collect()
}

/// The tokens that SQLite's parser sees.
fn significant(sql: &str) -> impl Iterator<Item = Token> {
    tokens(sql).filter(|token| !token.is_trivia())
}

/// The name after USING.
fn module(sql: &str) -> String {
    significant(sql)
        .skip_while(|token| !token.is_word(sql, "USING"))
        .nth(1)
        .and_then(|token| token.name(sql))
        .map(|name| name.to_ascii_lowercase())
        .unwrap_or_default()
}

/// The table after `content =` in the declaration of a virtual table.
pub(super) fn external_content(sql: &str) -> Option<String> {
    let tokens: Vec<Token> = significant(sql).collect();
    let mut names =
        tokens.windows(3).filter(|part| part[0].is_word(sql, "CONTENT") && part[1].kind == TokenKind::Equals);
    let name = tokens.get(1).filter(|token| token.is_word(sql, "VIRTUAL")).and_then(|_| names.next())?[2].name(sql);
    name.map(std::borrow::Cow::into_owned)
}

/// What stands behind the first parenthesis.
fn definitions(tokens: &[Token]) -> &[Token] {
    let open = tokens.iter().position(|token| token.kind == TokenKind::Open);
    open.map_or(&[], |open| &tokens[open + 1..])
}

/// Fills in what no pragma tells of a column: COLLATE and the expression behind AS.
fn define(columns: &mut [Column], sql: &str, tokens: &[Token]) {
    let tokens = definitions(tokens);
    let mut depth = 0_usize;
    let mut current: Option<&mut Column> = None;
    let mut begins = true;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close if depth == 0 => break,
            TokenKind::Close => depth -= 1,
            TokenKind::Comma if depth == 0 => {
                begins = true;
                continue;
            }
            _ if begins => {
                let name = token.name(sql);
                let column = columns.iter_mut().find(|column| name.as_ref().is_some_and(|name| **name == column.name));
                // Constraints of the table stand behind the last column.
                current = column;
                begins = false;
                continue;
            }
            _ => {}
        }
        let (Some(column), 0, Some(next)) = (current.as_deref_mut(), depth, tokens.get(index + 1)) else { continue };
        if token.is_word(sql, "COLLATE") {
            let name = next.name(sql).map(|name| name.to_ascii_uppercase());
            column.collation = name.filter(|name| name != "BINARY");
        } else if column.generated && token.is_word(sql, "AS") && next.kind == TokenKind::Open {
            column.expression = Some(parenthesised(sql, &tokens[index + 1..]));
        }
    }
}

/// Whether each foreign key is DEFERRABLE INITIALLY DEFERRED, in order of declaration.
fn deferred(sql: &str, tokens: &[Token]) -> Vec<bool> {
    let mut keys = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let is = |place: usize, word: &str| tokens.get(place).is_some_and(|token| token.is_word(sql, word));
        if token.is_word(sql, "REFERENCES") {
            keys.push(false);
        } else if let (true, Some(last)) = (token.is_word(sql, "DEFERRABLE"), keys.last_mut()) {
            *last = is(index + 2, "DEFERRED") && !tokens[index - 1].is_word(sql, "NOT");
        }
    }
    keys
}

/// The ON CONFLICT clauses, in order. What stands behind a CHECK is read by SQLite and has no effect.
fn conflicts(columns: &[Column], sql: &str, tokens: &[Token]) -> Vec<Conflict> {
    let tokens = definitions(tokens);
    let (mut depth, mut place) = (0_usize, 0);
    let mut constraint: Option<(&'static str, Vec<String>)> = None;
    let mut conflicts = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close if depth == 0 => break,
            TokenKind::Close => depth -= 1,
            TokenKind::Comma if depth == 0 => (place, constraint) = (place + 1, None),
            _ => {}
        }
        // The name of a column may be a word that begins a constraint.
        let is_name = place < columns.len() && (index == 0 || depth == 0 && tokens[index - 1].kind == TokenKind::Comma);
        if depth > 0 || is_name {
            continue;
        }
        let rest = &tokens[index + 1..];
        let is = |place: usize, word: &str| rest.get(place).is_some_and(|token| token.is_word(sql, word));
        let named = match () {
            () if token.is_word(sql, "NOT") && is(0, "NULL") => Some(("NOT NULL", 1)),
            () if token.is_word(sql, "PRIMARY") && is(0, "KEY") => Some(("PRIMARY KEY", 1)),
            () if token.is_word(sql, "UNIQUE") => Some(("UNIQUE", 0)),
            () => None,
        };
        if let Some((named, length)) = named {
            let own = columns.get(place).map(|column| vec![column.name.clone()]);
            constraint = Some((named, own.unwrap_or_else(|| listed_columns(sql, &rest[length..]))));
        } else if ["CHECK", "FOREIGN", "REFERENCES"].iter().any(|word| token.is_word(sql, word)) {
            constraint = None;
        } else if token.is_word(sql, "ON") && is(0, "CONFLICT") {
            let action = rest.get(1).map(|token| token.text(sql).to_ascii_uppercase());
            conflicts.extend(constraint.take().zip(action).map(|((constraint, columns), action)| Conflict {
                constraint,
                columns,
                action,
            }));
        }
    }
    conflicts
}

/// The names in the parentheses that `tokens` begin with.
fn listed_columns(sql: &str, tokens: &[Token]) -> Vec<String> {
    let inside = tokens.iter().take_while(|token| token.kind != TokenKind::Close);
    let inside: Vec<&Token> = inside.collect();
    let begins = inside.windows(2).filter(|pair| matches!(pair[0].kind, TokenKind::Open | TokenKind::Comma));
    begins.filter_map(|pair| Some(pair[1].name(sql)?.into_owned())).collect()
}

/// The expressions behind the word CHECK, in order, tokens separated by one space.
fn checks(sql: &str, tokens: &[Token]) -> Vec<String> {
    let mut checks = Vec::new();
    for (index, pair) in tokens.windows(2).enumerate() {
        if pair[0].is_word(sql, "CHECK") && pair[1].kind == TokenKind::Open {
            checks.push(parenthesised(sql, &tokens[index + 1..]));
        }
    }
    checks
}

/// The text between the parenthesis that `tokens` begin with and its partner.
fn parenthesised(sql: &str, tokens: &[Token]) -> String {
    let mut depth = 0_usize;
    let mut text = Vec::new();
    for token in tokens {
        match token.kind {
            TokenKind::Open => depth += 1,
            TokenKind::Close => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            break;
        }
        text.push(token.text(sql));
    }
    text[1..].join(" ")
}
