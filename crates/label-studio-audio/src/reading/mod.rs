//! Samples of any file that ffmpeg reads, and the audio of a task.
//!
//! An [`AudioReader`] starts ffmpeg for a file, and an [`AudioStream`] hands out its samples while
//! ffmpeg runs, so that memory does not grow with the length. Samples are those that NeMo's own
//! reader gives: the mean of all channels, resampled with soxr.

mod args;
mod error;
mod reader;
mod stream;
mod task_audio;

pub use args::ReadingArgs;
pub use error::AudioError;
pub use reader::AudioReader;
pub use stream::AudioStream;
pub use task_audio::{TaskAudioError, task_audio};
