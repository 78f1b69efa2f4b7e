//! The terminal: what goes to stdout and stderr, in which colours and how wide.

use std::fmt::Write as _;
use std::io::{ErrorKind, IsTerminal as _, Write as _};

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Effects, Style as Ansi};
use rehearse::config::options::Colour;
use rehearse::error::{Error, Excerpt};
use rehearse::findings::catalogue::find;
use rehearse::observer::{Observer, Silent};
use rehearse::report::Format;
use rehearse::report::text::{Detail, Style};
use rehearse::report::visible::{inert, visible};
use unicode_width::UnicodeWidthStr as _;

use super::arguments::OutputArguments;
use super::progress::{Place, Progress};

/// Columns where nobody knows better: the output goes to a file or a CI log.
const WIDTH_OF_A_FILE: usize = 100;

/// How and how much to print.
pub struct Terminal {
    /// The form of the report on stdout.
    pub format: Format,
    detail: Detail,
    colour: ColorChoice,
}

/// The forms of what is no report of a rehearsal.
pub enum Plain {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Terminal {
    /// As the arguments and the environment say.
    pub fn new(arguments: &OutputArguments) -> Self {
        let colour = match arguments.color {
            Colour::Auto => ColorChoice::Auto,
            Colour::Always => ColorChoice::Always,
            Colour::Never => ColorChoice::Never,
        };
        let detail = match (arguments.quiet, arguments.verbose) {
            (true, _) => Detail::Brief,
            (false, 0) => Detail::Normal,
            (false, _) => Detail::Full,
        };
        Self { format: arguments.format, detail, colour }
    }

    /// Text or JSON, for `command`, which has no other form.
    pub fn plain(&self, command: &str) -> Result<Plain, Error> {
        match self.format {
            Format::Text => Ok(Plain::Text),
            Format::Json => Ok(Plain::Json),
            other => Err(Error::usage(
                "reading the arguments",
                format!("`rehearse {command}` has no form `{}`", other.name()),
            )
            .hint("valid: text, json")),
        }
    }

    /// How text for people is laid out on stdout.
    pub fn style(&self) -> Style {
        let colour = match self.colour {
            ColorChoice::Auto => AutoStream::choice(&std::io::stdout()) != ColorChoice::Never,
            given => given != ColorChoice::Never,
        };
        Style { colour, width: width(), detail: self.detail }
    }

    /// Whether only the least is wanted.
    pub fn is_quiet(&self) -> bool {
        self.detail == Detail::Brief
    }

    /// Prints to stdout. A reader that went away is no error: the exit code still tells the outcome.
    pub fn print(&self, text: &str) -> Result<(), Error> {
        let mut stdout = AutoStream::new(std::io::stdout().lock(), self.colour);
        match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Error::cannot("writing to the standard output", error))
            }
            _ => Ok(()),
        }
    }

    /// Prints to stderr as it is; where that fails, there is nobody to tell.
    pub fn say_aside(&self, text: &str) {
        let _ = AutoStream::new(std::io::stderr().lock(), self.colour).write_all(text.as_bytes());
    }

    /// Prints why no rehearsal was possible and what to do next.
    pub fn error(&self, error: &Error) {
        let red: Ansi = AnsiColor::Red.on_default() | Effects::BOLD;
        let cyan: Ansi = AnsiColor::Cyan.on_default() | Effects::BOLD;
        let head = match error.code() {
            Some(code) => {
                let name = find(code).map(|rule| format!(" {}", rule.name)).unwrap_or_default();
                format!("{red}error[{code}]{red:#}{name}")
            }
            None => format!("{red}error{red:#}"),
        };
        let mut text = format!("{head}: {}\n", lines(&error.to_string()));
        if let Some(excerpt) = error.shown() {
            text.push_str(&excerpt_lines(excerpt));
        }
        for hint in error.hints() {
            text.push_str(&hint_line(hint));
        }
        if let Some(code) = error.code() {
            let _ = writeln!(text, "{cyan}more{cyan:#}: rehearse explain {code}");
        }
        self.say_aside(&text);
    }

    /// Prints what to do next, for what is not an [`Error`].
    pub fn hint(&self, hint: &str) {
        self.say_aside(&hint_line(hint));
    }

    /// Shows progress on stderr: on a line that goes away where that is a terminal, else in lines of a log.
    pub fn progress(&self) -> Box<dyn Observer> {
        if self.is_quiet() {
            return Box::new(Silent);
        }
        let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = match self.colour {
            ColorChoice::Auto => AutoStream::choice(&std::io::stderr()) != ColorChoice::Never,
            given => given != ColorChoice::Never,
        };
        let is_line = std::io::stderr().is_terminal() && !is_dumb;
        Box::new(Progress::new(if is_line { Place::Terminal { colour } } else { Place::Log }, width))
    }
}

/// The line, and a mark below what is meant.
fn excerpt_lines(excerpt: &Excerpt) -> String {
    let red: Ansi = AnsiColor::Red.on_default() | Effects::BOLD;
    let shown = |from: usize, count: usize| -> String {
        let part: String = excerpt.text.chars().skip(from).take(count).collect();
        visible(&part.replace('\t', "    ")).into_owned()
    };
    let from = excerpt.start.saturating_sub(EXCERPT_WIDTH / 2);
    let ahead = shown(from, excerpt.start - from);
    let meant = shown(excerpt.start, excerpt.length.min(EXCERPT_WIDTH));
    let rest = shown(excerpt.start + excerpt.length, EXCERPT_WIDTH.saturating_sub(excerpt.length));
    let number = excerpt.line.to_string();
    let margin = " ".repeat(number.len());
    let mark = "^".repeat(meant.width().max(1));
    let indent = " ".repeat(ahead.width());
    format!(
        "{margin} |\n{number} | {}\n{margin} | {indent}{red}{mark}{red:#}\n",
        inert(&format!("{ahead}{meant}{rest}")).trim_end()
    )
}

fn hint_line(hint: &str) -> String {
    let cyan: Ansi = AnsiColor::Cyan.on_default() | Effects::BOLD;
    format!("{cyan}hint{cyan:#}: {}\n", lines(hint))
}

/// Harmless, but with its line breaks; later lines are indented.
fn lines(text: &str) -> String {
    harmless(text).trim_end().replace('\n', "\n  ")
}

/// Lines in which nothing acts, each with its end.
pub fn harmless(text: &str) -> String {
    text.lines().flat_map(|line| [inert(&visible(line)), "\n".to_owned()]).collect()
}

/// Characters of a line of a file that are shown.
const EXCERPT_WIDTH: usize = 120;

/// `COLUMNS`, else the width of the terminal, else [`WIDTH_OF_A_FILE`].
fn width() -> usize {
    let columns =
        std::env::var("COLUMNS").ok().and_then(|columns| columns.trim().parse().ok()).filter(|columns| *columns > 0);
    let terminal = || {
        let (terminal_size::Width(width), _) = terminal_size::terminal_size()?;
        (width > 0).then_some(usize::from(width))
    };
    columns.or_else(terminal).unwrap_or(WIDTH_OF_A_FILE)
}

/// The name as one word of a shell.
pub fn word(name: &str) -> String {
    let is_plain = |sign: char| sign.is_alphanumeric() || "._-/+@%".contains(sign);
    if name.chars().all(is_plain) { name.to_owned() } else { format!("'{}'", name.replace('\'', r"'\''")) }
}
