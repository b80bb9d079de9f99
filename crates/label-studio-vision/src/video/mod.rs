//! Videos: their frames in order, and objects followed through them.
//!
//! A [`VideoReader`] runs `ffprobe` and `ffmpeg` as programs. [`VideoReader::open`] finds out what a
//! file holds, [`VideoReader::frames`] decodes it while the caller works, so that a few frames are
//! in memory, however long the video is. Frames are upright, and their numbers are those of Label
//! Studio ([`Numbering`]).
//!
//! [`tracks`] joins the boxes of frames to tracks, [`motion`] finds how the camera moved between two
//! frames.

mod args;
mod error;
mod frames;
pub mod motion;
mod probe;
mod reader;
pub mod tracks;

pub use args::VideoArgs;
pub use error::VideoError;
pub use frames::{Frames, Numbering};
pub use probe::Video;
pub use reader::VideoReader;
