//! Draws rectangles around what an annotator names, with Grounding DINO.

mod model;
mod regions;
mod stored;

pub use model::GroundingDino;
