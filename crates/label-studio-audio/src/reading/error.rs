//! Why audio cannot be read.

use std::io;

use label_studio_inference::program::ProgramError;

/// Why audio cannot be read. Messages name the file without its folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AudioError {
    /// The program is missing, cannot be run, or was killed from outside.
    #[error("no audio can be read")]
    Program(#[from] ProgramError),
    /// The file is no media that the program knows, or is damaged.
    #[error("{file} is no audio that ffmpeg can read: {reason}")]
    Unreadable {
        /// Name of the file.
        file: String,
        /// The program's complaint.
        reason: String,
    },
    /// The file has images or subtitles only.
    #[error("{file} has no sound: there is no audio track in it")]
    NoAudio {
        /// Name of the file.
        file: String,
    },
    /// There are no samples.
    #[error("the audio of {file} is empty: it lasts 0 s")]
    Empty {
        /// Name of the file.
        file: String,
    },
    /// The audio is longer than allowed.
    #[error("the audio of {file} is longer than {max_seconds} s (MAX_AUDIO_SECONDS)")]
    TooLong {
        /// Name of the file.
        file: String,
        /// Allowed length in seconds.
        max_seconds: f64,
    },
    /// The program was killed because it ran too long.
    #[error("ffmpeg took longer than {seconds} s over {file} (FFMPEG_TIMEOUT)")]
    TooSlow {
        /// Name of the file.
        file: String,
        /// Allowed time in seconds.
        seconds: f64,
    },
    /// The program printed something that is no audio.
    #[error("what FFMPEG_CMD prints for {file} is no audio: is it ffmpeg?")]
    NotFfmpeg {
        /// Name of the file.
        file: String,
    },
    /// The connection to the program broke.
    #[error("cannot read what ffmpeg prints for {file}")]
    Read {
        /// Name of the file.
        file: String,
        /// The error of the operating system.
        source: io::Error,
    },
}
