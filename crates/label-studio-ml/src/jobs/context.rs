//! What a training says while it runs, and what it is told.

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

#[cfg(feature = "server")]
use super::Claim;
use super::{JobId, Report};

/// Size of the log that is kept, in bytes. The oldest lines make room.
const MAX_LOG_BYTES: usize = 64 << 10;
/// Size to which a full log is cut, so that not every line cuts it again.
const CUT_LOG_BYTES: usize = 48 << 10;
/// Longest line of the log and longest message, in bytes.
const MAX_LINE_BYTES: usize = 2 << 10;

/// The job that a call to `fit` works on: takes its progress and its log, and says whether a user
/// wants it to end. Cheap to clone, and usable from any thread.
///
/// ```
/// use label_studio_ml::{JobContext, anyhow};
///
/// fn train(job: &JobContext) -> anyhow::Result<()> {
///     for epoch in 0..10 {
///         anyhow::ensure!(!job.is_cancelled(), "cancelled in epoch {epoch}");
///         job.progress(f64::from(epoch) / 10.0, &format!("epoch {epoch}"));
///         job.log(&format!("loss {:.3}", 1.0 / f64::from(epoch + 1)));
///     }
///     Ok(())
/// }
/// # train(&JobContext::default()).unwrap();
/// ```
///
/// The default is a job that is stored nowhere, as in a test of a model.
#[derive(Clone, Default)]
pub struct JobContext(Arc<Shared>);

/// Marks an error as temporary: the job is tried again instead of failing at once.
///
/// ```
/// use label_studio_ml::{TryAgain, anyhow::{self, Context}};
///
/// fn annotations() -> anyhow::Result<Vec<u8>> {
///     Ok(std::fs::read("/mnt/share/annotations.json").context(TryAgain)?)
/// }
/// assert!(annotations().unwrap_err().downcast_ref::<TryAgain>().is_some());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TryAgain;

#[derive(Default)]
struct Shared {
    id: Option<JobId>,
    attempt: u32,
    news: Mutex<News>,
    is_cancelled: AtomicBool,
    has_noticed: AtomicBool,
    on_cancel: Mutex<Vec<Box<dyn FnOnce() + Send>>>,
}

#[derive(Default)]
struct News {
    progress: Option<f64>,
    message: Option<String>,
    log: String,
    is_new: bool,
    is_log_new: bool,
}

impl JobContext {
    /// Returns the number of the job; `None` when it is stored nowhere.
    pub fn id(&self) -> Option<JobId> {
        self.0.id
    }

    /// Returns how often the job was started, this time included. More than 1 after a crash.
    pub fn attempt(&self) -> u32 {
        self.0.attempt.max(1)
    }

    /// Tells users how far the job is, from 0 to 1, and what it does now. Costs next to nothing, so
    /// it may be called for every batch.
    pub fn progress(&self, fraction: f64, message: &str) {
        let mut news = self.news();
        if fraction.is_finite() {
            news.progress = Some(fraction.clamp(0.0, 1.0));
        }
        if !message.is_empty() {
            news.message = Some(clean(message));
        }
        news.is_new = true;
    }

    /// Adds a line to the job's log, of which the last 64 KiB are kept.
    pub fn log(&self, line: &str) {
        let mut news = self.news();
        for line in line.lines() {
            news.log.push_str(&clean(line));
            news.log.push('\n');
        }
        if news.log.len() > MAX_LOG_BYTES {
            let from = news.log.len() - CUT_LOG_BYTES;
            let cut = news.log.bytes().skip(from).position(|byte| byte == b'\n');
            let cut = cut.map_or(0, |at| from + at + 1);
            news.log.drain(..cut);
        }
        news.is_new = true;
        news.is_log_new = true;
    }

    /// Returns whether the job should end: a user asked for that, or another process has it now.
    /// A model that asks between two batches ends soon; one that never asks runs to its end.
    pub fn is_cancelled(&self) -> bool {
        let is_cancelled = self.0.is_cancelled.load(Ordering::Acquire);
        if is_cancelled {
            self.0.has_noticed.store(true, Ordering::Release);
        }
        is_cancelled
    }

    /// Calls `run` when the job should end, at once if that is so already: for a model that waits
    /// for something else meanwhile, such as a process.
    pub fn on_cancel(&self, run: impl FnOnce() + Send + 'static) {
        let mut waiting = lock(&self.0.on_cancel);
        if !self.0.is_cancelled.load(Ordering::Acquire) {
            waiting.push(Box::new(run));
            return;
        }
        drop(waiting);
        self.0.has_noticed.store(true, Ordering::Release);
        run();
    }

    /// Lets the job know that it should end.
    pub fn cancel(&self) {
        let waiting = {
            let mut waiting = lock(&self.0.on_cancel);
            self.0.is_cancelled.store(true, Ordering::Release);
            std::mem::take(&mut *waiting)
        };
        if !waiting.is_empty() {
            self.0.has_noticed.store(true, Ordering::Release);
        }
        for run in waiting {
            run();
        }
    }

