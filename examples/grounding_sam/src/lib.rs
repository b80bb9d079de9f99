//! Detects objects that annotators name, or segments them, with Grounding DINO and SAM.

mod args;
mod model;

pub use args::SegmenterArgs;
pub use model::GroundingSam;
