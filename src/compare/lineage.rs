//! Which table and column after is which before, by what the statements did.
//!
//! Renames and rebuilds are followed statement by statement. A column keeps its name unless RENAME COLUMN says otherwise; one
//! that has no partner of its name is the one that the rebuild's `INSERT … SELECT` filled it from.

use std::collections::{BTreeMap, BTreeSet};

use crate::execution::Step;
use crate::migrations::statement::{Action, Arm, Insert, SelectItem};
use crate::schema::lexer::{self, Token, TokenKind};
use crate::schema::{Schema, Table};

/// A table before and after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// Its name before; none where it is new.
    pub before: Option<String>,
    /// Its name after; none where it is gone.
    pub after: Option<String>,
    /// What became of it.
    pub change: Change,
    /// Names of the same column before and after.
    pub columns: Vec<(String, String)>,
    /// Names under which it was made or that it had on the way, before it was renamed to the one after.
    pub interim: Vec<String>,
    /// Copies of it that are still there, column by column; what the rows are is not looked at here.
    pub copies: Vec<Copied>,
}

/// A table after into which columns of a table before were copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Its name after.
    pub into: String,
    /// Column before, column after.
    pub columns: Vec<(String, String)>,
}

impl Copied {
    /// Whether it holds what this column held before.
    #[must_use]
    pub fn reads(&self, column: &str) -> bool {
        self.columns.iter().any(|(before, _)| before == column)
    }
}

/// What became of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// The same table.
    Same,
    /// Under another name.
    Renamed,
    /// Created anew, filled from the old one or not.
    Rebuilt,
    /// New.
    Added,
    /// Gone.
    Dropped,
}

impl Pair {
    /// Whether the column that had this name before is there after, under whatever name.
    #[must_use]
    pub fn keeps(&self, column: &str) -> bool {
        self.columns.iter().any(|(before, _)| before == column)
    }

    /// Whether it had this name before, has it after, or had it on the way.
    #[must_use]
    pub fn is_called(&self, name: &str) -> bool {
        let own = [&self.before, &self.after].into_iter().flatten();
        own.chain(&self.interim).any(|own| own.eq_ignore_ascii_case(name))
    }
}

/// Follows every table of the user through the steps.
#[must_use]
pub fn pairs(before: &Schema, after: &Schema, ledger: &str, steps: &[Step]) -> Vec<Pair> {
    let mut tables = Tables::of(before);
    for step in steps.iter().filter(|step| step.committed) {
        tables.apply(step);
    }
    let renamed = std::mem::take(&mut tables.renamed);
    let mut pairs = tables.pairs(before, after, ledger);
    for pair in &mut pairs {
        pair.interim = pair.after.as_ref().map(|after| interim(after, &renamed)).unwrap_or_default();
    }
    pairs
}

/// The names that became this one, each once, directly or over others.
fn interim(name: &str, renamed: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut next = vec![key(name)];
    while let Some(to) = next.pop() {
        for from in renamed.get(&to).into_iter().flatten() {
            if !names.iter().any(|known| known.eq_ignore_ascii_case(from)) {
                names.push(from.clone());
                next.push(key(from));
            }
        }
    }
    names
}

/// The tables at one moment, by name in lower case.
struct Tables {
    now: BTreeMap<String, Origin>,
    /// Temporary ones; one of them hides a table of its name.
    temporary: BTreeMap<String, Origin>,
    /// Copies: the table that was written, as it is called now, and what was read.
    copied: Vec<(String, Source)>,
    /// What was renamed to a name, in order.
    renamed: BTreeMap<String, Vec<String>>,
}

/// Where a table that exists at one moment comes from.
#[derive(Debug, Clone, Default)]
struct Origin {
    /// The table before that it is, under whatever name.
    table: Option<String>,
    /// Columns that were renamed: name now, name before.
    renamed: Vec<(String, String)>,
    /// Copies into it while it was new.
    sources: Vec<Source>,
}

/// A copy of rows into a new table.
#[derive(Debug, Clone)]
struct Source {
    /// The table before that was read.
    table: String,
    /// Column of the new table, column before.
    columns: Vec<(String, String)>,
    /// Where the copy names no columns: the columns before in the order in which they were written.
    order: Order,
}

/// What a copy without a list of columns wrote, by place.
#[derive(Debug, Clone)]
enum Order {
    /// It has a list.
    Named,
    /// Every column as it lies.
    All,
    /// These columns before; none where it is no column.
    Items(Vec<Option<String>>),
}

