//! Jobs as text.

use std::{
    io::{self, Write},
    time::{SystemTime, UNIX_EPOCH},
};

use super::job::{Job, State};
use crate::terminal::{line, lines};

const SECONDS_PER_DAY: f64 = 86_400.0;

/// Writes a line for each job.
pub(super) fn write_list(out: &mut dyn Write, jobs: &[Job]) -> io::Result<()> {
    let rows: Vec<_> = jobs.iter().map(row).collect();
    let head = ["JOB", "STATE", "PROJECT", "KIND", "DONE", "AGE"].map(str::to_owned);
    let mut widths = head.clone().map(|name| name.len());
    for (columns, _) in &rows {
        for (width, column) in widths.iter_mut().zip(columns) {
            *width = column.chars().count().max(*width);
        }
    }
    let mut write = |columns: &[String; 6], rest: &str| -> io::Result<()> {
        let columns = columns.iter().zip(widths);
        let columns = columns.map(|(column, width)| format!("{column:width$}"));
        let text = columns
            .chain([rest.to_owned()])
            .collect::<Vec<_>>()
            .join("  ");
        writeln!(out, "{}", text.trim_end())
    };
    write(&head, "")?;
    for (columns, rest) in &rows {
        write(columns, rest)?;
    }
    Ok(())
}

/// Writes everything that is known of a job.
pub(super) fn write_job(out: &mut dyn Write, job: &Job, log: &str) -> io::Result<()> {
    let fields = [
        ("job", line(&job.id)),
        ("state", state(job)),
        ("project", line(&job.project)),
        ("kind", line(&job.kind)),
        (
            "attempt",
            format!("{} of {}", job.attempts, job.max_attempts),
        ),
        ("worker", job.worker.clone().unwrap_or_default()),
        ("done", percent(job)),
        ("message", job.message.clone().unwrap_or_default()),
        ("took", took(job)),
        ("error", job.error.clone().unwrap_or_default()),
        (
            "result",
            job.result
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
        ),
    ];
    for (name, value) in fields {
        if !value.is_empty() {
            writeln!(out, "{name:<8} {}", lines(&value))?;
        }
    }
    if !log.is_empty() {
        writeln!(out, "\n{}", lines(log).trim_end())?;
    }
    Ok(())
}

/// Returns how much is done, as text.
pub(super) fn percent(job: &Job) -> String {
    job.progress
        .map_or_else(String::new, |progress| format!("{:.0} %", progress * 100.0))
}

fn row(job: &Job) -> ([String; 6], String) {
    let columns = [
        line(&job.id),
        state(job),
        line(&job.project),
        line(&job.kind),
        percent(job),
        duration(now() - job.created_at),
    ];
    let rest = match job.state {
        State::Done => "",
        _ => job
            .error
            .as_ref()
            .or(job.message.as_ref())
            .map_or("", |text| text),
    };
    (columns, line(rest.lines().next().unwrap_or_default()))
}

fn state(job: &Job) -> String {
    if job.cancel && !job.state.has_ended() {
        return "cancelling".to_owned();
    }
    job.state.name()
}

fn took(job: &Job) -> String {
    let Some(started_at) = job.started_at else {
        return String::new();
    };
    duration(job.ended_at.unwrap_or_else(now) - started_at)
}

/// Returns a duration with the unit that suits it.
fn duration(seconds: f64) -> String {
    let seconds = seconds.max(0.0);
    match seconds {
        ..60.0 => format!("{seconds:.0} s"),
        60.0..3600.0 => format!("{:.0} min", seconds / 60.0),
        3600.0..SECONDS_PER_DAY => format!("{:.1} h", seconds / 3600.0),
        _ => format!("{:.0} d", seconds / SECONDS_PER_DAY),
    }
}

fn now() -> f64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0.0, |since| since.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn job(changes: &serde_json::Value) -> Job {
        let mut json = json!({
            "id": "17", "project": "3", "kind": "START_TRAINING", "state": "running",
            "attempts": 1, "max_attempts": 3, "worker": "host:1:ab", "progress": 0.5,
            "message": "epoch 5", "error": null, "result": null, "cancel": false,
            "created_at": now() - 100.0, "started_at": now() - 100.0, "ended_at": null,
        });
        for (name, value) in changes.as_object().unwrap() {
            json[name] = value.clone();
        }
        serde_json::from_value(json).unwrap()
    }

    fn list(jobs: &[Job]) -> String {
        let mut out = Vec::new();
        write_list(&mut out, jobs).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_list_has_a_line_for_each_job() {
        let failed = job(&json!({
            "id": "4", "state": "failed", "progress": null, "error": "no \u{1b}[31mmemory\nat all",
        }));
        let expected = "\
JOB  STATE    PROJECT  KIND            DONE  AGE
17   running  3        START_TRAINING  50 %  2 min  epoch 5
4    failed   3        START_TRAINING        2 min  no \\u{1b}[31mmemory
";
        assert_eq!(list(&[job(&json!({})), failed]), expected);
        let cancelling = list(&[job(&json!({ "cancel": true }))]);
        assert!(cancelling.contains("cancelling"), "{cancelling}");
    }

    #[test]
    fn a_job_is_shown_with_its_log() {
        let mut out = Vec::new();
        let done = json!({ "state": "done", "result": { "accuracy": 0.9 }, "ended_at": now() });
        write_job(&mut out, &job(&done), "loss 1\nloss 0.5\n").unwrap();
        let text = String::from_utf8(out).unwrap();
        for line in [
            "job      17",
            "attempt  1 of 3",
            "took     2 min",
            "\nloss 1\nloss 0.5\n",
        ] {
            assert!(text.contains(line), "{text}");
        }
        assert!(text.contains(r#"result   {"accuracy":0.9}"#), "{text}");
    }

    #[test]
    fn durations_have_the_unit_that_suits_them() {
        let cases = [
            (-1.0, "0 s"),
            (59.0, "59 s"),
            (60.0, "1 min"),
            (5400.0, "1.5 h"),
        ];
        for (seconds, expected) in cases {
            assert_eq!(duration(seconds), expected);
        }
        assert_eq!(duration(172_800.0), "2 d");
    }
}
