//! A source file as far as it matters for what runs when: functions with their bodies, imports, brackets.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::migrations::project::code::{Kind, Language, Token, tokens};

/// A source file.
#[derive(Debug)]
pub(super) struct Module {
    pub(super) file: PathBuf,
    pub(super) language: Language,
    pub(super) tokens: Vec<Token>,
    pub(super) functions: Vec<Function>,
    pub(super) imports: Vec<Import>,
    /// What `require()` and `import()` load, by name.
    loaded: Vec<Import>,
    /// The function or name that is exported as the default.
    pub(super) default: Option<String>,
    /// The first strings of it, among them what it imports.
    pub(super) first_texts: Vec<String>,
    /// For each opening bracket where it closes.
    closes: Vec<usize>,
    /// Functions by the token with which they begin.
    beginning: BTreeMap<usize, usize>,
    /// Functions by name, the first of each.
    named: BTreeMap<String, usize>,
}

/// A function with a name.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    /// The token with which its definition begins.
    pub(super) start: usize,
    pub(super) body: Range<usize>,
    pub(super) is_async: bool,
}

/// A name that another file defines.
#[derive(Debug, Clone)]
pub(super) struct Import {
    /// What it is called here; `*` where everything of the other file is passed on, empty where the file is only run.
    pub(super) local: String,
    /// What it is called there.
    pub(super) exported: String,
    pub(super) from: String,
}

/// Tokens of an import, or of the arguments of a call, that are looked at.
const MOST_TOKENS: usize = 500;
/// Strings at the beginning of a file among which its imports are.
const MOST_TEXTS: usize = 100;
/// Words before brackets that are no names of functions.
const KEYWORDS: [&str; 12] =
    ["if", "for", "while", "switch", "catch", "with", "function", "return", "await", "super", "constructor", "do"];
/// Words that stand before the name of a method.
const BEFORE_METHODS: [&str; 9] =
    ["async", "static", "public", "private", "protected", "override", "get", "set", "readonly"];

impl Module {
    pub(super) fn parse(file: &Path, text: &str, language: Language) -> Self {
        let tokens = tokens(text, language);
        let closes = closes(&tokens);
        let first_texts = tokens.iter().filter_map(Token::text).take(MOST_TEXTS).map(str::to_owned).collect();
        let mut module = Self {
            file: file.to_path_buf(),
            language,
            tokens,
            functions: Vec::new(),
            imports: Vec::new(),
            loaded: Vec::new(),
            default: None,
            first_texts,
            closes,
            beginning: BTreeMap::new(),
            named: BTreeMap::new(),
        };
        module.functions = (0..module.tokens.len()).filter_map(|at| module.function(at)).collect();
        for (index, function) in module.functions.iter().enumerate() {
            module.beginning.insert(function.start, index);
            module.named.entry(function.name.clone()).or_insert(index);
        }
        if language == Language::JavaScript {
            for at in 0..module.tokens.len() {
                module.import(at);
                module.required(at);
            }
        }
        module
    }

    /// The function of this name.
    pub(super) fn function_named(&self, name: &str) -> Option<usize> {
        self.named.get(name).copied()
    }

    /// The function whose definition begins at this token.
    pub(super) fn function_at(&self, at: usize) -> Option<&Function> {
        self.beginning.get(&at).map(|index| &self.functions[*index])
    }

    pub(super) fn is(&self, at: usize, text: &str) -> bool {
        self.tokens.get(at).is_some_and(|token| token.is(text))
    }

    pub(super) fn word(&self, at: usize) -> Option<&str> {
        self.tokens.get(at)?.word()
    }

    /// Whether these tokens stand here, one after another.
    pub(super) fn are(&self, at: usize, wanted: &[&str]) -> bool {
        wanted.iter().zip(at..).all(|(text, at)| self.is(at, text))
    }

    /// Where the bracket that opens here closes; the end of the file where it does not.
    pub(super) fn close(&self, at: usize) -> usize {
        self.closes.get(at).copied().unwrap_or(self.tokens.len())
    }

