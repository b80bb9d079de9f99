//! Masks from clicks and rectangles: Segment Anything (ViT-H, ViT-L, ViT-B) and MobileSAM behind
//! Label Studio's smart tools.
//!
//! The checkpoints are ONNX files; `export.py` makes them from the original ones.

mod checkpoints;
mod model;

pub use checkpoints::{CheckpointArgs, SamChoice};
pub use model::SegmentAnythingModel;
