//! Models that more than one backend runs.

#[cfg(feature = "grounding_dino")]
pub mod grounding_dino;
#[cfg(feature = "models")]
pub mod sam;
pub mod text_detection;
pub mod text_recognition;
