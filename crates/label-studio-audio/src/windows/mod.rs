//! Parts of long audio, cut where it is quiet.
//!
//! [`Windows`] reads a source of samples as it goes, and holds no more than a window of it.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "windows last minutes"
)]

mod cut;
mod iterator;
mod samples;

pub use iterator::{Window, WindowOptions, Windows};
pub use samples::{AllSamples, Samples};
