//! Objects followed through the frames of a video: `ByteTrack` and BoT-SORT.
//!
//! A [`Tracker`] takes the boxes of one frame after the other and gives those that belong to a track
//! a number. Its rules and constants are those of Ultralytics 8.4, with whose
//! tracks the tests of the backend `yolo` compare them. Sources: Zhang et al., `ByteTrack` (2022); Aharon et al., BoT-SORT (2022).
//!
//! ```
//! use label_studio_vision::video::{motion::Affine, tracks::{FoundBox, Tracker, TrackerParams}};
//!
//! let mut tracker = Tracker::new(TrackerParams::byte_track());
//! let found = FoundBox { bounds: [10.0, 10.0, 30.0, 50.0], score: 0.9, class: 0 };
//! let tracked = tracker.update(&[found], &Affine::IDENTITY);
//! assert_eq!(tracked[0].track_id, 1);
//! ```

mod assignment;
mod kalman;
mod params;
mod track;
mod tracker;

pub use kalman::{Kalman, Measure};
pub use params::{Method, TrackerParams};
pub use track::{FoundBox, TrackedBox};
pub use tracker::Tracker;
