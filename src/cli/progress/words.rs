//! How far work has come, in words.

use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Effects, Style};
use rehearse::findings::wording::{bytes, count, number, share};
use rehearse::observer::{Stage, Unit};
use rehearse::report::text::cut;
use rehearse::report::visible::{inert, visible};
use unicode_width::UnicodeWidthStr as _;

use super::{TICK, Watched};

/// Before that nobody knows how long the rest takes.
const GUESSING: Duration = Duration::from_secs(2);
/// Columns of the bar.
const BAR: std::ops::RangeInclusive<usize> = 8..=30;
/// Columns of the words before it that are left of them where a line is narrow.
const WORDS: usize = 24;
const SPINNER: [char; 10] = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/// Work as it is shown at a moment.
#[derive(Debug, PartialEq)]
pub struct Look {
    /// What is done: `comparing orders`.
    words: String,
    /// How much of it is done, from 0 to 1, where that is known.
    share: Option<f64>,
    /// Numbers: `1.2 GB of 4.0 GB`, `850.0 MB/s`, `3 s left`; those that matter most come first.
    numbers: Vec<String>,
}

impl Look {
    /// Work now, and in which trial it takes place.
    pub fn of(watched: &mut Watched, trial: Option<&str>, now: Instant) -> Self {
        let work = watched.work.clone();
        let (done, rows) = (work.done(), work.rows());
        let total = work.total().filter(|total| *total > 0);
        let done = total.map_or(done, |total| done.min(total));
        let elapsed = now - watched.begun;
        let mut numbers = Vec::new();
        let mut left = None;
        match work.stage().unit() {
            Some(unit @ (Unit::Bytes | Unit::Rows)) => {
                let rate = watched.rate(now, done);
                let short = |amount| if unit == Unit::Bytes { bytes(amount) } else { rows_in_short(amount) };
                let noun = if unit == Unit::Bytes { "" } else { " rows" };
                let parts = total.map_or_else(|| short(done), |total| part(&short(done), &short(total)));
                numbers.extend((done > 0 || total.is_some()).then(|| format!("{parts}{noun}")));
                numbers.extend(rate.map(|rate| match unit {
                    Unit::Bytes => format!("{}/s", bytes(rounded(rate))),
                    _ => per_second(rate),
                }));
                left =
                    total.zip(rate).filter(|_| elapsed >= GUESSING).map(|(total, rate)| time_left(total - done, rate));
            }
            Some(Unit::Statements) => {
                let rate = watched.rate(now, rows);
                numbers.extend(total.filter(|total| *total > 1).map(|total| share(done, total, "statement")));
                numbers.extend((rows > 0).then(|| format!("{} written", count(rows, "row"))));
                numbers.extend(rate.map(per_second));
            }
            Some(Unit::Databases) => {
                let rate = watched.rate(now, done);
                numbers.extend(total.map(|total| share(done, total, "database")));
                numbers.extend((work.failed() > 0).then(|| format!("{} not passed", number(work.failed()))));
                numbers.extend(rate.filter(|rate| *rate >= 1.0).map(per_second));
                left =
                    total.zip(rate).filter(|_| elapsed >= GUESSING).map(|(total, rate)| time_left(total - done, rate));
            }
            Some(Unit::Lines) => numbers.extend((done > 0).then(|| format!("{} of output", count(done, "line")))),
            Some(Unit::Queries) => numbers.extend(total.map(|total| format!("{} of {}", number(done), number(total)))),
            None => {}
        }
        let time = match work.stage() {
            Stage::Command { time_limit, .. } => Some(format!("{} of at most {}", time(elapsed), time(*time_limit))),
            _ => left.or_else(|| (elapsed >= Duration::from_secs(1)).then(|| time(elapsed))),
        };
        numbers.extend(time);
        #[expect(clippy::cast_precision_loss, reason = "a bar has some dozen columns")]
        let share = total.filter(|total| *total > 1).map(|total| done as f64 / total as f64);
        Self { words: words(work.stage(), &work.at(), trial), share, numbers }
    }