fn key(name: &str) -> String {
    name.to_ascii_lowercase()
}

/// Whether the statement names a table as `main.table`.
fn says_main(sql: &str) -> bool {
    let tokens: Vec<Token> = lexer::tokens(sql).filter(|token| !token.is_trivia()).collect();
    tokens.windows(2).any(|pair| {
        pair[1].kind == TokenKind::Dot && pair[0].name(sql).is_some_and(|name| name.eq_ignore_ascii_case("main"))
    })
}

impl Tables {
    fn of(schema: &Schema) -> Self {
        let origin = |table: &Table| Origin { table: Some(table.name.clone()), ..Origin::default() };
        let now = schema.tables.iter().map(|(name, table)| (name.clone(), origin(table))).collect();
        Self { now, temporary: BTreeMap::new(), copied: Vec::new(), renamed: BTreeMap::new() }
    }

    fn apply(&mut self, step: &Step) {
        self.follow(step);
        for renamed in &step.statement.renamed {
            let table = step.statement.table().map(str::to_owned).unwrap_or_default();
            if let Some(origin) = self.with(&table, step).get_mut(&key(&table)) {
                origin.rename(&renamed.old, &renamed.new);
            }
        }
    }

    fn follow(&mut self, step: &Step) {
        match &step.statement.action {
            Action::CreateTable { table, source, united } => {
                let source = source.as_deref().and_then(|source| self.copy(source, &[], &[SelectItem::Star], step));
                self.copied.extend(source.clone().map(|source| (key(table), source)));
                self.unite(table, &[], united, step);
                let sources = source.into_iter().collect();
                let tables = if step.statement.is_temporary() { &mut self.temporary } else { &mut self.now };
                tables.entry(key(table)).or_insert(Origin { sources, ..Origin::default() });
            }
            Action::DropTable { table } => {
                self.copied.retain(|(into, _)| *into != key(table));
                self.with(table, step).remove(&key(table));
            }
            Action::RenameTable { table, to } => {
                self.renamed.entry(key(to)).or_default().push(table.clone());
                for (into, _) in self.copied.iter_mut().filter(|(into, _)| *into == key(table)) {
                    *into = key(to);
                }
                let tables = self.with(table, step);
                if let Some(origin) = tables.remove(&key(table)) {
                    tables.insert(key(to), origin);
                }
            }
            Action::RenameColumn { table, column, to } => {
                if let Some(origin) = self.with(table, step).get_mut(&key(table)) {
                    origin.rename(column, to);
                }
            }
            Action::Insert(insert) => self.insert(insert, step),
            _ => {}
        }
    }

    /// The tables among which the statement finds this one: the temporary ones, unless it says `main`.
    fn with(&mut self, table: &str, step: &Step) -> &mut BTreeMap<String, Origin> {
        let hidden = self.temporary.contains_key(&key(table)) && !says_main(&step.statement.sql);
        if hidden || step.statement.is_temporary() { &mut self.temporary } else { &mut self.now }
    }

    fn insert(&mut self, insert: &Insert, step: &Step) {
        let Some(select) = &insert.select else { return };
        self.unite(&insert.table, &insert.columns, &select.arms, step);
        let Some(from) = &select.from else { return };
        let source = self.copy(from, &insert.columns, &select.items, step);
        self.copied.extend(source.clone().map(|source| (key(&insert.table), source)));
        let into = self.with(&insert.table, step).get_mut(&key(&insert.table));
        if let Some(origin) = into.filter(|origin| origin.table.is_none()) {
            origin.sources.extend(source);
        }
    }

    /// The parts of a UNION are copies, but the table that they fill is not the one that one of them reads.
    fn unite(&mut self, into: &str, columns: &[String], arms: &[Arm], step: &Step) {
        let sources: Vec<Source> =
            arms.iter().filter_map(|arm| self.copy(&arm.from, columns, &arm.items, step)).collect();
        self.copied.extend(sources.into_iter().map(|source| (key(into), source)));
    }

