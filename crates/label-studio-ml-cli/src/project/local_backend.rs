//! A backend that a command starts for itself.

use std::{
    collections::VecDeque,
    ffi::{OsStr, OsString},
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc,
    thread,
};

use anyhow::{Context, bail};

use crate::{
    backend::BackendUrl,
    python::{self, Python},
    start::PYTHON_MAIN,
    terminal,
};

/// Last lines of the log that are shown when the backend ends.
const N_SHOWN_LINES: usize = 20;

/// Runs a program that ends with the process that holds the other end of its input, even if that is killed.
#[cfg(unix)]
const GUARD: &str =
    r#""$@" </dev/null & pid=$!; exec >&-; cat >/dev/null; kill "$pid" 2>/dev/null; wait "$pid""#;

/// A backend on a free port of this machine, for this process only. It ends with the value.
pub(super) struct LocalBackend {
    pub(super) address: BackendUrl,
    process: Child,
    /// The backend ends when this is closed.
    guard: Option<ChildStdin>,
}

impl LocalBackend {
    /// Starts a folder or a program, and waits until it listens.
    pub(super) fn start<'a>(
        target: &Path,
        options: impl Iterator<Item = &'a OsStr>,
        settings: &[(&str, &str)],
        python: Option<&dyn Python>,
    ) -> anyhow::Result<Self> {
        let shown = target.display();
        let mut words = program(target, python)?;
        for word in ["--host", "127.0.0.1", "--port", "0", "--log-level", "INFO"] {
            words.push(word.into());
        }
        words.extend(options.map(OsStr::to_owned));
        terminal::note(&format!("starting the backend {shown}"));
        let mut command = guarded(&words);
        command.envs(settings.iter().copied());
        command.env("LOG_FORMAT", "text");
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start the backend {shown}"))?;
        let log = process
            .stdout
            .take()
            .context("the backend has no log to read")?;
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || read_log(BufReader::new(log), &sender));
        let mut backend = Self {
            address: "http://127.0.0.1"
                .parse()
                .map_err(|error: &str| anyhow::anyhow!(error))?,
            guard: process.stdin.take(),
            process,
        };
        match receiver.recv() {
            Ok(Log::Listens(address)) => {
                backend.address = address
                    .parse()
                    .map_err(|error: &str| anyhow::anyhow!("{address}: {error}"))?;
                Ok(backend)
            }
            Ok(Log::Ended(lines)) => bail!(
                "the backend {shown} ended before it listened; the end of its log:\n{}",
                lines.join("\n")
            ),
            Err(_) => bail!("the backend {shown} cannot be followed"),
        }
    }
}

impl Drop for LocalBackend {
    fn drop(&mut self) {
        drop(self.guard.take());
        #[cfg(not(unix))]
        let _ = self.process.kill();
        // It may have ended by itself.
        let _ = self.process.wait();
    }
}

/// What the log says.
enum Log {
    Listens(String),
    Ended(Vec<String>),
}

/// Reads a log to its end, so that the backend can go on writing, and reports what it says.
fn read_log(log: impl BufRead, report: &mpsc::Sender<Log>) {
    let mut last = VecDeque::with_capacity(N_SHOWN_LINES);
    for line in log.lines().map_while(Result::ok) {
        if let Some((_, address)) = line.split_once("listening on http://") {
            // Fails once the first address has been received: later ones do not count.
            let _ = report.send(Log::Listens(format!("http://{}", address.trim())));
        }
        if last.len() == N_SHOWN_LINES {
            last.pop_front();
        }
        last.push_back(line);
    }
    let _ = report.send(Log::Ended(last.into()));
}

/// Returns the command that serves a backend: a program is run, a folder or script given to `start`.
fn program(target: &Path, python: Option<&dyn Python>) -> anyhow::Result<Vec<OsString>> {
    if target.is_file() && !python::is_script(target) {
        return Ok(vec![target.canonicalize()?.into()]);
    }
    let mut words: Vec<OsString> = match python {
        Some(python) => vec![python.executable().into(), "-c".into(), PYTHON_MAIN.into()],
        None => vec![
            std::env::current_exe()
                .context("cannot find this program")?
                .into(),
        ],
    };
    words.extend(["start".into(), target.into()]);
    Ok(words)
}

#[cfg(unix)]
fn guarded(words: &[OsString]) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", GUARD, "sh"]).args(words);
    command
}

#[cfg(not(unix))]
fn guarded(words: &[OsString]) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    command
}