    /// One line of a terminal, narrower than it: what it shows in its last column may wrap.
    pub fn line(&self, so_far: Duration, width: usize, colour: bool) -> String {
        let room = width.saturating_sub(1 + 2);
        let spinner = SPINNER[usize::try_from(so_far.as_millis() / TICK.as_millis()).unwrap_or(0) % SPINNER.len()];
        let mut numbers = self.numbers.as_slice();
        let least = self.words.width().min(WORDS);
        while numbers.len() > 1 && numbers.join("  ").width() + 2 + least > room {
            numbers = &numbers[..numbers.len() - 1];
        }
        let numbers = cut(&numbers.join("  "), room);
        let behind = if numbers.is_empty() { 0 } else { numbers.width() + 2 };
        let room = room.saturating_sub(behind);
        let bar = self.share.filter(|_| least + 2 + BAR.start() <= room);
        let bar = bar.map(|share| (share, (room - least - 2).min(*BAR.end())));
        let for_words = room - bar.map_or(0, |(_, columns)| columns + 2);
        let mut parts = Vec::new();
        parts.extend((for_words > 0).then(|| cut(&self.words, for_words)));
        parts.extend(bar.map(|(share, columns)| drawn(share, columns, colour)));
        parts.extend(Some(numbers).filter(|numbers| !numbers.is_empty()));
        format!("{spinner} {}", parts.join("  "))
    }

    /// A line for a log, which says by whom it is and how long all has taken.
    pub fn for_log(&self, so_far: Duration, width: usize) -> String {
        let mut numbers = self.numbers.join(", ");
        if !numbers.is_empty() {
            numbers.insert_str(0, ", ");
        }
        let behind = format!("{numbers} ({} so far)", time(so_far));
        let room = width.saturating_sub("rehearse: ".width() + behind.width()).max(WORDS);
        inert(&format!("rehearse: {}{behind}", cut(&self.words, room)))
    }
}

fn words(stage: &Stage, at: &str, trial: Option<&str>) -> String {
    let doing = match stage {
        Stage::Trial(words) => return format!("rehearsing {words}"),
        Stage::Import => "reading the snapshot".to_owned(),
        Stage::Copy => "copying the snapshot".to_owned(),
        Stage::Keep => "writing the copy".to_owned(),
        Stage::Verify => "hashing the snapshot".to_owned(),
        Stage::Migration(name) => format!("running {}", visible(name)),
        Stage::Command { line, .. } => format!("running {}", visible(line)),
        Stage::Differ => "finding the pages that differ".to_owned(),
        Stage::Count => "counting rows".to_owned(),
        Stage::Compare if at.is_empty() => "comparing".to_owned(),
        Stage::Compare => format!("comparing {}", visible(at)),
        Stage::Check => "checking integrity".to_owned(),
        Stage::Queries => "checking the app's queries".to_owned(),
        Stage::Databases => "rehearsing".to_owned(),
    };
    trial.map_or_else(|| doing.clone(), |trial| format!("{trial}: {doing}"))
}

/// `1.2 of 4.0 GB`, `900.0 kB of 4.0 GB`.
fn part(done: &str, total: &str) -> String {
    match (done.split_once(' '), total.split_once(' ')) {
        (Some((number, unit)), Some((_, of))) if unit == of => format!("{number} of {total}"),
        _ => format!("{done} of {total}"),
    }
}

/// `912,000`, `1.2 million`.
fn rows_in_short(rows: u64) -> String {
    if rows < 1_000_000 {
        return number(rows);
    }
    let tenths = rows / 100_000;
    format!("{}.{} million", number(tenths / 10), tenths % 10)
}

/// `152,000/s`: three digits say enough.
fn per_second(rate: f64) -> String {
    let rate = rounded(rate);
    let unit = 10_u64.pow(rate.max(1).ilog10().saturating_sub(2));
    format!("{}/s", number(rate / unit * unit))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rate is not negative, and far from the limit"
)]
fn rounded(rate: f64) -> u64 {
    rate.round() as u64
}

