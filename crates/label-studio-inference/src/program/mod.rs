//! Runs the programs that read images and documents.

use std::{
    ffi::OsStr,
    io::{self, Read as _, Write as _},
    path::Path,
    process::{Command, ExitStatus, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use crate::Deadline;

/// Longest time that a program gets for a task.
const MAX_TIME: Duration = Duration::from_secs(60);
/// Longest text that is taken.
const MAX_BYTES: u64 = 16 << 20;
const MAX_SHOWN_BYTES: u64 = 300;

/// Why a program gave no text.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// It cannot be run.
    #[error("cannot run {program}: install it, or say where it is with {setting}")]
    Start {
        /// The program as configured.
        program: String,
        /// Variable that says where it is.
        setting: &'static str,
        /// What went wrong.
        source: io::Error,
    },
    /// It was ended, since it did not end in time.
    #[error("{program} took too long")]
    Timeout {
        /// The program as configured.
        program: String,
    },
    /// It ended with an error.
    #[error("{program} failed with {status}: {complaints}")]
    Failed {
        /// The program as configured.
        program: String,
        /// How it ended.
        status: ExitStatus,
        /// The start of what it wrote to the standard error.
        complaints: String,
    },
    /// The connection to it broke.
    #[error("cannot read what {program} prints")]
    Read {
        /// The program as configured.
        program: String,
        /// What went wrong.
        source: io::Error,
    },
}

/// A program that reads a file, and the setting to check when it is missing.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// Name or path of the program.
    pub path: &'a Path,
    /// Variable that says where it is.
    pub setting: &'static str,
}

impl Program<'_> {
    /// Runs the program to its end with `input` and returns what it prints, at most 16 MiB of it. It gets a minute, or
    /// less when `deadline` comes before.
    pub fn print(
        &self,
        args: &[&OsStr],
        input: Vec<u8>,
        deadline: Deadline,
    ) -> Result<String, ProgramError> {
        let program = || self.path.display().to_string();
        let unread = |source| ProgramError::Read {
            program: program(),
            source,
        };
        let mut child = Command::new(self.path)
            .args(args)
            // Tasks are worked on side by side already.
            .env("OMP_THREAD_LIMIT", "1")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|source| ProgramError::Start {
                program: program(),
                setting: self.setting,
                source,
            })?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that has seen enough closes its end; what is wrong shows in its status.
            thread::spawn(move || stdin.write_all(&input));
        }
        let (sender, printed) = mpsc::channel();
        if let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) {
            let complaints = thread::spawn(move || read(stderr, MAX_SHOWN_BYTES));
            thread::spawn(move || {
                let text = read(stdout, MAX_BYTES);
                // The receiver is gone when time has run out.
                let _ = sender.send((text, complaints.join()));
            });
        }
        let (text, complaints) = match printed.recv_timeout(deadline.at_most(MAX_TIME).remaining())
        {
            Ok(output) => output,
            Err(RecvTimeoutError::Timeout) => {
                child.kill().ok();
                child.wait().ok();
                return Err(ProgramError::Timeout { program: program() });
            }
            Err(RecvTimeoutError::Disconnected) => {
                return Err(unread(io::ErrorKind::BrokenPipe.into()));
            }
        };
        let status = child.wait().map_err(unread)?;
        if !status.success() {
            let complaints = complaints.ok().and_then(Result::ok).unwrap_or_default();
            return Err(ProgramError::Failed {
                program: program(),
                status,
                complaints: String::from_utf8_lossy(&complaints).trim().to_owned(),
            });
        }
        Ok(String::from_utf8_lossy(&text.map_err(unread)?).into_owned())
    }
}

/// Reads up to `limit` bytes and drops the rest, so that the program can go on.
fn read(mut pipe: impl io::Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.by_ref().take(limit).read_to_end(&mut bytes)?;
    io::copy(&mut pipe, &mut io::sink())?;
    Ok(bytes)
}
