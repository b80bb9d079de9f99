//! Marks entities in texts with a sequence tagger of Flair that was converted once.
//!
//! [`Tagger`] finds entities as Flair does; [`Flair`] is the model that Label Studio talks to.
//!
//! ```
//! use flair::spans_from_tags;
//!
//! let spans = spans_from_tags(&["B-PER", "E-PER", "O"], &[0.9, 0.7, 0.8]);
//! assert_eq!((spans[0].label.as_str(), spans[0].start, spans[0].end), ("PER", 0, 2));
//! ```

mod decoding;
mod model;
mod network;
mod options;
mod tagger;
mod text;

pub use decoding::{TokenSpan, spans_from_tags};
pub use model::Flair;
pub use options::Options;
pub use tagger::Tagger;
pub use text::Cleaned;
