//! Progress on stderr: one line that is gone when the work is over; in a log a line of its own now and then.

mod words;

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::io::Write as _;
use std::panic::Location;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rehearse::observer::{Observer, Stage, Work};

use words::Look;

/// Nothing is shown before: most rehearsals are over by then.
const PATIENCE: Duration = Duration::from_millis(300);
/// The line is drawn again after this time.
const TICK: Duration = Duration::from_millis(100);
/// A log gets no line before.
const LOG_PATIENCE: Duration = Duration::from_secs(10);
/// A log gets a line at least so often.
const LOG_INTERVAL: Duration = Duration::from_mins(1);
/// A rate is that of this time.
const RATE_TIME: Duration = Duration::from_secs(5);

/// Begins a line anew: to its start, and nothing on it.
const CLEAR: &str = "\r\x1b[2K";

/// The line on the terminal, of which there is one.
static LINE: Mutex<Line> = Mutex::new(Line { stands: false, closed: false });

struct Line {
    stands: bool,
    /// Nothing is drawn any more.
    closed: bool,
}

/// Where progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// On one line of a terminal.
    Terminal {
        /// Whether the bar is coloured.
        colour: bool,
    },
    /// In a log, which keeps every line.
    Log,
}

/// Shows progress while it lives.
pub struct Progress {
    shown: Arc<Shown>,
    drawer: Option<JoinHandle<()>>,
}

struct Shown {
    state: Mutex<State>,
    /// Tells the drawer that all is over.
    woken: Condvar,
}

/// What is under way.
struct State {
    place: Place,
    begun: Instant,
    /// When something is drawn next.
    due: Instant,
    works: Vec<Watched>,
    over: bool,
}

/// Work under way, and how far it was a moment ago.
struct Watched {
    work: Arc<Work>,
    begun: Instant,
    /// What was done at which time, of the last [`RATE_TIME`].
    past: VecDeque<(Instant, u64)>,
}

impl Progress {
    /// Shows progress there. `width` is asked for each line: a terminal may be made narrower.
    pub fn new(place: Place, width: fn() -> usize) -> Self {
        let state = Mutex::new(State::new(place, Instant::now()));
        let shown = Arc::new(Shown { state, woken: Condvar::new() });
        let drawing = Arc::clone(&shown);
        let drawer = std::thread::Builder::new().name("progress".into()).spawn(move || drawing.draw(width));
        Self { shown, drawer: drawer.ok() }
    }
}

impl Observer for Progress {
    fn begin(&self, work: &Arc<Work>) {
        self.shown.state().begin(work, Instant::now());
    }

    fn end(&self, work: &Arc<Work>) {
        self.shown.state().end(work);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.shown.state().over = true;
        self.shown.woken.notify_all();
        if let Some(drawer) = self.drawer.take() {
            let _ = drawer.join();
        }
        clear(&mut LINE.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Shown {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn draw(&self, width: fn() -> usize) {
        let mut state = self.state();
        while !state.over {
            let now = Instant::now();
            let (place, text) = (state.place, state.text(now, width()));
            if let Some(text) = text {
                // Nobody shall wait for a terminal that takes nothing.
                drop(state);
                put(place, &text);
                state = self.state();
            }
            if !state.over {
                let pause = state.due.saturating_duration_since(Instant::now());
                state = self.woken.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner).0;
            }
        }
    }
}

impl State {
    fn new(place: Place, now: Instant) -> Self {
        let patience = if place == Place::Log { LOG_PATIENCE } else { PATIENCE };
        Self { place, begun: now, due: now + patience, works: Vec::new(), over: false }
    }

    fn begin(&mut self, work: &Arc<Work>, now: Instant) {
        self.works.push(Watched { work: Arc::clone(work), begun: now, past: VecDeque::from([(now, 0)]) });
    }

    fn end(&mut self, work: &Arc<Work>) {
        self.works.retain(|watched| !Arc::ptr_eq(&watched.work, work));
    }

    /// What is to be shown now, if anything: the work that began last, and the trial in which it takes place.
    fn text(&mut self, now: Instant, width: usize) -> Option<String> {
        if now < self.due {
            return None;
        }
        let so_far = now - self.begun;
        self.due = now + if self.place == Place::Log { so_far.clamp(LOG_PATIENCE, LOG_INTERVAL) } else { TICK };
        let trial = self.works.iter().rev().find_map(|watched| match watched.work.stage() {
            Stage::Trial(words) => Some(words.clone()),
            _ => None,
        });
        let look = Look::of(self.works.last_mut()?, trial.as_deref(), now);
        Some(match self.place {
            Place::Log => look.for_log(so_far, width),
            Place::Terminal { colour } => look.line(so_far, width, colour),
        })
    }
}

impl Watched {
    /// How much of it is done a second, as far as that is known; `done` is what is done now.
    fn rate(&mut self, now: Instant, done: u64) -> Option<f64> {
        if self.past.back().is_some_and(|(_, before)| *before > done) {
            self.past.clear();
        }
        self.past.push_back((now, done));
        while self.past.get(1).is_some_and(|(time, _)| now - *time > RATE_TIME) {
            self.past.pop_front();
        }
        let (since, before) = *self.past.front()?;
        let time = (now - since).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "a rate is told in few digits")]
        (time >= 1.0 && done > before).then(|| (done - before) as f64 / time)
    }
}

