//! Models that more than one backend runs.

#[cfg(feature = "grounding_dino")]
pub mod grounding_dino;
pub mod sam;
