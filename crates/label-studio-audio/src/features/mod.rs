//! Log-mel features, as NeMo's speech models were trained on them.
//!
//! A [`FrontEnd`] has the numbers of NeMo's `AudioToMelSpectrogramPreprocessor`, which a model's
//! config names, and turns samples into features. It computes in 64 bits: quiet rows are scaled up
//! by the normalisation, and rounding errors with them.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "samples are counted in thousands, and features are 32-bit"
)]

mod error;
mod front_end;
mod mel;
mod options;

pub use error::FeatureError;
pub use front_end::FrontEnd;
pub use options::{FrontEndOptions, Normalise, Padding, WindowShape};
