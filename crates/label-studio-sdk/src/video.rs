//! Video regions: from the keyframes that Label Studio stores to one box per frame.

use std::ops::Range;

use serde_json::{Map, Number, Value};

/// A generous default for [`expand_keyframes`]: more than an hour of one region at 50 frames per second.
pub const MAX_FRAMES: usize = 200_000;

/// Why the keyframes of a video region cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyframeError {
    /// A video region has no `value.sequence` list.
    #[error("video region {region_idx} has no sequence of keyframes")]
    MissingSequence {
        /// Position of the region in the result.
        region_idx: usize,
    },
    /// A keyframe is not an object with a whole-numbered `frame`.
    #[error("keyframe {keyframe_idx} of video region {region_idx} has no frame number")]
    MissingFrame {
        /// Position of the region in the result.
        region_idx: usize,
        /// Position of the keyframe in the region's sequence.
        keyframe_idx: usize,
    },
    /// The expanded result would have too many frames.
    #[error("video regions expand to more than {max_frames} frames")]
    TooManyFrames {
        /// Frames that the caller allows in the whole result.
        max_frames: usize,
    },
}

/// Fills the gaps between the keyframes of every `videorectangle` region of a result.
///
/// Between an enabled keyframe and the next one, position, size, rotation and time are interpolated linearly; after
/// the last keyframe, if it is enabled, the box stays until frame `framesCount`. Inserted frames carry `auto: true`.
/// Regions without keyframes are dropped, other entries are kept as they are. A result may expand to at most
/// `max_frames` frames in all, because the frame numbers come from outside.
pub fn expand_keyframes(result: &[Value], max_frames: usize) -> Result<Vec<Value>, KeyframeError> {
    let mut expanded = Vec::with_capacity(result.len());
    let mut n_frames = 0;
    for (region_idx, entry) in result.iter().enumerate() {
        if !is_video_rectangle(entry) {
            expanded.push(entry.clone());
            continue;
        }
        let track = Track::read(region_idx, &entry["value"])?;
        if track.keyframes.is_empty() {
            continue;
        }
        n_frames = track.n_frames().saturating_add(n_frames);
        if n_frames > max_frames {
            return Err(KeyframeError::TooManyFrames { max_frames });
        }
        let mut region = entry.clone();
        region["value"]["sequence"] = Value::Array(track.expand());
        expanded.push(region);
    }
    Ok(expanded)
}

const INTERPOLATED: [&str; 5] = ["x", "y", "width", "height", "rotation"];

fn is_video_rectangle(entry: &Value) -> bool {
    entry["type"]
        .as_str()
        .is_some_and(|kind| kind.eq_ignore_ascii_case("videorectangle"))
}

/// The keyframes of one region in the order of their frames, and the video's extent.
struct Track<'a> {
    keyframes: Vec<Keyframe<'a>>,
    frames_count: i32,
    duration: f64,
}

struct Keyframe<'a> {
    frame: i32,
    enabled: bool,
    fields: &'a Map<String, Value>,
}

impl<'a> Track<'a> {
    fn read(region_idx: usize, value: &'a Value) -> Result<Self, KeyframeError> {
        let Some(sequence) = value["sequence"].as_array() else {
            return Err(KeyframeError::MissingSequence { region_idx });
        };
        let mut keyframes = Vec::with_capacity(sequence.len());
        for (keyframe_idx, entry) in sequence.iter().enumerate() {
            let keyframe = Keyframe::read(entry);
            keyframes.push(keyframe.ok_or(KeyframeError::MissingFrame {
                region_idx,
                keyframe_idx,
            })?);
        }
        keyframes.sort_by_key(|keyframe| keyframe.frame);
        Ok(Self {
            keyframes,
            frames_count: frame_number(&value["framesCount"]).unwrap_or(0),
            duration: value["duration"].as_f64().unwrap_or(0.0),
        })
    }

