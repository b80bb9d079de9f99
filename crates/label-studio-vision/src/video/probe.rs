//! What a video file holds.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::VideoError;

/// Faster than any camera whose videos are labelled; a container that names more has no frame rate.
const MAX_RATE: f64 = 1000.0;
/// Average and nominal rate of a constant frame rate differ by rounding only.
const RATE_TOLERANCE: f64 = 0.01;

/// Frames that a codec may store before an earlier one.
const N_REORDERED: usize = 16;
/// Gaps between frames of a constant rate are at most this many times the usual one; containers
/// round times to milliseconds.
const GAP_TOLERANCE: f64 = 1.5;

/// What a video file holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Video {
    /// The file.
    pub path: PathBuf,
    /// Number of its video stream in the file.
    pub stream_idx: u64,
    /// Width of upright frames in pixels.
    pub width: u32,
    /// Height of upright frames in pixels.
    pub height: u32,
    /// Frames per second, on average.
    pub rate: f64,
    /// Whether the time between two frames differs.
    pub has_variable_rate: bool,
    /// Duration in seconds that the header names, if it names one.
    pub duration: Option<f64>,
}

/// The answer of `ffprobe`.
#[derive(Debug, Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    streams: Vec<Stream>,
    #[serde(default)]
    format: Format,
    #[serde(default)]
    packets: Vec<Packet>,
}

/// A part of a stream, such as a frame.
#[derive(Debug, Deserialize)]
struct Packet {
    stream_index: u64,
    /// When it is shown, in seconds.
    pts_time: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
struct Format {
    duration: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Stream {
    index: u64,
    codec_type: Option<String>,
    #[serde(default)]
    width: u64,
    #[serde(default)]
    height: u64,
    #[serde(default)]
    avg_frame_rate: String,
    #[serde(default)]
    r_frame_rate: String,
    duration: Option<String>,
    #[serde(default)]
    disposition: Disposition,
    #[serde(default)]
    side_data_list: Vec<SideData>,
    #[serde(default)]
    tags: Tags,
}

#[derive(Debug, Default, Deserialize)]
struct Disposition {
    /// 1 for the cover of a song.
    #[serde(default)]
    attached_pic: u8,
}

#[derive(Debug, Deserialize)]
struct SideData {
    rotation: Option<f64>,
}

#[derive(Debug, Default, Deserialize)]
struct Tags {
    /// Degrees, as older versions of `ffprobe` name them.
    rotate: Option<String>,
}

impl Answer {
    pub(super) fn video(self, path: &Path, max_pixels: u64) -> Result<Video, VideoError> {
        let is = |stream: &Stream, kind| stream.codec_type.as_deref() == Some(kind);
        let has_audio = self.streams.iter().any(|stream| is(stream, "audio"));
        let mut videos = self.streams.into_iter();
        let stream =
            videos.find(|stream| is(stream, "video") && stream.disposition.attached_pic == 0);
        let path = path.to_owned();
        let Some(stream) = stream else {
            return Err(VideoError::NoVideoStream { path, has_audio });
        };
        let (width, height) = stream.upright_size();
        let side = |side: u64| u32::try_from(side).ok().filter(|side| *side > 0);
        let is_allowed = width.checked_mul(height).is_some_and(|n| n <= max_pixels);
        let (Some(width), Some(height), true) = (side(width), side(height), is_allowed) else {
            return Err(VideoError::FrameSize {
                path,
                width,
                height,
                max: max_pixels,
            });
        };
        let (average, nominal) = (rate(&stream.avg_frame_rate), rate(&stream.r_frame_rate));
        let Some(rate) = average.or(nominal) else {
            return Err(VideoError::FrameRate {
                path,
                rate: stream.avg_frame_rate,
            });
        };
        let seconds = |text: Option<String>| text?.parse::<f64>().ok();
        let of_stream = seconds(stream.duration);
        let of_format = seconds(self.format.duration);
        // An edit list may leave out a part of the stream, and sound may be longer than the video.
        let shorter = match (of_stream, of_format) {
            (Some(stream), Some(format)) => Some(stream.min(format)),
            (one, other) => one.or(other),
        };
        let is_constant =
            |nominal: f64| (nominal - rate).abs() <= RATE_TOLERANCE * nominal.max(rate);
        Ok(Video {
            path,
            stream_idx: stream.index,
            width,
            height,
            rate,
            has_variable_rate: average.is_some() && !nominal.is_some_and(is_constant)
                || has_gaps(&self.packets, stream.index),
            duration: shorter.filter(|seconds| seconds.is_finite() && *seconds > 0.0),
        })
    }
}

impl Stream {
    /// Returns width and height after a rotation by quarters; `ffmpeg` turns its frames likewise.
    fn upright_size(&self) -> (u64, u64) {
        let tag = self.tags.rotate.as_ref().and_then(|text| text.parse().ok());
        let mut degrees = self.side_data_list.iter().filter_map(|data| data.rotation);
        let degrees: f64 = degrees.next().or(tag).unwrap_or(0.0);
        let is_on_its_side = (degrees.rem_euclid(180.0) - 90.0).abs() < 1.0;
        if is_on_its_side {
            (self.height, self.width)
        } else {
            (self.width, self.height)
        }
    }
}

/// Returns whether the first frames of a stream come at different distances.
fn has_gaps(packets: &[Packet], stream_idx: u64) -> bool {
    let packets = packets
        .iter()
        .filter(|packet| packet.stream_index == stream_idx);
    let times = packets.filter_map(|packet| packet.pts_time.as_ref()?.parse::<f64>().ok());
    let mut times: Vec<_> = times.filter(|time| time.is_finite()).collect();
    times.sort_by(f64::total_cmp);
    // Which frames before the last packet come between it and others is not known yet.
    times.truncate(times.len().saturating_sub(N_REORDERED));
    let mut gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_by(f64::total_cmp);
    let Some(usual) = gaps.get(gaps.len() / 2) else {
        return false;
    };
    gaps.iter().any(|gap| *gap > usual * GAP_TOLERANCE)
}

/// Reads a rate such as `30000/1001`.
fn rate(text: &str) -> Option<f64> {
    let (frames, seconds) = text.split_once('/').unwrap_or((text, "1"));
    let rate = frames.parse::<f64>().ok()? / seconds.parse::<f64>().ok()?;
    (rate.is_finite() && rate > 0.0 && rate <= MAX_RATE).then_some(rate)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::{Value, json};

    use super::Answer;

    fn error(stream: &Value) -> String {
        let answer = json!({ "streams": [stream], "format": {} });
        let answer: Answer = serde_json::from_value(answer).unwrap();
        answer
            .video(Path::new("x"), 1 << 20)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_stream_without_a_usable_rate_or_size_is_refused() {
        let stream = |rate: &str, width: u64| {
            json!({ "index": 0, "codec_type": "video", "width": width, "height": 2,
                "avg_frame_rate": rate, "r_frame_rate": rate })
        };
        for rate in ["0/0", "0/1", "", "1/0", "-5/1", "90000/1", "nan"] {
            let text = error(&stream(rate, 2));
            assert!(text.contains("frame rate"), "{rate}: {text}");
        }
        for width in [0, 1 << 20, u64::from(u32::MAX) + 1, u64::MAX] {
            let text = error(&stream("25/1", width));
            assert!(text.contains("MAX_VIDEO_PIXELS"), "{width}: {text}");
        }
    }
}
