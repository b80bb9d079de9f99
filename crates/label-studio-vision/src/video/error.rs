//! Why a video cannot be used.

use std::{
    io,
    path::{Path, PathBuf},
};

use label_studio_inference::program::ProgramError;

/// Why a video cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VideoError {
    /// The file cannot be read.
    #[error("cannot read video file {path}")]
    Read {
        /// Path of the file.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The content is no video, or of a container that is not read.
    #[error("cannot use video file {path}")]
    Unusable {
        /// Path of the file.
        path: PathBuf,
        /// What `ffprobe` or `ffmpeg` says about it.
        source: ProgramError,
    },
    /// A program is missing, took too long, or was killed.
    #[error(transparent)]
    Program(#[from] ProgramError),
    /// The answer of `ffprobe` cannot be read.
    #[error("the answer of ffprobe about {path} cannot be read")]
    Answer {
        /// Path of the video.
        path: PathBuf,
        /// What is wrong with the answer.
        source: serde_json::Error,
    },
    /// The file holds no moving images.
    #[error("{path} has no video stream{}", if *has_audio { ", only sound" } else { "" })]
    NoVideoStream {
        /// Path of the file.
        path: PathBuf,
        /// Whether it holds sound.
        has_audio: bool,
    },
    /// The frame rate is 0, unknown or absurd, so that frames have no numbers.
    #[error("{path} has the frame rate {rate}, so its frames cannot be numbered")]
    FrameRate {
        /// Path of the file.
        path: PathBuf,
        /// The frame rate that the container names.
        rate: String,
    },
    /// A frame has no pixels, or more than allowed.
    #[error(
        "{path} has frames of {width}x{height} pixels, between 1 and {max} in total are allowed (MAX_VIDEO_PIXELS)"
    )]
    FrameSize {
        /// Path of the file.
        path: PathBuf,
        /// Width in pixels.
        width: u64,
        /// Height in pixels.
        height: u64,
        /// Allowed number of pixels.
        max: u64,
    },
    /// The video ends long before its header says.
    #[error(
        "{path} is cut short or damaged: it ends after {seconds:.1} s ({n_frames} frames), its header says {expected:.1} s"
    )]
    Truncated {
        /// Path of the file.
        path: PathBuf,
        /// Frames that could be decoded.
        n_frames: u64,
        /// Their duration.
        seconds: f64,
        /// Duration that the header names.
        expected: f64,
    },
    /// The caller no longer wants the frames.
    #[error("reading the video was cancelled")]
    Cancelled,
}

impl VideoError {
    /// Returns what a program's error says about the file: one that ended with a status complains
    /// about it, other errors are the program's own.
    pub(super) fn of_file(path: &Path, error: ProgramError) -> Self {
        // Without a status the program was killed.
        let is_complaint =
            matches!(&error, ProgramError::Failed { status, .. } if status.code().is_some());
        if is_complaint {
            Self::Unusable {
                path: path.to_owned(),
                source: error,
            }
        } else {
            error.into()
        }
    }
}