    /// A copy that reads `items` of `from`, with its columns as they were called before. A copy of a copy reads the original.
    fn copy(&self, from: &str, columns: &[String], items: &[SelectItem], step: &Step) -> Option<Source> {
        let hidden = self.temporary.get(&key(from)).filter(|_| !says_main(&step.statement.sql));
        let origin = hidden.or_else(|| self.now.get(&key(from)))?;
        let table = origin.table.clone().or_else(|| origin.sources.first().map(|source| source.table.clone()))?;
        let read = |item: &SelectItem| match item {
            SelectItem::Column { name, double_quoted } if !(*double_quoted && step.strings.contains(name)) => {
                Some(origin.name_before(name))
            }
            _ => None,
        };
        let star = items == [SelectItem::Star];
        let mut pairs: Vec<(String, String)> =
            columns.iter().zip(items).filter_map(|(column, item)| Some((column.clone(), read(item)?))).collect();
        if star {
            pairs.extend(origin.known().map(|(now, before)| (now.clone(), before.clone())));
        }
        let order = match (columns.is_empty(), star) {
            (false, _) => Order::Named,
            (true, true) if origin.table.is_some() => Order::All,
            (true, _) => Order::Items(items.iter().map(read).collect()),
        };
        Some(Source { table, columns: pairs, order })
    }

    fn pairs(self, before: &Schema, after: &Schema, ledger: &str) -> Vec<Pair> {
        let replaced = self.replaced(before, after, ledger);
        let mut unclaimed: BTreeSet<String> = before.user_tables(ledger).map(|table| key(&table.name)).collect();
        let mut pairs = Vec::new();
        let mut new = Vec::new();
        for table in after.user_tables(ledger) {
            let origin = self.now.get(&key(&table.name)).cloned().unwrap_or_else(|| Origin {
                table: before.table(&table.name).map(|table| table.name.clone()),
                ..Origin::default()
            });
            match origin.table.as_deref().and_then(|name| before.table(name)) {
                // Kept under another name, while a new table has its name.
                Some(old) if replaced.contains(&key(&old.name)) => {
                    pairs.push(lone(None, Some(&table.name), Change::Added));
                }
                Some(old) => {
                    unclaimed.remove(&key(&old.name));
                    let change = if old.name == table.name { Change::Same } else { Change::Renamed };
                    pairs.push(self.pair(old, (table, after), &origin, change));
                }
                None => new.push((table, origin)),
            }
        }
        // The one that was filled from a table and has its name continues it, whatever else was filled from it.
        new.sort_by_key(|(table, origin): &(&Table, Origin)| !origin.reads(&table.name));
        for (table, origin) in new {
            match claim(table, &origin, &mut unclaimed).and_then(|name| before.table(&name)) {
                Some(old) => pairs.push(self.pair(old, (table, after), &origin, Change::Rebuilt)),
                None => pairs.push(lone(None, Some(&table.name), Change::Added)),
            }
        }
        for name in &unclaimed {
            if let Some(table) = before.table(name) {
                let mut pair = lone(Some(&table.name), None, Change::Dropped);
                pair.copies = self.copies(table, after);
                pairs.push(pair);
            }
        }
        pairs.sort_by(|one, other| (&one.after, &one.before).cmp(&(&other.after, &other.before)));
        pairs
    }

    /// Tables before whose name belongs to a new table: who reads that name gets what the new one holds.
    fn replaced(&self, before: &Schema, after: &Schema, ledger: &str) -> BTreeSet<String> {
        let names = after.user_tables(ledger).map(|table| key(&table.name));
        names
            .filter(|name| before.tables.contains_key(name))
            .filter(|name| self.now.get(name).is_some_and(|origin| origin.table.is_none()))
            .collect()
    }

    fn pair(&self, before: &Table, (after, schema): (&Table, &Schema), origin: &Origin, change: Change) -> Pair {
        Pair {
            before: Some(before.name.clone()),
            after: Some(after.name.clone()),
            change,
            columns: origin.columns(before, after),
            interim: Vec::new(),
            copies: self.copies(before, schema),
        }
    }

    fn copies(&self, before: &Table, after: &Schema) -> Vec<Copied> {
        let of_it = self.copied.iter().filter(|(_, source)| source.table.eq_ignore_ascii_case(&before.name));
        of_it
            .filter_map(|(into, source)| {
                let table = after.table(into)?;
                let named = source.columns.iter().cloned();
                let pairs = named.chain(source.by_place(before, table));
                let there = pairs.filter_map(|(now, old)| {
                    Some((before.column(&old)?.name.clone(), table.column(&now)?.name.clone()))
                });
                Some(Copied { into: table.name.clone(), columns: there.collect() })
            })
            .collect()
    }
}

/// The table before that a new table continues: one of its name, else one that it was filled from; each only once.
fn claim(table: &Table, origin: &Origin, unclaimed: &mut BTreeSet<String>) -> Option<String> {
    let sources = origin.sources.iter().map(|source| key(&source.table));
    let name = std::iter::once(key(&table.name)).chain(sources).find(|name| unclaimed.contains(name))?;
    unclaimed.take(&name)
}