    /// The strings between two tokens, with spaces between them; of very many the first.
    pub(super) fn texts(&self, range: Range<usize>) -> String {
        let texts = self.tokens.get(range).unwrap_or_default().iter().take(MOST_TOKENS).filter_map(Token::text);
        texts.collect::<Vec<_>>().join(" ")
    }

    /// The function whose definition begins here.
    fn function(&self, at: usize) -> Option<Function> {
        match self.language {
            Language::JavaScript => self.declared(at).or_else(|| self.assigned(at)).or_else(|| self.method(at)),
            Language::Go if self.is(at, "func") => {
                let name = if self.is(at + 1, "(") { self.close(at + 1) + 1 } else { at + 1 };
                self.named(at, name, false)
            }
            Language::Rust if self.is(at, "fn") => self.named(at, at + 1, false),
            _ => None,
        }
    }

    /// A function whose name stands there, its list of parameters and its body behind it.
    fn named(&self, start: usize, name: usize, is_async: bool) -> Option<Function> {
        let open = (name + 1..name + 40).find(|&at| self.is(at, "(") || self.is(at, "{") || self.is(at, ";"))?;
        let body = self.body_after(if self.is(open, "(") { self.close(open) + 1 } else { return None })?;
        Some(Function { name: self.word(name)?.to_owned(), start, body, is_async })
    }

    /// The body that begins within the next few tokens, over the type of what is returned.
    fn body_after(&self, from: usize) -> Option<Range<usize>> {
        let mut at = from;
        while at < from + 60 {
            let is_type = at > 0 && (self.is(at - 1, "interface") || self.is(at - 1, "struct") || self.is(at - 1, ":"));
            match &self.tokens.get(at)?.kind {
                Kind::Mark('{') if is_type => at = self.close(at) + 1,
                Kind::Mark('{') => return Some(at + 1..self.close(at)),
                Kind::Mark(';') => return None,
                Kind::Mark('(' | '[') => at = self.close(at) + 1,
                _ => at += 1,
            }
        }
        None
    }

    fn declared(&self, at: usize) -> Option<Function> {
        if !self.is(at, "function") {
            return None;
        }
        let name = if self.is(at + 1, "*") { at + 2 } else { at + 1 };
        self.named(at, name, at > 0 && self.is(at - 1, "async"))
    }

    /// `const start = async () => { … }`
    fn assigned(&self, at: usize) -> Option<Function> {
        if !["const", "let", "var"].iter().any(|word| self.is(at, word)) {
            return None;
        }
        let name = self.word(at + 1)?.to_owned();
        let equals = (at + 2..at + 40).find(|&at| self.is(at, "=") && !self.is(at + 1, ">") || self.is(at, ";"))?;
        if !self.is(equals, "=") {
            return None;
        }
        let is_async = self.is(equals + 1, "async");
        let value = equals + 1 + usize::from(is_async);
        let body = if self.is(value, "function") {
            self.body_after(self.close((value..value + 4).find(|&at| self.is(at, "("))?) + 1)?
        } else {
            let behind = if self.is(value, "(") { self.close(value) + 1 } else { value + 1 };
            let arrow =
                (behind..behind + 30).find(|&at| self.are(at, &["=", ">"]) || self.is(at, ";") || self.is(at, "{"))?;
            let direct = arrow == behind || self.is(behind, ":");
            if !self.is(arrow, "=") || !direct {
                return None;
            }
            self.arrow_body(arrow)
        };
        Some(Function { name, start: at, body, is_async })
    }

