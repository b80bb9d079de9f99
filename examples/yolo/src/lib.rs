//! Boxes, rotated boxes, polygons, brush masks, key points and choices from YOLO models, and objects
//! and moments of videos.
//!
//! [`Yolo`] is the model that Label Studio talks to. It reads from the label config which control tags it can serve
//! ([`Control`]), loads a network for each when first needed ([`Networks`]), runs them on batches of images
//! ([`Network`]), and turns what they find ([`Answer`]) into regions. The frames of a video are followed in order
//! ([`VideoTracks`], [`timeline_ranges`]).
//!
//! Networks are ONNX files as Ultralytics exports them; what they are and what they know stands in their metadata
//! ([`Metadata`]).

mod attributes;
mod classes;
mod control;
mod detections;
mod images;
mod label_tasks;
mod metadata;
mod model;
mod network;
mod networks;
mod regions;
mod rotation;
mod segments;
mod taxonomy;
mod video;

pub use control::{Candidate, Control, Kind};
pub use detections::{Answer, Detection, Detections};
pub use label_tasks::{TaskToLabel, label_tasks, read_tasks};
pub use metadata::{Metadata, NetworkTask};
pub use model::Yolo;
pub use network::{Network, Prepared};
pub use networks::{ModelFiles, Networks};
pub use rotation::rotated_value;
pub use video::{TimelineRange, TrackLabels, TrackerFiles, VideoTracks, timeline_ranges};
