//! Programs such as ffmpeg and tesseract, run within limits.
//!
//! A [`Program`] is a name or a path from a flag, and the variable of that flag, which errors name.
//! A name is looked up in `PATH`. Arguments go to the program as they are: there is no shell.
//!
//! - [`Program::version`] at start, so that a missing program is found before the first task.
//! - [`Program::text`] and [`Program::output`] for results that fit into memory, within
//!   [`ProgramLimits`].
//! - [`Program::stream`] for those that do not, such as the frames of a video.
//!
//! A program that runs longer than it may is killed, and so are the processes that it started.
//!
//! ```no_run
//! use std::{io::Read, path::Path, time::Duration};
//!
//! use label_studio_inference::program::{Program, ProgramLimits};
//!
//! let ffmpeg = Program { path: Path::new("ffmpeg"), setting: "FFMPEG_CMD" };
//! let version = ffmpeg.version("-version")?;
//! assert!(version.starts_with("ffmpeg version"));
//!
//! // All samples at once: 16 kHz, one channel, 32-bit floats.
//! let quiet = ["-nostdin", "-hide_banner", "-loglevel", "error"];
//! let wanted = ["-i", "talk.mp3", "-f", "f32le", "-ac", "1", "-ar", "16000", "-"];
//! let limits = ProgramLimits { time: Duration::from_secs(60), bytes: 1 << 30 };
//! let samples = ffmpeg.output(quiet.iter().chain(&wanted), Vec::new(), limits)?;
//!
//! // One frame of 640 x 360 pixels after the other.
//! let wanted = ["-i", "clip.mp4", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "640x360", "-"];
//! let time = Duration::from_secs(600);
//! let mut frames = ffmpeg.stream(quiet.iter().chain(&wanted), Vec::new(), time)?;
//! let mut frame = vec![0; 640 * 360 * 3];
//! frames.read_exact(&mut frame)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod stream;

use std::{
    ffi::OsStr,
    io::{self, Read as _},
    path::Path,
    time::Duration,
};

pub use error::ProgramError;
pub use stream::{ProgramKiller, ProgramStream};

/// A program, and the setting to check when it is missing.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// Name or path of the program.
    pub path: &'a Path,
    /// Variable that says where it is.
    pub setting: &'static str,
}

/// Limits of a program's run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProgramLimits {
    /// Time until it is killed.
    pub time: Duration,
    /// Most bytes of its output.
    pub bytes: u64,
}

impl Default for ProgramLimits {
    /// A minute, and 16 MiB.
    fn default() -> Self {
        Self {
            time: Duration::from_secs(60),
            bytes: 16 << 20,
        }
    }
}

impl Program<'_> {
    /// Returns the first line that the program prints when it is asked for its version with `flag`.
    ///
    /// Fails when it is not installed, or does not run on this machine. Called when a backend
    /// starts, it finds what would fail for each task later.
    pub fn version(&self, flag: &str) -> Result<String, ProgramError> {
        let limits = ProgramLimits {
            time: Duration::from_secs(10),
            ..ProgramLimits::default()
        };
        let text = self.text([flag], Vec::new(), limits)?;
        Ok(text.lines().next().unwrap_or_default().to_owned())
    }

    /// Runs the program to its end with `input` and returns the text that it prints; bytes beyond
    /// the limit are left out.
    pub fn text(
        &self,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
        input: Vec<u8>,
        limits: ProgramLimits,
    ) -> Result<String, ProgramError> {
        let mut stream = self.stream(args, input, limits.time)?;
        let mut text = Vec::new();
        let read = stream.by_ref().take(limits.bytes).read_to_end(&mut text);
        // The rest is dropped, so that the program can go on to its end.
        read.and_then(|_| io::copy(&mut stream, &mut io::sink()))
            .map_err(|error| self.error(error))?;
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// Runs the program to its end with `input` and returns its output; more bytes than the limit
    /// allows are an error.
    pub fn output(
        &self,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
        input: Vec<u8>,
        limits: ProgramLimits,
    ) -> Result<Vec<u8>, ProgramError> {
        let mut stream = self.stream(args, input, limits.time)?;
        let mut output = Vec::new();
        let n_bytes = stream
            .by_ref()
            .take(limits.bytes.saturating_add(1))
            .read_to_end(&mut output)
            .map_err(|error| self.error(error))?;
        if n_bytes as u64 > limits.bytes {
            return Err(ProgramError::TooManyBytes {
                program: self.name(),
                max: limits.bytes,
            });
        }
        Ok(output)
    }

    /// Starts the program with `input` and returns its output while it runs. It is killed after
    /// `time`, and when the stream is dropped.
    pub fn stream(
        &self,
        args: impl IntoIterator<Item = impl AsRef<OsStr>>,
        input: Vec<u8>,
        time: Duration,
    ) -> Result<ProgramStream, ProgramError> {
        ProgramStream::start(self.path, args, input, time).map_err(|source| ProgramError::Start {
            program: self.name(),
            setting: self.setting,
            source,
        })
    }

    /// Returns what a stream failed with.
    fn error(&self, error: io::Error) -> ProgramError {
        error
            .downcast()
            .unwrap_or_else(|source| ProgramError::Read {
                program: self.name(),
                source,
            })
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }
}
