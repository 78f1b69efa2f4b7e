//! One line on stderr that says how far the rehearsal has come, and is gone when it is over.

use std::io::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rehearse::findings::wording::{bytes, number};
use rehearse::observer::{Observer, Stage};
use rehearse::report::visible::visible;

/// Nothing is shown before: most rehearsals are over by then.
const PATIENCE: Duration = Duration::from_millis(300);
/// Not drawn more often.
const INTERVAL: Duration = Duration::from_millis(100);

/// The line.
pub struct Line {
    width: usize,
    state: Mutex<State>,
}

struct State {
    begun: Instant,
    drawn: Option<Instant>,
    total: Option<u64>,
}

impl Line {
    /// A line that is never wider than this.
    pub fn new(width: usize) -> Self {
        Self { width, state: Mutex::new(State { begun: Instant::now(), drawn: None, total: None }) }
    }

    fn draw(&self, stage: &Stage, done: u64) {
        let mut line = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        if now - line.begun < PATIENCE || line.drawn.is_some_and(|drawn| now - drawn < INTERVAL) {
            return;
        }
        line.drawn = Some(now);
        let text: String = words(stage, done, line.total).chars().take(self.width.saturating_sub(1)).collect();
        let _ = write!(std::io::stderr(), "\r\x1b[2K{text}");
    }
}

impl Observer for Line {
    fn begin(&self, stage: &Stage, total: Option<u64>) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).total = total;
        self.draw(stage, 0);
    }

    fn advance(&self, stage: &Stage, done: u64) {
        self.draw(stage, done);
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.state.get_mut().unwrap_or_else(PoisonError::into_inner).drawn.is_some() {
            let _ = write!(std::io::stderr(), "\r\x1b[2K");
        }
    }
}

/// `copying the snapshot, 1.2 GB of 4.0 GB`.
fn words(stage: &Stage, done: u64, total: Option<u64>) -> String {
    match (stage, total) {
        (Stage::Copy, Some(total)) => format!("copying the snapshot, {} of {}", bytes(done), bytes(total)),
        (Stage::Copy, None) => format!("copying the snapshot, {}", bytes(done)),
        (Stage::Import, Some(total)) => format!("reading the snapshot, {} of {}", bytes(done), bytes(total)),
        (Stage::Import, None) => format!("reading the snapshot, {}", bytes(done)),
        (Stage::Migration(name), Some(total)) if total > 1 => {
            format!("running {}, {} of {} chunks done", visible(name), number(done), number(total))
        }
        (Stage::Migration(name), _) => format!("running {}", visible(name)),
        (Stage::Compare, Some(total)) => format!("comparing, {} of {} tables done", number(done), number(total)),
        (Stage::Compare, None) => format!("comparing, {} tables done", number(done)),
    }
}

#[cfg(test)]
mod tests {
    use super::words;
    use rehearse::observer::Stage;

    #[test]
    fn a_line_of_progress() {
        assert_eq!(words(&Stage::Copy, 1_200_000, Some(4_000_000)), "copying the snapshot, 1.2 MB of 4.0 MB");
        let migration = Stage::Migration("0001\u{1b}[2J".into());
        assert_eq!(words(&migration, 3, Some(7)), "running 0001\\x1b[2J, 3 of 7 chunks done");
        assert_eq!(words(&migration, 0, Some(1)), "running 0001\\x1b[2J");
        assert_eq!(words(&Stage::Compare, 1200, Some(2000)), "comparing, 1,200 of 2,000 tables done");
    }
}
