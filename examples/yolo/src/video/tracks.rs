//! `VideoRectangle`: from tracks to regions.

use indexmap::IndexMap;
use label_studio_ml::{Map, Region, Value, json};
use label_studio_vision::{boxes::clip, images::PercentBox, video::tracks::TrackedBox};

use crate::Control;

/// Which label the boxes of a class get.
#[derive(Debug, Clone, Copy)]
pub struct TrackLabels<'a> {
    /// Names of the network's classes.
    pub names: &'a [String],
    /// Labels by these names.
    pub label_map: &'a IndexMap<String, String>,
}

/// The tracks of a video, as they grow frame by frame.
#[derive(Debug)]
pub struct VideoTracks<'a> {
    labels: TrackLabels<'a>,
    tracks: IndexMap<u64, Vec<KeyFrame<'a>>>,
}

/// A box of a track.
#[derive(Debug)]
struct KeyFrame<'a> {
    frame: u64,
    place: PercentBox,
    score: f64,
    label: &'a str,
}

impl<'a> VideoTracks<'a> {
    /// Creates a collection without tracks.
    pub fn new(labels: TrackLabels<'a>) -> Self {
        Self {
            labels,
            tracks: IndexMap::new(),
        }
    }

    /// Adds the boxes of frame `frame`, which counts from 1. `size` is the frame's width and height.
    /// Boxes of classes without a label are left out.
    pub fn add(&mut self, frame: u64, boxes: &[TrackedBox], size: (u32, u32)) {
        let TrackLabels { names, label_map } = self.labels;
        for tracked in boxes {
            let name = names.get(tracked.class);
            let Some(label) = name.and_then(|name| label_map.get(name)) else {
                continue;
            };
            self.tracks
                .entry(tracked.track_id)
                .or_default()
                .push(KeyFrame {
                    frame,
                    place: PercentBox::from_pixels(clip(tracked.bounds, size), size),
                    score: tracked.score.clamp(0.0, 1.0),
                    label,
                });
        }
    }

    /// Returns the value of each track's region with its score, in the order of their first boxes.
    /// The video has `n_frames` frames, `rate` of them per second.
    #[expect(clippy::cast_precision_loss, reason = "no video has 2^52 frames")]
    pub fn values(&self, n_frames: u64, rate: f64) -> Vec<(Value, f64)> {
        let value = |track: &Vec<KeyFrame<'_>>| {
            let mut sequence = Vec::with_capacity(track.len());
            for (idx, key_frame) in track.iter().enumerate() {
                let next = track.get(idx + 1);
                // The editor shows a box until the next key frame unless it is disabled.
                let goes_on = next.is_some_and(|next| next.frame == key_frame.frame + 1);
                let PercentBox {
                    x,
                    y,
                    width,
                    height,
                } = key_frame.place;
                sequence.push(json!({
                    "frame": key_frame.frame,
                    "enabled": goes_on,
                    "rotation": 0,
                    "x": x,
                    "y": y,
                    "width": width,
                    "height": height,
                    "time": key_frame.frame as f64 / rate,
                    "score": key_frame.score,
                }));
            }
            let value = json!({
                "framesCount": n_frames,
                "duration": n_frames as f64 / rate,
                "sequence": sequence,
                "labels": track.last().map(|key_frame| [key_frame.label]),
            });
            let scores = track.iter().map(|key_frame| key_frame.score);
            (value, scores.fold(0.0, f64::max))
        };
        self.tracks.values().map(value).collect()
    }

    pub(super) fn regions(&self, control: &Control<'_>, n_frames: u64, rate: f64) -> Vec<Region> {
        let region = |(value, score)| {
            let (from, to) = (&control.tag.name, &control.object.name);
            let mut region = Region::new(from, to, "videorectangle", value).with_score(score);
            region.extra = Map::from_iter([("origin".to_owned(), json!("manual"))]);
            region
        };
        self.values(n_frames, rate)
            .into_iter()
            .map(region)
            .collect()
    }
}
