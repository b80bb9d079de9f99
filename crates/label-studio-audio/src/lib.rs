//! Shared code of backends that label audio.
//!
//! - [`reading`]: samples of any file that ffmpeg reads, as a stream; the audio of a task.
//! - [`features`]: log-mel features, as NeMo's speech models were trained on them.
//! - [`windows`]: parts of long audio, cut where it is quiet.
//! - [`decoding`]: the best tokens of CTC, RNNT and TDT models.
//! - [`transcript`]: tokens with times, and the text, words and segments that they make.
//! - [`AudioArgs`]: the flags of a backend that runs a neural network on audio.
//!
//! ```
//! use label_studio_audio::features::FrontEnd;
//!
//! // 80 rows of mel energies, and a column for each 10 ms.
//! let front_end = FrontEnd::new(Default::default())?;
//! let second = vec![0.0; 16_000];
//! assert_eq!(front_end.features(&second).dim(), (80, 100));
//! # Ok::<_, label_studio_audio::features::FeatureError>(())
//! ```

mod args;
pub mod decoding;
pub mod features;
pub mod reading;
pub mod transcript;
pub mod windows;

pub use args::{Audio, AudioArgs, AudioStartError};
