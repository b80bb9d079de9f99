//! Writes log lines on a dedicated thread, so that a log that is full, closed or not read delays
//! and fails no request.

use std::{
    io::{self, Write},
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, channel, sync_channel},
    },
    thread,
    time::Duration,
};

use tracing_subscriber::fmt::MakeWriter;

/// Lines that wait to be written; beyond that, lines are dropped and counted.
const MAX_LINES: usize = 8192;
/// How long the end of the program waits for the lines that are not written yet.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Hands lines to the thread that writes them.
pub(crate) struct LogWriter {
    lines: SyncSender<Message>,
    n_dropped: AtomicU64,
}

enum Message {
    Line(Vec<u8>),
    /// Answered once all lines before it are written.
    Flush(std::sync::mpsc::Sender<()>),
}

/// Waits for unwritten lines when it is dropped.
#[must_use]
pub(crate) struct Flush(&'static LogWriter);

impl LogWriter {
    /// Returns the writer of this process, to its standard output.
    pub(crate) fn of_process() -> &'static Self {
        static WRITER: OnceLock<LogWriter> = OnceLock::new();
        let mut received = None;
        let writer = WRITER.get_or_init(|| {
            let (writer, lines) = Self::new();
            received = Some(lines);
            writer
        });
        if let Some(lines) = received {
            let write = move || writer.write_all(&lines, &mut io::stdout());
            // Without the thread all lines are dropped, and counted.
            let _ = thread::Builder::new().name("log".to_owned()).spawn(write);
        }
        writer
    }

    /// Returns how many lines were lost: the queue was full, or they could not be written.
    pub(crate) fn n_dropped(&self) -> u64 {
        self.n_dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn flush_on_drop(&'static self) -> Flush {
        Flush(self)
    }

    fn new() -> (Self, Receiver<Message>) {
        let (lines, received) = sync_channel(MAX_LINES);
        let writer = Self {
            lines,
            n_dropped: AtomicU64::new(0),
        };
        (writer, received)
    }

    fn write_all(&self, received: &Receiver<Message>, output: &mut impl Write) {
        while let Ok(message) = received.recv() {
            match message {
                Message::Line(line) => {
                    if output
                        .write_all(&line)
                        .and_then(|()| output.flush())
                        .is_err()
                    {
                        self.n_dropped.fetch_add(1, Ordering::Relaxed);
                    }
                }
                // The receiver is gone when waiting timed out.
                Message::Flush(written) => drop(written.send(())),
            }
        }
    }

    fn send(&self, line: &[u8]) {
        if self.lines.try_send(Message::Line(line.to_vec())).is_err() {
            self.n_dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Drop for Flush {
    fn drop(&mut self) {
        let (written, is_written) = channel();
        let mut flush = Message::Flush(written);
        let pause = FLUSH_TIMEOUT / 100;
        for _ in 0..100 {
            match self.0.lines.try_send(flush) {
                Ok(()) => {
                    let _: Result<(), RecvTimeoutError> = is_written.recv_timeout(FLUSH_TIMEOUT);
                    return;
                }
                Err(TrySendError::Full(message)) => flush = message,
                Err(TrySendError::Disconnected(_)) => return,
            }
            thread::sleep(pause);
        }
    }
}

/// Takes the lines of one event.
pub(crate) struct Lines(&'static LogWriter);

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.send(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for &'static LogWriter {
    type Writer = Lines;

    fn make_writer(&'a self) -> Lines {
        Lines(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An output that fails every second time.
    struct Failing(usize);

    impl Write for Failing {
        fn write(&mut self, line: &[u8]) -> io::Result<usize> {
            self.0 += 1;
            if self.0.is_multiple_of(2) {
                Ok(line.len())
            } else {
                Err(io::ErrorKind::StorageFull.into())
            }
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn counts_lines_that_cannot_be_written() {
        let (writer, received) = LogWriter::new();
        let writer = &writer;
        (0..4).for_each(|_| writer.send(b"line\n"));
        let (written, is_written) = channel();
        writer.lines.send(Message::Flush(written)).unwrap();
        thread::scope(|scope| {
            let failed = scope.spawn(move || {
                // The queue of the writer never ends; these are its messages alone.
                let (messages, only_these) = sync_channel(5);
                for message in received.iter().take(5) {
                    messages.send(message).unwrap();
                }
                drop(messages);
                writer.write_all(&only_these, &mut Failing(0));
            });
            is_written.recv().unwrap();
            failed.join().unwrap();
        });
        assert_eq!(writer.n_dropped(), 2);
    }

    #[test]
    fn drops_lines_beyond_the_queue() {
        let (writer, received) = LogWriter::new();
        (0..MAX_LINES + 3).for_each(|_| writer.send(b"line\n"));
        assert_eq!(writer.n_dropped(), 3);
        drop(received);
        writer.send(b"line\n");
        assert_eq!(writer.n_dropped(), 4);
    }
}
