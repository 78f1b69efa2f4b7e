//! Goes through code in the order in which it runs when the app starts, for calls that migrate and calls that listen.
//!
//! Imports run first, then what stands outside of functions; a function runs where it is called. What is passed on as a function runs
//! at a time that nobody can tell from the text, unless what it is passed to is known to call it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::calls::{self, Call, Seen};
use super::module::{Function, Import, Module};
use super::{programs, resolve};
use crate::doctor::answer::At;
use crate::doctor::places;
use crate::migrations::project::code::Language;

/// Files that are read from one beginning.
const MOST_FILES: usize = 400;
/// Calls within calls that are followed.
const DEEPEST: usize = 40;

/// The number of a command that the others do not wait for; none of them has a greater one.
const BESIDE: usize = usize::MAX / 2;

/// A call that migrates or listens.
#[derive(Debug, Clone)]
pub(super) struct Event {
    pub(super) seen: Seen,
    /// What is called, for a sentence.
    pub(super) what: String,
    pub(super) at: At,
    /// Whether it surely runs when the app starts.
    pub(super) is_certain: bool,
    /// The calls around it that nobody waits for.
    pub(super) unawaited: Vec<u32>,
    /// Which command of several it is in.
    pub(super) command: usize,
}

/// Goes through files.
pub(super) struct Walk<'a> {
    root: &'a Path,
    modules: BTreeMap<PathBuf, Option<Rc<Module>>>,
    run: BTreeSet<PathBuf>,
    called: BTreeSet<(PathBuf, usize)>,
    /// Calls under way that nobody waits for, and whether they have begun to wait for something themselves.
    unawaited: Vec<(u32, bool)>,
    calls: u32,
    /// Of each file those that it may take functions from, in languages that do not name them.
    neighbours: BTreeMap<PathBuf, Rc<Vec<PathBuf>>>,
    pub(super) events: Vec<Event>,
    pub(super) command: usize,
    /// Commands that were looked at, also those that only run others.
    pub(super) steps: usize,
    /// The last command: what it is, where it stands, and its number.
    pub(super) last: Option<(String, At, usize)>,
    /// The first command of the project that is in none of its files, and where it stands.
    pub(super) unread: Option<(String, At)>,
}

/// A part of a range in which something else holds.
struct Scope {
    end: usize,
    is_certain: bool,
    is_unawaited: bool,
}

impl<'a> Walk<'a> {
    pub(super) fn new(root: &'a Path) -> Self {
        Self {
            root,
            modules: BTreeMap::new(),
            run: BTreeSet::new(),
            called: BTreeSet::new(),
            unawaited: Vec::new(),
            calls: 0,
            neighbours: BTreeMap::new(),
            events: Vec::new(),
            command: 0,
            steps: 0,
            last: None,
            unread: None,
        }
    }

    /// Runs a file as the beginning of an app.
    pub(super) fn start(&mut self, file: &Path) {
        let Some(module) = self.module(file) else { return };
        match module.language {
            Language::JavaScript => {
                self.run(file, 0);
                // What frameworks call before they listen.
                for name in ["init", "register"] {
                    if let Some(index) = module.function_named(name).filter(|_| is_hook(file)) {
                        self.call_function(&module, &module.functions[index], true, true, 0);
                    }
                }
                let mut exports = (0..module.tokens.len()).filter(|&at| module.are(at, &["export", "default"]));
                if let Some(at) = exports.next().filter(|&at| calls::is_server(&module, at + 2)) {
                    self.note(
                        Seen::Listens,
                        "export default".to_owned(),
                        At::new(file, module.tokens[at].line),
                        true,
                        &[],
                    );
                }
            }
            Language::Go | Language::Rust => {
                if let Some(main) = module.function_named("main") {
                    self.call_function(&module, &module.functions[main], true, true, 0);
                }
            }
            Language::Script => {}
        }
    }

