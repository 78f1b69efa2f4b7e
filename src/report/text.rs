//! The report for people: the verdict and its reason, what was found, what changed, what ran.

mod diff;
mod doctor;
mod drift;
mod file;
mod finding;
mod fleet;
mod layout;
mod paint;
mod profile;
mod samples;
mod sections;
mod verification;

pub use layout::{cut, wrap};
use paint::{Paint, Role};

use super::document::Document;
use super::verdict::headline;
use super::visible::{inert, visible};

/// How the text is laid out.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    /// Whether ANSI colours are used.
    pub colour: bool,
    /// Columns of the terminal; lines of prose and tables fit into it, code is never broken.
    pub width: usize,
    /// How much is told.
    pub detail: Detail,
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Detail {
    /// The verdict and one line per finding.
    Brief,
    /// What a person needs to decide.
    #[default]
    Normal,
    /// Also every statement that ran, every note in full, every table and column.
    Full,
}

/// The widest that lines become; wider text is hard to read.
const WIDEST: usize = 200;
/// The narrowest that lines become.
const NARROWEST: usize = 40;
/// Lines after which the verdict is said again at the end.
const LONG: usize = 60;

/// The report as text. Every line ends in a newline; nothing in it acts on a terminal except the colours, if asked for.
#[must_use]
pub fn render(document: &Document, style: &Style) -> String {
    let mut page = Page::new(style);
    verdict(&mut page, document);
    if style.detail == Detail::Brief {
        finding::findings(&mut page, &document.findings);
        return page.finish();
    }
    sections::context(&mut page, document);
    page.blank();
    finding::findings(&mut page, &document.findings);
    sections::tables(&mut page, &document.tables);
    sections::columns(&mut page, &document.tables);
    sections::schema(&mut page, &document.schema);
    sections::plan(&mut page, &document.plan);
    sections::execution(&mut page, document);
    sections::alternatives(&mut page, document);
    sections::matrix(&mut page, document);
    sections::not_compared(&mut page, &document.not_compared);
    sections::snapshot(&mut page, document);
    if page.lines.len() > LONG {
        verdict(&mut page, document);
    }
    page.finish()
}

/// What `rehearse plan` shows: what is applied, what will run and what never will, and how that was found out.
#[must_use]
pub fn render_plan(plan: &super::document::Plan, style: &Style) -> String {
    let mut page = Page::new(style);
    sections::whole_plan(&mut page, plan);
    drift::whole(&mut page, plan);
    page.finish()
}

/// What `rehearse doctor` shows: one sentence, a line for each check, then each finding.
#[must_use]
pub fn render_diagnosis(diagnosis: &super::doctor::Diagnosis, style: &Style) -> String {
    let mut page = Page::new(style);
    doctor::whole(&mut page, diagnosis);
    page.finish()
}

/// What `rehearse diff` shows: one sentence, then each difference.
#[must_use]
pub fn render_diff(diff: &super::diff::Diff, style: &Style) -> String {
    let mut page = Page::new(style);
    diff::whole(&mut page, diff);
    page.finish()
}

/// What `rehearse profile` shows: the file, then each table with its columns.
#[must_use]
pub fn render_profile(profile: &super::profile::Profile, style: &Style) -> String {
    let mut page = Page::new(style);
    profile::whole(&mut page, profile);
    page.finish()
}

/// What `rehearse verify` shows: the answer in one sentence, then what it rests on.
#[must_use]
pub fn render_verification(verification: &super::verification::Verification, style: &Style) -> String {
    let mut page = Page::new(style);
    verification::whole(&mut page, verification);
    page.finish()
}

/// What is shown of many databases: one sentence, the outcomes that are not well, what differs between them.
#[must_use]
pub fn render_fleet(fleet: &super::fleet::Fleet, style: &Style) -> String {
    let mut page = Page::new(style);
    fleet::whole(&mut page, fleet);
    page.finish()
}

/// What `rehearse rules` shows: code, name, level and condition of every rule.
#[must_use]
pub fn render_rules(rules: &[[&str; 4]], style: &Style) -> String {
    let mut page = Page::new(style);
    sections::rules(&mut page, rules);
    page.finish()
}

/// One sentence: the outcome, the numbers, the reason.
fn verdict(page: &mut Page, document: &Document) {
    let headline = headline(document);
    let role = headline.level.map_or(Role::Good, Role::of);
    page.hanging(&headline.lead(), role, &visible(&headline.reason), Role::Strong, 2);
}

/// The lines so far.
struct Page {
    style: Style,
    paint: Paint,
    lines: Vec<String>,
}

impl Page {
    fn new(style: &Style) -> Self {
        let style = Style { width: style.width.clamp(NARROWEST, WIDEST), ..*style };
        Self { style, paint: Paint(style.colour), lines: Vec::new() }
    }

    fn push(&mut self, line: String) {
        self.lines.push(line);
    }

    /// One empty line, never two.
    fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.push(String::new());
        }
    }

    fn heading(&mut self, text: &str) {
        self.blank();
        let line = self.paint.text(Role::Strong, text);
        self.push(line);
    }

    /// `head text` in two roles, wrapped, the later lines indented.
    fn hanging(&mut self, head: &str, head_role: Role, text: &str, role: Role, indent: usize) {
        let beside = self.style.width.saturating_sub(layout::width(head) + 1).max(NARROWEST / 4);
        let first = wrap(text, beside).into_iter().next().unwrap_or_default();
        let rest = text[first.len()..].trim_start();
        let line = format!("{} {}", self.paint.text(head_role, head), self.paint.text(role, &first));
        self.push(line);
        if !rest.is_empty() {
            for line in wrap(rest, self.style.width - indent) {
                let line = format!("{}{}", " ".repeat(indent), self.paint.text(role, &line));
                self.push(line);
            }
        }
    }

    /// A line of prose, wrapped, later lines indented by two more.
    fn prose(&mut self, indent: usize, text: &str, role: Role) {
        for (index, line) in wrap(text, self.style.width - indent - 2).into_iter().enumerate() {
            let line =
                format!("{}{}", " ".repeat(if index == 0 { indent } else { indent + 2 }), self.paint.text(role, &line));
            self.push(line);
        }
    }

    /// A line of an excerpt's frame: the sign in the frame's colour, then text as it is.
    fn frame(&mut self, gutter: usize, sign: &str, text: &str) {
        let line = format!("{}{}{text}", " ".repeat(gutter), self.paint.text(Role::Frame, sign));
        self.push(line);
    }

    /// A line of an excerpt below the statement.
    fn frame_painted(&mut self, gutter: usize, text: &str, role: Role) {
        let line =
            format!("{}{} {}", " ".repeat(gutter), self.paint.text(Role::Frame, " |"), self.paint.text(role, text));
        self.push(line);
    }

    fn finish(mut self) -> String {
        while self.lines.last().is_some_and(String::is_empty) {
            self.lines.pop();
        }
        let mut text = String::new();
        for line in &self.lines {
            text.push_str(&inert(line.trim_end_matches(' ')));
            text.push('\n');
        }
        text
    }
}
