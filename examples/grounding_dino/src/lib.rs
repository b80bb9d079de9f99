//! Detects objects that annotators name, with Grounding DINO.

mod model;
mod regions;
mod stored;

pub use model::GroundingDino;
