//! Boxes, and tracks of them.

use super::{Kalman, Measure};

/// A box that was found in a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FoundBox {
    /// Left, top, right and lower edge in pixels.
    pub bounds: [f64; 4],
    /// Score, 0 to 1.
    pub score: f64,
    /// Number of its class.
    pub class: usize,
}

/// A box of a frame that belongs to a track.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackedBox {
    /// Number of the track, from 1.
    pub track_id: u64,
    /// Left, top, right and lower edge in pixels, smoothed; it may reach out of the frame.
    pub bounds: [f64; 4],
    /// Score of the box that was found.
    pub score: f64,
    /// Class of the box that was found.
    pub class: usize,
}

/// Whether the latest frame has a box of a track.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Tracked,
    Lost,
    Removed,
}

/// A track of boxes.
#[derive(Debug, Clone)]
pub(super) struct Track {
    pub(super) id: u64,
    pub(super) state: State,
    /// Whether a second box has confirmed it; those of the first frame need none.
    pub(super) is_confirmed: bool,
    pub(super) kalman: Kalman,
    pub(super) score: f64,
    pub(super) class: usize,
    pub(super) first_frame: u64,
    pub(super) last_frame: u64,
}

impl Track {
    /// Joins a box to the track.
    pub(super) fn add(&mut self, found: &FoundBox, measure: Measure, frame: u64) {
        self.kalman.update(measured(found, measure));
        self.state = State::Tracked;
        self.is_confirmed = true;
        self.last_frame = frame;
        self.score = found.score;
        self.class = found.class;
    }

    pub(super) fn tracked_box(&self) -> TrackedBox {
        TrackedBox {
            track_id: self.id,
            bounds: self.kalman.bounds(),
            score: self.score,
            class: self.class,
        }
    }
}

/// Returns what a Kalman filter measures of a box, rounded as Ultralytics does.
#[expect(
    clippy::cast_possible_truncation,
    reason = "boxes are 32-bit floats there"
)]
pub(super) fn measured(found: &FoundBox, measure: Measure) -> [f64; 4] {
    let [left, top, right, bottom] = found.bounds.map(|side| side as f32);
    let (width, height) = (right - left, bottom - top);
    let (x, y) = (f32::midpoint(left, right), f32::midpoint(top, bottom));
    let third = match measure {
        Measure::AspectHeight => width / height,
        Measure::WidthHeight => width,
    };
    [x, y, third, height].map(f64::from)
}

/// Returns 1 less the overlap of two boxes, in 32-bit floats as Ultralytics does.
#[expect(
    clippy::cast_possible_truncation,
    reason = "boxes are 32-bit floats there"
)]
pub(super) fn distance(a: [f64; 4], b: [f64; 4]) -> f32 {
    let (a, b) = (a.map(|side| side as f32), b.map(|side| side as f32));
    let length = |idx: usize| (a[idx + 2].min(b[idx + 2]) - a[idx].max(b[idx])).max(0.0);
    let area = |sides: [f32; 4]| (sides[2] - sides[0]) * (sides[3] - sides[1]);
    let common = length(0) * length(1);
    1.0 - common / (area(a) + area(b) - common + 1e-7)
}
