//! Ends what SQL does not end by itself.

use std::sync::{Condvar, Mutex, MutexGuard, Once, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::InterruptHandle;

/// SQLite forgets an interruption between two statements.
const AGAIN: Duration = Duration::from_millis(50);

/// How long after the first interruption SQLite is taken to be in a function that does not notice it.
const GRACE: Duration = Duration::from_secs(10);

/// What to do then.
static STUCK: OnceLock<Box<dyn Fn() + Send + Sync>> = OnceLock::new();

/// What to do where SQL does not end even when it is interrupted: within one call of a function, such as `instr` of two values of half
/// a gigabyte, SQLite does not notice. Without this it is waited for. Only the first call counts.
pub fn when_stuck(act: impl Fn() + Send + Sync + 'static) {
    let _ = STUCK.set(Box::new(act));
}

/// What is waited for; one thread watches all of it.
static WATCH: Mutex<Watch> = Mutex::new(Watch { awaited: Vec::new(), wakes: None, numbered: 0 });
/// Tells the thread that it has to look before it meant to.
static EARLIER: Condvar = Condvar::new();
static THREAD: Once = Once::new();

struct Watch {
    awaited: Vec<Awaited>,
    /// When the thread looks next; none: when it is told.
    wakes: Option<Instant>,
    numbered: u64,
}

/// Work under way.
struct Awaited {
    number: u64,
    connections: Vec<InterruptHandle>,
    /// When it is interrupted next; none where that is never.
    due: Option<Instant>,
    /// When SQLite is taken not to notice.
    stuck: Option<Instant>,
    is_over: bool,
}

/// Does the work and interrupts, from the limit on, whatever runs on the connections; says whether the limit was reached.
pub(crate) fn within_time<T>(
    limit: Duration,
    connections: Vec<InterruptHandle>,
    work: impl FnOnce() -> T,
) -> (T, bool) {
    let waiting = Waiting::for_work(limit, connections);
    let outcome = work();
    (outcome, waiting.end())
}

/// Ends also where the work panics.
struct Waiting(u64);

impl Waiting {
    fn for_work(limit: Duration, connections: Vec<InterruptHandle>) -> Self {
        THREAD.call_once(|| drop(std::thread::spawn(look)));
        let now = Instant::now();
        let due = now.checked_add(limit);
        let stuck = due.and_then(|due| due.checked_add(GRACE));
        let mut watch = watch();
        watch.numbered += 1;
        let number = watch.numbered;
        watch.awaited.push(Awaited { number, connections, due, stuck, is_over: false });
        if due.is_some_and(|due| watch.wakes.is_none_or(|wakes| due < wakes)) {
            EARLIER.notify_one();
        }
        Self(number)
    }

    fn end(self) -> bool {
        self.taken().is_some_and(|awaited| awaited.is_over)
    }

    /// Nothing is interrupted any more.
    fn taken(&self) -> Option<Awaited> {
        let mut watch = watch();
        let place = watch.awaited.iter().position(|awaited| awaited.number == self.0)?;
        Some(watch.awaited.swap_remove(place))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        drop(self.taken());
    }
}

fn watch() -> MutexGuard<'static, Watch> {
    WATCH.lock().unwrap_or_else(PoisonError::into_inner)
}

fn look() {
    let mut watch = watch();
    loop {
        let now = Instant::now();
        let is_past = |time: Option<Instant>| time.is_some_and(|time| time <= now);
        for awaited in watch.awaited.iter_mut().filter(|awaited| is_past(awaited.due)) {
            awaited.is_over = true;
            awaited.connections.iter().for_each(InterruptHandle::interrupt);
            awaited.due = Some(now + AGAIN);
        }
        if let Some(act) = STUCK.get().filter(|_| watch.awaited.iter().any(|awaited| is_past(awaited.stuck))) {
            drop(watch);
            act();
            watch = self::watch();
        }
        watch.wakes = watch.awaited.iter().filter_map(|awaited| awaited.due).min();
        watch = match watch.wakes {
            None => EARLIER.wait(watch).unwrap_or_else(PoisonError::into_inner),
            Some(wakes) => {
                let pause = wakes.saturating_duration_since(Instant::now());
                EARLIER.wait_timeout(watch, pause).unwrap_or_else(PoisonError::into_inner).0
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    const ENDLESS: &str =
        "WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n WHERE i < 0";

    #[test]
    fn every_statement_after_the_limit_ends() {
        let connection = Connection::open_in_memory().unwrap();
        let (outcomes, is_over) =
            within_time(Duration::from_millis(10), vec![connection.get_interrupt_handle()], || {
                [0, 1].map(|_| connection.query_row(ENDLESS, [], |row| row.get::<_, i64>(0)))
            });
        assert!(is_over);
        for outcome in outcomes {
            let code = outcome.unwrap_err().sqlite_error_code();
            assert_eq!(code, Some(rusqlite::ErrorCode::OperationInterrupted));
        }
        assert!(connection.query_row("SELECT 1", [], |row| row.get::<_, i64>(0)).is_ok(), "and none behind it");
    }

    #[test]
    fn what_ends_in_time_is_left_alone() {
        let (outcome, is_over) = within_time(Duration::from_hours(1), Vec::new(), || 7);
        assert_eq!((outcome, is_over), (7, false));
    }
}
