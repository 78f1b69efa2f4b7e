//! Ends what SQL does not end by itself.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
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

/// Does the work and interrupts, from the limit on, whatever runs on the connections; says whether the limit was reached.
pub(crate) fn within_time<T>(limit: Duration, connections: &[InterruptHandle], work: impl FnOnce() -> T) -> (T, bool) {
    let (running, end) = channel::<()>();
    let is_over = AtomicBool::new(false);
    let outcome = std::thread::scope(|scope| {
        let is_over = &is_over;
        scope.spawn(move || {
            let mut wait = limit;
            let begun = Instant::now();
            while end.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                is_over.store(true, Ordering::Relaxed);
                connections.iter().for_each(InterruptHandle::interrupt);
                wait = AGAIN;
                if begun.elapsed() > limit.saturating_add(GRACE)
                    && let Some(act) = STUCK.get()
                {
                    act();
                }
            }
        });
        // Dropped also where the work panics, so that the thread ends.
        let _running = running;
        work()
    });
    (outcome, is_over.into_inner())
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
        let (outcomes, is_over) = within_time(Duration::from_millis(10), &[connection.get_interrupt_handle()], || {
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
        let (outcome, is_over) = within_time(Duration::from_hours(1), &[], || 7);
        assert_eq!((outcome, is_over), (7, false));
    }
}
