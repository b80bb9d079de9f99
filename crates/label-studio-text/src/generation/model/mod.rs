//! The decoder.

mod attention;
mod cache;
mod decoder;
mod norm;
mod rotation;

pub(super) use cache::Cache;
pub(super) use decoder::{Decoder, Segment};