#[expect(clippy::cast_precision_loss, reason = "a guess")]
fn time_left(rest: u64, rate: f64) -> String {
    let left = Duration::try_from_secs_f64((rest as f64 / rate).ceil()).unwrap_or(Duration::MAX);
    format!("{} left", time(left))
}

/// `3 s`, `2 min 5 s`, `1 h 20 min`.
fn time(time: Duration) -> String {
    match time.as_secs() {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        seconds => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}

fn drawn(share: f64, columns: usize, colour: bool) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "columns of a terminal"
    )]
    let full = ((share * columns as f64) as usize).min(columns);
    let (done, rest) = ("━".repeat(full), "─".repeat(columns - full));
    if !colour {
        return format!("{done}{rest}");
    }
    let (cyan, dim): (Style, Style) = (AnsiColor::Cyan.on_default(), Effects::DIMMED.into());
    format!("{cyan}{done}{cyan:#}{dim}{rest}{dim:#}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rehearse::observer::Stage;

    use super::{Look, drawn, part, per_second, rows_in_short, time, time_left, words};

    fn look() -> Look {
        Look {
            words: "comparing orders".into(),
            share: Some(0.3),
            numbers: vec!["1.2 of 4.0 GB".into(), "850.0 MB/s".into(), "3 s left".into()],
        }
    }

    #[test]
    fn a_line_gives_up_what_matters_least() {
        let line = |width| look().line(Duration::ZERO, width, false);
        assert_eq!(
            line(100),
            "⠋ comparing orders  ━━━━━━━━━─────────────────────  1.2 of 4.0 GB  850.0 MB/s  3 s left"
        );
        assert_eq!(line(80), "⠋ comparing orders  ━━━━━━────────────────  1.2 of 4.0 GB  850.0 MB/s  3 s left");
        assert_eq!(line(60), "⠋ comparing orders  1.2 of 4.0 GB  850.0 MB/s  3 s left");
        assert_eq!(line(50), "⠋ comparing orders  1.2 of 4.0 GB  850.0 MB/s");
        assert_eq!(line(40), "⠋ comparing orders  1.2 of 4.0 GB");
        assert_eq!(line(24), "⠋ compa…  1.2 of 4.0 GB");
    }

    #[test]
    fn a_line_in_a_log() {
        assert_eq!(
            look().for_log(Duration::from_secs(75), 100),
            "rehearse: comparing orders, 1.2 of 4.0 GB, 850.0 MB/s, 3 s left (1 min 15 s so far)"
        );
    }

    #[test]
    fn names_are_made_visible() {
        assert_eq!(words(&Stage::Migration("0001\u{1b}[2J".into()), "", None), "running 0001\\x1b[2J");
        assert_eq!(words(&Stage::Compare, "a\nb", Some("there and back")), "there and back: comparing a\\nb");
    }

    #[test]
    fn amounts_and_times() {
        assert_eq!(part("1.2 GB", "4.0 GB"), "1.2 of 4.0 GB");
        assert_eq!(part("900.0 kB", "4.0 GB"), "900.0 kB of 4.0 GB");
        assert_eq!(part(&rows_in_short(2_190_000), &rows_in_short(7_000_000)), "2.1 of 7.0 million");
        assert_eq!(part(&rows_in_short(912_000), &rows_in_short(7_000_000)), "912,000 of 7.0 million");
        assert_eq!([7.4, 152.6, 152_497.0, 4_567_890.0].map(per_second), ["7/s", "153/s", "152,000/s", "4,560,000/s"]);
        assert_eq!(time(Duration::from_secs(59)), "59 s");
        assert_eq!(time(Duration::from_secs(125)), "2 min 5 s");
        assert_eq!(time(Duration::from_mins(80)), "1 h 20 min");
        assert_eq!(time_left(1_000, 400.0), "3 s left");
        assert_eq!(drawn(0.999, 10, false), "━━━━━━━━━─");
        assert_eq!(drawn(1.0, 10, false), "━━━━━━━━━━");
    }
}