fn lone(before: Option<&str>, after: Option<&str>, change: Change) -> Pair {
    let (before, after) = (before.map(str::to_owned), after.map(str::to_owned));
    Pair { before, after, change, columns: Vec::new(), interim: Vec::new(), copies: Vec::new() }
}

impl Origin {
    fn rename(&mut self, column: &str, to: &str) {
        match self.renamed.iter_mut().find(|(now, _)| now.eq_ignore_ascii_case(column)) {
            Some((now, _)) => to.clone_into(now),
            None => self.renamed.push((to.to_owned(), self.name_before(column))),
        }
    }

    /// Whether a copy into it read this table before.
    fn reads(&self, table: &str) -> bool {
        self.sources.iter().any(|source| source.table.eq_ignore_ascii_case(table))
    }

    /// Columns that are known to have had another name, or to come from a certain column: name now, name before.
    fn known(&self) -> impl Iterator<Item = &(String, String)> {
        self.renamed.iter().chain(self.sources.iter().flat_map(|source| &source.columns))
    }

    fn name_before(&self, column: &str) -> String {
        let known = self.known().find(|(now, _)| now.eq_ignore_ascii_case(column));
        known.map_or_else(|| column.to_owned(), |(_, before)| before.clone())
    }

    /// Columns that the copies put under a name that is new, while their old name is left to new values: name now, name before.
    fn moved<'a>(&'a self, before: &'a Table, after: &'a Table) -> impl Iterator<Item = &'a (String, String)> {
        let sources = || self.sources.iter().filter(|source| source.table.eq_ignore_ascii_case(&before.name));
        let named = move || sources().flat_map(|source| &source.columns);
        let is_new = |now: &String| before.column(now).is_none() && after.column(now).is_some();
        named().filter(move |(now, old)| is_new(now) && !named().any(|(other, _)| other.eq_ignore_ascii_case(old)))
    }

    fn columns(&self, before: &Table, after: &Table) -> Vec<(String, String)> {
        let mut columns = Columns::of(before, after);
        for (now, old) in &self.renamed {
            columns.pair(old, now);
        }
        for (now, old) in self.moved(before, after) {
            columns.pair(old, now);
        }
        for column in &after.columns {
            columns.pair(&column.name, &column.name);
        }
        for source in self.sources.iter().filter(|source| source.table.eq_ignore_ascii_case(&before.name)) {
            for (now, old) in &source.columns {
                columns.pair(old, now);
            }
            for (now, old) in source.by_place(before, after) {
                columns.pair(&old, &now);
            }
        }
        columns.in_order()
    }
}

impl Source {
    /// What a copy without a list of columns wrote where, if the table still has as many columns as it wrote.
    fn by_place(&self, before: &Table, after: &Table) -> Vec<(String, String)> {
        let read: Vec<Option<String>> = match &self.order {
            Order::Named => Vec::new(),
            Order::All => before.columns.iter().map(|column| Some(column.name.clone())).collect(),
            Order::Items(items) => items.clone(),
        };
        let written: Vec<_> = after.columns.iter().filter(|column| !column.generated).collect();
        if read.len() != written.len() {
            return Vec::new();
        }
        written.iter().zip(read).filter_map(|(column, read)| Some((column.name.clone(), read?))).collect()
    }
}

/// Columns being paired; each takes part once.
struct Columns<'a> {
    /// The names that are left, and their places, by name in lower case.
    before: BTreeMap<String, &'a str>,
    after: BTreeMap<String, (usize, &'a str)>,
    /// By the place after.
    pairs: BTreeMap<usize, (String, String)>,
}

impl<'a> Columns<'a> {
    fn of(before: &'a Table, after: &'a Table) -> Self {
        let named = |table: &'a Table| table.columns.iter().map(|column| (key(&column.name), column.name.as_str()));
        let placed = named(after).enumerate().map(|(place, (key, name))| (key, (place, name)));
        Self { before: named(before).collect(), after: placed.collect(), pairs: BTreeMap::new() }
    }

    fn pair(&mut self, old: &str, new: &str) {
        let (old, new) = (key(old), key(new));
        if let (Some(before), Some((place, after))) = (self.before.get(&old), self.after.get(&new)) {
            self.pairs.insert(*place, ((*before).to_owned(), (*after).to_owned()));
            self.before.remove(&old);
            self.after.remove(&new);
        }
    }

    fn in_order(self) -> Vec<(String, String)> {
        self.pairs.into_values().collect()
    }
}
