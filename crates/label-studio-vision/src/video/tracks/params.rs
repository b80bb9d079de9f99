//! Parameters of trackers.

use super::Measure;

/// How boxes are joined to tracks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Method {
    /// `ByteTrack`: predicts centre, aspect ratio and height.
    ByteTrack,
    /// BoT-SORT without appearance: predicts centre, width and height, and follows the camera.
    BotSort,
}

/// Parameters of a tracker, named as in the YAML files of Ultralytics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrackerParams {
    /// How boxes are joined to tracks.
    pub method: Method,
    /// Minimum score of boxes that are joined first.
    pub track_high_thresh: f64,
    /// Boxes with a higher score than this are joined to the tracks that are left.
    pub track_low_thresh: f64,
    /// Minimum score of a box that starts a track.
    pub new_track_thresh: f64,
    /// Frames that a track is remembered without a box.
    pub track_buffer: u64,
    /// Largest distance of a box and a track that are joined, 0 to 1.
    pub match_thresh: f64,
    /// Whether boxes with a low score count as farther away.
    pub fuse_score: bool,
    /// Whether tracks move along with the camera; BoT-SORT only.
    pub follows_camera: bool,
}

impl TrackerParams {
    /// The parameters of the Python original's `bytetrack.yaml`.
    pub const fn byte_track() -> Self {
        Self {
            method: Method::ByteTrack,
            track_high_thresh: 0.5,
            track_low_thresh: 0.1,
            new_track_thresh: 0.6,
            track_buffer: 30,
            match_thresh: 0.8,
            fuse_score: true,
            follows_camera: false,
        }
    }

    /// The parameters of the Python original's `botsort.yaml`.
    pub const fn bot_sort() -> Self {
        Self {
            method: Method::BotSort,
            follows_camera: true,
            ..Self::byte_track()
        }
    }

    pub(super) fn measure(&self) -> Measure {
        match self.method {
            Method::ByteTrack => Measure::AspectHeight,
            Method::BotSort => Measure::WidthHeight,
        }
    }
}
