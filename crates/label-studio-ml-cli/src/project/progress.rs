//! How far a command is: a bar on a terminal, lines elsewhere. All goes to the standard error.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::terminal;

/// Between two lines where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Tasks that are done, and how fast.
pub(crate) struct Progress {
    bar: ProgressBar,
    state: Mutex<State>,
}

struct State {
    total: u64,
    done: u64,
    /// Tasks that were done before this process began.
    done_before: u64,
    started: Instant,
    last_line: Instant,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let template = "{bar:40} {pos} of {len} tasks  {msg}";
        let style = ProgressStyle::with_template(template).expect("the template is valid");
        let now = Instant::now();
        Self {
            bar: ProgressBar::new(0).with_style(style),
            state: Mutex::new(State {
                total: 0,
                done: 0,
                done_before: 0,
                started: now,
                last_line: now,
            }),
        }
    }

    /// Starts to count: `done` of `total` tasks were done before.
    pub(crate) fn start(&self, done: u64, total: u64) {
        let now = Instant::now();
        *self.lock() = State {
            total,
            done,
            done_before: done,
            started: now,
            last_line: now,
        };
        // A bar that was taken away comes back.
        self.bar.reset();
        self.bar.set_length(total);
        self.bar.set_position(done);
    }

    /// Counts tasks that are done.
    pub(crate) fn advance(&self, n_tasks: usize) {
        let mut state = self.lock();
        state.done += n_tasks as u64;
        state.total = state.total.max(state.done);
        self.bar.set_length(state.total);
        self.bar.set_position(state.done);
        let (rate, left) = state.speed();
        let speed = format!("{rate:.1}/s, {} left", duration(left));
        if !self.bar.is_hidden() {
            self.bar.set_message(speed);
        } else if state.last_line.elapsed() >= LINE_EVERY {
            state.last_line = Instant::now();
            anstream::eprintln!("{} of {} tasks, {speed}", state.done, state.total);
        }
    }

    /// Prints something that a user should know.
    pub(crate) fn note(&self, text: &str) {
        self.bar.suspend(|| terminal::note(text));
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Returns tasks per second, and the seconds that the rest will take.
    fn speed(&self) -> (f64, f64) {
        let elapsed = self.started.elapsed().as_secs_f64().max(1e-3);
        let rate = count(self.done - self.done_before) / elapsed;
        let left = count(self.total.saturating_sub(self.done));
        (rate, if rate > 0.0 { left / rate } else { 0.0 })
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "shown with few digits, and no project has 2^52 tasks"
)]
fn count(n: u64) -> f64 {
    n as f64
}

/// Returns a time as a person says it: `12 s`, `3 min 5 s`, `2 h 10 min`.
fn duration(seconds: f64) -> String {
    let Ok(time) = Duration::try_from_secs_f64(seconds.max(0.0)) else {
        return "unknown time".to_owned();
    };
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::duration;

    #[test]
    fn times_are_shown_as_a_person_says_them() {
        for (seconds, shown) in [
            (0.4, "0 s"),
            (59.9, "59 s"),
            (185.0, "3 min 5 s"),
            (7805.0, "2 h 10 min"),
            (f64::INFINITY, "unknown time"),
        ] {
            assert_eq!(duration(seconds), shown);
        }
    }
}
