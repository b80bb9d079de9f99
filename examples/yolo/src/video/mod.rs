//! Videos: their frames through networks, and what becomes of all frames together.

mod follow;
mod timeline;
mod tracker_files;
mod tracks;

pub(crate) use follow::{ControlsOfVideo, Videos};
pub use timeline::{TimelineRange, timeline_ranges};
pub use tracker_files::TrackerFiles;
pub use tracks::{TrackLabels, VideoTracks};
