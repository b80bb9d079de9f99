//! Follows a job until it ends.

use std::{io::Write, process::ExitCode, thread, time::Duration};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use ureq::http::Method;

use super::{
    job::{Job, State, job_number, jobs, read},
    table::{percent, write_job},
};
use crate::{backend::Backend, terminal};

/// Between two looks at the job. It stores its news each second.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const STEPS: u64 = 1000;

/// Shows a job's progress and log until it ends. Progress goes to the standard error.
pub(super) fn watch(
    backend: &Backend,
    job: Option<String>,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let id = match job {
        Some(job) => job,
        None => newest(backend)?,
    };
    let id = job_number(&id)?;
    let mut view = View::new();
    loop {
        // The log first: after the end of the job nothing is added to it.
        let job: Job = read(backend.json(Method::GET, &["jobs", id], &[])?)?;
        let log = backend.json(Method::GET, &["jobs", id, "log"], &[])?;
        view.show(&job, log["log"].as_str().unwrap_or_default());
        if job.state.has_ended() {
            view.bar.finish_and_clear();
            write_job(out, &job, "")?;
            let is_done = job.state == State::Done;
            return Ok(ExitCode::from(u8::from(!is_done)));
        }
        thread::sleep(LOOK_EVERY);
    }
}

fn newest(backend: &Backend) -> anyhow::Result<String> {
    for state in ["running", "pending"] {
        let query = [("state", state.to_owned()), ("limit", "1".to_owned())];
        if let Some(job) = jobs(&backend.json(Method::GET, &["jobs"], &query)?)?
            .into_iter()
            .next()
        {
            return Ok(job.id);
        }
    }
    None.context("no job runs or waits; label-studio-ml jobs list shows those that have ended")
}

/// A progress bar on a terminal, lines elsewhere.
struct View {
    bar: ProgressBar,
    /// Last line that was shown of the log.
    log: String,
    /// Last line that was shown of the progress, where there is no bar.
    line: String,
}

impl View {
    fn new() -> Self {
        let style = ProgressStyle::with_template("{bar:40} {msg}").expect("the template is valid");
        Self {
            bar: ProgressBar::new(STEPS).with_style(style),
            log: String::new(),
            line: String::new(),
        }
    }

    fn show(&mut self, job: &Job, log: &str) {
        let message = job.message.as_deref().unwrap_or_default();
        let parts = [job.state.name(), percent(job), message.to_owned()];
        let line = terminal::line(&parts.map(|part| part.trim().to_owned()).join(" "));
        for new in new_lines(&self.log, log).lines() {
            self.print(&terminal::line(new));
        }
        log.clone_into(&mut self.log);
        if self.bar.is_hidden() {
            if line != self.line {
                self.print(line.trim());
                self.line = line;
            }
            return;
        }
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "the fraction is between 0 and 1"
        )]
        let position = (job.progress.unwrap_or_default().clamp(0.0, 1.0) * 1000.0) as u64;
        self.bar.set_position(position);
        self.bar.set_message(line);
    }

    fn print(&self, line: &str) {
        self.bar.suspend(|| anstream::eprintln!("{line}"));
    }
}

/// Returns the lines of a log that were not in it before; its first lines may have been cut off.
fn new_lines<'a>(before: &str, now: &'a str) -> &'a str {
    if let Some(new) = now.strip_prefix(before) {
        return new;
    }
    let Some(last) = before.lines().last() else {
        return now;
    };
    let last = format!("{last}\n");
    now.rfind(&last).map_or(now, |at| &now[at + last.len()..])
}

#[cfg(test)]
mod tests {
    use super::new_lines;

    #[test]
    fn lines_of_a_log_are_shown_once() {
        let cases = [
            ("", "a\nb\n", "a\nb\n"),
            ("a\nb\n", "a\nb\nc\n", "c\n"),
            ("a\nb\n", "b\nc\n", "c\n"),
            ("a\n", "x\ny\n", "x\ny\n"),
            ("a\n", "a\n", ""),
        ];
        for (before, now, expected) in cases {
            assert_eq!(new_lines(before, now), expected);
        }
    }
}