    /// What stands behind `=>`.
    pub(super) fn arrow_body(&self, arrow: usize) -> Range<usize> {
        let start = arrow + 2;
        if self.is(start, "{") {
            return start + 1..self.close(start);
        }
        let mut at = start;
        while let Some(token) = self.tokens.get(at) {
            let begins_another = at > start
                && self.tokens[at - 1].line < token.line
                && token.word().is_some_and(|word| {
                    ["const", "let", "var", "function", "export", "import", "class", "await", "if"].contains(&word)
                });
            match token.kind {
                Kind::Mark('(' | '[' | '{') => at = self.close(at) + 1,
                Kind::Mark(')' | ']' | '}' | ';' | ',') => break,
                _ if begins_another => break,
                _ => at += 1,
            }
        }
        start..at.min(self.tokens.len())
    }

    /// `async start() { … }` in a class or an object.
    fn method(&self, at: usize) -> Option<Function> {
        let name = self.word(at).filter(|name| !KEYWORDS.contains(name))?;
        if !self.is(at + 1, "(") {
            return None;
        }
        let before = at.checked_sub(1).map(|before| &self.tokens[before]);
        let may_begin = before.is_some_and(|token| match &token.kind {
            Kind::Mark(mark) => matches!(mark, '{' | '}' | ';' | ',' | '*' | '#'),
            Kind::Word(word) => BEFORE_METHODS.contains(&word.as_str()),
            Kind::Text(_) | Kind::Computed(_) => false,
        });
        let behind = self.close(at + 1) + 1;
        if !may_begin || !(self.is(behind, "{") || self.is(behind, ":")) {
            return None;
        }
        let body = self.body_after(behind)?;
        Some(Function { name: name.to_owned(), start: at, body, is_async: self.is(at.wrapping_sub(1), "async") })
    }

    /// Takes `const { a, b: c } = await import('x')` and the same with `require`; the file itself runs where that stands.
    fn required(&mut self, at: usize) {
        if !["const", "let", "var"].iter().any(|word| self.is(at, word)) {
            return;
        }
        let in_braces = self.is(at + 1, "{");
        let end = if in_braces { self.close(at + 1) } else { at + 1 };
        let value = end + 2 + usize::from(self.is(end + 2, "await"));
        let is_load = (self.is(value, "require") || self.is(value, "import")) && self.is(value + 1, "(");
        let Some(from) = self.tokens.get(value + 2).and_then(Token::text).filter(|_| is_load && self.is(end + 1, "="))
        else {
            return;
        };
        let from = from.to_owned();
        let mut names = Vec::new();
        if !in_braces {
            names.extend(self.word(at + 1).map(|name| (name.to_owned(), "*".to_owned())));
        }
        for at in at + 2..end.min(at + MOST_TOKENS) {
            let Some(word) = self.word(at).filter(|_| self.is(at - 1, "{") || self.is(at - 1, ",")) else { continue };
            let local = if self.is(at + 1, ":") { self.word(at + 2).unwrap_or(word) } else { word };
            names.push((local.to_owned(), word.to_owned()));
        }
        self.loaded.extend(names.into_iter().map(|(local, exported)| Import { local, exported, from: from.clone() }));
    }

    /// What names this, imported or loaded.
    pub(super) fn imported(&self, name: &str) -> Option<&Import> {
        self.imports.iter().chain(&self.loaded).find(|import| import.local == name)
    }