    fn n_frames(&self) -> usize {
        (0..self.keyframes.len())
            .map(|idx| 1 + self.gap(idx).len())
            .sum()
    }

    /// Frames to insert after a keyframe.
    fn gap(&self, keyframe_idx: usize) -> Range<i32> {
        let keyframe = &self.keyframes[keyframe_idx];
        if !keyframe.enabled {
            return 0..0;
        }
        let end = match self.keyframes.get(keyframe_idx + 1) {
            Some(next) => next.frame,
            None => self.frames_count.saturating_add(1),
        };
        keyframe.frame.saturating_add(1)..end
    }

    fn expand(&self) -> Vec<Value> {
        let mut sequence = Vec::with_capacity(self.n_frames());
        for (idx, keyframe) in self.keyframes.iter().enumerate() {
            sequence.push(Value::Object(keyframe.fields.clone()));
            for frame in self.gap(idx) {
                let mut fields = match self.keyframes.get(idx + 1) {
                    Some(next) => keyframe.between(next, frame),
                    None => keyframe.held(frame, self.frames_count, self.duration),
                };
                fields.insert("frame".to_owned(), Value::from(frame));
                fields.insert("auto".to_owned(), Value::Bool(true));
                sequence.push(Value::Object(fields));
            }
        }
        sequence
    }
}

impl<'a> Keyframe<'a> {
    fn read(entry: &'a Value) -> Option<Self> {
        let fields = entry.as_object()?;
        let frame = frame_number(fields.get("frame")?)?;
        let enabled = fields.get("enabled").is_none_or(|enabled| enabled == true);
        Some(Self {
            frame,
            enabled,
            fields,
        })
    }

    fn share(&self, frame: i32, end: i32) -> f64 {
        let start = f64::from(self.frame);
        (f64::from(frame) - start) / (f64::from(end) - start)
    }

    fn between(&self, next: &Self, frame: i32) -> Map<String, Value> {
        let share = self.share(frame, next.frame);
        let mut fields = self.fields.clone();
        for name in INTERPOLATED {
            if let (Some(field), Some(target)) = (fields.get_mut(name), next.fields.get(name)) {
                interpolate(field, target.as_f64(), share);
            }
        }
        if let (Some(time), Some(target)) = (fields.get_mut("time"), next.fields.get("time")) {
            interpolate(time, target.as_f64(), share);
            round_time(time);
        }
        fields
    }

    fn held(&self, frame: i32, frames_count: i32, duration: f64) -> Map<String, Value> {
        let mut fields = self.fields.clone();
        if let Some(time) = fields.get_mut("time") {
            if duration > 0.0 {
                interpolate(time, Some(duration), self.share(frame, frames_count));
            }
            round_time(time);
        }
        fields
    }
}

/// Moves a number towards `target`; equal numbers stay as they are written, so that a whole number stays whole.
#[expect(
    clippy::float_cmp,
    reason = "only exactly equal ends need no arithmetic"
)]
fn interpolate(field: &mut Value, target: Option<f64>, share: f64) {
    if let (Some(start), Some(target)) = (field.as_f64(), target)
        && start != target
        && let Some(number) = Number::from_f64(start + (target - start) * share)
    {
        *field = Value::Number(number);
    }
}

/// Rounds a fractional time to two digits, ties to even.
fn round_time(time: &mut Value) {
    if let Some(seconds) = time.as_f64().filter(|seconds| seconds.fract() != 0.0) {
        let rounded = format!("{seconds:.2}");
        *time = Value::from(
            rounded
                .parse::<f64>()
                .expect("a formatted number can be read"),
        );
    }
}

/// Reads a whole number, clamped to 32 bits.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the cast saturates, and no real video comes near the ends"
)]
fn frame_number(value: &Value) -> Option<i32> {
    let number = value.as_f64()?;
    (number.fract() == 0.0).then_some(number as i32)
}