    /// Returns what was said so far.
    pub fn report(&self) -> Report {
        let news = self.news();
        Report {
            progress: news.progress,
            message: news.message.clone(),
            log: Some(news.log.clone()),
        }
    }

    fn news(&self) -> MutexGuard<'_, News> {
        lock(&self.0.news)
    }
}

/// What the server's runner of jobs needs.
#[cfg(feature = "server")]
impl JobContext {
    /// Creates the context of a job that was claimed.
    pub(crate) fn of_claim(claim: &Claim) -> Self {
        let news = News {
            log: claim.log.clone(),
            ..News::default()
        };
        let context = Self(Arc::new(Shared {
            id: Some(claim.job.id),
            attempt: claim.job.attempts,
            news: Mutex::new(news),
            ..Shared::default()
        }));
        if claim.job.attempts > 1 {
            let (attempt, most) = (claim.job.attempts, claim.job.max_attempts);
            context.log(&format!("attempt {attempt} of {most}"));
        }
        context
    }

    /// Returns whether the model has learned that the job should end.
    pub(crate) fn has_noticed_cancel(&self) -> bool {
        self.0.has_noticed.load(Ordering::Acquire)
    }

    /// Returns what is new since the last call; `None` when there is nothing.
    pub(crate) fn take_news(&self) -> Option<Report> {
        let mut news = self.news();
        if !std::mem::take(&mut news.is_new) {
            return None;
        }
        let log = std::mem::take(&mut news.is_log_new).then(|| news.log.clone());
        Some(Report {
            progress: news.progress,
            message: news.message.clone(),
            log,
        })
    }

    /// Lets news that could not be stored be news again.
    pub(crate) fn give_news_back(&self, report: &Report) {
        let mut news = self.news();
        news.is_new = true;
        news.is_log_new |= report.log.is_some();
    }
}

impl fmt::Debug for JobContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobContext")
            .field("id", &self.0.id)
            .field("is_cancelled", &self.0.is_cancelled)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for TryAgain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("failed for now")
    }
}

impl std::error::Error for TryAgain {}

/// Cuts a line to its longest length, and takes out what would control a terminal.
fn clean(line: &str) -> String {
    let mut n_bytes = line.len().min(MAX_LINE_BYTES);
    while !line.is_char_boundary(n_bytes) {
        n_bytes -= 1;
    }
    line[..n_bytes]
        .chars()
        .filter(|c| *c == '\t' || !c.is_control())
        .collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_long_log_keeps_its_last_lines_whole() {
        let job = JobContext::default();
        for number in 0..20_000 {
            job.log(&format!("line {number} — ✓"));
        }
        let log = job.report().log.unwrap();
        assert!(log.len() <= MAX_LOG_BYTES, "{}", log.len());
        assert!(log.ends_with("line 19999 — ✓\n"));
        assert!(log.lines().all(|line| line.starts_with("line ")));
        job.log(&"é".repeat(MAX_LOG_BYTES));
        assert!(job.report().log.unwrap().len() <= MAX_LOG_BYTES);
    }

    #[test]
    fn what_controls_a_terminal_is_taken_out() {
        let job = JobContext::default();
        job.log("\u{1b}[2Jred\u{7}\tline\r\nnext");
        job.progress(f64::NAN, "\u{1b}]0;title\u{7}");
        let report = job.report();
        assert_eq!(report.log.as_deref(), Some("[2Jred\tline\nnext\n"));
        assert_eq!(report.message.as_deref(), Some("]0;title"));
        assert_eq!(report.progress, None);
    }

    #[cfg(feature = "server")]
    #[test]
    fn news_are_told_once() {
        let job = JobContext::default();
        assert_eq!(job.take_news(), None);
        job.progress(7.0, "late");
        let report = job.take_news().unwrap();
        assert_eq!((report.progress, &report.log), (Some(1.0), &None));
        assert_eq!(job.take_news(), None);
        job.log("a");
        let report = job.take_news().unwrap();
        assert_eq!(report.log.as_deref(), Some("a\n"));
        job.give_news_back(&report);
        assert_eq!(job.take_news(), Some(report));
    }

    #[test]
    fn a_cancelled_job_tells_those_who_wait_for_that() {
        let job = JobContext::default();
        let (sender, receiver) = mpsc::channel();
        let early = sender.clone();
        job.on_cancel(move || early.send("early").unwrap());
        assert!(!job.is_cancelled());
        job.cancel();
        job.cancel();
        job.on_cancel(move || sender.send("late").unwrap());
        assert_eq!(receiver.iter().collect::<Vec<_>>(), ["early", "late"]);
        assert!(job.is_cancelled());
    }
}
