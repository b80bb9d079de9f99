//! Runs the programs that read images and documents.

use std::{
    ffi::OsStr,
    io::{self, Read as _, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError},
    thread,
    time::Duration,
};

use label_studio_ml::anyhow::{self, Context, bail};
use label_studio_services::Deadline;

/// Longest time that a program gets for a task.
const MAX_TIME: Duration = Duration::from_secs(60);
/// Longest text that is taken.
const MAX_BYTES: u64 = 16 << 20;
const MAX_SHOWN_BYTES: u64 = 300;

/// Runs a program to its end with `input` and returns what it prints. `setting` names the flag to mend when it is missing.
pub(crate) fn printed_by(
    program: &Path,
    setting: &str,
    args: &[&OsStr],
    input: Vec<u8>,
    deadline: Deadline,
) -> anyhow::Result<String> {
    let shown = program.display();
    let mut child = Command::new(program)
        .args(args)
        // Tasks are worked on side by side already.
        .env("OMP_THREAD_LIMIT", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| {
            format!("cannot run {shown}: install it, or say where it is with {setting}")
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
            // Nobody listens any more when time has run out.
            let _ = sender.send((text, complaints.join()));
        });
    }
    let (text, complaints) = match printed.recv_timeout(deadline.at_most(MAX_TIME).remaining()) {
        Ok(output) => output,
        Err(RecvTimeoutError::Timeout) => {
            child.kill().ok();
            child.wait().ok();
            bail!("{shown} took too long");
        }
        Err(RecvTimeoutError::Disconnected) => bail!("{shown} printed nothing"),
    };
    let status = child.wait()?;
    if !status.success() {
        let complaints = complaints.ok().and_then(Result::ok).unwrap_or_default();
        let complaints = String::from_utf8_lossy(&complaints);
        bail!("{shown} failed with {status}: {}", complaints.trim());
    }
    Ok(String::from_utf8_lossy(&text?).into_owned())
}

/// Reads up to `limit` bytes and drops the rest, so that the program can go on.
fn read(mut pipe: impl io::Read, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    pipe.by_ref().take(limit).read_to_end(&mut bytes)?;
    io::copy(&mut pipe, &mut io::sink())?;
    Ok(bytes)
}