    /// Does this as something that nothing waits for.
    pub(super) fn alone(&mut self, run: impl FnOnce(&mut Self)) {
        let command = std::mem::replace(&mut self.command, BESIDE);
        self.calls += 1;
        self.unawaited.push((self.calls, true));
        run(self);
        self.unawaited.pop();
        self.command = command + 1;
    }

    /// A command that migrates.
    pub(super) fn migrates(&mut self, what: String, at: At) {
        let around: Vec<u32> = self.unawaited.iter().map(|(call, _)| *call).collect();
        self.note(Seen::Migrates, what, at, true, &around);
    }

    fn module(&mut self, file: &Path) -> Option<Rc<Module>> {
        if let Some(known) = self.modules.get(file) {
            return known.clone();
        }
        if self.modules.len() >= MOST_FILES {
            return None;
        }
        let module = places::text(file).ok().and_then(|text| {
            let language = programs::language_of(file, &text)?;
            Some(Rc::new(Module::parse(file, &text, language)))
        });
        self.modules.insert(file.to_path_buf(), module.clone());
        module
    }

    /// What happens when a file is imported: its own imports, then what stands outside of functions. Once.
    fn run(&mut self, file: &Path, depth: usize) {
        if depth > DEEPEST || !self.run.insert(file.to_path_buf()) {
            return;
        }
        let Some(module) = self.module(file) else { return };
        let mut imported: Vec<&str> = module.imports.iter().map(|import| import.from.as_str()).collect();
        imported.dedup();
        for name in imported {
            if let Some(other) = resolve::import(self.root, file, name) {
                self.run(&other, depth + 1);
            }
        }
        self.range(&module, 0..module.tokens.len(), true, depth);
    }

    fn range(&mut self, module: &Rc<Module>, range: Range<usize>, is_certain: bool, depth: usize) {
        let mut at = range.start;
        let mut scopes: Vec<Scope> = Vec::new();
        let mut uncertain = usize::from(!is_certain);
        // The parentheses that are open, each with what is called with them.
        let mut open: Vec<(usize, Option<String>)> = Vec::new();
        while at < range.end {
            while open.last().is_some_and(|(close, _)| *close <= at) {
                open.pop();
            }
            while let Some(scope) = scopes.pop_if(|scope| scope.end <= at) {
                uncertain -= usize::from(!scope.is_certain);
                if scope.is_unawaited {
                    self.unawaited.pop();
                }
            }
            if let Some(function) = module.function_at(at) {
                at = function.body.end.max(at + 1);
                continue;
            }
            if module.is(at, "(") {
                let callee = at.checked_sub(1).and_then(|before| module.word(before)).map(str::to_owned);
                open.push((module.close(at), callee));
            } else if let Some(body) = calls::anonymous(module, at) {
                let callee = open.last().and_then(|(_, callee)| callee.as_deref());
                let is_known = calls::calls_back(callee);
                let is_unawaited = callee.is_none() && calls::is_left_alone(module, at);
                if is_unawaited {
                    self.calls += 1;
                    self.unawaited.push((self.calls, module.language == Language::Go));
                }
                uncertain += usize::from(!is_known);
                scopes.push(Scope { end: body.end, is_certain: is_known, is_unawaited });
            } else if module.is(at, "await") {
                for (_, waits) in &mut self.unawaited {
                    *waits = true;
                }
            } else if let Some(call) = Call::at(module, at) {
                self.call(module, &call, uncertain == 0, depth);
            }
            at += 1;
        }
        for scope in scopes {
            if scope.is_unawaited {
                self.unawaited.pop();
            }
        }
    }

