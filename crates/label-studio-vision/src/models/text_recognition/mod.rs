//! From boxes of a page to texts: crops, batches of them, and decoding of what recognisers give.
//!
//! [`Cropper`] cuts lines out of an image and sets them upright, [`by_width`] forms batches of
//! crops that are about equally wide. Recognisers trained with connectionist temporal
//! classification (CTC) give a score per time step and class, of which class 0 is the blank:
//! [`best_path`] and [`collapsed`] decode greedily, [`beam_search`] and [`word_beam_search`] follow
//! several readings. An [`Alphabet`] has the characters of the classes.
//!
//! ```
//! use label_studio_vision::models::text_recognition::{Alphabet, best_path, collapsed};
//! use ndarray::arr2;
//!
//! let alphabet = Alphabet::new(["a", "b"].map(str::to_owned));
//! let scores = arr2(&[[0.1, 0.9, 0.0], [0.2, 0.8, 0.0], [0.9, 0.1, 0.0], [0.1, 0.2, 0.7_f32]]);
//! let steps = collapsed(&best_path(&scores.view()));
//! assert_eq!(alphabet.text(steps.iter().map(|step| step.class)), "ab");
//! ```

mod alphabet;
mod batches;
mod beam;
mod crop;
mod greedy;
mod linear;
mod probabilities;
mod warp;
mod words;

pub use alphabet::Alphabet;
pub use batches::by_width;
pub use beam::beam_search;
pub use crop::{Cropper, turned_if_tall};
pub use greedy::{Step, best_path, collapsed};
pub use probabilities::probabilities;
pub use warp::{Border, Interpolation};
pub use words::word_beam_search;
