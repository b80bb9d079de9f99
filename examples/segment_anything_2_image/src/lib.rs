//! Masks from clicks and rectangles: Segment Anything 2 and 2.1 behind Label Studio's smart tools.
//!
//! The checkpoints are ONNX files; `export.py` makes them from the original ones.

mod checkpoints;
mod model;

pub use checkpoints::CheckpointArgs;
pub use model::SegmentAnything2;
