//! Flags of reading audio.

use std::{path::PathBuf, time::Duration};

use clap::Args;

/// How audio is read
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Audio")]
pub struct ReadingArgs {
    /// Program that reads the audio
    #[arg(long, env = "FFMPEG_CMD", default_value = "ffmpeg")]
    pub ffmpeg_cmd: PathBuf,

    /// Seconds after which ffmpeg is killed; it runs as long as its audio is worked on
    #[arg(long, env = "FFMPEG_TIMEOUT", default_value = "14400", value_parser = seconds)]
    pub ffmpeg_timeout: Duration,

    /// Longest audio, in seconds
    #[arg(long, env = "MAX_AUDIO_SECONDS", default_value = "21600", value_parser = seconds)]
    pub max_audio_seconds: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.trim().parse::<f64>().ok();
    seconds
        .filter(|seconds| *seconds > 0.0)
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        .ok_or_else(|| "a number of seconds above 0 is expected".to_owned())
}
