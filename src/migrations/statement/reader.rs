//! Reads what a statement does from its tokens: one pass from left to right, without building a tree. It follows SQLite's
//! grammar as far as names and clauses go and skips expressions; what it cannot follow becomes `Action::Unknown`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{Action, Arm, Conflict, Insert, Select, SelectItem};
use crate::schema::lexer::{Token, TokenKind, is_reserved, tokens};

/// The words that end a select's result columns or its FROM at the same depth.
const CLAUSES: [&str; 9] = ["WHERE", "GROUP", "HAVING", "ORDER", "LIMIT", "UNION", "INTERSECT", "EXCEPT", "RETURNING"];

/// A statement's tokens, without comments and white space, and how far they have been read.
pub(super) struct Reader<'a> {
    sql: &'a str,
    tokens: Vec<Token>,
    at: usize,
    temporary: bool,
    reads_rows: bool,
    /// The names that WITH defines, in lower case, each with the one table that it reads, where there is one.
    defined: BTreeMap<String, Option<String>>,
    /// The tables that the bodies of WITH read.
    tables: Vec<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(sql: &'a str) -> Self {
        Self {
            sql,
            tokens: tokens(sql).filter(|token| !token.is_trivia()).collect(),
            at: 0,
            temporary: false,
            reads_rows: false,
            defined: BTreeMap::new(),
            tables: Vec::new(),
        }
    }

    /// Whether the object that was read is temporary.
    pub(super) fn is_temporary(&self) -> bool {
        self.temporary
    }

    /// Whether the table that was read is made from a select.
    pub(super) fn reads_rows(&self) -> bool {
        self.reads_rows
    }

    /// What the statement does.
    pub(super) fn action(&mut self) -> Action {
        self.at = 0;
        self.known_action().unwrap_or(Action::Unknown)
    }

    fn known_action(&mut self) -> Option<Action> {
        if self.is(self.at, "WITH") {
            self.common_tables()?;
        }
        let first = self.word()?.to_ascii_uppercase();
        self.at += 1;
        match first.as_str() {
            "CREATE" => self.create(),
            "DROP" => self.drop(),
            "ALTER" => self.alter(),
            "INSERT" => self.insert(None),
            "REPLACE" => self.insert(Some(Conflict::Replace)),
            "UPDATE" => self.update(),
            "DELETE" => self.delete(),
            "PRAGMA" => self.pragma(),
            "BEGIN" => Some(Action::Begin),
            "COMMIT" | "END" => Some(Action::Commit),
            "ROLLBACK" => {
                let partial = (self.at..self.tokens.len()).any(|at| self.is(at, "TO"));
                Some(if partial { Action::Savepoint } else { Action::Rollback })
            }
            "SAVEPOINT" | "RELEASE" => Some(Action::Savepoint),
            "VACUUM" => Some(Action::Vacuum),
            "ATTACH" | "DETACH" => Some(Action::Attach),
            "SELECT" | "VALUES" | "EXPLAIN" | "ANALYZE" | "REINDEX" => Some(Action::Read),
            _ => None,
        }
    }

    // Statements, each from behind its first word.

    fn create(&mut self) -> Option<Action> {
        if self.eat("TEMP") || self.eat("TEMPORARY") {
            self.temporary = true;
        }
        let unique = self.eat("UNIQUE");
        let virtual_table = self.eat("VIRTUAL");
        let kind = self.word()?.to_ascii_uppercase();
        self.at += 1;
        self.skip_condition();
        let name = self.target()?;
        match kind.as_str() {
            "TABLE" if virtual_table => {
                let module = if self.eat("USING") { self.name()? } else { return None };
                Some(Action::CreateVirtualTable { table: name, module })
            }
            "TABLE" => {
                self.reads_rows = self.eat("AS");
                let select = if self.reads_rows { self.select() } else { None };
                let (source, united) = select.map_or((None, Vec::new()), |select| (select.from, select.arms));
                Some(Action::CreateTable { table: name, source, united })
            }
            "INDEX" => self.subject().map(|table| Action::CreateIndex { name, table, unique }),
            "TRIGGER" => self.subject().map(|table| Action::CreateTrigger { name, table }),
            "VIEW" => Some(Action::CreateView { name }),
            _ => None,
        }
    }

    /// The table behind the next ON.
    fn subject(&mut self) -> Option<String> {
        self.at = (self.at..self.tokens.len()).find(|&at| self.is(at, "ON"))? + 1;
        self.target()
    }

    fn drop(&mut self) -> Option<Action> {
        let kind = self.word()?.to_ascii_uppercase();
        self.at += 1;
        self.skip_condition();
        let name = self.target()?;
        match kind.as_str() {
            "TABLE" => Some(Action::DropTable { table: name }),
            "INDEX" => Some(Action::DropIndex { name }),
            "TRIGGER" => Some(Action::DropTrigger { name }),
            "VIEW" => Some(Action::DropView { name }),
            _ => None,
        }
    }

    fn alter(&mut self) -> Option<Action> {
        if !self.eat("TABLE") {
            return None;
        }
        let table = self.target()?;
        let start = self.at;
        let known = self.alteration(&table);
        self.at = start;
        Some(known.unwrap_or(Action::AlterOther { table }))
    }

    /// What follows `ALTER TABLE table`, where it is an alteration that this crate tells apart.
    fn alteration(&mut self, table: &str) -> Option<Action> {
        let table = table.to_owned();
        if self.eat("RENAME") {
            if self.eat("TO") {
                return Some(Action::RenameTable { table, to: self.name()? });
            }
            self.eat("COLUMN");
            let column = self.name()?;
            let to = if self.eat("TO") { self.name()? } else { return None };
            return Some(Action::RenameColumn { table, column, to });
        }
        if self.eat("DROP") {
            self.eat("COLUMN");
            return Some(Action::DropColumn { table, column: self.name()? });
        }
        if self.eat("ADD") {
            self.eat("COLUMN");
            let column = self.name()?;
            let (not_null, has_default, generated) = self.column_constraints();
            return Some(Action::AddColumn { table, column, not_null, has_default, generated });
        }
        None
    }

    /// Whether the rest of a column definition says NOT NULL, a default other than NULL, and that it is computed.
    fn column_constraints(&self) -> (bool, bool, bool) {
        let (mut not_null, mut has_default, mut generated) = (false, false, false);
        for at in self.top_level(self.at) {
            // ON DELETE SET DEFAULT is no default.
            let is_action = at > 0 && self.is(at - 1, "SET");
            if self.is(at, "NOT") && self.is(at + 1, "NULL") {
                not_null = true;
            } else if self.is(at, "DEFAULT") && !is_action {
                let value = (at + 1..self.tokens.len()).find(|&at| !self.is_kind(at, TokenKind::Open));
                let next = value.and_then(|value| self.tokens.get(value + 1)).map(|token| token.kind);
                let parenthesised = value.is_some_and(|value| value > at + 1);
                let whole = !parenthesised || next == Some(TokenKind::Close);
                has_default = !(whole && value.is_some_and(|value| self.is(value, "NULL")));
            } else if self.is(at, "AS") && self.is_kind(at + 1, TokenKind::Open) {
                generated = true;
            }
        }
        (not_null, has_default, generated)
    }

    fn insert(&mut self, conflict: Option<Conflict>) -> Option<Action> {
        let conflict = self.conflict().or(conflict);
        if !self.eat("INTO") {
            return None;
        }
        let table = self.target()?;
        if self.eat("AS") {
            self.name()?;
        }
        let columns = if self.is_kind(self.at, TokenKind::Open) { self.name_list() } else { Vec::new() };
        let source = self.at;
        let upsert = self.top_level(source).any(|at| self.begins_upsert(at));
        let select = self.select();
        Some(Action::Insert(Insert { table, columns, conflict, upsert, select }))
    }

    fn update(&mut self) -> Option<Action> {
        let conflict = self.conflict();
        let table = self.target()?;
        let set = self.top_level(self.at).find(|&at| self.is(at, "SET"))?;
        let columns = self.assigned_columns(set + 1);
        let has_where = self.top_level(set).any(|at| self.is(at, "WHERE"));
        Some(Action::Update { table, columns, conflict, has_where })
    }

    /// The columns to the left of the assignments that begin at a place.
    fn assigned_columns(&mut self, start: usize) -> Vec<String> {
        let end = self.top_level(start).find(|&at| self.ends_result(at)).unwrap_or(self.tokens.len());
        let mut starts = vec![start];
        starts.extend(
            self.top_level(start)
                .take_while(|&at| at < end)
                .filter_map(|at| self.is_kind(at, TokenKind::Comma).then_some(at + 1)),
        );
        let mut columns = Vec::new();
        for start in starts {
            self.at = start;
            if self.is_kind(start, TokenKind::Open) {
                columns.extend(self.name_list());
            } else {
                columns.extend(self.name());
            }
        }
        columns
    }

    fn delete(&mut self) -> Option<Action> {
        if !self.eat("FROM") {
            return None;
        }
        let table = self.target()?;
        let has_where = self.top_level(self.at).any(|at| self.is(at, "WHERE"));
        Some(Action::Delete { table, has_where })
    }

    fn pragma(&mut self) -> Option<Action> {
        let name = self.target()?.to_ascii_lowercase();
        let has_value = self.is_kind(self.at, TokenKind::Equals) || self.is_kind(self.at, TokenKind::Open);
        let value = if has_value { self.pragma_value(self.at + 1) } else { None };
        Some(Action::Pragma { name, value })
    }

    fn pragma_value(&self, at: usize) -> Option<String> {
        let first = self.tokens.get(at)?;
        let (sign, value) = match first.text(self.sql) {
            "-" => ("-", self.tokens.get(at + 1)?),
            "+" => ("", self.tokens.get(at + 1)?),
            _ => ("", first),
        };
        let text = value.name(self.sql).unwrap_or_else(|| value.text(self.sql).into());
        Some(format!("{sign}{}", text.to_ascii_lowercase()))
    }

    // Clauses.

    /// Reads over `WITH [RECURSIVE] name [(columns)] AS [[NOT] MATERIALIZED] (select), …` and keeps what it names.
    fn common_tables(&mut self) -> Option<()> {
        self.at += 1;
        self.eat("RECURSIVE");
        loop {
            let name = self.name()?;
            // It may read itself.
            self.defined.insert(name.to_ascii_lowercase(), None);
            if self.is_kind(self.at, TokenKind::Open) {
                self.at = self.behind_group(self.at);
            }
            if !self.eat("AS") {
                return None;
            }
            self.eat("NOT");
            self.eat("MATERIALIZED");
            if !self.is_kind(self.at, TokenKind::Open) {
                return None;
            }
            let body = self.at..self.behind_group(self.at);
            self.at = body.end;
            // Behind the parenthesis and the SELECT.
            let base = self.arm(body.start + 2..body.end - 1).filter(|_| self.is(body.start + 1, "SELECT"));
            self.defined.insert(name.to_ascii_lowercase(), base.map(|arm| arm.from));
            let sources = self.sources(body);
            self.tables.extend(sources.tables);
            if !self.eat_kind(TokenKind::Comma) {
                return Some(());
            }
        }
    }

    /// `OR IGNORE` and the like.
    fn conflict(&mut self) -> Option<Conflict> {
        if !self.eat("OR") {
            return None;
        }
        let conflict = match self.word()?.to_ascii_uppercase().as_str() {
            "IGNORE" => Conflict::Ignore,
            "REPLACE" => Conflict::Replace,
            _ => Conflict::Stop,
        };
        self.at += 1;
        Some(conflict)
    }

    /// Whether an `ON CONFLICT` clause begins here, rather than a join on something named conflict.
    fn begins_upsert(&self, at: usize) -> bool {
        self.is(at, "ON")
            && self.is(at + 1, "CONFLICT")
            && (self.is_kind(at + 2, TokenKind::Open) || self.is(at + 2, "DO"))
    }

    /// `IF EXISTS` or `IF NOT EXISTS`; a table may be named `if`.
    fn skip_condition(&mut self) {
        let not = usize::from(self.is(self.at + 1, "NOT"));
        if self.is(self.at, "IF") && self.is(self.at + 1 + not, "EXISTS") {
            self.at += 2 + not;
        }
    }

    /// The select that begins here, also behind a WITH; none for VALUES.
    fn select(&mut self) -> Option<Select> {
        if self.is(self.at, "WITH") {
            self.common_tables()?;
        }
        if !self.eat("SELECT") {
            return None;
        }
        let distinct = self.eat("DISTINCT");
        self.eat("ALL");
        let start = self.at;
        let end = self.end_of_select(start);
        let result_end = self.top_level(start).find(|&at| at >= end || self.ends_result(at)).unwrap_or(end);
        let items = self.select_items(start..result_end.min(end));
        let sources = self.sources(result_end.min(end)..end);
        let in_results = self.sources(start..result_end.min(end));
        let body = || self.top_level(result_end).take_while(|&at| at < end);
        let compound = body().any(|at| self.is_any(at, &["UNION", "INTERSECT", "EXCEPT"]));
        let narrowed = body().any(|at| self.narrows(at));
        let from = match sources.outer.as_slice() {
            [Some(table)] if !compound && !sources.joined => Some(table.clone()),
            _ => None,
        };
        let mut tables = std::mem::take(&mut self.tables);
        tables.extend(in_results.tables);
        tables.extend(sources.tables);
        tables.retain(|table| !self.is_defined(table));
        let from = from.filter(|table| !self.is_defined(table));
        Some(Select {
            arms: if from.is_none() { self.arms(start..end) } else { Vec::new() },
            from,
            tables,
            items,
            filtered: distinct || narrowed,
            joined: sources.joined,
        })
    }

    /// The arms of the compound select that begins behind its first SELECT: of UNION only, as the others take rows away.
    fn arms(&self, range: Range<usize>) -> Vec<Arm> {
        let operators = || self.top_level(range.start).take_while(|&at| at < range.end);
        if operators().any(|at| self.is_any(at, &["INTERSECT", "EXCEPT"])) {
            return Vec::new();
        }
        let unions = operators().filter(|&at| self.is(at, "UNION"));
        let ends = unions.chain([range.end]).collect::<Vec<_>>();
        let selects = ends.iter().filter_map(|&union| {
            let select = union + 1 + usize::from(self.is(union + 1, "ALL"));
            (union < range.end && self.is(select, "SELECT")).then_some(select + 1)
        });
        let ranges = std::iter::once(range.start).chain(selects).filter_map(|start| {
            let end = ends.iter().copied().find(|&end| end >= start)?;
            Some(start..end)
        });
        ranges.filter_map(|range| self.arm(range)).collect()
    }

    /// A select without its first word, where it reads one table. A name of WITH stands for the table that it reads.
    fn arm(&self, range: Range<usize>) -> Option<Arm> {
        let start = range.start + usize::from(self.is_any(range.start, &["DISTINCT", "ALL"]));
        let body = || self.top_level(start).take_while(|&at| at < range.end);
        if body().any(|at| self.is_any(at, &["UNION", "INTERSECT", "EXCEPT"])) {
            return None;
        }
        let result_end = body().find(|&at| self.ends_result(at))?;
        let sources = self.sources(result_end..range.end);
        let [Some(table)] = sources.outer.as_slice() else { return None };
        let from = match self.defined.get(&table.to_ascii_lowercase()) {
            Some(base) => base.clone()?,
            None => table.clone(),
        };
        (!sources.joined).then(|| Arm { from, items: self.select_items(start..result_end) })
    }

    fn end_of_select(&self, start: usize) -> usize {
        self.top_level(start)
            .find(|&at| self.is(at, "RETURNING") || self.begins_upsert(at))
            .unwrap_or(self.tokens.len())
    }

    /// Whether the results of a select, or the assignments of an update, end here.
    fn ends_result(&self, at: usize) -> bool {
        self.is_any(at, &CLAUSES)
            || self.begins_from(at)
            || (self.is(at, "WINDOW") && self.is(at + 2, "AS") && self.is_kind(at + 3, TokenKind::Open))
    }

    /// Whether a FROM clause begins here; `IS DISTINCT FROM` is an operator.
    fn begins_from(&self, at: usize) -> bool {
        self.is(at, "FROM") && !(at > 0 && self.is(at - 1, "DISTINCT"))
    }

    fn narrows(&self, at: usize) -> bool {
        self.is_any(at, &["WHERE", "GROUP", "HAVING", "LIMIT", "INTERSECT", "EXCEPT"])
            || (self.is(at, "UNION") && !self.is(at + 1, "ALL"))
            || (self.is(at, "SELECT") && self.is(at + 1, "DISTINCT"))
    }

    fn is_defined(&self, table: &str) -> bool {
        self.defined.contains_key(&table.to_ascii_lowercase())
    }

    /// The tables that the FROM clauses between two places name, at any depth.
    fn sources(&self, range: Range<usize>) -> Sources {
        let mut sources = Sources::default();
        let mut frame = Frame { outer: true, ..Frame::default() };
        let mut frames = Vec::new();
        let mut at = range.start;
        while at < range.end {
            match self.tokens[at].kind {
                TokenKind::Open => {
                    let selects = self.is_any(at + 1, &["SELECT", "VALUES", "WITH"]);
                    let expects = std::mem::take(&mut frame.expects);
                    if expects && selects && frame.outer {
                        sources.outer.push(None);
                    }
                    let joins = expects && !selects;
                    frames.push(frame);
                    frame = Frame { in_from: joins, expects: joins, outer: frame.outer && joins };
                }
                TokenKind::Close => frame = frames.pop().unwrap_or(frame),
                TokenKind::Comma if frame.in_from => {
                    frame.expects = true;
                    sources.joined |= frame.outer;
                }
                _ if self.begins_from(at) => (frame.in_from, frame.expects) = (true, true),
                _ if frame.in_from && self.is(at, "JOIN") => {
                    frame.expects = true;
                    sources.joined |= frame.outer;
                }
                _ if self.is_any(at, &CLAUSES) || self.is_any(at, &["SELECT", "VALUES", "SET"]) => {
                    (frame.in_from, frame.expects) = (false, false);
                }
                _ if frame.expects => {
                    frame.expects = false;
                    let (table, end) = self.source(at);
                    if frame.outer {
                        sources.outer.push(table.clone());
                    }
                    sources.tables.extend(table);
                    at = end;
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        sources
    }

    /// The table named here, if it is one and not a function such as `json_each(…)`, and the place behind the name.
    fn source(&self, at: usize) -> (Option<String>, usize) {
        let qualified = self.is_kind(at + 1, TokenKind::Dot);
        let last = if qualified { at + 2 } else { at };
        let table = self.tokens.get(last).and_then(|token| token.name(self.sql));
        let function = self.is_kind(last + 1, TokenKind::Open);
        (table.filter(|_| !function).map(std::borrow::Cow::into_owned), (last + 1).min(self.tokens.len()))
    }

    /// The result columns between two places.
    fn select_items(&self, range: Range<usize>) -> Vec<SelectItem> {
        let mut items = Vec::new();
        let mut start = range.start;
        for at in self.top_level(range.start).take_while(|&at| at < range.end) {
            if self.is_kind(at, TokenKind::Comma) {
                items.push(self.select_item(start..at));
                start = at + 1;
            }
        }
        items.push(self.select_item(start..range.end));
        items
    }

    fn select_item(&self, range: Range<usize>) -> SelectItem {
        let range = self.without_alias(range);
        let tokens = &self.tokens[range.clone()];
        match tokens {
            [.., last] if is_qualifier(&tokens[..tokens.len() - 1]) => {
                if last.text(self.sql) == "*" {
                    return SelectItem::Star;
                }
                if let Some(name) = self.column(*last) {
                    let double_quoted = tokens.len() == 1 && last.text(self.sql).starts_with('"');
                    return SelectItem::Column { name, double_quoted };
                }
            }
            _ => {}
        }
        let text = match tokens {
            [] => "",
            [first, .., last] => &self.sql[first.start..last.end],
            [only] => only.text(self.sql),
        };
        SelectItem::Expression { sql: text.to_owned(), columns: self.columns_in(range) }
    }

    /// The column that a token names, where nothing but a name may stand.
    fn column(&self, token: Token) -> Option<String> {
        const VALUES: [&str; 5] = ["TRUE", "FALSE", "CURRENT_DATE", "CURRENT_TIME", "CURRENT_TIMESTAMP"];
        let is_value = VALUES.iter().any(|value| token.is_word(self.sql, value));
        if token.kind == TokenKind::String || is_value {
            return None;
        }
        token.name(self.sql).map(std::borrow::Cow::into_owned)
    }

    /// A result column without `AS name` or a bare `name` at its end.
    fn without_alias(&self, range: Range<usize>) -> Range<usize> {
        if range.len() < 2 {
            return range;
        }
        let last = range.end - 1;
        let before = last - 1;
        if self.is(before, "AS") {
            return range.start..before;
        }
        let is_name = self.tokens[last].name(self.sql).is_some();
        if is_name && self.ends_operand(range.start, before) && !self.closes_case(&range) {
            return range.start..last;
        }
        range
    }

    /// Whether the END at the end of a result column closes a CASE of it.
    fn closes_case(&self, range: &Range<usize>) -> bool {
        if !self.is(range.end - 1, "END") {
            return false;
        }
        let mut open = 0_usize;
        for at in self.top_level(range.start).take_while(|&at| at < range.end - 1) {
            if self.is(at, "CASE") {
                open += 1;
            } else if self.is(at, "END") {
                open = open.saturating_sub(1);
            }
        }
        open > 0
    }

    /// Whether an expression that begins at `start` may end at a place, so that a name behind it is an alias.
    fn ends_operand(&self, start: usize, at: usize) -> bool {
        let token = self.tokens[at];
        match token.kind {
            TokenKind::Word if at == start => !is_reserved(token.text(self.sql)) || self.is(at, "NULL"),
            TokenKind::Word if self.is_any(at, &["LIKE", "GLOB", "REGEXP", "MATCH"]) => false,
            TokenKind::Word if self.is(at, "OVER") => !self.is_kind(at - 1, TokenKind::Close),
            TokenKind::Word => !is_reserved(token.text(self.sql)) || self.is_any(at, &["NULL", "ISNULL", "NOTNULL"]),
            TokenKind::Quoted
            | TokenKind::String
            | TokenKind::Blob
            | TokenKind::Number
            | TokenKind::Variable
            | TokenKind::Close => true,
            _ => false,
        }
    }

    /// The names between two places that may be columns: not functions, prefixes, types and collations.
    fn columns_in(&self, range: Range<usize>) -> Vec<String> {
        const OPERATORS: [&str; 10] =
            ["LIKE", "GLOB", "REGEXP", "MATCH", "END", "OVER", "FILTER", "BY", "CAST", "RAISE"];
        let mut seen = BTreeSet::new();
        let mut columns = Vec::new();
        let mut in_type = false;
        for at in range {
            let kind = self.tokens[at].kind;
            in_type = match kind {
                TokenKind::Close | TokenKind::Comma => false,
                _ => in_type || self.is(at, "AS"),
            };
            let is_prefix = self.is_kind(at + 1, TokenKind::Open) || self.is_kind(at + 1, TokenKind::Dot);
            let is_collation = at > 0 && self.is(at - 1, "COLLATE");
            if in_type || is_prefix || is_collation || (kind == TokenKind::Word && self.is_any(at, &OPERATORS)) {
                continue;
            }
            columns.extend(self.column(self.tokens[at]).filter(|name| seen.insert(name.clone())));
        }
        columns
    }

    // Tokens.

    fn is(&self, at: usize, keyword: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is_word(self.sql, keyword))
    }

    fn is_any(&self, at: usize, keywords: &[&str]) -> bool {
        keywords.iter().any(|keyword| self.is(at, keyword))
    }

    fn is_kind(&self, at: usize, kind: TokenKind) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == kind)
    }

    fn word(&self) -> Option<&'a str> {
        self.tokens.get(self.at).filter(|token| token.kind == TokenKind::Word).map(|token| token.text(self.sql))
    }

    fn eat(&mut self, keyword: &str) -> bool {
        let found = self.is(self.at, keyword);
        self.at += usize::from(found);
        found
    }

    fn eat_kind(&mut self, kind: TokenKind) -> bool {
        let found = self.is_kind(self.at, kind);
        self.at += usize::from(found);
        found
    }

    fn name(&mut self) -> Option<String> {
        let name = self.tokens.get(self.at)?.name(self.sql)?;
        self.at += 1;
        Some(name.into_owned())
    }

    /// A name with or without its schema, which is dropped.
    fn target(&mut self) -> Option<String> {
        let name = self.name()?;
        if !self.eat_kind(TokenKind::Dot) {
            return Some(name);
        }
        self.temporary |= name.eq_ignore_ascii_case("temp");
        self.name()
    }

    /// The names in the parentheses that open here; reads behind them.
    fn name_list(&mut self) -> Vec<String> {
        let end = self.behind_group(self.at);
        let names = self.tokens[self.at..end].iter().filter_map(|token| token.name(self.sql));
        let names = names.map(std::borrow::Cow::into_owned).collect();
        self.at = end;
        names
    }

    /// The place behind the parenthesis that closes the one that opens here.
    fn behind_group(&self, open: usize) -> usize {
        self.top_level(open).nth(1).unwrap_or(self.tokens.len())
    }

    /// The places from `start` that are in no parentheses opened since; an opening parenthesis is one, what follows it up
    /// to and including the closing one is not.
    fn top_level(&self, start: usize) -> impl Iterator<Item = usize> {
        let mut depth = 0_usize;
        (start..self.tokens.len()).filter(move |&at| match self.tokens[at].kind {
            TokenKind::Open => {
                depth += 1;
                depth == 1
            }
            TokenKind::Close => {
                depth = depth.saturating_sub(1);
                false
            }
            _ => depth == 0,
        })
    }
}

/// Whether tokens are nothing, or names with a dot behind each.
fn is_qualifier(tokens: &[Token]) -> bool {
    let is_pair = |pair: &[Token]| match pair {
        [name, dot] => matches!(name.kind, TokenKind::Word | TokenKind::Quoted) && dot.kind == TokenKind::Dot,
        _ => false,
    };
    tokens.len() <= 4 && tokens.chunks(2).all(is_pair)
}

/// What the FROM clauses of a select name.
#[derive(Default)]
struct Sources {
    /// The sources of the outermost FROM; none for one that is not a table.
    outer: Vec<Option<String>>,
    /// Every table, at any depth.
    tables: Vec<String>,
    /// Whether the outermost FROM has a join or a comma.
    joined: bool,
}

/// Where a walk over FROM clauses is, within one pair of parentheses.
#[derive(Default, Clone, Copy)]
struct Frame {
    in_from: bool,
    /// Whether a source must come next.
    expects: bool,
    /// Whether this is the outermost FROM, or parentheses around a part of it.
    outer: bool,
}
