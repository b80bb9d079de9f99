//! A program that runs, and its output.

use std::{
    ffi::OsStr,
    io::{self, Read, Write as _},
    path::Path,
    process::{Child, ChildStdout, Command, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver, Sender},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use super::ProgramError;

const MAX_SHOWN_BYTES: u64 = 300;
/// Time that the last complaints of a program which has ended get to arrive.
const COMPLAINTS_TIME: Duration = Duration::from_secs(1);
/// Time between two looks at a program that has closed its output and not yet ended.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// The output of a program that runs.
///
/// Its end is an error when the program failed or was killed, so that half a result does not pass
/// for a whole one; the error is a [`ProgramError`] within the [`io::Error`]. Dropping the stream
/// kills the program.
#[derive(Debug)]
pub struct ProgramStream {
    program: String,
    stdout: ChildStdout,
    complaints: Receiver<Vec<u8>>,
    watch: Option<Watch>,
}

/// The thread that waits for the program, or kills it.
#[derive(Debug)]
struct Watch {
    /// Says that the output has ended, or that the program is to be killed.
    orders: Sender<Order>,
    thread: JoinHandle<io::Result<End>>,
}

/// What the waiting thread is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// The output has ended: wait for the program's end.
    OutputEnded,
    /// Kill the program.
    Kill,
}

/// Kills a program from another thread than the one that reads its output.
#[derive(Debug, Clone)]
pub struct ProgramKiller(Sender<Order>);

impl ProgramKiller {
    /// Kills the program, unless it has ended. The reader of its output gets an error.
    pub fn kill(&self) {
        // The thread has ended when the program has.
        let _ = self.0.send(Order::Kill);
    }
}

/// How a program ended.
#[derive(Debug)]
struct End {
    status: ExitStatus,
    is_killed: bool,
}

impl ProgramStream {
    pub(super) fn start(
        path: &Path,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
        input: Vec<u8>,
        time: Duration,
    ) -> io::Result<Self> {
        let mut command = Command::new(path);
        command
            .args(args)
            // Tasks are worked on in parallel already.
            .env("OMP_THREAD_LIMIT", "1")
            .stdin(if input.is_empty() {
                Stdio::null()
            } else {
                Stdio::piped()
            })
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // So that its own processes can be killed along with it.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A program that has read enough closes its end; its status says whether it failed.
            thread::spawn(move || stdin.write_all(&input));
        }
        let stderr = child.stderr.take().expect("the standard error is piped");
        let (sender, complaints) = mpsc::channel();
        thread::spawn(move || {
            // The stream may have been dropped.
            let _ = sender.send(first_bytes(stderr));
        });
        let stdout = child.stdout.take().expect("the standard output is piped");
        let (orders, received) = mpsc::channel();
        Ok(Self {
            program: path.display().to_string(),
            stdout,
            complaints,
            watch: Some(Watch {
                orders,
                thread: thread::spawn(move || wait(child, &received, time)),
            }),
        })
    }

    /// Returns what kills the program while another thread waits for its output.
    pub fn killer(&self) -> ProgramKiller {
        let watch = self.watch.as_ref();
        // Without a watch the program has ended; nothing receives the order then.
        ProgramKiller(watch.map_or_else(|| mpsc::channel().0, |watch| watch.orders.clone()))
    }

    /// Waits for the program's end, once.
    fn finish(&mut self) -> Result<(), ProgramError> {
        let Some(watch) = self.watch.take() else {
            return Ok(());
        };
        // The thread has ended already when the program was killed.
        let _ = watch.orders.send(Order::OutputEnded);
        let program = self.program.clone();
        let end = watch
            .thread
            .join()
            .expect("the waiting thread panics nowhere");
        let End { status, is_killed } = match end {
            Ok(end) => end,
            Err(source) => return Err(ProgramError::Read { program, source }),
        };
        if is_killed {
            return Err(ProgramError::Timeout { program });
        }
        if !status.success() {
            let complaints = self.complaints.recv_timeout(COMPLAINTS_TIME);
            let complaints = complaints.unwrap_or_default();
            return Err(ProgramError::Failed {
                program,
                status,
                complaints: String::from_utf8_lossy(&complaints).trim().to_owned(),
            });
        }
        Ok(())
    }
}

impl Read for ProgramStream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n_bytes = self.stdout.read(buffer)?;
        if n_bytes == 0 && !buffer.is_empty() {
            self.finish().map_err(io::Error::other)?;
        }
        Ok(n_bytes)
    }
}

impl Drop for ProgramStream {
    fn drop(&mut self) {
        if let Some(Watch { orders, thread }) = self.watch.take() {
            // The thread has ended when the program has.
            let _ = orders.send(Order::Kill);
            // A killed process ends at once.
            thread.join().ok();
        }
    }
}

/// Waits until the program has ended, and kills it when it may run no longer.
fn wait(mut child: Child, orders: &Receiver<Order>, time: Duration) -> io::Result<End> {
    let started = Instant::now();
    let remaining = || time.saturating_sub(started.elapsed());
    if orders.recv_timeout(time) == Ok(Order::OutputEnded) {
        let mut pause = FIRST_PAUSE;
        while !remaining().is_zero() {
            if let Some(status) = child.try_wait()? {
                return Ok(End {
                    status,
                    is_killed: false,
                });
            }
            thread::sleep(pause.min(remaining()));
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }
    // Also when the program itself has ended: its own processes may hold the output open.
    kill(&mut child)?;
    Ok(End {
        status: child.wait()?,
        is_killed: true,
    })
}

/// Kills a program and the processes of its group.
fn kill(child: &mut Child) -> io::Result<()> {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process_group};
        // The number is still the program's, since nothing has waited for it yet.
        kill_process_group(Pid::from_child(child), Signal::KILL).ok();
    }
    child.kill()
}

/// Reads the first bytes and drops the rest, so that the program can go on.
fn first_bytes(mut pipe: impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = pipe.by_ref().take(MAX_SHOWN_BYTES).read_to_end(&mut bytes);
    // A broken pipe has no more to say.
    let _ = read.and_then(|_| io::copy(&mut pipe, &mut io::sink()));
    bytes
}