    /// Takes the import or export that begins here.
    fn import(&mut self, at: usize) {
        let begins = self.is(at, "import") || self.is(at, "export");
        if !begins || self.is(at + 1, "(") || self.is(at + 1, ".") || self.is(at + 1, "type") {
            return;
        }
        if self.are(at, &["export", "default"]) {
            let behind = (at + 2..at + 5).filter_map(|at| self.word(at));
            let name = behind.map(str::to_owned).find(|word| !["async", "function", "class"].contains(&word.as_str()));
            self.default = self.default.take().or(name);
            return;
        }
        let is_export = self.is(at, "export");
        let mut local: Vec<(String, String)> = Vec::new();
        let mut index = at + 1;
        let mut in_braces = false;
        while let Some(token) = self.tokens.get(index).filter(|_| index < at + MOST_TOKENS).cloned() {
            match token.kind {
                Kind::Text(from) if index == at + 1 || self.is(index - 1, "from") => {
                    if local.is_empty() {
                        local.push((String::new(), String::new()));
                    }
                    let import = |(local, exported): (String, String)| Import { local, exported, from: from.clone() };
                    self.imports.extend(local.into_iter().map(import));
                    return;
                }
                Kind::Mark('{') => in_braces = true,
                Kind::Mark('}') => in_braces = false,
                Kind::Mark('*') => {
                    let name = if self.is(index + 1, "as") { self.word(index + 2).unwrap_or("*") } else { "*" };
                    local.push((name.to_owned(), "*".to_owned()));
                    index += if self.is(index + 1, "as") { 2 } else { 0 };
                }
                Kind::Word(word) if self.is(index + 1, "as") && in_braces => {
                    local.push((self.word(index + 2).unwrap_or_default().to_owned(), word));
                    index += 2;
                }
                Kind::Word(word) if in_braces && word != "type" => local.push((word.clone(), word)),
                Kind::Word(word) if word == "from" || in_braces => {}
                Kind::Word(word) if !is_export => local.push((word, "default".to_owned())),
                Kind::Mark(',') => {}
                _ => return,
            }
            index += 1;
        }
    }
}

/// For each opening bracket where it closes; what is left open closes at the end.
fn closes(tokens: &[Token]) -> Vec<usize> {
    let mut closes = vec![tokens.len(); tokens.len()];
    let mut open: Vec<(usize, char)> = Vec::new();
    for (at, token) in tokens.iter().enumerate() {
        match token.kind {
            Kind::Mark('(') => open.push((at, ')')),
            Kind::Mark('[') => open.push((at, ']')),
            Kind::Mark('{') => open.push((at, '}')),
            Kind::Mark(mark @ (')' | ']' | '}')) => {
                if let Some((start, _)) = open.pop_if(|(_, close)| *close == mark) {
                    closes[start] = at;
                }
            }
            _ => {}
        }
    }
    closes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn functions(text: &str, language: Language) -> Vec<String> {
        let module = Module::parse(Path::new("x"), text, language);
        module
            .functions
            .iter()
            .map(|function| format!("{}{}", if function.is_async { "async " } else { "" }, function.name))
            .collect()
    }

    #[test]
    fn functions_are_found_in_every_form() {
        let text = "export async function a(x: { y: number }): Promise<void> { if (x) { b() } }
            const c = async (d: string): Promise<void> => { e() }
            let f = g => h(g)
            class I { private async j(): Promise<void> { } static k() { } }
            const l = m ? n(o) : { p: 1 }
            const q = { r() { }, s: 1 }
            app.get('/', (t) => { u() })";
        assert_eq!(functions(text, Language::JavaScript), ["async a", "async c", "f", "async j", "k", "r"]);
        let go = "func main() { run(func() { x() }) }\nfunc (s *Server) Start(a interface{}) (int, error) { }";
        assert_eq!(functions(go, Language::Go), ["main", "Start"]);
        let rust =
            "async fn main() -> Result<(), Box<dyn Error>> { }\nfn f<T: A>(t: T) where T: B { }\ntrait C { fn g(); }";
        assert_eq!(functions(rust, Language::Rust), ["main", "f"]);
    }

    #[test]
    fn imports_are_found_in_every_form() {
        let text = "import a, { b as c, type D, e } from './x'\nimport * as f from \"./y\"\nimport './z'\nexport * from './v'
            export { g } from './w'\nimport type { H } from './t'\nconst i = await import('./dynamic')\nexport const j = 'from'";
        let module = Module::parse(Path::new("x"), text, Language::JavaScript);
        let found: Vec<_> = module
            .imports
            .iter()
            .map(|import| format!("{} {} {}", import.local, import.exported, import.from))
            .collect();
        assert_eq!(found, ["a default ./x", "c b ./x", "D D ./x", "e e ./x", "f * ./y", "  ./z", "* * ./v", "g g ./w"]);
    }
}