/// Writes to stderr; where that fails, there is nobody to tell.
fn put(place: Place, text: &str) {
    let mut line = LINE.lock().unwrap_or_else(PoisonError::into_inner);
    if line.closed {
        return;
    }
    let _ = match place {
        Place::Log => writeln!(std::io::stderr(), "{text}"),
        Place::Terminal { .. } => {
            line.stands = true;
            write!(std::io::stderr(), "{CLEAR}{text}")
        }
    };
}

fn clear(line: &mut Line) {
    if std::mem::take(&mut line.stands) {
        let _ = write!(std::io::stderr(), "{CLEAR}");
    }
}

/// The line is gone, and does not come again: what is printed next, or the shell, begins at the left.
pub fn close() {
    // Not longer than this: whoever holds it may wait for a terminal that takes nothing, or be what panics.
    for _ in 0..20 {
        if let Ok(mut line) = LINE.try_lock() {
            clear(&mut line);
            line.closed = true;
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// From now on a panic is told where the line was.
pub fn close_on_panic() {
    std::panic::set_hook(Box::new(|panic| {
        close();
        let mut text = told(panic.payload(), panic.location());
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            let _ = writeln!(text, "{backtrace}");
        }
        let _ = std::io::stderr().write_all(text.as_bytes());
    }));
}

/// Where it happened, and what it says where that is a text of the program: one that is put together may hold a value.
fn told(payload: &dyn Any, location: Option<&Location<'_>>) -> String {
    let place = location.map(|place| format!(" at {place}")).unwrap_or_default();
    let what = payload.downcast_ref::<&'static str>().map(|what| format!(": {what}")).unwrap_or_default();
    format!("rehearse panicked{place}{what}\n")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use rehearse::observer::{Stage, Work};
    use unicode_width::UnicodeWidthStr as _;

    use super::{Place, State, told};

    #[test]
    fn a_panic_tells_no_value() {
        let place = std::panic::Location::caller();
        let by_program = told(&"a page is missing", Some(place));
        assert!(by_program.starts_with("rehearse panicked at src/cli/progress/mod.rs:"), "{by_program}");
        assert!(by_program.ends_with(": a page is missing\n"), "{by_program}");
        let of_a_value = told(&"it is inside 'é' of `andré@example.com`".to_owned(), Some(place));
        assert!(!of_a_value.contains("example"), "{of_a_value}");
    }

    const PLAIN: Place = Place::Terminal { colour: false };

    /// What is shown of one work after each time.
    fn shown(place: Place, stage: Stage, total: Option<u64>, at: &[u64], width: usize) -> Vec<Option<String>> {
        let begun = Instant::now();
        let mut state = State::new(place, begun);
        state.begin(&Arc::new(Work::new(stage, total)), begun);
        at.iter().map(|milliseconds| state.text(begun + Duration::from_millis(*milliseconds), width)).collect()
    }

    #[test]
    fn a_line_comes_after_a_while_and_is_drawn_again_at_each_tick() {
        let shown = shown(PLAIN, Stage::Copy, Some(4_000_000_000), &[0, 299, 300, 350, 400], 80);
        assert_eq!(shown.iter().map(Option::is_some).collect::<Vec<_>>(), [false, false, true, false, true]);
        assert_eq!(
            shown[2].as_deref(),
            Some("⠸ copying the snapshot  ──────────────────────────────  0 bytes of 4.0 GB")
        );
    }

    #[test]
    fn a_log_gets_few_lines_and_none_of_short_work() {
        let at = [0, 9_999, 10_000, 19_999, 20_000, 39_999, 40_000, 79_999, 80_000, 139_999, 140_000];
        let shown = shown(Place::Log, Stage::Migration("0001".into()), Some(1), &at, 100);
        let lines: Vec<&str> = shown.iter().flatten().map(String::as_str).collect();
        assert_eq!(
            lines,
            [
                "rehearse: running 0001, 10 s (10 s so far)",
                "rehearse: running 0001, 20 s (20 s so far)",
                "rehearse: running 0001, 40 s (40 s so far)",
                "rehearse: running 0001, 1 min 20 s (1 min 20 s so far)",
                "rehearse: running 0001, 2 min 20 s (2 min 20 s so far)",
            ]
        );
    }

    #[test]
    fn a_log_says_how_many_databases_are_done() {
        let shown = shown(Place::Log, Stage::Databases, Some(412), &[10_000], 100);
        assert_eq!(shown[0].as_deref(), Some("rehearse: rehearsing, 0 of 412 databases, 10 s (10 s so far)"));
    }

    #[test]
    fn a_log_gets_no_control_sequence_and_no_command() {
        let name = "::error::\u{1b}[2J\r\n##[error]x".to_owned();
        let shown = shown(Place::Log, Stage::Migration(name), Some(1), &[10_000], 100);
        let line = shown[0].as_deref().unwrap();
        assert!(line.starts_with("rehearse: running ::error::\\x1b[2J\\r\\n#\u{266f}[error]x"), "{line}");
        assert!(!line.contains(char::is_control));
    }

    #[test]
    fn a_line_is_narrower_than_the_terminal_whatever_the_names() {
        for name in
            ["0001", &"long_".repeat(40), &"変更".repeat(60), "🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀🦀", "\u{1b}[2J\n\u{202e}x"]
        {
            for width in 1..=200 {
                for colour in [false, true] {
                    let shown =
                        shown(Place::Terminal { colour }, Stage::Migration(name.into()), Some(7), &[5_000], width);
                    let line = anstream::adapter::strip_str(shown[0].as_deref().unwrap()).to_string();
                    assert!(line.width() < width.max(4), "{width}: {line}");
                    assert!(!line.contains(char::is_control));
                }
            }
        }
    }

    #[test]
    fn the_last_that_began_is_shown_and_in_which_trial() {
        let now = Instant::now();
        let mut state = State::new(PLAIN, now);
        let works = [Stage::Trial("with foreign keys off".into()), Stage::Check, Stage::Compare];
        let works = works.map(|stage| Arc::new(Work::new(stage, None)));
        let mut seen = Vec::new();
        let mut see = |state: &mut State| {
            state.due = now;
            seen.push(state.text(now, 80).map(|text| text.chars().skip(2).collect::<String>()));
        };
        see(&mut state);
        for work in &works {
            state.begin(work, now);
            see(&mut state);
        }
        state.end(&works[2]);
        state.end(&works[1]);
        see(&mut state);
        state.end(&works[0]);
        see(&mut state);
        let expected = [
            None,
            Some("rehearsing with foreign keys off"),
            Some("with foreign keys off: checking integrity"),
            Some("with foreign keys off: comparing"),
            Some("rehearsing with foreign keys off"),
            None,
        ];
        assert_eq!(seen.iter().map(Option::as_deref).collect::<Vec<_>>(), expected);
    }
}
