//! Draws rectangles around what an annotator names, or paints it, with Grounding DINO and SAM.

mod args;
mod model;

pub use args::SegmenterArgs;
pub use model::GroundingSam;