    fn call(&mut self, module: &Rc<Module>, call: &Call<'_>, certain: bool, depth: usize) {
        let import = call.import(module);
        if let Some((seen, what, is_sync)) = calls::seen(module, call, import) {
            let mut around: Vec<u32> =
                self.unawaited.iter().filter(|(_, waits)| *waits || !is_sync).map(|(call, _)| *call).collect();
            let returns_at_once = !is_sync || module.language == Language::Go;
            if seen == Seen::Migrates && returns_at_once && !call.is_awaited {
                self.calls += 1;
                around.push(self.calls);
            }
            self.note(seen, what, At::new(&module.file, call.line), certain, &around);
            return;
        }
        if let Some(name) = call.loads {
            let is_alone = call.name == "import" && !call.is_awaited;
            if is_alone {
                self.calls += 1;
                self.unawaited.push((self.calls, true));
            }
            if let Some(other) = resolve::import(self.root, &module.file, name) {
                self.run(&other, depth + 1);
            }
            if is_alone {
                self.unawaited.pop();
            }
            return;
        }
        let Some((other, index)) = self.function(module, call, import) else { return };
        self.call_function(&other, &other.functions[index], certain, call.is_awaited, depth);
    }

    fn call_function(
        &mut self,
        module: &Rc<Module>,
        function: &Function,
        certain: bool,
        is_awaited: bool,
        depth: usize,
    ) {
        if depth > DEEPEST || !self.called.insert((module.file.clone(), function.start)) {
            return;
        }
        let is_routine = module.language == Language::Go;
        let is_alone = (function.is_async || is_routine) && !is_awaited;
        if is_alone {
            self.calls += 1;
            self.unawaited.push((self.calls, is_routine));
        }
        self.range(module, function.body.clone(), certain, depth + 1);
        if is_alone {
            self.unawaited.pop();
        }
    }

    /// The function that is called, where the project has it.
    fn function(
        &mut self,
        module: &Rc<Module>,
        call: &Call<'_>,
        import: Option<&Import>,
    ) -> Option<(Rc<Module>, usize)> {
        match module.language {
            Language::JavaScript => {
                if call.receiver.is_none_or(|receiver| receiver == "this")
                    && let Some(index) = module.function_named(call.name)
                {
                    return Some((module.clone(), index));
                }
                let import = import?;
                let name = if call.receiver.is_some() { call.name } else { &import.exported };
                let file = resolve::import(self.root, &module.file, &import.from)?;
                self.exported(&file, name, 0)
            }
            Language::Go | Language::Rust => {
                if let Some(index) = module.function_named(call.name) {
                    return Some((module.clone(), index));
                }
                let root = self.root;
                let known = self.neighbours.entry(module.file.clone());
                let neighbours = known.or_insert_with(|| Rc::new(calls::neighbours(root, module))).clone();
                let mut having = neighbours.iter().filter_map(|file| {
                    let module = self.module(file)?;
                    let index = module.function_named(call.name)?;
                    Some((module, index))
                });
                // Of several nobody can tell which one is meant.
                let only = having.next()?;
                having.next().is_none().then_some(only)
            }
            Language::Script => None,
        }
    }

    /// The function that a file exports by this name, also one that it has from another file.
    fn exported(&mut self, file: &Path, name: &str, depth: usize) -> Option<(Rc<Module>, usize)> {
        let module = self.module(file)?;
        let name = if name == "default" { module.default.clone()? } else { name.to_owned() };
        if let Some(index) = module.function_named(&name) {
            return Some((module, index));
        }
        if depth > DEEPEST {
            return None;
        }
        let passed_on = module.imports.iter().filter(|import| import.local == name || import.local == "*");
        for import in passed_on.cloned().collect::<Vec<_>>() {
            let wanted = if import.local == "*" { &name } else { &import.exported };
            let other = resolve::import(self.root, file, &import.from);
            if let Some(found) = other.and_then(|other| self.exported(&other, wanted, depth + 1)) {
                return Some(found);
            }
        }
        None
    }

    pub(super) fn note(&mut self, seen: Seen, what: String, at: At, is_certain: bool, unawaited: &[u32]) {
        let command = self.command;
        self.events.push(Event { seen, what, at, is_certain, unawaited: unawaited.to_vec(), command });
    }
}

/// Whether a framework calls functions of this file when the server starts.
fn is_hook(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("hooks.server.") || name.starts_with("instrumentation.")
}
