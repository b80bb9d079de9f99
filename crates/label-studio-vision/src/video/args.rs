//! Flags of every backend that reads videos.

use std::{path::PathBuf, time::Duration};

use super::VideoReader;

/// How videos are read
#[derive(Debug, Clone, clap::Args)]
#[command(next_help_heading = "Videos")]
pub struct VideoArgs {
    /// Program that decodes videos
    #[arg(long, env = "FFMPEG_CMD", default_value = "ffmpeg")]
    pub ffmpeg_cmd: PathBuf,
    /// Program that says what is in a video
    #[arg(long, env = "FFPROBE_CMD", default_value = "ffprobe")]
    pub ffprobe_cmd: PathBuf,
    /// Most pixels of a video's frame
    #[arg(long, env = "MAX_VIDEO_PIXELS", default_value_t = VideoReader::MAX_PIXELS)]
    pub max_video_pixels: u64,
    /// Seconds after which the decoding of a video is given up
    #[arg(long, env = "VIDEO_TIMEOUT", default_value_t = VideoReader::TIME.as_secs())]
    pub video_timeout: u64,
}

impl VideoArgs {
    /// Creates what reads videos.
    pub fn reader(&self) -> VideoReader {
        VideoReader {
            ffmpeg: self.ffmpeg_cmd.clone(),
            ffprobe: self.ffprobe_cmd.clone(),
            max_pixels: self.max_video_pixels,
            time: Duration::from_secs(self.video_timeout),
        }
    }
}
